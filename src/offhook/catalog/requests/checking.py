"""Whether a request or an answer keeps to the schemas of its document, and the places where it does not. Pure.

Schemas are brought into the form of JSON Schema 2020-12 and given to a library that matches patterns in linear time.
What a document has wrong in its schemas is not held against the request: such a rule is left out, as are references out
of the document and patterns that the library does not know. Work is counted beforehand, since alternatives within
alternatives can multiply it without end; what would take too long is said to be unchecked. The library holds all other
threads up while it works: it says at first only whether there are faults, and what they are where that is soon found.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal
from urllib.parse import unquote

import jsonschema_rs
import msgspec

from offhook.catalog.model import Document
from offhook.catalog.requests.model import EXPRESSION, FORM, MULTIPART, Pair, Prepared, is_json, media_of
from offhook.catalog.work import Work
from offhook.kit.errors import Violation, shown

MOST_FAULTS = 50
MOST_NODES = 20_000
MOST_VISITS = 200_000
MOST_DEPTH = 64
MOST_COST = 80_000
"""What finding the faults of one value may cost, in about microseconds: each holds a copy of what it is about."""

_FEWER = (200, 20, 3, 1)
_MOST_TOLD = 200
"""Alternatives that are told apart by a discriminator."""

_PATTERN = 100
"""Steps that making a pattern ready counts as."""

_MOST_CHAIN = 40

Way = Literal["request", "answer"]
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_SCHEMAS = ("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")
_FORMATS = frozenset({"date", "date-time", "ipv4", "ipv6", "uuid", "email", "uri"})
_MAPS = ("properties", "patternProperties", "dependentSchemas")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains",
           "maxContains")  # fmt: skip
_REMARKS = frozenset(
    """title description default example examples deprecated readOnly writeOnly $comment externalDocs xml
    discriminator""".split()
)
_OF_WHOLES = frozenset("anyOf oneOf oneOfMultipleValid oneOfNotValid not uniqueItems enum const contains".split())
_SAME = ("allOf", "anyOf", "oneOf")
_OF_OBJECTS = frozenset(
    "properties patternProperties additionalProperties propertyNames unevaluatedProperties required".split()
)
_OF_ARRAYS = frozenset("prefixItems items contains unevaluatedItems uniqueItems".split())
_OF_LENGTHS = frozenset("minItems maxItems minContains maxContains uniqueItems contains".split())
UNCHECKED = "This is nested too deeply, or is too large, to be checked against its schema."
UNPLACED = "Something in this breaks its schema; this is too large, or the schema too manifold, to tell what."
UNTOLD = (UNCHECKED, UNPLACED)


def check(document: Document, pointer: str, prepared: Prepared, work: Work | None = None) -> list[Violation]:
    """What a request breaks of its operation's schemas, by place: "path.id", "query.limit", "headers.X-A", "body.name".

    Values that are expressions are not known yet, and pass. What would take more than `work` is said to be unchecked.
    """
    work = work or Work()
    operation = _at(document, pointer)
    found: list[Violation] = []
    for place, told, pairs in _parameters(document, pointer, operation, prepared):
        found += _check_parameter(document, place, told, pairs, work)
        if len(found) >= MOST_FAULTS:
            break
    found += _check_body(document, operation, prepared, work)
    return found[:MOST_FAULTS]


def check_answer(
    document: Document, pointer: str, status: int, media: str, body: str | bytes, work: Work | None = None
) -> list[Violation]:
    """What an answer breaks of what the document says of it: its status, its media type, its body ("body.items[0].id").

    An operation that documents no answers breaks nothing. `${...}` in an answer is a text as any other.
    """
    responses = _at(document, pointer).get("responses")
    if not isinstance(responses, Mapping) or not responses:
        return []
    names = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
    told = next((_resolved(document, responses[name]) for name in names if name in responses), None)
    if told is None:
        known = ", ".join(shown(name) for name in list(responses)[:10])
        return [Violation(location="status", message=f"The document knows {known}.", sent=str(status))]
    content = told.get("content")
    if not isinstance(content, Mapping) or not content:
        return []
    schema = _schema_for(content, media)
    if not body:
        without = status < 200 or status in (204, 304) or pointer.rpartition("/")[2].lower() == "head"
        other = any(not is_json(str(name)) for name in content)
        if without or (other and (schema is None or not is_json(media))):
            return []
        return [Violation(location="body", message="Is empty; the document says that it is JSON.")]
    if schema is None:
        known = ", ".join(shown(name) for name in list(content)[:10])
        return [Violation(location="media", message=f"The document knows {known}.", sent=shown(media))]
    if not is_json(media):
        return []
    return _check_json(document, schema, body, "answer", work or Work())


def _at(document: Document, pointer: str) -> Mapping[str, Any]:
    try:
        found = document.at(pointer)
    except KeyError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _resolved(document: Document, told: Any) -> Mapping[str, Any]:
    for _ in range(_MOST_CHAIN):
        if not isinstance(told, Mapping):
            return {}
        reference = told.get("$ref")
        if not isinstance(reference, str):
            return told
        told = _at(document, reference[1:]) if reference.startswith("#") else {}
    return {}


def _schema_for(content: Mapping[str, Any], media: str) -> Any:
    """The schema for a media type, by its name or the narrowest range; {} if it has none, None if it is not there."""
    whole, wanted = _plain(media), media_of(media)
    ranks = {wanted: 3, f"{wanted.partition('/')[0]}/*": 2, "*/*": 1}
    found = [(4 if _plain(str(name)) == whole else ranks.get(media_of(str(name)), 0), name) for name in content]
    rank, name = max(found, key=lambda one: one[0], default=(0, ""))
    if not rank:
        return None
    told = content[name]
    return told.get("schema", {}) if isinstance(told, Mapping) else {}


def _plain(content_type: str) -> str:
    return content_type.replace(" ", "").lower()


# Parameters


def _parameters(
    document: Document, pointer: str, operation: Mapping[str, Any], prepared: Prepared
) -> Iterator[tuple[str, Mapping[str, Any], list[Pair]]]:
    """Each parameter that is documented: its place, what is said of it, and what is sent for it."""
    above = _at(document, pointer.rpartition("/")[0])
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    for group in (above.get("parameters"), operation.get("parameters")):
        for one in group if isinstance(group, list) else []:
            parameter = _resolved(document, one)
            told[str(parameter.get("in")), str(parameter.get("name"))] = parameter
    sent = {"path": prepared.path_parameters, "query": prepared.query, "header": prepared.headers}
    sent["cookie"] = tuple(_cookies(prepared.headers))
    for (where, name), parameter in told.items():
        if where not in sent or (where == "header" and name.lower() in ("content-type", "accept", "authorization")):
            continue
        same = [
            pair
            for pair in sent[where]
            if pair.on and (pair.name == name or (where == "header" and pair.name.lower() == name.lower()))
        ]
        if where == "query" and not same:
            same = [pair for pair in prepared.query if pair.on and pair.name == f"{name}[]"]
            deep = [pair for pair in prepared.query if pair.on and pair.name.startswith(f"{name}[")]
            if deep and not same:
                if parameter.get("style") == "deepObject":
                    yield f"query.{name}", parameter, deep
                continue
        places = {"header": f"headers.{name}", "cookie": "headers.Cookie"}
        yield places.get(where, f"{where}.{name}"), parameter, same


def _cookies(headers: Sequence[Pair]) -> Iterator[Pair]:
    for header in headers:
        if header.on and header.name.lower() == "cookie":
            for part in header.value.split(";"):
                name, _, value = part.strip().partition("=")
                yield Pair(name, unquote(value))


def _check_parameter(
    document: Document, place: str, told: Mapping[str, Any], pairs: list[Pair], work: Work
) -> list[Violation]:
    if not pairs:
        if told.get("in") == "query" and not separator_of(told) and _is_object(document, told, work):
            # Its fields have pairs of their own.
            return []
        if told.get("required") is True or place.startswith("path."):
            what = f"The cookie {shown(str(told.get('name')))} is" if told.get("in") == "cookie" else "Is"
            return [Violation(location=place, message=f"{what} required.")]
        return []
    if any(EXPRESSION.search(pair.value) for pair in pairs):
        return []
    schema, content = told.get("schema"), told.get("content")
    if isinstance(content, Mapping) and content:
        media = str(next(iter(content)))
        return (
            _check_json(document, _schema_for(content, media), pairs[-1].value, "request", work, place)
            if is_json(media)
            else []
        )
    if not isinstance(schema, Mapping):
        return []
    checker = Checker(document, schema, "request", work)
    if told.get("style") == "deepObject" and all("[" in pair.name for pair in pairs):
        return checker.faults(_deep(pairs, checker), place)
    value = _typed([pair.value for pair in pairs], checker.types(), checker, told)
    return checker.faults(value, place)


def _deep(pairs: list[Pair], checker: "Checker") -> dict[str, Any]:
    """The object that pairs such as `filter[owner][name]` are the fields of."""
    made: dict[str, Any] = {}
    for pair in pairs:
        *way, last = [step.removesuffix("]") for step in pair.name.split("[")[1:]][:MOST_DEPTH]
        several = last == "" and bool(way)
        if several:
            last = way.pop()
        inner = made
        for step in way:
            following = inner.setdefault(step, {})
            if not isinstance(following, dict):
                following = {}
            inner = following
        value = _one(pair.value, checker.types_at([*way, last], items=several))
        if several:
            before = inner.setdefault(last, [])
            if isinstance(before, list):
                before.append(value)
        else:
            inner[last] = value
    return made


def _typed(texts: list[str], types: frozenset[str], checker: "Checker", told: Mapping[str, Any]) -> Any:
    """What the texts of a parameter mean to a schema that takes these types."""
    if "array" in types and ("string" not in types or len(texts) > 1):
        separator = separator_of(told)
        several = texts if len(texts) > 1 or not separator else texts[0].split(separator)
        kinds = checker.item_types()
        return [_one(text, kinds) for text in several[:1000]]
    if types == {"object"} and texts[-1][:1] != "{" and "content" not in told:
        return _members(texts[-1], checker, exploded=told.get("explode") is True)
    return _one(texts[-1], types)


def _members(text: str, checker: "Checker", *, exploded: bool) -> dict[str, Any]:
    """The object that a text is: `a=1,b=2`, or `a,1,b,2` if it is not exploded."""
    parts = text.split(",")[:2000]
    if exploded:
        pairs = [(name, value) for name, _, value in (part.partition("=") for part in parts)]
    else:
        pairs = list(zip(parts[::2], [*parts[1::2], ""], strict=False))
    return {name: _one(value, checker.types_at([name])) for name, value in pairs}


def _is_object(document: Document, told: Mapping[str, Any], work: Work) -> bool:
    schema = told.get("schema")
    return isinstance(schema, Mapping) and Checker(document, schema, "request", work).types() == {"object"}


def separator_of(told: Mapping[str, Any]) -> str:
    """What stands between the members of an array in a parameter; "" if each has a pair of its own."""
    where = told.get("in")
    style = told.get("style", "form" if where in ("query", "cookie") else "simple")
    if where in ("query", "cookie") and told.get("explode", style == "form") is True:
        return ""
    return {"pipeDelimited": "|", "spaceDelimited": " "}.get(str(style), ",")


def _one(text: str, types: frozenset[str]) -> Any:
    if "string" in types and types.isdisjoint({"integer", "number", "boolean"}):
        return text
    if types & {"integer", "number"} and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if "number" in types and re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", text):
        return float(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if types & {"object", "array"} and text[:1] in ("{", "["):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return text
    return text


# Bodies


def _check_body(document: Document, operation: Mapping[str, Any], prepared: Prepared, work: Work) -> list[Violation]:
    asked = _resolved(document, operation.get("requestBody"))
    content = asked.get("content")
    if not prepared.body:
        return [Violation(location="body", message="A body is required.")] if asked.get("required") is True else []
    if not isinstance(content, Mapping) or not content:
        return []
    schema = _schema_for(content, prepared.media)
    if schema is None:
        known = ", ".join(shown(name) for name in list(content)[:10])
        message = f"The operation takes {known}."
        return [Violation(location="media", message=message, sent=shown(prepared.media))]
    if is_json(prepared.media) or media_of(prepared.media) in (FORM, MULTIPART):
        return _check_json(document, schema, prepared.body, "request", work)
    return []


def _check_json(
    document: Document, schema: Any, text: str | bytes, way: Way, work: Work, place: str = "body"
) -> list[Violation]:
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
        converted = _Converted(document, schema, way, work)
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
        return self._types(items) if isinstance(items, dict) else _TYPES

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
        for _ in range(_MOST_CHAIN):
            if "$ref" not in schema:
                return schema
            schema = self._defs[schema["$ref"].removeprefix("#/$defs/")]
        return {}

    def _types(self, schema: Any, depth: int = 0) -> frozenset[str]:
        if not isinstance(schema, dict):
            return _TYPES
        schema = self._followed(schema)
        if "type" in schema:
            return frozenset(schema["type"] if isinstance(schema["type"], list) else [schema["type"]])
        parts = [one for name in _SAME for one in schema.get(name, ())[:20]]
        if not parts or depth > 4:
            return _TYPES
        # What each part of an allOf leaves open another may close.
        found = [self._types(part, depth + 1) for part in parts]
        narrow = [one for one in found if one != _TYPES]
        return frozenset().union(*narrow) if narrow else _TYPES

    def faults(self, value: Any, place: str) -> list[Violation]:
        """What `value` breaks, at most fifty things."""
        if self._work.over:
            return [Violation(location=place, message=UNCHECKED)]
        if self._validator is None:
            return []
        try:
            _Counting(self._defs, self._work).go(self._root, value, 0)
            if self._validator.is_valid(value):
                return []
            return self._placed(value, place)
        except (_TooMuch, ValueError, RecursionError, jsonschema_rs.ReferencingError):
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
        counting = _Counting(self._defs, self._work, _sizes(value))
        counting.go(self._root, value, 0)
        return counting.cost


def _sizes(value: Any) -> dict[int, int]:
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


class _TooMuch(Exception):
    """Checking would take more steps than are spent on one value."""


class _Counting:
    """Goes the way that a check goes, without short cuts, and counts its steps; with `sizes` of values, its `cost`."""

    def __init__(self, defs: Mapping[str, Any], work: Work, sizes: Mapping[int, int] | None = None) -> None:
        self._defs, self._work, self._sizes = defs, work, sizes
        self._left = MOST_VISITS
        self.cost = 0

    def go(self, schema: Any, value: Any, depth: int) -> None:
        """Count what a value costs under a schema; _TooMuch if that is too much."""
        self._left -= 1
        if self._left < 0 or depth > MOST_DEPTH * 4 or not self._work.spend():
            raise _TooMuch
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
        for name in _SAME:
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


class _Converted:
    """A schema and all that it reaches, in the form of 2020-12: `root`, with references into `defs`."""

    def __init__(self, document: Document, schema: Mapping[str, Any], way: Way, work: Work) -> None:
        self._document, self._way, self._work = document, way, work
        self._numbers: dict[str, str] = {}
        self._waiting: list[tuple[str, str]] = []
        self._left = MOST_NODES
        self._patterns: dict[str, bool] = {}
        self._edges: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._of = "root"
        self._closed: list[dict[str, Any]] = []
        self._partial = False
        self.defs: dict[str, Any] = {}
        self.root = self._schema(schema, 0, same=True)
        while self._waiting:
            pointer, self._of = self._waiting.pop()
            self.defs[self._of] = self._schema(_at(document, pointer), 0, same=True)
        self._cut_circles()
        if self._partial:
            # What a rule that is left out would have taken is not left over.
            for node in self._closed:
                for name in _UNEVALUATED:
                    node.pop(name, None)

    def _schema(self, schema: Any, depth: int, *, same: bool) -> Any:
        """`same`: it is about the same value as the definition that it stands in."""
        self._left -= 1
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping) or self._left < 0 or depth > MOST_DEPTH or not self._work.spend():
            return {}
        made: dict[str, Any] = {}
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            made["$ref"] = "#/$defs/" + self._target(reference[1:])
            if same:
                self._edges.setdefault(self._of, []).append((made["$ref"].removeprefix("#/$defs/"), made))
        self._values(schema, made)
        for name in _SCHEMAS:
            if isinstance(schema.get(name), Mapping | bool) and name in schema:
                made[name] = self._schema(schema[name], depth + 1, same=same and name in ("not", "if", "then", "else"))
        for name in _LISTS:
            if isinstance(schema.get(name), list) and schema[name]:
                own = same and name in _SAME
                made[name] = [self._schema(one, depth + 1, same=own) for one in schema[name]]
        for name in _MAPS:
            if isinstance(schema.get(name), Mapping):
                own = same and name == "dependentSchemas"
                made[name] = {
                    str(key): self._schema(one, depth + 1, same=own)
                    for key, one in schema[name].items()
                    if name != "patternProperties" or self._knows(str(key))
                }
        _leave_out_what_would_turn(schema, made)
        _tell_apart(schema, made)
        for name in _UNEVALUATED:
            if isinstance(schema.get(name), Mapping | bool):
                made[name] = self._schema(schema[name], depth + 1, same=False)
                self._closed.append(made)
        self._partial = self._partial or not _takes_all(schema, made)
        self._leave_out_what_is_not_sent(schema, made)
        if schema.get("nullable") is True:
            return self._nullable(made)
        return made

    def _target(self, pointer: str) -> str:
        # Names come from the document, so numbers stand for them.
        if pointer not in self._numbers:
            self._numbers[pointer] = str(len(self._numbers))
            self._waiting.append((pointer, self._numbers[pointer]))
        return self._numbers[pointer]

    def _values(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        """The rules that hold values, as far as they are rules."""
        kind = schema.get("type")
        kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str) and one in _TYPES]
        if kinds and (not isinstance(kind, list) or len(kinds) == len(kind)):
            made["type"] = list(dict.fromkeys(kinds))
        for name in _COUNTS:
            value = schema.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                made[name] = value
        for name, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            bound, above = schema.get(name), schema.get(exclusive)
            if _is_number(bound):
                made[exclusive if above is True else name] = bound
            if _is_number(above):
                made[exclusive] = above
        if _is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
            made["multipleOf"] = schema["multipleOf"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            made["enum"] = schema["enum"]
        if "const" in schema:
            made["const"] = schema["const"]
        if isinstance(schema.get("format"), str) and schema["format"] in _FORMATS:
            made["format"] = schema["format"]
        if schema.get("uniqueItems") is True:
            made["uniqueItems"] = True
        if isinstance(schema.get("pattern"), str) and self._knows(schema["pattern"]):
            made["pattern"] = schema["pattern"]
        required = schema.get("required")
        if isinstance(required, list):
            made["required"] = list(dict.fromkeys(one for one in required if isinstance(one, str)))
        dependent = schema.get("dependentRequired")
        if isinstance(dependent, Mapping):
            made["dependentRequired"] = {
                str(name): list(dict.fromkeys(one for one in several if isinstance(one, str)))
                for name, several in dependent.items()
                if isinstance(several, list)
            }

    def _leave_out_what_is_not_sent(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        """Nobody need send what is read only, nor is what is write only answered, even where it is required."""
        mark = "readOnly" if self._way == "request" else "writeOnly"
        properties = schema.get("properties")
        if made.get("required") and isinstance(properties, Mapping):
            made["required"] = [
                name
                for name in made["required"]
                if _resolved(self._document, properties.get(name)).get(mark) is not True
            ]

    @staticmethod
    def _nullable(made: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in made or any(name in made for name in (*_SAME, "not", "if", "const")):
            return {"anyOf": [made, {"type": "null"}]}
        if "type" in made:
            made["type"] = [*made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        return made

    def _knows(self, pattern: str) -> bool:
        """Whether the library takes a pattern, within its bounds of size."""
        if not self._work.spend(_PATTERN):
            return False
        if pattern not in self._patterns:
            try:
                options = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)
                jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options, offline=True)
                self._patterns[pattern] = len(pattern) <= 2000
            except (jsonschema_rs.ValidationError, ValueError):
                self._patterns[pattern] = False
        return self._patterns[pattern]

    def _cut_circles(self) -> None:
        """Take out references that lead round to the same value again, by which a check would never end."""
        state: dict[str, int] = {}
        for start in ["root", *self.defs]:
            if start in state:
                continue
            state[start] = 1
            way = [(start, iter(self._edges.get(start, ())))]
            while way:
                name, edges = way[-1]
                target, node = next(edges, (None, None))
                if target is None or node is None:
                    state[name] = 2
                    way.pop()
                elif state.get(target) == 1:
                    node.pop("$ref", None)
                    self._partial = True
                elif target not in state:
                    state[target] = 1
                    way.append((target, iter(self._edges.get(target, ()))))


def _tell_apart(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    """Where a discriminator says which alternative a value is, what it breaks is what it breaks of that one."""
    told = schema.get("discriminator")
    name = told.get("propertyName") if isinstance(told, Mapping) else None
    which = next((one for one in ("oneOf", "anyOf") if one in made), None)
    if not isinstance(told, Mapping) or not isinstance(name, str) or which is None or len(made[which]) > _MOST_TOLD:
        return
    given = schema.get(which, schema.get("oneOf"))
    mapping = told.get("mapping")
    ways: dict[str, Any] = {}
    for one, alternative in zip(given, made[which], strict=False):
        reference = one.get("$ref") if isinstance(one, Mapping) else None
        if not isinstance(reference, str):
            return
        called = reference.rpartition("/")[2]
        entries = mapping.items() if isinstance(mapping, Mapping) else ()
        keys = [str(key) for key, target in entries if target in (reference, called)]
        ways |= dict.fromkeys(keys or [called], alternative)
    known = {"type": ["object"], "properties": {name: {"enum": list(ways)}}, "required": [name]}
    chosen = [{"if": {**known, "properties": {name: {"const": key}}}, "then": one} for key, one in ways.items()]
    several = {"if": {which: made.pop(which)}, "then": True, "else": {"allOf": [known, *chosen]}}
    made["allOf"] = [*made.get("allOf", []), several]


def _leave_out_what_would_turn(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    """A rule that was left out makes its schema take more, and so what is built on its refusing take less."""
    if "not" in made and not _is_whole(schema["not"], made["not"], references=False):
        del made["not"]
    if "if" in made and not _is_whole(schema["if"], made["if"], references=False):
        for name in ("if", "then", "else"):
            made.pop(name, None)
    if "oneOf" in made and not _is_whole(schema["oneOf"], made["oneOf"], references=True):
        several = made.pop("oneOf")
        if "anyOf" not in made:
            made["anyOf"] = several


def _takes_all(schema: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether all parts are there that say of which fields and members a schema knows."""
    if "$dynamicRef" in schema:
        return False
    for name in ("$ref", *_SCHEMAS, *_LISTS, *_MAPS):
        if name in schema and name not in made:
            return False
    several = schema.get("patternProperties")
    return not several or len(several) == len(made["patternProperties"])


def _is_whole(schema: Any, made: Any, *, references: bool) -> bool:
    """Whether all rules of a schema are there once it is converted; one with references only if they count as such."""
    if isinstance(schema, Mapping) and isinstance(made, dict):
        if "$ref" in schema and not references:
            return False
        return all(
            name in _REMARKS
            or name.startswith("x-")
            or (name == "format" and one not in _FORMATS)
            or (name in made and _is_whole(one, made[name], references=references))
            for name, one in schema.items()
        )
    if isinstance(schema, list) and isinstance(made, list):
        return len(schema) == len(made) and all(
            _is_whole(one, other, references=references) for one, other in zip(schema, made, strict=True)
        )
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
