"""Call centers: lines with agents, skills and a queue."""

from typing import Any

import pytest
from dialpad.schemas.group import CallCenterCollection, CallCenterProto, CallCenterStatusProto

from tests.api.desk import OFFICES, Company, office, routing, state
from tests.directory.people import agent
from tests.published import misfits

CALLCENTERS = "/api/v2/callcenters"
SPECIAL = "/api/offhook/v1/offices/{}/special-days"


def support(company: Company, **changes: Any) -> dict[str, Any]:
    return {"name": "Support", "office_id": str(company.office_ids["live"]), **changes}


def made(company: Company, **changes: Any) -> str:
    answer = company.live.post(CALLCENTERS, support(company, **changes))
    assert answer.status == 200, answer
    return answer.json["id"]


def test_a_call_center_of_which_little_is_said_has_the_usual_defaults(company: Company):
    answer = company.live.post(CALLCENTERS, support(company))
    assert answer.status == 200
    assert misfits(answer.json, CallCenterProto) == []
    said = answer.json
    assert said["hold_queue"] == {
        "allow_queue_callback": False,
        "announce_position": True,
        "announcement_interval_seconds": "120",
        "max_hold_count": "50",
        "max_hold_seconds": "900",
        "queue_callback_dtmf": "9",
        "queue_callback_threshold": "5",
        "queue_escape_dtmf": "*",
        "stay_in_queue_after_closing": False,
        "unattended_queue": False,
    }
    assert said["alerts"] == {"cc_service_level": "95", "cc_service_level_seconds": "60"}
    assert said["advanced_settings"] == {
        "auto_call_recording": {
            "allow_pause_recording": False,
            "call_recording_inbound": False,
            "call_recording_outbound": False,
        },
        "max_wrap_up_seconds": "0",
    }
    assert said["routing_options"] == {
        "open": {"action": "voicemail", "try_dial_operators": True, "operator_routing": "longestidle"},
        "closed": {"action": "voicemail", "try_dial_operators": False, "operator_routing": "longestidle"},
    }
    assert (said["ring_seconds"], said["hours_on"], said["availability_status"]) == ("30", False, "open")
    assert "auto_call_recording" not in said
    assert company.live.get(f"{CALLCENTERS}/{said['id']}").json == said


def test_operators_of_a_call_center_ring_by_idle_time_unless_it_says_otherwise(company: Company):
    id = made(company, routing_options=routing(state(), state(operator_routing="mostskilled")))
    shown = company.live.get(f"{CALLCENTERS}/{id}").json["routing_options"]
    assert (shown["open"]["operator_routing"], shown["closed"]["operator_routing"]) == ("longestidle", "mostskilled")


def test_a_change_touches_only_what_is_sent(company: Company):
    before = company.live.post(
        CALLCENTERS,
        support(
            company,
            hold_queue={"max_hold_count": "1000", "queue_escape_dtmf": "#", "unattended_queue": True},
            alerts={"cc_service_level": 80, "cc_service_level_seconds": 20},
            advanced_settings={"auto_call_recording": {"call_recording_inbound": True}, "max_wrap_up_seconds": 15},
        ),
    ).json
    changed = company.live.patch(
        f"{CALLCENTERS}/{before['id']}",
        {
            "hold_queue": {"queue_callback_dtmf": "*"},
            "alerts": {"cc_service_level": "81"},
            "advanced_settings": {"auto_call_recording": {"allow_pause_recording": True}},
        },
    )
    assert changed.status == 200
    assert misfits(changed.json, CallCenterProto) == []
    assert changed.json == before | {
        "hold_queue": before["hold_queue"] | {"queue_callback_dtmf": "*"},
        "alerts": {"cc_service_level": "81", "cc_service_level_seconds": "20"},
        "advanced_settings": {
            "auto_call_recording": {
                "allow_pause_recording": True,
                "call_recording_inbound": True,
                "call_recording_outbound": False,
            },
            "max_wrap_up_seconds": "15",
        },
    }
    assert [one["event"] for one in company.live.events() if one["subject_id"] == before["id"]] == [
        "callcenter.created",
        "callcenter.updated",
    ]


def test_every_fault_of_a_call_center_is_named_at_once(company: Company):
    refused = company.live.post(
        CALLCENTERS,
        support(
            company,
            hold_queue={
                "max_hold_count": 1001,
                "max_hold_seconds": 18001,
                "announcement_interval_seconds": 9,
                "queue_callback_threshold": -1,
                "queue_callback_dtmf": "12",
                "queue_escape_dtmf": "a",
            },
            alerts={"cc_service_level": 101, "cc_service_level_seconds": 0},
            advanced_settings={"max_wrap_up_seconds": 3601},
        ),
    )
    assert refused.status == 400
    assert refused.places == [
        "advanced_settings.max_wrap_up_seconds",
        "alerts.cc_service_level",
        "alerts.cc_service_level_seconds",
        "hold_queue.announcement_interval_seconds",
        "hold_queue.max_hold_count",
        "hold_queue.max_hold_seconds",
        "hold_queue.queue_callback_dtmf",
        "hold_queue.queue_callback_threshold",
        "hold_queue.queue_escape_dtmf",
    ]


@pytest.mark.parametrize("edge", [{"max_hold_count": 1}, {"max_hold_count": 1000}, {"max_hold_seconds": 18000}])
def test_the_bounds_of_the_queue_are_within(embedded: Company, edge: dict[str, int]):
    assert embedded.live.post(CALLCENTERS, support(embedded, hold_queue=edge)).codes == set()


def test_one_key_does_not_do_two_things_in_the_queue(company: Company):
    for queue, place in (
        ({"queue_escape_dtmf": "9"}, "hold_queue.queue_escape_dtmf"),
        ({"queue_escape_dtmf": "3", "queue_callback_dtmf": "3"}, "hold_queue.queue_callback_dtmf"),
    ):
        refused = company.live.post(CALLCENTERS, support(company, hold_queue=queue))
        assert (refused.places, refused.errors[0]["reason"]) == ([place], "duplicate")


def test_who_waits_less_than_two_minutes_is_not_told_the_place(company: Company):
    queue = {"max_hold_seconds": 119}
    assert company.live.post(CALLCENTERS, support(company, hold_queue=queue)).codes == {"position_not_announced"}
    silent = queue | {"announce_position": False}
    assert company.live.post(CALLCENTERS, support(company, hold_queue=silent)).codes == set()


def test_call_centers_are_listed_of_all_offices_or_of_one(company: Company):
    other = company.live.made(office(name="Other")).id
    one, two = made(company), made(company, office_id=other, name="Desk")
    listed = company.live.get(CALLCENTERS)
    assert misfits(listed.json, CallCenterCollection) == []
    assert [each["id"] for each in listed.json["items"]] == [one, two]
    for path in (f"{CALLCENTERS}?office_id={other}", f"{OFFICES}/{other}/callcenters", f"{CALLCENTERS}?name_search=dE"):
        assert [each["id"] for each in company.live.get(path).json["items"]] == [two]
    assert company.live.get(f"{OFFICES}/77/callcenters").status == 404


def test_the_status_counts_who_is_on_duty_and_who_could_take_a_call(company: Company):
    id = made(company)
    who = [
        agent(company, "Ana"),
        agent(company, "Bo", do_not_disturb=True),
        agent(company, "Cy", on_duty=False),
    ]
    for one in who:
        assert company.live.post(f"{CALLCENTERS}/{id}/operators", {"user_id": one}).status == 200
    answer = company.live.get(f"{CALLCENTERS}/{id}/status")
    assert misfits(answer.json, CallCenterStatusProto) == []
    assert answer.json == {
        "availability": {"status": "open"},
        "capacity": "1",
        "on_duty_operators": "2",
        "pending": "0",
        "longest_call_wait_time": "0",
    }
    company.live.patch(f"{CALLCENTERS}/operators/{who[0]}/dutystatus", {"on_duty": False})
    assert company.live.get(f"{CALLCENTERS}/{id}/status").json["on_duty_operators"] == "1"


def test_the_status_names_the_holiday_that_it_is_within(company: Company):
    home = company.office_ids["sandbox"]
    day = {"date": "2026-12-24", "kind": "holiday", "name": "Christmas Eve", "hours": ["09:00", "12:00"]}
    company.sandbox.put(SPECIAL.format(home), {"days": [day]})
    body = {"name": "Support", "office_id": home, "hours_on": True}
    id = company.sandbox.post(CALLCENTERS, body).json["id"]

    def availability(moment: str) -> Any:
        return company.sandbox.at(moment).get(f"{CALLCENTERS}/{id}/status").json["availability"]

    assert availability("2026-12-24T10:00:00-08:00") == {"status": "holiday_open", "name": "Christmas Eve"}
    assert availability("2026-12-24T12:00:00-08:00") == {"status": "holiday_closed", "name": "Christmas Eve"}
    assert availability("2026-12-23T19:00:00-08:00") == {"status": "closed"}


def test_a_call_center_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = made(company)
    target = {"action": "department", "action_target_type": "callcenter", "action_target_id": id}
    caller = made(company, name="First", routing_options=routing(state(**target)))
    refused = company.live.delete(f"{CALLCENTERS}/{id}")
    assert refused.places == [f"callcenters/{caller}.routing_options.open.action_target_id"]
    assert company.live.delete(f"{CALLCENTERS}/{id}?force=true").json["state"] == "deleted"
    after = company.live.get(f"{CALLCENTERS}/{caller}").json["routing_options"]["open"]
    assert (after["action"], after["operator_routing"]) == ("voicemail", "longestidle")
    told = [one["event"] for one in company.live.events()]
    assert {"callcenter.pointed_at_voicemail", "callcenter.deleted"} <= set(told)


def test_a_call_center_of_another_company_is_not_there(company: Company):
    other = company.desk.found()
    id, one = made(other), agent(other, "Ana")
    assert other.live.post(f"{CALLCENTERS}/{id}/operators", {"user_id": one}).status == 200
    for method, path, body in (
        ("GET", f"/{id}", None),
        ("PATCH", f"/{id}", {"name": "Mine"}),
        ("DELETE", f"/{id}", None),
        ("GET", f"/{id}/status", None),
        ("GET", f"/{id}/operators", None),
        ("POST", f"/{id}/operators", {"user_id": one}),
        ("DELETE", f"/{id}/operators", {"user_id": one}),
        ("GET", f"/{id}/operators/{one}/skill", None),
        ("PATCH", f"/{id}/operators/{one}/skill", {"skill_level": 1}),
        ("GET", f"/operators/{one}/dutystatus", None),
        ("PATCH", f"/operators/{one}/dutystatus", {"on_duty": False}),
    ):
        assert company.live.send(method, f"{CALLCENTERS}{path}", body).status == 404, (method, path)
    assert company.live.post(CALLCENTERS, support(other)).places == ["office_id"]
    assert company.live.get(CALLCENTERS).json == {}


def test_a_call_center_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry = company.live.post(CALLCENTERS, support(company), headers={"offhook-dry-run": "true"})
    assert dry.json["result"]["name"] == "Support"
    assert company.live.get(CALLCENTERS).json == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(CALLCENTERS, support(company), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
