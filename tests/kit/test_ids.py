import sys
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.kit import ids
from offhook.kit.ids import EPOCH_MS, SLOTS, Ids


class Time:
    """Stands in for the module `clock`."""

    def __init__(self, moments: list[float]) -> None:
        self.moments = moments

    def wall(self) -> float:
        return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]


@given(st.lists(st.floats(1.71e9, 1.9e9), min_size=1, max_size=200), st.integers(0, SLOTS - 1))
def test_ids_of_a_process_only_grow_even_when_its_clock_steps_back(moments: list[float], slot: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "clock", Time(moments[:]))
        issuer = Ids(slot)
        found = [issuer.new() for _ in range(len(moments) + 100)]
    assert found == sorted(set(found))
    assert {one >> 5 & 63 for one in found} == {slot}


def test_two_processes_at_the_same_moment_never_issue_the_same_id(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ids, "clock", Time([1.8e9]))
    issuers = [Ids(slot) for slot in range(SLOTS)]
    found = [issuer.new() for issuer in issuers for _ in range(500)]
    assert len(set(found)) == len(found)


def test_ids_fit_into_53_bits_until_2163(monkeypatch: pytest.MonkeyPatch):
    for moment in (1.8e9, 6.1e9):
        monkeypatch.setattr(ids, "clock", Time([moment]))
        assert 0 < Ids(SLOTS - 1).new() < 2**53


def test_ids_carry_their_millisecond(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ids, "clock", Time([1_800_000_000.5]))
    assert Ids(3).new() >> 11 == 1_800_000_000_500 - EPOCH_MS


def test_a_burst_borrows_from_the_next_millisecond(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ids, "clock", Time([1.8e9]))
    issuer = Ids(0)
    found = [issuer.new() for _ in range(65)]
    assert found[32] >> 11 == (found[0] >> 11) + 1
    assert found[64] >> 11 == (found[0] >> 11) + 2


@pytest.mark.parametrize("slot", [-1, SLOTS, 1000])
def test_there_are_64_slots(slot: int):
    with pytest.raises(ValueError, match="slot"):
        Ids(slot)


def test_threads_that_ask_at_once_get_different_ids():
    ids, found = Ids(1), list[list[int]]()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [Thread(target=lambda: found.append([ids.new() for _ in range(5_000)])) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len({one for many in found for one in many}) == 20_000
