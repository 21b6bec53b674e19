"""The telephones of all calls of this process, where one call's have to do with another's."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Protocol

from offhook.kit.errors import Unavailable
from offhook.routing.plan import First

if TYPE_CHECKING:
    from offhook.telephony.telephone import Telephone


class Calls(Protocol):
    """Those of calls/session.py."""

    async def begin(self, tenant_id: int, first: First, telephone: "Telephone") -> int:
        """A call begins."""

    async def over(self, id: int) -> None:
        """Wait until it is over."""


async def _nobody(_tenant_id: int, _who: str) -> tuple[str, str]:
    return "", ""


async def _no_reason(_tenant_id: int, _people: Collection[str]) -> str:
    return ""


class Exchange:
    """`shown` tells the number and name that others see of one within a company, `kept_out` why some of its people may
    not be connected with each other ("" if they may).
    """

    def __init__(
        self,
        calls: Calls | None = None,
        shown: Callable[[int, str], Awaitable[tuple[str, str]]] = _nobody,
        kept_out: Callable[[int, Collection[str]], Awaitable[str]] = _no_reason,
    ) -> None:
        self._calls = calls
        self.shown, self.kept_out = shown, kept_out
        self._telephones: dict[int, Telephone] = {}
        self._left = asyncio.Event()

    def enter(self, telephone: "Telephone") -> None:
        """A call goes on."""
        self._telephones[telephone.call_id] = telephone

    def leave(self, telephone: "Telephone") -> None:
        """It is over."""
        if self._telephones.get(telephone.call_id) is telephone:
            del self._telephones[telephone.call_id]
            self._left.set()

    @property
    def helping(self) -> int:
        """How many calls for help go on."""
        return sum(one.helping for one in self._telephones.values())

    async def helped(self) -> None:
        """Wait until no call for help goes on."""
        while self.helping:
            self._left.clear()
            await self._left.wait()

    def of_call(self, tenant_id: int, call_id: int) -> "Telephone | None":
        """A company's call; None if it is none of this process."""
        found = self._telephones.get(call_id)
        return found if found is not None and found.tenant_id == tenant_id else None

    def of_leg(self, tenant_id: int, leg: int) -> "Telephone | None":
        """The call of which a leg is the caller's, or that of who talks with the caller."""
        for one in self._telephones.values():
            other = one.talking
            if one.tenant_id == tenant_id and leg in (one.caller, other.leg if other is not None else 0):
                return one
        return None

    async def begin(self, first: First, telephone: "Telephone") -> int:
        """A call begins of legs that were in others before: its id. Unavailable as of `Calls`."""
        if self._calls is None:
            raise Unavailable("No call can begin here.")
        return await self._calls.begin(telephone.tenant_id, first, telephone)

    async def over(self, call_id: int) -> None:
        """Wait until a call is over."""
        if self._calls is not None:
            await self._calls.over(call_id)
