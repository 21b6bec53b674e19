"""Leases of id slots: each process over one store issues ids in a slot of its own, so that ids never meet.

Commands have slots too: a server is known by a second lock beside that of its slot. Both kinds of lock are given back
by the system when a process dies, however it dies: a file lock beside the SQLite file, an advisory lock held by a
connection to PostgreSQL.
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
from offhook.storage.database import Database, refusing_unavailable

_LOCK_CLASS = 0x0FF_51
_SERVING_CLASS = 0x0FF_52

_HELD = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def _own(what: str, number: int) -> str:
    """The statement that selects `what`, once if the session has the slot of this number itself."""
    return (
        f"SELECT {what} FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "  # noqa: S608
        f"AND classid = {_LOCK_CLASS} AND objid = {number}"
    )


def _serve(number: int) -> str:
    """Nothing is locked by a session that came in place of one that was lost, of which nobody would know."""
    return _own(f"pg_advisory_lock({_SERVING_CLASS}, {number})", number)


class Slot(Protocol):
    """A leased slot."""

    number: int

    @property
    def serving(self) -> bool:
        """Whether it is known as that of a server."""

    def look(self) -> None:
        """See that the lease holds; one that was lost unnoticed is taken anew. Unavailable where it cannot be."""

    def serve(self, number: int) -> None:
        """Let others know that who has the slot is a server, if the slot is still the one of this `number`.

        Raises Unavailable when the store cannot be reached. A lease that was lost takes it along.
        """

    def release(self) -> None: ...


class _FileSlot:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._serving: int | None = None
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

    @property
    def serving(self) -> bool:
        return self._serving is not None

    def look(self) -> None:
        """A lock of a file is there for as long as its process."""

    def serve(self, number: int) -> None:
        if self.serving or number != self.number:
            return
        handle = os.open(self._folder / _serving_file(number), os.O_RDWR | os.O_CREAT, 0o600)
        # Nobody but who has the slot takes it for longer than a look.
        fcntl.flock(handle, fcntl.LOCK_EX)
        self._serving = handle

    def release(self) -> None:
        if self._serving is not None:
            os.close(self._serving)
        os.close(self._handle)


class _AdvisorySlot:
    """Held by a session of its own; when the server drops that, a slot is taken anew, the same if it is free."""

    def __init__(self, database: Database, moved: Callable[[int], None]) -> None:
        self._database = database
        self._moved = moved
        self._lock = threading.Lock()
        self.serving = False
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
                held = self._connection.exec_driver_sql(_own("count(*)", self.number)).scalar()
            except (DBAPIError, ResourceClosedError):
                held = 0
            if not held:
                self._connection.close()
                self.serving = False
                self.number = self._take(self.number)
                self._moved(self.number)

    def look(self) -> None:
        with refusing_unavailable():
            self._renew()

    def serve(self, number: int) -> None:
        with self._lock, refusing_unavailable():
            if self.serving or number != self.number:
                return
            try:
                taken = self._connection.exec_driver_sql(_serve(number)).all()
            except ResourceClosedError as error:
                raise Unavailable("The slot was lost with the server.") from error
            if not taken:
                raise Unavailable("The slot was lost with the server.")
            self.serving = True

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


def is_served(database: Database, number: int) -> bool:
    """Whether a server has the slot of this number, and has said so."""
    if not database.sqlite:
        with database.reading() as tx:
            return bool(tx.connection.exec_driver_sql(_HELD, (_SERVING_CLASS, number)).scalar())
    try:
        handle = os.open(_folder(database) / _serving_file(number), os.O_RDONLY)
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


def _serving_file(number: int) -> str:
    return f"serving-{number}.lock"


def _folder(database: Database) -> Path:
    assert database.url.database is not None
    return Path(database.url.database).parent / "locks"
