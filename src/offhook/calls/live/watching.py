"""Who watches calls: one look at the store a second for each company, whose answer all of its watchers share.

A watcher is sent everything when it begins and whenever anything has changed, so that one who missed something has it
with the next message. Nobody watches for longer than asked, nor with a key that is no longer good.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import msgspec
import structlog

from offhook.access import store as access
from offhook.access.gate import reply_of
from offhook.calls import store
from offhook.calls.legs import store as legs
from offhook.calls.legs.model import CallLeg
from offhook.calls.live.render import live
from offhook.calls.live.wire import LiveOut, WatchQuery
from offhook.calls.model import Kept
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import encode
from offhook.routing import store as routing
from offhook.routing.service import CompanyOf
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction

LOOK_SECONDS = 1.0
"""How often it is looked, while anybody watches."""

BEAT_SECONDS = 15.0
"""After how long without news a watcher is told that the connection lasts."""

MOST_CALLS = 200
"""Calls of which a message tells; of more it counts as many again, and no more."""

MOST_WATCHERS = 500
A_COMPANY, A_KEY = 100, 20
"""How many of them one company's may be, and one key's, which a session of the console is too."""

MOST_AWAY = 20
"""How often in a row the store may not be read until watchers are sent away."""

log = structlog.get_logger("offhook.calls")
Found = tuple[list[Kept], list[CallLeg], dict[str, tuple[str, ...]], set[int]]


class Watched:
    """What one company's watchers are told. `latest` is None until it was looked once, and `gone` once it cannot be."""

    def __init__(self) -> None:
        self.latest: LiveOut | None = None
        self.number = 0
        self.looks = self.wakes = 0
        """How often it was looked, and up to which look all are woken, whether or not there is news."""
        self.gone = False
        self.keys: set[int] = set()
        self.news = asyncio.Event()
        self.watchers = 0
        self.task: asyncio.Task[None] | None = None

    def told(self) -> None:
        """Wake all who watch."""
        news, self.news = self.news, asyncio.Event()
        news.set()


class Watching:
    """Of one process, for all companies."""

    def __init__(
        self,
        reader: Reader,
        company: CompanyOf,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = clock.monotonic,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._reader, self._company, self._sleep, self._monotonic = reader, company, sleep, monotonic
        self._wall = wall
        self._watched: dict[int, Watched] = {}
        self._by_tenant: Counter[int] = Counter()
        self._by_key: Counter[tuple[int, int]] = Counter()

    async def now(self, call: Call) -> Reply:
        """All calls under way."""
        out, _ = await self._look(call.principal.tenant_id)
        return reply_of(out)

    async def _look(self, tenant_id: int) -> tuple[LiveOut, set[int]]:
        config = await self._company(tenant_id)
        wall, at = int(self._wall() * 1000), clock.milliseconds(clock.now())

        def find(tx: Transaction) -> Found:
            found = store.live(tx, tenant_id, 2 * MOST_CALLS)
            made = legs.of_calls(tx, tenant_id, [one.id for one in found[:MOST_CALLS]])
            # Those who wait are counted where they wait: the calls that are read are not all.
            waits = any(one.state.queued for one in found)
            queues = routing.queues(tx, tenant_id, wall) if waits else {}
            return found, made, queues, access.good_keys(tx, tenant_id, wall)

        found, made, queues, keys = await self._reader.run(find)
        return live(config, found, made, queues, MOST_CALLS, at), keys

    # Watching

    async def watch(self, call: Call) -> Reply:
        """Server-sent events: `calls` with all of them, now and whenever anything has changed."""
        query: WatchQuery = call.query or WatchQuery()
        return Reply(body=b"", media=b"text/event-stream", stream=self._told(call, query.seconds))

    async def _told(self, call: Call, seconds: float) -> AsyncIterator[bytes]:
        tenant_id, key_id = call.principal.tenant_id, call.principal.key_id
        if self._full(tenant_id, key_id):
            yield b'event: refused\ndata: {"message":"Too many watch calls at this time; ask for them instead."}\n\n'
            return
        self._count(tenant_id, key_id, 1)
        watched = self._join(tenant_id)
        # A key that was made just now is not among those of a look that had begun by then.
        known_from = watched.wakes = watched.looks + 2
        until = self._monotonic() + seconds
        try:
            yield b"retry: 1000\n\n"
            seen = -1
            while True:
                news = watched.news
                if watched.gone or (key_id and watched.looks >= known_from and key_id not in watched.keys):
                    yield b"event: gone\ndata: {}\n\n"
                    return
                if watched.latest is not None and watched.number != seen:
                    seen = watched.number
                    yield b"event: calls\nid: %d\ndata: %b\n\n" % (seen, encode(watched.latest))
                    if not seconds:
                        break
                left = until - self._monotonic()
                if seconds and left <= 0:
                    break
                if not await self._news(news, min(BEAT_SECONDS, left) if seconds else BEAT_SECONDS):
                    yield b": still here\n\n"
            yield b"event: end\ndata: {}\n\n"
        finally:
            self._leave(tenant_id, watched)
            self._count(tenant_id, key_id, -1)

    async def _news(self, news: asyncio.Event, seconds: float) -> bool:
        """Whether there is something within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await news.wait()
                return True
        return False

    def _full(self, tenant_id: int, key_id: int) -> bool:
        return (
            self._by_tenant.total() >= MOST_WATCHERS
            or self._by_tenant[tenant_id] >= A_COMPANY
            or self._by_key[tenant_id, key_id] >= A_KEY
        )

    def _count(self, tenant_id: int, key_id: int, by: int) -> None:
        self._by_tenant[tenant_id] += by
        self._by_key[tenant_id, key_id] += by
        if not self._by_tenant[tenant_id]:
            del self._by_tenant[tenant_id]
        if not self._by_key[tenant_id, key_id]:
            del self._by_key[tenant_id, key_id]

    def _join(self, tenant_id: int) -> Watched:
        watched = self._watched.get(tenant_id)
        if watched is None:
            watched = self._watched[tenant_id] = Watched()
            # Others watch too, and at another moment than whoever came first may pretend.
            with clock.unset():
                watched.task = asyncio.create_task(self._keep(tenant_id, watched))
        watched.watchers += 1
        return watched

    def _leave(self, tenant_id: int, watched: Watched) -> None:
        watched.watchers -= 1
        if not watched.watchers and watched.task is not None:
            watched.task.cancel()
            if self._watched.get(tenant_id) is watched:
                del self._watched[tenant_id]

    async def _keep(self, tenant_id: int, watched: Watched) -> None:
        """Look for as long as anybody watches."""
        away = 0
        while away < MOST_AWAY:
            try:
                out, keys = await self._look(tenant_id)
                away = 0
            except Refusal as refusal:
                away += 1
                log.warning("live_calls_not_read", cause=refusal.message)
            except Exception:
                away += 1
                log.exception("live_calls_not_read")
            else:
                before = watched.latest
                if before is None or msgspec.structs.replace(before, at=out.at) != out:
                    watched.latest, watched.number = out, watched.number + 1
                    watched.told()
                watched.looks += 1
                if keys != watched.keys or watched.looks <= watched.wakes:
                    watched.keys = keys
                    watched.told()
            await self._sleep(LOOK_SECONDS)
        watched.gone = True
        watched.told()
        if self._watched.get(tenant_id) is watched:
            # Who comes now begins anew.
            del self._watched[tenant_id]

    @property
    def watchers(self) -> int:
        """How many watch."""
        return self._by_tenant.total()
