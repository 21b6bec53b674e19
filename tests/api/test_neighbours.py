"""The operations around a create: list, primary, get, hours, emergency address, plan, licences, off duty, company."""

from typing import Any

import pytest

from offhook.access.v2 import unbuilt
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, Desk, full, office, routing, state

ADDRESS = {"address": "500 Terry A Francois Blvd", "city": "San Francisco", "state": "CA", "zip": "94158",
           "country": "US"}  # fmt: skip


# List, primary, get


def test_the_list_holds_the_primary_office_and_those_created(company: Company):
    first = company.live.made(full()).office
    second = company.live.made(office()).office
    items = company.live.get(OFFICES).json["items"]
    assert [item["id"] for item in items] == [str(company.office_ids["live"]), first["id"], second["id"]]
    assert items[1:] == [first, second]
    assert [item["is_primary_office"] for item in items] == [True, False, False]


def test_active_only_leaves_out_what_is_not_active(company: Company):
    from offhook.storage.database import Statement

    suspended = company.live.made(office(name="Suspended")).id
    change = Statement("UPDATE offices SET state = 'suspended' WHERE id = ?")
    company.desk.transact(lambda tx: tx.change(change, int(suspended)))
    for query, there in (("", True), ("?active_only=false", True), ("?active_only=True", False)):
        items = company.live.get(f"{OFFICES}{query}").json["items"]
        assert (suspended in [item["id"] for item in items]) is there
    assert company.live.get(f"{OFFICES}/{suspended}").json["state"] == "suspended"


def test_primary_is_a_word_and_not_an_id(company: Company):
    answer = company.live.get(f"{OFFICES}/primary")
    assert answer.json == company.live.get(f"{OFFICES}/{company.office_ids['live']}").json
    assert answer.json["is_primary_office"] is True
    assert company.sandbox.get(f"{OFFICES}/primary").json["id"] == str(company.office_ids["sandbox"])


# Hours


def test_patch_changes_the_hours_that_are_sent_and_no_others(company: Company):
    made = company.live.made(full()).office
    answer = company.live.patch(f"{OFFICES}/{made['id']}", {"monday_hours": ["07:00", "19:00"], "friday_hours": []})
    assert answer.status == 200
    assert set(answer.json) == {"office", "plan"}
    assert answer.office["monday_hours"] == ["07:00", "19:00"]
    assert "friday_hours" not in answer.office
    for name in ("tuesday_hours", "saturday_hours", "name", "routing_options", "ring_seconds", "timezone"):
        assert answer.office[name] == made[name]
    assert company.live.get(f"{OFFICES}/{made['id']}").json == answer.office


def test_patch_turns_hours_on_and_off(company: Company):
    caller = company.sandbox.at("2026-07-04T12:00:00Z")
    made = caller.made(office(hours_on=None, timezone="Europe/Lisbon"))
    assert made.office["availability_status"] == "open"
    place = f"{OFFICES}/{made.id}"
    assert caller.patch(place, {"hours_on": True}).office["availability_status"] == "closed"
    assert caller.patch(place, {"saturday_hours": ["10:00", "14:00"]}).office["availability_status"] == "open"
    off = caller.patch(place, {"hours_on": False, "saturday_hours": []})
    assert off.office["availability_status"] == "open"
    assert "hours_ignored" in off.codes
    null = caller.patch(place, {"hours_on": None, "monday_hours": None})
    assert null.office["availability_status"] == "open"
    assert null.office["monday_hours"] == made.office["monday_hours"]


def test_patch_refuses_bad_hours_with_every_entry_and_changes_nothing(company: Company):
    place = f"{OFFICES}/{company.office_ids['live']}"
    before = company.live.get(place).json
    body = {"monday_hours": ["08:00"], "sunday_hours": ["9:00", "10:00"]}
    assert company.live.patch(place, body).places == ["monday_hours[0]", "sunday_hours[0]"]
    assert company.live.get(place).json == before


def test_faults_of_type_and_of_rules_are_named_together_in_every_operation(company: Company):
    place = f"{OFFICES}/{company.office_ids['live']}"
    body = {"monday_hours": ["08:00"], "hours_on": "yes", "tuesday_hours": [8]}
    assert company.live.patch(place, body).places == ["hours_on", "monday_hours[0]", "tuesday_hours[0]"]
    address = ADDRESS | {"address": "PO Box 5", "city": "a\nb", "zip": 5}
    assert company.live.put(f"{place}/e911", address).places == ["address", "city", "zip"]
    days = {"days": [{"date": "2026-13-01", "name": "x"}, {"date": "2026-12-24", "name": 5}]}
    assert company.live.put(f"{WHOLE}/{company.office_ids['live']}/special-days", days).places == [
        "days[0].date",
        "days[1].name",
    ]


def test_patch_knows_hours_and_nothing_else(company: Company):
    made = company.live.made(full()).office
    answer = company.live.patch(f"{OFFICES}/{made['id']}", {"name": "Other", "ring_seconds": 10})
    assert answer.status == 200
    assert [warning.field for warning in answer.warnings if warning.code == "unknown_field"] == ["name", "ring_seconds"]
    assert answer.office["name"] == made["name"]


@pytest.mark.parametrize(
    ("field", "value", "request_that_changes_it"),
    [
        ("ring_seconds", 10, "PUT /api/offhook/v1/offices/{id}"),
        ("routing_options", {}, "PUT /api/offhook/v1/offices/{id}"),
        ("e911_address", ADDRESS, "PUT /api/v2/offices/{id}/e911"),
        ("operators", [], "DELETE /api/v2/offices/{id}/operators"),
    ],
)
def test_patch_says_which_request_changes_what_it_does_not(
    embedded: Company, field: str, value: Any, request_that_changes_it: str
):
    place = f"{OFFICES}/{embedded.office_ids['live']}"
    (said,) = embedded.live.patch(place, {field: value, "hours_on": True}).warnings
    assert (said.code, said.field) == ("unknown_field", field)
    assert "hours_on" in said.text
    assert request_that_changes_it in said.text


def test_an_hours_change_is_refused_if_the_office_changed_since_it_was_read(company: Company):
    made = company.live.made(office()).id
    etag = company.live.get(f"{WHOLE}/{made}").headers["etag"]
    place = f"{OFFICES}/{made}"
    first = company.live.patch(place, {"hours_on": False}, headers={"if-match": etag})
    assert first.status == 200
    late = company.live.patch(place, {"hours_on": True}, headers={"if-match": etag})
    assert late.status == 412
    assert late.errors[0]["reason"] == "conditionNotMet"
    assert company.live.patch(place, {}, headers={"if-match": first.headers["etag"]}).status == 200
    assert company.live.patch(place, {}, headers={"if-match": "*"}).status == 200


# Availability


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-07-06T07:59:59Z", "closed"),
        ("2026-07-06T08:00:00Z", "open"),
        ("2026-07-06T11:29:59Z", "open"),
        ("2026-07-06T11:30:00Z", "closed"),
        ("2026-07-06T13:00:00Z", "open"),
        ("2026-07-06T16:59:59Z", "open"),
        ("2026-07-06T17:00:00Z", "closed"),
        # In winter the same wall clock is an hour later by UTC.
        ("2026-12-07T08:59:59Z", "closed"),
        ("2026-12-07T09:00:00Z", "open"),
        # A night that began on Saturday.
        ("2026-07-05T00:59:59Z", "open"),
        ("2026-07-05T01:00:00Z", "closed"),
        # The night on which 01:00 to 02:00 comes twice, and closes after the second time.
        ("2026-10-25T00:30:00Z", "open"),
        ("2026-10-25T01:30:00Z", "open"),
        ("2026-10-25T02:00:00Z", "closed"),
        # The night on which 01:00 to 02:00 never comes.
        ("2026-03-29T00:59:59Z", "open"),
        ("2026-03-29T01:00:00Z", "closed"),
    ],
)
def test_availability_follows_the_offices_wall_clock(company: Company, moment: str, status: str):
    body = office(
        timezone="Europe/Lisbon", monday_hours=["09:00", "12:30", "14:00", "18:00"], saturday_hours=["22:00", "02:00"]
    )
    caller = company.sandbox.at(moment)
    answer = caller.made(body)
    assert answer.office["availability_status"] == status
    assert caller.get(f"{OFFICES}/{answer.id}").json["availability_status"] == status
    listed = caller.get(OFFICES).json["items"]
    assert next(item for item in listed if item["id"] == answer.id)["availability_status"] == status
    assert caller.get(f"{WHOLE}/{answer.id}").office["availability_status"] == status


# Emergency address


def test_an_emergency_address_is_set_and_read_back(company: Company):
    made = company.live.made(full()).id
    place = f"{OFFICES}/{made}/e911"
    answer = company.live.put(place, ADDRESS)
    assert answer.status == 200
    assert answer.json == ADDRESS | {"country": "us"}
    assert company.live.get(place).json == answer.json
    assert company.live.get(f"{OFFICES}/{made}").json["e911_address"] == answer.json


def test_an_office_without_an_emergency_address_answers_an_empty_one(company: Company):
    made = company.live.made(office()).id
    assert company.live.get(f"{OFFICES}/{made}/e911").json == {}


def test_the_address_is_kept_as_sent_or_as_the_countrys_rules_write_it(company: Company):
    made = company.live.made(full()).id
    place = f"{OFFICES}/{made}/e911"
    sent = ADDRESSES["US"] | {"state": "California"}
    as_sent = company.live.put(place, sent | {"use_validated_option": False})
    assert as_sent.json["state"] == "California"
    assert "address_not_normalised" in as_sent.codes
    validated = company.live.put(place, sent | {"use_validated_option": True})
    assert validated.json["state"] == "CA"
    assert "address_not_normalised" not in validated.codes


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"zip": "K1A 0A9"}, ["zip"]),
        ({"state": "XX"}, ["state"]),
        ({"address": "PO Box 5"}, ["address"]),
        ({"address2": "P.O. Box 5", "address": "PO Box 6"}, ["address", "address2"]),
        ({"city": "San\nFrancisco"}, ["city"]),
        ({"city": ""}, ["city"]),
        ({"city": None}, ["city"]),
        ({"country": "USA"}, ["country"]),
        (ADDRESSES["CA"], ["country"]),
        ({"update_all": "yes"}, ["update_all"]),
        ({"address": "x" * 257, "zip": "1"}, ["address", "zip"]),
    ],
)
def test_a_bad_emergency_address_is_refused_and_the_old_one_stays(company: Company, change: dict, places: list[str]):
    place = f"{OFFICES}/{company.office_ids['live']}/e911"
    before = company.live.get(place).json
    answer = company.live.put(place, ADDRESS | change)
    assert answer.status == 400
    assert answer.places == places
    assert company.live.get(place).json == before


def test_a_change_of_the_emergency_address_ends_use_same_address(company: Company):
    made = company.live.made(full(e911_address=None, use_same_address=True)).id
    assert company.live.get(f"{WHOLE}/{made}").office["use_same_address"] is True
    company.live.put(f"{OFFICES}/{made}/e911", ADDRESS)
    assert company.live.get(f"{WHOLE}/{made}").office["use_same_address"] is False


# Plan, licences, off duty, company


def test_plan_licences_and_off_duty_reasons_are_answered(company: Company):
    made = company.live.made(full())
    assert company.live.get(f"{OFFICES}/{made.id}/plan").json == made.plan
    licences = company.live.get(f"{OFFICES}/{made.id}/available_licenses").json
    assert licences == {name: "0" for name in made.plan if name.endswith("_lines")}
    off_duty = company.live.get(f"{OFFICES}/{made.id}/offdutystatuses").json
    assert off_duty["id"] == made.id
    assert off_duty["off_duty_statuses"]
    assert all(isinstance(reason, str) for reason in off_duty["off_duty_statuses"])


def test_the_company_knows_itself_and_counts_the_offices_of_the_environment(company: Company):
    before = company.live.get("/api/v2/company").json
    assert before == {
        "id": str(company.id),
        "name": "Example Company",
        "country": "us",
        "account_type": "enterprise",
        "office_count": "1",
        "state": "active",
        "admin_email": "it@example.com",
    }
    made = company.live.made().id
    company.live.made()
    company.sandbox.made()
    assert company.live.get("/api/v2/company").json["office_count"] == "3"
    assert company.sandbox.get("/api/v2/company").json["office_count"] == "2"
    company.live.delete(f"{WHOLE}/{made}")
    assert company.live.get("/api/v2/company").json["office_count"] == "2"


# What is not built


def test_all_else_of_v2_answers_501_and_names_itself(sqlite_desk: Desk):
    """What the application has built is not in the way: those paths are tested elsewhere."""
    company = sqlite_desk.found()
    documented = sqlite_desk.offhook.document["paths"].values()
    built = {one["operationId"] for methods in documented for one in methods.values() if "operationId" in one}
    rest = unbuilt(built)
    assert len(rest) + len([one for one in built if not one.startswith("offhook.")]) >= 193
    for operation in rest:
        parts = operation.path.split("/")
        path = "/".join("7" if part.startswith("{") else part for part in parts)
        answer = company.live.send(operation.method, path)
        assert answer.status == 501, (operation.id, path, answer)
        assert operation.id in answer.json["error"]["message"]
        assert answer.errors[0]["reason"] == "notImplemented"


def test_what_is_not_built_asks_for_a_key_first(embedded: Company):
    embedded.live.key = ""
    assert embedded.live.get("/api/v2/users").status == 401


def test_the_routing_of_an_office_is_read_back_through_get(company: Company):
    sent = routing(
        state(action="menu", operator_routing="random", dtmf=[{"input": "3", "options": {"action": "message"}}]),
        state(action="scripted_ivr", try_dial_operators=False, operator_routing="mostskilled"),
    )
    made = company.live.made(office(routing_options=sent))
    assert company.live.get(f"{OFFICES}/{made.id}").json["routing_options"] == sent
