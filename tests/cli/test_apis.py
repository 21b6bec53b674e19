"""APIs from the command line: imported, found, read, requests prepared, checked and sent, credentials kept."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from offhook.cli import apis
from offhook.cli.requests import filled, merged, steps_of
from offhook.kit.errors import Refusal
from tests.cli.conftest import Run
from tests.survival.process import Process

BOOKS = """
openapi: 3.0.3
info: {title: Book Shop, version: "1"}
servers: [{url: "https://books.example.com/v1"}]
paths:
  /books/{id}:
    get:
      operationId: books.get
      summary: Show a book
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: language, in: query, schema: {type: string, enum: [en, pt], default: en}}
      responses: {"200": {description: The book.}}
  /books:
    post:
      operationId: books.add
      summary: "Add a book \\e[31m"
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [title, shelf]
              properties:
                title: {type: string, description: What it is called.}
                isbn: {type: string, pattern: "^[0-9]+$", example: "123"}
                pages: {type: integer, minimum: 1}
                shelf: {type: string, enum: [novels, poems]}
                authors: {type: array, items: {type: object, properties: {name: {type: string}}}}
      responses: {"201": {description: It was added.}}
"""
SET = {
    "name": "Lisbon",
    "country": "US",
    "currency": "USD",
    "timezone": "America/Los_Angeles",
    "billing_address.address_line_1": "548 Market St",
    "billing_address.city": "San Francisco",
    "billing_address.region": "CA",
    "billing_address.postal_code": "94104",
    "billing_address.country": "US",
    "use_same_address": "true",
}


@pytest.fixture
def books(offhook: Run, company: Any, empty: Path) -> str:
    """The file of the book shop's API, which is imported as `book-shop`."""
    (empty / "books.yaml").write_text(BOOKS)
    said = offhook("api", "import", "books.yaml")
    assert said.status == 0, said.err
    assert "Book Shop is imported." in said.out
    assert "offhook api show book-shop" in said.err
    return "books.yaml"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A real server with its limits, that the tests of this file share."""
    with Process(tmp_path_factory.mktemp("served") / "data", scale=1) as server:
        yield server


@pytest.fixture
def served(offhook: Run, process: Process, monkeypatch: pytest.MonkeyPatch) -> Process:
    """The server, which commands ask."""
    monkeypatch.setenv("OFFHOOK_URL", process.url)
    monkeypatch.setenv("OFFHOOK_KEY", process.key)
    return process


# Documents


def test_offhooks_own_api_is_there_from_the_start(offhook: Run, company: Any) -> None:
    said = offhook("api", "list")
    assert said.out.splitlines()[1].startswith("offhook  Offhook  1")
    assert "offhook api search WORDS" in said.err
    assert [one["name"] for one in offhook("api", "list", "--json").json["items"]] == ["offhook"]


def test_operations_are_found_by_mistyped_words_in_aligned_columns(offhook: Run, books: str) -> None:
    said = offhook("api", "search", "creat", "ofice")
    header, first, *_ = said.out.splitlines()
    assert first.split()[:2] == ["POST", "/api/v2/offices"]
    assert first.index("offices.create") == header.index("KEY")
    assert "offhook api show offices.create" in said.err
    found = offhook("api", "search", "book", "--api", "book-shop", "--method", "get", "--json").json["items"]
    assert [one["key"] for one in found] == ["books.get"]
    assert "offhook api list" in offhook("api", "search", "xyzzyplugh", "--api", "book-shop").err
    said = offhook("api", "search", "book", "xyzzyplugh", "--api", "book-shop")
    assert 'Nothing has "xyzzyplugh"' in said.err
    assert "/books" in said.out


def test_problems_of_a_document_are_counted_and_the_first_are_shown(offhook: Run, company: Any, empty: Path) -> None:
    document = json.loads('{"openapi": "3.0.0", "info": {"title": "Odd"}, "paths": {}}')
    for number in range(8):
        document["paths"][f"/{number}"] = {"get": {"responses": 5}}
    said = offhook("api", "import", "-", "--name", "odd", stdin=json.dumps(document))
    assert said.status == 0, said.err
    counted = next(line for line in said.err.splitlines() if " problems in the document" in line)
    assert int(counted.split()[0]) >= 8
    assert "--json lists them all" in said.err
    assert offhook("api", "delete", "odd").status == 0
    assert [one["name"] for one in offhook("api", "list", "--json").json["items"]] == ["offhook"]


def test_a_next_version_is_reviewed_before_it_is_kept(offhook: Run, books: str, empty: Path) -> None:
    changed = BOOKS.replace("required: [title, shelf]", "required: [title, shelf, isbn]").replace(
        "  /books/{id}:", "  /b/{id}:"
    )
    Path(books).write_text(changed)
    said = offhook("api", "import", books, "--again", "book-shop", "--dry-run")
    assert "1 added, 1 removed, 1 changed, 0 unchanged." in said.out
    assert "  + GET /b/{id}\n  - GET /books/{id}   breaks clients\n  ~ POST /books   breaks clients" in said.out
    assert "nothing was kept" in said.out
    assert offhook("api", "show", "book-shop", "--json").json["version"] == 1
    again = offhook("api", "import", books, "--again", "book-shop", "--json").json
    assert (again["api"]["version"], len(again["review"]["removed"])) == (2, 1)
    assert "is as it was" in offhook("api", "import", books, "--again", "book-shop").out


def test_what_cannot_be_imported_is_said_in_words(offhook: Run, company: Any, empty: Path) -> None:
    assert "What is imported?" in offhook("api", "import").err
    (empty / "books.yaml").write_text(BOOKS)
    assert offhook("api", "import", "books.yaml").status == 0
    assert "came from no address" in offhook("api", "import", "--again", "book-shop").err
    assert "already" in offhook("api", "import", "books.yaml").err
    assert "cannot be read" in offhook("api", "import", "nothing.yaml").err
    (empty / "binary").write_bytes(b"\xff\xfe\x00")
    assert "not text in UTF-8" in offhook("api", "import", "binary").err
    said = offhook("api", "import", "http://169.254.169.254/openapi.json")
    assert said.status == 1
    assert "could not be fetched" in said.err


# Reference


def test_a_reference_shows_fields_in_columns(offhook: Run, books: str) -> None:
    said = offhook("api", "show", "book-shop.books.add")
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "POST /books"
    assert "  https://books.example.com/v1" in lines
    shelf = next(line for line in lines if line.startswith("shelf "))
    assert shelf.split()[:3] == ["shelf", "String", "yes"]
    assert "One of: novels, poems." in shelf
    assert any(line.startswith("authors[].name ") for line in lines)
    assert "Answer 201" in lines
    assert "\x1b" not in said.out
    assert offhook("api", "show", "books.get", "--json").json["reference"]["head"]["path"] == "/books/{id}"


def test_an_apis_name_lists_its_operations(offhook: Run, books: str) -> None:
    said = offhook("api", "show", "book-shop")
    assert [line.split()[-1] for line in said.out.splitlines()[-2:]] == ["books.get", "books.add"]
    assert "\x1b" not in said.out


def test_a_key_of_two_apis_must_be_said_with_one(offhook: Run, books: str) -> None:
    assert offhook("api", "import", books, "--name", "second").status == 0
    said = offhook("api", "show", "books.get")
    assert said.status == 1
    assert "book-shop.books.get" in said.err
    assert "second.books.get" in said.err
    assert offhook("api", "show", "second.books.get", "--json").json["api"] == "second"


def test_a_mistyped_key_is_answered_with_those_like_it(offhook: Run, books: str) -> None:
    said = offhook("api", "request", "offices.creat")
    assert said.status == 1
    assert "Did you mean offices.create " in said.err


# Requests


def test_a_request_is_printed_as_code_with_what_was_set(offhook: Run, books: str, empty: Path) -> None:
    said = offhook(
        "api", "request", "books.add", "--set", "title=1984", "--set", "pages=328", "--set", "authors[0].name=Orwell",
        "--unset", "isbn", "--unset", "nothing.there",
        "--header", "X-Team: sales", "--server", "https://test.example.com", "--as", "task",
    )  # fmt: skip
    assert said.status == 0, said.err
    sent = json.loads(said.out)["inputParameters"]["http_request"]
    assert sent["uri"] == "https://test.example.com/books"
    assert sent["headers"]["X-Team"] == "sales"
    # The document says that a title is text.
    assert sent["body"] == {"title": "1984", "shelf": "novels", "pages": 328, "authors": [{"name": "Orwell"}]}
    assert "--send" in said.err
    assert offhook("api", "request", "books.add").out.startswith("curl ")
    assert offhook("api", "request", "books.add", "--as", "python").out.startswith("import httpx")


def test_parameters_and_trial_values_go_into_the_address(offhook: Run, books: str) -> None:
    said = offhook(
        "api", "request", "books.get", "--path", "id=${workflow.input.book}", "--value", "workflow.input.book=7",
        "--query", "language=pt", "--query", "tag=a", "--query", "tag=b", "--json",
    )  # fmt: skip
    assert said.json["url"] == "https://books.example.com/v1/books/7?language=pt&tag=a&tag=b"


def test_a_body_comes_from_a_file_and_fields_are_set_in_it(offhook: Run, books: str, empty: Path) -> None:
    (empty / "book.json").write_text('{"title": "Odes", "shelf": "poems"}')
    said = offhook("api", "request", "books.add", "--body", "book.json", "--set", "isbn=123", "--json")
    assert json.loads(said.json["request"]["body"]) == {"title": "Odes", "shelf": "poems", "isbn": "123"}


def test_a_body_that_the_document_does_not_know_goes_as_json(offhook: Run, books: str) -> None:
    said = offhook("api", "request", "books.get", "--set", "a=1")
    assert "Content-Type: application/json" in said.out


def test_faults_are_shown_with_their_places(offhook: Run, books: str) -> None:
    said = offhook("api", "request", "books.add", "--set", "shelf=maps", "--set", "pages=0")
    assert said.status == 1
    assert "2 faults by its document." in said.err
    assert "  body.shelf  " in said.err
    assert "  body.pages  " in said.err
    assert "offhook api show book-shop.books.add" in said.err
    assert len(offhook("api", "request", "books.add", "--set", "shelf=maps", "--json").json["faults"]) == 1


def test_what_cannot_be_sent_is_not(offhook: Run, books: str) -> None:
    said = offhook("api", "request", "books.get", "--server", "nowhere", "--send")
    assert said.status == 1
    assert "cannot be sent" in said.err
    assert "server" in said.err


def test_a_place_off_the_internet_is_refused_in_words(offhook: Run, books: str) -> None:
    said = offhook("api", "request", "books.get", "--server", "http://169.254.169.254", "--send")
    assert said.status == 1
    assert said.out == ""
    assert "not" in said.err
    assert "GET http://169.254.169.254/books/" in said.err


@pytest.mark.parametrize(
    ("name", "text", "body"),
    [
        ("a.b[0].c", "1", {"a": {"b": [{"c": 1}]}}),
        ('a["x.y"]', "null", {"a": {"x.y": None}}),
        ("a", '{"b": [true]}', {"a": {"b": [True]}}),
        ("a", "", {"a": ""}),
        ("a", "{not json", {"a": "{not json"}),
    ],
)
def test_a_field_is_set_by_its_dotted_name(name: str, text: str, body: Any) -> None:
    assert json.loads(filled("", [(name, text)], {})) == body


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("String", "007", "007"),
        ("String", '"007"', "007"),
        ("String", "null", "null"),
        ("String or Null", "null", None),
        ("String or Integer", "7", 7),
        ("Integer", "7", 7),
    ],
)
def test_what_the_document_says_is_text_stays_text(kind: str, text: str, value: Any) -> None:
    assert json.loads(filled("{}", [("list[0]", text)], {"list[]": kind})) == {"list": [value]}


@pytest.mark.parametrize("name", ["", ".", "a.", "a[b]", "a[0", "a..b", "a[-1]"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match=r"a\.b\[0\]\.c"):
        steps_of(name)


@pytest.mark.parametrize(("name", "word"), [("list[2]", "next one is"), ("list.a", "is a list"), ("[0]", "an object")])
def test_a_place_that_the_body_does_not_have_is_said(name: str, word: str) -> None:
    with pytest.raises(Refusal, match=word):
        filled('{"list": [1]}', [(name, "1")], {})


def test_given_headers_take_the_place_of_those_of_their_name() -> None:
    there: list[dict[str, Any]] = [{"name": "Accept", "value": "a"}, {"name": "X-Off", "value": "b", "on": False}]
    assert merged(there, [("accept", "c"), ("X-New", "d")], folded=True) == [
        {"name": "accept", "value": "c"},
        {"name": "X-Off", "value": "b", "on": False},
        {"name": "X-New", "value": "d"},
    ]


# Against a server


def test_an_office_is_created_by_its_prepared_request(offhook: Run, served: Process) -> None:
    here = f"127.0.0.1:{served.port}"
    add = ("api", "credential", "add", "here", "--kind", "bearer", "--host", here)
    assert offhook(*add, stdin=f"{served.key}\n").status == 0
    settings = [part for name, value in SET.items() for part in ("--set", f"{name}={value}")]
    said = offhook("api", "request", "offices.create", *settings, "--credential", "here", "--send")
    assert said.status == 0, said.err
    assert said.out.splitlines()[0] == "200"
    assert '"name": "Lisbon"' in said.out
    for word in ("DNS ", "connect ", "TLS ", "first byte ", "whole ", "as its document says"):
        assert word in said.err
    assert served.key not in said.out + said.err
    assert "Lisbon" in [one["name"] for one in offhook("office", "list", "--json").json["items"]]


def test_without_a_credential_the_answer_is_401_and_the_next_step_is_named(offhook: Run, served: Process) -> None:
    said = offhook("api", "request", "offices.list", "--send")
    assert said.status == 1
    assert said.out.splitlines()[0] == "401"
    assert f"offhook api credential add NAME --kind bearer --host 127.0.0.1:{served.port}" in said.err
    run = offhook("api", "request", "offices.list", "--send", "--json")
    assert (run.status, run.json["status"]) == (1, 401)


def test_a_document_is_fetched_again_from_where_it_came(
    offhook: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Process(tmp_path / "allowing", scale=1, settings={"egress_allow": "127.0.0.0/8"})
    server.init()
    server.start()
    try:
        monkeypatch.setenv("OFFHOOK_URL", server.url)
        monkeypatch.setenv("OFFHOOK_KEY", server.key)
        address = f"{server.url}/openapi.json"
        said = offhook("api", "import", address, "--name", "copy", "--header", "X-Team: sales")
        assert said.status == 0, said.err
        assert f"came from   {address}" in said.out
        assert "is as it was" in offhook("api", "import", "--again", "copy").out
    finally:
        server.kill()


def test_commands_leave_the_address_of_the_server_in_its_own_document(
    offhook: Run, served: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = offhook("api", "request", "offices.list", "--json").json
    assert asked["url"] == f"{served.url}/api/v2/offices"
    monkeypatch.delenv("OFFHOOK_URL")
    monkeypatch.delenv("OFFHOOK_KEY")
    here = offhook("api", "request", "offices.list", "--data", str(served.data), "--json").json
    assert (here["url"], here["request"]["version"]) == (asked["url"], asked["request"]["version"])


# Credentials


def test_a_credential_is_kept_without_its_secret_being_shown(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "secret").write_text("s3cret-value\r\n")
    add = ("api", "credential", "add")
    assert offhook(*add, "books", "--kind", "basic", "--username", "ana", "--host", "books.example.com",
                   "--secret-file", "secret").status == 0  # fmt: skip
    assert (
        offhook(
            *add, "two", "--kind", "headers", "--host", "*.example.com", stdin="X-One: first\nX-Two: second\n"
        ).status
        == 0
    )
    listed = offhook("api", "credential", "list")
    assert "books  basic    books.example.com  ***" in listed.out
    kept = offhook("api", "credential", "list", "--json")
    assert [header["name"] for header in kept.json["items"][1]["headers"]] == ["X-One", "X-Two"]
    assert "s3cret" not in listed.out + kept.out
    assert offhook("api", "credential", "remove", "books").status == 0
    assert [one["name"] for one in offhook("api", "credential", "list", "--json").json["items"]] == ["two"]
    assert offhook("api", "credential", "remove", "books").status == 1


def test_a_secret_is_asked_for_on_a_terminal(offhook: Run, company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    asked: list[dict[str, Any]] = []

    def prompt(text: str, **options: Any) -> str:
        asked.append({"text": text, **options})
        return "s3cret-value"

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr(io, "TextIOWrapper", Terminal)
    said = offhook("api", "credential", "add", "books", "--kind", "bearer", "--host", "books.example.com")
    assert said.status == 0, said.err
    assert [(one["text"], one["hide_input"]) for one in asked] == [("Token", True)]
    assert isinstance(sys.stdin, Terminal)


def test_what_is_read_only_or_repeats_is_said_of_a_field() -> None:
    field = {"name": "id", "type": "Integer", "required": False, "description": "Its id."}
    for mark, text in (("read_only", "Read-only: not to be sent."), ("write_only", "Write-only: never answered.")):
        assert apis._row({**field, mark: True})[-1] == f"{text} Its id."
    assert "Has the fields of what it stands in." in apis._row({**field, "recursive": True})[-1]


def test_a_credential_is_changed(offhook: Run, company: Any) -> None:
    add = ("api", "credential", "add", "books", "--kind", "api_key", "--parameter", "X-Key", "--host", "a.example.com")
    assert offhook(*add, stdin="s3cret-value").status == 0
    change = ("api", "credential", "change")
    said = offhook(*change, "books", "--name", "shelf", "--in", "query", "--parameter", "key")
    assert "shelf is changed; it is for a.example.com" in said.out
    refused = offhook(*change, "shelf", "--host", "b.example.com")
    assert "Send the secret again with new hosts" in refused.err
    made = offhook(*change, "shelf", "--host", "b.example.com", "--secret", "--json", stdin="an0ther-value").json
    assert (made["hosts"], made["version"], made["place"], made["secret"]) == (["b.example.com"], 3, "query", "***")
    assert "Say what is to change" in offhook(*change, "shelf").err
    assert "There is no credential books" in offhook(*change, "books", "--name", "x").err


def test_who_deletes_a_credential_at_a_terminal_is_asked(
    offhook: Run, company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ("api", "credential", "add", "books", "--kind", "bearer", "--host", "books.example.com")
    assert offhook(*add, stdin="s3cret-value").status == 0

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(io, "TextIOWrapper", Terminal)
    said = offhook("api", "credential", "remove", "books", stdin="n\n")
    assert said.status == 1
    assert "Delete books, for books.example.com?" in said.err
    assert len(offhook("api", "credential", "list", "--json").json["items"]) == 1
    assert offhook("api", "credential", "remove", "books", stdin="y\n").status == 0
    assert offhook("api", "credential", "list", "--json").json["items"] == []


def test_after_a_new_key_all_are_encrypted_with_it(offhook: Run, company: Any, empty: Path) -> None:
    add = ("api", "credential", "add", "books", "--kind", "bearer", "--host", "books.example.com")
    assert offhook(*add, stdin="s3cret-value").status == 0
    file = empty / "offhook-data" / "credentials.key"
    old = file.read_text()
    file.write_text(Fernet.generate_key().decode() + "\n" + old)
    assert "1 encrypted anew; 0 were" in offhook("api", "credential", "rotate").out
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert offhook("api", "credential", "list").out.splitlines()[1].endswith("***")
    file.write_text(old)
    said = offhook("api", "credential", "list")
    assert said.out.splitlines()[1].endswith("lost")
    assert "credentials.key" in said.err
    assert len(offhook("api", "credential", "rotate", "--json").json["lost"]) == 1


def test_a_key_is_exchanged_step_by_step(offhook: Run, company: Any, empty: Path) -> None:
    add = ("api", "credential", "add", "books", "--kind", "bearer", "--host", "books.example.com")
    for environment in ("live", "sandbox"):
        assert offhook(*add, "-e", environment, stdin="s3cret-value").status == 0
    file = empty / "offhook-data" / "credentials.key"
    (old,) = file.read_text().split()
    said = offhook("api", "credential", "new-key")
    assert "offhook api credential rotate" in said.err
    new, kept = file.read_text().split()
    assert (kept, new != old, file.stat().st_mode & 0o777) == (old, True, 0o600)
    assert new not in said.out + said.err
    assert "1 encrypted anew; 0 were" in offhook("api", "credential", "rotate", "-e", "live").out
    assert "0 encrypted anew; 1 were" in offhook("api", "credential", "rotate", "-e", "live").out
    assert "1 encrypted anew; 0 were" in offhook("api", "credential", "rotate", "-e", "sandbox").out
    file.write_text(new + "\n")
    for environment in ("live", "sandbox"):
        assert offhook("api", "credential", "list", "-e", environment).out.splitlines()[1].endswith("***")


def test_a_running_server_takes_the_new_key_of_the_file(offhook: Run, served: Process) -> None:
    add = ("api", "credential", "add", "--kind", "bearer", "--host", "books.example.com")
    assert offhook(*add, "of-old", stdin="s3cret-value").status == 0
    there = len(offhook("api", "credential", "list", "--json").json["items"])
    assert offhook("api", "credential", "new-key", "--data", str(served.data)).status == 0
    file = served.data / "credentials.key"
    assert offhook(*add, "of-now", stdin="s3cret-value").status == 0
    assert f"{there} encrypted anew; 1 were" in offhook("api", "credential", "rotate").out
    file.write_text(file.read_text().split()[0] + "\n")
    listed = offhook("api", "credential", "list", "--json").json["items"]
    assert [one.get("lost") for one in listed] == [None] * (there + 1)


def test_keys_of_the_setting_are_exchanged_there(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_CREDENTIALS_KEYS", Fernet.generate_key().decode())
    assert "credentials_keys" in offhook("api", "credential", "new-key").err
    monkeypatch.delenv("OFFHOOK_CREDENTIALS_KEYS")
    assert "There is no folder nowhere" in offhook("api", "credential", "new-key", "--data", "nowhere").err


def test_no_secret_and_no_such_credential_are_said(offhook: Run, books: str) -> None:
    said = offhook("api", "credential", "add", "x", "--kind", "bearer", "--host", "books.example.com")
    assert "There is no secret" in said.err
    said = offhook("api", "request", "books.get", "--credential", "x")
    assert "offhook api credential add" in said.err
