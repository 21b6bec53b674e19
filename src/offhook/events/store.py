"""The only SQL of the outbox. `seq` is given inside an exclusive transaction, so its order is the order of commit and a
reader that has seen n has missed nothing below n.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Index, Table

from offhook.events.model import Event
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import HISTORY, big, metadata, text

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
    info={HISTORY: True},
)

insert_rows = Insert(
    events,
    ["tenant_id", "word", "subject_id", "actor_id", "actor_name", "at", "request_id", "before", "after"],
)

SEARCHED = 2000
"""Events that one look for a subject goes through."""

_END = 2**63 - 1
_COLUMNS = "seq, word, subject_id, actor_id, actor_name, at, request_id, before, after"
_PAGE = Statement(f"SELECT {_COLUMNS} FROM events WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?")  # noqa: S608
_ONE = Statement(f"SELECT {_COLUMNS} FROM events WHERE tenant_id = ? AND seq = ?")  # noqa: S608
_SUBJECTS = Statement("SELECT seq, subject_id FROM events WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?")
_SUBJECTS_BACK = Statement(
    "SELECT seq, subject_id FROM events WHERE tenant_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
)
_SINCE = Statement(
    "SELECT seq, word, subject_id, before, after FROM events WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_SINCE_OF_ALL = Statement(
    "SELECT tenant_id, word, subject_id, before, after FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
)
_LAST_OF_ALL = Statement("SELECT MAX(seq) FROM events")
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


def select(
    tx: Transaction, tenant_id: int, after: int, limit: int, newest_first: bool, subject_id: str | None
) -> tuple[list[Any], int]:
    """Such rows in either order, of one subject if it is named, and the `seq` to go on behind.

    `after` 0 begins at the order's beginning. Looks at `SEARCHED` events at most, as nothing indexes subjects.
    """
    if newest_first:
        seen = tx.all(_SUBJECTS_BACK, tenant_id, after or _END, SEARCHED)
    else:
        seen = tx.all(_SUBJECTS, tenant_id, after, SEARCHED)
    wanted = [row[0] for row in seen if subject_id is None or row[1] == subject_id]
    last = wanted[limit - 1] if len(wanted) >= limit else seen[-1][0] if seen else after
    return [tx.first(_ONE, tenant_id, seq) for seq in wanted[:limit]], last


def since(tx: Transaction, tenant_id: int, after: int, limit: int) -> list[Any]:
    """Rows (seq, word, subject, before, after) behind `after`, oldest first."""
    return tx.all(_SINCE, tenant_id, after, limit)


def last(tx: Transaction, tenant_id: int) -> int:
    """The `seq` of the tenant's last event, 0 if it has none: one look at an index."""
    row = tx.first(_LAST, tenant_id)
    return int(row[0] or 0) if row else 0


def since_of_all(tx: Transaction, after: int, limit: int) -> list[Any]:
    """Rows (tenant, word, subject, before, after) of all companies behind `after`, oldest first."""
    return tx.all(_SINCE_OF_ALL, after, limit)


def last_of_all(tx: Transaction) -> int:
    """The `seq` of the last event of all companies, 0 if there is none."""
    row = tx.first(_LAST_OF_ALL)
    return int(row[0] or 0) if row else 0


def of_words(tx: Transaction, words: Sequence[str], after: int, limit: int) -> tuple[int, list[Any]]:
    """Rows (word, after) of all companies behind `after` with one of `words`, oldest first, and the `seq` that was
    looked up to.
    """
    last = last_of_all(tx)
    if last <= after:
        return after, []
    found = tx.all(_of_words(len(words)), after, last, *map(str, words), limit)
    return found[-1][0] if len(found) == limit else last, [(word, content) for _, word, content in found]


@lru_cache(maxsize=8)
def _of_words(count: int) -> Statement:
    marks = ", ".join("?" * count)
    return Statement(
        f"SELECT seq, word, after FROM events WHERE seq > ? AND seq <= ? AND word IN ({marks}) ORDER BY seq LIMIT ?"  # noqa: S608
    )
