"""Creating an office: its hours, and the time zone they are of."""

from typing import Any

import pytest

from offhook.kit.zones import NAMES
from tests.api.desk import WHOLE, Company, full, office

# Hours


@pytest.mark.parametrize(
    "hours",
    [
        ["08:00", "18:00"],
        ["00:00", "24:00"],
        ["08:00", "12:00", "12:00", "18:00"],
        ["22:00", "02:00"],
        ["08:00", "12:00", "22:00", "02:00"],
        ["09:00", "09:00"],
        ["00:00", "00:01"],
        [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")],
    ],
)
def test_hours_come_back_as_they_were_sent(embedded: Company, hours: list[str]):
    for day in ("monday_hours", "sunday_hours"):
        assert embedded.live.made(office(**{"hours_on": True, day: hours})).office[day] == hours


@pytest.mark.parametrize(
    ("hours", "entries"),
    [
        (["08:00"], [0]),
        (["08:00", "12:00", "14:00"], [2]),
        (["8:00", "18:00"], [0]),
        (["08:00", "18:60"], [1]),
        (["08:00", "24:01"], [1]),
        (["24:00", "08:00"], [0]),
        (["08:00", "25:00"], [1]),
        (["08:00:00", "18:00"], [0]),
        (["08:00 ", " 18:00"], [0, 1]),
        (["", "18:00"], [0]),
        (["٠٨:٠٠", "18:00"], [0]),
        (["08.00", "18:00"], [0]),
        (["14:00", "18:00", "08:00", "12:00"], [2]),
        (["08:00", "13:00", "12:00", "18:00"], [2]),
        (["22:00", "02:00", "08:00", "12:00"], [1]),
        (["08:00", "18:00", "18:00", "12:00", "19:00", "20:00"], [3]),
    ],
)
def test_a_bad_list_is_refused_and_the_entry_is_named(embedded: Company, hours: list[str], entries: list[int]):
    for on in (True, False, None):
        assert embedded.live.refused(office(hours_on=on, tuesday_hours=hours)) == [
            f"tuesday_hours[{entry}]" for entry in entries
        ]


@pytest.mark.parametrize("entries", [50, 96, 98, 5000])
def test_a_list_longer_than_a_day_can_need_is_refused(embedded: Company, entries: int):
    assert embedded.live.refused(office(hours_on=True, friday_hours=["08:00"] * entries)) == ["friday_hours"]


def test_an_empty_list_closes_the_day(embedded: Company):
    assert "monday_hours" not in embedded.live.made(office(hours_on=True, monday_hours=[])).office


def test_hours_are_kept_and_ignored_and_warned_of_while_hours_on_is_false(embedded: Company):
    for on in (False, None):
        body = office(hours_on=on, monday_hours=["09:00", "10:00"])
        answer = embedded.live.made(body)
        assert ("hours_ignored", "monday_hours") in answer.warned
        assert answer.office["monday_hours"] == ["09:00", "10:00"]
        assert answer.office["availability_status"] == "open"
    assert "hours_ignored" not in embedded.live.made(office(hours_on=False, monday_hours=None)).codes
    assert "hours_ignored" not in embedded.live.made(office(hours_on=True)).codes


def test_an_office_that_never_opens_and_nights_that_run_into_the_morning_are_warned_of(embedded: Company):
    never: dict[str, Any] = {f"{day}_hours": [] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    assert ("never_open", "hours_on") in embedded.live.made(office(hours_on=True) | never).warned
    body = office(hours_on=True, monday_hours=["20:00", "09:00"], tuesday_hours=["08:00", "18:00"])
    assert ("hours_overlap", "monday_hours") in embedded.live.made(body).warned


# Time zones


@pytest.mark.parametrize("name", ["US/Pacific", "Asia/Calcutta", "GB", "UTC", "EST5EDT", "Europe/Kyiv", "Etc/GMT+12"])
def test_any_name_of_the_tz_database_is_taken_links_included(embedded: Company, name: str):
    assert name in NAMES
    answer = embedded.live.made(office(timezone=name))
    assert answer.office["timezone"] == name
    assert "timezone_default" not in answer.codes


@pytest.mark.parametrize(
    "name", ["", "Lisbon", "europe/lisbon", "Europe/Lisbon ", "../etc/passwd", "/etc/localtime", "localtime", "PDT",
             "GMT+25:00", "Europe", "posixrules", "x" * 64, "x" * 65]
)  # fmt: skip
def test_no_other_zone_is_taken(embedded: Company, name: str):
    assert embedded.live.refused(office(timezone=name)) == ["timezone"]


def test_a_zone_that_is_almost_right_gets_a_hint(embedded: Company):
    answer = embedded.live.create(office(timezone="lisbon"))
    assert "Europe/Lisbon" in answer.errors[0]["message"]


def test_without_a_zone_the_countrys_only_one_is_taken(embedded: Company):
    answer = embedded.live.made(office(country="IT", timezone=None))
    assert answer.office["timezone"] == "Europe/Rome"
    assert ("timezone_default", "timezone") in answer.warned


def test_without_a_zone_and_with_several_to_choose_from_the_primary_offices_is_taken(company: Company):
    answer = company.live.made(office(timezone=None))
    assert answer.office["timezone"] == "America/Los_Angeles"
    assert any("America/Los_Angeles" in w.text for w in answer.warnings if w.code == "timezone_default")


def test_the_primary_offices_zone_is_its_newest(company: Company):
    company.live.made(office())
    primary = company.office_ids["live"]
    assert company.live.put(f"{WHOLE}/{primary}", full(timezone="America/Denver")).status == 200
    assert company.live.made(office(timezone=None)).office["timezone"] == "America/Denver"


def test_a_zone_of_another_country_is_taken_with_a_warning(embedded: Company):
    assert ("timezone_elsewhere", "timezone") in embedded.live.made(office(timezone="Asia/Tokyo")).warned
    assert "timezone_elsewhere" not in embedded.live.made(office(timezone="Atlantic/Madeira")).codes
