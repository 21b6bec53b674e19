"""What asks the application in tests tells it what httpx would tell it, and says what httpx would say of the answer."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.api.asgi import Caller

HOST = "http://offhook.test"


class Echo:
    """Notes what it is told, to the end of the body, and answers in two parts."""

    def __init__(self, content: bytes = b'{"a": "\xc3\xa9"}', **headers: str) -> None:
        self.content = content
        self.headers = {"content-type": "application/json", **headers}
        self.scope: dict[str, Any] = {}
        self.body: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        self.scope = scope
        while not self.body or self.body[-1]["more_body"]:
            self.body.append(await receive())
        heads = [(name.replace("_", "-").encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": 201, "headers": heads})
        await send({"type": "http.response.body", "body": self.content[:5], "more_body": True})
        gone = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not gone.done()
        await send({"type": "http.response.body", "body": self.content[5:]})
        assert await gone == {"type": "http.disconnect"}


async def _parts() -> AsyncIterator[bytes]:
    yield b"[1,"
    yield b"2]"


async def _both(method: str, path: str, content: Callable[[], Any], headers: Any, echo: Callable[[], Echo]) -> Any:
    ours, theirs = echo(), echo()
    answer = await Caller(ours).request(method, HOST + path, content=content(), headers=headers)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(theirs)) as client:
        expected = await client.request(method, HOST + path, content=content(), headers=headers)
    return ours, answer, theirs, expected


def _told(scope: dict[str, Any]) -> dict[str, Any]:
    """What an application is told; who asks, and which encodings it knows, is each client's own."""
    own = (b"user-agent", b"accept-encoding")
    return {**scope, "headers": {name: value for name, value in scope["headers"] if name not in own}}


PATHS = [
    "/",
    "",
    "/api/v2/offices/5?limit=2&cursor=a-_b%3D&empty=&a=1,2+3",
    "/a/../b",
    "/a//b/",
    "/.well-known?x=/.y",
    "/api/%41%2f",
    "/api/é ü?q=é ü",
    "/api/x%zz?y=%",
    "/;a='b'!$(*)?'c'",
    "/x?",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
def test_an_address_is_told_as_httpx_tells_it(runner: asyncio.Runner, method: str, path: str) -> None:
    ours, answer, theirs, expected = runner.run(_both(method, path, lambda: None, {}, Echo))
    assert _told(ours.scope) == _told(theirs.scope)
    assert (answer.status_code, answer.content, answer.text) == (201, expected.content, expected.text)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("content", [None, b"", "", b"{}", "{}", _parts])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer x", "X": b"\xff\xfe", "user-agent": "me", "accept": "text/html"},
        {"content-length": "7"},
        {"transfer-encoding": "chunked"},
    ],
)
def test_a_body_is_told_as_httpx_tells_it(runner: asyncio.Runner, method: str, content: Any, headers: Any) -> None:
    made = content if callable(content) else lambda: content
    ours, _, theirs, _ = runner.run(_both(method, "/api", made, headers, Echo))
    assert _told(ours.scope) == _told(theirs.scope)
    assert [part for part in ours.body if part["body"] or not part["more_body"]] == [
        part for part in theirs.body if part["body"] or not part["more_body"]
    ]


@pytest.mark.parametrize(
    "echo",
    [
        lambda: Echo(gzip.compress(b"packed"), content_encoding="gzip"),
        lambda: Echo("é".encode("latin-1") * 9, content_type="text/plain; charset=latin-1"),
        lambda: Echo("\ufeffé".encode(), content_type="text/html; charset=nonsense"),
        lambda: Echo(b"", content_length="0"),
    ],
)
def test_an_answer_is_read_as_httpx_reads_it(runner: asyncio.Runner, echo: Callable[[], Echo]) -> None:
    _, answer, _, expected = runner.run(_both("GET", "/", lambda: None, {}, echo))
    assert (answer.content, answer.text) == (expected.content, expected.text)
    assert answer.headers == expected.headers
    assert answer.headers.get_list("content-type") == expected.headers.get_list("content-type")


def test_what_the_application_raises_is_raised(runner: asyncio.Runner) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        runner.run(Caller(broken).request("GET", HOST))
    with pytest.raises(UnicodeEncodeError):
        runner.run(Caller(Echo()).request("GET", HOST, headers={"x": "é"}))
