"""A schema of a document, made ready to check values, and what a value breaks of it. Pure.

The library says at first only whether there are faults, and what they are where that is soon found.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs
import msgspec

from offhook.catalog.model import Document
from offhook.catalog.requests.converting import SAME, TYPES, Converted, Way
from offhook.catalog.requests.counting import MOST_COST, Counting, TooMuch, sizes_of
from offhook.catalog.requests.model import EXPRESSION
from offhook.catalog.requests.told import MOST_CHAIN
from offhook.catalog.work import Work
from offhook.kit.errors import Violation, shown

MOST_FAULTS = 50
_FEWER = (200, 20, 3, 1)
_OF_WHOLES = frozenset("anyOf oneOf oneOfMultipleValid oneOfNotValid not uniqueItems enum const contains".split())
_OF_LENGTHS = frozenset("minItems maxItems minContains maxContains uniqueItems contains".split())
UNCHECKED = "This is nested too deeply, or is too large, to be checked against its schema."
UNPLACED = "Something in this breaks its schema; this is too large, or the schema too manifold, to tell what."
UNTOLD = (UNCHECKED, UNPLACED)


def check_json(
    document: Document, schema: Any, text: str | bytes, way: Way, work: Work, place: str = "body"
) -> list[Violation]:
    """What a text of JSON breaks of a schema, the places beginning with `place`; nothing if there is no schema."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        return [Violation(location=place, message=f"Is not JSON: {shown(str(error))}.")]
    except RecursionError:
        return [Violation(location=place, message=UNCHECKED)]
    return Checker(document, schema, way, work).faults(value, place) if isinstance(schema, Mapping) else []


class Checker:
    """One schema of a document, made ready. It may be used again for as long as the document stays the same."""

    def __init__(self, document: Document, schema: Mapping[str, Any], way: Way, work: Work) -> None:
        converted = Converted(document, schema, way, work)
        self._work = work
        self._way = way
        self._root, self._defs = converted.root, converted.defs
        try:
            self._validator: Any = jsonschema_rs.Draft202012Validator(
                {**self._root, "$defs": self._defs},
                pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000),
                validate_formats=True,
                offline=True,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            # Not foreseen by the conversion: no rule at all rather than a wrong one.
            self._validator = None

    def types(self) -> frozenset[str]:
        """The types that the schema names, also in alternatives; all of them if it names none."""
        return self._types(self._root)

    def item_types(self) -> frozenset[str]:
        """The same of an array's members."""
        items = self._followed(self._root).get("items")
        return self._types(items) if isinstance(items, dict) else TYPES

    def types_at(self, way: Sequence[str], *, items: bool = False) -> frozenset[str]:
        """The same of a field, by the names that lead to it, or of the members of an array there."""
        schema: Any = self._followed(self._root)
        for name in way:
            properties = schema.get("properties", {})
            schema = properties.get(name, schema.get("additionalProperties", {}))
            schema = self._followed(schema) if isinstance(schema, dict) else {}
        if items:
            schema = schema.get("items", {})
        return self._types(schema)

    def _followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        for _ in range(MOST_CHAIN):
            if "$ref" not in schema:
                return schema
            schema = self._defs[schema["$ref"].removeprefix("#/$defs/")]
        return {}

    def _types(self, schema: Any, depth: int = 0) -> frozenset[str]:
        if not isinstance(schema, dict):
            return TYPES
        schema = self._followed(schema)
        if "type" in schema:
            return frozenset(schema["type"] if isinstance(schema["type"], list) else [schema["type"]])
        parts = [one for name in SAME for one in schema.get(name, ())[:20]]
        if not parts or depth > 4:
            return TYPES
        # What each part of an allOf leaves open another may close.
        found = [self._types(part, depth + 1) for part in parts]
        narrow = [one for one in found if one != TYPES]
        return frozenset().union(*narrow) if narrow else TYPES

    def faults(self, value: Any, place: str) -> list[Violation]:
        """What `value` breaks, at most fifty things."""
        if self._work.over:
            return [Violation(location=place, message=UNCHECKED)]
        if self._validator is None:
            return []
        try:
            Counting(self._defs, self._work).go(self._root, value, 0)
            if self._validator.is_valid(value):
                return []
            return self._placed(value, place)
        except (TooMuch, ValueError, RecursionError, jsonschema_rs.ReferencingError):
            return [Violation(location=place, message=UNCHECKED)]

    def _placed(self, value: Any, place: str) -> list[Violation]:
        """The faults of a value that has some: of the beginnings of its lists only, if it is too large."""
        for most in (0, *_FEWER):
            part = _shortened(value, most) if most else value
            if self._cost(part) <= MOST_COST:
                break
        else:
            return [Violation(location=place, message=UNPLACED)]
        errors = islice(self._validator.iter_errors(part), MOST_FAULTS * 2)
        faults = [
            _violation(error, place)
            for error in errors
            if not (most and _is_of_shortening(error, most)) and not (self._way == "request" and _is_unknown(error))
        ][:MOST_FAULTS]
        if most and not faults and not (self._way == "request" and b"${" in msgspec.json.encode(value)):
            return [Violation(location=place, message=UNPLACED)]
        return faults

    def _cost(self, value: Any) -> int:
        """What it takes to find the faults of a value if all that it is held against is broken."""
        counting = Counting(self._defs, self._work, sizes_of(value))
        counting.go(self._root, value, 0)
        return counting.cost


def _shortened(value: Any, most: int) -> Any:
    """A value with at most so many members in each of its lists."""
    if isinstance(value, list):
        return [_shortened(one, most) for one in value[:most]]
    if isinstance(value, dict):
        return {name: _shortened(one, most) for name, one in value.items()}
    return value


def _is_of_shortening(error: Any, most: int) -> bool:
    """Whether an error may be there only because lists were shortened."""
    if error.kind.name not in _OF_WHOLES | _OF_LENGTHS:
        return False
    order = [error.instance]
    for one in order:
        if isinstance(one, list) and len(one) >= most:
            return True
        if isinstance(one, dict | list):
            order.extend(one.values() if isinstance(one, dict) else one)
    return False


def _is_unknown(error: Any) -> bool:
    """Whether an error is about an expression, or about a whole with one in it that may decide it."""
    if isinstance(error.instance, str):
        return EXPRESSION.search(error.instance) is not None
    if isinstance(error.instance, dict | list) and error.kind.name in _OF_WHOLES:
        return b"${" in msgspec.json.encode(error.instance)
    return False


def _violation(error: Any, place: str) -> Violation:
    for step in error.instance_path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    message, kind = error.message, error.kind
    if kind.name == "required":
        return Violation(location=shown(f"{place}.{kind.property}"), message="Is required.")
    if kind.name in ("additionalProperties", "unevaluatedProperties") and len(kind.unexpected) == 1:
        message = "The document knows no such field, and allows no others."
        return Violation(location=shown(f"{place}.{kind.unexpected[0]}"), message=message)
    if kind.name in ("anyOf", "oneOf"):
        message = "Fits none of the forms that the document allows here."
        if kind.name == "oneOf" and "more than one" in error.message:
            message = "Fits more than one of the forms of which the document allows one."
    elif kind.name == "falseSchema":
        message = "Must not be there."
    elif message.startswith(text := msgspec.json.encode(error.instance).decode()):
        message = "This" + message[len(text) :]
    message = message[:1].upper() + message[1:]
    if len(message) > 300:
        message = message[:299] + "…"
    sent = error.instance if isinstance(error.instance, str) else msgspec.json.encode(error.instance).decode()
    return Violation(location=shown(place), message=f"{message.rstrip('.')}.", sent=shown(sent))
