"""What is not done to a call for help because somebody at an API or a page wishes it. Pure.

It is ended by who made it or by who took it, and by nobody else; a key is no reason to take help from anybody. What was
wished is told to the call all the same, so that it stands in its trace.
"""

from typing import Literal

from offhook.calls.legs.wishes import Add, TransferTo, Unpark, Wish
from offhook.routing.plan import Event, HungUp, Invited, Parked, Transferred, Unparked
from offhook.routing.state import CallState

WHY = "It is a call for help: it goes on until who made it or who took it hangs up, and with nobody else."

MOST = 50
"""Wishes that are told to one call; a key that goes on wishing fills no disk with it."""


def guarded(state: CallState) -> bool:
    """Whether a call is one for help, and no test of what that would say."""
    return state.helping and not state.trial


def emergency(state: CallState) -> Literal["call", "test"] | None:
    """What a call is that is told to people: one for help, which they cannot end, or a test of one; None for others."""
    return "test" if state.trial else "call" if state.helping else None


def wished(wish: Wish, at: int) -> Event:
    """A wish as a call is told of it. Of recording it is not told: that changes nothing of who is in it."""
    match wish:
        case TransferTo(state="parked"):
            return Parked(at)
        case TransferTo():
            return Transferred(at, wish.by, wish.number, wish.target, asked=True)
        case Add():
            return Invited(at, wish.number, wish.target)
        case Unpark():
            return Unparked(at, f"user:{wish.user_id}")
        case _:
            return HungUp(at, ours=True)
