"""The office as it is kept: one document, whole, in the form that decisions and answers are made from.

Rows and wire forms are made from it by the visible functions of store.py and render.py.
"""

from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from offhook.billing.model import Contact, Terms
from offhook.emergency.model import CivicAddress, PostalAddress
from offhook.hours.model import Schedule, SpecialDay
from offhook.hours.rules import format_day, parse_day, periods_of
from offhook.kit.zones import zone
from offhook.offices.wire import MenuOptionsOut, RoutingStateOut

OFF_DUTY_STATUSES = ("Lunch Time", "Off Duty")
MAX_SPECIAL_DAYS = 1000


class Target(msgspec.Struct, frozen=True):
    """What an action calls; `id` is 0 where only the kind `unknown` was given."""

    type: str
    id: int


def target_of(choice: MenuOptionsOut | RoutingStateOut) -> Target | None:
    """What a choice calls, if it calls anything."""
    if choice.action_target_type is None:
        return None
    return Target(choice.action_target_type, int(choice.action_target_id or 0))


class Office(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An office as it was accepted, with every default filled in.

    `week` is the seven lists, Monday first. Routing is kept in v2's own shape: it says all there is to say.
    """

    name: str
    country: str
    currency: str
    timezone: str
    hours_on: bool
    week: tuple[tuple[str, ...], ...]
    first_action: str
    no_operators_action: str
    ring_seconds: int
    open: RoutingStateOut
    closed: RoutingStateOut
    billing_address: PostalAddress
    plan_period: str
    annual_commit_monthly_billing: bool
    unified_billing: bool
    invoiced: bool
    billing_contact: Contact | None = None
    e911_address: CivicAddress | None = None
    use_same_address: bool = False
    group_description: str = ""
    mainline_number: str | None = None
    phone_numbers: tuple[str, ...] = ()
    international_enabled: bool = False
    auto_call_recording: bool = False
    auto_start_vi: bool = True
    allow_pause_vi: bool = True

    def terms(self, office_id: int, invoice_office_id: int, anchor_day: int) -> Terms:
        """What was agreed on billing; the commitment is set by whoever makes the plan."""
        return Terms(
            plan_period="yearly" if self.plan_period == "yearly" else "monthly",
            annual_commit_monthly_billing=self.annual_commit_monthly_billing,
            unified_billing=self.unified_billing,
            invoiced=self.invoiced,
            currency=self.currency,
            invoice_office_id=invoice_office_id if self.unified_billing else office_id,
            anchor_day=anchor_day,
            ppu_address=self.billing_address,
            contact=self.billing_contact,
        )

    def targets(self) -> list[tuple[str, Target]]:
        """Every target that its routing names, with the field path of its id."""
        found = []
        for state, routing in (("open", self.open), ("closed", self.closed)):
            place = f"routing_options.{state}"
            if (target := target_of(routing)) is not None:
                found.append((f"{place}.action_target_id", target))
            for index, key in enumerate(routing.dtmf):
                if key.options is not None and (target := target_of(key.options)) is not None:
                    found.append((f"{place}.dtmf[{index}].options.action_target_id", target))
        return found


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An office with what the store knows of it. Moments are milliseconds since 1970 UTC."""

    id: int
    tenant_id: int
    state: str
    is_primary: bool
    version: int
    created_at: int
    updated_at: int
    office: Office
    days: tuple[SpecialDay, ...] = ()

    def schedule(self) -> Schedule:
        """Its opening hours, ready to ask."""
        return schedule(self.office.timezone, self.office.week, not self.office.hours_on, self.days)


@lru_cache(maxsize=4096)
def schedule(
    timezone: str, week: tuple[tuple[str, ...], ...], always_open: bool, days: tuple[SpecialDay, ...]
) -> Schedule:
    """Opening hours from their stored form, which rules.py has checked."""
    where = zone(timezone)
    assert where is not None, timezone
    return Schedule(where, tuple(periods_of(day) for day in week), always_open, days)


def days_to_json(days: tuple[SpecialDay, ...]) -> list[dict[str, Any]]:
    """Special days in their stored form."""
    return [
        {
            "date": day.date.isoformat(),
            "kind": day.kind,
            "name": day.name,
            "hours": format_day(day.periods),
            "yearly": day.repeats_yearly,
            "source": day.source,
        }
        for day in days
    ]


def days_from_json(rows: list[dict[str, Any]]) -> tuple[SpecialDay, ...]:
    """The inverse of `days_to_json`."""
    return tuple(
        SpecialDay(
            date.fromisoformat(row["date"]),
            row["kind"],
            row["name"],
            parse_day(row["hours"], "hours")[0],
            row["yearly"],
            row["source"],
        )
        for row in rows
    )
