"""What can be done with a company as a document: shown, planned, applied."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from offhook.access import store as access
from offhook.access.gate import reply_of
from offhook.configuration import engine, wire
from offhook.configuration.kinds import KINDS
from offhook.directory.work import Work
from offhook.kit import clock
from offhook.kit.errors import Conflict, Notice
from offhook.kit.operation import Call, Operation, Reply
from offhook.kit.wire import encode
from offhook.storage.database import Transaction

Within = Callable[[Transaction], Mapping[str, Operation]]
"""All operations, by id, so that what they do happens in the open transaction."""


class _Undone(Exception):
    """Leaves a transaction that was only a rehearsal, so that it is undone."""

    def __init__(self, plan: wire.PlanOut) -> None:
        super().__init__()
        self.plan = plan


class Configuration:
    """The configuration of all companies."""

    def __init__(self, work: Work, within: Within) -> None:
        self._work = work
        self._within = within

    async def show(self, call: Call) -> Reply:
        """The company as a document; its ETag is what an apply may be held to."""
        company = await self._work.reader.run(lambda tx: _read(tx, call))
        etag = b'"%s"' % company.fingerprint().encode()
        return Reply(body=encode(company.document(KINDS)), headers=((b"etag", etag),))

    async def plan(self, call: Call) -> Reply:
        """What a document would change: it is carried out, compared, and undone."""
        at = clock.now()

        def run(tx: Transaction) -> None:
            raise _Undone(self._carried_out(tx, call, at, planned=True))

        try:
            await self._work.writer.run(run)
        except _Undone as undone:
            return reply_of(undone.plan)
        raise AssertionError("a plan is always undone")

    async def apply(self, call: Call) -> Reply:
        """Make the company what the document says, in one transaction."""
        at = clock.now()

        def make(tx: Transaction, notices: list[Notice]) -> wire.PlanOut:
            plan = self._carried_out(tx, call, at, planned=call.dry_run)
            notices += [Notice(one.code, one.field, one.text) for one in plan.warnings]
            return plan

        return await self._work.create(call, make)

    def _carried_out(self, tx: Transaction, call: Call, at: datetime, *, planned: bool) -> wire.PlanOut:
        body: wire.ConfigurationIn = call.body
        with clock.at(at):
            before = _read(tx, call)
            mark = before.fingerprint()
            if body.fingerprint is not None and body.fingerprint.strip('"') != mark:
                raise Conflict("The company was changed since the plan was made; make it again and look what it says.")
            run = engine.Run(tx, call, KINDS, self._within(tx), before)
            run.take(body.document, prune=body.prune)
            run.carry_out()
            after = _read(tx, call)
        changes = engine.changes(before, after, KINDS, planned=planned)
        counts = {verb: sum(one.verb == verb for one in changes) for verb in ("create", "change", "delete")}
        return wire.PlanOut(
            differs=bool(changes),
            fingerprint=mark if planned else after.fingerprint(),
            created=counts["create"],
            changed=counts["change"],
            deleted=counts["delete"],
            changes=changes,
            warnings=[wire.Warned(code=one.code, field=one.field, text=one.text) for one in dict.fromkeys(run.notices)],
        )


def _read(tx: Transaction, call: Call) -> engine.Company:
    company = access.company(tx, call.principal.company_id)
    about: dict[str, Any] = {}
    if company is not None:
        about = {"name": company.name, "country": company.country} | (
            {"domain": company.domain} if company.domain else {}
        )
    return engine.read(tx, call.principal.tenant_id, KINDS, about)
