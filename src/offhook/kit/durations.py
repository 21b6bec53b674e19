"""Lengths of time as people write them, `30m`, `12h`, `90d`, `52w`, and as they are shown to them, `1:05`."""

import re
from datetime import timedelta

_SPAN = re.compile(r"(\d{1,5}) ?([mhdw])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def duration(text: str) -> timedelta | None:
    """How long `text` says, None if it is no length of time: `duration("90d")` is ninety days. May be zero."""
    match = _SPAN.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2]] if match else None


def lasted(seconds: float) -> str:
    """How long something is, to the nearest second, as `1:05`: half of one counts as one."""
    return passed((_milliseconds(seconds) + 500) // 1000)


def passed(seconds: float) -> str:
    """A moment, in whole seconds that have passed until then, as `1:05`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def tenths(seconds: float) -> str:
    """A moment, to the nearest tenth, as `1:05.2`: half of one counts as one."""
    count = (_milliseconds(seconds) + 50) // 100
    return f"{passed(count // 10)}.{count % 10}"


def _milliseconds(seconds: float) -> int:
    """They are what is measured, and a float may be a little less."""
    return round(seconds * 1000)
