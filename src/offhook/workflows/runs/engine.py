"""Takes runs on, turn by turn, durably: what a turn came to is committed before anything of it is carried out.

A run lives in memory only while something is carried out for it; else its rows wait, and cost nothing. Everything
that happens to a run (an answer came, its time has come, somebody pauses it) is a change of its state followed by a
turn. Here stand what is asked of the engine and what keeps it going; `turns` and `carrying` are its two halves. See
docs/algorithms/runs.md.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from offhook.events.model import Event
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.ids import Ids
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction
from offhook.workflows.definitions.model import Definition
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.machine.model import Found
from offhook.workflows.runs import store
from offhook.workflows.runs.carrying import Carrying, Performer
from offhook.workflows.runs.going import GOING_SECONDS, MOST_GOING, MOST_OF_ONE, TREE_SECONDS, Bound
from offhook.workflows.runs.known import Known, Texts
from offhook.workflows.runs.lease import LEASE_SECONDS, RENEW_SECONDS, Lease
from offhook.workflows.runs.live import Change, Lives, Op
from offhook.workflows.runs.loading import Loading
from offhook.workflows.runs.starting import Starting
from offhook.workflows.runs.timers import Timers
from offhook.workflows.runs.turns import Turns

LOOK_SECONDS = 1.0
"""How often it is looked for runs whose time has come, beside those that this process knows of."""

STOP_SECONDS = 10.0
"""How long what is carried out may go on when the process stops."""

DUE_AT_ONCE = 1_000

log = structlog.get_logger("offhook.workflows")
T = TypeVar("T")


class Engine:
    """All runs of this process. `keep` it going while serving; `close` it at the end."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        ids: Ids,
        texts: Texts,
        performer: Performer,
        scripts: Scripts,
        *,
        slot: Callable[[], int] = lambda: 0,
        env: Mapping[str, str] | None = None,
        wall: Callable[[], float] = clock.wall,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lease: float = LEASE_SECONDS,
        most_going: int = MOST_GOING,
    ) -> None:
        self._writer, self._reader, self._scripts, self._wall, self._sleep = writer, reader, scripts, wall, sleep
        self.only_own = False
        """Whether only runs are taken on that were started here, and what they start and wait for."""
        self._own: set[tuple[int, int]] = set()
        self.counts: Counter[tuple[str, str]] = Counter()
        """How often what happened, for metrics: ("run", "COMPLETED"), ("attempt", "FAILED"), ("alert", "")."""
        self._timers = Timers()
        self._lives = Lives(lambda live: self._turns.take_on(live))
        self._lease = Lease(writer, ids, slot, self._now, lease)
        self._going = Bound(reader, wall, most_going, _going, GOING_SECONDS)
        self._trees = Bound(reader, wall, MOST_OF_ONE, _led_to, TREE_SECONDS)
        known = self._known = Known(reader, writer, texts, wall)
        self._starting = Starting(self._lives, known, self._going, self._trees, reader, ids, self.counts, self._now)
        self._carrying = Carrying(self._lives, self._lease, known, performer, scripts, self._now, sleep)
        self._turns = Turns(
            writer,
            ids,
            lives=self._lives,
            lease=self._lease,
            known=known,
            loading=Loading(reader, known, self._lease),
            starting=self._starting,
            carrying=self._carrying,
            going=self._going,
            timers=self._timers,
            counts=self.counts,
            env=env or {},
            now=self._now,
            sleep=sleep,
        )

    # What is asked of it

    async def start(
        self,
        tenant_id: int,
        name: str,
        version: int | None = None,
        *,
        given: Any = None,
        correlation: str = "",
        idempotency: str = "",
        by: str = "",
        workflow: Any = None,
    ) -> tuple[int, bool]:
        """Start a run: its id, and whether it was started by this call.

        The run is on disk, with what it begins with, when this returns. NotFound if there is no such definition,
        RateLimited if as many runs go on as a company may have. A run that was started with the same `idempotency` key
        is that one.
        """
        if self._carrying.stopping:
            raise Unavailable("The server is stopping.")
        id, fresh = await self._starting.start(
            tenant_id,
            name,
            version,
            given=given,
            correlation=correlation,
            idempotency=idempotency,
            by=by,
            workflow=workflow,
        )
        if self.only_own:
            self._own.add((tenant_id, id))
        return id, fresh

    async def change(self, tenant_id: int, id: int, change: Change[T], event: Event | None = None) -> T:
        """Change a run and take it on; what the change gave, once all of it is on disk, and its event with it.

        NotFound if the company has no such run, else what the change refuses.
        """
        return await self._lives.ask(self._lives.of(tenant_id, id), change, event=event)

    async def latest(self, tenant_id: int, name: str) -> tuple[Found, Definition]:
        """The latest definition of this name. NotFound if the company has none."""
        found = await self._known.find(tenant_id, name, None)
        return found, await self._known.definition(tenant_id, found.digest)

    async def terminate(self, tenant_id: int, id: int, reason: str, event: Event | None = None) -> None:
        """End a run that is not over."""
        reason = reason or "It was terminated."
        await self._lives.ask(self._lives.of(tenant_id, id), reason=reason, event=event)

    def watch(self, id: int) -> asyncio.Event:
        """An event that is set whenever this process has taken a run on; `unwatch` it."""
        return self._lives.watch(id)

    def unwatch(self, id: int, event: asyncio.Event) -> None:
        """Nobody watches any more."""
        self._lives.unwatch(id, event)

    def carried_out(self, id: int) -> int:
        """How many attempts this process is carrying out for a run."""
        return sum(len(live.inflight) for live in self._lives if live.id == id)

    @property
    def live(self) -> int:
        """How many runs are in memory."""
        return len(self._lives)

    @property
    def under_way(self) -> int:
        """How many attempts this process is carrying out, or has waiting for their place."""
        return sum(len(live.inflight) for live in self._lives)

    @property
    def owner(self) -> int:
        """What this process is known by; 0 while it takes nothing on."""
        return self._lease.owner

    # Keeping on

    async def enlist(self) -> None:
        """Be known as a process that takes runs on. What a dead process in the same slot had is free at once."""
        await self._lease.enlist()

    async def keep(self, *, only_own: bool = False) -> None:
        """Take runs on for as long as this goes on: all, or those only that are started here and what they start."""
        self.only_own = only_own
        renewed = 0.0
        while True:
            try:
                if not self.owner:
                    await self.enlist()
                    renewed = self._wall()
                elif self._wall() - renewed >= RENEW_SECONDS or self._wall() < renewed:
                    await self.renew()
                    renewed = self._wall()
                await self.tick()
            except Refusal as refusal:
                log.warning("runs_put_off", cause=refusal.message)
            except Exception:
                log.exception("runs_put_off")
            self._timers.sooner.clear()
            wait = LOOK_SECONDS
            if self._timers.next is not None:
                wait = min(wait, max(0.0, self._timers.next / 1000 - self._wall()))
            timer = asyncio.ensure_future(self._sleep(wait))
            sooner = asyncio.ensure_future(self._timers.sooner.wait())
            try:
                await asyncio.wait((timer, sooner), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in (timer, sooner):
                    one.cancel()

    async def renew(self) -> None:
        """Say that this process lasts, and take over from those that do not."""
        if await self._lease.renew():
            await self._leave_ended()
            return
        # Others have what this one had. What it still carries out is told to them as it ends.
        for live in self._lives:
            if not live.turning:
                live.state = None
            self._lives.put(live, Op())

    async def _leave_ended(self) -> None:
        """Carry nothing out any more for runs that another process has ended meanwhile."""
        busy = [live for live in self._lives if live.inflight]
        if not busy:
            return
        over = await self._reader.run(lambda tx: [one for one in busy if not store.goes_on(tx, one.tenant_id, one.id)])
        for live in over:
            if not live.turning:
                live.state = None
            self._lives.put(live, Op())

    async def tick(self) -> int:
        """Look at all runs whose time has come; how many there were."""
        now, count = self._now(), 0
        self._carrying.mark_begun(now)
        for tenant_id, id in self._timers.due(now):
            self._lives.put(self._lives.of(tenant_id, id), Op())
            count += 1
        known, owner = frozenset(self._own), self.owner

        def look(tx: Transaction) -> tuple[set[tuple[int, int]], list[tuple[int, int]]]:
            owned = store.due(tx, owner, now, DUE_AT_ONCE)
            if not self.only_own:
                return set(), [*store.due(tx, 0, now, DUE_AT_ONCE), *owned]
            going, free = store.due_of(tx, known, now)
            return going, [*free, *owned]

        going, found = await self._reader.run(look)
        self._own = going | (self._own - known)
        for tenant_id, id in found:
            live = self._lives.of(tenant_id, id)
            if not live.turning:
                # Somebody else has written to it.
                live.state = None
            self._lives.put(live, Op())
            count += 1
        return count

    async def settled(self) -> None:
        """Wait until nothing is under way: for tests and for commands that end."""
        while self._lives.tasks:
            await asyncio.wait(list(self._lives.tasks))

    async def close(self) -> None:
        """Let what is carried out end, for a while, then leave all runs to others."""
        await self._carrying.stop(STOP_SECONDS)
        with suppress(TimeoutError):
            # Also what a last turn sets going, as with the run that waited for it.
            async with asyncio.timeout(STOP_SECONDS):
                await self.settled()
        await self._lease.dismiss()
        await self._scripts.close()

    def _now(self) -> int:
        return int(self._wall() * 1000)


def _going(tx: Transaction, tenant_id: int, most: int) -> int:
    return store.going(tx, tenant_id, most)


def _led_to(tx: Transaction, tree: tuple[int, int], most: int) -> int:
    return store.led_to(tx, *tree, most)
