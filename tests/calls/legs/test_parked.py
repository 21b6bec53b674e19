"""Legs of calls that are parked, and of those whom more come into."""

from dataclasses import replace

from offhook.directory.lines.model import Target
from offhook.routing.plan import (
    Answered,
    Bridge,
    CameIn,
    Ended,
    Invite,
    Invited,
    Left,
    NotAnswered,
    Park,
    Parked,
    ParkOver,
    Ring,
    StayedOut,
    Unparked,
    Voicemail,
)
from tests.api.desk import Company
from tests.calls.legs.test_legs import V2, Deft, asks, over, shown, talking, told
from tests.calls.scripted import ANA, BOB, CYD, Process, lisbon, talks


def test_a_parked_call_is_shown_so_and_who_parked_it_is_in_it_no_more(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB)

    async def story() -> None:
        id, phone, leg = await talking(process)
        step = await process.calls.decided(id, Parked(process.at))
        assert step is not None
        assert any(isinstance(verb, Park) for verb in step.verbs)
        await phone.given(Park)
        await process.settle()
        assert (await shown(process, id))["state"] == "parked"
        assert [(await shown(process, leg))[name] for name in ("state", "ended_by")] == ["hangup", "parked"]
        assert process.held() == {}
        process.time.move(20)
        process.calls.happened(id, Unparked(process.at, "user:2"))
        await phone.given(Ring)
        await process.settle()
        taking = process.calls.leg_of(id, "user:2")
        assert (await shown(process, taking))["state"] == "ringing"
        assert (await shown(process, id))["state"] == "parked"
        process.calls.happened(id, Answered(process.at, "user:2"))
        await phone.given(Bridge)
        await process.settle()
        assert [(await shown(process, one))["state"] for one in (id, taking)] == ["connected"] * 2
        assert process.held() == {"user:2": f"{id}*"}
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        await process.settle()
        found = told(await over(process))
        assert (found["user:1"], found["user:2"]) == (("hangup", "parked"), ("hangup", "left"))

    process.run(story())


def test_who_called_a_colleague_and_was_parked_is_shown_so_until_somebody_takes_it(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB, replace(CYD, extension="103"))

    async def story() -> None:
        id, phone = await process.dials("user:2", "103")
        await phone.given(Ring)
        process.calls.happened(id, Answered(process.at, "user:3"))
        await phone.given(Bridge)
        process.calls.happened(id, Parked(process.at))
        await phone.given(Park)
        process.calls.happened(id, Unparked(process.at, "user:1"))
        await phone.given(Ring)
        await process.settle()
        assert (await shown(process, id))["state"] == "parked"
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        await process.settle()
        assert (await shown(process, id))["state"] == "connected"

    process.run(story())


def test_one_that_nobody_takes_ends_in_a_voicemail(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone = await talks(process)
        process.calls.happened(id, Parked(process.at))
        await phone.given(Park)
        process.time.move(300)
        process.calls.happened(id, ParkOver(process.at))
        await phone.given(Ring)
        process.calls.happened(id, Answered(process.at, "user:1"))
        await phone.given(Bridge)
        process.calls.happened(id, Parked(process.at))
        await phone.given(Park)
        process.time.move(300)
        process.calls.happened(id, ParkOver(process.at))
        await phone.given(Ring)
        process.calls.happened(id, NotAnswered(process.at))
        assert (await phone.given(Voicemail)).box == Target("user", 1)
        await process.settle()
        assert (await shown(process, id))["state"] == "voicemail"

    process.run(story())


def test_a_call_is_taken_off_park_also_by_the_leg_of_who_parked_it(embedded: Company):
    bought = embedded.live.post(f"/api/offhook/v1/offices/{embedded.office_ids['live']}/licences", {"talk_lines": 1})
    assert bought.status == 200
    body = {"office_id": str(embedded.office_ids["live"]), "email": "ana@example.com", "first_name": "Ana"}
    user = embedded.live.post("/api/v2/users", body).json["id"]
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, phone, leg = await talking(process)
        process.calls.happened(id, Parked(process.at))
        await phone.given(Park)
        await process.settle()
        answer = await asks(process, "POST", f"{V2}/{leg}/unpark", {"user_id": user})
        assert answer.status == 200
        assert len(phone.wishes) == 1
        assert (await asks(process, "POST", f"{V2}/{leg}/transfer", {"transfer_state": "parked"})).status == 409

    process.run(story())


def test_who_comes_into_a_call_has_a_leg_of_their_own(embedded: Company):
    process = Process(embedded, *lisbon(ANA), BOB, CYD)

    async def story() -> None:
        id, phone, _ = await talking(process)
        for who in ("user:2", "user:3"):
            process.calls.happened(id, Invited(process.at, target=Target("user", int(who[-1]))))
            await phone.given(Invite)
        await process.settle()
        legs = {who: process.calls.leg_of(id, who) for who in ("user:2", "user:3")}
        assert [(await shown(process, leg))["state"] for leg in legs.values()] == ["ringing"] * 2
        process.time.move(4)
        process.calls.happened(id, CameIn(process.at, "user:2", "user:2"))
        process.calls.happened(id, StayedOut(process.at, "user:3", "busy"))
        step = await process.calls.decided(id, Invited(process.at, target=Target("user", 2)))
        assert step is not None
        assert step.verbs == ()
        await process.settle()
        assert (await shown(process, legs["user:2"]))["state"] == "connected"
        assert process.held() == {"user:1": f"{id}*", "user:2": f"{id}*"}
        process.calls.happened(id, Left(process.at, "user:2"))
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        await process.settle()
        assert await process.calls.decided(id, Parked(process.at)) is None
        found = told(await over(process))
        assert found["user:1"] == ("hangup", "left")
        assert found["user:2"] == ("hangup", "left")
        assert found["user:3"] == ("missed", "busy")
        assert isinstance(phone, Deft)

    process.run(story())
