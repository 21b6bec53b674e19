"""A request made ready from what a document says of an operation: whatever must be sent is there, filled in. Pure.

Values come, in this order, from an example of the whole, a constant, a default, an example, the first value of an
enumeration, and else stand in for their type. A body that breaks its own schema gives way to one that is built with
less of what the document gives, if that breaks it less.

Documents may refer in circles and be as large as they like: what is built is bounded in depth and in number, and what
lies beyond is left out.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any
from urllib.parse import quote

import msgspec

from offhook.catalog.model import Document, Field, Reference, Server
from offhook.catalog.requests.checker import UNTOLD, Checker
from offhook.catalog.requests.model import FORM, MULTIPART, Pair, Prepared, is_json, is_xml, media_of, written
from offhook.catalog.requests.parameters import separator_of
from offhook.catalog.requests.patterns import matching
from offhook.catalog.requests.xml import as_xml
from offhook.catalog.work import Work

MOST_DEPTH = 12
MOST_VALUES = 1_000
MOST_BODY = 64_000
_MOST_CHAIN = 40
_PADDING = 200
_PATTERN = 100
"""Steps that finding a text for a pattern counts as."""

_MOST_ITEMS = 50
_COOKIE = "!#$&'()*+-./:<=>?@[]^_`{|}~"
"""What may stand in the value of a cookie as it is (RFC 6265, 4.1.1), besides letters and digits."""

_IN_BRACES = re.compile(r"\{([^{}/]{1,100})\}")
_CHOSEN = "\0chosen"
"""Under this name a merged schema has the reference to the alternative that was taken."""

_GROUP_OF = {"header": "headers"}
"""Where a prepared request has the parameters of a place, if not under its name."""

_GIVEN = ("const", "default", "example", "examples", "enum")
_WAYS = (_GIVEN, ("const", "default", "enum"), ("const", "enum"))
"""What of a schema values are taken from: at first all, then less."""

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


def prepare(
    reference: Reference, document: Document, pointer: str, work: Work | None = None, made_up: list[str] | None = None
) -> Prepared:
    """The request of the operation that stands at `pointer`.

    Optional parameters are there, switched off. Which document's operation it is (`api`, `version`) the caller adds.
    What would take more than `work` is left out, and `work.cut` then. `made_up` gets the places of values that nothing
    in the document says, and that only stand in for their type ("path.id", "query.q", "body.owner.name").
    """
    work, made_up = work or Work(), [] if made_up is None else made_up
    media, body = _body(document, pointer, reference, work, made_up)
    parameters = _Parameters(document, pointer, work, made_up)
    headers = [pair for pair in parameters.pairs(reference.headers, "header") if pair.name.lower() != "content-type"]
    cookies = parameters.pairs(reference.cookies, "cookie")
    for on in (True, False):
        written_out = [f"{pair.name}={quote(pair.value, safe=_COOKIE)}" for pair in cookies if pair.on is on]
        if written_out:
            headers.append(Pair("Cookie", "; ".join(written_out), on))
    path_parameters = parameters.pairs(reference.path_parameters, "path")
    return Prepared(
        operation=reference.head.key,
        method=reference.head.method,
        server=address(reference.servers[0]) if reference.servers else "",
        path=parameters.template(reference.head.path),
        path_parameters=tuple(path_parameters),
        query=tuple(parameters.pairs(reference.query_parameters, "query")),
        headers=tuple(headers),
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


class _Parameters:
    """The rows of parameters, by what the document says of each."""

    def __init__(self, document: Document, pointer: str, work: Work, made_up: list[str]) -> None:
        self._building = Building(document, work)
        self._made_up = made_up
        self._told: dict[tuple[str, str], Mapping[str, Any]] = {}
        for place in (pointer.rpartition("/")[0], pointer):
            try:
                above = document.at(place)
            except KeyError:
                continue
            for one in _list(above.get("parameters")) if isinstance(above, Mapping) else ():
                told = self._building.resolved(one)
                self._told[str(told.get("in")), str(told.get("name"))] = told

    def pairs(self, fields: Sequence[Field], where: str) -> list[Pair]:
        """A row for each, or several for an array; those of optional ones are switched off."""
        pairs: list[Pair] = []
        names: list[str] = []
        for field in fields:
            # What is inside a parameter has a row of its own, too.
            if any(field.name.startswith((f"{name}.", f"{name}[]", f"{name}{{}}")) for name in names):
                continue
            names.append(field.name)
            on = where == "path" or field.required
            told = self._told.get((where, field.name), {})
            self._building.made_up.clear()
            rows = [*self._rows(field.name, self._value(field, told, stand_in=on), {**told, "in": where})]
            pairs += [Pair(name, text, on) for name, text in rows]
            if self._building.made_up:
                self._made_up += [f"{_GROUP_OF.get(where, where)}.{name}" for name, _ in rows]
        return pairs

    def template(self, path: str) -> str:
        """A path that says of each parameter how it is written, where that is not as it stands."""

        def put(match: re.Match[str]) -> str:
            told = self._told.get(("path", match[1]), {})
            way = {"label": ".", "matrix": ";"}.get(str(told.get("style")), "")
            kind = _kind(self._building.resolved(told.get("schema"))) if "schema" in told else ""
            several = kind in ("array", "object") and (not way or told.get("explode") is True)
            return f"{{{way}{match[1]}{'*' if several else ''}}}"

        return _IN_BRACES.sub(put, path)

    def _value(self, field: Field, told: Mapping[str, Any], *, stand_in: bool) -> Any:
        content = told.get("content")
        if isinstance(content, Mapping) and content:
            media, inner = next(iter(content.items()))
            inner = self._building.resolved(inner)
            value = self._building.example(inner)
            if value is None and stand_in:
                value = self._building.value(inner.get("schema"))
            if value is None or not is_json(str(media)):
                return value
            return _as_text(value, indent=0)
        for text in (field.default, field.example, *field.values[:1]):
            if text:
                return _read(text)
        if not stand_in:
            return None
        if "schema" in told:
            return self._building.value(told["schema"])
        kind = field.type.partition(" or ")[0].lower()
        self._building.made_up.append(field.name)
        if kind in ("array", "object"):
            return None
        return _scalar(kind if kind in ("integer", "number", "boolean") else "string", {"format": field.format})

    @staticmethod
    def _rows(name: str, value: Any, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        separator = separator_of(told)
        if isinstance(value, dict) and value and told.get("style") == "deepObject":
            yield from _deep(name, value)
        elif isinstance(value, list) and value and not separator and told["in"] == "query":
            yield from ((name, written(one)) for one in value[:_MOST_ITEMS])
        elif isinstance(value, list):
            yield name, (separator or ",").join(written(one) for one in value)
        elif isinstance(value, dict) and value and told["in"] == "query" and not separator:
            yield from ((key, written(one)) for key, one in value.items())
        elif isinstance(value, dict) and value and "content" not in told:
            between = "=" if told.get("explode") is True else ","
            yield name, (separator or ",").join(f"{key}{between}{written(one)}" for key, one in value.items())
        else:
            yield name, written(value)


def _deep(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The rows of an object within an object: `filter[owner][name]`."""
    if isinstance(value, dict) and depth < MOST_DEPTH:
        for key, one in value.items():
            yield from _deep(f"{name}[{key}]", one, depth + 1)
    elif isinstance(value, list) and depth < MOST_DEPTH:
        yield from ((f"{name}[]", written(one)) for one in value[:_MOST_ITEMS])
    else:
        yield name, written(value)


def _body(document: Document, pointer: str, reference: Reference, work: Work, made_up: list[str]) -> tuple[str, str]:
    """The media type and the body; both empty if the operation takes none."""
    building = Building(document, work)
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
    given = building.example(told)
    if given is None and "schema" not in told:
        told_of = (text for body in reference.bodies if body.media == media for _, text in body.examples)
        given = next((_read(text) for text in told_of), None)
    if is_xml(media) and not isinstance(given, str):
        if given is None and "schema" not in told:
            return media, ""
        value = building.value(told.get("schema")) if given is None else given
        return media, as_xml(value, told.get("schema"), building.whole)[:MOST_BODY]
    if not is_json(media) and media_of(media) not in (FORM, MULTIPART):
        value = building.value(told.get("schema")) if given is None else given
        if isinstance(value, str):
            # A text that only stands in is none of a format that has rules of its own.
            return media, value[:MOST_BODY] if given is not None or media_of(media).startswith("text/plain") else ""
        return media, "" if isinstance(value, dict | list) else written(value)
    return media, _as_text(_best(document, told.get("schema"), given, work, made_up))


def _best(document: Document, schema: Any, given: Any, work: Work, made_up: list[str]) -> Any:
    """The body that breaks least of its schema: the one that is given, or one that is built."""
    before = len(made_up)
    checker = Checker(document, schema, "request", work) if isinstance(schema, Mapping) else None
    best, least = None, math.inf
    for number in range(len(_WAYS) + 1):
        if number == 0 and given is None:
            continue
        building = Building(document, work, _WAYS[number - 1])
        value = given if number == 0 else building.value(schema, place="body")
        found = checker.faults(value, "body") if checker else []
        if len(found) < least:
            best, least = value, len(found)
            made_up[before:] = building.made_up
        if not found or found[0].message in UNTOLD:
            break
    return best


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _as_text(value: Any, indent: int = 2) -> str:
    try:
        raw = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        return "{}"
    return "{}" if len(raw) > MOST_BODY else msgspec.json.format(raw, indent=indent).decode()


def _chosen(offered: list[str]) -> str:
    """The media type to write a body in: JSON where it can be, else a form, else the first."""
    for test in (is_json, lambda one: media_of(one) == FORM, lambda one: media_of(one) == MULTIPART):
        for one in offered:
            if test(one):
                return one
    # `*/*` and `application/*` say nothing against JSON.
    return "application/json" if offered[0] in ("*/*", "application/*") else offered[0]


class Building:
    """Makes values for schemas of one document; one for each body, since it counts what it has made.

    `given` names what of a schema values are taken from, where it is there. `made_up` are the places of values that
    were taken from nothing.
    """

    def __init__(self, document: Document, work: Work, given: Sequence[str] = _GIVEN) -> None:
        self._document, self._given, self._work = document, given, work
        self._left = MOST_VALUES
        self.made_up: list[str] = []

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

    def whole(self, schema: Any) -> Mapping[str, Any]:
        """What a schema comes to, with its parts drawn in."""
        return self._merged(schema, 0) if self._work.spend() else {}

    def value(self, schema: Any, depth: int = 0, place: str = "") -> Any:
        """A value that the schema may take; `place` is where it goes."""
        self._left -= 1
        if depth > MOST_DEPTH or self._left < 0 or not self._work.spend():
            return None
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        schema = self._merged(schema, 0)
        schema = _discriminated(schema, [one for one in (schema.get(_CHOSEN), reference) if isinstance(one, str)])
        for name in self._given:
            if name in ("examples", "enum"):
                several = _list(schema.get(name))
                if several:
                    return several[0]
            elif name in schema:
                found = schema[name]
                return found if name == "const" else self._completed(found, schema, depth, place)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth, place)
        if kind == "array":
            return self._array(schema, depth, place)
        self.made_up.append(place)
        if "pattern" in schema and not self._work.spend(_PATTERN):
            return None
        return _scalar(kind, schema)

    def _object(self, schema: Mapping[str, Any], depth: int, place: str) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            properties = {}
        required = _names(schema.get("required"))[:MOST_VALUES]
        self._work.spend(min(len(properties), MOST_VALUES))
        optional = [name for name, one in islice(properties.items(), MOST_VALUES) if self._has_its_own(one)]
        made: dict[str, Any] = {}
        for name in [*required, *(name for name in optional if name not in required)]:
            if self._left <= 0 or depth >= MOST_DEPTH:
                break
            if name in properties:
                if self.resolved(properties[name]).get("readOnly") is not True:
                    made[name] = self.value(properties[name], depth + 1, f"{place}.{name}")
            elif schema.get("additionalProperties") is not False:
                made[name] = self.value(schema.get("additionalProperties"), depth + 1, f"{place}.{name}")
        return made

    def _completed(self, given: Any, schema: Mapping[str, Any], depth: int, place: str) -> Any:
        """An object that is given for a part of a whole, with what the others require."""
        if not isinstance(given, dict):
            return given
        missing = [name for name in _names(schema.get("required")) if name not in given]
        rest = {**schema, "required": missing, "properties": _only(schema, missing)}
        return given | self._object(rest, depth, place)

    def _has_its_own(self, schema: Any) -> bool:
        found = self.resolved(schema)
        own = any(found.get(name) is not None for name in self._given)
        return own and found.get("readOnly") is not True

    def _array(self, schema: Mapping[str, Any], depth: int, place: str) -> list[Any]:
        least, first = schema.get("minItems"), _list(schema.get("prefixItems"))[:_MOST_ITEMS]
        count = (
            min(least, _MOST_ITEMS) if isinstance(least, int) and least > 0 else 0 if schema.get("maxItems") == 0 else 1
        )
        if depth >= MOST_DEPTH or (schema.get("items") is None and not first and not least):
            return []
        made: list[Any] = []
        for number in range(max(count, len(first))):
            if self._left <= 0:
                break
            inner = first[number] if number < len(first) else schema.get("items")
            one = self.value(inner, depth + 1, f"{place}[{len(made)}]")
            if schema.get("uniqueItems") is True and one in made:
                one = self._another(schema.get("items"), one, number)
            if one is not None:
                made.append(one)
        return made

    def _another(self, schema: Any, value: Any, number: int) -> Any:
        several = _list(self._merged(schema, 0).get("enum"))
        if several:
            return several[number % len(several)]
        if isinstance(value, int) and not isinstance(value, bool):
            return value + number
        return f"{value}{number}" if isinstance(value, str) else value

    def _merged(self, schema: Any, level: int) -> Mapping[str, Any]:
        """A schema with its allOf drawn in and the first of its alternatives taken."""
        found = self.resolved(schema)
        parts = _list(found.get("allOf"))[:50]
        taken: list[Any] = []
        for name in ("oneOf", "anyOf"):
            real = (one for one in _list(found.get(name)) if self.resolved(one).get("type") != "null")
            alternatives = list(islice(real, 1))
            parts += alternatives
            taken += [one["$ref"] for one in alternatives if isinstance(one, Mapping) and "$ref" in one]
        if not parts or level > MOST_DEPTH or self._left < 0 or self._work.over:
            return found
        merged: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        required: list[str] = []
        for part in [*parts, {k: v for k, v in found.items() if k not in ("allOf", "oneOf", "anyOf", "$ref")}]:
            self._left -= 1
            one = self._merged(part, level + 1) if part is not found else found
            before = merged.get("example")
            merged |= one
            if isinstance(before, dict) and isinstance(merged.get("example"), dict):
                merged["example"] = before | merged["example"]
            if isinstance(one.get("properties"), Mapping):
                self._work.spend(1 + len(one["properties"]) // 10)
                properties |= one["properties"]
            required += _names(one.get("required"))
        merged |= {_CHOSEN: taken[0]} if taken else {}
        merged |= {"properties": properties} if properties else {}
        merged |= {"required": list(dict.fromkeys(required))} if required else {}
        for name in ("allOf", "oneOf", "anyOf"):
            merged.pop(name, None)
        return merged


def _only(schema: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    properties = schema.get("properties")
    return {name: properties[name] for name in names if name in properties} if isinstance(properties, Mapping) else {}


def _discriminated(schema: Mapping[str, Any], references: Sequence[str]) -> Mapping[str, Any]:
    """A schema whose discriminator says which one of several it is, those of `references` first."""
    told = schema.get("discriminator")
    name = told.get("propertyName") if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(name, str):
        return schema
    mapping = told.get("mapping") if isinstance(told.get("mapping"), Mapping) else {}
    assert isinstance(mapping, Mapping)
    called = [reference.rpartition("/")[2] for reference in references]
    known = [key for key, target in mapping.items() if target in references or target in called]
    values = [*known, *mapping, *(called if _CHOSEN in schema else ())]
    properties = schema.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    own = properties.get(name)
    allowed = _list(own.get("enum")) if isinstance(own, Mapping) else []
    values = [one for one in values if not allowed or one in allowed]
    if not values or (isinstance(own, Mapping) and "const" in own):
        return schema
    properties[name] = {"const": values[0]}
    return {**schema, "properties": properties, "required": [*_names(schema.get("required")), name]}


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
    if "properties" in schema or "additionalProperties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _scalar(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        try:
            return _number(schema, whole=kind == "integer")
        except (ValueError, OverflowError):
            return 0
    if kind == "null":
        return None
    text = _BY_FORMAT.get(str(schema.get("format", "")), "text")
    least = schema.get("minLength")
    if isinstance(schema.get("pattern"), str) and "format" not in schema:
        wanted = least if isinstance(least, int) and 0 < least <= _PADDING else 0
        found = matching(schema["pattern"], wanted)
        if found is not None:
            return found
    if isinstance(least, int) and len(text) < least <= _PADDING:
        text = text.ljust(least, "x")
    most = schema.get("maxLength")
    return text[:most] if isinstance(most, int) and 0 <= most < len(text) else text


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    """The least number within the bounds; the one next to 0 if there is no lower one."""
    low, low_open = _bound(schema, "minimum", "exclusiveMinimum")
    high, high_open = _bound(schema, "maximum", "exclusiveMaximum")
    step = _fraction(schema.get("multipleOf"))
    if step is None or step <= 0:
        step = Fraction(1) if whole else None
    elif whole:
        step = Fraction(step.numerator)
    found = Fraction(0)
    if low is not None:
        found = low if step is None else math.ceil(low / step) * step
        if found == low and low_open:
            found += step or 1
            if step is None and high is not None and found >= high:
                found = (low + high) / 2
    elif high is not None and (high < 0 or (high == 0 and high_open)):
        found = high if step is None else math.floor(high / step) * step
        if found == high and high_open:
            found -= step or 1
    return int(found) if found.denominator == 1 else float(found)


def _bound(schema: Mapping[str, Any], name: str, exclusive: str) -> tuple[Fraction | None, bool]:
    bound, above = _fraction(schema.get(name)), _fraction(schema.get(exclusive))
    if above is not None and (bound is None or (above >= bound if name == "minimum" else above <= bound)):
        return above, True
    return bound, schema.get(exclusive) is True


def _fraction(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(value) if isinstance(value, int) else Fraction(str(value))
