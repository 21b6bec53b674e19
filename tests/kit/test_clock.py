import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone

from offhook.kit import clock

EVE = datetime(2026, 12, 24, 17, 59, 59, tzinfo=UTC)


def test_now_is_the_real_moment_in_utc():
    assert abs(clock.now().timestamp() - time.time()) < 5  # noqa: TID251 - the clock is what is tested
    assert clock.now().tzinfo is UTC


def test_a_block_runs_at_the_moment_that_is_set_and_no_longer():
    with clock.at(EVE):
        assert clock.now() == EVE
        with clock.at(EVE + timedelta(days=1)):
            assert clock.now() == EVE + timedelta(days=1)
        with clock.at(None):
            assert clock.now() == EVE
        assert clock.now() == EVE
    assert clock.now() != EVE


def test_the_moment_is_put_back_when_the_block_fails():
    try:
        with clock.at(EVE):
            raise ValueError
    except ValueError:
        pass
    assert clock.now() != EVE


def test_a_moment_set_with_an_offset_is_told_in_utc():
    with clock.at(datetime(2026, 12, 24, 18, 59, 59, tzinfo=timezone(timedelta(hours=1)))):
        assert clock.now() == EVE
        assert clock.now().tzinfo is UTC


def test_one_requests_moment_is_not_anothers():
    async def ask(moment: datetime) -> datetime:
        with clock.at(moment):
            await asyncio.sleep(0)
            return clock.now()

    async def both() -> list[datetime]:
        return list(await asyncio.gather(ask(EVE), ask(EVE + timedelta(hours=1))))

    assert asyncio.run(both()) == [EVE, EVE + timedelta(hours=1)]


def test_nobody_can_set_the_wall_clock_and_the_stopwatch():
    with clock.at(EVE):
        assert abs(clock.wall() - time.time()) < 5  # noqa: TID251 - the clock is what is tested
        assert abs(clock.monotonic() - time.monotonic()) < 5


def test_milliseconds_are_whole_and_since_1970():
    assert clock.milliseconds(EVE) == 1_798_135_199_000
    assert clock.milliseconds(EVE + timedelta(microseconds=1999)) == 1_798_135_199_001


def test_a_clock_that_goes_stands_until_it_is_started_and_is_as_fast_as_it_was_made():
    going = clock.Going(EVE, 1_000)

    async def passing() -> float:
        began, ticks = clock.now(), clock.ticks()
        await clock.sleep(20)
        assert clock.ticks() - ticks >= 20
        return (clock.now() - began).total_seconds()

    async def inside() -> tuple[float, float]:
        with clock.going(going):
            stood = await passing()
            going.start()
            task = asyncio.ensure_future(passing())
        assert clock.now() != going.now()
        return stood, await task

    stood, went = asyncio.run(inside())
    assert stood == 0
    assert 20 <= went < 10_000


def test_what_outlives_a_request_goes_by_no_moment_that_the_request_set():
    going, before = clock.Going(EVE, 1_000), clock.now()
    with clock.at(EVE):
        with clock.unset():
            assert abs((clock.now() - before).total_seconds()) < 60
        assert clock.now() == EVE
    with clock.going(going), clock.at(EVE + timedelta(days=1)), clock.unset():
        assert clock.now() == EVE


def test_unless_it_goes_by_itself_time_is_waited_for_as_it_is():
    async def waited() -> float:
        began = time.monotonic()
        await clock.sleep(0.01)
        return time.monotonic() - began

    with clock.at(EVE):
        assert asyncio.run(waited()) >= 0.01
        assert abs(clock.ticks() - time.monotonic()) < 5
