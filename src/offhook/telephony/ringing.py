"""Those who are rung in one call: dialled, waited for, let go."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from offhook.routing import plan
from offhook.routing.plan import Missed
from offhook.telephony import pidf, port
from offhook.telephony.house import ELSEWHERE, House, Other, Way, missed


class Ringing:
    """Legs that were dialled for the leg `caller`. `shown` are number and name that others see of it.

    What happens on them is `heard`, by whom it is put into `news`. `out` are those that are there.
    """

    def __init__(
        self, house: House, tenant_id: int, caller: int, shown: tuple[str, str], heard: Callable[[port.Event], None]
    ) -> None:
        self._house, self._tenant_id, self._caller, self._shown = house, tenant_id, caller, shown
        self._heard = heard
        self.out: dict[int, Other] = {}
        self.news: asyncio.Queue[port.Event | asyncio.Future[None]] = asyncio.Queue()

    async def dial_all(self, call_id: int, legs: tuple[plan.Leg, ...], why: dict[str, Missed]) -> list[Other]:
        """Call all telephones and numbers of `legs`; who has none is noted in `why`."""
        made: list[Other] = []
        devices = [one for leg in legs for one in leg.devices]
        found = await asyncio.gather(*(self._house.ways.of_device(self._tenant_id, one) for one in devices))
        reached = dict(zip(devices, found, strict=True))
        for leg in legs:
            ways = [(way, one) for one in leg.devices for way in reached[one]]
            for number in leg.numbers:
                way = await self._house.ways.of_number(self._tenant_id, number, emergency=False)
                ways += [(way, number)] if way is not None else []
            if not ways:
                why[leg.who] = "unreachable"
            made += [self.dial(call_id, leg.who, way, device=device) for way, device in ways]
        return made

    def dial(self, call_id: int, who: str, way: Way, body: tuple[bytes, str] = (b"", ""), device: str = "") -> Other:
        """Call somebody where they are reached; `body` with its type goes along."""
        number, display = self._shown
        id = self._house.legs.new_leg(self._heard)
        made = self.out[id] = Other(id, who, device)
        self._house.joined(self._tenant_id, call_id, made, way)
        self._house.legs.tell(
            port.Dial(
                leg=id, caller=self._caller, uri=way.uri, address=way.address, display=way.display or display,
                number=number if way.number is None else way.number, trunk=way.trunk, body=body[0], body_type=body[1],
                headers=pidf.HEADERS if body[0] else (),
            )
        )  # fmt: skip
        return made

    async def first(self, legs: list[Other], seconds: float, why: dict[str, Missed]) -> Other | None:
        """Who answers first; the others are told that they need not. Why those did not who said so."""
        going = {leg.leg: leg for leg in legs}
        timer = asyncio.ensure_future(self._house.sleep(seconds))
        timer.add_done_callback(self._note_time)
        try:
            while going:
                news = await self.news.get()
                if news is timer:
                    return None
                leg = going.get(getattr(news, "leg", 0))
                if leg is None:
                    continue
                if leg.down is not None:
                    del going[leg.leg]
                    if not any(one.who == leg.who for one in going.values()):
                        why[leg.who] = missed(leg.down)
                elif leg.up:
                    del going[leg.leg]
                    self.drop(going.values(), reason=ELSEWHERE)
                    going = {}
                    return leg
            return None
        finally:
            await given_up(timer)
            self.drop(going.values(), reason="")

    def _note_time(self, timer: "asyncio.Future[None]") -> None:
        """The time is over, which is news like any other; that of who was waited for before is nobody's."""
        if not timer.cancelled():
            self.news.put_nowait(timer)

    def drop(self, legs: Iterable[Other], *, reason: str) -> None:
        """Let go those who are still there."""
        for leg in list(legs):
            if self.out.pop(leg.leg, None) is not None:
                self._house.legs.tell(port.Drop(leg.leg, reason=reason))


async def given_up(*tasks: "asyncio.Future[Any]") -> None:
    """End what nobody waits for any more, and let it tidy up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
