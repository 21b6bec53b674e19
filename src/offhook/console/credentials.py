"""Credentials of the workbench: what requests are sent with. A secret goes in, and no page shows it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked
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
SECRET = frozenset({"token", "password", "value", "client_secret", "headers"})
_SHOWN = ("name", "hosts", "username", "place", "parameter", "token_url", "client_id", "client_way", "scopes")


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
        kinds=KINDS,
    )  # fmt: skip


async def sent(visit: Visit) -> Answer:
    """`POST /console/credentials`: a new one; or, by the button beside the kind, the fields of that kind."""
    given = dict(visit.form)
    kind = given.get("kind", "bearer") if given.get("kind") in OF_KIND else "bearer"
    shown = _shown(given) | {"kind": kind}
    if given.get("do") == "kind":
        return await listed(visit, Form(shown))
    asked = await visit.inside.ask("POST", API, body=_body(given, kind) | {"kind": kind})
    if asked.ok:
        return redirect(HERE)
    return await listed(visit, _refused(shown, asked))


async def one(visit: Visit, form: Form | None = None) -> Answer:
    """`GET /console/credentials/{id}`: the form that changes one, or deletes it."""
    found = await visit.inside.get(f"{API}/{visit.params['id']}")
    if form is None:
        several = {"hosts": " ".join(found["hosts"]), "scopes": " ".join(found.get("scopes", ()))}
        form = Form({name: found.get(name, "") for name in _SHOWN} | several | {"read": str(found["version"])})
    return visit.page(
        "credential.html", here="requests", status=form.status, it=found, kind=found["kind"], form=form, kinds=KINDS
    )


async def changed(visit: Visit) -> Answer:
    """`POST /console/credentials/{id}`: its change, over the version that was read; a secret left empty stays."""
    given, place = dict(visit.form), f"{API}/{visit.params['id']}"
    kind = (await visit.inside.get(place))["kind"]
    body = {name: value for name, value in _body(given, kind, changing=True).items() if value or name not in SECRET}
    read = given.get("read", "")
    match = {"if-match": f'"{read}"'} if read.isdecimal() else None
    asked = await visit.inside.ask("PATCH", place, body=body, headers=match)
    if asked.ok:
        return redirect(HERE)
    form = _refused(_shown(given) | {"read": read}, asked)
    if asked.status == 412:
        now = await visit.inside.get(place)
        form.values = {**form.values, "read": str(now["version"])}
        form.refusal = (
            f"Not saved: it was changed meanwhile, to version {now['version']}, where it is called {now['name']} and "
            f"is for {', '.join(now['hosts'])}. Save again to put what stands here in its place."
        )
    return await one(visit, form)


async def delete(visit: Visit) -> Answer:
    """`POST /console/credentials/{id}/delete`."""
    await visit.inside.do("DELETE", f"{API}/{visit.params['id']}")
    return redirect(HERE)


def _shown(given: Mapping[str, str]) -> dict[str, str]:
    """What may be shown of a form."""
    return {name: given.get(name, "") for name in _SHOWN}


def _refused(shown: Mapping[str, str], asked: Asked) -> Form:
    faults: dict[str, list[str]] = {}
    for fault in asked.violations:
        faults.setdefault(fault.location.partition("[")[0].partition(".")[0], []).append(fault.message)
    return Form(shown, faults, asked.message, asked.status)


def _body(given: Mapping[str, str], kind: str, *, changing: bool = False) -> dict[str, Any]:
    """What the API is asked for; what is empty is left out, unless that may be a change."""
    body: dict[str, Any] = {
        "name": given.get("name", "").strip(),
        "hosts": given.get("hosts", "").replace(",", " ").split(),
    }
    for name in OF_KIND[kind]:
        value = given.get(name, "").strip()
        if name == "scopes":
            body[name] = value.split()
        elif name == "headers":
            pairs = (line.partition(":") for line in value.splitlines() if line.strip())
            body[name] = [{"name": own.strip(), "value": other.strip()} for own, _, other in pairs]
        elif value or (changing and name not in ("place", "client_way")):
            body[name] = value
    return body
