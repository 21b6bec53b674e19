"""Pages of an answer: asked for one after the other, and joined."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from offhook.workflows.machine.model import MOST_OUTPUT
from tests.catalog.workbench import Answer, answering
from tests.workflows.tasks.calling import by_path, call, get, header_of, post

TERMINAL = "FAILED_WITH_TERMINAL_ERROR"


def pages(make: Any) -> Answer:
    """Answers by the query that is asked for: `make(query)` gives a body, and further lines of the head."""

    def of(path: str) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        body, *more = make(query)
        return answering(body if isinstance(body, bytes) else json.dumps(body).encode(), *more)

    return by_path(of)


def asked(service: Any) -> list[str]:
    return [head.split(" ")[1] for head in service.heads]


def test_by_number():
    answer = pages(lambda q: [{"items": [{"1": ["a", "b"], "2": ["c"]}.get(q["page"], [])][0]}])
    given = get("/x?q=1", pagination={"kind": "page", "parameter": "page", "items": "$.items"})
    outcome, service = call(given, answer)
    response = outcome.output["response"]
    assert outcome.status == "COMPLETED", outcome
    assert (response["body"], response["pages"], response["ended"]) == (["a", "b", "c"], 3, "last")
    assert asked(service) == ["/x?q=1&page=1", "/x?q=1&page=2", "/x?q=1&page=3"]
    assert response["statusCode"] == 200


def test_by_number_with_its_size_known():
    answer = pages(lambda q: [[q["p"]] * (2 if q["p"] == "0" else 1)])
    outcome, service = call(get(pagination={"kind": "page", "parameter": "p", "start": 0, "size": 2}), answer)
    assert outcome.output["response"]["body"] == ["0", "0", "1"]
    assert asked(service) == ["/?p=0", "/?p=1"]


def test_by_offset():
    answer = pages(lambda q: [list(range(7))[int(q["skip"]) :][:3]])
    outcome, service = call(get(pagination={"kind": "offset", "parameter": "skip", "size": 3}), answer)
    assert outcome.output["response"]["body"] == list(range(7))
    assert asked(service) == ["/?skip=0", "/?skip=3", "/?skip=6"]
    later, service = call(get(pagination={"kind": "offset", "parameter": "skip", "size": 3, "start": 2}), answer)
    assert later.output["response"]["body"] == [2, 3, 4, 5, 6]
    assert asked(service) == ["/?skip=2", "/?skip=5"]


def test_by_cursor():
    following = {"": "a&b", "a&b": 7, "7": ""}
    answer = pages(lambda q: [{"data": {"rows": [q.get("after", "")]}, "next": following[q.get("after", "")]}])
    way = {"kind": "cursor", "parameter": "after", "next": "$.next", "items": "$.data.rows"}
    outcome, service = call(get("/?limit=1", pagination=way), answer)
    assert outcome.output["response"]["body"] == ["", "a&b", "7"]
    assert asked(service) == ["/?limit=1", "/?limit=1&after=a%26b", "/?limit=1&after=7"]


@pytest.mark.parametrize("kind", ["next_url", "link_header"])
def test_by_address(kind: str):
    def make(query: dict[str, str]) -> list[Any]:
        number = int(query.get("n", "1"))
        target = f"?n={number + 1}" if number < 3 else None
        links = [f'link: </first>; rel="first", <{target}>; rel="nofollow next"'] if target else []
        return [{"rows": [number], "links": {"next": target}}, *(links if kind == "link_header" else [])]

    way = {"kind": kind, "items": "$.rows", **({"next": "$.links.next"} if kind == "next_url" else {})}
    outcome, service = call(get("/list", pagination=way), pages(make))
    assert outcome.output["response"]["body"] == [1, 2, 3]
    assert asked(service) == ["/list", "/list?n=2", "/list?n=3"]


def test_as_many_pages_as_may_be():
    answer = pages(lambda q: [[q["p"]]])
    outcome, service = call(get(pagination={"kind": "page", "parameter": "p", "maxPages": 4}), answer)
    response = outcome.output["response"]
    assert (response["body"], response["pages"], response["ended"]) == (["1", "2", "3", "4"], 4, "maxPages")
    assert len(service.heads) == 4


def test_pages_that_go_round_in_circles_end():
    answer = by_path(lambda path: answering(json.dumps({"rows": [path], "next": {"/": "/b"}.get(path, "/")}).encode()))
    outcome, _ = call(get(pagination={"kind": "next_url", "next": "$.next", "items": "$.rows"}), answer)
    response = outcome.output["response"]
    assert (response["body"], response["ended"]) == (["/", "/b"], "repeated")


def test_a_page_at_another_place_is_not_asked_for():
    answer = pages(lambda q: [{"rows": [1], "next": "http://127.0.0.1:1/steal"}])
    outcome, service = call(get(pagination={"kind": "next_url", "next": "$.next", "items": "$.rows"}), answer)
    assert outcome.status == TERMINAL
    assert "http://127.0.0.1:1" in outcome.reason
    assert len(service.heads) == 1


def test_a_page_that_fails_fails_the_task_with_what_it_said():
    def of(path: str) -> Answer:
        return answering(b"[1]") if path.endswith("=1") else answering(b'"busy"', "Retry-After: 3", status="503 X")

    outcome, _ = call(get(pagination={"kind": "page", "parameter": "p"}), by_path(of))
    assert (outcome.status, outcome.after) == ("FAILED", 3_000)
    assert "(page 2)" in outcome.reason
    assert outcome.output["response"]["statusCode"] == 503


@pytest.mark.parametrize(
    ("way", "body", "words"),
    [
        ({"kind": "page", "parameter": "p"}, {"rows": []}, "has no list (see pagination.items)"),
        ({"kind": "page", "parameter": "p", "items": "$.rows"}, {"rows": {}}, "has no list at $.rows"),
        ({"kind": "cursor", "parameter": "c", "next": "$.next", "items": "$.rows"}, {"rows": [], "next": [1]},
         "is no cursor"),
        ({"kind": "next_url", "next": "$.next", "items": "$.rows"}, {"rows": [], "next": 5}, "is no address"),
        ({"kind": "next_url", "next": "$.next", "items": "$.rows"}, {"rows": [], "next": "http://["}, "is no address"),
    ],
)  # fmt: skip
def test_pages_that_are_none(way: dict[str, Any], body: Any, words: str):
    outcome, _ = call(get(pagination=way), pages(lambda _: [body]))
    assert outcome.status == TERMINAL
    assert words in outcome.reason


def test_nothing_where_items_should_be_is_no_items():
    way = {"kind": "cursor", "parameter": "c", "next": "$.next", "items": "$.rows"}
    outcome, _ = call(get(pagination=way), pages(lambda _: [{"total": 0}]))
    assert outcome.output["response"]["body"] == []


def test_all_pages_together_have_a_bound():
    answer = pages(lambda q: [["x" * 600]])
    outcome, service = call(get(pagination={"kind": "page", "parameter": "p"}, maxBytes=1_500), answer)
    assert outcome.status == TERMINAL
    assert "1,500 bytes" in outcome.reason or "maxBytes" in outcome.reason
    assert len(service.heads) == 3
    answer = pages(lambda q: [["x" * (MOST_OUTPUT // 3)]])
    outcome, service = call(get(pagination={"kind": "page", "parameter": "p"}), answer)
    assert outcome.status == TERMINAL
    assert f"{MOST_OUTPUT:,} bytes" in outcome.reason
    assert len(service.heads) == 3


def test_each_page_has_a_key_of_its_own():
    answer = pages(lambda q: [[1] if q["p"] < "3" else []])
    _, service = call(post(pagination={"kind": "page", "parameter": "p"}), answer)
    assert [header_of(head, "Idempotency-Key") for head in service.heads] == ["key-1", "key-1-2", "key-1-3"]
