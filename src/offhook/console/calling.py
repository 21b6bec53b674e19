"""A call that is not made: at a moment of choice, with the keys and the answers of choice, step by step.

The page is asked with GET, so that an address can be kept and sent on. What it shows is the API's simulation.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offhook.console import lines
from offhook.console.frame import Answer
from offhook.console.inside import Asked
from offhook.console.visit import Part, Visit

SIMULATE = "/api/offhook/v1/simulate"
OPERATORS = 20
"""How many operators the form names; others can be named in its last line."""

_ENTRY = re.compile(r"[^-#]*#|[^-]|-")
_OWN = ("at", "caller", "keys", "answer", "who", "after")


@dataclass(frozen=True, slots=True)
class Operator:
    """A line of the form: who may answer, and after how many seconds; `input` is the name of its field."""

    who: str
    name: str
    input: str
    after: str


@dataclass(slots=True)
class CallForm:
    """The form as it was filled in. `faults` are messages by the name of a field, "" for the form as a whole."""

    action: str
    timezone: str
    values: Mapping[str, str]
    operators: list[Operator] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)


def presses(text: str) -> list[str]:
    """What a caller presses at each prompt: 12 is 1 and then 2, 2034# all of it at one prompt, a dash nothing."""
    return ["" if one == "-" else one for part in re.split(r"[\s,]+", text) for one in _ENTRY.findall(part)]


def typed(keys: Sequence[str]) -> str:
    """The other way round: what is filled in for these keys of each prompt."""
    return " ".join(key if len(key) == 1 else f"{key}#" if key else "-" for key in keys)


def body_of(form: CallForm, kind: str, id: str) -> dict[str, Any]:
    """The request for the simulation."""
    values = form.values
    people = [(one.who, one.after) for one in form.operators if one.after]
    if values.get("who"):
        people.append((values["who"], values.get("after") or "4"))
    return {
        "target_type": kind,
        "target_id": id,
        "caller": values.get("caller", ""),
        "at": values.get("at") or None,
        "press": presses(values.get("keys", "")),
        "answer": values.get("answer") or "nobody",
        "people": [{"who": who, "after": int(after) if after.isdecimal() else after} for who, after in people],
    }


def faults_of(form: CallForm, asked: Asked) -> dict[str, list[str]]:
    """The API's violations by the field of the form that each is about."""
    named = [one.input for one in form.operators if one.after]
    found: dict[str, list[str]] = {}
    for one in asked.violations:
        place, _, inner = one.location.partition(".")
        if match := re.fullmatch(r"people\[(\d+)\]", place):
            index = int(match[1])
            name = named[index] if index < len(named) else "who" if inner == "who" else "after"
        elif place.startswith("press"):
            name = "keys"
        else:
            name = place if place in _OWN else ""
        found.setdefault(name, []).append(one.message)
    if not asked.violations:
        found[""] = [asked.message]
    return found


async def filled(visit: Visit, timezone: str) -> CallForm:
    """The form for a line, as far as the query fills it in."""
    values = {name: visit.query.get(name, "").strip()[:256] for name in _OWN}
    form = CallForm(f"{lines.here(visit)}/call", timezone, values)
    folder = lines.folder_of(visit)
    if folder != "callrouters":
        asked = await visit.inside.ask("GET", f"/api/v2/{folder}/{visit.params['id']}/operators")
        found = asked.document if asked.ok else {}
        people = [(kind, one) for kind in ("user", "room") for one in found.get(f"{kind}s") or ()]
        for kind, one in people[:OPERATORS]:
            name = one.get("display_name") or one.get("name") or ""
            own = f"after-{kind}-{one['id']}"
            after = visit.query.get(own, "").strip()[:9]
            form.operators.append(Operator(f"{kind}:{one['id']}", name, own, after))
    return form


async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
    """The form on the page of a line."""
    return Part("call", "Call it at…", "_call.html", {"form": await filled(visit, line["timezone"])})


async def page(visit: Visit) -> Answer:
    """`GET /console/offices/{id}/call?at=…&caller=…&keys=…&answer=…`, and of what else can be called."""
    folder, id = lines.folder_of(visit), visit.params["id"]
    kind, title = lines.KINDS[folder]
    line = await lines.record(visit)
    form = await filled(visit, line.get("timezone", ""))
    asked: Asked | None = None
    if visit.query:
        asked = await simulated(visit, body_of(form, kind, id))
        if not asked.ok:
            form.faults = faults_of(form, asked)
    status = asked.status if asked is not None and not asked.ok else 200
    call = asked.document if asked is not None and asked.ok else None
    return visit.page(
        "calling.html", status=status, here="offices", line=line, kind=title, form=form, call=call,
        notices=asked.notices if asked is not None else [], up=(lines.page_of(kind, id), line["name"]),
    )  # fmt: skip


async def simulated(visit: Visit, body: Mapping[str, Any]) -> Asked:
    """What the API says would become of a call."""
    return await visit.inside.ask("POST", SIMULATE, body=body)
