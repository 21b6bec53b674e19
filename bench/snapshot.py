"""How long it takes to compile a company for calls, whole and after one change: `python -m bench.snapshot`.

The company stands in a new SQLite file, put there row by row: what is measured is reading, not the API.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

from offhook import bootstrap
from offhook.access import store as access
from offhook.app import Offhook
from offhook.directory.devices.model import Device
from offhook.directory.devices.store import devices
from offhook.directory.groups.model import DEPARTMENTS
from offhook.directory.groups.store import departments
from offhook.directory.operators import store as operators
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.events import store as events
from offhook.events.model import SYSTEM, Event, Word
from offhook.examples import FULL
from offhook.kit.settings import Settings
from offhook.offices import store as offices
from offhook.offices.store import insert_rows
from offhook.routing.snapshot import Snapshot, compiled, refreshed
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

T = TypeVar("T")
Change = Callable[[Transaction, int], None]
_AT = 1_781_976_000_000


def fill(offhook: Offhook, tx: Transaction, *, office_count: int, people: int) -> int:
    """A company of so many offices and people, each with a telephone and in two groups; gives its tenant."""
    ids = offhook.ids
    founded = bootstrap.found(tx, ids, name="Large", primary=FULL, admin_email="it@example.com")
    primary = founded.office_ids["live"]
    tenant = access.tenant_id(tx, founded.company.id, "live")
    assert tenant is not None
    pattern = offices.get(tx, tenant, primary)
    assert pattern is not None
    document = msgspec.json.encode(msgspec.structs.replace(pattern.office, mainline_number=None, phone_numbers=()))
    places = [ids.new() for _ in range(office_count - 1)]
    insert_rows(tx, [(id, tenant, "active", 0, 1, _AT, _AT, document.decode()) for id in places])
    places.append(primary)
    groups = [(ids.new(), place) for place in places]
    made = [_kept(id, tenant, msgspec.structs.replace(DEPARTMENTS.blank(place), name="Sales")) for id, place in groups]
    departments.insert(tx, made)
    staff, phones, joined = [], [], []
    for index in range(people):
        id, which = ids.new(), index % office_count
        user = User(
            office_id=places[which], emails=(f"p{index}@example.com",), country="US", timezone="America/Los_Angeles",
            first_name=f"Person{index}", last_name=f"Family {index % 977}",
        )  # fmt: skip
        staff.append(_kept(id, tenant, user))
        phones.append(_kept(ids.new(), tenant, Device(owner_type="user", owner_id=id, type="sip")))
        for kind, group in (("office", places[which]), ("department", groups[which][0])):
            one: Any = {"group_type": kind, "group_id": group, "member_type": "user", "member_id": id, "seq": ids.new()}
            joined.append(operators.Operator(tenant_id=tenant, **one))
    users.insert(tx, staff)
    devices.insert(tx, phones)
    operators.add(tx, joined)
    return tenant


def _kept(id: int, tenant: int, value: T) -> Kept[T]:
    return Kept(id=id, tenant_id=tenant, value=value, created_at=_AT, updated_at=_AT)


def off_duty(tx: Transaction, tenant: int) -> None:
    """One user goes for lunch, with the event that says so."""
    before = users.page(tx, tenant, 0, 1)[0]
    value = msgspec.structs.replace(before.value, on_duty=not before.value.on_duty)
    users.update(tx, before, msgspec.structs.replace(before, value=value, version=before.version + 1))
    word = Word.USER_DUTY_UPDATED
    events.append(tx, [Event(tenant_id=tenant, word=word, subject_id=str(before.id), actor=SYSTEM, at=_AT)])


def other_hours(tx: Transaction, tenant: int) -> None:
    """One office changes its hours."""
    before = offices.page(tx, tenant, 0, 1, active_only=False)[0]
    value = msgspec.structs.replace(before.office, hours_on=not before.office.hours_on)
    offices.update(tx, before, msgspec.structs.replace(before, office=value, version=before.version + 1))
    word = Word.OFFICE_HOURS_UPDATED
    events.append(tx, [Event(tenant_id=tenant, word=word, subject_id=str(before.id), actor=SYSTEM, at=_AT)])


def no_change(_tx: Transaction, _tenant: int) -> None:
    """Nothing happens."""


def timed(work: Callable[[], T], times: int = 5) -> tuple[float, T]:
    """The shortest of several runs, in milliseconds of this thread's processor, and what the last one gave."""
    best = float("inf")
    for _ in range(times):
        begun = time.thread_time()
        found = work()
        best = min(best, (time.thread_time() - begun) * 1000)
    return best, found


async def measure(office_count: int, people: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        offhook = Offhook(Settings(data=folder, access_log=False))
        async with offhook.running():
            tenant = await offhook.writer.run(partial(fill, offhook, office_count=office_count, people=people))
            taken, known = await offhook.reader.run(lambda tx: timed(lambda: compiled(tx, tenant)))
            print(f"{office_count} offices, {people} people: whole {taken:.0f} ms")
            changes: dict[str, Change] = {"off duty": off_duty, "other hours": other_hours, "none": no_change}
            for name, change in changes.items():
                await offhook.writer.run(_changing(change, tenant))
                taken, known = await offhook.reader.run(partial(_refresh, tenant=tenant, known=known))
                print(f"  one change ({name}): {taken:.3f} ms")


def _changing(change: Change, tenant: int) -> Callable[[Transaction], None]:
    return lambda tx: change(tx, tenant)


def _refresh(tx: Transaction, tenant: int, known: Snapshot) -> tuple[float, Snapshot]:
    return timed(lambda: refreshed(tx, tenant, known), 50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", type=int, default=1000)
    parser.add_argument("--people", type=int, default=20_000)
    options = parser.parse_args()
    asyncio.run(measure(options.offices, options.people))


if __name__ == "__main__":
    main()
