"""The v2 wire: 64-bit integers as strings, what is left out, cursors, queries, odd but honest requests."""

from typing import Any

import msgspec
import pytest
from itsdangerous import TimestampSigner

from offhook.kit import clock
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, Desk, full, in_parts, office

COUNTED = {
    "id", "office_id", "ring_seconds", "action_target_id", "next_billing_date", "version", "created_at", "updated_at",
    "invoice_office_id", "committed_until", "office_count", "seq", "at", "key_id",
}  # fmt: skip
"""The names of 64-bit integers; so are those that end in _lines."""


def _walk(value: Any, name: str = "") -> Any:
    yield name, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, name)


def _everything(company: Company) -> list[Any]:
    """Answers of all operations of v2 that read or write offices."""
    live = company.live
    made = live.made(full())
    place = f"{OFFICES}/{made.id}"
    return [
        made.json,
        live.get(OFFICES).json,
        live.get(f"{OFFICES}/primary").json,
        live.get(place).json,
        live.patch(place, {"hours_on": True, "saturday_hours": []}).json,
        live.get(f"{place}/e911").json,
        live.put(f"{place}/e911", ADDRESSES["US"]).json,
        live.get(f"{place}/plan").json,
        live.get(f"{place}/available_licenses").json,
        live.get(f"{place}/offdutystatuses").json,
        live.get("/api/v2/company").json,
    ]


def test_64_bit_integers_leave_as_strings_and_nothing_else_is_a_number(company: Company):
    for answer in _everything(company):
        for name, value in _walk(answer):
            assert isinstance(value, str | bool | dict | list), (name, value)
            if name in COUNTED or name.endswith("_lines"):
                assert isinstance(value, str), name
                assert str(int(value)) == value, name


def test_nulls_and_empty_lists_are_left_out_and_false_and_nought_stay(company: Company):
    answers = _everything(company)
    for answer in answers:
        for name, value in _walk(answer):
            assert value is not None, name
            assert value != [], name
    assert answers[0]["office"]["is_primary_office"] is False
    assert answers[0]["plan"]["talk_lines"] == "0"


def test_countries_leave_in_lower_case(company: Company):
    for answer in _everything(company):
        for name, value in _walk(answer):
            if name == "country":
                assert value == value.lower(), value


def test_ids_survive_javascript(company: Company):
    assert int(company.live.made().id) < 2**53


@pytest.mark.parametrize("as_text", [True, False])
def test_64_bit_integers_may_come_as_numbers_or_as_strings(company: Company, as_text: bool):
    target: Any = company.office_ids["live"]
    ring: Any = 20
    if as_text:
        target, ring = str(target), str(ring)
    opened = {
        "action": "department", "try_dial_operators": True, "action_target_type": "office", "action_target_id": target,
    }  # fmt: skip
    closed = {"action": "voicemail", "try_dial_operators": False}
    answer = company.live.made(office(ring_seconds=ring, routing_options={"open": opened, "closed": closed}))
    assert answer.office["ring_seconds"] == "20"
    assert answer.office["routing_options"]["open"]["action_target_id"] == str(company.office_ids["live"])


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_slashes_doubled_in_front_of_the_path_are_one(embedded: Company, slashes: str):
    path = f"{slashes}{OFFICES.lstrip('/')}"
    assert embedded.live.get(path).status == 200
    assert embedded.live.post(path, office()).status == 200


def test_a_json_body_on_a_delete_is_read_and_does_no_harm(company: Company):
    first, second = company.live.made().id, company.live.made().id
    assert company.live.delete(f"{WHOLE}/{first}", {"user_id": 1}).status == 200
    assert company.live.delete(f"{WHOLE}/{second}", content=b"not json").status == 200


def test_a_body_on_a_get_does_no_harm(embedded: Company):
    assert embedded.live.send("GET", OFFICES, {"cursor": "x"}).status == 200


def test_a_body_may_come_in_parts(company: Company):
    raw = msgspec.json.encode(full())
    headers = {"content-type": "application/json"}
    answer = company.live.post(OFFICES, content=in_parts(raw[:1], raw[1:700], b"", raw[700:]), headers=headers)
    assert answer.status == 200


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", " application/json ;x=y"])
def test_the_media_type_may_have_parameters_and_any_case(embedded: Company, media: str):
    assert embedded.live.create(headers={"content-type": media}).status == 200


# Lists


def _names(answer: Any) -> list[str]:
    return [item["name"] for item in answer.json.get("items", [])]


def _pages(caller: Any, query: str = "") -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        answer = caller.get(f"{OFFICES}?limit=2&cursor={cursor}{query}")
        assert answer.status == 200, answer
        pages.append(_names(answer))
        cursor = answer.json.get("cursor", "")
        if not cursor:
            return pages


def test_a_list_goes_page_by_page_oldest_first_and_ends_without_a_cursor(company: Company):
    for name in "BCDE":
        company.live.made(office(name=name))
    assert _pages(company.live) == [["Head office", "B"], ["C", "D"], ["E"]]
    company.live.made(office(name="F"))
    assert _pages(company.live) == [["Head office", "B"], ["C", "D"], ["E", "F"]]
    assert "cursor" not in company.live.get(OFFICES).json


def test_a_page_has_a_hundred_offices_unless_said(embedded: Company):
    answers = embedded.live.together(embedded.live.sending("POST", OFFICES, office()) for _ in range(100))
    assert {answer.status for answer in answers} == {200}
    first = embedded.live.get(OFFICES)
    assert len(first.json["items"]) == 100
    second = embedded.live.get(f"{OFFICES}?cursor={first.json['cursor']}")
    assert len(second.json["items"]) == 1
    assert "cursor" not in second.json


def test_offices_made_or_deleted_between_two_pages_do_not_disturb_the_list(company: Company):
    second, third = (company.live.made(office(name=name)).id for name in "BC")
    cursor = company.live.get(f"{OFFICES}?limit=2").json["cursor"]
    company.live.delete(f"{WHOLE}/{second}")
    company.live.made(office(name="D"))
    assert _names(company.live.get(f"{OFFICES}?limit=2&cursor={cursor}")) == ["C", "D"]
    company.live.delete(f"{WHOLE}/{third}")
    assert _names(company.live.get(f"{OFFICES}?limit=2&cursor={cursor}")) == ["D"]


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "tRuE", "false", "False", ""])
def test_booleans_in_a_query_come_in_any_case_and_empty_ones_are_absent(embedded: Company, value: str):
    embedded.live.made()
    embedded.live.made()
    assert len(_pages(embedded.live, f"&active_only={value}")) == 2


@pytest.mark.parametrize(
    "query", ["cursor=", "cursor=&active_only=&limit=", "&&", "cursor", "unknown=", "%20=", "=", "cursor=&cursor="]
)
def test_empty_query_values_are_absent(embedded: Company, query: str):
    answer = embedded.live.get(f"{OFFICES}?{query}")
    assert answer.status == 200
    assert not answer.warnings


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("active_only=maybe", "active_only"),
        ("active_only=2", "active_only"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("active_only=true&active_only=false", "active_only"),
        ("cursor=a&cursor=b", "cursor"),
        ("limit=%00", "limit"),
        ("limit=%ff", "limit"),
    ],
)
def test_a_query_value_that_cannot_be_read_is_refused_and_named(embedded: Company, query: str, place: str):
    answer = embedded.live.get(f"{OFFICES}?{query}")
    assert answer.status == 400
    assert answer.places == [place]


def test_all_query_values_that_cannot_be_read_are_named_together(embedded: Company):
    assert embedded.live.get(f"{OFFICES}?limit=0&active_only=x").places == ["active_only", "limit"]


def test_unknown_query_parameters_are_ignored_aloud(embedded: Company):
    answer = embedded.live.get(f"{OFFICES}?colour=blue&limit=5")
    assert answer.status == 200
    assert [(warning.code, warning.field) for warning in answer.warnings] == [("unknown_parameter", "colour")]


# Cursors


def _cursor(company: Company, query: str = "") -> str:
    company.live.made()
    cursor: str = company.live.get(f"{OFFICES}?limit=1{query}").json["cursor"]
    return cursor


def _refused(company: Company, path: str) -> str:
    answer = company.live.get(path)
    assert answer.status == 400, answer
    assert answer.places == ["cursor"]
    return answer.errors[0]["message"]


def test_a_cursor_that_was_tampered_with_is_refused(company: Company):
    cursor = _cursor(company)
    body, moment, signature = cursor.rsplit(".", 2)
    forged = [
        "x",
        cursor[:-1],
        f"{cursor}x",
        f"{body}.{moment}",
        f"{body}.{signature}.{moment}",
        f"{body[:-1]}{'A' if body[-1] != 'A' else 'B'}.{moment}.{signature}",
        "..",
        "%00",
        "%ff%fe",
        "🏢",
        "x" * 6000,
        '["offices",1,[false],1]',
    ]
    for wrong in forged:
        assert "not a cursor" in _refused(company, f"{OFFICES}?cursor={wrong}"), wrong


def test_a_cursor_of_another_list_or_filter_is_refused(company: Company):
    cursor = _cursor(company)
    assert "another list" in _refused(company, f"/api/offhook/v1/events?cursor={cursor}")
    assert "filters" in _refused(company, f"{OFFICES}?active_only=true&cursor={cursor}")
    filtered = _cursor(company, "&active_only=true")
    assert "filters" in _refused(company, f"{OFFICES}?cursor={filtered}")
    events = company.live.get("/api/offhook/v1/events?limit=1").json["cursor"]
    assert "another list" in _refused(company, f"{OFFICES}?cursor={events}")


def test_a_cursor_of_another_company_or_environment_is_refused(desk: Desk):
    company, other = desk.found(), desk.found()
    cursor = _cursor(company)
    for caller in (other.live, company.sandbox):
        assert caller.get(f"{OFFICES}?cursor={cursor}").places == ["cursor"]


def test_a_cursor_is_good_for_seven_days(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    cursor = _cursor(embedded)
    days = 86_400
    for later, status in ((6.99 * days, 200), (7.01 * days, 400)):
        with monkeypatch.context() as patch:
            patch.setattr(TimestampSigner, "get_timestamp", lambda _, later=later: int(clock.wall() + later))
            answer = embedded.live.get(f"{OFFICES}?cursor={cursor}")
        assert answer.status == status, answer
    assert "older than 7 days" in answer.errors[0]["message"]


# Ids in a path


@pytest.mark.parametrize("wrong", ["x", "1.5", "-", "9223372036854775808", "1" * 40, "%20", "1%0a", "٣", "0x10", "1e3"])
def test_an_id_that_is_no_64_bit_integer_is_refused_and_named(embedded: Company, wrong: str):
    answer = embedded.live.get(f"{OFFICES}/{wrong}")
    assert answer.status == 400
    assert answer.places == ["id"]


@pytest.mark.parametrize("nobody", ["0", "-1", "1", "9223372036854775807", "-9223372036854775808", "007"])
def test_an_id_that_nobody_has_is_not_found(company: Company, nobody: str):
    for tail in ("", "/e911", "/plan", "/available_licenses", "/offdutystatuses"):
        assert company.live.get(f"{OFFICES}/{nobody}{tail}").status == 404
    assert company.live.patch(f"{OFFICES}/{nobody}", {}).status == 404
    assert company.live.put(f"{OFFICES}/{nobody}/e911", ADDRESSES["US"]).status == 404
    assert company.live.get(f"{WHOLE}/{nobody}").status == 404
    assert company.live.put(f"{WHOLE}/{nobody}", office()).status == 404
    assert company.live.delete(f"{WHOLE}/{nobody}").status == 404


def test_a_request_that_needs_a_body_and_has_none_is_told_so(company: Company):
    caller = company.live
    for method, path in (("DELETE", f"{OFFICES}/{company.office_ids['live']}/operators"), ("POST", OFFICES)):
        answer = caller.send(method, path, None, headers={"content-type": ""})
        assert answer.status == 400, answer
        assert "came without one" in answer.response.text
