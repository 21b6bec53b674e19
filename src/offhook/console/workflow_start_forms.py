"""The forms that make, change, pause and delete schedules, triggers and hooks.

A change goes over the version that the form was made of: who changed it meanwhile is not overwritten unseen.
"""

from collections.abc import Mapping

from offhook.console import workflow_starting as starting
from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked
from offhook.console.visit import Visit
from offhook.console.workflow_start_fields import FIRST, LISTS, NUMBERS, OBJECTS, TEXTS, asked_for, filled
from offhook.console.workflow_starting import Form, page_of, place
from offhook.console.workflows import RUNS

VERBS: Mapping[str, frozenset[str]] = {
    "schedules": frozenset({"pause", "resume", "run", "delete"}),
    "triggers": frozenset({"pause", "resume", "delete"}),
    "hooks": frozenset({"pause", "resume", "secret", "delete"}),
}


async def blank(visit: Visit) -> Answer:
    """`GET /console/workflows/starting/{kind}/new?workflow=…`."""
    kind = visit.params["kind"]
    values = {**FIRST[kind], "workflow": visit.query.get("workflow", "")[:256]}
    return await starting.page(visit, kind, Form(values))


async def made(visit: Visit) -> Answer:
    """`POST` of the same: on to its page; of a hook with the secret that was made for it."""
    kind, given = visit.params["kind"], dict(visit.form)
    form = Form(_shown(kind, given))
    if given.get("do") == "preview":
        return await starting.page(visit, kind, form)
    body, faults = asked_for(kind, given)
    if faults:
        return await starting.page(visit, kind, _refused(form, faults))
    if kind == "hooks" and given.get("secret", "") and body.get("proof") != "token":
        body["secret"] = given["secret"]
    asked = await visit.inside.ask("POST", place(kind), body=body)
    if not asked.ok:
        return await starting.page(visit, kind, _refused(form, asked))
    it = asked.document["hook"] if kind == "hooks" else asked.document
    secret = asked.document.get("secret", "") if kind == "hooks" else ""
    if not secret:
        return redirect(f"{page_of(kind, it['id'])}?done=made")
    visit.params = {**visit.params, "id": it["id"]}
    return await starting.shown(visit, secret=secret)


async def changed(visit: Visit) -> Answer:
    """`POST /console/workflows/starting/{kind}/{id}`: its change, over the version that was read."""
    kind, id, given = visit.params["kind"], visit.params["id"], dict(visit.form)
    form = Form(_shown(kind, given), read=_read(given))
    if given.get("do") == "preview":
        return await starting.shown(visit, form)
    body, faults = asked_for(kind, given)
    if faults:
        return await starting.shown(visit, _refused(form, faults))
    asked = await visit.inside.ask("PUT", place(kind, id), body=body, headers=_match(given))
    if asked.ok:
        return redirect(f"{page_of(kind, id)}?done=changed")
    form = _refused(form, asked)
    if asked.status == 412:
        form.read = ""
        form.refusal = (
            "Not saved: it was changed meanwhile. Above it stands as it is now, below as you filled it in; save again "
            "to put that in its place."
        )
    return await starting.shown(visit, form)


async def done(visit: Visit) -> Answer:
    """`POST /console/workflows/starting/{kind}/{id}/{verb}`: paused, resumed, run now, given a new secret, deleted."""
    kind, id, verb = visit.params["kind"], visit.params["id"], visit.params["verb"]
    if verb not in VERBS[kind]:
        return await starting.shown(visit, Form(refusal=f"That is nothing that is done to a {kind[:-1]}.", status=404))
    given = dict(visit.form)
    if verb == "delete":
        asked = await visit.inside.ask("DELETE", place(kind, id), headers=_match(given))
    elif verb == "secret":
        own = {"secret": given["secret"]} if given.get("secret") else {}
        asked = await visit.inside.ask("POST", f"{place(kind, id)}/rotate-secret", body=own, headers=_match(given))
    elif kind == "hooks":
        asked = await _hold(visit, id, paused=verb == "pause")
    else:
        asked = await visit.inside.ask("POST", f"{place(kind, id)}/{verb}")
    if not asked.ok:
        it = await visit.inside.get(place(kind, id))
        return await starting.shown(visit, _refused(Form(filled(kind, it)), asked))
    if verb == "delete":
        return redirect(starting.STARTING)
    if verb == "run":
        return redirect(f"{RUNS}/{asked.document['run_id']}")
    if verb == "secret" and asked.document.get("secret"):
        return await starting.shown(visit, secret=asked.document["secret"])
    return redirect(f"{page_of(kind, id)}?done={'changed' if verb == 'secret' else verb}")


async def _hold(visit: Visit, id: str, *, paused: bool) -> Asked:
    """Have a hook refuse calls, or take them again; all else of it stays."""
    before = await visit.inside.ask("GET", place("hooks", id))
    if not before.ok:
        return before
    body, _ = asked_for("hooks", filled("hooks", before.document))
    match = {"if-match": f'"{before.version}"'}
    return await visit.inside.ask("PUT", place("hooks", id), body=body | {"paused": paused}, headers=match)


def _read(given: Mapping[str, str]) -> str:
    read = given.get("read", "")
    return read if read.isascii() and read.isdecimal() and len(read) < 19 else ""


def _match(given: Mapping[str, str]) -> dict[str, str] | None:
    return {"if-match": f'"{_read(given)}"'} if _read(given) else None


def _shown(kind: str, given: Mapping[str, str]) -> dict[str, str]:
    """What may be shown of a form again: all but a secret."""
    names = (*TEXTS[kind], *NUMBERS[kind], *OBJECTS[kind], *LISTS[kind], "paused")
    return {name: given.get(name, "").replace("\r\n", "\n") for name in names}


def _refused(form: Form, why: Asked | Mapping[str, list[str]]) -> Form:
    if not isinstance(why, Asked):
        form.faults, form.status, form.refusal = why, 400, _counted(len(why))
        return form
    faults: dict[str, list[str]] = {}
    for one in why.violations:
        name, inner = one.location, ""
        if not (name in form.values or name == "secret"):
            name = one.location.partition("[")[0].partition(".")[0]
            inner = f"{one.location}: "
        faults.setdefault(name, []).append(inner + one.message)
    form.faults, form.status = faults, why.status
    form.refusal = _counted(len(why.violations)) if why.status == 400 and faults else why.message
    return form


def _counted(places: int) -> str:
    return "One place is to be mended." if places == 1 else f"{places} places are to be mended."
