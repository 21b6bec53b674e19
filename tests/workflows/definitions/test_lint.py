"""What a stock server lacks, and the form that it takes."""

import copy

import pytest
from hypothesis import given, settings

from offhook.workflows.definitions import rules
from offhook.workflows.definitions.http import EXTENSIONS
from offhook.workflows.definitions.lint import exported, lint
from tests.workflows.definitions.shapes import GOOD, Raw, definition, end, http, loop, nested, task, wait
from tests.workflows.definitions.strategies import definitions

IN = "tasks[0].inputParameters"
OWNED = {"ownerEmail": "a@example.com"}

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
    (definition(loop("l", http("a", maxBytes=5)), **OWNED), "extension",
     "tasks[0].loopOver[0].inputParameters.maxBytes"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "code", "place"), CASES)
def test_what_a_stock_server_lacks_is_found(raw: Raw, code: str, place: str) -> None:
    assert [(one.code, one.place) for one in lint(raw)] == [(code, place)]


def test_a_plain_definition_gives_no_finding() -> None:
    assert lint(GOOD["a chain of calls"]) == []


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
