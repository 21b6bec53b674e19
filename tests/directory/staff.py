"""People and lines for tests, put into the store as the API would."""

from itertools import count
from typing import Any

from offhook.access.model import Principal
from offhook.billing import licences
from offhook.directory.assignment import service as assignment
from offhook.directory.operators.store import Operator
from offhook.directory.operators.store import add as add_operators
from offhook.directory.users.licensing import line_of
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.kit import clock
from offhook.kit.operation import Call
from offhook.storage.database import Statement
from offhook.storage.documents import Kept
from tests.api.desk import Company

_SERIAL = count(2000)

CREATED = 1_781_976_000_000
"""2026-06-20T17:20:00Z, when all these users were made."""


def buy(company: Company, line: str, lines: int = 1, office_id: int | None = None) -> None:
    """Give an office of the live environment lines of a kind; the primary one unless said."""
    tenant, office = company.tenant(), office_id or company.office_ids["live"]
    statement = Statement(f"UPDATE plans SET {line} = {line} + ? WHERE tenant_id = ? AND office_id = ?")
    company.desk.transact(lambda tx: tx.change(statement, lines, tenant, office))


def person(company: Company, name: str, *, state: str = "active", **fields: Any) -> str:
    """A user of the live environment, with a line for the licence; gives the id."""
    said: dict[str, Any] = {
        "office_id": company.office_ids["live"],
        "emails": (f"{name.lower()}.{company.id}@example.com",),
        "country": "US",
        "timezone": "America/Los_Angeles",
        "first_name": name,
        "license": "agents",
    }
    made = User(**(said | fields))
    tenant, id = company.tenant(), company.desk.ids.new()
    kept = Kept(id=id, tenant_id=tenant, value=made, state=state, created_at=CREATED, updated_at=CREATED)
    buy(company, line_of(made), office_id=made.office_id)

    def insert(tx: Any) -> None:
        users.insert(tx, [kept])
        licences.take(tx, tenant, made.office_id, line_of(made))

    company.desk.transact(insert)
    return str(id)


def free(company: Company, line: str) -> int:
    """How many lines of a kind the primary office has left."""
    path = f"/api/v2/offices/{company.office_ids['live']}/available_licenses"
    return int(company.live.get(path).json[line])


def crowd(company: Company, group_type: Any, group_id: str, size: int) -> None:
    """Many users who are operators of one group, in few statements."""
    tenant = company.tenant()
    kept, joined = [], []
    for index in range(size):
        id = company.desk.ids.new()
        made = User(
            office_id=company.office_ids["live"],
            emails=(f"crowd{index}.{company.id}@example.com",),
            country="US",
            timezone="America/Los_Angeles",
            first_name=f"Person {index}",
            license="agents",
        )
        kept.append(Kept(id=id, tenant_id=tenant, value=made, created_at=CREATED, updated_at=CREATED))
        joined.append(
            Operator(
                tenant_id=tenant,
                group_type=group_type,
                group_id=int(group_id),
                member_type="user",
                member_id=id,
                seq=id,
            )
        )

    def insert(tx: Any) -> None:
        users.insert(tx, kept)
        add_operators(tx, joined)

    company.desk.transact(insert)


def give_number(company: Company, kind: str, id: str) -> str:
    """Add a number that no test has used to the live inventory and give it to a target."""
    number = company.add_number(f"+1415783{next(_SERIAL)}")
    tenant, at = company.tenant(), clock.now()
    call = Call(principal=Principal(tenant, company.id, "live", 0, "test", frozenset()), params={})
    holder = company.desk.offhook.work.holders[kind]

    def give(tx: Any) -> None:
        held = holder.get(tx, tenant, int(id))
        assert held is not None
        assignment.take(tx, call, at, (kind, int(id)), held, number)
        holder.keep(tx, call, at, int(id), (*held.phone_numbers, number))

    company.desk.transact(give)
    return number
