"""The workbench's directory: API documents, the search over their operations, one document, and how one comes in."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from offhook.catalog.reference.markup import html
from offhook.console.frame import Answer, redirect
from offhook.console.visit import Visit

HERE = "/console/apis"
API = "/api/offhook/v1/apis"
SEARCH = "/api/offhook/v1/api-operations"
MOST_FORM = 160 * 1024 * 1024
"""A document of 50 MiB as a form sends it, in which many characters take three."""

HITS = 20
MOST_MARKDOWN = 400_000
MOST_WRITTEN = 4_000
_MARKED = re.compile(r"[*_`<>\[\]#|~&\\]|\n|https?://")


class Import(NamedTuple):
    """The form that a document comes in by, as it was filled in."""

    name: str = ""
    url: str = ""
    document: str = ""
    headers: str = ""


class Prose:
    """Descriptions as HTML, for one page: no document makes a page cost more than so many characters of Markdown.

    The usual sentence goes without the Markdown machinery, and what is beyond the page's part stands as it was written.
    """

    def __init__(self, most: int = MOST_MARKDOWN) -> None:
        self._left = most

    def __call__(self, text: str) -> Markup:
        if not text:
            return Markup("")
        if not _MARKED.search(text):
            return Markup("<p>{}</p>").format(text)
        # What opens something that may never be closed is what a parser looks for again and again.
        cost = len(text) + 50 * sum(map(text.count, "[*_|!<`"))
        if cost > self._left:
            return Markup('<p class="written">{}</p>').format(text[:MOST_WRITTEN])
        self._left -= cost
        return Markup(html(text))  # noqa: S704 - cleaned by an allow-list


def address(api: str, key: str = "", version: int | str | None = None) -> str:
    """The page of a document or of one of its operations."""
    found = f"{HERE}/{quote(api, safe='')}" + (f"/{quote(key, safe='')}" if key else "")
    return found + (f"?version={quote(str(version), safe='')}" if version else "")


async def directory(visit: Visit) -> Answer:
    """`GET /console/apis?q=…`: what was found, or all documents."""
    wanted, cursor = visit.query.get("q", "").strip()[:256], visit.query.get("cursor", "")
    hits: list[Mapping[str, Any]] | None = None
    unknown: list[str] = []
    if wanted:
        found = await visit.inside.get(SEARCH, {"q": wanted, "limit": str(HITS)})
        hits, unknown = found["items"], found.get("without", [])
    page = await visit.inside.get(API, {"cursor": cursor} if cursor else {})
    return visit.page(
        "apis.html", here="apis", wanted=wanted, hits=hits, unknown=unknown, apis=page.get("items", []),
        cursor=page.get("cursor", ""), first=not cursor, address=address,
    )  # fmt: skip


async def document(visit: Visit) -> Answer:
    """`GET /console/apis/{name}`: its operations by tag, its versions, what is wrong with it."""
    name, version, cursor = visit.params["name"], visit.query.get("version", ""), visit.query.get("cursor", "")
    place = f"{API}/{quote(name, safe='')}"
    query = {"version": version} if version else {}
    api = await visit.inside.get(place, query)
    listed = await visit.inside.get(f"{place}/operations", query | ({"cursor": cursor} if cursor else {}))
    problems = await visit.inside.get(f"{place}/problems", query) if api.get("problems") else {"items": []}
    versions = await visit.inside.get(f"{place}/versions")
    groups = [(tag, list(some)) for tag, some in groupby(listed.get("items", []), _tag)]
    return visit.page(
        "api.html", here="apis", api=api, groups=groups, problems=problems["items"], versions=versions["items"],
        version=version, current=_current(versions["items"]), cursor=listed.get("cursor", ""), first=not cursor,
        address=address,
    )  # fmt: skip


async def review(visit: Visit) -> Answer:
    """`GET /console/apis/{name}/review?before=…&after=…`: what a version changed."""
    place = f"{API}/{quote(visit.params['name'], safe='')}"
    query = {name: visit.query[name] for name in ("before", "after") if visit.query.get(name)}
    api = await visit.inside.get(place)
    found = await visit.inside.get(f"{place}/review", query)
    return visit.page("api_review.html", here="apis", api=api, it=found, address=address)


async def blank(visit: Visit) -> Answer:
    """`GET /console/apis/import?name=…`: the form; with a name, for the next version of that document."""
    return _form(visit, Import(name=visit.query.get("name", "")), again=bool(visit.query.get("name")))


async def sent(visit: Visit) -> Answer:
    """`POST /console/apis/import`: a look at what would be read, or the import."""
    given = dict(visit.form)
    form = Import(*(given.get(name, "") for name in Import._fields))
    again = given.get("again") == "yes"
    body: dict[str, Any] = {"document": form.document} if form.document.strip() else {"url": form.url.strip()}
    if form.name.strip() and not again:
        body["name"] = form.name.strip()
    if not again or "document" in body or form.url.strip():
        body["headers"] = [
            {"name": name.strip(), "value": value.strip()}
            for name, _, value in (line.partition(":") for line in form.headers.splitlines())
            if name.strip()
        ]
    else:
        body = {}
    place = f"{API}/{quote(form.name, safe='')}/versions" if again else API
    look = given.get("do") != "import"
    asked = await visit.inside.ask("POST", place, body=body, headers={"offhook-dry-run": "true"} if look else None)
    if not asked.ok:
        return _form(visit, form, again=again, asked=asked, status=asked.status)
    if look:
        return _form(visit, form, again=again, seen=asked.document["result"])
    return redirect(address(asked.document["api"]["name"]))


def _form(visit: Visit, form: Import, *, again: bool, seen: Any = None, asked: Any = None, status: int = 200) -> Answer:
    faults: dict[str, list[str]] = {}
    for one in asked.violations if asked else ():
        faults.setdefault(one.location, []).append(one.message)
    return visit.page(
        "api_import.html", here="apis", status=status, form=form, again=again, seen=seen, faults=faults,
        refusal=asked.message if asked else "", address=address,
    )  # fmt: skip


async def delete(visit: Visit) -> Answer:
    """`POST /console/apis/{name}/delete`."""
    await visit.inside.do("DELETE", f"{API}/{quote(visit.params['name'], safe='')}")
    return redirect(HERE)


async def operation(visit: Visit) -> Answer:
    """`GET /console/apis/{name}/{key}`: the reference of an operation."""
    name, key, version = visit.params["name"], visit.params["key"], visit.query.get("version", "")
    place = f"{API}/{quote(name, safe='')}/operations/{quote(key, safe='')}"
    found = await visit.inside.get(place, {"version": version} if version else {})
    current = 0
    if version:
        current = _current((await visit.inside.get(f"{API}/{quote(name, safe='')}/versions"))["items"])
    prepared = await visit.inside.ask("GET", f"{place}/prepared", {"version": version} if version else {})
    kept = await visit.inside.ask("GET", "/api/offhook/v1/api-examples", {"api": name, "operation": key})
    wanted = {"version": version} if version else {}
    prepare = "/console/requests/new?" + urlencode({"api": name, "operation": key} | wanted)
    # A page of thousands of rows is made beside the loop that serves everybody else.
    return await asyncio.to_thread(
        visit.page,
        "operation.html", here="apis", api=found, it=found["reference"], words=Prose(), limits=_limits, address=address,
        prepare=prepare, version=version, current=current, examples=kept.document["items"] if kept.ok else [],
        code=prepared.document.get("code") if prepared.ok else None,
    )  # fmt: skip


async def delete_example(visit: Visit) -> Answer:
    """`POST /console/examples/{id}/delete`: back to the page of its operation."""
    await visit.inside.do("DELETE", f"/api/offhook/v1/api-examples/{visit.params['id']}")
    back = dict(visit.form).get("back", "")
    return redirect(back if re.fullmatch(r"/console/apis/[^/\\?#]+/[^/\\?#]+", back) else HERE)


def _current(versions: Sequence[Mapping[str, Any]]) -> int:
    """The number of a document's latest version; 0 if it has none, as what comes with Offhook."""
    return max((one["version"] for one in versions), default=0)


def _tag(head: Mapping[str, Any]) -> str:
    return str((head.get("tags") or ["Other"])[0])


def _limits(field: Mapping[str, Any]) -> Markup:
    """What may stand in a field, besides its possible values."""
    parts = [*field.get("limits", ()), *([field["format"]] if field.get("format") else [])]
    return Markup("; ").join(escape(one) for one in parts)
