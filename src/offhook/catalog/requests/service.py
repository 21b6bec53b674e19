"""What can be done with saved requests."""

from datetime import datetime
from typing import Any

import msgspec

from offhook.access.gate import reply_of
from offhook.catalog import keeping
from offhook.catalog.credentials.redaction import is_private
from offhook.catalog.credentials.store import credentials
from offhook.catalog.keeping import Done, Keeping, etag, id_of, refuse, tell
from offhook.catalog.requests import store, wire
from offhook.catalog.requests.curl import from_curl
from offhook.catalog.requests.saved import Saved, Version
from offhook.catalog.requests.store import saved
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.text import single_line
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

NOUN = "request"
MOST = 5_000


class Requests:
    """The saved requests of all companies."""

    def __init__(self, work: Keeping) -> None:
        self._work = work

    async def create(self, call: Call) -> Reply:
        """Keep a request by name."""
        value, at, tenant_id = self._read(call), clock.now(), call.principal.tenant_id

        def make(tx: Transaction) -> msgspec.Struct:
            self._refuse_twice(tx, tenant_id, value, 0)
            self._refuse_unknown_credential(tx, tenant_id, value)
            if saved.count(tx, tenant_id) >= MOST:
                raise Conflict(f"A company may keep {MOST} requests; delete some that are not used.")
            kept = keeping.new(call, at, self._work.ids.new(), value)
            saved.insert(tx, [kept])
            self._keep_version(tx, call, at, kept)
            tell(tx, call, at, Word.REQUEST_CREATED, kept.id, after=_told(value))
            return wire.saved_out(kept)

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One of them."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: keeping.get(saved, tx, tenant_id, id, NOUN))
        return reply_of(wire.saved_out(kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        query: wire.SavedQuery = call.query or wire.SavedQuery()
        tenant_id, cursors = call.principal.tenant_id, self._work.cursors
        collection = "" if query.in_none else query.collection
        named = {"collection": collection, "api": query.api, "operation": query.operation}
        filters = {name: value for name, value in named.items() if value is not None}
        bound = sorted(filters.items())
        after = cursors.open(query.cursor, "saved requests", tenant_id, bound) if query.cursor else 0
        found = await self._work.reader.run(lambda tx: saved.page(tx, tenant_id, after, keeping.PAGE + 1, filters))
        here = found[: keeping.PAGE]
        more = len(found) > len(here)
        cursor = cursors.seal("saved requests", tenant_id, bound, here[-1].id) if more else None
        return reply_of(wire.SavedPage(items=[wire.saved_out(kept) for kept in here], cursor=cursor))

    async def update(self, call: Call) -> Reply:
        """Put another in its place, as its next version."""
        value, at, tenant_id, id = self._read(call), clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction) -> Kept[Saved]:
            before = keeping.get(saved, tx, tenant_id, id, NOUN)
            self._refuse_twice(tx, tenant_id, value, id)
            if value.request.credential_id != before.value.request.credential_id:
                self._refuse_unknown_credential(tx, tenant_id, value)
            after = keeping.put(saved, tx, call, at, before, value, NOUN)
            if after is not before:
                self._keep_version(tx, call, at, after)
                tell(tx, call, at, Word.REQUEST_UPDATED, id, before=_told(before.value), after=_told(value))
            return after

        kept = await self._work.writer.run(run)
        return reply_of(wire.saved_out(kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete one with its versions."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction) -> None:
            before = keeping.get(saved, tx, tenant_id, id, NOUN)
            keeping.remove(saved, tx, call, at, before, before.value, NOUN)
            store.forget_versions(tx, tenant_id, id)
            tell(tx, call, at, Word.REQUEST_DELETED, id, before=_told(before.value))

        await self._work.writer.run(run)
        return reply_of(Done())

    async def versions(self, call: Call) -> Reply:
        """All versions of one, the newest first."""
        tenant_id, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> list[Version]:
            keeping.get(saved, tx, tenant_id, id, NOUN)
            return store.all_versions(tx, tenant_id, id)

        found = await self._work.reader.run(find)
        return reply_of(wire.VersionsOut(items=[wire.version_out(one) for one in found]))

    async def version(self, call: Call) -> Reply:
        """One version of one."""
        tenant_id, id, number = call.principal.tenant_id, id_of(call), id_of(call, "version_id")

        def find(tx: Transaction) -> Version:
            keeping.get(saved, tx, tenant_id, id, NOUN)
            found = store.version(tx, tenant_id, id, number)
            if found is None:
                raise NotFound(f"There is no version {number} of the request {id}.")
            return found

        return reply_of(wire.version_out(await self._work.reader.run(find)))

    async def collections(self, call: Call) -> Reply:
        """The company's collections."""
        tenant_id = call.principal.tenant_id
        found = await self._work.reader.run(lambda tx: store.collections(tx, tenant_id))
        items = [wire.CollectionOut(name=name, requests=count) for name, count in found]
        return reply_of(wire.CollectionsOut(items=items))

    async def from_curl(self, call: Call) -> Reply:
        """The request that a curl command makes; nothing is kept or sent."""
        body: wire.CurlIn = call.body
        read = from_curl(body.curl)
        call.notices.extend(read.notices)
        return reply_of(wire.CurlOut(request=wire.prepared_out(read.prepared)))

    @staticmethod
    def _read(call: Call) -> Saved:
        body: wire.SavedIn = call.body
        found: list[Violation] = []
        name, fault = single_line(body.name, "name", 200)
        found += [] if fault is None else [fault]
        collection: str | None = ""
        if body.collection.strip():
            collection, fault = single_line(body.collection, "collection", 200)
            found += [] if fault is None else [fault]
        request = wire.prepared(body.request, "request", found)
        refuse(found)
        for pair in (*request.headers, *request.query):
            if is_private(pair.name) and pair.value and "${" not in pair.value:
                text = "It is kept in the clear, for the whole company to see: keep it as a credential instead."
                call.notices.append(Notice("secret_in_request", pair.name, text))
        return Saved(name=name or "", collection=collection or "", request=request)

    @staticmethod
    def _refuse_twice(tx: Transaction, tenant_id: int, value: Saved, id: int) -> None:
        other = saved.first(tx, tenant_id, place=f"{value.collection}\n{value.name}")
        if other is not None and other.id != id:
            message = "Another request of this collection has this name; choose one of its own."
            raise Conflict(message, [Violation(location="name", message=message, reason=Conflict.reason)])

    @staticmethod
    def _refuse_unknown_credential(tx: Transaction, tenant_id: int, value: Saved) -> None:
        sent = value.request.credential_id
        id = to_int64(sent) if sent else None
        if sent and (id is None or credentials.get(tx, tenant_id, id) is None):
            text = "There is no such credential; name one of the company's, or none."
            raise Invalid.of([Violation(location="request.credential_id", message=text, sent=shown(sent))])

    @staticmethod
    def _keep_version(tx: Transaction, call: Call, at: datetime, kept: Kept[Saved]) -> None:
        moment, by = clock.milliseconds(at), call.principal.key_name
        entry = Version(version=kept.version, at=moment, by=by, saved=kept.value)
        store.put_version(tx, kept.tenant_id, kept.id, entry)


def _told(value: Saved) -> dict[str, Any]:
    """What events keep of one: not its headers and bodies, in which secrets may stand."""
    return {
        "name": value.name,
        "collection": value.collection,
        "method": value.request.method,
        "server": value.request.server.partition("?")[0],
        "path": value.request.path.partition("?")[0],
    }
