"""Expressions of an imported definition: found in texts, and taken apart. Pure.

`${...}` is JSONPath without its leading `$.`, `${jsonata:...}` JSONata, whose own braces, quotes and backticks are
looked at to find the end; `$${` is no expression.
"""

import re
from typing import Any

JSONATA = "jsonata:"

_STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]""")
_ROOT = re.compile(r"""\s*(?:\$\.?)?(?:\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|(swf:[A-Za-z]+|[^.\[\s]+))""")
_CLOSES = {'"': '"', "'": "'", "`": "`"}


def pieces(text: str) -> list[tuple[bool, str]]:
    """A text cut into expressions (True, what stands within the braces) and what is between them (False)."""
    found: list[tuple[bool, str]] = []
    plain, at = 0, 0
    while (at := text.find("${", at)) >= 0:
        if at > 0 and text[at - 1] == "$":
            at += 2
            continue
        end = _end(text, at + 2)
        if end < 0:
            break
        if at > plain:
            found.append((False, text[plain:at]))
        found.append((True, text[at + 2 : end].strip()))
        plain = at = end + 1
    if plain < len(text):
        found.append((False, text[plain:]))
    return found


def _end(text: str, at: int) -> int:
    """Where the brace stands that closes an expression which begins at `at`; -1 if none does."""
    depth, quote = 1, ""
    while at < len(text):
        sign = text[at]
        if quote:
            if sign == "\\":
                at += 1
            elif sign == quote:
                quote = ""
        elif sign in _CLOSES:
            quote = sign
        elif sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return -1


def split(expression: str) -> tuple[str, str]:
    """The name that a JSONPath begins with, and the rest: ("Task Name", ".output.x")."""
    match = _ROOT.match(expression)
    if match is None:
        return "", expression
    return next(one for one in match.groups() if one is not None), expression[match.end() :]


def steps(rest: str) -> list[str | int] | None:
    """The steps of a path that has only names and numbers; None for one with filters, wildcards or slices."""
    found: list[str | int] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            return None
        found.append(int(match[2]) if match[2] is not None else next(one for one in match.groups() if one is not None))
        at = match.end()
    return found


def path(rest: str) -> str | None:
    """The rest of a path as it stands in Conductor's form, where no spaces may be; None if there are."""
    return None if any(sign.isspace() for sign in rest) else rest


def walked(value: Any, rest: str) -> tuple[bool, Any]:
    """What a path leads to in a value that may have expressions in it: (whether that can be said, the value)."""
    taken = steps(rest)
    if taken is None:
        return (True, f"{value[:-1]}{rest}}}") if _whole(value) else (False, None)
    for number, step in enumerate(taken):
        if _whole(value):
            return True, f"{value[:-1]}{''.join(_written(one) for one in taken[number:])}}}"
        try:
            value = value[step]
        except (LookupError, TypeError):
            return False, None
    return True, value


def _whole(value: Any) -> bool:
    """Whether a value is nothing but one expression."""
    return isinstance(value, str) and value.startswith("${") and pieces(value) == [(True, value[2:-1].strip())]


def _written(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[A-Za-z_][\w-]*", step) else f"['{step}']"
