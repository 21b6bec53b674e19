"""What a schema comes to: references followed, allOf put together, a null beside one alternative taken away. Pure."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from offhook.catalog.reference.resolving import Resolver, items, text_of
from offhook.catalog.work import Work

_MOST_LAYERS = 200
_MOST_DEPTH = 40
_MOST_KEPT = 20_000
_LATER_WINS = (
    "title", "description", "format", "default", "example", "examples", "const", "deprecated", "readOnly",
    "writeOnly", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
    "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "discriminator", "not",
    "contentMediaType", "contentEncoding",
)  # fmt: skip
_SCALARS = ("string", "integer", "number", "boolean")
_TELLING = {"$ref", "properties", "allOf", "oneOf", "anyOf", "items", "additionalProperties"}


@dataclass(slots=True)
class View:
    """A schema as it reads. `facts` are its plain keywords, `refs` what tells it apart from others: the references that
    stand for all of it, not those of what it is an extension of.

    `alternatives` are those of a oneOf or anyOf that has several; a null among them is `nullable`.
    """

    types: tuple[str, ...] = ()
    nullable: bool = False
    demanded: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    values: list[Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: Any = None
    tuple_items: list[Any] = field(default_factory=list)
    further: Any = None
    alternatives: list[Any] = field(default_factory=list)
    refs: frozenset[str] = frozenset()

    @property
    def is_array(self) -> bool:
        """Whether it is an array and nothing else."""
        return self.types == ("array",)

    @property
    def is_scalar(self) -> bool:
        """Whether nothing can stand below it."""
        return not (
            self.properties
            or self.alternatives
            or self.further is not None
            or self.items is not None
            or self.tuple_items
            or "array" in self.types
            or "object" in self.types
        )


class Schemas:
    """The views of one document's schemas, each made once. What `work` does not reach for may be anything."""

    def __init__(self, resolver: Resolver, work: Work) -> None:
        self._resolver = resolver
        self.work = work
        # The schema is kept with its view, so that its id stays its own.
        self._views: dict[int, tuple[Any, View]] = {}

    def view(self, schema: Any) -> View:
        """The view of a schema, whatever stands in its place: what is no schema may be anything."""
        known = self._views.get(id(schema))
        if known is None:
            layers = _Layers(self._resolver)
            layers.add(schema, 0, whole=True)
            # What has no reference is told by itself, since a loop comes back to the same place of the document.
            refs = frozenset(layers.refs) or frozenset([f"{id(schema)}"])
            if not self.work.spend(sum(map(_size, layers.found))):
                return View()
            known = (schema, _united(layers, refs))
            if len(self._views) < _MOST_KEPT:
                self._views[id(schema)] = known
        return known[1]


class _Layers:
    """The plain schemas that one is put together from, the inner ones first, so that later ones win."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.found: list[dict[str, Any]] = []
        self.refs: set[str] = set()
        self._seen: set[str] = set()
        self.nullable = False
        self.alternatives: list[Any] = []

    def add(self, schema: Any, depth: int, *, whole: bool) -> None:
        """Add what `schema` is made of; `whole` says that a reference in it stands for all of it."""
        if not isinstance(schema, dict) or depth > _MOST_DEPTH or len(self.found) >= _MOST_LAYERS:
            return
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in self._seen:
            self._seen.add(ref)
            if whole:
                self.refs.add(ref)
            with suppress(KeyError):
                self.add(self._resolver.target(ref), depth + 1, whole=whole)
        united = items(schema.get("allOf"))
        alone = sum(isinstance(each, dict) and not _TELLING.isdisjoint(each) for each in united) == 1
        for each in united:
            self.add(each, depth + 1, whole=whole and alone and "properties" not in schema)
        for name in ("oneOf", "anyOf"):
            given = items(schema.get(name))
            real = [each for each in given if not _is_null(each)]
            self.nullable = self.nullable or len(real) < len(given)
            if len(real) == 1:
                self.add(real[0], depth + 1, whole=whole and "properties" not in schema)
            elif not all(isinstance(each, dict) and each.keys() <= {"required", "not"} for each in real):
                self.alternatives.extend(real)
        self.found.append(schema)


def _size(layer: dict[str, Any]) -> int:
    """What it takes to put a layer to others, in steps."""
    names = ("properties", "patternProperties", "required", "enum", "oneOf", "anyOf")
    return 1 + sum(len(one) for name in names if isinstance(one := layer.get(name), dict | list)) // 10


def _is_null(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "null" or schema.get("type") == ["null"]:
        return True
    return schema.get("enum") == [None] or ("const" in schema and schema["const"] is None)


def _is_bare(schema: Any) -> bool:
    """Whether it says the name of a plain type, and nothing else."""
    return isinstance(schema, dict) and schema.keys() == {"type"} and schema["type"] in _SCALARS


def _united(layers: _Layers, refs: frozenset[str]) -> View:
    view = View(nullable=layers.nullable, refs=refs, alternatives=layers.alternatives)
    for layer in layers.found:
        _add(view, layer)
    if view.alternatives and not view.types and all(_is_bare(each) for each in view.alternatives):
        _add_types(view, [each["type"] for each in view.alternatives])
        view.alternatives = []
    if not view.types:
        view.types = _inferred(view)
    return view


def _add(view: View, layer: dict[str, Any]) -> None:
    for name in _LATER_WINS:
        if name in layer:
            view.facts[name] = layer[name]
    _add_types(view, layer.get("type"))
    if layer.get("nullable") is True or layer.get("x-nullable") is True:
        view.nullable = True
    _add_values(view, layer)
    for name, inner in entries_of_any_name(layer.get("properties")):
        before = view.properties.get(name)
        view.properties[name] = inner if before is None or before is inner else {"allOf": [before, inner]}
    required = layer.get("required")
    if required is True:
        view.demanded = True
    view.required.update(name for name in items(required) if isinstance(name, str))
    _add_items(view, layer)
    further = layer.get("additionalProperties")
    patterns = [inner for _, inner in entries_of_any_name(layer.get("patternProperties"))]
    if isinstance(further, dict):
        patterns.append(further)
    elif further is True and not view.properties and view.further is None:
        view.further = {}
    if patterns:
        view.further = patterns[0] if len(patterns) == 1 else {"anyOf": patterns}


def _add_types(view: View, given: Any) -> None:
    listed = given if isinstance(given, list) else [given]
    named = tuple(dict.fromkeys(each.lower() for each in listed if isinstance(each, str) and each))
    if "null" in named and named != ("null",):
        view.nullable = True
        named = tuple(name for name in named if name != "null")
    if not named:
        return
    if "file" in named:
        view.facts.setdefault("format", "binary")
        named = tuple("string" if name == "file" else name for name in named)
    both = tuple(name for name in view.types if name in named or (name == "integer" and "number" in named))
    view.types = both or named


def _add_values(view: View, layer: dict[str, Any]) -> None:
    given = layer.get("enum")
    if "const" in layer:
        given = [layer["const"]]
    if not isinstance(given, list):
        return
    if None in given and len(given) > 1:
        view.nullable = True
    values = [value for value in given if value is not None]
    if view.values is None:
        view.values = values
    else:
        common = [value for value in view.values if value in values[:2000]]
        view.values = common or values


def _add_items(view: View, layer: dict[str, Any]) -> None:
    inner = layer.get("items")
    if isinstance(inner, list):
        view.tuple_items = inner
        inner = layer.get("additionalItems")
    if isinstance(layer.get("prefixItems"), list):
        view.tuple_items = layer["prefixItems"]
    if isinstance(inner, dict):
        view.items = inner if view.items is None or view.items is inner else {"allOf": [view.items, inner]}


def _inferred(view: View) -> tuple[str, ...]:
    if view.alternatives:
        return ()
    if view.properties or view.further is not None:
        return ("object",)
    if view.items is not None or view.tuple_items:
        return ("array",)
    if view.values:
        return tuple(dict.fromkeys(type_of(value) for value in view.values[:100]))
    if "pattern" in view.facts or "maxLength" in view.facts or text_of(view.facts.get("format")).startswith("date"):
        return ("string",)
    return ()


def entries_of_any_name(value: Any) -> list[tuple[str, Any]]:
    """The entries of an object, whatever their names; nothing for all else."""
    return list(value.items()) if isinstance(value, dict) else []


def type_of(value: Any) -> str:
    """The type that JSON Schema has for a value."""
    if isinstance(value, bool):
        return "boolean"
    kinds: tuple[tuple[type, str], ...] = ((str, "string"), (int, "integer"), (float, "number"), (list, "array"),
                                           (dict, "object"))  # fmt: skip
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def label_of(schema: Any, view: View, number: int) -> str:
    """What an alternative is called: its title, the name it is referred to by, or its number."""
    title = text_of(view.facts.get("title")) if not isinstance(schema, dict) or "$ref" not in schema else ""
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        title = schema["$ref"].rpartition("/")[2]
    return " ".join(title.split())[:80] or f"option {number}"
