"""A user's way to another office: country, time zone, lines, numbers and emergency address follow."""

from datetime import datetime

import msgspec

from offhook.directory.assignment import service as assignment
from offhook.directory.offices import OfficeCard
from offhook.directory.users.licensing import KEEPER, holding_of
from offhook.directory.users.model import User
from offhook.directory.work import Work
from offhook.events.model import Word
from offhook.kit.errors import Notice
from offhook.kit.operation import Call
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

INTERNAL = "803"
"""How numbers begin that ring inside the company only; they go with a user to any country."""


def move(
    work: Work,
    tx: Transaction,
    call: Call,
    at: datetime,
    before: Kept[User],
    card: OfficeCard,
    notices: list[Notice],
    *,
    extension: str | None = None,
) -> Kept[User]:
    """Put a user into another office, with another `extension` if one is given. Lines are the caller's to settle."""
    user = before.value
    if card.id == user.office_id:
        return before
    moved = msgspec.structs.replace(
        user,
        office_id=card.id,
        country=card.country,
        timezone=card.timezone,
        extension=user.extension if extension is None else extension,
    )
    if card.country != user.country:
        kept = tuple(one for one in user.phone_numbers if one.lstrip("+").startswith(INTERNAL))
        if kept != user.phone_numbers:
            for number in user.phone_numbers:
                if number not in kept:
                    assignment.leave(tx, call, at, number)
            fresh = new_number(tx, before.tenant_id, card, notices, "office_id", abroad=False)
            if fresh is not None:
                assignment.take(tx, call, at, ("user", before.id), holding_of(moved), fresh, location="office_id")
            moved = msgspec.structs.replace(moved, phone_numbers=(fresh, *kept) if fresh else kept)
    moved = _moved_address(work, tx, before, card, moved, notices)
    return KEEPER.change(tx, call, at, before, moved, word=Word.USER_MOVED)


def _moved_address(
    work: Work, tx: Transaction, before: Kept[User], card: OfficeCard, moved: User, notices: list[Notice]
) -> User:
    """A moved user without an emergency address that holds no longer: the old office's, or one abroad."""
    address = moved.e911_address
    if address is None:
        return moved
    old = work.office(tx, before.tenant_id, before.value.office_id)
    if card.country != before.value.country:
        why = f"It was in {before.value.country}"
    elif old is not None and old.e911_address == address:
        why = f"It was that of the office {old.name}"
    else:
        text = "They keep the emergency address of their own; change it if they sit elsewhere now."
        notices.append(Notice("emergency_address_kept", "office_id", text))
        return moved
    text = f"{why}; help is sent to the new office's until they have one of their own."
    notices.append(Notice("emergency_address_dropped", "office_id", text))
    return msgspec.structs.replace(moved, e911_address=None)


def new_number(
    tx: Transaction, tenant_id: int, card: OfficeCard, notices: list[Notice], place: str, *, abroad: bool
) -> str | None:
    """A free number of the office's country, or with `abroad` of any if there is none; what is lacking is a notice."""
    free = assignment.pooled(tx, tenant_id, card.id, card.country)
    number = free.e164 if free is not None else None
    if number is None and abroad and (number := assignment.pooled_anywhere(tx, tenant_id, card.id)):
        text = (
            f"The company has no free number of {card.country}: {number} was given. To the office it is abroad: who "
            "is to call such numbers needs international_enabled of the office, and international_dialing_enabled."
        )
        notices.append(Notice("number_abroad", place, text))
    elif number is None:
        text = "The company has no free number" + ("" if abroad else f" of {card.country}")
        notices.append(Notice("no_free_number", place, f"{text}: the user has none. Add one and assign it."))
    return number
