"""Sound in plain Python: one thread that relays, plays and records. For tests, and where the better one cannot be had.

It carries some dozens of calls. A recording holds what the leg says, also when both sides are asked for.
"""

import contextlib
import os
import secrets
import selectors
import socket
import struct
import threading
import time
from pathlib import Path

from offhook.telephony.port import Address
from offhook.telephony.worker.mixing import Said, mixed
from offhook.telephony.worker.sound import NAMES, PCMA, PCMU, Heard, NoPort, Voice

FRAME = 160
"""Samples of 20 ms at 8,000 Hz."""
TICK = 0.02
KEYS = "0123456789*#ABCD"
ENDINGS = {PCMU: ".ulaw", PCMA: ".alaw"}
FORMATS = {PCMU: 7, PCMA: 6}
"""Of WAV: WAVE_FORMAT_MULAW and WAVE_FORMAT_ALAW."""
LONGEST = 3_600 * 8_000
"""Samples of a recording; what comes later is not written, and it says so."""
TOO_LONG = "it is longer than can be kept"


def _linear_of_ulaw(code: int) -> int:
    code = ~code & 0xFF
    value = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - value if code & 0x80 else value - 0x84


def _linear_of_alaw(code: int) -> int:
    code ^= 0x55
    shift, value = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    if shift:
        value = (value + 0x100) << (shift - 1)
    return value if code & 0x80 else -value


_ULAW = [_linear_of_ulaw(code) for code in range(256)]
_ALAW = [_linear_of_alaw(code) for code in range(256)]
TO_ALAW = bytes(min(range(256), key=lambda code: abs(_ALAW[code] - value)) for value in _ULAW)
TO_ULAW = bytes(min(range(256), key=lambda code: abs(_ULAW[code] - value)) for value in _ALAW)
"""G.711 of one law as the other, byte by byte."""


class _Line:
    """One leg's socket and what goes on at it."""

    def __init__(self, number: int, skt: socket.socket) -> None:
        self.number = number
        self.socket = skt
        self.voice: Voice | None = None
        self.peer: Address | None = None
        self.latched = False
        self.other: _Line | None = None
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbits(16)
        self.stamp = secrets.randbits(32)
        self.playing: tuple[int, bytes, int] | None = None
        """Token, sound, times left (0 for ever)."""
        self.place = 0
        self.recording: tuple[str, bytearray, int] | None = None
        self.too_long = False
        self.event = -1
        self.last = 0.0
        self.told = False
        self.highest = -1
        self.received = self.lost = 0

    def send(self, payload: bytes, kind: int, samples: int = FRAME, marker: bool = False) -> None:
        """A packet to the other side."""
        if self.voice is None or self.peer is None or not self.voice.hears:
            return
        self.sequence = (self.sequence + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), self.sequence, self.stamp, self.ssrc)
        self.stamp = (self.stamp + samples) & 0xFFFFFFFF
        with contextlib.suppress(OSError):
            self.socket.sendto(head + payload, self.peer)


class Plain:
    """See `sound.Media`. Ports are opened at `listen` and said to be at `host`, even ones between the first and last.

    `silence` seconds without a packet are told.
    """

    name = "plain"

    def __init__(
        self,
        heard: Heard,
        listen: str,
        host: str,
        ports: tuple[int, int] = (16384, 32766),
        silence: float = 30.0,
    ) -> None:
        self._heard = heard
        self._listen = listen
        self._host = host
        self._ports = ports
        self.ports = (ports[1] - ports[0]) // 2 + 1
        self._next = ports[0] + 2 * secrets.randbelow((ports[1] - ports[0]) // 2 + 1)
        self._silence = silence
        self._lines: dict[int, _Line] = {}
        self._lock = threading.RLock()
        self._received = self._lost = 0
        self._rooms: list[dict[int, Said]] = []
        self._selector = selectors.DefaultSelector()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def open(self, leg: int) -> Address:
        for _ in range((self._ports[1] - self._ports[0]) // 2 + 1):
            number = self._next
            self._next = number + 2 if number + 2 <= self._ports[1] else self._ports[0]
            skt = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                skt.bind((self._listen, number))
            except OSError:
                skt.close()
                continue
            skt.setblocking(False)
            line = _Line(leg, skt)
            with self._lock:
                self._lines[leg] = line
                self._selector.register(skt, selectors.EVENT_READ, line)
            return self._host, number
        raise NoPort

    def agree(self, leg: int, voice: Voice) -> None:
        with self._lock:
            line = self._lines.get(leg)
            if line is None:
                return
            if line.voice is None or line.voice.address != voice.address:
                line.peer, line.latched = voice.address, False
            line.voice, line.last, line.told = voice, time.monotonic(), False

    def connect(self, leg: int, other: int) -> None:
        with self._lock:
            one, two = self._lines.get(leg), self._lines.get(other)
            if one is None or two is None or one is two:
                return
            for line in (one, two):
                line.playing = None
                for room in self._rooms:
                    room.pop(line.number, None)
                if line.other is not None:
                    line.other.other = None
            one.other, two.other = two, one

    def join(self, legs: tuple[int, ...]) -> None:
        with self._lock:
            there = [leg for leg in legs if leg in self._lines]
            for leg in there:
                self.part(leg)
                self._lines[leg].playing = None
            self._rooms.append({leg: Said() for leg in there})

    def part(self, leg: int) -> None:
        with self._lock:
            for room in self._rooms:
                room.pop(leg, None)
            line = self._lines.get(leg)
            if line is not None and line.other is not None:
                line.other.other = None
                line.other = None

    def play(self, leg: int, token: int, files: tuple[str, ...], times: int) -> None:
        with self._lock:
            line = self._lines.get(leg)
            if line is None:
                return
            ending = ENDINGS[line.voice.codec if line.voice else PCMU]
            try:
                sound = b"".join(_content(name + ending) for name in files)
            except OSError as error:
                line.playing = None
                self._heard.played(leg, token, f"{type(error).__name__}: {error.filename}")
                return
            line.playing, line.place = (token, sound, times), 0

    def stop(self, leg: int) -> None:
        with self._lock:
            if leg in self._lines:
                self._lines[leg].playing = None

    def record(self, leg: int, path: str, both: bool) -> None:
        with self._lock:
            if leg in self._lines:
                self._write(self._lines[leg])
                codec = self._lines[leg].voice
                self._lines[leg].recording = path, bytearray(), codec.codec if codec else PCMU
                self._lines[leg].too_long = False

    def stop_recording(self, leg: int) -> None:
        with self._lock:
            if leg in self._lines:
                self._write(self._lines[leg])

    def release(self, leg: int) -> None:
        with self._lock:
            line = self._lines.pop(leg, None)
            if line is None:
                return
            self._write(line)
            self.part(leg)
            if line.other is not None:
                line.other.other = None
            self._selector.unregister(line.socket)
            line.socket.close()
            codec = NAMES[line.voice.codec] if line.voice is not None else ""
            self._heard.ended(leg, codec, line.received, line.lost)

    def figures(self) -> tuple[int, int]:
        return self._received, self._lost

    def strangers(self) -> int:
        """None are counted."""
        return 0

    def close(self) -> None:
        self._ended = True
        self._thread.join(2)
        for leg in list(self._lines):
            self.release(leg)

    def _write(self, line: _Line) -> None:
        if line.recording is None:
            return
        path, sound, codec = line.recording
        line.recording = None
        head = struct.pack("<HHIIHHH", FORMATS[codec], 1, 8000, 8000, 1, 8, 0)
        chunks = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"fact" + struct.pack("<II", 4, len(sound))
        chunks += b"data" + struct.pack("<I", len(sound)) + bytes(sound) + b"\0" * (len(sound) % 2)
        fault = ""
        try:
            with Path(path).open("wb") as file:
                file.write(b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            fault = f"{type(error).__name__}: {path}"
        seconds = 0.0 if fault else len(sound) / 8000
        self._heard.recorded(line.number, path, seconds, fault or (TOO_LONG if line.too_long else ""))

    def _run(self) -> None:
        due = time.monotonic() + TICK
        while not self._ended:
            found = self._selector.select(max(0.0, due - time.monotonic()))
            with self._lock:
                for key, _ in found:
                    self._read(key.data)
                now = time.monotonic()
                while due <= now:
                    due += TICK
                    self._tick(now)

    def _read(self, line: _Line) -> None:
        for _ in range(32):
            try:
                packet, source = line.socket.recvfrom(2048)
            except OSError:
                return
            voice = line.voice
            if voice is None or len(packet) < 12 or packet[0] >> 6 != 2 or source[0] != voice.address[0]:
                continue
            if source != line.peer:
                if line.latched:
                    continue
                line.peer = source
            line.latched = True
            line.last, line.told = time.monotonic(), False
            self._count(line, int.from_bytes(packet[2:4], "big"))
            start = 12 + 4 * (packet[0] & 0x0F)
            self._heard_packet(line, packet[1] & 0x7F, bool(packet[1] & 0x80), packet[4:8], packet[start:])

    def _count(self, line: _Line, sequence: int) -> None:
        self._received += 1
        line.received += 1
        ahead = (sequence - line.highest) & 0xFFFF
        if line.highest >= 0 and 1 < ahead < 1000:
            self._lost += ahead - 1
            line.lost += ahead - 1
        if line.highest < 0 or ahead < 0x8000:
            line.highest = sequence

    def _heard_packet(self, line: _Line, kind: int, marker: bool, stamp: bytes, payload: bytes) -> None:
        voice, other = line.voice, line.other
        if voice is not None and kind == voice.events:
            at = int.from_bytes(stamp, "big")
            if len(payload) >= 4 and payload[1] & 0x80 and payload[0] < 16 and at != line.event:
                line.event = at
                self._heard.key(line.number, KEYS[payload[0]])
            return
        if kind not in ENDINGS:
            return
        if line.recording is not None:
            if len(line.recording[1]) < LONGEST:
                line.recording[1].extend(_translated(payload, kind, line.recording[2]))
            else:
                line.too_long = True
        for room in self._rooms:
            if line.number in room:
                room[line.number].say(kind, payload)
        if other is not None and other.voice is not None and other.playing is None:
            codec = other.voice.codec
            other.send(_translated(payload, kind, codec), codec, len(payload), marker)

    def _tick(self, now: float) -> None:
        self._rooms = [room for room in self._rooms if room]
        for room in self._rooms:
            lines = [self._lines[leg] for leg in room]
            codecs = {line.number: line.voice.codec for line in lines if line.voice and line.playing is None}
            for leg, frame in mixed({leg: said.next() for leg, said in room.items()}, codecs).items():
                self._lines[leg].send(frame, codecs[leg])
        for line in list(self._lines.values()):
            voice = line.voice
            if voice is None:
                continue
            if voice.sends and not line.told and now - line.last > self._silence:
                line.told = True
                self._heard.silent(line.number)
            if line.playing is not None:
                self._play(line, voice)

    def _play(self, line: _Line, voice: Voice) -> None:
        if line.playing is None:
            return
        token, sound, times = line.playing
        if line.place >= len(sound):
            if times == 1 or not sound:
                line.playing = None
                self._heard.played(line.number, token, "")
                return
            line.playing, line.place = (token, sound, times - 1 if times else 0), 0
        frame = sound[line.place : line.place + FRAME]
        line.place += FRAME
        line.send(frame.ljust(FRAME, b"\xff" if voice.codec == PCMU else b"\xd5"), voice.codec)


def _content(path: str) -> bytes:
    return Path(path).read_bytes()


def _translated(payload: bytes, kind: int, codec: int) -> bytes:
    if kind == codec:
        return payload
    return payload.translate(TO_ALAW if codec == PCMA else TO_ULAW)
