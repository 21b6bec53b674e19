"""What is renamed stays what it is, and nothing else changes by it."""

from typing import Any

from tests.api.desk import Company
from tests.configuration.files import PATH, apply, document, export, lisbon, plan, told


def ids(company: Company) -> Any:
    answer = company.live.get(PATH + "?ids=true")
    assert answer.status == 200, answer
    return answer.json


def furnished(company: Company) -> None:
    apply(
        company.live,
        document(
            offices={
                "Lisbon": lisbon(
                    licences={"talk_lines": 2},
                    routing_options={"closed": {"action": "department", "target": "department Lisbon/Sales"}},
                )
            },
            users={"ana@example.com": {"office": "Lisbon"}},
            departments={"Lisbon/Sales": {"operators": ["ana@example.com"]}},
            callrouters={
                "Lisbon/Night": {
                    "routing_url": "https://example.com/route",
                    "default_target": "department Lisbon/Sales",
                }
            },
        ),
    )


def test_a_renamed_department_is_the_only_change(company: Company):
    furnished(company)
    id = ids(company)["departments"]["Lisbon/Sales"]["id"]
    events = len(company.live.events())
    wanted = document(departments={"Lisbon/Verkauf": {"id": id}})
    planned = plan(company.live, wanted)
    assert told(planned) == ["change departments Lisbon/Verkauf: name"]
    assert (planned["created"], planned["changed"], planned["deleted"]) == (0, 1, 0)
    assert told(apply(company.live, wanted)) == told(planned)
    assert [one["event"] for one in company.live.events()[events:]] == ["department.updated"]
    assert export(company.live)["callrouters"]["Lisbon/Night"]["default_target"] == "department Lisbon/Verkauf"


def test_two_departments_that_exchange_their_names_are_two_changes(company: Company):
    furnished(company)
    apply(company.live, document(departments={"Lisbon/Support": {}}))
    found = ids(company)["departments"]
    wanted = document(
        departments={
            "Lisbon/Support": {"id": found["Lisbon/Sales"]["id"]},
            "Lisbon/Sales": {"id": found["Lisbon/Support"]["id"]},
        }
    )
    assert told(plan(company.live, wanted)) == [
        "change departments Lisbon/Sales: name",
        "change departments Lisbon/Support: name",
    ]
    # Who is called by name now is another: that is a change.
    wanted["callrouters"] = {"Lisbon/Night": {"default_target": "department Lisbon/Sales"}}
    assert told(apply(company.live, wanted))[2:] == ["change callrouters Lisbon/Night: default_target"]
    assert plan(company.live, wanted)["differs"] is False


def test_a_rename_without_its_id_is_told_how(embedded: Company):
    furnished(embedded)
    id = ids(embedded)["departments"]["Lisbon/Sales"]["id"]
    found = export(embedded.live)
    found["departments"]["Lisbon/Verkauf"] = found["departments"].pop("Lisbon/Sales")
    found["offices"]["Lisbon"]["routing_options"]["closed"]["target"] = "department Lisbon/Verkauf"
    found["callrouters"]["Lisbon/Night"]["default_target"] = "department Lisbon/Verkauf"
    planned = plan(embedded.live, found, prune=True)
    assert "delete departments Lisbon/Sales" in told(planned)
    hint = next(one for one in planned["warnings"] if one["code"] == "renamed_without_id")
    assert (hint["field"], f"id: {id}" in hint["text"]) == ("departments.Lisbon/Verkauf", True)
    found["departments"]["Lisbon/Verkauf"]["id"] = id
    renamed = plan(embedded.live, found, prune=True)
    assert told(renamed) == ["change departments Lisbon/Verkauf: name"]
    assert "renamed_without_id" not in {one["code"] for one in renamed["warnings"]}


def test_an_export_with_ids_changes_nothing(embedded: Company):
    furnished(embedded)
    found = ids(embedded)
    assert all("id" in record for section in ("offices", "users", "callrouters") for record in found[section].values())
    assert plan(embedded.live, found, prune=True)["differs"] is False


def test_an_export_counts_as_people_do(embedded: Company):
    names = [f"u{number}@example.com" for number in (1, 2, 10, 11, 20)]
    users = {name: {"office": "Head office"} for name in reversed(names)}
    planned = apply(
        embedded.live, document(offices={"Head office": {"licences": {"talk_lines": len(names)}}}, users=users)
    )
    assert [one["key"] for one in planned["changes"] if one["section"] == "users"] == names
    assert list(export(embedded.live)["users"]) == names
