"""Does INLINE and JSON_JQ_TRANSFORM: has a task's own script evaluated over its input.

A script that gives no result ends its task for good: the same input would fail again. Only where this server could not
evaluate it at all is it tried again.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from offhook.kit import clock
from offhook.kit.errors import shown
from offhook.workflows.expressions.scripts import NotNow, ScriptError, Scripts
from offhook.workflows.expressions.templates import ExpressionError, with_secrets
from offhook.workflows.machine.model import MOST_OUTPUT, Attempt, Outcome
from offhook.workflows.tasks.values import DEEPEST, Wrong, json_bytes, too_deep

EVALUATORS = ("javascript", "graaljs", "value-param", "jsonata")

_AROUND = 100
"""Bytes of an output beside its results."""


class ScriptTasks:
    """The performer of both types. `wall` are seconds since 1970 UTC: the moment that scripts are told."""

    def __init__(self, scripts: Scripts, *, wall: Callable[[], float] = clock.wall) -> None:
        self._scripts, self._wall = scripts, wall

    async def inline(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> Outcome:
        """What `expression` gives for the input, which is `$`, as {"result": ...}."""
        return await _outcome(self._inline(tenant_id, attempt, template))

    async def jq(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> Outcome:
        """What `queryExpression` gives for the input: the first result, null if there is none, and all of them."""
        return await _outcome(self._jq(tenant_id, attempt, template))

    async def _inline(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> dict[str, Any]:
        given, script = _given(attempt, template, "expression", "the script")
        now, most = self._now(), MOST_OUTPUT - _AROUND
        kind = given.get("evaluatorType")
        match kind:
            case "javascript" | "graaljs":
                result = await self._scripts.javascript(
                    tenant_id, script, given, now_ms=now, seed=attempt.id, most=most
                )
            case "jsonata":
                result = await self._scripts.jsonata(tenant_id, script, given, now_ms=now, seed=attempt.id, most=most)
            case "value-param":
                result = given.get(script)
            case _:
                raise Wrong(f"evaluatorType is {shown(kind)}; it must be one of {', '.join(EVALUATORS)}.")
        return {"result": result}

    async def _jq(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> dict[str, Any]:
        given, query = _given(attempt, template, "queryExpression", "a jq query")
        results = await self._scripts.jq(tenant_id, query, given, now_ms=self._now(), most=MOST_OUTPUT - _AROUND)
        output = {"result": results[0] if results else None, "resultList": results}
        size = len(json_bytes(output, "The result"))
        if size > MOST_OUTPUT:
            raise Wrong(
                f"The first result and the list of all have {size:,} bytes together; an output may have "
                f"{MOST_OUTPUT:,}. Give less, or several smaller results."
            )
        return output

    def _now(self) -> int:
        return int(self._wall() * 1000)


def _given(attempt: Attempt, template: Mapping[str, Any], name: str, what: str) -> tuple[dict[str, Any], str]:
    """The input and the script in it."""
    given = attempt.input
    if not isinstance(given, dict):
        raise Wrong(f"The input is no object with {name}.")
    script = given.get(name)
    if not isinstance(script, str) or not script.strip():
        raise Wrong(f"{name} is {shown(script)}; it must be a text: {what}.")
    try:
        _, secrets = with_secrets(given, lambda _: "", template=template)
    except ExpressionError as error:
        raise Wrong(str(error)) from None
    if secrets:
        raise Wrong(
            f"The input asks for the secret {next(iter(secrets))}. Scripts are given none, as what they give is kept; "
            "use it where an HTTP task sends it."
        )
    return given, script


async def _outcome(work: Awaitable[dict[str, Any]]) -> Outcome:
    try:
        output = await work
        if too_deep(output):
            raise Wrong(f"The result is nested in more than the {DEEPEST - 2} levels that it may have.")
        return Outcome(status="COMPLETED", output=output)
    except NotNow as error:
        return Outcome(status="FAILED", output={"error": str(error)}, reason=str(error))
    except (Wrong, ScriptError) as error:
        return Outcome(status="FAILED_WITH_TERMINAL_ERROR", output={"error": str(error)}, reason=str(error))
