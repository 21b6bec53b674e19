"""What can be done with the devices of users and rooms."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from offhook.access.doing import Done, refuse
from offhook.access.gate import reply_of
from offhook.directory.devices import wire
from offhook.directory.devices.model import DESK_PHONES, DISABLED, ENABLED, MAX_DEVICES, Device, OwnerType
from offhook.directory.devices.store import devices
from offhook.directory.lines.model import Target
from offhook.directory.lines.rules import line
from offhook.directory.paths import etag, id_of
from offhook.directory.rooms.store import rooms
from offhook.directory.users.licensing import KEEPER as USERS
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.events.keeper import Keeper, shown
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation
from offhook.kit.errors import shown as quoted
from offhook.kit.operation import Call, Handler, Reply
from offhook.kit.router import ME
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

KEEPER: Keeper[Device] = Keeper(
    noun="device",
    documents=devices,
    show=shown,
    created=Word.DEVICE_CREATED,
    updated=Word.DEVICE_UPDATED,
    deleted=Word.DEVICE_DELETED,
)


def of_owner(tx: Transaction, tenant_id: int, owner_id: int) -> list[Kept[Device]]:
    """The devices of a user or a room, oldest first; ids are unique over all kinds."""
    return devices.page(tx, tenant_id, 0, MAX_DEVICES, {"owner_id": owner_id})


class Devices:
    """The devices of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work
        work.gone.append(self._gone)

    # Of one user or room

    def listing(self, kind: OwnerType) -> Handler:
        """All devices of an owner."""

        async def handle(call: Call) -> Reply:
            found = await self._of(call, kind, "id")
            return reply_of(wire.DeviceRecords(items=[wire.record(kept) for kept in found]))

        return handle

    def creating(self, kind: OwnerType) -> Handler:
        """Make a device."""

        async def handle(call: Call) -> Reply:
            body: wire.DeviceIn = call.body
            at, tenant_id, owner = clock.now(), call.principal.tenant_id, _owner(call, kind, "id")

            def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
                _refuse_nobody(tx, tenant_id, kind, owner)
                found: list[Violation] = []
                name = line(body.name, "name", found)
                refuse(found)
                before = of_owner(tx, tenant_id, owner)
                if len(before) >= MAX_DEVICES:
                    raise Conflict(f"The {kind} {owner} has {MAX_DEVICES} devices, the most; delete one of them first.")
                notices += _namesakes(before, name or "")
                device = Device(owner_type=kind, owner_id=owner, type=body.type or "sip", name=name or "")
                state = DISABLED if body.enabled is False else ENABLED
                return wire.record(KEEPER.add(tx, call, at, self._work.ids.new(), device, state=state))

            return await self._work.create(call, make)

        return handle

    def showing(self, kind: OwnerType) -> Handler:
        """One device."""

        async def handle(call: Call) -> Reply:
            tenant_id, owner, id = call.principal.tenant_id, _owner(call, kind, "id"), id_of(call, "device_id")
            kept = await self._work.reader.run(lambda tx: _get(tx, tenant_id, kind, owner, id))
            return reply_of(wire.record(kept), headers=etag(kept))

        return handle

    def changing(self, kind: OwnerType) -> Handler:
        """Rename a device, switch it on or off, say what it is."""

        async def handle(call: Call) -> Reply:
            body: wire.DevicePatch = call.body
            at, tenant_id = clock.now(), call.principal.tenant_id
            owner, id = _owner(call, kind, "id"), id_of(call, "device_id")

            def run(tx: Transaction, _notices: list[Notice]) -> Kept[Device]:
                before = _get(tx, tenant_id, kind, owner, id)
                found: list[Violation] = []
                changes: dict[str, Any] = {"type": body.type, "name": line(body.name, "name", found)}
                refuse(found)
                said = {name: value for name, value in changes.items() if value is not None}
                state = before.state if body.enabled is None else ENABLED if body.enabled else DISABLED
                return KEEPER.change(tx, call, at, before, msgspec.structs.replace(before.value, **said), state=state)

            kept = await self._work.change(call, run)
            return reply_of(wire.record(kept), headers=etag(kept))

        return handle

    def deleting(self, kind: OwnerType) -> Handler:
        """Delete a device."""

        async def handle(call: Call) -> Reply:
            at, tenant_id = clock.now(), call.principal.tenant_id
            owner, id = _owner(call, kind, "id"), id_of(call, "device_id")

            def run(tx: Transaction, _notices: list[Notice]) -> Kept[Device]:
                before = _get(tx, tenant_id, kind, owner, id)
                KEEPER.remove(tx, call, at, before)
                return before

            return reply_of(wire.record(await self._work.change(call, run)))

        return handle

    def _gone(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """The devices of who is gone are gone."""
        if target.type in ("user", "room"):
            for kept in of_owner(tx, call.principal.tenant_id, target.id):
                KEEPER.remove(tx, call, at, kept)

    async def _of(self, call: Call, kind: OwnerType, place: str) -> list[Kept[Device]]:
        tenant_id, owner = call.principal.tenant_id, _owner(call, kind, place)

        def read(tx: Transaction) -> list[Kept[Device]]:
            _refuse_nobody(tx, tenant_id, kind, owner)
            return of_owner(tx, tenant_id, owner)

        return await self._work.reader.run(read)

    # v2: the devices of users

    async def get(self, call: Call) -> Reply:
        """A user's device."""
        tenant_id, text = call.principal.tenant_id, str(call.params["id"])
        id = to_int64(text)
        kept = None if id is None else await self._work.reader.run(lambda tx: devices.get(tx, tenant_id, id))
        if kept is None or kept.value.owner_type != "user":
            raise NotFound(f"There is no device {quoted(text)}.")
        return reply_of(wire.device_out(kept))

    async def page(self, call: Call) -> Reply:
        """A page of devices, of one user or of all."""
        query: wire.DeviceListQuery = call.query or wire.DeviceListQuery()
        tenant_id = call.principal.tenant_id
        owner = None if query.user_id is None else _asked(call, query.user_id)
        filters: dict[str, Any] = {"owner_type": "user"} if owner is None else {"owner_id": owner}

        def find(tx: Transaction, after: int, limit: int) -> Sequence[Any]:
            if owner is not None:
                USERS.get(tx, tenant_id, owner)
            return devices.page(tx, tenant_id, after, limit, filters)

        page = await self._work.page(call, "userdevices", find, cursor=query.cursor, filters=filters)
        return reply_of(wire.DevicePage(items=[wire.device_out(one) for one in page.items], cursor=page.cursor))

    # v2: desk phones

    def desk_phones(self, kind: OwnerType) -> Handler:
        """The desk phones of an owner."""

        async def handle(call: Call) -> Reply:
            found = await self._of(call, kind, "parent_id")
            phones = [wire.desk_phone_out(kept) for kept in found if kept.value.type in DESK_PHONES]
            return reply_of(wire.DeskPhones(items=phones))

        return handle

    def desk_phone(self, kind: OwnerType) -> Handler:
        """One desk phone."""

        async def handle(call: Call) -> Reply:
            tenant_id, owner = call.principal.tenant_id, _owner(call, kind, "parent_id")
            kept = await self._work.reader.run(lambda tx: _desk_phone(tx, call, tenant_id, kind, owner))
            return reply_of(wire.desk_phone_out(kept))

        return handle

    def deleting_desk_phone(self, kind: OwnerType) -> Handler:
        """Delete a desk phone."""

        async def handle(call: Call) -> Reply:
            at, tenant_id, owner = clock.now(), call.principal.tenant_id, _owner(call, kind, "parent_id")

            def run(tx: Transaction, _notices: list[Notice]) -> None:
                KEEPER.remove(tx, call, at, _desk_phone(tx, call, tenant_id, kind, owner))

            await self._work.change(call, run)
            return reply_of(Done())

        return handle


def _owner(call: Call, kind: OwnerType, place: str) -> int:
    """Whose devices the path names."""
    return id_of(call, place)


def _asked(call: Call, text: str) -> int:
    """The user that a query names, by id or as `me`."""
    if text == ME:
        mine: int = call.principal.me("user_id")
        return mine
    number = to_int64(text)
    if number is None:
        message = "Must be a 64-bit integer, written with digits, or me."
        raise Invalid.of([Violation(location="user_id", message=message, sent=quoted(text))])
    return number


def _namesakes(before: Sequence[Kept[Device]], name: str) -> list[Notice]:
    """The warning of a device that is called as another of its owner: perhaps it was to take its place."""
    same = [str(kept.id) for kept in before if name and kept.value.name.casefold() == name.casefold()]
    if not same:
        return []
    text = (
        f"There was one of that name already, {', '.join(same)}, and it stays: offhook phone remove {same[0]} takes it "
        f"away (over HTTP DELETE at its id), offhook phone new-password {same[0]} would have given it another password."
    )
    return [Notice("same_name", "name", text)]


def _refuse_nobody(tx: Transaction, tenant_id: int, kind: OwnerType, owner: int) -> None:
    """NotFound if the company has no such user or room."""
    documents: Any = users if kind == "user" else rooms
    if documents.get(tx, tenant_id, owner) is None:
        raise NotFound(f"There is no {kind} {owner}.")


def _get(tx: Transaction, tenant_id: int, kind: OwnerType, owner: int, id: int) -> Kept[Device]:
    """A device of an owner; NotFound if there is no such owner, or it has no such device."""
    _refuse_nobody(tx, tenant_id, kind, owner)
    kept = devices.get(tx, tenant_id, id)
    if kept is None or kept.value.owner_id != owner:
        raise KEEPER.missing(id)
    return kept


def _desk_phone(tx: Transaction, call: Call, tenant_id: int, kind: OwnerType, owner: int) -> Kept[Device]:
    text = str(call.params["id"])
    _refuse_nobody(tx, tenant_id, kind, owner)
    kept = devices.get(tx, tenant_id, to_int64(text) or 0)
    if kept is None or kept.value.owner_id != owner or kept.value.type not in DESK_PHONES:
        raise NotFound(f"There is no desk phone {quoted(text)}.")
    return kept
