"""Departments: lines of an office with hours, routing and operators of their own."""

from typing import Any

import pytest
from dialpad.schemas.group import DepartmentCollection, DepartmentProto

from tests.api.desk import OFFICES, PRIMARY, WHOLE, Company, office, routing, state
from tests.api.seed_fields import NEWER_ACTIONS
from tests.directory.people import give_number, person
from tests.published import misfits

DEPARTMENTS = "/api/v2/departments"
SPECIAL = "/api/offhook/v1/offices/{}/special-days"


def sales(company: Company, **changes: Any) -> dict[str, Any]:
    return {"name": "Sales", "office_id": str(company.office_ids["live"]), **changes}


def made(company: Company, **changes: Any) -> str:
    answer = company.live.post(DEPARTMENTS, sales(company, **changes))
    assert answer.status == 200, answer
    return answer.json["id"]


def to(kind: str, id: str, action: str = "department") -> dict[str, Any]:
    return state(action=action, action_target_type=kind, action_target_id=id)


def words(company: Company, id: str) -> list[str]:
    return [one["event"] for one in company.live.events() if one["subject_id"] == id]


# The life of one


def test_a_department_of_which_little_is_said_has_the_usual_defaults(company: Company):
    answer = company.live.post(DEPARTMENTS, sales(company))
    assert answer.status == 200
    assert misfits(answer.json, DepartmentProto) == []
    id = answer.json["id"]
    workday = ["08:00", "18:00"]
    assert answer.json == {
        "id": id,
        "office_id": str(company.office_ids["live"]),
        "name": "Sales",
        "state": "active",
        "country": "us",
        "timezone": company.live.get(f"{OFFICES}/{company.office_ids['live']}").json["timezone"],
        "availability_status": "open",
        "first_action": "operators",
        "no_operators_action": "voicemail",
        "ring_seconds": "30",
        "routing_options": {
            "open": {"action": "voicemail", "try_dial_operators": True, "operator_routing": "simultaneous"},
            "closed": {"action": "voicemail", "try_dial_operators": False, "operator_routing": "simultaneous"},
        },
        "voice_intelligence": {"allow_pause": True, "auto_start": True},
        "hours_on": False,
        "auto_call_recording": False,
        "hold_queue": {"allow_queuing": False, "max_hold_count": "50", "max_hold_seconds": "900"},
        **{f"{day}_hours": workday for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
    }
    assert company.live.get(f"{DEPARTMENTS}/{id}").json == answer.json
    assert words(company, id) == ["department.created"]


def test_a_change_touches_only_what_is_sent(company: Company):
    before = company.live.post(
        DEPARTMENTS,
        sales(
            company,
            hours_on=True,
            monday_hours=["09:00", "12:00"],
            group_description="Sells",
            hold_queue={"allow_queuing": True, "max_hold_count": 7, "max_hold_seconds": "60"},
            voice_intelligence={"auto_start": False},
            ring_seconds="45",
            auto_call_recording=True,
        ),
    ).json
    id = before["id"]
    patched = company.live.patch(
        f"{DEPARTMENTS}/{id}",
        {"hold_queue": {"max_hold_count": 8}, "tuesday_hours": [], "voice_intelligence": {"allow_pause": False}},
    )
    assert patched.status == 200
    expected = before | {
        "hold_queue": {"allow_queuing": True, "max_hold_count": "8", "max_hold_seconds": "60"},
        "voice_intelligence": {"auto_start": False, "allow_pause": False},
    }
    del expected["tuesday_hours"]
    assert patched.json == expected
    assert company.live.patch(f"{DEPARTMENTS}/{id}", {}).headers["etag"] == '"2"'
    assert company.live.patch(f"{DEPARTMENTS}/{id}", {"name": "x"}, headers={"if-match": '"1"'}).status == 412
    assert company.live.patch(f"{DEPARTMENTS}/{id}", {"office_id": "1"}).codes == {"unknown_field"}
    assert words(company, id) == ["department.created", "department.updated"]


def test_deleting_a_department_ends_it_and_what_hangs_on_it(company: Company):
    id, one = made(company), person(company, "Ana")
    company.live.post(f"{DEPARTMENTS}/{id}/operators", {"operator_type": "user", "operator_id": one})
    number = give_number(company, "department", id)
    shown = company.live.get(f"{DEPARTMENTS}/{id}").json
    assert shown["phone_numbers"] == [number]
    assert company.live.create(office(mainline_number=number)).status == 409
    gone = company.live.delete(f"{DEPARTMENTS}/{id}")
    assert shown["availability_status"] == "open"
    # Its number is free again, so it is not shown as one of it.
    assert shown.pop("phone_numbers") == [number]
    assert gone.json == shown | {"state": "deleted", "availability_status": "closed"}
    assert company.live.get(f"{DEPARTMENTS}/{id}").status == 404
    assert company.live.get(f"{DEPARTMENTS}/{id}/operators").status == 404
    assert sorted(words(company, id)) == [
        "department.created",
        "department.deleted",
        "department.updated",
        "operator.added",
        "operator.removed",
    ]
    assert words(company, number)[-1] == "number.released"
    assert company.live.create(office(mainline_number=number)).status == 200


def test_events_keep_a_department_as_v2_shows_it(company: Company):
    shown = company.live.post(DEPARTMENTS, sales(company)).json
    changed = company.live.patch(f"{DEPARTMENTS}/{shown['id']}", {"name": "Desk"}).json
    first, second = (one for one in company.live.events() if one["subject_id"] == shown["id"])
    assert first["after"] == shown
    assert (second["before"], second["after"]) == (shown, changed)


# What is refused


def test_every_fault_of_a_department_is_named_at_once(company: Company):
    refused = company.live.post(
        DEPARTMENTS,
        sales(
            company,
            name="n" * 101,
            office_id=12,
            ring_seconds=9,
            group_description="d" * 257,
            monday_hours=["18:00"],
            hours_on=True,
            hold_queue={"max_hold_count": 51, "max_hold_seconds": 29},
            routing_options=routing(to("room", "5", "bridge_target"), to("department", "7")),
        ),
    )
    assert refused.status == 400
    assert refused.places == [
        "group_description",
        "hold_queue.max_hold_count",
        "hold_queue.max_hold_seconds",
        "monday_hours[0]",
        "name",
        "office_id",
        "ring_seconds",
        "routing_options.closed.action_target_id",
        "routing_options.open.action_target_id",
    ]
    assert company.live.get(DEPARTMENTS).json == {}


@pytest.mark.parametrize("method", ["post", "patch"])
def test_broken_types_and_broken_rules_are_named_together(company: Company, method: str):
    path = DEPARTMENTS if method == "post" else f"{DEPARTMENTS}/{made(company)}"
    refused = company.live.send(method.upper(), path, sales(company, hours_on="yes", ring_seconds=99))
    assert refused.places == ["hours_on", "ring_seconds"]


def test_a_queue_that_is_off_is_said_to_have_no_effect(company: Company):
    assert company.live.post(DEPARTMENTS, sales(company, hold_queue={"max_hold_count": 3})).codes == {"queue_off"}
    on = {"max_hold_count": 3, "allow_queuing": True}
    assert company.live.post(DEPARTMENTS, sales(company, hold_queue=on)).codes == set()


@pytest.mark.parametrize("action", NEWER_ACTIONS)
def test_a_menu_may_ask_for_the_last_name_only_as_the_newer_document_of_v2_says(company: Company, action: str):
    opened = state(action="menu", dtmf=[{"input": "1", "options": {"action": action}}])
    answer = company.live.post(DEPARTMENTS, sales(company, routing_options=routing(opened, state(action=action))))
    assert answer.status == 200
    kept = company.live.get(f"{DEPARTMENTS}/{answer.json['id']}").json["routing_options"]
    assert (kept["open"]["dtmf"][0]["options"], kept["closed"]["action"]) == ({"action": action}, action)


# Lists


def test_departments_are_listed_page_by_page_by_office_and_by_name(embedded: Company):
    other = embedded.live.made(office(name="Other")).id
    here = [made(embedded, name=f"Team {index:03}") for index in range(101)]
    there = made(embedded, name="100% Łódź_Sales", office_id=other)
    first = embedded.live.get(DEPARTMENTS)
    assert misfits(first.json, DepartmentCollection) == []
    second = embedded.live.get(f"{DEPARTMENTS}?cursor={first.json['cursor']}")
    assert ids(first) + ids(second) == [*here, there]
    assert "cursor" not in second.json
    assert ids(embedded.live.get(f"{DEPARTMENTS}?office_id={other}")) == [there]
    assert ids(embedded.live.get(f"{OFFICES}/{other}/departments")) == [there]
    assert embedded.live.get(f"{OFFICES}/12/departments").status == 404
    assert ids(embedded.live.get(f"{DEPARTMENTS}?name_search=TEAM 04")) == here[40:50]
    assert ids(embedded.live.get(f"{DEPARTMENTS}?name_search=łÓDŹ")) == [there]
    assert ids(embedded.live.get(f"{DEPARTMENTS}?name_search=0%25")) == [there]
    assert ids(embedded.live.get(f"{DEPARTMENTS}?name_search=m_0")) == []
    assert embedded.live.get(f"{DEPARTMENTS}?name_search=team&cursor={first.json['cursor']}").places == ["cursor"]


def test_the_name_search_is_the_same_on_both_stores(company: Company):
    one, _ = made(company, name="Après-vente 50%!"), made(company, name="Sales")
    assert ids(company.live.get(f"{DEPARTMENTS}?name_search=APRÈS")) == [one]
    assert ids(company.live.get(f"{DEPARTMENTS}?name_search=50%25!")) == [one]


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer.json.get("items", [])]


# Hours


def test_its_availability_follows_its_own_hours_by_the_clock_of_its_office(company: Company):
    home = company.office_ids["sandbox"]
    id = company.sandbox.post(
        DEPARTMENTS, {"name": "Sales", "office_id": home, "hours_on": True, "friday_hours": ["10:00", "11:00"]}
    ).json["id"]

    def status(moment: str) -> str:
        return company.sandbox.at(moment).get(f"{DEPARTMENTS}/{id}").json["availability_status"]

    zone = company.sandbox.get(f"{OFFICES}/{home}").json["timezone"]
    assert zone == "America/Los_Angeles", zone
    assert status("2026-06-19T10:00:00-07:00") == "open"
    assert status("2026-06-19T11:00:00-07:00") == "closed"
    whole = company.sandbox.get(f"{WHOLE}/{home}").json
    assert whole["office"]["timezone"] == zone
    moved = {**PRIMARY, "timezone": "America/New_York"}
    assert company.sandbox.put(f"{WHOLE}/{home}", moved).status == 200
    shown = company.sandbox.at("2026-06-19T10:00:00-07:00").get(f"{DEPARTMENTS}/{id}").json
    assert (shown["timezone"], shown["availability_status"]) == ("America/New_York", "closed")
    assert status("2026-06-19T10:00:00-04:00") == "open"


def test_the_holidays_of_the_office_count_for_a_department_that_keeps_hours(company: Company):
    home = company.office_ids["sandbox"]
    day = {"date": "2026-12-24", "kind": "holiday", "name": "Christmas Eve", "hours": ["09:00", "12:00"]}
    assert company.sandbox.put(SPECIAL.format(home), {"days": [day]}).status == 200

    def status(**said: Any) -> str:
        id = company.sandbox.post(DEPARTMENTS, {"name": "Sales", "office_id": home, **said}).json["id"]
        at = company.sandbox.at("2026-12-24T14:00:00-08:00")
        return at.get(f"{DEPARTMENTS}/{id}").json["availability_status"]

    assert status(hours_on=True) == "holiday_closed"
    assert status(hours_on=False) == "open"
    assert status(hours_on=True, keeps_office_days=False) == "open"
    assert status(hours_on=False, keeps_office_days=True) == "holiday_closed"


# Targets


def test_a_department_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = made(company)
    menu = state(action="menu", dtmf=[{"input": "3", "options": to("department", id)}])
    del menu["dtmf"][0]["options"]["try_dial_operators"]
    other = made(company, name="Support", routing_options=routing(to("department", id), menu))
    caller = company.live.made(office(routing_options=routing(to("department", id)))).id
    refused = company.live.delete(f"{DEPARTMENTS}/{id}")
    assert refused.status == 409
    assert refused.places == [
        f"departments/{other}.routing_options.closed.dtmf[0].options.action_target_id",
        f"departments/{other}.routing_options.open.action_target_id",
        f"offices/{caller}.routing_options.open.action_target_id",
    ]
    forced = company.live.delete(f"{DEPARTMENTS}/{id}?force=true")
    assert (forced.status, forced.codes) == (200, {"pointed_at_voicemail"})
    after = company.live.get(f"{DEPARTMENTS}/{other}").json["routing_options"]
    assert after["open"]["action"] == "voicemail"
    assert after["closed"]["dtmf"] == [{"input": "3", "options": {"action": "voicemail"}}]
    assert company.live.get(f"{OFFICES}/{caller}").json["routing_options"]["open"]["action"] == "voicemail"
    assert "department.pointed_at_voicemail" in words(company, other)
    assert company.live.delete(f"{DEPARTMENTS}/{other}").status == 200


def test_what_a_department_no_longer_calls_does_not_hold_on(company: Company):
    one = made(company)
    two = made(company, routing_options=routing(to("department", one)))
    assert company.live.patch(f"{DEPARTMENTS}/{two}", {"routing_options": routing()}).status == 200
    assert company.live.delete(f"{DEPARTMENTS}/{one}").status == 200
    three = made(company, routing_options=routing(to("department", two)))
    assert company.live.delete(f"{DEPARTMENTS}/{three}").status == 200
    assert company.live.delete(f"{DEPARTMENTS}/{two}").status == 200


def test_a_suspended_user_is_no_target(company: Company):
    one = person(company, "Ana", state="suspended")
    refused = company.live.post(DEPARTMENTS, sales(company, routing_options=routing(to("user", one, "person"))))
    assert refused.places == ["routing_options.open.action_target_id"]
    assert "suspended" in refused.errors[0]["message"]


# Loops


def test_calls_that_go_round_through_departments_and_call_centers_are_warned_of(company: Company):
    first = made(company, name="First")
    center = company.live.post(
        "/api/v2/callcenters", sales(company, name="Second", routing_options=routing(to("department", first)))
    )
    assert "target_loop" not in center.codes
    third = company.live.made(office(name="Third", routing_options=routing(to("callcenter", center.json["id"]))))
    assert "target_loop" not in third.codes
    closing = company.live.patch(f"{DEPARTMENTS}/{first}", {"routing_options": routing(to("office", third.id))})
    assert closing.status == 200
    said = next(one.text for one in closing.warnings if one.code == "target_loop")
    assert "First > Third > Second > First" in said
    onlooker = company.live.post(DEPARTMENTS, sales(company, routing_options=routing(to("department", first))))
    assert "target_loop" in onlooker.codes
    assert "target_loop" in company.live.made(office(routing_options=routing(to("department", first)))).codes
    assert company.live.patch(f"{DEPARTMENTS}/{first}", {"name": "Still"}).codes == set()


def test_a_department_that_sends_calls_to_itself_is_warned_of(company: Company):
    id = made(company)
    answer = company.live.patch(f"{DEPARTMENTS}/{id}", {"routing_options": routing(to("department", id))})
    assert (answer.status, answer.codes) == (200, {"target_loop"})
    assert company.live.delete(f"{DEPARTMENTS}/{id}").status == 200


# Whose it is, and how often


def test_an_office_with_departments_in_it_is_not_deleted(company: Company):
    home = company.live.made(office(name="Branch")).id
    id = made(company, office_id=home)
    refused = company.live.delete(f"{WHOLE}/{home}?force=true")
    assert refused.status == 409
    assert "1 department" in refused.json["error"]["message"]
    company.live.delete(f"{DEPARTMENTS}/{id}")
    assert company.live.delete(f"{WHOLE}/{home}").status == 200


def test_a_department_of_another_company_is_not_there(company: Company):
    other = company.desk.found()
    id = made(other)
    before = other.live.get(f"{DEPARTMENTS}/{id}").json
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "?force=true", None),
        ("GET", "/operators", None),
        ("POST", "/operators", {"operator_type": "user", "operator_id": "1"}),
        ("DELETE", "/operators", {"operator_type": "user", "operator_id": "1"}),
    ):
        assert company.live.send(method, f"{DEPARTMENTS}/{id}{path}", body).status == 404, (method, path)
    assert company.sandbox.get(f"{DEPARTMENTS}/{id}").status == 404
    assert company.live.get(f"{OFFICES}/{other.office_ids['live']}/departments").status == 404
    assert company.live.post(DEPARTMENTS, sales(other)).places == ["office_id"]
    assert company.live.refused(office(routing_options=routing(to("department", id)))) == [
        "routing_options.open.action_target_id"
    ]
    assert company.live.get(f"{DEPARTMENTS}?office_id={other.office_ids['live']}").json == {}
    assert other.live.get(f"{DEPARTMENTS}/{id}").json == before


def test_a_department_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry = company.live.post(DEPARTMENTS, sales(company), headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["name"]) == (True, "Sales")
    assert company.live.get(DEPARTMENTS).json == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(DEPARTMENTS, sales(company), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
    assert company.live.post(DEPARTMENTS, sales(company, name="Bar"), headers=headers).status == 409
    assert len(ids(company.live.get(DEPARTMENTS))) == 1


def test_of_two_who_change_one_version_one_is_refused(company: Company):
    id = made(company)
    headers = {"if-match": '"1"'}
    answers = company.live.together(
        [company.live.sending("PATCH", f"{DEPARTMENTS}/{id}", {"name": name}, headers=headers) for name in "ab"]
    )
    assert sorted(answer.status for answer in answers) == [200, 412]
