"""Why a call ended that its caller did not end, by what the worker says of a leg, and what is told of faults. Pure."""

from offhook.routing import plan
from offhook.routing.plan import Event, Verb
from offhook.telephony.port import CUT, DIED, Down

STOPPED = "the server stopped"
OURS = "a fault of the server, of which its log tells"
_THEIRS = {
    "sound stopped": "nothing was heard of the caller any more",
    "never acknowledged": "the caller never acknowledged the answer",
    "no sound agreed": "no way of sound was agreed on",
    "gone": "the caller's telephone answered no question any more",
}


def cut_off(down: Down) -> tuple[str, bool]:
    """What cut the caller off, in words, and whether that is a fault of ours; ("", False) if they just left.

    To be asked of a leg that the server has not ended itself: then whatever ended it here is the worker's stopping.
    """
    if down.cause in (DIED, CUT):
        return down.cause, True
    if down.cause in _THEIRS:
        return _THEIRS[down.cause], False
    return (STOPPED if down.ours else "", False)


def fault(down: Down) -> str:
    """What of ours cut off somebody who was called, in words; "" if they left."""
    return down.cause if down.cause in (DIED, CUT) else ""


def failed(verb: Verb, at: int) -> Event | None:
    """What is told of a verb that failed by a fault of ours: what waits for an answer gets one, so that the call goes
    on to its end. None where nothing waits.
    """
    match verb:
        case plan.Gather():
            return plan.Pressed(at)
        case plan.Ring():
            return plan.NotAnswered(at, {leg.who: "unreachable" for leg in verb.legs})
        case plan.Transfer():
            return plan.NotAnswered(at, {verb.number: "unreachable"}, fault=OURS)
        case plan.Bridge():
            return plan.Ended(at, fault="the telephones could not be connected")
        case plan.HandOn():
            return plan.Ended(at, fault="the other side could not be sent on")
        case plan.Park():
            return plan.ParkOver(at)
        case plan.Voicemail():
            return plan.Recorded(at)
        case _:
            return None
