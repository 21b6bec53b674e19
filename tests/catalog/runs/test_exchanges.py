"""What targets do to whoever asks them: everything ends, in time and in size, with a word for it."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from offhook.kit.egress import Egress, Exchange
from offhook.kit.places import Allowed
from tests.catalog.workbench import Answer, Service, answering, bomb, dripping, endless, never, serving
from tests.listening import listening


def asked(answer: Answer, path: str = "/", method: str = "GET", **options: Any) -> tuple[Exchange, Service]:
    async def go() -> tuple[Exchange, Service]:
        async with serving(answer) as service:
            egress = Egress(Allowed.read("127.0.0.0/8"))
            try:
                return await egress.exchange(method, service.url(path), **({"seconds": 5.0} | options)), service
            finally:
                await egress.close()

    return asyncio.run(go())


def raw(*parts: bytes) -> Answer:
    async def answer(_head: str, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)

    return answer


def test_an_answer_is_kept_as_it_came():
    done, service = asked(
        answering(b'{"a": 1}', "x-one: 1", "X-One: 2", "set-cookie: a=1", "set-cookie: b=2"), "/x?y=1"
    )
    assert (done.status, done.body, done.size, done.cut, done.error) == (200, b'{"a": 1}', 8, False, "")
    assert [value for name, value in done.headers if name.lower() in ("x-one", "set-cookie")] == [
        "1",
        "2",
        "a=1",
        "b=2",
    ]
    assert "GET /x?y=1 HTTP/1.1" in service.heads[0]
    assert f"host: 127.0.0.1:{service.port}" in service.heads[0].lower()
    times = done.timings
    assert times.whole >= times.first_byte > 0
    assert times.connect > 0
    assert times.tls == 0
    assert times.whole < 5000


def test_what_is_sent_arrives():
    done, service = asked(answering(), method="POST", headers=[("x-a", "1"), ("x-a", "2")], body=b"\0body")
    assert done.status == 200
    assert service.bodies == [b"\0body"]
    assert service.heads[0].lower().count("x-a: ") == 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "POST"])
def test_only_what_has_a_body_says_how_long_it_is(method: str):
    _, service = asked(answering(), method=method)
    assert ("content-length: 0" in service.heads[0].lower()) == (method == "POST")

    async def plain() -> str:
        async with serving(answering()) as there:
            egress = Egress(Allowed.read("127.0.0.0/8"))
            try:
                await egress.request(method, there.url())
            finally:
                await egress.close()
            return there.heads[0].lower()

    assert ("content-length: 0" in asyncio.run(plain())) == (method == "POST")


def test_one_who_never_answers_is_given_up():
    begun = time.perf_counter()
    done, _ = asked(never, seconds=0.2)
    assert (done.status, done.error) == (0, "There was no whole answer within 0.2 s.")
    assert time.perf_counter() - begun < 2


def test_one_who_drips_is_given_up_with_what_came():
    done, _ = asked(dripping, seconds=0.3)
    assert done.status == 200
    assert done.error.startswith("There was no whole answer within 0.3 s; ")
    assert set(done.body) == {ord("x")}


def test_an_endless_answer_is_cut_off():
    begun = time.perf_counter()
    done, service = asked(endless, most=100_000)
    assert (done.status, len(done.body), done.cut, done.error) == (200, 100_000, True, "")
    assert done.size < 1_000_000
    assert time.perf_counter() - begun < 2
    assert service.connections == 1


def test_an_answer_as_long_as_is_kept_is_not_cut():
    done, _ = asked(answering(b"x" * 1000), most=1000)
    assert (len(done.body), done.cut) == (1000, False)


def test_a_bomb_is_cut_off():
    bombed = bomb(100)
    tracemalloc.start()
    try:
        done, _ = asked(bombed, most=50_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(done.body), done.cut) == (50_000, True)
    assert done.size < 200_000
    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("identity", b"hello"),
    ],
)
def test_packed_answers_are_unpacked(encoding: str, packed: bytes):
    done, _ = asked(answering(packed, f"content-encoding: {encoding}"))
    assert done.body == b"hello"


def test_what_is_packed_twice_stays_as_it_came():
    done, _ = asked(answering(b"\x1f\x8b", "content-encoding: gzip, br"))
    assert (done.body, done.error) == (b"\x1f\x8b", "")


def test_what_is_not_packed_as_it_says_is_said():
    done, _ = asked(answering(b"plain", "content-encoding: gzip"))
    assert done.error == "The answer is not compressed in the way that its head says."


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (raw(b""), "What came is no HTTP answer."),
        (raw(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "What came is no HTTP answer."),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"),
         "The answer broke off, or is not as long as its head says."),
        (raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
         "The answer broke off, or is not as long as its head says."),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 300_000 + b"\r\n\r\n"), "What came is no HTTP answer."),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), "What came is no HTTP answer."),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_said(answer: Answer, error: str):
    done, _ = asked(answer)
    assert done.error == error


def test_nobody_there_is_said():
    async def go() -> Exchange:
        async with serving(answering()) as service:
            pass
        egress = Egress(Allowed.read("127.0.0.0/8"))
        try:
            return await egress.exchange("GET", service.url())
        finally:
            await egress.close()

    assert asyncio.run(go()).error.startswith("No connection to 127.0.0.1 on port ")


def test_no_tls_is_said():
    async def go() -> Exchange:
        async with serving(answering()) as service:
            egress = Egress(Allowed.read("127.0.0.0/8"))
            try:
                return await egress.exchange("GET", service.url().replace("http:", "https:"), seconds=0.5)
            finally:
                await egress.close()

    assert asyncio.run(go()).error


Redirected = Callable[[Egress, Service, Service], Awaitable[Exchange]]


def redirected(
    status: str, go: Redirected, location: str = "http://localhost:{port}/there"
) -> tuple[Exchange, Service, Service]:
    """From one service to another, of another host."""

    async def run() -> tuple[Exchange, Service, Service]:
        async with serving(answering(b"{}")) as there:
            to = location.format(port=there.port)
            async with serving(answering(b"", f"location: {to}", status=status)) as here:
                egress = Egress(Allowed.read("127.0.0.0/8, ::1/128"))
                try:
                    return await go(egress, here, there), here, there
                finally:
                    await egress.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        ("301 Moved", "POST", "GET"), ("302 Found", "POST", "GET"), ("303 See Other", "PUT", "GET"),
        ("307 Temporary", "POST", "POST"), ("308 Permanent", "PUT", "PUT"), ("302 Found", "PUT", "PUT"),
        ("303 See Other", "HEAD", "HEAD"),
    ],
)  # fmt: skip
def test_redirects_are_followed_and_listed(status: str, method: str, then: str):
    headers = [("content-type", "text/plain"), ("authorization", "Bearer word"), ("x-key", "word"), ("accept", "a/b")]

    async def go(egress: Egress, here: Service, there: Service) -> Exchange:
        return await egress.exchange(
            method, here.url("/here"), headers=headers, body=b"x", private=frozenset({"x-key"}), seconds=5
        )

    done, here, there = redirected(status, go)
    assert (done.status, done.error) == (200, "")
    assert done.redirects == ((int(status[:3]), here.url("/here")),)
    assert done.url == f"http://localhost:{there.port}/there"
    head = there.heads[0].lower()
    assert there.heads[0].startswith(f"{then} /there ")
    assert "word" not in head
    assert "accept: a/b" in head
    assert there.bodies == [b"" if then == "GET" else b"x"]
    assert ("content-type" in head) == (then != "GET")
    assert "bearer word" in here.heads[0].lower()


def test_a_redirect_that_is_not_wanted_is_shown():
    async def go(egress: Egress, here: Service, _: Service) -> Exchange:
        return await egress.exchange("GET", here.url(), redirects=0)

    done, _, there = redirected("302 Found", go)
    assert (done.status, done.redirects, there.connections) == (302, (), 0)


def test_redirects_without_end_are_given_up():
    done, service = asked(answering(b"", "location: /again", status="302 Found"), redirects=3)
    assert done.error == "It was redirected more than 3 times."
    assert (len(done.redirects), service.connections) == (3, 4)


def test_who_cancels_ends_the_connection():
    async def go() -> bool:
        gone = asyncio.Event()
        begun = asyncio.Event()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            begun.set()
            await reader.read()
            gone.set()
            writer.close()

        async with listening(connected) as port:
            egress = Egress(Allowed.read("127.0.0.0/8"))
            task = asyncio.create_task(egress.exchange("GET", f"http://127.0.0.1:{port}/"))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(gone.wait(), 2)
            await egress.close()
        return gone.is_set()

    assert asyncio.run(go())
