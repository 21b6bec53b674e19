"""Values as JSON text, within bounds, and ids for the places of a page. Pure."""

import re
from typing import Any

import msgspec

BRIEF = 2_000
"""The longest text of one value."""

_SAFE = re.compile(r"[^A-Za-z0-9_.{}-]+")


def brief(value: Any, limit: int = BRIEF) -> str:
    """`value` as compact JSON of at most `limit` characters; what is longer is cut and ends in "…"."""
    if not _fits(value, limit):
        if isinstance(value, str):
            return encoded(value[:limit])[: limit - 1] + "…"
        return "[…]" if isinstance(value, list) else "{…}"
    text = encoded(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def encoded(value: Any) -> str:
    """`value` as compact JSON."""
    return msgspec.json.encode(value).decode()


def _fits(value: Any, budget: int) -> bool:
    """Whether a value can have a text of about `budget` characters, found out without making it."""
    todo = [value]
    while todo:
        each = todo.pop()
        budget -= 1
        if isinstance(each, str):
            budget -= len(each)
        elif isinstance(each, list):
            if len(each) > budget:
                return False
            todo.extend(each)
        elif isinstance(each, dict):
            if len(each) > budget:
                return False
            budget -= sum(map(len, each))
            todo.extend(each.values())
        if budget < 0:
            return False
    return True


class Anchors:
    """Ids that are unique on one page, and the same for the same name in every version."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def of(self, *parts: str) -> str:
        """An id made of `parts`: of("body", "a.b[].c") == "body-a.b--.c"."""
        name = "-".join(part.replace("[]", "--") for part in parts if part)
        base = _SAFE.sub("-", name)[:300] or "field"
        number = self._taken.get(base, 0) + 1
        while number > 1 and f"{base}-{number}" in self._taken:
            number += 1
        self._taken[base] = number
        if number == 1:
            return base
        self._taken[f"{base}-{number}"] = 1
        return f"{base}-{number}"
