"""Holidays and dated overrides of an office, by hand and imported; its opening periods and the next change."""

from typing import Any

import pytest

from tests.api.desk import OFFICES, WHOLE, Api, Company, office

WEEK = {f"{day}_hours": ["09:00", "17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


def _office(caller: Api, **changes: Any) -> str:
    """An office in Lisbon, open from nine to five on working days; its additive path."""
    body = office(**({"hours_on": True, "timezone": "Europe/Lisbon"} | WEEK | changes))
    return f"{WHOLE}/{caller.made(body).id}"


def _status(caller: Api, place: str, moment: str) -> str:
    status: str = caller.at(moment).get(place.replace(WHOLE, OFFICES)).json["availability_status"]
    return status


EVE = {"date": "2026-12-24", "name": "Christmas Eve", "hours": ["09:00", "12:00"]}
DAY = {"date": "2026-12-25", "name": "Christmas Day", "kind": "holiday"}


def test_a_half_day_and_a_holiday_replace_the_weeks_hours(company: Company):
    caller, place = company.sandbox, _office(company.sandbox)
    answer = caller.put(f"{place}/special-days", {"days": [DAY, EVE]})
    assert answer.status == 200
    assert answer.json["days"] == [
        EVE | {"kind": "override", "repeats_yearly": False, "source": "by hand"},
        DAY | {"hours": [], "repeats_yearly": False, "source": "by hand"},
    ]
    assert caller.get(f"{place}/special-days").json == answer.json
    assert caller.get(place).office["special_days"] == answer.json["days"]
    for moment, status in (
        ("2026-12-23T16:59:59Z", "open"),
        ("2026-12-24T11:59:59Z", "open"),
        ("2026-12-24T12:00:00Z", "closed"),
        ("2026-12-25T10:00:00Z", "holiday_closed"),
        ("2026-12-28T10:00:00Z", "open"),
    ):
        assert _status(caller, place, moment) == status, moment


def test_a_holiday_has_hours_of_its_own(company: Company):
    caller, place = company.sandbox, _office(company.sandbox)
    caller.put(f"{place}/special-days", {"days": [DAY | {"hours": ["10:00", "11:00"]}]})
    assert _status(caller, place, "2026-12-25T10:30:00Z") == "holiday_open"
    assert _status(caller, place, "2026-12-25T12:30:00Z") == "holiday_closed"


def test_a_day_that_repeats_counts_in_every_year(company: Company):
    caller, place = company.sandbox, _office(company.sandbox)
    caller.put(f"{place}/special-days", {"days": [DAY | {"repeats_yearly": True}]})
    for year in (2024, 2026, 2030):
        assert _status(caller, place, f"{year}-12-25T10:00:00Z") == "holiday_closed"


def test_special_days_count_while_hours_on_is_false(company: Company):
    caller, place = company.sandbox, _office(company.sandbox, hours_on=False)
    caller.put(f"{place}/special-days", {"days": [DAY]})
    assert _status(caller, place, "2026-12-25T10:00:00Z") == "holiday_closed"
    assert _status(caller, place, "2026-12-26T03:00:00Z") == "open"


def test_a_day_of_the_same_date_and_kind_is_replaced_and_others_stay(company: Company):
    caller, place = company.live, _office(company.live)
    caller.put(f"{place}/special-days", {"days": [EVE, DAY]})
    later = caller.put(f"{place}/special-days", {"days": [EVE | {"name": "Half day"}, EVE | {"kind": "holiday"}]})
    assert [(day["date"], day["kind"], day["name"]) for day in later.json["days"]] == [
        ("2026-12-24", "holiday", "Christmas Eve"),
        ("2026-12-24", "override", "Half day"),
        ("2026-12-25", "holiday", "Christmas Day"),
    ]


def test_days_are_removed_by_date_and_kind(company: Company):
    caller, place = company.live, _office(company.live)
    caller.put(f"{place}/special-days", {"days": [EVE, EVE | {"kind": "holiday"}, DAY]})
    one = caller.delete(f"{place}/special-days/2026-12-24?kind=holiday")
    assert [day["kind"] for day in one.json["days"]] == ["override", "holiday"]
    assert caller.delete(f"{place}/special-days/2026-12-24").json["days"][0]["date"] == "2026-12-25"
    assert caller.delete(f"{place}/special-days/2026-12-24").status == 404
    assert caller.delete(f"{place}/special-days/2026-12-25?kind=override").status == 404
    assert caller.delete(f"{place}/special-days/2026-12-25?kind=feast").places == ["kind"]
    for wrong in ("tomorrow", "2026-02-30", "2026-1-1", "24-12-2026"):
        assert caller.delete(f"{place}/special-days/{wrong}").places == ["date"], wrong


@pytest.mark.parametrize(
    "date", ["", "tomorrow", "2026-02-29", "2026-13-01", "1969-12-31", "2201-01-01", "20261224", "2026-12-24T00:00:00",
             "24.12.2026", "2026-1-1", "2026-W52-4", "٢٠٢٦-12-24", "2026-12-24 "]
)  # fmt: skip
def test_a_date_is_written_as_year_month_day(embedded: Company, date: str):
    place = _office(embedded.live)
    answer = embedded.live.put(f"{place}/special-days", {"days": [EVE, EVE | {"date": date}]})
    assert answer.status == 400, answer
    assert answer.places == ["days[1].date"]


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"name": ""}, ["days[0].name"]),
        ({"name": "a\nb"}, ["days[0].name"]),
        ({"name": None}, ["days[0].name"]),
        ({"kind": "feast"}, ["days[0].kind"]),
        ({"hours": ["09:00"]}, ["days[0].hours[0]"]),
        ({"hours": ["9", "10:00"]}, ["days[0].hours[0]"]),
        ({"hours": "09:00"}, ["days[0].hours"]),
        ({"repeats_yearly": "yes"}, ["days[0].repeats_yearly"]),
        ({"date": 20261224}, ["days[0].date"]),
        ({"name": "", "date": "x", "hours": ["1"]}, ["days[0].date", "days[0].hours[0]", "days[0].name"]),
    ],
)  # fmt: skip
def test_a_bad_day_is_refused_with_every_fault(embedded: Company, change: dict, places: list[str]):
    place = _office(embedded.live)
    answer = embedded.live.put(f"{place}/special-days", {"days": [EVE | change]})
    assert answer.status == 400
    assert answer.places == places
    assert embedded.live.get(f"{place}/special-days").json["days"] == []


@pytest.mark.parametrize("count", [0, 401])
def test_one_to_four_hundred_days_are_sent_at_once(embedded: Company, count: int):
    place = _office(embedded.live)
    answer = embedded.live.put(f"{place}/special-days", {"days": [EVE] * count})
    assert answer.status == 400, answer
    assert answer.places == ["days"]


def test_an_office_keeps_at_most_a_thousand_days(company: Company):
    place = _office(company.live)

    def days(year: int) -> dict[str, Any]:
        dates = [f"{year}-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
        return {"days": [{"date": date, "name": "x"} for date in dates]}

    for year in (2026, 2027):
        assert company.live.put(f"{place}/special-days", days(year)).status == 200
    assert company.live.put(f"{place}/special-days", days(2028)).status == 409
    assert len(company.live.get(f"{place}/special-days").json["days"]) == 672


def test_days_are_refused_if_the_office_changed_since(company: Company):
    place = _office(company.live)
    stale = {"if-match": '"9"'}
    assert company.live.put(f"{place}/special-days", {"days": [EVE]}, headers=stale).status == 412
    company.live.put(f"{place}/special-days", {"days": [EVE]}, headers={"if-match": '"1"'})
    assert company.live.delete(f"{place}/special-days/2026-12-24", headers=stale).status == 412


# Imported


def test_public_holidays_are_imported_for_this_year_and_the_next(company: Company):
    caller = company.sandbox.at("2026-06-01T00:00:00Z")
    place = _office(caller)
    answer = caller.post(f"{place}/holidays/import", {})
    assert answer.status == 200
    found = {(day["date"], day["kind"], day["source"]) for day in answer.json["days"]}
    assert ("2026-06-10", "holiday", "holidays:PT") in found
    assert ("2027-12-25", "holiday", "holidays:PT") in found
    assert {date[:4] for date, _, _ in found} == {"2026", "2027"}
    assert _status(company.sandbox, place, "2026-06-10T10:00:00Z") == "holiday_closed"
    assert caller.get(f"{place}/special-days").json == answer.json


def test_holidays_of_a_region_and_in_a_language(company: Company):
    caller, place = company.live, _office(company.live)
    body = {"country": "us", "region": "TX", "years": [2026], "hours": ["10:00", "12:00"], "language": "en_US"}
    days = caller.post(f"{place}/holidays/import", body).json["days"]
    assert {day["source"] for day in days} == {"holidays:US-TX"}
    assert all(day["hours"] == ["10:00", "12:00"] for day in days)
    assert "San Jacinto Day" in {day["name"] for day in days}


def test_a_year_without_data_is_said(company: Company):
    answer = company.live.post(f"{_office(company.live)}/holidays/import", {"country": "UA", "years": [2026]})
    assert answer.status == 200
    assert "holidays.no_data" in answer.codes
    assert answer.json["days"] == []


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"country": "XX"}, ["country"]),
        ({"country": "DP"}, ["country"]),
        ({"country": "US", "region": "ZZ"}, ["region"]),
        ({"years": [1900]}, ["years[0]"]),
        ({"years": [2026, "x"]}, ["years[1]"]),
        ({"years": [2026] * 11}, ["years"]),
        ({"years": [10**30]}, ["years[0]"]),
        ({"hours": ["09:00"], "years": [2026]}, ["hours[0]"]),
        ({"country": "", "years": 2026}, ["years"]),
    ],
)
def test_an_import_that_cannot_be_is_refused(embedded: Company, body: dict, places: list[str]):
    place = _office(embedded.live)
    answer = embedded.live.post(f"{place}/holidays/import", body)
    assert answer.status == 400, answer
    assert answer.places == places
    assert embedded.live.get(f"{place}/special-days").json["days"] == []


def test_a_dry_run_of_an_import_shows_the_days_and_keeps_none(company: Company):
    place = _office(company.live)
    answer = company.live.post(f"{place}/holidays/import", {"years": [2026]}, headers={"offhook-dry-run": "true"})
    assert len(answer.json["days"]) > 5
    assert company.live.get(f"{place}/special-days").json["days"] == []


def test_a_repeated_import_answers_the_same_and_happens_once(company: Company):
    place, key = _office(company.live), {"idempotency-key": "import-1"}
    first = company.live.post(f"{place}/holidays/import", {"years": [2026]}, headers=key)
    again = company.live.post(f"{place}/holidays/import", {"years": [2026]}, headers=key)
    assert again.json == first.json
    assert again.headers["offhook-replayed"] == "true"
    assert company.live.get(place).office["version"] == "2"
    assert company.live.post(f"{place}/holidays/import", {"years": [2027]}, headers=key).status == 409


def test_what_is_set_by_hand_wins_over_what_was_imported(company: Company):
    caller, place = company.sandbox, _office(company.sandbox)
    caller.post(f"{place}/holidays/import", {"years": [2026]})
    caller.put(f"{place}/special-days", {"days": [{"date": "2026-06-10", "name": "Open all the same",
                                                    "hours": ["09:00", "12:00"]}]})  # fmt: skip
    assert _status(caller, place, "2026-06-10T10:00:00Z") == "open"


# Opening periods


def test_opening_periods_between_two_moments_with_the_next_change(company: Company):
    caller, place = company.sandbox.at("2026-12-24T10:00:00Z"), _office(company.sandbox)
    caller.put(f"{place}/special-days", {"days": [EVE, DAY]})
    answer = caller.get(f"{place}/opening-periods?start=2026-12-23T12:00:00Z&end=2026-12-29T00:00:00%2B00:00").json
    assert answer["timezone"] == "Europe/Lisbon"
    assert [(period["start"][:16], period["end"][:16]) for period in answer["periods"]] == [
        ("2026-12-23T12:00", "2026-12-23T17:00"),
        ("2026-12-24T09:00", "2026-12-24T12:00"),
        ("2026-12-28T09:00", "2026-12-28T17:00"),
    ]
    assert "Christmas Eve" in answer["periods"][1]["reason"]
    assert "Christmas Eve" in answer["explanation"]
    assert answer["next_change"]["at"] == "2026-12-24T12:00:00+00:00"


def test_the_coming_week_is_shown_unless_moments_are_sent(company: Company):
    caller, place = company.sandbox.at("2026-07-04T00:00:00Z"), _office(company.sandbox)
    answer = caller.get(f"{place}/opening-periods").json
    assert [period["start"] for period in answer["periods"]] == [
        f"2026-07-{day:02}T09:00:00+01:00" for day in range(6, 11)
    ]
    assert answer["status"] == "closed"
    assert answer["next_change"] == {"at": "2026-07-06T09:00:00+01:00", "to": "open"}


def test_an_office_that_is_always_open_has_one_period_and_no_change(company: Company):
    caller, place = company.sandbox.at("2026-07-04T00:00:00Z"), _office(company.sandbox, hours_on=False)
    answer = caller.get(f"{place}/opening-periods").json
    assert len(answer["periods"]) == 1
    assert "next_change" not in answer


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("start=yesterday", ["start"]),
        ("start=2026-12-24T09:00:00", ["start"]),
        ("start=2026-12-24", ["start"]),
        ("start=1969-12-31T00:00:00Z", ["start"]),
        ("end=2201-01-01T00:00:00Z", ["end"]),
        ("start=x&end=y", ["end", "start"]),
        ("start=2026-12-24T09:00:00Z&end=2026-12-24T08:59:59Z", ["end"]),
        ("start=2026-01-01T00:00:00Z&end=2027-02-05T00:00:01Z", ["end"]),
        ("start=2026-01-01T00:00:00Z&start=2026-01-02T00:00:00Z", ["start"]),
        ("end=0001-01-01T00:00:00Z", ["end"]),
        ("end=9999-12-31T23:59:59-14:00", ["end"]),
        (f"start={'2' * 70}", ["start"]),
    ],
)
def test_moments_that_cannot_be_are_refused(embedded: Company, query: str, places: list[str]):
    answer = embedded.live.get(f"{_office(embedded.live)}/opening-periods?{query}")
    assert answer.status == 400, answer
    assert answer.places == places


@pytest.mark.parametrize(
    "query",
    [
        "start=2026-12-24T09:00:00Z&end=2026-12-24T09:00:00Z",
        "start=2026-01-01T00:00:00Z&end=2027-02-05T00:00:00Z",
        "start=2026-12-24T09:00:00 01:00",
        "start=&end=",
        "start=2200-12-30T00:00:00Z",
        "start=1970-01-01T00:00:00Z",
    ],
)
def test_moments_at_the_edges_are_taken(embedded: Company, query: str):
    assert embedded.live.get(f"{_office(embedded.live)}/opening-periods?{query}").status == 200


def test_a_date_and_kind_that_stands_twice_is_refused(embedded: Company):
    place = f"{_office(embedded.live)}/special-days"
    answer = embedded.live.put(place, {"days": [EVE, DAY, EVE | {"name": "Again"}]})
    assert answer.places == ["days[2].date"]
    assert "days[0]" in answer.errors[0]["message"]


def test_what_has_no_dry_run_is_not_carried_out_by_one(embedded: Company):
    place, dry = _office(embedded.live), {"offhook-dry-run": "true"}
    assert embedded.live.put(f"{place}/special-days", {"days": [EVE]}, headers=dry).places == ["Offhook-Dry-Run"]
    assert embedded.live.delete(place, headers=dry).places == ["Offhook-Dry-Run"]
    assert embedded.live.get(place, headers=dry).status == 200
    assert embedded.live.get(f"{place}/special-days").json["days"] == []


def test_imports_with_one_key_at_the_same_time_are_one_change(company: Company):
    place, key = _office(company.live), {"idempotency-key": "import-2"}
    before = len(company.live.events())
    answers = company.live.together(
        company.live.sending("POST", f"{place}/holidays/import", {"years": [2026]}, headers=key) for _ in range(8)
    )
    assert {answer.status for answer in answers} == {200}
    assert len({str(answer.json) for answer in answers}) == 1
    assert len(company.live.events()) == before + 1
