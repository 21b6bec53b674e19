"""Remembers the latest calls of each hook, so that its owner sees why one of them has started nothing.

Callers do not wait for it: what was heard is written down apart, at most once a pause, whatever strangers send.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from offhook.kit.errors import Unavailable
from offhook.storage.batches import Writer
from offhook.storage.database import Transaction
from offhook.workflows.triggers import rules, store
from offhook.workflows.triggers.model import Heard

PAUSE_SECONDS = 1.0

log = structlog.get_logger("offhook.workflows")


class Hearing:
    """What this process has heard and not written down yet. `close` it at the end."""

    def __init__(self, writer: Writer, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._writer, self._sleep = writer, sleep
        self._waiting: dict[tuple[int, int], list[Heard]] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, tenant_id: int, id: int, heard: Heard) -> None:
        """A call of a company's hook."""
        self._waiting[tenant_id, id] = rules.heard(self._waiting.get((tenant_id, id), ()), [heard])
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_on())

    async def close(self) -> None:
        """Write down what is left."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await self._write()

    async def _write_on(self) -> None:
        while self._waiting:
            await self._write()
            await self._sleep(PAUSE_SECONDS)

    async def _write(self) -> None:
        taken, self._waiting = self._waiting, {}

        def hear(tx: Transaction) -> None:
            for (tenant_id, id), calls in taken.items():
                store.hear(tx, tenant_id, id, calls)

        if taken:
            try:
                await self._writer.aside(hear)
            except Unavailable as refusal:
                log.warning("hook_calls_not_kept", hooks=len(taken), cause=refusal.message)
            except Exception:
                # One hook's calls cannot be kept, whosever they are: what is heard next is written down all the same.
                log.exception("hook_calls_not_kept", hooks=len(taken))
