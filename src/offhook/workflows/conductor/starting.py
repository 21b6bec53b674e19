"""Runs started by Conductor's clients, and waited for if that is asked."""

import asyncio
from contextlib import suppress
from typing import Any

from offhook.access.gate import reply_of
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, RateLimited, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.workflows.conductor import shown as showing
from offhook.workflows.conductor import wire
from offhook.workflows.conductor.reading import Reading
from offhook.workflows.runs.engine import LOOK_SECONDS
from offhook.workflows.runs.engines import LIVE_SECONDS
from offhook.workflows.runs.service import Runs
from offhook.workflows.runs.wire import waits

MOST_WAITING = 500
FIRST_PAUSE = 0.005
STRATEGIES = ("FAIL", "RETURN_EXISTING")
TEXT = b"text/plain; charset=utf-8"


def plain(text: object) -> Reply:
    """An answer that is an id, and no JSON."""
    return Reply(body=str(text).encode(), media=TEXT)


class Starting:
    """Starts runs of all companies."""

    def __init__(self, runs: Runs, reading: Reading) -> None:
        self._runs, self._reading = runs, reading
        self._waiting = 0

    async def start(self, call: Call) -> Reply:
        """Start what the body names."""
        return plain(await self.begun(call, call.body))

    async def start_named(self, call: Call) -> Reply:
        """Start what the path names, with the body as input."""
        query: wire.StartQuery = call.query or wire.StartQuery()
        request = wire.StartWorkflowRequest(
            name=str(call.params["name"]),
            version=query.version,
            correlation_id=query.correlation_id,
            input=call.body or {},
            priority=query.priority,
        )
        return plain(await self.begun(call, request))

    async def begun(self, call: Call, request: wire.StartWorkflowRequest) -> int:
        """The id of the run that was started, or that had been with the same idempotency key."""
        strategy = (request.idempotency_strategy or "FAIL").upper()
        if strategy not in STRATEGIES:
            text = f"Must be one of: {', '.join(STRATEGIES)}."
            raise Invalid.of([Violation(location="idempotencyStrategy", message=text, sent=shown(strategy))])
        if request.external_input_payload_storage_path:
            text = "Input is not read from elsewhere; send it as input."
            raise Invalid.of([Violation(location="externalInputPayloadStoragePath", message=text)])
        if not request.name and request.workflow_def is None:
            text = "Name a workflow, or send a definition."
            raise Invalid.of([Violation(location="name", message=text, reason="required")])
        for field in ("task_to_domain", "priority", "created_by"):
            if getattr(request, field):
                name = "".join(part.title() if at else part for at, part in enumerate(field.split("_")))
                call.notices.append(Notice("not_used", name, "This field is known, and not used here."))
        key = request.idempotency_key
        try:
            id, fresh = await self._runs.engine.start(
                call.principal.tenant_id,
                request.name,
                request.version or None,
                given=request.input,
                correlation=request.correlation_id,
                idempotency=f"key:{key}" if key else "",
                by=call.principal.key_name,
                workflow=request.workflow_def,
            )
        except NotFound:
            raise NotFound(
                f"No such workflow found by name: {shown(request.name)}, version: {shown(request.version)}."
            ) from None
        if not fresh and strategy == "FAIL":
            text = f"The run {id} was started with this idempotency key already."
            raise Conflict(text, [Violation(location="idempotencyKey", message=text, sent=shown(key))])
        return id

    async def execute(self, call: Call) -> Reply:
        """Start a run and wait for it: until it is over, has come to a task, or the time is."""
        query: wire.ExecuteQuery = call.query or wire.ExecuteQuery()
        request: wire.StartWorkflowRequest = call.body
        request.name = str(call.params["name"])
        version = str(call.params["version"])
        if version.isascii() and version.isdecimal() and len(version) < 10:
            request.version = int(version)
        refuse_strategy(query.return_strategy)
        # The Python SDK writes out a None.
        refs = frozenset(one for one in query.wait_until_task_ref.split(",") if one not in ("", "None"))
        if self._waiting >= MOST_WAITING:
            text = "Too many wait for workflows at this time; start it with POST /api/workflow, and ask for it."
            raise RateLimited(text, headers=[("Retry-After", "5")])
        self._waiting += 1
        try:
            id = await self.begun(call, request)
            await self.wait(call, id, refs, query.wait_for_seconds)
        finally:
            self._waiting -= 1
        run, found, _, _ = await self._reading.parts(call, id)
        return reply_of(showing.waited(run, found, query.request_id, query.return_strategy))

    async def wait(self, call: Call, id: int, refs: frozenset[str], seconds: float) -> None:
        """Until a run is over, or one of some tasks is over or waits for somebody; for so long at most."""
        end, pause = clock.monotonic() + seconds, FIRST_PAUSE
        event = self._runs.engine.watch(id)
        try:
            while True:
                event.clear()
                if await self._arrived(call.principal.tenant_id, id, refs) or (left := end - clock.monotonic()) <= 0:
                    return
                # Another process may take it on, which sets nothing here.
                with suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), min(left, LOOK_SECONDS))
                # A run that goes on for long is looked at less often.
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LIVE_SECONDS)
        finally:
            self._runs.engine.unwatch(id, event)

    async def _arrived(self, tenant_id: int, id: int, refs: frozenset[str]) -> bool:
        if not refs:
            return await self._reading.over(tenant_id, id)
        state, _ = await self._runs.load(tenant_id, id)
        named = [one for one in state.tasks.values() if one.ref in refs or one.key in refs]
        return state.run.over or any(not one.open or waits(one) for one in named)


def refuse_strategy(name: str) -> None:
    """Only the run itself is answered."""
    if name not in ("", "None", "TARGET_WORKFLOW"):
        text = "Must be TARGET_WORKFLOW; only the run that was asked for is answered here."
        raise Invalid.of([Violation(location="returnStrategy", message=text, sent=shown(name))])


def given(value: Any) -> dict[str, Any]:
    """A body that is a map; {} for one that was left out."""
    return value if isinstance(value, dict) else {}
