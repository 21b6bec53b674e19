"""One leg's sound: two sockets, whose packets are taken, what is sent, and who is heard.

Each leg is spoken to as one stream of ours, with one source and numbers and timestamps that go on, whatever is heard in
it: a file, another leg, another one later. So no telephone has to get used to a new stream when a call is connected.
"""

import random
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from offhook.kit import clock
from offhook.telephony.port import Address
from offhook.telephony.worker import g711, rtcp, rtp
from offhook.telephony.worker.clips import FRAME, Playing
from offhook.telephony.worker.sound import PCMA, PCMU, Voice
from offhook.telephony.worker.wav import Tape

if TYPE_CHECKING:
    from offhook.telephony.worker.rooms import Room

BUDGET = 100
"""Packets that a leg may send in a tenth of a second, twenty times as many as telephones do."""

KEEP = 5.0
"""Seconds without a packet of ours after which one of silence goes, so that no NAT and no carrier forgets us."""


class Outgoing:
    """The stream that a leg is sent. What is relayed keeps its gaps and its order, so that losses are seen as such."""

    __slots__ = ("_from", "_number_by", "_stamp_by", "at", "number", "octets", "packets", "source", "stamp")

    def __init__(self, now: float) -> None:
        self.source = random.getrandbits(32)
        self.number, self.stamp = random.getrandbits(15), random.getrandbits(31)
        """Of the last packet, the furthest."""
        self.at = now
        self.packets = self.octets = 0
        """Of those that were sent."""
        self._from: object = None
        self._number_by = self._stamp_by = 0

    def begin(self) -> None:
        """What comes next is something new, at its own moment."""
        self._from = None

    def own(self, kind: int, payload: bytes, now: float) -> bytes:
        """A packet of ours, that follows."""
        marker = self._from != kind
        if marker:
            self._from, self.stamp = kind, self._stamp_at(now)
        else:
            self.stamp = self.stamp + len(payload) & 0xFFFFFFFF
        self.number = self.number + 1 & 0xFFFF
        self.at = now
        return rtp.written(kind, marker, self.number, self.stamp, self.source, payload)

    def relayed(self, origin: object, packet: rtp.Packet, kind: int, payload: bytes, now: float) -> bytes:
        """A packet of `origin`'s, at its own place in its own stream."""
        _, marker, number, stamp, _, _ = packet
        if origin != self._from:
            self._from, marker = origin, True
            self._number_by = self.number + 1 - number
            self._stamp_by = self._stamp_at(now) - stamp
        number, stamp = number + self._number_by & 0xFFFF, stamp + self._stamp_by & 0xFFFFFFFF
        if (number - self.number & 0xFFFF) < 0x8000:
            self.number, self.stamp = number, stamp
        self.at = now
        return rtp.written(kind, marker, number, stamp, self.source, payload)

    def skipped(self, origin: object) -> None:
        """A packet of `origin`'s is not passed on: it leaves no gap."""
        if origin == self._from:
            self._number_by -= 1

    def stamp_at(self, now: float) -> int:
        """The timestamp of a moment."""
        return self.stamp + int((now - self.at) * g711.RATE)

    def _stamp_at(self, now: float) -> int:
        """The timestamp with which something new begins."""
        return self.stamp + max(int((now - self.at) * g711.RATE), FRAME) & 0xFFFFFFFF


class Leg:
    """The sound of one leg. `sound` and `reports` are its sockets, bound to one port and the next."""

    def __init__(self, id: int, sound: socket.socket, reports: socket.socket, now: float) -> None:
        self.id, self.sound, self.reports = id, sound, reports
        self.voice: Voice | None = None
        self.peer = rtp.Peer(("", 0))
        self.reception = rtp.Reception()
        self.keys = rtp.Keys()
        self.outgoing = Outgoing(now)
        self.other: Leg | None = None
        self.room: Room | None = None
        """Where it is one of more than two."""
        self.playing: Playing | None = None
        self.asked: tuple[int, tuple[str, ...], int] | None = None
        """What is to be played once it is known how."""
        self.tape: Tape | None = None
        self.refused = 0
        """Packets of strangers."""
        self.budget = BUDGET
        """Packets that are taken until the next look."""
        self.pressed = 0
        """Keys that were told since the last look."""
        self.since = now
        """Since when silence counts."""
        self.reported_at = now
        self._reports_to: tuple[str, int] | None = None
        self._heard = (0, 0.0)

    def agree(self, voice: Voice, now: float) -> None:
        """Speak with the other side so from now on."""
        if voice.address != self.peer.address:
            self.peer = rtp.Peer(voice.address)
            self._reports_to = None
        self.peer.forget()
        self.voice, self.since = voice, now

    @property
    def heard_at(self) -> float:
        """When the other side was heard last, or should have begun to be."""
        return max(self.since, self.peer.last)

    def receive(self, now: float, key: Callable[["Leg", str], None]) -> bool:
        """Take a packet that came, and give it to whom it is for; False if none did."""
        try:
            content, at = self.sound.recvfrom(2_048)
        except OSError:
            return False
        self._take(content, at, now, key)
        return True

    def _take(self, content: bytes, at: Address, now: float, key: Callable[["Leg", str], None]) -> None:
        packet, voice = rtp.read(content), self.voice
        if packet is None or voice is None:
            self.refused += 1
            return
        kind, _, number, stamp, source, payload = packet
        if kind not in (PCMU, PCMA) and kind != voice.events:
            # Comfort noise says that they are there, and nothing else of others is known.
            if kind == 13 and at == self.peer.at and source == self.peer.source:
                self.peer.last = now
            return
        if not self.peer.takes(at, source, now):
            self.refused += 1
            return
        self.reception.heard(source, number, stamp, now)
        other = self.other
        if other is not None and (other.voice is None or other.playing is not None or other.asked is not None):
            other = None
        if kind == voice.events:
            for each in self.keys.heard(stamp, payload, now):
                key(self, each)
            if other is not None:
                other.pass_on_event((self.id, source), packet, now)
            return
        if self.tape is not None:
            self.tape.lay(0, source, stamp, kind, payload, now)
        if self.room is not None:
            self.room.say(self, kind, payload)
        elif other is not None:
            other.pass_on((self.id, source), packet, now)

    def pass_on(self, origin: object, packet: rtp.Packet, now: float) -> None:
        """Let this leg hear a packet of another's."""
        voice = self.voice
        if voice is None:
            return
        payload = g711.translated(packet[5], packet[0], voice.codec)
        self._send(self.outgoing.relayed(origin, packet, voice.codec, payload, now), payload, now)

    def pass_on_event(self, origin: object, packet: rtp.Packet, now: float) -> None:
        """Send this leg a key that was pressed on another, as it wants it; not at all if it cannot know it."""
        voice = self.voice
        if voice is None or voice.events is None:
            self.outgoing.skipped(origin)
            return
        self._send(self.outgoing.relayed(origin, packet, voice.events, packet[5], now), b"", now)

    def play_on(self, now: float) -> bool:
        """Send the next packet of what is played; False at its end."""
        voice, playing = self.voice, self.playing
        if voice is None or playing is None:
            return False
        frame = playing.next(voice.codec)
        if frame is None:
            return False
        self._send(self.outgoing.own(voice.codec, frame, now), frame, now)
        return True

    def say(self, frame: bytes, now: float) -> None:
        """Send a packet of what others say together, in this leg's codec."""
        voice = self.voice
        if voice is not None:
            self._send(self.outgoing.own(voice.codec, frame, now), frame, now)

    def keep_open(self, now: float) -> None:
        """Send a packet of silence if nothing was sent for long."""
        voice = self.voice
        if voice is not None and self.playing is None and now - self.outgoing.at >= KEEP:
            frame = g711.SILENCE[voice.codec] * FRAME
            self.outgoing.begin()
            self._send(self.outgoing.own(voice.codec, frame, now), frame, now)

    def _send(self, packet: bytes, payload: bytes, now: float) -> None:
        voice = self.voice
        if voice is None or not voice.hears:
            return
        try:
            self.sound.sendto(packet, self.peer.to)
        except OSError:
            self.refused += 1
            return
        self.outgoing.packets += 1
        self.outgoing.octets += len(packet) - 12
        if payload and self.tape is not None and self.tape.both:
            stamp = int.from_bytes(packet[4:8], "big")
            self.tape.lay(1, self.outgoing.source, stamp, voice.codec, payload, now)

    # Reports

    def receive_report(self, now: float) -> None:
        """Take a report of the other side: it tells where ours go, and from when its last one was."""
        try:
            content, at = self.reports.recvfrom(2_048)
        except OSError:
            return
        said = rtcp.read(content)
        if said is None or at[0] != self.peer.address[0] or said[0] != self.peer.source:
            self.refused += 1
            return
        self._reports_to = at
        if said[1]:
            self._heard = (said[1], now)

    def report(self, now: float) -> None:
        """Send a report when it is time for one."""
        if now - self.reported_at < rtcp.EVERY or not self._reports:
            return
        self.reported_at = now
        out, (middle, heard_at) = self.outgoing, self._heard
        self._send_report(
            rtcp.report(
                out.source, self.reception, at=clock.wall(), stamp=out.stamp_at(now), packets=out.packets,
                octets=out.octets, heard=(middle, now - heard_at),
            )
        )  # fmt: skip

    @property
    def _reports(self) -> bool:
        """Whether there is somebody to report to: nobody who is held both ways, and says no address."""
        return self.voice is not None and (self.voice.sends or self.voice.hears)

    def _send_report(self, content: bytes) -> None:
        host, port = self.peer.to
        try:
            self.reports.sendto(content, self._reports_to or (host, port + 1))
        except (OSError, OverflowError):
            self.refused += 1

    def close(self) -> None:
        """Say that there will be no more, and give the ports back."""
        if self._reports:
            self._send_report(rtcp.bye(self.outgoing.source))
        self.sound.close()
        self.reports.close()
