"""Requests at a gentle, even rate, and how long each took: an office, the list of them, the list of calls.

They are sent by a process of its own (`python -m bench.telephony.probing URL KEY OFFICE`), which does nothing else: it
asks from a line on its standard input until the next one, and then says how long each took.
"""

import gc
import os
import select
import socket
import subprocess
import sys
import time
from array import array

import msgspec

from bench.load import address_of, quantile, read_answer, serialise
from bench.scenarios import ROOT
from bench.server import BenchError, Server
from bench.telephony.company import V2

RATE = 20.0
"""Requests a second."""


class Probe:
    """Asks from `start` until `stop`, as often as wanted; `close` it."""

    def __init__(self, server: Server, key: str, office: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.telephony.probing", server.url, key, office],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._line()

    def start(self) -> None:
        """Begin anew."""
        self._say()

    def stop(self) -> list[float]:
        """Milliseconds of each, the shortest first."""
        self._say()
        return sorted(msgspec.json.decode(self._line(), type=list[float]))

    def _say(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise BenchError(f"a request failed: {self._process.stderr.read().decode(errors='replace')[-500:]}")
        return line

    def close(self) -> None:
        """No more."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def p99(times: list[float]) -> float:
    """Of sorted times."""
    return quantile(times, 0.99)


def _ask(connection: socket.socket, request: bytes) -> float:
    began = time.perf_counter()
    connection.sendall(request)
    data = b""
    while (answer := read_answer(data)) is None:
        more = connection.recv(65_536)
        if not more:
            raise BenchError("the server closed the connection")
        data += more
    if answer[0] != 200:
        raise BenchError(f"it was answered {answer[0]}")
    return (time.perf_counter() - began) * 1_000


def _told(wait: float) -> bool:
    """Whether a line came within so many seconds."""
    if not select.select([sys.stdin], [], [], max(wait, 0))[0]:
        return False
    if not os.read(sys.stdin.fileno(), 1):
        sys.exit()
    return True


def main(url: str, key: str, office: str) -> None:
    """The command."""
    connection = socket.create_connection(address_of(url), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    access = (("authorization", f"Bearer {key}"),)
    paths = (f"{V2}/offices/{office}", f"{V2}/offices", f"{V2}/call")
    requests = [serialise(url, "GET", path, headers=access) for path in paths]
    for request in requests:
        _ask(connection, request)
    gc.freeze()
    gc.disable()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while _told(3_600):
        times, began, number = array("d"), time.monotonic(), 0
        while not _told(began + number / RATE - time.monotonic()):
            times.append(_ask(connection, requests[number % len(requests)]))
            number += 1
        sys.stdout.buffer.write(msgspec.json.encode(list(times)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
