"""Calls are kept for so many days, and plans do not read them."""

from collections.abc import Sequence
from typing import Any

import pytest

from offhook.calls import records, store
from offhook.calls.call import LEASE_MS
from offhook.calls.model import Kept
from offhook.calls.records import LOOK_SECONDS, Records
from offhook.kit import clock
from offhook.kit.ids import EPOCH_MS
from offhook.routing.plan import HungUp
from offhook.routing.state import CallState
from offhook.routing.trace import Step
from offhook.storage.database import Statement
from offhook.storage.rehearsal import rows_of
from tests.api.desk import Company

DAY = 86_400_000
DAYS = 80
"""Fewer than the server itself keeps calls for, which looks after them now and then while a test runs."""
STEPS = Statement("SELECT count(*) FROM call_steps WHERE tenant_id = ?")


def kept(company: Company, *ages: float, ended: bool = True) -> list[int]:
    """Calls that came so many days ago, with two steps each; their ids."""
    ids = []
    for number, days in enumerate(ages):
        began = int(clock.wall() * 1000 - days * DAY)
        id = (began - EPOCH_MS << 11) + number
        state = CallState(id=str(id), seed=id, began=began, now=began, phase="over" if ended else "talking")
        call = Kept(
            id=id, tenant_id=company.tenant(), began=began, ended=began if ended else 0, outcome="answered",
            caller="", dialled="", state=state,
        )  # fmt: skip
        taken = [(step, Step(event=HungUp(began), reasons=(), verbs=(), config=1)) for step in range(2)]
        until = 0 if ended else began + LEASE_MS
        company.desk.transact(lambda tx, call=call, taken=taken, until=until: store.keep(tx, call, taken, until))
        ids.append(id)
    return ids


def left(company: Company) -> Sequence[int]:
    tenant = company.tenant()
    return [one.id for one in company.desk.transact(lambda tx: store.page(tx, tenant, store.NEWEST, 100))]


def forget(company: Company, days: int) -> int:
    offhook = company.desk.offhook
    return company.desk.run(Records(offhook.reader, offhook.writer, days).forget())


def test_calls_are_forgotten_after_so_many_days_with_all_their_steps(company: Company):
    old, young = kept(company, 81, 80.01), kept(company, 79.99, 0)
    other = company.desk.found()
    kept(other, 85, 3)
    assert forget(company, DAYS) == 3
    assert sorted(left(company)) == sorted(young)
    assert len(left(other)) == 1
    assert not set(old) & set(left(company))
    for one in (company, other):
        tenant = one.tenant()
        assert company.desk.transact(lambda tx, tenant=tenant: tx.first(STEPS, tenant))[0] == 2 * len(left(one))


def test_a_call_that_is_not_over_is_not_forgotten(company: Company):
    [id] = kept(company, 85, ended=False)
    assert forget(company, DAYS) == 0
    assert left(company) == [id]
    tenant = company.tenant()
    company.desk.transact(lambda tx: store.end_lost(tx, int(clock.wall() * 1000), 1, 1000))
    assert company.desk.transact(lambda tx: store.get(tx, tenant, id)).outcome == "lost"
    assert forget(company, DAYS) == 1


def test_one_transaction_takes_away_no_more_than_a_few(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "FORGOTTEN_AT_ONCE", 3)
    kept(company, *[85] * 7)
    sizes: list[int] = []
    forgetting = store.forget

    def counted(tx: Any, calls: Any) -> None:
        sizes.append(len(calls))
        forgetting(tx, calls)

    monkeypatch.setattr(store, "forget", counted)
    assert forget(company, DAYS) == 7
    assert sizes == [3, 3, 1]


def test_old_calls_are_looked_for_now_and_then_only(embedded: Company):
    now = 1000.0
    offhook = embedded.desk.offhook
    found = Records(offhook.reader, offhook.writer, DAYS, monotonic=lambda: now)
    run = embedded.desk.run
    kept(embedded, 85)
    assert run(found.forget()) == 1
    kept(embedded, 85)
    assert run(found.forget()) == 0
    now += LOOK_SECONDS
    assert run(found.forget()) == 1


def test_a_plan_does_not_read_what_was_called(company: Company):
    kept(company, 1)
    tenant = company.tenant()
    names = {table.name for table in company.desk.transact(lambda tx: rows_of(tx, tenant))}
    assert names
    assert not names & {"calls", "call_steps"}
