"""Telephones of users and rooms: what is entered into them, how they prove themselves, where they are reached."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from offhook.kit.settings import Settings
from offhook.telephony import port
from offhook.telephony.desk import Front
from offhook.telephony.phones import store
from offhook.telephony.phones.registering import Registrar
from offhook.telephony.phones.service import now
from tests.api.desk import Api, Company, Desk, office
from tests.directory.people import person

V1, V2 = "/api/offhook/v1", "/api/v2"


def device(company: Company, whose: str = "Ann", **fields: Any) -> str:
    """The id of a device of a new user."""
    answer = company.live.post(f"{V1}/users/{person(company, whose)}/devices", fields)
    assert answer.status == 200, answer
    return str(answer.json["id"])


def new_password(api: Api, id: str) -> Any:
    answer = api.post(f"{V1}/phones/{id}/new-password")
    assert answer.status == 200, answer
    return answer.json


def account(company: Company, username: str) -> port.Account:
    return company.desk.run(company.desk.offhook.registrar.account(username))


def proof(company: Company, username: str) -> str:
    """What a telephone proves itself with that knows its password."""
    return port.mark(account(company, username).digests)


def register(company: Company, username: str, *contacts: tuple[str, int], **changes: Any) -> port.Registered:
    given = {
        "id": 7,
        "username": username,
        "proof": proof(company, username),
        "source": ("10.0.0.7", 5062),
        "call_id": "a@b",
        "sequence": 1,
    }
    asked = port.Register(**{**given, "contacts": contacts, **changes})
    return company.desk.run(company.desk.offhook.registrar.register(asked))


def test_who_registers_reads_their_own_place_first(company: Company):
    name = new_password(company.live, device(company))["phone"]["settings"]["username"]
    register(company, name, ("sip:b@10.0.0.8", 60), call_id="other@b")
    # Many a telephone comes back by the first that it reads.
    assert register(company, name, ("sip:z@10.0.0.7", 300)).contacts == (
        ("sip:z@10.0.0.7", 300),
        ("sip:b@10.0.0.8", 60),
    )
    again = register(company, name, ("sip:b@10.0.0.8", 60), call_id="other@b", sequence=2)
    assert [uri for uri, _ in again.contacts] == ["sip:b@10.0.0.8", "sip:z@10.0.0.7"]


def test_a_telephone_gets_a_name_and_a_password_that_is_shown_once(company: Company):
    id = device(company, name="Desk")
    before = company.live.get(f"{V1}/phones/{id}").json
    assert before["settings"] == {"server": "127.0.0.1", "port": 5060, "transport": "udp", "realm": "offhook"}
    assert (before["owner_name"], before["name"], before["registered"]) == ("Ann", "Desk", False)
    made = new_password(company.live, id)
    name, password = made["phone"]["settings"]["username"], made["password"]
    assert made["phone"]["settings"]["uri"] == f"sip:{name}@127.0.0.1:5060"
    assert len(name) == 12
    assert len(password) == 24
    content = f"{name}:offhook:{password}".encode()
    assert account(company, name).digests == {
        "MD5": hashlib.md5(content).hexdigest(), "SHA-256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    shown = company.live.get(f"{V1}/phones/{id}").response.text
    events = company.live.get(f"{V1}/events?limit=500").response.text
    assert name in shown
    assert "phone.password_changed" in events
    assert password not in shown + events


def test_a_telephone_says_the_address_that_its_calls_for_help_carry(company: Company):
    home = company.live.get(f"{V2}/offices/primary").json
    id = device(company)
    user = company.live.get(f"{V1}/phones/{id}").json["owner_id"]
    assert company.live.get(f"{V1}/phones/{id}").json["e911_address"] == home["e911_address"]
    own = {**home["e911_address"], "address": "2 Mission Street", "country": "US"}
    assert company.live.put(f"{V2}/users/{user}/e911", own).status == 200
    assert company.live.get(f"{V1}/phones/{id}").json["e911_address"]["address"] == "2 Mission Street"
    assert "no_emergency_address" not in company.live.post(f"{V1}/phones/{id}/new-password").codes


def test_a_password_for_a_telephone_whose_calls_for_help_carry_none_is_warned_of(embedded: Company):
    made = embedded.live.made(office()).id
    bought = embedded.live.post(f"{V1}/offices/{made}/licences", {"talk_lines": 1, "room_lines": 1})
    assert bought.status == 200, bought
    user = embedded.live.post(f"{V2}/users", {"office_id": made, "email": "help@example.com"}).json["id"]
    room = embedded.live.post(f"{V2}/rooms", {"office_id": made, "name": "Hall"}).json["id"]
    for kind, owner in (("users", user), ("rooms", room)):
        id = embedded.live.post(f"{V1}/{kind}/{owner}/devices", {"type": "sip"}).json["id"]
        answer = embedded.live.post(f"{V1}/phones/{id}/new-password")
        (told,) = answer.warnings
        assert (told.code, told.field) == ("no_emergency_address", "e911_address")
        assert f"/api/v2/offices/{made}/e911" in told.text
        assert (f"/api/v2/users/{owner}/e911" in told.text) == (kind == "users")
        assert "e911_address" not in answer.json["phone"]


def test_another_password_keeps_the_name_and_ends_what_was_registered(company: Company):
    id = device(company)
    first = new_password(company.live, id)
    name = first["phone"]["settings"]["username"]
    old = account(company, name)
    assert register(company, name, ("sip:a@10.0.0.7", 300)).code == 200
    second = new_password(company.live, id)
    assert second["phone"]["settings"]["username"] == name
    assert second["password"] != first["password"]
    assert account(company, name).digests != old.digests
    assert company.live.get(f"{V1}/phones/{id}").json["registered"] is False


def test_who_proved_the_password_before_is_not_registered_once_it_is_another(company: Company):
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    before = proof(company, name)
    new_password(company.live, id)
    # The worker let it through before it was told, and asks also where it only says what is registered.
    for contacts in ((("sip:a@10.0.0.7", 300),), ()):
        assert register(company, name, *contacts, proof=before) == port.Registered(id=7, code=403)
    assert company.live.get(f"{V1}/phones/{id}").json["registered"] is False
    assert register(company, name, ("sip:a@10.0.0.7", 300)).code == 200


@pytest.mark.parametrize("name", ["", "nobody", "100", "a" * 500, "a\x00b", "' OR 1=1"])
def test_nobody_has_no_digests(company: Company, name: str):
    assert account(company, name) == port.Account(username=name, digests={})


def test_names_are_unlike_each_other_and_unlike_extensions(company: Company):
    names = {new_password(company.live, device(company, f"P{number}"))["phone"]["settings"]["username"]
             for number in range(20)}  # fmt: skip
    assert len(names) == 20
    assert not any(name.isdecimal() for name in names)


def test_a_telephone_that_registers_is_shown_to_be_reached(company: Company):
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    told = len(company.live.events())
    answer = register(company, name, ("sip:a@10.0.0.7:5062", 300), agent="Desk 1")
    assert (answer.id, answer.code, answer.contacts) == (7, 200, (("sip:a@10.0.0.7:5062", 300),))
    (contact,) = company.live.get(f"{V1}/phones/{id}").json["contacts"]
    assert (contact["address"], contact["agent"]) == ("10.0.0.7:5062", "Desk 1")
    assert contact["expires_at"] > contact["registered_at"]
    assert "date_registered" in company.live.get(f"{V2}/userdevices/{id}").json
    assert register(company, name, ("sip:a@10.0.0.7:5062", 300)).code == 500
    assert register(company, name, sequence=2).contacts[0][0] == "sip:a@10.0.0.7:5062"
    assert register(company, name, everything=True, sequence=2).contacts == ()
    assert company.live.get(f"{V1}/phones/{id}").json["contacts"] == []
    # Telephones register every few minutes: the event log is not for that.
    assert len(company.live.events()) == told


def test_when_a_telephone_came_is_no_change_of_its_device(company: Company):
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    path = f"{V1}/users/{company.live.get(f'{V1}/phones/{id}').json['owner_id']}/devices/{id}"
    tag = company.live.get(path).headers["etag"]
    assert register(company, name, ("sip:a@10.0.0.7", 300)).code == 200
    assert company.live.get(path).headers["etag"] == tag


def registered_at(company: Company, name: str, sequence: int, moment: int, seconds: int = 300) -> str:
    """When v2 says that a telephone came, after a request of it at `moment`."""
    offhook = company.desk.offhook
    registrar = Registrar(offhook.reader, offhook.writer, "offhook", now=lambda: moment)
    asked = port.Register(
        id=1, username=name, proof=proof(company, name), contacts=(("sip:a@10.0.0.7", seconds),),
        source=("10.0.0.7", 1), call_id="a", sequence=sequence,
    )  # fmt: skip
    assert company.desk.run(registrar.register(asked)).code == 200
    owned, _ = company.desk.run(registrar.owned(name))
    assert owned is not None
    return str(company.live.get(f"{V2}/userdevices/{owned.phone.device_id}").json["date_registered"])


def test_a_telephone_that_stays_came_when_it_came(company: Company):
    name = new_password(company.live, device(company))["phone"]["settings"]["username"]
    first = registered_at(company, name, 1, 1_800_000_000_000)
    assert registered_at(company, name, 2, 1_800_000_200_000) == first
    # It was gone meanwhile.
    assert registered_at(company, name, 3, 1_800_000_500_000) > first


def test_who_is_registered_outlives_the_server(runner: asyncio.Runner, tmp_path: Path):
    settings = Settings(data=str(tmp_path / "data"), access_log=False)
    desk = Desk(runner, settings)
    company = desk.found()
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    assert register(company, name, ("sip:a@10.0.0.7", 300)).code == 200
    tenant = company.tenant()
    desk.close()
    desk = Desk(runner, settings)
    try:
        (way,) = desk.run(desk.offhook.ways.of_device(tenant, id))
        assert way.address == ("10.0.0.7", 5062)
    finally:
        desk.close()


def test_from_where_telephones_are_registered_is_told_the_worker(company: Company):
    name = new_password(company.live, device(company))["phone"]["settings"]["username"]
    register(company, name, ("sip:a@10.0.0.7", 600), ("sip:b@10.0.0.7", 700), source=("198.51.100.7", 5071))
    offhook = company.desk.offhook
    later = Registrar(offhook.reader, offhook.writer, "offhook", now=lambda: now() + 701_000)
    assert company.desk.run(offhook.registrar.places()).count(("198.51.100.7", 5071)) == 1
    assert ("198.51.100.7", 5071) not in company.desk.run(later.places())
    assert company.desk.transact(lambda tx: len(store.places(tx, now(), 1))) == 1
    front = Front(offhook.registrar, offhook.trunks, offhook.ways, "offhook")
    assert ("198.51.100.7", 5071) in company.desk.run(front.configured()).telephones


def test_what_is_over_is_not_shown_and_taken_away(company: Company):
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    offhook = company.desk.offhook
    registrar = Registrar(offhook.reader, offhook.writer, "offhook", now=lambda: now() - 100_000)
    asked = port.Register(
        id=1, username=name, proof=proof(company, name), contacts=(("sip:a@10.0.0.7", 60),), source=("10.0.0.7", 1),
        call_id="a", sequence=1,
    )  # fmt: skip
    assert company.desk.run(registrar.register(asked)).code == 200
    assert company.live.get(f"{V1}/phones/{id}").json["registered"] is False
    tenant = company.tenant()
    assert len(company.desk.transact(lambda tx: store.contacts(tx, tenant, int(id)))) == 1
    assert company.desk.transact(lambda tx: store.forget(tx, now())) >= 1
    assert company.desk.transact(lambda tx: store.contacts(tx, tenant, int(id))) == []


def test_a_device_that_is_deleted_is_no_telephone_from_that_moment_on(company: Company):
    id = device(company)
    shown = new_password(company.live, id)["phone"]
    name = shown["settings"]["username"]
    assert register(company, name, ("sip:a@10.0.0.7", 300)).code == 200
    assert company.live.delete(f"{V1}/users/{shown['owner_id']}/devices/{id}").status == 200
    assert account(company, name).digests == {}
    assert register(company, name, ("sip:a@10.0.0.7", 300), sequence=2).code == 404
    assert company.live.get(f"{V1}/phones/{id}").status == 404
    company.desk.transact(lambda tx: store.forget(tx, now()))
    assert company.desk.transact(lambda tx: store.is_taken(tx, name)) is False


def test_telephones_are_listed_by_owner(company: Company):
    mine = device(company)
    owner = company.live.get(f"{V1}/phones/{mine}").json["owner_id"]
    company.live.post(f"{V1}/users/{owner}/devices", {"type": "iphone"})
    other = device(company, "Bob", type="yealink")
    listed = [one["id"] for one in company.live.get(f"{V1}/phones").json["items"]]
    assert listed == [mine, other]
    assert [one["id"] for one in company.live.get(f"{V1}/phones?user_id={owner}").json["items"]] == [mine]
    assert company.live.get(f"{V1}/phones?user_id=7").status == 404
    assert company.live.get(f"{V1}/phones?room_id={owner}").status == 404
    assert company.live.get(f"{V1}/phones?room_id={owner}&user_id=1").places == ["room_id"]
    assert company.live.get(f"{V1}/phones?user_id=x").places == ["user_id"]


def test_an_app_signs_in_elsewhere(company: Company):
    id = device(company, type="iphone")
    assert company.live.get(f"{V1}/phones/{id}").status == 404
    assert company.live.post(f"{V1}/phones/{id}/new-password").status == 404


def test_reading_is_not_enough_for_a_password(company: Company):
    id = device(company)
    reader = company.key("directory:read")
    assert reader.get(f"{V1}/phones/{id}").status == 200
    assert reader.post(f"{V1}/phones/{id}/new-password").status == 403


def test_another_realm_makes_passwords_void(company: Company):
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    offhook = company.desk.offhook
    elsewhere = Registrar(offhook.reader, offhook.writer, "other")
    assert company.desk.run(elsewhere.account(name)).digests == {}
    try:
        offhook.phones.server.realm = "other"
        assert company.live.get(f"{V1}/phones/{id}").json["password_void"] is True
        new_password(company.live, id)
    finally:
        offhook.phones.server.realm = "offhook"
    assert company.desk.run(elsewhere.account(name)).digests != {}
