"""HTTP/1.1 on the socket: uvicorn's httptools protocol with bounds for slow and oversized clients, and cheap refusals.

A refusal that needs no body (a used-up rate limit) leaves before any scope or task is made. Faults of HTTP itself are
answered in the v2 error form. Nothing here judges more of a request than its form: what to refuse is told from outside.
"""

import asyncio
import urllib.parse
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import httptools
import msgspec
from uvicorn._types import HTTPScope
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

Headers = list[tuple[bytes, bytes]]
Refuse = Callable[[bytes, bytes, Headers], bytes | None]
"""From method, raw request target and headers (names in lower case) to a complete response that keeps the connection
alive, or None to let the request pass. It runs on the event loop and must not block."""

DISCARD_LIMIT = 1024 * 1024
"""Bytes of a refused request's body that are read and dropped to keep the connection; for more it is closed."""

PIPELINE_LIMIT = 256
"""Requests that may wait on a connection for the answer to an earlier one."""

LINGER_SECONDS = 2.0
"""How long a connection whose last answer has left is still read, so that a reset does not overtake that answer."""

# What the connection is reading. From LINGER on, whatever arrives is dropped.
_IDLE, _HEAD, _BODY, _LINGER, _DOOMED = range(5)

_EXTENSIONS: dict[str, dict[object, object]] = {"offhook.response": {}}
_REASONS = {400: "badRequest", 408: "requestTimeout", 414: "uriTooLong", 431: "requestHeaderFieldsTooLarge"}


class _Abandon(Exception):
    """Leaves the parser in the middle of its input; the connection already knows why."""


class _Fault(_Abandon):
    """A request that breaks HTTP or a bound."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


WHOLE = "offhook.response"
"""An ASGI extension: one message of this type with status, headers and body is the whole answer, in one write."""


class _Cycle(RequestResponseCycle):
    """A request whose answer may also come whole."""

    async def send(self, message: Any) -> None:
        if message["type"] != WHOLE:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.waiting_for_100_continue:
            self.keep_alive = False
        body: bytes = message["body"]
        parts = [STATUS_LINE[message["status"]]]
        for name, value in (*self.default_headers, *message["headers"]):
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"content-length: %d\r\n" % len(body))
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if self.scope["method"] != "HEAD":
            parts.append(body)
        self.transport.write(b"".join(parts))
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


class _ExpectCycle(_Cycle):
    """A request that waits for leave to send its body.

    If the answer comes instead of leave, nobody knows whether a body follows: the connection must end with it.
    """

    async def send(self, message: Any) -> None:
        if self.waiting_for_100_continue and not self.response_started:
            self.keep_alive = False
        await super().send(message)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Times are kept by one sweep over all of a server's connections, not by a timer each.

    Bounds hold to within two sweeps, never early: a sweep comes five times in the shortest bound, at most every second.
    """

    head_seconds: ClassVar[float] = 15.0
    body_seconds: ClassVar[float] = 30.0
    head_bytes: ClassVar[int] = 16 * 1024
    head_count: ClassVar[int] = 100
    url_bytes: ClassVar[int] = 8 * 1024
    refuse: ClassVar[Refuse | None] = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self._refuse = type(self).refuse
        self._phase = _IDLE
        self._fresh = True
        self._discard = False
        self._last_words: bytes | None = None
        # `cycle` is the request that came last; this is the one that is being answered.
        self._active: RequestResponseCycle | None = None
        # Bytes received since the last thing of the message that could be counted, those of the chunk in hand, and
        # those of the chunk in which the message began.
        self._unseen = 0
        self._chunk = self._began = 0
        self._raw_root_path = self.root_path.encode("ascii")
        self._watch = _watch(server_state, self)
        self._since = self._watch.now
        self._stalled: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch.start()
        self._since = self._watch.now

    def connection_lost(self, exc: Exception | None) -> None:
        active = self._active
        if active is not None and not active.response_complete:
            active.disconnected = True
            active.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._phase == _DOOMED:
            # The request being answered lets reading go on whenever it asks for its body.
            self.flow.pause_reading()
            return
        while data and self._phase < _LINGER:
            self._chunk = len(data)
            self._unseen += self._chunk
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                data = data[upgrade.args[0] :]
                self._read_again_without_upgrade()
            except httptools.HttpParserError as error:
                self._broken(error)
            else:
                break
        # Trailers and chunk extensions count as well: neither is seen before it is complete.
        if self._unseen > self.head_bytes + self.url_bytes and _HEAD <= self._phase <= _BODY:
            if self._phase == _HEAD and len(self.url) > self.url_bytes:
                self._fail(414, f"The URL is longer than {self.url_bytes} bytes.")
            else:
                self._fail(431, f"The headers are longer than {self.head_bytes} bytes.")

    def on_message_begin(self) -> None:
        self._phase = _HEAD
        self._since = self._watch.now
        self._began, self._unseen = self._chunk, 0
        self._fresh = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self.parser
        # What came with its beginning and since bounds its head from above, so small requests are never measured.
        if self._began + self._unseen > self.url_bytes or len(self.headers) > self.head_count:
            self._measure()
        method = parser.get_method()
        if parser.should_upgrade():
            if method == b"CONNECT":
                raise _Fault(400, "CONNECT is not served here.")
            if self._should_upgrade():
                self.scope = self._scope(method, parser.get_http_version())
            return
        current = self.cycle
        free = current is None or current.response_complete  # type: ignore[redundant-expr]
        refuse = self._refuse
        # An answer must not overtake those before it, nor pile up before a client that does not read.
        if refuse is not None and free and not self.flow.write_paused:
            try:
                answer = refuse(method, self.url, self.headers)
            except Exception:
                self.logger.exception("The early refusal failed; the request takes the normal way")
                answer = None
            if answer is not None:
                self._answer_now(method, answer)
                return
        if not free and len(self.pipeline) >= PIPELINE_LIMIT:
            raise _Fault(400, f"More than {PIPELINE_LIMIT} requests wait on this connection.")

        version = parser.get_http_version()
        app = self.app
        if self.limit_concurrency is not None and (
            len(self.connections) >= self.limit_concurrency or len(self.tasks) >= self.limit_concurrency
        ):
            app = service_unavailable
            self.logger.warning("Exceeded concurrency limit.")
        self.scope = scope = self._scope(method, version)
        self._phase = _BODY
        self._since = self._watch.now
        # The parser hands trailers to on_header too: they must not reach a scope that the application already reads.
        self.headers = []
        make = _ExpectCycle if self.expect_100_continue else _Cycle
        self.cycle = cycle = make(
            scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            version != "1.0" and parser.should_keep_alive(),
            self.on_response_complete,
        )
        if free:
            self._active = cycle
            self._start_asgi_task(cycle, app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, app))

    def on_body(self, body: bytes) -> None:
        self._unseen = 0
        if self._discard:
            return
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self._phase == _HEAD:
            # An upgrade was asked for: the request has not begun as far as we are concerned.
            return
        self._phase = _IDLE
        self._since = self._watch.now
        if self._discard:
            self._discard = False
            return
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._since = self._watch.now
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._active = cycle
            self._start_asgi_task(cycle, app)
        elif self._last_words is not None:
            self._finish(self._last_words)
        else:
            # The client's time begins anew: until now it may have waited for us.
            self._since = self._watch.now

    def shutdown(self) -> None:
        if self._phase == _LINGER:
            self.transport.close()
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self._watch.now

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled = None

    def send_400_response(self, msg: str) -> None:
        self._fail(400, msg)

    # Requests

    def _scope(self, method: bytes, version: str) -> HTTPScope:
        url = self.url
        if url[:1] == b"/" and b"#" not in url:
            raw_path, _, query = url.partition(b"?")
        else:
            parsed = httptools.parse_url(url)
            raw_path, query = parsed.path, parsed.query or b""
        path = raw_path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,  # type: ignore[typeddict-item]
            "root_path": self.root_path,
            "headers": self.headers,
            "extensions": _EXTENSIONS,
            "state": self.app_state.copy(),
            "method": method.decode("ascii"),
            "path": self.root_path + path,
            "raw_path": self._raw_root_path + raw_path,
            "query_string": query,
        }

    def _measure(self) -> None:
        if len(self.url) > self.url_bytes:
            raise _Fault(414, f"The URL is longer than {self.url_bytes} bytes.")
        if len(self.headers) > self.head_count:
            raise _Fault(431, f"There are more than {self.head_count} headers.")
        if sum(len(name) + len(value) + 4 for name, value in self.headers) > self.head_bytes:
            raise _Fault(431, f"The headers are longer than {self.head_bytes} bytes.")

    def _answer_now(self, method: bytes, answer: bytes) -> None:
        """Write a refusal and arrange for the request's body to be dropped, or for the connection to end."""
        self.server_state.total_requests += 1
        if method == b"HEAD":
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        parser = self.parser
        # A client that asked for leave to send its body may now omit it, so what follows could not be told apart.
        ends = self.expect_100_continue or not parser.should_keep_alive() or parser.get_http_version() == "1.0"
        for name, value in self.headers:
            if name == b"transfer-encoding" or (
                name == b"content-length" and (len(value) > 7 or int(value) > DISCARD_LIMIT)
            ):
                ends = True
        if ends:
            self._finish(answer.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
            raise _Abandon
        self._discard = True
        self._phase = _BODY
        self._since = self._watch.now
        self.transport.write(answer)

    def _read_again_without_upgrade(self) -> None:
        """Serve a request whose wish for another protocol we do not grant (h2c, mostly) as plain HTTP/1.1.

        The parser takes such a request to end with its head and cannot be told otherwise, so a new one reads the head
        again without the wish, and then the body. Java's HTTP client sends one with every first request.
        """
        old = self.parser
        head = [old.get_method(), b" ", self.url, b" HTTP/", old.get_http_version().encode("ascii"), b"\r\n"]
        for name, value in self.headers:
            if name not in (b"upgrade", b"http2-settings"):
                head += [name, b": ", value, b"\r\n"]
        head.append(b"\r\n")
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self.parser.feed_data(b"".join(head))
        except httptools.HttpParserError as error:
            self._broken(error)

    # Endings

    def _broken(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__
        if isinstance(cause, _Fault):
            self._fail(cause.status, cause.message)
        elif not isinstance(cause, _Abandon):
            self.logger.warning("Invalid HTTP request received.")
            self._fail(400, "The request is not valid HTTP/1.1.")

    def _fail(self, status: int, message: str) -> None:
        """Answer a fault of the request that is being read, after the answers that are still due, and end."""
        answer = _fault_answer(status, message, self.server_state.default_headers)
        cycle = self.cycle
        answered = cycle is None or cycle.response_complete  # type: ignore[redundant-expr]
        if answered and self._phase == _BODY:
            # The request at fault has had its answer; only its body was still to be dropped.
            self._close()
        elif answered:
            self._finish(answer)
        elif self._phase != _BODY or self.pipeline:
            if self._phase == _BODY:
                # The request at fault still waits for its turn and never gets it.
                self.pipeline.popleft()
            self._last_words = answer
            self._phase = _DOOMED
            self.flow.pause_reading()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self.flow.resume_writing()
            if cycle.response_started:
                self._close()
            else:
                self._finish(answer)

    def _finish(self, answer: bytes) -> None:
        """Write the last answer, say that no more follows, and drop what the client still sends."""
        self._phase = _LINGER
        self._since = self._watch.now
        self.flow.resume_reading()
        self.transport.write(answer)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _close(self) -> None:
        self._phase = _LINGER
        self._since = self._watch.now
        self.transport.close()

    def _expire(self, now: float, slack: float) -> None:
        """End the connection if the client has kept it waiting for longer than it may."""
        phase, waited = self._phase, now - self._since - slack
        if self._stalled is not None and now - self._stalled - slack > self.body_seconds:
            self.transport.abort()
        elif self.transport.is_closing():
            # The client has as long for what is left of an answer as it would have for a body.
            if waited > self.body_seconds:
                self.transport.abort()
        elif phase == _LINGER:
            if waited > LINGER_SECONDS:
                self._close()
        elif phase == _BODY:
            if self.flow.read_paused or self.pipeline:
                self._since = now
            elif waited > self.body_seconds:
                self._fail(408, f"The body did not arrive within {self.body_seconds:g} seconds.")
        elif self.cycle is not None and not self.cycle.response_complete:  # type: ignore[redundant-expr]
            self._since = now
        elif phase == _HEAD:
            if waited > self.head_seconds:
                self._fail(408, f"The request line and headers did not arrive within {self.head_seconds:g} seconds.")
        elif waited > (self.head_seconds if self._fresh else self.timeout_keep_alive):
            self._close()


class _Watch:
    """Goes through one server's connections now and then, and keeps the time that they write down in between."""

    def __init__(self, state: ServerState, loop: asyncio.AbstractEventLoop, period: float) -> None:
        self._connections = state.connections
        self._loop = loop
        self._period = period
        self._running = False
        self.now = loop.time()

    def start(self) -> None:
        """Begin to watch, unless it goes on already; it ends by itself after the last connection."""
        if not self._running:
            self._running = True
            self.now = self._loop.time()
            self._loop.call_later(self._period, self._sweep)

    def _sweep(self) -> None:
        self.now = now = self._loop.time()
        for connection in list(self._connections):
            if isinstance(connection, BoundedProtocol):
                # The moments written down are up to one period old: that much is granted on top.
                connection._expire(now, self._period)
        self._running = bool(self._connections)
        if self._running:
            self._loop.call_later(self._period, self._sweep)


_watches: WeakKeyDictionary[ServerState, _Watch] = WeakKeyDictionary()


def _watch(state: ServerState, connection: BoundedProtocol) -> _Watch:
    found = _watches.get(state)
    if found is None:
        shortest = min(connection.head_seconds, connection.body_seconds, connection.timeout_keep_alive)
        found = _watches[state] = _Watch(state, connection.loop, min(max(shortest / 5, 0.02), 1.0))
    return found


def _fault_answer(status: int, message: str, default_headers: Headers) -> bytes:
    reason = _REASONS[status]
    error = {"domain": "global", "message": message, "reason": reason}
    body = msgspec.json.encode({"error": {"code": status, "errors": [error], "message": message}})
    return b"".join(
        (
            STATUS_LINE[status],
            *(b"%b: %b\r\n" % header for header in default_headers),
            b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body),
            body,
        )
    )


def configured(
    *,
    refuse: Refuse | None = None,
    head_seconds: float = BoundedProtocol.head_seconds,
    body_seconds: float = BoundedProtocol.body_seconds,
    head_bytes: int = BoundedProtocol.head_bytes,
    head_count: int = BoundedProtocol.head_count,
    url_bytes: int = BoundedProtocol.url_bytes,
) -> type[HttpToolsProtocol]:
    """The protocol class to give uvicorn as `http`, with these bounds and this early refusal.

    Seconds: from a connection or the first byte of a request to the end of its head (408), and from there to the end
    of its body (408). Bytes and count: of all headers together (431), of headers (431), of the request target (414).
    """
    return type(
        "ConfiguredProtocol",
        (BoundedProtocol,),
        {
            "refuse": None if refuse is None else staticmethod(refuse),
            "head_seconds": head_seconds,
            "body_seconds": body_seconds,
            "head_bytes": head_bytes,
            "head_count": head_count,
            "url_bytes": url_bytes,
        },
    )
