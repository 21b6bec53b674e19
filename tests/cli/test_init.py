"""`offhook init` on a new machine, and where there is something already."""

import json
from pathlib import Path
from typing import Any

import pytest

from offhook.examples import FULL
from tests.cli.conftest import Run


def test_a_new_installation_is_told_its_keys_once_and_what_to_do_next(offhook: Run, empty: Path) -> None:
    said = offhook("init", "--name", "Acme")
    assert said.status == 0
    assert "Acme is set up in offhook-data" in said.out
    assert said.out.count("ohk_live_") == 1
    assert said.out.count("ohk_sandbox_") == 1
    assert "offhook serve" in said.err
    first = offhook("number", "list", "-e", "sandbox").out.splitlines()[1].split()[0]
    assert f"100, {first} and others: offhook number list --environment sandbox" in said.out


def test_a_script_gets_one_json_object(offhook: Run) -> None:
    said = offhook("init", "--json", "--data", "elsewhere")
    assert said.json.keys() == {"company_id", "office_id", "sandbox_office_id", "live_key", "sandbox_key"}
    assert said.out.count("\n") == 1
    assert said.err == ""


def test_keys_are_nowhere_in_the_store(company: Any, empty: Path) -> None:
    kept = b"".join(path.read_bytes() for path in (empty / "offhook-data").rglob("*") if path.is_file())
    assert company["live_key"].encode() not in kept
    assert company["company_id"] not in ("", None)


def test_a_folder_that_holds_a_company_is_not_set_up_again(offhook: Run, company: Any) -> None:
    said = offhook("init")
    assert said.status == 1
    assert company["company_id"] in said.err
    assert "--another" in said.err
    assert said.out == ""


def test_another_company_may_be_asked_for_and_then_must_be_named(offhook: Run, company: Any) -> None:
    other = offhook("init", "--another", "--name", "Second", "--json").json
    refused = offhook("key", "list")
    assert refused.status == 1
    assert f"--company {other['company_id']}  Second" in refused.err
    assert offhook("key", "list", "--company", other["company_id"]).status == 0
    assert offhook("key", "list", "--company", "1").status == 1


def test_every_mistake_in_the_head_office_is_named_at_once(offhook: Run, empty: Path) -> None:
    (empty / "office.json").write_text(json.dumps({**FULL, "ring_seconds": 3, "timezone": "Nowhere"}))
    said = offhook("init", "--office", "office.json", "--currency", "BTC", "--json")
    assert said.status == 1
    assert "3 places must be mended" in said.err
    places = [entry["location"] for entry in said.json["error"]["errors"]]
    assert sorted(places) == ["currency", "ring_seconds", "timezone"]
    assert offhook("init").status == 0, "a refused init leaves nothing in the way of the next"


def test_options_say_where_the_head_office_is(offhook: Run) -> None:
    assert offhook("init", "--country", "PT", "--timezone", "Europe/Lisbon", "--currency", "EUR").status == 0
    office = offhook("office", "show", "primary", "--json").json["office"]
    assert (office["country"], office["timezone"], office["billing"]["currency"]) == ("pt", "Europe/Lisbon", "EUR")
    assert "e911_address" not in office, "the example's address in the US is not one in Portugal"


def test_a_country_that_needs_an_emergency_address_is_not_given_an_invented_one(offhook: Run) -> None:
    said = offhook("init", "--country", "GB")
    assert said.status == 1
    assert "e911_address" in said.err


@pytest.mark.parametrize(
    ("content", "says"), [("[1]", "one JSON object"), ("{", "not valid JSON"), (None, "cannot be read")]
)
def test_a_file_that_is_no_office_is_refused_in_words(
    offhook: Run, empty: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (empty / "office.json").write_text(content)
    said = offhook("init", "--office", "office.json")
    assert said.status == 1
    assert says in said.err


def test_a_mistyped_folder_is_not_made(offhook: Run, company: Any, empty: Path) -> None:
    for command in (["key", "list"], ["number", "list"], ["office", "list"], ["backup", "b.zip"], ["db", "status"]):
        said = offhook(*command, "--data", "typo")
        assert "offhook init" in said.err
    assert not (empty / "typo").exists()
