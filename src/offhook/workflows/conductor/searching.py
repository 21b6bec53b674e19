"""What Conductor's search understands: conditions joined by AND. Pure.

`workflowType=a AND status IN (FAILED,TIMED_OUT) AND startTime>1735689600000`: names are Conductor's, values may stand
in quotes, moments are milliseconds since 1970 UTC or date-times with a zone. startTime is when it was first started.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from offhook.kit.errors import Invalid, Violation, shown
from offhook.kit.wire import to_int64
from offhook.workflows.machine.model import RunStatus

STATUSES: tuple[str, ...] = get_args(RunStatus)
MOST_VALUES = 50
FIELDS = ("workflowType", "version", "workflowId", "correlationId", "status", "startTime", "endTime")
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<sign><=|>=|!=|<|>|=)|(?P<mark>[(),])|(?P<word>[^\s"'()<>=!,]+))"""
)
_SIGNS = frozenset({"=", "<", ">", "<=", ">="})
LATEST = 2**52


@dataclass(slots=True)
class Wanted:
    """Which runs. Nothing named is any; moments are in milliseconds, from `since` and before `until`."""

    names: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    correlations: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    started: tuple[int, int] = (0, LATEST)
    ended: tuple[int, int] = (0, LATEST)
    none: bool = False
    text: str = ""
    earliest_first: bool = False
    named: set[str] = field(default_factory=set)


def wanted(query: str, free_text: str = "*", sort: str = "") -> Wanted:
    """What a search asks for; Invalid with the place in the query for what is not understood."""
    found = Wanted(text="" if free_text.strip() in ("", "*") else free_text.strip())
    if sort:
        name, _, order = sort.partition(":")
        if name not in ("startTime", "workflowId", "createTime") or order.upper() not in ("", "ASC", "DESC"):
            raise _wrong("sort", "Must be startTime:ASC or startTime:DESC.", sort)
        found.earliest_first = order.upper() != "DESC"
    tokens = _tokens(query)
    place = 0
    while place < len(tokens):
        place = _condition(found, tokens, place)
        if place < len(tokens):
            if tokens[place] != ("word", "AND") and tokens[place][1].upper() != "AND":
                text = "Conditions are joined by AND; there is no other way here."
                raise _wrong("query", text, tokens[place][1])
            place += 1
            if place == len(tokens):
                raise _wrong("query", "A condition must follow the AND at the end.", query)
    return found


def _tokens(query: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while query[place:].strip():
        token = _TOKEN.match(query, place)
        if token is None:
            raise _wrong("query", f"This is not understood at character {place + 1}.", query[place:])
        kind = token.lastgroup or ""
        text = token.group(kind)
        found.append(("word", text) if kind != "quoted" else ("quoted", text[1:-1]))
        place = token.end()
    return found


def _condition(found: Wanted, tokens: list[tuple[str, str]], place: int) -> int:
    """Read a condition; gives the place behind it."""
    name = tokens[place][1]
    if name not in FIELDS:
        raise _wrong("query", f"Runs are searched by {', '.join(FIELDS)}; not by anything else.", name)
    sign = tokens[place + 1][1] if place + 1 < len(tokens) else ""
    if sign.upper() == "IN":
        values, place = _list(tokens, place + 2, name)
        sign = "="
    elif sign in _SIGNS and place + 2 < len(tokens):
        values, place = [tokens[place + 2][1]], place + 3
    else:
        raise _wrong("query", f"After {name} must come =, <, >, <=, >= or IN, and a value.", sign or name)
    _take(found, name, sign, values)
    return place


def _list(tokens: list[tuple[str, str]], place: int, name: str) -> tuple[list[str], int]:
    values: list[str] = []
    if place >= len(tokens) or tokens[place][1] != "(":
        raise _wrong("query", f"After {name} IN must come values in brackets: (A,B).", name)
    place += 1
    while place < len(tokens) and tokens[place] != ("word", ")"):
        if tokens[place] != ("word", ","):
            values.append(tokens[place][1])
        place += 1
    if place >= len(tokens) or not 0 < len(values) <= MOST_VALUES:
        text = f"After {name} IN must come 1 to {MOST_VALUES} values in brackets: (A,B)."
        raise _wrong("query", text, name)
    return values, place + 1


def _take(found: Wanted, name: str, sign: str, values: list[str]) -> None:
    if name in ("startTime", "endTime"):
        moments = [_moment(name, one) for one in values]
        if len(moments) > 1:
            raise _wrong("query", f"{name} is compared with one moment.", name)
        _narrow(found, name, sign, moments[0])
        return
    if sign != "=":
        raise _wrong("query", f"{name} is compared by = or IN only.", sign)
    if name == "status":
        values = [one.upper() for one in values]
        if unknown := [one for one in values if one not in STATUSES]:
            raise _wrong("query", f"A status is one of {', '.join(STATUSES)}.", unknown[0])
    taken: tuple[str, ...] = tuple(dict.fromkeys(values))
    if name in ("version", "workflowId"):
        # What is no number is nobody's.
        numbers = tuple(number for one in taken if (number := to_int64(one)) is not None)
        _both(found, "versions" if name == "version" else "ids", numbers)
    else:
        _both(found, _PLACES[name], taken)


_PLACES: Mapping[str, str] = {"workflowType": "names", "status": "statuses", "correlationId": "correlations"}


def _both(found: Wanted, place: str, values: tuple[object, ...]) -> None:
    """Of a field that is named twice, what fits both."""
    if place in found.named:
        known = getattr(found, place)
        values = tuple(one for one in values if one in known)
    found.named.add(place)
    found.none = found.none or not values
    setattr(found, place, values)


def _narrow(found: Wanted, name: str, sign: str, moment: int) -> None:
    place = "started" if name == "startTime" else "ended"
    since, until = getattr(found, place)
    if sign in (">", ">=", "="):
        since = max(since, moment + (sign == ">"))
    if sign in ("<", "<=", "="):
        until = min(until, moment + (sign != "<"))
    # What goes on has no end.
    setattr(found, place, (max(since, 1) if place == "ended" else since, until))
    found.none = found.none or since >= until


def _moment(name: str, text: str) -> int:
    number = to_int64(text)
    if number is not None and 0 <= number < LATEST:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _wrong("query", f"{name} is compared with milliseconds since 1970 UTC, or a date-time with a zone.", text)
    return max(0, int(moment.timestamp() * 1000))


def _wrong(place: str, text: str, sent: str) -> Invalid:
    return Invalid.of([Violation(location=place, message=text, sent=shown(sent))])
