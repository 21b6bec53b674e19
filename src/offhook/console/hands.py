"""Opening and closing a line by hand, beside its status: who did it, why, and the form that changes it."""

from dataclasses import dataclass, field
from typing import Any

from offhook.console import lines
from offhook.console.inside import Asked
from offhook.console.visit import Visit

FIELDS = ("how", "until", "reason")


@dataclass(slots=True)
class HandForm:
    """The form as it was sent; `faults` are messages by the name of a field, "" for the form as a whole."""

    values: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Hand:
    """How a line stands by the API, None with the `refusal` if it does not say, and the form to change that."""

    stands: dict[str, Any] | None
    form: HandForm
    refusal: str
    action: str


async def standing(visit: Visit, refused: lines.Refused | None = None) -> Hand:
    """What a line's page shows beside the status."""
    form = refused if isinstance(refused, HandForm) else HandForm()
    asked = await visit.inside.ask("GET", f"{lines.added(visit)}/by-hand")
    action = f"{lines.here(visit)}/by-hand"
    return Hand(asked.document if asked.ok else None, form, asked.message, action)


async def set_by(visit: Visit) -> HandForm | None:
    """Open or close the line as the form says; None if that was done, else the form with what is wrong."""
    sent = dict(visit.form)
    if sent.get("do") not in ("open", "closed"):
        return HandForm(dict.fromkeys(FIELDS, ""), {"": ["Choose whether to open or to close."]}, 400)
    body: dict[str, Any] = {"status": sent["do"]}
    if sent.get("reason", "").strip():
        body["reason"] = sent["reason"]
    if sent.get("how") == "moment":
        body["until"] = sent.get("until", "").strip()
    elif sent.get("how") != "lifted":
        body["until_next_change"] = True
    asked = await visit.inside.ask("PUT", f"{lines.added(visit)}/by-hand", body=body)
    values = {name: sent.get(name, "")[:256] for name in FIELDS}
    return None if asked.ok else HandForm(values, _faults(asked), asked.status)


async def lifted(visit: Visit) -> HandForm | None:
    """Let the hours count again; None if they do, else an empty form with what is wrong."""
    asked = await visit.inside.ask("DELETE", f"{lines.added(visit)}/by-hand")
    return None if asked.ok else HandForm({}, _faults(asked), asked.status)


def _faults(asked: Asked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in asked.violations:
        name = {"until_next_change": "how"}.get(one.location, one.location if one.location in FIELDS else "")
        found.setdefault(name, []).append(one.message)
    return found or {"": [asked.message]}
