"""When runs are to be looked at next, as far as this process knows of them."""

import asyncio
import heapq
from collections.abc import Iterator

AHEAD_MS = 60_000
"""How far ahead moments are kept. Those further on are found in the store, as they come near."""


class Timers:
    """Moments (milliseconds since 1970 UTC) of runs. `sooner` is set when one comes before all others."""

    def __init__(self) -> None:
        self._moments: list[tuple[int, int, int]] = []
        self.sooner = asyncio.Event()

    def add(self, moment: int, now: int, tenant_id: int, id: int) -> None:
        """Have the run looked at then, if that is near."""
        if moment - now > AHEAD_MS:
            return
        if not self._moments or moment < self._moments[0][0]:
            self.sooner.set()
        heapq.heappush(self._moments, (moment, tenant_id, id))

    def due(self, now: int) -> Iterator[tuple[int, int]]:
        """The runs whose moment has come, as (tenant, id), and no more of them."""
        while self._moments and self._moments[0][0] <= now:
            _, tenant_id, id = heapq.heappop(self._moments)
            yield tenant_id, id

    @property
    def next(self) -> int | None:
        """The first moment, None if there is none."""
        return self._moments[0][0] if self._moments else None
