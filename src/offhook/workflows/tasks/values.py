"""Values of a task's input, whose types are only known when it is done. Pure."""

import json
from typing import Any

import msgspec

from offhook.kit.errors import shown

DEEPEST = 200
"""Levels of objects and lists within each other that an output may have: so many can be read and written anywhere."""


class Wrong(Exception):
    """Why a task cannot be done as it is asked for, in words for who wrote it. Doing it again does not help."""


def flag(value: Any, name: str, *, unless: bool) -> bool:
    """True or false, also as text; `unless` if nothing is said."""
    if value is None:
        return unless
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Wrong(f"{name} is {shown(value)}; it must be true or false.")


def number(value: Any, name: str, least: int, most: int, unless: int) -> int:
    """A whole number, also as text; `unless` if nothing is said."""
    if value is None or value == "":
        return unless
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Wrong(f"{name} is {shown(value)}; it must be a whole number from {least:,} to {most:,}.")
    return value


def json_bytes(value: Any, what: str) -> bytes:
    """A value as compact JSON; Wrong if it is none."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Halves of surrogate pairs can be written as escapes only.
        return json.dumps(value, separators=(",", ":")).encode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise Wrong(f"{what} is no JSON, or is nested too deeply.") from None


def too_deep(value: Any) -> bool:
    """Whether a value has more levels than an output may have."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return False
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)
