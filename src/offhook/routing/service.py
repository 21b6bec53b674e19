"""What can be asked of routing: a simulated call, a week, what is wrong. Nothing here changes anything."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta

from offhook.directory.lines.model import Target
from offhook.directory.users import store as users
from offhook.kit import clock
from offhook.kit.errors import Invalid, NotFound, Violation
from offhook.kit.operation import Call
from offhook.routing import reading, report, store, wire
from offhook.routing.coverage import Week, week_of, weeks_of
from offhook.routing.findings import Report
from offhook.routing.findings import report as report_of
from offhook.routing.model import Company
from offhook.routing.simulate import play
from offhook.routing.state import NOWHERE
from offhook.routing.trace import ends_at
from offhook.routing.turn import name_of
from offhook.routing.verify import verify_line, verify_office
from offhook.storage.batches import Reader, Within
from offhook.storage.database import Transaction

CompanyOf = Callable[[int], Awaitable[Company]]


class Routing:
    """Asks the same decisions that calls ask."""

    def __init__(self, reader: Reader | Within, company: CompanyOf) -> None:
        self.reader = reader
        self.company = company

    async def simulate(self, call: Call) -> wire.TraceOut:
        """A call that is not made: what would happen, and why."""
        body: wire.SimulateIn = call.body
        tenant_id = call.principal.tenant_id
        config = await self.company(tenant_id)
        named = [
            *(one.who for one in body.people),
            *(one.who for one in body.unpark),
            *(one.by for one in body.transfers),
        ]
        mails = [who for who in named if "@" in who]
        mails += [body.caller_user] if body.caller_user and "@" in body.caller_user else []
        by_mail = await self.reader.run(lambda tx: _by_mail(tx, tenant_id, mails)) if mails else {}
        rotations, idle_since = await self.reader.run(lambda tx: store.left_behind(tx, tenant_id))
        found: list[Violation] = []
        first = reading.first(config, body, by_mail, call, found)
        script = reading.script(config, body, by_mail, found)
        if found or first is None:
            raise Invalid.of(found)
        script = replace(script, rotations=rotations, idle_since=idle_since)
        played = play(config, first, script, body.seed)
        state = played.state
        called = state.home if state.home != NOWHERE else None
        call.notices.extend(reading.unused(config, body, by_mail, played))
        return report.trace_out(
            played.trace,
            name_of=lambda target: name_of(config, target),
            called=called,
            ends=ends_at(state),
            outcome=state.outcome if state.phase == "over" else "unfinished",
            config=config.version,
        )

    async def verify_office(self, call: Call, office_id: int) -> Report:
        """What callers of an office, or of anything in it, would be lost by."""
        config = await self.company(call.principal.tenant_id)
        if office_id not in config.offices:
            raise NotFound(f"There is no office {office_id} in the company.")
        now = clock.now()
        return report_of(await asyncio.to_thread(verify_office, config, office_id, now))

    async def verify_line(self, call: Call, target: Target) -> Report:
        """What callers of a line would be lost by."""
        config = await self.company(call.principal.tenant_id)
        if target not in config.lines:
            raise NotFound(f"There is no {target.type} {target.id} in the company.")
        now = clock.now()
        return report_of(await asyncio.to_thread(verify_line, config, target, now))

    async def weeks(self, call: Call, office_id: int | None) -> tuple[Company, list[Week]]:
        """The week of every line of an office, or of the company."""
        query: wire.CoverageQuery = call.query or wire.CoverageQuery()
        config = await self.company(call.principal.tenant_id)
        if office_id is not None and office_id not in config.offices:
            raise NotFound(f"There is no office {office_id} in the company.")
        return config, await asyncio.to_thread(weeks_of, config, _monday(query.week_of), office_id)

    async def week(self, call: Call, target: Target) -> tuple[Company, list[Week]]:
        """The week of one line."""
        query: wire.CoverageQuery = call.query or wire.CoverageQuery()
        config = await self.company(call.principal.tenant_id)
        line = config.lines.get(target)
        if line is None:
            raise NotFound(f"There is no {target.type} {target.id} in the company.")
        return config, [await asyncio.to_thread(week_of, config, line, _monday(query.week_of))]


def _monday(text: str | None) -> date:
    try:
        day = clock.now().date() if text is None else date.fromisoformat(text)
        if day.year not in reading.YEARS:
            raise ValueError
    except ValueError:
        words = f"Must be a date such as 2026-12-24, {reading.OF_YEARS}."
        raise Invalid.of([Violation(location="week_of", message=words, sent=text)]) from None
    return day - timedelta(days=day.weekday())


def _by_mail(tx: Transaction, tenant_id: int, mails: list[str]) -> dict[str, int]:
    found = {mail: users.by_email(tx, tenant_id, mail) for mail in {one.strip().lower() for one in mails}}
    return {mail: id for mail, id in found.items() if id is not None}
