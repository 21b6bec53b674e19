"""A call at a line: whom it rings, in which order, and who waits."""

import itertools
from dataclasses import replace

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Choice, Company, Operator, Queue
from offhook.routing.plan import (
    Answer,
    Answered,
    Event,
    HungUp,
    Incoming,
    NotAnswered,
    Play,
    Pressed,
    Record,
    Release,
    Reserve,
    Reserved,
    Ring,
)
from offhook.routing.simulate import MOST_STEPS, Behaviour, Script, simulate
from offhook.routing.state import CallState, new_call
from offhook.routing.strategies import Facts, order
from offhook.routing.trace import ends_at
from tests.routing.companies import company, hours, line, office, routing
from tests.routing.random_companies import STRATEGIES
from tests.routing.stories import (
    ANA,
    BOB,
    EVE,
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


def test_the_rotation_goes_on_where_calls_have_left_it_and_not_at_another_lines():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="roundrobin")), ANA, BOB, EVE)
    trace, _ = call(config, rotations={"office:1": ("user:2", "user:3", "user:1")})
    assert [names for names, _ in rung(trace)] == [("Bob Stone",), ("Eve Stone",), ("Ana Silva",)]
    trace, _ = call(config, rotations={"office:2": ("user:2", "user:3", "user:1")})
    assert rung(trace)[0][0] == ("Ana Silva",)


def test_what_is_recorded_is_said_before_the_two_are_connected():
    trace, _ = call(company(lisbon(ANA, record=True), ANA), anyone=Behaviour(1))
    verbs = [type(verb).__name__ for step in trace.steps for verb in step.verbs]
    assert verbs.index("Record") == verbs.index("Bridge") - 1
    trace, _ = call(company(lisbon(ANA), ANA), anyone=Behaviour(1))
    assert "Record" not in [type(verb).__name__ for step in trace.steps for verb in step.verbs]


def test_a_random_order_is_made_again_from_its_seed():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="random")), ANA, BOB, EVE)
    first = Incoming(at("10:00:00"), target=LISBON)
    orders = {seed: tuple(names for names, _ in rung(simulate(config, first, Script(), seed)[0])) for seed in range(20)}
    assert len(set(orders.values())) == 6
    assert orders[7] == tuple(names for names, _ in rung(simulate(config, first, Script(), 7)[0]))


def test_a_new_random_order_is_rung_from_its_first_one_on():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="random"), ring_seconds=45), ANA, BOB, EVE)
    first = Incoming(at("10:00:00"), target=LISBON)
    again = 0
    for seed in range(60):
        names = [name for (name,), _ in rung(simulate(config, first, Script(), seed)[0])]
        drawn = [
            [name.split()[0] for name in order("random", ("Ana", "Bob", "Eve"), Facts(), seed=seed, shuffle=number)]
            for number in (0, 1)
        ]
        assert [name.split()[0] for name in names] == [*drawn[0], *drawn[1][:2]]
        again += names[3] == names[0]
    assert 10 < again < 30, "as often as each of three is first"


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


LONG = "Lisbon " * 24


@pytest.mark.parametrize(
    ("strategy", "seconds", "rings"),
    [
        ("fixedorder", 30, [("Ana Silva",), ("Bob Stone",), ("Eve Stone",)]),
        ("simultaneous", 10, [("Ana Silva", "Bob Stone", "Eve Stone")]),
    ],
)
def test_a_welcome_takes_no_ring_time_away(strategy, seconds, rings):
    more = {"open": routing(strategy=strategy), "ring_seconds": seconds, "prompts": {"DEPARTMENT_INTRO": "ab"}}
    config = company(replace(lisbon(ANA, BOB, EVE, **more), name=LONG), ANA, BOB, EVE)
    trace, state = call(config)
    assert rung(trace) == [(names, 10) for names in rings]
    assert trace.steps[1].event.at - trace.steps[0].event.at > 10_000
    assert "ring_time_over" in codes(state)


def test_after_a_welcome_too_an_operator_who_is_rung_by_another_is_waited_for_within_the_ring_time():
    config = company(lisbon(ANA, prompts={"DEPARTMENT_INTRO": "ab"}), ANA)
    state, verbs = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert (asked.seconds, asked.wait_for) == (0, "whoever_is_rung")
    state, verbs = decide(config, state, Reserved(at("10:00:13"), rung=("user:1",)))
    [asked] = verbs
    assert isinstance(asked, Reserve)
    assert (asked.seconds, asked.wait_for, asked.since) == (30, "whoever_is_rung", at("10:00:00"))
    assert "Ana Silva is being rung by another caller: the caller waits" in said(state)
    after, verbs = decide(config, state, Reserved(at("10:00:25"), members=("user:1",)))
    assert isinstance(verbs[-1], Ring)
    assert verbs[-1].seconds == 18
    after, verbs = decide(config, state, Reserved(at("10:00:25"), busy=("user:1",)))
    assert after.phase == "voicemail"


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


def test_a_caller_who_hangs_up_while_it_rings_frees_everybody():
    config = company(lisbon(ANA, BOB), ANA, BOB)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), members=("user:1", "user:2")))
    state, verbs = decide(config, state, HungUp(at("10:00:05")))
    assert verbs[0] == Release(("user:1", "user:2"))
    assert (state.phase, state.outcome) == ("over", "abandoned")


def test_who_was_not_told_of_it_is_not_recorded():
    config = company(lisbon(ANA), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), members=("user:1",)))
    # The line records from now on, while it rings.
    config = company(lisbon(ANA, record=True), ANA)
    state, verbs = decide(config, state, Answered(at("10:00:05"), "user:1"))
    assert not any(isinstance(verb, Record) for verb in verbs)
    assert "not_recorded" in codes(state)


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


def test_a_call_that_is_not_answered_by_anybody_reserved_is_not_an_answer():
    config = company(lisbon(ANA), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    after, verbs = decide(config, state, NotAnswered(at("10:00:01")))
    assert verbs == ()
    assert after.phase == "reserving"


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


@pytest.mark.parametrize("seconds", [0, 15, 120, 600])
def test_who_waits_is_decided_anew_each_minute_and_hears_their_place_when_it_is_due(seconds):
    trace, state = call(queued(seconds=1500, announce_seconds=seconds), CENTER, anyone=Behaviour(busy_seconds=None))
    spells = [verb.seconds for step in trace.steps for verb in step.verbs if isinstance(verb, Reserve)]
    assert max(spells) == min(seconds or 60, 60)
    places = [reason.at for reason in state.reasons if reason.code == "place_said"]
    waited = [after - before for before, after in itertools.pairwise([at("10:00:00"), *places])]
    assert all(seconds * 1000 <= each <= seconds * 1000 + 3_000 * -(-seconds // 60) for each in waited)
    assert bool(places) == bool(seconds)


def test_to_be_rung_for_meanwhile_puts_no_place_off():
    config = queued()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    state, _ = decide(config, state, Reserved(at("10:00:15"), members=("user:1",)))
    state, verbs = decide(config, state, NotAnswered(at("10:00:25")))
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert asked.seconds == 5


def test_a_place_is_said_only_by_who_knows_it():
    config = queued()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",), ahead=1))
    state, _ = decide(config, state, Reserved(at("10:00:28"), members=("user:1",)))
    state, verbs = decide(config, state, NotAnswered(at("10:00:38")))
    assert "place_said" not in codes(state)
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert asked.seconds == 1
    state, _ = decide(config, state, Reserved(at("10:00:39"), busy=("user:1",), ahead=1))
    assert "they are number 2 in the queue" in said(state)


@pytest.mark.parametrize("unattended", [False, True])
def test_a_full_queue_asks_nobody_to_hold(unattended):
    sales = queued(most=1, unattended=unattended).lines[CENTER]
    config = company(replace(sales, operators=() if unattended else sales.operators), office(1, "Lisbon"), lisbon())
    began, verbs = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    [asked] = verbs
    assert isinstance(asked, Reserve)
    assert (asked.seconds, asked.wait_for, asked.most_waiting) == (0, "whoever_is_free", 1)
    busy = () if unattended else ("user:1",)
    state, verbs = decide(config, began, Reserved(at("10:00:00"), busy=busy, full=True))
    assert state.phase == "voicemail"
    assert not any(isinstance(verb, Play) for verb in verbs)
    assert "The queue of Sales has no place left: 1 caller waits." in said(state)
    state, verbs = decide(config, began, Reserved(at("10:00:00"), busy=busy))
    assert [type(verb) for verb in verbs] == [Answer, Play, Reserve]
    [*_, asked] = verbs
    assert isinstance(asked, Reserve)
    assert (asked.wait_for, asked.most_waiting) == ("whoever_is_free", 0), "the place is theirs already"


def test_who_waits_in_a_queue_that_is_no_more_goes_on():
    state, _ = decide(queued(), new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(queued(), state, Reserved(at("10:00:00"), busy=("user:1",)))
    sales = replace(queued().lines[CENTER], queue=None)
    state, verbs = decide(company(sales, lisbon(), ANA), state, Reserved(at("10:01:00"), busy=("user:1",)))
    assert (state.phase, state.queued, verbs[0]) == ("voicemail", 0, Release(()))


def test_a_key_leaves_the_queue_and_others_do_nothing():
    config = queued()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    state, verbs = decide(config, state, Pressed(at("10:00:05"), "5"))
    assert verbs == ()
    state, verbs = decide(config, state, Pressed(at("10:00:06"), "*"))
    assert state.phase == "voicemail"
    assert verbs[0] == Release(())


def queued_again(*before: Event) -> CallState:
    """A caller who was in the queue, left it by its key, and pressed in the menu behind it to get there again."""
    menu = routing("menu", strategy="fixedorder", keys={"1": Choice("operator")})
    center = replace(queued(seconds=900).lines[CENTER], open=menu)
    config = company(center, office(1, "Lisbon"), lisbon(), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    for event in (*before, Pressed(at("10:01:00"), "*"), Pressed(at("10:01:20"), "1")):
        state, _ = decide(config, state, event)
    assert (state.phase, state.queued) == ("reserving", 0)
    return decide(config, state, Reserved(at("10:01:20"), busy=("user:1",), ahead=3))[0]


def test_who_leaves_the_queue_while_nobody_is_rung_waits_anew_without_that():
    declined = NotAnswered(at("10:00:59"), {"user:1": "declined"})
    state = queued_again(Reserved(at("10:00:58"), members=("user:1",)), declined)
    assert "pause" in codes(state)
    assert "pause_over" not in codes(state)
    assert codes(state)[-1] == "queued"


def test_who_comes_to_the_queue_anew_hears_their_place_after_the_whole_interval():
    state = queued_again(Reserved(at("10:00:34"), busy=("user:1",)))
    assert codes(state).count("place_said") == 1
    assert codes(state)[-1] == "queued"


def test_a_key_leaves_the_queue_also_while_an_operator_is_rung():
    config = queued()
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    state, verbs = decide(config, state, Reserved(at("10:00:15"), members=("user:1",)))
    [ring] = verbs
    assert isinstance(ring, Ring)
    assert ring.keys == "*"
    state, verbs = decide(config, state, Pressed(at("10:00:16"), "5"))
    assert (state.phase, verbs) == ("ringing", ())
    state, verbs = decide(config, state, Pressed(at("10:00:17"), "*"))
    assert (state.phase, state.queued, state.reserved) == ("voicemail", 0, ())
    assert verbs[:2] == (Release(("user:1",)), Release(()))
    assert "left_by_key" in codes(state)


def test_a_key_does_not_leave_an_operator_who_is_rung_for_no_queue():
    state, _ = decide(queued(), new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, verbs = decide(queued(), state, Reserved(at("10:00:00"), members=("user:1",)))
    [ring] = verbs
    assert isinstance(ring, Ring)
    assert ring.keys == ""
    state, verbs = decide(queued(), state, Pressed(at("10:00:01"), "*"))
    assert (state.phase, verbs) == ("ringing", ())


def test_a_simulated_caller_presses_it_while_it_rings():
    trace, state = call(queued(), CENTER, keys=("*",), people={"user:1": Behaviour(busy_seconds=4)})
    assert [names for names, _ in rung(trace)] == [("Ana Silva",)]
    assert "left_by_key" in codes(state)
    trace, state = call(queued(), CENTER, keys=("*",), people={"user:1": Behaviour(1, busy_seconds=4)})
    assert state.outcome == "answered", "who answers sooner has the call"


@pytest.mark.parametrize(("stays", "outcome"), [(False, "closed_while_waiting"), (True, "queue_time_over")])
def test_a_line_that_closes_sends_its_waiting_callers_away_unless_they_may_stay(stays, outcome):
    config = queued(seconds=1800, stays_after_closing=stays)
    _, state = call(config, CENTER, clock="17:50:00", anyone=Behaviour(busy_seconds=None))
    assert outcome in codes(state)


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


def test_they_are_left_alone_once_for_five_seconds():
    people = {"user:1": Behaviour(missed="declined"), "user:2": Behaviour(missed="declined")}
    config = company(lisbon(ANA, BOB, open=routing(strategy="fixedorder"), ring_seconds=45), ANA, BOB)
    trace, state = call(config, people=people)
    began = trace.steps[0].event.at
    rings = [(step.event.at - began) // 1000 for step in trace.steps for verb in step.verbs if isinstance(verb, Ring)]
    assert rings[:6] == [0, 1, 7, 8, 14, 15]
    assert [code for code in codes(state) if code.startswith("pause")][:4] == ["pause", "pause_over"] * 2
    assert "turns_again" not in codes(state)


def test_nobody_pauses_who_has_no_time_left_to_ring_anybody_after_it():
    people = {"user:1": Behaviour(missed="declined"), "user:2": Behaviour(missed="declined")}
    config = company(lisbon(ANA, BOB, open=routing(strategy="fixedorder"), ring_seconds=10), ANA, BOB)
    trace, state = call(config, people=people)
    assert [code for code in codes(state) if code in ("pause", "pause_over", "ring_time_over")] == [
        "pause", "pause_over", "ring_time_over",
    ]  # fmt: skip
    assert trace.steps[-2].event.at - trace.steps[0].event.at == 9_000
    assert "just declined or were busy, and no more than 5 of the 10 s in which it rings are left" in said(state)


@pytest.mark.parametrize(("late", "then"), [(0, "rung"), (600, "ring_time_over")])
def test_a_pause_that_took_all_the_time_says_so(late, then):
    config = company(lisbon(ANA, open=routing(strategy="fixedorder"), ring_seconds=10), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), members=("user:1",)))
    state, _ = decide(config, state, NotAnswered(at("10:00:04"), {"user:1": "declined"}))
    assert codes(state)[-1] == "pause"
    state, _ = decide(config, state, Reserved(at("10:00:09") + late))
    state, _ = decide(config, state, Reserved(at("10:00:09") + late, members=("user:1",)))
    assert then in codes(state)[-3:]


def test_a_pause_in_a_queue_is_no_longer_than_the_queue_allows():
    center = replace(queued(seconds=60, announce_seconds=0).lines[CENTER], open=routing(strategy="fixedorder"))
    config = company(center, office(1, "Lisbon"), lisbon(), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    state, _ = decide(config, state, Reserved(at("10:00:00"), busy=("user:1",)))
    state, _ = decide(config, state, Reserved(at("10:00:57"), members=("user:1",)))
    after, verbs = decide(config, state, NotAnswered(at("10:00:58"), {"user:1": "declined"}))
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert (asked.seconds, after.pausing) == (2, True)
    after, _ = decide(config, state, NotAnswered(at("10:01:01"), {"user:1": "declined"}))
    assert "queue_time_over" in codes(after)
    assert after.phase == "voicemail"


def test_steps_that_take_milliseconds_take_no_seconds_from_a_turn():
    config = company(lisbon(ANA, BOB, EVE, open=routing(strategy="fixedorder"), ring_seconds=30), ANA, BOB, EVE)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    now, seconds = at("10:00:00"), []
    for who in ("user:1", "user:2", "user:3"):
        state, verbs = decide(config, state, Reserved(now + 5, members=(who,)))
        [ring] = verbs
        assert isinstance(ring, Ring)
        seconds.append(ring.seconds)
        now += 5 + ring.seconds * 1000
        state, _ = decide(config, state, NotAnswered(now))
    assert seconds == [10, 10, 10]
    assert "The 30 s in which Lisbon rings are over." in said(state)


def test_who_declines_as_soon_as_they_are_free_is_left_alone_too_and_not_rung_again_at_once():
    center = replace(queued(seconds=60, announce_seconds=0).lines[CENTER], open=routing(strategy="fixedorder"))
    config = company(center, office(1, "Lisbon"), lisbon(), ANA)
    trace, _ = call(config, CENTER, people={"user:1": Behaviour(missed="declined", busy_seconds=20)})
    began = trace.steps[0].event.at
    rings = [(step.event.at - began) // 1000 for step in trace.steps for verb in step.verbs if isinstance(verb, Ring)]
    assert rings[:3] == [20, 26, 32]


def test_who_declines_after_another_caller_rang_them_is_left_alone_too():
    config = company(lisbon(ANA, open=routing(strategy="fixedorder")), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:12"), members=("user:1",)))
    state, _ = decide(config, state, NotAnswered(at("10:00:13"), {"user:1": "declined"}))
    assert codes(state)[-1] == "pause"


def test_a_caller_waits_in_the_queue_also_while_the_only_operator_is_being_rung():
    config = queued()
    state, verbs = decide(config, new_call("c", 1), Incoming(at("10:00:00"), target=CENTER))
    asked = verbs[-1]
    assert isinstance(asked, Reserve)
    assert asked.seconds == 0
    state, _ = decide(config, state, Reserved(at("10:00:00"), rung=("user:1",)))
    assert state.queued


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("missed", ["declined", "unreachable"])
def test_a_telephone_that_declines_is_not_rung_over_and_over_because_a_colleague_is_in_a_call(strategy, missed):
    people = {"user:1": Behaviour(missed=missed), "user:2": Behaviour(busy_seconds=None)}
    config = company(lisbon(ANA, BOB, open=routing(strategy=strategy), ring_seconds=45), ANA, BOB)
    trace, _ = call(config, people=people)
    assert len(rung(trace)) <= 45 // 5 + 1
    assert "All operators had their turn" not in " ".join(r.text for step in trace.steps for r in step.reasons)


def test_who_has_waited_when_the_line_closes_is_rung_through_to_whoever_is_on_call():
    more = {"queue": Queue(most=5, seconds=900), "open": routing(strategy="fixedorder"), "schedule": hours(WORKDAYS)}
    center = line("callcenter", 10, "Sales", [ANA], closed=routing(strategy="fixedorder"), **more)
    config = company(center, office(1, "Lisbon"), lisbon(), ANA)
    state, _ = decide(config, new_call("c", 1), Incoming(at("17:58:50"), target=CENTER))
    state, verbs = decide(config, state, Reserved(at("17:59:00"), busy=("user:1",)))
    assert state.queued
    [*_, asked] = verbs
    assert isinstance(asked, Reserve)
    assert asked.since == at("17:58:50"), "who came first is first in the queue"
    state, verbs = decide(config, state, Reserved(at("18:00:00"), busy=("user:1",)))
    assert "closed_while_waiting" in codes(state)
    [_, asked] = verbs
    assert isinstance(asked, Reserve)
    assert (asked.members, asked.wait_for, state.queued) == (("user:1",), "whoever_is_rung", 0)
    assert asked.since == at("17:58:50"), "who has waited longest is still first"


def test_a_queue_says_what_is_so():
    center = queued(unattended=True).lines[CENTER]
    nobody = line("callcenter", 10, "Sales", [], queue=center.queue, schedule=hours(WORKDAYS))
    _, state = call(company(nobody, office(1, "Lisbon"), lisbon()), CENTER)
    assert "There is nobody to ring: the caller waits" in said(state)
    more = {"queue": center.queue, "schedule": hours(WORKDAYS), "closed": routing(strategy="fixedorder")}
    closed = line("callcenter", 10, "Sales", [ANA], **more)
    config = company(closed, office(1, "Lisbon"), lisbon(), ANA)
    _, state = call(config, CENTER, clock="20:00:00", people={"user:1": Behaviour(busy_seconds=None)})
    assert "Nobody of Sales was free: Ana Silva is in a call." in said(state)


def test_a_call_that_would_be_told_for_hours_stops_and_is_not_over():
    queue = Queue(most=5, seconds=18_000)
    more = {"queue": queue, "open": routing(strategy="fixedorder"), "schedule": hours(WORKDAYS)}
    center = line("callcenter", 10, "Sales", [ANA], **more)
    config = company(center, office(1, "Lisbon"), lisbon(), ANA)
    trace, state = call(config, CENTER, people={"user:1": Behaviour(busy_seconds=5)})
    assert len(trace.steps) == MOST_STEPS
    assert state.phase != "over"
