"""What Offhook refuses in a call is drawn as asked for and refused, by Offhook, with why."""

from typing import Any

import pytest

from offhook.calls import words
from offhook.calls.wires.model import WENT_ON, Wire
from offhook.directory.lines.model import Target
from offhook.routing import plan
from tests.calls.ladder.test_drawing import BOTH, IN, at, drawn, step, told

ABROAD = "+351210000000 is abroad, and Lisbon may make no international calls."
TALKS = step(plan.Answered(at(1), "user:1"), plan.Bridge("user:1"))
UNHEARD = ("ignored", "Unparked came while the call was talking: it changed nothing.")


def said(*steps: Any, wires: tuple[Wire, ...] = ()) -> list[str]:
    """What stands behind the call's answer."""
    return [line for line in told(drawn(IN, TALKS, *steps, wires=wires)) if float(line.split()[0]) > 1]


@pytest.mark.parametrize(
    ("event", "why", "asked", "refused"),
    [
        (plan.Parked(at(2)), ("park_refused", "More than two talk: it was not parked."),
         "Ann > house: asks to park the call", "house > Ann: refuses: More than two talk: it was not parked"),
        (plan.Parked(at(2), caller=True), ("park_refused", "Only who was called can."),
         "caller > house: asks to park the call", "house > caller: refuses: Only who was called can"),
        (plan.Unparked(at(2), "user:2"), ("unpark_refused", "Bob has no telephone that could ring."),
         "Bob > house: asks for the parked call", "house > Bob: refuses: Bob has no telephone that could ring"),
        (plan.Unparked(at(2), "user:2"), UNHEARD,
         "Bob > house: asks for the parked call", f"house > Bob: refuses: {words.NOT_THERE}"),
        (plan.Invited(at(2), target=Target("user", 2)), ("invite_refused", "No more than 10 may be in a call."),
         "house: is asked to have Bob in", "house: refuses: No more than 10 may be in a call"),
        (plan.Joined(at(2), "user:1", "user:2"), ("transfer_denied", "The call was not sent on: Ann is suspended."),
         "Ann > house: asks to connect the call with Bob",
         "house > Ann: refuses: The call was not sent on: Ann is suspended"),
        (plan.HungUp(at(2), ours=True), ("hangup_refused", "A call for help goes on."),
         "house: is asked to hang up", "house: refuses: A call for help goes on"),
    ],
    ids=["park", "park_by_caller", "unpark", "unpark_of_none", "invite", "join", "hang_up"],
)  # fmt: skip
def test_a_wish_that_is_refused_is_not_drawn_as_done(event: Any, why: tuple[str, str], asked: str, refused: str):
    assert said(step(event, why=[why])) == [f"2 {asked}", f"2 {refused}"]


def test_nobody_free_to_be_asked_in_is_refused_behind_the_asking():
    busy = step(plan.Reserved(at(2), busy=("user:2",), asked="user:2"), why=[("invite_refused", "Bob is in a call.")])
    assert said(busy) == ["2 house: refuses: Bob is in a call"]


def test_a_transfer_that_is_denied_is_refused_to_who_asked_for_it():
    denied = step(
        plan.Transferred(at(2), "user:1", "999"), plan.Deny("999 is no number.", "unallocated"),
        why=[("transfer_denied", "The call was not sent on: 999 is no number.")],
    )  # fmt: skip
    refused = "2 house > Ann: refuses: 999 is no number"
    assert said(denied) == ["2 Ann > house: asks to send the call on to 999", refused]
    # Their telephone told what it asked for: that is not said twice.
    asked = Wire(who="user:1", began=at(0), up=at(1), referred=((at(2), "999"),))
    assert said(denied, wires=(asked,)) == ["2 Ann > house: asks to transfer to 999", refused]


def test_a_transfer_that_is_refused_at_once_is_in_no_step_and_not_drawn_as_done():
    asked = Wire(who="user:1", began=at(0), up=at(1), referred=((at(2), "102"),))
    refused = "2 house > Ann: does not send the call on"
    assert said(wires=(asked,)) == ["2 Ann > house: asks to transfer to 102", refused]
    for event in (plan.Transferred(at(2), "user:1", "102"), plan.Handed(at(9)), plan.Parked(at(2))):
        assert refused not in said(step(event), wires=(asked,))
    assert refused in said(step(plan.Handed(at(60))), wires=(asked,))


def test_what_is_granted_is_drawn_as_done():
    parked = step(plan.Parked(at(2)), plan.Park(300), why=[("parked", "Ann put the call on park.")])
    assert said(parked) == ["2 Ann > house: puts the call on park", "2 house > caller: parks the call"]


def test_a_parked_call_that_somebody_asked_for_and_could_not_have_stays_there():
    busy = step(
        plan.Reserved(at(3), busy=("user:2",)), plan.Park(290),
        why=[("nobody_free", "Bob is in a call."), ("still_parked", "The call stays on park.")],
    )  # fmt: skip
    found = said(step(plan.Parked(at(2)), plan.Park(300)), step(plan.Unparked(at(3), "user:2")), busy)
    assert found[2:] == [
        "3 Bob > house: asks for the parked call", "3 house > Bob: not rung: Bob is in a call",
        "3 house > caller: stays on park",
    ]  # fmt: skip


def test_somebody_who_took_a_call_too_late_is_not_shown_as_who_has_it():
    late = step(plan.Answered(at(2), "user:2"), why=[("ignored", "Answered came while the call was talking.")])
    found = drawn(IN, TALKS, late, step(plan.Ended(at(9))))
    assert told(found)[-2:] == ["2 Bob > house: answers", "9 Ann > house: hangs up"]
    assert [one.tone for one in found.arrows if one.kind == "answered"] == ["good", "quiet"]


def test_a_call_that_offhook_refuses_is_refused_by_offhook_with_its_status_and_why():
    refused = step(
        plan.Outgoing(at(0), "user:2", "+351210000000"), plan.Hangup("forbidden"), why=[("international_off", ABROAD)]
    )
    assert told(drawn(refused))[-1] == f"0 house > caller: refuses the call: {ABROAD[:-1]}"
    wire = Wire(began=at(0), ended=at(0.1), code=403, cause="declined", ours=True)
    found = drawn(refused, wires=[wire])
    assert told(found) == [
        "0 caller > house: dials +351210000000", f"0 house > caller: answers 403 (forbidden): {ABROAD[:-1]}",
    ]  # fmt: skip
    assert found.arrows[-1].tone == "bad"


def test_a_caller_whom_nobody_answered_is_told_so_with_why():
    end = step(
        plan.NotAnswered(at(3), {"112": "unreachable"}), plan.Hangup("unavailable"),
        why=[("not_answered", "112 could not be reached.")],
    )  # fmt: skip
    wires = [
        Wire(began=at(0), ended=at(3), code=480, cause="no answer", ours=True),
        Wire(who="112", began=at(0), ended=at(2.9), code=404, cause="not found"),
    ]
    out = step(plan.Outgoing(at(0), "user:1", "112"), plan.Transfer("112", emergency=True))
    assert told(drawn(out, end, wires=wires))[2:] == [
        "2.9 112 > house: 404 not found", "3 house > caller: answers 480 (nobody is reached): 112 could not be reached",
    ]  # fmt: skip


def test_a_call_that_was_taken_ends_as_calls_do():
    taken = Wire(began=at(0), up=at(1), ended=at(5), cause="ended", ours=True)
    end = step(plan.Ended(at(5)), plan.Hangup(), why=[("ended", "The other side hung up.")])
    found = drawn(IN, TALKS, end, wires=[taken])
    assert told(found)[-1] == "5 house > caller: ends the call"
    assert found.arrows[-1].tone == "plain"
    fault = step(plan.Ended(at(5)), plan.Hangup("unavailable"), why=[("no_box", "There is no box.")])
    assert told(drawn(IN, TALKS, fault, wires=[taken]))[-1] == "5 house > caller: ends the call: There is no box"


def test_who_was_not_heard_of_any_more_has_said_nothing():
    wires = [
        Wire(who="user:1", began=at(0), ended=at(9), code=408, cause="no answer"),
        Wire(who="user:2", began=at(0), rang=at(1), ended=at(9), cause="the telephone process ended"),
    ]
    found = told(drawn(IN, wires=wires))
    assert found[-2:] == ["9 house > Ann: 408 no answer", "9 house > Bob: the telephone process ended"]
    unreachable = step(plan.NotAnswered(at(9), {"user:1": "unreachable", "user:2": "declined"}))
    assert told(drawn(IN, unreachable))[-2:] == ["9 house > Ann: could not be reached", "9 Bob > house: declined"]


def test_what_ended_a_telephone_without_a_step_is_of_this_side_unless_it_left():
    gone = Wire(who="user:1", began=at(0), up=at(1), ended=at(5), cause=WENT_ON, ours=True)
    odd = Wire(began=at(0), up=at(1), ended=at(6), code=500, cause="failed")
    found = told(drawn(IN, TALKS, wires=(gone, odd)))
    assert found[-2:] == [f"5 house > Ann: {WENT_ON}", "6 caller > house: failed"]


def test_whom_offhook_could_not_call_has_refused_nothing():
    wire = Wire(who="user:1", began=at(0), ended=at(1), code=503, cause="failed", ours=True)
    assert told(drawn(IN, wires=(wire,)))[-1] == "1 house > Ann: 503 failed"


def test_who_was_called_and_then_sent_the_call_away_did_so_themselves():
    asked = Wire(who="user:2", began=at(0), ended=at(1), code=403, cause="declined")
    assert told(drawn(IN, wires=[asked]))[-1] == "1 Bob > house: 403 declined"
    assert BOTH.legs[1].who == "user:2"
