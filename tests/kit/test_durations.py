"""Lengths of time as people write them."""

from datetime import timedelta

import pytest

from offhook.kit.durations import duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        (" 1h ", timedelta(hours=1)),
        ("90 d", timedelta(days=90)),
        ("52w", timedelta(weeks=52)),
        ("0h", timedelta()),
        ("1", None),
        ("h", None),
        ("-1h", None),
        ("1.5h", None),
        ("1h30m", None),
        ("1y", None),
        ("999999h", None),
        ("\u0661h", None),
    ],
)
def test_a_length_of_time_is_read_or_is_none(text: str, length: timedelta | None):
    assert duration(text) == length
