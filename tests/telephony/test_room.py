"""A company has room for so many calls, and for each that calls for help."""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from offhook.telephony.room import SAY_SECONDS, Full, Room

OURS, OTHERS = 7, 8


class House:
    """Calls under way, and a clock."""

    def __init__(self, most: int) -> None:
        self.calls: dict[int, int] = {}
        self.time = 0.0
        self.room = Room(most, lambda tenant: self.calls.get(tenant, 0), lambda: self.time)

    def enters(self, tenant: int, helps: bool = False) -> bool:
        try:
            self.room.enter(tenant, helps=helps)
        except Full:
            return False
        self.calls[tenant] = self.calls.get(tenant, 0) + 1
        return True


def test_a_company_that_is_full_takes_no_place_of_another():
    house = House(2)
    assert [house.enters(OURS) for _ in range(3)] == [True, True, False]
    assert house.enters(OTHERS)
    house.calls[OURS] -= 1
    assert house.enters(OURS)


def test_who_calls_for_help_is_always_let_in():
    house = House(1)
    house.enters(OURS)
    assert [house.enters(OURS), house.enters(OURS, helps=True)] == [False, True]


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


def test_telephones_that_are_not_rung_are_counted_and_said_apart_from_calls():
    def counted() -> float:
        return REGISTRY.get_sample_value("offhook_calls_refused_total", {"why": "telephones_full"}) or 0.0

    house, before = House(1), counted()
    house.enters(OURS)
    with capture_logs() as logs:
        house.enters(OURS)
        for _ in range(3):
            house.room.telephones_full(OURS, 2)
        house.room.telephones_full(OTHERS, 2)
        house.time += SAY_SECONDS
        house.room.telephones_full(OURS, 2)
    assert [(one["event"], one["log_level"], one["tenant_id"], one["most"]) for one in logs] == [
        ("company_full", "warning", OURS, 1),
        ("telephones_full", "warning", OURS, 2),
        ("telephones_full", "warning", OTHERS, 2),
        ("telephones_full", "warning", OURS, 2),
    ]
    assert counted() - before == 5
