"""The tasks that a dynamic fork is given while it runs. Pure.

What it is given is data, whoever it came from: nothing in it is taken for an expression, and only types that are run
here are taken.
"""

from collections.abc import Set
from typing import Any

from offhook.workflows.definitions.model import HTTP, HUMAN, INLINE, JQ, NOOP, START, SUB, WAIT, Task
from offhook.workflows.definitions.rules import check_branch, iteration_of

MOST = 1_000
"""Branches of one fork."""

_SINGLE = (HTTP, INLINE, JQ, NOOP, START, SUB, WAIT, HUMAN)
_NAME = 200


class Unforkable(Exception):
    """What was given makes no branches; the text says where and why."""


def forked(task: Task, given: dict[str, Any], taken: Set[str], end: str = "") -> list[dict[str, Any]]:
    """The branches, one task each, as definitions with their input in `inputParameters`.

    `taken` are names and keys in use, and `end` is what the rounds of loops around the fork append to a name.

    Given are tasks and a map of their inputs by reference name, or one kind of task (`forkTaskType` or `forkTaskName`,
    or `forkTaskWorkflow`) with a list of inputs (`forkTaskInputs`).
    """
    if task.dynamic_fork_tasks_param:
        made = _listed(task, given)
    elif task.dynamic_fork_join_tasks_param:
        made = _joined(given.get(task.dynamic_fork_join_tasks_param))
    else:
        made = _alike(task, given)
    if len(made) > MOST:
        raise Unforkable(f"{len(made)} branches were given; a fork may have {MOST}.")
    seen: set[str] = set(taken)
    for number, one in enumerate(made):
        ref = one["taskReferenceName"]
        if not isinstance(ref, str) or not 0 < len(ref) <= _NAME:
            raise Unforkable(f"Branch {number} needs a taskReferenceName of 1 to {_NAME} characters.")
        if ref in seen or ref + end in taken:
            raise Unforkable(f"Branch {number} has the name {ref}, which another task of the run has.")
        if of := iteration_of(ref, taken):
            raise Unforkable(f"Branch {number} has the name {ref}, as a round of a loop would call the task {of}.")
        if one["type"] not in _SINGLE:
            raise Unforkable(
                f"Branch {number} has the type {one['type']}; a branch that is made while a run goes on may be one of "
                f"{', '.join(_SINGLE)}."
            )
        wrong = check_branch(one).violations
        if wrong:
            raise Unforkable(f"Branch {number}: {wrong[0].location}: {wrong[0].message}")
        seen.add(ref)
    return made


def written(task: Task) -> dict[str, dict[str, Any]]:
    """The inputs, by reference name, of those branches that the definition writes out itself, as it writes them."""
    try:
        made = forked(task, task.input_parameters, frozenset())
    except Unforkable:
        return {}
    return {one["taskReferenceName"]: one["inputParameters"] for one in made}


def _listed(task: Task, given: dict[str, Any]) -> list[dict[str, Any]]:
    tasks = given.get(task.dynamic_fork_tasks_param or "")
    inputs = given.get(task.dynamic_fork_tasks_input_param_name or "") or {}
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise Unforkable(f"{task.dynamic_fork_tasks_param} must be a list of tasks.")
    if not isinstance(inputs, dict):
        raise Unforkable(f"{task.dynamic_fork_tasks_input_param_name} must be a map of inputs by reference name.")
    return [_task(one, inputs.get(str(one.get("taskReferenceName")))) for one in tasks]


def _joined(given: Any) -> list[dict[str, Any]]:
    tasks = given.get("dynamicTasks") if isinstance(given, dict) else given
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise Unforkable("dynamicTasks must be a list of tasks.")
    return [
        _task({"name": one.get("taskName"), "taskReferenceName": one.get("referenceName"), **one}, one.get("input"))
        for one in tasks
    ]


def _alike(task: Task, given: dict[str, Any]) -> list[dict[str, Any]]:
    inputs = given.get("forkTaskInputs")
    if not isinstance(inputs, list):
        raise Unforkable("forkTaskInputs must be a list of inputs, one a branch.")
    workflow, kind = given.get("forkTaskWorkflow"), given.get("forkTaskType") or given.get("forkTaskName")
    made = []
    for number, one in enumerate(inputs):
        values = one if isinstance(one, dict) else {"input": one}
        branch: dict[str, Any] = {"taskReferenceName": f"{task.ref}_{number}", "index": number}
        if workflow:
            param = {"name": str(workflow), "version": given.get("forkTaskWorkflowVersion")}
            branch |= {"name": str(workflow), "type": SUB, "subWorkflowParam": param}
        else:
            branch |= {"name": str(kind), "type": str(kind)}
        made.append(_task(branch, values))
    return made


def _task(one: dict[str, Any], values: Any) -> dict[str, Any]:
    own = one.get("inputParameters")
    merged = {**(own if isinstance(own, dict) else {}), **(values if isinstance(values, dict) else {})}
    kept = {"name": str(one.get("name") or one.get("taskReferenceName")), "type": one.get("type") or "SIMPLE"}
    for name in ("subWorkflowParam", "retryCount", "taskDefinition", "optional", "asyncComplete"):
        if one.get(name) is not None:
            kept[name] = one[name]
    return {**kept, "taskReferenceName": one.get("taskReferenceName"), "inputParameters": merged}
