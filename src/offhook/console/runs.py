"""What test requests gave: the history, one run, two compared."""

from typing import Any

from offhook.console.apis import address
from offhook.console.frame import Answer, redirect
from offhook.console.visit import Visit

HERE = "/console/runs"
API = "/api/offhook/v1/runs"


async def listed(visit: Visit) -> Answer:
    """`GET /console/runs?cursor=…`: the latest first."""
    given = {name: visit.query[name] for name in ("cursor", "api", "operation", "saved_id") if visit.query.get(name)}
    page = await visit.inside.get(API, given)
    return visit.page(
        "runs.html", here="requests", runs=page.get("items", []), cursor=page.get("cursor", ""),
        first="cursor" not in given, given={name: value for name, value in given.items() if name != "cursor"},
    )  # fmt: skip


async def run(visit: Visit, refusal: str = "", name: str = "", status: int = 200) -> Answer:
    """`GET /console/runs/{id}`."""
    found = await visit.inside.get(f"{API}/{visit.params['id']}")
    before: dict[str, Any] | None = None
    if found.get("operation"):
        alike = {"api": found.get("api", ""), "operation": found["operation"], "limit": "50"}
        page = await visit.inside.get(API, alike)
        older = [one for one in page.get("items", []) if int(one["id"]) < int(found["id"])]
        before = older[0] if older else None
    return visit.page("run.html", here="requests", status=status, run=found, before=before, refusal=refusal, name=name)


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
