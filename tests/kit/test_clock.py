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
