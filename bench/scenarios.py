"""What is measured: each scenario runs bursts in turn on one machine and compares them by ratio, round by round.

Absolute rates swing with whatever else the machine does; a ratio of two bursts that follow one another swings less, and
the median of several rounds less again. A burst that gets an answer it should not get yields no figure.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bench import postgres
from bench.load import Kind, read_acks, requests_of, run
from bench.seed import seed_offices
from bench.server import BenchError, Server

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 32
WINDOW = 1200  # creates that a company may do in a minute


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how much: `rounds` of bursts of `seconds`; `many` offices for the large store."""

    rounds: int = 5
    seconds: float = 4.0
    many: int = 1_000_000
    few: int = 1_000


@dataclass(slots=True)
class Figure:
    """One line of the report. `bar` is what `value` must reach: at least it, or at most it if `at_most`."""

    name: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    bar: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the bar is held; None if there is none."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


@dataclass(slots=True)
class Burst:
    """What one run of the load generator saw, and what it cost the server."""

    kind: str
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    answered: int
    statuses: dict[str, int]
    server_cpu_us: float  # a request
    client_cpu_us: float  # a request


@dataclass(slots=True)
class Bench:
    """One run of the benchmark: where it works, what it has said and seen."""

    options: Options
    folder: Path
    say: Callable[[str], None] = lambda text: None
    figures: list[Figure] = field(default_factory=list)
    bursts: dict[str, list[Burst]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    _seed: int = 0

    @contextmanager
    def server(self, name: str, *, scale: float = 100_000, database_url: str = "", stored: int = 0) -> Iterator[Server]:
        """A server on a new store, with `stored` offices in it besides the primary one; gone afterwards."""
        server = Server(self.folder / name, scale=scale, database_url=database_url)
        try:
            company = server.init()
            if stored:
                self.seed(server, int(company.company_id), stored, database_url)
            with server:
                yield server
        finally:
            server.remove()

    def seed(self, server: Server, company_id: int, count: int, database_url: str) -> None:
        """Put offices into a store whose server does not run yet."""
        url = database_url or f"sqlite:///{server.data / 'offhook.sqlite3'}"
        self._seed += 1
        seed_offices(
            url,
            company_id,
            count,
            seed=1_000_000 + self._seed,
            said=lambda stored: self.say(f"storing offices: {stored:,} of {count:,}"),
        )

    def burst(
        self,
        scenario: str,
        server: Server,
        kind: Kind,
        *,
        seconds: float | None = None,
        count: int | None = None,
        connections: int = CONNECTIONS,
        ids: Path | None = None,
        acks: Path | None = None,
        expected: int | None = 200,
        repeat: bool = False,
    ) -> Burst:
        """One run of the load generator in its own process; each has bodies that no other has had.

        `repeat` sends those made beforehand again and again, for requests whose bodies nobody reads. BenchError if an
        answer has another status than `expected` (None: any), or is missing.
        """
        self._seed += 1
        if seconds is None and count is None:
            seconds = self.options.seconds
        command = [sys.executable, "-m", "bench.load", server.url, "--kind", kind, "--key", server.key]
        command += ["--seed", str(self._seed), "--connections", str(connections)]
        # Requests made before the clock starts cost the server nothing; 6,000 a second are more than it takes.
        command += ["--prepare", str(2_000 if kind in ("echo", "page") else int(6_000 * (seconds or 1)))]
        for flag, value in (("--seconds", seconds), ("--count", count), ("--ids", ids), ("--acks", acks)):
            if value is not None:
                command += [flag, str(value)]
        if repeat:
            command.append("--repeat")
        cpu = server.cpu_seconds()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=(seconds or 60) + 120)
        cpu = server.cpu_seconds() - cpu
        if done.returncode:
            raise BenchError(f"the load generator failed: {done.stderr.decode(errors='replace')[-2000:]}")
        seen: dict[str, Any] = msgspec.json.decode(done.stdout)
        answered = seen["answered"]
        if not answered or seen["answered"] != seen["sent"] or seen["ended"] == "server gone":
            raise BenchError(f"{kind}: not every request was answered: {seen}\nserver log: {server.log}")
        if expected is not None and set(seen["statuses"]) != {str(expected)}:
            raise BenchError(
                f"{kind}: answers other than {expected}: {seen['statuses']}{self._sample(server, kind, ids)}"
            )
        burst = Burst(
            kind,
            seen["rate"],
            seen["p50_ms"],
            seen["p99_ms"],
            seen["max_ms"],
            answered,
            seen["statuses"],
            round(cpu / answered * 1e6, 1),
            round(seen["client_cpu_seconds"] / answered * 1e6, 1),
        )
        self.bursts.setdefault(scenario, []).append(burst)
        return burst

    def _sample(self, server: Server, kind: Kind, ids: Path | None) -> str:
        """What the server says to one such request, for the message of a failed run."""
        said: list[str] = []
        known = tuple(ids.read_text().split()) if ids else ()
        requests = requests_of(kind, server.url, key=server.key, seed=self._seed, ids=known)
        run(server.url, requests, connections=1, count=50, on_answer=lambda i, s, b: said.append(f"\n{s} {b[:500]!r}"))
        return next((text for text in said if not text.startswith("\n200 ")), "")

    def ratio(
        self,
        name: str,
        over: list[float],
        under: list[float],
        bar: float | None,
        *,
        at_most: bool = False,
        note: str = "",
    ) -> Figure:
        """The median of the rounds' ratios, with the lowest and the highest."""
        ratios = [above / below for above, below in zip(over, under, strict=True)]
        figure = Figure(name, median(ratios), "x", min(ratios), max(ratios), bar, at_most, note)
        self.figures.append(figure)
        return figure

    def plain(
        self,
        name: str,
        values: list[float],
        unit: str,
        *,
        bar: float | None = None,
        at_most: bool = True,
        note: str = "",
    ) -> None:
        """The median of a figure that is not a ratio."""
        self.figures.append(Figure(name, median(values), unit, min(values), max(values), bar, at_most, note))

    def rounds(self, what: str) -> Iterator[int]:
        """Round numbers, each said."""
        for number in range(self.options.rounds):
            self.say(f"{what}: round {number + 1} of {self.options.rounds}")
            yield number


def rates(bursts: list[Burst]) -> list[float]:
    """Requests a second, burst by burst."""
    return [burst.rate for burst in bursts]


def creates_and_gets(bench: Bench) -> None:
    """Durable creates, with and without an Idempotency-Key, and gets of what they created, against an echo."""
    kinds: tuple[Kind, ...] = ("create", "create-keyed", "get")
    done: dict[Kind, list[Burst]] = {kind: [] for kind in kinds}
    echoes: dict[Kind, list[float]] = {kind: [] for kind in kinds}  # the mean of the echoes right before and after
    name = "creates and gets"
    with bench.server("creates") as server:
        acks, ids = bench.folder / "acks", bench.folder / "ids"
        bench.say("creates: warming up")
        bench.burst("warm-up", server, "create", seconds=1)
        bench.burst("warm-up", server, "echo", seconds=1)
        for _ in bench.rounds("creates and gets against echo"):
            before = bench.burst(name, server, "echo").rate
            for kind in kinds:
                if kind == "get":
                    ids.write_text("\n".join(read_acks(acks).values()))
                burst = bench.burst(
                    name,
                    server,
                    kind,
                    acks=acks if kind == "create" else None,
                    ids=ids if kind == "get" else None,
                )
                done[kind].append(burst)
                after = bench.burst(name, server, "echo").rate
                echoes[kind].append((before + after) / 2)
                before = after
    bench.plain("echo", [rate for found in echoes.values() for rate in found], "/s")
    names: dict[Kind, str] = {"create": "creates", "create-keyed": "creates with Idempotency-Key"}
    for kind, what in names.items():
        bench.plain(what, rates(done[kind]), "/s", note=_cost(done[kind]))
        bar = 0.28 if kind == "create" else None
        bench.ratio(f"{what} / echo", rates(done[kind]), echoes[kind], bar, note="goal 0.40" if bar else "")
        bench.plain(f"{what}, p50", [burst.p50_ms for burst in done[kind]], "ms")
        bench.plain(f"{what}, p99", [burst.p99_ms for burst in done[kind]], "ms", bar=50)
    bench.plain("gets of stored offices", rates(done["get"]), "/s", note=_cost(done["get"]))
    bench.ratio("gets / echo", rates(done["get"]), echoes["get"], 0.50)


def _cost(bursts: list[Burst]) -> str:
    return f"server CPU {median(b.server_cpu_us for b in bursts):.0f} us each, client {bursts[0].client_cpu_us:.0f} us"


def refused(bench: Bench) -> None:
    """What a request over the limit costs the server, against a create."""
    name, creates, refusals = "refused", [], []
    with bench.server("unlimited") as open_server, bench.server("limited", scale=1) as limited:
        bench.burst("warm-up", open_server, "create", seconds=1)
        for _ in bench.rounds("refused requests against creates"):
            creates.append(bench.burst(name, open_server, "create"))
            # Use up what the window has gained since the last round.
            bench.burst("warm-up", limited, "create", count=WINDOW + 200, expected=None)
            refusals.append(bench.burst(name, limited, "create", expected=429, repeat=True))
    bench.plain("refused (429)", rates(refusals), "/s", note=_cost(refusals))
    spent, full = ([burst.server_cpu_us for burst in bursts] for bursts in (refusals, creates))
    bench.ratio("CPU of a refused / CPU of a create", spent, full, 0.10, at_most=True)


def million(bench: Bench) -> None:
    """The create rate, a page of the list and memory with a million offices stored."""
    options, name = bench.options, "million"
    many, few = [], []
    large = f"{options.many:,}"
    with bench.server("large", stored=options.many) as big:
        cold = bench.folder / "cold"
        bench.say("the large store: warming up")
        bench.burst("warm-up", big, "create", seconds=1)
        for number in bench.rounds(f"creates with {large} stored against {options.few:,}"):
            # A new small store each round: its own creates make it large soon.
            with bench.server(f"small-{number}", stored=options.few) as small:
                bench.burst("warm-up", small, "create", count=200)
                few.append(bench.burst(name, small, "create"))
            many.append(bench.burst(name, big, "create", acks=cold))
        bench.ratio(f"creates at {large} / at {options.few:,}", rates(many), rates(few), 0.8)
        bench.plain(f"creates at {large}, p99", [burst.p99_ms for burst in many], "ms")
        pages = {"first": "", "middle": _middle(bench, big, options.many)}
        for which, cursor in pages.items():
            at = bench.folder / f"cursor-{which}"
            at.write_text(cursor)
            found = [bench.burst(name, big, "page", connections=1, count=100, ids=at) for _ in range(3)]
            worst = max(burst.p99_ms for burst in found)
            times = [burst.p50_ms for burst in found]
            bench.plain(f"{which} page of {large}", times, "ms", bar=10, note=f"p99 {worst:.1f} ms")
        memory = big.memory_mib()
    bench.plain(
        f"memory at {large}",
        [memory["highest"]],
        "MiB",
        bar=381,
        note=f"381 MiB are 400 MB; at its highest; now {memory['now']:.0f}",
    )


class _Page(msgspec.Struct):
    items: list[msgspec.Raw] = []
    cursor: str = ""


def _middle(bench: Bench, server: Server, stored: int) -> str:
    """The cursor that leads to the middle of the list, found as a client finds it: page by page."""
    seen, cursor, said = 0, "", time.monotonic()
    while seen < stored // 2:
        status, body = server.get(f"/api/v2/offices?cursor={cursor}")
        page = msgspec.json.decode(body, type=_Page)
        if status != 200 or not page.cursor:
            raise BenchError(f"the list ended after {seen} of {stored} offices: {status} {body[:300]!r}")
        seen, cursor = seen + len(page.items), page.cursor
        if time.monotonic() - said > 1:
            said = time.monotonic()
            bench.say(f"walking to the middle of the list: {seen:,} of {stored // 2:,}")
    return cursor


def on_postgres(bench: Bench) -> None:
    """Creates on PostgreSQL with every commit on disk, against pgbench inserting the same rows there."""
    name = "postgres"
    try:
        with ExitStack() as stack:
            cluster = stack.enter_context(postgres.durable_postgres())
            database = stack.enter_context(cluster.database())
            ours = urlsplit(database).path.lstrip("/")
            server = stack.enter_context(bench.server("postgres", database_url=database))
            with cluster.connect(ours) as connection:
                witness = postgres.Witness(connection)
                acks = bench.folder / "acks"
                bench.burst("warm-up", server, "create", count=1, connections=1, acks=acks)
                script = postgres.script_of(witness.new(), read_acks(acks)[0])
            # A copy of the database, so that neither slows down on what the other has stored; nobody may be connected.
            server.stop()
            theirs = urlsplit(stack.enter_context(cluster.database(ours))).path.lstrip("/")
            server.start()
            bench.burst("warm-up", server, "create", seconds=1)
            creates, bare, ready = [], [], []
            for number in bench.rounds("creates on PostgreSQL against pgbench"):
                bare.append(postgres.pgbench(cluster, theirs, script, bench.options.seconds, bench.folder, number))
                ready.append(postgres.store(database, server.company_id, bench.options.seconds, number))
                creates.append(bench.burst(name, server, "create"))
    except postgres.NoPostgres as error:
        bench.left_out["postgres"] = str(error)
        return
    sent = f"{script.rows} rows, {script.sent_bytes / 1024:.1f} KB of values each; mean {bare[0].mean_ms:.1f} ms"
    bench.plain("pgbench, one create a transaction", [run.rate for run in bare], "/s", note=sent)
    bench.plain("the batching writer, ready creates", ready, "/s", note="as pgbench: no HTTP, no rules")
    bench.ratio("the batching writer / pgbench", ready, [run.rate for run in bare], 1.0)
    bench.plain("creates on PostgreSQL", rates(creates), "/s", note=_cost(creates))
    bench.ratio("creates on PostgreSQL / pgbench", rates(creates), [run.rate for run in bare], None)
    bench.plain("creates on PostgreSQL, p99", [burst.p99_ms for burst in creates], "ms")


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "creates": creates_and_gets,
    "refused": refused,
    "million": million,
    "postgres": on_postgres,
}


@contextmanager
def workplace(under: Path) -> Iterator[Path]:
    """A folder on a real disk for the stores of one run; deleted afterwards."""
    under.mkdir(parents=True, exist_ok=True)
    (under / ".gitignore").write_text("*\n")
    with tempfile.TemporaryDirectory(prefix="run-", dir=under) as folder:
        yield Path(folder)
