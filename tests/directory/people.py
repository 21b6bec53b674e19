"""People for tests, and what is theirs: users hired through the API, as a client does it, or put straight into the
store where a test is about something else; keys of their own; lines of a plan; numbers; memberships.
"""

from itertools import count
from typing import Any

from offhook.access import service as access
from offhook.access.model import Environment, Principal
from offhook.billing import licences
from offhook.directory.assignment import service as assignment
from offhook.directory.lines.model import Target
from offhook.directory.operators import store as operators
from offhook.directory.users.licensing import line_of
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.kit import clock
from offhook.kit.operation import Call
from offhook.storage.database import Statement
from offhook.storage.documents import Kept
from tests.api.desk import ADDRESSES, WHOLE, Answer, Api, Company, full

USERS = "/api/v2/users"

CREATED = 1_781_976_000_000
"""2026-06-20T17:20:00Z, when everybody was made who was put straight into the store."""

_SERIAL = count(2000)

# Hired through the API


def ann(company: Company, environment: Environment = "live", **changes: Any) -> dict[str, Any]:
    """A body that is accepted, with fields changed or, by None, taken out."""
    body = {
        "office_id": str(company.office_ids[environment]),
        "email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "Lee",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def hired(company: Company, environment: Environment = "live", **changes: Any) -> str:
    """The id of a new user; live ones get a line first."""
    caller: Api = getattr(company, environment)
    body = ann(company, environment, **changes)
    if environment == "live":
        buy(caller, body["office_id"], talk_lines=1)
    answer = caller.post(USERS, body)
    assert answer.status == 200, answer
    return str(answer.json["id"])


# Put straight into the store


def person(company: Company, first_name: str = "Ada", *, state: str = "active", **fields: Any) -> str:
    """The id of a new user of the live environment, with a line for the licence and no event."""
    tenant, id = company.tenant(), company.desk.ids.new()
    said: dict[str, Any] = {
        "office_id": company.office_ids["live"],
        "emails": (f"{first_name.lower()}.{id}@example.com",),
        "country": "US",
        "timezone": "America/Los_Angeles",
        "first_name": first_name,
    }
    made = User(**(said | fields))
    kept = Kept(id=id, tenant_id=tenant, value=made, state=state, created_at=CREATED, updated_at=CREATED)
    line = line_of(made)
    bought = Statement(f"UPDATE plans SET {line} = {line} + 1 WHERE tenant_id = ? AND office_id = ?")

    def insert(tx: Any) -> None:
        tx.change(bought, tenant, made.office_id)
        users.insert(tx, [kept])
        licences.take(tx, tenant, made.office_id, line)

    company.desk.transact(insert)
    return str(id)


def admin(company: Company) -> str:
    """The id of a new company admin."""
    return person(company, "Grace", is_super_admin=True)


def agent(company: Company, first_name: str, **fields: Any) -> str:
    """The id of a new user who may answer for call centers."""
    return person(company, first_name, **({"license": "agents"} | fields))


# Where they move


def sandbox_office(company: Company, **changes: Any) -> str:
    """A further office with lines, in the sandbox."""
    made = company.sandbox.made(full(**changes)).id
    buy(company.sandbox, made, talk_lines=10, sell_lines=10, contact_center_lines=10, additional_number_lines=10)
    return made


def abroad(company: Company) -> str:
    """An office in Great Britain, with lines."""
    return sandbox_office(
        company, name="London", country="GB", currency="USD", timezone="Europe/London", e911_address=ADDRESSES["GB"],
        billing_address={"address_line_1": "10 Downing Street", "city": "London", "region": "London",
                         "postal_code": "SW1A 2AA", "country": "GB"},
    )  # fmt: skip


# What is theirs


def key_of(company: Company, user_id: str, *scopes: str) -> Api:
    """A caller with a live key that is a user's; with all scopes unless said."""
    made = company.desk.transact(
        lambda tx: access.create_key(
            tx,
            company.desk.ids,
            company_id=company.id,
            environment="live",
            name="their own",
            scopes=scopes or ("admin",),
            user_id=int(user_id),
        )
    )
    return Api(company.desk, made.secret)


def buy(caller: Api, office_id: Any, **lines: int) -> Answer:
    """Lines for an office, which must be sold."""
    answer = caller.post(f"{WHOLE}/{office_id}/licences", lines)
    assert answer.status == 200, answer
    return answer


def free(caller: Api, office_id: Any) -> dict[str, int]:
    """The free lines of an office, those of which there are none left out."""
    found = caller.get(f"{WHOLE}/{office_id}/licences").json["free"]
    return {line: int(count) for line, count in found.items() if count != "0"}


def used(caller: Api, office_id: Any) -> dict[str, int]:
    """The lines of an office that are in use."""
    found = caller.get(f"{WHOLE}/{office_id}/licences").json["used"]
    return {line: int(count) for line, count in found.items() if count != "0"}


def join(
    company: Company, user_id: str, group_type: Any, group_id: Any, environment: Environment = "live", **fields: Any
) -> None:
    """Make a user a member of a group."""
    one = operators.Operator(
        tenant_id=company.tenant(environment),
        group_type=group_type,
        group_id=int(group_id),
        member_type="user",
        member_id=int(user_id),
        seq=company.desk.ids.new(),
        **fields,
    )
    company.desk.transact(lambda tx: operators.add(tx, [one]))


def give_number(company: Company, kind: str, id: str, *numbers: str, environment: Environment = "live") -> str:
    """Give a target numbers of the inventory, or a new one that no test has used; the last one is returned."""
    given = numbers or (company.add_number(f"+1415783{next(_SERIAL)}", environment),)
    tenant, at = company.tenant(environment), clock.now()
    call = Call(principal=Principal(tenant, company.id, environment, 0, "test", frozenset()), params={})
    holder = company.desk.offhook.work.holders[kind]

    def give(tx: Any) -> None:
        for number in given:
            held = holder.get(tx, tenant, int(id))
            assert held is not None
            assignment.take(tx, call, at, (kind, int(id)), held, number)
            holder.keep(tx, call, at, int(id), (*held.phone_numbers, number))

    company.desk.transact(give)
    return given[-1]


# What became of it


def gone(company: Company, kind: str, id: str) -> None:
    """Do what is done when something is gone, as the caller of the company's live key."""
    work = company.desk.offhook.work
    principal = company.desk.run(company.desk.offhook.access.authenticate(company.live.key))
    call = Call(principal=principal, params={}, if_match=99)

    def run(tx: Any) -> None:
        work.end(tx, call, clock.now(), Target(kind, int(id)), [], force=True)

    company.desk.transact(run)


def told(caller: Api, subject: str) -> list[str]:
    """The words of the events about one thing, oldest first."""
    return [one["event"] for one in caller.events() if one["subject_id"] == subject]
