"""Signatures of hooks, against examples that were computed elsewhere."""

import pytest

from offhook.workflows.triggers import signing

SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
HUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""The example in GitHub's documentation."""

NOW = 1_782_000_000


def test_github_s_own_example():
    assert signing.hub_signed({"x-hub-signature-256": f"sha256={HUB}"}, SECRET, BODY)


@pytest.mark.parametrize(
    "sent", ["", HUB, f"sha1={HUB}", f"sha256={HUB[:-1]}", f"sha256={HUB[:-1]}8", f"sha256={HUB}{HUB}", "sha256=é"]
)
def test_what_is_no_signature_of_github(sent: str):
    assert not signing.hub_signed({"x-hub-signature-256": sent}, SECRET, BODY)


def test_a_signature_with_its_time():
    made = signing.signature(SECRET, BODY, NOW)
    # printf '1782000000.Hello, World!' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"
    assert made == f"t={NOW},v1=11da09352ac8068971d10ce6573a0f5e91e073c11b446449484a22a831e1e25a"
    headers = {"offhook-signature": made}
    assert signing.signed(headers, SECRET, BODY, NOW)
    assert signing.signed(headers, SECRET, BODY, NOW + 300)
    assert signing.signed(headers, SECRET, BODY, NOW - 300)
    assert not signing.signed(headers, SECRET, BODY, NOW + 301)
    assert not signing.signed(headers, SECRET, BODY, NOW - 301)
    assert not signing.signed(headers, SECRET, BODY + b" ", NOW)
    assert not signing.signed(headers, SECRET + "x", BODY, NOW)


def test_one_good_signature_of_several_is_enough_and_is_always_the_same():
    good = signing.signature(SECRET, BODY, NOW)
    other = signing.signature("another secret of theirs", BODY, NOW).partition(",")[2]
    found = signing.good_signature({"offhook-signature": good}, SECRET, BODY)
    assert found[0]
    for sent in (f"{good},{other}", f" {other} , {good}", good.upper().replace("T=", "t=").replace("V1", "v1")):
        assert signing.good_signature({"offhook-signature": sent}, SECRET, BODY) == found


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "t=,v1=",
        f"t={NOW}",
        "v1=00",
        f"t={NOW},t={NOW - 1},v1=00",
        "t=99999999999999,v1=00",
        f"t={NOW},v1=zz",
        f"t=ab,v1={HUB}",
        "," * 10_000,
    ],
)
def test_what_is_no_signature(sent: str):
    assert not signing.signed({"offhook-signature": sent}, SECRET, BODY, NOW)


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"authorization": "Bearer s3"}, True),
        ({"authorization": "bearer  s3 "}, True),
        ({"offhook-hook-secret": "s3"}, True),
        ({"authorization": "Basic s3"}, False),
        ({"authorization": "Bearer s4", "offhook-hook-secret": "s3"}, False),
        ({"offhook-hook-secret": "s"}, False),
        ({"offhook-hook-secret": "\udcff"}, False),
        ({}, False),
    ],
)
def test_tokens(headers: dict[str, str], fits: bool):
    assert signing.token_fits(headers, signing.digest("s3")) is fits
