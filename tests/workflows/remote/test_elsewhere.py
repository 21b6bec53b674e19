"""Definitions of this server run by a Conductor server, and seen as runs here are."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from offhook.kit.errors import Conflict, Invalid, NotFound, Unavailable
from offhook.kit.operation import Call
from offhook.workflows.remote.conductor import Conductor
from offhook.workflows.remote.shown import run_out, whole_run_out
from tests.catalog.workbench import answering, serving
from tests.workflows.conductor.clients import Service, unique
from tests.workflows.definitions.shapes import Raw, definition, end, http, task
from tests.workflows.remote.conftest import V1, Runs


def test_a_run_is_started_seen_and_ends(runs: Runs, service: Service) -> None:
    name = runs.register(
        http("call", uri=f"{service.url}/echo", method="POST", body={"n": "${workflow.input.n}"}),
        outputParameters={"n": "${call.output.response.body.body.n}"},
    )
    id = runs.begun(name, {"n": 5}, correlation_id="order-5")
    run = runs.seen(id, "COMPLETED")
    assert (run["id"], run["engine"], run["workflow"], run["version"]) == (id, runs.engine, name, 1)
    assert (run["input"], run["output"], run["correlation_id"]) == ({"n": 5}, {"n": 5}, "order-5")
    [call] = run["tasks"]
    assert (call["reference_name"], call["type"], call["status"]) == ("call", "HTTP", "COMPLETED")
    assert call["started_at"] <= call["ended_at"]
    page = runs.api.get(f"{V1}/runs/{id}/attempts").json
    [attempt] = page["items"]
    assert "after" not in page
    assert attempt["input"]["uri"] == f"{service.url}/echo"
    assert attempt["output"]["response"]["statusCode"] == 200
    assert runs.api.get(f"{V1}/runs/{id}/tasks/{attempt['id']}").json == attempt
    assert runs.api.get(f"{V1}/runs/{id}/tasks/7").status == 404
    assert "input" not in runs.api.get(f"{V1}/runs/{id}/attempts?brief=true").json["items"][0]
    drawn = runs.api.get(f"{V1}/runs/{id}/graph").json
    assert (drawn["graph"]["name"], drawn["states"]["call"]["status"]) == (name, "COMPLETED")
    assert drawn["states"]["call"]["task_id"] == attempt["id"]
    assert "flowchart" in runs.api.get(f"{V1}/runs/{id}/graph?form=mermaid").response.text


def test_what_a_run_takes_page_by_page(runs: Runs) -> None:
    id = runs.begun(runs.register(*(task(f"t{n}", "SET_VARIABLE", inputParameters={"n": n}) for n in range(5))))
    runs.seen(id, "COMPLETED")
    refs, after = [], 0
    while True:
        page = runs.api.get(f"{V1}/runs/{id}/attempts?limit=2&after={after}").json
        refs += [one["reference_name"] for one in page["items"]]
        if "after" not in page:
            break
        after = page["after"]
    assert refs == [f"t{n}" for n in range(5)]


def test_a_run_is_paused_resumed_terminated_restarted_and_deleted(runs: Runs) -> None:
    id = runs.begun(runs.register(task("ask", "HUMAN")))
    assert runs.when(id, lambda run: run.get("tasks"))["tasks"][0]["waits_for_you"] is True
    assert runs.do(id, "resume").status == 409
    assert runs.do(id, "pause").json["status"] == "PAUSED"
    assert runs.do(id, "resume").json["status"] == "RUNNING"
    for what in ("retry", "restart", "rerun"):
        assert runs.do(id, what).status == 409
    assert runs.api.delete(f"{V1}/runs/{id}").status == 409
    ended = runs.do(id, "terminate", {"reason": "Not wanted."}).json
    assert (ended["status"], ended["reason"]) == ("TERMINATED", "Not wanted.")
    for what in ("pause", "resume", "terminate", "skip/ask"):
        assert runs.do(id, what).status == 409
    assert runs.do(id, "restart").json["status"] == "RUNNING"
    assert runs.do(id, "terminate").json["status"] == "TERMINATED"
    assert runs.api.delete(f"{V1}/runs/{id}").status == 200
    assert runs.api.get(f"{V1}/runs/{id}").status == 404


def test_what_failed_is_tried_again(runs: Runs, service: Service) -> None:
    id = runs.begun(runs.register(http("call", uri=f"{service.url}/flaky/{unique()}/1")))
    failed = runs.seen(id, "FAILED")
    assert failed["failed_task"] == failed["tasks"][0]["id"]
    assert "503" in failed["reason"]
    assert runs.do(id, "retry").status == 200
    run = runs.seen(id, "COMPLETED")
    assert [one["status"] for one in run["tasks"]] == ["COMPLETED"]
    kept = runs.api.get(f"{V1}/runs/{id}/attempts").json["items"]
    assert [(one["status"], one.get("counts", True)) for one in kept] == [("FAILED", False), ("COMPLETED", True)]
    assert kept[1]["repeats"] == kept[0]["id"]
    assert runs.do(id, "retry").status == 409


def test_somebody_completes_a_task(runs: Runs) -> None:
    id = runs.begun(runs.register(task("ask", "HUMAN"), outputParameters={"agreed": "${ask.output.agreed}"}))
    [ask] = runs.when(id, lambda run: run.get("tasks"))["tasks"]
    assert runs.do(id, "tasks/7/complete").status == 404
    assert runs.do(id, f"tasks/{ask['id']}/complete", {"output": {"agreed": True}}).status == 200
    assert runs.seen(id, "COMPLETED")["output"] == {"agreed": True}
    assert runs.do(id, f"tasks/{ask['id']}/complete").status == 409


def test_a_run_is_done_again_from_one_of_its_tasks(runs: Runs) -> None:
    name = runs.register(
        task("first", "NOOP"),
        task("second", "SET_VARIABLE", inputParameters={"n": "${workflow.input.n}"}),
        outputParameters={"n": "${workflow.variables.n}"},
    )
    id = runs.begun(name, {"n": 1})
    second = runs.seen(id, "COMPLETED")["tasks"][1]
    assert runs.do(id, "rerun", {"task_id": second["id"], "task_input": {"n": 2}}).status == 200
    assert runs.seen(id, "COMPLETED")["output"] == {"n": 2}
    assert runs.do(id, "rerun", {"task_id": "7"}).status == 404


def test_a_task_is_skipped(runs: Runs) -> None:
    id = runs.begun(runs.register(task("ask", "HUMAN"), task("more", "HUMAN")))
    runs.when(id, lambda run: run.get("tasks"))
    assert runs.do(id, "skip/more", {"output": {}}).status == 200
    assert runs.do(id, "skip/nowhere").status == 404
    [ask] = runs.when(id, lambda run: run.get("tasks"))["tasks"]
    assert runs.do(id, f"tasks/{ask['id']}/complete").status == 200
    assert [one["status"] for one in runs.seen(id, "COMPLETED")["tasks"]] == ["COMPLETED", "SKIPPED"]


def test_runs_are_searched(runs: Runs) -> None:
    one, other = runs.register(task("ask", "HUMAN")), runs.register(end("stop"))
    ids = [runs.begun(one, correlation_id=f"c-{n}") for n in range(3)]
    over = runs.begun(other)
    runs.seen(over, "COMPLETED")
    assert [run["id"] for run in runs.found(3, workflow=one)] == ids[::-1]
    assert [run["id"] for run in runs.found(4)] == [over, *ids[::-1]]
    assert [(run["id"], run["engine"]) for run in runs.found(1, correlation_id="c-1")] == [(ids[1], runs.engine)]
    assert [run["id"] for run in runs.found(1, status="COMPLETED")] == [over]
    assert runs.found(0, until="2026-01-01T00:00:00Z") == []
    assert len(runs.found(4, since="2020-01-01T00:00:00Z")) == 4
    assert runs.api.get(f"{V1}/runs?engine={runs.engine}&status=GREEN").status == 400


def test_all_runs_of_many_definitions_are_found_page_by_page(runs: Runs) -> None:
    names = [runs.register(end("stop")) for _ in range(60)]
    ids = [runs.begun(one) for one in names]
    runs.found(60, limit="100")
    found, cursor, pages = [], "", 0
    while True:
        page = runs.api.get(f"{V1}/runs?engine={runs.engine}&limit=25{cursor}").json
        found += [one["id"] for one in page["items"]]
        pages += 1
        if "cursor" not in page:
            break
        cursor = f"&cursor={page['cursor']}"
    assert (found, pages) == (ids[::-1], 3)


def test_runs_are_nobody_elses(runs: Runs) -> None:
    name = runs.register(task("ask", "HUMAN"))
    id = runs.begun(name)
    ask = runs.when(id, lambda run: run.get("tasks"))["tasks"][0]["id"]
    for stranger in (runs.company.desk.found().live, runs.company.sandbox):
        for path in ("", "/attempts", "/graph", "/live", f"/tasks/{ask}"):
            assert stranger.get(f"{V1}/runs/{id}{path}").status == 404
        for what in ("pause", "resume", "terminate", "retry", "restart", "rerun", "skip/ask", f"tasks/{ask}/complete"):
            assert stranger.post(f"{V1}/runs/{id}/{what}").status == 404
        assert stranger.delete(f"{V1}/runs/{id}").status == 404
        assert stranger.post(f"{V1}/runs", {"workflow": name, "engine": runs.engine}).status == 404
        assert stranger.get(f"{V1}/runs?engine={runs.engine}&workflow={name}").json == {"items": []}
        assert stranger.get(f"{V1}/runs?engine={runs.engine}").json == {"items": []}
    assert runs.seen(id, "RUNNING")["id"] == id


def test_a_key_starts_one_run(runs: Runs) -> None:
    name, key = runs.register(task("ask", "HUMAN")), unique()
    first = runs.start(name, {"a": 1}, key=key)
    again = runs.start(name, {"a": 1}, key=key)
    assert (first.status, again.status, again.json["id"]) == (200, 200, first.json["id"])
    assert again.headers["offhook-replayed"] == "true"
    assert runs.start(name, {"a": 2}, key=key).status == 409
    other = "conductor" if runs.engine == "embedded" else "embedded"
    assert runs.start(name, {"a": 1}, key=key, engine=other).status == 409
    runs.found(1, workflow=name)
    assert "correlation_id" not in runs.seen(first.json["id"], "RUNNING")


def test_a_run_is_watched(runs: Runs) -> None:
    id = runs.begun(runs.register(task("ask", "HUMAN")))
    [ask] = runs.when(id, lambda run: run.get("tasks"))["tasks"]
    desk = runs.company.desk
    engines = desk.offhook.workflows.engines
    principal = SimpleNamespace(tenant_id=runs.company.tenant(), key_name="test", key_id=1)
    complete = engines.by_id(lambda one, call: one.complete(call))

    async def follow() -> list[tuple[str, Raw]]:
        reply = await engines.watch(Call(principal=principal, params={"id": id}))
        seen: list[tuple[str, Raw]] = []
        assert reply.stream is not None
        async for piece in reply.stream:
            if piece.startswith(b"event: "):
                name, *_, data = piece.decode().strip().split("\n")
                seen.append((name, json.loads(data.removeprefix("data: "))))
                if len(seen) == 1:
                    await complete(Call(principal=principal, params={"id": id, "task_id": ask["id"]}))
        return seen

    seen = desk.run(follow())
    assert seen[-1][0] == "event: end"
    states = [data["status"] for name, data in seen if name == "event: run"]
    assert (states[0], states[-1]) == ("RUNNING", "COMPLETED")


# What is sent there


def test_what_is_lost_on_the_way_is_said(there: Runs, service: Service) -> None:
    name = there.register(http("call", uri=f"{service.url}/echo", retryAfter=True))
    answer = there.start(name)
    assert ("left_out", "tasks[0].inputParameters.retryAfter") in answer.warned
    rehearsed = there.api.post(
        f"{V1}/runs", {"workflow": name, "engine": "conductor"}, headers={"offhook-dry-run": "true"}
    ).json
    assert rehearsed["result"]["id"] == "0"
    assert [one["code"] for one in rehearsed["warnings"]] == ["left_out"]


def test_what_is_changed_is_sent_again_and_what_is_not_is_not(there: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[str]] = []
    put = Conductor.put

    async def counting(self: Conductor, definitions: list[Raw]) -> None:
        sent.append([one["name"].partition("#")[0] for one in definitions])
        await put(self, definitions)

    monkeypatch.setattr(Conductor, "put", counting)
    inner = there.register(task("keep", "NOOP"), outputParameters={"a": 7})
    outer = there.register(
        task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": inner, "version": 1}),
        outputParameters={"a": "${sub.output.a}"},
    )
    for wanted in (7, 7, 8):
        if wanted == 8:
            there.register(task("keep", "NOOP"), name=inner, outputParameters={"a": 8})
        assert there.seen(there.begun(outer), "COMPLETED")["output"] == {"a": wanted}
    assert sent == [[inner, outer], [inner]]


def test_a_definition_that_is_sent_along_is_run_and_found(there: Runs) -> None:
    name = unique()
    body = {"definition": {**definition(end("stop")), "name": name}, "engine": "conductor"}
    answer = there.api.post(f"{V1}/runs", body)
    assert answer.status == 200, answer
    there.seen(answer.json["id"], "COMPLETED")
    assert [one["workflow"] for one in there.found(1)] == [name]


def test_a_policy_that_is_registered_here_goes_along(there: Runs, service: Service) -> None:
    path = f"/flaky/{unique()}/1"
    policy = {"name": "patient", "retryCount": 1, "retryDelaySeconds": 0}
    assert there.api.post(f"{V1}/policies", {"policy": policy}).status == 200
    call = {**http("call", uri=f"{service.url}{path}"), "name": "patient"}
    there.seen(there.begun(there.register(call)), "COMPLETED")


def test_what_it_starts_and_is_not_here_is_said(there: Runs) -> None:
    answer = there.start(
        there.register(task("go", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "no"}}))
    )
    assert "not_sent" in answer.codes


def test_an_answer_that_was_lost_starts_no_second_run(there: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    name, key = there.register(task("ask", "HUMAN")), unique()
    start = Conductor.start

    async def lost(self: Conductor, name: str, version: int, given: Raw, correlation: str, key: str) -> str:
        await start(self, name, version, given, correlation, "")
        raise Unavailable("The line broke.")

    monkeypatch.setattr(Conductor, "start", lost)
    first = there.start(name, {"a": 1}, key=key)
    assert (first.status, "not known whether" in str(first)) == (503, True)
    monkeypatch.setattr(Conductor, "start", start)
    again = there.start(name, {"a": 1}, key=key)
    assert again.status == 200, again
    assert [one["id"] for one in there.found(1, workflow=name)] == [again.json["id"]]


def test_a_start_of_which_nothing_is_found_yet_is_not_repeated_at_once(
    there: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, key = there.register(task("ask", "HUMAN")), unique()
    start = Conductor.start

    async def away(self: Conductor, *_: Any) -> str:
        raise Unavailable("Nobody there.")

    monkeypatch.setattr(Conductor, "start", away)
    assert there.start(name, key=key).status == 503
    monkeypatch.setattr(Conductor, "start", start)
    waiting = there.start(name, key=key)
    assert waiting.status == 503
    assert 0 < int(waiting.headers["retry-after"]) <= 61
    assert there.found(0, workflow=name) == []
    monkeypatch.setattr("offhook.workflows.remote.starting.DOUBT_MS", 0)
    assert there.start(name, key=key).status == 200
    assert len(there.found(1, workflow=name)) == 1


def test_a_start_that_is_refused_there_leaves_the_key_free(there: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    name, key = there.register(task("ask", "HUMAN")), unique()
    start = Conductor.start

    async def refused(self: Conductor, *_: Any) -> str:
        raise Conflict("Not today.")

    monkeypatch.setattr(Conductor, "start", refused)
    assert there.start(name, key=key).status == 409
    monkeypatch.setattr(Conductor, "start", start)
    assert there.start(name, key=key).status == 200


def test_an_installation_that_names_no_server(sqlite_desk: Any) -> None:
    api = sqlite_desk.found().live
    api.post(f"{V1}/definitions", {"definition": definition(end("stop"))})
    for answer in (
        api.post(f"{V1}/runs", {"workflow": "test", "engine": "conductor"}),
        api.get(f"{V1}/runs?engine=conductor"),
    ):
        assert answer.status == 409
        assert "conductor_url" in answer.errors[0]["message"]
    assert api.get(f"{V1}/runs/c1").status == 404
    assert api.post(f"{V1}/runs/c1/pause").status == 404


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
                await client.start("a", 1, {}, "", "")
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
