"""How many runs go on and how many one led to, held against what they may be: counted now and then, and kept up."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

from offhook.storage.batches import Reader
from offhook.storage.database import Transaction

MOST_GOING = 200_000
"""Runs of a company that go on at a time, about: what other processes start is seen a little later."""

MOST_OF_ONE = 10_000
"""Runs that one first run leads to and that are kept, about: over all that they start in turn."""

GOING_SECONDS = 10.0
TREE_SECONDS = 1.0
"""How long a count is known, but for what this process starts and ends itself."""

_MOST_KNOWN = 10_000

K = TypeVar("K")


class Bound(Generic[K]):
    """At most `most` under each key, as `count` finds them in the store; it counts no further than it is told."""

    def __init__(
        self,
        reader: Reader,
        wall: Callable[[], float],
        most: int,
        count: Callable[[Transaction, K, int], int],
        seconds: float,
    ) -> None:
        self._reader, self._wall, self.most, self._count, self._seconds = reader, wall, most, count, seconds
        self._known: dict[K, tuple[float, int]] = {}
        self._taken: Counter[K] = Counter()
        self._counting = asyncio.Lock()

    async def full(self, key: K) -> bool:
        """Whether there are as many as there may be."""
        return await self._left(key) <= 0

    async def take(self, key: K, wanted: int) -> int:
        """How many of `wanted` there is room for, which is kept free until they are told to be `settled`."""
        room = max(0, min(wanted, await self._left(key)))
        if room:
            self._taken[key] += room
        return room

    def settled(self, key: K, room: int) -> None:
        """What was taken is not kept free any more: what came of it was added, or nothing did."""
        self._taken[key] -= room
        if not self._taken[key]:
            del self._taken[key]

    def add(self, key: K, more: int) -> None:
        """This process started so many, or ended one (-1)."""
        known = self._known.get(key)
        if known is not None:
            self._known[key] = known[0], max(0, known[1] + more)

    def know(self, key: K, count: int) -> None:
        """There are so many, for who has it without counting."""
        self._known.setdefault(key, (self._wall(), count))

    async def _left(self, key: K) -> int:
        if not self._fresh(key):
            async with self._counting:
                if not self._fresh(key):
                    count = await self._reader.run(lambda tx: self._count(tx, key, self.most))
                    if len(self._known) >= _MOST_KNOWN:
                        self._known.clear()
                    self._known[key] = self._wall(), count
        return self.most - self._known[key][1] - self._taken[key]

    def _fresh(self, key: K) -> bool:
        if key not in self._known:
            return False
        moment, count = self._known[key]
        # Who is refused may ask as often as it likes: that costs a count a second.
        return 0 <= self._wall() - moment < (self._seconds if count < self.most else 1.0)
