"""Pages of workflows without a script: what they show, what they do, and to whom they offer it."""

import re
from typing import Any

import pytest

from tests.api.desk import Company
from tests.console.visitor import Page, Visitor
from tests.workflows.definitions.shapes import Raw, definition, fork, http, switch, task

V1 = "/api/offhook/v1/workflows"
HERE = "/console/workflows"


def named(name: str, *tasks: Raw, **fields: Any) -> Raw:
    return definition(*tasks, **fields) | {"name": name}


def put(company: Company, raw: Raw, **how: Any) -> Any:
    answer = company.sandbox.post(f"{V1}/definitions", {"definition": raw, **how})
    assert answer.status == 200, answer
    return answer.json


def begun(company: Company, name: str, **given: Any) -> str:
    answer = company.sandbox.post(f"{V1}/runs", {"workflow": name, "input": given})
    assert answer.status == 200, answer
    return str(answer.json["id"])


def until(visitor: Visitor, id: str, words: str) -> Page:
    """The page of a run once it says these words in its head."""
    for _ in range(400):
        page = visitor.get(f"{HERE}/runs/{id}")
        if words in re.sub(r"<[^>]+>", "", re.search(r'<div id="run-head".*?</dl>', page.html, re.DOTALL)[0]):  # type: ignore[index]
            return page
    raise AssertionError(page.text)


ASKS = named("asks", task("think", "SET_VARIABLE", inputParameters={"n": "${workflow.input.n}"}), task("you", "HUMAN"))


def test_definitions_are_listed_with_how_their_last_run_stands(visitor: Visitor, embedded: Company):
    assert "There is no workflow yet." in visitor.get(HERE).text
    put(embedded, ASKS | {"description": "Asks somebody."})
    put(embedded, ASKS, new_version=True)
    put(embedded, named("other", http("a"), http("b")))
    begun(embedded, "asks")
    text = visitor.get(HERE).text
    assert re.search(r"asks Asks somebody. 1 |asks 2 .*? 2 Under way", text)
    assert re.search(r"other 1 .*? 2 –", text)


def test_a_definition_shows_its_picture_its_start_and_what_a_stock_server_lacks(visitor: Visitor, embedded: Company):
    raw = named(
        "calls", http("first", acceptedStatusCodes=["4xx"]), switch("way", "${workflow.input.kind}", big=[http("big")]),
        inputParameters=["kind"],
    )  # fmt: skip
    put(embedded, raw)
    page = visitor.get(f"{HERE}/definitions/calls")
    assert "<svg" in page.html
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.html)
    assert "only 200 to 299 complete the task" in page.part("stock") if 'section id="stock"' in page.html else page.text
    form = page.form(f"{HERE}/definitions/calls/start")
    assert ("f:kind", "") in form.values
    export = visitor.get(f"{HERE}/definitions/calls/export")
    assert "acceptedStatusCodes" in export.text
    assert visitor.get(f"{HERE}/definitions/nothing").status == 404


def test_a_run_is_started_from_fields_once_however_often_the_form_is_sent(visitor: Visitor, embedded: Company):
    schema = {"type": "object", "properties": {"count": {"type": "integer"}, "city": {"type": "string"}}}
    put(embedded, ASKS | {"inputSchema": {"data": schema}, "inputParameters": ["n"]})
    page = visitor.get(f"{HERE}/definitions/asks")
    start = f"{HERE}/definitions/asks/start"
    changes = {"f:count": "17", "f:city": "42", "f:n": '{"a": 1}', "input": '{"more": true}', "correlation_id": "mine"}
    first = visitor.send(page, start, changes)
    assert first.status == 303
    assert visitor.send(page, start, changes).headers["location"] == first.headers["location"]
    run = embedded.sandbox.get(first.headers["location"].replace("/console/workflows", V1)).json
    assert run["input"] == {"more": True, "count": 17, "city": "42", "n": {"a": 1}}
    assert run["correlation_id"] == "mine"
    again = visitor.send(page, start, {"input": "[1]"})
    assert (again.status, "The input must be a JSON object, such as" in again.text) == (400, True)
    assert ("input", "[1]") in again.form(start).values


def test_a_run_waits_for_somebody_who_completes_it_on_its_page(visitor: Visitor, embedded: Company):
    put(embedded, ASKS)
    id = begun(embedded, "asks", n=5)
    page = visitor.get(f"{HERE}/runs/{id}")
    for _ in range(200):
        if "waits for you" in page.text:
            break
        page = visitor.get(f"{HERE}/runs/{id}")
    wrong = visitor.send(page, f"{HERE}/runs/{id}/complete", {"output": "{", "status": "COMPLETED"})
    assert wrong.status == 400
    assert "The output must be a JSON object, such as" in wrong.text
    assert "Line 1, column 2: Not JSON: it ends before it is whole." in wrong.text
    assert ("output", "{") in wrong.form(f"{HERE}/runs/{id}/complete").values
    done = visitor.send(page, f"{HERE}/runs/{id}/complete", {"output": '{"said": "yes"}', "status": "COMPLETED"})
    assert done.status == 303
    assert "yes" in visitor.follow(done).text
    assert "asks" in until(visitor, id, "Completed").text
    table = visitor.get(f"{HERE}/runs?status=COMPLETED&workflow=asks").text
    assert "asks version 1 Completed" in table


def test_runs_are_paused_ended_and_begun_anew(visitor: Visitor, embedded: Company):
    put(embedded, ASKS)
    id = begun(embedded, "asks")
    here = f"{HERE}/runs/{id}"
    page = until(visitor, id, "Under way")
    assert "restart" not in {one.get("action", "").rpartition("/")[2] for one in page.tags("form")}
    visitor.send(page, f"{here}/pause")
    page = until(visitor, id, "Paused")
    visitor.send(page, f"{here}/resume")
    page = until(visitor, id, "Under way")
    visitor.send(page, f"{here}/terminate", {"reason": "Not wanted any more"})
    page = until(visitor, id, "Terminated")
    assert "Not wanted any more" in page.text
    twice = visitor.ask("POST", f"{here}/pause", [("form-token", page.form(f"{here}/restart").values[0][1])])
    assert (twice.status, "The run is over" in twice.text) == (409, True)
    visitor.send(page, f"{here}/restart")
    page = until(visitor, id, "Under way")
    assert "Restarts 1" in page.text
    visitor.send(page, f"{here}/skip", {"ref": "you", "output": '{"skipped": 1}'})
    page = until(visitor, id, "Completed")
    before, think = re.findall(r'data-task="(\d+)">think', page.html)
    assert f"{here}/rerun" not in [one.get("action") for one in visitor.get(f"{here}?task={before}").tags("form")]
    chosen = visitor.get(f"{here}?task={think}")
    visitor.send(chosen, f"{here}/rerun", {"task_input": '{"n": 9}'})
    page = until(visitor, id, "Under way")
    assert "history" in page.html, "what was done before is in the list, and is marked"
    visitor.send(page, f"{here}/terminate", {"reason": ""})
    page = until(visitor, id, "Terminated")
    assert visitor.send(page, f"{here}/delete").headers["location"] == f"{HERE}/runs"
    assert visitor.get(here).status == 404


def test_runs_are_searched_and_paged(visitor: Visitor, embedded: Company):
    put(embedded, named("quick", task("a", "NOOP")))
    for number in range(53):
        key = f"{number % 2}"
        answer = embedded.sandbox.post(f"{V1}/runs", {"workflow": "quick", "correlation_id": key})
        assert answer.status == 200
    page = visitor.get(f"{HERE}/runs?workflow=quick")
    assert page.html.count("/console/workflows/runs/1") == 50
    onward = re.search(r'rel="next" href="([^"]+)"', page.html)
    assert onward
    assert visitor.get(onward[1].replace("&amp;", "&")).html.count("/console/workflows/runs/1") == 3
    assert visitor.get(f"{HERE}/runs?correlation_id=1").html.count("/console/workflows/runs/1") == 26
    assert "No run is like that." in visitor.get(f"{HERE}/runs?until=2020-01-01T00:00").text
    assert visitor.get(f"{HERE}/runs?since=yesterday").status == 400


def test_the_editor_says_what_is_wrong_with_its_line_and_draws_what_it_can(visitor: Visitor, embedded: Company):
    put(embedded, ASKS)
    page = visitor.get(f"{HERE}/definitions/asks/edit")
    here = f"{HERE}/definitions/asks/edit"
    text = '{\n"name": "asks",\n"tasks": [\n{"name": "a", "taskReferenceName": "a", "type": "HTTPS"}\n]}'
    checked = visitor.send(page, here, {"text": text, "do": "check"})
    assert "1 to mend line 4 tasks" in checked.text
    assert 'class="node task faulty"' in checked.html
    broken = visitor.send(page, here, {"text": '{\n"name": \n}', "do": "save"})
    assert (broken.status, "line 3" in broken.text) == (400, True)
    ordered = visitor.send(page, here, {"text": '{"name":"asks","tasks":[]}', "do": "add", "type": "FORK_JOIN"})
    assert '"joinOn"' in ordered.text.replace("&#34;", '"')
    assert "It keeps every rule" in ordered.text


@pytest.mark.parametrize("kind", ["HTTP", "SWITCH", "FORK_JOIN", "DO_WHILE", "WAIT", "HUMAN", "SET_VARIABLE",
                                  "JSON_JQ_TRANSFORM", "INLINE", "SUB_WORKFLOW", "TERMINATE"])  # fmt: skip
def test_whatever_task_is_begun_with_keeps_the_rules_twice(visitor: Visitor, kind: str):
    page = visitor.get(f"{HERE}/new")
    for _ in range(2):
        page = visitor.send(page, f"{HERE}/new", {"do": "add", "type": kind})
    assert "It keeps every rule" in page.text, page.text


def test_who_saved_meanwhile_is_not_overwritten(visitor: Visitor, embedded: Company):
    put(embedded, ASKS)
    here = f"{HERE}/definitions/asks/edit"
    page = visitor.get(here)
    put(embedded, ASKS | {"description": "Theirs"}, new_version=True)
    text = '{"name": "asks", "description": "Mine", "tasks": [{"name":"a","taskReferenceName":"a","type":"NOOP"}]}'
    met = visitor.send(page, here, {"text": text, "do": "save"})
    assert met.status == 409
    assert "Version 2 is there already" in met.text
    assert re.search(r"\+ +&quot;description|\+ +&#34;description|\+ +\"description", met.html)
    saved = visitor.send(met, here, {"do": "save"})
    assert saved.headers["location"] == f"{HERE}/definitions/asks?version=3"
    versions = [one.get("description") for one in embedded.sandbox.get(f"{V1}/definitions/asks/versions").json["items"]]
    assert versions[:2] == ["Mine", "Theirs"]
    new = visitor.send(visitor.get(f"{HERE}/new"), f"{HERE}/new", {"text": text, "do": "save"})
    assert (new.status, "Version 3 is there already" in new.text) == (409, True)


def test_a_saved_request_becomes_a_task_of_a_new_workflow_and_of_one_that_is_there(visitor: Visitor, embedded: Company):
    request = {"method": "GET", "server": "https://api.example.com", "path": "/berths"}
    saved = embedded.sandbox.post("/api/offhook/v1/requests", {"name": "Get berths", "request": request}).json
    edited = visitor.get(f"/console/requests/{saved['id']}")
    add = f"{HERE}/add"
    values = [*edited.form(f"/console/requests/{saved['id']}").values, ("saved_id", saved["id"])]
    page = visitor.ask("POST", add, values)
    assert "Get berths" in page.text
    first = visitor.follow(visitor.send(page, add, {"new": "berths", "do": "add"}))
    assert re.search(r"Get_berths.*?Get berths", first.text)
    changed = [(name, "/boats" if name == "path" else value) for name, value in values]
    page = visitor.ask("POST", add, changed)
    page = visitor.send(page, add, {"workflow": "berths", "do": "kind"})
    assert "Get_berths – HTTP" in page.text
    second = visitor.send(page, add, {"after": "Get_berths", "called": "boats", "do": "add"})
    assert second.status == 303
    tasks = embedded.sandbox.get(f"{V1}/definitions/berths").json["definition"]["tasks"]
    assert [one["name"] for one in tasks] == ["Get berths", "boats"]
    assert tasks[0]["metadata"]["provenance"]["savedRequest"] == saved["id"]
    assert "savedRequest" not in tasks[1]["metadata"]["provenance"]
    taken = visitor.send(visitor.ask("POST", add, values), add, {"new": "berths", "do": "add"})
    assert taken.status == 409


def test_a_key_that_may_only_read_is_offered_nothing_else(embedded: Company):
    put(embedded, ASKS)
    id = begun(embedded, "asks")
    reader = Visitor(embedded.desk)
    reader.sign_in(embedded.key("workflows:read", "catalog:write", environment="sandbox").key)
    for path in (
        HERE,
        f"{HERE}/definitions/asks",
        f"{HERE}/runs",
        f"{HERE}/runs/{id}",
        f"{HERE}/definitions/asks/export",
    ):
        page = reader.get(path)
        assert page.status == 200
        own = [one["action"] for one in page.tags("form") if one.get("method") == "post"]
        assert own == ["/console/sign-out"], path
        assert "/edit" not in page.html
    editor = reader.get(f"{HERE}/definitions/asks/edit")
    assert 'value="save"' not in editor.html
    assert "Add to a workflow" not in reader.get("/console/requests/new").text
    token = reader.get(HERE).form("/console/sign-out").values[0][1]
    assert reader.ask("POST", f"{HERE}/runs/{id}/pause", [("form-token", token)]).status == 403
    stranger = Visitor(embedded.desk)
    stranger.sign_in(embedded.key("offices:read", environment="sandbox").key)
    assert stranger.get(HERE).status == 403
    assert stranger.get(f"{HERE}/runs/{id}/live").status == 403


def test_a_long_run_stays_readable(visitor: Visitor, embedded: Company):
    branches = ([task(f"n{one}", "NOOP")] for one in range(519))
    put(embedded, named("long", *fork("wide", *branches), task("last", "HUMAN")))
    id = begun(embedded, "long")
    page = until(visitor, id, "Attempts522")
    assert page.html.count("data-task=") == 500
    onward = re.search(r'rel="next" href="([^"]+)"', page.html)
    assert onward
    assert visitor.get(onward[1]).html.count("data-task=") == 22
    assert len(page.html) < 900_000


def test_workflows_stand_by_name_and_are_searched(visitor: Visitor, embedded: Company):
    for name in ("ships", "berths", "anchors"):
        put(embedded, named(name, task("a", "NOOP")))
    found = re.findall(r'definitions/(\w+)">', visitor.get(HERE).html)
    assert found == ["anchors", "berths", "ships"]
    page = visitor.get(f"{HERE}?name=H")
    assert re.findall(r'definitions/(\w+)">', page.html)[:2] == ["anchors", "berths"]
    assert "No workflow has this in its name." in visitor.get(f"{HERE}?name=nothing").text


def test_what_tasks_read_has_a_field_of_its_own(visitor: Visitor, embedded: Company):
    put(embedded, named("reads", http("a", uri="${workflow.input.server}/x/${workflow.input.id}"),
                        inputTemplate={"server": "https://a.example"}))  # fmt: skip
    page = visitor.get(f"{HERE}/definitions/reads")
    values = page.form(f"{HERE}/definitions/reads/start").values
    assert [name for name, _ in values if name.startswith("f:")] == ["f:server", "f:id"]
    assert 'placeholder="https://a.example"' in page.html


def test_what_comes_with_offhook_is_taken_on_its_page(visitor: Visitor, embedded: Company):
    assert f'href="{HERE}/shipped"' in visitor.get(HERE).html
    page = visitor.get(f"{HERE}/shipped")
    assert re.search(r"nightly_check not registered", page.text)
    here = f"{HERE}/shipped/nightly_check"
    wrong = visitor.send(page, here, {"server": "nowhere at all"})
    assert (wrong.status, 'role="alert"' in wrong.html) == (400, True)
    assert ("server", "nowhere at all") in wrong.form(here).values
    taken = visitor.send(page, here, {"credential": "here"})
    assert "nightly_check" in visitor.follow(taken).title
    kept = embedded.sandbox.get(f"{V1}/definitions/nightly_check").json["definition"]
    assert kept["inputTemplate"]["credential"] == "here"
    assert re.search(r"nightly_check registered, version 1", visitor.get(f"{HERE}/shipped").text)


def test_remarks_on_a_stock_server_are_folded_where_there_are_many(visitor: Visitor, embedded: Company):
    put(embedded, named("few", http("a", acceptedStatusCodes=["4xx"])))
    put(embedded, named("many", *(http(f"a{one}", acceptedStatusCodes=["4xx"]) for one in range(5))))
    assert "<summary>All" not in visitor.get(f"{HERE}/definitions/few").html
    assert re.search(r"<details><summary>All \d+</summary>", visitor.get(f"{HERE}/definitions/many").html)


def test_attempts_of_a_task_are_numbered_and_its_cause_is_told_in_short(visitor: Visitor, embedded: Company):
    cause = "It was not agreed. " + "Because of this and that. " * 30
    put(embedded, named("agree", task("you", "HUMAN"), task("then", "NOOP")))
    id = begun(embedded, "agree")
    here = f"{HERE}/runs/{id}"
    for _ in range(2):
        page = until(visitor, id, "Under way")
        while "waits for you" not in page.text:
            page = visitor.get(here)
        visitor.send(page, f"{here}/complete", {"output": "{}", "status": "FAILED", "reason": cause})
        page = until(visitor, id, "Failed")
        visitor.send(page, f"{here}/retry")
    page = until(visitor, id, "Under way")
    rows = re.findall(r'data-task="\d+">you</a>(?: <span class="soft">(attempt \d)</span>)?', page.html)
    assert rows == ["attempt 1", "attempt 2", "attempt 3"]
    while "waits for you" not in page.text:
        page = visitor.get(here)
    visitor.send(page, f"{here}/complete", {"output": "{}", "status": "FAILED", "reason": cause})
    page = until(visitor, id, "Failed")
    assert page.html.count(cause.strip()) == 1, "the whole of it once, and folded"
    assert "<summary>The whole cause</summary>" in page.html


def test_branches_that_were_made_as_it_ran_stand_below_the_picture(visitor: Visitor, embedded: Company):
    branches = [task("blue", "NOOP"), task("red", "NOOP")]
    put(embedded, named(
        "dynamic",
        task("each", "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="tasks", dynamicForkTasksInputParamName="inputs",
             inputParameters={"tasks": branches, "inputs": {"blue": {}, "red": {}}}),
        task("all", "JOIN"),
    ))  # fmt: skip
    page = until(visitor, begun(embedded, "dynamic"), "Completed")
    assert re.search(r'id="run-beside".*?>blue</a>.*?>red</a>.*?</ul>', page.html, re.DOTALL)


def test_what_started_a_run_has_its_name_in_the_list(visitor: Visitor, embedded: Company):
    put(embedded, named("plain", task("a", "NOOP")))
    sent = {"name": "every night", "workflow": "plain", "cron": "0 2 * * *", "timezone": "UTC"}
    id = embedded.sandbox.post(f"{V1}/schedules", sent).json["id"]
    embedded.sandbox.post(f"{V1}/runs", {"workflow": "plain", "correlation_id": f"schedule:{id}"})
    embedded.sandbox.post(f"{V1}/runs", {"workflow": "plain", "correlation_id": "schedule:77"})
    for path in (HERE, f"{HERE}/runs", f"{HERE}/definitions/plain"):
        page = visitor.get(path)
        assert f'schedule <a href="{HERE}/starting/schedules/{id}">every night</a>' in page.html, path
        assert "schedule:77" in page.text


def test_what_a_task_is_made_with_is_said_before_it_is_added(visitor: Visitor, embedded: Company):
    page = visitor.get("/console/requests/new?api=offhook&operation=offices.get")
    values = page.form("/console/requests/new").values
    page = visitor.ask("POST", f"{HERE}/add", values)
    assert "What nobody has said yet" in page.text
    assert "the task takes it from the run&#39;s input, as ${workflow.input.id}." in page.html
    assert "/offices/${workflow.input.id}" in re.sub("<wbr>", "", page.html)
