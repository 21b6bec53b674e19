"""Users from the command line."""

import json
from pathlib import Path
from typing import Any

from offhook.configuration import text
from tests.cli.conftest import Run


def test_users_are_imported_reported_and_listed(offhook: Run, company: Any, empty: Path):
    lines = text.write({"version": 1, "offices": {"Head office": {"licences": {"talk_lines": 2}}}})
    (empty / "lines.yaml").write_text(lines)
    assert offhook("apply", "lines.yaml", "--yes").status == 0
    people = [
        {"email": "ana@example.com", "office_id": company["office_id"], "first_name": "Ana", "extension": "101"},
        {"email": "rui@example.com", "office_id": "12"},
    ]
    (empty / "people.jsonl").write_text("".join(json.dumps(one) + "\n" for one in people))
    said = offhook("user", "import", "people.jsonl", "--report", "report.jsonl")
    assert said.status == 1
    assert "1 created, 1 refused" in said.err
    assert "office_id" in said.out
    report = [json.loads(line) for line in (empty / "report.jsonl").read_text().splitlines()]
    assert [one["status"] for one in report] == ["created", "refused"]
    again = offhook("user", "import", "people.jsonl", "--json").json
    assert (again["created"], again["existing"], again["refused"]) == (0, 1, 1)
    listed = offhook("user", "list")
    assert "ana@example.com" in listed.out
    assert "101" in listed.out
    assert [one["emails"] for one in offhook("user", "list", "--json").json["items"]] == [["ana@example.com"]]


def test_who_is_there_and_differs_is_told_in_one_line(offhook: Run, company: Any, empty: Path):
    (empty / "lines.yaml").write_text(
        text.write({"version": 1, "offices": {"Head office": {"licences": {"talk_lines": 2}}}})
    )
    offhook("apply", "lines.yaml", "--yes")
    ana = {"email": "ana@example.com", "office_id": company["office_id"], "first_name": "Ana"}
    (empty / "people.jsonl").write_text(json.dumps(ana))
    assert offhook("user", "import", "people.jsonl").status == 0
    (empty / "people.jsonl").write_text(json.dumps({**ana, "last_name": "Sousa", "extension": "101"}))
    said = offhook("user", "import", "people.jsonl")
    assert (said.status, len(said.out.splitlines())) == (0, 1)
    assert "ana@example.com  exists, differs in: last_name, extension" in said.out


def test_the_machine_itself_says_to_which_environment_an_office_belongs(offhook: Run, company: Any, empty: Path):
    (empty / "people.jsonl").write_text(json.dumps({"email": "ana@example.com", "office_id": company["office_id"]}))
    said = offhook("user", "import", "people.jsonl", "--environment", "sandbox")
    assert said.status == 1
    assert "belongs to the live environment" in " ".join(said.out.split())
