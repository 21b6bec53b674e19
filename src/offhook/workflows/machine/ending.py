"""How a run ends: with its output, as a failure with its failure workflow, or as nothing more can happen. Pure."""

from contextlib import suppress
from typing import Any, NoReturn

from offhook.workflows.expressions.templates import ExpressionError, resolve
from offhook.workflows.machine.model import GOOD, MOST_DEPTH, MOST_OUTPUT, STRUCTURE, RunStatus, Start
from offhook.workflows.machine.moment import Ended, Moment, Pending


def conclude(at: Moment, done: bool) -> None:
    """At the end of a walk: it may have come to its end, or to where nothing can happen any more."""
    state = at.state
    if state.run.status == "PAUSED":
        return
    if done and not state.open:
        _succeed(at)
    if at.asks:
        return
    moving = any(state.tasks[key].type not in STRUCTURE for key in state.open)
    if moving:
        return
    if state.run.failing:
        failed = state.attempt(state.run.failing)
        reason = f"Task {failed.key} failed: {failed.reason}" if failed is not None else "A task failed."
        end_run(at, "FAILED", reason, failed=state.run.failing)
    waiting = ", ".join(sorted(state.open)) or "nothing"
    end_run(at, "FAILED", f"Nothing more can happen: what {waiting} waits for cannot come any more.")


def _succeed(at: Moment) -> None:
    try:
        output = output_of(at)
    except Pending:
        return
    at.change_run(output=output)
    end_run(at, "COMPLETED", "")


def output_of(at: Moment) -> Any:
    """What the run gives. Pending while JSONata of it is being asked."""
    if at.definition.output_parameters:
        try:
            return at.value(at.definition.output_parameters, (), "outputParameters", "")
        except ExpressionError as error:
            at.change_run(output=None)
            end_run(at, "FAILED", str(error), keep_output=True)
    ended = [one for one in at.state.tasks.values() if one.status in GOOD]
    return max(ended, key=lambda one: one.number).output if ended else {}


def end_run(at: Moment, status: RunStatus, reason: str, *, failed: int = 0, keep_output: bool = False) -> NoReturn:
    """The run is over: what is open is no longer wanted. Leaves the walk."""
    for key in sorted(at.state.open):
        at.give_up(at.state.tasks[key], "The run ended.")
    if status != "COMPLETED" and not keep_output and at.definition.output_parameters:
        # What it came to, for who looks into it. What cannot be had is left out, as the run is over.
        with suppress(ExpressionError):
            at.change_run(output=resolve(at.definition.output_parameters, at.data(()), most=MOST_OUTPUT))
    changes: dict[str, Any] = {"status": status, "reason": reason, "ended": at.now, "failed_task": failed}
    if status in ("FAILED", "TIMED_OUT") and at.definition.failure_workflow:
        changes["failure_run"] = _start_failure(at, status, reason, failed)
    at.change_run(**changes)
    raise Ended


def _start_failure(at: Moment, status: RunStatus, reason: str, failed: int) -> int:
    run = at.state.run
    if run.depth >= MOST_DEPTH:
        at.alerts.append(f"Its failure workflow was not started: {MOST_DEPTH} runs already led to this one.")
        return 0
    id = at.tools.ids()
    given = {
        "reason": reason,
        "workflowId": str(run.id),
        "workflowType": run.name,
        "failureStatus": status,
        "failureTaskId": str(failed) if failed else None,
        "input": run.input,
    }
    assert at.definition.failure_workflow is not None
    at.starts.append(
        Start(
            id=id,
            name=at.definition.failure_workflow,
            version=at.definition.failure_workflow_version,
            input=given,
            correlation=run.correlation,
            depth=run.depth + 1,
            failure_of=run.id,
        )
    )
    return id
