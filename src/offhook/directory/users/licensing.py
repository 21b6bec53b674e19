"""A user's licence and numbers, and the lines of the office's plan that they use: changed together or not at all."""

from collections import Counter
from datetime import datetime

import msgspec

from offhook.billing import licences
from offhook.directory.keeper import Keeper
from offhook.directory.users import numbers
from offhook.directory.users.model import LINE_OF, SUPPORT, License, User, lines_of
from offhook.directory.users.store import users
from offhook.events.model import Word
from offhook.kit.operation import Call
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


def line_of(user: User) -> str:
    """The kind of line of the office's plan that a user's licence uses."""
    return LINE_OF[user.license]


def settle(
    tx: Transaction, tenant_id: int, before: Kept[User] | None, after: Kept[User], location: str = "license"
) -> None:
    """Take the lines that a user needs beyond those held before, and give back those that are needed no more.

    Conflict naming the first kind that the office has too few of.
    """
    old = lines_of(before.value, before.state) if before is not None else Counter[str]()
    new = lines_of(after.value, after.state)
    if before is not None and before.value.office_id == after.value.office_id:
        old, new = old - new, new - old
    for line, count in old.items():
        assert before is not None
        licences.give(tx, tenant_id, before.value.office_id, line, count)
    for line, count in new.items():
        licences.take(tx, tenant_id, after.value.office_id, line, count, location=location)


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
        for number in value.phone_numbers:
            numbers.release(tx, call, at, number, before.id)
        value = msgspec.structs.replace(value, phone_numbers=())
    after = KEEPER.change(tx, msgspec.structs.replace(call, if_match=None), at, before, value)
    settle(tx, before.tenant_id, before, after, location)
    return after
