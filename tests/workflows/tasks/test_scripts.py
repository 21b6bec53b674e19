"""INLINE and JSON_JQ_TRANSFORM: outputs as Conductor's, and a script that fails ends its task for good."""

import asyncio
from typing import Any

import pytest

from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.machine.model import MOST_OUTPUT, Attempt, Outcome
from offhook.workflows.tasks.scripts import ScriptTasks

NOW = 1_800_000_000.0


def done(work: str, given: Any, template: dict[str, Any] | None = None, *, closed: bool = False) -> Outcome:
    """What the task comes to; its definition has the same input unless it is said."""
    attempt = Attempt(id=7, number=1, key="a", ref="a", name="a", type="", status="SCHEDULED", input=given)

    async def go() -> Outcome:
        scripts = Scripts(1)
        try:
            if closed:
                await scripts.close()
            tasks = ScriptTasks(scripts, wall=lambda: NOW)
            by = template if template is not None else given if isinstance(given, dict) else {}
            return await getattr(tasks, work)(1, attempt, by)
        finally:
            await scripts.close()

    return asyncio.run(go())


def inline(expression: Any, kind: Any = "javascript", **more: Any) -> Outcome:
    return done("inline", {"evaluatorType": kind, "expression": expression, **more})


def jq(query: Any, **more: Any) -> Outcome:
    return done("jq", {"queryExpression": query, **more})


@pytest.mark.parametrize(
    ("kind", "expression", "result"),
    [
        ("javascript", "(function () { return $.a + $.list.length; })()", 7),
        ("graaljs", "({sum: $.a, of: $.evaluatorType})", {"sum": 5, "of": "graaljs"}),
        ("javascript", "Date.now()", NOW * 1000),
        ("javascript", "undefined", None),
        ("value-param", "list", [1, 2]),
        ("value-param", "nothing", None),
        ("jsonata", "$sum(list) + a", 8),
    ],
)
def test_inline_gives_its_result(kind: str, expression: str, result: Any):
    assert inline(expression, kind, a=5, list=[1, 2]) == Outcome(status="COMPLETED", output={"result": result})


@pytest.mark.parametrize(
    ("query", "results"),
    [(".a", [5]), (".list[]", [1, 2]), ("{sum: (.list | add)}", [{"sum": 3}]), ("empty", []), (".nothing", [None])],
)
def test_jq_gives_its_first_result_and_all(query: str, results: list[Any]):
    output = {"result": results[0] if results else None, "resultList": results}
    assert jq(query, a=5, list=[1, 2]) == Outcome(status="COMPLETED", output=output)


def test_jq_is_told_the_moment():
    assert jq("now").output["result"] == NOW


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (lambda: inline("throw new Error('no room')"), "no room"),
        (lambda: inline("$.a ="), "SyntaxError"),
        (lambda: inline("1", "python"), "evaluatorType is python; it must be one of javascript"),
        (lambda: inline("1", None), "evaluatorType is None"),
        (lambda: inline(""), "expression is ; it must be a text"),
        (lambda: inline(7), "expression is 7; it must be a text"),
        (lambda: jq(".a | error", a="5 apples"), "5 apples"),
        (lambda: jq(".["), "syntax error"),
        (lambda: jq(None), "queryExpression is None"),
        (lambda: done("jq", [1]), "The input is no object with queryExpression"),
        (lambda: done("inline", None), "The input is no object with expression"),
    ],
)
def test_a_script_without_a_result_ends_its_task_for_good(outcome: Any, words: str):
    came = outcome()
    assert came.status == "FAILED_WITH_TERMINAL_ERROR"
    assert words in came.reason
    assert came.output == {"error": came.reason}


@pytest.mark.parametrize(
    "outcome",
    [
        lambda: inline("'x'.repeat(4e6)"),
        lambda: jq('"x" * 4000000'),
        lambda: jq('"x" * 1600000'),
    ],
)
def test_an_output_has_a_bound(outcome: Any):
    came = outcome()
    assert came.status == "FAILED_WITH_TERMINAL_ERROR"
    assert "bytes" in came.reason


def test_a_large_output_may_be_had():
    length = MOST_OUTPUT - 200
    assert len(inline(f"'x'.repeat({length})").output["result"]) == length


def test_a_script_gets_no_secret_where_its_definition_asks_for_one():
    came = inline("$.key", key="${workflow.secrets.KEY}")
    assert came.status == "FAILED_WITH_TERMINAL_ERROR"
    assert "asks for the secret KEY" in came.reason


def test_text_of_a_run_that_looks_like_a_secret_is_text():
    given = {"evaluatorType": "javascript", "expression": "$.key", "key": "${workflow.secrets.KEY}"}
    came = done("inline", given, {**given, "key": "${workflow.input.key}"})
    assert came.output == {"result": "${workflow.secrets.KEY}"}


def test_what_could_not_be_evaluated_here_may_be_tried_again():
    given = {"evaluatorType": "javascript", "expression": "1"}
    assert done("inline", given, closed=True).status == "FAILED"


def test_a_result_that_is_nested_too_deeply_is_none():
    nest = "(function () {{ let a = []; for (let i = 1; i < {}; i++) a = [a]; return a; }})()"
    assert inline(nest.format(199)).status == "COMPLETED"
    came = inline(nest.format(200))
    assert came.status == "FAILED_WITH_TERMINAL_ERROR"
    assert "nested in more than" in came.reason
