"""The reference page of an operation, read from its document."""

from typing import Any

import msgspec
import pytest

from offhook.catalog.documents.limits import Problems
from offhook.catalog.documents.operations import heads
from offhook.catalog.documents.upgrading import upgraded
from offhook.catalog.model import Reference, Tree
from offhook.catalog.reference.page import reference


def page(operation: Any, item: Any = None, **root: Any) -> Reference:
    tree = {"paths": {"/a/{id}": {**(item or {}), "post": operation}}, **root}
    (head,) = heads(tree)
    return reference(Tree(tree), head.pointer, head)


def test_servers_are_those_of_the_operation_then_of_the_path_then_of_the_root():
    servers = [{"url": "https://root"}]
    variables = {"v": {"default": 1, "enum": ["1", 2], "description": "D"}}
    (root,) = page({}, servers=[{"url": "https://{v}.root", "variables": variables}, {"nothing": 1}, 5]).servers
    assert (root.url, root.variables[0].default, root.variables[0].values) == ("https://{v}.root", "1", ("1", "2"))
    assert page({}, {"servers": [{"url": "https://item"}]}, servers=servers).servers[0].url == "https://item"
    own = page({"servers": [{"url": "https://own"}]}, {"servers": [{"url": "https://item"}]}, servers=servers)
    assert own.servers[0].url == "https://own"
    assert page({}).servers[0].url == "/"


def test_parameters_are_sorted_by_where_they_are_sent_and_the_operations_own_win():
    item = {
        "parameters": [
            {"name": "id", "in": "path", "schema": {"type": "string"}},
            {"name": "q", "in": "query", "description": "of the path"},
        ]
    }
    operation = {
        "parameters": [
            {
                "name": "q",
                "in": "query",
                "required": True,
                "schema": {"type": "array", "items": {"enum": ["a"]}},
                "example": ["a"],
            },
            {"$ref": "#/components/parameters/H"},
            {"name": "Accept", "in": "header"},
            {"name": "c", "in": "cookie"},
            {"name": "j", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
            {"in": "query"},
            5,
        ]
    }
    parameters = {"H": {"name": "X-H", "in": "header", "schema": {"type": "integer", "default": 3}, "deprecated": True}}
    found = page(operation, item, components={"parameters": parameters})
    assert [(row.name, row.required) for row in found.path_parameters] == [("id", True)]
    q, j = found.query_parameters
    assert (q.name, q.type, q.required, q.values, q.example, q.description) == (
        "q",
        "Array",
        True,
        ('"a"',),
        '["a"]',
        "",
    )
    assert (j.type, j.limits) == ("Object", ("written as application/json",))
    (header,) = found.headers
    assert (header.name, header.default, header.deprecated) == ("X-H", "3", True)
    assert [row.name for row in found.cookies] == ["c"]


def test_what_stands_in_braces_is_asked_for_though_it_is_not_listed():
    (row,) = page({}).path_parameters
    assert (row.name, row.type, row.required) == ("id", "String", True)


def test_a_body_comes_with_the_header_that_says_what_it_is():
    content = {"application/json": {"schema": {"properties": {"a": {"example": 1}}}}, "application/xml": {}}
    found = page({"requestBody": {"required": True, "description": "B", "content": content}})
    (header,) = found.headers
    assert (header.name, header.required, header.default) == ("Content-Type", True, '"application/json"')
    assert header.values == ('"application/json"', '"application/xml"')
    assert (found.body_required, found.body_description) == (True, "B")
    assert found.bodies[0].examples == (("Made from the schema", '{"a":1}'),)
    assert page({}).headers == ()


def test_given_examples_are_shown_before_any_made_one():
    examples = {
        "one": {"summary": "One", "value": {"a": 1}},
        "two": {"$ref": "#/components/examples/T"},
        "far": {"externalValue": "x"},
    }
    content = {
        "application/json": {"schema": {"type": "object"}, "examples": examples},
        "text/plain": {"example": "plain"},
    }
    found = page({"requestBody": {"content": content}}, components={"examples": {"T": {"value": [2]}}})
    assert found.bodies[0].examples == (("One", '{"a":1}'), ("two", "[2]"))
    assert found.bodies[1].examples == (("Example", "plain"),)


def test_responses_have_headers_and_fields():
    content: Any = {"application/json": {"schema": {"properties": {"a": {}}}}}
    headers = {"X-Left": {"description": "Left.", "schema": {"type": "integer"}}}
    found = page(
        {"responses": {"200": {"$ref": "#/components/responses/R"}, "default": 5}},
        components={"responses": {"R": {"description": "R", "content": content, "headers": headers}}},
    )
    first, second = found.responses
    assert (first.status, first.description, first.headers[0].type) == ("200", "R", "Integer")
    assert first.bodies[0].fields[0].name == "a"
    assert (second.status, second.bodies) == ("default", ())


def test_security_is_alternatives_of_schemes():
    schemes = {
        "b": {"type": "http", "scheme": "Bearer"},
        "p": {"type": "http", "scheme": "basic"},
        "k": {"type": "apiKey", "in": "query", "name": "key"},
        "d": {"type": "openIdConnect"},
        "o": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://t", "scopes": {}}}},
    }
    given = [{"b": [], "k": []}, {"p": []}, {"o": ["read"]}, {"d": []}, {"gone": []}, {}]
    found = page({}, security=given, components={"securitySchemes": schemes}).security
    assert [[scheme.kind for scheme in each] for each in found] == [
        ["bearer", "api_key"],
        ["basic"],
        ["oauth2"],
        ["other"],
        ["other"],
        [],
    ]
    assert (found[0][1].place, found[0][1].parameter) == ("query", "key")
    assert (found[2][0].token_url, found[2][0].scopes) == ("https://t", ("read",))
    assert page({"security": []}, security=given).security == ()


def test_what_could_not_be_followed_is_said():
    found = page(
        {"parameters": [{"$ref": "other.yaml#/P"}], "requestBody": {"$ref": "#/components/requestBodies/Gone"}}
    )
    assert {problem.text for problem in found.problems} == {
        "other.yaml#/P stands in another document, which is not read.",
        "There is nothing at #/components/requestBodies/Gone.",
    }


def test_anchors_are_unique_on_the_whole_page():
    content: Any = {
        media: {"schema": {"properties": {"a": {}, "A": {}, "a b": {}, "a-b": {}}}} for media in ("x/y", "x+y")
    }
    found = page({"requestBody": {"content": content}, "responses": {"200": {"content": content}}})
    bodies = [*found.bodies, *found.responses[0].bodies]
    anchors = [row.anchor for body in bodies for row in body.fields]
    assert len(set(anchors)) == len(anchors) == 16
    assert "body-a" in anchors


@pytest.mark.parametrize(
    "odd", [None, 5, "x", [], [[]], {"a": {"b": 5}}, {"$ref": 5}, {"$ref": "#/paths"}, {"$ref": "#"}]
)
def test_whatever_stands_in_an_operation_a_page_is_made(odd: Any):
    names = ("parameters", "requestBody", "responses", "servers", "security", "tags", "summary", "description")
    for name in names:
        page({name: odd}, servers=odd, security=odd, components=odd)
        page({"parameters": [odd], "requestBody": {"content": odd}, "responses": {"200": odd}}, {"parameters": odd})
        page({"requestBody": {"content": {"a/b": odd}}, "responses": {"200": {"content": {"a/b": {"schema": odd}}}}})
        page({"parameters": [{"name": "a", "in": "query", "schema": odd, "examples": odd, "content": odd}]})
        page(
            {
                "responses": {
                    "200": {"headers": odd},
                    "x": {"headers": {"a": odd}, "content": {"a/b": {"examples": odd}}},
                }
            }
        )


def test_an_operation_of_swagger_reads_like_any_other():
    swagger = {
        "swagger": "2.0",
        "host": "a.com",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "paths": {"/a": {"put": {"parameters": [{"in": "body", "name": "b", "schema": {"$ref": "#/definitions/B"}}]}}},
        "definitions": {"B": {"required": ["a"], "properties": {"a": {"type": "string"}}}},
    }
    tree = upgraded(swagger, Problems())
    (head,) = heads(tree)
    found = reference(Tree(tree), head.pointer, head)
    assert found.servers[0].url == "https://a.com"
    assert [(row.name, row.required) for row in found.bodies[0].fields] == [("a", True)]


def test_the_whole_description_stands_on_the_page_whatever_a_list_has_of_it():
    long = "word " * 1000
    document = {"paths": {"/a": {"get": {"description": long, "x-ratelimit": [[5, 60]], "responses": {}}}}}
    (head,) = heads(document)
    cut = msgspec.structs.replace(head, description=head.description[:500])
    said = reference(Tree(document), head.pointer, cut).head.description
    assert said == f"{long}\n\nRate limit: 5 per minute."
