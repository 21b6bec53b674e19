"""The one reader of the floors below: a company as calls see it, read whole, or made from the last one and its events.

The version is the `seq` of the last event that is in it. An event is written in the transaction of its change, and seqs
rise with the order of commit, so what stands behind the version is all that may differ. Contacts are those that some
line sends calls to: a company has a hundred thousand, and calls reach a few.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from offhook.directory import members, pointers
from offhook.directory.callrouters.store import callrouters
from offhook.directory.channels.store import channels
from offhook.directory.coaching.store import teams
from offhook.directory.contacts.store import contacts
from offhook.directory.devices import store as devices
from offhook.directory.groups.store import callcenters, departments
from offhook.directory.lines.model import Target
from offhook.directory.operators import store as operators
from offhook.directory.operators.store import MemberType
from offhook.directory.prompts import store as prompts
from offhook.directory.rooms.store import rooms
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.events import store as events
from offhook.numbers import store as numbers
from offhook.offices import store as offices
from offhook.routing import compiling
from offhook.routing.model import NO_PROMPTS, Company, Line, Office, Operator, Person
from offhook.routing.touched import GROUPS, Touched
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.workflows.definitions import store as definitions

K = TypeVar("K")
V = TypeVar("V")

MOST_EVENTS = 500
MOST_PEOPLE = 2000
"""Beyond so many events, or people whom they touch, a company is compiled anew: that is no slower."""

_ALL = 1_000_000
_GROUPS: Mapping[str, Any] = dict(zip(GROUPS, (departments, callcenters), strict=True))
_PEOPLE: Mapping[MemberType, Any] = {"user": users, "room": rooms}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A company as calls see it, and what the next one is made from: `away` says who is not rung by groups and why."""

    company: Company
    away: Mapping[str, str]


# Whole


def compiled(tx: Transaction, tenant_id: int) -> Snapshot:
    """A company, read whole, in a number of queries that does not depend on its size."""
    spoken = prompts.played(tx, tenant_id)
    places, lines = {}, {}
    for stored in offices.page(tx, tenant_id, 0, _ALL, active_only=False):
        places[stored.id] = compiling.office_of(stored)
        target = Target("office", stored.id)
        lines[target] = compiling.main_line(stored, spoken.get(target, NO_PROMPTS))
    for kind, documents in _GROUPS.items():
        for kept in documents.all(tx, tenant_id):
            target = Target(kind, kept.id)
            of_office = lines[Target("office", kept.value.office_id)]
            zone = places[of_office.office_id].timezone
            lines[target] = compiling.group_line(kept, zone, of_office.schedule.days, spoken.get(target, NO_PROMPTS))
    groups: dict[Target, list[operators.Operator]] = defaultdict(list)
    held: dict[int, list[str]] = defaultdict(list)
    for one in operators.of_tenant(tx, tenant_id):
        group = Target(one.group_type, one.group_id)
        groups[group].append(one)
        if group in lines:
            held[one.member_id].extend(lines[group].numbers)
    ringing = devices.all_ringing(tx, tenant_id)
    people: dict[str, Person] = {}
    away: dict[str, str] = {}
    for kind, documents in _PEOPLE.items():
        for kept in documents.all(tx, tenant_id):
            spoken_by = spoken.get(Target(kind, kept.id), NO_PROMPTS)
            place = places.get(kept.value.office_id)
            person = _person(kept, place, held.get(kept.id, ()), ringing.get(kept.id, ()), spoken_by)
            people[person.who] = person
            if why := compiling.away_of(kept):
                away[person.who] = why
    for group, joined in groups.items():
        if group in lines:
            lines[group] = compiling.staffed(lines[group], _operators(joined, people, away))
    found = offices.primary(tx, tenant_id)
    company = Company(
        tenant_id=tenant_id,
        version=events.last(tx, tenant_id),
        offices=places,
        lines=lines,
        people=people,
        routers={kept.id: compiling.router_of(kept) for kept in callrouters.all(tx, tenant_id)},
        contacts=_contacts(tx, tenant_id, sorted(pointers.pointed_at(tx, tenant_id, "contact"))),
        teams=_teams(tx, tenant_id),
        channels={kept.id: kept.value.name for kept in channels.all(tx, tenant_id)},
        numbers={e164: Target(kind, id) for e164, kind, id in numbers.taken(tx, tenant_id)},
        extensions={person.extension: person.who for person in people.values() if person.extension},
        residents=_residents(places, people.values()),
        admins=compiling.admins_of(people.values()),
        primary_office=found[0] if found else 0,
        missing_scripts=_missing_scripts(tx, tenant_id, lines.values()),
    )
    return Snapshot(company, away)


def _person(
    kept: Kept[Any], office: Office | None, of_groups: Iterable[str], ringing: Sequence[int], spoken: Mapping[str, str]
) -> Person:
    if isinstance(kept.value, User):
        return compiling.user_person(kept, office, of_groups, ringing, spoken)
    return compiling.room_person(kept, office, ringing)


def _operators(
    joined: Sequence[operators.Operator], people: Mapping[str, Person], away: Mapping[str, str]
) -> list[Operator]:
    found = []
    for one in joined:
        person = people.get(f"{one.member_type}:{one.member_id}")
        if person is not None:
            found.append(compiling.operator_of(one, person, away.get(person.who, "")))
    return found


def _contacts(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> dict[int, Any]:
    return {kept.id: compiling.contact_of(kept) for kept in contacts.get_many(tx, tenant_id, ids)}


def _teams(tx: Transaction, tenant_id: int) -> dict[int, Any]:
    joined: dict[int, list[members.Member]] = defaultdict(list)
    for one in members.of_kind(tx, tenant_id, "coachinggroup"):
        joined[one.group_id].append(one)
    return {kept.id: compiling.team_of(kept, joined.get(kept.id, ())) for kept in teams.all(tx, tenant_id)}


def _missing_scripts(tx: Transaction, tenant_id: int, lines: Iterable[Line]) -> frozenset[str]:
    """The workflows that lines hand calls to, and that are not registered."""
    names = {line.script for line in lines if line.script}
    return frozenset(name for name in names if definitions.version(tx, tenant_id, name, None) is None)


def _residents(places: Iterable[int], people: Iterable[Person]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[Person]] = {id: [] for id in places}
    for person in people:
        if compiling.is_resident(person) and person.office_id in found:
            found[person.office_id].append(person)
    return {id: compiling.in_order(residents) for id, residents in found.items()}


# What happened since


def refreshed(tx: Transaction, tenant_id: int, known: Snapshot | None) -> Snapshot:
    """The company as it is: `known` itself if nothing happened since, one made from it, or one read whole."""
    if known is None:
        return compiled(tx, tenant_id)
    version = known.company.version
    last = events.last(tx, tenant_id)
    if last == version:
        return known
    # A store that was restored from a backup may have fewer events than it had.
    rows = events.since(tx, tenant_id, version, MOST_EVENTS + 1) if last > version else []
    if not rows or len(rows) > MOST_EVENTS:
        return compiled(tx, tenant_id)
    touched = Touched()
    for _, word, subject, before, after in rows:
        touched.note(word, subject, before, after)
    if touched.everything:
        return compiled(tx, tenant_id)
    step = _Step(tx, tenant_id, known, touched)
    return step.done(last) if step.goes() else compiled(tx, tenant_id)


class _Step:
    """A snapshot on its way from one version to the next: what is put there instead, and what is gone."""

    def __init__(self, tx: Transaction, tenant_id: int, known: Snapshot, touched: Touched) -> None:
        self._tx = tx
        self._tenant_id = tenant_id
        self._known = known
        self._old = known.company
        self._touched = touched
        self._places: dict[int, Office | None] = {}
        self._lines: dict[Target, Line | None] = {}
        self._people: dict[str, Person | None] = {}
        self._away: dict[str, str | None] = {}
        self._everybody, self._all_away = known.company.people, known.away

    def goes(self) -> bool:
        """Read what was touched, and what hangs on it; False if that is so much that all is better read whole."""
        self._read_offices()
        self._read_groups()
        self._find_people()
        if sum(map(len, self._touched.people.values())) > MOST_PEOPLE:
            return False
        self._read_people()
        self._staff()
        return True

    def _spoken(self, kind: str, ids: Sequence[int]) -> Mapping[Target, Mapping[str, str]]:
        return prompts.played_by(self._tx, self._tenant_id, kind, ids)

    def _line(self, target: Target) -> Line | None:
        return self._lines[target] if target in self._lines else self._old.lines.get(target)

    def _place(self, id: int) -> Office | None:
        return self._places[id] if id in self._places else self._old.offices.get(id)

    def _read_offices(self) -> None:
        ids = sorted(self._touched.offices)
        spoken = self._spoken("office", ids)
        for id in ids:
            stored, target = offices.get(self._tx, self._tenant_id, id), Target("office", id)
            if stored is None:
                self._places[id], self._lines[target] = None, None
                continue
            place, before = compiling.office_of(stored), self._old.offices.get(id)
            line = compiling.main_line(stored, spoken.get(target, NO_PROMPTS))
            was = self._old.lines.get(target)
            if was is not None and (was.schedule.zone, was.schedule.days) != (line.schedule.zone, line.schedule.days):
                for kind, documents in _GROUPS.items():
                    of_office = documents.ids(self._tx, self._tenant_id, office_id=id)
                    self._touched.groups.update(Target(kind, group) for group in of_office)
            if before is not None and dataclasses.replace(before, e911=place.e911) != place:
                for member, people in _PEOPLE.items():
                    self._touched.people[member].update(people.ids(self._tx, self._tenant_id, office_id=id))
            self._places[id], self._lines[target] = place, line

    def _read_groups(self) -> None:
        for kind, documents in _GROUPS.items():
            ids = sorted(target.id for target in self._touched.groups if target.type == kind)
            spoken = self._spoken(kind, ids)
            self._lines |= dict.fromkeys((Target(kind, id) for id in ids), None)
            for kept in documents.get_many(self._tx, self._tenant_id, ids):
                target = Target(kind, kept.id)
                place, of_office = self._place(kept.value.office_id), self._line(Target("office", kept.value.office_id))
                assert place is not None
                assert of_office is not None
                said = spoken.get(target, NO_PROMPTS)
                self._lines[target] = compiling.group_line(kept, place.timezone, of_office.schedule.days, said)

    def _find_people(self) -> None:
        """Whose caller ID may be a number that a group got or lost: they are touched too."""
        for target, line in self._lines.items():
            was = self._old.lines.get(target)
            if line is not None and was is not None and was.numbers != line.numbers:
                for one in operators.of_group(self._tx, self._tenant_id, target.type, target.id):
                    self._touched.people[one.member_type].add(one.member_id)

    def _read_people(self) -> None:
        for kind, documents in _PEOPLE.items():
            ids = sorted(self._touched.people[kind])
            spoken, ringing = self._spoken(kind, ids), devices.ringing(self._tx, self._tenant_id, ids)
            joined = operators.of_members(self._tx, self._tenant_id, kind, ids)
            gone = dict.fromkeys(f"{kind}:{id}" for id in ids)
            self._people |= gone
            self._away |= gone
            for kept in documents.get_many(self._tx, self._tenant_id, ids):
                groups = [Target(one.group_type, one.group_id) for one in joined.get(kept.id, ())]
                of_groups = [number for group in groups if (line := self._line(group)) for number in line.numbers]
                place, said = self._place(kept.value.office_id), spoken.get(Target(kind, kept.id), NO_PROMPTS)
                person = _person(kept, place, of_groups, ringing.get(kept.id, ()), said)
                why = compiling.away_of(kept)
                self._people[person.who], self._away[person.who] = person, why or None
                if self._sounds_otherwise(person, why):
                    self._touched.staff.update(groups)

    def _sounds_otherwise(self, person: Person, why: str) -> bool:
        """Whether groups see somebody in another way than before."""
        was = self._old.people.get(person.who)
        if was is None or was.name != person.name or self._known.away.get(person.who, "") != why:
            return True
        return compiling.has_telephone(was) != compiling.has_telephone(person)

    def _staff(self) -> None:
        self._everybody = people = _overlaid(self._old.people, self._people)
        self._all_away = away = _overlaid(self._known.away, self._away)
        for target in {*self._touched.staff, *self._lines}:
            line = self._line(target)
            if line is not None:
                joined = operators.of_group(self._tx, self._tenant_id, target.type, target.id)
                self._lines[target] = compiling.staffed(line, _operators(joined, people, away))

    def done(self, version: int) -> Snapshot:
        """The next snapshot. What nothing touched is the same object as before."""
        old, touched, tx, tenant_id = self._old, self._touched, self._tx, self._tenant_id
        places, people = _overlaid(old.offices, self._places), self._everybody
        primary = offices.primary(tx, tenant_id) if touched.offices else None
        lines = _overlaid(old.lines, self._lines)
        company = dataclasses.replace(
            old,
            version=version,
            offices=places,
            lines=lines,
            people=people,
            routers=_overlaid(old.routers, _read(tx, tenant_id, callrouters, touched.routers, compiling.router_of)),
            contacts=_overlaid(old.contacts, self._read_contacts()),
            teams=_overlaid(old.teams, _read(tx, tenant_id, teams, touched.teams, self._team)),
            channels=_overlaid(
                old.channels, _read(tx, tenant_id, channels, touched.channels, lambda kept: kept.value.name)
            ),
            numbers=_overlaid(old.numbers, self._read_numbers()),
            extensions=self._extensions(),
            residents=self._residents(places, people),
            admins=self._admins(people),
            primary_office=primary[0] if primary is not None else old.primary_office,
            missing_scripts=self._scripts(lines),
        )
        return Snapshot(company, self._all_away)

    def _scripts(self, lines: Mapping[Target, Line]) -> frozenset[str]:
        changed = any(
            (line.script if line is not None else "") != (was.script if (was := self._old.lines.get(target)) else "")
            for target, line in self._lines.items()
        )
        if not changed and not self._touched.workflows:
            return self._old.missing_scripts
        return _missing_scripts(self._tx, self._tenant_id, lines.values())

    def _team(self, kept: Kept[Any]) -> Any:
        joined = members.page(self._tx, self._tenant_id, "coachinggroup", kept.id, 0, _ALL)
        return compiling.team_of(kept, joined)

    def _read_contacts(self) -> dict[int, Any]:
        """The contacts that calls are sent to, as far as they differ from those before."""
        touched, before = self._touched, self._old.contacts
        wanted = set(before)
        if touched.offices or touched.groups or touched.routers:
            wanted = pointers.pointed_at(self._tx, self._tenant_id, "contact")
        fresh = (wanted - before.keys()) | (wanted & touched.contacts)
        found: dict[int, Any] = dict.fromkeys((before.keys() - wanted) | fresh)
        return found | _contacts(self._tx, self._tenant_id, sorted(fresh))

    def _read_numbers(self) -> dict[str, Target | None]:
        wanted = sorted(self._touched.numbers)
        found: dict[str, Target | None] = dict.fromkeys(wanted)
        for e164, number in numbers.get_many(self._tx, self._tenant_id, wanted).items():
            if number.target_type:
                found[e164] = Target(number.target_type, number.target_id)
        return found

    def _extensions(self) -> Mapping[str, str]:
        old = self._old
        before = {who: old.people[who].extension for who in self._people if who in old.people}
        after = {who: person.extension for who, person in self._people.items() if person is not None}
        if all(before.get(who, "") == after.get(who, "") for who in self._people):
            return old.extensions
        given_up: dict[str, str | None] = dict.fromkeys(one for one in before.values() if one)
        return _overlaid(old.extensions, given_up | {one: who for who, one in after.items() if one})

    def _admins(self, people: Mapping[str, Person]) -> Mapping[int, tuple[str, ...]]:
        old, moved = self._old, set[int]()
        for who, person in self._people.items():
            was = old.people.get(who)
            before, after = was.admin_of if was else (), person.admin_of if person else ()
            if before != after:
                moved.update(before, after)
        if not moved:
            return old.admins
        some = {who for id in moved for who in old.admins.get(id, ())} | self._people.keys()
        found = compiling.admins_of(people[who] for who in some if who in people)
        return _overlaid(old.admins, {id: found.get(id) for id in moved})

    def _residents(self, places: Mapping[int, Any], people: Mapping[str, Person]) -> Mapping[int, tuple[str, ...]]:
        old = self._old
        moved: set[int] = set()
        for who, person in self._people.items():
            was = old.people.get(who)
            if person is None or was is None or _listed(was) != _listed(person):
                moved.update(one.office_id for one in (was, person) if one is not None)
        if not moved and places.keys() == old.offices.keys():
            return old.residents
        found = dict(old.residents)
        for id in moved & places.keys():
            stay = [who for who in found.get(id, ()) if who not in self._people]
            here = [one.who for one in self._people.values() if one and one.office_id == id and _listed(one)[2]]
            found[id] = compiling.in_order(people[who] for who in (*stay, *here))
        return {id: found.get(id, ()) for id in sorted(places)}


def _listed(person: Person) -> tuple[str, int, bool]:
    """What the directory of an office has of somebody."""
    return person.name, person.office_id, compiling.is_resident(person)


def _read(
    tx: Transaction, tenant_id: int, documents: Any, ids: set[int], compile_one: Callable[[Kept[Any]], V]
) -> dict[int, V | None]:
    """What became of some documents, by id: None for one that is gone."""
    found: dict[int, V | None] = dict.fromkeys(ids)
    return found | {kept.id: compile_one(kept) for kept in documents.get_many(tx, tenant_id, sorted(ids))}


def _overlaid(old: Mapping[K, V], changed: Mapping[K, V | None]) -> Mapping[K, V]:
    """`old` with what changed, None for what is gone; `old` itself if nothing did."""
    if not changed:
        return old
    found = dict(old)
    for key, value in changed.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found
