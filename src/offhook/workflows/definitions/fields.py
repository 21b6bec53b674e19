"""The fields of a definition, of its tasks and of policies: of which type each is, which are required. Pure.

What does not fit its type is a violation; a field that nobody knows, or that nothing here acts on, is a notice.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from offhook.kit.errors import shown
from offhook.workflows.definitions.checked import Checked

INT_MAX = 2**31 - 1
MOST_NAME = 255


class Kind(NamedTuple):
    """What a field takes: `fits` tells, `must` says it."""

    must: str
    fits: Callable[[Any], bool]


def whole_number(value: Any) -> bool:
    """Whether a JSON value is a whole number; 3.0 is one, true is none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def number(least: int = 0, most: int = INT_MAX) -> Kind:
    """A whole number within limits."""
    return Kind(
        f"Must be a whole number from {least:,} to {most:,}.",
        lambda value: whole_number(value) and least <= value <= most,
    )


def one_of(*words: str) -> Kind:
    """One of a few words."""
    return Kind(f"Must be one of: {', '.join(words)}.", lambda value: value in words if type(value) is str else False)


def _named(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MOST_NAME and value.isprintable()


def _addressed(value: Any) -> bool:
    return _named(value) and "/" not in value and value not in (".", "..")


TEXT = Kind("Must be a string.", lambda value: isinstance(value, str))
NAME = Kind(f"Must be a name: 1 to {MOST_NAME} printable characters.", _named)
ADDRESSED = Kind(
    f"Must be a name: 1 to {MOST_NAME} printable characters, without /, and neither . nor .., as addresses have it.",
    _addressed,
)
"""A name that stands in the address of what has it."""
FLAG = Kind("Must be true or false.", lambda value: isinstance(value, bool))
OBJECT = Kind("Must be an object.", lambda value: isinstance(value, dict))
LIST = Kind("Must be a list.", lambda value: isinstance(value, list))
TEXTS = Kind("Must be a list of strings.", lambda value: isinstance(value, list) and all(type(v) is str for v in value))
ANY = Kind("", lambda _: True)
TASKS = Kind("Must be a list of tasks.", lambda value: isinstance(value, list))
CASES = Kind("Must be an object: the list of tasks of each case by its name.", lambda value: isinstance(value, dict))
BRANCHES = Kind("Must be a list of branches, each a list of tasks.", lambda value: isinstance(value, list))
POLICY_TIMEOUT = one_of("RETRY", "TIME_OUT_WF", "ALERT_ONLY")
WORKFLOW_TIMEOUT = one_of("TIME_OUT_WF", "ALERT_ONLY")

POLICY: Mapping[str, Kind] = {
    "name": NAME,
    "retryCount": number(),
    "retryLogic": one_of("FIXED", "LINEAR_BACKOFF", "EXPONENTIAL_BACKOFF"),
    "retryDelaySeconds": number(),
    "backoffScaleFactor": number(1),
    "maxRetryDelaySeconds": number(),
    "backoffJitterMs": number(),
    "timeoutSeconds": number(),
    "timeoutPolicy": POLICY_TIMEOUT,
    "responseTimeoutSeconds": number(),
    "totalTimeoutSeconds": number(),
    "concurrentExecLimit": number(),
    "rateLimitPerFrequency": number(),
    "rateLimitFrequencyInSeconds": number(),
    "inputTemplate": OBJECT,
}
REGISTERED_POLICY: Mapping[str, Kind] = {**POLICY, "name": ADDRESSED}
POLICY_UNUSED = frozenset({
    "pollTimeoutSeconds", "isolationGroupId", "executionNameSpace", "inputSchema", "outputSchema", "enforceSchema",
    "runtimeMetadata", "baseType",
})  # fmt: skip
POLICY_KEPT = frozenset({
    "description", "ownerEmail", "ownerApp", "inputKeys", "outputKeys", "createdBy", "updatedBy", "createTime",
    "updateTime", "tags",
})  # fmt: skip

SUB: Mapping[str, Kind] = {
    "name": NAME,
    "version": number(1),
    "workflowDefinition": Kind(
        "Must be a definition, or an expression that gives one.", lambda value: isinstance(value, dict | str)
    ),
    "taskToDomain": OBJECT,
}
SUB_UNUSED = frozenset({"idempotencyKey", "idempotencyStrategy", "priority"})

TASK: Mapping[str, Kind] = {
    "name": NAME,
    "taskReferenceName": NAME,
    "type": TEXT,
    "description": TEXT,
    "inputParameters": OBJECT,
    "optional": FLAG,
    "permissive": FLAG,
    "asyncComplete": FLAG,
    "startDelay": number(),
    "retryCount": number(),
    "taskDefinition": OBJECT,
    "evaluatorType": TEXT,
    "expression": TEXT,
    "caseValueParam": TEXT,
    "decisionCases": CASES,
    "defaultCase": TASKS,
    "forkTasks": BRANCHES,
    "joinOn": TEXTS,
    "joinStatus": TEXT,
    "joinMode": TEXT,
    "dynamicForkTasksParam": TEXT,
    "dynamicForkTasksInputParamName": TEXT,
    "dynamicForkJoinTasksParam": TEXT,
    "loopCondition": TEXT,
    "loopOver": TASKS,
    "items": Kind("Must be a list, or an expression that gives one.", lambda value: isinstance(value, str | list)),
    "subWorkflowParam": OBJECT,
    "metadata": OBJECT,
}
TASK_UNUSED = frozenset({
    "sink", "scriptExpression", "caseExpression", "onStateChange", "cacheConfig", "rateLimited",
    "dynamicTaskNameParam", "inputExpression", "isolationGroupId", "defaultExclusiveJoinTask",
})  # fmt: skip
TASK_KEPT = frozenset({"workflowTaskType", "createTime", "updateTime", "createdBy", "updatedBy", "ownerApp", "tags"})

DEFINITION: Mapping[str, Kind] = {
    "name": ADDRESSED,
    "tasks": TASKS,
    "version": number(1),
    "schemaVersion": Kind("Must be 2, the only version of the schema there is.", lambda value: value == 2),
    "description": TEXT,
    "ownerEmail": TEXT,
    "inputParameters": TEXTS,
    "outputParameters": OBJECT,
    "inputTemplate": OBJECT,
    "variables": OBJECT,
    "failureWorkflow": TEXT,
    "failureWorkflowVersion": number(1),
    "restartable": FLAG,
    "timeoutSeconds": number(),
    "timeoutPolicy": WORKFLOW_TIMEOUT,
    "metadata": OBJECT,
}
DEFINITION_UNUSED = frozenset({
    "workflowStatusListenerEnabled", "workflowStatusListenerSink", "rateLimitConfig", "inputSchema", "outputSchema",
    "enforceSchema", "cacheConfig", "maskedFields", "onStateChange",
})  # fmt: skip
DEFINITION_KEPT = frozenset({
    "ownerApp", "createdBy", "updatedBy", "createTime", "updateTime", "accessPolicy", "tags", "overwriteTags",
    "overwrite",
})  # fmt: skip


def check(
    found: Checked,
    raw: Mapping[str, Any],
    place: str,
    known: Mapping[str, Kind],
    *,
    required: tuple[str, ...] = (),
    unused: frozenset[str] = frozenset(),
    kept: frozenset[str] = frozenset(),
) -> None:
    """Hold the members of an object against what is `known`. Null is absent."""
    for name in required:
        if raw.get(name) is None:
            text = "This field is required" + ("; null counts as missing." if name in raw else ".")
            found.fault(_at(place, name), "required", text)
    for name, value in raw.items():
        if value is None or name in kept:
            continue
        at = _at(place, name)
        if name in known:
            if not known[name].fits(value):
                near = "" if "one of" not in known[name].must else _near(found, value, known[name])
                found.fault(at, "invalidParameter", f"{near}{known[name].must}", value)
        elif name in unused:
            if value not in (False, "", 0, [], {}):
                found.notice(at, "field_not_used", "This field is kept, but nothing here acts on it.")
        else:
            text = f"No such field is known; it is kept and does nothing.{found.near(name, (*known, *unused))}"
            found.notice(_at(place, shown(name)), "unknown_field", text)


def _near(found: Checked, value: Any, kind: Kind) -> str:
    words = kind.must.removeprefix("Must be one of: ").rstrip(".").split(", ")
    near = found.near(value, words).lstrip()
    return f"{near} " if near else ""


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
