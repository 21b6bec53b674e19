"""What is kept of runs that are over, for so many days."""

from collections.abc import Callable

from offhook.kit import clock
from offhook.storage.batches import Reader, Writer
from offhook.workflows.runs import store

FORGOTTEN_AT_ONCE = 100
LOOK_SECONDS = 600.0
_DAY_MS = 86_400_000


class Records:
    """Forgets runs `days` after they ended."""

    def __init__(
        self, reader: Reader, writer: Writer, days: int, *, monotonic: Callable[[], float] = clock.monotonic
    ) -> None:
        self._reader, self._writer, self._days, self._monotonic = reader, writer, days, monotonic
        self._due = 0.0

    async def forget(self) -> int:
        """Forget those whose time is over, if that was not looked after just now; how many there were."""
        if self._monotonic() < self._due:
            return 0
        before, count = int(clock.wall() * 1000) - self._days * _DAY_MS, 0
        while found := await self._reader.run(lambda tx: store.old(tx, before, FORGOTTEN_AT_ONCE)):
            await self._writer.aside(lambda tx, runs=found: store.forget(tx, runs))  # type: ignore[misc]
            count += len(found)
        self._due = self._monotonic() + LOOK_SECONDS
        return count
