"""What Conductor's clients do to runs and their tasks."""

import ast
from collections.abc import Callable
from typing import Any

import msgspec

from offhook.access.gate import reply_of
from offhook.events.model import Word
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Refusal, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.workflows.conductor import shown as showing
from offhook.workflows.conductor import wire
from offhook.workflows.conductor.metadata import EMPTY
from offhook.workflows.conductor.reading import Reading, task_place, workflow_id
from offhook.workflows.conductor.starting import given, plain, refuse_strategy
from offhook.workflows.definitions.model import WAIT, Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Attempt, Outcome, State
from offhook.workflows.runs.service import Runs, finish_by_hand
from offhook.workflows.runs.wire import waits

ENDINGS = ("COMPLETED", "FAILED", "FAILED_WITH_TERMINAL_ERROR")
UNDER_WAY = "IN_PROGRESS"
Change = Callable[[State, Definition, int], Any]


class Changing:
    """Changes runs of all companies."""

    def __init__(self, runs: Runs, reading: Reading) -> None:
        self._runs, self._reading = runs, reading

    async def _change(self, call: Call, word: Word, change: Change, **told: Any) -> Any:
        return await self._runs.change(call, workflow_id(call), word, change, **told)

    async def pause(self, call: Call) -> Reply:
        """Begin nothing new."""
        await self._change(call, Word.WORKFLOW_RUN_PAUSED, lambda state, _d, _now: controls.pause(state))
        return EMPTY

    async def resume(self, call: Call) -> Reply:
        """Go on."""
        await self._change(call, Word.WORKFLOW_RUN_RESUMED, lambda state, _d, _now: controls.resume(state))
        return EMPTY

    async def terminate(self, call: Call) -> Reply:
        """End a run."""
        query: wire.TerminateQuery = call.query or wire.TerminateQuery()
        await self._runs.end(call, workflow_id(call), query.reason or f"Terminated by {call.principal.key_name}.")
        return EMPTY

    async def remove(self, call: Call) -> Reply:
        """Take a run that is over away."""
        await self._runs.delete(msgspec.structs.replace(call, params={"id": workflow_id(call)}))
        return EMPTY

    async def terminate_and_remove(self, call: Call) -> Reply:
        """End a run, and take it away."""
        await self.terminate(call)
        return await self.remove(call)

    async def retry(self, call: Call) -> Reply:
        """Try again what it failed with."""
        query: wire.RetryQuery = call.query or wire.RetryQuery()
        if query.resume_subworkflow_tasks:
            await self._runs.retry_within(call, workflow_id(call))
            return EMPTY
        await self._change(call, Word.WORKFLOW_RUN_RETRIED, lambda state, _d, _now: controls.retry(state))
        return EMPTY

    async def restart(self, call: Call) -> Reply:
        """Begin anew, by the definition that it was started with or the latest of its name."""
        query: wire.RestartQuery = call.query or wire.RestartQuery()
        if not query.use_latest_definitions:
            await self._change(call, Word.WORKFLOW_RUN_RESTARTED, controls.restart)
            return EMPTY
        run = (await self._reading.parts(call, workflow_id(call)))[0]
        found, latest = await self._runs.engine.latest(call.principal.tenant_id, run.name)

        def change(state: State, _definition: Definition, now: int) -> None:
            controls.restart(state, latest, now, found)

        await self._change(call, Word.WORKFLOW_RUN_RESTARTED, change, version=found.version)
        return EMPTY

    async def rerun(self, call: Call) -> Reply:
        """Go on from one of its tasks."""
        body: wire.RerunWorkflowRequest = call.body
        id = workflow_id(call)
        task_id = task_place(body.re_run_from_task_id, id)[1] if body.re_run_from_task_id else 0

        def change(state: State, definition: Definition, now: int) -> None:
            controls.rerun(
                state,
                definition,
                task_id=task_id,
                task_input=body.task_input,
                workflow_input=body.workflow_input or None,
                now=now,
            )

        await self._change(call, Word.WORKFLOW_RUN_RERUN, change)
        return plain(id)

    async def skip(self, call: Call) -> Reply:
        """Leave a task out."""
        query: wire.SkipQuery = call.query or wire.SkipQuery()
        body: wire.SkipTaskRequest = call.body or wire.SkipTaskRequest()
        if query.skip_task_request not in ("", "None"):
            body = _written(query.skip_task_request)
        ref = str(call.params["taskReferenceName"])
        told: dict[str, Any] = {"taskOutput": body.task_output or {}}
        if body.task_input is not None:
            told["taskInput"] = body.task_input

        def change(state: State, definition: Definition, now: int) -> None:
            controls.skip(state, definition, ref, told, now)

        await self._change(call, Word.WORKFLOW_RUN_TASK_SKIPPED, change, task=ref)
        return EMPTY

    async def decide(self, call: Call) -> Reply:
        """Look at a run at once, as the engine does by itself when its time has come."""
        await self._runs.engine.change(call.principal.tenant_id, workflow_id(call), lambda _s, _d, _now: None)
        return EMPTY

    # Tasks

    async def update(self, call: Call) -> Reply:
        """Say how a task stands, by its id."""
        body: wire.TaskResult = call.body
        if body.external_output_payload_storage_path:
            text = "Output is not read from elsewhere; send it as outputData."
            raise Invalid.of([Violation(location="externalOutputPayloadStoragePath", message=text)])
        for field in ("logs", "callbackAfterSeconds"):
            if getattr(body, "logs" if field == "logs" else "callback_after_seconds"):
                call.notices.append(Notice("not_used", field, "This field is known, and not used here."))
        call.params = {"workflowId": body.workflow_instance_id}
        task_id = task_place(body.task_id, workflow_id(call))[1]
        await self._tell(
            call, lambda state: state.attempt(task_id), body.status, body.output_data, body.reason_for_incompletion
        )
        return plain(body.task_id)

    async def update_named(self, call: Call) -> Reply:
        """Say how a task stands, by its reference name."""
        told = await self._tell_named(call)
        return plain(showing.task_id(workflow_id(call), told))

    async def update_named_and_get(self, call: Call) -> Reply:
        """The same; the run is answered."""
        await self._tell_named(call)
        return reply_of(await self._reading.whole(call, workflow_id(call)))

    async def _tell_named(self, call: Call) -> int:
        ref = str(call.params["taskRefName"])

        def find(state: State) -> Attempt | None:
            return state.tasks.get(ref) or state.tasks.get(state.latest.get(ref, ""))

        return await self._tell(call, find, str(call.params["status"]), given(call.body), "")

    async def signal(self, call: Call) -> Reply:
        """Say how the task stands that waits for somebody."""
        await self._signal(call)
        return EMPTY

    async def signal_and_get(self, call: Call) -> Reply:
        """The same; the run is answered."""
        query: wire.SignalQuery = call.query or wire.SignalQuery()
        refuse_strategy(query.return_strategy)
        await self._signal(call)
        run, found, _, _ = await self._reading.parts(call, workflow_id(call))
        return reply_of(showing.waited(run, found, call.request_id, "TARGET_WORKFLOW"))

    async def _signal(self, call: Call) -> None:
        def find(state: State) -> Attempt | None:
            waiting = [one for key in state.open if waits(one := state.tasks[key])]
            return min(waiting, key=lambda one: one.number) if waiting else None

        await self._tell(call, find, str(call.params["status"]), given(call.body), "")

    async def _tell(
        self, call: Call, find: Callable[[State], Attempt | None], status: str, output: dict[str, Any], reason: str
    ) -> int:
        """Say how a task stands; its id. One that is over stays as it is, as for a stock server."""
        status = status.upper()
        if status not in (*ENDINGS, UNDER_WAY):
            text = f"Must be one of: {', '.join((*ENDINGS, UNDER_WAY))}."
            raise Invalid.of([Violation(location="status", message=text, sent=shown(status))])

        def change(state: State, _definition: Definition, now: int) -> int:
            task = find(state)
            if task is None:
                raise NotFound("The workflow has no such task, or it is history, or none waits for anybody.")
            if not task.open or state.run.over:
                raise _Settled(task.id, f"The task is {task.status}, the workflow {state.run.status}: it stays so.")
            if status == UNDER_WAY:
                report(state, task, output)
            else:
                finish_by_hand(state, task.id, Outcome(status=status, output=output, reason=reason), now)  # type: ignore[arg-type]
            return task.id

        try:
            if status == UNDER_WAY:
                return await self._runs.engine.change(call.principal.tenant_id, workflow_id(call), change)
            return int(await self._change(call, Word.WORKFLOW_RUN_TASK_COMPLETED, change, status=status))
        except _Settled as settled:
            call.notices.append(Notice("not_changed", "status", settled.message))
            return settled.task_id

    # What there is not

    async def poll(self, call: Call) -> Reply:
        """There is nothing to be polled."""
        kind = shown(call.params["taskType"])
        text = (
            f"Nobody polls for tasks here: {kind} would be done by a worker (SIMPLE), and definitions with such tasks "
            "are refused when they are registered. Use HTTP for what a service does, and HUMAN or WAIT for what "
            "somebody completes with POST /api/tasks."
        )
        raise Invalid(text, [Violation(location="taskType", message=text, sent=kind)])


class _Settled(Refusal):
    """The task is over; nothing is changed, and no event told."""

    def __init__(self, task_id: int, message: str) -> None:
        super().__init__(message)
        self.task_id = task_id


def report(state: State, task: Attempt, output: dict[str, Any]) -> None:
    """A task that waits for somebody goes on waiting, with more output."""
    if not (waits(task) or task.type == WAIT):
        raise Conflict(f"Task {task.key} ({task.type}) waits for nobody.")
    known = task.output if isinstance(task.output, dict) else {}
    state.put(msgspec.structs.replace(task, status=UNDER_WAY, output={**known, **output}))


def _written(text: str) -> wire.SkipTaskRequest:
    """What the Python SDK sends in the query: a map as Python writes it, or as JSON."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
    try:
        return msgspec.convert(value, wire.SkipTaskRequest)
    except (msgspec.ValidationError, TypeError):
        text = 'Must be a map such as {"taskOutput": {}}; better send it as the body.'
        raise Invalid.of([Violation(location="skipTaskRequest", message=text)]) from None
