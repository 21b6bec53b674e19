"""What somebody at an API asks of a call under way. Pure.

The process that has the call carries it out. Hanging up is done by any telephone; whatever else there is, by one that
can: see `Able`.
"""

from typing import Protocol, runtime_checkable

import msgspec

from offhook.directory.lines.model import Target


class HangUp(msgspec.Struct, frozen=True, tag="hang_up", tag_field="do"):
    """End the call."""


class TransferTo(msgspec.Struct, frozen=True, kw_only=True, tag="transfer", tag_field="do"):
    """Send the other side of the leg `leg_id` to a number, a target, or another call, there in a `state` of v2's.

    `by` is who is on that leg ("user:1"), "" for whoever the caller talks with.
    """

    leg_id: int
    by: str = ""
    number: str = ""
    target: Target | None = None
    call_id: int = 0
    state: str = ""


class Add(msgspec.Struct, frozen=True, kw_only=True, tag="add", tag_field="do"):
    """Bring a number or a target into the call."""

    number: str = ""
    target: Target | None = None


class Unpark(msgspec.Struct, frozen=True, kw_only=True, tag="unpark", tag_field="do"):
    """Let a user take the call off park."""

    user_id: int


class Taping(msgspec.Struct, frozen=True, kw_only=True, tag="taping", tag_field="do"):
    """Record the call from here on, or no longer."""

    on: bool


Wish = HangUp | TransferTo | Add | Unpark | Taping


class Granted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a wish: done, or `refused` and why. `call_id` is a leg that was made for it."""

    refused: str = ""
    call_id: int = 0


@runtime_checkable
class Able(Protocol):
    """A call's telephone that can do more than verbs say. `Telephony`'s are such."""

    async def grant(self, wish: Wish) -> Granted:
        """Carry it out, or say why not."""


class Placing(Protocol):
    """Who places calls that nobody has dialled: it rings the user, and dials once they answer."""

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        """Ring devices of "user:1" for a call to `number`: the id of the call that will be; Conflict if none can be."""
