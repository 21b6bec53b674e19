"""A company has room for so many calls, and for each that calls for help."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from offhook.routing.plan import Incoming, Outgoing
from offhook.telephony.room import SAY_SECONDS, Full, Room

OURS, OTHERS = 7, 8


class House:
    """Calls under way, and a clock."""

    def __init__(self, most: int) -> None:
        self.calls: dict[int, int] = {}
        self.time = 0.0
        self.room = Room(most, lambda tenant: self.calls.get(tenant, 0), lambda: self.time)

    def enters(self, tenant: int, first: Any = None) -> bool:
        try:
            self.room.enter(tenant, first or Incoming(0, "+12125550123", "+14155550100"))
        except Full as full:
            assert full.status == 503
            return False
        self.calls[tenant] = self.calls.get(tenant, 0) + 1
        return True


def test_a_company_that_is_full_takes_no_place_of_another():
    house = House(2)
    assert [house.enters(OURS) for _ in range(3)] == [True, True, False]
    assert house.enters(OTHERS)
    house.calls[OURS] -= 1
    assert house.enters(OURS)


@pytest.mark.parametrize(("dialled", "let_in"), [("911", True), ("112", True), ("102", False), ("+14155550199", False)])
def test_who_calls_for_help_is_always_let_in(dialled: str, let_in: bool):
    house = House(1)
    house.enters(OURS)
    assert house.enters(OURS, Outgoing(0, "user:1", dialled)) == let_in


def test_it_is_counted_each_time_and_said_now_and_then():
    def counted() -> float:
        return REGISTRY.get_sample_value("offhook_calls_refused_total", {"why": "company_full"}) or 0.0

    house, before = House(1), counted()
    house.enters(OURS)
    with capture_logs() as logs:
        for _ in range(5):
            house.enters(OURS)
        house.time += SAY_SECONDS
        house.enters(OURS)
    assert [(one["event"], one["tenant_id"], one["most"]) for one in logs] == [("company_full", OURS, 1)] * 2
    assert counted() - before == 6
