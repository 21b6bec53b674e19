"""Documents are imported by their text or from an address, and what is none is refused with its place."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from offhook.catalog.documents import service
from tests.api.desk import Answer, Company
from tests.catalog.shelf import APIS, TREE, altered, events, from_service, imported, text
from tests.catalog.workbench import V1, Service, answering, serving
from tests.catalog.workbench import Answer as Served


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
