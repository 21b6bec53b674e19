"""Names of definitions on a server that all companies share."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.kit.errors import Invalid
from offhook.workflows.remote.names import definition_for, marked, unmarked
from tests.workflows.definitions.shapes import definition, fork, loop, switch, task


@given(st.text(min_size=1), st.integers(1, 2**53), st.integers(1, 2**53))
def test_a_name_is_the_companys_and_nobody_elses(name: str, mine: int, other: int) -> None:
    assert unmarked(marked(name, mine), mine) == name
    if mine != other:
        assert unmarked(marked(name, mine), other) is None
    assert unmarked(f"#{mine}", mine) is None


def test_all_that_a_definition_starts_is_marked_wherever_it_stands() -> None:
    def sub(ref: str, name: str) -> dict[str, object]:
        return task(ref, "SUB_WORKFLOW", subWorkflowParam={"name": name, "version": 1})

    start = task("go", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "g"}})
    inner = definition(sub("deep", "d"), name="inner", failureWorkflow="f2")
    raw = definition(
        sub("a", "a"),
        switch("s", "x", one=[sub("b", "b")], default=[sub("c", "c")]),
        *fork("f", [loop("l", start)], [sub("same", "a")]),
        task("written", "SUB_WORKFLOW", subWorkflowParam={"name": "inner", "workflowDefinition": inner}),
        sub("own", "test"),
        failureWorkflow="undo",
    )
    before = copy.deepcopy(raw)
    made, others = definition_for(raw, 7)
    assert raw == before
    assert (made["name"], made["failureWorkflow"]) == ("test#7", "undo#7")
    assert sorted(name for name, _ in others) == ["a", "b", "c", "d", "f2", "g", "undo"]
    assert ("a", 1) in others
    assert ("g", None) in others
    text = str(made)
    for name in ("a", "b", "c", "d", "g", "test", "inner"):
        assert f"'name': '{name}#7'" in text
    assert "f2#7" in text


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (task("a", "SUB_WORKFLOW", subWorkflowParam={"name": "${workflow.input.n}"}), "subWorkflowParam.name"),
        (
            task("a", "SUB_WORKFLOW", subWorkflowParam={"name": "n", "workflowDefinition": "${workflow.input.d}"}),
            "subWorkflowParam.workflowDefinition",
        ),
        (
            task("a", "START_WORKFLOW", inputParameters={"startWorkflow": "${workflow.input.s}"}),
            "inputParameters.startWorkflow",
        ),
    ],
)
def test_a_name_that_is_not_known_here_is_refused(one: dict[str, object], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        definition_for(definition(one), 7)
    assert [found.location for found in refused.value.violations] == [f"tasks[0].{place}"]
