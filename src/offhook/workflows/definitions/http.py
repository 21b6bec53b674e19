"""The rules of an HTTP task: Conductor's request, and what is added to it here. Pure.

The additions stand beside Conductor's fields, in `http_request` or flat in `inputParameters`; EXTENSIONS says each. A
value that is an expression is checked when it is known, not here.
"""

import re
from collections.abc import Mapping
from typing import Any

from offhook.catalog.credentials.redaction import is_private
from offhook.kit.errors import shown
from offhook.kit.urls import check_url
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.fields import whole_number
from offhook.workflows.definitions.places import spans

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
REPEATED_WITH_CARE = ("POST", "PUT", "PATCH", "DELETE")
"""Methods whose requests carry an idempotency key unless the task says otherwise."""

CONDUCTORS = frozenset({
    "uri", "method", "headers", "accept", "contentType", "body", "connectionTimeOut", "readTimeOut", "vipAddress",
    "appName", "asyncComplete", "oauthConsumerKey", "oauthConsumerSecret",
})  # fmt: skip
ORKES = frozenset({"encode", "hedgingConfig", "outputFilter", "cacheConfig", "terminationCondition"})
EXTENSIONS: Mapping[str, str] = {
    "acceptedStatusCodes": 'statuses that complete the task: numbers, ranges, classes ([200, "4xx", "500-503"])',
    "finalStatusCodes": "statuses that fail the task for good: it is not tried again, whatever its policy says",
    "credential": "the name of a workbench credential that the request is sent with",
    "retryAfter": "whether Retry-After of an answer puts the next attempt off (true unless said)",
    "pagination": "how further pages are asked for and joined",
    "idempotencyKey": "the header of the idempotency key (Idempotency-Key unless said), or false for none",
    "rateLimit": "at most so many requests to the host in so many seconds",
    "hostConcurrency": "at most so many requests to the host at a time",
    "followRedirects": "whether redirects are followed",
    "maxBytes": "the most bytes of an answer that are read",
}
PAGINATIONS: Mapping[str, tuple[str, ...]] = {
    "next_url": ("next",),
    "cursor": ("next", "parameter"),
    "page": ("parameter",),
    "offset": ("parameter", "size"),
    "link_header": (),
}
"""The kinds of pagination, with the fields that each needs beside `items`."""

_OTHERS: Mapping[str, str] = {
    "auth": "credential", "cred": "credential", "creds": "credential", "data": "body", "json": "body",
    "payload": "body", "timeout": "readTimeOut", "url": "uri", "verb": "method",
}  # fmt: skip
"""What fields are called elsewhere."""

MOST_PAGES, MOST_TIMEOUT, MOST_BYTES = 10_000, 3_600_000, 100_000_000
_PAGINATION = ("kind", "next", "parameter", "start", "size", "items", "maxPages")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d|([1-5]\d\d)-([1-5]\d\d)", re.IGNORECASE | re.ASCII)
_SCHEMES = re.compile(r"https?:", re.IGNORECASE)
_SECRET_IN_QUERY = re.compile(r"[?&]([^=&#]+)=([^&#$]+)")


def request_of(inputs: Mapping[str, Any]) -> tuple[Any, str]:
    """The request of a task's input, and where it stands in it: `http_request`, or flat ("")."""
    nested = inputs.get("http_request")
    return (nested, ".http_request") if nested is not None else (inputs, "")


def check_http(found: Checked, place: str, inputs: Mapping[str, Any]) -> None:
    """The request in the input of the HTTP task at `place`; `inputs` are completed from its policy's template."""
    request, nested = request_of(inputs)
    at = f"{place}.inputParameters{nested}"
    if not isinstance(request, dict):
        if not _open(request):
            found.fault(at, "invalidParameter", "Must be an object with uri and method.", request)
        return
    _Request(found, at, request).check()
    if nested:
        for name in sorted((CONDUCTORS | set(EXTENSIONS)) & set(inputs)):
            text = "It stands beside http_request and is not read; move it into http_request."
            found.notice(f"{place}.inputParameters.{name}", "field_not_used", text)
    known = (*CONDUCTORS, *ORKES, *EXTENSIONS)
    for name in request:
        if name not in known:
            other = _OTHERS.get(name.lower())
            near = f" Did you mean {other}?" if other else found.near(name, known)
            text = f"No such field of a request is known; it is not sent, and does nothing.{near}"
            found.notice(f"{at}.{shown(name)}", "unknown_field", text)
    for name in sorted(ORKES & set(request)):
        if request[name] not in (None, False, True) or name != "encode":
            text = "Only a commercial edition of Conductor knows this field; it does nothing here."
            found.notice(f"{at}.{name}", "field_not_used", text)


def _open(value: Any) -> bool:
    """Whether a value is filled in later."""
    return isinstance(value, str) and bool(spans(value))


class _Request:
    def __init__(self, found: Checked, at: str, request: Mapping[str, Any]) -> None:
        self._found, self._at, self._request = found, at, request

    def check(self) -> None:
        self._uri()
        self._method()
        self._headers()
        self._texts()
        for name in ("connectionTimeOut", "readTimeOut"):
            self._number(name, 0, MOST_TIMEOUT, "milliseconds")
        self._number("maxBytes", 1, MOST_BYTES, "bytes")
        self._number("hostConcurrency", 1, 1_000, "requests")
        for name in ("retryAfter", "followRedirects", "asyncComplete"):
            value = self._request.get(name)
            if value is not None and not isinstance(value, bool) and not _open(value):
                self._fault(name, "Must be true or false.", value)
        for name in ("acceptedStatusCodes", "finalStatusCodes"):
            self._statuses(name)
        self._credential()
        self._key()
        self._rate()
        if (pagination := self._request.get("pagination")) is not None:
            self._pagination(pagination)

    def _fault(self, name: str, message: str, sent: Any = None, code: str = "invalidParameter") -> None:
        self._found.fault(f"{self._at}.{name}", code, message, sent)

    def _uri(self) -> None:
        uri = self._request.get("uri")
        if uri is None or uri == "":
            self._fault(
                "uri", "Write the address that is called, such as https://api.example.com/v1/things.", None, "required"
            )
        elif not isinstance(uri, str):
            self._fault("uri", "Must be a text: the address that is called.", uri)
        elif not spans(uri):
            _, fault = check_url(uri, f"{self._at}.uri")
            if fault is not None:
                self._found.fault(fault.location, "invalidParameter", fault.message, fault.sent)
        elif not uri.lstrip().startswith("${") and not _SCHEMES.match(uri.lstrip()):
            self._fault("uri", "Must begin with https:// or http://, or with an expression for the whole address.", uri)
        if isinstance(uri, str):
            for match in _SECRET_IN_QUERY.finditer(uri):
                if is_private(match[1]):
                    self._secret("uri")

    def _method(self) -> None:
        method = self._request.get("method")
        if method is None or method == "":
            self._fault("method", f"Say the method: {', '.join(METHODS)}.", None, "required")
        elif not (isinstance(method, str) and (_open(method) or method in METHODS)):
            self._fault("method", f"Must be one of: {', '.join(METHODS)}.{self._found.near(method, METHODS)}", method)

    def _headers(self) -> None:
        headers = self._request.get("headers")
        if headers is None or _open(headers):
            return
        if not isinstance(headers, dict):
            self._fault("headers", "Must be an object: the value of each header by its name.", headers)
            return
        for name, value in headers.items():
            at = f"headers.{shown(name)}"
            if not _TOKEN.fullmatch(name):
                self._fault(at, "A header's name has letters, digits and hyphens only.", name)
            values = value if isinstance(value, list) else [value]
            for one in values:
                if isinstance(one, dict | list):
                    self._fault(at, "Must be a text or a number, or a list of them.", one)
                elif isinstance(one, str) and any((ord(c) < 32 and c != "\t") or ord(c) == 127 for c in one):
                    self._fault(at, "Must be without line ends and control characters.")
                elif isinstance(one, str) and is_private(name) and one.strip() and not spans(one):
                    self._secret(at)

    def _secret(self, name: str) -> None:
        text = (
            "A secret in plain text is kept with the definition, and shown to whoever may read it. Keep it as a "
            'credential of the workbench and name it ("credential": "name"), or write ${workflow.secrets.NAME}.'
        )
        self._found.notice(f"{self._at}.{name}", "secret_in_definition", text)

    def _texts(self) -> None:
        for name in ("accept", "contentType"):
            value = self._request.get(name)
            several = isinstance(value, list) and all(isinstance(one, str) for one in value)
            if value is not None and not isinstance(value, str) and not (name == "accept" and several):
                self._fault(name, "Must be a media type, such as application/json.", value)

    def _number(self, name: str, least: int, most: int, what: str) -> None:
        value = self._request.get(name)
        if value is None or _open(value):
            return
        number = (
            int(value)
            if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12
            else value
        )
        if not whole_number(number) or not least <= number <= most:
            self._fault(name, f"Must be a whole number of {what} from {least:,} to {most:,}.", value)

    def _statuses(self, name: str) -> None:
        codes = self._request.get(name)
        if codes is None or _open(codes):
            return
        such = 'such as [200, "4xx", "500-503"]'
        if not isinstance(codes, list) or not codes:
            self._fault(name, f"Must be a list of statuses, {such}.", codes)
            return
        for number, code in enumerate(codes):
            if not _is_status(code):
                self._fault(f"{name}[{number}]", f"Must be a status, a class or a range, {such}.", code)

    def _credential(self) -> None:
        name = self._request.get("credential")
        if name is not None and not (isinstance(name, str) and 0 < len(name.strip()) <= 200 and name.isprintable()):
            self._fault("credential", "Must be the name of a credential of the workbench.")
        headers = self._request.get("headers")
        if name and isinstance(headers, dict) and any(one.lower() == "authorization" for one in headers):
            text = "There is a credential and an Authorization header; the credential's takes its place."
            self._found.notice(f"{self._at}.headers.Authorization", "credential_wins", text)

    def _key(self) -> None:
        key = self._request.get("idempotencyKey")
        if key is None or isinstance(key, bool):
            return
        if not isinstance(key, str) or not _TOKEN.fullmatch(key):
            self._fault("idempotencyKey", "Must be the name of a header, such as Idempotency-Key, or false.", key)

    def _rate(self) -> None:
        rate = self._request.get("rateLimit")
        if rate is None:
            return
        if not isinstance(rate, dict):
            self._fault("rateLimit", 'Must be an object, such as {"requests": 10, "seconds": 1}.', rate)
            return
        for name, most in (("requests", 100_000), ("seconds", 86_400)):
            if not whole_number(rate.get(name)) or not 1 <= rate[name] <= most:
                text = f"Must be a whole number from 1 to {most:,}."
                self._fault(
                    f"rateLimit.{name}", text, rate.get(name), "required" if name not in rate else "invalidParameter"
                )
        self._unknown("rateLimit", rate, ("requests", "seconds"))

    def _unknown(self, name: str, value: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for one in value:
            if one not in known:
                text = f"No such field is known.{self._found.near(one, known)}"
                self._found.notice(f"{self._at}.{name}.{shown(one)}", "unknown_field", text)

    def _pagination(self, value: Any) -> None:
        if not isinstance(value, dict):
            self._fault("pagination", 'Must be an object, such as {"kind": "next_url", "next": "$.next"}.', value)
            return
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in PAGINATIONS:
            text = f"Must be one of: {', '.join(PAGINATIONS)}.{self._found.near(kind, PAGINATIONS)}"
            self._fault("pagination.kind", text, kind, "required" if kind is None else "invalidParameter")
            return
        for name in PAGINATIONS[kind]:
            if value.get(name) in (None, ""):
                self._fault(f"pagination.{name}", f"Pagination of the kind {kind} needs it.", None, "required")
        for name in ("next", "items"):
            path = value.get(name)
            if path is not None and not (isinstance(path, str) and path.startswith("$") and not path.startswith("${")):
                self._fault(f"pagination.{name}", "Must be a JSONPath into the body, such as $.data.", path)
        if value.get("parameter") is not None and not isinstance(value["parameter"], str):
            self._fault("pagination.parameter", "Must be the name of a query parameter.", value["parameter"])
        for name, least, most in (("start", 0, 2**31 - 1), ("size", 1, 100_000), ("maxPages", 1, MOST_PAGES)):
            number = value.get(name)
            if number is not None and not (whole_number(number) and least <= number <= most):
                self._fault(f"pagination.{name}", f"Must be a whole number from {least:,} to {most:,}.", number)
        self._unknown("pagination", value, _PAGINATION)
        if self._request.get("method") not in (None, "GET", "HEAD") and not _open(self._request.get("method")):
            text = "Further pages repeat the request with its method; that is meant for GET."
            self._found.notice(f"{self._at}.pagination", "pages_not_got", text)


def _is_status(code: Any) -> bool:
    if isinstance(code, str):
        match = _STATUS.fullmatch(code.strip())
        return match is not None and (match[1] is None or match[1] <= match[2])
    return whole_number(code) and 100 <= code <= 599
