"""A call as a picture: a column for each party, time going down, arrows for what went between them. Pure.

It is drawn as the API's ladder has it. Colours and letters are the style sheet's, by class. The page says the same in
words beside it, so a screen reader is told the picture's name alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from offhook.kit.durations import tenths

MARGIN, COLUMN, TOP, STEP, BOTTOM = 10, 160, 54, 40, 16
"""Two columns fit a telephone of 390 pixels; moments stand left of the first one's line, below its box."""
LINE = 16
MOST = 12
"""Columns; who comes behind them shares the last one."""
MOST_LINES = 4
"""Lines of what is said of a refusal or a fault, which says why; all else has one."""

_GAP = 10
"""Between a column's line and what is said beside it."""

_NAME, _TEXT = 14, 12.5
"""Sizes of letters, as the style sheet has them."""

_SLIM, _BROAD = frozenset("iljftrI.,:;'|!()[]/- "), frozenset("mwMW@%")
_BOLD = 1.12
_IDEOGRAPHS = 0x2E80


def ladder_svg(ladder: Mapping[str, Any]) -> Markup:
    """The SVG of a ladder of the API."""
    parties: Sequence[Mapping[str, Any]] = ladder["parties"]
    shown = list(parties[:MOST])
    width = MARGIN + COLUMN * len(shown)
    drawn: list[Markup] = []
    y, before = TOP, ""
    for arrow in ladder["arrows"]:
        said = _Said(arrow, width)
        y += STEP + LINE * (len(said.lines) - 1)
        moment = tenths(arrow["seconds"])
        drawn.append(_arrow(arrow, y - 8, said, moment if moment != before else ""))
        before = moment
    height = y + BOTTOM
    columns = [_column(index, _name(index, parties), one["kind"], height) for index, one in enumerate(shown)]
    return Markup(
        '<svg class="ladder" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>'
    ).format(_label(parties), width, height, width, height, Markup("").join([*columns, *drawn]))


class _Said:
    """What is said of an arrow: its lines, where they begin, and which way they go from there."""

    def __init__(self, arrow: Mapping[str, Any], width: int) -> None:
        start, end, tone = _x(arrow["start"]), _x(arrow["end"]), arrow.get("tone", "plain")
        text, bold = str(arrow["text"]), tone in ("good", "bad")
        self.x, self.anchor = min(start, end) + _GAP, "start"
        room = width - self.x
        if start == end and _wide(text, _TEXT, bold=bold) > room and start > width - start:
            self.x, self.anchor, room = start - _GAP, "end", start - _GAP
        most = MOST_LINES if tone == "bad" else 1
        self.lines = list(_lines(text, room, most, bold=bold))


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
    ).format(kind, name, x, height - 4, x - wide // 2, wide, x, _cut(name, wide - 12, _NAME, bold=True))


def _arrow(arrow: Mapping[str, Any], y: int, said: _Said, moment: str) -> Markup:
    start, end, tone = _x(arrow["start"]), _x(arrow["end"]), arrow.get("tone", "plain")
    clock = Markup('<text class="clock" x="0" y="{}">{}</text>').format(y, moment) if moment else ""
    if start == end:
        shape = Markup('<circle class="dot" cx="{}" cy="{}" r="4"/>').format(start, y - 4)
        last = y
    else:
        way = 1 if end > start else -1
        shape = Markup('<path class="way" d="M{0} {1}H{2}"/><path class="tip" d="M{3} {1}l{4} -4.5v9z"/>').format(
            start, y + 4, end - way * 8, end, -way * 9
        )
        last = y - 3
    words = [
        Markup('<text class="said" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            said.x, last - LINE * (len(said.lines) - 1 - number), said.anchor, line
        )
        for number, line in enumerate(said.lines)
    ]
    return Markup('<g class="arrow {}"><title>{}</title>{}{}{}</g>').format(
        tone, f"{tenths(arrow['seconds'])} {arrow['text']}", clock, shape, Markup("").join(words)
    )


def _wide(text: str, size: float, *, bold: bool) -> float:
    """How many pixels wide a text is at most, by the letters of DejaVu Sans, broad among the faces in use."""
    ems = sum(map(_ems, text))
    return ems * size * (_BOLD if bold else 1)


def _ems(letter: str) -> float:
    if letter in _SLIM:
        return 0.41
    if letter in _BROAD or ord(letter) >= _IDEOGRAPHS:
        return 1.0
    return 0.78 if letter.isupper() else 0.64


def _cut(text: str, room: float, size: float, *, bold: bool) -> str:
    """As much of a text as there is room for."""
    if _wide(text, size, bold=bold) <= room:
        return text
    room -= _wide("…", size, bold=bold)
    wide, kept = 0.0, 0
    for letter in text:
        wide += _wide(letter, size, bold=bold)
        if wide > room:
            break
        kept += 1
    return f"{text[: max(kept, 1)]}…"


def _lines(text: str, room: float, most: int, *, bold: bool) -> Iterator[str]:
    """A text in at most so many lines, of which the last ends with what is cut."""
    words = text.split()
    for number in range(1, most + 1):
        if number == most or not words:
            yield _cut(" ".join(words), room, _TEXT, bold=bold)
            return
        line = words.pop(0)
        while words and _wide(f"{line} {words[0]}", _TEXT, bold=bold) <= room:
            line = f"{line} {words.pop(0)}"
        yield _cut(line, room, _TEXT, bold=bold)
        if not words:
            return
