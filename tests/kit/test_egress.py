"""Calls out go to the open internet, or where the installation allows; never inside, however the address is dressed."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from offhook.kit.egress import Egress, NotAllowed, Received, Unreachable
from offhook.kit.places import Allowed, is_public
from tests.listening import closed

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(answer: bytes, *, head: list[bytes] | None = None, wait: bool = False) -> AsyncIterator[int]:
    """A web service on loopback that gives one answer to all; its port. With `wait` it never answers."""

    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.append(task)
        try:
            got = await reader.readuntil(b"\r\n\r\n")
            if head is not None:
                head.append(got)
            if wait:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        # A connection may be accepted only now, and its client be gone before it has sent anything.
        await closed(server)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        for task in serving:
            assert isinstance(task.exception(), asyncio.IncompleteReadError | None)


def reply(status: str = "200 OK", body: bytes = b"{}", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(url: str, allowed: str = "127.0.0.0/8", **more) -> Received:
    async def go() -> Received:
        egress = Egress(Allowed.read(allowed))
        try:
            return await egress.request("POST", url, **more)
        finally:
            await egress.close()

    return asyncio.run(go())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.0.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2001:0:7f00:1::1", "2001:db8::1", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is(address: str):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/",
    ],
)  # fmt: skip
def test_what_is_inside_is_not_called(url: str):
    with pytest.raises(NotAllowed, match="does not allow it"):
        ask(url, allowed="")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "http://user:word@example.com/", "http://2130706433/", "file:///x"]
)
def test_an_address_that_is_none_is_not_called(url: str):
    with pytest.raises(NotAllowed):
        ask(url)


def test_a_name_is_called_at_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch):
    """A name that leads elsewhere at the second look-up has no second look-up."""
    asked: list[str] = []

    async def go() -> Received:
        async def look_up(host: str, port: int, **_: object) -> list[object]:
            asked.append(host)
            return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        async with served(reply()) as port:
            egress = Egress(Allowed.read(f"rebinding.example:{port}"))
            got = await egress.request("GET", f"http://rebinding.example:{port}/")
            await egress.close()
        return got

    assert asyncio.run(go()).status == 200
    assert asked == ["rebinding.example"]


def test_a_name_with_one_address_inside_is_not_called_at_all(monkeypatch: pytest.MonkeyPatch):
    async def go() -> None:
        async def look_up(host: str, port: int, **_: object) -> list[object]:
            return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("10.0.0.7", port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        egress = Egress()
        with pytest.raises(NotAllowed):
            await egress.request("GET", "http://both.example/")
        await egress.close()

    asyncio.run(go())


def test_a_place_that_the_installation_allows_is_called():
    async def go() -> Received:
        head: list[bytes] = []
        async with served(reply(body=b'{"action":"end"}'), head=head) as port:
            egress = Egress(Allowed.read(f"localhost:1, 127.0.0.1:{port}"))
            got = await egress.request("POST", f"http://127.0.0.1:{port}/route", headers={"x-one": "1"}, body=b"{}")
            await egress.close()
        assert b"POST /route HTTP/1.1\r\n" in head[0]
        assert b"x-one: 1" in head[0].lower()
        assert f"host: 127.0.0.1:{port}".encode() in head[0].lower()
        return got

    got = asyncio.run(go())
    assert (got.status, got.body) == (200, b'{"action":"end"}')


def test_another_port_of_an_allowed_place_is_not():
    with pytest.raises(NotAllowed):
        ask("http://127.0.0.1:9/", allowed="127.0.0.1:8")


def test_a_redirect_is_checked_again():
    async def go() -> None:
        async with served(reply("302 Found", b"", "location: http://169.254.169.254/latest/")) as port:
            egress = Egress(Allowed.read(f"127.0.0.1:{port}"))
            with pytest.raises(NotAllowed):
                await egress.request("GET", f"http://127.0.0.1:{port}/", redirects=3)
            await egress.close()

    asyncio.run(go())


def test_redirects_without_end_are_given_up():
    async def go() -> None:
        async with served(reply("302 Found", b"", "location: /again")) as port:
            egress = Egress(Allowed.read(f"127.0.0.1:{port}"))
            with pytest.raises(Unreachable, match="more than 3 times"):
                await egress.request("GET", f"http://127.0.0.1:{port}/", redirects=3)
            await egress.close()

    asyncio.run(go())


def test_a_key_is_not_carried_to_another_host():
    async def go() -> None:
        head: list[bytes] = []
        async with served(reply(), head=head) as other:
            there = reply("307 Temporary Redirect", b"", f"location: http://localhost:{other}/")
            async with served(there, head=head) as port:
                egress = Egress(Allowed.read("127.0.0.0/8, ::1/128"))
                key = {"authorization": "Bearer word", "x-kept": "1"}
                await egress.request("POST", f"http://127.0.0.1:{port}/", headers=key, redirects=1)
                await egress.close()
        assert b"authorization" in head[0].lower()
        assert b"authorization" not in head[1].lower()
        assert b"x-kept" in head[1].lower()

    asyncio.run(go())


def test_an_answer_that_is_too_large_is_not_read_to_its_end():
    async def go() -> None:
        async with served(reply(body=b"x" * 5000)) as port:
            egress = Egress(Allowed.read(f"127.0.0.1:{port}"))
            with pytest.raises(Unreachable, match="more than 1000 bytes"):
                await egress.request("GET", f"http://127.0.0.1:{port}/", most=1000)
            await egress.close()

    asyncio.run(go())


def test_a_service_that_does_not_answer_is_given_up_in_time():
    async def go() -> None:
        async with served(b"", wait=True) as port:
            egress = Egress(Allowed.read(f"127.0.0.1:{port}"))
            with pytest.raises(Unreachable, match="no answer within"):
                await egress.request("GET", f"http://127.0.0.1:{port}/", seconds=0.05)
            await egress.close()

    asyncio.run(go())


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"])
def test_an_answer_that_is_none_is_said(answer: bytes):
    async def go() -> None:
        async with served(answer) as port:
            egress = Egress(Allowed.read(f"127.0.0.1:{port}"))
            with pytest.raises(Unreachable, match="the connection failed"):
                await egress.request("GET", f"http://127.0.0.1:{port}/")
            await egress.close()

    asyncio.run(go())


@pytest.mark.parametrize("text", ["somewhere", "10.0.0.0/40", "host:0", "host:99999", ":80"])
def test_what_is_allowed_must_be_a_network_or_a_place(text: str):
    with pytest.raises(ValueError):
        Allowed.read(text)
