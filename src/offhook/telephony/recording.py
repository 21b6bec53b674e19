"""The recordings of one call: each on a tape of its own, of what one leg says and hears; and a message that is left."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from offhook.directory.lines.model import Target
from offhook.telephony import port
from offhook.telephony.house import House

LONGEST_END = 40.0
"""Seconds in which a recording that is to end is whole, or is not waited for."""

log = structlog.get_logger("offhook.telephony")


class Recording:
    """`wanted` from a Record verb on, and begun once the call is answered; `leg` is the one that is recorded.

    `there` tells who is in the call now: whoever was so while it was recorded is on the tape.
    """

    def __init__(self, house: House, tenant_id: int, leg: int, there: Callable[[], Iterable[str]]) -> None:
        self._house, self._tenant_id, self.leg, self._there = house, tenant_id, leg, there
        self.wanted = False
        self._parked = self._due = self._off = False
        self._path = ""
        self._open: dict[str, dict[str, None]] = {}
        """Who is on each that is not whole yet."""

    def want(self) -> None:
        """A Record verb: a line says so again when its call is taken off park, which lifts no wish that ended it."""
        self.wanted = not self._off

    def switch(self, call_id: int, *, on: bool) -> None:
        """As somebody wishes, whatever the line says, until they wish otherwise."""
        self._off = not on
        if on:
            self.begin(call_id)
        else:
            self.stop()

    def begin(self, call_id: int) -> None:
        """Record from here on, if that is not done already; where the call is on park, once it goes on."""
        if self._parked:
            self._due = True
        elif not self._path:
            try:
                self._path = self._house.tapes.new_recording(self._tenant_id, call_id)
            except OSError as fault:
                # Whoever talks goes on talking.
                log.error("recording_not_begun", call_id=call_id, cause=str(fault))
                return
            self._open[self._path] = {}
            self._house.legs.tell(port.Record(leg=self.leg, path=self._path, both=True))
            self.note()
            begun = asyncio.ensure_future(self._house.tapes.recording_begun(self._path))
            begun.add_done_callback(
                lambda done: done.exception() and log.error("recording_not_placed", exc_info=done.exception())
            )

    def note(self) -> None:
        """Whoever is in the call now is on what is recorded."""
        if self._path:
            self._open[self._path] |= dict.fromkeys(self._there())

    def stop(self) -> None:
        """Record no more, until that is asked for again."""
        self.note()
        if self._path:
            self._house.legs.tell(port.StopRecording(self.leg))
        self._path, self.wanted, self._due = "", False, False

    def pause(self) -> None:
        """The call is on park, where music and silence are worth nothing: record no more until it goes on."""
        self.note()
        if self._path:
            self._house.legs.tell(port.StopRecording(self.leg))
            self._path, self._due = "", True
        self._parked = True

    def go_on(self, call_id: int) -> None:
        """Two talk: what was recorded before it was parked is so again, on a tape of its own."""
        due, self._parked, self._due = self._due, False, False
        if due:
            self.begin(call_id)

    def move(self, leg: int, call_id: int) -> None:
        """The leg is gone: what was recorded on it is recorded on another from here on."""
        self.leg = leg
        if self._path:
            self._path = ""
            self.begin(call_id)

    def made(self, made: port.Recorded, call_id: int) -> None:
        """A tape is whole."""
        people = self._open.pop(made.path, None)
        if people is None:
            return
        if made.path == self._path:
            self._path = ""
        if made.fault:
            log.error("recording_cut_off", call_id=call_id, cause=made.fault, seconds=made.seconds)
        if made.fault and not made.seconds:
            # What there is of it is found by the tapes themselves.
            return
        kept = self._house.tapes.recording_made(self._tenant_id, call_id, made.path, made.seconds, tuple(people))
        task = asyncio.ensure_future(kept)
        task.add_done_callback(lambda done: done.exception() and log.error("recording_lost", exc_info=done.exception()))


async def message_kept(
    house: House, tenant_id: int, call_id: int, box: Target, path: str, taped: "asyncio.Future[port.Recorded]"
) -> port.Recorded:
    """Keep a message once it is whole, and what it is; with a fault if it is not, or is not in time."""
    try:
        async with asyncio.timeout(LONGEST_END):
            made = await taped
    except TimeoutError:
        made = port.Recorded(leg=0, path=path, seconds=0, fault="the recording did not end")
    if made.fault:
        log.error("message_not_recorded", call_id=call_id, cause=made.fault, seconds=made.seconds)
    if made.fault and not made.seconds:
        return made
    try:
        await house.tapes.message_left(tenant_id, call_id, box, path, made.seconds)
    except Exception:
        log.exception("message_not_kept", call_id=call_id)
    return made
