"""Rooms: made, read, renamed and deleted as v2 has it, and whatever calls are sent to them is not lost."""

from typing import Any

from dialpad.schemas.room import RoomCollection, RoomProto

from tests.api.desk import OFFICES, WHOLE, Company, office, routing, state
from tests.directory.people import buy, give_number
from tests.published import misfits

ROOMS = "/api/v2/rooms"


def lobby(company: Company, **changes: Any) -> dict[str, Any]:
    return {"name": "Lobby", "office_id": str(company.office_ids["live"]), **changes}


def test_the_life_of_a_room(company: Company):
    made = company.live.post(ROOMS, lobby(company))
    assert made.status == 200
    assert misfits(made.json, RoomProto) == []
    id = made.json["id"]
    assert made.json == {
        "id": id,
        "company_id": str(company.id),
        "office_id": str(company.office_ids["live"]),
        "name": "Lobby",
        "country": "us",
        "state": "active",
        "is_free": True,
        "is_on_duty": True,
    }
    assert company.live.get(f"{ROOMS}/{id}").json == made.json
    renamed = company.live.patch(f"{ROOMS}/{id}", {"name": "Foyer"})
    assert renamed.json == made.json | {"name": "Foyer"}
    assert company.live.patch(f"{ROOMS}/{id}", {"name": "x"}, headers={"if-match": '"1"'}).status == 412
    gone = company.live.delete(f"{ROOMS}/{id}")
    assert gone.json == renamed.json | {"state": "deleted", "is_free": False, "is_on_duty": False}
    assert company.live.get(f"{ROOMS}/{id}").status == 404
    assert [one["event"] for one in company.live.events() if one["subject_id"] == id] == [
        "room.created",
        "room.updated",
        "room.deleted",
    ]


def test_every_fault_of_a_room_is_named_at_once(company: Company):
    refused = company.live.post(ROOMS, {"name": "a\nb", "office_id": 12})
    assert (refused.status, refused.places) == (400, ["name", "office_id"])
    assert company.live.post(ROOMS, {}).places == ["name", "office_id"]


def test_rooms_are_listed_page_by_page_and_by_office(embedded: Company):
    other = embedded.live.made(office(name="Other")).id
    made = [embedded.live.post(ROOMS, lobby(embedded, name=f"R{index}")).json["id"] for index in range(101)]
    elsewhere = embedded.live.post(ROOMS, lobby(embedded, office_id=other)).json["id"]
    first = embedded.live.get(ROOMS)
    assert misfits(first.json, RoomCollection) == []
    second = embedded.live.get(f"{ROOMS}?cursor={first.json['cursor']}")
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == [*made, elsewhere]
    assert "cursor" not in second.json
    assert [one["id"] for one in embedded.live.get(f"{ROOMS}?office_id={other}").json["items"]] == [elsewhere]
    assert embedded.live.get(f"{ROOMS}?office_id={other}&cursor={first.json['cursor']}").places == ["cursor"]


def test_a_room_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry = company.live.post(ROOMS, lobby(company), headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["name"]) == (True, "Lobby")
    assert company.live.get(ROOMS).json == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(ROOMS, lobby(company), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
    assert company.live.post(ROOMS, lobby(company, name="Bar"), headers=headers).status == 409


def test_a_room_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    room = company.live.post(ROOMS, lobby(company)).json["id"]
    target = {"action_target_type": "room", "action_target_id": room}
    bridge = {"action": "bridge_target", **target}
    menu = state(action="menu", dtmf=[{"input": "3", "options": bridge}])
    caller = company.live.made(office(routing_options=routing(state(**bridge), menu))).id
    refused = company.live.delete(f"{ROOMS}/{room}")
    assert refused.status == 409
    assert refused.places == [
        f"offices/{caller}.routing_options.closed.dtmf[0].options.action_target_id",
        f"offices/{caller}.routing_options.open.action_target_id",
    ]
    forced = company.live.delete(f"{ROOMS}/{room}?force=true")
    assert (forced.status, forced.codes) == (200, {"pointed_at_voicemail"})
    after = company.live.get(f"{OFFICES}/{caller}").json
    assert after["routing_options"]["open"]["action"] == "voicemail"
    assert after["routing_options"]["closed"]["dtmf"] == [{"input": "3", "options": {"action": "voicemail"}}]
    assert "office.pointed_at_voicemail" in [one["event"] for one in company.live.events()]
    assert company.live.get(f"{WHOLE}/{caller}").json["office"]["no_operators_action"] == "voicemail"


def test_a_room_that_is_deleted_shows_no_number_that_is_free_again(company: Company):
    place = company.office_ids["live"]
    id = company.live.post(ROOMS, {"name": "Lobby", "office_id": place}).json["id"]
    buy(company.live, place, room_lines=1)
    number = give_number(company, "room", id)
    assert company.live.get(f"{ROOMS}/{id}").json["phone_numbers"] == [number]
    assert "phone_numbers" not in company.live.delete(f"{ROOMS}/{id}").json


def test_a_room_of_another_company_is_no_target(company: Company):
    other = company.desk.found()
    room = other.live.post(ROOMS, lobby(other)).json["id"]
    bridge = state(action="bridge_target", action_target_type="room", action_target_id=room)
    assert company.live.refused(office(routing_options=routing(bridge))) == ["routing_options.open.action_target_id"]
