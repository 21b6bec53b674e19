"""Calls that nobody has dialled: a user's telephones are rung, and the number is dialled for whoever answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from offhook.calls.legs.placed import Placement, Unbegun
from offhook.calls.legs.wishes import UNREACHED
from offhook.calls.session import Calls
from offhook.kit import clock
from offhook.kit.errors import Conflict, Refusal
from offhook.routing.outbound import helps_anywhere
from offhook.routing.plan import Outgoing
from offhook.telephony import port
from offhook.telephony.causes import OURS, STOPPED
from offhook.telephony.house import ELSEWHERE, House, Way, missed
from offhook.telephony.port import CUT, DIED
from offhook.telephony.process import Worker
from offhook.telephony.room import Full, Room
from offhook.telephony.telephone import Telephone

RING_SECONDS = 45.0
"""How long a user is rung for a call of their own."""

BUSY = 503

log = structlog.get_logger("offhook.telephony")


class Noted(Protocol):
    """Where the calls that are placed here are kept until they begin: `calls/legs/placed.py`."""

    async def begun(self, call: Placement) -> None:
        """A user is about to be rung."""

    async def over(self, tenant_id: int, id: int, why: Unbegun | None) -> None:
        """They are rung no more: the call has begun, or `why` not."""


class Unnoted:
    """`Noted` where nothing is kept."""

    async def begun(self, call: Placement) -> None:
        """Nobody is told."""

    async def over(self, tenant_id: int, id: int, why: Unbegun | None) -> None:
        """Nor of that."""


@dataclass(slots=True)
class _Placed:
    """A call that was placed, and what is told of its legs; None wakes who waits for that."""

    tenant_id: int
    id: int
    who: str
    number: str
    news: "asyncio.Queue[port.Event | None]" = field(default_factory=asyncio.Queue)
    given_up: bool = False
    task: asyncio.Task[None] | None = None


class _GivenUp(Exception):
    """Nobody wants it any more."""


class Placing:
    """`Placing` of calls/legs/wishes.py, with the telephones of this process.

    `shown` tells the number and name that others see of one within a company.
    """

    def __init__(
        self,
        worker: Worker,
        house_of: Callable[[int], House],
        calls: Calls,
        shown: Callable[[int, str], Awaitable[tuple[str, str]]],
        room: Room,
        noted: Noted | None = None,
    ) -> None:
        self._worker, self._house_of, self._calls, self._shown, self._room = worker, house_of, calls, shown, room
        self._noted = noted or Unnoted()
        self._ringing: dict[int, _Placed] = {}

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        """Ring these devices of "user:1" and dial `number` once one is answered: the id of the call that will be.

        Conflict if none of them is registered now, or the company has as many calls as it may.
        """
        try:
            self._room.enter(tenant_id, helps=helps_anywhere(Outgoing(clock.milliseconds(clock.now()), who, number)))
        except Full as full:
            raise Conflict(full.message) from None
        ways_of = self._house_of(tenant_id).ways.of_device
        ways = [(way, device) for device in devices for way in await ways_of(tenant_id, device)]
        if not ways:
            raise Conflict(UNREACHED)
        id = self._calls.new_id()
        await self._noted.begun(Placement(tenant_id, id, who, devices, number, round(RING_SECONDS)))
        placed = self._ringing[id] = _Placed(tenant_id, id, who, number)
        placed.task = asyncio.ensure_future(self._until_it_begins(placed, ways))
        return id

    def rings(self, tenant_id: int, id: int) -> bool:
        """Whether a call has not begun yet."""
        placed = self._ringing.get(id)
        return placed is not None and placed.tenant_id == tenant_id

    def give_up(self, tenant_id: int, id: int) -> bool:
        """Let a call not begin, and ring nobody for it any more; False if it has begun, or was never there."""
        if not self.rings(tenant_id, id):
            return False
        placed = self._ringing[id]
        placed.given_up = True
        placed.news.put_nowait(None)
        return True

    async def close(self) -> None:
        """Ring nobody any more."""
        tasks = [placed.task for placed in self._ringing.values() if placed.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_it_begins(self, placed: "_Placed", ways: list[tuple[Way, str]]) -> None:
        why: Unbegun | None = Unbegun(fault=STOPPED)
        try:
            why = await self._ring(placed, ways)
        except Exception:
            log.exception("placed_call_failed", call_id=placed.id)
            why = Unbegun(fault=OURS)
        finally:
            del self._ringing[placed.id]
            await self._noted.over(placed.tenant_id, placed.id, why)

    async def _ring(self, placed: "_Placed", ways: list[tuple[Way, str]]) -> Unbegun | None:
        """None once the call has begun, or why it has not.

        What is told of a leg before its call has a telephone is told to that telephone then.
        """
        tenant_id, id, news, number = placed.tenant_id, placed.id, placed.news, placed.number
        legs: set[int] = set()
        telephones = self._house_of(tenant_id).legs
        for way, _ in ways:
            leg = telephones.new_leg(news.put_nowait)
            legs.add(leg)
            telephones.tell(port.Dial(leg=leg, caller=0, uri=way.uri, address=way.address, number=number))
        taken = 0
        ends: list[port.Down] = []
        try:
            async with asyncio.timeout(RING_SECONDS):
                while legs and not taken and not placed.given_up:
                    event = await news.get()
                    leg = getattr(event, "leg", 0)
                    if isinstance(event, port.Down):
                        legs.discard(leg)
                        ends.append(event)
                    elif isinstance(event, port.Up) and leg in legs:
                        taken = leg
        except TimeoutError:
            pass
        finally:
            for leg in legs:
                if leg != taken:
                    self._worker.let_go(leg)
                    self._worker.tell(port.Drop(leg, reason=ELSEWHERE if taken else ""))
        if taken:
            return await self._dial(placed, taken)
        if placed.given_up:
            return Unbegun(given_up=True)
        log.info("placed_call_not_taken", call_id=id, causes=[end.cause or str(end.code) for end in ends])
        if any(end.cause in (DIED, CUT) for end in ends):
            return Unbegun(fault=next(end.cause for end in ends if end.cause in (DIED, CUT)))
        # One that still rang when it was over had not refused.
        return Unbegun("no_answer" if legs else missed(ends[-1]))

    async def _dial(self, placed: "_Placed", leg: int) -> Unbegun | None:
        tenant_id, id, news = placed.tenant_id, placed.id, placed.news
        who, number = placed.who, placed.number
        try:
            house, shown = self._house_of(tenant_id), await self._shown(tenant_id, who)
            telephone = Telephone(house, tenant_id, leg, shown, answered=True, who=who, dialled=number)
            self._worker.hold(leg, telephone.heard)
            while not news.empty():
                event = news.get_nowait()
                if event is not None and getattr(event, "leg", 0) == leg:
                    telephone.heard(event)
            first = Outgoing(clock.milliseconds(clock.now()), who, number)
            if placed.given_up:
                raise _GivenUp
            # Others began while it rang.
            self._room.enter(tenant_id, helps=helps_anywhere(first))
            await self._calls.begin(tenant_id, first, telephone, id=id)
        except _GivenUp:
            why = Unbegun(given_up=True)
        except Refusal as refusal:
            log.warning("call_refused", cause=refusal.message)
            why = Unbegun(fault=refusal.message)
        except Exception:
            log.exception("call_not_begun")
            why = Unbegun(fault=OURS)
        else:
            return None
        self._worker.let_go(leg)
        self._worker.tell(port.Drop(leg, BUSY))
        return why
