"""Brings the store to the current schema. Several processes may call it at once: one migrates, the others wait."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from offhook.kit.errors import Refusal
from offhook.storage.database import Database, Transaction


class WrongSchema(Refusal):
    """The store was written by a newer version of Offhook than this one."""


def configuration() -> Config:
    """Alembic's configuration; the connection is handed over in `attributes`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(database: Database) -> None:
    """Create or migrate the schema, in one exclusive transaction: it is done wholly or not at all."""
    with database.transaction() as tx:
        upgrade_within(database, tx)


def upgrade_within(database: Database, tx: Transaction) -> None:
    """The same as a part of the transaction `tx`."""
    known = _revisions()
    current = MigrationContext.configure(tx.connection).get_current_revision()
    if current == known[0]:
        return
    if current is not None and current not in known:
        raise WrongSchema(
            f"The store has schema {current}, which this version does not know; run the version that wrote it."
        )
    config = configuration()
    config.attributes["connection"] = tx.connection
    command.upgrade(config, "head")


def current(database: Database) -> str | None:
    """The schema revision of the store, or None if it is empty."""
    with database.reading() as tx:
        return MigrationContext.configure(tx.connection).get_current_revision()


def head(database: Database) -> str | None:
    """The newest revision this version knows."""
    return _revisions()[0]


@cache
def _revisions() -> tuple[str, ...]:
    """All revisions that this version knows, the newest first; their files are read once."""
    return tuple(script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions())
