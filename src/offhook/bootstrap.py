"""Makes a new installation usable: a company, its primary offices, its sandbox numbers, its first two keys."""

from dataclasses import dataclass
from typing import Any

from offhook.access import service as access
from offhook.access.model import ENVIRONMENTS, Company, Environment, Principal
from offhook.billing import store as plans
from offhook.billing.model import LINES
from offhook.events import store as events
from offhook.events.model import SYSTEM, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Notice
from offhook.kit.ids import Ids
from offhook.kit.operation import Call
from offhook.kit.wire import encode, fit
from offhook.numbers.service import stock_sandbox
from offhook.offices import create as offices
from offhook.offices import wire
from offhook.offices.licences import licences_out
from offhook.storage.database import Transaction

SANDBOX_LINES = 100


@dataclass(frozen=True, slots=True)
class Founded:
    """A new company. The two keys are shown now and never again."""

    company: Company
    office_ids: dict[Environment, int]
    keys: dict[Environment, str]
    sandbox_numbers: list[str]
    notices: list[Notice]


def found(tx: Transaction, ids: Ids, *, name: str, primary: dict[str, Any], admin_email: str = "") -> Founded:
    """Make a company whose primary office, in both environments, is the create body `primary`.

    All of it in the caller's transaction. Invalid if the body breaks a rule.
    """
    notices: list[Notice] = []
    body = fit(primary, wire.OfficeIn, notices)
    company, tenants = access.create_company(tx, ids, name=name, country=body.country, admin_email=admin_email)
    at = clock.milliseconds(clock.now())
    office_ids: dict[Environment, int] = {}
    keys: dict[Environment, str] = {}
    numbers: list[str] = []
    for environment in ENVIRONMENTS:
        tenant = tenants[environment]
        call = Call(
            principal=Principal(tenant, company.id, environment, 0, "offhook init", frozenset({"admin"})),
            params={},
            body=body,
        )
        new = offices.prepare(
            ids, call, offices.Company(None, company.anchor_day), notices if environment == "live" else [], None,
            primary=True,
        )  # fmt: skip
        about = encode({"id": str(company.id), "name": company.name, "country": company.country}).decode()
        born = Event(
            tenant_id=tenant,
            word=Word.COMPANY_CREATED,
            subject_id=str(company.id),
            actor=SYSTEM,
            at=at,
            after=about,
        )
        events.append(tx, [born])
        if environment == "sandbox":
            numbers = stock_sandbox(tx, tenant, body.country)
        new.run(tx)
        if environment == "sandbox":
            _stock_lines(tx, tenant, new.stored.id, at)
        key = access.create_key(
            tx, ids, company_id=company.id, environment=environment, name=f"first {environment} key"
        )
        office_ids[environment], keys[environment] = new.stored.id, key.secret
        shown = encode({"id": str(key.key.id), "name": key.key.name, "scopes": key.key.scopes}).decode()
        events.append(
            tx,
            [
                Event(
                    tenant_id=tenant,
                    word=Word.KEY_CREATED,
                    subject_id=str(key.key.id),
                    actor=SYSTEM,
                    at=at,
                    after=shown,
                ),
            ],
        )
    return Founded(company, office_ids, keys, numbers, notices)


def _stock_lines(tx: Transaction, tenant_id: int, office_id: int, at: int) -> None:
    """Give a new sandbox lines of every kind, so that users can be tried at once."""
    before = licences_out(tx, tenant_id, office_id)
    plans.add_lines(tx, tenant_id, office_id, dict.fromkeys(LINES, SANDBOX_LINES))
    after = licences_out(tx, tenant_id, office_id)
    event = Event(
        tenant_id=tenant_id,
        word=Word.OFFICE_LICENCES_BOUGHT,
        subject_id=str(office_id),
        actor=SYSTEM,
        at=at,
        before=encode(before).decode(),
        after=encode(after).decode(),
    )
    events.append(tx, [event])
