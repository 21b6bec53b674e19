"""A call between its parties, from its steps and from what its telephones told."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from offhook.calls.ladder.drawing import MOST, ladder
from offhook.calls.ladder.model import Ladder
from offhook.calls.wires.model import Wire
from offhook.directory.lines.model import Target
from offhook.routing import plan
from offhook.routing.state import Reason
from offhook.routing.trace import Step, Trace, mark_of

BEGAN = 1_000_000
NAMES = {"user:1": "Ann", "user:2": "Bob"}
BOTH = plan.Ring("parallel", (plan.Leg("user:1", "Ann"), plan.Leg("user:2", "Bob")), 20)


def at(seconds: float) -> int:
    return BEGAN + int(seconds * 1000)


def step(event: Any, *verbs: Any, why: Sequence[tuple[str, str]] = ()) -> Step:
    reasons = tuple([Reason(event.at, code, text) for code, text in why])
    return Step(event=event, reasons=reasons, verbs=verbs, config=1)


def drawn(*steps: Step, wires: Sequence[Wire] = (), lost: int = 0) -> Ladder:
    return ladder(Trace(id="1", seed=1, steps=steps), wires, lambda who: NAMES.get(who, who), lost=lost)


def told(found: Ladder) -> list[str]:
    """Each arrow as "seconds from > to: text"; a note as "seconds where: text"."""
    names = {"caller": "caller", "offhook": "house", **NAMES}
    lines = []
    for one in found.arrows:
        start, end = names.get(one.start, one.start), names.get(one.end, one.end)
        way = start if one.start == one.end else f"{start} > {end}"
        lines.append(f"{(one.at - BEGAN) / 1000:g} {way}: {one.text}")
    return lines


IN = step(plan.Incoming(at(0), "+14155550100", "+14155550199"), BOTH)


def test_of_two_who_ring_one_answers_and_the_other_stops():
    found = drawn(
        IN, step(plan.Answered(at(5), "user:2"), plan.Answer(), plan.Bridge("user:2")), step(plan.Ended(at(65))),
    )  # fmt: skip
    assert [one.name for one in found.parties] == ["+14155550100", "Offhook", "Ann", "Bob"]
    assert told(found) == [
        "0 caller > house: calls +14155550199",
        "0 house > Ann: rings for up to 20 s",
        "0 house > Bob: rings for up to 20 s",
        "5 Bob > house: answers",
        "5 house > Ann: answered elsewhere",
        "5 house > caller: takes the call",
        "5 Bob > caller: connected",
        "65 Bob > house: hangs up",
    ]


def test_telephones_tell_when_they_rang_and_how_they_ended():
    wires = [
        Wire(began=at(0), ended=at(9), cause="left", codec="PCMU", received=100),
        Wire(who="user:1", began=at(0), rang=at(0.3), ended=at(2), code=486, cause="busy"),
        Wire(who="user:2", began=at(0), rang=at(0.2), ended=at(9), code=487, cause="cancelled", ours=True),
    ]
    found = drawn(IN, step(plan.HungUp(at(9))), wires=wires)
    assert told(found)[3:] == [
        "0.2 Bob > house: it rings",
        "0.3 Ann > house: it rings",
        "2 Ann > house: 486 busy",
        "9 caller > house: hangs up",
        "9 house > Bob: stops ringing",
    ]


def test_nobody_who_told_so_themselves_is_told_of_twice():
    wires = [Wire(who=who, began=at(0), ended=at(20), code=487, cause="cancelled", ours=True) for who in NAMES]
    found = drawn(IN, step(plan.NotAnswered(at(20), {"user:1": "no_answer"}), plan.Hangup()), wires=wires)
    assert [line for line in told(found) if line.startswith("20")] == [
        "20 house > caller: ends the call", "20 house > Ann: stops ringing", "20 house > Bob: stops ringing",
    ]  # fmt: skip


def test_of_a_telephone_that_said_nothing_at_all_it_is_told_that_nothing_was_heard():
    wires = [
        Wire(who="user:1", began=at(0), ended=at(20), cause="unheard", ours=True),
        Wire(who="user:2", began=at(0), ended=at(20), code=408, cause="unheard"),
    ]
    found = told(drawn(IN, step(plan.NotAnswered(at(20))), wires=wires))
    assert found[3:] == [
        "20 house > Ann: nothing was heard from it", "20 house > Bob: 408 nothing was heard from it",
    ]  # fmt: skip


def test_that_somebody_else_answered_is_told_once():
    wires = [
        Wire(who="user:1", began=at(0), ended=at(5.1), code=487, cause="cancelled", ours=True),
        Wire(who="user:2", began=at(0), up=at(5)),
    ]
    found = told(drawn(IN, step(plan.Answered(at(5), "user:2")), wires=wires))
    assert [line for line in found if "elsewhere" in line] == ["5.1 house > Ann: answered elsewhere"]


def test_without_their_telephones_why_each_did_not_answer_is_told_as_the_call_had_it():
    found = drawn(IN, step(plan.NotAnswered(at(20), {"user:1": "busy"})))
    assert told(found)[3:] == ["20 Ann > house: busy", "20 house > Bob: did not answer"]


def test_who_is_cut_off_has_not_hung_up_and_why_stands_with_it():
    wires = [Wire(began=at(0), up=at(1), ended=at(30), cause="sound stopped", ours=True)]
    found = drawn(IN, step(plan.HungUp(at(30.1))), wires=wires)
    assert told(found)[-1] == "30.1 house > caller: cuts off: sound stopped"
    assert sum("sound stopped" in line for line in told(found)) == 1
    died = drawn(IN, step(plan.HungUp(at(30), cause="the telephone process ended", lost=True)))
    assert told(died)[-1] == "30 house > caller: cuts off: the telephone process ended"
    there = [Wire(who="user:1", began=at(0), up=at(1), ended=at(30), cause="sound stopped", ours=True)]
    answered = step(plan.Answered(at(1), "user:1"), plan.Bridge("user:1"))
    assert told(drawn(IN, answered, step(plan.Ended(at(30))), wires=there))[-1] == (
        "30 house > Ann: cuts off: sound stopped"
    )
    fault = step(plan.Ended(at(30), fault="the telephones could not be connected"))
    assert told(drawn(IN, answered, fault))[-1] == "30 house > Ann: the telephones could not be connected"


def test_who_was_cut_off_from_here_has_not_hung_up_and_nobody_is_told_to_who_has_left():
    ours = [Wire(began=at(0), ended=at(30), cause="ended", ours=True)]
    end = step(plan.HungUp(at(30)), plan.Hangup())
    assert told(drawn(IN, end, wires=ours))[-1] == "30 house > caller: hangs up from here"
    assert told(drawn(IN, end))[3:] == ["30 caller > house: hangs up"]
    from_page = step(plan.HungUp(at(30), ours=True), plan.Hangup())
    assert told(drawn(IN, from_page))[3:] == ["30 house > caller: hangs up from here"]


def test_a_caller_who_left_the_others_is_told_nothing_at_the_end():
    found = drawn(
        IN, step(plan.Answered(at(1), "user:1")), step(plan.Left(at(5))), step(plan.Ended(at(9)), plan.Hangup())
    )
    assert told(found)[-2:] == ["5 caller > house: leaves", "9 Ann > house: hangs up"]


def test_keys_prompts_a_menu_and_a_message():
    menu = plan.Gather(plan.Prompt("For sales press 1."), 1, 5, "menu")
    box = plan.Voicemail(Target("office", 5), plan.Prompt("Leave a message."), 180)
    found = drawn(
        step(plan.Incoming(at(0), ""), plan.Answer(), menu),
        step(plan.Pressed(at(4), "1"), plan.Record(), box),
        step(plan.Recorded(at(30), 9), plan.Hangup()),
    )
    assert found.parties[0].name == "Hidden number"
    assert told(found) == [
        "0 caller > house: calls",
        "0 house > caller: takes the call",
        '0 house > caller: "For sales press 1."',
        "4 caller > house: presses 1",
        "4 house: records from here",
        '4 house > caller: "Leave a message."',
        "30 caller > house: leaves a message of 9 s",
        "30 house > caller: ends the call",
    ]


def test_of_those_who_ring_in_turn_only_they_are_shown_whose_turn_came():
    ring = plan.Ring("serial", BOTH.legs, 10)
    answered = step(plan.Answered(at(4), "user:1"), plan.Bridge("user:1"))
    early = told(drawn(step(plan.Incoming(at(0), "x"), ring), answered))
    assert [line for line in early if "Bob" in line] == []
    late = told(drawn(step(plan.Incoming(at(0), "x"), ring), step(plan.Answered(at(14), "user:2"))))
    assert late[1:3] == ["0 house > Ann: rings for up to 10 s", "10 house > Bob: rings for up to 10 s"]


def test_a_call_out_of_the_house_and_one_for_help():
    found = drawn(
        step(plan.Outgoing(at(0), "user:1", "911"), plan.Transfer("911", emergency=True)),
        step(plan.CarrierCalled(at(0), "Out"), plan.Notify(5, "user:1", "911")),
        step(plan.Answered(at(2), "911", "Out")),
        step(plan.Ended(at(60))),
    )
    assert [(one.name, one.kind) for one in found.parties] == [
        ("Ann", "caller"), ("Offhook", "house"), ("911", "outside")
    ]  # fmt: skip
    assert told(found)[1:] == [
        "0 house > 911: calls for help", "0 house > 911: the trunk Out is called",
        "2 911 > house: answers (by the trunk Out)", "60 911 > house: hangs up",
    ]  # fmt: skip


def test_a_call_out_that_no_trunk_takes_says_why():
    fault = "no trunk takes 912345678"
    found = drawn(
        step(plan.Outgoing(at(0), "user:1", "912345678"), plan.Transfer("912345678")),
        step(
            plan.NotAnswered(at(1), {"912345678": "unreachable"}, fault=fault), plan.Hangup("unavailable"),
            why=[("not_answered", f"912345678 could not be reached: {fault}.")],
        ),
    )  # fmt: skip
    assert told(found)[2:] == [
        f"1 house > 912345678: could not be reached: {fault}",
        f"1 house > caller: ends the call: 912345678 could not be reached: {fault}",
    ]


def test_a_carrier_that_does_not_take_a_call_and_a_test_of_the_emergency_address_are_told_as_such():
    found = drawn(
        step(plan.Outgoing(at(0), "user:1", "933"), plan.Transfer("933", emergency=True, trial=True)),
        step(plan.CarrierFailed(at(1), 503)),
        step(plan.CarrierFailed(at(2), 415, location=True, carrier="Out")),
    )
    assert told(found)[1:] == [
        "0 house > 933: tries out the emergency address",
        "1 933 > house: a carrier does not take the call (503)",
        "2 933 > house: the trunk Out does not take the address: called without it (415)",
    ]


def test_a_hold_and_a_wish_to_transfer_are_told_of_who_did_it():
    wires = [
        Wire(who="user:1", began=at(0), up=at(1), ended=at(9), held=((at(2), at(5)), (at(8), at(9))),
             referred=((at(6), "102"),)),
    ]  # fmt: skip
    found = drawn(IN, step(plan.Ended(at(9))), wires=wires)
    assert [line for line in told(found) if "Ann >" in line] == [
        "2 Ann > house: puts on hold", "5 Ann > house: is back from hold", "6 Ann > house: asks to transfer to 102",
        "8 Ann > house: puts on hold",
    ]  # fmt: skip


def test_a_call_whose_process_ended_says_so():
    assert told(drawn(IN, lost=at(90)))[-1] == "90 house: the process that had the call ended"


class Parked(msgspec.Struct, frozen=True, tag="parked_somewhere", tag_field="event"):
    """What came later."""

    at: int


class Juggle(msgspec.Struct, frozen=True, tag="juggle_calls", tag_field="do"):
    """What came later."""


class Sent(msgspec.Struct, frozen=True, tag="transferred", tag_field="event"):
    """What came later."""

    at: int
    by: str
    dialled: str = ""
    target: Target | None = None
    party: str = ""


class Wished(msgspec.Struct, frozen=True, tag="ask_around", tag_field="do"):
    """What came later."""

    legs: tuple[plan.Leg, ...] = ()
    seconds: int = 0
    who: str = ""


def test_what_is_not_known_is_of_whom_it_names():
    found = drawn(
        IN,
        step(Sent(at(3), "user:1", "102"), Wished(who="user:2")),
        step(Sent(at(4), "user:1", target=Target("user", 2)), Wished(legs=(plan.Leg("user:3", "Cyd"),), seconds=9)),
    )
    assert told(found)[3:] == [
        "3 Ann > house: sends the call on to 102", "3 house > Bob: ask around",
        "4 Ann > house: sends the call on to Bob", "4 house > user:3: rings for up to 9 s",
    ]  # fmt: skip
    assert found.parties[-1].name == "Cyd"


def test_a_call_is_parked_by_who_has_it_and_somebody_is_asked_in():
    found = drawn(
        IN,
        step(plan.Answered(at(1), "user:1"), plan.Bridge("user:1")),
        step(plan.Invited(at(2), target=Target("user", 2)), plan.Invite("user:2", BOTH.legs[1:], 20)),
        step(plan.StayedOut(at(3), "user:2")),
        step(plan.Parked(at(4)), plan.Park(60)),
        step(plan.Unparked(at(5), "user:2")),
    )
    assert [line for line in told(found) if line[0] in "2345"] == [
        "2 house: asks Bob in", "2 house > Bob: rings for up to 20 s", "3 Bob > house: stays out",
        "4 Ann > house: puts the call on park", "4 house > caller: parks the call",
        "5 Bob > house: asks for the parked call",
    ]  # fmt: skip


def test_a_call_that_begins_as_another_went_on_has_who_went_on_as_its_caller():
    found = drawn(step(Sent(at(0), "user:1", "102", party="user:2"), BOTH))
    assert (found.parties[0].who, found.parties[0].name) == ("user:2", "Bob")
    assert told(found)[0] == "0 Ann > house: sends the call on to 102"


def test_what_is_not_known_is_an_arrow_with_its_own_word():
    found = drawn(IN, step(Parked(at(3)), Juggle()))
    assert told(found)[-2:] == ["3 caller > house: parked somewhere", "3 house > caller: juggle calls"]


@pytest.mark.parametrize("count", [MOST - 1, 3 * MOST])
def test_a_very_long_call_keeps_its_beginning_and_its_end(count: int):
    keys = [step(plan.Pressed(at(1 + index), "1")) for index in range(count)]
    found = drawn(step(plan.Incoming(at(0), "x")), *keys, step(plan.HungUp(at(1 + count))))
    assert len(found.arrows) == min(count + 2, MOST)
    assert found.cut == max(count + 2 - MOST, 0)
    assert (found.arrows[0].kind, found.arrows[-1].kind) == ("incoming", "hung_up")


def test_who_leaves_while_a_message_is_taken_hangs_up_and_is_not_hung_up_on():
    box = plan.Voicemail(Target("office", 5), plan.Prompt("Leave a message."), 180)
    steps = (
        step(plan.Incoming(at(0), "+14155550100", "+14155550199"), plan.Answer(), box),
        step(plan.Recorded(at(9.2), 5), plan.Hangup()),
    )
    theirs = Wire(began=at(0), up=at(0), ended=at(9), cause="left")
    assert told(drawn(*steps, wires=[theirs]))[-2:] == [
        "9.2 caller > house: leaves a message of 5 s", "9.2 caller > house: hangs up",
    ]  # fmt: skip
    ours = msgspec.structs.replace(theirs, ours=True, cause="ended")
    assert told(drawn(*steps, wires=[ours]))[-1] == "9.2 house > caller: ends the call"


def test_of_prompts_that_nothing_spoke_the_beeps_are_told():
    spoken, unspoken = plan.Prompt("Welcome."), plan.Prompt("Press 1.", "MENU", "ab" * 32)
    menu = plan.Gather(unspoken, 1, 6, "menu")
    found = drawn(
        step(plan.Incoming(at(0), "+14155550100", "+14155550199"), plan.Play(spoken), menu),
        wires=[Wire(began=at(0), beeped=(mark_of(unspoken),))],
    )
    assert told(found)[-2:] == [
        '0 house > caller: "Welcome."',
        f"0 house > caller: Beeps, in place of the recording for MENU ({'ab' * 6})",
    ]


def test_recording_that_an_api_asked_for_is_told():
    found = drawn(IN, step(plan.Answered(at(2), "user:1"), plan.Bridge("user:1")), *[
        step(plan.Taped(at(seconds), on)) for seconds, on in ((3, True), (5, False))
    ])  # fmt: skip
    assert told(found)[-2:] == [
        "3 house: records from here, as an API asked", "5 house: records no longer, as an API asked",
    ]  # fmt: skip
