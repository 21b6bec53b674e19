"""Definitions of the shapes of Conductor's own examples, with the types that are run here, go to their end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.workflows.conductor.clients import Conductor, Service, of, states, unique
from tests.workflows.definitions.shapes import Raw, end, fork, http, switch, task, wait


@dataclass(frozen=True)
class Example:
    """A definition's tasks and other fields, what it is started with, and how it ends."""

    tasks: list[Raw]
    output: Raw
    given: Raw = field(default_factory=dict)
    fields: Raw = field(default_factory=dict)
    status: str = "COMPLETED"
    tasks_of: list[str] | None = None


def _echo(service: Service, ref: str, **more: Any) -> Raw:
    return http(ref, uri=f"{service.url}/echo", **more)


def _chain(service: Service) -> Example:
    return Example(
        [
            http("get", uri=f"{service.url}/echo/${{workflow.input.id}}"),
            task("post", "HTTP", inputParameters={"http_request": {
                "uri": f"{service.url}/echo", "method": "POST", "body": {"was": "${get.output.response.body.path}"},
            }}),
        ],
        {"was": "/echo/7", "code": 200},
        {"id": 7},
        {"outputParameters": {
            "was": "${post.output.response.body.body.was}", "code": "${post.output.response.statusCode}",
        }},
    )  # fmt: skip


def _switch(service: Service) -> Example:
    nested = switch("by_kind", "${workflow.input.kind}", x=[_echo(service, "x")], default=[_echo(service, "y")])
    return Example(
        [switch("by_size", "${workflow.input.size}", BIG=[nested], default=[end("none", "FAILED")])],
        {"path": "/echo", "case": "BIG"},
        {"size": "BIG", "kind": "x"},
        {"outputParameters": {"path": "${x.output.response.body.path}", "case": "${by_size.output.selectedCase}"}},
        tasks_of=["by_size", "by_kind", "x"],
    )


def _script(service: Service) -> Example:
    choice = task(
        "choose",
        "SWITCH",
        evaluatorType="javascript",
        expression="$.code >= 400 ? 'bad' : 'good'",
        inputParameters={"code": "${call.output.response.statusCode}"},
        decisionCases={"bad": [end("stop", "FAILED")]},
        defaultCase=[task("keep", "SET_VARIABLE", inputParameters={"code": "${call.output.response.statusCode}"})],
    )
    return Example(
        [_echo(service, "call"), choice],
        {"code": 200},
        fields={"outputParameters": {"code": "${workflow.variables.code}"}},
    )


def _fork(service: Service) -> Example:
    return Example(
        [
            *fork(
                "both",
                [_echo(service, "a"), _echo(service, "a2")],
                [_echo(service, "b", method="POST", body=[1, 2])],
            ),
            task("merge", "JSON_JQ_TRANSFORM", inputParameters={
                "a": "${a2.output.response.body.method}", "b": "${b.output.response.body.body}",
                "queryExpression": "{method: .a, sum: (.b | add)}",
            }),
        ],
        {"merged": {"method": "GET", "sum": 3}},
        fields={"outputParameters": {"merged": "${merge.output.result}"}},
    )  # fmt: skip


def _dynamic_fork(service: Service) -> Example:
    script = """(function () {
        var tasks = [], inputs = {};
        for (var i = 0; i < $.many; i++) {
            tasks.push({name: 'call', taskReferenceName: 'call_' + i, type: 'HTTP'});
            inputs['call_' + i] = {uri: $.url + i, method: 'GET'};
        }
        return {tasks: tasks, inputs: inputs};
    })();"""
    return Example(
        [
            task("plan", "INLINE", inputParameters={
                "evaluatorType": "graaljs", "expression": script, "many": "${workflow.input.many}",
                "url": f"{service.url}/echo/",
            }),
            task(
                "fan", "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="tasks", dynamicForkTasksInputParamName="inputs",
                inputParameters={"tasks": "${plan.output.result.tasks}", "inputs": "${plan.output.result.inputs}"},
            ),
            task("fan_join", "JOIN"),
        ],
        {"last": "/echo/2"},
        {"many": 3},
        {"outputParameters": {"last": "${fan_join.output.call_2.response.body.path}"}},
    )  # fmt: skip


def _loop(service: Service) -> Example:
    return Example(
        [
            task(
                "pages",
                "DO_WHILE",
                inputParameters={"most": "${workflow.input.most}"},
                loopCondition="if ($.pages['iteration'] < $.most) { true; } else { false; }",
                loopOver=[
                    _echo(service, "page"),
                    task("note", "SET_VARIABLE", inputParameters={"n": "${pages.output.iteration}"}),
                ],
            )
        ],
        {"times": 3, "path": "/echo"},
        {"most": 3},
        {"outputParameters": {"times": "${pages.output.iteration}", "path": "${page.output.response.body.path}"}},
    )  # fmt: skip


def _sub(service: Service) -> Example:
    inner = {
        "name": unique(), "version": 1, "schemaVersion": 2, "ownerEmail": "owner@example.com",
        "tasks": [_echo(service, "inner", method="POST", body="${workflow.input}")],
        "outputParameters": {"got": "${inner.output.response.body.body}"},
    }  # fmt: skip
    return Example(
        [
            task("sub", "SUB_WORKFLOW", inputParameters={"a": "${workflow.input.a}"}, subWorkflowParam={
                "name": inner["name"], "version": 1, "workflowDefinition": inner,
            }),
        ],
        {"got": {"a": 1}},
        {"a": 1},
        {"outputParameters": {"got": "${sub.output.got}"}},
    )  # fmt: skip


def _wait(_service: Service) -> Example:
    return Example(
        [
            wait("rest", duration="1 seconds"),
            task("nothing", "NOOP"),
            task("keep", "SET_VARIABLE", inputParameters={"a": 1}),
        ],
        {"a": 1},
        fields={"outputParameters": {"a": "${workflow.variables.a}"}},
        tasks_of=["rest", "nothing", "keep"],
    )  # fmt: skip


def _terminate(_service: Service) -> Example:
    return Example(
        [
            end("stop", "COMPLETED"),
            task("never", "NOOP"),
        ],
        {},
        tasks_of=["stop"],
    )


def _failing(service: Service) -> Example:
    return Example(
        [http("call", uri=f"{service.url}/status/500"), task("never", "NOOP")], {}, status="FAILED", tasks_of=["call"]
    )


def _optional(service: Service) -> Example:
    return Example(
        [{**http("call", uri=f"{service.url}/status/404"), "optional": True}, _echo(service, "then")],
        {"path": "/echo"},
        fields={"outputParameters": {"path": "${then.output.response.body.path}"}},
        tasks_of=["call", "then"],
    )


EXAMPLES: dict[str, Callable[[Service], Example]] = {
    "http, flat and nested": _chain,
    "switch in switch": _switch,
    "switch by a script": _script,
    "fork and join, then jq": _fork,
    "dynamic fork": _dynamic_fork,
    "do while": _loop,
    "sub workflow": _sub,
    "wait, noop, set variable": _wait,
    "terminate": _terminate,
    "a call that fails": _failing,
    "an optional call that fails": _optional,
}


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_it_goes_to_its_end(conductor: Conductor, service: Service, name: str) -> None:
    example = EXAMPLES[name](service)
    run = conductor.run(*example.tasks, given=example.given, **example.fields)
    assert run.status == example.status, (run.reason_for_incompletion, states(run))
    if example.output:
        assert run.output == example.output
    if example.tasks_of is not None:
        assert [ref for ref, _ in states(run)] == example.tasks_of


def test_how_tasks_are_called_in_forks_and_loops(conductor: Conductor, service: Service) -> None:
    run = conductor.run(*_loop(service).tasks, given={"most": 2})
    assert [ref for ref, _ in states(run)] == ["pages", "page__1", "note__1", "page__2", "note__2"]
    assert [of(run, f"page__{n}").iteration for n in (1, 2)] == [1, 2]
    assert of(run, "page__1").loop_over_task is True
    run = conductor.run(*_fork(service).tasks)
    assert of(run, "both").task_type == "FORK"
    assert of(run, "both_join").task_type == "JOIN"
    run = conductor.run(*_sub(service).tasks, given={"a": 1})
    inner = conductor.until(of(run, "sub").sub_workflow_id)
    assert (inner.status, inner.parent_workflow_id) == ("COMPLETED", run.workflow_id)
    assert inner.parent_workflow_task_id == of(run, "sub").task_id


def test_a_failure_workflow_is_started(ours: Conductor, service: Service) -> None:
    undo = ours.register(task("undone", "NOOP"))
    run = ours.run(*_failing(service).tasks, failureWorkflow=undo)
    assert run.status == "FAILED"
    [started] = ours.found(f"workflowType={undo}", 1)
    assert ours.until(started.workflow_id).input["workflowId"] == run.workflow_id
