"""Live calls while the store is away: they go on, help comes first, and what happened is kept later."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from offhook.kit.errors import Unavailable
from offhook.routing.plan import (
    Answered,
    Bridge,
    CarrierCalled,
    Ended,
    Hangup,
    HungUp,
    Incoming,
    Outgoing,
    Pressed,
    Reserve,
    Reserved,
    Ring,
    Transfer,
    Voicemail,
)
from tests.api.desk import Company
from tests.calls.scripted import (
    ANA,
    BOB,
    SALES,
    Phone,
    Process,
    lisbon,
    sales,
    talks,
)


@pytest.mark.parametrize("how", ["away", "deaf", "hanging"])
def test_the_store_is_away_in_the_middle_of_a_call_which_goes_on_and_is_kept_later(company: Company, how: str):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        setattr(process.store, how, True)
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        process.calls.happened(id, Pressed(process.at, "5"))
        process.calls.happened(id, HungUp(process.at + 60_000))
        await phone.given(Hangup)
        await process.calls.over(id)
        assert (process.calls.live, process.calls.behind) == (0, 1)
        await process.calls.catch_up()
        assert process.calls.behind == 1
        setattr(process.store, how, False)
        # On a busy machine the store may take longer than a call waits for it.
        for _ in range(100):
            await process.calls.catch_up()
            if not process.calls.behind:
                break
        assert process.calls.behind == 0
        assert process.held() == {}
        trace, answer = await process.retold(id)
        assert [type(step.event) for step in trace.steps] == [Incoming, Reserved, Answered, Pressed, HungUp]
        assert answer["outcome"] == "answered"

    process.run(story())


def test_what_a_live_call_could_not_keep_is_written_without_waiting_for_its_next_step(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB))

    async def story() -> None:
        keeping = asyncio.create_task(process.calls.keep())
        id, phone = await process.rings()
        await phone.given(Ring)
        process.store.away = True
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        await process.settle()
        assert sorted(process.held()) == ["user:1", "user:2"]
        process.store.away = False
        process.time.move(1)
        await process.settle()
        assert process.held() == {"user:1": f"{id}*"}
        assert process.numbers(id) == [0, 1, 2]
        keeping.cancel()

    process.run(story())


@pytest.mark.parametrize("how", ["away", "deaf", "hanging"])
def test_an_emergency_call_is_placed_at_once_and_told_of_when_the_store_is_back(company: Company, how: str):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        setattr(process.store, how, True)
        id, phone = await process.dials("user:1", "911")
        placed = await phone.given(Transfer)
        assert (placed.emergency, placed.number) == (True, "911")
        setattr(process.store, how, False)
        await process.calls.catch_up()
        process.calls.happened(id, Ended(process.at + 90_000))
        await process.calls.over(id)
        await process.retold(id)
        events = await process.company.live.sending("GET", "/api/offhook/v1/events?limit=500")
        told = [one for one in events.json["items"] if one["event"] == "emergency_call.placed"]
        assert [(one["subject_id"]) for one in told] == [str(id)]

    process.run(story())


def test_an_emergency_call_is_with_the_telephone_before_anything_is_asked_of_the_store(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    asked: list[int] = []

    class First(Phone):
        def do(self, call_id: int, verbs: Any) -> None:
            asked.append(process.store.asked)
            super().do(call_id, verbs)

    async def story() -> None:
        phone = First()
        await process.calls.begin(process.tenant, Outgoing(process.at, "user:1", "911"), phone)
        assert isinstance(phone.verbs[0], Transfer)
        assert asked == [0]

    process.run(story())


def test_an_outgoing_call_began_when_it_began(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        began = process.at
        id, phone = await process.dials("user:1", "+14155550123")
        await phone.given(Transfer)
        process.time.move(40)
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        _, answer = await process.retold(id)
        assert answer["seconds"] == 40
        [shown] = await process.listed()
        assert shown["began"] < shown["ended"]
        assert answer["began"] == shown["began"]
        assert began == process.at - 40_000

    process.run(story())


@pytest.mark.parametrize("how", ["never answers", "a fault of ours"])
def test_help_is_called_whatever_keeps_the_company_from_being_known(embedded: Company, how: str):
    process = Process(embedded, *lisbon(ANA))

    async def unknown(_tenant_id: int) -> Any:
        if how == "never answers":
            await asyncio.get_running_loop().create_future()
        raise ValueError(how)

    known, process.calls._parts = process.calls._parts, replace(process.calls._parts, company=unknown)

    async def story() -> None:
        id, phone = await process.dials("user:1", "911")
        placed = await phone.given(Transfer)
        assert (placed.emergency, placed.number) == (True, "911")
        process.calls.happened(id, Ended(process.at + 90_000))
        if how == "never answers":
            await process.calls.over(id)

    process.run(story())
    process.calls._parts = known


def test_help_is_called_also_where_nothing_is_known_of_the_company(company: Company):
    process = Process(company, *lisbon(ANA))
    known, process.config = process.config, None

    async def story() -> None:
        process.store.away = True
        with pytest.raises(Unavailable):
            await process.dials("user:1", "+14155550123")
        id, phone = await process.dials("user:1", "9-1-1")
        placed = await phone.given(Transfer)
        assert (placed.emergency, placed.number, placed.location) == (True, "911", None)
        process.calls.happened(id, CarrierCalled(process.at + 1))
        await process.settle()
        process.store.away = False
        await process.calls.catch_up()
        process.config = known
        process.calls.happened(id, Answered(process.at + 5_000, "911"))
        process.calls.happened(id, Ended(process.at + 90_000))
        await process.calls.over(id)
        events = await process.company.live.sending("GET", "/api/offhook/v1/events?limit=500")
        [told] = [one for one in events.json["items"] if one["event"] == "emergency_call.placed"]
        assert told["after"]["office_id"] is None

    process.run(story())


def test_a_key_leaves_a_queue_also_while_the_store_hangs_which_holds_the_place(embedded: Company):
    process = Process(embedded, *sales(ANA))

    async def story() -> None:
        other, _ = await talks(process, SALES)
        id, phone = await process.rings(SALES)
        await phone.given(Reserve)
        await phone.given(Reserve)
        await process.settle()
        process.store.hanging = True
        process.calls.happened(id, Pressed(process.at, "*"))
        async with asyncio.timeout(5):
            await phone.given(Voicemail)
        process.store.hanging = False
        for _ in range(100):
            await process.calls.catch_up()
            if not process.calls.behind:
                break
        await process.settle()
        assert (process.waiting(), process.held()) == ([], {"user:1": f"{other}*"})
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)

    process.run(story())
