"""The disk fills up under load: creates are refused, nothing acknowledged is lost, and room alone brings all back."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from offhook.examples import SMALL
from tests.survival.conftest import Start
from tests.survival.ledger import Ledger, Query, store_of
from tests.survival.process import Answer, Process, in_ci

MIB = 1024 * 1024


class Disk:
    """A file system of its own, in memory: mounted as root, or in a namespace of its own as anybody else.

    `folder` is where processes that are started with `before` find it, `seen` where this one does.
    """

    def __init__(self, folder: Path, before: Sequence[str], seen: Path) -> None:
        self.folder = folder
        self.before = list(before)
        self.seen = seen

    def free(self) -> int:
        """Bytes left."""
        about = os.statvfs(self.seen)
        return about.f_bavail * about.f_frsize

    def put(self, name: str, size: int) -> Path:
        """A file of `size` bytes, or as many as there is room for."""
        ballast = self.seen / name
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            for _ in range(size // 4096):
                file.write(b"\0" * 4096)
        return ballast


class NoDisk(Exception):
    """This machine lets nobody mount anything."""


@contextlib.contextmanager
def mounted(folder: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes at `folder`, gone afterwards."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield Disk(folder, [], folder)
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    # The shell holds the namespace until its standard input ends, which it does with this process at the latest.
    shell = f"{' '.join(mount)} && echo mounted && read -r _"
    try:
        holder = subprocess.Popen(
            ["unshare", "-Urm", "sh", "-c", shell],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as reason:
        raise NoDisk(str(reason)) from None
    with holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != b"mounted\n":
            raise NoDisk(holder.stderr.read().decode(errors="replace"))
        enter = ["nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials", "--"]
        try:
            yield Disk(folder, enter, Path(f"/proc/{holder.pid}/root{folder}"))
        finally:
            holder.stdin.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux":
        pytest.skip("NOT TESTED against a full disk: Linux only")
    try:
        with mounted(tmp_path / "disk", 40 * MIB) as small:
            yield small
    except NoDisk as reason:
        if in_ci():
            pytest.fail(f"NOT TESTED against a full disk: {reason}", pytrace=False)
        pytest.skip(f"NOT TESTED against a full disk: neither mount nor unshare works here: {reason}")


@pytest.fixture
def on_disk(disk: Disk, founded: Process, tmp_path: Path) -> Iterator["OnDisk"]:
    server = OnDisk(disk, tmp_path)
    shutil.copytree(founded.data, server.file.parent)
    server.company = founded.company
    with server:
        yield server


class OnDisk(Process):
    """A server whose data is on the small disk, and whose log is not."""

    def __init__(self, disk: Disk, elsewhere: Path) -> None:
        super().__init__(disk.folder / "data", before=disk.before)
        self.disk = disk
        self._log = elsewhere / "server.log"

    @property
    def log(self) -> Path:
        return self._log

    @property
    def file(self) -> Path:
        return self.disk.seen / "data" / "offhook.sqlite3"

    @contextlib.contextmanager
    def store(self) -> Iterator[Query]:
        """What is in the store while nobody writes: in a copy, as SQLite opens no file of another namespace."""
        copy = self._log.with_name("copy.sqlite3")
        for end in ("", "-wal"):
            shutil.copyfile(f"{self.file}{end}", f"{copy}{end}")
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            yield lambda sql: connection.execute(sql).fetchall()


def fill(ledger: Ledger, server: OnDisk) -> None:
    """Create until the store refuses."""
    for _ in range(60):
        with ledger.creating(seconds=0.5):
            pass
        if ledger.answers[503] > 100:
            return
    raise AssertionError(f"the disk did not fill: {server.disk.free()} bytes left")


def test_a_full_disk_refuses_creates_and_loses_nothing(on_disk: OnDisk) -> None:
    server, disk = on_disk, on_disk.disk
    ballast = [disk.put(f"ballast-{number}", 12 * MIB) for number in range(2)]
    ledger = Ledger(server, 1)
    process = server.process
    for file in ballast:
        before = len(ledger.acknowledged)
        ledger.answers.clear()
        fill(ledger, server)
        assert len(ledger.acknowledged) > before, "nothing was created before the disk was full"
        assert ledger.answers.keys() == {200, 503}, ledger.answers

        answer = until_refused(server)
        answer.refused(503)
        assert int(answer.headers["retry-after"]) >= 1
        assert server.ask("GET", "/api/v2/offices/primary").status == 200
        assert server.ask("GET", "/api/v2/offices").status == 200
        assert server.ask("GET", "/api/offhook/v1/events").status == 200
        assert server.ask("GET", "/readyz").status == 200
        with server.store() as query:
            ledger.check(query)

        file.unlink()
        until_created(server)
        assert ledger.repeat_lost(at_most=20) > 0
        ledger.repeat_acknowledged()
        with server.store() as query:
            ledger.check(query)
            assert query("PRAGMA integrity_check") == [("ok",)]
    assert server.process is process
    assert process is not None
    assert process.poll() is None
    assert not server.faults()


def until_refused(server: Process) -> Answer:
    """The first refusal: a batch that is too large leaves room that single small creates still find."""
    for _ in range(2000):
        answer = server.ask("POST", "/api/v2/offices", SMALL, key=sandbox(server))
        if answer.status != 200:
            return answer
    raise AssertionError("the disk is full and takes all the same")


def sandbox(server: Process) -> str:
    """The key of another environment, whose offices are not in the ledger."""
    assert server.company is not None
    return server.company.sandbox_key


def until_created(server: Process, seconds: float = 10.0) -> None:
    """Create one, waiting as long as the refusals ask; it must be soon."""
    deadline = time.monotonic() + seconds
    while (answer := server.ask("POST", "/api/v2/offices", SMALL, key=sandbox(server))).status != 200:
        answer.refused(503)
        assert time.monotonic() < deadline, "there is room again and nothing is created"
        time.sleep(0.05)


def test_a_reader_that_holds_the_journal_open_stops_nobody(start: Start) -> None:
    server = start()
    ledger = Ledger(server, 2)
    file = server.data / "offhook.sqlite3"
    journal = file.with_name(file.name + "-wal")
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        held = reader.execute("SELECT count(*) FROM offices").fetchone()
        # A busy machine takes longer to fill it.
        for _ in range(20):
            with ledger.creating(seconds=0.4, connections=8):
                pass
            if journal.stat().st_size > 4 * MIB:
                break
        assert ledger.answers.keys() == {200}
        # Nothing of it can be moved into the file while somebody looks at the old state.
        assert journal.stat().st_size > 4 * MIB
        assert reader.execute("SELECT count(*) FROM offices").fetchone() == held
    grown = journal.stat().st_size
    with ledger.creating(seconds=0.4, connections=8):
        pass
    assert journal.stat().st_size < grown + 8 * MIB, "the journal grows on after the reader has gone"
    with store_of(server) as query:
        assert ledger.check(query) == len(ledger.acknowledged)
