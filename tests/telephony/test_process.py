"""The SIP worker's process, as the server keeps it."""

import asyncio
import os
from pathlib import Path

import pytest

from offhook.telephony import port
from offhook.telephony.process import Worker, environment


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


def test_what_the_settings_hold_is_not_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_CREDENTIALS_KEYS", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    given = environment()
    assert given["LANG"] == "C.UTF-8"
    assert "secret" not in given.values()
    assert all(given[name] == os.environ[name] for name in given)


def test_a_worker_has_all_carriers_however_many_there_are_and_none_of_our_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OFFHOOK_CREDENTIALS_KEYS", "secret")
    # As many as would not go into one message.
    places = tuple((f"198.{one}.0.0/24", 5060) for one in range(16))
    trunks = tuple(port.Trunk(id=number, addresses=places, domain="d" * 200) for number in range(3000))
    assert len(port.framed(port.Configure(trunks=trunks))) > port.MOST

    async def story() -> None:
        worker = Worker(("--listen", "127.0.0.1:0", "--media", "plain"), nobody)
        worker.configure(port.Configure(trunks=trunks))
        keeping = asyncio.create_task(worker.keep())
        told = asyncio.Event()
        leg = worker.new_leg(lambda _: told.set())
        async with asyncio.timeout(30):
            await worker.ready
            worker.tell(port.Dial(leg=leg, caller=0, uri="none", address=("127.0.0.1", 9)))
            await told.wait()
            assert worker.starts == 1
            given = await asyncio.to_thread(Path(f"/proc/{worker.pid}/environ").read_bytes)
            assert b"PATH=" in given
            assert b"OFFHOOK_" not in given
            await worker.close()
        assert keeping.done()

    asyncio.run(story())


def test_one_that_was_never_started_is_closed_at_once() -> None:
    async def story() -> None:
        async with asyncio.timeout(1):
            await Worker((), nobody).close()

    asyncio.run(story())
