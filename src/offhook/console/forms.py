"""From the API's schema of a body to a form's inputs, from what was filled in to a body, from violations to inputs.

Descriptions, limits, choices and what is required come from the schema alone, so a page cannot say other rules than the
API holds. The names of inputs are field paths as the API writes them: `routing_options.open.dtmf[2].input`. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from offhook.kit.errors import Violation

Kind = Literal["text", "area", "whole", "flag", "choice", "hours"]
MAX_INPUTS = 1000


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its path, and what the schema says of it."""

    path: str
    kind: Kind
    about: str
    required: bool
    rule: str = ""
    choices: tuple[str, ...] = ()
    example: str = ""

    @property
    def id(self) -> str:
        return anchor(self.path)

    @property
    def own(self) -> str:
        """The last step of the path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of objects, to which rows can be added; the paths of `inputs` begin behind the row's own."""

    path: str
    about: str
    inputs: tuple[Input, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Shape:
    """All that a body can have, in the schema's order. `needed` are the objects that must be there, "" among them."""

    inputs: Mapping[str, Input]
    rows: Mapping[str, Rows]
    needed: frozenset[str]


def anchor(path: str) -> str:
    """The id of the element for a field path."""
    return "f-" + re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def shape(document: Mapping[str, Any], name: str) -> Shape:
    """The shape of the schema called `name` in an OpenAPI document."""
    inputs: dict[str, Input] = {}
    rows: dict[str, Rows] = {}
    needed = {""}

    def walk(schema: Mapping[str, Any], prefix: str) -> None:
        for own, described in schema["properties"].items():
            path, required = prefix + own, own in schema["required"]
            flat = _flat(document, described)
            if "properties" in flat:
                if required and prefix.rstrip(".") in needed:
                    needed.add(path)
                walk(flat, path + ".")
            elif flat.get("type") == "array" and "$ref" in flat["items"]:
                inside = shape(document, flat["items"]["$ref"].rpartition("/")[2])
                rows[path] = Rows(path, flat.get("description", ""), tuple(inside.inputs.values()), flat["maxItems"])
            else:
                inputs[path] = _input(path, flat, required)

    walk(document["components"]["schemas"][name], "")
    return Shape(inputs, rows, frozenset(needed))


def _flat(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without references and without null; what stands further out wins."""
    found = dict(schema)
    kinds = [one for one in found.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) == 1:
        found = _flat(document, kinds[0]) | {name: value for name, value in found.items() if name != "anyOf"}
    if "$ref" in found:
        target = document["components"]["schemas"][found.pop("$ref").rpartition("/")[2]]
        found = {**target, **found}
    return found


def _input(path: str, schema: Mapping[str, Any], required: bool) -> Input:
    choices = tuple(schema.get("enum", ()))
    kind: Kind = "text"
    if choices:
        kind = "choice"
    elif schema.get("type") == "boolean":
        kind = "flag"
    elif schema.get("type") == "array":
        kind = "hours"
    elif schema.get("format") == "int64":
        kind = "whole"
    elif schema.get("maxLength", 0) > 1024:
        kind = "area"
    rule = str(schema.get("x-offhook-rule", ""))
    if not rule and kind == "text" and "maxLength" in schema:
        rule = f"at most {schema['maxLength']} characters"
    example = str((schema.get("examples") or [""])[0])
    return Input(path, kind, str(schema.get("description", "")), required, rule, choices, example)


# What was filled in


@dataclass(slots=True)
class Filled:
    """What stands in a form: text by path. A box that is not ticked is absent; rows are counted by list."""

    values: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, path: str, most: int) -> None:
        """One more empty row in the list at `path`."""
        self.counts[path] = min(self.counts.get(path, 0) + 1, most)

    def remove(self, path: str, index: int) -> None:
        """Take a row out; those behind it move up."""
        count = self.counts.get(path, 0)
        if not 0 <= index < count:
            return
        kept: dict[str, str] = {}
        for name, value in self.values.items():
            found = re.fullmatch(re.escape(path) + r"\[(\d+)\](.*)", name)
            if found is None or int(found[1]) < index:
                kept[name] = value
            elif int(found[1]) > index:
                kept[f"{path}[{int(found[1]) - 1}]{found[2]}"] = value
        self.values = kept
        self.counts[path] = count - 1


def pairs(raw: bytes) -> list[tuple[str, str]]:
    """The inputs of a form's body; ValueError if it is not one, or has more than `MAX_INPUTS`."""
    text = raw.decode("utf-8")
    return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=MAX_INPUTS)


def filled(of: Shape, given: Iterable[tuple[str, str]]) -> Filled:
    """What was filled in of the inputs that the form has; anything else is left alone."""
    found = Filled()
    for name, value in given:
        if name.startswith("rows:") and name[5:] in of.rows:
            count = int(value) if re.fullmatch(r"[0-9]{1,4}", value) else 0
            found.counts[name[5:]] = min(count, of.rows[name[5:]].most)
        elif name in of.inputs or re.sub(r"\[\d{1,3}\]\..*", "", name) in of.rows:
            found.values[name] = value.replace("\r\n", "\n")
    return found


def body(of: Shape, form: Filled) -> dict[str, Any]:
    """The request that a form stands for. What is empty is left out; so is an object of which nothing was filled in.

    A box is said either way. A day without hours is closed, which is an empty list.
    """
    found: dict[str, Any] = {}
    for one in of.inputs.values():
        _put(found, one.path, _value(one, form.values.get(one.path)))
    for rows in of.rows.values():
        items = []
        for index in range(form.counts.get(rows.path, 0)):
            item: dict[str, Any] = {}
            for one in rows.inputs:
                _put(item, one.path, _value(one, form.values.get(f"{rows.path}[{index}].{one.path}")))
            items.append(item)
        if items:
            _put(found, rows.path, items)
    return found


def _put(into: dict[str, Any], path: str, value: Any) -> None:
    if value is None:
        return
    *way, last = path.split(".")
    for step in way:
        into = into.setdefault(step, {})
    into[last] = value


def _value(one: Input, text: str | None) -> Any:
    if one.kind == "flag":
        return text is not None
    if one.kind == "hours":
        return None if text is None else times(text)
    return text or None


def times(text: str) -> list[str]:
    """`09:00-12:30, 14:00-18:00` as the list that the API takes; what is no time stays, for the API to refuse."""
    return [part for part in re.split(r"[\s,;–—-]+", text) if part]


def unfold(of: Shape, given: Mapping[str, Any]) -> Filled:
    """The form that a body fills: the other way round."""
    form = Filled()

    def put(one: Input, path: str, value: Any) -> None:
        if one.kind == "hours":
            ends = [f"{start}-{end}" for start, end in zip(value[::2], value[1::2], strict=True)]
            form.values[path] = ", ".join(ends)
        elif one.kind != "flag":
            form.values[path] = str(value)
        elif value:
            form.values[path] = "true"

    for one in of.inputs.values():
        if (value := _at(given, one.path)) is not None:
            put(one, one.path, value)
    for rows in of.rows.values():
        items: Sequence[Any] = _at(given, rows.path) or ()
        form.counts[rows.path] = len(items)
        for index, item in enumerate(items):
            for one in rows.inputs:
                if (value := _at(item, one.path)) is not None:
                    put(one, f"{rows.path}[{index}].{one.path}", value)
    return form


def _at(given: Any, path: str) -> Any:
    for step in path.split("."):
        given = given.get(step) if isinstance(given, Mapping) else None
    return given


# What is wrong with it


def placed(violations: Iterable[Violation], known: Iterable[str]) -> dict[str, list[Violation]]:
    """Violations by the input they belong to: itself, the first within, or the list or object around it; else ""."""
    names = dict.fromkeys(known)
    found: dict[str, list[Violation]] = {}
    for one in violations:
        here = one.location
        within = (name for name in names if here and name.startswith((here + ".", here + "[")))
        place = here if here in names else next(within, next((step for step in _outwards(here) if step in names), ""))
        found.setdefault(place, []).append(one)
    return found


def _outwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = re.sub(r"(?:\.[^.\[\]]+|\[\d+\]|^[^.\[\]]+)$", "", path)
