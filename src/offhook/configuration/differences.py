"""What became of a company: told from before and after, so that a plan is never a guess."""

from collections.abc import Sequence
from typing import Any

from offhook.configuration import wire
from offhook.configuration.company import Company
from offhook.configuration.kind import Field, Kind


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


def _changed(one: Field, before: Any, after: Any) -> wire.FieldChange:
    if one.hidden:
        before, after = before and "a secret", after and ("another secret" if before else "a secret")
    return wire.FieldChange(field=one.path, before=before, after=after)
