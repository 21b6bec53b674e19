"""The one clock. Business code asks `now()`; nothing else in the house reads the time of day for a decision.

A caller in the sandbox may set the moment of its own request (`at`); tests do the same. Limits, leases and expiries of
credentials use `wall()` or `monotonic()`, which nobody can set from outside.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

_override: ContextVar[datetime | None] = ContextVar("offhook_clock", default=None)


def now() -> datetime:
    """The moment that business rules go by: aware UTC; the real one unless set by `at`."""
    return _override.get() or datetime.fromtimestamp(time.time(), UTC)


def wall() -> float:
    """Real seconds since 1970 UTC, which no caller can set."""
    return time.time()


monotonic = time.monotonic


@contextmanager
def at(moment: datetime | None) -> Iterator[None]:
    """Run the block as if it were `moment` (aware); None leaves the clock as it is."""
    if moment is None:
        yield
        return
    token = _override.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _override.reset(token)


@lru_cache(maxsize=16_384)
def iso(moment: int) -> str:
    """Milliseconds since 1970 UTC as v2 writes a date-time: `2026-06-20T19:18:00`, UTC and without a zone."""
    return datetime.fromtimestamp(moment // 1000, UTC).isoformat()[:19]


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC, the form of timestamps on the v2 wire."""
    return int(moment.timestamp() * 1000)
