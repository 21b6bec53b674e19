"""The socket as clients meet it: slow ones, broken ones, greedy ones, those that are refused before they are read."""

import asyncio
import contextlib
import json
import resource
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from offhook.kit import clock
from offhook.kit.protocol import DISCARD_LIMIT, Refuse, configured

PATIENCE = 10.0
BOUND = 0.2
KEEP_ALIVE = 0.5
HUGE = 64 * 1024 * 1024
BEYOND_BUFFERS = 16 * 1024 * 1024
ROOMY = {"head_seconds": 60.0, "body_seconds": 60.0}
REFUSAL = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 7\r\n\r\nrefused"


def refuse(method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes | None:
    if url == b"/mistake":
        raise RuntimeError("a mistake in the hook")
    return REFUSAL if url == b"/refused" else None


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A raw connection; everything it waits for has a deadline."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self._read = b""

    def send(self, *data: bytes) -> None:
        for part in data:
            self.socket.sendall(part)

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._read += data
        return bool(data)

    def answer(self, to: str = "GET") -> Answer:
        while b"\r\n\r\n" not in self._read:
            assert self._more(), f"closed after {self._read!r}"
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert status.startswith("HTTP/1.1 ")
        code = int(status.split()[1])
        length = 0 if to == "HEAD" or code == 100 else int(headers["content-length"])
        while len(self._read) < length:
            assert self._more(), f"closed in the body after {self._read!r}"
        body, self._read = self._read[:length], self._read[length:]
        return Answer(code, headers, body)

    def closed(self) -> bool:
        """Whether the server ends the connection without another word."""
        return not self._read and not self._more()


class Application:
    """Echoes the path and the body. `/held` is answered once the test says so."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.scopes: list[dict] = []
        self.release = threading.Event()
        self.entered = threading.Event()

    async def __call__(self, scope, receive, send) -> None:
        assert scope["type"] == "http"
        self.scopes.append(scope)
        body, more = b"", scope["path"] != "/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        if scope["path"] == "/held":
            self.entered.set()
            await asyncio.get_running_loop().run_in_executor(None, self.release.wait, PATIENCE)
        parts = [bytes(HUGE // 64)] * 64 if scope["path"] == "/huge" else [scope["path"].encode(), b" ", body]
        headers = [(b"content-length", b"%d" % sum(map(len, parts)))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Running:
    """A uvicorn server on a port of the loopback address, in a thread."""

    def __init__(self, **bounds) -> None:
        self.application = Application()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self._listener.getsockname()[1]
        keep_alive = bounds.pop("keep_alive", 60)
        hook: Refuse | None = bounds.pop("refuse", refuse)
        config = uvicorn.Config(
            self.application,
            http=configured(refuse=hook, **bounds),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=keep_alive,
            timeout_graceful_shutdown=1,
            backlog=4096,
        )
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.server.run, args=([self._listener],))
        self._clients: list[Client] = []

    def client(self, receive_buffer: int | None = None) -> Client:
        client = Client(self.port, receive_buffer)
        self._clients.append(client)
        return client

    def disconnect(self) -> None:
        for client in self._clients:
            client.socket.close()
        self._clients.clear()

    def __enter__(self) -> "Running":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.application.release.set()
        self.disconnect()
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        self._listener.close()
        assert not self._thread.is_alive()


@pytest.fixture(scope="module")
def _roomy() -> Iterator[Running]:
    with Running(**ROOMY) as server:
        yield server


@pytest.fixture
def server(_roomy: Running) -> Iterator[Running]:
    """A server whose time bounds are out of the way."""
    _roomy.application.release.clear()
    _roomy.application.entered.clear()
    yield _roomy
    _roomy.application.release.set()
    _roomy.disconnect()


@pytest.fixture(scope="module")
def _strict() -> Iterator[Running]:
    with Running(head_seconds=BOUND, body_seconds=BOUND, keep_alive=KEEP_ALIVE) as server:
        yield server


@pytest.fixture
def strict(_strict: Running) -> Iterator[Running]:
    """A server that waits no longer than it takes to test that it does not."""
    _strict.application.release.clear()
    _strict.application.entered.clear()
    yield _strict
    _strict.application.release.set()
    _strict.disconnect()


def get(path: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    return b"\r\n".join((b"GET %b HTTP/%b" % (path, version), b"Host: offhook", *headers, b"", b""))


def post(path: bytes, body: bytes, *headers: bytes) -> bytes:
    head = (b"POST %b HTTP/1.1" % path, b"Host: offhook", b"Content-Length: %d" % len(body), *headers, b"", b"")
    return b"\r\n".join(head) + body


def assert_fault(answer: Answer, status: int, reason: str) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    error = json.loads(answer.body)["error"]
    assert error["code"] == status
    assert error["message"]
    assert error["errors"] == [{"domain": "global", "message": error["message"], "reason": reason}]


# Ordinary requests


def test_a_request_reaches_the_application_as_it_was_sent(server: Running):
    client = server.client()
    client.send(post(b"//api/v2/off%20ices?a=1&b=%2F", b'{"name": 1}', b"X-Thing: One", b"X-Thing: two"))
    assert client.answer().body == b'//api/v2/off ices {"name": 1}'
    scope = server.application.scopes[-1]
    assert scope["raw_path"] == b"//api/v2/off%20ices"
    assert scope["query_string"] == b"a=1&b=%2F"
    assert (scope["method"], scope["http_version"], scope["scheme"]) == ("POST", "1.1", "http")
    assert scope["client"][0] == "127.0.0.1"
    assert [value for name, value in scope["headers"] if name == b"x-thing"] == [b"One", b"two"]


def test_a_target_with_its_host_is_read_like_one_without(server: Running):
    client = server.client()
    client.send(get(b"http://offhook/path?q=1"))
    assert client.answer().body == b"/path "
    assert server.application.scopes[-1]["query_string"] == b"q=1"


def test_many_requests_follow_each_other_on_one_connection(server: Running):
    client = server.client()
    for n in range(20):
        client.send(post(b"/%d" % n, b"x" * n * 1000))
        assert client.answer().body == b"/%d " % n + b"x" * n * 1000


def test_pipelined_requests_are_answered_in_order(server: Running):
    client = server.client()
    client.send(b"".join(post(b"/%d" % n, b"body") for n in range(20)))
    assert [client.answer().body for _ in range(20)] == [b"/%d body" % n for n in range(20)]


def test_a_chunked_body_is_read_and_its_trailers_do_not_become_headers(server: Running):
    client = server.client()
    client.send(b"POST /chunked HTTP/1.1\r\nHost: offhook\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-Admin: yes\r\n\r\n", get(b"/next"))
    assert client.answer().body == b"/chunked abcde"
    assert b"x-admin" not in dict(server.application.scopes[-1]["headers"])
    assert client.answer().body == b"/next "


@pytest.mark.parametrize("request_bytes", [get(b"/", version=b"1.0"), get(b"/", b"Connection: close")])
def test_a_client_that_wants_the_connection_closed_gets_it_closed(server: Running, request_bytes):
    client = server.client()
    client.send(request_bytes)
    assert client.answer().headers["connection"] == "close"
    assert client.closed()


@pytest.mark.parametrize("pieces", [1, 2, 50])
def test_a_wish_for_http_2_is_not_granted_and_costs_no_body(server: Running, pieces):
    client = server.client()
    wish = (
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA",
    )
    data = post(b"/java", b"the body", *wish) + get(b"/next")
    size = len(data) // pieces + 1
    client.send(*(data[at : at + size] for at in range(0, len(data), size)))
    assert [client.answer().body, client.answer().body] == [b"/java the body", b"/next "]


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(server: Running):
    client = server.client()
    head, body = post(b"/asked", b"x" * 100, b"Expect: 100-continue")[:-100], b"x" * 100
    client.send(head)
    assert client.answer().status == 100
    client.send(body, get(b"/next"))
    assert client.answer().body == b"/asked " + body
    assert client.answer().body == b"/next "


def test_a_client_that_asked_and_was_answered_instead_is_not_misread(server: Running):
    client = server.client()
    client.send(post(b"/unread", b"x" * 100, b"Expect: 100-continue")[:-100])
    answer = client.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert client.closed()


# Slow clients


def test_a_head_that_does_not_end_is_answered_408_and_closed(strict: Running):
    client = strict.client()
    client.send(b"GET / HTTP/1.1\r\nHost: off")
    assert_fault(client.answer(), 408, "requestTimeout")
    assert client.closed()


def test_a_head_that_drips_is_closed_all_the_same(strict: Running):
    client = strict.client()
    client.send(b"GET / HTTP/1.1\r\n")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while not select.select([client.socket], [], [], 0.02)[0]:
            client.send(b"X: y\r\n")
    assert_fault(client.answer(), 408, "requestTimeout")


def test_a_body_that_does_not_come_is_answered_408_and_closed(strict: Running):
    client = strict.client()
    client.send(post(b"/", b"x" * 100)[:-50])
    assert_fault(client.answer(), 408, "requestTimeout")
    assert client.closed()


def test_the_body_of_a_refused_request_that_does_not_come_ends_the_connection_without_a_second_answer(strict: Running):
    client = strict.client()
    client.send(post(b"/refused", b"x" * 100)[:-50])
    assert client.answer().status == 429
    assert client.closed()


@pytest.mark.parametrize("first", [b"", b"\r\n", get(b"/")])
def test_an_idle_connection_is_closed_without_a_word(strict: Running, first):
    client = strict.client()
    client.send(first)
    if len(first) > 2:
        assert client.answer().status == 200
    assert client.closed()


def test_a_second_request_has_its_own_time_and_the_same_bound(strict: Running):
    client = strict.client()
    client.send(get(b"/one"), b"GET /two HTTP/1.1\r\n")
    assert client.answer().body == b"/one "
    assert_fault(client.answer(), 408, "requestTimeout")


def test_a_client_is_not_blamed_for_a_slow_answer(strict: Running):
    client, witness = strict.client(), strict.client()
    client.send(get(b"/held"), get(b"/after"), post(b"/unfinished", b"x" * 100)[:-50])
    assert strict.application.entered.wait(PATIENCE)
    # The witness starts later and runs out of time, so the other would have too.
    witness.send(b"GET /")
    assert_fault(witness.answer(), 408, "requestTimeout")
    client.send(b"x" * 50)
    strict.application.release.set()
    assert [client.answer().body for _ in range(3)] == [b"/held ", b"/after ", b"/unfinished " + b"x" * 100]


def test_a_client_that_does_not_read_its_answer_is_cut_off(strict: Running):
    client = strict.client(receive_buffer=4096)
    client.send(get(b"/huge"))
    for _ in range(3):
        # Each of these is cut off after the bound, which shows how much time has passed.
        witness = strict.client()
        witness.send(b"GET /")
        assert_fault(witness.answer(), 408, "requestTimeout")
    received = 0
    with contextlib.suppress(ConnectionResetError):
        while data := client.socket.recv(1024 * 1024):
            received += len(data)
    assert received < HUGE


def test_a_client_that_is_answered_for_good_but_never_leaves_is_cut_off(strict: Running):
    client = strict.client()
    client.send(b"NONSENSE\r\n\r\n")
    assert client.answer().status == 400
    poll = select.poll()
    poll.register(client.socket, select.POLLHUP | select.POLLERR)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        # Only a server that has closed altogether answers with a reset.
        deadline = clock.monotonic() + PATIENCE
        while not poll.poll(20):
            assert clock.monotonic() < deadline
            client.send(b"x")


def test_two_thousand_idle_connections_leave_the_others_served():
    connections = 2000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * connections + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"only {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    try:
        with Running(**ROOMY) as server:
            for n in range(connections):
                idle = server.client()
                if n % 2:
                    idle.send(b"GET / HTTP/1.1\r\nHost: o")
            client = server.client()
            slowest = 0.0
            for _ in range(200):
                began = clock.monotonic()
                client.send(get(b"/served"))
                assert client.answer().body == b"/served "
                slowest = max(slowest, clock.monotonic() - began)
            assert len(server.server.server_state.connections) == connections + 1
            assert slowest < 2.0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Broken and oversized requests


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/3.7\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: offhook\r\n\r\n",
        b"CONNECT offhook:443 HTTP/1.1\r\nHost: offhook\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_not_http_is_answered_400_in_the_v2_form(server: Running, data):
    client = server.client()
    client.send(data)
    assert_fault(client.answer(), 400, "badRequest")
    assert client.closed()


def test_a_broken_request_is_answered_after_the_good_one_before_it(server: Running):
    client = server.client()
    client.send(get(b"/held"), b"NONSENSE\r\n\r\n", get(b"/never"))
    assert server.application.entered.wait(PATIENCE)
    server.application.release.set()
    assert client.answer().body == b"/held "
    assert_fault(client.answer(), 400, "badRequest")
    assert client.closed()


def test_a_waiting_request_with_a_broken_body_is_never_carried_out(server: Running):
    client = server.client()
    client.send(get(b"/held"))
    assert server.application.entered.wait(PATIENCE)
    client.send(b"POST /broken HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    # Another connection's answer shows that the server has read what came before.
    witness = server.client()
    witness.send(get(b"/witness"))
    assert witness.answer().body == b"/witness "
    server.application.release.set()
    assert client.answer().body == b"/held "
    assert_fault(client.answer(), 400, "badRequest")
    assert "/broken" not in [scope["path"] for scope in server.application.scopes]


def test_too_many_waiting_requests_are_not_kept(server: Running):
    client = server.client()
    client.send(get(b"/held"), get(b"/more") * 1000)
    assert server.application.entered.wait(PATIENCE)
    server.application.release.set()
    assert client.answer().body == b"/held "
    answers = [client.answer() for _ in range(257)]
    assert {answer.body for answer in answers[:256]} == {b"/more "}
    assert_fault(answers[256], 400, "badRequest")


@pytest.mark.parametrize("last", [1, 20, 1_000, 8_100])
def test_a_head_is_measured_however_it_is_cut(server: Running, last: int):
    client, other, data = server.client(), server.client(), get(b"/" + b"u" * 8192)
    client.send(data[:-last])
    # What was sent before was read before: the rest comes by itself.
    other.send(get(b"/"))
    assert other.answer().status == 200
    client.send(data[-last:])
    assert client.answer().status == 414


HOST = len(b"Host: offhook\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get(b"/" + b"u" * 8191), 200),
        (get(b"/" + b"u" * 8192), 414),
        (get(b"/", *(b"X-%d: y" % n for n in range(99))), 200),
        (get(b"/", *(b"X-%d: y" % n for n in range(100))), 431),
        (get(b"/", b"X: " + b"y" * (16 * 1024 - HOST - 5)), 200),
        (get(b"/", b"X: " + b"y" * (16 * 1024 - HOST - 4)), 431),
        (get(b"/" + b"u" * 8191, b"X: " + b"y" * (16 * 1024 - HOST - 5)), 200),
        (post(b"/", b"b" * 100_000, b"X: y"), 200),
    ],
)
@pytest.mark.parametrize("pieces", [1, 7])
def test_heads_are_bounded_exactly(server: Running, data, status, pieces):
    client = server.client()
    size = len(data) // pieces + 1
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        client.send(*(data[at : at + size] for at in range(0, len(data), size)))
    answer = client.answer()
    assert answer.status == status
    if status != 200:
        assert_fault(answer, status, {414: "uriTooLong", 431: "requestHeaderFieldsTooLarge"}[status])
        assert client.closed()


@pytest.mark.parametrize(
    ("start", "endless", "status"),
    [
        (b"GET /", b"u" * 1000, 414),
        (b"GET / HTTP/1.1\r\nX: ", b"y" * 1000, 431),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 100, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 100, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"x" * 1000, 431),
    ],
)
def test_heads_trailers_and_extensions_without_end_are_not_kept(server: Running, start, endless, status):
    client = server.client()
    client.send(start)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(2000):
            if select.select([client.socket], [], [], 0)[0]:
                break
            client.send(endless)
    assert client.answer().status == status


# Early refusals


def test_a_refused_request_never_reaches_the_application_and_the_connection_stays(server: Running):
    client = server.client()
    before = len(server.application.scopes)
    for _ in range(3):
        client.send(post(b"/refused", b"x" * 2048))
        assert client.answer() == Answer(429, {"content-length": "7"}, b"refused")
    assert len(server.application.scopes) == before
    client.send(post(b"/next", b"body"))
    assert client.answer().body == b"/next body"


def test_the_answer_does_not_wait_for_the_body_which_is_dropped_as_it_arrives(server: Running):
    client = server.client()
    body = b"GET /smuggled HTTP/1.1\r\n\r\n" * 20_000
    client.send(post(b"/refused", body)[: -len(body)])
    assert client.answer().status == 429
    client.send(body, get(b"/next"))
    assert client.answer().body == b"/next "
    assert "/smuggled" not in [scope["path"] for scope in server.application.scopes]


def test_refusals_keep_their_place_among_pipelined_requests(server: Running):
    client = server.client()
    refused = [post(b"/refused", body) for body in (b"one", b"two", b"three")]
    client.send(b"".join((*refused[:2], get(b"/held"), refused[2], get(b"/last"))))
    assert [client.answer().status for _ in range(2)] == [429, 429]
    server.application.release.set()
    # One that comes while another is still being answered takes the normal way.
    assert [client.answer().body for _ in range(3)] == [b"/held ", b"/refused three", b"/last "]


def test_a_refused_head_request_gets_no_body(server: Running):
    client = server.client()
    client.send(get(b"/refused").replace(b"GET", b"HEAD"))
    assert client.answer(to="HEAD").status == 429
    client.send(get(b"/next"))
    assert client.answer().body == b"/next "


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        (get(b"/refused", b"Connection: close"), b""),
        (get(b"/refused", version=b"1.0"), b""),
        (get(b"/refused", b"Connection: keep-alive", version=b"1.0"), b""),
        (post(b"/refused", b"", b"Expect: 100-continue").replace(b"Length: 0", b"Length: 9"), b""),
        (post(b"/refused", b"").replace(b"Length: 0", b"Length: %d" % (DISCARD_LIMIT + 1)), b"x" * BEYOND_BUFFERS),
        (post(b"/refused", b"").replace(b"Length: 0", b"Length: 99999999999"), b"x" * BEYOND_BUFFERS),
        (
            post(b"/refused", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"),
            b"5\r\nhello\r\n" * (BEYOND_BUFFERS // 10),
        ),
    ],
)
def test_a_refused_connection_that_cannot_go_on_ends_after_the_whole_answer(server: Running, data, rest):
    client = server.client()
    client.send(data, rest)
    answer = client.answer()
    assert (answer.status, answer.headers["connection"], answer.body) == (429, "close", b"refused")
    client.send(get(b"/never"))
    assert client.closed()


def test_the_largest_body_that_is_dropped_keeps_the_connection(server: Running):
    client = server.client()
    client.send(post(b"/refused", b"x" * DISCARD_LIMIT), get(b"/next"))
    assert client.answer().status == 429
    assert client.answer().body == b"/next "


def test_a_mistake_in_the_hook_refuses_nobody(server: Running, caplog):
    client = server.client()
    client.send(get(b"/mistake"))
    assert client.answer().body == b"/mistake "
    assert "a mistake in the hook" in caplog.text


def test_refusals_do_not_pile_up_before_a_client_that_does_not_read(server: Running):
    client = server.client(receive_buffer=4096)
    client.socket.setblocking(False)
    data = get(b"/refused") * 1000
    sent = 0
    while select.select([], [client.socket], [], 0.5)[1]:
        with contextlib.suppress(BlockingIOError):
            sent += client.socket.send(data)
        assert sent < 64 * 1024 * 1024, "the server goes on reading"


# The server


def test_a_stopping_server_finishes_what_it_has_begun_and_leaves_the_rest():
    with Running(**ROOMY) as server:
        busy, idle, started = server.client(), server.client(), server.client()
        idle.send(get(b"/one"))
        assert idle.answer().status == 200
        started.send(b"GET /")
        busy.send(get(b"/held"))
        assert server.application.entered.wait(PATIENCE)
        server.server.should_exit = True
        assert idle.closed()
        assert started.closed()
        server.application.release.set()
        answer = busy.answer()
        assert (answer.body, answer.headers["connection"]) == (b"/held ", "close")
        assert busy.closed()
