"""What is not the API: health, metrics, the OpenAPI document and its reference pages.

Whoever talks to the API in the same process never loads this, nor the web framework.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import structlog
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from offhook import __version__
from offhook.console import reference
from offhook.kit import openapi
from offhook.kit.errors import Refusal
from offhook.kit.settings import Settings
from offhook.storage.batches import Writer

log = structlog.get_logger("offhook")

BATCHES = Gauge("offhook_writer_batches", "Transactions committed by the writer.")
UNITS = Gauge("offhook_writer_units", "Units of work given to the writer.")
REPLAYS = Gauge("offhook_writer_replays", "Batches that were undone and done again one by one.")

_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class _Pages:
    """The reference, rendered when it is first asked for: most processes never are."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._pages: asyncio.Future[dict[str, tuple[bytes, bytes]]] | None = None

    async def page(self, path: str, small: bool) -> bytes | None:
        """The page at `path`, packed by gzip if it shall be `small`; None if there is none."""
        if self._pages is None:
            self._pages = asyncio.ensure_future(asyncio.to_thread(self._render))
        found = (await asyncio.shield(self._pages)).get(path)
        return found and found[small]

    def _render(self) -> dict[str, tuple[bytes, bytes]]:
        return {path: (page, gzip.compress(page)) for path, page in reference.render(self._document).items()}


def site(
    described: Mapping[str, Any],
    settings: Settings,
    writer: Writer,
    ready: Callable[[], Awaitable[dict[str, Any]]],
    running: Callable[[], AbstractAsyncContextManager[Any]],
) -> Litestar:
    """The pages beside the API that `described` describes, which is `running` as long as they are."""
    document = openapi.encoded(described)
    pages = _Pages(described)
    assets = {asset.name: asset for asset in reference.ASSETS}

    @get("/healthz")
    async def healthz() -> Response[dict[str, Any]]:
        about: dict[str, Any] = {"status": "ok", "version": __version__}
        if settings.benchmark:
            about["benchmark"] = f"rate limits are multiplied by {settings.rate_limit_scale:g}"
        return Response(about)

    @get("/health")
    async def health() -> Response[dict[str, Any]]:
        # Where Conductor's own command line looks for a server.
        return Response({"healthy": True})

    @get("/readyz")
    async def readyz() -> Response[dict[str, Any]]:
        try:
            return Response(await ready())
        except Refusal as refusal:
            return Response({"status": "unavailable", "store": refusal.message}, status_code=503)

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        BATCHES.set(writer.batches)
        UNITS.set(writer.units)
        REPLAYS.set(writer.replays)
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    @get("/openapi.json")
    async def openapi_json() -> Response[bytes]:
        return Response(document, media_type="application/json")

    @get(["/", "/docs", "/docs/{name:str}"])
    async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        small = "gzip" in request.headers.get("accept-encoding", "")
        path = reference.HOME if request.url.path == "/" else request.url.path
        page = await pages.page(path, small)
        if page is None:
            return Response(b"There is no such page; /docs lists all.", media_type="text/plain", status_code=404)
        headers = {**_PAGE_HEADERS, "vary": "accept-encoding"}
        if small:
            headers["content-encoding"] = "gzip"
        return Response(page, media_type="text/html", headers=headers)

    @get("/docs/assets/{name:str}")
    async def asset(name: FromPath[str]) -> Response[bytes]:
        found = assets.get(name)
        if found is None:
            return Response(b"", status_code=404)
        return Response(found.content, media_type=found.media, headers={"cache-control": "max-age=86400"})

    handlers: list[Any] = [healthz, health, readyz, metrics, openapi_json, docs, asset]
    if settings.benchmark:

        @post("/benchmark/echo", status_code=200)
        async def echo(request: Request[Any, Any, Any]) -> Response[bytes]:
            return Response(await request.body(), media_type="application/json")

        handlers.append(echo)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with running():
            yield

    async def failed(fault: Exception, scope: Any) -> None:
        if not isinstance(fault, HTTPException):
            log.error("fault", path=scope["path"], exc_info=fault)

    return Litestar(
        handlers,
        lifespan=[lifespan],
        after_exception=[failed],
        openapi_config=None,
        logging_config=None,
        type_encoders={msgspec.Struct: msgspec.to_builtins},
    )
