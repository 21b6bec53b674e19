"""Workflow definitions: the list, one of them with its graph and what is to be said of it, and how a run is started."""

import asyncio
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked
from offhook.console.visit import Visit
from offhook.console.workflow_svg import workflow_svg
from offhook.kit.wire import json_fault
from offhook.workflows.definitions.graph import Graph
from offhook.workflows.definitions.inputs import inputs_read
from offhook.workflows.definitions.model import converted, every

HERE = "/console/workflows"
DEFINITIONS = f"{HERE}/definitions"
RUNS = f"{HERE}/runs"
API = "/api/offhook/v1/workflows"
WRITE = "workflows:write"
LATEST = 100
ASKED_ONE_BY_ONE = 20
FEW = 10
MOST_APIS = 20
MOST_FIELDS = 60
MOST_SOURCES = 10
_SOURCE = re.compile(r"(schedule|trigger|hook):(\d{1,19})")


class Field(NamedTuple):
    """An input of a run in the form: its name, its type in JSON Schema, what may stand there, what is said of it."""

    name: str
    kind: str = "string"
    required: bool = False
    about: str = ""
    choices: tuple[str, ...] = ()
    unless: str = ""


@dataclass(slots=True)
class Starting:
    """The form that starts a run, as it was filled in. `key` makes of a form that is sent twice one run."""

    text: str = "{}"
    correlation: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    engine: str = "embedded"
    refusal: str = ""
    faults: Sequence[Mapping[str, str]] = ()
    status: int = 200


class Source(NamedTuple):
    """Where a task came from: its reference name, what its metadata says, and what became of the operation since."""

    ref: str
    said: Mapping[str, Any]
    touched: Mapping[str, Any] | None


def address(name: str, version: int | None = None, part: str = "") -> str:
    """The page of a definition, or a `part` of it."""
    found = f"{DEFINITIONS}/{quote(name, safe='')}" + (f"/{part}" if part else "")
    return found + (f"?version={version}" if version else "")


def place(name: str, part: str = "") -> str:
    """Where the API has a definition, or a `part` of it."""
    return f"{API}/definitions/{quote(name, safe='')}" + (f"/{part}" if part else "")


async def listed(visit: Visit) -> Answer:
    """`GET /console/workflows`: definitions with how their last run stands, and the latest runs."""
    cursor, name = visit.query.get("cursor", ""), visit.query.get("name", "").strip()[:200]
    query = {key: value for key, value in (("name", name), ("cursor", cursor)) if value}
    page = await visit.inside.get(f"{API}/definitions", query)
    runs = await visit.inside.ask("GET", f"{API}/runs", {"limit": str(LATEST)})
    latest: list[dict[str, Any]] = runs.document.get("items", []) if runs.ok else []
    last: dict[str, dict[str, Any]] = {}
    for one in latest:
        last.setdefault(one["workflow"], one)
    if len(latest) == LATEST:
        missing = [one["name"] for one in page["items"] if one["name"] not in last][:ASKED_ONE_BY_ONE]
        found = await asyncio.gather(*(_last_run(visit, each) for each in missing))
        last |= {each: one for each, one in zip(missing, found, strict=True) if one is not None}
    return visit.page(
        "workflows.html", here="workflows", definitions=page["items"], cursor=page.get("cursor", ""),
        first=not cursor, name=name, last=last, runs=latest[:FEW], address=address, writes=visit.may(WRITE),
        sources=await sources_of(visit, latest[:FEW]),
    )  # fmt: skip


async def sources_of(visit: Visit, runs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """What started runs, by their correlation ids: its name, and its page. What is there no more has none."""
    wanted = dict.fromkeys(one.get("correlation_id", "") for one in runs)
    marked = {one: match for one in wanted if (match := _SOURCE.fullmatch(one))}
    chosen = list(marked.items())[:MOST_SOURCES]
    found = await asyncio.gather(*(visit.inside.ask("GET", f"{API}/{match[1]}s/{match[2]}") for _, match in chosen))
    return {
        one: (asked.document["name"], f"{HERE}/starting/{match[1]}s/{match[2]}")
        for (one, match), asked in zip(chosen, found, strict=True)
        if asked.ok
    }


async def _last_run(visit: Visit, name: str) -> dict[str, Any] | None:
    asked = await visit.inside.ask("GET", f"{API}/runs", {"workflow": name, "limit": "1"})
    return next(iter(asked.document["items"]), None) if asked.ok else None


async def definition(visit: Visit, starting: Starting | None = None) -> Answer:
    """`GET /console/workflows/definitions/{name}?version=…`."""
    name, number = visit.params["name"], visit.query.get("version", "")[:10]
    query = {"version": number} if number else {}
    found = await visit.inside.get(place(name), query)
    drawn = msgspec.convert(await visit.inside.get(place(name, "graph"), query), Graph)
    versions = (await visit.inside.get(place(name, "versions")))["items"]
    checked = await visit.inside.ask("POST", f"{API}/definitions/validate", body={"definition": found["definition"]})
    runs = await visit.inside.ask("GET", f"{API}/runs", {"workflow": name, "limit": str(FEW)})
    few = runs.document["items"] if runs.ok else []
    started = await sources_of(visit, few)
    latest = found["version"] == versions[0]["version"]
    sources = await _sources(visit, name, found["definition"], asks=latest)
    starting = starting or Starting()
    starting.key = starting.key or secrets.token_urlsafe(12)
    status = starting.status
    return await asyncio.to_thread(
        lambda: visit.page(
            "workflow.html", here="workflows", status=status, it=found, versions=versions, latest=latest,
            picture=workflow_svg(drawn, f"The tasks of {name}"), sources=sources, starting=starting,
            checked=checked.document if checked.ok else None, runs=few, started=started,
            fields=fields_of(found["definition"]), address=address, writes=visit.may(WRITE),
            text=json.dumps(found["definition"], indent=2, ensure_ascii=False),
        )
    )  # fmt: skip


async def _sources(visit: Visit, name: str, raw: Mapping[str, Any], *, asks: bool) -> list[Source]:
    """Where tasks came from; of the latest version also what became of their operations."""
    found = []
    for _, task in every(converted(raw).tasks):
        said = task.metadata.get("provenance")
        if isinstance(said, dict) and said:
            found.append((task.ref, {key: str(value) for key, value in said.items()}))
    apis = list(dict.fromkeys(said["api"] for _, said in found if said.get("api")))[:MOST_APIS] if asks else []
    touched: dict[str, Mapping[str, Any]] = {}
    for api in apis:
        asked = await visit.inside.ask("GET", f"{API}/definitions/by-api/{quote(api, safe='')}")
        items = asked.document["items"] if asked.ok else []
        touched |= {one["reference_name"]: one for one in items if one["name"] == name}
    return [Source(ref, said, touched.get(ref)) for ref, said in found]


async def export(visit: Visit) -> Answer:
    """`GET /console/workflows/definitions/{name}/export?version=…`: for a stock Conductor server."""
    name, number = visit.params["name"], visit.query.get("version", "")[:10]
    found = await visit.inside.get(place(name, "export"), {"version": number} if number else {})
    text = json.dumps(found["definition"], indent=2, ensure_ascii=False)
    return visit.page(
        "workflow_export.html", here="workflows", name=name, text=text, notices=found["notices"],
        number=found["definition"].get("version"), address=address,
    )  # fmt: skip


async def delete(visit: Visit) -> Answer:
    """`POST /console/workflows/definitions/{name}/delete`: one version."""
    name, number = visit.params["name"], dict(visit.form).get("version", "")
    await visit.inside.do("DELETE", f"{place(name)}", query={"version": number})
    left = await visit.inside.ask("GET", place(name))
    return redirect(address(name) if left.ok else HERE)


# Starting


async def start(visit: Visit) -> Answer:
    """`POST /console/workflows/definitions/{name}/start`: on to the run."""
    form = dict(visit.form)
    name, number = visit.params["name"], form.get("version", "")
    values = {key[2:]: value for key, value in form.items() if key.startswith("f:")}
    starting = Starting(
        form.get("input", "{}").replace("\r\n", "\n"), form.get("correlation_id", ""), values, form.get("key", "")[:64],
        "conductor" if form.get("engine") == "conductor" else "embedded",
    )  # fmt: skip
    given = object_of(starting.text)
    if given is None:
        starting.refusal, starting.status = no_object(starting.text, "The input", '{"office": "Lisbon"}'), 400
        return await definition(visit, starting)
    if form.get("scripted") != "yes":
        # Without a script nothing has taken over what was filled into the form's fields.
        kinds = {key[2:]: value for key, value in form.items() if key.startswith("t:")}
        given |= {one: meant(value, kinds.get(one, "string")) for one, value in values.items() if value != ""}
    body: dict[str, Any] = {"workflow": name, "input": given, "correlation_id": starting.correlation.strip()}
    if number.isdecimal():
        body["version"] = int(number[:10])
    if starting.engine != "embedded":
        body["engine"] = starting.engine
    headers = {"idempotency-key": f"console-{starting.key}"} if starting.key.isascii() and starting.key else None
    asked = await visit.inside.ask("POST", f"{API}/runs", body=body, headers=headers)
    if not asked.ok:
        refused(starting, asked)
        return await definition(visit, starting)
    return redirect(f"{RUNS}/{asked.document['id']}")


def refused(form: Any, asked: Asked) -> None:
    """What was refused, for the form that was sent."""
    form.refusal, form.status = asked.message, asked.status
    form.faults = [{"location": one.location, "message": one.message} for one in asked.violations]


def object_of(text: str) -> dict[str, Any] | None:
    """The JSON object of a text, None if it is none; nothing is one without members."""
    try:
        found = msgspec.json.decode(text.strip() or "{}")
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def no_object(text: str, said: str, example: str = "") -> str:
    """Why a text is no JSON object, with the place. `said` is a sentence, or with an `example` what must be one."""
    said = f"{said} must be a JSON object, such as {example}." if example else said
    fault = json_fault(text.encode("utf-8", "replace"))
    return said if fault is None else f"{said} Line {fault[1]}, column {fault[2]}: Not JSON: {fault[0]}."


def meant(text: str, kind: str) -> Any:
    """What a field's text means by its type; as text, if it is not of that type."""
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def fields_of(raw: Mapping[str, Any]) -> list[Field]:
    """The inputs that a definition names, by its schema and its list of names."""
    schema = raw.get("inputSchema")
    data = schema.get("data", schema) if isinstance(schema, dict) else None
    known = data.get("properties") if isinstance(data, dict) else None
    listed = data.get("required") if isinstance(data, dict) else None
    required = listed if isinstance(listed, list) else []
    templates = raw.get("inputTemplate")
    template = templates if isinstance(templates, dict) else {}
    metadata = raw.get("metadata")
    told = metadata.get("inputs") if isinstance(metadata, dict) else None
    about = {name: one[:300] for name, one in told.items() if isinstance(one, str)} if isinstance(told, dict) else {}
    found: dict[str, Field] = {}
    for name, one in (known or {}).items() if isinstance(known, dict) else ():
        rule = one if isinstance(one, dict) else {}
        kind = rule.get("type")
        choices = rule.get("enum")
        unless = template.get(name, rule.get("default"))
        found[name] = Field(
            name,
            kind if isinstance(kind, str) else "string",
            name in required,
            str(rule.get("description") or "")[:300],
            tuple(written(each) for each in choices[:200]) if isinstance(choices, list) else (),
            written(unless),
        )
    for name in raw.get("inputParameters") or []:
        if isinstance(name, str):
            found.setdefault(name, Field(name, "any", False, about.get(name, ""), (), written(template.get(name))))
    for name in inputs_read(raw):
        words = about.get(name, "A task reads it.")
        found.setdefault(name, Field(name, "any", False, words, (), written(template.get(name))))
    return list(found.values())[:MOST_FIELDS]


def written(value: Any) -> str:
    """A value as a form shows it."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
