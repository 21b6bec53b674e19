"""The command line's HTTP client: to a running server by its URL, or to the same application inside this process.

Commands see one class either way, so what they show is what any client gets. Nothing here may put a key into a message.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from offhook.access.model import Principal
from offhook.kit.answers import notice_of, violations_of
from offhook.kit.errors import Notice, Refusal, Violation, shown, whole
from offhook.kit.settings import Settings
from offhook.kit.wire import encode

if TYPE_CHECKING:
    # Loaded when something is asked: it takes longer than all else that a command needs.
    import httpx

JSON = "application/json"
SECONDS, READ_SECONDS = 30.0, 120.0
PATIENCE = 5
_WAIT_LIMIT = 60.0
_LOOKS, _LOOK_SECONDS = 50, 0.1


class NoAnswer(Refusal):
    """The server cannot be reached, or what answers is not Offhook."""


class Refused(Refusal):
    """The server's refusal, as it was received. `document` is its body, `retry_after` seconds or None."""

    def __init__(
        self, code: int, message: str, violations: list[Violation], document: Any, retry_after: float | None = None
    ) -> None:
        super().__init__(message, violations)
        self.code = code
        self.document = document
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx: the decoded body, the warnings, whether an earlier answer was replayed for the same key, and its ETag."""

    document: Any
    notices: list[Notice]
    replayed: bool
    etag: str = ""


class Client:
    """Calls of the API with one key."""

    def __init__(
        self, http: "httpx.AsyncClient", where: str, settling: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._http = http
        self._where = where
        self._settling = settling

    async def settled(self) -> None:
        """Wait until Offhook's own API document is there, which an application keeps soon after its start."""
        if self._settling is not None:
            await self._settling()
            return
        for _ in range(_LOOKS):
            try:
                await self.call("GET", "/api/offhook/v1/apis/offhook")
                return
            except Refused as refusal:
                if refusal.code != 404:
                    return
            await asyncio.sleep(_LOOK_SECONDS)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        media: str = JSON,
        query: Mapping[str, str] | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        moment: str | None = None,
        match: str = "",
    ) -> Answer:
        """The answer; Refused with every violation, NoAnswer if there is none.

        `moment` sets a sandbox's clock for this request, as 2026-12-24T17:59:59Z. With `match`, an ETag that was read,
        nothing is changed that somebody else has changed meanwhile.
        """
        headers: dict[str, str] = {}
        if body is not None:
            headers["Content-Type"] = media
        if dry_run:
            headers["Offhook-Dry-Run"] = "true"
        if idempotency_key is not None:
            if not idempotency_key.isascii() or not idempotency_key.isprintable():
                raise Refusal("An idempotency key is made of visible ASCII characters.")
            headers["Idempotency-Key"] = idempotency_key
        if moment is not None:
            headers["Offhook-Clock"] = moment
        if match:
            headers["If-Match"] = match
        return self._read(await self._ask(method, path, content=body, headers=headers, params=query))

    async def content(self, path: str, query: Mapping[str, str]) -> bytes:
        """What a GET gives that is no JSON, as it is; refused likewise."""
        response = await self._ask("GET", path, params=query)
        if not response.is_success:
            self._read(response)
        return response.content

    @property
    def follows(self) -> bool:
        """Whether `events` can be had; the application in this process gives an answer only when it is whole."""
        return self._settling is None

    async def events(self, path: str) -> AsyncIterator[tuple[str, Any]]:
        """Server-sent events of a GET, each with its name and its data, until the server ends them.

        Refused as `call` is; NoAnswer if the connection is lost, or nothing comes of it for long.
        """
        import httpx

        try:
            async with self._http.stream("GET", path) as response:
                if not response.is_success:
                    await response.aread()
                    self._read(response)
                name = ""
                async for line in response.aiter_lines():
                    field, _, value = line.partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data" and name:
                        yield name, msgspec.json.decode(value)
        except httpx.TransportError:
            raise NoAnswer(f"The connection to {self._where} was lost.") from None

    async def _ask(self, method: str, path: str, **options: Any) -> "httpx.Response":
        import httpx

        try:
            return await self._http.request(method, path, **options)
        except httpx.TimeoutException:
            raise NoAnswer(f"{self._where} did not answer in time. The request may have been carried out.") from None
        except httpx.TransportError as error:
            raise NoAnswer(f"No answer from {self._where}: {_cause(error)}. Does offhook serve run there?") from None

    async def patiently(
        self, ask: Callable[[], Awaitable[Answer]], waiting: Callable[[float], None] = lambda _: None
    ) -> Answer:
        """`ask` until it is not refused for being too early: a limit (429) or a busy store (503), at most 5 times.

        `waiting` is told the seconds before each wait.
        """
        for _ in range(PATIENCE - 1):
            try:
                return await ask()
            except Refused as refusal:
                if refusal.code not in (429, 503):
                    raise
                seconds = min(refusal.retry_after or 1.0, _WAIT_LIMIT)
            waiting(seconds)
            await asyncio.sleep(seconds)
        return await ask()

    def _read(self, response: "httpx.Response") -> Answer:
        try:
            document = msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            text = f"{self._where} answered {response.status_code} without JSON: is it Offhook?"
            raise NoAnswer(text) from None
        if not response.is_success:
            raise _refused(response, document)
        notices = [notice_of(line) for line in response.headers.get_list("offhook-warning")]
        return Answer(
            document, notices, response.headers.get("offhook-replayed") == "true", response.headers.get("etag", "")
        )


def _cause(error: Exception) -> str:
    import httpx

    return "the connection was refused" if isinstance(error, httpx.ConnectError) else type(error).__name__


def _refused(response: "httpx.Response", document: Any) -> Refused:
    error = document.get("error") if isinstance(document, dict) else None
    error = error if isinstance(error, dict) else {}
    entries = error.get("errors")
    violations = violations_of(entries if isinstance(entries, list) else [])
    message = whole(str(error.get("message") or f"The server answered {response.status_code}."))
    try:
        retry_after = float(response.headers.get("retry-after", ""))
    except ValueError:
        retry_after = None
    return Refused(response.status_code, message, violations, document, retry_after)


@asynccontextmanager
async def remote(url: str, key: str) -> AsyncIterator[Client]:
    """A client of the server at `url`; a proxy from the environment is used except for this machine."""
    import httpx

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal(f"{shown(url)} is no URL of a server: write it as http://127.0.0.1:8080.")
    if not key.isascii() or not key.isprintable():
        raise Refusal("The key holds characters that no key has.")
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    headers = {"Authorization": f"Bearer {key}"}
    timeout = httpx.Timeout(SECONDS, read=READ_SECONDS)
    async with httpx.AsyncClient(
        base_url=where + parts.path.rstrip("/"),
        headers=headers,
        timeout=timeout,
        trust_env=not local,
        # Loading certificates takes longer than a request to this machine, and most have no use for them.
        verify=not local or parts.scheme == "https",
    ) as http:
        yield Client(http, where)


@asynccontextmanager
async def embedded(
    settings: Settings, caller: Principal | None, key: str = "", *, takes_on: bool = False
) -> AsyncIterator[Client]:
    """A client of the application in this process, over the store of `settings`: as `caller`, or with a `key`.

    A server may run over the same store meanwhile. With `takes_on` workflow runs that are started in the block go on
    in this process while it lasts.
    """
    import httpx

    from offhook.app import Offhook

    offhook = Offhook(msgspec.structs.replace(settings, access_log=False, otel_endpoint=""))
    async with offhook.running(serving=False, takes_on=takes_on):
        secret = offhook.access.trust(caller) if caller is not None else key
        headers = {"Authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(offhook.gate)
        async with httpx.AsyncClient(transport=transport, base_url="http://offhook", headers=headers) as http:
            yield Client(http, "the application", offhook.own_kept)


def body_of(value: Any) -> bytes:
    """`value` as a JSON body."""
    return encode(value)
