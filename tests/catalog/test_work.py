"""Whatever a document's author has made of its schemas, the work over it ends, and what was left out is said."""

import asyncio
import threading
import time

import jsonschema_rs
import pytest

from offhook.catalog.model import Head, Tree
from offhook.catalog.reference.page import reference
from offhook.catalog.requests.building import prepare
from offhook.catalog.requests.checker import UNCHECKED, UNPLACED, Checker
from offhook.catalog.requests.checking import check, check_answer
from offhook.catalog.requests.counting import MOST_COST
from offhook.catalog.requests.model import Prepared
from offhook.catalog.work import AT_ONCE, OF_ONE, WAITING, Turns, Work
from offhook.kit.errors import RateLimited
from tests.catalog.hostile import SHAPES, document

POINTER = "/paths/~1a/post"
HEAD = Head(key="a", method="POST", path="/a", pointer=POINTER)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("levels", [10, 18])
def test_schemas_that_multiply_themselves_come_to_an_end(shape: str, levels: int):
    tree = Tree(document(shape, levels))
    began = time.thread_time()
    page = reference(tree, POINTER, HEAD)
    made = prepare(page, tree, POINTER)
    check(tree, POINTER, Prepared(method="POST", media="application/json", body=made.body))
    check_answer(tree, POINTER, 200, "application/json", b'{"b": [{"a": 1}]}')
    assert time.thread_time() - began < 6
    body = page.bodies[0]
    if "alternatives" in page.cut:
        assert body.more_choices or body.more_fields
    assert made.server == "https://hostile.example"


def test_what_the_work_does_not_reach_for_is_said():
    tree = Tree(document("lists of alternatives"))
    page = reference(tree, POINTER, HEAD)
    assert "alternatives" in page.cut
    assert page.bodies[0].more_choices
    work = Work(steps=20)
    assert prepare(page, tree, POINTER, work).body
    assert work.cut
    faults = check(tree, POINTER, Prepared(media="application/json", body='{"a": 1}'), Work(steps=20))
    assert [one.message for one in faults] == [UNCHECKED]


def test_parameters_are_whole_whatever_the_bodies_take():
    tree = document("lists of alternatives")
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}
    tree["paths"]["/a"]["post"]["parameters"] = [limit]
    (row,) = reference(Tree(tree), POINTER, HEAD, Work(steps=50)).query_parameters
    assert (row.type, row.limits) == ("Integer", ("at most 9",))


def test_the_library_is_not_asked_for_what_would_hold_the_server_up(monkeypatch: pytest.MonkeyPatch):
    """It copies what a fault is about, once for each, before it gives the first one."""
    asked = []

    class Watched(jsonschema_rs.Draft202012Validator):
        def iter_errors(self, value):
            asked.append(value)
            return super().iter_errors(value)

    monkeypatch.setattr(jsonschema_rs, "Draft202012Validator", Watched)
    large = {f"k{number}": "x" * 10 for number in range(20_000)}
    schema = {"oneOf": [{"type": "string"}, {"type": "integer"}] * 100}
    (fault,) = Checker(Tree({}), schema, "answer", Work()).faults(large, "body")
    assert (fault.message, asked) == (UNPLACED, [])


def test_faults_in_long_lists_are_placed_by_their_beginnings():
    schema = {
        "type": "array",
        "minItems": 500,
        "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
    }
    items = [{"id": number, "name": "x" * 50} for number in range(MOST_COST // 5)]
    items[3]["id"] = "three"
    checker = Checker(Tree({}), schema, "answer", Work())
    assert [one.location for one in checker.faults(items, "body")] == ["body[3].id"]
    items[3]["id"], items[-1]["id"] = 3, "last"
    again = Checker(Tree({}), schema, "answer", Work())
    assert [(one.location, one.message) for one in again.faults(items, "body")] == [("body", UNPLACED)]


def test_steps_and_the_end_of_the_server_bound_the_work():
    work = Work(steps=2)
    assert [work.spend(), work.spend(), work.over, work.cut] == [True, True, False, False]
    assert [work.spend(), work.over, work.cut, work.spent] == [False, True, True, 2]
    stopped = threading.Event()
    work = Work(stopped=stopped)
    assert work.spend(600)
    stopped.set()
    assert not work.spend(600)


def test_a_company_has_not_all_threads_and_waits_in_a_line_of_its_own():
    asyncio.run(_in_turns())


async def _in_turns() -> None:
    turns, gate, under_way = Turns(), threading.Event(), []

    def hold(_work: Work) -> str:
        under_way.append(1)
        gate.wait(30)
        return "done"

    tasks = [asyncio.create_task(turns.run(1, hold)) for _ in range(OF_ONE + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await turns.run(1, hold)
    assert await asyncio.wait_for(turns.run(2, lambda _work: "other"), 10) == "other"
    assert len(under_way) == OF_ONE < AT_ONCE
    gate.set()
    assert set(await asyncio.gather(*tasks)) == {"done"}
    assert await turns.run(1, hold) == "done"
    turns.close()
