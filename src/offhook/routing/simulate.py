"""A call that is not made: the same decisions, with a script instead of telephones. Pure; it changes nothing.

Nobody else calls meanwhile. What a call router's service or a workflow would say is asked of the script, never of them.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from offhook.routing import strategies
from offhook.routing.board import line_of
from offhook.routing.model import Company
from offhook.routing.plan import (
    Answered,
    Ask,
    AskScript,
    Bridge,
    CarrierCalled,
    Ended,
    Event,
    Gather,
    Handed,
    HandOn,
    HungUp,
    Incoming,
    Missed,
    NotAnswered,
    Outgoing,
    Park,
    Parked,
    ParkOver,
    Play,
    Pressed,
    Prompt,
    Recorded,
    Release,
    Reserve,
    Reserved,
    Ring,
    Told,
    Transfer,
    Transferred,
    Unparked,
    Verb,
    Voicemail,
)
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import Step, Trace, step

SPOKEN = 14
"""Characters that are spoken in a second."""

KEY_SECONDS = 2
"""How long a caller takes to press a key, once the prompt began."""

OUTSIDE_SECONDS = 60
"""How long a number outside is rung."""

MOST_STEPS = 2000
"""After so many the simulation stops: a call that may wait for hours is told of no longer."""

SPEECH_SECONDS, TALK_SECONDS = 10, 60
TRANSFER_SECONDS = 10
"""How long somebody talks before they send the call on."""


@dataclass(frozen=True, slots=True)
class Sends:
    """`by` ("user:1"), or whoever talks where it is "", sends the call on to what `to` dials, after so many seconds."""

    to: str
    by: str = ""
    after: int = TRANSFER_SECONDS


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one who is rung does: takes the call after `seconds`, or never, for the reason `missed`.

    `busy_seconds` is how long they are in another call from the beginning on, None: for good; 0: they are free.
    """

    seconds: int | None = None
    missed: Missed = "no_answer"
    busy_seconds: int | None = 0


NEVER = Behaviour()
ANSWERS = Behaviour(seconds=4)
"""What numbers outside do."""

NOT_ASKED = "it is not asked in a simulation"
NOT_RUN = "it is not run in a simulation, and no answer is left that it should have given"


@dataclass(frozen=True, slots=True)
class Script:
    """What everybody does. `people` by "user:1"; whoever is not in it does what `anyone` does.

    `keys` are pressed in turn, one entry each time that keys are asked for, or several where one is; "" presses
    none, and after the last none is pressed. In a queue the next entry is pressed only if it is the key that leaves it.
    `hang_up` is after how many seconds the caller gives up. The first talk is put on park after `park` seconds of it;
    `unpark` are who takes it off, in turn, each after how many seconds on park. `routers` say what call routers answer,
    `workflows` in turn what those answer that lines hand the call to. `rotations` by line
    ("office:1") and `idle_since` are what earlier calls have left behind, as in strategies.Facts.
    """

    keys: tuple[str, ...] = ()
    people: Mapping[str, Behaviour] = field(default_factory=dict)
    anyone: Behaviour = NEVER
    hang_up: int | None = None
    message_seconds: int = SPEECH_SECONDS
    talk_seconds: int = TALK_SECONDS
    park: int | None = None
    unpark: tuple[tuple[str, int], ...] = ()
    routers: Mapping[int, Told] = field(default_factory=dict)
    workflows: tuple[Told, ...] = ()
    transfers: tuple[Sends, ...] = ()
    """Made in turn, each once who makes it talks with the other side."""
    rotations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idle_since: Mapping[str, int] = field(default_factory=dict)

    def of(self, who: str) -> Behaviour:
        """What `who` does."""
        return self.people.get(who, self.anyone)


@dataclass(frozen=True, slots=True)
class Played:
    """A call that was played, its last state, and the keys of the script that nothing asked for.

    `workflows_left` counts its answers of workflows that nobody asked for; `workflows_lacking`: there were too few.
    `transfers_left` are those that nobody was there to make, `unparks_left` those who found no call on park.

    A call that is not over (`state.phase`) went on after MOST_STEPS steps.
    """

    trace: Trace
    state: CallState
    keys_left: tuple[str, ...]
    workflows_left: int = 0
    unparks_left: int = 0
    workflows_lacking: bool = False
    transfers_left: int = 0


def simulate(config: Company, first: Incoming | Outgoing, script: Script, seed: int = 1) -> tuple[Trace, CallState]:
    """The whole call from its `first` event, and its last state."""
    played = play(config, first, script, seed)
    return played.trace, played.state


def play(config: Company, first: Incoming | Outgoing, script: Script, seed: int = 1) -> Played:
    """The same, with what of the script was not needed."""
    world = _Play(config, script, first)
    state = new_call("simulated", seed)
    steps: list[Step] = []
    event: Event | None = first
    while event is not None and len(steps) < MOST_STEPS:
        state, taken = step(config, state, event)
        steps.append(taken)
        event = None if state.phase == "over" else world.next(taken)
    return Played(
        Trace(id="simulated", seed=seed, steps=tuple(steps)),
        state,
        tuple(world.keys),
        len(world.workflows),
        len(world.unparks),
        world.lacking,
        len(world.transfers),
    )


class _Play:
    """The world of one simulated call."""

    def __init__(self, config: Company, script: Script, first: Incoming | Outgoing) -> None:
        self.config = config
        self.script = script
        self.caller = first.who if isinstance(first, Outgoing) else ""
        self.began = began = first.at
        self.other = self.helping = ""
        self.transfers = deque(script.transfers)
        self.keys = deque(script.keys)
        self.workflows = deque(script.workflows)
        self.lacking = False
        self.parks = script.park
        self.unparks = deque(script.unpark)
        self.park_over = 0
        self.talking: set[str] = set()
        self.gives_up = None if script.hang_up is None else began + script.hang_up * 1000

    def next(self, taken: Step) -> Event:
        """What happens after a step."""
        for verb in taken.verbs:
            if isinstance(verb, Release):
                self.talking.difference_update(verb.members)
                self.talking.update({verb.kept} - {""})
        event = self._happens(taken)
        if self.gives_up is not None and event.at > self.gives_up:
            return HungUp(max(self.gives_up, taken.event.at))
        return event

    def _happens(self, taken: Step) -> Event:
        at = taken.event.at
        for verb in taken.verbs:
            if isinstance(verb, Play):
                at += _seconds(verb.prompt) * 1000
            elif (event := self._answer(verb, at)) is not None:
                return event
        if isinstance(taken.event, CarrierCalled):
            return self._call_outside(self.helping, at)
        if isinstance(taken.event, Answered | Transferred):
            # A number outside answered; or all go on as they were, as nobody may be sent there.
            return self._talk(at)
        if isinstance(taken.event, Unparked):
            return self._taken_off((self.park_over - at) // 1000, at)
        raise RuntimeError("a step asked for nothing that can be answered")

    def _answer(self, verb: Verb, at: int) -> Event | None:
        match verb:
            case Gather():
                return self._press(verb, at)
            case Reserve():
                return self._unless_left(verb.keys, at, self._reserved(verb, at))
            case Ring():
                return self._unless_left(verb.keys, at, self._ring(verb, at))
            case Ask():
                said = self.script.routers.get(verb.router_id)
                return msgspec.structs.replace(said, at=at) if said is not None else Told(at, fault=NOT_ASKED)
            case AskScript():
                self.lacking = self.lacking or not self.workflows
                told = self.workflows.popleft() if self.workflows else Told(at, fault=NOT_RUN)
                return msgspec.structs.replace(told, at=at)
            case Voicemail():
                spoken = min(self.script.message_seconds, verb.seconds)
                return Recorded(at + (_seconds(verb.greeting) + spoken) * 1000, spoken)
            case Bridge():
                self.other = verb.who
                return self._parked(at) or self._talk(at)
            case Park():
                return self._taken_off(verb.seconds, at)
            case HandOn():
                return Handed(at)
            case Transfer() if verb.emergency and not verb.trial:
                self.helping = verb.number
                return CarrierCalled(at)
            case Transfer():
                return self._call_outside(verb.number, at)
        return None

    def _press(self, verb: Gather, at: int) -> Pressed:
        keys = self.keys.popleft() if self.keys else ""
        if not keys:
            return Pressed(at + (_seconds(verb.prompt) + verb.seconds) * 1000)
        if verb.most == 1:
            # What is dialled on is taken by whatever asks next, as on a telephone.
            if len(keys) > 1:
                self.keys.appendleft(keys[1:])
            return Pressed(at + KEY_SECONDS * 1000, keys[0])
        return Pressed(at + KEY_SECONDS * 1000, keys.rstrip("#")[: verb.most])

    def _unless_left(self, keys: str, at: int, found: Event) -> Event:
        """What happens to who waits; or before that the key that leaves the queue."""
        pressed = at + KEY_SECONDS * 1000
        if keys and self.keys and self.keys[0] == keys and pressed < found.at:
            return Pressed(pressed, self.keys.popleft())
        return found

    def _reserved(self, verb: Reserve, at: int) -> Reserved:
        """Who is free now; or, if the caller waits for that, who is first."""
        until = at + verb.seconds * 1000
        moments = [at]
        if verb.wait_for == "the_time":
            moments = [until]
        elif verb.wait_for == "whoever_is_free":
            frees = sorted(free for who in verb.members if (free := self._free_from(who)) is not None)
            moments += [free for free in frees if at < free <= until]
            moments.append(until)
        for moment in moments:
            facts = strategies.Facts(
                in_call=frozenset(who for who in verb.members if self._in_call(who, moment)),
                idle_since=self.script.idle_since,
                rotation=self.script.rotations.get(line_of(verb.group), ()),
                roster=verb.roster,
            )
            _, found = strategies.choose(
                verb.strategy, verb.members, verb.tried, facts, verb.count,
                skills=verb.skills, seed=verb.seed, shuffle=verb.round,
            )  # fmt: skip
            if found.chosen:
                break
        return Reserved(moment, found.chosen, found.busy, found.rung, again=found.again)

    def _free_from(self, who: str) -> int | None:
        busy = self.script.of(who).busy_seconds
        return None if busy is None else self.began + busy * 1000

    def _in_call(self, who: str, moment: int) -> bool:
        if who in self.talking:
            return True
        free = self._free_from(who)
        return free is None or moment < free

    def _talk(self, at: int) -> Ended | Transferred:
        """They talk until the other side hangs up, or one of the company sends the other one on."""
        there = [who for who in (self.other, self.caller) if who]
        if self.transfers and there and self.transfers[0].by in ("", *there):
            sends = self.transfers.popleft()
            return Transferred(at + sends.after * 1000, sends.by or there[0], sends.to)
        return Ended(at + self.script.talk_seconds * 1000)

    def _parked(self, at: int) -> Parked | None:
        after, self.parks = self.parks, None
        return Parked(at + after * 1000) if after is not None and after < self.script.talk_seconds else None

    def _taken_off(self, seconds: int, at: int) -> Unparked | ParkOver:
        """Who takes a call off park that is on it for so many seconds more."""
        self.park_over = at + seconds * 1000
        if self.unparks and self.unparks[0][1] < seconds:
            who, after = self.unparks.popleft()
            return Unparked(at + after * 1000, who)
        return ParkOver(self.park_over)

    def _call_outside(self, number: str, at: int) -> Answered | NotAnswered:
        self.other = ""
        does = self.script.people.get(number, ANSWERS)
        if does.seconds is not None and does.seconds < OUTSIDE_SECONDS:
            return Answered(at + does.seconds * 1000, number)
        return NotAnswered(
            at + (OUTSIDE_SECONDS * 1000 if does.missed == "no_answer" else 1), _told({number: does.missed})
        )

    def _ring(self, verb: Ring, at: int) -> Answered | NotAnswered:
        taking = [
            (seconds, number, leg.who)
            for number, leg in enumerate(verb.legs)
            if (seconds := self.script.of(leg.who).seconds) is not None and seconds < verb.seconds
        ]
        if taking:
            seconds, _, who = min(taking)
            return Answered(at + seconds * 1000, who)
        why = {leg.who: self.script.of(leg.who).missed for leg in verb.legs}
        given_up = all(reason != "no_answer" for reason in why.values())
        return NotAnswered(at + (1 if given_up else verb.seconds) * 1000, _told(why))


def _told(why: dict[str, Missed]) -> dict[str, Missed]:
    """What telephones tell of those who missed a call: of who lets it ring, nothing."""
    return {who: missed for who, missed in why.items() if missed != "no_answer"}


def _seconds(prompt: Prompt) -> int:
    """How long a prompt takes, roughly: a recording's length is not known to decisions."""
    return max(1, -(-len(prompt.text) // SPOKEN))
