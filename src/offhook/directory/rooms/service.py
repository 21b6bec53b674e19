"""What can be done with a room."""

from datetime import datetime

import msgspec

from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.directory import pointers
from offhook.directory.assignment import service as assignment
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import line
from offhook.directory.offices import no_such
from offhook.directory.operators import store as operators
from offhook.directory.operators.service import leave
from offhook.directory.paths import ForceQuery, etag, id_of
from offhook.directory.rooms import wire
from offhook.directory.rooms.model import Room
from offhook.directory.rooms.store import rooms
from offhook.directory.work import Holder, Holding, Work
from offhook.events.keeper import Keeper, shown
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Invalid, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


class Rooms:
    """The rooms of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.keeper: Keeper[Room] = Keeper(
            noun="room",
            documents=rooms,
            show=shown,
            created=Word.ROOM_CREATED,
            updated=Word.ROOM_UPDATED,
            deleted=Word.ROOM_DELETED,
        )
        work.residents["rooms"] = lambda tx, tenant_id, office_id: rooms.count(tx, tenant_id, office_id=office_id)
        work.holders["room"] = Holder(get=self._holding, keep=self._keep_numbers)
        work.residents["rooms"] = lambda tx, tenant_id, office_id: rooms.count(tx, tenant_id, office_id=office_id)

    async def create(self, call: Call) -> Reply:
        """Make a room in an office of the company."""
        body: wire.RoomIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            found: list[Violation] = []
            name = line(body.name, "name", found)
            card = self._work.office(tx, tenant_id, to_int64(body.office_id) or 0)
            if card is None:
                found.append(no_such("office_id", "office", body.office_id))
            refuse(found)
            assert name is not None
            assert card is not None
            room = Room(name=name, office_id=card.id, country=card.country)
            return self.out(call, self.keeper.add(tx, call, at, self._work.ids.new(), room))

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One room."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: self.keeper.get(tx, tenant_id, id))
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of rooms, of one office or of all."""
        query: wire.RoomListQuery = call.query or wire.RoomListQuery()
        tenant_id = call.principal.tenant_id
        filters = {} if query.office_id is None else {"office_id": query.office_id}
        page = await self._work.page(
            call,
            "rooms",
            lambda tx, after, limit: rooms.page(tx, tenant_id, after, limit, filters),
            cursor=query.cursor,
            filters=filters,
        )
        return reply_of(wire.RoomPage(items=[self.out(call, kept) for kept in page.items], cursor=page.cursor))

    async def change(self, call: Call) -> Reply:
        """Rename a room, or put its numbers in another order."""
        body: wire.RoomPatch = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Room]:
            before = self.keeper.get(tx, tenant_id, id)
            found: list[Violation] = []
            name = line(body.name, "name", found)
            room = before.value if name is None else msgspec.structs.replace(before.value, name=name)
            if body.phone_numbers is not None:
                try:
                    ordered = assignment.reordered(tx, call, at, _holding_of(room), body.phone_numbers, "phone_numbers")
                except Invalid as invalid:
                    found += invalid.violations
                else:
                    room = msgspec.structs.replace(room, phone_numbers=ordered)
            refuse(found)
            return self.keeper.change(tx, call, at, before, room)

        kept = await self._work.change(call, run)
        return reply_of(self.out(call, kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a room that no calls are sent to, or with `force` one that they are."""
        query: ForceQuery = call.query or ForceQuery()
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[Room]:
            before = self.keeper.get(tx, tenant_id, id)
            name = f"the room {before.value.name}"
            target = Target("room", id)
            pointers.free(tx, call, at, target, name, self._work, notices, force=query.force)
            assignment.release_all(tx, call, at, "room", id)
            leave(tx, call, at, operators.of_member(tx, tenant_id, "room", id), notices)
            gone = self.keeper.remove(tx, call, at, before)
            self._work.end(tx, call, at, target, notices, force=query.force)
            return msgspec.structs.replace(gone, value=msgspec.structs.replace(gone.value, phone_numbers=()))

        return reply_of(self.out(call, await self._work.change(call, run)))

    def out(self, call: Call, kept: Kept[Room]) -> wire.RoomOut:
        """A room as v2 answers it."""
        return wire.room_out(kept, call.principal.company_id)

    def _holding(self, tx: Transaction, tenant_id: int, id: int) -> Holding | None:
        kept = rooms.get(tx, tenant_id, id)
        return _holding_of(kept.value) if kept is not None else None

    def _keep_numbers(self, tx: Transaction, call: Call, at: datetime, id: int, numbers: tuple[str, ...]) -> None:
        before = self.keeper.get(tx, call.principal.tenant_id, id)
        self.keeper.change(tx, call, at, before, msgspec.structs.replace(before.value, phone_numbers=numbers))


def _holding_of(room: Room) -> Holding:
    return Holding(office_id=room.office_id, name=room.name, phone_numbers=room.phone_numbers, first_line="room_lines")
