"""The workflow that a line hands calls to stands in a file by its name."""

from typing import Any

from tests.api.desk import Api, Company
from tests.configuration.files import apply, document, export, lisbon, plan, refused, told

PATH = "/api/offhook/v1/workflows/definitions"
ASKS = {"action": "scripted_ivr", "try_dial_operators": False}


def register(api: Api, name: str) -> None:
    task = {"name": "t", "taskReferenceName": "t", "type": "NOOP"}
    answer = api.post(PATH, {"definition": {"name": name, "version": 1, "tasks": [task]}})
    assert answer.status == 200, answer


def company(script: Any = "welcome", **more: Any) -> dict[str, Any]:
    options = {"routing_options": {"open": ASKS}, "script": script}
    return document(
        offices={"Lisbon": lisbon(**options)},
        departments={"Lisbon/Sales": options},
        callcenters={"Lisbon/Support": {**options, "script": {"workflow": "welcome", "seconds": 12}}},
        **more,
    )


def test_the_workflows_of_all_lines_are_planned_applied_and_exported(embedded: Company):
    api = embedded.live
    register(api, "welcome")
    # None is attached until the request after that which makes the line; the file has both.
    for answer in plan(api, company()), apply(api, company()):
        assert "script_missing" not in {one["code"] for one in answer["warnings"]}
    found = export(api)
    assert found["offices"]["Lisbon"]["script"] == "welcome"
    assert found["departments"]["Lisbon/Sales"]["script"] == "welcome"
    assert found["callcenters"]["Lisbon/Support"]["script"] == {"workflow": "welcome", "seconds": 12}
    assert not plan(api, company())["differs"]
    assert not plan(api, company(script={"workflow": "welcome", "seconds": 5}))["differs"]
    assert not plan(api, found, prune=True)["differs"]


def test_another_workflow_is_a_change_of_one_field_and_none_detaches(embedded: Company):
    api = embedded.live
    register(api, "welcome")
    register(api, "goodbye")
    apply(api, company())
    change = document(departments={"Lisbon/Sales": {"script": "goodbye"}})
    assert told(plan(api, change)) == ["change departments Lisbon/Sales: script"]
    apply(api, change)
    assert export(api)["departments"]["Lisbon/Sales"]["script"] == "goodbye"
    apply(api, document(departments={"Lisbon/Sales": {"ring_seconds": 20}}))
    assert export(api)["departments"]["Lisbon/Sales"]["script"] == "goodbye"
    applied = apply(api, document(departments={"Lisbon/Sales": {"script": None}}))
    [warned] = applied["warnings"]
    assert (warned["code"], warned["field"]) == ("script_missing", "departments.Lisbon/Sales.script")
    assert "script" not in export(api)["departments"]["Lisbon/Sales"]


def test_a_prune_detaches_what_the_file_does_not_mention(embedded: Company):
    api = embedded.live
    register(api, "welcome")
    apply(api, company())
    wanted = export(api)
    del wanted["callcenters"]["Lisbon/Support"]["script"]
    assert told(plan(api, wanted, prune=True)) == ["change callcenters Lisbon/Support: script"]


def test_a_workflow_that_is_not_registered_is_refused_at_its_line(embedded: Company):
    answer = refused(embedded.live, company())
    assert sorted(answer.places) == [
        "callcenters.Lisbon/Support.script.workflow",
        "departments.Lisbon/Sales.script.workflow",
        "offices.Lisbon.script.workflow",
    ]
    assert "offhook workflow register FILE" in str(answer.json)


def test_what_cannot_be_a_workflow_is_refused(embedded: Company):
    register(embedded.live, "welcome")
    for script, place in (
        ({"workflow": "welcome", "seconds": 31}, "script.seconds"),
        ({"workflow": "welcome", "seconds": "soon"}, "script.seconds"),
        ({"seconds": 5}, "script"),
        ({"workflow": "welcome", "second": 5}, "script"),
        ("", "script.workflow"),
        (7, "script"),
    ):
        answer = refused(embedded.live, document(offices={"Lisbon": lisbon(script=script)}))
        assert answer.places == [f"offices.Lisbon.{place}"], script


def test_a_line_that_hands_calls_to_no_workflow_is_warned_of(embedded: Company):
    keys = {"action": "menu", "dtmf": [{"input": 3, "action": "scripted_ivr"}]}
    lines = {"Lisbon/Sales": {"routing_options": {"closed": keys}}, "Lisbon/Service": {}}
    wanted = document(offices={"Lisbon": lisbon(routing_options={"open": ASKS})}, departments=lines)
    for answer in plan(embedded.live, wanted), apply(embedded.live, wanted), apply(embedded.live, wanted):
        found = {one["field"]: one["text"] for one in answer["warnings"] if one["code"] == "script_missing"}
        assert list(found) == ["offices.Lisbon.script", "departments.Lisbon/Sales.script"]
        assert "(key 3 while closed)" in found["departments.Lisbon/Sales.script"]
