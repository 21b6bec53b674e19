"""Two versions of a document: what was added, removed and changed, and what breaks clients."""

import copy
import time
from typing import Any

import pytest

from offhook.catalog.documents import comparing, operations
from offhook.catalog.documents.comparing import Changed, Review, compare
from offhook.catalog.documents.operations import heads
from offhook.catalog.documents.pieces import Pieces, cut
from offhook.catalog.model import Tree

BASE: dict[str, Any] = {
    "servers": [{"url": "https://a"}],
    "paths": {
        "/offices": {
            "post": {
                "operationId": "offices.create",
                "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Office"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Made"}}}}
                },
            },
            "get": {"operationId": "offices.list"},
        }
    },
    "components": {
        "schemas": {
            "Office": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "size": {"type": "integer"},
                    "plan": {"enum": ["month", "year"]},
                    "address": {"properties": {"city": {"type": "string"}}},
                },
            },
            "Made": {"required": ["id"], "properties": {"id": {"type": "integer"}, "state": {"enum": ["on", "off"]}}},
        }
    },
}


def changed(tree: Any, path: str, value: Any) -> Any:
    """A copy of `tree` with another value at a place; None takes it away."""
    found = copy.deepcopy(tree)
    *parents, last = path.split(".")
    place = found
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return found


def review(before: Any, after: Any) -> Review:
    return compare(Tree(before), heads(before), Tree(after), heads(after))


def the_one(before: Any, after: Any) -> Changed:
    (found,) = review(before, after).changed
    return found


OFFICE = "components.schemas.Office"
MADE = "components.schemas.Made"


def test_the_same_document_has_no_changes():
    found = review(BASE, copy.deepcopy(BASE))
    assert (found.added, found.removed, found.changed, found.unchanged, found.breaks) == ((), (), (), 2, False)


def test_operations_that_come_and_go():
    after = copy.deepcopy(BASE)
    after["paths"]["/rooms"] = {"get": {}}
    del after["paths"]["/offices"]["get"]
    found = review(BASE, after)
    assert [head.path for head in found.added] == ["/rooms"]
    assert [head.key for head in found.removed] == ["offices.list"]
    assert found.breaks


@pytest.mark.parametrize(
    ("path", "value", "kind", "name", "word", "breaks"),
    [
        (f"{OFFICE}.properties.fax", {"type": "string"}, "added", "fax", "field fax was added", False),
        (f"{OFFICE}.properties.size", None, "removed", "size", "field size was removed", True),
        (f"{OFFICE}.required", ["name", "size"], "required", "size", "size is now required", True),
        (f"{OFFICE}.required", [], "optional", "name", "name is now optional", False),
        (f"{OFFICE}.properties.size.type", "string", "type", "size", "now String, not Integer", True),
        (f"{OFFICE}.properties.size.type", "number", "type", "size", "now Number, not Integer", False),
        (f"{OFFICE}.properties.size.type", ["integer", "null"], "type", "size", "may now be null", False),
        (f"{OFFICE}.properties.plan.enum", ["month"], "values", "plan", 'no longer be "year"', True),
        (f"{OFFICE}.properties.plan.enum", ["month", "year", "x"], "values", "plan", 'can now be "x"', False),
        (f"{OFFICE}.properties.plan.default", "year", "default", "plan", 'is now "year", not none', False),
        (f"{OFFICE}.properties.size.maximum", 5, "limits", "size", "at most 5", True),
        (f"{OFFICE}.properties.size.description", "D", "text", "size", "description of size changed", False),
        (f"{OFFICE}.properties.address.required", ["city"], "required", "address.city", "city is now required", True),
        (f"{MADE}.properties.more", {}, "added", "more", "field more was added", False),
        (f"{MADE}.properties.state", None, "removed", "state", "state was removed", True),
        (f"{MADE}.required", [], "optional", "id", "id is now optional", True),
        (f"{MADE}.properties.id.type", "number", "type", "id", "now Number", True),
        (f"{MADE}.properties.state.enum", ["on"], "values", "state", 'no longer be "off"', False),
        ("paths./offices.post.parameters", [], "removed", "dry", "dry was removed", True),
        ("paths./offices.post.requestBody.required", True, "required", "", "body is now required", True),
        ("paths./offices.post.summary", "S", "text", "summary", "summary changed", False),
        ("paths./offices.post.operationId", "make", "other", "key", "now called make", False),
        ("paths./offices.post.security", [{"k": []}], "other", "", "authenticate changed", True),
        ("paths./offices.post.servers", [{"url": "https://b"}], "other", "", "No longer: https://a", True),
        ("paths./offices.post.responses.404", {}, "added", "", "response 404 was added", False),
    ],
)
def test_what_changed_is_said_and_whether_it_breaks_clients(
    path: str, value: Any, kind: str, name: str, word: str, breaks: bool
):
    found = the_one(BASE, changed(BASE, path, value))
    assert found.after.path == "/offices"
    (change,) = found.changes
    assert (change.kind, change.name, change.breaks, found.breaks) == (kind, name, breaks, breaks)
    assert word in change.text


def test_a_new_required_field_breaks_clients_unless_it_stands_in_an_optional_one():
    after = changed(BASE, f"{OFFICE}.properties.zip", {"type": "string"})
    assert the_one(BASE, changed(after, f"{OFFICE}.required", ["name", "zip"])).breaks
    inner = {"required": ["zip"], "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}}
    assert not the_one(BASE, changed(BASE, f"{OFFICE}.properties.address", inner)).breaks


def test_of_a_whole_branch_only_its_top_is_said():
    (change,) = the_one(BASE, changed(BASE, f"{OFFICE}.properties.address", None)).changes
    assert change.name == "address"


def test_a_change_of_the_servers_touches_every_operation():
    assert len(review(BASE, changed(BASE, "servers", [{"url": "https://b"}])).changed) == 2


def test_a_change_behind_references_is_found_in_pieces_too():
    before, after = BASE, changed(BASE, f"{OFFICE}.properties.size.type", "string")
    pieces = [Pieces(dict(cut(tree)).__getitem__) for tree in (before, after)]
    assert compare(pieces[0], heads(before), pieces[1], heads(after)) == review(before, after)


def test_a_large_document_with_a_small_change_is_compared_quickly():
    names = {
        f"S{n}": {"properties": {"x": {"type": "string"}, "n": {"$ref": f"#/components/schemas/S{n + 1}"}}}
        for n in range(3_000)
    }
    body = {
        f"/{n}": {"get": {"requestBody": {"content": {"a/b": {"schema": {"$ref": f"#/components/schemas/S{n}"}}}}}}
        for n in range(3_000)
    }
    before = {"paths": body, "components": {"schemas": names}}
    after = changed(before, "components.schemas.S2.properties.x.type", "integer")
    one, other = heads(before), heads(after)
    start = time.process_time()
    found = compare(Tree(before), one, Tree(after), other)
    assert time.process_time() - start < 2
    assert [change.after.path for change in found.changed] == ["/0", "/1", "/2"]


def test_what_is_too_much_is_not_looked_at_closely(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(comparing, "MOST_ROWS", -1)
    (change,) = the_one(BASE, changed(BASE, f"{OFFICE}.properties.size", None)).changes
    assert "too many changes" in change.text


def test_of_many_changes_the_first_are_listed_and_the_rest_counted():
    after = changed(BASE, f"{OFFICE}.properties", {f"p{n}": {} for n in range(300)})
    found = the_one(BASE, after)
    assert len(found.changes) == comparing.MOST_CHANGES
    assert found.more == 300 + 4 - comparing.MOST_CHANGES


def test_what_did_not_fit_on_the_page_is_not_said_to_be_gone():
    names = {f"f{m}": {"$ref": f"#/components/schemas/S{m}"} for m in range(40)}
    schemas: Any = {f"S{n}": {"properties": names} for n in range(40)}
    schemas["S3"] = {"properties": {**names, "own": {"type": "string"}}}
    content = {"a/b": {"schema": {"$ref": "#/components/schemas/S0"}}}
    before = {
        "paths": {"/a": {"get": {"responses": {"200": {"content": content}}}}},
        "components": {"schemas": schemas},
    }
    after = changed(before, "components.schemas.S3.properties", {"first": {"type": "string"}, **names, "own": {}})
    (change,) = the_one(before, after).changes
    assert "more than is compared" in change.text
    assert not change.breaks


NUMBERED = [f"n{number:04}" for number in range(4_000)]
MANY: dict[str, tuple[str, Any]] = {
    "parameters": ("parameters", lambda names: [{"name": name, "in": "query", "schema": {}} for name in names]),
    "responses": ("responses", lambda names: {name: {"description": ""} for name in names}),
    "media types": ("requestBody.content", lambda names: {f"a/{name}": {} for name in names}),
    "headers": ("responses.200.headers", lambda names: {name: {"schema": {}} for name in names}),
    "servers": ("servers", lambda names: [{"url": f"https://{name}"} for name in names]),
    "security": ("security", lambda names: [{name: []} for name in names]),
    "values": ("requestBody.content.a/b.schema.properties.x.enum", lambda names: names),
    "alternatives": (
        "requestBody.content.a/b.schema.oneOf",
        lambda names: [{"title": name, "properties": {name: {"type": "string"}}} for name in names],
    ),
    "fields": ("requestBody.content.a/b.schema.properties", lambda names: {name: {} for name in names}),
}


@pytest.mark.parametrize("kind", list(MANY))
@pytest.mark.parametrize("names", [["first", *NUMBERED], NUMBERED[1:]], ids=["one comes", "one goes"])
def test_what_is_behind_the_bounds_of_a_list_is_neither_added_nor_gone(kind: str, names: list[str]):
    path, made = MANY[kind]

    def tree(names: list[str]) -> Any:
        value = made(names)
        for name in reversed(path.split(".")):
            value = {name: value}
        return {"paths": {"/a": {"get": value}}}

    found = the_one(tree(NUMBERED), tree(names))
    said = {(change.name, change.text) for change in found.changes}
    assert not [one for one in said for name in NUMBERED[15:] if any(name in text for text in one)]
    assert any("more than is compared" in text or "more than are compared" in text for _, text in said)
    assert not found.breaks or names[0] != "first"


def test_a_body_for_which_there_was_no_room_is_not_said_to_be_empty():
    wide: Any = {"properties": {name: {} for name in NUMBERED[:3_000]}}
    small = {"properties": {"a": {"type": "string"}, "b": {}}}
    content = {name: {"schema": wide} for name in ("a/1", "a/2", "a/3")}
    before = {"paths": {"/a": {"get": {"requestBody": {"content": {"a/4": {"schema": small}}}}}}}
    after = {"paths": {"/a": {"get": {"requestBody": {"content": {**content, "a/4": {"schema": small}}}}}}}
    found = the_one(before, after)
    assert [(change.kind, change.name) for change in found.changes if change.kind in ("added", "removed")] == [
        ("added", f"a/{number}") for number in (1, 2, 3)
    ]
    assert not found.breaks


def test_operations_behind_the_most_that_are_listed_are_not_said_to_be_gone(monkeypatch: pytest.MonkeyPatch):
    for module in (comparing, operations):
        monkeypatch.setattr(module, "MOST_OPERATIONS", 3)
    many = {"paths": {f"/{n}": {"get": {"operationId": f"o{n}"}} for n in range(5)}}
    more = {"paths": {"/first": {"get": {"operationId": "first"}}, **many["paths"]}}
    less = {"paths": {path: item for path, item in many["paths"].items() if path != "/0"}}
    found = compare(Tree(many), heads(many), Tree(more), heads(more))
    assert ([head.path for head in found.added], found.removed) == (["/first"], ())
    found = compare(Tree(many), heads(many), Tree(less), heads(less))
    assert (found.added, [head.path for head in found.removed]) == ((), ["/0"])
