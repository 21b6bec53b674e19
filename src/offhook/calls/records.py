"""What is kept of calls that are over, for so many days."""

from collections.abc import Callable

from offhook.calls import store
from offhook.kit import clock
from offhook.storage.batches import Reader, Writer

FORGOTTEN_AT_ONCE = 100
"""Calls that one transaction takes away: each may have hundreds of steps."""

LOOK_SECONDS = 600.0
_DAY_MS = 86_400_000


class Records:
    """Forgets calls `days` after they came."""

    def __init__(
        self, reader: Reader, writer: Writer, days: int, *, monotonic: Callable[[], float] = clock.monotonic
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._days = days
        self._monotonic = monotonic
        self._due = 0.0

    async def forget(self) -> int:
        """Forget those whose time is over, if that was not looked after just now; how many there were."""
        if self._monotonic() < self._due:
            return 0
        before, count = int(clock.wall() * 1000) - self._days * _DAY_MS, 0
        while found := await self._reader.run(lambda tx: store.old(tx, before, FORGOTTEN_AT_ONCE)):
            await self._writer.aside(lambda tx, calls=found: store.forget(tx, calls))  # type: ignore[misc]
            count += len(found)
        self._due = self._monotonic() + LOOK_SECONDS
        return count
