"""Live calls when something of ours fails: two who talk go on talking, and nobody waits for ever."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from offhook.calls import call as calls_call
from offhook.calls import store as calls_store
from offhook.calls.session import RENEW_SECONDS
from offhook.kit.errors import Unavailable
from offhook.routing.plan import (
    Answered,
    Bridge,
    Hangup,
    HungUp,
    Pressed,
    Release,
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


def test_a_call_that_cannot_be_written_at_all_keeps_no_other_from_being_written_and_renewed(
    embedded: Company, monkeypatch: pytest.MonkeyPatch
):
    process = Process(embedded, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        keeping = asyncio.create_task(process.calls.keep())
        first, phone = await process.rings()
        await phone.given(Ring)
        second, other = await process.rings()
        await other.given(Ring)
        process.store.away = True
        for id, by, given in ((first, "user:1", phone), (second, "user:2", other)):
            process.calls.happened(id, Answered(process.at, by))
            await given.given(Bridge)
        assert process.calls.behind == 2
        poisoned = process.calls.find(first)
        assert poisoned is not None

        async def unwritable() -> None:
            raise ValueError("a fault of ours")

        process.store.away = False
        renewed: list[Any] = []
        with monkeypatch.context() as patch:
            patch.setattr(poisoned, "catch_up", unwritable)
            patch.setattr(calls_store, "renew", lambda _tx, alive, _until: renewed.append(alive))
            for _ in range(int(RENEW_SECONDS) + 1):
                process.time.move(1)
                await process.settle()
        assert process.calls.behind == 1
        assert renewed
        keeping.cancel()

    process.run(story())


def test_whoever_could_not_be_given_back_is_not_forgotten_where_two_are_at_it_at_once(embedded: Company):
    process = Process(embedded, *lisbon(ANA, BOB))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        call = process.calls.find(id)
        assert call is not None
        going = asyncio.Event()

        async def release(_tenant: int, _call: str, verb: Release, _now: int) -> None:
            await going.wait()
            if "user:2" in verb.members:
                raise Unavailable("The store is away.")

        parts = call._parts
        call._parts = replace(parts, holding=SimpleNamespace(release=release), patience=5.0)
        call._owed = [Release(("user:1",)), Release(("user:2",))]
        both = asyncio.gather(call._settle(), call._settle())
        await asyncio.sleep(0)
        going.set()
        await both
        assert call._owed == [Release(("user:2",))]
        call._parts = parts

    process.run(story())
