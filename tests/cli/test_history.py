"""What the workbench keeps, from the command line: saved requests, the history of runs, examples of operations."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.survival.process import Process

SHELF = """
openapi: 3.0.3
info: {title: Shelf, version: "1"}
servers: [{url: "http://169.254.169.254"}]
paths:
  /books/{id}:
    get:
      operationId: books.get
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: The book.}}
"""
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"


@pytest.fixture
def shelf(offhook: Run, company: Any, empty: Path) -> None:
    """A document whose server is refused, so that its runs fail at once and are kept."""
    (empty / "shelf.yaml").write_text(SHELF)
    assert offhook("api", "import", "shelf.yaml").status == 0


@pytest.fixture
def served(offhook: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """A real server, which commands ask, with a credential `here` for itself."""
    server = Process(tmp_path / "served", scale=1)
    server.init()
    server.start()
    monkeypatch.setenv("OFFHOOK_URL", server.url)
    monkeypatch.setenv("OFFHOOK_KEY", server.key)
    add = ("api", "credential", "add", "here", "--kind", "bearer", "--host", f"127.0.0.1:{server.port}")
    try:
        assert offhook(*add, stdin=server.key).status == 0
        yield server
    finally:
        server.kill()


def saved(offhook: Run, name: str, *more: str) -> Any:
    """A request of the shelf, kept by name."""
    said = offhook("api", "request", "books.get", "--path", "id=7", "--save", name, *more, "--json")
    assert said.status == 0, said.err
    return said.json["saved"]


# Saved requests


def test_a_request_is_saved_listed_and_shown_as_code(offhook: Run, shelf: None) -> None:
    assert "no request is saved" in offhook("api", "saved", "list").err.lower()
    said = offhook("api", "request", "books.get", "--path", "id=7", "--save", "The seventh", "--collection", "Books")
    assert said.status == 0, said.err
    assert "The seventh is kept, version 1." in said.err
    header, row = offhook("api", "saved", "list").out.splitlines()
    assert row[header.index("NAME") :].startswith("The seventh")
    assert row[header.index("COLLECTION") :].startswith("Books")
    assert re.fullmatch(MOMENT, row[header.index("CHANGED") :])
    for word in ("The seventh", "Books/The seventh", row.split()[0]):
        shown = offhook("api", "saved", "show", word)
        assert "--url http://169.254.169.254/books/7\n" in shown.out
        assert "shelf.books.get" in shown.err
    assert offhook("api", "saved", "show", "The seventh", "--as", "python").out.startswith("import httpx")
    assert offhook("api", "saved", "show", "The seventh", "--json").json["request"]["path"] == "/books/{id}"


def test_saving_by_the_same_name_makes_a_version_which_can_be_brought_back(offhook: Run, shelf: None) -> None:
    first = saved(offhook, "One")
    second = saved(offhook, "One", "--path", "id=8")
    assert (second["id"], first["version"], second["version"]) == (first["id"], 1, 2)
    assert [line.split()[0] for line in offhook("api", "saved", "versions", "One").out.splitlines()[1:]] == ["2", "1"]
    assert "/books/8" in offhook("api", "saved", "show", "One").out
    assert "/books/7" in offhook("api", "saved", "show", "One", "--version", "1").out
    assert "version 3" in offhook("api", "saved", "restore", "One", "1").out
    assert "/books/7" in offhook("api", "saved", "show", "One").out


def test_a_name_in_two_collections_must_be_said_with_one(offhook: Run, shelf: None) -> None:
    saved(offhook, "One", "--collection", "Books")
    saved(offhook, "One", "--collection", "Other books")
    plain = saved(offhook, "One")
    said = offhook("api", "saved", "show", "One")
    assert said.status == 1
    assert f"Books/One, 'Other books/One', {plain['id']}" in said.err
    assert offhook("api", "saved", "show", "Books/One", "--json").json["collection"] == "Books"
    assert [one["id"] for one in offhook("api", "saved", "list", "--collection", "", "--json").json["items"]] == [
        plain["id"]
    ]
    assert offhook("api", "saved", "delete", "Books/One").status == 0
    assert len(offhook("api", "saved", "list", "--json").json["items"]) == 2


def test_what_is_not_there_is_said_with_what_is(offhook: Run, shelf: None) -> None:
    assert "--save NAME keeps one" in offhook("api", "saved", "run", "Nothing").err
    saved(offhook, "One")
    assert "there are One" in offhook("api", "saved", "run", "Nothing").err
    assert "--save NAME" in offhook("api", "request", "books.get", "--collection", "Books").err


def test_a_request_whose_expression_has_no_value_is_shown_as_json(offhook: Run, shelf: None) -> None:
    said = offhook("api", "request", "books.get", "--path", "id=${workflow.input.book}", "--save", "Any")
    assert said.status == 1
    shown = offhook("api", "saved", "show", "Any")
    assert json.loads(shown.out)["path_parameters"][0]["value"] == "${workflow.input.book}"
    assert "cannot be sent" in shown.err
    assert "/books/9" in offhook("api", "saved", "show", "Any", "--value", "workflow.input.book=9").out


# Runs


def test_runs_that_failed_are_in_the_history_too(offhook: Run, shelf: None) -> None:
    assert "Nothing was sent yet." in offhook("api", "runs", "list").err
    one = saved(offhook, "One")
    assert offhook("api", "saved", "run", "One").status == 1
    assert offhook("api", "request", "books.get", "--path", "id=8", "--send").status == 1
    header, latest, first = offhook("api", "runs", "list").out.splitlines()
    assert latest[header.index("ADDRESS") :].startswith("http://169.254.169.254/books/8")
    assert latest[header.index("STATUS") :].startswith("failed")
    of_one = offhook("api", "runs", "list", "--saved", "One", "--json").json["items"]
    assert [(run["id"], run["saved_id"]) for run in of_one] == [(first.split()[0], one["id"])]
    assert len(offhook("api", "runs", "list", "--limit", "1", "--json").json["items"]) == 1
    assert offhook("api", "runs", "list", "--api", "offhook", "--json").json["items"] == []
    # A run of a saved request stays one when it is sent again, as long as that is there.
    again = offhook("api", "runs", "again", first.split()[0], "--json")
    assert (again.status, again.json["saved_id"]) == (1, one["id"])
    assert offhook("api", "saved", "delete", "One").status == 0
    alone = offhook("api", "runs", "again", first.split()[0], "--json").json
    assert (alone["state"], "saved_id" in alone) == ("failed", False)
    assert offhook("api", "runs", "delete", first.split()[0]).status == 0
    assert offhook("api", "runs", "show", first.split()[0]).status == 1


def test_what_was_secret_in_a_run_is_given_anew_to_send_it_again(offhook: Run, shelf: None) -> None:
    said = offhook("api", "request", "books.get", "--path", "id=7", "--header", "X-Api-Key: s3cret", "--send", "--json")
    run = said.json["id"]
    again = offhook("api", "runs", "again", run)
    assert "no secrets, and X-Api-Key had one" in again.err
    assert len(offhook("api", "runs", "list", "--json").json["items"]) == 1
    again = offhook("api", "runs", "again", run, "--header", "X-Api-Key: other")
    assert f"offhook api runs compare {run} " in again.err
    assert len(offhook("api", "runs", "list", "--json").json["items"]) == 2


# Against a server


def test_runs_are_shown_compared_and_kept_as_examples(offhook: Run, served: Process) -> None:
    asked = ("api", "request", "offices.list", "--credential", "here")
    assert offhook(*asked, "--save", "Offices", "--send").status == 0
    first = offhook("api", "runs", "list", "--json").json["items"][0]["id"]
    shown = offhook("api", "runs", "show", first)
    assert shown.out.splitlines()[0] == "200"
    assert '"items": [' in shown.out
    assert f"offhook api runs again {first}" in shown.err
    assert served.key not in shown.out + shown.err

    again = offhook("api", "saved", "run", "Offices", "--json")
    assert again.status == 0, again.err
    said = offhook("api", "runs", "compare", first, again.json["id"])
    assert re.search(r"^status +200 both times$", said.out, re.MULTILINE)
    assert "The bodies are the same, byte by byte." in said.out
    other = offhook("api", "request", "offices.list", "--send", "--json").json["id"]
    said = offhook("api", "runs", "compare", first, other)
    assert re.search(r"^status +200, then 401$", said.out, re.MULTILINE)
    assert "\n  - items: " in said.out
    assert "\n  + error: " in said.out
    assert offhook("api", "runs", "compare", first, other, "--json").json["status_after"] == 401

    assert "No example of offices.list is kept." in offhook("api", "examples", "list", "offices.list").err
    kept = offhook("api", "examples", "keep", first, "All of them")
    assert "All of them is kept as an example of offices.list." in kept.out
    assert "already" in offhook("api", "examples", "keep", first, "All of them").err
    header, row = offhook("api", "examples", "list", "offices.list").out.splitlines()
    assert row[header.index("NAME") :].startswith("All of them")
    item = offhook("api", "examples", "list", "offices.list", "--json").json["items"][0]
    assert re.fullmatch(ISO, item["created_at"])
    said = offhook("api", "examples", "show", "offices.list", "All of them")
    assert said.out.startswith(f"GET {served.url}/api/v2/offices\n")
    assert "\n200 application/json" in said.out
    assert '"items": [' in said.out
    assert "there are All of them" in offhook("api", "examples", "show", "offices.list", "None").err
    assert offhook("api", "examples", "delete", "offices.list", item["id"]).status == 0
    assert offhook("api", "examples", "list", "offices.list", "--json").json["items"] == []
