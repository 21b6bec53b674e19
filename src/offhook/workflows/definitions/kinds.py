"""The rules of each type of task, beside those of HTTP: what it must have, and what it must not. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from offhook.workflows.definitions import durations
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.fields import INT_MAX, SUB, SUB_UNUSED, check, whole_number
from offhook.workflows.definitions.model import TYPES, Policy
from offhook.workflows.definitions.steps import Step

JAVASCRIPT = ("javascript", "graaljs")
JSONATA = "jsonata"
"""An evaluator of INLINE that stock Conductor lacks: the expression is JSONata over the task's input."""
_VERSION = re.compile("[0-9]{1,10}")
STATUSES = ("COMPLETED", "FAILED", "TERMINATED")

INSTEAD: Mapping[str, str] = {
    "SIMPLE": "it needs a worker that polls for it; call the worker's service by HTTP, or wait for somebody by HUMAN",
    "USER_DEFINED": "it needs a worker; call the worker's service by HTTP, or wait for somebody by HUMAN",
    "DECISION": "use SWITCH with evaluatorType value-param or javascript",
    "LAMBDA": "use INLINE with evaluatorType javascript and expression",
    "EXCLUSIVE_JOIN": "use SWITCH, and read the output of the case that was taken",
    "DYNAMIC": "use SWITCH with a case for each task, or FORK_JOIN_DYNAMIC with one task",
    "EVENT": "use START_WORKFLOW, or start workflows by a trigger",
    "KAFKA_PUBLISH": "use HTTP with the address of a bridge of your broker",
    "HTTP_POLL": "use DO_WHILE over an HTTP and a WAIT",
    "JDBC": "use HTTP with a service in front of the database",
    "BUSINESS_RULE": "use SWITCH or INLINE",
    "PULL_WORKFLOW_MESSAGES": "use WAIT, or HUMAN, which is completed from outside",
    "START_WORKFLOW_SYNC": "use SUB_WORKFLOW",
    "WAIT_FOR_EVENT": "use WAIT without a time, which is completed from outside",
    "WAIT_FOR_WEBHOOK": "use WAIT without a time, which is completed from outside",
    "GET_WORKFLOW": "use HTTP with this server's own address of the run",
    "TERMINATE_WORKFLOW": "use HTTP with this server's own address of the run",
    "UPDATE_TASK": "use HTTP with this server's own address of the task",
    "UPDATE_SECRET": "use the workbench's credentials",
    "QUERY_PROCESSOR": "use HTTP",
    "OPS_GENIE": "use HTTP with the service's own API",
    "SENDGRID": "use HTTP with the service's own API",
    "GRPC": "use HTTP",
    "JUMP": "use SWITCH or DO_WHILE",
    "YIELD": "use WAIT or HUMAN, which are completed from outside",
}
_AI = ("LLM_", "MCP", "AGENT")


def check_type(found: Checked, step: Step) -> bool:
    """Whether the task is of a type that is run; another is refused by its name."""
    given = step.raw.get("type")
    if given is not None and not isinstance(given, str):
        return False
    if step.type in TYPES:
        return True
    at = f"{step.place}.type"
    if given is None:
        text = f"Without a type it is SIMPLE, and {INSTEAD['SIMPLE']}. The types are: {', '.join(TYPES)}."
        found.fault(at, "unsupportedType", text)
    elif step.type in INSTEAD:
        found.fault(at, "unsupportedType", f"{step.type} is not run here; {INSTEAD[step.type]}.", given)
    elif any(sign in step.type for sign in _AI):
        found.fault(at, "unsupportedType", f"{step.type} is not run here; call the model's own API by HTTP.", given)
    else:
        text = f"No such type of task is known.{found.near(given, TYPES)} The types are: {', '.join(TYPES)}."
        found.fault(at, "unsupportedType", text, given)
    return False


def check_kind(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    """The rules of the task's own type."""
    _KINDS.get(step.type, _nothing)(found, step, policies)


def _nothing(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    """Types without rules of their own: HUMAN, NOOP, JOIN (which rules.py holds against its fork)."""


def templated(step: Step, policies: Mapping[str, Policy]) -> Mapping[str, Any]:
    """What the task's policy fills its input up with."""
    own = step.raw.get("taskDefinition")
    if isinstance(own, dict):
        template = own.get("inputTemplate")
        return template if isinstance(template, dict) else {}
    policy = policies.get(step.text("name"))
    return policy.input_template if policy else {}


def _filled(step: Step, policies: Mapping[str, Policy]) -> Mapping[str, Any]:
    given = {name: value for name, value in step.inputs.items() if value is not None}
    return {**templated(step, policies), **given}


def _required(found: Checked, step: Step, name: str, message: str) -> bool:
    value = step.raw.get(name)
    if value is None or value == "":
        found.fault(f"{step.place}.{name}", "required", message)
        return False
    return True


def _evaluator(found: Checked, at: str, value: Any, allowed: tuple[str, ...]) -> None:
    if isinstance(value, str) and value not in allowed:
        text = f"Must be one of: {', '.join(allowed)}.{found.near(value, allowed)}"
        found.fault(at, "invalidParameter", text, value)


def _switch(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    if _required(found, step, "evaluatorType", "A SWITCH says how it decides: value-param or javascript."):
        _evaluator(found, f"{step.place}.evaluatorType", step.raw["evaluatorType"], ("value-param", *JAVASCRIPT))
    if _required(found, step, "expression", "Name the input parameter (value-param), or write a script (javascript)."):
        expression = step.text("expression")
        if step.text("evaluatorType") == "value-param" and expression and expression not in _filled(step, policies):
            near = found.near(expression, step.inputs)
            text = f"No input parameter has this name, so that no case is ever taken but the default.{near}"
            found.notice(f"{step.place}.expression", "switch_never_decides", text)
    cases = step.raw.get("decisionCases")
    if cases is None or cases == {}:
        text = "A SWITCH has at least one case; put what is done always into the default case's place."
        found.fault(f"{step.place}.decisionCases", "required", text)


def _fork(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    branches = step.raw.get("forkTasks")
    if branches is None or branches == []:
        found.fault(f"{step.place}.forkTasks", "required", "A FORK_JOIN has at least one branch, a list of tasks.")
    for name, tasks in step.inside:
        if name.startswith("forkTasks[") and not tasks:
            found.notice(f"{step.place}.{name}", "empty_branch", "This branch has no tasks; leave it out.")


def _dynamic_fork(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    inputs = _filled(step, policies)
    tasks, values = step.text("dynamicForkTasksParam"), step.text("dynamicForkTasksInputParamName")
    joined = step.text("dynamicForkJoinTasksParam")
    alike = any(name in inputs for name in ("forkTaskName", "forkTaskType", "forkTaskWorkflow"))
    named = [
        name for name in ("dynamicForkTasksParam", "dynamicForkTasksInputParamName", "dynamicForkJoinTasksParam")
        if step.raw.get(name)
    ]  # fmt: skip
    if alike and "forkTaskInputs" not in inputs:
        text = "Give the list of inputs, one for each task of the fork: an expression that gives a list."
        found.fault(f"{step.place}.inputParameters.forkTaskInputs", "required", text)
    if alike or not named:
        kind = inputs.get("forkTaskType", "")
        if not alike:
            text = (
                "Say what is forked: dynamicForkTasksParam with dynamicForkTasksInputParamName; in inputParameters, "
                "forkTaskType (or forkTaskName, forkTaskWorkflow) with forkTaskInputs; or dynamicForkJoinTasksParam."
            )
            found.fault(step.place, "required", text)
        elif isinstance(kind, str) and kind and "${" not in kind and kind not in TYPES:
            text = f"{kind} is not run here; {INSTEAD.get(kind, 'use HTTP or SUB_WORKFLOW')}."
            found.fault(f"{step.place}.inputParameters.forkTaskType", "unsupportedType", text, kind)
        return
    if not joined and not (tasks and values):
        missing = "dynamicForkTasksInputParamName" if tasks else "dynamicForkTasksParam"
        text = "dynamicForkTasksParam and dynamicForkTasksInputParamName go together: each names an input parameter."
        found.fault(f"{step.place}.{missing}", "required", text)
    for name in named:
        chosen = step.text(name)
        if chosen and chosen not in inputs:
            text = f"Names an input parameter that the task does not have.{found.near(chosen, inputs)}"
            found.fault(f"{step.place}.{name}", "unknownParameter", text, chosen)


def _loop(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    if step.raw.get("loopOver") in (None, []):
        found.fault(f"{step.place}.loopOver", "required", "A DO_WHILE has at least one task that it repeats.")
    condition, items = step.raw.get("loopCondition"), step.raw.get("items")
    if condition in (None, "") and items in (None, ""):
        text = "Say how long it goes on: a loopCondition (a script), or items (a list, or an expression for one)."
        if "items" in step.inputs:
            text += " The items of inputParameters are not read: move them beside loopOver."
        found.fault(f"{step.place}.loopCondition", "required", text)
    if step.raw.get("evaluatorType"):
        _evaluator(found, f"{step.place}.evaluatorType", step.raw["evaluatorType"], (*JAVASCRIPT, "value-param"))
    fixed = isinstance(condition, str) and condition.strip() not in ("", "false", "false;") and "$" not in condition
    if fixed and items in (None, ""):
        text = "This condition reads nothing: the loop may never end. Hold $.<ref>.iteration against a number."
        found.notice(f"{step.place}.loopCondition", "endless_loop", text)
    keep = step.inputs.get("keepLastN")
    if keep is not None and not (isinstance(keep, str) and "${" in keep) and not (whole_number(keep) and keep >= 1):
        text = "Must be a whole number of at least 1: how many iterations' outputs are kept."
        found.fault(f"{step.place}.inputParameters.keepLastN", "invalidParameter", text, keep)


def _sub(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    check_sub(found, step.raw.get("subWorkflowParam"), f"{step.place}.subWorkflowParam")


def check_sub(found: Checked, param: Any, at: str) -> None:
    """Which workflow a task runs."""
    if param is None:
        found.fault(at, "required", 'Say which workflow is run: {"name": ..., "version": ...}.')
        return
    if not isinstance(param, dict):
        return
    known = dict(SUB)
    version = param.get("version")
    if isinstance(version, str) and "${" in version:
        del known["version"]
    check(found, {k: v for k, v in param.items() if k in known or k != "version"}, at, known, unused=SUB_UNUSED)
    if not param.get("name") and not param.get("workflowDefinition"):
        found.fault(f"{at}.name", "required", "Name the workflow, or write it out as workflowDefinition.")


def _start(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    at = f"{step.place}.inputParameters.startWorkflow"
    start = _filled(step, policies).get("startWorkflow")
    if start is None:
        found.fault(at, "required", 'Say which workflow is started: {"name": ..., "input": {...}}.')
    elif isinstance(start, dict):
        if not start.get("name") and not start.get("workflowDef"):
            found.fault(f"{at}.name", "required", "Name the workflow that is started.")
        elif start.get("name") is not None and not isinstance(start["name"], str):
            found.fault(f"{at}.name", "invalidParameter", "Must be a string.", start["name"])
        version = start.get("version")
        number: Any = int(version) if isinstance(version, str) and _VERSION.fullmatch(version) else version
        later = isinstance(version, str) and "${" in version
        if version is not None and not later and not (whole_number(number) and 1 <= number <= INT_MAX):
            found.fault(f"{at}.version", "invalidParameter", "Must be a whole number of at least 1.", version)
        if start.get("input") is not None and not isinstance(start["input"], dict | str):
            found.fault(f"{at}.input", "invalidParameter", "Must be an object.", start["input"])
    elif not (isinstance(start, str) and "${" in start):
        found.fault(at, "invalidParameter", "Must be an object, or an expression that gives one.", start)


def _inline(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    inputs = _filled(step, policies)
    at = f"{step.place}.inputParameters"
    kind, script = inputs.get("evaluatorType"), inputs.get("expression")
    if kind is None:
        found.fault(f"{at}.evaluatorType", "required", "Say how the expression is evaluated: javascript.")
    elif isinstance(kind, str) and "${" not in kind:
        _evaluator(found, f"{at}.evaluatorType", kind, (*JAVASCRIPT, "value-param", JSONATA))
    if script is None or (isinstance(script, str) and not script.strip()):
        found.fault(f"{at}.expression", "required", "Write the script, such as (function () { return $.a; })().")
    elif not isinstance(script, str):
        found.fault(f"{at}.expression", "invalidParameter", "Must be a string: the script.", script)


def _jq(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    at, query = f"{step.place}.inputParameters.queryExpression", _filled(step, policies).get("queryExpression")
    if query is None or query == "":
        found.fault(at, "required", "Write the jq query that is applied to the task's input, such as .items | length.")
    elif not isinstance(query, str):
        found.fault(at, "invalidParameter", "Must be a string: a jq query.", query)


def _set(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    if not _filled(step, policies):
        text = "It sets no variable; give each as an input parameter."
        found.notice(f"{step.place}.inputParameters", "nothing_set", text)


def _terminate(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    at, status = f"{step.place}.inputParameters", _filled(step, policies).get("terminationStatus")
    allowed = "COMPLETED, FAILED or TERMINATED"
    if status is None or status == "":
        found.fault(f"{at}.terminationStatus", "required", f"Say how the workflow ends: {allowed}.")
    elif not (isinstance(status, str) and ("${" in status or status in STATUSES)):
        text = f"Must be {allowed}.{found.near(status, STATUSES)}"
        found.fault(f"{at}.terminationStatus", "invalidParameter", text, status)
    if step.raw.get("optional") is True:
        text = "A TERMINATE cannot be optional: what would follow is never run. Leave the field out."
        found.fault(f"{step.place}.optional", "notAllowed", text)


def _wait(found: Checked, step: Step, policies: Mapping[str, Policy]) -> None:
    at, inputs = f"{step.place}.inputParameters", _filled(step, policies)
    duration, until = inputs.get("duration"), inputs.get("until")
    if duration not in (None, "") and until not in (None, ""):
        found.fault(at, "notTogether", "Give either duration or until, not both.")
    _time(found, f"{at}.duration", duration, durations.seconds, durations.DURATION)
    _time(found, f"{at}.until", until, durations.moment, durations.UNTIL)


def _time(found: Checked, at: str, value: Any, read: Callable[[str], int | None], such: str) -> None:
    if value in (None, ""):
        return
    if not isinstance(value, str):
        found.fault(at, "invalidParameter", f"Must be a text {such}.", value)
    elif "${" not in value and read(value) is None:
        found.fault(at, "invalidParameter", f"Must be {such}.", value)


_KINDS: Mapping[str, Callable[[Checked, Step, Mapping[str, Policy]], None]] = {
    "SWITCH": _switch,
    "FORK_JOIN": _fork,
    "FORK_JOIN_DYNAMIC": _dynamic_fork,
    "DO_WHILE": _loop,
    "SUB_WORKFLOW": _sub,
    "START_WORKFLOW": _start,
    "INLINE": _inline,
    "JSON_JQ_TRANSFORM": _jq,
    "SET_VARIABLE": _set,
    "TERMINATE": _terminate,
    "WAIT": _wait,
}
