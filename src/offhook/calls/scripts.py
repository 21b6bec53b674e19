"""Asking a line's workflow for the next step of a call: a run is started with what is known of the call, and its output
is the answer, if it comes in time.

A run that nobody waits for any more is terminated. What an output means is said by `routing/scripted.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from offhook.calls.call import AskWorkflow
from offhook.directory.prompts.store import prompts
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.routing.plan import AskScript, Told
from offhook.routing.scripted import said
from offhook.routing.state import CallState
from offhook.storage.batches import Reader
from offhook.workflows.machine.model import Run
from offhook.workflows.runs import store
from offhook.workflows.runs.engine import Engine

LOOK_SECONDS = 0.25
"""How often it is looked whether a run is over that another process may have taken on."""

ENDING_SECONDS = 10.0

BY = "a call"
LANGUAGE = "en"
"""What v2 has for everybody."""

log = structlog.get_logger("offhook.calls")


def asking(reader: Reader, engine: Engine, within: Callable[[float], Any] = asyncio.timeout) -> AskWorkflow:
    """The function that asks. `within` bounds the time that a block takes, as asyncio.timeout does."""
    endings: set[asyncio.Task[None]] = set()

    async def ask(tenant_id: int, call_id: int, verb: AskScript, state: CallState) -> Told:
        id, told = 0, Told(0, fault=f"it did not end within {verb.seconds} s")
        try:
            async with within(verb.seconds):
                id, _ = await engine.start(
                    tenant_id,
                    verb.script,
                    None,
                    given=facts(call_id, verb, state),
                    correlation=f"call {call_id}",
                    idempotency=f"call:{call_id}:{state.asked}",
                    by=BY,
                )
                told = await _answer(reader, tenant_id, await _over(reader, engine, tenant_id, id))
                id = 0
        except TimeoutError:
            pass
        finally:
            if id:
                task = asyncio.create_task(_terminate(engine, tenant_id, id))
                endings.add(task)
                task.add_done_callback(endings.discard)
        return msgspec.structs.replace(told, at=clock.milliseconds(clock.now()))

    return ask


def facts(call_id: int, verb: AskScript, state: CallState) -> dict[str, Any]:
    """The input of a run: what the workflow is told of the call. Ids are texts, as in all answers."""
    return {
        "call_id": str(call_id),
        "step": verb.step,
        "caller": state.caller,
        "called": state.dialled,
        "line_type": verb.group.type,
        "line_id": str(verb.group.id),
        "office_id": str(verb.office_id),
        "open": state.open,
        "began": state.began,
        "language": LANGUAGE,
        "pressed": verb.pressed,
        "state": msgspec.json.decode(verb.carried) if verb.carried else None,
    }


async def _over(reader: Reader, engine: Engine, tenant_id: int, id: int) -> Run:
    """A run, once it is over."""
    changed = engine.watch(id)
    try:
        while True:
            changed.clear()
            run = await reader.run(lambda tx: store.get(tx, tenant_id, id))
            if run is not None and run.over:
                return run
            try:
                await asyncio.wait_for(changed.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
    finally:
        engine.unwatch(id, changed)


async def _answer(reader: Reader, tenant_id: int, run: Run) -> Told:
    if run.status != "COMPLETED":
        return Told(0, fault=f"its run {run.id} ended as {run.status}: {run.reason[:200]}")
    told, prompt = said(run.output)
    if told.fault or not prompt:
        return told if not told.fault else msgspec.structs.replace(told, fault=f"{told.fault} (run {run.id})")
    kept = await reader.run(lambda tx: prompts.get(tx, tenant_id, prompt))
    if kept is None:
        return Told(0, fault=f"there is no prompt {prompt} to play")
    return msgspec.structs.replace(told, recording=kept.value.digest)


async def _terminate(engine: Engine, tenant_id: int, id: int) -> None:
    """Nobody waits for it; it may be over all the same."""
    try:
        async with asyncio.timeout(ENDING_SECONDS):
            await engine.terminate(tenant_id, id, "The call does not wait for it any more.")
    except (Refusal, TimeoutError) as fault:
        log.info("script_not_terminated", run=str(id), cause=str(fault) or type(fault).__name__)
