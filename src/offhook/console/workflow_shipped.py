"""Workflow definitions that come with Offhook: what each does and takes, and how it becomes one of the company's."""

from typing import Any

from offhook.console.frame import Answer, redirect
from offhook.console.visit import Visit
from offhook.console.workflows import API, HERE, WRITE, Starting, address, refused

SHIPPED = f"{HERE}/shipped"


async def listed(visit: Visit, sent: Starting | None = None, name: str = "") -> Answer:
    """`GET /console/workflows/shipped`. `sent` is a form for `name` that was refused."""
    items: list[dict[str, Any]] = (await visit.inside.get(f"{API}/shipped"))["items"]
    sent = sent or Starting()
    return visit.page(
        "workflow_shipped.html", here="workflows", status=sent.status, items=items, sent=sent, name=name,
        page=SHIPPED, address=address, writes=visit.may(WRITE),
    )  # fmt: skip


async def take(visit: Visit) -> Answer:
    """`POST /console/workflows/shipped/{name}`: registered, and on to its page."""
    form, name = dict(visit.form), visit.params["name"]
    values = {one: form.get(one, "").strip() for one in ("server", "credential")}
    asked = await visit.inside.ask("POST", f"{API}/shipped/{name}", body={k: v for k, v in values.items() if v})
    if asked.ok:
        return redirect(address(name))
    sent = Starting(values=values)
    refused(sent, asked)
    return await listed(visit, sent, name)
