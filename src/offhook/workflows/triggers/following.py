"""Follows what happens in each company, and decides which triggers it starts.

How far a company's events were looked at is moved on in the transaction in which their starts are put down, and only
from where it stood: so each event starts a run of each trigger once, whoever looks, and whoever dies.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog

from offhook.events import store as outbox
from offhook.events.model import Event, Show, Word
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable, shown
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.workflows.expressions.resolving import resolved
from offhook.workflows.expressions.scripts import NotNow, ScriptError, Scripts
from offhook.workflows.expressions.templates import ExpressionError
from offhook.workflows.triggers import rules, store
from offhook.workflows.triggers.model import Passed, Planned, Ran, Trigger
from offhook.workflows.triggers.rules import Recent
from offhook.workflows.triggers.starting import event
from offhook.workflows.triggers.timing import MOST_INPUT

PAGE = 100
COMPANIES = 500
AT_ONCE = 4
"""Companies whose events are looked at at a time: scripts of one must not keep the others waiting."""

SECONDS = 2.0
"""After how long the looking at one company's events is written down and others get their turn."""

MOST_WAITING = 10_000
"""While so many starts of a company wait, its further events do."""

log = structlog.get_logger("offhook.workflows")


class _Seen(msgspec.Struct):
    """What stands in the store: how far events were looked at, the next ones, the triggers and their last minute.

    It is `held` where too many starts wait to be carried out.
    """

    position: int
    held: bool
    rows: list[Any]
    triggers: list[Kept[Trigger]]
    watching: dict[int, tuple[int, Recent]]


class _Found(msgspec.Struct):
    """What the events came to, up to the one with the number `upto`."""

    upto: int
    starts: list[Planned] = []
    recent: dict[int, Recent] = {}
    stopped: dict[int, tuple[str, int, str]] = {}


class Following:
    """The triggers of all companies. `shows` are for subjects that keep documents in a form of their own."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        scripts: Scripts,
        shows: Mapping[str, Show],
        *,
        wall: Callable[[], float] = clock.wall,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._writer, self._reader, self._scripts, self._shows = writer, reader, scripts, shows
        self._wall, self._monotonic = wall, monotonic
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._known = 0

    async def look(self) -> int:
        """Look at what has happened since the last time; how many events were looked at."""
        last = await self._reader.run(store.last_event)
        if last == self._known:
            return 0
        count, after, all_of_it = 0, 0, True
        while True:
            found = await self._reader.run(lambda tx, after=after: store.behind(tx, after, COMPANIES))  # type: ignore[misc]
            if not found:
                break
            for many, whole in await asyncio.gather(*(self._company(tenant_id) for tenant_id in found)):
                count, all_of_it = count + many, all_of_it and whole
            after = found[-1]
        if all_of_it:
            self._known = last
        return count

    async def _company(self, tenant_id: int) -> tuple[int, bool]:
        """Look at a company's events; how many, and whether that was all."""
        async with self._turn:
            count, until = 0, self._monotonic() + SECONDS
            while self._monotonic() < until:
                try:
                    seen = await self._reader.run(lambda tx: _seen(tx, tenant_id))
                    if seen is None or seen.held or not seen.rows:
                        return count, seen is None or not seen.held
                    found = await self._decided(seen, until)
                    moved = await self._writer.aside(
                        lambda tx, seen=seen, found=found: self._keep(tx, tenant_id, seen, found)  # type: ignore[misc]
                    )
                except Refusal as refusal:
                    log.warning("events_put_off", tenant=str(tenant_id), cause=refusal.message)
                    return count, False
                except Exception:
                    log.exception("events_not_followed", tenant=str(tenant_id))
                    return count, False
                if moved is None:
                    return count, False
                if moved:
                    count += sum(row[0] <= found.upto for row in seen.rows)
            return count, False

    async def _decided(self, seen: _Seen, until: float) -> _Found:
        found = _Found(seen.position)
        for row in seen.rows:
            data: dict[str, Any] = {}
            for kept in seen.triggers:
                since, recent = seen.watching.get(kept.id, (row[0], Recent()))
                one, word = kept.value, row[1]
                if row[0] <= since or kept.id in found.stopped or not rules.fits(one.events, word):
                    continue
                start = await self._fitting(kept, row, data)
                if isinstance(start, str):
                    recent.passed = Passed(event=row[0], word=word, moment=row[5], why=start)
                    found.recent[kept.id] = recent
                    continue
                subject = f"{word.partition('.')[0]} {row[2]}"
                recent.note(row[5], subject)
                found.recent[kept.id] = recent
                why = recent.too_many(subject, one.most)
                if why:
                    found.stopped[kept.id] = (why, row[0], word)
                else:
                    found.starts.append(start)
            found.upto = row[0]
            if self._monotonic() >= until:
                break
        return found

    async def _fitting(self, kept: Kept[Trigger], row: Any, data: dict[str, Any]) -> Planned | str:
        """The start that an event leads to; or which of the trigger's conditions it does not fulfil, as a sentence.

        `data` is what expressions see of the event, {} until somebody asks for it. Unavailable if that cannot be found
        out now.
        """
        one, given, fault = kept.value, None, ""
        if row[4] in one.not_by:
            return f"It was made by the key {shown(row[4])}, whose changes start nothing (not_by)."
        seq, at = row[0], row[5]
        try:
            if not data:
                data |= event_data(row, self._shows)
            if field := rules.differing(one.where, data):
                return f"Its {field} is not what the condition (where) wants."
            if not await self._holds(kept.tenant_id, one, data, at, seq):
                return "The expression gave false."
            given = await resolved(
                kept.tenant_id, one.input, data, self._scripts, now_ms=at, seed=seq, most=MOST_INPUT, place="input"
            )
        except ExpressionError as error:
            fault = str(error)
        except NotNow as error:
            raise Unavailable(error.message) from None
        except ScriptError as error:
            fault = f"expression: {error.message}"
        except Refusal:
            raise
        except Exception:
            log.exception("event_not_read", trigger=str(kept.id), event_seq=str(seq))
            fault = "Something went wrong here; the server's log says what."
        return Planned(
            key=f"event:{kept.id}:{seq}",
            source="trigger",
            source_id=kept.id,
            source_name=one.name,
            workflow=one.workflow,
            version=one.version,
            input=given,
            moment=at,
            event=seq,
            word=row[1],
            decided=int(self._wall() * 1000),
            fault=fault,
        )

    async def _holds(self, tenant_id: int, one: Trigger, data: dict[str, Any], at: int, seq: int) -> bool:
        if not one.expression:
            return True
        evaluate = self._scripts.javascript if one.language == "javascript" else self._scripts.jsonata
        holds = await evaluate(tenant_id, one.expression, data, now_ms=at, seed=seq)
        if not isinstance(holds, bool):
            raise ScriptError("It must give true or false; write !!(...) in JavaScript, $boolean(...) in JSONata.")
        return holds

    def _keep(self, tx: Transaction, tenant_id: int, seen: _Seen, found: _Found) -> bool | None:
        """Write it down. False if triggers were changed meanwhile, None if somebody else was quicker."""
        if _versions(_active(tx, tenant_id)) != _versions(seen.triggers):
            return False
        if not store.step(tx, tenant_id, seen.position, found.upto):
            return None
        now = int(self._wall() * 1000)
        if found.starts:
            store.put_starts(tx, tenant_id, found.starts, now)
        for id, recent in found.recent.items():
            store.put_recent(tx, tenant_id, id, recent)
        told: list[Event] = []
        for kept in seen.triggers:
            if kept.id in found.stopped:
                why, seq, word = found.stopped[kept.id]
                self._stop(tx, kept, why, now)
                about = {"name": kept.value.name, "event": word, "event_seq": str(seq), "why": why}
                told.append(event(tenant_id, Word.WORKFLOW_TRIGGER_STOPPED, kept.id, now, about))
        if told:
            outbox.append(tx, told)
            store.follow(tx, tenant_id)
        return True

    @staticmethod
    def _stop(tx: Transaction, kept: Kept[Trigger], why: str, now: int) -> None:
        value = msgspec.structs.replace(kept.value, paused=True, stopped=why)
        after = msgspec.structs.replace(kept, value=value, version=kept.version + 1, updated_at=now)
        assert store.triggers.update(tx, kept, after), "read in this transaction"
        store.seen(tx, kept.tenant_id, kept.id, Ran(outcome="skipped", moment=now, why=why))
        log.warning("trigger_stopped", trigger=str(kept.id), tenant=str(kept.tenant_id), why=why)


def _seen(tx: Transaction, tenant_id: int) -> _Seen | None:
    position = store.position(tx, tenant_id)
    if position is None:
        return None
    held = store.waiting(tx, tenant_id) >= MOST_WAITING
    rows = outbox.page(tx, tenant_id, position, PAGE)
    return _Seen(position, held, rows, _active(tx, tenant_id), store.watching(tx, tenant_id))


def _active(tx: Transaction, tenant_id: int) -> list[Kept[Trigger]]:
    return [one for one in store.triggers.all(tx, tenant_id) if not one.value.paused]


def _versions(triggers: list[Kept[Trigger]]) -> list[tuple[int, int]]:
    return [(one.id, one.version) for one in triggers]


def event_data(row: Any, shows: Mapping[str, Show]) -> dict[str, Any]:
    """What expressions see of an event: `${event.after.office.name}`. The form is that of the API's event log."""
    seq, word, subject, actor_id, actor_name, at, request_id, before, after = row
    show = shows.get(word.partition(".")[0])

    def parsed(document: str) -> Any:
        if not document:
            return None
        return msgspec.json.decode(show(document, at) if show is not None else document)

    return {
        "event": {
            "seq": str(seq),
            "event": word,
            "subject_id": subject,
            "at": str(at),
            "actor": {"key_id": str(actor_id) if actor_id else None, "name": actor_name or None},
            "request_id": request_id or None,
            "before": parsed(before),
            "after": parsed(after),
        }
    }
