"""The only SQL of wires: a row for all that were over at once, which is most often all of a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from sqlalchemy import Table

from offhook.calls.wires.model import Wire, Wires
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.tables import HISTORY, big, metadata, text

wires = Table(
    "call_wires",
    metadata,
    big("tenant_id", primary_key=True),
    big("call_id", primary_key=True),
    big("at", primary_key=True),
    text("wires"),
    info={HISTORY: True},
)
_put = Insert(wires, ["tenant_id", "call_id", "at", "wires"], replacing=["tenant_id", "call_id", "at"])
_OF = Statement("SELECT wires FROM call_wires WHERE tenant_id = ? AND call_id = ? ORDER BY at")
_FORGET = Statement("DELETE FROM call_wires WHERE tenant_id = ? AND call_id = ?")
_decode = msgspec.json.Decoder(tuple[Wire, ...]).decode
_encode = msgspec.json.Encoder().encode


def put(tx: Transaction, told: Sequence[Wires]) -> None:
    """Write these; what is written again takes its own place."""
    rows = {
        (one.tenant_id, one.call_id, min(wire.began for wire in one.wires)): _encode(one.wires).decode()
        for one in told
        if one.wires
    }
    if rows:
        _put(tx, [(*key, text) for key, text in rows.items()])


@dataclass(frozen=True, slots=True)
class Put:
    """A unit of work that writes these."""

    aside: ClassVar[bool] = True
    told: Sequence[Wires]

    def run(self, tx: Transaction) -> None:
        """Alone."""
        put(tx, self.told)

    @classmethod
    def run_many(cls, tx: Transaction, units: "Sequence[Put]") -> list[None]:
        """With others, and on SQLite by the loop: so what else is written then need not go to the thread as a whole."""
        put(tx, [one for unit in units for one in unit.told])
        return [None] * len(units)


def of_call(tx: Transaction, tenant_id: int, call_id: int) -> list[Wire]:
    """Those of a call that are over, in the order in which they began."""
    found = [wire for row in tx.all(_OF, tenant_id, call_id) for wire in _decode(row[0])]
    return sorted(found, key=lambda wire: wire.began)


def forget(tx: Transaction, tenant_id: int, call_id: int) -> None:
    """Those of a call are gone."""
    tx.change(_FORGET, tenant_id, call_id)
