"""Calls of more than two, and parked ones, on real telephones: who hears whom, and what the API shows of it."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.api.desk import Company
from tests.scenarios.stage import reasons
from tests.telephony.scenarios.conversation import OUT, Conversation
from tests.telephony.scenarios.handset import WAIT, Talk
from tests.telephony.scenarios.people import ACCEPTED
from tests.telephony.scenarios.real import CALLER, MUSIC, OUTSIDE


def run(company: Company, story: Callable[[Conversation], Awaitable[None]], *, music: bool = False) -> None:
    house = Conversation(company)
    if music:
        house.own_music()

    async def told() -> None:
        async with house.going_on():
            await story(house)

    company.desk.run(told())


async def over(talk: Talk) -> None:
    async with asyncio.timeout(WAIT):
        await talk.down.wait()


async def three(house: Conversation) -> tuple[str, str, Talk, Talk, Talk]:
    """The call, Bob's leg, and the caller, Ana and Bob, who hear each other."""
    caller, ana = await house.talks()
    id = await house.call_id()
    added = await house.asks("POST", f"call/{id}/participants/add",
                             {"participant": {"target_type": "user", "target_id": house.user("bob")}})  # fmt: skip
    leg = added["call_id"]
    assert (await house.asks("GET", f"call/{leg}"))["state"] == "ringing"
    bob = await house.rings("bob")
    bob.answer()
    return id, leg, caller, ana, bob


def test_whoever_is_added_hears_all_and_is_heard_and_the_call_goes_on_until_one_is_left(reached: Company) -> None:
    async def story(house: Conversation) -> None:
        id, leg, caller, ana, bob = await three(house)
        at_caller, at_ana, at_bob = (house.choir(one) for one in (caller, ana, bob))
        await at_caller.hears("ana", "bob")
        await at_ana.hears(CALLER, "bob")
        await at_bob.hears(CALLER, "ana")
        assert (await house.asks("GET", f"call/{leg}"))["state"] == "connected"
        assert "in the call already" in await house.refused(
            f"call/{id}/participants/add",
            {"participant": {"target_type": "user", "target_id": house.user("ana")}},
        )
        assert "More than two" in await house.refused(f"call/{id}/transfer", {"transfer_state": "parked"})
        ana.hang_up()
        await at_caller.hears("bob")
        await at_bob.hears(CALLER)
        await house.asks("POST", f"call/{id}/participants/add", {"participant": {"number": OUT}})
        outside = await house.rings(OUTSIDE)
        outside.answer()
        at_outside = house.choir(outside)
        await at_outside.hears(CALLER, "bob")
        caller.hang_up()
        await at_outside.hears("bob")
        await at_bob.hears(OUTSIDE)
        outside.hang_up()
        await over(bob)
        told = await house.trace(id)
        assert [code for code in reasons(told) if code in ("invited", "came_in", "left", "ended")] == [
            "invited", "came_in", "left", "invited", "came_in", "left", "ended"
        ]  # fmt: skip

    run(reached, story)


def test_a_telephone_parks_a_call_by_sending_it_on_to_a_code(reached: Company) -> None:
    async def story(house: Conversation) -> None:
        caller, ana = await house.talks()
        at_caller = house.choir(caller)
        await at_caller.hears("ana")
        id = await house.call_id()
        ana.refer("*68")
        async with asyncio.timeout(WAIT):
            assert [await ana.referred.get() for _ in range(3)] == [ACCEPTED, 100, 200]
        await over(ana)
        await at_caller.hears(MUSIC)
        assert (await house.asks("GET", f"call/{id}"))["state"] == "parked"
        caller.hang_up()
        assert reasons(await house.trace(id))[-2:] == ["parked", "caller_hung_up"]

    run(reached, story, music=True)


def test_a_parked_call_is_heard_to_wait_and_who_parked_it_can_be_called_at_once(reached: Company) -> None:
    async def story(house: Conversation) -> None:
        caller, ana = await house.talks()
        at_caller = house.choir(caller)
        await at_caller.hears("ana")
        id = await house.call_id()
        await house.asks("POST", f"call/{id}/transfer", {"transfer_state": "parked"})
        await over(ana)
        await at_caller.hears(MUSIC)
        assert (await house.asks("GET", f"call/{id}"))["state"] == "parked"
        assert "not where that can be done" in await house.refused(f"call/{id}/transfer", {"transfer_state": "parked"})
        # A colleague reaches who parked it.
        colleague = house.handsets["cyd"].dial("101")
        (await house.rings("ana")).answer()
        async with asyncio.timeout(WAIT):
            await colleague.up.wait()
        colleague.hang_up()
        await house.asks("POST", f"call/{id}/unpark", {"user_id": house.user("bob")})
        bob = await house.rings("bob")
        bob.answer()
        await at_caller.hears("bob")
        await house.choir(bob).hears(CALLER)
        caller.hang_up()
        await over(bob)
        assert reasons(await house.trace(id))[-4:] == ["unparked", "rung", "answered", "caller_hung_up"]

    run(reached, story, music=True)
