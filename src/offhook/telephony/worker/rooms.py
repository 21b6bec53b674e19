"""Legs that are more than two together: each is sent, every 20 ms, what the others said.

Two that are left are two again, and their packets are passed on as they come.
"""

from collections.abc import Callable, Iterable

from offhook.telephony.port import TOGETHER
from offhook.telephony.worker.leg import Leg
from offhook.telephony.worker.mixing import Said, mixed

TICK = 0.02
LATE = 0.2
"""Seconds by which a packet may be late before those between are not made up for."""


class Room:
    """Those who are together, by their legs' numbers; `due` is when they are sent something next."""

    def __init__(self, legs: Iterable[Leg], now: float) -> None:
        self.legs = {leg.id: leg for leg in legs}
        self.due = now
        self._said = {id: Said() for id in self.legs}

    def say(self, leg: Leg, codec: int, payload: bytes) -> None:
        """A packet of somebody's."""
        self._said[leg.id].say(codec, payload)

    def leave(self, leg: Leg) -> None:
        """Somebody is here no more."""
        del self.legs[leg.id], self._said[leg.id]
        leg.room = None

    def send(self, now: float) -> None:
        """Send each what the others said."""
        codecs = {id: leg.voice.codec for id, leg in self.legs.items() if leg.voice is not None}
        frames = mixed({id: said.next() for id, said in self._said.items()}, codecs)
        for id, frame in frames.items():
            leg = self.legs[id]
            if leg.playing is None and leg.asked is None:
                leg.say(frame, now)


class Rooms:
    """All of them. `two` is told of two who are left of one, and hear each other as any two do from then on."""

    def __init__(self, two: Callable[[Leg, Leg], None]) -> None:
        self._two = two
        self._rooms: list[Room] = []

    @property
    def due(self) -> float:
        """When something is to be sent next."""
        return min((room.due for room in self._rooms), default=float("inf"))

    def join(self, legs: list[Leg], now: float) -> None:
        """Put legs together, those of another room too."""
        for leg in legs:
            self._out(leg)
        room = Room(legs[:TOGETHER], now)
        for leg in room.legs.values():
            leg.room = room
            leg.outgoing.begin()
        self._rooms.append(room)
        self._look()

    def leave(self, leg: Leg) -> None:
        """Take a leg out of where it is."""
        if leg.room is not None:
            self._out(leg)
            self._look()

    def _out(self, leg: Leg) -> None:
        if leg.room is not None:
            leg.room.leave(leg)

    def _look(self) -> None:
        """Rooms of fewer than three are none."""
        for room in [room for room in self._rooms if len(room.legs) < 3]:
            self._rooms.remove(room)
            left = list(room.legs.values())
            for leg in left:
                room.leave(leg)
            if len(left) == 2:
                self._two(*left)

    def send(self, now: float) -> None:
        """Send whatever is due."""
        for room in self._rooms:
            if room.due <= now:
                room.due = room.due + TICK if now - room.due < LATE else now + TICK
                room.send(now)
