"""Those who are in a call beside who called and who took it: rung while the others talk, and together with all then.

Who they are and when the call is over is decided in `routing/together.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol
from weakref import WeakMethod, ref

import structlog

from offhook.calls.legs.model import Seen
from offhook.calls.legs.wishes import OVER, Add, Granted
from offhook.kit.weakly import alive
from offhook.routing import plan
from offhook.routing.plan import Missed
from offhook.telephony import port
from offhook.telephony.house import House, Other
from offhook.telephony.parking import Decide, now, refused
from offhook.telephony.ringing import Ringing

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


class _Asked:
    """Who is asked in at once: their legs hold them, and the call with them, until it is known what became of each."""

    ringing: Ringing

    def __init__(self, together: "Together", of: Of) -> None:
        self._together, self._of = together, of

    def heard(self, event: port.Event) -> None:
        """Something happened on one of their legs."""
        self._together.heard(event, self.ringing, self._of)


class Together:
    """For one call; each invitation has a task of its own."""

    def __init__(self, house: House, of: Of, decide: Decide, leg_of: Callable[[str], int]) -> None:
        self._house, self._whole, self._decide, self._leg_of = house, ref(of), decide, leg_of
        self._in: dict[int, Other] = {}
        self._ringing: list[Ringing] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.caller_left = False

    @property
    def _of(self) -> Of:
        return alive(self._whole)

    @property
    def crowded(self) -> bool:
        """Whether more than two are in it, or are to be."""
        return self.more or bool(self._ringing)

    @property
    def more(self) -> bool:
        """Whether more than two are, or were, in it."""
        return bool(self._in) or self.caller_left

    @property
    def whos(self) -> tuple[str, ...]:
        """Who is in it beside who called and who took it."""
        return tuple([one.who for one in self._in.values()])

    async def add(self, wish: Add) -> Granted:
        """Ask somebody in; granted once it is decided who is rung."""
        ways, of = self._house.ways, self._of
        if wish.number and await ways.of_number(of.tenant_id, wish.number, emergency=False) is None:
            why = await ways.why_not(of.tenant_id, wish.number, emergency=False)
            return Granted(refused=f"No carrier takes this number: {why}.")
        step = await self._decide(plan.Invited(now(), wish.number, wish.target))
        if step is None:
            return OVER
        asked = next((verb.asked for verb in step.verbs if isinstance(verb, plan.Invite)), None)
        return refused(step) if asked is None else Granted(call_id=self._leg_of(asked))

    # Rung

    def begin(self, verb: plan.Invite) -> None:
        """Ring them, and return at once."""
        task = asyncio.create_task(self._invite(verb, self._of))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _invite(self, verb: plan.Invite, of: Of) -> None:
        """Ring them as all are rung, a number by one carrier behind the other, until one answers."""
        asked = _Asked(self, of)
        ringing = asked.ringing = Ringing(
            self._house, of.tenant_id, of.caller, of.shown, WeakMethod(asked.heard), verb.caller_id
        )
        self._ringing.append(ringing)
        winner, why = None, dict[str, Missed]()
        try:
            made = await ringing.dial_all(of.call_id, verb.legs, why)
            winner = await ringing.first(made, verb.seconds, why) if made else None
        except Exception:
            # It is told all the same: a call that waits for somebody to come in is neither parked nor sent on.
            log.exception("invitation_failed", call_id=of.call_id)
            why = {leg.who: "unreachable" for leg in verb.legs}
        finally:
            self._ringing.remove(ringing)
            if winner is not None:
                ringing.out.pop(winner.leg, None)
            ringing.drop(ringing.out.values(), reason="")
        if winner is not None:
            self._come_in(verb.asked, winner)
            return
        silent = any(leg.who not in why for leg in verb.legs)
        of.tell(plan.StayedOut(now(), verb.asked, NO_ANSWER if silent else next(reversed(why.values()))))

    def heard(self, event: port.Event, ringing: Ringing, of: Of) -> None:
        """Something happened on a leg that was asked in to `of`."""
        id = getattr(event, "leg", 0)
        leg = ringing.out.get(id) or self._in.get(id)
        if isinstance(event, port.Recorded):
            of.taped(event)
        elif leg is None:
            of.heard_of_other(event)
        else:
            self._follow(leg, event)
            if leg.down is not None and leg.leg in ringing.out:
                del ringing.out[leg.leg]
            if ringing in self._ringing:
                ringing.news.put_nowait(event)

    def _follow(self, leg: Other, event: port.Event) -> None:
        match event:
            case port.Progress():
                self._house.seen(self._of.call_id, Seen(at=now(), who=leg.who, device=leg.telephone, what="rang"))
            case port.Up():
                leg.up = True
                self._house.seen(self._of.call_id, Seen(at=now(), who=leg.who, device=leg.telephone, what="answered"))
            case port.Down():
                leg.down = event
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
        for ringing in self._ringing:
            ringing.drop(ringing.out.values(), reason="")
        for id in self._in:
            self._house.legs.tell(port.Drop(id))
        self._in.clear()
