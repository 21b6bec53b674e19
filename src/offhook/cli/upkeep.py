"""Commands that look after a store: db, backup, restore."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offhook.cli.common import AsJson, ConfigFile, Data, DatabaseUrl, emit, err, facts, following, place, say
from offhook.kit.errors import Refusal
from offhook.kit.settings import Settings, load

if TYPE_CHECKING:
    from offhook.storage.backup import Summary

_SEALED = ("credentials", "credential_tokens", "trunks", "workflow_hooks")
"""Tables in whose rows something may be encrypted."""

db = typer.Typer(no_args_is_help=True, help="The store's schema.")


@db.command()
def upgrade(
    data: Data = None, database_url: DatabaseUrl = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Bring the store to this version's schema; the server does so too when it starts."""
    from offhook.cli.store import connect
    from offhook.storage import migrate

    chosen = load({"data": data, "database_url": database_url}, config)
    database = connect(chosen)
    try:
        before = migrate.current(database)
        migrate.upgrade(database)
        after = migrate.current(database)
    finally:
        database.close()
    if as_json:
        emit({"before": before, "schema": after, "changed": before != after})
    elif before == after:
        say(f"{place(chosen)} already has schema {after}.")
    else:
        say(f"{place(chosen)} now has schema {after} (before: {before or 'none'}).", "green")


@db.command()
def status(
    data: Data = None, database_url: DatabaseUrl = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Which schema the store has, and what is in it."""
    from offhook.access import store
    from offhook.cli.store import connect
    from offhook.storage import migrate

    chosen = load({"data": data, "database_url": database_url}, config)
    exists = bool(chosen.database_url) or chosen.sqlite_path.exists()
    found = companies = None
    newest = None
    if exists:
        database = connect(chosen)
        try:
            found, newest = migrate.current(database), migrate.head(database)
            if found is not None:
                with database.reading() as tx:
                    companies = len(store.all_companies(tx))
        finally:
            database.close()
    current = exists and found == newest
    if as_json:
        emit(
            {
                "store": place(chosen),
                "schema": found,
                "newest": newest,
                "current": current,
                "companies": companies or 0,
            }
        )
        return
    facts(
        [
            ("store", place(chosen)),
            ("schema", found or "none"),
            ("newest", newest or "-"),
            ("companies", str(companies or 0)),
        ]
    )
    if not companies:
        following("offhook init")
    elif not current:
        following("offhook db upgrade")


@contextmanager
def _progress(title: str) -> Iterator[Callable[[str, int], None]]:
    """A line that moves on a terminal; gives the function that storage tells what it does and how far it is."""
    with err.status(title) as line:
        yield lambda doing, rows: line.update(f"{title}  {doing}: {rows:,} rows")


def _declare_every_table() -> None:
    """Import what declares tables: a backup that did not know of one would leave it out."""
    from offhook import app  # noqa: F401


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; one that is there is replaced.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole store to one file, as of one moment; a server may go on meanwhile. The sound of messages and
    recordings, and the key of what is encrypted, are not in it: it says where they are.
    """
    from offhook.cli.store import opened
    from offhook.storage import backup as backups

    _declare_every_table()
    chosen = load({"data": data, "database_url": database_url}, config)
    with opened(chosen) as database, _progress("Backing up") as progress:
        summary = backups.backup(database, file, progress)
    beside = _beside(chosen, summary)
    if as_json:
        emit(_summary(summary) | {"beside": beside})
        return
    say(f"{place(chosen)} is backed up in {file}, {_bytes(summary.size)}.", "green bold")
    _rows(summary)
    say("Billing contacts and hashes of keys are in it: keep it as you keep the store.", "dim")
    if beside:
        say("Not in it: keep a copy of this too, and a key apart from the backup.", "yellow bold", to=err)
        facts(beside.items(), to=err)
    following(f"offhook restore {file} --data NEW-FOLDER   reads it into a new store")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that offhook backup wrote.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Read a backup into an empty store, wholly or not at all; no server should run over it. It says where what is
    kept beside a backup belongs.
    """
    from offhook.cli.store import to_be_filled
    from offhook.storage import backup as backups

    _declare_every_table()
    chosen = load({"data": data, "database_url": database_url}, config)
    if not file.is_file():
        raise Refusal(f"There is no backup {file}.")
    with to_be_filled(chosen) as database, _progress("Restoring") as progress:
        summary = backups.restore(database, file, progress)
    beside = _beside(chosen, summary)
    if as_json:
        emit(_summary(summary) | {"beside": beside})
        return
    say(f"{place(chosen)} now holds what {file} held at {summary.created_at}.", "green bold")
    _rows(summary)
    if beside:
        say("Not in the backup: put the copies of this there before the server starts.", "yellow bold", to=err)
        facts(beside.items(), to=err)
    following("offhook serve" + ("" if data is None else f" --data {data}") + "   the keys are those of then")


def _beside(chosen: Settings, summary: "Summary") -> dict[str, str]:
    """What the rows need that is in no backup: what it is, and the path where it is kept, or which setting says so."""
    from offhook.catalog.credentials.vault import KEY_FILE

    found, data = {}, Path(chosen.data).resolve()
    if summary.rows.get("tapes"):
        found["sound"] = f"{chosen.sound_url}, by sound_url" if chosen.sound_url else str(data / "sound" / "kept")
    if any(summary.rows.get(name) for name in _SEALED):
        found["key"] = "the setting credentials_keys" if chosen.credentials_keys else str(data / KEY_FILE)
    return found


def _rows(summary: "Summary") -> None:
    facts((name, f"{count:>12,}") for name, count in summary.rows.items())


def _summary(summary: "Summary") -> dict[str, Any]:
    return {
        "file": str(summary.path),
        "schema": summary.schema,
        "created_at": summary.created_at,
        "bytes": summary.size,
        "rows": summary.rows,
    }


def _bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
