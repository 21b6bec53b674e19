"""How each type of task begins, and what an open one does when its moment has come. Pure."""

from typing import Any

import msgspec

from offhook.kit.errors import shown
from offhook.kit.wire import encode
from offhook.workflows.definitions import durations
from offhook.workflows.definitions.model import SWITCH, WAIT, Task
from offhook.workflows.machine.branches import fork
from offhook.workflows.machine.ending import end_run, output_of
from offhook.workflows.machine.loops import first_round
from offhook.workflows.machine.model import MOST_REASON, MOST_VARIABLES, PERFORMED, Attempt
from offhook.workflows.machine.moment import Moment, written
from offhook.workflows.machine.subruns import start_run


def begin(at: Moment, task: Task, found: Attempt) -> Attempt:
    """Do what is done at once; what takes time is in progress afterwards, or still scheduled while it is asked."""
    found = msgspec.structs.replace(found, started=at.now, due=0)
    given = found.input if isinstance(found.input, dict) else {}
    match task.type:
        case "NOOP":
            return at.complete(found, {})
        case "SET_VARIABLE":
            return _set(at, found, given)
        case "SWITCH":
            return _switch(at, task, found, given)
        case "FORK_JOIN":
            return at.complete(found, {})
        case "FORK_JOIN_DYNAMIC":
            return fork(at, task, found, given)
        case "JOIN" | "HUMAN":
            return at.progress(found)
        case "DO_WHILE":
            return first_round(at, task, found, given)
        case "WAIT":
            return _wait(at, task, found, given)
        case "SUB_WORKFLOW" | "START_WORKFLOW":
            return start_run(at, task, found, given)
        case "TERMINATE":
            return _terminate(at, found, given)
    return at.fail(found, f"Tasks of the type {task.type} are not run here.", terminal=True)


def go_on(at: Moment, task: Task, found: Attempt) -> Attempt:
    """An open attempt whose moment may have come, or whose script was answered."""
    if task.type == WAIT and found.due:
        if found.due > at.now:
            at.wake(found.due)
        else:
            return at.complete(found, found.output or {})
    elif task.type == SWITCH:
        return _switch(at, task, found, found.input if isinstance(found.input, dict) else {})
    elif task.type in PERFORMED and found.due > at.now:
        at.wake(found.due)
    return found


def _set(at: Moment, found: Attempt, given: dict[str, Any]) -> Attempt:
    variables = {**at.state.run.variables, **given}
    if len(encode(variables)) > MOST_VARIABLES:
        return at.fail(found, f"The run's variables would have more than {MOST_VARIABLES} bytes.", terminal=True)
    at.change_run(variables=variables)
    return at.complete(found, given)


def _switch(at: Moment, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
    if task.evaluator_type == "value-param":
        value = given.get(task.expression or "")
    else:
        answer = at.asked(found, 0, task.expression or "", given)
        if answer is None:
            return found if found.status == "IN_PROGRESS" else at.progress(found)
        if answer.error:
            return at.fail(found, f"expression: {answer.error}", terminal=True)
        value = answer.value
    chosen = written(value)
    return at.complete(found, {"evaluationResult": [chosen], "selectedCase": chosen})


def _wait(at: Moment, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
    duration, until = given.get("duration"), given.get("until")
    for name in ("duration", "until"):
        if given.get(name) is None and task.input_parameters.get(name) is not None:
            asked = shown(task.input_parameters[name])
            text = f"{name} came out as null, from {asked}; a WAIT for somebody has neither duration nor until."
            return at.fail(found, text, terminal=True)
    if duration is None and until is None:
        return at.progress(found)
    if duration is not None:
        # A whole number is one of seconds, as many write it.
        length = duration if isinstance(duration, int) and duration >= 0 else durations.seconds(str(duration))
        if length is None or length > durations.MOST_SECONDS:
            return at.fail(found, f"duration must be {durations.DURATION}.", terminal=True)
        due = at.now + length * 1000
    else:
        moment = durations.moment(str(until))
        if moment is None:
            return at.fail(found, f"until must be {durations.UNTIL}.", terminal=True)
        due = moment
    if due <= at.now:
        return at.complete(found, {})
    at.wake(due)
    return at.progress(found, due=due)


def _terminate(at: Moment, found: Attempt, given: dict[str, Any]) -> Attempt:
    status = given.get("terminationStatus")
    if status not in ("COMPLETED", "FAILED", "TERMINATED"):
        return at.fail(found, "terminationStatus must be COMPLETED, FAILED or TERMINATED.", terminal=True)
    output = given.get("workflowOutput")
    at.complete(found, output if output is not None else {})
    reason = str(given.get("terminationReason") or "")[:MOST_REASON]
    at.change_run(output=output_of(at) if output is None else output)
    return end_run(at, status, reason or f"It was ended by the task {found.key}.", keep_output=True)
