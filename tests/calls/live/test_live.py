"""Calls under way, of all processes of a company: where each is in words, told to who watches as it changes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from offhook.access import store as access
from offhook.access.model import Principal
from offhook.access.service import create_key
from offhook.calls import store
from offhook.calls.live import watching
from offhook.calls.live.watching import Watching
from offhook.calls.live.wire import WatchQuery
from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.kit.operation import Call
from offhook.routing.board import WAIT_SECONDS
from offhook.routing.plan import Answered, Ended, HungUp, Outgoing, Reserve, Ring
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, CALLER, LISBON, SALES, Phone, Process, lisbon, sales, talks

LIVE = "/api/offhook/v1/calls/live"


class Room:
    """Who watches the calls of a process' company."""

    def __init__(self, process: Process, later: float = 0.0) -> None:
        self.process = process
        self.watching = Watching(
            process.desk.offhook.reader, process._company, sleep=self._sleep, wall=lambda: process.time() + later
        )
        self._turn, self._rests = asyncio.Event(), asyncio.Event()
        self.looks = 0

    async def _sleep(self, _seconds: float) -> None:
        """A second is over when the test says so."""
        self.looks += 1
        self._rests.set()
        self._turn.clear()
        await self._turn.wait()

    def look(self) -> None:
        self._turn.set()

    async def looked(self) -> None:
        """One look, to its end."""
        self._rests.clear()
        self._turn.set()
        await self._rests.wait()

    def call(self, seconds: int = 3_600, key: int = 0) -> Call:
        company = self.process.company
        principal = Principal(
            tenant_id=self.process.tenant, company_id=company.id, environment="live", key_id=key, key_name="",
            scopes=frozenset({"admin"}),
        )  # fmt: skip
        return Call(principal=principal, params={}, query=WatchQuery(seconds=seconds))

    async def items(self) -> list[Any]:
        return list(msgspec.json.decode((await self.watching.now(self.call())).body)["items"])

    async def words(self) -> list[str]:
        return [one["words"] for one in await self.items()]

    async def watch(self, seconds: int = 3_600, key: int = 0) -> "Stream":
        reply = await self.watching.watch(self.call(seconds, key))
        assert reply.stream is not None
        return Stream(reply.stream)


class Stream:
    """A stream of server-sent events."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def next(self) -> tuple[str, Any]:
        """The next event and its data; a comment is told as its words."""
        while True:
            piece = (await asyncio.wait_for(anext(self._pieces), 10)).decode()
            if piece.startswith(":"):
                return "beat", piece[1:].strip()
            lines = dict(line.split(": ", 1) for line in piece.splitlines() if ": " in line)
            if "event" in lines:
                return lines["event"], msgspec.json.decode(lines["data"])

    async def words(self) -> list[str]:
        event, data = await self.next()
        assert event == "calls", data
        return [one["words"] for one in data["items"]]

    async def over(self) -> bool:
        try:
            await asyncio.wait_for(anext(self._pieces), 10)
        except StopAsyncIteration:
            return True
        return False

    async def close(self) -> None:
        await self._pieces.aclose()  # type: ignore[attr-defined]


def test_a_call_is_told_where_it_is_from_its_coming_in_to_its_end(company: Company):
    process = Process(company, *lisbon(ANA, BOB))

    async def story() -> None:
        room = Room(process)
        assert await room.items() == []
        id, phone = await process.rings()
        await phone.given(Ring)
        await process.settle()
        [one] = await room.items()
        assert (one["id"], one["words"], one["phase"]) == (str(id), "Ringing Ana Silva and Bob Stone", "ringing")
        assert (one["caller"], one["direction"], one["line"]["name"]) == (CALLER, "inbound", "Lisbon")
        assert [(who["name"], who["state"]) for who in one["people"]] == [
            ("Ana Silva", "ringing"), ("Bob Stone", "ringing")
        ]  # fmt: skip
        process.time.move(4)
        process.calls.happened(id, Answered(process.at, "user:2"))
        await process.settle()
        [one] = await room.items()
        assert (one["words"], [who["name"] for who in one["people"]]) == ("Talking with Bob Stone", ["Bob Stone"])
        assert one["since"] > one["began"]
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        assert await room.items() == []

    process.run(story())


def test_callers_who_wait_are_told_with_their_place_in_the_line(company: Company):
    process = Process(company, *sales(ANA))

    async def story() -> None:
        room = Room(process)
        await talks(process, SALES)
        for _ in range(2):
            process.time.move(1)
            _, phone = await process.rings(SALES)
            await phone.given(Reserve)
            await process.settle()
        # The latest call is in front, and waits behind the other one.
        assert await room.words() == [
            "Waiting for Sales, number 2 in line", "Waiting for Sales, number 1 in line", "Talking with Ana Silva",
        ]  # fmt: skip
        assert [one.get("position") for one in await room.items()] == [2, 1, None]

    process.run(story())


def test_a_place_in_the_line_counts_those_too_who_are_too_many_to_show(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "MOST_CALLS", 1)
    process = Process(company, *sales(ANA))

    async def story() -> None:
        room = Room(process)
        await talks(process, SALES)
        for _ in range(4):
            process.time.move(1)
            _, phone = await process.rings(SALES)
            await phone.given(Reserve)
            await process.settle()
        # Two calls are read of five, and three wait before the latest.
        assert await room.words() == ["Waiting for Sales, number 4 in line"]

    process.run(story())


def test_who_waits_in_a_process_that_is_not_heard_of_any_more_has_no_place_in_the_line(company: Company):
    process = Process(company, *sales(ANA))

    async def story() -> None:
        await talks(process, SALES)
        _, phone = await process.rings(SALES)
        await phone.given(Reserve)
        await process.settle()
        assert (await Room(process).words())[0] == "Waiting for Sales, number 1 in line"
        assert (await Room(process, later=WAIT_SECONDS + 1).words())[0] == "Waiting for Sales"

    process.run(story())


def test_a_call_out_of_the_house_says_who_calls_and_whom(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        phone = Phone()
        await process.calls.begin(process.tenant, Outgoing(process.at, "user:1", "+12125550100"), phone)
        await process.settle()
        [one] = await Room(process).items()
        assert (one["direction"], one["caller_name"], one["words"]) == (
            "outbound", "Ana Silva", "Calling +12125550100",
        )  # fmt: skip

    process.run(story())


def test_calls_of_another_process_are_there_and_those_of_another_company_are_not(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company.desk.found(), *lisbon(ANA))
    second = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        try:
            await second.rings()
            await second.settle()
            await other.rings()
            await other.settle()
            assert len(await Room(process).items()) == 1
            assert len(await Room(other).items()) == 1
        finally:
            await second.stop()
            await other.stop()

    process.run(story())


def test_who_watches_is_told_at_once_and_whenever_anything_has_changed(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        room = Room(process)
        one, two = await room.watch(), await room.watch()
        assert await one.words() == []
        assert await two.words() == []
        assert room.watching.watchers == 2
        id, phone = await process.rings()
        await phone.given(Ring)
        await process.settle()
        room.look()
        assert await one.words() == ["Ringing Ana Silva"]
        assert await two.words() == ["Ringing Ana Silva"]
        # Both were told by one look.
        assert room.looks <= 2
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.settle()
        room.look()
        assert await one.words() == []
        task = room.watching._watched[process.tenant].task
        assert task is not None
        await one.close()
        assert not task.cancelling()
        await two.close()
        assert (room.watching.watchers, room.watching._watched) == (0, {})
        await asyncio.wait({task}, timeout=10)
        assert task.cancelled(), "Nobody looks any more."

    process.run(story())


def test_without_news_a_watcher_is_told_that_the_connection_lasts(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "BEAT_SECONDS", 0.01)
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        stream = await Room(process).watch()
        # A store that takes longer than a beat comes behind some.
        while (told := await stream.next()) == ("beat", "still here"):
            pass
        assert told[0] == "calls"
        assert await stream.next() == ("beat", "still here")
        await stream.close()

    process.run(story())


def test_a_watcher_is_let_go_when_the_time_is_over_that_was_asked_for(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        stream = await Room(process).watch(seconds=0)
        assert await stream.words() == []
        assert await stream.next() == ("end", {})
        assert await stream.over()

    process.run(story())


def test_a_key_that_is_revoked_sees_no_more(company: Company):
    process = Process(company, *lisbon(ANA))
    key: int = company.key("calls:read").key_id  # type: ignore[attr-defined]

    async def story() -> None:
        room = Room(process)
        stream = await room.watch(key=key)
        await stream.words()
        await process.desk.offhook.writer.run(lambda tx: access.revoke(tx, key, 1))
        room.look()
        assert await stream.next() == ("gone", {})
        assert await stream.over()
        assert room.watching.watchers == 0

    process.run(story())


@pytest.mark.parametrize("seen", [True, False], ids=["seen good before", "never seen good"])
def test_a_key_that_was_made_just_now_watches_beside_others_until_it_is_revoked(company: Company, seen: bool):
    process = Process(company, *lisbon(ANA))
    writer = process.desk.offhook.writer

    async def story() -> None:
        room = Room(process)
        first = await room.watch()
        await first.words()
        made = await writer.run(lambda tx: create_key(
            tx, process.desk.ids, company_id=company.id, environment="live", name="new", scopes=("calls:read",)
        ))  # fmt: skip
        second = await room.watch(key=made.key.id)
        assert await second.words() == []
        if seen:
            await room.looked()
        await writer.run(lambda tx: access.revoke(tx, made.key.id, 1))
        for _ in range(1 if seen else 2):
            await room.looked()
        assert await second.next() == ("gone", {})
        await first.close()

    process.run(story())


@pytest.mark.parametrize("bound", ["A_KEY", "A_COMPANY", "MOST_WATCHERS"])
def test_no_more_watch_than_may(company: Company, monkeypatch: pytest.MonkeyPatch, bound: str):
    monkeypatch.setattr(watching, bound, 1)
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        room = Room(process)
        first = await room.watch()
        await first.words()
        second = await room.watch()
        event, said = await second.next()
        assert (event, "Too many" in said["message"]) == ("refused", True)
        assert await second.over()
        await first.close()
        third = await room.watch()
        assert await third.words() == []
        await third.close()

    process.run(story())


def test_watchers_are_sent_away_when_the_store_cannot_be_read_for_long(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watching, "MOST_AWAY", 2)
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        room = Room(process)
        stream = await room.watch()
        await stream.words()

        async def away(_function: Any) -> Any:
            raise Unavailable("The store cannot be reached.")

        monkeypatch.setattr(process.desk.offhook.reader, "run", away)
        going = asyncio.ensure_future(stream.next())
        while not going.done():
            room.look()
            await asyncio.sleep(0)
        monkeypatch.undo()
        assert going.result() == ("gone", {})
        await stream.close()

    process.run(story())


def test_only_so_many_are_told_and_the_rest_is_counted(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "MOST_CALLS", 1)
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        await process.rings(LISBON)
        await process.rings(LISBON)
        await process.settle()
        found = msgspec.json.decode((await Room(process).watching.now(Room(process).call())).body)
        assert (len(found["items"]), found["more"]) == (1, 1)

    process.run(story())


def test_a_company_with_many_calls_behind_it_costs_no_more_to_watch(embedded: Company):
    """By the index of what is under way, not through all that ever was."""
    with embedded.desk.offhook.database.reading() as tx:
        plan = tx.connection.exec_driver_sql("EXPLAIN QUERY PLAN " + store._LIVE.text(True), (1, 10)).all()
    assert any("ix_calls_until" in str(row) for row in plan), plan


def test_what_is_watched_is_so_by_the_time_that_it_is_whatever_the_first_watcher_pretends(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        room = Room(process)
        with clock.at(datetime(2020, 1, 1, tzinfo=UTC)):
            stream = await room.watch()
            _, data = await stream.next()
        assert datetime.fromisoformat(data["at"]) > clock.now() - timedelta(minutes=5)
        await stream.close()

    process.run(story())
