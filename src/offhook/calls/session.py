"""Calls under way: what a telephone tells of a call goes to `decide`, what that asks for goes to the telephone, to the
reservations or to a company's web service, and every step is kept before it is carried out.

A call goes on when the store cannot be written: what happened is kept as soon as it can be, and an emergency call is
carried out before anything is written at all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

import msgspec
import structlog

from offhook.calls import store
from offhook.calls.model import Kept, Telephone
from offhook.events import store as outbox
from offhook.events.model import SYSTEM, Word
from offhook.events.model import Event as Happening
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.kit.ids import Ids
from offhook.kit.wire import encode
from offhook.routing.model import Company
from offhook.routing.plan import (
    Ask,
    AskScript,
    Event,
    HungUp,
    Incoming,
    Notify,
    Outgoing,
    Release,
    Reserve,
    Reserved,
    Told,
    Transfer,
    Verb,
)
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import Step, step
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction

LEASE_MS = 60_000
"""How long a call of a worker that died still counts as under way."""

RENEW_SECONDS = 20.0
_SWEPT_AT_ONCE = 200

log = structlog.get_logger("offhook.calls")

AskRouter = Callable[[int, int, Ask, CallState], Awaitable[Told]]
"""From (tenant id, call id, what to ask, the call) to what the web service said, or why it said nothing."""


class Holding(Protocol):
    """Who reserves operators: `routing/reservations.py`."""

    async def reserve(self, tenant_id: int, call_id: str, verb: Reserve, now: int) -> Reserved: ...
    async def release(self, tenant_id: int, call_id: str, verb: Release, now: int) -> None: ...
    async def finish(self, tenant_id: int, call_id: str, now: int) -> None: ...
    async def renew(self, tenant_id: int, call_ids: Iterable[str]) -> None: ...


CompanyOf = Callable[[int], Awaitable[Company]]
"""From a tenant id to the company as calls see it now."""


class EmergencyPlaced(msgspec.Struct, frozen=True, kw_only=True):
    """What the event of an emergency call says."""

    call_id: str
    office_id: str
    caller: str
    number: str


class Calls:
    """All calls of this process, and what is kept of all calls."""

    def __init__(
        self, writer: Writer, reader: Reader, ids: Ids, company: CompanyOf, holding: Holding, ask: AskRouter
    ) -> None:
        self.writer = writer
        self.reader = reader
        self.ids = ids
        self.company = company
        self.holding = holding
        self.ask = ask
        self._live: dict[int, _Call] = {}

    async def begin(self, tenant_id: int, first: Incoming | Outgoing, telephone: Telephone) -> int:
        """A call comes in or goes out: its id. Its first verbs are with the telephone when this returns."""
        id = self.ids.new()
        call = _Call(self, tenant_id, id, telephone, new_call(str(id), id))
        self._live[id] = call
        await call.start(first)
        return id

    def happened(self, id: int, event: Event) -> bool:
        """A telephone tells of a call; False if it is none of this process, or over."""
        call = self._live.get(id)
        if call is None:
            return False
        call.inbox.put_nowait(event)
        return True

    async def over(self, id: int) -> None:
        """Wait until a call of this process is over and kept."""
        call = self._live.get(id)
        if call is not None:
            await asyncio.shield(call.task)

    def forget(self, id: int) -> None:
        """A call is over."""
        self._live.pop(id, None)

    @property
    def live(self) -> int:
        """How many calls this process has."""
        return len(self._live)

    async def renew(self) -> None:
        """Say that the calls of this process last; to be done every RENEW_SECONDS."""
        alive = [(call.tenant_id, id) for id, call in self._live.items()]
        if not alive:
            return
        until = int(clock.wall() * 1000) + LEASE_MS
        await self.writer.run(lambda tx: store.renew(tx, alive, until))
        for tenant_id in {tenant_id for tenant_id, _ in alive}:
            await self.holding.renew(tenant_id, [str(id) for tenant, id in alive if tenant == tenant_id])

    async def keep(self) -> None:
        """Renew the calls of this process and end those of processes that died, for as long as it runs."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self.renew()
                while await self.sweep() == _SWEPT_AT_ONCE:
                    pass
            except Refusal as refusal:
                log.warning("calls_not_renewed", cause=refusal.message)

    async def sweep(self) -> int:
        """End the calls of workers that died, and give back whom they had; how many there were."""
        wall, at = int(clock.wall() * 1000), clock.milliseconds(clock.now())

        def end(tx: Transaction) -> list[Kept]:
            found = store.lost(tx, wall, _SWEPT_AT_ONCE)
            for one in found:
                ended = max(at, one.state.now)
                state = msgspec.structs.replace(one.state, phase="over", outcome="lost")
                store.keep(tx, msgspec.structs.replace(one, ended=ended, outcome="lost", state=state), (), 0)
            return found

        found = await self.writer.run(end)
        for one in found:
            log.warning("call_lost", call_id=one.id)
            await self.holding.finish(one.tenant_id, str(one.id), at)
        return len(found)

    async def close(self) -> None:
        """Hang up all calls of this process."""
        calls = list(self._live.values())
        for call in calls:
            call.inbox.put_nowait(HungUp(clock.milliseconds(clock.now())))
        await asyncio.gather(*(call.task for call in calls), return_exceptions=True)


class _Call:
    """One call: events come in one after the other, and each step is done before the next."""

    def __init__(self, calls: Calls, tenant_id: int, id: int, telephone: Telephone, state: CallState) -> None:
        self.calls = calls
        self.tenant_id = tenant_id
        self.id = id
        self.telephone = telephone
        self.state = state
        self.inbox: asyncio.Queue[Event] = asyncio.Queue()
        self.task: asyncio.Task[None]
        self._config: Company | None = None
        self._question: asyncio.Task[None] | None = None
        self._number = 0
        self._unkept: list[tuple[int, Step]] = []
        self._notices: list[Notify] = []

    async def start(self, first: Incoming | Outgoing) -> None:
        try:
            await self._step(first)
        finally:
            self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self.state.phase != "over":
                await self._step(await self.inbox.get())
        finally:
            self._stop_asking()
            at = self.state.now
            with suppress(Refusal):
                await self.calls.holding.finish(self.tenant_id, str(self.id), at)
            if self._unkept:
                await self._keep()
            self.calls.forget(self.id)

    async def _step(self, event: Event) -> None:
        try:
            self._config = await self.calls.company(self.tenant_id)
        except Refusal as refusal:
            if self._config is None:
                raise
            log.error("call_decided_by_an_older_config", call_id=self.id, cause=refusal.message)
        self.state, taken = step(self._config, self.state, event)
        self._unkept.append((self._number, taken))
        self._number += 1
        self._notices += [verb for verb in taken.verbs if isinstance(verb, Notify)]
        doing = tuple(
            verb for verb in taken.verbs if not isinstance(verb, Reserve | Release | Ask | AskScript | Notify)
        )
        if any(isinstance(verb, Transfer) and verb.emergency for verb in doing):
            self.telephone.do(self.id, doing)
            await self._keep()
        else:
            await self._keep()
            if doing:
                self.telephone.do(self.id, doing)
        if taken.verbs:
            self._stop_asking()
        for verb in taken.verbs:
            if isinstance(verb, Release):
                await self._release(verb)
            elif isinstance(verb, Reserve | Ask | AskScript):
                self._question = asyncio.create_task(self._find_out(verb))

    async def _keep(self) -> None:
        """Write the steps that are not yet written, and the events that they are."""
        state = self.state
        over = state.phase == "over"
        kept = Kept(
            id=self.id,
            tenant_id=self.tenant_id,
            began=state.began or state.now,
            ended=state.now if over else 0,
            outcome=state.outcome if over else "",
            caller=state.who or state.caller,
            dialled=state.dialled,
            state=state,
        )
        taken, notices = tuple(self._unkept), tuple(self._notices)
        until = 0 if over else int(clock.wall() * 1000) + LEASE_MS

        def write(tx: Transaction) -> None:
            store.keep(tx, kept, taken, until)
            if notices:
                outbox.append(tx, [self._happening(one) for one in notices])

        try:
            await self.calls.writer.run(write)
        except Refusal as refusal:
            log.error("call_step_not_kept", call_id=self.id, cause=refusal.message)
        else:
            del self._unkept[: len(taken)]
            del self._notices[: len(notices)]

    def _happening(self, notice: Notify) -> Happening:
        placed = EmergencyPlaced(
            call_id=str(self.id), office_id=str(notice.office_id), caller=notice.who, number=notice.number
        )
        return Happening(
            tenant_id=self.tenant_id,
            word=Word.EMERGENCY_CALL_PLACED,
            subject_id=str(self.id),
            actor=SYSTEM,
            at=self.state.now,
            after=encode(placed).decode(),
        )

    async def _release(self, verb: Release) -> None:
        try:
            await self.calls.holding.release(self.tenant_id, str(self.id), verb, self.state.now)
        except Refusal as refusal:
            # Their lease ends by itself.
            log.error("operators_not_released", call_id=self.id, cause=refusal.message)

    def _stop_asking(self) -> None:
        if self._question is not None:
            self._question.cancel()
            self._question = None

    async def _find_out(self, verb: Verb) -> None:
        """Answer what only the store or a web service knows, as an event."""
        at = self.state.now
        try:
            if isinstance(verb, Reserve):
                event: Event = await self.calls.holding.reserve(self.tenant_id, str(self.id), verb, at)
            elif isinstance(verb, Ask):
                event = await self.calls.ask(self.tenant_id, self.id, verb, self.state)
            else:
                event = Told(clock.milliseconds(clock.now()), fault="no workflow can be asked yet")
        except Refusal as refusal:
            event = _failed(verb, clock.milliseconds(clock.now()), refusal.message)
        self.inbox.put_nowait(event)


def _failed(verb: Verb, at: int, why: str) -> Event:
    return Reserved(at, fault=why) if isinstance(verb, Reserve) else Told(at, fault=why)
