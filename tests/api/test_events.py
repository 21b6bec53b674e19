"""The outbox: every change with who, when, before and after, in the order of commit, and nothing else."""

from typing import Any

import pytest

from offhook.events.model import Word
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, full, office, routing, state

EVENTS = "/api/offhook/v1/events"


def _since(company: Company, seen: int) -> list[dict[str, Any]]:
    return company.sandbox.events()[seen:]


def test_a_new_company_begins_with_what_made_it(company: Company):
    found = company.live.events()
    assert [event["event"] for event in found] == ["company.created", "office.created", "key.created"]
    assert found[1]["actor"] == {"name": "offhook init"}
    assert found[0]["actor"] == {"name": "offhook"}
    assert found[0]["subject_id"] == str(company.id)
    assert company.live.key not in str(found)


def test_a_create_leaves_its_event_with_the_whole_office(company: Company):
    made = company.sandbox.made(full(mainline_number=company.numbers[0]))
    created, assigned = company.sandbox.events()[-2:]
    assert created["event"] == "office.created"
    assert created["subject_id"] == made.id
    assert "before" not in created
    assert created["after"] == company.sandbox.get(f"{WHOLE}/{made.id}").json
    assert created["request_id"] == made.headers["x-request-id"]
    assert created["actor"]["name"] == "first sandbox key"
    assert int(created["actor"]["key_id"])
    assert assigned["event"] == "number.assigned"
    assert assigned["subject_id"] == company.numbers[0]
    assert assigned["after"] == {"number": company.numbers[0], "target_type": "office", "target_id": made.id}


def test_every_later_change_is_written_down_with_before_and_after(company: Company):
    caller, numbers = company.sandbox, company.numbers
    made = caller.made(office(mainline_number=numbers[0])).id
    seen = len(caller.events())
    steps: list[tuple[str, Any, list[str]]] = [
        ("PATCH", (f"{OFFICES}/{made}", {"monday_hours": []}), ["office.hours_updated"]),
        ("PUT", (f"{OFFICES}/{made}/e911", {"address": "Rua Augusta 1", "city": "Lisboa", "state": "Lisboa",
                 "zip": "1100-053", "country": "PT"}), ["office.emergency_address_updated"]),
        ("PUT", (f"{WHOLE}/{made}", office(mainline_number=numbers[1])),
         ["number.released", "number.assigned", "office.updated"]),
        ("PUT", (f"{WHOLE}/{made}/special-days", {"days": [{"date": "2026-12-24", "name": "Eve"}]}),
         ["office.special_days_updated"]),
        ("DELETE", (f"{WHOLE}/{made}/special-days/2026-12-24", None), ["office.special_days_updated"]),
        ("POST", (f"{WHOLE}/{made}/holidays/import", {"years": [2026]}), ["office.special_days_updated"]),
        ("DELETE", (f"{WHOLE}/{made}", None), ["number.released", "office.deleted"]),
    ]  # fmt: skip
    before = caller.get(f"{WHOLE}/{made}").json
    for method, (path, body), words in steps:
        answer = caller.send(method, path, body)
        assert answer.status == 200, answer
        new = _since(company, seen)
        assert [event["event"] for event in new] == words
        assert {event["request_id"] for event in new} == {answer.headers["x-request-id"]}
        after = caller.get(f"{WHOLE}/{made}")
        of_office = new[-1]
        assert of_office["subject_id"] == made
        assert _timeless(of_office["before"]) == _timeless(before)
        if of_office["event"] == "office.deleted":
            assert "after" not in of_office
        else:
            assert _timeless(of_office["after"]) == _timeless(after.json)
            before = after.json
        seen += len(new)


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what depends on the moment it was read."""
    return {**record, "office": {n: v for n, v in record["office"].items() if n != "availability_status"}}


def test_what_did_not_happen_is_not_written_down(company: Company):
    caller = company.sandbox
    made = caller.made(office()).id
    seen = len(caller.events())
    caller.create(office(name=""))
    caller.create(office(mainline_number="+14155559999"))
    caller.create(office(routing_options=routing(state(action="department", action_target_type="office",
                                                       action_target_id=1))))  # fmt: skip
    caller.dry(office())
    caller.patch(f"{OFFICES}/{made}", {"monday_hours": ["x"]})
    caller.patch(f"{OFFICES}/{made}", {}, headers={"if-match": '"9"'})
    caller.put(f"{OFFICES}/{made}/e911", ADDRESSES["US"])
    caller.delete(f"{WHOLE}/{company.office_ids['sandbox']}")
    caller.delete(f"{WHOLE}/{made}", headers={"if-match": '"9"'})
    caller.delete(f"{WHOLE}/{made}/special-days/2026-12-24")
    caller.get(f"{OFFICES}/{made}")
    assert _since(company, seen) == []


def test_the_vocabulary_is_closed(company: Company):
    caller = company.sandbox
    made = caller.made(full()).id
    caller.patch(f"{OFFICES}/{made}", {})
    words = {str(word) for word in Word}
    assert {event["event"] for event in caller.events()} <= words
    assert all(word.count(".") == 1 and word == word.lower() for word in words)


def test_events_are_in_the_order_of_commit_and_numbered_upwards(company: Company):
    caller = company.live
    answers = caller.together(caller.sending("POST", OFFICES, office(name=f"N{index}")) for index in range(40))
    events = caller.events()
    numbers = [int(event["seq"]) for event in events]
    assert numbers == sorted(set(numbers))
    created = [event["subject_id"] for event in events if event["event"] == "office.created"]
    assert sorted(created[1:]) == sorted(answer.id for answer in answers)


def test_a_cursor_polls_for_what_comes(company: Company):
    caller = company.live
    page = caller.get(f"{EVENTS}?limit=2").json
    assert len(page["items"]) == 2
    rest = caller.get(f"{EVENTS}?cursor={page['cursor']}").json
    assert len(rest["items"]) == 1
    empty = caller.get(f"{EVENTS}?cursor={rest['cursor']}").json
    assert "items" not in empty
    made = caller.made().id
    new = caller.get(f"{EVENTS}?cursor={empty['cursor']}").json["items"]
    assert [event["subject_id"] for event in new] == [made]


@pytest.mark.parametrize("limit", ["0", "501", "x"])
def test_a_page_of_events_has_bounds(embedded: Company, limit: str):
    assert embedded.live.get(f"{EVENTS}?limit={limit}").places == ["limit"]


def test_the_moment_of_an_event_is_the_callers(company: Company):
    made = company.sandbox.at("2026-12-24T17:59:59Z").made()
    event = company.sandbox.events()[-1]
    assert event["subject_id"] == made.id
    assert event["at"] == "1798135199000"
