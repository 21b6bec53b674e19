"""Prepared and saved requests over HTTP."""

from typing import Annotated, Any, Literal

import msgspec

from offhook.catalog.keeping import iso
from offhook.catalog.requests.model import MOST_BODY, MOST_PAIRS, Pair, Prepared
from offhook.catalog.requests.saved import Saved, Version
from offhook.catalog.requests.typed import Offer
from offhook.kit.errors import Violation
from offhook.kit.wire import Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta
MOST_TEXT = 10_000
MOST_NAME = 200
_NAMES = ("api", "version", "operation", "credential_id")


class PairIO(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A name with its value."""

    name: str
    value: str = ""
    on: Annotated[bool, Meta(description="Whether it is sent.")] = True


class PreparedIO(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request before it is sent. Values may be expressions, as ${workflow.input.city}."""

    api: Annotated[str, Meta(description="The API document that it was made for, empty if none.")] = ""
    version: Annotated[str, Meta(description="The version of that document.")] = ""
    operation: Annotated[str, Meta(description="The key of its operation.")] = ""
    method: str = "GET"
    server: Annotated[str, Meta(description="Address of the server.", examples=["https://api.example.com"])] = ""
    path: Annotated[str, Meta(description="Path behind the server, with {parameters}.")] = ""
    path_parameters: list[PairIO] = []
    query: list[PairIO] = []
    headers: list[PairIO] = []
    media: Annotated[str, Meta(description="Content-Type of the body.")] = ""
    body: Annotated[str, Meta(description="JSON as text; a JSON object of fields for a form; else the text.")] = ""
    credential_id: Annotated[str, Meta(description="The credential that it is sent with, empty if none.")] = ""
    name: str = ""


class SavedIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request to keep by name."""

    name: Annotated[str, Meta(description="What it is called; unique in its collection.", examples=["Create Lisbon"])]
    collection: Annotated[str, Meta(description="The collection that it is in; empty: none.")] = ""
    request: PreparedIO


class SavedOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A saved request."""

    id: Int64Text
    name: str
    collection: str
    version: int
    created_at: str
    updated_at: str
    request: PreparedIO


class SavedPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of saved requests."""

    items: list[SavedOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class SavedQuery(msgspec.Struct):
    """Which ones."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    collection: Annotated[str | None, Meta(description="Those of this collection.")] = None
    in_none: Annotated[bool, Meta(description="Those that are in no collection.")] = False
    api: Annotated[str | None, Meta(description="Those of this API document.")] = None
    operation: Annotated[str | None, Meta(description="Those of the operation with this key.")] = None


class CollectionOut(msgspec.Struct, kw_only=True):
    """A collection, and how many requests it has."""

    name: str
    requests: int


class CollectionsOut(msgspec.Struct, kw_only=True):
    """All collections of the company, by name; the one without a name holds what is in none."""

    items: list[CollectionOut]


class VersionOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A saved request as it was."""

    version: int
    at: str
    by: Annotated[str, Meta(description="Name of the key that made it.")]
    name: str
    collection: str
    request: PreparedIO


class VersionsOut(msgspec.Struct, kw_only=True):
    """The versions of a request that are kept, at most fifty, the newest first."""

    items: list[VersionOut]


class CurlIn(msgspec.Struct, kw_only=True):
    """A curl command."""

    curl: Annotated[str, Meta(description="The command, as a shell or a browser writes it.")]


class OfferOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A credential that a typed secret could be kept as: all of it but the secret, which stands at `location`."""

    location: Annotated[str, Meta(examples=["headers.Authorization", "query.api_key"])]
    kind: Literal["bearer", "basic", "api_key", "headers"]
    hosts: list[str] = []
    parameter: str = ""
    place: Literal["", "header", "query"] = ""
    username: str = ""


class CurlOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The request that it makes. What was not used of it is said in Offhook-Warning."""

    request: PreparedIO
    offers: Annotated[list[OfferOut], Meta(description="Credentials that secrets in it could be kept as.")] = []


def prepared(sent: PreparedIO, place: str, found: list[Violation]) -> Prepared:
    """A request as it was sent, and what keeps it from being kept: what is too long, or no name at all."""
    most = dict.fromkeys(("method", "server", "path", "media", "name"), MOST_TEXT) | dict.fromkeys(_NAMES, MOST_NAME)
    found += [
        Violation(location=f"{place}.{name}", message=f"Must have at most {limit} characters.")
        for name, limit in most.items()
        if len(getattr(sent, name)) > limit
    ]
    found += [
        Violation(location=f"{place}.{name}", message="Must be text without control characters.")
        for name in _NAMES
        if not getattr(sent, name).isprintable()
    ]
    texts = {name: getattr(sent, name) for name in ("method", "server", "path", "media", "body", "name")}
    for name in ("path_parameters", "query", "headers"):
        for number, one in enumerate(getattr(sent, name)[:MOST_PAIRS]):
            texts |= {f"{name}[{number}].name": one.name, f"{name}[{number}].value": one.value}
    found += [
        Violation(location=f"{place}.{name}", message="Must be text without NUL characters.")
        for name, text in texts.items()
        if "\0" in text
    ]
    if len(sent.body) > MOST_BODY:
        found.append(Violation(location=f"{place}.body", message=f"Must have at most {MOST_BODY} characters."))
    groups: dict[str, Any] = {}
    for name in ("path_parameters", "query", "headers"):
        pairs: list[PairIO] = getattr(sent, name)
        if len(pairs) > MOST_PAIRS or any(len(one.name) + len(one.value) > MOST_TEXT for one in pairs):
            message = f"Must be at most {MOST_PAIRS}, each of at most {MOST_TEXT} characters."
            found.append(Violation(location=f"{place}.{name}", message=message))
        groups[name] = tuple(Pair(one.name, one.value, one.on) for one in pairs[:MOST_PAIRS])
    plain = {name: getattr(sent, name) for name in Prepared.__struct_fields__ if name not in groups}
    return Prepared(**(plain | groups))


def offer_out(offer: Offer) -> OfferOut:
    """An offer as it is answered."""
    return OfferOut(
        location=offer.location, kind=offer.kind, hosts=list(offer.hosts), parameter=offer.parameter,
        place=offer.place, username=offer.username,
    )  # fmt: skip


def prepared_out(kept: Prepared) -> PreparedIO:
    """The same the other way."""
    return msgspec.convert(msgspec.to_builtins(kept), PreparedIO)


def saved_out(kept: Kept[Saved]) -> SavedOut:
    """A saved request as it is answered."""
    return SavedOut(
        id=str(kept.id),
        name=kept.value.name,
        collection=kept.value.collection,
        version=kept.version,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
        request=prepared_out(kept.value.request),
    )


def version_out(kept: Version) -> VersionOut:
    """A version as it is answered."""
    return VersionOut(
        version=kept.version,
        at=iso(kept.at),
        by=kept.by,
        name=kept.saved.name,
        collection=kept.saved.collection,
        request=prepared_out(kept.saved.request),
    )
