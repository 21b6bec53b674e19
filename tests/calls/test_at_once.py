"""Many calls in several real processes over one store, from their first ring to their last."""

from pathlib import Path

import pytest

from offhook.calls import store
from offhook.routing.plan import Hangup
from offhook.routing.reservations import LOOK_SECONDS
from offhook.routing.trace import replay
from offhook.storage.database import Database, Statement
from tests.calls.calling import config
from tests.routing.calling import TENANT
from tests.routing.reserving import HELD, WAITING
from tests.routing.test_reservations_at_once import SLACK_SECONDS, calls_of, overlaps, overtaken

NUMBERS = Statement("SELECT call_id, number FROM call_steps ORDER BY call_id, number")
OUTCOMES = {"answered", "abandoned", "voicemail"}


def check(url: str, folder: Path, *, calls: int, operators: int, processes: int) -> None:
    held, stood = calls_of(url, folder, calls, operators, processes=processes, program="tests.calls.calling")
    assert len(held) > calls * processes
    assert overlaps(held) == []
    assert overtaken(stood) < LOOK_SECONDS + SLACK_SECONDS
    made = config(operators)
    database = Database(url)
    with database.reading() as tx:
        assert tx.all(HELD) == []
        assert tx.all(WAITING) == []
        numbers: dict[int, list[int]] = {}
        for id, number in tx.all(NUMBERS):
            numbers.setdefault(id, []).append(number)
        found = store.page(tx, TENANT, store.NEWEST, calls * processes + 1)
        assert len(found) == len(numbers) == calls * processes
        answered = 0
        for one in found:
            assert numbers[one.id] == list(range(len(numbers[one.id])))
            assert one.ended >= one.began > 0
            assert one.outcome in OUTCOMES
            trace = store.trace(tx, TENANT, one.id, one.state.seed)
            assert isinstance(trace.steps[-1].verbs[-1], Hangup)
            assert replay(made, trace) == trace
            answered += one.outcome == "answered"
        assert answered > len(found) / 2
    database.close()


def test_sixty_calls_in_two_processes_never_ring_or_reach_one_person_twice(url: str, tmp_path: Path):
    check(url, tmp_path / "calls", calls=30, operators=10, processes=2)


@pytest.mark.long
def test_a_thousand_calls_over_fifty_operators_in_four_processes(url: str, tmp_path: Path):
    check(url, tmp_path / "calls", calls=250, operators=50, processes=4)


@pytest.mark.long
def test_a_thousand_calls_for_very_few_operators(url: str, tmp_path: Path):
    check(url, tmp_path / "calls", calls=250, operators=10, processes=4)
