"""Departments and call centers as v2 has them."""

from datetime import datetime
from typing import Annotated

import msgspec

from offhook.directory.groups.model import CallCenter, Department, Group
from offhook.directory.lines.model import older_pair
from offhook.directory.lines.wire import (
    Action,
    Availability,
    FirstAction,
    RoutingOptions,
    RoutingOptionsOut,
    State,
    VoiceIntelligence,
    WeekIn,
)
from offhook.directory.offices import OfficeCard
from offhook.hours.schedule import special_day, status
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta

NAME_LIMIT = 100
GroupName = Annotated[
    str, Meta(max_length=1024, extra_json_schema={"x-offhook-rule": f"single line, {NAME_LIMIT} characters"})
]
Key = Annotated[str, Meta(max_length=64, extra_json_schema={"x-offhook-rule": "one of 0-9, * and #"})]


class DepartmentQueueIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where callers wait while all operators are busy."""

    allow_queuing: Annotated[bool | None, Meta(description="Let callers wait; false unless said.")] = None
    max_hold_count: Annotated[Int64 | None, Meta(description="How many may wait, 1 to 50; 50 unless said.")] = None
    max_hold_seconds: Annotated[
        Int64 | None, Meta(description="How long a caller waits at most, 30 to 18000; 900 unless said.")
    ] = None


class CallCenterQueueIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where callers wait while all operators are busy."""

    allow_queue_callback: Annotated[bool | None, Meta(description="Let callers ask to be called back.")] = None
    announce_position: Annotated[
        bool | None,
        Meta(description="Tell callers their place, if they may wait two minutes or more; true unless said."),
    ] = None
    announcement_interval_seconds: Annotated[
        Int64 | None, Meta(description="Time between announcements, 10 to 3600; 120 unless said.")
    ] = None
    max_hold_count: Annotated[Int64 | None, Meta(description="How many may wait, 1 to 1000; 50 unless said.")] = None
    max_hold_seconds: Annotated[
        Int64 | None, Meta(description="How long a caller waits at most, 30 to 18000; 900 unless said.")
    ] = None
    queue_callback_dtmf: Annotated[Key | None, Meta(description="Key that asks for a callback; 9 unless said.")] = None
    queue_callback_threshold: Annotated[
        Int64 | None, Meta(description="Callbacks are offered when more than so many wait, 0 to 1000; 5 unless said.")
    ] = None
    queue_escape_dtmf: Annotated[Key | None, Meta(description="Key that leaves for voicemail; * unless said.")] = None
    stay_in_queue_after_closing: Annotated[
        bool | None, Meta(description="Whether those who wait at closing time stay; false unless said.")
    ] = None
    unattended_queue: Annotated[
        bool | None, Meta(description="Let callers wait even while nobody is on duty; false unless said.")
    ] = None


class AlertsIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """When supervisors are told."""

    cc_service_level: Annotated[
        Int64 | None, Meta(description="When fewer than so many percent are answered in time; 95 unless said.")
    ] = None
    cc_service_level_seconds: Annotated[
        Int64 | None, Meta(description="What in time means, 1 to 18000 seconds; 60 unless said.")
    ] = None


class RecordingIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which calls are recorded by themselves."""

    allow_pause_recording: Annotated[bool | None, Meta(description="Whether operators may stop it in a call.")] = None
    call_recording_inbound: Annotated[bool | None, Meta(description="Calls that come in.")] = None
    call_recording_outbound: Annotated[bool | None, Meta(description="Calls that go out.")] = None


class AdvancedIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Recording, and the time after a call."""

    auto_call_recording: Annotated[RecordingIn | None, Meta(description="Which calls are recorded.")] = None
    max_wrap_up_seconds: Annotated[
        Int64 | None, Meta(description="Time after a call before the next one, 0 to 3600 seconds; 0 unless said.")
    ] = None


class GroupPatch(WeekIn, kw_only=True, omit_defaults=True):
    """What can be said of a department and of a call center alike."""

    name: Annotated[GroupName | None, Meta(description="Its name.")] = None
    ring_seconds: Annotated[
        Int64 | None, Meta(description="How long the line rings before the action, 10 to 45; 30 unless said.")
    ] = None
    routing_options: Annotated[
        RoutingOptions | None,
        Meta(description="What happens to calls; operators while open, then voicemail, unless said."),
    ] = None
    group_description: Annotated[
        Annotated[str, Meta(max_length=4096)] | None,
        Meta(
            description="What it is for, at most 256 characters.",
            extra_json_schema={"x-offhook-rule": "256 characters"},
        ),
    ] = None
    voice_intelligence: Annotated[VoiceIntelligence | None, Meta(description="Live transcription.")] = None
    keeps_office_days: Annotated[
        bool | None,
        Meta(
            description="Whether the office's holidays and overrides count here; unless said, they do for a group that "
            "keeps hours. Not in v2."
        ),
    ] = None


class DepartmentPatch(GroupPatch, kw_only=True, omit_defaults=True):
    """What to change of a department; what is not sent stays."""

    auto_call_recording: Annotated[bool | None, Meta(description="Record every call; false unless said.")] = None
    hold_queue: Annotated[DepartmentQueueIn | None, Meta(description="Where callers wait.")] = None


class DepartmentIn(DepartmentPatch, kw_only=True, omit_defaults=True):
    """A department to create."""

    name: Annotated[GroupName, Meta(description="Its name.", examples=["Sales"])]
    office_id: Annotated[Int64, Meta(description="The office that it belongs to.")]


class CallCenterPatch(GroupPatch, kw_only=True, omit_defaults=True):
    """What to change of a call center; what is not sent stays."""

    hold_queue: Annotated[CallCenterQueueIn | None, Meta(description="Where callers wait.")] = None
    alerts: Annotated[AlertsIn | None, Meta(description="When supervisors are told.")] = None
    advanced_settings: Annotated[AdvancedIn | None, Meta(description="Recording, and the time after a call.")] = None


class CallCenterIn(CallCenterPatch, kw_only=True, omit_defaults=True):
    """A call center to create."""

    name: Annotated[GroupName, Meta(description="Its name.", examples=["Support"])]
    office_id: Annotated[Int64, Meta(description="The office that it belongs to.")]


class VoiceIntelligenceOut(msgspec.Struct, kw_only=True):
    """Live transcription, as v2 answers it."""

    allow_pause: bool
    auto_start: bool


class DepartmentQueueOut(msgspec.Struct, kw_only=True):
    """Where callers of a department wait, as v2 answers it."""

    allow_queuing: bool
    max_hold_count: Int64Text
    max_hold_seconds: Int64Text


class CallCenterQueueOut(msgspec.Struct, kw_only=True):
    """Where callers of a call center wait, as v2 answers it."""

    allow_queue_callback: bool
    announce_position: bool
    announcement_interval_seconds: Int64Text
    max_hold_count: Int64Text
    max_hold_seconds: Int64Text
    queue_callback_dtmf: str
    queue_callback_threshold: Int64Text
    queue_escape_dtmf: str
    stay_in_queue_after_closing: bool
    unattended_queue: bool


class AlertsOut(msgspec.Struct, kw_only=True):
    """When supervisors are told, as v2 answers it."""

    cc_service_level: Int64Text
    cc_service_level_seconds: Int64Text


class RecordingOut(msgspec.Struct, kw_only=True):
    """Which calls are recorded by themselves, as v2 answers it."""

    allow_pause_recording: bool
    call_recording_inbound: bool
    call_recording_outbound: bool


class AdvancedOut(msgspec.Struct, kw_only=True):
    """Recording and the time after a call, as v2 answers them."""

    auto_call_recording: RecordingOut
    max_wrap_up_seconds: Int64Text


class GroupOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What v2 answers of a department and of a call center alike."""

    id: Int64Text
    office_id: Int64Text
    name: str
    state: State
    country: Annotated[str, Meta(description="That of the office, in lower case.")]
    timezone: Annotated[str, Meta(description="That of the office.")]
    availability_status: Annotated[Availability, Meta(description="As of now, by the office's wall clock.")]
    first_action: FirstAction
    no_operators_action: Action
    ring_seconds: Int64Text
    routing_options: RoutingOptionsOut
    voice_intelligence: VoiceIntelligenceOut
    hours_on: bool
    group_description: str = ""
    phone_numbers: Annotated[tuple[str, ...], Meta(description="E.164, the primary one first.")] = ()
    monday_hours: tuple[str, ...] = ()
    tuesday_hours: tuple[str, ...] = ()
    wednesday_hours: tuple[str, ...] = ()
    thursday_hours: tuple[str, ...] = ()
    friday_hours: tuple[str, ...] = ()
    saturday_hours: tuple[str, ...] = ()
    sunday_hours: tuple[str, ...] = ()
    keeps_office_days: Annotated[bool | None, Meta(description="Where it was said. Not in v2.")] = None


class DepartmentOut(GroupOut, kw_only=True, omit_defaults=True):
    """A department as v2 answers it."""

    auto_call_recording: bool
    hold_queue: DepartmentQueueOut


class CallCenterOut(GroupOut, kw_only=True, omit_defaults=True):
    """A call center as v2 answers it."""

    hold_queue: CallCenterQueueOut
    alerts: AlertsOut
    advanced_settings: AdvancedOut


class DepartmentPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of departments."""

    items: list[DepartmentOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class CallCenterPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of call centers."""

    items: list[CallCenterOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class OfficeGroupsQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class GroupListQuery(OfficeGroupsQuery):
    """Which groups."""

    office_id: Annotated[int | None, Meta(description="Only those of this office.")] = None
    name_search: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        Meta(description="Only those whose name holds this text, in capitals or not."),
    ] = None


class AvailabilityOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Whether a call center takes calls."""

    status: Availability
    name: Annotated[str | None, Meta(description="The holiday or override that decides it, if one does.")] = None


class CallCenterStatusOut(msgspec.Struct, kw_only=True):
    """How a call center stands."""

    availability: AvailabilityOut
    capacity: Annotated[Int64Text, Meta(description="Operators who can take a call: on duty, not in do-not-disturb.")]
    on_duty_operators: Annotated[Int64Text, Meta(description="Operators on duty.")]
    pending: Annotated[Int64Text, Meta(description="Calls that wait.")]
    longest_call_wait_time: Annotated[Int64Text, Meta(description="How long the first of them has waited, seconds.")]


def _shared(kept: Kept[Department] | Kept[CallCenter], office: OfficeCard, at: datetime) -> dict[str, object]:
    group: Group = kept.value
    week = group.week
    first, fallback = older_pair(group.open)
    return {
        "id": str(kept.id),
        "office_id": str(group.office_id),
        "name": group.name,
        "state": kept.state,
        "country": office.country.lower(),
        "timezone": office.timezone,
        "availability_status": status(group.schedule(office), at).value if kept.state == "active" else "closed",
        "first_action": first,
        "no_operators_action": fallback,
        "ring_seconds": str(group.ring_seconds),
        "routing_options": RoutingOptionsOut(open=group.open, closed=group.closed),
        "voice_intelligence": VoiceIntelligenceOut(allow_pause=group.allow_pause_vi, auto_start=group.auto_start_vi),
        "hours_on": group.hours_on,
        "group_description": group.group_description,
        "phone_numbers": group.phone_numbers,
        "monday_hours": week[0],
        "tuesday_hours": week[1],
        "wednesday_hours": week[2],
        "thursday_hours": week[3],
        "friday_hours": week[4],
        "saturday_hours": week[5],
        "sunday_hours": week[6],
        "keeps_office_days": group.keeps_office_days,
    }


def department_out(kept: Kept[Department], office: OfficeCard, at: datetime) -> DepartmentOut:
    """A department as v2 answers it, with its availability at `at`."""
    queue = kept.value.hold_queue
    return DepartmentOut(
        **_shared(kept, office, at),  # type: ignore[arg-type]
        auto_call_recording=kept.value.auto_call_recording,
        hold_queue=DepartmentQueueOut(
            allow_queuing=queue.allow_queuing,
            max_hold_count=str(queue.max_hold_count),
            max_hold_seconds=str(queue.max_hold_seconds),
        ),
    )


def callcenter_out(kept: Kept[CallCenter], office: OfficeCard, at: datetime) -> CallCenterOut:
    """A call center as v2 answers it, with its availability at `at`."""
    center = kept.value
    queue, recording = center.hold_queue, center.recording
    return CallCenterOut(
        **_shared(kept, office, at),  # type: ignore[arg-type]
        hold_queue=CallCenterQueueOut(
            allow_queue_callback=queue.allow_queue_callback,
            announce_position=queue.announce_position,
            announcement_interval_seconds=str(queue.announcement_interval_seconds),
            max_hold_count=str(queue.max_hold_count),
            max_hold_seconds=str(queue.max_hold_seconds),
            queue_callback_dtmf=queue.queue_callback_dtmf,
            queue_callback_threshold=str(queue.queue_callback_threshold),
            queue_escape_dtmf=queue.queue_escape_dtmf,
            stay_in_queue_after_closing=queue.stay_in_queue_after_closing,
            unattended_queue=queue.unattended_queue,
        ),
        alerts=AlertsOut(
            cc_service_level=str(center.alerts.cc_service_level),
            cc_service_level_seconds=str(center.alerts.cc_service_level_seconds),
        ),
        advanced_settings=AdvancedOut(
            auto_call_recording=RecordingOut(
                allow_pause_recording=recording.allow_pause_recording,
                call_recording_inbound=recording.call_recording_inbound,
                call_recording_outbound=recording.call_recording_outbound,
            ),
            max_wrap_up_seconds=str(center.max_wrap_up_seconds),
        ),
    )


def availability_out(center: CallCenter, office: OfficeCard, at: datetime) -> AvailabilityOut:
    """Whether a call center takes calls at `at`, and which day of its own says so."""
    hours = center.schedule(office)
    day = special_day(hours, at)
    return AvailabilityOut(status=status(hours, at).value, name=(day.name or None) if day else None)
