"""The workbench's pages as they are sent: who may do what, which version is shown, which runs are compared."""

import re

import pytest

from tests.api.desk import Company
from tests.console.visitor import Visitor

V1 = "/api/offhook/v1"
WRITING = ("test", "save", "save_new", "look", "import")
DOCUMENT = """
openapi: 3.1.0
info: {title: Loaves, version: "%s"}
servers: [{url: "https://api.example.com"}]
paths:
  /loaves:
    get: {operationId: loaves, responses: {}}
"""


@pytest.fixture
def versions(embedded: Company) -> None:
    """A document that was imported twice."""
    for number in ("1.0", "2.0"):
        body = {"document": DOCUMENT % number} | ({"name": "loaves"} if number == "1.0" else {})
        place = f"{V1}/apis" if number == "1.0" else f"{V1}/apis/loaves/versions"
        assert embedded.sandbox.send("POST", place, body).status == 200


@pytest.mark.usefixtures("versions")
def test_a_key_that_only_reads_is_told_so_and_offered_nothing_that_it_may_not(embedded: Company):
    bearer = {"name": "Own", "kind": "bearer", "hosts": ["api.example.com"], "token": "secret-bearer"}
    credential = embedded.sandbox.send("POST", f"{V1}/credentials", bearer).json["id"]
    saved = embedded.sandbox.send("POST", f"{V1}/requests", {"name": "Own", "request": {"path": "/x"}}).json["id"]
    pages = (
        "apis", "apis/loaves", "apis/import", f"requests/{saved}", "credentials", f"credentials/{credential}"
    )  # fmt: skip
    writer, reader = Visitor(embedded.desk), Visitor(embedded.desk)
    writer.sign_in(embedded.sandbox.key)
    reader.sign_in(embedded.key("catalog:read", environment="sandbox").key)
    for path in pages:
        page = reader.get(f"/console/{path}")
        assert page.status == 200, path
        assert "This key reads only" in page.text, path
        assert "This key reads only" not in writer.get(f"/console/{path}").text, path
        named = [one for one in page.tags("button") if one.get("value") in WRITING]
        assert all("disabled" in one and one["aria-describedby"] == "reads" for one in named), path
        assert not re.search(r'action="[^"]*/delete"', page.html), path
    assert "Import a document" not in reader.get("/console/apis").text


@pytest.mark.usefixtures("versions")
def test_a_word_that_is_found_nowhere_is_said_beside_what_the_others_find(visitor: Visitor):
    page = visitor.get("/console/apis?q=loaves+zyzzyva")
    assert "No operation has “zyzzyva”; these have the other words." in page.text
    assert "No operation has" not in visitor.get("/console/apis?q=loaves").text


@pytest.mark.usefixtures("versions")
def test_a_page_of_an_older_version_says_which_and_leads_to_the_current_one(visitor: Visitor):
    page = visitor.get("/console/apis/loaves/loaves?version=1")
    assert "version 1, not the current one: version 2" in page.text
    assert "(version 1)" in page.title
    links = [one["href"] for one in page.tags("a")]
    assert "/console/apis/loaves?version=1" in links
    assert "/console/apis/loaves/loaves" in links
    assert "not the current one" not in visitor.get("/console/apis/loaves/loaves?version=2").text
    older = visitor.get("/console/apis/loaves?version=1")
    assert "version 1, not the current one" in older.text
    assert "/console/apis/loaves/loaves?version=1" in [one["href"] for one in older.tags("a")]
    assert "/console/apis/loaves?version=1" in [one["href"] for one in visitor.get("/console/apis/loaves").tags("a")]


def test_any_two_runs_of_a_saved_request_are_compared(visitor: Visitor, embedded: Company):
    request = {"name": "Mine", "request": {"server": "http://127.0.0.1:9", "path": "/one"}}
    saved = embedded.sandbox.send("POST", f"{V1}/requests", request).json["id"]
    runs = [embedded.sandbox.send("POST", f"{V1}/runs", {"saved_id": saved}).json["id"] for _ in range(3)]
    other = embedded.sandbox.send("POST", f"{V1}/runs", {"request": request["request"]}).json["id"]
    place = f"/console/runs?saved_id={saved}"
    assert place in [one["href"] for one in visitor.get(f"/console/requests/{saved}").tags("a")]
    page = visitor.get(place)
    assert "Of Mine only." in page.text
    assert [one["value"] for one in page.tags("input") if one.get("name") == "run"] == runs[::-1]
    found = visitor.get(f"/console/runs/compare?saved_id={saved}&run={runs[2]}&run={runs[0]}")
    assert found.headers["location"] == f"/console/runs/{runs[0]}/compare/{runs[2]}"
    assert "Two runs compared" in visitor.follow(found).text
    refused = visitor.get(f"/console/runs/compare?saved_id={saved}&run={runs[0]}")
    assert refused.status == 400
    assert "Tick two runs to compare; 1 were." in refused.text
    assert "Of Mine only." in refused.text
    from_one = visitor.get(f"{place}&run={other}")
    assert [one["value"] for one in from_one.tags("input") if "checked" in one] == [other]
    assert f"{place}&run={runs[1]}" in [one["href"] for one in visitor.get(f"/console/runs/{runs[1]}").tags("a")]


def test_an_older_version_of_a_saved_request_says_that_it_is_one(visitor: Visitor, embedded: Company):
    saved = embedded.sandbox.send("POST", f"{V1}/requests", {"name": "Own", "request": {"path": "/one"}}).json["id"]
    embedded.sandbox.send("PUT", f"{V1}/requests/{saved}", {"name": "Own", "request": {"path": "/two"}})
    page = visitor.get(f"/console/requests/{saved}?version=1")
    assert "as it was in version 1; the current one is version 2" in page.text
    kept = visitor.follow(visitor.send(page, f"/console/requests/{saved}", {"do": "save"}))
    assert "version 3" in kept.text
    assert "as it was in" not in kept.text
    assert dict(kept.form(f"/console/requests/{saved}").values)["path"] == "/one"
