"""A call as a picture: a column for each party, time going down, arrows for what went between them. Pure.

It is drawn as the API's ladder has it. Colours and letters are the style sheet's, by class. The page says the same in
words beside it, so a screen reader is told the picture's name alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from offhook.console.words import seconds

MARGIN, COLUMN, TOP, STEP, BOTTOM = 64, 150, 54, 40, 16
MOST = 12
"""Columns; who comes behind them shares the last one."""

_NAME, _TEXT = 8.4, 7.4
"""How wide a letter is at most, of a name and of what is said of an arrow."""


def ladder_svg(ladder: Mapping[str, Any]) -> Markup:
    """The SVG of a ladder of the API."""
    parties: Sequence[Mapping[str, Any]] = ladder["parties"]
    shown = list(parties[:MOST])
    width = MARGIN + COLUMN * len(shown)
    arrows = ladder["arrows"]
    height = TOP + STEP * len(arrows) + BOTTOM
    drawn = [_column(index, _name(index, parties), one["kind"], height) for index, one in enumerate(shown)]
    before = ""
    for row, arrow in enumerate(arrows, start=1):
        moment = _clock(arrow["seconds"])
        drawn.append(_arrow(arrow, TOP + STEP * row - 8, width, moment if moment != before else ""))
        before = moment
    return Markup(
        '<svg class="ladder" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>'
    ).format(_label(parties), width, height, width, height, Markup("").join(drawn))


def _label(parties: Sequence[Mapping[str, Any]]) -> str:
    return f"The call between {', '.join(one['name'] for one in parties[:MOST])}; the same in words stands below"


def _name(index: int, parties: Sequence[Mapping[str, Any]]) -> str:
    rest = len(parties) - MOST
    return f"and {rest + 1} others" if index == MOST - 1 and rest > 0 else str(parties[index]["name"])


def _x(index: int) -> int:
    return MARGIN + COLUMN * min(index, MOST - 1) + COLUMN // 2


def _column(index: int, name: str, kind: str, height: int) -> Markup:
    x, wide = _x(index), COLUMN - 14
    return Markup(
        '<g class="party {}"><title>{}</title><path class="life" d="M{} 38V{}"/>'
        '<rect class="box" x="{}" y="6" width="{}" height="32" rx="7"/>'
        '<text class="name" x="{}" y="27" text-anchor="middle">{}</text></g>'
    ).format(kind, name, x, height - 4, x - wide // 2, wide, x, _cut(name, int((wide - 12) / _NAME)))


def _arrow(arrow: Mapping[str, Any], y: int, width: int, moment: str) -> Markup:
    start, end, tone = _x(arrow["start"]), _x(arrow["end"]), arrow.get("tone", "plain")
    text, left = arrow["text"], min(start, end) + 10
    clock = Markup('<text class="clock" x="0" y="{}">{}</text>').format(y, moment) if moment else ""
    if start == end:
        shape = Markup('<circle class="dot" cx="{}" cy="{}" r="4"/>').format(start, y - 4)
        where = y
    else:
        way = 1 if end > start else -1
        shape = Markup('<path class="way" d="M{0} {1}H{2}"/><path class="tip" d="M{3} {1}l{4} -4.5v9z"/>').format(
            start, y + 4, end - way * 8, end, -way * 9
        )
        where = y - 3
    words = Markup('<text class="said" x="{}" y="{}">{}</text>').format(
        left, where, _cut(text, int((width - left) / _TEXT))
    )
    return Markup('<g class="arrow {}"><title>{}</title>{}{}{}</g>').format(
        tone, f"{_clock(arrow['seconds'])} {text}", clock, shape, words
    )


def _clock(at: float) -> str:
    return f"{seconds(at)}.{int(at * 10) % 10}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(1, most - 1)]}…"
