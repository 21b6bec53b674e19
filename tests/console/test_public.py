"""What stands beside the API: a fault there is logged as anywhere, and tells strangers nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from structlog.testing import capture_logs

from offhook.console.public import site
from offhook.kit.settings import Settings


def test_a_fault_is_logged_with_its_path_and_told_to_nobody():
    async def broken() -> dict[str, Any]:
        raise RuntimeError("the store is of another mind")

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        yield

    unused: Any = None
    app: Any = site({}, Settings(), unused, broken, running)

    async def asked(*paths: str) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.get(path) for path in paths]

    with capture_logs() as logs:
        fault, nowhere = asyncio.run(asked("/readyz", "/nowhere"))
    assert (fault.status_code, nowhere.status_code) == (500, 404)
    assert "mind" not in fault.text
    assert [(one["event"], one["path"], one["log_level"]) for one in logs] == [("fault", "/readyz", "error")]
