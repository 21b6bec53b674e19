"""YAML as an API document uses it: 1.2's plain meanings, no tags, aliases counted, keys as they are written. Pure.

It is built from the parser's events, without recursion, so that depth and size are ours to bound.
"""

import math
import re
from typing import Any

import yaml

from offhook.catalog.documents.limits import MOST_DEPTH, MOST_NODES, Problems, refused, too_deep, too_many
from offhook.kit.errors import Invalid, shown

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = {"", "~", "null", "Null", "NULL"}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = {None, "!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))}
_MERGE = "<<"


def parse(text: str, problems: Problems) -> Any:
    """The tree of the first document in `text`; Invalid with line and column if it is not YAML or beyond a limit."""
    building = _Building(problems)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not building.take(event):
                break
    except yaml.MarkedYAMLError as error:
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise refused(f"Not YAML: {shown(said)}.", _place(error.problem_mark or error.context_mark)) from None
    except yaml.YAMLError as error:
        raise refused(f"Not YAML: {shown(str(error).splitlines()[0])}.") from None
    return building.result


def meaning(text: str) -> Any:
    """What a plain scalar says: null, true and false, numbers; all else is text, also dates, yes and no."""
    if text in _NOTHING:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > 100:
        return text
    if _WHOLE.fullmatch(text):
        number = int(text)
        return number if -(2**63) <= number < 2**64 else float(text)
    if _BASED.fullmatch(text):
        number = int(text, 0)
        return number if number < 2**64 else text
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


class _Open:
    """A mapping or list that is being read. `height` and `size` are those of what it holds so far."""

    __slots__ = ("anchor", "height", "key", "merged", "size", "value")

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.size = 1
        self.height = 1
        self.merged: list[Any] = []


class _Building:
    def __init__(self, problems: Problems) -> None:
        self.result: Any = None
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int, int] | None] = {}
        self._documents = 0
        self._nodes = 0

    def take(self, event: Any) -> bool:
        """Take one event of the parser; False when enough is read."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._begin(event, {})
        elif kind is yaml.SequenceStartEvent:
            self._begin(event, [])
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                text = f"A second document begins at {_place(event.start_mark)}; only the first is read."
                self._problems.note("", text)
                return False
        return True

    def _scalar(self, event: Any) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and type(top.value) is dict and top.key is None:
            top.key = event.value
            if event.anchor is not None:
                self._anchors[event.anchor] = (event.value, 1, 1)
            return
        if event.tag not in _PLAIN_TAGS:
            self._tagged(event)
        plain = event.implicit[0] if event.tag is None else event.tag not in (_CORE + "str", "!")
        value = meaning(event.value) if plain and event.tag in _PLAIN_TAGS else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1, 1)
        self._count(1, event)
        self._put(value, 1, 1, event)

    def _begin(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        if event.tag not in _PLAIN_TAGS:
            self._tagged(event)
        if len(self._open) >= MOST_DEPTH:
            raise too_deep(_place(event.start_mark))
        top = self._open[-1] if self._open else None
        if top is not None and type(top.value) is dict and top.key is None:
            raise self._bad_key(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._count(1, event)
        self._open.append(_Open(value, event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        for merged in done.merged:
            for name, inner in merged.items():
                done.value.setdefault(name, inner)  # type: ignore[union-attr]
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.value, done.size, done.height)
        self._put(done.value, done.size, done.height, event)

    def _alias(self, event: Any) -> None:
        place = _place(event.start_mark)
        if event.anchor not in self._anchors:
            raise refused(f"There is no anchor &{shown(event.anchor)} above this line; write the value out.", place)
        known = self._anchors[event.anchor]
        if known is None:
            text = f"The alias *{shown(event.anchor)} stands inside of what it stands for; use a $ref instead."
            raise refused(text, place)
        value, size, height = known
        top = self._open[-1]
        if type(top.value) is dict and top.key is None:
            if not isinstance(value, str):
                raise self._bad_key(event)
            top.key = value
            return
        self._count(size, event)
        self._put(value, size, height, event)

    def _count(self, size: int, event: Any) -> None:
        self._nodes += size
        if self._nodes > MOST_NODES:
            raise too_many(_place(event.start_mark))

    def _put(self, value: Any, size: int, height: int, event: Any) -> None:
        if not self._open:
            self.result = value
            return
        top = self._open[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        if len(self._open) + height > MOST_DEPTH:
            raise too_deep(_place(event.start_mark))
        if type(top.value) is list:
            top.value.append(value)
            return
        key = top.key or ""
        top.key = None
        entries: dict[str, Any] = top.value  # type: ignore[assignment]
        if key == _MERGE and _mergeable(value):
            top.merged.extend(value if isinstance(value, list) else [value])
            return
        if key in entries:
            text = f"The key {shown(key)} stands more than once in one mapping; the last one is taken."
            self._problems.note("", f"{_place(event.start_mark)}: {text}")
        entries[key] = value

    def _tagged(self, event: Any) -> None:
        text = f"The tag {shown(event.tag)} is not known here; what it stands at is taken as it is written."
        self._problems.note("", f"{_place(event.start_mark)}: {text}")

    @staticmethod
    def _bad_key(event: Any) -> Invalid:
        return refused("A key must be a word, not a mapping or a list; put it in quotes.", _place(event.start_mark))


def _mergeable(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and all(isinstance(each, dict) for each in value))


def _place(mark: Any) -> str:
    return "document" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
