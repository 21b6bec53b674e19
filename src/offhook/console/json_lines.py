"""On which line of a JSON text a place of its value stands: "tasks[0].inputParameters.uri" is line 7. Pure.

The text may be faulty: what stands before the fault has its lines. Goes over the text once, whatever it holds, and
no further than where it is nested deeper than any definition may be.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = re.compile(r'\n|"(?:[^"\\\n]|\\.)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_DEEPEST = 100
_LINE = re.compile(r"\(line (\d{1,9}), column \d+\)")


@dataclass(slots=True)
class _Frame:
    """An object or list that is open: its place, the key or number that comes next, whether a key is awaited."""

    place: str
    of_list: bool
    number: int = 0
    key: str = ""
    awaits_key: bool = True


def lines(text: str, places: Iterable[str]) -> dict[str, int]:
    """The line, counted from 1, of each place; of one that is not there, that of the nearest around it."""
    wanted = {one: _around(one) for one in places}
    known = {around for some in wanted.values() for around in some}
    found = _found(text, known)
    return {
        one: next((found[around] for around in some if around in found), 1 if one else 0)
        for one, some in wanted.items()
    }


def line_named(message: str) -> int:
    """The line that a message names as "(line 3, column 7)"; 0 if it names none."""
    match = _LINE.search(message)
    return int(match[1]) if match else 0


def _around(place: str) -> list[str]:
    """A place and those around it, from within."""
    found = []
    while place:
        found.append(place)
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return found


def _found(text: str, known: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    stack: list[_Frame] = []
    line = 1
    if not known:
        return found
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign == "\n":
            line += 1
            continue
        top = stack[-1] if stack else None
        if sign in "}]":
            if stack:
                stack.pop()
        elif sign == ",":
            if top is not None:
                top.number += 1
                top.awaits_key = True
        elif sign == ":":
            if top is not None:
                top.awaits_key = False
        elif top is not None and not top.of_list and top.awaits_key:
            if sign in "{[":
                return found
            # A key counts as where its value is: the eye looks for it there.
            top.key = sign.strip('"')
            place = f"{top.place}.{top.key}" if top.place else top.key
            if place in known:
                found.setdefault(place, line)
        else:
            place = "" if top is None else f"{top.place}[{top.number}]" if top.of_list else _member(top)
            if place in known:
                found.setdefault(place, line)
            if sign in "{[":
                if len(stack) >= _DEEPEST:
                    return found
                stack.append(_Frame(place, sign == "["))
    return found


def _member(top: _Frame) -> str:
    return f"{top.place}.{top.key}" if top.place else top.key
