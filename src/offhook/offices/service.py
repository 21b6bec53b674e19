"""What can be done with an office: rules, store and events brought together in one unit of work each."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from offhook.access import idempotency
from offhook.access.idempotency import Claim, Outcome
from offhook.billing import licences
from offhook.billing import store as plans
from offhook.billing.model import Plan
from offhook.billing.wire import plan_out
from offhook.directory import pointers
from offhook.directory.assignment import service as assignment
from offhook.directory.e911 import address_of, faults_of
from offhook.directory.hands import Hand
from offhook.directory.lines.model import KeptByHand, Target, added
from offhook.directory.lines.rules import repointed
from offhook.directory.operators.service import leave_group
from offhook.directory.scripts import Edit as ScriptEdit
from offhook.directory.scripts import Scripted
from offhook.directory.users.addresses import give_address
from offhook.directory.users.service import forget_office
from offhook.directory.work import Holder, Holding, Residents, Work
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.hours.holidays import import_holidays
from offhook.hours.model import SpecialDay
from offhook.hours.rules import parse_day
from offhook.hours.schedule import next_change
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, PreconditionFailed, Violation, shown
from offhook.kit.ids import Ids
from offhook.kit.operation import Call, WarningOut
from offhook.kit.text import enumerated, single_line
from offhook.kit.wire import encode
from offhook.numbers import store as numbers
from offhook.offices import render, rules, store, wire
from offhook.offices.create import (
    Advise,
    Company,
    NewOffice,
    Stale,
    add_advice,
    check_bindings,
    nothing_to_say,
    plan_of,
    prepare,
    read_company,
    refuse_stale,
    warn_of_targets,
)
from offhook.offices.model import MAX_SPECIAL_DAYS, Stored
from offhook.offices.replacing import replaced, warn_of_namesake
from offhook.offices.snapshots import snapshot
from offhook.storage.batches import Lookup, Reader, Within, Writer
from offhook.storage.database import Database, Transaction

_ATTEMPTS = 5


class Offices:
    """The offices of all companies; one for a process."""

    def __init__(
        self,
        database: Database,
        writer: Writer | Within,
        reader: Reader | Within,
        ids: Ids,
        *,
        keep_days: int = 7,
        advise: Advise = nothing_to_say,
    ) -> None:
        self._advise = advise
        self._writer = writer
        self._reader = reader
        self._ids = ids
        self._keep_ms = keep_days * 86_400_000
        self._lookup: Lookup[tuple[int, int], Stored | None] | None = None
        if not isinstance(reader, Within):
            self._lookup = Lookup(database, "offices", store.get_many)
        self._companies: dict[int, Company] = {}

    async def close(self) -> None:
        """Finish the look-ups under way."""
        if self._lookup is not None:
            await self._lookup.close()

    async def company(self, tenant_id: int, company_id: int, *, fresh: bool = False) -> Company:
        """What a create needs of the company; kept until a transaction finds it stale."""
        known = self._companies.get(tenant_id)
        if known is None or fresh:
            known = await self._reader.run(lambda tx: read_company(tx, tenant_id, company_id))
            if len(self._companies) > 10_000:
                self._companies.clear()
            self._companies[tenant_id] = known
        return known

    # Creating

    async def create(self, call: Call) -> Outcome:
        """Create the office in `call.body`: 200 with office and plan once both, and the event, are on disk."""
        principal = call.principal
        claim = self.claim(call)
        for attempt in range(_ATTEMPTS):
            company = await self.company(principal.tenant_id, principal.company_id, fresh=attempt > 0)
            if company.home is None:
                raise Conflict("This company has no primary office yet; offhook init makes one.")
            notices = list(call.notices)
            try:
                new = prepare(self._ids, call, company, notices, claim, advise=self._advise)
            except Invalid:
                if attempt == 0:
                    # What is remembered of the primary office may be old; nothing is refused by it.
                    continue
                raise
            try:
                outcome = await (self._rehearse if call.dry_run else self._submit)(new, notices)
            except Stale:
                continue
            call.notices[:] = outcome.notices
            return outcome
        raise Conflict("The primary office keeps changing; try again.")

    async def _submit(self, new: NewOffice, notices: list[Notice]) -> Outcome:
        if new.stored.office.targets():
            await self._reader.run(lambda tx: warn_of_targets(tx, new.stored, notices))
            new = msgspec.structs.replace(new, outcome=Outcome(new.outcome.body, tuple(notices)))
        return await self._writer.submit(new)

    async def _rehearse(self, new: NewOffice, notices: list[Notice]) -> Outcome:
        at = clock.now()
        return await self._reader.run(lambda tx: self._rehearsed(tx, new, notices, at))

    async def check(self, call: Call) -> Sequence[Violation]:
        """What the rules have against the body, by themselves."""
        company = await self.company(call.principal.tenant_id, call.principal.company_id, fresh=True)
        try:
            rules.check(call.body, company.home, [])
        except Invalid as invalid:
            return invalid.violations
        return ()

    async def check_hours(self, call: Call) -> Sequence[Violation]:
        """What the rules have against new hours, by themselves."""
        stored = await self.get(call.principal.tenant_id, int(call.params["id"]))
        try:
            rules.change_week(stored.office, call.body, [])
        except Invalid as invalid:
            return invalid.violations
        return ()

    async def check_emergency_address(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a new emergency address, by themselves."""
        stored = await self.get(call.principal.tenant_id, int(call.params["id"]))
        return faults_of(stored.office.country, call.body)

    def claim(self, call: Call) -> Claim | None:
        """The record of a create that may be repeated."""
        return idempotency.claim_of(call, self._ids, self._keep_ms)

    def _rehearsed(self, tx: Transaction, new: NewOffice, notices: list[Notice], at: datetime) -> Outcome:
        stored = new.stored
        idempotency.refuse_other(tx, new.claim)
        refuse_stale(store.primary(tx, stored.tenant_id), new.home)
        check_bindings(tx, stored.tenant_id, stored.office.mainline_number, stored.office.targets(), new.joining)
        warn_of_targets(tx, stored, notices)
        warn_of_namesake(tx, stored.tenant_id, stored.id, stored.office.name, notices)
        schedule = stored.schedule()
        answer = wire.DryRun(
            dry_run=True,
            office=render.office_out(stored, at),
            plan=plan_out(plan_of(stored, new)),
            warnings=[WarningOut(n.code, n.field, n.text) for n in notices],
            opening_periods=render.coming_week(stored, at),
            next_change=render.change_out(schedule, next_change(schedule, at)),
        )
        return Outcome(encode(answer), tuple(notices))

    # Reading

    async def get(self, tenant_id: int, office_id: int) -> Stored:
        """An office of the tenant; NotFound otherwise."""
        if self._lookup is not None:
            stored = await self._lookup.get((tenant_id, office_id))
        else:
            stored = await self._reader.run(lambda tx: store.get(tx, tenant_id, office_id))
        if stored is None:
            raise no_office(office_id)
        return stored

    async def primary(self, tenant_id: int) -> Stored:
        """The company's primary office."""

        def find(tx: Transaction) -> Stored | None:
            found = store.primary(tx, tenant_id)
            return store.get(tx, tenant_id, found[0]) if found else None

        stored = await self._reader.run(find)
        if stored is None:
            raise NotFound("This company has no primary office yet.")
        return stored

    async def page(self, tenant_id: int, after: int, limit: int, active_only: bool) -> list[Stored]:
        """A page of offices behind the id `after`."""
        return await self._reader.run(lambda tx: store.page(tx, tenant_id, after, limit, active_only))

    async def search(self, tenant_id: int, after: int, limit: int, active_only: bool, text: str) -> store.Found:
        """The same for offices whose name holds `text`."""
        return await self._reader.run(lambda tx: store.search(tx, tenant_id, after, limit, active_only, text))

    async def with_plan(self, tenant_id: int, office_id: int) -> tuple[Stored, Plan]:
        """An office and its plan, of one moment."""
        return await self._reader.run(lambda tx: read_with_plan(tx, tenant_id, office_id))

    # Changing

    async def change(self, call: Call, office_id: int, word: Word, edit: "Edit") -> tuple[Stored, Plan]:
        """Apply `edit` to an office in one transaction, with its event; PreconditionFailed if `If-Match` is old.

        `edit` gets the office and may raise a Refusal; what it returns is stored as the next version.
        """
        at = clock.now()
        changed, plan, notices = await self._writer.run(lambda tx: change_in(tx, call, at, office_id, word, edit))
        call.notices.extend(notices)
        return changed, plan

    async def replace(self, call: Call, office_id: int) -> tuple[Stored, Plan]:
        """Replace all of an office by `call.body`, under the rules of a create."""
        body: wire.OfficeIn = call.body
        if body.operators is not None:
            text = "Operators stay as they are: add and remove them under /api/v2/offices/{id}/operators."
            call.notices.append(Notice("operators_ignored", "operators", text))
            body = msgspec.structs.replace(body, operators=None)
        company = await self.company(call.principal.tenant_id, call.principal.company_id, fresh=True)
        at = clock.now()

        def edit(tx: Transaction, before: Stored, plan: Plan, notices: list[Notice]) -> tuple[Stored, Plan]:
            known = self._advise(before.office) if wire.is_as_read(body) else []
            stored, plan = replaced(tx, company, at, body, (before, plan), notices)
            add_advice(notices, [one for one in self._advise(stored.office) if one not in known])
            return stored, plan

        tenant_id, namesakes = call.principal.tenant_id, list[Notice]()
        await self._reader.run(lambda tx: warn_of_namesake(tx, tenant_id, office_id, body.name, namesakes))
        result = await self.change(call, office_id, Word.OFFICE_UPDATED, edit)
        call.notices.extend(namesakes)
        self._companies.pop(call.principal.tenant_id, None)
        return result

    async def change_hours(self, call: Call, office_id: int) -> tuple[Stored, Plan]:
        """Change hours_on and the seven lists."""
        patch: wire.OfficePatch = call.body

        def edit(_tx: Transaction, before: Stored, plan: Plan, notices: list[Notice]) -> tuple[Stored, Plan]:
            office = rules.change_week(before.office, patch, notices)
            return msgspec.structs.replace(before, office=office), plan

        return await self.change(call, office_id, Word.OFFICE_HOURS_UPDATED, edit)

    async def change_emergency_address(self, call: Call, office_id: int) -> Stored:
        """Set the emergency address, as sent or as the country's rules write it."""
        body: wire.E911UpdateIn = call.body
        at = clock.now()

        def edit(tx: Transaction, before: Stored, plan: Plan, notices: list[Notice]) -> tuple[Stored, Plan]:
            address = address_of(before.office.country, body, notices)
            if body.update_all:
                give_address(tx, call, at, office_id, address)
            office = msgspec.structs.replace(before.office, e911_address=address, use_same_address=False)
            return msgspec.structs.replace(before, office=office), plan

        stored, _ = await self.change(call, office_id, Word.OFFICE_EMERGENCY_ADDRESS_UPDATED, edit)
        return stored

    async def set_days(self, call: Call, office_id: int, days: Sequence[SpecialDay]) -> Stored:
        """Add special days; one of the same date and kind is replaced."""

        stored, _ = await self.change(call, office_id, Word.OFFICE_SPECIAL_DAYS_UPDATED, setting(days))
        return stored

    async def remove_day(self, call: Call, office_id: int, day: date, kind: str | None) -> Stored:
        """Remove what is set for a date, of one kind or of both."""

        def edit(_tx: Transaction, before: Stored, plan: Plan, _notices: list[Notice]) -> tuple[Stored, Plan]:
            kept = tuple(d for d in before.days if d.date != day or (kind is not None and d.kind != kind))
            if len(kept) == len(before.days):
                raise NotFound(f"The office has nothing of its own for {day.isoformat()}.")
            return msgspec.structs.replace(before, days=kept), plan

        stored, _ = await self.change(call, office_id, Word.OFFICE_SPECIAL_DAYS_UPDATED, edit)
        return stored

    async def hand(self, call: Call, office_id: int) -> Hand:
        """How the main line stands, by its hours and by hand."""
        return render.hand_of(await self.get(call.principal.tenant_id, office_id))

    async def change_hand(
        self, call: Call, office_id: int, word: Word, decide: Callable[[Hand], KeptByHand | None]
    ) -> Hand:
        """Open, close or lift the main line by hand."""

        def edit(_tx: Transaction, before: Stored, plan: Plan, _notices: list[Notice]) -> tuple[Stored, Plan]:
            office = msgspec.structs.replace(before.office, by_hand=decide(render.hand_of(before)))
            return msgspec.structs.replace(before, office=office), plan

        stored, _ = await self.change(call, office_id, word, edit)
        return render.hand_of(stored)

    async def script(self, call: Call, office_id: int) -> Scripted:
        """The workflow that the main line hands calls to."""
        stored = await self.get(call.principal.tenant_id, office_id)
        return Scripted(stored.office.script, stored.version)

    async def change_script(self, call: Call, office_id: int, word: Word, decide: ScriptEdit) -> Scripted:
        """Attach a workflow to the main line, or detach it."""

        def edit(tx: Transaction, before: Stored, plan: Plan, _notices: list[Notice]) -> tuple[Stored, Plan]:
            office = msgspec.structs.replace(before.office, script=decide(tx))
            return msgspec.structs.replace(before, office=office), plan

        stored, _ = await self.change(call, office_id, word, edit)
        return Scripted(stored.office.script, stored.version)

    async def import_days(self, call: Call, office_id: int) -> Outcome:
        """Import public holidays of a country and region, with one set of hours for all of them; gives those days."""
        body: wire.HolidaysIn = call.body
        stored = await self.get(call.principal.tenant_id, office_id)
        this_year = clock.now().astimezone(stored.schedule().zone).year
        # The calendars are a large library, which is loaded at its first use.
        found = await asyncio.to_thread(
            import_holidays,
            (body.country or stored.office.country).upper(),
            body.region,
            body.years or [this_year, this_year + 1],
            body.language,
        )
        call.notices.extend(found.notices)
        periods, faults = parse_day(body.hours or (), "hours")
        if faults:
            raise Invalid.of(faults)
        days = [SpecialDay(day.date, day.kind, day.name, periods, day.repeats_yearly, day.source) for day in found.days]
        answer = encode(wire.SpecialDaysOut(id=str(stored.id), days=[render.day_out(day) for day in days]))
        outcome = Outcome(answer, tuple(call.notices))
        at, claim = clock.now(), self.claim(call)

        def rehearse(tx: Transaction) -> None:
            idempotency.refuse_other(tx, claim)
            before, plan = read_with_plan(tx, stored.tenant_id, office_id)
            refuse_old(call, before)
            setting(days)(tx, before, plan, [])

        if call.dry_run:
            await self._reader.run(rehearse)
            return outcome

        def run(tx: Transaction) -> Outcome:
            return idempotency.once(tx, claim, lambda: set_in(tx))

        def set_in(tx: Transaction) -> Outcome:
            change_in(tx, call, at, office_id, Word.OFFICE_SPECIAL_DAYS_UPDATED, setting(days))
            return outcome

        outcome = await self._writer.run(run)
        call.notices[:] = outcome.notices
        return outcome

    async def delete(self, call: Call, office_id: int, work: Work, *, force: bool) -> wire.Deleted:
        """Delete an empty office that nothing calls, or with `force` one that is called.

        Its plan ends with its lines, its operators leave it, and its numbers are free again.
        """
        tenant_id, actor = call.principal.tenant_id, Actor.of(call.principal)
        at = clock.now()
        milliseconds = clock.milliseconds(at)

        def run(tx: Transaction) -> tuple[wire.Deleted, list[Notice]]:
            notices: list[Notice] = []
            before, plan = read_with_plan(tx, tenant_id, office_id)
            refuse_old(call, before)
            if before.is_primary:
                raise Conflict("The primary office cannot be deleted: the company's invoices and defaults hang on it.")
            refuse_inhabited(tx, tenant_id, office_id, work.residents)
            itself, name = Target("office", office_id), f"the office {before.office.name}"
            # What goes with it, or points at what goes with it, keeps nothing.
            pointers.forget(tx, tenant_id, itself)
            work.end(tx, call, at, itself, notices, force=force)
            pointers.free(tx, call, at, itself, name, work, notices, force=force)
            leave_group(tx, call, at, itself)
            released = assignment.release_all(tx, call, at, "office", office_id)
            numbers.pool_to_company(tx, tenant_id, office_id)
            forget_office(tx, call, at, office_id)
            licences.forget(tx, tenant_id, office_id)
            plans.delete(tx, tenant_id, office_id)
            store.delete(tx, tenant_id, office_id, milliseconds)
            store.count(tx, tenant_id, -1)
            events.append(
                tx,
                [
                    Event(
                        tenant_id=tenant_id,
                        word=Word.OFFICE_DELETED,
                        subject_id=str(office_id),
                        actor=actor,
                        at=milliseconds,
                        request_id=call.request_id,
                        before=snapshot(before, plan),
                    )
                ],
            )
            return wire.Deleted(id=str(office_id), released_numbers=released), notices

        deleted, notices = await self._writer.run(run)
        call.notices.extend(notices)
        return deleted


Edit = Callable[[Transaction, Stored, Plan, list[Notice]], tuple[Stored, Plan]]
"""Gets the office, its plan, and a list for what to warn of. May run more than once: it keeps nothing itself."""


def repoint(tx: Transaction, call: Call, at: datetime, office_id: int, target: Target) -> None:
    """Send an office's calls to its voicemail wherever they went to `target`, which is about to go."""

    def edit(_tx: Transaction, before: Stored, plan: Plan, _notices: list[Notice]) -> tuple[Stored, Plan]:
        opened, closed = (repointed(state, target) for state in (before.office.open, before.office.closed))
        office = msgspec.structs.replace(before.office, open=opened, closed=closed, no_operators_action=opened.action)
        return msgspec.structs.replace(before, office=office), plan

    change_in(tx, msgspec.structs.replace(call, if_match=None), at, office_id, Word.OFFICE_POINTED_AT_VOICEMAIL, edit)


def no_office(office_id: int) -> NotFound:
    """The answer for an office that is not there, or not the caller's."""
    return NotFound(f"There is no office {office_id}.")


def read_with_plan(tx: Transaction, tenant_id: int, office_id: int) -> tuple[Stored, Plan]:
    """An office and its plan; NotFound otherwise."""
    stored = store.get(tx, tenant_id, office_id)
    plan = plans.plan(tx, tenant_id, office_id) if stored is not None else None
    if stored is None or plan is None:
        raise no_office(office_id)
    return stored, plan


def _holding(tx: Transaction, tenant_id: int, office_id: int) -> Holding | None:
    stored = store.get(tx, tenant_id, office_id)
    return _holding_of(stored) if stored is not None else None


def _holding_of(stored: Stored) -> Holding:
    # Its first number, the main line, is included in the plan.
    return Holding(office_id=stored.id, name=stored.office.name, phone_numbers=stored.office.phone_numbers)


def _keep_numbers(tx: Transaction, call: Call, at: datetime, office_id: int, numbers: tuple[str, ...]) -> None:
    def edit(_tx: Transaction, before: Stored, plan: Plan, _notices: list[Notice]) -> tuple[Stored, Plan]:
        office = msgspec.structs.replace(
            before.office, mainline_number=numbers[0] if numbers else None, phone_numbers=numbers
        )
        return msgspec.structs.replace(before, office=office), plan

    change_in(tx, call, at, office_id, Word.OFFICE_UPDATED, edit, claiming=False)


holder = Holder(get=_holding, keep=_keep_numbers)
"""How an office is asked for its numbers, and told them; the first one is its main line."""


def _change_numbers(tx: Transaction, call: Call, at: datetime, before: Stored, after: Stored) -> None:
    """Make free what the office had and has no more, and its own what it has now."""
    had, has = before.office.phone_numbers, after.office.phone_numbers
    for number in had:
        if number not in has:
            assignment.leave(tx, call, at, number)
    for number in has:
        if number not in had:
            taker = ("office", before.id)
            assignment.take(tx, call, at, taker, _holding_of(before), number, location="mainline_number")
    assignment.settle(tx, before.tenant_id, ("office", before.id), "", has)


def change_in(
    tx: Transaction, call: Call, at: datetime, office_id: int, word: Word, edit: Edit, *, claiming: bool = True
) -> tuple[Stored, Plan, list[Notice]]:
    """Apply `edit` to an office in the transaction `tx`; gives what is stored now, and what to warn of.

    Numbers that it gets and loses change hands here, unless they have done so already (`claiming` false).
    """
    tenant_id, actor, milliseconds = call.principal.tenant_id, Actor.of(call.principal), clock.milliseconds(at)
    notices: list[Notice] = []
    before, plan = read_with_plan(tx, tenant_id, office_id)
    refuse_old(call, before)
    after, new_plan = edit(tx, before, plan, notices)
    if after == before and new_plan == plan:
        # Nothing changed: no new version, so that nobody's If-Match grows old, and nothing to tell.
        return before, plan, notices
    after = msgspec.structs.replace(after, version=before.version + 1, updated_at=max(milliseconds, before.updated_at))
    number = after.office.mainline_number if claiming else None
    fresh = added(before.office.targets(), after.office.targets())
    check_bindings(tx, tenant_id, None if number in before.office.phone_numbers else number, fresh)
    if claiming:
        _change_numbers(tx, call, at, before, after)
    if before.office.targets() != after.office.targets():
        warn_of_targets(tx, after, notices)
    if not store.update(tx, before, after):
        raise Conflict("The office was changed meanwhile; read it again.")
    if new_plan != plan:
        plans.change_terms(tx, tenant_id, new_plan)
    event = Event(
        tenant_id=tenant_id,
        word=word,
        subject_id=str(office_id),
        actor=actor,
        at=milliseconds,
        request_id=call.request_id,
        before=snapshot(before, plan),
        after=snapshot(after, new_plan),
    )
    events.append(tx, [event])
    return after, new_plan, notices


def refuse_old(call: Call, before: Stored) -> None:
    """PreconditionFailed if `If-Match` names another version than the stored one."""
    if call.if_match is not None and call.if_match != before.version:
        raise PreconditionFailed(f"The office is at version {before.version}, not {call.if_match}; read it again.")


def refuse_inhabited(tx: Transaction, tenant_id: int, office_id: int, residents: Mapping[str, Residents]) -> None:
    """Conflict that counts who and what is still in an office, if anybody or anything is."""
    counts = {kind: count(tx, tenant_id, office_id) for kind, count in residents.items()}
    found = {
        kind: f"{count} {kind if count > 1 else kind.removesuffix('s')}" for kind, count in counts.items() if count
    }
    if found:
        text = f"The office still has {enumerated([*found.values()])} in it: move or delete them first."
        raise Conflict(
            text,
            [
                Violation(location=kind.replace(" ", ""), reason="conflict", message=f"There: {told}.")
                for kind, told in found.items()
            ],
        )


def setting(days: Sequence[SpecialDay]) -> Edit:
    """The edit that adds special days; one of the same date and kind is replaced."""

    def edit(_tx: Transaction, before: Stored, plan: Plan, _notices: list[Notice]) -> tuple[Stored, Plan]:
        new = {(day.date, day.kind): day for day in days}
        kept = [day for day in before.days if (day.date, day.kind) not in new]
        merged = tuple(sorted([*kept, *new.values()], key=lambda day: (day.date, day.kind)))
        if len(merged) > MAX_SPECIAL_DAYS:
            raise Conflict(f"An office keeps at most {MAX_SPECIAL_DAYS} special days; remove old ones first.")
        return msgspec.structs.replace(before, days=merged), plan

    return edit


def check_days(days: Sequence[wire.SpecialDayIn]) -> tuple[list[SpecialDay], list[Violation]]:
    """Special days from their wire form, and all that is wrong with them."""
    found: list[Violation] = []
    checked = [check_day(day, f"days[{index}]", found) for index, day in enumerate(days)]
    first: dict[tuple[date, str], int] = {}
    for index, day in enumerate(checked):
        if day is not None and (earlier := first.setdefault((day.date, day.kind), index)) != index:
            text = f"days[{earlier}] is the same date and kind; send one of them."
            place = f"days[{index}].date"
            found.append(Violation(location=place, reason="duplicate", message=text, sent=day.date.isoformat()))
    return [day for day in checked if day is not None], found


def check_day(day: wire.SpecialDayIn, location: str, found: list[Violation]) -> SpecialDay | None:
    """A special day from its wire form; its faults go to `found`."""
    before = len(found)
    try:
        when = read_date(day.date)
    except ValueError:
        text = "Must be a date as YYYY-MM-DD, from 1970 to 2200."
        found.append(Violation(location=f"{location}.date", message=text, sent=shown(day.date)))
        when = date(1970, 1, 1)
    name, fault = single_line(day.name, f"{location}.name")
    if fault is not None:
        found.append(fault)
    periods, faults = parse_day(day.hours or (), f"{location}.hours")
    found += faults
    if len(found) > before:
        return None
    return SpecialDay(when, day.kind, name or "", periods, bool(day.repeats_yearly))


def read_date(text: str) -> date:
    """A date as YYYY-MM-DD, from 1970 to 2200; ValueError otherwise."""
    when = date.fromisoformat(text)
    if when.isoformat() != text or not 1970 <= when.year <= 2200:
        raise ValueError(text)
    return when


def window(query: wire.PeriodsQuery, at: datetime) -> tuple[datetime, datetime]:
    """The moments between which opening periods are asked for: now to a week on unless said, at most 400 days."""
    found: list[Violation] = []
    start = _moment(query.start, "start", at, found)
    end = _moment(query.end, "end", start + timedelta(days=7), found)
    if not found and not start <= end <= start + timedelta(days=400):
        found.append(
            Violation(location="end", message="Must be at or after start, at most 400 days on.", sent=shown(query.end))
        )
    if found:
        raise Invalid.of(found)
    return start, end


def _moment(text: str | None, location: str, default: datetime, found: list[Violation]) -> datetime:
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is None or not 1970 <= moment.year <= 2200:
            raise ValueError
    except ValueError:
        message = "Must be a moment with its offset, as 2026-12-24T09:00:00Z, from 1970 to 2200."
        found.append(Violation(location=location, message=message, sent=shown(text)))
        return default
    return moment
