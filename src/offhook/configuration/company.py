"""A company as its file would say it: read from the store, written as a document."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offhook.configuration.kind import Item, Kind, Record
from offhook.configuration.names import Names, natural
from offhook.kit.wire import encode_sorted
from offhook.storage.database import Transaction

KEEP = "keep"
"""What stands in a file for a secret that stays as it is."""

VERSION = 1

Records = Mapping[str, Mapping[int, Record]]
"""By section and id."""


@dataclass(frozen=True, slots=True)
class Company:
    """What there is of a company. `items` are its records as they are kept, `records` as a file would say them."""

    about: Mapping[str, Any]
    items: Mapping[str, Sequence[Item]]
    records: Records
    names: Names

    def document(self, kinds: Sequence[Kind], *, ids: bool = False) -> dict[str, Any]:
        """The document, without fields that have their defaults; with the `ids` of all records, if they are wanted."""
        document: dict[str, Any] = {"version": VERSION, "company": dict(self.about)}
        for kind in kinds:
            idle = {item.id for item in self.items[kind.section] if kind.idle(item)}
            records = [one for one in self.records[kind.section].values() if one.id not in idle]
            records.sort(key=lambda one: natural(one.key))
            document[kind.section] = {one.key: _written(kind, one, self.names, ids=ids) for one in records}
        return document

    def fingerprint(self) -> str:
        """What stands for all of it, ids included."""
        everything = [
            [section, one.id, one.key, one.fields] for section in self.records for one in self.records[section].values()
        ]
        return hashlib.sha256(encode_sorted(everything)).hexdigest()[:32]


def _written(kind: Kind, record: Record, names: Names, *, ids: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    # The id of a number is its digits, which are its key.
    if record.id in names.numbered[kind.type] or (ids and kind.type != "number"):
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
    return Company(about, items, said(tx, kinds, items, names), names)


def said(tx: Transaction, kinds: Sequence[Kind], items: Mapping[str, Sequence[Item]], names: Names) -> Records:
    """Records as a file would say them that calls them by `names`."""
    return {
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
