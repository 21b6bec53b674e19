"""Whether callers of a line are lost: every way through it, at all times and with all keys, before anybody calls. Pure.

`decide` is asked what happens, by `walk`; here is only what of that is worth saying. `checks` adds what is wrong with a
field whoever calls. No second place knows what a rule means.
"""

import dataclasses
import datetime
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from offhook.directory.lines.model import Target
from offhook.kit.errors import Notice
from offhook.routing import checks
from offhook.routing.checks import Fault
from offhook.routing.findings import Finding, Severity, arranged, example, place
from offhook.routing.model import Company, Line
from offhook.routing.moments import Stretch, pattern, stretches
from offhook.routing.notes import Note, edges_of, loops, of_room, of_step, too_far
from offhook.routing.turn import office_of
from offhook.routing.walk import MOST_LINES, Walk, reach

HORIZON = datetime.timedelta(days=365)
MOST_STATES = 200
"""The most combinations of open and closed lines that are looked at."""

_UTC = ZoneInfo("UTC")


@dataclass(slots=True)
class _Draft:
    """A note with where and when it was met: the first root and keys, and all states of the lines."""

    note: Note
    root: Target
    keys: tuple[str, ...]
    at: int
    masks: set[int] = field(default_factory=set)


class Verification:
    """One run: the states that the lines are in, and what tours through them have met."""

    def __init__(
        self, config: Company, roots: Sequence[Target], now: datetime.datetime, horizon: datetime.timedelta
    ) -> None:
        self.config, self.roots, self.now = config, roots[:MOST_LINES], now
        reached, more = reach(config, self.roots)
        self.more = more or len(roots) > MOST_LINES
        self.walk = Walk(config, reached)
        self.lines = [config.lines[target] for target in self.walk.lines]
        self.zone = zone_of(config, roots[0]) if roots else _UTC
        first = now.astimezone(self.zone).toordinal()
        self.dates = range(first, first + max(1, horizon.days))
        self.by_mask: dict[int, list[Stretch]] = {}
        for stretch in stretches(self.lines, self.zone, now, len(self.dates)):
            self.by_mask.setdefault(stretch.open, []).append(stretch)
        if len(self.by_mask) > MOST_STATES:
            self.more = True
            self.by_mask = dict(list(self.by_mask.items())[:MOST_STATES])
        self.drafts: dict[tuple[str, Target, str], _Draft] = {}
        self.menus: dict[tuple[Target, bool], set[int]] = {}
        self._noted: dict[tuple[object, ...], list[Note]] = {}
        self._patterns: dict[frozenset[int], str] = {}

    def moment(self, line: Line, opened: bool) -> int | None:
        """The first moment of the horizon at which a line is open, or closed."""
        bit = 1 << self.walk.lines.index(line.target)
        found = (one[0].at for mask, one in self.by_mask.items() if bool(mask & bit) is opened)
        return next(found, None)

    def starts(self) -> list[Target]:
        """Where calls begin: not at a call router that only others send calls to, as it has no hours of its own."""
        if len(self.roots) == 1:
            return list(self.roots)
        direct, sent_to = checks.numbered(self.config), checks.pointed(self.config)
        return [one for one in self.roots if one.type != "callrouter" or one in direct or one not in sent_to]

    def tour(self, root: Target, mask: int) -> None:
        """Every way of a caller to `root` while the lines of `mask` are open."""
        at = self.by_mask[mask][0].at
        first = self.walk.enter(root, at, mask)
        edges = [*edges_of(None, first, ())]
        self._met(of_step(self.walk, first), root, (), at, mask)
        queue: list[tuple[tuple[object, ...], tuple[str, ...], int]] = []
        if first.leads is not None:
            queue.append((first.leads, (), first.after.hops))
        self._met(too_far(self.config, None, first, 0), root, (), at, mask)
        seen = {first.leads} - {None}
        for leads, keys, hops in queue:
            room = self.walk.room(leads)
            if (notes := self._noted.get(leads)) is None:
                notes = self._noted[leads] = list(of_room(self.walk, room))
            if room.menu:
                self.menus.setdefault((room.where, room.open), set()).add(mask)
            self._met(notes, root, keys, at, mask)
            for step in room.steps:
                if not step.passed:
                    continue
                edges.extend(edges_of(room, step, keys))
                if step.leads in seen:
                    continue
                self._met(too_far(self.config, room, step, hops), root, keys, at, mask)
                if step.leads is not None:
                    seen.add(step.leads)
                    queue.append((step.leads, (*keys, *step.keys), hops + step.after.hops))
        self._met(loops(self.config, edges), root, (), at, mask)

    def _met(self, notes: Sequence[Note], root: Target, keys: tuple[str, ...], at: int, mask: int) -> None:
        for note in notes:
            place = (note.code, note.target, note.field)
            draft = self.drafts.get(place)
            if draft is None:
                draft = self.drafts[place] = _Draft(note, root, (*keys, *note.keys), at)
            draft.masks.add(mask)

    def when(self, masks: Collection[int]) -> str:
        """The times of these states, in words."""
        key = frozenset(masks)
        if key not in self._patterns:
            found = [stretch for mask in sorted(key) for stretch in self.by_mask[mask]]
            self._patterns[key] = pattern(found, self.dates)
        return self._patterns[key]

    def findings(self) -> Iterator[Finding]:
        """What the tours have met."""
        for draft in self.drafts.values():
            note, severity = draft.note, draft.note.severity
            if note.code == "menu_only_voicemail" and severity == "warning":
                opened = note.field.startswith("routing_options.open")
                if self.menus.get((note.target, opened), set()) - draft.masks:
                    severity = "hint"
            yield Finding(
                code=note.code,
                severity=severity,
                where=place(self.config, note.target, note.field),
                what=note.what,
                when=self.when(draft.masks),
                example=example(self.config, draft.root, draft.at, draft.keys, self.zone),
                mend=note.mend,
            )

    def of_fault(self, fault: Fault) -> Finding:
        """A fault of a field, with a call that shows it."""
        zone = zone_of(self.config, fault.target)
        shown = fault.at is not None
        return Finding(
            code=fault.code,
            severity=fault.severity,
            where=place(self.config, fault.target, fault.field),
            what=fault.what,
            when=fault.when,
            example=example(self.config, fault.target, fault.at or 0, fault.keys, zone) if shown else None,
            mend=fault.mend,
        )


def verify(
    config: Company, target: Target, now: datetime.datetime, horizon: datetime.timedelta = HORIZON
) -> list[Finding]:
    """What is wrong with a line, a call router or a person, and with whatever calls to it can reach.

    `now` is aware; moments up to `horizon` ahead count. The findings come in order of severity and place, at most 200.
    """
    return _verified(config, [target], now, horizon, ())


def verify_line(config: Company, target: Target, now: datetime.datetime) -> list[Finding]:
    """`verify` for the year ahead."""
    return verify(config, target, now)


def verify_office(config: Company, office_id: int, now: datetime.datetime) -> list[Finding]:
    """What is wrong with an office: its main line, departments, call centers, call routers, and its address."""
    kinds = {"office": 0, "department": 1, "callcenter": 2}
    own = [line.target for line in config.lines.values() if line.office_id == office_id]
    routers = [Target("callrouter", one.id) for one in config.routers.values() if one.office_id == office_id]
    roots = [*sorted(own, key=lambda one: (kinds.get(one.type, 3), one.id)), *sorted(routers, key=lambda one: one.id)]
    return _verified(config, roots, now, HORIZON, (office_id,) if office_id in config.offices else ())


def _verified(
    config: Company,
    roots: Sequence[Target],
    now: datetime.datetime,
    horizon: datetime.timedelta,
    offices: Sequence[int],
) -> list[Finding]:
    run = Verification(config, roots, now, horizon)
    found = _found(run, config, roots, now, offices)
    if any(line.schedule.by_hand is not None for line in run.lines):
        # What was done by hand ends: what the hours will do then counts, too.
        free = _free(config, run.lines)
        seen = {(one.code, one.where) for one in found}
        for one in _found(Verification(free, roots, now, horizon), free, roots, now, offices):
            if (one.code, one.where) not in seen:
                when = "once nobody holds it open or closed by hand"
                found.append(
                    msgspec.structs.replace(one, when=f"{when}: {one.when}" if one.when else when, example=None)
                )
    return arranged(found)


def _free(config: Company, lines: Sequence[Line]) -> Company:
    """The company without what was done by hand to `lines`."""
    free = {
        line.target: dataclasses.replace(line, schedule=dataclasses.replace(line.schedule, by_hand=None))
        for line in lines
    }
    return dataclasses.replace(config, lines={**config.lines, **free})


def _found(
    run: Verification, config: Company, roots: Sequence[Target], now: datetime.datetime, offices: Sequence[int]
) -> list[Finding]:
    starts = run.starts()
    for mask in run.by_mask:
        for root in starts:
            run.tour(root, mask)
    found = list(run.findings())
    faults: list[Fault] = []
    for root in roots:
        line = config.lines.get(root)
        if line is not None and line.state == "active":
            faults.extend(checks.of_line(config, line, now, run.moment))
            faults.extend(checks.of_holidays(config, line, now))
        if root.type == "office" and root.id in config.offices and root.id not in offices:
            faults.extend(checks.of_office(config, root.id))
    for line in run.lines:
        faults.extend(checks.of_operators(config, line, run.moment))
    for id in offices:
        faults.extend(checks.of_office(config, id))
    faults.extend(checks.of_ways(config, roots))
    by_place: dict[tuple[str, Target, str], Fault] = {}
    for fault in faults:
        by_place.setdefault((fault.code, fault.target, fault.field), fault)
    found.extend(run.of_fault(fault) for fault in by_place.values())
    if run.more:
        what = "More lines or more times can be reached from here than are looked at: the nearest and first were."
        where = place(config, roots[0])
        found.append(Finding(code="not_all_checked", severity="hint", where=where, what=what, mend="Verify the lines."))
    return found


def quick(config: Company, target: Target, now: datetime.datetime, said: Collection[str] = ()) -> list[Notice]:
    """What a change of a line or call router should be warned of at once: errors and warnings of its own fields.

    Only the line itself is walked, at one moment while it is open and one while it is closed; for a call router, while
    its default is. `said` are codes that the request has been warned of already.
    """
    line = config.lines.get(target)
    if line is None and target.type != "callrouter":
        return []
    found: dict[tuple[str, str], tuple[Severity, str]] = {}
    zone = zone_of(config, target)
    at: dict[bool, int] = {}
    for stretch in stretches([one for one in (_hours_of(config, target),) if one is not None], zone, now, 8):
        at.setdefault(bool(stretch.open), stretch.at)
    for opened, moment in at.items():
        walk = Walk(config, [target])
        first = walk.enter(target, moment, int(opened))
        notes = [*of_step(walk, first, deep=False), *too_far(config, None, first, 0)]
        edges = [*edges_of(None, first, ())]
        if first.leads is not None and first.after.where == target:
            room = walk.room(first.leads)
            notes.extend(of_room(walk, room, deep=False))
            edges.extend(edge for step in room.steps for edge in edges_of(room, step, ()))
            notes.extend(note for step in room.steps for note in too_far(config, room, step, 1))
        for note in (*notes, *loops(config, edges)):
            if note.target == target:
                found.setdefault((note.code, note.field), (note.severity, note.what))
    if line is not None:
        for fault in (
            *checks.of_line(config, line, now, lambda _, opened: at.get(opened)),
            *checks.of_operators(config, line, lambda _, opened: at.get(opened)),
        ):
            found.setdefault((fault.code, fault.field), (fault.severity, fault.what))
    return [
        Notice(code, field, what)
        for (code, field), (severity, what) in found.items()
        if severity != "hint" and code not in said
    ]


def _hours_of(config: Company, target: Target) -> Line | None:
    """The line by whose hours calls to `target` differ."""
    if target.type == "callrouter" and target.id in config.routers:
        target = config.routers[target.id].default or target
    return config.lines.get(target)


def zone_of(config: Company, target: Target) -> ZoneInfo:
    """The zone in which a target's times are said: its own, or its office's."""
    if (line := config.lines.get(target)) is not None:
        return line.schedule.zone
    id = office_of(config, target)
    main = config.lines.get(Target("office", id)) if id is not None else None
    return main.schedule.zone if main is not None else _UTC
