"""The routes of offices: v2's, to the letter, and what Offhook adds under /api/offhook/v1. Thin: read, do, answer."""

from offhook.access.gate import reply_of
from offhook.access.idempotency import Outcome
from offhook.billing.wire import plan_out
from offhook.directory import hands, scripts
from offhook.directory.e911 import E911Out, e911_out
from offhook.directory.offices import OFF_DUTY_STATUSES
from offhook.directory.paths import ForceQuery
from offhook.directory.work import Work
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Invalid, Violation, shown
from offhook.kit.operation import Call, Operation, Reply
from offhook.offices import bulk, render, wire
from offhook.offices.model import Stored
from offhook.offices.service import Offices, check_days, read_date, window
from offhook.storage.batches import Within, Writer

V1 = "/api/offhook/v1/offices"
_REPLAYED = ((b"offhook-replayed", b"true"),)


def _etag(stored: Stored) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"etag", b'"%d"' % stored.version),)


def created(outcome: Outcome) -> Reply:
    """The answer to a create."""
    return Reply(body=outcome.body, headers=_REPLAYED if outcome.replayed else ())


def operations(
    offices: Offices,
    writer: Writer | Within,
    cursors: Cursors,
    examples: dict[str, object],
    work: Work,
) -> list[Operation]:
    """The operations of this subject; `examples` are bodies of a create, by title."""

    by_hand = hands.Side(
        path="offices",
        noun="office",
        id="offices",
        scopes=("offices:read", "offices:write"),
        opened=Word.OFFICE_OPENED_BY_HAND,
        closed=Word.OFFICE_CLOSED_BY_HAND,
        lifted=Word.OFFICE_HAND_LIFTED,
        read=lambda call: offices.hand(call, _id(call)),
        change=lambda call, word, decide: offices.change_hand(call, _id(call), word, decide),
    )

    handed = scripts.Side(
        path="offices",
        noun="office",
        scopes=("offices:read", "offices:write"),
        attached=Word.OFFICE_SCRIPT_ATTACHED,
        detached=Word.OFFICE_SCRIPT_DETACHED,
        read=lambda call: offices.script(call, _id(call)),
        change=lambda call, word, edit: offices.change_script(call, _id(call), word, edit),
    )

    async def create(call: Call) -> Reply:
        return created(await offices.create(call))

    async def get(call: Call) -> Reply:
        stored = await offices.get(call.principal.tenant_id, _id(call))
        return reply_of(render.office_out(stored, clock.now()), headers=_etag(stored))

    async def primary(call: Call) -> Reply:
        return reply_of(render.office_out(await offices.primary(call.principal.tenant_id), clock.now()))

    async def page(call: Call) -> Reply:
        query: wire.OfficeListQuery = call.query or wire.OfficeListQuery()
        tenant, at = call.principal.tenant_id, clock.now()
        text = query.name_search
        filters = [query.active_only, text] if text else [query.active_only]
        after = cursors.open(query.cursor, "offices", tenant, filters) if query.cursor else 0
        if text:
            here, last = await offices.search(tenant, after, query.limit, query.active_only, text)
        else:
            found = await offices.page(tenant, after, query.limit + 1, query.active_only)
            here = found[: query.limit]
            last = here[-1].id if len(found) > query.limit else None
        cursor = None if last is None else cursors.seal("offices", tenant, filters, last)
        return reply_of(wire.OfficePage(items=[render.office_out(stored, at) for stored in here], cursor=cursor))

    async def change_hours(call: Call) -> Reply:
        stored, plan = await offices.change_hours(call, _id(call))
        answer = wire.OfficeAndPlan(office=render.office_out(stored, clock.now()), plan=plan_out(plan))
        return reply_of(answer, headers=_etag(stored))

    async def get_e911(call: Call) -> Reply:
        stored = await offices.get(call.principal.tenant_id, _id(call))
        return reply_of(e911_out(stored.office.e911_address) or E911Out())

    async def put_e911(call: Call) -> Reply:
        stored = await offices.change_emergency_address(call, _id(call))
        return reply_of(e911_out(stored.office.e911_address) or E911Out(), headers=_etag(stored))

    async def off_duty(call: Call) -> Reply:
        stored = await offices.get(call.principal.tenant_id, _id(call))
        return reply_of(wire.OffDutyStatuses(id=str(stored.id), off_duty_statuses=list(OFF_DUTY_STATUSES)))

    async def record(call: Call) -> Reply:
        stored, plan = await offices.with_plan(call.principal.tenant_id, _id(call))
        return Reply(body=render.record_json(stored, plan, clock.now()), headers=_etag(stored))

    async def replace(call: Call) -> Reply:
        stored, plan = await offices.replace(call, _id(call))
        return Reply(body=render.record_json(stored, plan, clock.now()), headers=_etag(stored))

    async def delete(call: Call) -> Reply:
        query: ForceQuery = call.query or ForceQuery()
        return reply_of(await offices.delete(call, _id(call), work, force=query.force))

    async def periods(call: Call) -> Reply:
        stored = await offices.get(call.principal.tenant_id, _id(call))
        start, end = window(call.query or wire.PeriodsQuery(), clock.now())
        return reply_of(render.hours_out(stored, clock.now(), start, end))

    async def days(call: Call) -> Reply:
        stored = await offices.get(call.principal.tenant_id, _id(call))
        return reply_of(_days_out(stored), headers=_etag(stored))

    async def set_days(call: Call) -> Reply:
        body: wire.SpecialDaysIn = call.body
        checked, found = check_days(body.days)
        if found:
            raise Invalid.of(found)
        stored = await offices.set_days(call, _id(call), checked)
        return reply_of(_days_out(stored), headers=_etag(stored))

    async def day_faults(call: Call) -> list[Violation]:
        return check_days(call.body.days)[1]

    async def remove_day(call: Call) -> Reply:
        query: wire.SpecialDayQuery = call.query or wire.SpecialDayQuery()
        try:
            when = read_date(str(call.params["date"]))
        except ValueError:
            place = Violation(location="date", message="Must be YYYY-MM-DD.", sent=shown(call.params["date"]))
            raise Invalid.of([place]) from None
        stored = await offices.remove_day(call, _id(call), when, query.kind)
        return reply_of(_days_out(stored), headers=_etag(stored))

    async def import_days(call: Call) -> Reply:
        return created(await offices.import_days(call, _id(call)))

    ok = "The office as it is now."
    return [
        Operation(
            id="offices.create",
            method="POST",
            path="/api/v2/offices",
            tag="Offices",
            summary="Create an office",
            description=(
                "Makes an office that exists in every sense its body names: hours, routing, menu, emergency address, "
                "plan and main line, in one transaction. Whatever was ignored or guessed is said in Offhook-Warning; "
                "every rule that the body breaks is named in one refusal. With Offhook-Dry-Run: true nothing is "
                "stored, and the answer shows what would be, with the coming week's opening periods."
            ),
            better=(
                "every fault at once, warnings, dry run, idempotency key, sandbox clock; special days and hours "
                "count at once"
            ),
            handler=create,
            check=offices.check,
            scope="offices:write",
            body=wire.OfficeIn,
            reply=wire.OfficeAndPlan,
            reply_description="The office and its plan, on disk.",
            creates=True,
            rehearsal=wire.DryRun,
            refusals=(409,),
            examples=examples,
        ),
        Operation(
            id="offices.list",
            method="GET",
            path="/api/v2/offices",
            tag="Offices",
            summary="List offices",
            description="The company's offices, oldest first. A cursor stays good for seven days.",
            better="`limit` 1 to 100; `name_search`; cursors are signed and say why they are refused",
            handler=page,
            scope="offices:read",
            query=wire.OfficeListQuery,
            reply=wire.OfficePage,
            reply_description="A page of offices.",
        ),
        Operation(
            id="offices.primary.get",
            method="GET",
            path="/api/v2/offices/primary",
            tag="Offices",
            summary="Get the primary office",
            description="The office whose time zone, currency and invoice the others may share.",
            note="one of the newer operations",
            handler=primary,
            scope="offices:read",
            reply=wire.OfficeOut,
            reply_description=ok,
        ),
        Operation(
            id="offices.get",
            method="GET",
            path="/api/v2/offices/{id}",
            tag="Offices",
            summary="Get an office",
            description="An office with its availability as of now.",
            better="`availability_status` at any moment with `Offhook-Clock`",
            handler=get,
            scope="offices:read",
            reply=wire.OfficeOut,
            reply_description=ok,
        ),
        Operation(
            id="offices.update",
            method="PATCH",
            path="/api/v2/offices/{id}",
            tag="Offices",
            summary="Change an office's hours",
            description="Changes hours_on and the lists that are sent; days that are not sent keep their hours.",
            better="one of the newer operations; warnings, `If-Match`",
            handler=change_hours,
            check=offices.check_hours,
            scope="offices:write",
            body=wire.OfficePatch,
            reply=wire.OfficeAndPlan,
            reply_description=ok,
            refusals=(412,),
        ),
        Operation(
            id="offices.e911.get",
            method="GET",
            path="/api/v2/offices/{id}/e911",
            tag="Emergency addresses",
            summary="Get an office's emergency address",
            description="Where help is sent. Empty if the office has none on record.",
            note="`{}` if the office has none",
            handler=get_e911,
            scope="offices:read",
            reply=E911Out,
            reply_description="The address.",
        ),
        Operation(
            id="offices.e911.update",
            method="PUT",
            path="/api/v2/offices/{id}/e911",
            tag="Emergency addresses",
            summary="Set an office's emergency address",
            description=(
                "Checked by the rules of its country; it must lie in the office's country and be no PO box. "
                "With use_validated_option it is kept as those rules write it."
            ),
            better="checked by the country's rules, PO boxes refused, `If-Match`",
            handler=put_e911,
            check=offices.check_emergency_address,
            scope="offices:write",
            body=wire.E911UpdateIn,
            reply=E911Out,
            reply_description="The address as kept.",
            refusals=(412,),
        ),
        Operation(
            id="offices.offdutystatuses.get",
            method="GET",
            path="/api/v2/offices/{id}/offdutystatuses",
            tag="Offices",
            summary="List off-duty reasons",
            description="The reasons that people of the office may give for being off duty.",
            note="always the two usual reasons",
            handler=off_duty,
            scope="offices:read",
            reply=wire.OffDutyStatuses,
            reply_description="The reasons.",
        ),
        Operation(
            id="offhook.offices.get",
            method="GET",
            path=V1 + "/{id}",
            tag="Offices, whole",
            summary="Get an office with all that is stored",
            description="With what v2 takes and never returns: hours_on, recording, billing, and more.",
            note="all that is stored, `ETag`",
            handler=record,
            scope="offices:read",
            reply=wire.RecordAndPlan,
            reply_description=ok,
        ),
        Operation(
            id="offhook.offices.replace",
            method="PUT",
            path=V1 + "/{id}",
            tag="Offices, whole",
            summary="Replace an office",
            description=(
                "Takes the body of a create, or the office as it was read, and applies the rules of a create. What is "
                "not sent takes its default; but operators and numbers stay, and null or an empty text for "
                "mainline_number gives it up. An office as it was read has its id: a day that it shows no hours of is "
                "closed, and what was so before is not warned of again. Send If-Match with the ETag of the version "
                "you read, to be refused (412) if somebody changed it since."
            ),
            note="the body of a create or the office as it was read, `If-Match`",
            handler=replace,
            check=offices.check,
            scope="offices:write",
            body=wire.OfficeReplacement,
            adapt=wire.as_created,
            reply=wire.RecordAndPlan,
            reply_description=ok,
            refusals=(409, 412),
        ),
        Operation(
            id="offhook.offices.delete",
            method="DELETE",
            path=V1 + "/{id}",
            tag="Offices, whole",
            summary="Delete an office",
            description=(
                "Refused for the primary office, while somebody or something is in it, and while others send calls to "
                "it, unless force is true: then those calls go to voicemail."
            ),
            note="refused for the primary office, and while others call it",
            handler=delete,
            scope="offices:write",
            query=ForceQuery,
            reply=wire.Deleted,
            reply_description="What was deleted, and the numbers that are free again.",
            refusals=(409, 412),
        ),
        Operation(
            id="offhook.offices.periods",
            method="GET",
            path=V1 + "/{id}/opening-periods",
            tag="Opening hours",
            summary="When an office is open",
            description="Its opening periods between two moments, how it stands now and why, and the next change.",
            note="`start`, `end`; status, reason, next change",
            handler=periods,
            scope="offices:read",
            query=wire.PeriodsQuery,
            reply=wire.OpeningPeriods,
            reply_description="The periods, by the office's wall clock.",
        ),
        Operation(
            id="offhook.offices.days.list",
            method="GET",
            path=V1 + "/{id}/special-days",
            tag="Opening hours",
            summary="List holidays and overrides",
            description="The dates on which an office has hours of its own.",
            note="holidays and overrides",
            handler=days,
            scope="offices:read",
            reply=wire.SpecialDaysOut,
            reply_description="The days, by date.",
        ),
        Operation(
            id="offhook.offices.days.set",
            method="PUT",
            path=V1 + "/{id}/special-days",
            tag="Opening hours",
            summary="Set holidays and overrides",
            description="Adds the days that are sent; one of the same date and kind is replaced, others stay.",
            note="up to 400 days; same date and kind are replaced",
            handler=set_days,
            check=day_faults,
            scope="offices:write",
            body=wire.SpecialDaysIn,
            reply=wire.SpecialDaysOut,
            reply_description="All days, by date.",
            refusals=(409, 412),
        ),
        Operation(
            id="offhook.offices.days.delete",
            method="DELETE",
            path=V1 + "/{id}/special-days/{date}",
            tag="Opening hours",
            summary="Remove a holiday or override",
            description="The week's hours count on that date again.",
            note="`kind`",
            handler=remove_day,
            scope="offices:write",
            query=wire.SpecialDayQuery,
            reply=wire.SpecialDaysOut,
            reply_description="The days that are left.",
            refusals=(412,),
        ),
        Operation(
            id="offhook.offices.holidays.import",
            method="POST",
            path=V1 + "/{id}/holidays/import",
            tag="Opening hours",
            summary="Import public holidays",
            description=(
                "From the calendars of the holidays library, by country and region. A year for which it has no data "
                "is said in a warning: no data is not no holidays."
            ),
            note="country, region, years, language, hours",
            handler=import_days,
            scope="offices:write",
            body=wire.HolidaysIn,
            reply=wire.SpecialDaysOut,
            reply_description="The days that were imported.",
            creates=True,
            rehearsal=None,
            refusals=(409,),
        ),
        *hands.operations(by_hand),
        *scripts.operations(handed),
        *bulk.operations(offices, writer),
    ]


def _id(call: Call) -> int:
    number = call.params["id"]
    assert isinstance(number, int)
    return number


def _days_out(stored: Stored) -> wire.SpecialDaysOut:
    return wire.SpecialDaysOut(id=str(stored.id), days=[render.day_out(day) for day in stored.days])
