"""Who did not prove who they are, told to the server for its log: one a second, with how many there were beside.

Nothing of this is answered to anybody. An INVITE or a REGISTER without a proof is how everybody begins, so it is told
only where no proof follows.
"""

from collections.abc import Callable

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker.packet import Packet, readable, unescaped

PROOF_SECONDS = 5.0
"""In which a proof follows on a challenge, also where one of the two has to be sent again."""

WAITED_FOR = 1_000
"""Challenges behind which a proof is waited for; those beyond are not told, nor counted."""

LETTERS = 64
"""Of a username, at most."""


class Unproven:
    """Kept by the worker's own thread: of each second one who was turned away, and a number. `now` as `Buckets`."""

    def __init__(self, say: Callable[[port.Event], None], now: Callable[[], float]) -> None:
        self._say, self._now = say, now
        self._told: port.TurnedAway | None = None
        self._count = 0
        self._last = ""
        """The address that was told of last."""
        self._waiting: dict[tuple[str, str], tuple[float, port.TurnedAway]] = {}

    def add(self, packet: Packet, source: Address, username: str, cause: str) -> None:
        """Somebody was turned away."""
        self._add(_told(packet, source, username, cause))

    def challenged(self, packet: Packet, source: Address, cause: str) -> None:
        """Somebody was asked for a proof, and is turned away for `cause` where none follows. Who they say they are is
        in their From.
        """
        key = (source[0], packet.call_id)
        if key not in self._waiting and len(self._waiting) < WAITED_FOR:
            name = unescaped(packet.caller.uri.user) if packet.caller is not None else ""
            self._waiting[key] = self._now(), _told(packet, source, name, cause)

    def proof(self, packet: Packet, source: Address) -> None:
        """A proof came, right or wrong."""
        self._waiting.pop((source[0], packet.call_id), None)

    def second(self) -> None:
        """Another second has gone by: tell what there is."""
        due = self._now() - PROOF_SECONDS
        while self._waiting and next(iter(self._waiting.values()))[0] <= due:
            self._add(self._waiting.pop(next(iter(self._waiting)))[1])
        if self._told is not None:
            more = self._count - 1
            self._say(port.TurnedAway(
                source=self._told.source, username=self._told.username, method=self._told.method,
                cause=self._told.cause, more=more,
            ))  # fmt: skip
            self._last = self._told.source[0]
            self._told, self._count = None, 0

    def __len__(self) -> int:
        """How many proofs are waited for."""
        return len(self._waiting)

    def _add(self, told: port.TurnedAway) -> None:
        self._count += 1
        # One address that tries all day long does not keep the others from being told.
        if self._told is None or (self._told.source[0] == self._last != told.source[0]):
            self._told = told


def _told(packet: Packet, source: Address, username: str, cause: str) -> port.TurnedAway:
    return port.TurnedAway(
        source=source, username=readable(username)[:LETTERS], method=packet.method[:LETTERS], cause=cause
    )
