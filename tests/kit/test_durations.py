"""Lengths of time as people write them, and as they are shown."""

from datetime import timedelta

import pytest

from offhook.kit.durations import duration, lasted, passed, tenths


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


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, ("0:00", "0:00", "0:00.0")),
        (5.499, ("0:05", "0:05", "0:05.5")),
        (5.5, ("0:06", "0:05", "0:05.5")),
        (6.5, ("0:07", "0:06", "0:06.5")),
        (2.15, ("0:02", "0:02", "0:02.2")),
        (1.005, ("0:01", "0:01", "0:01.0")),
        (59.96, ("1:00", "0:59", "1:00.0")),
        (3665.25, ("61:05", "61:05", "61:05.3")),
    ],
)
def test_a_length_and_a_moment_are_shown_in_minutes_and_seconds(seconds: float, shown: tuple[str, str, str]):
    assert (lasted(seconds), passed(seconds), tenths(seconds)) == shown
