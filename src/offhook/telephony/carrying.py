"""A number outside, called by one carrier behind the other until one takes the call.

RFC 3261 section 21.5.4 and RFC 3263 section 4.3: a carrier that fails, or of which nothing is heard, is no answer of
the number's. A call for help goes on beyond that, whatever is answered, and where it must without the address.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from offhook.telephony import port
from offhook.telephony.causes import OURS

if TYPE_CHECKING:
    from offhook.telephony.house import Other, Way, Ways

OF_THE_NUMBER = frozenset({404, 410, 480, 484, 485, 486, 487, 600, 603, 604, 607, 608})
"""What is said of the number, or by who has it (RFC 3398 section 7.2.4.1: causes 1, 16 to 19, 22 and 28 of Q.850), so
that it is asked of no other carrier, and who calls is answered the same. All else is the carrier's own trouble."""

NOT_TAKEN = frozenset({400, 406, 413, 415, 420, 424, 488, 493, 500, 501, 513, 606})
"""What a carrier may say that cannot read a call with a location: 424 says just that (RFC 6442 section 4.3), the others
that it cannot read the body at all."""

PATIENCE, PATIENCE_FOR_HELP = 5.0, 3.0
"""Seconds in which anything must be heard of a carrier before the next one is called, if there is one.

By then the INVITE was sent four times, or three (RFC 3261 section 17.1.1.2); without another carrier it goes on for 32.
"""

TRYING_FOR_HELP = 6.0
"""Seconds in which a carrier must say more of a call for help than that it tries (100), if there is another one.

Until help rings takes some seconds also where all is well; longer than this, a carrier is likely to know no way.
"""

log = structlog.get_logger("offhook.telephony")


def _nobody(_code: int, _location: bool, _carrier: str) -> None:
    """Told of carriers that failed, where nobody asks."""


class Carried:
    """One number, and the carriers that were tried. `call` calls it by a way, `bare` the same without what goes along.

    `told` hears of each that did not take it: what it answered (0: nothing), whether it is called without, its name.
    """

    def __init__(
        self,
        ways: "Ways",
        tenant_id: int,
        number: str,
        call: "Callable[[Way], Other]",
        *,
        call_id: int = 0,
        emergency: bool = False,
        bare: "Callable[[Way], Other] | None" = None,
        told: Callable[[int, bool, str], None] = _nobody,
    ) -> None:
        self._ways, self._tenant_id, self._number, self._call = ways, tenant_id, number, call
        self._call_id, self._emergency, self._bare, self._told = call_id, emergency, bare, told
        self._tried: list[int] = []
        self._slow: list[int] = []
        """Those that were let go as nothing was heard of them: of help, better called again than nobody."""
        self._last: Way | None = None
        self._again = False
        """Whether the last one is to be called once more, without what went along."""
        self._without: set[int] = set()
        self.answer = 0
        """What the number itself answered last; 0 if it has not."""
        self.fault = ""
        """Why nobody was called, where there is no carrier."""

    @property
    def carrier(self) -> str:
        """The name of the carrier that is called, or was last."""
        return self._last.carrier if self._last is not None else ""

    async def first(self) -> "Way | None":
        """By the first carrier; where there is none, `fault` and the log say why.

        Where carriers cannot be read it raises, but for help, for which there is none then.
        """
        try:
            if (way := await self.way()) is not None:
                return way
            self.fault = await self._ways.why_not(self._tenant_id, self._number, emergency=self._emergency)
        except Exception as fault:
            if not self._emergency:
                raise
            log.exception("carriers_not_read", call_id=self._call_id)
            self.fault = f"the carriers for it could not be read ({str(fault).removesuffix('.') or OURS})"
        if self._emergency:
            log.error("help_not_called", call_id=self._call_id, tenant_id=self._tenant_id, number=self._number,
                      cause=self.fault, mend="connect a trunk that takes calls for help")  # fmt: skip
        else:
            log.warning("number_not_called", call_id=self._call_id, tenant_id=self._tenant_id, number=self._number,
                        cause=self.fault)  # fmt: skip
        return None

    async def way(self, *, failed: bool = False) -> "Way | None":
        """By the next carrier that is not tried yet; None if there is none. `failed`: the last one is gone."""
        if self._again:
            return self._last
        found = await self._next()
        if found is None and failed and self._emergency and self._slow:
            self._tried = [trunk for trunk in self._tried if trunk not in self._slow]
            self._slow = []
            found = await self._next()
        return found

    async def _next(self) -> "Way | None":
        return await self._ways.of_number(
            self._tenant_id, self._number, emergency=self._emergency, but=tuple(self._tried)
        )

    async def way_if_any(self, *, failed: bool = False) -> "Way | None":
        """The same; None also where it cannot be looked for, which ends nothing that goes on besides."""
        try:
            return await (self.first() if self._last is None else self.way(failed=failed))
        except Exception as fault:
            log.error("carriers_not_read", call_id=self._call_id, cause=str(fault))
            return None

    def following(self, found: "Way | None") -> "Way | None":
        """By which way to go on, of what was found: the last one again, where it is called without what went along."""
        return self._last if self._again else found

    def call(self, way: "Way") -> "Other":
        """Call it by that carrier."""
        bare = self._bare if self._again and way is self._last else None
        self._last, self._again = way, False
        self._tried.append(way.trunk)
        if bare is not None:
            self._without.add(way.trunk)
        made = (bare or self._call)(way)
        made.carried = self
        return made

    def failed(self, down: port.Down) -> bool:
        """Whether to go on to the next: what the number itself answered is asked of no other, but for help."""
        trunk = self._tried[-1]
        if down.code in OF_THE_NUMBER:
            # 487 is said to who has given up, and who calls has not.
            self.answer = down.code if down.code != 487 else 0
            if not self._emergency:
                return False
        else:
            self.answer = 0
        self._again = self._bare is not None and down.code in NOT_TAKEN and trunk not in self._without
        if self._again:
            log.error("location_not_taken", call_id=self._call_id, trunk=trunk, code=down.code,
                      mend="the call for help goes on without: have the carrier take locations")  # fmt: skip
        else:
            log.warning("carrier_failed", call_id=self._call_id, trunk=trunk, code=down.code)
        self._told(down.code, self._again, self.carrier)
        return True

    def silent(self) -> None:
        """Note that nothing was heard of the carrier, or nothing that helps, so that it is let go."""
        self._slow.append(self._tried[-1])
        log.warning("carrier_silent", call_id=self._call_id, trunk=self._tried[-1])
        self._told(0, False, self.carrier)
