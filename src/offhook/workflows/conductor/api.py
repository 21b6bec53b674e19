"""The routes of Conductor's API: those that its clients call, under /api as on a server of its own."""

from typing import Any

from offhook.access.doing import Doing
from offhook.access.gate import reply_of
from offhook.access.model import Principal
from offhook.access.service import Access
from offhook.kit.errors import Unauthenticated
from offhook.kit.operation import MIB, Call, Limit, Operation, Outside, Reply
from offhook.kit.wire import read
from offhook.workflows.conductor import wire
from offhook.workflows.conductor.changing import Changing
from offhook.workflows.conductor.errors import CONDUCTOR
from offhook.workflows.conductor.metadata import Metadata
from offhook.workflows.conductor.reading import Reading
from offhook.workflows.conductor.starting import Starting
from offhook.workflows.definitions.api import READ, WRITE
from offhook.workflows.definitions.service import Definitions
from offhook.workflows.runs.service import Runs

TAG, DEFINITIONS_TAG = "Conductor", "Conductor, definitions"
DEFS = "/api/metadata/workflow"
TASK_DEFS = "/api/metadata/taskdefs"
RUNS = "/api/workflow"
ONE = f"{RUNS}/{{workflowId}}"
TASKS = "/api/tasks"
NAMED_TASK = f"{TASKS}/{{workflowId}}/{{taskRefName}}/{{status}}"
SIGNAL = f"{TASKS}/{{workflowId}}/{{status}}/signal"
Raw = dict[str, Any]
_TEXT = "text/plain"


def operations(access: Access, work: Doing, definitions: Definitions, runs: Runs) -> list[Operation]:
    """The operations of this subject."""
    metadata, reading = Metadata(work, definitions), Reading(work, runs)
    starting, changing = Starting(runs, reading), Changing(runs, reading)

    async def admit(outside: Outside) -> Principal:
        body, _ = read(await outside.body(), wire.TokenRequest, [])
        if not body.key_secret:
            raise Unauthenticated("keySecret must be an API key of this server.")
        return await access.authenticate(body.key_secret)

    async def token(call: Call) -> Reply:
        body, _ = read(call.raw, wire.TokenRequest, call.notices)
        return reply_of(wire.Token(token=body.key_secret))

    return [
        *_metadata(metadata),
        *_task_definitions(metadata),
        *_starting(starting),
        *_reading(reading),
        *_changing(changing),
        *_tasks(reading, changing),
        _operation(
            "token", "POST", "/api/token", "Get a token for a key", token, scope="", admit=admit,
            limit=Limit(120, 60), body=wire.TokenRequest, refusals=(401,), body_limit=10_000,
            reply=wire.Token, reply_description="The token.",
            note="the token is the API key itself, sent as `keySecret`",
        ),
    ]  # fmt: skip


def unbuilt() -> list[Operation]:
    """Those that there are not here."""
    return [_operation(f"unbuilt.{path}", method, path, "") for method, path in UNBUILT]


def _operation(id: str, method: Any, path: str, summary: str, handler: Any = None, **more: Any) -> Operation:
    scope = READ if method == "GET" else WRITE
    tag = DEFINITIONS_TAG if path.startswith((DEFS, TASK_DEFS)) else TAG
    return Operation(
        id=f"conductor.{id}",
        method=method,
        path=path,
        summary=summary,
        handler=handler,
        dialect=CONDUCTOR,
        **({"tag": tag, "scope": scope} | more),
    )


def _changed(id: str, method: Any, path: str, summary: str, handler: Any, **more: Any) -> Operation:
    """One that answers nothing."""
    return _operation(
        id, method, path, summary, handler,
        **({"reply_description": "Done; there is no body.", "reply_media": _TEXT} | more),
    )  # fmt: skip


def _metadata(metadata: Metadata) -> list[Operation]:
    sent: Raw = {"body": Raw, "body_limit": 2 * MIB}
    return [
        _changed(
            "definitions.register", "POST", DEFS, "Register a workflow definition", metadata.register, **sent,
            query=wire.OverwriteQuery, refusals=(409,), note="checked in full; workers' tasks (SIMPLE) are refused",
        ),
        _operation(
            "definitions.update", "PUT", DEFS, "Register workflow definitions", metadata.update, body=list[Raw],
            body_limit=8 * MIB, query=wire.ReplaceQuery, refusals=(409,), reply=wire.BulkResult,
            reply_description="Their names.", note="all or none",
        ),
        _changed(
            "definitions.validate", "POST", f"{DEFS}/validate", "Check a workflow definition", metadata.validate,
            **sent, scope=READ, note="every rule that it breaks is in `validationErrors`",
        ),
        _operation(
            "definitions.list", "GET", DEFS, "List workflow definitions", metadata.all, reply=list[Raw],
            reply_description="All versions of all definitions, about 16 MB at most.", note="all versions",
        ),
        _operation(
            "definitions.names", "GET", f"{DEFS}/names-and-versions", "List names and versions of definitions",
            metadata.names, reply=dict[str, list[wire.NamedVersion]], reply_description="Versions by name.",
        ),
        _operation(
            "definitions.latest", "GET", f"{DEFS}/latest-versions", "List the latest versions of definitions",
            metadata.latest, reply=list[Raw], reply_description="A version of each.",
        ),
        _operation(
            "definitions.get", "GET", f"{DEFS}/{{name}}", "Show a workflow definition", metadata.get,
            query=wire.VersionQuery, reply=Raw, reply_description="As it was registered, with by whom and when.",
            note="unknown fields come back as they were sent",
        ),
        _operation(
            "definitions.versions", "GET", f"{DEFS}/{{name}}/versions", "List the versions of a definition",
            metadata.versions, reply=list[Raw], reply_description="The versions, the latest first.",
        ),
        _changed(
            "definitions.delete", "DELETE", f"{DEFS}/{{name}}/{{version}}", "Delete a version of a definition",
            metadata.delete, refusals=(412,), note="runs that go on keep theirs",
        ),
    ]  # fmt: skip


def _task_definitions(metadata: Metadata) -> list[Operation]:
    return [
        _changed(
            "tasks.register", "POST", TASK_DEFS, "Register task definitions", metadata.register_tasks, body=list[Raw],
            refusals=(409,), note="how attempts of tasks are repeated and bounded: this server's policies",
        ),
        _changed(
            "tasks.replace", "PUT", TASK_DEFS, "Change a task definition", metadata.update_task, body=Raw,
            refusals=(404, 409),
        ),
        _operation(
            "tasks.list", "GET", TASK_DEFS, "List task definitions", metadata.tasks, reply=list[Raw],
            reply_description="All of them.",
        ),
        _operation(
            "tasks.get", "GET", f"{TASK_DEFS}/{{name}}", "Show a task definition", metadata.task, reply=Raw,
            reply_description="As it was registered, with by whom and when.",
        ),
        _changed(
            "tasks.delete", "DELETE", f"{TASK_DEFS}/{{name}}", "Delete a task definition", metadata.delete_task,
            refusals=(412,),
        ),
    ]  # fmt: skip


def _starting(starting: Starting) -> list[Operation]:
    id: Raw = {"reply_media": _TEXT, "reply_description": "The workflow's id."}
    start: Raw = {"body": wire.StartWorkflowRequest, "body_limit": 4 * MIB, "refusals": (404, 409)}
    return [
        _operation(
            "workflows.start", "POST", RUNS, "Start a workflow", starting.start, **start, **id,
            note="once for each `idempotencyKey`",
        ),
        _operation(
            "workflows.start_named", "POST", f"{RUNS}/{{name}}", "Start a workflow by its name", starting.start_named,
            query=wire.StartQuery, body=Raw, body_limit=4 * MIB, body_required=False, **id,
            note="the body is its input",
        ),
        _operation(
            "workflows.execute", "POST", f"{RUNS}/execute/{{name}}/{{version}}", "Start a workflow and wait for it",
            starting.execute, query=wire.ExecuteQuery, **start, reply=wire.WorkflowRun,
            reply_description="The workflow as it stands when it is over, or the time is.",
            note="for a minute at most; it goes on whoever waits",
        ),
    ]  # fmt: skip


def _reading(reading: Reading) -> list[Operation]:
    whole: Raw = {"reply": wire.ConductorWorkflow, "reply_description": "The workflow."}
    by: Raw = {"scope": READ, "query": wire.CorrelatedQuery, "reply_description": "Workflows by correlation id."}
    found = dict[str, list[wire.ConductorWorkflow]]
    return [
        _operation(
            "workflows.get", "GET", ONE, "Show a workflow", reading.get, query=wire.GetQuery, **whole,
            note="repeated attempts too",
        ),
        _operation(
            "workflows.status", "GET", f"{ONE}/status", "Show how a workflow stands", reading.status,
            query=wire.StatusQuery, reply=wire.WorkflowStatus, reply_description="How it stands.",
        ),
        _operation(
            "workflows.tasks", "GET", f"{ONE}/tasks", "List the tasks of a workflow", reading.tasks,
            query=wire.TasksQuery, reply=wire.TaskList, reply_description="A page of its tasks.",
        ),
        *(
            _operation(
                f"workflows.search{suffix}", "GET", f"{RUNS}/search{suffix}", "Search workflows", reading.search,
                query=wire.SearchQuery, reply=wire.SearchResult, reply_description="A page of workflows.",
                note="by type, version, id, correlation id, state and times, joined by AND",
            )
            for suffix in ("", "-v2")
        ),
        _operation(
            "workflows.running", "GET", f"{RUNS}/running/{{name}}", "List workflows that go on", reading.running,
            query=wire.RunningQuery, reply=list[str], reply_description="Their ids, at most 10,000.",
        ),
        _operation(
            "workflows.correlated", "POST", f"{RUNS}/{{name}}/correlated", "Find workflows by correlation ids",
            reading.correlated, body=list[str], reply=found, **by,
        ),
        _operation(
            "workflows.correlated_one", "GET", f"{RUNS}/{{name}}/correlated/{{correlationId}}",
            "Find workflows by a correlation id", reading.correlated_one, reply=list[wire.ConductorWorkflow], **by,
        ),
        _operation(
            "workflows.correlated_many", "POST", f"{RUNS}/correlated/batch",
            "Find workflows of several definitions by correlation ids", reading.correlated_many,
            body=wire.CorrelationIds, reply=found, **by,
        ),
    ]  # fmt: skip


def _changing(changing: Changing) -> list[Operation]:
    was: Raw = {"refusals": (409,)}
    return [
        _changed("workflows.pause", "PUT", f"{ONE}/pause", "Pause a workflow", changing.pause, **was),
        _changed("workflows.resume", "PUT", f"{ONE}/resume", "Resume a workflow", changing.resume, **was),
        _changed(
            "workflows.terminate", "DELETE", ONE, "Terminate a workflow", changing.terminate,
            query=wire.TerminateQuery, **was,
        ),
        _changed(
            "workflows.remove", "DELETE", f"{ONE}/remove", "Remove a workflow that is over", changing.remove,
            query=wire.RemoveQuery, **was,
        ),
        _changed(
            "workflows.terminate_remove", "DELETE", f"{ONE}/terminate-remove", "Terminate and remove a workflow",
            changing.terminate_and_remove, query=wire.TerminateQuery, **was,
        ),
        _changed(
            "workflows.retry", "POST", f"{ONE}/retry", "Try a failed workflow again", changing.retry,
            query=wire.RetryQuery, **was,
        ),
        _changed(
            "workflows.restart", "POST", f"{ONE}/restart", "Restart a workflow", changing.restart,
            query=wire.RestartQuery, **was,
        ),
        _operation(
            "workflows.rerun", "POST", f"{ONE}/rerun", "Do a workflow again from one of its tasks", changing.rerun,
            body=wire.RerunWorkflowRequest, body_limit=4 * MIB, reply_media=_TEXT,
            reply_description="The workflow's id.", **was,
        ),
        _changed(
            "workflows.skip", "PUT", f"{ONE}/skiptask/{{taskReferenceName}}", "Skip a task of a workflow",
            changing.skip, query=wire.SkipQuery, body=wire.SkipTaskRequest, body_limit=4 * MIB, body_required=False,
            **was,
        ),
        _changed("workflows.decide", "PUT", f"{RUNS}/decide/{{workflowId}}", "Look at a workflow", changing.decide),
    ]  # fmt: skip


def _tasks(reading: Reading, changing: Changing) -> list[Operation]:
    id: Raw = {"reply_media": _TEXT, "reply_description": "The task's id."}
    output: Raw = {"body": Raw, "body_limit": 4 * MIB, "body_required": False, "refusals": (409,)}
    waits = "for tasks that wait for somebody: HUMAN, WAIT, HTTP with asyncComplete"
    return [
        _operation(
            "tasks.update", "POST", TASKS, "Say how a task ended", changing.update, body=wire.TaskResult,
            body_limit=4 * MIB, refusals=(404, 409), **id, note=waits,
        ),
        _operation(
            "tasks.update_named", "POST", NAMED_TASK, "Say how a task ended, by its reference name",
            changing.update_named, query=wire.ByQuery, **output, **id, note=waits,
        ),
        _operation(
            "tasks.update_named_sync", "POST", f"{NAMED_TASK}/sync", "Say how a task ended, and see its workflow",
            changing.update_named_and_get, query=wire.ByQuery, **output, reply=wire.ConductorWorkflow,
            reply_description="The workflow.", note=waits,
        ),
        _changed(
            "tasks.signal", "POST", SIGNAL, "Say how the task ended that a workflow waits with", changing.signal,
            **output,
        ),
        _operation(
            "tasks.signal_sync", "POST", f"{SIGNAL}/sync", "Say how the task ended, and see its workflow",
            changing.signal_and_get, query=wire.SignalQuery, **output, reply=wire.WorkflowRun,
            reply_description="The workflow.",
        ),
        _operation(
            "tasks.show", "GET", f"{TASKS}/{{taskId}}", "Show a task", reading.task, reply=wire.ConductorTask,
            reply_description="The task.",
        ),
        *(
            _operation(
                f"tasks.poll{'_batch' if batch else ''}", "GET", f"{TASKS}/poll{batch}/{{taskType}}",
                "Poll for tasks of workers", changing.poll, query=wire.PollQuery,
                reply_description="Never.", note="refused: there are no workers' tasks here",
            )
            for batch in ("", "/batch")
        ),
    ]  # fmt: skip


UNBUILT = (
    ("POST", f"{ONE}/resetcallbacks"),
    ("POST", f"{ONE}/variables"),
    ("POST", f"{ONE}/state"),
    ("POST", f"{ONE}/upgrade"),
    ("POST", f"{ONE}/messages"),
    ("POST", f"{ONE}/jump/{{taskReferenceName}}"),
    ("POST", f"{RUNS}/test"),
    *((method, f"{RUNS}/bulk/{what}") for method, what in (
        ("PUT", "pause"), ("PUT", "resume"), ("POST", "restart"), ("POST", "retry"), ("POST", "terminate"),
    )),
    ("GET", f"{TASKS}/queue/all"),
    ("GET", f"{TASKS}/queue/sizes"),
    ("GET", f"{TASKS}/queue/polldata"),
    ("GET", f"{TASKS}/queue/polldata/all"),
    ("GET", f"{TASKS}/search"),
    ("POST", f"{TASKS}/update-v2"),
    ("GET", f"{TASKS}/{{taskId}}/log"),
    ("POST", f"{TASKS}/{{taskId}}/log"),
    ("GET", "/api/metadata/tags/workflow/{name}"),
    ("POST", "/api/metadata/tags/workflow/{name}"),
    ("DELETE", "/api/metadata/tags/workflow/{name}"),
    ("GET", "/api/event"),
    ("GET", "/api/scheduler/schedules"),
)  # fmt: skip
"""Routes of Conductor that there are not here; a request to one is told so in Conductor's form."""
