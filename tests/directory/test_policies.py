"""Access control policies: what users may change and where; given, taken, deleted and brought back."""

from typing import Any

from dialpad.schemas.access_control_policies import (
    PoliciesCollection,
    PolicyAssignmentCollection,
    PolicyAssignmentProto,
    PolicyProto,
)

from tests.api.desk import Company, office
from tests.conftest import at
from tests.directory.people import admin, gone, person, told
from tests.published import misfits

POLICIES = "/api/v2/accesscontrolpolicies"


def policy(company: Company, **changes: Any) -> dict[str, Any]:
    body = {"name": "Hours", "owner_id": changes.pop("owner_id", None) or admin(company)}
    return {**body, "permission_sets": ["business_hours_write"], **changes}


def made(company: Company, **changes: Any) -> str:
    answer = company.live.post(POLICIES, policy(company, **changes))
    assert answer.status == 200, answer
    return str(answer.json["id"])


def held(answer: Any) -> list[tuple[str, str]]:
    return [(one["target_type"], one["target_id"]) for one in answer.json.get("policy_targets", [])]


def test_the_life_of_a_policy(company: Company):
    owner = admin(company)
    with at("2026-06-20T19:18:00.900Z"):
        answer = company.live.post(
            POLICIES,
            policy(
                company,
                owner_id=owner,
                description="Opening hours",
                permission_sets=["number_settings_write", "business_hours_write", "business_hours_write"],
            ),
        )
    assert answer.status == 200
    assert misfits(answer.json, PolicyProto) == []
    id = answer.json["id"]
    assert answer.json == {
        "id": id,
        "company_id": str(company.id),
        "name": "Hours",
        "description": "Opening hours",
        "owner_id": owner,
        "permission_sets": [
            "business_hours_read",
            "business_hours_write",
            "number_settings_read",
            "number_settings_write",
        ],
        "state": "active",
        "target_type": "company",
        "date_created": "2026-06-20T19:18:00",
        "date_updated": "2026-06-20T19:18:00",
    }
    with at("2026-06-21T08:00:00Z"):
        changes = {"name": "Days", "description": "", "permission_sets": ["business_hours_write"], "user_id": owner}
        changed = company.live.patch(f"{POLICIES}/{id}", changes)
    assert changed.json["date_updated"] == "2026-06-21T08:00:00"
    assert (changed.json["name"], "description" in changed.json) == ("Days", False)
    assert changed.json["permission_sets"] == ["business_hours_read", "business_hours_write"]
    assert company.live.patch(f"{POLICIES}/{id}", {"name": "x"}, headers={"if-match": '"1"'}).status == 412
    assert told(company.live, id) == ["policy.created", "policy.updated"]


def test_a_deleted_policy_can_be_read_and_brought_back_without_its_users(company: Company):
    id, user = made(company), person(company)
    company.live.post(f"{POLICIES}/{id}/assign", {"user_id": user})
    for _ in range(2):
        deleted = company.live.delete(f"{POLICIES}/{id}")
        assert (deleted.status, deleted.json["state"]) == (200, "deleted")
    assert misfits(deleted.json, PolicyProto) == []
    assert company.live.get(f"{POLICIES}/{id}").json == deleted.json
    assert company.live.get(POLICIES).json == {}
    assert [one["state"] for one in company.live.get(f"{POLICIES}?include_deleted=true").json["items"]] == ["deleted"]
    assert company.live.get(f"{POLICIES}/{id}/assignments").json == {}
    assert company.live.patch(f"{POLICIES}/{id}", {"name": "x"}).status == 409
    assert company.live.post(f"{POLICIES}/{id}/assign", {"user_id": user}).status == 409
    back = company.live.patch(f"{POLICIES}/{id}", {"state": "active", "user_id": admin(company)})
    assert (back.status, back.json["state"], back.json["name"]) == (200, "active", "Hours")
    assert len(company.live.get(POLICIES).json["items"]) == 1
    assert told(company.live, id) == ["policy.created", "policy.assigned", "policy.deleted", "policy.updated"]


def test_every_fault_of_a_policy_is_named_at_once(company: Company):
    nobody = person(company)
    body = policy(company, owner_id=nobody, name="x" * 51, description="x" * 201)
    refused = company.live.post(POLICIES, body)
    assert (refused.status, refused.places) == (400, ["description", "name", "owner_id"])
    wrong = {"permission_sets": ["business_hours_read", "business_hours_write"], "target_type": "room"}
    assert company.live.post(POLICIES, wrong).places == ["name", "owner_id", "permission_sets[0]", "target_type"]
    assert company.live.post(POLICIES, policy(company, permission_sets=[])).places == ["permission_sets"]
    id = made(company)
    assert company.live.patch(f"{POLICIES}/{id}", {"user_id": nobody, "name": ""}).places == ["name", "user_id"]
    assert company.live.patch(f"{POLICIES}/{id}", {"state": "deleted"}).places == ["state"]


def test_a_policy_of_the_company_is_given_and_taken(company: Company):
    id, user = made(company), person(company)
    everywhere = ("company", str(company.id))
    for body in ({"user_id": user}, {"user_id": int(user), "target_type": "company", "target_id": str(company.id)}):
        given = company.live.post(f"{POLICIES}/{id}/assign", body)
        assert given.status == 200
        assert misfits(given.json, PolicyAssignmentProto) == []
        assert (given.json["user"]["id"], held(given)) == (user, [everywhere])
    listed = company.live.get(f"{POLICIES}/{id}/assignments")
    assert misfits(listed.json, PolicyAssignmentCollection) == []
    assert listed.json["items"] == [given.json]
    assert company.live.post(f"{POLICIES}/{id}/assign", {"user_id": user, "target_id": 12}).places == ["target_id"]
    taken = company.live.post(f"{POLICIES}/{id}/unassign", {"user_id": user})
    assert misfits(taken.json, PolicyAssignmentProto) == []
    assert (taken.json["user"]["id"], held(taken)) == (user, [])
    assert company.live.post(f"{POLICIES}/{id}/unassign", {"user_id": user}).status == 404
    assert told(company.live, id) == ["policy.created", "policy.assigned", "policy.unassigned"]


def test_a_policy_of_offices_is_given_office_by_office(company: Company):
    id, user = made(company, target_type="office"), person(company)
    offices = [company.live.made(office(name=name)).id for name in ("One", "Two", "Three")]
    for one in offices:
        given = company.live.post(f"{POLICIES}/{id}/assign", {"user_id": user, "target_id": one})
    assert held(given) == [("office", one) for one in offices]
    one_less = company.live.post(
        f"{POLICIES}/{id}/unassign", {"user_id": user, "target_type": "office", "target_id": offices[0]}
    )
    assert held(one_less) == [("office", one) for one in offices[1:]]
    assert held(company.live.post(f"{POLICIES}/{id}/unassign", {"user_id": user, "unassign_all": True})) == []
    for body, places in (
        ({"user_id": user}, ["target_id"]),
        ({"user_id": "12", "target_id": "13"}, ["target_id", "user_id"]),
        ({"user_id": user, "target_type": "callcenter", "target_id": offices[0]}, ["target_type"]),
        ({"user_id": user, "target_type": "room"}, ["target_type"]),
    ):
        for verb in ("assign", "unassign"):
            assert company.live.post(f"{POLICIES}/{id}/{verb}", body).places == places


def test_a_policy_of_call_centers_needs_one_that_there_is(company: Company):
    id = made(company, target_type="callcenter")
    body = {"user_id": person(company), "target_id": str(company.office_ids["live"])}
    assert company.live.post(f"{POLICIES}/{id}/assign", body).places == ["target_id"]


def test_policies_and_assignments_are_listed_page_by_page(embedded: Company):
    owner = admin(embedded)
    ids = [made(embedded, owner_id=owner) for _ in range(101)]
    first = embedded.live.get(POLICIES)
    assert misfits(first.json, PoliciesCollection) == []
    second = embedded.live.get(f"{POLICIES}?cursor={first.json['cursor']}")
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == ids
    users = [person(embedded) for _ in range(101)]
    for user in reversed(users):
        embedded.live.post(f"{POLICIES}/{ids[0]}/assign", {"user_id": user})
    first = embedded.live.get(f"{POLICIES}/{ids[0]}/assignments")
    second = embedded.live.get(f"{POLICIES}/{ids[0]}/assignments?cursor={first.json['cursor']}")
    assert [one["user"]["id"] for one in first.json["items"] + second.json["items"]] == users
    assert embedded.live.get(f"{POLICIES}/{ids[1]}/assignments?cursor={first.json['cursor']}").places == ["cursor"]


def test_a_policy_and_an_assignment_are_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry, once, body = {"offhook-dry-run": "true"}, {"idempotency-key": "one"}, policy(company)
    assert company.live.post(POLICIES, body, headers=dry).json["result"]["name"] == "Hours"
    assert company.live.get(POLICIES).json == {}
    first, again = (company.live.post(POLICIES, body, headers=once) for _ in range(2))
    assert first.json == again.json
    assert company.live.post(POLICIES, body | {"name": "x"}, headers=once).status == 409
    path, given = f"{POLICIES}/{first.json['id']}/assign", {"user_id": person(company)}
    assert company.live.post(path, given, headers=dry).json["dry_run"] is True
    assert company.live.get(f"{POLICIES}/{first.json['id']}/assignments").json == {}
    assert company.live.post(path, given, headers=once).json == company.live.post(path, given, headers=once).json


def test_a_policy_given_many_times_at_once_is_given_once(company: Company):
    id, body = made(company), {"user_id": person(company)}
    answers = company.live.together([company.live.sending("POST", f"{POLICIES}/{id}/assign", body) for _ in range(8)])
    assert {one.status for one in answers} == {200}
    assert told(company.live, id) == ["policy.created", "policy.assigned"]


def test_another_company_s_policy_is_not_there(company: Company):
    other, id, user = company.desk.found(), made(company), person(company)
    company.live.post(f"{POLICIES}/{id}/assign", {"user_id": user})
    for caller in (other.live, company.sandbox):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "x"}),
            ("DELETE", "", None),
            ("POST", "/assign", {"user_id": user}),
            ("GET", "/assignments", None),
            ("POST", "/unassign", {"user_id": user}),
        ):
            assert caller.send(method, f"{POLICIES}/{id}{path}", body).status == 404, path
        assert caller.get(f"{POLICIES}?include_deleted=true").json == {}
        assert caller.post(POLICIES, policy(company)).places == ["owner_id"]
    assert len(company.live.get(f"{POLICIES}/{id}/assignments").json["items"]) == 1


def test_policies_end_with_the_user_and_with_the_office(company: Company):
    id, first, second = made(company, target_type="office"), person(company), person(company)
    offices = [company.live.made(office(name=name)).id for name in ("One", "Two")]
    for user in (first, second):
        for one in offices:
            company.live.post(f"{POLICIES}/{id}/assign", {"user_id": user, "target_id": one})
    gone(company, "user", first)
    gone(company, "office", offices[0])
    left = company.live.get(f"{POLICIES}/{id}/assignments").json["items"]
    assert [(one["user"]["id"], [t["target_id"] for t in one["policy_targets"]]) for one in left] == [
        (second, [offices[1]])
    ]
    assert told(company.live, id).count("policy.unassigned") == 3


def test_whose_owner_is_deleted_goes_on_and_that_is_said(company: Company):
    owner = admin(company)
    id = made(company, owner_id=owner)
    deleted = company.live.delete(f"/api/v2/users/{owner}")
    assert deleted.status == 200
    said = [(one.code, one.field) for one in deleted.warnings]
    assert ("policy_without_owner", f"accesscontrolpolicies/{id}.owner_id") in said
    assert company.live.get(f"{POLICIES}/{id}").json["state"] == "active"
