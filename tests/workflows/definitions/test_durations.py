"""How long a WAIT lasts, and until when."""

from datetime import UTC, datetime

import pytest

from offhook.workflows.definitions.durations import has_zone, moment, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 days 2 hours 3m 10s", 93_790),
        ("10 seconds", 10),
        ("10s", 10),
        ("5 minutes", 300),
        ("1 hour", 3_600),
        ("2hrs 5 MINS", 7_500),
        ("1d", 86_400),
        (" 3 m ", 180),
        ("0s", 0),
        ("1d2h3m4s", 93_784),
        ("", None),
        ("10", None),
        ("3m 2h", None),
        ("1.5h", None),
        ("-5s", None),
        ("a day", None),
        ("9999999 days", None),
        ("٣ days", None),
        ("1s" + " " * 200, None),
    ],
)
def test_a_duration_is_read_as_conductor_writes_it(text: str, expected: int | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24 18:00 Europe/Lisbon", "2026-12-24T18:00:00+00:00"),
        ("2026-07-01 12:00 Europe/Lisbon", "2026-07-01T11:00:00+00:00"),
        ("2026-07-01 12:00 GMT+2", "2026-07-01T10:00:00+00:00"),
        ("2026-07-01 12:00 +05:30", "2026-07-01T06:30:00+00:00"),
        ("2026-07-01 12:00 UTC", "2026-07-01T12:00:00+00:00"),
        ("2026-07-01T12:00:30Z", "2026-07-01T12:00:30+00:00"),
        ("2026-07-01 12:00 PST", "2026-07-01T20:00:00+00:00"),
        ("2026-07-01 12:00", "2026-07-01T12:00:00+00:00"),
        ("2026-07-01", "2026-07-01T00:00:00+00:00"),
        ("2026-03-29 01:30 Europe/Lisbon", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25 01:30 Europe/Lisbon", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_moment_is_read_on_its_zones_clock(text: str, expected: str) -> None:
    found = moment(text)
    assert found is not None
    assert datetime.fromtimestamp(found / 1000, UTC).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13-01 00:00 UTC", "2026-02-30", "2026-01-01 25:00 UTC", "2026-01-01 10:00 Mars/Base",
             "2026-01-01 10:00 IST", "2026-01-01 10:00 ../../etc", "2026-01-01 10:00 +99:00", "0000-01-01 00:00 UTC"]
)  # fmt: skip
def test_what_names_no_moment_is_told_apart(text: str) -> None:
    assert moment(text) is None


def test_a_moment_without_a_zone_is_told_apart() -> None:
    assert has_zone("2026-01-01 10:00 UTC")
    assert not has_zone("2026-01-01 10:00")
