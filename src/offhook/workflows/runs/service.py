"""The embedded engine behind the interface of engines: runs started, read, searched, paused, ended, done again."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, get_args

import msgspec

from offhook.access.doing import Doing, Done, rehearsed
from offhook.access.gate import reply_of
from offhook.access.idempotency import Outcome as Answered
from offhook.catalog.keeping import id_of
from offhook.events import store as outbox
from offhook.events.keeper import event_of
from offhook.events.model import Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Violation, shown
from offhook.kit.ids import EPOCH_MS
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import encode, encode_sorted, to_int64
from offhook.storage.database import Transaction
from offhook.workflows.definitions.graph import graph, mermaid
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Attempt, Outcome, Run, RunStatus, State
from offhook.workflows.runs import store, wire
from offhook.workflows.runs.engine import Engine
from offhook.workflows.runs.engines import MOST_WATCHERS
from offhook.workflows.runs.known import Texts

T = TypeVar("T")
PAGE_BYTES = 8_000_000
"""About as much as a page of attempts has, whatever their number."""

_AGAIN = (Word.WORKFLOW_RUN_RETRIED, Word.WORKFLOW_RUN_RESTARTED, Word.WORKFLOW_RUN_RERUN)

STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)


class Runs:
    """The runs here of all companies. Fulfils runs.engines.RunEngine."""

    def __init__(self, work: Doing, engine: Engine, texts: Texts) -> None:
        self._work, self.engine, self._texts = work, engine, texts
        self.most_watchers = MOST_WATCHERS

    # Starting

    async def start(self, call: Call) -> Reply:
        """Start a run; once, if it comes with an Idempotency-Key."""
        body: wire.StartIn = call.body
        tenant_id = call.principal.tenant_id
        if call.dry_run:
            return await self._rehearse(call, body)
        key = f"key:{call.idempotency_key}" if call.idempotency_key else ""
        id, fresh = await self.engine.start(
            tenant_id,
            body.workflow or "",
            body.version,
            given=body.input,
            correlation=body.correlation_id,
            idempotency=key,
            by=call.principal.key_name,
            workflow=body.definition,
        )
        run, _ = await self.load(tenant_id, id)
        if not fresh and not await self._same(run.run, body):
            text = "Another request was sent with this Idempotency-Key; choose a new key for a new run."
            raise Conflict(
                text, [Violation(location="Idempotency-Key", message=text, sent=shown(call.idempotency_key))]
            )
        headers = () if fresh else ((b"offhook-replayed", b"true"),)
        return reply_of(_started(run.run), headers=headers)

    async def _same(self, run: Run, body: wire.StartIn) -> bool:
        """Whether a run is what a request would have started."""
        if body.workflow is not None and (run.name != body.workflow or body.version not in (None, run.version)):
            return False
        if run.correlation != body.correlation_id:
            return False
        if body.definition is not None:
            found, _ = await asyncio.to_thread(self._texts.written_out, body.definition)
            if found.digest != run.definition:
                return False
        template = (await self._definition(run.tenant_id, run)).input_template
        # Encoded, as 1, 1.0 and true are the same to Python and not to who sends them.
        return encode_sorted({**template, **body.input}) == encode_sorted(run.input)

    async def _rehearse(self, call: Call, body: wire.StartIn) -> Reply:
        tenant_id = call.principal.tenant_id
        if body.definition is not None:
            found, _ = await asyncio.to_thread(self._texts.written_out, body.definition)
        else:
            name, version = body.workflow or "", body.version
            pair = await self._work.reader.run(lambda tx: self._texts.find(tx, tenant_id, name, version))
            if pair is None:
                raise NotFound(f"There is no workflow {shown(name)}{f' in version {version}' if version else ''}.")
            found = pair[0]
        answer = wire.StartedOut(
            id="0", engine="embedded", workflow=found.name, version=found.version, status="RUNNING"
        )
        return rehearsed(call, Answered(encode(answer), tuple(call.notices)))

    # Reading

    async def load(self, tenant_id: int, id: int) -> tuple[State, store.Row]:
        """A run as it stands on disk; NotFound if the company has none of this id."""
        found = await self._work.reader.run(lambda tx: store.load(tx, tenant_id, id))
        if found is None:
            raise _missing(id)
        return found

    async def whole(self, tenant_id: int, id: int) -> wire.WholeRunOut:
        """A run with its tasks."""
        state, row = await self.load(tenant_id, id)
        return wire.whole_run_out(state.run, state.tasks.values(), row.turn)

    async def get(self, call: Call) -> Reply:
        """A run with its tasks."""
        return reply_of(await self.whole(call.principal.tenant_id, id_of(call)))

    async def page(self, call: Call) -> Reply:
        """Runs, the latest first."""
        query: wire.SearchQuery = call.query
        tenant_id = call.principal.tenant_id
        wanted = searched(query)
        # A cursor's position counts upwards, ids of this list downwards.
        found = await self._work.page(
            call,
            "workflows.runs",
            lambda tx, after, limit: store.search(
                tx, tenant_id, before=store.NEWEST - after if after else store.NEWEST, limit=limit, **wanted
            ),
            cursor=query.cursor,
            limit=query.limit,
            filters={name: value for name, value in wanted.items() if value},
            position=lambda run: store.NEWEST - run.id,
        )
        return reply_of(wire.RunPage(items=[wire.run_out(one) for one in found.items], cursor=found.cursor))

    async def attempts(self, call: Call) -> Reply:
        """Attempts with what they took and gave, in the order in which they were made."""
        query: wire.AttemptsQuery = call.query
        tenant_id, id = call.principal.tenant_id, id_of(call)

        def read(tx: Transaction) -> tuple[list[tuple[Attempt, bool]], bool] | None:
            if store.turn_of(tx, tenant_id, id) is None:
                return None
            return store.history_page(tx, tenant_id, id, query.after, query.limit, PAGE_BYTES)

        found = await self._work.reader.run(read)
        if found is None:
            raise _missing(id)
        rows, more = found
        items = [wire.attempt_out(one, counts, brief=query.brief) for one, counts in rows]
        return reply_of(wire.AttemptsOut(items=items, after=items[-1].number if more and items else None))

    async def attempt(self, call: Call) -> Reply:
        """One attempt."""
        tenant_id, id, task_id = call.principal.tenant_id, id_of(call), id_of(call, "task_id")
        found = await self._work.reader.run(lambda tx: store.attempt(tx, tenant_id, id, task_id))
        if found is None:
            raise NotFound(f"There is no task {task_id} in a run {id}.")
        return reply_of(wire.attempt_out(*found))

    async def graph(self, call: Call) -> Reply:
        """The definition that a run goes by as a graph, with what became of its tasks."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        state, _ = await self.load(tenant_id, id)
        definition = await self._definition(tenant_id, state.run)
        if call.query is not None and call.query.form == "mermaid":
            return Reply(body=mermaid(definition).encode(), media=b"text/plain; charset=utf-8")
        drawn = msgspec.to_builtins(graph(definition))
        return reply_of(wire.RunGraphOut(graph=drawn, states=wire.states_of(map(wire.task_out, state.tasks.values()))))

    async def _definition(self, tenant_id: int, run: Run) -> Definition:
        found = await self._work.reader.run(lambda tx: self._texts.by_digest(tx, tenant_id, run.definition))
        assert found is not None, "a definition that runs go by is never taken away"
        return found

    # Seeing it go on

    async def changed(self, call: Call, seen: int) -> wire.WholeRunOut | None:
        """A run, if it is in another turn than the one `seen`."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        turn = await self._work.reader.run(lambda tx: store.turn_of(tx, tenant_id, id))
        if turn is None:
            raise _missing(id)
        return None if turn == seen else await self.whole(tenant_id, id)

    @contextmanager
    def watching(self, call: Call) -> Iterator[asyncio.Event]:
        """An event that is set when a run was taken on by this process."""
        id = id_of(call)
        event = self.engine.watch(id)
        try:
            yield event
        finally:
            self.engine.unwatch(id, event)

    # Changing

    async def pause(self, call: Call) -> Reply:
        """Begin nothing new."""
        return await self._change(call, Word.WORKFLOW_RUN_PAUSED, lambda state, _d, _now: controls.pause(state))

    async def resume(self, call: Call) -> Reply:
        """Go on."""
        return await self._change(call, Word.WORKFLOW_RUN_RESUMED, lambda state, _d, _now: controls.resume(state))

    async def terminate(self, call: Call) -> Reply:
        """End a run."""
        body: wire.Reason | None = call.body
        tenant_id, id = call.principal.tenant_id, id_of(call)
        reason = (body.reason if body is not None else "") or f"Terminated by {call.principal.key_name}."
        await self.end(call, id, reason)
        return reply_of(await self.whole(tenant_id, id))

    async def end(self, call: Call, id: int, reason: str) -> None:
        """End a run, with its event."""
        told = _event(call, Word.WORKFLOW_RUN_TERMINATED, id, reason=reason)
        await self.engine.terminate(call.principal.tenant_id, id, reason, told)

    async def retry(self, call: Call) -> Reply:
        """Try again what it failed with."""
        return await self._change(call, Word.WORKFLOW_RUN_RETRIED, lambda state, _d, _now: controls.retry(state))

    async def restart(self, call: Call) -> Reply:
        """Begin anew."""
        return await self._change(call, Word.WORKFLOW_RUN_RESTARTED, controls.restart)

    async def rerun(self, call: Call) -> Reply:
        """Go on from one of its tasks."""
        body: wire.RerunIn = call.body or wire.RerunIn()
        task_id = to_int64(body.task_id) if body.task_id else 0
        if task_id is None:
            text = "Must be the id of one of the run's tasks."
            raise Invalid.of([Violation(location="task_id", message=text, sent=shown(body.task_id))])

        def change(state: State, definition: Definition, now: int) -> None:
            controls.rerun(
                state, definition, task_id=task_id, task_input=body.task_input, workflow_input=body.input, now=now
            )

        return await self._change(call, Word.WORKFLOW_RUN_RERUN, change)

    async def skip(self, call: Call) -> Reply:
        """Leave a task out."""
        body: wire.SkipIn = call.body or wire.SkipIn()
        ref = str(call.params["ref"])
        given: dict[str, Any] = {"taskOutput": body.output}
        if body.input is not None:
            given["taskInput"] = body.input

        def change(state: State, definition: Definition, now: int) -> None:
            controls.skip(state, definition, ref, given, now)

        return await self._change(call, Word.WORKFLOW_RUN_TASK_SKIPPED, change, task=ref)

    async def complete(self, call: Call) -> Reply:
        """Say how a task ended that waits for somebody."""
        body: wire.CompleteIn = call.body or wire.CompleteIn()
        task_id = id_of(call, "task_id")
        outcome = Outcome(status=body.status, output=body.output, reason=body.reason)

        def change(state: State, _definition: Definition, now: int) -> None:
            finish_by_hand(state, task_id, outcome, now)

        return await self._change(call, Word.WORKFLOW_RUN_TASK_COMPLETED, change, task=str(task_id))

    async def delete(self, call: Call) -> Reply:
        """Take a run that is over away, with all that is known of it."""
        tenant_id, id, at = call.principal.tenant_id, id_of(call), clock.now()

        def run(tx: Transaction, _notices: Any) -> None:
            found = store.get(tx, tenant_id, id)
            if found is None:
                raise _missing(id)
            if not found.over:
                raise Conflict(f"The run goes on ({found.status}); terminate it first.")
            store.forget(tx, [(tenant_id, id)])
            outbox.append(tx, [event_of(call, at, Word.WORKFLOW_RUN_DELETED, id, before={"workflow": found.name})])

        await self._work.change(call, run)
        return reply_of(Done())

    async def change(
        self, call: Call, id: int, word: Word, change: Callable[[State, Definition, int], Any], **told: Any
    ) -> Any:
        """Change a run, with its event, and take it on; what the change gave.

        Runs that failed as it had failed go on with it: the one that waited for it, and so on.
        """
        given = await self.engine.change(call.principal.tenant_id, id, change, _event(call, word, id, **told))
        if word in _AGAIN:
            await self._go_along(call, id)
        return given

    async def _go_along(self, call: Call, id: int) -> None:
        tenant_id = call.principal.tenant_id
        while parent := (await self.load(tenant_id, id))[0].run.parent:
            told = _event(call, Word.WORKFLOW_RUN_RETRIED, parent, with_run=str(id))
            try:
                await self.engine.change(tenant_id, parent, partial(_go_along, id), told)
            except (NotFound, Conflict):
                return
            id = parent

    async def retry_within(self, call: Call, id: int) -> None:
        """Try again what it failed with, where it failed: within the runs that it waited for."""
        tenant_id = call.principal.tenant_id
        state, _ = await self.load(tenant_id, id)
        going: set[int] = set()
        for child in controls.failed_within(state):
            with suppress(NotFound, Conflict):
                await self.retry_within(call, child)
                going.add(child)
        told = _event(call, Word.WORKFLOW_RUN_RETRIED, id)
        await self.engine.change(tenant_id, id, lambda state, _d, _now: controls.retry(state, going), told)

    async def _change(
        self, call: Call, word: Word, change: Callable[[State, Definition, int], Any], **told: Any
    ) -> Reply:
        tenant_id, id = call.principal.tenant_id, id_of(call)
        await self.change(call, id, word, change, **told)
        return reply_of(await self.whole(tenant_id, id))


def _go_along(child: int, state: State, _definition: Definition, _now: int) -> None:
    controls.go_along(state, child)


def finish_by_hand(state: State, task_id: int, outcome: Outcome, now: int) -> None:
    """An attempt ended as somebody says; Conflict if it is not one that waits."""
    task = state.attempt(task_id)
    if task is None:
        raise NotFound(f"The run has no task {task_id}, or it is history.")
    if state.run.over:
        raise Conflict(f"The run is over ({state.run.status}).")
    if not task.open:
        raise Conflict(f"Task {task.key} is over ({task.status}).")
    if not (wire.waits(task) or task.type == "WAIT"):
        raise Conflict(f"Task {task.key} ({task.type}) waits for nobody; skip it if it shall not be done.")
    controls.finish(state, task_id, outcome, now)


def _event(call: Call, word: Word, id: int, **told: Any) -> Event:
    return event_of(call, clock.now(), word, id, after=told)


def _missing(id: int) -> NotFound:
    return NotFound(f"There is no workflow run {id}.")


def _started(run: Run) -> wire.StartedOut:
    return wire.StartedOut(id=str(run.id), engine="embedded", workflow=run.name, version=run.version, status=run.status)


def searched(query: wire.SearchQuery) -> dict[str, Any]:
    """What a search asks for: moments in milliseconds, nothing as 0 or "". Invalid with all that is wrong."""
    statuses = [one.strip().upper() for one in (query.status or "").split(",") if one.strip()]
    unknown = [one for one in statuses if one not in STATUSES]
    found: list[Violation] = []
    if unknown:
        text = f"Must be one or more of {', '.join(STATUSES)}, separated by commas."
        found.append(Violation(location="status", message=text, sent=shown(query.status)))
    parent = to_int64(query.parent_id) if query.parent_id else 0
    if parent is None:
        found.append(Violation(location="parent_id", message="Must be the id of a run.", sent=shown(query.parent_id)))
    since, until = _moment("since", query.since, found), _moment("until", query.until, found)
    if found:
        raise Invalid.of(found)
    return {
        "statuses": tuple(dict.fromkeys(statuses)),
        "name": query.workflow or "",
        "version": query.version or 0,
        "correlation": query.correlation_id or "",
        "parent": parent or 0,
        "since": since,
        "until": until,
    }


def _moment(field: str, value: str | None, found: list[Violation]) -> int:
    if not value:
        return 0
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        text = "Must be a date-time with its zone, as 2026-11-26T08:00:00Z."
        found.append(Violation(location=field, message=text, sent=shown(value)))
        return 0
    return max(int(moment.timestamp() * 1000), EPOCH_MS)
