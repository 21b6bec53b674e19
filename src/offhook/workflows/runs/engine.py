"""Takes runs on, turn by turn, durably: what a turn came to is committed before anything of it is carried out.

A run lives in memory only while something is carried out for it; else its rows wait, and cost nothing. Everything
that happens to a run (an answer came, its time has come, somebody pauses it) is a change of its state followed by a
turn. Changes that meet are taken together. Where the store had another turn meanwhile, the state is read anew and the
changes are made again, so that nothing is lost and nothing is done twice. What one process carries out no other does:
who changes such a run leaves the rest to the one that has it.

What was carried out when a process died is carried out again by whoever has the run next: its attempt is still open.
See docs/algorithms/runs.md.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec
import structlog

from offhook.events.model import Event
from offhook.kit import clock
from offhook.kit.errors import Conflict, NotFound, RateLimited, Refusal, Unavailable
from offhook.kit.ids import Ids
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction
from offhook.workflows.definitions.model import Definition, Policy, every
from offhook.workflows.expressions.scripts import ScriptError, Scripts
from offhook.workflows.machine import controls, walk
from offhook.workflows.machine.model import Ask, Attempt, Found, Outcome, Run, Start, State, Turn
from offhook.workflows.machine.walk import PERFORMED, Answer, Tools
from offhook.workflows.runs import store
from offhook.workflows.runs.store import Keep, Stale, Twice

LEASE_SECONDS = 10.0
"""How long after it was heard of last a process is taken for dead."""

RENEW_SECONDS = 3.0
LOOK_SECONDS = 1.0
"""How often it is looked for runs whose time has come, beside those that this process knows of."""

STOP_SECONDS = 10.0
"""How long what is carried out may go on when the process stops."""

AT_ONCE = 128
"""How much is carried out at a time for a company: what one waits for takes no place of another."""

READ_AT_ONCE = 64
DUE_AT_ONCE = 1_000
MOST_GOING = 200_000
"""Runs of a company that go on at a time, about: what other processes start is seen a little later."""

COUNTED_SECONDS = 10.0
"""How long it is known how many runs of a company go on, but for what this process starts and ends itself."""

LONG_MS = 1_000
"""How long an attempt is carried out before its run says that it is under way."""

FRESH_SECONDS = 0.25
"""How long a definition is known without a look whether it is still the latest."""

log = structlog.get_logger("offhook.workflows")
T = TypeVar("T")


class Texts(Protocol):
    """What the engine asks of definitions."""

    def find(self, tx: Transaction, tenant_id: int, name: str, version: int | None) -> tuple[Found, Definition] | None:
        """The one of this name and version (None: the latest)."""

    def by_digest(self, tx: Transaction, tenant_id: int, digest: str) -> Definition | None:
        """The one whose text has this digest."""

    def written_out(self, raw: Any) -> tuple[Found, str]:
        """One that stands in a task: checked, with its text. Refusal if it breaks a rule."""

    def put(self, tx: Transaction, tenant_id: int, text: str) -> None:
        """Keep such a text."""

    def policies(self, tx: Transaction, tenant_id: int) -> Mapping[str, Policy]:
        """The registered policies, by the names of tasks."""


class Performer(Protocol):
    """Carries out what takes time."""

    async def perform(self, tenant_id: int, attempt: Attempt, template: Mapping[str, Any]) -> Outcome:
        """The attempt's work. `template` is the task's input as the definition has it, {} if it was given as data."""


Change = Callable[[State, Definition, int], T]
"""Changes a state at a moment (milliseconds), and says what came of it; a Refusal if it may not be."""


class _Op:
    """A change that waits for its turn. Without a future it is the engine's own, and is not given up."""

    __slots__ = ("attempt", "change", "event", "future", "reason")

    def __init__(
        self,
        change: Change[Any] | None,
        future: "asyncio.Future[Any] | None",
        reason: str = "",
        event: Event | None = None,
        attempt: int = 0,
    ) -> None:
        self.change, self.future, self.reason, self.event, self.attempt = change, future, reason, event, attempt

    def done(self, value: Any) -> None:
        if self.future is not None and not self.future.done():
            self.future.set_result(value)

    def failed(self, error: BaseException) -> None:
        if self.future is not None and not self.future.done():
            self.future.set_exception(error)


class _Live:
    """A run in memory. `stored` is where the store has it: turn, owner, wake."""

    __slots__ = (
        "answers", "asking", "definition", "fresh", "id", "inflight", "ops", "owner", "state", "tenant_id", "told",
        "turn", "turning", "wake",
    )  # fmt: skip

    def __init__(self, tenant_id: int, id: int) -> None:
        self.tenant_id, self.id = tenant_id, id
        self.state: State | None = None
        self.definition: Definition | None = None
        self.turn = self.owner = self.wake = 0
        self.fresh = False
        self.turning = False
        self.ops: list[_Op] = []
        self.inflight: dict[int, asyncio.Task[None]] = {}
        self.told: set[int] = set()
        """Attempts that were carried out here, whose outcome is not on disk yet."""
        self.asking: dict[str, asyncio.Task[None]] = {}
        self.answers: dict[str, Answer] = {}

    @property
    def busy(self) -> bool:
        return bool(self.ops or self.inflight or self.asking or self.turning)


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
        slot: int = 0,
        env: Mapping[str, str] | None = None,
        wall: Callable[[], float] = clock.wall,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lease: float = LEASE_SECONDS,
        most_going: int = MOST_GOING,
    ) -> None:
        self._writer, self._reader, self._ids, self._texts = writer, reader, ids, texts
        self._performer, self._scripts, self._slot = performer, scripts, slot
        self._env, self._wall, self._sleep, self._lease = env or {}, wall, sleep, lease
        self._most_going = most_going
        self.owner = 0
        self._live: dict[tuple[int, int], _Live] = {}
        self._timers: list[tuple[int, int, int]] = []
        self._sooner = asyncio.Event()
        self._places: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watchers: dict[int, set[asyncio.Event]] = {}
        self._definitions: dict[str, Definition] = {}
        self._inputs: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._going: dict[int, tuple[float, int]] = {}
        self._counting = asyncio.Lock()
        self._begun: dict[int, tuple[int, _Live]] = {}
        self._latest: dict[tuple[int, str, int | None], tuple[float, int, Found]] = {}
        self._policies: dict[int, tuple[float, int, Mapping[str, Policy]]] = {}
        self._closing = False
        self.only_own = False
        """Whether only runs are taken on that were started here, and what they start and wait for."""
        self._own: set[tuple[int, int]] = set()
        self.counts: dict[tuple[str, str], int] = {}
        """How often what happened, for metrics: ("run", "COMPLETED"), ("attempt", "FAILED"), ..."""

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
        if self._closing:
            raise Unavailable("The server is stopping.")
        text = ""
        if workflow is not None:
            found, text = self._texts.written_out(workflow)
        else:
            found = await self._find(tenant_id, name, version)
        definition = await self._definition(tenant_id, found.digest, text)
        if self._full(tenant_id) and await self._counted_full(tenant_id):
            if idempotency:
                same = await self._reader.run(lambda tx: store.by_key(tx, tenant_id, idempotency))
                if same:
                    return same, False
            raise RateLimited(
                f"{self._most_going:,} runs of the company go on, which is as many as may. Start this one when some of "
                "them have ended, or terminate what is not needed.",
                headers=[("Retry-After", "10")],
            )
        now = self._now()
        run = Run(
            id=self._ids.new(),
            tenant_id=tenant_id,
            name=found.name,
            version=found.version,
            definition=found.digest,
            input={**definition.input_template, **(given if isinstance(given, dict) else {})}
            if definition.input_template
            else ({} if given is None else given),
            variables=dict(definition.variables),
            correlation=correlation,
            idempotency=idempotency,
            by=by,
            started=now,
        )
        if text:
            await self._writer.aside(lambda tx: self._texts.put(tx, tenant_id, text))
        live = self._live[tenant_id, run.id] = _Live(tenant_id, run.id)
        live.state, live.definition, live.fresh = State(run), definition, True
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(live, _Op(None, future))
        try:
            await future
        except Twice as twice:
            self._keep_to(tenant_id, twice.id)
            return twice.id, False
        self._keep_to(tenant_id, run.id)
        self._count("run", "started")
        self._going_more(tenant_id, 1)
        return run.id, True

    async def change(self, tenant_id: int, id: int, change: Change[T], event: Event | None = None) -> T:
        """Change a run and take it on; what the change gave, once all of it is on disk, and its event with it.

        NotFound if the company has no such run, else what the change refuses.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(self._of(tenant_id, id), _Op(change, future, event=event))
        return await future

    async def terminate(self, tenant_id: int, id: int, reason: str, event: Event | None = None) -> None:
        """End a run that is not over."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(self._of(tenant_id, id), _Op(None, future, reason or "It was terminated.", event))
        await future

    def watch(self, id: int) -> asyncio.Event:
        """An event that is set whenever this process has taken a run on; `unwatch` it."""
        event = asyncio.Event()
        self._watchers.setdefault(id, set()).add(event)
        return event

    def unwatch(self, id: int, event: asyncio.Event) -> None:
        """Nobody watches any more."""
        watchers = self._watchers.get(id, set())
        watchers.discard(event)
        if not watchers:
            self._watchers.pop(id, None)

    def carried_out(self, id: int) -> int:
        """How many attempts this process is carrying out for a run."""
        return sum(len(live.inflight) for live in self._live.values() if live.id == id)

    @property
    def live(self) -> int:
        """How many runs are in memory."""
        return len(self._live)

    @property
    def under_way(self) -> int:
        """How many attempts this process is carrying out, or has waiting for their place."""
        return sum(len(live.inflight) for live in self._live.values())

    # Keeping on

    async def enlist(self) -> None:
        """Be known as a process that takes runs on. What a dead process in the same slot had is free at once."""
        self.owner = self._ids.new()
        wall = self._now()
        until = wall + int(self._lease * 1000)
        freed = await self._writer.aside(lambda tx: store.enlist(tx, self.owner, self._slot, until, wall))
        if freed:
            log.warning("runs_taken_over", runs=freed)

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
            self._sooner.clear()
            wait = LOOK_SECONDS
            if self._timers:
                wait = min(wait, max(0.0, self._timers[0][0] / 1000 - self._wall()))
            timer = asyncio.ensure_future(self._sleep(wait))
            sooner = asyncio.ensure_future(self._sooner.wait())
            try:
                await asyncio.wait((timer, sooner), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in (timer, sooner):
                    one.cancel()

    async def renew(self) -> None:
        """Say that this process lasts, and take over from those that do not."""
        wall = self._now()
        until = wall + int(self._lease * 1000)
        known, freed = await self._writer.aside(lambda tx: store.renew(tx, self.owner, until, wall))
        if freed:
            log.warning("runs_taken_over", runs=freed)
        if not known:
            # It was taken for dead, and others have what it had. What it still carries out is told to them as it ends.
            log.warning("taken_for_dead")
            gone, self.owner = self.owner, 0
            await self._writer.aside(lambda tx: store.dismiss(tx, gone, wall))
            await self.enlist()
            for live in list(self._live.values()):
                if not live.turning:
                    live.state = None
                self._put(live, _Op(None, None))

    async def tick(self) -> int:
        """Look at all runs whose time has come; how many there were."""
        now, count = self._now(), 0
        self._mark_begun(now)
        while self._timers and self._timers[0][0] <= now:
            _, tenant_id, id = heapq.heappop(self._timers)
            self._put(self._of(tenant_id, id), _Op(None, None))
            count += 1
        known = frozenset(self._own)

        def look(tx: Transaction) -> tuple[set[tuple[int, int]], list[tuple[int, int]]]:
            owned = store.due(tx, self.owner, now, DUE_AT_ONCE)
            if not self.only_own:
                return set(), [*store.due(tx, 0, now, DUE_AT_ONCE), *owned]
            going, free = store.due_of(tx, known, now)
            return going, [*free, *owned]

        going, found = await self._reader.run(look)
        self._own = going | (self._own - known)
        for tenant_id, id in found:
            live = self._live.get((tenant_id, id))
            if live is not None and not live.turning and live.state is not None:
                # Somebody else has written to it.
                live.state = None
            self._put(self._of(tenant_id, id), _Op(None, None))
            count += 1
        return count

    async def settled(self) -> None:
        """Wait until nothing is under way: for tests and for commands that end."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def close(self) -> None:
        """Let what is carried out end, for a while, then leave all runs to others."""
        self._closing = True
        inflight = [task for live in self._live.values() for task in live.inflight.values()]
        if inflight:
            await asyncio.wait(inflight, timeout=STOP_SECONDS)
        for live in list(self._live.values()):
            for task in (*live.inflight.values(), *live.asking.values()):
                task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=STOP_SECONDS)
        if self.owner:
            owner, now = self.owner, self._now()
            with suppress(Refusal):
                await self._writer.aside(lambda tx: store.dismiss(tx, owner, now))
        await self._scripts.close()

    def _keep_to(self, tenant_id: int, id: int) -> None:
        if self.only_own:
            self._own.add((tenant_id, id))

    # Turns

    def _of(self, tenant_id: int, id: int) -> _Live:
        live = self._live.get((tenant_id, id))
        if live is None:
            live = self._live[tenant_id, id] = _Live(tenant_id, id)
        return live

    def _put(self, live: _Live, op: _Op) -> None:
        live.ops.append(op)
        if not live.turning:
            live.turning = True
            self._spawn(self._turns(live))

    def _spawn(self, work: Any) -> "asyncio.Task[Any]":
        # Of none of the request's context: the clock of a caller in the sandbox is not that of the run.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _turns(self, live: _Live) -> None:
        pause = 0.1
        try:
            while live.ops:
                ops, live.ops = live.ops, []
                try:
                    await self._turn(live, ops)
                    pause = 0.1
                except Stale:
                    live.state, live.ops = None, [*ops, *live.ops]
                except (Twice, NotFound) as error:
                    live.state = None
                    self._fail(live, ops, error)
                except Unavailable as error:
                    # Who asked is told; what the engine must not forget waits for the store.
                    fresh = live.fresh
                    live.state = None
                    for op in ops:
                        op.failed(error)
                    own = [] if fresh else [op for op in ops if op.future is None]
                    live.ops = [*own, *live.ops]
                    if own:
                        await self._sleep(pause)
                        pause = min(pause * 2, 2.0)
                except Exception as error:
                    log.exception("turn_failed", run=str(live.id), tenant=str(live.tenant_id))
                    live.state = None
                    self._fail(live, ops, error)
                    await self._give_up(live, error)
        finally:
            live.turning = False
            if not live.busy:
                self._live.pop((live.tenant_id, live.id), None)

    @staticmethod
    def _fail(live: _Live, ops: Iterable[_Op], error: BaseException) -> None:
        for op in ops:
            op.failed(error)
        for op in live.ops:
            op.failed(error)
        live.ops = []
        live.told.clear()

    async def _turn(self, live: _Live, ops: list[_Op]) -> None:
        """Make changes, take the run as far as it goes, commit that, then have it carried out."""
        if live.state is None:
            await self._load(live)
        state, definition = live.state, live.definition
        assert state is not None
        assert definition is not None
        now, ending = self._now(), ""
        events: list[Event] = []
        results: list[tuple[_Op, Any, Refusal | None]] = []
        before = state.run
        for op in ops:
            try:
                value = op.change(state, definition, now) if op.change is not None else None
                if op.reason:
                    if state.run.over:
                        raise Conflict(f"The run is over already ({state.run.status}).")
                    ending = op.reason
                if op.event is not None:
                    events.append(op.event)
                results.append((op, value, None))
            except Refusal as refusal:
                results.append((op, None, refusal))
        tools = Tools(
            ids=self._ids.new,
            policies=await self._registered(live.tenant_id),
            env=self._env,
            answers=live.answers,
        )
        if ending:
            turn = walk.terminate(definition, state, now, tools, ending)
        else:
            turn = walk.advance(definition, state, now, tools)
        await self._commit(live, turn, before, now, tuple(events))
        live.told.difference_update(op.attempt for op in ops)
        for op, value, refused in results:
            if refused is None:
                op.done(value)
            else:
                op.failed(refused)
        self._carry_out(live, turn)

    async def _load(self, live: _Live) -> None:
        async with self._reading:
            found = await self._reader.run(lambda tx: store.load(tx, live.tenant_id, live.id))
        if found is None:
            raise NotFound(f"There is no run {live.id}.")
        live.state, row = found
        live.turn, live.owner, live.wake, live.fresh = row.turn, row.owner, row.wake, False
        live.definition = await self._definition(live.tenant_id, live.state.run.definition)
        self._compare(live, live.state)
        if row.doomed and not live.state.run.over:
            live.ops.append(_Op(None, None, "The run that started it has ended."))
        await self._ask_children(live)

    def _elsewhere(self, live: _Live) -> bool:
        """Whether another process carries something out for the run."""
        return live.owner not in (0, self.owner)

    def _compare(self, live: _Live, state: State) -> None:
        """Hold what is carried out here against the run as the store has it."""
        tasks = [state.tasks[key] for key in state.open]
        wanted = {one.id for one in tasks}
        for id in [id for id in live.inflight if id not in wanted]:
            live.inflight.pop(id).cancel()
        if self._elsewhere(live):
            return
        for one in tasks:
            if one.id in live.inflight or one.id in live.told:
                continue
            if one.status == "IN_PROGRESS" and one.type in PERFORMED and not one.called:
                # Whoever had it under way is gone. It is carried out again, and has its whole time for that.
                state.put(msgspec.structs.replace(one, status="SCHEDULED", started=0))

    async def _ask_children(self, live: _Live) -> None:
        """See whether runs that it waits for have ended."""
        assert live.state is not None
        waits = [one for key in live.state.open if (one := live.state.tasks[key]).child]
        if not waits:
            return
        found = await self._reader.run(lambda tx: [store.ended(tx, live.tenant_id, one.child) for one in waits])
        for one, child in zip(waits, found, strict=True):
            if child is not None:
                live.ops.append(_Op(_finishing(one.id, _outcome_of(child)), None))

    async def _commit(self, live: _Live, turn: Turn, before: Run, now: int, events: tuple[Event, ...]) -> None:
        run = turn.state.run
        carries_out = bool(turn.perform or turn.ask or live.inflight or live.asking) and not run.over
        owner = self.owner if carries_out else 0
        # Who takes nothing on leaves it to one that does.
        wake = now if carries_out and not owner else turn.due
        unchanged = run is before and not turn.changed and not turn.dropped and not turn.start
        elsewhere = self._elsewhere(live)
        if elsewhere:
            # Who has it looks at it at once, and does the rest.
            owner, wake = (0, 0) if run.over else (live.owner, now)
        if unchanged and not live.fresh and not events and (elsewhere or (owner, wake) == (live.owner, live.wake)):
            return
        born = [await self._child(run, start, now) for start in turn.start]
        keep = Keep(
            tenant_id=live.tenant_id,
            after=run,
            turn=live.turn,
            owner=owner,
            wake=wake,
            now=now,
            changed=turn.changed,
            dropped=turn.dropped,
            born=tuple(store.new_row(one, 0, now) for one in born if one is not None),
            poke=run.parent if run.over and not before.over else 0,
            doom=turn.abandon,
            fresh=live.fresh,
            new_input=run.input is not before.input,
            events=events,
        )
        await self._writer.submit(keep)
        live.turn, live.owner, live.wake, live.fresh = live.turn + 1, owner, wake, False
        for one in born:
            if one is not None:
                self._count("run", "started")
                self._going_more(one.tenant_id, 1)
                self._put(self._of(one.tenant_id, one.id), _Op(None, None))
        for child in turn.abandon:
            self._put(self._of(live.tenant_id, child), _Op(None, None, "The run that started it has ended."))
        if keep.poke:
            outcome = _outcome_of(run)
            self._put(self._of(live.tenant_id, run.parent), _Op(_finishing(run.parent_task, outcome), None))
        self._tell(live, turn, before)

    def _tell(self, live: _Live, turn: Turn, before: Run) -> None:
        run = turn.state.run
        for alert in turn.alerts:
            log.warning("run_alert", run=str(live.id), workflow=run.name, cause=alert)
            self._count("alert", run.name)
        for one in turn.changed:
            if not one.open:
                self._count("attempt", one.status)
        if run.over and not before.over:
            self._count("run", run.status)
            self._going_more(live.tenant_id, -1)
            if run.status in ("FAILED", "TIMED_OUT"):
                log.warning("run_failed", run=str(live.id), workflow=run.name, cause=run.reason)
        for event in self._watchers.get(live.id, ()):
            event.set()
        if live.wake and self.owner and not self._elsewhere(live):
            if not self._timers or live.wake < self._timers[0][0]:
                self._sooner.set()
            heapq.heappush(self._timers, (live.wake, live.tenant_id, live.id))

    async def _child(self, run: Run, start: Start, now: int) -> Run | None:
        found = Found(start.name, start.version or 0, start.digest)
        if not start.digest:
            try:
                found = await self._find(run.tenant_id, start.name, start.version)
            except NotFound as refusal:
                log.error("failure_workflow_missing", run=str(run.id), workflow=start.name, cause=refusal.message)
                self._count("alert", run.name)
                return None
        definition = await self._definition(run.tenant_id, found.digest)
        given = start.input if isinstance(start.input, dict) else {}
        return Run(
            id=start.id,
            tenant_id=run.tenant_id,
            name=found.name,
            version=found.version,
            definition=found.digest,
            input={**definition.input_template, **given},
            variables=dict(definition.variables),
            correlation=start.correlation,
            by=f"run {run.id}",
            parent=run.id if start.parent_task else 0,
            parent_task=start.parent_task,
            depth=start.depth,
            started=now,
        )

    # Carrying out

    def _carry_out(self, live: _Live, turn: Turn) -> None:
        # Of what somebody else has said the end of, nobody waits for the answer.
        for id in (*turn.cancel, *(one.id for one in turn.changed if not one.open)):
            task = live.inflight.pop(id, None)
            if task is not None:
                task.cancel()
        if not turn.ask:
            live.answers.clear()
        if self._closing or not self.owner or self._elsewhere(live):
            return
        for attempt in turn.perform:
            if attempt.id not in live.inflight and attempt.id not in live.told:
                template = self._template(turn.state.run.definition, live.definition, attempt)
                live.inflight[attempt.id] = self._spawn(self._perform(live, attempt, template))
        for ask in turn.ask:
            if ask.key not in live.asking and ask.key not in live.answers:
                live.asking[ask.key] = self._spawn(self._ask(live, ask))

    async def _perform(self, live: _Live, attempt: Attempt, template: Mapping[str, Any]) -> None:
        started = self._now()
        places = self._places.setdefault(live.tenant_id, asyncio.Semaphore(AT_ONCE))
        try:
            async with places:
                started = self._now()
                self._begun[attempt.id] = started, live
                outcome = await self._performer.perform(live.tenant_id, attempt, template)
        except asyncio.CancelledError:
            live.inflight.pop(attempt.id, None)
            raise
        except Exception:
            log.exception("attempt_failed", run=str(live.id), task=attempt.key)
            outcome = Outcome(status="FAILED", reason="Something went wrong here; the server's log says what.")
        finally:
            self._begun.pop(attempt.id, None)
        live.inflight.pop(attempt.id, None)
        outcome = msgspec.structs.replace(outcome, started=started)
        live.told.add(attempt.id)
        self._put(live, _Op(_finishing(attempt.id, outcome), None, attempt=attempt.id))
        self._live.setdefault((live.tenant_id, live.id), live)

    def _mark_begun(self, now: int) -> None:
        """Have it known of what takes long that it is under way; what is short costs no turn of its own."""
        while self._begun:
            id, (started, live) = next(iter(self._begun.items()))
            if 0 <= now - started < LONG_MS:
                return
            del self._begun[id]
            self._put(live, _Op(_beginning(id, started), None))

    async def _ask(self, live: _Live, ask: Ask) -> None:
        try:
            answer = await self._answer(live, ask)
        except asyncio.CancelledError:
            live.asking.pop(ask.key, None)
            raise
        except Unavailable as refusal:
            live.asking.pop(ask.key, None)
            log.warning("ask_put_off", run=str(live.id), cause=refusal.message)
            await self._sleep(1.0)
            self._put(live, _Op(None, None))
            return
        except Exception:
            log.exception("ask_failed", run=str(live.id))
            answer = Answer(error="Something went wrong here; the server's log says what.")
        live.asking.pop(ask.key, None)
        live.answers[ask.key] = answer
        self._put(live, _Op(None, None))
        self._live.setdefault((live.tenant_id, live.id), live)

    async def _answer(self, live: _Live, ask: Ask) -> Answer:
        try:
            if ask.language == "workflow":
                return Answer(await self._known(live.tenant_id, ask.bindings))
            evaluate = self._scripts.javascript if ask.language == "javascript" else self._scripts.jsonata
            return Answer(await evaluate(ask.script, ask.bindings, now_ms=self._now(), seed=live.id))
        except ScriptError as error:
            return Answer(error=str(error))
        except Unavailable:
            raise
        except Refusal as refusal:
            places = "; ".join(f"{one.location}: {one.message}" for one in refusal.violations[:3])
            return Answer(error=f"{refusal.message} {places}".strip())

    async def _known(self, tenant_id: int, what: Mapping[str, Any]) -> Found:
        if "workflow" not in what:
            return await self._find(tenant_id, str(what["name"]), what.get("version"))
        found, text = self._texts.written_out(what["workflow"])
        await self._writer.aside(lambda tx: self._texts.put(tx, tenant_id, text))
        return found

    # Definitions

    async def _find(self, tenant_id: int, name: str, version: int | None) -> Found:
        key, changes = (tenant_id, name, version), self._writer.changes()
        known = self._latest.get(key)
        if known is not None and known[1] == changes and self._wall() - known[0] < FRESH_SECONDS:
            return known[2]
        pair = await self._reader.run(lambda tx: self._texts.find(tx, tenant_id, name, version))
        if pair is None:
            which = f" in version {version}" if version else ""
            raise NotFound(f"There is no workflow {name}{which}.")
        found, definition = pair
        self._remember(found.digest, definition)
        if len(self._latest) > 10_000:
            self._latest.clear()
        self._latest[key] = self._wall(), changes, found
        return found

    async def _definition(self, tenant_id: int, digest: str, text: str = "") -> Definition:
        known = self._definitions.get(digest)
        if known is not None:
            return known
        found = await self._reader.run(lambda tx: self._texts.by_digest(tx, tenant_id, digest))
        if found is None and text:
            await self._writer.aside(lambda tx: self._texts.put(tx, tenant_id, text))
            found = await self._reader.run(lambda tx: self._texts.by_digest(tx, tenant_id, digest))
        assert found is not None, "a definition that runs go by is never taken away"
        self._remember(digest, found)
        return found

    def _remember(self, digest: str, definition: Definition) -> None:
        if len(self._definitions) >= 1_000:
            self._definitions.clear()
            self._inputs.clear()
        self._definitions[digest] = definition

    def _template(self, digest: str, definition: Definition | None, attempt: Attempt) -> Mapping[str, Any]:
        """The input of an attempt's task as its definition has it, completed by its policy; {} if it was data."""
        assert definition is not None
        inputs = self._inputs.get(digest)
        if inputs is None:
            if len(self._inputs) >= 1_000:
                self._inputs.clear()
            inputs = self._inputs[digest] = {task.ref: task.input_parameters for _, task in every(definition.tasks)}
        own = inputs.get(attempt.ref)
        if own is None:
            return {}
        more = attempt.policy.input_template if attempt.policy is not None else {}
        return {**more, **{name: value for name, value in own.items() if value is not None}} if more else own

    # How many go on

    def _full(self, tenant_id: int) -> bool:
        """Whether a company may have as many runs as may go on, or it is not known."""
        moment, count = self._going.get(tenant_id, (0.0, 0))
        return not 0 <= self._wall() - moment < COUNTED_SECONDS or count >= self._most_going

    async def _counted_full(self, tenant_id: int) -> bool:
        """Whether a company has as many runs as may go on, by a count of this moment."""
        async with self._counting:
            moment, count = self._going.get(tenant_id, (0.0, 0))
            age = self._wall() - moment
            # Who is refused may ask as often as it likes: that costs a count a second.
            if not 0 <= age < (COUNTED_SECONDS if count < self._most_going else 1.0):
                count = await self._reader.run(lambda tx: store.going(tx, tenant_id, self._most_going))
                if len(self._going) >= 10_000:
                    self._going.clear()
                self._going[tenant_id] = self._wall(), count
            return count >= self._most_going

    def _going_more(self, tenant_id: int, more: int) -> None:
        known = self._going.get(tenant_id)
        if known is not None:
            self._going[tenant_id] = known[0], max(0, known[1] + more)

    async def _registered(self, tenant_id: int) -> Mapping[str, Policy]:
        changes = self._writer.changes()
        known = self._policies.get(tenant_id)
        if known is None or known[1] != changes or self._wall() - known[0] >= FRESH_SECONDS:
            found = await self._reader.run(lambda tx: self._texts.policies(tx, tenant_id))
            known = self._policies[tenant_id] = (self._wall(), changes, found)
        return known[2]

    # Small things

    async def _give_up(self, live: _Live, error: Exception) -> None:
        """A run whose turn cannot be made: it fails, rather than being tried for ever."""
        try:
            await self._load(live)
            assert live.state is not None
            live.ops.clear()
            if live.state.run.over:
                return
            now = self._now()
            run = msgspec.structs.replace(
                live.state.run,
                status="FAILED",
                ended=now,
                changed=now,
                reason=f"Something went wrong here ({type(error).__name__}); the server's log says what.",
            )
            live.state.run = run
            await self._writer.submit(
                Keep(
                    tenant_id=live.tenant_id, after=run, turn=live.turn, owner=0, wake=0, now=now, changed=(),
                    poke=run.parent,
                )
            )  # fmt: skip
        except Exception:
            log.exception("run_not_given_up", run=str(live.id))
        finally:
            live.state = None

    def _now(self) -> int:
        return int(self._wall() * 1000)

    def _count(self, what: str, which: str) -> None:
        self.counts[what, which] = self.counts.get((what, which), 0) + 1


def _finishing(id: int, outcome: Outcome) -> Change[bool]:
    return lambda state, _definition, now: controls.finish(state, id, outcome, now)


def _beginning(id: int, started: int) -> Change[bool]:
    return lambda state, _definition, _now: controls.began(state, id, started)


def _outcome_of(child: Run) -> Outcome:
    """How a run ended, for the task that waits for it."""
    output = {**child.output, "subWorkflowId": str(child.id)} if isinstance(child.output, dict) else child.output
    if child.status == "COMPLETED":
        return Outcome(status="COMPLETED", output=output)
    reason = f"Workflow {child.name} ({child.id}) ended {child.status}" + (f": {child.reason}" if child.reason else ".")
    return Outcome(status="FAILED", output=output, reason=reason)
