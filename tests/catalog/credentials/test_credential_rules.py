"""Which places a credential goes to, and what is taken out of what is kept."""

import base64
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from offhook.catalog.credentials import rules
from offhook.catalog.credentials.model import Credential
from offhook.catalog.credentials.redaction import (
    HIDDEN,
    redact,
    redact_bytes,
    redact_headers,
    shown_url,
    without_beginnings,
)
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


@pytest.mark.parametrize("secret", [SECRET, "sk_live_51HcÿÿÿSecret~?>"])
@pytest.mark.parametrize("before", ["", "u", "me", "us:", "user"])
@pytest.mark.parametrize("after", ["", "x", "yz", "zzz"])
def test_a_secret_is_taken_out_of_what_is_encoded_with_it(secret: str, before: str, after: str):
    raw = f"{before}{secret}{after}".encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(raw).decode()
        for text in (f'{{"x": "{encoded}"}}', f'{{"x": "{encoded.rstrip("=")}"}}', quote(encoded, safe="")):
            found = redact(text, [secret])
            assert "***" in found
            # At most the two letters stay that other bytes have a part in.
            assert len(found) <= len(text) - len(encode(secret.encode()).rstrip(b"=")) + 2 + len("***")
            assert redact_bytes(text.encode("utf-16-le"), [secret]).decode("utf-16-le") == found
    for digits in (raw.hex(), raw.hex().upper()):
        hidden = redact(digits, [secret])
        assert hidden.lower() == f"{before.encode().hex()}***{after.encode().hex()}"


def test_an_encoded_secret_that_a_body_was_cut_in_leaves_nothing():
    secret = "sk_live_51HcSecret"
    for encoded in (secret.encode().hex(), base64.b64encode(b"u:" + secret.encode()).decode()[3:]):
        for length in range(1, len(encoded)):
            left = _kept(f"echo: {encoded[:length]}".encode(), [secret], "utf-8").decode()
            assert left.removeprefix("echo: ") in ("", "***", f"***{encoded[length - 1]}")


ODD = "ab/cd+ef=="
PAIR = base64.b64encode(f"me:{ODD}".encode()).decode()


@pytest.mark.parametrize(
    "text",
    [ODD, r"ab\/cd+ef==", r"ab/cd+ef\u003d\u003d", r"ab/cd+ef\u003D\u003D", r"ab\\/cd\\u002bef==", "ab%2fcd%2bef%3d%3d",
     "ab%2Fcd%2Bef%3D%3D", "ab%252fcd%252bef%253d%253d", "ab&#x2F;cd&#43;ef&#61;=", PAIR, PAIR.rstrip("="),
     PAIR.replace("=", r"\u003d"), PAIR.replace("=", "%3d")],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "shift_jis", "latin-1"])
def test_a_secret_is_taken_out_however_it_is_escaped_and_encoded(text: str, encoding: str):
    whole = f'{{"é": 1, "echo": "{text}"}}'.replace("é", "x" if encoding == "shift_jis" else "é")
    found = redact(whole, [ODD, PAIR])
    assert '"echo": "***' in found
    assert "ab" not in found
    for named in (encoding, "utf-8"):
        body = redact_bytes(whole.encode(encoding), [ODD, PAIR], named).decode(encoding)
        assert '"echo": "***' in body
        assert text[:8] not in body


def _kept(body: bytes, secrets: list[str], encoding: str) -> bytes:
    """What is kept of a body that was cut off."""
    clean = redact_bytes(without_beginnings(body, secrets, encoding), secrets, encoding)
    return without_beginnings(clean, secrets, encoding)


@pytest.mark.parametrize(
    "text",
    [SECRET, "p%40ss%2Fw%22%C3%B6%20rd%2B", "p%2540ss%252fw%2522%25c3%25b6+rd%252b", r'p@ss\/w\"\u00f6 rd\u002b',
     r"p@ss\\/w\\\"\\u00F6 rd+", "p&#64;ss&#x2f;w&quot;&ouml; rd&#43;", base64.b64encode(SECRET.encode()).decode()],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "latin-1"])
def test_nothing_of_a_secret_stays_where_a_body_was_cut_in_it(text: str, encoding: str):
    before = "\N{POUND SIGN}0, 1.".encode(encoding)
    body, length = before + text.encode(encoding), len("x".encode(encoding))
    for end in range(len(before), len(body)):
        kept = _kept(body[:end], [SECRET], encoding)
        assert kept in (before, before + "***".encode(encoding)), (end, kept)
    assert _kept(body, [SECRET], encoding) in (before, before + "***".encode(encoding))
    # What is no beginning stays, to the last whole character.
    other = before + "*?!".encode(encoding)
    assert _kept(other, [SECRET], encoding) == other
    assert len(_kept(other[:-1], [SECRET], encoding)) == len(other) - length


@pytest.mark.parametrize("secrets", [["abcd", "abcdefgh"], ["abab"], ["\\\\a\\b"], ["aaaa", "ab\\u0061b"]])
def test_secrets_that_repeat_themselves_or_begin_alike_are_cut_off_too(secrets: list[str]):
    for secret in secrets:
        for text in (secret, secret + secret, secret.replace("\\", "\\\\"), secret[:3] + secret):
            for end in range(1, len(text) + 1):
                kept = _kept(b"1. " + text[:end].encode(), secrets, "utf-8").decode()
                assert set(kept) <= set("1. *"), (text[:end], kept)


def test_cutting_off_is_quick_and_then_cuts_more():
    begun = time.thread_time()
    assert len(without_beginnings(b"a" * 200_000, ["a" * 8_000 + "b"])) < 200_000 - 8_000
    assert without_beginnings(b"a." * 2_500_000, ["ab" * 4_000, PAIR]) == b"a." * 2_500_000
    assert time.thread_time() - begun < 5


def test_addresses_are_shown_without_the_parameters_of_a_credential():
    location = "/there?odd=a%2f&x=1&o%64d=zz"
    assert shown_url(location, ["a/"], ["odd"]) == "/there?odd=***&x=1&o%64d=***"
    assert redact_headers([("Location", location)], [], ["odd"]) == (("Location", "/there?odd=***&x=1&o%64d=***"),)
    assert shown_url("http://[x?odd=word-word", ["word-word"], ["odd"]) == "http://[x?odd=***"


def test_taking_out_is_quick():
    begun = time.perf_counter()
    redact_bytes(b"aaaa\\\\\\\\%25%25&&" * 250_000, ["aaaaaaab", PAIR])
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "abc", "b": "abcd", "c": "x abc"}', '{"a": "***", "b": "abcd", "c": "x abc"}'),
        ("?a=abc&b=abcd", "?a=***&b=abcd"),
        ("abc", "***"),
    ],
)
def test_short_secrets_go_where_they_are_whole_values(text: str, expected: str):
    assert redact(text, ["abc"]) == expected
    assert redact_bytes(text.encode(), ["abc"]) == expected.encode()


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


@pytest.mark.parametrize("around", ["", "a", "ab", "abc", "Authorization: Bearer "])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_taken_out_of_base64_of_what_it_stands_in(around: str, encode: Callable[[bytes], bytes]):
    secret = "s3cr3t>>>w?rd~42"
    text = encode(f"{around}{secret}\r\n tail".encode()).decode()
    clean = redact(f'{{"x": "{text}"}}', [secret])
    assert clean.count(HIDDEN) == 1
    whole = len(secret) * 8 // 6
    assert len(text) - len(clean.removeprefix('{"x": "').removesuffix('"}').replace(HIDDEN, "")) >= whole - 1


def test_a_secret_is_taken_out_of_hexadecimal_digits():
    secret = "s3cr3t-word/42"
    for text in (secret.encode().hex(), secret.encode().hex().upper(), quote(secret, safe="").encode().hex()):
        assert redact(f"ff{text}00", [secret]) == f"ff{HIDDEN}00"
        assert redact_bytes(f"ff{text}00".encode(), [secret]) == f"ff{HIDDEN}00".encode()


def test_zeros_without_end_are_looked_through_quickly():
    """As a small packed answer may come to."""
    secrets = ["sk_live_51Hc0ffee-Secret/Value9", PAIR]
    begun = time.thread_time()
    assert redact_bytes(b"\0" * 5_000_000, secrets) == b"\0" * 5_000_000
    assert time.thread_time() - begun < 1
    hidden = redact_bytes(b"\0" * 1000 + "日本sécret".encode("utf-16-be"), ["日本sécret"])
    assert hidden.decode("utf-16-be").endswith("\0***")
