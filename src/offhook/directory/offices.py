"""What the directory needs to know of an office, which stands a floor above it: app.py hands the look-up down."""

from collections.abc import Callable
from typing import Any

import msgspec

from offhook.emergency.model import CivicAddress
from offhook.hours.model import SpecialDay
from offhook.kit.errors import Invalid, Violation, shown
from offhook.storage.database import Transaction

OFF_DUTY_STATUSES = ("Lunch Time", "Off Duty")
"""The reasons that people of an office may give for being off duty; the last one stands for none given."""


class OfficeCard(msgspec.Struct, frozen=True, kw_only=True):
    """An office as its people see it. `country` is upper-case, `main_line` E.164, `days` its holidays and overrides."""

    id: int
    name: str
    country: str
    timezone: str
    currency: str
    state: str
    is_primary: bool
    main_line: str | None = None
    phone_numbers: tuple[str, ...] = ()
    e911_address: CivicAddress | None = None
    days: tuple[SpecialDay, ...] = ()


OfficeOf = Callable[[Transaction, int, int], OfficeCard | None]
"""From (transaction, tenant id, office id) to the office's card, or None."""


def office_in(
    tx: Transaction, office: OfficeOf, tenant_id: int, id: int | None, location: str = "office_id"
) -> OfficeCard:
    """The office that a body names; Invalid naming `location` if the company has none of that id."""
    card = office(tx, tenant_id, id) if id is not None else None
    if card is None:
        raise Invalid.of([no_such(location, "office", id)])
    return card


def no_such(location: str, kind: str, sent: Any) -> Violation:
    """The violation of an id that the company does not have."""
    text = f"There is no {kind} with this id in the company."
    return Violation(location=location, reason="notFound", message=text, sent=shown(sent))
