"""What is refused is said once, where it began; what is warned of is what the file says."""

from typing import Any

from tests.api.desk import Company
from tests.configuration.files import apply, document, lisbon, plan, refused


def user(**fields: Any) -> dict[str, Any]:
    return {"office": "Lisbon", **fields}


def test_where_licences_are_refused_nobody_is_told_that_there_is_none_free(company: Company):
    for licences in ({"talk_lines": "many"}, {"talk_line": 1}, [1]):
        wanted = document(
            offices={"Lisbon": lisbon(licences=licences)},
            users={"ana@example.com": user(), "rui@example.com": user(first_name="a\nb")},
            rooms={"Lisbon/Lobby": {}},
            departments={"Lisbon/Sales": {"operators": ["ana@example.com"]}},
        )
        places = refused(company.live, wanted).places
        assert [one for one in places if not one.startswith("offices.Lisbon.licences")] in (
            [],
            ["users.rui@example.com.first_name"],
        )
        assert places[0].startswith("offices.Lisbon.licences")


def test_the_same_of_an_office_that_is_there(company: Company):
    apply(company.live, document(offices={"Lisbon": lisbon(licences={"talk_lines": 1})}))
    wanted = document(
        offices={"Lisbon": {"licences": {"talk_lines": 0}}},
        users={"ana@example.com": user(), "rui@example.com": user(), "eva@example.com": user(license="agents")},
    )
    assert refused(company.live, wanted).places == ["offices.Lisbon.licences.talk_lines"]
    wanted["offices"] = {"Lisbon": {"colour": "blue"}}
    assert refused(company.live, wanted).places == ["offices.Lisbon.colour"]
    # Where the office says nothing that is wrong, the lack is the fault.
    wanted["offices"] = {}
    assert refused(company.live, wanted).places == ["users.eva@example.com.license", "users.rui@example.com.license"]


def test_a_number_that_cannot_be_added_is_no_fault_of_who_was_to_have_it(company: Company):
    # In the live inventory, a number that is reserved for fiction is refused.
    number = company.numbers[0]
    wanted = document(numbers={number: {}}, departments={"Head office/Sales": {"phone_numbers": [number]}})
    assert refused(company.live, wanted).places == [f"numbers.{number}"]


def test_an_operator_whose_licence_was_refused_is_no_fault_of_the_group(company: Company):
    apply(
        company.live,
        document(offices={"Lisbon": lisbon(licences={"talk_lines": 1})}, users={"ana@example.com": user()}),
    )
    wanted = document(
        users={"ana@example.com": {"license": "agents", "first_name": "a\nb"}},
        callcenters={"Lisbon/Support": {"operators": ["ana@example.com"]}},
    )
    assert refused(company.live, wanted).places == ["users.ana@example.com.first_name"]


def test_a_number_of_another_company_is_refused_by_a_plan_as_by_an_apply(company: Company):
    other = company.desk.found()
    number = "+351213456789"
    apply(other.live, document(numbers={number: {}}))
    answer = refused(company.live, document(numbers={number: {}}))
    assert "in use on this server" in answer.errors[0]["message"]


def test_nobody_waits_for_a_plan(embedded: Company):
    writer = embedded.desk.offhook.writer
    wanted = document(offices={"Lisbon": lisbon()}, rooms={"Lisbon/Lobby": {}})
    before = writer.units
    assert plan(embedded.live, wanted)["created"] == 2
    answer = embedded.live.post(
        "/api/offhook/v1/configuration/apply", {"document": wanted}, headers={"offhook-dry-run": "true"}
    )
    assert answer.json["result"]["created"] == 2
    assert writer.units == before
    apply(embedded.live, wanted)
    assert writer.units == before + 1


def codes(planned: Any) -> set[tuple[str, str]]:
    return {(one["code"], one["field"]) for one in planned["warnings"]}


def test_nobody_is_warned_of_hours_that_the_file_does_not_mention(embedded: Company):
    apply(embedded.live, document(offices={"Lisbon": lisbon(hours_on=False)}))
    silent = plan(embedded.live, document(offices={"Lisbon": {"ring_seconds": 40}}))
    assert (silent["changed"], codes(silent)) == (1, set())
    # Pruned, it resets the hours, and says nothing of them all the same.
    told = lisbon(hours_on=False)
    hours = told.pop("hours")
    pruned = document(offices={"Lisbon": {**told, "ring_seconds": 41}})
    assert "hours_ignored" not in {code for code, _ in codes(plan(embedded.live, pruned))}
    spoken = plan(embedded.live, document(offices={"Lisbon": {"ring_seconds": 40, "hours": hours}}))
    assert codes(spoken) == {("hours_ignored", "offices.Lisbon.hours_on")}
    spoken = plan(embedded.live, document(offices={"Lisbon": {"hours": {"friday": "09:00-10:00"}}}))
    assert {code for code, _ in codes(spoken)} == {"hours_ignored"}
