"""Parts of a file, as players ask for them: RFC 9110, section 14. Pure.

One range is given; of several the whole is, which a server may do (section 14.2). What cannot be read is as if it had
not been asked.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

_ONE = re.compile(r"bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*", re.IGNORECASE)
_DIGITS = 18


class Part(NamedTuple):
    """Bytes from `start` to before `stop`."""

    start: int
    stop: int


class Beyond(Exception):
    """The range has no byte in common with the file."""


def chosen(asked: str, size: int) -> Part | None:
    """The part of a file of `size` bytes that a Range header asks for; None for all of it, Beyond for none of it."""
    found = _ONE.fullmatch(asked.strip())
    if found is None or len(asked) > 2 * _DIGITS + 20:
        return None
    first, last = found[1], found[2]
    if not first and not last:
        return None
    if not first:
        length = int(last)
        if not length or not size:
            raise Beyond
        return Part(max(size - length, 0), size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Beyond
    return Part(start, min(int(last) + 1, size) if last else size)


def fits(condition: str, etag: str, modified: str) -> bool:
    """Whether what an If-Range header names is what there is now (section 13.1.5): a strong tag, or the exact date."""
    condition = condition.strip()
    return condition == etag if condition.startswith(('"', "W/")) else condition == modified


def http_date(milliseconds: int) -> str:
    """A moment as HTTP writes it (section 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(milliseconds // 1000, UTC), usegmt=True)
