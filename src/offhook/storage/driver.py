"""Statements straight to SQLite's driver: SQLAlchemy's own way to it takes several times as long as most statements.

What fails is told as SQLAlchemy tells it. Whoever listens to its events hears of every statement and commit, as then
all of them go SQLAlchemy's way.
"""

import sqlite3
from typing import Any, NoReturn

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from offhook.storage.faults import unstorable

_CLOSED = "closed database"


def driver_of(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection; None where somebody listens."""
    if connection.dispatch.before_cursor_execute or connection.dispatch.commit:
        return None
    driver: sqlite3.Connection | None = connection.connection.driver_connection
    return driver


def refuse(fault: Exception, sql: str) -> NoReturn:
    """Raise what a fault of the driver is: Unstorable of a value, DBAPIError of a statement, or itself."""
    if (other := unstorable(fault)) is not None:
        raise other from fault
    if isinstance(fault, sqlite3.Error):
        lost = isinstance(fault, sqlite3.ProgrammingError) and _CLOSED in str(fault)
        raise DBAPIError.instance(
            sql, None, fault, sqlite3.Error, hide_parameters=True, connection_invalidated=lost
        ) from fault
    raise fault


def run(driver: sqlite3.Connection, sql: str, values: Any = ()) -> sqlite3.Cursor:
    """Run a statement; with a list of values once for each."""
    try:
        return driver.executemany(sql, values) if type(values) is list else driver.execute(sql, values)
    except Exception as fault:
        refuse(fault, sql)


def rows(driver: sqlite3.Connection, sql: str, values: Any) -> list[Any]:
    """All rows of a query."""
    try:
        return driver.execute(sql, values).fetchall()
    except Exception as fault:
        refuse(fault, sql)


def row(driver: sqlite3.Connection, sql: str, values: Any) -> Any | None:
    """The first row of a query, or None."""
    try:
        cursor = driver.execute(sql, values)
        found = cursor.fetchone()
        cursor.close()
    except Exception as fault:
        refuse(fault, sql)
    return found


def end(connection: Connection, driver: sqlite3.Connection, *, keep: bool) -> None:
    """Commit the driver's transaction, or undo it, and SQLAlchemy's, if that was asked for anything meanwhile."""
    # One whose commit failed stays until it is undone, and is not active: `in_transaction` does not tell of it.
    if connection.get_transaction() is not None:
        if keep:
            connection.commit()
        else:
            connection.rollback()
    try:
        if keep:
            driver.commit()
        else:
            driver.rollback()
    except Exception as fault:
        refuse(fault, "COMMIT" if keep else "ROLLBACK")


def is_clean(connection: Connection) -> bool:
    """Whether a connection can be used again as it is: it is open, and in no transaction."""
    if connection.invalidated or connection.get_transaction() is not None:
        return False
    try:
        driver: Any = connection.connection.driver_connection
        return not driver.in_transaction
    except sqlite3.Error:
        connection.invalidate()
        return False
