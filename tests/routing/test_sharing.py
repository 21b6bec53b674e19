"""Snapshots that calls share: looked after at most every so often, at once after one's own change, once for many."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from offhook.kit.errors import Unavailable
from offhook.routing.model import Company as Compiled
from offhook.routing.sharing import FRESH_SECONDS, Snapshots
from tests.api.desk import Company, office

V2 = "/api/v2"


class Counting:
    """A reader that counts, and fails or waits on demand."""

    def __init__(self, company: Company) -> None:
        self._reader = company.desk.offhook.reader
        self.reads = 0
        self.away = False
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()

    async def run(self, function: Callable[[Any], Any]) -> Any:
        self.reads += 1
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise Unavailable("The store cannot be reached.")
        return await self._reader.run(function)


class Scene:
    """Snapshots over a company's store whose time stands still until it is moved."""

    def __init__(self, company: Company, **options: Any) -> None:
        self.company = company
        self.desk = company.desk
        self.tenant = company.tenant()
        self.reader = Counting(company)
        self.now = 100.0
        self.shared = Snapshots(self.reader, ticks=lambda: self.now, **options)  # type: ignore[arg-type]

    def get(self, tenant: int | None = None) -> Compiled:
        return self.desk.run(self.shared.of(tenant or self.tenant))

    def rename(self, name: str) -> None:
        made = self.company.live.post(f"{V2}/rooms", {"name": name, "office_id": str(self.company.office_ids["live"])})
        assert made.status == 200


def names(found: Compiled) -> set[str]:
    return {one.name for one in found.people.values()}


def test_calls_within_a_quarter_second_ask_the_store_once(embedded: Company):
    scene = Scene(embedded)
    first = scene.get()
    scene.now += FRESH_SECONDS - 0.01
    assert scene.get() is first
    assert scene.reader.reads == 1
    scene.now += 0.02
    assert scene.get() is first
    assert scene.reader.reads == 2


def test_a_change_of_another_process_counts_from_a_quarter_second_later_on(company: Company):
    scene = Scene(company)
    scene.get()
    scene.rename("Lobby")
    scene.now += FRESH_SECONDS
    assert names(scene.get()) == {"Lobby"}
    assert FRESH_SECONDS <= 0.5


def test_a_change_of_this_process_counts_from_the_next_call_on(company: Company):
    scene = Scene(company, changes=company.desk.offhook.writer.changes)
    scene.get()
    for name in ("A", "B"):
        scene.rename(name)
        assert name in names(scene.get())
    company.live.made(office(name="By the fast way"))
    assert "By the fast way" in {one.name for one in scene.get().offices.values()}


def test_the_applications_own_snapshots_are_such(company: Company):
    tenant, snapshots = company.tenant(), company.desk.offhook.snapshots
    company.desk.run(snapshots.of(tenant))
    Scene(company).rename("Lobby")
    assert names(company.desk.run(snapshots.of(tenant))) == {"Lobby"}


def test_fifty_calls_at_once_share_one_compile(embedded: Company):
    scene = Scene(embedded)

    async def many() -> list[Compiled]:
        return list(await asyncio.gather(*(scene.shared.of(scene.tenant) for _ in range(50))))

    found = scene.desk.run(many())
    assert scene.reader.reads == 1
    assert len({id(one) for one in found}) == 1


def test_a_caller_who_hangs_up_does_not_take_the_look_from_the_others(embedded: Company):
    scene = Scene(embedded)

    async def two() -> Compiled:
        scene.reader.gate = asyncio.Event()
        first = asyncio.create_task(scene.shared.of(scene.tenant))
        second = asyncio.create_task(scene.shared.of(scene.tenant))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        scene.reader.gate.set()
        return await second

    assert scene.desk.run(two()).tenant_id == scene.tenant
    assert scene.reader.reads == 1


def test_a_look_that_began_before_ones_own_change_is_not_taken_for_one_after_it(embedded: Company):
    changes = [0]
    scene = Scene(embedded, changes=lambda: changes[0])

    async def both() -> Compiled:
        scene.reader.gate = asyncio.Event()
        first = asyncio.create_task(scene.shared.of(scene.tenant))
        await scene.reader.asked.wait()
        changes[0] += 1
        second = asyncio.create_task(scene.shared.of(scene.tenant))
        await asyncio.sleep(0)
        scene.reader.gate.set()
        await first
        return await second

    scene.desk.run(both())
    assert scene.reader.reads == 2


def test_a_compile_that_takes_longer_than_it_stays_fresh_is_used_all_the_same(embedded: Company):
    scene = Scene(embedded)

    async def slow() -> Compiled:
        scene.reader.gate = asyncio.Event()
        asked = asyncio.create_task(scene.shared.of(scene.tenant))
        await scene.reader.asked.wait()
        scene.now += 10
        scene.reader.gate.set()
        return await asked

    assert scene.desk.run(slow()).tenant_id == scene.tenant
    assert scene.reader.reads == 1


def test_without_the_store_calls_go_on_with_what_was_known(embedded: Company):
    scene = Scene(embedded)
    known = scene.get()
    scene.reader.away = True
    scene.now += 60
    assert scene.get() is known
    other = Scene(embedded)
    other.reader.away = True
    with pytest.raises(Unavailable):
        other.get()
    other.reader.away = False
    assert other.get().tenant_id == other.tenant


def test_of_many_companies_those_asked_for_last_are_kept(embedded: Company):
    scene = Scene(embedded, most=2)
    tenants = [scene.tenant, embedded.tenant("sandbox"), embedded.desk.found().tenant()]
    first, second, _ = (scene.get(tenant) for tenant in tenants)
    assert scene.get(tenants[1]) is second
    assert scene.get(tenants[0]) is not first
    assert scene.reader.reads == 4


def test_a_store_that_does_not_answer_keeps_no_call_waiting_where_something_is_known(embedded: Company):
    scene = Scene(embedded, patience=0.01)
    known = scene.get()
    scene.now += 60

    async def hanging() -> Compiled:
        scene.reader.gate = asyncio.Event()
        try:
            return await asyncio.wait_for(scene.shared.of(scene.tenant), 10)
        finally:
            scene.reader.gate.set()

    assert scene.desk.run(hanging()) is known
    scene.reader.gate = None
    assert scene.get() is known
