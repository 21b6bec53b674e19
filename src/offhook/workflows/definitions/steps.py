"""The tasks of a definition as a tree, from JSON that may be wrong anywhere: what does not fit is left out. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.kit.errors import shown
from offhook.workflows.definitions.checked import Checked

MOST_TASKS = 2_000


@dataclass(slots=True)
class Step:
    """A task with its place ("tasks[0].loopOver[1]"), and the sequences within it by name."""

    place: str
    raw: Mapping[str, Any]
    ref: str
    type: str
    inside: list[tuple[str, list["Step"]]] = field(default_factory=list)

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its input parameters; none if they are no object."""
        inputs = self.raw.get("inputParameters")
        return inputs if isinstance(inputs, dict) else {}

    def text(self, name: str) -> str:
        """A field that is a text, "" if it is none."""
        value = self.raw.get(name)
        return value if isinstance(value, str) else ""

    def sequence(self, prefix: str) -> list[list["Step"]]:
        """The sequences whose names begin so."""
        return [steps for name, steps in self.inside if name.startswith(prefix)]


def tree(found: Checked, raw: Mapping[str, Any]) -> list[Step]:
    """The steps of a definition. Faulted are entries that are no tasks, and more tasks than there may be."""
    return _sequence(found, raw.get("tasks"), "tasks", [0])


def every(steps: list[Step]) -> Iterator[Step]:
    """All steps in the order of reading, nested ones too."""
    for step in steps:
        yield step
        for _, inner in step.inside:
            yield from every(inner)


def steps_within(raw: Mapping[str, Any]) -> Iterator[Step]:
    """All steps of a definition that keeps the rules, those of workflows written out within others too."""
    for step in every(tree(Checked(), raw)):
        yield step
        param = step.raw.get("subWorkflowParam")
        inner = param.get("workflowDefinition") if isinstance(param, dict) else None
        if isinstance(inner, dict):
            for one in steps_within(inner):
                one.place = f"{step.place}.subWorkflowParam.workflowDefinition.{one.place}"
                yield one


def _sequence(found: Checked, tasks: Any, place: str, count: list[int]) -> list[Step]:
    steps: list[Step] = []
    if not isinstance(tasks, list):
        return steps
    for number, task in enumerate(tasks):
        here = f"{place}[{number}]"
        if not isinstance(task, dict):
            found.fault(here, "invalidParameter", "Must be a task: an object.", task)
            continue
        count[0] += 1
        if count[0] > MOST_TASKS:
            text = f"A definition has at most {MOST_TASKS:,} tasks; move some into sub-workflows."
            found.fault("tasks", "tooManyTasks", text)
            break
        steps.append(_step(found, task, here, count))
    return steps


def _step(found: Checked, task: dict[str, Any], place: str, count: list[int]) -> Step:
    ref, kind = task.get("taskReferenceName"), task.get("type")
    step = Step(place, task, ref if isinstance(ref, str) else "", kind if isinstance(kind, str) else "SIMPLE")
    cases = task.get("decisionCases")
    for case, tasks in cases.items() if isinstance(cases, dict) else ():
        name = f"decisionCases.{shown(case)}"
        step.inside.append((name, _inner(found, tasks, f"{place}.{name}", count)))
    if task.get("defaultCase") is not None:
        step.inside.append(("defaultCase", _sequence(found, task["defaultCase"], f"{place}.defaultCase", count)))
    branches = task.get("forkTasks")
    for number, tasks in enumerate(branches if isinstance(branches, list) else ()):
        name = f"forkTasks[{number}]"
        step.inside.append((name, _inner(found, tasks, f"{place}.{name}", count)))
    if task.get("loopOver") is not None:
        step.inside.append(("loopOver", _sequence(found, task["loopOver"], f"{place}.loopOver", count)))
    return step


def _inner(found: Checked, tasks: Any, place: str, count: list[int]) -> list[Step]:
    if not isinstance(tasks, list):
        found.fault(place, "invalidParameter", "Must be a list of tasks.", tasks)
    return _sequence(found, tasks, place, count)
