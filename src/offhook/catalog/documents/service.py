"""What can be done with API documents: imported, listed, searched, read, compared."""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from offhook.access.doing import Doing, Done, refuse
from offhook.catalog.credentials import rules
from offhook.catalog.documents import comparing, store, wire
from offhook.catalog.documents.apart import Cut, Readers, read_here
from offhook.catalog.documents.pieces import Pieces
from offhook.catalog.documents.store import BUILT_IN, Api, Content, Version
from offhook.catalog.keeping import iso
from offhook.catalog.model import Document, Head
from offhook.catalog.reference.page import reference
from offhook.catalog.search.index import Found, SearchIndex
from offhook.catalog.work import Turns, Work
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.egress import Egress, EgressError, unpacked
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.text import slug
from offhook.kit.wire import encode
from offhook.storage.database import Database, Transaction

T = TypeVar("T")
OWN = "offhook"
MOST_BYTES = 50 * 1024 * 1024
FETCH_SECONDS = 30.0
REDIRECTS = 5
KEPT_VERSIONS = 20
PAGE = 100
_REMEMBERED = 32
_GZIP = b"\x1f\x8b"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")


class Apis:
    """The API documents of all companies, and Offhook's own."""

    """`folder` holds this machine's search index, which is made anew from the store if it is not there."""

    def __init__(self, work: Doing, database: Database, folder: Path, egress: Egress) -> None:
        self._work = work
        self._database = database
        self._folder = folder
        self._egress = egress
        self._readers = Readers()
        self._turns = Turns()
        self._pieces: OrderedDict[tuple[int, int], dict[str, Any]] = OrderedDict()

    @cached_property
    def _index(self) -> SearchIndex:
        # Opened at the first search: most commands have none.
        return SearchIndex(self._folder)

    def close(self) -> None:
        """Leave the index to the next process."""
        self._turns.close()
        if "_index" in self.__dict__:
            self._index.close()

    # Importing

    async def create(self, call: Call) -> Reply:
        """Import a document: its first version."""
        body: wire.DocumentIn = call.body
        found, address = await self._read(body)
        name = _name(body.name, found.told.title)

        def make(tx: Transaction, _notices: list[Notice]) -> wire.ImportedOut:
            at = clock.milliseconds(clock.now())
            api = Api(
                tenant_id=call.principal.tenant_id, id=self._work.ids.new(), name=name, title=found.told.title,
                created_at=at, updated_at=at, address=address,
                cut=_is_cut(body.url),
            )  # fmt: skip
            if store.named(tx, BUILT_IN, name) is not None:
                text = f"{shown(name)} is Offhook's own document; choose another name."
                raise Conflict(text, [Violation(location="name", message=text, reason="conflict")])
            version = self._version(call, api, 1, found, at)
            kept = store.create(tx, api, version, self._content(found))
            _tell(tx, call, at, Word.API_IMPORTED, kept, version)
            listed = list(found.told.problems)
            return wire.ImportedOut(api=api_out(kept, version, found.told.operations), problems=listed)

        return await self._imported(call, make)

    async def add(self, call: Call) -> Reply:
        """Import a document anew: its next version, with what that changes."""
        body: wire.DocumentIn = call.body
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        api, current = await self._work.reader.run(lambda tx: _own(tx, tenant_id, name))
        if body.url is None and body.document is None and api.cut:
            text = f"It came from {shown(api.address)} with a query or a password that is not kept: send the whole url."
            raise Invalid.of([Violation(location="url", message=text, reason="required", about=("document",))])
        if body.url is None and body.document is None and api.address:
            body = msgspec.structs.replace(body, url=api.address)
        found, address = await self._read(body)
        same = found.digest == current.digest
        review = await self._review(api, current, found) if not same else None

        def make(tx: Transaction, _notices: list[Notice]) -> wire.ImportedOut:
            api, current = _own(tx, tenant_id, name)
            listed = list(found.told.problems)
            if found.digest == current.digest:
                return wire.ImportedOut(api=api_out(api, current), problems=listed, same=True)
            at = clock.milliseconds(clock.now())
            version = self._version(call, api, api.number + 1, found, at)
            changed = msgspec.structs.replace(
                api,
                title=found.told.title,
                updated_at=at,
                address=address or api.address,
                cut=_is_cut(body.url) if address else api.cut,
            )
            kept = store.add(tx, changed, version, self._content(found))
            store.keep_last(tx, kept, KEPT_VERSIONS)
            _tell(tx, call, at, Word.API_IMPORTED, kept, version)
            return wire.ImportedOut(api=api_out(kept, version, found.told.operations), problems=listed, review=review)

        return await self._imported(call, make)

    async def _imported(self, call: Call, make: Callable[[Transaction, list[Notice]], msgspec.Struct]) -> Reply:
        reply = await self._work.create(call, make)
        if not call.dry_run:
            await self.follow()
        return reply

    async def _read(self, body: wire.DocumentIn) -> tuple[Cut, str]:
        """The document that a body means, and where it came from, without what may be secret."""
        if (body.document is None) == (body.url is None):
            text = "Send either the document's text or its url."
            raise Invalid.of([Violation(location="document", message=text, reason="required", about=("url",))])
        if body.document is not None:
            return await self._readers.read(body.document, body.name or ""), ""
        assert body.url is not None
        raw = await self._fetched(body.url, _headers(body.headers))
        return await self._readers.read(raw, body.name or _last(body.url)), _public(body.url)

    async def _fetched(self, url: str, headers: Mapping[str, str]) -> bytes:
        asked = {"accept": "application/json, application/yaml, */*", "accept-encoding": "gzip, deflate", **headers}
        try:
            got = await self._egress.request(
                "GET", url, headers=asked, seconds=FETCH_SECONDS, most=MOST_BYTES, redirects=REDIRECTS,
                private=frozenset(name.lower() for name in headers),
            )  # fmt: skip
            # A file that is kept packed, as openapi.json.gz, says nothing of it in its head.
            packed = got.body[:2] == _GZIP
            raw = await asyncio.to_thread(unpacked, got.body, "gzip", MOST_BYTES) if packed else got.body
        except EgressError as error:
            text = f"The document could not be fetched: {error}."
            raise Invalid.of([Violation(location="url", message=text, sent=shown(_public(url)))]) from None
        if got.status != 200:
            text = f"The document could not be fetched: the answer was {got.status}, not 200."
            raise Invalid.of([Violation(location="url", message=text, sent=shown(_public(url)))])
        return raw

    def _version(self, call: Call, api: Api, number: int, found: Cut, at: int) -> Version:
        return Version(
            id=self._work.ids.new(), document_id=api.id, number=number, created_at=at,
            made_by=call.principal.key_name, kind=found.told.kind, title=found.told.title,
            api_version=found.told.version, digest=found.digest, problems=found.told.problems,
            operations=found.told.operations,
        )  # fmt: skip

    @staticmethod
    def _content(found: Cut) -> Content:
        return Content(source=found.raw, heads=found.heads, pieces=found.pieces)

    async def keep_own(self, document: Mapping[str, Any], *, anywhere: bool = False) -> None:
        """Make `document` the current version of Offhook's own; nothing is done if it is.

        With `anywhere` one that differs in its servers alone is the same.
        """
        raw = encode(document)
        digest = hashlib.sha256(raw).hexdigest()

        def known(tx: Transaction) -> tuple[Api | None, Version | None]:
            api = store.named(tx, BUILT_IN, OWN)
            return api, store.version(tx, BUILT_IN, api.id, api.number) if api else None

        _, version = await self._work.reader.run(known)
        if version is not None and version.digest == digest:
            return
        if version is not None and anywhere:
            number = version.id
            before = await self._work.reader.run(lambda tx: store.source(tx, BUILT_IN, number))
            kept = msgspec.json.decode(before or b"{}")
            if encode({**kept, "servers": []}) == encode({**msgspec.json.decode(raw), "servers": []}):
                return
        found = await asyncio.to_thread(read_here, raw, OWN)
        at = clock.milliseconds(clock.now())
        ids = [self._work.ids.new() for _ in range(2)]

        def keep(tx: Transaction) -> None:
            api, version = known(tx)
            if version is not None and version.digest == digest:
                return
            number = api.number + 1 if api is not None else 1
            api = api or Api(tenant_id=BUILT_IN, id=ids[0], name=OWN, title="", created_at=at, updated_at=at)
            made = Version(
                id=ids[1], document_id=api.id, number=number, created_at=at, made_by="", kind=found.told.kind,
                title=found.told.title, api_version=found.told.version, digest=digest, problems=found.told.problems,
                operations=found.told.operations,
            )  # fmt: skip
            named = msgspec.structs.replace(api, title=found.told.title, updated_at=at)
            kept = (store.create if number == 1 else store.add)(tx, named, made, self._content(found))
            store.keep_last(tx, kept, 1)

        await self._work.writer.aside(keep)  # type: ignore[union-attr]
        await self.follow()

    async def follow(self) -> None:
        """Bring this process's index to what the store has."""
        await asyncio.to_thread(self._index.follow, self._database)

    # Reading

    async def page(self, call: Call) -> Reply:
        """A page of documents: the company's, and before them, on the first page, Offhook's own."""
        query: wire.ListQuery = call.query or wire.ListQuery()
        tenant_id = call.principal.tenant_id

        def find(tx: Transaction, after: int, limit: int) -> list[tuple[Api, Version]]:
            own = store.page(tx, BUILT_IN, 0, limit) if not after else []
            found = []
            for api in [*own, *store.page(tx, tenant_id, after, limit)]:
                version = store.version(tx, api.tenant_id, api.id, api.number)
                assert version is not None
                found.append((api, version))
            return found[:limit]

        page = await self._work.page(
            call, "apis", find, cursor=query.cursor, position=lambda one: one[0].id if one[0].tenant_id else 0
        )
        return _reply(wire.ApiPage(items=[api_out(*one) for one in page.items], cursor=page.cursor))

    async def get(self, call: Call) -> Reply:
        """One document."""
        return _reply(api_out(*await self._found(call)))

    async def problems(self, call: Call) -> Reply:
        """What a version breaks of its rules."""
        _, version = await self._found(call)
        return _reply(wire.ProblemsOut(items=list(version.problems)))

    async def source(self, call: Call) -> Reply:
        """The text of a version, as it came."""
        api, version = await self._found(call)
        raw = await self._work.reader.run(lambda tx: store.source(tx, api.tenant_id, version.id)) or b""
        media = b"application/json" if raw.lstrip()[:1] == b"{" else b"application/yaml"
        return Reply(body=raw, media=media)

    async def versions(self, call: Call) -> Reply:
        """The versions that are kept."""
        api, _ = await self._found(call)
        found = await self._work.reader.run(lambda tx: store.history(tx, api.tenant_id, api.id))
        return _reply(wire.VersionsOut(items=[version_out(one) for one in found]))

    async def review(self, call: Call) -> Reply:
        """What is different between two versions."""
        query: wire.ReviewQuery = call.query
        api, after = await self._found(call, query.after)
        _, before = await self._found(call, query.before)

        def compare(tx: Transaction, work: Work) -> comparing.Review:
            old, new = (self._heads(tx, api, one) for one in (before, after))
            return comparing.compare(self.document(tx, api, before), old, self.document(tx, api, after), new, work)

        found = await self._compared(call.principal.tenant_id, compare)
        return _reply(
            wire.ReviewOut(before=str(before.number), after=str(after.number), breaks=found.breaks, review=found)
        )

    async def operations(self, call: Call) -> Reply:
        """A page of a document's operations, in its order."""
        query: wire.OperationsQuery = call.query or wire.OperationsQuery()
        api, version = await self._found(call)

        page = await self._work.page(
            call,
            "api operations",
            lambda tx, after, limit: store.heads(tx, api.tenant_id, version.id, after, limit),
            cursor=query.cursor,
            filters={"version": version.id},
            position=lambda one: one[0],
        )
        return _reply(wire.HeadPage(items=[head_out(head) for _, head in page.items], cursor=page.cursor))

    async def operation(self, call: Call) -> Reply:
        """All that is said of an operation."""
        api, version, found = await self.referred(
            call.principal.tenant_id, str(call.params["name"]), str(call.params["key"]), _wanted(call)
        )
        return _reply(wire.OperationOut(api=api.name, title=version.title, version=version.number, reference=found))

    async def referred(
        self, tenant_id: int, name: str, key: str, number: int | None = None
    ) -> tuple[Api, Version, Any]:
        """The document, its version, and the reference of an operation; NotFound."""

        def build(document: Document, head: Head, work: Work, api: Api, version: Version) -> Any:
            return api, version, reference(document, head.pointer, head, work)

        found: tuple[Api, Version, Any] = await self._at(tenant_id, name, key, number, build)
        return found

    async def within(
        self, tenant_id: int, name: str, key: str, number: int | None, do: Callable[[Document, Head, Api, Work], T]
    ) -> T:
        """What `do` makes of a version of a document, the operation, the document's own record, and so much work.

        NotFound; RateLimited if the company has too much of this under way.
        """

        def run(document: Document, head: Head, work: Work, api: Api, version: Version) -> T:
            return do(document, head, msgspec.structs.replace(api, number=version.number), work)

        return await self._at(tenant_id, name, key, number, run)

    async def _at(
        self,
        tenant_id: int,
        name: str,
        key: str,
        number: int | None,
        do: Callable[[Document, Head, Work, Api, Version], T],
    ) -> T:
        def run(work: Work) -> T:
            with self._database.reading() as tx:
                api, version = _any(tx, tenant_id, name, number)
                head = store.head(tx, api.tenant_id, version.id, key)
                if head is None:
                    raise NotFound(f"{api.title} has no operation {shown(key)}.")
                return do(self.document(tx, api, version), head, work, api, version)

        return await self._turns.run(tenant_id, run)

    async def lookup(self, tenant_id: int, name: str, number: str, key: str) -> tuple[Document, str] | None:
        """The document of an operation and where it stands in it, to be read whenever; None if it is not there."""
        wanted = int(number) if number.isdecimal() and len(number) < 10 else None

        def find(tx: Transaction) -> tuple[Api, Version, Head | None]:
            api, version = _any(tx, tenant_id, name, wanted)
            return api, version, store.head(tx, api.tenant_id, version.id, key)

        try:
            api, version, head = await self._work.reader.run(find)
        except NotFound:
            return None
        if head is None:
            return None

        def load(pointer: str) -> Any:
            with self._database.reading() as tx:
                return store.piece(tx, api.tenant_id, version.id, pointer)

        return Pieces(load), head.pointer

    async def search(self, call: Call) -> Reply:
        """The operations that fit a text best."""
        query: wire.SearchQuery = call.query
        tenant_id = call.principal.tenant_id

        def look() -> Found:
            self._index.follow(self._database)
            return self._index.find(tenant_id, query.q, query.limit, api=query.api, method=query.method)

        found = await asyncio.to_thread(look)
        if found.without:
            named = " and ".join(f'"{word}"' for word in found.without)
            text = f"Nothing has {named}; these are the hits of the other words."
            call.notices.append(Notice("words_not_found", "q", text))
        return _reply(
            wire.HitsOut(
                items=[
                    wire.HitOut(
                        api=one.api, title=one.title, key=one.key, method=one.method, path=one.path,
                        summary=one.summary, why=one.why, built_in=one.built_in,
                    )
                    for one in found.hits
                ],
                without=list(found.without),
            )
        )  # fmt: skip

    async def delete(self, call: Call) -> Reply:
        """Delete a document with all its versions."""
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        at = clock.milliseconds(clock.now())

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            api, version = _own(tx, tenant_id, name)
            store.delete(tx, api, at)
            _tell(tx, call, at, Word.API_DELETED, api, version)

        await self._work.change(call, run)
        await self.follow()
        return _reply(Done())

    def document(self, tx: Transaction, api: Api, version: Version) -> Document:
        """A version, read piece by piece within a transaction; the pieces of the latest versions are remembered."""
        place = (api.tenant_id, version.id)
        known = self._pieces.setdefault(place, {})
        self._pieces.move_to_end(place)
        while len(self._pieces) > _REMEMBERED:
            self._pieces.popitem(last=False)

        def load(pointer: str) -> Any:
            if pointer not in known:
                if len(known) > PAGE * 10:
                    known.clear()
                known[pointer] = store.piece(tx, api.tenant_id, version.id, pointer)
            return known[pointer]

        return Pieces(load)

    async def _found(self, call: Call, number: int | None = None) -> tuple[Api, Version]:
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        wanted = number or _wanted(call)
        return await self._work.reader.run(lambda tx: _any(tx, tenant_id, name, wanted))

    async def _review(self, api: Api, current: Version, found: Cut) -> comparing.Review:
        def compare(tx: Transaction, work: Work) -> comparing.Review:
            old = self._heads(tx, api, current)
            return comparing.compare(self.document(tx, api, current), old, found.tree, list(found.heads), work)

        return await self._compared(api.tenant_id, compare)

    async def _compared(self, tenant_id: int, do: Callable[[Transaction, Work], comparing.Review]) -> comparing.Review:
        def run(work: Work) -> comparing.Review:
            with self._database.reading() as tx:
                return do(tx, work)

        return await self._turns.run(tenant_id, run, comparing.MOST_STEPS, comparing.MOST_SECONDS)

    @staticmethod
    def _heads(tx: Transaction, api: Api, version: Version) -> list[Head]:
        return [head for _, head in store.heads(tx, api.tenant_id, version.id, 0, version.operations + 1)]


def _any(tx: Transaction, tenant_id: int, name: str, number: int | None) -> tuple[Api, Version]:
    """The company's document of that name, or Offhook's own, and a version of it; NotFound."""
    api = store.named(tx, tenant_id, name) or store.named(tx, BUILT_IN, name)
    if api is None:
        raise NotFound(f"There is no API document {shown(name)}.")
    version = store.version(tx, api.tenant_id, api.id, number or api.number)
    if version is None:
        raise NotFound(f"{api.title} has no version {number} that is kept.")
    return api, version


def _own(tx: Transaction, tenant_id: int, name: str) -> tuple[Api, Version]:
    """The company's own document of that name at its current version; NotFound, Conflict for Offhook's."""
    api, version = _any(tx, tenant_id, name, None)
    if api.tenant_id == BUILT_IN:
        raise Conflict(f"{shown(name)} is Offhook's own document: it comes with Offhook and cannot be changed.")
    return api, version


def _wanted(call: Call) -> int | None:
    return getattr(call.query, "version", None)


def _name(sent: str | None, title: str) -> str:
    """The name of a document: as sent, or made of its title."""
    if sent is None:
        return slug(title, 100) or "api"
    if not _NAME.fullmatch(sent):
        text = "Must be small letters, digits, dots, dashes and underscores, and begin and end with a letter or digit."
        raise Invalid.of([Violation(location="name", message=text, sent=shown(sent))])
    return sent


def _headers(sent: Sequence[wire.HeaderIn]) -> dict[str, str]:
    """The headers that a document is asked for with; Invalid for what no request can have."""
    found: list[Violation] = []
    for number, one in enumerate(sent):
        rules.check_name(one.name, f"headers[{number}].name", found)
        rules.check_secret(one.value, f"headers[{number}].value", found, least=1)
    refuse(found)
    return {one.name.lower(): one.value for one in sent}


def _last(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2] or (urlsplit(url).hostname or "")


def _public(url: str) -> str:
    """An address without user, password and query, in which there may be secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _is_cut(url: str | None) -> bool:
    """Whether something of an address is not kept."""
    return url is not None and _public(url) != urlunsplit(urlsplit(url)._replace(fragment=""))


def _tell(tx: Transaction, call: Call, at: int, word: Word, api: Api, version: Version) -> None:
    told = encode({"name": api.name, "title": api.title, "version": version.number}).decode()
    event = Event(
        tenant_id=call.principal.tenant_id, word=word, subject_id=str(api.id), actor=Actor.of(call.principal), at=at,
        request_id=call.request_id, after=told,
    )  # fmt: skip
    events.append(tx, [event])


def _reply(document: msgspec.Struct) -> Reply:
    return Reply(body=encode(document))


def api_out(api: Api, version: Version, operations: int | None = None) -> wire.ApiOut:
    """A document as it is answered."""
    return wire.ApiOut(
        name=api.name,
        title=api.title,
        version=version.number,
        api_version=version.api_version,
        kind=version.kind,
        operations=version.operations if operations is None else operations,
        problems=len(version.problems),
        address=api.address,
        built_in=api.tenant_id == BUILT_IN,
        imported_at=iso(version.created_at),
        imported_by=version.made_by,
    )


def version_out(version: Version) -> wire.VersionOut:
    """A version as it is answered."""
    return wire.VersionOut(
        version=version.number,
        api_version=version.api_version,
        kind=version.kind,
        operations=version.operations,
        problems=len(version.problems),
        imported_at=iso(version.created_at),
        imported_by=version.made_by,
    )


def head_out(head: Head) -> wire.HeadOut:
    """An operation as it is listed."""
    return wire.HeadOut(
        key=head.key, method=head.method, path=head.path, summary=head.summary, tags=head.tags,
        deprecated=head.deprecated,
    )  # fmt: skip
