"""An office on one page: its week, what becomes of a call, who answers, and everything else that is known of it.

A section is a function here and a template beside the others; a refusal of one leaves the others standing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from offhook.console import calling, coverage, findings, following, hands, heard, lines, scripts, week_svg, words
from offhook.console.frame import Answer
from offhook.console.visit import Part, Visit, part
from offhook.hours.model import DAYS
from offhook.kit import clock
from offhook.kit.zones import zone

EVENTS = 10
DAYS_SHOWN = 12
Section = Callable[[Visit, Mapping[str, Any]], Awaitable[Part]]


async def office(visit: Visit, form: lines.Refused | None = None) -> Answer:
    """`GET /console/offices/{id}`; with a `form` that was refused, what is wrong with it stands there."""
    id = visit.params["id"]
    found = await lines.record(visit)
    hours = await visit.inside.get(f"/api/offhook/v1/offices/{id}/opening-periods")
    shown = {**found, "opening": hours, "refused": form}
    hand, *parts = await asyncio.gather(hands.standing(visit, form), *(section(visit, shown) for section in SECTIONS))
    said = visit.seals.said(visit.cookies.get(visit.jar.said, ""))
    answer = visit.page(
        "line.html", status=form.status if form else 200, here="offices", line=found, kind="Office", opening=hours,
        parts=parts, said=said, made="made" in visit.query, up=("/console/offices", "Offices"), hand=hand,
    )  # fmt: skip
    if visit.jar.said in visit.cookies:
        answer.headers.append(visit.jar.set(visit.jar.said, "", 0, visit.path))
    return answer


# Sections that lines of all kinds have


async def week(visit: Visit, line: Mapping[str, Any]) -> Part:
    """The hours as a picture and as a table, and the dates that differ."""
    return Part("hours", "Opening hours", "_week.html", week_shown(line))


class Dated(NamedTuple):
    """A date that differs from the week, as it falls next."""

    date: str
    name: str
    kind: str
    hours: list[str]


def week_shown(line: Mapping[str, Any]) -> dict[str, Any]:
    """What the hours' section shows of an office, a department or a call center."""
    lists = [line.get(f"{day}_hours", []) for day in DAYS]
    always = not line["hours_on"]
    here = zone(line["timezone"])
    at = clock.now().astimezone(here)
    ahead = [Dated(*one) for one in coming(line.get("special_days", []), at)]
    return {
        "picture": week_svg.drawn(lists, always=always, now=(at.weekday(), at.hour * 60 + at.minute)),
        "table": week_svg.table(lists, always=always),
        "always": always,
        "timezone": line["timezone"],
        "ahead": ahead[:DAYS_SHOWN],
        "more": max(0, len(ahead) - DAYS_SHOWN),
        "today": at.weekday(),
    }


def coming(days: list[dict[str, Any]], at: datetime) -> list[tuple[str, str, str, list[str]]]:
    """(date, name, kind, hours) of special days from today on, soonest first; a yearly one as it falls next."""
    return sorted(
        (when.isoformat(), one["name"], one["kind"], one["hours"])
        for one in days
        if (when := _falls(date.fromisoformat(one["date"]), one["repeats_yearly"], at.date())) is not None
    )


def _falls(day: date, yearly: bool, today: date) -> date | None:
    """The date from `today` on, if there is one, on which a special day falls first."""
    if not yearly:
        return day if day >= today else None
    for year in range(today.year, today.year + 9):
        try:
            when = day.replace(year=year)
        except ValueError:  # 29 February
            continue
        if when >= today:
            return when
    return None


def operators(folder: str) -> Section:
    """Who answers for an office, a department or a call center."""

    async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
        asked = await visit.inside.ask("GET", f"/api/v2/{folder}/{line['id']}/operators")
        return part("operators", "Operators", "_operators.html", asked, folder=folder, group=line["id"])

    return section


async def numbers(visit: Visit, line: Mapping[str, Any]) -> Part:
    """The numbers that reach it."""
    return Part("numbers", "Numbers", "_numbers.html", {"line": line})


async def events(visit: Visit, line: Mapping[str, Any]) -> Part:
    """What happened to it last."""
    query = {"subject_id": line["id"], "newest_first": "true", "limit": str(EVENTS)}
    asked = await visit.inside.ask("GET", "/api/offhook/v1/events", query)
    return part("events", "Recent events", "_events.html", asked)


# Sections of offices


async def groups(visit: Visit, line: Mapping[str, Any]) -> Part:
    """The departments and call centers of an office."""
    departments, centers = await asyncio.gather(
        visit.inside.ask("GET", f"/api/v2/offices/{line['id']}/departments"),
        visit.inside.ask("GET", f"/api/v2/offices/{line['id']}/callcenters"),
    )
    refusal = "" if departments.ok and centers.ok else departments.message or centers.message
    shown = {} if refusal else {"departments": departments.document, "centers": centers.document, "id": line["id"]}
    return Part("groups", "Departments and call centers", "_groups.html", shown, refusal)


async def emergency(visit: Visit, line: Mapping[str, Any]) -> Part:
    """Where help is sent."""
    return Part("emergency", "Emergency address", "_emergency.html", {"address": line.get("e911_address")})


async def plan(visit: Visit, line: Mapping[str, Any]) -> Part:
    """The plan, and the lines that are bought, used and free."""
    owned, terms = await asyncio.gather(
        visit.inside.ask("GET", f"/api/offhook/v1/offices/{line['id']}/licences"),
        visit.inside.ask("GET", f"/api/v2/offices/{line['id']}/plan"),
    )
    if not terms.ok:
        return Part("plan", "Plan and licences", "_plan.html", refusal=terms.message)
    return part("plan", "Plan and licences", "_plan.html", owned, plan=terms.document, line=line, lines=words.LINES)


CALLS: tuple[Section, ...] = (
    week,
    following.section,
    scripts.section,
    calling.section,
    heard.section,
    findings.section,
    coverage.section,
)
"""What the page of every line begins with: its hours, and what becomes of calls."""

SECTIONS: tuple[Section, ...] = (
    *CALLS,
    operators("offices"),
    groups,
    numbers,
    emergency,
    plan,
    events,
)
"""What an office's page shows, in this order. Another section is one more function, with its template."""
