"""Connections to web servers that are kept for the next request to the same place.

httpcore speaks the protocol; its own pool looks at every connection, and asks the system about it, for every request,
which with a hundred of them costs several times the request.
"""

import asyncio
import ssl
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpcore

Connection = httpcore.AsyncHTTPConnection
Place = tuple[bytes, bytes, int]
"""Scheme, host and port."""


class Connections:
    """At most `at_once` requests at a time, further ones wait; at most `idle` connections are kept, for `seconds`.

    The one that was used last is used next, so that what is not needed ends.
    """

    def __init__(
        self,
        ssl_context: ssl.SSLContext,
        backend: httpcore.AsyncNetworkBackend,
        *,
        at_once: int = 500,
        idle: int = 100,
        seconds: float = 15.0,
    ) -> None:
        self._ssl, self._backend, self._most, self._seconds = ssl_context, backend, idle, seconds
        self._places = asyncio.Semaphore(at_once)
        self._idle: dict[Place, deque[Connection]] = {}
        self._oldest: OrderedDict[Connection, Place] = OrderedDict()
        self._closed = False

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        content: bytes | None,
        extensions: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[httpcore.Response]:
        """Send a request; the block reads its answer. What of it is not read ends the connection."""
        request = httpcore.Request(method, url, headers=headers, content=content, extensions=dict(extensions or {}))
        async with self._places:
            connection = await self._take(request.url.origin)
            try:
                answer = await connection.handle_async_request(request)
                try:
                    yield answer
                finally:
                    await answer.aclose()
            finally:
                await self._give_back(connection, request.url.origin)

    async def _take(self, origin: httpcore.Origin) -> Connection:
        place = _place(origin)
        kept = self._idle.get(place)
        while kept:
            connection = kept.pop()
            del self._oldest[connection]
            if not kept:
                del self._idle[place]
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return Connection(origin, ssl_context=self._ssl, keepalive_expiry=self._seconds, network_backend=self._backend)

    async def _give_back(self, connection: Connection, origin: httpcore.Origin) -> None:
        if self._closed or connection.is_closed() or not connection.is_idle():
            await connection.aclose()
            return
        place = _place(origin)
        self._idle.setdefault(place, deque()).append(connection)
        self._oldest[connection] = place
        while self._oldest:
            oldest, where = next(iter(self._oldest.items()))
            if len(self._oldest) <= self._most and not oldest.has_expired():
                return
            del self._oldest[oldest]
            self._idle[where].popleft()
            if not self._idle[where]:
                del self._idle[where]
            await oldest.aclose()

    async def aclose(self) -> None:
        """End what is kept now, and what is in use when it is done."""
        self._closed = True
        kept = list(self._oldest)
        self._oldest.clear()
        self._idle.clear()
        for connection in kept:
            await connection.aclose()


def _place(origin: httpcore.Origin) -> Place:
    # An origin can be compared, but is no key.
    return origin.scheme, origin.host, origin.port
