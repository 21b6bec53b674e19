"""The one clock. Business code asks `now()`; nothing else in the house reads the time of day for a decision.

A caller in the sandbox may set the moment of its own request (`at`); tests do the same. Limits, leases and expiries of
credentials use `wall()` or `monotonic()`, which nobody can set from outside.

What a caller of the telephone waits for (`sleep`, `ticks`) goes with this clock, so that a test can let hours pass.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import lru_cache


class Going:
    """A clock that stands at `moment` (aware) until it is started, and goes `pace` times as fast as time from then."""

    def __init__(self, moment: datetime, pace: float) -> None:
        self._moment = moment.astimezone(UTC)
        self._began: float | None = None
        self.pace = pace

    def start(self) -> None:
        """Let it go."""
        self._began = time.monotonic()

    def now(self) -> datetime:
        """What it shows."""
        gone = 0.0 if self._began is None else time.monotonic() - self._began
        return self._moment + timedelta(seconds=gone * self.pace)


_override: ContextVar[datetime | Going | None] = ContextVar("offhook_clock", default=None)
_going: ContextVar[Going | None] = ContextVar("offhook_clock_going", default=None)


def now() -> datetime:
    """The moment that business rules go by: aware UTC; the real one unless set by `at` or `going`."""
    found = _override.get()
    if found is None:
        return datetime.fromtimestamp(time.time(), UTC)
    return found.now() if isinstance(found, Going) else found


def wall() -> float:
    """Real seconds since 1970 UTC, which no caller can set."""
    return time.time()


monotonic = time.monotonic


def ticks() -> float:
    """Seconds of a stopwatch that goes as fast as this clock: `monotonic()` unless `going`."""
    return time.monotonic() * _pace()


async def sleep(seconds: float) -> None:
    """Wait until so much has gone by on this clock: real seconds unless `going`."""
    await asyncio.sleep(seconds / _pace())


def _pace() -> float:
    found = _override.get()
    return found.pace if isinstance(found, Going) else 1.0


@contextmanager
def at(moment: datetime | None) -> Iterator[None]:
    """Run the block as if it were `moment` (aware); None leaves the clock as it is."""
    if moment is None:
        yield
        return
    with _instead(moment.astimezone(UTC)):
        yield


@contextmanager
def going(clock: Going) -> Iterator[None]:
    """Run the block, and the tasks that it starts, by a clock of their own. For tests."""
    token = _going.set(clock)
    try:
        with _instead(clock):
            yield
    finally:
        _going.reset(token)


@contextmanager
def unset() -> Iterator[None]:
    """Run the block, and the tasks that it starts, as if no caller had set a moment with `at`.

    For work that outlives the request which began it, or is done for others too: calls that are made, ended, watched.
    """
    with _instead(_going.get()):
        yield


@contextmanager
def _instead(found: datetime | Going | None) -> Iterator[None]:
    token = _override.set(found)
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
