"""Operators as v2 has them: who is added and removed, whole lists, duty and skill."""

from typing import Annotated, Literal

import msgspec

from offhook.directory.lines.wire import SingleLine, State
from offhook.directory.operators.store import GroupType, MemberType, Operator
from offhook.directory.rooms.model import Room
from offhook.directory.rooms.wire import RoomOut
from offhook.directory.users.model import User
from offhook.directory.users.wire import UserOut
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta

Role = Literal["operator", "admin", "supervisor"]
DutyStatus = Literal["available", "busy", "occupied", "occupied-end", "unavailable", "wrapup", "wrapup-end"]


class OperatorRef(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An operator of an office or a department."""

    operator_type: Annotated[MemberType, Meta(description="Whether it is a user or a room.")]
    operator_id: Annotated[Int64, Meta(description="The user's or room's id.")]


class OperatorIn(OperatorRef, kw_only=True, omit_defaults=True):
    """An operator to add to an office or a department."""

    role: Annotated[
        Literal["operator", "admin"] | None, Meta(description="What it may do there; operator unless said.")
    ] = None


class AgentRef(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An operator of a call center."""

    user_id: Annotated[Int64, Meta(description="The user's id.")]


class AgentIn(AgentRef, kw_only=True, omit_defaults=True):
    """An operator to add to a call center."""

    role: Annotated[
        Role | None, Meta(description="What the user may do there; operator unless said. Only operators are rung.")
    ] = None
    skill_level: Annotated[
        Int64 | None, Meta(description="1 to 100; 100 unless said. Counts where the most skilled are rung first.")
    ] = None
    license_type: Annotated[
        Literal["agents", "lite_support_agents"] | None,
        Meta(description="The licence for a user who has none of these; agents unless said."),
    ] = None
    keep_paid_numbers: Annotated[
        bool | None,
        Meta(description="Whether the user keeps numbers when given a support licence, a line each; true unless said."),
    ] = None


class DutyIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Going on duty or off."""

    on_duty: Annotated[bool, Meta(description="Whether calls may come.")]
    duty_status_reason: Annotated[
        SingleLine | None, Meta(description="Why not, by one of the office's reasons.", examples=["Lunch Time"])
    ] = None


class SkillIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A skill level."""

    skill_level: Annotated[Int64, Meta(description="0 to 100.")]


class OperatorsOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Everyone whom a group's line rings, each list in the order of joining."""

    users: list[UserOut] = []
    rooms: list[RoomOut] = []


class UserOrRoomOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who was added or removed."""

    id: Int64Text
    company_id: Int64Text
    office_id: Int64Text
    name: str
    country: Annotated[str, Meta(description="In lower case.")]
    state: State
    is_on_duty: Annotated[bool, Meta(description="Whether it answers there; not once it is removed or suspended.")]
    phone_numbers: Annotated[tuple[str, ...], Meta(description="E.164, the primary one first.")] = ()


class DutyOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whether an operator is on duty, and since when."""

    user_id: Int64Text
    on_duty: bool
    on_duty_status: DutyStatus
    duty_status_reason: str = ""
    duty_status_started: Annotated[Int64Text, Meta(description="Since when it is as it is, ms since 1970 UTC.")]
    on_duty_started: Annotated[Int64Text, Meta(description="When calls last became possible, ms since 1970 UTC.")]


class SkillOut(msgspec.Struct, kw_only=True):
    """How skilled an operator is in a call center."""

    call_center_id: Int64Text
    user_id: Int64Text
    skill_level: Int64Text


class MembershipShown(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A membership as events keep it."""

    group_type: GroupType
    group_id: Int64Text
    operator_type: MemberType
    operator_id: Int64Text
    role: str
    skill_level: Int64Text | None = None
    license_type: str = ""


def membership_shown(one: Operator) -> MembershipShown:
    """A membership as events keep it; skill counts in call centers only."""
    return MembershipShown(
        group_type=one.group_type,
        group_id=str(one.group_id),
        operator_type=one.member_type,
        operator_id=str(one.member_id),
        role=one.role,
        skill_level=str(one.skill_level) if one.group_type == "callcenter" else None,
        license_type=one.license,
    )


def user_or_room_out(kept: Kept[User] | Kept[Room], company_id: int, *, removed: bool = False) -> UserOrRoomOut:
    """Whoever was added or `removed`, as v2 answers it; who was removed, or takes no calls, is not on duty."""
    one = kept.value
    serves = one.on_duty if isinstance(one, User) else one.is_on_duty
    return UserOrRoomOut(
        id=str(kept.id),
        company_id=str(company_id),
        office_id=str(one.office_id),
        name=one.display_name if isinstance(one, User) else one.name,
        country=one.country.lower(),
        state=kept.state,  # type: ignore[arg-type]
        is_on_duty=serves and not removed and kept.state == "active",
        phone_numbers=one.phone_numbers,
    )


def duty_out(kept: Kept[User]) -> DutyOut:
    """Whether a user is on duty, which a suspended one is not; who has never said so is since they were made."""
    user, on_duty = kept.value, kept.value.on_duty and kept.state == "active"
    return DutyOut(
        user_id=str(kept.id),
        on_duty=on_duty,
        on_duty_status="available" if on_duty else "unavailable",
        duty_status_reason=user.duty_reason,
        duty_status_started=str(user.duty_started or kept.created_at),
        on_duty_started=str(user.on_duty_started or kept.created_at),
    )
