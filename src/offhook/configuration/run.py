"""Makes a company what a document says, within one open transaction.

Each difference is a step, and steps that wait for others are tried again until nothing moves any more. What is refused
then is named all at once, and the transaction is undone by whoever opened it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy.exc import IntegrityError

from offhook.access.gate import whole_refusal
from offhook.configuration.document import Document
from offhook.configuration.kind import Step, Wanted
from offhook.configuration.steps import removals_of, steps_of
from offhook.configuration.waiting import Waiting
from offhook.configuration.wording import in_words_of_file
from offhook.kit.errors import Conflict, Invalid, Notice, Refusal, Unavailable, Violation, shown
from offhook.kit.operation import JSON, Call, Operation, Reply
from offhook.kit.wire import Misfit, fit, read_query
from offhook.storage.batches import finished
from offhook.storage.database import Transaction

MAX_PASSES = 50


@dataclass(slots=True)
class _Put:
    """A step that was put off, why, and the records of the document that it named."""

    step: Step
    cause: Exception
    named: set[Wanted] = field(default_factory=set)


class Run:
    """One document being carried out."""

    def __init__(self, tx: Transaction, call: Call, operations: Mapping[str, Operation], document: Document) -> None:
        self.tx = tx
        self.document = document
        self.notices = document.notices
        self.faults = document.faults
        self._call = call
        self._operations = operations
        self._told: list[Notice] = []
        self._named: set[Wanted] = set()
        self._here: Step | None = None

    @property
    def tenant_id(self) -> int:
        tenant: int = self._call.principal.tenant_id
        return tenant

    @property
    def here(self) -> Wanted:
        """The record whose step is being done."""
        assert self._here is not None
        return self._here.wanted

    def carry_out(self) -> None:
        """Do all of it; Invalid with every fault if any of it cannot be."""
        self._work_off(steps_of(self.document))
        if not self.faults:
            self._work_off(removals_of(self.document))
        if self.faults:
            raise Invalid.of(dict.fromkeys(self.faults))

    def _work_off(self, steps: Sequence[Step]) -> None:
        put_off: list[_Put] = [_Put(step, Exception()) for step in steps]
        for _ in range(MAX_PASSES):
            waiting, put_off, moved = put_off, [], False
            for entry in waiting:
                moved |= self._attempt(entry.step, put_off)
            if not put_off or not moved:
                break
        self._explain(put_off)

    def _attempt(self, step: Step, put_off: list[_Put]) -> bool:
        if step.wanted.failed:
            return True
        self._told, self._named, self._here = [], set(), step
        try:
            if not step.wanted.id and not step.makes:
                raise Waiting(step.wanted)
            with self.tx.savepoint():
                following = step.do(self) or ()
        except Unavailable:
            raise
        except (Refusal, Waiting, IntegrityError) as cause:
            # What another is to give up first is not there to be taken yet.
            put_off.append(_Put(step, cause, self._named))
            return False
        self.notices += self._told
        put_off += [_Put(more, Exception()) for more in following]
        return True

    def _explain(self, put_off: Sequence[_Put]) -> None:
        """Turn what steps were refused for into faults of the file; what only follows from another fault is silent."""
        making = {entry.step.wanted: entry.cause for entry in put_off if entry.step.makes}
        found = [(entry, violation) for entry in put_off for violation in _faults_of(entry, making)]
        refused = {entry.step.wanted for entry, _ in found if entry.step.place == entry.step.wanted.place}
        refused |= {wanted for wanted in self.document.wanted if wanted.failed}
        faulty = [one.location for one in self.faults] + [violation.location for _, violation in found]
        causes = [
            violation
            for entry, violation in found
            if not (violation.reason == Conflict.reason and entry.named & (refused - {entry.step.wanted}))
            and not any(self._is_faulty(place, faulty) for place in violation.about)
        ]
        # Two that follow from each other are both told.
        told = causes or ([] if self.faults else [violation for _, violation in found])
        self.faults += [
            msgspec.structs.replace(one, about=(), message=in_words_of_file(one.message, self.called)) for one in told
        ]
        if not self.faults:
            for entry in put_off:
                if isinstance(entry.cause, IntegrityError):
                    raise entry.cause

    def _is_faulty(self, place: str, faulty: Sequence[str]) -> bool:
        """Whether a place that a rule looked at, as `offices/12.licences`, is refused itself."""
        kind, _, rest = place.partition("/")
        id, _, path = rest.partition(".")
        return any(
            wanted.failed or bool(wanted.unread) or any(at.startswith(f"{wanted.place}.{path}") for at in faulty)
            for wanted in self.document.wanted
            if wanted.kind.section == kind and str(wanted.id) == id
        )

    # What steps do

    def do(
        self,
        operation: str,
        *,
        params: Mapping[str, int | str] | None = None,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        raw: bytes = b"",
        media: str = JSON,
        under: str = "",
        at: str = "",
    ) -> Any:
        """Call an operation as the caller would over HTTP; gives the decoded answer, or raises its refusal.

        What is refused is named by its path within the field `under`, or all of it by the one path `at`.
        """
        try:
            return self._do(
                operation, params or {}, body, query, raw, media, placed=lambda one: at or _joined(under, one)
            )
        except Refusal as refusal:
            if not (under or at) or isinstance(refusal, Unavailable):
                raise
            found = refusal.violations or [Violation(location="", reason=refusal.reason, message=refusal.message)]
            raise Invalid.of(
                [msgspec.structs.replace(one, location=at or _joined(under, one.location)) for one in found]
            ) from None

    def _do(
        self,
        operation: str,
        params: Mapping[str, int | str],
        body: Any,
        query: Mapping[str, str] | None,
        raw: bytes,
        media: str,
        placed: Callable[[str], str],
    ) -> Any:
        known = self._operations[operation]
        assert known.handler is not None
        call = Call(
            principal=self._call.principal,
            params=params,
            request_id=self._call.request_id,
            moment=self._call.moment,
            operation=known.id,
            raw=raw,
            media=media,
            notices=[],
        )
        if query is not None:
            call.query = read_query({name: [value] for name, value in query.items()}, known.query, call.notices)
        if known.body is not None:
            try:
                call.body = fit(body, known.body, call.notices)
            except Misfit as misfit:
                raise finished(whole_refusal(misfit, call, known.check)) from None
        reply: Reply = finished(known.handler(call))  # type: ignore[arg-type]
        wanted = self.here
        for notice in call.notices:
            if notice.code == "no_number" and wanted.given.get("phone_numbers"):
                continue
            if notice.code == "script_missing":
                # Workflows are attached by requests of their own; it is said of the whole in the end.
                continue
            inner = wanted.kind.place(placed(notice.field))
            # An update may send all that there is; what the file does not mention is nothing that it could mend.
            speaks = wanted.says(inner) or any(wanted.differs(wanted.kind.place(one)) for one in notice.about)
            if wanted.record is None or speaks:
                place = ".".join(part for part in (wanted.place, inner) if part)
                self._told.append(Notice(notice.code, place, in_words_of_file(notice.text, self.called)))
        return msgspec.json.decode(reply.body) if reply.body else None

    def called(self, word: str, id: int) -> str:
        """What the document calls a record, or else the company."""
        for wanted in self.document.references.of(word).values():
            if wanted.id == id:
                return wanted.key
        return self.document.before.names.key(word, id)

    def refer(self, word: str, key: Any, place: str) -> int:
        """The id of the record that is called so; Waiting if it is yet to be made, Invalid if there is none."""
        found = self.document.references.find(word, str(key))
        if isinstance(found, Wanted):
            self._named.add(found)
            if not found.id:
                raise Waiting(found)
            return found.id
        if found is None:
            alike = self.document.before.names.alike(word, str(key))
            text = f"There is no {word} called {shown(key)}, neither in the document nor in the company."
            if alike:
                text = f"There are several that are called so; say which: {' or '.join(alike)}."
            raise Invalid.of([Violation(location=place, reason="notFound", message=text, sent=shown(key))])
        return found

    def wait_for(self, word: str, key: Any) -> None:
        """Waiting if the document has a record that is called so and yet to be made."""
        if self.knows(word, str(key)):
            self.refer(word, key, "")

    def knows(self, word: str, key: str) -> bool:
        """Whether a record is called so."""
        return self.document.references.find(word, key) is not None


def _faults_of(entry: _Put, making: Mapping[Wanted, Exception]) -> list[Violation]:
    """What a step was refused for, as faults of the file; nothing if it waits for what is refused itself."""
    step, cause = entry.step, entry.cause
    if isinstance(cause, Waiting):
        if not _in_a_circle(cause, making):
            return []
        text = f"Waits for {cause.on.place}, which waits for this: point one of them elsewhere first."
        return [Violation(location=step.place, reason="conflict", message=text)]
    if isinstance(cause, IntegrityError):
        return []
    if not isinstance(cause, Refusal):
        text = f"Stands at the end of a chain of more than {MAX_PASSES} references: apply the document in parts."
        return [Violation(location=step.place, reason="conflict", message=text)]
    if not cause.violations:
        return [Violation(location=step.place, reason=cause.reason, message=cause.message)]
    found = []
    for violation in cause.violations:
        inner = step.wanted.kind.place(violation.location)
        if violation.reason == "required" and any(_covers(one, inner) for one in step.wanted.unread):
            # It is there, and cannot be read.
            continue
        location = f"{step.wanted.place}.{inner}" if inner else step.place
        found.append(msgspec.structs.replace(violation, location=location))
    return found


def _in_a_circle(cause: Waiting, making: Mapping[Wanted, Exception]) -> bool:
    """Whether what is waited for waits itself, and so on, without end."""
    seen: set[Wanted] = set()
    here = cause.on
    while here not in seen:
        seen.add(here)
        following = making.get(here)
        if not isinstance(following, Waiting):
            return False
        here = following.on
    return True


def _covers(path: str, place: str) -> bool:
    return place == path or place.startswith((path + ".", path + "[")) or path.startswith(place + ".")


def _joined(under: str, place: str) -> str:
    return f"{under}{'' if place.startswith('[') or not (place and under) else '.'}{place}"
