"""Load from N keep-alive HTTP/1.1 connections, each sending its next request when the last one is answered.

It shares the machine with the server it measures, so it is one epoll loop over raw sockets, sends requests that were
serialised beforehand, and reads of an answer only what it counts: status and length. It never sends a request twice.
"""

import argparse
import gc
import itertools
import math
import select
import socket
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from bench.bodies import Bodies, idempotency_key

OnAnswer = Callable[[int, int, bytes], None]
End = Literal["time", "count", "server gone"]
Kind = Literal["echo", "create", "create-keyed", "get", "page"]

_TICK = 0.25  # seconds between looks at the deadlines while nothing arrives
_READ = 65536
_BODILESS = frozenset({204, 304})


class UnreadableError(Exception):
    """An answer that is not HTTP/1.1 with a length."""


@dataclass(slots=True)
class Result:
    """What one run saw. `latencies` are seconds from the send of a request to its whole answer, in order of arrival.

    `lost` requests were sent and their connection broke, `timed_out` ones waited longer than allowed, `unreadable`
    ones were answered with something else than HTTP/1.1 with a length: of all three nothing is known.
    """

    sent: int = 0
    seconds: float = 0.0
    client_cpu: float = 0.0
    ended: End = "time"
    lost: int = 0
    timed_out: int = 0
    unreadable: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def answered(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers a second, of whatever status."""
        return self.answered / self.seconds if self.seconds else 0.0

    def summary(self) -> dict[str, Any]:
        """The run in plain JSON types: counts, seconds, answers a second, milliseconds."""
        ordered = sorted(self.latencies)
        return {
            "sent": self.sent,
            "answered": self.answered,
            "seconds": round(self.seconds, 4),
            "rate": round(self.rate, 1),
            "p50_ms": round(quantile(ordered, 0.50) * 1000, 3),
            "p99_ms": round(quantile(ordered, 0.99) * 1000, 3),
            "max_ms": round(ordered[-1] * 1000, 3) if ordered else 0.0,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "lost": self.lost,
            "timed_out": self.timed_out,
            "unreadable": self.unreadable,
            "ended": self.ended,
            "client_cpu_seconds": round(self.client_cpu, 4),
        }


def quantile(ordered: "list[float]", share: float) -> float:
    """The smallest value that at least `share` of `ordered` do not exceed; 0 of nothing."""
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def read_answer(data: bytes) -> tuple[int, int, int, bool] | None:
    """Status, start and end of the body, and whether the server closes; None while `data` is not a whole answer."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        if len(data) > _READ:
            raise UnreadableError("headers without end")
        return None
    if not data.startswith(b"HTTP/1.1 "):
        raise UnreadableError(data[:40].decode("latin-1"))
    status = int(data[9:12])
    at = data.find(b"\r\ncontent-length: ", 0, head)
    if at >= 0:
        length = int(data[at + 18 : data.find(b"\r\n", at + 18)])
    else:
        length = _length_slowly(data[:head], status)
    end = head + 4 + length
    if len(data) < end:
        return None
    return status, head + 4, end, data.find(b"\r\nconnection: close", 0, head) >= 0


def _length_slowly(head: bytes, status: int) -> int:
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip() == b"content-length":
            return int(value)
    if status in _BODILESS:
        return 0
    raise UnreadableError("an answer without content-length")


class _Connection:
    """One socket, and the one request that is under way on it (`index` is -1 if there is none)."""

    __slots__ = ("at", "index", "received", "socket", "unsent")

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.index = -1
        self.at = 0.0
        self.received = b""
        self.unsent = b""


class _Run:
    def __init__(
        self,
        address: tuple[str, int],
        requests: Iterator[bytes],
        connections: int,
        seconds: float | None,
        count: int | None,
        timeout: float,
        on_answer: OnAnswer | None,
    ) -> None:
        self.address = address
        self.requests = requests
        self.wanted = connections
        self.seconds = seconds
        self.left = count if count is not None else sys.maxsize
        self.timeout = timeout
        self.on_answer = on_answer
        self.result = Result()
        self.sending = True
        self.stop_at = math.inf
        self.look_at = 0.0
        self.poll = select.epoll()
        self.open: dict[int, _Connection] = {}

    def carry_out(self) -> Result:
        result = self.result
        try:
            for _ in range(self.wanted):
                if not self.connect():
                    break
            cpu, start = time.thread_time(), time.perf_counter()
            last = start
            if self.seconds is not None:
                self.stop_at = start + self.seconds
            for connection in list(self.open.values()):
                self.send_next(connection)
            while self.open:
                last = self.turn(last)
            result.seconds = last - start
            result.client_cpu = time.thread_time() - cpu
        finally:
            for connection in self.open.values():
                connection.socket.close()
            self.poll.close()
        return result

    def turn(self, last: float) -> float:
        """Waits for what comes next and handles it; gives back when the latest answer came."""
        answered = self.result.answered
        for fd, events in self.poll.poll(_TICK):
            connection = self.open.get(fd)
            if connection is None:
                continue
            if events & select.EPOLLOUT:
                self.flush(connection)
            if events & ~select.EPOLLOUT:
                self.receive(connection)
        now = time.perf_counter()
        if now >= self.stop_at and self.sending:
            self.finish("time")
        if now >= self.look_at:
            self.look_at = now + _TICK
            self.drop_overdue(now)
        return now if self.result.answered > answered else last

    def connect(self) -> _Connection | None:
        try:
            connection = _Connection(self.address, min(self.timeout, 2.0))
        except OSError:
            self.finish("server gone")
            return None
        fd = connection.socket.fileno()
        self.open[fd] = connection
        self.poll.register(fd, select.EPOLLIN)
        return connection

    def close(self, connection: _Connection) -> None:
        fd = connection.socket.fileno()
        if self.open.pop(fd, None) is not None:
            self.poll.unregister(fd)
        connection.socket.close()

    def replace(self, connection: _Connection) -> None:
        self.close(connection)
        if self.sending:
            fresh = self.connect()
            if fresh is not None:
                self.send_next(fresh)

    def finish(self, why: End) -> None:
        """No further request is sent; answers to those under way are still waited for."""
        if self.sending:
            self.sending = False
            self.result.ended = why
        for connection in [c for c in self.open.values() if c.index < 0]:
            self.close(connection)

    def send_next(self, connection: _Connection) -> None:
        connection.index = -1
        request = next(self.requests, None) if self.sending and self.left > 0 else None
        if request is None:
            self.close(connection)
            if self.sending:
                self.finish("count")
            return
        self.left -= 1
        connection.index = self.result.sent
        self.result.sent += 1
        connection.at = time.perf_counter()
        try:
            sent = connection.socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.lose(connection)
            return
        if sent < len(request):
            connection.unsent = request[sent:]
            self.poll.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def flush(self, connection: _Connection) -> None:
        try:
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self.lose(connection)
            return
        if not connection.unsent:
            self.poll.modify(connection.socket.fileno(), select.EPOLLIN)

    def receive(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lose(connection)
            return
        if connection.received:
            data = connection.received + data
        result = self.result
        try:
            answer = read_answer(data)
        except (UnreadableError, ValueError):
            result.unreadable += 1
            self.replace(connection)
            return
        if answer is None:
            connection.received = data
            return
        now = time.perf_counter()
        status, start, end, closes = answer
        connection.received = b""
        result.latencies.append(now - connection.at)
        statuses = result.statuses
        statuses[status] = statuses.get(status, 0) + 1
        if self.on_answer is not None:
            self.on_answer(connection.index, status, data[start:end])
        if now >= self.stop_at and self.sending:
            self.finish("time")
        # An early answer (a refusal before the body is read) leaves the rest of the request behind on the wire.
        if closes or connection.unsent or len(data) > end:
            self.replace(connection)
        else:
            self.send_next(connection)

    def lose(self, connection: _Connection) -> None:
        if connection.index >= 0:
            self.result.lost += 1
        self.replace(connection)

    def drop_overdue(self, now: float) -> None:
        overdue = [c for c in self.open.values() if c.index >= 0 and now - c.at > self.timeout]
        for connection in overdue:
            self.result.timed_out += 1
            self.replace(connection)


def run(
    url: str,
    requests: Iterable[bytes],
    *,
    connections: int = 32,
    seconds: float | None = None,
    count: int | None = None,
    timeout: float = 10.0,
    on_answer: OnAnswer | None = None,
) -> Result:
    """Send `requests` (whole, serialised) to the server of `url` until time, count or requests run out.

    `on_answer` gets the index of the request in the order of `requests`, the status and the body of each answer. The
    run ends at most `timeout` seconds after `seconds`, whatever the server does; once a connection can no longer be
    made, nothing more is sent and the result says "server gone".
    """
    return _Run(address_of(url), iter(requests), connections, seconds, count, timeout, on_answer).carry_out()


def address_of(url: str) -> tuple[str, int]:
    """Host and port of an http URL."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"{url!r} is not an http URL with a host")
    return parts.hostname, parts.port or 80


def serialise(url: str, method: str, path: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """One whole HTTP/1.1 request."""
    host, port = address_of(url)
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}:{port}", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def requests_of(
    kind: Kind, url: str, *, key: str = "", seed: int = 0, ids: tuple[str, ...] = (), currency: str = "USD"
) -> Iterator[bytes]:
    """Endless requests of a kind. Those that create are all different, and the same for the same seed."""
    access = (("authorization", f"Bearer {key}"),) if key else ()
    if kind == "get":
        # A step that shares no factor with their number visits all of them, and in no order of storage.
        step = 7919 if len(ids) % 7919 else 7927
        for index in itertools.count(seed):
            yield serialise(url, "GET", f"/api/v2/offices/{ids[index * step % len(ids)]}", headers=access)
    elif kind == "page":
        while True:
            for cursor in ids or ("",):
                yield serialise(url, "GET", f"/api/v2/offices?cursor={cursor}", headers=access)
    elif kind == "echo":
        for body in Bodies(seed, currency):
            yield serialise(url, "POST", "/benchmark/echo", body)
    else:
        for index, body in enumerate(Bodies(seed, currency)):
            keyed = (("idempotency-key", idempotency_key(seed, index)),) if kind == "create-keyed" else ()
            yield serialise(url, "POST", "/api/v2/offices", body, access + keyed)


def prepared(requests: Iterator[bytes], number: int, *, again: bool) -> Iterator[bytes]:
    """The same requests with `number` of them made now; after those the rest as they come, or the same `again`."""
    ready = list(itertools.islice(requests, number))
    return itertools.cycle(ready) if again else itertools.chain(ready, requests)


class _Office(msgspec.Struct):
    id: int | str


class _Created(msgspec.Struct):
    office: _Office


class Acknowledged:
    """Writes a line `index id` for each create that was answered with 200, so that it can be looked for later."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="ascii")
        self._decode = msgspec.json.Decoder(_Created).decode

    def __call__(self, index: int, status: int, body: bytes) -> None:
        if status == 200:
            self._file.write(f"{index} {self._decode(body).office.id}\n")

    def close(self) -> None:
        self._file.close()


def read_acks(path: Path) -> dict[int, str]:
    """Index of the request to id of the office, as `Acknowledged` wrote them."""
    pairs = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {int(index): office for index, office in pairs}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="Put load on a server; JSON on stdout.")
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--count", type=int)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds that one answer may take")
    parser.add_argument("--kind", choices=["echo", "create", "create-keyed", "get", "page"], default="create")
    parser.add_argument("--key", default="", help="API key")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other bodies, names and mails")
    parser.add_argument("--currency", default="USD", help="of the primary office")
    parser.add_argument("--ids", type=Path, help="file of office ids (get) or cursors (page), one a line")
    parser.add_argument("--acks", type=Path, help="file to write `index id` to for each create answered with 200")
    parser.add_argument("--prepare", type=int, default=20_000, help="requests that are made before the clock starts")
    parser.add_argument("--repeat", action="store_true", help="send the prepared requests again rather than make more")
    given = parser.parse_args(arguments)
    if given.seconds is None and given.count is None:
        parser.error("one of --seconds and --count is needed")
    ids = tuple(given.ids.read_text().split()) if given.ids else ()
    if given.kind == "get" and not ids:
        parser.error("--kind get needs --ids")
    source = requests_of(given.kind, given.url, key=given.key, seed=given.seed, ids=ids, currency=given.currency)
    number = given.prepare if given.count is None else min(given.prepare, given.count)
    requests = prepared(source, number, again=given.repeat or given.kind in ("echo", "page"))
    acks = Acknowledged(given.acks) if given.acks else None
    gc.freeze()
    try:
        result = run(
            given.url,
            requests,
            connections=given.connections,
            seconds=given.seconds,
            count=given.count,
            timeout=given.timeout,
            on_answer=acks,
        )
    finally:
        if acks:
            acks.close()
    sys.stdout.buffer.write(msgspec.json.encode(result.summary()) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
