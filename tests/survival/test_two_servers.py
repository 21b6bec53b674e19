"""Two processes over one PostgreSQL and one Valkey are one system: one limit, one answer a key, one order of events."""

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
import pytest

from bench import load
from bench.bodies import Bodies
from bench.server import Company
from offhook import bootstrap
from offhook.examples import FULL, SMALL
from offhook.kit.ids import Ids
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from offhook.storage.slots import lease
from tests.servers import PostgreSQL, Valkey
from tests.survival.process import Process, slot_of

LIMIT = 1200


@dataclass
class Pair:
    """Two servers, and the store beneath them."""

    servers: tuple[Process, Process]
    url: str
    database: Database
    ids: Ids

    def company(self) -> Company:
        """A new company, whose limits are untouched."""
        with self.database.transaction() as tx:
            made = bootstrap.found(tx, self.ids, name="Another Company", primary={**FULL, "name": "Head office"})
        keys, offices = made.keys, made.office_ids
        return Company(str(made.company.id), str(offices["live"]), keys["live"], keys["sandbox"])

    def rows(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            return connection.execute(sql.encode()).fetchall()

    def tenant(self, company: Company, environment: str = "live") -> int:
        ((found,),) = self.rows(
            f"SELECT id FROM tenants WHERE company_id = {company.company_id} AND environment = '{environment}'"
        )
        return int(found)

    def together(self, requests: tuple[Iterable[bytes], Iterable[bytes]], connections: int = 16) -> list["Answers"]:
        """Both streams of requests at once, one to each; all answers of each, by the number of the request."""

        def send(server: Process, stream: Iterable[bytes], answers: Answers) -> None:
            ready.wait()
            result = load.run(
                server.url,
                stream,
                connections=connections,
                timeout=30,
                on_answer=lambda index, status, body: answers.__setitem__(index, (status, body)),
            )
            assert result.lost + result.timed_out + result.unreadable == 0

        ready = threading.Barrier(2)
        found: list[Answers] = [{}, {}]
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(send, self.servers, requests, found))
        return found


Answers = dict[int, tuple[int, bytes]]


@pytest.fixture(scope="module")
def pair(postgres: PostgreSQL, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    valkey.flush()
    folder = tmp_path_factory.mktemp("pair")
    settings = {"redis_url": valkey.url, "access_log": "false"}
    with ExitStack() as running, postgres.database() as url:
        database = Database(url)
        running.callback(database.close)
        upgrade(database)
        slot = lease(database)
        running.callback(slot.release)
        first, second = (
            Process(folder / name, scale=1.0, database_url=url, settings=settings) for name in ("first", "second")
        )
        for server in (first, second):
            running.callback(server.kill)
            server.spawn()
        for server in (first, second):
            server.wait()
        yield Pair((first, second), url, database, Ids(slot.number))
        for server in (first, second):
            assert server.faults() == []


def post(server: Process, key: str, body: bytes, *headers: tuple[str, str]) -> bytes:
    return load.serialise(server.url, "POST", "/api/v2/offices", body, [("authorization", f"Bearer {key}"), *headers])


def test_both_together_accept_the_limit_and_not_one_more(pair: Pair) -> None:
    company = pair.company()
    bodies = Bodies(1)
    prepared = tuple(
        [post(server, company.live_key, bodies.body(2 * n + which)) for n in range(1500)]
        for which, server in enumerate(pair.servers)
    )
    answers = pair.together((prepared[0], prepared[1]))
    statuses = Counter(status for each in answers for status, _ in each.values())
    assert statuses == {200: LIMIT, 429: 3000 - LIMIT}
    for each in answers:
        assert any(status == 200 for status, _ in each.values()), "one of the two did nothing"
    refusal = next(body for status, body in answers[0].values() if status == 429)
    assert json.loads(refusal)["error"]["code"] == 429
    tenant = pair.tenant(company)
    assert pair.rows(f"SELECT count(*) FROM offices WHERE tenant_id = {tenant} AND is_primary = 0") == [(LIMIT,)]
    # Each process gives ids of its own.
    ids = [json.loads(body)["office"]["id"] for each in answers for status, body in each.values() if status == 200]
    assert len(set(ids)) == LIMIT
    slots = [{slot_of(json.loads(b)["office"]["id"]) for s, b in each.values() if s == 200} for each in answers]
    assert len(slots[0]) == len(slots[1]) == 1
    assert slots[0] != slots[1]


def test_one_key_sent_to_both_a_hundred_times_makes_one_office(pair: Pair) -> None:
    company = pair.company()
    body = Bodies(2).body(0)
    headers = ("idempotency-key", "one and only")
    requests = tuple([post(server, company.live_key, body, headers)] * 100 for server in pair.servers)
    answers = pair.together((requests[0], requests[1]))
    assert {status for each in answers for status, _ in each.values()} == {200}
    assert len({body for each in answers for _, body in each.values()}) == 1
    tenant = pair.tenant(company)
    assert pair.rows(f"SELECT count(*) FROM offices WHERE tenant_id = {tenant} AND is_primary = 0") == [(1,)]
    assert pair.rows(f"SELECT office_count FROM primary_offices WHERE tenant_id = {tenant}") == [(2,)]


def test_many_keys_sent_to_both_at_once_make_one_office_each(pair: Pair) -> None:
    company = pair.company()
    bodies = Bodies(3)
    requests = tuple(
        [post(server, company.live_key, bodies.body(n), ("idempotency-key", f"key {n}")) for n in range(300)]
        for server in pair.servers
    )
    first, second = pair.together((requests[0], requests[1]))
    assert first == second
    assert {status for status, _ in first.values()} == {200}
    tenant = pair.tenant(company)
    assert pair.rows(
        f"SELECT count(*), count(DISTINCT document::json->>'name') FROM offices "
        f"WHERE tenant_id = {tenant} AND is_primary = 0"
    ) == [(300, 300)]
    assert pair.rows(
        f"SELECT count(*), count(DISTINCT subject_id) FROM events "
        f"WHERE tenant_id = {tenant} AND word = 'office.created'"
    ) == [(301, 301)]


def test_one_key_with_two_bodies_is_kept_by_one_of_them(pair: Pair) -> None:
    company = pair.company()
    requests = tuple(
        [post(server, company.live_key, Bodies(4 + which).body(n), ("idempotency-key", f"key {n}")) for n in range(100)]
        for which, server in enumerate(pair.servers)
    )
    first, second = pair.together((requests[0], requests[1]))
    for number in range(100):
        assert sorted((first[number][0], second[number][0])) == [200, 409]


def test_whoever_pages_through_events_while_both_write_misses_none(pair: Pair) -> None:
    company = pair.company()
    requests = tuple(
        [post(server, company.live_key, Bodies(10 + which).body(n)) for n in range(500)]
        for which, server in enumerate(pair.servers)
    )
    written = threading.Event()
    seen: list[int] = []
    cursors: list[str] = []

    def follow() -> None:
        cursor = ""
        while True:
            last = written.is_set()
            server = pair.servers[len(cursors) % 2]
            path = f"/api/offhook/v1/events?limit=500&cursor={cursor}"
            answer = server.ask("GET", path, key=company.live_key)
            assert answer.status == 200, answer
            page = answer.json
            seen.extend(int(event["seq"]) for event in page.get("items", ()))
            cursor = page.get("cursor", cursor)
            cursors.append(cursor)
            if last and not page.get("items"):
                return

    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(follow)
        try:
            answers = pair.together((requests[0], requests[1]), connections=8)
        finally:
            written.set()
        following.result()
    assert {status for each in answers for status, _ in each.values()} == {200}
    tenant = pair.tenant(company)
    stored = [seq for (seq,) in pair.rows(f"SELECT seq FROM events WHERE tenant_id = {tenant} ORDER BY seq")]
    assert len(stored) >= 1000
    assert seen == stored
    assert len(cursors) > 5, "the reader saw too little of it while it was written"


def test_a_number_asked_of_both_at_once_goes_to_one(pair: Pair) -> None:
    company = pair.company()
    tenant = pair.tenant(company, "sandbox")
    numbers = [row[0] for row in pair.rows(f"SELECT e164 FROM numbers WHERE tenant_id = {tenant} ORDER BY e164")]
    assert len(numbers) >= 50
    requests = tuple(
        [
            post(server, company.sandbox_key, json.dumps({**SMALL, "mainline_number": number}).encode())
            for number in numbers
        ]
        for server in pair.servers
    )
    first, second = pair.together((requests[0], requests[1]))
    for index, number in enumerate(numbers):
        assert sorted((first[index][0], second[index][0])) == [200, 409], number
    owners = pair.rows(f"SELECT e164, target_id FROM numbers WHERE tenant_id = {tenant} ORDER BY e164")
    for index, (number, owner) in enumerate(owners):
        (winner,) = [json.loads(b) for s, b in (first[index], second[index]) if s == 200]
        assert winner["office"]["id"] == str(owner)
        assert winner["office"]["phone_numbers"] == [number]
    assert pair.rows(
        f"SELECT count(*), count(DISTINCT subject_id) FROM events "
        f"WHERE tenant_id = {tenant} AND word = 'number.assigned'"
    ) == [(len(numbers), len(numbers))]


def test_a_change_on_one_is_seen_by_creates_on_the_other(pair: Pair) -> None:
    company = pair.company()
    first, second = pair.servers
    key = company.live_key
    for number in range(5):
        hours = {"monday_hours": [f"{6 + number:02}:00", "18:00"]}
        changed = first.ask("PATCH", f"/api/v2/offices/{company.office_id}", hours, key=key)
        assert changed.status == 200
        # The primary office has a new version: what the other process knows of it is old, and must not matter.
        assert second.ask("POST", "/api/v2/offices", SMALL, key=key).status == 200
        assert first.ask("POST", "/api/v2/offices", SMALL, key=key).status == 200
