"""Live calls when something of ours fails: two who talk go on talking, and nobody waits for ever."""

from typing import Any

import pytest

from offhook.calls import call as calls_call
from offhook.routing.plan import (
    Answered,
    Hangup,
    HungUp,
    Pressed,
    Ring,
    Voicemail,
)
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, LISBON, SALES, TURNS, Process, lisbon, sales, talks


def test_a_call_whose_decision_fails_is_hung_up_and_frees_everybody(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        monkeypatch.setattr(calls_call, "step", broken)
        process.calls.happened(id, Answered(process.at, "user:1"))
        assert (await phone.given(Hangup)).cause == "unavailable"
        await process.calls.over(id)
        assert process.held() == {}
        assert (await process.retold(id))[1]["outcome"] == "failed"

    process.run(story())


def broken(*_: Any) -> Any:
    raise KeyError("a fault of ours")


def test_two_who_talk_go_on_talking_when_something_fails(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone = await talks(process)
        with monkeypatch.context() as patch:
            patch.setattr(calls_call, "step", broken)
            process.calls.happened(id, Pressed(process.at, "1"))
            await process.settle()
        assert "Hangup" not in phone.kinds
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        assert (await process.retold(id))[1]["outcome"] == "answered"

    process.run(story())


def test_a_telephone_that_breaks_ends_its_call_and_no_other(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        other, _ = await talks(process)
        phone.broken = True
        process.calls.happened(id, Answered(process.at, "user:1"))
        await process.calls.over(id)
        assert process.held() == {"user:2": f"{other}*"}
        assert process.calls.live == 1

    process.run(story())


@pytest.mark.parametrize("target", [LISBON, SALES])
def test_a_store_that_fails_in_an_unheard_of_way_lets_nobody_wait_for_ever(
    embedded: Company, target: Any, monkeypatch: pytest.MonkeyPatch
):
    process = Process(embedded, *lisbon(ANA), *sales(ANA))

    async def story() -> None:
        async def fails(*_: Any) -> Any:
            raise ZeroDivisionError

        monkeypatch.setattr(process.reservations, "reserve", fails)
        _, phone = await process.rings(target)
        await phone.given(Voicemail)

    process.run(story())
