"""Importing many offices from a file: a line for each, mistakes named by line, safe to repeat."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.cli.records import RECORDS, Chunk, chunks
from offhook.client import Answer, Client, NoAnswer, Refused
from offhook.examples import SMALL
from offhook.kit.records import MAX_RECORD
from tests.cli.conftest import Run, Serving

EXAMPLES = Path(__file__).parents[2] / "examples"


def line(**changes: Any) -> str:
    return json.dumps({**SMALL, **changes}) + "\n"


def cut(text: bytes, *, table: bool = False) -> list[Chunk]:
    return list(chunks(io.BytesIO(text), table=table))


# Cutting the file


def test_a_file_goes_in_bodies_of_at_most_two_hundred_records() -> None:
    parts = cut(b'{"a":1}\n' * 450)
    assert [part.body.count(b"\n") for part in parts] == [200, 200, 50]
    assert [part.offset for part in parts] == [0, 200, 400]
    assert parts[-1].end == 450 * 8


def test_every_body_of_a_table_has_the_header_and_counts_as_the_file_does() -> None:
    parts = cut(b"\xef\xbb\xbfname\r\n" + b"x\r\n" * 250, table=True)
    assert [part.body.split(b"\n")[0] for part in parts] == [b"name", b"name"]
    # The first record of the second body stands there on line 2, and on line 202 in the file.
    assert parts[1].offset + 2 == 202


def test_a_quoted_line_break_stays_within_its_record() -> None:
    text = b"name,note\n" + b'a,"one\ntwo"\n' * RECORDS + b"b,c\n"
    parts = cut(text, table=True)
    assert parts[0].body.count(b'"') == 2 * RECORDS
    assert parts[1].body == b"name,note\nb,c\n"
    assert parts[1].offset + 2 == 1 + 2 * RECORDS + 1


def test_a_quote_that_is_never_closed_spoils_its_own_line_only() -> None:
    parts = cut(b'name\n"open\n' + b"x\n" * (RECORDS + 5), table=True)
    assert b"".join(part.body for part in parts).count(b"x\n") == RECORDS + 5
    assert len(parts) == 2


def test_a_record_that_no_body_can_hold_is_refused_here_and_the_rest_is_sent() -> None:
    (part,) = cut(b"a\n" + b"x" * (3 * MAX_RECORD) + b"\nb\n")
    assert part.body == b"a\n\nb\n"
    assert [number for number, _ in part.unsendable] == [2]
    assert cut(b"\n \n\n") == [Chunk(b"", 0, 4)]
    assert cut(b"") == []
    assert cut(b"name\n", table=True) == []


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\ufeff"), max_size=20), max_size=500))
def test_no_line_is_lost_or_moved(lines: list[str]) -> None:
    text = "".join(one + "\n" for one in lines).encode()
    found: dict[int, bytes] = {}
    for part in cut(text):
        for number, one in enumerate(part.body.split(b"\n"), 1):
            if one.strip():
                found[part.offset + number] = one
    assert found == {number: one.encode() for number, one in enumerate(lines, 1) if one.encode().strip()}


# Importing


def test_each_record_has_its_line_and_mistakes_stop_no_other(offhook: Run, company: Any, empty: Path) -> None:
    records = [line(name=f"Office {n}") for n in range(210)]
    records[4] = "{bad\n"
    records[205] = line(currency="BTC", ring_seconds=3)
    (empty / "offices.jsonl").write_text("".join(records))
    said = offhook("office", "import", "offices.jsonl", "--report", "report.jsonl")
    assert said.status == 1
    assert "208 created, 2 refused" in said.err
    assert sum(text.startswith("line ") for text in said.out.splitlines()) == 210
    report = [json.loads(text) for text in (empty / "report.jsonl").read_text().splitlines()]
    assert [entry["line"] for entry in report] == list(range(1, 211))
    assert [entry["line"] for entry in report if entry["status"] == "refused"] == [5, 206]
    assert [error["location"] for error in report[205]["errors"]] == ["currency", "ring_seconds"]


def test_the_same_file_again_makes_no_second_office(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "offices.jsonl").write_text(line() + line(name="Porto"))
    first = offhook("office", "import", "offices.jsonl", "--json")
    again = offhook("office", "import", "offices.jsonl", "--json")
    assert (first.status, first.json["created"], again.json["existing"], again.json["created"]) == (0, 2, 2, 0)
    assert [r["id"] for r in first.json["records"]] == [r["id"] for r in again.json["records"]]
    assert len(offhook("office", "list", "--json").json["items"]) == 3


@pytest.mark.parametrize("name", ["offices.jsonl", "offices.csv"])
def test_the_examples_are_imported_whole_and_safely_again(offhook: Run, company: Any, name: str) -> None:
    first = offhook("office", "import", str(EXAMPLES / name), "--json")
    assert (first.status, first.json["created"], first.json["refused"]) == (0, 3, 0)
    again = offhook("office", "import", str(EXAMPLES / name), "--json").json
    assert (again["existing"], again["complete"]) == (3, True)


def test_a_dry_run_imports_nothing(offhook: Run, company: Any) -> None:
    said = offhook("office", "import", str(EXAMPLES / "offices.csv"), "--dry-run")
    assert (said.status, said.out.count("would be created")) == (0, 3)
    assert len(offhook("office", "list", "--json").json["items"]) == 1


def test_a_running_server_is_imported_into(offhook: Run, company: Any, server: Serving) -> None:
    way = ["--url", server.url, "--key", company["sandbox_key"]]
    assert offhook("office", "import", str(EXAMPLES / "offices.jsonl"), *way, "-q").out == ""
    assert len(offhook("office", "list", *way, "--json").json["items"]) == 4
    refused = offhook("office", "import", str(EXAMPLES / "offices.csv"), "--url", server.url, "--key", "ohk_live_x")
    assert (refused.status, "not valid" in refused.err) == (1, True)


def test_what_was_done_before_an_import_broke_off_is_said(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty / "offices.jsonl").write_text("".join(line(name=f"Office {n}") for n in range(250)))
    real = Client.call
    asked = 0

    async def failing(self: Client, *arguments: Any, **options: Any) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise NoAnswer("No answer.")
        return await real(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "call", failing)
        said = offhook("office", "import", "offices.jsonl", "-q")
    assert said.status == 1
    assert "Stopped behind line 200: No answer." in said.err
    assert "200 created" in said.err
    assert "50 created, 200 existing" in offhook("office", "import", "offices.jsonl", "-q").err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("offices.txt", "", "neither .jsonl"),
        ("missing.csv", None, "cannot be read"),
        ("offices.csv", "foo,bar\n1,2\n", "must name the fields"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_in_words(
    offhook: Run, company: Any, empty: Path, name: str, content: str | None, says: str
) -> None:
    if content is not None:
        (empty / name).write_text(content)
    said = offhook("office", "import", name)
    assert (said.status, says in said.err) == (1, True)


def test_a_server_that_asks_to_wait_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("offhook.client.asyncio.sleep", sleep)
    answers = [
        httpx.Response(429, json={"error": {"code": 429, "message": "later"}}, headers={"retry-after": "7"}),
        httpx.Response(503, json={"error": {"code": 503, "message": "busy"}}),
        httpx.Response(200, json={"ok": True}),
    ]

    async def ask(left: list[httpx.Response]) -> Answer:
        transport = httpx.MockTransport(lambda _: left.pop(0))
        async with httpx.AsyncClient(transport=transport, base_url="http://offhook") as http:
            client = Client(http, "here")
            return await client.patiently(lambda: client.call("GET", "/"))

    assert asyncio.run(ask(list(answers))).document == {"ok": True}
    assert waits == [7.0, 1.0]
    with pytest.raises(Refused, match="later"):
        asyncio.run(ask([answers[0]] * 9))
    assert len(waits) == 2 + 4
    with pytest.raises(NoAnswer, match="without JSON"):
        asyncio.run(ask([httpx.Response(502, text="<html>")]))
