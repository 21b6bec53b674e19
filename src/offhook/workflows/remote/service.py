"""What can be done with a Conductor server elsewhere: definitions sent, runs started, seen and changed there."""

from typing import Any

from offhook.access.doing import Doing, Done
from offhook.access.gate import reply_of
from offhook.kit.errors import Conflict, Invalid, NotFound, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.storage.database import Transaction
from offhook.workflows.definitions import store
from offhook.workflows.definitions import wire as definitions_wire
from offhook.workflows.definitions.lint import exported
from offhook.workflows.remote import shown as showing
from offhook.workflows.remote import wire
from offhook.workflows.remote.model import Act, Elsewhere
from offhook.workflows.remote.names import definition_for, marked
from offhook.workflows.runs import wire as runs_wire
from offhook.workflows.runs.service import STATUSES

MOST_NAMES = 50
"""Definitions that one search there asks for."""


class RemoteRuns:
    """Runs elsewhere, of all companies; `elsewhere` None is an installation that names no such server."""

    def __init__(self, work: Doing, elsewhere: Elsewhere | None) -> None:
        self._work, self._server = work, elsewhere

    @property
    def named(self) -> bool:
        """Whether this installation names such a server."""
        return self._server is not None

    @property
    def _there(self) -> Elsewhere:
        if self._server is None:
            raise Conflict("This server names no Conductor server; whoever runs it sets conductor_url.")
        return self._server

    async def send(self, call: Call) -> Reply:
        """Send a definition, in the form that a stock server takes."""
        body: wire.SendIn = call.body or wire.SendIn()
        there, tenant_id, name = self._there, call.principal.tenant_id, str(call.params["name"])

        def find(tx: Transaction) -> tuple[int, dict[str, Any]] | None:
            kept = store.version(tx, tenant_id, name, body.version)
            raw = None if kept is None else store.raw_of(tx, tenant_id, kept.value.hash)
            return None if kept is None or raw is None else (kept.value.number, raw)

        found = await self._work.reader.run(find)
        if found is None:
            raise NotFound(f"There is no workflow definition {shown(name)}.")
        made = exported(found[1])
        raw, starts = definition_for(made.raw, tenant_id)
        await there.put(raw)
        notices = [definitions_wire.notice_out(one) for one in made.notices]
        out = wire.SentOut(name=raw["name"], version=found[0], definition=raw, starts=starts, notices=notices)
        return reply_of(out)

    async def start(self, call: Call) -> Reply:
        """Start a run there."""
        body: wire.RemoteStartIn = call.body
        name = marked(body.workflow, call.principal.tenant_id)
        id = await self._there.start(name, body.version, body.input, body.correlation_id)
        return reply_of(wire.RemoteStartedOut(id=id, workflow=body.workflow))

    async def page(self, call: Call) -> Reply:
        """Runs there, the latest first."""
        query: wire.RemoteQuery = call.query or wire.RemoteQuery()
        there, tenant_id = self._there, call.principal.tenant_id
        statuses = [one.strip().upper() for one in (query.status or "").split(",") if one.strip()]
        if any(one not in STATUSES for one in statuses):
            text = f"Must be one or more of {', '.join(STATUSES)}, separated by commas."
            raise Invalid.of([Violation(location="status", message=text, sent=shown(query.status))])
        names = [query.workflow] if query.workflow else await self._names(tenant_id)
        asked = [marked(one, tenant_id) for one in names if not set(one) & set("'\"(),")]
        if not asked:
            return reply_of(wire.RemotePage(items=[], total=0))
        # Quoted only where that is needed: not all indexes of such servers know quotes.
        written = [f'"{one}"' if " " in one else one for one in asked]
        conditions = [f"workflowType IN ({','.join(written)})"]
        if statuses:
            conditions.append(f"status IN ({','.join(statuses)})")
        found, total = await there.search(" AND ".join(conditions), query.start, query.limit)
        items = [out for one in found if (out := showing.run_out(one, tenant_id)) is not None]
        return reply_of(wire.RemotePage(items=items, total=total))

    async def _names(self, tenant_id: int) -> list[str]:
        found = await self._work.reader.run(lambda tx: store.names(tx, tenant_id, 0, MOST_NAMES))
        return [one.name for one in found]

    async def get(self, call: Call) -> Reply:
        """A run there, with its tasks."""
        return reply_of(await self._own(call))

    async def _own(self, call: Call, *, tasks: bool = True) -> runs_wire.WholeRunOut:
        """A run there, if it is the company's; one that is another's is told from one that is not there by nothing."""
        id = str(call.params["run"])
        try:
            found = showing.whole_run_out(await self._there.get(id, tasks=tasks), call.principal.tenant_id)
        except NotFound:
            found = None
        if found is None:
            raise NotFound(f"The Conductor server has no run {shown(id)} of this company.")
        return found

    async def act(self, call: Call, what: Act) -> Reply:
        """Do something to a run there."""
        await self._own(call, tasks=False)
        body: runs_wire.Reason | None = call.body if what == "terminate" else None
        reason = (body.reason if body is not None else "") or f"Terminated by {call.principal.key_name}."
        await self._there.act(str(call.params["run"]), what, reason if what == "terminate" else "")
        return reply_of(Done())

    async def close(self) -> None:
        """End what is under way."""
        if self._server is not None:
            await self._server.close()
