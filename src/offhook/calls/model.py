"""A call as it is kept: where it stands, and every step that brought it there. Pure."""

from typing import Protocol, runtime_checkable

import msgspec

from offhook.routing.plan import Verb
from offhook.routing.state import CallState


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a company's environment. Moments are milliseconds since 1970 UTC; `ended` is 0 while it lasts."""

    id: int
    tenant_id: int
    began: int
    ended: int
    outcome: str
    caller: str
    dialled: str
    state: CallState


class Telephone(Protocol):
    """What carries out verbs for one call; what comes of them it tells `Calls.happened`.

    Verbs that are given while others are under way take their place, but every Answer and Play that was given before
    comes first; only the Transfer of an emergency call, and a Hangup for another cause than `normal`, wait for nothing.
    Release, Ask and Notify are no telephone's business, so it is never given them. Of a Reserve it does what the caller
    notices: `hear`, and `keys` that it tells as Pressed; the rest, and the answer, is for others.
    """

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        """Begin with `verbs`, and return at once.

        Only the first time they may be none: the call has begun, and its caller may leave while a service is asked.
        """


@runtime_checkable
class Paces(Protocol):
    """A telephone that says how far it is. `Telephony`'s are such."""

    @property
    def tells(self) -> bool:
        """Whether an Answer or a Play is under way, or is to come before what is given now."""

    async def comes_to(self, verb: Verb) -> None:
        """Wait until a verb that it was given is carried out, with what stands before it behind it.

        It returns never if others take its place.
        """


@runtime_checkable
class Ends(Protocol):
    """A telephone that knows what is still to be told before its call is over. `Telephony`'s are such."""

    def hang_up(self) -> bool:
        """End the call for somebody who is not in it, and tell HungUp in its time; False if that is left to others."""
