"""API documents over HTTP, from the whole application over both stores: imported, reviewed, read, searched, deleted."""

import asyncio
import copy
import gzip
import json
import random
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from offhook.catalog.documents import apart, service
from offhook.kit.settings import Settings
from offhook.storage.rehearsal import rows_of
from tests.api.desk import Answer, Api, Company, Desk
from tests.catalog.hostile import document
from tests.catalog.workbench import V1, Service, answering, serving
from tests.catalog.workbench import Answer as Served
from tests.servers import PostgreSQL

APIS = f"{V1}/apis"
TREE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Harbour Berths", "version": "2.4"},
    "servers": [{"url": "https://harbour.example"}],
    "paths": {
        "/berths": {
            "get": {
                "operationId": "berths.list",
                "summary": "List berths",
                "responses": {"200": {"description": "ok"}},
            },
            "post": {
                "operationId": "berths.book",
                "summary": "Book a berth",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Booking"}}}},
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/berths/{id}": {
            "delete": {
                "operationId": "berths.free",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "ok"}},
            },
        },
    },
    "components": {
        "schemas": {
            "Booking": {
                "type": "object",
                "required": ["vessel"],
                "properties": {"vessel": {"type": "string"}, "metres": {"type": "integer", "maximum": 400}},
            }
        }
    },
}


def text(tree: Any = TREE) -> str:
    return json.dumps(tree)


def unlike(count: int) -> str:
    """So many characters that no store can pack."""
    return "".join(random.Random(count).choices(string.ascii_letters + string.digits, k=count))


def altered() -> dict[str, Any]:
    """A later version: one operation goes, one comes, and a booking needs a captain."""
    tree = copy.deepcopy(TREE)
    del tree["paths"]["/berths/{id}"]
    tree["paths"]["/tides"] = {"get": {"operationId": "tides.list", "responses": {"200": {"description": "ok"}}}}
    booking = tree["components"]["schemas"]["Booking"]
    booking["properties"]["captain"] = {"type": "string"}
    booking["required"].append("captain")
    tree["info"]["version"] = "3.0"
    return tree


def _settings(data: Path, **more: Any) -> Settings:
    return Settings(data=str(data), access_log=False, egress_allow="127.0.0.0/8", rate_limit_scale=1_000_000.0, **more)


def _own_is_kept(desk: Desk) -> None:
    """Wait for the document that the application keeps of itself when it starts."""

    async def look() -> None:
        caller = founded.sending("GET", f"{APIS}/offhook")
        while (await caller).status != 200:
            await asyncio.sleep(0.01)
            caller = founded.sending("GET", f"{APIS}/offhook")

    founded = desk.found().live
    desk.run(asyncio.wait_for(look(), 30))


@pytest.fixture(scope="module")
def sqlite_shelf(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(runner, _settings(tmp_path_factory.mktemp("shelf")))
    _own_is_kept(desk)
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def postgresql_shelf(
    runner: asyncio.Runner, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with postgres.database() as url:
        desk = Desk(runner, _settings(tmp_path_factory.mktemp("shelf"), database_url=url))
        _own_is_kept(desk)
        yield desk
        desk.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def company(request: pytest.FixtureRequest) -> Company:
    """A new company, over each store in turn."""
    desk: Desk = request.getfixturevalue(f"{request.param}_shelf")
    return desk.found()


@pytest.fixture
def embedded(sqlite_shelf: Desk) -> Company:
    """A new company over SQLite: for what the store has no say in."""
    return sqlite_shelf.found()


def imported(api: Api, tree: Any = TREE, **more: Any) -> Answer:
    answer = api.post(APIS, {"document": tree if isinstance(tree, str) else text(tree), **more})
    assert answer.status == 200, answer
    return answer


def events(api: Api) -> list[str]:
    return [one["event"] for one in api.events() if one["event"].startswith("api.")]


# Importing


@pytest.mark.parametrize("write", [text, yaml.safe_dump], ids=["json", "yaml"])
def test_a_document_is_imported_by_its_text(company: Company, write: Callable[[Any], str]):
    made = imported(company.live, write(TREE)).json
    assert "review" not in made
    api = made["api"]
    assert (api["name"], api["title"], api["version"]) == ("harbour-berths", "Harbour Berths", 1)
    assert (api["kind"], api["api_version"], api["operations"]) == ("OpenAPI 3.1.0", "2.4", 3)
    assert "built_in" not in api
    assert company.live.get(f"{APIS}/harbour-berths").json == api
    names = [one["name"] for one in company.live.get(APIS).json["items"]]
    assert names == ["offhook", "harbour-berths"]
    assert events(company.live) == ["api.imported"]


@pytest.mark.parametrize("write", [text, yaml.safe_dump], ids=["json", "yaml"])
def test_its_text_is_given_back_byte_by_byte(company: Company, write: Callable[[Any], str]):
    sent = write(TREE) + "\n  \n"
    imported(company.live, sent)
    got = company.live.get(f"{APIS}/harbour-berths/source")
    assert got.response.content == sent.encode()
    assert got.headers["content-type"] == ("application/json" if write is text else "application/yaml")


def from_service(company: Company, served: Served, path: str = APIS, **body: Any) -> tuple[Answer, Service]:
    """The answer to an import from a web service on loopback."""

    async def run() -> tuple[Answer, Service]:
        async with serving(served) as there:
            return await company.live.sending(
                "POST", path, {"url": there.url("/harbour.json?token=t0psecret"), **body}
            ), there

    return company.desk.run(run())


def test_a_document_is_fetched_from_its_address_with_headers(company: Company):
    headers = [{"name": "X-Pass", "value": "t0psecret"}]
    made, there = from_service(company, answering(text().encode()), headers=headers)
    assert made.status == 200, made
    assert "x-pass: t0psecret" in there.heads[0].lower()
    assert "GET /harbour.json?token=t0psecret" in there.heads[0]
    assert made.json["api"]["address"] == f"http://127.0.0.1:{there.port}/harbour.json"
    assert "t0psecret" not in repr(company.live.events()) + made.response.text


@pytest.mark.parametrize("head", [("content-encoding: gzip",), ("content-type: application/gzip",)])
def test_a_document_that_comes_packed_is_unpacked(company: Company, head: tuple[str, ...]):
    made, there = from_service(company, answering(gzip.compress(text().encode()), *head))
    assert made.status == 200, made
    assert made.json["api"]["operations"] == 3
    assert "accept-encoding: gzip" in there.heads[0].lower()


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (gzip.compress(b"\0" * 60_000_000, 9, mtime=0), "more than 52428800 bytes once it is unpacked"),
        (gzip.compress(b"{}" * 1000, mtime=0)[:-12], "breaks off in the midst"),
        (b"\x1f\x8bnonsense", "not compressed"),
    ],
)
def test_what_is_packed_wrongly_or_without_end_is_refused(embedded: Company, packed: bytes, said: str):
    made, _ = from_service(embedded, answering(packed, "content-encoding: gzip"))
    assert made.status == 400
    assert said in made.json["error"]["message"]


def test_its_headers_go_to_the_first_host_only(company: Company):
    async def run() -> tuple[Answer, Service, Service]:
        async with serving(answering(text().encode())) as there:
            moved = answering(b"", f"location: {there.url('/harbour.json')}", status="302 Found")
            async with serving(moved) as here:
                headers = [{"name": "X-Pass", "value": "t0psecret"}, {"name": "Authorization", "value": "t0psecret"}]
                body = {"url": here.url("/old.json"), "headers": headers}
                return await company.live.sending("POST", APIS, body), here, there

    answer, here, there = company.desk.run(run())
    assert answer.status == 200, answer
    assert here.heads[0].count("t0psecret") == 2
    assert "t0psecret" not in there.heads[0]


def test_a_redirect_to_no_address_is_refused(embedded: Company):
    answer, _ = from_service(embedded, answering(b"", "location: http://[", status="302 Found"))
    assert (answer.status, answer.places) == (400, ["url"])


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [("X-Pass", "ä", "value"), ("X-Pass", "a\r\nHost: b", "value"), ("X Pass", "a", "name"), ("Host", "a", "name"),
     ("Content-Length", "9", "name"), ("", "a", "name")],
)  # fmt: skip
def test_headers_that_no_request_can_have_are_refused(embedded: Company, name: str, value: str, place: str):
    sent = {"url": "http://127.0.0.1:9/x", "headers": [{"name": name, "value": value}]}
    answer = embedded.live.post(APIS, sent)
    assert (answer.status, answer.places) == (400, [f"headers[0].{place}"])


def test_it_is_fetched_anew_from_where_it_came(company: Company):
    async def run() -> tuple[Answer, Answer]:
        tree = TREE

        async def served(head: str, writer: asyncio.StreamWriter) -> None:
            await answering(text(tree).encode())(head, writer)

        async with serving(served) as there:
            first = await company.live.sending("POST", APIS, {"url": there.url("/harbour.json")})
            tree = altered()
            return first, await company.live.sending("POST", f"{APIS}/harbour-berths/versions", {})

    first, second = company.desk.run(run())
    assert first.status == 200, first
    assert second.json["api"]["version"] == 2
    assert second.json["api"]["address"] == first.json["api"]["address"]


def test_one_that_came_with_a_secret_is_fetched_anew_by_its_whole_address_only(company: Company):
    async def run() -> tuple[list[Answer], Service]:
        async with serving(answering(text().encode())) as there:
            versions = f"{APIS}/harbour-berths/versions"
            whole = {"url": there.url("/harbour.json?token=t0psecret")}
            sent = [(APIS, whole), (versions, {}), (versions, whole), (versions, {"document": text(altered())})]
            sent += [(versions, {}), (versions, {"url": there.url("/harbour.json#x")}), (versions, {})]
            return [await company.live.sending("POST", *one) for one in sent], there

    answers, there = company.desk.run(run())
    assert [one.status for one in answers] == [200, 400, 200, 200, 400, 200, 200], answers
    assert answers[1].places == answers[4].places == ["url"]
    assert "whole url" in answers[1].errors[0]["message"]
    assert "t0psecret" not in answers[1].response.text
    assert answers[0].json["api"]["address"] == f"http://127.0.0.1:{there.port}/harbour.json"
    assert len(there.heads) == 4


def test_one_that_came_as_text_cannot_be_fetched_anew(embedded: Company):
    imported(embedded.live)
    answer = embedded.live.post(f"{APIS}/harbour-berths/versions", {})
    assert (answer.status, answer.places) == (400, ["document"])


@pytest.mark.parametrize("sent", [{}, {"document": text(), "url": "https://harbour.example"}])
def test_a_text_or_an_address_is_needed_and_not_both(embedded: Company, sent: Any):
    answer = embedded.live.post(APIS, sent)
    assert (answer.status, answer.places) == (400, ["document"])


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "http://169.254.169.254/latest", "http://[::1]/x", "ftp://a.example/x", "x", ""]
)
def test_an_address_inside_is_refused(embedded: Company, url: str):
    answer = embedded.live.post(APIS, {"url": url})
    assert (answer.status, answer.places) == (400, ["url"])


@pytest.mark.parametrize(
    "served", [answering(b"{}", status="404 Not Found"), answering(b"{}", status="500 Oh"), answering(b"")]
)
def test_an_answer_that_is_no_document_is_refused(embedded: Company, served: Served):
    answer, _ = from_service(embedded, served)
    assert answer.status == 400
    assert "items" not in embedded.live.get(f"{APIS}?cursor=").json or len(embedded.live.get(APIS).json["items"]) == 1


def test_an_answer_of_404_is_said_and_the_address_is_told_without_its_secrets(embedded: Company):
    answer, there = from_service(embedded, answering(b"{}", status="404 Not Found"))
    assert answer.places == ["url"]
    assert "404" in answer.errors[0]["message"]
    assert answer.errors[0]["sent"].strip('"') == f"http://127.0.0.1:{there.port}/harbour.json"


def test_an_answer_that_is_too_large_is_refused(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service, "MOST_BYTES", 500)
    assert len(text()) > 500
    answer, _ = from_service(embedded, answering(text().encode()))
    assert (answer.status, answer.places) == (400, ["url"])


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ('{"openapi": "3.1.0",\n "info": ]}', "line 2, column 10"),
        ("openapi: 3.1.0\ninfo: [1\n", "line 3, column 1"),
        ("[]", "document"),
        ("{}", "document"),
        ("", "document"),
        ("hello", "document"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(embedded: Company, sent: str, place: str):
    answer = embedded.live.post(APIS, {"document": sent})
    assert (answer.status, answer.places) == (400, [place])
    assert events(embedded.live) == []


# Names


def test_a_name_may_be_chosen(company: Company):
    assert imported(company.live, name="berths.v2").json["api"]["name"] == "berths.v2"


def test_a_name_that_is_taken_is_refused(company: Company):
    imported(company.live)
    for more in ({}, {"name": "harbour-berths"}):
        answer = company.live.post(APIS, {"document": text(altered()), **more})
        assert answer.status == 409, answer
        assert "harbour-berths" in answer.errors[0]["message"]
    assert company.live.get(f"{APIS}/harbour-berths").json["version"] == 1


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "ä", "a/b", "..", "x" * 101, "a\n"])
def test_a_bad_name_is_refused(embedded: Company, name: str):
    answer = embedded.live.post(APIS, {"document": text(), "name": name})
    assert (answer.status, answer.places) == (400, ["name"])


def test_a_title_without_letters_makes_a_name_all_the_same(embedded: Company):
    tree = TREE | {"info": {"title": "***", "version": "1"}}
    assert imported(embedded.live, tree).json["api"]["name"] == "api"


def test_a_repeated_import_happens_once(company: Company):
    key = {"idempotency-key": "harbour"}
    first = company.live.post(APIS, {"document": text()}, headers=key)
    again = company.live.post(APIS, {"document": text()}, headers=key)
    assert (first.status, again.status) == (200, 200)
    assert again.json == first.json
    assert again.headers["offhook-replayed"] == "true"
    assert events(company.live) == ["api.imported"]
    assert company.live.post(APIS, {"document": text(altered())}, headers=key).status == 409


def test_a_dry_run_keeps_nothing(company: Company):
    dry = {"offhook-dry-run": "true"}
    answer = company.live.post(APIS, {"document": text()}, headers=dry)
    assert answer.json["dry_run"] is True
    assert answer.json["result"]["api"]["operations"] == 3
    assert company.live.get(f"{APIS}/harbour-berths").status == 404
    assert company.live.get(f"{V1}/api-operations?q=berth&api=harbour-berths").json["items"] == []
    assert events(company.live) == []


# Offhook's own


def test_offhooks_own_document_is_there_and_cannot_be_changed(company: Company):
    api = company.live
    own = api.get(f"{APIS}/offhook").json
    assert (own["built_in"], own["operations"]) == (True, len(company.desk.offhook.operations))
    assert "problems" not in own
    for answer in (
        api.delete(f"{APIS}/offhook"),
        api.post(f"{APIS}/offhook/versions", {"document": text()}),
        api.post(APIS, {"document": text(), "name": "offhook"}),
    ):
        assert answer.status == 409
        assert "Offhook's own" in answer.errors[0]["message"]
    assert api.get(f"{APIS}/offhook").json == own


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


def test_the_own_document_is_kept_at_the_start_and_not_again_at_the_next(runner: asyncio.Runner, tmp_path: Path):
    def started(**more: Any) -> tuple[dict[str, Any], list[Any], list[Any]]:
        desk = Desk(runner, _settings(tmp_path, **more))
        try:
            _own_is_kept(desk)
            desk.run(desk.offhook._keep_own(serving=True))
            api = desk.found().live
            found = api.get(f"{V1}/api-operations?q=create office&api=offhook").json["items"]
            return api.get(f"{APIS}/offhook").json, api.get(f"{APIS}/offhook/versions").json["items"], found
        finally:
            desk.close()

    first, versions, found = started()
    assert [one["version"] for one in versions] == [1]
    assert "offices.create" in [one["key"] for one in found]
    assert started() == (first, versions, found)
    changed, versions, found = started(public_url="https://phones.example.com")
    assert [one["version"] for one in versions] == [changed["version"]] == [2]
    assert "offices.create" in [one["key"] for one in found]


# Importing anew


def test_a_dry_run_of_a_new_version_reviews_it_and_keeps_nothing(company: Company):
    imported(company.live)
    path = f"{APIS}/harbour-berths/versions"
    answer = company.live.post(path, {"document": text(altered())}, headers={"offhook-dry-run": "true"})
    review = answer.json["result"]["review"]
    assert [one["key"] for one in review["added"]] == ["tides.list"]
    assert [one["key"] for one in review["removed"]] == ["berths.free"]
    (changed,) = review["changed"]
    assert (changed["after"]["key"], changed["breaks"]) == ("berths.book", True)
    assert [(one["kind"], one["name"], one["breaks"]) for one in changed["changes"]] == [("added", "captain", True)]
    assert review["unchanged"] == 1
    assert company.live.get(f"{APIS}/harbour-berths").json["version"] == 1
    assert events(company.live) == ["api.imported"]


def test_a_document_that_is_read_apart_is_reviewed_and_kept_as_any_other(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    assert imported(company.live).json["api"]["operations"] == 3
    near = company.live.post(f"{APIS}/harbour-berths/versions", {"document": text(altered())}).json
    monkeypatch.setattr(apart, "LARGE", 0)
    other = company.sandbox
    assert imported(other).json["api"]["operations"] == 3
    far = other.post(f"{APIS}/harbour-berths/versions", {"document": text(altered())}).json
    assert far["review"] == near["review"]
    for path in ("operations", "operations/berths.book", "problems", "source"):
        got = [api.get(f"{APIS}/harbour-berths/{path}").json for api in (company.live, other)]
        assert got[0] == got[1]


def test_a_new_version_takes_the_place_of_the_one_before_which_stays(company: Company):
    imported(company.live)
    second = company.live.post(f"{APIS}/harbour-berths/versions", {"document": text(altered())})
    assert (second.json["api"]["version"], second.json["api"]["api_version"]) == (2, "3.0")
    assert second.json["review"]["added"][0]["key"] == "tides.list"
    versions = company.live.get(f"{APIS}/harbour-berths/versions").json["items"]
    assert [(one["version"], one["operations"]) for one in versions] == [(2, 3), (1, 3)]
    path = f"{APIS}/harbour-berths/operations"
    assert company.live.get(f"{path}/berths.free").status == 404
    assert company.live.get(f"{path}/berths.free?version=1").status == 200
    assert company.live.get(f"{APIS}/harbour-berths?version=1").json["version"] == 1
    compared = company.live.get(f"{APIS}/harbour-berths/review?before=1").json
    assert (compared["before"], compared["after"], compared["breaks"]) == ("1", "2", True)
    assert compared["review"] == second.json["review"]
    back = company.live.get(f"{APIS}/harbour-berths/review?before=2&after=1").json
    assert [one["key"] for one in back["review"]["added"]] == ["berths.free"]
    assert company.live.get(f"{APIS}/harbour-berths/review?before=3").status == 404
    assert events(company.live) == ["api.imported", "api.imported"]


def test_the_same_text_again_keeps_nothing(company: Company):
    imported(company.live)
    again = company.live.post(f"{APIS}/harbour-berths/versions", {"document": text()})
    assert (again.json["same"], again.json["api"]["version"]) == (True, 1)
    assert "review" not in again.json
    assert len(company.live.get(f"{APIS}/harbour-berths/versions").json["items"]) == 1
    assert events(company.live) == ["api.imported"]


def test_the_last_twenty_versions_are_kept(company: Company):
    imported(company.live)
    for number in range(2, 23):
        tree = copy.deepcopy(TREE)
        tree["info"]["version"] = str(number)
        answer = company.live.post(f"{APIS}/harbour-berths/versions", {"document": text(tree)})
        assert answer.status == 200, answer
    versions = company.live.get(f"{APIS}/harbour-berths/versions").json["items"]
    assert [one["version"] for one in versions] == list(range(22, 2, -1))
    assert company.live.get(f"{APIS}/harbour-berths/source?version=2").status == 404
    oldest = company.live.get(f"{APIS}/harbour-berths/source?version=3").json
    assert oldest["info"]["version"] == "3"


# Reading


def test_problems_are_listed_and_what_can_be_used_is_used(company: Company):
    tree = copy.deepcopy(TREE)
    tree["paths"]["/berths"]["get"]["operationId"] = "berths.book"
    tree["paths"]["tides"] = {"get": {"responses": {}}}
    tree["paths"]["/berths/{id}"]["delete"] = 7
    made = imported(company.live, tree).json
    listed = company.live.get(f"{APIS}/harbour-berths/problems").json["items"]
    assert listed == made["problems"]
    assert len(listed) == made["api"]["problems"]
    assert "/paths/~1berths~1{id}/delete" in [one["pointer"] for one in listed]
    assert made["api"]["operations"] >= 2


def test_operations_are_paged_in_their_order(company: Company):
    tree = copy.deepcopy(TREE)
    tree["paths"] = {f"/b{n}": {"get": {"operationId": f"b{n}", "responses": {}}} for n in range(230)}
    imported(company.live, tree)
    keys: list[str] = []
    sizes: list[int] = []
    cursor = ""
    while True:
        page = company.live.get(f"{APIS}/harbour-berths/operations?cursor={cursor}").json
        sizes.append(len(page["items"]))
        keys += [one["key"] for one in page["items"]]
        if "cursor" not in page:
            break
        cursor = page["cursor"]
    assert keys == [f"b{n}" for n in range(230)]
    assert sizes == [100, 100, 30]


def test_documents_are_paged(embedded: Company):
    for number in range(101):
        imported(embedded.live, name=f"n{number}")
    first = embedded.live.get(APIS).json
    second = embedded.live.get(f"{APIS}?cursor={first['cursor']}").json
    names = [one["name"] for page in (first, second) for one in page["items"]]
    assert names == ["offhook", *(f"n{number}" for number in range(101))]
    assert "cursor" not in second


def test_the_reference_of_an_operation_names_its_fields(company: Company):
    imported(company.live)
    got = company.live.get(f"{APIS}/harbour-berths/operations/berths.book").json
    assert (got["api"], got["title"], got["version"]) == ("harbour-berths", "Harbour Berths", 1)
    (body,) = got["reference"]["bodies"]
    assert [(one["name"], one["type"], one["required"]) for one in body["fields"]] == [
        ("vessel", "String", True), ("metres", "Integer", False),
    ]  # fmt: skip
    assert got["reference"]["servers"][0]["url"] == "https://harbour.example"
    assert company.live.get(f"{APIS}/harbour-berths/operations/nothing").status == 404


# Searching


def found(api: Api, query: str) -> list[tuple[str, str]]:
    return [(one["api"], one["key"]) for one in api.get(f"{V1}/api-operations?{query}").json["items"]]


def test_an_operation_is_found_by_mistyped_words(company: Company):
    imported(company.live)
    for query in ("q=book berth", "q=boook berht", "q=harbor berths book", "q=vessel"):
        assert found(company.live, query)[0] == ("harbour-berths", "berths.book"), query


def test_a_search_keeps_to_a_document_and_a_method(company: Company):
    imported(company.live)
    imported(company.live, name="copy")
    assert {api for api, _ in found(company.live, "q=berths&api=copy")} == {"copy"}
    assert found(company.live, "q=berths&api=copy&method=delete") == [("copy", "berths.free")]
    assert found(company.live, "q=berths&api=nothing") == []
    assert len(found(company.live, "q=berths&limit=2")) == 2
    assert ("offhook", "offices.create") in found(company.live, "q=create an office")


def test_a_search_follows_what_is_imported_and_deleted(company: Company):
    imported(company.live)
    company.live.post(f"{APIS}/harbour-berths/versions", {"document": text(altered())})
    assert ("harbour-berths", "tides.list") in found(company.live, "q=tides")
    assert found(company.live, "q=free berths&api=harbour-berths&method=DELETE") == []
    company.live.delete(f"{APIS}/harbour-berths")
    assert found(company.live, "q=tides&api=harbour-berths") == []


# Deleting, and others


def test_a_deleted_document_is_gone_and_its_name_is_free(company: Company):
    imported(company.live)
    assert company.live.delete(f"{APIS}/harbour-berths").json == {}
    for path in ("", "/source", "/versions", "/problems", "/operations", "/operations/berths.book", "/review?before=1"):
        assert company.live.get(f"{APIS}/harbour-berths{path}").status == 404, path
    assert company.live.delete(f"{APIS}/harbour-berths").status == 404
    assert imported(company.live, altered()).json["api"]["version"] == 1
    assert events(company.live) == ["api.imported", "api.deleted", "api.imported"]


def test_another_company_sees_nothing_of_it(company: Company):
    imported(company.live)
    for other in (company.desk.found().live, company.sandbox):
        assert [one["name"] for one in other.get(APIS).json["items"]] == ["offhook"]
        assert other.get(f"{APIS}/harbour-berths").status == 404
        assert other.delete(f"{APIS}/harbour-berths").status == 404
        assert found(other, "q=berths") == [] or {api for api, _ in found(other, "q=berths")} == {"offhook"}
        assert imported(other).json["api"]["version"] == 1
    assert company.live.get(f"{APIS}/harbour-berths").json["version"] == 1


def test_reading_takes_one_scope_and_importing_another(embedded: Company):
    imported(embedded.live)
    reader, stranger = embedded.key("catalog:read"), embedded.key("offices:write")
    assert reader.get(f"{APIS}/harbour-berths/source").status == 200
    assert reader.post(APIS, {"document": text()}).status == 403
    assert reader.delete(f"{APIS}/harbour-berths").status == 403
    assert stranger.get(APIS).status == 403


def test_every_moment_is_told_with_its_zone(company: Company):
    api = imported(company.live).json["api"]
    version = company.live.get(f"{APIS}/harbour-berths/versions").json["items"][0]
    request = {"server": "https://10.0.0.1", "path": "/berths"}
    saved = company.live.post(f"{V1}/requests", {"name": "Berths", "request": request}).json
    for told in (api["imported_at"], version["imported_at"], saved["created_at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told), told


# What no store can hold


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


def test_a_document_with_very_long_names_is_kept_and_read(company: Company):
    tree, (path, name) = copy.deepcopy(TREE), (unlike(9000), unlike(5000))
    other = f"{name[:-1]}_"
    schemas = tree["components"]["schemas"]
    schemas |= {name: schemas.pop("Booking"), other: {"properties": {"other": {"type": "string"}}}}
    sent = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
    tree["paths"] |= {f"/{path}": {"post": {"operationId": "long", "requestBody": sent, "responses": {}}}}
    imported(company.live, tree)
    reference = company.live.get(f"{APIS}/harbour-berths/operations/long").json["reference"]
    assert reference["head"]["path"] == f"/{path}"
    assert [one["name"] for one in reference["bodies"][0]["fields"]] == ["vessel", "metres"]
    assert company.live.get(f"{APIS}/harbour-berths/source").json == tree


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


def test_what_the_workbench_keeps_is_not_copied_to_rehearse_a_company(company: Company):
    imported(company.live)
    token = {"name": "Harbour", "kind": "bearer", "hosts": ["harbour.example"], "token": "t0psecret"}
    assert company.live.post(f"{V1}/credentials", token).status == 200
    request = {"server": "https://10.0.0.1", "path": "/berths"}
    assert company.live.post(f"{V1}/requests", {"name": "Berths", "request": request}).status == 200
    assert company.live.post(f"{V1}/runs", {"request": request}).status == 200
    tenant = company.tenant()
    with company.desk.offhook.database.reading() as tx:
        rows = rows_of(tx, tenant)
    copied = {table.name for table in rows}
    assert "offices" in copied
    names = r"(api_(documents|versions|pieces|operations|examples)|credential|saved_request|run)"
    assert [name for name in copied if re.match(names, name)] == []


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
