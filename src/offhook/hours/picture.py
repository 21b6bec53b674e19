"""A week drawn as rows of days, from midnight to midnight: opening hours and who is reachable look alike. Pure.

Places across are percentages, so that a picture takes any width while its words keep their size. Colours are the
style sheet's, by class; a picture that stands alone names them in `fill` too.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from offhook.hours.model import DAY_MINUTES

TOP, ROW, BAR = 22, 24, 16
_GUTTER = 13.0
_HOURS = (0, 6, 12, 18, 24)


class Stretch(NamedTuple):
    """A part of a day in minutes since midnight: its class, and what it says to who points at it."""

    start: float
    end: float
    kind: str
    words: str = ""
    fill: str = ""


class Day(NamedTuple):
    """A row: its name, and its stretches."""

    name: str
    stretches: Sequence[Stretch]


def height(days: int) -> int:
    """How high a picture of so many days is, in pixels, its axis included."""
    return TOP + ROW * days + 2


def drawn(days: Sequence[Day], *, top: int = 0, now: tuple[int, int] | None = None) -> str:
    """The elements of a picture that begins at `top` pixels; `now` is (row, minute): a line in that row."""
    parts = [_hour(hour, top + 12) for hour in _HOURS]
    for index, day in enumerate(days):
        y = top + TOP + index * ROW
        parts.append(f'<text class="day" x="0" y="{y + 13}" fill="currentColor">{escape(day.name)}</text>')
        parts += [_bar(one, y) for one in day.stretches]
    first, last = top + TOP, top + height(len(days)) - 10
    parts += [_rule("hour", hour * 60, first, last) for hour in _HOURS[1:-1]]
    if now is not None:
        y = top + TOP + now[0] * ROW
        parts.append(_rule("now", now[1], y - 3, y + BAR + 3))
    return "".join(parts)


def _hour(hour: int, y: int) -> str:
    anchor = {0: "start", 24: "end"}.get(hour, "middle")
    place = f'x="{_across(hour * 60)}%" y="{y}" text-anchor="{anchor}"'
    return f'<text class="axis" {place} fill="currentColor">{hour:02}</text>'


def _bar(one: Stretch, y: int) -> str:
    wide = (100 - _GUTTER) * (one.end - one.start) / DAY_MINUTES
    fill = f' fill="{one.fill}"' if one.fill else ""
    words = f"<title>{escape(one.words)}</title>" if one.words else ""
    place = f'x="{_across(one.start)}%" y="{y}" width="{wide:.2f}%" height="{BAR}" rx="3"'
    return f'<rect class="{one.kind}" {place}{fill}>{words}</rect>'


def _rule(kind: str, minute: int, top: int, bottom: int) -> str:
    x = _across(minute)
    return f'<line class="{kind}" x1="{x}%" x2="{x}%" y1="{top}" y2="{bottom}"/>'


def _across(minute: float) -> str:
    return f"{_GUTTER + (100 - _GUTTER) * minute / DAY_MINUTES:.2f}"
