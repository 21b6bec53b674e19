"""Import: many users in one request, from JSON lines or CSV, each by exactly the rules of a create and of a change.

A record stands for itself: one that is refused stops no other. An e-mail address is its own key, so that a file may be
sent again and again, whole or mended, without a second user.
"""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from offhook.access.idempotency import Outcome, claim_of, once, replay
from offhook.access.service import told_where
from offhook.directory.lines.wire import SingleLine
from offhook.directory.paths import V1
from offhook.directory.users import rules, store, wire
from offhook.directory.users.model import User
from offhook.directory.users.service import Users
from offhook.directory.work import Work
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Refusal, Unavailable, Violation, shown
from offhook.kit.operation import MIB, Call, Limit, Operation, Reply
from offhook.kit.records import (
    CSV,
    NDJSON,
    Form,
    Record,
    RecordError,
    RecordWarning,
    errors_of,
    read_records,
    warnings_of,
)
from offhook.kit.wire import Int64Text, Misfit, encode, fit, to_int64
from offhook.storage.batches import Within, finished
from offhook.storage.database import Transaction

OPERATION = "offhook.users.import"
MAX_RECORDS = 1000

PART = 50
"""Users that are made in one unit of work: few enough that others get a turn in between."""

_LATER = ("job_title", "forwarding_numbers", "is_super_admin", "international_dialing_enabled")
"""What a create does not take, and the change behind it does."""

_Meta = msgspec.Meta


class UserRecordIn(wire.UserIn, kw_only=True, omit_defaults=True):
    """A user to import: what a create takes, and what else is said of them at once."""

    job_title: Annotated[SingleLine | None, _Meta(description="What they do.")] = None
    forwarding_numbers: Annotated[
        Annotated[list[str], _Meta(max_length=20)] | None, _Meta(description="Rung besides.")
    ] = None
    is_super_admin: Annotated[bool | None, _Meta(description="Whether they administer the company.")] = None
    international_dialing_enabled: Annotated[bool | None, _Meta(description="Whether they may call abroad.")] = None


_FORM = Form(UserRecordIn, MAX_RECORDS, "`email` and `office_id`")


class UserRecordOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one record."""

    line: Annotated[int, _Meta(description="The line on which it begins, counted from 1.")]
    status: Literal["created", "existing", "refused", "would_create"]
    id: Annotated[Int64Text | None, _Meta(description="The user's id.")] = None
    email: Annotated[str | None, _Meta(description="The address, shortened where it was refused.")] = None
    errors: Annotated[list[RecordError], _Meta(description="Everything that is wrong with it, at once.")] = []
    warnings: Annotated[list[RecordWarning], _Meta(description="What was ignored or guessed.")] = []


class UsersImportOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of an import."""

    created: Annotated[int, _Meta(description="Users made; in a dry run none.")]
    existing: Annotated[int, _Meta(description="Records whose address somebody has already.")]
    refused: Annotated[int, _Meta(description="Records that broke a rule, or that the store could not take.")]
    would_create: Annotated[int, _Meta(description="In a dry run: users that would be made.")] = 0
    dry_run: bool = False
    records: Annotated[list[UserRecordOut], _Meta(description="One for each record, in the order of the file.")]


class _Undone(Exception):
    """Leaves the transaction of a dry run, so that it is undone."""

    def __init__(self, done: list[UserRecordOut]) -> None:
        super().__init__()
        self.done = done


class Imports:
    """Imports of users; one for a process."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def run(self, call: Call) -> Reply:
        """Import the users in `call.raw`. Unavailable if the store failed before it took any."""
        work = self._work
        claim = claim_of(call, work.ids, work.keep_days * 86_400_000)
        if claim is not None:
            first = await work.writer.run(lambda tx: replay(tx, claim))
            if first is not None:
                call.notices[:] = first.notices
                return Reply(body=first.body, headers=((b"offhook-replayed", b"true"),))
        answer = await self._import(call)
        body = encode(answer)
        if claim is not None and not answer.refused and not call.dry_run:
            # The addresses are their own keys already: that the whole is not kept would lose nothing.
            with suppress(Unavailable):
                await work.writer.run(lambda tx: once(tx, claim, lambda: Outcome(body, tuple(call.notices))))
        return Reply(body=body)

    async def _import(self, call: Call) -> UsersImportOut:
        at = clock.now()
        records = await asyncio.to_thread(read_records, call.raw, call.media, _FORM, call.notices)
        call.raw = b""
        done: list[UserRecordOut] = []
        down: Unavailable | None = None
        size = MAX_RECORDS if call.dry_run else PART
        for start in range(0, len(records), size):
            part = records[start : start + size]
            try:
                if down is not None:
                    raise down
                done += await self._part(call, at, part)
            except Unavailable as refusal:
                down = refusal
                done += [_refused(record, refusal) for record in part]
        _told_twice(done)
        counts = Counter(one.status for one in done)
        if down is not None and not counts["created"]:
            raise down
        return UsersImportOut(
            created=counts["created"],
            existing=counts["existing"],
            refused=counts["refused"],
            would_create=counts["would_create"],
            dry_run=call.dry_run,
            records=done,
        )

    async def _part(self, call: Call, at: datetime, records: Sequence[Record]) -> list[UserRecordOut]:
        def run(tx: Transaction) -> list[UserRecordOut]:
            with clock.at(at):
                within = Within(tx)
                # The registers of the process stay as they are: this service is thrown away.
                work = dataclasses.replace(self._work, writer=within, reader=within, residents={}, holders={})
                users = Users(work)
                done = [_one(tx, users, work, call, record) for record in records]
            if call.dry_run:
                raise _Undone(done)
            return done

        try:
            return await self._work.writer.run(run)
        except _Undone as undone:
            return undone.done


def _one(tx: Transaction, users: Users, work: Work, call: Call, record: Record) -> UserRecordOut:
    """What becomes of one record: all of it or nothing."""
    try:
        with tx.savepoint():
            return _made(tx, users, call, record)
    except Unavailable:
        raise
    except Refusal as refusal:
        return _refused(record, _told_where(tx, work, call, record, refusal))


def _told_where(tx: Transaction, work: Work, call: Call, record: Record, refusal: Refusal) -> Refusal:
    """`refusal`, which says so where the office is one of the other environment."""
    sent = record.value.get("office_id") if record.value is not None else None
    id = to_int64(sent) if isinstance(sent, int | str) else None
    if id is None:
        return refusal
    return told_where(
        tx, call.principal, refusal, "office_id", lambda tx, tenant: work.office(tx, tenant, id) is not None
    )


def _made(tx: Transaction, users: Users, call: Call, record: Record) -> UserRecordOut:
    if record.value is None:
        raise Invalid.of(record.faults)
    own = Call(principal=call.principal, params={}, request_id=call.request_id, operation=OPERATION, notices=[])
    body = _fitted(users, own, record)
    taken = store.by_email(tx, call.principal.tenant_id, body.email.strip())
    if taken is not None:
        return _existing(tx, call, record, body, taken)
    own.body = body
    made = msgspec.json.decode(finished(users.create(own)).body)
    later = {name: value for name in _LATER if (value := getattr(body, name)) is not None}
    if later:
        change = msgspec.structs.replace(own, params={"id": int(made["id"])}, body=wire.UserPatch(**later))
        finished(users.update(change))
    return UserRecordOut(
        line=record.line,
        status="would_create" if call.dry_run else "created",
        id=None if call.dry_run else made["id"],
        email=made["emails"][0],
        warnings=warnings_of(own.notices),
    )


def _existing(tx: Transaction, call: Call, record: Record, body: UserRecordIn, id: int) -> UserRecordOut:
    """Who has the address stays as they are; where the record says otherwise, that is said."""
    kept = store.users.get(tx, call.principal.tenant_id, id)
    assert kept is not None
    text = "The user was there and stays as they were."
    differs = [RecordWarning(code="kept_as_it_was", field=name, text=text) for name in _differing(body, kept.value)]
    return UserRecordOut(line=record.line, status="existing", id=str(id), email=body.email, warnings=differs)


def _differing(body: UserRecordIn, user: User) -> list[str]:
    """The fields that a record sends and a user has otherwise."""
    found: list[Violation] = []
    sent: dict[str, Any] = {
        "office_id": to_int64(body.office_id),
        "first_name": rules.name(body.first_name, "", found),
        "last_name": rules.name(body.last_name, "", found),
        "license": body.license,
        "job_title": rules.name(body.job_title, "", found),
        "extension": rules.extension(body.extension, found),
        "forwarding_numbers": None
        if body.forwarding_numbers is None
        else rules.forwarding(body.forwarding_numbers, user.country, found),
        "is_super_admin": body.is_super_admin,
        "international_dialing_enabled": body.international_dialing_enabled,
    }
    return [name for name, value in sent.items() if value is not None and value != getattr(user, name)]


def _told_twice(done: Sequence[UserRecordOut]) -> None:
    """Say of each record whose address stood in an earlier one where that was; one that was refused does not count."""
    first: dict[str, int] = {}
    for one in done:
        if one.status == "refused" or one.email is None:
            continue
        earlier = first.setdefault(one.email.strip().casefold(), one.line)
        if earlier != one.line:
            text = f"Line {earlier} has the same address."
            one.warnings = [RecordWarning(code="listed_twice", field="email", text=text), *one.warnings]


def _fitted(users: Users, call: Call, record: Record) -> UserRecordIn:
    """The record as a body, or Invalid with what cannot be read and what else breaks a rule."""
    found = list(record.faults)
    misfit: Misfit | None = None
    try:
        body = fit(record.value, UserRecordIn, call.notices)
    except Misfit as refusal:
        misfit, body = refusal, refusal.mended
        found += [one for one in misfit.violations if one.location not in {fault.location for fault in found}]
    if found:
        broken = finished(users.check_new(msgspec.structs.replace(call, body=body)))
        known = {fault.location for fault in found}
        found += [
            one for one in broken if one.location not in known and not (misfit is not None and misfit.explains(one))
        ]
        raise Invalid.of(found)
    return body


def _refused(record: Record, refusal: Refusal) -> UserRecordOut:
    sent: Any = record.value.get("email") if record.value is not None else None
    email = shown(sent) if isinstance(sent, str) else None
    return UserRecordOut(line=record.line, status="refused", email=email, errors=errors_of(refusal))


def operations(work: Work) -> list[Operation]:
    """The import."""
    imports = Imports(work)
    return [
        Operation(
            id=OPERATION,
            method="POST",
            path=V1 + "/users/import",
            tag="Users",
            summary="Import users",
            description=_DESCRIPTION,
            note="JSON lines or CSV, safe to repeat by e-mail address",
            handler=imports.run,
            scope="directory:write",
            limit=Limit(count=60),
            reply=UsersImportOut,
            reply_description="What became of each record, in the order of the file.",
            media=(NDJSON, CSV),
            body_limit=16 * MIB,
            creates=True,
            rehearsal=None,
            refusals=(Conflict.status,),
        )
    ]


_DESCRIPTION = f"""\
Creates up to {MAX_RECORDS:,} users from one file, each by exactly the rules of a create, on a free line of the plan of
its office. A record that is refused stops no other: the answer is 200 and says, for each, what became of it and why.

As JSON lines, each line is the body of a create, and may have `job_title`, `forwarding_numbers`,
`is_super_admin` and `international_dialing_enabled` besides. As CSV, the first row names these fields; forwarding
numbers stand between spaces; a column that is not known is named in Offhook-Warning, one that is spelt nearly as a
field is refused, and the file with it. Semicolons may separate the cells. The file is UTF-8; blank lines are skipped; a
record may have 64 KiB.

It is safe to repeat: a record whose e-mail address somebody has, as a primary one or not, is `existing`, and that user
stays as it is: what the record says otherwise is in its `warnings` (`kept_as_it_was`), as is an earlier line with the
same address (`listed_twice`). If the store fails midway, what was answered `created` stays, and the rest is `refused`
with the reason `backendError`: send the file again.

With Offhook-Dry-Run: true everything is checked, free lines included, and nothing is stored; what passes is
`would_create`. With an Idempotency-Key header, an answer without a refused record is given again as it was."""
