"""Whose fault a fault of the database is: the store's, which passes, or a value's, which never does.

What passes may be tried again for as long as it takes. What does not is told to whoever sent the value, at once: tried
again it would fail for ever, and hold up everything beside it.
"""

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError

from offhook.kit.errors import Unstorable, Violation

_PASSING = ("08", "40", "53", "57P", "58", "55P03", "57014")
"""SQLSTATEs of PostgreSQL, by their beginnings: connection, serialization and deadlock, no room or memory, server going
down or starting, its disk, lock not had in time, waited too long.
"""

_SQLITE_PASSING = frozenset({
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip

_NUL = "A text has a NUL character (U+0000), or half a surrogate pair; no store keeps it, so remove it."
_LONG = "A text is too long for the store to find things by; shorten it."
_LARGE = "A number or a text is larger than the store holds."
_VALUES = {"22001": _LARGE, "22003": _LARGE, "22021": _NUL, "22P05": _NUL, "54000": _LONG}


def is_unavailable(error: DBAPIError) -> bool:
    """Whether a fault is the store's own: of the connection, the disk, a lock, or a race that was lost."""
    if error.connection_invalidated:
        return True
    fault: Any = error.orig
    if isinstance(fault, sqlite3.Error):
        code = getattr(fault, "sqlite_errorcode", None)
        return isinstance(error, OperationalError) if code is None else code & 0xFF in _SQLITE_PASSING
    state = getattr(fault, "sqlstate", None)
    if state:
        return str(state).startswith(_PASSING)
    # The driver's own: it could not connect, or lost the server before that could say why.
    return isinstance(error, OperationalError)


def unstorable(fault: BaseException | None) -> Unstorable | None:
    """The refusal of a value that the driver or the database will not take; None for any other fault."""
    if isinstance(fault, UnicodeEncodeError):
        text = _NUL
    elif isinstance(fault, OverflowError) or getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_TOOBIG:
        text = _LARGE
    elif type(fault).__name__ == "DataError" and getattr(fault, "sqlstate", "") is None:
        # psycopg's own: it takes no text with a NUL.
        text = _NUL
    else:
        text = _VALUES.get(getattr(fault, "sqlstate", None) or "", "")
    return Unstorable(text, [Violation(location="", message=text)]) if text else None
