"""A NUL in any text of any body is refused with its place or kept as data, and is never a fault of ours."""

import asyncio
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args, get_origin

import pytest

from offhook.kit.operation import Operation
from offhook.kit.settings import Settings
from offhook.kit.wire import _bare, is_struct, shape
from tests.api.desk import Desk, placed
from tests.api.elsewhere import sharing
from tests.api.furnished import BODIES, HEADERS, QUERIES, Furnished, filled, furnish, named
from tests.servers import PostgreSQL

ODD = "a\0b"


class Scene:
    """A furnished company on one store."""

    def __init__(self, desk: Desk) -> None:
        self.operations: dict[str, Operation] = {one.id: one for one in sharing(desk).offhook.operations}
        self.me: Furnished = furnish(desk.found(), "live")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def scene(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    def opened(**more: Any) -> Iterator[Scene]:
        data = str(tmp_path_factory.mktemp("data"))
        desk = Desk(runner, Settings(data=data, access_log=False, benchmark=True, rate_limit_scale=1e6, **more))
        yield Scene(desk)
        desk.close()

    if request.param == "sqlite":
        yield from opened()
        return
    postgres: PostgreSQL = request.getfixturevalue("postgres")
    with postgres.database() as url:
        yield from opened(database_url=url)


def _texts(kind: Any, at: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of a struct's fields that are declared as text, in lists and structs within it too."""
    for name, (hint, _) in shape(kind).fields.items():
        bare, path = _bare(hint), f"{at}.{name}" if at else name
        if get_origin(bare) is list:
            bare, path = _bare(get_args(bare)[0]), f"{path}[0]"
        if is_struct(bare) and depth < 4:
            yield from _texts(bare, path, depth + 1)
        elif bare is str:
            yield path


def _leaves(value: Any, at: str = "") -> Iterator[str]:
    """The paths of all texts that stand in a body."""
    if isinstance(value, str):
        yield at
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{at}[{index}]")


@pytest.mark.parametrize("operation_id", sorted(BODIES))
def test_a_nul_in_a_text_is_never_a_fault(scene: Scene, operation_id: str):
    one, own = scene.operations[operation_id], scene.me.own
    path = filled(one.path, {place: own[thing] for place, thing in named(one.id, one.path).items()})
    headers = HEADERS[one.id](own) if one.id in HEADERS else {}
    good = BODIES[operation_id](own)
    declared = set(_texts(one.body)) if is_struct(one.body) else set()
    for field in sorted(declared | set(_leaves(good))):
        body, item = deepcopy(good), field.rpartition(".")[0]
        for beside in declared if item.endswith("[0]") else ():
            if beside.rpartition(".")[0] == item:
                body = placed(body, beside, "x")
        body = placed(body, field, ODD)
        answer = scene.me.api.send(one.method, path + QUERIES.get(one.id, ""), body, headers=headers)
        assert answer.status < 500, (field, answer)
        if field in declared:
            assert answer.status == 400, (field, answer)
            assert field in str(answer.json), (field, answer)


CONDUCTOR: list[tuple[str, str, Any]] = [
    ("POST", "/api/workflow", {"name": ODD}),
    ("POST", "/api/workflow", {"name": "{definition}", "correlationId": ODD}),
    ("POST", "/api/workflow", {"name": "{definition}", "idempotencyKey": ODD, "idempotencyStrategy": "FAIL"}),
    ("POST", "/api/workflow", {"name": "{definition}", "taskToDomain": {ODD: ODD}}),
    ("POST", "/api/workflow", {"name": "{definition}", "input": {ODD: ODD}}),
    ("POST", "/api/workflow/{definition}", {ODD: ODD}),
    ("POST", "/api/metadata/taskdefs", [{"name": ODD}]),
    ("POST", "/api/metadata/workflow", {"name": ODD, "tasks": []}),
    ("PUT", "/api/metadata/workflow", [{"name": "x", "description": ODD, "ownerEmail": ODD, "tasks": []}]),
    ("PUT", "/api/workflow/{workflow_run}/skiptask/{task_ref}", {"taskOutput": {ODD: ODD}}),
    ("POST", "/api/workflow/{over_workflow_run}/rerun", {"reRunFromTaskId": ODD}),
]


@pytest.mark.parametrize(("method", "path", "body"), CONDUCTOR)
def test_nor_is_it_in_another_systems_form(scene: Scene, method: str, path: str, body: Any):
    own = scene.me.own
    if isinstance(body, dict) and "{" in str(body.get("name", "")):
        body = {**body, "name": own["definition"]}
    answer = scene.me.api.send(method, filled(path, own), body)
    assert answer.status < 500, answer


def test_what_is_data_may_have_it(scene: Scene):
    body = {"workflow": scene.me.own["definition"], "input": {ODD: [ODD]}}
    made = scene.me.api.post("/api/offhook/v1/workflows/runs", body)
    assert made.status == 200, made
    run = scene.me.api.get(f"/api/offhook/v1/workflows/runs/{made.json['id']}")
    assert run.json["input"] == {ODD: [ODD]}
