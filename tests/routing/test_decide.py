"""What happens to a call, action by action: each told as a caller would live through it."""

from itertools import product

import pytest

from offhook.directory.lines.model import Target
from offhook.emergency.model import CivicAddress
from offhook.routing.decide import decide
from offhook.routing.model import Company, Contact, Line, Operator, Queue, Router, Team
from offhook.routing.plan import (
    Answered,
    Ask,
    Gather,
    HungUp,
    Incoming,
    NotAnswered,
    Notify,
    Outgoing,
    Play,
    Pressed,
    Release,
    Reserve,
    Reserved,
    Ring,
    Told,
    Transfer,
)
from offhook.routing.simulate import Behaviour, Script, simulate
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import Trace, ends_at
from tests.routing.companies import Choice, by_hand, company, hours, line, ms, office, room, routing, user
from tests.routing.random_companies import STRATEGIES

TUESDAY = "2026-11-24"
WORKDAYS = [["08:00", "18:00"]] * 5 + [[], []]
ANA, BOB, EVE = user(1, "Ana Silva", extension="101"), user(2, "Bob Stone", extension="102"), user(3, "Eve Stone")
LISBON, SALES = Target("office", 1), Target("department", 10)


def at(clock: str, day: str = TUESDAY) -> int:
    """A moment in Lisbon in winter, where the clock shows UTC."""
    return ms(f"{day}T{clock}+00:00")


def lisbon(*operators: object, **more: object) -> Line:
    """The office in Lisbon, Monday to Friday from 8 to 18."""
    more.setdefault("schedule", hours(WORKDAYS))
    return line("office", 1, "Lisbon", operators, **more)  # type: ignore[arg-type]


def call(
    config: Company, target: Target = LISBON, clock: str = "10:00:00", day: str = TUESDAY, **script: object
) -> tuple[Trace, CallState]:
    """A whole call."""
    return simulate(config, Incoming(at(clock, day), "+351910000000", target=target), Script(**script))  # type: ignore[arg-type]


def codes(state: CallState) -> list[str]:
    return [reason.code for reason in state.reasons]


def said(state: CallState) -> str:
    return " ".join(reason.text for reason in state.reasons)


def rung(trace: Trace) -> list[tuple[tuple[str, ...], int]]:
    return [
        (tuple(leg.name for leg in verb.legs), verb.seconds)
        for step in trace.steps
        for verb in step.verbs
        if isinstance(verb, Ring)
    ]


def heard(trace: Trace) -> list[str]:
    return [
        verb.prompt.text for step in trace.steps for verb in step.verbs if isinstance(verb, Play | Gather)
    ]  # fmt: skip


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


# --- operators --------------------------------------------------------------------------------------------------------


def test_one_at_a_time_each_has_ten_seconds_until_the_ring_time_is_over():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="fixedorder"), ring_seconds=25), ANA, BOB, EVE)
    trace, state = call(config)
    assert rung(trace) == [(("Ana Silva",), 10), (("Bob Stone",), 10), (("Eve Stone",), 5)]
    assert state.outcome == "voicemail"


def test_when_all_had_their_turn_it_begins_anew():
    config = company(lisbon(ANA, BOB, open=routing(strategy="fixedorder"), ring_seconds=30), ANA, BOB)
    trace, state = call(config)
    assert [names for names, _ in rung(trace)] == [("Ana Silva",), ("Bob Stone",), ("Ana Silva",)]
    assert "turns_again" in codes(state)


def test_one_who_declines_passes_the_turn_on_at_once():
    config = company(lisbon(ANA, BOB, open=routing(strategy="fixedorder")), ANA, BOB)
    trace, state = call(config, people={"user:1": Behaviour(missed="declined"), "user:2": Behaviour(2)})
    assert (state.outcome, state.talking) == ("answered", "user:2")
    assert "Ana Silva declined." in said(state)
    assert trace.steps[-1].event.at - at("10:00:00") < 80_000


def test_the_most_skilled_ring_first():
    skilled = [Operator("user:1", "Ana Silva", 10), Operator("user:2", "Bob Stone", 90), Operator("user:3", "Eve", 50)]
    config = company(lisbon(*skilled, open=routing(strategy="mostskilled")), ANA, BOB, EVE)
    trace, _ = call(config)
    assert [names for names, _ in rung(trace)] == [("Bob Stone",), ("Eve Stone",), ("Ana Silva",)]


def test_who_is_idle_longest_rings_first_and_who_never_had_a_call_before_all():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="longestidle")), ANA, BOB, EVE)
    trace, _ = call(config, idle_since={"user:1": 2000, "user:2": 1000})
    assert [names for names, _ in rung(trace)] == [("Eve Stone",), ("Bob Stone",), ("Ana Silva",)]


def test_a_random_order_is_made_again_from_its_seed():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="random")), ANA, BOB, EVE)
    first = Incoming(at("10:00:00"), target=LISBON)
    orders = {seed: tuple(names for names, _ in rung(simulate(config, first, Script(), seed)[0])) for seed in range(20)}
    assert len(set(orders.values())) == 6
    assert orders[7] == tuple(names for names, _ in rung(simulate(config, first, Script(), 7)[0]))


def test_who_is_not_rung_is_named_with_the_reason():
    away = Operator("user:2", "Bob Stone", away="off duty: Lunch Time")
    _, state = call(company(lisbon(ANA, away), ANA, BOB))
    assert "Not rung: Bob Stone (off duty: Lunch Time)." in said(state)


def test_nobody_can_be_rung_then_straight_to_the_action():
    away = Operator("user:2", "Bob Stone", away="does not want to be disturbed")
    trace, state = call(company(lisbon(away), BOB))
    assert rung(trace) == []
    assert "nobody_ready" in codes(state)
    assert trace.steps[0].event.at == trace.steps[1].event.at - 15_000, "the greeting, the message, and nothing before"


def test_an_operator_who_is_rung_by_another_caller_is_waited_for_within_the_ring_time():
    config = company(lisbon(ANA), ANA)
    state, verbs = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert (asked.seconds, asked.wait_for) == (30, "whoever_is_rung")
    state, verbs = decide(config, state, Reserved(at("10:00:12"), members=("user:1",)))
    assert isinstance(verbs[-1], Ring)
    assert verbs[-1].seconds == 18


def test_the_loser_is_released_and_the_winner_keeps_the_call():
    config = company(lisbon(ANA, BOB), ANA, BOB)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), members=("user:1", "user:2")))
    state, verbs = decide(config, state, Answered(at("10:00:05"), "user:2"))
    assert verbs[0] == Release(("user:1",), kept="user:2")
    assert state.reserved == ()


def test_only_whoever_is_rung_can_take_the_call():
    config = company(lisbon(ANA, BOB), ANA, BOB)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), members=("user:1",)))
    after, verbs = decide(config, state, Answered(at("10:00:05"), "user:2"))
    assert (after.phase, after.reserved, verbs) == ("ringing", ("user:1",), ())
    assert "ignored" in codes(after)


def test_an_outgoing_call_has_begun_too():
    config = company(lisbon(ANA), ANA)
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "112"))
    assert state.began == at("10:00:00")


def test_a_caller_who_hangs_up_while_it_rings_frees_everybody():
    config = company(lisbon(ANA, BOB), ANA, BOB)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), members=("user:1", "user:2")))
    state, verbs = decide(config, state, HungUp(at("10:00:05")))
    assert verbs[0] == Release(("user:1", "user:2"))
    assert (state.phase, state.outcome) == ("over", "abandoned")


def test_recorded_calls_are_announced_once_behind_all_other_prompts():
    config = company(
        lisbon(ANA, record=True, prompts={"DEPARTMENT_INTRO": "ab"}, open=routing("department", SALES)),
        line("department", 10, "Sales", [BOB], record=True),
        ANA,
        BOB,
    )
    trace, state = call(config, people={"user:2": Behaviour(1)})
    assert state.outcome == "answered"
    notices = [text for text in heard(trace) if "recorded" in text]
    assert len(notices) == 1
    assert heard(trace)[1] == notices[0], "the welcome comes first"


# --- queue ------------------------------------------------------------------------------------------------------------


def queued(**more: object) -> Company:
    settings = {"most": 5, "seconds": 120, "escape": "*", "announce_seconds": 30, **more}
    sales = line("callcenter", 10, "Sales", [ANA], queue=Queue(**settings), schedule=hours(WORKDAYS))  # type: ignore[arg-type]
    return company(sales, office(1, "Lisbon"), lisbon(), ANA)


CENTER = Target("callcenter", 10)


def test_a_caller_waits_until_somebody_is_free():
    _, state = call(queued(), CENTER, people={"user:1": Behaviour(2, busy_seconds=50)})
    assert (state.outcome, state.talking) == ("answered", "user:1")
    assert "place_said" in codes(state)


def test_a_caller_waits_no_longer_than_the_queue_allows():
    trace, state = call(queued(), CENTER, anyone=Behaviour(busy_seconds=None))
    assert state.outcome == "voicemail"
    assert "queue_time_over" in codes(state)
    left = next(step.event.at for step in trace.steps for reason in step.reasons if reason.code == "queue_time_over")
    assert 120_000 <= left - at("10:00:00") <= 130_000


def test_a_full_queue_is_left_at_once():
    config = queued()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    assert state.queued
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",), full=True))
    assert state.phase == "voicemail"
    assert "queue_full" in codes(state)


def test_a_key_leaves_the_queue_and_others_do_nothing():
    config = queued()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    state, verbs = decide(config, state, Pressed(at("10:00:05"), "5"))
    assert verbs == ()
    state, verbs = decide(config, state, Pressed(at("10:00:06"), "*"))
    assert state.phase == "voicemail"
    assert verbs[0] == Release(())


@pytest.mark.parametrize(("stays", "outcome"), [(False, "closed_while_waiting"), (True, "queue_time_over")])
def test_a_line_that_closes_sends_its_waiting_callers_away_unless_they_may_stay(stays, outcome):
    config = queued(seconds=1800, stays_after_closing=stays)
    _, state = call(config, CENTER, clock="17:50:00", anyone=Behaviour(busy_seconds=None))
    assert outcome in codes(state)


# --- menus ------------------------------------------------------------------------------------------------------------


def with_menu(**keys: Choice) -> Company:
    pressed = {name[1:]: choice for name, choice in keys.items()}
    menu = routing("menu", operators=False, keys=pressed)
    people = (ANA, BOB, EVE, user(4, "Жанна Петрова"))
    return company(lisbon(ANA, open=menu), line("department", 10, "Sales", [BOB]), *people)


def test_a_key_leads_where_it_says_and_the_menu_names_it():
    trace, state = call(with_menu(_1=Choice("department", SALES)), keys=("1",), people={"user:2": Behaviour(1)})
    assert heard(trace)[0] == "You have reached Lisbon. Press 1 for Sales."
    assert (state.outcome, state.talking) == ("answered", "user:2")


def test_a_menu_is_played_three_times_and_then_takes_a_message():
    trace, state = call(with_menu(_1=Choice("operator")), keys=("", "7"))
    assert len(heard(trace)) == 3
    assert [code for code in codes(state) if code in ("no_key", "unknown_key")] == ["no_key", "unknown_key", "no_key"]
    assert state.outcome == "voicemail"


def test_a_disabled_key_is_a_try_and_is_not_said():
    trace, state = call(with_menu(_1=Choice("operator"), _2=Choice("disabled")), keys=("2", "2", "2"))
    assert "Press 2" not in heard(trace)[0]
    assert codes(state).count("disabled_key") == 3
    assert state.outcome == "voicemail"


def test_a_key_that_repeats_the_menu_cannot_keep_a_caller_for_ever():
    _, state = call(with_menu(_1=Choice("menu")), keys=("1",) * 50)
    assert state.outcome == "voicemail"


def test_the_operator_key_rings_the_operators_and_then_takes_a_message():
    trace, state = call(with_menu(_0=Choice("operator")), keys=("0",))
    assert rung(trace) == [(("Ana Silva",), 30)]
    assert "menu_tried" in codes(state)
    assert state.outcome == "voicemail"


def test_the_recording_of_a_menu_is_played_instead_of_words():
    menu = routing("menu", operators=False, keys={"1": Choice("operator")})
    trace, _ = call(company(lisbon(ANA, open=menu, prompts={"MENU": "ab" * 32}), ANA))
    gathered = next(verb for step in trace.steps for verb in step.verbs if isinstance(verb, Gather))
    assert (gathered.prompt.recording, gathered.prompt.purpose) == ("ab" * 32, "MENU")


# --- names and extensions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "keys", "who"),
    [
        ("directory", ("262#", "1"), "user:1"),  # ANA and BOB are the same keys
        ("directory", ("74582#",), "user:1"),  # SILVA
        ("last_name_directory", ("74582#",), "user:1"),
        ("directory", ("78663262#",), "user:2"),  # STONEBO: last, then first name
        ("company_directory", ("26278663#",), "user:2"),  # BOBSTONE
        ("directory", ("78663#", "2"), "user:3"),  # STONE is two people; the second is Eve
    ],
)
def test_a_name_on_the_keypad_finds_the_person(action, keys, who):
    menu = with_menu(_1=Choice(action))
    _, state = call(menu, keys=("1", *keys), anyone=Behaviour(1))
    assert (state.outcome, state.talking) == ("answered", who)


def test_a_first_name_is_not_found_where_only_last_names_are():
    _, state = call(with_menu(_1=Choice("last_name_directory")), keys=("1", "383#", "383#", "383#"))
    assert codes(state).count("name_unknown") == 3
    assert state.outcome == "voicemail"


def test_an_extension_is_dialled():
    _, state = call(with_menu(_1=Choice("extension")), keys=("1", "999#", "102#"), anyone=Behaviour(1))
    assert "Nobody has the extension 999." in said(state)
    assert (state.outcome, state.talking) == ("answered", "user:2")


# --- people and other targets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code", "box"),
    [
        ({"do_not_disturb": True}, "do_not_disturb", Target("user", 5)),
        ({"devices": ()}, "no_telephone", Target("user", 5)),
        ({"state": "suspended"}, "person_inactive", LISBON),
        ({}, "not_answered", Target("user", 5)),
    ],
)
def test_a_person_who_does_not_take_the_call_gets_a_message(more, code, box):
    config = company(lisbon(), user(5, "Max", **more))
    _, state = call(config, Target("user", 5))
    assert code in codes(state)
    assert ends_at(state) == box


def test_a_person_with_a_number_to_forward_to_rings_there_too():
    config = company(lisbon(), user(5, "Max", devices=(), forwarding=("+351912345678",)))
    trace, state = call(config, Target("user", 5), anyone=Behaviour(2))
    ring = next(verb for step in trace.steps for verb in step.verbs if isinstance(verb, Ring))
    assert ring.legs[0].numbers == ("+351912345678",)
    assert state.outcome == "answered"


def test_a_room_has_no_box_so_its_office_takes_the_message():
    _, state = call(company(lisbon(), room(7, "Lobby")), Target("room", 7))
    assert ends_at(state) == LISBON


def test_a_contact_abroad_is_called_only_where_international_calls_are_on():
    there = Contact(8, "Carol", ("+14155550100",))
    for allowed in (False, True):
        config = company(lisbon(), office(1, "Lisbon", international=allowed), there)
        trace, state = call(config, Target("contact", 8), anyone=Behaviour(1))
        assert (state.outcome == "answered") is allowed
        assert bool(rung(trace)) is allowed


def test_a_team_rings_at_once():
    team = Team(Target("coachinggroup", 9), "Coaches", 1, ("user:1", "user:2", "user:404"), ring_seconds=20)
    trace, state = call(company(lisbon(), ANA, BOB, team), Target("coachinggroup", 9), people={"user:2": Behaviour(3)})
    assert rung(trace) == [(("Ana Silva", "Bob Stone"), 20)]
    assert state.talking == "user:2"


@pytest.mark.parametrize(
    "gone", [Target("user", 404), Target("unknown", 0), Target("channel", 3), Target("staffgroup", 4)]
)
def test_a_target_that_is_gone_or_unknown_ends_in_the_offices_voicemail_and_says_why(gone):
    config = company(lisbon(open=routing("bridge_target", gone, operators=False)))
    _, state = call(config)
    assert (state.outcome, ends_at(state)) == ("voicemail", LISBON)
    assert {"target_gone", "target_unknown", "not_callable"} & set(codes(state))


def test_a_circle_of_departments_ends_after_ten_hops_where_the_call_came_in():
    one = line("department", 10, "Sales", open=routing("department", Target("department", 11), operators=False))
    two = line("department", 11, "Support", open=routing("department", SALES, operators=False))
    config = company(lisbon(open=routing("department", SALES, operators=False)), one, two)
    _, state = call(config)
    assert "too_many_hops" in codes(state)
    assert (state.outcome, ends_at(state)) == ("voicemail", LISBON)


# --- call routers -----------------------------------------------------------------------------------------------------


def routed(*, enabled: bool = True, default: Target | None = SALES, international: bool = False) -> Company:
    router = Router(30, "By account", 1, enabled, default)
    return company(
        office(1, "Lisbon", international=international),
        lisbon(ANA),
        router,
        line("department", 10, "Sales", [BOB]),
        ANA,
        BOB,
    )


ROUTER = Target("callrouter", 30)


def test_a_router_is_asked_and_the_call_goes_where_it_says():
    answer = Told(0, "route", Target("user", 1), message=("One moment.",))
    trace, state = call(routed(), ROUTER, routers={30: answer}, anyone=Behaviour(1))
    assert state.talking == "user:1"
    assert heard(trace) == ["One moment."]


@pytest.mark.parametrize("answer", [Told(0, fault="it did not answer"), Told(0, ""), Told(0, "route"), Told(0, "ask")])
def test_a_router_that_fails_or_says_nothing_useful_leaves_the_call_to_its_default(answer):
    _, state = call(routed(), ROUTER, routers={30: answer}, anyone=Behaviour(1))
    assert "router_failed" in codes(state)
    assert state.talking == "user:2"


def test_a_router_that_is_off_is_not_asked():
    trace, state = call(routed(enabled=False), ROUTER, anyone=Behaviour(1))
    assert not any(isinstance(verb, Ask) for step in trace.steps for verb in step.verbs)
    assert state.talking == "user:2"


def test_a_router_without_a_default_leaves_the_call_to_its_offices_voicemail():
    _, state = call(routed(enabled=False, default=None), ROUTER)
    assert ends_at(state) == LISBON


def test_a_router_may_have_the_caller_asked_and_gets_the_keys():
    config = routed()
    state, verbs = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=ROUTER))
    question = Told(at("10:00:01"), "ask", message=("Dial your account.",), question="account", digits=6)
    state, verbs = decide(config, state, question)
    asked = verbs[-1]
    assert isinstance(asked, Gather)
    assert (asked.most, asked.prompt.text) == (6, "Dial your account.")
    state, verbs = decide(config, state, Pressed(at("10:00:09"), "123456"))
    assert verbs[-1].answers == (("account", "123456"),)  # type: ignore[union-attr]


def test_a_router_cannot_ask_for_ever():
    config = routed()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=ROUTER))
    for _ in range(40):
        if state.phase == "asking":
            state, _ = decide(config, state, Told(state.now, "ask", question="x", digits=1))
        elif state.phase == "question":
            state, _ = decide(config, state, Pressed(state.now, "1"))
    assert "it asked 10 times" in said(state)
    assert state.phase == "reserving", "the default target is being rung"


@pytest.mark.parametrize("international", [False, True])
def test_a_router_forwards_abroad_only_where_international_calls_are_on(international):
    answer = Told(0, "forward", number="+14155550100")
    _, state = call(routed(international=international), ROUTER, routers={30: answer})
    assert ("international_off" in codes(state)) is not international


def test_a_router_may_end_the_call():
    trace, state = call(routed(), ROUTER, routers={30: Told(0, "end", message=("We are closed.",))})
    assert heard(trace) == ["We are closed."]
    assert state.outcome == "message"


# --- calls that people make -------------------------------------------------------------------------------------------

HOME = CivicAddress(address="Rua A 1", city="Lisboa", state="Lisboa", zip="1000-001", country="PT")


@pytest.mark.parametrize(
    ("country", "dialled"),
    [("US", "911"), ("US", "933"), ("CA", "911"), ("GB", "999"), ("GB", "112"), ("PT", "112"), ("AU", "000"),
     ("NZ", "111"), ("FR", "112"), ("US", "9-1-1")],
)  # fmt: skip
def test_an_emergency_call_goes_out_at_once_with_the_address_and_people_are_told_after(country, dialled):
    config = company(lisbon(), office(1, "Lisbon", country=country, e911=HOME), ANA)
    state, verbs = decide(config, new_call("c", 1), Outgoing(at("03:00:00"), "user:1", dialled))
    assert isinstance(verbs[0], Transfer)
    assert (verbs[0].emergency, verbs[0].location) == (True, HOME)
    assert [type(verb) for verb in verbs[1:]] == ([Release] if dialled == "933" else [Notify, Release])
    assert state.phase == "out"


def test_somebodys_own_emergency_address_comes_before_the_offices():
    own = CivicAddress(address="Rua B 2", city="Porto", state="Porto", zip="4000-001", country="PT")
    config = company(lisbon(), office(1, "Lisbon", e911=HOME), user(1, "Ana Silva", e911=own))
    _, verbs = decide(config, new_call("c", 1), Outgoing(at("03:00:00"), "user:1", "112"))
    assert verbs[0].location == own  # type: ignore[union-attr]


def test_an_emergency_number_is_never_taken_for_an_extension():
    config = company(lisbon(), ANA, user(2, "Bob", extension="112"))
    _, verbs = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "112"))
    assert isinstance(verbs[0], Transfer)
    assert verbs[0].emergency


def test_a_colleague_who_dials_for_help_where_an_extension_is_asked_is_not_kept_from_it():
    asks = lisbon(open=routing("extension", operators=False))
    config = company(asks, ANA, BOB, numbers={"+351210000001": LISBON})
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "+351210000001"))
    assert state.phase == "extension"
    state, verbs = decide(config, state, Pressed(at("10:00:03"), "112"))
    assert isinstance(verbs[0], Transfer)
    assert verbs[0].emergency


@pytest.mark.parametrize(
    ("office_may", "user_may", "goes"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_call_abroad_needs_both_the_office_and_the_user_to_be_allowed(office_may, user_may, goes):
    config = company(lisbon(), office(1, "Lisbon", international=office_may), user(1, "Ana", international=user_may))
    state, verbs = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "+14155550100"))
    assert (state.phase == "out") is goes
    assert isinstance(verbs[-1], Transfer) is goes
    assert verbs[0] == Release((), kept="user:1"), "who calls is in a call"


def test_numbers_at_home_extensions_and_own_numbers_are_dialled():
    config = company(lisbon(ANA), ANA, BOB, numbers={"+351210000001": LISBON})
    for dialled, code in (("912345678", "dialled"), ("102", "extension"), ("210000001", "own_number")):
        _, verbs = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", dialled))
        state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", dialled))
        assert code in codes(state), dialled
        assert verbs


def test_a_number_that_is_none_is_said():
    state, _ = decide(company(lisbon(), ANA), new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "12"))
    assert (state.phase, state.outcome) == ("over", "refused")


def test_a_number_of_nobody_is_said():
    state, _ = decide(company(lisbon()), new_call("c", 1), Incoming(at("10:00:00"), number="+351210000009"))
    assert (state.phase, state.outcome) == ("over", "refused")
    assert "assigned to nobody" in said(state)


def test_a_call_that_is_not_answered_by_anybody_reserved_is_not_an_answer():
    config = company(lisbon(ANA), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    after, verbs = decide(config, state, NotAnswered(at("10:00:01")))
    assert verbs == ()
    assert after.phase == "reserving"


def test_who_is_sent_on_to_a_person_is_told_of_the_recording_too():
    config = company(lisbon(record=True, open=routing("person", Target("user", 1), operators=False)), ANA)
    trace, state = call(config, anyone=Behaviour(1))
    assert state.outcome == "answered"
    assert [text for text in heard(trace) if "recorded" in text] == ["This call may be recorded."]


@pytest.mark.parametrize("strategy", ["fixedorder", "simultaneous"])
def test_telephones_that_decline_at_once_are_left_alone_for_a_while(strategy):
    """Not rung two hundred times a minute, and the caller of a queue stays in it until its time is over."""
    config = queued(seconds=900)
    center = config.lines[CENTER]
    ringing = {"open": routing(strategy=strategy), "schedule": hours(WORKDAYS)}
    sales = line("callcenter", 10, "Sales", [ANA], queue=center.queue, **ringing)
    config = company(sales, office(1, "Lisbon"), lisbon(), ANA)
    trace, state = call(config, CENTER, people={"user:1": Behaviour(missed="declined", busy_seconds=20)})
    assert "queue_time_over" in codes(state)
    assert len(rung(trace)) <= 900 // 5
    assert ends_at(state) == CENTER


def test_a_caller_waits_in_the_queue_also_while_the_only_operator_is_being_rung():
    config = queued()
    state, verbs = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert asked.seconds == 0
    state, _ = decide(config, state, Reserved(at("10:00:00"), rung=("user:1",)))
    assert state.queued


@pytest.mark.parametrize(("number", "home"), [("+14165550123", True), ("+18765551234", False), ("+18095551234", False)])
def test_a_shared_calling_code_is_not_home(number, home):
    config = company(lisbon(), office(1, "Lisbon", country="US"), ANA)
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", number))
    assert (state.phase == "out") is home


@pytest.mark.parametrize("who", ["user:1", "user:404", "nobody"])
@pytest.mark.parametrize("dialled", ["911", "911#"])
def test_help_is_called_whoever_calls_it(who, dialled):
    config = company(lisbon(), office(1, "Lisbon", country="US", e911=HOME), ANA)
    state, verbs = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), who, dialled))
    assert isinstance(verbs[0], Transfer)
    assert (verbs[0].number, verbs[0].emergency, verbs[0].location) == ("911", True, HOME)
    assert state.phase == "out"


def test_a_whole_name_comes_before_those_that_begin_with_it():
    people = [user(50, "Bo Li"), *(user(60 + index, f"Bo{index} Ling") for index in range(10))]
    menu = routing("menu", operators=False, keys={"1": Choice("last_name_directory")})
    _, state = call(company(lisbon(open=menu), *people), keys=("1", "54#"), anyone=Behaviour(1))
    assert state.talking == "user:50"


def test_of_more_people_than_keys_nine_are_offered():
    people = [user(60 + index, "John Smith") for index in range(12)]
    menu = routing("menu", operators=False, keys={"1": Choice("directory")})
    _, state = call(company(lisbon(open=menu), *people), keys=("1", "76484#", "9"), anyone=Behaviour(1))
    assert state.outcome == "answered"
    assert "3 more are not offered" in said(state)
