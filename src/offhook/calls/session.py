"""All calls of a process: begun, told of what happens, renewed while they last, ended when their process died.

What becomes of each is `call.py`'s; here is who has them. Calls of a process that is not heard of any more are ended by
another one as `lost`, but never by one that could not reach the store itself: then the others could not renew either.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from offhook.calls import store
from offhook.calls.call import LEASE_MS, Call, Parts
from offhook.calls.callers import outside
from offhook.calls.legs.model import Seen
from offhook.calls.model import Telephone
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.ids import Ids
from offhook.routing.plan import (
    Answered,
    CameIn,
    CarrierCalled,
    CarrierFailed,
    Ended,
    Event,
    First,
    Handed,
    HungUp,
    Incoming,
    Invited,
    Joined,
    Left,
    NotAnswered,
    Outgoing,
    Parked,
    ParkOver,
    Pressed,
    Recorded,
    StayedOut,
    Taped,
    Transferred,
    Unparked,
)
from offhook.routing.trace import Step

RENEW_SECONDS = 20.0
"""How often calls are renewed: three times before their lease is over."""

CATCH_UP_SECONDS = 1.0
"""How soon is written what the store could not take."""

_SWEPT_AT_ONCE = 200
_LONGEST = 128
_FROM_TELEPHONES = (
    Pressed, Answered, NotAnswered, CarrierCalled, CarrierFailed, Recorded, Ended, HungUp, Transferred, Joined, Handed,
    Parked, Unparked, ParkOver, Invited, CameIn, StayedOut, Left, Taped,
)  # fmt: skip

log = structlog.get_logger("offhook.calls")


class Calls:
    """All calls of this process, and what is kept of all calls."""

    def __init__(
        self,
        parts: Parts,
        ids: Ids,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._parts = parts
        self._ids = ids
        self._sleep = sleep
        self._monotonic = monotonic
        self._live: dict[int, Call] = {}
        self._behind: dict[int, Call] = {}
        self._closing = False
        self.ended: Counter[str] = Counter()
        """How many calls ended how, for metrics."""

    def new_id(self) -> int:
        """The id of a call that is still to begin."""
        return self._ids.new()

    async def begin(self, tenant_id: int, first: First, telephone: Telephone, *, id: int | None = None) -> int:
        """A call comes in or goes out: its id, `id` where it has one. Its first verbs are with the telephone when this
        returns.

        Unavailable where the company is not known and the store cannot be asked, and while the process stops.
        """
        if self._closing:
            raise Unavailable("The server is stopping.")
        id = id or self._ids.new()
        call = Call(self._parts, tenant_id, id, telephone, self._ids.new)
        self._live[id] = call
        call.begin(_clean(first), self._rest)
        try:
            await asyncio.shield(call.begun)
        except asyncio.CancelledError:
            call.tell(HungUp(clock.milliseconds(clock.now())))
            raise
        return id

    def happened(self, id: int, event: Event) -> bool:
        """A telephone tells of a call; False if it is none of this process, or over, or not a telephone's to tell."""
        call = self._live.get(id)
        if call is None or not isinstance(event, _FROM_TELEPHONES):
            return False
        call.tell(event)
        return True

    async def decided(self, id: int, event: Event) -> Step | None:
        """A telephone tells of a call, and waits for what is decided; None if it is over, or none of this process."""
        call = self._live.get(id)
        return None if call is None else await call.decided(event)

    def withdraw(self, id: int, event: Event) -> bool:
        """Let something not have been told to a call; False if it was looked at by then."""
        call = self._live.get(id)
        return call is None or call.withdraw(event)

    def leg_of(self, id: int, who: str) -> int:
        """The leg of one who is rung for a call or in it; 0 if there is none."""
        call = self._live.get(id)
        return 0 if call is None else call.leg_of(who)

    def seen(self, id: int, seen: Seen) -> None:
        """A telephone of somebody whom a call rings tells of itself."""
        if (call := self._live.get(id)) is not None:
            call.seen(seen)

    def find(self, id: int) -> Call | None:
        """A call of this process that is under way."""
        return self._live.get(id)

    async def over(self, id: int) -> None:
        """Wait until a call of this process is over, and kept if the store takes it."""
        call = self._live.get(id)
        if call is not None:
            await asyncio.shield(call.task)

    def _rest(self, call: Call) -> None:
        """A call was kept, or could not be, or is over."""
        if call.over and self._live.pop(call.id, None) is not None and call.outcome:
            self.ended[call.outcome] += 1
        if call.behind:
            self._behind[call.id] = call
        else:
            self._behind.pop(call.id, None)

    def of_company(self, tenant_id: int) -> int:
        """How many calls of a company this process has."""
        return sum(call.tenant_id == tenant_id for call in self._live.values())

    @property
    def live(self) -> int:
        """How many calls this process has."""
        return len(self._live)

    def under_way(self, *, outgoing: bool) -> int:
        """How many of them were made by people of the company, or else came in."""
        return sum(call.outgoing == outgoing for call in self._live.values())

    @property
    def behind(self) -> int:
        """Of how many calls, those that are over too, something is not written yet."""
        return len(self._behind)

    async def catch_up(self) -> None:
        """Write what the store could not take before."""
        for call in list(self._behind.values()):
            try:
                await call.catch_up()
            except Exception:
                # What cannot be written of one keeps no other from being written, nor from being renewed.
                log.exception("call_not_kept", call_id=call.id)
                continue
            if call.behind:
                return

    async def renew(self) -> None:
        """Say that the calls of this process last; to be done every RENEW_SECONDS."""
        alive: dict[int, list[int]] = {}
        for id, call in self._live.items():
            alive.setdefault(call.tenant_id, []).append(id)
        if not alive:
            return
        until = int(self._parts.wall() * 1000) + LEASE_MS
        await self._parts.writer.aside(lambda tx: store.renew(tx, alive, until))
        for tenant_id, ids in alive.items():
            await self._parts.holding.renew(tenant_id, [str(id) for id in ids])

    async def keep(self) -> None:
        """Renew the calls of this process and end those of processes that died, for as long as it runs."""
        well, due = False, self._monotonic() + RENEW_SECONDS
        while True:
            await self._sleep(CATCH_UP_SECONDS)
            try:
                await self.catch_up()
                if self._monotonic() < due:
                    continue
                due = self._monotonic() + RENEW_SECONDS
                await self.renew()
                # Where the store was away, all others come first to renew what they have.
                while well and await self.sweep() == _SWEPT_AT_ONCE:
                    pass
                well = True
            except Refusal as refusal:
                well = False
                log.warning("calls_not_renewed", cause=refusal.message)
            except Exception:
                well = False
                log.exception("calls_not_renewed")

    async def sweep(self) -> int:
        """End the calls of workers that died, and give back whom they had; how many there were."""
        wall, at = int(self._parts.wall() * 1000), clock.milliseconds(clock.now())
        found = await self._parts.writer.aside(lambda tx: store.end_lost(tx, wall, at, _SWEPT_AT_ONCE))
        for tenant_id, id in found:
            log.warning("call_lost", call_id=id)
            try:
                await self._parts.holding.finish(tenant_id, str(id), at)
            except Refusal as refusal:
                # Their lease ends by itself.
                log.error("operators_not_released", call_id=id, cause=refusal.message)
        return len(found)

    async def close(self) -> None:
        """Hang up all calls of this process, and take no more."""
        self._closing = True
        calls = list(self._live.values())
        for call in calls:
            call.tell(HungUp(clock.milliseconds(clock.now()), cause="the server stopped"))
        await asyncio.gather(*(call.task for call in calls), return_exceptions=True)
        await self.catch_up()
        for call in self._behind.values():
            log.error("call_not_kept", call_id=call.id)


def _clean(first: First) -> First:
    """The event without what no telephone number has, and no store takes, and with no stranger as one of the company:
    signalling is what strangers write.
    """
    if isinstance(first, Incoming):
        return msgspec.structs.replace(first, caller=outside(_line(first.caller)), number=_line(first.number))
    if isinstance(first, Outgoing):
        return msgspec.structs.replace(first, dialled=_line(first.dialled))
    return first


def _line(text: str) -> str:
    return text if text.isalnum() and len(text) <= _LONGEST else "".join(filter(str.isprintable, text[:_LONGEST]))
