"""How long a WAIT lasts and until when, as Conductor writes both. Pure.

`seconds("1 days 2 hours 3m 10s")` is 93,790; `moment("2026-12-24 18:00 Europe/Lisbon")` is milliseconds since 1970 UTC.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from offhook.kit import zones

MOST_SECONDS = 10 * 366 * 86_400
"""The longest wait: ten years."""

DURATION = 'such as "1 days 2 hours 3m 10s": days, hours, minutes and seconds, in this order'
UNTIL = 'such as "2026-12-24 18:00 Europe/Lisbon": a date, a time, and a zone by name or offset'

_DURATION = re.compile(
    r"(?:(\d{1,9})\s*(?:days?|d))?\s*"
    r"(?:(\d{1,9})\s*(?:hours?|hrs?|h))?\s*"
    r"(?:(\d{1,9})\s*(?:minutes?|mins?|m))?\s*"
    r"(?:(\d{1,9})\s*(?:seconds?|secs?|s))?",
    re.IGNORECASE | re.ASCII,
)
_IN_SECONDS = (86_400, 3_600, 60, 1)
_UNTIL = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?\s*(\S.*)?", re.ASCII)
_OFFSET = re.compile(r"(?:GMT|UTC|UT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.ASCII)
_ABBREVIATED = {
    "Z": 0, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
    "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "WET": 0, "WEST": 60, "JST": 540,
}  # fmt: skip
"""Minutes from UTC by the abbreviations that mean one thing; BST, IST and others mean several."""


def seconds(text: str) -> int | None:
    """How long a duration is; None if it is none, is empty, or is longer than ten years. May be zero."""
    match = _DURATION.fullmatch(text.strip()) if len(text) <= 100 else None
    if match is None or not any(match.groups()):
        return None
    total = sum(int(count or 0) * unit for count, unit in zip(match.groups(), _IN_SECONDS, strict=True))
    return total if total <= MOST_SECONDS else None


def moment(text: str) -> int | None:
    """The moment, in milliseconds since 1970 UTC, that a text names; None if it names none.

    Without a time it is midnight, without a zone UTC. A time that the zone's clock shows twice is the first of the two,
    one that it skips is as much later as the clock was put on.
    """
    match = _UNTIL.fullmatch(text.strip()) if len(text) <= 100 else None
    if match is None:
        return None
    date, time, zone = match.groups()
    try:
        wall = datetime.fromisoformat(f"{date}T{time or '00:00'}")
        if zone is None:
            there = wall.replace(tzinfo=UTC)
        elif (offset := _offset(zone)) is not None:
            there = wall.replace(tzinfo=timezone(offset))
        elif (named := zones.zone(zone)) is not None:
            there, _ = zones.moment_of(wall.isoformat(), named, "until")
        else:
            return None
        return round(there.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def has_zone(text: str) -> bool:
    """Whether a text for `until` says on whose clock it is."""
    match = _UNTIL.fullmatch(text.strip())
    return match is not None and match[3] is not None


def _offset(zone: str) -> timedelta | None:
    if zone in _ABBREVIATED:
        return timedelta(minutes=_ABBREVIATED[zone])
    match = _OFFSET.fullmatch(zone)
    if match is None or int(match[2]) > 18:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return timedelta(minutes=-minutes if match[1] == "-" else minutes)
