"""`GET /api/v2/company`."""

from collections.abc import Callable

from offhook.access import store
from offhook.access.gate import reply_of
from offhook.access.model import Company
from offhook.access.wire import CompanyOut
from offhook.kit.errors import NotFound
from offhook.kit.operation import Call, Operation, Reply
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction


def operations(reader: Reader, count_offices: Callable[[Transaction, int], int]) -> list[Operation]:
    """The operations of this subject; `count_offices` tells how many offices a tenant has."""

    async def company(call: Call) -> Reply:
        def read(tx: Transaction) -> tuple[Company | None, int]:
            return store.company(tx, call.principal.company_id), count_offices(tx, call.principal.tenant_id)

        found, count = await reader.run(read)
        if found is None:
            raise NotFound("There is no such company.")
        return reply_of(
            CompanyOut(
                id=str(found.id),
                name=found.name,
                country=found.country.lower(),
                account_type=found.account_type,  # type: ignore[arg-type]
                office_count=str(count),
                state=found.state,  # type: ignore[arg-type]
                admin_email=found.admin_email or None,
                domain=found.domain or None,
            )
        )

    return [
        Operation(
            id="company.get",
            method="GET",
            path="/api/v2/company",
            tag="Company",
            summary="Get the company",
            description="The company that the key belongs to, with the number of its offices in the key's environment.",
            note="`office_count` counts the key's environment",
            handler=company,
            scope="company:read",
            reply=CompanyOut,
            reply_description="The company.",
        )
    ]
