"""Every field path of the create, one by one: type, required or not, allowed values, one line, default."""

from typing import Any

import pytest

from tests.api.desk import REMOVED, WHOLE, Company, full, office, placed, steps
from tests.api.seed_fields import COUNTRIES, FIELDS, WORKDAY, WRONG, Field, every_field

LINES = [field for field in FIELDS if field.one_line]


def _named(fields: Any) -> list[Any]:
    return [pytest.param(field, id=field.path) for field in fields]


def _every(company: Company) -> dict[str, Any]:
    return every_field(str(company.office_ids["sandbox"]), company.numbers[0])


def _apart(company: Company) -> dict[str, Any]:
    """The same without the two fields whose rules look at other fields."""
    together = ("use_same_address", "no_operators_action")
    return {name: value for name, value in _every(company).items() if name not in together}


def _paths(value: Any, prefix: str = "") -> set[str]:
    """The field paths that a body has, in the form of the table."""
    found = set()
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if isinstance(inner, list):
            found.add(f"{path}[]")
            for item in inner:
                found |= _paths(item, f"{path}[].") if isinstance(item, dict) else set()
        else:
            found.add(path)
            found |= _paths(inner, f"{path}.") if isinstance(inner, dict) else set()
    return found


def _at(body: Any, path: str) -> Any:
    for step in steps(path):
        body = body[step]
    return body


def test_there_are_seventy_fields_and_the_whole_body_has_them_all():
    paths = [field.path for field in FIELDS]
    assert len(paths) == len(set(paths)) == 70
    assert _paths(every_field("1", "+16135550100")) == set(paths)


def test_a_body_with_every_field_is_accepted_and_comes_back_whole(company: Company):
    sent = _every(company)
    answer = company.sandbox.made(sent)
    # It has keys in both states, of which neither plays a menu; nothing else is said of it.
    assert answer.warned == {("keys_unreachable", f"routing_options.{state}.dtmf") for state in ("open", "closed")}
    stored = company.sandbox.get(f"{WHOLE}/{answer.id}").office
    billing = stored["billing"]
    got = {
        **{name: stored[name] for name in sent if name in stored},
        **{name: billing[name] for name in sent if name in billing},
        "billing_address": billing["address"] | {"country": billing["address"]["country"].upper()},
        "billing_contact": billing["contact"],
        "e911_address": stored["e911_address"] | {"country": stored["e911_address"]["country"].upper()},
        "country": stored["country"].upper(),
        "ring_seconds": int(stored["ring_seconds"]),
    }
    assert got == sent


def test_no_field_of_the_table_is_unknown(embedded: Company):
    assert "unknown_field" not in embedded.sandbox.dry(_every(embedded)).codes


@pytest.mark.parametrize("field", _named(FIELDS))
def test_another_type_is_refused_and_the_field_is_named(embedded: Company, field: Field):
    body = _apart(embedded)
    for wrong in WRONG[field.kind]:
        assert embedded.sandbox.refused(placed(body, field.place, wrong)) == [field.place], wrong


@pytest.mark.parametrize("field", _named(f for f in FIELDS if f.kind in ("hours", "menu")))
def test_an_entry_of_another_type_is_refused_and_the_entry_is_named(embedded: Company, field: Field):
    body = _apart(embedded)
    wrong: tuple[Any, ...] = (5, True, None, ["08:00"]) if field.kind == "hours" else ("0", 5, None, [])
    for entry in wrong:
        good = ["08:00"] if field.kind == "hours" else [{"input": "0"}]
        refused = embedded.sandbox.refused(placed(body, field.place, [*good, entry]))
        assert refused == [f"{field.place}[1]"], entry


@pytest.mark.parametrize("field", _named(f for f in FIELDS if f.required))
@pytest.mark.parametrize("gone", [REMOVED, None], ids=["missing", "null"])
def test_a_required_field_that_is_missing_or_null_is_asked_for(embedded: Company, field: Field, gone: Any):
    answer = embedded.sandbox.create(placed(_apart(embedded), field.place, gone))
    assert answer.status == 400
    assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [(field.place, "required")]


@pytest.mark.parametrize(
    "field",
    # Only a target can do without the other half of what names it.
    _named(f for f in FIELDS if not f.required and "action_target" not in f.path),
)
def test_an_optional_field_may_be_missing_and_null_says_the_same(embedded: Company, field: Field):
    body = _apart(embedded)
    if field.path.endswith("options.action"):
        # A key without an action has no target either.
        body = placed(body, field.place.removesuffix(".action"), {})
    if field.path == "e911_address":
        body = placed(body, "use_same_address", True)
    without, null = (embedded.sandbox.dry(placed(body, field.place, gone)) for gone in (REMOVED, None))
    assert without.status == null.status == 200, (without, null)
    assert _lasting(without.json) == _lasting(null.json)


def _lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """What a dry run answers, without what the moment and the id make of it."""
    passing = ("id", "office_id", "availability_status")
    office_now = {name: value for name, value in answer["office"].items() if name not in passing}
    return {"office": office_now, "plan": answer["plan"], "warnings": answer.get("warnings")}


@pytest.mark.parametrize("field", _named(f for f in FIELDS if not f.required and "action_target" in f.path))
def test_half_a_target_is_refused_and_the_other_half_is_asked_for(embedded: Company, field: Field):
    for gone in (REMOVED, None):
        answer = embedded.sandbox.create(placed(_apart(embedded), field.place, gone))
        assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [(field.place, "required")]


@pytest.mark.parametrize("field", _named(f for f in FIELDS if f.values))
def test_a_value_that_is_not_on_the_list_is_refused_and_all_allowed_ones_are_said(embedded: Company, field: Field):
    body = _apart(embedded)
    own = _at(_every(embedded), field.place)
    for wrong in ("", "bogus", own.swapcase(), f" {own}", f"{own}\n"):
        answer = embedded.sandbox.create(placed(body, field.place, wrong))
        assert answer.places == [field.place], wrong
        assert all(value in answer.errors[0]["message"] for value in field.values)


@pytest.mark.parametrize("field", _named(f for f in FIELDS if f.values))
def test_each_value_on_the_list_is_taken_as_a_value(embedded: Company, field: Field):
    """Rules between fields may still refuse it; then they say something else than the list."""
    body = _every(embedded)
    for value in field.values:
        answer = embedded.sandbox.dry(placed(body, field.place, value))
        if answer.status != 200:
            assert not any("Must be one of" in entry["message"] for entry in answer.errors), value


BREAKS = {
    "line feed": "a\nb",
    "carriage return": "a\rb",
    "line feed at the end": "Lisbon\n",
    "line feed in front": "\nLisbon",
    "tab": "a\tb",
    "NUL": "a\0b",
    "escape": "a\x1bb",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
}


@pytest.mark.parametrize("field", _named(LINES))
def test_a_single_line_has_no_line_break_and_no_control_character(embedded: Company, field: Field):
    body = _apart(embedded)
    for what, text in BREAKS.items():
        assert embedded.sandbox.refused(placed(body, field.place, text)) == [field.place], what


@pytest.mark.parametrize("field", _named(f for f in LINES if f.required))
@pytest.mark.parametrize("empty", ["", " ", "\u00a0\u2003", "\u200b"])
def test_a_required_line_is_not_empty(embedded: Company, field: Field, empty: str):
    body = _apart(embedded)
    assert embedded.sandbox.refused(placed(body, field.place, empty)) == [field.place]


@pytest.mark.parametrize(
    "place", ["name", "billing_address.address_line_1", "billing_address.address_line_2", "billing_address.city",
              "billing_contact.name", "e911_address.address", "e911_address.address2", "e911_address.city"]
)  # fmt: skip
def test_a_line_has_at_most_256_characters_and_is_trimmed(embedded: Company, place: str):
    body = _apart(embedded)
    for letter in ("x", "é", "🏢"):
        longest = letter * 256
        answer = embedded.sandbox.made(changed_number(placed(body, place, f"  {longest} ")))
        stored = embedded.sandbox.get(f"{WHOLE}/{answer.id}").office
        billed = {"billing_address": stored["billing"]["address"], "billing_contact": stored["billing"]["contact"]}
        assert _at(stored | billed, place) == longest
        for long in (longest + letter, letter * 1024, letter * 5000):
            assert embedded.sandbox.refused(placed(body, place, long)) == [place]


def changed_number(body: dict[str, Any]) -> dict[str, Any]:
    """The same without a number, which only one office can have."""
    return {name: value for name, value in body.items() if name != "mainline_number"}


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_of_the_list_can_have_an_office(embedded: Company, country: str):
    from tests.api.desk import ADDRESSES

    answer = embedded.live.dry(office(country=country, e911_address=ADDRESSES.get(country)))
    assert answer.status == 200, answer
    assert answer.office["country"] == country.lower()


def test_what_is_not_sent_takes_the_default_that_the_page_states(company: Company):
    required = {field.path.partition(".")[0] for field in FIELDS if field.required and "." not in field.path}
    body = {name: value for name, value in office().items() if name in required}
    answer = company.live.made(body)
    stored = company.live.get(f"{WHOLE}/{answer.id}").office
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday"):
        assert stored[f"{day}_hours"] == WORKDAY
    assert "saturday_hours" not in stored
    assert "sunday_hours" not in stored
    assert stored["hours_on"] is False
    assert stored["auto_call_recording"] is False
    assert stored["international_enabled"] is False
    assert stored["voice_intelligence"] == {"auto_start": True, "allow_pause": True}
    assert stored["ring_seconds"] == "30"
    assert stored["use_same_address"] is False
    assert stored["group_description"] == ""
    assert (stored["first_action"], stored["no_operators_action"]) == ("operators", "voicemail")
    assert stored["routing_options"]["open"]["try_dial_operators"] is True
    assert stored["routing_options"]["closed"]["try_dial_operators"] is False
    assert "phone_numbers" not in stored
    assert "e911_address" not in stored


def test_half_of_voice_intelligence_leaves_the_other_half_at_its_default(embedded: Company):
    for sent, expected in (
        ({}, (True, True)),
        ({"auto_start": False}, (False, True)),
        ({"allow_pause": False}, (True, False)),
        ({"auto_start": None, "allow_pause": False}, (True, False)),
    ):
        answer = embedded.live.made(full(voice_intelligence=sent))
        stored = embedded.live.get(f"{WHOLE}/{answer.id}").office["voice_intelligence"]
        assert (stored["auto_start"], stored["allow_pause"]) == expected
