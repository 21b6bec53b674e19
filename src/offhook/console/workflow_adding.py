"""From the workbench into a workflow: a saved or a prepared request becomes an HTTP task of a definition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from offhook.catalog.requests import wire
from offhook.console import cells, requests
from offhook.console.frame import Answer, redirect
from offhook.console.visit import Visit
from offhook.console.workflows import API, WRITE, address, object_of, place
from offhook.kit.errors import Notice
from offhook.workflows.definitions.adding import opened
from offhook.workflows.definitions.model import converted, every

V1 = "/api/offhook/v1"
REQUESTS = f"{V1}/requests"


@dataclass(slots=True)
class Adding:
    """The form: the request as JSON, the saved request that it is if it is one, and where the task goes."""

    request: str
    saved: str = ""
    called: str = ""
    workflow: str = ""
    new: str = ""
    after: str = ""
    refusal: str = ""
    faults: tuple[Mapping[str, str], ...] = ()
    status: int = 200


async def of_saved(visit: Visit) -> Answer:
    """`GET /console/workflows/add?saved=…`: of a saved request."""
    saved = await visit.inside.get(f"{REQUESTS}/{visit.query.get('saved', '')[:19] or 0}")
    return await _page(visit, Adding(json.dumps(saved["request"]), saved=saved["id"], called=saved["name"]))


async def sent(visit: Visit) -> Answer:
    """`POST /console/workflows/add`: of a request that is being prepared; then the choice, then the task."""
    form = dict(visit.form)
    if "request" not in form:
        return await _prepared(visit, form)
    adding = Adding(
        form["request"], form.get("saved", ""), form.get("called", ""), form.get("workflow", ""),
        form.get("new", "").strip(), form.get("after", ""),
    )  # fmt: skip
    if form.get("do") != "add":
        return await _page(visit, adding)
    request = object_of(adding.request)
    name = adding.workflow or adding.new
    if not name or request is None:
        adding.refusal, adding.status = "Choose a workflow, or name a new one.", 400
        return await _page(visit, adding)
    body: dict[str, Any] = {"saved_request": adding.saved} if adding.saved else {"request": request}
    if not adding.workflow:
        body["create"] = True
    elif adding.after:
        body["after"] = adding.after
    if adding.called and not adding.saved:
        body["name"] = adding.called
    if not adding.workflow and (await visit.inside.ask("GET", place(name))).ok:
        adding.refusal, adding.status = f"There is a workflow {name} already; choose it from the list.", 409
        return await _page(visit, adding)
    asked = await visit.inside.ask("POST", place(name, "tasks"), body=body)
    if not asked.ok:
        adding.refusal, adding.status = asked.message, asked.status
        adding.faults = tuple({"location": one.location, "message": one.message} for one in asked.violations)
        return await _page(visit, adding)
    return redirect(address(name))


async def _prepared(visit: Visit, form: Mapping[str, str]) -> Answer:
    request = requests.of_form(form)
    if form.get("scripted") != "yes":
        # Without a script nothing has taken over what was filled into the form's fields.
        request["body"] = cells.taken(request["body"], form) or request["body"]
    id = form.get("saved_id", "")
    if id.isdecimal():
        saved = await visit.inside.ask("GET", f"{REQUESTS}/{id[:19]}")
        if saved.ok and _same(saved.document["request"], request):
            called = saved.document["name"]
            return await _page(visit, Adding(json.dumps(request), saved=saved.document["id"], called=called))
    return await _page(visit, Adding(json.dumps(request), called=form.get("name", "").strip()[:200]))


def _same(saved: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether a request is the saved one; what is left out there is empty here."""
    names = {*saved, *request} - {"name"}
    return all(_plain(saved.get(one)) == _plain(request.get(one)) for one in names)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [(one.get("name"), one.get("value", ""), one.get("on", True)) for one in value] or ""
    return value or ""


async def _page(visit: Visit, adding: Adding) -> Answer:
    page = await visit.inside.get(f"{API}/definitions")
    refs: list[tuple[str, str]] = []
    if adding.workflow:
        found = await visit.inside.ask("GET", place(adding.workflow))
        if found.ok:
            refs = [(task.ref, task.type) for _, task in every(converted(found.document["definition"]).tasks)]
        else:
            adding.refusal, adding.status = found.message, found.status
    request = object_of(adding.request) or {}
    address_of, notes = await _opened(visit, request, kept=bool(adding.saved))
    return visit.page(
        "workflow_add.html", here="workflows", status=adding.status, it=adding, request=request,
        definitions=page["items"], refs=refs, address=address, writes=visit.may(WRITE), goes_to=address_of, notes=notes,
    )  # fmt: skip


async def _opened(visit: Visit, request: Mapping[str, Any], *, kept: bool) -> tuple[str, list[Notice]]:
    """The address that the task asks, and what of the request was made up or left open."""
    try:
        prepared = wire.prepared(msgspec.convert(request, wire.PreparedIO), "request", [])
    except msgspec.ValidationError:
        return "", []
    fresh, made_up = None, []
    if prepared.api and prepared.operation:
        api, key = (quote(one, safe="") for one in (prepared.api, prepared.operation))
        version = {"version": prepared.version} if prepared.version else {}
        asked = await visit.inside.ask("GET", f"{V1}/apis/{api}/operations/{key}/prepared", version)
        if asked.ok:
            fresh = wire.prepared(msgspec.convert(asked.document["request"], wire.PreparedIO), "request", [])
            made_up = asked.document.get("made_up", [])
    made, notes = opened(prepared, fresh, made_up, kept=kept)
    path = made.path
    for pair in made.path_parameters:
        for way in ("", ".", ";"):
            path = path.replace(f"{{{way}{pair.name}}}", pair.value).replace(f"{{{way}{pair.name}*}}", pair.value)
    return made.server.rstrip("/") + path, notes
