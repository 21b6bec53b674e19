"""Runs in memory. Changes of one wait together for its next turn, and no run has two turns at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from typing import Any, TypeVar

from offhook.events.model import Event
from offhook.workflows.definitions.model import Definition
from offhook.workflows.machine import controls
from offhook.workflows.machine.model import Answer, Outcome, State

T = TypeVar("T")

Change = Callable[[State, Definition, int], T]
"""Changes a state at a moment (milliseconds), and says what came of it; a Refusal if it may not be."""


class Op:
    """A change that waits for its turn. Without a future it is the engine's own, and is not given up.

    `reason` ends the run, `event` is written with the turn, `attempt` was carried out here.
    """

    __slots__ = ("attempt", "change", "event", "future", "reason")

    def __init__(
        self,
        change: Change[Any] | None = None,
        future: "asyncio.Future[Any] | None" = None,
        *,
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


def finishing(attempt: int, outcome: Outcome) -> Change[bool]:
    """That an attempt came to this outcome."""
    return lambda state, _definition, now: controls.finish(state, attempt, outcome, now)


class Live:
    """A run in memory. `turn`, `owner` and `wake` are as the store has them."""

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
        self.ops: list[Op] = []
        self.inflight: dict[int, asyncio.Task[None]] = {}
        self.told: set[int] = set()
        """Attempts that were carried out here, whose outcome is not on disk yet."""
        self.asking: dict[str, asyncio.Task[None]] = {}
        self.answers: dict[str, Answer] = {}

    @property
    def busy(self) -> bool:
        return bool(self.ops or self.inflight or self.asking or self.turning)


class Lives:
    """All runs in memory. `take_on` makes turns of one for as long as changes of it wait."""

    def __init__(self, take_on: Callable[[Live], Coroutine[Any, Any, None]]) -> None:
        self._take_on = take_on
        self._live: dict[tuple[int, int], Live] = {}
        self._watchers: dict[int, set[asyncio.Event]] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        """All that goes on here: turns, and what is carried out."""

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Live]:
        return iter(list(self._live.values()))

    def of(self, tenant_id: int, id: int) -> Live:
        """The run in memory; one that is not there yet is read by its next turn."""
        live = self._live.get((tenant_id, id))
        if live is None:
            live = self._live[tenant_id, id] = Live(tenant_id, id)
        return live

    def keep(self, live: Live) -> None:
        """Have it in memory, if it was let go of meanwhile."""
        self._live.setdefault((live.tenant_id, live.id), live)

    def let_go(self, live: Live) -> None:
        """Have it in memory no more, if nothing is done for it."""
        if not live.busy:
            self._live.pop((live.tenant_id, live.id), None)

    def clear(self) -> None:
        """Forget all of them as they are."""
        self._live.clear()

    # Changes

    def put(self, live: Live, op: Op) -> None:
        """Have it changed by a turn, the next if one is under way."""
        live.ops.append(op)
        if not live.turning:
            live.turning = True
            self.spawn(self._take_on(live))

    async def ask(
        self, live: Live, change: Change[T] | None = None, *, reason: str = "", event: Event | None = None
    ) -> T:
        """What a change gave, once its turn is on disk; what the change refuses, or why there was no turn."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.put(live, Op(change, future, reason=reason, event=event))
        return await future

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Have something go on beside, in none of the request's context: a caller's clock is not that of the run."""
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # Who looks on

    def watch(self, id: int) -> asyncio.Event:
        """An event that is set whenever the run was taken on here; `unwatch` it."""
        event = asyncio.Event()
        self._watchers.setdefault(id, set()).add(event)
        return event

    def unwatch(self, id: int, event: asyncio.Event) -> None:
        """Nobody watches any more."""
        watchers = self._watchers.get(id, set())
        watchers.discard(event)
        if not watchers:
            self._watchers.pop(id, None)

    def tell(self, id: int) -> None:
        """Say to who watches that the run was taken on."""
        for event in self._watchers.get(id, ()):
            event.set()
