"""What every test has: real servers on demand, a settable clock, Hypothesis profiles, and no way off this machine."""

import gc
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

import pytest
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, settings
from sqlalchemy import event

from offhook.kit import clock
from offhook.storage import database as storage
from tests.order import ordered
from tests.servers import PostgreSQL, Server, Unavailable, Valkey

# Whoever is started in the background may have Ctrl-C switched off, and so would all that the tests start.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A fault that is logged where nothing is said of logs: a plain stack, as a drawn one takes a tenth of a second each.
_drawn = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _drawn])

IN_CI = os.environ.get("CI", "").lower() == "true"

_common: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=50, **_common)
settings.register_profile("ci", max_examples=50, derandomize=True, database=None, print_blob=True, **_common)
settings.register_profile("long", max_examples=2000, print_blob=True, **_common)
settings.load_profile("ci" if IN_CI else "quick")


def at(moment: str) -> AbstractContextManager[None]:
    """Run a block as if it were `moment`, written with its offset: `with at("2026-12-24T17:59:00Z"): ...`."""
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"{moment} has no offset: write 2026-12-24T17:59:00Z")
    return clock.at(parsed)


# Servers


_S = TypeVar("_S", bound=Server)
_MISSING = "NOT TESTED against a real server"
_NO_BROWSER = "NOT TESTED in a real browser"
NO_CONDUCTOR = "NOT TESTED against a real Conductor"


def _started(make: Callable[[], _S]) -> Iterator[_S]:
    """A server while the fixture lives; where none can be had the test is skipped, and in CI it fails."""
    try:
        server = make()
        with server:
            yield server
    except Unavailable as reason:
        if IN_CI:
            raise pytest.fail.Exception(f"{_MISSING}: {reason}", pytrace=False) from None
        pytest.skip(f"{_MISSING}: {reason}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """The PostgreSQL that the tests of this worker share; one to kill is `postgres_of_its_own`."""
    yield from _started(PostgreSQL)


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The database that `postgres_url` copies: an empty one. A folder's conftest.py may put a migrated one here."""
    return "template0"


@pytest.fixture
def postgres_url(postgres: PostgreSQL, postgres_template: str) -> Iterator[str]:
    """The URL of a PostgreSQL database of this test's own."""
    with postgres.database(postgres_template) as url:
        yield url


@pytest.fixture
def postgres_of_its_own() -> Iterator[PostgreSQL]:
    """A PostgreSQL that the test may kill and start again."""
    yield from _started(PostgreSQL)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """The Valkey that the tests of this worker share; one to kill is `valkey_of_its_own`."""
    yield from _started(Valkey)


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """The URL of a Valkey that holds nothing yet."""
    valkey.flush()
    return valkey.url


@pytest.fixture
def valkey_of_its_own() -> Iterator[Valkey]:
    """A Valkey that the test may kill and start again."""
    yield from _started(Valkey)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks follow from fixtures, so that nobody forgets one: `pytest -m postgres` runs all that need one.

    Workers who share the tests begin with those that take longest.
    """
    for item in items:
        needs = " ".join(getattr(item, "fixturenames", ()))
        if "postgres" in needs:
            item.add_marker("postgres")
        if "redis_url" in needs or "valkey" in needs:
            item.add_marker("redis")
    if hasattr(config, "workerinput"):
        items[:] = ordered(items)


def pytest_collection_finish() -> None:
    """Tests and modules stay to the end: the collector of garbage need not look through them time and again, which took
    a sixth of the run.
    """
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A skipped server, Conductor or browser is said at the end of the run, where nobody overlooks it."""
    for missing in (_MISSING, _NO_BROWSER, NO_CONDUCTOR):
        skipped = [report for report in terminalreporter.stats.get("skipped", ()) if missing in str(report.longrepr)]
        if skipped:
            terminalreporter.write_sep("!", f"{len(skipped)} tests {missing}", red=True, bold=True)


@pytest.fixture(autouse=True, scope="session")
def replayed_migrations() -> Iterator[Callable[..., None]]:
    """The first empty store of each kind is migrated; the next ones get the statements that this took, which is far
    quicker. Gives what migrates in service.
    """
    real = command.upgrade
    recorded: dict[str, list[tuple[str, Any]]] = {}

    def upgrade(config: Config, revision: str) -> None:
        connection = config.attributes["connection"]
        kind = connection.dialect.name
        if revision != "head" or MigrationContext.configure(connection).get_current_revision() is not None:
            real(config, revision)
        elif kind in recorded:
            for statement, parameters in recorded[kind]:
                connection.exec_driver_sql(statement, parameters)
        else:
            statements: list[tuple[str, Any]] = []

            def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
                if not statement.lstrip().startswith(("SELECT", "PRAGMA")):
                    statements.append((statement, parameters))

            event.listen(connection, "before_cursor_execute", note)
            real(config, revision)
            event.remove(connection, "before_cursor_execute", note)
            recorded[kind] = statements

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "upgrade", upgrade)
        yield real


@pytest.fixture
def migrated_in_full(replayed_migrations: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations as in service, for the tests that are about them."""
    monkeypatch.setattr(command, "upgrade", replayed_migrations)


@pytest.fixture(autouse=True, scope="session")
def unsynced_sqlite() -> Iterator[Callable[..., None]]:
    """SQLite in this process leaves out every sync to disk, as the tests' PostgreSQL does: half of the time went there.

    Servers in processes of their own sync as in service. Gives what prepares a connection in service.
    """
    real = storage._prepare_sqlite

    def prepare(connection: Any, record: Any) -> None:
        real(connection, record)
        connection.execute("PRAGMA synchronous=OFF").close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_prepare_sqlite", prepare)
        yield real


@pytest.fixture
def synced_sqlite(unsynced_sqlite: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite that syncs, for who looks at how it is set; named before what opens the store."""
    monkeypatch.setattr(storage, "_prepare_sqlite", unsynced_sqlite)


# Network


class NetworkForbidden(RuntimeError):
    """A test tried to leave this machine. It isn't an OSError, so no code under test takes it for a failed call."""


def _stays_here(host: object) -> bool:
    if not isinstance(host, str) or host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    """Python's sockets connect and send to loopback only, and look up no names; libpq and libuv are not watched."""

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *args: Any) -> Any:
            address = args[-1]
            if self.family != socket.AF_UNIX and isinstance(address, tuple) and not _stays_here(address[0]):
                raise NetworkForbidden(f"a test tried to reach {address[0]}")
            return method(self, *args)

        return call

    lookup = socket.getaddrinfo

    def guarded_lookup(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not _stays_here(name) and not _is_address(name):
            raise NetworkForbidden(f"a test tried to look up {name}")
        return lookup(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        yield


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    return True
