"""Operators are reserved: for one call each, in the step that chooses them, and for no longer than their call lives.

Callers wait in the order in which they came, whatever process they are in. Nobody asks the store over and over: who is
given back in this process is offered to its waiting callers in the same transaction, and once a second a process that
has any looks at what others have given back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar

import structlog

from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.routing.board import Board, Waiter, line_of
from offhook.routing.plan import Release, Reserve, Reserved
from offhook.routing.store import Need, Step
from offhook.storage.batches import Writer

T = TypeVar("T")
LOOK_SECONDS = 1.0
"""How long somebody whom another process gave back may stay unseen here."""

RENEW_SECONDS = 20
"""How often a worker renews the calls it has: three times before their reservations end."""

_SHORTEST = 0.01

log = structlog.get_logger("offhook.reservations")


class _Waiting:
    """A call of this process that waits, and its future answer."""

    __slots__ = ("answer", "at", "began", "call_id", "until", "verb")

    def __init__(self, call_id: str, verb: Reserve, at: int, began: float) -> None:
        self.call_id = call_id
        self.verb = verb
        self.at = at
        self.began = began
        self.until = began + verb.seconds
        self.answer: asyncio.Future[Reserved] = asyncio.get_running_loop().create_future()

    def now(self, monotonic: float) -> Waiter:
        at = self.at + int((monotonic - self.began) * 1000)
        return Waiter(self.call_id, self.verb, at, over=monotonic >= self.until)


class _Tenant:
    """The waiting calls of a tenant in this process. `stale`: something changed since they were last looked at."""

    __slots__ = ("looking", "stale", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[str, _Waiting] = {}
        self.looking: asyncio.Task[None] | None = None
        self.stale = False


class Reservations:
    """The one place where calls get hold of people. Moments are milliseconds of the clock that decisions go by.

    Each may raise Unavailable, when the store cannot take it; then it can be asked for again: doing any of it twice is
    as doing it once.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        wall: Callable[[], float] = clock.wall,
        monotonic: Callable[[], float] = clock.ticks,
        sleep: Callable[[float], Awaitable[None]] = clock.sleep,
    ) -> None:
        self._writer = writer
        self._wall = wall
        self._monotonic = monotonic
        self._sleep = sleep
        self._tenants: dict[int, _Tenant] = {}
        self._watch: asyncio.Task[None] | None = None

    async def reserve(self, tenant_id: int, call_id: str, verb: Reserve, now: int) -> Reserved:
        """Who is reserved for the call from now on; nobody if nobody can be, at the end of `verb.seconds` if it waits.

        Cancelling it, as when the caller hangs up, gives back whom it may have got, and its place.
        """
        began = self._monotonic()
        lines = (line_of(verb.group),) if verb.strategy == "roundrobin" else ()
        try:
            act = partial(Board.reserve, call_id=call_id, verb=verb, at=now)
            answer = await self._do(tenant_id, Need(verb.members, lines=lines), act)
            if answer is None:
                answer = await self._wait(tenant_id, _Waiting(call_id, verb, now, began))
        except asyncio.CancelledError:
            await self._give(tenant_id, Need(calls=(call_id,)), partial(Board.withdraw, call_id=call_id))
            raise
        return answer

    async def release(self, tenant_id: int, call_id: str, verb: Release, now: int) -> None:
        """Give back `verb.members`; `verb.kept` is in the call from now on. The call gives up its place in a queue."""
        members = (*verb.members, verb.kept) if verb.kept else verb.members
        act = partial(Board.release, call_id=call_id, members=verb.members, kept=verb.kept, at=now)
        await self._give(tenant_id, Need(members), act)

    async def finish(self, tenant_id: int, call_id: str, now: int) -> None:
        """The call is over: give back all that it has; who was in it is idle from now on."""
        await self._give(tenant_id, Need(calls=(call_id,)), partial(Board.finish, call_id=call_id, at=now))

    async def renew(self, tenant_id: int, call_ids: Iterable[str]) -> None:
        """These calls are alive. To be said every RENEW_SECONDS by the worker that has them."""
        calls = frozenset(call_ids)
        await self._do(tenant_id, Need(calls=calls), partial(Board.renew, call_ids=calls))

    async def close(self) -> None:
        """Refuse whoever still waits, and look no more."""
        tenants, self._tenants = self._tenants, {}
        tasks = [tenant.looking for tenant in tenants.values() if tenant.looking is not None]
        if self._watch is not None:
            self._watch.cancel()
            tasks.append(self._watch)
        await asyncio.gather(*tasks, return_exceptions=True)
        for tenant in tenants.values():
            for one in tenant.waiting.values():
                if not one.answer.done():
                    one.answer.set_exception(Unavailable("The server is stopping."))

    def _do(self, tenant_id: int, need: Need, act: Callable[[Board], T]) -> Awaitable[T]:
        return self._writer.submit(Step(tenant_id, need, act, self._wall))

    async def _give(self, tenant_id: int, need: Need, act: Callable[[Board], None]) -> None:
        """Do what may make somebody free, and offer them to those who wait here, in one transaction if it can be."""
        self._look(tenant_id)
        await self._do(tenant_id, need, act)

    async def _wait(self, tenant_id: int, one: _Waiting) -> Reserved:
        tenant = self._tenants.setdefault(tenant_id, _Tenant())
        tenant.waiting[one.call_id] = one
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watching())
        # Somebody may have been given back since the store was asked.
        self._look(tenant_id)
        try:
            return await one.answer
        finally:
            if tenant.waiting.get(one.call_id) is one:
                del tenant.waiting[one.call_id]
            if not tenant.waiting and self._tenants.get(tenant_id) is tenant:
                del self._tenants[tenant_id]

    async def _watching(self) -> None:
        """While anybody waits: look once a second, and when a wait is over."""
        while waiting := [one for tenant in self._tenants.values() for one in tenant.waiting.values()]:
            left = min(one.until for one in waiting) - self._monotonic()
            await self._sleep(min(LOOK_SECONDS, max(left, _SHORTEST)))
            for tenant_id in list(self._tenants):
                self._look(tenant_id)

    def _look(self, tenant_id: int) -> None:
        """Serve who waits here. What is submitted before the loop's next pass is seen by it, as is what was before."""
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            return
        if tenant.looking is not None:
            tenant.stale = True
        else:
            tenant.looking = asyncio.create_task(self._serve(tenant_id, tenant))

    async def _serve(self, tenant_id: int, tenant: _Tenant) -> None:
        try:
            while tenant.waiting:
                tenant.stale = False
                await self._serve_once(tenant_id, tenant)
                if not tenant.stale:
                    return
        finally:
            tenant.looking = None

    async def _serve_once(self, tenant_id: int, tenant: _Tenant) -> None:
        monotonic = self._monotonic()
        asking = [one for one in tenant.waiting.values() if not one.answer.done()]
        waiters = [one.now(monotonic) for one in asking]
        # Asked for here, not only by their places: those may be gone, when this process was not heard of for long.
        need = Need(
            {who for one in asking for who in one.verb.members}, lines={line_of(one.verb.group) for one in asking}
        )
        try:
            answers = await self._do(tenant_id, need, partial(Board.serve, waiters=waiters))
        except Unavailable as error:
            # They wait on; the store is asked again in a second.
            log.warning("reservations_not_served", tenant_id=tenant_id, waiting=len(asking), error=str(error))
            return
        except Exception as error:
            for one in asking:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        for one in asking:
            if one.call_id in answers and not one.answer.done():
                one.answer.set_result(answers[one.call_id])
