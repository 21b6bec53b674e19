"""The operations of a document as lists know them."""

import time
from typing import Any

from offhook.catalog.documents import operations
from offhook.catalog.documents.operations import MOST_WORDS, heads
from offhook.catalog.model import Tree


def one(operation, **tree):
    (head,) = heads({"paths": {"/a/{id}": {"get": operation}}, **tree})
    return head


def body(schema):
    return {"content": {"application/json": {"schema": schema}}}


def test_they_come_in_the_documents_order_with_what_is_said_of_them():
    tree: dict[str, Any] = {
        "paths": {
            "/b": {"post": {"summary": "S", "tags": ["x", 5], "deprecated": True}, "get": {}},
            "/a": {"put": None},
        }
    }
    found = heads(tree)
    assert [(head.method, head.path) for head in found] == [("POST", "/b"), ("GET", "/b"), ("PUT", "/a")]
    assert (found[0].summary, found[0].tags, found[0].deprecated) == ("S", ("x",), True)
    assert all(Tree(tree).at(head.pointer) is tree["paths"][head.path][head.method.lower()] for head in found)


def test_a_key_is_the_operation_id_where_that_is_one_operations_own():
    paths = {
        "/a": {"get": {"operationId": "list.all"}, "put": {"operationId": "same"}, "post": {"operationId": "a/b"}},
        "/b": {"get": {"operationId": "same"}, "post": {"operationId": "put-a"}},
        "/a/": {"post": {}},
    }
    assert [head.key for head in heads({"paths": paths})] == [
        "list.all",
        "put-a-2",
        "post-a",
        "get-b",
        "put-a",
        "post-a-2",
    ]


def test_a_path_that_is_a_reference_is_found_where_it_stands():
    tree = {
        "paths": {"/a": {"$ref": "#/components/pathItems/A"}},
        "components": {"pathItems": {"A": {"get": {"summary": "x"}}}},
    }
    (head,) = heads(tree)
    assert (head.path, head.pointer, head.summary) == ("/a", "/components/pathItems/A/get", "x")
    assert heads({"paths": {"/a": {"$ref": "#/paths/~1a"}}}) == []
    assert heads({"paths": {"/a": {"$ref": "other.yaml"}}}) == []


def test_words_are_the_names_of_parameters_and_fields():
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"properties": {"own": {"items": {"properties": {"deep": {}}}}}},
        ]
    }
    operation = {
        "parameters": [{"name": "p", "in": "query"}],
        "requestBody": body(schema),
        "responses": {"200": {"$ref": "#/components/responses/R"}, "400": body({"properties": {"error": {}}})},
    }
    components = {
        "schemas": {"Base": {"properties": {"again": {"$ref": "#/components/schemas/Base"}}}},
        "responses": {"R": body({"properties": {"back": {}}})},
    }
    assert set(one(operation, components=components).words) == {"p", "own", "deep", "again", "back"}


def test_words_are_bounded():
    schema: Any = {"properties": {f"n{number}": {} for number in range(5_000)}}
    assert len(one({"requestBody": body(schema)}).words) == MOST_WORDS


def test_the_rate_limit_of_an_extension_is_said():
    assert one({"description": "D.", "x-ratelimit": [[1200, 60]]}).description == "D.\n\nRate limit: 1200 per minute."
    assert one({"description": "D.", "x-ratelimit": "many"}).description == "D."


def test_many_operations_that_reach_everything_end_in_time(monkeypatch):
    names = {
        f"S{n}": {"properties": {f"f{m}": {"$ref": f"#/components/schemas/S{m}"} for m in range(60)}} for n in range(60)
    }
    bodies = [body({"properties": {f"own{n}": {"$ref": "#/components/schemas/S0"}}}) for n in range(1_000)]
    paths = {f"/{n}": {"post": {"requestBody": bodies[n]}} for n in range(1_000)}
    tree = {"paths": paths, "components": {"schemas": names}}
    start = time.process_time()
    assert len(heads(tree)) == 1_000
    assert time.process_time() - start < 3
    monkeypatch.setattr(operations, "MOST_OPERATIONS", 10)
    assert len(heads(tree)) == 10


def test_what_is_no_path_has_no_operations():
    assert heads({}) == []
    assert heads({"paths": {"/a": 5, "x-a": {"get": {}}, "/b": {"GET": {}, "get": {}, "fetch": {}}}})[0].path == "/b"
