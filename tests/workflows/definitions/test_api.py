"""Definitions over HTTP, from the whole application over both stores."""

import copy
import hashlib
import json
import re
from typing import Any

from offhook.workflows.definitions import store
from tests.api.desk import Company
from tests.workflows.definitions.shapes import Raw, definition, fork, http, loop, switch, task

V1 = "/api/offhook/v1"
PATH = f"{V1}/workflows/definitions"
POLICIES = f"{V1}/workflows/policies"
FIRST = definition(http("a"))
TREE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Harbour Berths", "version": "2.4"},
    "servers": [{"url": "https://harbour.example"}],
    "paths": {
        "/berths": {
            "get": {"operationId": "berths.list", "responses": {"200": {"description": "ok"}}},
            "post": {
                "operationId": "berths.book",
                "requestBody": {"content": {"application/json": {"schema": {
                    "type": "object", "properties": {"vessel": {"type": "string"}},
                }}}},
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/berths/{id}": {"delete": {"operationId": "berths.free", "responses": {"200": {"description": "ok"}}}},
    },
}  # fmt: skip


def _named(name: str, *tasks: Raw, **fields: Any) -> Raw:
    return {**definition(*(tasks or (http("a"),))), "name": name, **fields}


def _put(company: Company, raw: Raw, **how: Any) -> Any:
    answer = company.live.post(PATH, {"definition": raw, **how})
    assert answer.status == 200, answer
    return answer.json


def test_a_definition_is_registered_and_read_as_it_was_sent(company: Company) -> None:
    raw = {**_named("first"), "ownerApp": "mine", "metadata": {"x": None}}
    made = _put(company, raw)
    assert (made["name"], made["version"], made["tasks"], made["source"]) == ("first", 1, 1, "sent")
    assert made["hash"] == hashlib.sha256(json.dumps(raw, separators=(",", ":")).encode()).hexdigest()
    got = company.live.get(f"{PATH}/first")
    assert got.json["definition"] == raw
    assert got.headers["etag"] == '"1"'


def test_the_same_version_is_refused_and_takes_its_place_only_if_asked_for(company: Company) -> None:
    _put(company, _named("first"))
    again = company.live.post(PATH, {"definition": _named("first", http("b"))})
    assert (again.status, again.places) == (409, ["definition.version"])
    _put(company, _named("first", http("b")), overwrite=True)
    assert company.live.get(f"{PATH}/first").json["definition"]["tasks"][0]["name"] == "b"
    assert _put(company, _named("first", http("c")), new_version=True)["version"] == 2
    versions = company.live.get(f"{PATH}/first/versions").json["items"]
    assert [one["version"] for one in versions] == [2, 1]
    assert company.live.get(f"{PATH}/first?version=2").json["definition"]["version"] == 2


def test_a_run_keeps_its_text_whatever_becomes_of_the_version(company: Company) -> None:
    tenant = company.tenant()
    _put(company, _named("first"))
    taken = company.desk.transact(lambda tx: store.definition_for(tx, tenant, "first"))
    digest, number, found = taken
    assert (number, found.tasks[0].ref) == (1, "a")
    changed = company.live.put(f"{PATH}/first", {"definition": _named("first", http("b"))})
    assert changed.status == 200, changed
    now = company.desk.transact(lambda tx: store.definition_for(tx, tenant, "first", 1))
    assert now[2].tasks[0].ref == "b"
    assert company.live.delete(f"{PATH}/first?version=1").status == 200
    assert company.desk.transact(lambda tx: store.definition_for(tx, tenant, "first")) is None
    assert company.desk.transact(lambda tx: store.by_hash(tx, tenant, digest)) == found
    assert company.desk.transact(lambda tx: store.by_hash(tx, tenant + 1, digest)) is None


def test_a_deleted_version_can_be_registered_again(company: Company) -> None:
    _put(company, _named("first"))
    assert company.live.delete(f"{PATH}/first?version=1").status == 200
    assert company.live.get(f"{PATH}/first").status == 404
    assert company.live.get(f"{PATH}/first/versions").status == 404
    assert _put(company, _named("first"))["version"] == 1


def test_names_are_listed_with_their_latest_versions_page_by_page(company: Company) -> None:
    for number in range(103):
        _put(company, _named(f"flow {number}"))
    latest = _put(company, _named("flow 0", http("a"), http("b"), description="Twice."), new_version=True)
    first = company.live.get(PATH).json
    of_latest = {"description": "Twice.", "tasks": 2, "updated_at": latest["updated_at"]}
    assert first["items"][0] == {"name": "flow 0", "latest": 2, "versions": 2, **of_latest}
    second = company.live.get(f"{PATH}?cursor={first['cursor']}").json
    assert [one["name"] for one in second["items"]] == ["flow 97", "flow 98", "flow 99"]
    assert "cursor" not in second
    names = [one["name"] for one in first["items"] + second["items"]]
    assert names == sorted(f"flow {number}" for number in range(103)), "in the order of the names"


def test_names_are_found_by_a_part_of_them(company: Company) -> None:
    for name in ("Office_b", "office a", "100% sure"):
        _put(company, _named(name))

    def found(part: str) -> list[str]:
        return [one["name"] for one in company.live.get(f"{PATH}?name={part}").json["items"]]

    assert sorted(found("OFFICE")) == ["Office_b", "office a"]
    assert (found("_"), found("%25"), found("nothing")) == (["Office_b"], ["100% sure"], [])


def test_what_breaks_rules_is_refused_with_every_place(company: Company) -> None:
    raw = _named("bad", http("a", method="X"), task("b", "SIMPLE"))
    answer = company.live.post(PATH, {"definition": raw})
    assert answer.status == 400
    assert set(answer.places) == {"definition.tasks[0].inputParameters.method", "definition.tasks[1].type"}


def test_a_definition_is_changed_only_by_who_knows_its_state(company: Company) -> None:
    _put(company, _named("first"))
    body = {"definition": _named("first", http("b"))}
    assert company.live.put(f"{PATH}/first", body, headers={"if-match": '"7"'}).status == 412
    assert company.live.put(f"{PATH}/first", body, headers={"if-match": '"1"'}).headers["etag"] == '"2"'
    assert company.live.put(f"{PATH}/first", {"definition": _named("other")}).places == ["definition.name"]
    assert company.live.put(f"{PATH}/other", {"definition": _named("other")}).status == 404


def test_a_repeated_create_is_done_once_and_a_dry_run_keeps_nothing(company: Company) -> None:
    body = {"definition": _named("first"), "new_version": True}
    for _ in range(2):
        made = company.live.post(PATH, body, headers={"idempotency-key": "k"})
        assert made.json["version"] == 1
    dry = company.live.post(PATH, body, headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["version"]) == (True, 2)
    assert len(company.live.get(f"{PATH}/first/versions").json["items"]) == 1


def test_validation_says_everything_at_once(company: Company) -> None:
    raw = _named("x", http("a", method="X", maxBytes=5), {**http("b"), "snk": 1})
    said = company.live.post(f"{PATH}/validate", {"definition": raw}).json
    assert said["good"] is False
    assert [one["location"] for one in said["violations"]] == ["tasks[0].inputParameters.method"]
    assert [(one["code"], one["field"]) for one in said["notices"]] == [("unknown_field", "tasks[1].snk")]
    assert "extension" in {one["code"] for one in said["lint"]}
    broken = company.live.post(f"{PATH}/validate", {"text": '{"name": "a", "name": "b"}'}).json
    assert (broken["good"], broken["violations"][0]["reason"]) == (False, "duplicate")
    assert company.live.post(f"{PATH}/validate", {"text": "{"}).json["violations"][0]["location"] == ""
    good = company.live.post(
        f"{PATH}/validate", {"text": json.dumps(_named("x", http("a"), ownerEmail="a@b.example"))}
    ).json
    assert good == {"good": True, "violations": [], "notices": [], "lint": []}
    assert company.live.post(f"{PATH}/validate", {}).status == 400


def test_a_definition_is_drawn_and_exported(company: Company) -> None:
    _put(company, _named("first", http("a", maxBytes=9)))
    drawn = company.live.get(f"{PATH}/first/graph").json
    assert [node["ref"] for node in drawn["nodes"]] == ["", "a", ""]
    text = company.live.get(f"{PATH}/first/graph?form=mermaid")
    assert text.response.content.startswith(b"flowchart TD\n")
    export = company.live.get(f"{PATH}/first/export").json
    assert "maxBytes" not in export["definition"]["tasks"][0]["inputParameters"]
    said = [(one["code"], one["field"]) for one in export["notices"]]
    assert said == [("not_exported", "ownerEmail"), ("left_out", "tasks[0].inputParameters.maxBytes")]


def test_an_import_is_registered_only_if_asked_for(company: Company) -> None:
    raw = {"name": "Hello", "startTask": "Hello World", "tasks": {"Hello World": {"type": "Simple", "end": True}}}
    made = company.live.post(f"{PATH}/import", {"kind": "simworkflow", "definition": raw}).json
    assert (made["sound"], made["registered"]) == (True, [])
    assert made["names"] == {"Hello World": ["Hello_World"]}
    assert company.live.get(f"{PATH}/Hello").status == 404
    body = {"kind": "simworkflow", "definition": raw, "register": True}
    assert company.live.post(f"{PATH}/import", body).json["registered"][0]["source"] == "imported"
    assert company.live.get(f"{PATH}/Hello").json["definition"]["tasks"][0]["type"] == "HUMAN"
    bad = company.live.post(f"{PATH}/import", {"kind": "simworkflow", "definition": {"name": "x"}})
    assert (bad.status, bad.places) == (400, ["tasks"])


REQUEST: Raw = {
    "api": "harbour-berths",
    "version": "1",
    "operation": "berths.book",
    "method": "POST",
    "server": "https://harbour.example",
    "path": "/berths/{id}",
    "path_parameters": [{"name": "id", "value": "${workflow.input.berth}"}],
    "query": [{"name": "q", "value": "a b ${workflow.input.q}"}],
    "headers": [{"name": "X-A", "value": "1"}],
    "media": "application/json",
    "body": '{"vessel": "${workflow.input.vessel}", "literal": "$${x}", "n": 2}',
    "name": "Book a berth",
}


def test_a_request_is_added_as_a_task_with_where_it_came_from(company: Company) -> None:
    _put(company, _named("first", *fork("f", [http("x")], [loop("l", http("y"))])))
    saved = company.live.post(
        f"{V1}/requests", {"name": "Book Berth", "collection": "Harbour", "request": REQUEST}
    ).json
    added = company.live.post(f"{PATH}/first/tasks", {"saved_request": "Harbour/Book Berth"})
    assert added.status == 200, added
    made = added.json["task"]
    assert made["taskReferenceName"] == "Book_Berth"
    assert made["inputParameters"]["http_request"] == {
        "uri": "https://harbour.example/berths/${workflow.input.berth}?q=a%20b%20${workflow.input.q}",
        "method": "POST",
        "headers": {"X-A": "1"},
        "contentType": "application/json",
        "body": {"vessel": "${workflow.input.vessel}", "literal": "$${x}", "n": 2},
    }
    assert made["metadata"]["provenance"] == {
        "api": "harbour-berths", "version": "1", "operation": "berths.book", "savedRequest": saved["id"],
        "savedRequestVersion": 1, "savedRequestName": "Book Berth",
    }  # fmt: skip
    assert (added.json["definition"]["version"], added.json["definition"]["source"]) == (2, "task added")
    tasks = company.live.get(f"{PATH}/first").json["definition"]["tasks"]
    assert [one["taskReferenceName"] for one in tasks] == ["f", "f_join", "Book_Berth"]
    behind = company.live.post(f"{PATH}/first/tasks", {"request": REQUEST, "after": "f", "reference_name": "z"}).json
    assert [one["taskReferenceName"] for one in behind["definition"]["definition"]["tasks"]][:3] == ["f", "f_join", "z"]
    inner = company.live.post(f"{PATH}/first/tasks", {"request": REQUEST, "after": "y", "name": "Book Berth"}).json
    looped = inner["definition"]["definition"]["tasks"][0]["forkTasks"][1][0]["loopOver"]
    assert [one["taskReferenceName"] for one in looped] == ["y", "Book_Berth_2"]


def test_a_task_makes_a_definition_where_there_is_none_only_if_that_is_asked_for(company: Company) -> None:
    assert company.live.post(f"{PATH}/new/tasks", {"request": REQUEST}).status == 404
    made = company.live.post(f"{PATH}/new/tasks", {"request": REQUEST, "create": True, "name": "Book"}).json
    assert (made["definition"]["version"], made["task"]["taskReferenceName"]) == (1, "Book")
    again = company.live.post(f"{PATH}/new/tasks", {"request": REQUEST, "create": True, "name": "Book"}).json
    assert (again["definition"]["version"], again["task"]["taskReferenceName"]) == (2, "Book_2")
    assert company.live.post(f"{PATH}/a%20b%0A/tasks", {"request": REQUEST, "create": True}).status == 400


def test_what_cannot_be_added_is_said_with_its_place(company: Company) -> None:
    _put(company, _named("first"))
    path = f"{PATH}/first/tasks"
    assert company.live.post(path, {"saved_request": "gone"}).places == ["saved_request"]
    assert company.live.post(path, {}).places == ["saved_request"]
    assert company.live.post(path, {"request": {**REQUEST, "server": ""}}).places == ["server"]
    assert company.live.post(path, {"request": REQUEST, "after": "nobody"}).places == ["after"]
    assert company.live.post(path, {"request": REQUEST, "reference_name": "a"}).places == [
        "definition.tasks[1].taskReferenceName"
    ]
    assert len(company.live.get(f"{PATH}/first/versions").json["items"]) == 1


def test_an_address_that_is_an_expression_stays_one(company: Company) -> None:
    _put(company, _named("first"))
    request = {"server": "${workflow.input.base}", "path": "/x"}
    made = company.live.post(f"{PATH}/first/tasks", {"request": request}).json["task"]
    assert made["inputParameters"]["http_request"]["uri"] == "${workflow.input.base}/x"


def test_tasks_that_a_new_version_of_a_document_touches_are_listed(company: Company) -> None:
    assert company.live.post(f"{V1}/apis", {"document": json.dumps(TREE)}).status == 200
    _put(company, _named("first"))
    for operation in ("berths.book", "berths.free", "berths.list", "berths.nothing"):
        request = {**REQUEST, "operation": operation}
        body = {"request": request, "reference_name": operation.replace(".", "_")}
        assert company.live.post(f"{PATH}/first/tasks", body).status == 200
    path = f"{PATH}/by-api/harbour-berths"
    before = company.live.get(path).json
    assert [one["state"] for one in before["items"]] == ["unchanged"] * 3 + ["unknown"]
    tree = copy.deepcopy(TREE)
    del tree["paths"]["/berths/{id}"]
    schema = tree["paths"]["/berths"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema |= {"required": ["vessel"]}
    assert company.live.post(f"{V1}/apis/harbour-berths/versions", {"document": json.dumps(tree)}).status == 200
    after = company.live.get(path).json
    states = {one["operation"]: (one["state"], one.get("breaks", False)) for one in after["items"]}
    assert states == {
        "berths.book": ("changed", True), "berths.free": ("removed", True), "berths.list": ("unchanged", False),
        "berths.nothing": ("unknown", False),
    }  # fmt: skip
    changed = next(one for one in after["items"] if one["state"] == "changed")
    assert (changed["name"], changed["reference_name"], changed["version"]) == ("first", "berths_book", 5)
    assert changed["changes"][0]["name"] == "vessel"
    assert company.live.get(f"{PATH}/by-api/nothing").status == 404


def test_policies_are_registered_by_name_and_complete_tasks(company: Company) -> None:
    tenant, raw = company.tenant(), _named("first", task("call", "HTTP"))
    assert company.live.post(PATH, {"definition": raw}).status == 400
    template = {"http_request": {"uri": "https://api.example.com", "method": "GET"}}
    policy = {"name": "call", "retryCount": 2, "inputTemplate": template}
    assert company.live.post(POLICIES, {"policy": policy}).json["policy"] == policy
    _put(company, raw)
    found = company.desk.transact(lambda tx: store.policy(tx, tenant, "call"))
    assert (found.retry_count, found.retry_delay_seconds) == (2, 60)
    assert company.live.post(POLICIES, {"policy": {**policy, "retryCount": 3}}).status == 200
    assert [one["policy"]["retryCount"] for one in company.live.get(POLICIES).json["items"]] == [3]
    assert company.live.post(POLICIES, {"policy": {"retryCount": -1}}).status == 400
    assert company.live.delete(f"{POLICIES}/call").status == 200
    assert company.live.get(f"{POLICIES}/call").status == 404
    assert company.desk.transact(lambda tx: store.policy(tx, tenant, "call")) is None


def test_a_key_needs_the_scope_and_sees_only_its_own(company: Company) -> None:
    _put(company, _named("first", switch("s", 1, A=[http("a")])))
    reads, other = company.key("workflows:read"), company.key("catalog:write")
    assert reads.get(f"{PATH}/first").status == 200
    assert reads.post(f"{PATH}/validate", {"definition": FIRST}).status == 200
    assert reads.post(PATH, {"definition": FIRST}).status == 403
    assert other.get(PATH).status == 403
    assert company.sandbox.get(f"{PATH}/first").status == 404


def test_changes_are_told_without_the_definition_itself(company: Company) -> None:
    _put(company, _named("first", http("a", headers={"Authorization": "Bearer hunter2"})))
    company.live.put(f"{PATH}/first", {"definition": _named("first", http("b"))})
    company.live.delete(f"{PATH}/first?version=1")
    told = [one for one in company.live.events() if one["event"].startswith("workflow_definition.")]
    assert [one["event"].partition(".")[2] for one in told] == ["registered", "updated", "deleted"]
    assert "hunter2" not in json.dumps(told)


def test_what_a_request_leaves_open_becomes_an_input_and_what_was_made_up_is_said(company: Company) -> None:
    body = {"type": "object", "required": ["name", "kind"], "properties": {
        "name": {"type": "string"}, "kind": {"type": "string", "enum": ["big"]},
    }}  # fmt: skip
    operation = {
        "operationId": "things.add", "responses": {},
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "size", "in": "query", "required": True, "schema": {"type": "integer"}},
            {"name": "colour", "in": "query", "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {"application/json": {"schema": body}}},
    }  # fmt: skip
    document = {
        "openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "servers": [{"url": "https://a.example"}],
        "paths": {"/things/{id}": {"post": operation}},
    }  # fmt: skip
    assert company.live.post(f"{V1}/apis", {"document": json.dumps(document)}).status == 200
    prepared = company.live.get(f"{V1}/apis/things/operations/things.add/prepared").json
    assert prepared["made_up"] == ["body.name", "path.id", "query.size"]
    path = f"{PATH}/opened/tasks"
    added = company.live.post(path, {"request": prepared["request"], "create": True})
    request = added.json["task"]["inputParameters"]["http_request"]
    assert request["uri"] == "https://a.example/things/${workflow.input.id}?size=${workflow.input.size}"
    assert request["body"] == {"name": "text", "kind": "big"}
    assert [(one.code, one.field) for one in added.warnings] == [
        ("value_from_input", "path.id"), ("value_from_input", "query.size"), ("values_made_up", "body"),
    ]  # fmt: skip
    assert "stands there: name." in added.warnings[2].text
    given = {
        **prepared["request"], "path_parameters": [{"name": "id", "value": "7"}], "body": '{"name": "Lisbon"}',
        "query": [{"name": "size", "value": "3"}],
    }  # fmt: skip
    added = company.live.post(path, {"request": given})
    assert added.json["task"]["inputParameters"]["http_request"]["uri"] == "https://a.example/things/7?size=3"
    assert added.warnings == []
    saved = {"name": "Thing", "request": {**prepared["request"], "path_parameters": []}}
    company.live.post(f"{V1}/requests", saved)
    added = company.live.post(path, {"saved_request": "Thing"})
    uri = added.json["task"]["inputParameters"]["http_request"]["uri"]
    # What is kept by somebody stays as it was kept, but for what has no value at all.
    assert re.fullmatch(r"https://a.example/things/\$\{workflow.input.id\}\?size=\d+", uri)


def test_a_text_that_is_no_json_is_told_with_its_line_and_column(company: Company) -> None:
    found = company.live.post(f"{PATH}/validate", {"text": '{"name": "a",\n "tasks" []}'}).json
    (one,) = found["violations"]
    assert one["message"] == "The body is not valid JSON: expected ':' (line 2, column 10)."
