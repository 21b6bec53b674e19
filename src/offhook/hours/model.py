"""What an office's opening hours are: a week of periods in wall time, a zone, and days that differ from the week.

Wall time is kept as wall time, never converted to UTC: a zone's rules may change between writing and reading.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

DAY_MINUTES = 1440

Period = tuple[int, int]
"""Minutes since local midnight of the day that the period begins on, half-open: (480, 1080) is 08:00 to 18:00 sharp.

The start is in 0..1439. The end is after it and at most 24 hours later; beyond 1440 it lies in the next day. The
periods of a day are ordered and disjoint, so only the last one can run into the next day.
"""


class Status(StrEnum):
    """The `availability_status` of the v2 wire: whether calls are taken, and whether a holiday's rules say so."""

    open = "open"
    closed = "closed"
    holiday_open = "holiday_open"
    holiday_closed = "holiday_closed"

    @property
    def takes_calls(self) -> bool:
        """True for the two open ones."""
        return self is Status.open or self is Status.holiday_open


@dataclass(frozen=True, slots=True)
class ByHand:
    """A line that somebody opened or closed by hand, whatever its hours say, from `since` up to `until`, not included.

    Both are aware; `until` None: until it is lifted. `told` says until when in words: "until Tuesday 14:00".
    """

    open: bool
    since: datetime.datetime
    until: datetime.datetime | None
    told: str

    def holds(self, at: datetime.datetime) -> bool:
        """Whether it is in force at `at` (aware)."""
        return self.since <= at and (self.until is None or at < self.until)

    @property
    def words(self) -> str:
        """ "closed by hand until Tuesday 14:00"."""
        return f"{'opened' if self.open else 'closed'} by hand {self.told}"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A date whose periods replace the week's: a holiday, or a dated override (a half day, an opening on a Sunday).

    No periods means closed. `repeats_yearly` applies to the month and day of `date` in each year, before and after;
    29 February then only exists in leap years. `source` is "by hand" or where it was imported from,
    "holidays:US-CA".
    """

    date: datetime.date
    kind: Literal["holiday", "override"]
    name: str
    periods: tuple[Period, ...] = ()
    repeats_yearly: bool = False
    source: str = "by hand"


def _rank(day: SpecialDay) -> int:
    """Which of several entries for one date counts: overrides, then what a person wrote, then this very date."""
    return 4 * (day.kind == "override") + 2 * (day.source == "by hand") + (not day.repeats_yearly)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an office takes calls. `week` holds seven days, Monday first; `always_open` (hours_on false) ignores it.

    `by_hand`, while it is in force, goes before everything. `days` count in both cases. Among several for one date the
    order is: override before holiday, by hand before imported, a date of its own before one that repeats yearly, the
    later entry before the earlier. Making one costs about 1 us and 0.5 us a special day; equal schedules hash alike.
    """

    zone: ZoneInfo
    week: tuple[tuple[Period, ...], ...]
    always_open: bool
    days: tuple[SpecialDay, ...] = ()
    by_hand: ByHand | None = None
    _dated: Mapping[int, SpecialDay] = field(init=False, repr=False, compare=False)
    _yearly: Mapping[tuple[int, int], SpecialDay] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.week) != len(DAYS):
            raise ValueError(f"a week has 7 days, not {len(self.week)}")
        dated: dict[int, SpecialDay] = {}
        yearly: dict[tuple[int, int], SpecialDay] = {}
        for day in self.days:
            if day.repeats_yearly:
                place = (day.date.month, day.date.day)
                if (rival := yearly.get(place)) is None or _rank(day) >= _rank(rival):
                    yearly[place] = day
            else:
                ordinal = day.date.toordinal()
                if (rival := dated.get(ordinal)) is None or _rank(day) >= _rank(rival):
                    dated[ordinal] = day
        object.__setattr__(self, "_dated", dated)
        object.__setattr__(self, "_yearly", yearly)

    def special_on(self, ordinal: int) -> SpecialDay | None:
        """The special day that counts on the date with this proleptic ordinal, if there is one."""
        day = self._dated.get(ordinal)
        if self._yearly:
            date = datetime.date.fromordinal(ordinal)
            each = self._yearly.get((date.month, date.day))
            if each is not None and (day is None or _rank(each) > _rank(day)):
                return each
        return day

    def day(self, ordinal: int) -> tuple[tuple[Period, ...], SpecialDay | None]:
        """The periods that begin on that date, and the special day that sets them (None: the week does)."""
        special = self.special_on(ordinal)
        if special is not None:
            return special.periods, special
        if self.always_open:
            return ALL_DAY, None
        return self.week[(ordinal + 6) % 7], None


ALL_DAY: tuple[Period, ...] = ((0, DAY_MINUTES),)
