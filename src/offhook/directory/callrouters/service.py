"""What can be done with a call router."""

from datetime import datetime

import msgspec

from offhook.access.doing import Done, refuse
from offhook.access.gate import reply_of
from offhook.directory import loops, pointers, targets
from offhook.directory.assignment import service as assignment
from offhook.directory.callrouters import rules, store, wire
from offhook.directory.callrouters.errors import seen_by
from offhook.directory.callrouters.errors import shown as router_shown
from offhook.directory.callrouters.model import CallRouter, TargetType
from offhook.directory.callrouters.store import callrouters
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import line
from offhook.directory.offices import no_such
from offhook.directory.paths import ForceQuery, etag, id_of
from offhook.directory.work import Holder, Holding, Work
from offhook.events.keeper import Keeper, tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

_NOTHING_YET = CallRouter(name="", office_id=0, routing_url="", default_target_type="unknown", default_target_id=0)


class CallRouters:
    """The call routers of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.keeper: Keeper[CallRouter] = Keeper(
            noun="call router",
            documents=callrouters,
            show=lambda _tx, kept: router_shown(kept),
            created=Word.CALLROUTER_CREATED,
            updated=Word.CALLROUTER_UPDATED,
            deleted=Word.CALLROUTER_DELETED,
        )
        work.repointers["callrouter"] = self._repoint
        work.holders["callrouter"] = Holder(get=self._holding, keep=self._keep_numbers)
        work.gone.append(self._gone)

    async def create(self, call: Call) -> Reply:
        """Make a call router in an office of the company."""
        body: wire.CallRouterIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            id = self._work.ids.new()
            router = self._read(tx, call, id, body, _NOTHING_YET, notices)
            kept = self.keeper.add(tx, call, at, id, router)
            pointers.note(tx, tenant_id, Target("callrouter", id), _pointed(router))
            return wire.router_out(seen_by(call.principal, kept))

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One call router."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: self.keeper.get(tx, tenant_id, id))
        return reply_of(wire.router_out(seen_by(call.principal, kept)), headers=etag(kept))

    async def get_whole(self, call: Call) -> Reply:
        """One call router with its errors."""
        now, tenant_id, id = clock.milliseconds(clock.now()), call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> tuple[Kept[CallRouter], list[int]]:
            return self.keeper.get(tx, tenant_id, id), store.errors(tx, tenant_id, id)

        kept, errors = await self._work.reader.run(find)
        body = wire.router_whole(
            seen_by(call.principal, kept), rules.recent(errors, now), errors[-1] if errors else None
        )
        return reply_of(body, headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of call routers, of one office or of all."""
        query: wire.CallRouterListQuery = call.query or wire.CallRouterListQuery()
        tenant_id = call.principal.tenant_id
        filters = {} if query.office_id is None else {"office_id": query.office_id}
        page = await self._work.page(
            call,
            "call routers",
            lambda tx, after, limit: callrouters.page(tx, tenant_id, after, limit, filters),
            cursor=query.cursor,
            filters=filters,
        )
        items = [wire.router_out(seen_by(call.principal, kept)) for kept in page.items]
        return reply_of(wire.CallRouterPage(items=items, cursor=page.cursor))

    async def change(self, call: Call) -> Reply:
        """Change a call router. Its errors are counted on unless the body resets them."""
        body: wire.CallRouterPatch = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[CallRouter]:
            before = self.keeper.get(tx, tenant_id, id)
            router = self._read(tx, call, id, body, before.value, notices)
            if router.office_id != before.value.office_id and router.phone_numbers:
                text = "It has numbers of its office: unassign them before it moves."
                raise Conflict(text, [Violation(location="office_id", reason="conflict", message=text)])
            kept = self.keeper.change(tx, call, at, before, router)
            if _pointed(router) != _pointed(before.value):
                pointers.replace(tx, tenant_id, Target("callrouter", id), _pointed(router))
            if body.reset_error_count:
                _reset_errors(tx, call, at, id)
            elif body.enabled and rules.too_many(rules.recent(store.errors(tx, tenant_id, id), clock.milliseconds(at))):
                text = (
                    "Its errors of the last hour still count, and one more disables it; reset_error_count forgets them."
                )
                notices.append(Notice("errors_still_count", "enabled", text))
            return kept

        kept = await self._work.change(call, run)
        return reply_of(wire.router_out(seen_by(call.principal, kept)), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a call router that no calls are sent to, or with `force` one that they are; its numbers are free."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> None:
            self._remove(tx, call, at, self.keeper.get(tx, tenant_id, id), notices, force=query.force)

        await self._work.change(call, run)
        return reply_of(Done())

    def _read(
        self,
        tx: Transaction,
        call: Call,
        id: int,
        body: wire.CallRouterIn | wire.CallRouterPatch,
        before: CallRouter,
        notices: list[Notice],
    ) -> CallRouter:
        """`before` with what a body changes; Invalid with all that is wrong with it."""
        found: list[Violation] = []
        changes: dict[str, object] = {}
        if body.name is not None:
            changes["name"] = line(body.name, "name", found)
        if body.office_id is not None:
            card = self._work.office(tx, call.principal.tenant_id, to_int64(body.office_id) or 0)
            if card is None:
                found.append(no_such("office_id", "office", body.office_id))
            else:
                changes["office_id"] = card.id
        if body.routing_url is not None:
            changes["routing_url"] = rules.routing_url(body.routing_url, found, notices)
        if body.default_target_type is not None or body.default_target_id is not None:
            kind = body.default_target_type or before.default_target_type
            sent = before.default_target_id if body.default_target_id is None else body.default_target_id
            changes |= self._default(tx, call, id, before, kind, sent, found, notices)
        if body.enabled is not None:
            changes["enabled"] = body.enabled
        if body.secret is not None:
            changes["secret"] = rules.secret(body.secret, found)
        refuse(found)
        router = msgspec.structs.replace(before, **changes)
        pointed = _pointed(router)
        if pointed != _pointed(before):
            itself, tenant_id = Target("callrouter", id), call.principal.tenant_id
            loops.warn_of_loop(
                tx, tenant_id, itself, router.name, pointed, self._work.office, notices, field="default_target_id"
            )
        return router

    def _default(
        self,
        tx: Transaction,
        call: Call,
        id: int,
        before: CallRouter,
        kind: TargetType,
        sent: int | str,
        found: list[Violation],
        notices: list[Notice],
    ) -> dict[str, object]:
        """The default target that a body names, if it can take calls or is that of `before`."""
        number = to_int64(sent)
        if kind == "unknown":
            text = "The target is of an unknown kind: a call that reaches it goes to the office's voicemail."
            notices.append(Notice("target_unknown", "default_target_type", text))
        elif number is None or number <= 0:
            text = "Must be an id: a positive integer, as a number or a string of digits."
            found.append(Violation(location="default_target_id", message=text, sent=shown(sent)))
            return {}
        router = CallRouter(
            name="", office_id=0, routing_url="", default_target_type=kind, default_target_id=number or 0
        )
        target = router.default_target
        if target == Target("callrouter", id):
            text = "A call router cannot be its own default target; name another."
            found.append(Violation(location="default_target_id", message=text, sent=str(id)))
        elif target != before.default_target:
            fault = targets.fault(tx, call.principal.tenant_id, "default_target_id", target, self._work.office)
            found += [fault] if fault is not None else []
        return {"default_target_type": kind, "default_target_id": target.id}

    def _remove(
        self,
        tx: Transaction,
        call: Call,
        at: datetime,
        before: Kept[CallRouter],
        notices: list[Notice],
        *,
        force: bool,
    ) -> None:
        name, target = f"the call router {before.value.name}", Target("callrouter", before.id)
        pointers.free(tx, call, at, target, name, self._work, notices, force=force)
        pointers.forget(tx, before.tenant_id, target)
        assignment.release_all(tx, call, at, target.type, before.id)
        store.forget_errors(tx, before.tenant_id, before.id)
        self.keeper.remove(tx, call, at, before)
        self._work.end(tx, call, at, target, notices, force=force)

    def _repoint(self, tx: Transaction, call: Call, at: datetime, id: int, target: Target) -> None:
        """Calls that a router cannot decide go to its office's voicemail: that is what the kind `unknown` means."""
        call = msgspec.structs.replace(call, if_match=None)
        before = self.keeper.get(tx, call.principal.tenant_id, id)
        router = msgspec.structs.replace(before.value, default_target_type="unknown", default_target_id=0)
        self.keeper.change(tx, call, at, before, router, word=Word.CALLROUTER_POINTED_AT_VOICEMAIL)
        pointers.forget(tx, before.tenant_id, Target("callrouter", id))

    def _gone(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """An office that is gone has no routers, and those that go together need not be pointed elsewhere."""
        if target.type != "office":
            return
        tenant_id = call.principal.tenant_id
        going = callrouters.ids(tx, tenant_id, office_id=target.id)
        for id in going:
            pointers.forget(tx, tenant_id, Target("callrouter", id))
        for id in going:
            self._remove(tx, call, at, self.keeper.get(tx, tenant_id, id), notices, force=force)

    def _holding(self, tx: Transaction, tenant_id: int, id: int) -> Holding | None:
        kept = callrouters.get(tx, tenant_id, id)
        if kept is None:
            return None
        router = kept.value
        return Holding(office_id=router.office_id, name=router.name, phone_numbers=router.phone_numbers)

    def _keep_numbers(self, tx: Transaction, call: Call, at: datetime, id: int, numbers: tuple[str, ...]) -> None:
        before = self.keeper.get(tx, call.principal.tenant_id, id)
        self.keeper.change(tx, call, at, before, msgspec.structs.replace(before.value, phone_numbers=numbers))


def _pointed(router: CallRouter) -> list[tuple[str, Target]]:
    return [("default_target_id", router.default_target)] if router.default_target_type != "unknown" else []


def _reset_errors(tx: Transaction, call: Call, at: datetime, id: int) -> None:
    """Forget a router's errors, with an event that says how many still counted; nothing if it has none."""
    errors = store.errors(tx, call.principal.tenant_id, id)
    if errors:
        store.forget_errors(tx, call.principal.tenant_id, id)
        counted = len(rules.recent(errors, clock.milliseconds(at)))
        before = {"recent_errors": counted, "date_last_error": clock.iso(errors[-1])}
        tell(tx, call, at, Word.CALLROUTER_ERRORS_RESET, id, before=before, after={"recent_errors": 0})
