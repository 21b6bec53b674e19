"""Who is in a call while it lasts: since when, who rings, who has answered; and how a refusal is told."""

from typing import Any

import pytest

from offhook.calls.ladder.telling import ladder_out
from offhook.calls.ladder.wire import LegOut, PartyOut
from offhook.calls.legs.model import CallLeg
from offhook.calls.model import Kept
from offhook.calls.wires.model import WENT_ON, Wire
from offhook.directory.lines.model import Target
from offhook.routing import plan
from offhook.routing.state import new_call
from tests.calls.ladder.test_drawing import BEGAN, IN, at, drawn, step

TENANT, CALL = 1, 7


def call_leg(id: int, **more: Any) -> CallLeg:
    return CallLeg(id=id, tenant_id=TENANT, call_id=CALL, **{"direction": "inbound", "began": at(0), **more})


def parties(found: Any, *legs: CallLeg, wires: tuple[Wire, ...] = (), now: int, ended: int = 0) -> dict[str, PartyOut]:
    kept = Kept(
        id=CALL, tenant_id=TENANT, began=BEGAN, ended=ended, outcome="", caller="", dialled="",
        state=new_call(str(CALL), CALL),
    )  # fmt: skip
    return {one.name: one for one in ladder_out(found, kept, wires, legs, now).parties}


def test_while_a_call_lasts_each_has_since_when_they_ring_or_have_answered():
    found = parties(
        drawn(IN),
        call_leg(CALL, state="ringing", rang=at(0)),
        call_leg(8, target=Target("user", 1), state="connected", rang=at(1), connected=at(4), device="31"),
        call_leg(9, target=Target("user", 2), state="ringing", began=at(2), rang=at(2)),
        now=at(5),
    )
    [caller], [ann], [bob] = (found[name].legs for name in ("+14155550100", "Ann", "Bob"))
    assert caller == LegOut(began=0.0, state="ringing", words="waits")
    assert ann == LegOut(began=0.0, rang=1.0, taken=4.0, state="connected", words="in the call", device_id="31")
    assert bob == LegOut(began=2.0, rang=2.0, state="ringing", words="rings")
    assert found["Offhook"].legs == []


def test_who_is_rung_behind_others_does_not_ring_yet():
    behind = call_leg(9, target=Target("user", 2), state="ringing", began=at(20), rang=at(20))
    [bob] = parties(drawn(IN), behind, now=at(5))["Bob"].legs
    assert (bob.rang, bob.words, bob.began) == (None, "their turn is to come", 5.0)
    [bob] = parties(drawn(IN), behind, now=at(21))["Bob"].legs
    assert (bob.rang, bob.words) == (20.0, "rings")


def test_of_a_leg_that_is_over_why_is_told():
    over = call_leg(9, target=Target("user", 2), state="missed", rang=at(0), ended=at(3), cause="busy")
    [bob] = parties(drawn(IN), over, now=at(5))["Bob"].legs
    assert (bob.ended, bob.words) == (3.0, "busy")


def test_of_a_caller_whom_offhook_refused_the_cause_is_offhook_s_word():
    refused = step(plan.Outgoing(at(0), "user:2", "1"), plan.Hangup("forbidden"))
    wire = Wire(began=at(0), ended=at(1), code=403, cause="declined", ours=True)
    entry = call_leg(CALL, direction="outbound", state="hangup", ended=at(1), cause="refused")
    bob = parties(drawn(refused, wires=[wire]), entry, wires=(wire,), now=at(5), ended=at(1))["Bob"]
    assert (bob.cause, bob.phones[0].code, bob.phones[0].cause) == ("refused by Offhook", 403, "forbidden")


def hows(found: PartyOut) -> list[str | None]:
    return [one.words for one in found.phones]


def test_each_telephone_of_a_person_is_told_by_what_became_of_it():
    wires = (
        Wire(who="user:1", began=at(0), ended=at(1), code=486, cause="busy"),
        Wire(who="user:1", began=at(0), ended=at(5.1), cause="unheard", ours=True),
        Wire(who="user:1", began=at(0), rang=at(0.2), ended=at(5.1), code=487, cause="cancelled", ours=True),
        Wire(who="user:1", began=at(0), rang=at(0.2), up=at(5), ended=at(60), cause="left"),
        Wire(who="user:2", began=at(0), rang=at(0.2), ended=at(5.1), code=487, cause="cancelled", ours=True),
    )
    legs = (
        call_leg(CALL, state="hangup", connected=at(5), ended=at(60), cause="answered"),
        call_leg(8, target=Target("user", 1), state="hangup", connected=at(5), ended=at(60), cause="left"),
        call_leg(9, target=Target("user", 2), state="missed", rang=at(0), ended=at(5), cause="elsewhere"),
    )
    found = parties(drawn(IN, wires=wires), *legs, wires=wires, now=at(61), ended=at(60))
    assert hows(found["Ann"]) == ["busy", "nothing was heard from it", "answered elsewhere", "hung up"]
    assert hows(found["Bob"]) == ["answered elsewhere"]


def test_who_parked_a_call_and_is_in_it_again_did_each_by_their_own_leg():
    wires = (
        Wire(who="user:1", began=at(0), up=at(2), ended=at(10), cause="ended", ours=True),
        Wire(who="user:1", began=at(40), rang=at(40.2), ended=at(45), code=487, cause="cancelled", ours=True),
        Wire(who="user:1", began=at(60), up=at(62), ended=at(90), cause="ended", ours=True),
    )
    legs = (
        call_leg(8, target=Target("user", 1), began=at(0), connected=at(2), ended=at(10), cause="parked"),
        call_leg(9, target=Target("user", 1), began=at(40), ended=at(45), cause="no_answer"),
        call_leg(10, target=Target("user", 1), began=at(60), connected=at(62), ended=at(90), cause="caller_left"),
    )
    found = parties(drawn(IN, wires=wires), *legs, wires=wires, now=at(91), ended=at(90))["Ann"]
    assert hows(found) == ["put the call on park", "did not answer", "the caller hung up"]
    assert [leg.words for leg in found.legs] == hows(found)


@pytest.mark.parametrize(
    ("cause", "ours", "words"),
    [("left", False, "hung up"), ("ended", True, "hung up on"), ("sound stopped", True, "sound stopped")],
)
def test_of_a_caller_who_talked_it_is_told_who_ended_it(cause: str, ours: bool, words: str):
    wire = Wire(began=at(0), up=at(1), ended=at(9), cause=cause, ours=ours)
    entry = call_leg(CALL, state="hangup", connected=at(1), ended=at(9), cause="answered")
    caller = parties(drawn(IN, wires=[wire]), entry, wires=(wire,), now=at(10), ended=at(9))["+14155550100"]
    assert (hows(caller), [leg.words for leg in caller.legs]) == ([words], ["over after talking"])


def test_who_rang_until_the_caller_was_asked_for_a_message_was_not_answered_elsewhere():
    wires = (
        Wire(began=at(0), up=at(20), ended=at(40), cause="left"),
        Wire(who="user:1", began=at(0), rang=at(1), ended=at(20), code=487, cause="cancelled", ours=True),
    )
    legs = (
        call_leg(CALL, state="voicemail", ended=at(40), cause="voicemail"),
        call_leg(8, target=Target("user", 1), state="missed", ended=at(20), cause="no_answer"),
    )
    found = parties(drawn(IN, wires=wires), *legs, wires=wires, now=at(41), ended=at(40))
    assert (hows(found["+14155550100"]), hows(found["Ann"])) == (["left a message"], ["did not answer"])


def test_a_telephone_that_went_on_or_was_cut_off_is_told_so():
    wires = (
        Wire(began=at(0), up=at(1), ended=at(20), cause=WENT_ON, ours=True),
        Wire(who="user:1", began=at(0), up=at(1), ended=at(20), cause="sound stopped", ours=True),
        Wire(who="user:2", began=at(0), rang=at(1), ended=at(2), code=487, cause="cancelled", ours=True),
        Wire(who="user:2", began=at(30), up=at(31)),
    )
    legs = (
        call_leg(CALL, state="hangup", connected=at(1), ended=at(20), cause="transferred"),
        call_leg(8, target=Target("user", 1), connected=at(1), ended=at(20), cause="left"),
    )
    found = parties(drawn(IN, wires=wires), *legs, wires=wires, now=at(91))
    assert [hows(found[name]) for name in ("+14155550100", "Ann", "Bob")] == [
        [WENT_ON], ["sound stopped"], ["answered elsewhere", None]
    ]  # fmt: skip
