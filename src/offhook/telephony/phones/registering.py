"""What the SIP worker asks about telephones: who a username is, and that one is reached somewhere from now on.

Both are answered from the store, so that registrations outlive the worker and the server. No event tells of them: each
telephone registers every few minutes. Where the store cannot be asked, a telephone is who it was last, for its calls
for help.
"""

from collections.abc import Callable

import msgspec

from offhook.directory.devices.store import devices
from offhook.storage.batches import Reader, Together, Writer
from offhook.storage.database import Transaction
from offhook.telephony import port
from offhook.telephony.phones import rules, store
from offhook.telephony.phones.model import Contact, Owned, Phone
from offhook.telephony.phones.service import now as by_the_clock
from offhook.telephony.recalled import Recalled

_NOBODY = 404
"""What a registration is answered whose telephone is gone since it proved itself (RFC 3261 section 10.3, step 5)."""

OUTDATED = 403
"""The same, where its password is another one since: it proved itself with what is no proof any more."""

_OK = 200
_LONGEST_USERNAME = 64
_FORGET_MS = 300_000
_MOST_PLACES = 10_000

ACCOUNT_SECONDS = 2.0
"""In which the store must say who a username is; of whoever is known by none, too, so that nobody sees a difference."""

MOST_KNOWN = 20_000
"""Telephones whose owner is remembered."""


class Registrar:
    """Who is registered where, in all companies. `realm` is what passwords are good for."""

    def __init__(self, reader: Reader, writer: Writer, realm: str, now: Callable[[], int] = by_the_clock) -> None:
        self._reader, self._writer, self._realm, self._now = reader, writer, realm, now
        self._due = 0
        self._known: Recalled[str, Owned] = Recalled("telephone", MOST_KNOWN)
        self._contacts: Together[tuple[int, int, int], list[Contact]] = Together(reader, self._found)

    async def account(self, username: str) -> port.Account:
        """The digests that a telephone proves itself with; none, in the same form, if there is no such telephone."""
        owned, _ = await self.owned(username, ACCOUNT_SECONDS)
        digests = dict(owned.phone.digests) if owned is not None and owned.phone.realm == self._realm else {}
        return port.Account(username=username, digests=digests)

    async def owned(self, username: str, seconds: float | None = None) -> tuple[Owned | None, bool]:
        """The telephone of a username, of whatever company, and whose it is; None if there is none. True if the store
        said so within `seconds`, else that is as it was known last.
        """
        return await self._known.ask(username, self._reader.briefly(lambda tx: _owned(tx, username)), seconds)

    def forget_account(self, username: str) -> None:
        """It has another password: what was known of it is no proof any more."""
        self._known.forget(username)

    async def register(self, asked: port.Register) -> port.Registered:
        """Do what a telephone asks that has proven itself; answered once it is on disk."""
        if not asked.contacts and not asked.everything:
            return await self._reader.run(lambda tx: self._told(tx, asked))
        return await self._writer.aside(lambda tx: self._register(tx, asked))

    def _told(self, tx: Transaction, asked: port.Register) -> port.Registered:
        phone = _of_username(tx, asked.username)
        if phone is None:
            return port.Registered(id=asked.id, code=_NOBODY)
        if asked.proof != port.mark(phone.digests):
            return port.Registered(id=asked.id, code=OUTDATED)
        at = self._now()
        outcome = rules.register(store.contacts(tx, phone.tenant_id, phone.device_id), asked, at)
        return self._answer(asked, outcome, at)

    def _register(self, tx: Transaction, asked: port.Register) -> port.Registered:
        phone = _of_username(tx, asked.username)
        if phone is None:
            return port.Registered(id=asked.id, code=_NOBODY)
        if asked.proof != port.mark(phone.digests):
            return port.Registered(id=asked.id, code=OUTDATED)
        at = self._now()
        known = store.contacts(tx, phone.tenant_id, phone.device_id)
        outcome = rules.register(known, asked, at)
        if outcome.code == _OK:
            store.put_contacts(tx, phone.tenant_id, phone.device_id, outcome.contacts)
            if outcome.contacts and not any(one.until > at for one in known):
                _note_arrival(tx, phone, at)
        return self._answer(asked, outcome, at)

    @staticmethod
    def _answer(asked: port.Register, outcome: rules.Outcome, at: int) -> port.Registered:
        if outcome.code != _OK:
            return port.Registered(id=asked.id, code=outcome.code)
        # Whole seconds, of which one that has begun counts: a contact is never told to be over before it is.
        # Many a telephone comes back by what it reads first, so its own places stand there.
        own = {uri for uri, _ in asked.contacts}
        first = sorted(outcome.contacts, key=lambda one: one.uri not in own)
        left = tuple((one.uri, -(-(one.until - at) // 1000)) for one in first)
        return port.Registered(id=asked.id, contacts=left)

    async def contacts(self, tenant_id: int, device_id: int) -> list[Contact]:
        """Where a device is reached now, the one that was heard of last in front."""
        return await self._contacts.get((tenant_id, device_id, self._now()))

    @staticmethod
    def _found(tx: Transaction, asked: list[tuple[int, int, int]]) -> list[list[Contact]]:
        """The same of several devices, each as (tenant, device, moment)."""
        devices: dict[int, list[int]] = {}
        for tenant_id, device_id, _ in asked:
            devices.setdefault(tenant_id, []).append(device_id)
        earliest = min(at for _, _, at in asked)
        found = {tenant_id: store.contacts_of(tx, tenant_id, ids, earliest) for tenant_id, ids in devices.items()}
        return [
            [one for one in reversed(found[tenant_id].get(device_id, [])) if one.until > at]
            for tenant_id, device_id, at in asked
        ]

    async def places(self) -> tuple[port.Address, ...]:
        """From where telephones are registered now, those that came last first, within bounds."""
        at = self._now()
        return await self._reader.run(lambda tx: store.places(tx, at, _MOST_PLACES))

    async def reached(self) -> int:
        """How many telephones are reached now, for metrics."""
        at = self._now()
        return await self._reader.run(lambda tx: store.reached(tx, at))

    async def forget(self) -> int:
        """Take away what is over, and what is kept of devices that are gone, if that was not done just now."""
        at = self._now()
        if at < self._due:
            return 0
        self._due = at + _FORGET_MS
        return await self._writer.aside(lambda tx: store.forget(tx, at))


def _of_username(tx: Transaction, username: str) -> Phone | None:
    if len(username) > _LONGEST_USERNAME or not username.isprintable():
        return None
    return store.of_username(tx, username)


def _owned(tx: Transaction, username: str) -> Owned | None:
    phone = _of_username(tx, username)
    kept = devices.get(tx, phone.tenant_id, phone.device_id) if phone is not None else None
    if phone is None or kept is None:
        return None
    return Owned(phone=phone, who=f"{kept.value.owner_type}:{kept.value.owner_id}")


def _note_arrival(tx: Transaction, phone: Phone, at: int) -> None:
    """A telephone is there that was not: its device says when, which is no change of the device."""
    kept = devices.get(tx, phone.tenant_id, phone.device_id)
    if kept is not None:
        value = msgspec.structs.replace(kept.value, registered_at=at)
        devices.update(tx, kept, msgspec.structs.replace(kept, value=value))
