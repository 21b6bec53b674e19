"""What holds for every definition: its runs end or wait for a stated cause, whatever happens to them meanwhile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.workflows.definitions.reading import read
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Attempt
from tests.workflows.definitions.shapes import Raw
from tests.workflows.definitions.strategies import definitions
from tests.workflows.machine.play import Play

MOST_STEPS = 5_000
DRAWN = st.lists(st.integers(0, 7), max_size=40)
"""What happens, step by step; when it is used up all goes well."""


def played(raw: Raw, **more: Any) -> Play:
    """A run of a definition that was read as a registered one is; its loops take two rounds."""
    found = read(raw).raw
    play = Play(*found["tasks"], given={"x": "C0"}, **more)
    for one in play.definition.tasks:
        loops(play, one)
    play.go()
    return play


def loops(play: Play, one: Any) -> None:
    """Every loop of a task ends after its second round."""
    if one.loop_condition:
        play.scripts[one.loop_condition] = lambda bindings: min(_rounds(bindings)) < 2
    for _, nested in one.nested():
        for inner in nested:
            loops(play, inner)


def _rounds(bindings: dict[str, Any]) -> list[int]:
    found = [one["iteration"] for one in bindings.values() if isinstance(one, dict) and "iteration" in one]
    return found or [2]


def stated(play: Play) -> bool:
    """Whether there is a reason why a run that is not over does nothing."""
    waits = any(one.open and (one.type in ("HUMAN", "WAIT") or one.due) for one in play.state.tasks.values())
    return bool(play.waiting or play.turn.due or waits or play.turn.ask)


def open_ones(play: Play) -> list[Attempt]:
    """What somebody or something may end now, in a fixed order."""
    performed = {one.key for one in play.turn.perform}
    found = [one for one in play.state.tasks.values() if one.open and (one.key in performed or one.type == "HUMAN")]
    return sorted(found, key=lambda one: one.key)


def output_of(one: Attempt) -> dict[str, Any]:
    """What a task gives: the same whenever it is done."""
    return {"of": one.key, "response": {"statusCode": 200, "body": {"of": one.key}}}


def step(play: Play, what: int) -> None:
    """The next thing that happens: mostly something ends well, now and then badly, or only time goes by."""
    ready = open_ones(play)
    if not ready or (what == 7 and play.turn.due):
        play.now = max(play.now + 1, play.turn.due)
        play.go()
    elif what == 6:
        play.fail(ready[-1].key)
    else:
        one = ready[what % len(ready)] if what < 6 else ready[0]
        play.end(one.key, output_of(one))


def to_its_end(play: Play, drawn: list[int]) -> None:
    """Let things happen until the run is over; it never stands still without a cause."""
    for number in range(MOST_STEPS):
        if play.run.over:
            return
        assert stated(play), play.statuses()
        step(play, drawn[number] if number < len(drawn) else 0)
    pytest.fail(f"not over after {MOST_STEPS} steps: {play.statuses()}")


@given(definitions(), DRAWN)
def test_every_run_ends_or_waits_for_a_stated_cause(raw: Raw, drawn: list[int]):
    play = played(raw)
    to_its_end(play, drawn)
    assert play.status in ("COMPLETED", "FAILED", "TERMINATED")
    assert play.status == "COMPLETED" or play.run.reason
    left = {key: one.status for key, one in play.state.tasks.items() if one.open}
    assert not left, "a run that is over has nothing open"


def calm(raw: Any) -> Any:
    """The same without what ends a run from within: which branch of a fork comes first is nobody's promise."""
    if isinstance(raw, list):
        return [calm(one) for one in raw]
    if not isinstance(raw, dict):
        return raw
    if raw.get("type") == "TERMINATE":
        return {**raw, "type": "NOOP", "inputParameters": {}}
    return {name: calm(one) for name, one in raw.items()}


def outputs(raw: Raw) -> dict[str, str]:
    """Output parameters that hold what every task gave."""
    found: dict[str, str] = {}

    def walk(one: Any) -> None:
        if isinstance(one, list):
            for each in one:
                walk(each)
        elif isinstance(one, dict):
            if "taskReferenceName" in one:
                found[one["taskReferenceName"]] = "${" + one["taskReferenceName"] + ".output}"
            for each in one.values():
                walk(each)

    walk(raw["tasks"])
    return found


def interrupted(play: Play, drawn: list[int], interrupt: Any) -> dict[str, Any]:
    """A run to its end, all going well, with an interruption before the steps where `drawn` is small."""
    for number in range(MOST_STEPS):
        if play.run.over:
            assert play.status == "COMPLETED", play.run.reason
            found: dict[str, Any] = play.run.output
            return found
        if number < len(drawn) and drawn[number] < 4:
            interrupt(play)
        if not play.run.over:
            step(play, 0)
    pytest.fail("not over")


def paused(play: Play) -> None:
    """Paused and resumed, while one thing that is under way ends."""
    controls.pause(play.state)
    play.go()
    before = len(play.state.tasks)
    under_way = open_ones(play)
    if under_way:
        play.end(under_way[0].key, output_of(under_way[0]))
    assert len(play.state.tasks) == before, "nothing is begun while a run is paused"
    assert play.status == "PAUSED"
    controls.resume(play.state)
    play.go()


def read_anew(play: Play) -> None:
    """Another process goes on with it."""
    play.reload()
    play.go()


@pytest.mark.parametrize("interrupt", [paused, read_anew])
@given(raw=definitions(), drawn=DRAWN)
def test_interruptions_never_change_the_output(interrupt: Any, raw: Raw, drawn: list[int]):
    raw = calm(raw)
    more = {"outputParameters": outputs(raw)}
    plain = interrupted(played(raw, **more), [], paused)
    assert interrupted(played(raw, **more), drawn, interrupt) == plain
