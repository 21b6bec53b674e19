"""Credentials of the workbench: what requests are sent with. A secret goes in, and no page shows it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.console.frame import Answer, redirect
from offhook.console.visit import Visit

HERE = "/console/credentials"
API = "/api/offhook/v1/credentials"
KINDS = (
    ("bearer", "Bearer token"), ("api_key", "API key"), ("basic", "User and password"),
    ("oauth2", "OAuth 2, client credentials"), ("headers", "Headers"),
)  # fmt: skip
OF_KIND = {
    "bearer": ("token",),
    "basic": ("username", "password"),
    "api_key": ("place", "parameter", "value"),
    "oauth2": ("token_url", "client_id", "client_secret", "client_way", "scopes"),
    "headers": ("headers",),
}


@dataclass(slots=True)
class Form:
    """The form as it was filled in; secrets are not filled in again."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, list[str]] = field(default_factory=dict)
    refusal: str = ""
    status: int = 200


async def listed(visit: Visit, form: Form | None = None) -> Answer:
    """`GET /console/credentials`: all of them, and the form for a new one."""
    page = await visit.inside.get(API)
    form = form or Form({"kind": visit.query.get("kind", "bearer")})
    return visit.page(
        "credentials.html", here="requests", status=form.status, credentials=page.get("items", []), form=form,
        kinds=KINDS, of_kind=OF_KIND,
    )  # fmt: skip


async def sent(visit: Visit) -> Answer:
    """`POST /console/credentials`: a new one; or, by the button beside the kind, the fields of that kind."""
    given = dict(visit.form)
    kind = given.get("kind", "bearer") if given.get("kind") in OF_KIND else "bearer"
    shown = {name: given.get(name, "") for name in ("name", "hosts", "username", "parameter", "token_url", "client_id")}
    shown |= {"kind": kind, "place": given.get("place", ""), "scopes": given.get("scopes", "")}
    if given.get("do") == "kind":
        return await listed(visit, Form(shown))
    body: dict[str, Any] = {
        "name": given.get("name", "").strip(),
        "kind": kind,
        "hosts": given.get("hosts", "").replace(",", " ").split(),
    }
    for name in OF_KIND[kind]:
        value = given.get(name, "").strip()
        if name == "scopes":
            body[name] = value.split()
        elif name == "headers":
            pairs = (line.partition(":") for line in value.splitlines() if line.strip())
            body[name] = [{"name": one.strip(), "value": other.strip()} for one, _, other in pairs]
        elif value:
            body[name] = value
    asked = await visit.inside.ask("POST", API, body=body)
    if asked.ok:
        return redirect(HERE)
    faults: dict[str, list[str]] = {}
    for one in asked.violations:
        faults.setdefault(one.location.partition("[")[0].partition(".")[0], []).append(one.message)
    return await listed(visit, Form(shown, faults, asked.message, asked.status))


async def delete(visit: Visit) -> Answer:
    """`POST /console/credentials/{id}/delete`."""
    await visit.inside.do("DELETE", f"{API}/{visit.params['id']}")
    return redirect(HERE)
