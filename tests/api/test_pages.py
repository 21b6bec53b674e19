"""The web pages of a server: the reference, in several pages that a phone can show."""

import pytest

from tests.api.desk import Company

LARGEST = 500_000
"""Bytes of HTML that a page may have: a browser has it laid out within half a second or so."""


def test_every_page_of_the_reference_is_there_and_none_is_too_large(embedded: Company):
    index = embedded.live.get("/docs").response
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in index.headers["content-security-policy"]
    tags = {tag["name"] for tag in embedded.live.get("/openapi.json").json["tags"]}
    pages = {line.split('"')[1] for line in index.text.split("<h2><a href=")[1:]}
    assert len(pages) == len(tags) >= 20
    for path in pages:
        page = embedded.live.get(path).response
        assert page.status_code == 200, path
        assert len(page.content) < LARGEST, path
    assert len(index.content) < LARGEST / 2


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/offices/x", "/docs/assets", "/docs/assets/nothing.css"])
def test_a_page_that_is_not_there_is_404(embedded: Company, path: str):
    assert embedded.live.get(path).status == 404


def test_a_page_is_sent_plain_to_who_cannot_unpack_it(embedded: Company):
    plain = embedded.live.get("/docs/users", headers={"accept-encoding": "identity"}).response
    packed = embedded.live.get("/docs/users", headers={"accept-encoding": "gzip"}).response
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    assert embedded.live.get("/").response.content == embedded.live.get("/docs").response.content


def test_what_a_page_loads_has_its_type(embedded: Company):
    for name, media in (("reference.css", "text/css"), ("reference.js", "text/javascript")):
        found = embedded.live.get(f"/docs/assets/{name}").response
        assert (found.status_code, found.headers["content-type"]) == (200, f"{media}; charset=utf-8")
