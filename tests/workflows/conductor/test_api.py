"""Conductor's routes from the whole application over both stores: forms, keys, refusals, other companies."""

from typing import Any

import pytest

from offhook.access.limits import LocalLimiter
from offhook.workflows.conductor import starting
from offhook.workflows.conductor.api import UNBUILT
from tests.api.desk import Api, Company
from tests.directory.people import key_of, person
from tests.workflows.definitions.shapes import Raw, definition, task

DEFS, RUNS, TASKS = "/api/metadata/workflow", "/api/workflow", "/api/tasks"
HUMAN = definition(task("ask", "HUMAN"), outputParameters={"said": "${ask.output.said}"})


def _refused(answer: Any, status: int, path: str) -> Raw:
    """A refusal in Conductor's form."""
    assert answer.status == status, answer
    found: Raw = answer.json
    assert (found["status"], found["instance"]) == (status, path)
    assert found["message"]
    assert found["retryable"] is (status in (429, 503))
    assert "code" not in found
    return found


def _begun(api: Api, **more: Any) -> str:
    assert api.post(f"{DEFS}?overwrite=true", HUMAN).status == 200
    answer = api.post(RUNS, {"name": "test", "input": {"a": "zebra"}, **more})
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("text/plain")
    return str(answer.response.text)


def test_what_is_refused_is_told_in_conductors_form(company: Company) -> None:
    api = company.live
    found = _refused(api.post(DEFS, definition(task("a", "HTTP"), task("a", "NOPE"))), 400, DEFS)
    places = {one["path"] for one in found["validationErrors"]}
    assert {"tasks[1].type", "tasks[1].taskReferenceName"} <= places
    assert all(one["message"] for one in found["validationErrors"])
    found = _refused(api.put(DEFS, [HUMAN, definition()]), 400, DEFS)
    assert {one["path"] for one in found["validationErrors"]} == {"[1].tasks"}
    _refused(api.get(f"{DEFS}/test"), 404, f"{DEFS}/test")
    _refused(api.post(DEFS, [HUMAN]), 400, DEFS)
    _refused(api.post(DEFS, content=b"{"), 400, DEFS)
    _refused(api.put(DEFS, []), 400, DEFS)
    _refused(api.get(f"{RUNS}/search?query=colour%3Dred"), 400, f"{RUNS}/search")
    _refused(api.get(f"{RUNS}/search?size=1001"), 400, f"{RUNS}/search")
    _refused(api.post(RUNS, {"input": {}}), 400, RUNS)
    _refused(api.post(RUNS, {"name": "test", "input": 3}), 400, RUNS)
    _refused(api.get(f"{TASKS}/12"), 404, f"{TASKS}/12")
    _refused(api.get(f"{TASKS}/1-2"), 404, f"{TASKS}/1-2")
    assert api.get("/api/metadata/taskdefs").json == []


def test_the_key_comes_as_the_sdk_sends_it_or_as_usual(company: Company) -> None:
    nobody = Api(company.desk, "")
    path = f"{RUNS}/running/test"
    for headers in ({"X-Authorization": company.live.key}, {"Authorization": f"Bearer {company.live.key}"}):
        assert nobody.get(path, headers=headers).json == []
    for headers in ({}, {"X-Authorization": "ohk_live_wrong"}, {"Authorization": "Bearer ohk_live_wrong"}):
        found = _refused(nobody.get(path, headers=headers), 401, path)
        assert found["error"] == "INVALID_TOKEN"
        assert "ohk_live_wrong" not in str(found)
    assert nobody.get("/api/v2/company", headers={"X-Authorization": company.live.key}).status == 401


def test_a_token_is_given_for_a_key(company: Company) -> None:
    nobody = Api(company.desk, "")
    given = nobody.post("/api/token", {"keyId": "any", "keySecret": company.live.key})
    assert given.status == 200
    assert nobody.get(DEFS, headers={"X-Authorization": given.json["token"]}).json == []
    for secret in ("", "ohk_live_wrong"):
        _refused(nobody.post("/api/token", {"keyId": "any", "keySecret": secret}), 401, "/api/token")
    _refused(nobody.post("/api/token", {"keySecret": 3}), 400, "/api/token")


def test_wrong_keys_are_counted_by_address(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit is 120; the application of the tests has one address for all.
    monkeypatch.setattr(company.desk.offhook.gate, "_limiter", LocalLimiter())
    nobody, asked = Api(company.desk, ""), []
    for _ in range(121):
        asked.append(nobody.post("/api/token", {"keyId": "any", "keySecret": "ohk_live_wrong"}).status)
    assert asked == [401] * 120 + [429]
    good = nobody.post("/api/token", {"keyId": "any", "keySecret": company.live.key})
    _refused(good, 429, "/api/token")


def test_a_scope_is_needed(company: Company) -> None:
    reader = company.key("workflows:read")
    assert reader.get(DEFS).status == 200
    _refused(reader.post(DEFS, HUMAN), 403, DEFS)


def test_a_key_of_a_user_who_is_no_admin_changes_nothing(embedded: Company) -> None:
    id = _begun(embedded.live)
    plain = key_of(embedded, person(embedded, "Paul"))
    assert plain.get(f"{RUNS}/{id}").status == 200
    for method, path in (("POST", DEFS), ("POST", RUNS), ("DELETE", f"{RUNS}/{id}"), ("PUT", f"{RUNS}/{id}/pause")):
        _refused(plain.send(method, path, HUMAN if method == "POST" else None), 403, path)
    assert embedded.live.get(f"{RUNS}/{id}").json["status"] == "RUNNING"


def test_conductors_command_line_finds_the_server(embedded: Company) -> None:
    assert Api(embedded.desk, "").get("/health").json == {"healthy": True}


def test_a_limit_is_told_in_conductors_form(embedded: Company) -> None:
    limiter, path = embedded.desk.offhook.gate._limiter, f"{RUNS}/running/test"
    [operation] = [one for one in embedded.desk.offhook.operations if one.id == "conductor.workflows.running"]
    while limiter.take_now((embedded.id, operation.id), operation.limit).accepted:  # type: ignore[union-attr]
        pass
    answer = embedded.live.get(path)
    _refused(answer, 429, path)
    assert int(answer.headers["retry-after"]) > 0


def test_it_is_waited_for_as_long_as_was_said_and_by_so_many(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    api, path = company.live, f"{RUNS}/execute/test/1"
    api.post(DEFS, HUMAN)
    for query in ("waitForSeconds=0", "waitForSeconds=60&waitUntilTaskRef=ask"):
        run = api.post(f"{path}?{query}&requestId=r", {"name": "test"}).json
        assert (run["status"], run["requestId"]) == ("RUNNING", "r")
        assert [one["referenceTaskName"] for one in run["tasks"]] == ["ask"]
        assert "responseType" not in run
    told = api.post(f"{path}?waitForSeconds=0&returnStrategy=TARGET_WORKFLOW", {"name": "test"}).json
    assert (told["responseType"], told["targetWorkflowStatus"]) == ("TARGET_WORKFLOW", "RUNNING")
    _refused(api.post(f"{path}?returnStrategy=BLOCKING_TASK", {"name": "test"}), 400, path)
    _refused(api.post(f"{path}?waitForSeconds=61", {"name": "test"}), 400, path)
    _refused(api.post(f"{RUNS}/execute/other/None", {"name": "test"}), 404, f"{RUNS}/execute/other/None")
    monkeypatch.setattr(starting, "MOST_WAITING", 0)
    before = api.get(f"{RUNS}/search").json["totalHits"]
    _refused(api.post(path, {"name": "test"}), 429, path)
    assert api.get(f"{RUNS}/search").json["totalHits"] == before


def test_a_run_is_nobody_elses(company: Company) -> None:
    id = _begun(company.live)
    task_id = company.live.get(f"{RUNS}/{id}").json["tasks"][0]["taskId"]
    before = company.live.get(f"{RUNS}/{id}").json
    for stranger in (company.desk.found().live, company.sandbox):
        stranger.post(DEFS, HUMAN)
        asked = [
            ("GET", f"{RUNS}/{id}", None),
            ("GET", f"{RUNS}/{id}/status", None),
            ("GET", f"{RUNS}/{id}/tasks", None),
            ("DELETE", f"{RUNS}/{id}", None),
            ("DELETE", f"{RUNS}/{id}/remove", None),
            *(("PUT", f"{RUNS}/{id}/{what}", None) for what in ("pause", "resume", "skiptask/ask")),
            *(("POST", f"{RUNS}/{id}/{what}", None) for what in ("retry", "restart")),
            ("PUT", f"{RUNS}/decide/{id}", None),
            ("POST", f"{RUNS}/{id}/rerun", {}),
            ("GET", f"{TASKS}/{task_id}", None),
            ("POST", TASKS, {"workflowInstanceId": id, "taskId": task_id}),
            ("POST", f"{TASKS}/{id}/ask/COMPLETED", {}),
            ("POST", f"{TASKS}/{id}/ask/COMPLETED/sync", {}),
            ("POST", f"{TASKS}/{id}/COMPLETED/signal", {}),
            ("POST", f"{TASKS}/{id}/COMPLETED/signal/sync", {}),
        ]
        for method, path, body in asked:
            _refused(stranger.send(method, path, body), 404, path)
        assert stranger.get(f"{RUNS}/search?query=workflowId%3D{id}").json == {"totalHits": 0, "results": []}
        assert stranger.get(f"{RUNS}/running/test").json == []
        assert stranger.post(f"{RUNS}/test/correlated", [""]).json == {"": []}
    assert company.live.get(f"{RUNS}/{id}").json == before


def test_runs_are_found_by_everything_that_search_knows(company: Company) -> None:
    api = company.live
    ids = [_begun(api, correlationId=f"c{number}") for number in range(4)]
    assert api.delete(f"{RUNS}/{ids[0]}?reason=Not%20wanted").status == 200
    assert api.post(f"{TASKS}/{ids[1]}/ask/COMPLETED", {"said": "quagga 100%"}).status == 200
    started = api.get(f"{RUNS}/{ids[0]}").json["startTime"]

    def found(query: str = "", **more: Any) -> list[str]:
        answer = api.get(f"{RUNS}/search", params={"query": query, **more})
        assert answer.status == 200, answer
        assert answer.json["totalHits"] >= len(answer.json["results"])
        return [one["workflowId"] for one in answer.json["results"]]

    latest = ids[::-1]
    assert found() == found("workflowType=test") == latest
    assert found(sort="startTime:ASC") == ids
    assert found(start=1, size=2) == latest[1:3]
    assert api.get(f"{RUNS}/search?size=1").json["totalHits"] == 4
    assert found("status=TERMINATED") == [ids[0]]
    assert found("status IN (TERMINATED,COMPLETED) AND workflowType IN (test,other)") == [ids[1], ids[0]]
    assert found("workflowType=other") == found("version=2") == found("workflowId=none") == []
    assert found(f"workflowId IN ({ids[2]},{ids[3]}) AND version=1") == [ids[3], ids[2]]
    assert found("correlationId=c2") == [ids[2]]
    assert found(f"startTime>={started - 1000}") == latest
    assert found(f"startTime<{started - 1000}") == found(f"endTime<{started}") == []
    assert set(found(f"endTime>={started}")) == {ids[0], ids[1]}
    assert found(freeText="ZEBRA") == latest
    assert found(freeText="quagga 100%") == [ids[1]]
    assert found(freeText="quagga 100_") == found(freeText="zebr_") == []
    summary = api.get(f"{RUNS}/search?query=status%3DTERMINATED").json["results"][0]
    assert (summary["reasonForIncompletion"], summary["input"]) == ("Not wanted", '{"a":"zebra"}')
    assert summary["startTime"].endswith("Z")


def test_what_is_not_used_is_said(company: Company) -> None:
    api = company.live
    api.post(DEFS, HUMAN)
    told = api.post(RUNS, {"name": "test", "priority": 3, "taskToDomain": {"*": "d"}, "createdBy": "me", "hue": 1})
    assert {(one.code, one.field) for one in told.warnings} >= {
        ("not_used", "priority"), ("not_used", "taskToDomain"), ("not_used", "createdBy"), ("unknown_field", "hue"),
    }  # fmt: skip
    id = told.response.text
    api.post(f"{TASKS}/{id}/ask/COMPLETED", {})
    again = api.post(f"{TASKS}/{id}/ask/FAILED", {})
    assert (again.status, again.codes) == (200, {"not_changed"})


def test_a_run_is_restarted_by_the_latest_definition_of_its_name(company: Company) -> None:
    api = company.live
    api.post(DEFS, HUMAN)
    id = api.post(RUNS, {"name": "test", "input": {"a": 1}}).response.text
    api.post(f"{TASKS}/{id}/ask/COMPLETED", {})
    later = definition(
        task("other", "HUMAN"), version=2, variables={"v": 1}, outputParameters={"v": "${workflow.variables.v}"}
    )
    assert api.post(DEFS, later).status == 200
    assert api.post(f"{RUNS}/{id}/restart?useLatestDefinitions=true").status == 200
    found = api.get(f"{RUNS}/{id}").json
    assert (found["status"], found["input"], found["workflowVersion"]) == ("RUNNING", {"a": 1}, 2)
    assert [one["referenceTaskName"] for one in found["tasks"]] == ["other"]
    assert [one["workflowId"] for one in api.get(f"{RUNS}/search?query=version=2").json["results"]] == [id]
    assert api.post(f"{TASKS}/{id}/other/COMPLETED", {}).status == 200
    ended = api.get(f"{RUNS}/{id}").json
    assert (ended["status"], ended["output"]) == ("COMPLETED", {"v": 1})
    [told] = [one for one in api.events() if one["event"] == "workflow_run.restarted"]
    assert told["after"] == {"version": 2}
    # Without it, it keeps the one that it goes by.
    assert api.post(DEFS, {**later, "version": 3}).status == 200
    assert api.post(f"{RUNS}/{id}/restart").status == 200
    assert api.get(f"{RUNS}/{id}").json["workflowVersion"] == 2


def test_a_run_whose_definitions_are_gone_is_not_restarted_by_the_latest(company: Company) -> None:
    api = company.live
    api.post(DEFS, HUMAN)
    id = api.post(RUNS, {"name": "test"}).response.text
    api.post(f"{TASKS}/{id}/ask/COMPLETED", {})
    assert api.delete(f"{DEFS}/test/1").status == 200
    found = _refused(api.post(f"{RUNS}/{id}/restart?useLatestDefinitions=true"), 404, f"{RUNS}/{id}/restart")
    assert "There is no workflow test" in found["message"]
    assert api.get(f"{RUNS}/{id}").json["status"] == "COMPLETED"


def test_lists_of_definitions(company: Company) -> None:
    api = company.live
    for number in (1, 2):
        assert api.post(DEFS, {**HUMAN, "version": number, "x": None}).status == 200
    assert api.put(f"{DEFS}?newVersion=true", [HUMAN]).json["bulkSuccessfulResults"] == ["test"]
    assert [one["version"] for one in api.get(DEFS).json] == [1, 2, 3]
    assert [one["version"] for one in api.get(f"{DEFS}/latest-versions").json] == [3]
    assert [one["version"] for one in api.get(f"{DEFS}/test/versions").json] == [3, 2, 1]
    assert [one["version"] for one in api.get(f"{DEFS}/names-and-versions").json["test"]] == [1, 2, 3]
    first = api.get(f"{DEFS}/test?version=1").json
    assert first["x"] is None
    assert first["createdBy"]
    _refused(api.delete(f"{DEFS}/test/9"), 404, f"{DEFS}/test/9")
    _refused(api.delete(f"{DEFS}/test/x"), 404, f"{DEFS}/test/x")
    assert api.delete(f"{DEFS}/test/3").response.content == b""
    assert api.get(f"{DEFS}/test").json["version"] == 2
    assert api.post(f"{DEFS}/validate", HUMAN).status == 200
    _refused(api.post(f"{DEFS}/validate", definition()), 400, f"{DEFS}/validate")


def test_what_is_changed_is_told_as_an_event(company: Company) -> None:
    api = company.live
    id = _begun(api)
    before = len(api.events())
    api.post(TASKS, {"workflowInstanceId": id, "taskId": f"{id}-1", "status": "COMPLETED"})
    api.put(f"{RUNS}/{id}/pause")
    api.put(f"{RUNS}/{id}/resume")
    api.post(f"{TASKS}/{id}/COMPLETED/signal", {})
    api.post(f"{TASKS}/{id}/COMPLETED/signal", {})
    api.delete(f"{RUNS}/{id}/remove")
    told = [one["event"] for one in api.events()[before:]]
    assert told == [
        "workflow_run.paused",
        "workflow_run.resumed",
        "workflow_run.task_completed",
        "workflow_run.deleted",
    ]


def test_routes_that_there_are_not_are_refused_in_conductors_form(embedded: Company) -> None:
    for method, path in UNBUILT:
        asked = path.replace("{", "").replace("}", "")
        found = _refused(embedded.live.send(method, asked, {} if method != "GET" else None), 501, asked)
        assert "not built" in found["message"]


def test_the_document_tells_of_another_form_and_another_header(embedded: Company) -> None:
    document = embedded.desk.offhook.document
    asked = document["paths"][f"{RUNS}/{{workflowId}}"]["get"]
    assert asked["tags"] == ["Conductor"]
    assert asked["responses"]["404"] == {"$ref": "#/components/responses/ConductorNotFound"}
    schema = document["components"]["responses"]["ConductorNotFound"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ConductorError"}
    assert {"Conductor": []} in asked["security"]
    assert document["components"]["securitySchemes"]["Conductor"]["name"] == "x-authorization"
    assert document["paths"]["/api/token"]["post"]["security"] == []
    usual = document["paths"]["/api/v2/offices/{id}"]["get"]
    assert "security" not in usual
    assert usual["responses"]["404"] == {"$ref": "#/components/responses/NotFound"}
    assert not any("bulk" in path for path in document["paths"])
