"""Real servers over each store, for tests that break them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import _started
from tests.servers import Memory, PostgreSQL
from tests.survival.process import Process

Start = Callable[..., Process]
Say = Callable[[str], None]

_FIGURES = "figures of survival"


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """Notes a figure of the test, to be shown when all is done."""
    return lambda text: record_property(_FIGURES, text)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, text in report.user_properties:
                if name == _FIGURES:
                    terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {text}")


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Process:
    """What `offhook init` makes, never served: a server that begins with a copy of it is ready sooner."""
    pattern = Process(tmp_path_factory.mktemp("founded") / "data")
    pattern.init()
    return pattern


def copied(founded: Process, data: Path, **options: object) -> Process:
    """A server, not yet started, with a copy of what was founded; over another store it makes its own."""
    server = Process(data, **options)  # type: ignore[arg-type]
    if server.company is None and not options.get("database_url"):
        shutil.copytree(founded.data, data)
        server.company = founded.company
    return server


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where there is one with room: for servers of which nothing is to outlive the file."""
    memory = Memory.found()
    if memory is None:
        yield tmp_path_factory.mktemp("on-disk")
        return
    try:
        yield memory.directory
    finally:
        memory.close()


@pytest.fixture
def start(tmp_path: Path, founded: Process) -> Iterator[Start]:
    """Starts a server with data of its own; it ends with the test. Options are those of `Process`."""
    running: list[Process] = []

    def begin(**options: object) -> Process:
        server = copied(founded, tmp_path / f"data-{len(running)}", **options)
        running.append(server)
        server.__enter__()
        return server

    yield begin
    for server in running:
        server.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, founded: Process) -> Iterator[Process]:
    """A server over SQLite, limits lifted, that the tests of a file share."""
    with copied(founded, tmp_path_factory.mktemp("served") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, founded: Process) -> Iterator[Process]:
    """A server as in service, with its limits, that the tests of a file share; it logs all there is to log."""
    data = tmp_path_factory.mktemp("usual") / "data"
    with copied(founded, data, scale=1.0, settings={"log_level": "debug"}) as server:
        yield server


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[PostgreSQL]:
    """A PostgreSQL that syncs to disk as in service, and may be killed."""
    yield from _started(lambda: PostgreSQL(durable=True))
