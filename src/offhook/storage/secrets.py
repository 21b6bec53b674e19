"""Secrets that the store keeps for itself, made once at random: what cursors are signed with."""

import secrets

from offhook.storage.database import Database, Statement

_GET = Statement("SELECT value FROM store_settings WHERE name = ?")
_SET = Statement("INSERT INTO store_settings (name, value) VALUES (?, ?)")


def get(database: Database, name: str) -> str:
    """The secret called `name`, the same for every process over the store; made when first asked for."""
    with database.reading() as tx:
        found = tx.first(_GET, name)
    if found is None:
        with database.transaction() as tx:
            found = tx.first(_GET, name)
            if found is None:
                found = (secrets.token_urlsafe(32),)
                tx.change(_SET, name, found[0])
    return str(found[0])
