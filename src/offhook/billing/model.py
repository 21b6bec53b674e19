"""The plan of an office. Money is Decimal with an ISO currency; moments are milliseconds since 1970 UTC."""

from typing import Literal

import msgspec

from offhook.emergency.model import PostalAddress

Period = Literal["monthly", "yearly"]

LINES = (
    "talk_lines",
    "sell_lines",
    "contact_center_lines",
    "room_lines",
    "tollfree_room_lines",
    "fax_lines",
    "additional_number_lines",
    "tollfree_additional_number_lines",
    "uberconference_lines",
    "tollfree_uberconference_lines",
)


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who gets the invoices. `phone` in E.164."""

    email: str
    name: str
    phone: str | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was agreed for an office, beside the lines that it has.

    `invoice_office_id` is the office whose invoice carries the charges; `committed_until` ends a commitment of twelve
    months; `payment` is by invoice or by card.
    """

    plan_period: Period
    annual_commit_monthly_billing: bool
    unified_billing: bool
    invoiced: bool
    currency: str
    invoice_office_id: int
    anchor_day: int
    ppu_address: PostalAddress
    contact: Contact | None = None
    committed_until: int | None = None

    @property
    def payment(self) -> Literal["invoice", "card"]:
        return "invoice" if self.invoiced else "card"

    @property
    def invoiced_monthly(self) -> bool:
        """Whether an invoice falls every month; otherwise every twelve."""
        return self.plan_period == "monthly" or self.annual_commit_monthly_billing


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """An office's plan as it stands. `balance` is a decimal number in the plan's currency, as text."""

    office_id: int
    terms: Terms
    next_billing_at: int
    balance: str = "0.0000"
    lines: dict[str, int] = {}
