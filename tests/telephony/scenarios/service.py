"""The web service that call routers ask in scenarios: it says what the file says, and of anything else nothing."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import quote, unquote

from tests.listening import listening


class Service:
    """`ids` are of all that a document calls by kind and name; `says` is where each router sends a call."""

    def __init__(self, ids: Mapping[str, str], says: Mapping[str, str]) -> None:
        self._ids, self._says = ids, says
        self._port = 0

    async def __aenter__(self) -> "Service":
        self._listening = listening(self._answer)
        self._port = await self._listening.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listening.__aexit__(None, None, None)

    def url(self, router: str) -> str:
        """Where a router asks."""
        return f"http://127.0.0.1:{self._port}/{quote(router, safe='')}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *_ = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        target = self._says.get(unquote(line.split()[1].removeprefix("/")))
        status, body = "503 Nothing to say", b""
        if target is not None:
            said = {"action": "route", "target_type": target.partition(" ")[0], "target_id": self._ids[target]}
            status, body = "200 OK", json.dumps(said).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
