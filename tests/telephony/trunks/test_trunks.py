"""Carriers over the API: connected, changed, told to the worker, and never with a secret in an answer."""

from itertools import count
from typing import Any

import pytest

from offhook.kit.places import Allowed
from offhook.telephony import port
from offhook.telephony.phones.model import digests
from tests.api.desk import Answer, Api, Company

TRUNKS = "/api/offhook/v1/trunks"
_NEXT = count(1)
SECRET = "correct horse battery"


def address() -> str:
    number = next(_NEXT)
    return f"198.18.{number >> 8}.{number & 255}"


def carrier(**changes: Any) -> dict[str, Any]:
    body = {"name": "Carrier", "country": "us", "addresses": [address()], "proxy": "1.1.1.1", "prefixes": ["+1"]}
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def made(api: Api, **changes: Any) -> Any:
    answer = api.post(TRUNKS, carrier(**changes))
    assert answer.status == 200, answer
    return answer.json


def told(company: Company) -> dict[int, port.Trunk]:
    """What the worker is told."""
    return {one.id: one for one in company.desk.run(company.desk.offhook.trunks.configured())}


def one(api: Api, id: str) -> Answer:
    return api.get(f"{TRUNKS}/{id}")


def test_a_carrier_is_connected_shown_changed_and_disconnected(company: Company):
    shown = made(company.live, username="us", password=SECRET)
    id = shown["id"]
    assert (shown["country"], shown["proxy"], shown["prefixes"]) == ("US", "1.1.1.1:5060", ["+1"])
    assert (shown["username"], shown["password"], shown["most_calls"]) == ("us", "***", 10)
    assert (shown["international"], shown["emergency"], shown["enabled"]) == (False, False, True)
    answer = company.live.patch(f"{TRUNKS}/{id}", {"most_calls": 3, "emergency": True})
    assert (answer.json["most_calls"], answer.json["emergency"], answer.json["password"]) == (3, True, "***")
    assert [each["id"] for each in company.live.get(TRUNKS).json["items"]] == [id]
    assert company.live.delete(f"{TRUNKS}/{id}").status == 200
    assert one(company.live, id).status == 404
    words = [event["event"] for event in company.live.events()][-3:]
    assert words == ["trunk.created", "trunk.updated", "trunk.deleted"]


def test_no_secret_is_anywhere_but_with_the_worker(company: Company):
    id = int(
        made(company.live, username="us", password=SECRET, inbound_username="them", inbound_password=SECRET[::-1])["id"]
    )
    texts = [
        company.live.get(path).response.text for path in (TRUNKS, f"{TRUNKS}/{id}", "/api/offhook/v1/events?limit=500")
    ]
    assert not any(SECRET in text or SECRET[::-1] in text for text in texts)
    trunk = told(company)[id]
    assert (trunk.username, trunk.password) == ("us", SECRET)
    assert (trunk.proves, trunk.digests) == ("them", digests("them", "offhook", SECRET[::-1]))
    assert trunk.proxy == ("1.1.1.1", 5060)


def test_the_worker_is_told_of_each_place(company: Company):
    id = int(made(company.live, addresses=["198.19.0.0/30", "198.19.1.1:5080"], prefixes=[])["id"])
    addresses = told(company)[id].addresses
    assert addresses == (("198.19.0.0/30", 0), ("198.19.1.1", 5080))


def test_who_must_know_of_a_change_is_told(company: Company):
    heard: list[str] = []
    trunks = company.desk.offhook.trunks
    trunks.changed.append(lambda: heard.append("changed"))
    try:
        id = made(company.live)["id"]
        company.live.patch(f"{TRUNKS}/{id}", {"enabled": False})
        assert int(id) not in told(company)
        company.live.delete(f"{TRUNKS}/{id}")
    finally:
        trunks.changed.pop()
    assert heard == ["changed"] * 3


@pytest.mark.parametrize("beside", ["", ":5060", "/30"])
def test_calls_from_an_address_are_one_carrier_of_a_company(company: Company, beside: str):
    here = f"198.19.{100 + next(_NEXT) % 100}.0"
    mine = made(company.live, addresses=[here])
    body = carrier(name="Other", addresses=[address(), here + beside], proxy=None, prefixes=None)
    answer = company.live.post(TRUNKS, body)
    assert (answer.status, answer.places) == (409, ["addresses[1]"])
    # Others may have the same carrier: whose a call is, the number says.
    for api in (company.sandbox, company.desk.found().live):
        assert api.post(TRUNKS, body).status == 200
    # It is free again once it is given up.
    assert company.live.delete(f"{TRUNKS}/{mine['id']}").status == 200
    assert company.live.post(TRUNKS, body).status == 200


def test_ports_tell_carriers_apart_and_proof_does(company: Company):
    here, other = address(), company.desk.found().live
    made(company.live, addresses=[f"{here}:5060"])
    made(other, addresses=[f"{here}:5070"])
    shared = address()
    proof = {"inbound_password": SECRET, "addresses": [shared]}
    made(company.live, name="Shared", inbound_username="one", **proof)
    made(other, name="Shared", inbound_username="two", **proof)
    assert other.post(TRUNKS, carrier(name="Third", inbound_username="one", **proof)).status == 409
    assert other.post(TRUNKS, carrier(name="Fourth", addresses=[shared])).status == 409


def test_a_carrier_does_not_stand_in_its_own_way(company: Company):
    shown = made(company.live)
    body = {"addresses": [*shown["addresses"], address()]}
    assert company.live.patch(f"{TRUNKS}/{shown['id']}", body).status == 200
    taken = made(company.live, name="Second")["addresses"]
    answer = company.live.patch(f"{TRUNKS}/{shown['id']}", {"addresses": taken})
    assert (answer.status, answer.places) == (409, ["addresses[0]"])
    assert company.live.patch(f"{TRUNKS}/{shown['id']}", {"name": "Second"}).places == ["name"]


def test_all_that_is_wrong_is_told_at_once(company: Company):
    body = carrier(
        name=" ", country="XX", addresses=["example.com"], proxy="127.0.0.1", prefixes=["1"], most_calls=0,
        username="a b", password=SECRET,
    )  # fmt: skip
    answer = company.live.post(TRUNKS, body)
    assert answer.status == 400
    assert answer.places == ["addresses[0]", "country", "most_calls", "name", "prefixes[0]", "proxy", "username"]
    assert SECRET not in answer.response.text


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"proxy": None}, "prefixes"),
        ({"proxy": None, "prefixes": None, "emergency": True}, "emergency"),
        ({"username": "us"}, "password"),
        ({"password": SECRET}, "username"),
        ({"inbound_username": "them"}, "inbound_password"),
        ({"inbound_username": "them", "inbound_password": SECRET, "addresses": []}, "addresses"),
        ({"domain": "a b"}, "domain"),
    ],
)
def test_what_does_not_go_together_is_refused(company: Company, changes: dict[str, Any], place: str):
    assert company.live.post(TRUNKS, carrier(**changes)).places == [place]


def test_a_password_goes_nowhere_but_where_it_was_entered_for(company: Company):
    id = made(company.live, username="us", password=SECRET)["id"]
    for change in ({"proxy": "8.8.8.8"}, {"domain": "example.com"}):
        assert company.live.patch(f"{TRUNKS}/{id}", change).places == ["password"]
    answer = company.live.patch(f"{TRUNKS}/{id}", {"proxy": "8.8.8.8", "password": "another one"})
    assert answer.status == 200
    assert told(company)[int(id)].password == "another one"
    assert company.live.patch(f"{TRUNKS}/{id}", {"username": "", "proxy": "1.1.1.1"}).status == 200
    assert told(company)[int(id)].password == ""


def test_what_no_key_opens_lets_nobody_in(company: Company):
    id = made(company.live, inbound_username="them", inbound_password=SECRET)["id"]
    offhook = company.desk.offhook
    vault, trunks = offhook.trunks._vault, offhook.trunks
    try:
        trunks._vault = type(vault)("", vault._file.with_name("other.key"))
        assert one(company.live, id).json["lost"] is True
        assert told(company)[int(id)].addresses == ()
        assert company.live.patch(f"{TRUNKS}/{id}", {"most_calls": 2}).status == 200
        trunks._vault = vault
        assert "lost" not in one(company.live, id).json
        assert told(company)[int(id)].addresses != ()
        trunks._vault = type(vault)("", vault._file.with_name("other.key"))
        assert company.live.patch(f"{TRUNKS}/{id}", {"inbound_password": "another one"}).status == 200
        assert "lost" not in one(company.live, id).json
    finally:
        trunks._vault = vault


def test_passwords_are_sealed_again_with_the_others(company: Company):
    id = made(company.live, username="us", password=SECRET)["id"]
    company.desk.offhook.trying.vault.renew()
    answer = company.live.post("/api/offhook/v1/credentials/rotate-key")
    assert (answer.json["sealed_again"], answer.json["already"]) == (1, 0)
    assert told(company)[int(id)].password == SECRET
    assert company.live.events()[-1]["event"] == "trunk.sealed_again"


def test_carriers_have_scopes_of_their_own(company: Company):
    id = made(company.live)["id"]
    assert one(company.key("directory:write", "catalog:write"), id).status == 403
    reader = company.key("trunks:read")
    assert one(reader, id).status == 200
    assert reader.delete(f"{TRUNKS}/{id}").status == 403
    assert company.key("trunks:write").delete(f"{TRUNKS}/{id}").status == 200


def test_a_dry_run_connects_nobody(company: Company):
    answer = company.live.post(TRUNKS, carrier(), headers={"offhook-dry-run": "true"})
    assert answer.json["dry_run"] is True
    assert "items" not in company.live.get(TRUNKS).json


@pytest.mark.parametrize("proxy", ["1.1.1.1", "sip.example.com", "127.0.0.1:5070"])
def test_a_sandbox_calls_nobody_real(company: Company, proxy: str):
    answer = company.sandbox.post(TRUNKS, carrier(proxy=proxy))
    assert (answer.status, answer.places) == (400, ["proxy"])
    trunks = company.desk.offhook.trunks
    allowed = trunks._allowed
    try:
        trunks._allowed = Allowed.read("127.0.0.1:5070, sip.example.com:5060, 1.1.1.0/24")
        assert company.sandbox.post(TRUNKS, carrier(proxy=proxy)).status == 200
    finally:
        trunks._allowed = allowed
