"""The routes of users, their caller IDs and emergency addresses."""

from offhook.directory.e911 import E911In, E911Out
from offhook.directory.paths import V2, ForceQuery
from offhook.directory.users import wire
from offhook.directory.users.addresses import Addresses
from offhook.directory.users.callerids import CallerIds
from offhook.directory.users.finding import Finding
from offhook.directory.users.presence import Presence
from offhook.directory.users.service import Users
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Users"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    users, finding = Users(work), Finding(work)
    presence, caller_ids, addresses = Presence(work), CallerIds(work), Addresses(work)
    one = "The user as it is now."
    return [
        Operation(
            id="users.list",
            method="GET",
            path=V2 + "/users",
            tag=TAG,
            summary="List users",
            description="The company's users, oldest first; an e-mail address or a number finds at most one.",
            handler=finding.page,
            scope="directory:read",
            query=wire.UserListQuery,
            reply=wire.UserPage,
            reply_description="A page of users.",
            better="a cursor stays good for seven days; `email` finds secondary addresses too",
        ),
        Operation(
            id="users.create",
            method="POST",
            path=V2 + "/users",
            tag=TAG,
            summary="Create a user",
            description=(
                "A person with a telephone, on a free line of the office's plan: the kind that the licence needs. "
                "Without a free one it is refused, saying which kind and how to buy it."
            ),
            handler=users.create,
            check=users.check_new,
            scope="directory:write",
            body=wire.UserIn,
            reply=wire.UserOut,
            reply_description="The user, active at once.",
            creates=True,
            refusals=(409,),
            better="dry run and idempotency key; a refusal names who has the address, or which line is lacking",
        ),
        Operation(
            id="users.get",
            method="GET",
            path=V2 + "/users/{id:user}",
            tag=TAG,
            summary="Show a user",
            description="`me` is the user of a key that was made for one.",
            handler=users.get,
            scope="directory:read",
            reply=wire.UserOut,
            reply_description="The user.",
        ),
        Operation(
            id="users.update",
            method="PATCH",
            path=V2 + "/users/{id:user}",
            tag=TAG,
            summary="Change a user",
            description=(
                "What is not sent stays as it is. Suspending gives the licence's line back and keeps the numbers; "
                "activating takes a line again; another licence swaps it."
            ),
            handler=users.update,
            check=users.check_update,
            scope="directory:write",
            body=wire.UserPatch,
            reply=wire.UserOut,
            reply_description=one,
            refusals=(409, 412),
            better="all faults at once, `If-Match`, all in one transaction; extensions need no support ticket",
            note="`presence_status` is taken and ignored; `office_id` moves as move_office does",
        ),
        Operation(
            id="users.delete",
            method="DELETE",
            path=V2 + "/users/{id:user}",
            tag=TAG,
            summary="Delete a user",
            description=(
                "Their memberships and keys end, their numbers are free again, their lines are given back. Refused "
                "while calls are sent to them, unless force is true: then those go to voicemail."
            ),
            handler=users.delete,
            scope="directory:write",
            query=ForceQuery,
            reply=wire.UserOut,
            reply_description="The user as it was, its state deleted.",
            refusals=(409, 412),
            better="no line is left pointing at nobody",
        ),
        Operation(
            id="users.toggle_dnd",
            method="PATCH",
            path=V2 + "/users/{id:user}/togglednd",
            tag=TAG,
            summary="Switch do-not-disturb",
            description="For all calls, or with group_id and group_type for those of one group that they are in.",
            handler=presence.set_dnd,
            scope="directory:write",
            body=wire.DndIn,
            reply=wire.DndOut,
            reply_description="How it stands now.",
            refusals=(412,),
        ),
        Operation(
            id="users.update_status",
            method="PATCH",
            path=V2 + "/users/{id:user}/status",
            tag=TAG,
            summary="Set a user's status",
            description="What they are doing; with `expiration` it goes by itself after so many seconds.",
            handler=presence.set_status,
            scope="directory:write",
            body=wire.StatusIn,
            reply=wire.StatusOut,
            reply_description="The status.",
            refusals=(412,),
            note="`expiration` is in seconds from now",
        ),
        Operation(
            id="users.move_office.patch",
            method="PATCH",
            path=V2 + "/users/{id:user}/move_office",
            tag=TAG,
            summary="Move a user to another office",
            description=(
                "Takes lines of the new office's plan and gives those of the old one back; country and time zone "
                "follow. In another country all numbers but internal ones (803…) are unassigned, and a free one of "
                "that country is given if there is one."
            ),
            handler=users.move,
            scope="directory:write",
            body=wire.MoveIn,
            reply=wire.UserOut,
            reply_description=one,
            refusals=(409, 412),
        ),
        Operation(
            id="caller_id.users.get",
            method="GET",
            path=V2 + "/users/{id:user}/caller_id",
            tag=TAG,
            summary="Show a user's caller IDs",
            description="The number that their calls show, and those that they may choose.",
            handler=caller_ids.caller_id,
            scope="directory:read",
            reply=wire.CallerIdOut,
            reply_description="The choice and the choices.",
            note="the primary number, or else the office's main line, unless one was chosen",
        ),
        Operation(
            id="caller_id.users.post",
            method="POST",
            path=V2 + "/users/{id:user}/caller_id",
            tag=TAG,
            summary="Choose a user's caller ID",
            description="One of their numbers, of the office's main line or of a group that they are in; or `blocked`.",
            handler=caller_ids.set_caller_id,
            scope="directory:write",
            body=wire.CallerIdIn,
            reply=wire.CallerIdOut,
            reply_description="The choice and the choices.",
            refusals=(412,),
            better="a refusal lists the choices",
        ),
        Operation(
            id="users.personas.get",
            method="GET",
            path=V2 + "/users/{id:user}/personas",
            tag=TAG,
            summary="List a user's personas",
            description="Whom they can call as: themselves, and each group that they are in.",
            handler=caller_ids.personas,
            scope="directory:read",
            reply=wire.PersonaList,
            reply_description="The personas.",
        ),
        Operation(
            id="users.e911.get",
            method="GET",
            path=V2 + "/users/{id:user}/e911",
            tag=TAG,
            summary="Show a user's emergency address",
            description="Where help is sent for them: their own address, or else that of their office.",
            handler=addresses.address,
            scope="directory:read",
            reply=E911Out,
            reply_description="The address.",
            note="the office's address while the user has none of their own",
        ),
        Operation(
            id="users.e911.update",
            method="PUT",
            path=V2 + "/users/{id:user}/e911",
            tag=TAG,
            summary="Set a user's emergency address",
            description="Checked by the rules of the office's country, in which it must lie; no PO box.",
            handler=addresses.set_address,
            check=addresses.check_address,
            scope="directory:write",
            body=E911In,
            reply=E911Out,
            reply_description="The address as kept.",
            refusals=(412,),
            better="checked by the country's rules, PO boxes refused, `If-Match`",
        ),
    ]
