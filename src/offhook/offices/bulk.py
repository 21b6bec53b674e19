"""Import: many offices in one request, from JSON lines or CSV, each by exactly the rules and the unit of a create.

A record stands for itself: one that is refused stops no other. Every record has an idempotency key, its own or one made
of what it says, so that a file may be sent again and again, whole or mended, without a second office.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import structlog

from offhook.access.gate import whole_refusal
from offhook.access.idempotency import Claim, Outcome, check_key, once, replay
from offhook.kit import records as reading
from offhook.kit.errors import Conflict, Invalid, Notice, Refusal, Unavailable, Violation, shown
from offhook.kit.operation import MIB, Call, Limit, Operation, Reply
from offhook.kit.records import CSV, NDJSON, RecordError, RecordWarning, errors_of, warnings_of
from offhook.kit.wire import Int64Text, Misfit, encode, encode_sorted, fit, normal, shape
from offhook.offices import store, wire
from offhook.offices.service import Offices
from offhook.storage.batches import Within, Writer
from offhook.storage.database import Transaction

log = structlog.get_logger("offhook")

OPERATION = "offhook.offices.import"
MAX_RECORDS = 1000
KEY = "idempotency_key"
_FORM = reading.Form(wire.OfficeIn, MAX_RECORDS, "`name` and `billing_address.city`", (KEY,))

CONCURRENT = 32
"""Records under way at once in this process: enough to fill the writer's batches, few enough that others get a turn."""

_LOOK_UPS = 100
_Meta = msgspec.Meta


class RecordOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one record."""

    line: Annotated[int, _Meta(description="The line on which it begins, counted from 1.")]
    status: Literal["created", "existing", "refused", "would_create"]
    id: Annotated[Int64Text | None, _Meta(description="The office's id.")] = None
    name: Annotated[str | None, _Meta(description="The office's name, shortened where it was refused.")] = None
    errors: Annotated[list[RecordError], _Meta(description="Everything that is wrong with it, at once.")] = []
    warnings: Annotated[list[RecordWarning], _Meta(description="What was ignored or guessed.")] = []


class ImportOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of an import."""

    created: Annotated[int, _Meta(description="Offices made; in a dry run none.")]
    existing: Annotated[int, _Meta(description="Records that had been imported before.")]
    refused: Annotated[int, _Meta(description="Records that broke a rule, or that the store could not take.")]
    would_create: Annotated[int, _Meta(description="In a dry run: offices that would be made.")] = 0
    dry_run: bool = False
    records: Annotated[list[RecordOut], _Meta(description="One for each record, in the order of the file.")]


# What a record stands for


@dataclass(frozen=True, slots=True)
class Record:
    """A record with what makes it safe to repeat.

    `key` is what an idempotency record is made of; `canonical` is the same for the same content, however written.
    """

    line: int
    value: dict[str, Any] | None = None
    faults: tuple[Violation, ...] = ()
    operation: str = OPERATION
    key: str = ""
    canonical: bytes = b""


def read_records(raw: bytes, media: str, notices: list[Notice]) -> list[Record]:
    """The records in `raw`, each with its key; refused as the shared reader refuses."""
    return [_keyed(record) for record in reading.read_records(raw, media, _FORM, notices)]


def _keyed(record: reading.Record) -> Record:
    """`record` with the key that makes it safe to repeat: its own, else one made of its content."""
    if record.value is None:
        return Record(record.line, faults=record.faults)
    value = dict(record.value)
    own = value.pop(KEY, None)
    canonical = encode_sorted(normal(value, shape(wire.OfficeIn)))
    faults = list(record.faults)
    if own is None:
        # Not in the same space as keys that people choose: nobody's own key may stand for a content.
        key, operation = hashlib.sha256(canonical).hexdigest(), f"{OPERATION} by content"
    else:
        key, operation = "", OPERATION
        try:
            if not isinstance(own, str):
                raise Invalid.of([Violation(location=KEY, message="Must be a string.", sent=shown(own))])
            key = check_key(own)
        except Invalid as invalid:
            faults += [msgspec.structs.replace(fault, location=KEY) for fault in invalid.violations]
    return Record(record.line, value, tuple(faults), operation, key, canonical)


# Importing


class _Name(msgspec.Struct):
    id: str
    name: str
    phone_numbers: list[str] = []


class _Answer(msgspec.Struct):
    """What is read of a create's answer."""

    office: _Name


_answer = msgspec.json.Decoder(_Answer).decode


class _Import:
    """One import under way."""

    def __init__(self, offices: Offices, writer: Writer | Within, turns: asyncio.Semaphore, call: Call) -> None:
        self._offices = offices
        self._writer = writer
        self._turns = turns
        self._call = call
        self._down: Unavailable | None = None
        self._numbers: dict[int, list[str]] = {}

    async def run(self, records: Sequence[Record]) -> ImportOut:
        """Import `records`. Unavailable if the store failed before it took any: then nothing was changed."""
        done = await self._imported_before(records)
        groups: dict[tuple[str, str] | int, list[Record]] = {}
        for record in records:
            if record.line not in done:
                groups.setdefault((record.operation, record.key) if record.key else record.line, []).append(record)
        for answers in await asyncio.gather(*(self._in_turn(group) for group in groups.values())):
            done |= {answer.line: answer for answer in answers}
        ordered = [done[record.line] for record in records]
        if self._call.dry_run:
            self._refuse_numbers_taken_twice(ordered)
        counts = Counter(answer.status for answer in ordered)
        if self._down is not None and not counts["created"]:
            raise self._down
        return ImportOut(
            created=counts["created"],
            existing=counts["existing"],
            refused=counts["refused"],
            would_create=counts["would_create"],
            dry_run=self._call.dry_run,
            records=ordered,
        )

    async def _imported_before(self, records: Sequence[Record]) -> dict[int, RecordOut]:
        """What needs no rules: answers that were given before. Finding them first keeps the writer's batches whole."""
        found: dict[int, RecordOut] = {}
        asked = [record for record in records if record.key and not record.faults]
        for start in range(0, len(asked), _LOOK_UPS):
            part = asked[start : start + _LOOK_UPS]
            claims = [self._offices.claim(self._call_of(record, dry_run=False)) for record in part]
            firsts = await self._writer.run(lambda tx, claims=claims: [_first(tx, claim) for claim in claims])  # type: ignore[misc]
            for record, first in zip(part, firsts, strict=True):
                if isinstance(first, Conflict):
                    found[record.line] = _refused(record, first)
                elif first is not None:
                    found[record.line] = _existing(record.line, first)
        gone = await self._deleted_since({int(answer.id) for answer in found.values() if answer.id})
        for answer in found.values():
            if answer.id and int(answer.id) in gone:
                text = "The office was deleted since; to have it again, send another idempotency_key."
                answer.warnings = [RecordWarning(code="deleted_since", field="", text=text)]
        return found

    async def _deleted_since(self, ids: set[int]) -> set[int]:
        tenant = self._call.principal.tenant_id
        gone: set[int] = set()
        ordered = sorted(ids)
        for start in range(0, len(ordered), _LOOK_UPS):
            part = ordered[start : start + _LOOK_UPS]
            gone |= await self._writer.run(
                lambda tx, part=part: {id for id in part if store.get(tx, tenant, id) is None}  # type: ignore[misc]
            )
        return gone

    async def _in_turn(self, group: Sequence[Record]) -> list[RecordOut]:
        """Records under one key, in the order of the file: what the first becomes decides on the others."""
        answers: list[RecordOut] = []
        first: tuple[Record, RecordOut] | None = None
        for record in group:
            answer = None if first is None else _as_first(record, *first)
            if answer is None:
                async with self._turns:
                    answer = await self._one(record)
                first = record, answer
            answers.append(answer)
        return answers

    async def _one(self, record: Record) -> RecordOut:
        if self._down is not None:
            return _refused(record, self._down)
        call = self._call_of(record, dry_run=self._call.dry_run)
        try:
            if record.faults:
                raise Invalid.of([*record.faults, *await self._other_faults(record, call)])
            await self._fit(call, record)
            outcome = await self._offices.create(call)
        except Unavailable as refusal:
            self._down = refusal
            log.error("import_interrupted", request_id=call.request_id, cause=repr(refusal.__cause__)[:500])
            return _refused(record, refusal)
        except Refusal as refusal:
            return _refused(record, refusal)
        except Exception:
            log.exception("fault", request_id=call.request_id, operation=OPERATION, line=record.line)
            return _refused(
                record, Unavailable(f"Something went wrong here; see request {call.request_id} in the log.")
            )
        if outcome.replayed:
            return _existing(record.line, outcome)
        office = _answer(outcome.body).office
        if call.dry_run:
            self._numbers[record.line] = office.phone_numbers
            return RecordOut(
                line=record.line, status="would_create", name=office.name, warnings=warnings_of(outcome.notices)
            )
        return RecordOut(
            line=record.line, status="created", id=office.id, name=office.name, warnings=warnings_of(outcome.notices)
        )

    async def _fit(self, call: Call, record: Record) -> None:
        try:
            call.body = fit(record.value, wire.OfficeIn, call.notices)
        except Misfit as misfit:
            raise await whole_refusal(misfit, call, self._offices.check) from None

    async def _other_faults(self, record: Record, call: Call) -> list[Violation]:
        """What else is wrong with a record of which a part could not be read."""
        if record.value is None:
            return []
        places = {fault.location for fault in record.faults}
        try:
            await self._fit(call, record)
            found = await self._offices.check(call)
        except Invalid as invalid:
            found = invalid.violations
        return [violation for violation in found if violation.location not in places]

    def _call_of(self, record: Record, *, dry_run: bool) -> Call:
        call = self._call
        return Call(
            principal=call.principal,
            params={},
            raw=record.canonical,
            request_id=call.request_id,
            dry_run=dry_run,
            idempotency_key=record.key or None,
            moment=call.moment,
            operation=record.operation,
        )

    def _refuse_numbers_taken_twice(self, answers: list[RecordOut]) -> None:
        """What a dry run cannot ask the store: whether an earlier record of the same file takes the number."""
        taken: set[str] = set()
        for index, answer in enumerate(answers):
            for number in self._numbers.get(answer.line, ()):
                if number in taken:
                    text = "An earlier record of this import takes this number."
                    error = RecordError(location="mainline_number", message=text, reason="conflict", sent=number)
                    answers[index] = RecordOut(line=answer.line, status="refused", name=answer.name, errors=[error])
                taken.add(number)


def _first(tx: Transaction, claim: Claim | None) -> Outcome | Conflict | None:
    try:
        return None if claim is None else replay(tx, claim)
    except Conflict as conflict:
        return conflict


def _as_first(record: Record, first: Record, became: RecordOut) -> RecordOut | None:
    """What a record becomes by what an earlier one under its key became; None if it must be tried by itself."""
    if record.canonical == first.canonical and not (record.faults or first.faults):
        if became.status == "refused":
            return msgspec.structs.replace(became, line=record.line)
        return RecordOut(line=record.line, status="existing", id=became.id, name=became.name)
    if became.status == "refused" or record.faults:
        return None
    text = f"Line {first.line} has this key and another content; use a new key for a new office."
    return _refused(record, Conflict(text, [Violation(location=KEY, reason=Conflict.reason, message=text)]))


def _existing(line: int, outcome: Outcome) -> RecordOut:
    office = _answer(outcome.body).office
    return RecordOut(
        line=line, status="existing", id=office.id, name=office.name, warnings=warnings_of(outcome.notices)
    )


def _refused(record: Record, refusal: Refusal) -> RecordOut:
    name = record.value.get("name") if record.value is not None else None
    errors = errors_of(refusal)
    for error in errors:
        if error.location == "Idempotency-Key":
            error.location = KEY
    return RecordOut(
        line=record.line, status="refused", name=shown(name) if isinstance(name, str) else None, errors=errors
    )


def operations(offices: Offices, writer: Writer | Within) -> list[Operation]:
    """The import."""
    turns = asyncio.Semaphore(CONCURRENT)

    async def run(call: Call) -> Reply:
        claim = offices.claim(call)
        if claim is not None:
            first = await writer.run(lambda tx: replay(tx, claim))
            if first is not None:
                call.notices[:] = first.notices
                return Reply(body=first.body, headers=((b"offhook-replayed", b"true"),))
        records = await asyncio.to_thread(read_records, call.raw, call.media, call.notices)
        call.raw = b""
        answer = await _Import(offices, writer, turns, call).run(records)
        body = encode(answer)
        if claim is not None and not answer.refused:
            # Every record is kept under its own key already: that the whole is not would lose nothing.
            with suppress(Unavailable):
                await writer.run(lambda tx: once(tx, claim, lambda: Outcome(body, tuple(call.notices))))
        return Reply(body=body)

    return [
        Operation(
            id=OPERATION,
            method="POST",
            path="/api/offhook/v1/offices/import",
            tag="Offices, whole",
            summary="Import offices",
            description=_DESCRIPTION,
            handler=run,
            scope="offices:write",
            limit=Limit(count=20),
            reply=ImportOut,
            reply_description="What became of each record, in the order of the file.",
            media=(NDJSON, CSV),
            body_limit=16 * MIB,
            creates=True,
            rehearsal=None,
            refusals=(409,),
        )
    ]


_DESCRIPTION = f"""\
Creates up to {MAX_RECORDS:,} offices from one file, each by exactly the rules of a create. A record that is refused
stops no other: the answer is 200 and says, for each, what became of it and why.

As JSON lines, each line is the body of a create. As CSV, the first row names the fields by their dotted paths, such as
`billing_address.city`; times of a day stand between spaces (`08:00 12:00 14:00 18:00`), and `[]` is a day that is
closed all day; booleans may be in any case; menus (`routing_options.open.dtmf`) are JSON in their cell; an empty cell
is a field that is not sent; a column that is not known is named in Offhook-Warning, one that is spelt nearly as a field
is refused, and the file with it. Semicolons may separate the cells. The file is UTF-8; blank lines are skipped; a
record may have 64 KiB.

It is safe to repeat. Each record may have an `idempotency_key` of its own; without one, its content is its key. A
record that was imported before is `existing` and makes no second office, and so is the second of two records of the
same content in one file: offices that are alike in everything each need a key of their own. Under a key of its own,
another content is refused as a conflict. Keys are kept for seven days unless the server is set otherwise; after that,
the same record makes a new office. A record whose office was deleted meanwhile is still `existing`, with a warning.

If the store fails midway, what was answered `created` stays, and the records that were not stored are `refused` with
the reason `backendError`: send the same file again. If it fails before any office was made, the answer is 503.

With Offhook-Dry-Run: true everything is checked and nothing is stored; what passes is `would_create`. With an
Idempotency-Key header, an answer without a refused record is given again as it was."""
