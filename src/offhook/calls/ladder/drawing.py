"""From what is kept of a call to its ladder: the steps of its trace, and what its telephones told. Pure.

Steps say what was decided and by whom a call was taken; telephones when each rang and how it ended. What is refused is
drawn as asked for and refused, by whoever refused it. An event or a verb that is not known here is an arrow with its
own word.
"""

from collections.abc import Callable, Iterator, Sequence

from offhook.calls import words
from offhook.calls.ladder import refusals
from offhook.calls.ladder.model import CALLER, HOUSE, Arrow, Ladder, Party
from offhook.calls.wires.model import WENT_ON, Wire, beeped
from offhook.routing import plan
from offhook.routing.model import who_of
from offhook.routing.trace import Step, Trace, heard

MOST = 400
"""Arrows of a ladder."""

_QUIET = (plan.Release, plan.Notify, plan.Deny)
"""Verbs of which no party notices anything, or that are told with the event that they answer."""

_OF_HOUSE = ("park_over", "invited", "handed", "reserved")
"""Events that no party of the call brings about."""

_NEAR_MS = 2_000
"""Within which a telephone's end and the event that came of it are the same."""

_OF_COURSE = ("", "left", "ended", "cancelled")
"""Causes that say no more than the arrow does."""

_SAID = ("busy", "declined")
"""Why somebody did not answer who said so; of others it was found out here."""

_TIMEOUT = 408
"""The status of an end that nobody sent: nothing came any more (RFC 3261 section 8.1.3.1)."""

NameOf = Callable[[str], str]


def ladder(trace: Trace, wires: Sequence[Wire], name_of: NameOf, *, lost: int = 0) -> Ladder:
    """The ladder of a call; `name_of` tells who "user:1" is. `lost` is when it was found to be so, or 0."""
    return _Drawing(trace, wires, name_of, lost).done()


class _Drawing:
    def __init__(self, trace: Trace, wires: Sequence[Wire], name_of: NameOf, lost: int) -> None:
        self._trace, self._wires, self._name_of, self._lost = trace, wires, name_of, lost
        self._wired = {wire.who for wire in wires if wire.who}
        self._beeped = beeped(wires)
        self._parties = {CALLER: Party(CALLER, "Caller", "caller"), HOUSE: Party(HOUSE, "Offhook", "house")}
        self._arrows: list[Arrow] = []
        self._with = self._fetches = ""

    def done(self) -> Ladder:
        """All of it, in the order of time."""
        left = False
        for index, step in enumerate(self._trace.steps):
            left = left or _leaves(step)
            following = self._trace.steps[index + 1] if index + 1 < len(self._trace.steps) else None
            self._event(step, self._trace.steps[index - 1] if index else None)
            for verb in step.verbs:
                if not (left and isinstance(verb, plan.Hangup)):
                    # Who has left is told nothing any more.
                    self._verb(step, verb, following.event if following is not None else None)
        for wire in self._wires:
            for arrow in self._wire(wire):
                self._arrows.append(arrow)
        if self._lost:
            self._add(self._lost, "lost", HOUSE, HOUSE, words.HAPPENED["lost"], tone="bad")
        # Who takes a call at once has rung before, and what is asked for comes before what is said to it.
        self._arrows.sort(key=lambda one: (one.at, one.kind not in ("rang", "referred")))
        cut = max(len(self._arrows) - MOST, 0)
        # The end of a long call says more than its middle.
        kept = [*self._arrows[: MOST // 2], *self._arrows[-(MOST // 2) :]] if cut else self._arrows
        return Ladder(self._trace.began, list(self._parties.values()), kept, cut)

    def _add(self, at: int, kind: str, start: str, end: str, text: str, **more: object) -> None:
        self._arrows.append(Arrow(at, kind, start, end, text, **more))  # type: ignore[arg-type]

    def _party(self, who: str, name: str = "") -> str:
        if who not in self._parties:
            outside = ":" not in who
            self._parties[who] = Party(who, name or self._name_of(who), "outside" if outside else "person")
        return who

    # Events

    def _event(self, step: Step, before: Step | None) -> None:
        event: object = step.event
        at = step.event.at
        if refused := refusals.of_wish(step):
            self._refused(step, refused, first=before is None)
            return
        match event:
            case plan.Incoming():
                caller = self._parties[CALLER]
                caller.name = event.caller or "Hidden number"
                number = event.number or (self._name_of(who_of(event.target)) if event.target else "")
                self._add(at, "incoming", CALLER, HOUSE, _said("incoming", number=number).rstrip())
            case plan.Outgoing():
                self._parties[CALLER] = Party(event.who, self._name_of(event.who), "caller")
                self._add(at, "outgoing", CALLER, HOUSE, _said("outgoing", number=event.dialled[:32]))
            case plan.Pressed():
                text = _said("pressed", keys=event.keys) if event.keys else "presses nothing"
                self._add(at, "pressed", CALLER, HOUSE, text)
            case plan.Answered() if refusals.changed_nothing(step):
                self._add(at, "answered", self._party(event.who), HOUSE, words.HAPPENED["answered"], tone="quiet")
            case plan.Answered():
                self._with = self._party(event.who)
                by = f" (by the trunk {event.carrier})" if event.carrier else ""
                self._add(at, "answered", event.who, HOUSE, words.HAPPENED["answered"] + by, tone="good")
                self._elsewhere(at, event.who, before)
            case plan.NotAnswered():
                self._not_answered(at, event, before)
            case plan.Told():
                text = f"no answer: {event.fault}" if event.fault else f"{words.plain(event.action) or 'nothing'}"
                self._add(at, "told", HOUSE, HOUSE, f"was told: {text}", tone="bad" if event.fault else "plain")
            case plan.Recorded():
                text = _said("recorded", seconds=event.seconds) if event.seconds else "says nothing"
                self._add(at, "recorded", CALLER, HOUSE, text)
            case plan.Ended():
                self._ended(at, event)
            case plan.HungUp():
                self._hung_up(at, event)
            case plan.CarrierCalled():
                text = _said("carrier_called", carrier=_carrier(event.carrier))
                self._add(at, "carrier_called", HOUSE, self._with or HOUSE, text, tone="quiet")
            case plan.CarrierFailed():
                word = "location_not_taken" if event.location else "carrier_failed"
                text = _said(word, carrier=_carrier(event.carrier))
                said = f" ({event.code})" if event.code else ""
                self._add(at, "carrier_failed", self._with or HOUSE, HOUSE, text + said, tone="bad")
            case plan.Reserved():
                if event.fault:
                    self._add(at, "reserved", HOUSE, HOUSE, f"nobody could be reserved: {event.fault}", tone="bad")
                elif self._fetches and (why := refusals.still_parked(step)):
                    self._add(at, "reserved", HOUSE, self._key(self._fetches), _said("not_rung", why=why), tone="bad")
            case plan.Taped():
                self._add(at, "taped", HOUSE, HOUSE, words.HAPPENED["taped" if event.on else "untaped"])
            case plan.Unparked():
                self._fetches = event.who
                self._other_event(at, event, first=False)
            case _:
                self._other_event(at, event, first=before is None)

    def _key(self, who: str) -> str:
        """The column of somebody: who called is the caller."""
        return self._party(who) if who and who != self._parties[CALLER].who else CALLER

    def _refused(self, step: Step, why: str, *, first: bool) -> None:
        """Somebody wished for something that is not done: they asked, and Offhook says no."""
        at, tag = step.event.at, _tag(step.event)
        doer = self._doer(step.event, first=first)
        who = "" if doer == CALLER else doer
        said = any(wire.who == who and any(_near(one, at) for one, _ in wire.referred) for wire in self._wires)
        if not said and not isinstance(step.event, plan.Reserved):
            # What a telephone asked for stands there by its own word.
            text = words.WISHED.get(tag) or words.HAPPENED.get(tag, words.plain(tag))
            self._add(at, tag, doer, HOUSE, words.of({tag: text}, tag, whom=self._whom(step.event)))
        self._add(at, "refused", HOUSE, doer, _said("refuses", why=why), tone="bad")

    def _other_event(self, at: int, event: object, *, first: bool) -> None:
        """One that is not known: of whoever it names as doing it, or else the caller."""
        start = self._doer(event, first=first)
        self._add(at, _tag(event), start, HOUSE, words.of(words.HAPPENED, _tag(event), whom=self._whom(event)))

    def _doer(self, event: object, *, first: bool) -> str:
        """Whose doing an event is: `by`, else `who`, or else the caller's; of those of no party, the house's."""
        party, doer = (str(getattr(event, name, "")) for name in ("party", "by"))
        if first and party:
            self._parties[CALLER] = Party(party, self._name_of(party), "caller")
        if _tag(event) in _OF_HOUSE or getattr(event, "ours", False):
            return HOUSE
        asked = getattr(event, "asked", "")
        doer = doer or str(getattr(event, "who", "")) or (asked if asked in self._parties else "")
        if getattr(event, "caller", True) is False:
            doer = self._with
        return self._key(doer)

    def _whom(self, event: object) -> str:
        """Whom an event is about beside who does it."""
        target = getattr(event, "target", None)
        who = getattr(event, "who", "") if getattr(event, "by", "") else getattr(event, "asked", "")
        found = [getattr(event, "dialled", ""), getattr(event, "number", ""), who if isinstance(who, str) else ""]
        found += [f"{target.type}:{target.id}"] if target is not None else []
        return next((self._name_of(one) for one in found if one), "")

    def _hung_up(self, at: int, event: plan.HungUp) -> None:
        """The caller left, or was cut off: by a fault, or by somebody at an API or a page."""
        wire = self._end_of("", at)
        from_here = wire is not None and _from_here(wire)
        why = event.cause or (wire.cause if wire is not None and wire.cause not in _OF_COURSE else "")
        if why and (event.cause or from_here):
            self._add(at, "hung_up", HOUSE, CALLER, _said("cut_off", why=why), tone="bad")
        elif event.ours or from_here:
            self._add(at, "hung_up", HOUSE, CALLER, words.HAPPENED["hung_up_on"])
        else:
            self._add(at, "hung_up", CALLER, HOUSE, words.HAPPENED["hung_up"] + (f" ({why})" if why else ""))

    def _ended(self, at: int, event: plan.Ended) -> None:
        """The other side left, or was cut off."""
        there, wire = self._with or HOUSE, self._end_of(self._with, at) if self._with else None
        why = wire.cause if wire is not None and wire.cause not in _OF_COURSE else ""
        if event.fault:
            self._add(at, "ended", HOUSE, there, event.fault, tone="bad")
        elif why and wire is not None and _from_here(wire):
            self._add(at, "ended", HOUSE, there, _said("cut_off", why=why), tone="bad")
        else:
            self._add(at, "ended", there, HOUSE, words.HAPPENED["ended"] + (f" ({why})" if why else ""))

    def _end_of(self, who: str, at: int) -> Wire | None:
        """The telephone of somebody ("" for who called) that was over about then; rather one that says why."""
        found = [wire for wire in self._wires if wire.who == who and wire.ended and _near(wire.ended, at)]
        return min(found, key=lambda wire: wire.cause in _OF_COURSE, default=None)

    def _elsewhere(self, at: int, who: str, before: Step | None) -> None:
        """Those who rang along ring no more; of telephones that told so themselves it is known better."""
        for ring in _rings(before):
            if ring.mode == "parallel":
                for leg in ring.legs:
                    if leg.who != who and leg.who not in self._wired:
                        self._add(at, "stopped", HOUSE, leg.who, words.CAUSES["elsewhere"], tone="quiet")

    def _not_answered(self, at: int, event: plan.NotAnswered, before: Step | None) -> None:
        rung = [leg.who for ring in _rings(before) for leg in ring.legs]
        for who in dict.fromkeys([*rung, *event.why]):
            if who not in self._wired:
                why = event.why.get(who, "no_answer")
                start, end = (self._party(who), HOUSE) if why in _SAID else (HOUSE, self._party(who))
                fault = event.fault if why == "unreachable" else ""
                text = words.of(words.CAUSES, why) + (f": {fault}" if fault else "")
                self._add(at, "not_answered", start, end, text, tone="bad" if fault else "quiet")

    # Verbs

    def _verb(self, step: Step, verb: object, following: plan.Event | None) -> None:
        at = step.event.at
        match verb:
            case plan.Answer():
                self._add(at, "answer", HOUSE, CALLER, words.HAPPENED["answer"], tone="good")
            case plan.Play() | plan.Gather():
                self._add(at, _tag(verb), HOUSE, CALLER, heard(verb.prompt, self._beeped), tone="quiet")
            case plan.Voicemail():
                self._add(at, "voicemail", HOUSE, CALLER, heard(verb.greeting, self._beeped), tone="quiet")
            case plan.Ring():
                self._ring(at, verb, following)
            case plan.Reserve():
                if verb.seconds and verb.wait_for == "whoever_is_free":
                    self._add(at, "reserve", HOUSE, CALLER, words.plain(verb.hear), tone="quiet")
            case plan.Bridge():
                self._add(at, "bridge", self._party(verb.who), CALLER, words.HAPPENED["bridge"], tone="good")
            case plan.Transfer():
                text = words.HAPPENED["trial" if verb.trial else "emergency" if verb.emergency else "transfer"]
                self._add(at, "transfer", HOUSE, self._party(verb.number), text)
                self._with = verb.number
            case plan.Record() | plan.Ask() | plan.AskScript():
                self._add(at, _tag(verb), HOUSE, HOUSE, words.HAPPENED[_tag(verb)])
            case plan.Hangup():
                wire = self._end_of("", at)
                if wire is not None and not _from_here(wire):
                    # Who leaves while a message is taken has gone before its step is told.
                    self._add(at, "hung_up", CALLER, HOUSE, words.HAPPENED["hung_up"])
                    return
                code = wire.code if wire is not None else 0
                odd = bool(code) or verb.cause != "normal"
                text = refusals.ending(verb, step, code)
                self._add(at, "hangup", HOUSE, CALLER, text, tone="bad" if odd else "plain")
            case plan.Park() if refusals.still_parked(step):
                self._add(at, "park", HOUSE, CALLER, words.HAPPENED["still_parked"], tone="quiet")
            case _ if isinstance(verb, _QUIET):
                pass
            case _:
                self._other_verb(at, verb)

    def _other_verb(self, at: int, verb: object) -> None:
        """One that is not known: to those whom it rings, or whom it names, or else the caller."""
        for leg in getattr(verb, "legs", ()):
            self._add(
                at, "ring", HOUSE, self._party(leg.who, leg.name), _said("ring", seconds=getattr(verb, "seconds", 0))
            )
        if not getattr(verb, "legs", ()):
            end = self._key(str(getattr(verb, "who", "")))
            self._add(at, _tag(verb), HOUSE, end, words.of(words.HAPPENED, _tag(verb)))

    def _ring(self, at: int, ring: plan.Ring, following: plan.Event | None) -> None:
        for index, leg in enumerate(ring.legs):
            turn = at + index * ring.seconds * 1000 if ring.mode == "serial" else at
            self._party(leg.who, leg.name)
            dialled = [wire.began for wire in self._wires if wire.who == leg.who and wire.began >= at]
            if ring.mode == "serial" and dialled:
                turn = min(dialled)
            if following is None or turn <= following.at or dialled:
                self._add(turn, "ring", HOUSE, leg.who, _said("ring", seconds=ring.seconds))

    # Telephones

    def _wire(self, wire: Wire) -> Iterator[Arrow]:
        """What one told that no step tells."""
        who = wire.who or CALLER
        if wire.who:
            self._party(who)
            if wire.rang:
                yield Arrow(wire.rang, "rang", who, HOUSE, words.HAPPENED["rang"], "quiet")
        for since, until in wire.held:
            yield Arrow(since, "hold", who, HOUSE, words.HAPPENED["hold"])
            if until and until != wire.ended:
                yield Arrow(until, "resume", who, HOUSE, words.HAPPENED["resume"])
        for at, target in wire.referred:
            yield Arrow(at, "referred", who, HOUSE, _said("referred", number=target))
            if not any(refusals.decides(one.event, at) for one in self._trace.steps):
                yield Arrow(at, "refused", HOUSE, who, words.HAPPENED["deny"], "bad")
        if wire.who and wire.ended and not wire.up:
            yield self._missed(wire)
        elif wire.ended and wire.cause not in _OF_COURSE and not self._told_end(wire):
            start, end = (HOUSE, who) if _from_here(wire) else (who, HOUSE)
            yield Arrow(wire.ended, "ended", start, end, wire.cause, "quiet" if wire.cause == WENT_ON else "bad")

    def _told_end(self, wire: Wire) -> bool:
        """Whether a step tells of the end of this telephone."""
        kinds = (plan.Ended,) if wire.who else (plan.HungUp,)
        near = [one for one in self._trace.steps if _near(one.event.at, wire.ended)]
        refused = not wire.who and any(isinstance(verb, plan.Hangup) for one in near for verb in one.verbs)
        return refused or any(isinstance(one.event, kinds) for one in near)

    def _missed(self, wire: Wire) -> Arrow:
        text = f"{wire.code or ''} {words.CAUSES.get(wire.cause, wire.cause)}".strip()
        if not _from_here(wire):
            return Arrow(wire.ended, "not_answered", wire.who, HOUSE, text, "bad")
        if wire.cause not in _OF_COURSE:
            return Arrow(wire.ended, "not_answered", HOUSE, wire.who, text, "bad")
        taken = any(
            isinstance(one.event, plan.Answered) and _near(one.event.at, wire.ended) for one in self._trace.steps
        )
        stopped = words.CAUSES["elsewhere"] if taken else words.HAPPENED["stopped"]
        return Arrow(wire.ended, "stopped", HOUSE, wire.who, stopped, "quiet")


def _near(one: int, other: int) -> bool:
    return abs(one - other) <= _NEAR_MS


def _from_here(wire: Wire) -> bool:
    """Whether Offhook ended a dialogue, whatever it says of why; its other side can only leave, or answer by a code."""
    return wire.ours or wire.code == _TIMEOUT or not (wire.code or wire.cause in ("", "left"))


def _carrier(name: str) -> str:
    return f"the trunk {name}" if name else "a carrier"


def _leaves(step: Step) -> bool:
    """Whether the caller is in the call no more: they hung up, or left the others."""
    event = step.event
    hung_up = isinstance(event, plan.HungUp) and not refusals.of_wish(step)
    return hung_up or (isinstance(event, plan.Left) and not event.who)


def _rings(step: Step | None) -> list[plan.Ring]:
    return [verb for verb in step.verbs if isinstance(verb, plan.Ring)] if step is not None else []


def _tag(one: object) -> str:
    """The word by which an event or a verb is written."""
    return str(type(one).__struct_config__.tag)  # type: ignore[attr-defined]


def _said(word: str, **values: object) -> str:
    return words.HAPPENED[word].format_map(values)
