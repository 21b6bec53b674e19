"""A trace as people and programs read it: story, text, sequence, places. Pure."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

import msgspec

from offhook.directory.lines.model import Target
from offhook.routing import wire
from offhook.routing.mermaid import sequence
from offhook.routing.model import target_of_who
from offhook.routing.trace import Moment, Trace, rung, story

_LABEL = {"came": "call", "why": "", "rang": "rings", "heard": "hears", "did": "does"}
_PEOPLE = ("user", "room", "contact")
_encode = msgspec.json.Encoder().encode
NameOf = Callable[[Target], str]


def place(name_of: NameOf, target: Target) -> wire.PlaceOut:
    """A target with its name."""
    return wire.PlaceOut(type=target.type, id=str(target.id), name=name_of(target))


def trace_out(
    trace: Trace,
    *,
    name_of: NameOf,
    called: Target | None,
    ends: Target,
    outcome: str,
    config: int,
    beeped: Collection[str] = frozenset(),
) -> wire.TraceOut:
    """The whole answer for one call. `beeped` are prompts of it, as `mark_of` has them, that beeps stood for."""
    # Somebody who is called by themselves is who is rung, and of a call that they make who calls.
    title = name_of(called) if called is not None and called.type not in _PEOPLE else "Offhook"

    def named(who: str) -> str:
        kind, _, id = who.partition(":")
        return name_of(target_of_who(who)) if kind and id.isdecimal() else who

    told = story(trace, named, beeped)
    return wire.TraceOut(
        id=trace.id,
        config_version=str(config),
        began=datetime.fromtimestamp(trace.began / 1000, UTC).isoformat(timespec="milliseconds"),
        seconds=(trace.ended - trace.began) / 1000,
        outcome=outcome,
        ends_at=place(name_of, ends),
        story=[wire.MomentOut(seconds=one.seconds, kind=one.kind, text=one.text) for one in told],  # type: ignore[arg-type]
        rang=[
            wire.RangOut(
                seconds=at,
                who=list(who),
                names=[name_of(target_of_who(one)) for one in who],
                for_seconds=seconds,
                came_of_it=came,
            )
            for at, who, seconds, came in rung(trace)
        ],
        steps=msgspec.Raw(_encode(trace.steps)),
        text=text(told),
        mermaid=sequence(trace, title, named, beeped),
        called=place(name_of, called) if called is not None else None,
    )


def text(told: Sequence[Moment]) -> str:
    """The story in aligned lines: minutes and seconds, what kind of line, the words."""
    lines = []
    for one in told:
        clock = f"{int(one.seconds) // 60:>3}:{int(one.seconds) % 60:02}"
        lines.append(f"{clock}  {_LABEL[one.kind]:<5}  {one.text}")
    return "\n".join(lines) + "\n"
