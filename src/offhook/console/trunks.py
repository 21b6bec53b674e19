"""Carriers: where calls come in from, and which numbers may be called. A password goes in, and no page shows it."""

from collections.abc import Mapping
from typing import Any

from offhook.console.credentials import Form
from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked
from offhook.console.visit import Visit

HERE = "/console/trunks"
API = "/api/offhook/v1/trunks"
_TEXTS = ("name", "country", "proxy", "domain", "username", "inbound_username")
_LISTS = ("addresses", "prefixes")
_SECRETS = ("password", "inbound_password")
_FLAGS = ("international", "emergency", "enabled")
_SHOWN = (*_TEXTS, *_LISTS, *_FLAGS, "most_calls")


async def listed(visit: Visit, form: Form | None = None) -> Answer:
    """`GET /console/trunks`: all of them, and the form for a new one."""
    page = await visit.inside.get(API)
    form = form or Form({"enabled": "on", "most_calls": "10"})
    return visit.page(
        "trunks.html", here="phones", status=form.status, trunks=page.get("items", []), form=form,
        writes=visit.may("trunks:write"),
    )  # fmt: skip


async def sent(visit: Visit) -> Answer:
    """`POST /console/trunks`: a new one."""
    given = dict(visit.form)
    asked = await visit.inside.ask("POST", API, body=_body(given))
    return redirect(HERE) if asked.ok else await listed(visit, _refused(given, asked))


async def one(visit: Visit, form: Form | None = None) -> Answer:
    """`GET /console/trunks/{id}`: the form that changes one, or deletes it."""
    found = await visit.inside.get(f"{API}/{visit.params['id']}")
    if form is None:
        values = {name: found.get(name, "") for name in _TEXTS} | {name: " ".join(found[name]) for name in _LISTS}
        values |= {name: "on" if found[name] else "" for name in _FLAGS}
        form = Form({**values, "most_calls": str(found["most_calls"]), "read": str(found["version"])})
    return visit.page(
        "trunk.html", here="phones", status=form.status, it=found, form=form, writes=visit.may("trunks:write")
    )


async def changed(visit: Visit) -> Answer:
    """`POST /console/trunks/{id}`: its change, over the version that was read; a password left empty stays."""
    given, place = dict(visit.form), f"{API}/{visit.params['id']}"
    read = given.get("read", "")
    match = {"if-match": f'"{read}"'} if read.isdecimal() else None
    asked = await visit.inside.ask("PATCH", place, body=_body(given), headers=match)
    if asked.ok:
        return redirect(HERE)
    form = _refused(given, asked)
    if asked.status == 412:
        now = await visit.inside.get(place)
        form.values = {**form.values, "read": str(now["version"])}
        form.refusal = (
            f"Not saved: it was changed meanwhile, to version {now['version']}. Save again to put what stands here in "
            "its place."
        )
    return await one(visit, form)


async def delete(visit: Visit) -> Answer:
    """`POST /console/trunks/{id}/delete`."""
    await visit.inside.do("DELETE", f"{API}/{visit.params['id']}")
    return redirect(HERE)


def _refused(given: Mapping[str, str], asked: Asked) -> Form:
    faults: dict[str, list[str]] = {}
    for fault in asked.violations:
        faults.setdefault(fault.location.partition("[")[0], []).append(fault.message)
    values = {name: given.get(name, "") for name in (*_SHOWN, "read")}
    return Form(values, faults, asked.message, asked.status)


def _body(given: Mapping[str, str]) -> dict[str, Any]:
    """What the API is asked for; a password that is left empty is left out."""
    body: dict[str, Any] = {name: given.get(name, "").strip() for name in _TEXTS}
    body |= {name: given.get(name, "").replace(",", " ").split() for name in _LISTS}
    body |= {name: given.get(name) == "on" for name in _FLAGS}
    body |= {name: given[name] for name in _SECRETS if given.get(name)}
    most = given.get("most_calls", "").strip()
    return body | {"most_calls": int(most) if most.isascii() and most.isdecimal() and len(most) < 10 else 0}
