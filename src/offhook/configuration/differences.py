"""What became of a company: told from before and after, so that a plan is never a guess.

Records refer to others by what those are called. Where one is called otherwise afterwards, what refers to it still means
the same record: that is no change.
"""

from collections.abc import Sequence
from typing import Any

from offhook.configuration import wire
from offhook.configuration.company import Company, Records, said
from offhook.configuration.kind import Field, Kind
from offhook.configuration.names import natural
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
