"""The office as it is kept: one document, whole, in the form that decisions and answers are made from.

Rows and wire forms are made from it by the visible functions of store.py and render.py.
"""

import msgspec

from offhook.billing.model import Contact, Terms
from offhook.directory.lines.model import KeptByHand, KeptScript, Target, schedule, targets_of
from offhook.directory.lines.wire import RoutingStateOut
from offhook.emergency.model import CivicAddress, PostalAddress
from offhook.hours.model import Schedule, SpecialDay

MAX_SPECIAL_DAYS = 1000


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
    by_hand: KeptByHand | None = None
    script: KeptScript | None = None

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
        return targets_of(self.open, self.closed)


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
        return schedule(
            self.office.timezone, self.office.week, not self.office.hours_on, self.days, self.office.by_hand
        )
