"""What events keep of an office: its rows as they were stored, at no cost to a create, and shown in full when read."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from offhook.billing.model import Plan
from offhook.directory.lines.model import days_from_json, days_to_json
from offhook.kit.wire import encode
from offhook.offices import render
from offhook.offices.model import Office, Stored


def snapshot(stored: Stored, plan: Plan, document: str | None = None) -> str:
    """An office and its plan as an event keeps them; `document` is the encoded office, if it is at hand."""
    frame = _Frame(
        stored.id,
        stored.tenant_id,
        stored.state,
        stored.is_primary,
        stored.version,
        stored.created_at,
        stored.updated_at,
        msgspec.Raw((document or encode(stored.office).decode()).encode()),
        days_to_json(stored.days),
        plan,
    )
    return encode(frame).decode()


def shown(document: str, at: int) -> bytes:
    """What an event's snapshot shows over the API: a `wire.RecordAndPlan` as of the event's moment.

    Events of an office that are not of its record, such as bought lines, keep their wire form, which stays as it is.
    """
    if not document.startswith('{"id":'):
        return document.encode()
    frame = _decode_frame(document)
    stored = Stored(
        id=frame.id,
        tenant_id=frame.tenant_id,
        state=frame.state,
        is_primary=frame.is_primary,
        version=frame.version,
        created_at=frame.created_at,
        updated_at=frame.updated_at,
        office=msgspec.json.decode(frame.office, type=Office),
        days=days_from_json(frame.days),
    )
    return render.record_json(stored, frame.plan, datetime.fromtimestamp(at / 1000, UTC))


class _Frame(msgspec.Struct, frozen=True):
    """An office and its plan, as an event keeps them."""

    id: int
    tenant_id: int
    state: str
    is_primary: bool
    version: int
    created_at: int
    updated_at: int
    office: msgspec.Raw
    days: list[dict[str, Any]]
    plan: Plan


_decode_frame = msgspec.json.Decoder(_Frame).decode
