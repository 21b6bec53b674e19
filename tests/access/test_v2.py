"""The table of v2 operations, and what becomes of those that are not built."""

from collections import Counter

import pytest

from offhook.access.v2 import NEWER, USUAL, V2_OPERATIONS, unbuilt
from offhook.kit.operation import Limit
from offhook.kit.router import Router, public


def test_it_lists_the_193_published_operations_and_three_newer_ones() -> None:
    assert len(V2_OPERATIONS) == 193 + 3
    assert len(NEWER) == 3
    assert V2_OPERATIONS.keys() >= NEWER


def test_methods_are_counted_as_published() -> None:
    methods = Counter(known.method for id, known in V2_OPERATIONS.items() if id not in NEWER)
    assert methods == {"GET": 80, "POST": 56, "PATCH": 24, "DELETE": 26, "PUT": 7}


@pytest.mark.parametrize(
    ("id", "method", "path"),
    [
        ("offices.create", "POST", "/api/v2/offices"),
        ("offices.update", "PATCH", "/api/v2/offices/{id}"),
        ("offices.primary.get", "GET", "/api/v2/offices/primary"),
        ("offices.e911.update", "PUT", "/api/v2/offices/{id}/e911"),
        ("plan.available_licenses.get", "GET", "/api/v2/offices/{office_id}/available_licenses"),
        ("company.update_settings", "PUT", "/api/v2/company/settings"),
        ("numbers.swap_number.post", "POST", "/api/v2/numbers/swap"),
        ("oauth2.token.post", "POST", "/oauth2/token"),
        ("users.get", "GET", "/api/v2/users/{id}"),
    ],
)
def test_an_operation_has_its_method_and_path(id: str, method: str, path: str) -> None:
    known = V2_OPERATIONS[id]
    assert (known.method, public(known.path)) == (method, path)


@pytest.mark.parametrize(
    ("id", "limit"),
    [
        ("offices.create", Limit(1200, 60)),
        ("contacts.create", Limit(100, 60)),
        ("websockets.create", Limit(250, 60)),
        ("call.get_call_info", Limit(10, 60)),
        ("call.call", Limit(5, 60)),
        ("callrouters.update", Limit(1, 300)),
        ("stats.create", Limit(200, 3600)),
        ("sms.send", Limit(100, 60)),
    ],
)
def test_an_operation_has_its_limit(id: str, limit: Limit) -> None:
    assert V2_OPERATIONS[id].limit == limit


def test_all_but_seventeen_operations_have_the_usual_limit() -> None:
    assert sum(known.limit != USUAL for known in V2_OPERATIONS.values()) == 17


def test_what_an_operation_is_for_is_said_in_two_to_six_words() -> None:
    assert [k.summary for k in V2_OPERATIONS.values() if not 2 <= len(k.summary.split()) <= 6] == []


def test_operations_are_grouped_by_their_resource() -> None:
    assert V2_OPERATIONS["offices.create"].tag == "offices"
    assert V2_OPERATIONS["plan.get"].tag == "offices"
    assert V2_OPERATIONS["oauth2.token.post"].tag == "oauth2"


def test_what_is_not_built_keeps_its_facts_and_has_no_handler() -> None:
    rest = {operation.id: operation for operation in unbuilt({"offices.create", "offices.list"})}
    assert len(rest) == len(V2_OPERATIONS) - 2
    assert "offices.create" not in rest
    assert all(operation.handler is None for operation in rest.values())
    assert rest["call.call"].limit == Limit(5, 60)
    assert rest["call.call"].summary == V2_OPERATIONS["call.call"].summary


@pytest.mark.parametrize(
    ("method", "path", "id"),
    [
        ("GET", "/api/v2/offices/primary", "offices.primary.get"),
        ("GET", "/api/v2/offices/7", "offices.get"),
        ("GET", "/api/v2/users/me", "users.get"),
        ("PATCH", "/api/v2/users/7/activecall", "users.update_active_call"),
        ("GET", "/api/v2/numbers/+14155550100", "numbers.get"),
        ("GET", "/api/v2/callcenters/operators/7/dutystatus", "callcenters.operators.get.dutystatus"),
        ("GET", "/api/v2/callcenters/7/operators", "callcenters.operators.get"),
        ("POST", "/api/v2/rooms/international_pin", "deskphones.rooms.create_international_pin"),
        ("GET", "/api/v2/contacts/a1b2-c3", "contacts.get"),
        ("PATCH", "/api/v2/customivrs/office/7/GREETING", "ivr.update"),
        ("PUT", "/api/v2/company/settings", "company.update_settings"),
    ],
)
def test_every_operation_is_routed_beside_all_others(method: str, path: str, id: str) -> None:
    match = Router(unbuilt(())).find(method, path)
    assert match is not None
    assert match.operation is not None
    assert match.operation.id == id
    assert match.violations == ()
