"""What can be done with a company as a document: shown, planned, applied."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from offhook.access import store as access
from offhook.access.doing import rehearsed
from offhook.access.gate import reply_of
from offhook.access.idempotency import Outcome, refuse_other
from offhook.configuration import wire
from offhook.configuration.company import Company, read
from offhook.configuration.differences import changes, renamed
from offhook.configuration.document import Document
from offhook.configuration.kinds import KINDS
from offhook.configuration.kinds.numbers import normal_number
from offhook.configuration.kinds.scripts import unscripted
from offhook.configuration.run import Run
from offhook.directory.work import Work
from offhook.kit import clock
from offhook.kit.errors import Conflict, Notice
from offhook.kit.operation import Call, Operation, Reply
from offhook.kit.wire import encode
from offhook.numbers import store as numbers
from offhook.storage.database import Transaction
from offhook.storage.rehearsal import Rows, rehearsal, rows_of

Within = Callable[[Transaction], Mapping[str, Operation]]
"""All operations, by id, so that what they do happens in the open transaction."""


class Configuration:
    """The configuration of all companies."""

    def __init__(self, work: Work, within: Within) -> None:
        self._work = work
        self._within = within
        # Each holds a copy of a company in memory, and keeps a processor busy.
        self._one_at_a_time = asyncio.Semaphore()

    async def show(self, call: Call) -> Reply:
        """The company as a document; its ETag is what an apply may be held to."""
        company = await self._work.reader.run(lambda tx: _read(tx, call))
        etag = b'"%s"' % company.fingerprint().encode()
        ids = call.query is not None and call.query.ids
        return Reply(body=encode(company.document(KINDS, ids=ids)), headers=((b"etag", etag),))

    async def plan(self, call: Call) -> Reply:
        """What a document would change."""
        return reply_of(await self._rehearsed(call))

    async def apply(self, call: Call) -> Reply:
        """Make the company what the document says, in one transaction."""
        if call.dry_run:
            claim = self._work.claim(call)
            await self._work.reader.run(lambda tx: refuse_other(tx, claim))
            plan = await self._rehearsed(call)
            return rehearsed(call, Outcome(encode(plan), (*call.notices, *_notices(plan))))
        at = clock.now()

        def make(tx: Transaction, notices: list[Notice]) -> wire.PlanOut:
            plan = self._carried_out(tx, call, at, planned=False)
            notices += _notices(plan)
            return plan

        return await self._work.create(call, make)

    async def _rehearsed(self, call: Call) -> wire.PlanOut:
        """What a document would change: carried out and compared in a copy of the company, while others write."""
        at = clock.now()

        def work(rows: Rows) -> wire.PlanOut:
            with rehearsal(rows) as tx:
                return self._carried_out(tx, call, at, planned=True)

        async with self._one_at_a_time:
            rows = await self._work.reader.run(lambda tx: _rows(tx, call))
            return await asyncio.to_thread(work, rows)

    def _carried_out(self, tx: Transaction, call: Call, at: datetime, *, planned: bool) -> wire.PlanOut:
        body: wire.ConfigurationIn = call.body
        with clock.at(at):
            before = _read(tx, call)
            mark = before.fingerprint()
            if body.fingerprint is not None and body.fingerprint.strip('"') != mark:
                raise Conflict("The company was changed since the plan was made; make it again and look what it says.")
            document = Document(KINDS, before)
            document.take(tx, body.document, prune=body.prune)
            run = Run(tx, call, self._within(tx), document)
            run.carry_out()
            after = _read(tx, call)
        found = changes(tx, before, after, KINDS, planned=planned)
        run.notices += [*renamed(before, after, KINDS), *unscripted(document.wanted, after)]
        counts = {verb: sum(one.verb == verb for one in found) for verb in ("create", "change", "delete")}
        return wire.PlanOut(
            differs=bool(found),
            fingerprint=mark if planned else after.fingerprint(),
            created=counts["create"],
            changed=counts["change"],
            deleted=counts["delete"],
            changes=found,
            warnings=[wire.Warned(code=one.code, field=one.field, text=one.text) for one in dict.fromkeys(run.notices)],
        )


def _notices(plan: wire.PlanOut) -> list[Notice]:
    return [Notice(one.code, one.field, one.text) for one in plan.warnings]


def _rows(tx: Transaction, call: Call) -> Rows:
    """All that decides what a document does: what the company has, and which of its numbers others have."""
    principal = call.principal
    rows = rows_of(tx, principal.tenant_id) | access.tenancy(tx, principal.company_id)
    listed = call.body.document.get("numbers")
    if principal.environment == "live" and isinstance(listed, dict):
        wanted = [str(normal_number(key)) for key in listed]
        rows[numbers.numbers] += numbers.rows_elsewhere(tx, principal.tenant_id, wanted)
    return rows


def _read(tx: Transaction, call: Call) -> Company:
    company = access.company(tx, call.principal.company_id)
    about: dict[str, Any] = {}
    if company is not None:
        about = {"name": company.name, "country": company.country} | (
            {"domain": company.domain} if company.domain else {}
        )
    return read(tx, call.principal.tenant_id, KINDS, about)
