"""Clients that are slow, idle, deaf or endless cost themselves their connection, and others nothing."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load
from bench.bodies import Bodies
from offhook.examples import SMALL
from tests.survival.conftest import Start, copied
from tests.survival.process import Process

HEAD_SECONDS, BODY_SECONDS = 1.0, 1.5
IDLE = 2000
# Bounds hold to within two sweeps, and this machine has other things to do.
SLACK = 3.0


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, founded: Process) -> Iterator[Process]:
    """A server with little patience."""
    settings = {"head_seconds": HEAD_SECONDS, "body_seconds": BODY_SECONDS}
    with copied(founded, tmp_path_factory.mktemp("strict") / "data", settings=settings) as server:
        yield server


@pytest.fixture
def client(strict: Process) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connected:
        yield connected


def head(server: Process, *lines: str, method: str = "POST", path: str = "/api/v2/offices") -> bytes:
    access = f"authorization: Bearer {server.key}"
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: x", access, *lines, "", ""]).encode()


def rest_of(client: socket.socket) -> bytes:
    """All that the server still sends before it closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65536):
            received += data
    return received


def drip(client: socket.socket, data: bytes, each: float) -> float:
    """Send byte by byte until the server cuts the connection or all is sent; gives the seconds it took."""
    begun = time.monotonic()
    client.settimeout(each)
    for byte in data:
        try:
            client.sendall(bytes([byte]))
            if client.recv(65536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    client.settimeout(10)
    return time.monotonic() - begun


def others_are_served(server: Process, seconds: float = 0.5) -> load.Result:
    """Reads and creates on connections of their own; every answer is a 200 and comes soon."""
    access = (("authorization", f"Bearer {server.key}"),)
    made = [load.serialise(server.url, "POST", "/api/v2/offices", Bodies(9).body(n), access) for n in range(50)]
    read = [load.serialise(server.url, "GET", "/api/v2/offices/primary", headers=access)] * 50
    mixed = [request for pair in zip(made, read, strict=True) for request in pair]
    result = load.run(server.url, mixed * 100, connections=8, seconds=seconds, timeout=5)
    assert result.statuses.keys() == {200}, result.summary()
    assert result.lost + result.timed_out + result.unreadable == 0
    assert result.answered >= 20
    return result


def test_a_slow_head_is_cut_off(strict: Process, client: socket.socket) -> None:
    seconds = drip(client, head(strict, "x-filler: " + "a" * 500), each=0.05)
    assert HEAD_SECONDS - 0.1 <= seconds < HEAD_SECONDS + SLACK


def test_a_connection_that_says_nothing_at_all_is_cut_off(client: socket.socket) -> None:
    begun = time.monotonic()
    assert rest_of(client) == b""
    assert HEAD_SECONDS - 0.1 <= time.monotonic() - begun < HEAD_SECONDS + SLACK


def test_a_slow_body_is_cut_off(strict: Process, client: socket.socket) -> None:
    client.sendall(head(strict, "content-type: application/json", "content-length: 900"))
    seconds = drip(client, b"{" + b" " * 899, each=0.05)
    assert BODY_SECONDS - 0.1 <= seconds < BODY_SECONDS + SLACK


def test_a_body_that_never_comes_is_answered_408(strict: Process, client: socket.socket) -> None:
    client.sendall(head(strict, "content-type: application/json", "content-length: 900"))
    answer = rest_of(client)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":408' in answer


def test_slow_clients_keep_nobody_waiting(strict: Process) -> None:
    half = head(strict, "content-type: application/json", "content-length: 900") + b"{"
    with contextlib.ExitStack() as open_ones:
        for number in range(200):
            slow = open_ones.enter_context(socket.create_connection(("127.0.0.1", strict.port), timeout=10))
            slow.sendall(half if number % 2 else half[:20])
        result = others_are_served(strict, 1.0)
    assert result.summary()["p99_ms"] < 500
    assert strict.faults() == []


def test_a_client_that_reads_no_answer_holds_up_nobody_and_is_cut_off(strict: Process) -> None:
    others_are_served(strict, 0.3)  # so that a page is long
    request = head(strict, method="GET")
    before = strict.memory_mib()["now"]
    with contextlib.ExitStack() as open_ones:
        deaf = []
        for _ in range(5):
            one = open_ones.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", strict.port))
            one.settimeout(0.2)
            with contextlib.suppress(OSError):
                for _ in range(2000):
                    one.sendall(request)
            deaf.append(one)
        others_are_served(strict)
        grown = strict.memory_mib()["now"] - before
        assert grown < 64, f"answers that nobody reads take {grown:.0f} MiB"
        deadline = time.monotonic() + BODY_SECONDS + 2 * SLACK
        while time.monotonic() < deadline and connections_of(strict):
            time.sleep(0.05)
        assert connections_of(strict) == 0, "a client that reads nothing keeps its connection"
    others_are_served(strict)
    assert strict.faults() == []


def connections_of(server: Process) -> int:
    """Established connections of the server's port, on the server's side."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f":{server.port:04X}"
    inodes = {row[9] for line in lines if (row := line.split())[1].endswith(port) and row[3] in ("01", "08")}
    return len(inodes - {"0"})


@pytest.mark.parametrize("declared", [1024 * 1024 + 1, 10**12, 10**18])
def test_a_body_that_is_declared_too_large_is_refused_before_it_is_read(
    strict: Process, client: socket.socket, declared: int
) -> None:
    client.sendall(head(strict, "content-type: application/json", f"content-length: {declared}"))
    assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_end_is_refused_and_cut_off(strict: Process, client: socket.socket) -> None:
    before = strict.memory_mib()["now"]
    client.sendall(head(strict, "content-type: application/json", "transfer-encoding: chunked"))
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    begun, sent = time.monotonic(), 0
    with contextlib.suppress(OSError):
        while time.monotonic() - begun < 20:
            client.sendall(chunk)
            sent += 65536
    assert time.monotonic() - begun < BODY_SECONDS + 2 * SLACK, "it is read for ever"
    assert sent > 1024 * 1024
    assert strict.memory_mib()["now"] - before < 32
    others_are_served(strict)


def test_a_chunked_body_over_the_limit_is_answered_413(strict: Process, client: socket.socket) -> None:
    client.sendall(head(strict, "content-type: application/json", "transfer-encoding: chunked"))
    client.sendall((b"10000\r\n" + b" " * 65536 + b"\r\n") * 17)
    assert client.recv(65536).startswith(b"HTTP/1.1 413 ")
    others_are_served(strict, 0.3)


def test_a_header_and_a_url_without_end_are_refused(strict: Process) -> None:
    for opening, status in ((head(strict)[:-2] + b"x: ", b"431"), (b"GET /", b"414")):
        with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as endless:
            with contextlib.suppress(OSError):
                endless.sendall(opening)
                for _ in range(64):
                    endless.sendall(b"a" * 4096)
            assert endless.recv(65536).startswith(b"HTTP/1.1 " + status)
    others_are_served(strict, 0.3)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Leave for this process to open thousands of files; its children keep the usual number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE * 4), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_two_thousand_idle_connections_keep_nobody_waiting(start: Start, many_files: None) -> None:
    # What a service or a login gets: the server itself must ask for more.
    server = start(before=["prlimit", "--nofile=1024:", "--"])
    request = head(server, method="GET", path="/api/v2/offices/primary")
    with contextlib.ExitStack() as open_ones:
        for number in range(IDLE):
            idle = open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            if number % 4 == 0:
                # Served once, then kept; the others have not said a word yet.
                idle.sendall(request)
                assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        result = others_are_served(server, 1.0)
        assert connections_of(server) >= IDLE
        assert server.ask("POST", "/api/v2/offices", SMALL).status == 200
    assert result.summary()["p99_ms"] < 500
    assert server.faults() == []
    assert all(line["level"] != "error" for line in server.lines())
