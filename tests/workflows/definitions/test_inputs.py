"""Which inputs of a run tasks read."""

from typing import Any

import pytest

from offhook.workflows.definitions.inputs import inputs_missing, inputs_read
from tests.workflows.definitions.shapes import definition, http, loop, switch, task


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${workflow.input.city}", ("city",)),
        ("${workflow.input.office.name} of ${workflow.input.city}", ("office", "city")),
        ("${workflow.input['a b'].c} ${ $.workflow.input.d }", ("a b", "d")),
        ("${workflow.input.area-code}", ("area-code",)),
        ("${jsonata: workflow.input.a-workflow.input.b}", ("a", "b")),
        ("${a.output.rows[${workflow.input.row}]}", ("row",)),
        ("$${workflow.input.city} workflow.input.x ${a.output.workflow.input.y} ${workflow.input}", ()),
    ],
)
def test_inputs_are_found_in_expressions(text: str, expected: tuple[str, ...]):
    assert inputs_read({"tasks": [task("a", "SET_VARIABLE", inputParameters={"x": [text]})]}) == expected


def test_all_tasks_are_looked_at_but_not_those_of_another_workflow():
    inner = {"name": "inner", "tasks": [http("i", body="${workflow.input.theirs}")]}
    raw = definition(
        http("a", body={"deep": ["${workflow.input.one}"]}),
        switch("s", "${workflow.input.two}", x=[loop("l", http("b", body="${workflow.input.three}"))]),
        task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "inner", "workflowDefinition": inner}),
        outputParameters={"x": "${workflow.input.four}"},
    )
    assert inputs_read(raw) == ("one", "two", "three")


@pytest.mark.parametrize("template", [{"two": 2}, {"two": None}])
def test_those_are_missing_that_are_neither_given_nor_completed(template: dict[str, Any]):
    raw = definition(http("a", body="${workflow.input.one} ${workflow.input.two} ${workflow.input.three}"))
    assert inputs_missing(raw | {"inputTemplate": template}, {"three": None}) == ("one",)
    assert inputs_missing({"tasks": "nonsense", "inputTemplate": 7}, {}) == ()
