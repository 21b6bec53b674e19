"""More than two in a call: who may be asked in, who comes, who leaves, and when it is over."""

from dataclasses import replace

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.plan import (
    Answered,
    CameIn,
    Ended,
    Event,
    HungUp,
    Invite,
    Invited,
    Left,
    Outgoing,
    Parked,
    Release,
    Reserve,
    Reserved,
    StayedOut,
    Verb,
)
from offhook.routing.together import MOST
from tests.routing.companies import company, line, office, user
from tests.routing.stories import ANA, BOB, EVE, LISBON, codes, lisbon, said
from tests.routing.test_parking import BEGAN, Told

OFFICE = office(1, "Lisbon", main_line="+351210000000")
HOUSE = company(OFFICE, lisbon(ANA), ANA, BOB, EVE, numbers={"+351211111111": Target("user", 3)})
OUTSIDE = "+351912345678"


def talks() -> Told:
    return Told(HOUSE).talks()


def invited(one: Told, event: Invited, *members: str) -> tuple[Verb, ...]:
    """Somebody is asked in, and who of those is free is reserved: all of them, or `members`."""
    [verb] = one.tell(event)
    assert isinstance(verb, Reserve)
    return one.tell(Reserved(event.at, members or verb.members, asked=verb.asked))


def three() -> Told:
    """Ana and the caller, and Bob with them."""
    one = talks()
    invited(one, Invited(BEGAN + 9_000, target=Target("user", 2)))
    one.tell(CameIn(BEGAN + 12_000, "user:2", "user:2"))
    return one


def test_a_user_is_rung_while_the_others_talk_and_is_in_the_call_from_then_on():
    one = talks()
    [verb] = invited(one, Invited(BEGAN + 9_000, target=Target("user", 2)))
    assert isinstance(verb, Invite)
    assert (verb.asked, verb.legs[0].devices, verb.seconds) == ("user:2", ("phone-2",), 30)
    assert one.state.phase == "talking"
    assert one.tell(CameIn(BEGAN + 12_000, "user:2", "user:2")) == (Release((), kept="user:2"),)
    assert (one.state.talking, one.state.others, one.state.inviting) == ("user:1", ("user:2",), ())


@pytest.mark.parametrize(
    ("event", "leg"),
    [
        (Invited(0, OUTSIDE), (OUTSIDE, (OUTSIDE,), ())),
        (Invited(0, "+351211111111"), ("user:3", (), ("phone-3",))),
        (Invited(0, target=LISBON), ("user:1", (), ("phone-1",))),
    ],
)
def test_a_number_or_a_line_is_rung_as_it_can_be(event: Invited, leg: object):
    # Bob has the call, so that Ana is free to be rung for the line.
    one = Told(company(OFFICE, lisbon(BOB), line("department", 10, "Sales", [ANA]), ANA, BOB, EVE,
                       numbers=dict(HOUSE.numbers)))  # fmt: skip
    if event.target is not None:
        event = Invited(0, target=Target("department", 10))
    one.state.phase, one.state.talking, one.state.outcome = "talking", "user:2", "answered"
    [verb] = one.tell(event) if event.number == OUTSIDE else invited(one, event)
    assert isinstance(verb, Invite)
    assert [(each.who, each.numbers, each.devices) for each in verb.legs] == [leg]
    assert verb.caller_id == "+351210000000"


@pytest.mark.parametrize(
    "event",
    [
        Invited(0, "+14155550100"),
        Invited(0, target=Target("user", 404)),
        Invited(0, target=Target("user", 1)),
        Invited(0, target=Target("user", 4)),
        Invited(0, target=Target("user", 5)),
        Invited(0, target=Target("department", 11)),
    ],
)
def test_nobody_is_rung_who_may_not_be_or_is_there_already(event: Event):
    silent, resting = (
        replace(EVE, who="user:4", target=Target("user", 4), do_not_disturb=True),
        user(5, "Al", devices=()),
    )
    shut = line("department", 11, "Shut", [BOB], state="suspended")
    one = Told(company(OFFICE, lisbon(ANA), shut, ANA, BOB, silent, resting)).talks()
    assert one.tell(event) == ()
    assert codes(one.state)[-1] == "invite_refused"


def test_a_number_that_is_in_the_call_is_not_called_for_it():
    caller = Invited(BEGAN + 9_000, number="+351910000000")
    one = talks()
    assert one.tell(caller) == ()
    assert "+351910000000 is in the call already, or asked into it." in said(one.state)
    one = three()
    one.tell(Left(BEGAN + 20_000))
    assert one.tell(caller) != (), "who left may be asked in again"
    one = Told(HOUSE, Outgoing(BEGAN, "user:1", OUTSIDE))
    one.tell(Answered(BEGAN + 3_000, OUTSIDE))
    assert one.tell(Invited(BEGAN + 9_000, number=OUTSIDE)) == ()
    assert codes(one.state)[-1] == "invite_refused"


def test_who_does_not_come_changes_nothing():
    one = talks()
    invited(one, Invited(BEGAN + 9_000, target=Target("user", 2)))
    assert one.tell(StayedOut(BEGAN + 12_000, "user:2", "busy")) == (Release(("user:2",)),)
    assert "Bob Stone was busy." in said(one.state)
    assert (one.state.phase, one.state.inviting) == ("talking", ())


@pytest.mark.parametrize(
    ("who", "free", "talking", "others"),
    [("user:1", ("user:1",), "user:2", ()), ("user:2", ("user:2",), "user:1", ())],
)
def test_one_of_three_leaves_and_two_talk_on(who: str, free: tuple[str, ...], talking: str, others: tuple[str, ...]):
    one = three()
    assert one.tell(Left(BEGAN + 20_000, who)) == (Release(free),)
    assert (one.state.phase, one.state.talking, one.state.others) == ("talking", talking, others)
    one.tell(Ended(BEGAN + 30_000))
    assert (one.state.phase, one.state.outcome) == ("over", "answered")


def test_who_called_leaves_and_the_others_talk_on():
    one = three()
    assert one.tell(Left(BEGAN + 20_000)) == ()
    assert one.state.caller_left
    one.tell(Ended(BEGAN + 30_000))
    assert one.state.outcome == "answered"


def test_who_called_from_within_is_free_once_they_leave():
    one = Told(HOUSE, Outgoing(BEGAN, "user:3", "101"))
    one.talks()
    invited(one, Invited(BEGAN + 9_000, target=Target("user", 2)))
    one.tell(CameIn(BEGAN + 12_000, "user:2", "user:2"))
    assert one.tell(Left(BEGAN + 20_000)) == (Release(("user:3",)),)


def test_a_call_to_a_number_outside_takes_others_in_once_it_is_answered_and_goes_on_without_it():
    one = Told(HOUSE, Outgoing(BEGAN, "user:3", OUTSIDE))
    event = Invited(BEGAN + 9_000, target=Target("user", 2))
    assert one.tell(event) == ()
    one.tell(Answered(BEGAN + 5_000, OUTSIDE))
    assert isinstance(invited(one, event)[0], Invite)
    one.tell(CameIn(BEGAN + 12_000, "user:2", "user:2"))
    assert one.tell(Left(BEGAN + 20_000, OUTSIDE)) == ()
    assert (one.state.phase, one.state.talking) == ("talking", "user:2")


def test_nobody_is_asked_into_a_call_for_help():
    one = Told(HOUSE, Outgoing(BEGAN, "user:3", "112"))
    one.tell(Answered(BEGAN + 5_000, "112"))
    assert one.tell(Invited(BEGAN + 9_000, target=Target("user", 2))) == ()
    assert codes(one.state)[-1] == "invite_refused"


def test_no_more_than_so_many_are_in_a_call():
    people = [user(id, f"User {id}") for id in range(2, 20)]
    one = Told(company(OFFICE, lisbon(ANA), ANA, *people)).talks()
    asked: list[tuple[Verb, ...]] = [one.tell(Invited(BEGAN, target=each.target)) for each in people]
    assert [bool(verbs) for verbs in asked] == [True] * (MOST - 2) + [False] * (len(people) - MOST + 2)


def test_a_call_of_three_is_not_parked():
    one = three()
    assert one.tell(Parked(BEGAN + 20_000)) == ()
    assert codes(one.state)[-1] == "park_refused"


def test_who_leaves_and_was_not_there_changes_nothing():
    one = three()
    for event in (Left(BEGAN, "user:9"), CameIn(BEGAN, "user:9", "user:9"), StayedOut(BEGAN, "user:9")):
        assert one.tell(event) == ()
    assert (one.state.talking, one.state.others) == ("user:1", ("user:2",))
    one.tell(HungUp(BEGAN + 30_000))
    assert one.state.phase == "over"


def test_who_is_in_another_call_is_not_rung_for_this_one():
    one = talks()
    [verb] = one.tell(Invited(BEGAN, target=Target("user", 2)))
    assert isinstance(verb, Reserve)
    assert (verb.members, verb.asked) == (("user:2",), "user:2")
    assert one.tell(Reserved(BEGAN, busy=("user:2",), asked="user:2")) == ()
    assert (codes(one.state)[-1], one.state.inviting) == ("invite_refused", ())
    assert "Bob Stone is in a call." in said(one.state)


def test_of_those_who_were_rung_for_a_line_one_comes_in_and_the_others_are_given_back():
    sales = line("department", 10, "Sales", [BOB, EVE])
    one = Told(company(OFFICE, lisbon(ANA), sales, ANA, BOB, EVE)).talks()
    [verb] = invited(one, Invited(BEGAN, target=sales.target), "user:2", "user:3")
    assert isinstance(verb, Invite)
    assert [leg.who for leg in verb.legs] == ["user:2", "user:3"]
    # Whoever is rung is not asked once more by themselves.
    assert one.tell(Invited(BEGAN, target=Target("user", 3))) == ()
    assert one.tell(CameIn(BEGAN, "department:10", "user:3")) == (Release(("user:2",), kept="user:3"),)
    assert (one.state.others, one.state.reserved_in) == (("user:3",), ())


def test_who_was_reserved_for_a_call_that_did_not_ask_is_given_back():
    one = talks()
    assert one.tell(Reserved(BEGAN, ("user:2",), asked="user:2")) == (Release(("user:2",)),)
