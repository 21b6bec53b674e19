"""Requests of the workbench: prepared from an operation, filled in as a form and as JSON, checked, tried, saved.

Form and JSON are one body: a script keeps them in step, and without one a button takes the form's fields over. What is
wrong comes from the API's own check, as one types or by a button.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from offhook.catalog.credentials.redaction import is_private
from offhook.console import cells
from offhook.console.apis import API, address
from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked, Refused
from offhook.console.visit import Visit

HERE = "/console/requests"
V1 = "/api/offhook/v1"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
GROUPS = (("path_parameters", "Path parameters"), ("query", "Query parameters"), ("headers", "Headers"))
MOST_ROWS = 200
_DOCUMENTED = {"path_parameters": "path_parameters", "query": "query_parameters", "headers": "headers"}
_ROWED = tuple(name for name, _ in GROUPS)
_PARTS = (
    ("name", "name"), ("collection", "collection"), ("method", "method"), ("server", "server"), ("path", "path"),
    ("credential_id", "credential"), *((name, title.lower()) for name, title in GROUPS),
    ("media", "Content-Type"), ("body", "body"),
)  # fmt: skip
_GONE = "This saved request was deleted meanwhile. What you filled in is still here: save it as a new one."
_ROW = re.compile(r"(path_parameters|query|headers)\.(\d{1,3})\.(name|value|on)")


class Overtaken(NamedTuple):
    """A saved request that somebody else changed meanwhile: its version now, and the parts that are not as here."""

    version: str
    parts: Sequence[str]


@dataclass(slots=True)
class Editor:
    """The page: the request, what its document says, and what was found out about it.

    `read` is the version of the saved request that the page was made of, `overtaken` what has changed since; `older`
    is the version before it that is shown, if it is one. `typed` is what stands in the form's fields, if the JSON could
    not take it.
    """

    request: dict[str, Any]
    saved: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    collection: str = ""
    read: str = ""
    older: str = ""
    overtaken: Overtaken | None = None
    values: str = ""
    reference: Mapping[str, Any] | None = None
    checked: Mapping[str, Any] | None = None
    run: Mapping[str, Any] | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
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
        return await _page(visit, _new(_again(run)))
    api, key = visit.query.get("api", ""), visit.query.get("operation", "")
    request: dict[str, Any] = {"method": "GET"}
    if api and key:
        version = {"version": visit.query["version"]} if visit.query.get("version") else {}
        place = f"{API}/{quote(api, safe='')}/operations/{quote(key, safe='')}/prepared"
        request = (await visit.inside.get(place, version))["request"]
    return await _page(visit, _new(request))


def _new(request: dict[str, Any]) -> Editor:
    return Editor(request, name=request.get("name", ""))


async def kept(visit: Visit) -> Answer:
    """`GET /console/requests/{id}`: a saved request."""
    id, number = visit.params["id"], visit.query.get("version", "")
    saved = await visit.inside.get(f"{V1}/requests/{id}")
    request = saved["request"]
    number = number if number.isdecimal() else ""
    if number:
        request = (await visit.inside.get(f"{V1}/requests/{id}/versions/{number[:18]}"))["request"]
    editor = Editor(request, saved=saved, read=str(saved["version"]))
    editor.name, editor.collection = saved["name"], saved["collection"]
    editor.older = number if number != editor.read else ""
    return await _page(visit, editor)


async def sent(visit: Visit) -> Answer:
    """`POST /console/requests/new` and `…/{id}`: checked, tried, saved, or read from curl."""
    form = dict(visit.form)
    verb = form.get("do", "check")
    if verb == "curl":
        return await _from_curl(visit, form)
    editor = Editor(of_form(form), values=form.get("values", ""), read=form.get("read", ""))
    editor.name, editor.collection = form.get("name", "").strip(), form.get("collection", "").strip()
    id = visit.params.get("id", "")
    if id:
        found = await visit.inside.ask("GET", f"{V1}/requests/{id}")
        if found.ok:
            editor.saved = found.document
        elif found.status == 404:
            # What was filled in is not lost with it.
            editor.refusal, editor.status, id = _GONE, 404, ""
        else:
            raise Refused(found)
    if form.get("scripted") != "yes":
        # Without a script nothing has taken over what was filled into the form's fields.
        taken = cells.taken(editor.request["body"], form)
        if taken is None:
            editor.typed = form
        else:
            editor.request["body"] = taken
    values = _values(editor)
    if editor.refusal == _GONE:
        pass
    elif verb in ("test", "start") and values is not None:
        # A script begins it and looks again; without one the answer is waited for.
        body: dict[str, Any] = {"request": editor.request, "values": values, "wait": verb == "test"}
        if id:
            body["saved_id"] = id
        asked = await visit.inside.ask("POST", f"{V1}/runs", body=body)
        _note(editor, asked)
        editor.run = asked.document if asked.ok else None
    elif verb in ("save", "save_over", "save_new"):
        over = form.get("over", "") if verb == "save_over" else editor.read
        answer = await _save(visit, editor, over, new=verb == "save_new")
        if answer is not None:
            return answer
    return await _page(visit, editor, values)


async def _save(visit: Visit, editor: Editor, over: str, *, new: bool) -> Answer | None:
    """Keep the request, over that version and no other; None if that is refused, which is noted."""
    saving = {"name": editor.name, "collection": editor.collection, "request": editor.request}
    id = editor.saved.get("id", "")
    if new or not id:
        asked = await visit.inside.ask("POST", f"{V1}/requests", body=saving)
    else:
        match = {"if-match": f'"{over}"'} if over.isdecimal() else None
        asked = await visit.inside.ask("PUT", f"{V1}/requests/{id}", body=saving, headers=match)
    if asked.ok:
        return redirect(f"{HERE}/{asked.document['id']}")
    if asked.status == 412:
        parts = [title for name, title in _PARTS if _part(editor.saved, name) != _part(saving, name)]
        editor.overtaken, editor.status = Overtaken(str(editor.saved["version"]), parts), 412
    else:
        _note(editor, asked)
    return None


def _part(saved: Mapping[str, Any], name: str) -> Any:
    if name in ("name", "collection"):
        return saved[name]
    if name in _ROWED:
        return [(one["name"], one.get("value", ""), one.get("on", True)) for one in saved["request"].get(name, ())]
    # What is as usual is left out of an answer.
    return saved["request"].get(name) or ("GET" if name == "method" else "")


async def _from_curl(visit: Visit, form: Mapping[str, str]) -> Answer:
    asked = await visit.inside.ask("POST", f"{V1}/requests/from-curl", body={"curl": form.get("curl", "")})
    editor = _new(asked.document["request"] if asked.ok else {"method": "GET"})
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
        groups=[
            (name, title, _rows(name, request, reference), _names(name, reference))
            for name, title in GROUPS
            if _shows(name, request)
        ],
        curl=curl, versions=versions,
        servers=[one["url"] for one in reference.get("servers", ())], form=cells.form(request, reference, editor.typed),
        credentials=credentials.document.get("items", []) if credentials.ok else [], address=address,
        into_workflow=visit.may("workflows:write"),
        medias=[one["media"] for one in reference.get("bodies", ())], faults=_by_place(editor.checked),
    )  # fmt: skip


def _by_place(checked: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return list(checked.get("faults", ())) if checked else []


def _shows(name: str, request: Mapping[str, Any]) -> bool:
    """Whether a group of parameters has a place: those of the path, where the path has any."""
    return name != "path_parameters" or bool(request.get(name)) or "{" in request.get("path", "")


class Row(NamedTuple):
    """A parameter or header: what is sent, what its document says of it, and whether it tells a secret."""

    name: str
    value: str
    on: bool
    field: Mapping[str, Any]
    choices: tuple[str, ...]
    private: bool


def _rows(group: str, request: Mapping[str, Any], reference: Mapping[str, Any]) -> list[Row]:
    """The rows of a group, and an empty one."""
    fields = {_own(group, one["name"]): one for one in reference.get(_DOCUMENTED[group], ())}
    found = []
    for pair in (*request.get(group, ()), {"name": ""}):
        name, value = pair["name"], pair.get("value", "")
        described = fields.get(_own(group, name), {})
        choices = cells.choices(described)
        if choices and value not in choices:
            choices = (value, *choices) if value else ("", *choices)
        private = group != "path_parameters" and is_private(name) and "${" not in value
        found.append(Row(name, value, pair.get("on", True), described, choices, private))
    return found


def _own(group: str, name: str) -> str:
    """A name as it is compared: those of headers are the same in either case."""
    return name.lower() if group == "headers" else name


def _names(group: str, reference: Mapping[str, Any]) -> list[str]:
    """The names that the document has for a group."""
    return [one["name"] for one in reference.get(_DOCUMENTED[group], ())]


def of_form(form: Mapping[str, str]) -> dict[str, Any]:
    """The request that a form holds."""
    found: dict[str, Any] = {
        name: form.get(name, "")
        for name in ("api", "version", "operation", "method", "server", "path", "media", "body", "credential_id")
    }
    found["body"] = found["body"].replace("\r\n", "\n")
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
