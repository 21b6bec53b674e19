"""Creating an office in a form, by its own buttons alone: rules in place, values kept, warnings before and once."""

import pytest

from offhook.console import create, words
from offhook.console.forms import shape
from tests.api.desk import Company, Desk
from tests.console.visitor import Page, Visitor

NEW = "/console/offices/new"
LISBON = {
    "name": "Lisbon",
    "country": "PT",
    "timezone": "Europe/Lisbon",
    "currency": "EUR",
    "billing_address.address_line_1": "Rua Augusta 100",
    "billing_address.city": "Lisboa",
    "billing_address.region": "Lisboa",
    "billing_address.postal_code": "1100-053",
    "billing_address.country": "PT",
    "monday_hours": "09:00-12:30, 14:00-18:00",
    "do": "create",
}


def sent(visitor: Visitor, page: Page | None = None, **changes: str | None) -> Page:
    """The form with Lisbon in it, or what a page of it held, and some inputs changed."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    if page is None:
        return visitor.send(visitor.get(NEW), NEW, {**LISBON, **named})
    return visitor.send(page, NEW, named)


def value(page: Page, name: str) -> str:
    return dict(page.form(NEW).values).get(name, "")


def at_input(page: Page, name: str) -> dict[str, str]:
    return next(one for kind in ("input", "select", "textarea") for one in page.tags(kind) if one.get("name") == name)


def created(visitor: Visitor, embedded: Company) -> list[str]:
    return [one["name"] for one in embedded.sandbox.get("/api/v2/offices").json["items"]]


# The form


def test_the_form_has_an_input_for_every_field_of_the_api(sqlite_desk: Desk):
    of = shape(sqlite_desk.offhook.document, "OfficeIn")
    shown = {path for group in create.LAYOUT for path in group.paths}
    assert shown | create.LEFT_OUT == set(of.inputs) | set(of.rows)


def test_every_choice_has_words(sqlite_desk: Desk):
    of = shape(sqlite_desk.offhook.document, "OfficeIn")
    actions = of.inputs["routing_options.open.action"].choices
    strategies = of.inputs["routing_options.open.operator_routing"].choices
    assert set(actions) == set(words.ACTIONS)
    assert set(actions) | set(strategies) <= set(words.CHOICES)


def test_an_input_has_its_rule_beside_it_from_the_api_s_own_description(visitor: Visitor):
    page = visitor.get(NEW)
    assert "How long the line rings before the action, 10 to 45; 30 unless said." in page.text
    assert "Its main line: a free number of the company, E.164." in page.text
    for name in ("name", "country", "currency", "billing_address.city"):
        assert at_input(page, name)["aria-required"] == "true"
    for name in ("timezone", "billing_contact.email", "e911_address.city"):
        assert "aria-required" not in at_input(page, name)


def test_every_input_has_a_label_and_names_what_describes_it(visitor: Visitor):
    page = sent(visitor, do="add:routing_options.open.dtmf")
    labelled = {one["for"] for one in page.tags("label")}
    ids = {one["id"] for kind in ("div", "p") for one in page.tags(kind) if "id" in one}
    for kind in ("input", "select", "textarea"):
        for one in page.tags(kind):
            if one.get("type") == "hidden":
                continue
            assert one["id"] in labelled, one
            assert set(one.get("aria-describedby", "").split()) <= ids, one


def test_the_free_numbers_are_offered(visitor: Visitor, embedded: Company):
    offered = [one["value"] for one in visitor.get(NEW).tags("option") if one["value"].startswith("+")]
    assert offered[0] == sorted(embedded.numbers)[0]
    assert len(offered) == create.FREE_NUMBERS


# What is wrong


def test_all_faults_stand_at_their_inputs_and_values_are_kept(visitor: Visitor, embedded: Company):
    page = sent(visitor, name="", timezone="Europe/Lisboa", ring_seconds="60", monday_hours="09:00-25:00")
    assert page.status == 400
    verdict = page.part("verdict")
    assert "4 to mend" in verdict
    for name in ("name", "timezone", "ring_seconds", "monday_hours"):
        assert at_input(page, name)["aria-invalid"] == "true"
    assert "aria-invalid" not in at_input(page, "currency")
    assert "Did you mean Europe/Lisbon" in page.text
    assert value(page, "timezone") == "Europe/Lisboa"
    assert value(page, "monday_hours") == "09:00-25:00"
    assert value(page, "country") == "PT"
    assert page.title.startswith("SANDBOX · To mend: ")
    hrefs = {one["href"] for one in page.tags("a")}
    assert {"#f-name", "#f-timezone", "#f-ring-seconds", "#f-monday-hours"} <= hrefs
    assert "Lisbon" not in created(visitor, embedded)


def test_a_fault_in_a_row_stands_in_that_row(visitor: Visitor):
    page = sent(visitor, do="add:routing_options.open.dtmf")
    page = sent(visitor, page, do="add:routing_options.open.dtmf")
    row = "routing_options.open.dtmf[{}].{}"
    page = visitor.send(
        page,
        NEW,
        {
            row.format(0, "input"): "1",
            row.format(0, "options.action"): "operator",
            row.format(1, "input"): "#",
            "do": "check",
        },
    )
    assert at_input(page, row.format(1, "input"))["aria-invalid"] == "true"
    assert "aria-invalid" not in at_input(page, row.format(0, "input"))


def test_a_fault_of_what_is_missing_as_a_whole_stands_at_its_first_input(visitor: Visitor):
    page = visitor.send(visitor.get(NEW), NEW, {"do": "check"})
    assert at_input(page, "billing_address.address_line_1")["aria-invalid"] == "true"


def test_what_is_filled_in_is_shown_as_text(visitor: Visitor):
    page = sent(visitor, name='"><script>alert(1)</script>', do="check")
    assert "<script>alert" not in page.html
    assert value(page, "name") == '"><script>alert(1)</script>'


# Rows


def test_rows_come_and_go_by_buttons_and_keep_what_stands_in_the_others(visitor: Visitor):
    page = sent(visitor, do="add:routing_options.open.dtmf")
    for _ in range(2):
        page = sent(visitor, page, do="add:routing_options.open.dtmf")
    keys = {f"routing_options.open.dtmf[{n}].input": str(n) for n in range(3)}
    page = visitor.send(page, NEW, {**keys, "do": "remove:routing_options.open.dtmf[1]"})
    assert value(page, "routing_options.open.dtmf[0].input") == "0"
    assert value(page, "routing_options.open.dtmf[1].input") == "2"
    assert value(page, "rows:routing_options.open.dtmf") == "2"
    assert value(page, "name") == "Lisbon"


@pytest.mark.parametrize("verb", ["add:nothing", "remove:routing_options.open.dtmf[7]", "remove:x[y]", "add:", "fly"])
def test_a_button_that_is_none_of_the_form_s_changes_nothing(visitor: Visitor, embedded: Company, verb: str):
    page = sent(visitor, do=verb)
    assert page.status == 200
    assert value(page, "rows:routing_options.open.dtmf") == "0"
    assert "Lisbon" not in created(visitor, embedded)


def test_there_are_no_more_rows_than_the_api_takes(visitor: Visitor):
    given = {"do": "add:routing_options.open.dtmf", "rows:routing_options.open.dtmf": "9999"}
    page = visitor.send(visitor.get(NEW), NEW, given)
    assert value(page, "rows:routing_options.open.dtmf") == "32"


# Creating


def test_a_look_stores_nothing_and_says_what_would_be(visitor: Visitor, embedded: Company):
    page = sent(visitor, do="check")
    assert page.status == 200
    assert "1 to know before" in page.part("verdict")
    assert "nobody can call it from outside" in page.part("verdict")
    assert "Nothing is stored yet" in page.part("verdict")
    assert "Lisbon" not in created(visitor, embedded)


def test_warnings_are_shown_before_the_office_is_created_and_once_after(visitor: Visitor, embedded: Company):
    page = sent(visitor)
    assert page.status == 200
    assert "Create all the same" in page.text
    assert "Lisbon" not in created(visitor, embedded)
    done = sent(visitor, page, do="create")
    office = visitor.follow(done)
    assert "The office is there" in office.text
    assert "nobody can call it from outside until one is assigned" in office.text
    again = visitor.get(done.headers["location"])
    assert "until one is assigned" not in again.text
    assert created(visitor, embedded).count("Lisbon") == 1


def test_an_office_without_warnings_is_created_at_once(visitor: Visitor, embedded: Company):
    done = sent(visitor, mainline_number=embedded.numbers[0])
    page = visitor.follow(done)
    assert "The office is there" in page.text
    assert "What was chosen for you" not in page.text


def test_a_form_that_changed_since_its_warnings_shows_the_new_ones_first(visitor: Visitor, embedded: Company):
    page = sent(visitor)
    page = sent(visitor, page, do="create", timezone="")
    assert page.status == 200
    assert "2 to know before" in page.part("verdict")
    assert "Lisbon" not in created(visitor, embedded)


def test_everything_in_the_form_arrives(visitor: Visitor, embedded: Company):
    page = sent(visitor, do="add:routing_options.open.dtmf")
    row = "routing_options.open.dtmf[0]."
    given = {
        row + "input": "1", row + "options.action": "operator",
        "routing_options.open.action": "menu", "routing_options.open.operator_routing": "roundrobin",
        "routing_options.closed.action": "message", "ring_seconds": "15", "group_description": "One\r\ntwo",
        "mainline_number": embedded.numbers[0], "voice_intelligence.allow_pause": None, "international_enabled": "true",
        "billing_contact.email": "billing@example.com", "billing_contact.name": "Ana", "sunday_hours": "22:00 – 06:00",
        "tuesday_hours": "", "do": "create",
    }  # fmt: skip
    page = visitor.send(page, NEW, given)
    id = page.headers["location"].rpartition("/")[2].partition("?")[0]
    made = embedded.sandbox.get(f"/api/offhook/v1/offices/{id}").office
    assert made["routing_options"]["open"]["dtmf"] == [{"input": "1", "options": {"action": "operator"}}]
    assert made["routing_options"]["open"]["operator_routing"] == "roundrobin"
    assert made["routing_options"]["closed"]["action"] == "message"
    assert made["ring_seconds"] == "15"
    assert made["group_description"] == "One\ntwo"
    assert made["phone_numbers"] == [embedded.numbers[0]]
    assert made["voice_intelligence"] == {"auto_start": True, "allow_pause": False}
    assert made["international_enabled"] is True
    assert made["auto_call_recording"] is False
    assert made["billing"]["contact"]["name"] == "Ana"
    assert made["monday_hours"] == ["09:00", "12:30", "14:00", "18:00"]
    assert made["sunday_hours"] == ["22:00", "06:00"]
    assert "tuesday_hours" not in made
    assert made["hours_on"] is True


def test_a_form_sent_twice_creates_one_office(visitor: Visitor, embedded: Company):
    page = visitor.get(NEW)
    given = {**LISBON, "mainline_number": embedded.numbers[0]}
    first = visitor.send(page, NEW, given)
    second = visitor.send(page, NEW, given)
    assert first.status == 303
    assert second.headers["location"] == first.headers["location"]
    assert created(visitor, embedded).count("Lisbon") == 1


def test_a_key_that_may_only_read_is_told_that_it_cannot_create(embedded: Company):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.key("offices:read", environment="sandbox").key)
    page = sent(visitor)
    assert page.status == 403
    assert "lacks the scope offices:write" in page.part("verdict")
    assert value(page, "name") == "Lisbon"


def test_a_session_that_ended_while_the_form_was_filled_in_loses_no_secret_and_creates_nothing(
    visitor: Visitor, embedded: Company
):
    page = visitor.get(NEW)
    del visitor.cookies["offhook-session"]
    late = visitor.send(page, NEW, LISBON)
    assert late.status == 403
    assert "Lisbon" not in created(visitor, embedded)


@pytest.mark.parametrize("once", ["", "é", "a b", "x" * 500])
def test_a_form_whose_own_number_was_altered_is_given_another(visitor: Visitor, once: str):
    page = visitor.send(visitor.get(NEW), NEW, {**LISBON, "once": once})
    assert page.status == 200
    assert len(value(page, "once")) == 22
