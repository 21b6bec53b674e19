"""Which places a credential goes to, and what is taken out of what is kept."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest

from offhook.catalog.credentials import rules
from offhook.catalog.credentials.model import Credential
from offhook.catalog.credentials.redaction import redact, redact_bytes, redact_headers
from offhook.kit.errors import Violation
from offhook.kit.places import Allowed


@pytest.mark.parametrize(
    ("hosts", "url", "fits"),
    [
        (["api.example.com"], "https://api.example.com/x", True),
        (["api.example.com"], "https://API.example.com./x", True),
        (["api.example.com"], "https://api.example.com:8443/x", False),
        (["api.example.com"], "https://api.example.com:443/x", True),
        (["api.example.com:8443"], "https://api.example.com:8443/x", True),
        (["api.example.com:8443"], "https://api.example.com/x", False),
        (["api.example.com"], "https://api.example.com.evil.example/x", False),
        (["api.example.com"], "https://evil.example/?api.example.com", False),
        (["api.example.com"], "https://xapi.example.com/", False),
        (["*.example.com"], "https://a.example.com/", True),
        (["*.example.com"], "https://a.b.example.com/", True),
        (["*.example.com"], "https://example.com/", False),
        (["*.example.com"], "https://evilexample.com/", False),
        (["[::1]:8080"], "http://[::1]:8080/", True),
        (["127.0.0.1:8080"], "http://127.0.0.1:8080/", True),
        ([], "https://api.example.com/", False),
    ],
)
def test_a_credential_fits_the_hosts_that_it_names(hosts: Sequence[str], url: str, fits: bool):
    assert rules.fits(hosts, url) is fits


@pytest.mark.parametrize(
    "hosts",
    [[], ["https://api.example.com"], ["api.example.com/x"], ["*"], ["*.com"], ["a b"], ["*.*.example.com"], ["a@b"],
     ["x:0"], ["x:123456"], ["-x.example"], ["a..b"], [""], ["api.*.com"], ["host"] * 21],
)  # fmt: skip
def test_what_is_no_host_is_refused(hosts: list[str]):
    found: list[Violation] = []
    rules.check_hosts(hosts, found)
    assert found
    assert all(one.location.startswith("hosts") for one in found)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://api.example.com/", True), ("http://api.example.com/", False), ("http://127.0.0.1:9/", True),
        ("http://localhost:9/", True), ("http://[::1]:9/", True), ("http://10.0.0.1/", False),
        ("http://hooks.internal:81/", True), ("http://hooks.internal/", False), ("http://10.9.0.1/", True),
    ],
)  # fmt: skip
def test_secrets_go_by_https_or_to_where_it_is_allowed(url: str, safe: bool):
    assert rules.is_safe(url, Allowed.read("hooks.internal:81, 10.9.0.0/16")) is safe


def credential(**fields: Any) -> Credential:
    return Credential(**({"name": "n", "hosts": ("a.example",), "sealed": "", "kind": "bearer"} | fields))


@pytest.mark.parametrize(
    ("kept", "secrets", "headers", "query"),
    [
        (credential(), {"token": "t"}, (("Authorization", "Bearer t"),), ()),
        (credential(kind="basic", username="me"), {"password": "pä"}, (("Authorization", "Basic bWU6cMOk"),), ()),
        (credential(kind="api_key", parameter="X-Key"), {"value": "v"}, (("X-Key", "v"),), ()),
        (credential(kind="api_key", parameter="key", place="query"), {"value": "v"}, (), (("key", "v"),)),
        (credential(kind="headers", header_names=("A", "B")), {"A": "1", "B": "2"}, (("A", "1"), ("B", "2")), ()),
        (credential(kind="oauth2"), {"client_secret": "s"}, (("Authorization", "Bearer got"),), ()),
    ],
)
def test_each_kind_adds_what_it_is_for(kept: Credential, secrets: dict[str, str], headers: Any, query: Any):
    applied = rules.applied(kept, secrets, "got" if kept.kind == "oauth2" else "")
    assert (applied.headers, applied.query) == (headers, query)
    assert set(secrets.values()) <= set(applied.secrets)


SECRET = 'p@ss/w"ö rd+'


@pytest.mark.parametrize(
    "text",
    [SECRET, "p%40ss%2Fw%22%C3%B6%20rd%2B", "p%40ss%2Fw%22%C3%B6+rd%2B", 'p@ss/w\\"ö rd+',
     base64.b64encode(SECRET.encode()).decode(), f"before {SECRET} and {SECRET} after"],
)  # fmt: skip
def test_a_secret_is_taken_out_in_every_form(text: str):
    found = redact(text, [SECRET])
    assert "***" in found
    assert "ss" not in found
    assert redact_bytes(text.encode(), [SECRET]) == found.encode()


def test_short_secrets_do_not_take_texts_apart():
    assert redact("a banana", ["a"]) == "a banana"
    assert redact("nothing", []) == "nothing"


def test_headers_that_hold_secrets_are_never_shown():
    headers = [
        ("Authorization", "Bearer abc"), ("X-Api-Key", "abc"), ("X-Auth-Token", "abc"), ("Cookie", "a=b"),
        ("Set-Cookie", "session=abc; Path=/"), ("X-Other", "has t0psecret in it"), ("Accept", "a/b"),
        ("Proxy-Authorization", "abc"), ("client_secret", "abc"),
    ]  # fmt: skip
    assert redact_headers(headers, ["t0psecret"]) == (
        ("Authorization", "Bearer ***"), ("X-Api-Key", "***"), ("X-Auth-Token", "***"), ("Cookie", "***"),
        ("Set-Cookie", "session=***; Path=/"), ("X-Other", "has *** in it"), ("Accept", "a/b"),
        ("Proxy-Authorization", "***"), ("client_secret", "***"),
    )  # fmt: skip
