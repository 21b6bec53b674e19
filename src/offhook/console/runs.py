"""What test requests gave: the history, one run, two compared."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from offhook.console.apis import address
from offhook.console.frame import Answer, redirect
from offhook.console.visit import Visit

HERE = "/console/runs"
API = "/api/offhook/v1/runs"
FILTERS = ("api", "operation", "saved_id")


async def listed(visit: Visit, refusal: str = "", status: int = 200) -> Answer:
    """`GET /console/runs?cursor=…`: the latest first; of one saved request or operation, if it is named.

    The one that `run` names is ticked, to be compared with another.
    """
    given = {name: visit.query[name] for name in ("cursor", *FILTERS) if visit.query.get(name)}
    page = await visit.inside.get(API, given)
    runs, ticked = page.get("items", []), visit.query.get("run", "")
    ticked = ticked if ticked.isdecimal() else ""
    apart = bool(ticked) and all(one["id"] != ticked for one in runs)
    return visit.page(
        "runs.html", here="requests", status=status, runs=runs, cursor=page.get("cursor", ""),
        first="cursor" not in given, given={name: value for name, value in given.items() if name != "cursor"},
        of=await _of(visit, given), refusal=refusal, ticked=ticked, apart=apart,
    )  # fmt: skip


async def _of(visit: Visit, given: Mapping[str, str]) -> Mapping[str, str] | None:
    """Whose runs are listed: its name, and its page if it has one. A request's runs outlive it."""
    if id := given.get("saved_id"):
        saved = await visit.inside.ask("GET", f"/api/offhook/v1/requests/{quote(id, safe='')}")
        return {"name": saved.document["name"], "place": f"/console/requests/{id}"} if saved.ok else {"name": id}
    if api := given.get("api"):
        own = given.get("operation", "")
        return {"name": f"{api} {own}".strip(), "place": address(api, own)}
    return None


async def chosen(visit: Visit) -> Answer:
    """`GET /console/runs/compare?run=…&run=…`: on to the comparison of the two, the earlier first."""
    query = parse_qsl(visit.target.partition("?")[2])
    ids = sorted({int(value) for name, value in query if name == "run" and value.isdecimal() and len(value) < 20})
    if len(ids) != 2:
        return await listed(visit, f"Tick two runs to compare; {len(ids)} were.", 400)
    return redirect(f"{HERE}/{ids[0]}/compare/{ids[1]}")


async def run(visit: Visit, refusal: str = "", name: str = "", status: int = 200) -> Answer:
    """`GET /console/runs/{id}`."""
    found = await visit.inside.get(f"{API}/{visit.params['id']}")
    before: dict[str, Any] | None = None
    if found.get("operation"):
        alike = {"api": found.get("api", ""), "operation": found["operation"], "limit": "50"}
        page = await visit.inside.get(API, alike)
        older = [one for one in page.get("items", []) if int(one["id"]) < int(found["id"])]
        before = older[0] if older else None
    alike = {"saved_id": found["saved_id"]} if found.get("saved_id") else {}
    alike = alike or {name: found[name] for name in ("api", "operation") if found.get(name)}
    return visit.page(
        "run.html", here="requests", status=status, run=found, before=before, refusal=refusal, name=name,
        others=f"{HERE}?{urlencode(alike | {'run': found['id']})}",
    )  # fmt: skip


async def example(visit: Visit) -> Answer:
    """`POST /console/runs/{id}/example`: kept, and shown on the page of its operation."""
    name = dict(visit.form).get("name", "").strip()
    body = {"run_id": visit.params["id"], "name": name}
    asked = await visit.inside.ask("POST", "/api/offhook/v1/api-examples", body=body)
    if not asked.ok:
        said = asked.violations[0].message if asked.violations else asked.message
        return await run(visit, said, name, asked.status)
    return redirect(address(asked.document["api"], asked.document["operation"]) + "#examples")


async def compare(visit: Visit) -> Answer:
    """`GET /console/runs/{id}/compare/{other}`: what is different in the second."""
    found = await visit.inside.get(f"{API}/{visit.params['id']}/compare/{visit.params['other']}")
    return visit.page("run_compare.html", here="requests", it=found)


async def cancel(visit: Visit) -> Answer:
    """`POST /console/runs/{id}/cancel`."""
    await visit.inside.do("POST", f"{API}/{visit.params['id']}/cancel")
    return redirect(f"{HERE}/{visit.params['id']}")


async def delete(visit: Visit) -> Answer:
    """`POST /console/runs/{id}/delete`."""
    await visit.inside.do("DELETE", f"{API}/{visit.params['id']}")
    return redirect(HERE)
