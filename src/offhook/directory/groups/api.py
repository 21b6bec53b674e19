"""The routes of departments and call centers: the same ones twice, and how a call center stands."""

from typing import Any

import msgspec

from offhook.access.v2 import V2_OPERATIONS
from offhook.directory import hands, scripts
from offhook.directory.groups import wire
from offhook.directory.groups.service import CALLCENTER_SIDE, DEPARTMENT_SIDE, Groups, status_of
from offhook.directory.paths import V2, ForceQuery
from offhook.directory.work import Work
from offhook.kit.operation import Operation

DEPARTMENTS_TAG, CALLCENTERS_TAG = "Departments", "Call centers"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    return [
        *_alike(
            Groups(work, DEPARTMENT_SIDE),
            path="departments",
            noun="department",
            tag=DEPARTMENTS_TAG,
            about="A line of an office that rings its own operators, by hours and routing of its own.",
            made=wire.DepartmentIn,
            changed=wire.DepartmentPatch,
            shown=wire.DepartmentOut,
            page=wire.DepartmentPage,
        ),
        *_alike(
            Groups(work, CALLCENTER_SIDE),
            path="callcenters",
            noun="call center",
            tag=CALLCENTERS_TAG,
            about="A line with agents, skills and a queue, by hours and routing of its own.",
            made=wire.CallCenterIn,
            changed=wire.CallCenterPatch,
            shown=wire.CallCenterOut,
            page=wire.CallCenterPage,
        ),
        Operation(
            id="callcenters.status",
            method="GET",
            path=V2 + "/callcenters/{id}/status",
            tag=CALLCENTERS_TAG,
            summary="Show a call center's status",
            description="Whether it takes calls, and how many operators could take one.",
            handler=status_of(work),
            scope="directory:read",
            limit=V2_OPERATIONS["callcenters.status"].limit,
            reply=wire.CallCenterStatusOut,
            reply_description="How it stands now.",
            note="pending and longest_call_wait_time stay 0 until calls exist; "
            "capacity counts operators on duty outside do-not-disturb",
        ),
    ]


def _additions(groups: Groups[Any], path: str, noun: str) -> list[Operation]:
    kind = groups.kind
    scopes = ("directory:read", "directory:write")
    side = hands.Side(path, noun, path, scopes, kind.opened, kind.closed, kind.lifted, groups.hand, groups.change_hand)
    handed = scripts.Side(path, noun, scopes, kind.attached, kind.detached, groups.script, groups.change_script)
    return [*hands.operations(side), *scripts.operations(handed)]


def _alike(
    groups: Groups[Any],
    *,
    path: str,
    noun: str,
    tag: str,
    about: str,
    made: type[msgspec.Struct],
    changed: type[msgspec.Struct],
    shown: type[msgspec.Struct],
    page: type[msgspec.Struct],
) -> list[Operation]:
    """The operations that both kinds have."""
    one = f"The {noun}."

    def limit(verb: str) -> Any:
        return V2_OPERATIONS[f"{path}.{verb}"].limit

    return [
        Operation(
            id=f"{path}.listall",
            method="GET",
            path=f"{V2}/{path}",
            tag=tag,
            summary=f"List {noun}s",
            description=f"The company's {noun}s, oldest first; of one office or by a part of the name, if asked.",
            handler=groups.page,
            scope="directory:read",
            limit=limit("listall"),
            query=wire.GroupListQuery,
            reply=page,
            reply_description=f"A page of {noun}s.",
            better="office_id and name_search filter for sure, and are bound into the cursor",
        ),
        Operation(
            id=f"{path}.list",
            method="GET",
            path=f"{V2}/offices/{{office_id}}/{path}",
            tag=tag,
            summary=f"List an office's {noun}s",
            description=f"The {noun}s of one office, oldest first.",
            handler=groups.page_of_office,
            scope="directory:read",
            limit=limit("list"),
            query=wire.OfficeGroupsQuery,
            reply=page,
            reply_description=f"A page of {noun}s.",
        ),
        Operation(
            id=f"{path}.create",
            method="POST",
            path=f"{V2}/{path}",
            tag=tag,
            summary=f"Create a {noun}",
            description=about + " Zone and country are its office's. Whatever its routing calls must be there.",
            handler=groups.create,
            check=groups.check,
            scope="directory:write",
            limit=limit("create"),
            body=made,
            reply=shown,
            reply_description=one,
            creates=True,
            refusals=(409,),
            better="hours, routing and menu under the rules of an office, all faults at once, loops warned of",
            note="holidays and overrides of the office count for a group that keeps hours; keeps_office_days, an "
            "additive field, says otherwise",
        ),
        Operation(
            id=f"{path}.get",
            method="GET",
            path=f"{V2}/{path}/{{id}}",
            tag=tag,
            summary=f"Show a {noun}",
            description="With its availability as of now.",
            handler=groups.get,
            scope="directory:read",
            limit=limit("get"),
            reply=shown,
            reply_description=one,
        ),
        Operation(
            id=f"{path}.update",
            method="PATCH",
            path=f"{V2}/{path}/{{id}}",
            tag=tag,
            summary=f"Change a {noun}",
            description="What is not sent stays as it is, parts of the queue and of the settings too; routing_options "
            "are replaced as a whole.",
            handler=groups.change,
            check=groups.check,
            scope="directory:write",
            limit=limit("update"),
            body=changed,
            reply=shown,
            reply_description=one,
            refusals=(409, 412),
            better="If-Match refuses a change of what somebody else changed since",
        ),
        Operation(
            id=f"{path}.delete",
            method="DELETE",
            path=f"{V2}/{path}/{{id}}",
            tag=tag,
            summary=f"Delete a {noun}",
            description="Its operators leave it and its numbers are free again. Refused while calls are sent to it, "
            "unless force is true: then they go to voicemail.",
            handler=groups.delete,
            scope="directory:write",
            limit=limit("delete"),
            query=ForceQuery,
            reply=shown,
            reply_description=f"The {noun} as it was, its state deleted.",
            refusals=(409, 412),
            better="nothing is deleted from under a caller: 409 names what sends calls there",
        ),
        *_additions(groups, path, noun),
    ]
