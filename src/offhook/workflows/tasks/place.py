"""One of the places in which a company's attempts are carried out, which one that has to wait leaves to others."""

import asyncio
from collections.abc import Callable


class Place:
    """Taken from `places`. `under_way` is told since when the attempt is, in milliseconds; 0: it is not, but waits."""

    def __init__(self, places: asyncio.Semaphore, now: Callable[[], int], under_way: Callable[[int], None]) -> None:
        self._places, self._now, self._under_way = places, now, under_way
        self._held = False
        self.since = 0

    async def take(self) -> None:
        """Wait for a place. The attempt's time begins with it, unless it has begun."""
        if self._held:
            return
        await self._places.acquire()
        self._held = True
        self.since = self.since or self._now()
        self._under_way(self.since)

    def leave(self, *, anew: bool = False) -> None:
        """Let others have the place. With `anew` nothing was done so far, and time begins when it is taken again."""
        if not self._held:
            return
        self._held = False
        self._places.release()
        self._under_way(0)
        if anew:
            self.since = 0


def alone() -> Place:
    """A place that nobody else wants."""
    return Place(asyncio.Semaphore(1), lambda: 0, lambda _since: None)
