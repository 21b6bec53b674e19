"""What a stock server lacks, and the form that it takes."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.workflows.definitions import rules
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.http import EXTENSIONS
from offhook.workflows.definitions.lint import MOST, exported, lint
from offhook.workflows.definitions.steps import every, tree
from tests.workflows.definitions.shapes import (
    GOOD,
    Raw,
    definition,
    end,
    fork,
    http,
    loop,
    nested,
    switch,
    task,
    wait,
)  # fmt: skip
from tests.workflows.definitions.strategies import definitions

IN = "tasks[0].inputParameters"
OWNED = {"ownerEmail": "a@example.com"}

ODD = ["plain", "${workflow.secrets.T}", "${workflow.env.T}", "${jsonata: 1}", 2**70, "${http_1.output.response.body}"]

CASES: list[tuple[Raw, str, str]] = [
    (definition(http("a")), "no_owner", "ownerEmail"),
    (definition(http("a"), **OWNED | {"name": "Größe"}), "name_pattern", "name"),
    *((definition(nested("a", **{one: "x"}), **OWNED), "extension", f"{IN}.http_request.{one}") for one in EXTENSIONS),
    (definition(http("a", headers={"X-A": ["b", "c"]}), **OWNED), "header_list", f"{IN}.headers.X-A"),
    (definition({**http("a", method="POST"), "retryCount": 3}, **OWNED), "no_idempotency_key", IN),
    (definition(end("t", "TERMINATED"), **OWNED), "status_terminated", f"{IN}.terminationStatus"),
    (definition(wait("w", until="2026-01-01 10:00"), **OWNED), "until_without_zone", f"{IN}.until"),
    (definition(wait("w", until="2026-01-01T10:00:30Z"), **OWNED), "until_form", f"{IN}.until"),
    (definition(http("a", body="${workflow.secrets.T}"), **OWNED), "reads_secrets", f"{IN}.body"),
    (definition(http("a", body="${workflow.env.T}"), **OWNED), "reads_env", f"{IN}.body"),
    (definition(http("a", body=[2**70]), **OWNED), "large_number", f"{IN}.body[0]"),
    (definition(task("i", "INLINE", inputParameters={"evaluatorType": "jsonata", "expression": "a"}), **OWNED),
     "jsonata",
     f"{IN}.evaluatorType"),
    (definition(http("a", body="${jsonata:$sum(b.output[x = '}'])}"), **OWNED), "jsonata", f"{IN}.body"),
    (definition(http("a", method="POST"), **OWNED), "no_idempotency_key", IN),
    (definition(loop("l", http("a", method="POST")), **OWNED), "no_idempotency_key",
     "tasks[0].loopOver[0].inputParameters"),
    (definition(http("a", method="POST", headers="${workflow.input.h}"), **OWNED), "no_idempotency_key", IN),
    (definition(task("a", "HTTP", inputParameters={"http_request": "${workflow.input.r}"}), **OWNED),
     "request_is_data", f"{IN}.http_request"),
    (definition({**http("a"), "taskDefinition": {"inputTemplate": {"maxBytes": 5}}}, **OWNED), "extension",
     "tasks[0].taskDefinition.inputTemplate.maxBytes"),
    (definition({**http("a"), "taskDefinition": {"inputTemplate": {"body": "${jsonata: 1}"}}}, **OWNED), "jsonata",
     "tasks[0].taskDefinition.inputTemplate.body"),
    (definition(task("v", "SET_VARIABLE", inputParameters={"a": "${jsonata: $now()}"}), **OWNED), "jsonata",
     f"{IN}.a"),
    (definition(http("a"), outputParameters={"z": ["${jsonata: $sum([1,2])}"]}, **OWNED), "jsonata",
     "outputParameters.z[0]"),
    (definition(http("a"), outputParameters={"z": "${workflow.secrets.T}"}, **OWNED), "reads_secrets",
     "outputParameters.z"),
    (definition(http("a"), variables={"z": 2**64}, **OWNED), "large_number", "variables.z"),
    (definition(task("l", "DO_WHILE", items="${jsonata: [1]}", loopOver=[http("a")]), **OWNED), "jsonata",
     "tasks[0].items"),
    (definition(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "${jsonata: 'a'}"}), **OWNED), "jsonata",
     "tasks[0].subWorkflowParam.name"),
    (definition(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "a", "workflowDefinition": {
        "name": "a", "tasks": [http("b")], "outputParameters": {"x": "${jsonata: 1}"}}}), **OWNED), "jsonata",
     "tasks[0].subWorkflowParam.workflowDefinition.outputParameters.x"),
    (definition(*fork("f", [http("a")], [http("b")], on=[]), **OWNED), "join_on_missing", "tasks[1].joinOn"),
    (definition(*fork("f", [http("a")], [switch("s", 1, X=[http("b")])]), **OWNED), "join_on_switch",
     "tasks[1].joinOn"),
    (definition(*fork("f", [http("a")], [switch("s", 1, X=[http("b")]), http("c")], on=["a", "b"]), **OWNED),
     "join_on_case", "tasks[1].joinOn"),
    (definition({**http("a"), "optional": True}, wait("w", duration="${a.output.response.statusCode}"), **OWNED),
     "failed_response", "tasks[1].inputParameters.duration"),
    (definition(loop("l", {**http("a"), "optional": True}), **OWNED) | {"outputParameters": {
        "x": "${l.output.1.a.response.statusCode}"}}, "failed_response", "outputParameters.x"),
    (definition(task("l", "DO_WHILE", loopCondition="$.a.response.statusCode != 200",
                     loopOver=[{**http("a"), "optional": True}]), **OWNED),
     "failed_response", "tasks[0].loopCondition"),
    (definition(task("f", "FORK_JOIN_DYNAMIC", inputParameters={"forkTaskType": "HTTP", "forkTaskInputs": [
        {"uri": "https://a.example", "method": "GET", "credential": "here"}]}), task("j", "JOIN"), **OWNED),
     "extension", f"{IN}.forkTaskInputs[0].credential"),
    (definition(loop("l", http("a", maxBytes=5)), **OWNED), "extension",
     "tasks[0].loopOver[0].inputParameters.maxBytes"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "code", "place"), CASES)
def test_what_a_stock_server_lacks_is_found(raw: Raw, code: str, place: str) -> None:
    assert [(one.code, one.place) for one in lint(raw)] == [(code, place)]


def test_a_plain_definition_gives_no_finding() -> None:
    calls = http("a"), http("b", headers={"X-A": "${a.output.response.body.id}"})
    joined = fork("f", [switch("s", "${a.output.response.statusCode}", A=[http("c")]), task("n", "NOOP")])
    assert lint(definition(*calls, *joined, outputParameters={"x": "${b.output.response.body}"}, **OWNED)) == []


def test_what_is_exported_has_no_additions_left() -> None:
    raw = GOOD["attempts, limits and secrets"]
    before = copy.deepcopy(raw)
    made = exported(raw)
    assert raw == before
    assert not {one.code for one in lint(made.raw)} & {"extension", "header_list", "until_form", "status_terminated"}
    request = made.raw["tasks"][0]["inputParameters"]
    assert not set(request) & set(EXTENSIONS)
    assert {one.field.rpartition(".")[2] for one in made.notices if one.code == "left_out"} == set(EXTENSIONS) - {
        "credential"
    }


def test_an_idempotency_key_becomes_a_header_that_stays_the_same_over_attempts() -> None:
    made = exported(definition(http("a", method="POST", idempotencyKey="X-Key", headers={"X-A": "b"})))
    assert made.raw["tasks"][0]["inputParameters"]["headers"] == {"X-A": "b", "X-Key": "${workflow.workflowId}-a"}


def test_every_request_that_carries_a_key_here_has_it_in_the_export() -> None:
    made = exported(definition(http("a", method="POST"), nested("b", method="PUT"), http("c", idempotencyKey=True)))
    first, second, third = (one["inputParameters"] for one in made.raw["tasks"])
    assert first["headers"] == {"Idempotency-Key": "${workflow.workflowId}-a"}
    assert second["http_request"]["headers"] == {"Idempotency-Key": "${workflow.workflowId}-b"}
    assert third["headers"] == {"Idempotency-Key": "${workflow.workflowId}-c"}
    own = {"idempotency-key": "mine"}
    made = exported(definition(http("a", method="POST", headers=own), http("b", method="POST", idempotencyKey=False)))
    first, second = (one["inputParameters"] for one in made.raw["tasks"])
    assert (first["headers"], "headers" in second) == (own, False)


def test_each_branch_that_a_fork_writes_out_has_a_key_of_its_own() -> None:
    inputs = [{"uri": "https://a.example", "method": "POST"} for _ in range(2)]
    fan = task("f", "FORK_JOIN_DYNAMIC", inputParameters={"forkTaskType": "HTTP", "forkTaskInputs": inputs})
    sent = exported(definition(fan, task("j", "JOIN"))).raw["tasks"][0]["inputParameters"]["forkTaskInputs"]
    assert [one["headers"] for one in sent] == [
        {"Idempotency-Key": f"${{workflow.workflowId}}-f-{number}"} for number in range(2)
    ]


def test_a_join_names_the_last_task_of_each_branch() -> None:
    made = exported(definition(*fork("f", [http("a"), http("b")], [loop("l", http("c"))], on=[])))
    assert made.raw["tasks"][1]["joinOn"] == ["b", "l"]
    assert [one.code for one in made.notices if one.field == "tasks[1].joinOn"] == ["join_filled"]


def _told(raw: Raw) -> None:
    """Each finding is translated away by the export, or named in its notices with the same words."""
    before = lint(raw)
    made = exported(raw)
    places = {one.field for one in made.notices}
    left = {(one.code, one.place) for one in lint(made.raw)}
    for one in before:
        assert one.place in places, one
        if (one.code, one.place) in left:
            words = [
                notice.text for notice in made.notices if (notice.code, notice.field) == ("not_exported", one.place)
            ]
            assert f"{one.text} {one.stock}" in words, one


@pytest.mark.parametrize("raw", [*(raw for raw, _, _ in CASES), *GOOD.values()])
def test_every_finding_is_translated_or_named_by_the_export(raw: Raw) -> None:
    _told(raw)


@settings(max_examples=50, deadline=None)
@given(definitions(), st.data())
def test_what_is_added_anywhere_is_translated_or_named_by_the_export(raw: Raw, data: st.DataObject) -> None:
    for step in every(tree(Checked(), raw)):
        assert isinstance(step.raw, dict)
        if step.type == "HTTP":
            names = st.sampled_from(sorted(EXTENSIONS))
            step.raw["inputParameters"] |= data.draw(st.dictionaries(names, st.just("x"), max_size=3))
            step.raw["inputParameters"]["method"] = data.draw(st.sampled_from(["GET", "POST"]))
            step.raw["inputParameters"]["body"] = data.draw(st.sampled_from(ODD))
            step.raw["optional"] = data.draw(st.booleans())
        elif step.type == "JOIN":
            step.raw["joinOn"] = data.draw(st.sampled_from([step.raw["joinOn"], [], None]))
    raw["outputParameters"] = {"x": data.draw(st.sampled_from(ODD))}
    _told(raw)


def test_more_than_is_told_is_said() -> None:
    raw = definition(http("a", body=[2**70] * (MOST + 5)), ownerEmail="a@example.com")
    assert [one.code for one in lint(raw)[MOST - 1 :]] == ["large_number", "more"]
    assert [one.code for one in exported(raw).notices[MOST - 1 :]] == ["not_exported", "more"]


def test_in_a_loop_no_key_is_made_that_would_be_the_same_in_each_turn() -> None:
    made = exported(definition(loop("l", http("a", method="POST", idempotencyKey="X-Key"))))
    assert "headers" not in made.raw["tasks"][0]["loopOver"][0]["inputParameters"]


def test_a_moment_is_rewritten_and_never_too_early() -> None:
    made = exported(definition(wait("w", until="2026-01-01T10:00:30+02:00")))
    assert made.raw["tasks"][0]["inputParameters"]["until"] == "2026-01-01 08:01 UTC"


@settings(max_examples=50, deadline=None)
@given(definitions())
def test_what_is_exported_keeps_the_rules(raw: Raw) -> None:
    assert rules.check(exported(raw).raw).good
