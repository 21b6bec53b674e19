"""Runs over HTTP, from the whole application over both stores."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from offhook.kit.operation import Call
from offhook.workflows.runs import engines
from tests.api.desk import Answer, Company

V1 = "/api/offhook/v1/workflows"
TASK = {"name": "h", "taskReferenceName": "h", "type": "HUMAN"}
WRITTEN_OUT = {"name": "out", "version": 1, "tasks": [TASK]}


@pytest.fixture
def registered(company: Company) -> Company:
    definition = {"name": "w", "version": 1, "tasks": [TASK], "inputTemplate": {"a": 0, "t": "from the template"}}
    assert company.live.post(f"{V1}/definitions", {"definition": definition}).status == 200
    return company


def _start(company: Company, key: str, **body: Any) -> Answer:
    return company.live.post(f"{V1}/runs", body, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("first", [{"workflow": "w"}, {"definition": WRITTEN_OUT}])
def test_a_start_with_the_same_key_and_request_is_the_same_run(registered: Company, first: dict[str, Any]):
    whole = {**first, "input": {"a": 1, "b": {"c": [1, 2]}}, "correlation_id": "x"}
    one = _start(registered, "k", **whole)
    again = _start(registered, "k", **whole)
    assert (one.status, again.status, again.headers["offhook-replayed"]) == (200, 200, "true")
    assert again.json["id"] == one.json["id"]


@pytest.mark.parametrize(
    "other",
    [
        {"input": {"a": 1}},
        {"input": {}},
        {"input": {"a": 1, "b": 2, "c": 3}},
        {"input": {"a": True, "b": 2}},
        {"input": {"a": 1.0, "b": 2}},
        {"correlation_id": "y"},
        {"version": 2},
        {"workflow": "other"},
        {"workflow": None, "definition": WRITTEN_OUT},
    ],
)
def test_a_key_is_refused_for_any_other_request(registered: Company, other: dict[str, Any]):
    for name, version in (("w", 2), ("other", 1)):
        more = {"name": name, "version": version, "tasks": [TASK]}
        assert registered.live.post(f"{V1}/definitions", {"definition": more}).status == 200
    whole = {"workflow": "w", "version": 1, "input": {"a": 1, "b": 2}}
    assert _start(registered, "k", **whole).status == 200
    sent = {name: value for name, value in {**whole, **other}.items() if value is not None}
    if "definition" in sent:
        del sent["version"]
    refused = _start(registered, "k", **sent)
    assert (refused.status, refused.places) == (409, ["Idempotency-Key"])


def test_another_definition_that_is_sent_along_is_another_request(registered: Company):
    assert _start(registered, "k", definition=WRITTEN_OUT).status == 200
    changed = {**WRITTEN_OUT, "description": "changed"}
    assert _start(registered, "k", definition=changed).status == 409


def test_what_the_template_gives_counts_as_not_sent(registered: Company):
    assert _start(registered, "k", workflow="w").status == 200
    assert _start(registered, "k", workflow="w").status == 200
    assert _start(registered, "k", workflow="w", input={"a": 5}).status == 409


def test_a_company_that_watches_a_lot_leaves_places_to_others(
    registered: Company, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engines, "WATCHING_SHARE", 2)
    workflows = registered.desk.offhook.workflows
    monkeypatch.setattr(workflows.runs, "most_watchers", 6)
    # Each watches what is not its own: the places are counted all the same, and nothing of it is shown.
    id = _start(registered, "k", workflow="w").json["id"]
    one, two, three = registered.tenant(), *(registered.desk.found().tenant() for _ in range(2))

    async def story() -> None:
        going: list[AsyncIterator[bytes]] = []

        async def refused(tenant_id: int) -> bool:
            call = Call(principal=SimpleNamespace(tenant_id=tenant_id), params={"id": int(id)})
            going.append(workflows.engines._told("embedded", workflows.runs, call))
            return b"refused" in await anext(going[-1])

        assert [await refused(one) for _ in range(4)] == [False, False, False, True]
        assert [await refused(two) for _ in range(2)] == [False, False]
        await going[0].aclose()  # type: ignore[attr-defined]
        assert [await refused(one) for _ in range(2)] == [False, True]
        # And all together have their bound.
        assert [await refused(three) for _ in range(2)] == [False, True]
        for each in going:
            await each.aclose()  # type: ignore[attr-defined]
        assert not workflows.engines._watchers["embedded"]

    runner.run(story())
