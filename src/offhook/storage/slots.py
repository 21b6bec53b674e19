"""Leases of id slots: each process over one store issues ids in a slot of its own, so that ids never meet.

Both kinds of lease are given back by the system when a process dies, however it dies: a file lock beside the SQLite
file, an advisory lock held by a connection to PostgreSQL.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from offhook.kit.errors import Unavailable
from offhook.kit.ids import SLOTS
from offhook.storage.database import Database

_LOCK_CLASS = 0x0FF_51


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
    def __init__(self, connection: Connection) -> None:
        self._connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        for number in range(SLOTS):
            taken = self._connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK_CLASS}, {number})").scalar()
            if taken:
                self.number = number
                return
        connection.close()
        raise Unavailable(f"All {SLOTS} processes that may share this store are running.")

    def release(self) -> None:
        self._connection.invalidate()
        self._connection.close()


def lease(database: Database) -> Slot:
    """Take the lowest free slot of `database`; Unavailable when all 64 are taken."""
    if database.sqlite:
        assert database.url.database is not None
        return _FileSlot(Path(database.url.database).parent / "locks")
    return _AdvisorySlot(database.engine.connect())
