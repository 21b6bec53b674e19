"""Tasks that start runs, whose end one kind waits for. Pure: the run is made by whoever carries the turn out."""

import re
from typing import Any

import msgspec

from offhook.workflows.definitions.fields import INT_MAX, whole_number
from offhook.workflows.definitions.model import SUB, Task
from offhook.workflows.expressions.templates import ExpressionError, resolve
from offhook.workflows.machine.branches import GIVEN
from offhook.workflows.machine.data import iterations_of
from offhook.workflows.machine.model import MOST_DEPTH, MOST_INPUT, MOST_NAME, Attempt, Found, Start
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
        if isinstance(param.workflow_definition, str):
            what["workflow"] = param.workflow_definition
        if task.metadata is not GIVEN:
            try:
                what = resolve(what, at.data(iterations_of(found)), most=MOST_INPUT)
            except ExpressionError as error:
                return at.fail(found, f"subWorkflowParam: {error}", terminal=True)
        if isinstance(param.workflow_definition, dict):
            what["workflow"] = param.workflow_definition
        passed, correlation = given, run.correlation
    else:
        sent = given.get("startWorkflow")
        what = {name: sent.get(name) for name in ("name", "version")} if isinstance(sent, dict) else {}
        passed = (sent.get("input") if isinstance(sent, dict) else None) or {}
        correlation = str((sent.get("correlationId") if isinstance(sent, dict) else None) or "")
        if len(correlation) > MOST_NAME or not correlation.isprintable():
            text = (
                f"The correlationId has {len(correlation):,} characters; it may have {MOST_NAME}, all of them visible."
            )
            return at.fail(found, text, terminal=True)
    if "workflow" not in what and not (isinstance(what.get("name"), str) and what["name"]):
        return at.fail(found, "It does not say which workflow is started, by name.", terminal=True)
    if what.get("version") is not None:
        version = _version(what["version"])
        if version is None:
            return at.fail(found, "The version of a workflow must be a whole number from 1.", terminal=True)
        what["version"] = version
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


def _version(value: Any) -> int | None:
    """A version as a number, which may be written as a text; None for what is none."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value):
        value = int(value)
    return int(value) if whole_number(value) and 0 < value <= INT_MAX else None
