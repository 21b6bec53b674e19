"""A web service that workflows call in the benchmark: it answers at once, counts, and knows when each call came.

A process of its own: `python -m bench.target`. It says its port on standard output. `GET /seen` gives what came since
it was asked last as [path, moment] pairs, moments being seconds of the clock that all processes of a machine share;
`GET /count` how many calls there were.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httptools
import msgspec
import uvloop

ANSWER = b'{"ok":true,"value":41}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Service:
    """What came so far."""

    def __init__(self) -> None:
        self.count = 0
        self.seen: list[tuple[str, float]] = []


class Connection(asyncio.Protocol):
    """One client; requests on it are answered in turn."""

    def __init__(self, service: Service) -> None:
        self._service, self._path = service, b""
        self._parser = httptools.HttpRequestParser(self)
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path = b""

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_message_complete(self) -> None:
        service, path = self._service, self._path.decode("latin-1")
        if path == "/count":
            body = b"%d" % service.count
        elif path == "/seen":
            body, service.seen = msgspec.json.encode(service.seen), []
        else:
            service.count += 1
            service.seen.append((path, time.monotonic()))
            body = ANSWER
        self._transport.write(_HEAD % len(body) + body)


@contextlib.contextmanager
def target() -> Iterator[str]:
    """The process; the block gets its URL."""
    process = subprocess.Popen([sys.executable, "-m", "bench.target"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)


async def _serve() -> None:
    service = Service()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(service), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
