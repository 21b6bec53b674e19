"""The routes of operators: of offices, departments and call centers, and their duty and skill."""

from typing import Any

from offhook.access.v2 import V2_OPERATIONS
from offhook.directory.operators import wire
from offhook.directory.operators.service import NOUNS, Operators
from offhook.directory.operators.store import GroupType
from offhook.directory.paths import V2
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Operators"
_PATHS: dict[GroupType, str] = {"office": "offices", "department": "departments", "callcenter": "callcenters"}


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    operators = Operators(work)
    return [
        *(operation for kind in _PATHS for operation in _of(operators, kind)),
        Operation(
            id="callcenters.operators.get.dutystatus",
            method="GET",
            path=V2 + "/callcenters/operators/{id}/dutystatus",
            tag=TAG,
            summary="Show an operator's duty status",
            handler=operators.duty,
            scope="directory:read",
            limit=_limit("callcenters.operators.get.dutystatus"),
            reply=wire.DutyOut,
            reply_description="Whether the user is on duty, and since when.",
            note="any user has one, operator or not; busy and wrap-up do not occur until calls exist",
        ),
        Operation(
            id="callcenters.operators.dutystatus",
            method="PATCH",
            path=V2 + "/callcenters/operators/{id}/dutystatus",
            tag=TAG,
            summary="Set an operator's duty status",
            description="Off duty, no group rings the user. The reason is one of the office's off-duty reasons.",
            handler=operators.change_duty,
            scope="directory:write",
            limit=_limit("callcenters.operators.dutystatus"),
            body=wire.DutyIn,
            reply=wire.DutyOut,
            reply_description="The status as it is now.",
            refusals=(412,),
            better="a reason that is none of the office's is refused, naming those that are",
        ),
        Operation(
            id="callcenters.operators.get.skilllevel",
            method="GET",
            path=V2 + "/callcenters/{call_center_id}/operators/{user_id}/skill",
            tag=TAG,
            summary="Show an operator's skill level",
            handler=operators.skill,
            scope="directory:read",
            limit=_limit("callcenters.operators.get.skilllevel"),
            reply=wire.SkillOut,
            reply_description="The skill level.",
        ),
        Operation(
            id="callcenters.operators.skilllevel",
            method="PATCH",
            path=V2 + "/callcenters/{call_center_id}/operators/{user_id}/skill",
            tag=TAG,
            summary="Set an operator's skill level",
            description="From 0 to 100. It counts where the most skilled operators are rung first.",
            handler=operators.change_skill,
            scope="directory:write",
            limit=_limit("callcenters.operators.skilllevel"),
            body=wire.SkillIn,
            reply=wire.SkillOut,
            reply_description="The skill level as it is now.",
        ),
    ]


def _limit(id: str) -> Any:
    return V2_OPERATIONS[id].limit


def _of(operators: Operators, kind: GroupType) -> list[Operation]:
    """The operations on the operators of one kind of group."""
    path, noun, agents = _PATHS[kind], NOUNS[kind], kind == "callcenter"
    who = "a user" if agents else "a user or a room"
    a_noun = f"an {noun}" if kind == "office" else f"a {noun}"
    licence = (
        " A user without an agent's licence is given one, which takes a free line of the user's office."
        if agents
        else ""
    )
    return [
        Operation(
            id=f"{path}.operators.get",
            method="GET",
            path=f"{V2}/{path}/{{id}}/operators",
            tag=TAG,
            summary=f"List {a_noun}'s operators",
            description="All of them, users and rooms, each in the order of joining: the order in which fixedorder "
            "and roundrobin ring.",
            handler=operators.listing(kind),
            scope="directory:read",
            limit=_limit(f"{path}.operators.get"),
            reply=wire.OperatorsOut,
            reply_description="The operators; a list without any is left out.",
        ),
        Operation(
            id=f"{path}.operators.post",
            method="POST",
            path=f"{V2}/{path}/{{id}}/operators",
            tag=TAG,
            summary=f"Add {'an operator to ' + a_noun}",
            description=f"Makes {who} answer for the {noun}, behind those who joined before.{licence}",
            handler=operators.adding(kind),
            scope="directory:write",
            limit=_limit(f"{path}.operators.post"),
            body=wire.AgentIn if agents else wire.OperatorIn,
            reply=wire.UserOrRoomOut,
            reply_description="Who was added.",
            creates=True,
            refusals=(409,),
            better="one who is there already, suspended or unknown is refused with the reason",
            note="leaving a call center does not take the licence back: PATCH the user" if agents else "",
        ),
        Operation(
            id=f"{path}.operators.delete",
            method="DELETE",
            path=f"{V2}/{path}/{{id}}/operators",
            tag=TAG,
            summary=f"Remove {'an operator from ' + a_noun}",
            description=f"The {noun} no longer rings this one. The body says who.",
            handler=operators.removing(kind),
            scope="directory:write",
            limit=_limit(f"{path}.operators.delete"),
            body=wire.AgentRef if agents else wire.OperatorRef,
            reply=wire.UserOrRoomOut,
            reply_description="Who was removed.",
        ),
    ]
