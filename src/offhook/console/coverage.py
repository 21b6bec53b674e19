"""Who is reachable when: the API's picture of the week, and the same as a table for every line."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from markupsafe import Markup

from offhook.console import lines
from offhook.console.frame import Answer
from offhook.console.visit import Part, Visit

ID, TITLE = "coverage", "Who is reachable when"
_COMPANY = "/api/offhook/v1/coverage"


class Row(NamedTuple):
    """A stretch of a line's week on the line's clock."""

    day: str
    start: str
    end: str
    why: str
    who: str
    keys: list[tuple[str, str]]
    ends: str


class Line(NamedTuple):
    """A line's week as a table."""

    name: str
    page: str
    timezone: str
    rows: list[Row]


async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
    """On the page of a line: where it is fetched from."""
    text = "Show the week of everybody who can be reached"
    return Part(ID, TITLE, "_later.html", {"address": f"{lines.here(visit)}/coverage", "text": text})


async def of_line(visit: Visit) -> Answer:
    """`GET /console/offices/{id}/coverage?week_of=…`."""
    line = await lines.record(visit)
    part = await _part(visit, f"{lines.added(visit)}/coverage", f"{lines.here(visit)}/coverage")
    up = (lines.here(visit), line["name"])
    return visit.page("part.html", status=part.status, here="offices", part=part, up=up)


async def of_company(visit: Visit) -> Answer:
    """`GET /console/coverage?week_of=…`."""
    part = await _part(visit, _COMPANY, "/console/coverage")
    return visit.page("part.html", status=part.status, here="coverage", part=part, up=None)


async def _part(visit: Visit, path: str, here: str) -> Part:
    wanted = visit.query.get("week_of", "")
    query = {"week_of": wanted} if wanted else {}
    asked, drawn = await asyncio.gather(
        visit.inside.ask("GET", path, query), visit.inside.picture(path, {**query, "format": "svg"})
    )
    if not asked.ok:
        return Part(ID, TITLE, "_coverage.html", refusal=asked.message, status=asked.status)
    weeks = asked.document["weeks"]
    first = date.fromisoformat(weeks[0]["first_day"]) if weeks else None
    shown = {
        "picture": drawn and Markup(drawn),  # noqa: S704 - the API escapes what is a company's own
        "lines": [_line(one) for one in weeks],
        "here": here,
        "before": first and (first - timedelta(days=7)).isoformat(),
        "after": first and (first + timedelta(days=7)).isoformat(),
        "whole": here != "/console/coverage",
    }
    return Part(ID, TITLE, "_coverage.html", shown)


def _line(week: Mapping[str, Any]) -> Line:
    where, rows = week["line"], [_row(one) for one in week["stretches"]]
    return Line(where["name"], lines.page_of(where["type"], where["id"]), week["timezone"], rows)


def _row(one: Mapping[str, Any]) -> Row:
    start, end = (datetime.fromisoformat(one[name]) for name in ("start", "end"))
    return Row(
        day=f"{start:%a} {start.day}",
        start=f"{start:%H:%M}",
        end=f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %H:%M}",
        why=one["why"],
        who=", ".join(one["rings"]),
        keys=[(key["key"], ", ".join(key["rings"]) or key["ends"]) for key in one["keys"]],
        ends=one["ends"],
    )
