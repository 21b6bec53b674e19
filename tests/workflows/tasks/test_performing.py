"""Attempts are carried out by their type, and all that do one thing have one key."""

import asyncio
from typing import Any

import pytest

from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.machine.model import PERFORMED, Attempt, Outcome
from offhook.workflows.tasks.performing import Tasks
from tests.catalog.workbench import Service, answering, serving
from tests.workflows.tasks.calling import NOW, SECRETS, TENANT, addressed, header_of, http_task, post


def attempt(kind: str, given: Any, **more: Any) -> Attempt:
    return Attempt(
        **{"id": 7, "number": 1, "key": "a", "ref": "a", "name": "a", "status": "SCHEDULED", **more},
        type=kind,
        input=given,
    )


def perform(*attempts: Attempt, template: dict[str, Any] | None = None) -> tuple[list[Outcome], Service]:
    async def go() -> tuple[list[Outcome], Service]:
        scripts = Scripts(1)
        http = http_task()
        tasks = Tasks(http, scripts, wall=lambda: NOW)
        async with serving(answering(b"[1]")) as service:
            outcomes = []
            for one in attempts:
                given = addressed(one.input, service)
                by = addressed(template if template is not None else one.input, service)
                one = attempt(one.type, given, id=one.id, chain=one.chain)
                outcomes.append(await tasks.perform(TENANT, one, by))
        await http.egress.close()
        await scripts.close()
        return outcomes, service

    return asyncio.run(go())


def test_each_type_is_done():
    outcomes, _ = perform(
        attempt("HTTP", post()),
        attempt("INLINE", {"evaluatorType": "javascript", "expression": "$.a + Date.now()", "a": 1}),
        attempt("JSON_JQ_TRANSFORM", {"queryExpression": ".a, 2", "a": 1}),
    )
    assert [one.status for one in outcomes] == ["COMPLETED"] * 3
    assert outcomes[0].output["response"]["body"] == [1]
    assert outcomes[1].output == {"result": 1 + NOW * 1000}
    assert outcomes[2].output == {"result": 1, "resultList": [1, 2]}


@pytest.mark.parametrize("kind", sorted(PERFORMED))
def test_all_that_turns_leave_to_others_is_known(kind: str):
    (outcome,), _ = perform(attempt(kind, {}))
    assert "Nothing here does a task" not in outcome.reason


def test_other_types_are_refused_by_name():
    (outcome,), service = perform(attempt("SIMPLE", post()))
    assert outcome.status == "FAILED_WITH_TERMINAL_ERROR"
    assert "SIMPLE" in outcome.reason
    assert service.heads == []


def test_attempts_of_a_chain_have_one_key():
    _, service = perform(
        attempt("HTTP", post(), id=7),
        attempt("HTTP", post(), id=8, chain=7),
        attempt("HTTP", post(), id=9, chain=7),
        attempt("HTTP", post(), id=10),
    )
    keys = [header_of(head, "Idempotency-Key") for head in service.heads]
    assert keys == ["offhook-7", "offhook-7", "offhook-7", "offhook-10"]


def test_only_the_definition_gets_secrets():
    asks = post(headers={"X-Key": "${workflow.secrets.KEY}"})
    _, service = perform(attempt("HTTP", asks))
    assert header_of(service.heads[0], "X-Key") == SECRETS["KEY"]
    (outcome,), service = perform(attempt("HTTP", asks), template={})
    assert outcome.status == "FAILED_WITH_TERMINAL_ERROR"
    assert service.heads == []
