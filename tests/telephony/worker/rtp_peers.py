"""The other side of a leg: a real UDP socket that says tones and keys, and keeps what it hears."""

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook.telephony.worker import g711
from offhook.telephony.worker.sound import PCMU, Voice

FRAME = 160
PATIENCE = 10.0
Samples = NDArray[np.int16]


def tone(hertz: float, seconds: float, level: float = 8_000.0) -> Samples:
    """A sine of 8 kHz."""
    moments = np.arange(round(seconds * g711.RATE)) / g711.RATE
    return (level * np.sin(2 * np.pi * hertz * moments)).astype(np.int16)


def encoded(samples: Samples, codec: int = PCMU) -> bytes:
    """G.711 by the nearest of its 256 values."""
    values = np.array(g711.SAMPLES[codec], dtype=np.int32)
    order = np.argsort(values, kind="stable")
    steps = values[order]
    middles = (steps[1:] + steps[:-1]) / 2
    return bytes(order[np.searchsorted(middles, samples)].astype(np.uint8))


def decoded(content: bytes, codec: int = PCMU) -> Samples:
    """The samples of G.711."""
    return np.array(g711.SAMPLES[codec], dtype=np.int16)[np.frombuffer(content, dtype=np.uint8)]


def hertz(samples: Samples) -> float:
    """The loudest frequency; 0 for silence."""
    if len(samples) < FRAME or np.abs(samples).max() < 500:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), n=8 * len(samples)))
    return float(np.argmax(spectrum) * g711.RATE / (8 * len(samples)))


@dataclass
class Came:
    """A packet as it came."""

    kind: int
    marker: bool
    number: int
    stamp: int
    source: int
    payload: bytes
    at: tuple[str, int]
    moment: float


@dataclass
class Sender:
    """A stream of packets: what it was sent from is another question."""

    source: int = 0x1234
    number: int = 65_530
    stamp: int = 4_294_960_000

    def sound(self, payload: bytes, kind: int = PCMU) -> bytes:
        """The next packet of sound."""
        packet = self.packet(kind, payload)
        self.stamp += len(payload)
        return packet

    def packet(self, kind: int, payload: bytes, marker: bool = False) -> bytes:
        """The next packet, at the moment of the next sound."""
        self.number += 1
        return struct.pack(
            "!BBHII", 0x80, kind | marker << 7, self.number & 0xFFFF, self.stamp & 0xFFFFFFFF, self.source
        ) + payload  # fmt: skip


@dataclass
class Peer:
    """Somebody with a telephone at `host`, on any port. `wire` is what they came to hear."""

    host: str = "127.0.0.1"
    codec: int = PCMU
    events: int | None = 101
    stream: Sender = field(default_factory=Sender)

    def __post_init__(self) -> None:
        while True:
            self.socket, self.reports = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            self.socket.bind((self.host, 0))
            try:
                self.reports.bind((self.host, self.address[1] + 1))
                break
            except (OSError, OverflowError):
                self.socket.close()
                self.reports.close()
        self.reports.settimeout(PATIENCE)
        self.came: list[Came] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        address: tuple[str, int] = self.socket.getsockname()
        return address

    @property
    def voice(self) -> Voice:
        return Voice(address=self.address, codec=self.codec, events=self.events)

    def _hear(self) -> None:
        while True:
            try:
                content, at = self.socket.recvfrom(4_096)
            except OSError:
                return
            if not content:
                return
            first, second, number, stamp, source = struct.unpack_from("!BBHII", content)
            assert first == 0x80
            with self._news:
                self.came.append(
                    Came(second & 127, second > 127, number, stamp, source, content[12:], at, time.monotonic())
                )
                self._news.notify_all()

    def wait(self, count: int, kind: int | None = None, seconds: float = PATIENCE) -> list[Came]:
        """The packets that came, once there are so many (of a kind)."""
        with self._news:
            self._news.wait_for(lambda: len(self.of(kind)) >= count, seconds)
        assert len(self.of(kind)) >= count, f"{len(self.of(kind))} packets came in place of {count}."
        return self.of(kind)

    def of(self, kind: int | None) -> list[Came]:
        return [each for each in self.came if kind is None or each.kind == kind]

    @property
    def heard(self) -> Samples:
        """What was heard, in the order in which it came."""
        return decoded(b"".join(each.payload for each in self.of(self.codec)), self.codec)

    def say(self, to: tuple[str, int], samples: Samples, pace: float = 0.02) -> None:
        """Say it, a packet of 20 ms each `pace` seconds."""
        content = encoded(samples, self.codec)
        due = time.monotonic()
        for at in range(0, len(content), FRAME):
            self.socket.sendto(self.stream.sound(content[at : at + FRAME], self.codec), to)
            due += pace
            pause(due)

    def press(self, to: tuple[str, int], key: str, updates: int = 3, ends: int = 3, copies: int = 1) -> None:
        """Press a key, with so many packets while it is down and at its end."""
        assert self.events is not None
        event = "0123456789*#ABCD".index(key)
        for step in range(updates + ends):
            last = step >= updates
            length = FRAME * min(step + 1, updates + 1)
            payload = struct.pack("!BBH", event, 0x80 * last | 10, length)
            packet = self.stream.packet(self.events, payload, marker=step == 0)
            for _ in range(copies):
                self.socket.sendto(packet, to)
        self.stream.stamp += FRAME * (updates + 1)

    def close(self) -> None:
        """Put it away; who still waits at the socket would otherwise keep it, and its port."""
        with suppress(OSError):
            # It is said that nobody is connected, and who waits is woken all the same.
            self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self.socket.close()
        self.reports.close()


def pause(until: float) -> None:
    """Keep the pace of a telephone."""
    left = until - time.monotonic()
    if left > 0:
        threading.Event().wait(left)


class Ear:
    """What the signalling is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.moments: list[float] = []
        self._news = threading.Condition()

    def _tell(self, *what: object) -> None:
        with self._news:
            self.told.append(what)
            self.moments.append(time.monotonic())
            self._news.notify_all()

    def key(self, leg: int, key: str) -> None:
        self._tell("key", leg, key)

    def played(self, leg: int, token: int, fault: str) -> None:
        self._tell("played", leg, token, fault)

    def recorded(self, leg: int, path: str, seconds: float, fault: str) -> None:
        self._tell("recorded", leg, path, seconds, fault)

    def silent(self, leg: int) -> None:
        self._tell("silent", leg)

    def cut(self, leg: int) -> None:
        self._tell("cut", leg)

    def ended(self, leg: int, codec: str, received: int, lost: int) -> None:
        self._tell("ended", leg, codec, received, lost)

    def forget(self) -> None:
        """Begin anew."""
        with self._news:
            self.told, self.moments = [], []

    def of(self, word: str) -> list[tuple[object, ...]]:
        """All that was told of one thing."""
        return [each[1:] for each in self.told if each[0] == word]

    def wait(self, word: str, count: int = 1, seconds: float = PATIENCE) -> list[tuple[object, ...]]:
        """What was told of one thing, once it was told so often."""
        with self._news:
            self._news.wait_for(lambda: len(self.of(word)) >= count, seconds)
        assert len(self.of(word)) >= count, f"{word} was not told {count} times: {self.told}"
        return self.of(word)

    def moment(self, word: str) -> float:
        """When it was told first."""
        return next(moment for each, moment in zip(self.told, self.moments, strict=True) if each[0] == word)


def clip(folder: Path, name: str, samples: Samples, codec: int = PCMU) -> str:
    """A file that can be played, by the name that it is played by."""
    (folder / f"{name}.{g711.ENDING[codec]}").write_bytes(encoded(samples, codec))
    return str(folder / name)
