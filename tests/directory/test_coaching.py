"""Coaching teams: made and changed beside v2, read as v2 has them, with coaches and trainees."""

from typing import Any

import pytest
from dialpad.schemas.coaching_team import (
    CoachingTeamCollection,
    CoachingTeamMemberCollection,
    CoachingTeamMemberProto,
    CoachingTeamProto,
)

from tests.api.desk import OFFICES, Company, office, routing, state
from tests.directory.people import gone, person, told
from tests.published import misfits

TEAMS = "/api/v2/coachingteams"
OURS = "/api/offhook/v1/coaching-teams"


def team(company: Company, **changes: Any) -> dict[str, Any]:
    return {"name": "New hires", "office_id": str(company.office_ids["live"]), **changes}


def made(company: Company, **changes: Any) -> str:
    answer = company.live.post(OURS, team(company, **changes))
    assert answer.status == 200, answer
    return str(answer.json["id"])


def test_the_life_of_a_coaching_team(company: Company):
    answer = company.live.post(OURS, team(company))
    assert misfits(answer.json, CoachingTeamProto) == []
    id = answer.json["id"]
    assert answer.json == {
        "id": id,
        "company_id": str(company.id),
        "office_id": str(company.office_ids["live"]),
        "name": "New hires",
        "country": "us",
        "state": "active",
        "allow_trainee_eavesdrop": False,
        "ring_seconds": "30",
    }
    assert company.live.get(f"{TEAMS}/{id}").json == answer.json
    elsewhere = company.live.made(office(name="Other")).id
    changes = {
        "name": "Old hands",
        "office_id": elsewhere,
        "team_description": "Two\nlines",
        "allow_trainee_eavesdrop": True,
        "ring_seconds": 45,
    }
    changed = company.live.patch(f"{OURS}/{id}", changes)
    assert changed.json == answer.json | changes | {"ring_seconds": "45", "country": "pt"}
    assert company.live.patch(f"{OURS}/{id}", {"name": "x"}, headers={"if-match": '"1"'}).status == 412
    user = person(company)
    company.live.post(f"{TEAMS}/{id}/members", {"member_id": user, "role": "coach"})
    assert company.live.delete(f"{OURS}/{id}").json == changed.json | {"state": "deleted"}
    assert company.live.get(f"{TEAMS}/{id}").status == 404
    gone(company, "user", user)
    assert told(company.live, id) == [
        "coaching_team.created",
        "coaching_team.updated",
        "coaching_team.member_added",
        "coaching_team.deleted",
    ]


def test_every_fault_of_a_coaching_team_is_named_at_once(company: Company):
    faulty = {"name": "", "office_id": "12", "team_description": "x" * 257, "ring_seconds": "46"}
    refused = company.live.post(OURS, faulty)
    assert (refused.status, refused.places) == (400, ["name", "office_id", "ring_seconds", "team_description"])
    assert company.live.post(OURS, {}).places == ["name", "office_id"]
    id = made(company)
    assert company.live.patch(f"{OURS}/{id}", faulty).places == refused.places
    body = {"member_id": "12", "role": "boss"}
    assert company.live.post(f"{TEAMS}/{id}/members", body).places == ["role"]
    assert company.live.post(f"{TEAMS}/{id}/members", body | {"role": "coach"}).places == ["member_id"]


def test_coaching_teams_are_listed_for_the_company_and_for_an_office(embedded: Company):
    elsewhere = embedded.live.made(office(name="Other")).id
    ids = [made(embedded) for _ in range(101)]
    other = made(embedded, office_id=elsewhere)
    first = embedded.live.get(TEAMS)
    assert misfits(first.json, CoachingTeamCollection) == []
    second = embedded.live.get(f"{TEAMS}?cursor={first.json['cursor']}")
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == [*ids, other]
    assert [one["id"] for one in embedded.live.get(f"{OFFICES}/{elsewhere}/teams").json["items"]] == [other]
    assert embedded.live.get(f"{OFFICES}/{elsewhere}/teams?cursor={first.json['cursor']}").places == ["cursor"]
    assert embedded.live.get(f"{OFFICES}/12/teams").status == 404


def test_coaches_and_trainees_join_a_team_and_leave_it(company: Company):
    id, coach, trainee = made(company), person(company, "Ada", is_super_admin=True), person(company, "Bea")
    members = f"{TEAMS}/{id}/members"
    joined = company.live.post(members, {"member_id": coach, "role": "coach"})
    assert joined.status == 200
    assert misfits(joined.json, CoachingTeamMemberProto) == []
    assert {name: joined.json[name] for name in ("id", "role", "first_name", "is_super_admin", "license", "state")} == {
        "id": coach,
        "role": "coach",
        "first_name": "Ada",
        "is_super_admin": True,
        "license": "talk",
        "state": "active",
    }
    company.live.post(members, {"member_id": int(trainee), "role": "trainee"})
    listed = company.live.get(members)
    assert misfits(listed.json, CoachingTeamMemberCollection) == []
    assert [(one["id"], one["role"]) for one in listed.json["items"]] == [(coach, "coach"), (trainee, "trainee")]
    for _ in range(2):
        assert company.live.post(members, {"member_id": coach, "role": "trainee"}).json["role"] == "trainee"
    assert [one["role"] for one in company.live.get(members).json["items"]] == ["trainee", "trainee"]
    left = company.live.delete(f"{OURS}/{id}/members/{coach}")
    assert (left.status, left.json["id"]) == (200, coach)
    assert company.live.delete(f"{OURS}/{id}/members/{coach}").status == 404
    assert [one["id"] for one in company.live.get(members).json["items"]] == [trainee]
    assert told(company.live, id)[1:] == [
        "coaching_team.member_added",
        "coaching_team.member_added",
        "coaching_team.member_updated",
        "coaching_team.member_removed",
    ]


def test_members_are_listed_page_by_page(embedded: Company):
    id = made(embedded)
    users = [person(embedded) for _ in range(101)]
    for user in users:
        embedded.live.post(f"{TEAMS}/{id}/members", {"member_id": user, "role": "trainee"})
    first = embedded.live.get(f"{TEAMS}/{id}/members").json
    second = embedded.live.get(f"{TEAMS}/{id}/members?cursor={first['cursor']}").json
    assert [one["id"] for one in first["items"] + second["items"]] == users


def test_a_team_and_a_member_are_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry, once = {"offhook-dry-run": "true"}, {"idempotency-key": "one"}
    assert company.live.post(OURS, team(company), headers=dry).json["result"]["name"] == "New hires"
    assert company.live.get(TEAMS).json == {}
    first, again = (company.live.post(OURS, team(company), headers=once) for _ in range(2))
    assert first.json == again.json
    assert company.live.post(OURS, team(company, name="x"), headers=once).status == 409
    members, body = f"{TEAMS}/{first.json['id']}/members", {"member_id": person(company), "role": "coach"}
    assert company.live.post(members, body, headers=dry).json["dry_run"] is True
    assert company.live.get(members).json == {}
    assert company.live.post(members, body, headers=once).json == company.live.post(members, body, headers=once).json


def test_another_company_s_coaching_team_is_not_there(company: Company):
    other, id, user = company.desk.found(), made(company), person(company)
    member = {"member_id": user, "role": "coach"}
    company.live.post(f"{TEAMS}/{id}/members", member)
    for caller in (other.live, company.sandbox):
        for method, path, body in (
            ("GET", f"{TEAMS}/{id}", None),
            ("GET", f"{TEAMS}/{id}/members", None),
            ("POST", f"{TEAMS}/{id}/members", member),
            ("PATCH", f"{OURS}/{id}", {"name": "x"}),
            ("DELETE", f"{OURS}/{id}", None),
            ("DELETE", f"{OURS}/{id}/members/{user}", None),
            ("GET", f"{OFFICES}/{company.office_ids['live']}/teams", None),
        ):
            assert caller.send(method, path, body).status == 404, path
        assert caller.get(TEAMS).json == {}
        assert caller.post(OURS, team(company)).places == ["office_id"]
    assert company.live.get(f"{TEAMS}/{id}/members").json["items"][0]["id"] == user


def test_a_team_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = made(company)
    bridge = state(action="bridge_target", action_target_type="coachinggroup", action_target_id=id)
    caller = company.live.made(office(routing_options=routing(bridge))).id
    refused = company.live.delete(f"{OURS}/{id}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.routing_options.open.action_target_id"])
    assert company.live.delete(f"{OURS}/{id}?force=true").codes == {"pointed_at_voicemail"}


@pytest.mark.parametrize("kind", ["user", "office"])
def test_members_and_teams_end_with_the_user_or_office(company: Company, kind: str):
    elsewhere = company.live.made(office(name="Other")).id
    id, user = made(company, office_id=elsewhere), person(company)
    company.live.post(f"{TEAMS}/{id}/members", {"member_id": user, "role": "coach"})
    gone(company, kind, user if kind == "user" else elsewhere)
    if kind == "user":
        assert company.live.get(f"{TEAMS}/{id}/members").json == {}
        assert told(company.live, id)[-1] == "coaching_team.member_removed"
    else:
        assert company.live.get(f"{TEAMS}/{id}").status == 404
