"""Calls that people make: to help, to colleagues, to numbers outside."""

import pytest

from offhook.emergency.model import CivicAddress
from offhook.routing.decide import decide
from offhook.routing.outbound import keys_of
from offhook.routing.plan import (
    Answered,
    CarrierCalled,
    CarrierFailed,
    Ended,
    Event,
    Hangup,
    HungUp,
    Missed,
    NotAnswered,
    Notify,
    Outgoing,
    Pressed,
    Release,
    Reserved,
    Ring,
    Transfer,
)
from offhook.routing.simulate import Behaviour, Script, simulate
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import replay
from tests.routing.companies import company, office, routing, user
from tests.routing.stories import (
    ANA,
    BOB,
    LISBON,
    at,
    codes,
    lisbon,
    said,
)


def test_an_outgoing_call_has_begun_too():
    config = company(lisbon(ANA), ANA)
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "112"))
    assert state.began == at("10:00:00")


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
    assert [type(verb) for verb in verbs[1:]] == [Release]
    assert state.phase == "out"
    state, verbs = decide(config, state, CarrierCalled(at("03:00:01"), "Out"))
    who, number = "user:1", keys_of(dialled)
    assert verbs == (() if dialled == "933" else (Notify(1, who, number),))
    assert f"{number} is called by the trunk Out." in said(state)
    # Once, whatever follows.
    for event in (CarrierFailed(at("03:00:02"), 503), CarrierCalled(at("03:00:03")), NotAnswered(at("03:00:40"))):
        state, verbs = decide(config, state, event)
        assert not [verb for verb in verbs if isinstance(verb, Notify)]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (NotAnswered(at("03:00:01"), {"911": "unreachable"}, fault="the company has no trunk"), "no trunk"),
        (HungUp(at("03:00:01")), "hung up before a carrier was called"),
        (HungUp(at("03:00:01"), cause="the server stopped"), "the server stopped"),
        (Ended(at("03:00:01"), "no telephone"), "no telephone"),
    ],
)
def test_of_a_call_for_help_that_no_carrier_was_called_with_it_is_never_said_that_it_was_placed(event, why):
    config = company(lisbon(), office(1, "Lisbon", country="US", e911=HOME), ANA)
    state, _ = decide(config, new_call("c", 1), Outgoing(at("03:00:00"), "user:1", "911"))
    assert "emergency_notice" not in codes(state)
    state, verbs = decide(config, state, event)
    [notice] = [verb for verb in verbs if isinstance(verb, Notify)]
    assert (notice.office_id, notice.who, notice.number) == (1, "user:1", "911")
    assert why in notice.fault
    assert "emergency_notice" not in codes(state)
    assert f"NO HELP WAS CALLED: {notice.fault}. The event log of Lisbon tells of it." in said(state)
    assert state.phase == "over"


def test_a_call_that_no_trunk_takes_says_why_and_one_that_goes_out_by_which():
    state = dialled(NotAnswered(at("10:00:01"), {FAR: "unreachable"}, fault=f"no trunk takes {FAR}"))
    assert f"{FAR} could not be reached: no trunk takes {FAR}." in said(state)
    state = dialled(CarrierFailed(at("10:00:01"), 503, carrier="Cheap"), Answered(at("10:00:05"), FAR, "Dear"))
    assert "The trunk Cheap did not take the call: it answered 503." in said(state)
    assert f"{FAR} answered, by the trunk Dear." in said(state)


def test_a_number_that_no_trunk_takes_is_said_of_who_is_rung_there():
    config = company(lisbon(), ANA, user(2, "Bob", extension="102", devices=(), forwarding=(FAR,)))
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "102"))
    state, _ = decide(config, state, Reserved(at("10:00:00"), ("user:2",)))
    fault = f"{FAR}: the company has no trunk"
    state, _ = decide(config, state, NotAnswered(at("10:00:01"), {"user:2": "unreachable"}, fault=fault))
    assert f"No trunk for {fault}." in said(state)


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


@pytest.mark.parametrize(
    ("dialled", "kept", "text"),
    [
        ("777", "777", "dialled 777, which is nobody's extension and no number in PT."),
        ("*777", "*777", "dialled *777, which is no number in PT."),
        ("7-7-7", "777", "dialled 777, which is nobody's extension and no number in PT."),
        ("abc", "abc", "dialled abc, in which there is nothing to call."),
        ("x" * 99, "x" * 32, f"dialled {'x' * 32}, in which there is nothing to call."),
        ("", "", "dialled nothing."),
    ],
)
def test_what_was_dialled_that_is_none_is_said(dialled, kept, text):
    state, _ = decide(company(lisbon(), ANA), new_call("c", 1), Outgoing(at("10:00:00"), "user:1", dialled))
    assert (state.outcome, state.dialled) == ("refused", kept)
    assert text in said(state)


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


FAR = "+351912345678"


def dialled(*events: Event) -> CallState:
    """Ana calls a number outside, and then this happens."""
    state, _ = decide(company(lisbon(), ANA), new_call("c", 1), Outgoing(at("10:00:00"), "user:1", FAR))
    for event in events:
        state, _ = decide(company(lisbon(), ANA), state, event)
    return state


@pytest.mark.parametrize(
    ("events", "outcome", "reason"),
    [
        ([Answered(at("10:00:09"), FAR), Ended(at("10:02:00"))], "answered", f"{FAR} answered."),
        ([Answered(at("10:00:09"), FAR), HungUp(at("10:02:00"))], "answered", "hung up after the talk"),
        ([NotAnswered(at("10:00:30"), {FAR: "busy"})], "not_answered", f"{FAR} was busy."),
        ([NotAnswered(at("10:00:30"))], "not_answered", f"{FAR} did not answer."),
        ([HungUp(at("10:00:05"))], "abandoned", "hung up while it rang outside"),
        ([Ended(at("10:00:30"))], "not_answered", "The other side hung up."),
        ([Ended(at("10:00:01"), "no trunk")], "failed", "no trunk"),
    ],
)
def test_a_call_to_outside_counts_as_answered_only_once_it_was(events, outcome, reason):
    state = dialled(*events)
    assert (state.phase, state.outcome) == ("over", outcome)
    assert reason in said(state)


def test_an_answer_that_was_given_is_not_taken_back():
    state = dialled(Answered(at("10:00:09"), FAR), NotAnswered(at("10:00:30")), Answered(at("10:00:31"), FAR))
    assert state.phase == "out"
    assert codes(state).count("answered") == 1


@pytest.mark.parametrize(("does", "outcome"), [(Behaviour(3), "answered"), (Behaviour(missed="busy"), "not_answered")])
def test_a_simulated_call_to_outside_is_answered_by_whoever_does_so(does, outcome):
    config = company(lisbon(), ANA)
    trace, state = simulate(config, Outgoing(at("10:00:00"), "user:1", FAR), Script(people={FAR: does}))
    assert state.outcome == outcome
    assert replay(config, trace) == trace


@pytest.mark.parametrize(("missed", "why"), [("no_answer", {}), ("busy", {FAR: "busy"})])
def test_of_a_number_outside_that_lets_it_ring_a_simulation_tells_nothing_more(missed: Missed, why: dict[str, Missed]):
    config = company(lisbon(), ANA)
    people = {FAR: Behaviour(missed=missed)}
    trace, _ = simulate(config, Outgoing(at("10:00:00"), "user:1", FAR), Script(people=people))
    [event] = [step.event for step in trace.steps if isinstance(step.event, NotAnswered)]
    assert event.why == why


@pytest.mark.parametrize("dialled", ["911", "112", "000"])
def test_where_the_country_has_no_dialling_plan_whatever_is_help_anywhere_is_help(dialled):
    config = company(lisbon(), office(1, "At sea", country="DP"), ANA)
    _, verbs = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", dialled))
    assert isinstance(verbs[0], Transfer)
    assert verbs[0].emergency


def test_who_is_suspended_calls_nobody_but_help():
    config = company(lisbon(), user(1, "Ana", state="suspended"))
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", FAR))
    assert (state.outcome, "Ana is suspended" in said(state)) == ("refused", True)
    _, verbs = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "112"))
    assert isinstance(verbs[0], Transfer)


def test_help_that_is_dialled_where_an_extension_is_asked_is_called_by_its_own_name():
    config = company(lisbon(open=routing("extension", operators=False)), ANA, BOB, numbers={"+351210000001": LISBON})
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "+351210000001"))
    state, _ = decide(config, state, Pressed(at("10:00:03"), "112"))
    state, _ = decide(config, state, NotAnswered(at("10:00:40")))
    assert "112 did not answer." in said(state)


def test_who_calls_is_in_a_call_and_never_rung_by_it():
    config = company(lisbon(ANA, BOB), ANA, BOB, numbers={"+351210000001": LISBON})
    for dialled in ("101", "+351210000001"):
        first = Outgoing(at("10:00:00"), "user:1", dialled)
        trace, _ = simulate(config, first, Script(anyone=Behaviour(3)))
        rang = [leg.who for step in trace.steps for verb in step.verbs if isinstance(verb, Ring) for leg in verb.legs]
        assert "user:1" not in rang


def test_a_call_for_help_is_ended_by_nobody_at_an_api_and_a_test_of_it_is():
    config = company(lisbon(), office(1, "Lisbon", country="US", e911=HOME), ANA)
    for dialled, phase in (("911", "out"), ("933", "over")):
        state, _ = decide(config, new_call("c", 1), Outgoing(at("03:00:00"), "user:1", dialled))
        state, _ = decide(config, state, Answered(at("03:00:05"), dialled))
        state, verbs = decide(config, state, HungUp(at("03:00:06"), ours=True))
        assert (state.phase, bool(verbs)) == (phase, phase == "over"), dialled
    state, _ = decide(config, new_call("c", 1), Outgoing(at("03:00:00"), "user:1", "911"))
    state, _ = decide(config, state, HungUp(at("03:00:06")))
    assert state.phase == "over"


def test_what_a_number_answers_is_what_its_caller_is_answered():
    for code, text in ((486, "was busy"), (404, "is not in use"), (484, "is no whole number"), (603, "declined")):
        why: dict[str, Missed] = {"+351912345678": {486: "busy", 603: "declined"}.get(code, "unreachable")}  # type: ignore[dict-item]
        state, _ = decide(company(lisbon(), ANA), new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "+351912345678"))
        state, verbs = decide(company(lisbon(), ANA), state, NotAnswered(at("10:00:05"), why, code))
        assert verbs == (Hangup("unavailable", code),)
        assert f"+351912345678 {text}, it answered {code}." in said(state)


def test_carriers_that_did_not_take_a_call_are_in_its_story():
    state, _ = decide(company(lisbon(), ANA), new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "112"))
    failed = (CarrierFailed(0, 503), CarrierFailed(0), CarrierFailed(0, 415, location=True))
    for event in failed:
        state, verbs = decide(company(lisbon(), ANA), state, event)
        assert ([verb for verb in verbs if not isinstance(verb, Notify)], state.phase) == ([], "out")
    assert [one for one in codes(state) if one != "emergency_notice"][-3:] == [
        "carrier_failed", "carrier_silent", "location_not_taken"
    ]  # fmt: skip
    assert "WITHOUT THE ADDRESS" in said(state)
    state, _ = decide(company(lisbon(), ANA), state, Answered(at("10:00:09"), "112"))
    state, _ = decide(company(lisbon(), ANA), state, failed[0])
    assert codes(state)[-1] == "ignored"
