"""Requests made ready from a document: what must be sent is there, filled in, and bounded."""

import json
import re
import time
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from offhook.catalog.model import Body, Field, Head, Reference, Server, Tree, Variable
from offhook.catalog.reference import page
from offhook.catalog.requests.building import MOST_BODY, address, prepare
from offhook.catalog.requests.checking import check
from offhook.catalog.requests.model import Pair, Prepared, finished

POINTER = "/paths/~1offices/post"


def built(
    schema: Any, *, media: str = "application/json", more: dict[str, Any] | None = None, **parts: Any
) -> Prepared:
    told = {"schema": schema} | (more or {})
    operation = {"requestBody": {"content": {media: told}}}
    document = Tree({"paths": {"/offices": {"post": operation}}, "components": {"schemas": parts}})
    head = Head(key="offices.create", method="POST", path="/offices", pointer=POINTER, summary="Create an office")
    return prepare(Reference(head=head), document, POINTER)


def value(schema: Any, **parts: Any) -> Any:
    return msgspec.json.decode(built(schema, **parts).body)


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_the_settings_are_those_of_the_operation():
    head = Head(key="offices.get", method="GET", path="/{region}/offices/{id}", pointer="/x", summary="Show an office")
    reference = Reference(
        head=head,
        servers=(Server(url="https://{region}.example.com", variables=(Variable(name="region", default="eu"),)),),
        path_parameters=(
            Field(name="id", type="Integer", required=True, anchor="a"),
            Field(name="region", type="String", required=True, anchor="b", values=('"us"', '"eu"')),
        ),
        query_parameters=(
            Field(name="limit", type="Integer", required=True, anchor="c", default="30"),
            Field(name="q", type="String", required=False, anchor="d", example='"Lisbon"'),
            Field(name="filter", type="Object", required=False, anchor="e"),
            Field(name="filter.state", type="String", required=True, anchor="f"),
            Field(name="ids", type="Array", required=True, anchor="g", default="[1,2]"),
            Field(name="ids[]", type="Integer", required=True, anchor="h"),
            Field(name="since", type="String", required=True, anchor="i", format="date"),
        ),
        headers=(
            Field(name="Content-Type", type="String", required=True, anchor="j", default='"application/json"'),
            Field(name="X-Version", type="String or Null", required=True, anchor="k"),
        ),
    )
    prepared = prepare(reference, Tree({}), "/x")
    assert (prepared.method, prepared.server, prepared.path) == ("GET", "https://eu.example.com", head.path)
    assert (prepared.operation, prepared.name, prepared.body) == ("offices.get", "Show an office", "")
    assert prepared.path_parameters == (Pair("id", "0"), Pair("region", "us"))
    assert prepared.query == (
        Pair("limit", "30"), Pair("q", "Lisbon", on=False), Pair("filter", "", on=False), Pair("ids", "1"),
        Pair("ids", "2"), Pair("since", "2026-01-31"),
    )  # fmt: skip
    assert prepared.headers == (Pair("X-Version", "text"),)
    assert address(reference.servers[0], {"region": "us"}) == "https://us.example.com"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (obj("a", a={"type": "string"}, b={"type": "string"}), {"a": "text"}),
        (obj("a", a={"type": "string", "default": "d", "example": "e", "enum": ["f", "d"]}), {"a": "d"}),
        (obj("a", a={"type": "string", "example": "e", "enum": ["f", "e"]}), {"a": "e"}),
        (obj("a", a={"type": "string", "examples": ["g"], "enum": ["f", "g"]}), {"a": "g"}),
        (obj("a", a={"type": "string", "enum": ["f", "h"]}), {"a": "f"}),
        (obj("a", a={"const": 7}), {"a": 7}),
        (obj("a", "b", a={"type": "integer", "minimum": 3}, b={"type": "number", "exclusiveMinimum": 1}),
         {"a": 3, "b": 2}),
        (obj("a", a={"type": "integer", "minimum": 3, "exclusiveMinimum": True}), {"a": 4}),
        (obj("a", "b", a={"type": "boolean"}, b={"type": ["null", "string"], "format": "email"}),
         {"a": False, "b": "name@example.com"}),
        (obj("a", a={"type": "string", "minLength": 6}), {"a": "textxx"}),
        (obj("a", a={"type": "string", "maxLength": 2}), {"a": "te"}),
        (obj("a", a={"type": "array", "items": {"type": "integer"}, "minItems": 2}), {"a": [0, 0]}),
        (obj("a", a=obj("b", b={"type": "string"})), {"a": {"b": "text"}}),
        (obj("id", "a", id={"type": "string", "readOnly": True}, a={"type": "string"}), {"a": "text"}),
        (obj(a={"type": "string", "default": "d"}, b={"type": "string"}), {"a": "d"}),
        ({"allOf": [obj("a", a={"type": "string"}), obj("b", b={"type": "integer"})]}, {"a": "text", "b": 0}),
        ({"oneOf": [obj("a", a={"type": "string"}), obj("b", b={"type": "integer"})]}, {"a": "text"}),
        (obj("a", a={"anyOf": [{"type": "null"}, {"type": "integer"}]}), {"a": 0}),
        (obj("missing", a={"type": "string"}), {"missing": "text"}),
        (obj("missing", a={"type": "string"}) | {"additionalProperties": False}, {}),
        ({"type": "object", "required": ["m"], "additionalProperties": {"type": "integer"}}, {"m": 0}),
        (obj("a", a={"type": "string"}, b={"enum": ["x"]}, c={"type": "string", "example": "y"}, d={"default": None}),
         {"a": "text", "b": "x", "c": "y"}),
        ({"allOf": [obj("a", a={"type": "string"}) | {"example": {"a": "e"}}, obj("b", b={"type": "integer"})]},
         {"a": "e", "b": 0}),
        ({"allOf": [obj("a", a={}) | {"example": {"a": "e"}}, obj("b", b={}) | {"example": {"b": "f"}}]},
         {"a": "e", "b": "f"}),
        (obj("a", a={"type": "integer", "minimum": 7, "multipleOf": 5}), {"a": 10}),
        (obj("a", a={"type": "integer", "exclusiveMinimum": 10, "multipleOf": 5}), {"a": 15}),
        (obj("a", a={"type": "number", "minimum": 0.25, "multipleOf": 0.1}), {"a": 0.3}),
        (obj("a", a={"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}), {"a": 0.25}),
        (obj("a", a={"type": "integer", "maximum": -3}), {"a": -3}),
        (obj("a", a={"type": "integer", "minimum": 1.5}), {"a": 2}),
        (obj("a", a={"type": "array", "items": {"type": "integer"}, "minItems": 7}), {"a": [0] * 7}),
        (obj("a", a={"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2, "uniqueItems": True}),
         {"a": ["x", "y"]}),
        (obj("a", a={"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True}),
         {"a": [0, 1]}),
        (obj("a", a={"type": "integer", "example": "no number"}), {"a": 0}),
        (obj("a", a={"type": "integer", "default": "no number", "minimum": 2}), {"a": 2}),
        ({"properties": "nonsense", "required": 7}, {}),
        (True, "text"),
    ],
)  # fmt: skip
def test_a_body_is_built_from_its_schema(schema: Any, expected: Any):
    assert value(schema) == expected


def test_references_are_followed_within_the_document_only():
    assert value(ref("A"), A=ref("B"), B=obj("c", c=ref("C")), C={"type": "integer"}) == {"c": 0}
    assert value(obj("a", a={"$ref": "https://elsewhere.example/s.json"})) == {"a": "text"}
    assert value(obj("a", a=ref("Nowhere"))) == {"a": "text"}


def test_what_refers_to_itself_ends():
    assert value(ref("A"), A=ref("B"), B=ref("A")) == "text"
    assert value(ref("A"), A={"allOf": [ref("A")]}) == "text"
    nested = value(ref("A"), A=obj("a", a=ref("A")))
    depth = 0
    while nested:
        nested, depth = nested["a"], depth + 1
    assert 2 < depth < 20


def test_what_multiplies_is_bounded():
    """Ten required fields, each with ten, ten levels deep, would be ten thousand million values."""
    wide = obj(*"abcdefghij", **{name: ref("A") for name in "abcdefghij"})
    begun = time.process_time()
    assert len(built(ref("A"), A=wide).body) <= 2 * MOST_BODY
    doubling: dict[str, Any] = {f"A{n}": {"allOf": [ref(f"A{n + 1}"), ref(f"A{n + 1}")]} for n in range(60)}
    built(ref("A0"), **doubling)
    assert time.process_time() - begun < 2


def test_a_given_example_wins():
    schema = obj("a", a={"type": "string"})
    assert msgspec.json.decode(built(schema, more={"example": {"a": "1"}}).body) == {"a": "1"}
    assert msgspec.json.decode(built(schema, more={"examples": {"one": {"value": {"a": "2"}}}}).body) == {"a": "2"}
    assert msgspec.json.decode(built(schema, more={"example": {"x": 1}}).body) == {"a": "text"}


def test_the_examples_of_the_reference_serve_where_the_document_has_none():
    head = Head(key="k", method="POST", path="/", pointer=POINTER)
    body = Body(media="application/json", examples=(("One", '{"z": 3}'),))
    document = Tree({"paths": {"/offices": {"post": {"requestBody": {"content": {"application/json": {}}}}}}})
    prepared = prepare(Reference(head=head, bodies=(body,)), document, POINTER)
    assert msgspec.json.decode(prepared.body) == {"z": 3}


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/x-www-form-urlencoded", {"a": "text"}),
        ("multipart/form-data", {"a": "text"}),
        ("application/vnd.x+json", {"a": "text"}),
    ],
)
def test_forms_are_objects_of_fields(media: str, body: Any):
    prepared = built(obj("a", a={"type": "string"}), media=media)
    assert (prepared.media, msgspec.json.decode(prepared.body)) == (media, body)


def test_json_is_chosen_where_there_are_several():
    content = {"text/xml": {}, "multipart/form-data": {}, "application/json; charset=utf-8": {"example": 1}}
    document = Tree({"paths": {"/offices": {"post": {"requestBody": {"content": content}}}}})
    prepared = prepare(Reference(head=Head(key="k", method="POST", path="/", pointer=POINTER)), document, POINTER)
    assert prepared.media == "application/json; charset=utf-8"


def test_a_text_is_a_text():
    assert built({"type": "string"}, media="text/plain").body == "text"


CAT = obj("kind", "lives", kind={"type": "string"}, lives={"type": "integer"})


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"oneOf": [ref("Cat")], "discriminator": {"propertyName": "kind"}}, "Cat"),
        ({"oneOf": [ref("Cat")],
          "discriminator": {"propertyName": "kind", "mapping": {"dog": "Dog", "cat": "Cat"}}}, "cat"),
        ({"oneOf": [ref("Cat")],
          "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}}}, "cat"),
        (ref("Tom"), "tom"),
    ],
)  # fmt: skip
def test_a_discriminator_says_which_one_it_is(schema: Any, kind: str):
    pet = obj("kind", kind={"type": "string"}) | {
        "discriminator": {"propertyName": "kind", "mapping": {"rex": ref("Rex")["$ref"], "tom": ref("Tom")["$ref"]}}
    }
    tom = {"allOf": [ref("Pet"), obj("lives", lives={"type": "integer"})]}
    assert value(schema, Cat=CAT, Pet=pet, Tom=tom) == {"kind": kind, "lives": 0}


@pytest.mark.parametrize("media", ["application/octet-stream", "image/png"])
def test_a_body_that_cannot_be_built_is_empty(media: str):
    prepared = built(obj("a", a={"type": "string"}), media=media)
    assert (prepared.media, prepared.body) == (media, "")
    assert built(obj(), media=media, more={"example": "<a/>"}).body == "<a/>"


IDS = {"type": "array", "items": {"type": "integer"}, "minItems": 2}


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ({"in": "query"}, [("a", "0"), ("a", "0")]),
        ({"in": "query", "explode": False}, [("a", "0,0")]),
        ({"in": "query", "style": "pipeDelimited"}, [("a", "0|0")]),
        ({"in": "query", "style": "spaceDelimited"}, [("a", "0 0")]),
        ({"in": "path"}, [("a", "0,0")]),
        ({"in": "header"}, [("a", "0,0")]),
        ({"in": "cookie", "schema": {"type": "integer", "minimum": 3}}, [("Cookie", "a=3")]),
        ({"in": "query", "content": {"application/json": {"schema": obj("n", n={"type": "integer"})}}},
         [("a", '{"n": 0}')]),
        ({"in": "query", "schema": obj("n", n={"type": "integer"})}, [("n", "0")]),
        ({"in": "query", "schema": obj("n", n={"type": "integer"}), "style": "deepObject"}, [("a[n]", "0")]),
        ({"in": "query", "schema": obj("n", n={"type": "integer"}), "style": "deepObject", "explode": True},
         [("a[n]", "0")]),
        ({"in": "query", "style": "deepObject", "schema": obj("o", "l", o=obj("n", n={"type": "boolean"}), l=IDS)},
         [("a[o][n]", "false"), ("a[l][]", "0"), ("a[l][]", "0")]),
        ({"in": "header", "schema": obj("n", "m", n={"type": "integer"}, m={"type": "string"})}, [("a", "n,0,m,text")]),
        ({"in": "path", "explode": True, "schema": obj("n", "m", n={"type": "integer"}, m={"type": "string"})},
         [("a", "n=0,m=text")]),
        ({"in": "cookie", "schema": {"const": "a; b"}}, [("Cookie", "a=a%3B%20b")]),
        ({"in": "query", "schema": {"type": "string", "minLength": 6}}, [("a", "textxx")]),
    ],
)  # fmt: skip
def test_required_parameters_are_written_by_their_style_and_have_no_faults(parameter: Any, expected: Any):
    told = {"name": "a", "required": True, **parameter}
    told |= {} if "content" in told else {"schema": told.get("schema", IDS)}
    document = Tree({"paths": {"/offices": {"post": {"parameters": [told]}}}})
    head = Head(key="k", method="POST", path="/offices", pointer=POINTER)
    prepared = prepare(page.reference(document, POINTER, head), document, POINTER)
    rows = (*prepared.path_parameters, *prepared.query, *prepared.headers)
    assert [(pair.name, pair.value) for pair in rows if pair.on] == expected
    assert check(document, POINTER, prepared) == []


@pytest.mark.parametrize(
    ("told", "path", "sent"),
    [
        ({"style": "matrix"}, "/offices/{;a}", "/offices/;a=0,0"),
        ({"style": "matrix", "explode": True}, "/offices/{;a*}", "/offices/;a=0;a=0"),
        ({"style": "label"}, "/offices/{.a}", "/offices/.0,0"),
        ({"style": "label", "explode": True}, "/offices/{.a*}", "/offices/.0.0"),
        ({}, "/offices/{a*}", "/offices/0,0"),
        ({"schema": {"type": "integer"}}, "/offices/{a}", "/offices/0"),
        ({"schema": obj("n", n={"type": "integer"}), "style": "matrix", "explode": True}, "/offices/{;a*}",
         "/offices/;n=0"),
    ],
)  # fmt: skip
def test_a_parameter_of_the_path_is_written_by_its_style(told: Any, path: str, sent: str):
    told = {"in": "path", "name": "a", "required": True, "schema": IDS, **told}
    pointer = "/paths/~1offices~1{a}/get"
    document = Tree(
        {"servers": [{"url": "https://a.example"}], "paths": {"/offices/{a}": {"get": {"parameters": [told]}}}}
    )
    head = Head(key="k", method="GET", path="/offices/{a}", pointer=pointer)
    prepared = prepare(page.reference(document, pointer, head), document, pointer)
    assert prepared.path == path
    assert finished(prepared).url == f"https://a.example{sent}"
    assert check(document, pointer, prepared) == []


def test_cookies_that_need_not_be_sent_stand_there_switched_off():
    several = [
        {"in": "cookie", "name": name, "required": name == "a", "schema": {"type": "string", "default": name}}
        for name in ("a", "b", "c")
    ]
    document = Tree({"paths": {"/offices": {"post": {"parameters": several}}}})
    head = Head(key="k", method="POST", path="/offices", pointer=POINTER)
    prepared = prepare(page.reference(document, POINTER, head), document, POINTER)
    assert [(pair.value, pair.on) for pair in prepared.headers] == [("a=a", True), ("b=b; c=c", False)]


def test_a_body_of_xml_is_built_as_its_schema_says():
    book = obj(
        "id", "title", "tags", "authors", "odd name",
        id={"type": "integer", "xml": {"attribute": True}},
        title={"type": "string", "const": "a < b & c", "xml": {"name": "Title", "prefix": "t", "namespace": "urn:t"}},
        tags={"type": "array", "items": {"type": "string", "xml": {"name": "tag"}}, "xml": {"wrapped": True}},
        authors={"type": "array", "items": obj("name", name={"type": "string"}), "minItems": 2},
        **{"odd name": {"type": "boolean"}},
    )  # fmt: skip
    prepared = built(ref("Book"), media="application/xml", Book=book)
    assert prepared.body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Book id="0">\n'
        '  <t:Title xmlns:t="urn:t">a &lt; b &amp; c</t:Title>\n'
        "  <tags>\n    <tag>text</tag>\n  </tags>\n"
        "  <authors>\n    <name>text</name>\n  </authors>\n  <authors>\n    <name>text</name>\n  </authors>\n"
        "  <_odd_name>false</_odd_name>\n</Book>\n"
    )
    ElementTree.fromstring(prepared.body)
    several = {"type": "array", "items": {"type": "integer", "xml": {"name": "n"}}, "xml": {"name": "all"}}
    assert built(several, media="text/xml").body.endswith("<all>\n  <n>0</n>\n</all>\n")


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{2}\d{4}$", r"^\+[1-9]\d{6,14}$", r"^(red|green)-[^a-z]+$", r"[0-9a-f]{8}",
        r"^(ab)?c*\.\w+@[^@\s]+\.com$",
        r"^\S+$", r"^.{20,}$", r"^$", "^v\\d+\\.\\d+(-beta)?$",
    ],
)  # fmt: skip
def test_a_text_with_a_pattern_matches_it(pattern: str):
    prepared = built(obj("a", a={"type": "string", "pattern": pattern}))
    assert re.search(pattern, json.loads(prepared.body)["a"])


@pytest.mark.parametrize("pattern", [r"(?=b)a", r"a{100000}", "(" * 600, "[", r"((((a{99}){99}){99}){99})", r"\p{Lu}"])
def test_a_pattern_for_which_no_text_is_found_is_left_aside(pattern: str):
    assert json.loads(built(obj("a", a={"type": "string", "pattern": pattern})).body) == {"a": "text"}


def test_a_pattern_and_a_length_are_kept_to_together():
    prepared = built(obj("a", a={"type": "string", "pattern": "^[a-c]+$", "minLength": 5, "maxLength": 9}))
    assert json.loads(prepared.body) == {"a": "aaaaa"}
