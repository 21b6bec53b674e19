"""Telephones and carriers from the command line."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from offhook.configuration import text
from tests.cli.conftest import Run


@pytest.fixture
def ana(offhook: Run, company: Any, empty: Path) -> str:
    """The address of a user with an extension."""
    lines = text.write({"version": 1, "offices": {"Head office": {"licences": {"talk_lines": 2}}}})
    (empty / "lines.yaml").write_text(lines)
    assert offhook("apply", "lines.yaml", "--yes").status == 0
    person = {"email": "ana@example.com", "office_id": company["office_id"], "first_name": "Ana", "extension": "101"}
    (empty / "people.jsonl").write_text(json.dumps(person))
    assert offhook("user", "import", "people.jsonl").status == 0
    return "ana@example.com"


def flat(written: str) -> str:
    return " ".join(written.split())


def test_a_telephone_is_given_and_its_settings_are_shown(offhook: Run, ana: str):
    assert "has no telephone" in offhook("phone", "show", ana).err
    made = offhook("phone", "add", ana, "--name", "Laptop", "--json").json
    username, id = made["phone"]["settings"]["username"], made["phone"]["id"]
    for who in (ana, "ANA@example.com", "101", "ana", id, made["phone"]["owner_id"]):
        said = offhook("phone", "show", who)
        assert (said.status, username in said.out, made["password"] in said.out) == (0, True, False), (who, said)
        assert "127.0.0.1" in said.out
        assert "not registered" in said.out
    listed = offhook("phone", "list")
    assert username in listed.out
    assert [one["id"] for one in offhook("phone", "list", "--json").json["items"]] == [id]


def test_a_new_password_is_shown_once_in_words_too(offhook: Run, ana: str):
    assert re.search(r"telephone +Phone of Ana", offhook("phone", "add", ana).out)
    said = offhook("phone", "new-password", ana)
    found = re.search(r"password\s+(\S{24})\b", said.out)
    assert found is not None
    assert "not shown again" in said.err
    assert found[1] not in offhook("phone", "show", ana).out


def test_one_of_several_telephones_must_be_named(offhook: Run, ana: str):
    ids = [offhook("phone", "add", ana, "--json").json["phone"]["id"] for _ in range(2)]
    said = offhook("phone", "new-password", ana)
    assert said.status == 1
    assert all(id in flat(said.err + said.out) for id in ids)
    assert offhook("phone", "new-password", ids[0]).status == 0


def test_a_lost_telephone_is_taken_away_by_whose_it_is_and_its_name(offhook: Run, ana: str):
    lost, other = (offhook("phone", "add", ana, "--name", name, "--json").json["phone"] for name in ("Mobile", "Desk"))
    said = offhook("phone", "remove", f"{ana}/mobile")
    assert (said.status, "Mobile of Ana is taken away" in said.out) == (0, True), said
    assert f"Next  offhook phone show {lost['owner_id']} " in said.err
    assert [one["id"] for one in offhook("phone", "list", "--json").json["items"]] == [other["id"]]
    assert offhook("phone", "remove", "101", "--json").json["removed"] == other["id"]
    assert offhook("phone", "list", "--json").json["items"] == []


def test_a_telephone_is_taken_away_only_where_it_is_clear_which(offhook: Run, ana: str):
    said = offhook("phone", "remove", ana)
    assert (said.status, f"{ana} has no telephone; offhook phone add gives one" in flat(said.err)) == (1, True), said
    ids = [offhook("phone", "add", ana, "--json").json["phone"]["id"] for _ in range(2)]
    for word in (ana, f"{ana}/Phone"):
        said = offhook("phone", "remove", word)
        assert (said.status, all(id in said.err for id in ids)) == (1, True), said
    said = offhook("phone", "remove", f"{ana}/Desk")
    assert (said.status, f"{ana} has no telephone Desk; offhook phone show {ana} shows" in flat(said.err)) == (1, True)
    assert len(offhook("phone", "list", "--json").json["items"]) == 2


def test_on_a_terminal_a_telephone_is_taken_away_once_that_is_confirmed(
    offhook: Run, ana: str, monkeypatch: pytest.MonkeyPatch
):
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    id = offhook("phone", "add", ana, "--name", "Desk", "--json").json["phone"]["id"]
    monkeypatch.setattr(io, "TextIOWrapper", Terminal)
    said = offhook("phone", "remove", id, stdin="n\n")
    assert (said.status, "Take away Desk of Ana?" in said.err) == (1, True), said
    assert offhook("phone", "show", id).status == 0
    assert offhook("phone", "remove", id, stdin="y\n").status == 0
    assert offhook("phone", "show", id).status == 1


def test_a_room_with_a_slash_in_its_name_keeps_its_telephones(offhook: Run, company: Any):
    add = ("apply", "-", "--yes")
    rooms: dict[str, Any] = {"Head office/Hall": {}, "Head office/Hall A/B": {}}
    assert offhook(*add, stdin=text.write({"version": 1, "rooms": rooms})).status == 0
    hall, corner = (offhook("phone", "add", one, "--name", "B", "--json").json["phone"] for one in ("Hall", "Hall A/B"))
    assert offhook("phone", "show", "Hall A/B", "--json").json["items"][0]["id"] == corner["id"]
    assert offhook("phone", "show", "Hall/B", "--json").json["items"][0]["id"] == hall["id"]


def test_another_telephone_of_the_same_name_is_warned_of(offhook: Run, ana: str):
    first = offhook("phone", "add", ana, "--name", "Laptop", "--json").json
    assert first["warnings"] == []
    assert offhook("phone", "add", ana, "--name", "Desk", "--json").json["warnings"] == []
    said = offhook("phone", "add", ana, "--name", "laptop")
    assert said.status == 0
    assert f"offhook phone remove {first['phone']['id']} takes it away" in flat(said.err)
    assert f"offhook phone new-password {first['phone']['id']} would" in said.err


def test_what_a_warning_or_a_refusal_proposes_is_done_where_the_command_asked(offhook: Run, company: Any):
    rooms = text.write({"version": 1, "rooms": {"Head office/Hall": {}}})
    assert offhook("apply", "-", "--yes", "-e", "sandbox", stdin=rooms).status == 0
    add = ("phone", "add", "Hall", "-e", "sandbox", "--name", "Desk")
    id = offhook(*add, "--json").json["phone"]["id"]
    said = offhook(*add)
    (proposed,) = re.findall(r"offhook (phone remove .*) takes it away", said.err)
    assert proposed == f"phone remove --environment sandbox {id}"
    assert offhook(*proposed.split()).status == 0
    taking = ("--office", "primary", "-e", "sandbox")
    number = offhook("number", "assign", "any", *taking, "--json").json["number"]
    refused = offhook("number", "assign", number, *taking)
    assert (refused.status, "(offhook number list --environment sandbox --free)" in refused.err) == (1, True), refused
    assert "offhook call list --environment sandbox shows them" in offhook("call", "show", "x", "-e", "sandbox").err


@pytest.mark.parametrize(
    ("command", "step"),
    [
        (("phone", "add", "bo@example.com"), "offhook user list --environment sandbox shows the users."),
        (("phone", "show", "bo@example.com/Laptop"), "offhook user list --environment sandbox shows the users."),
        (("trunk", "show", "Carrier"), "offhook trunk list --environment sandbox shows them."),
        (("api", "credential", "remove", "books"), "offhook api credential list --environment sandbox shows them."),
    ],
)
def test_what_is_not_there_is_said_with_where_it_was_looked_for(
    offhook: Run, company: Any, command: tuple[str, ...], step: str
):
    said = offhook(*command, "-e", "sandbox")
    assert (said.status, step in flat(said.err)) == (1, True), said
    assert said.err.splitlines()[-1] == "environment  sandbox"
    said = offhook(*command)
    assert step.replace(" --environment sandbox", "") in flat(said.err)
    assert said.err.splitlines()[-1] == "environment  live, as none was said; -e sandbox is the other"
    assert offhook(*command, "--json").json["error"]["code"] == 404


def test_nobody_is_told_to_be_nobody(offhook: Run, ana: str):
    said = offhook("phone", "show", "bob@example.com")
    assert said.status == 1
    assert "There is no user or room" in flat(said.err + said.out)


@pytest.mark.parametrize("nobody", ["", " "])
def test_no_name_at_all_is_not_whoever_has_no_extension(offhook: Run, company: Any, empty: Path, nobody: str):
    lines = text.write({"version": 1, "offices": {"Head office": {"licences": {"talk_lines": 2}}}})
    (empty / "lines.yaml").write_text(lines)
    assert offhook("apply", "lines.yaml", "--yes").status == 0
    person = {"email": "eve@example.com", "office_id": company["office_id"], "first_name": "Eve"}
    (empty / "people.jsonl").write_text(json.dumps(person))
    assert offhook("user", "import", "people.jsonl").status == 0
    said = offhook("phone", "add", nobody)
    assert (said.status, "Whom?" in said.err) == (1, True), said


def test_a_carrier_is_connected_changed_and_removed(offhook: Run, company: Any, empty: Path):
    assert "No carrier is connected" in offhook("trunk", "list").err
    (empty / "secret").write_text("correct horse battery\n")
    said = offhook(
        "trunk", "add", "Carrier", "--country", "US", "--address", "203.0.113.7", "--proxy", "1.1.1.1",
        "--username", "us", "--password-file", "secret", "--allow", "+1",
    )  # fmt: skip
    assert said.status == 0, said
    assert "correct horse" not in said.out + said.err
    shown = offhook("trunk", "show", "Carrier", "--json").json
    assert (shown["proxy"], shown["prefixes"], shown["password"]) == ("1.1.1.1:5060", ["+1"], "***")
    changed = offhook("trunk", "change", "Carrier", "--allow", "+44", "--international", "--disabled", "--json").json
    assert (changed["prefixes"], changed["international"], changed["enabled"]) == (["+44"], True, False)
    assert "+44, abroad too" in flat(offhook("trunk", "list").out)
    assert offhook("trunk", "change", "Carrier", "--allow-nothing", "--json").json["prefixes"] == []
    assert offhook("trunk", "change", "Carrier").status == 1
    assert offhook("trunk", "remove", "Carrier").status == 0
    assert offhook("trunk", "show", "Carrier").status == 1


def test_all_that_is_wrong_with_a_carrier_is_said(offhook: Run, company: Any):
    said = offhook("trunk", "add", "Carrier", "--country", "XX", "--address", "example.com", "--allow", "1")
    assert said.status == 1
    assert all(place in said.err + said.out for place in ("country", "addresses[0]", "prefixes[0]"))
