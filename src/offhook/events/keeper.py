"""Keeps one kind of thing: stores it, tells the event log, and refuses what is gone or was changed meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, NotFound, PreconditionFailed
from offhook.kit.operation import Call
from offhook.kit.wire import encode
from offhook.storage.database import Transaction
from offhook.storage.documents import Documents, Kept

T = TypeVar("T")


@dataclass(frozen=True)
class Keeper(Generic[T]):
    """What is done to every kind alike. `show` is the form that events keep: the wire form, with no secret in it.

    `noun` is the kind in a sentence: "There is no room 12."
    """

    noun: str
    documents: Documents[T]
    show: Callable[[Transaction, Kept[T]], msgspec.Struct | Mapping[str, Any]]
    created: Word
    updated: Word
    deleted: Word

    def get(self, tx: Transaction, tenant_id: int, id: int) -> Kept[T]:
        """The one with this id; NotFound if the company has none."""
        kept = self.documents.get(tx, tenant_id, id)
        if kept is None:
            raise self.missing(id)
        return kept

    def missing(self, id: object) -> NotFound:
        """The answer for what is not there, or not the caller's."""
        return NotFound(f"There is no {self.noun} {id}.")

    def add(self, tx: Transaction, call: Call, at: datetime, id: int, value: T, *, state: str = "active") -> Kept[T]:
        """Store a new one, with its event."""
        now = clock.milliseconds(at)
        kept = Kept(id=id, tenant_id=call.principal.tenant_id, value=value, state=state, created_at=now, updated_at=now)
        self.documents.insert(tx, [kept])
        tell(tx, call, at, self.created, id, after=self.show(tx, kept))
        return kept

    def change(
        self,
        tx: Transaction,
        call: Call,
        at: datetime,
        before: Kept[T],
        value: T,
        *,
        state: str | None = None,
        word: Word | None = None,
    ) -> Kept[T]:
        """Replace its document, its state or both, with an event; what is the same already stays as it is.

        PreconditionFailed if `If-Match` names another version than that of `before`.
        """
        self.refuse_old(call, before)
        after = self._changed(at, before, value, state)
        if after is before:
            return before
        shown = self.show(tx, before)
        if not self.documents.update(tx, before, after):
            raise Conflict(f"The {self.noun} was changed meanwhile; read it again.")
        tell(tx, call, at, word or self.updated, before.id, before=shown, after=self.show(tx, after))
        return after

    def change_many(
        self, tx: Transaction, call: Call, at: datetime, changes: Sequence[tuple[Kept[T], T]], word: Word
    ) -> None:
        """Replace the documents of many that were read in this transaction, with an event each, in few statements."""
        pairs = [(before, self._changed(at, before, value, None)) for before, value in changes]
        pairs = [(before, after) for before, after in pairs if after is not before]
        if pairs:
            told = [
                event_of(call, at, word, before.id, before=self.show(tx, before), after=self.show(tx, after))
                for before, after in pairs
            ]
            self.documents.update_many(tx, pairs)
            events.append(tx, told)

    @staticmethod
    def _changed(at: datetime, before: Kept[T], value: T, state: str | None) -> Kept[T]:
        state = before.state if state is None else state
        if value == before.value and state == before.state:
            return before
        return msgspec.structs.replace(
            before,
            value=value,
            state=state,
            version=before.version + 1,
            updated_at=max(clock.milliseconds(at), before.updated_at),
        )

    def remove(self, tx: Transaction, call: Call, at: datetime, before: Kept[T], value: T | None = None) -> Kept[T]:
        """Delete it, with its event: its row stays, out of every answer. PreconditionFailed as for `change`.

        `value` is what is kept of it, where that is less than it was.
        """
        self.refuse_old(call, before)
        shown = self.show(tx, before)
        gone = msgspec.structs.replace(
            before,
            value=before.value if value is None else value,
            state="deleted",
            version=before.version + 1,
            updated_at=clock.milliseconds(at),
        )
        if not self.documents.update(tx, before, gone):
            raise Conflict(f"The {self.noun} was changed meanwhile; read it again.")
        tell(tx, call, at, self.deleted, before.id, before=shown)
        return gone

    def refuse_old(self, call: Call, before: Kept[T]) -> None:
        """PreconditionFailed if `If-Match` names another version than that of `before`."""
        if call.if_match is not None and call.if_match != before.version:
            raise PreconditionFailed(
                f"The {self.noun} is at version {before.version}, not {call.if_match}; read it again."
            )


def shown(_tx: Transaction, kept: Kept[Any]) -> dict[str, Any]:
    """What events keep of most kinds: id, state, and each field as the wire writes it; what is empty is left out."""
    return {"id": str(kept.id), "state": kept.state, **_written(kept.value)}


def _written(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _written(one) for name, one in fields if one is not None and one not in ((), "")}
    if isinstance(value, tuple | list):
        return [_written(one) for one in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def tell(
    tx: Transaction,
    call: Call,
    at: datetime,
    word: Word,
    subject_id: object,
    *,
    before: msgspec.Struct | Mapping[str, Any] | None = None,
    after: msgspec.Struct | Mapping[str, Any] | None = None,
) -> None:
    """Write an event of the caller's into the transaction of the change."""
    events.append(tx, [event_of(call, at, word, subject_id, before=before, after=after)])


def event_of(
    call: Call,
    at: datetime,
    word: Word,
    subject_id: object,
    *,
    before: msgspec.Struct | Mapping[str, Any] | None = None,
    after: msgspec.Struct | Mapping[str, Any] | None = None,
) -> Event:
    """An event of the caller's."""
    return Event(
        tenant_id=call.principal.tenant_id,
        word=word,
        subject_id=str(subject_id),
        actor=Actor.of(call.principal),
        at=clock.milliseconds(at),
        request_id=call.request_id,
        before="" if before is None else encode(before).decode(),
        after="" if after is None else encode(after).decode(),
    )
