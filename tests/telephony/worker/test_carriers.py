"""Which carriers send from an address."""

import time

import pytest

from offhook.telephony.port import Trunk
from offhook.telephony.worker.carriers import Carriers

CARRIERS = Carriers([
    Trunk(id=1, addresses=(("203.0.113.7", 0), ("198.51.100.0/28", 5060))),
    Trunk(id=2, addresses=(("203.0.113.0/24", 5080), ("2001:db8::7", 0), ("nonsense", 0)), proves="them"),
    Trunk(id=3),
])  # fmt: skip


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        (("203.0.113.7", 5080), [1, 2]),
        (("203.0.113.7", 9), [1]),
        (("203.0.113.8", 5080), [2]),
        (("203.0.113.8", 5060), []),
        (("198.51.100.15", 5060), [1]),
        (("198.51.100.15", 5061), []),
        (("198.51.100.16", 5060), []),
        (("127.0.0.1", 5060), []),
    ],
)
def test_a_carrier_is_who_sends_from_its_places(source: tuple[str, int], ids: list[int]) -> None:
    assert [trunk.id for trunk in CARRIERS.at(source)] == ids
    assert CARRIERS.get(1) is not None
    assert CARRIERS.get(9) is None


def test_strangers_cost_no_more_where_there_are_thousands() -> None:
    trunks = [
        Trunk(id=number, addresses=tuple((f"{11 + number % 80}.{number // 80}.{one}.0/24", 0) for one in range(16)))
        for number in range(4000)
    ]
    many = Carriers(trunks)
    begun = time.process_time()
    for _ in range(1000):
        assert many.at(("203.0.113.7", 5060)) == []
    assert time.process_time() - begun < 0.5
    assert [trunk.id for trunk in many.at(("12.0.3.9", 5060))] == [1]
