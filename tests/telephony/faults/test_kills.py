"""A process is killed in the middle of calls: they end in their records with the cause, and the next call works."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from offhook.calls.tapes import keeping
from offhook.kit import clock
from offhook.telephony import port
from offhook.telephony.process import BEAT_SECONDS
from offhook.telephony.worker.media import HUNG
from tests.telephony.faults.stage import TONE, Line, Stage, sound_process, within

MAIN, SALES, BOX = "office Head office", "department Head office/Sales", "department Head office/Box"
TAPED = "callcenter Head office/Taped"


async def rings(stage: Stage) -> Line:
    caller = stage.call(SALES)
    for who in ("ann", "bob"):
        await stage.desks[who].called()
    await caller.gets("180 INVITE")
    return caller


async def in_the_menu(stage: Stage) -> Line:
    caller = stage.call(MAIN)
    await within(caller.up)
    await caller.hears_anything()
    return caller


async def talks(stage: Stage) -> Line:
    caller = stage.call(SALES)
    bob = await stage.desks["bob"].called()
    bob.answer()
    await stage.connected(caller, bob)
    return caller


async def talks_on_tape(stage: Stage) -> Line:
    caller = stage.call(TAPED)
    bobby = await stage.desks["bobby"].called()
    bobby.answer()
    await stage.connected(caller, bobby)
    await stage.recorded()
    return caller


async def leaves_a_message(stage: Stage) -> Line:
    caller = stage.call(BOX)
    await caller.hears(TONE)
    await stage.recorded()
    return caller


PHASES: dict[str, tuple[Callable[[Stage], Awaitable[Line]], str]] = {
    "while it rings": (rings, "while it rang"),
    "in the menu": (in_the_menu, "in the menu"),
    "while two talk": (talks, "after the talk"),
    "while two talk on tape": (talks_on_tape, "after the talk"),
    "while a message is left": (leaves_a_message, "at the voicemail"),
}


async def next_call(stage: Stage) -> None:
    """A call as any other, of telephones that have not registered again."""
    stage.forget()
    while (caller := stage.call(SALES)) is not None:
        await within(caller.begun)
        if caller.code != 503:
            break
    bob = await stage.desks["bob"].called()
    bob.answer()
    await stage.connected(caller, bob)
    caller.hang_up()
    await within(bob.down)
    record = await stage.record()
    assert record.outcome == "answered", record.texts
    await stage.empty()


async def look_later(stage: Stage) -> None:
    """Housekeeping, once nobody has written to what is left for long enough."""
    tapes = stage.offhook.tapes
    before, tapes._wall = tapes._wall, lambda: clock.wall() + keeping.ABANDONED_SECONDS + 1
    try:
        await tapes.look()
    finally:
        tapes._wall = before


def phases(quick: str) -> list[object]:
    """All of them, of which every run tries one."""
    return [pytest.param(one, marks=() if one == quick else pytest.mark.long) for one in PHASES]


@pytest.mark.parametrize("phase", phases("while two talk"))
def test_the_worker_is_killed(stage: Stage, phase: str) -> None:
    async def story() -> None:
        reach, where = PHASES[phase]
        await reach(stage)
        carries = sound_process(stage.worker.pid)
        starts, ready = stage.worker.starts, stage.worker.ready
        os.kill(stage.worker.pid, signal.SIGKILL)
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("lost", "cut_off")
        assert record.texts[-1] == f"The call was cut off {where}: {port.DIED}."
        await stage.until(lambda: stage.worker.ready is not ready and stage.worker.ready.done())
        assert stage.worker.starts == starts + 1
        # Its process of sound has nobody left to speak for, and writes what was recorded before it goes.
        await stage.until(lambda: not Path(f"/proc/{carries}").exists())
        await look_later(stage)
        kept = [len(await stage.tapes(kind, record.id)) for kind in ("voicemails", "recordings")]
        assert kept == [reach is leaves_a_message, reach is talks_on_tape]
        await stage.outside.known()
        await next_call(stage)

    stage.play(story())


@pytest.mark.parametrize("phase", phases("while two talk"))
def test_the_process_of_sound_is_killed(stage: Stage, phase: str) -> None:
    async def story() -> None:
        reach, _ = PHASES[phase]
        caller = await reach(stage)
        carries = sound_process(stage.worker.pid)
        os.kill(carries, signal.SIGKILL)
        await within(caller.down)
        record = await stage.record()
        if reach is leaves_a_message:
            assert (record.outcome, record.reasons[-1]) == ("voicemail", "message_left")
            assert len(await stage.tapes("voicemails", record.id)) == 1
        else:
            assert record.outcome in ("lost", "failed")
            assert port.CUT in record.texts[-1]
        if reach is talks_on_tape:
            await stage.until(lambda: not any(stage.offhook.tapes._folder.glob("*")))
            assert len(await stage.tapes("recordings", record.id)) == 1
        await stage.until(lambda: sound_process(stage.worker.pid) not in (0, carries))
        await next_call(stage)

    stage.play(story())


@pytest.mark.long
@pytest.mark.parametrize("phase", ["while two talk", "while two talk on tape"])
def test_the_worker_hangs(stage: Stage, phase: str) -> None:
    """In those phases that last: the house's clock goes on meanwhile, and ten times as fast."""

    async def story() -> None:
        reach, where = PHASES[phase]
        await reach(stage)
        carries = sound_process(stage.worker.pid)
        starts, hangs, ready = stage.worker.starts, stage.worker.hangs, stage.worker.ready
        stage.worker.beat = 0.4
        try:
            os.kill(stage.worker.pid, signal.SIGSTOP)
            record = await stage.record()
        finally:
            stage.worker.beat = BEAT_SECONDS
        assert (record.outcome, record.reasons[-1]) == ("lost", "cut_off")
        assert record.texts[-1] == f"The call was cut off {where}: {port.DIED}."
        await stage.until(lambda: stage.worker.ready is not ready and stage.worker.ready.done())
        assert (stage.worker.starts, stage.worker.hangs) == (starts + 1, hangs + 1)
        await stage.until(lambda: not Path(f"/proc/{carries}").exists())
        await look_later(stage)
        await stage.outside.known()
        await next_call(stage)

    stage.play(story())


@pytest.mark.long
def test_the_process_of_sound_hangs(stage: Stage) -> None:
    async def story() -> None:
        caller = await talks(stage)
        carries = sound_process(stage.worker.pid)
        os.kill(carries, signal.SIGSTOP)
        async with asyncio.timeout(2 * HUNG):
            await caller.down.wait()
        record = await stage.record()
        assert record.outcome in ("lost", "failed")
        assert port.CUT in record.texts[-1]
        await stage.until(lambda: sound_process(stage.worker.pid) not in (0, carries))
        await next_call(stage)

    stage.play(story())


@pytest.mark.long
def test_a_worker_that_does_not_come_up_is_started_over_and_over(stage: Stage) -> None:
    async def story() -> None:
        for _ in range(2):
            ready, pid = stage.worker.ready, stage.worker.pid
            os.kill(pid, signal.SIGKILL)
            await stage.until(lambda: stage.worker.pid != pid)  # noqa: B023
            os.kill(stage.worker.pid, signal.SIGKILL)
            await stage.until(lambda: stage.worker.ready is not ready and stage.worker.ready.done())  # noqa: B023
        await stage.outside.known()
        await next_call(stage)

    stage.play(story())


@pytest.mark.long
def test_a_caller_whose_worker_is_gone_before_anything_was_decided_has_a_record(stage: Stage) -> None:
    async def story() -> None:
        stage.call(SALES)
        await stage.until(lambda: stage.worker.legs > 0)
        ready = stage.worker.ready
        os.kill(stage.worker.pid, signal.SIGKILL)
        record = await stage.record()
        assert record.outcome == "lost"
        await stage.until(lambda: stage.worker.ready is not ready and stage.worker.ready.done())
        await stage.outside.known()
        await next_call(stage)

    stage.play(story())


def test_calls_end_with_the_server_that_has_them(stage: Stage) -> None:
    """At a stop, which is not told of as a caller who hung up. It is the last of the file: nobody answers after it."""

    async def story() -> None:
        caller = await talks(stage)
        ids = await stage.ids_under_way()
        await asyncio.gather(stage.offhook.telephones.close(), within(caller.down))
        await stage.offhook.calls.over(int(ids[0]))
        record = await stage.record_of(ids[0])
        assert (record.outcome, record.reasons[-1]) == ("answered", "cut_off")
        assert record.texts[-1] == "The call was cut off after the talk: the server stopped."

    stage.play(story())
