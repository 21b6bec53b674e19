"""Turns of runs: changes are made, the run is taken as far as it goes, and that is committed before it is carried out.

Changes that meet are taken together. Where the store had another turn meanwhile, the state is read anew and the changes
are made again, so that nothing is lost and nothing is done twice. What one process carries out no other does: who
changes such a run leaves the rest to the one that has it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog

from offhook.events.model import Event
from offhook.kit.errors import Conflict, NotFound, Refusal, Unavailable, Unstorable
from offhook.kit.ids import Ids
from offhook.storage.batches import Writer
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import walk
from offhook.workflows.machine.model import STARTING, Found, Run, State, Turn
from offhook.workflows.machine.moment import Tools
from offhook.workflows.runs import store
from offhook.workflows.runs.carrying import Carrying
from offhook.workflows.runs.going import Bound
from offhook.workflows.runs.known import Known
from offhook.workflows.runs.lease import Lease
from offhook.workflows.runs.live import Live, Lives, Op, finishing
from offhook.workflows.runs.loading import ABANDONED, Loading, outcome_of
from offhook.workflows.runs.starting import Starting
from offhook.workflows.runs.store import Keep, Stale, Twice
from offhook.workflows.runs.timers import Timers

log = structlog.get_logger("offhook.workflows")

_Result = tuple[Op, Any, Refusal | None]


class Turns:
    """Takes runs in memory on. `env` are settings that workflows may read, `now` is in milliseconds."""

    def __init__(
        self,
        writer: Writer,
        ids: Ids,
        *,
        lives: Lives,
        lease: Lease,
        known: Known,
        loading: Loading,
        starting: Starting,
        carrying: Carrying,
        going: Bound[int],
        timers: Timers,
        counts: Counter[tuple[str, str]],
        env: Mapping[str, str],
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._writer, self._ids, self._env, self._now, self._sleep = writer, ids, env, now, sleep
        self._lives, self._lease, self._known, self._loading = lives, lease, known, loading
        self._starting, self._carrying, self._going, self._timers = starting, carrying, going, timers
        self._counts = counts

    async def take_on(self, live: Live) -> None:
        """Make turns for as long as changes wait. A change that came to nothing is told so; none is lost silently."""
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
                        log.warning("turn_put_off", run=str(live.id), tenant=str(live.tenant_id), cause=error.message)
                        await self._sleep(pause)
                        pause = min(pause * 2, 2.0)
                except Exception as error:
                    fresh, live.state = live.fresh, None
                    self._fail(live, ops, error)
                    if fresh and isinstance(error, Refusal):
                        # There is no run, and who asked for it is told why.
                        continue
                    log.exception("turn_failed", run=str(live.id), tenant=str(live.tenant_id))
                    if not fresh:
                        await self._give_up(live, error)
        finally:
            live.turning = False
            self._lives.let_go(live)

    @staticmethod
    def _fail(live: Live, ops: Iterable[Op], error: BaseException) -> None:
        for op in (*ops, *live.ops):
            op.failed(error)
        live.ops = []
        live.told.clear()

    async def _turn(self, live: Live, ops: list[Op]) -> None:
        state = live.state
        if state is None:
            state = await self._loading.load(live)
            # What is found of a run that was to be looked at is made with it: once this turn is on disk, nobody looks.
            ops += live.ops
            live.ops = []
        definition = live.definition
        assert definition is not None
        now, before = self._now(), state.run
        results, ending, events = _changed(state, definition, now, ops)
        if state.run.definition != before.definition:
            definition = live.definition = await self._known.definition(live.tenant_id, state.run.definition)
        policies = await self._known.policies(live.tenant_id)
        wanted = _starting(live, state)
        room = await self._starting.room(state, wanted) if wanted else None
        try:
            tools = Tools(ids=self._ids.new, policies=policies, env=self._env, answers=live.answers, room=room)
            if ending:
                turn = walk.terminate(definition, state, now, tools, ending)
            else:
                turn = walk.advance(definition, state, now, tools)
            await self._commit(live, turn, before, now, events)
        finally:
            if room is not None:
                self._starting.made(before, room)
        if state.rejoined:
            state.rejoined = False
            live.ops.append(Op())
            await self._loading.ask_children(live, state)
        live.told.difference_update(op.attempt for op in ops)
        for op, value, refused in results:
            if refused is None:
                op.done(value)
            else:
                op.failed(refused)
        self._carrying.carry_out(live, turn)

    async def _commit(self, live: Live, turn: Turn, before: Run, now: int, events: tuple[Event, ...]) -> None:
        run = turn.state.run
        carries_out = bool(turn.perform or turn.ask or live.inflight or live.asking) and not run.over
        owner = self._lease.owner if carries_out else 0
        # Who takes nothing on leaves it to one that does. A run that was over is told by none that it waits for again:
        # it is to be looked at until those were asked.
        wake = now if (carries_out and not owner) or turn.state.rejoined else turn.due
        unchanged = run is before and not turn.changed and not turn.dropped and not turn.start
        elsewhere = self._lease.elsewhere(live)
        if elsewhere:
            # Who has it looks at it at once, and does the rest.
            owner, wake = (0, 0) if run.over else (live.owner, now)
        if unchanged and not live.fresh and not events and (elsewhere or (owner, wake) == (live.owner, live.wake)):
            return
        children = [await self._starting.child(run, start, now) for start in turn.start]
        born = [one for one in children if one is not None]
        keep = Keep(
            tenant_id=live.tenant_id,
            after=run,
            turn=live.turn,
            owner=owner,
            wake=wake,
            now=now,
            changed=turn.changed,
            dropped=turn.dropped,
            born=tuple(store.new_row(one, 0, now) for one in born),
            poke=run.parent if run.over and not before.over else 0,
            doom=turn.abandon,
            fresh=live.fresh,
            whole=run.input is not before.input or run.definition != before.definition,
            events=events,
        )
        await self._writer.submit(keep)
        live.turn, live.owner, live.wake, live.fresh = live.turn + 1, owner, wake, False
        for one in born:
            self._starting.started(one)
            self._lives.put(self._lives.of(one.tenant_id, one.id), Op())
        for child in turn.abandon:
            self._put_anew(live.tenant_id, child, Op(reason=ABANDONED))
        if keep.poke:
            self._put_anew(live.tenant_id, run.parent, Op(finishing(run.parent_task, outcome_of(run))))
        self._tell(live, turn, before)

    def _put_anew(self, tenant_id: int, id: int, op: Op) -> None:
        """To a run whose row this turn has changed too: what is known of it here is not what stands there."""
        other = self._lives.of(tenant_id, id)
        if not other.turning:
            other.state = None
        self._lives.put(other, op)

    def _tell(self, live: Live, turn: Turn, before: Run) -> None:
        run = turn.state.run
        for alert in turn.alerts:
            log.warning("run_alert", run=str(live.id), workflow=run.name, cause=alert)
            self._counts["alert", ""] += 1
        for one in turn.changed:
            if not one.open:
                self._counts["attempt", one.status] += 1
        if run.over and not before.over:
            self._counts["run", run.status] += 1
            self._going.add(live.tenant_id, -1)
            if run.status in ("FAILED", "TIMED_OUT"):
                log.warning("run_failed", run=str(live.id), workflow=run.name, cause=run.reason)
        self._lives.tell(live.id)
        if live.wake and self._lease.owner and not self._lease.elsewhere(live):
            self._timers.add(live.wake, self._now(), live.tenant_id, live.id)

    async def _give_up(self, live: Live, error: Exception) -> None:
        """A run whose turn cannot be made: it fails, rather than being tried for ever."""
        pause = 0.1
        while True:
            try:
                await self._failed(live, error)
            except Stale:
                continue
            except Unavailable as refusal:
                log.warning("turn_put_off", run=str(live.id), tenant=str(live.tenant_id), cause=refusal.message)
                await self._sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            except Exception:
                log.exception("run_not_given_up", run=str(live.id))
            finally:
                live.state = None
            return

    async def _failed(self, live: Live, error: Exception) -> None:
        """End a run with all that is open of it, as FAILED, and say why."""
        state = await self._loading.load(live)
        live.ops = [op for op in live.ops if op.future is not None]
        if state.run.over:
            return
        now = self._now()
        why = f"Something went wrong here ({type(error).__name__}); the server's log says what."
        if isinstance(error, Unstorable):
            why = f"What its tasks came to cannot be kept. {error.message}"
        before = state.run
        run = msgspec.structs.replace(before, status="FAILED", ended=now, changed=now, reason=why)
        open_ = [state.tasks[key] for key in state.open]
        left = [
            msgspec.structs.replace(one, status="CANCELED", ended=now, reason="The run has ended.") for one in open_
        ]
        turn = Turn(
            state=State(run),
            changed=tuple(left),
            cancel=tuple(one.id for one in left),
            abandon=tuple(one.child for one in left if one.child),
        )
        await self._commit(live, turn, before, now, ())
        self._carrying.carry_out(live, turn)


def _starting(live: Live, state: State) -> int:
    """How many runs the next turn starts, at most: tasks that wait for nothing but that, as what they ask was said."""
    if not any(isinstance(answer.value, Found) for answer in live.answers.values()):
        return 0
    open_ones = (state.tasks[key] for key in state.open)
    return sum(
        one.status == "SCHEDULED" and one.type in STARTING and f"{one.id} 0" in live.answers for one in open_ones
    )


def _changed(
    state: State, definition: Definition, now: int, ops: Iterable[Op]
) -> tuple[list[_Result], str, tuple[Event, ...]]:
    """Make changes of a state: what each gave or refused, why the run is ended ("": it is not), and the events."""
    results: list[_Result] = []
    events: list[Event] = []
    ending = ""
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
    return results, ending, tuple(events)
