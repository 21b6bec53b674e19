"""Channels: made, listed by state and deleted, with users who join and leave."""

from typing import Any

from dialpad.schemas.channel import ChannelCollection, ChannelProto
from dialpad.schemas.member_channel import MembersCollection, MembersProto

from tests.api.desk import Company, office, routing, state
from tests.directory.people import gone, person, told
from tests.published import misfits

CHANNELS = "/api/v2/channels"


def desk_of(**changes: Any) -> dict[str, Any]:
    return {"name": "Front desk", "description": "Who comes\nand goes", "privacy_type": "public", **changes}


def names(company: Company, id: str) -> list[str]:
    return [one["name"] for one in company.live.get(f"{CHANNELS}/{id}/members").json.get("items", [])]


def test_the_life_of_a_channel(company: Company):
    owner = person(company, last_name="Lovelace")
    made = company.live.post(CHANNELS, desk_of(user_id=owner))
    assert made.status == 200
    assert misfits(made.json, ChannelProto) == []
    id = made.json["id"]
    assert made.json == {"id": id, "name": "Front desk"}
    assert company.live.get(f"{CHANNELS}/{id}").json == made.json
    assert names(company, id) == ["Ada Lovelace"]
    deleted = company.live.delete(f"{CHANNELS}/{id}")
    assert (deleted.status, deleted.json) == (200, {})
    assert company.live.get(f"{CHANNELS}/{id}").status == 404
    assert company.live.get(f"{CHANNELS}/{id}/members").status == 404
    gone(company, "user", owner)
    assert told(company.live, id) == ["channel.created", "channel.member_added", "channel.deleted"]


def test_every_fault_of_a_channel_is_named_at_once(company: Company):
    refused = company.live.post(CHANNELS, desk_of(name="", description="x" * 1025, user_id="12"))
    assert (refused.status, refused.places) == (400, ["description", "name", "user_id"])
    assert company.live.post(CHANNELS, {"privacy_type": "secret"}).places == ["description", "name", "privacy_type"]


def test_channels_are_listed_by_state_and_page_by_page(embedded: Company):
    made = [embedded.live.post(CHANNELS, desk_of()).json["id"] for _ in range(102)]
    embedded.live.delete(f"{CHANNELS}/{made[0]}")
    first = embedded.live.get(CHANNELS)
    assert misfits(first.json, ChannelCollection) == []
    second = embedded.live.get(f"{CHANNELS}?cursor={first.json['cursor']}")
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == made[1:]
    assert [one["id"] for one in embedded.live.get(f"{CHANNELS}?state=deleted").json["items"]] == made[:1]
    assert embedded.live.get(f"{CHANNELS}?state=suspended").json == {}
    assert embedded.live.get(f"{CHANNELS}?state=open").places == ["state"]
    assert embedded.live.get(f"{CHANNELS}?state=deleted&cursor={first.json['cursor']}").places == ["cursor"]


def test_users_join_and_leave_a_channel(company: Company):
    id = company.live.post(CHANNELS, desk_of()).json["id"]
    first, second = person(company, "Ada", last_name="Lovelace"), person(company, "Bea", last_name="Lovelace")
    members = f"{CHANNELS}/{id}/members"
    for user in (second, int(first), second):
        joined = company.live.post(members, {"user_id": user})
        assert joined.status == 200
        assert misfits(joined.json, MembersProto) == []
    assert joined.json == {"id": second, "name": "Bea Lovelace"}
    assert misfits(company.live.get(members).json, MembersCollection) == []
    assert names(company, id) == ["Bea Lovelace", "Ada Lovelace"]
    left = company.live.delete(members, {"user_id": second})
    assert (left.status, left.json) == (200, {})
    assert company.live.delete(members, {"user_id": second}).status == 404
    assert names(company, id) == ["Ada Lovelace"]
    assert company.live.post(members, {"user_id": "12"}).places == ["user_id"]
    assert told(company.live, id)[1:] == ["channel.member_added", "channel.member_added", "channel.member_removed"]


def test_members_are_listed_page_by_page(embedded: Company):
    id, other = (embedded.live.post(CHANNELS, desk_of()).json["id"] for _ in range(2))
    users = [person(embedded) for _ in range(101)]
    for user in reversed(users):
        embedded.live.post(f"{CHANNELS}/{id}/members", {"user_id": user})
    first = embedded.live.get(f"{CHANNELS}/{id}/members").json
    second = embedded.live.get(f"{CHANNELS}/{id}/members?cursor={first['cursor']}").json
    assert [one["id"] for one in first["items"] + second["items"]] == users[::-1]
    assert embedded.live.get(f"{CHANNELS}/{other}/members?cursor={first['cursor']}").places == ["cursor"]


def test_a_user_who_joins_many_times_at_once_is_in_it_once(company: Company):
    id, user = company.live.post(CHANNELS, desk_of()).json["id"], person(company, last_name="Lovelace")
    body = {"user_id": user}
    answers = company.live.together([company.live.sending("POST", f"{CHANNELS}/{id}/members", body) for _ in range(8)])
    assert {one.status for one in answers} == {200}
    assert told(company.live, id) == ["channel.created", "channel.member_added"]


def test_a_channel_and_a_member_are_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry, once = {"offhook-dry-run": "true"}, {"idempotency-key": "one"}
    assert company.live.post(CHANNELS, desk_of(), headers=dry).json["dry_run"] is True
    assert company.live.get(CHANNELS).json == {}
    first, again = (company.live.post(CHANNELS, desk_of(), headers=once) for _ in range(2))
    assert first.json == again.json
    assert company.live.post(CHANNELS, desk_of(name="x"), headers=once).status == 409
    members, body = f"{CHANNELS}/{first.json['id']}/members", {"user_id": person(company, last_name="Lovelace")}
    assert company.live.post(members, body, headers=dry).json["result"]["name"] == "Ada Lovelace"
    assert company.live.get(members).json == {}
    assert company.live.post(members, body, headers=once).json == company.live.post(members, body, headers=once).json


def test_another_company_s_channel_is_not_there(company: Company):
    other = company.desk.found()
    owner = person(company, last_name="Lovelace")
    id = company.live.post(CHANNELS, desk_of(user_id=owner)).json["id"]
    for caller in (other.live, company.sandbox):
        for method, path, body in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("GET", "/members", None),
            ("POST", "/members", {"user_id": owner}),
            ("DELETE", "/members", {"user_id": owner}),
        ):
            assert caller.send(method, f"{CHANNELS}/{id}{path}", body).status == 404
        assert caller.get(CHANNELS).json == {}
        assert caller.post(CHANNELS, desk_of(user_id=owner)).places == ["user_id"]
    assert names(company, id) == ["Ada Lovelace"]


def test_a_channel_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = company.live.post(CHANNELS, desk_of()).json["id"]
    bridge = state(action="bridge_target", action_target_type="channel", action_target_id=id)
    caller = company.live.made(office(routing_options=routing(bridge))).id
    refused = company.live.delete(f"{CHANNELS}/{id}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.routing_options.open.action_target_id"])
    assert company.live.delete(f"{CHANNELS}/{id}?force=true").codes == {"pointed_at_voicemail"}


def test_a_user_who_is_gone_leaves_the_channels(company: Company):
    owner, other = person(company, last_name="Lovelace"), person(company, "Bea", last_name="Lovelace")
    id = company.live.post(CHANNELS, desk_of(user_id=owner)).json["id"]
    company.live.post(f"{CHANNELS}/{id}/members", {"user_id": other})
    gone(company, "user", owner)
    assert names(company, id) == ["Bea Lovelace"]
    assert told(company.live, id)[-2:] == ["channel.member_removed", "channel.updated"]
