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
_UNITS = dict.fromkeys(("utf-16", "utf-16-le", "utf-16-be"), 2) | dict.fromkeys(("utf-32", "utf-32-le", "utf-32-be"), 4)
_ESCAPING = "\\%&+"
_MOST_STEPS = 500_000
_BEGUN = re.compile(
    r"\\{1,5}(?:[xu][0-9a-fA-F]{0,4}(?:\\{1,4}(?:u[0-9a-fA-F]{0,4})?)?)?|(?:%[0-9a-fA-F]{0,6}){1,4}|"
    r"&(?:#[xX]?[0-9a-fA-F]{0,10}|[A-Za-z]{0,10})|[\udc80-\udcff]{1,3}"
)
"""An escaped character, or one of several bytes, as far as it came."""

_CONTROLS = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, in any of the forms in which they travel."""
    for pattern in _patterns(secrets):
        text = re.sub(pattern, HIDDEN, text)
    return text


def redact_bytes(body: bytes, secrets: Iterable[str], encoding: str = "utf-8") -> bytes:
    """The same of a body, by the encoding that it says it has and by those in which it may be besides."""
    secrets = tuple(secrets)
    patterns = _patterns(secrets)
    for pattern in patterns:
        body = re.sub(pattern.encode("utf-8", "surrogatepass"), HIDDEN.encode(), body)
    if not patterns:
        return body
    # Wide characters have zeros in them, so that nothing was found yet.
    wide = _WIDE if b"\0" in body and _may_be_wide(body, secrets, patterns) else ()
    for name in (encoding, *wide):
        body = _redacted_as(body, patterns, name)
    return body


def _may_be_wide(body: bytes, secrets: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether a secret may stand in wide characters: without their zeros, it stands there in plain ones."""
    if any(ord(one) > 255 for secret in secrets for one in secret):
        return True
    narrow = body.translate(None, b"\0").decode("latin-1")
    return any(re.search(pattern, narrow) for pattern in patterns)


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


def without_beginnings(body: bytes, secrets: Iterable[str], encoding: str = "utf-8") -> bytes:
    """A body that was cut off somewhere, without what is a secret's beginning, in any of its forms, at its end.

    Where that would take too long to tell, as many bytes go as a secret may take.
    """
    forms = _forms(secrets)
    if not forms or not body:
        return body
    named = encoding.replace("_", "-").lower()
    body = body[: len(body) - len(body) % _UNITS.get(named, 1)]
    # By their plain names, utf-16 and utf-32 begin with a mark, which a part has not: one of the four is the same.
    names = [named] if named not in ("utf-16", "utf-32") else []
    for name in dict.fromkeys(("utf-8", *names, *(_WIDE if b"\0" in body else ()))):
        body = body[: len(body) - _beginning(body, forms, name)]
    return body


def _beginning(body: bytes, forms: Sequence[str], encoding: str) -> int:
    """How many bytes at the end are the beginning of one of the forms."""
    unit = _UNITS.get(encoding, 1)
    most = max(map(_longest, forms)) * unit
    rest = len(body) % unit
    start = max(0, len(body) - rest - most)
    part = body[start : len(body) - rest]
    try:
        text = part.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    except (UnicodeError, LookupError):
        return 0
    found = _begun_at(text, forms)
    if found == len(text):
        return 0
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    return len(text[found:].encode(encoding, errors)) + rest


def _begun_at(text: str, forms: Sequence[str]) -> int:
    """Where the first beginning of a form begins that goes on to the end of the text; its length if there is none."""
    first, steps = len(text), 0
    for form in forms:
        for start in range(max(0, len(text) - _longest(form)), first):
            if text[start] != form[0] and text[start] not in _ESCAPING and not "\udc80" <= text[start] <= "\udcff":
                continue
            ends = {start}
            for one in form:
                steps += len(ends)
                if any(end == len(text) or _BEGUN.fullmatch(text, end) for end in ends):
                    break
                ends = {match.end() for end in ends for way in _compiled(one) if (match := way.match(text, end))}
                if not ends:
                    break
            else:
                ends &= {len(text)}
            if steps > _MOST_STEPS:
                return 0
            if ends:
                first = start
                break
    return first


def _longest(form: str) -> int:
    """Characters that a form may take, each in the longest way to escape it."""
    return len(form) * (10 if form.isascii() else 28)


@lru_cache(maxsize=1024)
def _compiled(one: str) -> tuple[re.Pattern[str], ...]:
    # A backslash itself may be written by any number of them.
    ways = [rf"\\{{{count}}}" for count in range(1, 6)] if one == "\\" else []
    return tuple(re.compile(way) for way in (*ways, *_ways(one)))


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
    return f"(?:{'|'.join(_ways(one))})"


def _ways(one: str) -> list[str]:
    """Expressions for a character as itself, and as each way to escape it."""
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
    return ways


def _either(digits: str) -> str:
    """Hexadecimal digits in either case."""
    return "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in digits)


def _patterns(secrets: Iterable[str]) -> list[str]:
    """Expressions for the secrets as they travel; one for a text that holds another stands before it."""
    plain = _plain(secrets)
    found = {form: _coded(form) for secret in plain for form in _codes(secret)}
    found |= {secret: _pattern(secret) for secret in plain}
    return [found[form] for form in sorted(found, key=len, reverse=True)]


def _forms(secrets: Iterable[str]) -> list[str]:
    """The secrets as they travel, in the same order."""
    plain = _plain(secrets)
    return sorted({*plain, *(form for secret in plain for form in _codes(secret))}, key=len, reverse=True)


def _plain(secrets: Iterable[str]) -> set[str]:
    """The secrets as they are. What fills up base64 at its end, which some are, is left off by some."""
    known = set(filter(None, secrets))
    return known | {one.rstrip("=") for one in known if len(one.rstrip("=")) >= LEAST}


@lru_cache(maxsize=256)
def _codes(secret: str) -> tuple[str, ...]:
    """A secret in hexadecimal digits and in base64, alone and in the midst of what is encoded with it.

    Of base64 what stands for the secret alone, wherever in a group of three bytes it begins.
    """
    if len(secret) < LEAST:
        return ()
    forms: set[str] = set()
    plain = secret.encode("utf-8", "surrogatepass")
    for raw in {plain, quote_from_bytes(plain, safe="").encode()}:
        forms |= {raw.hex(), raw.hex().upper()}
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(raw).decode()
            forms |= {whole, whole.rstrip("=")}
            for before in range(3):
                text = encode(b"\0" * before + raw).decode()
                forms.add(text[-(-before * 4 // 3) : (before + len(raw)) * 4 // 3])
    return tuple(form for form in forms if len(form) >= LEAST)


@lru_cache(maxsize=1024)
def _coded(form: str) -> str:
    """An expression for a code: its letters and digits are escaped by nobody."""
    return "".join(one if one.isalnum() else _sign(one) for one in form)
