"""Companies and environments do not see each other: what is another's is not there, to every operation."""

from typing import Any

import pytest

from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Answer, Api, Company, Desk, full, office, routing, state

DAYS = {"days": [{"date": "2026-12-24", "name": "Eve"}]}
OPERATIONS: list[tuple[str, str, Any]] = [
    ("GET", OFFICES + "/{id}", None),
    ("PATCH", OFFICES + "/{id}", {"hours_on": False}),
    ("GET", OFFICES + "/{id}/e911", None),
    ("PUT", OFFICES + "/{id}/e911", ADDRESSES["US"]),
    ("GET", OFFICES + "/{id}/plan", None),
    ("GET", OFFICES + "/{id}/available_licenses", None),
    ("GET", OFFICES + "/{id}/offdutystatuses", None),
    ("GET", WHOLE + "/{id}", None),
    ("PUT", WHOLE + "/{id}", office()),
    ("DELETE", WHOLE + "/{id}", None),
    ("GET", WHOLE + "/{id}/opening-periods", None),
    ("GET", WHOLE + "/{id}/special-days", None),
    ("PUT", WHOLE + "/{id}/special-days", DAYS),
    ("DELETE", WHOLE + "/{id}/special-days/2026-12-24", None),
    ("POST", WHOLE + "/{id}/holidays/import", {"years": [2026]}),
]


@pytest.fixture
def strangers(desk: Desk) -> list[tuple[str, Api]]:
    """Callers who may not know of `company`'s live offices."""
    other = desk.found()
    return [("another company", other.live), ("another company's sandbox", other.sandbox)]


def _without_id(answer: Answer, office_id: str) -> str:
    return answer.response.text.replace(office_id, "ID")


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS, ids=[f"{m} {p}" for m, p, _ in OPERATIONS])
def test_anothers_office_is_not_there(company: Company, strangers: list, method: str, path: str, body: Any):
    made = company.live.made(office()).id
    before = company.live.get(f"{WHOLE}/{made}").json
    for who, caller in [*strangers, ("the company's own sandbox", company.sandbox)]:
        answer = caller.send(method, path.replace("{id}", made), body)
        assert answer.status == 404, who
        nobody = caller.send(method, path.replace("{id}", "1234567"), body)
        assert _without_id(answer, made) == _without_id(nobody, "1234567"), who
    assert company.live.get(f"{WHOLE}/{made}").json == before


def test_the_operations_above_are_all_that_name_an_office(desk: Desk):
    documented = {
        (method.upper(), path)
        for path, methods in desk.offhook.document["paths"].items()
        for method in methods
        if "{" in path and method in ("get", "put", "post", "patch", "delete")
    }
    named = {(m, p.replace("{id}/plan", "{office_id}/plan").replace("{id}/avail", "{office_id}/avail")
              .replace("2026-12-24", "{date}")) for m, p, _ in OPERATIONS}  # fmt: skip
    assert documented == named


def test_lists_and_events_hold_only_ones_own(company: Company, strangers: list):
    made = company.live.made(office(name="Secret Lisbon")).id
    for _, caller in [*strangers, ("", company.sandbox)]:
        for path in (OFFICES, "/api/offhook/v1/events?limit=500", f"{OFFICES}/primary"):
            answer = caller.get(path)
            assert answer.status == 200
            assert made not in answer.response.text
            assert "Secret" not in answer.response.text
        assert caller.get("/api/v2/company").json["office_count"] == "1"


def test_anothers_office_is_no_target(company: Company, strangers: list):
    made = company.live.made(office()).id
    called = routing(state(action="department", action_target_type="office", action_target_id=made))
    for _, caller in [*strangers, ("", company.sandbox)]:
        assert caller.refused(office(routing_options=called)) == ["routing_options.open.action_target_id"]
        assert caller.dry(office(routing_options=called)).status == 400
    # So nobody else can keep an office from being deleted either.
    assert company.live.delete(f"{WHOLE}/{made}").status == 200


def test_the_primary_offices_of_the_two_environments_are_their_own(company: Company):
    live, sandbox = (str(company.office_ids[name]) for name in ("live", "sandbox"))
    assert live != sandbox
    company.live.patch(f"{OFFICES}/{live}", {"monday_hours": []})
    assert "monday_hours" in company.sandbox.get(f"{OFFICES}/{sandbox}").json
    company.sandbox.put(f"{WHOLE}/{sandbox}", full(currency="EUR"))
    assert company.sandbox.create(office(unified_billing=True)).status == 200
    assert company.live.create(office(unified_billing=True)).places == ["currency"]
