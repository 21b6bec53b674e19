"""What starts workflows by itself: the list of schedules, triggers and hooks, and one of them with what became of it.

The forms that make and change them are in workflow_start_forms.py.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from offhook.console.frame import Answer
from offhook.console.inside import Asked, Refused
from offhook.console.visit import Visit
from offhook.console.workflow_start_fields import filled
from offhook.console.workflows import API, HERE, WRITE, address
from offhook.workflows.triggers.rules import WORDS

STARTING = f"{HERE}/starting"
EVENTS = "/api/offhook/v1/events"
MOMENTS = 5
OF_LATE, LOOKS = 10, 3


class Kind(NamedTuple):
    """One of the three: its noun, and the events that say what became of it."""

    noun: str
    told: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "schedules": Kind(
        "schedule",
        tuple(f"workflow_schedule.{one}" for one in ("fired", "fired_by_hand", "missed", "skipped", "failed")),
    ),
    "triggers": Kind("trigger", tuple(f"workflow_trigger.{one}" for one in ("fired", "failed", "stopped"))),
    "hooks": Kind("hook"),
}
DONE = {
    "made": "It is kept.",
    "changed": "It is changed.",
    "pause": "It is paused.",
    "resume": "It goes on from now.",
}


@dataclass(slots=True)
class Form:
    """A form as it was filled in. `read` is the version that it was made of, "" for a new one."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refusal: str = ""
    read: str = ""
    status: int = 200


class Listed(NamedTuple):
    """A page of one kind: what there is, how it goes on, and why there is nothing if that was refused."""

    items: Sequence[Mapping[str, Any]]
    cursor: str
    first: bool
    refusal: str


def place(kind: str, id: str = "") -> str:
    """Where the API has a kind, or one of it."""
    return f"{API}/{kind}" + (f"/{id}" if id else "")


def page_of(kind: str, id: str = "new") -> str:
    """The page of one, or of the form for a new one."""
    return f"{STARTING}/{kind}/{id}"


async def listed(visit: Visit) -> Answer:
    """`GET /console/workflows/starting?workflow=…`: all three kinds, or those that start one workflow."""
    workflow = visit.query.get("workflow", "")[:256]
    schedules, triggers, hooks = await asyncio.gather(*(_listed(visit, kind, workflow) for kind in KINDS))
    return visit.page(
        "workflow_starting.html", here="workflows", workflow=workflow, address=address, page_of=page_of,
        starting=STARTING, writes=visit.may(WRITE), as_json=lambda value: json.dumps(value, ensure_ascii=False),
        schedules=schedules, triggers=triggers, hooks=hooks,
    )  # fmt: skip


async def _listed(visit: Visit, kind: str, workflow: str) -> Listed:
    cursor = visit.query.get(kind, "")
    query = {name: value for name, value in (("workflow", workflow), ("cursor", cursor)) if value}
    asked = await visit.inside.ask("GET", place(kind), query)
    document = asked.document if asked.ok else {}
    return Listed(document.get("items", []), document.get("cursor", ""), not cursor, asked.message)


async def shown(visit: Visit, form: Form | None = None, secret: str = "") -> Answer:
    """`GET /console/workflows/starting/{kind}/{id}`: where it stands, what became of it of late, the form to change it.

    A `secret` that was made just now is shown this once.
    """
    kind, id = visit.params["kind"], visit.params["id"]
    asked = await visit.inside.ask("GET", place(kind, id))
    if not asked.ok:
        raise Refused(asked)
    it = asked.document
    form = form or Form(filled(kind, it))
    form.read = form.read or asked.version
    events = await _of_late(visit, KINDS[kind].told, id)
    return await page(
        visit, kind, form, it=it, events=events, secret=secret, done=DONE.get(visit.query.get("done", ""), "")
    )


async def page(visit: Visit, kind: str, form: Form, *, it: Mapping[str, Any] | None = None, **more: Any) -> Answer:
    """The page of one, or of a new one, with the form as it stands."""
    definitions = await visit.inside.ask("GET", f"{API}/definitions")
    preview = None
    if kind == "schedules" and form.values.get("cron", "").strip():
        preview = await moments(visit, form.values["cron"], form.values.get("timezone", ""))
    return visit.page(
        "workflow_start.html", here="workflows", status=form.status, kind=kind, noun=KINDS[kind].noun, it=it, form=form,
        definitions=definitions.document["items"] if definitions.ok else [], preview=preview, words=WORDS,
        address=address, page_of=page_of, starting=STARTING, own=own(visit), writes=visit.may(WRITE), **more,
    )  # fmt: skip


def own(visit: Visit) -> str:
    """The address of this server, as the browser has it."""
    return f"http{'s' if visit.jar.secure else ''}://{visit.headers.get('host', '')}"


async def _of_late(visit: Visit, words: Sequence[str], id: str) -> list[Mapping[str, Any]] | None:
    """What the event log says of it, the latest first; None if the key may not read that."""
    known: list[Mapping[str, Any]] = []
    query = {"subject_id": id, "newest_first": "true", "limit": "100"}
    # A page of the log looks at so many events only.
    for _ in range(LOOKS if words else 0):
        asked = await visit.inside.ask("GET", EVENTS, query)
        if not asked.ok:
            return None
        known += [one for one in asked.document.get("items", []) if one["event"] in words]
        if len(known) >= OF_LATE or "cursor" not in asked.document:
            break
        query["cursor"] = asked.document["cursor"]
    return known[:OF_LATE]


# The moments of an expression


async def preview(visit: Visit) -> Answer:
    """`GET /console/workflows/starting/preview?cron=…&timezone=…`: its next moments, for a form that is filled in."""
    asked = await moments(visit, visit.query.get("cron", ""), visit.query.get("timezone", ""))
    return visit.page("workflow_moments.html", here="workflows", preview=asked, starting=STARTING)


async def moments(visit: Visit, cron: str, timezone: str) -> Asked:
    """The next moments of an expression on the clock of a zone, by the API."""
    query = {"cron": cron.strip()[:1_000], "timezone": timezone.strip()[:200] or "UTC", "count": str(MOMENTS)}
    return await visit.inside.ask("GET", f"{place('schedules')}/preview", query)
