"""How commands open the store on this machine, and what they look up in it first.

Imported by a command when it runs: the database library takes longer to load than most commands take.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from offhook.access import store as access_store
from offhook.access.model import Company, Environment
from offhook.cli.common import masked, place
from offhook.kit.errors import Conflict, Refusal, Unavailable
from offhook.kit.settings import BadSettings, Settings
from offhook.storage import migrate
from offhook.storage.backup import sync_folder
from offhook.storage.database import Database, Transaction


def connect(settings: Settings, url: str = "") -> Database:
    """The store of `settings`, whatever is in it, or of another `url` in its place; BadSettings if it cannot be one."""
    try:
        if settings.database_url and urlsplit(settings.url).scheme != "postgresql+psycopg":
            raise ArgumentError
        return Database(url or settings.url)
    except (ArgumentError, NoSuchModuleError, ValueError):
        text = f"{masked(settings.database_url)} is no database: write it as postgresql://user:password@host/name."
        raise BadSettings(text) from None
    except OSError as error:
        raise BadSettings(f"The data folder {settings.data} cannot be used: {error.strerror}.") from None


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """A store that is there and has this version's schema; a mistyped folder makes no new one."""
    if not settings.database_url and not settings.sqlite_path.exists():
        raise Refusal(
            f"There is nothing in {place(settings)} yet. Begin with offhook init, or name another with --data."
        )
    database = connect(settings)
    try:
        found, newest = migrate.current(database), migrate.head(database)
        if found is None:
            raise Refusal(f"There is nothing in {place(settings)} yet. Begin with offhook init.")
        if found != newest:
            raise Refusal(f"The store has schema {found}, this version {newest}. Run offhook db upgrade.")
        yield database
    finally:
        database.close()


@contextmanager
def to_be_filled(settings: Settings) -> Iterator[Database]:
    """The store of `settings`, to be filled within the block.

    A file that is not there yet is filled under another name: it comes to be when the block has ended well, and
    nothing is left of it otherwise.
    """
    whole = settings.sqlite_path
    if settings.database_url or whole.exists():
        with closing(connect(settings)) as database:
            yield database
        return
    absent = [folder for folder in whole.absolute().parents if not folder.exists()]
    partial = whole.with_name(f".{whole.name}.{os.getpid()}.partial")
    parts = [partial, *(partial.with_name(partial.name + end) for end in ("-wal", "-shm"))]
    try:
        with closing(connect(settings, f"sqlite:///{partial}")) as database:
            yield database
        if any(part.exists() for part in parts[1:]):
            raise Unavailable(f"{place(settings)} cannot be written to its end; nothing was restored.")
        _name(partial, whole)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
        for folder in absent:
            with suppress(OSError):
                folder.rmdir()


def _name(partial: Path, whole: Path) -> None:
    """Give a whole file its name, unless another has got it meanwhile."""
    try:
        os.link(partial, whole)
    except FileExistsError:
        raise Conflict(f"{whole} came to be meanwhile; nothing was restored.") from None
    except OSError:
        # A file system without links.
        partial.rename(whole)
    sync_folder(whole.parent)


def company_of(tx: Transaction, wanted: int | None) -> Company:
    """The company called `wanted`, or the only one there is."""
    companies = access_store.all_companies(tx)
    if wanted is not None:
        companies = [company for company in companies if company.id == wanted]
        if not companies:
            raise Refusal(f"There is no company {wanted}.")
    if not companies:
        raise Refusal("There is no company yet. Begin with offhook init.")
    if len(companies) > 1:
        names = "".join(f"\n  --company {company.id}  {company.name}" for company in companies)
        raise Refusal(f"There are {len(companies)} companies; say which:{names}")
    return companies[0]


def tenant_of(tx: Transaction, company: Company, environment: Environment) -> int:
    """The tenant id of a company's environment."""
    tenant = access_store.tenant_id(tx, company.id, environment)
    if tenant is None:
        raise Refusal(f"{company.name} has no {environment} environment.")
    return tenant
