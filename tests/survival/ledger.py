"""Creates at full rate, and the accounts of them: what was sent, what was acknowledged, what the store must hold now.

The store is read beside the server, with SQL of our own, so that an error of the server cannot hide itself.
"""

import hashlib
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from bench import load
from bench.bodies import Bodies, idempotency_key
from bench.server import Company
from tests.survival.process import Process

CONNECTIONS = 32
Query = Callable[[str], list[tuple[Any, ...]]]


@contextmanager
def sqlite_store(path: Path) -> Iterator[Query]:
    """Reads the file of a server, which may be running."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


@contextmanager
def postgres_store(url: str) -> Iterator[Query]:
    """Reads the database of a server."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        yield lambda sql: connection.execute(sql.encode()).fetchall()


@contextmanager
def store_of(server: Process) -> Iterator[Query]:
    """Whichever it is."""
    url = server.environment.get("OFFHOOK_DATABASE_URL")
    with postgres_store(url) if url else sqlite_store(server.data / "offhook.sqlite3") as query:
        yield query


def is_keyed(index: int) -> bool:
    """Whether create number `index` has an Idempotency-Key: every other one has."""
    return index % 2 == 1


class Ledger:
    """All creates of one test on one server, by their number; every body has a name of its own."""

    def __init__(self, server: Process, seed: int) -> None:
        self.server = server
        self.seed = seed
        self.sent = 0
        self.acknowledged: dict[int, bytes] = {}
        self.answers: Counter[int] = Counter()
        self._bodies = Bodies(seed)
        self._asked_for: dict[str, int] = {}
        self._checked_to = (0, 0, 0)
        self._offices: dict[str, int] = {}
        self._unchecked: list[int] = []

    def asked_for(self) -> dict[str, int]:
        """The number of each create that was sent, by the name in its body."""
        for index in range(len(self._asked_for), self.sent):
            self._asked_for[str(self._bodies.office(index)["name"])] = index
        return self._asked_for

    def request(self, index: int) -> bytes:
        """Create number `index`, the same whenever it is sent."""
        headers = [("authorization", f"Bearer {self.server.key}")]
        if is_keyed(index):
            headers.append(("idempotency-key", idempotency_key(self.seed, index)))
        return load.serialise(self.server.url, "POST", "/api/v2/offices", self._bodies.body(index), headers)

    @contextmanager
    def creating(self, seconds: float, *, connections: int = CONNECTIONS) -> Iterator["Future[load.Result]"]:
        """Creates while the block runs, until `seconds` have passed or the server is gone; then accounts for them."""
        base = self.sent
        requests = load.prepared(map(self.request, iter(range(base, 10**9))), 2000, again=False)

        def note(index: int, status: int, body: bytes) -> None:
            self.answers[status] += 1
            if status == 200:
                self._acknowledge(base + index, body)

        def run() -> load.Result:
            return load.run(
                self.server.url, requests, connections=connections, seconds=seconds, timeout=30, on_answer=note
            )

        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(run)
            yield running
            result = running.result()
        self.sent = base + result.sent
        answered = len(result.latencies)
        assert result.unreadable == 0
        assert result.timed_out == 0, "an answer took longer than 30 seconds"
        assert answered + result.lost == result.sent

    def lost(self) -> list[int]:
        """Creates that were sent and are not acknowledged."""
        return [index for index in range(self.sent) if index not in self.acknowledged]

    def repeat_lost(self, at_most: int = sys.maxsize) -> int:
        """Send again what has a key and no acknowledgement: each must succeed now. Gives how many there were."""
        again = [index for index in self.lost() if is_keyed(index)][:at_most]
        answered: dict[int, tuple[int, bytes]] = {}
        load.run(
            self.server.url,
            map(self.request, again),
            connections=CONNECTIONS,
            on_answer=lambda index, status, body: answered.update({again[index]: (status, body)}),
        )
        assert len(answered) == len(again)
        for index, (status, body) in answered.items():
            assert status == 200, body
            self._acknowledge(index, body)
        return len(again)

    def repeat_acknowledged(self, number: int = 50) -> None:
        """Send again the latest creates that have a key: the answers must be the first ones, to the byte."""
        latest = [index for index in sorted(self.acknowledged)[-2 * number :] if is_keyed(index)]
        answered: dict[int, bytes] = {}
        result = load.run(
            self.server.url,
            map(self.request, latest),
            connections=8,
            on_answer=lambda index, _, body: answered.update({latest[index]: body}),
        )
        other = {index: answered.get(index) for index in latest if answered.get(index) != self.acknowledged[index]}
        assert not other, (
            f"{len(other)} of {len(latest)} were answered otherwise: {dict([*other.items()][:3])}, {result}"
        )

    def check(self, query: Query) -> int:
        """Compare the store with the accounts, from where the last check ended. Gives the number of offices seen.

        Every acknowledged office is there, once, and its answer is what was acknowledged; every office that is there
        was asked for, and has its plan, one office.created, and, if it was sent with a key, its record.
        """
        asked_for, office_mark, event_mark = self.asked_for(), *self._checked_to[:2]
        tenant, primary = self._tenant(query), int(self._company.office_id)
        fresh: dict[int, str] = {}
        for number, state, version, document in query(
            f"SELECT id, state, version, document FROM offices WHERE id > {office_mark} AND tenant_id = {tenant} "
            "AND is_primary = 0"
        ):
            name = json.loads(document)["name"]
            assert name in asked_for, f"nobody asked for {name}"
            assert name not in self._offices, f"{name} exists twice: {self._offices[name]} and {number}"
            assert (state, version) == ("active", 1)
            self._offices[name] = number
            fresh[number] = name
        has_plan = {
            row[0]
            for row in query(f"SELECT office_id FROM plans WHERE office_id > {office_mark} AND tenant_id = {tenant}")
        }
        assert has_plan - {primary} == fresh.keys(), "offices without plan, or plans without office"
        created: Counter[int] = Counter()
        for seq, subject, after in query(
            f"SELECT seq, subject_id, after FROM events WHERE seq > {event_mark} AND tenant_id = {tenant} "
            "AND word = 'office.created'"
        ):
            event_mark = max(seq, event_mark)
            if int(subject) != primary:
                created[int(subject)] += 1
                assert json.loads(after)["office"]["name"] == fresh.get(int(subject)), "an event of another office"
        assert created == Counter(fresh.keys()), "not one office.created for each office"
        last_record = self._check_records(query, tenant, {number: asked_for[name] for number, name in fresh.items()})
        (count,) = query(f"SELECT office_count FROM primary_offices WHERE tenant_id = {tenant}")[0]
        assert count == len(self._offices) + 1, "office_count is wrong"
        indexes, self._unchecked = self._unchecked, []
        for index in indexes:
            office = _created(self.acknowledged[index]).office
            assert self._offices.get(office.name) == int(office.id), f"create {index} is lost"
        self._check_answers(indexes)
        self._checked_to = (max([office_mark, *fresh]), event_mark, last_record)
        return len(fresh)

    def check_all(self, query: Query) -> int:
        """The same over all that was ever created."""
        self._checked_to, self._offices, self._unchecked = (0, 0, 0), {}, sorted(self.acknowledged)
        return self.check(query)

    def _acknowledge(self, index: int, body: bytes) -> None:
        self.acknowledged[index] = body
        self._unchecked.append(index)

    def _check_records(self, query: Query, tenant: int, fresh: dict[int, int]) -> int:
        """Records since the last check are exactly those of fresh offices that were sent with a key."""
        mark = self._checked_to[2]
        found: dict[bytes, int] = {}
        for number, digest, body in query(f"SELECT id, digest, body FROM idempotency WHERE id > {mark}"):
            mark = max(mark, number)
            found[bytes(digest)] = int(_created(body.encode()).office.id)
        wanted = {
            hashlib.sha256(f"{tenant}\0offices.create\0{idempotency_key(self.seed, index)}".encode()).digest(): office
            for office, index in fresh.items()
            if is_keyed(index)
        }
        assert found == wanted, "records without their office, or offices without their record"
        return mark

    def _check_answers(self, indexes: list[int]) -> None:
        wanted = [_created(self.acknowledged[index]) for index in indexes]
        access = (("authorization", f"Bearer {self.server.key}"),)
        paths = [f"/api/v2/offices/{created.office.id}{rest}" for created in wanted for rest in ("", "/plan")]
        got: dict[int, bytes] = {}
        load.run(
            self.server.url,
            (load.serialise(self.server.url, "GET", path, headers=access) for path in paths),
            connections=16,
            on_answer=lambda index, status, body: got.update({index: body}) if status == 200 else None,
        )
        assert len(got) == len(paths)
        for index, number in enumerate(indexes):
            acknowledged = json.loads(self.acknowledged[number])
            assert _lasting(json.loads(got[2 * index])) == _lasting(acknowledged["office"])
            assert json.loads(got[2 * index + 1]) == acknowledged["plan"]

    @property
    def _company(self) -> Company:
        assert self.server.company is not None
        return self.server.company

    def _tenant(self, query: Query) -> int:
        company = self._company.company_id
        (row,) = query(f"SELECT id FROM tenants WHERE company_id = {company} AND environment = 'live'")
        return int(row[0])


def _lasting(office: dict[str, Any]) -> dict[str, Any]:
    """An office without what depends on the moment."""
    return {name: value for name, value in office.items() if name != "availability_status"}


class _Office(msgspec.Struct):
    id: str
    name: str


class _Created(msgspec.Struct):
    office: _Office


_created = msgspec.json.Decoder(_Created).decode
