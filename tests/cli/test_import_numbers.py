"""Importing a carrier's list, and listing what became of it."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run, Serving


def test_a_list_is_imported_line_by_line_and_safely_again(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "numbers.csv").write_text("number,type\n+442071838750,\n4420,\n+442071838751,free\n")
    said = offhook("number", "import", "numbers.csv", "--report", "report.jsonl")
    assert (said.status, "2 created, 1 refused" in said.err) == (1, True)
    assert "+442071838750" in said.out
    report = [json.loads(text) for text in (empty / "report.jsonl").read_text().splitlines()]
    assert [(entry["line"], entry["status"]) for entry in report] == [(2, "created"), (3, "refused"), (4, "created")]
    again = offhook("number", "import", "numbers.csv", "--json")
    assert (again.json["existing"], again.json["created"], again.json["refused"]) == (2, 0, 1)
    listed = offhook("number", "list", "--json").json["numbers"]
    assert [(one["number"], one["type"], one["status"], one["country"], one["area_code"]) for one in listed] == [
        ("+442071838750", "local", "available", "gb", "20"),
        ("+442071838751", "free", "available", "gb", "20"),
    ]


def test_a_dry_run_imports_nothing(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "numbers.jsonl").write_text('{"number": "+442071838750"}\n')
    said = offhook("number", "import", "numbers.jsonl", "--dry-run")
    assert (said.status, "would be created" in said.out, "offhook number import" in said.err) == (0, True, True)
    assert offhook("number", "list", "--json").json["numbers"] == []


def test_more_than_a_request_holds_is_sent_in_parts(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "numbers.csv").write_text("number\n" + "".join(f"+4420718{n:05}\n" for n in range(30000, 35100)))
    said = offhook("number", "import", "numbers.csv", "-q", "--json")
    assert (said.status, said.json["created"], len(said.json["records"])) == (0, 5100, 5100)
    assert said.json["records"][-1]["line"] == 5101


def test_a_running_server_is_imported_into(offhook: Run, company: Any, server: Serving, empty: Path) -> None:
    (empty / "numbers.csv").write_text("number\n+19075550100\n")
    way = ["--url", server.url, "--key", company["sandbox_key"]]
    assert offhook("number", "import", "numbers.csv", *way, "-q").status == 0
    assert "+19075550100" in offhook("number", "list", "-e", "sandbox").out


def test_the_list_is_of_one_status(offhook: Run, company: Any, example: str) -> None:
    made = offhook("office", "create", example, "--environment", "sandbox", "--json").json["office"]
    taken = offhook("number", "list", "-e", "sandbox", "--status", "office")
    assert [line.split()[0] for line in taken.out.splitlines()[1:]] == made["phone_numbers"]
    assert f"office {made['id']}" in taken.out
    assert "100 in sandbox, 99 free" in taken.err
    wrong = offhook("number", "list", "--status", "gone")
    assert (wrong.status, "call_center" in wrong.err) == (1, True)
