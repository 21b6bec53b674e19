"""docs/algorithms/runs.md: what may be done in which state, and its figures."""

from collections.abc import Callable
from typing import Any

import pytest

from offhook.kit.errors import Conflict
from offhook.workflows.machine import controls, walk
from offhook.workflows.machine import model as machine
from offhook.workflows.machine.moment import Tools
from offhook.workflows.runs import carrying, engine, going, lease
from offhook.workflows.runs.service import finish_by_hand
from tests.docs.tables import page, quoted, rows, section
from tests.workflows.machine.play import Play, task

PAGE = "algorithms/runs.md"
TEXT = " ".join(page(PAGE).split())


def _running() -> Play:
    return Play(task("h", "HUMAN"), task("z", "HUMAN"))


def _paused() -> Play:
    play = _running()
    controls.pause(play.state)
    return play


def _completed() -> Play:
    play = _running()
    play.end("h")
    play.end("z")
    return play


def _failed() -> Play:
    play = _running()
    play.fail("h")
    return play


def _timed_out() -> Play:
    play = Play(task("h", "HUMAN"), task("z", "HUMAN"), timeoutSeconds=5, timeoutPolicy="TIME_OUT_WF")
    play.later(5)
    return play


def _terminated() -> Play:
    play = _running()
    # As the engine ends it: see tests/workflows/runs/test_engine.py.
    tools = Tools(ids=lambda: 5_000)
    walk.terminate(play.definition, play.state, play.now, tools, "enough")
    return play


STATES: dict[str, Callable[[], Play]] = {
    "RUNNING": _running,
    "PAUSED": _paused,
    "COMPLETED": _completed,
    "FAILED": _failed,
    "TIMED_OUT": _timed_out,
    "TERMINATED": _terminated,
}


def _terminate(play: Play) -> None:
    if play.run.over:
        raise Conflict("over")


def _complete(play: Play) -> None:
    outcome = machine.Outcome(status="COMPLETED", output={})
    finish_by_hand(play.state, play.at("h").id, outcome, play.now)


WORDS: dict[str, Callable[[Play], Any]] = {
    "pause": lambda play: controls.pause(play.state),
    "resume": lambda play: controls.resume(play.state),
    "terminate": _terminate,
    "skip": lambda play: controls.skip(play.state, play.definition, "h", {}, play.now),
    "complete": _complete,
    "retry": lambda play: controls.retry(play.state),
    "restart": lambda play: controls.restart(play.state, play.definition, play.now),
    "rerun": lambda play: controls.rerun(play.state, play.definition, now=play.now),
}

TABLE = rows(section(PAGE, "What is done from outside"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_what_may_be_done_in_which_state(row: list[str]) -> None:
    found = []
    for state, make in STATES.items():
        play = make()
        assert play.status == state
        before = play.run
        try:
            WORDS[quoted(row[0])[0]](play)
        except Conflict:
            assert play.run is before, "nothing is changed"
            found.append("no")
        else:
            found.append("yes")
    assert found == row[1:]


def test_the_table_has_every_control_and_every_state() -> None:
    assert [quoted(row[0])[0] for row in TABLE] == [
        "pause", "resume", "terminate", "skip", "complete", "retry", "restart", "rerun",
    ]  # fmt: skip
    head = next(line for line in section(PAGE, "What is done from outside").splitlines() if "`RUNNING`" in line)
    assert quoted(head) == list(STATES) == list(machine.RunStatus.__args__)  # type: ignore[attr-defined]


def test_a_run_of_two_tasks_has_three_turns() -> None:
    play = Play(task("a"), task("b"))
    assert play.waiting == ["a"]
    play.end("a")
    assert play.waiting == ["b"]
    play.end("b")
    assert play.status == "COMPLETED"
    assert "a run of two HTTP tasks has three turns" in TEXT


def test_the_figures_are_those_of_the_code() -> None:
    for words in (
        f"alive: {lease.LEASE_SECONDS:.0f} s on, renewed every {lease.RENEW_SECONDS:.0f} s",
        f"its {lease.LEASE_SECONDS:.0f} s are over",
        f"within {lease.LEASE_SECONDS + lease.RENEW_SECONDS + engine.LOOK_SECONDS + 1:.0f} s",
        f"looks every {engine.LOOK_SECONDS:.0f} s",
        f"Up to {engine.DUE_AT_ONCE:,} of each at a look",
        f"carries out {carrying.AT_ONCE} attempts at a time",
        f"longer than {carrying.LONG_MS // 1000} s gets a turn",
        f"for up to {engine.STOP_SECONDS:.0f} s, cancels the rest",
        f"at {machine.MOST_DEPTH} no further one is started",
        f"after {machine.MOST_ITERATIONS:,} rounds",
        f"the {machine.MOST_ATTEMPTS:,} that a run may have",
        f"at most {going.MOST_GOING:,} runs that go on",
        f"leads to about {going.MOST_OF_ONE:,} runs",
        f"among the {going.MOST_GOING:,} that may go on",
    ):
        assert words in TEXT, words
