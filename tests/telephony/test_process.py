"""The SIP worker's process, as the server keeps it."""

import asyncio
import os
import socket
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.telephony import port, process
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


def test_one_that_cannot_listen_says_so_each_time_and_is_there_once_it_can(capfd: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []

    async def story() -> tuple[int, Any]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            number = other.getsockname()[1]
            twice = asyncio.Event()

            async def pause(seconds: float) -> None:
                pauses.append(seconds)
                if len(pauses) == 2:
                    twice.set()
                    other.close()

            worker = Worker(("--listen", f"127.0.0.1:{number}"), nobody, sleep=pause)
            keeping = asyncio.create_task(worker.keep())
            async with asyncio.timeout(30):
                ready = await worker.ready
                assert twice.is_set()
                await worker.close()
            await keeping
            return number, ready

    with capture_logs() as logs:
        number, ready = asyncio.run(story())
    assert ready.address == ("127.0.0.1", number)
    assert pauses == list(process.PAUSES[1:3])
    faults = [line["what"] for line in logs if line["event"] == "telephone_fault"]
    assert len(faults) == 2
    assert all(f"127.0.0.1:{number}" in fault and "in use" in fault for fault in faults)
    assert [line["after"] for line in logs if line["event"] == "telephone_process_ended"] == pauses
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
