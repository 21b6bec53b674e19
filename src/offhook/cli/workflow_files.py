"""Files of workflow definitions and inputs, as JSON or YAML, and where in them a fault stands.

What a file means is the server's to judge; here it becomes a value without losing anything: a key that stands twice is
refused, a number stays what it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from offhook.cli.common import read_file
from offhook.client import Refused
from offhook.kit.errors import Invalid, Malformed, Refusal, Violation, shown
from offhook.kit.wire import json_fault, parse

MOST_BYTES = 4_000_000
"""Of a file; a definition may have fewer, which the server says."""

_NAMED = re.compile(r".*\.(json|ya?ml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read. `places` are lines and columns, from 1, by paths as "tasks[0].type"."""

    file: Path
    value: dict[str, Any]
    places: Mapping[str, tuple[int, int]]

    def where(self, path: str) -> tuple[int, int] | None:
        """Where a path stands, or the nearest part around it that does; `definition.` before it is left out."""
        path = path.removeprefix("definition.")
        while path:
            if path in self.places:
                return self.places[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None

    def at(self, path: str) -> dict[str, int]:
        """The same as fields of a JSON answer."""
        found = self.where(path)
        return {"line": found[0], "column": found[1]} if found else {}

    def placed(self, path: str) -> str:
        """A path with its line, for people."""
        found = self.where(path)
        path = path.removeprefix("definition.")
        return f"line {found[0]}, column {found[1]}: {path}" if found else path

    def mended(self, refused: Refused) -> Refused:
        """A refusal whose places are those of the file."""
        if not refused.violations:
            return refused
        for entry in refused.document["error"]["errors"]:
            entry |= self.at(entry.get("location", ""))
        found = [msgspec.structs.replace(one, location=self.placed(one.location)) for one in refused.violations]
        count = "One place" if len(found) == 1 else f"{len(found):,} places"
        message = f"{count} of {self.file} must be mended." if refused.code == Invalid.status else refused.message
        return Refused(refused.code, message, found, refused.document, refused.retry_after)


def is_file(word: str) -> bool:
    """Whether a word that may be a file or a name is meant as a file."""
    return word == "-" or _NAMED.fullmatch(word) is not None or ("/" in word and Path(word).is_file())


def read(file: Path) -> Source:
    """A file that holds an object. Malformed, with line and column, if it is neither JSON nor YAML."""
    raw = read_file(file)
    if len(raw) > MOST_BYTES:
        raise Refusal(f"{file} has {len(raw):,} bytes; at most {MOST_BYTES:,} are read.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(file, [(f"line {line}", "This is not UTF-8; save the file in that encoding.")]) from None
    is_json = text.lstrip()[:1] in ("{", "[")
    value = _json(file, text) if is_json else _yaml(file, raw)
    if not isinstance(value, dict):
        raise Refusal(f"{file} must hold an object, with a name before each value.")
    return Source(file, value, _places(file, raw, refusing=not is_json))


def _unreadable(file: Path, faults: Sequence[tuple[str, str]]) -> Malformed:
    count = "One place" if len(faults) == 1 else f"{len(faults):,} places"
    found = [Violation(location=place, message=text) for place, text in faults]
    return Malformed(f"{count} of {file} must be mended.", found)


def _json(file: Path, text: str) -> Any:
    fault = json_fault(text.encode())
    if fault is not None:
        what, line, column = fault
        raise _unreadable(file, [(f"line {line}, column {column}", f"Not JSON: {what}.")])
    try:
        return parse(text.encode()).value
    except Malformed as refusal:
        faults = [(one.location, one.message) for one in refusal.violations] or [("", refusal.message)]
        raise _unreadable(file, faults) from None


def _yaml(file: Path, raw: bytes) -> Any:
    from offhook.catalog.documents.limits import Problems
    from offhook.catalog.documents.parsing import parse as parse_yaml

    try:
        return parse_yaml(raw, Problems())
    except Invalid as refusal:
        raise _unreadable(file, [(one.location, one.message) for one in refusal.violations]) from None


def _places(file: Path, raw: bytes, *, refusing: bool) -> Mapping[str, tuple[int, int]]:
    from offhook.configuration import text

    try:
        return text.read(raw).places
    except Malformed as refusal:
        if not refusing:
            # JSON that this reader of YAML does not take, as it has \/ in it: it has no lines then.
            return {}
        raise _unreadable(file, [(one.location, one.message) for one in refusal.violations]) from None


# Inputs


def given(pairs: Sequence[str] | None, file: Path | None) -> dict[str, Any]:
    """The input of a run: from a file, and by `name=value` over it. A value that is JSON is taken as JSON."""
    found = dict(read(file).value) if file is not None else {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise Refusal(f"--input is written as NAME=VALUE; {shown(pair)} is not.")
        found[name.strip()] = json_or_text(text)
    return found


def json_or_text(text: str) -> Any:
    """What `text` is as JSON, else itself."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def object_of(text: str | None, option: str) -> dict[str, Any]:
    """An object as it is written behind an option, or in the file that @FILE names; {} for none."""
    if text is None:
        return {}
    if text.startswith("@"):
        return read(Path(text[1:])).value
    found = json_or_text(text)
    if not isinstance(found, dict):
        raise Refusal(f"{option} takes a JSON object, such as '{{\"ok\": true}}', or @FILE; {shown(text)} is neither.")
    return found
