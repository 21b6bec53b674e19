"""A definition as a picture."""

import json
import re

import msgspec
import pytest
from hypothesis import given, settings

from offhook.workflows.definitions import rules
from offhook.workflows.definitions.graph import graph, mermaid
from offhook.workflows.definitions.model import converted, every
from tests.workflows.definitions.shapes import GOOD, Raw, definition, end, fork, http, loop, switch
from tests.workflows.definitions.strategies import definitions


def _edges(raw: Raw) -> set[tuple[str, str, str, str]]:
    drawn = graph(converted(raw))
    names = {node.id: node.ref or node.id for node in drawn.nodes}
    return {(names[edge.source], names[edge.target], edge.kind, edge.label) for edge in drawn.edges}


def test_a_chain_leads_from_start_to_end() -> None:
    assert _edges(definition(http("a"), http("b"))) == {
        ("start", "a", "next", ""), ("a", "b", "next", ""), ("b", "end", "next", ""),
    }  # fmt: skip


def test_the_cases_of_a_switch_meet_again() -> None:
    raw = definition(switch("s", 1, BIG=[http("a")], SMALL=[end("stop")]), http("b"))
    assert _edges(raw) == {
        ("start", "s", "next", ""), ("s", "a", "case", "BIG"), ("s", "stop", "case", "SMALL"),
        ("s", "b", "case", "otherwise"), ("a", "b", "next", ""), ("b", "end", "next", ""),
    }  # fmt: skip


def test_branches_lead_to_their_join() -> None:
    assert _edges(definition(*fork("f", [http("a")], [http("b")]))) == {
        ("start", "f", "next", ""), ("f", "a", "branch", ""), ("f", "b", "branch", ""), ("a", "f_join", "next", ""),
        ("b", "f_join", "next", ""), ("f_join", "end", "next", ""),
    }  # fmt: skip


def test_a_loop_leads_back_and_on() -> None:
    assert _edges(definition(loop("l", http("a")))) == {
        ("start", "l", "next", ""), ("l", "a", "next", ""), ("a", "l", "back", "again"), ("l", "end", "next", "done"),
    }  # fmt: skip


def test_groups_hold_what_is_within() -> None:
    drawn = graph(converted(definition(http("a"), loop("l", *fork("f", [http("b")], [http("c"), http("d")])))))
    of_loop, of_fork = drawn.groups
    assert (of_loop.kind, of_loop.y, of_loop.width, of_loop.height, of_loop.inside) == ("loop", 2, 2, 5, "")
    assert (of_fork.kind, of_fork.y, of_fork.width, of_fork.height) == ("fork", 3, 2, 3)
    assert of_fork.inside == of_loop.id
    within = {node.ref for node in drawn.nodes if node.group == of_fork.id}
    assert within == {"b", "c", "d"}


@pytest.mark.parametrize("name", GOOD)
def test_every_shape_is_drawn_and_can_be_sent(name: str) -> None:
    drawn = graph(converted(GOOD[name]))
    assert len(drawn.nodes) == len(list(every(converted(GOOD[name]).tasks))) + 2
    assert json.loads(msgspec.json.encode(drawn))["name"] == "test"


@settings(max_examples=150, deadline=None)
@given(definitions())
def test_nodes_have_places_of_their_own_and_groups_hold_theirs(raw: Raw) -> None:
    assert rules.check(raw).good
    drawn = graph(converted(raw))
    places = [(node.x, node.y) for node in drawn.nodes]
    assert len(set(places)) == len(places)
    assert all(0 <= x < drawn.width and 0 <= y < drawn.height for x, y in places)
    groups = {group.id: group for group in drawn.groups}
    for node in drawn.nodes:
        group = groups.get(node.group)
        assert group is None or (
            group.x <= node.x < group.x + group.width and group.y < node.y < group.y + group.height
        )
    ids = {node.id for node in drawn.nodes}
    assert {edge.source for edge in drawn.edges} | {edge.target for edge in drawn.edges} <= ids
    assert graph(converted(raw)) == drawn


@settings(max_examples=50, deadline=None)
@given(definitions())
def test_mermaid_text_has_a_line_for_each_node_and_edge(raw: Raw) -> None:
    drawn, text = graph(converted(raw)), mermaid(converted(raw))
    assert len(text.splitlines()) == 1 + len(drawn.nodes) + len(drawn.edges)


def test_names_cannot_leave_their_quotes() -> None:
    raw = definition({**http("a"), "name": 'x"]; click a "javascript:alert(1)" <b>'})
    text = mermaid(converted(raw))
    assert re.search(r'"[^"]*x[^"]*HTTP[^"]*"\]$', text, re.MULTILINE)
    assert "<" not in text
    assert ";" not in text
