"""What a document asks of a company: its records, matched with those that there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from offhook.configuration.company import KEEP, VERSION, Company, said
from offhook.configuration.kind import Kind, Record, Wanted, flat, meant
from offhook.configuration.names import References
from offhook.configuration.wording import article
from offhook.kit.errors import Notice, Violation, shown
from offhook.storage.database import Transaction


class Document:
    """One document, read. `gone` are the records, by kind and id, that it wants to be no more."""

    def __init__(self, kinds: Sequence[Kind], before: Company) -> None:
        self.kinds = kinds
        self.before = before
        self.wanted: list[Wanted] = []
        self.gone: dict[tuple[str, int], Record] = {}
        self.references = References(before.names)
        self.notices: list[Notice] = []
        self.faults: list[Violation] = []

    def gone_of(self, kind: Kind) -> list[tuple[int, Record]]:
        """Those of a kind that shall be no more, by id."""
        return [(id, record) for (word, id), record in self.gone.items() if word == kind.type]

    def take(self, tx: Transaction, document: Mapping[str, Any], *, prune: bool) -> None:
        """Read a document; what cannot be is among the faults."""
        sections = {kind.section: kind for kind in self.kinds}
        if document.get("version") not in (VERSION, str(VERSION)):
            text = f"The document must begin with version: {VERSION}."
            sent = shown(document["version"]) if "version" in document else None
            self.faults.append(Violation(location="version", message=text, sent=sent))
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
        for wanted in self.wanted:
            self._match(wanted)
        self._call_as_written(tx)
        for wanted in self.wanted:
            self._complete(wanted, prune=prune)
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
                text = f"{article(kind.section)} must be a mapping of its fields."
                self.faults.append(Violation(location=place, message=text, sent=shown(record)))
                record, failed = {}, True
            else:
                record, failed = record or {}, False
            found: list[Violation] = []
            given, unread = flat(record, kind, place, found)
            wanted = Wanted(kind, key, given, failed=failed, unread=frozenset(unread))
            self.faults += found
            if record.get("id") is not None:
                self._match_by_id(wanted, record["id"])
            self.wanted.append(wanted)
            self.references.add(wanted)

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
            ways = list(self.references.splits(wanted.key))
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
        found = self.references.find("office", str(office))
        alike = names.inside.get(kind.type, {}).get((_id(found) or 0, str(name)), [])
        return alike[0] if len(alike) == 1 else known

    def _call_as_written(self, tx: Transaction) -> None:
        """Compare with the company by the names that the document gives its records, as that is how it refers to them.

        Two that exchange their names would be taken for each other otherwise.
        """
        before = self.before
        called = {
            (wanted.kind.type, wanted.id): wanted.key
            for wanted in self.wanted
            if wanted.record is not None and wanted.key != wanted.record.key
        }
        if called:
            records = said(tx, self.kinds, before.items, before.names.calling(called))
            for wanted in self.wanted:
                if wanted.record is not None:
                    wanted.record = records[wanted.kind.section][wanted.id]

    def _complete(self, wanted: Wanted, *, prune: bool) -> None:
        for one in wanted.kind.fields:
            if one.complete is not None and wanted.given.get(one.path) is not None:
                before = one.default if wanted.record is None or prune else wanted.record.fields[one.path]
                wanted.given[one.path] = one.complete(wanted.given[one.path], before)

    def _leave_out_same(self, wanted: Wanted) -> None:
        """Put in what is kept, and forget references that only call by another name what is referred to already."""
        for one in wanted.kind.fields:
            if one.hidden and wanted.given.get(one.path) == KEEP:
                wanted.given[one.path] = wanted.record.fields[one.path] if wanted.record is not None else None
        if wanted.record is None:
            return
        for one in wanted.kind.fields:
            if one.refers and wanted.differs(one.path) and wanted.given[one.path] is not None:
                before, after = (
                    self.references.find(one.refers, str(key))
                    for key in (wanted.record.fields[one.path], wanted.given[one.path])
                )
                if after is not None and _id(before) == _id(after):
                    del wanted.given[one.path]

    def _refuse_twice(self) -> None:
        seen: dict[tuple[str, int], Wanted] = {}
        for wanted in self.wanted:
            if wanted.record is None:
                continue
            first = seen.setdefault((wanted.kind.section, wanted.id), wanted)
            if first is not wanted:
                text = f"This is the same {wanted.kind.noun} as {first.key}; write it once."
                self._fail(wanted, "", text, reason="duplicate")

    def _prune(self, kinds: Sequence[Kind]) -> None:
        for kind in kinds:
            kept = {wanted.id for wanted in self.wanted if wanted.kind is kind and wanted.id}
            kept |= {item.id for item in self.before.items[kind.section] if kind.supplied(item)}
            for id, record in self.before.records[kind.section].items():
                if id not in kept:
                    self.gone[kind.type, id] = record
        for wanted in self.wanted:
            for one in wanted.kind.fields:
                optional = one.mutable and one.path not in wanted.kind.implied and not one.required
                optional &= one.path not in wanted.unread
                if wanted.record is not None and optional and one.path not in wanted.given:
                    wanted.given[one.path] = one.default


def _id(found: Wanted | int | None) -> int | None:
    return found.id if isinstance(found, Wanted) else found
