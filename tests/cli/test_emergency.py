"""Where help is sent, from the command line: of offices, of users, and what a telephone says of it."""

from pathlib import Path
from typing import Any

import pytest

from offhook.configuration import text
from tests.cli.conftest import Run
from tests.configuration.files import lisbon

OF_LISBON = ("--address", "Rua Augusta 100", "--city", "Lisboa", "--state", "Lisboa", "--zip", "1100-053")


@pytest.fixture
def office(offhook: Run, company: Any, empty: Path) -> str:
    """The id of an office without an emergency address, in a country that wants none, with Ana in it."""
    of_lisbon = lisbon(licences={"talk_lines": 1}) | {"use_same_address": False}
    of_lisbon.pop("e911_address", None)
    people = {"ana@example.com": {"office": "Lisbon", "first_name": "Ana", "extension": "101"}}
    written = text.write({"version": 1, "offices": {"Lisbon": of_lisbon}, "users": people})
    (empty / "company.yaml").write_text(written)
    said = offhook("apply", "company.yaml", "--yes")
    assert said.status == 0, said
    offices = offhook("office", "list", "--json").json["items"]
    return str(next(one["id"] for one in offices if one["name"] == "Lisbon"))


def test_an_office_without_an_address_says_so_and_how_it_gets_one(offhook: Run, office: str) -> None:
    said = offhook("office", "emergency-address", office)
    assert "No emergency address is on record" in said.err
    assert f"offhook office emergency-address {office} --address" in said.err
    assert "none: calls for help carry no address" in offhook("office", "show", office).out
    set_to = offhook("office", "emergency-address", office, *OF_LISBON)
    assert (set_to.status, "Rua Augusta 100, Lisboa, Lisboa, 1100-053, PT" in set_to.out) == (0, True), set_to
    shown = offhook("office", "emergency-address", office, "--json").json
    assert (shown["city"], shown["country"], shown["warnings"]) == ("Lisboa", "pt", [])
    assert "Rua Augusta 100" in offhook("office", "show", office).out


def test_all_that_is_wrong_with_an_address_is_said(offhook: Run, office: str) -> None:
    said = offhook("office", "emergency-address", office, "--address", "Rua Augusta 100", "--zip", "11")
    assert said.status == 1
    assert all(f"  {place} " in said.err for place in ("city", "state"))
    nothing = offhook("office", "emergency-address", office, "--normalise")
    assert (nothing.status, "say which" in nothing.err) == (1, True), nothing


def test_a_user_has_one_of_their_own_or_the_offices(offhook: Run, office: str) -> None:
    assert offhook("office", "emergency-address", office, *OF_LISBON).status == 0
    assert "Rua Augusta 100" in offhook("user", "emergency-address", "101").out
    own = ("--address", "Rua das Flores 1", "--city", "Porto", "--state", "Porto", "--zip", "4050-262")
    assert offhook("user", "emergency-address", "ana@example.com", *own).status == 0
    assert "Rua das Flores 1" in offhook("user", "emergency-address", "ana@example.com").out
    assert "Rua Augusta 100" in offhook("office", "emergency-address", office).out
    everybody = offhook("office", "emergency-address", office, *OF_LISBON, "--all-users")
    assert everybody.status == 0
    assert "Rua Augusta 100" in offhook("user", "emergency-address", "ana@example.com").out


def test_a_telephone_says_which_address_its_calls_for_help_carry(offhook: Run, office: str) -> None:
    added = offhook("phone", "add", "ana@example.com")
    assert "Calls for help from this telephone carry no address" in added.err
    assert f"/api/v2/offices/{office}/e911" in added.err
    shown = offhook("phone", "show", "ana@example.com").out
    assert "offhook office emergency-address says where help is sent" in shown
    offhook("office", "emergency-address", office, *OF_LISBON)
    assert "say Rua Augusta 100, Lisboa" in offhook("phone", "show", "ana@example.com").out
    again = offhook("phone", "new-password", "ana@example.com", "--json").json
    assert again["warnings"] == []
