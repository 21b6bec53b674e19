"""What is done to a run from outside."""

import pytest

from offhook.kit.errors import Conflict, NotFound
from offhook.workflows.machine import controls, walk
from offhook.workflows.machine.loops import in_rounds
from offhook.workflows.machine.moment import Tools
from tests.workflows.machine.play import Play, task


def two() -> Play:
    return Play(task("a"), task("b"))


def test_a_paused_run_begins_nothing_new_and_what_is_under_way_ends():
    play = two()
    controls.pause(play.state)
    play.go()
    play.end("a")
    assert (play.status, play.statuses()) == ("PAUSED", {"a": "COMPLETED"})
    controls.resume(play.state)
    play.go()
    assert play.waiting == ["b"]


def test_a_run_that_is_paused_at_its_last_task_ends_when_it_is_resumed():
    play = Play(task("a"))
    controls.pause(play.state)
    play.end("a")
    assert play.status == "PAUSED"
    controls.resume(play.state)
    play.go()
    assert play.status == "COMPLETED"


def test_only_what_is_paused_is_resumed_and_only_what_goes_on_is_paused():
    play = Play(task("a"))
    with pytest.raises(Conflict):
        controls.resume(play.state)
    play.end("a")
    with pytest.raises(Conflict):
        controls.pause(play.state)


def test_a_run_is_terminated_with_all_that_is_open():
    play = Play(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
    child = play.at("s").child
    turn = walk.terminate(play.definition, play.state, play.now, Tools(ids=lambda: 1), "enough")
    assert (play.status, play.run.reason) == ("TERMINATED", "enough")
    assert play.at("s").status == "CANCELED"
    assert turn.abandon == (child,)


def test_a_failed_run_is_tried_again_from_what_failed():
    play = two()
    play.end("a", {"n": 1})
    play.fail("b")
    first = play.at("b").id
    controls.retry(play.state)
    turn = play.go()
    assert (play.status, play.waiting, turn.dropped) == ("RUNNING", ["b"], (2,))
    assert (play.at("b").retry, play.at("b").retry_of) == (0, first)
    play.end("b")
    assert play.status == "COMPLETED"


def test_what_was_cancelled_beside_what_failed_is_tried_again_too():
    play = Play(task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]), task("j", "JOIN", joinOn=["a", "b"]))
    play.fail("a")
    controls.retry(play.state)
    play.go()
    assert play.waiting == ["a", "b"]
    play.end("a")
    play.end("b")
    assert play.status == "COMPLETED"


def test_a_run_that_ended_well_is_not_tried_again_and_one_that_goes_on_neither():
    play = Play(task("a"))
    with pytest.raises(Conflict):
        controls.retry(play.state)
    play.end("a")
    with pytest.raises(Conflict):
        controls.retry(play.state)


def test_a_restarted_run_begins_anew_with_its_input():
    play = Play(task("v", "SET_VARIABLE", inputParameters={"n": 2}), task("a"), given={"x": 1}, variables={"n": 1})
    play.end("a")
    controls.restart(play.state, play.definition, play.now)
    play.go()
    assert (play.status, play.waiting, play.run.restarts) == ("RUNNING", ["a"], 1)
    assert play.run.input == {"x": 1}
    assert play.run.variables == {"n": 2}


def test_what_may_not_be_restarted_is_not():
    play = Play(task("a"), restartable=False)
    play.end("a")
    with pytest.raises(Conflict):
        controls.restart(play.state, play.definition, play.now)


def test_a_run_goes_on_from_one_of_its_tasks():
    play = Play(task("a"), task("b"), task("c"))
    for key in "abc":
        play.end(key, {"of": key})
    controls.rerun(play.state, play.definition, task_id=play.at("b").id, task_input={"n": 1}, now=play.now)
    play.go()
    assert play.waiting == ["b"]
    assert play.at("b").input == {"n": 1}
    play.end("b")
    assert play.waiting == ["c"]
    assert play.at("a").output == {"of": "a"}


def test_what_other_branches_did_stays():
    play = Play(
        task("f", "FORK_JOIN", forkTasks=[[task("a"), task("b")], [task("c")]]),
        task("j", "JOIN", joinOn=["b", "c"]),
        task("z"),
    )
    for key in ("a", "b", "c", "z"):
        play.end(key)
    controls.rerun(play.state, play.definition, task_id=play.at("b").id, now=play.now)
    play.go()
    assert play.waiting == ["b"]
    play.end("b")
    assert play.waiting == ["z"]


def test_a_loop_is_turned_back_to_the_round_of_the_task():
    play = Play(
        task("l", "DO_WHILE", items="${workflow.input.all}", loopOver=[task("a"), task("b")]), task("z"),
        given={"all": ["x", "y", "z"]},
    )  # fmt: skip
    for number in (1, 2, 3):
        play.end(f"a__{number}")
        play.end(f"b__{number}")
    play.end("z")
    controls.rerun(play.state, play.definition, task_id=play.at("b__2").id, now=play.now)
    play.go()
    assert play.waiting == ["b__2"]
    assert play.at("l").output == {"iteration": 2, "loopItem": "y", "loopIndex": 1}
    play.end("b__2")
    assert play.waiting == ["a__3"]
    play.end("a__3")
    play.end("b__3")
    assert play.waiting == ["z"]


def test_a_run_goes_on_from_its_beginning_with_another_input():
    play = Play(task("a"), given={"n": 1})
    play.end("a")
    controls.rerun(play.state, play.definition, workflow_input={"n": 2}, now=play.now)
    play.go()
    assert (play.waiting, play.run.input) == (["a"], {"n": 2})


def test_what_is_history_is_not_gone_on_from():
    play = Play(task("a"))
    play.end("a")
    with pytest.raises(NotFound):
        controls.rerun(play.state, play.definition, task_id=99, now=play.now)


def test_a_task_that_was_not_come_to_is_skipped():
    play = Play(task("a"), task("b"), task("c"))
    controls.skip(play.state, play.definition, "b", {"taskOutput": {"n": 1}}, play.now)
    play.end("a")
    assert (play.at("b").status, play.at("b").output, play.waiting) == ("SKIPPED", {"n": 1}, ["c"])


def test_an_open_task_is_skipped_and_a_closed_one_is_not():
    play = two()
    controls.skip(play.state, play.definition, "a", {}, play.now)
    play.go()
    assert play.waiting == ["b"]
    with pytest.raises(Conflict):
        controls.skip(play.state, play.definition, "a", {}, play.now)
    with pytest.raises(NotFound):
        controls.skip(play.state, play.definition, "nobody", {}, play.now)


def test_a_loop_that_is_skipped_leaves_nothing_open_behind():
    inner = [task("h", "HUMAN"), task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"})]
    fork = task("f", "FORK_JOIN", forkTasks=[[one] for one in inner])
    play = Play(task("l", "DO_WHILE", loopCondition="true", loopOver=[fork, task("j", "JOIN")]), task("after", "NOOP"))
    child = play.at("s__1").child
    controls.skip(play.state, play.definition, "l", {}, play.now)
    play.go()
    assert play.status == "COMPLETED"
    assert (play.at("l").status, play.at("h__1").status, play.at("s__1").status) == ("SKIPPED", "CANCELED", "CANCELED")
    assert play.turn.abandon == (child,)


def test_the_second_of_ten_rounds_is_not_the_tenth():
    inner = task("i", "DO_WHILE", loopCondition="inner", loopOver=[task("h", "HUMAN")])
    play = Play(task("l", "DO_WHILE", loopCondition="outer", loopOver=[inner]))
    play.scripts = {"inner": lambda _bindings: False, "outer": lambda _bindings: True}
    for number in range(1, 12):
        play.end(f"h__{number}__1")
    assert [one.key for one in in_rounds(play.state, play.definition.tasks[0].loop_over[0], (1,))] == ["h__1__1"]


def test_a_task_takes_an_input_that_is_empty():
    play = two()
    play.end("a")
    play.fail("b")
    controls.rerun(play.state, play.definition, task_id=play.at("a").id, task_input={}, now=play.now)
    play.go()
    assert play.at("a").input == {}


def test_a_run_goes_along_with_one_that_it_had_failed_with():
    sub = task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"})
    fork = task("f", "FORK_JOIN", forkTasks=[[sub], [task("a")]])
    play = Play(fork, task("j", "JOIN"), task("z", "NOOP"))
    child = play.at("s").child
    play.fail("s")
    assert (play.status, play.statuses()["a"]) == ("FAILED", "CANCELED")
    controls.go_along(play.state, child)
    play.go()
    assert (play.status, play.at("s").status, play.at("s").child) == ("RUNNING", "IN_PROGRESS", child)
    assert (play.turn.abandon, play.at("a").status) == ((), "SCHEDULED")
    with pytest.raises(Conflict):
        controls.go_along(play.state, child)
    play.end("a")
    play.end("s")
    assert play.status == "COMPLETED"
    with pytest.raises(Conflict):
        controls.go_along(play.state, child)


@pytest.mark.parametrize("how", ["restart", "rerun"])
def test_who_begins_anew_ends_the_runs_that_were_started_before(how: str):
    play = Play(task("a"), task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}))
    play.end("a")
    child = play.at("s").child
    play.fail("s")
    if how == "restart":
        controls.restart(play.state, play.definition, play.now)
    else:
        controls.rerun(play.state, play.definition, task_id=play.at("a").id, now=play.now)
    assert play.go().abandon == (child,)
