"""What expressions of a run see: `workflow`, and its tasks by their reference names."""

from collections.abc import Iterator, Mapping
from typing import Any

from offhook.workflows.machine.model import Attempt, State


def suffix(iterations: tuple[int, ...]) -> str:
    """What the iterations of the loops around a task append to its name: "__2" in the second one, "__2__1" within."""
    return "".join(f"__{one}" for one in iterations)


def iterations_of(task: Attempt) -> tuple[int, ...]:
    """Of the loops around an attempt, from outside in, by its key."""
    return tuple(int(one) for one in task.key[len(task.ref) :].split("__")[1:])


class Data(Mapping[str, Any]):
    """The values of a run, made as they are asked for.

    Within a loop a name is the task of the same iteration, if it is in there; elsewhere the one come to last.
    `env` are the settings that a workflow may read.
    """

    def __init__(self, state: State, iterations: tuple[int, ...] = (), env: Mapping[str, str] | None = None) -> None:
        self._state, self._iterations, self._env = state, iterations, env or {}

    def __getitem__(self, name: str) -> Any:
        if name == "workflow":
            return self._workflow()
        found = self._task(name)
        if found is None:
            raise KeyError(name)
        return view(found)

    def _task(self, name: str) -> Attempt | None:
        for depth in range(len(self._iterations), 0, -1):
            found = self._state.tasks.get(name + suffix(self._iterations[:depth]))
            if found is not None:
                return found
        key = self._state.latest.get(name)
        return self._state.tasks.get(key if key is not None else name)

    def __contains__(self, name: object) -> bool:
        return name == "workflow" or (isinstance(name, str) and self._task(name) is not None)

    def __iter__(self) -> Iterator[str]:
        yield "workflow"
        yield from self._state.latest

    def __len__(self) -> int:
        return 1 + len(self._state.latest)

    def _workflow(self) -> dict[str, Any]:
        run = self._state.run
        return {
            "input": run.input,
            "output": run.output,
            "status": run.status,
            "workflowId": str(run.id),
            "parentWorkflowId": str(run.parent) if run.parent else None,
            "parentWorkflowTaskId": str(run.parent_task) if run.parent_task else None,
            "workflowType": run.name,
            "version": run.version,
            "correlationId": run.correlation or None,
            "reasonForIncompletion": run.reason or None,
            "schemaVersion": 2,
            "variables": run.variables,
            "startTime": run.started,
            "endTime": run.ended,
            "env": dict(self._env),
        }


def view(task: Attempt) -> dict[str, Any]:
    """A task as expressions see it."""
    return {
        "input": task.input,
        "output": task.output,
        "status": task.status,
        "taskId": str(task.id),
        "taskType": task.type,
        "referenceTaskName": task.key,
        "retryCount": task.retry,
        "iteration": task.iteration,
        "scheduledTime": task.scheduled,
        "startTime": task.started,
        "endTime": task.ended,
        "reasonForIncompletion": task.reason or None,
        "subWorkflowId": str(task.child) if task.child else None,
    }
