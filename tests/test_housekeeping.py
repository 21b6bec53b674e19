"""What is done now and then goes on, whatever went wrong the time before."""

import asyncio
from pathlib import Path

import pytest

from offhook import app
from offhook.app import Offhook
from offhook.kit.settings import Settings


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
