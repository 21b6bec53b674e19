"""The list of offices: how each stands now and why, its main line, when that changes."""

import asyncio
from collections import Counter
from typing import Any, NamedTuple

from offhook.console.frame import Answer
from offhook.console.visit import Visit

PAGE = 20


class Line(NamedTuple):
    """An office in the list. `hours` is what the API says of its opening, None if it says nothing; `namesake` whether
    another one in the list is called the same.
    """

    office: dict[str, Any]
    hours: dict[str, Any] | None
    namesake: bool


async def offices(visit: Visit) -> Answer:
    """`GET /console/offices?q=…&cursor=…`."""
    search, cursor = visit.query.get("q", "").strip()[:256], visit.query.get("cursor", "")
    given = {"limit": str(PAGE), "name_search": search, "cursor": cursor}
    found = await visit.inside.get("/api/v2/offices", {name: value for name, value in given.items() if value})
    listed = found.get("items", ())
    called = Counter(_called(office) for office in listed)
    lines = await asyncio.gather(*(_line(visit, office, called[_called(office)] > 1) for office in listed))
    return visit.page(
        "offices.html",
        here="offices",
        search=search,
        lines=lines,
        cursor=found.get("cursor", ""),
        first=not cursor,
        base=visit.headers.get("host", ""),
    )


def _called(office: dict[str, Any]) -> str:
    """Its name as it is read."""
    return " ".join(office["name"].casefold().split())


async def _line(visit: Visit, office: dict[str, Any], namesake: bool) -> Line:
    hours = await visit.inside.ask("GET", f"/api/offhook/v1/offices/{office['id']}/opening-periods")
    return Line(office, hours.document if hours.ok else None, namesake)
