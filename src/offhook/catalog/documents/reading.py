"""A document as it comes in: parsed, brought into the shape of 3.1, its problems listed. Pure.

Real documents break rules. Whatever can be used is kept; refused is only what is no API document at all.
"""

import re
from dataclasses import dataclass
from typing import Any

from offhook.catalog.documents.checking import check
from offhook.catalog.documents.limits import Problems, check_tree, refused
from offhook.catalog.documents.parsing import parse
from offhook.catalog.documents.upgrading import upgraded
from offhook.catalog.model import Problem, pointer_to
from offhook.kit.errors import shown

_KEYS = ("openapi", "swagger", "paths", "webhooks")
_TITLE = 256
_UNSHOWN = re.compile("[\0\ud800-\udfff]")
_MAY_BE_UNSHOWN = re.compile(rb"\0|\\u0000|\\[uU](?:0000)?[dD][89a-fA-F]|\\0|\\x00|\xed[\xa0-\xbf]")
_NOT_SHOWN = "It has NUL characters, or halves of surrogate pairs; they are shown as \N{REPLACEMENT CHARACTER}."


@dataclass(frozen=True, slots=True)
class Read:
    """A document that was read. `tree` has the shape of OpenAPI 3.1; `kind` says what it was written in."""

    tree: dict[str, Any]
    kind: str
    title: str
    version: str
    description: str
    problems: tuple[Problem, ...]


def read(raw: bytes, name: str = "") -> Read:
    """Read a document; `name`, such as that of its file, is its title where it has none.

    Invalid, with line and column where there are any, if it is neither JSON nor YAML, over 50 MiB, 200 levels or 3
    million values, or no API document.
    """
    problems = Problems()
    tree = parse(raw, problems)
    if not isinstance(tree, dict):
        what = {list: "a list", str: "text", type(None): "empty"}.get(type(tree), "a single value")
        raise refused(f"The document is {what}; it must be an object with openapi or swagger, info and paths.")
    if not any(key in tree for key in _KEYS):
        more = " Swagger 1.x is not read; convert it to 2.0 or later." if "swaggerVersion" in tree else ""
        found = ", ".join(shown(key) for key in list(tree)[:5]) or "nothing"
        text = f"This is no API document: it has neither openapi, swagger, paths nor webhooks, but {found}.{more}"
        raise refused(text)
    kind = _kind(tree, problems)
    if kind.startswith("Swagger"):
        tree = upgraded(tree, problems)
        check_tree(tree)
    tree = _mended(tree, problems)
    check(tree, problems)
    if _MAY_BE_UNSHOWN.search(raw):
        _note_what_is_not_shown(tree, problems)
    info = tree["info"]
    return Read(
        tree=tree,
        kind=kind,
        title=_line(info.get("title")) or _line(name) or "Untitled",
        version=_line(info.get("version")),
        description=info["description"] if isinstance(info.get("description"), str) else "",
        problems=problems.listed(),
    )


def _kind(tree: dict[str, Any], problems: Problems) -> str:
    if "openapi" in tree:
        version = _line(tree["openapi"])
        if not version.startswith("3."):
            problems.note("/openapi", f"The version {shown(version)} is not known; it is read as 3.1.")
        return f"OpenAPI {version or '3.1.0'}"
    if "swagger" in tree:
        version = _line(tree["swagger"])
        if version.startswith("3."):
            problems.note("/swagger", f"The version {version} stands under swagger; it belongs under openapi.")
            return f"OpenAPI {version}"
        if version not in ("2.0", "2"):
            problems.note("/swagger", f"The version {shown(version)} is not known; it is read as 2.0.")
        return "Swagger 2.0"
    old = any(key in tree for key in ("definitions", "host", "basePath", "securityDefinitions"))
    kind = "Swagger 2.0" if old else "OpenAPI 3.1.0"
    problems.note("", f"It does not say what it is written in (openapi or swagger); it is read as {kind}.")
    return kind


def _mended(tree: dict[str, Any], problems: Problems) -> dict[str, Any]:
    """The same with an `info` and `paths` that are objects, and paths that begin with a slash."""
    mended = dict(tree)
    info = mended.get("info")
    if not isinstance(info, dict):
        problems.note("/info", "info is missing." if info is None else "info must be an object.")
        mended["info"] = {}
    paths = mended.get("paths")
    if not isinstance(paths, dict):
        if "webhooks" not in mended or paths is not None:
            problems.note("/paths", "paths is missing." if paths is None else "paths must be an object; it is ignored.")
        mended["paths"] = {}
    elif any(not path.startswith(("/", "x-")) for path in paths):
        kept: dict[str, Any] = {}
        for path, item in paths.items():
            slashed = path if path.startswith(("/", "x-")) else f"/{path}"
            if slashed != path:
                problems.note("/paths", f"The path {shown(path)} does not begin with a slash; one was put in front.")
            if slashed in kept:
                problems.note("/paths", f"The path {shown(slashed)} stands twice; the first is taken.")
                continue
            kept[slashed] = item
        mended["paths"] = kept
    return mended


def _note_what_is_not_shown(tree: dict[str, Any], problems: Problems) -> None:
    """Note the places of texts with NUL characters and halves of surrogate pairs."""
    waiting: list[tuple[str, Any]] = [("", tree)]
    while waiting and not problems.full:
        pointer, value = waiting.pop()
        if isinstance(value, str):
            if _UNSHOWN.search(value):
                problems.note(pointer, _NOT_SHOWN)
        elif isinstance(value, dict):
            for name, inner in value.items():
                place = f"{pointer}{pointer_to(name)}"
                if _UNSHOWN.search(name):
                    problems.note(place, _NOT_SHOWN)
                waiting.append((place, inner))
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{number}", inner) for number, inner in enumerate(value)]


def _line(value: Any) -> str:
    """Text or a number as one short line; nothing for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())[:_TITLE]
