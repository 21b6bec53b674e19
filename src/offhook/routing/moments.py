"""All moments that lines can tell apart, as a few kinds of days: what verification has to look at. Pure.

A year of minutes comes down to the stretches between two edges of hours, on one date of each kind: each weekday, each
special day and its morrow, and again where the zones of lines stand differently to each other. Whether a line is open
at a moment is asked of the hours themselves.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from offhook.hours.model import DAY_MINUTES, DAYS, Schedule
from offhook.hours.rules import clock
from offhook.hours.schedule import status
from offhook.routing.model import Line
from offhook.routing.turn import listed

_INTO = 30
"""Minutes after the beginning of a stretch at which it is looked at, if it is that long."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The minutes from `begin` to `end` (wall time) of all `dates` (ordinals): which lines are open does not change.

    `open` has a bit for each line, in their order. `at` is one moment (milliseconds), the first that is not past.
    """

    dates: tuple[int, ...]
    begin: int
    end: int
    at: int
    open: int


def stretches(lines: Sequence[Line], zone: ZoneInfo, now: datetime.datetime, days: int) -> list[Stretch]:
    """Every stretch of the `days` from `now` (aware) on, by the wall clock of `zone`, the earliest moment first."""
    first = now.astimezone(zone).toordinal()
    kinds = _kinds(lines, zone, range(first, first + max(1, days)))
    by_schedule: dict[Schedule, int] = {}
    for index, line in enumerate(lines):
        by_schedule[line.schedule] = by_schedule.get(line.schedule, 0) | 1 << index
    found: list[Stretch] = []
    for dates in kinds:
        found.extend(_of_a_kind(dates, lines, by_schedule, zone, now))
    return sorted(found, key=lambda one: (one.at, one.begin))


def moment_of(ordinal: int, minute: int, zone: ZoneInfo) -> int:
    """Milliseconds since 1970 of a wall minute of a date."""
    date = datetime.date.fromordinal(ordinal)
    return int(datetime.datetime.combine(date, datetime.time(minute // 60, minute % 60), zone).timestamp() * 1000)


def _kinds(lines: Sequence[Line], zone: ZoneInfo, dates: range) -> list[list[int]]:
    """The dates by kind: those of one kind have the same hours and the same offsets for every line."""
    zones = list({line.schedule.zone.key: line.schedule.zone for line in lines}.values())
    special = _special(lines, dates)
    edges = {
        datetime.datetime.fromtimestamp(edge / 1000, zone).toordinal()
        for line in lines
        for edge in line.hand_edges
        if abs(edge) < 253_000_000_000_000
    }
    kinds: dict[tuple[object, ...], list[int]] = {}
    for ordinal in dates:
        offsets: tuple[object, ...] = ()
        if len(zones) > 1:
            noon = datetime.datetime.fromordinal(ordinal) + datetime.timedelta(hours=12)
            offsets = tuple([one.utcoffset(noon) for one in zones])
        around = tuple([special.get(ordinal + days, ()) for days in (-1, 0, 1)]) if special else ()
        hand = (tuple([ordinal > edge for edge in sorted(edges)]), ordinal in edges) if edges else ()
        kinds.setdefault((ordinal % 7, offsets, around, hand), []).append(ordinal)
    return list(kinds.values())


def _special(lines: Sequence[Line], dates: range) -> dict[int, tuple[object, ...]]:
    """By date: the periods of each schedule that has a special day then."""
    years = range(datetime.date.fromordinal(dates[0]).year - 1, datetime.date.fromordinal(dates[-1]).year + 2)
    found: dict[int, tuple[object, ...]] = {}
    for index, schedule in enumerate({line.schedule: None for line in lines}):
        ordinals = set()
        for day in schedule.days:
            ordinals.add(day.date.toordinal())
            if day.repeats_yearly:
                for year in years:
                    try:
                        ordinals.add(day.date.replace(year=year).toordinal())
                    except ValueError:
                        continue
        for ordinal in sorted(ordinals):
            if dates[0] - 2 <= ordinal <= dates[-1] + 2 and (special := schedule.special_on(ordinal)) is not None:
                found[ordinal] = (*found.get(ordinal, ()), (index, special.periods))
    return found


def _of_a_kind(
    dates: list[int],
    lines: Sequence[Line],
    by_schedule: dict[Schedule, int],
    zone: ZoneInfo,
    now: datetime.datetime,
) -> list[Stretch]:
    first = dates[0]
    noon = datetime.datetime.fromordinal(first) + datetime.timedelta(hours=12)
    home = zone.utcoffset(noon)
    cuts = {0, DAY_MINUTES}
    for schedule in {line.schedule: None for line in lines}:
        away = schedule.zone.utcoffset(noon)
        shift = int((home - away).total_seconds() // 60) if home is not None and away is not None else 0
        for days in (-1, 0, 1) if shift else (-1, 0):
            cuts.update(
                edge + days * DAY_MINUTES + shift for period in schedule.day(first + days)[0] for edge in period
            )
    midnight = moment_of(first, 0, zone)
    for line in lines:
        cuts.update((edge - midnight) // 60_000 for edge in line.hand_edges)
    current = int(now.timestamp() * 1000)
    found: list[Stretch] = []
    for begin, end in pairwise(sorted(cut for cut in cuts if 0 <= cut <= DAY_MINUTES)):
        minute = begin + min(_INTO, (end - begin) // 2)
        ahead = [day for day in dates[:2] if _ends(day, end, zone) > current]
        if not ahead:
            continue
        at = max(moment_of(ahead[0], minute, zone), current)
        moment = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
        mask = 0
        for schedule, bits in by_schedule.items():
            if status(schedule, moment).takes_calls:
                mask |= bits
        if found and found[-1].open == mask and found[-1].end == begin:
            found[-1] = Stretch(found[-1].dates, found[-1].begin, end, found[-1].at, mask)
        else:
            found.append(Stretch(tuple(day for day in dates if day >= ahead[0]), begin, end, at, mask))
    return found


def _ends(ordinal: int, end: int, zone: ZoneInfo) -> int:
    return moment_of(ordinal, end, zone) if end < DAY_MINUTES else moment_of(ordinal + 1, 0, zone)


_NAMES = tuple(day.capitalize() for day in DAYS)
_GROUPS = {
    frozenset(range(7)): "every day",
    frozenset(range(5)): "every weekday",
    frozenset((5, 6)): "every weekend",
}


def pattern(found: Iterable[Stretch], dates: range) -> str:
    """When all that is, in words: "every weekday 12:00-14:00", "on 2026-12-25", "at all times".

    What holds on most dates of a weekday within `dates` is said of the weekday; where nothing does, dates are named.
    """
    by_date: dict[int, list[tuple[int, int]]] = {}
    for stretch in found:
        for ordinal in stretch.dates:
            by_date.setdefault(ordinal, []).append((stretch.begin, stretch.end))
    joined = {ordinal: _joined(parts) for ordinal, parts in by_date.items()}
    usual: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for weekday in range(7):
        of_weekday = [joined.get(ordinal, ()) for ordinal in dates if (ordinal + 6) % 7 == weekday]
        if of_weekday and (most := Counter(of_weekday).most_common(1)[0][0]):
            usual.setdefault(most, []).append(weekday)
    if not usual:
        return f"on {listed([datetime.date.fromordinal(ordinal).isoformat() for ordinal in sorted(joined)], 3)}"
    if usual == {((0, DAY_MINUTES),): list(range(7))}:
        return "at all times"
    return weekly(usual)


def weekly(usual: Mapping[tuple[tuple[int, int], ...], list[int]]) -> str:
    """The same of weekdays (Monday is 0) by their times: "every weekday 12:00-14:00, Saturdays 12:00-13:00"."""
    return ", ".join(f"{_days(weekdays)} {_times(parts)}".rstrip() for parts, weekdays in usual.items())


def _joined(parts: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for begin, end in sorted(parts):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return tuple(found)


def _days(weekdays: list[int]) -> str:
    return _GROUPS.get(frozenset(weekdays)) or listed([f"{_NAMES[day]}s" for day in weekdays], 7)


def _times(parts: tuple[tuple[int, int], ...]) -> str:
    return "" if parts == ((0, DAY_MINUTES),) else listed([f"{clock(begin)}-{clock(end)}" for begin, end in parts], 4)
