"""Definitions of this server run by a Conductor server, and seen as runs here are."""

import asyncio
import time
from typing import Any

import pytest

from offhook.kit.errors import Conflict, Invalid, NotFound, Unavailable
from offhook.workflows.remote.conductor import Conductor
from offhook.workflows.remote.shown import run_out, whole_run_out
from tests.api.desk import Api, Company
from tests.catalog.workbench import answering, serving
from tests.workflows.conductor.clients import SECONDS, Service, unique
from tests.workflows.definitions.shapes import Raw, definition, end, http, task

V1 = "/api/offhook/v1/workflows"
THERE = f"{V1}/elsewhere"


def _kept(api: Api, *tasks: Raw, **fields: Any) -> str:
    """Register a definition here and send it there; its name."""
    name = unique()
    raw = {**definition(*tasks), "name": name, "ownerEmail": "owner@example.com", **fields}
    made = api.post(f"{V1}/definitions", {"definition": raw})
    assert made.status == 200, made
    sent = api.post(f"{THERE}/definitions/{name}")
    assert sent.status == 200, sent
    assert sent.json["name"].startswith(f"{name}#")
    return name


def _started(api: Api, name: str, given: Raw, **more: Any) -> str:
    answer = api.post(f"{THERE}/runs", {"workflow": name, "input": given, **more})
    assert answer.status == 200, answer
    return str(answer.json["id"])


def _seen(api: Api, id: str, *statuses: str) -> Raw:
    """The run once it is in one of these states."""
    until = time.monotonic() + SECONDS
    while True:
        answer = api.get(f"{THERE}/runs/{id}")
        assert answer.status == 200, answer
        if answer.json["status"] in statuses:
            found: Raw = answer.json
            return found
        assert time.monotonic() < until, answer
        time.sleep(0.02)


def test_a_definition_is_sent_run_there_and_seen_here(firm: Company, service: Service) -> None:
    api = firm.live
    name = _kept(
        api,
        http("call", uri=f"{service.url}/echo", method="POST", body={"n": "${workflow.input.n}"}, retryAfter=True),
        outputParameters={"n": "${call.output.response.body.body.n}"},
    )
    sent = api.post(f"{THERE}/definitions/{name}").json
    assert [(one["code"], one["field"]) for one in sent["notices"]] == [
        ("left_out", "tasks[0].inputParameters.retryAfter"),
        ("header_added", "tasks[0].inputParameters"),
    ]
    id = _started(api, name, {"n": 5}, correlation_id="order-5")
    run = _seen(api, id, "COMPLETED")
    assert (run["id"], run["workflow"], run["version"], run["output"]) == (id, name, 1, {"n": 5})
    assert (run["input"], run["correlation_id"]) == ({"n": 5}, "order-5")
    [call] = run["tasks"]
    assert (call["reference_name"], call["type"], call["status"]) == ("call", "HTTP", "COMPLETED")
    assert call["started_at"] <= call["ended_at"]


def test_runs_there_are_searched_and_changed(firm: Company) -> None:
    api = firm.live
    name = _kept(api, task("ask", "HUMAN"))
    id = _started(api, name, {})
    assert _seen(api, id, "RUNNING")["tasks"][0]["waits_for_you"] is True
    assert api.post(f"{THERE}/runs/{id}/pause").status == 200
    assert _seen(api, id, "PAUSED")["status"] == "PAUSED"
    assert api.post(f"{THERE}/runs/{id}/resume").status == 200
    assert api.post(f"{THERE}/runs/{id}/terminate", {"reason": "Not wanted."}).status == 200
    assert _seen(api, id, "TERMINATED")["reason"] == "Not wanted."
    assert api.post(f"{THERE}/runs/{id}/pause").status == 409
    until = time.monotonic() + SECONDS
    while not (page := api.get(f"{THERE}/runs?workflow={name}&status=TERMINATED").json)["items"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert [(one["id"], one["workflow"]) for one in page["items"]] == [(id, name)]
    assert page["total"] == 1
    assert id in {one["id"] for one in api.get(f"{THERE}/runs").json["items"]}
    assert api.post(f"{THERE}/runs/{id}/restart").status == 200
    assert _seen(api, id, "RUNNING")


def test_what_failed_there_is_tried_again_there(firm: Company, service: Service) -> None:
    api, path = firm.live, f"/flaky/{unique()}/1"
    id = _started(api, _kept(api, http("call", uri=f"{service.url}{path}")), {})
    assert "503" in _seen(api, id, "FAILED")["reason"]
    assert api.post(f"{THERE}/runs/{id}/retry").status == 200
    run = _seen(api, id, "COMPLETED")
    assert [(one["status"], one.get("counts", True)) for one in run["tasks"]] == [
        ("FAILED", False),
        ("COMPLETED", True),
    ]


def test_runs_there_are_nobody_elses(firm: Company) -> None:
    name = _kept(firm.live, task("ask", "HUMAN"))
    id = _started(firm.live, name, {})
    for stranger in (firm.desk.found().live, firm.sandbox):
        assert stranger.get(f"{THERE}/runs/{id}").status == 404
        for what in ("pause", "resume", "terminate", "retry", "restart"):
            assert stranger.post(f"{THERE}/runs/{id}/{what}").status == 404
        assert stranger.post(f"{THERE}/runs", {"workflow": name}).status == 404
        assert stranger.get(f"{THERE}/runs?workflow={name}").json == {"items": [], "total": 0}
        assert stranger.get(f"{THERE}/runs").json == {"items": [], "total": 0}
        assert stranger.post(f"{THERE}/definitions/{name}").status == 404
    assert _seen(firm.live, id, "RUNNING")["status"] == "RUNNING"


def test_what_a_definition_starts_is_the_companys_own_there(firm: Company) -> None:
    inner = _kept(firm.live, task("keep", "SET_VARIABLE", inputParameters={"a": 1}), outputParameters={"a": 7})
    param = {"name": inner, "version": 1}
    outer = _kept(
        firm.live, task("sub", "SUB_WORKFLOW", subWorkflowParam=param), outputParameters={"a": "${sub.output.a}"}
    )
    assert firm.live.post(f"{THERE}/definitions/{outer}").json["starts"] == [inner]
    assert _seen(firm.live, _started(firm.live, outer, {}), "COMPLETED")["output"] == {"a": 7}


def test_an_installation_that_names_no_server(sqlite_desk: Any) -> None:
    api = sqlite_desk.found().live
    api.post(f"{V1}/definitions", {"definition": definition(end("stop"))})
    for answer in (
        api.post(f"{THERE}/definitions/test"),
        api.post(f"{THERE}/runs", {"workflow": "test"}),
        api.get(f"{THERE}/runs"),
        api.get(f"{THERE}/runs/1"),
        api.post(f"{THERE}/runs/1/pause"),
    ):
        assert answer.status == 409
        assert "conductor_url" in answer.errors[0]["message"]


# The client


ANSWERS: list[tuple[str, type[Exception], str]] = [
    ('404 Not Found|{"status":404,"message":"No such workflow"}', NotFound, "No such workflow"),
    ('409 Conflict|{"message":"It is over"}', Conflict, "It is over"),
    ('400 Bad Request|{"message":"Wrong","validationErrors":[{"path":"tasks","message":"empty"}]}', Invalid, "Wrong"),
    ('500 Oops|{"message":"Broken"}', Unavailable, "Broken"),
    ("502 Bad Gateway|<html>", Unavailable, "502"),
    ("200 OK|[1]", Unavailable, "no JSON object"),
    ("200 OK|{", Unavailable, "no JSON object"),
]


@pytest.mark.parametrize(("answer", "kind", "part"), ANSWERS)
def test_what_the_server_answers_is_told_in_its_words(answer: str, kind: type[Exception], part: str) -> None:
    status, _, body = answer.partition("|")

    async def go() -> None:
        async with serving(answering(body.encode(), status=status)) as service:
            client = Conductor(service.url("/api"))
            try:
                with pytest.raises(kind) as caught:
                    await client.get("1")
                assert part in str(caught.value)
            finally:
                await client.close()

    asyncio.run(go())


def test_a_server_that_is_away() -> None:
    async def go() -> None:
        client = Conductor("http://127.0.0.1:9/api", "id", "s3cr3t-word")
        try:
            with pytest.raises(Unavailable) as caught:
                await client.start("a", None, {}, "")
            assert "s3cr3t-word" not in str(caught.value)
        finally:
            await client.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"workflowName": "a#8", "status": "RUNNING", "startTime": 1},
        {"workflowName": "a#7", "status": "GREEN", "startTime": 1},
        {"workflowName": "a#7", "status": "RUNNING"},
        {"workflowName": "a#7", "status": "RUNNING", "startTime": 1e300},
        {"workflowName": ["a#7"], "status": {}, "startTime": "yesterday"},
    ],
)
def test_what_is_no_run_of_the_company_is_left_out(raw: Raw) -> None:
    assert run_out(raw, 7) is None
    assert whole_run_out(raw, 7) is None


def test_a_run_of_which_a_server_says_odd_things() -> None:
    raw = {
        "workflowName": "a#7", "status": "FAILED", "startTime": "2026-01-01T00:00:00Z", "endTime": 10**30,
        "tasks": [3, {"status": "ODD"}, {"status": "FAILED", "seq": "1", "taskType": None}], "variables": [],
    }  # fmt: skip
    found = whole_run_out(raw, 7)
    assert found is not None
    assert (found.workflow, found.started_at, found.ended_at) == ("a", "2026-01-01T00:00:00.000+00:00", None)
    assert [one.status for one in found.tasks] == ["FAILED"]
