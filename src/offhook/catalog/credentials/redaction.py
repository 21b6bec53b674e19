"""Takes secrets out of what is kept or shown: of texts, of bodies, of headers. Pure."""

import base64
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html.entities import codepoint2name
from urllib.parse import parse_qsl, quote_from_bytes, urlsplit

HIDDEN = "***"
LEAST = 4
"""Characters of a secret that is looked for within texts; shorter ones, which would take whole texts apart, go where
they are a whole value."""
_LEAST_ENCODED = 6
"""Signs of a secret within base64 that are looked for."""

_ALWAYS = re.compile(
    r"authorization|proxy-authorization|cookie|(?:.*[-_])?(?:api[-_]?key|token|secret|password|apikey)", re.IGNORECASE
)
_COOKIE = re.compile(r"^([^=;]*=)[^;]*")
_ADDRESSES = frozenset({"location", "content-location", "refresh"})
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_CONTROLS = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, in any of the forms in which they travel."""
    for pattern in _patterns(secrets):
        text = re.sub(pattern, HIDDEN, text)
    return text


def redact_bytes(body: bytes, secrets: Iterable[str], encoding: str = "utf-8") -> bytes:
    """The same of a body, by the encoding that it says it has and by those in which it may be besides."""
    patterns = _patterns(secrets)
    for pattern in patterns:
        body = re.sub(pattern.encode("utf-8", "surrogatepass"), HIDDEN.encode(), body)
    if not patterns:
        return body
    # Wide characters have zeros in them, so that nothing was found yet.
    wide = _WIDE if b"\0" in body else ()
    for name in (encoding, *wide):
        body = _redacted_as(body, patterns, name)
    return body


def _redacted_as(body: bytes, patterns: Sequence[str], encoding: str) -> bytes:
    if encoding.replace("_", "-").lower() in ("utf-8", "utf8", "ascii", "us-ascii"):
        return body
    try:
        text = body.decode(encoding, "replace")
    except (UnicodeError, LookupError):
        return body
    clean = text
    for pattern in patterns:
        clean = re.sub(pattern, HIDDEN, clean)
    return body if clean == text else clean.encode(encoding, "replace")


def redact_headers(
    headers: Sequence[tuple[str, str]], secrets: Iterable[str], private: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Headers without the secrets, nor the values of those that are there to hold one; of cookies the names stay.

    Addresses in them are shown as `shown_url` shows them.
    """
    secrets, private = tuple(secrets), tuple(private)
    return tuple(
        (name, shown_url(value, secrets, private))
        if name.lower() in _ADDRESSES
        else (name, _value(name, redact(value, secrets)))
        for name, value in headers
    )


def shown_url(url: str, secrets: Iterable[str], private: Iterable[str] = ()) -> str:
    """An address without secrets, nor the values of parameters that are named in `private` or as secrets are."""
    private = set(private)
    try:
        query = urlsplit(url).query
        hidden = any(is_private(name) or name in private for name, _ in parse_qsl(query, keep_blank_values=True))
    except ValueError:
        query, hidden = "", False
    if hidden:
        pairs = [part.partition("=") for part in query.split("&")]
        named = [(name, value, dict(parse_qsl(f"{name}=x"))) for name, _, value in pairs]
        written = "&".join(
            f"{name}={HIDDEN if any(is_private(one) or one in private for one in plain) else value}"
            for name, value, plain in named
        )
        url = url.replace(f"?{query}", f"?{written}", 1)
    return redact(url, secrets)


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


@lru_cache(maxsize=64)
def _pattern(form: str) -> str:
    """An expression for a text in which each character stands as itself or in one of the ways to escape it."""
    signs = "".join(_sign(one) for one in form)
    if len(form) < LEAST:
        return rf"""(?:(?<=[=:>"'])|(?<=[:,] )|(?<![\s\S])){signs}(?=["'&<;,}}\]\r\n]|(?![\s\S]))"""
    return signs


def _sign(one: str) -> str:
    # Each way begins with a character of its own, by which the expression skips quickly what is none of them.
    ways = [re.escape(one), rf"\\{{1,4}}{re.escape(one)}"]
    units = one.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    ways.append("".join(rf"\\{{1,4}}u{_either(pair)}" for pair in pairs))
    ways.append("".join(f"%(?:25){{0,2}}{_either(f'{byte:02x}')}" for byte in one.encode("utf-8", "surrogatepass")))
    ways.append(f"&#(?:0{{0,4}}{ord(one)}|[xX]0{{0,4}}{_either(f'{ord(one):x}')});")
    if ord(one) < 128:
        ways.append(rf"\\{{1,4}}x{_either(f'{ord(one):02x}')}")
    if ord(one) in codepoint2name:
        ways.append(f"&{codepoint2name[ord(one)]};")
    if one == "'":
        ways.append("&apos;")
    if one in _CONTROLS:
        ways.append(rf"\\{{1,4}}{_CONTROLS[one]}")
    if one == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"


def _either(digits: str) -> str:
    """Hexadecimal digits in either case."""
    return "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in digits)


def _patterns(secrets: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for secret in filter(None, secrets):
        whole = {secret}
        if len(secret) >= LEAST:
            raw = secret.encode("utf-8", "surrogatepass")
            whole |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
            for one in {raw, quote_from_bytes(raw, safe="").encode()}:
                found |= _encoded(one)
        # What fills up base64 at its end is left off by some.
        forms = whole | {form.rstrip("=") for form in whole if len(form.rstrip("=")) >= LEAST}
        found |= {form: _pattern(form) for form in forms}
    # A form that holds another goes first.
    return [found[form] for form in sorted(found, key=len, reverse=True)]


@lru_cache(maxsize=64)
def _encoded(raw: bytes) -> dict[str, str]:
    """The forms of a secret within longer texts that were encoded as a whole, with their expressions."""
    found = {raw.hex(): f"(?i:{raw.hex()})"}
    for shift, begins in ((0, 0), (1, 2), (2, 3)):
        # Signs that hold bits of what is around the secret are none of its own.
        ends = (shift + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(bytes(shift) + raw).decode()[begins:ends]
            if len(form) >= _LEAST_ENCODED:
                found[form] = "".join(one if one.isalnum() else _sign(one) for one in form)
    return found
