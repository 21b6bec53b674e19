"""What can be done with definitions and policies: registered, read, checked, drawn, imported, added to."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from offhook.access.doing import Doing, Done
from offhook.access.gate import reply_of
from offhook.catalog.credentials.store import credentials
from offhook.catalog.documents import comparing
from offhook.catalog.documents import store as documents
from offhook.catalog.documents.service import Apis
from offhook.catalog.keeping import etag
from offhook.catalog.model import Document, Head
from offhook.catalog.reference.page import reference
from offhook.catalog.requests import wire as requests_wire
from offhook.catalog.requests.building import prepare
from offhook.catalog.requests.model import Prepared
from offhook.catalog.requests.saved import Saved
from offhook.catalog.requests.store import saved
from offhook.catalog.work import Work
from offhook.events.keeper import Keeper
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Refusal, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.workflows.definitions import adding, rules, store, wire
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.environment import settings, unset
from offhook.workflows.definitions.graph import graph, mermaid
from offhook.workflows.definitions.imports.simworkflow import imported
from offhook.workflows.definitions.lint import exported, lint
from offhook.workflows.definitions.model import Policy, every
from offhook.workflows.definitions.reading import Read, accepted, loaded, read, read_policy
from offhook.workflows.definitions.store import Registered, RegisteredPolicy
from offhook.workflows.definitions.surroundings import Surroundings

Raw = dict[str, Any]
MOST = 10_000
"""Versions of definitions of a company, and its policies."""


def _told(_tx: Transaction, kept: Kept[Registered]) -> dict[str, Any]:
    one = kept.value
    return {"name": one.name, "version": one.number, "hash": one.hash, "tasks": one.tasks, "source": one.source}


def _told_policy(_tx: Transaction, kept: Kept[RegisteredPolicy]) -> dict[str, Any]:
    return {"name": kept.value.name}


KEEPER = Keeper(
    "workflow definition",
    store.definitions,
    _told,
    Word.WORKFLOW_DEFINITION_REGISTERED,
    Word.WORKFLOW_DEFINITION_UPDATED,
    Word.WORKFLOW_DEFINITION_DELETED,
)
POLICIES = Keeper(
    "workflow policy",
    store.policies,
    _told_policy,
    Word.WORKFLOW_POLICY_REGISTERED,
    Word.WORKFLOW_POLICY_UPDATED,
    Word.WORKFLOW_POLICY_DELETED,
)


class Definitions:
    """The definitions of all companies. `apis` are the documents that tasks may have been made for, `surroundings` what
    definitions are held against beside the rules.
    """

    def __init__(self, work: Doing, apis: Apis, surroundings: Surroundings) -> None:
        self._work, self._apis, self._surroundings = work, apis, surroundings

    # Registering

    async def register(self, call: Call) -> Reply:
        """Keep a definition as a version."""
        body: wire.RegisterIn = call.body
        tenant_id, at = call.principal.tenant_id, clock.now()
        found = await self.checked(tenant_id, body.definition)

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            kept = self.keep(tx, call, at, found, "sent", notices, overwrite=body.overwrite, anew=body.new_version)
            return wire.definition_out(kept, store.raw_of(tx, tenant_id, kept.value.hash))

        return await self._work.create(call, make)

    async def checked(self, tenant_id: int, sent: Raw, also: frozenset[str] = frozenset()) -> Read:
        """A definition as `read` gives it; places in a refusal are those in the request."""
        try:
            return await self.read(tenant_id, sent, also)
        except Invalid as refusal:
            raise Invalid.of(_placed(refusal.violations)) from None

    async def read(self, tenant_id: int, sent: Raw, also: frozenset[str] = frozenset()) -> Read:
        """A definition held against the rules and what it runs among; Invalid with all that is wrong with it.

        `also` names workflows that are registered along with it.
        """
        raw = await asyncio.to_thread(loaded, sent)
        return await asyncio.to_thread(accepted, raw, await self._check(tenant_id, raw, also))

    async def _check(self, tenant_id: int, raw: Raw, also: frozenset[str] = frozenset()) -> Checked:
        """The rules in a thread: a large definition takes a while."""
        policies = await self._work.reader.run(lambda tx: store.all_policies(tx, tenant_id))
        found = await asyncio.to_thread(rules.check, raw, policies)
        await self._surroundings.look(tenant_id, raw, policies, found, also)
        return found

    def keep(
        self, tx: Transaction, call: Call, at: datetime, found: Read, source: str, notices: list[Notice],
        *, overwrite: bool = False, anew: bool = False,
    ) -> Kept[Registered]:  # fmt: skip
        """Keep a definition that was checked as a version, with its event, in the caller's transaction.

        `anew` makes it the version after the latest. Conflict if the version is there and may not be overwritten.
        """
        tenant_id = call.principal.tenant_id
        if anew:
            latest = store.version(tx, tenant_id, found.definition.name, None)
            number = 1 if latest is None else latest.value.number + 1
            found = msgspec.structs.replace(found, raw={**found.raw, "version": number})
        notices += found.notices
        value = self._value(tx, call, at, found, source)
        before = store.version(tx, tenant_id, value.name, value.number)
        if before is not None:
            if not overwrite:
                text = f"{shown(value.name)} has a version {value.number} already."
                mend = "Send new_version for the version after the latest, or overwrite to replace it."
                raise Conflict(text, [Violation(location="definition.version", message=mend, reason="conflict")])
            return KEEPER.change(tx, call, at, before, value)
        if store.definitions.count(tx, tenant_id) >= MOST:
            raise Conflict(f"A company may keep {MOST:,} versions of definitions; delete some that are not used.")
        return KEEPER.add(tx, call, at, self._work.ids.new(), value)

    @staticmethod
    def _value(tx: Transaction, call: Call, at: datetime, found: Read, source: str) -> Registered:
        number = int(found.raw.get("version") or 1)
        raw = {**found.raw, "version": number}
        return Registered(
            name=found.definition.name,
            number=number,
            hash=store.put_text(tx, call.principal.tenant_id, raw, clock.milliseconds(at)),
            description=(found.definition.description or "")[:500],
            tasks=sum(1 for _ in every(found.definition.tasks)),
            by=call.principal.key_name,
            source=source,
            origins=adding.origins(found.definition),
        )

    async def update(self, call: Call) -> Reply:
        """Put a definition in the place of a version: new runs take it, those that go on keep what they have."""
        body: wire.UpdateIn = call.body
        tenant_id, name, at = call.principal.tenant_id, str(call.params["name"]), clock.now()
        found = await self.checked(tenant_id, body.definition)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[Registered]:
            _version(tx, tenant_id, name, None)
            if found.definition.name != name:
                text = f"Must be {shown(name)}, the name in the path; a definition is not renamed."
                sent = shown(found.definition.name)
                raise Invalid.of([Violation(location="definition.name", message=text, sent=sent)])
            before = _version(tx, tenant_id, name, found.definition.version)
            notices += found.notices
            return KEEPER.change(tx, call, at, before, self._value(tx, call, at, found, "sent"))

        kept = await self._work.change(call, run)
        return reply_of(wire.definition_out(kept, found.raw), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a version; runs that were started with it go on."""
        query: wire.DeleteQuery = call.query
        tenant_id, name, at = call.principal.tenant_id, str(call.params["name"]), clock.now()

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            KEEPER.remove(tx, call, at, _version(tx, tenant_id, name, query.version))

        await self._work.change(call, run)
        return reply_of(Done())

    # Reading

    async def page(self, call: Call) -> Reply:
        """A page of names, in their order."""
        query: wire.NamesQuery = call.query or wire.NamesQuery()
        tenant_id = call.principal.tenant_id
        page = await self._work.page(
            call,
            "workflow definitions",
            lambda tx, after, limit: store.names(tx, tenant_id, after, limit, query.name),
            cursor=query.cursor,
            filters={"name": query.name},
        )
        kept = await self._work.reader.run(
            lambda tx: [store.version(tx, tenant_id, one.name, one.latest) for one in page.items]
        )
        items = [wire.name_out(one, latest) for one, latest in zip(page.items, kept, strict=True)]
        return reply_of(wire.NamesOut(items=items, cursor=page.cursor))

    async def versions(self, call: Call) -> Reply:
        """All versions of a definition."""
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        found = await self._work.reader.run(lambda tx: store.versions(tx, tenant_id, name))
        if not found:
            raise _missing(name, None)
        return reply_of(wire.VersionsOut(items=[wire.definition_out(one) for one in found]))

    async def get(self, call: Call) -> Reply:
        """One version."""
        kept, raw = await self._found(call)
        return reply_of(wire.definition_out(kept, raw), headers=etag(kept))

    async def _found(self, call: Call) -> tuple[Kept[Registered], Raw]:
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        number = getattr(call.query, "version", None)

        def find(tx: Transaction) -> tuple[Kept[Registered], Raw]:
            kept = _version(tx, tenant_id, name, number)
            return kept, _raw(tx, kept)

        return await self._work.reader.run(find)

    async def graph(self, call: Call) -> Reply:
        """One version as a graph."""
        query: wire.GraphQuery = call.query or wire.GraphQuery()
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        found = await self._work.reader.run(lambda tx: store.definition_for(tx, tenant_id, name, query.version))
        if found is None:
            raise _missing(name, query.version)
        if query.form == "mermaid":
            return Reply(body=mermaid(found[2]).encode(), media=b"text/plain; charset=utf-8")
        return reply_of(graph(found[2]))

    async def export(self, call: Call) -> Reply:
        """One version in the form that a stock Conductor server takes."""
        _, raw = await self._found(call)
        made = exported(raw)
        return reply_of(wire.ExportOut(definition=made.raw, notices=[wire.notice_out(one) for one in made.notices]))

    # Checking and importing

    async def validate(self, call: Call) -> Reply:
        """All that is to be said of a definition; nothing is kept."""
        body: wire.ValidateIn = call.body
        if (body.definition is None) == (body.text is None):
            text = "Send either the definition or its text."
            raise Invalid.of([Violation(location="definition", message=text, reason="required", about=("text",))])
        tenant_id = call.principal.tenant_id
        try:
            raw = loaded(body.text if body.text is not None else body.definition or {})
        except Refusal as refusal:
            found = refusal.violations or (Violation(location="", message=refusal.message, reason=refusal.reason),)
            out = [wire.violation_out(one) for one in found]
            return reply_of(wire.ValidatedOut(good=False, violations=out, notices=[], lint=[]))
        checked, lacking = await self._check(tenant_id, raw), await asyncio.to_thread(lint, raw)
        return reply_of(
            wire.ValidatedOut(
                good=checked.good,
                violations=[wire.violation_out(one) for one in checked.violations],
                notices=[wire.notice_out(one) for one in checked.notices],
                lint=lacking,
            )
        )

    async def import_(self, call: Call) -> Reply:
        """What a definition of another system becomes; registered only if that is asked for."""
        body: wire.ImportIn = call.body
        at = clock.now()
        made = await asyncio.to_thread(imported, body.definition)
        all_of_it = (*made.others, made.raw) if body.register else ()
        names = frozenset(str(one.get("name")) for one in all_of_it)
        sound = [await self.checked(call.principal.tenant_id, one, names) for one in all_of_it]

        def make(tx: Transaction, notices: list[Notice]) -> wire.ImportOut:
            kept: list[wire.DefinitionOut] = []
            for found in sound:
                one = self.keep(tx, call, at, found, "imported", notices, anew=True)
                kept.append(wire.definition_out(one))
            return wire.ImportOut(
                definition=made.raw,
                others=list(made.others),
                sound=made.sound,
                names={name: list(refs) for name, refs in made.names.items()},
                translated=list(made.translated),
                missing=list(made.missing),
                registered=kept,
            )

        return await self._work.create(call, make)

    # Requests as tasks

    async def add_task(self, call: Call) -> Reply:
        """Add a request as an HTTP task, as a new version."""
        body: wire.AddTaskIn = call.body
        tenant_id, name, at = call.principal.tenant_id, str(call.params["name"]), clock.now()
        if (body.saved_request is None) == (body.request is None):
            text = "Send either saved_request or request."
            about = ("request",)
            raise Invalid.of([Violation(location="saved_request", message=text, reason="required", about=about)])

        asked, _, _ = await self._work.reader.run(lambda tx: self._request(tx, tenant_id, body))
        fresh, made_up = await self._fresh(tenant_id, asked)

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            before = _added_to(tx, tenant_id, name, body)
            prepared, origin, called = self._request(tx, tenant_id, body)
            prepared, said = adding.opened(prepared, fresh, made_up, kept=body.request is None)
            notices += said
            wanted = body.name or called
            ref = body.reference_name or adding.free_ref(before, wanted)
            credential = _named(tx, tenant_id, body.credential) or _credential(tx, tenant_id, prepared)
            task = adding.http_task(prepared, name=wanted, ref=ref, credential=credential, origin=origin)
            found = _read(adding.inserted(before, task, body.after), store.all_policies(tx, tenant_id))
            kept = self.keep(tx, call, at, found, "task added", notices, anew=True)
            return wire.AddedOut(definition=wire.definition_out(kept, _raw(tx, kept)), task=task)

        return await self._work.create(call, make)

    async def _fresh(self, tenant_id: int, prepared: Prepared) -> tuple[Prepared | None, list[str]]:
        """The request as its document prepares it, and what of it is made up; None for one of no document."""
        made_up: list[str] = []
        if not prepared.api or not prepared.operation:
            return None, made_up
        number = int(prepared.version) if prepared.version.isdecimal() and len(prepared.version) < 10 else None

        def build(document: Document, head: Head, _api: documents.Api, work: Work) -> Prepared:
            page = reference(document, head.pointer, head, work.part(20_000))
            return prepare(page, document, head.pointer, work, made_up)

        try:
            return await self._apis.within(tenant_id, prepared.api, prepared.operation, number, build), made_up
        except NotFound:
            return None, []

    @staticmethod
    def _request(tx: Transaction, tenant_id: int, body: wire.AddTaskIn) -> tuple[Prepared, Raw, str]:
        """The request, where it came from, and what it is called."""
        origin: Raw = {}
        if body.request is not None:
            found: list[Violation] = []
            prepared = requests_wire.prepared(body.request, "request", found)
            if found:
                raise Invalid.of(found)
            called = ""
        else:
            kept = _saved(tx, tenant_id, body.saved_request or "")
            prepared, called = kept.value.request, kept.value.name
            origin = {"savedRequest": str(kept.id), "savedRequestVersion": kept.version, "savedRequestName": called}
        made_for = {"api": prepared.api, "version": prepared.version, "operation": prepared.operation}
        origin = {name: value for name, value in made_for.items() if value} | origin
        return prepared, origin, called or prepared.name or prepared.operation or "request"

    async def by_api(self, call: Call) -> Reply:
        """The tasks of the latest versions that were made for an API document, and what changed of each."""
        tenant_id, api_name = call.principal.tenant_id, str(call.params["api"])

        def find(tx: Transaction) -> wire.TouchedPage:
            api = documents.named(tx, tenant_id, api_name) or documents.named(tx, documents.BUILT_IN, api_name)
            if api is None:
                raise NotFound(f"There is no API document {shown(api_name)}.")
            latest: dict[str, Registered] = {}
            for kept in store.definitions.all(tx, tenant_id):
                if kept.value.number > (latest[kept.value.name].number if kept.value.name in latest else 0):
                    latest[kept.value.name] = kept.value
            history = _History(tx, self._apis, api)
            items = [
                history.touched(one, origin)
                for one in latest.values()
                for origin in one.origins
                if origin.api == api_name
            ]
            return wire.TouchedPage(api=api.name, current=api.number, items=items)

        return reply_of(await self._work.reader.run(find))

    # Policies

    async def register_policy(self, call: Call) -> Reply:
        """Keep a policy by its name, in place of the one before."""
        body: wire.PolicyIn = call.body
        at = clock.now()
        found = read_policy(body.policy)

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            return wire.policy_out(self.keep_policy(tx, call, at, found, notices))

        return await self._work.create(call, make)

    def keep_policy(
        self,
        tx: Transaction,
        call: Call,
        at: datetime,
        found: tuple[Raw, Policy, tuple[Notice, ...]],
        notices: list[Notice],
    ) -> Kept[RegisteredPolicy]:
        """Keep a policy that was read, in place of the one of its name, in the caller's transaction."""
        raw, policy, said = found
        notices += said
        tenant_id = call.principal.tenant_id
        value = RegisteredPolicy(name=policy.name, raw=raw, by=call.principal.key_name)
        before = store.policies.first(tx, tenant_id, name=policy.name)
        if before is not None:
            return POLICIES.change(tx, call, at, before, value)
        if store.policies.count(tx, tenant_id) >= MOST:
            raise Conflict(f"A company may keep {MOST:,} policies; delete some that are not used.")
        return POLICIES.add(tx, call, at, self._work.ids.new(), value)

    async def policies(self, call: Call) -> Reply:
        """A page of policies."""
        query: wire.ListQuery = call.query or wire.ListQuery()
        tenant_id = call.principal.tenant_id
        page = await self._work.page(
            call,
            "workflow policies",
            lambda tx, after, limit: store.policies.page(tx, tenant_id, after, limit),
            cursor=query.cursor,
        )
        return reply_of(wire.PolicyPage(items=[wire.policy_out(one) for one in page.items], cursor=page.cursor))

    async def policy(self, call: Call) -> Reply:
        """One policy."""
        tenant_id, name = call.principal.tenant_id, str(call.params["name"])
        kept = await self._work.reader.run(lambda tx: _policy(tx, tenant_id, name))
        return reply_of(wire.policy_out(kept), headers=etag(kept))

    async def delete_policy(self, call: Call) -> Reply:
        """Delete a policy; tasks of that name are not repeated any more."""
        tenant_id, name, at = call.principal.tenant_id, str(call.params["name"]), clock.now()

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            POLICIES.remove(tx, call, at, _policy(tx, tenant_id, name))

        await self._work.change(call, run)
        return reply_of(Done())


class _History:
    """What has become of the operations of one API document since tasks were made for them."""

    def __init__(self, tx: Transaction, apis: Apis, api: documents.Api) -> None:
        self._tx, self._apis, self._api = tx, apis, api
        self._reviews: dict[int, tuple[comparing.Review, set[str]] | None] = {}

    def touched(self, one: Registered, origin: adding.Origin) -> wire.TouchedOut:
        out = wire.TouchedOut(
            name=one.name, version=one.number, reference_name=origin.ref, operation=origin.operation,
            made_for=origin.version, state="unknown",
        )  # fmt: skip
        number = int(origin.version) if origin.version.isdecimal() and len(origin.version) < 10 else self._api.number
        found = self._review(number)
        if found is None:
            return out
        review, keys = found
        if any(head.key == origin.operation for head in review.removed):
            return msgspec.structs.replace(out, state="removed", breaks=True)
        for each in review.changed:
            if each.before.key == origin.operation:
                return msgspec.structs.replace(out, state="changed", breaks=each.breaks, changes=list(each.changes))
        return msgspec.structs.replace(out, state="unchanged") if origin.operation in keys else out

    def _review(self, number: int) -> tuple[comparing.Review, set[str]] | None:
        if number not in self._reviews:
            self._reviews[number] = self._compared(number)
        return self._reviews[number]

    def _compared(self, number: int) -> tuple[comparing.Review, set[str]] | None:
        api, tx = self._api, self._tx
        before = documents.version(tx, api.tenant_id, api.id, number)
        after = documents.version(tx, api.tenant_id, api.id, api.number)
        if before is None or after is None:
            return None
        old, new = (
            [head for _, head in documents.heads(tx, api.tenant_id, one.id, 0, one.operations + 1)]
            for one in (before, after)
        )
        keys = {head.key for head in old}
        if before.id == after.id:
            return comparing.Review(added=(), removed=(), changed=(), unchanged=len(old)), keys
        review = comparing.compare(self._apis.document(tx, api, before), old, self._apis.document(tx, api, after), new)
        return review, keys


def _read(raw: Raw, policies: Mapping[str, Policy]) -> Read:
    """A definition held against the rules; places are those in the request."""
    try:
        found = read(raw, policies)
        return msgspec.structs.replace(found, notices=(*found.notices, *unset(found.raw, settings())))
    except Invalid as refusal:
        raise Invalid.of(_placed(refusal.violations)) from None


def _placed(found: Iterable[Violation]) -> list[Violation]:
    return [msgspec.structs.replace(one, location=f"definition.{one.location}".removesuffix(".")) for one in found]


def _added_to(tx: Transaction, tenant_id: int, name: str, body: wire.AddTaskIn) -> Raw:
    """The definition that a task is added to: a new one, if there is none and it may be made."""
    if body.create and body.version is None and store.version(tx, tenant_id, name, None) is None:
        return {"name": name, "version": 1, "schemaVersion": 2, "tasks": []}
    return _raw(tx, _version(tx, tenant_id, name, body.version))


def _version(tx: Transaction, tenant_id: int, name: str, number: int | None) -> Kept[Registered]:
    kept = store.version(tx, tenant_id, name, number)
    if kept is None:
        raise _missing(name, number)
    return kept


def _missing(name: str, number: int | None) -> NotFound:
    of = "" if number is None else f" with a version {number}"
    return NotFound(f"There is no workflow definition {shown(name)}{of}; register it first.")


def _raw(tx: Transaction, kept: Kept[Registered]) -> Raw:
    raw = store.raw_of(tx, kept.tenant_id, kept.value.hash)
    assert raw is not None
    return raw


def _policy(tx: Transaction, tenant_id: int, name: str) -> Kept[RegisteredPolicy]:
    kept = store.policies.first(tx, tenant_id, name=name)
    if kept is None:
        raise POLICIES.missing(shown(name))
    return kept


def _saved(tx: Transaction, tenant_id: int, wanted: str) -> Kept[Saved]:
    """A saved request by its id, its place (collection/name), or its name if only one has it."""
    id = to_int64(wanted)
    kept = saved.get(tx, tenant_id, id) if id is not None else None
    if kept is not None:
        return kept
    collection, _, name = wanted.rpartition("/")
    kept = saved.first(tx, tenant_id, place=f"{collection}\n{name}") or saved.first(tx, tenant_id, place=f"\n{wanted}")
    if kept is not None:
        return kept
    named = [one for one in saved.all(tx, tenant_id) if one.value.name == wanted]
    if len(named) == 1:
        return named[0]
    text = "There is no such saved request; name it by its id, or as collection/name."
    if named:
        text = f"{len(named)} saved requests have this name; name it by its id, or as collection/name."
    raise Invalid.of([Violation(location="saved_request", message=text, sent=shown(wanted), reason="notFound")])


def _named(tx: Transaction, tenant_id: int, name: str | None) -> str:
    """The name of a credential that was asked for, "" for none."""
    if name and credentials.first(tx, tenant_id, name=name) is None:
        text = "There is no credential of this name; add it to the workbench first."
        raise Invalid.of([Violation(location="credential", message=text, sent=shown(name), reason="notFound")])
    return name or ""


def _credential(tx: Transaction, tenant_id: int, prepared: Prepared) -> str:
    """The name of a request's credential, "" if it has none."""
    if not prepared.credential_id:
        return ""
    id = to_int64(prepared.credential_id)
    kept = credentials.get(tx, tenant_id, id) if id is not None else None
    if kept is None:
        text = "The request's credential is gone; choose another for it."
        raise Invalid.of(
            [Violation(location="request.credential_id", message=text, sent=shown(prepared.credential_id))]
        )
    return kept.value.name
