"""Lines that somebody opens or closes by hand, whatever their hours say."""

from typing import Any

import pytest

from tests.api.desk import OFFICES, WHOLE, Api, Company, office

WEEK = {f"{day}_hours": ["09:00", "17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
LINE = {"hours_on": True, "timezone": "Europe/Lisbon", **WEEK}
TUESDAY = "2026-11-24"


def made(caller: Api, kind: str, **changes: Any) -> str:
    """An office, or a department or call center of one, open from nine to five on working days; its id."""
    id = caller.made(office(**LINE | changes)).id
    if kind == "offices":
        return id
    answer = caller.post(f"/api/v2/{kind}", {"name": "Sales", "office_id": id, "hours_on": True, **WEEK})
    assert answer.status == 200, answer
    found: str = answer.json["id"]
    return found


def hand(kind: str, id: str) -> str:
    return f"/api/offhook/v1/{kind}/{id}/by-hand"


def status(caller: Api, kind: str, id: str, clock: str, day: str = TUESDAY) -> str:
    found: str = caller.at(f"{day}T{clock}Z").get(f"/api/v2/{kind}/{id}").json["availability_status"]
    return found


@pytest.fixture(params=["offices", "departments", "callcenters"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_a_line_that_is_closed_by_hand_is_closed_until_then_to_the_second(company: Company, kind: str):
    caller = company.sandbox
    id = made(caller, kind)
    body = {"status": "closed", "until": f"{TUESDAY} 14:00", "reason": "Fire drill"}
    answer = caller.at(f"{TUESDAY}T10:00:00Z").put(hand(kind, id), body)
    assert answer.status == 200, answer
    assert answer.json == {
        "by_hand": True,
        "availability_status": "closed",
        "explanation": "Tuesday 10:00, closed by hand until Tuesday 2026-11-24 14:00: Fire drill (Europe/Lisbon)",
        "next_change": "2026-11-24T14:00:00+00:00",
        "status": "closed",
        "since": "2026-11-24T10:00:00+00:00",
        "until": "2026-11-24T14:00:00+00:00",
        "reason": "Fire drill",
        "set_by": answer.json["set_by"],
    }
    seen = [status(caller, kind, id, clock) for clock in ("09:59:59", "10:00:00", "13:59:59", "14:00:00")]
    assert seen == ["open", "closed", "closed", "open"]


def test_opened_until_the_next_change_follows_the_hours(company: Company, kind: str):
    caller = company.sandbox
    id = made(caller, kind)
    evening = caller.at(f"{TUESDAY}T20:00:00Z")
    answer = evening.put(hand(kind, id), {"status": "open", "until_next_change": True})
    assert answer.json["until"] == "2026-11-25T09:00:00+00:00"
    assert status(caller, kind, id, "23:59:59") == "open"
    assert status(caller, kind, id, "17:30:00", "2026-11-25") == "closed"
    changed = caller.patch(f"/api/v2/{kind}/{id}", {"wednesday_hours": ["11:00", "17:00"]})
    assert changed.status == 200, changed
    later = caller.at("2026-11-25T10:30:00Z").get(hand(kind, id)).json
    assert later["until"] == "2026-11-25T11:00:00+00:00"


def test_closed_for_an_hour(company: Company, kind: str):
    caller = company.sandbox
    id = made(caller, kind)
    answer = caller.at(f"{TUESDAY}T10:00:00Z").put(hand(kind, id), {"status": "closed", "until": "1h"})
    assert (answer.status, answer.json["until"]) == (200, f"{TUESDAY}T11:00:00+00:00")
    assert status(caller, kind, id, "10:59:59") == "closed"
    assert status(caller, kind, id, "11:00:00") == "open"


def test_until_it_is_lifted(company: Company, kind: str):
    caller = company.sandbox
    id = made(caller, kind)
    caller.at(f"{TUESDAY}T10:00:00Z").put(hand(kind, id), {"status": "closed"})
    assert status(caller, kind, id, "10:00:00", "2027-11-24") == "closed"
    lifted = caller.at(f"{TUESDAY}T11:00:00Z").delete(hand(kind, id))
    assert lifted.json["by_hand"] is False
    assert lifted.json["availability_status"] == "open"
    again = caller.delete(hand(kind, id))
    assert (again.status, again.json["by_hand"]) == (200, False)
    assert [one["event"] for one in caller.events() if one["event"].endswith("lifted")] == [f"{kind[:-1]}.hand_lifted"]


def test_each_way_is_in_the_event_log_with_what_was_done(company: Company, kind: str):
    caller = company.sandbox
    id = made(caller, kind)
    caller.put(hand(kind, id), {"status": "closed", "reason": "Snow"})
    caller.put(hand(kind, id), {"status": "open"})
    caller.delete(hand(kind, id))
    told = [one for one in caller.events() if one["subject_id"] == id][-3:]
    subject = kind.removesuffix("s")
    words = [f"{subject}.closed_by_hand", f"{subject}.opened_by_hand", f"{subject}.hand_lifted"]
    assert [one["event"] for one in told] == words
    assert "Snow" in str(told[0]["after"])


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"status": "closed", "until": "yesterday"}, "until"),
        ({"status": "closed", "until": "0m"}, "until"),
        ({"status": "closed", "until": "53w"}, "until"),
        ({"status": "closed", "until": "2026-11-24 09:59"}, "until"),
        ({"status": "closed", "until": "2026-11-24 10:00"}, "until"),
        ({"status": "closed", "until": "2028-01-01 10:00"}, "until"),
        ({"status": "closed", "until": "2026-11-24 12:00", "until_next_change": True}, "until"),
        ({"status": "ajar"}, "status"),
        ({}, "status"),
        ({"status": "closed", "reason": "x" * 101}, "reason"),
        ({"status": "closed", "reason": "two\nlines"}, "reason"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(company: Company, kind: str, body: dict[str, Any], place: str):
    caller = company.sandbox
    id = made(caller, kind)
    answer = caller.at(f"{TUESDAY}T10:00:00Z").put(hand(kind, id), body)
    assert answer.status == 400
    assert place in answer.places


def test_hours_without_a_change_ahead_have_no_next_one(company: Company):
    caller = company.sandbox
    id = caller.made(office(hours_on=False)).id
    answer = caller.put(hand("offices", id), {"status": "closed", "until_next_change": True})
    assert answer.status == 400
    assert answer.places == ["until_next_change"]


def test_replacing_an_office_leaves_what_was_done_by_hand(company: Company):
    caller = company.sandbox
    id = made(caller, "offices")
    caller.put(hand("offices", id), {"status": "closed"})
    assert caller.put(f"{WHOLE}/{id}", office(**LINE)).status == 200
    assert caller.get(hand("offices", id)).json["by_hand"] is True
    assert caller.get(f"{OFFICES}/{id}").json["availability_status"] == "closed"


def test_closing_the_main_line_leaves_its_departments_open(company: Company):
    caller = company.sandbox
    id = caller.made(office(**LINE)).id
    department = caller.post("/api/v2/departments", {"name": "Sales", "office_id": id, "hours_on": True, **WEEK}).json[
        "id"
    ]
    caller.at(f"{TUESDAY}T10:00:00Z").put(hand("offices", id), {"status": "closed"})
    assert status(caller, "offices", id, "11:00:00") == "closed"
    assert status(caller, "departments", department, "11:00:00") == "open"


def test_the_opening_periods_of_an_office_follow_the_hand(company: Company):
    caller = company.sandbox
    id = made(caller, "offices")
    caller.at(f"{TUESDAY}T10:00:00Z").put(hand("offices", id), {"status": "closed", "until": f"{TUESDAY} 14:00"})
    there = f"{WHOLE}/{id}/opening-periods?start={TUESDAY}T00:00:00Z&end=2026-11-25T00:00:00Z"
    periods = caller.at(f"{TUESDAY}T11:00:00Z").get(there).json["periods"]
    assert [(one["start"][11:16], one["end"][11:16]) for one in periods] == [("09:00", "10:00"), ("14:00", "17:00")]


def test_a_change_made_from_an_old_reading_is_refused(company: Company, kind: str):
    caller = company.sandbox
    id = made(caller, kind)
    caller.put(hand(kind, id), {"status": "closed"})
    answer = caller.put(hand(kind, id), {"status": "open"}, headers={"If-Match": '"1"'})
    assert answer.status == 412


@pytest.mark.parametrize(
    ("until", "code", "kept"),
    [
        ("2026-03-29 01:30", "moment_skipped", "2026-03-29T02:30:00+01:00"),
        ("2026-10-25 01:30", "moment_twice", "2026-10-25T01:30:00+01:00"),
        ("2026-10-25T01:30:00+00:00", "", "2026-10-25T01:30:00+00:00"),
    ],
)
def test_a_moment_that_the_clock_skips_or_shows_twice_is_said(company: Company, until: str, code: str, kept: str):
    caller = company.sandbox
    id = made(caller, "offices")
    answer = caller.at("2026-03-20T10:00:00Z").put(hand("offices", id), {"status": "closed", "until": until})
    assert answer.json["until"] == kept
    assert answer.codes == ({code} if code else set())


@pytest.mark.parametrize(("status", "hours_on"), [("open", True), ("closed", False)])
def test_the_next_change_is_the_next_opening_or_closing_and_no_midnight_of_a_holiday(
    company: Company, status: str, hours_on: bool
):
    caller = company.sandbox
    id = caller.made(office(**LINE | {"hours_on": hours_on})).id
    day = {
        "date": "2026-12-25",
        "kind": "holiday",
        "name": "Christmas",
        "hours": [] if hours_on else ["00:00", "24:00"],
    }
    assert caller.put(f"/api/offhook/v1/offices/{id}/special-days", {"days": [day]}).status == 200
    at = caller.at("2026-12-24T19:00:00Z")
    answer = at.put(hand("offices", id), {"status": status, "until_next_change": True})
    if hours_on:
        assert answer.json["until"] == "2026-12-28T09:00:00+00:00"
    else:
        assert answer.places == ["until_next_change"], "it neither opens nor closes by its hours"
