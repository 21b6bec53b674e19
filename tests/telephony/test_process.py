"""The SIP worker's process, as the server keeps it."""

import asyncio
import os

import pytest

from offhook.telephony import port
from offhook.telephony.process import Worker


async def nobody(_event: port.Event) -> None:
    """Hears what is no leg's."""


def test_who_closes_it_waits_until_it_has_ended() -> None:
    async def story() -> None:
        worker = Worker(("--listen", "127.0.0.1:0"), nobody)
        keeping = asyncio.create_task(worker.keep())
        async with asyncio.timeout(20):
            await worker.ready
            await worker.close()
        assert keeping.done()
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)

    asyncio.run(story())


def test_one_that_was_never_started_is_closed_at_once() -> None:
    async def story() -> None:
        async with asyncio.timeout(1):
            await Worker((), nobody).close()

    asyncio.run(story())
