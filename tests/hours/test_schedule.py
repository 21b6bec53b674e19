"""Open or closed: edges, nights, clock changes, holidays and overrides, and agreement with a naive oracle."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.hours import schedule as schedules
from offhook.hours.model import DAYS, Schedule, SpecialDay, Status
from offhook.hours.rules import DEFAULT_WEEK, parse_day
from offhook.hours.schedule import explain, is_open, next_change, opening_periods, status

MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def periods(*entries):
    found, violations = parse_day(entries, "hours")
    assert not violations
    return found


def office(zone="Europe/Lisbon", *days, always=False, **lists):
    """An office with the default week, or only with the `lists` given."""
    entries = [lists.get(day, ()) for day in DAYS] if lists else DEFAULT_WEEK
    return Schedule(ZoneInfo(zone), tuple(periods(*day) for day in entries), always, days)


def every_day(zone, *entries, days=()):
    return office(zone, *days, **dict.fromkeys(DAYS, entries))


def holiday(day, *entries, **more):
    return SpecialDay(date.fromisoformat(day), "holiday", more.pop("name", "Feast"), periods(*entries), **more)


def override(day, *entries, **more):
    return SpecialDay(date.fromisoformat(day), "override", more.pop("name", "Stocktaking"), periods(*entries), **more)


def at(zone, text, fold=0):
    """The instant at which a clock in `zone` shows `text`; `fold` 1 is the second time round."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(found):
    return [(f"{period.start:%d %H:%M}", f"{period.end:%d %H:%M}") for period in found]


# --- edges of a day -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-24T07:59:59.999999", "closed"),
        ("2026-11-24T08:00:00", "open"),
        ("2026-11-24T17:59:59.999999", "open"),
        ("2026-11-24T18:00:00", "closed"),
        ("2026-11-21T12:00:00", "closed"),
        ("2026-11-22T12:00:00", "closed"),
        ("2026-11-23T08:00:00", "open"),
    ],
)
def test_a_call_at_opening_time_is_taken_and_one_at_closing_time_is_not(moment, expected):
    assert status(office(), utc(moment)) == expected
    assert is_open(office(), utc(moment)) is (expected == "open")


def test_lunch_is_closed_to_the_second():
    split = office(tuesday=("08:00", "12:00", "14:00", "18:00"))
    moments = ("11:59:59", "12:00:00", "13:59:59", "14:00:00")
    assert [status(split, utc(f"2026-11-24T{time}")) for time in moments] == ["open", "closed", "closed", "open"]


def test_hours_are_read_on_the_offices_clock_not_on_the_servers():
    assert status(office("America/New_York"), utc("2026-11-24T12:59:59")) == "closed"
    assert status(office("America/New_York"), utc("2026-11-24T13:00:00")) == "open"
    assert status(office("Asia/Kathmandu"), utc("2026-11-24T02:14:59")) == "closed"
    assert status(office("Asia/Kathmandu"), utc("2026-11-24T02:15:00")) == "open"
    assert status(office("US/Pacific"), at("Asia/Tokyo", "2026-11-25T01:00")) == "open"


def test_open_until_the_end_of_the_day_is_open_until_midnight_sharp():
    late = office(monday=("18:00", "24:00"))
    assert status(late, utc("2026-11-23T23:59:59.999999")) == "open"
    assert status(late, utc("2026-11-24T00:00:00")) == "closed"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-27T21:59:59", "closed"),
        ("2026-11-27T22:00:00", "open"),
        ("2026-11-28T00:00:00", "open"),
        ("2026-11-28T01:59:59", "open"),
        ("2026-11-28T02:00:00", "closed"),
        ("2026-11-27T01:00:00", "closed"),
        ("2026-11-28T22:00:00", "closed"),
    ],
)
def test_fridays_night_runs_into_saturday_and_belongs_to_friday(moment, expected):
    assert status(office(friday=("22:00", "02:00")), utc(moment)) == expected


def test_sundays_night_runs_into_monday():
    assert status(office(sunday=("22:00", "02:00")), utc("2026-11-23T01:00")) == "open"


def test_equal_times_are_twenty_four_hours_from_then_on():
    duty = office(monday=("08:00", "08:00"))
    assert shown(opening_periods(duty, utc("2026-11-23"), utc("2026-11-30"))) == [("23 08:00", "24 08:00")]


def test_a_night_and_the_morning_that_it_runs_into_are_one_opening():
    found = opening_periods(
        office(friday=("20:00", "09:00"), saturday=("08:00", "12:00")), utc("2026-11-27"), utc("2026-11-30")
    )
    assert shown(found) == [("27 20:00", "28 12:00")]
    assert found[0].reason == "Friday 20:00-09:00, Saturday 08:00-12:00"


# --- always open ----------------------------------------------------------------------------------------------------


def test_without_hours_the_line_is_always_open_and_the_lists_are_ignored():
    always = office(always=True)
    sunday = utc("2026-11-22T03:00")
    assert status(always, sunday) == "open"
    assert next_change(always, sunday) is None
    (whole,) = opening_periods(always, sunday, sunday + timedelta(days=400))
    assert (whole.start, whole.end, whole.reason) == (sunday, sunday + timedelta(days=400), "always open")


def test_a_line_that_is_always_open_still_closes_on_its_holidays():
    always = office("Europe/Lisbon", holiday("2026-12-25"), always=True)
    change = next_change(always, utc("2026-12-24T12:00"))
    assert change is not None
    assert (change.at, change.to) == (utc("2026-12-25"), "holiday_closed")
    assert status(always, utc("2026-12-26")) == "open"


def test_a_line_without_any_hours_never_changes():
    never = office(monday=())
    never = Schedule(never.zone, ((),) * 7, False)
    assert next_change(never, utc("2026-11-23")) is None
    assert opening_periods(never, utc("2026-11-23"), utc("2027-11-23")) == []


# --- clock changes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "entries", "expected"),
    [
        # Lisbon, 29 March: 01:00 becomes 02:00. 25 October: 02:00 becomes 01:00.
        ("Europe/Lisbon", "2026-03-29", ("01:00", "02:00"), []),
        ("Europe/Lisbon", "2026-03-29", ("00:30", "01:30"), [("29 00:30", "29 01:00")]),
        ("Europe/Lisbon", "2026-03-29", ("01:30", "03:00"), [("29 01:00", "29 02:00")]),
        ("Europe/Lisbon", "2026-03-29", ("00:00", "24:00"), [("29 00:00", "29 23:00")]),
        ("Europe/Lisbon", "2026-10-25", ("01:00", "02:00"), [("25 00:00", "25 02:00")]),
        ("Europe/Lisbon", "2026-10-25", ("00:30", "01:30"), [("24 23:30", "25 00:30"), ("25 01:00", "25 01:30")]),
        ("Europe/Lisbon", "2026-10-25", ("01:30", "03:00"), [("25 00:30", "25 01:00"), ("25 01:30", "25 03:00")]),
        # New York, 8 March: 02:00 becomes 03:00. 1 November: 02:00 becomes 01:00.
        ("America/New_York", "2026-03-08", ("02:00", "03:00"), []),
        ("America/New_York", "2026-03-08", ("02:30", "18:00"), [("08 07:00", "08 22:00")]),
        ("America/New_York", "2026-11-01", ("01:00", "02:00"), [("01 05:00", "01 07:00")]),
        ("America/New_York", "2026-11-01", ("01:15", "01:45"), [("01 05:15", "01 05:45"), ("01 06:15", "01 06:45")]),
        # Lord Howe moves by half an hour. 4 October: 02:00 becomes 02:30. 5 April: 02:00 becomes 01:30.
        ("Australia/Lord_Howe", "2026-10-04", ("02:00", "02:30"), []),
        ("Australia/Lord_Howe", "2026-10-04", ("01:00", "03:00"), [("03 14:30", "03 16:00")]),
        ("Australia/Lord_Howe", "2026-04-05", ("01:30", "02:00"), [("04 14:30", "04 15:30")]),
        # Casablanca leaves its usual time for Ramadan: 15 February, 03:00 becomes 02:00; 22 March, 02:00 becomes 03:00.
        ("Africa/Casablanca", "2026-02-15", ("02:00", "03:00"), [("15 01:00", "15 03:00")]),
        ("Africa/Casablanca", "2026-03-22", ("02:00", "03:00"), []),
        # Kathmandu never changes, 5:45 ahead.
        ("Asia/Kathmandu", "2026-03-29", ("01:00", "02:00"), [("28 19:15", "28 20:15")]),
        # Havana, 3 November 2024: 01:00 becomes 00:00, so the day begins twice. What a later year brings, only the
        # next release of the tz database knows.
        ("America/Havana", "2024-11-03", ("00:00", "00:30"), [("03 04:00", "03 04:30"), ("03 05:00", "03 05:30")]),
        # Beirut, 29 March: midnight becomes 01:00, so the day begins at one.
        ("Asia/Beirut", "2026-03-29", ("00:00", "01:30"), [("28 22:00", "28 22:30")]),
    ],
)
def test_a_skipped_hour_never_happens_and_a_repeated_one_counts_both_times(zone, day, entries, expected):
    line = Schedule(ZoneInfo(zone), ((),) * 7, False, (override(day, *entries),))
    noon = at(zone, f"{day}T12:00")
    assert shown(opening_periods(line, noon - timedelta(days=2), noon + timedelta(days=2))) == expected


def test_a_night_through_the_clock_change_ends_by_the_wall_clock():
    line = office("Europe/Lisbon", saturday=("22:00", "06:00"))
    spring = opening_periods(line, utc("2026-03-28T12:00"), utc("2026-03-29T12:00"))
    autumn = opening_periods(line, utc("2026-10-24T12:00"), utc("2026-10-25T12:00"))
    assert [period.end - period.start for period in (*spring, *autumn)] == [timedelta(hours=7), timedelta(hours=9)]


def test_an_hour_that_is_skipped_is_no_change_of_status():
    line = every_day("Europe/Lisbon", "00:00", "01:00", "02:00", "24:00")
    change = next_change(line, utc("2026-03-28T12:00"))
    assert change is not None
    assert change.at == at("Europe/Lisbon", "2026-03-30T01:00")


def test_apia_went_from_thursday_to_saturday():
    """On 29 December 2011 at midnight the clocks of Apia went to 31 December."""
    line = every_day("Pacific/Apia", "08:00", "18:00")
    found = opening_periods(line, at("Pacific/Apia", "2011-12-29T00:00"), at("Pacific/Apia", "2012-01-01T00:00"))
    assert [period.reason for period in found] == ["Thursday 08:00-18:00", "Saturday 08:00-18:00"]
    assert found[1].start - found[0].end == timedelta(hours=14)
    friday = office("Pacific/Apia", friday=("22:00", "02:00"))
    assert status(friday, at("Pacific/Apia", "2011-12-31T01:59:59")) == "open"
    assert status(friday, at("Pacific/Apia", "2011-12-31T02:00")) == "closed"
    thursday = office("Pacific/Apia", thursday=("22:00", "02:00"))
    assert status(thursday, at("Pacific/Apia", "2011-12-31T00:00")) == "closed"
    change = next_change(thursday, at("Pacific/Apia", "2011-12-29T23:00"))
    assert change is not None
    assert change.at == utc("2011-12-30T10:00")


def test_offsets_of_seconds_before_standard_time_are_exact():
    """Monrovia kept 0:44:30 behind Greenwich until 1972."""
    line = every_day("Africa/Monrovia", "08:00", "18:00")
    change = next_change(line, utc("1971-06-01T00:00"))
    assert change is not None
    assert change.at == utc("1971-06-01T08:44:30")
    assert [status(line, change.at - TICK), status(line, change.at)] == ["closed", "open"]
    for year in (2, 1800, 1883, 1937, 9998):
        for zone in ("Europe/Amsterdam", "Asia/Kathmandu", "Pacific/Apia", "America/New_York"):
            assert next_change(every_day(zone, "08:00", "18:00"), datetime(year, 12, 31, tzinfo=UTC)) is not None


def test_the_zones_that_change_their_clocks_twice_within_a_week_are_followed():
    for zone, year in (("America/Noronha", 2000), ("Asia/Gaza", 2040), ("Africa/Tunis", 1943), ("Europe/Lisbon", 1943)):
        tz, second = ZoneInfo(zone), timedelta(seconds=1)
        stretches = schedules._year_stretches(tz, year)
        hour = datetime(year, 1, 1, tzinfo=UTC)
        while hour.year == year:
            seconds = (hour - datetime(1970, 1, 1, tzinfo=UTC)) // second
            (offset,) = [offset for begin, end, offset in stretches if begin <= seconds < end]
            assert hour.astimezone(tz).utcoffset() == timedelta(seconds=offset)
            hour += timedelta(hours=1)


# --- holidays and overrides -----------------------------------------------------------------------------------------


def test_a_holiday_without_hours_is_closed_all_day():
    line = office("Europe/Lisbon", holiday("2026-12-25"))
    assert status(line, utc("2026-12-25T00:00")) == "holiday_closed"
    assert status(line, utc("2026-12-25T12:00")) == "holiday_closed"
    assert status(line, utc("2026-12-25T23:59:59.999999")) == "holiday_closed"
    assert status(line, utc("2026-12-26T00:00")) == "closed"


def test_half_a_day_on_christmas_eve():
    line = office("Europe/Lisbon", holiday("2026-12-24", "09:00", "12:00", name="Christmas Eve"))
    moments = ("08:59:59", "09:00:00", "11:59:59", "12:00:00")
    assert [status(line, utc(f"2026-12-24T{time}")) for time in moments] == [
        "holiday_closed",
        "holiday_open",
        "holiday_open",
        "holiday_closed",
    ]
    (morning,) = opening_periods(line, utc("2026-12-24"), utc("2026-12-25"))
    assert (morning.kind, morning.reason) == (Status.holiday_open, "Christmas Eve 09:00-12:00")


def test_an_override_opens_one_sunday_and_closes_an_afternoon_without_making_it_a_holiday():
    line = office("Europe/Lisbon", override("2026-11-22", "10:00", "12:00"), override("2026-11-24", "08:00", "15:00"))
    assert status(line, utc("2026-11-22T11:00")) == "open"
    assert status(line, utc("2026-11-24T15:00")) == "closed"
    assert status(line, utc("2026-12-01T15:00")) == "open"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (override("2026-12-25", "10:00", "11:00"), holiday("2026-12-25")),
        (override("2020-12-25", "10:00", "11:00", repeats_yearly=True), holiday("2026-12-25")),
        (override("2026-12-25", "10:00", "11:00"), override("2026-12-25", repeats_yearly=True)),
        (holiday("2026-12-25", "10:00", "11:00"), holiday("2026-12-25", source="holidays:PT")),
        (holiday("2020-12-25", "10:00", "11:00", repeats_yearly=True), holiday("2026-12-25", source="holidays:PT")),
        (holiday("2026-12-25", "10:00", "11:00"), holiday("2020-12-25", repeats_yearly=True)),
    ],
)
def test_of_two_entries_for_a_date_the_stronger_counts_whatever_their_order(winner, loser, turned):
    days = (loser, winner) if turned else (winner, loser)
    assert is_open(office("Europe/Lisbon", *days), utc("2026-12-25T10:30"))
    assert not is_open(office("Europe/Lisbon", *days), utc("2026-12-25T09:30"))


@pytest.mark.parametrize("yearly", [False, True])
def test_of_two_equal_entries_the_later_counts(yearly):
    first = holiday("2026-12-25", repeats_yearly=yearly)
    second = holiday("2026-12-25", "10:00", "11:00", repeats_yearly=yearly)
    assert is_open(office("Europe/Lisbon", first, second), utc("2026-12-25T10:30"))
    assert not is_open(office("Europe/Lisbon", second, first), utc("2026-12-25T10:30"))


def test_the_night_before_a_holiday_runs_to_its_end():
    line = every_day("Europe/Lisbon", "22:00", "02:00", days=(holiday("2026-12-25"),))
    assert status(line, utc("2026-12-25T01:59:59")) == "open"
    assert status(line, utc("2026-12-25T02:00")) == "holiday_closed"
    assert status(line, utc("2026-12-25T23:00")) == "holiday_closed"
    assert status(line, utc("2026-12-26T01:00")) == "closed"


def test_a_holidays_own_night_is_still_the_holidays_after_midnight():
    line = every_day("Europe/Lisbon", "08:00", "18:00", days=(holiday("2026-12-31", "20:00", "03:00"),))
    assert status(line, utc("2027-01-01T02:59:59")) == "holiday_open"
    assert status(line, utc("2027-01-01T03:00")) == "closed"
    found = opening_periods(line, utc("2026-12-24T19:00"), utc("2027-01-01T12:00"))
    assert shown(found)[-2:] == [("31 20:00", "01 03:00"), ("01 08:00", "01 12:00")]


def test_from_the_weeks_hours_into_a_holidays_is_a_change():
    line = every_day("Europe/Lisbon", "00:00", "24:00", days=(holiday("2026-12-25", "00:00", "12:00"),))
    change = next_change(line, utc("2026-12-24T12:00"))
    assert change is not None
    assert (change.at, change.to) == (utc("2026-12-25"), "holiday_open")


def test_where_a_night_meets_the_holidays_own_hours_the_holiday_decides():
    line = office("Europe/Lisbon", holiday("2026-12-25", "01:00", "04:00"), thursday=("22:00", "02:00"))
    found = opening_periods(line, utc("2026-12-24T12:00"), utc("2026-12-26"))
    assert [(f"{part.start:%H:%M}", f"{part.end:%H:%M}", part.kind.value) for part in found] == [
        ("22:00", "01:00", "open"),
        ("01:00", "04:00", "holiday_open"),
    ]


def test_a_day_that_repeats_is_kept_each_year_and_the_29th_of_february_only_in_leap_years():
    line = every_day(
        "Europe/Lisbon",
        "08:00",
        "18:00",
        days=(holiday("2024-02-29", repeats_yearly=True), holiday("2024-05-01", repeats_yearly=True)),
    )
    for year in (2019, 2024, 2031):
        assert status(line, datetime(year, 5, 1, 12, tzinfo=UTC)) == "holiday_closed"
    assert status(line, utc("2028-02-29T12:00")) == "holiday_closed"
    assert {status(line, utc(f"2027-{day}T12:00")) for day in ("02-28", "03-01")} == {Status.open}


def test_a_day_that_does_not_repeat_is_one_day():
    assert status(office("Europe/Lisbon", holiday("2026-05-01")), utc("2028-05-01T12:00")) == "open"


def test_a_holiday_is_the_offices_day_not_utcs():
    line = every_day("Pacific/Auckland", "08:00", "18:00", days=(holiday("2026-12-25"),))
    assert status(line, utc("2026-12-24T12:00")) == "holiday_closed"
    assert status(line, utc("2026-12-25T11:00")) == "closed"


# --- windows, horizons, moments ---------------------------------------------------------------------------------------


def test_periods_are_clipped_to_the_window_to_the_microsecond():
    first, last = utc("2026-11-24T09:30:00.5"), utc("2026-11-24T17:00:00.25")
    (period,) = opening_periods(office(), first, last)
    assert (period.start, period.end) == (first, last)
    assert opening_periods(office(), utc("2026-11-24T18:00"), utc("2026-11-24T20:00")) == []
    assert opening_periods(office(), last, first) == opening_periods(office(), first, first) == []


def test_a_week_open_round_the_clock_is_one_period_with_a_short_reason():
    days = tuple(override(f"2026-12-{day:02}", "00:00", "24:00", name=f"Day {day}") for day in range(1, 20))
    (whole,) = opening_periods(
        every_day("Europe/Lisbon", "00:00", "24:00", days=days), utc("2026-11-01"), utc("2027-11-01")
    )
    assert whole.reason.count(",") == 6
    assert whole.reason.endswith("and 19 more")


def test_a_window_over_four_hundred_days_is_refused():
    opening_periods(office(), utc("2026-01-01"), utc("2026-01-01") + timedelta(days=400))
    with pytest.raises(ValueError, match="at most 400"):
        opening_periods(office(), utc("2026-01-01"), utc("2026-01-01") + timedelta(days=400, seconds=1))


def test_a_change_beyond_the_horizon_is_none():
    always = office("Europe/Lisbon", holiday("2028-12-25"), always=True)
    assert next_change(always, utc("2026-11-24")) is None
    assert next_change(always, utc("2028-12-24T12:00"), horizon_days=1) is not None
    assert next_change(always, utc("2028-12-23T12:00"), horizon_days=1) is None


def test_a_moment_without_a_zone_or_beyond_the_calendar_is_refused():
    naive = utc("2026-11-24T12:00").replace(tzinfo=None)
    for ask in (status, is_open, next_change, explain):
        with pytest.raises(ValueError, match="has no zone"):
            ask(office(), naive)
        for year in (1, 9999):
            with pytest.raises(ValueError, match="outside the years"):
                ask(office(), datetime(year, 12, 31, tzinfo=UTC))


def test_equal_schedules_are_equal_and_hash_alike():
    one, other = (office("Europe/Lisbon", holiday("2026-12-25")) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != office("Europe/Lisbon", holiday("2026-12-26"))


def test_a_week_has_seven_days():
    with pytest.raises(ValueError, match="7 days"):
        Schedule(ZoneInfo("UTC"), ((),) * 6, False)


# --- in a receptionist's words ----------------------------------------------------------------------------------------

NIGHTS = {"tuesday": ("08:00", "12:00", "14:00", "18:00"), "friday": ("22:00", "02:00")}
EVE = holiday("2026-12-24", "09:00", "12:00", name="Christmas Eve")
PARTY = override("2026-12-31", "20:00", "03:00", name="Party")


@pytest.mark.parametrize(
    ("line", "moment", "words"),
    [
        (office(), "2026-11-24T18:02", "Tuesday 18:02, hours ended 18:00"),
        (office(), "2026-11-24T17:59", "Tuesday 17:59, in the hours 08:00-18:00"),
        (office(), "2026-11-24T07:00", "Tuesday 07:00, hours begin 08:00"),
        (office(), "2026-11-22T12:00", "Sunday 12:00, no hours on Sunday"),
        (office(always=True), "2026-11-22T12:00", "Sunday 12:00, always open"),
        (office(**NIGHTS), "2026-11-24T12:30", "Tuesday 12:30, hours ended 12:00, hours begin again 14:00"),
        (office(**NIGHTS), "2026-11-28T01:00", "Saturday 01:00, still in Friday's hours 22:00-02:00"),
        (office(**NIGHTS), "2026-11-28T05:00", "Saturday 05:00, Friday's hours ended 02:00, no hours on Saturday"),
        (office("Europe/Lisbon", EVE), "2026-12-24T10:00", "in the hours 09:00-12:00 of the holiday Christmas Eve"),
        (office("Europe/Lisbon", EVE), "2026-12-24T13:00", "hours ended 12:00 on the holiday Christmas Eve"),
        (office("Europe/Lisbon", holiday("2026-12-25")), "2026-12-25T13:00", "closed for the holiday Feast"),
        (
            office("Europe/Lisbon", PARTY),
            "2027-01-01T01:00",
            "Thursday's hours 20:00-03:00 of the dated override Party",
        ),
        (
            office("Europe/Lisbon", PARTY),
            "2027-01-01T04:00",
            "Thursday's hours of the dated override Party ended 03:00",
        ),
    ],
)
def test_the_status_is_explained(line, moment, words):
    told = explain(line, utc(moment))
    assert words in told
    assert told.endswith(" (Europe/Lisbon)")


# --- against a naive oracle -------------------------------------------------------------------------------------------


def oracle(lists, special, always, zone, moment):
    """The status at an instant, from the lists as they were sent, by comparing what a wall clock shows as text.

    `special` maps a date to (is it a holiday, its list). Knows neither minutes nor offsets nor periods.
    """
    wall = moment.astimezone(zone)
    shows = wall.strftime("%H:%M")
    today, eve = wall.date(), wall.date() - timedelta(days=1)

    def of(day):
        if day in special:
            return special[day]
        return False, ["00:00", "24:00"] if always else lists[day.weekday()]

    is_holiday, entries = of(today)
    for opens, closes in zip(entries[::2], entries[1::2], strict=True):
        if opens <= shows and (closes <= opens or shows < closes):
            return "holiday_open" if is_holiday else "open"
    was_holiday, entries = of(eve)
    if entries and entries[-1] <= entries[-2] and shows < entries[-1]:
        return "holiday_open" if was_holiday else "open"
    return "holiday_closed" if is_holiday else "closed"


@st.composite
def lists_of_a_day(draw):
    if draw(st.integers(0, 3)) == 0:
        return draw(
            st.sampled_from([[], ["00:00", "24:00"], ["22:00", "06:00"], ["02:00", "02:00"], ["01:30", "02:30"]])
        )
    cuts = sorted(draw(st.sets(st.one_of(st.integers(0, 1439), st.integers(0, 200)), max_size=6)))
    entries = [f"{minute // 60:02}:{minute % 60:02}" for minute in cuts[: len(cuts) // 2 * 2]]
    if entries and draw(st.booleans()):
        entries[-1] = draw(st.sampled_from(["24:00", "00:00", "01:45", "03:00", entries[-2]]))
    return entries


TRANSITIONS = [
    ("Europe/Lisbon", "2026-03-29T01:00"),
    ("Europe/Lisbon", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Africa/Casablanca", "2026-03-22T02:00"),
    ("Asia/Kathmandu", "2026-03-29T01:00"),
    ("Asia/Kathmandu", "1985-12-31T18:30"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("America/Havana", "2024-11-03T05:00"),
    ("America/St_Johns", "2010-11-07T02:31"),
    ("Antarctica/Troll", "2026-03-29T01:00"),
    ("UTC", "2027-01-01T00:00"),
]


@st.composite
def cases(draw):
    zone, transition = draw(st.sampled_from(TRANSITIONS))
    lists = [draw(lists_of_a_day()) for _ in DAYS]
    around = utc(transition).date()
    special, days = {}, []
    for shift in sorted(draw(st.sets(st.integers(-3, 3), max_size=3))):
        day, is_holiday, entries = around + timedelta(days=shift), draw(st.booleans()), draw(lists_of_a_day())
        special[day] = (is_holiday, entries)
        year = draw(st.sampled_from([None, 2000, 2032]))
        moved = day if year is None else day.replace(year=year)
        kind: Literal["holiday", "override"] = "holiday" if is_holiday else "override"
        days.append(SpecialDay(moved, kind, f"Day {shift}", periods(*entries), repeats_yearly=year is not None))
    always = draw(st.integers(0, 4)) == 0
    line = Schedule(ZoneInfo(zone), tuple(periods(*entries) for entries in lists), always, tuple(days))
    return line, lists, special, always, utc(transition)


@settings(max_examples=120, deadline=None)
@given(cases(), st.integers(0, 1439))
def test_every_minute_round_a_clock_change_agrees_with_a_naive_wall_clock(case, shift):
    line, lists, special, always, transition = case
    begin = transition - timedelta(days=2) + timedelta(minutes=shift)
    minutes = [begin + number * MINUTE for number in range(3 * 1440)]
    expected = [oracle(lists, special, always, line.zone, minute) for minute in minutes]

    assert [status(line, minute).value for minute in minutes[::7]] == expected[::7]

    from_periods = [""] * len(minutes)
    found = opening_periods(line, begin, begin + timedelta(days=3))
    for period in found:
        for number in range((period.start - begin) // MINUTE, (period.end - begin) // MINUTE):
            assert from_periods[number] == ""
            from_periods[number] = period.kind.value
    assert from_periods == [kind if kind.endswith("open") else "" for kind in expected]
    assert all(one.end < other.start or one.kind != other.kind for one, other in pairwise(found))

    changes = [number for number in range(1, len(minutes)) if expected[number] != expected[number - 1]]
    at_minute, walked = begin, []
    while (change := next_change(line, at_minute, horizon_days=3)) and change.at <= minutes[-1]:
        walked.append((change.at, change.to.value))
        at_minute = change.at
    assert walked == [(minutes[number], expected[number]) for number in changes]


instants = st.builds(
    lambda second, micro: utc("1970-01-01") + timedelta(seconds=second, microseconds=micro),
    st.integers(-2_208_988_800, 4_102_444_800),
    st.sampled_from([0, 0, 1, 999_999]),
)


@settings(max_examples=150, deadline=None)
@given(cases(), instants, st.lists(st.floats(0, 0.999999), max_size=20))
def test_the_next_change_is_the_first_instant_with_another_status(case, begin, fractions):
    line = case[0]
    change = next_change(line, begin, horizon_days=30)
    end = change.at if change else begin + timedelta(days=30)
    now = status(line, begin)
    if change:
        assert change.at > begin
        assert status(line, change.at) is change.to is not now
        assert status(line, change.at - TICK) is now
    for fraction in fractions:
        assert status(line, begin + fraction * (end - begin)) is now


@settings(max_examples=150, deadline=None)
@given(cases(), instants, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_opening_periods_of_any_window_hold_exactly_the_open_instants(case, begin, length):
    line = case[0]
    end = begin + length
    found = opening_periods(line, begin, end)
    edge = begin
    for period in found:
        assert edge <= period.start < period.end <= end
        assert period.reason
        assert status(line, period.start) is status(line, period.end - TICK) is period.kind
        assert period.start == begin or status(line, period.start - TICK) is not period.kind
        assert period.end == end or status(line, period.end) is not period.kind
        assert period.start == edge or not is_open(line, edge)
        edge = period.end
    assert edge == end or not is_open(line, edge)
