"""Creating an office: that it is there, its billing, dry runs, and what is refused or ignored all at once."""

from typing import Any

import pytest

from tests.api.desk import (
    ADDRESSES,
    IN_CANADA,
    OFFICES,
    WHOLE,
    Api,
    Company,
    Desk,
    changed,
    full,
    office,
    placed,
    routing,
    state,
    to,
)

# The office exists


def test_an_office_is_there_from_the_moment_that_the_create_answers(company: Company):
    answer = company.live.made(full())
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"office", "plan"}
    assert company.live.get(f"{OFFICES}/{answer.id}").json == answer.office
    assert company.live.get(f"{OFFICES}/{answer.id}/plan").json == answer.plan
    assert answer.office["id"] == answer.office["office_id"]
    assert answer.office["state"] == "active"
    assert answer.office["is_primary_office"] is False
    assert answer.office["office_settings"] == {
        "allow_device_guest_login": False,
        "block_caller_id_disabled": False,
        "bridged_target_recording_allowed": True,
        "disable_desk_phone_self_provision": False,
        "disable_ivr_voicemail": False,
        "no_recording_message_on_user_calls": False,
        "set_caller_id_disabled": False,
    }


def test_a_refused_create_leaves_nothing_behind(company: Company):
    before = company.live.get(OFFICES).json, company.live.events()
    company.live.refused(office(name="a\nb"))
    company.live.refused(office(mainline_number="+14155550100"))
    company.live.refused(office(routing_options=routing(to("office", "1"))))
    assert (company.live.get(OFFICES).json, company.live.events()) == before


def test_two_offices_may_have_one_name_and_each_has_its_own_id(company: Company):
    assert company.live.made(office()).id != company.live.made(office()).id


# Ring seconds


@pytest.mark.parametrize("sent", [10, 45, "10", "30", "45", 11, 44])
def test_the_line_may_ring_from_10_to_45_seconds(embedded: Company, sent: Any):
    answer = embedded.live.made(office(ring_seconds=sent))
    assert answer.office["ring_seconds"] == str(sent)


@pytest.mark.parametrize(
    "sent", [9, 46, "9", "46", 0, -30, "-30", 30.5, "30.5", True, "", "thirty", [30], 2**40, str(10**18), 1e300]
)
def test_any_other_ring_seconds_are_refused(embedded: Company, sent: Any):
    assert embedded.live.refused(office(ring_seconds=sent)) == ["ring_seconds"]


# Billing


def test_a_unified_invoice_has_one_currency(company: Company):
    assert company.live.refused(office(unified_billing=True, currency="EUR")) == ["currency"]
    answer = company.live.made(office(unified_billing=True, currency="USD"))
    billing = company.live.get(f"{WHOLE}/{answer.id}").office["billing"]
    assert billing["invoice_office_id"] == str(company.office_ids["live"])
    alone = company.live.made(office(unified_billing=False, currency="EUR"))
    billing = company.live.get(f"{WHOLE}/{alone.id}").office["billing"]
    assert billing["invoice_office_id"] == alone.id


@pytest.mark.parametrize(("invoiced", "payment"), [(True, "invoice"), (False, "card")])
def test_invoiced_says_how_it_is_paid(embedded: Company, invoiced: bool, payment: str):
    answer = embedded.live.made(office(invoiced=invoiced))
    assert embedded.live.get(f"{WHOLE}/{answer.id}").office["billing"]["payment"] == payment


def test_a_yearly_plan_with_an_annual_commitment_is_invoiced_monthly_and_said_so(desk: Desk):
    company = desk.found("2026-01-15T12:00:00Z")
    caller = company.sandbox.at("2026-03-20T12:00:00Z")
    both = caller.made(office(plan_period="yearly", annual_commit_monthly_billing=True))
    assert ("billed_monthly", "plan_period") in both.warned
    assert both.plan["next_billing_date"] == _ms("2026-04-15T00:00:00Z")
    for period, due in (("yearly", "2027-03-15T00:00:00Z"), ("monthly", "2026-04-15T00:00:00Z")):
        answer = caller.made(office(plan_period=period, annual_commit_monthly_billing=False))
        assert "billed_monthly" not in answer.codes
        assert answer.plan["next_billing_date"] == _ms(due)


def _ms(moment: str) -> str:
    from datetime import datetime

    return str(int(datetime.fromisoformat(moment).timestamp()) * 1000)


def test_the_plan_starts_empty_at_the_billing_address(company: Company):
    answer = company.live.made(full())
    lines = {name: value for name, value in answer.plan.items() if name.endswith("_lines")}
    assert len(lines) == 10
    assert set(lines.values()) == {"0"}
    assert answer.plan["balance"] == "0.0000"
    assert answer.plan["ppu_address"] == full()["billing_address"] | {"country": "us"}


# What was ignored


def test_unknown_fields_are_accepted_and_named_wherever_they_stand(company: Company):
    body = office(
        colour="blue",
        billing_contact={"email": "a@example.com", "name": "A", "fax": "1"},
        routing_options=routing(state(dtmf=[{"input": "1", "options": {"action": "operator", "sound": 1}, "x": None}])),
        voice_intelligence={"language": "en"},
    )
    body["billing_address"]["planet"] = "Earth"
    answer = company.live.made(body)
    assert {w.field for w in answer.warnings if w.code == "unknown_field"} == {
        "colour",
        "billing_contact.fax",
        "billing_address.planet",
        "routing_options.open.dtmf[0].x",
        "routing_options.open.dtmf[0].options.sound",
        "voice_intelligence.language",
    }


def test_many_unknown_fields_are_counted_rather_than_listed(embedded: Company):
    answer = embedded.live.made(office(**{f"field_{index}": 1 for index in range(500)}))
    found = [w for w in answer.warnings if w.code == "unknown_field"]
    assert len(found) == 21
    assert "480" in found[-1].text


@pytest.mark.parametrize("name", ["na\r\nx-evil: 1", "ü", "a; b", "\u2028", "🏢", "x" * 5000, ""])
def test_the_name_of_an_unknown_field_cannot_break_a_header(embedded: Company, name: str):
    answer = embedded.live.made(office() | {name: 1})
    assert "x-evil" not in answer.headers
    assert "unknown_field" in answer.codes


def test_an_office_without_a_number_is_warned_of(embedded: Company):
    for number in (None, ""):
        body = office() if number is None else office() | {"mainline_number": number}
        answer = embedded.live.made(body)
        assert ("no_number", "mainline_number") in answer.warned
        assert "phone_numbers" not in answer.office


# All at once


def test_every_rule_that_a_body_breaks_is_named_in_one_refusal(company: Company):
    body = full(
        name="a\nb",
        timezone="Lisbon",
        ring_seconds=9,
        currency="EUR",
        unified_billing=True,
        monday_hours=["08:00"],
        group_description="x" * 300,
        mainline_number="555",
        use_same_address=False,
    )
    body = placed(body, "billing_contact.email", "nobody")
    body = placed(body, "billing_address.postal_code", "1")
    body = placed(body, "e911_address.address", "PO Box 1")
    body = placed(body, "routing_options.open.dtmf[1].input", "0")
    body = placed(body, "routing_options.closed.action", "person")
    expected = [
        "billing_address.postal_code",
        "billing_contact.email",
        "currency",
        "e911_address.address",
        "group_description",
        "mainline_number",
        "monday_hours[0]",
        "name",
        "ring_seconds",
        "routing_options.closed.action_target_type",
        "routing_options.open.dtmf[1].input",
        "timezone",
    ]
    assert company.live.refused(body) == expected
    # And with faults of type among them, still all.
    mistyped = placed(placed(body, "invoiced", "yes"), "tuesday_hours", [8, 18]) | {"plan_period": None}
    assert company.live.refused(mistyped) == sorted(
        [*expected, "invoiced", "plan_period", "tuesday_hours[0]", "tuesday_hours[1]"]
    )


def test_an_empty_body_is_asked_for_all_that_is_required(embedded: Company):
    assert embedded.live.refused({}) == [
        "annual_commit_monthly_billing",
        "billing_address",
        "country",
        "currency",
        "invoiced",
        "name",
        "plan_period",
        "unified_billing",
    ]


def test_numbers_and_targets_that_are_not_there_are_named_together(company: Company):
    body = office(mainline_number="+14155550100", routing_options=routing(to("office", "1")))
    for answer in (company.live.create(body), company.live.dry(body)):
        assert answer.places == ["mainline_number", "routing_options.open.action_target_id"]


ECHOES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an address part and use_same_address": (
        placed(changed(office(), IN_CANADA) | {"use_same_address": True, "e911_address": ADDRESSES["CA"]},
               "e911_address.city", 5),
        ["e911_address.city"],
    ),
    "an action and its target": (
        office(routing_options=routing(state(action="bogus", action_target_type="room", action_target_id=5))),
        ["routing_options.open.action"],
    ),
    "routing options and the older form": (
        office(routing_options="none", no_operators_action="department"),
        ["routing_options"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("echo", ECHOES)
def test_one_fault_is_not_reported_a_second_time_as_another(embedded: Company, echo: str):
    body, places = ECHOES[echo]
    assert embedded.live.refused(body) == places


# Dry runs


def test_a_dry_run_runs_every_check_and_stores_nothing(company: Company):
    caller: Api = company.sandbox.at("2026-07-06T17:00:00Z")
    before = caller.get(OFFICES).json, caller.events(), caller.get("/api/v2/company").json
    body = full(mainline_number=company.numbers[0], colour="blue")
    answer = caller.dry(body)
    assert answer.status == 200
    assert answer.json["dry_run"] is True
    assert answer.office["phone_numbers"] == [company.numbers[0]]
    assert "next_billing_date" in answer.plan
    assert [w["field"] for w in answer.json["warnings"]] == [w.field for w in answer.warnings]
    assert "colour" in [w["field"] for w in answer.json["warnings"]]
    assert (caller.get(OFFICES).json, caller.events(), caller.get("/api/v2/company").json) == before
    assert caller.get(f"{OFFICES}/{answer.id}").status == 404
    # The number is still free, so the create itself goes through, and after it the dry run says no.
    assert caller.made(body).office["phone_numbers"] == [company.numbers[0]]
    assert caller.dry(body).status == 409
    assert caller.dry(full(name="")).status == 400
    assert caller.dry(full(mainline_number="+14155559999")).status == 400


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_the_dry_run_header_is_a_boolean_in_any_case(embedded: Company, value: str):
    assert embedded.live.create(headers={"offhook-dry-run": value}).json["dry_run"] is True


@pytest.mark.parametrize("value", ["false", "False", ""])
def test_a_dry_run_that_is_not_asked_for_is_none(embedded: Company, value: str):
    assert "dry_run" not in embedded.live.create(headers={"offhook-dry-run": value}).json


@pytest.mark.parametrize("value", ["maybe", "1", "yes", "true, true"])
def test_a_dry_run_header_that_is_no_boolean_is_refused_rather_than_taken_for_false(embedded: Company, value: str):
    answer = embedded.live.create(headers={"offhook-dry-run": value})
    assert answer.status == 400
    assert answer.places == ["Offhook-Dry-Run"]


def test_a_dry_run_shows_the_coming_week_and_the_next_change_as_of_the_callers_clock(company: Company):
    body = office(
        hours_on=True, timezone="Europe/Lisbon", monday_hours=["09:00", "12:30", "14:00", "18:00"], tuesday_hours=[],
        wednesday_hours=[], thursday_hours=[], friday_hours=[],
    )  # fmt: skip
    answer = company.sandbox.at("2026-07-05T12:00:00Z").dry(body)
    assert answer.office["availability_status"] == "closed"
    assert [(period["start"], period["end"]) for period in answer.json["opening_periods"]] == [
        ("2026-07-06T09:00:00+01:00", "2026-07-06T12:30:00+01:00"),
        ("2026-07-06T14:00:00+01:00", "2026-07-06T18:00:00+01:00"),
    ]
    assert answer.json["next_change"] == {"at": "2026-07-06T09:00:00+01:00", "to": "open"}
