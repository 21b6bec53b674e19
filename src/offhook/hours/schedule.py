"""Open or closed: what a schedule says at an instant, between two instants, and when that changes.

One function, `_rule_at`, decides by wall time; all others ask it. Stretches of constant UTC offset carry its answers
over to real instants, so that a skipped hour never happens and a repeated one counts both times. No clock in here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from offhook.hours.model import DAY_MINUTES, DAYS, Period, Schedule, SpecialDay, Status
from offhook.hours.rules import clock, format_period

MAX_WINDOW_DAYS = 400

FIRST_YEAR, LAST_YEAR = 2, 9998
"""The years that answers are given for: one day beyond either end must still be a date."""

_NAMES = tuple(day.capitalize() for day in DAYS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_SECOND = timedelta(seconds=1)
_END = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
_DAY_SECONDS = 86_400
_REASONS_SHOWN = 7

_SAMPLE_SECONDS = 3 * _DAY_SECONDS
"""How far apart a zone's offset is looked at. The shortest time that any zone of the tz database goes to another offset
and back is 6 days and 23 hours (Noronha in 2000, Gaza in years to come)."""


@dataclass(frozen=True, slots=True)
class OpeningPeriod:
    """Calls are taken from `start` up to, not including, `end` (both UTC); `kind` is open or holiday_open.

    `reason` names the rules that open it: "Tuesday 08:00-18:00", "Christmas Eve 09:00-12:00", "always open".
    """

    start: datetime
    end: datetime
    kind: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """At the instant `at` (UTC) the status becomes `to`."""

    at: datetime
    to: Status


class _Rule(NamedTuple):
    """What decides a wall minute: the period that holds it (None: closed), the date that it begins on, its special."""

    status: Status
    ordinal: int
    period: Period | None
    special: SpecialDay | None


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether the line takes calls at `at` (aware), by the schedule's wall clock.

    Periods are half-open: a line that closes at 18:00 is closed at 18:00:00. A skipped hour (spring) is never open, a
    repeated one (autumn) is open both times. A dated override, then a holiday, wins over the week.
    """
    return status(schedule, at).takes_calls


def status(schedule: Schedule, at: datetime) -> Status:
    """The availability at `at` (aware), by the schedule's wall clock.

    A line that was opened or closed by hand is so for as long as that is in force. Otherwise:
    Inside a period that began today, today's kind decides; else inside a night that began yesterday, yesterday's;
    else the line is closed, and today being a holiday makes that holiday_closed.
    """
    hand = schedule.by_hand
    if hand is not None and hand.holds(at):
        return Status.open if hand.open else Status.closed
    local = _local(schedule, at)
    return _rule_at(schedule, local.toordinal(), local.hour * 60 + local.minute).status


def special_day(schedule: Schedule, at: datetime) -> SpecialDay | None:
    """The holiday or dated override that decides the status at `at` (aware), None where the week does, or a hand."""
    if schedule.by_hand is not None and schedule.by_hand.holds(at):
        return None
    local = _local(schedule, at)
    return _rule_at(schedule, local.toordinal(), local.hour * 60 + local.minute).special


def opening_periods(schedule: Schedule, start: datetime, end: datetime) -> list[OpeningPeriod]:
    """When calls are taken in [`start`, `end`): ordered, clipped to the window, touching ones of a kind joined.

    An opening by the week and one by a holiday that touch stay two, because calls may be routed differently.
    ValueError for a naive moment and a window over 400 days; an empty window has no periods.
    """
    first, last = _checked(start).astimezone(UTC), _checked(end).astimezone(UTC)
    if last - first > timedelta(days=MAX_WINDOW_DAYS):
        raise ValueError(f"the window is {(last - first).days} days long; at most {MAX_WINDOW_DAYS}")
    runs: list[tuple[int, int, Status, dict[str, None]]] = []
    for begin, stop, kind, reason in _segments(schedule, _floor(first), _floor(last) + 1):
        if not kind.takes_calls:
            continue
        if runs and runs[-1][1] == begin and runs[-1][2] is kind:
            begin, reasons = runs[-1][0], runs[-1][3]
            runs[-1] = (begin, stop, kind, reasons)
            reasons[reason] = None
        else:
            runs.append((begin, stop, kind, {reason: None}))
    found = []
    for begin, stop, kind, reasons in runs:
        opens, closes = max(_instant(begin), first), min(_instant(stop), last)
        if opens < closes:
            found.append(OpeningPeriod(opens, closes, kind, _listed(list(reasons))))
    return found


def next_change(schedule: Schedule, at: datetime, horizon_days: int = MAX_WINDOW_DAYS) -> Change | None:
    """The first instant after `at` (aware) at which the status differs from that at `at`, exact to the second.

    None: the status stays as it is for `horizon_days`; so for a line that is always open and has no special days
    ahead. A change from open to holiday_open is a change.
    """
    low = _floor(_checked(at))
    current: Status | None = None
    for begin, _, kind, _ in _segments(schedule, low, low + horizon_days * _DAY_SECONDS):
        if current is None:
            current = kind
        elif kind is not current:
            return Change(_instant(begin), kind)
    return None


def next_turn(schedule: Schedule, at: datetime, horizon_days: int = MAX_WINDOW_DAYS) -> Change | None:
    """The same for whether calls are taken: from open to holiday_open is none, nor from closed to holiday_closed."""
    low = _floor(_checked(at))
    current: Status | None = None
    for begin, _, kind, _ in _segments(schedule, low, low + horizon_days * _DAY_SECONDS):
        if current is None:
            current = kind
        elif kind.takes_calls is not current.takes_calls:
            return Change(_instant(begin), kind)
    return None


def explain(schedule: Schedule, at: datetime) -> str:
    """The status at `at` (aware) in a receptionist's words: "Tuesday 18:02, hours ended 18:00 (Europe/Lisbon)"."""
    local = _local(schedule, at)
    hand = schedule.by_hand
    if hand is not None and hand.holds(at):
        return f"{_NAMES[local.weekday()]} {local:%H:%M}, {hand.words} ({schedule.zone.key or 'unnamed zone'})"
    ordinal, minute = local.toordinal(), local.hour * 60 + local.minute
    rule = _rule_at(schedule, ordinal, minute)
    told = _told_open(schedule, rule, ordinal) if rule.period else _told_closed(schedule, rule.special, ordinal, minute)
    return f"{_NAMES[local.weekday()]} {local:%H:%M}, {told} ({schedule.zone.key or 'unnamed zone'})"


def _told_open(schedule: Schedule, rule: _Rule, ordinal: int) -> str:
    assert rule.period is not None
    if rule.special is None and schedule.always_open:
        return "always open"
    words = f"in the hours {format_period(rule.period)}"
    if rule.ordinal != ordinal:
        words = f"still in {_NAMES[(rule.ordinal + 6) % 7]}'s hours {format_period(rule.period)}"
    return words if rule.special is None else f"{words} of {_titled(rule.special)}"


def _told_closed(schedule: Schedule, special: SpecialDay | None, ordinal: int, minute: int) -> str:
    periods, _ = schedule.day(ordinal)
    earlier, eve = schedule.day(ordinal - 1)
    ended = [end for _, end in periods if end <= minute]
    begins = [start for start, _ in periods if start > minute]
    words = []
    if ended:
        words.append(f"hours ended {clock(ended[-1])}")
    elif earlier and earlier[-1][1] > DAY_MINUTES:
        night = f"{_NAMES[(ordinal + 5) % 7]}'s hours" + (f" of {_titled(eve)}" if eve else "")
        words.append(f"{night} ended {clock(earlier[-1][1])}")
    if begins:
        words.append(f"hours begin {'again ' if ended else ''}{clock(begins[0])}")
    if not periods:
        words.append(f"closed for {_titled(special)}" if special else f"no hours on {_NAMES[(ordinal + 6) % 7]}")
    elif special is not None:
        words[-1] += f" on {_titled(special)}"
    return ", ".join(words)


def _titled(special: SpecialDay) -> str:
    return f"the {'holiday' if special.kind == 'holiday' else 'dated override'} {special.name}".rstrip()


def _rule_at(schedule: Schedule, ordinal: int, minute: int) -> _Rule:
    """The one decision: what holds at a wall minute (0..1439) of a date (proleptic ordinal)."""
    periods, special = schedule.day(ordinal)
    for period in periods:
        if period[0] <= minute < period[1]:
            return _Rule(_opened(special), ordinal, period, special)
    earlier, eve = schedule.day(ordinal - 1)
    if earlier and minute < earlier[-1][1] - DAY_MINUTES:
        return _Rule(_opened(eve), ordinal - 1, earlier[-1], eve)
    shut = Status.holiday_closed if special is not None and special.kind == "holiday" else Status.closed
    return _Rule(shut, ordinal, None, special)


def _opened(special: SpecialDay | None) -> Status:
    return Status.holiday_open if special is not None and special.kind == "holiday" else Status.open


def _timeline(schedule: Schedule, ordinal: int) -> list[tuple[int, int, Status, str]]:
    """A date's wall time cut where a rule begins or ends: (from second, to second, status, reason), 0 to 86400."""
    cuts = {0, DAY_MINUTES}
    for period in schedule.day(ordinal)[0]:
        cuts.update(period)
    for _, end in schedule.day(ordinal - 1)[0]:
        cuts.add(end - DAY_MINUTES)
    edges = sorted(cut for cut in cuts if 0 <= cut <= DAY_MINUTES)
    parts = []
    for begin, end in pairwise(edges):
        rule = _rule_at(schedule, ordinal, begin)
        parts.append((begin * 60, end * 60, rule.status, _reason(schedule, rule)))
    return parts


def _reason(schedule: Schedule, rule: _Rule) -> str:
    if rule.period is None:
        return ""
    if rule.special is not None:
        return f"{rule.special.name or rule.special.kind} {format_period(rule.period)}"
    if schedule.always_open:
        return "always open"
    return f"{_NAMES[(rule.ordinal + 6) % 7]} {format_period(rule.period)}"


def _segments(schedule: Schedule, low: int, high: int) -> Iterator[tuple[int, int, Status, str]]:
    """[`low`, `high`) in seconds since 1970 UTC as a gapless row of (from, to, status, reason)."""
    hand = schedule.by_hand
    if hand is None:
        yield from _by_rules(schedule, low, high)
        return
    since = max(low, _floor(hand.since))
    until = min(high, _END) if hand.until is None else min(high, _END, _floor(hand.until))
    if since >= until:
        yield from _by_rules(schedule, low, high)
        return
    yield from _by_rules(schedule, low, since)
    yield since, until, Status.open if hand.open else Status.closed, hand.words
    yield from _by_rules(schedule, until, high)


def _by_rules(schedule: Schedule, low: int, high: int) -> Iterator[tuple[int, int, Status, str]]:
    """The same by the week and the special days alone."""
    ordinary: dict[int, list[tuple[int, int, Status, str]]] = {}
    for begin, end, offset in _stretches(schedule.zone, low, min(high, _END)):
        wall, wall_end = begin + offset, end + offset
        for number in range(wall // _DAY_SECONDS, (wall_end - 1) // _DAY_SECONDS + 1):
            ordinal = number + _EPOCH_ORDINAL
            if schedule.special_on(ordinal) or schedule.special_on(ordinal - 1):
                parts = _timeline(schedule, ordinal)
            elif (known := ordinary.get(ordinal % 7)) is not None:
                parts = known
            else:
                parts = ordinary[ordinal % 7] = _timeline(schedule, ordinal)
            midnight = number * _DAY_SECONDS
            for from_second, to_second, kind, reason in parts:
                first, last = max(midnight + from_second, wall), min(midnight + to_second, wall_end)
                if first < last:
                    yield first - offset, last - offset, kind, reason


def _stretches(zone: ZoneInfo, low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """[`low`, `high`) cut where the zone's offset changes: (from, to, seconds east of UTC)."""
    if low >= high:
        return
    for year in range(_instant(low).year, _instant(high - 1).year + 1):
        for begin, end, offset in _year_stretches(zone, year):
            if begin < high and end > low:
                yield max(begin, low), min(end, high), offset


@lru_cache(maxsize=2048)
def _year_stretches(zone: ZoneInfo, year: int) -> tuple[tuple[int, int, int], ...]:
    """The stretches of one UTC year, found by looking at the offset every few days and halving where it differs."""
    begin, end = _floor(datetime(year, 1, 1, tzinfo=UTC)), _floor(datetime(year + 1, 1, 1, tzinfo=UTC))
    stretches = []
    left, offset = begin, _offset(zone, begin)
    for sample in (*range(begin + _SAMPLE_SECONDS, end - 1, _SAMPLE_SECONDS), end - 1):
        following = _offset(zone, sample)
        if following == offset:
            continue
        before, after = max(sample - _SAMPLE_SECONDS, begin), sample
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
        stretches.append((left, after, offset))
        left, offset = after, following
    return (*stretches, (left, end, offset))


def _offset(zone: ZoneInfo, second: int) -> int:
    delta = _instant(second).astimezone(zone).utcoffset()
    assert delta is not None
    return delta.days * _DAY_SECONDS + delta.seconds


def _instant(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)


def _floor(at: datetime) -> int:
    return (at - _EPOCH) // _SECOND


def _checked(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no zone; an aware moment is needed")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"{at.isoformat()} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return at


def _local(schedule: Schedule, at: datetime) -> datetime:
    return _checked(at).astimezone(schedule.zone)


def _listed(reasons: list[str]) -> str:
    more = len(reasons) - _REASONS_SHOWN
    return ", ".join(reasons[:_REASONS_SHOWN]) + (f" and {more} more" if more > 0 else "")
