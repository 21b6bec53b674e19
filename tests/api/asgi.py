"""Requests to an application in this process, as httpx puts them to one, in a third of the time.

Most of what a test of the API takes is requests. What a client does about cookies, redirects, proxies and connections
is left out, as there are none; what an application is told of a request is what httpx would tell it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

HOST = "offhook.test"
_BEFORE_PATH = f"http://{HOST}"
_PLAIN = re.compile(r"(?!.*/\.)(/[\w\-.~/:@]*)(?:\?([\w\-.~/:@=&+,]*))?", re.ASCII)
"""Addresses that are sent as they are written: nothing to encode, nothing to leave out."""

_DEFAULTS = {
    b"host": HOST.encode(),
    b"accept": b"*/*",
    b"accept-encoding": b"gzip, deflate",
    b"connection": b"keep-alive",
    b"user-agent": b"python-httpx",
}
_WITH_BODY = {"POST", "PUT", "PATCH"}

Headers = Mapping[str, str | bytes]
Content = bytes | str | AsyncIterator[bytes] | None


class Response:
    """What came back: a part of `httpx.Response`."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        self.status_code = status
        self.headers = httpx.Headers(headers)
        self.content = content
        if "content-encoding" in self.headers:
            self.content = httpx.Response(status, headers=headers, content=content).content

    @property
    def text(self) -> str:
        """The content, by the charset that it says it has."""
        kind = {"content-type": self.headers.get("content-type", "")}
        return httpx.Response(200, headers=kind, content=self.content).text


class Caller:
    """Asks an ASGI application. It remembers nothing from one request to the next."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def request(
        self, method: str, url: str, *, content: Content = None, headers: Headers | None = None, params: Any = None
    ) -> Response:
        """The whole answer to one request; what the application raises is raised."""
        if isinstance(content, str):
            content = content.encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "headers": _sent(method, content, headers or {}),
            **_address(url, params),
            "client": ("127.0.0.1", 123),
            "root_path": "",
        }
        parts = _whole(content) if content is None or isinstance(content, bytes) else content
        over = asyncio.Event()
        ended = False
        status: int | None = None
        came: list[tuple[bytes, bytes]] = []
        body: list[bytes] = []

        async def receive() -> dict[str, Any]:
            nonlocal ended
            if ended:
                await over.wait()
                return {"type": "http.disconnect"}
            part = await anext(parts, None)
            ended = part is None
            return {"type": "http.request", "body": part or b"", "more_body": not ended}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                assert status is None
                status = message["status"]
                came.extend(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                assert not over.is_set()
                if method != "HEAD":
                    body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    over.set()

        await self._app(scope, receive, send)
        assert status is not None
        assert over.is_set()
        return Response(status, came, b"".join(body))

    async def post(self, url: str, **options: Any) -> Response:
        """A POST."""
        return await self.request("POST", url, **options)


def _address(url: str, params: Any) -> dict[str, Any]:
    plain = _PLAIN.fullmatch(url.removeprefix(_BEFORE_PATH)) if params is None else None
    if plain is not None:
        path, query = plain[1], plain[2] or ""
        return {
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "server": (HOST, None),
        }
    read = httpx.URL(url) if params is None else httpx.URL(url, params=params)
    return {
        "scheme": read.scheme,
        "path": read.path,
        "raw_path": read.raw_path.split(b"?")[0],
        "query_string": read.query,
        "server": (read.host, read.port),
    }


def _sent(method: str, content: Content, headers: Headers) -> list[tuple[bytes, bytes]]:
    given = {name.lower().encode(): _bytes(value) for name, value in headers.items()}
    said = given.keys() & {b"content-length", b"transfer-encoding"}
    length = {}
    if content and isinstance(content, bytes):
        length = {} if b"content-length" in said else {b"content-length": b"%d" % len(content)}
    elif not said and content:
        length = {b"transfer-encoding": b"chunked"}
    elif not said and method in _WITH_BODY:
        length = {b"content-length": b"0"}
    return list((_DEFAULTS | given | length).items())


def _bytes(value: str | bytes) -> bytes:
    return value.encode("ascii") if isinstance(value, str) else value


async def _whole(content: bytes | None) -> AsyncIterator[bytes]:
    if content:
        yield content
