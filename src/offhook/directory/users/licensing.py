"""A user's licence, changed for another one together with the line of the office's plan that it uses."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from offhook.billing import licences
from offhook.directory.keeper import Keeper
from offhook.directory.users.model import License, User
from offhook.directory.users.store import users
from offhook.events.model import Actor, Word
from offhook.kit import clock
from offhook.kit.operation import Call
from offhook.numbers import service as numbers
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

AGENTS: frozenset[License] = frozenset({"agents", "lite_support_agents"})
"""The licences that let a user answer for call centers."""

KEEPER: Keeper[User] = Keeper(
    noun="user",
    documents=users,
    show=lambda _tx, kept: kept.value,
    created=Word.USER_CREATED,
    updated=Word.USER_UPDATED,
    deleted=Word.USER_DELETED,
)

_LINES: Mapping[License, str] = {"agents": "sell_lines", "lite_support_agents": "contact_center_lines"}


def line_of(user: User) -> str:
    """The kind of line of the office's plan that a user's licence uses."""
    return _LINES.get(user.license, "talk_lines")


def change_license(
    tx: Transaction,
    call: Call,
    at: datetime,
    before: Kept[User],
    wanted: License,
    *,
    keep_numbers: bool = True,
    location: str = "license",
) -> Kept[User]:
    """Give a user another licence, taking its line and giving back the old one; Conflict naming `location` if the
    office has none free.

    A support licence has no number in it: those that the user has take a line each, or, without `keep_numbers`, are
    free again.
    """
    user = before.value
    if wanted == user.license:
        return before
    after = msgspec.structs.replace(user, license=wanted)
    bare = wanted == "lite_support_agents" and user.phone_numbers
    if bare and not keep_numbers:
        tenant_id, milliseconds = before.tenant_id, clock.milliseconds(at)
        for number in user.phone_numbers:
            actor = Actor.of(call.principal)
            numbers.release(tx, tenant_id, number, "user", before.id, actor, milliseconds, call.request_id)
        after = msgspec.structs.replace(after, phone_numbers=())
    given, taken = line_of(user), line_of(after)
    if given != taken:
        licences.give(tx, before.tenant_id, user.office_id, given)
        licences.take(tx, before.tenant_id, user.office_id, taken, location=location)
    if bare and keep_numbers:
        # Further numbers have lines of their own already; the first one came with the licence.
        licences.take(tx, before.tenant_id, user.office_id, "additional_number_lines", location=location)
    return KEEPER.change(tx, msgspec.structs.replace(call, if_match=None), at, before, after)
