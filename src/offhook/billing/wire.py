"""Plans and licences as v2 has them: counters and moments as strings of digits, the balance a decimal string."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from offhook.billing.model import LINES, Plan
from offhook.emergency.model import PostalAddress
from offhook.kit.wire import Int64Text

LINE_USES: Mapping[str, str] = {
    "talk_lines": "For users with a number of their own.",
    "sell_lines": "For call center agents with a number of their own.",
    "contact_center_lines": "For call center agents without a number.",
    "room_lines": "For rooms with a number of their own.",
    "tollfree_room_lines": "For rooms with a toll-free number.",
    "fax_lines": "For fax numbers.",
    "additional_number_lines": "For each number after the first.",
    "tollfree_additional_number_lines": "For each toll-free number after the first.",
    "uberconference_lines": "For conference dial-in.",
    "tollfree_uberconference_lines": "For toll-free conference dial-in.",
}
"""What each kind of line is for."""


def _uses(line: str) -> msgspec.Meta:
    return msgspec.Meta(description=LINE_USES[line])


class AddressOut(msgspec.Struct, omit_defaults=True):
    """A postal address."""

    address_line_1: str | None = None
    address_line_2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class LicencesOut(msgspec.Struct, kw_only=True):
    """Lines by kind."""

    talk_lines: Annotated[Int64Text, _uses("talk_lines")] = "0"
    sell_lines: Annotated[Int64Text, _uses("sell_lines")] = "0"
    contact_center_lines: Annotated[Int64Text, _uses("contact_center_lines")] = "0"
    room_lines: Annotated[Int64Text, _uses("room_lines")] = "0"
    tollfree_room_lines: Annotated[Int64Text, _uses("tollfree_room_lines")] = "0"
    fax_lines: Annotated[Int64Text, _uses("fax_lines")] = "0"
    additional_number_lines: Annotated[Int64Text, _uses("additional_number_lines")] = "0"
    tollfree_additional_number_lines: Annotated[Int64Text, _uses("tollfree_additional_number_lines")] = "0"
    uberconference_lines: Annotated[Int64Text, _uses("uberconference_lines")] = "0"
    tollfree_uberconference_lines: Annotated[Int64Text, _uses("tollfree_uberconference_lines")] = "0"


class PlanOut(LicencesOut, kw_only=True):
    """The billing plan of an office."""

    balance: Annotated[str, msgspec.Meta(description="Credit left, a decimal number.", examples=["0.0000"])] = "0.0000"
    next_billing_date: Annotated[Int64Text, msgspec.Meta(description="Start of the next cycle, ms since 1970 UTC.")]
    ppu_address: Annotated[AddressOut, msgspec.Meta(description="Place of primary use: the billing address.")]


def address_out(address: PostalAddress) -> AddressOut:
    """An address with its country in lower case, as v2 answers."""
    return AddressOut(
        address.address_line_1,
        address.address_line_2 or None,
        address.city,
        address.region,
        address.postal_code,
        address.country.lower(),
    )


def plan_out(plan: Plan) -> PlanOut:
    """A plan as v2 answers it."""
    lines = {name: str(plan.lines[name]) for name in LINES if plan.lines.get(name)}
    return PlanOut(
        balance=plan.balance,
        next_billing_date=str(plan.next_billing_at),
        ppu_address=address_out(plan.terms.ppu_address),
        **lines,
    )
