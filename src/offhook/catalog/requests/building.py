"""A request made ready from what a document says of an operation: whatever must be sent is there, filled in. Pure.

Values come, in this order, from an example of the whole, a constant, a default, an example, the first value of an
enumeration, and else stand in for their type. Documents may refer in circles and be as large as they like: what is
built is bounded in depth and in number, and what lies beyond is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from offhook.catalog.model import Document, Field, Reference, Server
from offhook.catalog.requests.model import FORM, MULTIPART, Pair, Prepared, is_json, media_of, written

MOST_DEPTH = 12
MOST_VALUES = 1_000
MOST_BODY = 64_000
_MOST_CHAIN = 40
_PADDING = 200

_BY_FORMAT = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "email": "name@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com",
    "url": "https://example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "dGV4dA==",
}


def prepare(reference: Reference, document: Document, pointer: str) -> Prepared:
    """The request of the operation that stands at `pointer`.

    Optional parameters are there, switched off. Which document's operation it is (`api`, `version`) the caller adds.
    """
    media, body = _body(document, pointer, reference)
    return Prepared(
        operation=reference.head.key,
        method=reference.head.method,
        server=address(reference.servers[0]) if reference.servers else "",
        path=reference.head.path,
        path_parameters=_pairs(reference.path_parameters, required=True),
        query=_pairs(reference.query_parameters),
        headers=tuple(pair for pair in _pairs(reference.headers) if pair.name.lower() != "content-type"),
        media=media,
        body=body,
        name=reference.head.summary,
    )


def address(server: Server, chosen: Mapping[str, str] | None = None) -> str:
    """A server's address with its variables filled in: as `chosen`, else their defaults, else their first values."""
    url = server.url
    for variable in server.variables:
        value = (chosen or {}).get(variable.name) or variable.default or (variable.values or ("",))[0]
        if value:
            url = url.replace("{" + variable.name + "}", value)
    return url


def _pairs(fields: Sequence[Field], *, required: bool = False) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    names: list[str] = []
    for field in fields:
        # What is inside a parameter has a row of its own, too.
        if any(field.name.startswith((f"{name}.", f"{name}[]", f"{name}{{}}")) for name in names):
            continue
        names.append(field.name)
        on = required or field.required
        pairs.append(Pair(field.name, _field_value(field, stand_in=on), on))
    return tuple(pairs)


def _field_value(field: Field, *, stand_in: bool) -> str:
    for text in (field.default, field.example, *field.values[:1]):
        if text:
            return _plain(text)
    if not stand_in:
        return ""
    kind = field.type.partition(" or ")[0].lower()
    if kind in ("array", "object"):
        return ""
    return written(_scalar(kind if kind in ("integer", "number", "boolean") else "string", {"format": field.format}))


def _plain(text: str) -> str:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text
    if isinstance(value, list):
        return ",".join(written(one) for one in value)
    return written(value)


def _body(document: Document, pointer: str, reference: Reference) -> tuple[str, str]:
    """The media type and the body; both empty if the operation takes none."""
    building = Building(document)
    try:
        operation = document.at(pointer)
    except KeyError:
        operation = {}
    asked = building.resolved(operation.get("requestBody") if isinstance(operation, Mapping) else None)
    content = asked.get("content")
    if not isinstance(content, Mapping) or not content:
        return "", ""
    media = _chosen([str(one) for one in content])
    told = building.resolved(content.get(media))
    value = building.example(told)
    if value is None:
        told_of = (text for body in reference.bodies if body.media == media for _, text in body.examples)
        value = next((_read(text) for text in told_of), None)
    if value is None:
        value = building.value(told.get("schema"))
    if isinstance(value, str) and not is_json(media):
        return media, value[:MOST_BODY]
    if not is_json(media) and media_of(media) not in (FORM, MULTIPART) and not isinstance(value, dict | list):
        return media, written(value)
    return media, _as_text(value)


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _as_text(value: Any) -> str:
    try:
        raw = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        return "{}"
    return "{}" if len(raw) > MOST_BODY else msgspec.json.format(raw, indent=2).decode()


def _chosen(offered: list[str]) -> str:
    """The media type to write a body in: JSON where it can be, else a form, else the first."""
    for test in (is_json, lambda one: media_of(one) == FORM, lambda one: media_of(one) == MULTIPART):
        for one in offered:
            if test(one):
                return one
    # `*/*` and `application/*` say nothing against JSON.
    return "application/json" if offered[0] in ("*/*", "application/*") else offered[0]


class Building:
    """Makes values for schemas of one document; one for each body, since it counts what it has made."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MOST_VALUES

    def resolved(self, told: Any) -> Mapping[str, Any]:
        """What a reference within the document leads to, {} if nowhere, outside, or round in a circle."""
        for _ in range(_MOST_CHAIN):
            if not isinstance(told, Mapping):
                return {}
            reference = told.get("$ref")
            if not isinstance(reference, str):
                return told
            if not reference.startswith("#"):
                return {}
            try:
                told = self._document.at(reference[1:])
            except KeyError:
                return {}
        return {}

    def example(self, told: Mapping[str, Any]) -> Any:
        """The example that is given of a media type, if there is one."""
        if "example" in told:
            return told["example"]
        examples = told.get("examples")
        if isinstance(examples, Mapping):
            for one in examples.values():
                found = self.resolved(one)
                if "value" in found:
                    return found["value"]
        return None

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value that the schema may take."""
        self._left -= 1
        if depth > MOST_DEPTH or self._left < 0:
            return None
        schema = self._merged(schema, 0)
        for name in ("const", "default", "example"):
            if name in schema:
                return schema[name]
        examples, several = schema.get("examples"), schema.get("enum")
        for given in (examples, several):
            if isinstance(given, list) and given:
                return given[0]
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        return _scalar(kind, schema)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        required = [name for name in _names(schema.get("required")) if name in properties]
        if not required and depth == 0:
            required = [name for name, one in list(properties.items())[:MOST_VALUES] if self._has_its_own(one)]
        made: dict[str, Any] = {}
        for name in required:
            if self._left <= 0 or depth >= MOST_DEPTH:
                break
            if self.resolved(properties[name]).get("readOnly") is not True:
                made[name] = self.value(properties[name], depth + 1)
        return made

    def _has_its_own(self, schema: Any) -> bool:
        found = self.resolved(schema)
        return ("default" in found or "example" in found) and found.get("readOnly") is not True

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        least = schema.get("minItems")
        count = min(least, 5) if isinstance(least, int) and least > 0 else 1
        if depth >= MOST_DEPTH or schema.get("items") is None:
            return []
        made = (self.value(schema["items"], depth + 1) for _ in range(count) if self._left > 0)
        return [one for one in made if one is not None]

    def _merged(self, schema: Any, level: int) -> Mapping[str, Any]:
        """A schema with its allOf drawn in and the first of its alternatives taken."""
        found = self.resolved(schema)
        parts = _list(found.get("allOf"))[:50]
        for name in ("oneOf", "anyOf"):
            alternatives = [one for one in _list(found.get(name)) if self.resolved(one).get("type") != "null"]
            parts += alternatives[:1]
        if not parts or level > MOST_DEPTH or self._left < 0:
            return found
        merged: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        required: list[str] = []
        for part in [*parts, {k: v for k, v in found.items() if k not in ("allOf", "oneOf", "anyOf", "$ref")}]:
            self._left -= 1
            one = self._merged(part, level + 1) if part is not found else found
            merged |= one
            if isinstance(one.get("properties"), Mapping):
                properties |= one["properties"]
            required += _names(one.get("required"))
        merged |= {"properties": properties} if properties else {}
        merged |= {"required": list(dict.fromkeys(required))} if required else {}
        for name in ("allOf", "oneOf", "anyOf"):
            merged.pop(name, None)
        return merged


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    return [one for one in _list(value) if isinstance(one, str)]


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _scalar(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum"))
        if isinstance(least, bool) or not isinstance(least, int | float):
            return 0
        above = schema.get("exclusiveMinimum") is True or "minimum" not in schema
        return least + 1 if above else least
    if kind == "null":
        return None
    text = _BY_FORMAT.get(str(schema.get("format", "")), "text")
    least = schema.get("minLength")
    if isinstance(least, int) and len(text) < least <= _PADDING:
        text = text.ljust(least, "x")
    most = schema.get("maxLength")
    return text[:most] if isinstance(most, int) and 0 <= most < len(text) else text
