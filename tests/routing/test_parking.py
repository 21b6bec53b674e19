"""A call on park: put there, taken off, and what becomes of one that nobody takes."""

from dataclasses import replace

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Company
from offhook.routing.parking import PARK_SECONDS
from offhook.routing.plan import (
    Answered,
    Bridge,
    Event,
    HungUp,
    Incoming,
    NotAnswered,
    Outgoing,
    Park,
    Parked,
    ParkOver,
    Record,
    Release,
    Reserve,
    Reserved,
    Ring,
    Unparked,
    Verb,
    Voicemail,
)
from offhook.routing.simulate import Behaviour
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import ends_at
from offhook.routing.turn import MAX_STEPS
from tests.routing.companies import company, room
from tests.routing.stories import ANA, BOB, EVE, LISBON, at, call, codes, lisbon, rung, said

BEGAN = at("10:00:00")
HOUSE = company(lisbon(ANA, prompts={"HOLD_MUSIC": "d1"}), ANA, BOB, EVE)


class Told:
    """A call, told one thing after the other."""

    def __init__(self, config: Company = HOUSE, first: Event | None = None) -> None:
        self.config, self.now = config, BEGAN
        self.state: CallState = new_call("c", 1)
        self.verbs: tuple[Verb, ...] = ()
        self.tell(first or Incoming(BEGAN, "+351910000000", target=LISBON))

    def tell(self, event: Event) -> tuple[Verb, ...]:
        self.state, self.verbs = decide(self.config, self.state, event)
        return self.verbs

    def talks(self) -> "Told":
        """Ana took it."""
        self.tell(Reserved(BEGAN, ("user:1",)))
        self.tell(Answered(BEGAN + 4_000, "user:1"))
        return self

    def parked(self) -> "Told":
        self.talks().tell(Parked(BEGAN + 10_000))
        assert self.state.phase == "parked"
        return self

    def taken(self, who: str) -> "Told":
        """It rings at somebody who takes it off."""
        self.tell(Unparked(BEGAN + 30_000, who))
        self.tell(Reserved(BEGAN + 30_000, (who,)))
        assert self.state.phase == "ringing"
        return self


@pytest.mark.parametrize("record", [True, False])
def test_what_is_recorded_is_not_while_it_is_on_park_and_the_trace_says_so(record: bool):
    [line] = HOUSE.lines.values()
    one = Told(replace(HOUSE, lines={line.target: replace(line, record=record)})).parked()
    said = [reason.text for reason in one.state.reasons if reason.code == "recording_paused"]
    assert said == ["Nothing is recorded while the call is on park."] * record
    one.taken("user:2").tell(Answered(BEGAN + 33_000, "user:2"))
    assert [type(verb) for verb in one.verbs].count(Record) == record


def test_a_call_whose_time_on_park_is_over_as_nobody_answers_does_not_stay_there():
    one = Told().parked()
    one.tell(Unparked(BEGAN + 300_000, "user:2"))
    one.tell(Reserved(BEGAN + 300_000, ("user:2",)))
    one.tell(NotAnswered(BEGAN + 330_000))
    assert codes(one.state)[-2:] == ["not_answered", "park_over"]


def test_who_parks_a_call_is_free_at_once_and_the_caller_hears_the_lines_music():
    one = Told().parked()
    assert one.verbs == (Release(("user:1",)), Park(PARK_SECONDS, "d1"))
    assert codes(one.state)[-1] == "parked"
    assert ends_at(one.state) == LISBON


def test_a_user_takes_it_off_is_rung_and_has_it():
    one = Told().parked()
    [asked] = one.tell(Unparked(BEGAN + 30_000, "user:2"))
    assert isinstance(asked, Reserve)
    assert (asked.members, asked.seconds) == (("user:2",), 0)
    [rings] = one.tell(Reserved(BEGAN + 30_000, ("user:2",)))
    assert isinstance(rings, Ring)
    assert (rings.hear, rings.music, rings.legs[0].devices) == ("hold_music", "d1", ("phone-2",))
    verbs = one.tell(Answered(BEGAN + 33_000, "user:2"))
    assert verbs[0] == Release((), kept="user:2")
    assert isinstance(verbs[-1], Bridge)
    assert (one.state.phase, one.state.talking, one.state.parked) == ("talking", "user:2", 0)


def test_who_parked_it_may_take_it_off_again_and_park_it_again():
    one = Told().parked().taken("user:1")
    one.tell(Answered(BEGAN + 33_000, "user:1"))
    assert one.tell(Parked(BEGAN + 40_000)) == (Release(("user:1",)), Park(PARK_SECONDS, "d1"))


@pytest.mark.parametrize(
    "event", [NotAnswered(BEGAN + 60_000), NotAnswered(BEGAN + 60_000, {"user:2": "declined"})]
)  # fmt: skip
def test_if_nobody_answers_it_stays_on_park_for_the_time_that_is_left(event):
    one = Told().parked().taken("user:2")
    verbs = one.tell(event)
    assert verbs == (Release(("user:2",)), Park(PARK_SECONDS - 50, "d1"))
    assert codes(one.state)[-2:] == ["not_answered", "still_parked"]
    assert one.state.phase == "parked"


def test_who_is_in_another_call_is_not_rung_and_it_stays_on_park():
    one = Told().parked()
    one.tell(Unparked(BEGAN + 30_000, "user:2"))
    assert one.tell(Reserved(BEGAN + 30_000, busy=("user:2",))) == (Park(PARK_SECONDS - 20, "d1"),)
    assert "Bob Stone is in a call." in said(one.state)


@pytest.mark.parametrize("who", ["user:404", "user:3"])
def test_who_has_no_telephone_does_not_take_it_off_and_what_was_asked_for_goes_on(who):
    deaf = replace(EVE, devices=())
    one = Told(company(lisbon(ANA), ANA, deaf)).parked()
    assert one.tell(Unparked(BEGAN + 30_000, who)) == ()
    assert (one.state.phase, codes(one.state)[-1]) == ("parked", "unpark_refused")


def test_nobody_takes_it_and_it_comes_back_to_who_parked_it():
    one = Told().parked()
    [asked] = one.tell(ParkOver(BEGAN + 310_000))
    assert isinstance(asked, Reserve)
    assert asked.members == ("user:1",)
    one.tell(Reserved(BEGAN + 310_000, ("user:1",)))
    one.tell(Answered(BEGAN + 314_000, "user:1"))
    assert (one.state.phase, one.state.talking, one.state.recalled) == ("talking", "user:1", False)


@pytest.mark.parametrize("reached", [True, False])
def test_where_they_do_not_take_it_either_it_ends_in_their_voicemail(reached):
    one = Told().parked()
    one.tell(ParkOver(BEGAN + 310_000))
    if reached:
        one.tell(Reserved(BEGAN + 310_000, ("user:1",)))
        one.tell(NotAnswered(BEGAN + 340_000))
    else:
        one.tell(Reserved(BEGAN + 310_000, busy=("user:1",)))
    assert isinstance(one.verbs[-1], Voicemail)
    assert one.verbs[-1].box == Target("user", 1)


def test_a_room_has_no_voicemail_so_the_lines_takes_the_message():
    lobby = room(7, "Lobby")
    one = Told(company(lisbon(lobby), lobby))
    one.tell(Reserved(BEGAN, ("room:7",)))
    one.tell(Answered(BEGAN, "room:7"))
    one.tell(Parked(BEGAN))
    one.tell(ParkOver(BEGAN + 300_000))
    one.tell(Reserved(BEGAN + 300_000, rung=("room:7",)))
    assert isinstance(one.verbs[-1], Voicemail)
    assert one.verbs[-1].box == LISBON


def test_who_is_gone_by_then_is_not_rung():
    one = Told().parked()
    one.config = company(lisbon(BOB), BOB)
    one.tell(ParkOver(BEGAN + 310_000))
    assert isinstance(one.verbs[-1], Voicemail)
    assert one.verbs[-1].box == LISBON


@pytest.mark.parametrize("at_which", ["parked", "reserving", "ringing"])
def test_a_caller_may_hang_up_at_each_point(at_which):
    one = Told().parked()
    if at_which != "parked":
        one.tell(Unparked(BEGAN + 30_000, "user:2"))
    if at_which == "ringing":
        one.tell(Reserved(BEGAN + 30_000, ("user:2",)))
    assert one.state.phase == at_which
    verbs = one.tell(HungUp(BEGAN + 35_000))
    assert (one.state.phase, one.state.outcome) == ("over", "answered"), "They had talked before."
    assert (Release(("user:2",)) in verbs) is (at_which == "ringing")


def test_a_call_is_parked_only_while_two_talk():
    one = Told()
    assert one.tell(Parked(BEGAN)) == ()
    assert one.state.phase == "reserving"
    assert one.tell(Unparked(BEGAN, "user:2")) == ()


def test_who_called_from_within_cannot_park_whom_they_called_but_may_be_parked():
    one = Told(first=Outgoing(BEGAN, "user:2", "101"))
    one.talks()
    assert one.tell(Parked(BEGAN + 9_000, caller=True)) == ()
    assert codes(one.state)[-1] == "park_refused"
    assert one.tell(Parked(BEGAN + 9_000))[0] == Release(("user:1",))


def test_parking_back_and_forth_comes_to_an_end():
    one = Told().parked()
    for turn in range(1, 500):  # noqa: B007 - looked at behind it
        one.tell(Unparked(BEGAN + 30_000, "user:2"))
        if one.state.phase != "reserving":
            break
        one.tell(Reserved(BEGAN + 30_000, ("user:2",)))
        one.tell(Answered(BEGAN + 40_000, "user:2"))
        one.tell(Parked(BEGAN + 40_000))
    assert (one.state.phase, turn) == ("voicemail", MAX_STEPS + 1)


def test_a_simulated_call_is_parked_and_taken_off():
    trace, state = call(HOUSE, anyone=Behaviour(2), park=10, unpark=(("user:2", 20),), talk_seconds=60)
    assert rung(trace) == [(("Ana Silva",), 30), (("Bob Stone",), 30)]
    assert state.talking == "user:2"
    assert [code for code in codes(state) if "park" in code] == ["parked", "unparked"]
    assert trace.ended - trace.began == (2 + 10 + 20 + 2 + 60) * 1000


def test_a_simulated_call_that_nobody_takes_off_comes_back():
    config = company(lisbon(ANA), ANA, BOB)
    _, state = call(config, people={"user:1": Behaviour(2)}, park=10, unpark=(("user:2", 20), ("user:404", 5)))
    assert [code for code in codes(state) if "park" in code] == [
        "parked", "unparked", "still_parked", "unpark_refused", "park_over"
    ]  # fmt: skip
    assert (state.outcome, state.talking) == ("answered", "user:1")
