"""Live calls: what they are decided by, and what is taken from telephones."""

import asyncio
from dataclasses import replace

import pytest

from offhook.calls import call
from offhook.kit.errors import Unavailable
from offhook.routing.plan import (
    Answered,
    Bridge,
    Event,
    HungUp,
    Incoming,
    NotAnswered,
    Park,
    Parked,
    Pressed,
    Reserved,
    Ring,
    Taped,
)
from offhook.routing.trace import Step
from offhook.routing.turn import MAX_STEPS
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, CYD, LISBON, TURNS, Process, lisbon, talks, who
from tests.routing.companies import company as compiled


def test_a_change_counts_from_the_next_step_on_and_each_step_says_which_config_decided_it(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        assert who(await phone.given(Ring)) == ["user:1"]
        process.config = replace(compiled(*lisbon(ANA, CYD, open=TURNS), version=2), tenant_id=process.tenant)
        process.calls.happened(id, NotAnswered(process.at + 10_000))
        assert who(await phone.given(Ring)) == ["user:3"]
        process.config = None
        process.calls.happened(id, Answered(process.at + 12_000, "user:3"))
        await phone.given(Bridge)
        process.calls.happened(id, HungUp(process.at + 13_000))
        await process.calls.over(id)
        _, answer = await process.retold(id)
        assert [step["config"] for step in answer["steps"]] == [1, 1, 2, 2, 2, 2]

    process.run(story())


def test_the_steps_of_calls_make_nobody_read_the_company_again(company: Company):
    process = Process(company, *lisbon(ANA))
    changes = company.desk.offhook.writer.changes

    async def story() -> None:
        before = changes()
        id, phone = await process.rings()
        await phone.given(Ring)
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        assert changes() == before
        await process.settle()
        assert changes() > before

    process.run(story())


@pytest.mark.parametrize("hangs", [False, True])
def test_a_call_of_a_company_that_is_not_known_is_refused_while_the_store_is_away(embedded: Company, hangs: bool):
    process = Process(embedded, *lisbon(ANA))
    process.config, process.hanging = None, hangs

    async def story() -> None:
        with pytest.raises(Unavailable):
            await process.rings()
        await process.settle()
        assert (process.calls.live, process.calls.behind) == (0, 0)

    process.run(story())


def test_what_strangers_write_into_a_caller_id_does_no_harm(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings(caller="\x00\ud800'; DROP TABLE calls;--" + "x" * 10_000)
        await phone.given(Ring)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.retold(id)
        [shown] = await process.listed()
        assert shown["caller"].startswith("'; DROP TABLE calls;--x")
        assert len(shown["caller"]) < 200

    process.run(story())


def test_only_what_telephones_can_know_is_taken_from_them(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        assert not process.calls.happened(id, Reserved(process.at, ("user:2",)))
        assert not process.calls.happened(id, Incoming(process.at, target=LISBON))
        assert not process.calls.happened(id + 1, HungUp(process.at))

    process.run(story())


def test_somebody_who_presses_keys_for_an_hour_fills_no_store(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        for number in range(MAX_STEPS + 50):
            process.calls.happened(id, Pressed(process.at + number, "1"))
        process.calls.happened(id, HungUp(process.at + 3_600_000))
        await process.calls.over(id)
        trace, answer = await process.retold(id)
        assert len(trace.steps) == MAX_STEPS + 1
        assert answer["outcome"] == "answered"

    process.run(story())


@pytest.mark.parametrize("stuck", ["before it", "in it"])
def test_a_wish_is_looked_at_in_time_or_never_and_what_is_being_decided_is_waited_for(
    embedded: Company, monkeypatch: pytest.MonkeyPatch, stuck: str
):
    monkeypatch.setattr(call, "DECIDING_SECONDS", 0.02)
    process = Process(embedded, *lisbon(ANA, BOB))
    slow = Answered if stuck == "before it" else Parked
    begun, goes_on = asyncio.Event(), asyncio.Event()
    taken = call.Call._step

    async def slowly(self: call.Call, event: Event) -> Step | None:
        if isinstance(event, slow):
            begun.set()
            await goes_on.wait()
        return await taken(self, event)

    withdraw = call.Call.withdraw

    def too_late(self: call.Call, event: Event) -> bool:
        withdrawn = withdraw(self, event)
        if begun.is_set() and not withdrawn:
            monkeypatch.setattr(call, "DECIDING_SECONDS", 30)
            goes_on.set()
        return withdrawn

    monkeypatch.setattr(call.Call, "_step", slowly)
    monkeypatch.setattr(call.Call, "withdraw", too_late)

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        process.calls.happened(id, Answered(process.at, "user:1"))
        if stuck == "before it":
            await begun.wait()
            with pytest.raises(Unavailable, match="nothing was done"):
                await process.calls.decided(id, Parked(process.at))
            goes_on.set()
            await phone.given(Bridge)
        else:
            await phone.given(Bridge)
            step = await process.calls.decided(id, Parked(process.at))
            assert step is not None
            assert [type(verb) for verb in step.verbs][-1:] == [Park]
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        trace, _ = await process.retold(id)
        assert any(isinstance(step.event, Parked) for step in trace.steps) == (stuck == "in it")

    process.run(story())


def test_what_an_api_had_recorded_stands_in_the_trace(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        for on in (True, False):
            process.calls.happened(id, Taped(process.at, on))
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        _, answer = await process.retold(id)
        assert "The call is recorded from here on, as an API asked." in answer["text"]
        assert "The call is recorded no longer, as an API asked." in answer["text"]

    process.run(story())
