"""A few places that companies share fairly: what one company has many of keeps no other waiting for long.

Waiting can be cancelled at any moment. Used from one event loop.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """`most` places, of which one company has `of_one` at most, so that others find one where it has much to do.

    A place that becomes free goes to the company that has fewest, of those that have as many to the one that was served
    longest ago; within a company to who came first.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self.of_one = max(1, most - 1)
        self._held: Counter[int] = Counter()
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        self._served: dict[int, int] = {}
        """When each was served last, of those that have a place or wait for one."""
        self._count = 0

    @asynccontextmanager
    async def place(self, tenant_id: int) -> AsyncIterator[None]:
        """The block has a place of a company; it waits here until there is one."""
        await self._take(tenant_id)
        try:
            yield
        finally:
            self._give_back(tenant_id)

    async def _take(self, tenant_id: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(tenant_id, turn)
            else:
                # It was given a place at the moment at which it wanted none any more.
                self._give_back(tenant_id)
            raise

    def _leave(self, tenant_id: int, turn: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(tenant_id)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[tenant_id]
                self._forget(tenant_id)

    def _give_back(self, tenant_id: int) -> None:
        self._free += 1
        self._held[tenant_id] -= 1
        if not self._held[tenant_id]:
            del self._held[tenant_id]
            self._forget(tenant_id)
        self._serve()

    def _forget(self, tenant_id: int) -> None:
        if tenant_id not in self._held and tenant_id not in self._waiting:
            self._served.pop(tenant_id, None)

    def _serve(self) -> None:
        while self._free:
            asking = [one for one in self._waiting if self._held[one] < self.of_one]
            if not asking:
                return
            tenant_id = min(asking, key=lambda one: (self._held[one], self._served.get(one, 0)))
            queue = self._waiting[tenant_id]
            turn = queue.popleft()
            if not queue:
                del self._waiting[tenant_id]
            if turn.done():
                self._forget(tenant_id)
                continue
            self._free -= 1
            self._count += 1
            self._held[tenant_id] += 1
            self._served[tenant_id] = self._count
            turn.set_result(None)
