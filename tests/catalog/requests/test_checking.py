"""Requests and answers held against the schemas of a document, by the place of each fault, in bounded time."""

import time
from typing import Any

import msgspec
import pytest

from offhook.catalog.model import Tree
from offhook.catalog.requests.checker import Checker
from offhook.catalog.requests.checking import check, check_answer
from offhook.catalog.requests.model import Pair, Prepared
from offhook.catalog.work import Work

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
    {
        "in": "query",
        "name": "ids",
        "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        "explode": False,
    },
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
        (200, JSON, "", ["body"]),
        (200, "", "", ["body"]),
        (404, "", "", []),
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
    checker = Checker(Tree({}), {"type": "integer"}, "request", Work())
    assert checker.faults(1, "body") == []
    assert [one.location for one in checker.faults("x", "body")] == ["body"]
    assert checker.types() == {"integer"}


def test_an_empty_body_is_no_json():
    content = {JSON: {"schema": {"type": "object"}}}
    told = document(responses={"default": {"content": content}})
    for status, places in ((200, ["body"]), (500, ["body"]), (204, []), (304, [])):
        assert [one.location for one in check_answer(told, POINTER, status, JSON, b"")] == places
    head = Tree({"paths": {"/offices": {"head": {"responses": {"200": {"content": content}}}}}})
    assert check_answer(head, "/paths/~1offices/head", 200, JSON, b"") == []
    text = document(responses={"200": {"content": content | {"text/plain": {}}}})
    assert check_answer(text, POINTER, 200, "text/plain", b"") == []


def test_what_looks_like_an_expression_is_none_in_an_answer():
    told = document(responses={"200": {"content": {JSON: {"schema": OFFICE}}}}, Office=OFFICE)
    body = b'{"name": "Lisbon", "id": 1, "country": "${x}", "share": "${y}"}'
    found = [one.location for one in check_answer(told, POINTER, 200, JSON, body)]
    assert sorted(found) == ["body.country", "body.share"]


@pytest.mark.parametrize(
    ("media", "kind"),
    [
        ("application/json", "string"), ("application/json; charset=utf-8", "string"),
        ("application/hal+json", "array"), ("text/json", "object"), ("application/json;v=2", "integer"),
        ("Application/JSON; V=2", "integer"),
    ],
)  # fmt: skip
def test_the_narrowest_media_type_counts(media: str, kind: str):
    content = {
        "*/*": "object",
        "application/*": "array",
        "application/json": "string",
        "application/json; v=2": "integer",
    }
    told = document(responses={"200": {"content": {name: {"schema": {"type": one}} for name, one in content.items()}}})
    values = {"object": "{}", "array": "[]", "string": '""', "integer": "1"}
    fitting = [one for one, text in values.items() if not check_answer(told, POINTER, 200, media, text)]
    assert fitting == [kind]


TAGS = {"type": "array", "items": {"enum": ["red", "blue"]}, "minItems": 2}


@pytest.mark.parametrize(
    ("parameter", "values", "places"),
    [
        ({"in": "query"}, ["red", "blue"], []),
        ({"in": "query"}, ["red,blue"], ["query.a[0]", "query.a"]),
        ({"in": "query", "style": "form", "explode": False}, ["red,blue"], []),
        ({"in": "query", "style": "pipeDelimited"}, ["red|blue"], []),
        ({"in": "query", "style": "spaceDelimited"}, ["red blue"], []),
        ({"in": "query", "style": "pipeDelimited", "explode": True}, ["red", "blue"], []),
        ({"in": "header", "explode": True}, ["red,blue"], []),
    ],
)
def test_arrays_are_read_by_their_style(parameter: Any, values: list[str], places: list[str]):
    pairs = tuple(Pair("a", value) for value in values)
    told = document(parameters=[parameter | {"name": "a", "schema": TAGS}])
    found = check(told, POINTER, Prepared(query=pairs, headers=pairs))
    assert sorted(one.location for one in found) == sorted(places)


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ({"a[n]": "1"}, []),
        ({"a[n]": "x"}, ["query.a.n"]),
        ({"a[n]": "1", "a[o][m]": "no"}, ["query.a.o.m"]),
        ({"a[o][m]": "true"}, ["query.a.n"]),
        ({"a[n]": "1", "a[z]": "1"}, ["query.a.z"]),
        ({"a[n]": "1", "a[l][]": "x"}, ["query.a.l[0]"]),
        ({"a[n]": "${x}"}, []),
        ({"a[": "1", "a[n][n]": "1", "a[n]": "2"}, ["query.a."]),
    ],
)
def test_the_fields_of_a_deep_object_are_held_against_theirs(rows: dict[str, str], places: list[str]):
    schema = {
        "type": "object",
        "required": ["n"],
        "additionalProperties": False,
        "properties": {
            "n": {"type": "integer"},
            "l": {"type": "array", "items": {"type": "integer"}},
            "o": {"type": "object", "properties": {"m": {"type": "boolean"}}},
        },
    }
    told = document(parameters=[{"in": "query", "name": "a", "style": "deepObject", "schema": schema}])
    query = tuple(Pair(name, value) for name, value in rows.items())
    assert [one.location for one in check(told, POINTER, Prepared(query=query))] == places


@pytest.mark.parametrize(
    ("value", "places"),
    [('{"n": 1}', []), ('{"n": "x"}', ["query.a.n"]), ("{", ["query.a"]), ("${x}", []), (None, ["query.a"])],
)
def test_parameters_of_a_media_type_are_held_against_its_schema(value: str | None, places: list[str]):
    content = {JSON: {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}}
    told = document(parameters=[{"in": "query", "name": "a", "required": True, "content": content}])
    query = () if value is None else (Pair("a", value),)
    assert [one.location for one in check(told, POINTER, Prepared(query=query))] == places


@pytest.mark.parametrize(
    ("cookie", "places"), [("a=1; b=x", []), ("b=1", ["headers.Cookie"]), ("a=x", ["headers.Cookie"])]
)
def test_cookies_are_held_against_theirs(cookie: str, places: list[str]):
    told = document(parameters=[{"in": "cookie", "name": "a", "required": True, "schema": {"type": "integer"}}])
    found = check(told, POINTER, Prepared(headers=(Pair("Cookie", cookie),)))
    assert [one.location for one in found] == places


@pytest.mark.parametrize(
    ("schema", "value", "places"),
    [
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, ["body.b"]),
        ({"dependentRequired": {"a": ["b"]}}, {"c": 1}, []),
        ({"dependentRequired": {"a": 7}}, {"a": 1}, []),
        ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1, "b": 2}, ["body.b"]),
        ({"allOf": [{"$ref": "#/components/schemas/P"}], "unevaluatedProperties": False}, {"p": 1}, []),
        ({"allOf": [{"$ref": "#/components/schemas/P"}], "unevaluatedProperties": False}, {"q": 1}, ["body.q"]),
        ({"$ref": "https://elsewhere.example/x", "unevaluatedProperties": False}, {"b": 2}, []),
        ({"patternProperties": {"(?=b)": {}}, "unevaluatedProperties": False}, {"b": 2}, []),
        ({"properties": {"a": {"prefixItems": [{}], "unevaluatedItems": False}}}, {"a": [1, 2]}, ["body.a"]),
    ],
)
def test_rules_of_the_newer_kind_are_kept(schema: Any, value: Any, places: list[str]):
    assert body_faults(schema, value, P={"properties": {"p": {}}}) == places


@pytest.mark.parametrize(
    ("named", "good", "bad"),
    [
        ("date", "2026-02-28", "2026-02-30"), ("date-time", "2026-01-31T12:00:00Z", "2026-01-31"),
        ("ipv4", "192.0.2.1", "192.0.2"), ("ipv6", "::1", "192.0.2.1"), ("email", "a@example.com", "a"),
        ("uuid", "00000000-0000-4000-8000-000000000000", "0"), ("uri", "https://example.com", "a b"),
    ],
)  # fmt: skip
def test_formats_are_kept_to(named: str, good: str, bad: str):
    schema = {"properties": {"a": {"type": "string", "format": named}}}
    assert body_faults(schema, {"a": good}) == body_faults(schema, {"a": "${x}"}) == []
    assert body_faults(schema, {"a": bad}) == ["body.a"]


@pytest.mark.parametrize("which", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"kind": "cat", "lives": 9}, []),
        ({"kind": "cat", "lives": "nine"}, ["body.lives"]),
        ({"kind": "cat"}, ["body.lives"]),
        ({"kind": "Dog", "tail": 1}, ["body.tail"]),
        ({"kind": "Dog", "tail": True, "lives": "x"}, []),
        ({"kind": "cow"}, ["body.kind"]),
        ({"lives": "nine"}, ["body.kind"]),
        ({"kind": "${x}"}, []),
        ({"kind": "cat", "lives": "${x}"}, []),
        (7, ["body"]),
    ],
)
def test_a_discriminator_says_of_which_alternative_the_faults_are(which: str, value: Any, places: list[str]):
    kinds = {"Cat": {"lives": {"type": "integer"}}, "Dog": {"tail": {"type": "boolean"}}}
    schemas = {
        name: {"type": "object", "required": ["kind", *fields], "properties": {"kind": {"type": "string"}, **fields}}
        for name, fields in kinds.items()
    }
    told = {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}}
    schema = {
        which: [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": told,
    }
    checker = Checker(Tree({"components": {"schemas": schemas}}), schema, "request", Work())
    found = checker.faults(value, "body")
    assert [one.location for one in found] == places, found
