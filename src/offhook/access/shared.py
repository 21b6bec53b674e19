"""Rate limits that several processes keep together, in Redis or Valkey. Never logs a URL's password."""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from offhook.access.limits import Key, MemoryLimiter, Verdict
from offhook.kit import clock
from offhook.kit.operation import Limit

log = structlog.get_logger(__name__)

SHARED_TIMEOUT = 0.5
"""Seconds that one decision may wait for Redis."""

SHARED_RETRY = 1.0
"""Seconds between two attempts to reach a Redis that has failed."""


class SharedLimiter:
    """One log for all processes, kept in Redis or Valkey by the `limits` library (a script there decides and counts).

    A refusal is remembered until its slot comes free: within that time nothing can pass, so Redis is not asked again.
    When Redis fails, each process holds the limit by itself from what it has accepted, until Redis is back.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = SHARED_TIMEOUT,
        retry_after: float = SHARED_RETRY,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        """`url` is redis://, rediss://, valkey://, valkeys:// or unix://; a malformed one is a ValueError."""
        self._shown = redacted(url)
        # The client must not retry by itself: `timeout` bounds a decision. The library types its options too narrowly.
        options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),
        }
        try:
            self._storage = RedisStorage(
                _storage_uri(url), implementation="redispy", key_prefix="offhook:limit", **options
            )
        except (ConfigurationError, ValueError):
            # Their texts may quote the URL with its password.
            raise ValueError(f"not a Redis or Valkey URL: {self._shown}") from None
        self._window = MovingWindowRateLimiter(self._storage)
        self._items: dict[Limit, RateLimitItemPerSecond] = {}
        self._timeout = timeout
        self._retry_after = retry_after
        self._clock = monotonic
        self._memory = MemoryLimiter(monotonic)
        self._full_until: dict[Key, float] = {}
        self._healthy = True
        self._probing = False
        self._next_try = 0.0
        self._back_at = float("-inf")

    @property
    def healthy(self) -> bool:
        """Whether Redis answered the last time it was asked."""
        return self._healthy

    def take_now(self, key: Key, limit: Limit) -> Verdict | None:
        """A refusal already known, or the process's own verdict while Redis is away; else None: await `take`."""
        if not self._healthy and not self._due():
            return self._memory.take(key, limit)
        return self._known_full(key, limit)

    async def take(self, key: Key, limit: Limit) -> Verdict:
        """Decide and count for all processes; without Redis, for this one. Each question waits at most `timeout`."""
        verdict = self.take_now(key, limit)
        if verdict is not None:
            return verdict
        item = self._items.get(limit)
        if item is None:
            item = self._items[limit] = RateLimitItemPerSecond(limit.count, limit.seconds)
        # While Redis is away only one request at a time is held up to see whether it is back.
        self._probing = not self._healthy
        try:
            async with asyncio.timeout(self._timeout):
                accepted = await self._window.hit(item, str(key[0]), key[1])
        except (RedisError, OSError) as failure:
            self._lost(failure)
            return self._memory.take(key, limit)
        finally:
            self._probing = False
        self._found()
        if accepted:
            # The process's own log is kept as well: it takes over when Redis fails, and knows a bound for `remaining`.
            own = self._memory.take(key, limit)
            if own.accepted or self._clock() - self._back_at < limit.seconds:
                # What was accepted while Redis was away, it does not know; within a window this process does.
                return own
            return Verdict(True, own.limit, 0, own.reset_after)
        return await self._refused(key, limit, item)

    def would_refuse(self, key: Key, limit: Limit) -> Verdict | None:
        """The refusal that this request is certain to meet, or None."""
        if self._healthy:
            return self._known_full(key, limit)
        return self._memory.would_refuse(key, limit)

    async def check(self) -> bool:
        """Ask Redis for a sign of life, unless it has just failed, and answer `healthy`."""
        if self._healthy or self._due():
            try:
                async with asyncio.timeout(self._timeout):
                    # The library's own check() swallows the reason.
                    await self._storage.bridge.get_connection().ping()  # type: ignore[attr-defined]
            except (RedisError, OSError) as failure:
                self._lost(failure)
            else:
                self._found()
        return self._healthy

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    async def _refused(self, key: Key, limit: Limit, item: RateLimitItemPerSecond) -> Verdict:
        after = float(limit.seconds)
        try:
            async with asyncio.timeout(self._timeout):
                stats = await self._window.get_window_stats(item, str(key[0]), key[1])
            # The library counts in seconds since 1970 by this machine's clock.
            after = min(max(stats.reset_time - clock.wall(), 0.0), after)
            if stats.remaining <= 0:
                self._remember_full(key, after)
        except (RedisError, OSError) as failure:
            self._lost(failure)
        return Verdict(False, limit.count, 0, after)

    def _known_full(self, key: Key, limit: Limit) -> Verdict | None:
        until = self._full_until.get(key)
        if until is None:
            return None
        after = until - self._clock()
        return Verdict(False, limit.count, 0, after) if after > 0 else None

    def _remember_full(self, key: Key, after: float) -> None:
        now, full = self._clock(), self._full_until
        for _ in range(2):
            oldest = next(iter(full), None)
            if oldest is None or full[oldest] > now:
                break
            del full[oldest]
        full.pop(key, None)
        full[key] = now + after

    def _due(self) -> bool:
        return not self._probing and self._clock() >= self._next_try

    def _lost(self, failure: Exception) -> None:
        self._next_try = self._clock() + self._retry_after
        if self._healthy:
            self._healthy = False
            self._full_until.clear()
            log.warning("rate_limit_store_lost", url=self._shown, error=type(failure).__name__, limits="per process")

    def _found(self) -> None:
        if not self._healthy:
            self._healthy = True
            self._back_at = self._clock()
            log.warning("rate_limit_store_back", url=self._shown, limits="shared")


_PLAIN_URL = re.compile(r"(\w+)://(?:[^@/?#]*@)?([\w.\-\[\]]+(?::\d+)?)(/\d*)?(?:\?[^@]*)?")


def redacted(url: str) -> str:
    """Scheme, host, port and database of `url`, fit for a log; only its scheme if a password might hide in the rest."""
    found = _PLAIN_URL.fullmatch(url)
    return f"{found[1]}://{found[2]}{found[3] or ''}" if found else f"{url.partition('://')[0][:8]}://***"


def _storage_uri(url: str) -> str:
    """`url` in the form that the `limits` library reads; Valkey is spoken to as Redis, by the one client we carry."""
    scheme, _, rest = url.partition("://")
    names = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss", "unix": "redis+unix"}
    if scheme not in names or not rest:
        raise ValueError(scheme)
    parts = urlsplit(url)
    if scheme != "unix" and parts.port is None:
        # The library asks for a port, redis-py's own default is this one.
        rest = urlunsplit(("", f"{parts.netloc.rstrip(':')}:6379", parts.path, parts.query, "")).removeprefix("//")
    return f"async+{names[scheme]}://{rest}"
