"""Branches of forks: given by the definition or while the run goes on, and joined again. Pure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from offhook.workflows.definitions.model import Task, every
from offhook.workflows.machine.data import suffix
from offhook.workflows.machine.forking import Unforkable, forked
from offhook.workflows.machine.model import Attempt, State
from offhook.workflows.machine.moment import Moment

GIVEN: dict[str, Any] = {"given": True}
"""Marks tasks whose input was given by a dynamic fork: it is data, in which nothing is looked for."""


def fork(at: Moment, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
    """A dynamic fork, whose branches are in its input."""
    end = found.key[len(found.ref) :]
    taken = {one.ref for _, one in every(at.definition.tasks)} | at.state.tasks.keys()
    try:
        tasks = forked(task, given, taken, end)
    except Unforkable as error:
        return at.fail(found, str(error), terminal=True)
    refs = [one["taskReferenceName"] for one in tasks]
    return at.complete(found, {"forkedTasks": refs, "forkedTaskDefs": tasks})


def forked_tasks(state: State, found: Attempt) -> list[Task]:
    """The tasks that a dynamic fork was given."""
    known = state.forked.get(found.id)
    if known is None:
        output = found.output if isinstance(found.output, dict) else {}
        known = [
            msgspec.structs.replace(msgspec.convert(one, Task, strict=False), metadata=GIVEN)
            for one in output.get("forkedTaskDefs", ())
        ]
        state.forked[found.id] = known
    return known


def join(
    at: Moment,
    task: Task,
    found: Attempt,
    iterations: tuple[int, ...],
    fork: tuple[list[list[Task]], list[bool]] | None,
) -> Attempt:
    """A join, over once all that it waits for is; `fork` is the one before it: its branches, and which are done."""
    end = suffix(iterations)
    branches, done = fork or ([], [])
    wanted = task.join_on or [branch[-1].ref for branch in branches if branch]
    over = {ref for branch, is_done in zip(branches, done, strict=True) if is_done for ref in refs(branch)}
    joined: dict[str, Any] = {}
    errors = False
    for ref in wanted:
        if ref + end not in at.finished and ref not in over:
            return found
        one = at.state.tasks.get(ref + end)
        if one is not None:
            joined[ref] = one.output
            errors = errors or one.status == "COMPLETED_WITH_ERRORS"
    return at.complete(found, joined, status="COMPLETED_WITH_ERRORS" if errors else "COMPLETED")


def refs(tasks: list[Task]) -> Iterator[str]:
    """The names of tasks, nested ones too, but not those of loops within, which have iterations of their own."""
    for task in tasks:
        yield task.ref
        for place, nested in task.nested():
            if place != "loopOver":
                yield from refs(nested)
