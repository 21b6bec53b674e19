"""Limits that tasks set for a host: how often, and how many at a time."""

import asyncio
from typing import Any

import pytest

from offhook.workflows.machine.model import Outcome
from offhook.workflows.tasks.hosts import Hosts
from offhook.workflows.tasks.place import Place
from tests.catalog.workbench import answering, serving
from tests.workflows.tasks.calling import TENANT, Clock, get, http_task


def test_no_more_than_so_many_in_a_window():
    clock = Clock()

    async def go() -> list[float]:
        hosts, moments = Hosts(clock.sleep, clock.monotonic), []

        async def one() -> None:
            async with hosts.turn(TENANT, "a", (3, 10), 0):
                moments.append(clock.now)

        await asyncio.gather(*(one() for _ in range(8)))
        return moments

    moments = asyncio.run(go())
    assert [round(one - 100) for one in moments] == [0, 0, 0, 10, 10, 10, 20, 20]


def test_a_clock_that_wakes_early_lets_nobody_in_early():
    clock = Clock()

    async def early(seconds: float) -> None:
        await clock.sleep(seconds * 0.9 if seconds > 0.001 else seconds)

    async def go() -> float:
        hosts = Hosts(early, clock.monotonic)
        for _ in range(2):
            async with hosts.turn(TENANT, "a", (1, 10), 0):
                pass
        return clock.now

    assert asyncio.run(go()) >= 110


def test_limits_are_of_one_company_and_one_host():
    clock = Clock()

    async def go() -> None:
        hosts = Hosts(clock.sleep, clock.monotonic)
        for tenant, host in ((1, "a"), (1, "b"), (2, "a")):
            async with hosts.turn(tenant, host, (1, 10), 0):
                pass
        assert clock.slept == []
        async with hosts.turn(2, "a", (1, 10), 0):
            pass
        assert clock.slept == [10]
        async with hosts.turn(1, "a", None, 1), hosts.turn(1, "b", None, 1), hosts.turn(2, "a", None, 1):
            pass

    asyncio.run(asyncio.wait_for(go(), 5))


def test_no_more_than_so_many_at_a_time():
    async def go() -> tuple[int, list[int]]:
        hosts = Hosts()
        going, most, order = 0, 0, []

        async def one(number: int) -> None:
            nonlocal going, most
            async with hosts.turn(TENANT, "a", None, 2):
                going += 1
                most = max(most, going)
                order.append(number)
                await asyncio.sleep(0)
                going -= 1

        await asyncio.gather(*(one(number) for number in range(9)))
        return most, order

    assert asyncio.run(go()) == (2, list(range(9)))


def test_who_is_cancelled_while_waiting_takes_no_place():
    clock = Clock()

    async def go() -> None:
        hosts = Hosts(clock.sleep, clock.monotonic)
        entered = asyncio.Event()

        async def one() -> None:
            async with hosts.turn(TENANT, "a", None, 1):
                entered.set()

        async with hosts.turn(TENANT, "a", None, 1):
            waiting = [asyncio.ensure_future(one()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            await asyncio.sleep(0)
            assert not entered.is_set()
        await asyncio.wait_for(asyncio.gather(*waiting[1:]), 5)
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]

        async def limited() -> None:
            async with hosts.turn(TENANT, "b", (1, 10), 0):
                pass

        await limited()
        stuck = Hosts(lambda _: asyncio.Event().wait(), clock.monotonic)  # type: ignore[arg-type, return-value]
        async with stuck.turn(TENANT, "b", (1, 10), 0):
            pass
        doing = asyncio.ensure_future(_enter(stuck))
        await asyncio.sleep(0)
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing
        clock.now += 10
        await asyncio.wait_for(_enter(stuck), 5)

    asyncio.run(go())


async def _enter(hosts: Hosts) -> None:
    async with hosts.turn(TENANT, "b", (1, 10), 0):
        pass


def test_hosts_that_nobody_calls_any_more_are_forgotten():
    clock = Clock()

    async def go() -> None:
        hosts = Hosts(clock.sleep, clock.monotonic)
        for number in range(5_000):
            async with hosts.turn(TENANT, f"host-{number}", (1, 1), 1):
                clock.now += 0.01
        assert len(hosts) < 1_000

    asyncio.run(go())


def _tasks(given: dict[str, Any], count: int, answer: Any, clock: Clock) -> list[Outcome]:
    async def go() -> list[Outcome]:
        async with serving(answer) as service:
            task = http_task(clock)
            given["uri"] = service.url()
            try:
                return await asyncio.gather(*(task.perform(TENANT, given, key="k") for _ in range(count)))
            finally:
                await task.egress.close()

    return asyncio.run(go())


def test_tasks_wait_for_their_limit():
    clock = Clock()
    outcomes = _tasks(get(rateLimit={"requests": 2, "seconds": "60"}), 6, answering(), clock)
    assert [one.status for one in outcomes] == ["COMPLETED"] * 6
    assert clock.slept == [60, 60]


def test_tasks_wait_for_a_place():
    going = most = 0

    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        nonlocal going, most
        going += 1
        most = max(most, going)
        for _ in range(20):
            await asyncio.sleep(0)
        going -= 1
        await answering()(head, writer)

    outcomes = _tasks(get(hostConcurrency=3), 12, answer, Clock())
    assert [one.status for one in outcomes] == ["COMPLETED"] * 12
    assert most == 3


def test_each_page_waits_for_the_limit():
    clock = Clock()
    way = {"kind": "page", "parameter": "p", "maxPages": 4}
    _tasks(get(rateLimit={"requests": 1, "seconds": 5}, pagination=way), 1, answering(b"[1]"), clock)
    assert clock.slept == [5, 5, 5]


def test_who_waits_for_its_turn_leaves_its_place_to_others_and_its_time_has_not_begun():
    clock = Clock()
    opened = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await opened.wait()
        clock.now += seconds

    async def go() -> tuple[list[str], list[int]]:
        async with serving(answering()) as service:
            task = http_task(clock)
            task.hosts = Hosts(sleep, clock.monotonic)
            places, ended, since = asyncio.Semaphore(1), [], []

            async def one(name: str, given: dict[str, Any]) -> None:
                place = Place(places, lambda: int(clock.now), lambda _since: None)
                await place.take()
                outcome = await task.perform(TENANT, {**given, "uri": service.url()}, key=name, place=place)
                place.leave()
                assert outcome.status == "COMPLETED"
                ended.append(name)
                since.append(place.since)

            limit = get(rateLimit={"requests": 1, "seconds": 60})
            try:
                await one("first", limit)
                waiting = [asyncio.ensure_future(one(f"limited {number}", limit)) for number in range(3)]
                await one("other", get())
                assert ended == ["first", "other"]
                opened.set()
                await asyncio.gather(*waiting)
                assert not places.locked()
                return ended, since
            finally:
                await task.egress.close()

    ended, since = asyncio.run(asyncio.wait_for(go(), 20))
    assert ended == ["first", "other", "limited 0", "limited 1", "limited 2"]
    assert since == [100, 100, 160, 220, 280]


def test_the_moment_that_counts_is_the_one_at_which_it_has_a_place():
    clock = Clock()

    async def late() -> None:
        await clock.sleep(7)

    async def go() -> None:
        hosts = Hosts(clock.sleep, clock.monotonic)
        async with hosts.turn(TENANT, "a", (1, 10), 0, late):
            assert clock.now == 107
        async with hosts.turn(TENANT, "a", (1, 10), 0):
            assert clock.now == 117

    asyncio.run(go())
