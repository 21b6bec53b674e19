"""Whole years, minute by minute, in thirty zones: the engine against an oracle that only reads a wall clock.

The oracle knows no periods, no offsets and no minutes since midnight: for each minute of the year it asks what a clock
on the wall shows, and compares that text with the lists as they were sent.
"""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from offhook.hours.model import Schedule, SpecialDay
from offhook.hours.rules import periods_of
from offhook.hours.schedule import next_change, opening_periods, status

MINUTE = timedelta(minutes=1)

YEARS = {
    # Both edges of summer time, on either half of the globe, and where it is half an hour.
    "Europe/Lisbon": 2026, "Europe/Berlin": 2027, "Europe/London": 2025, "Europe/Kyiv": 2026,
    "America/New_York": 2026, "America/Los_Angeles": 2024, "America/St_Johns": 2026, "America/Havana": 2025,
    "America/Santiago": 2026, "America/Asuncion": 2023, "Asia/Jerusalem": 2026, "Asia/Beirut": 2026,
    "Africa/Cairo": 2026, "Africa/Casablanca": 2026, "Australia/Sydney": 2026, "Australia/Adelaide": 2026,
    "Australia/Lord_Howe": 2026, "Pacific/Auckland": 2026, "Pacific/Chatham": 2026, "Antarctica/Troll": 2026,
    # Offsets of 30 and 45 minutes without summer time.
    "Asia/Kolkata": 2026, "Asia/Kathmandu": 2026, "Asia/Yangon": 2026, "Australia/Eucla": 2026, "Asia/Tehran": 2022,
    # A day that did not happen, one that came twice, and clocks that were moved for good.
    "Pacific/Apia": 2011, "Pacific/Fakaofo": 2011, "Pacific/Kwajalein": 1993, "America/Caracas": 2016,
    # And where nothing ever happens.
    "UTC": 2028,
}  # fmt: skip
SOME = ["Europe/Lisbon", "Australia/Lord_Howe", "Pacific/Apia"]


def a_day(dice: random.Random) -> list[str]:
    """Lists as people send them: none, split, all day, over midnight."""
    kind = dice.randrange(8)
    if kind == 0:
        return []
    if kind == 1:
        return ["00:00", "24:00"]
    cuts = sorted(dice.sample(range(1440), 2 * dice.randint(1, 3)))
    entries = [f"{cut // 60:02}:{cut % 60:02}" for cut in cuts]
    if kind == 2:
        entries[-1] = "24:00"
    elif kind == 3:
        entries[-1] = f"{dice.randrange(0, cuts[-2] // 60 + 1):02}:00"  # ends before it begins: the night
        if entries[-1] > entries[-2]:
            entries[-1] = entries[-2]
    return entries


def a_schedule(zone: str, year: int, dice: random.Random):
    week = [a_day(dice) for _ in range(7)]
    special = {}
    for _ in range(12):
        day = date(year, 1, 1) + timedelta(days=dice.randrange(366))
        special[day] = (dice.random() < 0.6, a_day(dice))
    days = tuple(
        SpecialDay(day, "holiday" if holiday else "override", str(day), periods_of(tuple(entries)))
        for day, (holiday, entries) in special.items()
    )
    made = Schedule(ZoneInfo(zone), tuple(periods_of(tuple(entries)) for entries in week), dice.random() < 0.1, days)
    return made, week, special


def read_off_the_wall(week, special, always, wall: datetime) -> str:
    """What the lists say to somebody who looks at the clock and the calendar."""
    shows = wall.strftime("%H:%M")

    def of(day):
        return special.get(day) or (False, ["00:00", "24:00"] if always else week[day.weekday()])

    today = wall.date()
    holiday, entries = of(today)
    for opens, closes in zip(entries[::2], entries[1::2], strict=True):
        if opens <= shows and (shows < closes or closes <= opens):
            return "holiday_open" if holiday else "open"
    was_holiday, entries = of(today - timedelta(days=1))
    if entries and entries[-1] <= entries[-2] and shows < entries[-1]:
        return "holiday_open" if was_holiday else "open"
    return "holiday_closed" if holiday else "closed"


def agrees(zone: str, year: int, seed: int) -> None:
    dice = random.Random(f"{zone} {seed}")
    made, week, special = a_schedule(zone, year, dice)
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    count = (end - begin) // MINUTE
    there = ZoneInfo(zone)
    walls = ((begin + number * MINUTE).astimezone(there) for number in range(count))
    expected = [read_off_the_wall(week, special, made.always_open, wall) for wall in walls]

    found = ["" for _ in range(count)]
    for period in opening_periods(made, begin, end):
        for number in range((period.start - begin) // MINUTE, (period.end - begin) // MINUTE):
            found[number] = period.kind.value
    assert found == [kind if kind.endswith("open") else "" for kind in expected]

    for number in range(dice.randrange(17), count, 17):
        assert status(made, begin + number * MINUTE).value == expected[number]

    changes = [
        (begin + number * MINUTE, expected[number])
        for number in range(1, count)
        if expected[number] != expected[number - 1]
    ]
    for (before, _), (at, to) in pairwise([(begin, expected[0]), *changes]):
        change = next_change(made, before)
        assert change is not None
        assert (change.at, change.to.value) == (at, to)


@pytest.mark.brief
@pytest.mark.parametrize("zone", SOME)
def test_a_whole_year_agrees_with_a_wall_clock(zone):
    agrees(zone, YEARS[zone], 0)


@pytest.mark.long
@pytest.mark.parametrize("zone", YEARS)
def test_whole_years_agree_with_a_wall_clock(zone):
    agrees(zone, YEARS[zone], 1)


def test_there_are_thirty_zones_and_the_odd_ones_are_among_them():
    assert len(YEARS) == 30
