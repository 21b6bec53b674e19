"""A trace as a Mermaid sequence diagram. Names are a company's own words, so they are never put into it unguarded."""

import re
from collections.abc import Callable, Collection

from offhook.routing.plan import (
    Answered,
    CameIn,
    Gather,
    Hangup,
    HungUp,
    Invite,
    Joined,
    NotAnswered,
    Outgoing,
    Play,
    Pressed,
    Ring,
    Transfer,
    Transferred,
    Voicemail,
)
from offhook.routing.trace import Trace, call_of, heard

_OTHER = re.compile(r"[^\w .,:'()/+-]")
_LONGEST = 90


def safe(text: str) -> str:
    """`text` on one line and without what means something to Mermaid."""
    plain = _OTHER.sub(" ", text.replace("#", " hash ")).replace("--", "-").strip()
    plain = re.sub(r"\s+", " ", plain)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "..."


def sequence(
    trace: Trace, line: str, name_of: Callable[[str], str] = str, beeped: Collection[str] = frozenset()
) -> str:
    """The diagram; `line` names what was called, `name_of` tells who "user:1" is, `beeped` is as `heard` has it.

    Each party is one participant, also where who called is somebody of the company.
    """
    caller = _caller(trace)
    people = {caller: "C"}
    rows: list[str] = []
    for one in trace.steps:
        at = (one.event.at - trace.began) / 1000
        if not any(reason.code == "hang_up_refused" for reason in one.reasons):
            rows += _event(one.event, people)
        rows += [f"  Note over L: {safe(reason.text)}" for reason in one.reasons]
        for verb in one.verbs:
            match verb:
                case Play() | Gather():
                    rows.append(f"  L->>C: {safe(heard(verb.prompt, beeped))}")
                case Voicemail():
                    rows.append(f"  L->>C: {safe(heard(verb.greeting, beeped))}")
                case Ring() | Invite():
                    for leg in verb.legs:
                        who = people.setdefault(leg.who, f"P{len(people)}")
                        rows.append(f"  L->>{who}: rings at {_clock(at)} for up to {verb.seconds} s")
                case Transfer():
                    who = people.setdefault(verb.number, f"P{len(people)}")
                    rows.append(f"  L->>{who}: {call_of(verb).lower()}")
                case Hangup():
                    rows.append(f"  L--xC: the call ends at {_clock(at)}")
                case _:
                    pass
    names = _names(trace)
    head = [
        "sequenceDiagram",
        f"  participant C as {(caller and safe(name_of(caller))) or 'Caller'}",
        f"  participant L as {safe(line) or 'Line'}",
    ]
    head += [
        f"  participant {alias} as {safe(names.get(who) or name_of(who))}"
        for who, alias in people.items()
        if alias != "C"
    ]
    return "\n".join([*head, *rows]) + "\n"


def _caller(trace: Trace) -> str:
    """Who called, if that is known as calls name people; "" for a number outside."""
    match trace.steps[0].event if trace.steps else None:
        case Outgoing(who=who):
            return who
        case Transferred(party=party) | Joined(party=party):
            return party
    return ""


def _event(event: object, people: dict[str, str]) -> list[str]:
    match event:
        case Pressed(keys=keys):
            return [f"  C->>L: presses {safe(keys)}" if keys else "  C->>L: presses nothing"]
        case Answered(who=who) | CameIn(who=who):
            return [f"  {people.setdefault(who, f'P{len(people)}')}-->>L: answers"]
        case NotAnswered():
            return ["  Note over L: not answered"]
        case HungUp(ours=ours):
            return ["  L--xC: hangs up" if ours else "  C--xL: hangs up"]
    return []


def _names(trace: Trace) -> dict[str, str]:
    return {
        leg.who: leg.name for one in trace.steps for verb in one.verbs if isinstance(verb, Ring | Invite)
        for leg in verb.legs
    }  # fmt: skip


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
