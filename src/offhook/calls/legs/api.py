"""v2's routes of calls."""

from typing import Any

from offhook.access.v2 import V2_OPERATIONS
from offhook.calls.legs import wire
from offhook.calls.legs.service import Legs
from offhook.kit.operation import Operation

TAG = "Calls"
READ, WRITE = "calls:read", "calls:write"
_ELSEWHERE = "Also where another process of the server has the call."


def operations(legs: Legs) -> list[Operation]:
    """The operations of this subject."""
    return [
        _operation(
            "call.list",
            summary="List calls that are over",
            description="The latest first, a leg each: one for what was dialled, one for each who was rung.",
            better="a leg says why it ended and which telephone took it; filters are bound into the cursor",
            handler=legs.page,
            scope=READ,
            query=wire.CallListQuery,
            reply=wire.CallInfoPage,
            reply_description="A page of legs.",
        ),
        _operation(
            "call.get_call_info",
            summary="Show a call",
            description="Under way or over. entry_point_call_id is the leg of what was dialled.",
            better="says why it ended and which telephone took it",
            note="of the states only calling, ringing, connected, parked, voicemail, missed and hangup occur",
            handler=legs.get,
            scope=READ,
            reply=wire.CallInfoOut,
            reply_description="The leg.",
        ),
        _operation(
            "call.actions.hangup",
            summary="Hang up a call",
            description=f"All legs of it end. {_ELSEWHERE}",
            note="answers {}, so that clients that read every answer as JSON can; who only rings is not hung up alone, "
            "and a call for help not at all (409)",
            handler=legs.hang_up,
            scope=WRITE,
            reply=wire.Nothing,
            reply_description="It is over.",
            refusals=(409,),
        ),
        _operation(
            "call.transfer_call",
            summary="Transfer a call",
            description="The other side of the leg goes to a number or a target, or is connected with that of another "
            f"call of the same person; parked without `to`, it waits until somebody takes it off. {_ELSEWHERE}",
            note="refused with 409 where it may not go, and of a call for help; hold: music while it rings; parked "
            "calls come back after 300 s",
            handler=legs.transfer,
            scope=WRITE,
            body=wire.TransferIn,
            reply=wire.TransferredOut,
            reply_description="Where it went.",
            refusals=(409,),
        ),
        _operation(
            "call.participants.add",
            summary="Add someone to a call",
            description=f"A number or a target, rung while the others talk on. Up to 10 hear each other. {_ELSEWHERE}",
            note="refused with 409 where nobody talks, where nobody is free to be rung, and of a call for help",
            handler=legs.add,
            scope=WRITE,
            body=wire.ParticipantIn,
            reply=wire.RingOut,
            reply_description="The leg that was made.",
            refusals=(409,),
        ),
        _operation(
            "call.unpark",
            summary="Take a call off park",
            description=f"The user is rung and has the call; if nobody answers it stays on park. {_ELSEWHERE}",
            note="refused with 409 where the call is not on park, or the user has no telephone",
            handler=legs.unpark,
            scope=WRITE,
            body=wire.UnparkIn,
            reply=wire.RingOut,
            reply_description="The leg that was made.",
            refusals=(409,),
        ),
        _operation(
            "call.call",
            summary="Start a call",
            description="Rings the user, and dials the number once they answer. "
            "Also where another process of the server has the telephones.",
            note="answers at once; the call can be hung up from then on, and read from when the user answers; "
            "custom_data is not kept",
            handler=legs.ring,
            scope=WRITE,
            body=wire.RingIn,
            reply=wire.RingOut,
            reply_description="The call that is made.",
            refusals=(404, 409),
        ),
        _operation(
            "users.update_active_call",
            summary="Switch recording of a call",
            description=f"Of the call that the user is in. {_ELSEWHERE}",
            note="a call has one recording; no message is played",
            handler=legs.record,
            scope=WRITE,
            body=wire.ActiveCallIn,
            reply=wire.ActiveCallOut,
            reply_description="The call.",
            refusals=(409,),
        ),
    ]


def _operation(id: str, **more: Any) -> Operation:
    known = V2_OPERATIONS[id]
    return Operation(id=id, method=known.method, path=known.path, tag=TAG, limit=known.limit, **more)
