"""A workflow is attached to a line, shown, detached; what depends on it is verified and simulated."""

from typing import Any

import pytest

from tests.api.desk import Api, Company, office

V1, V2 = "/api/offhook/v1", "/api/v2"
DEFINITIONS = f"{V1}/workflows/definitions"
SCRIPTED = {"action": "scripted_ivr", "try_dial_operators": False, "operator_routing": "fixedorder"}
QUIET = {"action": "voicemail", "try_dial_operators": False, "operator_routing": "fixedorder"}
ASK = {"action": "gather", "say": "Your number, please.", "digits": 4}


def register(api: Api, name: str = "welcome") -> None:
    definition = {"name": name, "version": 1, "tasks": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]}
    assert api.post(DEFINITIONS, {"definition": definition}).status == 200


def scripted(api: Api) -> str:
    """An office whose calls go to a workflow."""
    return str(api.create(office(name="Faro", routing_options={"open": SCRIPTED, "closed": QUIET}, hours_on=False)).id)


def codes(api: Api, id: str) -> set[str]:
    return {one["code"] for one in api.post(f"{V1}/offices/{id}/verify", {}).json["findings"]}


def simulated(api: Api, id: str, **more: Any) -> Any:
    answer = api.post(f"{V1}/simulate", {"target_type": "office", "target_id": id, **more})
    assert answer.status == 200, answer
    return answer


def test_a_workflow_is_attached_to_a_line_of_each_kind_and_detached(company: Company):
    api = company.sandbox
    register(api)
    id = scripted(api)
    group = api.post(f"{V2}/departments", {"name": "Sales", "office_id": id}).json["id"]
    center = api.post(f"{V2}/callcenters", {"name": "Help", "office_id": id}).json["id"]
    for path in (f"offices/{id}", f"departments/{group}", f"callcenters/{center}"):
        where = f"{V1}/{path}/script"
        assert api.get(where).json == {}
        assert api.put(where, {"workflow": "welcome", "seconds": 9}).json == {"workflow": "welcome", "seconds": 9}
        assert api.get(where).json == {"workflow": "welcome", "seconds": 9}
        event = api.get(f"{V1}/events?newest_first=true&limit=1").json["items"][0]
        assert event["event"].endswith(".script_attached")
        assert "welcome" in str(event["after"])
        assert api.delete(where).json == {}
        assert api.get(where).json == {}


def test_a_workflow_that_is_not_registered_cannot_be_attached(company: Company):
    api = company.sandbox
    register(company.live)
    answer = api.put(f"{V1}/offices/{scripted(api)}/script", {"workflow": "welcome"})
    assert (answer.status, answer.places) == (400, ["workflow"])


def test_an_office_keeps_its_workflow_when_it_is_replaced_and_v2_does_not_show_it(company: Company):
    api = company.sandbox
    register(api)
    id = scripted(api)
    api.put(f"{V1}/offices/{id}/script", {"workflow": "welcome"})
    whole = api.get(f"{V1}/offices/{id}").json["office"]
    assert whole["script"] == {"workflow": "welcome", "seconds": 5}
    replaced = api.put(f"{V1}/offices/{id}", whole)
    assert replaced.status == 200, replaced
    assert not {one.code for one in replaced.warnings} & {"read_only", "unknown_field", "script_missing"}
    assert api.get(f"{V1}/offices/{id}/script").json["workflow"] == "welcome"
    assert "script" not in api.get(f"{V2}/offices/{id}").json


def test_verification_finds_a_line_without_its_workflow_and_one_whose_workflow_is_gone(company: Company):
    api = company.sandbox
    register(api)
    id = scripted(api)
    assert "script_missing" in codes(api, id)
    api.put(f"{V1}/offices/{id}/script", {"workflow": "welcome"})
    assert not codes(api, id) & {"script_missing", "script_gone"}
    assert api.delete(f"{DEFINITIONS}/welcome?version=1").status == 200
    assert "script_gone" in codes(api, id)
    assert "not registered any more" in simulated(api, id).json["text"]
    register(api)
    assert not codes(api, id) & {"script_missing", "script_gone"}


def test_a_simulated_call_takes_the_answers_of_workflows_from_its_script(company: Company):
    api = company.sandbox
    register(api)
    id = scripted(api)
    api.put(f"{V1}/offices/{id}/script", {"workflow": "welcome"})
    answer = simulated(api, id, workflows=[ASK, {"action": "hangup", "say": "Bye."}], press=["4711"])
    assert answer.json["outcome"] == "message"
    assert "The caller pressed 4711." in answer.json["text"]
    assert "Your number, please." in answer.json["text"]
    assert not answer.warnings


def test_a_simulated_call_says_that_no_workflow_is_run(company: Company):
    api = company.sandbox
    register(api)
    id = scripted(api)
    api.put(f"{V1}/offices/{id}/script", {"workflow": "welcome"})
    answer = simulated(api, id)
    assert answer.json["outcome"] == "voicemail"
    assert "not run in a simulation" in answer.json["text"]
    assert [one.code for one in answer.warnings] == ["workflow_not_run"]
    left = simulated(api, id, workflows=[{"action": "voicemail"}, ASK])
    assert [one.code for one in left.warnings] == ["workflows_not_asked"]


@pytest.mark.parametrize("output", [{}, {"action": "gather"}, {"action": "transfer", "target_type": "user"}])
def test_what_is_no_answer_of_a_workflow_is_refused_in_a_simulation(embedded: Company, output: Any):
    id = scripted(embedded.sandbox)
    body = {"target_type": "office", "target_id": id, "workflows": [{"action": "voicemail"}, output]}
    answer = embedded.sandbox.post(f"{V1}/simulate", body)
    assert (answer.status, answer.places) == (400, ["workflows[1]"])
