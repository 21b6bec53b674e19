"""Lines that hand their calls to a workflow: each answer leads somewhere, and whatever is wrong to voicemail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Choice
from offhook.routing.plan import AskScript, Gather, Incoming, Pressed, Told, Voicemail
from offhook.routing.scripted import said
from offhook.routing.scripts import MOST_ASKED
from offhook.routing.simulate import Script, simulate
from offhook.routing.state import new_call
from tests.routing.companies import company, line, routing, user

LISBON, SALES = Target("office", 1), Target("department", 2)
ANA = user(1, "Ana Silva")
AT = 1_795_514_400_000


def lisbon(**more: Any) -> Any:
    more.setdefault("open", routing("scripted_ivr", operators=False))
    more.setdefault("script", "welcome")
    return company(line("office", 1, "Lisbon", (ANA,), **more), line("department", 2, "Sales", (ANA,)), ANA,
                   missing_scripts=more.pop("missing", ()))  # fmt: skip


def codes(state: Any) -> list[str]:
    return [one.code for one in state.reasons]


def play(config: Any, *workflows: Told, keys: tuple[str, ...] = ()) -> Any:
    return simulate(config, Incoming(AT, target=LISBON), Script(keys=keys, workflows=workflows))[1]


def test_the_first_question_is_of_the_first_step_and_carries_nothing():
    _, verbs = decide(lisbon(script_seconds=9), new_call("c", 1), Incoming(AT, target=LISBON))
    assert verbs == (AskScript(LISBON, "welcome", 9, 1, "", "", 1),)


def test_what_is_pressed_starts_the_next_step_with_what_was_carried():
    config = lisbon()
    state, _ = decide(config, new_call("c", 1), Incoming(AT, target=LISBON))
    state, verbs = decide(config, state, Told(AT, "ask", digits=3, carried='{"a":1}'))
    assert isinstance(verbs[-1], Gather)
    _, verbs = decide(config, state, Pressed(AT, "123"))
    assert verbs == (AskScript(LISBON, "welcome", 5, 2, "123", '{"a":1}', 1),)


def test_a_line_that_is_reached_anew_begins_at_the_first_step():
    config = lisbon()
    state, _ = decide(config, new_call("c", 1), Incoming(AT, target=LISBON))
    state, _ = decide(config, state, Told(AT, "ask", digits=3, carried="1"))
    state, _ = decide(config, state, Pressed(AT, "1"))
    _, verbs = decide(config, state, Told(AT, "route", LISBON))
    assert verbs == (AskScript(LISBON, "welcome", 5, 1, "", "", 1),)


def test_a_key_of_a_menu_may_hand_the_call_to_the_workflow():
    config = lisbon(open=routing("menu", operators=False, keys={"1": Choice("scripted_ivr")}))
    state = play(config, Told(0, "route", SALES), keys=("1",))
    assert "script_said" in codes(state)
    assert state.where == SALES


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (lisbon(script=""), "no_script"),
        (company(line("office", 1, "Lisbon", open=routing("scripted_ivr", operators=False), script="w"),
                 missing_scripts=("w",)), "script_gone"),
        (lisbon(), "script_failed"),
    ],
)  # fmt: skip
def test_without_a_workflow_or_an_answer_the_caller_leaves_a_message(config: Any, code: str):
    state = play(config)
    assert (state.outcome, state.talking) == ("voicemail", "office:1")
    assert code in codes(state)


@pytest.mark.parametrize(
    ("told", "outcome", "talking"),
    [
        (Told(0, "voicemail"), "voicemail", "office:1"),
        (Told(0, "voicemail", SALES), "voicemail", "department:2"),
        (Told(0, "end", message=("Bye.",)), "message", ""),
        (Told(0, "forward", number="+351210000123"), "answered", ""),
        (Told(0, "route", Target("department", 9)), "voicemail", "office:1"),
        (Told(0), "voicemail", "office:1"),
        (Told(0, "ask"), "voicemail", "office:1"),
        (Told(0, fault="it failed"), "voicemail", "office:1"),
    ],
)
def test_where_each_answer_leads(told: Told, outcome: str, talking: str):
    state = play(lisbon(), told)
    assert (state.outcome, state.talking) == (outcome, talking)


def test_a_conversation_ends_after_so_many_questions_whichever_lines_ask_them():
    both = routing("scripted_ivr", operators=False)
    config = company(
        line("office", 1, "Lisbon", open=both, script="a"), line("department", 2, "Sales", open=both, script="b")
    )
    answers = (
        [Told(0, "ask", digits=1)] * (MOST_ASKED - 3) + [Told(0, "route", SALES)] + [Told(0, "ask", digits=1)] * 50
    )
    trace, state = simulate(config, Incoming(AT, target=LISBON), Script(workflows=tuple(answers)))
    asked = [verb for step in trace.steps for verb in step.verbs if isinstance(verb, AskScript)]
    assert len(asked) == MOST_ASKED
    assert isinstance(trace.steps[-2].verbs[-1], Voicemail)
    assert "script_asked_enough" in codes(state)


words = st.sampled_from(["action", "say", "digits", "target_type", "target_id", "number", "state", "play", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["gather", "transfer", "voicemail", "hangup", "user", "+14155550100", "12"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(values | st.dictionaries(words, values, max_size=8))
def test_whatever_a_workflow_gives_is_an_answer_or_a_fault(output: Any):
    told, played = said(output)
    assert bool(told.fault) != bool(told.action)
    assert played >= 0
    state = play(lisbon(), told)
    assert state.phase == "over"


def test_texts_are_lines_of_printable_characters():
    assert said({"action": "hangup", "say": ["One\n two\x00", "", "  three "]})[0].message == ("One two", "three")
    assert sum(map(len, said({"action": "hangup", "say": ["x" * 9_000] * 3})[0].message)) == 2_000
