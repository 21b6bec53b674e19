"""A Conductor server behind the interface of engines: runs seen there in the form of those here, and changed there.

Runs are asked for as that server has them, each time. A run is a company's if its definition carries the company's
mark; any other is told from one that is not there by nothing.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import msgspec

from offhook.access.doing import Doing, Done
from offhook.access.gate import reply_of
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Refusal, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import encode
from offhook.workflows.definitions.graph import graph, mermaid
from offhook.workflows.definitions.model import Definition, converted
from offhook.workflows.definitions.reading import loaded
from offhook.workflows.remote import shown as showing
from offhook.workflows.remote.conductor import Act, Conductor
from offhook.workflows.remote.names import id_there, marked, unmarked
from offhook.workflows.remote.starting import Starting
from offhook.workflows.runs import wire
from offhook.workflows.runs.known import Texts
from offhook.workflows.runs.service import PAGE_BYTES, searched

Raw = dict[str, Any]
MOST_WATCHERS = 50
"""Each of them has its run asked for once a second."""

MOST_NAMES, MOST_QUERY = 50, 1_200
"""Names of definitions that one search asks for, and characters of them in its address."""

MOST_SEARCHES = 40
"""Searches that a page of a list takes at most."""

_NOT_SEARCHED = frozenset("'\"(),*")
"""Signs that the languages of searches there have no way to write."""

_SAME = 10_000
"""More runs than start in a millisecond."""


class RemoteRuns:
    """Runs on the server, of all companies. Fulfils runs.engines.RunEngine."""

    def __init__(self, work: Doing, texts: Texts, server: Conductor) -> None:
        self._work, self._server = work, server
        self._starting = Starting(work, texts, server)
        self.most_watchers = MOST_WATCHERS

    async def start(self, call: Call) -> Reply:
        """Start a run there, of a definition that is sent there first."""
        return await self._starting.start(call)

    # Reading

    async def page(self, call: Call) -> Reply:
        """Runs there, the latest first: of one definition, or of all that carry the company's mark there."""
        query: wire.SearchQuery = call.query
        tenant_id = call.principal.tenant_id
        _refuse_unsearched(query)
        wanted = {name: value for name, value in searched(query).items() if value}
        bound = [[name, list(one) if isinstance(one, tuple) else one] for name, one in sorted(wanted.items())]
        listing, until, passed = "workflows.runs.conductor", int(wanted.get("until", 0)), 0
        if query.cursor:
            position = self._work.cursors.open(query.cursor, listing, tenant_id, bound)
            until, passed = position // _SAME + 1, position % _SAME
        conditions = [f"status IN ({','.join(wanted['statuses'])})"] if "statuses" in wanted else []
        if query.correlation_id:
            conditions.append(f"correlationId={_written(query.correlation_id)}")
        if "since" in wanted:
            conditions.append(f"startTime>{wanted['since'] - 1}")
        if until:
            conditions.append(f"startTime<{until}")
        found: list[tuple[int, wire.RunOut]] = []
        for names in await self._groups(call, query.workflow):
            asked = " AND ".join([f"workflowType IN ({','.join(map(_written, names))})", *conditions])
            for raw in await self._server.search(asked, query.limit + passed + 1):
                out = showing.run_out(raw, tenant_id)
                if out is not None:
                    found.append((showing.moment(raw.get("startTime")), out))
        found.sort(key=lambda one: (one[0], one[1].id), reverse=True)
        here = found[passed : passed + query.limit]
        cursor = None
        if len(found) > passed + query.limit:
            last = here[-1][0]
            # As many of that millisecond were shown, on this page and those before.
            same = sum(1 for moment, _ in found[: passed + query.limit] if moment == last)
            cursor = self._work.cursors.seal(listing, tenant_id, bound, last * _SAME + min(same, _SAME - 1))
        return reply_of(wire.RunPage(items=[out for _, out in here], cursor=cursor))

    async def _groups(self, call: Call, name: str | None) -> list[list[str]]:
        """The names there of the definitions whose runs are asked for, as many as a search takes in each group."""
        tenant_id = call.principal.tenant_id
        if name:
            names = [marked(name, tenant_id)]
        else:
            names = sorted(one for one in await self._server.names() if unmarked(one, tenant_id) is not None)
        fitting = [one for one in names if not set(one) & _NOT_SEARCHED]
        groups: list[list[str]] = []
        size = 0
        for one in fitting:
            size += len(quote(one)) + 3
            if not groups or len(groups[-1]) == MOST_NAMES or size > MOST_QUERY:
                groups.append([])
                size = len(quote(one)) + 3
            groups[-1].append(one)
        left = len(names) - len(fitting) + sum(map(len, groups[MOST_SEARCHES:]))
        if left:
            text = (
                f"Runs of {left:,} definitions are left out: there are too many, or their names cannot be searched for."
            )
            call.notices.append(Notice("left_out", "workflow", f"{text} Name one."))
        return groups[:MOST_SEARCHES]

    async def _raw(self, call: Call, *, tasks: bool = True) -> Raw:
        """A run as it is there, if it is the company's."""
        id = str(call.params["id"])
        try:
            raw = await self._server.get(id_there(id), tasks=tasks)
        except (NotFound, Invalid):
            raw = {}
        if showing.run_out(raw, call.principal.tenant_id) is None:
            raise NotFound(f"The Conductor server has no run {shown(id)} of this company.")
        return raw

    async def _whole(self, call: Call) -> wire.WholeRunOut:
        found = showing.whole_run_out(await self._raw(call), call.principal.tenant_id)
        assert found is not None, "it is the company's"
        return found

    async def get(self, call: Call) -> Reply:
        """A run with its tasks."""
        return reply_of(await self._whole(call))

    async def attempts(self, call: Call) -> Reply:
        """Attempts with what they took and gave, in the order in which they were made."""
        query: wire.AttemptsQuery = call.query
        found = showing.attempts_out(await self._raw(call))
        behind = [one for one in found if one.number > query.after]
        items: list[wire.AttemptOut] = []
        size = 0
        for one in behind[: query.limit]:
            shorter = wire.AttemptOut(**{**msgspec.structs.asdict(one), "input": None, "output": None})
            out = shorter if query.brief else one
            size += len(encode(out))
            if items and size > PAGE_BYTES:
                break
            items.append(out)
        return reply_of(wire.AttemptsOut(items=items, after=items[-1].number if len(items) < len(behind) else None))

    async def attempt(self, call: Call) -> Reply:
        """One attempt."""
        return reply_of(self._attempt(call, await self._raw(call)))

    def _attempt(self, call: Call, raw: Raw) -> wire.AttemptOut:
        task = str(call.params["task_id"])
        for one in showing.attempts_out(raw):
            if one.id == task:
                return one
        raise NotFound(f"There is no task {shown(task)} in a run {shown(call.params['id'])}.")

    async def graph(self, call: Call) -> Reply:
        """The definition that a run goes by there as a graph, with what became of its tasks."""
        raw = await self._raw(call)
        definition = await asyncio.to_thread(_definition, raw, call.principal.tenant_id)
        if call.query is not None and call.query.form == "mermaid":
            return Reply(body=mermaid(definition).encode(), media=b"text/plain; charset=utf-8")
        states = wire.states_of(one for one in showing.attempts_out(raw) if one.counts)
        return reply_of(wire.RunGraphOut(graph=msgspec.to_builtins(graph(definition)), states=states))

    async def changed(self, call: Call, seen: int) -> wire.WholeRunOut | None:
        """A run, if it is in another turn than the one `seen`."""
        found = await self._whole(call)
        return None if found.turn == seen else found

    @contextmanager
    def watching(self, call: Call) -> Iterator[asyncio.Event]:
        """An event that nothing sets: what that server does is seen by asking it."""
        yield asyncio.Event()

    # Changing

    async def _act(self, call: Call, what: Act, reason: str = "") -> Reply:
        status = str((await self._raw(call, tasks=False))["status"])
        _refuse_state(what, status)
        await self._server.act(id_there(str(call.params["id"])), what, reason)
        return await self.get(call)

    async def pause(self, call: Call) -> Reply:
        """Begin nothing new."""
        return await self._act(call, "pause")

    async def resume(self, call: Call) -> Reply:
        """Go on."""
        return await self._act(call, "resume")

    async def terminate(self, call: Call) -> Reply:
        """End a run."""
        body: wire.Reason | None = call.body
        reason = (body.reason if body is not None else "") or f"Terminated by {call.principal.key_name}."
        return await self._act(call, "terminate", reason)

    async def retry(self, call: Call) -> Reply:
        """Try again what it failed with."""
        return await self._act(call, "retry")

    async def restart(self, call: Call) -> Reply:
        """Begin anew."""
        return await self._act(call, "restart")

    async def rerun(self, call: Call) -> Reply:
        """Go on from one of its tasks."""
        body: wire.RerunIn = call.body or wire.RerunIn()
        raw = await self._raw(call)
        _refuse_state("rerun", str(raw["status"]))
        if body.task_id and body.task_id not in {one.id for one in showing.attempts_out(raw)}:
            raise NotFound(f"The run has no task {shown(body.task_id)} that it could go on from.")
        id = id_there(str(call.params["id"]))
        await self._server.rerun(id, body.task_id or "", body.task_input, body.input)
        return await self.get(call)

    async def skip(self, call: Call) -> Reply:
        """Leave a task out."""
        body: wire.SkipIn = call.body or wire.SkipIn()
        _refuse_state("skip", str((await self._raw(call, tasks=False))["status"]))
        if body.output or body.input is not None:
            text = "A stock Conductor server takes no notice of what shall count as a skipped task's output and input."
            call.notices.append(Notice("not_used", "output" if body.output else "input", text))
        id, ref = id_there(str(call.params["id"])), str(call.params["ref"])
        await self._server.skip(id, ref, body.output, body.input)
        return await self.get(call)

    async def complete(self, call: Call) -> Reply:
        """Say how a task ended that waits for somebody."""
        body: wire.CompleteIn = call.body or wire.CompleteIn()
        raw = await self._raw(call)
        task, status = self._attempt(call, raw), str(raw["status"])
        if status not in GOING:
            raise Conflict(f"The run is over ({status}).")
        if task.status not in showing.OPEN:
            raise Conflict(f"Task {task.key} is over ({task.status}).")
        if not task.waits_for_you and task.type != "WAIT":
            raise Conflict(f"Task {task.key} ({task.type}) waits for nobody; skip it if it shall not be done.")
        id = id_there(str(call.params["id"]))
        await self._server.complete(id, task.id, body.status, body.output, body.reason)
        return await self.get(call)

    async def delete(self, call: Call) -> Reply:
        """Take a run that is over away, with all that is known of it there."""
        _refuse_state("remove", str((await self._raw(call, tasks=False))["status"]))
        await self._server.act(id_there(str(call.params["id"])), "remove")
        return reply_of(Done())

    async def close(self) -> None:
        """End what is under way."""
        await self._server.close()


GOING = ("RUNNING", "PAUSED")
_DONE = {"retry": "tried again", "restart": "restarted", "rerun": "run again", "remove": "deleted"}


def _refuse_state(what: str, status: str) -> None:
    """Conflict for what cannot be done to a run that stands so; stock servers answer some of it in odd ways."""
    if what == "resume" and status != "PAUSED":
        raise Conflict(f"The run is {status}; only one that is paused can be resumed.")
    if what in _DONE and status in GOING:
        raise Conflict(f"The run goes on ({status}); only one that is over can be {_DONE[what]}. Terminate it first.")
    if what not in _DONE and status not in GOING:
        raise Conflict(f"The run is over ({status}).")
    if what == "retry" and status == "COMPLETED":
        raise Conflict("The run ended well; restart it, or run it again from one of its tasks.")


def _refuse_unsearched(query: wire.SearchQuery) -> None:
    """Invalid for what a stock server does not search by."""
    found = [
        Violation(location=name, message="Runs of a Conductor server are not searched by it; leave it out.")
        for name in ("version", "parent_id")
        if getattr(query, name)
    ]
    for name in ("workflow", "correlation_id"):
        if signs := sorted(set(getattr(query, name) or "") & _NOT_SEARCHED):
            text = f"A Conductor server is not searched for what has {' '.join(signs)} in it."
            found.append(Violation(location=name, message=text))
    if found:
        raise Invalid.of(found)


def _written(text: str) -> str:
    # Quoted only where that is needed: not all indexes of such servers know quotes.
    return f'"{text}"' if set(text) & set(" <>=!") else text


def _definition(raw: Raw, tenant_id: int) -> Definition:
    """The definition that a run goes by there. It was not checked here; a NotFound if it cannot be read."""
    try:
        found = loaded(raw.get("workflowDefinition") or {})
        definition = converted({**found, "name": unmarked(str(found.get("name")), tenant_id) or ""})
    except (Refusal, msgspec.ValidationError):
        raise NotFound("The Conductor server gives no definition of the run that can be drawn.") from None
    return definition
