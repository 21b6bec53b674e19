"""API documents over HTTP, from the whole application over both stores: imported, reviewed, read, searched, deleted."""

import asyncio
import copy
import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook import app
from offhook.catalog.documents import apart
from offhook.kit.errors import Unavailable
from offhook.storage.rehearsal import rows_of
from tests.api.desk import Company, Desk
from tests.catalog.shelf import APIS, TREE, altered, events, found, imported, own_is_kept, settings_of, text, unlike
from tests.catalog.workbench import V1


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


def test_the_own_document_is_kept_at_the_start_and_not_again_at_the_next(runner: asyncio.Runner, tmp_path: Path):
    def started(**more: Any) -> tuple[dict[str, Any], list[Any], list[Any]]:
        desk = Desk(runner, settings_of(tmp_path, **more))
        try:
            own_is_kept(desk)
            desk.run(desk.offhook._keep_own())
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


def test_the_own_document_waits_for_a_store_that_is_away(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    offhook, kept = embedded.desk.offhook, []
    keep = offhook.apis.keep_own

    async def third_time(document: Any, **more: Any) -> None:
        kept.append(document)
        if len(kept) < 3:
            raise Unavailable("The store is away.")
        await keep(document, **more)

    monkeypatch.setattr(offhook.apis, "keep_own", third_time)
    monkeypatch.setattr(app, "OWN_DOCUMENT_SECONDS", 0.0)
    with capture_logs() as logs:
        embedded.desk.run(offhook._keep_own())
        assert [(one["event"], one["log_level"]) for one in logs] == [("own_document_put_off", "warning")] * 2
        monkeypatch.setattr(offhook, "_serving", False)
        kept.clear()
        embedded.desk.run(offhook._keep_own())
    assert len(kept) == 1, "a command does not wait for a store"


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
