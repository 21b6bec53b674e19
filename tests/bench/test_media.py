"""What measures sound measures it; a hundred calls lose next to nothing."""

import pytest

from bench.media import BAR, CALLS, measured


def test_every_packet_of_a_few_calls_is_heard() -> None:
    figures = measured(3, 0.5)
    assert figures["sent"] == 6 * 25
    assert figures["heard"] == 6 * 25
    assert 0 < figures["on the way p50 ms"] < figures["longest ms"]


@pytest.mark.long
def test_a_hundred_calls_lose_less_than_half_a_percent() -> None:
    figures = measured(CALLS, 20.0)
    assert figures["sent"] == 2 * CALLS * 1_000
    assert figures["lost"] < BAR
