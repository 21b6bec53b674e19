"""Lengths of time as people write them: `30m`, `12h`, `90d`, `52w`."""

import re
from datetime import timedelta

_SPAN = re.compile(r"(\d{1,5}) ?([mhdw])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def duration(text: str) -> timedelta | None:
    """How long `text` says, None if it is no length of time: `duration("90d")` is ninety days. May be zero."""
    match = _SPAN.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2]] if match else None
