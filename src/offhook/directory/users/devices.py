"""The devices of users: telephones and apps."""

from collections.abc import Sequence
from typing import Any

from offhook.access.gate import reply_of
from offhook.directory.users import wire
from offhook.directory.users.licensing import KEEPER
from offhook.directory.users.store import devices
from offhook.directory.work import Work
from offhook.kit.errors import Invalid, NotFound, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.router import ME
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction


class Devices:
    """The devices of the users of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def get(self, call: Call) -> Reply:
        """One device."""
        tenant_id, text = call.principal.tenant_id, str(call.params["id"])
        id = to_int64(text)
        kept = None if id is None else await self._work.reader.run(lambda tx: devices.get(tx, tenant_id, id))
        if kept is None:
            raise NotFound(f"There is no device {shown(text)}.")
        return reply_of(wire.device_out(kept))

    async def page(self, call: Call) -> Reply:
        """A page of devices, of one user or of all."""
        query: wire.DeviceListQuery = call.query or wire.DeviceListQuery()
        tenant_id = call.principal.tenant_id
        owner = None if query.user_id is None else _owner(call, query.user_id)
        filters = {} if owner is None else {"user_id": owner}

        def find(tx: Transaction, after: int, limit: int) -> Sequence[Any]:
            if owner is not None:
                KEEPER.get(tx, tenant_id, owner)
            return devices.page(tx, tenant_id, after, limit, filters)

        page = await self._work.page(call, "userdevices", find, cursor=query.cursor, filters=filters)
        return reply_of(wire.DevicePage(items=[wire.device_out(one) for one in page.items], cursor=page.cursor))


def _owner(call: Call, text: str) -> int:
    """The user that a query names, by id or as `me`."""
    if text == ME:
        mine: int = call.principal.me("user_id")
        return mine
    number = to_int64(text)
    if number is None:
        message = "Must be a 64-bit integer, written with digits, or me."
        raise Invalid.of([Violation(location="user_id", message=message, sent=shown(text))])
    return number
