"""`GET /api/v2/offices/{office_id}/plan` and `.../available_licenses`."""

from offhook.access.gate import reply_of
from offhook.billing import store
from offhook.billing.licences import available
from offhook.billing.model import Plan
from offhook.billing.wire import LicencesOut, PlanOut, plan_out
from offhook.kit.errors import NotFound
from offhook.kit.operation import Call, Operation, Reply
from offhook.storage.batches import Reader, Within


def operations(reader: Reader | Within) -> list[Operation]:
    """The operations of this subject."""

    async def _plan(call: Call) -> Plan:
        office_id = call.params["office_id"]
        assert isinstance(office_id, int)
        found = await reader.run(lambda tx: store.plan(tx, call.principal.tenant_id, office_id))
        if found is None:
            raise NotFound(f"There is no office {office_id}.")
        return found

    async def plan(call: Call) -> Reply:
        return reply_of(plan_out(await _plan(call)))

    async def licences(call: Call) -> Reply:
        tenant_id, office_id = call.principal.tenant_id, (await _plan(call)).office_id
        free = await reader.run(lambda tx: available(tx, tenant_id, office_id))
        return reply_of(LicencesOut(**{name: str(count) for name, count in (free or {}).items()}))

    return [
        Operation(
            id="plan.get",
            method="GET",
            path="/api/v2/offices/{office_id}/plan",
            tag="Billing",
            summary="Get an office's plan",
            description="Its lines by kind, its balance, when the next cycle starts, and its place of primary use.",
            note="counters are the lines that were bought",
            handler=plan,
            scope="offices:read",
            reply=PlanOut,
            reply_description="The plan.",
        ),
        Operation(
            id="plan.available_licenses.get",
            method="GET",
            path="/api/v2/offices/{office_id}/available_licenses",
            tag="Billing",
            summary="List an office's free licences",
            description="How many lines of each kind are bought and not in use.",
            note="the same",
            handler=licences,
            scope="offices:read",
            reply=LicencesOut,
            reply_description="The free lines by kind.",
        ),
    ]
