"""The request of an HTTP task as it is sent, read from the task's resolved input. Pure.

The definition was checked before (definitions/http.py); here expressions have become values, which may be anything.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import msgspec

from offhook.kit.errors import shown
from offhook.kit.urls import check_url
from offhook.workflows.definitions.http import METHODS, MOST_BYTES, MOST_TIMEOUT, REPEATED_WITH_CARE
from offhook.workflows.expressions.templates import ExpressionError, with_secrets
from offhook.workflows.machine.model import MOST_OUTPUT
from offhook.workflows.tasks.pages import Pages, pages_of
from offhook.workflows.tasks.secrets import Secrets
from offhook.workflows.tasks.values import Wrong, flag, json_bytes, number

TIMEOUT_MS = 3_000
"""For the connection, and for the answer, each, unless the task says otherwise; as a stock Conductor has it."""

READ = 4 * MOST_OUTPUT
"""Bytes of an answer that are read unless the task says fewer: of what has more, nothing fits into an output."""

KEY_HEADER = "Idempotency-Key"
FORM = "application/x-www-form-urlencoded"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_AUTHORITY = re.compile(r"\s*([A-Za-z]+://[^/?#\s\\]*)(.*?)\s*", re.DOTALL)
_KEPT = "%/:?#[]@!$&'()*+,;=~-._\\"
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "keep-alive"}
)
_FOR_ALL = frozenset({"accept", "accept-language", "accept-encoding", "content-type", "user-agent", "range"})
"""Headers that say nothing of who asks, and go along with a redirect to another place."""

_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.IGNORECASE | re.ASCII)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, whole but for what a credential adds.

    `connect` and `seconds` bound the making of a connection, and all of one request with its redirects. `most` bounds
    the bytes of all answers. `accepted` are ranges of statuses that complete the task beside 2xx, `final` those that
    fail it for good. `private` are headers, in lower case, that go to no other place than the first; `bound` says that
    the body does not either. `secrets` are the texts that must not be shown of what came of it.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connect: float
    seconds: float
    most: int
    redirects: bool
    accepted: tuple[tuple[int, int], ...]
    final: tuple[tuple[int, int], ...]
    credential: str
    retry_after: bool
    asynchronous: bool
    key_header: str
    rate: tuple[int, int] | None
    at_once: int
    pages: Pages | None
    private: frozenset[str]
    bound: bool
    secrets: tuple[str, ...]

    def accepts(self, status: int) -> bool:
        """Whether an answer of this status completes the task."""
        return 200 <= status <= 299 or any(least <= status <= most for least, most in self.accepted)

    def ends(self, status: int) -> bool:
        """Whether an answer of this status, which does not complete the task, fails it for good."""
        return any(least <= status <= most for least, most in self.final)


def asked(tenant_id: int, given: Any, template: Any, secrets: Secrets) -> Asked:
    """The request of a task's input, with its secrets; Wrong if it cannot be sent as it is.

    `template` is the input as the definition has it: only where that asks for a secret is one put in. Text of the data
    that names one is not sent, as whoever gets it could not tell what is wrong.
    """
    if not isinstance(given, dict):
        raise Wrong("The input is no object with uri and method.")
    request, template = _request(given, template)
    used: list[str] = []

    def put(name: str) -> tuple[Any, bool]:
        value = request.get(name)
        if value is None:
            return None, False
        by = template if template is msgspec.UNSET else template.get(name) if isinstance(template, dict) else None
        try:
            value, those = with_secrets(
                value, lambda one: secrets(tenant_id, one), template=by, place=name, refuse=True
            )
        except ExpressionError as error:
            raise Wrong(f"{error}") from None
        used.extend(those.values())
        return value, bool(those)

    url = _url(put("uri")[0])
    host = urlsplit(url).hostname or ""
    method = _method(request.get("method"))
    body, bound = put("body")
    own, _ = put("headers")
    headers = _headers(own)
    names = {name.lower() for name, _ in headers}
    content_type = _content_type(request.get("contentType"), headers)
    content = _content(body, content_type)
    if "accept" not in names:
        headers.append(("Accept", _accept(request.get("accept"))))
    if content and "content-type" not in names:
        headers.append(("Content-Type", content_type))
    connect = _milliseconds(request, "connectionTimeOut")
    key_header = _key_header(request.get("idempotencyKey"), method)
    return Asked(
        method=method,
        url=url,
        headers=tuple(headers),
        body=content,
        connect=connect,
        seconds=connect + _milliseconds(request, "readTimeOut"),
        most=number(request.get("maxBytes"), "maxBytes", 1, MOST_BYTES, READ),
        redirects=flag(request.get("followRedirects"), "followRedirects", unless=True),
        accepted=_statuses(request, "acceptedStatusCodes"),
        final=_statuses(request, "finalStatusCodes"),
        credential=_credential(request.get("credential")),
        retry_after=flag(request.get("retryAfter"), "retryAfter", unless=True),
        asynchronous=flag(request.get("asyncComplete"), "asyncComplete", unless=False)
        or flag(given.get("asyncComplete"), "asyncComplete", unless=False),
        key_header="" if key_header.lower() in names else key_header,
        rate=_rate(request.get("rateLimit")),
        at_once=number(request.get("hostConcurrency"), "hostConcurrency", 1, 1_000, 0),
        pages=pages_of(request.get("pagination")),
        private=frozenset(
            name.lower()
            for name, value in headers
            if name.lower() not in _FOR_ALL or any(secret in value for secret in used)
        ),
        bound=bound,
        secrets=tuple(dict.fromkeys(form for secret in used for form in _forms(secret, host))),
    )


def _forms(secret: str, host: str) -> tuple[str, ...]:
    """A secret as it is, and as it is sent in an address, in the name of a host, in a form and in JSON.

    A target may say back in base64 what came, and in there only what was really sent can be found.
    """
    address, form = quote(secret, safe=_KEPT, errors="replace"), quote_plus(secret, errors="replace")
    written = json_bytes(secret, "A secret").decode()[1:-1]
    return secret, address, form, written, *((secret.lower(),) if secret.lower() in host else ())


def _request(given: Mapping[str, Any], template: Any) -> tuple[Mapping[str, Any], Any]:
    """The request, nested or flat, and the part of the definition that it was made from."""
    nested = given.get("http_request")
    if nested is None:
        return given, template
    if not isinstance(nested, dict):
        raise Wrong("http_request is no object with uri and method.")
    if template is not msgspec.UNSET:
        template = template.get("http_request") if isinstance(template, dict) else None
    return nested, template


def _url(uri: Any) -> str:
    if uri is None or uri == "":
        raise Wrong("There is no uri: write the address that is called.")
    if not isinstance(uri, str):
        raise Wrong(f"The uri is no text but {shown(uri)}.")
    match = _AUTHORITY.fullmatch(uri)
    # Blanks and letters beyond ASCII are encoded; what is encoded already stays so.
    text = match[1] + quote(match[2], safe=_KEPT) if match and match[2].isprintable() else uri
    url, fault = check_url(text, "uri")
    if url is None:
        raise Wrong(f"The uri cannot be called. {fault.message if fault is not None else ''}".rstrip())
    return url


def _method(method: Any) -> str:
    if method is None or method == "":
        raise Wrong(f"There is no method: write one of {', '.join(METHODS)}.")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise Wrong(f"The method is {shown(method)}; it must be one of {', '.join(METHODS)}.")
    return method.upper()


def _headers(headers: Any) -> list[tuple[str, str]]:
    """One line for each value; those that are null are left out."""
    if headers is None:
        return []
    if not isinstance(headers, dict):
        raise Wrong("headers is no object: the value of each header by its name.")
    lines: list[tuple[str, str]] = []
    for name, values in headers.items():
        if not _TOKEN.fullmatch(name):
            raise Wrong(f"headers: {shown(name)} is no name of a header; it has letters, digits and hyphens only.")
        if name.lower() in _OURS and values is not None:
            raise Wrong(f"headers.{name}: leave it out; whoever sends the request writes it.")
        several = values if isinstance(values, list) else [values]
        lines += [(name, _header(name, value)) for value in several if value is not None]
    return lines


def _header(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise Wrong(f"headers.{name} must be a text or a number, or a list of them.")
    text = str(value)
    if not _VALUE.fullmatch(text):
        raise Wrong(f"headers.{name} must have ASCII characters only, and no line ends; encode the others.")
    return text.strip()


def _content_type(value: Any, headers: list[tuple[str, str]]) -> str:
    own = next((text for name, text in headers if name.lower() == "content-type"), "")
    return own or ("application/json" if value in (None, "") else _media("contentType", value))


def _accept(value: Any) -> str:
    if value in (None, "", []):
        return "application/json"
    return ", ".join(_media("accept", one) for one in (value if isinstance(value, list) else [value]))


def _media(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise Wrong(f"{name} is {shown(value)}; it must be a media type, such as application/json.")
    return value.strip()


def _content(body: Any, content_type: str) -> bytes:
    """A body as bytes: texts as they are, all else as JSON, an object as a form if that is what it is sent as."""
    if body is None:
        return b""
    if isinstance(body, str):
        try:
            return body.encode()
        except UnicodeEncodeError:
            raise Wrong("The body has characters that cannot be sent (halves of surrogate pairs).") from None
    if content_type.partition(";")[0].strip().lower() != FORM:
        return json_bytes(body, "The body")
    if not isinstance(body, dict):
        raise Wrong("The body of a form must be an object: the value of each field by its name, or a text.")
    pairs = [
        (name, _field(one))
        for name, value in body.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    return urlencode(pairs, errors="replace").encode()


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json_bytes(value, "A field of the form").decode()


def _milliseconds(request: Mapping[str, Any], name: str) -> float:
    """As seconds. 0 is no limit of its own, which is the longest there may be."""
    return (number(request.get(name), name, 0, MOST_TIMEOUT, TIMEOUT_MS) or MOST_TIMEOUT) / 1000


def _statuses(request: Mapping[str, Any], name: str) -> tuple[tuple[int, int], ...]:
    codes = request.get(name)
    if codes is None:
        return ()
    ranges: list[tuple[int, int]] = []
    for code in codes if isinstance(codes, list) else [codes]:
        match = None if isinstance(code, bool) else _STATUS.fullmatch(str(code).strip())
        if match is None:
            raise Wrong(f'{name} has {shown(code)}; it must have statuses, such as [200, "4xx", "500-503"].')
        if match[1]:
            ranges.append((int(match[1]) * 100, int(match[1]) * 100 + 99))
        else:
            ranges.append((int(match[2]), int(match[3] or match[2])))
    return tuple(ranges)


def _credential(name: Any) -> str:
    if name is None:
        return ""
    if not isinstance(name, str):
        raise Wrong("credential must be the name of a credential of the workbench.")
    return name.strip()


def _key_header(value: Any, method: str) -> str:
    """The header of the idempotency key, "" for none: unless it is said, methods that may be repeated have none."""
    if value is False or (value is None and method not in REPEATED_WITH_CARE):
        return ""
    if value is None or value is True:
        return KEY_HEADER
    if not isinstance(value, str) or not _TOKEN.fullmatch(value) or value.lower() in _OURS:
        raise Wrong("idempotencyKey must be the name of a header, such as Idempotency-Key, or false.")
    return value


def _rate(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Wrong('rateLimit must be an object, such as {"requests": 10, "seconds": 1}.')
    least = 0
    requests = number(value.get("requests"), "rateLimit.requests", 1, 100_000, least)
    seconds = number(value.get("seconds"), "rateLimit.seconds", 1, 86_400, least)
    if not requests or not seconds:
        raise Wrong('rateLimit needs requests and seconds, such as {"requests": 10, "seconds": 1}.')
    return requests, seconds
