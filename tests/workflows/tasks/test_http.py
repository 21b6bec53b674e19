"""HTTP tasks: what is sent, and what an answer becomes."""

import base64
import gzip
import json
from typing import Any

import pytest

from offhook.workflows.machine.model import MOST_OUTPUT
from tests.catalog.workbench import answering
from tests.workflows.tasks.calling import NOW, call, get, header_of, post

TERMINAL = "FAILED_WITH_TERMINAL_ERROR"


# What is sent


@pytest.mark.parametrize("nested", [False, True])
def test_flat_and_nested_form_are_sent_alike(nested: bool):
    request = post(
        "/a b?x=ü%20y",
        headers={"X-One": "1", "X-Many": ["a", 2], "X-None": None, "X-Yes": True, "X-Wide": " b "},
        body={"n": [1, None]},
    )
    outcome, service = call({"http_request": request, "uri": "ignored"} if nested else request)
    assert outcome.status == "COMPLETED", outcome
    (head,) = service.heads
    assert head.startswith("POST /a%20b?x=%C3%BC%20y HTTP/1.1\r\n")
    lines = head.split("\r\n")
    for line in ("X-One: 1", "X-Many: a", "X-Many: 2", "X-Yes: true", "X-Wide: b", "Accept: application/json"):
        assert line in lines
    assert "X-None" not in head
    assert header_of(head, "content-type") == "application/json"
    assert header_of(head, "host") == f"127.0.0.1:{service.port}"
    assert json.loads(service.bodies[0]) == {"n": [1, None]}


@pytest.mark.parametrize(
    ("more", "body", "content_type"),
    [
        ({"body": "as it is"}, b"as it is", "application/json"),
        ({"body": 5}, b"5", "application/json"),
        ({"body": False}, b"false", "application/json"),
        ({"body": "ü", "contentType": "text/plain"}, "ü".encode(), "text/plain"),
        ({"body": {"a": "b c", "d": [1, "é"], "e": None}, "contentType": "application/x-www-form-urlencoded"},
         b"a=b+c&d=1&d=%C3%A9", "application/x-www-form-urlencoded"),
        ({"body": {"a": 1}, "headers": {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}},
         b"a=1", "application/x-www-form-urlencoded; charset=utf-8"),
        ({}, b"", None),
    ],
)  # fmt: skip
def test_bodies_go_out_by_their_type(more: dict[str, Any], body: bytes, content_type: str | None):
    _, service = call(post(**more))
    assert service.bodies == [body]
    assert header_of(service.heads[0], "content-type") == content_type


@pytest.mark.parametrize(
    ("given", "accept"),
    [({"accept": "text/plain"}, "text/plain"), ({"accept": ["text/csv", "text/plain"]}, "text/csv, text/plain"),
     ({"headers": {"ACCEPT": "image/png"}}, "image/png"), ({"accept": []}, "application/json")],
)  # fmt: skip
def test_accept(given: dict[str, Any], accept: str):
    _, service = call(get(**given))
    assert header_of(service.heads[0], "accept") == accept


@pytest.mark.parametrize("method", ["GET", "put", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_methods(method: str):
    outcome, service = call({**get(), "method": method}, answering(b""))
    assert outcome.status == "COMPLETED"
    assert service.heads[0].startswith(f"{method.upper()} / ")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "There is no uri"),
        (None, "The input is no object"),
        ({"http_request": 5}, "http_request is no object"),
        ({"uri": 5, "method": "GET"}, "The uri is no text but 5"),
        ({"uri": "ftp://example.com/", "method": "GET"}, "The uri cannot be called"),
        ({"uri": "http://me:word@example.com/", "method": "GET"}, "The uri cannot be called"),
        ({"uri": "/relative", "method": "GET"}, "The uri cannot be called"),
        ({"uri": "HERE/"}, "There is no method"),
        (get() | {"method": "BREW"}, "The method is BREW"),
        (get(headers=[]), "headers is no object"),
        (get(headers={"a b": 1}), "no name of a header"),
        (get(headers={"Host": "x"}), "headers.Host: leave it out"),
        (get(headers={"A": "x\r\nB: y"}), "no line ends"),
        (get(headers={"A": {"b": 1}}), "headers.A must be a text"),
        (get(headers={"A": ["x", ["y"]]}), "headers.A must be a text"),
        (get(contentType=5, body="x"), "contentType is 5"),
        (get(accept="a\nb"), "accept is"),
        (get(readTimeOut="soon"), "readTimeOut is soon"),
        (get(connectionTimeOut=-1), "connectionTimeOut is -1"),
        (get(maxBytes=0), "maxBytes is 0"),
        (get(followRedirects="no"), "followRedirects is no"),
        (get(acceptedStatusCodes=["6xx"]), "acceptedStatusCodes has 6xx"),
        (get(acceptedStatusCodes=[True]), "acceptedStatusCodes has True"),
        (get(rateLimit=5), "rateLimit must be an object"),
        (get(rateLimit={"requests": 5}), "rateLimit needs requests and seconds"),
        (get(hostConcurrency=0), "hostConcurrency is 0"),
        (get(credential=5), "credential must be the name"),
        (post(idempotencyKey="a b"), "idempotencyKey must be"),
        (post(body={"a": 1}, contentType="application/x-www-form-urlencoded", headers={"X": "é"}), "ASCII characters"),
        (post(body=[1], contentType="application/x-www-form-urlencoded"), "The body of a form must be an object"),
        (post(body="\ud800"), "cannot be sent"),
        (get(pagination={"kind": "tree"}), "pagination.kind must be one of"),
        (get(pagination={"kind": "cursor", "next": "$.n"}), "pagination.parameter is missing"),
        (get(pagination={"kind": "next_url", "next": "n"}), "must be a JSONPath"),
        (get(pagination={"kind": "next_url", "next": "$..["}), "pagination.next"),
    ],
)
def test_what_cannot_be_sent_ends_the_task_for_good(given: Any, words: str):
    outcome, service = call(given)
    assert outcome.status == TERMINAL
    assert words in outcome.reason
    assert service.heads == []


def test_numbers_and_flags_may_be_texts_as_expressions_in_texts_make_them():
    outcome, _ = call(get(readTimeOut="5000", connectionTimeOut=100.0, followRedirects="false", maxBytes="10"))
    assert outcome.status == "COMPLETED", outcome


# What comes back


def test_an_answer_has_conductors_shape():
    answer = answering(b'{"a": [1, 2.5, "x", null]}', "X-Two: b", "x-two: c", "ETag: e", status="201 Created")
    outcome, _ = call(get(), answer)
    response = outcome.output["response"]
    assert outcome.status == "COMPLETED"
    assert outcome.output.keys() == {"response"}
    assert response.keys() == {"statusCode", "reasonPhrase", "headers", "body"}
    assert (response["statusCode"], response["reasonPhrase"]) == (201, "Created")
    assert response["body"] == {"a": [1, 2.5, "x", None]}
    assert response["headers"]["X-Two"] == ["b", "c"]
    assert response["headers"]["ETag"] == ["e"]


@pytest.mark.parametrize(
    ("body", "more", "read"),
    [
        (b"", [], None),
        (b"[1]", [], [1]),
        (b"7", [], 7),
        (b'"text"', [], "text"),
        (b"null", [], None),
        (b'{"a": 1', [], '{"a": 1'),
        (b"{'a': 1}", [], "{'a': 1}"),
        (b"[1] [2]", [], "[1] [2]"),
        (b'{"a": NaN}', [], '{"a": NaN}'),
        (b"\xef\xbb\xbf[1]", [], [1]),
        (b'{"a": 1, "a": 2}', [], {"a": 2}),
        (b"[" * 50_000, [], "[" * 50_000),
        (b"plain", ["content-type: text/plain"], "plain"),
        (b'{"a": 1}', ["content-type: text/html"], {"a": 1}),
        ("grün".encode("latin-1"), ["content-type: text/plain; charset=iso-8859-1"], "grün"),
        (b"x", ["content-type: text/plain; charset=nothing-known"], "x"),
        (gzip.compress(b"[1]", mtime=0), ["content-encoding: gzip"], [1]),
        (b"1" * 400, [], int("1" * 400)),
        (b"1" * 5_000, [], "1" * 5_000),
        (b'{"n": 1e999}', [], '{"n": 1e999}'),
        (b'{"n": 123456789012345678901234567890}', [], {"n": 123456789012345678901234567890}),
    ],
)
def test_a_body_is_read_as_what_it_is(body: bytes, more: list[str], read: Any):
    outcome, _ = call(get(), answering(body, *more))
    assert outcome.status == "COMPLETED", outcome
    assert outcome.output["response"]["body"] == read


def test_a_body_that_is_no_text_is_kept_as_base64():
    data = bytes(range(256))
    outcome, _ = call(get(), answering(data, "content-type: application/octet-stream"))
    response = outcome.output["response"]
    assert outcome.status == "COMPLETED"
    assert response["body"] is None
    assert base64.b64decode(response["bodyBase64"]) == data
    assert "256 bytes" in response["note"]


@pytest.mark.parametrize(("levels", "kept"), [(198, True), (199, False), (600, False)])
def test_a_body_that_is_nested_too_deeply_to_be_handled_everywhere_is_text(levels: int, kept: bool):
    text = "[" * levels + "]" * levels
    outcome, _ = call(get(), answering(text.encode()))
    response = outcome.output["response"]
    assert outcome.status == "COMPLETED"
    assert response["body"] == (json.loads(text) if kept else text)
    assert ("note" in response) != kept


# Failures


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "429 Too Many Requests", "503 Gone Fishing"])
def test_a_refusal_can_be_read_and_tried_again(status: str):
    outcome, _ = call(get(), answering(b'{"why": "no room"}', "X-Why: room", status=status))
    code = int(status[:3])
    assert outcome.status == "FAILED"
    assert outcome.output["response"]["statusCode"] == code
    assert outcome.output["response"]["body"] == {"why": "no room"}
    assert outcome.output["response"]["headers"]["X-Why"] == ["room"]
    assert outcome.reason.startswith(f"The answer was {code} ")
    assert '{"why": "no room"}' in outcome.reason


@pytest.mark.parametrize(
    ("codes", "status", "completes"),
    [
        ([404], 404, True),
        ([404], 405, False),
        (["4xx"], 418, True),
        ("4XX", 500, False),
        (["500-503"], 502, True),
        (["500-503"], 504, False),
        (404, 404, True),
        (["404"], 404, True),
        ([404], 201, True),
    ],
)
def test_statuses_that_are_accepted_complete_the_task(codes: Any, status: int, completes: bool):
    outcome, _ = call(get(acceptedStatusCodes=codes), answering(b"[1]", status=f"{status} X"))
    assert outcome.status == ("COMPLETED" if completes else "FAILED")
    assert outcome.output["response"]["body"] == [1]


@pytest.mark.parametrize(("status", "ends"), [(404, True), (451, False), (500, False), (503, True), (200, False)])
def test_statuses_that_are_final_fail_the_task_for_good(status: int, ends: bool):
    outcome, _ = call(get(finalStatusCodes=[404, "502-503"]), answering(b"[1]", status=f"{status} X"))
    good = "COMPLETED" if status == 200 else "FAILED"
    assert outcome.status == ("FAILED_WITH_TERMINAL_ERROR" if ends else good)
    assert outcome.output["response"]["body"] == [1]


@pytest.mark.parametrize(
    ("retry_after", "more", "after"),
    [
        ("7", {}, 7_000),
        ("Fri, 15 Jan 2027 08:01:30 GMT", {}, 90_000),
        ("Fri, 15 Jan 2027 07:00:00 GMT", {}, 0),
        ("Friday, 15-Jan-27 08:01:30 GMT", {}, 90_000),
        ("9999999999999999", {}, 86_400_000),
        ("soon", {}, 0),
        ("-5", {}, 0),
        ("1.5", {}, 0),
        ("7", {"retryAfter": False}, 0),
    ],
)
def test_retry_after_is_told(retry_after: str, more: dict[str, Any], after: int):
    assert NOW == 1_800_000_000, "which is 2027-01-15 08:00:00 UTC"
    outcome, _ = call(get(**more), answering(b"", f"Retry-After: {retry_after}", status="503 X"))
    assert (outcome.status, outcome.after) == ("FAILED", after)


def test_retry_after_of_a_good_answer_says_nothing():
    outcome, _ = call(get(), answering(b"1", "Retry-After: 7"))
    assert (outcome.status, outcome.after) == ("COMPLETED", 0)


def test_work_that_somebody_else_completes_is_in_progress():
    outcome, _ = call(get(asyncComplete=True))
    assert outcome.status == "IN_PROGRESS"
    nested, _ = call({"http_request": get(), "asyncComplete": True})
    assert nested.status == "IN_PROGRESS"
    failed, _ = call(get(asyncComplete=True), answering(status="500 X"))
    assert failed.status == "FAILED"


# Sizes


def test_an_answer_of_more_than_may_be_read_fails_for_good():
    outcome, _ = call(get(maxBytes=100), answering(b"x" * 101))
    assert (outcome.status, outcome.output) == (TERMINAL, None)
    assert "more than the 100 bytes that are read (maxBytes)" in outcome.reason
    exact, _ = call(get(maxBytes=100), answering(b"x" * 100))
    assert exact.status == "COMPLETED"


def test_an_answer_of_more_than_an_output_may_have_fails_for_good():
    outcome, _ = call(get(), answering(b"x" * (MOST_OUTPUT + 1)))
    assert outcome.status == TERMINAL
    assert f"more than the {MOST_OUTPUT:,} bytes" in outcome.reason
    escaped, _ = call(get(), answering(b"\x01" * (MOST_OUTPUT // 6 + 1), "content-type: text/plain"))
    assert escaped.status == TERMINAL, "each of its characters takes six in JSON"
    fits, _ = call(get(), answering(b"x" * (MOST_OUTPUT - 1_000)))
    assert fits.status == "COMPLETED"


def test_a_refusal_with_a_large_body_is_kept_without_it():
    for more in (dict[str, Any](maxBytes=100), dict[str, Any]()):
        outcome, _ = call(get(**more), answering(b"x" * (MOST_OUTPUT + 1), status="500 X"))
        response = outcome.output["response"]
        assert outcome.status == "FAILED"
        assert (response["statusCode"], response["body"]) == (500, None)
        assert "too large" in response["note"]
        assert len(outcome.reason) < 400
