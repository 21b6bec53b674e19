"""A call at somebody, or at what is neither a line nor a menu: people, rooms, contacts, teams, call routers."""

from dataclasses import replace

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Choice, Company, Contact, Router, Team
from offhook.routing.plan import (
    Ask,
    Gather,
    Incoming,
    Outgoing,
    Pressed,
    Record,
    Ring,
    Told,
)
from offhook.routing.simulate import Behaviour, Script, simulate
from offhook.routing.state import new_call
from offhook.routing.trace import ends_at
from tests.routing.companies import company, hours, line, office, room, routing, user
from tests.routing.stories import (
    ANA,
    BOB,
    LISBON,
    SALES,
    WORKDAYS,
    at,
    call,
    codes,
    heard,
    lisbon,
    rung,
    said,
)

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


def test_who_is_sent_on_to_a_person_is_told_of_the_recording_too():
    config = company(lisbon(record=True, open=routing("person", Target("user", 1), operators=False)), ANA)
    trace, state = call(config, anyone=Behaviour(1))
    assert state.outcome == "answered"
    assert [text for text in heard(trace) if "recorded" in text] == ["This call may be recorded."]


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


@pytest.mark.parametrize(
    ("events", "gone"),
    [
        ((Incoming(at("10:00:00"), target=SALES), Pressed(at("10:00:03"), "1")), "department 10"),
        ((Incoming(at("10:00:00"), target=ROUTER), Told(at("10:00:03"), "route", SALES)), "callrouter 30"),
        (
            (
                Incoming(at("10:00:00"), target=ROUTER),
                Told(at("10:00:03"), "ask", message=("Which?",), question="q", digits=2),
                Pressed(at("10:00:05"), "12"),
            ),
            "callrouter 30",
        ),
        ((Incoming(at("10:00:00"), target=Target("department", 11)), Told(at("10:00:03"), "end")), "department 11"),
    ],
)
def test_what_is_deleted_while_a_call_is_there_is_named_before_the_office_takes_a_message(events, gone):
    menu = line("department", 10, "Sales", open=routing("menu", operators=False, keys={"1": Choice("voicemail")}))
    scripted = line("department", 11, "Orders", open=routing("scripted_ivr", operators=False), script="orders")
    before = company(lisbon(), menu, scripted, Router(30, "By account", 1))
    state = new_call("c", 1)
    for event in events[:-1]:
        state, _ = decide(before, state, event)
    state, _ = decide(company(lisbon()), state, events[-1])
    assert [reason.text for reason in state.reasons if reason.code == "target_gone"] == [
        f"There is no {gone} any more, where the call was."
    ]
    assert ends_at(state) == LISBON


def test_a_router_may_end_the_call():
    trace, state = call(routed(), ROUTER, routers={30: Told(0, "end", message=("We are closed.",))})
    assert heard(trace) == ["We are closed."]
    assert state.outcome == "message"


def test_a_caller_whom_a_router_sends_outside_may_leave_a_message_if_nobody_answers_there():
    routers = {30: Told(0, "forward", number="+351912345678")}
    _, state = call(routed(), ROUTER, routers=routers, people={"+351912345678": Behaviour()})
    assert "+351912345678 did not answer." in said(state)
    assert (state.outcome, ends_at(state)) == ("voicemail", LISBON)
    _, state = call(routed(), ROUTER, routers=routers)
    assert state.outcome == "answered"


@pytest.mark.parametrize(("does", "said_of_it"), [(Behaviour(missed="busy"), "was busy"), (Behaviour(4), "answered")])
def test_of_a_colleague_whom_a_router_sends_outside_the_number_outside_is_named(does, said_of_it):
    config = replace(routed(), numbers={"+351213000007": ROUTER})
    script = Script(routers={30: Told(0, "forward", number="+351912345678")}, people={"+351912345678": does})
    _, state = simulate(config, Outgoing(at("10:00:00"), "user:1", "+351213000007"), script)
    assert f"+351912345678 {said_of_it}." in said(state)
    assert f"+351213000007 {said_of_it}." not in said(state)


@pytest.mark.parametrize(("office_records", "sales_record"), [(True, False), (False, True)])
def test_the_line_that_a_call_came_through_last_says_whether_it_is_recorded(office_records, sales_record):
    on = routing("department", SALES, operators=False)
    to_ana = routing("person", Target("user", 1), operators=False)
    sales = line("department", 10, "Sales", record=sales_record, open=to_ana, schedule=hours(WORKDAYS))
    trace, state = call(company(lisbon(record=office_records, open=on), sales, ANA), anyone=Behaviour(1))
    assert state.outcome == "answered"
    recorded = any(isinstance(verb, Record) for step in trace.steps for verb in step.verbs)
    assert recorded is sales_record


@pytest.mark.parametrize(
    ("box", "code"),
    [
        (Target("user", 2), "box_inactive"),
        (Target("user", 99), "box_gone"),
        (Target("unknown", 0), "box_gone"),
        (Target("callrouter", 30), "box_missing"),
    ],
)
def test_a_voicemail_that_is_not_there_is_said_before_the_office_takes_the_message(box, code):
    closed = routing("voicemail", box, operators=False)
    things = lisbon(open=closed), user(2, "Bob", state="suspended"), Router(30, "Orders", 1)
    _, state = call(company(*things))
    assert code in codes(state)
    assert ends_at(state) == LISBON
