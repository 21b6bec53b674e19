"""Two versions of a document compared: operations added, removed and changed, and what breaks clients. Pure.

An operation is looked at closely only if something that it reaches has changed, so that the largest documents are
compared in seconds. What is behind the bounds of a listing is not said to have come or gone: that is not known.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from offhook.catalog.documents.operations import MOST_OPERATIONS
from offhook.catalog.model import Body, Document, Field, Head, Reference, parts_of, pointer_to
from offhook.catalog.reference.fields import MORE_VALUES
from offhook.catalog.reference.page import reference
from offhook.catalog.reference.resolving import Resolver, local
from offhook.catalog.work import Work

MOST_CHANGES = 200
"""The most changes that are listed of one operation."""

MOST_ROWS = 250_000
"""The most rows that are compared in all; operations behind that are said to have changed, without saying how."""

MOST_STEPS, MOST_SECONDS = 10_000_000, 20.0
"""What is spent on one comparison."""

_MOST_STEPS = 10_000_000
_DEEPER = re.compile(r"\]\[|\[[0-9]")
"""Arrays of arrays, and what stands at a place of its own in one: rows below, without a dot."""


Kind = Literal["added", "removed", "required", "optional", "type", "values", "default", "limits", "text", "other"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is different. `place` is where ("body", "query", "response 200"), `name` the field or parameter.

    `breaks` says that a client which was right before may no longer be.
    """

    kind: Kind
    place: str
    name: str
    text: str
    breaks: bool = False


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that both versions have; `more` changes are not listed."""

    before: Head
    after: Head
    changes: tuple[Change, ...]
    more: int = 0
    breaks: bool = False


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a new version of a document changes. A removed operation always breaks clients."""

    added: tuple[Head, ...]
    removed: tuple[Head, ...]
    changed: tuple[Changed, ...]
    unchanged: int

    @property
    def breaks(self) -> bool:
        """Whether anything breaks clients."""
        return bool(self.removed) or any(each.breaks for each in self.changed)


def compare(
    before: Document, old: Sequence[Head], after: Document, new: Sequence[Head], work: Work | None = None
) -> Review:
    """What is different in `after`, whose operations are `new`; operations are matched by method and path."""
    work = work or Work(MOST_STEPS, MOST_SECONDS)
    was = {(head.method, head.path): head for head in old}
    now = {(head.method, head.path): head for head in new}
    both = [(was[key], head) for key, head in now.items() if key in was]
    touched = _Reach(before, after).touched(both)
    changed: list[Changed] = []
    rows = 0
    for one, other in both:
        if other.pointer not in touched and one.key == other.key:
            continue
        if rows > MOST_ROWS or work.over:
            text = "It changed; there are too many changes to look at each."
            unseen = Change(kind="other", place="operation", name="", text=text)
            changed.append(Changed(before=one, after=other, changes=(unseen,)))
            continue
        parts = work.part(), work.part()
        first = reference(before, one.pointer, one, parts[0])
        second = reference(after, other.pointer, other, parts[1])
        work.spend(sum(part.spent for part in parts))
        rows += _size(first) + _size(second)
        changes = list(_changes(first, second))
        if unseen_parts := _unseen(first, second):
            if changes:
                text = f"It has more than is compared: {', '.join(unseen_parts)}."
            else:
                text = "Something that it reaches changed, in what is more than is compared."
            changes.insert(0, Change(kind="other", place="operation", name="", text=text))
        if changes:
            changed.append(
                Changed(
                    before=one,
                    after=other,
                    changes=tuple(changes[:MOST_CHANGES]),
                    more=max(0, len(changes) - MOST_CHANGES),
                    breaks=any(change.breaks for change in changes),
                )
            )
    # Of a document with more operations than are listed, what is not listed may be there all the same.
    in_old = _Operations(before, whole=len(old) < MOST_OPERATIONS)
    in_new = _Operations(after, whole=len(new) < MOST_OPERATIONS)
    return Review(
        added=tuple(head for key, head in now.items() if key not in was and not in_old.has(head)),
        removed=tuple(head for key, head in was.items() if key not in now and not in_new.has(head)),
        changed=tuple(changed),
        unchanged=len(both) - len(changed),
    )


class _Reach:
    """Which operations reach something that is different in the two versions."""

    def __init__(self, before: Document, after: Document) -> None:
        self._before = before
        self._after = after
        self._users: dict[str, list[str]] = {}
        self._todo: list[str] = []
        self._seen: set[str] = set()
        self._different: list[str] = []
        self._steps = 0

    def touched(self, both: Iterable[tuple[Head, Head]]) -> set[str]:
        """The pointers, in the new version, of the operations of `both` that may have changed."""
        if self._root(self._before) != self._root(self._after):
            return {head.pointer for _, head in both}
        operations: set[str] = set()
        for one, other in both:
            operations.add(other.pointer)
            self._look(other.pointer, one.pointer, other.pointer)
            item = pointer_to(*parts_of(other.pointer)[:-1])
            old = pointer_to(*parts_of(one.pointer)[:-1])
            for name in ("parameters", "servers"):
                self._look(other.pointer, f"{old}/{name}", f"{item}/{name}")
        while self._todo and self._steps < _MOST_STEPS:
            pointer = self._todo.pop()
            self._look(pointer, pointer, pointer)
        if self._todo:
            return operations
        found: set[str] = set()
        spreading = self._different
        while spreading:
            pointer = spreading.pop()
            if pointer not in found:
                found.add(pointer)
                spreading.extend(self._users.get(pointer, ()))
        return found & operations

    @staticmethod
    def _root(document: Document) -> Any:
        found = []
        for pointer in ("/servers", "/security", "/components/securitySchemes"):
            try:
                found.append(document.at(pointer))
            except KeyError:
                found.append(None)
        return found

    def _look(self, user: str, old: str, new: str) -> None:
        """Compare what stands at two places, and note what it refers to as used by `user`."""
        one, other = _at(self._before, old), _at(self._after, new)
        if one != other:
            self._different.append(user)
        for ref in self._refs(other):
            pointer = local(ref)
            if pointer is None:
                continue
            self._users.setdefault(pointer, []).append(user)
            if pointer not in self._seen:
                self._seen.add(pointer)
                self._todo.append(pointer)

    def _refs(self, value: Any) -> Iterator[str]:
        todo = [value]
        while todo:
            each = todo.pop()
            self._steps += 1
            if isinstance(each, dict):
                ref = each.get("$ref")
                if isinstance(ref, str):
                    yield ref
                todo.extend(each.values())
            elif isinstance(each, list):
                todo.extend(each)


class _Operations:
    """Whether a document has operations that are not in its list, which may not be the `whole` of them."""

    def __init__(self, document: Document, *, whole: bool) -> None:
        self._document = document
        self._resolver = Resolver(document)
        self._whole = whole

    def has(self, head: Head) -> bool:
        """Whether it has one with this method and path."""
        if self._whole:
            return False
        names = self._resolver.mapping(_at(self._document, pointer_to(parts_of(head.pointer)[0], head.path)))
        return head.method in (name.upper() for name in names)


def _at(document: Document, pointer: str) -> Any:
    try:
        return document.at(pointer)
    except KeyError:
        return None


def _size(page: Reference) -> int:
    return 50 + sum(len(body.fields) for body in _all_bodies(page))


def _all_bodies(page: Reference) -> list[Body]:
    return [*page.bodies, *(body for response in page.responses for body in response.bodies)]


def _unseen(before: Reference, after: Reference) -> list[str]:
    """What is not compared in full, in words."""
    found = dict.fromkeys((*before.cut, *after.cut))
    for page in (before, after):
        for bodies, place in (
            (page.bodies, "body"),
            *((one.bodies, f"response {one.status}") for one in page.responses),
        ):
            for body in bodies:
                found |= {f"fields of the {place}": None} if body.more_fields else {}
                found |= {f"alternatives of the {place}": None} if body.more_choices else {}
    return list(found)


class _Lists:
    """Which lists of the two references are whole, so that what is not in one of them is not there at all."""

    def __init__(self, before: Reference, after: Reference) -> None:
        self._before, self._after = before.cut, after.cut

    def can(self, what: str) -> tuple[bool, bool]:
        """Whether something of a list can be said to be added, and to be removed."""
        return what not in self._before, what not in self._after


_BOTH = True, True


def _changes(before: Reference, after: Reference) -> Iterator[Change]:
    lists = _Lists(before, after)
    yield from _of_heads(before, after)
    for place, one, other in (
        ("path", before.path_parameters, after.path_parameters),
        ("query", before.query_parameters, after.query_parameters),
        ("header", _own_headers(before), _own_headers(after)),
        ("cookie", before.cookies, after.cookies),
    ):
        yield from _of_rows(place, one, other, sent=True, can=lists.can("parameters"))
    if before.body_required != after.body_required:
        word: Kind = "required" if after.body_required else "optional"
        text = f"The body is now {word}."
        yield Change(kind=word, place="body", name="", text=text, breaks=after.body_required)
    yield from _of_bodies("body", before.bodies, after.bodies, sent=True, can=lists.can("body"))
    can_add, can_remove = lists.can("responses")
    was = {response.status: response for response in before.responses}
    now = {response.status: response for response in after.responses}
    for status in (status for status in now if status not in was and can_add):
        yield Change(kind="added", place=f"response {status}", name="", text=f"The response {status} was added.")
    for status, response in was.items():
        place = f"response {status}"
        if status not in now:
            if not can_remove:
                continue
            text = f"The response {status} was removed."
            yield Change(kind="removed", place=place, name="", text=text, breaks=status.startswith("2"))
            continue
        if response.description != now[status].description:
            text = f"The description of the response {status} changed."
            yield Change(kind="text", place=place, name="", text=text)
        header = f"{place} header"
        yield from _of_rows(header, response.headers, now[status].headers, sent=False, can=lists.can(header))
        yield from _of_bodies(place, response.bodies, now[status].bodies, sent=False, can=lists.can(place))


def _own_headers(page: Reference) -> tuple[Field, ...]:
    """The headers but Content-Type, which follows from the media types of the body; those are compared themselves."""
    return tuple(row for row in page.headers if row.name != "Content-Type")


def _of_heads(before: Reference, after: Reference) -> Iterator[Change]:
    one, other = before.head, after.head
    if one.key != other.key:
        text = f"The operation is now called {other.key}, not {one.key}."
        yield Change(kind="other", place="operation", name="key", text=text)
    for name in ("summary", "description"):
        if getattr(one, name) != getattr(other, name):
            yield Change(kind="text", place="operation", name=name, text=f"The {name} changed.")
    if one.deprecated != other.deprecated:
        text = "It is now deprecated." if other.deprecated else "It is no longer deprecated."
        yield Change(kind="other", place="operation", name="deprecated", text=text)
    if before.servers != after.servers:
        gone = {server.url for server in before.servers} - {server.url for server in after.servers}
        gone = gone if "servers" not in after.cut else set()
        text = "The servers changed." + (f" No longer: {', '.join(sorted(gone)[:5])}." if gone else "")
        yield Change(kind="other", place="servers", name="", text=text, breaks=bool(gone))
    if before.security != after.security:
        text = "How to authenticate changed."
        gone_ways = bool(set(before.security) - set(after.security)) and () not in after.security
        gone_ways = gone_ways and "security" not in after.cut
        freely = not before.security and bool(after.security) and () not in after.security
        yield Change(kind="other", place="security", name="", text=text, breaks=gone_ways or freely)


def _of_bodies(
    place: str, before: tuple[Body, ...], after: tuple[Body, ...], *, sent: bool, can: tuple[bool, bool]
) -> Iterator[Change]:
    was, now = {body.media: body for body in before}, {body.media: body for body in after}
    for media in (media for media in now if media not in was and can[0]):
        yield Change(kind="added", place=place, name=media, text=f"The media type {media} was added.")
    for media, body in was.items():
        if media in now:
            yield from _of_rows(place, *_comparable(body, now[media]), sent=sent)
        elif can[1]:
            yield Change(
                kind="removed", place=place, name=media, text=f"The media type {media} was removed.", breaks=True
            )


def _comparable(one: Body, other: Body) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """The rows of two bodies that can be compared: where one shows only a part, those above its lowest level.

    Rows are found level by level, so that only the lowest level of a part lacks some. Of alternatives that are not all
    shown, those are compared that both show.
    """
    if one.more_choices or other.more_choices:
        shown = {row.choice for row in one.fields} & {row.choice for row in other.fields}
        one, other = (
            msgspec.structs.replace(body, fields=tuple(row for row in body.fields if row.choice in shown))
            for body in (one, other)
        )
    cut_at = [max((_level(row) for row in body.fields), default=0) for body in (one, other) if body.more_fields]
    if not cut_at:
        return one.fields, other.fields
    lowest = min(cut_at)
    both = {_holder(row) for row in one.fields} & {_holder(row) for row in other.fields}
    first, second = (
        tuple(row for row in body.fields if _level(row) < lowest and _holder(row) in both) for body in (one, other)
    )
    return first, second


def _holder(row: Field) -> str:
    """What a field stands in: a part shows all that stands in the same, or nothing of it, except at its very end."""
    return row.name.rpartition(".")[0]


def _level(row: Field) -> int:
    return row.name.count(".") + len(_DEEPER.findall(row.name))


def _of_rows(
    place: str,
    before: tuple[Field, ...],
    after: tuple[Field, ...],
    *,
    sent: bool,
    can: tuple[bool, bool] = _BOTH,
) -> Iterator[Change]:
    was = {(row.choice, row.name): row for row in before}
    now = {(row.choice, row.name): row for row in after}
    added, removed = now.keys() - was.keys(), was.keys() - now.keys()
    for key, row in now.items():
        if key in added and can[0] and not _follows(key, added):
            breaks = sent and row.required and not _inside_optional(row, now)
            word = "required " if row.required else ""
            text = f"The {word}field {row.name} was added."
            yield Change(kind="added", place=place, name=row.name, text=text, breaks=breaks)
    for key, row in was.items():
        if key in removed:
            if can[1] and not _follows(key, removed):
                text = f"The field {row.name} was removed."
                yield Change(kind="removed", place=place, name=row.name, text=text, breaks=True)
        else:
            yield from _of_row(place, row, now[key], sent=sent)


def _parents(name: str) -> Iterator[str]:
    """The names of what a field stands in, the nearest first: a[].b.c stands in a[].b, a[] and a."""
    while True:
        if name.endswith("[]"):
            name = name[:-2]
        elif "." in name:
            name = name.rpartition(".")[0]
        else:
            return
        yield name


def _follows(key: tuple[str, str], keys: set[tuple[str, str]]) -> bool:
    """Whether what a field stands in is among `keys` too, so that saying that is enough."""
    return any((key[0], parent) in keys for parent in _parents(key[1]))


def _inside_optional(row: Field, rows: dict[tuple[str, str], Field]) -> bool:
    """Whether a client may leave out what the field stands in."""
    found = (rows.get((row.choice, parent)) for parent in _parents(row.name))
    return any(parent is not None and not parent.required for parent in found)


def _of_row(place: str, one: Field, other: Field, *, sent: bool) -> Iterator[Change]:
    name = other.name

    def change(kind: Kind, text: str, breaks: bool = False) -> Change:
        return Change(kind=kind, place=place, name=name, text=text, breaks=breaks)

    if one.required != other.required:
        word: Kind = "required" if other.required else "optional"
        yield change(word, f"{name} is now {word}.", other.required if sent else one.required)
    if one.type != other.type:
        wider, narrower = (other.type, one.type) if sent else (one.type, other.type)
        yield change("type", f"{name} is now {other.type}, not {one.type}.", not _covers(wider, narrower))
    if one.nullable != other.nullable:
        text = f"{name} may now be null." if other.nullable else f"{name} may no longer be null."
        yield change("type", text, one.nullable if sent else other.nullable)
    if one.values != other.values:
        yield from _of_values(change, one, other, sent)
    if one.default != other.default:
        yield change("default", f"The default of {name} is now {other.default or 'none'}, not {one.default or 'none'}.")
    limits, now_limits = _without_more(one), _without_more(other)
    if (limits, one.format) != (now_limits, other.format):
        said = ", ".join((*([other.format] if other.format else []), *now_limits)) or "none"
        yield change("limits", f"The limits of {name} are now: {said}.", sent and bool(now_limits))
    if one.deprecated != other.deprecated:
        word_now = "now" if other.deprecated else "no longer"
        yield change("other", f"{name} is {word_now} deprecated.")
    if one.description != other.description:
        yield change("text", f"The description of {name} changed.")


def _of_values(change: Any, one: Field, other: Field, sent: bool) -> Iterator[Change]:
    if not other.values:
        yield change("values", f"{other.name} may now have any value.", not sent)
        return
    if not one.values:
        yield change("values", f"{other.name} must now be one of {_some(other.values)}.", sent)
        return
    if one.limits != _without_more(one) or other.limits != _without_more(other):
        yield change("values", f"The values of {other.name} changed; they are more than are compared.")
        return
    before, after = set(one.values), set(other.values)
    gone = [value for value in one.values if value not in after]
    new = [value for value in other.values if value not in before]
    if gone:
        yield change("values", f"{other.name} can no longer be {_some(gone)}.", sent)
    if new:
        yield change("values", f"{other.name} can now be {_some(new)}.", False)


def _without_more(row: Field) -> tuple[str, ...]:
    """The limits, without what says that there are more values than are listed."""
    return tuple(limit for limit in row.limits if not limit.endswith(MORE_VALUES))


def _some(values: Sequence[str]) -> str:
    shown = ", ".join(value[:80] for value in values[:10])
    return shown if len(values) <= 10 else f"{shown} and {len(values) - 10} more"


def _covers(wider: str, narrower: str) -> bool:
    """Whether every value of one type is of the other: a Number may be an Integer, Any is everything."""
    if wider == "Any":
        return True
    names = set(wider.split(" or "))
    return all(name in names or (name == "Integer" and "Number" in names) for name in narrower.split(" or "))
