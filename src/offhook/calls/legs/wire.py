"""Calls as v2 has them on the wire."""

from typing import Annotated, Literal

import msgspec

from offhook.directory.lines.wire import SingleLine
from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta

TargetType = Literal[
    "callcenter", "callrouter", "channel", "coachinggroup", "coachingteam", "department", "office", "room",
    "staffgroup", "unknown", "user",
]  # fmt: skip
Reached = Literal["callcenter", "department", "office", "user"]
GroupType = Literal["callcenter", "department", "office"]
TransferState = Literal["hold", "parked", "preanswer", "voicemail"]
RecordingType = Literal["all", "group", "user"]


class PartyOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Somebody in a call, or a line."""

    id: str
    type: str
    name: str
    phone: str | None = None
    email: str | None = None


class RecordingDetailsOut(msgspec.Struct, kw_only=True):
    """A recording or a message of a call; milliseconds."""

    id: str
    recording_type: Literal["admincallrecording", "callrecording", "voicemail"]
    start_time: Int64Text
    duration: Int64Text
    url: str


class CallInfoOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A leg of a call. Moments are milliseconds since 1970 UTC; `duration` of talking, `total_duration` of all."""

    call_id: Int64Text
    entry_point_call_id: Int64Text | None = None
    state: str
    direction: str
    date_started: Int64Text
    date_rang: Int64Text | None = None
    date_connected: Int64Text | None = None
    date_ended: Int64Text | None = None
    event_timestamp: Int64Text
    duration: float | None = None
    total_duration: float | None = None
    contact: PartyOut
    target: PartyOut
    entry_point_target: PartyOut | None = None
    proxy_target: dict[str, str]
    external_number: str | None = None
    internal_number: str | None = None
    group_id: str | None = None
    is_transferred: bool
    was_recorded: bool
    recording_details: list[RecordingDetailsOut] = []
    ended_by: Annotated[str | None, Meta(description="Why it ended, in a word. Not in v2.")] = None
    device_id: Annotated[str | None, Meta(description="The telephone that took the call. Not in v2.")] = None


class CallInfoPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Calls that are over, the latest first."""

    items: list[CallInfoOut] = []
    cursor: str | None = None


class CallListQuery(msgspec.Struct, kw_only=True):
    """Which ones, and which page of them."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    started_after: Annotated[Int64 | None, Meta(description="Milliseconds since 1970 UTC.")] = None
    started_before: Annotated[Int64 | None, Meta(description="Milliseconds since 1970 UTC.")] = None
    target_id: Annotated[Int64 | None, Meta(description="With `target_type`.")] = None
    target_type: Annotated[TargetType | None, Meta(description="The kind of the target; with `target_id`.")] = None


class NewcomerIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A number, or a target."""

    number: Annotated[str | None, Meta(description="A number in E.164.")] = None
    target_id: Annotated[Int64 | None, Meta(description="With `target_type`.")] = None
    target_type: Annotated[Reached | None, Meta(description="With `target_id`.")] = None


class DestinationIn(NewcomerIn, kw_only=True, omit_defaults=True):
    """Where to: a number, a target, or another call."""

    call_id: Annotated[Int64 | None, Meta(description="A call under way, to transfer to.")] = None


class TransferIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a call goes, and how it is there."""

    to: DestinationIn | None = None
    transfer_state: TransferState | None = None
    custom_data: str | None = None


class TransferredOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where it went."""

    call_id: Int64Text
    transferred_to_number: str | None = None
    transferred_to_state: TransferState | None = None


class ParticipantIn(msgspec.Struct, kw_only=True):
    """Who comes in."""

    participant: NewcomerIn


class UnparkIn(msgspec.Struct, kw_only=True):
    """Who takes it."""

    user_id: Int64


class RingIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who calls whom: the user is rung, then the number is dialled."""

    user_id: Int64
    phone_number: Annotated[str, Meta(description="A number in E.164.")]
    device_id: Annotated[str | None, Meta(description="Ring this telephone alone.")] = None
    group_id: Int64 | None = None
    group_type: GroupType | None = None
    outbound_caller_id: Annotated[str | None, Meta(description='A number of the company, or "blocked".')] = None
    is_consult: bool | None = None
    custom_data: SingleLine | None = None


class RingOut(msgspec.Struct, kw_only=True):
    """The call that was made."""

    call_id: Int64Text


class ActiveCallIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whether to record the call that a user is in."""

    is_recording: Annotated[bool, Meta(description="Record from here on, or no longer.")]
    play_message: bool | None = None
    recording_type: RecordingType | None = None


class ActiveCallOut(msgspec.Struct, kw_only=True):
    """The call that a user is in."""

    call_state: str
    id: Int64Text
    is_recording: bool


class Nothing(msgspec.Struct, kw_only=True):
    """`{}`, as clients read every answer."""
