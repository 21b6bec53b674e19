"""Why a call ended that its caller did not end, out of what the worker says of a leg. Pure."""

from offhook.telephony.port import CUT, DIED, Down

STOPPED = "the server stopped"
_THEIRS = {
    "sound stopped": "nothing was heard of the caller any more",
    "never acknowledged": "the caller never acknowledged the answer",
    "no sound agreed": "no way of sound was agreed on",
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
