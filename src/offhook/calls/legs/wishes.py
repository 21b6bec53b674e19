"""What somebody at an API asks of a call under way. Pure.

The process that has the call carries it out. Hanging up is done by any telephone; whatever else there is, by one that
can: see `Able`.
"""

from typing import Protocol, runtime_checkable

import msgspec

from offhook.directory.lines.model import Target
from offhook.kit.errors import Conflict

UNREACHED = "No telephone of the user is registered, so there is nothing to ring."


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


class Place(msgspec.Struct, frozen=True, kw_only=True, tag="place", tag_field="do"):
    """Ring devices of a user ("user:1") for a call to a number; asked of no call, but of who has telephones."""

    who: str
    devices: tuple[str, ...]
    number: str


Wish = HangUp | TransferTo | Add | Unpark | Taping | Place


class Granted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a wish: done, or `refused` and why. `call_id` is a leg that was made for it."""

    refused: str = ""
    call_id: int = 0


OVER = Granted(refused="The call is over.")


@runtime_checkable
class Able(Protocol):
    """A call's telephone that can do more than verbs say. `Telephony`'s are such."""

    async def grant(self, wish: Wish) -> Granted:
        """Carry it out, or say why not."""


class Placing(Protocol):
    """Who places calls that nobody has dialled: it rings the user, and dials once they answer."""

    @property
    def here(self) -> bool:
        """Whether this process has telephones."""

    async def reached(self, tenant_id: int, devices: tuple[str, ...]) -> bool:
        """Whether any of the devices is registered now, with whatever process."""

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        """Ring devices of "user:1" for a call to `number`: the id of the call that will be; Conflict if none can be."""

    def rings(self, tenant_id: int, id: int) -> bool:
        """Whether a call of this process that was placed has not begun yet."""

    def give_up(self, tenant_id: int, id: int) -> bool:
        """Let one be given up that has not begun yet; False if there is none here."""


class Nowhere:
    """`Placing` of a process without telephones, of which nobody is told either."""

    here = False

    async def reached(self, tenant_id: int, devices: tuple[str, ...]) -> bool:
        """Nobody is."""
        return False

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        """It cannot."""
        raise Conflict(UNREACHED)

    def rings(self, tenant_id: int, id: int) -> bool:
        """None does."""
        return False

    def give_up(self, tenant_id: int, id: int) -> bool:
        """There is none."""
        return False
