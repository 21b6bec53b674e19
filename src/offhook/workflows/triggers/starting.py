"""Carries out starts that were decided: each becomes one run, whatever dies in between, and what became of it is told.

A start is on disk before it is tried. Who tries it has it for a while; if nothing is heard by then, it is anybody's. As
its key goes along, trying again gives the run that there is.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from offhook.catalog.keeping import iso
from offhook.events import store as outbox
from offhook.events.model import SYSTEM, Event, Word
from offhook.kit import clock
from offhook.kit.errors import RateLimited, Refusal, Unavailable
from offhook.kit.wire import encode
from offhook.storage.batches import Writer
from offhook.storage.database import Transaction
from offhook.workflows.runs.engine import Engine
from offhook.workflows.triggers import store
from offhook.workflows.triggers.model import Planned, Ran, Start
from offhook.workflows.triggers.store import Waiting

AT_ONCE = 32
LEASE_MS = 15_000
"""How long a start belongs to who took it: by then another process goes on with those of one that died."""

START_SECONDS = 10.0
MOST_PAUSE_MS = 60_000
GIVE_UP_MS = 86_400_000
"""How long a start is tried that cannot be carried out for now."""

_WORDS = {
    ("schedule", True): Word.WORKFLOW_SCHEDULE_FIRED,
    ("schedule", False): Word.WORKFLOW_SCHEDULE_FAILED,
    ("trigger", True): Word.WORKFLOW_TRIGGER_FIRED,
    ("trigger", False): Word.WORKFLOW_TRIGGER_FAILED,
}

log = structlog.get_logger("offhook.workflows")


def of_engine(engine: Engine) -> Start:
    """Starts runs on the embedded engine."""

    async def start(
        tenant_id: int, name: str, version: int | None, given: Any, /, *, idempotency: str, by: str, correlation: str
    ) -> int:
        id, _ = await engine.start(
            tenant_id, name, version, given=given, idempotency=idempotency, by=by, correlation=correlation
        )
        return id

    return start


class Starting:
    """The starts of all companies that this process carries out."""

    def __init__(self, writer: Writer, start: Start, *, wall: Callable[[], float] = clock.wall) -> None:
        self._writer, self._start, self._wall = writer, start, wall
        self.counts: dict[tuple[str, str], int] = {}
        """How often what happened, for metrics: ("schedule", "started"), ("trigger", "failed"), ..."""

    async def carry_out(self) -> int:
        """Carry out all starts whose time has come; how many there were."""
        count = 0
        while True:
            now = self._now()
            taken = await self._writer.aside(lambda tx, now=now: store.take(tx, now, now + LEASE_MS, AT_ONCE))  # type: ignore[misc]
            if not taken:
                return count
            count += len(taken)
            await asyncio.gather(*(self._try(one) for one in taken))

    async def _try(self, one: Waiting) -> None:
        try:
            run_id, why = await self._run(one)
            if not run_id and why is None:
                return
            await self._writer.aside(lambda tx: self._tell(tx, one, run_id, why or ""))
            self._count(one.planned.source, "started" if run_id else "failed")
        except Unavailable as refusal:
            # The store: the start is on disk, and whoever looks after the lease goes on with it.
            log.warning("start_put_off", key=one.planned.key, cause=refusal.message)

    async def _run(self, one: Waiting) -> tuple[int, str | None]:
        """The run's id, or why there is none; neither if it was put off."""
        planned = one.planned
        if planned.fault:
            return 0, planned.fault
        try:
            async with asyncio.timeout(START_SECONDS):
                id = await self._start(
                    one.tenant_id,
                    planned.workflow,
                    planned.version,
                    planned.input,
                    idempotency=planned.key,
                    by=f"{planned.source} {planned.source_name}",
                    correlation=f"{planned.source}:{planned.source_id}",
                )
        except (Unavailable, RateLimited, TimeoutError) as error:
            return await self._put_off(one, str(error) or f"It took longer than {START_SECONDS:.0f} s.")
        except Refusal as refusal:
            places = "; ".join(f"{found.location}: {found.message}" for found in refusal.violations[:3])
            return 0, f"{refusal.message} {places}".strip()
        except Exception:
            log.exception("start_failed", key=planned.key, tenant=str(one.tenant_id))
            return await self._put_off(one, "Something went wrong here; the server's log says what.")
        return id, None

    async def _put_off(self, one: Waiting, why: str) -> tuple[int, str | None]:
        now, planned = self._now(), one.planned
        if now - planned.decided >= GIVE_UP_MS:
            return 0, f"Given up after a day: {why}"
        tries = planned.tries + 1
        log.warning("start_put_off", key=planned.key, cause=why, tries=tries)
        due = now + min(1_000 * 2 ** min(tries, 10), MOST_PAUSE_MS)
        tried = msgspec.structs.replace(planned, tries=tries, put_off=why)
        await self._writer.aside(lambda tx: store.again(tx, one.tenant_id, tried, due))
        self._count(planned.source, "put_off")
        return 0, None

    def _tell(self, tx: Transaction, one: Waiting, run_id: int, why: str) -> None:
        planned, now = one.planned, self._now()
        if not store.done(tx, one.tenant_id, planned.key):
            return
        outcome = "started" if run_id else "failed"
        ran = Ran(outcome=outcome, moment=planned.moment, run_id=run_id, why=why)  # type: ignore[arg-type]
        if planned.source == "schedule":
            store.told(tx, one.tenant_id, planned.source_id, ran)
        else:
            store.seen(tx, one.tenant_id, planned.source_id, ran)
        word = _WORDS[planned.source, bool(run_id)]
        outbox.append(tx, [event(one.tenant_id, word, planned.source_id, now, said(planned, run_id, why))])

    def _now(self) -> int:
        return int(self._wall() * 1000)

    def _count(self, source: str, what: str) -> None:
        self.counts[source, what] = self.counts.get((source, what), 0) + 1


def said(planned: Planned, run_id: int, why: str) -> dict[str, Any]:
    """What an event says of a start."""
    found: dict[str, Any] = {
        "name": planned.source_name,
        "workflow": planned.workflow,
        "moment": iso(planned.moment),
        "run_id": str(run_id) if run_id else None,
        "event": planned.word,
        "event_seq": str(planned.event) if planned.event else None,
        "late": planned.late,
        "why": why,
    }
    return {name: value for name, value in found.items() if value}


def event(tenant_id: int, word: Word, subject_id: int, at: int, after: dict[str, Any]) -> Event:
    """An event that nobody's request caused."""
    return Event(
        tenant_id=tenant_id,
        word=word,
        subject_id=str(subject_id),
        actor=SYSTEM,
        at=at,
        after=encode(after).decode(),
    )
