"""How each telephone of a call ended, in words: by what it told itself, and by the leg that it belongs to. Pure.

A person may have several telephones, and be in a call several times: what became of one is not what became of another.
"""

from collections.abc import Sequence

from offhook.calls import words
from offhook.calls.legs.model import CallLeg
from offhook.calls.wires.model import WENT_ON, Wire

NEAR_MS = 2_000
"""Within which the moments of a telephone, and those of the call that go with them, are the same."""

_SENT_ON = ("parked", "transferred")
"""What somebody did who left others in the call, whichever side ended their telephone."""

_HUNG_UP_ON = ("caller_left", "ended", "lost")
"""Why a telephone was hung up on that had not hung up itself."""

_NOT_TAKEN = ("caller_left", "ended", "lost", "no_answer", "transferred")
"""Why one rang no more that had not said anything of it."""


def ended(wire: Wire, wires: Sequence[Wire], legs: Sequence[CallLeg]) -> str:
    """How a telephone's part ended, "" while it goes on. `wires` are all of the call, `legs` those of its party."""
    leg = _leg(wire, legs)
    cause = leg.cause if leg is not None else ""
    if not wire.ended:
        return ""
    if not wire.who:
        # Of a talk the leg knows that it was, and the telephone who ended it.
        by_leg = cause and cause != "answered" and wire.cause != WENT_ON
        return _of(cause if by_leg else wire.cause)
    if wire.up and cause in _SENT_ON:
        return _of(cause)
    if wire.cause == "ended":
        return _of(cause if cause in _HUNG_UP_ON else "ended")
    if wire.cause == "cancelled":
        elsewhere = any(other.who and other.up and abs(other.up - wire.ended) <= NEAR_MS for other in wires)
        if elsewhere or cause == "elsewhere":
            return _of("elsewhere")
        return _of(cause if cause in _NOT_TAKEN else "cancelled")
    return _of(wire.cause)


def _leg(wire: Wire, legs: Sequence[CallLeg]) -> CallLeg | None:
    """The leg for which it was dialled: the last that had begun by then."""
    begun = [leg for leg in legs if leg.began <= wire.began + NEAR_MS]
    return max(begun, key=lambda leg: leg.began, default=legs[0] if legs else None)


def _of(cause: str) -> str:
    return words.of(words.CAUSES, cause) if cause else ""
