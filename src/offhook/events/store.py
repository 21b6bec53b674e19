"""The only SQL of the outbox. `seq` is given inside an exclusive transaction, so its order is the order of commit and a
reader that has seen n has missed nothing below n.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Index, Table

from offhook.events.model import Event
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import big, metadata, text

events = Table(
    "events",
    metadata,
    big("seq", primary_key=True, autoincrement=True),
    big("tenant_id"),
    text("word"),
    text("subject_id"),
    big("actor_id"),
    text("actor_name"),
    big("at"),
    text("request_id"),
    text("before"),
    text("after"),
    Index(None, "tenant_id", "seq"),
    sqlite_autoincrement=True,
)

insert_rows = Insert(
    events,
    ["tenant_id", "word", "subject_id", "actor_id", "actor_name", "at", "request_id", "before", "after"],
)

_PAGE = Statement(
    "SELECT seq, word, subject_id, actor_id, actor_name, at, request_id, before, after FROM events "
    "WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_SINCE = Statement(
    "SELECT seq, word, subject_id, before, after FROM events WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_LAST = Statement("SELECT MAX(seq) FROM events WHERE tenant_id = ?")


def append(tx: Transaction, happened: Sequence[Event]) -> None:
    """Write events, at least one, into the transaction of the change."""
    insert_rows(
        tx,
        [
            (
                e.tenant_id,
                str(e.word),
                e.subject_id,
                e.actor.key_id,
                e.actor.name,
                e.at,
                e.request_id,
                e.before,
                e.after,
            )
            for e in happened
        ],
    )


def page(tx: Transaction, tenant_id: int, after: int, limit: int) -> list[Any]:
    """Rows (seq, word, subject, actor id, actor name, at, request, before, after) behind `after`, oldest first."""
    return tx.all(_PAGE, tenant_id, after, limit)


def since(tx: Transaction, tenant_id: int, after: int, limit: int) -> list[Any]:
    """Rows (seq, word, subject, before, after) behind `after`, oldest first."""
    return tx.all(_SINCE, tenant_id, after, limit)


def last(tx: Transaction, tenant_id: int) -> int:
    """The `seq` of the tenant's last event, 0 if it has none: one look at an index."""
    row = tx.first(_LAST, tenant_id)
    return int(row[0] or 0) if row else 0
