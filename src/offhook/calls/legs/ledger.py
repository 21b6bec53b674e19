"""Keeps the legs of one call, step by step. Pure but for the ids that it is given to take."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from offhook.calls.legs.model import CallLeg, Seen
from offhook.directory.lines.model import Target
from offhook.routing.model import target_of_who
from offhook.routing.plan import (
    Answered,
    Bridge,
    CameIn,
    Ended,
    Event,
    Handed,
    HungUp,
    Incoming,
    Invite,
    Joined,
    Left,
    LetGo,
    NotAnswered,
    Outgoing,
    Parked,
    Pressed,
    Release,
    Ring,
    StayedOut,
    Transfer,
    Transferred,
    Voicemail,
)
from offhook.routing.state import CallState
from offhook.routing.trace import Step

MOST = 500
"""Legs of one call; who is rung beyond has none."""

OUTSIDE = Target("unknown", 0)
"""Whoever has a number that is not the company's."""


class Ledger:
    """The legs of a call that goes on. `changed` are those that are to be written again."""

    def __init__(self, tenant_id: int, call_id: int, new_id: Callable[[], int]) -> None:
        self._tenant_id, self._call_id, self._new_id = tenant_id, call_id, new_id
        self._legs: dict[int, CallLeg] = {}
        self._open: dict[str, int] = {}
        self._asked: dict[str, tuple[str, ...]] = {}
        """Who is rung to come into the call, by what was asked for."""
        self.changed: dict[int, CallLeg] = {}

    def after(self, taken: Step, state: CallState) -> None:
        """A step was taken, which brought the call to `state`."""
        event, at = taken.event, taken.event.at
        match event:
            case Incoming() | Outgoing():
                self._begin(event, state)
            case Transferred() | Joined() if not self._legs:
                self._begin_with(event.party, state)
            case Answered():
                self._answered(event.who, at)
            case NotAnswered():
                for who in list(self._open):
                    self._end(who, at, event.why.get(who, "no_answer"))
            case Pressed():
                # Who leaves a queue while somebody is rung for them.
                for who in (who for verb in taken.verbs if isinstance(verb, Release) for who in verb.members):
                    self._end(who, at, "no_answer")
            case Parked() if state.phase == "parked":
                self._close(at, "parked")
                self._entry(state="parked")
            case CameIn() if event.asked in self._asked:
                self._came_in(event, at)
            case StayedOut():
                self._stayed_out(event.asked, at, event.why)
            case Left() if event.who in self._open:
                self._end(event.who, at, "left")
            case _:
                pass
        for verb in taken.verbs:
            if isinstance(verb, LetGo):
                self._end(verb.who, at, "transferred")
        self._reached(state)
        if state.phase == "over":
            self._over(event, state)
            return
        for verb in taken.verbs:
            match verb:
                case Ring():
                    self._ring(verb, at)
                case Invite():
                    self._invite(verb, at)
                case Transfer() if not self._outgoing or isinstance(event, Transferred):
                    self._add(verb.number, OUTSIDE, at, external=verb.number)
                case Bridge() if isinstance(event, Joined):
                    self._add(verb.who, *_known(verb.who, at))
                    self._answered(verb.who, at)
                case Voicemail():
                    self._close(at, "no_answer")
                    self._entry(state="voicemail")
                case _:
                    pass

    def seen(self, seen: Seen) -> None:
        """A telephone of somebody who is rung rings, or took the call."""
        leg = self._legs.get(self._open.get(seen.who, 0))
        if leg is None:
            return
        if seen.what == "answered":
            self._put(replace(leg, device=seen.device))
        elif not leg.connected:
            self._put(replace(leg, rang=min(leg.rang or seen.at, seen.at) if leg.state == "ringing" else seen.at))

    def fail(self, state: CallState) -> None:
        """The call ends by a fault of ours."""
        if self._call_id in self._legs:
            self._over(HungUp(state.now), state)

    @property
    def _outgoing(self) -> bool:
        return self._legs[self._call_id].direction == "outbound"

    def _begin(self, event: Incoming | Outgoing, state: CallState) -> None:
        if isinstance(event, Incoming):
            first = CallLeg(
                id=self._call_id, tenant_id=self._tenant_id, call_id=self._call_id, target=state.home,
                direction="inbound", external=event.caller, internal=event.number, state="ringing", began=event.at,
                rang=event.at,
            )  # fmt: skip
        else:
            first = CallLeg(
                id=self._call_id, tenant_id=self._tenant_id, call_id=self._call_id, target=target_of_who(event.who),
                direction="outbound", external=event.dialled, began=event.at,
            )  # fmt: skip
        self._put(first)

    def _begin_with(self, party: str, state: CallState) -> None:
        """The call's caller is one who was called before, and is there already."""
        target, began, external = _known(party, state.began)
        within = target.type in ("user", "room")
        self._put(
            CallLeg(
                id=self._call_id, tenant_id=self._tenant_id, call_id=self._call_id,
                target=target if within else state.home, direction="outbound" if within else "inbound",
                external=state.dialled if within else state.caller or external, state="connected", began=began,
                connected=began,
            )
        )  # fmt: skip

    def _reached(self, state: CallState) -> None:
        first = self._legs[self._call_id]
        if first.direction == "inbound" and first.target != state.home:
            self._entry(target=state.home)
        if self._outgoing and state.dialled and first.external != state.dialled:
            self._entry(external=state.dialled)

    def _ring(self, verb: Ring, at: int) -> None:
        for index, one in enumerate(verb.legs):
            # One behind the other each has their turn; where one of them declines, the next comes sooner.
            turn = at + index * verb.seconds * 1000 if verb.mode == "serial" else at
            self._add(one.who, target_of_who(one.who), turn)
        if self._outgoing and self._legs[self._call_id].state != "parked":
            self._entry(state="calling")

    def _invite(self, verb: Invite, at: int) -> None:
        self._asked[verb.asked] = tuple([leg.who for leg in verb.legs if leg.who not in self._open])
        for leg in verb.legs:
            if leg.numbers and not leg.devices and ":" not in leg.who:
                self._add(leg.who, OUTSIDE, at, external=leg.who)
            else:
                self._add(leg.who, target_of_who(leg.who), at)

    def _came_in(self, event: CameIn, at: int) -> None:
        if (id := self._open.get(event.who)) is not None:
            self._put(replace(self._legs[id], state="connected", connected=at))
        self._stayed_out(event.asked, at, "elsewhere", but=event.who)

    def _stayed_out(self, asked: str, at: int, why: str, but: str = "") -> None:
        for who in self._asked.pop(asked, ()):
            if who != but and who in self._open:
                self._end(who, at, why)

    def of(self, who: str) -> int:
        """The leg of one who is rung or talks, or of the first of those who are rung for what was asked; 0 for none."""
        for one in (who, *self._asked.get(who, ())):
            if (id := self._open.get(one)) is not None:
                return id
        return 0

    def _add(self, who: str, target: Target, rang: int, external: str = "") -> None:
        if who in self._open or len(self._legs) >= MOST:
            return
        id, first = self._new_id(), self._legs[self._call_id]
        self._open[who] = id
        caller = first.external if first.direction == "inbound" else ""
        self._put(CallLeg(
            id=id, tenant_id=self._tenant_id, call_id=self._call_id, target=target,
            direction="outbound" if external else "inbound", external=external or caller, internal=first.internal,
            state="ringing", began=rang, rang=rang,
        ))  # fmt: skip

    def _answered(self, who: str, at: int) -> None:
        if (id := self._open.get(who)) is not None:
            leg = self._legs[id]
            self._put(replace(leg, state="connected", connected=at, rang=min(leg.rang, at), began=min(leg.began, at)))
        for other in [one for one in self._open if one != who]:
            self._end(other, at, "elsewhere")
        if not self._legs[self._call_id].connected:
            self._entry(state="connected", connected=at)
        else:
            self._entry(state="connected")

    def _over(self, event: Event, state: CallState) -> None:
        """Everything ends that has not."""
        at = state.now or event.at
        why = "left" if isinstance(event, Ended) else "transferred" if isinstance(event, Handed) else "ended"
        if isinstance(event, HungUp):
            why = "lost" if event.lost else "ended" if event.ours or event.cause else "caller_left"
        self._close(at, why)
        first = self._legs[self._call_id]
        if first.ended:
            return
        in_box = first.state == "voicemail" or state.outcome == "voicemail"
        ended = "voicemail" if in_box else "hangup" if first.connected or state.taken else "missed"
        ours = isinstance(event, HungUp) and event.ours
        self._entry(state=ended, ended=at, cause=why if ours else state.outcome or why)

    def _close(self, at: int, why: str) -> None:
        for who in list(self._open):
            self._end(who, at, why)

    def _end(self, who: str, at: int, why: str) -> None:
        if (id := self._open.pop(who, None)) is None:
            return
        leg = self._legs[id]
        if leg.connected:
            self._put(replace(leg, state="hangup", ended=at, cause=why))
        elif leg.rang > at:
            # Their turn never came.
            self._put(replace(leg, state="missed", began=at, rang=0, ended=at, cause="not_rung"))
        else:
            self._put(replace(leg, state="missed", ended=at, cause=why))

    def _entry(self, **changes: object) -> None:
        self._put(replace(self._legs[self._call_id], **changes))

    def _put(self, leg: CallLeg) -> None:
        if self._legs.get(leg.id) != leg:
            self._legs[leg.id] = self.changed[leg.id] = leg

    def written(self, legs: Iterable[CallLeg]) -> None:
        """These are in the store as they are here."""
        for leg in legs:
            if self.changed.get(leg.id) is leg:
                del self.changed[leg.id]


def _known(who: str, at: int) -> tuple[Target, int, str]:
    """Somebody who is in a call, as `_add` takes them: a number is nobody's."""
    return (target_of_who(who), at, "") if ":" in who else (OUTSIDE, at, who)
