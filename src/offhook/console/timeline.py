"""When the attempts of a run waited and when they were worked on, as bars on one scale. Pure.

Lengths are thousandths of the scale, so that a bar fits whatever width it is given. A bar that would be too short to
be seen has the least width.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from offhook.console.durations import short
from offhook.console.workflow_svg import kind_of

SCALE = 1000
LEAST = 4.0
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
          7200, 14_400, 28_800, 43_200, 86_400)  # fmt: skip
_MOST_TICKS = 6
_IDLE = frozenset({"WAIT", "HUMAN", "JOIN"})
"""Types whose work is to wait."""


class Bar(NamedTuple):
    """One attempt: where its waiting and its work begin and how long they are, in words too, and seconds of work."""

    wait_at: float
    wait: float
    work_at: float
    work: float
    kind: str
    words: str
    took: float


class Tick(NamedTuple):
    """A mark of the scale."""

    at: float
    label: str


class Timeline(NamedTuple):
    """Bars in the order of the attempts, the marks of the scale, and its length in seconds."""

    bars: list[Bar]
    ticks: list[Tick]
    seconds: float


def timeline(attempts: Sequence[Mapping[str, Any]], started: str, ended: str | None, now: datetime) -> Timeline:
    """The bars of attempts as the API gives them; what is open goes on until `now`."""
    last = _at(ended) if ended else now.timestamp()
    begin = min([_at(started), *(_at(one["scheduled_at"]) for one in attempts if one.get("scheduled_at"))])
    last = max([last, *(_at(one["ended_at"]) for one in attempts if one.get("ended_at"))])
    length = max(last - begin, 0.001)
    bars = [_bar(one, begin, last, SCALE / length) for one in attempts]
    return Timeline(bars, _ticks(length), length)


def _bar(one: Mapping[str, Any], begin: float, last: float, scale: float) -> Bar:
    scheduled = _at(one["scheduled_at"]) if one.get("scheduled_at") else begin
    ended = _at(one["ended_at"]) if one.get("ended_at") else last
    started = min(_at(one["started_at"]), ended) if one.get("started_at") else ended
    wait, work = max(0.0, started - scheduled), max(0.0, ended - started)
    idle = one["type"] in _IDLE
    words = [f"waited {short(wait)}"] if wait >= 0.0005 else []
    if one.get("started_at"):
        words.append(f"{'waited for its end' if idle else 'worked'} {short(work)}")
    wide = max(work * scale, LEAST) if one.get("started_at") else 0.0
    at = min((started - begin) * scale, SCALE - wide)
    return Bar(
        wait_at=round((scheduled - begin) * scale, 1),
        wait=round(max(0.0, at - (scheduled - begin) * scale), 1),
        work_at=round(at, 1),
        work=round(wide, 1),
        kind="idle" if idle and kind_of(one["status"]) != "bad" else kind_of(one["status"]),
        words=", ".join(words) or "not begun",
        took=work,
    )


def _ticks(length: float) -> list[Tick]:
    step = next((one for one in _STEPS if length / one <= _MOST_TICKS), 0.0)
    while not step or length / step > _MOST_TICKS:
        step = (step or _STEPS[-1]) * 2
    return [Tick(round(number * step / length * SCALE, 1), short(number * step) if number else "0")
            for number in range(int(length / step + 1e-9) + 1)]  # fmt: skip


def _at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
