"""Users as v2 has them, their caller IDs and personas."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from offhook.directory.lines.wire import ShortText, SingleLine, State
from offhook.directory.operators.store import Operator
from offhook.directory.users.model import LINE_OF, License, User
from offhook.kit import clock
from offhook.kit.text import enumerated
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta

GroupKind = Literal["callcenter", "department", "office"]
EmailText = Annotated[str, Meta(max_length=1024, extra_json_schema={"x-offhook-rule": "e-mail address"})]
LicenseField = Annotated[License, Meta(extra={"stand_in": "talk"})]


def _taken_by_license() -> str:
    """Which kind of line each licence takes, as a sentence."""
    by_line: dict[str, list[str]] = {}
    for name, line in LINE_OF.items():
        by_line.setdefault(line, []).append(name)
    return "; ".join(f"{enumerated(licenses)}: {line}" for line, licenses in by_line.items())


_LINES = f"Lines of the office's plan: {_taken_by_license()}."


class UserIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A user to create."""

    office_id: Annotated[Int64, Meta(description="The office whose plan gives the line.")]
    email: Annotated[EmailText, Meta(description="Primary address; nobody else's.", examples=["ann@example.com"])]
    first_name: Annotated[SingleLine | None, Meta(description="Given name.")] = None
    last_name: Annotated[SingleLine | None, Meta(description="Family name.")] = None
    license: Annotated[
        LicenseField | None, Meta(description=f"Which kind of line is used; talk unless said. {_LINES}")
    ] = None
    extension: Annotated[
        ShortText | None, Meta(description="2 to 6 digits, nobody else's in the company. Not in v2.")
    ] = None
    auto_assign: Annotated[
        bool | None, Meta(description="Give a free number of the company, of the office's country if there is one.")
    ] = None


class PresenceIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an old conference product showed; taken and ignored."""

    message: SingleLine | None = None
    provider: SingleLine | None = None
    type: Literal["conference", "default"] | None = None


class UserPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a user; what is not sent stays."""

    first_name: Annotated[SingleLine | None, Meta(description="Given name; empty removes it.")] = None
    last_name: Annotated[SingleLine | None, Meta(description="Family name; empty removes it.")] = None
    job_title: Annotated[SingleLine | None, Meta(description="What they do; empty removes it.")] = None
    emails: Annotated[
        Annotated[list[EmailText], Meta(max_length=20)] | None, Meta(description="All addresses, primary first.")
    ] = None
    extension: Annotated[
        ShortText | None, Meta(description="2 to 6 digits, nobody else's in the company; empty removes it.")
    ] = None
    phone_numbers: Annotated[
        Annotated[list[str], Meta(max_length=100)] | None,
        Meta(description="Their numbers in a new order; one that is left out is unassigned."),
    ] = None
    forwarding_numbers: Annotated[
        Annotated[list[str], Meta(max_length=20)] | None,
        Meta(description="Rung besides, E.164 or as dialled in the office's country."),
    ] = None
    admin_office_ids: Annotated[
        Annotated[list[Int64], Meta(max_length=1000)] | None, Meta(description="The offices that they administer.")
    ] = None
    is_super_admin: Annotated[bool | None, Meta(description="Whether they administer the company.")] = None
    international_dialing_enabled: Annotated[bool | None, Meta(description="Whether they may call abroad.")] = None
    license: Annotated[LicenseField | None, Meta(description=f"Swaps the line of the office's plan. {_LINES}")] = None
    keep_paid_numbers: Annotated[
        bool | None,
        Meta(description="On a change to a support licence: keep the numbers, on additional number lines; true."),
    ] = None
    office_id: Annotated[Int64 | None, Meta(description="Moves them, as move_office does.")] = None
    state: Annotated[
        Literal["active", "suspended"] | None, Meta(description="A suspended user takes no calls and no line.")
    ] = None
    presence_status: Annotated[PresenceIn | None, Meta(description="Taken and ignored.")] = None


class GroupDetails(msgspec.Struct, kw_only=True, gc=False):
    """A group that a user is in."""

    group_id: Int64Text
    group_type: GroupKind
    role: Literal["admin", "operator", "supervisor"]
    do_not_disturb: bool


class UserOut(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A user as v2 answers it; date-times are UTC, without a zone."""

    id: Int64Text
    company_id: Int64Text
    office_id: Int64Text
    display_name: str
    country: Annotated[str, Meta(description="In lower case.")]
    timezone: str
    language: str
    license: License
    state: State
    is_admin: Annotated[bool, Meta(description="Of the company or of an office.")]
    is_super_admin: bool
    is_available: Annotated[bool, Meta(description="Not in a call.")]
    is_online: Annotated[bool, Meta(description="Has a device that can be rung.")]
    is_on_duty: bool
    on_duty_status: Literal["available", "unavailable"]
    do_not_disturb: bool
    muted: bool
    international_dialing_enabled: bool
    date_added: str
    date_active: str
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    extension: str | None = None
    emails: Annotated[tuple[str, ...], Meta(description="The primary one first.")] = ()
    phone_numbers: Annotated[tuple[str, ...], Meta(description="E.164, the primary one first.")] = ()
    forwarding_numbers: tuple[str, ...] = ()
    admin_office_ids: tuple[Int64Text, ...] = ()
    group_details: tuple[GroupDetails, ...] = ()
    status_message: str | None = None
    duty_status_reason: str | None = None
    duty_status_started: str | None = None
    on_duty_started: str | None = None


class UserPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of users."""

    items: list[UserOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class UserListQuery(msgspec.Struct):
    """Which users."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    state: Annotated[
        Literal["active", "all", "cancelled", "deleted", "pending", "suspended"] | None,
        Meta(description="Those in this state; all but deleted ones unless said."),
    ] = None
    company_admin: Annotated[bool | None, Meta(description="Only who administers the company, or only others.")] = None
    email: Annotated[str | None, Meta(description="Whoever has this address, primary or not.")] = None
    number: Annotated[str | None, Meta(description="Whoever has this number, E.164.")] = None


class DndIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Do-not-disturb, of the user or for one group."""

    do_not_disturb: Annotated[bool, Meta(description="True rings them no more.")]
    group_id: Annotated[Int64 | None, Meta(description="Only for calls to this group.")] = None
    group_type: Annotated[GroupKind | None, Meta(description="The group's kind.")] = None


class DndOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Do-not-disturb as it is now."""

    id: Int64Text
    do_not_disturb: bool
    group_id: Int64Text | None = None
    group_type: GroupKind | None = None


class MoveIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where to move a user."""

    office_id: Annotated[Int64 | None, Meta(description="The office to move to.")] = None


class StatusIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a user is doing."""

    status_message: Annotated[SingleLine | None, Meta(description="One line; empty or absent removes it.")] = None
    expiration: Annotated[
        Int64 | None, Meta(description="Seconds until it goes by itself, at most a year; never unless said.")
    ] = None


class StatusOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a user is doing."""

    id: Int64Text
    status_message: str
    expiration: Annotated[Int64Text | None, Meta(description="Seconds that it has left.")] = None


class CallerIdIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The number to show."""

    caller_id: Annotated[ShortText, Meta(description="One of the user's choices, E.164, or `blocked` to show none.")]


class CallerIdGroup(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A number of a group that the user is in."""

    caller_id: str
    display_name: str


class CallerIdOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The number that a user's calls show, and those that they may show."""

    id: Int64Text
    caller_id: Annotated[str | None, Meta(description="Shown now; `blocked` shows none.")] = None
    primary_phone: str | None = None
    phone_numbers: tuple[str, ...] = ()
    office_main_line: str | None = None
    groups: tuple[CallerIdGroup, ...] = ()
    forwarding_numbers: tuple[str, ...] = ()


class PersonaOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Somebody or something that a user can call as."""

    id: Annotated[Int64Text, Meta(description="Of the user, or of the group.")]
    type: Literal["callcenter", "department", "office", "user"]
    name: str
    caller_id: str | None = None
    phone_numbers: tuple[str, ...] = ()


class PersonaList(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whom a user can call as."""

    items: list[PersonaOut] = []


def user_out(
    kept: Kept[User], company_id: int, memberships: Iterable[Operator], *, is_online: bool, at: datetime
) -> UserOut:
    """A user as v2 answers it at `at`; for many at once see people.users_out."""
    user, active = kept.value, kept.state == "active"
    groups = [
        GroupDetails(
            group_id=str(one.group_id),
            group_type=one.group_type,
            role=one.role,  # type: ignore[arg-type]
            do_not_disturb=one.do_not_disturb,
        )
        for one in memberships
    ]
    admin_of = tuple(map(str, user.admin_office_ids))
    if admin_of:
        known = {one.group_id for one in groups if one.group_type == "office" and one.role == "admin"}
        groups += [
            GroupDetails(group_id=id, group_type="office", role="admin", do_not_disturb=False)
            for id in admin_of
            if id not in known
        ]
    lasting = not user.status_until or clock.milliseconds(at) < user.status_until
    on_duty = active and user.on_duty
    started = clock.iso(user.duty_started) if user.duty_started else None
    return UserOut(
        id=str(kept.id),
        company_id=str(company_id),
        office_id=str(user.office_id),
        display_name=user.display_name,
        country=user.country.lower(),
        timezone=user.timezone,
        language=user.language,
        license=user.license,
        state=kept.state,  # type: ignore[arg-type]
        is_admin=user.is_super_admin or bool(admin_of),
        is_super_admin=user.is_super_admin,
        is_available=active,
        is_online=active and is_online,
        is_on_duty=on_duty,
        on_duty_status="available" if on_duty else "unavailable",
        do_not_disturb=user.do_not_disturb,
        muted=False,
        international_dialing_enabled=user.international_dialing_enabled,
        date_added=clock.iso(kept.created_at),
        date_active=clock.iso(user.activated_at or kept.created_at),
        first_name=user.first_name or None,
        last_name=user.last_name or None,
        job_title=user.job_title or None,
        extension=user.extension or None,
        emails=user.emails,
        phone_numbers=user.phone_numbers,
        forwarding_numbers=user.forwarding_numbers,
        admin_office_ids=admin_of,
        group_details=tuple(groups),
        status_message=(user.status_message if lasting else None) or None,
        duty_status_reason=user.duty_reason or None,
        duty_status_started=started,
        on_duty_started=clock.iso(user.on_duty_started) if user.on_duty_started else None,
    )
