"""What is said of a definition beside the rules: scripts that cannot be read, things that are not there."""

from typing import Any

import pytest

from offhook.workflows.definitions.wants import wants_of
from tests.api.desk import Company
from tests.workflows.definitions.shapes import Raw, definition, http, loop, switch, task

V1 = "/api/offhook/v1"
PATH = f"{V1}/workflows/definitions"


def _inline(ref: str, expression: str, kind: str = "javascript") -> Raw:
    return task(ref, "INLINE", inputParameters={"evaluatorType": kind, "expression": expression})


def _jq(ref: str, query: str) -> Raw:
    return task(ref, "JSON_JQ_TRANSFORM", inputParameters={"queryExpression": query})


def _validated(company: Company, raw: Raw) -> Any:
    answer = company.live.post(f"{PATH}/validate", {"definition": raw})
    assert answer.status == 200, answer
    return answer.json


def _notices(company: Company, raw: Raw) -> dict[str, tuple[str, str]]:
    return {one["field"]: (one["code"], one["text"]) for one in _validated(company, raw)["notices"]}


def _bad() -> Raw:
    return definition(
        _inline("a", "function ( {"),
        _jq("b", ".a |"),
        _inline("c", "$$$bad(", "jsonata"),
        task("d", "SET_VARIABLE", inputParameters={"x": "${jsonata: $$$bad(}"}),
        task(
            "e", "SWITCH", evaluatorType="javascript", expression="$.x >",
            inputParameters={"x": 1}, decisionCases={"y": [task("y", "NOOP")]},
        ),
        task("g", "DO_WHILE", loopCondition="$.g.iteration <", loopOver=[task("h", "NOOP")]),
        _inline("i", "1 + 1"),
        _inline("j", "$.${workflow.input.name}"),
    )  # fmt: skip


PLACES = [
    "tasks[0].inputParameters.expression",
    "tasks[1].inputParameters.queryExpression",
    "tasks[2].inputParameters.expression",
    "tasks[3].inputParameters.x",
    "tasks[4].expression",
    "tasks[5].loopCondition",
]


def test_scripts_that_cannot_be_read_are_faults_with_the_engines_words(company: Company) -> None:
    found = _validated(company, _bad())
    assert not found["good"]
    assert [one["location"] for one in found["violations"]] == PLACES
    assert {one["reason"] for one in found["violations"]} == {"syntax"}
    said = {one["location"]: one["message"] for one in found["violations"]}
    assert said[PLACES[0]] == "This JavaScript cannot be read: SyntaxError: function name expected (line 1)."
    assert "This jq cannot be read: syntax error" in said[PLACES[1]]
    assert "JSONata" in said[PLACES[3]]


def test_registering_and_changing_refuse_them_too_in_every_form_of_the_api(company: Company) -> None:
    refused = company.live.post(PATH, {"definition": _bad()})
    assert (refused.status, refused.places) == (400, [f"definition.{one}" for one in PLACES])
    assert company.live.post("/api/metadata/workflow", _bad()).status == 400
    good = definition(_inline("a", "1"))
    assert company.live.post(PATH, {"definition": good}).status == 200
    changed = company.live.put(f"{PATH}/{good['name']}", {"definition": definition(_inline("a", "1 +"))})
    assert (changed.status, changed.places) == (400, ["definition.tasks[0].inputParameters.expression"])


def test_a_script_within_a_workflow_that_is_written_out_has_its_place(company: Company) -> None:
    inner = {**definition(loop("l", _jq("q", "["))), "name": "inner"}
    raw = definition(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "inner", "workflowDefinition": inner}))
    places = [one["location"] for one in _validated(company, raw)["violations"]]
    assert places == [
        "tasks[0].subWorkflowParam.workflowDefinition.tasks[0].loopOver[0].inputParameters.queryExpression"
    ]


def test_all_faults_stand_in_the_order_of_the_text(company: Company) -> None:
    raw = {
        "name": "w",
        "timeoutSeconds": -1,
        "tasks": [
            _inline("a", "("),
            {"name": "b", "taskReferenceName": "a", "type": "NOOP", "startDelay": -1},
            switch("s", "${workflow.input.size}", BIG=[http("x", uri="ftp://x"), _jq("y", "[")]),
        ],
        "outputParameters": {"z": "${nobody.output}"},
        "version": 0,
    }
    places = [one["location"] for one in _validated(company, raw)["violations"]]
    assert places == [
        "timeoutSeconds",
        "tasks[0].inputParameters.expression",
        "tasks[1].taskReferenceName",
        "tasks[1].startDelay",
        "tasks[2].decisionCases.BIG[0].inputParameters.uri",
        "tasks[2].decisionCases.BIG[1].inputParameters.queryExpression",
        "outputParameters.z",
        "version",
    ]


def test_workflows_and_credentials_that_are_not_there_are_said(company: Company) -> None:
    assert company.live.post(PATH, {"definition": {**definition(task("n", "NOOP")), "name": "initials"}}).status == 200
    raw = {
        **definition(
            task("a", "SUB_WORKFLOW", subWorkflowParam={"name": "initails"}),
            task("b", "SUB_WORKFLOW", subWorkflowParam={"name": "initials"}),
            task("c", "SUB_WORKFLOW", subWorkflowParam={"name": "initials", "version": 7}),
            task("d", "SUB_WORKFLOW", subWorkflowParam={"name": "${workflow.input.which}"}),
            task("e", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "nobody"}}),
            task("f", "SUB_WORKFLOW", subWorkflowParam={"name": "itself"}),
            http("g", credential="here"),
            http("h", credential="${workflow.input.credential}"),
        ),
        "name": "itself",
        "failureWorkflow": "undo",
    }
    found = _notices(company, raw)
    absent = {place: text for place, (code, text) in found.items() if code == "workflow_not_there"}
    assert list(absent) == [
        "tasks[0].subWorkflowParam.name",
        "tasks[2].subWorkflowParam.name",
        "tasks[4].inputParameters.startWorkflow.name",
        "failureWorkflow",
    ]
    assert "Did you mean initials?" in absent["tasks[0].subWorkflowParam.name"]
    assert "version 7" in absent["tasks[2].subWorkflowParam.name"]
    assert [place for place, (code, _) in found.items() if code == "credential_not_there"] == [
        "tasks[6].inputParameters.credential"
    ]
    kept = {"name": "here", "kind": "bearer", "token": "long enough for a token", "hosts": ["api.example.com"]}
    assert company.live.post(f"{V1}/credentials", kept).status == 200
    assert "tasks[6].inputParameters.credential" not in _notices(company, raw)
    registered = company.live.post(PATH, {"definition": raw})
    assert registered.status == 200
    assert registered.codes >= {"workflow_not_there"}


def test_another_company_has_neither(company: Company) -> None:
    assert company.live.post(PATH, {"definition": {**definition(task("n", "NOOP")), "name": "mine"}}).status == 200
    raw = definition(task("a", "SUB_WORKFLOW", subWorkflowParam={"name": "mine"}))
    assert _notices(company, raw) == {}
    elsewhere = company.sandbox.post(f"{PATH}/validate", {"definition": raw}).json
    assert [one["code"] for one in elsewhere["notices"]] == ["workflow_not_there"]


@pytest.mark.parametrize(
    ("uri", "refused"),
    [
        ("http://10.0.0.1/x", "10.0.0.1:80"),
        ("https://[::1]:9/x", "::1:9"),
        ("http://localhost:9999/${workflow.input.id}", "localhost:9999"),
        ("http://10.0.0.1${workflow.input.rest}/x", None),
        ("https://api.example.com/x", None),
        ("${workflow.input.server}/x", None),
    ],
)
def test_addresses_that_will_be_refused_are_said_with_the_setting_that_allows_them(
    company: Company, uri: str, refused: str | None
) -> None:
    found = _notices(company, definition(http("a", uri=uri))).get("tasks[0].inputParameters.uri")
    if refused is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == "address_refused"
        assert f"egress_allow names {refused}" in found[1]


def test_what_is_wanted_is_found_whatever_stands_there() -> None:
    for odd in (None, 5, "x", [], {}, [5], {"a": 5}):
        raw = {"tasks": [
            {"type": kind, "taskReferenceName": "a", "inputParameters": odd, "subWorkflowParam": odd, "expression": odd,
             "loopCondition": odd, "evaluatorType": "javascript"}
            for kind in ("INLINE", "HTTP", "SWITCH", "DO_WHILE", "SUB_WORKFLOW", "START_WORKFLOW", "JSON_JQ_TRANSFORM")
        ], "failureWorkflow": odd, "outputParameters": odd}  # fmt: skip
        wants_of(raw, {})
        wants_of({"tasks": odd}, {})
        wants_of({"tasks": [http("a", uri=odd, credential=odd)]}, {})
