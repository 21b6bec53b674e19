"""Carries out the attempts that runs come to, each by its type."""

from collections.abc import Callable, Mapping
from typing import Any

from offhook.kit import clock
from offhook.workflows.definitions.model import HTTP, INLINE, JQ
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.machine.model import Attempt, Outcome
from offhook.workflows.tasks.http import HttpTask
from offhook.workflows.tasks.place import Place
from offhook.workflows.tasks.scripts import ScriptTasks

KEY_PREFIX = "offhook-"


class Tasks:
    """The performer of an engine: HTTP, INLINE and JSON_JQ_TRANSFORM, which are what a turn leaves to others."""

    def __init__(self, http: HttpTask, scripts: Scripts, *, wall: Callable[[], float] = clock.wall) -> None:
        self._http, self._scripts = http, ScriptTasks(scripts, wall=wall)

    async def perform(
        self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any], place: Place | None = None
    ) -> Outcome:
        """Do one attempt. `template` is the task's input as its definition has it, {} if it was given as data."""
        match attempt.type:
            case "HTTP":
                key = key_of(attempt)
                return await self._http.perform(tenant_id, attempt.input, key=key, template=template, place=place)
            case "INLINE":
                return await self._scripts.inline(tenant_id, attempt, template)
            case "JSON_JQ_TRANSFORM":
                return await self._scripts.jq(tenant_id, attempt, template)
        return Outcome(
            status="FAILED_WITH_TERMINAL_ERROR",
            reason=f"Nothing here does a task of the type {attempt.type}; those that are done are "
            f"{', '.join((HTTP, INLINE, JQ))}.",
        )


def key_of(attempt: Attempt) -> str:
    """The idempotency key: one for all attempts that do the same thing, also those after a crash."""
    return f"{KEY_PREFIX}{attempt.chain or attempt.id}"
