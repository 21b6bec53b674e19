"""Calls that are sent on: who is busy and who is free, and what is kept of them."""

from typing import Any

from offhook.routing.plan import (
    Answered,
    Bridge,
    CameBack,
    Deny,
    Ended,
    Handed,
    HandOn,
    Joined,
    LetGo,
    NotAnswered,
    Ring,
    Transfer,
    Transferred,
)
from tests.api.desk import Company
from tests.calls.scripted import CYD, Phone, Process, lisbon, talks, who
from tests.routing.companies import user

ANA, BOB = user(1, "Ana Silva", extension="101"), user(2, "Bob Stone", extension="102")
DAN = user(4, "Dan Gray", extension="104")
FAR = "+14155550142"


async def legs(process: Process, id: int) -> dict[str, tuple[str, str]]:
    """How the legs of a call ended, by who was on them."""
    await process.settle()
    items = (await process.company.live.sending("GET", "/api/v2/call")).json.get("items", [])
    return {
        f"{one['target']['type']}:{one['target']['id']}": (one["state"], one.get("ended_by", ""))
        for one in items
        if one.get("entry_point_call_id", one["call_id"]) == str(id)
    }


async def called(process: Process) -> tuple[int, Phone]:
    """Ana called Bob, and they talk."""
    id, phone = await process.dials("user:1", "102")
    await phone.given(Ring)
    process.calls.happened(id, Answered(process.at, "user:2"))
    await phone.given(Bridge)
    await process.settle()
    assert process.held() == {"user:1": f"{id}*", "user:2": f"{id}*"}
    return id, phone


def test_who_sent_a_call_on_is_free_at_once_and_who_took_it_is_not(company: Company):
    process = Process(company, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone = await talks(process)
        assert process.held() == {"user:1": f"{id}*"}
        process.calls.happened(id, Transferred(process.at, "user:1", "102"))
        await phone.given(LetGo)
        assert who(await phone.given(Ring)) == ["user:2"]
        assert process.held() == {"user:2": str(id)}
        other, ringing = await process.rings()
        assert who(await ringing.given(Ring)) == ["user:1"]
        process.calls.happened(id, Answered(process.at, "user:2"))
        await phone.given(Bridge)
        await process.settle()
        assert process.held() == {"user:1": str(other), "user:2": f"{id}*"}
        process.time.move(60)
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert await legs(process, id) == {
            "office:1": ("hangup", "answered"), "user:1": ("hangup", "transferred"), "user:2": ("hangup", "left"),
        }  # fmt: skip
        await process.retold(id)

    process.run(story())


def test_a_call_that_comes_back_rings_who_sent_it(company: Company):
    process = Process(company, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone = await talks(process)
        process.calls.happened(id, Transferred(process.at, "user:1", "102"))
        await phone.given(LetGo)
        await phone.given(Ring)
        process.calls.happened(id, NotAnswered(process.at, {"user:2": "declined"}))
        await phone.given(CameBack)
        assert who(await phone.given(Ring)) == ["user:1"]
        assert process.held() == {"user:1": str(id)}

    process.run(story())


def test_a_number_outside_has_a_leg_of_its_own(company: Company):
    process = Process(company, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone = await talks(process)
        process.calls.happened(id, Transferred(process.at, "user:1", FAR))
        assert (await phone.given(Transfer)).number == FAR
        await process.settle()
        assert process.held() == {}
        process.calls.happened(id, Answered(process.at, FAR))
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert (await legs(process, id))["unknown:0"] == ("hangup", "left")

    process.run(story())


def test_what_is_denied_changes_nothing(company: Company):
    process = Process(company, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone = await talks(process)
        process.calls.happened(id, Transferred(process.at, "user:1", "911"))
        assert "help" in (await phone.given(Deny)).text
        assert process.held() == {"user:1": f"{id}*"}
        _, told = await process.retold(id)
        assert "transfer_denied" in [reason["code"] for step in told["steps"] for reason in step["reasons"]]

    process.run(story())


def test_whom_somebody_called_goes_on_and_is_busy_all_the_while(company: Company):
    process = Process(company, *lisbon(ANA), BOB, DAN)

    async def story() -> None:
        id, phone = await called(process)
        process.calls.happened(id, Transferred(process.at, "user:1", "104"))
        hand = await phone.given(HandOn)
        later = Phone()
        other = await process.calls.begin(process.tenant, hand.first, later)
        await process.settle()
        assert process.held() == {"user:1": f"{id}*", "user:2": f"{id}*", "user:4": str(other)}
        process.calls.happened(id, Handed(process.at, str(other)))
        await process.calls.over(id)
        await process.settle()
        assert process.held() == {"user:2": f"{other}*", "user:4": str(other)}
        assert await legs(process, id) == {"user:1": ("hangup", "transferred"), "user:2": ("hangup", "transferred")}
        await later.given(Ring)
        process.calls.happened(other, Answered(process.at, "user:4"))
        await later.given(Bridge)
        process.calls.happened(other, Ended(process.at))
        await process.calls.over(other)
        await process.settle()
        assert process.held() == {}
        assert await legs(process, other) == {"user:2": ("hangup", "answered"), "user:4": ("hangup", "left")}
        listed = {one["id"]: one for one in await process.listed()}
        assert listed[str(id)]["outcome"] == "transferred"
        assert (listed[str(other)]["caller"], listed[str(other)]["outcome"]) == ("user:2", "answered")
        await process.retold(id)
        await process.retold(other)

    process.run(story())


def test_two_calls_become_one(company: Company):
    process = Process(company, *lisbon(CYD), ANA, BOB)

    async def story() -> None:
        first, phone = await talks(process)
        second, asking = await process.dials("user:3", "102")
        await asking.given(Ring)
        process.calls.happened(second, Answered(process.at, "user:2"))
        await asking.given(Bridge)
        await process.settle()
        process.calls.happened(first, Joined(process.at, "user:3", "user:2", str(second)))
        await phone.given(LetGo)
        assert (await phone.given(Bridge)).who == "user:2"
        process.calls.happened(second, Handed(process.at, str(first)))
        await process.calls.over(second)
        await process.settle()
        assert process.held() == {"user:2": f"{first}*"}
        process.calls.happened(first, Ended(process.at))
        await process.calls.over(first)
        assert await legs(process, first) == {
            "office:1": ("hangup", "answered"), "user:3": ("hangup", "transferred"), "user:2": ("hangup", "left"),
        }  # fmt: skip
        assert process.held() == {}

    process.run(story())


def test_two_whom_somebody_called_are_in_a_call_of_their_own(company: Company):
    process = Process(company, *lisbon(ANA), BOB, DAN)

    async def story() -> None:
        phone: Any = Phone()
        joined = Joined(process.at, "user:1", "user:4", "7", party="user:2")
        id = await process.calls.begin(process.tenant, joined, phone)
        assert (await phone.given(Bridge)).who == "user:4"
        await process.settle()
        assert process.held() == {"user:2": f"{id}*", "user:4": f"{id}*"}
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert await legs(process, id) == {"user:2": ("hangup", "answered"), "user:4": ("hangup", "left")}

    process.run(story())
