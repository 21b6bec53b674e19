"""Access control policies as v2 has them."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from offhook.directory.lines.wire import SingleLine
from offhook.directory.policies.model import Level, Permission, Policy, with_reads
from offhook.directory.policies.store import Assignment
from offhook.directory.users.wire import UserOut
from offhook.kit import clock
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta

Permissions = Annotated[list[Permission], Meta(min_length=1, max_length=64)]
_PERMISSIONS = "What may be changed; reading it is implied."
_LEVEL = "Whether it holds for the company, an office or a call center; company unless said."


class PolicyIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A policy to create."""

    name: Annotated[SingleLine, Meta(description="The policy's name; at most 50 characters.", examples=["Hours"])]
    owner_id: Annotated[Int64, Meta(description="The company admin who owns it.")]
    permission_sets: Annotated[Permissions, Meta(description=_PERMISSIONS)]
    description: Annotated[SingleLine | None, Meta(description="At most 200 characters.")] = None
    target_type: Annotated[Level | None, Meta(description=_LEVEL)] = None


class PolicyPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a policy; what is not sent stays."""

    name: Annotated[SingleLine | None, Meta(description="The policy's name; at most 50 characters.")] = None
    description: Annotated[SingleLine | None, Meta(description="At most 200 characters; may be empty.")] = None
    permission_sets: Annotated[Permissions | None, Meta(description=_PERMISSIONS)] = None
    state: Annotated[Literal["active"] | None, Meta(description="Brings a deleted policy back.")] = None
    user_id: Annotated[Int64 | None, Meta(description="The company admin who changes it.")] = None


class AssignIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who gets a policy, and where."""

    user_id: Annotated[Int64, Meta(description="The user.")]
    target_type: Annotated[Level | None, Meta(description="The policy's level, which is taken if it is not sent.")] = (
        None
    )
    target_id: Annotated[Int64 | None, Meta(description="The office or call center; not for a company's policy.")] = (
        None
    )


class UnassignIn(AssignIn, kw_only=True, omit_defaults=True):
    """Who loses a policy, and where."""

    unassign_all: Annotated[bool | None, Meta(description="At every target.")] = None


class PolicyOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A policy as v2 answers it."""

    id: Int64Text
    company_id: Int64Text
    name: str
    owner_id: Int64Text
    permission_sets: Annotated[tuple[str, ...], Meta(description="What may be changed and read.")]
    state: Literal["active", "deleted"]
    target_type: Level
    date_created: Annotated[str, Meta(description="UTC, without a zone.")]
    date_updated: Annotated[str, Meta(description="UTC, without a zone.")]
    description: str | None = None


class PolicyPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of policies."""

    items: list[PolicyOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class PolicyListQuery(msgspec.Struct):
    """Which policies."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    include_deleted: Annotated[bool, Meta(description="Also deleted ones, which can be brought back. Not in v2.")] = (
        False
    )


class PolicyTargetOut(msgspec.Struct, kw_only=True):
    """Where a policy holds for a user."""

    target_type: Level
    target_id: Annotated[Int64Text, Meta(description="The company, office or call center.")]


class PolicyAssignmentOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A user who has a policy, and where."""

    user: UserOut
    policy_targets: tuple[PolicyTargetOut, ...] = ()


class PolicyAssignmentPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of assignments, user by user."""

    items: list[PolicyAssignmentOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class PolicyAssignmentListQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


def policy_out(kept: Kept[Policy], company_id: int) -> PolicyOut:
    """A policy as v2 answers it."""
    policy = kept.value
    return PolicyOut(
        id=str(kept.id),
        company_id=str(company_id),
        name=policy.name,
        owner_id=str(policy.owner_id),
        permission_sets=with_reads(policy.permission_sets),
        state="deleted" if kept.state == "deleted" else "active",
        target_type=policy.target_type,
        date_created=clock.iso(kept.created_at),
        date_updated=clock.iso(kept.updated_at),
        description=policy.description or None,
    )


def assignment_out(user: UserOut, assigned: Sequence[Assignment]) -> PolicyAssignmentOut:
    """A user with the targets where it has a policy."""
    targets = [PolicyTargetOut(target_type=one.target_type, target_id=str(one.target_id)) for one in assigned]
    return PolicyAssignmentOut(user=user, policy_targets=tuple(targets))
