"""A schema as the rows of a reference page: dotted names, `[]` behind arrays, `{}` for any further name. Pure.

The rows are found level by level until there are enough, so that a page that cannot show everything shows what
stands outside; they are given in the order of the document, each directly before what is below it.
"""

from collections import deque
from typing import Any

from offhook.catalog.model import Field
from offhook.catalog.reference.resolving import Resolver, items, text_of
from offhook.catalog.reference.schemas import Schemas, View, label_of
from offhook.catalog.reference.texts import Anchors, brief, encoded
from offhook.catalog.work import Work

MOST_FIELDS = 3_000
MOST_OF_PAGE = 8_000
"""The most rows of all bodies of a page together; the first ones have them."""

MORE_VALUES = " more values are not listed"
"""How a limit ends that says so, behind their count."""

_MOST_LEVELS = 32
_MOST_ALTERNATIVES = 50
_MOST_VALUES = 1_000
_MOST_TUPLE = 100
_MOST_COUNTED = 3
_MOST_INSIDE = 30
"""How many arrays and alternatives may stand directly in one another."""

_DESCRIPTION = 20_000
_NAMES = {"string": "String", "integer": "Integer", "number": "Number", "boolean": "Boolean", "array": "Array",
          "object": "Object", "null": "Null"}  # fmt: skip


class _Node:
    __slots__ = ("below", "choice", "level", "name", "open", "recursive", "required", "view")

    def __init__(
        self, name: str, view: View, open_refs: frozenset[str], level: int, *, required: bool, choice: str
    ) -> None:
        self.recursive = not view.refs.isdisjoint(open_refs)
        self.name = f"{name}[]" if view.is_array else name
        self.view = view
        self.open = open_refs | view.refs if view.refs else open_refs
        self.level = level
        self.required = required or view.demanded
        self.choice = choice
        self.below: list[_Node] = []


class Flattener:
    """Makes the rows of one page; `anchors` are those of the whole page, and so is `work`."""

    def __init__(self, resolver: Resolver, anchors: Anchors, work: Work) -> None:
        self.schemas = Schemas(resolver, work)
        self._work = work
        self._anchors = anchors
        self._left = MOST_OF_PAGE
        self.more_choices = 0
        """Alternatives that the rows of the latest body leave out."""

        self._said: dict[int, tuple[View, dict[str, Any]]] = {}

    def rows(self, schema: Any, section: str, most: int = MOST_FIELDS) -> tuple[tuple[Field, ...], int]:
        """The rows of a body, at most `most`, and how many more there would be at least.

        A body that is an object has no row of its own; an array has the row `[]`, anything else one without a name.
        """
        self.more_choices = 0
        view = self.schemas.view(schema)
        root = _Node("", view, frozenset(), 0, required=True, choice="")
        roots: list[_Node] = []
        if view.types and view.types != ("object",) and not view.alternatives:
            roots.append(root)
        most = max(0, min(most, self._left))
        count, more = len(roots), 0
        queue = deque([root])
        while queue and not self._work.over:
            node = queue.popleft()
            room = max(0, most - count)
            if room == 0:
                more += self._count(node)
                if more > most:
                    break
                continue
            below = self._below(node)
            more += max(0, len(below) - room)
            node.below = below[:room]
            count += len(node.below)
            queue.extend(node.below)
        self.more_choices += bool(queue) and self._work.over
        found: list[Field] = []
        stack = roots or root.below[::-1]
        while stack:
            node = stack.pop()
            found.append(self._row(node, section))
            stack.extend(node.below[::-1])
        self._left -= len(found)
        return tuple(found), more

    def row(self, schema: Any, name: str, section: str, *, required: bool) -> Field:
        """The one row of a parameter or header, whatever is below it."""
        node = _Node(name, self.schemas.view(schema), frozenset(), 0, required=required, choice="")
        return self._row(node, section)

    def _below(self, node: _Node) -> list[_Node]:
        if node.recursive or node.level >= _MOST_LEVELS:
            return []
        found: list[_Node] = []
        self._inside(node.name, node.view, node.open, node, node.choice, 0, found)
        return found

    def _count(self, node: _Node) -> int:
        """How many rows stand directly below a node for which there is no room, found out without making them."""
        if node.recursive or node.level >= _MOST_LEVELS or not self._work.spend():
            return 0
        view = node.view
        if view.is_array and view.items is not None:
            view = self.schemas.view(view.items)
            if not view.refs.isdisjoint(node.open):
                return 0
        return self._count_in(view, node.open, 0)

    def _count_in(self, view: View, open_refs: frozenset[str], depth: int) -> int:
        count = len(view.properties) + (view.further is not None) + len(view.tuple_items)
        if depth < _MOST_COUNTED:
            for inner in view.alternatives[:_MOST_ALTERNATIVES]:
                if not self._work.spend():
                    break
                of = self.schemas.view(inner)
                if of.refs.isdisjoint(open_refs):
                    count += self._count_in(of, open_refs | of.refs, depth + 1)
        return count

    def _inside(
        self, name: str, view: View, open_refs: frozenset[str], node: _Node, choice: str, depth: int, found: list[_Node]
    ) -> None:
        """Add to `found` what stands below `view`, whose own row is called `name`."""
        if depth > _MOST_INSIDE or len(found) > 2 * MOST_FIELDS or not self._work.spend(4 + len(view.properties)):
            self.more_choices += 1
            return
        level = node.level + 1
        prefix = f"{name}." if name else ""

        def put(inner: Any, called: str, required: bool) -> None:
            view = self.schemas.view(inner)
            found.append(_Node(called, view, open_refs, level, required=required, choice=choice))

        for called, inner in view.properties.items():
            put(inner, prefix + called, called in view.required)
        if view.further is not None:
            put(view.further, prefix + "{}", False)
        bare = name.removesuffix("[]")
        for index, inner in enumerate(view.tuple_items[:_MOST_TUPLE]):
            put(inner, f"{bare}[{index}]", False)
        if view.items is not None:
            self._items(name if view.is_array else f"{bare}[]", view, open_refs, node, choice, depth, found)
        self.more_choices += max(0, len(view.alternatives) - _MOST_ALTERNATIVES)
        self.more_choices += max(0, len(view.tuple_items) - _MOST_TUPLE)
        for number, inner in enumerate(view.alternatives[:_MOST_ALTERNATIVES], 1):
            of = self.schemas.view(inner)
            if not of.refs.isdisjoint(open_refs):
                continue
            label = label_of(inner, of, number)
            called = f"{name}[]" if of.is_array else name
            self._inside(
                called, of, open_refs | of.refs, node, f"{choice} / {label}" if choice else label, depth + 1, found
            )

    def _items(
        self, name: str, view: View, open_refs: frozenset[str], node: _Node, choice: str, depth: int, found: list[_Node]
    ) -> None:
        of = self.schemas.view(view.items)
        if not of.refs.isdisjoint(open_refs):
            if depth == 0:
                node.recursive = True
            return
        if of.is_array:
            found.append(_Node(name, of, open_refs, node.level + 1, required=False, choice=choice))
        else:
            self._inside(name, of, open_refs | of.refs, node, choice, depth + 1, found)

    def _row(self, node: _Node, section: str) -> Field:
        view = node.view
        known = self._said.get(id(view))
        if known is None:
            known = (view, self._facts(view))
            self._said[id(view)] = known
        return Field(
            name=node.name,
            required=node.required,
            anchor=self._anchors.of(section, node.choice, node.name),
            recursive=node.recursive,
            choice=node.choice,
            **known[1],
        )

    def _facts(self, view: View) -> dict[str, Any]:
        """What a row says of its schema, wherever that stands."""
        facts = view.facts
        values = self._values(view)
        limits = limits_of(view)
        if view.is_array and view.items is not None:
            of = self.schemas.view(view.items)
            if of.is_scalar or of.is_array:
                values = values or self._values(of)
                kind = self.type_name(of)
                if kind != "Any":
                    limits = (*limits, f"items: {kind}", *limits_of(of))
        if len(values) > _MOST_VALUES:
            limits = (*limits, f"{len(values) - _MOST_VALUES:,}{MORE_VALUES}")
            values = values[:_MOST_VALUES]
        example = facts.get("example", (items(facts.get("examples")) or [None])[0])
        return {
            "type": self.type_name(view),
            "description": text_of(facts.get("description"))[:_DESCRIPTION],
            "values": tuple(brief(value) for value in values),
            "default": brief(facts["default"]) if "default" in facts else "",
            "format": text_of(facts.get("format"))[:80],
            "limits": limits,
            "example": brief(example) if example is not None else "",
            "nullable": view.nullable,
            "deprecated": facts.get("deprecated") is True,
            "read_only": facts.get("readOnly") is True,
            "write_only": facts.get("writeOnly") is True,
        }

    def _values(self, view: View) -> list[Any]:
        if view.values is not None:
            return view.values
        given = [self.schemas.view(each).values for each in view.alternatives[:_MOST_ALTERNATIVES]]
        if given and all(values is not None for values in given):
            united = {encoded(value): value for values in given for value in (values or [])[: _MOST_VALUES + 1]}
            return list(united.values())
        return []

    def type_name(self, view: View) -> str:
        """The type in the words of the page: String, Integer, "String or Array", Any."""
        kinds = ("integer",) if is_wide(view) else view.types
        names = [_NAMES.get(kind, kind[:40].capitalize()) for kind in kinds]
        if not names:
            for each in view.alternatives[:_MOST_ALTERNATIVES]:
                of = self.schemas.view(each)
                kinds = of.types or (("any",) if not of.alternatives else ("object",))
                names += [_NAMES.get(kind, kind[:40].capitalize()) for kind in kinds]
        return " or ".join(list(dict.fromkeys(names))[:7]) or "Any"


def is_wide(view: View) -> bool:
    """Whether it is a whole number that may also be sent as text, as 64 bits need where JavaScript reads them."""
    return set(view.types) == {"integer", "string"} and view.facts.get("format") in ("int64", "uint64")


def limits_of(view: View) -> tuple[str, ...]:
    """What a value must keep to, in words: ("at least 10", "at most 45")."""
    facts = view.facts
    found = ["as a number or as text"] if is_wide(view) else []
    for name, text in (("minimum", "at least"), ("maximum", "at most")):
        if _is_number(facts.get(name)):
            exclusive = facts.get("exclusiveMinimum" if name == "minimum" else "exclusiveMaximum") is True
            word = ("more than" if name == "minimum" else "less than") if exclusive else text
            found.append(f"{word} {encoded(facts[name])}")
    for name, text in (("exclusiveMinimum", "more than"), ("exclusiveMaximum", "less than"),
                       ("multipleOf", "a multiple of")):  # fmt: skip
        if _is_number(facts.get(name)):
            found.append(f"{text} {encoded(facts[name])}")
    for least, most, what in (("minLength", "maxLength", "character"), ("minItems", "maxItems", "item"),
                              ("minProperties", "maxProperties", "name")):  # fmt: skip
        found += _counted(facts.get(least), facts.get(most), what)
    if isinstance(facts.get("pattern"), str):
        found.append(f"matches {facts['pattern'][:300]}")
    if facts.get("uniqueItems") is True:
        found.append("no item twice")
    discriminator = facts.get("discriminator")
    named = discriminator.get("propertyName") if isinstance(discriminator, dict) else discriminator
    if isinstance(named, str):
        found.append(f"{named[:80]} says which alternative it is")
    return tuple(found)


def _counted(least: Any, most: Any, what: str) -> list[str]:
    has_least, has_most = _is_number(least) and least > 0, _is_number(most)
    if has_least and has_most:
        count = encoded(least) if least == most else f"{encoded(least)} to {encoded(most)}"
        return [f"{count} {what}{'' if most == 1 else 's'}"]
    if has_least:
        return [f"at least {encoded(least)} {what}{'' if least == 1 else 's'}"]
    if has_most:
        return [f"at most {encoded(most)} {what}{'' if most == 1 else 's'}"]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
