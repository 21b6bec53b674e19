"""Tasks that start runs, whose end one kind waits for. Pure: the run is made by whoever carries the turn out."""

from typing import Any

import msgspec

from offhook.workflows.definitions.model import SUB, Task
from offhook.workflows.expressions.templates import ExpressionError, resolve
from offhook.workflows.machine.data import iterations_of
from offhook.workflows.machine.model import MOST_DEPTH, MOST_INPUT, Attempt, Found, Start
from offhook.workflows.machine.moment import Moment


def start_run(at: Moment, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
    """Start a run, once its definition was looked up."""
    run = at.state.run
    if run.depth >= MOST_DEPTH:
        return at.fail(
            found, f"{MOST_DEPTH} runs led to this one, each started by the one before: no further is started.",
            terminal=True,
        )  # fmt: skip
    if task.type == SUB:
        param = task.sub_workflow_param
        assert param is not None
        what: dict[str, Any] = {"name": param.name, "version": param.version}
        workflow = param.workflow_definition
        if isinstance(workflow, str):
            try:
                workflow = resolve(workflow, at.data(iterations_of(found)), most=MOST_INPUT)
            except ExpressionError as error:
                return at.fail(found, f"subWorkflowParam: {error}", terminal=True)
        if workflow is not None:
            what["workflow"] = workflow
        passed, correlation = given, run.correlation
    else:
        sent = given.get("startWorkflow")
        what = {name: sent.get(name) for name in ("name", "version")} if isinstance(sent, dict) else {}
        passed = (sent.get("input") if isinstance(sent, dict) else None) or {}
        correlation = str((sent.get("correlationId") if isinstance(sent, dict) else None) or "")
    if "workflow" not in what and not (isinstance(what.get("name"), str) and what["name"]):
        return at.fail(found, "It does not say which workflow is started, by name.", terminal=True)
    if what.get("version") is not None and not (isinstance(what["version"], int) and what["version"] > 0):
        return at.fail(found, "The version of a workflow must be a whole number from 1.", terminal=True)
    answer = at.asked(found, 0, "", what, "workflow")
    if answer is None:
        return at.state.tasks[found.key]
    if answer.error:
        return at.fail(found, answer.error, terminal=True)
    room = at.tools.room
    if room is not None and len(at.starts) >= room.runs:
        return at.fail(found, room.why, terminal=room.for_good)
    known: Found = answer.value
    waits = task.type == SUB
    id = at.tools.ids()
    at.starts.append(
        Start(
            id=id,
            name=known.name,
            version=known.version,
            digest=known.digest,
            input=passed,
            correlation=correlation,
            parent_task=found.id if waits else 0,
            depth=run.depth + 1,
        )
    )
    if waits:
        return at.progress(found, child=id, output={"subWorkflowId": str(id)})
    return at.complete(msgspec.structs.replace(found, child=id), {"workflowId": str(id)})
