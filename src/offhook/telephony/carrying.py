"""A number outside, called by one carrier behind the other until one takes the call.

RFC 3261 section 21.5.4 and RFC 3263 section 4.3: a carrier that fails, or of which nothing is heard, is no answer of
the number's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from offhook.telephony import port

if TYPE_CHECKING:
    from offhook.telephony.house import Other, Way, Ways

FAILED = (408, 500, 502, 503, 504)
"""What a carrier says that cannot do it; 408 of one that says nothing."""

PATIENCE, PATIENCE_FOR_HELP = 5.0, 3.0
"""Seconds in which anything must be heard of a carrier before the next one is called, if there is one.

By then the INVITE was sent four times, or three (RFC 3261 section 17.1.1.2); without another carrier it goes on for 32.
"""

log = structlog.get_logger("offhook.telephony")


class Carried:
    """One number, and the carriers that were tried. `call` calls it by a way."""

    def __init__(
        self,
        ways: "Ways",
        tenant_id: int,
        number: str,
        call: "Callable[[Way], Other]",
        *,
        call_id: int = 0,
        emergency: bool = False,
    ) -> None:
        self._ways, self._tenant_id, self._number, self._call = ways, tenant_id, number, call
        self._call_id, self._emergency = call_id, emergency
        self._tried: list[int] = []

    async def way(self) -> "Way | None":
        """By the next carrier that is not tried yet; None if there is none."""
        return await self._ways.of_number(
            self._tenant_id, self._number, emergency=self._emergency, but=tuple(self._tried)
        )

    async def way_if_any(self) -> "Way | None":
        """The same; None also where it cannot be looked for, which ends nothing that goes on besides."""
        try:
            return await self.way()
        except Exception as fault:
            log.error("carriers_not_read", call_id=self._call_id, cause=str(fault))
            return None

    def call(self, way: "Way") -> "Other":
        """Call it by that carrier."""
        self._tried.append(way.trunk)
        made = self._call(way)
        made.carried = self
        return made

    def failed(self, down: port.Down) -> bool:
        """Whether to go on to the next: what the number itself answered is asked of no other, but for help."""
        if not (self._emergency or down.code in FAILED):
            return False
        log.warning("carrier_failed", call_id=self._call_id, trunk=self._tried[-1], code=down.code)
        return True

    def silent(self) -> None:
        """Note that nothing was heard of the carrier."""
        log.warning("carrier_silent", call_id=self._call_id, trunk=self._tried[-1])
