"""The only SQL of trunks: the carriers, and which addresses are claimed by whom."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Index, Table

from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents, Kept
from offhook.storage.tables import APART, big, metadata, text
from offhook.telephony.trunks.model import Source, Trunk
from offhook.telephony.trunks.rules import MOST_HOSTS

trunks = Documents("trunks", Trunk, texts={"name": lambda one: one.name}, unique=("name",), info={APART: True})
claims = Table(
    "trunk_addresses",
    metadata,
    big("trunk_id", primary_key=True, autoincrement=False),
    text("first", primary_key=True),
    text("last", primary_key=True),
    big("port", primary_key=True, autoincrement=False),
    big("tenant_id"),
    text("username"),
    Index(None, "first"),
    Index(None, "tenant_id"),
    info={APART: True},
)

_CLAIM = Insert(claims, ["trunk_id", "first", "last", "port", "tenant_id", "username"])
_UNCLAIM = Statement("DELETE FROM trunk_addresses WHERE tenant_id = ? AND trunk_id = ?")
# Over all companies: several may have one carrier, and then the number that is called says whose a call is.
_CLAIMED = Statement(
    "SELECT tenant_id, username FROM trunk_addresses WHERE first <= ? AND last >= ? "
    "AND (port = ? OR port = 0 OR ? = 0) AND trunk_id <> ?"
)
# The lower bound is for the index: no network has more than so many addresses.
_FROM_THERE = (
    "trunk_addresses.first >= ? AND trunk_addresses.first <= ? AND trunk_addresses.last >= ? "
    "AND trunk_addresses.username = '' "
    "AND (trunk_addresses.port = ? OR trunk_addresses.port = 0)"
)
_OF_NUMBER = Statement(
    "SELECT trunk_addresses.trunk_id FROM trunk_addresses "  # noqa: S608 - the condition is ours
    "JOIN numbers ON numbers.tenant_id = trunk_addresses.tenant_id AND numbers.e164 = ? "
    f"WHERE {_FROM_THERE} ORDER BY trunk_addresses.trunk_id LIMIT ?"
)
_OF_ADDRESS = Statement(
    f"SELECT trunk_addresses.trunk_id FROM trunk_addresses WHERE {_FROM_THERE} "  # noqa: S608 - the condition is ours
    "ORDER BY trunk_addresses.trunk_id LIMIT ?"
)
MOST_BESIDE = 100
"""Carriers of one address whose ways to write numbers are tried."""
_TENANT_OF = Statement("SELECT tenant_id FROM trunks WHERE id = ? AND state = 'active'")
_TENANTS = Statement("SELECT DISTINCT tenant_id FROM trunks WHERE state = 'active' ORDER BY tenant_id")


def claim(tx: Transaction, tenant_id: int, id: int, sources: Iterable[Source], username: str) -> None:
    """Note where a trunk's calls come from, in the place of where they did."""
    tx.change(_UNCLAIM, tenant_id, id)
    rows = [(id, *source.bounds, source.port, tenant_id, username) for source in sources]
    if rows:
        _CLAIM(tx, rows)


def is_claimed(tx: Transaction, tenant_id: int, source: Source, username: str, id: int) -> bool:
    """Whether a caller from there could be another trunk than `id`, and nothing would tell them apart.

    Companies that both ask for no proof are told apart by the number that is called, which one of them has.
    """
    first, last = source.bounds
    return any(
        (not username or not other or other == username) and (tenant == tenant_id or bool(username or other))
        for tenant, other in tx.all(_CLAIMED, last, first, source.port, source.port, id)
    )


def beside(tx: Transaction, source: Source, e164: str = "", most: int = MOST_BESIDE) -> list[int]:
    """The trunks, of all companies, that callers from an address may be without a proof, oldest first, up to `most`.

    With `e164` those of whoever has that number.
    """
    first, last = source.bounds
    version, lowest = source.network.version, max(int(source.network[0]) - MOST_HOSTS + 1, 0)
    where = (f"{version}{lowest:032x}", last, first, source.port)
    found = tx.all(_OF_NUMBER, e164, *where, most) if e164 else tx.all(_OF_ADDRESS, *where, most)
    return [row[0] for row in found]


def enabled(tx: Transaction, id: int) -> Kept[Trunk] | None:
    """A trunk of any company by its id; None if there is none, or it is not enabled."""
    row = tx.first(_TENANT_OF, id)
    return None if row is None else trunks.get(tx, int(row[0]), id)


def all_enabled(tx: Transaction) -> Sequence[Kept[Trunk]]:
    """Those of all companies."""
    return [kept for (tenant_id,) in tx.all(_TENANTS) for kept in trunks.all(tx, tenant_id, state="active")]
