"""How many requests pass, and what a client is told: the log against a naive list, and a real Valkey that fails."""

import asyncio
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from offhook.access.gate import rate_limited
from offhook.access.limits import (
    Key,
    LocalLimiter,
    MemoryLimiter,
    Verdict,
    headers_for,
    scaled,
)
from offhook.access.shared import SharedLimiter, redacted
from offhook.kit import clock
from offhook.kit.operation import Limit, Operation
from tests.conftest import at
from tests.servers import Valkey

KEY: Key = (7, "offices.create")
OTHER: Key = (8, "offices.create")
ROUND = st.integers(0, 24).map(lambda eighths: eighths / 8)
ANY = st.floats(0, 3, allow_nan=False)


class Clock:
    """A monotonic clock that stands still until told."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


# In memory


@given(
    st.builds(Limit, st.integers(1, 5), st.integers(1, 4)),
    st.lists(st.tuples(st.sampled_from([KEY, OTHER]), ROUND | ANY), max_size=80),
)
def test_never_one_too_many_and_never_one_too_few(limit, requests):
    moment = Clock()
    limiter = MemoryLimiter(moment)
    accepted: dict[Key, list[float]] = {KEY: [], OTHER: []}
    for key, pause in requests:
        moment.now += pause
        window = [t for t in accepted[key] if t > moment.now - limit.seconds]
        peek = limiter.would_refuse(key, limit)
        verdict = limiter.take(key, limit)
        assert verdict.accepted == (len(window) < limit.count)
        assert peek == (None if verdict.accepted else verdict)
        if verdict.accepted:
            accepted[key].append(moment.now)
            window.append(moment.now)
        assert verdict.remaining == limit.count - len(window)
        assert verdict.reset_after == pytest.approx(window[0] + limit.seconds - moment.now)
    for times in accepted.values():
        assert all(times[i] <= times[i + limit.count] - limit.seconds for i in range(len(times) - limit.count))


def test_a_request_passes_again_as_its_window_ends_and_not_before():
    moment = Clock(0.0)
    limiter, limit = MemoryLimiter(moment), Limit(1, 60)
    assert limiter.take(KEY, limit).accepted
    moment.now = 59.999
    refused = limiter.take(KEY, limit)
    assert not refused.accepted
    assert refused.reset_after == pytest.approx(0.001)
    moment.now = 60.0
    assert limiter.take(KEY, limit).accepted


def test_refused_requests_do_not_count():
    moment = Clock()
    limiter, limit = MemoryLimiter(moment), Limit(2, 60)
    for _ in range(100):
        limiter.take(KEY, limit)
        moment.now += 0.5
    moment.now += 10.5
    assert [limiter.take(KEY, limit).accepted for _ in range(3)] == [True, True, False]


def test_the_clock_of_a_sandbox_request_does_not_open_the_window():
    limiter, limit = MemoryLimiter(), Limit(1, 60)
    assert limiter.take(KEY, limit).accepted
    with at("2036-12-24T17:59:59Z"):
        assert not limiter.take(KEY, limit).accepted


def test_companies_and_operations_have_windows_of_their_own():
    limiter, limit = MemoryLimiter(Clock()), Limit(1, 60)
    keys = [(7, "offices.create"), (7, "offices.list"), (8, "offices.create")]
    assert all(limiter.take(key, limit).accepted for key in keys)
    assert not any(limiter.take(key, limit).accepted for key in keys)


def test_a_lowered_limit_holds_for_what_was_accepted_before():
    moment = Clock()
    limiter = MemoryLimiter(moment)
    for _ in range(4):
        limiter.take(KEY, Limit(4, 60))
        moment.now += 10.0
    # Accepted 40, 30, 20 and 10 s ago: with two allowed, the third of them has to go, in 40 s.
    assert limiter.would_refuse(KEY, Limit(2, 60)) == limiter.take(KEY, Limit(2, 60)) == Verdict(False, 2, 0, 40.0)


def test_idle_keys_are_forgotten_while_others_go_on():
    moment = Clock()
    limiter, limit = MemoryLimiter(moment), Limit(1200, 60)
    for company in range(5000):
        limiter.take((company, "offices.create"), limit)
    moment.now += 61.0
    for _ in range(100):
        limiter.take(KEY, limit)
        moment.now += 1.0
    assert len(limiter) == 1


def test_new_keys_drive_out_idle_ones_however_fast_they_come():
    moment = Clock()
    limiter, limit = MemoryLimiter(moment), Limit(1200, 1)
    for company in range(20_000):
        limiter.take((company, "offices.create"), limit)
        moment.now += 0.001
    assert len(limiter) < 3000  # 1000 keys are used within a second


def test_a_key_in_use_is_not_forgotten_by_the_sweep():
    moment = Clock()
    limiter, limit = MemoryLimiter(moment), Limit(1, 3600)
    limiter.take(KEY, limit)
    for company in range(100, 3000):
        limiter.take((company, "offices.list"), Limit(1, 1))
        moment.now += 1.0
    assert not limiter.take(KEY, limit).accepted


def test_in_memory_the_gate_never_waits():
    limiter, limit = LocalLimiter(MemoryLimiter(Clock())), Limit(1, 60)
    assert limiter.take_now(KEY, limit).accepted
    assert limiter.would_refuse(KEY, limit) is not None
    assert not asyncio.run(limiter.take(KEY, limit)).accepted
    assert limiter.healthy
    assert asyncio.run(limiter.check())


@pytest.mark.parametrize(
    ("count", "scale", "expected"), [(1200, 1, 1200), (1200, 0.1, 120), (1200, 0.35, 420), (5, 0.001, 1), (1, 100, 100)]
)
def test_the_scale_multiplies_every_limit_but_leaves_one(count, scale, expected):
    assert scaled(Limit(count, 60), scale) == Limit(expected, 60)


# What the client is told


@pytest.mark.parametrize(
    ("after", "seconds"), [(12.001, 13), (13.0, 13), (0.2, 1), (0.0, 1), (60.000000000000007, 60), (60.1, 60)]
)
def test_a_refused_client_is_told_to_come_back_in_whole_seconds_rounded_up(after, seconds):
    assert headers_for(Verdict(False, 1200, 0, after), Limit(1200, 60)) == [
        (b"retry-after", b"%d" % seconds),
        (b"ratelimit-policy", b'"default";q=1200;w=60'),
        (b"ratelimit", b'"default";r=0;t=%d' % seconds),
    ]


def test_a_refusal_counts_in_words_that_are_right():
    operation = Operation(id="x.y", method="GET", path="/x", summary="X")
    full = Verdict(accepted=False, limit=1, remaining=0, reset_after=1.0)
    assert "takes 1 request in 60 seconds" in rate_limited(full, Limit(1, 60), operation).message
    assert "takes 2 requests in 60 seconds" in rate_limited(full, Limit(2, 60), operation).message


def test_an_accepted_client_is_told_what_remains():
    assert headers_for(Verdict(True, 1200, 1187, 41.2), Limit(1200, 60)) == [
        (b"ratelimit-policy", b'"default";q=1200;w=60'),
        (b"ratelimit", b'"default";r=1187;t=42'),
    ]


# Shared


def test_several_processes_accept_exactly_the_limit_together(redis_url):
    async def story():
        limiters = [SharedLimiter(redis_url, timeout=10) for _ in range(2)]
        limit = Limit(50, 60)
        verdicts = await asyncio.gather(*(limiters[n % 2].take(KEY, limit) for n in range(200)))
        for limiter in limiters:
            await limiter.close()
        return verdicts

    verdicts = asyncio.run(story())
    assert sum(verdict.accepted for verdict in verdicts) == 50
    refused = [verdict for verdict in verdicts if not verdict.accepted]
    assert all(50 < verdict.reset_after <= 60 and verdict.remaining == 0 for verdict in refused)


def test_what_is_full_stays_refused_without_another_question_until_its_slot_is_free(redis_url):
    async def story():
        moment = Clock()
        first, second = SharedLimiter(redis_url), SharedLimiter(redis_url, monotonic=moment)
        limit = Limit(1, 60)
        assert second.would_refuse(KEY, limit) is None
        assert second.take_now(KEY, limit) is None
        assert (await first.take(KEY, limit)).accepted
        assert not (await second.take(KEY, limit)).accepted
        known = second.would_refuse(KEY, limit)
        assert known is not None
        assert second.take_now(KEY, limit) == known
        assert second.take_now(OTHER, limit) is None
        moment.now += known.reset_after
        assert second.take_now(KEY, limit) is None
        assert second.would_refuse(KEY, limit) is None
        await first.close()
        await second.close()

    asyncio.run(story())


def test_the_shared_window_slides(redis_url, monkeypatch):
    async def story():
        limiter = SharedLimiter(redis_url)
        started = clock.wall()
        moments = iter([started, started + 59.9, started + 60.1])
        accepted = []
        for moment in moments:
            monkeypatch.setattr("limits.aio.storage.redis.redispy.time.time", lambda moment=moment: moment)
            limiter._full_until.clear()
            accepted.append((await limiter.take(KEY, Limit(1, 60))).accepted)
        monkeypatch.undo()
        await limiter.close()
        return accepted

    assert asyncio.run(story()) == [True, False, True]


def test_when_redis_dies_each_process_holds_the_limit_by_itself_until_it_is_back(valkey_of_its_own: Valkey):
    async def story():
        moment = Clock()
        limiter = SharedLimiter(valkey_of_its_own.url, monotonic=moment)
        limit = Limit(3, 60)
        assert [(await limiter.take(KEY, limit)).accepted for _ in range(2)] == [True, True]
        assert await limiter.check()

        valkey_of_its_own.kill()
        with capture_logs() as said:
            assert [(await limiter.take(KEY, limit)).accepted for _ in range(3)] == [True, False, False]
            assert (limiter.healthy, len(said)) == (False, 1)
            assert limiter.take_now(OTHER, limit) is not None, "an outage must not make the gate wait"
            assert limiter.would_refuse(KEY, limit) is not None
            moment.now += 1.0
            assert limiter.take_now(OTHER, limit) is None, "from time to time one request asks again"
            assert (await limiter.take(OTHER, limit)).accepted
            moment.now += 1.0
            assert not await limiter.check()
        assert [(entry["event"], entry["log_level"]) for entry in said] == [("rate_limit_store_lost", "warning")]

        valkey_of_its_own.start()
        moment.now += 1.0
        with capture_logs() as said:
            assert await limiter.check()
            assert (await limiter.take(OTHER, limit)).accepted
        assert (limiter.healthy, len(said)) == (True, 1)
        assert [(entry["event"], entry["log_level"]) for entry in said] == [("rate_limit_store_back", "warning")]
        await limiter.close()

    asyncio.run(story())


def test_a_redis_that_hangs_holds_a_request_up_for_no_longer_than_the_bound(valkey_of_its_own: Valkey):
    async def story():
        limiter = SharedLimiter(valkey_of_its_own.url, timeout=0.1)
        limit = Limit(3, 60)
        assert (await limiter.take(KEY, limit)).accepted
        assert valkey_of_its_own.process is not None
        valkey_of_its_own.process.send_signal(signal.SIGSTOP)
        began = clock.monotonic()
        assert (await limiter.take(KEY, limit)).accepted
        assert clock.monotonic() - began < 2.0
        assert not limiter.healthy
        valkey_of_its_own.process.send_signal(signal.SIGCONT)
        await limiter.close()

    asyncio.run(story())


def test_no_password_reaches_the_log(redis_url):
    async def story():
        limiter = SharedLimiter(redis_url.replace("//", "//nobody:s3cret@"))
        with capture_logs() as said:
            await limiter.take(KEY, Limit(3, 60))
        await limiter.close()
        return said

    said = asyncio.run(story())
    assert [entry["event"] for entry in said] == ["rate_limit_store_lost"]
    assert "s3cret" not in repr(said)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://user:s3cret@cache.example:6380/1", "rediss://cache.example:6380/1"),
        ("redis://:s3cret@cache.example", "redis://cache.example"),
        ("redis://cache.example:6379/0?password=s3cret", "redis://cache.example:6379/0"),
        ("redis://cache.example?password=a@s3cret", "redis://***"),
        ("redis://:s3/cret@cache.example", "redis://***"),
        ("redis://:s3?cret@cache.example", "redis://***"),
        ("unix://s3cret@/run/valkey.sock", "unix://***"),
    ],
)
def test_a_url_is_shown_without_anything_that_may_be_a_password(url, shown):
    assert redacted(url) == shown


@pytest.mark.parametrize("url", ["postgresql://u:s3cret@h/db", "redis://:s3cret@h:port", "redis://", "s3cret"])
def test_a_url_that_is_not_redis_is_refused_without_repeating_its_password(url):
    with pytest.raises(ValueError, match="not a Redis or Valkey URL") as refused:
        SharedLimiter(url)
    if "@" in url:
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("form", ["valkey://{}", "redis://{}/0", "valkey://{}/2?protocol=2"])
def test_urls_of_valkey_and_redis_name_the_same_thing(redis_url, form):
    async def story():
        limiter = SharedLimiter(form.format(redis_url.split("/")[2]))
        assert (await limiter.take(KEY, Limit(1, 60))).accepted
        assert limiter.healthy
        await limiter.close()

    asyncio.run(story())


def test_the_port_may_be_left_out():
    async def story():
        await SharedLimiter("redis://localhost").close()

    asyncio.run(story())
