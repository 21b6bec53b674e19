"""Policies of tasks: how attempts of tasks with a name are repeated and bounded. The list, and the form of one.

What the form has no field for stands in it as JSON, so that nothing of a policy is lost by changing it here.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked, Refused
from offhook.console.visit import Visit
from offhook.console.workflow_starting import Form
from offhook.console.workflows import API, HERE, WRITE, no_object, object_of

POLICIES = f"{HERE}/policies"
TEXTS = ("retryLogic", "timeoutPolicy")


class Number(NamedTuple):
    """A field that is a whole number: its name, its words, what is said of it."""

    name: str
    words: str
    about: str


NUMBERS = (
    Number("retryCount", "Repeats", "After the first attempt. Empty: 3."),
    Number("retryDelaySeconds", "Seconds before a repeat", "Empty: 60."),
    Number("backoffScaleFactor", "Factor of linear growth", "Of LINEAR_BACKOFF. Empty: 1."),
    Number("maxRetryDelaySeconds", "Most seconds before a repeat", "Empty or 0: no bound but that of the delays."),
    Number(
        "backoffJitterMs", "Jitter in milliseconds", "Up to so much more, by chance, so that not all repeat at once."
    ),
    Number("timeoutSeconds", "Seconds for an attempt", "Empty or 0: no bound."),
    Number("responseTimeoutSeconds", "Seconds for its answer", "Empty: 3600. Not longer than an attempt may take."),
    Number("totalTimeoutSeconds", "Seconds for all attempts", "Empty or 0: no bound."),
)
_NAMES = ("name", *TEXTS, *(one.name for one in NUMBERS))


def page_of(name: str) -> str:
    """The page of a policy."""
    return f"{POLICIES}/of/{quote(name, safe='')}"


def _place(name: str) -> str:
    return f"{API}/policies/{quote(name, safe='')}"


async def listed(visit: Visit) -> Answer:
    """`GET /console/workflows/policies`."""
    cursor = visit.query.get("cursor", "")
    page = await visit.inside.get(f"{API}/policies", {"cursor": cursor} if cursor else {})
    return visit.page(
        "workflow_policies.html", here="workflows", policies=page["items"], cursor=page.get("cursor", ""),
        first=not cursor, here_of=POLICIES, page_of=page_of, writes=visit.may(WRITE),
    )  # fmt: skip


async def blank(visit: Visit) -> Answer:
    """`GET /console/workflows/policies/new?name=…`."""
    values = {"name": visit.query.get("name", "")[:256], "retryLogic": "FIXED"}
    return _page(visit, Form(values, read="0"), None)


async def one(visit: Visit, form: Form | None = None) -> Answer:
    """`GET /console/workflows/policies/of/{name}`: the form that changes one, or deletes it."""
    asked = await visit.inside.ask("GET", _place(visit.params["name"]))
    if not asked.ok:
        raise Refused(asked)
    form = form or Form(_filled(asked.document["policy"]))
    form.read = form.read or asked.version
    return _page(visit, form, asked.document)


async def sent(visit: Visit) -> Answer:
    """`POST` of both: registered over the version that was read; a new one only if there is none of its name."""
    given = dict(visit.form)
    name = visit.params.get("name", "") or given.get("name", "").strip()
    known = "name" in visit.params
    form = Form({key: given.get(key, "").replace("\r\n", "\n") for key in (*_NAMES, "rest")} | {"name": name})
    form.read = given.get("read", "") if given.get("read", "").isdecimal() else ""
    raw, faults = _asked_for(form.values)
    if faults:
        form.faults, form.status, form.refusal = faults, 400, "Something is to be mended first."
    else:
        # Of what is not there no version is 0: a new policy takes the place of none.
        read = form.read[:18] if known else "0"
        match = {"if-match": f'"{read}"'} if read else None
        asked = await visit.inside.ask("POST", f"{API}/policies", body={"policy": raw}, headers=match)
        if asked.ok:
            return redirect(POLICIES)
        _refused(form, asked, known=known)
    return await one(visit, form) if known else _page(visit, form, None)


async def delete(visit: Visit) -> Answer:
    """`POST /console/workflows/policies/of/{name}/delete`, of the version that was read."""
    read = dict(visit.form).get("read", "")
    match = {"if-match": f'"{read[:18]}"'} if read.isascii() and read.isdecimal() else None
    asked = await visit.inside.ask("DELETE", _place(visit.params["name"]), headers=match)
    if not asked.ok:
        return await one(visit, Form(refusal=asked.message, status=asked.status))
    return redirect(POLICIES)


def _refused(form: Form, asked: Asked, *, known: bool) -> None:
    faults: dict[str, list[str]] = {}
    for each in asked.violations:
        location = each.location.removeprefix("policy.")
        if location in _NAMES:
            faults.setdefault(location, []).append(each.message)
        else:
            faults.setdefault("rest", []).append(f"{location}: {each.message}")
    form.faults, form.status, form.refusal = faults, asked.status, asked.message
    if asked.status == 400 and faults:
        form.refusal = "Something is to be mended first."
    if asked.status == 412 and known:
        form.read = ""
        form.refusal = "Not saved: it was changed meanwhile. Save again to put what stands here in its place."
    elif asked.status == 412:
        form.refusal = f"There is a policy {form.values['name']} already; change that one, or choose another name."


def _filled(raw: Mapping[str, Any]) -> dict[str, str]:
    values = {name: str(raw.get(name, "")) for name in _NAMES}
    rest = {name: value for name, value in raw.items() if name not in _NAMES}
    return values | {"rest": json.dumps(rest, indent=2, ensure_ascii=False) if rest else ""}


def _asked_for(values: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The policy that the form stands for, and what of it cannot be one."""
    faults: dict[str, list[str]] = {}
    raw = object_of(values["rest"])
    if raw is None:
        raw, faults["rest"] = {}, [no_object(values["rest"], "Must be a JSON object.")]
    raw |= {"name": values["name"]} | {name: values[name] for name in TEXTS if values[name]}
    for number in NUMBERS:
        text = values[number.name].strip()
        if text.isascii() and text.isdecimal() and len(text) < 16:
            raw[number.name] = int(text)
        elif text:
            faults[number.name] = ["Must be a whole number, or empty."]
    return raw, faults


def _page(visit: Visit, form: Form, it: Mapping[str, Any] | None) -> Answer:
    return visit.page(
        "workflow_policy.html", here="workflows", status=form.status, it=it, form=form, numbers=NUMBERS,
        here_of=POLICIES, page_of=page_of, writes=visit.may(WRITE),
    )  # fmt: skip
