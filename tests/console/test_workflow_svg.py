"""A workflow's graph as a picture: every task in it, nothing on top of anything else, and what became of each."""

import re
from itertools import combinations, pairwise
from typing import Any

import pytest

from offhook.console.workflow_svg import Shown, workflow_svg
from offhook.workflows.definitions.graph import graph
from offhook.workflows.definitions.model import converted
from tests.workflows.definitions.shapes import GOOD, definition, end, fork, http, loop, switch, task

NESTED = definition(
    switch(
        "first",
        "${workflow.input.a}",
        x=[switch("second", "${workflow.input.b}", p=[http("p1"), http("p2")], q=[http("q1")])],
        y=[loop("outer", loop("inner", http("in2")), http("in1"))],
        z=[end("stop")],
    ),
    *fork("wide", [http("f1")], [http("f2"), http("f3")]),
    http("tail"),
)


def drawn(raw: dict[str, Any], **options: Any) -> str:
    return str(workflow_svg(graph(converted(raw)), "Tasks", **options))


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    """(left, top, right, bottom) of what has the shape of a box."""
    found = re.findall(r'<rect class="box" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    return [(float(x), float(y), float(x) + float(w), float(y) + float(h)) for x, y, w, h in found]


def uprights(svg: str) -> list[tuple[float, float, float]]:
    """(x, top, bottom) of the parts of lines that go up or down."""
    found = []
    for path in re.findall(r'<path class="way[^"]*" d="([^"]+)"', svg):
        numbers = [float(one) for one in re.findall(r"-?[\d.]+", path)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        pairs = pairwise(points)
        found += [(a[0], min(a[1], b[1]), max(a[1], b[1])) for a, b in pairs if a[0] == b[0]]
    return found


@pytest.mark.parametrize("raw", [*GOOD.values(), NESTED], ids=[*GOOD, "nested"])
def test_no_line_goes_through_a_task_and_no_task_lies_on_another(raw: dict[str, Any]):
    svg = drawn(raw)
    for one, other in combinations(boxes(svg), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for x, top, bottom in uprights(svg):
        for left, upper, right, lower in boxes(svg):
            crosses = left < x < right and top < lower - 1 and bottom > upper + 1
            assert not crosses, (x, top, bottom, (left, upper, right, lower))


@pytest.mark.parametrize("raw", [*GOOD.values(), NESTED], ids=[*GOOD, "nested"])
def test_everything_is_within_the_picture(raw: dict[str, Any]):
    svg = drawn(raw)
    wide, tall = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())  # type: ignore[union-attr]
    assert all(left >= 0 and right <= wide and top >= 0 and bottom <= tall for left, top, right, bottom in boxes(svg))
    assert all(0 <= x <= wide and top >= 0 and bottom <= tall for x, top, bottom in uprights(svg))


def test_a_task_s_own_words_stay_words():
    svg = drawn(definition(task("a", "NOOP") | {"name": '<script>"&'}), address=lambda node: f"?x={node.ref}&y")
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg
    assert 'href="?x=a&amp;y"' in svg


def test_what_became_of_tasks_is_said_in_words_and_by_a_sign():
    states = {"p1": Shown("FAILED", 3, 0, 0.25), "first": Shown("COMPLETED"), "second": Shown("COMPLETED")}
    svg = drawn(NESTED, states=states, address=lambda node: f"?task={node.ref}")
    failed = re.search(r'<g class="node task bad">.*?</g>', svg)
    assert failed
    assert 'aria-label="p1 (p1), HTTP, failed"' in failed[0]
    assert "HTTP · 250 ms · 3 tries" in failed[0]
    assert ">✕<" in failed[0]


def test_the_way_that_a_run_took_is_told_from_those_that_it_did_not_take():
    raw = definition(switch("s", "${workflow.input.a}", x=[http("a")], default=[]), http("b"))
    done = Shown("COMPLETED")
    by_case = drawn(raw, states={"s": done, "a": done, "b": done}, ended=True)
    assert by_case.count('class="way lit"') == 4, "to s, to a, to b, to the end; not past a"
    past = drawn(raw, states={"s": done, "b": done}, ended=True)
    assert past.count('class="way lit"') == 3


def test_the_task_is_marked_that_is_nearest_to_what_is_wrong():
    svg = drawn(NESTED, faulty=["tasks[0].decisionCases.x[0].decisionCases.p[1].inputParameters.uri", "name"])
    assert svg.count("faulty") == 1
    assert re.search(r'<g class="node task faulty">.*?p2', svg)
