"""The picture of a week says what the hours say: it agrees with the schedule, minute by minute."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.console import week_svg
from offhook.hours.model import Schedule
from offhook.hours.rules import parse_day
from offhook.hours.schedule import is_open
from offhook.kit.zones import zone

CLOSED: list[list[str]] = [[] for _ in range(7)]
DAY = st.sampled_from(
    [[], ["08:00", "18:00"], ["09:00", "12:30", "14:00", "18:00"], ["22:00", "06:00"], ["00:00", "24:00"]]
)


def test_a_night_is_cut_at_midnight_and_goes_on_in_the_next_row():
    week = [*CLOSED[:6], ["22:00", "06:00"]]
    rows = week_svg.rows(week)
    assert rows[6] == [(1320, 1440)]
    assert rows[0] == [(0, 360)]


@given(st.lists(DAY, min_size=7, max_size=7))
def test_a_minute_is_in_the_picture_if_the_office_takes_calls_in_it(week: list[list[str]]):
    utc = zone("UTC")
    assert utc is not None
    schedule = Schedule(utc, tuple(parse_day(day, "")[0] for day in week), always_open=False)
    rows = week_svg.rows(week)
    monday = datetime(2026, 12, 7, tzinfo=UTC)
    for minute in range(0, 7 * 1440, 30):
        drawn = any(start <= minute % 1440 < end for start, end in rows[minute // 1440])
        assert drawn == is_open(schedule, monday + timedelta(minutes=minute)), minute


@pytest.mark.parametrize("now", [None, (3, 725)])
def test_the_picture_is_well_formed_names_itself_and_has_no_style(now: tuple[int, int] | None):
    text = str(week_svg.drawn([["08:00", "18:00"], *CLOSED[:6]], now=now))
    root = ElementTree.fromstring(text)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"]
    assert "style" not in text
    kinds = [one.attrib["class"] for one in root]
    assert kinds.count("open") == 1
    assert kinds.count("closed") == 7
    assert kinds.count("now") == (0 if now is None else 1)


def test_an_office_that_is_always_open_is_drawn_open_whatever_its_lists_say():
    assert week_svg.rows(CLOSED, always=True) == [[(0, 1440)]] * 7
    assert week_svg.table(CLOSED, always=True)[0] == ("Monday", "00:00–24:00")
    assert week_svg.table(CLOSED)[6] == ("Sunday", "closed")
