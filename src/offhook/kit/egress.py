"""Calls out at somebody's word: web services of companies, webhooks, test requests. One guarded client for all.

A name is looked up once and the connection goes to the very address that was checked, so that no name can lead inside
by answering differently the second time. Addresses that are not public are refused unless the installation allows them.
Time, size and redirects are bounded, and a redirect is a new request with a new check.
"""

import asyncio
import ipaddress
import logging
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import certifi
import httpcore

from offhook.kit import clock
from offhook.kit.connections import Connections
from offhook.kit.places import Address, Allowed, is_public
from offhook.kit.urls import check_url

_MOST_ADDRESSES = 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WRITTEN = "".join(map(chr, range(128)))
"""Characters that an address has as they are; whether they may be there is judged later."""

_UNPACKED = frozenset({"", "identity"})
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""Encodings that are undone, with the window bits by which zlib knows them."""

Headers = Sequence[tuple[str, str]]

# It would log the heads of answers, in which whatever was sent may come back.
logging.getLogger("httpcore").setLevel(logging.WARNING)


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


@dataclass(slots=True)
class Timings:
    """Where the time of a call went, in milliseconds: of its last request, but `whole`, which is of all redirects too.

    `dns`, `connect` and `tls` are 0 where a connection was there already, `tls` also without it. `first_byte` is from
    the request's last byte to the head of its answer.
    """

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    whole: float = 0.0


@dataclass(slots=True)
class Exchange:
    """What became of a call that is shown to a person, whole or not.

    `status` is 0 if no answer began. `headers` are those of the answer in their order, repeated ones too. `body` is
    unpacked, and at most as long as was asked for: `cut` says that there was more. `size` are the bytes of it that came
    over the wire. `error` says in words why it did not end well; `refused` that it was not let out. `redirects` are the
    addresses that it was sent on from, with the status that did it; `url` is where it ended.
    """

    url: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: bool = False
    size: int = 0
    redirects: tuple[tuple[int, str], ...] = ()
    timings: Timings = field(default_factory=Timings)
    error: str = ""
    refused: bool = False


_timing: ContextVar[Timings | None] = ContextVar("offhook_egress_timings", default=None)
"""Of the call whose connection is being made; connections are made in the task of whoever asks."""


_opened: ContextVar[list[httpcore.AsyncNetworkStream] | None] = ContextVar("offhook_egress_opened", default=None)
"""What was opened for the request that is under way."""


@asynccontextmanager
async def _leaving_nothing_open() -> AsyncIterator[None]:
    """Ends what the block has opened if the block fails: the pool forgets a connection that is given up in its making,
    and a target that never ends the handshake of TLS would hold one for each request.
    """
    opened: list[httpcore.AsyncNetworkStream] = []
    token = _opened.set(opened)
    try:
        yield
    except BaseException:
        for stream in opened:
            with suppress(OSError, httpcore.NetworkError):
                await stream.aclose()
        raise
    finally:
        _opened.reset(token)


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
        timings = _timing.get() or Timings()
        begun = clock.monotonic()
        addresses = await self._addresses(host, port)
        timings.dns = _since(begun)
        begun = clock.monotonic()
        for address in addresses:
            try:
                stream = await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
            else:
                if (opened := _opened.get()) is not None:
                    opened.append(stream)
                return stream
            finally:
                timings.connect = _since(begun)
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
                raise NotAllowed(
                    f"{host} is not on the open internet, and this installation does not allow it, as its setting "
                    f"egress_allow does not name {host}:{port}"
                )
        return found


class Egress:
    """The client. One for a process; `close` it at the end."""

    def __init__(self, allowed: Allowed | None = None) -> None:
        self._allowed = allowed or Allowed()

    def refuses(self, host: str, port: int) -> bool:
        """Whether a host may not be called, as far as that is known without looking its name up."""
        try:
            address = ipaddress.ip_address("127.0.0.1" if host.lower() == "localhost" else host.strip("[]"))
        except ValueError:
            return False
        return not is_public(address) and not self._allowed.permits(host, address, port)

    @cached_property
    def _pool(self) -> Connections:
        # Made at the first call: reading the authorities' certificates takes longer than many a command.
        return Connections(ssl.create_default_context(cafile=certifi.where()), _Backend(self._allowed))

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
        private: frozenset[str] = frozenset(),
    ) -> Received:
        """Ask, and read an answer of at most `most` bytes, unpacked, all within `seconds`; follow up to `redirects`.

        Raises NotAllowed and Unreachable. A redirect becomes a GET without a body, except 307 and 308. `private` are
        names of headers, in lower case, that go to the first origin only, as those for authorization do.
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
                    before = url
                    try:
                        url = urljoin(before, target)
                        elsewhere = _origin(url) != _origin(before)
                    except ValueError:
                        raise NotAllowed("it was redirected to what is no address") from None
                    if elsewhere:
                        secret = private | _FOR_ONE_HOST
                        headers = {k: v for k, v in (headers or {}).items() if k.lower() not in secret}
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
        sent = [("host", parts.netloc), *headers.items(), *_length(method, body)]
        async with (
            _leaving_nothing_open(),
            self._pool.stream(method, checked, headers=sent, content=body or None) as answer,
        ):
            received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            parts_read: list[bytes] = []
            size = 0
            async for part in answer.aiter_stream():
                size += len(part)
                if size > most:
                    raise Unreachable(f"the answer has more than {most} bytes")
                parts_read.append(part)
        data = b"".join(parts_read)
        if encoding := received.get("content-encoding"):
            data = await asyncio.to_thread(unpacked, data, encoding, most)
        return Received(answer.status, received, data, checked)

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        seconds: float = 30.0,
        most: int = 5_000_000,
        redirects: int = 5,
        private: frozenset[str] = frozenset(),
        connect: float = 0.0,
        bound: bool = False,
        carries: Callable[[str], bool] = lambda url: False,
    ) -> Exchange:
        """Ask for somebody who wants to see what happens: never raises for a target, and says how far it came.

        Of the answer at most `most` bytes are kept, unpacked; then the connection is ended. `private` are headers, in
        lower case, that go to the first origin (scheme, host and port) only, whatever redirects there are, as those
        that identify somebody always do. A `bound` body does not leave it either, and `carries` tells of an address
        whether it has what must not go to another origin: such redirects are refused. Making a connection may take
        `connect` seconds, if that is not 0. Cancelling ends the connection.
        """
        done = Exchange(url)
        begun = clock.monotonic()
        try:
            async with asyncio.timeout(seconds):
                call = _Call(method, list(headers), body, most, connect)
                await self._follow(done, call, redirects, private | _FOR_ONE_HOST, bound, carries)
        except EgressError as error:
            done.error, done.refused = _sentence(error), isinstance(error, NotAllowed)
        except TimeoutError:
            came = f"; {done.size} bytes of it had come" if done.status else ""
            done.error = f"There was no whole answer within {seconds:g} s{came}."
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            done.error = _fault(error, begun=bool(done.status))
        finally:
            done.timings.whole = _since(begun)
        return done

    async def _follow(
        self,
        done: Exchange,
        call: "_Call",
        redirects: int,
        private: frozenset[str],
        bound: bool,
        carries: Callable[[str], bool],
    ) -> None:
        begun = _origin(done.url)
        for left in range(redirects, -1, -1):
            await self._show(done, call)
            if done.status not in _REDIRECTS or not redirects:
                return
            target = next((value for name, value in done.headers if name.lower() == "location"), "")
            if not target:
                return
            if not left:
                raise Unreachable(f"it was redirected more than {redirects} times")
            if call.method != "HEAD" and (done.status == 303 or (done.status in (301, 302) and call.method == "POST")):
                call.method, call.body = "GET", b""
                call.headers = [(name, value) for name, value in call.headers if name.lower() != "content-type"]
            before = done.url
            try:
                # What is not ASCII in it came as bytes of UTF-8.
                following = quote(urljoin(before, target).encode("latin-1", "replace"), safe=_WRITTEN)
            except ValueError:
                raise NotAllowed("it was redirected to what is no address") from None
            if _origin(following) != begun and carries(following):
                raise NotAllowed("it was redirected to another place with the secret of its credential in the address")
            done.redirects = (*done.redirects, (done.status, before))
            done.url = following
            if _origin(done.url) != _origin(before):
                call.headers = [(name, value) for name, value in call.headers if name.lower() not in private]
                if bound and call.body:
                    raise NotAllowed("it was redirected to another place, for which what is sent is not meant")

    async def _show(self, done: Exchange, call: "_Call") -> None:
        done.status, done.headers, done.body, done.size, done.cut = 0, (), b"", 0, False
        done.timings = timings = Timings()
        checked, fault = check_url(done.url, "url")
        if checked is None:
            raise NotAllowed(fault.message if fault is not None else "the address cannot be used")
        done.url = checked
        names = {name.lower() for name, _ in call.headers}
        sent = [("host", urlsplit(checked).netloc), *call.headers]
        sent += [] if "accept-encoding" in names else [("accept-encoding", "gzip, deflate")]
        sent += [] if "user-agent" in names else [("user-agent", "offhook")]
        sent += _length(call.method, call.body)
        extensions: dict[str, Any] = {"trace": _Trace(timings).note}
        if call.connect:
            extensions["timeout"] = {"connect": call.connect}
        token = _timing.set(timings)
        try:
            async with (
                _leaving_nothing_open(),
                self._pool.stream(
                    call.method, checked, headers=sent, content=call.body or None, extensions=extensions
                ) as answer,
            ):
                done.status = answer.status
                done.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in answer.headers)
                await self._read(done, answer, call.most)
        finally:
            _timing.reset(token)

    @staticmethod
    async def _read(done: Exchange, answer: httpcore.Response, most: int) -> None:
        stream: AsyncIterator[bytes] = answer.aiter_stream()
        parts: list[bytes] = []
        kept = 0
        unpacking = _Unpacking([value for name, value in done.headers if name.lower() == "content-encoding"])
        try:
            async for part in stream:
                done.size += len(part)
                # One byte more than is kept tells that there is more.
                part = unpacking.part(part, most + 1 - kept)
                parts.append(part)
                kept += len(part)
                if kept > most:
                    done.cut = True
                    return
        finally:
            done.body = b"".join(parts)[:most]

    async def close(self) -> None:
        """End all connections."""
        if "_pool" in self.__dict__:
            await self._pool.aclose()


@dataclass(slots=True)
class _Call:
    """What is sent next, as redirects have made it."""

    method: str
    headers: list[tuple[str, str]]
    body: bytes
    most: int
    connect: float


class _Trace:
    """Notes when the steps of a request begin and end, as httpcore tells them."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._begun = self._sent = clock.monotonic()

    async def note(self, event: str, _info: Mapping[str, Any]) -> None:
        _, _, step = event.partition(".")
        if step == "start_tls.started":
            self._begun = clock.monotonic()
        elif step == "start_tls.complete":
            self._timings.tls = _since(self._begun)
        elif step == "send_request_body.complete":
            self._sent = clock.monotonic()
        elif step == "receive_response_headers.complete":
            self._timings.first_byte = _since(self._sent)


class _Unpacking:
    """Undoes one encoding, and never makes more of it than there is room for."""

    def __init__(self, encodings: Sequence[str]) -> None:
        named = [one.strip().lower() for text in encodings for one in text.split(",")]
        named = [one for one in named if one not in _UNPACKED]
        # What is packed twice, or in a way that was not asked for, is shown as it came.
        bits = _PACKED.get(named[0]) if len(named) == 1 else None
        self._packed = None if bits is None else zlib.decompressobj(bits)
        self._deflate = named == ["deflate"]

    @property
    def is_whole(self) -> bool:
        """Whether the end of what is packed has come."""
        return self._packed is None or self._packed.eof

    def part(self, data: bytes, room: int) -> bytes:
        """The next part unpacked, as far as there is room; Unreachable if it is not packed as it is said to be."""
        if self._packed is None:
            return data[:room]
        try:
            return self._packed.decompress(data, room)
        except zlib.error:
            if self._deflate:
                # Some send it bare, without the frame that its name stands for.
                self._deflate, self._packed = False, zlib.decompressobj(-15)
                return self.part(data, room)
            raise Unreachable("the answer is not compressed in the way that its head says") from None


def unpacked(data: bytes, encoding: str, most: int) -> bytes:
    """A whole body without its encoding ("gzip"); Unreachable if it comes to more than `most` bytes, or breaks off."""
    unpacking = _Unpacking([encoding])
    plain = unpacking.part(data, most + 1)
    if len(plain) > most:
        raise Unreachable(f"the answer has more than {most} bytes once it is unpacked")
    if not unpacking.is_whole:
        raise Unreachable("the answer is packed, and breaks off in the midst")
    return plain


def _length(method: str, body: bytes) -> list[tuple[str, str]]:
    """How long a body is; nothing for a method that has none (RFC 9110, 8.6)."""
    return [("content-length", str(len(body)))] if body or method in ("POST", "PUT", "PATCH") else []


def _since(begun: float) -> float:
    return (clock.monotonic() - begun) * 1000


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _fault(error: Exception, *, begun: bool) -> str:
    """What broke a connection, in words."""
    certificate: BaseException | None = error
    while certificate is not None and not isinstance(certificate, ssl.SSLError):
        certificate = certificate.__cause__ or certificate.__context__
    if isinstance(certificate, ssl.SSLCertVerificationError):
        return f"Its certificate does not hold: {certificate.verify_message}."
    if isinstance(certificate, ssl.SSLError):
        return "No secure connection came about: the other side does not speak TLS as it should."
    if isinstance(error, httpcore.RemoteProtocolError):
        text = "The answer broke off, or is not as long as its head says" if begun else "What came is no HTTP answer"
        return f"{text}."
    return "The connection broke off." if begun else f"The connection failed: {type(error).__name__}."


_FOR_ONE_HOST = frozenset({"authorization", "cookie", "proxy-authorization"})
