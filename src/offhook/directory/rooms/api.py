"""The routes of rooms."""

from offhook.directory.paths import V2, ForceQuery
from offhook.directory.rooms import wire
from offhook.directory.rooms.service import Rooms
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Rooms"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    rooms = Rooms(work)
    one = "The room."
    return [
        Operation(
            id="rooms.list",
            method="GET",
            path=V2 + "/rooms",
            tag=TAG,
            summary="List rooms",
            description="The company's rooms, oldest first.",
            handler=rooms.page,
            scope="directory:read",
            query=wire.RoomListQuery,
            reply=wire.RoomPage,
            reply_description="A page of rooms.",
        ),
        Operation(
            id="rooms.post",
            method="POST",
            path=V2 + "/rooms",
            tag=TAG,
            summary="Create a room",
            description="A place with a telephone that is nobody's own. It costs nothing until it has a number.",
            handler=rooms.create,
            scope="directory:write",
            body=wire.RoomIn,
            reply=wire.RoomOut,
            reply_description=one,
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="rooms.get",
            method="GET",
            path=V2 + "/rooms/{id}",
            tag=TAG,
            summary="Show a room",
            handler=rooms.get,
            scope="directory:read",
            reply=wire.RoomOut,
            reply_description=one,
        ),
        Operation(
            id="rooms.patch",
            method="PATCH",
            path=V2 + "/rooms/{id}",
            tag=TAG,
            summary="Change a room",
            description="What is not sent stays as it is.",
            handler=rooms.change,
            scope="directory:write",
            body=wire.RoomPatch,
            reply=wire.RoomOut,
            reply_description=one,
            refusals=(409, 412),
        ),
        Operation(
            id="rooms.delete",
            method="DELETE",
            path=V2 + "/rooms/{id}",
            tag=TAG,
            summary="Delete a room",
            description="Refused while calls are sent to it, unless force is true: then they go to voicemail.",
            handler=rooms.delete,
            scope="directory:write",
            query=ForceQuery,
            reply=wire.RoomOut,
            reply_description="The room as it was, its state deleted.",
            refusals=(409, 412),
        ),
    ]
