"""The routes of call routers."""

from offhook.access.doing import Done
from offhook.access.v2 import V2_OPERATIONS
from offhook.directory.callrouters import wire
from offhook.directory.callrouters.service import CallRouters
from offhook.directory.paths import V1, V2, ForceQuery
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Call routers"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    routers = CallRouters(work)
    one = "The call router."
    return [
        Operation(
            id="callrouters.list",
            method="GET",
            path=V2 + "/callrouters",
            tag=TAG,
            summary="List call routers",
            description="The company's call routers, oldest first.",
            handler=routers.page,
            scope="directory:read",
            query=wire.CallRouterListQuery,
            reply=wire.CallRouterPage,
            reply_description="A page of call routers.",
        ),
        Operation(
            id="callrouters.create",
            method="POST",
            path=V2 + "/callrouters",
            tag=TAG,
            summary="Create a call router",
            description=(
                "A line whose every call is decided by a web service of yours. The default target takes the calls "
                "while the router is not enabled or the service fails."
            ),
            handler=routers.create,
            scope="directory:write",
            body=wire.CallRouterIn,
            reply=wire.CallRouterOut,
            reply_description=one,
            creates=True,
            refusals=(409,),
            better="checks that the default target takes calls; warns of http, private addresses and loops",
        ),
        Operation(
            id="callrouters.get",
            method="GET",
            path=V2 + "/callrouters/{id}",
            tag=TAG,
            summary="Show a call router",
            handler=routers.get,
            scope="directory:read",
            reply=wire.CallRouterOut,
            reply_description=one,
            note="the secret is answered in clear, as v2 does, to the company's keys that may change routers and to "
            "admins; others and the event log get ***",
        ),
        Operation(
            id="callrouters.update",
            method="PATCH",
            path=V2 + "/callrouters/{id}",
            tag=TAG,
            summary="Change a call router",
            description=(
                "What is not sent stays as it is. enabled does not forget errors: only reset_error_count does. An "
                "empty secret ends signing."
            ),
            handler=routers.change,
            scope="directory:write",
            limit=V2_OPERATIONS["callrouters.update"].limit,
            body=wire.CallRouterPatch,
            reply=wire.CallRouterOut,
            reply_description=one,
            refusals=(409, 412),
            better="warns when errors still count against a router that is enabled again; resetting them has an event",
        ),
        Operation(
            id="callrouters.delete",
            method="DELETE",
            path=V2 + "/callrouters/{id}",
            tag=TAG,
            summary="Delete a call router",
            description=(
                "Its numbers are free again. Refused while calls are sent to it, unless force is true: then they go "
                "to voicemail."
            ),
            handler=routers.delete,
            scope="directory:write",
            query=ForceQuery,
            reply=Done,
            reply_description="An empty object.",
            refusals=(409, 412),
            better="is refused while calls are sent there",
            note="answers {}, so that clients that read every answer as JSON can",
        ),
        Operation(
            id="offhook.callrouters.get",
            method="GET",
            path=V1 + "/callrouters/{id}",
            tag=TAG,
            summary="Show a call router with its errors",
            description="How many errors of the last hour count towards disabling it, and when the last one was.",
            handler=routers.get_whole,
            scope="directory:read",
            reply=wire.CallRouterWhole,
            reply_description=one,
        ),
    ]
