"""A user's licence and numbers, and the lines of the office's plan that they use: changed together or not at all."""

from datetime import datetime

import msgspec

from offhook.billing import licences
from offhook.directory.assignment import service as assignment
from offhook.directory.users.model import LINE_OF, SUPPORT, License, User
from offhook.directory.users.store import users
from offhook.directory.work import Holding
from offhook.events.keeper import Keeper, shown
from offhook.events.model import Word
from offhook.kit.operation import Call
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

AGENTS: frozenset[License] = frozenset({"agents", "lite_support_agents"})
"""The licences that let a user answer for call centers."""

KEEPER: Keeper[User] = Keeper(
    noun="user",
    documents=users,
    show=shown,
    created=Word.USER_CREATED,
    updated=Word.USER_UPDATED,
    deleted=Word.USER_DELETED,
)


def line_of(user: User) -> str:
    """The kind of line of the office's plan that a user's licence uses."""
    return LINE_OF[user.license]


def holding_of(user: User) -> Holding:
    """A user as the assignment of numbers sees them: a number is in the licence, unless that is one of support."""
    return Holding(
        office_id=user.office_id,
        name=user.display_name,
        phone_numbers=user.phone_numbers,
        first_line=user.first_line,
    )


def settle(
    tx: Transaction, tenant_id: int, before: Kept[User] | None, after: Kept[User], location: str = "license"
) -> None:
    """Take the lines that a user needs beyond those held before, and give back those that are needed no more.

    The licence has one while the user is active; numbers keep theirs, at another office or under another licence anew.
    Conflict naming the first kind that the office has too few of.
    """
    old = (before.value.office_id, line_of(before.value)) if before and before.state == "active" else None
    new = (after.value.office_id, line_of(after.value)) if after.state == "active" else None
    if old != new:
        if old is not None:
            licences.give(tx, tenant_id, *old)
        if new is not None:
            licences.take(tx, tenant_id, *new, location=location)
    if before is not None and after.state != "deleted":
        was, now = holding_of(before.value), holding_of(after.value)
        if (was.office_id, was.first_line) != (now.office_id, now.first_line):
            assignment.moved(tx, tenant_id, "user", after.id, now, location)


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
    """Give a user another licence and settle its lines; Conflict naming `location` if the office has none free.

    A support licence has no number in it: those that the user has take a line each, or, without `keep_numbers`, are
    free again.
    """
    if wanted == before.value.license:
        return before
    value = msgspec.structs.replace(before.value, license=wanted)
    if wanted in SUPPORT and not keep_numbers:
        assignment.release_all(tx, call, at, "user", before.id)
        value = msgspec.structs.replace(value, phone_numbers=())
    after = KEEPER.change(tx, msgspec.structs.replace(call, if_match=None), at, before, value)
    settle(tx, before.tenant_id, before, after, location)
    return after
