"""Schemas as rows: what a reader sees of them, whatever they are made of."""

import time
from typing import Any

import pytest

from offhook.catalog.model import Field, Tree
from offhook.catalog.reference.examples import built
from offhook.catalog.reference.fields import MOST_FIELDS, Flattener
from offhook.catalog.reference.resolving import Resolver
from offhook.catalog.reference.schemas import Schemas
from offhook.catalog.reference.texts import Anchors
from offhook.catalog.work import Work


def flat(schema: Any, **components: Any) -> tuple[dict[str, Field], int]:
    resolver = Resolver(Tree({"components": {"schemas": components}}))
    rows, more = Flattener(resolver, Anchors(), Work()).rows(schema, "body")
    assert len({row.anchor for row in rows}) == len(rows)
    return {row.name + (f" ({row.choice})" if row.choice else ""): row for row in rows}, more


def rows_of(schema: Any, **components: Any) -> dict[str, Field]:
    return flat(schema, **components)[0]


def prop(schema: Any, **components: Any) -> Field:
    return rows_of({"properties": {"p": schema}}, **components).popitem()[1]


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_names_are_dotted_with_brackets_behind_arrays():
    menu = {
        "type": "array",
        "items": {"type": "object", "required": ["input"], "properties": {"input": {"type": "string"}}},
    }
    schema = {
        "properties": {"open": {"properties": {"dtmf": menu, "days": {"type": "array", "items": {"type": "string"}}}}}
    }
    found = rows_of(schema)
    assert list(found) == ["open", "open.dtmf[]", "open.dtmf[].input", "open.days[]"]
    assert [row.type for row in found.values()] == ["Object", "Array", "String", "Array"]
    assert found["open.dtmf[].input"].required
    assert found["open.days[]"].limits == ("items: String",)


def test_bodies_that_are_no_object():
    assert list(rows_of({"type": "array", "items": {"properties": {"a": {}}}})) == ["[]", "[].a"]
    assert list(rows_of({"type": "array", "items": {"type": "array", "items": {"properties": {"a": {}}}}})) == [
        "[]",
        "[][]",
        "[][].a",
    ]
    assert [(row.name, row.type) for row in rows_of({"type": "string"}).values()] == [("", "String")]
    assert rows_of({}) == rows_of(True) == rows_of(None) == rows_of({"$ref": "#/gone"}) == {}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"], "enum": ["a", "b", None]},
        {"type": "string", "nullable": True, "enum": ["a", "b"]},
        {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
        {"oneOf": [{"type": "null"}, ref("S")]},
        {"allOf": [ref("S")], "nullable": True},
        {"$ref": "#/components/schemas/S", "nullable": True},
        {"type": "string", "enum": ["a", "b"], "x-nullable": True},
        {"allOf": [ref("S"), {"enum": ["a", "b"], "type": ["string", "null"]}]},
    ],
)
def test_whatever_says_that_null_is_allowed_reads_the_same(schema: Any):
    row = prop(schema, S={"$ref": "#/components/schemas/T"}, T={"type": "string", "enum": ["a", "b"]})
    assert (row.type, row.values, row.nullable) == ("String", ('"a"', '"b"'), True)


def test_all_of_is_put_together():
    schema = {
        "allOf": [
            {"required": ["a"], "properties": {"a": {"type": "string", "description": "A"}, "e": {"enum": [1, 2, 3]}}},
            {"$ref": "#/components/schemas/More"},
        ],
        "properties": {"own": {"type": "boolean"}},
    }
    more = {"required": ["b"], "properties": {"b": {"type": "number"}, "a": {"maxLength": 3}, "e": {"enum": [2, 3, 4]}}}
    found = rows_of(schema, More=more)
    assert [(row.name, row.required) for row in found.values()] == [
        ("a", True),
        ("e", False),
        ("b", True),
        ("own", False),
    ]
    assert (found["a"].description, found["a"].limits) == ("A", ("at most 3 characters",))
    assert found["e"].values == ("2", "3")


def test_alternatives_are_rows_that_say_which_they_are_of():
    cat = {"type": "object", "properties": {"lives": {"type": "integer"}, "name": {"type": "string"}}}
    dog = {"title": "A dog", "properties": {"name": {"type": "string"}}}
    found = rows_of({"properties": {"pet": {"oneOf": [ref("Cat"), dog, {"type": "null"}]}}}, Cat=cat)
    assert list(found) == ["pet", "pet.lives (Cat)", "pet.name (Cat)", "pet.name (A dog)"]
    assert (found["pet"].type, found["pet"].nullable) == ("Object", True)
    whole = rows_of({"oneOf": [ref("Cat"), {"type": "array", "items": ref("Cat")}]}, Cat=cat)
    assert "lives (Cat)" in whole
    assert "[].lives (option 2)" in whole


def test_alternatives_of_plain_types_are_one_row():
    assert prop({"oneOf": [{"type": "string"}, {"type": "integer"}]}).type == "String or Integer"
    both = prop({"anyOf": [{"enum": ["a"]}, {"enum": ["b", "a"]}]})
    assert (both.type, both.values) == ("String", ('"a"', '"b"'))
    wide = prop({"format": "int64", "anyOf": [{"type": "integer"}, {"type": "string"}]})
    assert (wide.type, wide.limits) == ("Integer", ("as a number or as text",))


def test_alternatives_that_only_require_are_none():
    schema = {"properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert list(rows_of(schema)) == ["a", "b"]


def test_recursion_is_shown_once():
    node = {
        "properties": {"name": {"type": "string"}, "next": ref("Node"), "all": {"type": "array", "items": ref("Node")}}
    }
    found = rows_of(ref("Node"), Node=node)
    assert list(found) == ["name", "next", "all[]"]
    assert found["next"].recursive
    assert found["all[]"].recursive
    assert not found["name"].recursive


def test_what_two_things_are_extensions_of_is_no_recursion():
    base = {"properties": {"id": {"type": "string"}}}
    user = {"allOf": [ref("Base"), {"properties": {"group": ref("Group"), "boss": ref("User")}}]}
    group = {"allOf": [ref("Base"), {"properties": {"size": {"type": "integer"}, "owner": ref("User")}}]}
    found = rows_of(ref("User"), Base=base, User=user, Group=group)
    assert list(found) == ["id", "group", "group.id", "group.size", "group.owner", "boss"]
    assert [name for name, row in found.items() if row.recursive] == ["group.owner", "boss"]


@pytest.mark.parametrize(
    "components",
    [
        {"A": ref("A")},
        {"A": {"allOf": [ref("A"), ref("B")]}, "B": {"allOf": [ref("A")]}},
        {"A": {"oneOf": [ref("A"), ref("A")]}},
        {"A": {"type": "array", "items": ref("A")}},
        {
            "A": {"properties": {"p": {"allOf": [{"properties": {"q": {}}}, ref("B"), ref("A")]}}},
            "B": {"properties": {"z": ref("A")}},
        },
        {"A": {"additionalProperties": ref("A")}},
        {"A": {"properties": {"p": {"$ref": "#/components/schemas/A/properties/p/properties/q"}}}},
        {"A": {"properties": {"p": {"properties": {"q": {"$ref": "#/components/schemas/A/properties/p"}}}}}},
        {
            "A": {
                "anyOf": [
                    {"properties": {"a": ref("A")}},
                    {"type": "array", "items": {"anyOf": [ref("A"), {"properties": {"b": ref("A")}}]}},
                ]
            }
        },
    ],
)
def test_loops_end(components: Any):
    start = time.process_time()
    found, more = flat(ref("A"), **components)
    assert len(found) < 50
    assert more == 0
    built(Schemas(Resolver(Tree({"components": {"schemas": components}})), Work()), ref("A"), "sent")
    assert time.process_time() - start < 0.5


def test_many_that_reach_each_other_end_in_time_with_the_outer_ones_first():
    names = {f"S{n}": {"properties": {f"f{m}": ref(f"S{m}") for m in range(40)}} for n in range(40)}
    start = time.process_time()
    found, more = flat(ref("S0"), **names)
    assert time.process_time() - start < 2
    assert len(found) == MOST_FIELDS
    assert more > 0
    assert {f"f{m}" for m in range(40)} <= set(found)


def test_a_wide_body_says_how_much_is_not_shown():
    found, more = flat({"properties": {f"p{n}": {"type": "string"} for n in range(MOST_FIELDS + 70)}})
    assert (len(found), more) == (MOST_FIELDS, 70)


def test_further_names_and_tuples():
    schema = {
        "properties": {
            "map": {"additionalProperties": {"properties": {"a": {"type": "string"}}}},
            "free": {"type": "object", "additionalProperties": True},
            "by": {"patternProperties": {"^x": {"type": "integer"}}},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
            "old": {"type": "array", "items": [{"type": "boolean"}]},
        }
    }
    found = {name: row.type for name, row in rows_of(schema).items()}
    assert found == {
        "map": "Object",
        "map.{}": "Object",
        "map.{}.a": "String",
        "free": "Object",
        "free.{}": "Any",
        "by": "Object",
        "by.{}": "Integer",
        "pair[]": "Array",
        "pair[0]": "String",
        "pair[1]": "Integer",
        "old[]": "Array",
        "old[0]": "Boolean",
    }


def test_what_a_field_says_of_itself():
    row = prop(
        {
            "type": "integer",
            "minimum": 10,
            "maximum": 45,
            "multipleOf": 5,
            "default": 30,
            "example": 20,
            "readOnly": True,
            "deprecated": True,
            "format": "int32",
            "required": True,
            "description": "D",
        }
    )
    assert (row.limits, row.default, row.example) == (("at least 10", "at most 45", "a multiple of 5"), "30", "20")
    assert (row.read_only, row.deprecated, row.required, row.format, row.description) == (
        True,
        True,
        True,
        "int32",
        "D",
    )
    assert prop({"minimum": 1, "exclusiveMinimum": True, "exclusiveMaximum": 9}).limits == (
        "more than 1",
        "less than 9",
    )
    assert prop({"const": "x"}).values == ('"x"',)
    assert prop({"type": "file"}).format == "binary"
    assert prop({"examples": [["a"]], "type": "array", "items": {"enum": ["a"]}}).values == ('"a"',)
    assert prop({"type": "array", "minItems": 1, "uniqueItems": True}).limits == ("at least 1 item", "no item twice")


def test_what_stands_beside_a_reference_counts():
    row = prop({"$ref": "#/components/schemas/S", "description": "mine"}, S={"type": "string", "description": "theirs"})
    assert (row.type, row.description) == ("String", "mine")


def test_huge_values_are_cut():
    row = prop({"default": "x" * 100_000, "example": {"a": list(range(100_000))}, "enum": list(range(5_000))})
    assert len(row.default) <= 2_000
    assert row.example == "{…}"
    assert len(row.values) == 1_000
    assert "4,000 more values are not listed" in row.limits


@pytest.mark.parametrize(
    "odd", [5, "x", [], [5], {"type": 5, "enum": {}, "properties": [], "required": {"a": 1}, "items": 3, "allOf": {}}]
)
def test_what_is_no_schema_may_be_anything(odd: Any):
    row = prop(odd)
    assert (row.type, row.required) == ("Any", False)


CAT = {"type": "object", "properties": {"kind": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"allOf": [{"properties": {"a": {"type": "string"}}, "example": {"a": "e"}},
                    {"properties": {"b": {"type": "integer"}}, "required": ["b"]}]}, {"a": "e", "b": 1}),
        ({"type": "object", "required": ["m"], "additionalProperties": {"type": "integer"}}, {"m": 1}),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "integer", "multipleOf": 5}, 5),
        ({"type": "number", "multipleOf": 0}, 1.5),
        ({"type": "string", "pattern": "^v[0-9]{2}$"}, "v00"),
        ({"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat"}}},
         {"kind": "cat"}),
    ],
)  # fmt: skip
def test_a_body_keeps_to_its_schema(schema: Any, expected: Any):
    tree = Tree({"components": {"schemas": {"Cat": CAT, "Dog": CAT}}})
    assert built(Schemas(Resolver(tree), Work()), schema, "sent") == expected


def test_a_body_made_from_its_schema():
    schema = {
        "required": ["a"],
        "properties": {
            "a": {"type": "string"},
            "id": {"type": "integer", "readOnly": True},
            "e": {"enum": ["x", "y"]},
            "d": {"type": "integer", "default": 30},
            "n": {"type": "array", "items": {"type": "string", "format": "date"}},
            "o": {"oneOf": [{"properties": {"q": {"example": 7}}}, {"type": "string"}]},
            "pw": {"writeOnly": True, "type": "boolean"},
            "m": {"additionalProperties": {"type": "number"}},
            "l": {"type": "string", "minLength": 6, "maxLength": 6},
        },
    }
    schemas = Schemas(Resolver(Tree({})), Work())
    sent = built(schemas, schema, "sent")
    assert sent == {
        "a": "text",
        "e": "x",
        "d": 30,
        "n": ["2026-01-15"],
        "o": {"q": 7},
        "pw": True,
        "m": {"name": 1.5},
        "l": "textte",
    }
    assert "pw" not in built(schemas, schema, "received")
    assert built(schemas, schema, "received")["id"] == 1
