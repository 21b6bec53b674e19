"""What can be done with shipped definitions: listed, and registered under their names."""

from datetime import datetime

import msgspec

from offhook.access.doing import Doing
from offhook.access.gate import reply_of
from offhook.kit import clock
from offhook.kit.errors import Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.urls import check_url
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.workflows.definitions import store
from offhook.workflows.definitions.reading import Read
from offhook.workflows.definitions.service import Definitions
from offhook.workflows.definitions.store import Registered
from offhook.workflows.definitions.wire import definition_out
from offhook.workflows.shipped import wire
from offhook.workflows.shipped.files import Shipped, shipped


class Taking:
    """Registers them by `definitions`. `address` is where this server is reached, "" if that is not known."""

    def __init__(self, work: Doing, definitions: Definitions, address: str) -> None:
        self._work, self._definitions, self._address = work, definitions, address

    async def listed(self, call: Call) -> Reply:
        """All of them, with what the company has of each."""
        tenant_id = call.principal.tenant_id

        def read(tx: Transaction) -> dict[str, int]:
            kept = {name: store.version(tx, tenant_id, name, None) for name in shipped()}
            return {name: one.value.number for name, one in kept.items() if one is not None}

        registered = await self._work.reader.run(read)
        items = [_out(one, registered.get(name)) for name, one in shipped().items()]
        return reply_of(wire.ShippedPage(items=items))

    async def take(self, call: Call) -> Reply:
        """Register one, with its failure workflow; what stands there as it would be registered stays."""
        body: wire.TakeIn = call.body or wire.TakeIn()
        tenant_id, name, at = call.principal.tenant_id, str(call.params["name"]), clock.now()
        wanted = shipped().get(name)
        if wanted is None:
            raise NotFound(f"No definition {shown(name)} is shipped; there are {', '.join(shipped())}.")
        server = _server(body.server) or self._address
        both = [one for one in (shipped().get(wanted.companion), wanted) if one is not None]
        names = frozenset(one.name for one in both)
        found = [await self._definitions.checked(tenant_id, one.placed(server, body.credential), names) for one in both]

        def make(tx: Transaction, notices: list[Notice]) -> msgspec.Struct:
            kept = [self._keep(tx, call, at, one, notices) for one in found]
            return wire.TakenOut(items=[definition_out(one) for one in reversed(kept)])

        return await self._work.create(call, make)

    def _keep(self, tx: Transaction, call: Call, at: datetime, found: Read, notices: list[Notice]) -> Kept[Registered]:
        latest = store.version(tx, call.principal.tenant_id, found.definition.name, None)
        if latest is not None:
            _, digest = store.written({**found.raw, "version": latest.value.number})
            if digest == latest.value.hash:
                return latest
        return self._definitions.keep(tx, call, at, found, "shipped", notices, anew=True)


def _server(sent: str) -> str:
    if not sent:
        return ""
    url, fault = check_url(sent, "server")
    if fault is not None or url is None:
        raise Invalid.of([fault or Violation(location="server", message="Must be an address.", sent=shown(sent))])
    return sent.rstrip("/")


def _out(one: Shipped, registered: int | None) -> wire.ShippedOut:
    inputs = [wire.InputOut(name=name, about=text, default=one.defaults.get(name)) for name, text in one.inputs.items()]
    return wire.ShippedOut(
        name=one.name,
        description=one.description,
        inputs=inputs,
        scopes=list(one.scopes),
        undone_by=one.companion or None,
        schedule=one.schedule,
        registered=registered,
    )
