"""Takes secrets out of what is kept or shown: of texts, of bodies, of headers. Pure."""

import base64
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, quote_plus

import msgspec

HIDDEN = "***"
LEAST = 4
"""Characters of a secret that is looked for in texts: shorter ones would take whole texts apart."""

_ALWAYS = re.compile(
    r"authorization|proxy-authorization|cookie|(?:.*[-_])?(?:api[-_]?key|token|secret|password|apikey)", re.IGNORECASE
)
_COOKIE = re.compile(r"^([^=;]*=)[^;]*")


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, in any of the forms in which they travel."""
    for form in _forms(secrets):
        if form in text:
            text = text.replace(form, HIDDEN)
    return text


def redact_bytes(body: bytes, secrets: Iterable[str]) -> bytes:
    """The same of a body."""
    for form in _forms(secrets):
        raw = form.encode("utf-8", "surrogatepass")
        if raw in body:
            body = body.replace(raw, HIDDEN.encode())
    return body


def redact_headers(headers: Sequence[tuple[str, str]], secrets: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Headers without the secrets, nor the values of those that are there to hold one; of cookies the names stay."""
    secrets = tuple(secrets)
    return tuple((name, _value(name, redact(value, secrets))) for name, value in headers)


def is_private(name: str) -> bool:
    """Whether a header or parameter of this name is there to hold a secret."""
    return _ALWAYS.fullmatch(name) is not None


def _value(name: str, value: str) -> str:
    if name.lower() == "set-cookie":
        return _COOKIE.sub(rf"\g<1>{HIDDEN}", value)
    if not is_private(name):
        return value
    scheme, space, rest = value.partition(" ")
    return f"{scheme} {HIDDEN}" if space and rest and name.lower().endswith("authorization") else HIDDEN


def _forms(secrets: Iterable[str]) -> list[str]:
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) < LEAST:
            continue
        raw = secret.encode("utf-8", "surrogatepass")
        forms |= {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
        forms |= {msgspec.json.encode(secret.encode("utf-8", "replace").decode()).decode()[1:-1]}
        forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    # A form that holds another goes first.
    return sorted(forms, key=len, reverse=True)
