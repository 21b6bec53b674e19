"""A request as it is edited, and as it is sent. Pure: nothing here calls anybody.

A prepared request may have expressions, `${workflow.input.city}`, which a workflow fills later. To be tried it is given
values for them.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from offhook.kit.errors import Invalid, Violation, shown
from offhook.kit.urls import check_url

MOST_PAIRS = 200
MOST_BODY = 1_000_000
MOST_DEPTH = 100
"""Levels of a body with expressions, and of a value for one."""

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

EXPRESSION = re.compile(r"\$\$\{|\$\{([^{}]{1,300})\}")
"""An expression, or the beginning of one that is escaped by a second dollar."""

_TEMPLATE = re.compile(r"\{([^{}/]+)\}")
_PARTS = re.compile(rf"{EXPRESSION.pattern}|{_TEMPLATE.pattern}")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
_PATH_SAFE = "/%:@!$&'()*+,;=~-._?#"
_MISSING = object()


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name and a value, as text. One that is not `on` is kept and not sent."""

    name: str
    value: str = ""
    on: bool = True


class Prepared(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request before it is sent.

    `api`, `version` and `operation` say which document's operation it was made for, empty if none. `server` is the
    chosen server's address, `path` a template (`/offices/{id}`) behind it, which may say how a value is written as URI
    templates do (RFC 6570): `{.id}`, `{;id}`, and `{id*}` for several, with commas between them. `body` is a JSON text
    where `media` is JSON; a JSON object of fields for forms (urlencoded or multipart); else the text itself. "" is no
    body.
    """

    api: str = ""
    version: str = ""
    operation: str = ""
    method: str = "GET"
    server: str = ""
    path: str = ""
    path_parameters: tuple[Pair, ...] = ()
    query: tuple[Pair, ...] = ()
    headers: tuple[Pair, ...] = ()
    media: str = ""
    body: str = ""
    credential_id: str = ""
    name: str = ""


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it goes out, without what a credential adds. `fields` are those of a multipart body."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    fields: tuple[tuple[str, str], ...] = ()


def media_of(content_type: str) -> str:
    """A media type alone: `application/json` of `Application/JSON; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a body of this Content-Type is JSON."""
    media = media_of(content_type)
    return media in ("application/json", "text/json") or media.endswith("+json")


def is_xml(content_type: str) -> bool:
    """Whether a body of this Content-Type is XML."""
    media = media_of(content_type)
    return media in ("application/xml", "text/xml") or media.endswith("+xml")


def expressions(prepared: Prepared) -> tuple[str, ...]:
    """The expressions that a request asks values for, each once, in the order of reading."""
    pairs = (pair for group in (prepared.path_parameters, prepared.query, prepared.headers) for pair in group)
    texts = [prepared.server, prepared.path, *(pair.value for pair in pairs if pair.on), prepared.body]
    found = (match[1].strip() for text in texts for match in EXPRESSION.finditer(text) if match[1])
    return tuple(dict.fromkeys(found))


def parameters(path: str) -> tuple[str, ...]:
    """The names of the parameters that a path has, in their order."""
    found = (match[2] for match in _PARTS.finditer(path) if match[2] is not None)
    return tuple(dict.fromkeys(_template(one, {})[1] for one in found))


def finished(prepared: Prepared, trial_values: Mapping[str, Any] | None = None) -> Final:
    """The request as it is sent. Invalid lists whatever keeps it from that, by place ("path.id", "headers.X-A").

    `trial_values` are values by expression, as `{"workflow.input.city": "Lisbon"}` or, nested, as
    `{"workflow": {"input": {"city": "Lisbon"}}}`. A JSON text that is nothing but an expression becomes the value with
    its type; within a longer text a value is written out.
    """
    making = _Making(trial_values or {})
    method = prepared.method.upper()
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        making.fault("method", "Must be an HTTP method, such as GET or POST.", prepared.method)
    url = making.url(prepared)
    headers = making.headers(prepared.headers)
    body, media = making.body(prepared)
    if media and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", media))
    if making.found:
        raise Invalid.of(making.found)
    return Final(method=method, url=url, headers=headers, body=body, fields=making.fields)


class _Making:
    """Collects what is wrong while the parts are made."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.found: list[Violation] = []
        self.fields: tuple[tuple[str, str], ...] = ()

    def fault(self, place: str, message: str, sent: str | None = None) -> None:
        self.found.append(Violation(location=place, message=message, sent=None if sent is None else shown(sent)))

    def url(self, prepared: Prepared) -> str:
        before = len(self.found)
        server = self._text(prepared.server, "server").partition("#")[0]
        base, question, own_query = server.partition("?")
        if not prepared.server:
            self.fault("server", "Choose a server, or write its address: https://api.example.com.")
        elif "://" not in base:
            self.fault("server", "Must be a whole address, such as https://api.example.com.", prepared.server)
        elif variable := _TEMPLATE.search(base):
            self.fault("server", f"Write what {variable[0]} stands for.", prepared.server)
        path = self._path(prepared).partition("#")[0]
        pairs = self._pairs(prepared.query, "query")
        query = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in pairs)
        path, _, path_query = path.partition("?")
        query = "&".join(filter(None, (own_query, path_query, query)))
        joined = base.rstrip("/") + ("/" + path.lstrip("/") if path else "/" if base.count("/") == 2 else "")
        url = joined + (f"?{query}" if query or question else "")
        if len(self.found) == before:
            checked, fault = check_url(url, "server")
            if fault is not None:
                self.found.append(fault)
            return checked or ""
        return ""

    def _path(self, prepared: Prepared) -> str:
        values = {pair.name: pair for pair in prepared.path_parameters if pair.on}
        used: set[str] = set()

        def parameter(name: str) -> str:
            used.add(name)
            pair, before = values.get(name), len(self.found)
            text = "" if pair is None else self._text(pair.value, f"path.{name}")
            if not text and len(self.found) == before:
                self.fault(f"path.{name}", "Needs a value: it is a part of the path.")
            return text

        made, end = "", 0
        for match in _PARTS.finditer(prepared.path):
            made += quote(prepared.path[end : match.start()], safe=_PATH_SAFE)
            end = match.end()
            if match[2] is not None:
                way, name, several = _template(match[2], values)
                text, place = parameter(name), f"path.{name}"
                if way or several:
                    text = expanded(way, name, text, several=several)
                    made += text
                    if text in (".", ".."):
                        self.fault(place, "Must not be . or .., which would lead to another path.", text)
                    continue
            elif match[1] is not None:
                text, place = written(self._value(match[1], "path")), "path"
            else:
                text, place = "${", "path"
            made += quote(text, safe="")
            if text in (".", ".."):
                self.fault(place, "Must not be . or .., which would lead to another path.", text)
        path = made + quote(prepared.path[end:], safe=_PATH_SAFE)
        for name in values.keys() - used:
            self.fault(f"path.{name}", f"The path has no {{{name}}}.")
        return path

    def headers(self, pairs: tuple[Pair, ...]) -> tuple[tuple[str, str], ...]:
        made = self._pairs(pairs, "headers")
        for name, value in made:
            if not _TOKEN.fullmatch(name):
                self.fault("headers", "A header's name has letters, digits and hyphens only.", name)
            elif name.lower() in _OURS:
                self.fault(f"headers.{name}", "This header is set by whoever sends the request; leave it out.")
            elif not value.isascii() or any((ord(c) < 32 and c != "\t") or ord(c) == 127 for c in value):
                self.fault(f"headers.{name}", "Must be ASCII, without line ends and control characters.")
        return tuple((name, value.strip()) for name, value in made)

    def _pairs(self, pairs: tuple[Pair, ...], place: str) -> list[tuple[str, str]]:
        chosen = [pair for pair in pairs if pair.on and pair.name]
        if len(chosen) > MOST_PAIRS:
            self.fault(place, f"At most {MOST_PAIRS} are sent; there are {len(chosen)}.")
        return [(pair.name, self._text(pair.value, f"{place}.{pair.name}")) for pair in chosen[:MOST_PAIRS]]

    def body(self, prepared: Prepared) -> tuple[bytes, str]:
        """The bytes, and the Content-Type that goes with them."""
        if not prepared.body:
            return b"", ""
        if len(prepared.body) > MOST_BODY:
            self.fault("body", f"At most {MOST_BODY} characters are sent; there are {len(prepared.body)}.")
            return b"", ""
        media = media_of(prepared.media)
        if media in (FORM, MULTIPART):
            fields = self._form(prepared.body)
            if media == FORM:
                return urlencode(fields).encode(), prepared.media
            self.fields = tuple(fields)
            return _multipart(fields)
        if is_json(media) and EXPRESSION.search(prepared.body):
            return self._json(prepared.body), prepared.media
        text = prepared.body if is_json(media) else self._text(prepared.body, "body")
        return text.encode("utf-8", "surrogatepass"), prepared.media

    def _json(self, text: str) -> bytes:
        value = _decoded(text)
        if value is _MISSING:
            self.fault("body", "Must be JSON, with expressions within quotes.")
            return b""
        return msgspec.json.encode(self._filled(value, "body"))

    def _form(self, text: str) -> list[tuple[str, str]]:
        value = _decoded(text)
        if not isinstance(value, dict):
            self.fault("body", 'Must be a JSON object of the form\'s fields, such as {"name": "Lisbon"}.')
            return []
        fields: list[tuple[str, str]] = []
        for name, one in value.items():
            members = one if isinstance(one, list) else [one]
            fields += [(name, written(self._filled(member, f"body.{name}"))) for member in members]
        return fields

    def _filled(self, value: Any, place: str, depth: int = 0) -> Any:
        if depth > MOST_DEPTH:
            self._too_deep("body")
            return None
        if isinstance(value, dict):
            return {
                self._text(name, place): self._filled(one, f"{place}.{name}", depth + 1) for name, one in value.items()
            }
        if isinstance(value, list):
            return [self._filled(one, f"{place}[{number}]", depth + 1) for number, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        whole = EXPRESSION.fullmatch(value)
        return self._value(whole[1], place) if whole and whole[1] else self._text(value, place)

    def _text(self, text: str, place: str) -> str:
        def put(match: re.Match[str]) -> str:
            return "${" if match[1] is None else written(self._value(match[1], place))

        return EXPRESSION.sub(put, text) if "${" in text else text

    def _value(self, expression: str, place: str) -> Any:
        value = trial_value(self._values, expression.strip())
        if value is _MISSING:
            self.fault(place, f"Give a trial value for ${{{expression}}}.")
            return ""
        if _is_deeper(value, MOST_DEPTH):
            self._too_deep(place)
            return ""
        return value

    def _too_deep(self, place: str) -> None:
        message = f"Has more than {MOST_DEPTH} levels, one within the other."
        if not any(one.location == place and one.message == message for one in self.found):
            self.fault(place, message)


def _template(inner: str, values: Mapping[str, Any]) -> tuple[str, str, bool]:
    """How what stands in braces is written, its name, and whether it is several values."""
    if inner in values:
        return "", inner, False
    way, name = (inner[0], inner[1:]) if inner[0] in ".;" else ("", inner)
    return way, name.removesuffix("*"), name.endswith("*")


def expanded(way: str, name: str, text: str, *, several: bool) -> str:
    """A value in a path as a URI template has it (RFC 6570, 3.2): of "1,2", `{;id*}` makes ";id=1;id=2".

    What are several is written with commas between, members of objects as `name=value`.
    """
    parts = [quote(part, safe="=") for part in text.split(",")] if several else [quote(text, safe=",")]
    if way == ";":
        named = quote(name, safe="")
        return "".join(f";{part}" if several and "=" in part else f";{named}={part}" for part in parts)
    return f".{'.'.join(parts)}" if way == "." else ",".join(parts)


def trial_value(values: Mapping[str, Any], expression: str) -> Any:
    """The value of an expression among those given, by its whole name or step by step."""
    if expression in values:
        return values[expression]
    found: Any = values
    for step in expression.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return _MISSING
        found = found[step]
    return found


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def written(value: Any) -> str:
    """A JSON value within a text: texts as they are, nothing for null, all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _MISSING


def _multipart(fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    joined = "\0".join(f"{name}\0{value}" for name, value in fields)
    boundary = "offhook-" + hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    body = ("".join(parts) + f"--{boundary}--\r\n").encode("utf-8", "surrogatepass")
    return body, f"{MULTIPART}; boundary={boundary}"


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
