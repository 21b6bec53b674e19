"""How the caller of a hook shows that it knows the secret. Pure; comparisons take the same time whatever is sent.

- A token is the secret itself, in `Authorization: Bearer ...` or `Offhook-Hook-Secret`.
- `Offhook-Signature: t=<seconds since 1970>,v1=<hex>` is the HMAC-SHA256 of `<t>.<body>`, good for five minutes.
- `X-Hub-Signature-256: sha256=<hex>` is the HMAC-SHA256 of the body, as GitHub sends it; it has no time in it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

TOLERANCE_SECONDS = 300

SECRET_HEADER = "offhook-hook-secret"  # noqa: S105 - a header's name
SIGNATURE_HEADER = "offhook-signature"
HUB_HEADER = "x-hub-signature-256"

_PART = re.compile(r"(t|v1)=([0-9a-fA-F]{1,64})")
_HEX = re.compile(r"[0-9a-f]{64}")
MOST_SIGNATURES = 8


def digest(token: str) -> str:
    """What is kept of a token: with 256 random bits it needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def token_of(headers: Mapping[str, str]) -> str:
    """The token that a request was sent with; "" if none. Names of headers are in lower case."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get(SECRET_HEADER, "").strip()


def token_fits(headers: Mapping[str, str], kept: str) -> bool:
    """Whether the token of a request is the one whose digest is kept."""
    return hmac.compare_digest(digest(token_of(headers)), kept)


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of `Offhook-Signature` for a body that is sent at a moment, in seconds since 1970."""
    return f"t={at},v1={_hmac(secret, b'%d.' % at + body)}"


def signed(headers: Mapping[str, str], secret: str, body: bytes, now: float) -> bool:
    """Whether one of the signatures of a request is good at `now`, in seconds since 1970.

    A request may have several, while its secret is being changed.
    """
    good, at = good_signature(headers, secret, body)
    return bool(good) and abs(now - at) <= TOLERANCE_SECONDS


def good_signature(headers: Mapping[str, str], secret: str, body: bytes) -> tuple[str, int]:
    """The signature that is good, whatever else is sent along, and the time in it; ("", 0) if none is."""
    parts = [found for one in headers.get(SIGNATURE_HEADER, "").split(",")[: MOST_SIGNATURES + 1]
             if (found := _PART.fullmatch(one.strip()))]  # fmt: skip
    times = [one[2] for one in parts if one[1] == "t"]
    if len(times) != 1 or not times[0].isdigit() or len(times[0]) > 12:
        return "", 0
    wanted = _hmac(secret, times[0].encode() + b"." + body)
    good = False
    for one in parts:
        good |= one[1] == "v1" and _equal(one[2].lower(), wanted)
    return (wanted, int(times[0])) if good else ("", 0)


def hub_signed(headers: Mapping[str, str], secret: str, body: bytes) -> bool:
    """The same for GitHub's signature."""
    scheme, _, sent = headers.get(HUB_HEADER, "").strip().partition("=")
    return _equal(sent.lower(), _hmac(secret, body)) and scheme == "sha256"


def _hmac(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode("utf-8", "surrogateescape"), content, hashlib.sha256).hexdigest()


def _equal(sent: str, wanted: str) -> bool:
    return _HEX.fullmatch(sent) is not None and hmac.compare_digest(sent, wanted)
