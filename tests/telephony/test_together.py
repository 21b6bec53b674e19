"""More than two in a call, on the legs of a worker that the test plays."""

import asyncio
from dataclasses import replace

from offhook.calls.legs.wishes import Add, Granted, Taping
from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing import plan
from offhook.telephony import port
from offhook.telephony.carrying import PATIENCE
from offhook.telephony.house import ELSEWHERE, Way
from offhook.telephony.telephone import TOO_LONG
from tests.telephony.scripted import CALL, CALLER, LEGS, TENANT, Told, leg, run, step
from tests.telephony.test_parking import talks

BOB = plan.Invite("user:2", (leg("user:2", "hall"),), 30, "+14155550199")
NUMBER = "+14155550123"
OUTSIDE = plan.Invite(NUMBER, (leg(NUMBER, numbers=(NUMBER,)),), 30, "+14155550199")


async def added(one: Told, verb: plan.Invite = BOB) -> port.Dial:
    """Somebody was asked in, and took it."""
    one.steps = [step(verb)]
    target = Target("user", 2) if verb is BOB else None
    assert await one.telephone.grant(Add(number="" if target else NUMBER, target=target)) == Granted(
        call_id=LEGS[verb.asked]
    )
    await one.settled()
    [dial] = one.told(port.Dial)
    await one.say(port.Up(dial.leg))
    return dial


def test_who_is_added_is_rung_while_the_others_talk_and_then_all_are_together():
    async def story(one: Told) -> None:
        ana = await talks(one)
        bob = await added(one)
        assert (bob.address, bob.number, bob.caller) == (("10.0.0.4", 5060), "+14155550100", CALLER)
        assert one.passed() == [plan.Invited(0, target=Target("user", 2)), plan.CameIn(0, "user:2", "user:2")]
        assert one.commands[-1] == port.Join(CALLER, (ana.leg, bob.leg))
        assert one.told(port.Drop) == []
        outside = await added(one, OUTSIDE)
        assert (outside.trunk, outside.number) == (3, "+14155550199")
        assert one.commands[-1] == port.Join(CALLER, (ana.leg, bob.leg, outside.leg))

    run(story)


def test_one_of_three_leaves_and_the_call_ends_with_the_next():
    async def story(one: Told) -> None:
        ana = await talks(one)
        bob = await added(one)
        one.passed()
        await one.say(port.Down(leg=bob.leg))
        assert one.passed() == [plan.Left(0, "user:2")]
        await one.say(port.Down(leg=ana.leg))
        assert one.passed() == [plan.Ended(0)]

    run(story)


def test_who_took_the_call_leaves_and_who_was_added_takes_their_place():
    async def story(one: Told) -> None:
        ana = await talks(one)
        bob = await added(one)
        one.passed()
        await one.say(port.Down(leg=ana.leg))
        assert one.passed() == [plan.Left(0, "user:1")]
        await one.say(port.Down(leg=bob.leg))
        assert one.passed() == [plan.Ended(0)]

    run(story)


def test_who_called_leaves_and_the_others_go_on_until_one_is_left():
    async def story(one: Told) -> None:
        ana = await talks(one)
        bob = await added(one)
        one.passed()
        await one.say(port.Down(leg=CALLER))
        assert one.passed() == [plan.Left(0)]
        await one.say(port.Down(leg=ana.leg))
        assert one.passed() == [plan.Ended(0)]
        await one.do(plan.Hangup())
        assert port.Drop(bob.leg) in one.told(port.Drop)

    run(story)


def test_when_the_call_is_over_nobody_is_rung_or_in_it_any_more():
    async def story(one: Told) -> None:
        ana = await talks(one)
        bob = await added(one)
        one.steps = [step(OUTSIDE)]
        await one.telephone.grant(Add(number=NUMBER))
        await one.settled()
        [rung] = one.told(port.Dial)
        await one.do(plan.Hangup())
        assert {drop.leg for drop in one.told(port.Drop)} == {CALLER, ana.leg, bob.leg, rung.leg}

    run(story)


def test_who_does_not_answer_is_given_up_and_why_is_told():
    async def story(one: Told) -> None:
        await talks(one)
        one.steps = [step(BOB), step(BOB), step(plan.Invite("user:9", (leg("user:9", "nowhere"),), 30))]
        await one.telephone.grant(Add(target=Target("user", 2)))
        await one.settled()
        [dial] = one.told(port.Dial)
        await one.later(30)
        assert one.told(port.Drop) == [port.Drop(dial.leg)]
        await one.telephone.grant(Add(target=Target("user", 2)))
        await one.settled()
        [again] = one.told(port.Dial)
        await one.say(port.Down(leg=again.leg, code=486))
        await one.telephone.grant(Add(target=Target("user", 9)))
        await one.settled()
        assert [event for event in one.passed() if isinstance(event, plan.StayedOut)] == [
            plan.StayedOut(0, "user:2"), plan.StayedOut(0, "user:2", "busy"),
            plan.StayedOut(0, "user:9", "unreachable"),
        ]  # fmt: skip

    run(story)


def test_what_the_telephones_tell_of_who_was_asked_in_is_noted_with_the_call():
    async def story(one: Told) -> None:
        await talks(one)
        noted: list[tuple[object, ...]] = []
        together = one.telephone.together
        together._house = replace(together._house, belongs=lambda *told: noted.append(told))
        bob = await added(one)
        assert noted == [(bob.leg, TENANT, CALL, "user:2", "hall", "10.0.0.4:5060")]

    run(story)


def test_where_telephones_cannot_be_looked_up_who_was_asked_has_stayed_out():
    async def story(one: Told) -> None:
        await talks(one)

        async def away(tenant_id: int, device_id: str) -> list[Way]:
            raise Unavailable("The store is away.")

        one.of_device = away  # type: ignore[method-assign]
        one.steps = [step(BOB)]
        await one.telephone.grant(Add(target=Target("user", 2)))
        await one.settled()
        assert one.passed()[-1] == plan.StayedOut(0, "user:2", "unreachable")

    run(story)


def test_of_several_who_are_rung_for_a_line_the_first_comes_in():
    async def story(one: Told) -> None:
        ana = await talks(one)
        one.steps = [step(plan.Invite("office:1", (leg("user:2", "two"), leg("user:3", "hall")), 30))]
        await one.telephone.grant(Add(target=Target("office", 1)))
        await one.settled()
        dials = one.told(port.Dial)
        await one.say(port.Up(dials[2].leg))
        assert [(drop.leg, drop.reason) for drop in one.told(port.Drop)] == [
            (dials[0].leg, ELSEWHERE), (dials[1].leg, ELSEWHERE)
        ]  # fmt: skip
        assert one.passed()[-1] == plan.CameIn(0, "office:1", "user:3")
        assert port.Join(CALLER, (ana.leg, dials[2].leg)) in one.commands

    run(story)


def test_what_is_decided_against_is_told_and_a_number_that_no_carrier_takes_is_not_even_asked_for():
    async def story(one: Told) -> None:
        assert (await one.telephone.grant(Add(number=NUMBER))).refused == "Nobody talks yet."
        await talks(one)
        assert (await one.telephone.grant(Add(number="+88213000000"))).refused == (
            "No carrier takes this number: no trunk takes +88213000000."
        )
        one.steps = [step(because="It is abroad."), None]
        assert (await one.telephone.grant(Add(number=NUMBER))).refused == "It is abroad."
        assert (await one.telephone.grant(Add(number=NUMBER))).refused == "The call is over."

    run(story)


def test_a_recording_goes_on_with_those_who_are_left():
    async def story(one: Told) -> None:
        ana = await talks(one)
        await added(one)
        await one.telephone.grant(Taping(on=True))
        await one.say(port.Down(leg=CALLER))
        assert [(told.leg, told.path) for told in one.told(port.Record)] == [
            (CALLER, "/tapes/call"), (ana.leg, "/tapes/call-2")
        ]  # fmt: skip
        one._heard[CALLER](port.Recorded(leg=CALLER, path="/tapes/call", seconds=3.0))
        one._heard[ana.leg](port.Recorded(leg=ana.leg, path="/tapes/call-2", seconds=4.0))
        await one.settled()
        assert one.tapes == [("/tapes/call", 3.0), ("/tapes/call-2", 4.0)]

    run(story)


def test_who_is_on_hold_among_several_is_only_not_heard():
    async def story(one: Told) -> None:
        ana = await talks(one)
        await added(one)
        before = len(one.commands)
        await one.say(port.Held(ana.leg, True))
        await one.say(port.Held(ana.leg, False))
        assert one.commands[before:] == []

    run(story)


def test_a_number_that_is_asked_in_is_called_by_the_next_carrier_where_one_fails():
    async def story(one: Told) -> None:
        ana = await talks(one)
        one.steps = [step(OUTSIDE)]
        await one.telephone.grant(Add(number=NUMBER))
        await one.settled()
        [first] = one.told(port.Dial)
        await one.say(port.Down(leg=first.leg, code=503))
        [second] = one.told(port.Dial)
        assert (first.trunk, second.trunk, second.number, second.uri) == (3, 4, "+14155550199", first.uri)
        assert (first.patience, second.patience) == (PATIENCE, PATIENCE)
        await one.say(port.Up(second.leg))
        assert one.passed()[-1] == plan.CameIn(0, NUMBER, NUMBER)
        assert one.commands[-1] == port.Join(CALLER, (ana.leg, second.leg))

    run(story)


def test_a_number_that_was_asked_in_becomes_the_other_side_and_ends_the_call():
    async def story(one: Told) -> None:
        ana = await talks(one)
        outside = await added(one, OUTSIDE)
        await one.say(port.Down(leg=ana.leg))
        one.passed()
        await one.say(port.Held(outside.leg, True))
        await one.say(port.Down(leg=outside.leg))
        assert one.passed() == [plan.Ended(0)]

    run(story)


def test_a_call_of_three_whose_telephone_process_is_gone_is_lost_and_nobody_has_left():
    async def story(one: Told) -> None:
        ana = await talks(one)
        bob = await added(one)
        one.passed()
        for lost in (CALLER, ana.leg, bob.leg):
            one._heard[lost](port.Down(leg=lost, cause=port.DIED))
        await one.settled()
        assert one.passed()[0] == plan.HungUp(0, cause=port.DIED, lost=True)

    run(story)


def test_numbers_outside_talk_on_for_as_long_as_they_may_once_somebody_of_the_company_has_left_them():
    async def story(one: Told) -> None:
        ana = await talks(one)
        await added(one, OUTSIDE)
        seconds = one.telephone._house.outside_seconds
        await one.later(seconds - 60)
        one.passed()
        await one.say(port.Down(leg=ana.leg))
        await one.later(seconds - 1)
        assert one.passed() == [plan.Left(0, "user:1")]
        await one.later(1)
        assert one.passed() == [plan.HungUp(0, cause=TOO_LONG)]

    run(story)


def test_who_is_asked_in_before_the_caller_knows_that_the_call_was_taken_stays_in():
    async def story(one: Told) -> None:
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
        [ana] = one.told(port.Dial)
        await one.say(port.Up(ana.leg))
        await one.do(plan.Bridge("user:1"))
        bob = await added(one)
        await one.say(port.Up(CALLER))
        assert one.commands[-1] == port.Join(CALLER, (ana.leg, bob.leg))

    run(story)


def test_music_that_is_not_there_yet_is_not_heard_among_several():
    async def story(one: Told) -> None:
        one.fetching["jazz"] = asyncio.get_running_loop().create_future()
        await one.answered()
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
        [ana] = one.told(port.Dial)
        await one.say(port.Up(ana.leg))
        await one.do(plan.Bridge("user:1", music="jazz"))
        await one.say(port.Held(ana.leg, True))
        await added(one)
        await one.say(port.Held(ana.leg, False))
        one.told(port.Play)
        one.fetching["jazz"].set_result(None)
        await one.settled()
        assert one.told(port.Play) == []

    run(story)
