"""The only SQL of telephones: what they sign in with, and where they are reached.

A device that is deleted is not looked at any more: what was kept of it counts for nothing from that moment on, and is
taken away later.
"""

from collections.abc import Sequence

from sqlalchemy import Index, Table

from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.tables import APART, big, metadata, text
from offhook.telephony.phones.model import Contact, Phone

phones = Table(
    "phones",
    metadata,
    big("device_id", primary_key=True, autoincrement=False),
    big("tenant_id"),
    text("username"),
    text("realm"),
    text("md5"),
    text("sha256"),
    big("set_at"),
    # Of all companies: a telephone says who it is by nothing else.
    Index("uq_phones_username", "username", unique=True),
    Index(None, "tenant_id"),
    info={APART: True},
)
registrations = Table(
    "registrations",
    metadata,
    big("device_id", primary_key=True, autoincrement=False),
    text("uri", primary_key=True),
    big("tenant_id"),
    text("host"),
    big("port"),
    big("until"),
    text("call_id"),
    big("sequence"),
    text("agent"),
    big("since"),
    Index(None, "until"),
    Index(None, "tenant_id"),
    info={APART: True},
)

_PHONE = "p.device_id, p.tenant_id, p.username, p.realm, p.md5, p.sha256, p.set_at"
_THERE = "JOIN devices d ON d.id = p.device_id AND d.tenant_id = p.tenant_id AND d.state <> 'deleted'"
_OF_USERNAME = Statement(f"SELECT {_PHONE} FROM phones p {_THERE} WHERE p.username = ?")  # noqa: S608 - names are ours
_PUT = Insert(phones, ["device_id", "tenant_id", "username", "realm", "md5", "sha256", "set_at"], ["device_id"])
_IS_TAKEN = Statement("SELECT 1 FROM phones WHERE username = ?")

_CONTACT = "uri, host, port, until, call_id, sequence, agent, since"
_CONTACTS = Statement(f"SELECT {_CONTACT} FROM registrations WHERE tenant_id = ? AND device_id = ? ORDER BY until, uri")  # noqa: S608 - names are ours
_FORGET = Statement("DELETE FROM registrations WHERE tenant_id = ? AND device_id = ?")
_ADD = Insert(registrations, ["device_id", "tenant_id", *_CONTACT.split(", ")])
_OVER = Statement("DELETE FROM registrations WHERE until <= ?")
_REACHED = Statement(
    "SELECT COUNT(DISTINCT r.device_id) FROM registrations r JOIN devices d ON d.id = r.device_id "
    "AND d.tenant_id = r.tenant_id AND d.state <> 'deleted' WHERE r.until > ?"
)
_PLACES = Statement(
    "SELECT host, port, MAX(until) FROM registrations WHERE until > ? GROUP BY host, port ORDER BY 3 DESC LIMIT ?"
)
_ALIVE = "SELECT 1 FROM devices d WHERE d.id = device_id AND d.state <> 'deleted'"
_DROPPED = (
    Statement(f"DELETE FROM registrations WHERE NOT EXISTS ({_ALIVE})"),  # noqa: S608 - names are ours
    Statement(f"DELETE FROM phones WHERE NOT EXISTS ({_ALIVE})"),  # noqa: S608 - names are ours
)


def of_username(tx: Transaction, username: str) -> Phone | None:
    """The telephone of any company that signs in with this name; None if there is none."""
    row = tx.first(_OF_USERNAME, username)
    return None if row is None else _phone(row)


def of_devices(tx: Transaction, tenant_id: int, device_ids: Sequence[int]) -> dict[int, Phone]:
    """What those of the devices sign in with that have a password."""
    found: dict[int, Phone] = {}
    for padded, marks in in_parts(device_ids, 0):
        query = Statement(f"SELECT {_PHONE} FROM phones p WHERE p.tenant_id = ? AND p.device_id IN ({marks})")  # noqa: S608 - names are ours
        found |= {row[0]: _phone(row) for row in tx.all(query, tenant_id, *padded)}
    return found


def _phone(row: Sequence[int | str]) -> Phone:
    device_id, tenant_id, username, realm, md5, sha256, set_at = row
    return Phone(
        device_id=int(device_id), tenant_id=int(tenant_id), username=str(username), realm=str(realm),
        digests={"MD5": str(md5), "SHA-256": str(sha256)}, set_at=int(set_at),
    )  # fmt: skip


def is_taken(tx: Transaction, username: str) -> bool:
    """Whether a telephone of any company has, or had lately, this name."""
    return tx.first(_IS_TAKEN, username) is not None


def put(tx: Transaction, phone: Phone) -> None:
    """Keep what a device signs in with, in the place of what it was."""
    digests = phone.digests
    row = (phone.device_id, phone.tenant_id, phone.username, phone.realm, digests["MD5"], digests["SHA-256"])
    _PUT(tx, [(*row, phone.set_at)])


# Where they are reached


def contacts(tx: Transaction, tenant_id: int, device_id: int) -> list[Contact]:
    """All that a device said it is reached at, the one that ends first in front; also what is over."""
    return [_contact(row) for row in tx.all(_CONTACTS, tenant_id, device_id)]


def contacts_of(tx: Transaction, tenant_id: int, device_ids: Sequence[int], now: int) -> dict[int, list[Contact]]:
    """Where those of the devices are reached at `now` (milliseconds) that are."""
    found: dict[int, list[Contact]] = {}
    for padded, marks in in_parts(device_ids, 0):
        query = Statement(
            f"SELECT device_id, {_CONTACT} FROM registrations WHERE tenant_id = ? AND until > ? "  # noqa: S608
            f"AND device_id IN ({marks}) ORDER BY until, uri"
        )
        for device_id, *row in tx.all(query, tenant_id, now, *padded):
            found.setdefault(device_id, []).append(_contact(row))
    return found


def _contact(row: Sequence[int | str]) -> Contact:
    uri, host, port, until, call_id, sequence, agent, since = row
    return Contact(
        uri=str(uri), host=str(host), port=int(port), until=int(until), call_id=str(call_id), sequence=int(sequence),
        agent=str(agent), since=int(since),
    )  # fmt: skip


def put_contacts(tx: Transaction, tenant_id: int, device_id: int, found: Sequence[Contact]) -> None:
    """Keep where a device is reached, in the place of what it said before."""
    tx.change(_FORGET, tenant_id, device_id)
    if found:
        rows = [
            (device_id, tenant_id, one.uri, one.host, one.port, one.until, one.call_id, one.sequence, one.agent,
             one.since)
            for one in found
        ]  # fmt: skip
        _ADD(tx, rows)


def reached(tx: Transaction, now: int) -> int:
    """How many telephones of all companies are reached at `now`."""
    row = tx.first(_REACHED, now)
    return int(row[0]) if row else 0


def places(tx: Transaction, now: int, most: int) -> tuple[tuple[str, int], ...]:
    """From where telephones of all companies are registered at `now`, those that stay longest first."""
    return tuple((str(host), int(port)) for host, port, _ in tx.all(_PLACES, now, most))


def forget(tx: Transaction, now: int) -> int:
    """Take away what is over, and what is kept of devices that are gone; how many rows that were."""
    return tx.change(_OVER, now) + sum(tx.change(one) for one in _DROPPED)
