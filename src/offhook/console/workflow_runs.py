"""Workflow runs: the search, and one run with its graph, its attempts on a scale of time, and what is done to it.

A page of a run is watched: a script is told by the API's stream that something has happened, and takes the parts of
the page anew. Without a script the page is loaded again by hand.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from offhook.console.frame import Answer, redirect
from offhook.console.timeline import timeline
from offhook.console.visit import Visit
from offhook.console.workflow_svg import Shown, workflow_svg
from offhook.console.workflows import API, RUNS, WRITE, address, no_object, object_of, sources_of
from offhook.kit import clock
from offhook.workflows.definitions.graph import Graph
from offhook.workflows.definitions.http import METHODS

STATES = ("RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED")
ENGINES = {"embedded": "this server", "conductor": "the Conductor server"}
A_PAGE = 50
FEW = 10
THERE_SECONDS = 5.0
ATTEMPTS_A_PAGE = 500
MOST_SHOWN = 200_000
"""Characters of one input or output that a page shows."""

TASK = re.compile(r"[A-Za-z0-9-]{1,64}")
"""Ids of tasks: numbers here, other texts on a Conductor server."""

_VERBS = {
    "pause": "Paused.",
    "resume": "It goes on.",
    "terminate": "Terminated.",
    "retry": "It is tried again.",
    "restart": "It was begun anew.",
    "rerun": "It goes on from there.",
    "skip": "Skipped.",
    "complete": "Completed.",
    "delete": "",
}


class Http(NamedTuple):
    """What an HTTP task asked for and what came back, as far as it has come to that."""

    request: Mapping[str, Any]
    response: Mapping[str, Any] | None


class There(NamedTuple):
    """Runs of the Conductor server, what is to be said of the list, or why there is none."""

    runs: Sequence[Mapping[str, Any]] = ()
    cursor: str = ""
    notices: Sequence[str] = ()
    trouble: str = ""


@dataclass(slots=True)
class Refusal:
    """What was not done, and what had been filled in."""

    verb: str = ""
    message: str = ""
    faults: Sequence[Mapping[str, str]] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


async def listed(visit: Visit) -> Answer:
    """`GET /console/workflows/runs?engine=…&status=…&workflow=…&correlation_id=…&since=…&until=…`: the latest first.

    Where a Conductor server is named, its latest runs stand below those of this server, unless one of them is chosen.
    """
    given = {name: visit.query.get(name, "").strip()[:256] for name in ("workflow", "correlation_id")}
    states = [one for one in visit.query.get("status", "").upper().split(",") if one in STATES]
    given |= {"status": ",".join(states), "parent_id": visit.query.get("parent_id", "")[:64]}
    times = {name: visit.query.get(name, "").strip()[:40] for name in ("since", "until")}
    query = {name: value for name, value in given.items() if value}
    query |= {name: moment for name, value in times.items() if (moment := utc(value))}
    cursor = visit.query.get("cursor", "")
    engine = visit.query.get("engine", "") if visit.frame.conductor else "embedded"
    engine = engine if engine in ENGINES else ""
    wrong = [name for name, value in times.items() if value and not utc(value)]
    refusal, status, page = "", 200, {}
    if engine != "conductor":
        asked = await visit.inside.ask(
            "GET", f"{API}/runs", query | {"limit": str(A_PAGE)} | ({"cursor": cursor} if cursor else {})
        )
        refusal, status, page = ("", 200, asked.document) if asked.ok else (asked.message, asked.status, {})
    if wrong:
        refusal, status = f"{' and '.join(wrong).capitalize()} must be a date and time, as 2026-11-26 08:00.", 400
    there = None
    if visit.frame.conductor and engine != "embedded" and not (cursor and not engine) and not given["parent_id"]:
        there = await _there(visit, query, cursor, few=not engine)
    again = {name: value for name, value in (given | times).items() if value}
    sources = await sources_of(visit, page.get("items", []))
    if visit.frame.conductor and engine:
        again["engine"] = engine
    return visit.page(
        "workflow_runs.html", here="workflows", status=status, runs=page.get("items", []),
        cursor=page.get("cursor", ""), first=not cursor, given=given | times, there=there, engine=engine,
        engines=ENGINES, states=STATES, again=urlencode(again), refusal=refusal, address=address,
        all_there=urlencode(again | {"engine": "conductor"}), sources=sources,
    )  # fmt: skip


async def _there(visit: Visit, query: Mapping[str, str], cursor: str, *, few: bool) -> There:
    """Runs of the Conductor server; a server that cannot be asked, or takes long, is said and keeps no page waiting."""
    asking = visit.inside.ask(
        "GET",
        f"{API}/runs",
        {**query, "engine": "conductor", "limit": str(FEW if few else A_PAGE)} | ({"cursor": cursor} if cursor else {}),
    )
    try:
        asked = await asyncio.wait_for(asking, THERE_SECONDS)
    except TimeoutError:
        return There(trouble=f"The Conductor server did not answer within {THERE_SECONDS:.0f} seconds.")
    if not asked.ok:
        return There(trouble=" ".join(dict.fromkeys([asked.message, *(one.message for one in asked.violations)])))
    told = tuple(one.text for one in asked.notices)
    return There(asked.document["items"], asked.document.get("cursor", ""), told)


def utc(text: str) -> str:
    """A date and time that was filled in, as the API takes it: without a zone it is UTC. "" for none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return moment.isoformat() if moment.tzinfo is not None else f"{moment.isoformat()}+00:00"


async def run(visit: Visit, refusal: Refusal | None = None) -> Answer:
    """`GET /console/workflows/runs/{id}?task=…&after=…`."""
    id = visit.params["id"]
    here = f"{API}/runs/{id}"
    found = await visit.inside.get(here)
    drawn = await visit.inside.get(f"{here}/graph")
    after = visit.query.get("after", "")
    from_there = {"after": after[:10]} if after.isdecimal() else {}
    page = await visit.inside.get(f"{here}/attempts", {"brief": "true", "limit": str(ATTEMPTS_A_PAGE), **from_there})
    chosen = await _chosen(visit, here, found)
    refusal = refusal or Refusal()
    return await asyncio.to_thread(_page, visit, found, drawn, page, chosen, refusal)


async def _chosen(visit: Visit, here: str, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The attempt that the page shows: the one asked for, else the one that the run failed with or waits for."""
    wanted = visit.query.get("task", "") or dict(visit.form).get("task", "")
    if not wanted:
        waiting = [one["id"] for one in found["tasks"] if one.get("waits_for_you")]
        wanted = found.get("failed_task") or (waiting[0] if waiting else "")
    if not TASK.fullmatch(wanted):
        return None
    asked = await visit.inside.ask("GET", f"{here}/tasks/{wanted}")
    return asked.document if asked.ok else None


def _page(
    visit: Visit,
    found: Mapping[str, Any],
    drawn: Mapping[str, Any],
    page: Mapping[str, Any],
    chosen: Mapping[str, Any] | None,
    refusal: Refusal,
) -> Answer:
    here = f"{RUNS}/{found['id']}"
    states = {
        ref: Shown(one["status"], one["attempts"], one.get("rounds", 0), one.get("seconds"))
        for ref, one in drawn["states"].items()
    }
    tasks = {ref: one["task_id"] for ref, one in drawn["states"].items()}
    graph = msgspec.convert(drawn["graph"], Graph)
    attempts = page["items"]
    open_refs = [one["reference_name"] for one in found["tasks"] if one["status"] in ("SCHEDULED", "IN_PROGRESS")]
    skippable = [node.ref for node in graph.nodes if node.ref and (node.ref not in states or node.ref in open_refs)]
    pictured = {node.ref for node in graph.nodes}
    return visit.page(
        "workflow_run.html", here="workflows", status=refusal.status, it=found, over=found.get("ended_at") is not None,
        picture=workflow_svg(
            graph, f"The tasks of {found['workflow']} and how far each came", states=states,
            address=lambda node: f"{here}?task={tasks[node.ref]}" if node.ref in tasks else "",
            selected=chosen["reference_name"] if chosen else "", ended=found["status"] == "COMPLETED",
        ),
        turns=_turns(attempts, whole="after" not in visit.query),
        unseen=[(ref, one) for ref, one in drawn["states"].items() if ref not in pictured],
        attempts=attempts, after=page.get("after"), first="after" not in visit.query,
        time=timeline(attempts, found["started_at"], found.get("ended_at"), clock.now()),
        chosen=chosen, http=_http(chosen) if chosen else None, skippable=skippable, shown=shown, refusal=refusal,
        address=address, page=here, writes=visit.may(WRITE), done=_VERBS.get(visit.query.get("done", ""), ""),
    )  # fmt: skip


def _turns(attempts: Sequence[Mapping[str, Any]], *, whole: bool) -> dict[str, int]:
    """Which attempt of its task each is, by its id, where there are several. `whole`: none came before these."""
    several = Counter(one["key"] for one in attempts)
    seen: Counter[str] = Counter()
    found = {}
    for one in attempts:
        seen[one["key"]] += 1
        if several[one["key"]] > 1 or one.get("attempt"):
            found[one["id"]] = seen[one["key"]] if whole else one.get("attempt", 0) + 1
    return found


def _http(one: Mapping[str, Any]) -> Http | None:
    given = one.get("input")
    if one["type"] != "HTTP" or not isinstance(given, dict):
        return None
    request = given.get("http_request") if isinstance(given.get("http_request"), dict) else given
    output = one.get("output")
    response = output.get("response") if isinstance(output, dict) else None
    fitting = isinstance(response, dict) and "statusCode" in response
    if not isinstance(request, dict) or request.get("method") not in METHODS:
        return None
    return Http(request, response if fitting else None)


def shown(value: Any) -> str:
    """A value as JSON to be read, as much of it as a page takes."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    rest = len(text) - MOST_SHOWN
    return text if rest <= 0 else f"{text[:MOST_SHOWN]}\n… and {rest:,} more characters"


async def live(visit: Visit) -> Answer:
    """`GET /console/workflows/runs/{id}/live`: the API's server-sent events."""
    return Answer(200, stream=visit.inside.stream(f"{API}/runs/{visit.params['id']}/live"))


# What is done to a run


async def change(visit: Visit) -> Answer:
    """`POST /console/workflows/runs/{id}/{verb}`: done, and back; or the page with what was refused."""
    verb, form = visit.params["verb"], dict(visit.form)
    if verb not in _VERBS:
        return await run(visit, Refusal(verb, "That is nothing that is done to runs.", status=404))
    here = f"{API}/runs/{visit.params['id']}"
    path, body, wrong = _asked(verb, here, form)
    if wrong:
        return await run(visit, Refusal(verb, wrong, values=form, status=400))
    asked = await visit.inside.ask("DELETE" if verb == "delete" else "POST", path, body=body)
    if not asked.ok:
        faults = [{"location": one.location, "message": one.message} for one in asked.violations]
        return await run(visit, Refusal(verb, asked.message, faults, form, asked.status))
    if verb == "delete":
        return redirect(RUNS)
    task = f"&task={form['task']}" if verb == "complete" and TASK.fullmatch(form.get("task", "")) else ""
    return redirect(f"{RUNS}/{visit.params['id']}?done={verb}{task}")


def _asked(verb: str, here: str, form: Mapping[str, str]) -> tuple[str, dict[str, Any] | None, str]:
    """The path and the body by which the API is asked, and what is wrong with the form."""
    task = form.get("task", "")
    if verb == "delete":
        return here, None, ""
    if verb == "terminate":
        reason = form.get("reason", "").strip()
        return f"{here}/terminate", {"reason": reason} if reason else None, ""
    if verb == "rerun":
        body: dict[str, Any] = {"task_id": task} if task else {}
        for name in ("task_input", "input"):
            if form.get(name, "").strip():
                given = object_of(form[name])
                if given is None:
                    return "", None, no_object(form[name], "The input", '{"office": "Lisbon"}')
                body[name] = given
        return f"{here}/rerun", body, ""
    if verb in ("skip", "complete"):
        output = object_of(form.get("output", ""))
        if output is None:
            return "", None, no_object(form["output"], "The output", '{"agreed": true}')
        if verb == "skip":
            ref = form.get("ref", "")
            wrong = "" if ref else "Choose a task."
            return f"{here}/skip/{quote(ref, safe='')}", {"output": output}, wrong
        status = form.get("status", "COMPLETED")
        found = {"status": status, "output": output, "reason": form.get("reason", "").strip()}
        return f"{here}/tasks/{task if TASK.fullmatch(task) else 0}/complete", found, ""
    return f"{here}/{verb}", None, ""
