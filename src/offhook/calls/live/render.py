"""Calls under way in words: where each is, who is in it, since when. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from offhook.calls import helping, words
from offhook.calls.callers import caller_names, outside
from offhook.calls.legs.model import CallLeg
from offhook.calls.live.wire import LiveCallOut, LiveOut, WithOut
from offhook.calls.model import Kept
from offhook.directory.lines.model import Target
from offhook.routing.model import Company, target_of_who, who_of
from offhook.routing.report import place
from offhook.routing.state import NOWHERE, CallState
from offhook.routing.turn import name_of
from offhook.routing.wire import PlaceOut


def live(
    config: Company,
    calls: Sequence[Kept],
    legs: Sequence[CallLeg],
    queues: Mapping[str, Sequence[str]],
    most: int,
    at: int,
) -> LiveOut:
    """Those of `calls` (the latest first) that are shown, with their legs; `at` is now in milliseconds.

    `queues` are all that wait, also those that are not among `calls`, as `routing/store.py` has them.
    """
    of: dict[int, list[CallLeg]] = {}
    for leg in legs:
        of.setdefault(leg.call_id, []).append(leg)
    shown = calls[:most]
    places, names = positions(queues, [one.state for one in shown]), caller_names(config, shown)
    items = [_call(config, one, of.get(one.id, []), places.get(one.state.id), names[one.id]) for one in shown]
    return LiveOut(at=iso(at), items=items, more=max(len(calls) - most, 0))


def positions(queues: Mapping[str, Sequence[str]], states: Sequence[CallState]) -> dict[str, int]:
    """By the id of each of these calls that waits in a queue: how many wait for the same line before it, and itself."""
    places = {
        (line, call_id): number for line, waiting in queues.items() for number, call_id in enumerate(waiting, start=1)
    }
    waiting = [one for one in states if one.phase == "reserving" and one.queued]
    found = {one.id: places.get((who_of(one.where), one.id)) for one in waiting}
    return {id: number for id, number in found.items() if number is not None}


def named(config: Company, who: str) -> str:
    """Who "user:1" is; a number as itself."""
    kind, _, id = who.partition(":")
    return name_of(config, target_of_who(who)) if kind and id.isdecimal() else who


def iso(moment: int) -> str:
    """Milliseconds since 1970 UTC as the API writes moments."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


def _call(config: Company, kept: Kept, legs: Sequence[CallLeg], position: int | None, name: str) -> LiveCallOut:
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
        caller="" if state.who else outside(kept.caller),
        caller_name=name,
        dialled=kept.dialled,
        phase=state.phase,
        words=_words(config, state, where, people, position),
        line=_place(config, state.home),
        at=_place(config, where),
        people=people,
        position=position,
        emergency=helping.emergency(state),
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
