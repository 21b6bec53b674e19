"""A call on park: whoever has it leaves it there, and any user takes it off again. Pure.

It does not stay there for ever: after a time it comes back to whoever parked it, and then to a voicemail.
"""

from offhook.directory.lines.model import Target
from offhook.routing.endings import ignored
from offhook.routing.groups import connect
from offhook.routing.model import Person
from offhook.routing.people import PERSON_SECONDS, can_ring, reservation
from offhook.routing.plan import (
    Answered,
    Event,
    Leg,
    NotAnswered,
    Park,
    Parked,
    ParkOver,
    Release,
    Reserved,
    Ring,
    Unparked,
)
from offhook.routing.state import CallState
from offhook.routing.turn import MAX_STEPS, MISSED, Go, Mailbox, Turn, name_of_who

PARK_SECONDS = 300
"""How long a call stays on park before it comes back."""


def park(turn: Turn, event: Parked) -> Go:
    """Whoever talks with the caller puts the call on park, and is free at once."""
    state = turn.state
    by = state.talking
    if why := _refusal(state, event):
        turn.because("park_refused", why)
        return None
    turn.because("parked", f"{name_of_who(turn.config, by)} put the call on park, for up to {PARK_SECONDS} s.")
    line = turn.config.lines.get(state.via)
    if line is not None and line.record and state.announced:
        turn.because("recording_paused", "Nothing is recorded while the call is on park.")
    if by in turn.config.people:
        turn.verbs.append(Release((by,)))
    state.parked, state.parked_by, state.talking, state.recalled = turn.at, by, "", False
    state.sent_by = ""
    return _stay(turn)


def _refusal(state: CallState, event: Parked) -> str:
    if state.others or state.inviting or state.caller_left:
        return "More than two are in the call, or asked into it: it was not parked."
    if event.caller and state.who:
        return "Only who was called can put a call of the company's own people on park."
    return f"The call took {MAX_STEPS} keys and wishes: it was not parked." if state.steps > MAX_STEPS else ""


def goes_on(turn: Turn, event: Event) -> Go:
    """What happens to a call that is on park."""
    state = turn.state
    match state.phase, event:
        case "parked", Unparked():
            return _take(turn, event.who)
        case "parked", ParkOver():
            return _over(turn)
        case "reserving", Reserved():
            return _reserved(turn, event)
        case "ringing", Answered() if event.who in state.reserved:
            return _answered(turn, event.who)
        case "ringing", NotAnswered():
            return _not_answered(turn, event)
    return ignored(turn, event)


def _stay(turn: Turn, said: str = "") -> Go:
    left = PARK_SECONDS - (turn.at - turn.state.parked) // 1000
    if left <= 0:
        return _over(turn)
    if said:
        turn.because("still_parked", said)
    turn.wait("parked", Park(left, turn.music()))
    return None


def _take(turn: Turn, who: str) -> Go:
    person = turn.config.people.get(who)
    if person is None or person.state != "active" or not (person.devices or person.forwarding):
        name = name_of_who(turn.config, who)
        turn.because("unpark_refused", f"{name} has no telephone that could ring: the call stays on park.")
        return None
    turn.because("unparked", f"{person.name} takes the call off park.")
    return _reserve(turn, person)


def _over(turn: Turn) -> Go:
    """Nobody took it: it comes back to whoever parked it."""
    state = turn.state
    person = turn.config.people.get(state.parked_by)
    said = f"Nobody took the call off park within {PARK_SECONDS} s"
    if person is None or not can_ring(person):
        name = name_of_who(turn.config, state.parked_by)
        turn.because("park_over", f"{said}, and {name}, who parked it, cannot be rung.")
        return Mailbox(_box(turn))
    state.recalled = True
    turn.because("park_over", f"{said}: it comes back to {person.name}, who parked it.")
    return _reserve(turn, person)


def _reserve(turn: Turn, person: Person) -> Go:
    turn.wait("reserving", reservation(turn, person, "hold_music", turn.music()))
    return None


def _reserved(turn: Turn, event: Reserved) -> Go:
    if not event.members:
        busy = [f"{name_of_who(turn.config, who)} is in a call" for who in event.busy]
        rung = [f"{name_of_who(turn.config, who)} is being rung by another caller" for who in event.rung]
        why = event.fault.removesuffix(".") or "".join((*busy, *rung)[:1]) or "Nobody is free"
        turn.because("nobody_reserved" if event.fault else "nobody_free", f"{why}.")
        return _not_taken(turn)
    [who] = event.members[:1]
    person = turn.config.people.get(who)
    turn.state.reserved = event.members
    leg = Leg(who, person.name, person.devices, person.forwarding) if person is not None else Leg(who, who)
    turn.because("rung", f"Ringing {leg.name}, for {PERSON_SECONDS} s at most.")
    turn.wait("ringing", Ring("parallel", (leg,), PERSON_SECONDS, "hold_music", music=turn.music()))
    return None


def _answered(turn: Turn, who: str) -> Go:
    state = turn.state
    turn.because("answered", f"{name_of_who(turn.config, who)} answered.")
    turn.release(kept=who)
    state.parked, state.parked_by, state.recalled = 0, "", False
    connect(turn, turn.config.lines.get(state.via), who)
    return None


def _not_answered(turn: Turn, event: NotAnswered) -> Go:
    for who in turn.state.reserved:
        missed = MISSED[event.why.get(who, "no_answer")]
        turn.because("not_answered", f"{name_of_who(turn.config, who)} {missed}.")
    turn.release()
    return _not_taken(turn)


def _not_taken(turn: Turn) -> Go:
    """Who was rung did not take it: it stays on park, or ends in a voicemail where it had come back already."""
    if turn.state.recalled:
        return Mailbox(_box(turn))
    return _stay(turn, "The call stays on park.")


def _box(turn: Turn) -> Target | None:
    """The voicemail of whoever parked it, else the line's; None for that of the office."""
    person = turn.config.people.get(turn.state.parked_by)
    if person is not None and person.target.type == "user":
        return person.target
    line = turn.line()
    return line.target if line is not None else None
