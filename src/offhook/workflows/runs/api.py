"""The routes of workflow runs."""

from typing import Any

from offhook.access.doing import Done
from offhook.kit.operation import MIB, Operation
from offhook.workflows.definitions.api import BASE, READ, WRITE
from offhook.workflows.runs import wire
from offhook.workflows.runs.engines import Engines

TAG = "Workflow runs"
PATH = f"{BASE}/runs"
ONE = f"{PATH}/{{id:text}}"
TASK = f"{ONE}/tasks/{{task_id:text}}"
_BODY = 4 * MIB
_SEEN: dict[str, Any] = {"method": "GET", "tag": TAG, "scope": READ, "refusals": (503,)}
_CHANGED: dict[str, Any] = {
    "method": "POST",
    "tag": TAG,
    "scope": WRITE,
    "reply": wire.WholeRunOut,
    "reply_description": "The run as it stands now.",
    "refusals": (409, 503),
}


def operations(engines: Engines) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.workflows.runs.start",
            method="POST",
            path=PATH,
            tag=TAG,
            scope=WRITE,
            summary="Start a workflow run",
            description="Of a registered definition, or of one that is sent. It is on disk when this answers, and goes "
            "on whatever becomes of the server. With an Idempotency-Key it is started once for as long as it is kept. "
            "With the engine conductor the definition, and those that it starts, are sent to that server first unless "
            "it has them as they are here; what is lost on the way is a warning.",
            handler=engines.start,
            body=wire.StartIn,
            body_limit=_BODY,
            reply=wire.StartedOut,
            reply_description="The run.",
            creates=True,
            refusals=(404, 409, 503),
            note="here or on a Conductor server, once for each Idempotency-Key",
            examples={"Of a registered definition": {"workflow": "hello", "input": {"office": "Lisbon"}}},
        ),
        Operation(
            id="offhook.workflows.runs.list",
            path=PATH,
            summary="Search workflow runs",
            description="By state, definition, correlation id and time; the latest first.",
            handler=engines.page,
            query=wire.SearchQuery,
            reply=wire.RunPage,
            reply_description="A page of runs.",
            note="by state, definition, correlation id and time",
            **{**_SEEN, "refusals": (409, 503)},
        ),
        Operation(
            id="offhook.workflows.runs.get",
            path=ONE,
            summary="Show a workflow run",
            description="With the latest attempt of each task that it came to; what those took and gave is listed with "
            "its attempts.",
            handler=engines.by_id(lambda one, call: one.get(call)),
            reply=wire.WholeRunOut,
            reply_description="The run.",
            note="with the tasks that it came to",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.runs.delete",
            method="DELETE",
            path=ONE,
            tag=TAG,
            scope=WRITE,
            summary="Delete a workflow run",
            description="One that is over, with all its attempts.",
            handler=engines.by_id(lambda one, call: one.delete(call)),
            reply=Done,
            reply_description="An empty object.",
            refusals=(409, 503),
            note="one that is over",
        ),
        Operation(
            id="offhook.workflows.runs.attempts",
            path=f"{ONE}/attempts",
            summary="List the attempts of a workflow run",
            description="Every attempt of every task with its input, output, times and cause, in the order in which "
            "they were made. Those in whose place others were made stay in the list.",
            handler=engines.by_id(lambda one, call: one.attempts(call)),
            query=wire.AttemptsQuery,
            reply=wire.AttemptsOut,
            reply_description="The attempts.",
            note="with input, output, times and cause",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.runs.attempt",
            path=TASK,
            summary="Show an attempt of a workflow run",
            handler=engines.by_id(lambda one, call: one.attempt(call)),
            reply=wire.AttemptOut,
            reply_description="The attempt, with what it took and gave.",
            note="with what it took and gave",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.runs.graph",
            path=f"{ONE}/graph",
            summary="Show a workflow run as a graph",
            description="The definition that it goes by, and how far each of its tasks came.",
            handler=engines.by_id(lambda one, call: one.graph(call)),
            query=wire.GraphQuery,
            reply=wire.RunGraphOut,
            other_media=("text/plain",),
            reply_description="The graph, and the state of each task.",
            note="with the state of each task",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.runs.watch",
            path=f"{ONE}/live",
            summary="Watch a workflow run",
            description="Server-sent events: `run` with the run, as it is shown by its id, whenever something has "
            "happened to it, and `end` once it is over.",
            handler=engines.watch,
            reply_media="text/event-stream",
            reply_description="The events, until the run is over.",
            note="as server-sent events",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.runs.pause",
            path=f"{ONE}/pause",
            summary="Pause a workflow run",
            description="Nothing new is begun; what is under way ends.",
            handler=engines.by_id(lambda one, call: one.pause(call)),
            note="what is under way ends",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.resume",
            path=f"{ONE}/resume",
            summary="Resume a workflow run",
            handler=engines.by_id(lambda one, call: one.resume(call)),
            note="where it was paused",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.terminate",
            path=f"{ONE}/terminate",
            summary="Terminate a workflow run",
            description="Whatever it waits for is given up. Its failure workflow is not started: that is for failures.",
            handler=engines.by_id(lambda one, call: one.terminate(call)),
            body=wire.Reason,
            body_required=False,
            note="with a reason, which is kept",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.retry",
            path=f"{ONE}/retry",
            summary="Try a failed workflow run again",
            description="From what it failed with; what was done well is not done again.",
            handler=engines.by_id(lambda one, call: one.retry(call)),
            note="from what it failed with",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.restart",
            path=f"{ONE}/restart",
            summary="Restart a workflow run",
            description="From its beginning, with the same id, input and definition. What was done before is history.",
            handler=engines.by_id(lambda one, call: one.restart(call)),
            note="with the same id and input",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.rerun",
            path=f"{ONE}/rerun",
            summary="Do a workflow run again from one of its tasks",
            description="As if that task and what comes behind it had not been done yet, with other input if it is "
            "sent.",
            handler=engines.by_id(lambda one, call: one.rerun(call)),
            body=wire.RerunIn,
            body_limit=_BODY,
            body_required=False,
            note="from any of its tasks, with other input",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.skip",
            path=f"{ONE}/skip/{{ref}}",
            summary="Skip a task of a workflow run",
            description="One that is open, or that the run has not come to yet, by its reference name.",
            handler=engines.by_id(lambda one, call: one.skip(call)),
            body=wire.SkipIn,
            body_limit=_BODY,
            body_required=False,
            note="with the output that it shall count as having had",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.runs.complete",
            path=f"{TASK}/complete",
            summary="Complete a task of a workflow run",
            description="One that waits for somebody: HUMAN, WAIT, or HTTP with asyncComplete.",
            handler=engines.by_id(lambda one, call: one.complete(call)),
            body=wire.CompleteIn,
            body_limit=_BODY,
            body_required=False,
            note="for tasks that wait for somebody",
            **_CHANGED,
        ),
    ]
