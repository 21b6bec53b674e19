"""What can be done with telephones: shown, and given a new password."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from offhook.access.gate import reply_of
from offhook.directory.devices.model import Device, OwnerType
from offhook.directory.devices.service import of_owner
from offhook.directory.devices.store import devices
from offhook.directory.paths import id_of
from offhook.directory.rooms.store import rooms
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.emergency.model import CivicAddress
from offhook.events.keeper import tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Invalid, NotFound, Notice, Violation
from offhook.kit.errors import shown as quoted
from offhook.kit.operation import Call, Reply
from offhook.kit.router import ME
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.telephony.phones import model, store, wire
from offhook.telephony.phones.model import SIGN_IN, Phone

_READ_AT_ONCE = 500


class Phones:
    """The telephones of all companies. `server` is where they sign in."""

    def __init__(self, work: Work, server: wire.Server) -> None:
        self._work, self.server = work, server
        self.changed: list[Callable[[str], Awaitable[None]]] = []
        """Told the username whenever its password is another."""

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        query: wire.PhoneQuery = call.query or wire.PhoneQuery()
        tenant_id, owner = call.principal.tenant_id, _asked(call, query)
        filters = {} if owner is None else {"owner_type": owner[0], "owner_id": owner[1]}

        def find(tx: Transaction, after: int, limit: int) -> Sequence[Kept[Device]]:
            if owner is not None:
                _refuse_nobody(tx, tenant_id, *owner)
                found = of_owner(tx, tenant_id, owner[1])
                return [kept for kept in found if kept.id > after and kept.value.type in SIGN_IN][:limit]
            return _of_company(tx, tenant_id, after, limit)

        page = await self._work.page(call, "phones", find, cursor=query.cursor, filters=filters)
        items = await self._work.reader.run(lambda tx: self._shown(tx, tenant_id, page.items))
        return reply_of(wire.PhonePage(items=items, cursor=page.cursor))

    async def get(self, call: Call) -> Reply:
        """One telephone: what to enter into it, and where it is reached."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        return reply_of(
            await self._work.reader.run(lambda tx: self._shown(tx, tenant_id, [_get(tx, tenant_id, id)])[0])
        )

    async def new_password(self, call: Call) -> Reply:
        """Make a password, the first or another; whoever signed in with the one before is reached no more."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
        password = model.new_password()

        def run(tx: Transaction, notices: list[Notice]) -> wire.PhoneOut:
            kept = _get(tx, tenant_id, id)
            before = store.of_devices(tx, tenant_id, [id]).get(id)
            username = before.username if before is not None else _free_username(tx)
            phone = Phone(
                device_id=id, tenant_id=tenant_id, username=username, realm=self.server.realm,
                digests=model.digests(username, self.server.realm, password), set_at=clock.milliseconds(at),
            )  # fmt: skip
            store.put(tx, phone)
            store.put_contacts(tx, tenant_id, id, [])
            about = {"owner_type": kept.value.owner_type, "owner_id": str(kept.value.owner_id), "username": username}
            tell(tx, call, at, Word.PHONE_PASSWORD_CHANGED, id, after=about)
            owner = self._owners(tx, tenant_id, [kept.value]).get(kept.value.owner_id, wire.Owner())
            if owner.e911 is None:
                notices.append(_nowhere(kept.value, owner))
            return self._shown(tx, tenant_id, [kept])[0]

        phone = await self._work.change(call, run)
        for told in self.changed:
            await told(phone.settings.username or "")
        return reply_of(wire.PasswordOut(phone=phone, password=password))

    def _shown(self, tx: Transaction, tenant_id: int, found: Sequence[Kept[Device]]) -> list[wire.PhoneOut]:
        ids = [kept.id for kept in found]
        phones = store.of_devices(tx, tenant_id, ids)
        contacts = store.contacts_of(tx, tenant_id, ids, now())
        owners = self._owners(tx, tenant_id, [kept.value for kept in found])
        return [
            wire.phone_out(
                kept,
                owners.get(kept.value.owner_id, wire.Owner()),
                phones.get(kept.id),
                contacts.get(kept.id, []),
                self.server,
            )
            for kept in found
        ]

    def _owners(self, tx: Transaction, tenant_id: int, found: Sequence[Device]) -> dict[int, wire.Owner]:
        """Whose they are, by id; ids are unique over both kinds. Help goes where `routing/outbound.py` says."""
        of_kind: dict[OwnerType, list[int]] = {"user": [], "room": []}
        for device in found:
            of_kind[device.owner_type].append(device.owner_id)
        people = users.get_many(tx, tenant_id, of_kind["user"])
        places = rooms.get_many(tx, tenant_id, of_kind["room"])
        ids = {one.value.office_id for one in people} | {one.value.office_id for one in places}
        offices = {id: self._work.office(tx, tenant_id, id) for id in ids}

        def owner(name: str, office_id: int, own: CivicAddress | None) -> wire.Owner:
            office = offices[office_id]
            e911 = own or (office.e911_address if office is not None else None)
            return wire.Owner(name=name, office_id=office_id, e911=e911)

        return {
            one.id: owner(one.value.display_name, one.value.office_id, one.value.e911_address) for one in people
        } | {one.id: owner(one.value.name, one.value.office_id, None) for one in places}


def now() -> int:
    """Milliseconds since 1970 UTC by the clock that no caller can set: telephones live by it."""
    return int(clock.wall() * 1000)


def _of_company(tx: Transaction, tenant_id: int, after: int, limit: int) -> list[Kept[Device]]:
    found: list[Kept[Device]] = []
    while len(found) < limit:
        some = devices.page(tx, tenant_id, after, _READ_AT_ONCE)
        found += [kept for kept in some if kept.value.type in SIGN_IN]
        if len(some) < _READ_AT_ONCE:
            break
        after = some[-1].id
    return found[:limit]


def _nowhere(device: Device, owner: wire.Owner) -> Notice:
    """The warning of a telephone whose calls for help say nothing of where it is."""
    user, office = device.owner_id, owner.office_id
    whose = f"offhook user emergency-address {user}, or " if device.owner_type == "user" else ""
    places = f"PUT /api/v2/users/{user}/e911, " if device.owner_type == "user" else ""
    text = (
        f"Calls for help from this telephone carry no address: set one with {whose}offhook office emergency-address "
        f"{office} (over HTTP {places}PUT /api/v2/offices/{office}/e911)."
    )
    return Notice("no_emergency_address", "e911_address", text)


def _free_username(tx: Transaction) -> str:
    while True:
        username = model.new_username()
        if not store.is_taken(tx, username):
            return username


def _get(tx: Transaction, tenant_id: int, id: int) -> Kept[Device]:
    kept = devices.get(tx, tenant_id, id)
    if kept is None or kept.value.type not in SIGN_IN:
        raise NotFound(f"There is no phone {id}.")
    return kept


def _asked(call: Call, query: wire.PhoneQuery) -> tuple[OwnerType, int] | None:
    """Whose telephones are asked for; None for everybody's."""
    if query.user_id is not None and query.room_id is not None:
        raise Invalid.of([Violation(location="room_id", message="Ask for those of a user or of a room, not of both.")])
    if query.user_id == ME:
        return "user", call.principal.me("user_id")
    kind: OwnerType = "user" if query.user_id is not None else "room"
    text = query.user_id if query.user_id is not None else query.room_id
    if text is None:
        return None
    number = to_int64(text)
    if number is None:
        message = f"Must be a 64-bit integer, written with digits{', or me' if kind == 'user' else ''}."
        raise Invalid.of([Violation(location=f"{kind}_id", message=message, sent=quoted(text))])
    return kind, number


def _refuse_nobody(tx: Transaction, tenant_id: int, kind: OwnerType, owner: int) -> None:
    documents: Any = users if kind == "user" else rooms
    if documents.get(tx, tenant_id, owner) is None:
        raise NotFound(f"There is no {kind} {owner}.")
