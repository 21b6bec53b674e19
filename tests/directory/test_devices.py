"""Devices: what users and rooms are rung on, made by the additions and read as v2 has them."""

from typing import Any

import pytest
from dialpad.schemas.deskphone import DeskPhone, DeskPhoneCollection
from dialpad.schemas.userdevice import UserDeviceProto

from offhook.directory.devices.model import MAX_DEVICES
from tests.api.desk import Company
from tests.directory.people import person
from tests.published import misfits

V1, V2 = "/api/offhook/v1", "/api/v2"
KINDS = ("users", "rooms")


def owner(company: Company, kind: str) -> str:
    """The id of a user or a room."""
    if kind == "users":
        return person(company, "Ann")
    body = {"name": "Lobby", "office_id": str(company.office_ids["live"])}
    return str(company.live.post(f"{V2}/rooms", body).json["id"])


def given(company: Company, path: str, **fields: Any) -> dict[str, Any]:
    """A device that was made at `path`."""
    answer = company.live.post(path, fields)
    assert answer.status == 200, answer
    return dict(answer.json)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_is_made_shown_changed_and_deleted(company: Company, kind: str):
    id = owner(company, kind)
    path = f"{V1}/{kind}/{id}/devices"
    assert company.live.get(path).json == {}
    made = given(company, path, name="  Desk ", type="polycom")
    shown = {"owner_type": kind.removesuffix("s"), "owner_id": id, "type": "polycom", "enabled": True, "name": "Desk"}
    assert shown.items() <= made.items()
    one = f"{path}/{made['id']}"
    first = company.live.get(one)
    assert (first.json, first.headers["etag"]) == (made, '"1"')
    assert company.live.get(path).json == {"items": [made]}
    changed = company.live.patch(one, {"enabled": False, "name": "Old desk"}, headers={"if-match": '"1"'})
    assert (changed.json["enabled"], changed.json["name"], changed.headers["etag"]) == (False, "Old desk", '"2"')
    assert company.live.patch(one, {"type": "web"}, headers={"if-match": '"1"'}).status == 412
    assert company.live.delete(one).json == changed.json
    assert company.live.get(one).status == 404
    told = [one["event"] for one in company.live.events() if one["subject_id"] == made["id"]]
    assert told == ["device.created", "device.updated", "device.deleted"]


def test_a_device_without_a_word_is_a_sip_telephone_that_rings(company: Company):
    made = given(company, f"{V1}/users/{owner(company, 'users')}/devices")
    assert (made["type"], made["enabled"], "name" in made) == ("sip", True, False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_is_called_as_another_of_its_owner_is_made_and_warned_of(company: Company, kind: str):
    path = f"{V1}/{kind}/{owner(company, kind)}/devices"
    assert company.live.post(path, {"name": "Laptop"}).warnings == []
    assert company.live.post(path, {"name": "Desk"}).warnings == []
    assert [company.live.post(path, {}).warnings for _ in range(2)] == [[], []]
    first = company.live.get(path).json["items"][0]["id"]
    [said] = company.live.post(path, {"name": "laptop"}).warnings
    assert (said.code, said.field, f"already, {first}, and it stays" in said.text) == ("same_name", "name", True)
    assert len(company.live.get(path).json["items"]) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_is_reached_only_at_its_owner(company: Company, kind: str):
    mine, other = owner(company, kind), owner(company, KINDS[1 - KINDS.index(kind)])
    made = given(company, f"{V1}/{kind}/{mine}/devices")
    wrong = KINDS[1 - KINDS.index(kind)]
    for path in (f"{V1}/{wrong}/{other}", f"{V1}/{wrong}/{mine}", f"{V1}/{kind}/{other}", f"{V1}/{kind}/1234567"):
        assert company.live.get(f"{path}/devices/{made['id']}").status == 404, path
        assert company.live.patch(f"{path}/devices/{made['id']}", {"name": "Mine"}).status == 404, path
        assert company.live.delete(f"{path}/devices/{made['id']}").status == 404, path
        parent = path.replace(V1, V2)
        assert company.live.get(f"{parent}/deskphones/{made['id']}").status == 404, path
        assert company.live.delete(f"{parent}/deskphones/{made['id']}").status == 404, path
    assert company.live.post(f"{V1}/{kind}/1234567/devices", {}).status == 404


def test_a_person_has_no_more_than_32_devices(company: Company):
    path = f"{V1}/rooms/{owner(company, 'rooms')}/devices"
    made = [given(company, path) for _ in range(MAX_DEVICES)]
    assert company.live.post(path, {}).status == 409
    assert len(company.live.get(path).json["items"]) == 32
    company.live.delete(f"{path}/{made[0]['id']}")
    assert company.live.post(path, {}).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_is_deleted_has_no_device_any_more(company: Company, kind: str):
    id = owner(company, kind)
    made = given(company, f"{V1}/{kind}/{id}/devices")
    version = company.live.get(f"{V2}/{kind}/{id}").headers["etag"]
    assert company.live.delete(f"{V2}/{kind}/{id}", headers={"if-match": version}).status == 200
    assert [one["event"] for one in company.live.events() if one["subject_id"] == made["id"]][-1] == "device.deleted"
    assert company.live.get(f"{V2}/userdevices/{made['id']}").status == 404


def test_v2_lists_the_devices_of_users_and_not_those_of_rooms(company: Company):
    ann, lobby = owner(company, "users"), owner(company, "rooms")
    made = given(company, f"{V1}/users/{ann}/devices", type="iphone", name="Pocket")
    room = given(company, f"{V1}/rooms/{lobby}/devices")
    listed = company.live.get(f"{V2}/userdevices").json["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert misfits(listed[0], UserDeviceProto) == []
    assert (listed[0]["display_name"], listed[0]["user_id"]) == ("Pocket", ann)
    assert company.live.get(f"{V2}/userdevices/{room['id']}").status == 404
    assert company.live.get(f"{V2}/users/{ann}").json["is_online"] is True
    company.live.patch(f"{V1}/users/{ann}/devices/{made['id']}", {"enabled": False})
    assert company.live.get(f"{V2}/users/{ann}").json["is_online"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_v2s_desk_phones_are_the_devices_that_are_hardware(company: Company, kind: str):
    id = owner(company, kind)
    phone = given(company, f"{V1}/{kind}/{id}/devices", type="yealink", name="Desk")
    given(company, f"{V1}/{kind}/{id}/devices", type="web")
    path = f"{V2}/{kind}/{id}/deskphones"
    listed = company.live.get(path)
    assert misfits(listed.json, DeskPhoneCollection) == []
    assert [one["id"] for one in listed.json["items"]] == [phone["id"]]
    shown = company.live.get(f"{path}/{phone['id']}")
    assert misfits(shown.json, DeskPhone) == []
    assert (shown.json["ring_notification"], shown.json["owner_type"]) == (True, kind.removesuffix("s"))
    assert company.live.delete(f"{path}/{phone['id']}").json == {}
    assert company.live.get(path).json == {}
    assert len(company.live.get(f"{V1}/{kind}/{id}/devices").json["items"]) == 1
    assert company.live.get(f"{path}/nonsense").status == 404


def test_a_name_of_two_lines_is_refused(company: Company):
    path = f"{V1}/rooms/{owner(company, 'rooms')}/devices"
    assert company.live.post(path, {"name": "a\nb"}).places == ["name"]
    made = given(company, path)
    assert company.live.patch(f"{path}/{made['id']}", {"name": "a\nb"}).places == ["name"]
