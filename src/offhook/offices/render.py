"""From the kept office to its wire forms. Pure: the moment is an argument."""

from datetime import datetime, timedelta

from offhook.billing.model import Plan
from offhook.billing.wire import address_out, plan_out
from offhook.directory import hands, scripts
from offhook.directory.e911 import e911_out
from offhook.directory.lines.wire import RoutingOptionsOut
from offhook.hours.model import Schedule, SpecialDay
from offhook.hours.rules import format_day
from offhook.hours.schedule import Change, explain, next_change, opening_periods, status
from offhook.kit.wire import encode
from offhook.offices import wire
from offhook.offices.model import Stored

_SETTINGS = wire.OfficeSettings()


def office_out(stored: Stored, at: datetime) -> wire.OfficeOut:
    """An office as v2 answers it, with its availability at `at`."""
    office, week, number = stored.office, stored.office.week, str(stored.id)
    return wire.OfficeOut(
        id=number,
        office_id=number,
        name=office.name,
        country=office.country.lower(),
        timezone=office.timezone,
        state=stored.state,  # type: ignore[arg-type]
        is_primary_office=stored.is_primary,
        availability_status=status(stored.schedule(), at).value,
        first_action=office.first_action,  # type: ignore[arg-type]
        no_operators_action=office.no_operators_action,  # type: ignore[arg-type]
        ring_seconds=str(office.ring_seconds),
        routing_options=RoutingOptionsOut(open=office.open, closed=office.closed),
        office_settings=_SETTINGS,
        phone_numbers=office.phone_numbers,
        e911_address=e911_out(office.e911_address),
        monday_hours=week[0],
        tuesday_hours=week[1],
        wednesday_hours=week[2],
        thursday_hours=week[3],
        friday_hours=week[4],
        saturday_hours=week[5],
        sunday_hours=week[6],
    )


def hand_of(stored: Stored) -> hands.Hand:
    """An office's main line as far as hands go."""
    return hands.Hand(stored.schedule(), stored.office.by_hand, stored.version)


def record_json(stored: Stored, plan: Plan, at: datetime) -> bytes:
    """An office with all that is stored of it, and its plan: a `wire.RecordAndPlan`, encoded."""
    office, extras = encode(office_out(stored, at)), encode(_extras(stored, plan, at))
    return b'{"office":%b,%b,"plan":%b}' % (office[:-1], extras[1:], encode(plan_out(plan)))


def _extras(stored: Stored, plan: Plan, at: datetime) -> wire.OfficeExtras:
    office, terms = stored.office, plan.terms
    contact = terms.contact
    return wire.OfficeExtras(
        by_hand=hands.out(hand_of(stored), at) if office.by_hand is not None else None,
        script=scripts.out(office.script) if office.script is not None else None,
        hours_on=office.hours_on,
        group_description=office.group_description,
        mainline_number=office.mainline_number,
        auto_call_recording=office.auto_call_recording,
        international_enabled=office.international_enabled,
        use_same_address=office.use_same_address,
        voice_intelligence=wire.VoiceIntelligenceOut(
            auto_start=office.auto_start_vi, allow_pause=office.allow_pause_vi
        ),
        billing=wire.BillingOut(
            currency=terms.currency,  # type: ignore[arg-type]
            plan_period=terms.plan_period,
            unified_billing=terms.unified_billing,
            invoiced=terms.invoiced,
            annual_commit_monthly_billing=terms.annual_commit_monthly_billing,
            payment=terms.payment,
            invoice_office_id=str(terms.invoice_office_id),
            committed_until=str(terms.committed_until) if terms.committed_until else None,
            address=address_out(terms.ppu_address),
            contact=wire.BillingContactOut(email=contact.email, name=contact.name, phone=contact.phone)
            if contact
            else None,
        ),
        special_days=[day_out(day) for day in stored.days],
        version=str(stored.version),
        created_at=str(stored.created_at),
        updated_at=str(stored.updated_at),
    )


def day_out(day: SpecialDay) -> wire.SpecialDayOut:
    """A special day as the API shows it."""
    return wire.SpecialDayOut(
        date=day.date.isoformat(),
        kind=day.kind,
        name=day.name,
        hours=format_day(day.periods),
        repeats_yearly=day.repeats_yearly,
        source=day.source,
    )


def periods_out(schedule: Schedule, start: datetime, end: datetime) -> list[wire.OpeningPeriodOut]:
    """The opening periods in a window, by the office's wall clock with its offset."""
    return [
        wire.OpeningPeriodOut(
            start=period.start.astimezone(schedule.zone).isoformat(),
            end=period.end.astimezone(schedule.zone).isoformat(),
            kind=period.kind.value,  # type: ignore[arg-type]
            reason=period.reason,
        )
        for period in opening_periods(schedule, start, end)
    ]


def change_out(schedule: Schedule, change: Change | None) -> wire.ChangeOut | None:
    """A change by the office's wall clock."""
    if change is None:
        return None
    return wire.ChangeOut(at=change.at.astimezone(schedule.zone).isoformat(), to=change.to.value)


def hours_out(stored: Stored, at: datetime, start: datetime, end: datetime) -> wire.OpeningPeriods:
    """When an office is open between `start` and `end`, and how it stands at `at`."""
    schedule = stored.schedule()
    return wire.OpeningPeriods(
        timezone=stored.office.timezone,
        status=status(schedule, at).value,
        explanation=explain(schedule, at),
        periods=periods_out(schedule, start, end),
        next_change=change_out(schedule, next_change(schedule, at)),
    )


def coming_week(stored: Stored, at: datetime) -> list[wire.OpeningPeriodOut]:
    """The opening periods of the seven days from `at`."""
    return periods_out(stored.schedule(), at, at + timedelta(days=7))
