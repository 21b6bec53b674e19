"""What Offhook adds: the office with all that is stored, its full update, its delete."""

import asyncio
from typing import Any

import pytest

from offhook.offices import wire
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Api, Company, Desk, full, office, routing, state


def _to(target: str) -> dict[str, Any]:
    return state(action="department", action_target_type="office", action_target_id=target)


def _body_of(whole: dict[str, Any]) -> dict[str, Any]:
    """The create body that a whole office came from."""
    taken = (
        "name", "timezone", "hours_on", "ring_seconds", "first_action", "no_operators_action", "routing_options",
        "group_description", "mainline_number", "international_enabled", "auto_call_recording", "use_same_address",
        "voice_intelligence", "e911_address", "monday_hours", "tuesday_hours", "wednesday_hours", "thursday_hours",
        "friday_hours", "saturday_hours", "sunday_hours",
    )  # fmt: skip
    billing = whole["billing"]
    return {
        **{name: whole[name] for name in taken if name in whole},
        **{name: billing[name] for name in ("currency", "plan_period", "unified_billing", "invoiced")},
        "annual_commit_monthly_billing": billing["annual_commit_monthly_billing"],
        "billing_address": billing["address"],
        **({"billing_contact": billing["contact"]} if "contact" in billing else {}),
        "country": whole["country"].upper(),
    }


def test_a_whole_office_shows_what_v2_never_returns(company: Company):
    made = company.live.made(full())
    answer = company.live.get(f"{WHOLE}/{made.id}")
    whole = answer.office
    assert {name: whole[name] for name in made.office} == made.office
    assert answer.plan == made.plan
    beyond = set(whole) - set(made.office)
    assert beyond == {
        "hours_on", "group_description", "auto_call_recording", "international_enabled", "use_same_address",
        "voice_intelligence", "billing", "version", "created_at", "updated_at",
    }  # fmt: skip
    assert whole["billing"]["committed_until"]
    assert whole["version"] == "1"
    assert whole["created_at"] == whole["updated_at"]
    assert answer.headers["etag"] == '"1"'


def test_a_change_that_changes_nothing_is_none(company: Company):
    made = company.live.made(office())
    before = len(company.live.events())
    assert company.live.patch(f"{OFFICES}/{made.id}", {}).headers["etag"] == '"1"'
    assert company.live.put(f"{WHOLE}/{made.id}", office()).headers["etag"] == '"1"'
    assert len(company.live.events()) == before


def test_an_office_is_replaced_by_a_whole_body(company: Company):
    made = company.sandbox.made(full())
    body = office(name="Porto", ring_seconds=12, group_description="New", mainline_number=company.numbers[0])
    answer = company.sandbox.put(f"{WHOLE}/{made.id}", body)
    assert answer.status == 200
    assert answer.id == made.id
    assert answer.office["name"] == "Porto"
    assert answer.office["country"] == "pt"
    assert answer.office["ring_seconds"] == "12"
    assert answer.office["phone_numbers"] == [company.numbers[0]]
    # What is not sent takes its default: the emergency address is gone with the country that needed it.
    assert "e911_address" not in answer.office
    assert answer.office["international_enabled"] is False
    assert answer.plan["ppu_address"]["city"] == "Lisboa"
    assert answer.office["version"] == "2"
    again = company.sandbox.get(f"{WHOLE}/{made.id}")
    assert again.json == answer.json
    assert again.headers["etag"] == answer.headers["etag"] == '"2"'


def test_what_is_read_can_be_sent_back_and_changes_nothing(company: Company):
    for body in (full(), office(), full(mainline_number=company.numbers[0])):
        made = company.sandbox.made(body).id
        before = company.sandbox.get(f"{WHOLE}/{made}").json
        answer = company.sandbox.put(f"{WHOLE}/{made}", _body_of(before["office"]))
        assert answer.status == 200, answer
        assert "unknown_field" not in answer.codes
        changing = ("version", "updated_at", "availability_status")
        assert {n: v for n, v in answer.office.items() if n not in changing} == {
            n: v for n, v in before["office"].items() if n not in changing
        }
        assert answer.plan == before["plan"]


READ: tuple[dict[str, Any], ...] = (
    {},
    {"first_action": "menu"},
    {"first_action": "menu", "no_operators_action": "directory"},
    {"no_operators_action": "message"},
    {"hours_on": False, "monday_hours": ["09:00", "17:00"]},
    {"hours_on": True, "wednesday_hours": []},
    {"hours_on": True, **{f"{day}_hours": [] for day in "monday tuesday wednesday thursday friday".split()}},
    {"routing_options": routing(state(action="menu", dtmf=[{"input": "1"}], try_dial_operators=False))},
)


@pytest.mark.parametrize("body", READ, ids=str)
def test_an_office_that_is_sent_back_as_it_was_read_is_not_warned_of(embedded: Company, body: dict[str, Any]):
    made = embedded.sandbox.made(office(**body)).id
    read = embedded.sandbox.get(f"{WHOLE}/{made}").office
    answer = embedded.sandbox.put(f"{WHOLE}/{made}", read)
    assert (answer.status, answer.codes) == (200, set())
    assert answer.headers["etag"] == '"1"'
    assert answer.office == read


def test_what_is_changed_in_it_is_warned_of_and_what_follows_from_that_is_not(embedded: Company):
    made = embedded.sandbox.made(office(first_action="operators")).id
    read = embedded.sandbox.get(f"{WHOLE}/{made}").office
    menu = state(action="menu", try_dial_operators=False, dtmf=[])
    changed = embedded.sandbox.put(f"{WHOLE}/{made}", read | {"routing_options": routing(menu)})
    assert "routing_options_win" not in changed.codes
    assert "menu_without_keys" in changed.codes
    assert (changed.office["first_action"], changed.office["no_operators_action"]) == ("menu", "menu")
    other = embedded.sandbox.put(f"{WHOLE}/{made}", changed.office | {"no_operators_action": "directory"})
    assert ("routing_options_win", "no_operators_action") in other.warned
    assert "menu_without_keys" not in other.codes


@pytest.mark.parametrize("lacking", ["try_dial_operators", "action"])
def test_a_state_that_lacks_what_v2_requires_is_refused_alike_when_created_and_replaced(
    embedded: Company, lacking: str
):
    made = embedded.live.made().id
    closed = {name: value for name, value in state(try_dial_operators=False).items() if name != lacking}
    body = office(routing_options=routing(None, closed))
    created, replaced = embedded.live.create(body), embedded.live.put(f"{WHOLE}/{made}", body)
    assert created.status == replaced.status == 400
    assert created.places == replaced.places == [f"routing_options.closed.{lacking}"]
    assert created.errors == replaced.errors


def test_a_replacement_obeys_the_rules_of_a_create(company: Company):
    place = f"{WHOLE}/{company.live.made().id}"
    before = company.live.get(place).json
    assert company.live.put(place, {}).places == company.live.refused({})
    assert company.live.put(place, office(name="", ring_seconds=5, monday_hours=["08:00"])).places == [
        "monday_hours[0]", "name", "ring_seconds",
    ]  # fmt: skip
    assert company.live.put(place, office(ring_seconds=5, invoiced="x")).places == ["invoiced", "ring_seconds"]
    assert company.live.put(place, office(country="GB")).places == ["e911_address"]
    assert company.live.put(place, office(unified_billing=True, currency="EUR")).places == ["currency"]
    assert company.live.put(place, office(routing_options=routing(_to("1")))).places == [
        "routing_options.open.action_target_id"
    ]
    assert company.live.get(place).json == before


def test_a_replacement_is_refused_if_the_office_changed_since_it_was_read(company: Company):
    place = f"{WHOLE}/{company.live.made().id}"
    old = company.live.get(place).headers["etag"]
    assert company.live.put(place, office(name="One"), headers={"if-match": old}).status == 200
    late = company.live.put(place, office(name="Two"), headers={"if-match": old})
    assert late.status == 412
    assert company.live.delete(place, headers={"if-match": old}).status == 412
    assert company.live.get(place).office["name"] == "One"
    assert company.live.delete(place, headers={"if-match": '"2"'}).status == 200


def test_of_many_replacements_of_one_version_exactly_one_wins(company: Company):
    place = f"{WHOLE}/{company.live.made().id}"
    answers = company.live.together(
        company.live.sending("PUT", place, office(name=f"N{index}"), headers={"if-match": '"1"'}) for index in range(20)
    )
    assert sorted(answer.status for answer in answers) == [200] + [412] * 19
    winner = next(answer for answer in answers if answer.status == 200)
    assert company.live.get(place).office["name"] == winner.office["name"]


def test_all_of_many_changes_without_a_version_are_counted(company: Company):
    made = company.live.made().id
    answers = company.live.together(
        company.live.sending("PATCH", f"{OFFICES}/{made}", {"monday_hours": ["08:00", f"{10 + index}:00"]})
        for index in range(12)
    )
    assert {answer.status for answer in answers} == {200}
    assert company.live.get(f"{WHOLE}/{made}").office["version"] == "13"


def test_a_new_number_is_claimed_and_the_old_one_is_free_again(company: Company):
    caller, (first, second, *_) = company.sandbox, company.numbers
    one = caller.made(office(mainline_number=first)).id
    assert caller.create(office(mainline_number=first)).status == 409
    assert caller.put(f"{WHOLE}/{one}", office(mainline_number=second)).office["phone_numbers"] == [second]
    two = caller.made(office(mainline_number=first)).id
    taken = caller.put(f"{WHOLE}/{two}", office(mainline_number=second))
    assert taken.status == 409
    assert taken.places == ["mainline_number"]
    assert caller.get(f"{OFFICES}/{two}").json["phone_numbers"] == [first]
    without = caller.put(f"{WHOLE}/{one}", office() | {"mainline_number": None})
    assert "phone_numbers" not in without.office
    assert {"no_number", "main_line_freed"} <= set(without.codes)
    assert f"{second} is free again." in str(without.headers.get_list("offhook-warning"))
    assert caller.put(f"{WHOLE}/{two}", office(mainline_number=second)).status == 200


def test_a_main_line_that_is_not_sent_stays_and_that_is_said(company: Company):
    caller, (first, second, *_) = company.sandbox, company.numbers
    id = caller.made(office(mainline_number=first)).id
    kept = caller.put(f"{WHOLE}/{id}", office(name="Porto"))
    assert kept.office["phone_numbers"] == [first]
    assert ("main_line_kept", "mainline_number") in kept.warned
    assert "no_number" not in kept.codes
    exchanged = caller.put(f"{WHOLE}/{id}", office(name="Porto", mainline_number=second))
    assert {code for code in exchanged.codes if code.startswith("main_line")} == {"main_line_freed"}
    assert caller.put(f"{WHOLE}/{id}", office(mainline_number="")).office.get("mainline_number") is None
    assert caller.made(office(mainline_number=second)).status == 200


def test_a_whole_office_can_be_sent_back_as_it_was_read(company: Company):
    caller = company.sandbox
    bodies = (full(), office(), full(mainline_number=company.numbers[0]), office(**{**ADDRESSES, "country": "PT"}))
    for body in bodies:
        id = caller.made(body).id
        caller.put(f"{WHOLE}/{id}/special-days", {"days": [{"date": "2026-12-24", "name": "Eve"}]})
        read = caller.get(f"{WHOLE}/{id}").office
        answer = caller.put(f"{WHOLE}/{id}", read)
        assert answer.status == 200, answer
        assert set(answer.codes) & {"unknown_field", "read_only", "ignored", "main_line_kept"} == set()
        assert answer.office == read


def test_what_is_only_shown_and_sent_otherwise_is_named(company: Company):
    id = company.live.made(office()).id
    read = company.live.get(f"{WHOLE}/{id}").office
    read |= {"version": 7, "state": "suspended", "id": int(read["id"]), "currency": "GBP"}
    read["billing"] = {**read["billing"], "payment": "barter", "colour": "blue"}
    answer = company.live.put(f"{WHOLE}/{id}", read)
    assert answer.office["billing"]["currency"] == "GBP"
    assert {one for one in answer.warned if one[0] in ("read_only", "ignored", "unknown_field")} == {
        ("ignored", "billing.currency"),
        ("unknown_field", "billing.colour"),
        ("read_only", "state"),
        ("read_only", "version"),
        ("read_only", "billing.payment"),
    }


def test_every_field_of_a_whole_office_is_taken_or_known_as_only_shown():
    fields = set(wire.OfficeReplacement.__struct_fields__)
    assert set(wire.OfficeRecord.__struct_fields__) <= fields
    assert fields - set(wire.OfficeIn.__struct_fields__) == {path.split(".")[0] for path in wire.READ_ONLY}


def test_an_office_that_gets_the_name_of_another_is_warned_of(company: Company):
    caller = company.live
    one, two = caller.made(office(name='The "one"')).id, caller.made(office(name="Two")).id
    renamed = caller.put(f"{WHOLE}/{two}", office(name='The "one" '))
    assert ("name_in_use", "name") in renamed.warned
    assert one in str(renamed.headers.get_list("offhook-warning"))
    assert "name_in_use" not in caller.put(f"{WHOLE}/{two}", office(name='The "one"', ring_seconds=20)).codes
    assert "name_in_use" not in caller.put(f"{WHOLE}/{two}", office(name="The")).codes
    assert "name_in_use" in caller.dry(office(name='The "one"')).codes
    assert "name_in_use" not in company.sandbox.dry(office(name='The "one"')).codes


def test_special_days_outlive_a_replacement(company: Company):
    place = f"{WHOLE}/{company.live.made().id}"
    company.live.put(f"{place}/special-days", {"days": [{"date": "2026-12-24", "name": "Eve"}]})
    assert len(company.live.put(place, office(name="Porto")).office["special_days"]) == 1


def test_a_change_of_the_plans_period_moves_the_next_invoice(desk: Desk):
    company = desk.found("2026-01-31T12:00:00Z")
    caller = company.sandbox.at("2026-02-10T12:00:00Z")
    made = caller.made(office())
    assert made.plan["next_billing_date"] == "1772236800000"  # 28 February 2026
    yearly = caller.put(f"{WHOLE}/{made.id}", office(plan_period="yearly"))
    assert yearly.plan["next_billing_date"] == "1801353600000"  # 31 January 2027
    assert yearly.office["billing"]["committed_until"] == "1801353600000"
    monthly = caller.put(f"{WHOLE}/{made.id}", office())
    assert monthly.plan["next_billing_date"] == made.plan["next_billing_date"]
    # What was agreed for a year is not undone by a change of the period, and that is said.
    assert monthly.office["billing"]["committed_until"] == "1801353600000"
    assert "commitment_kept" in monthly.codes


def test_the_primary_office_keeps_its_currency_while_there_are_others(company: Company):
    primary = f"{WHOLE}/{company.office_ids['live']}"
    changed = company.live.put(primary, full(currency="EUR", unified_billing=True))
    assert changed.status == 200
    assert company.live.create(office(unified_billing=True, currency="USD")).places == ["currency"]
    made = company.live.made(office(unified_billing=True, currency="EUR")).id
    refused = company.live.put(primary, full(currency="USD"))
    assert refused.status == 409
    assert refused.places == ["currency"]
    company.live.delete(f"{WHOLE}/{made}")
    assert company.live.put(primary, full(currency="USD")).status == 200


def test_another_process_goes_by_the_primary_office_as_it_is_now(runner: asyncio.Runner, desk: Desk):
    """Each process remembers the primary office; a create that would go by an old memory is judged anew."""
    company = desk.found()
    other = Desk(runner, desk.offhook.settings)
    try:
        there = Api(other, company.live.key)
        assert there.made(office(timezone=None)).office["timezone"] == "America/Los_Angeles"
        primary = f"{WHOLE}/{company.office_ids['live']}"
        assert company.live.put(primary, full(timezone="America/Denver")).status == 200
        assert there.made(office(timezone=None)).office["timezone"] == "America/Denver"
        for made in there.get(OFFICES).json["items"][1:]:
            assert company.live.delete(f"{WHOLE}/{made['id']}").status == 200
        assert company.live.put(primary, full(currency="EUR")).status == 200
        assert there.create(office(unified_billing=True, currency="USD")).places == ["currency"]
        assert there.create(office(unified_billing=True, currency="EUR")).status == 200
    finally:
        other.close()


def test_another_process_refuses_nothing_by_an_old_memory_of_the_primary_office(runner: asyncio.Runner, desk: Desk):
    company = desk.found()
    other = Desk(runner, desk.offhook.settings)
    try:
        there = Api(other, company.live.key)
        assert there.dry(office()).status == 200
        primary = f"{WHOLE}/{company.office_ids['live']}"
        assert company.live.put(primary, full(currency="EUR")).status == 200
        assert there.create(office(unified_billing=True, currency="EUR")).status == 200
        assert company.live.put(primary, full(currency="EUR", timezone="America/Denver")).status == 200
        assert there.dry(office(timezone=None)).office["timezone"] == "America/Denver"
    finally:
        other.close()


def test_a_deleted_office_is_gone_everywhere(company: Company):
    caller = company.sandbox
    made = caller.made(office(mainline_number=company.numbers[0])).id
    answer = caller.delete(f"{WHOLE}/{made}")
    assert answer.status == 200
    assert answer.json == {"id": made, "deleted": True, "released_numbers": [company.numbers[0]]}
    for path in ("", "/e911", "/plan", "/available_licenses", "/offdutystatuses"):
        assert caller.get(f"{OFFICES}/{made}{path}").status == 404
    for path in ("", "/opening-periods", "/special-days"):
        assert caller.get(f"{WHOLE}/{made}{path}").status == 404
    assert made not in [item["id"] for item in caller.get(OFFICES).json["items"]]
    assert caller.delete(f"{WHOLE}/{made}").status == 404
    assert caller.patch(f"{OFFICES}/{made}", {}).status == 404
    assert caller.made(office(mainline_number=company.numbers[0])).status == 200


def test_the_primary_office_stays(company: Company):
    answer = company.live.delete(f"{WHOLE}/{company.office_ids['live']}")
    assert answer.status == 409
    assert company.live.get(f"{OFFICES}/primary").status == 200


def test_an_office_that_others_call_stays_until_they_call_elsewhere(company: Company):
    called = company.live.made(office(name="Called")).id
    menu = state(action="menu", dtmf=[{"input": "1", "options": {
        "action": "department", "action_target_type": "office", "action_target_id": called}}])  # fmt: skip
    caller = company.live.made(office(routing_options=routing(_to(called), menu))).id
    answer = company.live.delete(f"{WHOLE}/{called}")
    assert answer.status == 409
    assert answer.places == [
        f"offices/{caller}.routing_options.closed.dtmf[0].options.action_target_id",
        f"offices/{caller}.routing_options.open.action_target_id",
    ]
    assert company.live.put(f"{WHOLE}/{caller}", office()).status == 200
    assert company.live.delete(f"{WHOLE}/{called}").status == 200


def test_an_office_that_calls_itself_or_only_was_called_by_one_now_deleted_can_go(company: Company):
    first = company.live.made(office()).id
    assert company.live.put(f"{WHOLE}/{first}", office(routing_options=routing(_to(first)))).status == 200
    second = company.live.made(office(routing_options=routing(_to(first)))).id
    assert company.live.delete(f"{WHOLE}/{second}").status == 200
    assert company.live.delete(f"{WHOLE}/{first}").status == 200


def test_an_office_moves_to_a_country_that_demands_an_emergency_address(company: Company):
    place = f"{WHOLE}/{company.live.made().id}"
    body = office(country="GB", e911_address=ADDRESSES["GB"], timezone="Europe/London")
    assert company.live.put(place, body).office["e911_address"]["country"] == "gb"


@pytest.mark.parametrize("count", [1, 3])
def test_offices_created_together_are_all_there(company: Company, count: int):
    answers = company.live.together(
        company.live.sending("POST", OFFICES, office(name=f"Office {index}")) for index in range(40 * count)
    )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.id for answer in answers}) == 40 * count
    names = set()
    cursor = ""
    while True:
        page = company.live.get(f"{OFFICES}?cursor={cursor}").json
        names |= {item["name"] for item in page["items"]}
        cursor = page.get("cursor", "")
        if not cursor:
            break
    assert names == {"Head office"} | {f"Office {index}" for index in range(40 * count)}
