"""From bytes to a tree: text in whatever encoding, JSON or YAML, read within limits and without running anything.

A tree has dicts with keys of text, lists, text, numbers that JSON can carry, booleans and None. Parts of it may be
shared (YAML aliases): whoever changes a tree makes a new one.
"""

import codecs
import json
import math
import re
from typing import Any

from offhook.catalog.documents import yaml_text
from offhook.catalog.documents.limits import (
    MIB,
    MOST_BYTES,
    MOST_NODES,
    Problems,
    check_tree,
    refused,
    too_deep,
    too_many,
)
from offhook.kit.errors import Invalid

_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zstd"}
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LONE = re.compile(r"\\u[dD][89a-fA-F]")


def parse(raw: bytes, problems: Problems) -> Any:
    """The tree in `raw`. Invalid, with line and column where there are any, if it is neither JSON nor YAML, packed, or
    beyond a limit; what was mended goes to `problems`."""
    if len(raw) > MOST_BYTES:
        raise refused(f"The document may have {MOST_BYTES // MIB} MiB; this one has {len(raw) / MIB:.1f}. Split it.")
    for start, name in _PACKED.items():
        if raw.startswith(start):
            raise refused(f"The document is packed with {name}; unpack it and send the JSON or YAML itself.")
    text = _decoded(raw, problems)
    if not text.strip():
        raise refused("The document is empty; send an OpenAPI or Swagger document as JSON or YAML.")
    if text.lstrip()[:1] not in ("{", "["):
        return yaml_text.parse(text, problems)
    try:
        return _json(text, problems)
    except json.JSONDecodeError as error:
        fault = refused(f"Not JSON: {error.msg}.", f"line {error.lineno}, column {error.colno}")
    try:
        # What begins like JSON may be YAML in braces, or JSON with a comma too many, which YAML takes.
        tree = yaml_text.parse(text, problems)
    except Invalid:
        raise fault from None
    problems.note("", f"{fault.violations[0].location}: {fault.violations[0].message} It was read as YAML.")
    return tree


def _decoded(raw: bytes, problems: Problems) -> str:
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-32"
    elif raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        name = encoding.removesuffix("-sig").upper()
        problems.note("", f"Line {line} is not {name}; what could not be read is shown as \N{REPLACEMENT CHARACTER}.")
        return raw.decode(encoding, "replace")


def _json(text: str, problems: Problems) -> Any:
    _check_count(text)

    def entries(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    problems.note("", f'The key "{name}" stands more than once in one object; the last one is taken.')
                seen.add(name)
        return found

    try:
        tree = json.loads(
            text,
            strict=False,
            object_pairs_hook=entries,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=lambda word: word,
        )
    except RecursionError:
        raise too_deep() from None
    check_tree(tree)
    if _LONE.search(text):
        tree = _paired(tree)
    return tree


def _check_count(text: str) -> None:
    """Before anything is built: every value of JSON but the first comes behind a comma or a bracket."""
    raw = text.encode("utf-8", "replace")
    if sum(map(raw.count, (b",", b"[", b"{"))) < MOST_NODES:
        return
    bare = _STRING.sub(b"", raw)
    if sum(map(bare.count, (b",", b"[", b"{"))) >= MOST_NODES:
        raise too_many()


def _whole(text: str) -> int | float | str:
    if len(text) < 19:
        return int(text)
    return number_of(text)


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def number_of(text: str) -> int | float | str:
    """A whole number that 64 bits hold, else the nearest float, else the text."""
    if len(text) < 25:
        number = int(text)
        if -(2**63) <= number < 2**64:
            return number
    return _number(text)


def _paired(value: Any) -> Any:
    """The same without halves of surrogate pairs, which no text on the wire can have."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_paired(name): _paired(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_paired(inner) for inner in value]
    return value
