"""A start with a key whose answer is lost, asked for again: by one request, and only once it would have been found."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from offhook.access.doing import Doing
from offhook.access.idempotency import Claim
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Conflict, Unavailable
from offhook.kit.ids import Ids
from offhook.kit.operation import Reply
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Database
from offhook.workflows.machine.model import Found
from offhook.workflows.remote.starting import Starting
from offhook.workflows.runs import wire

BEGUN = 1_800_000_000_000
SECOND = 1_000


class Server:
    """Where runs are started: what it has begun, and what it shows of that."""

    def __init__(self) -> None:
        self.begun: list[dict[str, Any]] = []
        self.shows = False
        self.looked: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)
        self.away = self.answer_lost = False
        self.now = BEGUN

    async def correlated(self, _name: str, _correlation: str) -> list[dict[str, Any]]:
        await self.looked()
        return self.begun if self.shows else []

    async def start(self, _name: str, _version: int, given: Any, _correlation: str, key: str) -> str:
        if self.away:
            raise Unavailable("Nobody there.")
        id = f"{len(self.begun):032x}"
        self.begun.append({"workflowId": id, "input": given, "idempotencyKey": key, "createTime": self.now})
        if self.answer_lost:
            raise Unavailable("The line broke.")
        return id


class Asking:
    """Requests with one key, each at a moment of its own."""

    def __init__(self, database: Database) -> None:
        self.writer, self.reader, self.ids, self.server = Writer(database), Reader(database), Ids(1), Server()
        work = Doing(writer=self.writer, reader=self.reader, ids=self.ids, cursors=Cursors("secret"))
        self.starting = Starting(work, None, self.server)  # type: ignore[arg-type]

    async def at(self, seconds: int) -> Reply:
        at = BEGUN + seconds * SECOND
        self.server.now = at
        body, who = wire.StartIn(workflow="w", input={"a": 1}), SimpleNamespace(tenant_id=7)
        call: Any = SimpleNamespace(body=body, notices=[], principal=who)
        return await self.starting._once(call, Claim(self.ids.new(), b"d" * 32, b"f", at, 10**9), Found("w", 1, "x"))

    async def refused(self, seconds: int) -> Unavailable:
        with pytest.raises(Unavailable) as refusal:
            await self.at(seconds)
        return refusal.value

    async def close(self) -> None:
        await self.writer.close()
        self.reader.close()


@pytest.fixture
def asking(database: Database, runner: asyncio.Runner) -> Iterator[Asking]:
    async def make() -> Asking:
        return Asking(database)

    made = runner.run(make())
    yield made
    runner.run(made.close())


def test_a_start_that_was_asked_for_again_has_its_whole_time_to_be_found(asking: Asking, runner: asyncio.Runner):
    async def story() -> None:
        server = asking.server
        server.away = True
        await asking.refused(0)
        server.away, server.answer_lost = False, True
        await asking.refused(70)
        server.answer_lost = False
        again = await asking.refused(71)
        assert dict(again.headers)["Retry-After"] == "60"
        assert len(server.begun) == 1
        server.shows = True
        await asking.at(72)
        assert len(server.begun) == 1

    runner.run(story())


def test_of_two_that_ask_again_one_starts_it(asking: Asking, runner: asyncio.Runner):
    async def story() -> None:
        server = asking.server
        server.away = True
        await asking.refused(0)
        server.away = False
        both = asyncio.Barrier(2)
        server.looked = both.wait
        answers = await asyncio.gather(asking.at(70), asking.at(71), return_exceptions=True)
        assert [type(one) for one in answers if isinstance(one, Exception)] == [Unavailable]
        assert len(server.begun) == 1
        assert (await asking.at(72)).headers == ((b"offhook-replayed", b"true"),)

    runner.run(story())


def test_what_was_started_first_is_found_though_it_was_asked_for_again(asking: Asking, runner: asyncio.Runner):
    async def story() -> None:
        server = asking.server
        server.answer_lost = True
        await asking.refused(0)
        server.away = True
        await asking.refused(70)
        server.away, server.shows = False, True
        await asking.at(200)
        assert len(server.begun) == 1

    runner.run(story())


def test_a_start_that_is_refused_late_leaves_the_key_to_who_asked_again(asking: Asking, runner: asyncio.Runner):
    async def story() -> None:
        server, let, start = asking.server, asyncio.Event(), asking.server.start
        held = asyncio.Event()

        async def refused(*_: Any) -> str:
            held.set()
            await let.wait()
            raise Conflict("Not today.")

        server.start = refused  # type: ignore[assignment, method-assign]
        slow = asyncio.ensure_future(asking.at(0))
        await held.wait()
        server.start, server.answer_lost = start, True  # type: ignore[method-assign]
        await asking.refused(70)
        let.set()
        with pytest.raises(Conflict):
            await slow
        await asking.refused(71)
        assert len(server.begun) == 1

    runner.run(story())
