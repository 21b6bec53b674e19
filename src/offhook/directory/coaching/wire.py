"""Coaching teams as v2 has them, and how one is made."""

from typing import Annotated

import msgspec

from offhook.directory.coaching.model import CoachingTeam, Role
from offhook.directory.lines.wire import SingleLine, State
from offhook.directory.users.model import License
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta


class CoachingTeamIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A coaching team to create."""

    name: Annotated[SingleLine, Meta(description="The team's name.", examples=["New hires"])]
    office_id: Annotated[Int64, Meta(description="The office that it belongs to.")]
    team_description: Annotated[str | None, Meta(description="What it is for; at most 256 characters.")] = None
    allow_trainee_eavesdrop: Annotated[
        bool | None, Meta(description="Whether trainees may listen to calls; false unless said.")
    ] = None
    ring_seconds: Annotated[Int64 | None, Meta(description="How long it rings, 10 to 45 seconds; 30 unless said.")] = (
        None
    )


class CoachingTeamPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a coaching team; what is not sent stays."""

    name: Annotated[SingleLine | None, Meta(description="The team's name.")] = None
    office_id: Annotated[Int64 | None, Meta(description="The office that it belongs to.")] = None
    team_description: Annotated[str | None, Meta(description="What it is for; at most 256 characters.")] = None
    allow_trainee_eavesdrop: Annotated[bool | None, Meta(description="Whether trainees may listen to calls.")] = None
    ring_seconds: Annotated[Int64 | None, Meta(description="How long it rings, 10 to 45 seconds.")] = None


class CoachingTeamOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A coaching team as v2 answers it."""

    id: Int64Text
    company_id: Int64Text
    office_id: Int64Text
    name: str
    country: Annotated[str, Meta(description="In lower case.")]
    state: State
    allow_trainee_eavesdrop: bool
    ring_seconds: Int64Text
    team_description: str | None = None


class CoachingTeamPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of coaching teams."""

    items: list[CoachingTeamOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class CoachingTeamListQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class CoachingMemberIn(msgspec.Struct, kw_only=True):
    """Who joins, and as what."""

    member_id: Annotated[Int64, Meta(description="The user.")]
    role: Annotated[Role, Meta(description="A coach follows the calls of trainees.")]


class CoachingMemberOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A user in a coaching team, as v2 answers it."""

    id: Int64Text
    role: Role
    company_id: Int64Text | None = None
    office_id: Int64Text | None = None
    emails: tuple[str, ...] = ()
    country: Annotated[str | None, Meta(description="In lower case.")] = None
    timezone: str | None = None
    language: str | None = None
    location: str | None = None
    license: License | None = None
    state: State | None = None
    date_added: str | None = None
    date_active: str | None = None
    date_first_login: str | None = None
    do_not_disturb: bool | None = None
    is_admin: bool | None = None
    is_available: bool | None = None
    is_on_duty: bool | None = None
    is_online: bool | None = None
    is_super_admin: bool | None = None
    muted: bool | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    extension: str | None = None
    image_url: str | None = None
    status_message: str | None = None
    admin_office_ids: tuple[Int64Text, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    forwarding_numbers: tuple[str, ...] = ()


class CoachingMemberPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of members."""

    items: list[CoachingMemberOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


def team_out(kept: Kept[CoachingTeam], company_id: int) -> CoachingTeamOut:
    """A coaching team as v2 answers it."""
    team = kept.value
    return CoachingTeamOut(
        id=str(kept.id),
        company_id=str(company_id),
        office_id=str(team.office_id),
        name=team.name,
        country=team.country.lower(),
        state=kept.state,  # type: ignore[arg-type]
        allow_trainee_eavesdrop=team.allow_trainee_eavesdrop,
        ring_seconds=str(team.ring_seconds),
        team_description=team.team_description or None,
    )


def member_out(user: msgspec.Struct, role: str) -> CoachingMemberOut:
    """What a coaching team says of a user, from the user as v2 answers it."""
    return msgspec.convert(msgspec.to_builtins(user) | {"role": role}, CoachingMemberOut)
