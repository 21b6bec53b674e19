"""What became of a company: told from before and after, so that a plan is never a guess.

Records refer to others by what those are called. Where one is called otherwise afterwards, what refers to it still
means the same record: that is no change.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from offhook.configuration import wire
from offhook.configuration.company import Company, Records, said
from offhook.configuration.kind import Field, Kind, Record
from offhook.configuration.names import natural
from offhook.kit.errors import Notice
from offhook.kit.wire import encode_sorted
from offhook.storage.database import Transaction


def changes(
    tx: Transaction, before: Company, after: Company, kinds: Sequence[Kind], *, planned: bool
) -> list[wire.RecordChange]:
    """What became of the records, section by section: made, changed field by field, deleted."""
    found: list[wire.RecordChange] = []
    alike = _called_as_before(tx, before, after, kinds)
    for kind in kinds:
        old, new = before.records[kind.section], after.records[kind.section]
        for record in sorted(new.values(), key=lambda one: natural(one.key)):
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
                if earlier.fields.get(one.path) != alike[kind.section][record.id].fields.get(one.path)
            ]
            if fields:
                found.append(
                    wire.RecordChange(
                        verb="change", section=kind.section, key=record.key, id=str(record.id), fields=fields
                    )
                )
        found += [
            wire.RecordChange(verb="delete", section=kind.section, key=one.key, id=str(one.id))
            for one in sorted(old.values(), key=lambda one: natural(one.key))
            if one.id not in new
        ]
    return found


def renamed(before: Company, after: Company, kinds: Sequence[Kind]) -> list[Notice]:
    """Records that were likely to be renamed: one is gone, and another is made that is the same but for its name."""
    found: list[Notice] = []
    for kind in kinds:
        old, new = before.records[kind.section], after.records[kind.section]
        gone, made = _alike(kind, old, new), _alike(kind, new, old)
        for content, records in made.items():
            if len(records) == len(gone.get(content, ())) == 1:
                was = gone[content][0]
                text = f"{was.key} is deleted and this made, alike in all else. To rename it, write id: {was.id} here."
                found.append(Notice("renamed_without_id", f"{kind.section}.{records[0].key}", text))
    return found


def _alike(kind: Kind, here: Mapping[int, Record], there: Mapping[int, Record]) -> dict[bytes, list[Record]]:
    """Records that are here and not there, by all that they are but their names."""
    found: dict[bytes, list[Record]] = {}
    if not kind.update:
        return found
    for id, record in here.items():
        if id not in there:
            content = {path: value for path, value in record.fields.items() if path not in kind.implied[-1:]}
            found.setdefault(encode_sorted(content), []).append(record)
    return found


def _called_as_before(tx: Transaction, before: Company, after: Company, kinds: Sequence[Kind]) -> Records:
    """The records as they are afterwards, each called what it was before; a new one is never called as another was."""
    called: dict[tuple[str, int], str] = {}
    for kind in kinds:
        old = before.names.keys[kind.type]
        for id, key in after.names.keys[kind.type].items():
            first = old.get(id, f"{key} (new)" if before.names.find(kind.type, key) is not None else key)
            if first != key:
                called[kind.type, id] = first
    return said(tx, kinds, after.items, after.names.calling(called)) if called else after.records


def _changed(one: Field, before: Any, after: Any) -> wire.FieldChange:
    if one.hidden:
        before, after = before and "a secret", after and ("another secret" if before else "a secret")
    return wire.FieldChange(field=one.path, before=before, after=after)
