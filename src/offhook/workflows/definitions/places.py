"""Where a definition's values have expressions `${...}`. Pure.

A reference is found with the path of its text within the value, so that whoever reports it can name the place.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from offhook.kit.errors import shown

_OPENED = "${jsonata:"
_MOST_FAILURES = 20
MOST_NESTED = 8
"""Expressions one within the other; what is nested deeper is text."""

JSONATA = "jsonata:"
"""What begins an expression that is JSONata, not a path."""

_ROOT = re.compile(r"""\s*(?:\$\.?)?(?:\[\s*(?:'([^']*)'|"([^"]*)")\s*\]|([^.\[]*))""")


class Reference(NamedTuple):
    """An expression: `place` ("uri", "headers.X-A[0]"), what stands within the braces, and the name that it begins with
    ("workflow", a task's reference name; "" if that is itself an expression)."""

    place: str
    expression: str
    root: str


def references(value: Any, place: str = "") -> list[Reference]:
    """All expressions in a value and in what is nested in it, inner ones of expressions too."""
    found: list[Reference] = []
    for where, text in texts(value, place):
        if "${" in text:
            found += [Reference(where, one, root(one)) for one in expressions(text)]
    return found


def texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """All texts in a value, each with its place. Keys are not looked at: nothing is put in for them."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, f"{place}.{shown(key)}" if place else shown(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from texts(inner, f"{place}[{number}]")


def expressions(text: str) -> list[str]:
    """What stands within the braces of each `${...}` of a text; `$${` is none. Takes time by the text's length."""
    return [text[begin + 2 : end] for begin, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Where expressions begin (at the dollar) and end (at their brace), outer ones before inner ones."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    at = failures = 0
    while at < len(text):
        if text.startswith("$${", at) and not opened:
            at += 3
            continue
        if text.startswith(_OPENED, at) and not opened and failures < _MOST_FAILURES:
            end = closing(text, at + 2)
            if end >= 0:
                found.append((at, end))
                at = end + 1
                continue
            failures += 1
        if text.startswith("${", at) and len(opened) < MOST_NESTED:
            opened.append(at)
            at += 2
            continue
        if text[at] == "}" and opened:
            found.append((opened.pop(), at))
        at += 1
    return sorted(found)


def closing(text: str, at: int) -> int:
    """Where the brace stands that closes what was opened before `at`, by quotes and braces; -1 if none does."""
    depth, quote = 1, ""
    while at < len(text):
        sign = text[at]
        if quote:
            if sign == "\\":
                at += 1
            elif sign == quote:
                quote = ""
        elif sign in "\"'`":
            quote = sign
        elif sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return -1


def unclosed(text: str) -> bool:
    """Whether a `${` of a text has no end, so that it is read as the text itself."""
    begun = sum(1 for at in range(len(text)) if text.startswith("${", at) and (at == 0 or text[at - 1] != "$"))
    return begun > len(spans(text))


def root(expression: str) -> str:
    """The name that an expression begins with: "get" for "get.output.x", "" if it is put together from another."""
    match = _ROOT.match(expression)
    name = next((one for one in match.groups() if one is not None), "") if match else ""
    return "" if "${" in name else name.strip()


def second(expression: str) -> str:
    """The step behind the root: "output" for "get.output.x", "" if there is none."""
    match = _ROOT.match(expression)
    rest = expression[match.end() :] if match else ""
    step = re.match(r"""\.?(?:\[\s*(?:'([^']*)'|"([^"]*)")\s*\]|\.?([A-Za-z_][\w-]*))""", rest)
    return next((one for one in step.groups() if one is not None), "") if step else ""


def whole(text: str) -> bool:
    """Whether a text is nothing but one expression, whose value keeps its type."""
    found = spans(text)
    return bool(found) and found[0] == (0, len(text) - 1)
