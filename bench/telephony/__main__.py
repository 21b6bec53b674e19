"""`make bench-calls`: calls through the whole product on this machine; status 1 if a bar is missed.

python -m bench.telephony                        # calls at a rate, then bridged calls with sound
python -m bench.telephony --short                # the same in seconds: shows that all works, no figures
python -m bench.telephony --minutes 30 --rate 10 # for a long time: does anything grow, or stay
"""

import argparse
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.console import Console

from bench.__main__ import OUT, report, write
from bench.scenarios import ROOT, Bench, Figure, Options, workplace
from bench.server import BenchError, Server, free_port
from bench.telephony import company, watching
from bench.telephony.generator import Group, Plan, Seen
from bench.telephony.probing import RATE, Probe, p99

LOST = 0.005
"""The share of packets of sound that may be lost."""

SLOWER = 2.0
"""How many times as long as without calls 99 of 100 requests may take."""

GROWN = 0.05
"""The share of its memory that a process may grow by after the warm-up."""

JUDGED_MINUTES = 5.0
"""Of calls before that is judged."""

SETTLE_SECONDS = 45.0
"""After which nothing may be left of a call: SIP's own timers end after 32."""

MEDIA = (30_000, 33_999)
"""Ports of sound that the server is given."""


WARM = 40
"""Calls before it is measured, three legs each: the first page of the list of calls is as long then as it is later."""


@dataclass(frozen=True)
class Wanted:
    """What is measured: calls a second for so many seconds, so many bridged ones with sound for so many seconds."""

    rate: float
    seconds: float
    bridged: int
    sound: float
    idle: float
    groups: int
    minutes: float = 0.0


WHOLE = Wanted(rate=50, seconds=60, bridged=100, sound=60, idle=30, groups=200)
SHORT = Wanted(rate=10, seconds=5, bridged=5, sound=3, idle=3, groups=30)


class House:
    """A server with telephones, and the company that is called."""

    def __init__(self, server: Server, key: str, groups: list[Group], office: str, worker: int, carrier: int) -> None:
        self.server, self.key, self.groups, self.office = server, key, groups, office
        self.worker, self.carrier = ("127.0.0.1", worker), carrier
        self.pids = watching.processes(server.pid)
        missing = set(watching.NAMES) - set(self.pids)
        if missing:
            raise BenchError(f"these processes were not found: {missing}\nserver log: {server.log}")

    @property
    def store(self) -> Path:
        """The database."""
        return self.server.data / "offhook.sqlite3"

    def left(self) -> dict[str, int]:
        """What is open now, in the store and of ports of sound."""
        return {**watching.open_in_store(self.store), "ports": watching.udp_ports(self.pids["sound"])}

    def settled(self) -> dict[str, int]:
        """What is left once nothing may be, or as soon as nothing is."""
        end = time.monotonic() + SETTLE_SECONDS
        while any((left := self.left()).values()) and time.monotonic() < end:
            time.sleep(0.5)
        return left


@contextmanager
def house(folder: Path, groups: int, say: Callable[[str], None]) -> Iterator[House]:
    """A new one, gone afterwards."""
    server = Server(folder / "telephony")
    worker, carrier = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    server.environment |= {
        "OFFHOOK_SIP": "true",
        "OFFHOOK_SIP_PORT": str(worker),
        "OFFHOOK_MEDIA_PORTS": f"{MEDIA[0]}-{MEDIA[1]}",
    }
    try:
        with server:
            say(f"making {groups} groups of two")
            key = str(server.company.sandbox_key) if server.company else ""
            made, office = company.made(server, key, groups, carrier)
            yield House(server, key, made, office, worker, carrier)
    finally:
        server.remove()


class Load:
    """The load generator's process, told and heard."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self._say = say
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.telephony.generator"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._tell(msgspec.json.encode(plan))

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def go(self) -> None:
        """Begin what is measured."""
        self._tell(b"{}")

    def until(self, wanted: str) -> Any:
        """What it says under that name; progress is shown meanwhile."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = msgspec.json.decode(line)
            if "progress" in said:
                begun, over, failed, repeated, heard = said["progress"]
                sound = f", {heard:,} packets heard" if heard else ""
                self._say(f"{begun:,} calls begun, {over:,} over, {failed:,} failed, {repeated:,} repeated{sound}")
            elif "silent" in said:
                self._say(f"{said['silent']} telephones were not answered for a second, and register again")
            elif said.get("phase") == wanted or wanted in said:
                return said.get(wanted)
        assert self._process.stderr is not None
        raise BenchError(f"the load generator ended: {self._process.stderr.read().decode(errors='replace')[-2000:]}")

    def seen(self) -> Seen:
        """What came of it all."""
        found = msgspec.convert(self.until("seen"), Seen)
        self._process.wait(30)
        return found

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


@contextmanager
def load(at: House, say: Callable[[str], None], **plan: Any) -> Iterator[Load]:
    """A load generator whose telephones have registered, and that has made a few calls."""
    made = Load(Plan(worker=at.worker, port=at.carrier, groups=at.groups, **plan), say)
    try:
        made.until("ready")
        yield made
    finally:
        made.close()


# The parts


def calls(bench: Bench, wanted: Wanted, at: House) -> None:
    """Calls at a rate through groups, with the API asked before and meanwhile."""
    probe = Probe(at.server, at.key, at.office)
    with load(at, bench.say, rate=wanted.rate, seconds=wanted.seconds, warm=WARM) as generator:
        alone = Spending(at.pids)
        idle = asked(probe, wanted.idle, "idle", bench.say)
        resting = alone.shares()
        spending, began = Spending(at.pids), time.monotonic()
        watch = watching.Watch(at.pids).start()
        probe.start()
        generator.go()
        seen = generator.seen()
        loaded = probe.stop()
        took = time.monotonic() - began
        busy = spending.shares()
        samples = watch.stop()
    probe.close()
    figures = bench.figures
    figures.append(Figure("calls a second, set up and torn down", seen.offered / wanted.seconds, "/s",
                          note=f"{seen.offered:,} calls in {wanted.seconds:g} s, begun at an even rate; the latest by "
                               f"{seen.late_p99:.1f} ms (p99)"))  # fmt: skip
    said = "; ".join(f"{count}: {why}" for why, count in seen.faults.items())
    figures.append(Figure("calls that failed", seen.failed, bar=0, at_most=True, note=said))
    figures.append(Figure("packets sent again", seen.repeated_by_us + seen.repeated_by_it,
                          note=f"{seen.repeated_by_us} by telephones, {seen.repeated_by_it} by the server; "
                               f"{seen.strays} strays"))  # fmt: skip
    figures.append(Figure("from INVITE to both telephones ringing, p50", seen.ringing_p50, "ms"))
    figures.append(Figure("from INVITE to both telephones ringing, p99", seen.ringing_p99, "ms"))
    figures.append(Figure("from the telephone's 200 to the caller's, p50", seen.taking_p50, "ms"))
    figures.append(Figure("from the telephone's 200 to the caller's, p99", seen.taking_p99, "ms"))
    processors(figures, busy, resting, seen, took)
    compared(figures, "with calls", idle, loaded)
    for name, highest in {name: max(one.rss[name] for one in samples) for name in at.pids}.items():
        figures.append(Figure(f"memory of the {name}, at its highest", highest, "MiB",
                              note=f"{samples[0].rss[name]:.1f} before"))  # fmt: skip
    outcomes = watching.calls_in_store(at.store)
    kept = outcomes.get("answered", 0)
    figures.append(Figure("calls on disk as answered", kept, bar=seen.offered + WARM - seen.failed, note=str(outcomes)))
    leaks(figures, at)


class Spending:
    """What processes take of a core from now on."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._before, self._began = watching.cpu(pids), time.monotonic()

    def shares(self) -> dict[str, float]:
        """So far, by process."""
        took = time.monotonic() - self._began
        return {name: (spent - self._before[name]) / took for name, spent in watching.cpu(self._pids).items()}


def processors(
    figures: list[Figure], busy: dict[str, float], resting: dict[str, float], seen: Seen, took: float
) -> None:
    """What a call costs beyond what is taken anyway, by the shares of a core with calls and without."""
    if not seen.offered:
        return
    shares = {**busy, "load generator": seen.cpu / took}
    for name, share in shares.items():
        rest = resting.get(name, 0.0)
        figures.append(Figure(f"processor time of a call, {name}", (share - rest) * took / seen.offered * 1000, "ms",
                              note=f"{share:.1%} of a core, {rest:.1%} without calls"))  # fmt: skip
    whole, rest = sum(shares.values()), sum(resting.values())
    figures.append(Figure("processor time of a call, in all", (whole - rest) * took / seen.offered * 1000, "ms",
                          note=f"{whole:.1%} of a core, {rest:.1%} without calls"))  # fmt: skip


def asked(probe: Probe, seconds: float, when: str, say: Callable[[str], None]) -> list[float]:
    """The API for so long."""
    say(f"asking the API for {seconds:g} s, {when}")
    probe.start()
    time.sleep(seconds)
    return probe.stop()


def compared(figures: list[Figure], when: str, idle: list[float], loaded: list[float]) -> None:
    """How much slower the API is."""
    figures.append(Figure(f"API, p99 {when} / p99 idle", p99(loaded) / p99(idle), "x", bar=SLOWER, at_most=True,
                          note=f"{p99(loaded):.2f} ms of {len(loaded)} / {p99(idle):.2f} ms of {len(idle)}, {RATE:g} a "
                               f"second; medians {median(loaded):.2f} and {median(idle):.2f} ms"))  # fmt: skip


def leaks(figures: list[Figure], at: House) -> None:
    """Nothing may be left."""
    left = at.settled()
    note = ", ".join(f"{count} {name}" for name, count in left.items() if count)
    figures.append(Figure("left behind", sum(left.values()), bar=0, at_most=True,
                          note=note or f"of {', '.join(left)}"))  # fmt: skip


def bridged(bench: Bench, wanted: Wanted, at: House) -> None:
    """Calls that talk at once, with sound both ways, and the API asked before and meanwhile."""
    probe = Probe(at.server, at.key, at.office)
    with load(at, bench.say, bridged=wanted.bridged, sound=wanted.sound) as generator:
        idle = asked(probe, wanted.idle, "idle", bench.say)
        generator.go()
        generator.until("talking")
        spending = Spending(at.pids)
        over: list[Seen] = []
        waiting = threading.Thread(target=lambda: over.append(generator.seen()))
        waiting.start()
        loaded = asked(probe, wanted.sound, "with sound", bench.say)
        shares = spending.shares()
        waiting.join()
    probe.close()
    if not over:
        raise BenchError("the load generator said nothing of the bridged calls")
    [seen] = over
    figures = bench.figures
    said = "; ".join(f"{count}: {why}" for why, count in seen.faults.items())
    figures.append(Figure("bridged calls with sound both ways", seen.offered - seen.failed, bar=wanted.bridged,
                          note=said or f"for {wanted.sound:g} s"))  # fmt: skip
    lost = 1 - seen.heard / seen.sent if seen.sent else 1.0
    figures.append(Figure("packets of sound lost", lost * 100, "%", bar=LOST * 100, at_most=True,
                          note=f"{seen.heard:,} of {seen.sent:,} heard, {seen.astray} astray"))  # fmt: skip
    for name, share in shares.items():
        figures.append(Figure(f"processor with sound, {name}", share * 100, "% of a core"))
    compared(figures, "with sound", idle, loaded)
    leaks(figures, at)


def soak(bench: Bench, wanted: Wanted, at: House) -> None:
    """Calls for a long time: memory, ports, legs, reservations."""
    seconds = wanted.minutes * 60
    with load(at, bench.say, rate=wanted.rate, seconds=seconds, warm=WARM) as generator:
        alone = Spending(at.pids)
        time.sleep(wanted.idle)
        resting = alone.shares()
        watch = watching.Watch(at.pids, every=min(10.0, seconds / 30)).start()
        spending, began = Spending(at.pids), time.monotonic()
        generator.go()
        seen = generator.seen()
        took, busy = time.monotonic() - began, spending.shares()
        samples = watch.stop()
    figures = bench.figures
    said = "; ".join(f"{count}: {why}" for why, count in seen.faults.items())
    figures.append(Figure(f"calls in {wanted.minutes:g} minutes", seen.offered, note=f"{wanted.rate:g} a second"))
    figures.append(Figure("calls that failed", seen.failed, bar=0, at_most=True, note=said))
    processors(figures, busy, resting, seen, took)
    # What is remembered of ended calls for half a minute is there only after that.
    bar = GROWN * 100 if wanted.minutes >= JUDGED_MINUTES else None
    for name, (start, grown) in watching.flatness(samples, seconds / 5).items():
        figures.append(Figure(f"memory of the {name}, growth", grown / start * 100, "%", bar=bar, at_most=True,
                              note=f"{grown:+.1f} MiB from {start:.1f} after a fifth of the time; "
                                   f"{samples[0].rss[name]:.1f} first, {samples[-1].rss[name]:.1f} last"))  # fmt: skip
    most = max(one.ports for one in samples)
    figures.append(Figure("ports of sound open at once, at most", most))
    leaks(figures, at)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.telephony", description="Measure calls on this machine.")
    parser.add_argument("--short", action="store_true", help="seconds of everything: shows that all works, no figures")
    parser.add_argument("--only", choices=["calls", "bridged"], help="one part")
    parser.add_argument("--rate", type=float, help="calls a second")
    parser.add_argument("--seconds", type=float, help="for so long")
    parser.add_argument("--bridged", type=int, help="calls that talk at once")
    parser.add_argument("--groups", type=int, help="groups of two that are called")
    parser.add_argument("--minutes", type=float, default=0.0, help="calls for so long instead, and what stays")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the store and telephony.json; on a real disk")
    given = parser.parse_args(arguments)
    wanted = SHORT if given.short else WHOLE
    if given.minutes and not given.rate:
        given.rate = 10.0
    changed = {
        name: getattr(given, name)
        for name in ("rate", "seconds", "bridged", "groups", "minutes")
        if getattr(given, name)
    }
    wanted = Wanted(**{**wanted.__dict__, **changed})
    console = Console(width=None if Console().is_terminal else 160)
    began, failed = time.monotonic(), {}
    parts: dict[str, Callable[[Bench, Wanted, House], None]] = (
        {"soak": soak} if wanted.minutes else {"calls": calls, "bridged": bridged}
    )
    with workplace(given.out) as folder:
        bench = Bench(Options(rounds=1), folder, lambda text: console.print(text, style="dim", highlight=False))
        try:
            with house(folder, wanted.groups, bench.say) as at:
                for name, part in parts.items():
                    if given.only in (None, name):
                        part(bench, wanted, at)
        except BenchError as error:
            failed["telephony"] = str(error)
    took = time.monotonic() - began
    what = "calls through groups of two, the load generator beside the server"
    report(console, bench, failed, took, what)
    write(given.out / "telephony.json", bench, failed, took, quick=given.short)
    return 1 if failed or any(figure.reached is False for figure in bench.figures) else 0


if __name__ == "__main__":
    sys.exit(main())
