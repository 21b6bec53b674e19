"""Measures workflows: how many, how soon, how much beside a bare call, waiting, forking, and their history.

    python -m bench.workflows [--quick] [--only NAME] [--out FOLDER]

The server is a real one in its own process, and so is the service that the workflows call; both share the machine with
this program. Rates of workflows stand beside the rate at which a bare httpx client makes the same calls in the same
minute, as absolute figures depend on what else the machine does.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from bench.__main__ import OUT, report, write
from bench.postgres import NoPostgres, durable_postgres
from bench.scenarios import Bench, Figure, Options, workplace
from bench.server import BenchError, Server
from bench.target import target
from offhook.kit.ids import EPOCH_MS
from offhook.storage.database import Database
from offhook.workflows.machine.model import Run
from offhook.workflows.runs import store

API = "/api/offhook/v1/workflows"
CONNECTIONS = 32
STORES = {"SQLite": 100, "PostgreSQL": 200}
"""Two-step workflows a second that each store is to carry."""


def http(ref: str, url: str, **more: Any) -> dict[str, Any]:
    """An HTTP task."""
    return {
        "name": ref,
        "taskReferenceName": ref,
        "type": "HTTP",
        "inputParameters": {"uri": url, "method": "GET"},
    } | more


def two_steps(url: str) -> dict[str, Any]:
    """A call, and another one with something of the first one's answer."""
    first = http("first", url + "/first/${workflow.input.n}")
    second = http("second", url + "/second/${workflow.input.n}/${first.output.response.body.value}")
    return {"name": "two_steps", "version": 1, "tasks": [first, second]}


class Lines:
    """Keep-alive connections to a server, each with one request at a time."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._key = parts.hostname or "", parts.port or 80, key

    async def ask(self, bodies: Sequence[bytes], path: str, *, connections: int = CONNECTIONS) -> float:
        """POST each body once; seconds from the first to the last answer, which must all be 200."""
        left = iter(bodies)
        began = time.monotonic()
        await asyncio.gather(*(self._line(left, path) for _ in range(min(connections, len(bodies)))))
        return time.monotonic() - began

    async def _line(self, left: Iterator[bytes], path: str) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            for body in left:
                writer.write(
                    b"POST %b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (path.encode(), self._key.encode(), len(body), body)
                )
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                answer = await reader.readexactly(length)
                if not head.startswith(b"HTTP/1.1 200"):
                    raise BenchError(f"a start was answered with {head[:40]!r} {answer[:300]!r}")
        finally:
            writer.close()


class Scene:
    """A server with a company, the service that its workflows call, and who asks."""

    def __init__(self, server: Server, url: str) -> None:
        self.server, self.url = server, url
        self.client = httpx.Client(headers={"Authorization": f"Bearer {server.key}"}, timeout=30)
        self.lines = Lines(server.url, server.key)

    def register(self, definition: dict[str, Any]) -> None:
        """Have a definition registered."""
        answer = self.client.post(f"{self.server.url}{API}/definitions", json={"definition": definition})
        if answer.status_code != 200:
            raise BenchError(f"registering was answered with {answer.status_code}: {answer.text[:500]}")

    def start(self, workflow: str, given: dict[str, Any]) -> str:
        """Start a run."""
        answer = self.client.post(f"{self.server.url}{API}/runs", json={"workflow": workflow, "input": given})
        if answer.status_code != 200:
            raise BenchError(f"a start was answered with {answer.status_code}: {answer.text[:500]}")
        return str(answer.json()["id"])

    def start_many(self, workflow: str, inputs: Sequence[dict[str, Any]]) -> float:
        """Start many at once; the seconds that it took."""
        bodies = [json.dumps({"workflow": workflow, "input": one}).encode() for one in inputs]
        return asyncio.run(self.lines.ask(bodies, f"{API}/runs"))

    def wait(self, count: int, seconds: float = 300) -> None:
        """Until the service had that many calls."""
        deadline = time.monotonic() + seconds
        while self.count() < count:
            if time.monotonic() > deadline:
                raise BenchError(f"only {self.count():,} of {count:,} calls came within {seconds:g} s")
            time.sleep(0.005)

    def count(self) -> int:
        """How many calls the service had."""
        return int(self.client.get(self.url + "/count").text)

    def seen(self) -> list[tuple[str, float]]:
        """What came since this was asked last."""
        return [(path, moment) for path, moment in self.client.get(self.url + "/seen").json()]

    def runs(self, **query: str) -> list[dict[str, Any]]:
        """A page of runs."""
        found: list[dict[str, Any]] = self.client.get(f"{self.server.url}{API}/runs", params=query).json()["items"]
        return found

    def until_over(self, id: str, seconds: float = 120) -> dict[str, Any]:
        """A run, once it is over."""
        deadline = time.monotonic() + seconds
        while True:
            run: dict[str, Any] = self.client.get(f"{self.server.url}{API}/runs/{id}").json()
            if run["status"] not in ("RUNNING", "PAUSED"):
                return run
            if time.monotonic() > deadline:
                raise BenchError(f"run {id} was not over after {seconds:g} s")
            time.sleep(0.02)

    def settled(self, seconds: float = 60) -> None:
        """Until no run goes on."""
        deadline = time.monotonic() + seconds
        while self.runs(status="RUNNING", limit="1"):
            if time.monotonic() > deadline:
                raise BenchError("runs did not end")
            time.sleep(0.01)


@contextmanager
def scene(bench: Bench, name: str, database_url: str = "") -> Iterator[Scene]:
    """A fresh store with a server over it."""
    with target() as url:
        server = Server(bench.folder / name, database_url=database_url)
        server.environment |= {"OFFHOOK_EGRESS_ALLOW": urlsplit(url).netloc, "OFFHOOK_ACCESS_LOG": "false"}
        with server:
            yield Scene(server, url)


def many(bench: Bench) -> None:
    """Two-step workflows a second on each store, beside bare calls."""
    for name, bar in STORES.items():
        with ExitStack() as stack:
            database_url = ""
            if name == "PostgreSQL":
                try:
                    postgres = stack.enter_context(durable_postgres())
                except NoPostgres as error:
                    bench.left_out["workflows a second on PostgreSQL"] = str(error)
                    continue
                database_url = stack.enter_context(postgres.database())
            here = stack.enter_context(scene(bench, f"many-{name}", database_url))
            here.register(two_steps(here.url))
            rates, bare, cpu = _rates(bench, here, name)
            figure = Figure(
                f"two-step workflows a second, {name}", median(rates), "", min(rates), max(rates), bar,
                note=f"{median(cpu):.2f} ms of the server's CPU each; bare httpx pairs of calls a second: "
                f"{median(bare):.0f}",
            )  # fmt: skip
            bench.figures.append(figure)
            bench.figures.append(
                Figure(
                    f"workflows for each bare pair of calls, {name}",
                    median(one / other for one, other in zip(rates, bare, strict=True)),
                    "x",
                    note="what durability costs",
                )
            )


def _rates(bench: Bench, here: Scene, name: str) -> tuple[list[float], list[float], list[float]]:
    count = 300 if bench.options.rounds == 1 else 2_000
    here.start_many("two_steps", [{"n": n} for n in range(50)])
    here.wait(100)
    here.settled()
    rates, bare, cpu = [], [], []
    for number in range(bench.options.rounds):
        bench.say(f"{name}: {count:,} workflows, round {number + 1} of {bench.options.rounds}")
        before, spent = here.count(), here.server.cpu_seconds()
        began = time.monotonic()
        here.start_many("two_steps", [{"n": n} for n in range(count)])
        here.wait(before + 2 * count)
        here.settled()
        rates.append(count / (time.monotonic() - began))
        cpu.append((here.server.cpu_seconds() - spent) / count * 1000)
        bare.append(asyncio.run(_bare(here.url, count)))
    failed = here.runs(status="FAILED,TIMED_OUT,TERMINATED", limit="1")
    if failed:
        raise BenchError(f"a workflow failed: {failed[0]}")
    return rates, bare, cpu


async def _bare(url: str, count: int) -> float:
    """Pairs of calls a second by httpx alone."""
    left = iter(range(count))
    async with httpx.AsyncClient(timeout=30) as client:

        async def line() -> None:
            for number in left:
                (await client.get(f"{url}/first/{number}")).json()
                (await client.get(f"{url}/second/{number}")).json()

        began = time.monotonic()
        await asyncio.gather(*(line() for _ in range(CONNECTIONS)))
        return count / (time.monotonic() - began)


def soon(bench: Bench) -> None:
    """From a start's request to the first call of its workflow, while nothing else goes on."""
    bench.say("starts while idle")
    with scene(bench, "soon") as here:
        here.register(two_steps(here.url))
        times: list[float] = []
        for number in range(60 if bench.options.rounds == 1 else 300):
            before = here.count()
            began = time.monotonic()
            here.start("two_steps", {"n": number})
            here.wait(before + 2)
            (arrived,) = (moment for path, moment in here.seen() if path == f"/first/{number}")
            times.append((arrived - began) * 1000)
            time.sleep(0.02)
        times = sorted(times[10:])
        p99 = times[int(len(times) * 0.99)]
        bench.figures.append(
            Figure("start to first request, p99", p99, "ms", median(times), times[-1], 30, at_most=True,
                   note="idle; beside it median and longest")
        )  # fmt: skip


def beside(bench: Bench) -> None:
    """What an HTTP task takes beside a bare call: in a workflow of calls one after the other."""
    bench.say("calls one after the other")
    length = 100
    with scene(bench, "beside") as here:
        tasks = [http(f"step{number}", f"{here.url}/step/{number}") for number in range(length)]
        here.register({"name": "long", "version": 1, "tasks": tasks})
        ours: list[float] = []
        bare: list[float] = []
        with httpx.Client() as client:
            for _ in range(3):
                here.seen()
                here.until_over(here.start("long", {}))
                moments = [moment for path, moment in here.seen() if path.startswith("/step/")]
                ours.append((moments[-1] - moments[0]) / (length - 1) * 1000)
                began = time.monotonic()
                for number in range(length):
                    client.get(f"{here.url}/step/{number}")
                bare.append((time.monotonic() - began) / length * 1000)
        bench.figures.append(
            Figure("an HTTP task more than a bare call", median(ours) - median(bare), "ms",
                   note=f"medians: {median(ours):.2f} ms a task, each on disk; bare {median(bare):.2f}")
        )  # fmt: skip


def waiting(bench: Bench) -> None:
    """Many that wait: what they cost meanwhile, and whether they go on in time."""
    count, spread = (1_000, 10.0) if bench.options.rounds == 1 else (10_000, 60.0)
    with scene(bench, "waiting") as here:
        wait = {
            "name": "w",
            "taskReferenceName": "w",
            "type": "WAIT",
            "inputParameters": {"until": "${workflow.input.t}"},
        }
        here.register(
            {"name": "later", "version": 1, "tasks": [wait, http("then", here.url + "/then/${workflow.input.n}")]}
        )
        bench.say(f"{count:,} that wait")
        lead = 20.0 + count / 250
        first = time.time() + lead
        # What all processes' clock says at a moment of the day.
        offset = time.monotonic() - time.time()
        moments = [first + number * spread / count for number in range(count)]
        inputs = [{"n": n, "t": _written(moment)} for n, moment in enumerate(moments)]
        here.start_many("later", inputs)
        rested = time.monotonic()
        spent = here.server.cpu_seconds()
        while time.time() < first - 3:
            time.sleep(0.5)
        idle = (here.server.cpu_seconds() - spent) / (time.monotonic() - rested) * 100
        here.wait(count, seconds=spread + 120)
        late = sorted(
            arrived - offset - float(int(moments[int(path.rpartition("/")[2])] * 1000)) / 1000
            for path, arrived in here.seen()
            if path.startswith("/then/")
        )
        bench.figures += [
            Figure(f"CPU of {count:,} that wait", idle, "%", bar=2, at_most=True, note="of one core"),
            Figure("late when they go on, p99", late[int(count * 0.99)] * 1000, "ms", late[count // 2] * 1000,
                   late[-1] * 1000, 1000, at_most=True,
                   note=f"{count / spread:.0f} a second come due; beside it median and longest"),
        ]  # fmt: skip


def _written(moment: float) -> str:
    whole, thousandth = divmod(int(moment * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{thousandth:03d}Z"


def forking(bench: Bench) -> None:
    """A fork of 500 branches."""
    bench.say("a fork of 500 branches")
    with scene(bench, "forking") as here:
        names = [f"b{number}" for number in range(500)]
        fork = {
            "name": "f", "taskReferenceName": "f", "type": "FORK_JOIN_DYNAMIC",
            "dynamicForkTasksParam": "tasks", "dynamicForkTasksInputParamName": "inputs",
            "inputParameters": {"tasks": "${workflow.input.tasks}", "inputs": "${workflow.input.inputs}"},
        }  # fmt: skip
        join = {"name": "j", "taskReferenceName": "j", "type": "JOIN"}
        here.register({"name": "wide", "version": 1, "tasks": [fork, join]})
        given = {
            "tasks": [{"name": one, "taskReferenceName": one, "type": "HTTP"} for one in names],
            "inputs": {one: {"uri": f"{here.url}/{one}", "method": "GET"} for one in names},
        }
        began = time.monotonic()
        run = here.until_over(here.start("wide", given))
        took = time.monotonic() - began
        if run["status"] != "COMPLETED" or here.count() != len(names):
            raise BenchError(f"the fork ended {run['status']} after {here.count()} calls: {run.get('reason')}")
        bench.figures.append(
            Figure("a fork of 500 calls", took, "s", note=f"{len(names) / took:.0f} branches a second")
        )


def history(bench: Bench) -> None:
    """Pages of a long history."""
    count = 20_000 if bench.options.rounds == 1 else 1_000_000
    with scene(bench, "history") as here:
        bench.say(f"writing {count:,} runs that are over")
        here.server.stop()
        first = _seed(f"sqlite:///{here.server.data / 'offhook.sqlite3'}", here.server.company_id, count)
        here.server.start()
        bench.say("reading pages of them")
        since = _written((first + count // 2) / 1000)
        asked: dict[str, dict[str, str]] = {
            "all": {},
            "failed": {"status": "FAILED"},
            "failed of one workflow": {"status": "FAILED", "workflow": "w7"},
            "of one workflow": {"workflow": "w7"},
            "of a correlation id": {"correlation_id": "order 500"},
            "none at all": {"workflow": "w7", "status": "TERMINATED"},
            "half way": {"until": since},
        }
        slowest, times = ("", 0.0), []
        for name, query in asked.items():
            own = []
            for _ in range(20):
                began = time.monotonic()
                here.runs(**query)
                own.append((time.monotonic() - began) * 1000)
            times += own
            slowest = max(slowest, (name, median(own)), key=lambda one: one[1])
        times.sort()
        bench.figures.append(
            Figure(f"a page of {count:,} runs, p95", times[int(len(times) * 0.95)], "ms", median(times), times[-1], 50,
                   at_most=True, note=f"slowest: {slowest[0]}, {slowest[1]:.1f} ms; beside it median and longest")
        )  # fmt: skip


def _seed(url: str, company: int, count: int) -> int:
    """Write runs that are over; the moment (ms) of the first one."""
    database = Database(url)
    first = int(time.time() * 1000) - count
    with database.reading() as tx:
        found = tx.connection.exec_driver_sql("SELECT MIN(id) FROM tenants WHERE company_id = ?", (company,))
        tenant = int(found.scalar_one())
    for begin in range(0, count, 20_000):
        rows = []
        for number in range(begin, min(begin + 20_000, count)):
            started = first + number
            run = Run(
                id=(started - EPOCH_MS) << 11, tenant_id=tenant, name=f"w{number % 50}", version=1, definition="0" * 64,
                status="FAILED" if number % 97 == 0 else "COMPLETED", input={"n": number}, output={"n": number},
                correlation=f"order {number % 5000}" if number % 10 == 0 else "", started=started, ended=started + 40,
            )  # fmt: skip
            rows.append(store.new_row(run, 0, 0))
        with database.transaction() as tx:
            store.insert_rows(tx, rows)
    database.close()
    return first


ALL: dict[str, Callable[[Bench], None]] = {
    "many": many,
    "soon": soon,
    "beside": beside,
    "waiting": waiting,
    "forking": forking,
    "history": history,
}


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.workflows", description="Measure workflows.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for stores and workflows.json")
    parser.add_argument("--only", action="append", choices=list(ALL), help="only these; may be given several times")
    parser.add_argument("--quick", action="store_true", help="one round of little: to see whether it works")
    given = parser.parse_args(arguments)
    console = Console(width=None if Console().is_terminal else 140)
    began, failed = time.monotonic(), {}
    with workplace(given.out) as folder:
        options = Options(rounds=1 if given.quick else 3)
        bench = Bench(options, folder, lambda text: console.print(text, style="dim", highlight=False))
        for name in given.only or ALL:
            try:
                ALL[name](bench)
            except BenchError as error:
                failed[name] = str(error)
    took = time.monotonic() - began
    report(console, bench, failed, took, "workflows")
    write(given.out / "workflows.json", bench, failed, took, quick=given.quick)
    return 1 if failed or any(figure.reached is False for figure in bench.figures) else 0


if __name__ == "__main__":
    sys.exit(main())
