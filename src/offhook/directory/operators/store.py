"""The only SQL of operators: who answers for which group. `seq` rises with joining, which is their order."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import big, metadata, text

GroupType = Literal["office", "department", "callcenter"]
MemberType = Literal["user", "room"]


class Operator(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One member of one group. `seq` is an id of kit/ids.py, so the order of joining is that of the numbers.

    `role` is operator, admin or, in a call center, supervisor; `skill_level` 1 to 100 counts in call centers only.
    """

    tenant_id: int
    group_type: GroupType
    group_id: int
    member_type: MemberType
    member_id: int
    seq: int
    role: str = "operator"
    skill_level: int = 100
    license: str = ""
    do_not_disturb: bool = False


operators = Table(
    "operators",
    metadata,
    big("tenant_id", primary_key=True),
    text("group_type", primary_key=True),
    big("group_id", primary_key=True),
    text("member_type", primary_key=True),
    big("member_id", primary_key=True),
    big("seq"),
    text("role"),
    big("skill_level"),
    text("license"),
    big("do_not_disturb", server_default=sql_text("0")),
    Index(None, "tenant_id", "member_type", "member_id"),
)

_COLUMNS = (
    "tenant_id", "group_type", "group_id", "member_type", "member_id", "seq", "role", "skill_level", "license",
    "do_not_disturb",
)  # fmt: skip
_insert = Insert(operators, list(_COLUMNS))
_ALL = ", ".join(_COLUMNS)
_GROUP = "tenant_id = ? AND group_type = ? AND group_id = ?"
_MEMBER = "tenant_id = ? AND member_type = ? AND member_id = ?"
_OF_GROUP = Statement(f"SELECT {_ALL} FROM operators WHERE {_GROUP} ORDER BY seq")  # noqa: S608 - names are ours
_OF_MEMBER = Statement(f"SELECT {_ALL} FROM operators WHERE {_MEMBER} ORDER BY seq")  # noqa: S608
_OF_TENANT = Statement(f"SELECT {_ALL} FROM operators WHERE tenant_id = ? ORDER BY seq")  # noqa: S608
_GET = Statement(f"SELECT {_ALL} FROM operators WHERE {_GROUP} AND member_type = ? AND member_id = ?")  # noqa: S608
_CHANGE = Statement(
    f"UPDATE operators SET role = ?, skill_level = ?, license = ?, do_not_disturb = ? "  # noqa: S608
    f"WHERE {_GROUP} AND member_type = ? AND member_id = ?"
)
_REMOVE = Statement(f"DELETE FROM operators WHERE {_GROUP} AND member_type = ? AND member_id = ?")  # noqa: S608
_REMOVE_MEMBER = Statement(f"DELETE FROM operators WHERE {_MEMBER}")  # noqa: S608
_REMOVE_GROUP = Statement(f"DELETE FROM operators WHERE {_GROUP}")  # noqa: S608


def _operator(row: Sequence[Any]) -> Operator:
    return Operator(
        tenant_id=row[0],
        group_type=row[1],
        group_id=row[2],
        member_type=row[3],
        member_id=row[4],
        seq=row[5],
        role=row[6],
        skill_level=row[7],
        license=row[8],
        do_not_disturb=bool(row[9]),
    )


def add(tx: Transaction, rows: Sequence[Operator]) -> None:
    """Store new members, at least one; IntegrityError if one is in its group already."""
    _insert(tx, [(*(getattr(one, column) for column in _COLUMNS[:-1]), int(one.do_not_disturb)) for one in rows])


def of_group(tx: Transaction, tenant_id: int, group_type: str, group_id: int) -> list[Operator]:
    """The members of a group, in the order of joining."""
    return [_operator(row) for row in tx.all(_OF_GROUP, tenant_id, group_type, group_id)]


def of_member(tx: Transaction, tenant_id: int, member_type: str, member_id: int) -> list[Operator]:
    """The memberships of a user or room, in the order of joining."""
    return [_operator(row) for row in tx.all(_OF_MEMBER, tenant_id, member_type, member_id)]


def of_tenant(tx: Transaction, tenant_id: int) -> list[Operator]:
    """All memberships of a company, in the order of joining."""
    return [_operator(row) for row in tx.all(_OF_TENANT, tenant_id)]


def of_members(
    tx: Transaction, tenant_id: int, member_type: MemberType, member_ids: Sequence[int]
) -> dict[int, list[Operator]]:
    """The memberships of many users or of many rooms, by member; one without any is left out."""
    found: dict[int, list[Operator]] = {}
    for padded, marks in in_parts(member_ids, 0):
        query = Statement(
            f"SELECT {_ALL} FROM operators WHERE tenant_id = ? AND member_type = ? "  # noqa: S608
            f"AND member_id IN ({marks}) ORDER BY seq"
        )
        for row in tx.all(query, tenant_id, member_type, *padded):
            one = _operator(row)
            found.setdefault(one.member_id, []).append(one)
    return found


def get(
    tx: Transaction, tenant_id: int, group_type: str, group_id: int, member_type: str, member_id: int
) -> Operator | None:
    """One membership, or None."""
    row = tx.first(_GET, tenant_id, group_type, group_id, member_type, member_id)
    return _operator(row) if row else None


def change(tx: Transaction, one: Operator) -> None:
    """Replace role, skill, licence and do-not-disturb of a membership."""
    tx.change(
        _CHANGE,
        one.role,
        one.skill_level,
        one.license,
        int(one.do_not_disturb),
        one.tenant_id,
        one.group_type,
        one.group_id,
        one.member_type,
        one.member_id,
    )


def remove(tx: Transaction, one: Operator) -> bool:
    """End a membership; False if there is none."""
    return tx.change(_REMOVE, one.tenant_id, one.group_type, one.group_id, one.member_type, one.member_id) == 1


def remove_member(tx: Transaction, tenant_id: int, member_type: str, member_id: int) -> None:
    """End all memberships of a user or room."""
    tx.change(_REMOVE_MEMBER, tenant_id, member_type, member_id)


def remove_group(tx: Transaction, tenant_id: int, group_type: str, group_id: int) -> None:
    """End all memberships in a group."""
    tx.change(_REMOVE_GROUP, tenant_id, group_type, group_id)
