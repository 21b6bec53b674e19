"""What can be done with departments and call centers: one implementation, told which of the two by its `Side`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic

import msgspec

from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.directory import hands, loops, pointers, scripts, targets
from offhook.directory.assignment import service as assignment
from offhook.directory.groups import rules, wire
from offhook.directory.groups.model import CALLCENTERS, DEPARTMENTS, G, Kind
from offhook.directory.groups.store import callcenters, departments
from offhook.directory.lines.model import KeptByHand, Target, added
from offhook.directory.lines.rules import repointed
from offhook.directory.offices import OfficeCard, no_such
from offhook.directory.operators import store as operators
from offhook.directory.operators.service import leave_group
from offhook.directory.paths import ForceQuery, etag, id_of
from offhook.directory.users.store import users
from offhook.directory.work import Holder, Holding, Work
from offhook.events.keeper import Keeper
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import NotFound, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Documents, Kept

Read = Callable[[Any, G, list[Violation], list[Notice]], G]
"""The rules of a kind: a body, read onto what there was."""


@dataclass(frozen=True)
class Side(Generic[G]):
    """All in which the two kinds differ: where they are kept, their rules, and how they are shown."""

    kind: Kind[G]
    documents: Documents[G]
    read: Read[G]
    show: Callable[[Kept[G], OfficeCard, datetime], msgspec.Struct]
    page: Callable[..., msgspec.Struct]


DEPARTMENT_SIDE = Side(DEPARTMENTS, departments, rules.department, wire.department_out, wire.DepartmentPage)
CALLCENTER_SIDE = Side(CALLCENTERS, callcenters, rules.callcenter, wire.callcenter_out, wire.CallCenterPage)


class Groups(Generic[G]):
    """The departments or the call centers of all companies."""

    def __init__(self, work: Work, side: Side[G]) -> None:
        self._work = work
        self._side = side
        self.kind = side.kind
        self.keeper: Keeper[G] = Keeper(
            noun=self.kind.noun,
            documents=side.documents,
            show=self._shown,
            created=self.kind.created,
            updated=self.kind.updated,
            deleted=self.kind.deleted,
        )
        work.holders[self.kind.target] = Holder(get=self._holding, keep=self._keep_numbers)
        work.repointers[self.kind.target] = self._repoint
        work.residents[f"{self.kind.noun}s"] = lambda tx, tenant_id, office_id: side.documents.count(
            tx, tenant_id, office_id=office_id
        )

    # Reading

    async def get(self, call: Call) -> Reply:
        """One of them."""
        tenant_id, id, at = call.principal.tenant_id, id_of(call), clock.now()

        def read(tx: Transaction) -> tuple[Kept[G], msgspec.Struct]:
            kept = self.keeper.get(tx, tenant_id, id)
            return kept, self._side.show(kept, self._office(tx, kept), at)

        kept, shown = await self._work.reader.run(read)
        return reply_of(shown, headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of them, of all or of those that the query names."""
        query: wire.GroupListQuery = call.query or wire.GroupListQuery()
        return await self._page(call, query.cursor, query.office_id, query.name_search)

    async def page_of_office(self, call: Call) -> Reply:
        """A page of those of one office, which must be there."""
        query: wire.OfficeGroupsQuery = call.query or wire.OfficeGroupsQuery()
        tenant_id, office_id = call.principal.tenant_id, id_of(call, "office_id")
        if await self._work.reader.run(lambda tx: self._work.office(tx, tenant_id, office_id)) is None:
            raise NotFound(f"There is no office {office_id}.")
        return await self._page(call, query.cursor, office_id, None)

    async def _page(self, call: Call, cursor: str | None, office_id: int | None, name_search: str | None) -> Reply:
        tenant_id, at = call.principal.tenant_id, clock.now()
        filters = {} if office_id is None else {"office_id": office_id}
        holding = {"name": name_search.casefold()} if name_search else {}

        def find(tx: Transaction, after: int, limit: int) -> Sequence[tuple[int, msgspec.Struct]]:
            cards: dict[int, OfficeCard] = {}
            found = []
            for kept in self._side.documents.page(tx, tenant_id, after, limit, filters, holding=holding):
                card = cards.get(kept.value.office_id)
                if card is None:
                    card = cards[kept.value.office_id] = self._office(tx, kept)
                found.append((kept.id, self._side.show(kept, card, at)))
            return found

        page = await self._work.page(
            call,
            self.kind.path,
            find,
            cursor=cursor,
            filters={**filters, **holding},
            position=lambda one: one[0],
        )
        return reply_of(self._side.page(items=[shown for _, shown in page.items], cursor=page.cursor))

    # Changing

    async def check(self, call: Call) -> Sequence[Violation]:
        """What the rules have against the body, by themselves."""
        found: list[Violation] = []
        self._side.read(call.body, self.kind.blank(0), found, [])
        return found

    async def create(self, call: Call) -> Reply:
        """Make one in an office of the company."""
        body: wire.DepartmentIn | wire.CallCenterIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, self._work.ids.new()

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            card = self._work.office(tx, tenant_id, to_int64(body.office_id) or 0)
            if card is None:
                found.append(no_such("office_id", "office", body.office_id))
            group = self._side.read(body, self.kind.blank(card.id if card else 0), found, notices)
            refuse([*found, *self._missing(tx, tenant_id, id, group.targets())])
            assert card is not None
            kept = self.keeper.add(tx, call, at, id, group)
            self._note(tx, kept, notices)
            return self._side.show(kept, card, at)

        return await self._work.create(call, make)

    async def change(self, call: Call) -> Reply:
        """Change what is sent of one."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> tuple[Kept[G], msgspec.Struct]:
            before = self.keeper.get(tx, tenant_id, id)
            found: list[Violation] = []
            group = self._side.read(call.body, before.value, found, notices)
            fresh = added(before.value.targets(), group.targets())
            refuse([*found, *self._missing(tx, tenant_id, id, fresh)])
            kept = self.keeper.change(tx, call, at, before, group)
            if group.targets() != before.value.targets():
                self._note(tx, kept, notices)
            return kept, self._side.show(kept, self._office(tx, kept), at)

        kept, shown = await self._work.change(call, run)
        return reply_of(shown, headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete one that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            before = self.keeper.get(tx, tenant_id, id)
            name = f"the {self.kind.noun} {before.value.name}"
            target, card = Target(self.kind.target, id), self._office(tx, before)
            pointers.free(tx, call, at, target, name, self._work, notices, force=query.force)
            pointers.forget(tx, tenant_id, target)
            gone = self.keeper.remove(tx, call, at, before)
            leave_group(tx, call, at, target)
            assignment.release_all(tx, call, at, target.type, id)
            self._work.end(tx, call, at, target, notices, force=query.force)
            without = msgspec.structs.replace(gone.value, phone_numbers=())
            return self._side.show(msgspec.structs.replace(gone, value=without), card, at)

        return reply_of(await self._work.change(call, run))

    # By hand

    async def hand(self, call: Call) -> hands.Hand:
        """How the line of one stands, by its hours and by hand."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        return await self._work.reader.run(lambda tx: self._hand(tx, self.keeper.get(tx, tenant_id, id)))

    async def change_hand(
        self, call: Call, word: Word, decide: Callable[[hands.Hand], KeptByHand | None]
    ) -> hands.Hand:
        """Open, close or lift one by hand."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> hands.Hand:
            before = self.keeper.get(tx, tenant_id, id)
            group = msgspec.structs.replace(before.value, by_hand=decide(self._hand(tx, before)))
            return self._hand(tx, self.keeper.change(tx, call, at, before, group, word=word))

        return await self._work.change(call, run)

    def _hand(self, tx: Transaction, kept: Kept[G]) -> hands.Hand:
        return hands.Hand(kept.value.schedule(self._office(tx, kept)), kept.value.by_hand, kept.version)

    # Workflows

    async def script(self, call: Call) -> scripts.Scripted:
        """The workflow that one hands calls to."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: self.keeper.get(tx, tenant_id, id))
        return scripts.Scripted(kept.value.script, kept.version)

    async def change_script(self, call: Call, word: Word, edit: scripts.Edit) -> scripts.Scripted:
        """Attach a workflow to one, or detach it."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> scripts.Scripted:
            before = self.keeper.get(tx, tenant_id, id)
            group = msgspec.structs.replace(before.value, script=edit(tx))
            kept = self.keeper.change(tx, call, at, before, group, word=word)
            return scripts.Scripted(kept.value.script, kept.version)

        return await self._work.change(call, run)

    # Inside

    def _shown(self, tx: Transaction, kept: Kept[G]) -> dict[str, Any]:
        """What events keep: the wire form, and what was done by hand."""
        card, at = self._office(tx, kept), _moment(kept.updated_at)
        wired: dict[str, Any] = msgspec.to_builtins(self._side.show(kept, card, at))
        if kept.value.by_hand is not None:
            wired["by_hand"] = msgspec.to_builtins(hands.out(self._hand(tx, kept), at))
        if kept.value.script is not None:
            wired["script"] = msgspec.to_builtins(scripts.out(kept.value.script))
        return wired

    def _office(self, tx: Transaction, kept: Kept[G]) -> OfficeCard:
        card = self._work.office(tx, kept.tenant_id, kept.value.office_id)
        assert card is not None, "an office is not deleted while groups are in it"
        return card

    def _missing(
        self, tx: Transaction, tenant_id: int, id: int, pointed: Sequence[tuple[str, Target]]
    ) -> list[Violation]:
        """The targets among `pointed` that cannot be called. It may call itself, even before it is there."""
        itself = Target(self.kind.target, id)
        return [
            wrong
            for place, target in pointed
            if target != itself
            and (wrong := targets.fault(tx, tenant_id, place, target, self._work.office)) is not None
        ]

    def _note(self, tx: Transaction, kept: Kept[G], notices: list[Notice]) -> None:
        """Keep what it points at, and warn if calls can go round or reach nobody."""
        itself, pointed = Target(self.kind.target, kept.id), kept.value.targets()
        pointers.replace(tx, kept.tenant_id, itself, pointed)
        loops.warn_of_loop(tx, kept.tenant_id, itself, kept.value.name, pointed, self._work.office, notices)
        targets.warn_of_unreachable(tx, kept.tenant_id, pointed, notices)

    def _repoint(self, tx: Transaction, call: Call, at: datetime, id: int, target: Target) -> None:
        """Send its calls to its office's voicemail wherever they went to `target`, which is about to go."""
        before = self.keeper.get(tx, call.principal.tenant_id, id)
        group = before.value
        opened, closed = repointed(group.open, target), repointed(group.closed, target)
        after = msgspec.structs.replace(group, open=opened, closed=closed)
        call = msgspec.structs.replace(call, if_match=None)
        kept = self.keeper.change(tx, call, at, before, after, word=self.kind.repointed)
        pointers.replace(tx, kept.tenant_id, Target(self.kind.target, id), kept.value.targets())

    def _holding(self, tx: Transaction, tenant_id: int, id: int) -> Holding | None:
        kept = self._side.documents.get(tx, tenant_id, id)
        if kept is None:
            return None
        group = kept.value
        return Holding(office_id=group.office_id, name=group.name, phone_numbers=group.phone_numbers)

    def _keep_numbers(self, tx: Transaction, call: Call, at: datetime, id: int, has: tuple[str, ...]) -> None:
        before = self.keeper.get(tx, call.principal.tenant_id, id)
        self.keeper.change(tx, call, at, before, msgspec.structs.replace(before.value, phone_numbers=has))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def status_of(work: Work) -> Callable[[Call], Any]:
    """The handler that tells how a call center stands."""

    async def handle(call: Call) -> Reply:
        tenant_id, id, at = call.principal.tenant_id, id_of(call), clock.now()

        def read(tx: Transaction) -> wire.CallCenterStatusOut:
            kept = callcenters.get(tx, tenant_id, id)
            if kept is None:
                raise NotFound(f"There is no call center {id}.")
            card = work.office(tx, tenant_id, kept.value.office_id)
            assert card is not None
            on_duty, capacity = _staff(tx, tenant_id, id)
            return wire.CallCenterStatusOut(
                availability=wire.availability_out(kept.value, card, at),
                capacity=str(capacity),
                on_duty_operators=str(on_duty),
                pending="0",
                longest_call_wait_time="0",
            )

        return reply_of(await work.reader.run(read))

    return handle


def _staff(tx: Transaction, tenant_id: int, center_id: int) -> tuple[int, int]:
    """(operators on duty, operators who can take a call now) of a call center."""
    members: Mapping[int, operators.Operator] = {
        one.member_id: one for one in operators.of_group(tx, tenant_id, "callcenter", center_id)
    }
    found = users.get_many(tx, tenant_id, list(members))
    on_duty = [kept for kept in found if kept.state == "active" and kept.value.on_duty]
    free = [kept for kept in on_duty if not kept.value.do_not_disturb and not members[kept.id].do_not_disturb]
    return len(on_duty), len(free)
