"""Requests at a gentle, even rate, and how long each took: an office, the list of them, the list of calls."""

import socket
import threading
import time
from array import array

from bench.load import address_of, quantile, read_answer, serialise
from bench.server import BenchError, Server
from bench.telephony.company import V2

RATE = 20.0
"""Requests a second."""


class Probe:
    """Asks from `start` until `stop`, one after the other, on a connection that is kept."""

    def __init__(self, server: Server, key: str, office: str) -> None:
        self._socket = socket.create_connection(address_of(server.url), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        access = (("authorization", f"Bearer {key}"),)
        paths = (f"{V2}/offices/{office}", f"{V2}/offices", f"{V2}/call")
        self._requests = [serialise(server.url, "GET", path, headers=access) for path in paths]
        self._times = array("d")
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: Exception | None = None

    def start(self) -> "Probe":
        """Begin anew."""
        self._times = array("d")
        self._over.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> list[float]:
        """Milliseconds of each, the shortest first."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._fault is not None:
            raise BenchError(f"a request failed: {self._fault}")
        return sorted(one * 1000 for one in self._times)

    def _run(self) -> None:
        began, number = time.monotonic(), 0
        try:
            while not self._over.wait(max(began + number / RATE - time.monotonic(), 0)):
                self._times.append(self._ask(self._requests[number % len(self._requests)]))
                number += 1
        except (OSError, ValueError, BenchError) as fault:
            self._fault = fault

    def _ask(self, request: bytes) -> float:
        began = time.perf_counter()
        self._socket.sendall(request)
        data = b""
        while (answer := read_answer(data)) is None:
            more = self._socket.recv(65_536)
            if not more:
                raise BenchError("the server closed the connection")
            data += more
        if answer[0] != 200:
            raise BenchError(f"it was answered {answer[0]}")
        return time.perf_counter() - began

    def close(self) -> None:
        """No more."""
        self._socket.close()


def p99(times: list[float]) -> float:
    """Of sorted times."""
    return quantile(times, 0.99)
