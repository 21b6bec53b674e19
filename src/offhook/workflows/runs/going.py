"""How many runs of a company go on, so that one company cannot fill the store: counted now and then, and kept up."""

import asyncio
from collections.abc import Callable

from offhook.storage.batches import Reader
from offhook.workflows.runs import store

MOST_GOING = 200_000
"""Runs of a company that go on at a time, about: what other processes start is seen a little later."""

COUNTED_SECONDS = 10.0
"""How long it is known how many runs of a company go on, but for what this process starts and ends itself."""


class Going:
    """`most` are the runs that a company may have going."""

    def __init__(self, reader: Reader, wall: Callable[[], float], most: int) -> None:
        self._reader, self._wall, self.most = reader, wall, most
        self._known: dict[int, tuple[float, int]] = {}
        self._counting = asyncio.Lock()

    async def full(self, tenant_id: int) -> bool:
        """Whether a company has as many runs as may go on."""
        return self._may_be_full(tenant_id) and await self._counted_full(tenant_id)

    def add(self, tenant_id: int, more: int) -> None:
        """This process started one, or ended one (-1)."""
        known = self._known.get(tenant_id)
        if known is not None:
            self._known[tenant_id] = known[0], max(0, known[1] + more)

    def _may_be_full(self, tenant_id: int) -> bool:
        moment, count = self._known.get(tenant_id, (0.0, 0))
        return not 0 <= self._wall() - moment < COUNTED_SECONDS or count >= self.most

    async def _counted_full(self, tenant_id: int) -> bool:
        async with self._counting:
            moment, count = self._known.get(tenant_id, (0.0, 0))
            age = self._wall() - moment
            # Who is refused may ask as often as it likes: that costs a count a second.
            if not 0 <= age < (COUNTED_SECONDS if count < self.most else 1.0):
                count = await self._reader.run(lambda tx: store.going(tx, tenant_id, self.most))
                if len(self._known) >= 10_000:
                    self._known.clear()
                self._known[tenant_id] = self._wall(), count
            return count >= self.most
