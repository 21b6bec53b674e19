"""Clockworks over a real store. What they start is noted by the test, or is a real engine; their time is the test's."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from offhook.access.doing import Doing
from offhook.access.gate import Gate
from offhook.access.limits import LocalLimiter
from offhook.access.model import Principal
from offhook.catalog.credentials.vault import Vault
from offhook.events import store as outbox
from offhook.events.model import Actor, Event, Word
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Refusal, Unauthenticated
from offhook.kit.ids import Ids
from offhook.kit.router import Router
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Database
from offhook.storage.documents import Kept
from offhook.workflows.definitions import store as definitions
from offhook.workflows.definitions.reading import read
from offhook.workflows.definitions.store import Registered
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.triggers.api import operations
from offhook.workflows.triggers.clockwork import Clockwork
from offhook.workflows.triggers.hearing import Hearing
from offhook.workflows.triggers.model import Start

TENANT, COMPANY = 7, 70
BEGUN = 1_782_000_000.0
"""2026-06-21T00:00:00Z."""

V1 = "/api/offhook/v1/workflows"


class Started(msgspec.Struct):
    """One run that was started."""

    id: int
    tenant_id: int
    workflow: str
    version: int | None
    input: Any
    key: str
    by: str
    correlation: str


class Target:
    """Where runs are started: one a key, as an engine has it. It outlives the processes that start them."""

    def __init__(self) -> None:
        self.runs: dict[tuple[int, str], Started] = {}
        self.asked: list[str] = []
        """The keys of all that was asked for, in order."""
        self.refuse: list[BaseException] = []
        """What the next calls are answered with instead."""
        self.came = asyncio.Event()
        self.forget: set[str] = set()
        """Keys whose run is started, but whose answer never comes: the process dies in between."""

    async def start(
        self, tenant_id: int, name: str, version: int | None, given: Any, *, idempotency: str, by: str, correlation: str
    ) -> int:
        self.asked.append(idempotency)
        await asyncio.sleep(0)
        if self.refuse:
            raise self.refuse.pop(0)
        key = (tenant_id, idempotency or f"none {len(self.asked)}")
        run = self.runs.get(key)
        if run is None:
            id = 1_000 + len(self.runs)
            run = self.runs[key] = Started(id, tenant_id, name, version, given, idempotency, by, correlation)
        self.came.set()
        if idempotency in self.forget:
            self.forget.discard(idempotency)
            raise asyncio.CancelledError
        return run.id

    @property
    def started(self) -> list[Started]:
        return list(self.runs.values())


class Keys:
    """Knows one key: `good` of the company."""

    def __init__(self, environment: str = "live") -> None:
        self.principal = Principal(
            TENANT, COMPANY, environment, 1, "tester", frozenset({"workflows:write", "events:read"})  # type: ignore[arg-type]
        )  # fmt: skip

    async def authenticate(self, secret: str) -> Principal:
        if secret != "good":
            raise Unauthenticated("No such key.")
        return self.principal

    def known(self, secret: str) -> Principal | None:
        return self.principal if secret == "good" else None


class Waking:
    """One process over `database`."""

    def __init__(
        self,
        database: Database,
        target: Target,
        vault: Vault,
        *,
        slot: int = 1,
        clock: list[float] | None = None,
        start: Start | None = None,
        scale: float = 1.0,
    ) -> None:
        self.database, self.target = database, target
        self.clock = clock if clock is not None else [BEGUN]
        self.ids, self.scripts = Ids(slot), Scripts()
        self.writer, self.reader = Writer(database), Reader(database)
        self.going: set[int] = set()
        self.slept: list[float] = []
        self.clockwork = Clockwork(
            self.writer,
            self.reader,
            start or target.start,
            self.scripts,
            going=lambda _tx, _tenant, run_id: run_id in self.going,
            wall=lambda: self.clock[0],
            sleep=self._sleep,
        )
        work = Doing(writer=self.writer, reader=self.reader, ids=self.ids, cursors=Cursors("secret"))
        self.hearing = Hearing(self.writer, sleep=lambda _: asyncio.sleep(0))
        self.operations = operations(
            work, self.reader, vault, start or target.start, self.hearing, self.scripts, wall=lambda: self.clock[0]
        )
        self.gate = Gate(
            Router(self.operations), Keys(), LocalLimiter(), self.ids, scale=scale  # type: ignore[arg-type]
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.001)

    def register(self, name: str, version: int = 1) -> None:
        raw = read(
            {"name": name, "version": version, "tasks": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]}
        ).raw
        with self.database.transaction() as tx:
            digest = definitions.put_text(tx, TENANT, raw, 1)
            value = Registered(name=name, number=version, hash=digest)
            definitions.definitions.insert(
                tx, [Kept(id=self.ids.new(), tenant_id=TENANT, value=value, created_at=1, updated_at=1)]
            )

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """A request with the company's key, unless `headers` has other ideas."""
        headers = {"authorization": "Bearer good", **options.pop("headers", {})}
        if body is not None:
            options["content"] = msgspec.json.encode(body)
            headers.setdefault("content-type", "application/json")
        transport = httpx.ASGITransport(app=self.gate, client=(options.pop("address", "192.0.2.1"), 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers={k: v for k, v in headers.items() if v}, **options)

    async def made(self, path: str, body: Mapping[str, Any]) -> Any:
        """What a create gave; it must have gone well."""
        answer = await self.send("POST", f"{V1}/{path}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def happened(self, word: Word | str, subject: str = "5", *, by: str = "somebody", **more: Any) -> int:
        """An event of the company; its number."""
        with self.database.transaction() as tx:
            value = {"at": int(self.clock[0] * 1000), "after": "{}", **more}
            outbox.append(
                tx, [Event(tenant_id=TENANT, word=word, subject_id=subject, actor=Actor(3, by), **value)]  # type: ignore[arg-type]
            )  # fmt: skip
            return outbox.last(tx, TENANT)

    def events(self, subject: str = "workflow_") -> list[tuple[str, Any]]:
        """What the event log has of a subject: words, and what was after."""
        with self.database.reading() as tx:
            rows = outbox.page(tx, TENANT, 0, 10_000)
        return [
            (row[1], msgspec.json.decode(row[8]) if row[8] else None)
            for row in rows
            if row[1].startswith(subject) and not row[1].endswith((".created", ".updated"))
        ]

    async def later(self, seconds: float) -> int:
        """Time goes on, and what is to be done then is."""
        self.clock[0] += seconds
        return await self.clockwork.tick()

    async def close(self) -> None:
        await self.scripts.close()
        await self.hearing.close()
        await self.writer.close()
        self.reader.close()


__all__ = ["BEGUN", "COMPANY", "TENANT", "V1", "Refusal", "Started", "Target", "Waking"]
