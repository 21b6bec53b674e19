"""A value with all its expressions resolved, also those in JSONata, which are evaluated in a process of their own.

JSONata is not evaluated in the server, although its engine has limits: it checks them when a step is done, and one
`$replace` took minutes and 19 GB before it was told that its string is too long (docs/decisions/0024).
"""

from collections.abc import Mapping
from typing import Any

import jlens

from offhook.workflows.expressions import templates
from offhook.workflows.expressions.scripts import NotNow, ScriptError, Scripts
from offhook.workflows.expressions.templates import MOST, ExpressionError


async def resolved(
    tenant_id: int,
    value: Any,
    data: Mapping[str, Any],
    scripts: Scripts,
    *,
    now_ms: int,
    seed: int,
    most: int = MOST,
    place: str = "",
) -> Any:
    """What `templates.resolve` gives, JSONata included: `$now()` is `now_ms`, `$random()` follows from `seed`.

    NotNow if nothing could be evaluated here and now.
    """
    answers: dict[str, Any] = {}
    for source in templates.jsonata(value):
        try:
            read = jlens.Expression(source).reads().get("input", {})
            part = _part(data, read)
            answers[source] = await scripts.jsonata(tenant_id, source, part, now_ms=now_ms, seed=seed, most=most)
        except jlens.JlensError as error:
            raise ExpressionError(place, f"${{jsonata: {source[:80]}}} is no JSONata: {str(error)[:200]}.") from None
        except NotNow:
            raise
        except ScriptError as error:
            raise ExpressionError(place, f"${{jsonata: {source[:80]}}} gave nothing: {error.message}") from None
    return templates.resolve(value, data, most=most, answers=answers, place=place)


def _part(data: Any, read: Any) -> Any:
    """Of `data` what an expression reads by its own account, so that not all of a run is sent for one field."""
    if not isinstance(read, dict) or not isinstance(data, Mapping):
        return data
    return {name: _part(data[name], read[name]) for name in read if name in data}
