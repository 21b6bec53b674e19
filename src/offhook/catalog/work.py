"""How much is done for one request over a document, which its author may have made without end.

Steps are counted, so that the same document always comes to the same; the processor's time and the end of the server
stand behind that, for what costs more than its steps say.
"""

import asyncio
import contextvars
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from offhook.kit.errors import RateLimited

T = TypeVar("T")
MOST_STEPS = 200_000
MOST_SECONDS = 1.5
"""Of the processor, in the thread that does the work."""

AT_ONCE, OF_ONE, WAITING = 2, 1, 20
"""Requests that are worked on at a time, those of one company among them, and those of it that may wait."""

_LOOK_EVERY = 500


class Work:
    """What is left to be spent. For one thread."""

    __slots__ = ("_began", "_ends", "_left", "_look", "_steps", "_stopped", "cut")

    def __init__(
        self, steps: int = MOST_STEPS, seconds: float = MOST_SECONDS, stopped: threading.Event | None = None
    ) -> None:
        self._steps = self._left = steps
        self._look = _LOOK_EVERY
        self._began: float | None = None
        self._ends = seconds
        self._stopped = stopped
        self.cut = False
        """Whether something was left undone."""

    def spend(self, steps: int = 1) -> bool:
        """Whether there was enough left for so many steps. Once there was not, there never is."""
        self._left -= steps
        self._look -= steps
        if self._look < 0:
            self._look = _LOOK_EVERY
            now = time.thread_time()
            if self._began is None:
                self._began = now
            if now - self._began > self._ends or (self._stopped is not None and self._stopped.is_set()):
                self._left = -1
        if self._left < 0:
            self.cut = True
        return self._left >= 0

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self._left < 0

    @property
    def spent(self) -> int:
        """How many steps were spent."""
        return self._steps - max(0, self._left)

    def part(self, steps: int = MOST_STEPS) -> "Work":
        """As much as one request gets, for a part of it; it ends with the server, too."""
        return Work(steps, stopped=self._stopped)


class Turns:
    """Threads for this, so that the store's own stay free; no company gets all of them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="offhook-catalog")
        self._stopped = threading.Event()
        self._here: Counter[int] = Counter()
        self._of_one: dict[int, asyncio.Semaphore] = {}

    async def run(
        self, tenant_id: int, do: Callable[[Work], T], steps: int = MOST_STEPS, seconds: float = MOST_SECONDS
    ) -> T:
        """What `do` gives, in a thread; RateLimited if too many of the company's wait already."""
        if self._here[tenant_id] >= OF_ONE + WAITING:
            raise RateLimited(
                "Too many requests over API documents are under way; try again.", headers=[("Retry-After", "2")]
            )
        self._here[tenant_id] += 1
        try:
            async with self._of_one.setdefault(tenant_id, asyncio.Semaphore(OF_ONE)):
                work = Work(steps, seconds, self._stopped)
                context = contextvars.copy_context()
                return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, do, work)
        finally:
            self._here[tenant_id] -= 1
            if not self._here[tenant_id]:
                del self._here[tenant_id], self._of_one[tenant_id]

    def close(self) -> None:
        """Cut short what is under way."""
        self._stopped.set()
        self._threads.shutdown(cancel_futures=True)
