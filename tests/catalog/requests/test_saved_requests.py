"""Requests that a company keeps: by name, in collections, by version."""

from typing import Any

import pytest

from tests.api.desk import Company
from tests.catalog.workbench import V1, Workbench

PATH = f"{V1}/requests"


def body(name: str = "Create Lisbon", **changes: Any) -> dict[str, Any]:
    request = {
        "api": "offhook",
        "version": "1",
        "operation": "offices.create",
        "method": "POST",
        "server": "https://api.example.com",
        "path": "/offices/{id}",
        "path_parameters": [{"name": "id", "value": "1"}],
        "query": [{"name": "limit", "value": "5", "on": False}],
        "media": "application/json",
        "body": '{"name": "Lisbon"}',
    }
    return {"name": name, "collection": "Offices", "request": request | changes.pop("request", {})} | changes


def test_a_request_is_saved_and_read_again(firm: Company):
    made = firm.live.post(PATH, body())
    assert made.status == 200, made
    got = firm.live.get(f"{PATH}/{made.json['id']}")
    assert got.json == made.json
    assert got.headers["etag"] == '"1"'
    assert got.json["request"] == body()["request"]


def test_each_change_is_a_version(firm: Company):
    api = firm.live
    path = f"{PATH}/{api.post(PATH, body()).json['id']}"
    second = api.put(path, body("Create Porto"), headers={"if-match": '"1"'})
    assert (second.status, second.json["version"]) == (200, 2)
    assert api.put(path, body("Create Faro"), headers={"if-match": '"1"'}).status == 412
    assert api.put(path, body("Create Porto")).json["version"] == 2
    versions = api.get(f"{path}/versions").json["items"]
    assert [(one["version"], one["name"]) for one in versions] == [(2, "Create Porto"), (1, "Create Lisbon")]
    assert versions[0]["by"]
    assert api.get(f"{path}/versions/1").json["name"] == "Create Lisbon"
    assert api.get(f"{path}/versions/3").status == 404


def test_only_the_latest_fifty_versions_are_kept(firm: Company):
    path = f"{PATH}/{firm.live.post(PATH, body()).json['id']}"
    for number in range(55):
        assert firm.live.put(path, body(f"Number {number}")).status == 200
    versions = firm.live.get(f"{path}/versions").json["items"]
    assert [one["version"] for one in versions] == list(range(56, 6, -1))


def test_names_are_unique_in_their_collection(firm: Company):
    api = firm.live
    one = api.post(PATH, body()).json
    assert api.post(PATH, body()).status == 409
    other = api.post(PATH, body(collection="Others")).json
    assert api.put(f"{PATH}/{other['id']}", body()).status == 409
    assert api.delete(f"{PATH}/{one['id']}").status == 200
    assert api.put(f"{PATH}/{other['id']}", body()).status == 200


def test_they_are_found_by_collection_api_and_operation(firm: Company):
    api = firm.live
    api.post(PATH, body())
    api.post(PATH, body(collection=""))
    api.post(PATH, body("Third", collection="", request={"operation": "offices.list"}))
    found = {
        query: [one["name"] for one in api.get(f"{PATH}?{query}").json.get("items", [])]
        for query in (
            "collection=Offices",
            "in_none=true",
            "operation=offices.list",
            "api=offhook&collection=Offices",
            "api=none",
        )
    }
    assert found == {
        "collection=Offices": ["Create Lisbon"], "in_none=true": ["Create Lisbon", "Third"],
        "operation=offices.list": ["Third"], "api=offhook&collection=Offices": ["Create Lisbon"], "api=none": [],
    }  # fmt: skip
    assert api.get(f"{V1}/request-collections").json["items"] == [
        {"name": "", "requests": 2}, {"name": "Offices", "requests": 1},
    ]  # fmt: skip


def test_a_deleted_request_is_gone_with_its_versions(firm: Company, workbench: Workbench):
    path = f"{PATH}/{firm.live.post(PATH, body()).json['id']}"
    assert firm.live.delete(path).status == 200
    assert [firm.live.get(one).status for one in (path, f"{path}/versions", f"{path}/versions/1")] == [404] * 3
    assert workbench.found().live.get(PATH).json.get("items", []) == []


def test_what_is_shared_is_shared_within_the_company_only(firm: Company, workbench: Workbench):
    path = f"{PATH}/{firm.live.post(PATH, body()).json['id']}"
    assert firm.key("catalog:read").get(path).status == 200
    assert firm.key("catalog:read").delete(path).status == 403
    assert workbench.found().live.get(path).status == 404


@pytest.mark.parametrize(
    ("sent", "places"),
    [
        (body(""), ["name"]),
        (body(collection="two\nlines"), ["collection"]),
        (body(request={"server": "x" * 10_001}), ["request.server"]),
        (body(request={"body": "x" * 1_000_001}), ["request.body"]),
        (body(request={"query": [{"name": "a"}] * 201}), ["request.query"]),
        (body(request={"method": 7}), ["request.method"]),
        (body(request={"body": "a\0b", "path": "/\0"}), ["request.body", "request.path"]),
        (body(request={"headers": [{"name": "A"}, {"name": "B", "value": "\0"}]}), ["request.headers[1].value"]),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place(firm: Company, sent: Any, places: list[str]):
    answer = firm.live.post(PATH, sent)
    assert (answer.status, answer.places) == (400, places)


def test_a_secret_in_a_request_is_warned_of_and_not_told_in_events(firm: Company):
    headers = [{"name": "Authorization", "value": "Bearer t0psecret"}]
    answer = firm.live.post(PATH, body(request={"headers": headers, "server": "https://api.example.com?key=t0psecret"}))
    assert ("secret_in_request", "Authorization") in answer.warned
    assert "t0psecret" not in repr(firm.live.events())
    assert "request.created" in repr(firm.live.events())


def test_a_typed_secret_is_offered_as_a_credential_over_http(firm: Company):
    sent = "curl https://api.example.com:8443/x?api_key=t0psecret -u me:t0psecret"
    answer = firm.live.post(f"{PATH}/from-curl", {"curl": sent})
    assert answer.json["offers"] == [
        {"location": "headers.Authorization", "kind": "basic", "hosts": ["api.example.com:8443"], "username": "me"},
        {
            "location": "query.api_key", "kind": "api_key", "hosts": ["api.example.com:8443"],
            "parameter": "api_key", "place": "query",
        },
    ]  # fmt: skip
    assert answer.warned == {("secret_in_request", "Authorization"), ("secret_in_request", "api_key")}


def test_curl_is_read_over_http(firm: Company):
    answer = firm.live.post(f"{PATH}/from-curl", {"curl": "curl -k https://api.example.com/x -d @secret.json"})
    assert answer.json["request"]["path"] == "/x"
    assert answer.warned == {("option_not_used", "--insecure"), ("file_not_read", "secret.json")}
    assert firm.live.post(f"{PATH}/from-curl", {"curl": "wget x"}).places == ["curl"]
