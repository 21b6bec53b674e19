"""Sound of bridged calls in the load generator: both sides of each say a packet each 20 ms and count what they hear.

What a side should hear is what the other side of its call says, so each packet names who said it; the rest is astray.
"""

import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

from bench.telephony.sip import HOST

Address = tuple[str, int]
TICK = 0.02
LAST = 1.0
"""Seconds for the last packets to come."""

FIRST_PORT, LAST_PORT = 40_000, 60_000
BUFFER = 256 * 1024
SIZE = 172
_HEAD = struct.Struct("!BBHIII")
_FILL = bytes(SIZE - _HEAD.size)


class Sound:
    """The sockets of so many calls, two each, on even ports: the odd ones would be those of reports."""

    def __init__(self, calls: int) -> None:
        self._sockets: list[socket.socket] = []
        number = FIRST_PORT
        while len(self._sockets) < 2 * calls:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                made.bind((HOST, number))
            except OSError:
                made.close()
            else:
                made.setblocking(False)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
                self._sockets.append(made)
            number += 2
            if number > LAST_PORT:
                raise RuntimeError("There are too few free ports.")
        self._ports = [each.getsockname()[1] for each in self._sockets]
        self._calls = calls
        self._speaking: list[socket.socket] = []
        self.sent = self.heard = self.astray = 0

    def port(self, call: int, side: int) -> int:
        """Where a side (0 the caller, 1 who took it) of a call hears."""
        return int(self._ports[2 * (call % self._calls) + side])

    def connect(self, ends: list[tuple[int, Address, Address]]) -> None:
        """Which calls there are, and where both sides of each speak to."""
        for call, *sides in ends:
            for side, address in enumerate(sides):
                each = self._sockets[2 * (call % self._calls) + side]
                each.connect(address)
                self._speaking.append(each)

    def close(self) -> None:
        """Give the ports back."""
        for each in self._sockets:
            each.close()

    def run(self, seconds: float, between: Callable[[], None], progress: Callable[[], None]) -> None:
        """Speak and hear for so long; `between` is called now and then, `progress` once a second."""
        poll = select.epoll()
        by_number = {each.fileno(): (each, place ^ 1) for place, each in enumerate(self._speaking)}
        for number in by_number:
            poll.register(number, select.EPOLLIN)
        count = len(self._speaking)
        step, total = 0, int(seconds / TICK) * count
        gap = TICK / max(count, 1)
        began = told = looked = time.monotonic()
        buffer = bytearray(2_048)
        while True:
            now = time.monotonic()
            while step < total and began + gap * step <= now:
                number, place = divmod(step, count)
                content = _HEAD.pack(0x80, 0, number & 0xFFFF, number * 160, place + 1, place) + _FILL
                with suppress(OSError):
                    self._speaking[place].send(content)
                self.sent += 1
                step += 1
            if step >= total and now > began + seconds + LAST:
                break
            for number, _ in poll.poll(0.002 if step < total else 0.05):
                each, other = by_number[number]
                for _ in range(4):
                    try:
                        size = each.recv_into(buffer)
                    except OSError:
                        break
                    if size != SIZE or buffer[1] & 0x7F:
                        continue
                    if int.from_bytes(buffer[12:16], "big") == other:
                        self.heard += 1
                    else:
                        self.astray += 1
            if now - looked >= 0.02:
                looked = now
                between()
            if now - told >= 1.0:
                told += 1.0
                progress()
        poll.close()
