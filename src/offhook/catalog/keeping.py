"""What the services of the workbench share: creates done once, events told, pages, ids out of paths."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from offhook.access import idempotency
from offhook.access.idempotency import Outcome
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Conflict, Invalid, NotFound, PreconditionFailed, Violation
from offhook.kit.ids import Ids
from offhook.kit.operation import Call, Rehearsed, Reply, WarningOut
from offhook.kit.wire import encode
from offhook.storage.batches import Reader, Within, Writer
from offhook.storage.database import Transaction
from offhook.storage.documents import Documents, Kept

V1 = "/api/offhook/v1"
READ, WRITE = "catalog:read", "catalog:write"
PAGE = 100
T = TypeVar("T")


class Done(msgspec.Struct):
    """Nothing but that it is done."""


class _Undone(Exception):
    """Leaves a transaction that was only a rehearsal, so that it is undone."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Keeping:
    """What every service of the workbench works with."""

    writer: Writer | Within
    reader: Reader | Within
    ids: Ids
    cursors: Cursors
    keep_days: int = 7

    async def create(self, call: Call, make: Callable[[Transaction], msgspec.Struct]) -> Reply:
        """Do a create in one transaction. With an Idempotency-Key it happens once; a dry run is undone."""
        claim = idempotency.claim_of(call, self.ids, self.keep_days * 86_400_000)
        notices = tuple(call.notices)

        def run(tx: Transaction) -> Outcome:
            if call.dry_run:
                idempotency.refuse_other(tx, claim)
                raise _Undone(Outcome(encode(make(tx)), notices))
            return idempotency.once(tx, claim, lambda: Outcome(encode(make(tx)), notices))

        try:
            outcome = await self.writer.run(run)
        except _Undone as undone:
            told = [WarningOut(one.code, one.field, one.text) for one in notices]
            return Reply(body=encode(Rehearsed(True, msgspec.Raw(undone.outcome.body), told)))
        call.notices[:] = outcome.notices
        return Reply(body=outcome.body, headers=((b"offhook-replayed", b"true"),) if outcome.replayed else ())


def get(documents: Documents[T], tx: Transaction, tenant_id: int, id: int, noun: str) -> Kept[T]:
    """The document of the tenant; NotFound names it by its noun."""
    kept = documents.get(tx, tenant_id, id)
    if kept is None:
        raise NotFound(f"There is no {noun} {id}.")
    return kept


def new(call: Call, at: datetime, id: int, value: T) -> Kept[T]:
    """A document of the caller's that begins now."""
    now = clock.milliseconds(at)
    return Kept(id=id, tenant_id=call.principal.tenant_id, value=value, created_at=now, updated_at=now)


def put(
    documents: Documents[T], tx: Transaction, call: Call, at: datetime, before: Kept[T], value: T, noun: str
) -> Kept[T]:
    """Replace a document; what is the same stays. PreconditionFailed if `If-Match` names another version."""
    refuse_old(call, before, noun)
    if value == before.value:
        return before
    return _replaced(documents, tx, at, before, value, before.state, noun)


def remove(
    documents: Documents[T], tx: Transaction, call: Call, at: datetime, before: Kept[T], value: T, noun: str
) -> None:
    """Delete a document, of which `value` stays in its row."""
    refuse_old(call, before, noun)
    _replaced(documents, tx, at, before, value, "deleted", noun)


def _replaced(
    documents: Documents[T], tx: Transaction, at: datetime, before: Kept[T], value: T, state: str, noun: str
) -> Kept[T]:
    moment = max(clock.milliseconds(at), before.updated_at)
    after = msgspec.structs.replace(before, value=value, state=state, version=before.version + 1, updated_at=moment)
    if not documents.update(tx, before, after):
        raise Conflict(f"The {noun} was changed meanwhile; read it again.")
    return after


def refuse_old(call: Call, before: Kept[Any], noun: str) -> None:
    """PreconditionFailed if `If-Match` names another version than that of `before`."""
    if call.if_match is not None and call.if_match != before.version:
        raise PreconditionFailed(f"The {noun} is at version {before.version}, not {call.if_match}; read it again.")


def tell(
    tx: Transaction,
    call: Call,
    at: datetime,
    word: Word,
    id: int,
    *,
    before: msgspec.Struct | Mapping[str, Any] | None = None,
    after: msgspec.Struct | Mapping[str, Any] | None = None,
) -> None:
    """Write an event of the caller's into the transaction of the change. No secret may be in it."""
    event = Event(
        tenant_id=call.principal.tenant_id,
        word=word,
        subject_id=str(id),
        actor=Actor.of(call.principal),
        at=clock.milliseconds(at),
        request_id=call.request_id,
        before="" if before is None else encode(before).decode(),
        after="" if after is None else encode(after).decode(),
    )
    events.append(tx, [event])


def id_of(call: Call, name: str = "id") -> int:
    """The int64 that stands in the path."""
    number = call.params[name]
    assert isinstance(number, int)
    return number


def etag(kept: Kept[Any]) -> tuple[tuple[bytes, bytes], ...]:
    """The header that `If-Match` is held against."""
    return ((b"etag", b'"%d"' % kept.version),)


def refuse(found: list[Violation]) -> None:
    """Invalid with all of `found`, if there are any."""
    if found:
        raise Invalid.of(found)


def iso(moment: int) -> str:
    """Milliseconds since 1970 UTC as a date-time with its zone."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
