"""What people, groups and numbers cost: a page of many users, a long list of operators, a number out of a million."""

import contextlib
import http.client
import math
import time
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

import msgspec

from bench.scenarios import Bench
from bench.seed import owner
from bench.server import BenchError, Server
from offhook.directory.operators import store as operators
from offhook.directory.operators.store import Operator
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.kit import clock
from offhook.kit.ids import Ids
from offhook.numbers import service as numbers
from offhook.numbers import store as inventory
from offhook.storage.database import Database
from offhook.storage.documents import Kept

USERS, OPERATORS, FEW, MANY = 100_000, 1_000, 1_000, 1_000_000
CLAIMS = 400
_BATCH = 5_000


class Client:
    """One keep-alive connection that measures each answer."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}

    def send(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        """Seconds to the whole answer, and the answer; BenchError unless it is 200."""
        raw = msgspec.json.encode(body) if body is not None else None
        began = time.perf_counter()
        self._connection.request(method, path, raw, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise BenchError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return took, msgspec.json.decode(content)

    def times(self, path: str, count: int = 100) -> list[float]:
        """Milliseconds of each of `count` gets, after a few that do not count."""
        for _ in range(3):
            self.send("GET", path)
        return [self.send("GET", path)[0] * 1000 for _ in range(count)]


def directory(bench: Bench) -> None:
    """A page of 100,000 users, a list of 1,000 operators, and claims out of 1,000 and of 1,000,000 numbers."""
    with _server(bench, "people") as server:
        _people(bench, server)
        client = Client(server)
        pages = {"first page": "/api/v2/users", "middle page": f"/api/v2/users?cursor={_middle(bench, client)}"}
        for name, path in pages.items():
            times = client.times(path)
            bench.plain(f"{name} of {USERS:,} users", times, "ms", bar=10, note=f"p99 {_p99(times):.1f} ms")
        office = server.company.office_id if server.company else ""
        times = client.times(f"/api/v2/offices/{office}/operators")
        bench.plain(f"list of {OPERATORS:,} operators", times, "ms", bar=20, note=f"p99 {_p99(times):.1f} ms")
    with _server(bench, "numbers-few") as few, _server(bench, "numbers-many") as many:
        for server, count in ((few, FEW), (many, MANY)):
            _numbers(bench, server, count)
        rooms = {server: _rooms(server) for server in (few, many)}
        clients = {server: Client(server) for server in (few, many)}
        over: list[float] = []
        under: list[float] = []
        taken: list[float] = []
        given: list[float] = []
        for number in bench.rounds(f"claims out of {MANY:,} numbers against {FEW:,}"):
            # Each in turn, so that both see the same machine; what is taken is given back.
            for server, rates in ((many, over), (few, under)) if number % 2 else ((few, under), (many, over)):
                times, back = _claims(clients[server], rooms[server])
                rates.append(1 / median(times))
                if server is many:
                    taken += [one * 1000 for one in times]
                    given += [one * 1000 for one in back]
        bench.ratio(f"claims of any number at {MANY:,} / at {FEW:,}", over, under, 0.9)
        bench.plain(f"claim of any number at {MANY:,}", taken, "ms", note=f"p99 {_p99(taken):.1f} ms")
        bench.plain(f"number given back at {MANY:,}", given, "ms", note=f"p99 {_p99(given):.1f} ms")


@contextlib.contextmanager
def _server(bench: Bench, name: str) -> Iterator[Server]:
    """A company whose server does not run until it is seeded; gone afterwards."""
    server = Server(bench.folder / name)
    try:
        server.init()
        yield server
    finally:
        server.remove()


def _database(server: Server) -> Database:
    return Database(f"sqlite:///{server.data / 'offhook.sqlite3'}")


def _p99(times: list[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def _chunks(count: int) -> Iterable[range]:
    return (range(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH))


def _people(bench: Bench, server: Server) -> None:
    """Users, the first of whom are operators of the primary office; then the server starts."""
    assert server.company is not None
    database, office = _database(server), int(server.company.office_id)
    principal, _ = owner(database, server.company_id)
    ids, at = Ids(63), clock.milliseconds(clock.now())
    for numbers_ in _chunks(USERS):
        bench.say(f"storing users: {numbers_.stop:,} of {USERS:,}")
        rows = [
            Kept(
                id=ids.new(),
                tenant_id=principal.tenant_id,
                created_at=at,
                updated_at=at,
                value=User(
                    office_id=office,
                    emails=(f"user{index}@example.com",),
                    first_name=f"First{index}",
                    last_name=f"Last{index}",
                    country="US",
                    timezone="America/Los_Angeles",
                ),
            )
            for index in numbers_
        ]
        with database.transaction() as tx:
            users.insert(tx, rows)
            if numbers_.start == 0:
                members = [
                    Operator(
                        tenant_id=principal.tenant_id,
                        group_type="office",
                        group_id=office,
                        member_type="user",
                        member_id=row.id,
                        seq=ids.new(),
                    )
                    for row in rows[:OPERATORS]
                ]
                operators.add(tx, members)
    database.close()
    server.start()


def _middle(bench: Bench, client: Client) -> str:
    cursor, seen = "", 0
    while seen < USERS // 2:
        _, page = client.send("GET", f"/api/v2/users?cursor={cursor}")
        cursor, seen = page["cursor"], seen + len(page["items"])
    return cursor


def _numbers(bench: Bench, server: Server, count: int) -> None:
    """An inventory of `count` numbers of the office's country, and as many lines as the claims need."""
    database = _database(server)
    principal, _ = owner(database, server.company_id)
    at = clock.milliseconds(clock.now())
    for chunk in _chunks(count):
        bench.say(f"storing numbers: {chunk.stop:,} of {count:,}")
        # All of one area, so that what its digits say is asked once.
        found = [f"+1415{2_000_000 + index:07}" for index in chunk]
        with database.transaction() as tx:
            like = numbers.described(found[0], at)
            rows = [msgspec.structs.replace(like, e164=number) for number in found]
            inventory.insert(tx, principal.tenant_id, "live", rows)
    with database.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE plans SET room_lines = 1000000")
    database.close()
    server.start()


def _rooms(server: Server) -> list[str]:
    client, office = Client(server), server.company.office_id if server.company else ""
    made = (client.send("POST", "/api/v2/rooms", {"name": f"R{i}", "office_id": office}) for i in range(CLAIMS))
    return [room["id"] for _, room in made]


def _claims(client: Client, rooms: list[str]) -> tuple[list[float], list[float]]:
    """Seconds of each claim of any free number, and of each return."""
    taken = [client.send("POST", f"/api/v2/rooms/{room}/assign_number", {}) for room in rooms]
    back = [
        client.send("POST", f"/api/v2/rooms/{room}/unassign_number", {"number": answer["number"]})
        for room, (_, answer) in zip(rooms, taken, strict=True)
    ]
    return [took for took, _ in taken], [took for took, _ in back]
