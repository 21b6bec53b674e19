"""Where call routers and their latest errors are kept."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Table

from offhook.directory.callrouters.model import CallRouter
from offhook.kit.wire import encode
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents
from offhook.storage.tables import big, metadata, text

callrouters = Documents("callrouters", CallRouter, numbers={"office_id": lambda router: router.office_id})

_errors = Table(
    "callrouter_errors",
    metadata,
    big("tenant_id", primary_key=True),
    big("router_id", primary_key=True),
    text("moments"),
)
_insert = Insert(_errors, ["tenant_id", "router_id", "moments"])
_GET = Statement("SELECT moments FROM callrouter_errors WHERE tenant_id = ? AND router_id = ?")
_SET = Statement("UPDATE callrouter_errors SET moments = ? WHERE tenant_id = ? AND router_id = ?")
_FORGET = Statement("DELETE FROM callrouter_errors WHERE tenant_id = ? AND router_id = ?")


def errors(tx: Transaction, tenant_id: int, id: int) -> list[int]:
    """The moments of a router's latest errors, in milliseconds, oldest first."""
    row = tx.first(_GET, tenant_id, id)
    return msgspec.json.decode(row[0], type=list[int]) if row else []


def keep_errors(tx: Transaction, tenant_id: int, id: int, moments: Sequence[int]) -> None:
    """Replace them."""
    kept = encode(moments).decode()
    if not tx.change(_SET, kept, tenant_id, id):
        _insert(tx, [(tenant_id, id, kept)])


def forget_errors(tx: Transaction, tenant_id: int, id: int) -> None:
    """Count from zero again."""
    tx.change(_FORGET, tenant_id, id)
