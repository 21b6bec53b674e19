"""The recordings of one call: each on a tape of its own, of what one leg says and hears."""

import asyncio

import structlog

from offhook.telephony import port
from offhook.telephony.house import House

log = structlog.get_logger("offhook.telephony")


class Recording:
    """`wanted` from a Record verb on, and begun once the call is answered; `leg` is the one that is recorded."""

    def __init__(self, house: House, tenant_id: int, leg: int) -> None:
        self._house, self._tenant_id, self.leg = house, tenant_id, leg
        self.wanted = False
        self._path = ""
        self._open: set[str] = set()

    def begin(self, call_id: int) -> None:
        """Record from here on, if that is not done already."""
        if not self._path:
            self._path = self._house.tapes.new_recording(self._tenant_id, call_id)
            self._open.add(self._path)
            self._house.legs.tell(port.Record(leg=self.leg, path=self._path, both=True))

    def stop(self) -> None:
        """Record no more, until that is asked for again."""
        if self._path:
            self._house.legs.tell(port.StopRecording(self.leg))
        self._path, self.wanted = "", False

    def move(self, leg: int, call_id: int) -> None:
        """The leg is gone: what was recorded on it is recorded on another from here on."""
        self.leg = leg
        if self._path:
            self._path = ""
            self.begin(call_id)

    def made(self, made: port.Recorded, call_id: int) -> None:
        """A tape is whole."""
        if made.path not in self._open:
            return
        self._open.discard(made.path)
        if made.path == self._path:
            self._path = ""
        if made.fault:
            log.error("recording_cut_off", call_id=call_id, cause=made.fault)
            return
        kept = self._house.tapes.recording_made(self._tenant_id, call_id, made.path, made.seconds)
        task = asyncio.ensure_future(kept)
        task.add_done_callback(lambda done: done.exception() and log.error("recording_lost", exc_info=done.exception()))
