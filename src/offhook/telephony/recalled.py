"""What the store said last, for when it cannot be asked: a call for help waits for nothing that is broken."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Hashable
from typing import Generic, TypeVar

import structlog

from offhook.kit.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

log = structlog.get_logger("offhook.telephony")


class Recalled(Generic[K, V]):
    """By key, of `most` keys: the one that was noted longest ago is forgotten. `what` names it in the log."""

    def __init__(self, what: str, most: int) -> None:
        self._what, self._most = what, most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def note(self, key: K, value: V) -> None:
        """Remember it."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self, key: K) -> None:
        """It is so no longer."""
        self._kept.pop(key, None)

    async def ask(self, key: K, looking: Awaitable[V | None], seconds: float | None) -> tuple[V | None, bool]:
        """What `looking` finds within `seconds` (None: however long that takes), which is noted, and True.

        Where it fails, what was noted last, and False; what it failed with, or Unavailable, if that is nothing.
        """
        try:
            async with asyncio.timeout(seconds):
                found = await looking
        except Exception as fault:
            kept = self._kept.get(key)
            if kept is None:
                if isinstance(fault, TimeoutError):
                    raise Unavailable("The store did not answer in time.") from None
                raise
            log.error("store_not_read", goes_on_with=f"the last known {self._what}", cause=_said(fault))
            return kept, False
        if found is None:
            self.forget(key)
        else:
            self.note(key, found)
        return found, True


def _said(fault: Exception) -> str:
    return str(fault) or "no answer in time"
