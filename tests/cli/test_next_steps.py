"""What a command says at its end: steps that work as they are printed, and nothing said a hundred times."""

import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest

from offhook.configuration import text
from tests.cli.conftest import Run, Said, Serving
from tests.cli.test_configuration import FILE, write
from tests.configuration.files import lisbon


def step(said: Said) -> str:
    """The first step that is proposed."""
    line = next(line for line in said.err.splitlines() if line.startswith("Next  "))
    return line.removeprefix("Next  ")


def users(folder: Path, header: str, *rows: str) -> str:
    (folder / "users.csv").write_text("\n".join((header, *rows)) + "\n")
    return "users.csv"


def lines_bought(folder: Path, count: int) -> str:
    return write(folder, offices={"Head office": {"licences": {"talk_lines": count}}})


def test_the_list_after_an_import_of_numbers_is_where_they_went(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty / "numbers.csv").write_text("number\n+19075550100\n")
    monkeypatch.setenv("OFFHOOK_KEY", company["sandbox_key"])
    said = offhook("number", "import", "numbers.csv")
    command = shlex.split(step(said))
    assert command[0] == "offhook"
    assert "+19075550100" in offhook(*command[1:]).out


def test_after_an_import_into_a_server_its_own_list_is_proposed(
    offhook: Run, company: Any, server: Serving, empty: Path
) -> None:
    (empty / "numbers.csv").write_text("number\n+12015550100\n")
    said = offhook("number", "import", "numbers.csv", "--url", server.url, "--key", company["sandbox_key"])
    *_, header, url = shlex.split(step(said))
    name, _, value = header.replace("KEY", company["sandbox_key"]).partition(": ")
    answer = httpx.get(url, headers={name: value})
    assert "+12015550100" in [one["number"] for one in answer.json()["items"]]


def test_the_key_of_a_user_is_tried_where_it_works(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_PORT", "8099")
    assert step(offhook("key", "create")).endswith("http://127.0.0.1:8099/api/v2/offices")
    assert offhook("apply", lines_bought(empty, 1), "--yes").status == 0
    file = users(empty, "email,office_id", f"ana@example.com,{company['office_id']}")
    assert offhook("user", "import", file).status == 0
    made = offhook("key", "create", "--user", "ana@example.com")
    assert step(made).endswith("http://127.0.0.1:8099/api/v2/users/me")


def test_a_plan_of_standard_input_proposes_to_keep_it(offhook: Run, company: Any, empty: Path) -> None:
    source = (empty / write(empty, rooms={"Head office/Lobby": {}})).read_text()
    said = offhook("plan", "-", stdin=source)
    assert step(said) == "save it to a file, then offhook apply FILE"


def test_the_folder_that_was_named_is_named_again(offhook: Run, empty: Path) -> None:
    assert offhook("init", "--data", "here").status == 0
    write(empty, rooms={"Head office/Lobby": {}})
    assert step(offhook("plan", FILE, "--data", "here")) == f"offhook apply {FILE} --data here"
    assert step(offhook("number", "list", "--data", "here")) == "offhook number add +1… --environment live --data here"


# Imports


@pytest.mark.parametrize(
    ("kind", "header", "row", "misspelt", "meant"),
    [
        ("user", "email,office_id,extention", "ana@example.com,{office},101", "extention", "extension"),
        ("number", "number,typ", "+442071838750,local", "typ", "type"),
        ("office", "name,country,timezon", "Porto,PT,Europe/Lisbon", "timezon", "timezone"),
    ],
)
def test_a_misspelt_column_is_refused_before_anything_is_made(
    offhook: Run, company: Any, empty: Path, kind: str, header: str, row: str, misspelt: str, meant: str
) -> None:
    assert offhook("apply", lines_bought(empty, 1), "--yes").status == 0
    before = offhook(kind, "list", "--json").out
    (empty / "file.csv").write_text(f"{header}\n{row.format(office=company['office_id'])}\n")
    said = offhook(kind, "import", "file.csv")
    assert said.status == 1
    assert f"{misspelt}  This column is not known, so nothing was imported. Did you mean {meant}?" in said.err
    assert offhook(kind, "list", "--json").out == before


def test_a_column_that_is_like_no_field_is_passed_over(offhook: Run, company: Any, empty: Path) -> None:
    assert offhook("apply", lines_bought(empty, 1), "--yes").status == 0
    file = users(empty, "email,office_id,shoe", f"ana@example.com,{company['office_id']},44")
    said = offhook("user", "import", file)
    assert (said.status, "shoe" in said.err) == (0, True)
    assert "ana@example.com" in offhook("user", "list").out


def test_who_was_there_and_differs_is_changed_otherwise(offhook: Run, company: Any, empty: Path) -> None:
    assert offhook("apply", lines_bought(empty, 1), "--yes").status == 0
    assert (
        offhook("user", "import", users(empty, "email,office_id", f"ana@example.com,{company['office_id']}")).status
        == 0
    )
    said = offhook(
        "user", "import", users(empty, "email,office_id,extension", f"ana@example.com,{company['office_id']},101")
    )
    assert "1 that exist stay as they are. Change them with a file of the company" in said.err
    assert "PATCH /api/v2/users/ID" in said.err


# What is said


def test_ids_are_exported_for_whoever_renames(offhook: Run, company: Any) -> None:
    exported = text.read(offhook("export", "--ids").out.encode()).value
    assert exported["offices"]["Head office"]["id"] == company["office_id"]
    assert "id" not in text.read(offhook("export").out.encode()).value["offices"]["Head office"]


def test_the_same_fault_of_many_is_told_three_times_and_counted(offhook: Run, company: Any, empty: Path) -> None:
    write(empty, numbers={f"+1415555{serial:04}": {} for serial in range(100, 150)})
    said = offhook("plan", FILE)
    assert said.status == 1
    assert said.err.count("numbers.+1415555") == 3
    assert "and 47 more: This number is reserved for fiction" in said.err
    # Which environment it was is read last, as that is what to mend.
    assert said.err.splitlines()[-1].startswith("environment  live, as none was said")


def test_an_apply_that_does_not_ask_says_what_became_of_it_alone(offhook: Run, company: Any, empty: Path) -> None:
    write(empty, offices={"Lisbon": lisbon()})
    said = offhook("apply", FILE, "--yes")
    assert said.out == "Applied: 1 created.\n"
    assert "no number" in said.err


def test_a_number_that_is_there_is_named_once(offhook: Run, company: Any) -> None:
    offhook("number", "add", "+442071838750")
    assert offhook("number", "add", "+442071838750").err.startswith("+442071838750 is already in the inventory.")


def test_what_was_likely_meant_comes_before_all_that_there_are(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "a.wav").write_bytes(b"RIFF")
    said = offhook("prompt", "upload", "a.wav", "-t", f"office:{company['office_id']}", "-k", "menuu")
    assert "Did you mean MENU? Must be one of: " in said.err


def test_a_tab_is_called_so(offhook: Run, company: Any, empty: Path) -> None:
    (empty / FILE).write_text("version: 1\nrooms:\n\tHead office/Lobby: {}\n")
    said = offhook("plan", FILE)
    assert "line 3, column 1  Not YAML: a tab stands here, and YAML is indented with spaces." in said.err
