"""Cron expressions on the clock of a time zone: which moments they name. Pure.

The expression is read, and matched against dates and times without a zone, by cronsim. What happens where the clock is
put on or back is decided here (docs/algorithms/schedules.md), for every zone alike:

- An expression that names its hours and minutes (neither field begins with `*`) is done once a day each: at a time
  that is skipped, when the clock is put on; at a time that comes twice, the first time only.
- Any other goes by real time: what is skipped is not done, what comes twice is done twice.
"""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

LENGTH = 200
"""How many characters an expression may have."""

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_BAD = {"Bad minute": 0, "Bad hour": 1, "Bad day-of-month": 2, "Bad month": 3, "Bad day-of-week": 4}
_RANGES = ("0 to 59", "0 to 23", "1 to 31, or L for the last", "1 to 12, or JAN to DEC", "0 to 7, or SUN to SAT")
_DAY, _SECOND, _JUST_BEFORE = timedelta(days=1), timedelta(seconds=1), timedelta(microseconds=1)
_WINDOWS = (timedelta(hours=1), _DAY, timedelta(days=32), timedelta(days=500), timedelta(days=20_000))


class CronError(Exception):
    """Why a text is no expression, as a sentence for who wrote it."""


class Cron:
    """An expression on the clock of a zone. Moments are aware, in UTC, to the minute."""

    def __init__(self, expression: str, zone: ZoneInfo) -> None:
        """CronError if `expression` is none, or names no moment at all."""
        self.fields = _read(expression)
        self.zone = zone
        minute, hour, *_ = self.fields.split()
        self.named = not minute.startswith("*") and not hour.startswith("*")
        """Whether it names its hours and minutes, and so is done once at each."""

    def after(self, moment: datetime) -> datetime | None:
        """The first moment behind `moment`; None if there is none in the next 50 years."""
        here, within = moment.astimezone(UTC), False
        while True:
            offset = self._offset(here)
            wall = (here + offset).replace(tzinfo=None)
            found = self._on_the_wall(wall - _SECOND if within else wall)
            if found is None:
                return None
            candidate = found.replace(tzinfo=UTC) - offset
            change = self._change(here, candidate, offset)
            if change is None:
                if not self.named or not candidate.astimezone(self.zone).fold:
                    return candidate
                here, within = candidate, False
                continue
            # The clock is changed first. Of what it skips, the first is done at this moment, and the rest with it.
            put_on_to = (change + self._offset(change)).replace(tzinfo=None)
            if self.named and found < put_on_to:
                return change
            here, within = change, True

    def moments(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """All moments behind `after`, up to `until` and including it."""
        found = self.after(after)
        while found is not None and found <= until:
            yield found
            found = self.after(found)

    def latest(self, since: datetime, until: datetime, most: int) -> list[datetime]:
        """The last moments from `since` to `until`, both included, in their order; at most `most`."""
        found: deque[datetime] = deque(maxlen=most)
        for window in _WINDOWS:
            start = max(since, until - window)
            found.clear()
            found.extend(self.moments(start - _JUST_BEFORE, until))
            if len(found) == most or start == since:
                break
        return list(found)

    def skipped(self, moment: datetime) -> bool:
        """Whether it is done at `moment` because the clock skips the time that it names."""
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        return self._on_the_wall(wall - _SECOND) != wall

    def _offset(self, moment: datetime) -> timedelta:
        offset = moment.astimezone(self.zone).utcoffset()
        assert offset is not None
        return offset

    def _on_the_wall(self, after: datetime) -> datetime | None:
        try:
            return next(CronSim(self.fields, after), None)
        except OverflowError:
            return None

    def _change(self, after: datetime, until: datetime, offset: timedelta) -> datetime | None:
        """The first moment behind `after`, up to `until`, from which on the clock is set otherwise."""
        low = after
        while low < until:
            high = min(low + _DAY, until)
            if self._offset(high) != offset:
                # To the second: zones have changed at odd ones.
                first, last = int(low.timestamp()), int(high.timestamp())
                while last - first > 1:
                    middle = (first + last) // 2
                    if self._offset(datetime.fromtimestamp(middle, UTC)) == offset:
                        first = middle
                    else:
                        last = middle
                return datetime.fromtimestamp(last, UTC)
            low = high
        return None


@lru_cache(maxsize=1_024)
def _read(expression: str) -> str:
    """The five fields, checked."""
    if len(expression) > LENGTH:
        raise CronError(f"Must have at most {LENGTH} characters, but has {len(expression):,}.")
    fields = WORDS.get(expression.strip().lower(), expression).split()
    if len(fields) != len(_FIELDS):
        words = ", ".join(WORDS)
        raise CronError(f"Must have five fields ({', '.join(_FIELDS)}), but has {len(fields)}; or be one of {words}.")
    text = " ".join(fields)
    try:
        found = next(CronSim(text, datetime(2000, 1, 1)), None)  # noqa: DTZ001 - matched against dates without a zone
    except CronSimError as error:
        at = _BAD.get(str(error))
        if at is None:
            raise CronError(f"Is no cron expression: {error}.") from None
        if at == _FIELDS.index("day of the month") and fields[at].isdigit() and 1 <= int(fields[at]) <= 31:
            raise CronError("Names no moment at all: there is no such day in these months.") from None
        raise CronError(
            f"Its {_FIELDS[at]} cannot be {fields[at]!r}: {_RANGES[at]}; lists (1,3), ranges (1-5), steps (*/5)."
        ) from None
    except (AssertionError, ValueError, OverflowError, RecursionError):
        raise CronError("Is no cron expression: write five fields such as 30 2 * * MON-FRI.") from None
    if found is None:
        raise CronError("Names no moment at all: no such day comes in 50 years.")
    return text
