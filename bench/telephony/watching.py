"""What the processes of a server take while it is measured, and what its store says is open."""

import math
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.server import cpu_of, family, status_kib

NAMES = ("server", "worker", "sound")
OPEN = {
    "calls": "SELECT COUNT(*) FROM calls WHERE until > 0",
    "legs": "SELECT COUNT(*) FROM call_legs WHERE ended = 0",
    "reservations": "SELECT COUNT(*) FROM engagements WHERE call_id <> ''",
    "waiting": "SELECT COUNT(*) FROM waiting_calls",
}


def processes(server: int) -> dict[str, int]:
    """The server, its telephone process, and the one that carries sound."""
    found = {"server": server}
    for pid in family(server):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"offhook.telephony.worker" in command:
            found["worker"] = pid
        elif b"offhook.telephony.worker.engine" in command:
            found["sound"] = pid
    return found


def rss_mib(pid: int) -> float:
    """Resident memory now."""
    return status_kib(pid, "VmRSS") / 1024


def cpu(pids: dict[str, int]) -> dict[str, float]:
    """Processor seconds so far; ticks of 10 ms."""
    return {name: cpu_of(pid) for name, pid in pids.items()}


def udp_ports(pid: int) -> int:
    """How many UDP ports a process has open."""
    own = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            own.add(str(each.readlink()))
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return sum(f"socket:[{line.split()[9]}]" in own for line in lines)


def open_in_store(path: Path) -> dict[str, int]:
    """What the store has that is not over, in all companies."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as store:
        return {name: int(store.execute(query).fetchone()[0]) for name, query in OPEN.items()}


def calls_in_store(path: Path) -> dict[str, int]:
    """How many calls ended how."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as store:
        return dict(store.execute("SELECT outcome, COUNT(*) FROM calls GROUP BY outcome").fetchall())


@dataclass
class Sample:
    """One look: seconds since the first, MiB by process, and ports of sound."""

    at: float
    rss: dict[str, float]
    ports: int


@dataclass
class Watch:
    """Looks every `every` seconds from `start` until `stop`."""

    pids: dict[str, int]
    every: float = 1.0
    samples: list[Sample] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _began: float = 0.0

    def start(self) -> "Watch":
        """Begin."""
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> list[Sample]:
        """All that was seen."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self.look()
        return self.samples

    def look(self) -> None:
        """Once."""
        rss = {name: rss_mib(pid) for name, pid in self.pids.items()}
        self.samples.append(Sample(time.monotonic() - self._began, rss, udp_ports(self.pids["sound"])))

    def _run(self) -> None:
        self.look()
        while not self._over.wait(self.every):
            self.look()


def growth(points: Sequence[tuple[float, float]]) -> float:
    """How much a figure grew over the time of its points, by the straight line that fits them best. Pure."""
    if len(points) < 2:
        return 0.0
    middle = sum(at for at, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    if not spread:
        return 0.0
    slope = sum((at - middle) * (value - mean) for at, value in points) / spread
    return slope * (points[-1][0] - points[0][0])


def flatness(samples: Sequence[Sample], warm: float) -> dict[str, tuple[float, float]]:
    """By process: MiB at the end of the warm-up, and how many it grew after that. `warm` are seconds."""
    later = [one for one in samples if one.at >= warm]
    found: dict[str, tuple[float, float]] = {}
    for name in NAMES:
        points = [(one.at, one.rss.get(name, math.nan)) for one in later]
        found[name] = (points[0][1], growth(points)) if points else (math.nan, math.nan)
    return found
