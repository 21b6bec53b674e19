"""What is done to a run from outside: pause, resume, retry, restart, rerun, skip, and how an attempt ended.

Each changes a state, which then is taken on by walk.advance; a Conflict is raised before anything is changed.
"""

from collections.abc import Container
from typing import Any

import msgspec

from offhook.kit.errors import Conflict, NotFound
from offhook.workflows.definitions.model import LOOP, SUB, Definition, Task, every
from offhook.workflows.machine.data import iterations_of, suffix
from offhook.workflows.machine.loops import in_rounds, loop_of
from offhook.workflows.machine.model import GOOD, Attempt, Found, Outcome, State, Status


def finish(state: State, id: int, outcome: Outcome, now: int) -> bool:
    """An attempt ended as `outcome` says; False if it is not open any more, and nothing is changed.

    An outcome IN_PROGRESS is of work that is done and waits for somebody to say how it ended.
    """
    task = state.attempt(id)
    if task is None or not task.open:
        return False
    waits = outcome.status == "IN_PROGRESS"
    state.put(
        msgspec.structs.replace(
            task,
            status=outcome.status,
            output=outcome.output,
            reason=outcome.reason,
            started=task.started or outcome.started or now,
            ended=0 if waits else now,
            due=now + outcome.after if outcome.after else 0,
            called=waits,
        )
    )
    return True


def began(state: State, id: int, started: int) -> bool:
    """The work of an attempt is under way."""
    task = state.attempt(id)
    if task is None or task.status != "SCHEDULED":
        return False
    state.put(msgspec.structs.replace(task, status="IN_PROGRESS", started=started))
    return True


def pause(state: State) -> None:
    """Begin nothing new; what is under way ends."""
    run = state.run
    if run.over:
        raise Conflict(f"The run is over ({run.status}); only one that goes on can be paused.")
    state.run = msgspec.structs.replace(run, status="PAUSED")


def resume(state: State) -> None:
    """Go on where it was paused."""
    run = state.run
    if run.status != "PAUSED":
        raise Conflict(f"The run is {run.status}; only one that is paused can be resumed.")
    state.run = msgspec.structs.replace(run, status="RUNNING")


def retry(state: State, going: Container[int] = ()) -> None:
    """Try again what a run failed with, or what was open when it ended. Runs that those tasks started are ended.

    What started a run that is among those `going` on waits for that one again.
    """
    _over(state, "tried again")
    if state.run.status == "COMPLETED":
        raise Conflict("The run ended well; restart it, or run it again from one of its tasks.")
    for one in [one for one in state.tasks.values() if one.status not in GOOD]:
        if one.type == SUB and one.child in going:
            _wait_again(state, one)
            continue
        state.again[one.key] = one.id
        _drop(state, one)
    _reopen(state)


def go_along(state: State, child: int) -> None:
    """A run that it had started goes on, though it had failed: so does this one, if it failed with that."""
    found = next((one for one in state.tasks.values() if one.child == child and one.type == SUB), None)
    if found is None or found.open or found.status in GOOD or state.run.status == "COMPLETED":
        raise Conflict(f"The run waits no more for {child}.")
    if state.run.over:
        retry(state, (child,))
        return
    _wait_again(state, found)
    if state.run.failing == found.id:
        state.run = msgspec.structs.replace(state.run, failing=0)


def failed_within(state: State) -> list[int]:
    """The runs that it waited for, and failed with."""
    return [one.child for one in state.tasks.values() if one.child and one.type == SUB and one.status not in GOOD]


def _wait_again(state: State, task: Attempt) -> None:
    state.rejoined = True
    output = {"subWorkflowId": str(task.child)}
    state.put(msgspec.structs.replace(task, status="IN_PROGRESS", ended=0, due=0, reason="", output=output))


def _drop(state: State, task: Attempt) -> None:
    """It has not been come to, and a run that it waited for is not wanted, should that go on by now."""
    state.drop(task.key)
    if task.child and task.type == SUB:
        state.unwanted.append(task.child)


def restart(state: State, definition: Definition, now: int, found: Found | None = None) -> None:
    """Begin anew, with the same input and id; what was done before is history.

    With `found` the run goes by that definition from now on, which `definition` is.
    """
    _over(state, "restarted")
    if not definition.restartable:
        raise Conflict(f"Runs of {definition.name} cannot be restarted: its definition says so.")
    for one in list(state.tasks.values()):
        _drop(state, one)
    _reopen(state)
    state.run = msgspec.structs.replace(
        state.run,
        started=now,
        variables=dict(definition.variables),
        output=None,
        restarts=state.run.restarts + 1,
        skipped={},
    )
    if found is not None:
        state.run = msgspec.structs.replace(state.run, version=found.version, definition=found.digest)


def rerun(
    state: State,
    definition: Definition,
    *,
    task_id: int = 0,
    task_input: dict[str, Any] | None = None,
    workflow_input: dict[str, Any] | None = None,
    now: int,
) -> None:
    """Go on from one of its tasks as if that had not been done yet; without one, from the beginning.

    What was done in other branches of forks around the task stays. `task_input` is what the task takes instead of what
    its definition says.
    """
    _over(state, "run again")
    if not task_id:
        restart(state, definition, now)
        if workflow_input is not None:
            state.run = msgspec.structs.replace(state.run, input=workflow_input)
        return
    task = state.attempt(task_id)
    if task is None:
        raise NotFound(f"The run has no task {task_id} that it could go on from; its attempts of before are history.")
    inside = _after(definition.tasks, task.ref)
    if inside is None:
        raise Conflict(f"Task {task.key} was made by a dynamic fork; choose the fork.")
    behind, loops = inside
    iterations = iterations_of(task)
    known = {one.ref for _, one in every(definition.tasks)}
    for one in list(state.tasks.values()):
        # Those of no name in the definition were made by a dynamic fork: by one that is behind, if later.
        if _is_behind(one, iterations) if one.ref in behind else one.ref not in known and one.number > task.number:
            _drop(state, one)
    for depth, loop in enumerate(loops):
        _turn_back(state, loop, iterations, depth)
    state.again[task.key] = task.id
    _reopen(state)
    if workflow_input is not None:
        state.run = msgspec.structs.replace(state.run, input=workflow_input)
    if task_input is not None:
        state.given[task.key] = task_input


def skip(state: State, definition: Definition, ref: str, given: dict[str, Any], now: int) -> None:
    """A task is not done: its output is what is given. It may be open, or not come to yet.

    What is carried out for it is given up, and the run that it started and waits for is ended.
    """
    run = state.run
    if run.over:
        raise Conflict(f"The run is over ({run.status}); nothing of it can be skipped.")
    if ref not in {task.ref for _, task in every(definition.tasks)} and ref not in state.latest:
        raise NotFound(f"The run has no task {ref}.")
    key = state.latest.get(ref)
    task = state.tasks.get(key) if key is not None else None
    if task is not None and not task.open:
        raise Conflict(f"Task {ref} is over ({task.status}); only one that is open or was not come to can be skipped.")
    if task is not None:
        if task.type == LOOP:
            for one in in_rounds(state, loop_of(state, definition, ref), iterations_of(task)):
                if one.open:
                    _leave(state, one, "CANCELED", "Its loop was skipped.", now)
        _leave(state, task, "SKIPPED", "It was skipped.", now, output=given.get("taskOutput") or {})
        return
    state.run = msgspec.structs.replace(run, skipped={**run.skipped, ref: given})


def _leave(state: State, task: Attempt, status: Status, reason: str, now: int, **more: Any) -> None:
    """What is open is no longer wanted, nor the run that it started and waits for."""
    if task.child and task.type == SUB:
        state.unwanted.append(task.child)
    state.put(
        msgspec.structs.replace(
            task, status=status, started=task.started or now, ended=now, due=0, reason=reason, **more
        )
    )


def _over(state: State, what: str) -> None:
    if not state.run.over:
        status = state.run.status
        raise Conflict(f"The run goes on ({status}); only one that is over can be {what}. Terminate it first.")


def _reopen(state: State) -> None:
    state.run = msgspec.structs.replace(
        state.run, status="RUNNING", reason="", ended=0, failed_task=0, failing=0, failure_run=0, alerted=False
    )


def _after(tasks: list[Task], ref: str) -> tuple[set[str], list[Task]] | None:
    """What comes behind a task, itself too, and the loops around it from outside in; None if it is not in there.

    Behind are later tasks of its sequence and of those around it, not the other branches of a fork around it.
    """
    for number, task in enumerate(tasks):
        if task.ref == ref:
            return {one.ref for _, one in every(tasks[number:])}, []
        for _, nested in task.nested():
            inside = _after(nested, ref)
            if inside is not None:
                behind, loops = inside
                behind |= {one.ref for _, one in every(tasks[number + 1 :])}
                return behind, [task, *loops] if task.type == LOOP else loops
    return None


def _is_behind(one: Attempt, iterations: tuple[int, ...]) -> bool:
    """Whether an attempt whose reference is behind was made in the same round of the loops around, or a later one."""
    own = iterations_of(one)
    shared = min(len(own), len(iterations))
    return own[:shared] >= iterations[:shared]


def _turn_back(state: State, loop: Task, iterations: tuple[int, ...], depth: int) -> None:
    """A loop around the task is in that round again, and later rounds of it are undone."""
    key = loop.ref + suffix(iterations[:depth])
    found = state.tasks.get(key)
    if found is None:
        return
    number = iterations[depth]
    for one in in_rounds(state, loop, iterations[:depth]):
        if iterations_of(one)[depth] > number:
            _drop(state, one)
    output: dict[str, Any] = {"iteration": number}
    items = found.input.get("items") if isinstance(found.input, dict) else None
    if isinstance(items, list) and 0 < number <= len(items):
        output |= {"loopItem": items[number - 1], "loopIndex": number - 1}
    state.put(msgspec.structs.replace(found, status="IN_PROGRESS", ended=0, reason="", output=output))
