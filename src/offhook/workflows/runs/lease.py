"""That this process lasts: what it carries out is left to it for as long as it says so."""

from collections.abc import Callable
from contextlib import suppress

import structlog

from offhook.kit.errors import Refusal
from offhook.kit.ids import Ids
from offhook.storage.batches import Writer
from offhook.workflows.runs import store
from offhook.workflows.runs.live import Live

LEASE_SECONDS = 10.0
"""How long after it was heard of last a process is taken for dead."""

RENEW_SECONDS = 3.0

log = structlog.get_logger("offhook.workflows")


class Lease:
    """`owner` is what this process is known by; 0 while it takes nothing on. `now` is in milliseconds.

    `slot` tells the one that it has now: with PostgreSQL gone for a moment it may have got another.
    """

    def __init__(
        self, writer: Writer, ids: Ids, slot: Callable[[], int], now: Callable[[], int], seconds: float
    ) -> None:
        self._writer, self._ids, self._slot, self._now, self._seconds = writer, ids, slot, now, seconds
        self.owner = 0

    async def enlist(self) -> None:
        """Be known as a process that takes runs on. What a dead process in the same slot had is free at once."""
        id, wall = self._ids.new(), self._now()
        until = wall + int(self._seconds * 1000)
        freed = await self._writer.aside(lambda tx: store.enlist(tx, id, self._slot(), until, wall))
        # Not before it is on disk: what belongs to nobody known is free.
        self.owner = id
        if freed:
            log.warning("runs_taken_over", runs=freed)

    async def renew(self) -> bool:
        """Say that this process lasts, and take over from those that do not.

        False if this one was taken for dead: others have what it had, and it is known anew.
        """
        wall = self._now()
        until = wall + int(self._seconds * 1000)
        known, freed = await self._writer.aside(lambda tx: store.renew(tx, self.owner, self._slot(), until, wall))
        if freed:
            log.warning("runs_taken_over", runs=freed)
        if known:
            return True
        log.warning("taken_for_dead")
        gone, self.owner = self.owner, 0
        await self._writer.aside(lambda tx: store.dismiss(tx, gone, wall))
        await self.enlist()
        return False

    async def dismiss(self) -> None:
        """Leave everything to others. Where the store cannot be reached they see it when the lease is over."""
        if self.owner:
            # Turns that are made from now on leave what is to be carried out to others as well.
            (owner, self.owner), now = (self.owner, 0), self._now()
            with suppress(Refusal):
                await self._writer.aside(lambda tx: store.dismiss(tx, owner, now))

    def elsewhere(self, live: Live) -> bool:
        """Whether another process carries something out for the run."""
        return live.owner not in (0, self.owner)
