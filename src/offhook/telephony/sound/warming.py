"""Makes the prompts of lines that were changed, so that the next caller does not wait for them. Any number may look.

Whoever comes first makes a sound and the others find it. A great many changes at once are passed over: what they
changed is made when it is called.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog

from offhook.directory.lines.model import Target
from offhook.events import store as events
from offhook.kit import clock
from offhook.kit.looking import keep_looking
from offhook.routing.model import Company
from offhook.routing.touched import Touched
from offhook.storage.batches import Reader
from offhook.telephony.sound.said import prompts_of, speaking_of
from offhook.telephony.sound.sounds import Sounds

MOST_EVENTS = 200
MOST_LINES = 50
MOST_PROMPTS = 40
"""At one look: events, lines of one company, prompts of one line. What is beyond is made when it is called."""

log = structlog.get_logger("offhook.telephony")


class Warming:
    """Looks at what has happened in all companies, from its first look on."""

    def __init__(
        self,
        reader: Reader,
        company: Callable[[int], Awaitable[Company]],
        sounds: Sounds,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reader, self._company, self._sounds, self._sleep = reader, company, sounds, sleep
        self._seen: int | None = None

    async def keep(self) -> None:
        """Go on until cancelled."""
        await keep_looking(self.look, "sounds_put_off", log, sleep=self._sleep)

    async def look(self) -> int:
        """Make what was changed since the last look; how many prompts that were. The first look makes none."""
        last = await self._reader.run(events.last_of_all)
        seen, self._seen = self._seen, last
        if seen is None or last <= seen:
            return 0
        rows = await self._reader.run(lambda tx: events.since_of_all(tx, seen, MOST_EVENTS + 1))
        if len(rows) > MOST_EVENTS:
            log.info("sounds_made_when_called", cause=f"more than {MOST_EVENTS} changes at once")
            return 0
        found: dict[int, Touched] = defaultdict(Touched)
        for tenant_id, word, subject, before, after in rows:
            found[tenant_id].note(word, subject, before, after)
        return sum([await self._make(tenant_id, touched) for tenant_id, touched in found.items()])

    async def _make(self, tenant_id: int, touched: Touched) -> int:
        targets = _targets(touched)
        if not targets:
            return 0
        company, now = await self._company(tenant_id), clock.now()
        lines = await asyncio.to_thread(speaking_of, company, targets)
        if len(lines) > MOST_LINES:
            log.info("sounds_made_when_called", tenant=str(tenant_id), lines=len(lines) - MOST_LINES)
        count = 0
        for line in lines[:MOST_LINES]:
            prompts = await asyncio.to_thread(prompts_of, company, line, now)
            for prompt in prompts[:MOST_PROMPTS]:
                # One behind the other, so that callers have a turn.
                await self._sounds.prepare(tenant_id, prompt)
                count += 1
        return count


def _targets(touched: Touched) -> set[Target]:
    """All that menus may name, or that speaks itself."""
    found = {Target("office", id) for id in touched.offices} | touched.groups
    for kind, ids in touched.people.items():
        found |= {Target(kind, id) for id in ids}
    for word, numbers in (
        ("callrouter", touched.routers),
        ("contact", touched.contacts),
        ("channel", touched.channels),
    ):
        found |= {Target(word, id) for id in numbers}
    for word in ("coachinggroup", "coachingteam"):
        found |= {Target(word, id) for id in touched.teams}
    return found
