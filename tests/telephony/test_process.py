"""The SIP worker's process, as the server keeps it."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.telephony import port, process
from offhook.telephony.process import ENDED, Worker, environment
from offhook.telephony.share import Share


async def nobody(_event: port.Event) -> None:
    """Hears what is no leg's."""


def test_who_closes_it_waits_until_it_has_ended() -> None:
    async def story() -> None:
        worker = Worker(("--listen", "127.0.0.1:0"), nobody)
        keeping = asyncio.create_task(worker.keep())
        async with asyncio.timeout(20):
            starting = [worker.starting]
            await worker.ready
            starting.append(worker.starting)
            await worker.close()
        assert starting == [True, False]
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
    kept = {**process.MALLOC, **os.environ}
    assert all(given[name] == kept[name] for name in given)


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


def test_a_company_has_its_share_of_legs_and_others_have_theirs() -> None:
    async def story() -> None:
        worker = Worker((), nobody)
        told: list[port.Command] = []
        worker.tell = lambda command: told.append(command)  # type: ignore[method-assign]
        heard: list[port.Event] = []
        full: list[tuple[int, int]] = []
        mine, theirs = (Share(worker, tenant, 2, lambda *of: full.append(of)) for tenant in (1, 2))

        def dial(share: Share, trunk: int = 0) -> int:
            leg = share.new_leg(heard.append)
            share.tell(port.Dial(leg=leg, caller=1, uri="sip:a@b", address=("127.0.0.1", 9), trunk=trunk))
            return leg

        first, second, third = dial(mine), dial(mine), dial(mine)
        outside, other = dial(mine, trunk=3), dial(theirs)
        assert [one.leg for one in told if isinstance(one, port.Dial)] == [first, second, outside, other]
        assert heard == []
        assert full == [(1, 2)]
        await asyncio.sleep(0)
        assert heard == [port.Down(leg=third, code=503, cause="failed", ours=True)]
        # It is counted until it is over, whoever is told of it.
        mine.hold(first, lambda _: None)
        worker._hear(port.Down(leg=first))
        assert dial(mine) == told[-1].leg  # type: ignore[union-attr]
        assert dial(mine) != told[-1].leg  # type: ignore[union-attr]
        worker.let_go(second)
        assert dial(mine) == told[-1].leg  # type: ignore[union-attr]
        worker._all_down()
        assert worker.dialled_of(1) == worker.dialled_of(2) == 0
        assert not worker._dialled

    asyncio.run(story())


def test_who_is_gone_before_anybody_holds_the_leg_is_told_so_to_whoever_does() -> None:
    """A caller may be gone in the same moment in which they came: both are read at once."""

    async def story() -> None:
        worker = Worker((), nobody)
        heard: list[port.Event] = []
        came, down = port.Incoming(leg=1, caller="", dialled="", source=("127.0.0.1", 5060)), port.Down(leg=1, code=487)
        worker._hear(came)
        worker._hear(port.Key(1, "5"))
        worker._hear(down)
        assert worker.legs == 1
        worker.hold(1, heard.append)
        assert heard == [port.Key(1, "5"), down]
        assert worker.legs == 0

    asyncio.run(story())


def test_a_leg_that_nobody_holds_is_over_with_the_worker() -> None:
    async def story() -> None:
        worker = Worker((), nobody)
        heard: list[port.Event] = []
        for leg in (1, 3):
            worker._hear(port.Incoming(leg=leg, caller="", dialled="", source=("127.0.0.1", 5060)))
        worker._hear(port.Figures(legs=2))
        worker._all_down()
        assert worker.figures.legs == 0
        worker.hold(1, heard.append)
        worker.let_go(3)
        assert heard == [port.Down(leg=1, cause=port.DIED)]
        assert worker.legs == 0

    asyncio.run(story())


def test_whoever_takes_a_leg_that_is_over_is_told_how_it_ended_and_holds_nothing() -> None:
    async def story() -> None:
        worker = Worker((), nobody)
        heard: list[port.Event] = []
        leg, other = worker.new_leg(heard.append), worker.new_leg(heard.append)
        for event in (port.Up(leg), down := port.Down(leg=leg, code=487, cause="gone")):
            worker._hear(event)
        worker._all_down()
        heard.clear()
        for one in (leg, other, 99):
            worker.hold(one, heard.append)
        assert (heard, worker.legs) == ([], 0), "not while somebody is still at it"
        await asyncio.sleep(0)
        assert heard == [down, port.Down(leg=other, cause=port.DIED), port.Down(leg=99)]
        for one in range(101, 101 + 2 * ENDED, 2):
            worker._hear(port.Down(leg=one))
        assert len(worker._ended) == ENDED

    asyncio.run(story())


def test_one_that_cannot_listen_says_so_each_time_and_is_there_once_it_can(capfd: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []
    starting: list[bool] = []

    async def story() -> tuple[int, Any]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            number = other.getsockname()[1]
            twice = asyncio.Event()

            async def pause(seconds: float) -> None:
                pauses.append(seconds)
                starting.append(worker.starting)
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
    assert starting == [False, False]
    faults = [line["what"] for line in logs if line["event"] == "telephone_fault"]
    assert len(faults) == 2
    assert all(f"127.0.0.1:{number}" in fault and "in use" in fault for fault in faults)
    assert [line["after"] for line in logs if line["event"] == "telephone_process_ended"] == pauses
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_what_is_told_is_heard_at_once_and_in_whole_messages() -> None:
    async def story() -> None:
        heard: list[port.Event] = []
        line = process._Line(lambda _: None, heard.append)
        ready, key = port.Ready(address=("127.0.0.1", 5060), media="plain"), port.Key(1, "5")
        content = port.framed(ready) + port.framed(key)
        line.data_received(content[:-1])
        assert heard == [ready]
        assert line.ready.done()
        line.data_received(content[-1:])
        assert heard == [ready, key]
        line.connection_lost(None)
        assert await line.over is None  # type: ignore[func-returns-value]

    asyncio.run(story())


def test_behind_what_cannot_be_read_nothing_is_heard() -> None:
    async def story() -> None:
        heard: list[port.Event] = []
        line = process._Line(lambda _: None, heard.append)
        line.data_received(b"\xff\xff\xff\xff")
        line.data_received(port.framed(port.Key(1, "5")))
        assert heard == []
        line.connection_lost(OSError("gone"))
        with pytest.raises(ValueError, match="longer"):
            await line.over
        other = process._Line(lambda _: None, heard.append)
        other.connection_lost(OSError("gone"))
        with pytest.raises(OSError, match="gone"):
            await other.over
        closed = process._Line(lambda _: None, heard.append)
        closed.closed = True
        closed.data_received(port.framed(port.Key(1, "5")))
        closed.connection_lost(OSError("gone"))
        await closed.over
        assert heard == []

    asyncio.run(story())


def test_a_fault_of_who_holds_a_leg_is_nobody_elses() -> None:
    def broken(_: port.Event) -> None:
        raise KeyError("a fault of ours")

    async def story() -> None:
        heard: list[port.Event] = []
        worker = Worker((), nobody)
        line = process._Line(lambda _: None, worker._hear)
        first, second, third = worker.new_leg(broken), worker.new_leg(heard.append), worker.new_leg(heard.append)
        worker._taped["/a.wav"] = broken
        recorded = port.Recorded(leg=first, path="/a.wav", seconds=1.0)
        for event in (port.Up(first), recorded, port.Up(second), port.Down(leg=first)):
            line.data_received(port.framed(event))
        assert heard == [port.Up(second)]
        assert not line.over.done()
        worker._legs[first], worker._taped["/b.wav"] = broken, broken
        worker._all_down()
        assert heard[1:] == [port.Down(leg=second, cause=port.DIED), port.Down(leg=third, cause=port.DIED)]
        assert worker.legs == 0

    with capture_logs() as logs:
        asyncio.run(story())
    assert [line["event"] for line in logs] == ["event_not_taken"] * 5


def test_who_was_turned_away_stands_in_the_log_with_how_many_more_there_were() -> None:
    async def story() -> None:
        worker = Worker((), nobody)
        with capture_logs() as logs:
            worker._hear(port.TurnedAway(
                source=("203.0.113.9", 5062), username="anna", method="REGISTER", cause="wrong password", more=3
            ))  # fmt: skip
        assert logs == [{
            "event": "telephone_turned_away", "log_level": "warning", "source": "203.0.113.9:5062", "username": "anna",
            "method": "REGISTER", "cause": "wrong password", "more": 3,
        }]  # fmt: skip

    asyncio.run(story())


def test_nobody_is_dialled_while_there_is_no_worker_and_who_would_be_is_told_so() -> None:
    async def story() -> None:
        heard: list[port.Event] = []
        worker = Worker((), nobody)
        leg = worker.new_leg(heard.append)
        Share(worker, 1, 2, lambda *_: None).tell(port.Dial(leg=leg, caller=1, uri="sip:a@b", address=("127.0.0.1", 9)))
        await asyncio.sleep(0)
        assert heard == [port.Down(leg=leg, code=503, cause="failed", ours=True)]
        assert (worker.legs, worker.dialled_of(1)) == (0, 0)

    asyncio.run(story())


def test_whatever_keeps_it_from_being_started_it_is_tried_again_and_numbers_nothing_as_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, faults = asyncio.create_subprocess_exec, [OSError(24, "Too many open files"), RuntimeError("no thread")]
    pauses: list[float] = []
    killed = asyncio.Event()

    async def starting(*arguments: Any, **more: Any) -> Any:
        if faults:
            raise faults.pop()
        return await start(*arguments, **more)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if seconds == process.PAUSES[0]:
            killed.set()

    def first(worker: Worker) -> int:
        given = Path(f"/proc/{worker.pid}/cmdline").read_bytes().split(b"\0")
        return int(given[given.index(b"--first") + 1])

    monkeypatch.setattr(asyncio, "create_subprocess_exec", starting)

    async def story() -> None:
        worker = Worker(("--listen", "127.0.0.1:0", "--media", "plain"), nobody, sleep=pause)
        keeping = asyncio.create_task(worker.keep())
        async with asyncio.timeout(30):
            await worker.ready
            assert pauses == list(process.PAUSES[1:3])
            before = first(worker)
            os.kill(worker.pid, signal.SIGKILL)
            await killed.wait()
            await worker.ready
            assert (before, first(worker)) == (0, process.EACH)
            await worker.close()
        await keeping

    with capture_logs() as logs:
        asyncio.run(story())
    assert [line["event"] for line in logs].count("telephone_process_failed") == 2


def test_one_that_answers_goes_on_and_one_that_answers_none_of_five_questions_hangs() -> None:
    async def attended(answers: int, most: int) -> tuple[int, int]:
        """Questions, and how often it hung: it answers so many, and is over with question `most`."""
        worker = Worker((), nobody, beat=0.0)
        line = process._Line(lambda _: None, worker._hear)
        asked = 0

        def tell(command: port.Command) -> None:
            nonlocal asked
            assert command == port.Ping()
            asked += 1
            if asked <= answers:
                line.data_received(port.framed(port.Pong()))
            if asked == most:
                line.connection_lost(None)

        worker.tell = lambda command: tell(command)  # type: ignore[method-assign]
        async with asyncio.timeout(5):
            await worker._attend(line)
        return asked, worker.hangs

    with capture_logs() as logs:
        assert asyncio.run(attended(answers=100, most=20)) == (20, 0)
        assert logs == []
        assert asyncio.run(attended(answers=3, most=20)) == (3 + process.UNANSWERED, 1)
    assert [line["event"] for line in logs] == ["telephone_process_hung"]


def test_one_that_lives_and_answers_nothing_is_ended_as_if_it_had_died_and_the_next_one_answers() -> None:
    async def story() -> None:
        worker = Worker(("--listen", "127.0.0.1:0", "--media", "plain"), nobody, beat=0.4)
        answers, there, down, told = asyncio.Event(), [], asyncio.Event(), asyncio.Event()

        def watch(event: port.Event) -> None:
            if isinstance(event, port.Pong):
                answers.set()

        def over(event: port.Event) -> None:
            there.append(event)
            # The next one has all the time of the world.
            worker.beat = process.BEAT_SECONDS
            down.set()

        worker.watch = watch
        worker.new_leg(over)
        keeping = asyncio.create_task(worker.keep())
        async with asyncio.timeout(30):
            await worker.ready
            await answers.wait()
            stopped, ready = worker.pid, worker.ready
            os.kill(stopped, signal.SIGSTOP)
            await down.wait()
            assert there == [port.Down(leg=2, cause=port.DIED)]
            with pytest.raises(ProcessLookupError):
                os.kill(stopped, 0)
            assert worker.ready is not ready
            await worker.ready
            leg = worker.new_leg(lambda _: told.set())
            worker.tell(port.Dial(leg=leg, caller=0, uri="none", address=("127.0.0.1", 9)))
            await told.wait()
            assert (worker.starts, worker.hangs) == (2, 1)
            await worker.close()
        await keeping

    with capture_logs() as logs:
        asyncio.run(story())
    said = [(line["event"], line.get("seconds"), line.get("after")) for line in logs if line["log_level"] == "error"]
    assert said == [("telephone_process_hung", 2.0, None), ("telephone_process_ended", None, process.PAUSES[0])]
