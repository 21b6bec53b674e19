"""Everything that a definition must keep to be run, held against it at once. Pure.

Types first (fields.py), then the rules of each type of task (kinds.py, http.py), then what tasks have to do with each
other (here), then expressions (scope.py). A violation's location is the path in the definition:
"tasks[2].decisionCases.BIG[0].inputParameters.uri".
"""

import re
from collections import Counter
from collections.abc import Container, Mapping
from typing import Any

from offhook.kit.errors import shown
from offhook.workflows.definitions import fields
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.http import check_http
from offhook.workflows.definitions.kinds import check_kind, check_sub, check_type, templated
from offhook.workflows.definitions.model import Policy
from offhook.workflows.definitions.scope import Scope
from offhook.workflows.definitions.steps import Step, every, tree

MOST_SUBS = 8
"""Levels of workflows that are written out within each other."""

_ADDRESSABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ITERATION = re.compile(r".+__\d+")
_OWN: Mapping[str, frozenset[str]] = {
    "decisionCases": frozenset({"SWITCH"}),
    "defaultCase": frozenset({"SWITCH"}),
    "forkTasks": frozenset({"FORK_JOIN"}),
    "joinOn": frozenset({"JOIN"}),
    "loopOver": frozenset({"DO_WHILE"}),
    "loopCondition": frozenset({"DO_WHILE"}),
    "items": frozenset({"DO_WHILE"}),
    "subWorkflowParam": frozenset({"SUB_WORKFLOW", "FORK_JOIN_DYNAMIC"}),
    "dynamicForkTasksParam": frozenset({"FORK_JOIN_DYNAMIC"}),
    "dynamicForkTasksInputParamName": frozenset({"FORK_JOIN_DYNAMIC"}),
    "dynamicForkJoinTasksParam": frozenset({"FORK_JOIN_DYNAMIC"}),
    "evaluatorType": frozenset({"SWITCH", "DO_WHILE", "INLINE"}),
    "expression": frozenset({"SWITCH", "INLINE"}),
}
"""Fields that mean something to tasks of some types only."""


def check(raw: Mapping[str, Any], policies: Mapping[str, Policy] | None = None) -> Checked:
    """All that is wrong with a definition, and all that is to be said of it. `policies` are those that are registered.

    `raw` is JSON, bounded in size and depth as reading.py does; whatever types it has, nothing is raised.
    """
    found = Checked()
    _definition(found, raw, "", policies or {}, 0)
    found.sort(raw)
    return found


def check_policy(raw: Mapping[str, Any]) -> Checked:
    """The same for a policy that is to be registered by its name."""
    found = Checked()
    _policy(found, raw, "", fields.REGISTERED_POLICY, required=("name",))
    return found


def _definition(
    found: Checked, raw: Mapping[str, Any], prefix: str, policies: Mapping[str, Policy], depth: int
) -> None:
    fields.check(
        found,
        raw,
        prefix.rstrip("."),
        fields.DEFINITION,
        required=("name", "tasks"),
        unused=fields.DEFINITION_UNUSED,
        kept=fields.DEFINITION_KEPT,
    )
    if raw.get("tasks") == []:
        found.fault(f"{prefix}tasks", "required", "A workflow has at least one task; NOOP does nothing.")
    inner = Checked()
    steps = tree(inner, raw)
    for one in inner.violations:
        found.fault(f"{prefix}{one.location}", one.reason, one.message, one.sent)
    for step in every(steps):
        step.place = f"{prefix}{step.place}"
    for step in every(steps):
        _task(found, step, policies)
        _written_out(found, step, policies, depth)
    _names(found, steps)
    _order(found, steps)
    if raw.get("failureWorkflowVersion") is not None and not raw.get("failureWorkflow"):
        text = "Without a failureWorkflow, its version does nothing."
        found.notice(f"{prefix}failureWorkflowVersion", "field_not_used", text)
    if raw.get("timeoutPolicy") == "TIME_OUT_WF" and raw.get("timeoutSeconds") == 0:
        text = "A timeout of 0 seconds is none, so that the policy does nothing."
        found.notice(f"{prefix}timeoutPolicy", "field_not_used", text)
    Scope(found, raw, steps, prefix).check()


def check_branch(raw: Mapping[str, Any]) -> Checked:
    """A task that was made while a run goes on. What it takes is data already, so that nothing is looked for in it."""
    found = Checked()
    fields.check(found, raw, "", fields.TASK, required=("name", "taskReferenceName"))
    policy, param = raw.get("taskDefinition"), raw.get("subWorkflowParam")
    if isinstance(policy, dict):
        _policy(found, policy, "taskDefinition")
    if raw.get("type") == "SUB_WORKFLOW":
        check_sub(found, param, "subWorkflowParam")
    return found


def _task(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    fields.check(
        found,
        step.raw,
        step.place,
        fields.TASK,
        required=("name", "taskReferenceName"),
        unused=fields.TASK_UNUSED,
        kept=fields.TASK_KEPT,
    )
    policy = step.raw.get("taskDefinition")
    if isinstance(policy, dict):
        _policy(found, policy, f"{step.place}.taskDefinition")
    if not check_type(found, step):
        return
    for name, types in _OWN.items():
        if step.raw.get(name) not in (None, "", [], {}) and step.type not in types:
            text = f"Only tasks of the type {' or '.join(sorted(types))} have it; it does nothing here."
            found.notice(f"{step.place}.{name}", "field_not_used", text)
    check_kind(found, step, policies)
    if step.type == "HTTP":
        given = {name: value for name, value in step.inputs.items() if value is not None}
        check_http(found, step.place, {**templated(step, policies), **given})


def _policy(
    found: Checked,
    raw: Mapping[str, Any],
    place: str,
    known: Mapping[str, fields.Kind] = fields.POLICY,
    required: tuple[str, ...] = (),
) -> None:
    fields.check(
        found,
        raw,
        place,
        known,
        required=required,
        unused=fields.POLICY_UNUSED,
        kept=fields.POLICY_KEPT,
    )

    def at(name: str) -> str:
        return f"{place}.{name}" if place else name

    total, response = raw.get("timeoutSeconds"), raw.get("responseTimeoutSeconds")
    if fields.whole_number(total) and fields.whole_number(response) and 0 < total < response:  # type: ignore[operator]
        text = f"Must not be longer than timeoutSeconds, which is {total}."
        found.fault(at("responseTimeoutSeconds"), "notTogether", text, response)
    for name in ("concurrentExecLimit", "rateLimitPerFrequency", "rateLimitFrequencyInSeconds"):
        if raw.get(name):
            text = "It limits nothing here; hostConcurrency and rateLimit of an HTTP task's request do."
            found.notice(at(name), "field_not_used", text)


def _written_out(found: Checked, step: Step, policies: Mapping[str, Policy], depth: int) -> None:
    param = step.raw.get("subWorkflowParam")
    inner = param.get("workflowDefinition") if isinstance(param, dict) else None
    at = f"{step.place}.subWorkflowParam.workflowDefinition"
    if isinstance(inner, dict):
        if depth >= MOST_SUBS:
            found.fault(at, "tooDeep", f"Workflows are written out at most {MOST_SUBS} within each other.")
        else:
            _definition(found, inner, f"{at}.", policies, depth + 1)
    elif isinstance(inner, str) and "${" not in inner:
        text = "Must be a definition, or an expression that gives one; a workflow's name goes into name."
        found.fault(at, "invalidParameter", text, inner)


def iteration_of(ref: str, refs: Container[str]) -> str:
    """Which of these tasks has an iteration of that name, if it is in a loop; "" if none."""
    while _ITERATION.fullmatch(ref):
        ref = ref.rpartition("__")[0]
        if ref in refs:
            return ref
    return ""


def _names(found: Checked, steps: list[Step]) -> None:
    first: dict[str, str] = {}
    loops = [step for step in every(steps) if step.type == "DO_WHILE"]
    looped = {inner.ref for loop in loops for nested in loop.sequence("loopOver") for inner in every(nested)}
    for step in every(steps):
        at = f"{step.place}.taskReferenceName"
        if not step.ref.strip():
            continue
        if step.ref in first:
            text = f"Must be unique in the whole definition; {first[step.ref]} has the same. Give one another name."
            found.fault(at, "duplicate", text, step.ref)
            continue
        first[step.ref] = step.place
        if step.ref == "workflow":
            found.fault(at, "reserved", "workflow is the name of the workflow itself in expressions.", step.ref)
        elif not _ADDRESSABLE.fullmatch(step.ref):
            text = "Expressions cannot well name it: take letters, digits, _ and -, beginning with a letter."
            found.notice(at, "name_not_addressable", text)
        elif one := iteration_of(step.ref, looped):
            text = f"Is what a round of the loop around {one} calls that task; choose another name."
            found.fault(at, "reserved", text, step.ref)
        elif _ITERATION.fullmatch(step.ref):
            text = "Names that end in __ and a number are those of a loop's iterations; choose another end."
            found.notice(at, "name_like_iteration", text)


def _order(found: Checked, steps: list[Step]) -> bool:
    """Forks with their joins, and what stands behind an end; gives whether the sequence always ends the workflow."""
    ended = ""
    for number, step in enumerate(steps):
        if ended:
            text = f"Is never reached: {shown(ended)} before it always ends the workflow."
            found.notice(step.place, "unreachable", text)
        after = steps[number + 1] if number + 1 < len(steps) else None
        before = steps[number - 1] if number else None
        forks = ("FORK_JOIN", "FORK_JOIN_DYNAMIC")
        if step.type in forks and (after is None or after.type != "JOIN"):
            text = f"A {step.type} is followed by a JOIN, which waits for its branches; put one right behind it."
            found.fault(step.place, "forkWithoutJoin", text)
        if step.type == "JOIN":
            if before is None or before.type not in forks:
                text = "A JOIN stands right behind the FORK_JOIN or FORK_JOIN_DYNAMIC whose branches it waits for."
                found.fault(step.place, "joinWithoutFork", text)
            else:
                _join(found, step, before)
        ends = [_order(found, inner) for _, inner in step.inside]
        if step.type == "TERMINATE" or (step.type == "SWITCH" and len(ends) > 1 and all(ends) and _has_default(step)):
            ended = ended or step.ref or step.place
    return bool(ended)


def _has_default(step: Step) -> bool:
    return bool(step.sequence("defaultCase") and step.sequence("defaultCase")[0])


def _join(found: Checked, join: Step, fork: Step) -> None:
    on = join.raw.get("joinOn")
    names = [one for one in on if isinstance(one, str)] if isinstance(on, list) else []
    at = f"{join.place}.joinOn"
    if fork.type == "FORK_JOIN_DYNAMIC":
        if names:
            found.notice(at, "join_on_not_used", "Behind a FORK_JOIN_DYNAMIC a JOIN waits for all; leave joinOn out.")
        return
    if on is None or on == []:
        return
    within = {step.ref for branch in fork.sequence("forkTasks") for step in every(branch)}
    lasts = {branch[-1].ref: branch[-1] for branch in fork.sequence("forkTasks") if branch}
    cased = {
        inner.ref
        for branch in fork.sequence("forkTasks")
        for step in every(branch)
        if step.type == "SWITCH"
        for _, tasks in step.inside
        for inner in every(tasks)
    }
    for name, count in Counter(names).items():
        number = names.index(name)
        if name not in within:
            text = f"Must name a task of the fork's branches, the last of each.{found.near(name, within)}"
            found.fault(f"{at}[{number}]", "unknownReference", text, name)
        elif name in cased or (name in lasts and lasts[name].type == "SWITCH"):
            text = (
                f"What {shown(name)} stands for may not run, or end before its case does: put a NOOP behind the SWITCH."
            )
            found.notice(f"{at}[{number}]", "join_on_case", text)
        elif name not in lasts:
            text = f"{shown(name)} is not the last task of its branch: the JOIN does not wait for what follows it."
            found.notice(f"{at}[{number}]", "join_on_not_last", text)
        if count > 1:
            found.notice(f"{at}[{number}]", "named_twice", f"{shown(name)} stands {count} times.")
    for branch in fork.sequence("forkTasks"):
        if branch and not any(step.ref in names for step in every(branch)):
            text = f"The JOIN does not wait for the branch that ends with {shown(branch[-1].ref)}; name it in joinOn."
            found.notice(at, "branch_not_joined", text)
