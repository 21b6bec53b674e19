"""Who is reached where, and who it is that calls: telephones where they registered, numbers by carriers.

`Ways` of telephone.py over the store. Nothing is called that no carrier's allow-list names; the one exception are
emergency calls, which no list holds back.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address

import structlog

from offhook.calls.callers import outside
from offhook.kit.errors import Refusal
from offhook.kit.places import Allowed
from offhook.kit.wire import to_int64
from offhook.routing.dialling import e164
from offhook.routing.outbound import helps_anywhere
from offhook.routing.plan import Outgoing
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.telephony import port
from offhook.telephony.origin import Origin
from offhook.telephony.phones.registering import Registrar
from offhook.telephony.recalled import Recalled
from offhook.telephony.room import REFUSED, Full
from offhook.telephony.telephone import Way
from offhook.telephony.trunks import rules, store
from offhook.telephony.trunks.model import PORT, Source, Trunk
from offhook.telephony.trunks.names import Names
from offhook.telephony.trunks.store import trunks

LOOK_UP_SECONDS = 3.0
"""In which the address of a carrier's name must be found; an emergency call goes on to the next carrier then."""

HELP_SECONDS = 0.5
"""In which the store must answer what a call for help asks, and names be found whose address is known from before."""

MOST_KNOWN = 10_000
"""Names whose last address is remembered, and companies whose carriers for help are."""

_SHOWN = 64
log = structlog.get_logger("offhook.telephony")


class Ways:
    """The ways to everybody. `allowed` are private places of carriers.

    `load` says how many calls go on by a trunk; `count` is told of a leg that it may bring, which is one more from then
    on.
    """

    def __init__(
        self,
        reader: Reader,
        registrar: Registrar,
        allowed: Allowed,
        load: rules.Load = lambda _: 0,
        names: Names | None = None,
        count: Callable[[int, int], None] = lambda _leg, _trunk: None,
    ) -> None:
        self._reader, self._registrar, self._allowed, self.load, self.count = reader, registrar, allowed, load, count
        self._names = names or Names()
        self._addresses: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._finding: asyncio.Task[None] | None = None
        self._for_help: Recalled[int, Sequence[Kept[Trunk]]] = Recalled("carriers for help", MOST_KNOWN)

    # Out

    async def of_device(self, tenant_id: int, device_id: str) -> list[Way]:
        """Where a telephone is registered now, each place once, the one heard of last in front; none if it is not."""
        id = to_int64(device_id)
        found = [] if id is None else await self._registrar.contacts(tenant_id, id)
        ways = [Way(uri=one.uri, address=(one.host, one.port)) for one in found]
        return list(dict.fromkeys(ways))

    async def of_number(self, tenant_id: int, number: str, *, emergency: bool, but: Collection[int] = ()) -> Way | None:
        """The carrier that a number may be called by, of those that are not `but` (they failed); None if none may.

        An emergency number is as it was dialled.
        """
        if not number.removeprefix("+").isdecimal() or not number.isascii():
            return None
        for kept in await (self._helping(tenant_id) if emergency else self._fitting(tenant_id, number)):
            if kept.id in but:
                continue
            host, at = rules.place(kept.value.proxy)
            address = await self._address(tenant_id, host, at, urgent=emergency)
            # Others may have gone by it while its name was looked up.
            if address is not None and (emergency or rules.has_room(kept, self.load)):
                return Way(
                    uri=_uri(kept.value, number), address=(address, at), trunk=kept.id, carrier=kept.value.name
                )  # fmt: skip
        return None

    async def why_not(self, tenant_id: int, number: str, *, emergency: bool) -> str:
        """Why a number that `of_number` found no carrier for is called by none; nobody waits long for the reason."""
        if not number.removeprefix("+").isdecimal() or not number.isascii():
            return "it has more than digits"
        try:
            async with asyncio.timeout(HELP_SECONDS if emergency else LOOK_UP_SECONDS):
                known = await self._reader.run(lambda tx: trunks.all(tx, tenant_id))
        except (Refusal, TimeoutError):
            return "the store does not say which trunks there are"
        return rules.why_none(known, number, self.load, emergency=emergency)

    async def _fitting(self, tenant_id: int, number: str) -> list[Kept[Trunk]]:
        known = await self._reader.run(lambda tx: trunks.all(tx, tenant_id))
        return rules.for_number(known, number, self.load)

    async def _helping(self, tenant_id: int) -> Sequence[Kept[Trunk]]:
        """The carriers for help, those that were known last where the store does not say."""
        looking = self._reader.run(lambda tx: rules.for_help(trunks.all(tx, tenant_id)))
        found, _ = await self._for_help.ask(tenant_id, looking, HELP_SECONDS)
        return found or ()

    async def know_carriers(self) -> None:
        """Remember the carriers for help of all companies, and begin to find the addresses of their names."""
        of_company: dict[int, list[Kept[Trunk]]] = {}
        for kept in await self._reader.run(store.all_enabled):
            of_company.setdefault(kept.tenant_id, []).append(kept)
        helping = {tenant_id: rules.for_help(known) for tenant_id, known in of_company.items()}
        for tenant_id, known in helping.items():
            self._for_help.note(tenant_id, known)
        if self._finding is not None:
            self._finding.cancel()
        self._finding = asyncio.create_task(self._find([kept for known in helping.values() for kept in known]))

    async def _find(self, carriers: list[Kept[Trunk]]) -> None:
        """One name after the other, so that a call for help knows where to go when none is found any more."""
        for kept in carriers:
            host, at = rules.place(kept.value.proxy)
            if rules.as_address(host) is None and (host, at) not in self._addresses:
                await self._address(kept.tenant_id, host, at)

    async def _address(self, tenant_id: int, host: str, at: int, *, urgent: bool = False) -> str | None:
        """The IPv4 address of a proxy; of a name the one that was known before, if it cannot be found now."""
        literal = rules.as_address(host)
        if literal is not None:
            is_ours = isinstance(literal, IPv4Address) and rules.may_send(host, literal, at, self._allowed)
            return str(literal) if is_ours else None
        seconds = HELP_SECONDS if urgent and (host, at) in self._addresses else LOOK_UP_SECONDS
        try:
            found = await self._names.find(tenant_id, host, at, seconds)
        except (OSError, UnicodeError) as error:
            log.warning("carrier_not_found", host=host, cause=str(error) or "no answer in time")
            return self._addresses.get((host, at))
        for text in found:
            if rules.may_send(host, IPv4Address(text), at, self._allowed):
                self._addresses[host, at] = text
                self._addresses.move_to_end((host, at))
                if len(self._addresses) > MOST_KNOWN:
                    self._addresses.popitem(last=False)
                return text
        log.warning("carrier_not_allowed", host=host)
        return None

    # In

    async def origin(self, came: port.Incoming, *, patient: bool = False) -> Origin | None:
        """Whose call it is: what a telephone dialled as it stands, a carrier's numbers in E.164 where they can be.

        None if it is nobody's by now; Full if the carrier has as many calls as it may. Where the store does not say
        whose a telephone is, it is `recalled` as it was known last: soon where help may be called, unless `patient`.
        """
        if came.username:
            return await self._of_telephone(came, patient)
        kept, shared = await self._reader.briefly(lambda tx: _seems(tx, came)) if came.trunk else (None, False)
        if kept is None:
            return None
        if shared:
            first = kept
            kept = await self._reader.run(lambda tx: _carrier_of(tx, came, first))
        if not rules.has_room(kept, self.load):
            REFUSED.labels("carrier_full").inc()
            log.warning("carrier_full", trunk=kept.id, most=kept.value.most_calls)
            raise Full("The carrier has as many calls as it may have at once.")
        # At once, so that of several that come together as many are taken as there is room for.
        self.count(came.leg, kept.id)
        return of_carrier(kept, came)

    async def _of_telephone(self, came: port.Incoming, patient: bool) -> Origin | None:
        hurries = not patient and helps_anywhere(Outgoing(0, "", came.dialled))
        owned, sure = await self._registrar.owned(came.username, HELP_SECONDS if hurries else None)
        if owned is None:
            return None
        return Origin(owned.phone.tenant_id, who=owned.who, number=came.dialled, recalled=not sure)


def _seems(tx: Transaction, came: port.Incoming) -> tuple[Kept[Trunk] | None, bool]:
    """The carrier that the worker took a call to be by, None if it is gone; and whether it may be another's as well."""
    first = store.enabled(tx, came.trunk)
    if first is None or first.value.inbound_username:
        return first, False
    return first, any(id != first.id for id in store.beside(tx, rules.spoken_from(came.source), most=2))


def _carrier_of(tx: Transaction, came: port.Incoming, first: Kept[Trunk]) -> Kept[Trunk]:
    """By which carrier a call comes, where several companies have one that proves nothing.

    Each number is one company's: it is that of whoever has the number that is called. Where that is none of them it is
    the one that the worker knew of, whose company refuses it then.
    """
    source = rules.spoken_from(came.source)
    others = store.beside(tx, source)
    # Most numbers are sent in full, whatever the country; else each carrier's has to be known.
    found = _of_number(tx, source, came.dialled, first.value.country)
    tried = {first.value.country}
    for id in others if found is None else ():
        beside = store.enabled(tx, id)
        if beside is not None and beside.value.country not in tried:
            tried.add(beside.value.country)
            if (found := _of_number(tx, source, came.dialled, beside.value.country)) is not None:
                break
    return found or first


def _of_number(tx: Transaction, source: Source, dialled: str, country: str) -> Kept[Trunk] | None:
    """The carrier of whoever has the number that was dialled in a country."""
    number = e164(dialled, country)
    for id in store.beside(tx, source, number) if number is not None else ():
        kept = store.enabled(tx, id)
        if kept is not None and e164(dialled, kept.value.country) == number:
            return kept
    return None


def of_carrier(kept: Kept[Trunk], came: port.Incoming) -> Origin:
    """A carrier's call: both numbers as its country writes them, brought to E.164; what is none stays as it is,
    but for what looks like one of the company (`callers.outside`).
    """
    country = kept.value.country
    caller, number = (e164(text, country) or text[:_SHOWN] for text in (came.caller, came.dialled))
    return Origin(kept.tenant_id, caller=outside(caller), number=number)


def _uri(trunk: Trunk, number: str) -> str:
    """A number at a carrier; RFC 3261 section 19.1.6 for what it is, an emergency number being none in E.164."""
    host, at = rules.place(trunk.proxy)
    place = trunk.domain or host
    place = f"[{place}]" if ":" in place else place
    place += f":{at}" if at != PORT and not trunk.domain else ""
    return f"sip:{number}@{place}" + (";user=phone" if number.startswith("+") else "")
