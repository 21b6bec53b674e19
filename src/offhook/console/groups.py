"""Departments and call centers, each on a page like an office's."""

import asyncio

from offhook.console import hands, lines
from offhook.console.frame import Answer
from offhook.console.office import CALLS, Section, events, numbers, operators
from offhook.console.visit import Visit


async def group(visit: Visit, form: lines.Refused | None = None) -> Answer:
    """`GET /console/departments/{id}` and `/console/callcenters/{id}`; a `form` as on an office's page."""
    folder = lines.folder_of(visit)
    found = await lines.record(visit)
    home = await visit.inside.ask("GET", f"/api/v2/offices/{found['office_id']}")
    sections: tuple[Section, ...] = (*CALLS, operators(folder), numbers, events)
    shown = {**found, "refused": form}
    hand, *parts = await asyncio.gather(hands.standing(visit, form), *(section(visit, shown) for section in sections))
    up = (f"/console/offices/{found['office_id']}", home.document["name"] if home.ok else "Its office")
    return visit.page(
        "line.html", status=form.status if form else 200, here="offices", line=found, kind=lines.KINDS[folder][1],
        opening=None, parts=parts, said=[], made=False, up=up, hand=hand,
    )  # fmt: skip
