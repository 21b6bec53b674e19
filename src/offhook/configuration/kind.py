"""What one kind of record is to the file: its fields, how each is read, written and sent, and by which operations.

A kind is data. It knows no rule of its subject: it names the operations that are asked, whose handlers refuse.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from offhook.configuration.names import Names
from offhook.configuration.wire import NOUNS
from offhook.configuration.wording import article
from offhook.kit.errors import Violation, shown
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run


def as_it_is(value: Any) -> Any:
    """A value for which there is only one way to write it."""
    return value


def words(value: Any) -> Any:
    """A text; whole numbers are taken for the digits they are written with."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def each(normal: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A list whose entries are written by a rule; one entry may stand alone."""

    def normalise(value: Any) -> Any:
        return [normal(one) for one in (value if isinstance(value, list) else [value])]

    return normalise


def sent_as_it_is(_run: "Run", value: Any, _place: str) -> Any:
    """The value as the body takes it."""
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field of a record, by its dotted path. What is equal to `default` is left out of a file; None is no value.

    `show` gives its value of an item, in the form of the file; `normal` gives what was written in that same form, or
    raises ValueError with what is allowed. `wire` is its dotted path in the bodies of create and update, "" if it has
    operations of its own; `send` makes the value for there, and `cleared` is what the update is sent for no value.
    One that `refers` holds the name of a record of that kind. A `late` field may wait for records that are yet to be
    made. Fields that go `together` are sent all or none. One that is not `mutable` cannot be changed. One that is not
    taken by `create` is sent to the update after it; one that is not taken by `update` has another way. A `required`
    one has no default to go back to. What is sent for one that is `spread` are several fields of the body, called
    `aliases`. A `hidden` one holds a secret: a file has `keep` in its place, and what is compared is a digest.
    What is warned of at one means those `besides`, unless it changes itself. `complete` gives the whole of a value that
    was written in part, from what there was before or else the default.
    """

    path: str
    default: Any = None
    show: Callable[[Transaction, "Item", Names], Any] | None = None
    normal: Callable[[Any], Any] = words
    wire: str | None = None
    send: Callable[["Run", Any, str], Any] = sent_as_it_is
    cleared: Any = None
    refers: str = ""
    late: bool = False
    together: str = ""
    create: bool = True
    update: bool = True
    mutable: bool = True
    always: bool = False
    required: bool = False
    hidden: bool = False
    spread: bool = False
    aliases: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    complete: Callable[[Any, Any], Any] | None = None

    @property
    def sent(self) -> str:
        return self.path if self.wire is None else self.wire

    def shown(self, tx: Transaction, item: "Item", names: Names) -> Any:
        """The value of an item."""
        if self.show is not None:
            return self.show(tx, item, names)
        found = item.value
        for part in self.path.split("."):
            found = getattr(found, part)
        return plain(found)


def plain(value: Any) -> Any:
    """A kept value as a document holds it: lists for tuples, None for what is empty."""
    if isinstance(value, tuple):
        return [plain(one) for one in value] or None
    if isinstance(value, msgspec.Struct):
        return {name: inner for name, inner in msgspec.to_builtins(value).items() if inner not in (None, "", [])}
    return None if value == "" else value


@dataclass(frozen=True, slots=True)
class Item:
    """A record as it is kept. `name` is what it is called within its office, if its kind belongs to one."""

    id: int
    name: str
    value: Any
    office_id: int = 0
    state: str = "active"
    tenant_id: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the file would say it: every field, defaults included."""

    id: int
    key: str
    fields: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Wanted:
    """A record of the file. `given` are the fields that it mentions or, pruned, resets; `said` are the former alone.

    `record` is what there is of it, if it is there. `unread` are the fields that could not be read or, of names that
    are no field's, were likely meant: all else is tried, so that nothing that is wrong hides another.
    """

    kind: "Kind"
    key: str
    given: dict[str, Any]
    record: Record | None = None
    id: int = 0
    failed: bool = False
    unread: frozenset[str] = frozenset()
    said: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.said = frozenset(self.given)

    @property
    def place(self) -> str:
        return f"{self.kind.section}.{self.key}"

    def value(self, path: str) -> Any:
        """What the field shall be in the end."""
        if path in self.given:
            return self.given[path]
        return self.record.fields.get(path) if self.record is not None else self.kind.field(path).default

    def differs(self, path: str) -> bool:
        """Whether the file asks for another value than there is."""
        if path not in self.given:
            return False
        before = self.record.fields.get(path) if self.record is not None else self.kind.field(path).default
        return bool(self.given[path] != before)

    def says(self, place: str) -> bool:
        """Whether the file mentions a place in the record, or the whole is meant."""
        at = [one for one in self.kind.fields if _covers(one.path, place)]
        return not at or any(self._speaks_of(one) for one in at)

    def _speaks_of(self, one: Field) -> bool:
        if one.besides:
            return not self.said.isdisjoint(one.besides) or self.differs(one.path)
        return one.path in self.said

    def changed(self, paths: Sequence[Field]) -> list[Field]:
        """Those of the fields that differ."""
        return [one for one in paths if self.differs(one.path)]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do for a record; it may be tried again after others. `place` is where its refusals belong.

    All but the step that `makes` a record wait until it is there.
    """

    wanted: Wanted
    place: str
    do: Callable[["Run"], Sequence["Step"] | None]
    makes: bool = False


Extra = Callable[["Run", Wanted], None]


@dataclass(frozen=True, slots=True)
class Special:
    """Fields with operations of their own. `first` comes before all others, such as giving up a number; those that
    others wait for are `early`.
    """

    paths: tuple[str, ...]
    do: Extra
    first: Extra | None = None
    early: bool = False


@dataclass(frozen=True, slots=True)
class Unique:
    """What no two records may have at once, such as an extension; `scope` names those who may not.

    `of` gives what a record has, from its fields. `free` lets go of it, so that another may have it before the record
    itself gets its own step.
    """

    scope: str
    of: Callable[[Callable[[str], Any]], Iterable[Any]]
    free: Extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One section of the file. `type` is the word for its records as targets; `implied` are the fields that a key says.

    `whole`: its update replaces everything, so it is sent everything. `identity` is a field that says which record is
    meant before its key does. `make` and `remove` stand in for create and delete; what `make` gives None for is let be.
    What is `supplied` comes with the company, so that it is never pruned; while it is `idle`, a file need not have it.
    """

    section: str
    type: str
    fields: tuple[Field, ...]
    load: Callable[[Transaction, int], Sequence[Item]]
    create: str | Callable[[Wanted], str]
    update: str
    delete: str
    identity: str = ""
    id: str = "id"
    implied: tuple[str, ...] = ("name",)
    whole: bool = False
    specials: tuple[Special, ...] = ()
    uniques: tuple[Unique, ...] = ()
    made: Callable[["Run", Any], int] = lambda _run, answer: int(answer["id"])
    make: "Callable[[Run, Wanted], int | None] | None" = None
    remove: "Callable[[Run, Wanted], None] | None" = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    supplied: Callable[[Item], bool] = lambda _: False
    idle: Callable[[Item], bool] = lambda _: False
    by_path: dict[str, Field] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_path.update({one.path: one for one in self.fields})

    def field(self, path: str) -> Field:
        """The field of a path."""
        return self.by_path[path]

    @property
    def noun(self) -> str:
        """What people call a record."""
        return NOUNS[self.section]

    @property
    def in_office(self) -> bool:
        return self.implied == ("office", "name")

    def place(self, location: str) -> str:
        """The path in the file of a place that the operations name in their own words; "" if no field holds it."""
        for one in self.fields:
            if location in one.aliases:
                return one.path
        known = [one for one in self.fields if one.sent and _covers(one.sent, location)]
        if not known:
            known = [one for one in self.fields if _covers(one.path, location)]
            return _targets(location) if known else ""
        best = max(known, key=lambda one: len(one.sent))
        return best.path + _targets(location[len(best.sent) :])


def _covers(wire: str, location: str) -> bool:
    return location == wire or location.startswith((wire + ".", wire + "["))


def _targets(rest: str) -> str:
    for word in ("action_target_id", "action_target_type"):
        rest = rest.replace(".options." + word, ".target").replace(word, "target")
    return rest.replace(".options.", ".")


def flat(record: Mapping[str, Any], kind: Kind, place: str, found: list[Violation]) -> tuple[dict[str, Any], set[str]]:
    """A record of the file by field path, in normal form, and the fields that cannot be read: what it should not hold
    goes to `found`.
    """
    given: dict[str, Any] = {}
    unread: set[str] = set()
    for path, value in _walk(record, kind, "", place, found, unread):
        one = kind.by_path[path]
        if value is None:
            given[path] = one.default
            continue
        try:
            given[path] = one.normal(value)
        except ValueError as error:
            found.append(Violation(location=f"{place}.{path}", message=str(error), sent=shown(value)))
            unread.add(path)
    return given, unread


def _walk(
    record: Mapping[str, Any], kind: Kind, prefix: str, place: str, found: list[Violation], unread: set[str]
) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        path = prefix + name
        if path in kind.by_path:
            yield path, value
        elif any(known.startswith(path + ".") for known in kind.by_path):
            if isinstance(value, dict):
                yield from _walk(value, kind, path + ".", place, found, unread)
            elif value is not None:
                text = "Must be a mapping of fields."
                found.append(Violation(location=f"{place}.{path}", message=text, sent=shown(value)))
                unread.add(path)
        elif path != "id":
            names = sorted({known[len(prefix) :].split(".")[0] for known in kind.by_path if known.startswith(prefix)})
            text = f"{article(kind.section)} has no such field{meant(name, names)}"
            found.append(Violation(location=f"{place}.{path}", message=text))
            unread.add(prefix + (_near(name, names) or name))


def meant(sent: str, allowed: Sequence[str]) -> str:
    """The end of a sentence on a word that is not known: what was likely meant, or all that there are."""
    near = _near(sent, allowed)
    return f": did you mean {near}?" if near else f"; there are {', '.join(allowed)}."


def _near(sent: str, allowed: Sequence[str]) -> str:
    return next(iter(difflib.get_close_matches(sent.casefold(), allowed, n=1, cutoff=0.7)), "")
