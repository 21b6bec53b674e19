"""What holds for every call of every company: it ends, it says why, it can be told again, and nobody stays reserved."""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.routing.decide import decide
from offhook.routing.plan import (
    Answered,
    CameIn,
    Ended,
    Event,
    Hangup,
    HungUp,
    Incoming,
    Invited,
    Left,
    NotAnswered,
    Notify,
    Outgoing,
    Parked,
    ParkOver,
    Play,
    Pressed,
    Record,
    Recorded,
    Release,
    Reserved,
    StayedOut,
    Transfer,
    Unparked,
    Verb,
)
from offhook.routing.simulate import simulate
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import Trace, replay, story
from offhook.routing.turn import MAX_HOPS
from tests.routing.random_companies import (
    MONDAY,
    STRATEGIES,
    TARGETS,
    USERS,
    WEEK,
    answers,
    companies,
    firsts,
    scripts,
    seeds,
)

LONGEST = 4 * 3600 * 1000
"""Menus, ten lines that ring 45 s, queues of 900 s and a talk of a minute: no call of these takes four hours."""


@settings(max_examples=100, deadline=None)
@given(companies(), firsts, scripts, seeds)
def test_every_call_ends_within_its_limits_and_says_why(config, first, script, seed):
    trace, state = simulate(config, first, script, seed)
    assert state.phase == "over"
    assert state.outcome in {
        "answered", "voicemail", "no_message", "message", "unavailable", "refused", "abandoned", "failed"
    }  # fmt: skip
    assert trace.ended - trace.began <= LONGEST
    assert state.hops <= MAX_HOPS + 1
    assert all(step.reasons for step in trace.steps if step.verbs), "a step that does something says why"
    assert sum(isinstance(verb, Hangup) for step in trace.steps for verb in step.verbs) == 1
    assert all(moment.text for moment in story(trace))


@settings(max_examples=60, deadline=None)
@given(companies(), firsts, scripts, seeds)
def test_the_reasons_replay_to_the_same_verbs(config, first, script, seed):
    trace, _ = simulate(config, first, script, seed)
    again = replay(config, msgspec.json.decode(msgspec.json.encode(trace), type=Trace))
    assert again == trace


@settings(max_examples=60, deadline=None)
@given(companies(), firsts, scripts, seeds)
def test_a_call_goes_on_from_its_json_as_if_it_had_not_been_put_away(config, first, script, seed):
    trace, _ = simulate(config, first, script, seed)
    state = new_call(trace.id, trace.seed)
    for past in trace.steps:
        kept = msgspec.json.decode(msgspec.json.encode(state), type=CallState)
        assert kept == state
        following, verbs = decide(config, kept, past.event)
        assert (following, verbs) == decide(config, state, past.event)
        assert msgspec.json.decode(msgspec.json.encode(verbs), type=tuple[Verb, ...]) == verbs
        state = following


@settings(max_examples=60, deadline=None)
@given(companies(), firsts, scripts, seeds)
def test_whoever_was_reserved_is_released_on_every_way_out(config, first, script, seed):
    trace, state = simulate(config, first, script, seed)
    held: set[str] = set()
    for step in trace.steps:
        if isinstance(step.event, Reserved):
            assert not held, "nobody is reserved anew while others are held"
            held |= set(step.event.members)
        for verb in step.verbs:
            if isinstance(verb, Release):
                assert set(verb.members) | ({verb.kept} if verb.kept else set()) <= held
                held -= {*verb.members, verb.kept}
    assert not held
    assert state.reserved == ()


who = st.sampled_from([f"user:{id}" for id in USERS])


@settings(max_examples=60, deadline=None)
@given(companies(), firsts, scripts, seeds)
def test_nobody_is_recorded_who_was_not_told(config, first, script, seed):
    trace, _ = simulate(config, first, script, seed)
    told = False
    for step in trace.steps:
        for verb in step.verbs:
            told = told or (isinstance(verb, Play) and verb.prompt.purpose == "AUTO_RECORDING")
            assert told or not isinstance(verb, Record)


events = st.one_of(
    st.builds(Pressed, st.integers(0, WEEK), st.sampled_from(["", "1", "*", "26", "112", "x" * 40])),
    st.builds(Reserved, st.integers(0, WEEK), st.lists(who, max_size=3).map(tuple)),
    st.builds(Answered, st.integers(0, WEEK), who | st.sampled_from(["contact:401", "nobody"])),
    st.builds(NotAnswered, st.integers(0, WEEK)),
    answers,
    st.builds(Recorded, st.integers(0, WEEK), st.integers(0, 200)),
    st.builds(Ended, st.integers(0, WEEK), st.sampled_from(["", "no trunk"])),
    st.builds(HungUp, st.integers(0, WEEK)),
    st.builds(Parked, st.integers(0, WEEK), st.booleans()),
    st.builds(Unparked, st.integers(0, WEEK), who | st.just("nobody")),
    st.builds(ParkOver, st.integers(0, WEEK)),
    st.builds(Invited, st.integers(0, WEEK), st.sampled_from(["", "+351912345678"]), st.sampled_from(TARGETS)),
    st.builds(CameIn, st.integers(0, WEEK), who, who),
    st.builds(StayedOut, st.integers(0, WEEK), who),
    st.builds(Left, st.integers(0, WEEK), who | st.just("")),
    st.builds(Incoming, st.integers(0, WEEK), st.just(""), st.just(""), st.sampled_from(TARGETS)),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(companies(), firsts, seeds, st.lists(events, max_size=25))
def test_events_that_cannot_be_do_no_harm(config, first, seed, following: Sequence[Event]):
    """Late, doubled and mixed-up events from telephones: nothing raises, and what is over stays over."""
    state, _ = decide(config, new_call("c", seed), first)
    for event in following:
        before = msgspec.json.encode(state)
        after, verbs = decide(config, state, event)
        assert msgspec.json.encode(state) == before, "the state that was given is not changed"
        assert len(after.reasons) > len(state.reasons)
        if state.phase == "over":
            assert after.phase == "over"
            assert all(isinstance(verb, Release) for verb in verbs), "who was reserved too late is given back"
        assert after.now >= state.now
        state = after


@settings(max_examples=60, deadline=None)
@given(
    companies(),
    st.sampled_from([f"user:{id}" for id in USERS]),
    st.sampled_from(["112", "101", "102", "+14155550100", "912345678", "+351210000001", "9", "", "12" * 20]),
    st.integers(0, WEEK),
    scripts,
    seeds,
)
def test_every_call_that_a_user_makes_ends_too(config, who, dialled, at, script, seed):
    trace, state = simulate(config, Outgoing(MONDAY + at, who, dialled), script, seed)
    assert state.phase == "over"
    if dialled == "112":
        first = trace.steps[0].verbs
        assert isinstance(first[0], Transfer)
        assert first[0].emergency
        assert [type(verb) for verb in first] == [Transfer, Release]
        assert [type(verb) for step in trace.steps for verb in step.verbs].count(Notify) == 1


def test_the_strategies_of_the_wire_are_those_that_are_tried_here():
    from typing import get_args

    from offhook.directory.lines.wire import Strategy

    assert set(get_args(Strategy)) == set(STRATEGIES)
