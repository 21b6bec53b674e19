"""Fills a store with many offices quickly: the rows that a create writes, laid down by the code that writes them.

A few thousand different bodies go through the rules; each is then stored again and again under ids of its own.
"""

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from bench.bodies import Bodies
from offhook.access.model import Principal
from offhook.kit import clock
from offhook.kit.errors import Notice
from offhook.kit.ids import EPOCH_MS, Ids
from offhook.kit.operation import Call
from offhook.offices import create
from offhook.offices.wire import OfficeIn
from offhook.storage.database import Database

DIFFERENT = 4_000
BATCH = 10_000
_SPREAD_MS = 30 * 86_400_000  # the seeded offices came over the last thirty days


def seed_offices(
    url: str,
    company_id: int,
    count: int,
    *,
    seed: int = 1_000_000,
    currency: str = "USD",
    said: Callable[[int], None] = lambda stored: None,
) -> float:
    """Store `count` offices in the company's live environment at `url` (as SQLAlchemy takes it); seconds it took.

    The server of the store must not run. `said` is told from time to time how many are stored.
    """
    began = time.perf_counter()
    database = Database(url)
    try:
        principal, company = owner(database, company_id)
        made_once = patterns(principal, company, min(count, DIFFERENT), seed, currency)
        start = clock.milliseconds(datetime.now(UTC)) - EPOCH_MS - _SPREAD_MS
        made = itertools.cycle(made_once)
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            # Spread evenly, in the slot of the last process of 64, which no server here holds.
            ids = [start + number * _SPREAD_MS // count << 11 | 63 << 5 | number % 32 for number in numbers]
            with database.transaction() as tx:
                create.NewOffice.run_many(tx, [again(next(made), office_id) for office_id in ids])
            said(numbers.stop)
    finally:
        database.close()
    return time.perf_counter() - began


def owner(database: Database, company_id: int) -> tuple[Principal, create.Company]:
    """Who creates in the company's live environment, and what creates need to know of it."""
    with database.reading() as tx:
        tenant_id, key_id, key_name = tx.connection.exec_driver_sql(
            "SELECT t.id, k.id, k.name FROM tenants t JOIN api_keys k ON k.tenant_id = t.id "
            f"WHERE t.company_id = {int(company_id)} AND t.environment = 'live' ORDER BY k.id"
        ).one()
        company = create.read_company(tx, tenant_id, int(company_id))
    return Principal(tenant_id, int(company_id), "live", key_id, key_name, frozenset({"admin"})), company


def patterns(
    principal: Principal, company: create.Company, number: int, seed: int, currency: str = "USD"
) -> list[create.NewOffice]:
    """Different creates, ready for the store."""
    ids, decode, bodies = Ids(63), msgspec.json.Decoder(OfficeIn).decode, Bodies(seed, currency)
    found = []
    for index in range(number):
        raw = bodies.body(index)
        notices: list[Notice] = []
        call = Call(principal=principal, params={}, body=decode(raw), raw=raw, operation="offices.create")
        found.append(create.prepare(ids, call, company, notices, None))
    return found


def again(new: create.NewOffice, office_id: int) -> create.NewOffice:
    """The same office under another id, in each of its rows and in what the event says of it."""
    old, fresh = str(new.stored.id), str(office_id)
    office, plan = new.office_row, new.plan_row
    return msgspec.structs.replace(
        new,
        stored=msgspec.structs.replace(new.stored, id=office_id),
        office_row=(office_id, *office[1:]),
        plan_row=(office_id, *plan[1:]),
        event=msgspec.structs.replace(new.event, subject_id=fresh, after=new.event.after.replace(old, fresh)),
    )
