"""A create that is repeated: with one Idempotency-Key it happens once, and answers the same."""

import time
from typing import Any

import msgspec
import pytest

from offhook.kit import clock
from tests.api.desk import OFFICES, WHOLE, Company, full, office


def _key(value: str = "a-key") -> dict[str, Any]:
    return {"headers": {"idempotency-key": value}}


def _count(company: Company) -> int:
    return len(company.live.get(OFFICES).json["items"])


def test_a_repeated_create_answers_the_same_and_creates_nothing(company: Company):
    first = company.live.made(office(colour="blue"), **_key())
    again = company.live.create(office(colour="blue"), **_key())
    assert again.status == 200
    assert again.response.content == first.response.content
    assert again.warnings == first.warnings != []
    assert "offhook-replayed" not in first.headers
    assert again.headers["offhook-replayed"] == "true"
    assert _count(company) == 2
    assert [event["event"] for event in company.live.events()].count("office.created") == 2


def test_the_answer_is_the_first_one_even_if_the_office_changed_or_is_gone(company: Company):
    first = company.live.made(office(), **_key())
    company.live.patch(f"{OFFICES}/{first.id}", {"monday_hours": []})
    assert company.live.create(office(), **_key()).json == first.json
    company.live.delete(f"/api/offhook/v1/offices/{first.id}")
    assert company.live.create(office(), **_key()).json == first.json
    assert _count(company) == 1


def test_a_body_is_the_same_whatever_its_spacing_and_the_order_of_its_fields(company: Company):
    first = company.live.made(full(), **_key())
    shuffled = dict(reversed(full().items()))
    shuffled["billing_address"] = dict(reversed(shuffled["billing_address"].items()))
    raw = msgspec.json.format(msgspec.json.encode(shuffled), indent=4)
    assert company.live.post(OFFICES, content=raw, **_key()).json == first.json


@pytest.mark.parametrize("change", [{"name": "Other"}, {"colour": "blue"}, {"ring_seconds": 30}, {"hours_on": False}])
def test_the_same_key_with_another_body_is_refused(company: Company, change: dict):
    company.live.made(office(), **_key())
    answer = company.live.create(office(**change), **_key())
    assert answer.status == 409
    assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [("Idempotency-Key", "conflict")]
    assert _count(company) == 2


def test_a_key_is_its_companys_its_environments_and_its_operations(company: Company):
    answers = [
        company.live.made(office(), **_key()),
        company.sandbox.made(office(), **_key()),
        company.desk.found().live.made(office(), **_key()),
        company.live.made(office(), **_key("A-KEY")),
        company.live.made(office()),
        company.live.made(office()),
    ]
    assert len({answer.id for answer in answers}) == 6
    place = f"/api/offhook/v1/offices/{answers[0].id}/holidays/import"
    assert company.live.post(place, {"years": [2026]}, **_key()).status == 200


def test_a_refused_create_may_be_mended_under_the_same_key(company: Company):
    assert company.live.create(office(name=""), **_key()).status == 400
    assert company.live.create(office(mainline_number="+14155550100"), **_key()).status == 400
    made = company.live.made(office(), **_key())
    assert company.live.create(office(), **_key()).id == made.id


def test_a_dry_run_does_not_use_up_a_key(company: Company):
    dry = {"headers": {"idempotency-key": "a-key", "offhook-dry-run": "true"}}
    assert company.live.create(office(name="Dry"), **dry).json["dry_run"] is True
    made = company.live.made(office(), **_key())
    again = company.live.create(office(), **dry)
    assert again.json["dry_run"] is True
    assert again.id != made.id


def test_of_many_creates_under_one_key_at_once_one_happens_and_all_get_its_answer(company: Company):
    answers = company.live.together(company.live.sending("POST", OFFICES, office(), **_key()) for _ in range(30))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.response.content for answer in answers}) == 1
    assert sorted("offhook-replayed" in answer.headers for answer in answers) == [False] + [True] * 29
    assert _count(company) == 2


def test_of_many_different_bodies_under_one_key_at_once_one_is_created(company: Company):
    answers = company.live.together(
        company.live.sending("POST", OFFICES, office(name=f"N{index}"), **_key()) for index in range(20)
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    assert _count(company) == 2


def test_repeated_and_new_creates_arrive_together(company: Company):
    """A used key undoes the fast way for a whole batch; each of the others still gets its own."""
    first = company.live.made(office(), **_key("used"))
    keys = ["used" if index % 3 == 0 else f"new-{index}" for index in range(30)]
    answers = company.live.together(company.live.sending("POST", OFFICES, office(), **_key(key)) for key in keys)
    assert {answer.status for answer in answers} == {200}
    for key, answer in zip(keys, answers, strict=True):
        assert (answer.id == first.id) is (key == "used")
    assert _count(company) == 2 + 20


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb", "a\x7f"])
def test_a_key_is_1_to_255_visible_characters(embedded: Company, key: str):
    answer = embedded.live.create(headers={"idempotency-key": key.encode("latin-1")})
    assert answer.status == 400
    assert answer.places == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["x", "x" * 255, "with spaces: ~!", "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_any_visible_text_can_be_a_key(embedded: Company, key: str):
    made = embedded.live.made(office(), **_key(key))
    assert embedded.live.create(office(), **_key(key)).id == made.id


def test_an_answer_is_kept_for_seven_days(company: Company, monkeypatch: pytest.MonkeyPatch):
    first = company.live.made(office(), **_key())
    for later, same in ((6.99, True), (7.01, False)):
        monkeypatch.setattr(clock, "wall", lambda later=later: time.time() + later * 86_400)  # noqa: TID251 - shifted
        company.desk.offhook.access.forget()
        assert (company.live.made(office(), **_key()).id == first.id) is same
    third = company.live.made(office(), **_key())
    assert third.headers["offhook-replayed"] == "true"


def test_the_callers_clock_has_no_say_in_how_long_an_answer_is_kept(company: Company):
    first = company.sandbox.at("2026-01-01T00:00:00Z").made(office(), **_key())
    again = company.sandbox.at("2030-01-01T00:00:00Z").made(office(), **_key())
    assert again.id == first.id


def test_a_key_used_for_one_office_is_not_for_another(company: Company):
    first, second = (company.live.made(office(name=name)).id for name in ("First", "Second"))
    key = {"idempotency-key": "one key"}
    body = {"years": [2026], "country": "US"}
    assert company.live.post(f"{WHOLE}/{first}/holidays/import", body, headers=key).status == 200
    assert company.live.post(f"{WHOLE}/{second}/holidays/import", body, headers=key).status == 409
    assert company.live.get(f"{WHOLE}/{second}/special-days").json["days"] == []


def test_the_same_create_otherwise_written_is_the_same(company: Company):
    key = {"idempotency-key": "same"}
    first = company.live.create(office(ring_seconds=30), headers=key)
    for body in (office(ring_seconds="30"), office(ring_seconds=30, billing_contact=None)):
        again = company.live.create(body, headers=key)
        assert again.status == 200
        assert again.id == first.id
    assert company.live.create(office(ring_seconds=31), headers=key).status == 409
    assert company.live.dry(office(ring_seconds=31), headers=key).status == 409
