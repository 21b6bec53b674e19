"""Those who are rung in one call: dialled, waited for, let go."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from offhook.kit.weakly import alive
from offhook.routing import plan
from offhook.routing.plan import Missed
from offhook.telephony import pidf, port
from offhook.telephony.carrying import PATIENCE, PATIENCE_FOR_HELP, TRYING_FOR_HELP, Carried
from offhook.telephony.house import ELSEWHERE, House, Other, Way, missed
from offhook.telephony.waiting import given_up

Heard = Callable[[port.Event], None]

LONGEST_RINGING, LONGEST_FOR_HELP = 120.0, 3_600.0
"""Seconds that a number outside may ring; its network gives up before. Who calls for help gives up, and not we."""


class Ringing:
    """Legs that were dialled for the leg `caller`. `shown` are number and name that others see of it.

    What happens on them is told to what `heard` leads to, who puts it into `news`. `out` are those that are there.
    Numbers outside are shown `caller_id`, None for what others see.
    """

    def __init__(
        self,
        house: House,
        tenant_id: int,
        caller: int,
        shown: tuple[str, str],
        heard: Callable[[], Heard | None],
        caller_id: str | None = None,
    ) -> None:
        self._house, self._tenant_id, self._caller, self._shown = house, tenant_id, caller, shown
        self._heard, self._caller_id = heard, caller_id
        self.out: dict[int, Other] = {}
        self.news: asyncio.Queue[port.Event] = asyncio.Queue()
        self.faults: list[str] = []
        """Numbers that no carrier takes, each with why, since this was emptied."""

    async def dial_all(self, call_id: int, legs: tuple[plan.Leg, ...], why: dict[str, Missed]) -> list[Other]:
        """Call all telephones and numbers of `legs`; who has none is noted in `why`."""
        devices = [one for leg in legs for one in leg.devices]
        found = await asyncio.gather(*(self._house.ways.of_device(self._tenant_id, one) for one in devices))
        reached = dict(zip(devices, found, strict=True))
        made: list[Other] = []
        try:
            for leg in legs:
                before = len(made)
                made += [self.dial(call_id, leg.who, way, device=one) for one in leg.devices for way in reached[one]]
                for number in leg.numbers:
                    # One behind the other: a carrier that is full by the one before takes no more.
                    carried = self._carried(call_id, leg.who, number)
                    way = await carried.way_if_any()
                    made += [carried.call(way)] if way is not None else []
                    self.faults += [f"{number}: {carried.fault}"] if carried.fault else []
                if len(made) == before:
                    why[leg.who] = "unreachable"
        except BaseException:
            self.drop(made, reason="")
            raise
        return made

    def _carried(self, call_id: int, who: str, number: str) -> Carried:
        def call(way: Way) -> Other:
            shown = way if self._caller_id is None else replace(way, number=self._caller_id)
            return self.dial(call_id, who, shown, device=number)

        return Carried(self._house.ways, self._tenant_id, number, call, call_id=call_id)

    def dial(
        self,
        call_id: int,
        who: str,
        way: Way,
        body: tuple[bytes, str] = (b"", ""),
        device: str = "",
        *,
        helps: bool = False,
    ) -> Other:
        """Call somebody where they are reached; `body` with its type goes along. It may be a call that `helps`."""
        number, display = self._shown
        id = self._house.legs.new_leg(alive(self._heard))
        made = self.out[id] = Other(id, who, device)
        self._house.joined(self._tenant_id, call_id, made, way)
        patience = PATIENCE_FOR_HELP if helps else PATIENCE
        self._house.legs.tell(
            port.Dial(
                leg=id, caller=self._caller, uri=way.uri, address=way.address, display=way.display or display,
                number=number if way.number is None else way.number, trunk=way.trunk, body=body[0], body_type=body[1],
                headers=pidf.HEADERS if body[0] else (), patience=patience if way.trunk else 0.0, helps=helps,
                trying=TRYING_FOR_HELP if way.trunk and helps else 0.0,
            )
        )  # fmt: skip
        return made

    async def first(self, legs: list[Other], seconds: float, why: dict[str, Missed]) -> Other | None:
        """Who answers first; the others are told that they need not. Why those did not who said so.

        A number whose carrier fails, or is not heard of, is called by its next one.
        """
        timer = asyncio.ensure_future(self._house.sleep(seconds))
        race = _Race(self, legs, why)
        try:
            while race.goes_on:
                waited: set[asyncio.Future[Any]] = {race.news, timer, *race.looking}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if race.news.done():
                    if (leg := race.heard()) is not None:
                        self.drop(race.going.values(), reason=ELSEWHERE)
                        race.going.clear()
                        return leg
                elif timer.done():
                    return None
                race.go_on()
            return None
        finally:
            await given_up(timer, race.news, *race.looking)
            self.drop(race.going.values(), reason="")

    def drop(self, legs: Iterable[Other], *, reason: str) -> None:
        """Let go those who are still there."""
        for leg in list(legs):
            if self.out.pop(leg.leg, None) is not None:
                self._house.legs.tell(port.Drop(leg.leg, reason=reason))


class _Race:
    """Those who are `going`, and numbers for which the next carrier is looked for, each with the leg before."""

    def __init__(self, ringing: Ringing, legs: list[Other], why: dict[str, Missed]) -> None:
        self._ringing, self._why = ringing, why
        self.going = {leg.leg: leg for leg in legs}
        self.looking: dict[asyncio.Future[Way | None], tuple[Other, Carried, bool]] = {}
        """With whether the leg before was over when that began."""
        self._silent: set[int] = set()
        self.news = self._next()

    @property
    def goes_on(self) -> bool:
        """Whether anybody may still answer."""
        return bool(self.going or self.looking)

    def _next(self) -> "asyncio.Future[port.Event]":
        return asyncio.ensure_future(self._ringing.news.get())

    def heard(self) -> Other | None:
        """Take the news; who answered, if that is it."""
        event, self.news = self.news.result(), self._next()
        leg = self.going.get(getattr(event, "leg", 0))
        if leg is None:
            return None
        if leg.up:
            # Also who has left again by now: nobody else is called for that, least of all the same number.
            del self.going[leg.leg]
            leg.carried = None
            return leg
        if leg.down is not None:
            self._failed(leg, leg.down)
        elif isinstance(event, port.Unheard):
            self._silent.add(leg.leg)
            self._look(leg)
        else:
            self._silent.discard(leg.leg)
        return None

    def _failed(self, leg: Other, down: port.Down) -> None:
        del self.going[leg.leg]
        if leg.carried is not None and leg.carried.failed(down):
            self._look(leg)
        else:
            self._missed(leg)

    def _look(self, leg: Other) -> None:
        """Look for the next carrier, once."""
        if leg.carried is not None and not any(one is leg for one, _, _ in self.looking.values()):
            failed = leg.down is not None
            looking = leg.carried.way_if_any(failed=failed)
            self.looking[asyncio.ensure_future(looking)] = leg, leg.carried, failed

    def go_on(self) -> None:
        """Call by the carriers that were found. One that was silent is let go only where there is another."""
        for done in [one for one in self.looking if one.done()]:
            (before, carried, failed), way = self.looking.pop(done), done.result()
            if before.leg in self.going:
                if way is None or before.leg not in self._silent:
                    continue
                carried.silent()
                self._ringing.drop([self.going.pop(before.leg)], reason="")
            elif (way := carried.following(way)) is None:
                if failed:
                    self._missed(before)
                else:
                    # It was over meanwhile: then those may be called again that were let go.
                    self._look(before)
                continue
            following = carried.call(way)
            self.going[following.leg] = following

    def _missed(self, leg: Other) -> None:
        if leg.down is not None and not any(one.who == leg.who for one in self.going.values()):
            self._why[leg.who] = missed(leg.down, carrier=leg.carried is not None)
