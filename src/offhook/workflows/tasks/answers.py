"""An answer as the output of a task, as Conductor has it, without the secrets that it was asked with. Pure."""

import base64
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from offhook.catalog.credentials.redaction import HIDDEN, LEAST, redact, redact_bytes, without_beginnings
from offhook.catalog.runs.texts import encoding_of, header
from offhook.kit.egress import Exchange
from offhook.workflows.tasks.values import DEEPEST, too_deep

BINARY = "bodyBase64"
"""The field that holds a body which is no text."""

LONGEST_MS = 86_400_000
"""How long a target may ask to be left alone."""

SHOWN = 300
"""Characters of a body that a reason has."""

_LEVELS = DEEPEST - 2
"""Levels of a body: it stands two deep in an output."""

_PHRASES = {one.value: one.phrase for one in HTTPStatus}
_BOM = b"\xef\xbb\xbf"


class Answer(msgspec.Struct, kw_only=True):
    """What came: `response` for the output, and its body in `raw` with its secrets, to find the next page by."""

    response: dict[str, Any]
    raw: Any
    beginning: str


def answer(done: Exchange, secrets: Sequence[str]) -> Answer:
    """The answer of an exchange that has a status."""
    headers: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for name, value in done.headers:
        name = redact(name, secrets) if secrets else name
        name = known.setdefault(name.lower(), name)
        headers.setdefault(name, []).append(redact(value, secrets) if secrets else value)
    raw, fields, beginning = _body(done, secrets)
    phrase = _PHRASES.get(done.status, "")
    response = {"statusCode": done.status, "reasonPhrase": phrase, "headers": headers, **fields}
    return Answer(response=response, raw=raw, beginning=beginning)


def _body(done: Exchange, secrets: Sequence[str]) -> tuple[Any, dict[str, Any], str]:
    data = done.body.removeprefix(_BOM)
    if not data:
        return None, {"body": None}, ""
    encoding = encoding_of(header(done.headers, "content-type"))
    if done.cut and secrets:
        data = without_beginnings(data, secrets, encoding)
    clean = redact_bytes(data, secrets, encoding) if secrets else data
    text, raw = _read(data, encoding)
    if text is None:
        encoded = base64.b64encode(clean).decode()
        note = f"The body is no text in {encoding}; {BINARY} has its {len(data):,} bytes."
        return None, {"body": None, BINARY: encoded, "note": note}, note
    if isinstance(raw, dict | list) and data.count(b"[") + data.count(b"{") > _LEVELS and too_deep([[raw]]):
        shown = redact(text, secrets) if secrets else text
        note = f"The body is nested in more than {_LEVELS} levels, and is kept as text."
        return raw, {"body": shown, "note": note}, _beginning(shown)
    if clean is data or clean == data:
        return raw, {"body": raw}, _beginning(text)
    cleaned, value = _read(clean, encoding)
    if cleaned is None or (isinstance(value, str) and not isinstance(raw, str)):
        # Without its secrets it is no JSON any more: a number was one, or a secret has quotes.
        cleaned = redact(text, secrets)
        try:
            value = _without(raw, secrets)
        except RecursionError:
            value = cleaned
    return raw, {"body": value}, _beginning(cleaned)


def _read(data: bytes, encoding: str) -> tuple[str | None, Any]:
    """A body as text, None if it is none, and as what it says: JSON, else that text."""
    try:
        text = data.decode(encoding)
    except (UnicodeError, LookupError):
        return None, None
    try:
        return text, msgspec.json.decode(data if encoding == "utf-8" else text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return text, text


def _without(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact(name, secrets): _without(one, secrets) for name, one in value.items()}
    if isinstance(value, list):
        return [_without(one, secrets) for one in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    return HIDDEN if any(secret == text or (len(secret) >= LEAST and secret in text) for secret in secrets) else value


def _beginning(text: str) -> str:
    """The beginning of a body, in one line."""
    line = " ".join(text[: SHOWN * 4].split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def after_ms(done: Exchange, now: float) -> int:
    """Milliseconds that the answer asks to be left alone for, 0 if it does not; `now` are seconds since 1970 UTC."""
    text = header(done.headers, "retry-after").strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text[:12])
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (TypeError, ValueError, IndexError, OverflowError):
            return 0
    return min(max(0, round(seconds * 1000)), LONGEST_MS)
