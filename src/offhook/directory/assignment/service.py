"""Giving numbers to what can have them and taking them back: the inventory's row, the holder's own list and the line of
the office's plan change together, in one transaction. Whatever else changes them would set them at odds.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.access.model import Environment
from offhook.billing import licences
from offhook.billing.model import LINES
from offhook.directory.assignment import wire
from offhook.directory.offices import OfficeCard, no_such
from offhook.directory.paths import id_of
from offhook.directory.work import Holder, Holding, Work
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.phones import Kind, about, check_e164
from offhook.kit.wire import to_int64
from offhook.numbers import service as numbers
from offhook.numbers import store
from offhook.numbers.api import no_number, number_of
from offhook.numbers.carriers import Carrier
from offhook.numbers.model import Number
from offhook.numbers.service import By
from offhook.numbers.wire import NumberOut, number_out
from offhook.storage.database import Transaction

FURTHER = ("additional_number_lines", "tollfree_additional_number_lines")
NOUNS = {
    "callcenter": "call center",
    "callrouter": "call router",
    "department": "department",
    "office": "office",
    "room": "room",
    "user": "user",
}
"""What can have numbers, as it is called in a sentence."""

_ORDINARY: tuple[Kind, ...] = ("local", "mobile", "free", "softbank")
_ALL: tuple[Kind, ...] = (*_ORDINARY, "tollfree")
_ATTEMPTS = 5

Taker = tuple[str, int]
"""What has a number or is to have it: kind and id."""


# Lines


def _line(tx: Transaction, tenant_id: int, taker: Taker, holding: Holding, *, tollfree: bool) -> str:
    """The line that a further number of `taker` uses; "" if it is included in the plan."""
    held = store.of_target(tx, tenant_id, *taker)
    if any(one.line not in FURTHER for one in held):
        return FURTHER[tollfree]
    special = f"tollfree_{holding.first_line}"
    return special if tollfree and special in LINES else holding.first_line


def take(
    tx: Transaction, call: Call, at: datetime, taker: Taker, holding: Holding, e164: str, *, location: str = "number"
) -> Number:
    """Give a free number to `taker`, with a line of its office's plan; its own list is the caller's to keep.

    Invalid if the company does not have the number; Conflict if it is taken, or if there is no free line for it.
    """
    tenant_id = call.principal.tenant_id
    free = numbers.check_free(tx, tenant_id, e164, location)
    line = _line(tx, tenant_id, taker, holding, tollfree=free.tollfree)
    if line:
        licences.take(tx, tenant_id, holding.office_id, line)
    by = By.of(call, at)
    return numbers.claim(tx, tenant_id, e164, taker, by, office_id=holding.office_id, line=line, location=location)


def leave(tx: Transaction, call: Call, at: datetime, e164: str) -> Number | None:
    """Make a number free again and give its line back; gives it as it was, None if nobody had it."""
    tenant_id = call.principal.tenant_id
    was = numbers.release(tx, tenant_id, e164, By.of(call, at))
    if was is not None and was.line:
        licences.give(tx, tenant_id, was.target_office_id, was.line)
    return was


def settle(tx: Transaction, tenant_id: int, taker: Taker, first_line: str, order: Sequence[str]) -> None:
    """Where one number is included in the plan and that one has left, include the first of those that are left."""
    held = {} if first_line else {one.e164: one for one in store.of_target(tx, tenant_id, *taker)}
    if not held or not all(one.line for one in held.values()):
        return
    heir = held[next(number for number in order if number in held)]
    licences.give(tx, tenant_id, heir.target_office_id, heir.line)
    store.keep_line(tx, tenant_id, heir.e164, "", heir.target_office_id)


def reordered(
    tx: Transaction, call: Call, at: datetime, holding: Holding, wanted: Sequence[str], location: str
) -> tuple[str, ...]:
    """A holder's numbers in the order `wanted`; those that are left out become free. Its list is the caller's to keep.

    Invalid naming each number that it does not have, and each that stands there twice.
    """
    found: list[Violation] = []
    for index, number in enumerate(wanted):
        place = f"{location}[{index}]"
        if number not in holding.phone_numbers:
            text = "It does not have this number: only its own can be put in order; assign others first."
            found.append(Violation(location=place, reason="notFound", message=text, sent=shown(number)))
        elif wanted.index(number) < index:
            text = f"{location}[{wanted.index(number)}] is the same number; send it once."
            found.append(Violation(location=place, reason="duplicate", message=text, sent=number))
    refuse(found)
    for number in holding.phone_numbers:
        if number not in wanted:
            was = leave(tx, call, at, number)
            if was is not None:
                taker = (was.target_type, was.target_id)
                settle(tx, call.principal.tenant_id, taker, holding.first_line, wanted)
    return tuple(wanted)


def release_all(tx: Transaction, call: Call, at: datetime, kind: str, id: int) -> list[str]:
    """Make free whatever numbers something has that is about to go; gives them."""
    held = store.of_target(tx, call.principal.tenant_id, kind, id)
    for number in held:
        leave(tx, call, at, number.e164)
    return [number.e164 for number in held]


def moved(tx: Transaction, tenant_id: int, kind: str, id: int, holding: Holding, location: str = "") -> None:
    """Move the lines of something's numbers to the plan of the office that it is in now, as `holding` says.

    Conflict naming `location` if that has too few free lines.
    """
    held = {one.e164: one for one in store.of_target(tx, tenant_id, kind, id)}
    for number in held.values():
        if number.line:
            licences.give(tx, tenant_id, number.target_office_id, number.line)
        # Whatever it uses in the end, the first one of them is asked for anew.
        store.keep_line(tx, tenant_id, number.e164, FURTHER[number.tollfree], holding.office_id)
    for e164 in holding.phone_numbers:
        if e164 not in held:
            continue  # An internal one, which is in no inventory.
        line = _line(tx, tenant_id, (kind, id), holding, tollfree=held[e164].tollfree)
        if line:
            licences.take(tx, tenant_id, holding.office_id, line, location=location)
        store.keep_line(tx, tenant_id, e164, line, holding.office_id)


# Which number


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which number is wanted: one, any of an area, or any. `place` is where each is named in the request."""

    number: str | None = None
    area_code: str | None = None
    number_place: str = "number"
    area_place: str = "area_code"


class _Unmet(Exception):
    """No pool has what is wanted; a carrier may. Leaves the transaction, which is undone."""

    def __init__(self, country: str, area_codes: Sequence[str | None], refusal: Conflict) -> None:
        super().__init__()
        self.country = country
        self.area_codes = area_codes
        self.refusal = refusal


def pooled(
    tx: Transaction, tenant_id: int, office_id: int, country: str, area_code: str | None = None
) -> Number | None:
    """A free number, of the office's own pool or else the company's. A toll-free one only by its area code."""
    for pool in (office_id, 0):
        for kind in _ORDINARY if area_code is None else _ALL:
            found = store.free(tx, tenant_id, pool, country, kind, area_code)
            if found is not None:
                return found
    return None


def pooled_anywhere(tx: Transaction, tenant_id: int, office_id: int) -> str | None:
    """A free number of whatever country, of the office's own pool or else the company's; no toll-free one."""
    for pool in (office_id, 0):
        if (found := store.free_anywhere(tx, tenant_id, pool)) is not None:
            return found.e164
    return None


def _none_free(card: OfficeCard, country: str, wish: _Wish) -> Conflict:
    what = f"of {country}" if wish.area_code is None else f"of {country} with the area code {wish.area_code}"
    text = (
        f"There is no free number {what}: not in the pool of the office {card.name}, not in the company's, and the "
        "carrier has none. Import numbers (POST /api/offhook/v1/numbers/import, or offhook number import)"
    )
    text += "." if wish.area_code is None else ", or ask for another area code, without the 0 dialled before it."
    place = "" if wish.area_code is None else wish.area_place
    return Conflict(text, [Violation(location=place, reason="conflict", message=text, sent=wish.area_code)])


Make = Callable[[Transaction, list[Notice], str | None], msgspec.Struct]
"""Like work.Make; the third argument is a number that was ordered for it."""


class Assignment:
    """Who has which number, in all companies. `carriers` by environment."""

    def __init__(self, work: Work, carriers: Mapping[Environment, Carrier]) -> None:
        self._work = work
        self._carriers = carriers

    # Giving

    async def assign_to(self, call: Call, kind: str) -> Reply:
        """Give what the path names a number that the body names, or any."""
        body: wire.AssignIn = call.body
        found: list[Violation] = []
        wish = _wish(body.number, body.area_code, found, call.notices)
        return await self._assign(call, _Request((kind, id_of(call)), None, wish, found), body.primary)

    async def assign_any(self, call: Call) -> Reply:
        """Give the target in the body a number that the body names, or any."""
        body: wire.AssignAnyIn = call.body
        found: list[Violation] = []
        taker = _target(body.target_type, body.target_id, "", found)
        wish = _wish(body.number, body.area_code, found, call.notices)
        return await self._assign(_unversioned(call), _Request(taker, "target_id", wish, found), body.primary)

    async def assign_number(self, call: Call) -> Reply:
        """Give the number in the path to the target in the body."""
        body: wire.AssignTargetIn = call.body
        e164, tenant_id = number_of(call), call.principal.tenant_id
        if await self._work.reader.run(lambda tx: store.get(tx, tenant_id, e164)) is None:
            raise no_number(e164)
        found: list[Violation] = []
        taker = _target(body.target_type, body.target_id, "", found)
        request = _Request(taker, "target_id", _Wish(number=e164), found)
        return await self._assign(_unversioned(call), request, body.primary)

    async def _assign(self, call: Call, request: "_Request", primary: bool | None) -> Reply:
        at = clock.now()

        def make(tx: Transaction, notices: list[Notice], ordered: str | None) -> msgspec.Struct:
            taker, holder, holding = self._taker(tx, call, request)
            try:
                number = self._chosen(tx, call, at, holding, request.wish, ordered, notices)
            except _Unmet:
                # Nothing is ordered that there is no line for.
                line = _line(tx, call.principal.tenant_id, taker, holding, tollfree=False)
                if line:
                    licences.take(tx, call.principal.tenant_id, holding.office_id, line)
                raise
            taken = take(tx, call, at, taker, holding, number, location=request.wish.number_place)
            had = holding.phone_numbers
            holder.keep(tx, call, at, taker[1], (*had, number) if primary is False else (number, *had))
            return number_out(taken, call.principal.company_id)

        return await self._ordering(call, make)

    async def swap(self, call: Call) -> Reply:
        """Exchange a target's primary number for another; the old one is free then."""
        body: wire.SwapIn = call.body
        call, at = _unversioned(call), clock.now()
        found: list[Violation] = []
        taker = _target(body.target.target_type, body.target.target_id, "target.", found)
        wish = _swap_wish(body.swap_details or wire.SwapDetails(), found, call.notices)
        request = _Request(taker, "target.target_id", wish, found)

        def make(tx: Transaction, notices: list[Notice], ordered: str | None) -> msgspec.Struct:
            taker, holder, holding = self._taker(tx, call, request)
            if not holding.phone_numbers:
                text = f"{holding.name} has no number to exchange: assign it one instead."
                place = Violation(location="target.target_id", reason="conflict", message=text, sent=str(taker[1]))
                raise Conflict(text, [place])
            old, *others = holding.phone_numbers
            # Chosen while the old one is taken, so that it is not itself what is found.
            number = self._chosen(tx, call, at, holding, wish, ordered, notices)
            leave(tx, call, at, old)
            taken = take(tx, call, at, taker, holding, number, location=wish.number_place)
            holder.keep(tx, call, at, taker[1], (number, *others))
            return number_out(taken, call.principal.company_id)

        return await self._ordering(call, make)

    def _taker(self, tx: Transaction, call: Call, request: "_Request") -> tuple[Taker, Holder, Holding]:
        """What is to have the number; NotFound if the path names it, else Invalid with all that is wrong."""
        tenant_id, taker, faults = call.principal.tenant_id, request.taker, list(request.faults)
        holder = self._work.holders.get(taker[0]) if taker else None
        holding = holder.get(tx, tenant_id, taker[1]) if holder is not None and taker else None
        if holding is None and taker is not None:
            if request.place is None:
                raise NotFound(f"There is no {NOUNS[taker[0]]} {taker[1]}.")
            faults.append(no_such(request.place, NOUNS[taker[0]], taker[1]))
        if faults and request.wish.number is not None:
            try:
                numbers.check_free(tx, tenant_id, request.wish.number, request.wish.number_place)
            except Invalid as invalid:
                faults += invalid.violations
            except Conflict:
                pass
        refuse(faults)
        assert taker is not None
        assert holder is not None
        assert holding is not None
        return taker, holder, holding

    def _chosen(
        self,
        tx: Transaction,
        call: Call,
        at: datetime,
        holding: Holding,
        wish: _Wish,
        ordered: str | None,
        notices: list[Notice],
    ) -> str:
        """The number that is given: the one that is wished for, one from a pool, or the one that was ordered."""
        principal = call.principal
        if wish.number is not None:
            free = numbers.check_free(tx, principal.tenant_id, wish.number, wish.number_place)
            if free.office_id not in (0, holding.office_id):
                text = f"It was kept for the office {free.office_id}."
                notices.append(Notice("other_offices_number", wish.number_place, text))
            return free.e164
        card = self._work.office(tx, principal.tenant_id, holding.office_id)
        assert card is not None
        country = self._carriers[principal.environment].country(card.country)
        if ordered is not None and store.get(tx, principal.tenant_id, ordered) is None:
            numbers.put(
                tx, principal.tenant_id, principal.environment, numbers.described(ordered, clock.milliseconds(at)),
                By.of(call, at),
            )  # fmt: skip
            return ordered
        found = pooled(tx, principal.tenant_id, card.id, country, wish.area_code)
        if found is not None:
            return found.e164
        areas: list[str | None] = [wish.area_code]
        if wish.area_code is None and card.main_line is not None:
            areas.insert(0, about(card.main_line).area_code)
        raise _Unmet(country, areas, _none_free(card, country, wish))

    async def _ordering(self, call: Call, make: Make) -> Reply:
        """Do `make`; if no pool has a number, once more with one from the carrier. A dry run orders nothing."""
        carrier, tenant_id = self._carriers[call.principal.environment], call.principal.tenant_id
        ask = carrier.search if call.dry_run else carrier.order
        ordered: str | None = None
        unmet: _Unmet | None = None
        for _ in range(_ATTEMPTS):
            try:
                reply = await self._work.create(
                    call,
                    lambda tx, notices, ordered=ordered: make(tx, notices, ordered),  # type: ignore[misc]
                )
            except _Unmet as wanted:
                unmet = wanted
            except Exception:
                if ordered is not None and not call.dry_run:
                    await carrier.release(tenant_id, ordered)
                raise
            else:
                if ordered is not None and not call.dry_run and reply.headers:
                    # The same request was answered meanwhile, and this is its answer.
                    await carrier.release(tenant_id, ordered)
                return reply
            ordered = None
            for area_code in unmet.area_codes:
                ordered = ordered or await ask(tenant_id, unmet.country, area_code)
            if ordered is None:
                raise unmet.refusal
        assert unmet is not None
        raise unmet.refusal

    # Taking back

    async def unassign_from(self, call: Call, kind: str) -> Reply:
        """Take a number from what the path names; it goes back to the pool that it came from."""
        body: wire.UnassignIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction, _notices: list[Notice]) -> NumberOut:
            holder = self._work.holders.get(kind)
            holding = holder.get(tx, tenant_id, id) if holder is not None else None
            if holder is None or holding is None:
                raise NotFound(f"There is no {NOUNS[kind]} {id}.")
            e164, fault = check_e164(body.number, "number")
            if e164 is not None and e164 not in holding.phone_numbers:
                has = ", ".join(holding.phone_numbers[:5]) or "none"
                text = f"{holding.name} does not have this number; it has {has}."
                fault = Violation(location="number", reason="notFound", message=text, sent=e164)
            refuse([fault] if fault else [])
            assert e164 is not None
            self._take_back(tx, call, at, (kind, id), holder, holding, e164)
            return self._out(tx, call, e164)

        return reply_of(await self._work.change(call, run))

    async def delete(self, call: Call) -> Reply:
        """Take a number from whatever has it; with `release`, out of the inventory too."""
        query: wire.DeleteQuery = call.query or wire.DeleteQuery()
        call = _unversioned(call)
        at, tenant_id, e164 = clock.now(), call.principal.tenant_id, number_of(call)

        def run(tx: Transaction, notices: list[Notice]) -> NumberOut:
            number = store.get(tx, tenant_id, e164)
            if number is None:
                raise no_number(e164)
            holder = self._work.holders.get(number.target_type)
            holding = holder.get(tx, tenant_id, number.target_id) if holder is not None else None
            if holder is not None and holding is not None:
                taker = (number.target_type, number.target_id)
                self._take_back(tx, call, at, taker, holder, holding, e164)
            elif not query.release:
                notices.append(Notice("not_assigned", "number", "Nothing had this number; it stays as it was."))
            if not query.release:
                return self._out(tx, call, e164)
            numbers.delete(tx, tenant_id, e164, By.of(call, at))
            return NumberOut(deleted=True)

        answer = await self._work.change(call, run)
        if query.release:
            await self._carriers[call.principal.environment].release(tenant_id, e164)
        return reply_of(answer)

    def _take_back(
        self, tx: Transaction, call: Call, at: datetime, taker: Taker, holder: Holder, holding: Holding, e164: str
    ) -> None:
        rest = tuple(number for number in holding.phone_numbers if number != e164)
        leave(tx, call, at, e164)
        settle(tx, call.principal.tenant_id, taker, holding.first_line, rest)
        holder.keep(tx, call, at, taker[1], rest)

    @staticmethod
    def _out(tx: Transaction, call: Call, e164: str) -> NumberOut:
        number = store.get(tx, call.principal.tenant_id, e164)
        assert number is not None
        return number_out(number, call.principal.company_id)


# Reading requests


class _Request(msgspec.Struct, frozen=True):
    """Who is to get which number, and what is wrong with the body so far.

    `place` is where the body names the target, None if the path does. `taker` is None if the body names none.
    """

    taker: Taker | None
    place: str | None
    wish: _Wish
    faults: Sequence[Violation]


def _unversioned(call: Call) -> Call:
    """`call` without `If-Match`: what the path names is a number, and versions are the holders'."""
    return msgspec.structs.replace(call, if_match=None)


def _target(kind: str, sent: int | str, place: str, found: list[Violation]) -> Taker | None:
    id = to_int64(sent)
    if kind not in NOUNS:
        text = f"Must be one of those that can have numbers: {', '.join(NOUNS)}."
        found.append(Violation(location=f"{place}target_type", message=text, sent=kind))
    if id is None:
        text = "Must be a 64-bit integer."
        found.append(Violation(location=f"{place}target_id", message=text, sent=shown(sent)))
    return (kind, id) if kind in NOUNS and id is not None else None


def _wish(
    number: str | None, area_code: str | None, found: list[Violation], notices: list[Notice], place: str = ""
) -> _Wish:
    """Which number the body asks for."""
    number_place, area_place = f"{place}number", f"{place}area_code"
    if area_code is not None and not (area_code.isascii() and area_code.isdigit()):
        text = "Must be an area code as digits only, without the 0 dialled before it, such as 415."
        found.append(Violation(location=area_place, message=text, sent=shown(area_code)))
    if number is not None:
        number, fault = check_e164(number, number_place)
        found += [fault] if fault else []
        if area_code is not None:
            text = f"{number_place} names the number; the area code was ignored."
            notices.append(Notice("area_code_ignored", area_place, text))
            area_code = None
    return _Wish(number=number, area_code=area_code, number_place=number_place, area_place=area_place)


def _swap_wish(details: wire.SwapDetails, found: list[Violation], notices: list[Notice]) -> _Wish:
    kind, place = details.type or "auto", "swap_details."
    names: dict[str, str | None] = {"area_code": details.area_code, "number": details.number}
    wanted = {"area_code": "area_code", "provided_number": "number"}.get(kind)
    for name, sent in names.items():
        if name == wanted and sent is None:
            text = f"This field is required with the type {kind}."
            found.append(Violation(location=place + name, reason="required", message=text))
        elif name != wanted and sent is not None:
            text = f"With the type {kind} it says nothing and was ignored."
            notices.append(Notice(f"{name}_ignored", place + name, text))
            names[name] = None
    return _wish(names["number"], names["area_code"], found, notices, place)
