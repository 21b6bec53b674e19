"""Calls that were placed and have not begun, as all processes see them: so they can be given up from any of them."""

from collections.abc import Callable

import structlog

from offhook.calls.legs import store
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.storage.batches import Writer

log = structlog.get_logger("offhook.calls")


class Placed:
    """Over a store."""

    def __init__(self, writer: Writer, wall: Callable[[], float] = clock.wall) -> None:
        self._writer, self._wall = writer, wall

    async def begun(self, tenant_id: int, id: int) -> None:
        """A user is about to be rung."""
        at = int(self._wall() * 1000)
        await self._writer.aside(lambda tx: store.rings(tx, tenant_id, id, at))

    async def over(self, tenant_id: int, id: int) -> None:
        """They are rung no more: it is a call like any other, or none. Where that cannot be written it is soon old."""
        try:
            await self._writer.aside(lambda tx: store.take_away(tx, tenant_id, id))
        except Refusal as refusal:
            log.warning("placed_call_not_forgotten", call_id=id, cause=refusal.message)
