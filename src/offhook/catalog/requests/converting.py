"""A schema of a document in the form of JSON Schema 2020-12, as the library takes it that checks by it. Pure.

What a document has wrong in its schemas is left out, as are references out of the document and patterns that the
library does not know; what is built on a rule that is left out goes with it, so that nothing is refused by mistake.
"""

from collections.abc import Mapping
from typing import Any, Literal

import jsonschema_rs

from offhook.catalog.model import Document
from offhook.catalog.requests.told import at, resolved
from offhook.catalog.work import Work

MOST_NODES = 20_000
MOST_DEPTH = 64

_MOST_TOLD = 200
"""Alternatives that are told apart by a discriminator."""

_PATTERN = 100
"""Steps that making a pattern ready counts as."""

Way = Literal["request", "answer"]
TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
SAME = ("allOf", "anyOf", "oneOf")
"""Rules about the same value as the schema that they stand in."""

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


class Converted:
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
            self.defs[self._of] = self._schema(at(document, pointer), 0, same=True)
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
                own = same and name in SAME
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
        kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str) and one in TYPES]
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
                if resolved(self._document, properties.get(name)).get(mark) is not True
            ]

    @staticmethod
    def _nullable(made: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in made or any(name in made for name in (*SAME, "not", "if", "const")):
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
