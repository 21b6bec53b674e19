"""A prepared request as it goes out, and what keeps one from it, each by its place."""

from typing import Any

import pytest

from offhook.catalog.requests.model import FORM, MULTIPART, Pair, Prepared, expressions, finished
from offhook.kit.errors import Invalid

JSON = "application/json"


def prepared(**changes: Any) -> Prepared:
    return Prepared(**({"method": "POST", "server": "https://api.example.com/v2/", "path": "/offices"} | changes))


def pairs(**values: str) -> tuple[Pair, ...]:
    return tuple(Pair(name, value) for name, value in values.items())


def refused(request: Prepared, values: dict[str, Any] | None = None) -> list[str]:
    with pytest.raises(Invalid) as fault:
        finished(request, values)
    return [one.location for one in fault.value.violations]


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "https://api.example.com/v2/offices"),
        ({"path": ""}, "https://api.example.com/v2"),
        ({"server": "https://api.example.com", "path": ""}, "https://api.example.com/"),
        ({"path": "/o/{id}", "path_parameters": pairs(id="a b/c?d#é%{x}")},
         "https://api.example.com/v2/o/a%20b%2Fc%3Fd%23%C3%A9%25%7Bx%7D"),
        ({"path": "/o/ü/%20"}, "https://api.example.com/v2/o/%C3%BC/%20"),
        ({"query": pairs(a="1 2&3", b="")}, "https://api.example.com/v2/offices?a=1%202%263&b="),
        ({"query": (Pair("a", "1"), Pair("a", "2"), Pair("b", "3", on=False))},
         "https://api.example.com/v2/offices?a=1&a=2"),
        ({"server": "https://api.example.com/?k=1", "path": "o?l=2", "query": pairs(m="3")},
         "https://api.example.com/o?k=1&l=2&m=3"),
        ({"path": "/offices#part"}, "https://api.example.com/v2/offices"),
    ],
)  # fmt: skip
def test_an_address_is_put_together(changes: dict[str, Any], url: str):
    assert finished(prepared(**changes)).url == url


@pytest.mark.parametrize(
    ("path", "value", "url"),
    [
        ("/x/{id}", "a,b/c", "/x/a%2Cb%2Fc"),
        ("/x/{id*}", "a,b/c", "/x/a,b%2Fc"),
        ("/x/{id*}", "k=1,l=2", "/x/k=1,l=2"),
        ("/x{.id}", "a,b", "/x.a,b"),
        ("/x{.id*}", "a,b c", "/x.a.b%20c"),
        ("/x{;id}", "a,b", "/x;id=a,b"),
        ("/x{;id*}", "a,b/c", "/x;id=a;id=b%2Fc"),
        ("/x{;id*}", "k=1,l=2", "/x;k=1;l=2"),
    ],
)
def test_a_value_in_the_path_is_written_as_the_template_says(path: str, value: str, url: str):
    assert finished(prepared(path=path, path_parameters=pairs(id=value))).url.endswith(url)


@pytest.mark.parametrize(("path", "value"), [("/x/{id*}", ".."), ("/x/{.id}", "."), ("/x/{;id}", "")])
def test_a_template_leads_to_no_other_path(path: str, value: str):
    assert refused(prepared(path=path, path_parameters=pairs(id=value))) == ["path.id"]


def test_expressions_take_their_trial_values():
    request = prepared(
        path="/o/${workflow.input.id}/{x}",
        path_parameters=pairs(x="${['A Task'].output.n}"),
        query=pairs(q="a ${workflow.input.city} b"),
        headers=pairs(X="${workflow.input.n}"),
        media=JSON,
        body='{"n": "${workflow.input.n}", "t": "n=${workflow.input.n}", '
        '"l": ["${workflow.input.list}"], "e": "$${x}"}',
    )
    values = {"workflow": {"input": {"id": "a/b", "city": "Lisbon", "n": 7, "list": [1]}}, "['A Task'].output.n": True}
    sent = finished(request, values)
    assert sent.url == "https://api.example.com/v2/o/a%2Fb/true?q=a%20Lisbon%20b"
    assert sent.headers == (("X", "7"), ("Content-Type", JSON))
    assert sent.body == b'{"n":7,"t":"n=7","l":[[1]],"e":"${x}"}'
    assert expressions(request) == (
        "workflow.input.id", "['A Task'].output.n", "workflow.input.city", "workflow.input.n", "workflow.input.list",
    )  # fmt: skip


def test_what_has_no_trial_value_is_named_by_its_place():
    request = prepared(
        path="/{x}",
        path_parameters=pairs(x="${a}"),
        query=pairs(q="${b}"),
        headers=pairs(H="${c}"),
        media=JSON,
        body='{"list": [{"d": "${d}"}]}',
    )
    assert refused(request) == ["path.x", "query.q", "headers.H", "body.list[0].d"]


def test_a_value_cannot_break_out_of_its_place():
    """Neither into another header, nor another path, nor another field of the body."""
    assert refused(prepared(headers=pairs(X="${v}")), {"v": "a\r\nEvil: 1"}) == ["headers.X"]
    assert refused(prepared(path="/o/{x}", path_parameters=pairs(x="..")), {}) == ["path.x"]
    assert refused(prepared(path="/o/${v}"), {"v": ".."}) == ["path"]
    assert finished(prepared(media=JSON, body='{"a": "${v}"}'), {"v": '","b":"1'}).body == b'{"a":"\\",\\"b\\":\\"1"}'
    assert finished(prepared(query=pairs(q="${v}")), {"v": "1&admin=1"}).url.endswith("?q=1%26admin%3D1")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"server": ""}, "server"),
        ({"server": "/v1"}, "server"),
        ({"server": "https://{region}.example.com"}, "server"),
        ({"server": "ftp://example.com"}, "server"),
        ({"server": "https://me:pw@example.com"}, "server"),
        ({"server": "http://2130706433"}, "server"),
        ({"method": "BAD METHOD"}, "method"),
        ({"method": "CONNECT"}, "method"),
        ({"path": "/{id}"}, "path.id"),
        ({"path_parameters": pairs(id="1")}, "path.id"),
        ({"headers": pairs(Host="inside")}, "headers.Host"),
        ({"headers": (Pair("Content-Length", "1"),)}, "headers.Content-Length"),
        ({"headers": (Pair("a b", "1"),)}, "headers"),
        ({"headers": pairs(X="é")}, "headers.X"),
        ({"media": FORM, "body": "[1]"}, "body"),
        ({"media": JSON, "body": '{"a": ${x}}'}, "body"),
        ({"media": "text/plain", "body": "x" * 1_000_001}, "body"),
        ({"query": tuple(Pair("a", str(n)) for n in range(201))}, "query"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_place(changes: dict[str, Any], place: str):
    assert refused(prepared(**changes), {"x": 1}) == [place]


def test_bodies_are_written_in_their_media_type():
    assert finished(prepared(media=FORM, body='{"a": "1 2", "b": [1, true], "c": {"d": null}}')).body == (
        b"a=1+2&b=1&b=true&c=%7B%22d%22%3Anull%7D"
    )
    sent = finished(prepared(media=MULTIPART, body='{"a": "é"}'))
    boundary = dict(sent.headers)["Content-Type"].partition("boundary=")[2]
    assert sent.body.decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\né\r\n--{boundary}--\r\n'
    )
    assert finished(prepared(media=JSON, body='{ "as": "written" }')).body == b'{ "as": "written" }'
    assert finished(prepared(media="text/csv", body="a;b")).headers == (("Content-Type", "text/csv"),)
    assert finished(prepared(media=JSON, body="{}", headers=pairs(**{"content-type": "a/b"}))).headers == (
        ("content-type", "a/b"),
    )
    assert finished(prepared(media=JSON)).headers == ()


@pytest.mark.parametrize("depth", [150, 700, 5000])
@pytest.mark.parametrize("media", ["application/json", "application/x-www-form-urlencoded"])
def test_bodies_and_values_that_are_too_deep_are_refused(depth: int, media: str):
    deep = '{"a":' + "[" * depth + '"${x}"' + "]" * depth + "}"
    assert refused(prepared(media=media, body=deep), {"x": 1}) == ["body"]
    value: Any = 1
    for _ in range(min(depth, 900)):
        value = [value]
    assert refused(prepared(media=media, body='{"a":"${x}"}'), {"x": value}) == ["body.a"]
