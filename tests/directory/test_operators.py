"""Operators: who answers for an office, a department or a call center, in the order of joining."""

from typing import Any

import pytest
from dialpad.schemas.group import (
    OperatorCollection,
    OperatorDutyStatusProto,
    OperatorSkillLevelProto,
    UserOrRoomProto,
)

from offhook.directory.operators.wire import user_or_room_out
from offhook.directory.rooms.model import Room
from offhook.directory.users.model import User
from offhook.storage.documents import Kept
from tests.api.desk import OFFICES, WHOLE, Api, Company, office
from tests.conftest import at
from tests.directory.people import agent, buy, free, give_number, person
from tests.published import misfits

DEPARTMENTS, CALLCENTERS, ROOMS = "/api/v2/departments", "/api/v2/callcenters", "/api/v2/rooms"
DUTY = CALLCENTERS + "/operators/{}/dutystatus"


def home(company: Company) -> str:
    return str(company.office_ids["live"])


def group(company: Company, path: str) -> str:
    """A new group of a kind, or the primary office: its path."""
    if path == OFFICES:
        return f"{OFFICES}/{home(company)}"
    answer = company.live.post(path, {"name": "Sales", "office_id": home(company)})
    return f"{path}/{answer.json['id']}"


def room(company: Company) -> str:
    return company.live.post(ROOMS, {"name": "Lobby", "office_id": home(company)}).json["id"]


def user(id: str, **more: Any) -> dict[str, Any]:
    return {"operator_type": "user", "operator_id": id, **more}


def listed(api: Api, path: str) -> list[str]:
    return [one["id"] for one in api.get(f"{path}/operators").json.get("users", [])]


def operator_events(company: Company) -> list[dict[str, Any]]:
    return [one for one in company.live.events() if one["event"].startswith("operator.")]


# Joining


@pytest.mark.parametrize("path", [OFFICES, DEPARTMENTS])
def test_users_and_rooms_answer_in_the_order_of_joining(company: Company, path: str):
    where, lobby = group(company, path), room(company)
    ana, bo = agent(company, "Ana"), agent(company, "Bo")
    assert company.live.get(f"{where}/operators").json == {}
    first = company.live.post(f"{where}/operators", user(bo, role="admin"))
    assert first.status == 200
    assert misfits(first.json, UserOrRoomProto) == []
    assert first.json == {
        "id": bo,
        "company_id": str(company.id),
        "office_id": home(company),
        "name": "Bo",
        "country": "us",
        "state": "active",
        "is_on_duty": True,
    }
    placed = company.live.post(f"{where}/operators", {"operator_type": "room", "operator_id": lobby})
    assert (placed.json["id"], placed.json["name"]) == (lobby, "Lobby")
    assert company.live.post(f"{where}/operators", user(ana)).status == 200
    found = company.live.get(f"{where}/operators")
    assert misfits(found.json, OperatorCollection) == []
    assert [one["id"] for one in found.json["users"]] == [bo, ana]
    assert [one["id"] for one in found.json["rooms"]] == [lobby]
    details = found.json["users"][0]["group_details"]
    kind = "office" if path == OFFICES else "department"
    assert details == [
        {"group_id": where.rpartition("/")[2], "group_type": kind, "role": "admin", "do_not_disturb": False}
    ]
    assert found.json["users"][0]["date_added"] == "2026-06-20T17:20:00"
    told = operator_events(company)
    assert [(one["event"], one["subject_id"]) for one in told] == [("operator.added", where.rpartition("/")[2])] * 3
    assert told[0]["after"] == {
        "group_type": kind,
        "group_id": where.rpartition("/")[2],
        "operator_type": "user",
        "operator_id": bo,
        "role": "admin",
    }


def test_a_user_may_answer_for_many_groups(company: Company):
    ana = agent(company, "Ana")
    places = [group(company, path) for path in (OFFICES, DEPARTMENTS, DEPARTMENTS)]
    for where in places:
        assert company.live.post(f"{where}/operators", user(ana)).status == 200
    center = group(company, CALLCENTERS)
    assert company.live.post(f"{center}/operators", {"user_id": ana, "role": "supervisor"}).status == 200
    details = company.live.get(f"{places[1]}/operators").json["users"][0]["group_details"]
    assert [(one["group_type"], one["role"]) for one in details] == [
        ("office", "operator"),
        ("department", "operator"),
        ("department", "operator"),
        ("callcenter", "supervisor"),
    ]


@pytest.mark.parametrize("path", [OFFICES, DEPARTMENTS, CALLCENTERS])
def test_nobody_joins_twice(company: Company, path: str):
    where, ana = group(company, path), agent(company, "Ana")
    body = {"user_id": ana} if path == CALLCENTERS else user(ana)
    answers = company.live.together([company.live.sending("POST", f"{where}/operators", body) for _ in range(2)])
    assert sorted(answer.status for answer in answers) == [200, 409]
    refused = company.live.post(f"{where}/operators", body)
    assert refused.places == ["user_id" if path == CALLCENTERS else "operator_id"]
    assert listed(company.live, where) == [ana]
    assert len(operator_events(company)) == 1


@pytest.mark.parametrize("path", [OFFICES, DEPARTMENTS, CALLCENTERS])
def test_who_cannot_take_calls_is_refused_with_the_reason(company: Company, path: str):
    where = group(company, path)
    other = company.desk.found()
    place = "user_id" if path == CALLCENTERS else "operator_id"

    def refused(id: str) -> tuple[list[str], str]:
        answer = company.live.post(f"{where}/operators", {"user_id": id} if path == CALLCENTERS else user(id))
        assert answer.status == 400, answer
        return answer.places, answer.errors[0]["reason"]

    assert refused(agent(company, "Ana", state="suspended")) == ([place], "conflict")
    assert refused(agent(company, "Bo", state="deleted")) == ([place], "notFound")
    assert refused(agent(other, "Cy")) == ([place], "notFound")
    assert refused(room(company)) == ([place], "notFound")
    assert refused("x")[0] == [place]
    assert company.live.get(f"{where}/operators").json == {}


def test_every_fault_of_an_operator_is_named_at_once(company: Company):
    where = group(company, CALLCENTERS)
    refused = company.live.post(f"{where}/operators", {"user_id": "x", "skill_level": 0})
    assert refused.places == ["skill_level", "user_id"]
    refused = company.live.post(f"{where}/operators", {"role": "boss", "license_type": "talk"})
    assert refused.places == ["license_type", "role", "user_id"]
    where = group(company, DEPARTMENTS)
    assert company.live.post(f"{where}/operators", {"role": "supervisor"}).places == [
        "operator_id",
        "operator_type",
        "role",
    ]


def test_an_operator_is_added_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    for index, path in enumerate((OFFICES, DEPARTMENTS, CALLCENTERS)):
        where, ana = group(company, path), agent(company, f"Ana{index}")
        body = {"user_id": ana} if path == CALLCENTERS else user(ana)
        dry = company.live.post(f"{where}/operators", body, headers={"offhook-dry-run": "true"})
        assert dry.json["result"]["id"] == ana
        assert listed(company.live, where) == []
        headers = {"idempotency-key": path}
        first, again = (company.live.post(f"{where}/operators", body, headers=headers) for _ in range(2))
        assert (first.status, again.status, first.json) == (200, 200, again.json)
        assert again.headers["offhook-replayed"] == "true"


def test_the_operators_of_an_office_that_is_not_there_are_not_found(company: Company):
    other = company.desk.found()
    for id in ("12", home(other)):
        assert company.live.get(f"{OFFICES}/{id}/operators").status == 404
        assert company.live.post(f"{OFFICES}/{id}/operators", user("1")).status == 404
        assert company.live.delete(f"{OFFICES}/{id}/operators", user("1")).status == 404


# Leaving


@pytest.mark.parametrize("path", [OFFICES, DEPARTMENTS, CALLCENTERS])
def test_who_is_removed_no_longer_answers(company: Company, path: str):
    where, ana, bo = group(company, path), agent(company, "Ana"), agent(company, "Bo")

    def body(id: str) -> dict[str, Any]:
        return {"user_id": id} if path == CALLCENTERS else user(id)

    for one in (ana, bo):
        company.live.post(f"{where}/operators", body(one))
    removed = company.live.delete(f"{where}/operators", body(ana))
    assert misfits(removed.json, UserOrRoomProto) == []
    assert (removed.json["id"], removed.json["is_on_duty"]) == (ana, False)
    assert listed(company.live, where) == [bo]
    assert company.live.delete(f"{where}/operators", body(ana)).status == 404
    assert [one["event"] for one in operator_events(company)] == [
        "operator.added",
        "operator.added",
        "operator.removed",
    ]
    company.live.post(f"{where}/operators", body(ana))
    assert listed(company.live, where) == [bo, ana]


def test_a_room_that_is_deleted_answers_for_nobody(company: Company):
    where, lobby = group(company, DEPARTMENTS), room(company)
    company.live.post(f"{where}/operators", {"operator_type": "room", "operator_id": lobby})
    company.live.delete(f"{ROOMS}/{lobby}")
    assert company.live.get(f"{where}/operators").json == {}
    assert [one["event"] for one in operator_events(company)] == ["operator.added", "operator.removed"]


def test_an_office_that_is_deleted_has_no_operators_left(company: Company):
    branch, ana = company.live.made(office(name="Branch")).id, agent(company, "Ana")
    company.live.post(f"{OFFICES}/{branch}/operators", user(ana))
    where = group(company, DEPARTMENTS)
    company.live.post(f"{where}/operators", user(ana))
    assert company.live.delete(f"{WHOLE}/{branch}").status == 200
    details = company.live.get(f"{where}/operators").json["users"][0]["group_details"]
    assert [one["group_type"] for one in details] == ["department"]
    assert [one["event"] for one in operator_events(company)][-1] == "operator.removed"


# Licences


def test_a_user_without_an_agents_licence_is_given_one_with_its_line(company: Company):
    where, ana = group(company, CALLCENTERS), person(company, "Ana")
    refused = company.live.post(f"{where}/operators", {"user_id": ana})
    assert (refused.status, refused.places) == (409, ["license_type"])
    assert "sell_lines" in refused.json["error"]["message"]
    assert listed(company.live, where) == []
    buy(company.live, home(company), sell_lines=1)
    assert company.live.post(f"{where}/operators", {"user_id": ana}).status == 200
    assert company.live.get(f"{where}/operators").json["users"][0]["license"] == "agents"
    assert free(company.live, home(company)) == {"talk_lines": 1}
    assert "user.updated" in [one["event"] for one in company.live.events() if one["subject_id"] == ana]


def test_the_last_free_line_goes_to_one_of_two(company: Company):
    where = group(company, CALLCENTERS)
    who = [person(company, name) for name in ("Ana", "Bo")]
    buy(company.live, home(company), sell_lines=1)
    answers = company.live.together(
        [company.live.sending("POST", f"{where}/operators", {"user_id": one}) for one in who]
    )
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert "sell_lines" not in free(company.live, home(company))


def test_a_licence_that_serves_already_is_kept(company: Company):
    where, ana = group(company, CALLCENTERS), agent(company, "Ana", license="lite_support_agents")
    added = company.live.post(f"{where}/operators", {"user_id": ana, "license_type": "agents"})
    assert (added.status, added.codes) == (200, {"license_kept", "operators_unreachable"}), "Ana has no telephone"
    assert company.live.get(f"{where}/operators").json["users"][0]["license"] == "lite_support_agents"


@pytest.mark.parametrize("keep", [True, False])
def test_a_support_licence_keeps_numbers_for_a_line_or_frees_them(company: Company, keep: bool):
    where, ana = group(company, CALLCENTERS), numbered(company)
    buy(company.live, home(company), contact_center_lines=1)
    body = {"user_id": ana, "license_type": "lite_support_agents", "keep_paid_numbers": keep}
    if keep:
        refused = company.live.post(f"{where}/operators", body)
        assert (refused.status, refused.places) == (409, ["license_type"])
        buy(company.live, home(company), additional_number_lines=1)
    assert company.live.post(f"{where}/operators", body).status == 200
    assert ("phone_numbers" in company.live.get(f"{where}/operators").json["users"][0]) is keep
    assert not {"contact_center_lines", "additional_number_lines"} & free(company.live, home(company)).keys()
    assert ("number.released" in [one["event"] for one in company.live.events()]) is not keep


def numbered(company: Company) -> str:
    """A user with a talk licence and a number."""

    ana = person(company, "Ana")
    give_number(company, "user", ana)
    return ana


# Skill


def test_a_skill_level_is_set_on_joining_and_changed_later(company: Company):
    where, ana, bo = group(company, CALLCENTERS), agent(company, "Ana"), agent(company, "Bo")
    company.live.post(f"{where}/operators", {"user_id": ana})
    company.live.post(f"{where}/operators", {"user_id": bo, "skill_level": "7"})
    assert company.live.get(f"{where}/operators/{ana}/skill").json["skill_level"] == "100"
    shown = company.live.get(f"{where}/operators/{bo}/skill")
    assert misfits(shown.json, OperatorSkillLevelProto) == []
    assert shown.json == {"call_center_id": where.rpartition("/")[2], "user_id": bo, "skill_level": "7"}
    changed = company.live.patch(f"{where}/operators/{bo}/skill", {"skill_level": 0})
    assert changed.json == shown.json | {"skill_level": "0"}
    assert company.live.patch(f"{where}/operators/{bo}/skill", {"skill_level": 101}).places == ["skill_level"]
    told = operator_events(company)[-1]
    assert (told["event"], told["before"]["skill_level"], told["after"]["skill_level"]) == (
        "operator.updated",
        "7",
        "0",
    )
    company.live.delete(f"{where}/operators", {"user_id": bo})
    assert company.live.get(f"{where}/operators/{bo}/skill").status == 404
    assert company.live.patch(f"{where}/operators/{bo}/skill", {"skill_level": 1}).status == 404


# Duty


@pytest.mark.parametrize(
    ("state", "removed", "on_duty"), [("active", False, True), ("suspended", False, False), ("active", True, False)]
)
def test_only_who_serves_is_answered_as_on_duty(state: str, removed: bool, on_duty: bool):
    lobby = Room(name="Lobby", office_id=7, country="US")
    ana = User(office_id=7, emails=("ana@example.com",), country="US", timezone="UTC")
    for value in (lobby, ana):
        kept: Any = Kept(id=1, tenant_id=1, value=value, state=state, created_at=0, updated_at=0)
        assert user_or_room_out(kept, 5, removed=removed).is_on_duty is on_duty


def test_who_is_suspended_is_off_duty_wherever_it_is_shown(company: Company):
    where, ana = group(company, DEPARTMENTS), agent(company, "Ana")
    company.live.post(f"{where}/operators", user(ana))
    assert company.live.patch(f"/api/v2/users/{ana}", {"state": "suspended"}).status == 200
    duty = company.live.get(DUTY.format(ana)).json
    assert (duty["on_duty"], duty["on_duty_status"]) == (False, "unavailable")
    (shown,) = company.live.get(f"{where}/operators").json["users"]
    assert (shown["is_on_duty"], shown["is_available"]) == (False, False)
    removed = company.live.delete(f"{where}/operators", user(ana)).json
    assert (removed["state"], removed["is_on_duty"]) == ("suspended", False)


def test_going_off_duty_takes_a_reason_of_the_office_and_says_since_when(company: Company):
    ana = agent(company, "Ana")
    path = DUTY.format(ana)
    fresh = company.live.get(path)
    assert misfits(fresh.json, OperatorDutyStatusProto) == []
    assert fresh.json == {
        "user_id": ana,
        "on_duty": True,
        "on_duty_status": "available",
        "duty_status_started": "1781976000000",
        "on_duty_started": "1781976000000",
    }
    refused = company.live.patch(path, {"on_duty": False, "duty_status_reason": "Fishing"})
    assert refused.places == ["duty_status_reason"]
    assert "Lunch Time, Off Duty" in refused.errors[0]["message"]
    with at("2026-06-22T12:00:00Z"):
        gone = company.live.patch(path, {"on_duty": False, "duty_status_reason": "Lunch Time"})
    assert misfits(gone.json, OperatorDutyStatusProto) == []
    assert gone.json == fresh.json | {
        "on_duty": False,
        "on_duty_status": "unavailable",
        "duty_status_reason": "Lunch Time",
        "duty_status_started": "1782129600000",
    }
    with at("2026-06-22T12:30:00Z"):
        assert company.live.patch(path, {"on_duty": False, "duty_status_reason": "Lunch Time"}).json == gone.json
    with at("2026-06-22T13:00:00Z"):
        back = company.live.patch(path, {"on_duty": True, "duty_status_reason": "Lunch Time"})
    assert back.codes == {"reason_ignored"}
    assert back.json == fresh.json | {"duty_status_started": "1782133200000", "on_duty_started": "1782133200000"}
    assert company.live.patch(path, {"on_duty": False}).codes == {"reason_default"}
    assert company.live.get(path).json["duty_status_reason"] == "Off Duty"
    told = [one["event"] for one in company.live.events() if one["subject_id"] == ana]
    assert told == ["user.duty_updated"] * 3


def test_who_is_off_duty_is_shown_so_in_every_list(company: Company):
    where, ana = group(company, DEPARTMENTS), agent(company, "Ana")
    company.live.post(f"{where}/operators", user(ana))
    with at("2026-06-22T12:00:00Z"):
        company.live.patch(DUTY.format(ana), {"on_duty": False, "duty_status_reason": "Lunch Time"})
    found = company.live.get(f"{where}/operators").json
    assert misfits(found, OperatorCollection) == []
    shown = found["users"][0]
    assert (shown["is_on_duty"], shown["duty_status_reason"], shown["duty_status_started"]) == (
        False,
        "Lunch Time",
        "2026-06-22T12:00:00",
    )


# Offices with operators from the start


def test_an_office_is_created_with_its_operators_in_their_order(company: Company):
    ana, bo, lobby = agent(company, "Ana"), agent(company, "Bo"), room(company)
    sent = [user(bo, role="admin"), {"operator_type": "room", "operator_id": lobby}, user(ana)]
    made = company.live.made(office(operators=sent))
    found = company.live.get(f"{OFFICES}/{made.id}/operators").json
    assert [(one["id"], one["group_details"][0]["role"]) for one in found["users"]] == [
        (bo, "admin"),
        (ana, "operator"),
    ]
    assert [one["id"] for one in found["rooms"]] == [lobby]
    told = [one for one in company.live.events() if one["subject_id"] == made.id]
    assert [one["event"] for one in told] == ["office.created", *["operator.added"] * 3]
    assert [one["after"]["operator_id"] for one in told[1:]] == [bo, lobby, ana]


def test_every_operator_that_cannot_be_added_is_named_and_nothing_is_made(company: Company):
    ana, off = agent(company, "Ana"), agent(company, "Off", state="suspended")
    before = len(company.live.get(OFFICES).json["items"])
    sent = [user(ana), user(off), user("12"), {"operator_type": "room", "operator_id": ana}]
    for answer in (company.live.create(office(operators=sent)), company.live.dry(office(operators=sent))):
        assert answer.status == 400
        assert answer.places == [f"operators[{index}].operator_id" for index in (1, 2, 3)]
    twice = company.live.create(office(name="a\nb", operators=[user(ana), user("x"), user(ana)]))
    assert twice.places == ["name", "operators[1].operator_id", "operators[2].operator_id"]
    assert company.live.create(office(operators=[user("1")] * 501)).places == ["operators"]
    assert company.live.create(office(operators=[{"operator_type": "dog"}])).places == [
        "operators[0].operator_id",
        "operators[0].operator_type",
    ]
    assert len(company.live.get(OFFICES).json["items"]) == before


def test_an_office_with_operators_is_created_once_for_one_key(company: Company):
    ana = agent(company, "Ana")
    headers = {"idempotency-key": "one"}
    first, again = (company.live.create(office(operators=[user(ana)]), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert listed(company.live, f"{OFFICES}/{first.id}") == [ana]
    assert len(operator_events(company)) == 1


def test_offices_with_and_without_operators_are_created_together(company: Company):
    ana = agent(company, "Ana")
    bodies = [office(name=f"O{index}", operators=[user(ana)] if index % 2 else None) for index in range(8)]
    bodies.append(office(name="Bad", operators=[user("12")]))
    answers = company.live.together([company.live.sending("POST", OFFICES, body) for body in bodies])
    assert [answer.status for answer in answers] == [200] * 8 + [400]
    assert [len(listed(company.live, f"{OFFICES}/{answer.id}")) for answer in answers[:8]] == [0, 1] * 4


def test_replacing_an_office_leaves_its_operators_and_says_so(company: Company):
    ana, bo = agent(company, "Ana"), agent(company, "Bo")
    id = company.live.made(office(operators=[user(ana)])).id
    answer = company.live.put(f"{WHOLE}/{id}", office(operators=[user(bo)]))
    assert answer.status == 200
    assert "operators_ignored" in answer.codes
    assert listed(company.live, f"{OFFICES}/{id}") == [ana]
