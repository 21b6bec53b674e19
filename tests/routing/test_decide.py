"""What happens to a call, action by action: each told as a caller would live through it."""

from itertools import product

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Operator
from offhook.routing.plan import (
    Incoming,
)
from offhook.routing.simulate import Behaviour
from offhook.routing.state import new_call
from offhook.routing.trace import ends_at
from tests.routing.companies import Choice, by_hand, company, line, routing
from tests.routing.random_companies import STRATEGIES
from tests.routing.stories import (
    ANA,
    BOB,
    EVE,
    LISBON,
    SALES,
    at,
    call,
    codes,
    lisbon,
    rung,
    said,
)

# --- hours ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "is_open"), [("07:59:59", False), ("08:00:00", True), ("17:59:59", True), ("18:00:00", False)]
)
def test_the_line_is_open_from_its_opening_to_its_closing_second(clock, is_open):
    _, state = call(company(lisbon(ANA), ANA), clock=clock)
    assert state.open is is_open
    assert codes(state)[0] == ("open" if is_open else "closed")


def test_the_reason_is_in_a_receptionists_words():
    _, state = call(company(lisbon(ANA), ANA), clock="18:02:00")
    assert state.reasons[0].text == "Lisbon was closed: Tuesday 18:02, hours ended 18:00 (Europe/Lisbon)."


@pytest.mark.parametrize(
    ("opened", "clock", "is_open"),
    [(True, "20:00:00", True), (False, "10:00:00", False), (True, "22:00:00", False), (False, "07:00:00", False)],
)
def test_a_line_that_somebody_opened_or_closed_by_hand_is_so_until_then(opened, clock, is_open):
    hand = by_hand(opened, at("09:00:00"), at("21:00:00"), "until 21:00")
    _, state = call(company(lisbon(ANA, by_hand=hand), ANA), clock=clock)
    assert state.open is is_open
    assert ("by hand until 21:00" in said(state)) is (at("09:00:00") <= at(clock) < at("21:00:00"))


def test_a_suspended_office_takes_a_message():
    trace, state = call(company(lisbon(ANA, state="suspended"), ANA))
    assert rung(trace) == []
    assert (state.outcome, ends_at(state)) == ("voicemail", LISBON)
    assert "suspended" in said(state)


def test_a_number_of_nobody_is_said():
    state, _ = decide(company(lisbon()), new_call("c", 1), Incoming(at("10:00:00"), number="+351210000009"))
    assert (state.phase, state.outcome) == ("over", "refused")
    assert "assigned to nobody" in said(state)


# --- every action in every state, with every strategy and outcome -----------------------------------------------------


ENDS = {
    "voicemail": ("voicemail", LISBON),
    "message": ("message", LISBON),
    "disabled": ("unavailable", LISBON),
    "operator": ("voicemail", LISBON),
    "menu": ("voicemail", LISBON),
    "directory": ("voicemail", LISBON),
    "company_directory": ("voicemail", LISBON),
    "last_name_directory": ("voicemail", LISBON),
    "last_name_company_directory": ("voicemail", LISBON),
    "extension": ("voicemail", LISBON),
    "scripted_ivr": ("voicemail", LISBON),
    "department": ("voicemail", SALES),
    "bridge_target": ("voicemail", Target("user", 3)),
    "person": ("voicemail", Target("user", 3)),
    "something_new": ("voicemail", LISBON),
}


TARGET = {"department": SALES, "bridge_target": Target("user", 3), "person": Target("user", 3)}


@pytest.mark.parametrize(
    ("action", "clock", "strategy", "operators"),
    [
        (action, clock, strategy, operators)
        for action, clock, strategy, operators in product(
            ENDS, ("10:00:00", "20:00:00"), STRATEGIES, ("answer", "let it ring", "are busy", "are away", "not tried")
        )
    ],
)
def test_an_action_in_a_state_with_a_strategy_and_an_outcome(action, clock, strategy, operators):
    """If an operator takes the call that is where it ends; if none does, or none is tried, where the action says."""
    state_of = routing(
        action,
        TARGET.get(action),
        operators=operators != "not tried",
        strategy=strategy,
        keys={"1": Choice("voicemail")},
    )
    away = "off duty: Lunch Time" if operators == "are away" else ""
    both = [Operator(one.who, one.name, away=away) for one in (ANA, BOB)]
    config = company(
        lisbon(*both, open=state_of, closed=state_of), line("department", 10, "Sales"), ANA, BOB, EVE
    )  # fmt: skip
    does = {
        "answer": Behaviour(seconds=3),
        "are busy": Behaviour(seconds=3, busy_seconds=None),
    }.get(operators, Behaviour())
    trace, state = call(config, clock=clock, people={"user:1": does, "user:2": does})
    asked_first = [names for names, _ in rung(trace)]
    if operators == "answer":
        assert state.outcome == "answered"
        assert state.talking in ("user:1", "user:2")
        return
    tried = operators == "let it ring" or (operators == "not tried" and action == "operator")
    if tried and strategy == "simultaneous":
        assert asked_first[0] == ("Ana Silva", "Bob Stone")
    elif tried:
        assert [len(names) for names in asked_first[:3]] == [1, 1, 1], "three turns of ten seconds in thirty"
    else:
        assert not any("Ana Silva" in names for names in asked_first)
    outcome, where = ENDS[action]
    assert state.outcome == outcome
    assert ends_at(state) == where
