"""Conductor's metadata: definitions and task definitions, registered and read."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from offhook.access.doing import Doing
from offhook.access.gate import reply_of
from offhook.catalog.keeping import etag
from offhook.kit import clock
from offhook.kit.errors import Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.workflows.conductor import shown as showing
from offhook.workflows.conductor import wire
from offhook.workflows.definitions import store
from offhook.workflows.definitions import wire as definitions_wire
from offhook.workflows.definitions.reading import Read, read_policy
from offhook.workflows.definitions.service import Definitions
from offhook.workflows.definitions.store import Registered

Raw = dict[str, Any]
MOST_AT_ONCE = 100
"""Definitions or task definitions that one request registers."""

MOST_BYTES = 16_000_000
"""About as much as a list of whole definitions has."""

EMPTY = Reply(body=b"", media=b"text/plain; charset=utf-8")


class Metadata:
    """The definitions and task definitions of all companies, as Conductor's clients see them."""

    def __init__(self, work: Doing, definitions: Definitions) -> None:
        self._work, self._definitions = work, definitions

    # Definitions

    async def register(self, call: Call) -> Reply:
        """Keep one definition."""
        await self._register(call, [call.body], "")
        return EMPTY

    async def update(self, call: Call) -> Reply:
        """Keep definitions, all or none."""
        names = await self._register(call, call.body, "[{}].")
        return reply_of(wire.BulkResult(bulk_error_results={}, bulk_successful_results=names))

    async def validate(self, call: Call) -> Reply:
        """Hold a definition against the rules; nothing is kept."""
        call.notices += (await self._read(call, call.body, "")).notices
        return EMPTY

    async def _register(self, call: Call, sent: Sequence[Raw], place: str) -> list[str]:
        query: wire.OverwriteQuery | wire.ReplaceQuery = call.query or (
            wire.ReplaceQuery() if place else wire.OverwriteQuery()
        )
        _bounded(sent)
        at = clock.now()
        names = frozenset(str(one.get("name")) for one in sent)
        found = [await self._read(call, one, place.format(number), names) for number, one in enumerate(sent)]

        def run(tx: Transaction, notices: list[Notice]) -> list[str]:
            for one in found:
                self._definitions.keep(
                    tx, call, at, one, "sent", notices, overwrite=query.overwrite, anew=query.new_version
                )
            return [one.definition.name for one in found]

        return await self._work.change(call, run)

    async def _read(self, call: Call, sent: Raw, place: str, also: frozenset[str] = frozenset()) -> Read:
        try:
            return await self._definitions.read(call.principal.tenant_id, sent, also)
        except Invalid as refusal:
            raise _placed(refusal, place) from None

    async def get(self, call: Call) -> Reply:
        """One definition: the latest version, or the one that is named."""
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        number = (call.query.version or None) if call.query is not None else None

        def find(tx: Transaction) -> tuple[Kept[Registered], Raw]:
            kept = store.version(tx, tenant_id, name, number)
            if kept is None:
                raise _missing(name, number)
            return kept, _shown(tx, kept)

        kept, raw = await self._work.reader.run(find)
        return reply_of(raw, headers=etag(kept))

    async def all(self, call: Call) -> Reply:
        """All versions of all definitions, as many as a list may have bytes."""
        return await self._listed(call, lambda tx, tenant_id: store.definitions.all(tx, tenant_id))

    async def latest(self, call: Call) -> Reply:
        """The latest version of each definition."""

        def find(tx: Transaction, tenant_id: int) -> Iterable[Kept[Registered]]:
            found: dict[str, Kept[Registered]] = {}
            for kept in store.definitions.all(tx, tenant_id):
                known = found.get(kept.value.name)
                if known is None or known.value.number < kept.value.number:
                    found[kept.value.name] = kept
            return found.values()

        return await self._listed(call, find)

    async def versions(self, call: Call) -> Reply:
        """All versions of one definition, the latest first."""
        name = str(call.params["name"])
        return await self._listed(call, lambda tx, tenant_id: _some(store.versions(tx, tenant_id, name), name))

    async def _listed(self, call: Call, find: Any) -> Reply:
        tenant_id = call.principal.tenant_id

        def run(tx: Transaction) -> tuple[list[Raw], int]:
            kept = list(find(tx, tenant_id))
            found: list[Raw] = []
            size = 0
            for one in kept:
                text = store.text_of(tx, tenant_id, one.value.hash) or ""
                size += len(text)
                if size > MOST_BYTES and found:
                    break
                found.append(_shown(tx, one))
            return found, len(kept) - len(found)

        found, left = await self._work.reader.run(run)
        if left:
            text = f"{left:,} definitions are left out of this list, which would be too long; ask for them by name."
            call.notices.append(Notice("left_out", "", text))
        return reply_of(found)

    async def names(self, call: Call) -> Reply:
        """Names, each with its versions."""
        tenant_id = call.principal.tenant_id
        kept = await self._work.reader.run(lambda tx: list(store.definitions.all(tx, tenant_id)))
        found: dict[str, list[wire.NamedVersion]] = {}
        for one in sorted(kept, key=lambda one: one.value.number):
            version = wire.NamedVersion(
                name=one.value.name,
                version=one.value.number,
                create_time=one.created_at,
                update_time=one.updated_at,
                created_by=one.value.by,
            )
            found.setdefault(one.value.name, []).append(version)
        return reply_of(found)

    async def delete(self, call: Call) -> Reply:
        """Delete a version; runs that were started with it go on."""
        text = str(call.params["version"])
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:
            raise _missing(str(call.params["name"]), text)
        call.query = definitions_wire.DeleteQuery(version=int(text))
        await self._definitions.delete(call)
        return EMPTY

    # Task definitions

    async def register_tasks(self, call: Call) -> Reply:
        """Keep task definitions, all or none, in place of those of their names."""
        await self._keep(call, call.body, "[{}].")
        return EMPTY

    async def update_task(self, call: Call) -> Reply:
        """Keep a task definition in place of the one of its name, which must be there."""
        await self._keep(call, [call.body], "", there=True)
        return EMPTY

    async def _keep(self, call: Call, sent: Sequence[Raw], place: str, *, there: bool = False) -> None:
        _bounded(sent)
        at, found = clock.now(), []
        for number, one in enumerate(sent):
            try:
                found.append(read_policy(one))
            except Invalid as refusal:
                raise _placed(refusal, place.format(number)) from None

        def run(tx: Transaction, notices: list[Notice]) -> None:
            for one in found:
                name = one[1].name
                if there and store.policies.first(tx, call.principal.tenant_id, name=name) is None:
                    raise _no_task(name)
                self._definitions.keep_policy(tx, call, at, one, notices)

        await self._work.change(call, run)

    async def task(self, call: Call) -> Reply:
        """One task definition."""
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        kept = await self._work.reader.run(lambda tx: store.policies.first(tx, tenant_id, name=name))
        if kept is None:
            raise _no_task(name)
        return reply_of(showing.task_def(kept), headers=etag(kept))

    async def tasks(self, call: Call) -> Reply:
        """All task definitions."""
        tenant_id = call.principal.tenant_id
        kept = await self._work.reader.run(lambda tx: list(store.policies.all(tx, tenant_id)))
        return reply_of([showing.task_def(one) for one in kept])

    async def delete_task(self, call: Call) -> Reply:
        """Delete a task definition; tasks of that name are not repeated any more."""
        await self._definitions.delete_policy(call)
        return EMPTY


def _bounded(sent: Sequence[Raw]) -> None:
    if not 0 < len(sent) <= MOST_AT_ONCE:
        text = f"Send 1 to {MOST_AT_ONCE} at a time."
        raise Invalid.of([Violation(location="", message=text, sent=str(len(sent)))])


def _placed(refusal: Invalid, place: str) -> Invalid:
    if not place or not refusal.violations:
        return refusal
    found = refusal.violations
    moved = [msgspec.structs.replace(one, location=f"{place}{one.location}".rstrip(".")) for one in found]
    return Invalid.of(moved)


def _shown(tx: Transaction, kept: Kept[Registered]) -> Raw:
    raw = store.raw_of(tx, kept.tenant_id, kept.value.hash)
    assert raw is not None, "the text of a version is never taken away"
    return showing.definition(kept, raw)


def _some(found: list[Kept[Registered]], name: str) -> list[Kept[Registered]]:
    if not found:
        raise _missing(name, None)
    return found


def _missing(name: str, number: object) -> NotFound:
    return NotFound(f"No such workflow found by name: {shown(name)}, version: {shown(number)}.")


def _no_task(name: str) -> NotFound:
    return NotFound(f"No such task definition found by name: {shown(name)}.")
