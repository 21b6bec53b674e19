"""What a run does next."""

from typing import Any

import pytest

from tests.workflows.machine.play import Play, task


def test_tasks_are_done_in_order_and_see_what_came_before():
    play = Play(
        task("a"),
        task("b", inputParameters={"uri": "http://localhost/${a.output.response.body.id}", "n": "${workflow.input.n}"}),
        given={"n": 3},
        outputParameters={"got": "${b.output}"},
    )
    assert play.waiting == ["a"]
    play.end("a", {"response": {"body": {"id": 7}}})
    assert play.waiting == ["b"]
    assert play.at("b").input == {"uri": "http://localhost/7", "n": 3}
    play.end("b", {"x": 1})
    assert play.status == "COMPLETED"
    assert play.run.output == {"got": {"x": 1}}


def test_without_output_parameters_the_last_task_s_output_is_the_run_s():
    play = Play(task("a"))
    play.end("a", {"x": 1})
    assert play.run.output == {"x": 1}


def test_a_task_without_a_policy_is_not_repeated_and_fails_the_run():
    play = Play(task("a"), task("b"))
    play.fail("a", "no answer")
    assert (play.status, play.run.reason) == ("FAILED", "Task a failed: no answer")
    assert play.run.failed_task == play.at("a").id


def test_a_failed_task_is_repeated_after_its_delay_and_each_attempt_is_kept():
    policy = {"name": "p", "retryCount": 2, "retryDelaySeconds": 10, "retryLogic": "EXPONENTIAL_BACKOFF"}
    play = Play(task("a", taskDefinition=policy))
    play.fail("a")
    assert play.waiting == []
    assert play.turn.due == play.now + 10_000
    play.later(9.999)
    assert play.waiting == []
    play.later(0.001)
    assert play.waiting == ["a"]
    play.fail("a")
    assert play.turn.due == play.now + 20_000
    play.later(20)
    play.fail("a", "still no answer")
    assert play.status == "FAILED"
    assert [(one.retry, one.status) for one in play.history] == [(0, "FAILED"), (1, "FAILED"), (2, "FAILED")]


def test_a_target_that_asks_for_time_is_given_it():
    policy = {"name": "p", "retryCount": 1, "retryDelaySeconds": 1}
    play = Play(task("a", taskDefinition=policy))
    play.fail("a", after=30_000)
    assert play.turn.due == play.now + 30_000


def test_an_optional_task_that_fails_is_gone_on_without():
    play = Play(task("a", optional=True), task("b"))
    play.fail("a")
    assert play.statuses() == {"a": "COMPLETED_WITH_ERRORS", "b": "SCHEDULED"}


def test_a_permissive_task_that_fails_lets_the_other_branches_end():
    play = Play(
        task("f", "FORK_JOIN", forkTasks=[[task("a", permissive=True), task("after")], [task("b"), task("c")]]),
        task("j", "JOIN", joinOn=["after", "c"]),
        task("z"),
    )
    play.fail("a", "no")
    assert play.status == "RUNNING"
    play.end("b")
    play.end("c")
    assert play.status == "FAILED"
    assert play.run.reason == "Task a failed: no"
    assert "after" not in play.state.tasks


def test_a_case_is_chosen_by_a_value():
    cases = {"BIG": [task("big")], "true": [task("yes")], "3": [task("three")]}
    for value, ref in (("BIG", "big"), (True, "yes"), (3, "three"), ("other", "none"), (None, "none")):
        play = Play(
            task("s", "SWITCH", evaluatorType="value-param", expression="v", decisionCases=cases,
                 defaultCase=[task("none")], inputParameters={"v": "${workflow.input.v}"}),
            task("z"), given={"v": value},
        )  # fmt: skip
        assert play.waiting == [ref]
        play.end(ref)
        assert play.waiting == ["z"]


def test_a_case_is_chosen_by_a_script():
    play = Play(
        task("s", "SWITCH", evaluatorType="javascript", expression="$.v > 3", decisionCases={"true": [task("big")]},
             inputParameters={"v": "${workflow.input.v}"}),
        task("z"), given={"v": 4},
    )  # fmt: skip
    assert [ask.bindings for ask in play.turn.ask] == [{"v": 4}]
    play.scripts["$.v > 3"] = lambda given: given["v"] > 3
    play.go()
    assert play.waiting == ["big"]


def test_a_script_that_fails_fails_its_task():
    play = Play(task("s", "SWITCH", evaluatorType="javascript", expression="x", decisionCases={"a": []}))

    def broken(_given: object) -> None:
        raise ValueError("x is not defined")

    play.scripts["x"] = broken
    play.go()
    assert (play.status, play.run.reason) == ("FAILED", "Task s failed: expression: x is not defined")


def test_branches_go_on_side_by_side_and_are_joined():
    play = Play(
        task("f", "FORK_JOIN", forkTasks=[[task("a"), task("b")], [task("c")]]),
        task("j", "JOIN", joinOn=["b", "c"]),
        task("z", inputParameters={"uri": "http://localhost/", "all": "${j.output}"}),
    )
    assert play.waiting == ["a", "c"]
    play.end("c", {"c": 1})
    play.end("a")
    assert play.waiting == ["b"]
    play.end("b", {"b": 1})
    assert play.at("z").input["all"] == {"b": {"b": 1}, "c": {"c": 1}}


def test_a_branch_that_ends_in_a_case_is_joined_when_the_case_is_over():
    switch = task(
        "s", "SWITCH", evaluatorType="value-param", expression="v", inputParameters={"v": "x"},
        decisionCases={"x": [task("slow")], "y": [task("other")]},
    )  # fmt: skip
    play = Play(task("f", "FORK_JOIN", forkTasks=[[switch]]), task("j", "JOIN", joinOn=["s"]), task("z"))
    assert play.waiting == ["slow"]
    play.end("slow")
    assert play.waiting == ["z"]
    play = Play(task("f", "FORK_JOIN", forkTasks=[[switch]]), task("j", "JOIN", joinOn=["other"]), task("z"))
    play.end("slow")
    assert play.waiting == ["z"], "a task of another case never comes, and is not waited for"


def test_a_run_ends_when_branches_that_nothing_joins_have_ended_too():
    play = Play(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]), task("j", "JOIN", joinOn=["a"]), task("z")
    )
    play.end("a")
    assert play.waiting == ["b", "z"]
    play.end("z")
    assert play.status == "RUNNING"
    play.end("b")
    assert play.status == "COMPLETED"


def test_a_failed_branch_ends_the_others():
    play = Play(task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]), task("j", "JOIN", joinOn=["a", "b"]))
    b = play.at("b").id
    play.fail("a")
    assert play.status == "FAILED"
    assert play.at("b").status == "CANCELED"
    assert b in play.cancelled


def test_a_fork_takes_as_many_branches_as_it_is_given():
    play = Play(
        task("f", "FORK_JOIN_DYNAMIC", inputParameters={
            "forkTaskType": "HTTP", "forkTaskInputs": "${workflow.input.all}"}),
        task("j", "JOIN"),
        given={"all": [{"uri": "http://localhost/1"}, {"uri": "${workflow.input}"}]},
    )  # fmt: skip
    assert play.waiting == ["f_0", "f_1"]
    assert play.at("f_1").input == {"uri": "${workflow.input}"}, "what is given is data"
    play.reload()
    play.go()
    play.end("f_1", {"n": 1})
    play.end("f_0", {"n": 0})
    assert play.status == "COMPLETED"
    assert play.run.output == {"f_0": {"n": 0}, "f_1": {"n": 1}}


def test_a_loop_goes_round_until_its_condition_says_no():
    play = Play(
        task("l", "DO_WHILE", loopCondition="more", loopOver=[task("a"), task("b", inputParameters={
            "uri": "http://localhost/", "of": "${a.output.n}", "round": "${l.output.iteration}"})]),
        task("z", inputParameters={"uri": "http://localhost/", "last": "${a.output.n}", "second": "${a__2.output.n}"}),
    )  # fmt: skip
    play.scripts["more"] = lambda given: given["l"]["iteration"] < 3 and given["a"]["n"] < 99
    for number in (1, 2, 3):
        assert play.waiting == [f"a__{number}"]
        play.end(f"a__{number}", {"n": number * 10})
        assert play.at(f"b__{number}").input["of"] == number * 10
        assert play.at(f"b__{number}").input["round"] == number
        play.end(f"b__{number}")
    assert play.at("z").input == {"uri": "http://localhost/", "last": 30, "second": 20}
    assert play.at("l").output["iteration"] == 3
    assert play.at("l").output["2"] == {"a": {"n": 20}, "b": {}}


def test_a_loop_over_items_has_one_round_an_item():
    play = Play(
        task("l", "DO_WHILE", items="${workflow.input.all}", loopOver=[
            task("a", inputParameters={"uri": "http://localhost/${l.output.loopItem}/${l.output.loopIndex}"})]),
        given={"all": ["x", "y"]},
    )  # fmt: skip
    assert play.at("a__1").input["uri"].endswith("/x/0")
    play.end("a__1")
    assert play.at("a__2").input["uri"].endswith("/y/1")
    play.end("a__2")
    assert play.status == "COMPLETED"
    empty = Play(task("l", "DO_WHILE", items="${workflow.input.all}", loopOver=[task("a")]), given={"all": []})
    assert empty.status == "COMPLETED"


def test_loops_within_loops_have_rounds_of_their_own():
    inner = task("i", "DO_WHILE", items="${workflow.input.b}", loopOver=[task("a", inputParameters={
        "uri": "http://localhost/${o.output.loopItem}${i.output.loopItem}"})])  # fmt: skip
    play = Play(
        task("o", "DO_WHILE", items="${workflow.input.a}", loopOver=[inner]), given={"a": [1, 2], "b": ["x", "y"]}
    )
    seen = []
    while play.status == "RUNNING":
        [key] = play.waiting
        seen.append((key, play.at(key).input["uri"][-2:]))
        play.end(key)
    assert seen == [("a__1__1", "1x"), ("a__1__2", "1y"), ("a__2__1", "2x"), ("a__2__2", "2y")]


def test_a_loop_that_never_ends_is_ended():
    play = Play(task("l", "DO_WHILE", loopCondition="true", loopOver=[task("n", "NOOP")]))
    play.scripts["true"] = lambda given: True
    play.go()
    assert play.status == "FAILED"
    assert "10000 times" in play.run.reason


def test_variables_are_set_and_seen_by_later_tasks():
    play = Play(
        task("v", "SET_VARIABLE", inputParameters={"n": "${workflow.input.n}"}),
        task("a", inputParameters={"n": "${workflow.variables.n}", "m": "${workflow.variables.m}"}),
        given={"n": 5}, variables={"m": 6},
    )  # fmt: skip
    assert play.at("a").input == {"n": 5, "m": 6}


def test_a_run_waits_for_so_long_and_no_longer():
    play = Play(task("w", "WAIT", inputParameters={"duration": "3 days"}), task("a"))
    assert play.turn.due == play.now + 3 * 86_400_000
    play.later(3 * 86_400 - 1)
    assert play.waiting == []
    play.later(1)
    assert play.waiting == ["a"]


def test_a_run_waits_for_somebody():
    play = Play(task("h", "HUMAN"), task("w", "WAIT"), task("a"))
    assert (play.turn.due, play.at("h").status) == (0, "IN_PROGRESS")
    play.end("h", {"approved": True})
    play.end("w")
    assert play.waiting == ["a"]


def test_a_workflow_is_started_and_waited_for():
    play = Play(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "child", "version": 2}, inputParameters={"n": 1}))
    [start] = play.started
    assert (start.name, start.version, start.input, start.parent_task) == ("child", 2, {"n": 1}, play.at("s").id)
    assert play.at("s").child == start.id
    play.end("s", {"done": True})
    assert play.run.output == {"done": True}


def test_a_workflow_is_started_and_not_waited_for():
    what = {"name": "other", "input": {"n": 1}, "correlationId": "c"}
    play = Play(task("s", "START_WORKFLOW", inputParameters={"startWorkflow": what}))
    [start] = play.started
    assert (start.name, start.input, start.parent_task) == ("other", {"n": 1}, 0)
    assert play.run.output == {"workflowId": str(start.id)}


def test_a_run_ends_where_it_is_told_to():
    end = {"terminationStatus": "FAILED", "terminationReason": "no room", "workflowOutput": {"n": "${a.output.n}"}}
    play = Play(
        task("f", "FORK_JOIN", forkTasks=[[task("a"), task("t", "TERMINATE", inputParameters=end)], [task("b")]]),
        task("j", "JOIN", joinOn=["t", "b"]),
    )
    play.end("a", {"n": 3})
    assert (play.status, play.run.reason, play.run.output) == ("FAILED", "no room", {"n": 3})
    assert play.statuses() == {"f": "COMPLETED", "a": "COMPLETED", "t": "COMPLETED", "b": "CANCELED", "j": "CANCELED"}


def test_a_failure_workflow_is_started_with_what_failed():
    play = Play(task("a"), given={"n": 1}, failureWorkflow="undo")
    play.fail("a", "no")
    [start] = play.started
    assert start.name == "undo"
    assert start.input["failureTaskId"] == str(play.at("a").id)
    assert (start.input["input"], start.input["failureStatus"]) == ({"n": 1}, "FAILED")
    assert play.run.failure_run == start.id


def test_a_run_that_takes_too_long_is_ended_or_told_of():
    play = Play(task("h", "HUMAN"), timeoutSeconds=60, timeoutPolicy="TIME_OUT_WF")
    assert play.turn.due == play.now + 60_000
    play.later(60)
    assert play.status == "TIMED_OUT"
    play = Play(task("h", "HUMAN"), timeoutSeconds=60, timeoutPolicy="ALERT_ONLY")
    play.later(60)
    assert (play.status, play.turn.alerts) == ("RUNNING", ("It ran longer than 60 s.",))
    play.go()
    assert play.turn.alerts == ()


def test_a_task_that_takes_too_long_is_repeated_or_ends_the_run():
    policy = {"name": "p", "retryCount": 1, "retryDelaySeconds": 0, "timeoutSeconds": 5, "timeoutPolicy": "RETRY"}
    play = Play(task("h", "HUMAN", taskDefinition=policy))
    play.later(5)
    assert [(one.retry, one.status) for one in play.history] == [(0, "TIMED_OUT"), (1, "IN_PROGRESS")]
    play.later(5)
    assert play.status == "FAILED"
    play = Play(task("h", "HUMAN", taskDefinition={**policy, "timeoutPolicy": "TIME_OUT_WF"}))
    play.later(5)
    assert play.status == "TIMED_OUT"


LIMITED = {"name": "p", "retryCount": 1, "retryDelaySeconds": 0, "timeoutSeconds": 5, "timeoutPolicy": "RETRY"}
WAITING = {
    "HUMAN": task("w", "HUMAN"),
    "WAIT": task("w", "WAIT"),
    "WAIT with its own time": task("w", "WAIT", inputParameters={"duration": "1 hour"}),
    "DO_WHILE": task("w", "DO_WHILE", loopCondition="true", loopOver=[task("x", "HUMAN")]),
    "SUB_WORKFLOW": task("w", "SUB_WORKFLOW", subWorkflowParam={"name": "child"}),
}


@pytest.mark.parametrize("what", list(WAITING))
@pytest.mark.parametrize("policy", ["RETRY", "TIME_OUT_WF", "ALERT_ONLY"])
def test_what_waits_for_others_has_its_time_limit_too(what: str, policy: str):
    play = Play({**WAITING[what], "taskDefinition": {**LIMITED, "timeoutPolicy": policy}})
    assert play.turn.due == play.now + 5_000
    play.later(5)
    attempts = [(one.retry, one.status) for one in play.history if one.key == "w"]
    if policy == "ALERT_ONLY":
        assert play.turn.alerts == ("Task w: It took longer than 5 s.",)
        assert attempts == [(0, "IN_PROGRESS")]
    elif policy == "TIME_OUT_WF":
        assert (play.status, attempts) == ("TIMED_OUT", [(0, "TIMED_OUT")])
    else:
        assert attempts == [(0, "TIMED_OUT"), (1, "IN_PROGRESS")]


def test_a_join_has_its_time_limit_too():
    fork = task("f", "FORK_JOIN", forkTasks=[[task("h", "HUMAN")]])
    play = Play(fork, task("j", "JOIN", joinOn=["h"], taskDefinition={**LIMITED, "retryCount": 0}))
    play.later(5)
    assert (play.status, play.at("j").status) == ("FAILED", "TIMED_OUT")


def test_a_loop_that_times_out_leaves_nothing_open_behind():
    loop = {**WAITING["DO_WHILE"], "optional": True, "taskDefinition": {**LIMITED, "retryCount": 0}}
    play = Play(loop)
    play.later(5)
    assert (play.status, play.statuses()) == ("COMPLETED", {"w": "COMPLETED_WITH_ERRORS", "x__1": "CANCELED"})


def test_all_attempts_together_may_take_so_long():
    policy = {"name": "p", "retryCount": 99, "retryDelaySeconds": 10, "totalTimeoutSeconds": 25}
    play = Play(task("a", taskDefinition=policy))
    for _ in range(3):
        play.fail("a")
        play.later(10)
    assert play.status == "FAILED"
    assert [one.retry for one in play.history] == [0, 1, 2]


def test_a_task_may_begin_later():
    play = Play(task("a", startDelay=30), task("z"))
    assert (play.waiting, play.turn.due) == ([], play.now + 30_000)
    play.later(30)
    assert play.waiting == ["a"]


def test_an_expression_that_cannot_be_fails_its_task():
    play = Play(task("a", inputParameters={"uri": "${a b c}"}))
    assert play.status == "FAILED"
    assert play.run.reason.startswith("Task a failed: inputParameters.uri")


def test_jsonata_is_asked_for_before_a_task_is_begun():
    play = Play(task("a", inputParameters={"n": "${jsonata: workflow.input.n + 1}"}), given={"n": 1})
    assert play.state.tasks == {}
    [ask] = play.turn.ask
    assert (ask.language, ask.bindings["workflow"]["input"]) == ("jsonata", {"n": 1})
    play.scripts["workflow.input.n + 1"] = lambda given: 2
    play.go()
    assert play.at("a").input == {"n": 2}


def test_a_loop_may_go_over_a_list_that_is_written_out():
    play = Play(task("l", "DO_WHILE", items=["x", "${workflow.input.y}"], loopOver=[task("a", inputParameters={
        "uri": "http://localhost/${l.output.loopItem}", "method": "GET"})]), given={"y": "z"})  # fmt: skip
    for uri in ("http://localhost/x", "http://localhost/z"):
        (key,) = play.waiting
        assert play.at(key).input["uri"] == uri
        play.end(key)
    assert play.status == "COMPLETED"


def dynamic(**given: Any) -> dict[str, Any]:
    return task(
        "f", "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="t", inputParameters={"t": "${workflow.input.t}"}, **given
    )


@pytest.mark.parametrize(
    ("branch", "told"),
    [
        ({"type": "HTTP", "retryCount": "a"}, "Branch 0: retryCount: "),
        ({"type": "HTTP", "retryCount": -5}, "Branch 0: retryCount: "),
        ({"type": "NOOP", "taskDefinition": 5}, "Branch 0: taskDefinition: "),
        ({"type": "NOOP", "taskDefinition": {"name": "p", "timeoutPolicy": "NEVER"}}, "taskDefinition.timeoutPolicy: "),
        ({"type": "SUB_WORKFLOW"}, "Branch 0: subWorkflowParam: "),
        ({"type": "SUB_WORKFLOW", "subWorkflowParam": {"name": 5}}, "subWorkflowParam.name: "),
        ({"type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "c", "version": "v"}}, "subWorkflowParam.version: "),
        ({"type": "NOOP", "optional": "maybe"}, "Branch 0: optional: "),
        ({"type": "SHELL"}, "has the type SHELL"),
    ],
)
def test_a_branch_that_is_given_wrong_fails_its_fork(branch: dict[str, Any], told: str):
    play = Play(dynamic(), task("j", "JOIN"), given={"t": [{"taskReferenceName": "x", **branch}]})
    assert (play.status, play.at("f").status) == ("FAILED", "FAILED_WITH_TERMINAL_ERROR")
    assert told in play.at("f").reason


def test_no_branch_takes_the_name_of_a_round():
    loop = task("l", "DO_WHILE", loopCondition="one", loopOver=[task("x", "NOOP")])
    play = Play(loop, dynamic(), task("j", "JOIN"), given={"t": [{"taskReferenceName": "x__1", "type": "NOOP"}]})
    play.scripts["one"] = lambda _bindings: False
    play.go()
    assert play.status == "FAILED"
    assert play.at("f").reason.startswith("Branch 0 has the name x__1, which another task")
    play = Play(loop, dynamic(), task("j", "JOIN"), given={"t": [{"taskReferenceName": "x__2", "type": "NOOP"}]})
    play.scripts["one"] = lambda _bindings: False
    play.go()
    assert play.at("f").reason == "Branch 0 has the name x__2, as a round of a loop would call the task x."


def test_a_call_whose_task_ends_later_says_so_to_who_performs_it():
    play = Play(task("a", asyncComplete=True))
    assert play.at("a").input["asyncComplete"] is True
    made = {"taskReferenceName": "x", "type": "HTTP", "asyncComplete": True}
    play = Play(dynamic(), task("j", "JOIN"), given={"t": [made]})
    assert play.at("x").input == {"asyncComplete": True}


def test_which_workflow_is_run_may_be_an_expression():
    param = {"name": "${workflow.input.n}", "version": "${workflow.input.v}"}
    play = Play(task("s", "SUB_WORKFLOW", subWorkflowParam=param), given={"n": "child", "v": "2"})
    assert [(one.name, one.version) for one in play.started] == [("child", 2)]
    play = Play(task("s", "SUB_WORKFLOW", subWorkflowParam=param), given={"n": "child", "v": True})
    assert play.at("s").reason == "The version of a workflow must be a whole number from 1."
    branch = {"taskReferenceName": "x", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "${workflow.input.n}"}}
    play = Play(dynamic(), task("j", "JOIN"), given={"t": [branch], "n": "child"})
    assert [one.name for one in play.started] == ["${workflow.input.n}"]


def test_what_a_run_is_found_by_and_why_it_ended_are_bounded():
    start = {"startWorkflow": {"name": "child", "correlationId": "${workflow.input.c}"}}
    play = Play(task("s", "START_WORKFLOW", inputParameters=start), given={"c": "c" * 257})
    assert play.at("s").reason == "The correlationId has 257 characters; it may have 256, all of them visible."
    play = Play(task("s", "START_WORKFLOW", inputParameters=start), given={"c": "a\x00b"})
    assert play.status == "FAILED"
    ended = {"terminationStatus": "FAILED", "terminationReason": "${workflow.input.c}"}
    play = Play(task("t", "TERMINATE", inputParameters=ended), given={"c": "c" * 1_000_000})
    assert play.run.reason == "c" * 1_000
