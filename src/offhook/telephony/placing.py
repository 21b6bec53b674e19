"""Calls that nobody has dialled: a user's telephones are rung, and the number is dialled for whoever answers."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from offhook.calls.session import Calls
from offhook.kit import clock
from offhook.kit.errors import Conflict, Refusal
from offhook.routing.outbound import helps_anywhere
from offhook.routing.plan import Outgoing
from offhook.telephony import port
from offhook.telephony.process import Worker
from offhook.telephony.room import Full, Room
from offhook.telephony.telephone import ELSEWHERE, House, Telephone, Way

RING_SECONDS = 45.0
"""How long a user is rung for a call of their own."""

BUSY = 503

log = structlog.get_logger("offhook.telephony")


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
    ) -> None:
        self._worker, self._house_of, self._calls, self._shown, self._room = worker, house_of, calls, shown, room
        self._ringing: set[asyncio.Task[None]] = set()

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
            raise Conflict("No telephone of the user is registered, so there is nothing to ring.")
        id = self._calls.new_id()
        task = asyncio.ensure_future(self._ring(tenant_id, id, who, ways, number))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)
        return id

    async def close(self) -> None:
        """Ring nobody any more."""
        for task in self._ringing:
            task.cancel()
        await asyncio.gather(*self._ringing, return_exceptions=True)

    async def _ring(self, tenant_id: int, id: int, who: str, ways: list[tuple[Way, str]], number: str) -> None:
        """What is told of a leg before its call has a telephone is told to that telephone then."""
        news: asyncio.Queue[port.Event] = asyncio.Queue()
        legs: set[int] = set()
        telephones = self._house_of(tenant_id).legs
        for way, _ in ways:
            leg = telephones.new_leg(news.put_nowait)
            legs.add(leg)
            telephones.tell(port.Dial(leg=leg, caller=0, uri=way.uri, address=way.address, number=number))
        taken = 0
        try:
            async with asyncio.timeout(RING_SECONDS):
                while legs and not taken:
                    event = await news.get()
                    leg = getattr(event, "leg", 0)
                    if isinstance(event, port.Down):
                        legs.discard(leg)
                    elif isinstance(event, port.Up) and leg in legs:
                        taken = leg
        except TimeoutError:
            log.info("placed_call_not_answered", call_id=id)
        finally:
            for leg in legs:
                if leg != taken:
                    self._worker.let_go(leg)
                    self._worker.tell(port.Drop(leg, reason=ELSEWHERE if taken else ""))
        if taken:
            await self._dial(tenant_id, id, who, taken, number, news)

    async def _dial(
        self, tenant_id: int, id: int, who: str, leg: int, number: str, news: "asyncio.Queue[port.Event]"
    ) -> None:
        try:
            house, shown = self._house_of(tenant_id), await self._shown(tenant_id, who)
            telephone = Telephone(house, tenant_id, leg, shown, answered=True, who=who, dialled=number)
            self._worker.hold(leg, telephone.heard)
            while not news.empty():
                if getattr(event := news.get_nowait(), "leg", 0) == leg:
                    telephone.heard(event)
            first = Outgoing(clock.milliseconds(clock.now()), who, number)
            # Others began while it rang.
            self._room.enter(tenant_id, helps=helps_anywhere(first))
            await self._calls.begin(tenant_id, first, telephone, id=id)
        except Refusal as refusal:
            log.warning("call_refused", cause=refusal.message)
        except Exception:
            log.exception("call_not_begun")
        else:
            return
        self._worker.let_go(leg)
        self._worker.tell(port.Drop(leg, BUSY))
