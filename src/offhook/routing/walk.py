"""Every way of a caller through a company, found by asking `decide` with every key and nobody answering. Pure.

The walk is of rooms: a room is a call at one target, up to the steps that lead it to another one. What happens in a
room depends on which of the lines that it can reach are open, so each is walked once for each such state and shared by
all ways and all moments that lead there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from offhook.directory.lines.model import Target
from offhook.routing import strategies
from offhook.routing.decide import decide
from offhook.routing.model import Choice, Company, Line
from offhook.routing.plan import (
    Ask,
    AskScript,
    Bridge,
    Event,
    Gather,
    Hangup,
    Incoming,
    NotAnswered,
    Play,
    Pressed,
    Prompt,
    Reserve,
    Reserved,
    Ring,
    Told,
    Transfer,
    Verb,
    Voicemail,
)
from offhook.routing.state import CallState, Reason, new_call
from offhook.routing.turn import MAX_HOPS, office_of

KEYS = "0123456789*#"
MOST_LINES = 500
MOST_STEPS = 200
"""The most steps of one call that is followed; silence ends every call long before."""

_ARRIVES = frozenset({"open", "closed", "line_inactive", "router_off", "router_asked"})
"""Reasons that a line or a call router was reached."""
ROUTINE = frozenset({
    "open", "menu", "pressed", "operators", "rung", "not_answered", "ring_time_over", "voicemail", "no_key",
    "unknown_key", "menu_given_up", "menu_tried", "asked_name", "asked_extension", "asked_enough", "sent_on",
    "nobody_free", "operators_tried", "turns_again", "recording_announced", "extension_unknown",
})  # fmt: skip
"""Reasons of calls that go as they should."""
_STAYS = frozenset({"target_gone", "target_unknown", "not_callable", "contact_without_number", "international_off"})
"""Reasons that a target was not reached: the call is still where it was sent on from."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One reason of a step, with the place that it is about.

    `where` is what the call had reached then, `sender` what had sent it there, each with whether it was open and with
    the key of its menu that did it, "" for none.
    """

    code: str
    text: str
    where: Target
    open: bool
    key: str
    sender: Target | None
    sender_open: bool
    sender_key: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken in a room: `keys` so far pressed there, and what came of it."""

    keys: tuple[str, ...]
    service: bool
    """Whether it is the step that follows when a service does not answer."""
    after: CallState
    verbs: tuple[Verb, ...]
    happenings: tuple[Happening, ...]
    passed: tuple[tuple[Target, bool], ...]
    """What was reached in it, in order."""
    ends: frozenset[str]
    leads: "tuple[object, ...] | None"
    """The room that it leads to."""


@dataclass(slots=True)
class Room:
    """A call at `where`: its steps, the first of each way before those behind it."""

    where: Target
    open: bool
    steps: list[Step] = field(default_factory=list)
    menu: bool = False


def answers(state: CallState, verb: Verb) -> Event | None:
    """What comes back of a verb if the caller presses nothing, nobody answers and no service does; None ends it."""
    at = state.now
    match verb:
        case Gather():
            return Pressed(at + verb.seconds * 1000)
        case Reserve():
            if not verb.members or state.queued:
                return Reserved(at + verb.seconds * 1000)
            _, picked = strategies.choose(
                verb.strategy, verb.members, verb.tried, strategies.Facts(), verb.count,
                skills=verb.skills, seed=verb.seed, shuffle=verb.round,
            )  # fmt: skip
            return Reserved(at, members=picked.chosen, again=picked.again)
        case Ring():
            return NotAnswered(at + verb.seconds * 1000 * (len(verb.legs) if verb.mode == "serial" else 1))
        case Ask() | AskScript():
            return Told(at + verb.seconds * 1000, fault=f"no answer within {verb.seconds} s")
    return None


@dataclass(frozen=True, slots=True)
class Followed:
    """What a caller met: whom it rang at, the last prompt heard, and how the call was in the end."""

    state: CallState
    verbs: tuple[Verb, ...]

    @property
    def rang(self) -> list[str]:
        """Names of who was rung, each once."""
        return list(
            dict.fromkeys(
                leg.name
                for verb in self.verbs
                if isinstance(verb, Ring)
                for leg in verb.legs
                if leg.devices or leg.numbers
            )
        )

    @property
    def heard(self) -> Prompt | None:
        """The last prompt of all."""
        for verb in reversed(self.verbs):
            if isinstance(verb, Voicemail):
                return verb.greeting
            if isinstance(verb, Play | Gather):
                return verb.prompt
        return None

    @property
    def codes(self) -> frozenset[str]:
        """The reasons of all steps."""
        return frozenset(reason.code for reason in self.state.reasons)


def follow(config: Company, target: Target, at: int, keys: Sequence[str] = ()) -> Followed:
    """A call to `target` at `at` (milliseconds): `keys` are pressed at the prompts in turn, and nobody answers."""
    left = list(keys)
    state, verbs = decide(config, new_call("walk", 1), Incoming(at, target=target))
    all_verbs = list(verbs)
    for _ in range(MOST_STEPS):
        event = answers(state, verbs[-1]) if verbs else None
        if event is None:
            break
        if isinstance(event, Pressed) and left:
            event = Pressed(state.now + 1000, left.pop(0))
        state, verbs = decide(config, state, event)
        all_verbs.extend(verbs)
    return Followed(state, tuple(all_verbs))


def choices(line: Line) -> Iterator[tuple[bool, str, Choice]]:
    """All that a line's routing says: (whether of the open state, the key or "", the choice)."""
    for opened, routing in ((True, line.open), (False, line.closed)):
        yield opened, "", routing.choice
        for key, choice in routing.keys.items():
            yield opened, key, choice


def calls(config: Company, target: Target) -> list[Target]:
    """What a line or call router can send calls to, each once."""
    if (line := config.lines.get(target)) is not None:
        return list(dict.fromkeys(choice.target for _, _, choice in choices(line) if choice.target is not None))
    router = config.routers.get(target.id) if target.type == "callrouter" else None
    return [router.default] if router is not None and router.default is not None else []


def reach(config: Company, roots: Sequence[Target], most: int = MOST_LINES) -> tuple[list[Target], bool]:
    """The lines and call routers that calls to `roots` can reach, nearest first; whether there are more than `most`."""
    found = dict.fromkeys(roots)
    queue = list(found)
    for target in queue:
        for called in calls(config, target):
            sends = called in config.lines or (called.type == "callrouter" and called.id in config.routers)
            if sends and called not in found:
                if len(found) >= most:
                    return queue, True
                found[called] = None
                queue.append(called)
    return queue, False


class Walk:
    """Rooms, each walked when it is first asked for. `lines` are those whose hours count, in the order of the bits."""

    def __init__(self, config: Company, targets: Sequence[Target]) -> None:
        self.config = config
        self.lines = [target for target in targets if target in config.lines]
        self._bit = {target: 1 << index for index, target in enumerate(self.lines)}
        self._reach: dict[Target, int] = {}
        self._rooms: dict[tuple[object, ...], Room] = {}
        self._starts: dict[tuple[object, ...], tuple[CallState, tuple[Verb, ...]]] = {}
        self._ends: dict[tuple[object, ...], frozenset[str]] = {}
        self._mask = 0
        self.count = 0

    def enter(self, target: Target, at: int, mask: int) -> Step:
        """The first step of a call to `target` at `at`, when the lines of `mask` are open."""
        self._mask = mask
        return self._step(new_call("walk", 1), Incoming(at, target=target), ())

    def room(self, key: tuple[object, ...]) -> Room:
        """A room that a step leads to."""
        if (found := self._rooms.get(key)) is None:
            found = self._rooms[key] = self._walked(*self._starts[key])
        return found

    def ends(self, key: tuple[object, ...]) -> frozenset[str]:
        """How calls can end that are in a room, whatever is pressed there and further on."""
        if (known := self._ends.get(key)) is not None:
            return known
        seen, queue, found = {key}, [key], set[str]()
        for one in queue:
            for step in self.room(one).steps:
                found |= step.ends
                if step.leads is not None and step.leads not in seen:
                    seen.add(step.leads)
                    queue.append(step.leads)
        self._ends[key] = frozenset(found)
        return self._ends[key]

    def _walked(self, start: CallState, verbs: tuple[Verb, ...]) -> Room:
        room = Room(start.where, start.open)
        seen = set[tuple[object, ...]]()
        queue: list[tuple[CallState, tuple[Verb, ...], tuple[str, ...]]] = [(start, verbs, ())]
        for state, verbs, keys in queue:
            verb = verbs[-1] if verbs else None
            event = answers(state, verb) if verb is not None else None
            if verb is None or event is None:
                continue
            pressing = [event]
            if isinstance(verb, Gather) and verb.purpose == "menu":
                room.menu = True
                if state.tries == 0:
                    pressing = [Pressed(state.now + 1000, key) for key in self._keys(state)] + pressing
            for one in pressing:
                pressed = one.keys if isinstance(one, Pressed) else ""
                step = self._step(state, one, (*keys, pressed) if pressed else keys)
                room.steps.append(step)
                here = step.leads is None and step.after.phase not in ("over", "voicemail")
                if here and (place := _local(step.after)) not in seen:
                    seen.add(place)
                    queue.append((step.after, step.verbs, step.keys))
        return room

    def _keys(self, state: CallState) -> list[str]:
        """The keys that a menu tells apart: its own, and one for all that it does not have."""
        line = self.config.lines[state.where]
        own = [key for key in (line.open if state.open else line.closed).keys if len(key) == 1]
        return [*own, *[key for key in KEYS if key not in own][:1]]

    def _step(self, before: CallState, event: Event, keys: tuple[str, ...]) -> Step:
        before = replace(before, hops=0, steps=0, reasons=())
        after, verbs = self._decide(before, event)
        passed = self._passed(before, event, after)
        key = event.keys if isinstance(event, Pressed) and before.phase == "menu" else ""
        leads = None
        if after.hops and after.phase not in ("over", "voicemail"):
            leads = (after.where, after.open, after.phase, after.rang, office_of(self.config, after.home),
                     self._mask & self._reached(after.where))  # fmt: skip
            if leads not in self._starts:
                self._starts[leads] = (after, verbs)
        service = isinstance(event, Told)
        happenings = tuple(_happenings(before, after, passed, key))
        return Step(keys, service, after, verbs, happenings, passed, _ends(after, verbs), leads)

    def _decide(self, state: CallState, event: Event) -> tuple[CallState, tuple[Verb, ...]]:
        self.count += 1
        return decide(self.config, state, event)

    def _passed(self, before: CallState, event: Event, after: CallState) -> tuple[tuple[Target, bool], ...]:
        """What a step reached, one hop after the other: the step again, with only so many hops left to it."""
        hops = min(after.hops, MAX_HOPS)
        stays = any(reason.code in _STAYS for reason in after.reasons)
        found = []
        for number in range(1, hops):
            way, _ = self._decide(replace(before, hops=MAX_HOPS - number), event)
            found.append((way.where, way.open))
        if hops and not stays:
            found.append((after.where, after.open))
        return tuple(found)

    def _reached(self, target: Target) -> int:
        if (known := self._reach.get(target)) is None:
            known = 0
            for one in reach(self.config, [target])[0]:
                known |= self._bit.get(one, 0)
            self._reach[target] = known
        return known


def _local(state: CallState) -> tuple[object, ...]:
    return (
        state.where, state.open, state.phase, state.rang, state.tries, state.directory, state.matches, state.tried,
        state.round, bool(state.queued), state.until and state.until - state.now,
    )  # fmt: skip


def _ends(after: CallState, verbs: tuple[Verb, ...]) -> frozenset[str]:
    match verbs[-1] if verbs else None:
        case Ring() as ring if any(leg.devices or leg.numbers for leg in ring.legs):
            return frozenset({"person"})
        case Gather() as gather if gather.purpose != "menu":
            return frozenset({"person"})
        case Ask() | AskScript():
            return frozenset({"service"})
        case Voicemail():
            return frozenset({"voicemail"})
        case Transfer() | Bridge():
            return frozenset({"outside"})
        case Hangup():
            return frozenset({after.outcome})
    return frozenset()


def _happenings(
    before: CallState, after: CallState, passed: tuple[tuple[Target, bool], ...], key: str
) -> Iterator[Happening]:
    """Each reason with its place: reasons stand in the order in which things were reached."""
    nowhere = before.phase == "new"
    way: list[tuple[Target | None, bool]] = [(None if nowhere else before.where, before.open), *passed]
    position = 0
    for reason in after.reasons:
        position = _position(reason, position, len(way) - 1)
        if reason.code in ROUTINE:
            continue
        where, opened = way[position]
        sender, sender_open = way[position - 1] if position else (None, True)
        yield Happening(
            reason.code, reason.text, where or after.home, opened, "" if position else key, sender, sender_open,
            key if position == 1 else "",
        )  # fmt: skip


_AT_THE_LAST = frozenset({"person_inactive", "do_not_disturb", "number_barred", "no_telephone", "team_not_ready"})


def _position(reason: Reason, position: int, last: int) -> int:
    if reason.code in _ARRIVES:
        return min(position + 1, last)
    return last if reason.code in _AT_THE_LAST else position
