"""Requests of the workbench: prepared from an operation, filled in as a form and as JSON, checked, tried, saved.

Form and JSON are one body: a script keeps them in step, and without one a button takes the form's fields over. What is
wrong comes from the API's own check, as one types or by a button.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from offhook.console.apis import API, address
from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked
from offhook.console.visit import Visit

HERE = "/console/requests"
V1 = "/api/offhook/v1"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
GROUPS = (("path_parameters", "Path parameters"), ("query", "Query parameters"), ("headers", "Headers"))
MOST_FIELDS = 150
SPARE_ROWS = 1
MOST_ROWS = 200
_PLAIN = re.compile(r"[^\[\]{}]+")
_ROW = re.compile(r"(path_parameters|query|headers)\.(\d{1,3})\.(name|value|on)")


class Cell(NamedTuple):
    """A field of the body in the form: its row of the reference, its place in the JSON, what stands there, choices."""

    row: Mapping[str, Any]
    path: str
    value: str
    choices: tuple[str, ...]


@dataclass(slots=True)
class Editor:
    """The page: the request, what its document says, and what was found out about it."""

    request: dict[str, Any]
    saved: dict[str, Any] = field(default_factory=dict)
    values: str = ""
    reference: Mapping[str, Any] | None = None
    checked: Mapping[str, Any] | None = None
    run: Mapping[str, Any] | None = None
    refusal: str = ""
    notices: Sequence[Any] = ()
    status: int = 200


async def listed(visit: Visit) -> Answer:
    """`GET /console/requests?collection=…`."""
    cursor, collection = visit.query.get("cursor", ""), visit.query.get("collection")
    query = {"cursor": cursor} if cursor else {}
    if collection is not None:
        query["collection"] = collection
    page = await visit.inside.get(f"{V1}/requests", query)
    collections = await visit.inside.get(f"{V1}/request-collections")
    return visit.page(
        "requests.html", here="requests", requests=page.get("items", []), cursor=page.get("cursor", ""),
        collections=collections["items"], collection=collection, first=not cursor,
    )  # fmt: skip


async def blank(visit: Visit) -> Answer:
    """`GET /console/requests/new?api=…&operation=…`, or `?run=…`: as the operation prepares it, as it was, or empty."""
    if visit.query.get("run", "").isdecimal():
        run = await visit.inside.get(f"{V1}/runs/{visit.query['run'][:18]}")
        return await _page(visit, Editor(_again(run)))
    api, key = visit.query.get("api", ""), visit.query.get("operation", "")
    request: dict[str, Any] = {"method": "GET"}
    if api and key:
        version = {"version": visit.query["version"]} if visit.query.get("version") else {}
        place = f"{API}/{quote(api, safe='')}/operations/{quote(key, safe='')}/prepared"
        request = (await visit.inside.get(place, version))["request"]
    return await _page(visit, Editor(request))


async def kept(visit: Visit) -> Answer:
    """`GET /console/requests/{id}`: a saved request."""
    id, number = visit.params["id"], visit.query.get("version", "")
    saved = await visit.inside.get(f"{V1}/requests/{id}")
    request = saved["request"]
    if number.isdecimal():
        request = (await visit.inside.get(f"{V1}/requests/{id}/versions/{number[:18]}"))["request"]
    return await _page(visit, Editor(request, saved=saved))


async def sent(visit: Visit) -> Answer:
    """`POST /console/requests/new` and `…/{id}`: checked, tried, saved, or read from curl."""
    form = dict(visit.form)
    verb = form.get("do", "check")
    if verb == "curl":
        return await _from_curl(visit, form)
    editor = Editor(of_form(form), values=form.get("values", ""))
    if id := visit.params.get("id", ""):
        editor.saved = await visit.inside.get(f"{V1}/requests/{id}")
    values = _values(editor)
    if verb in ("test", "start") and values is not None:
        # A script begins it and looks again; without one the answer is waited for.
        body: dict[str, Any] = {"request": editor.request, "values": values, "wait": verb == "test"}
        if id:
            body["saved_id"] = id
        asked = await visit.inside.ask("POST", f"{V1}/runs", body=body)
        _note(editor, asked)
        editor.run = asked.document if asked.ok else None
    elif verb in ("save", "save_new"):
        saving: dict[str, Any] = {
            "name": form.get("name", "").strip(),
            "collection": form.get("collection", "").strip(),
        }
        saving["request"] = editor.request
        new = verb == "save_new" or not id
        place = f"{V1}/requests" if new else f"{V1}/requests/{id}"
        asked = await visit.inside.ask("POST" if new else "PUT", place, body=saving)
        if asked.ok:
            return redirect(f"{HERE}/{asked.document['id']}")
        _note(editor, asked)
        editor.saved = {**editor.saved, **saving}
    return await _page(visit, editor, values)


async def _from_curl(visit: Visit, form: Mapping[str, str]) -> Answer:
    asked = await visit.inside.ask("POST", f"{V1}/requests/from-curl", body={"curl": form.get("curl", "")})
    editor = Editor(asked.document["request"] if asked.ok else {"method": "GET"})
    _note(editor, asked)
    editor.notices = asked.notices
    return await _page(visit, editor, curl=form.get("curl", ""))


def _again(run: Mapping[str, Any]) -> dict[str, Any]:
    """The request of a run as it was asked for; of an older run no more than how it was sent."""
    if run.get("prepared"):
        return dict(run["prepared"])
    parts = urlsplit(run["request"]["url"])
    server = f"{parts.scheme}://{parts.netloc}"
    return {"method": run["request"]["method"], "server": server, "path": parts.path or "/"}


async def delete(visit: Visit) -> Answer:
    """`POST /console/requests/{id}/delete`."""
    await visit.inside.do("DELETE", f"{V1}/requests/{visit.params['id']}")
    return redirect(HERE)


def _note(editor: Editor, asked: Asked) -> None:
    if not asked.ok:
        editor.refusal, editor.status = asked.message, asked.status
        found = [{"location": one.location, "message": one.message} for one in asked.violations]
        editor.checked = {"faults": found}


def _values(editor: Editor) -> dict[str, Any] | None:
    """The trial values of expressions, None with a refusal if they are no JSON object."""
    try:
        found = msgspec.json.decode(editor.values.strip() or "{}")
        if isinstance(found, dict):
            return found
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pass
    editor.refusal, editor.status = "Trial values must be a JSON object.", 400
    return None


async def _page(visit: Visit, editor: Editor, values: dict[str, Any] | None = None, curl: str = "") -> Answer:
    request = editor.request
    if request.get("api") and request.get("operation"):
        place = f"{API}/{quote(request['api'], safe='')}/operations/{quote(request['operation'], safe='')}"
        version = {"version": request["version"]} if request.get("version") else {}
        asked = await visit.inside.ask("GET", place, version)
        editor.reference = asked.document if asked.ok else None
    if editor.checked is None and (request.get("server") or request.get("path")):
        asked = await visit.inside.ask(
            "POST", f"{V1}/requests/check", body={"request": request, "values": values or {}}
        )
        editor.checked = asked.document if asked.ok else None
    credentials = await visit.inside.ask("GET", f"{V1}/credentials")
    versions: list[Any] = []
    if editor.saved.get("id"):
        listed = await visit.inside.ask("GET", f"{V1}/requests/{editor.saved['id']}/versions")
        versions = listed.document["items"] if listed.ok else []
    reference = editor.reference["reference"] if editor.reference else {}
    return visit.page(
        "request.html", here="requests", status=editor.status, it=editor, request=request, methods=METHODS,
        groups=[(name, title, _rows(request.get(name, ()))) for name, title in GROUPS if _shows(name, request)],
        curl=curl, versions=versions,
        servers=[one["url"] for one in reference.get("servers", ())], cells=_cells(request, reference),
        credentials=credentials.document.get("items", []) if credentials.ok else [], address=address,
        into_workflow=visit.may("workflows:write"),
        medias=[one["media"] for one in reference.get("bodies", ())], faults=_by_place(editor.checked),
    )  # fmt: skip


def _by_place(checked: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return list(checked.get("faults", ())) if checked else []


def _shows(name: str, request: Mapping[str, Any]) -> bool:
    """Whether a group of parameters has a place: those of the path, where the path has any."""
    return name != "path_parameters" or bool(request.get(name)) or "{" in request.get("path", "")


def _rows(pairs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [*pairs, *({"name": "", "value": "", "on": True} for _ in range(SPARE_ROWS))]


def of_form(form: Mapping[str, str]) -> dict[str, Any]:
    """The request that a form holds."""
    found: dict[str, Any] = {
        name: form.get(name, "")
        for name in ("api", "version", "operation", "method", "server", "path", "media", "body", "credential_id")
    }
    found["body"] = found["body"].replace("\r\n", "\n")
    if form.get("scripted") != "yes":
        # Without a script nothing has taken over what was filled into the form's fields.
        found["body"] = _taken(found["body"], form)
    rows: dict[str, dict[int, dict[str, Any]]] = {name: {} for name, _ in GROUPS}
    for name, value in form.items():
        if match := _ROW.fullmatch(name):
            rows[match[1]].setdefault(int(match[2]), {})[match[3]] = value
    for name, some in rows.items():
        found[name] = [
            {"name": one.get("name", "").strip(), "value": one.get("value", ""), "on": one.get("on") == "yes"}
            for _, one in sorted(some.items())[:MOST_ROWS]
            if one.get("name", "").strip()
        ]
    return found


# The body as a form


def _cells(request: Mapping[str, Any], reference: Mapping[str, Any]) -> list[Cell]:
    """The fields of a JSON body that have a place of their own: no lists, no alternatives, nothing only in answers."""
    bodies = reference.get("bodies", ())
    body = next((one for one in bodies if one["media"] == request.get("media")), None)
    if body is None or "json" not in body["media"]:
        return []
    try:
        held = json.loads(request.get("body") or "{}")
    except (ValueError, RecursionError):
        held = {}
    fields = body.get("fields", ())
    objects = {row["name"] for row in fields if "Object" in row["type"]}
    found = []
    for row in fields:
        path = row["name"]
        parent = path.rpartition(".")[0]
        # A dot may be part of a name: then there is no object before it.
        if not _PLAIN.fullmatch(path) or (parent and parent not in objects):
            continue
        if row["type"] in ("Object", "Array") or row.get("choice") or row.get("read_only"):
            continue
        value = _written(_at(held, path))
        choices = [_plain(one) for one in row.get("values", ())]
        if choices and value and value not in choices:
            choices.append(value)
        found.append(Cell(row, path, value, tuple(choices)))
    return found[:MOST_FIELDS]


def _plain(text: str) -> str:
    """A possible value, which is JSON, as a form shows it."""
    try:
        return _written(json.loads(text))
    except ValueError:
        return text


def _at(held: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(held, dict) or part not in held:
            return None
        held = held[part]
    return held


def _written(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _taken(text: str, form: Mapping[str, str]) -> str:
    """The JSON with what was changed in the form's fields; as it was, if it is none."""
    changed = {
        name[2:]: value for name, value in form.items() if name.startswith("f:") and value != form.get("o:" + name[2:])
    }
    try:
        held = json.loads(text or "{}")
        if not changed or not isinstance(held, dict):
            return text
        for path, value in changed.items():
            _put(held, path, value, form.get("t:" + path, "String"))
        return json.dumps(held, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


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
