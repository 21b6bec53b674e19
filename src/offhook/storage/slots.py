"""Leases of id slots: each process over one store issues ids in a slot of its own, so that ids never meet.

Both kinds of lease are given back by the system when a process dies, however it dies: a file lock beside the SQLite
file, an advisory lock held by a connection to PostgreSQL.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import DBAPIError, ResourceClosedError

from offhook.kit.errors import Unavailable
from offhook.kit.ids import SLOTS
from offhook.storage.database import Database

_LOCK_CLASS = 0x0FF_51

_HELD = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Slot(Protocol):
    """A leased slot."""

    number: int

    def release(self) -> None: ...


class _FileSlot:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(SLOTS):
            handle = os.open(folder / f"slot-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            self.number, self._handle = number, handle
            return
        raise Unavailable(f"All {SLOTS} processes that may share this store are running.")

    def release(self) -> None:
        os.close(self._handle)


class _AdvisorySlot:
    """Held by a session of its own; when the server drops that, a slot is taken anew, the same if it is free."""

    def __init__(self, database: Database, moved: Callable[[int], None]) -> None:
        self._database = database
        self._moved = moved
        self._lock = threading.Lock()
        self.number: int = self._take(0)
        database.after_loss.append(self._renew)

    def _take(self, first: int) -> int:
        self._connection = self._database.engine.connect()
        for number in (first, *range(SLOTS)):
            taken = self._connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK_CLASS}, {number})").scalar()
            if taken:
                return int(number)
        self._connection.close()
        raise Unavailable(f"All {SLOTS} processes that may share this store are running.")

    def _renew(self) -> None:
        """Make sure of the lease: a session that was lost took it along, and a connection may have begun another."""
        with self._lock:
            try:
                held = self._connection.exec_driver_sql(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "  # noqa: S608
                    f"AND classid = {_LOCK_CLASS} AND objid = {self.number}"
                ).scalar()
            except (DBAPIError, ResourceClosedError):
                held = 0
            if not held:
                self._connection.close()
                self.number = self._take(self.number)
                self._moved(self.number)

    def release(self) -> None:
        self._database.after_loss.remove(self._renew)
        self._connection.invalidate()
        self._connection.close()


def lease(database: Database, moved: Callable[[int], None] = lambda number: None) -> Slot:
    """Take the lowest free slot of `database`; Unavailable when all 64 are taken.

    `moved` is told if the lease was lost with the server and another slot had to be taken.
    """
    if database.sqlite:
        return _FileSlot(_folder(database))
    return _AdvisorySlot(database, moved)


def is_held(database: Database, number: int) -> bool:
    """Whether a process has the slot of this number."""
    if not database.sqlite:
        with database.reading() as tx:
            return bool(tx.connection.exec_driver_sql(_HELD, (_LOCK_CLASS, number)).scalar())
    try:
        handle = os.open(_folder(database) / f"slot-{number}.lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who ask at once do not take each other for a holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _folder(database: Database) -> Path:
    assert database.url.database is not None
    return Path(database.url.database).parent / "locks"
