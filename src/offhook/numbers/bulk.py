"""Import: a carrier's list of numbers, as JSON lines or a table. A number is its own key, so that a list may be sent
again and again; a record that is refused stops no other.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from offhook.access.idempotency import Outcome, claim_of, once, replay
from offhook.access.service import told_where
from offhook.kit import clock, records
from offhook.kit.errors import Conflict, Invalid, Notice, Refusal, Unavailable, Violation, shown
from offhook.kit.ids import Ids
from offhook.kit.operation import Call, Reply
from offhook.kit.phones import Kind, kind_fault
from offhook.kit.records import Record, RecordWarning, errors_of, warnings_of
from offhook.kit.wire import Misfit, encode, fit, to_int64
from offhook.numbers import service, store
from offhook.numbers.model import Number
from offhook.numbers.service import By
from offhook.numbers.wire import NumberIn, NumberRecordOut, NumbersImportOut
from offhook.storage.batches import Within, Writer
from offhook.storage.database import Transaction

MAX_RECORDS = 10_000
_FORM = records.Form(NumberIn, MAX_RECORDS, "`number` and `office_id`")

_PART = 500
"""Numbers that are stored in one unit of work: enough to be fast, few enough that others get a turn."""

HasOffice = Callable[[Transaction, int, int], bool]


@dataclass(slots=True)
class _Checked:
    """A record whose number is well-formed, with its place in the answer."""

    index: int
    record: Record
    number: Number
    notices: list[Notice]


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


class Imports:
    """Imports into all inventories; one for a process."""

    def __init__(self, writer: Writer | Within, ids: Ids, has_office: HasOffice, *, keep_days: int) -> None:
        self._writer = writer
        self._ids = ids
        self._has_office = has_office
        self._keep_ms = keep_days * 86_400_000
        # Inside an open transaction there is no loop whose time would have to be spared.
        self._aside = _at_once if isinstance(writer, Within) else asyncio.to_thread

    async def run(self, call: Call) -> Reply:
        """Add the numbers in `call.raw`. Unavailable if the store failed before it took any."""
        claim = claim_of(call, self._ids, self._keep_ms)
        if claim is not None:
            first = await self._writer.run(lambda tx: replay(tx, claim))
            if first is not None:
                call.notices[:] = first.notices
                return Reply(body=first.body, headers=((b"offhook-replayed", b"true"),))
        answer = await self._import(call)
        body = encode(answer)
        if claim is not None and not answer.refused and not call.dry_run:
            # The numbers are their own keys already: that the whole is not kept would lose nothing.
            with suppress(Unavailable):
                await self._writer.run(lambda tx: once(tx, claim, lambda: Outcome(body, tuple(call.notices))))
        return Reply(body=body)

    async def _import(self, call: Call) -> NumbersImportOut:
        at = clock.now()
        by = By.of(call, at)
        read = await self._aside(records.read_records, call.raw, call.media, _FORM, call.notices)
        call.raw = b""
        answers: list[NumberRecordOut | None] = [None] * len(read)
        good, twice = await self._aside(_check, call, read, by.at, answers)
        down: Unavailable | None = None
        for start in range(0, len(good), _PART):
            part = good[start : start + _PART]
            try:
                if down is not None:
                    raise down
                done = await self._writer.run(lambda tx, part=part: self._put(tx, call, part, by))  # type: ignore[misc]
            except Unavailable as refusal:
                down = refusal
                done = [_refused(one.record, refusal) for one in part]
            for one, became in zip(part, done, strict=True):
                answers[one.index] = became
        for index, record, earlier in twice:
            answers[index] = _as_first(record, answers[earlier])
        ordered = [answer for answer in answers if answer is not None]
        counts = Counter(answer.status for answer in ordered)
        if down is not None and not counts["created"]:
            raise down
        return NumbersImportOut(
            created=counts["created"],
            existing=counts["existing"],
            refused=counts["refused"],
            would_create=counts["would_create"],
            dry_run=call.dry_run,
            records=ordered,
        )

    def _put(self, tx: Transaction, call: Call, part: Sequence[_Checked], by: By) -> list[NumberRecordOut]:
        """Store what is new of `part`, unless in a dry run; gives what becomes of each."""
        principal = call.principal
        wanted = [one.number.e164 for one in part]
        there = store.get_many(tx, principal.tenant_id, wanted)
        elsewhere = store.live_anywhere(tx, wanted) - there.keys() if principal.environment == "live" else set()
        offices = {
            id: self._has_office(tx, principal.tenant_id, id) for id in {one.number.office_id for one in part} if id
        }
        answers: list[NumberRecordOut] = []
        new: list[Number] = []
        for one in part:
            number = one.number
            fault = None
            if not offices.get(number.office_id, True):
                text = "There is no office with this id in the company."
                sent = str(number.office_id)
                fault = Violation(location="office_id", reason="notFound", message=text, sent=sent)
            had = there.get(number.e164)
            if fault is not None:
                refusal = told_where(
                    tx,
                    principal,
                    Invalid.of([fault]),
                    "office_id",
                    lambda tx, tenant, id=number.office_id: self._has_office(tx, tenant, id),  # type: ignore[misc]
                )
                answers.append(_refused(one.record, refusal))
            elif number.e164 in elsewhere:
                text = f"{number.e164} {service.ELSEWHERE}"
                found = Violation(location="number", reason="conflict", message=text, sent=number.e164)
                answers.append(_refused(one.record, Conflict(text, [found])))
            elif had is not None:
                answers.append(_existing(one, had))
            else:
                new.append(number)
                status = "would_create" if call.dry_run else "created"
                answers.append(
                    NumberRecordOut(
                        line=one.record.line,
                        status=status,  # type: ignore[arg-type]
                        number=number.e164,
                        warnings=warnings_of(one.notices),
                    )
                )
        if new and not call.dry_run:
            service.put_many(tx, principal.tenant_id, principal.company_id, principal.environment, new, by)
        return answers


_Twice = list[tuple[int, Record, int]]
"""A record's place in the answer, the record, and the place of an earlier one with the same number."""


def _check(
    call: Call, read: Sequence[Record], at: int, answers: list[NumberRecordOut | None]
) -> tuple[list[_Checked], _Twice]:
    """The records that may be stored, and those whose number came before; what is refused goes into `answers`."""
    first: dict[str, int] = {}
    good: list[_Checked] = []
    twice: _Twice = []
    for index, record in enumerate(read):
        notices: list[Notice] = []
        try:
            number = _number(call, record, at, notices)
        except Refusal as refusal:
            answers[index] = _refused(record, refusal)
            continue
        earlier = first.setdefault(number.e164, index)
        if earlier == index:
            good.append(_Checked(index, record, number, notices))
        else:
            twice.append((index, record, earlier))
    return good, twice


def _as_first(record: Record, became: NumberRecordOut | None) -> NumberRecordOut:
    """What a record becomes whose number stood in an earlier one, by what that became."""
    assert became is not None
    text = f"Line {became.line} has the same number."
    if became.status == "refused":
        return _refused(record, Conflict(text, [Violation(location="number", reason="conflict", message=text)]))
    warning = RecordWarning(code="listed_twice", field="number", text=text)
    return NumberRecordOut(line=record.line, status="existing", number=became.number, warnings=[warning])


def _number(call: Call, record: Record, at: int, notices: list[Notice]) -> Number:
    if record.value is None:
        raise Invalid.of(record.faults)
    misfit: Misfit | None = None
    try:
        body = fit(record.value, NumberIn, notices)
    except Misfit as refusal:
        misfit, body = refusal, refusal.mended
    e164, fault = service.check(call.principal.environment, body.number, "number")
    broken = [fault] if fault else []
    office_id = 0 if body.office_id is None else to_int64(body.office_id)
    if office_id is None:
        text = "Must be a 64-bit integer."
        broken.append(Violation(location="office_id", message=text, sent=shown(body.office_id)))
    found = list(record.faults)
    if misfit is not None:
        found += [one for one in misfit.violations if one.location not in {fault.location for fault in found}]
        broken = [one for one in broken if not misfit.explains(one)]
    found += broken
    if found:
        raise Invalid.of(found)
    assert e164 is not None
    assert office_id is not None
    _check_kind(e164, body.type, notices)
    return service.described(e164, at, kind=body.type, office_id=office_id)


def _check_kind(e164: str, kind: Kind | None, notices: list[Notice]) -> None:
    """Invalid if the digits say that the number cannot be of that kind; a notice if they say so without being sure."""
    why, sure = ("", False) if kind is None else kind_fault(e164, kind)
    if why and sure:
        text = f"{e164} cannot be {kind}: {why}. Leave the type out, or mend the number."
        raise Invalid.of([Violation(location="type", message=text, sent=kind)])
    if why:
        notices.append(Notice("type_doubtful", "type", f"By its digits {why}; {kind} was kept, as it was sent."))


def _existing(one: _Checked, had: Number) -> NumberRecordOut:
    said = one.record.value or {}
    differs = [
        name
        for name, now, sent in (
            ("type", had.type, one.number.type),
            ("office_id", had.office_id, one.number.office_id),
        )
        if said.get(name) is not None and now != sent
    ]
    text = "The number was there and stays as it was."
    warnings = [RecordWarning(code="kept_as_it_was", field=name, text=text) for name in differs]
    return NumberRecordOut(line=one.record.line, status="existing", number=had.e164, warnings=warnings)


def _refused(record: Record, refusal: Refusal) -> NumberRecordOut:
    sent = record.value.get("number") if record.value is not None else None
    return NumberRecordOut(
        line=record.line,
        status="refused",
        number=shown(sent) if isinstance(sent, str) else None,
        errors=errors_of(refusal),
    )


DESCRIPTION = f"""\
Adds up to {MAX_RECORDS:,} numbers to the inventory from one file: a carrier's list. A record that is refused stops no
other: the answer is 200 and says, for each, what became of it and why.

As JSON lines, each line is an object with `number` and, if need be, `type` and `office_id`. As CSV, the first row names
these fields; semicolons may separate the cells; a column that is not known is named in Offhook-Warning, one that is
spelt nearly as a field is refused, and the file with it. The file is UTF-8; blank lines are skipped. A `type` that the
digits rule out (local for a toll-free number, mobile for a geographic one) is refused; one that they only speak against
is warned of. A number with an `office_id` is kept for that office and what stands in it.

It is safe to repeat: a number that the company has is `existing` and stays as it is, whoever has it. If the store fails
midway, what was answered `created` stays, and the rest is `refused` with the reason `backendError`: send the file
again.

With Offhook-Dry-Run: true everything is checked and nothing is stored; what passes is `would_create`. With an
Idempotency-Key header, an answer without a refused record is given again as it was."""
