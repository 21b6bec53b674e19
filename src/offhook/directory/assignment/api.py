"""The routes by which numbers are given, taken back and exchanged. One pair for each kind that can have numbers; v2
lacks some of them, which stand under /api/offhook/v1.
"""

from collections.abc import Mapping

from offhook.access.model import Environment
from offhook.access.v2 import V2_OPERATIONS
from offhook.directory.assignment import wire
from offhook.directory.assignment.service import NOUNS, Assignment
from offhook.directory.paths import V1, V2
from offhook.directory.work import Work
from offhook.kit.operation import Call, Operation, Reply
from offhook.numbers.carriers import Carrier
from offhook.numbers.wire import NumberOut

TAG = "Numbers"

# Kind, its path, and the v2 operations that give it a number and take one back; "" where v2 has none.
_PAIRS = (
    ("office", "offices", "numbers.assign_office_number.post", "numbers.office_unassign_number.post"),
    ("user", "users", "numbers.assign_user_number.post", "numbers.user_unassign_number.post"),
    ("room", "rooms", "numbers.assign_room_number.post", "numbers.room_unassign_number.post"),
    ("callrouter", "callrouters", "numbers.assign_call_router_number.post", ""),
    ("department", "departments", "", ""),
    ("callcenter", "callcenters", "", ""),
)
_ASSIGNED = "The number, and what has it now."
_FREE = "The number as it is now."
_HOW = (
    "The number that is named, or a free one of the area code, or any: from the pool of the office, else the "
    "company's, else from the carrier. Uses a line of the office's plan."
)
_BETTER = "safe to repeat with an Idempotency-Key; a dry run shows which number it would be"


def operations(work: Work, carriers: Mapping[Environment, Carrier]) -> list[Operation]:
    """The operations of this subject."""
    assignment = Assignment(work, carriers)
    return [
        Operation(
            id="numbers.assign_target_number.post",
            method="POST",
            path=V2 + "/numbers/assign",
            tag=TAG,
            summary="Assign any free number",
            description=_HOW,
            better=_BETTER,
            handler=assignment.assign_any,
            scope="numbers:write",
            limit=V2_OPERATIONS["numbers.assign_target_number.post"].limit,
            body=wire.AssignAnyIn,
            reply=NumberOut,
            reply_description=_ASSIGNED,
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="numbers.assign_number.post",
            method="POST",
            path=V2 + "/numbers/{number}/assign",
            tag=TAG,
            summary="Assign a number",
            description="Gives a free number of the company to a target. Uses a line of the office's plan.",
            better="a number that is taken is refused, and the refusal says by whom",
            handler=assignment.assign_number,
            scope="numbers:write",
            limit=V2_OPERATIONS["numbers.assign_number.post"].limit,
            body=wire.AssignTargetIn,
            reply=NumberOut,
            reply_description=_ASSIGNED,
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="numbers.swap_number.post",
            method="POST",
            path=V2 + "/numbers/swap",
            tag=TAG,
            summary="Swap a target's number",
            description="Exchanges a target's primary number for another; the old one goes back to its pool.",
            better=_BETTER,
            handler=assignment.swap,
            scope="numbers:write",
            limit=V2_OPERATIONS["numbers.swap_number.post"].limit,
            body=wire.SwapIn,
            reply=NumberOut,
            reply_description="The new number.",
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="numbers.delete",
            method="DELETE",
            path=V2 + "/numbers/{number}",
            tag=TAG,
            summary="Unassign a phone number",
            description=(
                "Takes a number from whatever has it, back to its pool. With release it leaves the inventory as well."
            ),
            note="a number is released only if that is asked for; then the answer is only that it is deleted",
            handler=assignment.delete,
            scope="numbers:write",
            limit=V2_OPERATIONS["numbers.delete"].limit,
            query=wire.DeleteQuery,
            reply=NumberOut,
            reply_description=_FREE,
        ),
        *(operation for pair in _PAIRS for operation in _pair(assignment, *pair)),
    ]


def _pair(assignment: Assignment, kind: str, path: str, assign: str, unassign: str) -> list[Operation]:
    async def give(call: Call) -> Reply:
        return await assignment.assign_to(call, kind)

    async def take_back(call: Call) -> Reply:
        return await assignment.unassign_from(call, kind)

    id = "{id:user}" if kind == "user" else "{id}"
    noun = f"an {NOUNS[kind]}" if kind == "office" else f"a {NOUNS[kind]}"
    return [
        Operation(
            id=assign or f"offhook.{path}.assign_number",
            method="POST",
            path=f"{V2 if assign else V1}/{path}/{id}/assign_number",
            tag=TAG,
            summary=f"Give {noun} a number",
            description=_HOW,
            better=_BETTER if assign else "",
            handler=give,
            scope="numbers:write",
            limit=V2_OPERATIONS[assign or "numbers.assign_office_number.post"].limit,
            body=wire.AssignIn,
            reply=NumberOut,
            reply_description=_ASSIGNED,
            creates=True,
            refusals=(409, 412),
        ),
        Operation(
            id=unassign or f"offhook.{path}.unassign_number",
            method="POST",
            path=f"{V2 if unassign else V1}/{path}/{id}/unassign_number",
            tag=TAG,
            summary=f"Take a number from {noun}",
            description="It goes back to the pool that it came from, and its line is free again.",
            note="there is always a pool: the number stays the company's and is answered as available"
            if unassign
            else "",
            handler=take_back,
            scope="numbers:write",
            limit=V2_OPERATIONS[unassign or "numbers.office_unassign_number.post"].limit,
            body=wire.UnassignIn,
            reply=NumberOut,
            reply_description=_FREE,
            refusals=(412,),
        ),
    ]
