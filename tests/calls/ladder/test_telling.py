"""Who is in a call while it lasts: since when, who rings, who has answered; and how a refusal is told."""

from typing import Any

from offhook.calls.ladder.telling import ladder_out
from offhook.calls.ladder.wire import LegOut, PartyOut
from offhook.calls.legs.model import CallLeg
from offhook.calls.model import Kept
from offhook.calls.wires.model import Wire
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
