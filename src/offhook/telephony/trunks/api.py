"""The routes of trunks."""

from offhook.access.doing import Done
from offhook.directory.paths import V1
from offhook.kit.operation import Operation
from offhook.telephony.trunks import wire
from offhook.telephony.trunks.service import Trunks

TAG = "Trunks"
PATH = f"{V1}/trunks"
READ, WRITE = "trunks:read", "trunks:write"


def operations(trunks: Trunks) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.trunks.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List trunks",
            description="Carriers, oldest first. What is secret is not shown.",
            handler=trunks.page,
            scope=READ,
            query=wire.TrunkQuery,
            reply=wire.TrunkPage,
            reply_description="A page of trunks.",
            note="carriers",
        ),
        Operation(
            id="offhook.trunks.create",
            method="POST",
            path=PATH,
            tag=TAG,
            summary="Connect a carrier",
            description="Calls come in from its addresses. None go out unless a proxy and prefixes say which.",
            handler=trunks.create,
            scope=WRITE,
            body=wire.TrunkIn,
            reply=wire.TrunkOut,
            reply_description="The trunk, without its passwords.",
            creates=True,
            refusals=(409,),
            note="no calls go out unless `prefixes` name their numbers",
        ),
        Operation(
            id="offhook.trunks.get",
            method="GET",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Show a trunk",
            description="Without its passwords.",
            handler=trunks.get,
            scope=READ,
            reply=wire.TrunkOut,
            reply_description="The trunk.",
            note="`ETag`",
        ),
        Operation(
            id="offhook.trunks.update",
            method="PATCH",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Change a trunk",
            description="What is left out stays; an empty text or list takes away. With another proxy or domain the "
            "password for it must be sent again.",
            handler=trunks.update,
            scope=WRITE,
            body=wire.TrunkPatch,
            reply=wire.TrunkOut,
            reply_description="The trunk as it is now.",
            refusals=(409, 412),
            note="`If-Match`; a password stays where it was entered for",
        ),
        Operation(
            id="offhook.trunks.delete",
            method="DELETE",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Delete a trunk",
            description="No calls come or go by it any more; those that are under way go on.",
            handler=trunks.delete,
            scope=WRITE,
            reply=Done,
            reply_description="An empty object.",
            refusals=(412,),
            note="nothing secret stays in the store",
        ),
    ]
