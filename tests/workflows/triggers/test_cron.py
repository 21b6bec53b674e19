"""The moments of expressions, held against every minute of days on which clocks are changed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.kit import zones
from offhook.workflows.triggers.cron import LENGTH, Cron, CronError

MINUTE = timedelta(minutes=1)


def zone(name: str) -> ZoneInfo:
    found = zones.zone(name)
    assert found is not None
    return found


def local(expression: str, name: str, after: str, count: int) -> list[str]:
    """The next moments as the clock of the zone shows them, with its offset."""
    cron, moment, found = Cron(expression, zone(name)), datetime.fromisoformat(after).replace(tzinfo=zone(name)), []
    for _ in range(count):
        following = cron.after(moment)
        assert following is not None
        moment = following
        found.append(moment.astimezone(zone(name)).isoformat()[5:16] + moment.astimezone(zone(name)).isoformat()[-6:])
    return found


CHANGES = [
    # A time that is named and skipped is when the clock is put on; once, however many are named.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["03-29T03:00+02:00", "03-30T02:30+02:00"]),
    ("10,40 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["03-29T03:00+02:00", "03-30T02:10+02:00"]),
    ("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00", ["03-29T03:00+02:00", "03-30T02:00+02:00"]),
    ("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00", ["04-24T01:00+03:00", "04-25T00:00+03:00"]),
    # One that comes twice is the first of the two.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["10-25T02:30+02:00", "10-26T02:30+01:00"]),
    ("0 2,3 * * *", "Europe/Berlin", "2026-10-24T12:00", ["10-25T02:00+02:00", "10-25T03:00+01:00"]),
    # What goes by real time is not done when it is skipped, and done twice when it comes twice.
    ("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["03-30T02:00+02:00", "03-30T02:30+02:00"]),
    (
        "*/30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T12:00",
        ["10-25T02:00+02:00", "10-25T02:30+02:00", "10-25T02:00+01:00", "10-25T02:30+01:00", "10-26T02:00+01:00"],
    ),
    ("0 * * * *", "Europe/Berlin", "2026-03-29T00:30", ["03-29T01:00+01:00", "03-29T03:00+02:00", "03-29T04:00+02:00"]),
    # Half an hour only, and a whole day.
    (
        "*/15 2 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T12:00",
        ["04-05T02:00+10:30", "04-05T02:15+10:30", "04-05T02:30+10:30", "04-05T02:45+10:30", "04-06T02:00+10:30"],
    ),
    ("0 12 30 12 *", "Pacific/Apia", "2011-01-04T12:00", ["12-31T00:00+14:00", "12-30T12:00+14:00"]),
]


@pytest.mark.parametrize(("expression", "name", "after", "found"), CHANGES)
def test_clocks_that_are_changed(expression: str, name: str, after: str, found: list[str]):
    assert local(expression, name, after, len(found)) == found


def test_a_moment_within_the_hour_that_comes_twice_is_not_followed_by_an_earlier_one():
    berlin = zone("Europe/Berlin")
    second = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)
    assert Cron("45 2 * * *", berlin).after(second) == datetime(2026, 10, 26, 1, 45, tzinfo=UTC)
    assert Cron("*/45 2 * * *", berlin).after(second) == datetime(2026, 10, 25, 1, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "found"),
    [
        ("0 9 L * *", "2026-02-01T00:00", "02-28T09:00+00:00"),
        ("0 9 * * FRI#2", "2026-11-01T00:00", "11-13T09:00+00:00"),
        ("0 9 13 * FRI", "2026-11-01T00:00", "11-06T09:00+00:00"),
        ("@weekly", "2026-11-26T00:00", "11-29T00:00+00:00"),
        (" @Daily ", "2026-11-26T00:00", "11-27T00:00+00:00"),
        ("0 0 29 2 *", "2026-11-26T00:00", "02-29T00:00+00:00"),
    ],
)
def test_what_may_be_written(expression: str, after: str, found: str):
    assert local(expression, "UTC", after, 1) == [found]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "five fields"),
        ("* * * *", "has 4"),
        ("0 * * * * *", "has 6"),
        ("@often", "@hourly"),
        ("61 * * * *", "minute cannot be '61': 0 to 59"),
        ("0 25 * * *", "hour cannot be '25'"),
        ("0 0 32 * *", "day of the month cannot be '32'"),
        ("0 0 1 13 *", "month cannot be '13'"),
        ("0 0 * * 8", "day of the week cannot be '8'"),
        ("0 0 * * FRI-MON", "day of the week"),
        ("*/0 * * * *", "minute"),
        ("0 0 31 2,4 *", "no such day in these months"),
        ("* * */20 * 1L", "no such day comes"),
        ("1," * LENGTH + "1 * * * *", f"at most {LENGTH}"),
    ],
)
def test_what_may_not_be_written_is_told_with_its_field(expression: str, said: str):
    with pytest.raises(CronError, match=said.replace("*", r"\*")):
        Cron(expression, zone("UTC"))


@given(st.text(alphabet="0123456789*/,-#LW@ADEMNORSTU²٣ß\0 ", max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all_is_read_or_refused(text: str):
    try:
        cron = Cron(text, zone("Europe/Berlin"))
    except CronError:
        return
    assert cron.after(datetime(2026, 1, 1, tzinfo=UTC)) is not None


# Every minute

DAYS = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-30"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("Antarctica/Troll", "2026-03-29"),
    ("Antarctica/Troll", "2026-10-25"),
    ("America/St_Johns", "2010-11-07"),
    ("Pacific/Apia", "2011-12-30"),
    ("Asia/Kathmandu", "2026-06-01"),
]
Field = tuple[str, frozenset[int]]


def _field(low: int, high: int) -> st.SearchStrategy[Field]:
    numbers = st.integers(low, high)
    lists = st.lists(numbers, min_size=1, max_size=4).map(
        lambda chosen: (",".join(map(str, chosen)), frozenset(chosen))
    )
    ranges = st.tuples(numbers, numbers).map(sorted).map(
        lambda two: (f"{two[0]}-{two[1]}", frozenset(range(two[0], two[1] + 1)))
    )  # fmt: skip
    steps = st.integers(1, 20).map(lambda step: (f"*/{step}", frozenset(range(low, high + 1, step))))
    return st.one_of(st.just(("*", frozenset(range(low, high + 1)))), lists, ranges, steps)


early = st.integers(0, 4).map(lambda hour: (str(hour), frozenset({hour})))
hours = st.one_of(_field(0, 23), early)
every_month = st.just(("*", frozenset(range(1, 13))))
months = st.one_of(every_month, every_month, every_month, _field(1, 12))
anything = st.tuples(
    _field(0, 59), hours, st.one_of(st.just(("*", frozenset(range(1, 32)))), _field(1, 31)), months, _field(0, 6)
)


def _fits(fields: Sequence[Field], wall: datetime) -> bool:
    minute, hour, day, month, weekday = fields
    dom, dow = wall.day in day[1], wall.isoweekday() % 7 in weekday[1]
    either = not day[0].startswith("*") and not weekday[0].startswith("*")
    days = dom or dow if either else dom and dow
    return wall.minute in minute[1] and wall.hour in hour[1] and wall.month in month[1] and days


def _by_hand(fields: Sequence[Field], here: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """All moments behind `since` up to `until`, by a look at each minute."""
    named = not fields[0][0].startswith("*") and not fields[1][0].startswith("*")
    found, moment = [], since
    while moment < until:
        before, moment = moment.astimezone(here), moment + MINUTE
        now = moment.astimezone(here)
        wall, expected = now.replace(tzinfo=None), before.replace(tzinfo=None, fold=0) + MINUTE
        done = _fits(fields, wall) and not (named and now.fold)
        while named and expected < wall.replace(fold=0) and not done:
            done = _fits(fields, expected)
            expected += MINUTE
        if done:
            found.append(moment)
    return found


@given(anything, st.sampled_from(DAYS), st.integers(0, 900))
@settings(max_examples=200, deadline=None)
def test_every_minute_around_a_change_agrees(fields: Sequence[Field], day: tuple[str, str], offset: int):
    here = zone(day[0])
    since = datetime.fromisoformat(day[1]).replace(tzinfo=UTC) - timedelta(minutes=offset)
    until = since + timedelta(hours=36)
    try:
        cron = Cron(" ".join(text for text, _ in fields), here)
    except CronError:
        assert _by_hand(fields, here, since, until) == []
        return
    assert list(cron.moments(since, until)) == _by_hand(fields, here, since, until)


@given(anything, st.sampled_from(DAYS), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_the_latest_are_the_last_of_all(fields: Sequence[Field], day: tuple[str, str], most: int):
    try:
        cron = Cron(" ".join(text for text, _ in fields), zone(day[0]))
    except CronError:
        return
    until = datetime.fromisoformat(day[1]).replace(tzinfo=UTC) + timedelta(hours=30)
    since = until - timedelta(days=2)
    everything = list(cron.moments(since - MINUTE, until))
    assert cron.latest(since, until, most) == [one for one in everything if one >= since][-most:]
