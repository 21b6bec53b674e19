"""The only SQL of devices."""

from collections.abc import Sequence

from offhook.directory.devices.model import Device
from offhook.storage.database import Statement, Transaction, in_parts
from offhook.storage.documents import Documents

devices = Documents(
    "devices",
    Device,
    numbers={"owner_id": lambda device: device.owner_id},
    texts={"owner_type": lambda device: device.owner_type},
)

_RINGING = "FROM devices WHERE tenant_id = ? AND state = 'active' AND state <> 'deleted'"
_ALL_RINGING = Statement(f"SELECT owner_id, id {_RINGING} ORDER BY id")


def online(tx: Transaction, tenant_id: int, user_ids: Sequence[int]) -> set[int]:
    """Those of the users who have a device that can be rung."""
    return set(ringing(tx, tenant_id, user_ids))


def ringing(tx: Transaction, tenant_id: int, owner_ids: Sequence[int]) -> dict[int, list[int]]:
    """The devices that may ring of users and rooms, by owner, oldest first; an owner without any is left out."""
    found: dict[int, list[int]] = {}
    for padded, marks in in_parts(owner_ids, 0):
        # Without an order: for one by id SQLite would go through all devices of the company.
        query = Statement(f"SELECT owner_id, id {_RINGING} AND owner_id IN ({marks})")
        for owner_id, id in tx.all(query, tenant_id, *padded):
            found.setdefault(owner_id, []).append(id)
    return {owner_id: sorted(ids) for owner_id, ids in found.items()}


def all_ringing(tx: Transaction, tenant_id: int) -> dict[int, list[int]]:
    """The same of everybody."""
    found: dict[int, list[int]] = {}
    for owner_id, id in tx.all(_ALL_RINGING, tenant_id):
        found.setdefault(owner_id, []).append(id)
    return found
