"""Bars of attempts: what waited and what was worked on, on one scale."""

from datetime import UTC, datetime
from typing import Any

import pytest

from offhook.console.durations import short
from offhook.console.timeline import LEAST, SCALE, timeline

DAY = "2026-11-26T08:00:"
NOW = datetime(2026, 11, 26, 8, 0, 10, tzinfo=UTC)


def attempt(scheduled: float, started: float | None, ended: float | None, **more: Any) -> dict[str, Any]:
    times = {"scheduled_at": scheduled, "started_at": started, "ended_at": ended}
    found = {name: f"{DAY}{value:06.3f}+00:00" for name, value in times.items() if value is not None}
    return {"type": "HTTP", "status": "COMPLETED" if ended is not None else "IN_PROGRESS", **found, **more}


def test_a_bar_waits_and_then_works_by_the_scale_of_the_run():
    found = timeline([attempt(0, 2, 5), attempt(5, 5, 10)], f"{DAY}00+00:00", f"{DAY}10+00:00", NOW)
    first, second = found.bars
    assert (first.wait_at, first.wait, first.work_at, first.work) == (0, 200, 200, 300)
    assert (second.wait, second.work_at, second.work) == (0, 500, 500)
    assert first.words == "waited 2.0 s, worked 3.0 s"
    assert [(one.at, one.label) for one in found.ticks][:3] == [(0, "0"), (200, "2.0 s"), (400, "4.0 s")]


def test_what_is_open_goes_on_until_now():
    (bar,) = timeline([attempt(0, 4, None)], f"{DAY}00+00:00", None, NOW).bars
    assert (bar.wait, bar.work, bar.kind) == (400, 600, "going")
    (bar,) = timeline([attempt(0, None, None, status="SCHEDULED")], f"{DAY}00+00:00", None, NOW).bars
    assert (bar.wait, bar.work, bar.words) == (SCALE, 0, "waited 10.0 s")


def test_what_is_too_short_is_seen_all_the_same_and_within_the_scale():
    last = timeline([attempt(0, 0, 10), attempt(10, 10, 10)], f"{DAY}00+00:00", f"{DAY}10+00:00", NOW).bars[1]
    assert last.work == LEAST
    assert last.work_at + last.work <= SCALE


def test_attempts_of_before_a_restart_are_on_the_scale_too():
    found = timeline([attempt(1, 1, 2), attempt(6, 6, 7)], f"{DAY}06+00:00", f"{DAY}07+00:00", NOW)
    assert found.seconds == 6
    assert found.bars[0].work_at == 0


@pytest.mark.parametrize("seconds", [0.001, 0.5, 7, 61, 3700, 86_400 * 3, 86_400 * 400])
def test_there_are_some_marks_and_not_too_many(seconds: float):
    started = datetime(2026, 1, 1, tzinfo=UTC)
    ended = datetime.fromtimestamp(started.timestamp() + seconds, UTC)
    marks = timeline([], started.isoformat(), ended.isoformat(), NOW).ticks
    assert 2 <= len(marks) <= 7
    assert all(0 <= one.at <= SCALE for one in marks)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0341, "34 ms"), (0, "0 ms"), (0.9999, "1.0 s"), (7.25, "7.2 s"), (59.96, "1 min"), (61, "1 min 1 s"),
     (4000, "1 h 6 min"), (90_000, "1 d 1 h")],
)  # fmt: skip
def test_lengths_of_time_are_short(seconds: float, words: str):
    assert short(seconds) == words
