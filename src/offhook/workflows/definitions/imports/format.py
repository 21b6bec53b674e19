"""The definition format behind the seed page: what a definition must have, and where its routes lead. Pure."""

from collections.abc import Mapping
from typing import Any

from offhook.kit.errors import Violation, shown
from offhook.kit.wire import meant

Raw = dict[str, Any]
MOST_TASKS = 500
_TYPES = ("Simple", "Http", "Decision", "Parallel", "Map", "Wait", "Terminate")
KNOWN: Mapping[str, tuple[str, ...]] = {
    "Simple": (),
    "Http": ("credentials", "httpRequest", "connectionTimeoutSeconds", "readTimeoutSeconds"),
    "Decision": ("choices", "defaultTask"),
    "Parallel": ("branches",),
    "Map": ("itemsExpression", "itemProcessor", "maxConcurrency", "maxConcurrencyExpression"),
    "Wait": ("seconds", "secondsExpression", "timestamp", "timestampExpression"),
    "Terminate": ("terminationStatus", "workflowOutput"),
}
"""The fields of a type of task, beside those of all."""

COMMON = ("type", "description", "inputParameters", "retry", "nextTask", "end")
_GRAPH = ("startTask", "tasks")
OF_DEFINITION = (
    "name", "description", *_GRAPH, "timeoutSeconds", "failureWorkflow", "failureWorkflowVersion",
    "maxConcurrentWorkflows", "id", "version", "disabled", "createdOn",
)  # fmt: skip


def faults(raw: Raw) -> list[Violation]:
    found: list[Violation] = []
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 200:
        _fault(found, "name", "Must be a name of 1 to 200 printable characters.", name)
    names: dict[str, str] = {}
    _graph(found, raw, "", names)
    return found


def _fault(found: list[Violation], place: str, message: str, sent: Any = None) -> None:
    if len(found) < 200:
        found.append(Violation(location=place, message=message, sent=None if sent is None else shown(sent)))


def _graph(found: list[Violation], raw: Raw, place: str, names: dict[str, str]) -> None:
    tasks = raw.get("tasks")
    at = f"{place}tasks"
    if not isinstance(tasks, dict) or not tasks:
        _fault(
            found,
            at,
            'Must be an object of tasks by their names, such as {"Ask": {"type": "Simple", "end": true}}.',
            tasks,
        )
        return
    if raw.get("startTask") not in tasks if isinstance(raw.get("startTask"), str) else True:
        near = meant(raw.get("startTask"), tasks)
        _fault(found, f"{place}startTask", f"Must be the name of one of the tasks.{near}", raw.get("startTask"))
    for name, task in tasks.items():
        here = f"{at}[{shown(name)!r}]"
        if name in names:
            _fault(found, here, f"Must be unique in the whole definition; {names[name]} has the same name.")
        names[name] = here
        if len(names) > MOST_TASKS:
            _fault(found, at, f"At most {MOST_TASKS} tasks are imported.")
            return
        if not isinstance(task, dict) or task.get("type") not in _TYPES:
            kind = task.get("type") if isinstance(task, dict) else task
            text = f"Must be a task of one of the types: {', '.join(_TYPES)}.{meant(kind, _TYPES)}"
            _fault(found, f"{here}.type" if isinstance(task, dict) else here, text, kind)
            continue
        _task(found, task, here, tasks, names)


def _task(found: list[Violation], task: Raw, here: str, tasks: Raw, names: dict[str, str]) -> None:
    kind = task["type"]
    for name in ("inputParameters", "retry", "httpRequest", "workflowOutput"):
        if not isinstance(task.get(name), dict | None):
            _fault(found, f"{here}.{name}", "Must be an object.", task[name])

    def target(value: Any, place: str) -> None:
        if not isinstance(value, str) or value not in tasks:
            _fault(found, place, f"Must name a task of the same graph.{meant(value, tasks)}", value)

    if kind == "Decision":
        choices = task.get("choices")
        if not isinstance(choices, list) or not choices:
            _fault(found, f"{here}.choices", "Must be a list of at least one choice.", choices)
        for number, choice in enumerate(choices if isinstance(choices, list) else ()):
            at = f"{here}.choices[{number}]"
            if not isinstance(choice, dict) or not isinstance(choice.get("condition"), str):
                _fault(found, at, "Must have a condition (JavaScript) and a nextTask.")
            else:
                target(choice.get("nextTask"), f"{at}.nextTask")
        target(task.get("defaultTask"), f"{here}.defaultTask")
    elif kind != "Terminate":
        if task.get("nextTask") is not None:
            target(task["nextTask"], f"{here}.nextTask")
        elif task.get("end") is not True:
            _fault(found, here, 'Must have a nextTask, or "end": true.')
    if kind == "Http":
        request = task.get("httpRequest")
        url = request.get("url") if isinstance(request, dict) else None
        if not isinstance(url, str) or not url:
            _fault(found, f"{here}.httpRequest.url", "Must be the address that is called.", url)
        if isinstance(request, dict) and not isinstance(request.get("headers"), dict | None):
            _fault(found, f"{here}.httpRequest.headers", "Must be an object.", request["headers"])
    elif kind == "Parallel":
        branches = task.get("branches")
        if not isinstance(branches, list) or not branches or not all(isinstance(one, dict) for one in branches):
            _fault(found, f"{here}.branches", "Must be a list of branches, each with startTask and tasks.", branches)
        else:
            for number, one in enumerate(branches):
                _graph(found, one, f"{here}.branches[{number}].", names)
    elif kind == "Map":
        if not isinstance(task.get("itemsExpression"), str):
            _fault(found, f"{here}.itemsExpression", "Must be an expression for a list.", task.get("itemsExpression"))
        if isinstance(task.get("itemProcessor"), dict):
            _graph(found, task["itemProcessor"], f"{here}.itemProcessor.", names)
        else:
            _fault(found, f"{here}.itemProcessor", "Must have startTask and tasks.", task.get("itemProcessor"))
    elif kind == "Wait":
        given = [name for name in KNOWN["Wait"] if task.get(name) is not None]
        if len(given) != 1:
            _fault(found, here, f"Must have exactly one of: {', '.join(KNOWN['Wait'])}.")
        elif not isinstance(task[given[0]], int if given == ["seconds"] else str) or task[given[0]] is True:
            _fault(found, f"{here}.{given[0]}", "Must be a number of seconds, or a text.", task[given[0]])
    elif kind == "Terminate" and task.get("terminationStatus") not in ("Completed", "Failed"):
        text = "Must be Completed or Failed."
        _fault(found, f"{here}.terminationStatus", text, task.get("terminationStatus"))


def targets(task: Raw) -> tuple[str, ...]:
    if task["type"] == "Decision":
        return tuple(dict.fromkeys([*(one["nextTask"] for one in task["choices"]), task["defaultTask"]]))
    following = task.get("nextTask")
    return (following,) if following and task["type"] != "Terminate" else ()


def cases_of(task: Raw) -> dict[str, str]:
    """The cases of a decision with their tasks; choices that lead to the same task are one."""
    cases = {case_of(task, one["nextTask"]): one["nextTask"] for one in task["choices"]}
    return {**cases, "otherwise": task["defaultTask"]}


def case_of(task: Raw, target: str) -> str:
    if target == task["defaultTask"]:
        return "otherwise"
    targets = list(dict.fromkeys(one["nextTask"] for one in task["choices"] if one["nextTask"] != task["defaultTask"]))
    return f"choice_{targets.index(target) + 1}"
