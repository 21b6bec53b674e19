"""Where help is sent for a user: their own emergency address, or else that of their office."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from offhook.access.gate import reply_of
from offhook.directory import e911
from offhook.directory.paths import etag, id_of
from offhook.directory.users.licensing import KEEPER
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.emergency.model import CivicAddress
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

_BATCH = 500


def give_address(tx: Transaction, call: Call, at: datetime, office_id: int, address: CivicAddress) -> None:
    """Make `address` the emergency address of every user of an office, with an event each."""
    tenant_id, word = call.principal.tenant_id, Word.USER_EMERGENCY_ADDRESS_UPDATED
    ids = users.ids(tx, tenant_id, office_id=office_id)
    for start in range(0, len(ids), _BATCH):
        found = users.get_many(tx, tenant_id, ids[start : start + _BATCH])
        changes = [(kept, msgspec.structs.replace(kept.value, e911_address=address)) for kept in found]
        KEEPER.change_many(tx, call, at, changes, word)


class Addresses:
    """The emergency addresses of the users of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def address(self, call: Call) -> Reply:
        """Where help is sent for the user: their own address, or else the office's."""
        id = id_of(call)

        def read(tx: Transaction) -> tuple[Kept[User], CivicAddress | None]:
            kept = KEEPER.get(tx, call.principal.tenant_id, id)
            if kept.value.e911_address is not None:
                return kept, kept.value.e911_address
            card = self._work.office(tx, kept.tenant_id, kept.value.office_id)
            return kept, card.e911_address if card is not None else None

        kept, address = await self._work.reader.run(read)
        return reply_of(e911.e911_out(address) or e911.E911Out(), headers=etag(kept))

    async def set_address(self, call: Call) -> Reply:
        """Set the user's own emergency address, by the rules of their office's country."""
        body: e911.E911In = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> Kept[User]:
            before = KEEPER.get(tx, tenant_id, id)
            address = e911.address_of(before.value.country, body, notices)
            value = msgspec.structs.replace(before.value, e911_address=address)
            return KEEPER.change(tx, call, at, before, value, word=Word.USER_EMERGENCY_ADDRESS_UPDATED)

        kept = await self._work.change(call, run)
        return reply_of(e911.e911_out(kept.value.e911_address) or e911.E911Out(), headers=etag(kept))

    async def check_address(self, call: Call) -> Sequence[Violation]:
        """What the rules have against a new emergency address, by themselves."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, id))
        return e911.faults_of(kept.value.country, call.body)
