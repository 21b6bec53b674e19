"""Those who are in a call beside who called and who took it: rung while the others talk, and together with all then.

Who they are and when the call is over is decided in `routing/together.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from offhook.calls.legs.model import Seen
from offhook.calls.legs.wishes import Add, Granted
from offhook.routing import plan
from offhook.routing.plan import Missed
from offhook.telephony import port
from offhook.telephony.house import ELSEWHERE, House, Other, Way, missed
from offhook.telephony.parking import OVER, Decide, decided, now, refused

NO_ANSWER: Missed = "no_answer"
log = structlog.get_logger("offhook.telephony")

DECLINED = 603
"""What who was asked in is answered who wishes to send the others on."""


class Of(Protocol):
    """The call that they are in. `caller` is the leg that called, `other` whoever it talks with."""

    @property
    def caller(self) -> int: ...
    @property
    def tenant_id(self) -> int: ...
    @property
    def shown(self) -> tuple[str, str]: ...
    @property
    def other(self) -> Other | None: ...
    @property
    def call_id(self) -> int: ...

    def tell(self, event: plan.Event) -> None:
        """Something happened to the call."""

    def heard_of_other(self, event: port.Event) -> None:
        """Something happened on a leg that is `other`'s."""

    def taped(self, made: port.Recorded) -> None:
        """A recording is whole."""

    def take_over(self, other: Other) -> None:
        """Have somebody as `other`, whose telephone is there."""

    def record_on(self, leg: int) -> None:
        """A leg is gone: if it was the one that was recorded, go on with another."""


class Together:
    """For one call; each invitation has a task of its own."""

    def __init__(self, house: House, of: Of, decide: Decide, leg_of: Callable[[str], int]) -> None:
        self._house, self._of, self._decide, self._leg_of = house, of, decide, leg_of
        self._in: dict[int, Other] = {}
        self._rung: dict[int, Other] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.caller_left = False

    @property
    def crowded(self) -> bool:
        """Whether more than two are in it, or are to be."""
        return self.more or bool(self._rung)

    @property
    def more(self) -> bool:
        """Whether more than two are, or were, in it."""
        return bool(self._in) or self.caller_left

    async def add(self, wish: Add) -> Granted:
        """Ask somebody in; granted once it is decided who is rung."""
        ways, of = self._house.ways, self._of
        if wish.number and await ways.of_number(of.tenant_id, wish.number, emergency=False) is None:
            return Granted(refused="No carrier takes this number.")
        step = await decided(self._decide, plan.Invited(now(), wish.number, wish.target))
        if step is None:
            return OVER
        asked = next((verb.asked for verb in step.verbs if isinstance(verb, plan.Invite)), None)
        return refused(step) if asked is None else Granted(call_id=self._leg_of(asked))

    # Rung

    def begin(self, verb: plan.Invite) -> None:
        """Ring them, and return at once."""
        task = asyncio.create_task(self._invite(verb))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _invite(self, verb: plan.Invite) -> None:
        news: asyncio.Queue[port.Event] = asyncio.Queue()
        going: dict[int, Other] = {}
        winner, why = None, NO_ANSWER
        timer = asyncio.ensure_future(self._house.sleep(verb.seconds))
        answers = None
        try:
            for leg in verb.legs:
                for way, device in await self._ways(leg):
                    made = self._dial(leg.who, way, device, verb.caller_id, news)
                    going[made.leg] = made
            answers = asyncio.ensure_future(self._answers(going, news))
            await asyncio.wait({answers, timer}, return_when=asyncio.FIRST_COMPLETED)
            if answers.done():
                winner, why = answers.result()
        except Exception:
            # It is told all the same: a call that waits for somebody to come in is neither parked nor sent on.
            log.exception("invitation_failed", call_id=self._of.call_id)
            why = "unreachable"
        finally:
            for task in (timer, answers):
                if task is not None:
                    task.cancel()
            for id in going:
                if self._rung.pop(id, None) is not None:
                    self._house.legs.tell(port.Drop(id, reason=ELSEWHERE if winner is not None else ""))
        if winner is None:
            self._of.tell(plan.StayedOut(now(), verb.asked, why))
        else:
            self._come_in(verb.asked, winner)

    async def _answers(self, going: dict[int, Other], news: "asyncio.Queue[port.Event]") -> tuple[Other | None, Missed]:
        """Who answers first; the last one's reason where nobody does."""
        why: Missed = "unreachable"
        while going:
            leg = going.get(getattr(await news.get(), "leg", 0))
            if leg is None:
                continue
            if leg.down is not None:
                del going[leg.leg]
                why = missed(leg.down)
            elif leg.up:
                del going[leg.leg]
                return leg, why
        return None, why

    async def _ways(self, leg: plan.Leg) -> list[tuple[Way, str]]:
        ways = self._house.ways
        found = [(way, one) for one in leg.devices for way in await ways.of_device(self._of.tenant_id, one)]
        for number in leg.numbers:
            way = await ways.of_number(self._of.tenant_id, number, emergency=False)
            found += [(way, "")] if way is not None else []
        return found

    def _dial(self, who: str, way: Way, device: str, caller_id: str, news: "asyncio.Queue[port.Event]") -> Other:
        number, display = self._of.shown
        id = self._house.legs.new_leg(lambda event: self._heard(event, news))
        made = self._rung[id] = Other(id, who, device)
        self._house.joined(self._of.tenant_id, self._of.call_id, made, way)
        self._house.legs.tell(
            port.Dial(
                leg=id, caller=self._of.caller, uri=way.uri, address=way.address,
                number=way.number or (caller_id if way.trunk else number), display=way.display or display,
                trunk=way.trunk,
            )
        )  # fmt: skip
        return made

    def _heard(self, event: port.Event, news: "asyncio.Queue[port.Event]") -> None:
        """Something happened on a leg that was asked in."""
        id = getattr(event, "leg", 0)
        leg = self._rung.get(id) or self._in.get(id)
        if isinstance(event, port.Recorded):
            self._of.taped(event)
        elif leg is None:
            self._of.heard_of_other(event)
        else:
            self._follow(leg, event)
            news.put_nowait(event)

    def _follow(self, leg: Other, event: port.Event) -> None:
        match event:
            case port.Progress():
                self._house.seen(self._of.call_id, Seen(at=now(), who=leg.who, device=leg.device, what="rang"))
            case port.Up():
                leg.up = True
                self._house.seen(self._of.call_id, Seen(at=now(), who=leg.who, device=leg.device, what="answered"))
            case port.Down():
                leg.down = event
                self._rung.pop(leg.leg, None)
                if self._in.pop(leg.leg, None) is not None:
                    self._gone(leg)
            case port.Referred():
                self._house.legs.tell(port.Refer(leg=leg.leg, code=DECLINED))
            case _:
                pass

    # In it

    def connect(self) -> None:
        """Let all who are in it hear each other."""
        legs = [] if self.caller_left else [self._of.caller]
        legs += [self._of.other.leg] if self._of.other is not None else []
        legs += self._in
        if len(legs) > 2:
            self._house.legs.tell(port.Join(legs[0], tuple(legs[1:])))
        elif len(legs) == 2:
            self._house.legs.tell(port.Connect(*legs))

    def _come_in(self, asked: str, one: Other) -> None:
        self._rung.pop(one.leg, None)
        if self._of.other is None or one.down is not None:
            self._house.legs.tell(port.Drop(one.leg))
            self._of.tell(plan.StayedOut(now(), asked, "no_answer"))
            return
        self._in[one.leg] = one
        self._of.tell(plan.CameIn(now(), asked, one.who))
        self.connect()

    def _gone(self, one: Other) -> None:
        """One who was asked in left again."""
        if self._of.other is not None and (self._in or not self.caller_left):
            self._of.tell(plan.Left(now(), one.who))
            self._of.record_on(one.leg)
        else:
            self._of.tell(plan.Ended(now()))

    def without_other(self) -> bool:
        """The other side left: whether the rest go on, with one of them as the other side."""
        other = self._of.other
        if other is None or not self._in or (self.caller_left and len(self._in) < 2):
            return False
        following = self._in.pop(next(iter(self._in)))
        self._of.take_over(following)
        self._of.tell(plan.Left(now(), other.who))
        self._of.record_on(other.leg)
        return True

    def without_caller(self) -> bool:
        """Who called left: whether the rest go on."""
        if self.caller_left or self._of.other is None or self._of.other.down is not None or not self._in:
            return False
        self.caller_left = True
        self._of.tell(plan.Left(now()))
        self._of.record_on(self._of.caller)
        return True

    def end(self) -> None:
        """The call is over for all of them."""
        for task in self._tasks:
            task.cancel()
        for id in (*self._rung, *self._in):
            self._house.legs.tell(port.Drop(id))
        self._rung.clear()
        self._in.clear()
