"""The only SQL of runs. A company keeps its latest thousand, their bodies, sent and got, within 200 million bytes."""

from typing import Any

import msgspec
from sqlalchemy import Column, Index, LargeBinary, Table

from offhook.catalog.runs.model import Run
from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import BULKY, HISTORY, big, metadata, text

MOST = 1_000
MOST_BYTES = 200_000_000
NEWEST = 2**62

runs = Table(
    "runs",
    metadata,
    big("tenant_id", primary_key=True),
    big("id", primary_key=True),
    big("saved_id"),
    text("api"),
    text("operation"),
    big("size"),
    text("run"),
    Index(None, "tenant_id", "saved_id", "id"),
    Index(None, "tenant_id", "api", "operation", "id"),
    info={HISTORY: True},
)
bodies = Table(
    "run_bodies",
    metadata,
    big("tenant_id", primary_key=True),
    big("run_id", primary_key=True),
    Column("body", LargeBinary, nullable=False),
    info={HISTORY: True, BULKY: True},
)
_put = Insert(runs, ["tenant_id", "id", "saved_id", "api", "operation", "size", "run"])
_put_body = Insert(bodies, ["tenant_id", "run_id", "body"])
_GET = Statement("SELECT run FROM runs WHERE tenant_id = ? AND id = ?")
_BODY = Statement("SELECT body FROM run_bodies WHERE tenant_id = ? AND run_id = ?")
_SIZES = Statement("SELECT id, size FROM runs WHERE tenant_id = ? ORDER BY id DESC")
_DROP_TO = Statement("DELETE FROM runs WHERE tenant_id = ? AND id <= ?")
_DROP_BODIES_TO = Statement("DELETE FROM run_bodies WHERE tenant_id = ? AND run_id <= ?")
_DROP = Statement("DELETE FROM runs WHERE tenant_id = ? AND id = ?")
_DROP_BODY = Statement("DELETE FROM run_bodies WHERE tenant_id = ? AND run_id = ?")
_decode = msgspec.json.Decoder(Run).decode


def begin(tx: Transaction, run: Run) -> None:
    """Keep a run that is under way, so that it is known of whatever becomes of this process."""
    _put(tx, [(run.tenant_id, run.id, run.saved_id, run.api, run.operation, 0, encode(run).decode())])


def put(tx: Transaction, run: Run, body: bytes) -> None:
    """Keep a run as it ended. The oldest of the company go that are too many, or too large together."""
    size = len(body) + (len(run.prepared.body) if run.prepared is not None else 0)
    tx.change(_DROP, run.tenant_id, run.id)
    _put(tx, [(run.tenant_id, run.id, run.saved_id, run.api, run.operation, size, encode(run).decode())])
    if body:
        _put_body(tx, [(run.tenant_id, run.id, body)])
    total = 0
    for number, (id, size) in enumerate(tx.all(_SIZES, run.tenant_id), 1):
        total += size
        if number > 1 and (number > MOST or total > MOST_BYTES):
            tx.change(_DROP_TO, run.tenant_id, id)
            tx.change(_DROP_BODIES_TO, run.tenant_id, id)
            return


def get(tx: Transaction, tenant_id: int, id: int) -> Run | None:
    """A run of the company, or None."""
    row = tx.first(_GET, tenant_id, id)
    return _decode(row[0]) if row else None


def body(tx: Transaction, tenant_id: int, id: int) -> bytes:
    """The body that it got, as far as it is kept."""
    row = tx.first(_BODY, tenant_id, id)
    return bytes(row[0]) if row else b""


def page(
    tx: Transaction,
    tenant_id: int,
    before: int,
    limit: int,
    *,
    saved_id: int | None = None,
    api: str | None = None,
    operation: str | None = None,
) -> list[Run]:
    """Runs before an id, the latest first: of a saved request, of an API document, of an operation."""
    named: dict[str, Any] = {"saved_id": saved_id, "api": api, "operation": operation}
    filters = {name: value for name, value in named.items() if value is not None}
    where = "".join(f" AND {name} = ?" for name in filters)
    query = Statement(f"SELECT run FROM runs WHERE tenant_id = ?{where} AND id < ? ORDER BY id DESC LIMIT ?")  # noqa: S608
    return [_decode(row[0]) for row in tx.all(query, tenant_id, *filters.values(), before, limit)]


def remove(tx: Transaction, tenant_id: int, id: int) -> bool:
    """Drop a run; False if there is none."""
    tx.change(_DROP_BODY, tenant_id, id)
    return tx.change(_DROP, tenant_id, id) == 1
