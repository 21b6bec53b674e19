"""Rate limits: at most `count` accepted requests in any window of `seconds`, for a company and an operation.

The window slides exactly: a log of the accepted moments decides, so neither one too many nor one too few passes. In
memory for one process, in Redis or Valkey for several. Never reads the business clock, never logs a URL's password.
"""

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from math import ceil
from typing import Protocol

import msgspec

from offhook.kit import clock
from offhook.kit.operation import Limit

Key = tuple[int, str]
"""Company id and operation id."""

_SWEEP_SECONDS = 1.0
_SWEEP_KEYS = 64


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What the limiter says of one request.

    `remaining` is how many more pass right now, `reset_after` the seconds (never negative) until one slot more than now
    is free: for a refused request, when it would pass.
    """

    accepted: bool
    limit: int
    remaining: int
    reset_after: float


class Limiter(Protocol):
    """What the gate and the protocol edge need of a limiter, whichever it is.

    The gate asks `take_now` first and awaits `take` only where that gives None.
    """

    @property
    def healthy(self) -> bool:
        """False while limits hold for each process by itself, though they should be shared."""

    def take_now(self, key: Key, limit: Limit) -> Verdict | None:
        """Decide and count without waiting; None where only `take` can tell."""

    async def take(self, key: Key, limit: Limit) -> Verdict:
        """Decide and count."""

    def would_refuse(self, key: Key, limit: Limit) -> Verdict | None:
        """The refusal that this request is certain to meet, or None. Counts nothing and changes nothing."""

    async def check(self) -> bool:
        """Ask whatever stands behind whether it is there, and answer `healthy`."""

    async def close(self) -> None:
        """Give connections back."""


def scaled(limit: Limit, scale: float) -> Limit:
    """`limit` with its count multiplied by `scale` and rounded, at least 1; the window stays."""
    return Limit(max(1, round(limit.count * scale)), limit.seconds)


class _Log(deque[float]):
    """Moments of the accepted requests of one key, oldest first, and the length of the window they serve."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class MemoryLimiter:
    """The sliding log of one process. A request at t no longer counts at t + seconds: windows are half-open.

    For one thread. Costs 32 bytes for an accepted request of the last window and about 1 KB for a key in use.
    """

    def __init__(self, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._clock = monotonic
        self._logs: dict[Key, _Log] = {}
        self._rota: deque[Key] = deque()
        self._next_sweep = 0.0

    def __len__(self) -> int:
        """Keys held."""
        return len(self._logs)

    def take(self, key: Key, limit: Limit) -> Verdict:
        """Decide, and count the request if it is accepted."""
        now = self._clock()
        if now >= self._next_sweep:
            # Before the log is looked up: the sweep may drop it.
            self._sweep(now, _SWEEP_KEYS)
        times = self._logs.get(key)
        if times is None:
            times = self._open(key, limit.seconds, now)
        horizon = now - limit.seconds
        if times:
            if times[-1] <= horizon:
                times.clear()
            else:
                while times[0] <= horizon:
                    times.popleft()
        used, count = len(times), limit.count
        if used < count:
            times.append(now)
            return Verdict(True, count, count - used - 1, times[0] - horizon)
        return Verdict(False, count, 0, times[used - count] - horizon)

    def would_refuse(self, key: Key, limit: Limit) -> Verdict | None:
        """The verdict that `take` would give now if it is a refusal, else None; changes nothing."""
        times = self._logs.get(key)
        count = limit.count
        if times is None or len(times) < count:
            return None
        after = times[len(times) - count] - (self._clock() - limit.seconds)
        return Verdict(False, count, 0, after) if after > 0 else None

    def _open(self, key: Key, seconds: int, now: float) -> _Log:
        # Two keys are looked at for each that is added, so idle ones go faster than new ones come.
        self._sweep(now, 2)
        times = self._logs[key] = _Log(seconds)
        self._rota.append(key)
        return times

    def _sweep(self, now: float, keys: int) -> None:
        self._next_sweep = now + _SWEEP_SECONDS
        rota, logs = self._rota, self._logs
        for _ in range(min(keys, len(rota))):
            key = rota.popleft()
            times = logs[key]
            if times and times[-1] > now - times.seconds:
                rota.append(key)
            else:
                del logs[key]


class LocalLimiter:
    """The limiter of a server that is one process: the memory, in the common form."""

    healthy = True

    def __init__(self, memory: MemoryLimiter | None = None) -> None:
        self._memory = memory or MemoryLimiter()

    def take_now(self, key: Key, limit: Limit) -> Verdict:
        """Decide and count."""
        return self._memory.take(key, limit)

    async def take(self, key: Key, limit: Limit) -> Verdict:
        """Decide and count."""
        return self._memory.take(key, limit)

    def would_refuse(self, key: Key, limit: Limit) -> Verdict | None:
        """The refusal that this request is certain to meet, or None."""
        return self._memory.would_refuse(key, limit)

    async def check(self) -> bool:
        """Always there."""
        return True

    async def close(self) -> None:
        """Nothing to give back."""


def limiter_for(url: str | None) -> Limiter:
    """The limiter that the settings ask for: shared where a Redis or Valkey URL is set, else in memory."""
    if not url:
        return LocalLimiter()
    # The client of Redis takes longer to load than most commands take, and most installations have no use for it.
    from offhook.access.shared import SharedLimiter

    return SharedLimiter(url)


@lru_cache(maxsize=256)
def _policy(limit: Limit) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", f'"default";q={limit.count};w={limit.seconds}'.encode()


def headers_for(verdict: Verdict, limit: Limit) -> list[tuple[bytes, bytes]]:
    """`RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-11; first `Retry-After` if refused.

    Seconds are whole, rounded up, at most the window; a refused client is never told to come back at once. `t` is when
    the next slot comes free, which is what the draft means by it for a sliding window.
    """
    after = min(ceil(verdict.reset_after), limit.seconds)
    if verdict.accepted:
        return [_policy(limit), (b"ratelimit", b'"default";r=%d;t=%d' % (verdict.remaining, max(after, 0)))]
    after = max(after, 1)
    return [
        (b"retry-after", b"%d" % after),
        _policy(limit),
        (b"ratelimit", b'"default";r=0;t=%d' % after),
    ]
