"""The ladder of a call, from what the store has of it."""

from offhook.access.gate import reply_of
from offhook.calls import store
from offhook.calls.ladder.drawing import ladder
from offhook.calls.ladder.telling import ladder_out
from offhook.calls.ladder.wire import LadderOut
from offhook.calls.legs import store as legs
from offhook.calls.live.render import named
from offhook.calls.wires import store as wires
from offhook.directory.paths import id_of
from offhook.kit import clock
from offhook.kit.errors import NotFound
from offhook.kit.operation import Call, Handler, Reply
from offhook.routing.service import CompanyOf
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction


def showing(reader: Reader, company: CompanyOf) -> Handler:
    """The handler of the operation."""

    async def show(call: Call) -> Reply:
        tenant, id = call.principal.tenant_id, id_of(call)
        config = await company(tenant)
        at = clock.milliseconds(clock.now())

        def find(tx: Transaction) -> LadderOut:
            kept = store.get(tx, tenant, id)
            if kept is None:
                raise NotFound(f"There is no call {id}.")
            trace, told = store.trace(tx, tenant, id, kept.state.seed), wires.of_call(tx, tenant, id)
            lost = kept.ended if kept.outcome == "lost" else 0
            drawn = ladder(trace, told, lambda who: named(config, who), lost=lost)
            return ladder_out(drawn, kept, told, legs.of_calls(tx, tenant, [id]), at)

        return reply_of(await reader.run(find))

    return show
