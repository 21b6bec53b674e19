"""Pages of what starts workflows, of policies and of the import, without a script: what they show, keep and refuse."""

import json
import re
from typing import Any

import pytest

from offhook.workflows.triggers import store
from offhook.workflows.triggers.model import Planned
from tests.api.asgi import Response
from tests.api.desk import Company
from tests.console.test_workflow_pages import HERE, V1, named, put
from tests.console.visitor import Page, Visitor
from tests.workflows.definitions.imports.test_simworkflow import call, decide, flow, simple
from tests.workflows.definitions.shapes import task

STARTING = f"{HERE}/starting"
PLAIN = named("plain", task("a", "NOOP"))


def made(company: Company, kind: str, **body: Any) -> Any:
    answer = company.sandbox.post(f"{V1}/{kind}", {"name": kind, "workflow": "plain", **body})
    assert answer.status == 200, answer
    return answer.json


def kept(company: Company, kind: str, id: str) -> Any:
    return company.sandbox.get(f"{V1}/{kind}/{id}").json


def here(page: Page) -> str:
    """The page that a redirect leads to, without what it says there."""
    assert page.status == 303, page.text
    return page.headers["location"].partition("?")[0]


def test_a_schedule_is_made_changed_paused_run_and_deleted(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    assert "Nothing is started by the clock." in visitor.get(STARTING).text
    new = f"{STARTING}/schedules/new"
    page = visitor.get(f"{new}?workflow=plain")
    assert ("workflow", "plain") in page.form(new).values
    seen = visitor.send(page, new, {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "do": "preview"})
    assert len(re.findall(r"<li><span class=\"number\">.*?, 02:30</span>", seen.html)) == 5
    assert visitor.get(STARTING).text.count("nightly") == 0, "looking keeps nothing"
    page = visitor.send(seen, new, {"name": "nightly", "input": '{"day": "${schedule.date}"}', "do": "keep"})
    one = here(page)
    id = one.rpartition("/")[2]
    assert kept(embedded, "schedules", id)["input"] == {"day": "${schedule.date}"}
    text = visitor.get(STARTING).text
    assert re.search(r"nightly starts plain 30 2 \* \* \* Europe/Berlin; one run makes up for missed ones", text)
    page = visitor.follow(page)
    assert "It is kept." in page.text
    visitor.send(page, one, {"missed": "all", "version": "1", "do": "keep"})
    assert (kept(embedded, "schedules", id)["missed"], kept(embedded, "schedules", id)["version"]) == ("all", 1)
    page = visitor.follow(visitor.send(page, f"{one}/pause"))
    assert "It is paused." in page.text
    assert kept(embedded, "schedules", id)["paused"] is True
    visitor.send(page, f"{one}/resume")
    run = here(visitor.send(page, f"{one}/run"))
    assert f'<a href="{one}">its schedule</a>' in visitor.get(run).html
    assert f"Fired by hand Run {run.rpartition('/')[2]}" in visitor.get(one).text
    page = visitor.get(one)
    assert here(visitor.send(page, f"{one}/delete")) == STARTING
    assert visitor.get(one).status == 404


def test_what_is_wrong_with_a_form_stands_beside_its_field(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    new = f"{STARTING}/schedules/new"
    wrong = {"name": "n", "workflow": "nothing", "cron": "61 * * * *", "timezone": "Europe/Lisbn", "do": "keep"}
    page = visitor.send(visitor.get(new), new, wrong)
    assert page.status == 400
    faults = dict(re.findall(r'id="w-(\w+)-faults"><p class="problem">(.*?)</p>', page.html))
    assert "Its minute cannot be" in faults["cron"]
    assert "Did you mean Europe/Lisbon" in faults["timezone"]
    assert ("cron", "61 * * * *") in page.form(new).values
    page = visitor.send(page, new, {**wrong, "input": "[1]", "version": "first"})
    faults = dict(re.findall(r'id="w-(\w+)-faults"><p class="problem">(.*?)</p>', page.html))
    assert faults == {"version": "Must be a whole number, or empty.", "input": "Must be a JSON object."}
    page = visitor.send(page, new, {**wrong, "input": '{\n"a" 1}'})
    assert "Must be a JSON object. Line 2, column 5: Not JSON: " in page.html
    new = f"{STARTING}/triggers/new"
    page = visitor.send(
        visitor.get(new), new, {"name": "n", "workflow": "plain", "events": "user.created\noffice.creatd"}
    )
    faults = dict(re.findall(r'id="w-(\w+)-faults"><p class="problem">(.*?)</p>', page.html))
    assert faults["events"].startswith("events[1]: Must be an event")


def test_a_form_never_overwrites_what_somebody_else_changed_meanwhile(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    id = made(embedded, "schedules", cron="0 1 * * *")["id"]
    one = f"{STARTING}/schedules/{id}"
    page = visitor.get(one)
    embedded.sandbox.post(f"{V1}/schedules/{id}/pause")
    refused = visitor.send(page, one, {"cron": "0 2 * * *", "do": "keep"})
    assert (refused.status, "it was changed meanwhile" in refused.text) == (412, True)
    assert (kept(embedded, "schedules", id)["cron"], kept(embedded, "schedules", id)["paused"]) == ("0 1 * * *", True)
    assert visitor.send(page, f"{one}/delete").status == 412
    assert visitor.send(refused, one, {"do": "keep"}).status == 303, "who has seen it may put theirs in its place"
    assert kept(embedded, "schedules", id)["cron"] == "0 2 * * *"


def test_a_trigger_shows_its_conditions_and_is_changed(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    new = f"{STARTING}/triggers/new"
    filled = {
        "name": "lisbon", "workflow": "plain", "events": "office.created\r\noffice.updated\r\n",
        "where": '{"after.office.country": "PT"}', "expression": "$.event.seq > 1", "not_by": "its own", "do": "keep",
    }  # fmt: skip
    one = here(visitor.send(visitor.get(new), new, filled))
    found = kept(embedded, "triggers", one.rpartition("/")[2])
    assert (found["events"], found["where"]) == (["office.created", "office.updated"], {"after.office.country": "PT"})
    assert (found["not_by"], found["most_per_minute"]) == (["its own"], 600)
    assert "after.office.country is &#34;PT&#34;" in visitor.get(STARTING).html
    page = visitor.get(one)
    assert visitor.send(page, one, {"where": "", "do": "keep"}).status == 303
    assert "where" not in kept(embedded, "triggers", found["id"])
    assert visitor.get(f"{STARTING}?workflow=other").text.count("lisbon") == 0


def test_the_secret_of_a_hook_is_shown_once_and_what_came_of_calls_by_name(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    new = f"{STARTING}/hooks/new"
    page = visitor.send(visitor.get(new), new, {"name": "deploys", "workflow": "plain", "do": "keep"})
    secret = re.search(r"ohh_[\w-]+", page.html)
    assert page.status == 200
    assert secret is not None
    id = embedded.sandbox.get(f"{V1}/hooks").json["items"][0]["id"]
    one = f"{STARTING}/hooks/{id}"
    assert f"http://offhook.test{V1}/hooks/{id}" in page.text
    assert "ohh_" not in visitor.get(one).html + visitor.get(STARTING).html

    def called(token: str) -> Response:
        url = f"http://offhook.test{V1}/hooks/{id}"
        return embedded.desk.run(embedded.desk.client.post(url, headers={"authorization": f"Bearer {token}"}))

    assert called("no").status_code == 404
    assert called(secret[0]).status_code == 202
    embedded.desk.run(embedded.desk.offhook.workflows.hearing.close())
    assert re.search(r"How often.*? 1 Run \d+ .*? 1 Its secret is not the hook&#39;s.", visitor.get(one).text)
    renewed = visitor.send(visitor.get(one), f"{one}/secret")
    other = re.search(r"ohh_[\w-]+", renewed.html)
    assert other is not None
    assert other[0] != secret[0]
    assert called(secret[0]).status_code == 404
    visitor.send(visitor.get(one), f"{one}/pause")
    assert called(other[0]).status_code == 409
    visitor.send(visitor.get(one), f"{one}/resume")
    assert called(other[0]).status_code == 202


def test_a_start_that_waits_is_shown_with_its_cause(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    id = made(embedded, "schedules", cron="0 1 * * *")["id"]
    moment = 1_782_000_000_000
    waits = Planned(
        key="k", source="schedule", source_id=int(id), source_name="schedules", workflow="plain", moment=moment,
        decided=moment, tries=2, put_off="The store is busy.",
    )  # fmt: skip
    tenant = embedded.tenant("sandbox")
    embedded.desk.transact(lambda tx: store.put_starts(tx, tenant, [waits], 2**52))
    for path in (STARTING, f"{STARTING}/schedules/{id}"):
        said = "Waits The start for Sun 21 Jun 2026, 00:00 UTC was tried 2 times: The store is busy."
        assert said in visitor.get(path).text


@pytest.mark.parametrize("path", ["schedules/1", "triggers/1", "hooks/1", "others/new"])
def test_what_is_not_there_has_no_page(visitor: Visitor, path: str):
    assert visitor.get(f"{STARTING}/{path}").status == 404


def test_a_key_that_only_reads_is_offered_nothing(visitor: Visitor, embedded: Company):
    put(embedded, PLAIN)
    id = made(embedded, "schedules", cron="0 1 * * *")["id"]
    reader = Visitor(embedded.desk)
    reader.sign_in(embedded.key("workflows:read", environment="sandbox").key)
    for path in (STARTING, f"{STARTING}/schedules/{id}", f"{STARTING}/schedules/new", f"{HERE}/policies"):
        page = reader.get(path)
        assert page.status == 200
        forms = {one["action"] for one in page.tags("form") if "/workflows/" in one.get("action", "")}
        assert forms == set(), path
    assert "which this key may not read" in reader.get(f"{STARTING}/schedules/{id}").text


# Policies


def test_a_policy_is_registered_changed_without_loss_and_deleted(visitor: Visitor, embedded: Company):
    new, policies = f"{HERE}/policies/new", f"{HERE}/policies"
    filled = {
        "name": "call",
        "retryCount": "5",
        "retryLogic": "EXPONENTIAL_BACKOFF",
        "rest": '{"inputTemplate": {"a": 1}}',
    }
    assert here(visitor.send(visitor.get(new), new, filled)) == policies
    assert "call 5 doubling from 60 s" in visitor.get(policies).text
    again = visitor.send(visitor.get(new), new, {"name": "call"})
    assert (again.status, "There is a policy call already" in again.text) == (412, True)
    one = f"{policies}/of/call"
    page = visitor.get(one)
    wrong = visitor.send(page, one, {"timeoutSeconds": "5", "responseTimeoutSeconds": "9"})
    assert (wrong.status, "Must not be longer than timeoutSeconds, which is 5." in wrong.text) == (400, True)
    assert visitor.send(page, one, {"retryDelaySeconds": "2", "retryCount": "x"}).status == 400
    assert here(visitor.send(page, one, {"retryDelaySeconds": "2"})) == policies
    raw = embedded.sandbox.get(f"{V1}/policies/call").json["policy"]
    assert raw == {
        "name": "call", "retryCount": 5, "retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 2,
        "inputTemplate": {"a": 1},
    }  # fmt: skip
    late = visitor.send(page, one, {"retryCount": "1"})
    assert (late.status, "it was changed meanwhile" in late.text) == (412, True)
    assert visitor.send(page, f"{one}/delete").status == 412
    assert here(visitor.send(visitor.get(one), f"{one}/delete")) == policies
    assert visitor.get(one).status == 404


# Importing

FLOW = flow("Ask", {
    "Ask": call("Way", inputParameters={"k": "${nothing.x}"}),
    "Way": decide("End", ("$.ok", "End")),
    "End": simple(),
})  # fmt: skip


def test_a_definition_of_another_system_is_looked_at_then_kept(visitor: Visitor, embedded: Company):
    action = f"{HERE}/import"
    page = visitor.send(visitor.get(f"{HERE}/new"), action, {"text": json.dumps(FLOW), "do": "look"})
    assert page.status == 200
    assert "It can be kept" in page.text
    # Where a place may be broken, so is its text.
    text = page.text.replace("&#39;", "'").replace(" ", "")
    assert "tasks['Way'].choicesaSWITCHwithevaluatorTypejavascript" in text
    assert re.search(r"Withoutanequal\(1\)tasks\['Ask'\]\.inputParameters\.k\S*calledso\S*Instead", text)
    assert embedded.sandbox.get(f"{V1}/definitions").json["items"] == [], "nothing is kept by looking"
    done = visitor.send(page, action, {"do": "keep"})
    assert "It is kept" in done.text
    (kept_one,) = embedded.sandbox.get(f"{V1}/definitions").json["items"]
    assert f'href="{HERE}/definitions/{kept_one["name"]}"' in done.html


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Paste the definition, or choose its file."),
        ('{\n "a": }', "Line 2, column 7: Not JSON: invalid character."),
        ("[1]", "It must be a JSON object"),
        ('{"name": "x"}', "startTask"),
    ],
)
def test_what_is_no_definition_is_refused_with_its_place(visitor: Visitor, text: str, said: str):
    action = f"{HERE}/import"
    page = visitor.send(visitor.get(action), action, {"text": text, "do": "look"})
    assert said in page.text
    assert "Keep it" not in page.text
