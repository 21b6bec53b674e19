"""A body made from its schema: given examples and defaults first, then a value of each type. Pure, bounded."""

import math
from fractions import Fraction
from typing import Any, Literal

from offhook.catalog.reference.resolving import items, text_of
from offhook.catalog.reference.schemas import Schemas, View
from offhook.catalog.requests.patterns import matching

_MOST_VALUES = 600
_MOST_LEVELS = 8
_MOST_ITEMS = 50
_PATTERN = 100
"""Steps that finding a text for a pattern counts as."""

_FORMATS = {
    "date-time": "2026-01-15T09:30:00Z", "date": "2026-01-15", "time": "09:30:00Z", "duration": "PT1H",
    "email": "someone@example.com", "uri": "https://example.com/", "url": "https://example.com/",
    "uuid": "6d8f2a34-1c5e-4b7a-9f03-2e8d5c71ab46", "hostname": "example.com", "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1", "byte": "AA==", "binary": "", "phone": "+14155550123", "password": "secret",
}  # fmt: skip
_SCALARS: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}
_NONE = object()

Way = Literal["sent", "received"]


def built(schemas: Schemas, schema: Any, way: Way) -> Any:
    """A value that the schema describes. What is read-only is not sent, what is write-only not received; what is
    recursive is left out. None where nothing can be said."""
    value = _Building(schemas, way).value(schema, frozenset(), 0)
    return None if value is _NONE else value


class _Building:
    def __init__(self, schemas: Schemas, way: Way) -> None:
        self._schemas = schemas
        self._hidden = "readOnly" if way == "sent" else "writeOnly"
        self._left = _MOST_VALUES

    def value(self, schema: Any, open_refs: frozenset[str], level: int) -> Any:
        """A value, or `_NONE` where there is none that ends."""
        self._left -= 1
        view = self._schemas.view(schema)
        if self._left < 0 or level > _MOST_LEVELS or not view.refs.isdisjoint(open_refs):
            return _NONE
        given = _given(view)
        inner = open_refs | view.refs
        if given is not _NONE:
            return self._completed(given, view, inner, level)
        if view.alternatives and not view.properties:
            for each in view.alternatives[:5]:
                found = self.value(each, inner, level + 1)
                if found is not _NONE:
                    return _told_apart(found, each, view)
        kind = view.types[0] if view.types else ""
        if kind == "array":
            return self._array(view, inner, level)
        if kind == "object":
            return self._object(view, inner, level)
        if "pattern" in view.facts and not self._schemas.work.spend(_PATTERN):
            return _NONE
        return scalar(view)

    def _array(self, view: View, inner: frozenset[str], level: int) -> Any:
        if view.tuple_items:
            values = [self.value(each, inner, level + 1) for each in view.tuple_items[:20]]
            return [value for value in values if value is not _NONE]
        if view.items is None:
            return []
        value = self.value(view.items, inner, level + 1)
        least = view.facts.get("minItems")
        count = min(max(least, 1), _MOST_ITEMS) if isinstance(least, int) else 1
        return [] if value is _NONE else [value] * count

    def _completed(self, given: Any, view: View, inner: frozenset[str], level: int) -> Any:
        """An object that is given for a part of a whole, with what the others require."""
        if not isinstance(given, dict):
            return given
        missing = sorted(name for name in view.required if name not in given)
        return given | self._named(missing, view, inner, level)

    def _named(self, names: list[str], view: View, inner: frozenset[str], level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in names:
            schema = view.properties.get(name, view.further)
            if schema is None or self._left <= 0 or self._schemas.view(schema).facts.get(self._hidden) is True:
                continue
            value = self.value(schema, inner, level + 1)
            if value is not _NONE:
                found[name] = value
        return found

    def _object(self, view: View, inner: frozenset[str], level: int) -> Any:
        found: dict[str, Any] = {}
        names = sorted(view.properties, key=lambda name: name not in view.required) if self._crowded(view) else None
        for name in names or view.properties:
            schema = view.properties[name]
            if self._left <= 0:
                break
            if self._schemas.view(schema).facts.get(self._hidden) is True:
                continue
            value = self.value(schema, inner, level + 1)
            if value is not _NONE:
                found[name] = value
        if view.further is not None:
            found |= self._named(sorted(view.required - view.properties.keys()), view, inner, level)
        if view.further is not None and not view.properties and not found:
            value = self.value(view.further, inner, level + 1)
            if value is not _NONE:
                found["name"] = value
        return found

    def _crowded(self, view: View) -> bool:
        return len(view.properties) > self._left


def scalar(view: View) -> Any:
    """A value of a type that has nothing below it; None for one that may be anything."""
    facts = view.facts
    kind = view.types[0] if view.types else ""
    if kind == "string":
        text = _FORMATS.get(text_of(facts.get("format")).lower(), "text")
        least, most = facts.get("minLength"), facts.get("maxLength")
        pattern = facts.get("pattern")
        if isinstance(pattern, str) and "format" not in facts:
            found = matching(pattern, least if isinstance(least, int) and 0 < least <= 1000 else 0)
            if found is not None:
                return found
        if isinstance(least, int) and len(text) < least <= 1000:
            text = (text or "x") * (least // max(1, len(text)) + 1)
            text = text[:least]
        return text[:most] if isinstance(most, int) and 0 < most < len(text) else text
    if kind in ("integer", "number"):
        least, most = facts.get("minimum"), facts.get("maximum")
        if isinstance(least, int | float) and not isinstance(least, bool) and least > 1:
            return _multiple(least, facts.get("multipleOf"))
        if isinstance(most, int | float) and not isinstance(most, bool) and most < 1:
            return most
        return _multiple(_SCALARS[kind], facts.get("multipleOf"))
    return _SCALARS.get(kind)


def _multiple(value: int | float, step: Any) -> int | float:
    """The next multiple of `step`, if it is one that can be."""
    if isinstance(step, bool) or not isinstance(step, int | float) or step <= 0:
        return value
    try:
        exact = Fraction(str(step))
        found = math.ceil(Fraction(str(value)) / exact) * exact
        return int(found) if found.denominator == 1 else float(found)
    except (ValueError, OverflowError):
        return value


def _told_apart(found: Any, alternative: Any, view: View) -> Any:
    """An alternative with what the discriminator has for it."""
    told = view.facts.get("discriminator")
    reference = alternative.get("$ref") if isinstance(alternative, dict) else None
    if not isinstance(told, dict) or not isinstance(found, dict) or not isinstance(reference, str):
        return found
    name, mapping, called = told.get("propertyName"), told.get("mapping"), reference.rpartition("/")[2]
    targets = mapping.items() if isinstance(mapping, dict) else ()
    key = next((key for key, target in targets if target in (reference, called)), None)
    return found | {name: key} if isinstance(name, str) and isinstance(key, str) else found


def _given(view: View) -> Any:
    """What the schema itself names: an example, its default, a value of its list."""
    facts = view.facts
    if facts.get("example") is not None:
        return facts["example"]
    for example in items(facts.get("examples")):
        return example
    if facts.get("default") is not None:
        return facts["default"]
    if view.values:
        return view.values[0]
    return _NONE
