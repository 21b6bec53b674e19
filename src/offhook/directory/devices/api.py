"""The routes of devices."""

from offhook.access.doing import Done
from offhook.directory.devices import wire
from offhook.directory.devices.model import MAX_DEVICES, OwnerType
from offhook.directory.devices.service import Devices
from offhook.directory.paths import V1, V2
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Devices"
_KINDS: dict[OwnerType, str] = {"user": "{id:user}", "room": "{id}"}


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    devices = Devices(work)
    return [
        *(one for kind in _KINDS for one in _of_owner(devices, kind)),
        Operation(
            id="userdevices.list",
            method="GET",
            path=V2 + "/userdevices",
            tag=TAG,
            summary="List user devices",
            description="Telephones and apps of one user, or of all.",
            handler=devices.page,
            scope="directory:read",
            query=wire.DeviceListQuery,
            reply=wire.DevicePage,
            reply_description="A page of devices.",
            note="`date_registered` is when it last came; `/api/offhook/v1/phones` shows who is there",
        ),
        Operation(
            id="userdevices.get",
            method="GET",
            path=V2 + "/userdevices/{id:text}",
            tag=TAG,
            summary="Show a user device",
            handler=devices.get,
            scope="directory:read",
            reply=wire.DeviceOut,
            reply_description="The device.",
            note="`date_registered` is when it last came; `/api/offhook/v1/phones` shows who is there",
        ),
        *(one for kind in _KINDS for one in _desk_phones(devices, kind)),
    ]


def _of_owner(devices: Devices, kind: OwnerType) -> list[Operation]:
    owner = f"{V1}/{kind}s/{_KINDS[kind]}/devices"
    return [
        Operation(
            id=f"offhook.{kind}s.devices.list",
            method="GET",
            path=owner,
            tag=TAG,
            summary=f"List a {kind}'s devices",
            description=f"All of them, oldest first; a {kind} has at most {MAX_DEVICES}.",
            handler=devices.listing(kind),
            scope="directory:read",
            reply=wire.DeviceRecords,
            reply_description="The devices.",
        ),
        Operation(
            id=f"offhook.{kind}s.devices.create",
            method="POST",
            path=owner,
            tag=TAG,
            summary=f"Give a {kind} a device",
            description=f"A telephone or an app on which the {kind} is rung.",
            handler=devices.creating(kind),
            scope="directory:write",
            body=wire.DeviceIn,
            reply=wire.DeviceRecord,
            reply_description="The device.",
            creates=True,
            refusals=(409,),
            note=f"at most {MAX_DEVICES}",
        ),
        Operation(
            id=f"offhook.{kind}s.devices.get",
            method="GET",
            path=owner + "/{device_id}",
            tag=TAG,
            summary=f"Show a {kind}'s device",
            handler=devices.showing(kind),
            scope="directory:read",
            reply=wire.DeviceRecord,
            reply_description="The device.",
            note="`ETag`",
        ),
        Operation(
            id=f"offhook.{kind}s.devices.update",
            method="PATCH",
            path=owner + "/{device_id}",
            tag=TAG,
            summary=f"Change a {kind}'s device",
            description="What is not sent stays as it is. One that is not enabled does not ring.",
            handler=devices.changing(kind),
            scope="directory:write",
            body=wire.DevicePatch,
            reply=wire.DeviceRecord,
            reply_description="The device as it is now.",
            refusals=(409, 412),
            note="`If-Match`",
        ),
        Operation(
            id=f"offhook.{kind}s.devices.delete",
            method="DELETE",
            path=owner + "/{device_id}",
            tag=TAG,
            summary=f"Delete a {kind}'s device",
            handler=devices.deleting(kind),
            scope="directory:write",
            reply=wire.DeviceRecord,
            reply_description="The device as it was.",
            refusals=(409, 412),
        ),
    ]


def _desk_phones(devices: Devices, kind: OwnerType) -> list[Operation]:
    path = f"{V2}/{kind}s/{'{parent_id:user}' if kind == 'user' else '{parent_id}'}/deskphones"
    return [
        Operation(
            id=f"deskphones.{kind}s.list",
            method="GET",
            path=path,
            tag=TAG,
            summary=f"List a {kind}'s desk phones",
            description="Those of the devices that are hardware.",
            handler=devices.desk_phones(kind),
            scope="directory:read",
            reply=wire.DeskPhones,
            reply_description="The desk phones.",
            note=f"made at `/api/offhook/v1/{kind}s/{{id}}/devices`; what signs in is at `/api/offhook/v1/phones`",
        ),
        Operation(
            id=f"deskphones.{kind}s.get",
            method="GET",
            path=path + "/{id:text}",
            tag=TAG,
            summary=f"Show a {kind}'s desk phone",
            handler=devices.desk_phone(kind),
            scope="directory:read",
            reply=wire.DeskPhoneOut,
            reply_description="The desk phone.",
        ),
        Operation(
            id=f"deskphones.{kind}s.delete",
            method="DELETE",
            path=path + "/{id:text}",
            tag=TAG,
            summary=f"Delete a {kind}'s desk phone",
            handler=devices.deleting_desk_phone(kind),
            scope="directory:write",
            reply=Done,
            reply_description="Nothing but that it is done.",
            refusals=(409, 412),
        ),
    ]
