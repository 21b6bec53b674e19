"""How often, and how often at a time, one company's tasks call a host. Counted in this process only.

Tasks that name the same limit for a host share it; whoever comes first is let in first. Waiting can be cancelled.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AsyncExitStack, asynccontextmanager

from offhook.kit import clock

_SWEPT = 256


async def _at_once() -> None:
    """Nothing else is waited for."""


class _Rate:
    """At most `requests` in any window of `seconds`."""

    def __init__(self, requests: int, seconds: int) -> None:
        self._seconds = seconds
        self._moments: deque[float] = deque(maxlen=requests)
        self._turn = asyncio.Lock()

    async def wait(
        self,
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        async with self._turn:
            if len(self._moments) == self._moments.maxlen:
                # Some clocks wake a little early.
                while (left := self._moments[0] + self._seconds - monotonic()) > 0:
                    await sleep(left)
            await ready()
            self._moments.append(monotonic())

    def idle(self, now: float) -> bool:
        return not self._turn.locked() and (not self._moments or self._moments[-1] + self._seconds <= now)


class _AtOnce:
    """At most so many at a time."""

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)
        self.used = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        self.used += 1
        try:
            async with self._places:
                yield
        finally:
            self.used -= 1

    def idle(self, _now: float) -> bool:
        return not self.used


class Hosts:
    """The limits that are in use. `sleep` and `monotonic` are those of asyncio and of the clock, except in tests."""

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._sleep, self._monotonic = sleep, monotonic
        self._kept: dict[Hashable, _Rate | _AtOnce] = {}
        self._sweep_at = _SWEPT

    @asynccontextmanager
    async def turn(
        self,
        tenant_id: int,
        host: str,
        rate: tuple[int, int] | None,
        at_once: int,
        ready: Callable[[], Awaitable[None]] = _at_once,
    ) -> AsyncIterator[None]:
        """The block is a request to a host, which waits here until it may be sent.

        `rate` are requests and seconds; None, and 0 for `at_once`, are no limit. Once it is its turn, `ready` is waited
        for; the moment that counts for the rate is the one after that, when it is sent.
        """
        async with AsyncExitStack() as stack:
            if at_once:
                places = self._get((tenant_id, host, at_once), lambda: _AtOnce(at_once))
                assert isinstance(places, _AtOnce)
                await stack.enter_async_context(places.place())
            if rate is not None:
                limit = self._get((tenant_id, host, *rate), lambda: _Rate(*rate))
                assert isinstance(limit, _Rate)
                await limit.wait(self._sleep, self._monotonic, ready)
            else:
                await ready()
            yield

    def _get(self, key: Hashable, make: Callable[[], _Rate | _AtOnce]) -> _Rate | _AtOnce:
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= self._sweep_at:
                now = self._monotonic()
                self._kept = {one: limit for one, limit in self._kept.items() if not limit.idle(now)}
                self._sweep_at = max(_SWEPT, 2 * len(self._kept))
            found = self._kept[key] = make()
        return found

    def __len__(self) -> int:
        return len(self._kept)
