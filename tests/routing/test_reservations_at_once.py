"""Many calls in several real processes over one store: no operator in two of them, and nobody left waiting."""

import itertools
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from offhook.routing.reservations import LOOK_SECONDS
from offhook.storage.database import Database
from tests.docs.tables import ROOT
from tests.routing.calling import Held, Stood
from tests.routing.reserving import HELD, WAITING

PROCESSES = 4
SLACK_SECONDS = 10
"""What a machine that is busy with other things may add to a second."""


def calls_of(
    url: str,
    folder: Path,
    calls: int,
    operators: int,
    *,
    processes: int = PROCESSES,
    program: str = "tests.routing.calling",
) -> tuple[list[Held], list[Stood]]:
    """What happened when so many calls were made by each process, all beginning at once."""
    folder.mkdir()
    files = [folder / f"{number}.jsonl" for number in range(processes)]
    command = [sys.executable, "-m", program, url]
    running = [
        subprocess.Popen(
            [*command, str(file), str(number), str(calls), str(operators)],
            cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number, file in enumerate(files)
    ]  # fmt: skip
    try:
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in running:
            _, said = one.communicate(timeout=600)
            assert one.returncode == 0, said
    finally:
        for one in running:
            one.kill()
            one.communicate()
    records = [msgspec.json.decode(line, type=Held | Stood) for file in files for line in file.read_text().splitlines()]
    return [one for one in records if isinstance(one, Held)], [one for one in records if isinstance(one, Stood)]


def overlaps(held: list[Held]) -> list[tuple[Held, Held]]:
    """Pairs of calls that had one person at the same time."""
    found = []
    for _, group in itertools.groupby(sorted(held, key=lambda one: (one.who, one.since)), key=lambda one: one.who):
        ordered = list(group)
        found += [(one, other) for one, other in itertools.pairwise(ordered) if other.since < one.until]
    return found


def overtaken(stood: list[Stood]) -> float:
    """For how many seconds at most a caller went on waiting while the line served one who had come later."""
    longest = 0
    for _, group in itertools.groupby(sorted(stood, key=lambda one: one.line), key=lambda one: one.line):
        calls = list(group)
        for one in calls:
            later = [
                other.until for other in calls
                if other.served and (other.place, other.call) > (one.place, one.call)
                and one.since < other.since and other.until < one.until
            ]  # fmt: skip
            longest = max(longest, one.until - min(later, default=one.until))
    return longest / 1e9


def check(url: str, folder: Path, calls: int, operators: int) -> None:
    held, stood = calls_of(url, folder, calls, operators)
    assert len(stood) == calls * PROCESSES
    assert sum(one.served for one in stood) == len(held) > calls * PROCESSES * 0.8
    assert overlaps(held) == []
    assert overtaken(stood) < LOOK_SECONDS + SLACK_SECONDS
    database = Database(url)
    with database.reading() as tx:
        assert tx.all(HELD) == []
        assert tx.all(WAITING) == []
    database.close()


def test_four_processes_never_ring_one_person_for_two_calls(url: str, tmp_path: Path):
    check(url, tmp_path / "calls", calls=40, operators=10)


@pytest.mark.long
def test_a_thousand_calls_over_fifty_operators_in_four_processes(url: str, tmp_path: Path):
    check(url, tmp_path / "calls", calls=250, operators=50)


@pytest.mark.long
def test_a_thousand_calls_for_very_few_operators(url: str, tmp_path: Path):
    check(url, tmp_path / "calls", calls=250, operators=10)


def test_the_checks_see_what_they_are_for():
    held = [Held("a", "user:1", 10, 20), Held("b", "user:1", 19, 30), Held("c", "user:2", 0, 99)]
    assert overlaps(held) == [(held[0], held[1])]
    second = 1_000_000_000
    first, later = Stood("a", 1, 1, 0, 9 * second, True), Stood("b", 1, 2, 1, 4 * second, True)
    assert overtaken([later, first]) == 5
    assert overtaken([Stood("c", 2, 2, 1, 4 * second, True), first]) == 0
