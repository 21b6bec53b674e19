"""Starts workflows by time and by what happens, for as long as it is kept going. Any number of processes may.

Between moments it costs one look a second at three indexes; a change made by this very process is noticed at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from offhook.events.model import Show
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.storage.batches import Reader, Writer
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.triggers import store
from offhook.workflows.triggers.following import Following
from offhook.workflows.triggers.model import Start
from offhook.workflows.triggers.starting import Starting
from offhook.workflows.triggers.timing import Going, Timing

LOOK_SECONDS = 1.0
"""How often it is looked for what other processes have left: the longest that one of their events goes unnoticed."""

GLANCE_SECONDS = 0.1
"""How often it is looked, without asking the store, whether this process has changed something."""

log = structlog.get_logger("offhook.workflows")


class Clockwork:
    """Schedules, triggers, and the starts that they decide. `scripts` are the engine's, and closed with it.

    `going` tells whether a run is not over: by the embedded engine's tables, unless runs are elsewhere.
    """

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        start: Start,
        scripts: Scripts,
        *,
        shows: Mapping[str, Show] | None = None,
        going: Going = store.going,
        wall: Callable[[], float] = clock.wall,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._writer, self._reader, self._wall, self._sleep = writer, reader, wall, sleep
        self.starting = Starting(writer, start, wall=wall)
        self.timing = Timing(writer, reader, going=going, wall=wall)
        self.following = Following(writer, reader, scripts, shows or {}, wall=wall)
        self._next = 0
        self._decided = asyncio.Event()

    async def keep(self) -> None:
        """Go on until cancelled. What is under way then is left to whoever starts next."""
        # Apart, so that no condition of a trigger and no slow start keeps a schedule waiting.
        loops = (
            self._keep_deciding(self._tell_the_time),
            self._keep_deciding(self.following.look),
            self._keep_starting(),
        )
        tasks = [asyncio.ensure_future(one) for one in loops]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def tick(self) -> int:
        """Do all that there is to do now, once; how much it was."""
        return await self._tell_the_time() + await self.following.look() + await self._carry_out()

    async def _keep_deciding(self, look: Callable[[], Awaitable[int]]) -> None:
        while True:
            changes = self._writer.changes()
            if await self._guarded(look):
                self._decided.set()
            else:
                await self._pause(changes)

    async def _keep_starting(self) -> None:
        while True:
            self._decided.clear()
            await self._guarded(self._carry_out)
            timer = asyncio.ensure_future(self._sleep(LOOK_SECONDS))
            decided = asyncio.ensure_future(self._decided.wait())
            try:
                await asyncio.wait((timer, decided), return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                decided.cancel()

    async def _guarded(self, look: Callable[[], Awaitable[int]]) -> int:
        try:
            return await look()
        except Refusal as refusal:
            log.warning("triggers_put_off", cause=refusal.message)
        except Exception:
            log.exception("triggers_put_off")
        self._next = 0
        return 0

    async def _pause(self, changes: int) -> None:
        """Until the next moment that is known, a change of this process, or the next look."""
        until = self._wall() + LOOK_SECONDS
        while self._writer.changes() == changes:
            left = min(until, self._next / 1000 if self._next else until) - self._wall()
            # Somebody may have put the clock back.
            if left <= 0 or left > LOOK_SECONDS:
                return
            await self._sleep(min(left, GLANCE_SECONDS))

    async def _tell_the_time(self) -> int:
        due = await self._reader.run(store.next_due)
        if not due or due > self._wall() * 1000:
            self._next = due
            return 0
        self._next = 0
        return await self.timing.decide()

    async def _carry_out(self) -> int:
        due = await self._reader.run(store.next_start)
        return await self.starting.carry_out() if due and due <= self._wall() * 1000 else 0
