"""The pages of telephones and carriers, as a browser without a script has them."""

import re
from datetime import timedelta
from typing import Any

import pytest

from offhook.kit import clock
from tests.api.desk import Company, office
from tests.console.visitor import Page, Visitor
from tests.directory.people import hired

PHONES, TRUNKS = "/console/phones", "/console/trunks"
SECRET = "correct horse battery"


def send(visitor: Visitor, page: Page, action: str, **changes: str) -> Page:
    return visitor.send(page, action, changes)


@pytest.fixture
def visitor(embedded: Company) -> Visitor:
    """A browser that is signed in with the live key of a new company."""
    found = Visitor(embedded.desk)
    found.sign_in(embedded.live.key)
    return found


def test_a_user_is_given_a_phone_whose_password_is_shown_once(visitor: Visitor, embedded: Company):
    hired(embedded)
    page = visitor.get(PHONES)
    assert "There is none yet." in page.html
    page = send(visitor, page, PHONES, email="ann@example.com", name="Laptop")
    assert page.status == 200
    found = re.search(r"The password is <code>(\w{24})</code>", page.html)
    assert found is not None
    listed = visitor.get(PHONES)
    assert "They sign in at <code>127.0.0.1</code>, port <code>5060</code>, by UDP." in listed.html
    (address,) = set(re.findall(r'href="(/console/phones/\d+)"', listed.html))
    shown = visitor.get(address)
    assert "Laptop of Ann Lee" in shown.html
    assert "Not registered" in shown.html
    assert found[1] not in listed.html + shown.html
    again = send(visitor, shown, f"{address}/new-password")
    assert "The password is <code>" in again.html
    assert found[1] not in again.html


def test_a_form_that_is_sent_again_gives_no_other_phone_and_no_other_password(visitor: Visitor, embedded: Company):
    hired(embedded)
    form = visitor.get(PHONES)
    password = re.compile(r"The password is <code>(\w{24})</code>")
    assert password.search(send(visitor, form, PHONES, email="ann@example.com", name="Laptop").html)
    (phone,) = embedded.live.get("/api/offhook/v1/phones").json["items"]
    again = send(visitor, form, PHONES, email="ann@example.com", name="Laptop")
    assert (again.status, password.search(again.html), "This was sent before" in again.html) == (200, None, True)
    assert embedded.live.get("/api/offhook/v1/phones").json["items"] == [phone]
    anew = f"{PHONES}/{phone['id']}/new-password"
    with clock.at(clock.now() + timedelta(seconds=2)):
        assert password.search(send(visitor, again, anew).html)
    (phone,) = embedded.live.get("/api/offhook/v1/phones").json["items"]
    assert "This was sent before" in send(visitor, again, anew).html
    assert embedded.live.get("/api/offhook/v1/phones").json["items"] == [phone]
    send(visitor, form, PHONES, email="ann@example.com", name="Desk")
    assert len(embedded.live.get("/api/offhook/v1/phones").json["items"]) == 2


def test_a_second_phone_of_the_same_name_is_given_with_what_the_api_says_of_it(visitor: Visitor, embedded: Company):
    hired(embedded)
    for warned in (False, True):
        shown = send(visitor, visitor.get(PHONES), PHONES, email="ann@example.com", name="Laptop")
        assert ("There was one of that name already" in shown.text) is warned
    assert len(embedded.live.get("/api/offhook/v1/phones").json["items"]) == 2


def test_a_phones_page_says_where_help_is_sent_and_what_to_do_where_it_is_not_known(
    visitor: Visitor, embedded: Company
):
    hired(embedded)
    shown = send(visitor, visitor.get(PHONES), PHONES, email="ann@example.com")
    at = embedded.live.get("/api/v2/offices/primary").json["e911_address"]["address"]
    assert at in shown.html
    assert "carry no address" not in shown.html
    lisbon = embedded.live.made(office()).id
    assert embedded.live.post(f"/api/offhook/v1/offices/{lisbon}/licences", {"talk_lines": 1}).status == 200
    embedded.live.post("/api/v2/users", {"office_id": lisbon, "email": "help@example.com"})
    without = send(visitor, visitor.get(PHONES), PHONES, email="help@example.com")
    assert "Calls for help from this phone carry no address" in without.html
    assert f"<code>offhook office emergency-address {lisbon}</code>" in without.html
    assert f"PUT /api/v2/offices/{lisbon}/e911" in without.html


def test_the_commands_on_the_page_of_a_phone_of_a_sandbox_are_for_it(embedded: Company):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.sandbox.key)
    lisbon = embedded.sandbox.made(office()).id
    room = embedded.sandbox.post("/api/v2/rooms", {"name": "Lobby", "office_id": lisbon}).json["id"]
    phone = embedded.sandbox.post(f"/api/offhook/v1/rooms/{room}/devices", {"type": "sip"}).json["id"]
    shown = visitor.get(f"{PHONES}/{phone}").html
    assert f"<code>offhook office emergency-address {lisbon} -e sandbox</code>" in shown
    assert f"PUT /api/v2/offices/{lisbon}/e911" in shown


def test_nobody_is_given_nothing(visitor: Visitor):
    page = send(visitor, visitor.get(PHONES), PHONES, email="<b>@example.com")
    assert page.status == 400
    assert "&lt;b&gt;@example.com" in page.html


def test_a_phone_without_a_name_is_the_phone_of_who_has_it(visitor: Visitor, embedded: Company):
    hired(embedded)
    send(visitor, visitor.get(PHONES), PHONES, email="ann@example.com", name="")
    listed = visitor.get(PHONES)
    assert "Ann Lee Phone" in listed.text
    (address,) = set(re.findall(r'href="(/console/phones/\d+)"', listed.html))
    assert "Phone of Ann Lee" in visitor.get(address).text


def test_a_carrier_is_connected_changed_and_deleted(visitor: Visitor, embedded: Company):
    filled: dict[str, Any] = {"name": "Carrier", "country": "US", "addresses": "198.18.200.1", "proxy": "1.1.1.1"}
    page = send(visitor, visitor.get(TRUNKS), TRUNKS, **filled, prefixes="1", username="us", password=SECRET)
    assert page.status == 400
    assert "Must be the beginning of numbers" in page.html
    assert SECRET not in page.html
    page = visitor.follow(send(visitor, page, TRUNKS, prefixes="+1 +44", password=SECRET))
    (address,) = set(re.findall(r'href="(/console/trunks/\d+)"', page.html))
    shown = visitor.get(address)
    assert "+1 +44" in shown.html
    assert SECRET not in shown.html
    send(visitor, shown, address, prefixes="+1", most_calls="3", emergency="on")
    (kept,) = embedded.live.get("/api/offhook/v1/trunks").json["items"]
    assert (kept["prefixes"], kept["most_calls"], kept["emergency"], kept["enabled"]) == (["+1"], 3, True, True)
    assert kept["password"] == "***"
    late = send(visitor, shown, address, prefixes="+44")
    assert "Not saved: it was changed meanwhile" in late.html
    send(visitor, late, f"{address}/delete")
    assert "items" not in embedded.live.get("/api/offhook/v1/trunks").json


def test_who_may_only_read_is_offered_nothing_else(embedded: Company):
    reader = Visitor(embedded.desk)
    reader.sign_in(embedded.key("directory:read", "trunks:read").key)
    assert "<button" not in reader.get(PHONES).html.partition("<main")[2]
    assert "<button" not in reader.get(TRUNKS).html.partition("<main")[2]
    other = Visitor(embedded.desk)
    other.sign_in(embedded.key("directory:read").key)
    assert "/console/trunks" not in other.get(PHONES).html
    assert other.get(TRUNKS).status == 403
