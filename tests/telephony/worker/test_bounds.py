"""What an address may send, with a clock of the test's."""

import pytest

from offhook.telephony.worker.bounds import KNOWN, Buckets, Refused, may_be_for_help, room
from offhook.telephony.worker.legs import heard_at


def test_a_bucket_is_spent_and_fills_again() -> None:
    now = [0.0]
    buckets = Buckets(2, 3, lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b")
    now[0] = 1.0
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    buckets.give("a")
    assert buckets.take("a")


def test_of_an_address_that_is_known_more_is_taken() -> None:
    buckets = Buckets(1, 2, lambda: 0.0)
    buckets.know("a")
    assert sum(buckets.take("a") for _ in range(100)) == 2 * KNOWN


def test_buckets_that_are_full_again_are_not_kept() -> None:
    now = [0.0]
    buckets = Buckets(2, 6, lambda: now[0])
    for at in range(100):
        now[0] = float(at)
        for sort in "ab":
            assert buckets.take(f"{sort}{at}")
            assert [buckets.take("busy") for _ in range(3)].count(True) <= 3
    # Who came within the last three seconds, and who comes all the time.
    assert len(buckets) == 3 * 2 + 1
    assert [buckets.take("busy") for _ in range(3)] == [False] * 3


def test_what_is_refused_is_said_once() -> None:
    refused = Refused()
    refused.add("x")
    refused.add("x")
    assert (refused.said(), refused.said()) == ({"x": 2}, {})


def test_a_few_ports_are_left_to_calls_for_help_where_there_are_not_too_few() -> None:
    assert [room(400, ports) for ports in (8000, 404, 403, 20, 19, 1)] == [400, 400, 399, 16, 19, 1]


@pytest.mark.parametrize(("dialled", "may"), [("911", True), ("9-1-1#", True), ("", False), ("x", False),
                                              ("123456", True), ("+14155550123", False)])  # fmt: skip
def test_what_is_short_may_call_for_help(dialled: str, may: bool) -> None:
    assert may_be_for_help(dialled) is may


@pytest.mark.parametrize(
    ("host", "source", "heard"),
    [
        ("192.168.1.5", "8.8.4.4", "8.8.4.4"),
        ("127.0.0.1", "8.8.4.4", "8.8.4.4"),
        ("100.64.1.1", "8.8.4.4", "8.8.4.4"),
        ("127.0.0.1", "192.168.1.5", "192.168.1.5"),
        ("192.168.1.6", "192.168.1.5", "192.168.1.6"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "9.9.9.9", "0.0.0.0"),
        ("168.63.129.16", "8.8.4.4", "8.8.4.4"),
        ("169.254.169.254", "10.0.0.5", "10.0.0.5"),
        ("10.0.0.6", "10.0.0.5", "10.0.0.6"),
    ],
)
def test_a_telephone_behind_a_router_is_heard_where_it_speaks_from(host: str, source: str, heard: str) -> None:
    assert heard_at(host, source) == heard
