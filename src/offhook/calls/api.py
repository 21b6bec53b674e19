"""The routes of calls: which there were, and why each went where it went."""

from datetime import UTC, datetime

from offhook.access.gate import reply_of
from offhook.calls import helping, store, wire
from offhook.calls.callers import caller_names, caller_of
from offhook.calls.model import Kept
from offhook.calls.wires import store as wires
from offhook.calls.wires.model import beeped
from offhook.directory.lines.model import Target
from offhook.directory.paths import id_of
from offhook.kit.cursor import Cursors
from offhook.kit.errors import NotFound
from offhook.kit.operation import Call, Operation, Reply
from offhook.routing import report
from offhook.routing.service import CompanyOf
from offhook.routing.trace import Trace, ends_at
from offhook.routing.turn import name_of
from offhook.routing.wire import TraceOut
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction

TAG = "Calls"
SCOPE = "calls:read"
PATH = "/api/offhook/v1/calls"


def operations(reader: Reader, cursors: Cursors, company: CompanyOf) -> list[Operation]:
    """The operations of this subject."""

    async def page(call: Call) -> Reply:
        query: wire.CallQuery = call.query or wire.CallQuery()
        tenant = call.principal.tenant_id
        before = cursors.open(query.cursor, "calls", tenant, []) if query.cursor else store.NEWEST
        found = await reader.run(lambda tx: store.page(tx, tenant, before, query.limit + 1))
        here = found[: query.limit]
        names = caller_names(await company(tenant), here) if here else {}
        cursor = cursors.seal("calls", tenant, [], here[-1].id) if len(found) > query.limit else None
        return reply_of(wire.CallPage(items=[_out(one, names[one.id]) for one in here], cursor=cursor))

    async def trace(call: Call) -> Reply:
        tenant, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> tuple[Kept, Trace, frozenset[str]]:
            kept = store.get(tx, tenant, id)
            if kept is None:
                raise NotFound(f"There is no call {id}.")
            trace = store.trace(tx, tenant, id, kept.state.seed)
            return kept, trace, beeped(wires.of_call(tx, tenant, id))

        kept, taken, unspoken = await reader.run(find)
        config = await company(tenant)
        home = kept.state.home
        return reply_of(
            report.trace_out(
                taken,
                name_of=lambda target: name_of(config, target),
                called=home if home != Target("unknown", 0) else None,
                ends=ends_at(kept.state),
                outcome=kept.outcome or kept.state.phase,
                config=taken.steps[-1].config if taken.steps else kept.state.config,
                beeped=unspoken,
            )
        )

    return [
        Operation(
            id="offhook.calls.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List calls",
            description="All calls of the environment, those under way too, the latest first. Names are those of now.",
            handler=page,
            scope=SCOPE,
            query=wire.CallQuery,
            reply=wire.CallPage,
            reply_description="A page of calls.",
            note="calls under way and past ones",
        ),
        Operation(
            id="offhook.calls.trace",
            method="GET",
            path=PATH + "/{id}/trace",
            tag=TAG,
            summary="Show why a call went where it went",
            description="Each step with what happened, the reasons and what was done, and the version of the "
            "configuration that decided it. Names are those of now.",
            handler=trace,
            scope=SCOPE,
            reply=TraceOut,
            reply_description="The call, step by step, and as text and as a Mermaid sequence.",
            note="every step of a real call, as a simulation shows it",
        ),
    ]


def _out(kept: Kept, name: str) -> wire.CallOut:
    return wire.CallOut(
        id=str(kept.id),
        began=_iso(kept.began),
        caller=caller_of(kept),
        caller_name=name,
        dialled=kept.dialled,
        phase="over" if kept.ended else kept.state.phase,
        ended=_iso(kept.ended) if kept.ended else None,
        outcome=kept.outcome or None,
        emergency=helping.emergency(kept.state),
    )


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
