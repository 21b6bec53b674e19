"""Users put straight into the store, and what is done when something of the directory is gone."""

from typing import Any

from offhook.directory.lines.model import Target
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.kit import clock
from offhook.kit.operation import Call
from offhook.storage.documents import Kept
from tests.api.desk import Company


def person(company: Company, first_name: str = "Ada", **fields: Any) -> str:
    """The id of a new user of the company's live environment."""
    id = company.desk.ids.new()
    user = User(
        **{
            "office_id": company.office_ids["live"],
            "emails": (f"{first_name.lower()}.{id}@example.com",),
            "country": "US",
            "timezone": "America/New_York",
            "first_name": first_name,
            "last_name": "Lovelace",
            **fields,
        }
    )
    now = clock.milliseconds(clock.now())
    kept = Kept(id=id, tenant_id=company.tenant(), value=user, created_at=now, updated_at=now)
    company.desk.transact(lambda tx: users.insert(tx, [kept]))
    return str(id)


def admin(company: Company) -> str:
    """The id of a new company admin."""
    return person(company, "Grace", is_super_admin=True)


def gone(company: Company, kind: str, id: str) -> None:
    """Do what is done when something is gone, as the caller of the company's live key."""
    work = company.desk.offhook.work
    principal = company.desk.run(company.desk.offhook.access.authenticate(company.live.key))
    call = Call(principal=principal, params={}, if_match=99)

    def run(tx: Any) -> None:
        work.end(tx, call, clock.now(), Target(kind, int(id)), [], force=True)

    company.desk.transact(run)


def told(company: Company, id: str) -> list[str]:
    """The words of the events about one thing, oldest first."""
    return [one["event"] for one in company.live.events() if one["subject_id"] == id]
