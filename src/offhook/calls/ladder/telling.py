"""A ladder for programs, and as aligned lines of text. Pure."""

from collections.abc import Sequence

from offhook.calls import words
from offhook.calls.ladder.model import CALLER, HOUSE, Ladder, Party
from offhook.calls.ladder.wire import ArrowOut, LadderOut, PartyOut, PhoneOut
from offhook.calls.legs.model import CallLeg
from offhook.calls.live.render import iso
from offhook.calls.model import Kept
from offhook.calls.wires.model import Wire
from offhook.directory.lines.model import Target
from offhook.routing.model import who_of

_WIDEST = 24
"""Letters of a name in the text."""


def ladder_out(ladder: Ladder, kept: Kept, wires: Sequence[Wire], legs: Sequence[CallLeg]) -> LadderOut:
    """The whole answer."""
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
        began=iso(ladder.began or kept.began),
        over=bool(kept.ended),
        outcome=kept.outcome or kept.state.phase,
        parties=[_party(one, key, ladder.began, wires, legs) for one, key in zip(ladder.parties, keys, strict=True)],
        arrows=arrows,
        text=text(ladder.parties, arrows, ladder.cut),
        cut=ladder.cut,
    )


def text(parties: Sequence[Party], arrows: Sequence[ArrowOut], cut: int = 0) -> str:
    """Lines of: minutes and seconds, from whom, to whom, what."""
    names = [one.name[:_WIDEST] for one in parties]
    width = max(map(len, names), default=0)
    lines = []
    for one in arrows:
        clock = f"{int(one.seconds) // 60:>3}:{one.seconds % 60:04.1f}"
        itself = one.start == one.end
        to = " " * (width + 3) if itself else f"-> {names[one.end]:<{width}}"
        lines.append(f"{clock}  {names[one.start]:<{width}} {to}  {one.text}".rstrip())
    if cut:
        lines.insert(len(lines) // 2, f"        … {cut:,} more")
    return "\n".join(lines) + "\n"


def _party(party: Party, key: str, began: int, wires: Sequence[Wire], legs: Sequence[CallLeg]) -> PartyOut:
    own = [wire for wire in wires if key != HOUSE and wire.who == ("" if key == CALLER else key)]
    mine = [leg for leg in legs if _is(leg, key)]
    cause = mine[-1].cause if mine else ""
    return PartyOut(
        kind=party.kind,
        name=party.name,
        id=party.who if party.kind in ("person", "outside") or ":" in party.who else None,
        cause=words.of(words.CAUSES, cause) if cause else None,
        phones=[_phone(wire, began) for wire in own],
    )


def _is(leg: CallLeg, key: str) -> bool:
    if leg.entry:
        return key == CALLER
    return key in (who_of(leg.target), leg.external if leg.target == Target("unknown", 0) else "-")


def _phone(wire: Wire, began: int) -> PhoneOut:
    def moment(at: int) -> float | None:
        return _seconds(at, began) if at else None

    return PhoneOut(
        device_id=wire.device or None,
        address=wire.address or None,
        began=_seconds(wire.began, began),
        rang=moment(wire.rang),
        taken=moment(wire.up),
        ended=moment(wire.ended),
        code=wire.code or None,
        cause=wire.cause or None,
        codec=wire.codec or None,
        packets=wire.received,
        lost=wire.lost,
    )


def _seconds(at: int, began: int) -> float:
    return max(at - began, 0) / 1000
