"""Further pages of an answer: which is asked for next, and what each has. Pure."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote_plus, urljoin, urlsplit

import msgspec

from offhook.kit.errors import shown
from offhook.kit.urls import check_url
from offhook.workflows.definitions.http import MOST_PAGES, PAGINATIONS
from offhook.workflows.expressions.paths import Path, PathError, Work, compiled
from offhook.workflows.tasks.values import Wrong, number

PAGES = 100
"""How many pages are got unless the task says otherwise."""

_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[a-zA-Z*-]+\s*=\s*(?:"[^"]*"|[^\s",;<>]*))*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))', re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """How pages are asked for. `items` and `next` are paths into a body; without `items` the body is the list."""

    kind: str
    next: Path | None
    items: Path | None
    items_text: str
    parameter: str
    start: int
    size: int
    most: int

    def first(self, url: str) -> str:
        """The address of the first page."""
        return with_parameter(url, self.parameter, str(self.start)) if self.kind in ("page", "offset") else url

    def found(self, body: Any) -> list[Any]:
        """What a page has; none if nothing is where its items should be. Wrong if something else is there."""
        found = body if self.items is None else _at(self.items, body)
        if found is None:
            return []
        if not isinstance(found, list):
            where = f"at {self.items_text} (pagination.items)" if self.items is not None else "(see pagination.items)"
            raise Wrong(f"The answer has no list {where}, so there is nothing to join pages of.")
        return found

    def following(
        self, asked: str, came: str, headers: Sequence[tuple[str, str]], body: Any, count: int, before: int
    ) -> str:
        """The address of the page after one that has `count` items, "" if that was the last.

        `asked` and `came` are where the page was asked for, and where it came from after redirects; `before` is how
        many items the pages before it had. Wrong if it leads to another place.
        """
        match self.kind:
            case "page" | "offset":
                if not count or (self.size and count < self.size):
                    return ""
                value = self.start + before + count if self.kind == "offset" else _number(asked, self.parameter) + 1
                return with_parameter(asked, self.parameter, str(value))
            case "cursor":
                cursor = None if self.next is None else _at(self.next, body)
                if cursor is None or cursor in ("", False):
                    return ""
                if isinstance(cursor, dict | list | bool):
                    raise Wrong("What pagination.next leads to is no cursor, but a list or an object.")
                return with_parameter(asked, self.parameter, str(cursor))
            case "next_url":
                target = None if self.next is None else _at(self.next, body)
            case _:
                target = _linked(headers)
        if target is None or target in ("", False):
            return ""
        if not isinstance(target, str):
            raise Wrong("What leads to the next page is no address, but something else.")
        return _same_place(asked, came, target)


def pages_of(value: Any) -> Pages | None:
    """From `pagination` of a request; Wrong if it is not as it must be."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("kind") not in PAGINATIONS:
        raise Wrong(f"pagination.kind must be one of {', '.join(PAGINATIONS)}.")
    kind = value["kind"]
    for name in PAGINATIONS[kind]:
        if value.get(name) in (None, ""):
            raise Wrong(f"pagination.{name} is missing: pagination of the kind {kind} needs it.")
    parameter = value.get("parameter") or ""
    if not isinstance(parameter, str):
        raise Wrong("pagination.parameter must be the name of a query parameter.")
    items = value.get("items")
    return Pages(
        kind=kind,
        next=_path("next", value.get("next")),
        items=None if items == "$" else _path("items", items),
        items_text=str(items or ""),
        parameter=parameter,
        start=number(value.get("start"), "pagination.start", 0, 2**31 - 1, 1 if kind == "page" else 0),
        size=number(value.get("size"), "pagination.size", 1, 100_000, 0),
        most=number(value.get("maxPages"), "pagination.maxPages", 1, MOST_PAGES, PAGES),
    )


def _path(name: str, text: Any) -> Path | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not text.startswith("$"):
        raise Wrong(f"pagination.{name} is {shown(text)}; it must be a JSONPath into the body, such as $.data.")
    try:
        return compiled(text)
    except PathError as error:
        raise Wrong(f"pagination.{name} {error}.") from None


def _at(path: Path, body: Any) -> Any:
    try:
        return path.find(body, Work())
    except PathError as error:
        raise Wrong(f"A path of pagination {error}.") from None


def with_parameter(url: str, name: str, value: str) -> str:
    """An address with this query parameter in place of all of its name; the others stay as they are written."""
    url, hash_, fragment = url.partition("#")
    head, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) != name]
    kept.append(f"{quote(name, safe='')}={quote(value, safe='')}")
    return f"{head}?{'&'.join(kept)}{hash_}{fragment}"


def _number(url: str, name: str) -> int:
    """The page number of an address that `with_parameter` made."""
    for part in urlsplit(url).query.split("&"):
        key, _, value = part.partition("=")
        if unquote_plus(key) == name:
            return int(value)
    raise AssertionError("the first page has its number")


def _linked(headers: Sequence[tuple[str, str]]) -> str:
    """Where the Link headers of an answer say that the next page is (RFC 8288), "" if they do not."""
    for name, value in headers:
        if name.lower() == "link":
            for match in _LINK.finditer(value):
                rel = _REL.search(match[2])
                if rel and "next" in (rel[1] if rel[1] is not None else rel[2]).lower().split():
                    return match[1].strip()
    return ""


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address that was checked."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _same_place(asked: str, came: str, target: str) -> str:
    try:
        url, _ = check_url(quote(urljoin(came, target), safe="%/:?#[]@!$&'()*+,;=~-._\\"), "next")
    except ValueError:
        url = None
    if url is None:
        raise Wrong("What leads to the next page is no address.")
    if origin(url) != origin(asked):
        scheme, host, port = origin(url)
        raise Wrong(
            f"The next page is at another place, {scheme}://{host}:{port}, and what is sent is meant for "
            f"{urlsplit(asked).netloc} only; it was not asked for."
        )
    return url
