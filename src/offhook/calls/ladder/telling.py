"""A ladder for programs, and as aligned lines of text. Pure."""

from collections.abc import Sequence

from offhook.calls import helping, words
from offhook.calls.ladder.ended import ended
from offhook.calls.ladder.model import CALLER, HOUSE, Ladder, Party
from offhook.calls.ladder.wire import ArrowOut, LadderOut, LegOut, PartyOut, PhoneOut
from offhook.calls.legs.model import CallLeg
from offhook.calls.live.render import iso
from offhook.calls.model import Kept
from offhook.calls.wires.model import Wire, beeped
from offhook.directory.lines.model import Target
from offhook.kit.durations import tenths
from offhook.routing.model import who_of

_WIDEST = 24
"""Letters of a name in the text."""


def ladder_out(ladder: Ladder, kept: Kept, wires: Sequence[Wire], legs: Sequence[CallLeg], at: int) -> LadderOut:
    """The whole answer, as it is at `at`, milliseconds since 1970 UTC."""
    began = ladder.began or kept.began
    keys = [CALLER if party.kind == "caller" else party.who for party in ladder.parties]
    places = {key: index for index, key in enumerate(keys)}
    arrows = [
        ArrowOut(
            seconds=_seconds(one.at, ladder.began), kind=one.kind, start=places[one.start], end=places[one.end],
            text=one.text, tone=one.tone,
        )
        for one in ladder.arrows
    ]  # fmt: skip
    return LadderOut(
        id=str(kept.id),
        began=iso(began),
        over=bool(kept.ended),
        outcome=kept.outcome or kept.state.phase,
        parties=[_party(one, key, began, wires, legs, at) for one, key in zip(ladder.parties, keys, strict=True)],
        arrows=arrows,
        text=text(ladder.parties, arrows, ladder.cut),
        cut=ladder.cut,
        beeped=bool(beeped(wires)),
        emergency=helping.emergency(kept.state),
    )


def text(parties: Sequence[Party], arrows: Sequence[ArrowOut], cut: int = 0) -> str:
    """Lines of: minutes and seconds, from whom, to whom, what."""
    names = [one.name[:_WIDEST] for one in parties]
    width = max(map(len, names), default=0)
    lines = []
    for one in arrows:
        clock = f"{tenths(one.seconds):>8}"
        itself = one.start == one.end
        to = " " * (width + 3) if itself else f"-> {names[one.end]:<{width}}"
        lines.append(f"{clock}  {names[one.start]:<{width}} {to}  {one.text}".rstrip())
    if cut:
        lines.insert(len(lines) // 2, f"        … {cut:,} more")
    return "\n".join(lines) + "\n"


def _party(party: Party, key: str, began: int, wires: Sequence[Wire], legs: Sequence[CallLeg], at: int) -> PartyOut:
    own = [wire for wire in wires if key != HOUSE and wire.who == ("" if key == CALLER else key)]
    mine = [leg for leg in legs if _is(leg, key)]
    cause = mine[-1].cause if mine else ""
    return PartyOut(
        kind=party.kind,
        name=party.name,
        id=party.who if party.kind in ("person", "outside") or ":" in party.who else None,
        cause=words.of(words.CAUSES, cause) if cause else None,
        phones=[_phone(wire, ended(wire, wires, mine), began) for wire in own],
        legs=[_leg(leg, began, at) for leg in mine],
    )


def _is(leg: CallLeg, key: str) -> bool:
    if leg.entry:
        return key == CALLER
    return key in (who_of(leg.target), leg.external if leg.target == Target("unknown", 0) else "-")


def _leg(leg: CallLeg, began: int, at: int) -> LegOut:
    # Who is rung behind others has a moment for it that may be still to come; who calls is not rung.
    later = leg.rang > at and not leg.connected
    state = "later" if later else "waiting" if leg.entry and leg.state == "ringing" else leg.state
    return LegOut(
        began=_seconds(min(leg.began, at), began),
        rang=_moment(leg.rang, began) if not (leg.entry or later) else None,
        taken=_moment(leg.connected, began),
        ended=_moment(leg.ended, began),
        state=leg.state,
        words=words.of(words.CAUSES, leg.cause) if leg.ended and leg.cause else words.of(words.LEGS, state),
        device_id=leg.device or None,
    )


def _phone(wire: Wire, said: str, began: int) -> PhoneOut:
    # What a caller was answered who was never let in is Offhook's own word.
    refused = wire.code if wire.ours and not (wire.who or wire.up) else 0
    return PhoneOut(
        device_id=wire.device or None,
        address=wire.address or None,
        began=_seconds(wire.began, began),
        rang=_moment(wire.rang, began),
        taken=_moment(wire.up, began),
        ended=_moment(wire.ended, began),
        code=wire.code or None,
        cause=words.ANSWERS.get(refused, wire.cause) or None,
        words=said or None,
        codec=wire.codec or None,
        packets=wire.received,
        lost=wire.lost,
    )


def _moment(at: int, began: int) -> float | None:
    return _seconds(at, began) if at else None


def _seconds(at: int, began: int) -> float:
    return max(at - began, 0) / 1000
