"""Requests over HTTP: checked, with their faults, and what their names may be."""

import json

import pytest

from tests.api.desk import Company
from tests.catalog.hostile import document
from tests.catalog.shelf import APIS, imported, unlike
from tests.catalog.workbench import V1


def test_the_request_that_is_prepared_for_a_create_has_no_faults(company: Company):
    prepared = company.live.get(f"{APIS}/offhook/operations/offices.create/prepared").json
    request = prepared["request"]
    assert (request["api"], request["operation"], request["method"]) == ("offhook", "offices.create", "POST")
    assert json.loads(request["body"]).keys() >= {"name", "country", "currency", "timezone"}
    checked = company.live.post(f"{V1}/requests/check", {"request": request}).json
    assert checked.get("faults", []) == []
    assert checked["url"].endswith("/api/v2/offices")
    assert checked["code"]["curl"].startswith("curl ")


def test_a_credential_that_would_not_be_sent_is_a_fault(company: Company):
    made = {"name": "A", "kind": "bearer", "token": "word-word", "hosts": ["api.example.com"]}
    id = company.live.post(f"{V1}/credentials", made).json["id"]

    def places(server: str, credential_id: str) -> list[str]:
        request = {"server": server, "credential_id": credential_id}
        checked = company.live.post(f"{V1}/requests/check", {"request": request})
        assert checked.status == 200, checked
        return [one["location"] for one in checked.json.get("faults", [])]

    assert places("https://api.example.com", id) == []
    assert places("https://other.example.com", id) == ["credential_id"]
    assert places("https://api.example.com", "1") == ["credential_id"]
    assert places("https://api.example.com", "one") == ["credential_id"]
    assert places("", "1") == ["server", "credential_id"]


def test_a_request_that_is_too_deep_is_said_to_be(company: Company):
    deep = "[" * 700 + '"${x}"' + "]" * 700
    request = {"server": "https://a.example", "media": "application/json", "body": deep}
    checked = company.live.post(f"{V1}/requests/check", {"request": request, "values": {"x": 1}})
    assert (checked.status, [one["location"] for one in checked.json["faults"]]) == (200, ["body"])


def test_the_bodies_that_are_prepared_are_accepted(company: Company):
    request = company.live.get(f"{APIS}/offhook/operations/offices.create/prepared").json["request"]
    answer = company.live.post(request["path"], json.loads(request["body"]), headers={"offhook-dry-run": "true"})
    assert answer.status == 200, answer


def test_faults_of_a_request_are_told_with_their_places(company: Company):
    request = company.live.get(f"{APIS}/offhook/operations/offices.create/prepared").json["request"]
    body = json.loads(request["body"]) | {"country": 7}
    del body["name"]
    spoiled = {**request, "body": json.dumps(body)}
    faults = company.live.post(f"{V1}/requests/check", {"request": spoiled}).json["faults"]
    assert {one["location"] for one in faults} >= {"body.country", "body.name"}
    broken = {**request, "body": "{"}
    assert company.live.post(f"{V1}/requests/check", {"request": broken}).json["faults"]
    unknown = {**request, "api": "nothing"}
    (fault,) = company.live.post(f"{V1}/requests/check", {"request": unknown}).json["faults"]
    assert fault["location"] == "api"


@pytest.mark.parametrize("place", ["api", "version", "operation", "credential_id"])
@pytest.mark.parametrize("value", ["\0", "a\0b", "a\nb"])
def test_names_in_a_request_have_no_control_characters(company: Company, place: str, value: str):
    request = {"server": "https://10.0.0.1", "path": "/", place: value}
    saved = company.live.post(f"{V1}/requests", {"name": "Berth", "request": request})
    run = company.live.post(f"{V1}/runs", {"request": request})
    checked = company.live.post(f"{V1}/requests/check", {"request": request})
    for answer in (saved, run, checked):
        assert (answer.status, answer.places) == (400, [f"request.{place}"])


@pytest.mark.parametrize("place", ["api", "version", "operation", "credential_id"])
def test_names_in_a_request_are_as_long_as_an_index_takes(company: Company, place: str):
    request = {"server": "https://10.0.0.1", "path": "/", place: unlike(9000)}
    for path, body in (("requests", {"name": "Berth", "request": request}), ("runs", {"request": request})):
        answer = company.live.post(f"{V1}/{path}", body)
        assert (answer.status, answer.places) == (400, [f"request.{place}"])


@pytest.mark.parametrize("name", ["a\0b", "a\nb", " "])
def test_the_name_of_an_example_is_one_line(company: Company, name: str):
    answer = company.live.post(f"{V1}/api-examples", {"run_id": "1", "name": name})
    assert (answer.status, answer.places) == (400, ["name"])


@pytest.mark.parametrize("query", ["requests?collection", "requests?api", "runs?operation", "api-operations?q"])
def test_nothing_is_looked_for_by_a_nul(company: Company, query: str):
    answer = company.live.get(f"{V1}/{query}=a%00b")
    assert (answer.status, answer.places) == (400, [query.partition("?")[2]])


def test_runs_of_a_request_that_cannot_be_are_not_all_runs(company: Company):
    answer = company.live.get(f"{V1}/runs?saved_id=99999999999999999999")
    assert (answer.status, answer.places) == (400, ["saved_id"])


def test_a_request_names_a_credential_that_there_is(company: Company):
    request = {"server": "https://harbour.example", "path": "/berths"}
    body = {"name": "Harbour", "kind": "bearer", "hosts": ["harbour.example"], "token": "t0psecret"}
    credential = company.live.post(f"{V1}/credentials", body).json["id"]
    for unknown in ("7", "x"):
        answer = company.live.post(
            f"{V1}/requests", {"name": "Berths", "request": {**request, "credential_id": unknown}}
        )
        assert (answer.status, answer.places) == (400, ["request.credential_id"])
    kept = {**request, "credential_id": credential}
    saved = company.live.post(f"{V1}/requests", {"name": "Berths", "request": kept})
    assert saved.status == 200, saved
    company.live.delete(f"{V1}/credentials/{credential}")
    # What is saved already can be renamed: only a run needs the credential.
    path = f"{V1}/requests/{saved.json['id']}"
    assert company.live.put(path, {"name": "All berths", "request": kept}).status == 200
    assert company.live.put(path, {"name": "All", "request": {**kept, "credential_id": "7"}}).status == 400


def test_a_typed_secret_is_said_when_a_request_is_checked(embedded: Company):
    headers = [{"name": "X-Api-Key", "value": "t0psecret"}]
    request = {"server": "https://api.example.com", "path": "/x", "headers": headers}
    answer = embedded.live.post(f"{V1}/requests/check", {"request": request})
    assert answer.warned == {("secret_in_request", "X-Api-Key")}
    assert [one["kind"] for one in answer.json["offers"]] == ["api_key"]


def test_schemas_that_multiply_themselves_are_prepared_in_part_and_that_is_said(embedded: Company):
    imported(embedded.live, document("lists of alternatives"))
    path = f"{APIS}/hostile/operations/a"
    prepared = embedded.live.get(f"{path}/prepared")
    assert prepared.status == 200
    assert prepared.warned == {("prepared_in_part", "request.body")}
    assert "alternatives" in embedded.live.get(path).json["reference"]["cut"]
