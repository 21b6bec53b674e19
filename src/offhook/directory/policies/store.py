"""Where access control policies are kept, and the only SQL of who has which of them where."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Index, Table

from offhook.directory.policies.model import Level, Policy
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents
from offhook.storage.tables import big, metadata, text

policies = Documents("policies", Policy)


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """That a user has a policy at a target; the target of a company's policy is the company."""

    tenant_id: int
    policy_id: int
    user_id: int
    target_type: Level
    target_id: int


_table = Table(
    "policy_assignments",
    metadata,
    big("tenant_id", primary_key=True),
    big("policy_id", primary_key=True),
    big("user_id", primary_key=True),
    text("target_type", primary_key=True),
    big("target_id", primary_key=True),
    Index(None, "tenant_id", "user_id"),
    Index(None, "tenant_id", "target_type", "target_id"),
)
_COLUMNS = ("tenant_id", "policy_id", "user_id", "target_type", "target_id")
_insert = Insert(_table, list(_COLUMNS))
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM policy_assignments WHERE tenant_id = ? AND "  # noqa: S608
_USERS = Statement(
    "SELECT DISTINCT user_id FROM policy_assignments WHERE tenant_id = ? AND policy_id = ? AND user_id > ? "
    "ORDER BY user_id LIMIT ?"
)
_BETWEEN = Statement(_SELECT + "policy_id = ? AND user_id BETWEEN ? AND ? ORDER BY user_id, target_type, target_id")
_OF_USER = Statement(_SELECT + "user_id = ? ORDER BY policy_id, target_type, target_id")
_AT = Statement(_SELECT + "target_type = ? AND target_id = ? ORDER BY policy_id, user_id")
_REMOVE = Statement(
    "DELETE FROM policy_assignments WHERE tenant_id = ? AND policy_id = ? AND user_id = ? AND target_type = ? "
    "AND target_id = ?"
)
_REMOVE_ALL = Statement("DELETE FROM policy_assignments WHERE tenant_id = ? AND policy_id = ?")


def _assignment(row: Sequence[Any]) -> Assignment:
    return Assignment(**dict(zip(_COLUMNS, row, strict=True)))


def assign(tx: Transaction, one: Assignment) -> None:
    """Store a new assignment; IntegrityError if there is the same already."""
    _insert(tx, [tuple(getattr(one, column) for column in _COLUMNS)])


def users_with(tx: Transaction, tenant_id: int, policy_id: int, after: int, limit: int) -> list[int]:
    """The ids behind `after` of users who have a policy, in order."""
    return [row[0] for row in tx.all(_USERS, tenant_id, policy_id, after, limit)]


def assignments(tx: Transaction, tenant_id: int, policy_id: int, first: int, last: int) -> list[Assignment]:
    """The assignments of a policy to users whose ids are from `first` to `last`, user by user."""
    return [_assignment(row) for row in tx.all(_BETWEEN, tenant_id, policy_id, first, last)]


def of_user(tx: Transaction, tenant_id: int, user_id: int) -> list[Assignment]:
    """All that is assigned to a user."""
    return [_assignment(row) for row in tx.all(_OF_USER, tenant_id, user_id)]


def at_target(tx: Transaction, tenant_id: int, target_type: str, target_id: int) -> list[Assignment]:
    """All that is assigned at a target."""
    return [_assignment(row) for row in tx.all(_AT, tenant_id, target_type, target_id)]


def unassign(tx: Transaction, one: Assignment) -> None:
    """End an assignment."""
    tx.change(_REMOVE, one.tenant_id, one.policy_id, one.user_id, one.target_type, one.target_id)


def unassign_everybody(tx: Transaction, tenant_id: int, policy_id: int) -> None:
    """End all assignments of a policy."""
    tx.change(_REMOVE_ALL, tenant_id, policy_id)
