"""The steps by which a document is made so: what each does for a record, by the operations that anybody calls."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from offhook.configuration.document import Document
from offhook.configuration.kind import Extra, Field, Kind, Special, Step, Unique, Wanted
from offhook.configuration.waiting import Waiting
from offhook.directory import pointers
from offhook.directory.lines.model import Target
from offhook.kit.errors import Conflict, Invalid, NotFound, Refusal, Violation

if TYPE_CHECKING:
    from offhook.configuration.run import Run

MAX_STEPS = 5_000
_ALL = 1_000_000
_NAMED = 5


def steps_of(document: Document) -> list[Step]:
    """All steps but removals, in the order in which they are tried; Invalid if they are too many."""
    able = [wanted for wanted in document.wanted if not wanted.failed]
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
    many = len(steps) + len(document.gone)
    if many > MAX_STEPS:
        text = f"This is {many:,} changes; at most {MAX_STEPS:,} are made at once. Apply the document in parts."
        raise Invalid.of([Violation(location="", message=text)])
    return [*_freeing(document), *steps]


# What others are to have


def _freeing(document: Document) -> Iterator[Step]:
    """Steps by which records let go of what is unique where another record of the document is to have it."""
    claimed: dict[str, set[str]] = defaultdict(set)
    left: list[tuple[Wanted, Unique, set[str]]] = []
    for wanted in document.wanted:
        for unique in wanted.kind.uniques:
            after = _texts(unique.of(wanted.value))
            before = _texts(unique.of(wanted.record.fields.get)) if wanted.record is not None else set[str]()
            claimed[unique.scope] |= after - before
            if before - after:
                # Of one that cannot be made so as well: what others are refused for then would be no fault of theirs.
                able = Wanted(wanted.kind, wanted.key, wanted.given, wanted.record, wanted.id)
                left.append((able, unique, before - after))
    for kind in document.kinds:
        for unique in kind.uniques:
            for id, record in document.gone_of(kind):
                given = dict.fromkeys(record.fields)
                gone = Wanted(kind, record.key, given, record, id)
                left.append((gone, unique, _texts(unique.of(record.fields.get))))
    for wanted, unique, values in left:
        if values & claimed[unique.scope]:
            yield Step(wanted, wanted.place, partial(_special, unique.free, wanted))


def _texts(values: Iterable[Any]) -> set[str]:
    """What can be held at all; what else stands in a file is refused by its own step."""
    return {one for one in values if isinstance(one, str)}


# Removing


def removals_of(document: Document) -> list[Step]:
    """The steps that delete what is to be no more, what is made last first."""
    return [_removal(document, kind, id) for kind in reversed(document.kinds) for id, _ in document.gone_of(kind)]


def _removal(document: Document, kind: Kind, id: int) -> Step:
    record = document.gone[kind.type, id]
    wanted = Wanted(kind, record.key, {}, record, id)

    def remove(run: "Run") -> None:
        if kind.remove is not None:
            kind.remove(run, wanted)
            return
        rows = pointers.pointing_at(run.tx, run.tenant_id, Target(kind.type, id), _ALL)
        # What points here and goes as well is no reason to keep it.
        callers = [row for row in rows if (row[0], row[1]) not in document.gone]
        if callers:
            raise Conflict(_called_by(run, callers))
        force = bool(rows)
        run.do(kind.delete, params={kind.id: id}, query={"force": "true"} if force else None)

    return Step(wanted, wanted.place, partial(_removed, remove))


def _called_by(run: "Run", rows: Sequence[Any]) -> str:
    """Why a record cannot go, from rows (owner type, owner id, place) of who sends calls to it."""
    kinds = {kind.type: kind for kind in run.document.kinds}
    places = [f"{kinds[word].section}.{run.called(word, id)}.{kinds[word].place(place)}" for word, id, place in rows]
    named = ", ".join(dict.fromkeys(places[:_NAMED]))
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return f"Calls are sent here by {named}{more}; point them elsewhere, or leave out who sends them as well."


def _removed(remove: Callable[["Run"], None], run: "Run") -> None:
    try:
        remove(run)
    except NotFound:
        # It went with another that was deleted.
        return
    except Conflict as conflict:
        text = f"Cannot be deleted: {conflict.message}"
        raise Conflict(text) from None


# Making and changing


def _specially(wanted: Wanted, choose: Callable[[Special], Extra | None]) -> list[Step]:
    """The steps of fields that differ and have operations of their own, as far as they are chosen."""
    return [
        Step(wanted, f"{wanted.place}.{special.paths[0]}", partial(_special, do, wanted))
        for special in wanted.kind.specials
        if (do := choose(special)) is not None and any(wanted.differs(path) for path in special.paths)
    ]


def _by_update(kind: Kind) -> list[Field]:
    return [one for one in kind.fields if one.sent and one.update]


def _create(run: "Run", wanted: Wanted) -> Sequence[Step]:
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


def _update(run: "Run", wanted: Wanted, fields: Sequence[Field]) -> None:
    kind = wanted.kind
    fixed = [one for one in fields if not (one.mutable and kind.update)]
    for one in fixed:
        # What it names must be there, before it can be said that it is another.
        if one.refers and wanted.given[one.path] is not None:
            run.refer(one.refers, wanted.given[one.path], one.path)
    if fixed:
        text = f"This stays as it was made: delete the {kind.noun} and create another."
        raise Invalid.of([Violation(location=one.sent, reason="conflict", message=text) for one in fixed])
    body, waiting, found = _sent(run, wanted, _by_update(kind) if kind.whole else _together(kind, fields))
    if waiting and not found:
        raise next(iter(waiting.values()))
    _asked(found, lambda: run.do(kind.update, params={kind.id: wanted.id}, body=body))


def _sent(
    run: "Run", wanted: Wanted, fields: Sequence[Field]
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


def _special(do: Extra, wanted: Wanted, run: "Run") -> None:
    do(run, wanted)


def _put(body: dict[str, Any], one: Field, value: Any) -> None:
    *way, last = one.sent.split(".")
    for part in way:
        body = body.setdefault(part, {})
    body[last] = value
