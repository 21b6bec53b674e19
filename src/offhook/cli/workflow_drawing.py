"""A workflow definition as lines of text: one a task, with what it leads to below and to the right of it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from offhook.workflows.definitions.http import request_of

_LONGEST = 72

Raw = Mapping[str, Any]
Line = tuple[str, str, str]
"""What stands before a task, its reference name, and what it is."""


def drawing(definition: Raw) -> list[Line]:
    """The lines of a definition that keeps the rules. A way without a task has a line too, with an empty name."""
    return [("○", "", "start"), *_sequence(definition.get("tasks") or [], "", last=False), ("○", "", "end")]


def _sequence(tasks: list[Raw], before: str, *, last: bool) -> Iterator[Line]:
    for number, task in enumerate(tasks):
        end = last and number == len(tasks) - 1
        yield f"{before}{'└─' if end else '├─'} ", str(task.get("taskReferenceName")), _what(task)
        yield from _inside(task, f"{before}{'   ' if end else '│  '}")


def _inside(task: Raw, before: str) -> Iterator[Line]:
    ways = list(_ways(task))
    for number, (label, tasks) in enumerate(ways):
        end = number == len(ways) - 1
        yield f"{before}{'└╴' if end else '├╴'}", "", label if tasks else f"{label}: nothing"
        yield from _sequence(tasks, f"{before}{'   ' if end else '│  '}", last=True)


def _ways(task: Raw) -> Iterator[tuple[str, list[Raw]]]:
    match task.get("type"):
        case "SWITCH":
            for case, tasks in (task.get("decisionCases") or {}).items():
                yield f"if {case}", tasks
            yield "otherwise", task.get("defaultCase") or []
        case "FORK_JOIN":
            for number, tasks in enumerate(task.get("forkTasks") or [], 1):
                yield f"branch {number}", tasks
        case "DO_WHILE":
            items = task.get("items")
            yield (
                (f"for each of {_short(items)}" if items else f"while {_short(task.get('loopCondition'))}"),
                (task.get("loopOver") or []),
            )


def _what(task: Raw) -> str:
    kind = str(task.get("type"))
    inputs = task.get("inputParameters")
    inputs = inputs if isinstance(inputs, dict) else {}
    param = task.get("subWorkflowParam")
    start = inputs.get("startWorkflow")
    says: Any = ""
    match kind:
        case "HTTP":
            request, _ = request_of(inputs)
            says = f"{request.get('method')} {request.get('uri')}" if isinstance(request, dict) else request
        case "SWITCH":
            says = task.get("expression")
        case "JOIN":
            says = ", ".join(map(str, task.get("joinOn") or ())) or "all"
        case "FORK_JOIN_DYNAMIC":
            says = "as many branches as it is given"
        case "SUB_WORKFLOW":
            says = param.get("name") if isinstance(param, dict) else ""
        case "START_WORKFLOW":
            says = start.get("name") if isinstance(start, dict) else start
        case "WAIT":
            says = inputs.get("duration") or inputs.get("until") or "for somebody"
        case "HUMAN":
            says = "for somebody"
        case "TERMINATE":
            says = inputs.get("terminationStatus")
        case "SET_VARIABLE":
            says = ", ".join(inputs)
        case "JSON_JQ_TRANSFORM":
            says = inputs.get("queryExpression")
        case "INLINE":
            says = inputs.get("expression")
    return f"{kind} {_short(says)}".rstrip()


def _short(value: Any) -> str:
    text = " ".join(("" if value is None else value if isinstance(value, str) else str(value)).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
