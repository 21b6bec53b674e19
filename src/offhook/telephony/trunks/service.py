"""What can be done with trunks: connected, changed, deleted, and told to the SIP worker."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from offhook.access.doing import Doing, Done, refuse
from offhook.access.gate import reply_of
from offhook.catalog.credentials.resealing import Resealed, resealed
from offhook.catalog.credentials.vault import Sealed, Vault
from offhook.directory.lines.rules import line
from offhook.directory.paths import etag, id_of
from offhook.events.keeper import Keeper
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.countries import COUNTRIES
from offhook.kit.errors import Conflict, Notice, Violation
from offhook.kit.errors import shown as quoted
from offhook.kit.operation import Call, Reply
from offhook.kit.phones import has_plan
from offhook.kit.places import Allowed
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.telephony import port
from offhook.telephony.phones.model import digests
from offhook.telephony.trunks import rules, store, wire
from offhook.telephony.trunks.model import DISABLED, ENABLED, Trunk
from offhook.telephony.trunks.store import trunks

MOST = 100
KEEPER = Keeper(
    "trunk",
    trunks,
    lambda _, kept: {name: value for name, value in wire.told(kept).items() if value is not None},
    Word.TRUNK_CREATED,
    Word.TRUNK_UPDATED,
    Word.TRUNK_DELETED,
)
Secrets = dict[str, str]
_SECRETS = ("password", "inbound_password")


class Trunks:
    """The carriers of all companies. `allowed` are private places that calls may go to; `realm` is ours."""

    def __init__(self, work: Doing, vault: Vault, allowed: Allowed, realm: str) -> None:
        self._work, self._vault, self._allowed, self._realm = work, vault, allowed, realm
        self.changed: list[Callable[[], None]] = []
        """Told whenever `configured` may be another than it was."""

    async def create(self, call: Call) -> Reply:
        """Connect a carrier."""
        body: wire.TrunkIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id
        trunk, secrets = self._read(call, Trunk(name="", country=""), {})

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            if trunks.count(tx, tenant_id) >= MOST:
                raise Conflict(f"A company may have {MOST} trunks; delete one that is not used.")
            id = self._work.ids.new()
            _refuse_taken(tx, tenant_id, id, trunk)
            kept = KEEPER.add(
                tx, call, at, id, self._sealed(tenant_id, id, trunk, secrets), state=_state(body, ENABLED)
            )
            _claim(tx, kept)
            return wire.trunk_out(kept)

        reply = await self._work.create(call, make)
        self._tell()
        return reply

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        query: wire.TrunkQuery = call.query or wire.TrunkQuery()
        tenant_id = call.principal.tenant_id
        page = await self._work.page(
            call, "trunks", lambda tx, after, limit: trunks.page(tx, tenant_id, after, limit), cursor=query.cursor
        )
        return reply_of(wire.TrunkPage(items=[self._out(kept) for kept in page.items], cursor=page.cursor))

    async def get(self, call: Call) -> Reply:
        """One of them."""
        tenant_id, id = call.principal.tenant_id, id_of(call)
        kept = await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, id))
        return reply_of(self._out(kept), headers=etag(kept))

    async def update(self, call: Call) -> Reply:
        """Change a carrier. The password for its proxy must be sent again with another proxy or domain."""
        body: wire.TrunkPatch = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> Kept[Trunk]:
            before = KEEPER.get(tx, tenant_id, id)
            secrets = self._opened(before)
            trunk, new = self._read(call, before.value, secrets)
            _refuse_taken(tx, tenant_id, id, trunk)
            if new != (secrets or {}):
                trunk = self._sealed(tenant_id, id, trunk, new)
            after = KEEPER.change(tx, call, at, before, trunk, state=_state(body, before.state))
            _claim(tx, after)
            return after

        kept = await self._work.change(call, run)
        self._tell()
        return reply_of(self._out(kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Disconnect a carrier; nothing that is secret stays."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.remove(tx, call, at, before, msgspec.structs.replace(before.value, sealed=""))
            store.claim(tx, tenant_id, id, (), "")

        await self._work.change(call, run)
        self._tell()
        return reply_of(Done())

    def seal_again(self, tx: Transaction, call: Call, at: datetime) -> Resealed:
        """Seal the passwords of a company's carriers by the newest key; they stay the same."""

        def keep(before: Kept[Trunk], sealed: str) -> None:
            value = msgspec.structs.replace(before.value, sealed=sealed)
            KEEPER.change(tx, call, at, before, value, word=Word.TRUNK_SEALED_AGAIN)

        return resealed(self._vault, trunks.all(tx, call.principal.tenant_id), keep)

    async def configured(self) -> tuple[port.Trunk, ...]:
        """All carriers that are enabled, of all companies, as the SIP worker is told of them."""
        found = await self._work.reader.run(store.all_enabled)
        return tuple(self._configured(kept) for kept in found)

    def _configured(self, kept: Kept[Trunk]) -> port.Trunk:
        trunk, secrets = kept.value, self._opened(kept)
        name, password = trunk.inbound_username, (secrets or {}).get("inbound_password", "")
        # What must be proven and cannot be comes from nowhere.
        sources = [rules.source(text) for text in trunk.addresses] if password or not name else []
        return port.Trunk(
            id=kept.id,
            addresses=tuple((one.host, one.port) for one in sources),
            proves=name,
            digests=digests(name, self._realm, password) if password else {},
            proxy=rules.place(trunk.proxy) if trunk.proxy else None,
            domain=trunk.domain,
            username=trunk.username,
            password=(secrets or {}).get("password", ""),
        )

    def _tell(self) -> None:
        for told in self.changed:
            told()

    # Reading what was sent

    def _out(self, kept: Kept[Trunk]) -> wire.TrunkOut:
        return wire.trunk_out(kept, lost=self._opened(kept) is None)

    def _opened(self, kept: Kept[Trunk]) -> Secrets | None:
        """Its passwords; None if no key opens them."""
        if not kept.value.sealed:
            return {}
        try:
            return self._vault.open(kept.tenant_id, kept.id, kept.value.sealed)
        except Sealed:
            return None

    def _sealed(self, tenant_id: int, id: int, trunk: Trunk, secrets: Secrets) -> Trunk:
        sealed = self._vault.seal(tenant_id, id, secrets) if secrets else ""
        return msgspec.structs.replace(trunk, sealed=sealed)

    def _read(self, call: Call, before: Trunk, secrets: Mapping[str, str] | None) -> tuple[Trunk, Secrets]:
        """The carrier that the body makes of `before`, and its passwords; None for those that no key opens.

        Those stay what they are until all are sent anew.
        """
        body: wire.TrunkIn | wire.TrunkPatch = call.body
        sandbox, found = call.principal.environment == "sandbox", list[Violation]()
        values: dict[str, Any] = {}
        if body.name is not None:
            values["name"] = line(body.name, "name", found) or ""
        if body.country is not None:
            values["country"] = _country(body.country, found)
        if body.addresses is not None:
            values["addresses"] = rules.check_addresses(body.addresses, found)
        if body.proxy is not None:
            values["proxy"] = rules.check_proxy(body.proxy, self._allowed, found, sandbox=sandbox)
        if body.domain is not None:
            values["domain"] = rules.check_domain(body.domain, found)
        if body.prefixes is not None:
            values["prefixes"] = rules.check_prefixes(body.prefixes, found)
        for name in ("username", "inbound_username"):
            if (text := getattr(body, name)) is not None:
                values[name] = rules.check_username(text, name, found)
        for name in ("international", "emergency"):
            if (flag := getattr(body, name)) is not None:
                values[name] = flag
        if body.most_calls is not None:
            values["most_calls"] = body.most_calls
            if not 1 <= body.most_calls <= rules.MOST_CALLS:
                message = f"Must be a whole number from 1 to {rules.MOST_CALLS}."
                found.append(Violation(location="most_calls", message=message, sent=str(body.most_calls)))
        trunk: Trunk = msgspec.structs.replace(before, **values)
        new = dict(secrets or {})
        for name in _SECRETS:
            if (text := getattr(body, name)) is not None:
                new[name] = rules.check_password(text, name, found)
        new = {name: text for name, text in new.items() if text and getattr(trunk, _NAME_OF[name])}
        elsewhere = (trunk.proxy, trunk.domain) != (before.proxy, before.domain)
        if before.username and trunk.username and elsewhere and body.password is None:
            message = "Send it again: it was entered for another proxy."
            found.append(Violation(location="password", message=message, about=("proxy", "domain")))
        else:
            sent = {name for name in _SECRETS if getattr(body, name)}
            kept = _NAME_OF.keys() if secrets is None and not sent else new.keys()
            rules.check_whole(trunk, sent | {name for name in kept if getattr(trunk, _NAME_OF[name])}, found)
        refuse(found)
        return trunk, new


_NAME_OF = {"password": "username", "inbound_password": "inbound_username"}


def _country(text: str, found: list[Violation]) -> str:
    country = text.strip().upper()
    if country not in COUNTRIES or not has_plan(country):
        message = "Must be the code of a country with a way of dialling, such as US."
        found.append(Violation(location="country", message=message, sent=quoted(text)))
    return country


def _state(body: wire.TrunkIn | wire.TrunkPatch, before: str) -> str:
    return before if body.enabled is None else ENABLED if body.enabled else DISABLED


def _refuse_taken(tx: Transaction, tenant_id: int, id: int, trunk: Trunk) -> None:
    """Conflict if a name, or a caller from an address, could be another carrier's."""
    found: list[Violation] = []
    other = trunks.first(tx, tenant_id, name=trunk.name)
    if other is not None and other.id != id:
        message = "Another trunk has this name; choose one of its own."
        found.append(Violation(location="name", message=message, reason=Conflict.reason))
    for number, text in enumerate(trunk.addresses):
        if store.is_claimed(tx, tenant_id, rules.source(text), trunk.inbound_username, id):
            message = (
                f"Calls from {text} could not be told from those of another trunk. Where a carrier sends to several "
                "from one address, each of them must have an inbound_username of its own."
            )
            found.append(Violation(location=f"addresses[{number}]", message=message, reason=Conflict.reason))
    if found:
        raise Conflict(found[0].message, found)


def _claim(tx: Transaction, kept: Kept[Trunk]) -> None:
    sources = [rules.source(text) for text in kept.value.addresses]
    store.claim(tx, kept.tenant_id, kept.id, sources, kept.value.inbound_username)
