"""Reads the hour lists of the wire into periods and writes them back: ["08:00", "12:00", "14:00", "18:00"].

Every fault of a list is named with its entry and with what to do. What is read is cached by content, because most
offices keep the same few lists; nothing longer than a list can rightly be goes into the cache.
"""

from collections.abc import Sequence
from functools import lru_cache

from offhook.hours.model import DAY_MINUTES, DAYS, Period
from offhook.kit.errors import Violation, sentence, shown

MAX_ENTRIES = 48

WORKDAY = ("08:00", "18:00")
DEFAULT_WEEK: tuple[tuple[str, ...], ...] = (WORKDAY, WORKDAY, WORKDAY, WORKDAY, WORKDAY, (), ())
"""The lists of an office that sends none, Monday first, in wire form (the seed's `monday_hours` and following)."""

_TEXTS = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(DAY_MINUTES + 1))
_MINUTES = {text: minute for minute, text in enumerate(_TEXTS)}

_Fault = tuple[int, str]


def parse_day(entries: Sequence[str], location: str) -> tuple[tuple[Period, ...], list[Violation]]:
    """The periods of one day's list, and all that is wrong with it; `location` is the list's field path.

    Entries are opening and closing times in turn, "HH:MM" in 24 hours, "24:00" only as a closing time, in order and
    without overlap; pairs may touch. The last pair may end at or before its start and then runs into the next day
    (equal times: 24 hours). With violations the periods are empty.
    """
    if len(entries) > MAX_ENTRIES:
        message = f"has {len(entries)} entries; at most {MAX_ENTRIES} (24 pairs) are taken: join or drop pairs"
        return (), [Violation(location=location, message=sentence(message))]
    known = len("".join(entries)) <= MAX_ENTRIES * len("HH:MM")
    periods, faults = (_parse_cached if known else _parse)(tuple(entries))
    if not faults:
        return periods, []
    return (), [
        Violation(location=f"{location}[{index}]", message=sentence(message), sent=shown(entries[index]))
        for index, message in faults
    ]


def _parse(entries: tuple[str, ...]) -> tuple[tuple[Period, ...], tuple[_Fault, ...]]:
    faults: list[_Fault] = []
    minutes = [_MINUTES.get(entry) for entry in entries]
    for index, minute in enumerate(minutes):
        if minute is None:
            faults.append((index, "must be a time as HH:MM, 00:00 to 23:59 (24:00 to close at the end of the day)"))
        elif minute == DAY_MINUTES and index % 2 == 0:
            faults.append((index, "24:00 can only close; to open at midnight write 00:00 in the next day's list"))
    if len(entries) % 2 and (not faults or faults[-1][0] != len(entries) - 1):
        faults.append((len(entries) - 1, "opens without a closing time; times go in pairs: add one or drop this one"))
    periods: list[Period] = []
    for index in range(0, len(entries) - 1, 2):
        start, end = minutes[index], minutes[index + 1]
        if start is None or end is None or start == DAY_MINUTES:
            continue
        if end <= start:
            if index + 2 < len(entries):
                late = f"closes at or before {entries[index]}, when it opens; only the last pair may run past midnight"
                faults.append((index + 1, f"{late}: put the pairs in order"))
                continue
            end += DAY_MINUTES
        if periods and start < periods[-1][1]:
            rule = "is before {} of the pair ahead of it; order the pairs from early to late, without overlap"
            faults.append((index, rule.format(_TEXTS[periods[-1][1]])))
            continue
        periods.append((start, end))
    return ((), tuple(sorted(faults))) if faults else (tuple(periods), ())


_parse_cached = lru_cache(maxsize=2048)(_parse)


def periods_of(entries: tuple[str, ...]) -> tuple[Period, ...]:
    """The periods of a list that `parse_day` has accepted before."""
    return _parse_cached(entries)[0]


def clock(minute: int) -> str:
    """Minutes since midnight as wall time; 1440 is "24:00", beyond it the time of the next day: 1560 is "02:00"."""
    return _TEXTS[minute if minute <= DAY_MINUTES else minute - DAY_MINUTES]


def format_day(periods: Sequence[Period]) -> list[str]:
    """The list that `parse_day` reads as `periods`. A close at midnight is "24:00", also where "00:00" was sent."""
    return [clock(minute) for period in periods for minute in period]


def format_period(period: Period) -> str:
    """A period in a sentence: "08:00-18:00", "22:00-02:00"."""
    return f"{clock(period[0])}-{clock(period[1])}"


def overlaps(week: Sequence[Sequence[Period]]) -> list[tuple[int, str]]:
    """Nights that run into the next day's first period: (index of the day the night begins on, a sentence).

    Such a week is taken: the two are united. It is worth a warning, since it is rarely meant.
    """
    found = []
    for index, periods in enumerate(week):
        following = (index + 1) % len(week)
        if not periods or not week[following]:
            continue
        night, first = periods[-1], week[following][0]
        if night[1] - DAY_MINUTES > first[0]:
            day, next_day = DAYS[index].capitalize(), DAYS[following].capitalize()
            text = f"{day} {format_period(night)} runs into {next_day} {format_period(first)}; they count as one"
            found.append((index, text))
    return found
