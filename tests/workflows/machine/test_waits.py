"""A WAIT whose time comes out as nothing."""

import pytest

from tests.workflows.machine.play import Play, task


@pytest.mark.parametrize("name", ["duration", "until"])
@pytest.mark.parametrize(
    "template", [{}, {"taskDefinition": {"name": "w", "retryCount": 0, "inputTemplate": {"a": 1}}}]
)
def test_a_wait_whose_time_comes_out_as_null_fails_and_says_why(name, template):
    play = Play(task("w", "WAIT", inputParameters={name: "${workflow.input.spelt_wrong}"}, **template))
    assert play.state.run.status == "FAILED"
    assert f"{name} came out as null, from" in play.state.run.reason


def test_a_wait_without_a_time_waits_for_somebody():
    play = Play(task("w", "WAIT", inputParameters={"duration": None, "question": "May it go on?"}))
    assert play.state.run.status == "RUNNING"
