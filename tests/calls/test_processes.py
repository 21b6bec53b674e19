"""Live calls and the processes that have them: those that die, those that stop, and those that live."""

import asyncio
from typing import Any

import pytest

from offhook.calls.session import RENEW_SECONDS
from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing.plan import (
    Answered,
    Bridge,
    Ended,
    Gather,
    HungUp,
    Incoming,
    Ring,
)
from tests.api.desk import Company
from tests.calls.scripted import (
    ANA,
    BEGAN,
    BOB,
    SALES,
    Phone,
    Process,
    lisbon,
    sales,
    talks,
    who,
)
from tests.directory.people import person
from tests.routing.test_snapshot import joined


def test_a_call_of_a_process_that_died_is_ended_as_lost_by_another_one(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        id, _ = await talks(process)
        await process.dies()
        process.time.move(59)
        assert await other.calls.sweep() == 0
        process.time.move(2)
        assert await other.calls.sweep() == 1
        assert await other.calls.sweep() == 0
        assert process.held() == {}
        [shown] = await process.listed()
        assert (shown["id"], shown["phase"], shown["outcome"]) == (str(id), "over", "lost")
        assert (await process.told(id))["outcome"] == "lost"
        assert who(await (await other.rings())[1].given(Ring)) == ["user:1"]
        await other.stop()

    process.run(story())


def test_operators_are_free_by_themselves_when_nobody_looks_after_a_dead_process(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        await talks(process)
        await process.dies()
        process.time.move(61)
        assert who(await (await other.rings())[1].given(Ring)) == ["user:1"]
        await other.stop()

    process.run(story())


def test_calls_that_live_are_renewed_and_never_swept(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        id, _ = await talks(process)
        keeping = [asyncio.create_task(one.calls.keep()) for one in (process, other)]
        for _ in range(200):
            await process.settle()
            process.time.move(1)
        await process.settle()
        assert process.held() == {"user:1": f"{id}*"}
        assert (await process.listed())[0]["phase"] == "talking"
        for task in keeping:
            task.cancel()
        await other.stop()

    process.run(story())


def test_when_the_store_was_away_for_long_all_renew_before_anybody_sweeps(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    other = Process(embedded, *lisbon(ANA), time=process.time)

    async def passes(seconds: float) -> None:
        for _ in range(int(seconds) + 1):
            await process.settle()
            process.time.move(1)
        await process.settle()

    async def story() -> None:
        id, _ = await talks(process)
        renewing, sweeping = (asyncio.create_task(one.calls.keep()) for one in (process, other))
        # A call of its own, so that the other process notices that the store is away.
        await other.rings()
        await passes(50)
        renewing.cancel()
        process.store.away = other.store.away = True
        await passes(100)
        process.store.away = other.store.away = False
        await passes(RENEW_SECONDS)
        await process.calls.renew()
        await passes(RENEW_SECONDS)
        assert {one["id"]: one["phase"] for one in await process.listed()}[str(id)] == "talking"
        await passes(60)
        assert {one["id"]: one["outcome"] for one in await process.listed() if "outcome" in one} == {str(id): "lost"}
        sweeping.cancel()
        await other.stop()

    process.run(story())


def test_a_call_that_was_taken_for_lost_and_goes_on_ends_as_it_ends(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        process.time.move(61)
        assert await process.calls.sweep() == 1
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert (await process.retold(id))[1]["outcome"] == "answered"

    process.run(story())


def test_the_keeping_of_calls_goes_on_whatever_fails(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        failing = 0

        async def fails(*_: Any) -> None:
            nonlocal failing
            failing += 1
            raise ZeroDivisionError

        broken = pytest.MonkeyPatch()
        broken.setattr(process.reservations, "renew", fails)
        keeping = asyncio.create_task(process.calls.keep())
        for _ in range(int(RENEW_SECONDS) + 2):
            await process.settle()
            process.time.move(1)
        await process.settle()
        assert failing == 1
        broken.undo()
        for _ in range(50):
            await process.settle()
            process.time.move(1)
        assert process.held() == {"user:1": f"{id}*"}
        keeping.cancel()

    process.run(story())


def test_closing_hangs_up_all_calls_and_takes_no_more(company: Company):
    process = Process(company, *lisbon(ANA, BOB), *sales(ANA))

    async def story() -> None:
        talking, one = await talks(process)
        waiting, other = await process.rings(SALES)
        await process.settle()
        await process.calls.close()
        assert (one.kinds[-1], other.kinds[-1]) == ("Hangup", "Hangup")
        assert process.calls.live == 0
        assert process.held() == {}
        assert process.waiting() == []
        for id, outcome in ((talking, "answered"), (waiting, "abandoned")):
            assert (await process.retold(id))[1]["outcome"] == outcome
        with pytest.raises(Unavailable):
            await process.rings()

    process.run(story())


def test_closing_while_a_call_begins_leaves_nothing_behind(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        beginning = asyncio.create_task(process.rings())
        await asyncio.sleep(0)
        await process.calls.close()
        id, phone = await beginning
        assert phone.kinds[-1] == "Hangup"
        assert process.held() == {}
        await process.retold(id)

    process.run(story())


def test_whoever_gives_up_beginning_a_call_leaves_no_call_behind(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        beginning = asyncio.create_task(process.rings())
        await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        while process.calls.live:
            await process.settle()
        assert process.held() == {}

    process.run(story())


def test_the_applications_own_calls_follow_what_is_changed_over_the_api(company: Company):
    calls, tenant, desk = company.desk.offhook.calls, company.tenant(), company.desk
    target = Target("office", company.office_ids["live"])
    ann, zoe = person(company, "Ann"), person(company, "Zoe")
    for one in (ann, zoe):
        assert company.live.patch(f"/api/v2/users/{one}", {"forwarding_numbers": ["+14155550123"]}).status == 200
        joined(company, one)
    first, second = Phone(), Phone()

    async def taken() -> int:
        id = await calls.begin(tenant, Incoming(BEGAN, target=target), first)
        assert who(await first.given(Ring)) == [f"user:{ann}"]
        calls.happened(id, Answered(BEGAN + 1_000, f"user:{ann}"))
        await first.given(Bridge)
        return id

    async def missed() -> list[str]:
        id = await calls.begin(tenant, Incoming(BEGAN + 2_000, target=target), second)
        await second.given(Gather)
        for call in (id, talking):
            calls.happened(call, HungUp(BEGAN + 3_000))
            await calls.over(call)
        answer = await company.live.sending("GET", f"/api/offhook/v1/calls/{id}/trace")
        return [one["text"] for one in answer.json["story"]]

    talking = desk.run(asyncio.wait_for(taken(), 20))
    assert company.live.patch(f"/api/v2/users/{zoe}/togglednd", {"do_not_disturb": True}).status == 200
    story = " ".join(desk.run(asyncio.wait_for(missed(), 20)))
    assert "Not rung: Zoe (does not want to be disturbed)" in story
    assert "Ann is in a call" in story
