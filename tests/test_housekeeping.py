"""What is done now and then goes on, whatever went wrong the time before."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from offhook import app
from offhook.access import store as access_store
from offhook.app import Offhook
from offhook.kit import looking
from offhook.kit.errors import Unavailable
from offhook.kit.settings import Settings
from offhook.storage import served
from offhook.storage.database import Statement
from offhook.storage.served import Place


def test_housekeeping_outlives_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app, "HOUSEKEEPING_SECONDS", 0.0)

    async def story() -> None:
        offhook = Offhook(Settings(data=str(tmp_path), access_log=False))
        again, rounds = asyncio.Event(), 0

        async def forget() -> int:
            nonlocal rounds
            rounds += 1
            if rounds == 1:
                raise ValueError("what nobody thought of")
            again.set()
            return 0

        monkeypatch.setattr(offhook.workflows.records, "forget", forget)
        async with offhook.running(serving=False):
            await asyncio.wait_for(again.wait(), 5)

    asyncio.run(story())


def test_a_step_that_always_fails_keeps_no_other_from_being_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app, "HOUSEKEEPING_SECONDS", 0.0)

    async def story() -> None:
        offhook = Offhook(Settings(data=str(tmp_path), access_log=False))
        runs, replies = asyncio.Event(), asyncio.Event()

        async def never() -> None:
            raise PermissionError("a file of somebody else")

        async def put_off() -> None:
            raise Unavailable("Not now.")

        async def forget() -> int:
            runs.set()
            return 0

        def forget_replies(*_: object) -> int:
            loop.call_soon_threadsafe(replies.set)
            return 0

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(offhook.sessions, "forget", put_off)
        monkeypatch.setattr(offhook.tapes, "look", never)
        monkeypatch.setattr(offhook.workflows.records, "forget", forget)
        monkeypatch.setattr(access_store, "forget_replies", forget_replies)
        with capture_logs() as logs:
            async with offhook.running(serving=False):
                await asyncio.wait_for(asyncio.gather(runs.wait(), replies.wait()), 5)
        told = {(line["event"], line["step"]) for line in logs if line["event"].startswith("housekeeping")}
        assert told == {("housekeeping_put_off", "sessions"), ("housekeeping_failed", "tapes")}

    asyncio.run(story())


def test_a_place_that_could_not_be_noted_is_noted_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0.0)

    async def story() -> None:
        offhook = Offhook(Settings(data=str(tmp_path), access_log=False))
        offhook.place = Place(offhook.database, offhook.slot, offhook.settings, 1)
        again, tries, keep = asyncio.Event(), 0, offhook.place.keep
        loop = asyncio.get_running_loop()

        def fails_twice() -> None:
            nonlocal tries
            tries += 1
            if tries < 3:
                raise Unavailable("The store is away.")
            keep()
            loop.call_soon_threadsafe(again.set)

        monkeypatch.setattr(offhook.place, "keep", fails_twice)
        async with offhook.running(serving=False):
            await asyncio.wait_for(again.wait(), 5)
            found = served.found(offhook.database)
            assert found is not None
            assert found.now

    asyncio.run(story())


def test_a_server_that_got_another_slot_takes_runs_on_in_that(tmp_path: Path):
    async def story() -> None:
        offhook = Offhook(Settings(data=str(tmp_path), access_log=False))
        offhook.slot.number = 9
        async with offhook.running(serving=False):
            await offhook.workflows.engine.enlist()
            slots = await offhook.reader.run(lambda tx: tx.all(Statement("SELECT slot FROM workflow_workers")))
        assert [row[0] for row in slots] == [9]

    asyncio.run(story())
