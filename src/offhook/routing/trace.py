"""What happened to a call, step by step: the event, the reasons, what was done. Pure, and the same for real calls and
simulated ones.
"""

from collections.abc import Callable, Collection, Sequence

import msgspec

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Company
from offhook.routing.plan import (
    Answered,
    Bridge,
    Event,
    Gather,
    Hangup,
    HungUp,
    Incoming,
    Joined,
    NotAnswered,
    Notify,
    Outgoing,
    Park,
    Play,
    Prompt,
    Record,
    Reserve,
    Ring,
    Transfer,
    Transferred,
    Verb,
    Voicemail,
)
from offhook.routing.state import CallState, Reason, new_call

_MARK = 80


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One decision: what happened, why what follows follows, and what was then done. `config` is the version used."""

    event: Event
    reasons: tuple[Reason, ...]
    verbs: tuple[Verb, ...]
    config: int


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A call from its first event to its last, or to where it is now. Moments are milliseconds since 1970 UTC."""

    id: str
    seed: int
    steps: tuple[Step, ...]

    @property
    def began(self) -> int:
        return self.steps[0].event.at if self.steps else 0

    @property
    def ended(self) -> int:
        return self.steps[-1].event.at if self.steps else 0


def step(config: Company, state: CallState, event: Event) -> tuple[CallState, Step]:
    """A decision, and how it stands in the trace."""
    after, verbs = decide(config, state, event)
    return after, Step(event=event, reasons=after.reasons[len(state.reasons) :], verbs=verbs, config=config.version)


def replay(config: Company, trace: Trace) -> Trace:
    """The same events decided again: with the same config, the same trace."""
    state, steps = new_call(trace.id, trace.seed), []
    for past in trace.steps:
        state, again = step(config, state, past.event)
        steps.append(again)
    return Trace(id=trace.id, seed=trace.seed, steps=tuple(steps))


class Moment(msgspec.Struct, frozen=True):
    """A line of the story of a call: `seconds` since it began, what `kind` of line, and the words.

    Kinds: `came` for how it began, `why` a decision, `rang`, `heard` by the caller, `did` what was done.
    """

    seconds: float
    kind: str
    text: str


def story(trace: Trace, name_of: Callable[[str], str] = str, beeped: Collection[str] = frozenset()) -> list[Moment]:
    """The trace in words, in the order in which it happened; `name_of` tells who "user:1" is.

    `beeped` are prompts, as `mark_of` has them, in whose place the caller heard beeps.
    """
    told: list[Moment] = []
    for one in trace.steps:
        at = (one.event.at - trace.began) / 1000
        happened = _event(one.event, name_of)
        if happened:
            told.append(Moment(at, "came", happened))
        told += [Moment(at, "rang" if reason.code == "rung" else "why", reason.text) for reason in one.reasons]
        told += [moment for verb in one.verbs if (moment := _verb(at, verb, beeped)) is not None]
    return told


def _event(event: Event, name_of: Callable[[str], str]) -> str:
    match event:
        case Incoming():
            return f"A call from {event.caller or 'an unknown number'}" + (
                f" to {event.number}." if event.number else "."
            )
        case Outgoing():
            return f"{name_of(event.who)} dials {event.dialled[:32]}."
        case Transferred() | Joined() if event.party:
            return f"{name_of(event.party)} had been called by {name_of(event.by)}."
    return ""


def _verb(at: float, verb: Verb, beeped: Collection[str]) -> Moment | None:
    match verb:
        case Play() | Gather():
            return Moment(at, "heard", heard(verb.prompt, beeped))
        case Voicemail():
            return Moment(at, "heard", heard(verb.greeting, beeped))
        case Transfer():
            where = f" with the address {verb.location.address}" if verb.location is not None else ""
            return Moment(at, "did", f"{call_of(verb)} to {verb.number}{where}.")
        case Notify():
            told = "could not be called" if verb.fault else "was called"
            return Moment(at, "did", f"The event log tells that {verb.number} {told}.")
        case Bridge():
            return Moment(at, "did", "The two are connected.")
        case Record():
            return Moment(at, "did", "What follows is recorded.")
        case Park():
            return Moment(at, "heard", "Hold music")
        case Reserve() if verb.seconds and verb.wait_for == "whoever_is_free":
            return Moment(at, "heard", "Hold music")
        case Hangup():
            return Moment(at, "did", "The call ends.")
    return None


def call_of(verb: Transfer) -> str:
    """What a call to a number outside is called."""
    return "Test call of the emergency address" if verb.trial else "Emergency call" if verb.emergency else "Call"


def heard(prompt: Prompt, beeped: Collection[str] = frozenset()) -> str:
    """What a caller hears, in words: the text, or which recording; and that it was `beeped`, if it was."""
    if prompt.recording:
        said = f"The recording{f' for {prompt.purpose}' if prompt.purpose else ''} ({prompt.recording[:12]})"
    else:
        said = f'"{prompt.text}"'
    return f"Beeps, in place of {said[0].lower()}{said[1:]}" if mark_of(prompt) in beeped else said


def mark_of(prompt: Prompt) -> str:
    """A prompt in few letters, the same for the same one."""
    return prompt.recording or prompt.text[:_MARK]


def rung(trace: Trace) -> list[tuple[float, tuple[str, ...], int, str]]:
    """Who rang: seconds since the call began, who, for how many seconds at most, and what came of it.

    The last is "answered", the reason in words, or "" while it rings.
    """
    found: list[tuple[float, tuple[str, ...], int, str]] = []
    for number, one in enumerate(trace.steps):
        for verb in one.verbs:
            if isinstance(verb, Ring):
                came = _came_of(trace.steps[number + 1 :])
                at = (one.event.at - trace.began) / 1000
                found.append((at, tuple(leg.who for leg in verb.legs), verb.seconds, came))
    return found


def _came_of(following: Sequence[Step]) -> str:
    """What came of a Ring, by the steps behind it; what changes nothing may stand between."""
    for one in following:
        match one.event:
            case Answered() if one.verbs:
                return f"{one.event.who} answered"
            case NotAnswered():
                return "not answered"
            case HungUp():
                return "hung up on" if one.event.ours else "caller hung up"
            case _:
                pass
    return ""


def ends_at(state: CallState) -> Target:
    """Where a call is, or was at its end: who has it, whose box, or the line."""
    if state.talking:
        kind, _, id = state.talking.partition(":")
        return Target(kind, int(id) if id.isdecimal() else 0)
    return state.where
