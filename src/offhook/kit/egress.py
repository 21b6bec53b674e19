"""Calls out at somebody's word: web services of companies, webhooks, test requests. One guarded client for all.

A name is looked up once and the connection goes to the very address that was checked, so that no name can lead inside
by answering differently the second time. Addresses that are not public are refused unless the installation allows them.
Time, size and redirects are bounded, and a redirect is a new request with a new check.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin, urlsplit

import certifi
import httpcore

from offhook.kit.places import Address, Allowed, is_public
from offhook.kit.urls import check_url

_MOST_ADDRESSES = 16


class EgressError(Exception):
    """A call out that failed; the text says why, in words for who asked for it."""


class NotAllowed(EgressError):
    """The address may not be called from here."""


class Unreachable(EgressError):
    """No answer came, or none that can be used."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came back. Header names are lower-case; `url` is where it came from in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that were checked."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        last: Exception | None = None
        for address in await self._addresses(host, port):
            try:
                return await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise Unreachable(f"no connection to {host} on port {port}") from last

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise NotAllowed("sockets of this machine are not called")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a host, all of which may be called; NotAllowed if one of them may not."""
        try:
            found = [ipaddress.ip_address(host.strip("[]"))]
        except ValueError:
            try:
                infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError:
                raise Unreachable(f"the name {host} is not known") from None
            found = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos[:_MOST_ADDRESSES]]
        for address in found:
            if not is_public(address) and not self._allowed.permits(host, address, port):
                raise NotAllowed(f"{host} is not on the open internet, and this installation does not allow it")
        return found


class Egress:
    """The client. One for a process; `close` it at the end."""

    def __init__(self, allowed: Allowed | None = None) -> None:
        self._allowed = allowed or Allowed()

    @cached_property
    def _pool(self) -> httpcore.AsyncConnectionPool:
        # Made at the first call: reading the authorities' certificates takes longer than many a command.
        return httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(cafile=certifi.where()),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
            network_backend=_Backend(self._allowed),
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        seconds: float = 10.0,
        most: int = 1_000_000,
        redirects: int = 0,
    ) -> Received:
        """Ask, and read an answer of at most `most` bytes, all within `seconds`; follow up to `redirects`.

        Raises NotAllowed and Unreachable. A redirect becomes a GET without a body, except 307 and 308.
        """
        try:
            async with asyncio.timeout(seconds):
                for _ in range(redirects + 1):
                    got = await self._once(method, url, headers or {}, body, most)
                    target = got.headers.get("location")
                    if got.status not in (301, 302, 303, 307, 308) or not target or not redirects:
                        return got
                    if got.status not in (307, 308):
                        method, body = "GET", b""
                    before, url = urlsplit(url).netloc, urljoin(url, target)
                    if urlsplit(url).netloc != before:
                        headers = {k: v for k, v in (headers or {}).items() if k.lower() not in _FOR_ONE_HOST}
                raise Unreachable(f"it was redirected more than {redirects} times")
        except TimeoutError:
            raise Unreachable(f"no answer within {seconds:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise Unreachable(f"the connection failed: {type(error).__name__}") from error

    async def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes, most: int) -> Received:
        checked, fault = check_url(url, "url")
        if checked is None:
            raise NotAllowed(fault.message if fault is not None else "the address cannot be used")
        parts = urlsplit(checked)
        sent = [("host", parts.netloc), *headers.items(), ("content-length", str(len(body)))]
        async with self._pool.stream(method, checked, headers=sent, content=body) as answer:
            received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            parts_read: list[bytes] = []
            size = 0
            async for part in answer.aiter_stream():
                size += len(part)
                if size > most:
                    raise Unreachable(f"the answer has more than {most} bytes")
                parts_read.append(part)
        return Received(answer.status, received, b"".join(parts_read), checked)

    async def close(self) -> None:
        """End all connections."""
        if "_pool" in self.__dict__:
            await self._pool.aclose()


_FOR_ONE_HOST = frozenset({"authorization", "cookie", "proxy-authorization"})
