"""Reading the hour lists of an office, and saying what is wrong with them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.hours.model import DAYS
from offhook.hours.rules import DEFAULT_WEEK, format_day, overlaps, parse_day


@pytest.mark.parametrize(
    ("entries", "periods"),
    [
        ([], ()),
        (["08:00", "18:00"], ((480, 1080),)),
        (["08:00", "12:00", "14:00", "18:00"], ((480, 720), (840, 1080))),
        (["08:00", "12:00", "12:00", "18:00"], ((480, 720), (720, 1080))),
        (["00:00", "24:00"], ((0, 1440),)),
        (["00:00", "00:00"], ((0, 1440),)),
        (["18:00", "24:00"], ((1080, 1440),)),
        (["18:00", "00:00"], ((1080, 1440),)),
        (["22:00", "02:00"], ((1320, 1560),)),
        (["08:00", "08:00"], ((480, 1920),)),
        (["23:59", "23:58"], ((1439, 2878),)),
        (["09:00", "12:00", "20:00", "03:30"], ((540, 720), (1200, 1650))),
    ],
)
def test_a_list_of_opening_and_closing_times_becomes_periods(entries, periods):
    assert parse_day(entries, "monday_hours") == (periods, [])


@pytest.mark.parametrize(
    ("entries", "places"),
    [
        (["08:00"], ["[0]"]),
        ([""], ["[0]"]),
        (["24:00"], ["[0]"]),
        (["08:00", "12:00", "14:00"], ["[2]"]),
        (["8:00", "18:00"], ["[0]"]),
        (["08:00", "18:0"], ["[1]"]),
        (["08:00", "25:00"], ["[1]"]),
        (["08:00", "18:60"], ["[1]"]),
        (["08:00", " 18:00"], ["[1]"]),
        (["08:00", "18:00\n"], ["[1]"]),
        (["٠٨:٠٠", "18:00"], ["[0]"]),
        (["08:00:00", "6pm"], ["[0]", "[1]"]),
        (["", ""], ["[0]", "[1]"]),
        (["08:00", "24:01"], ["[1]"]),
        (["24:00", "08:00"], ["[0]"]),
        (["08:00", "24:00", "24:00", "24:00"], ["[2]"]),
        (["14:00", "18:00", "08:00", "12:00"], ["[2]"]),
        (["08:00", "12:00", "11:59", "18:00"], ["[2]"]),
        (["08:00", "12:00", "11:00", "02:00"], ["[2]"]),
        (["18:00", "08:00", "19:00", "20:00"], ["[1]"]),
        (["08:00", "08:00", "09:00", "10:00"], ["[1]"]),
        (["08:00", "00:00", "09:00", "10:00"], ["[1]"]),
        (["x", "12:00", "11:00", "10:30", "10:00", "18:00", "19:00"], ["[0]", "[3]", "[6]"]),
    ],
)
def test_a_bad_list_is_refused_and_every_bad_entry_is_named_at_once(entries, places):
    periods, violations = parse_day(entries, "monday_hours")
    assert periods == ()
    assert [violation.location for violation in violations] == [f"monday_hours{place}" for place in places]
    assert all(violation.message and violation.sent is not None for violation in violations)


def test_the_message_says_what_to_do():
    (violation,) = parse_day(["08:00", "12:00", "14:00"], "sunday_hours")[1]
    assert "add one or drop" in violation.message
    assert violation.sent == "14:00"


def test_the_same_bad_list_in_two_days_names_each_day():
    for day in ("monday_hours", "friday_hours"):
        assert parse_day(["late", "18:00"], day)[1][0].location == f"{day}[0]"


def test_more_than_forty_eight_entries_are_refused_as_a_whole():
    fits = [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    assert parse_day(fits, "monday_hours")[1] == []
    (violation,) = parse_day([*fits, "23:40", "23:50"], "monday_hours")[1]
    assert violation.location == "monday_hours"
    assert "at most 48" in violation.message


def test_a_huge_entry_is_refused_shortened_and_not_remembered():
    from offhook.hours import rules

    before = rules._parse_cached.cache_info()
    (violation,) = parse_day(["08:00", "9" * 1_000_000], "monday_hours")[1]
    assert len(violation.sent or "") == 120
    assert rules._parse_cached.cache_info() == before


def test_without_lists_an_office_is_open_on_workdays_from_eight_to_six():
    week = [parse_day(entries, day) for day, entries in zip(DAYS, DEFAULT_WEEK, strict=True)]
    assert week == [(((480, 1080),), [])] * 5 + [((), [])] * 2


minutes = st.integers(0, 1439)


@st.composite
def days(draw):
    """A list of one day, as someone could rightly send it."""
    cuts = sorted(draw(st.sets(minutes, min_size=0, max_size=12)))
    cuts = cuts[: len(cuts) // 2 * 2]
    entries = [f"{minute // 60:02}:{minute % 60:02}" for minute in cuts]
    if entries and draw(st.booleans()):
        entries[-1] = draw(st.sampled_from(["24:00", "00:00", "02:30", entries[-2]]))
    return entries


@given(days())
def test_what_was_read_is_written_back_the_same(entries):
    periods, violations = parse_day(entries, "monday_hours")
    assert violations == []
    written = format_day(periods)
    assert parse_day(written, "monday_hours") == (periods, [])
    assert [text.replace("24:00", "00:00") for text in written] == [text.replace("24:00", "00:00") for text in entries]


@given(st.lists(st.one_of(st.text(max_size=7), st.from_regex(r"[0-2][0-9]:[0-6][0-9]", fullmatch=True)), max_size=60))
def test_any_list_is_either_read_or_refused_with_its_places(entries):
    periods, violations = parse_day(entries, "monday_hours")
    if violations:
        assert periods == ()
        return
    assert len(entries) == 2 * len(periods)
    for (_, end), (start, _) in pairwise(periods):
        assert end <= start
    assert all(0 <= start < 1440 and start < end <= start + 1440 for start, end in periods)
    assert all(end <= 1440 for _, end in periods[:-1])


def week_of(**lists):
    return [parse_day(lists.get(day, []), day)[0] for day in DAYS]


def test_a_night_into_the_next_mornings_hours_is_noted_also_from_sunday_to_monday():
    week = week_of(monday=["06:00", "12:00"], friday=["20:00", "09:00"], saturday=["08:00", "10:00"])
    ((day, text),) = overlaps(week)
    assert (day, text) == (4, "Friday 20:00-09:00 runs into Saturday 08:00-10:00; they count as one")
    assert [day for day, _ in overlaps(week_of(sunday=["22:00", "06:01"], monday=["06:00", "12:00"]))] == [6]


def test_a_night_that_ends_as_the_next_day_opens_is_not_noted():
    assert overlaps(week_of(friday=["20:00", "08:00"], saturday=["08:00", "10:00"])) == []
    assert overlaps(week_of(friday=["20:00", "24:00"], saturday=["00:00", "10:00"])) == []
