"""Requests and answers held against the schemas of a document, by the place of each fault, in bounded time."""

import time
from typing import Any

import msgspec
import pytest

from offhook.catalog.model import Tree
from offhook.catalog.requests.checking import Checker, check, check_answer
from offhook.catalog.requests.model import Pair, Prepared

POINTER = "/paths/~1offices/post"
JSON = "application/json"


def document(schema: Any = None, *, parameters: Any = (), responses: Any = None, **parts: Any) -> Tree:
    operation: dict[str, Any] = {"parameters": list(parameters)}
    if schema is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if responses is not None:
        operation["responses"] = responses
    return Tree({"paths": {"/offices": {"post": operation}}, "components": {"schemas": parts}})


def body_faults(schema: Any, value: Any, **parts: Any) -> list[str]:
    prepared = Prepared(media=JSON, body=msgspec.json.encode(value).decode())
    return [one.location for one in check(document(schema, **parts), POINTER, prepared)]


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


OFFICE = {
    "type": "object",
    "required": ["name", "id"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "secret": {"type": "string", "writeOnly": True},
        "name": {"type": "string", "minLength": 2},
        "country": {"enum": ["US", "PT"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"number": {"type": "string"}}}},
        "note": {"type": "string", "nullable": True},
        "kind": {"type": "string", "enum": ["a"], "nullable": True},
        "boss": {**ref("Office"), "nullable": True},
        "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "rate": {"type": "number", "exclusiveMaximum": 5},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"name": "Lisbon"}, []),
        ({}, ["body.name"]),
        ({"name": "L"}, ["body.name"]),
        ({"name": 7}, ["body.name"]),
        ([], ["body"]),
        ({"name": "Lisbon", "country": "XX"}, ["body.country"]),
        ({"name": "Lisbon", "lines": [{"number": "1"}, {"number": 2}]}, ["body.lines[1].number"]),
        ({"name": "Lisbon", "note": None, "kind": None, "boss": None}, []),
        ({"name": "Lisbon", "kind": "b"}, ["body.kind"]),
        ({"name": "Lisbon", "boss": {"name": "P"}}, ["body.boss"]),
        ({"name": "Lisbon", "share": 0}, ["body.share"]),
        ({"name": "Lisbon", "share": 0.1, "rate": 5}, ["body.rate"]),
        ({"name": "Lisbon", "colour": 1}, ["body.colour"]),
        ({"name": "Lisbon", "country": "${workflow.input.country}", "share": "${x}"}, []),
        ({"name": "Lisbon", "share": "much"}, ["body.share"]),
    ],
)
def test_a_body_is_held_against_its_schema(value: Any, places: list[str]):
    assert body_faults(ref("Office"), value, Office=OFFICE) == places


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"}, {"type": 7}, {"minimum": "x"}, {"required": True}, {"enum": []}, {"pattern": "(?=a)b"},
        {"pattern": "["}, {"$ref": "https://elsewhere.example/x"}, {"$ref": "#/nowhere"}, {"$ref": 7}, {"items": []},
        {"properties": []}, {"multipleOf": 0}, {"minLength": -1}, {"format": "int64"}, {"$id": "x", "$schema": "y"},
        {"allOf": []}, {"maxItems": 1.5}, {"additionalProperties": "no"}, {"x-own": {"type": 1}}, {"$dynamicRef": "#a"},
    ],
)  # fmt: skip
def test_what_a_document_has_wrong_is_not_held_against_the_request(schema: Any):
    assert body_faults(schema, {"a": "b"}) == []
    assert body_faults(
        {"type": "object", "properties": {"a": schema, "n": {"type": "integer"}}}, {"a": "b", "n": "x"}
    ) == ["body.n"]


@pytest.mark.parametrize(
    ("schema", "faults"),
    [
        ({"not": {"pattern": "(?=a)b"}}, 0),
        ({"not": {"$ref": "https://elsewhere.example/x"}}, 0),
        ({"not": {"properties": {"a": {"pattern": "["}}}}, 0),
        ({"not": {"type": "string", "description": "no text"}}, 1),
        ({"if": {"pattern": "(?=a)b"}, "then": {"maxLength": 1}}, 0),
        ({"if": {"minLength": 2}, "then": {"maxLength": 1}}, 1),
        ({"oneOf": [{"pattern": "(?=a)b"}, {"type": "string"}]}, 0),
        ({"oneOf": [{"$ref": "https://elsewhere.example/x"}, {"type": "string"}]}, 0),
        ({"oneOf": [{"minLength": 1}, {"type": "string"}]}, 1),
    ],
)
def test_a_rule_that_is_left_out_does_not_turn_into_its_opposite(schema: Any, faults: int):
    assert len(body_faults(schema, "text")) == faults


PARAMETERS = [
    {"in": "path", "name": "id", "schema": {"type": "integer"}},
    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
    {"in": "query", "name": "state", "required": True, "schema": {"enum": ["open", "closed"], "type": "string"}},
    {"in": "query", "name": "ids", "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 2}},
    {"in": "query", "name": "on", "schema": {"type": "boolean"}},
    {"in": "query", "name": "share", "schema": {"type": "number"}},
    {"in": "header", "name": "X-Version", "schema": {"type": "string", "pattern": "^v[0-9]+$"}},
]


@pytest.mark.parametrize(
    ("query", "headers", "id", "places"),
    [
        ({"state": "open"}, {}, "1", []),
        ({"state": "open", "limit": "100", "on": "true", "share": "1.5e2"}, {"x-version": "v1"}, "1", []),
        ({}, {}, "", ["path.id", "query.state"]),
        ({"state": "ajar"}, {}, "x", ["path.id", "query.state"]),
        ({"state": "open", "limit": "101"}, {}, "1", ["query.limit"]),
        ({"state": "open", "limit": "many"}, {}, "1", ["query.limit"]),
        ({"state": "open", "limit": "${n}"}, {}, "${id}", []),
        ({"state": "open", "on": "perhaps"}, {}, "1", ["query.on"]),
        ({"state": "open", "ids": "1,2"}, {}, "1", []),
        ({"state": "open", "ids": "1,2,3"}, {}, "1", ["query.ids"]),
        ({"state": "open", "ids": "1,x"}, {}, "1", ["query.ids[1]"]),
        ({"state": "open"}, {"X-Version": "1"}, "1", ["headers.X-Version"]),
    ],
)
def test_parameters_are_held_against_theirs(query: Any, headers: Any, id: str, places: list[str]):
    prepared = Prepared(
        path_parameters=(Pair("id", id),) if id else (),
        query=tuple(Pair(name, value) for name, value in query.items()),
        headers=tuple(Pair(name, value) for name, value in headers.items()),
    )
    assert [one.location for one in check(document(parameters=PARAMETERS), POINTER, prepared)] == places


def test_bodies_that_are_missing_or_no_json_or_of_another_type_are_said():
    asked = document({"type": "object"})
    for prepared, place in (
        (Prepared(), "body"),
        (Prepared(media=JSON, body="{"), "body"),
        (Prepared(media="text/xml", body="<a/>"), "media"),
        (Prepared(media=JSON, body="[" * 100_000), "body"),
    ):
        assert [one.location for one in check(asked, POINTER, prepared)] == [place]


RESPONSES = {
    "200": {"content": {JSON: {"schema": ref("Office")}}},
    "4XX": {"description": "refused"},
    "default": {"content": {"application/problem+json": {"schema": {"required": ["title"]}}}},
}


@pytest.mark.parametrize(
    ("status", "media", "body", "places"),
    [
        (200, "application/json; charset=utf-8", '{"name": "Lisbon", "id": 1}', []),
        (200, JSON, '{"name": "Lisbon"}', ["body.id"]),
        (200, JSON, "{", ["body"]),
        (200, "text/html", "<p>", ["media"]),
        (404, "text/html", "<p>", []),
        (500, "application/problem+json", "{}", ["body.title"]),
        (200, JSON, "", []),
    ],
)
def test_an_answer_is_held_against_what_is_documented(status: int, media: str, body: str, places: list[str]):
    told = document(responses=RESPONSES, Office=OFFICE)
    assert [one.location for one in check_answer(told, POINTER, status, media, body)] == places


def test_a_status_that_is_not_documented_is_said():
    told = document(responses={"200": {}, "404": {}})
    assert [one.location for one in check_answer(told, POINTER, 201, JSON, "{}")] == ["status"]
    assert check_answer(document(), POINTER, 201, JSON, "{}") == []


def test_patterns_cannot_explode():
    begun = time.perf_counter()
    assert body_faults({"type": "string", "pattern": "^(a+)+$"}, "a" * 50_000 + "!") == ["body"]
    body_faults({"pattern": "(a{1,1000}){1,1000}"}, "a")
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "parts",
    [
        {"A": ref("A")},
        {"A": ref("B"), "B": ref("A")},
        {"A": {"allOf": [ref("A")]}},
        {"A": {"anyOf": [ref("B"), {"type": "string"}]}, "B": {"not": ref("A")}},
        {"A": {"if": ref("B")}, "B": {"oneOf": [{"then": {}, "allOf": [ref("A")]}]}},
        {"A": {"dependentSchemas": {"a": ref("A")}}},
        {"A": {**ref("A"), "nullable": True}},
        {"A": {f"{'anyOf'}": [ref("A")] * 500}},
    ],
)
def test_references_round_in_a_circle_end_and_say_nothing(parts: dict[str, Any]):
    assert body_faults(ref("A"), {"a": {"a": 1}}, **parts) == []


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        (
            {f"A{n}": {"anyOf": [ref(f"A{n + 1}"), ref(f"A{n + 1}")]} for n in range(60)} | {"A60": {"type": "string"}},
            1,
        ),
        (
            {"A0": {"properties": {"a": {"anyOf": [ref("A0"), ref("A0")]}}}},
            msgspec.json.decode('{"a":' * 60 + "1" + "}" * 60),
        ),
        ({"A0": {"items": {"enum": list(range(5000))}}}, list(range(5000, 10_000))),
    ],
)
def test_what_would_take_for_ever_is_said_to_be_unchecked(parts: dict[str, Any], value: Any):
    begun = time.perf_counter()
    assert body_faults(ref("A0"), value, **parts) == ["body"]
    assert time.perf_counter() - begun < 2


def test_a_checker_can_be_used_again():
    checker = Checker(Tree({}), {"type": "integer"}, "request")
    assert checker.faults(1, "body") == []
    assert [one.location for one in checker.faults("x", "body")] == ["body"]
    assert checker.types() == {"integer"}
