"""What a department and a call center must be. Pure; hours, routing and ring seconds by the rules of every line.

Both a create and a change are read onto what there was: of a create, a group with every default. What is not sent
stays.
"""

from typing import Any

import msgspec

from offhook.directory.groups import wire
from offhook.directory.groups.model import (
    CALLCENTERS,
    DEPARTMENTS,
    CallCenter,
    CallCenterQueue,
    Department,
    DepartmentQueue,
    Group,
)
from offhook.directory.lines import rules as lines
from offhook.directory.lines.wire import Strategy
from offhook.kit.errors import Notice, Violation, shown

ANNOUNCED_FROM = 120
"""Callers hear their place in the queue only where they may wait this many seconds."""

_KEYS = frozenset("0123456789*#")


def department(
    body: wire.DepartmentPatch, before: Department, found: list[Violation], notices: list[Notice]
) -> Department:
    """`before` with what `body` says; its faults go to `found`."""
    fields = _shared(body, before, DEPARTMENTS.strategy, found, notices)
    if body.auto_call_recording is not None:
        fields["auto_call_recording"] = body.auto_call_recording
    if body.hold_queue is not None:
        fields["hold_queue"] = _department_queue(body.hold_queue, before.hold_queue, found, notices)
    return msgspec.structs.replace(before, **fields)


def callcenter(
    body: wire.CallCenterPatch, before: CallCenter, found: list[Violation], notices: list[Notice]
) -> CallCenter:
    """`before` with what `body` says; its faults go to `found`."""
    fields = _shared(body, before, CALLCENTERS.strategy, found, notices)
    if body.hold_queue is not None:
        fields["hold_queue"] = _callcenter_queue(body.hold_queue, before.hold_queue, found, notices)
    if (alerts := body.alerts) is not None:
        old = before.alerts
        place = "alerts.cc_service_level"
        fields["alerts"] = msgspec.structs.replace(
            old,
            cc_service_level=lines.whole(alerts.cc_service_level, place, old.cc_service_level, 1, 100, found),
            cc_service_level_seconds=lines.whole(
                alerts.cc_service_level_seconds, f"{place}_seconds", old.cc_service_level_seconds, 1, 18_000, found
            ),
        )
    if (advanced := body.advanced_settings) is not None:
        if advanced.auto_call_recording is not None:
            fields["recording"] = msgspec.structs.replace(before.recording, **_said(advanced.auto_call_recording))
        fields["max_wrap_up_seconds"] = lines.whole(
            advanced.max_wrap_up_seconds,
            "advanced_settings.max_wrap_up_seconds",
            before.max_wrap_up_seconds,
            0,
            3600,
            found,
        )
    return msgspec.structs.replace(before, **fields)


def _shared(
    body: wire.GroupPatch, before: Group, strategy: Strategy, found: list[Violation], notices: list[Notice]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if body.name is not None:
        fields["name"] = lines.line(body.name, "name", found, wire.NAME_LIMIT) or ""
    if body.group_description is not None:
        fields["group_description"] = lines.description(body.group_description, found)
    fields["week"] = lines.read_week(body, before.week, before.hours_on, found, notices)
    if body.hours_on is not None:
        fields["hours_on"] = body.hours_on
    if body.ring_seconds is not None:
        fields["ring_seconds"] = lines.ring_seconds(body.ring_seconds, found)
    if body.routing_options is not None:
        fields["open"], fields["closed"] = lines.routing(body.routing_options, found, notices, strategy)
    fields["auto_start_vi"], fields["allow_pause_vi"] = lines.intelligence(
        body.voice_intelligence, (before.auto_start_vi, before.allow_pause_vi)
    )
    if body.keeps_office_days is not None:
        fields["keeps_office_days"] = body.keeps_office_days
    return fields


def _said(part: msgspec.Struct) -> dict[str, Any]:
    """The fields that were sent."""
    return {name: value for name, value in msgspec.structs.asdict(part).items() if value is not None}


def _department_queue(
    sent: wire.DepartmentQueueIn, before: DepartmentQueue, found: list[Violation], notices: list[Notice]
) -> DepartmentQueue:
    queue = DepartmentQueue(
        allow_queuing=before.allow_queuing if sent.allow_queuing is None else sent.allow_queuing,
        max_hold_count=lines.whole(
            sent.max_hold_count, "hold_queue.max_hold_count", before.max_hold_count, 1, 50, found
        ),
        max_hold_seconds=_hold_seconds(sent.max_hold_seconds, before.max_hold_seconds, found),
    )
    if not queue.allow_queuing and (sent.max_hold_count is not None or sent.max_hold_seconds is not None):
        text = "Kept but without effect while allow_queuing is false: nobody waits."
        notices.append(Notice("queue_off", "hold_queue.allow_queuing", text))
    return queue


def _hold_seconds(sent: int | str | None, before: int, found: list[Violation]) -> int:
    return lines.whole(sent, "hold_queue.max_hold_seconds", before, 30, 18_000, found, unit=" of seconds")


def _callcenter_queue(
    sent: wire.CallCenterQueueIn, before: CallCenterQueue, found: list[Violation], notices: list[Notice]
) -> CallCenterQueue:
    place = "hold_queue"
    flags = {name: value for name, value in _said(sent).items() if isinstance(value, bool)}
    queue = msgspec.structs.replace(
        before,
        **flags,
        announcement_interval_seconds=lines.whole(
            sent.announcement_interval_seconds,
            f"{place}.announcement_interval_seconds",
            before.announcement_interval_seconds,
            10,
            3600,
            found,
        ),
        max_hold_count=lines.whole(
            sent.max_hold_count, f"{place}.max_hold_count", before.max_hold_count, 1, 1000, found
        ),
        max_hold_seconds=_hold_seconds(sent.max_hold_seconds, before.max_hold_seconds, found),
        queue_callback_threshold=lines.whole(
            sent.queue_callback_threshold,
            f"{place}.queue_callback_threshold",
            before.queue_callback_threshold,
            0,
            1000,
            found,
        ),
        queue_callback_dtmf=_key(sent.queue_callback_dtmf, "queue_callback_dtmf", before.queue_callback_dtmf, found),
        queue_escape_dtmf=_key(sent.queue_escape_dtmf, "queue_escape_dtmf", before.queue_escape_dtmf, found),
    )
    if queue.queue_callback_dtmf == queue.queue_escape_dtmf:
        field = "queue_callback_dtmf" if sent.queue_callback_dtmf is not None else "queue_escape_dtmf"
        text = f"{queue.queue_callback_dtmf} would ask for a callback and leave the queue; give each its own key."
        sent_key = queue.queue_callback_dtmf
        found.append(Violation(location=f"{place}.{field}", reason="duplicate", message=text, sent=sent_key))
    if queue.announce_position and queue.max_hold_seconds < ANNOUNCED_FROM:
        text = f"Callers are not told their place where they may wait less than {ANNOUNCED_FROM} seconds."
        notices.append(Notice("position_not_announced", f"{place}.announce_position", text))
    return queue


def _key(sent: str | None, field: str, before: str, found: list[Violation]) -> str:
    if sent is None or sent in _KEYS:
        return before if sent is None else sent
    text = "Must be one key: a digit, * or #."
    found.append(Violation(location=f"hold_queue.{field}", message=text, sent=shown(sent)))
    return before
