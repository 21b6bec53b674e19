"""Departments and call centers, each on a page like an office's."""

import asyncio
from typing import Any

from offhook.console.frame import Answer
from offhook.console.office import Section, events, numbers, operators, routing, week
from offhook.console.visit import Visit

_KINDS = {"departments": "Department", "callcenters": "Call center"}


async def group(visit: Visit) -> Answer:
    """`GET /console/departments/{id}` and `GET /console/callcenters/{id}`."""
    folder, id = visit.path.split("/")[2], visit.params["id"]
    found: dict[str, Any] = await visit.inside.get(f"/api/v2/{folder}/{id}")
    home = await visit.inside.ask("GET", f"/api/v2/offices/{found['office_id']}")
    sections: tuple[Section, ...] = (week, routing, operators(folder), numbers, events)
    parts = await asyncio.gather(*(section(visit, found) for section in sections))
    up = (f"/console/offices/{found['office_id']}", home.document["name"] if home.ok else "Its office")
    return visit.page(
        "line.html",
        here="offices",
        line=found,
        kind=_KINDS[folder],
        opening=None,
        parts=parts,
        said=[],
        made=False,
        up=up,
    )
