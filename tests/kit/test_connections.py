"""Connections are kept for the next request to the same place, in bounds, and never given out broken."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpcore
import pytest

from offhook.kit.connections import Connections
from tests.listening import listening

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Server:
    """A server on loopback that keeps its connections. `ended` counts those that were closed by the other side."""

    def __init__(self) -> None:
        self.connections = self.requests = self.ended = self.going = self.most = 0
        self.answer: Callable[[asyncio.StreamWriter], Awaitable[None]] = self._ok
        self.changed = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []
        self.url = ""

    async def _ok(self, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                self.going += 1
                self.most = max(self.most, self.going)
                self.changed.set()
                await self.answer(writer)
                self.going -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended += 1
            self.changed.set()
        finally:
            writer.close()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with listening(server.connected) as port:
        server.url = f"http://127.0.0.1:{port}/"
        yield server


def pool(**more: Any) -> Connections:
    return Connections(ssl.create_default_context(), httpcore.AnyIOBackend(), **more)


async def ask(connections: Connections, url: str, *, read: bool = True) -> int:
    headers = [("host", "x")]
    async with connections.stream("GET", url, headers=headers, content=b"") as answer:
        if read:
            async for _ in answer.aiter_stream():
                pass
        return answer.status


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_connection_is_used_again():
    async def story() -> None:
        async with serving() as one, serving() as two:
            connections = pool()
            for _ in range(3):
                assert await ask(connections, one.url) == 200
                assert await ask(connections, two.url) == 200
            assert (one.connections, one.requests, two.connections) == (1, 3, 1)
            await connections.aclose()
            await one.until(lambda: one.ended == 1)

    run(story)


def test_the_one_that_was_used_last_is_used_next():
    async def story() -> None:
        async with serving() as server:
            connections = pool()
            await asyncio.gather(*(ask(connections, server.url) for _ in range(5)))
            many = server.connections
            kept = next(reversed(connections._oldest))
            for _ in range(4):
                await ask(connections, server.url)
                assert next(reversed(connections._oldest)) is kept
            assert server.connections == many
            await connections.aclose()

    run(story)


def test_a_connection_that_the_other_side_has_ended_is_not_used_again():
    async def story() -> None:
        async with serving() as server:
            connections = pool()
            for number in range(3):
                assert await ask(connections, server.url) == 200
                assert server.connections == number + 1
                server.writers[-1].close()
                await server.writers[-1].wait_closed()
                await asyncio.sleep(0)
            await connections.aclose()

    run(story)


@pytest.mark.parametrize("seconds", [0.0])
def test_a_connection_that_was_kept_too_long_is_ended(seconds: float):
    async def story() -> None:
        async with serving() as server:
            connections = pool(seconds=seconds)
            await ask(connections, server.url)
            await ask(connections, server.url)
            assert server.connections == 2
            assert len(connections._oldest) <= 1
            await server.until(lambda: server.ended >= 1)
            await connections.aclose()

    run(story)


def test_an_old_connection_to_one_place_is_ended_by_requests_to_another():
    async def story() -> None:
        async with serving() as old, serving() as new:
            connections = pool(seconds=0.0)
            await ask(connections, old.url)
            await ask(connections, new.url)
            await old.until(lambda: old.ended == 1)
            assert connections._idle.keys() == {_place(new.url)} or not connections._idle
            await connections.aclose()

    run(story)


def _place(url: str) -> tuple[bytes, bytes, int]:
    origin = httpcore.URL(url).origin
    return origin.scheme, origin.host, origin.port


def test_no_more_are_kept_than_may_be_and_the_oldest_goes_first():
    async def story() -> None:
        async with serving() as one, serving() as two, serving() as three:
            connections = pool(idle=2)
            for server in (one, two, three):
                await ask(connections, server.url)
            await one.until(lambda: one.ended == 1)
            assert list(connections._oldest.values()) == [_place(two.url), _place(three.url)]
            assert connections._idle.keys() == {_place(two.url), _place(three.url)}
            await connections.aclose()

    run(story)


def test_no_more_requests_are_made_at_a_time_than_may_be():
    async def story() -> None:
        async with serving() as server:

            async def slow(writer: asyncio.StreamWriter) -> None:
                for _ in range(10):
                    await asyncio.sleep(0)
                writer.write(OK)

            server.answer = slow
            connections = pool(at_once=3)
            assert await asyncio.gather(*(ask(connections, server.url) for _ in range(12))) == [200] * 12
            assert server.most == 3
            assert server.connections == 3
            await connections.aclose()

    run(story)


def test_what_is_not_read_ends_the_connection():
    async def story() -> None:
        async with serving() as server:

            async def long(writer: asyncio.StreamWriter) -> None:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n" + b"x" * 10_000)

            server.answer = long
            connections = pool()
            assert await ask(connections, server.url, read=False) == 200
            assert not connections._oldest
            await server.until(lambda: server.ended == 1)
            await connections.aclose()

    run(story)


@pytest.mark.parametrize(
    "answer", [b"no http\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"]
)
def test_a_connection_that_cannot_go_on_is_not_kept(answer: bytes):
    async def story() -> None:
        async with serving() as server:

            async def odd(writer: asyncio.StreamWriter) -> None:
                writer.write(answer)

            server.answer = odd
            connections = pool(at_once=1)
            for _ in range(2):
                with suppress(httpcore.RemoteProtocolError):
                    await ask(connections, server.url)
                assert not connections._oldest
            assert server.connections == 2
            await connections.aclose()

    run(story)


def test_who_is_cancelled_ends_its_connection_and_leaves_its_place():
    async def story() -> None:
        async with serving() as server:

            async def never(_writer: asyncio.StreamWriter) -> None:
                await asyncio.Event().wait()

            server.answer = never
            connections = pool(at_once=1)
            doing = asyncio.ensure_future(ask(connections, server.url))
            waiting = asyncio.ensure_future(ask(connections, server.url))
            await server.until(lambda: server.going == 1)
            waiting.cancel()
            doing.cancel()
            for one in (doing, waiting):
                with pytest.raises(asyncio.CancelledError):
                    await one
            assert not connections._oldest
            server.answer = server._ok
            assert await ask(connections, server.url) == 200
            await connections.aclose()

    run(story)


def test_a_place_that_cannot_be_reached_takes_no_place():
    async def story() -> None:
        connections = pool(at_once=1)
        for _ in range(3):
            with pytest.raises(httpcore.ConnectError):
                await ask(connections, "http://127.0.0.1:1/")
        async with serving() as server:
            assert await ask(connections, server.url) == 200
        await connections.aclose()

    run(story)


def test_after_closing_nothing_is_kept():
    async def story() -> None:
        async with serving() as server:
            connections = pool()
            await ask(connections, server.url)
            asking = asyncio.Event()

            async def held(writer: asyncio.StreamWriter) -> None:
                await asking.wait()
                writer.write(OK)

            server.answer = held
            doing = asyncio.ensure_future(ask(connections, server.url))
            await server.until(lambda: server.requests == 2)
            await connections.aclose()
            asking.set()
            assert await doing == 200, "what is in use is done"
            assert not connections._oldest
            assert not connections._idle
            await server.until(lambda: server.ended == 1)

    run(story)


def test_giving_out_takes_as_long_with_many_kept_as_with_few():
    """Which is why this is not httpcore's own pool: it looks at each of them for every request."""

    async def story() -> None:
        async with serving() as server:
            connections = pool(idle=300)
            looked = 0

            async def held(writer: asyncio.StreamWriter) -> None:
                await server.until(lambda: server.requests >= 100)
                writer.write(OK)

            server.answer = held
            await asyncio.gather(*(ask(connections, server.url) for _ in range(100)))
            assert len(connections._oldest) == 100
            server.answer = server._ok
            original = httpcore.AsyncHTTPConnection.has_expired

            def counted(self: httpcore.AsyncHTTPConnection) -> bool:
                nonlocal looked
                looked += 1
                return original(self)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(httpcore.AsyncHTTPConnection, "has_expired", counted)
                await ask(connections, server.url)
            assert looked <= 2
            await connections.aclose()

    run(story)
