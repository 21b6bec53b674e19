"""The workbench's operations on a running store, and web services on loopback for its requests to reach."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from offhook.access.doing import Doing
from offhook.access.gate import Gate
from offhook.app import Offhook
from offhook.catalog.model import Tree
from offhook.catalog.trying import Trying
from offhook.events import api as events_api
from offhook.kit.cursor import Cursors
from offhook.kit.router import Router
from offhook.kit.settings import Settings
from tests.api.asgi import Caller
from tests.api.desk import Desk
from tests.listening import listening

KEY = Fernet.generate_key().decode()
V1 = "/api/offhook/v1"


class Workbench(Desk):
    """As a desk of the whole API, with the operations of the workbench only."""

    def __init__(self, runner: asyncio.Runner, data: Path, url: str = "") -> None:
        self._runner = runner
        allowed = "127.0.0.0/8, ::1/128"
        settings = Settings(
            data=str(data), database_url=url, access_log=False, egress_allow=allowed, credentials_keys=KEY
        )
        self.offhook = offhook = Offhook(settings)
        self.ids = offhook.ids
        self.document: dict[str, Any] = {}
        cursors = Cursors("tests")
        work = Doing(writer=offhook.writer, reader=offhook.reader, ids=offhook.ids, cursors=cursors)
        self.trying = Trying(work, settings, lookup=self._lookup)
        self.egress, self.credentials, self.runs = self.trying.egress, self.trying.credentials, self.trying.runs
        operations = [*self.trying.operations, *events_api.operations(offhook.reader, cursors, {})]
        gate: Any = Gate(Router(operations), offhook.access, offhook.limiter, offhook.ids)
        self.app = gate
        self.client = Caller(gate)
        self._running = offhook.running()
        self.run(self._running.__aenter__())

    async def _lookup(self, _tenant: int, _api: str, _version: str, operation: str) -> tuple[Tree, str] | None:
        return (Tree(self.document), f"/paths/~1{operation}/get") if self.document else None

    def everything_kept(self) -> str:
        """All rows of all tables, as text."""

        def read(tx: Any) -> str:
            names = [
                row[0] for row in tx.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='table'")
            ]
            rows = [tx.connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall() for name in names]
            return repr(rows)

        return str(self.transact(read))

    def close(self) -> None:
        self.run(self.trying.close())
        super().close()


# Web services


@dataclass
class Service:
    """A web service on loopback. `heads` and `bodies` are what it was asked; `connections` counts them all."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def answering(body: bytes = b"{}", *more: str, status: str = "200 OK") -> Answer:
    """An answer that is always the same; of a media type of JSON, unless `more` names another."""

    async def answer(_head: str, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *more]
        if not any(line.lower().startswith("content-type") for line in more):
            lines.append("content-type: application/json")
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


async def never(_head: str, _writer: asyncio.StreamWriter) -> None:
    """Takes a request and does not answer."""
    await asyncio.Event().wait()


async def dripping(_head: str, writer: asyncio.StreamWriter) -> None:
    """An answer that comes byte by byte, without end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless(_head: str, writer: asyncio.StreamWriter) -> None:
    """An answer that never ends, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


def bomb(megabytes: int) -> Answer:
    """Zeros, packed."""
    packed = gzip.compress(b"\0" * (megabytes * 1_000_000), 9)
    return answering(packed, "content-encoding: gzip", "content-type: text/plain")


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Service]:
    """A service that answers every request so, while the block runs."""
    service = Service()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            service.heads.append(head)
            length = next((line[15:] for line in head.lower().split("\r\n") if line.startswith("content-length:")), "0")
            service.bodies.append(await reader.readexactly(int(length)))
            service.asked.set()
            await answer(head, writer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async with listening(connected) as service.port:
        yield service
