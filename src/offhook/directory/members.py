"""The only SQL of who belongs to a channel or coaching team. `seq` rises with joining, which is their order."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Index, Table

from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Kept
from offhook.storage.tables import big, metadata, text

GroupType = Literal["channel", "coachinggroup"]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One user in one group. `role` is coach or trainee in a coaching team, and empty in a channel."""

    tenant_id: int
    group_type: GroupType
    group_id: int
    user_id: int
    seq: int
    role: str = ""


members = Table(
    "members",
    metadata,
    big("tenant_id", primary_key=True),
    text("group_type", primary_key=True),
    big("group_id", primary_key=True),
    big("user_id", primary_key=True),
    big("seq"),
    text("role"),
    Index(None, "tenant_id", "user_id"),
)

_COLUMNS = ("tenant_id", "group_type", "group_id", "user_id", "seq", "role")
_insert = Insert(members, list(_COLUMNS))
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM members WHERE tenant_id = ? AND group_type = ? AND "  # noqa: S608
_PAGE = Statement(_SELECT + "group_id = ? AND seq > ? ORDER BY seq LIMIT ?")
_OF_KIND = Statement(_SELECT + "seq > 0 ORDER BY seq")
_GET = Statement(_SELECT + "group_id = ? AND user_id = ?")
_OF_USER = Statement(_SELECT + "user_id = ? ORDER BY seq")
_ONE = "tenant_id = ? AND group_type = ? AND group_id = ? AND user_id = ?"
_CHANGE = Statement(f"UPDATE members SET role = ? WHERE {_ONE}")  # noqa: S608
_REMOVE = Statement(f"DELETE FROM members WHERE {_ONE}")  # noqa: S608
_REMOVE_GROUP = Statement("DELETE FROM members WHERE tenant_id = ? AND group_type = ? AND group_id = ?")


def _member(row: Sequence[Any]) -> Member:
    return Member(**dict(zip(_COLUMNS, row, strict=True)))


def add(tx: Transaction, one: Member) -> None:
    """Store a new member; IntegrityError if it is in the group already."""
    _insert(tx, [tuple(getattr(one, column) for column in _COLUMNS)])


def page(tx: Transaction, tenant_id: int, group_type: GroupType, group_id: int, after: int, limit: int) -> list[Member]:
    """Members of a group behind the `seq` of `after`, in the order of joining."""
    return [_member(row) for row in tx.all(_PAGE, tenant_id, group_type, group_id, after, limit)]


def of_kind(tx: Transaction, tenant_id: int, group_type: GroupType) -> list[Member]:
    """The members of all groups of a kind, in the order of joining."""
    return [_member(row) for row in tx.all(_OF_KIND, tenant_id, group_type)]


def get(tx: Transaction, tenant_id: int, group_type: GroupType, group_id: int, user_id: int) -> Member | None:
    """One membership, or None."""
    row = tx.first(_GET, tenant_id, group_type, group_id, user_id)
    return _member(row) if row else None


def of_user(tx: Transaction, tenant_id: int, group_type: GroupType, user_id: int) -> list[Member]:
    """The memberships of a user in groups of a kind, in the order of joining."""
    return [_member(row) for row in tx.all(_OF_USER, tenant_id, group_type, user_id)]


def change(tx: Transaction, one: Member) -> None:
    """Replace the role of a membership."""
    tx.change(_CHANGE, one.role, one.tenant_id, one.group_type, one.group_id, one.user_id)


def remove(tx: Transaction, tenant_id: int, group_type: GroupType, group_id: int, user_id: int) -> None:
    """End a membership."""
    tx.change(_REMOVE, tenant_id, group_type, group_id, user_id)


def remove_group(tx: Transaction, tenant_id: int, group_type: GroupType, group_id: int) -> None:
    """End all memberships in a group."""
    tx.change(_REMOVE_GROUP, tenant_id, group_type, group_id)


def with_users(tx: Transaction, found: list[Member]) -> list[tuple[Member, Kept[User]]]:
    """Each member with its user, in the same order."""
    tenant_id = found[0].tenant_id if found else 0
    known = {user.id: user for user in users.get_many(tx, tenant_id, [one.user_id for one in found])}
    return [(one, known[one.user_id]) for one in found if one.user_id in known]
