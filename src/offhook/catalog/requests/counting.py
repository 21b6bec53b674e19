"""What it takes to check a value against a schema, counted beforehand. Pure.

Alternatives within alternatives can multiply the work without end, and the library holds all other threads up.
"""

from collections.abc import Mapping
from typing import Any

from offhook.catalog.requests.converting import MOST_DEPTH, SAME
from offhook.catalog.work import Work

MOST_VISITS = 200_000
MOST_COST = 80_000
"""What finding the faults of one value may cost, in about microseconds: each holds a copy of what it is about."""

_OF_OBJECTS = frozenset(
    "properties patternProperties additionalProperties propertyNames unevaluatedProperties required".split()
)
_OF_ARRAYS = frozenset("prefixItems items contains unevaluatedItems uniqueItems".split())


class TooMuch(Exception):
    """Checking would take more steps than are spent on one value."""


class Counting:
    """Goes the way that a check goes, without short cuts, and counts its steps; with `sizes` of values, its `cost`."""

    def __init__(self, defs: Mapping[str, Any], work: Work, sizes: Mapping[int, int] | None = None) -> None:
        self._defs, self._work, self._sizes = defs, work, sizes
        self._left = MOST_VISITS
        self.cost = 0

    def go(self, schema: Any, value: Any, depth: int) -> None:
        """Count what a value costs under a schema; TooMuch if that is too much."""
        self._left -= 1
        if self._left < 0 or depth > MOST_DEPTH * 4 or not self._work.spend():
            raise TooMuch
        if self._sizes is not None:
            self.cost += 4 + self._sizes.get(id(value), 1)
            if self.cost > MOST_COST:
                return
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            self.go(self._defs[schema["$ref"].removeprefix("#/$defs/")], value, depth + 1)
        self._parts(schema, value, depth)
        if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
            # What is left over is what none of the parts took, which are asked once more.
            self._parts(schema, value, depth)
            if "$ref" in schema:
                self.go(self._defs[schema["$ref"].removeprefix("#/$defs/")], value, depth + 1)
        self._left -= len(schema.get("enum", ())) // 8
        if isinstance(value, str):
            self._left -= len(value) // 200
        if isinstance(value, dict) and not _OF_OBJECTS.isdisjoint(schema):
            self._left -= len(value) // 10
            self._object(schema, value, depth)
        elif isinstance(value, list) and not _OF_ARRAYS.isdisjoint(schema):
            self._left -= len(value) // 10
            self._array(schema, value, depth)

    def _parts(self, schema: dict[str, Any], value: Any, depth: int) -> None:
        for name in SAME:
            for one in schema.get(name, ()):
                self.go(one, value, depth + 1)
        for name in ("not", "if", "then", "else"):
            if name in schema:
                self.go(schema[name], value, depth + 1)
        for one in schema.get("dependentSchemas", {}).values():
            self.go(one, value, depth + 1)

    def _object(self, schema: dict[str, Any], value: dict[str, Any], depth: int) -> None:
        properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        required = schema.get("required", ())
        self._left -= len(value) * len(patterns) + len(required)
        if self._sizes is not None:
            self.cost += self._sizes.get(id(value), 1) * sum(name not in value for name in required)
        for name, one in value.items():
            if name in properties:
                self.go(properties[name], one, depth + 1)
            elif "additionalProperties" in schema:
                self.go(schema["additionalProperties"], one, depth + 1)
            for pattern in patterns.values():
                self.go(pattern, one, depth + 1)
            if "propertyNames" in schema:
                self.go(schema["propertyNames"], name, depth + 1)
            if "unevaluatedProperties" in schema:
                self.go(schema["unevaluatedProperties"], one, depth + 1)

    def _array(self, schema: dict[str, Any], value: list[Any], depth: int) -> None:
        first = schema.get("prefixItems", ())
        for number, one in enumerate(value):
            if number < len(first):
                self.go(first[number], one, depth + 1)
            elif "items" in schema:
                self.go(schema["items"], one, depth + 1)
            if "contains" in schema:
                self.go(schema["contains"], one, depth + 1)
            if "unevaluatedItems" in schema:
                self.go(schema["unevaluatedItems"], one, depth + 1)
        if schema.get("uniqueItems"):
            self._left -= len(value)


def sizes_of(value: Any) -> dict[int, int]:
    """How many values there are in each object and list, by its id; long texts count as several."""
    order = [value]
    for one in order:
        if isinstance(one, dict | list):
            order.extend(one.values() if isinstance(one, dict) else one)
    sizes: dict[int, int] = {}
    for one in reversed(order):
        if isinstance(one, dict | list):
            sizes[id(one)] = 1 + sum(
                sizes[id(inner)] if isinstance(inner, dict | list) else _size(inner)
                for inner in (one.values() if isinstance(one, dict) else one)
            )
    return sizes


def _size(value: Any) -> int:
    return 1 + len(value) // 200 if isinstance(value, str) else 1
