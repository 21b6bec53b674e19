"""Snapshots of companies, shared by all calls of a process and kept fresh, also against changes of other processes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.routing.model import Company
from offhook.routing.snapshot import Snapshot, refreshed
from offhook.storage.batches import Reader

log = structlog.get_logger("offhook")

FRESH_SECONDS = 0.25
"""How long a snapshot is used without a look at the event log: the longest that a change elsewhere goes unnoticed."""

PATIENCE_SECONDS = 1.0
"""How long a call waits for the store to be asked, where a snapshot is known that can serve."""

MOST_COMPANIES = 256
"""How many are kept, of whoever was asked for last."""


@dataclass(slots=True)
class _Held:
    """A snapshot, when it was last compared with the event log, and after how many changes of this process."""

    snapshot: Snapshot
    looked: float
    changes: int


class Snapshots:
    """The companies that calls are decided with.

    `changes` counts the transactions of this process, so that its own changes count from the very next call; those of
    others within FRESH_SECONDS. `ticks` are seconds that only rise.
    """

    def __init__(
        self,
        reader: Reader,
        changes: Callable[[], int] = lambda: 0,
        *,
        fresh: float = FRESH_SECONDS,
        patience: float = PATIENCE_SECONDS,
        most: int = MOST_COMPANIES,
        ticks: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._reader = reader
        self._changes = changes
        self._fresh = fresh
        self._patience = patience
        self._most = most
        self._ticks = ticks
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._looking: dict[int, asyncio.Task[_Held]] = {}

    async def of(self, tenant_id: int) -> Company:
        """The company as it is, or was at most FRESH_SECONDS ago. Callers at the same time share one look.

        Where the store cannot be asked, or does not answer in time, the last one known serves on, so that calls do;
        Unavailable if there is none.
        """
        changes, oldest = self._changes(), self._ticks() - self._fresh
        held = self._held.get(tenant_id)
        while held is None or held.changes < changes or held.looked <= oldest:
            looking = self._looking.get(tenant_id)
            if looking is None:
                looking = asyncio.create_task(self._look(tenant_id, held))
                looking.add_done_callback(_fault_is_told)
                self._looking[tenant_id] = looking
            # Whoever goes away leaves the look to the others.
            try:
                async with asyncio.timeout(self._patience if held is not None else None):
                    held = await asyncio.shield(looking)
            except TimeoutError:
                log.warning("snapshot_kept", tenant=str(tenant_id), cause="The store did not answer in time.")
                break
        if tenant_id in self._held:
            self._held.move_to_end(tenant_id)
        assert held is not None
        return held.snapshot.company

    async def _look(self, tenant_id: int, held: _Held | None) -> _Held:
        looked, changes = self._ticks(), self._changes()
        known = held.snapshot if held is not None else None
        try:
            found = await self._reader.run(lambda tx: refreshed(tx, tenant_id, known))
        except Unavailable as refusal:
            if known is None:
                raise
            log.warning("snapshot_kept", tenant=str(tenant_id), cause=refusal.message)
            found = known
        finally:
            del self._looking[tenant_id]
        held = self._held[tenant_id] = _Held(found, looked, changes)
        self._held.move_to_end(tenant_id)
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return held


def _fault_is_told(look: "asyncio.Task[_Held]") -> None:
    """Its callers are told of a fault; where all went away, nobody needs to be."""
    if not look.cancelled():
        look.exception()
