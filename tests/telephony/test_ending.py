"""How a call ends: in the moment in which something else is to be done, and by somebody who is not in it."""

import asyncio

import pytest

from offhook.routing import plan
from offhook.telephony import port, recording
from offhook.telephony.causes import STOPPED, cut_off, failed
from tests.telephony.scripted import CALL, CALLER, TENANT, TWO, Told, run

HANDS_ON = plan.HandOn("user:2", plan.Transferred(0, "user:1"))


def test_a_caller_who_leaves_in_the_moment_in_which_somebody_is_to_be_rung_has_nobody_rung():
    async def story(one: Told) -> None:
        await one.answered()
        one.telephone.do(CALL, (TWO,))
        one.telephone.heard(port.Down(leg=CALLER))
        await one.settled()
        assert one.told(port.Dial) == []
        assert one.passed() == [plan.HungUp(0)]

    run(story)


def test_a_caller_who_leaves_before_anything_is_to_be_done_has_hung_up():
    async def story(one: Told) -> None:
        await one.do()
        exchange = one.telephone._house.exchange
        assert exchange.of_call(TENANT, CALL) is one.telephone
        await one.say(port.Down(leg=CALLER))
        assert one.passed() == [plan.HungUp(0)]
        assert exchange.of_call(TENANT, CALL) is None

    run(story)


def test_who_hangs_the_call_up_from_elsewhere_is_told_to_have_done_it_and_the_caller_not():
    async def story(one: Told) -> None:
        assert not one.telephone.hang_up(), "nothing is known of it yet"
        await one.do(TWO)
        dialled = [dial.leg for dial in one.told(port.Dial)]
        assert one.telephone.hang_up()
        await one.say(port.Down(leg=CALLER, code=480, ours=True))
        assert {drop.leg for drop in one.told(port.Drop)} == {CALLER, *dialled}
        assert one.passed() == [plan.HungUp(0, ours=True)]

    run(story)


def test_a_message_that_is_being_left_is_kept_before_the_call_is_told_to_be_hung_up():
    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        assert one.telephone.hang_up()
        await one.settled()
        assert one.passed() == []
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=4.0))
        assert one.passed() == [plan.Recorded(0, 4), plan.HungUp(0, ours=True)]
        assert not one.telephone.hang_up()

    async def left(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.say(port.Down(leg=CALLER))
        assert one.telephone.hang_up(), "what they said is not kept yet"
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=4.0))
        assert one.passed() == [plan.Recorded(0, 4), plan.HungUp(0)]

    run(story)
    run(left)


@pytest.mark.parametrize(
    ("verb", "event"),
    [
        (HANDS_ON, plan.Ended(0, fault="the other side could not be sent on")),
        (plan.Park(300), plan.ParkOver(0)),
    ],
)
def test_a_verb_that_fails_is_followed_by_something(verb: plan.Verb, event: plan.Event):
    assert failed(verb, 0) == event


def test_a_recording_that_is_whole_after_nobody_waits_for_it_any_more_harms_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recording, "LONGEST_END", 0.01)

    async def story(one: Told) -> None:
        await one.answered()
        await one.greeted()
        await one.later(180)
        for _ in range(500):
            await asyncio.sleep(0 if one.events else 0.01)
        assert one.passed() == [plan.Recorded(0, 0)]
        await one.say(port.Recorded(leg=CALLER, path="/tapes/office-5", seconds=4.0))
        assert (one.tapes, one.passed()) == ([], [])

    run(story)


def test_a_telephone_that_is_there_no_more_has_cut_its_caller_off_and_nobody_stopped_the_server():
    why, ours = cut_off(port.Down(leg=CALLER, cause="gone", ours=True))
    assert (why, ours) == ("the caller's telephone answered no question any more", False)
    assert cut_off(port.Down(leg=CALLER, cause="ended", ours=True)) == (STOPPED, False)


def test_who_answers_and_hangs_up_in_one_moment_has_answered_and_nobody_else_is_called():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Transfer("+14155550142", ""))
        [dial] = one.told(port.Dial)
        for event in (port.Up(dial.leg), port.Down(leg=dial.leg)):
            one._heard[dial.leg](event)
        await one.settled()
        assert one.told(port.Dial) == [], "no other carrier"
        assert one.passed() == [plan.Answered(0, "+14155550142"), plan.Ended(0)]

    run(story)
