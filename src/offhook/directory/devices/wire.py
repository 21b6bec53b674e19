"""Devices as v2 has them, where they can only be read, and as Offhook makes and changes them."""

from typing import Annotated

import msgspec

from offhook.directory.devices.model import ENABLED, DeskPhoneType, Device, DeviceType, OwnerType
from offhook.directory.lines.wire import SingleLine
from offhook.kit import clock
from offhook.kit.wire import Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta


# Of Offhook


class DeviceIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A device to make."""

    type: Annotated[DeviceType | None, Meta(description="What it is, in v2's words; `sip` unless said.")] = None
    name: Annotated[SingleLine | None, Meta(description="What it is called.", examples=["Desk, second floor"])] = None
    enabled: Annotated[bool | None, Meta(description="Whether it rings; true unless said.")] = None


class DevicePatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a device; what is not sent stays."""

    type: Annotated[DeviceType | None, Meta(description="What it is, in v2's words.")] = None
    name: Annotated[SingleLine | None, Meta(description="What it is called.")] = None
    enabled: Annotated[bool | None, Meta(description="Whether it rings.")] = None


class DeviceRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A device."""

    id: Int64Text
    owner_type: OwnerType
    owner_id: Int64Text
    type: DeviceType
    enabled: Annotated[bool, Meta(description="Whether it rings.")]
    date_created: str
    date_updated: str
    name: str | None = None


class DeviceRecords(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The devices of a user or a room."""

    items: list[DeviceRecord] = []


def record(kept: Kept[Device]) -> DeviceRecord:
    """A device with all that is known of it."""
    device = kept.value
    return DeviceRecord(
        id=str(kept.id),
        owner_type=device.owner_type,
        owner_id=str(device.owner_id),
        type=device.type,
        enabled=kept.state == ENABLED,
        date_created=clock.iso(kept.created_at),
        date_updated=clock.iso(kept.updated_at),
        name=device.name or None,
    )


# Of v2: the devices of users


class DeviceOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A user's device as v2 answers it."""

    id: str
    user_id: Int64Text
    type: DeviceType
    date_created: str
    date_updated: str
    date_registered: str | None = None
    display_name: str | None = None
    app_version: str | None = None
    phone_number: str | None = None


class DevicePage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of devices."""

    items: list[DeviceOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class DeviceListQuery(msgspec.Struct):
    """Whose devices."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    user_id: Annotated[str | None, Meta(description="Only this user's; `me` with a key of a user.")] = None


def device_out(kept: Kept[Device]) -> DeviceOut:
    """A user's device as v2 answers it."""
    device = kept.value
    return DeviceOut(
        id=str(kept.id),
        user_id=str(device.owner_id),
        type=device.type,
        date_created=clock.iso(kept.created_at),
        date_updated=clock.iso(kept.updated_at),
        date_registered=clock.iso(device.registered_at) if device.registered_at else None,
        display_name=device.name or None,
        app_version=device.app_version or None,
        phone_number=device.phone_number or None,
    )


# Of v2: desk phones


class DeskPhoneOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A desk phone as v2 answers it."""

    id: str
    owner_id: Int64Text
    owner_type: OwnerType
    type: DeskPhoneType
    byod: Annotated[bool, Meta(description="Always true: nobody buys telephones here.")]
    ring_notification: Annotated[bool, Meta(description="Whether it rings.")]
    name: str | None = None
    firmware_version: str | None = None
    phone_number: str | None = None


class DeskPhones(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The desk phones of a user or a room."""

    items: list[DeskPhoneOut] = []


def desk_phone_out(kept: Kept[Device]) -> DeskPhoneOut:
    """A desk phone as v2 answers it."""
    device = kept.value
    return DeskPhoneOut(
        id=str(kept.id),
        owner_id=str(device.owner_id),
        owner_type=device.owner_type,
        type=device.type,  # type: ignore[arg-type]
        byod=True,
        ring_notification=kept.state == ENABLED,
        name=device.name or None,
        firmware_version=device.app_version or None,
        phone_number=device.phone_number or None,
    )
