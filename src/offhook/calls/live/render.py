"""Calls under way in words: where each is, who is in it, since when. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from offhook.calls import words
from offhook.calls.legs.model import CallLeg
from offhook.calls.live.wire import LiveCallOut, LiveOut, WithOut
from offhook.calls.model import Kept
from offhook.directory.lines.model import Target
from offhook.routing.model import Company, target_of_who
from offhook.routing.report import place
from offhook.routing.state import NOWHERE, CallState
from offhook.routing.turn import name_of
from offhook.routing.wire import PlaceOut


def live(config: Company, calls: Sequence[Kept], legs: Sequence[CallLeg], most: int, at: int) -> LiveOut:
    """Those of `calls` (the latest first) that are shown, with their legs; `at` is now in milliseconds."""
    of: dict[int, list[CallLeg]] = {}
    for leg in legs:
        of.setdefault(leg.call_id, []).append(leg)
    places = positions([one.state for one in calls])
    items = [_call(config, one, of.get(one.id, []), places.get(one.state.id)) for one in calls[:most]]
    return LiveOut(at=iso(at), items=items, more=max(len(calls) - most, 0))


def positions(states: Sequence[CallState]) -> dict[str, int]:
    """By the id of each call that waits in a queue: how many wait for the same line before it, and itself."""
    queues: dict[Target, list[CallState]] = {}
    for state in states:
        if state.phase == "reserving" and state.queued:
            queues.setdefault(state.where, []).append(state)
    return {
        state.id: number
        for waiting in queues.values()
        for number, state in enumerate(sorted(waiting, key=lambda one: (one.queued, one.id)), start=1)
    }


def named(config: Company, who: str) -> str:
    """Who "user:1" is; a number as itself."""
    kind, _, id = who.partition(":")
    return name_of(config, target_of_who(who)) if kind and id.isdecimal() else who


def caller_name(config: Company, kept: Kept) -> str:
    """Who calls: somebody of the company, a contact with that number, or nobody who is known."""
    if kept.state.who:
        return named(config, kept.state.who)
    return next((one.name for one in config.contacts.values() if kept.caller and kept.caller in one.phones), "")


def iso(moment: int) -> str:
    """Milliseconds since 1970 UTC as the API writes moments."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


def _call(config: Company, kept: Kept, legs: Sequence[CallLeg], position: int | None) -> LiveCallOut:
    state = kept.state
    people = [_with(config, leg) for leg in legs if not leg.entry and not leg.ended]
    talking = [leg for leg in legs if not leg.entry and leg.connected and not leg.ended]
    where = target_of_who(state.talking) if state.phase == "voicemail" and state.talking else state.where
    since = max([leg.connected for leg in talking], default=0) or state.now
    if state.phase == "reserving" and state.queued:
        since = state.queued
    return LiveCallOut(
        id=str(kept.id),
        direction="outbound" if state.who else "inbound",
        began=iso(kept.began),
        since=iso(since or kept.began),
        caller="" if state.who else kept.caller,
        caller_name=caller_name(config, kept),
        dialled=kept.dialled,
        phase=state.phase,
        words=_words(config, state, where, people, position),
        line=_place(config, state.home),
        at=_place(config, where),
        people=people,
        position=position,
    )


def _words(config: Company, state: CallState, where: Target, people: Sequence[WithOut], position: int | None) -> str:
    phase = "talking" if state.phase == "out" and state.outcome == "answered" else state.phase
    if state.trial and phase in ("out", "talking"):
        return words.of(words.PHASES, "trial", people=state.dialled)
    there = [one.name for one in people if one.state == "connected" or phase == "ringing"]
    if not there and phase in ("talking", "out"):
        there = [named(config, state.talking)] if state.talking else [one.name for one in people] or [state.dialled]
    if not there and phase == "ringing":
        there = [named(config, who) for who in state.reserved] or [_name(config, where)]
    told = words.of(words.PHASES, phase, place=_name(config, where), people=words.listed(there))
    told = told[:1].upper() + told[1:]
    return f"{told}, number {position} in line" if position is not None else told


def _with(config: Company, leg: CallLeg) -> WithOut:
    outside = leg.target.type == "unknown"
    return WithOut(
        call_id=str(leg.id),
        type="number" if outside else leg.target.type,
        id=leg.external if outside else str(leg.target.id),
        name=leg.external if outside else name_of(config, leg.target),
        state="connected" if leg.connected else "ringing",
    )


def _place(config: Company, target: Target) -> PlaceOut | None:
    return place(lambda one: name_of(config, one), target) if target != NOWHERE else None


def _name(config: Company, target: Target) -> str:
    return name_of(config, target) if target != NOWHERE else "nowhere yet"
