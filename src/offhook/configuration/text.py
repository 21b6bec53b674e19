"""The file as text: YAML in and out, by rules under which nothing changes its meaning on the way.

Plain words are what they look like: `NO` is the country, `08:00` a time and `+14155550123` a telephone number, as all
that YAML 1.1 would take for something else is text here. A key that stands twice, a tag, and aliases that grow beyond
any file's size are refused, each with its line and column.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from offhook.kit.errors import Malformed, Violation, shown
from offhook.kit.operation import MIB
from offhook.kit.wire import MAX_DEPTH

MAX_BYTES = 16 * MIB
MAX_FAULTS = 20

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_TEXT_TAG = "tag:yaml.org,2002:str"
_ONLY_IN_CORE = re.compile(r"0[ox][0-9a-fA-F]+")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Text:
    """A file that was read: its value, and where in it each field path stands, as (line, column) from 1."""

    value: Any
    places: dict[str, tuple[int, int]]

    def where(self, path: str) -> tuple[int, int] | None:
        """Where a field path stands, or the nearest part around it that does."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None


@dataclass(slots=True)
class _Open:
    """A mapping or list under construction. `key` is the key that waits for its value; `size` counts what is inside."""

    value: Any
    path: str
    anchor: str | None
    size: int = 1
    key: str | None = None
    lines: dict[str, int] = field(default_factory=dict)


def read(raw: bytes) -> Text:
    """The value of a YAML or JSON file; Malformed with every fault that can be told, each with its line and column."""
    if len(raw) > MAX_BYTES:
        raise Malformed(f"The file may have {MAX_BYTES // MIB} MiB; this one has {len(raw) / MIB:.1f}.")
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Malformed(f"line {line}: The file is not UTF-8; save it in that encoding.") from None
    reader = _Reader()
    try:
        for event in yaml.parse(source, Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text = ", ".join(part for part in (error.context, error.problem) if part)
        if _is_tab(source, mark):
            text = "a tab stands here, and YAML is indented with spaces"
        reader.fault(mark, f"Not YAML: {text}.")
    except yaml.YAMLError as error:
        reader.faults.append(Violation(location="", message=f"Not YAML: {shown(str(error).splitlines()[0])}."))
    if reader.faults:
        first = reader.faults[0]
        more = f" (and {len(reader.faults) - 1} more)" if len(reader.faults) > 1 else ""
        raise Malformed(f"{first.location}: {first.message}{more}".removeprefix(": "), reader.faults)
    if not isinstance(reader.result, dict):
        raise Malformed("The file must hold a mapping that begins with version: 1.")
    return Text(reader.result, reader.places)


def _is_tab(source: str, mark: Any) -> bool:
    line = source.splitlines()[mark.line : mark.line + 1] if mark is not None else []
    return bool(line) and line[0][mark.column : mark.column + 1] == "\t"


class _Reader:
    """Builds the value from the parser's events, without recursion, so that depth is ours to bound."""

    def __init__(self) -> None:
        self.result: Any = None
        self.places: dict[str, tuple[int, int]] = {}
        self.faults: list[Violation] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._documents = 0

    def fault(self, mark: Any, text: str) -> None:
        """Note what is wrong at a place; after twenty the rest is not read."""
        place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
        self.faults.append(Violation(location=place, message=text))
        if len(self.faults) >= MAX_FAULTS:
            raise Malformed(f"{self.faults[0].location}: {self.faults[0].message} (and many more)", self.faults)

    def _stop(self, mark: Any, text: str) -> None:
        self.fault(mark, text)
        first = self.faults[0]
        raise Malformed(f"{first.location}: {first.message}", self.faults)

    def take(self, event: Any) -> None:
        """One event of the parser."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event.start_mark, "A second document begins here; the file must hold one.")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self._open.pop()
            if done.anchor is not None:
                self._anchors[done.anchor] = (done.value, done.size)
            if self._open:
                self._grow(done.size, event.start_mark)

    def _begin(self, event: Any, value: Any) -> None:
        self._refuse_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if len(self._open) >= MAX_DEPTH - 2:
            self._stop(event.start_mark, f"The file is nested deeper than {MAX_DEPTH - 2} levels.")
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._stop(event.start_mark, "A key must be a word, not a mapping or a list.")
        path = self._put(value, event.start_mark)
        self._open.append(_Open(value, path, event.anchor))

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        value = _meaning(event.value) if event.implicit[0] and event.tag is None else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, len(event.value) + 1)
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._key(event.value if value is not None else None, event.start_mark, plain=event.implicit[0])
        else:
            self._put(value, event.start_mark)
        if self._open:
            self._grow(len(event.value) + 1, event.start_mark)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._stop(event.start_mark, f"There is no anchor &{shown(event.anchor)} above this line.")
        known = self._anchors[event.anchor]
        if known is None:
            self._stop(event.start_mark, f"The alias *{shown(event.anchor)} stands inside of what it stands for.")
        assert known is not None
        value, size = known
        if isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            if not isinstance(value, str):
                self._stop(event.start_mark, "A key must be a word, not a mapping or a list.")
            self._key(value, event.start_mark)
        else:
            self._put(value, event.start_mark)
        self._grow(size, event.start_mark)

    def _key(self, key: str | None, mark: Any, *, plain: bool = False) -> None:
        here = self._open[-1]
        if key is None:
            self._stop(mark, "A key must not be empty.")
        assert key is not None
        if plain and key == "<<":
            self.fault(mark, "Merge keys (<<) are not of YAML 1.2: write the fields out, or use an alias for a value.")
        if key in here.lines:
            self.fault(mark, f"The key {shown(key)} stands twice: first in line {here.lines[key]}.")
        here.lines.setdefault(key, mark.line + 1)
        here.key = key
        path = f"{here.path}.{key}" if here.path else key
        self.places.setdefault(path, (mark.line + 1, mark.column + 1))

    def _put(self, value: Any, mark: Any) -> str:
        """Put a value where the next one belongs; gives its path."""
        if not self._open:
            self.result = value
            return ""
        here = self._open[-1]
        if isinstance(here.value, list):
            path = f"{here.path}[{len(here.value)}]"
            here.value.append(value)
            self.places.setdefault(path, (mark.line + 1, mark.column + 1))
            return path
        assert here.key is not None
        path = f"{here.path}.{here.key}" if here.path else here.key
        here.value[here.key] = value
        here.key = None
        return path

    def _grow(self, size: int, mark: Any) -> None:
        self._open[-1].size += size
        if self._open[-1].size > 2 * MAX_BYTES:
            self._stop(mark, "With its aliases written out, the file is larger than any that is read.")

    def _refuse_tag(self, event: Any) -> None:
        tag = event.tag
        if tag is not None and tag not in ("!", _TEXT_TAG):
            self.fault(event.start_mark, f"Tags are not read: remove {shown(tag)}.")


def _meaning(plain: str) -> Any:
    """What a word without quotes means: nothing, true, false, a whole number, or itself."""
    if plain in _NULLS:
        return None
    if plain in _BOOLEANS:
        return _BOOLEANS[plain]
    return int(plain) if _WHOLE.fullmatch(plain) else plain


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes blocks, long lines, and quotes wherever any reader of YAML could take a text for something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value else "'" if _ONLY_IN_CORE.fullmatch(value) or value in _NULLS else None
    return dumper.represent_scalar(_TEXT_TAG, value, style=style)


class Flow(dict[str, Any]):
    """A mapping that is written on one line."""


_Dumper.add_representer(str, _text)
_Dumper.add_representer(
    Flow, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)


def write(document: dict[str, Any]) -> str:
    """A document as YAML for people: a blank line before each section, small mappings on one line."""
    parts = []
    for name, value in document.items():
        body = yaml.dump(
            {name: _flowing(value)},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=118,
        )
        parts.append(body if isinstance(value, int | str) else "\n" + body)
    return "".join(parts)


def _flowing(value: Any, inside_list: bool = False) -> Any:
    if isinstance(value, dict):
        if inside_list and all(not isinstance(inner, dict | list) for inner in value.values()):
            return Flow(value)
        return {name: _flowing(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_flowing(inner, True) for inner in value]
    return value
