"""Offices from the command line: over the store on this machine, and on a server that runs elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from offhook.examples import SMALL
from offhook.kit.answers import notice_of
from tests.cli.conftest import Run, Serving


@pytest.fixture
def small(empty: Path) -> str:
    """A file with a small office."""
    (empty / "small.json").write_text(json.dumps(SMALL))
    return "small.json"


def test_an_office_is_created_shown_and_listed(offhook: Run, company: Any, small: str) -> None:
    made = offhook("office", "create", small)
    assert made.status == 0
    assert "Lisbon is created." in made.out
    assert "mainline_number  Not sent" in made.err
    office_id = made.err.split("office show ")[1].split()[0]
    shown = offhook("office", "show", office_id)
    for part in (
        "Lisbon",
        "09:00–12:30, 14:00–18:00",
        "next change",
        "coming week",
        "Rua Augusta 100",
        "hours count  yes",
    ):
        assert part in shown.out
    listed = offhook("office", "list")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["ID", company["office_id"], office_id]


def test_a_running_server_gives_the_same_answers(
    offhook: Run, company: Any, small: str, server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = offhook("office", "create", small, "--url", server.url, "--key", company["live_key"], "--json").json
    assert {warning["field"] for warning in made["warnings"]} >= {"mainline_number"}
    here = offhook("office", "show", made["office"]["id"], "--json").json
    monkeypatch.setenv("OFFHOOK_URL", server.url + "/")
    monkeypatch.setenv("OFFHOOK_KEY", company["live_key"])
    there = offhook("office", "show", made["office"]["id"], "--json", "--data", "nowhere").json
    assert here["office"] == there["office"]
    said = offhook("office", "show", made["office"]["id"])
    assert company["live_key"] not in said.out + said.err


def test_a_refusal_names_every_place_in_words_and_for_scripts(offhook: Run, company: Any) -> None:
    body = json.dumps({**SMALL, "currency": "BTC", "ring_seconds": 3, "monday_hours": ["18:00", "09:00x"]})
    said = offhook("office", "create", "-", "--json", stdin=body)
    assert said.status == 1
    error = said.json["error"]
    assert error["code"] == 400
    assert {entry["location"] for entry in error["errors"]} == {"currency", "ring_seconds", "monday_hours[1]"}
    for entry in error["errors"]:
        assert f"  {entry['location']}  " in said.err


def test_a_dry_run_stores_nothing(offhook: Run, company: Any, small: str) -> None:
    said = offhook("office", "create", small, "--dry-run")
    assert "would be created; nothing was stored" in said.out
    assert "coming week" in said.out
    assert len(offhook("office", "list", "--json").json["items"]) == 1


def test_a_create_is_repeated_safely_with_an_idempotency_key(offhook: Run, company: Any, small: str) -> None:
    first, second = (offhook("office", "create", small, "--idempotency-key", "k1") for _ in "12")
    assert "was created before" in second.out
    assert first.err.split("office show ")[1] == second.err.split("office show ")[1]
    assert offhook("office", "create", small, "--idempotency-key", "kéy").status == 1


def test_the_sandbox_and_live_do_not_see_each_other(offhook: Run, company: Any, small: str) -> None:
    office_id = offhook("office", "create", small, "-e", "sandbox", "--json").json["office"]["id"]
    assert offhook("office", "show", office_id).status == 1
    assert offhook("office", "show", office_id, "-e", "sandbox").status == 0


def test_a_list_says_when_there_is_more(offhook: Run, company: Any, empty: Path) -> None:
    lines = "".join(json.dumps({**SMALL, "name": f"Office {n}"}) + "\n" for n in range(120))
    (empty / "many.jsonl").write_text(lines)
    assert offhook("office", "import", "many.jsonl", "-q").status == 0
    assert len(offhook("office", "list", "--json").json["items"]) == 100
    part = offhook("office", "list", "--limit", "7")
    assert len(part.out.splitlines()) == 8
    assert "more than 7" in part.err
    whole = offhook("office", "list", "--limit", "0", "--json").json
    assert (len(whole["items"]), whole["more"]) == (121, False)
    assert not offhook("office", "list", "--limit", "121", "--json").json["more"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--url", "http://127.0.0.1:1", "--key", "k"], "Does offhook serve run there?"),
        (["--url", "127.0.0.1:8080", "--key", "k"], "is no URL of a server"),
        (["--url", "http://127.0.0.1:1"], "OFFHOOK_KEY"),
        (["--key", "ohk_live_wrong"], "not valid"),
        (["--url", "http://127.0.0.1:1", "--key", "ké"], "characters that no key has"),
    ],
)
def test_what_cannot_be_reached_is_said_in_words(offhook: Run, company: Any, options: list[str], says: str) -> None:
    said = offhook("office", "list", *options)
    assert said.status == 1
    assert says in said.err


def test_what_is_no_id_is_not_asked_for(offhook: Run, company: Any) -> None:
    assert "is no id" in offhook("office", "show", "../company").err
    assert "There is no office 12." in offhook("office", "show", "12").err


@pytest.mark.parametrize(
    ("line", "notice"),
    [
        ("code; a.b; text", ("code", "a.b", "text")),
        ("code; ; one; two", ("code", "", "one; two")),
        ("code; x; Caf%C3%A9 at 5%", ("code", "x", "Café at 5%")),
        ("code; x; 100%25", ("code", "x", "100%25")),
        ("odd", ("odd", "", "")),
    ],
)
def test_a_warning_is_read_as_it_was_meant(line: str, notice: tuple[str, str, str]) -> None:
    found = notice_of(line)
    assert (found.code, found.field, found.text) == notice


def test_the_example_is_accepted_as_it_stands(offhook: Run, company: Any, example: str) -> None:
    said = offhook("office", "create", example, "-e", "sandbox", "--json")
    assert said.status == 0
    assert said.json["office"]["phone_numbers"] == ["+13125550100"]
