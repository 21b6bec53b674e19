"""What can be done with saved requests."""

from datetime import datetime
from typing import Any

import msgspec

from offhook.access.doing import Doing, Done, refuse
from offhook.access.gate import reply_of
from offhook.catalog.credentials.store import credentials
from offhook.catalog.keeping import etag, id_of
from offhook.catalog.requests import store, wire
from offhook.catalog.requests.curl import from_curl
from offhook.catalog.requests.saved import Saved, Version
from offhook.catalog.requests.store import saved
from offhook.catalog.requests.typed import offers
from offhook.events.keeper import Keeper
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.text import single_line
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

MOST = 5_000


class Requests:
    """The saved requests of all companies."""

    def __init__(self, work: Doing) -> None:
        self._work = work

    async def create(self, call: Call) -> Reply:
        """Keep a request by name."""
        value, at, tenant_id = self._read(call), clock.now(), call.principal.tenant_id

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            self._refuse_twice(tx, tenant_id, value, 0)
            self._refuse_unknown_credential(tx, tenant_id, value)
            if saved.count(tx, tenant_id) >= MOST:
                raise Conflict(f"A company may keep {MOST} requests; delete some that are not used.")
            kept = KEEPER.add(tx, call, at, self._work.ids.new(), value)
            self._keep_version(tx, call, at, kept)
            return wire.saved_out(kept)

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One of them."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, id))
        return reply_of(wire.saved_out(kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        query: wire.SavedQuery = call.query or wire.SavedQuery()
        tenant_id = call.principal.tenant_id
        collection = "" if query.in_none else query.collection
        named = {"collection": collection, "api": query.api, "operation": query.operation}
        filters = {name: value for name, value in named.items() if value is not None}
        page = await self._work.page(
            call,
            "saved requests",
            lambda tx, after, limit: saved.page(tx, tenant_id, after, limit, filters),
            cursor=query.cursor,
            filters=filters,
        )
        return reply_of(wire.SavedPage(items=[wire.saved_out(kept) for kept in page.items], cursor=page.cursor))

    async def update(self, call: Call) -> Reply:
        """Put another in its place, as its next version."""
        value, at, tenant_id, id = self._read(call), clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction) -> Kept[Saved]:
            before = KEEPER.get(tx, tenant_id, id)
            self._refuse_twice(tx, tenant_id, value, id)
            if value.request.credential_id != before.value.request.credential_id:
                self._refuse_unknown_credential(tx, tenant_id, value)
            after = KEEPER.change(tx, call, at, before, value)
            if after is not before:
                self._keep_version(tx, call, at, after)
            return after

        kept = await self._work.writer.run(run)
        return reply_of(wire.saved_out(kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete one with its versions."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction) -> None:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.remove(tx, call, at, before)
            store.forget_versions(tx, tenant_id, id)

        await self._work.writer.run(run)
        return reply_of(Done())

    async def versions(self, call: Call) -> Reply:
        """All versions of one, the newest first."""
        tenant_id, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> list[Version]:
            KEEPER.get(tx, tenant_id, id)
            return store.all_versions(tx, tenant_id, id)

        found = await self._work.reader.run(find)
        return reply_of(wire.VersionsOut(items=[wire.version_out(one) for one in found]))

    async def version(self, call: Call) -> Reply:
        """One version of one."""
        tenant_id, id, number = call.principal.tenant_id, id_of(call), id_of(call, "version_id")

        def find(tx: Transaction) -> Version:
            KEEPER.get(tx, tenant_id, id)
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
        found = [wire.offer_out(one) for one in offers(read.prepared)]
        return reply_of(wire.CurlOut(request=wire.prepared_out(read.prepared), offers=found))

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
        call.notices.extend(offer.notice for offer in offers(request))
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


KEEPER = Keeper(
    "request",
    saved,
    lambda _, kept: _told(kept.value),
    Word.REQUEST_CREATED,
    Word.REQUEST_UPDATED,
    Word.REQUEST_DELETED,
)
