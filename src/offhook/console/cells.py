"""The body of a request as a form: an input for every field that has one place in its JSON, and what has none. Pure.

Bodies of forms are a JSON object of their fields here, so they are filled in likewise.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from offhook.catalog.requests.model import FORM, MULTIPART, is_json, media_of

MOST_FIELDS = 150
MOST_NAMED = 60
_PLAIN = re.compile(r"[^\[\]{}]+")
_STEP = re.compile(r"\.|\[\]|\{\}")


class Cell(NamedTuple):
    """A field in the form: its row of the reference, its place in the JSON, what the JSON has, what is shown, choices.

    The two differ only if the JSON could not take what was filled in.
    """

    row: Mapping[str, Any]
    path: str
    held: str
    value: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """The form: its fields, rows of the reference that are in the JSON only, and how many more there are.

    `fault` says why the JSON cannot be filled in by the form, `unheard` which fields wait for it to be mended.
    """

    cells: Sequence[Cell] = ()
    others: Sequence[Mapping[str, Any]] = ()
    more: int = 0
    fault: str = ""
    unheard: Sequence[str] = ()

    @property
    def without(self) -> int:
        """How many fields the form does not have."""
        return len(self.others) + self.more


def form(request: Mapping[str, Any], reference: Mapping[str, Any], typed: Mapping[str, str]) -> Form:
    """The form for a request's body, by what its document says of the body's media type.

    `typed` are the inputs of a form that the JSON could not take, and which are shown as they were left.
    """
    bodies = reference.get("bodies", ())
    body = next((one for one in bodies if one["media"] == request.get("media")), None)
    if body is None:
        return Form()
    fields = [row for row in body.get("fields", ()) if not row.get("read_only")]
    more = body.get("more_fields", 0) + body.get("more_choices", 0)
    if not is_json(body["media"]) and media_of(body["media"]) not in (FORM, MULTIPART):
        leaves = _leaves(fields)
        return Form((), leaves[:MOST_NAMED], more + max(0, len(leaves) - MOST_NAMED))
    held, fault = _read(request.get("body", ""))
    objects = {row["name"] for row in fields if "Object" in row["type"]}
    cells: list[Cell] = []
    others: list[Mapping[str, Any]] = []
    for row in _leaves(fields):
        if len(cells) < MOST_FIELDS and _has_a_place(row, objects):
            cells.append(_cell(row, held, typed))
        else:
            others.append(row)
    unheard = [cell.path for cell in cells if cell.value != cell.held]
    return Form(cells, others[:MOST_NAMED], more + max(0, len(others) - MOST_NAMED), fault, unheard)


def choices(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a field may have, as a form shows them; empty if it may have any."""
    values = tuple(_plain(one) for one in row.get("values", ()))
    return values or (("true", "false") if row.get("type") == "Boolean" else ())


def taken(text: str, given: Mapping[str, str]) -> str | None:
    """The JSON with what was changed in the form's fields; None if something was, and it is no JSON to take it."""
    changed = {
        name[2:]: value
        for name, value in given.items()
        if name.startswith("f:") and value != given.get("o:" + name[2:])
    }
    if not changed:
        return text
    held, fault = _read(text)
    if fault:
        return None
    for path, value in changed.items():
        _put(held, path, value, given.get("t:" + path, "String"))
    return json.dumps(held, indent=2, ensure_ascii=False)


def _read(text: str) -> tuple[dict[str, Any], str]:
    try:
        held = json.loads(text.strip() or "{}")
    except json.JSONDecodeError as fault:
        return {}, f"The JSON cannot be read: line {fault.lineno}, column {fault.colno}."
    except (ValueError, RecursionError):
        return {}, "The JSON cannot be read."
    return (held, "") if isinstance(held, dict) else ({}, "The JSON is no object, which the form could fill in.")


def _leaves(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of fields in which no other has a row."""
    around = {row["name"][: step.start()] for row in rows for step in _STEP.finditer(row["name"])}
    return [row for row in rows if row["name"] not in around]


def _has_a_place(row: Mapping[str, Any], objects: set[str]) -> bool:
    """Whether there is one place for it in the JSON: not in a list, no alternative, no name that is free."""
    path = row["name"]
    parent = path.rpartition(".")[0]
    # A dot may be part of a name: then there is no object before it.
    if not _PLAIN.fullmatch(path) or (parent and parent not in objects):
        return False
    return row["type"] not in ("Object", "Array") and not row.get("choice")


def _cell(row: Mapping[str, Any], held: Mapping[str, Any], typed: Mapping[str, str]) -> Cell:
    path = row["name"]
    was = typed.get("o:" + path, _written(_at(held, path)))
    value = typed.get("f:" + path, was)
    several = choices(row)
    if several and value and value not in several:
        several = (*several, value)
    return Cell(row, path, was, value, several)


def _plain(text: str) -> str:
    """A possible value, which is JSON, as a form shows it."""
    try:
        return _written(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _at(held: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(held, dict) or part not in held:
            return None
        held = held[part]
    return held


def _written(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _put(held: dict[str, Any], path: str, text: str, kind: str) -> None:
    *way, own = path.split(".")
    for part in way:
        inner = held.get(part)
        if not isinstance(inner, dict):
            if text == "":
                return
            inner = held[part] = {}
        held = inner
    if text == "":
        held.pop(own, None)
        return
    held[own] = _meant(text, kind)


def _meant(text: str, kind: str) -> Any:
    if kind.startswith("String"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
