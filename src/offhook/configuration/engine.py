"""Makes a company what a document says, within one open transaction, by the operations that anybody calls.

The records of both sides are matched, each difference becomes a step, and steps that wait for others are tried again
until nothing moves any more. What is refused then is named all at once, and the transaction is undone by whoever opened
it. What was changed is told from the company before and after, so that a plan is never a guess.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from offhook.access.gate import whole_refusal
from offhook.configuration import wire
from offhook.configuration.kind import Extra, Field, Item, Kind, Record, Special, Step, Wanted, flat, meant
from offhook.configuration.names import Names, References
from offhook.directory import pointers
from offhook.directory.lines.model import Target
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Refusal, Unavailable, Violation, shown
from offhook.kit.operation import JSON, Call, Operation, Reply
from offhook.kit.wire import Misfit, encode_sorted, fit, read_query
from offhook.storage.batches import finished
from offhook.storage.database import Transaction

MAX_STEPS = 5_000
MAX_PASSES = 50
KEEP = "keep"
VERSION = 1
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Company:
    """A company as its file would say it."""

    about: Mapping[str, Any]
    records: Mapping[str, Mapping[int, Record]]
    names: Names

    def document(self, kinds: Sequence[Kind]) -> dict[str, Any]:
        """The document, without fields that have their defaults."""
        document: dict[str, Any] = {"version": VERSION, "company": dict(self.about)}
        for kind in kinds:
            records = sorted(self.records[kind.section].values(), key=lambda one: one.key.casefold())
            document[kind.section] = {one.key: _written(kind, one, self.names) for one in records}
        return document

    def fingerprint(self) -> str:
        """What stands for all of it, ids included."""
        everything = [
            [section, one.id, one.key, one.fields] for section in self.records for one in self.records[section].values()
        ]
        return hashlib.sha256(encode_sorted(everything)).hexdigest()[:32]


def _written(kind: Kind, record: Record, names: Names) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if record.id in names.numbered[kind.type]:
        found["id"] = str(record.id)
    clear = record.id in names.clear[kind.type]
    for one in kind.fields:
        value = record.fields.get(one.path)
        if one.path in kind.implied:
            if clear:
                continue
        elif value is None or (value == one.default and not one.always):
            continue
        if one.hidden:
            value = KEEP
        inner = found
        *way, last = one.path.split(".")
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found


def read(tx: Transaction, tenant_id: int, kinds: Sequence[Kind], about: Mapping[str, Any]) -> Company:
    """The company as it is in this transaction."""
    names = Names()
    items: dict[str, Sequence[Item]] = {}
    for kind in kinds:
        items[kind.section] = kind.load(tx, tenant_id)
        names.add(kind, items[kind.section])
    records = {
        kind.section: {
            item.id: Record(
                item.id,
                names.key(kind.type, item.id),
                {one.path: one.shown(tx, item, names) for one in kind.fields},
            )
            for item in items[kind.section]
        }
        for kind in kinds
    }
    return Company(about, records, names)


def gathered(parts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each part gives; Invalid with the faults of all, or Waiting if there are none and one has to wait."""
    done: list[Any] = []
    found: list[Violation] = []
    wait: Waiting | None = None
    for part in parts:
        try:
            done.append(part())
        except Invalid as invalid:
            found += invalid.violations
        except Waiting as waiting:
            wait = waiting
    if found:
        raise Invalid.of(found)
    if wait is not None:
        raise wait
    return done


class Waiting(Exception):
    """A step needs a record of the file that is not there yet."""

    def __init__(self, on: Wanted) -> None:
        super().__init__(on.place)
        self.on = on


@dataclass(slots=True)
class _Put:
    """A step that was put off, and why."""

    step: Step
    cause: Exception


class Run:
    """One document being carried out."""

    def __init__(
        self,
        tx: Transaction,
        call: Call,
        kinds: Sequence[Kind],
        operations: Mapping[str, Operation],
        before: Company,
    ) -> None:
        self.tx = tx
        self.kinds = kinds
        self.before = before
        self.notices: list[Notice] = []
        self.faults: list[Violation] = []
        self._call = call
        self._operations = operations
        self._references = References(before.names)
        self._wanted: list[Wanted] = []
        self._gone: dict[tuple[str, int], Record] = {}
        self._told: list[Notice] = []
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

    # What a document says

    def take(self, document: Mapping[str, Any], *, prune: bool) -> None:
        """Read a document; what cannot be is among the faults."""
        sections = {kind.section: kind for kind in self.kinds}
        if document.get("version") not in (VERSION, str(VERSION)):
            text = f"The document must begin with version: {VERSION}."
            self.faults.append(Violation(location="version", message=text, sent=shown(document.get("version"))))
        self._compare_company(document.get("company"))
        for name, section in document.items():
            if name in ("version", "company") or section is None:
                continue
            if name not in sections:
                text = f"There is no such section{meant(name, [*sections, 'company'])}"
                self.faults.append(Violation(location=shown(name), message=text))
            elif not isinstance(section, dict):
                text = f"Must be a mapping: each {sections[name].noun} under what it is called."
                self.faults.append(Violation(location=name, message=text, sent=shown(section)))
        present = [kind for kind in self.kinds if isinstance(document.get(kind.section), dict)]
        for kind in present:
            self._take_section(kind, document[kind.section])
        for wanted in self._wanted:
            self._match(wanted)
        for wanted in self._wanted:
            self._leave_out_same(wanted)
        self._refuse_twice()
        if prune:
            self._prune(present)

    def _compare_company(self, company: Any) -> None:
        if not isinstance(company, dict):
            return
        for name, value in company.items():
            here = self.before.about.get(name)
            if value != here:
                text = f"The document says {shown(value)}, this company's is {shown(here)}; it stays as it is."
                self.notices.append(Notice("company_differs", f"company.{shown(name)}", text))

    def _take_section(self, kind: Kind, section: Mapping[str, Any]) -> None:
        for key, record in section.items():
            place = f"{kind.section}.{key}"
            if record is not None and not isinstance(record, dict):
                text = f"A {kind.noun} must be a mapping of its fields."
                self.faults.append(Violation(location=place, message=text, sent=shown(record)))
                record, failed = {}, True
            else:
                record, failed = record or {}, False
            found: list[Violation] = []
            wanted = Wanted(kind, key, flat(record, kind, place, found), failed=failed or bool(found))
            self.faults += found
            if record.get("id") is not None:
                self._match_by_id(wanted, record["id"])
            self._wanted.append(wanted)
            self._references.add(wanted)

    def _match_by_id(self, wanted: Wanted, id: Any) -> None:
        number = int(id) if str(id).isascii() and str(id).isdigit() and len(str(id)) < 20 else 0
        wanted.record = self.before.records[wanted.kind.section].get(number)
        if wanted.record is None:
            text = f"There is no {wanted.kind.noun} with this id in the company. Without an id, the name decides."
            self._fail(wanted, "id", text, id, reason="notFound")
        else:
            wanted.id = wanted.record.id

    def _fail(self, wanted: Wanted, path: str, text: str, sent: Any = None, reason: str = "invalidParameter") -> None:
        location = f"{wanted.place}.{path}" if path else wanted.place
        what = None if sent is None else shown(sent)
        self.faults.append(Violation(location=location, message=text, sent=what, reason=reason))
        wanted.failed = True

    def _match(self, wanted: Wanted) -> None:
        """Find what there is of a record, and fill in what its key says."""
        kind, names = wanted.kind, self.before.names
        known = wanted.record.id if wanted.record is not None else names.find(kind.type, wanted.key)
        if wanted.record is None and kind.identity and wanted.given.get(kind.identity):
            known = names.find(kind.type, str(wanted.given[kind.identity]))
        if known is None and len(kind.implied) == 1:
            known = names.find(kind.type, str(kind.field(kind.implied[0]).normal(wanted.key)))
        if kind.in_office:
            known = self._place_in_office(wanted, known)
        elif (
            kind.implied
            and kind.implied[0] not in wanted.given
            and not (known and wanted.key == names.key(kind.type, known))
        ):
            wanted.given[kind.implied[0]] = kind.field(kind.implied[0]).normal(wanted.key)
        if known is not None:
            wanted.id, wanted.record = known, self.before.records[kind.section][known]
        elif len(alike := names.same.get(kind.type, {}).get(wanted.key, ())) > 1:
            ids = ", ".join(map(str, alike))
            self._fail(wanted, "", f"There are several that are called so; say by id: which of {ids}.")

    def _place_in_office(self, wanted: Wanted, known: int | None) -> int | None:
        kind, names = wanted.kind, self.before.names
        office, name = wanted.given.get("office"), wanted.given.get("name")
        if known is not None and wanted.key == names.key(kind.type, known) and known in names.numbered[kind.type]:
            return known
        if office is None or name is None:
            ways = list(self._references.splits(wanted.key))
            ways = [way for way in ways if way[1] == office] or ways
            if office is not None and "/" not in wanted.key:
                name = wanted.key
            elif len(ways) == 1:
                office, name = office or ways[0][1], name or ways[0][2]
            elif len(ways) > 1:
                self._fail(wanted, "", "Which part is the office? Say office: and name: as well.")
                return known
            elif known is None:
                first = wanted.key.partition("/")[0]
                text = f"There is no office {shown(first)}: the key must be Office/Name, or say office: and name:."
                self._fail(wanted, "", text, reason="notFound")
                return None
        if office is not None:
            wanted.given["office"] = office
        if name is not None:
            wanted.given["name"] = name
        if wanted.record is not None or office is None:
            return known
        found = self._references.find("office", str(office))
        office_id = found.id if isinstance(found, Wanted) else found
        alike = names.inside.get(kind.type, {}).get((office_id or 0, str(name)), [])
        return alike[0] if len(alike) == 1 else known

    def _leave_out_same(self, wanted: Wanted) -> None:
        """Put in what is kept, and forget references that only call by another name what is referred to already."""
        for one in wanted.kind.fields:
            if one.hidden and wanted.given.get(one.path) == KEEP:
                wanted.given[one.path] = wanted.record.fields[one.path] if wanted.record is not None else None
        if wanted.record is None:
            return
        for one in wanted.kind.fields:
            if one.refers and wanted.differs(one.path) and wanted.given[one.path] is not None:
                found = self._references.find(one.refers, str(wanted.given[one.path]))
                before = self.before.names.find(one.refers, str(wanted.record.fields[one.path]))
                if found is not None and before == (found.id if isinstance(found, Wanted) else found):
                    del wanted.given[one.path]

    def _refuse_twice(self) -> None:
        seen: dict[tuple[str, int], Wanted] = {}
        for wanted in self._wanted:
            if wanted.record is None:
                continue
            first = seen.setdefault((wanted.kind.section, wanted.id), wanted)
            if first is not wanted:
                text = f"This is the same {wanted.kind.noun} as {first.key}; write it once."
                self._fail(wanted, "", text, reason="duplicate")

    def _prune(self, kinds: Sequence[Kind]) -> None:
        for kind in kinds:
            kept = {wanted.id for wanted in self._wanted if wanted.kind is kind and wanted.id}
            for id, record in self.before.records[kind.section].items():
                if id not in kept:
                    self._gone[kind.type, id] = record
        for wanted in self._wanted:
            for one in wanted.kind.fields:
                optional = one.mutable and one.path not in wanted.kind.implied and not one.required
                if wanted.record is not None and optional and one.path not in wanted.given:
                    wanted.given[one.path] = one.default

    # What is done about it

    def carry_out(self) -> None:
        """Do all of it; Invalid with every fault if any of it cannot be."""
        self._work_off(self._steps())
        if not self.faults:
            self._work_off([self._removal(kind, id) for kind in reversed(self.kinds) for id in self._ids_gone(kind)])
        if self.faults:
            raise Invalid.of(dict.fromkeys(self.faults))

    def _ids_gone(self, kind: Kind) -> list[int]:
        return [id for word, id in self._gone if word == kind.type]

    def _steps(self) -> list[Step]:
        able = [wanted for wanted in self._wanted if not wanted.failed]
        steps: list[Step] = []
        for wanted in able:
            if wanted.record is None:
                steps.append(Step(wanted, wanted.place, partial(_create, wanted=wanted), makes=True))
            elif changed := wanted.changed(_by_update(wanted.kind)):
                steps.append(Step(wanted, wanted.place, partial(_update, wanted=wanted, fields=changed)))
            steps += _specially(wanted, lambda special: special.do if special.early else None)
        for wanted in able:
            steps += _specially(wanted, lambda special: special.first)
        for wanted in able:
            steps += _specially(wanted, lambda special: None if special.early else special.do)
        if len(steps) + len(self._gone) > MAX_STEPS:
            text = f"This is {len(steps) + len(self._gone):,} changes; at most {MAX_STEPS:,} are made at once."
            raise Invalid.of([Violation(location="", message=f"{text} Apply the document in parts.")])
        return steps

    def _work_off(self, steps: Sequence[Step]) -> None:
        put_off: list[_Put] = [_Put(step, Exception()) for step in steps]
        for _ in range(MAX_PASSES):
            waiting, put_off, moved = put_off, [], False
            for entry in waiting:
                moved |= self._attempt(entry.step, put_off)
            if not put_off or not moved:
                break
        making = {entry.step.wanted: entry.cause for entry in put_off if entry.step.makes}
        for entry in put_off:
            self._explain(entry, making)

    def _attempt(self, step: Step, put_off: list[_Put]) -> bool:
        if step.wanted.failed:
            return True
        self._told, self._here = [], step
        try:
            if not step.wanted.id and not step.makes:
                raise Waiting(step.wanted)
            with self.tx.savepoint():
                following = step.do(self) or ()
        except Unavailable:
            raise
        except (Refusal, Waiting) as cause:
            put_off.append(_Put(step, cause))
            return False
        self.notices += self._told
        put_off += [_Put(more, Exception()) for more in following]
        return True

    def _explain(self, entry: _Put, making: Mapping[Wanted, Exception]) -> None:
        """Turn what a step was refused for into faults of the file; what only waits for another's fault is silent."""
        step, cause = entry.step, entry.cause
        if isinstance(cause, Waiting):
            if _in_a_circle(cause, making):
                text = f"Waits for {cause.on.place}, which waits for this: point one of them elsewhere first."
                self.faults.append(Violation(location=step.place, reason="conflict", message=text))
            return
        if not isinstance(cause, Refusal):
            text = f"Stands at the end of a chain of more than {MAX_PASSES} references: apply the document in parts."
            self.faults.append(Violation(location=step.place, reason="conflict", message=text))
            return
        if not cause.violations:
            self.faults.append(Violation(location=step.place, reason=cause.reason, message=cause.message))
        for violation in cause.violations:
            inner = step.wanted.kind.place(violation.location)
            location = f"{step.wanted.place}.{inner}" if inner else step.place
            self.faults.append(msgspec.structs.replace(violation, location=location, about=()))

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
            return self._do(operation, params or {}, body, query, raw, media)
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
            place = ".".join(part for part in (wanted.place, wanted.kind.place(notice.field)) if part)
            self._told.append(Notice(notice.code, place, notice.text))
        return msgspec.json.decode(reply.body) if reply.body else None

    def refer(self, word: str, key: Any, place: str) -> int:
        """The id of the record that is called so; Waiting if it is yet to be made, Invalid if there is none."""
        found = self._references.find(word, str(key))
        if isinstance(found, Wanted):
            if not found.id:
                raise Waiting(found)
            return found.id
        if found is None:
            text = f"There is no {word} called {shown(key)}, neither in the document nor in the company."
            raise Invalid.of([Violation(location=place, reason="notFound", message=text, sent=shown(key))])
        return found

    def knows(self, word: str, key: str) -> bool:
        """Whether a record is called so."""
        return self._references.find(word, key) is not None

    def _removal(self, kind: Kind, id: int) -> Step:
        record = self._gone[kind.type, id]
        wanted = Wanted(kind, record.key, {}, record, id)

        def remove(run: "Run") -> None:
            if kind.remove is not None:
                kind.remove(run, wanted)
                return
            rows = pointers.pointing_at(run.tx, run.tenant_id, Target(kind.type, id), _ALL)
            # What points here and goes as well is no reason to keep it.
            force = bool(rows) and all((row[0], row[1]) in run._gone for row in rows)
            run.do(kind.delete, params={kind.id: id}, query={"force": "true"} if force else None)

        return Step(wanted, wanted.place, partial(_removed, remove))


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


def _joined(under: str, place: str) -> str:
    return f"{under}{'' if place.startswith('[') or not place else '.'}{place}"


def _removed(remove: Callable[[Run], None], run: Run) -> None:
    try:
        remove(run)
    except NotFound:
        # It went with another that was deleted.
        return
    except Conflict as conflict:
        text = f"Cannot be deleted: {conflict.message}"
        raise Conflict(text) from None


def _specially(wanted: Wanted, choose: Callable[[Special], Extra | None]) -> list[Step]:
    """The steps of fields that differ and have operations of their own, as far as they are chosen."""
    return [
        Step(wanted, f"{wanted.place}.{special.paths[0]}", partial(_special, do, wanted))
        for special in wanted.kind.specials
        if (do := choose(special)) is not None and any(wanted.differs(path) for path in special.paths)
    ]


def _by_update(kind: Kind) -> list[Field]:
    return [one for one in kind.fields if one.sent and one.update]


def _create(run: Run, wanted: Wanted) -> Sequence[Step]:
    """Make a record; what of it has to wait for others becomes a step of its own."""
    kind = wanted.kind
    if kind.make is not None:
        wanted.id = kind.make(run, wanted) or 0
        wanted.failed = not wanted.id
        return ()
    given = [one for one in kind.fields if one.sent and wanted.given.get(one.path) is not None]
    late = [one for one in given if not one.create]
    at_once = _together(kind, [one for one in given if one.create])
    body, waiting, found = _sent(run, wanted, at_once)
    if any(not one.late for one in waiting):
        raise next(iter(waiting.values()))
    for one in waiting:
        body.pop(one.together, None)
    operation = kind.create if isinstance(kind.create, str) else kind.create(wanted)
    answer = _asked(found, lambda: run.do(operation, body={**kind.fixed, **body}))
    wanted.id = kind.made(run, answer)
    late += [one for one in kind.fields if one in waiting]
    return [Step(wanted, wanted.place, partial(_update, wanted=wanted, fields=late))] if late else ()


def _update(run: Run, wanted: Wanted, fields: Sequence[Field]) -> None:
    kind = wanted.kind
    fixed = [one for one in fields if not (one.mutable and kind.update)]
    if fixed:
        text = f"This stays as it was made: delete the {kind.noun} and create another."
        raise Invalid.of([Violation(location=one.sent, reason="conflict", message=text) for one in fixed])
    body, waiting, found = _sent(run, wanted, _by_update(kind) if kind.whole else _together(kind, fields))
    if waiting and not found:
        raise next(iter(waiting.values()))
    _asked(found, lambda: run.do(kind.update, params={kind.id: wanted.id}, body=body))


def _sent(
    run: Run, wanted: Wanted, fields: Sequence[Field]
) -> tuple[dict[str, Any], dict[Field, Waiting], list[Violation]]:
    """A body of these fields, those of them that have to wait, and what is wrong with others."""
    body: dict[str, Any] = {}
    waiting: dict[Field, Waiting] = {}
    found: list[Violation] = []
    for one in fields:
        value = wanted.value(one.path)
        try:
            sent = one.cleared if value is None else one.send(run, value, one.path)
        except Waiting as wait:
            waiting[one] = wait
        except Invalid as invalid:
            found += invalid.violations
        else:
            if one.spread and sent is not None:
                body |= sent
            elif sent is not None:
                _put(body, one, sent)
    for one in fields:
        if any(violation.location.startswith(one.path) for violation in found):
            body.pop(one.together, None)
    return body, waiting, found


def _asked(found: Sequence[Violation], do: Callable[[], Any]) -> Any:
    """The answer of an operation; where something is wrong with its body already, what is wrong with the rest too."""
    if not found:
        return do()
    more: Sequence[Violation] = ()
    try:
        do()
    except Refusal as refusal:
        places = {one.location for one in found}
        more = [one for one in refusal.violations if one.location not in places and one.reason != "required"]
    raise Invalid.of([*found, *more])


def _together(kind: Kind, fields: Sequence[Field]) -> list[Field]:
    """The fields, with those that have to go with them."""
    groups = {one.together for one in fields if one.together}
    return [one for one in kind.fields if one in fields or one.together in groups]


def _special(do: Callable[[Run, Wanted], None], wanted: Wanted, run: Run) -> None:
    do(run, wanted)


def _put(body: dict[str, Any], one: Field, value: Any) -> None:
    *way, last = one.sent.split(".")
    for part in way:
        body = body.setdefault(part, {})
    body[last] = value


def _changed(one: Field, before: Any, after: Any) -> wire.FieldChange:
    if one.hidden:
        before, after = before and "a secret", after and ("another secret" if before else "a secret")
    return wire.FieldChange(field=one.path, before=before, after=after)


def changes(before: Company, after: Company, kinds: Sequence[Kind], *, planned: bool) -> list[wire.RecordChange]:
    """What became of the records, section by section: made, changed field by field, deleted."""
    found: list[wire.RecordChange] = []
    for kind in kinds:
        old, new = before.records[kind.section], after.records[kind.section]
        for record in sorted(new.values(), key=lambda one: one.key.casefold()):
            earlier = old.get(record.id)
            if earlier is None:
                fields = [
                    wire.FieldChange(field=one.path, after="a secret" if one.hidden else record.fields[one.path])
                    for one in kind.fields
                    if record.fields.get(one.path) not in (None, one.default) and one.path not in kind.implied
                ]
                id = None if planned else str(record.id)
                found.append(
                    wire.RecordChange(verb="create", section=kind.section, key=record.key, id=id, fields=fields)
                )
                continue
            fields = [
                _changed(one, earlier.fields.get(one.path), record.fields.get(one.path))
                for one in kind.fields
                if earlier.fields.get(one.path) != record.fields.get(one.path)
            ]
            if fields:
                found.append(
                    wire.RecordChange(
                        verb="change", section=kind.section, key=record.key, id=str(record.id), fields=fields
                    )
                )
        found += [
            wire.RecordChange(verb="delete", section=kind.section, key=one.key, id=str(one.id))
            for one in sorted(old.values(), key=lambda one: one.key.casefold())
            if one.id not in new
        ]
    return found
