"""A message that a caller leaves: from the tone until it is kept, also where they just hang up."""

import asyncio
from collections.abc import Callable

import structlog

from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.routing import plan
from offhook.telephony import port
from offhook.telephony.house import House

LONGEST = 40.0
"""Seconds in which the worker has to say that a recording is whole."""

log = structlog.get_logger("offhook.telephony")


class Message:
    """Of one call. It is `under_way` from its first moment until what came of it can be told."""

    def __init__(self, house: House, tenant_id: int, caller: int) -> None:
        self._house, self._tenant_id, self._caller = house, tenant_id, caller
        self._taping: dict[str, asyncio.Future[port.Recorded]] = {}
        self.under_way = False

    def begin(self, call_id: int, box: Target) -> "tuple[str, asyncio.Future[port.Recorded]]":
        """Record into a box: where, and what it comes to."""
        path = self._house.tapes.new_message(self._tenant_id, call_id, box)
        taped = self._taping[path] = asyncio.get_running_loop().create_future()
        self.under_way = True
        self._house.legs.tell(port.Record(leg=self._caller, path=path))
        return path, taped

    def made(self, made: port.Recorded) -> bool:
        """A recording is whole; whether it is this one."""
        taped = self._taping.pop(made.path, None)
        if taped is not None:
            taped.set_result(made)
        return taped is not None

    async def keep(
        self, call_id: int, box: Target, path: str, taped: "asyncio.Future[port.Recorded]", gone: Callable[[], bool]
    ) -> plan.Recorded | None:
        """Keep what was said: what is to be told of it, nothing where it was cut off with a caller who is `gone`."""
        self._house.legs.tell(port.StopRecording(self._caller))
        try:
            async with asyncio.timeout(LONGEST):
                made = await taped
        except TimeoutError:
            made = port.Recorded(leg=self._caller, path=path, seconds=0, fault="the recording did not end")
        if made.fault:
            # What there is of it is found by the tapes themselves.
            log.error("message_not_recorded", call_id=call_id, cause=made.fault)
        else:
            try:
                await self._house.tapes.message_left(self._tenant_id, call_id, box, path, made.seconds)
            except Exception:
                log.exception("message_not_kept", call_id=call_id)
        self.under_way = False
        if made.fault and gone():
            return None
        seconds = max(round(made.seconds), 1) if made.seconds > 0 else 0
        return plan.Recorded(clock.milliseconds(clock.now()), seconds)
