"""Whether callers of a line are lost: every way through it, at all times and with all keys, before anybody calls. Pure.

`decide` is asked what happens, by `walk`; here is only what of that is worth saying. `checks` adds what is wrong with a
field whoever calls. No second place knows what a rule means.
"""

import datetime
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from offhook.directory.lines.model import Target
from offhook.kit.errors import Notice
from offhook.routing import checks
from offhook.routing.checks import PATHS, Fault, field_of, has_menu, request
from offhook.routing.findings import Finding, Severity, arranged, example, place
from offhook.routing.model import Company, Line
from offhook.routing.moments import Stretch, pattern, stretches
from offhook.routing.plan import Voicemail
from offhook.routing.turn import MAX_HOPS, listed, name_of, office_of
from offhook.routing.walk import Happening, Room, Step, Walk, reach

HORIZON = datetime.timedelta(days=365)
MOST_STATES = 200
"""The most combinations of open and closed lines that are looked at."""

_UTC = ZoneInfo("UTC")

_HERE: dict[str, tuple[str, Severity, str]] = {
    "target_gone": ("target_gone", "error", "a target that is there"),
    "target_unknown": ("target_unknown", "error", "a target of a known kind"),
    "target_missing": ("target_missing", "error", "a target"),
    "not_callable": ("target_not_callable", "error", "a target that takes calls"),
    "contact_without_number": ("contact_without_number", "error", "a target that has a number"),
    "international_off": ("contact_abroad", "error", "a target at home, or international calls for the office"),
    "no_script": ("script_missing", "error", "another action, or attach a workflow to the line"),
    "action_unknown": ("action_unknown", "error", "an action that is known"),
    "menu_without_keys": ("menu_without_keys", "error", "an action other than menu, or give the menu keys"),
    "directory_empty": ("directory_empty", "error", "another action: nobody's name can be dialled there"),
    "no_extensions": ("extensions_missing", "error", "another action, or give people extensions"),
    "disabled": ("action_disabled", "warning", "an action that takes the call, such as voicemail"),
    "no_box": ("no_box", "error", "a target whose office has a main line"),
}
"""By decide's reason: what is found at the line that acts, and what its field should be."""

_SENDER: dict[str, tuple[str, Severity, str]] = {
    "line_inactive": ("target_inactive", "error", "a target that takes calls"),
    "person_inactive": ("target_inactive", "error", "a target that takes calls"),
    "do_not_disturb": ("person_do_not_disturb", "hint", "a group, if somebody must answer"),
    "no_telephone": ("person_without_telephone", "warning", "a target with a telephone, or give them one"),
    "team_not_ready": ("team_unreachable", "warning", "a target that can answer"),
    "router_off": ("router_disabled", "warning", "a target that is enabled, or enable the call router"),
    "number_barred": ("number_not_rung", "hint", "nothing, if another of their telephones rings"),
}
"""The same of reasons that are told of whatever sent the call there."""


@dataclass(slots=True)
class _Note:
    """Something that a walk has shown, before it is known at what times."""

    code: str
    severity: Severity
    target: Target
    field: str
    what: str
    mend: str
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A note with where and when it was met: the first root and keys, and all states of the lines."""

    note: _Note
    root: Target
    keys: tuple[str, ...]
    at: int
    masks: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Edge:
    """`sender` sends calls on to `to` if nobody answers and nothing is pressed; `keys` led to it."""

    sender: Target
    open: bool
    to: Target
    service: bool
    keys: tuple[str, ...]


class _Verification:
    """One run."""

    def __init__(
        self, config: Company, roots: Sequence[Target], now: datetime.datetime, horizon: datetime.timedelta
    ) -> None:
        self.config, self.roots, self.now = config, roots, now
        self.reached, self.more = reach(config, roots)
        self.walk = Walk(config, self.reached)
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
        self._noted: dict[tuple[object, ...], list[_Note]] = {}
        self._patterns: dict[frozenset[int], str] = {}

    def moment(self, line: Line, opened: bool) -> int | None:
        """The first moment of the horizon at which a line is open, or closed."""
        bit = 1 << self.walk.lines.index(line.target)
        found = (one[0].at for mask, one in self.by_mask.items() if bool(mask & bit) is opened)
        return next(found, None)

    def tour(self, root: Target, mask: int) -> None:
        """Every way of a caller to `root` while the lines of `mask` are open."""
        at = self.by_mask[mask][0].at
        first = self.walk.enter(root, at, mask)
        edges = [*_edges(None, first, ())]
        self._met(_of_step(self.walk, first), root, (), at, mask)
        queue = [(first.leads, (), first.after.hops)] if first.leads is not None else []
        seen = {first.leads}
        for leads, keys, hops in queue:
            assert leads is not None
            room = self.walk.room(leads)
            if (notes := self._noted.get(leads)) is None:
                notes = self._noted[leads] = list(_of_room(self.walk, room))
            if room.menu:
                self.menus.setdefault((room.where, room.open), set()).add(mask)
            self._met(notes, root, keys, at, mask)
            for step in room.steps:
                if not step.passed:
                    continue
                edges.extend(_edges(room, step, keys))
                if step.leads is not None and step.leads not in seen:
                    seen.add(step.leads)
                    if hops + step.after.hops > MAX_HOPS:
                        self._met([_too_far(self.config, room.where, room.open, step)], root, keys, at, mask)
                    queue.append((step.leads, (*keys, *step.keys), hops + step.after.hops))
        self._met(_loops(self.config, edges), root, (), at, mask)

    def _met(self, notes: Sequence[_Note], root: Target, keys: tuple[str, ...], at: int, mask: int) -> None:
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
    """What is wrong with an office: its main line, its departments, call centers and call routers, and its addresses."""
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
    run = _Verification(config, roots, now, horizon)
    for mask in run.by_mask:
        for root in roots:
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
    return arranged(found)


def quick(config: Company, target: Target, now: datetime.datetime, said: Collection[str] = ()) -> list[Notice]:
    """What a change of one line, or of a call router, should be warned of at once: errors and warnings of its own fields.

    Only the line itself is walked, at one moment while it is open and one while it is closed. `said` are codes that the
    request has been warned of already.
    """
    line = config.lines.get(target)
    if line is None and target.type != "callrouter":
        return []
    found: dict[tuple[str, str], tuple[Severity, str]] = {}
    zone = zone_of(config, target)
    at: dict[bool, int] = {}
    for stretch in stretches([line] if line is not None else [], zone, now, 8):
        at.setdefault(bool(stretch.open), stretch.at)
    for opened, moment in at.items():
        walk = Walk(config, [target])
        first = walk.enter(target, moment, int(opened))
        notes = [*_of_step(walk, first, deep=False)]
        edges = [*_edges(None, first, ())]
        if first.leads is not None and first.after.where == target:
            room = walk.room(first.leads)
            notes.extend(_of_room(walk, room, deep=False))
            edges.extend(edge for step in room.steps for edge in _edges(room, step, ()))
        for note in (*notes, *_loops(config, edges)):
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


def zone_of(config: Company, target: Target) -> ZoneInfo:
    """The zone in which a target's times are said: its own, or its office's."""
    if (line := config.lines.get(target)) is not None:
        return line.schedule.zone
    id = office_of(config, target)
    main = config.lines.get(Target("office", id)) if id is not None else None
    return main.schedule.zone if main is not None else _UTC


def _of_room(walk: Walk, room: Room, deep: bool = True) -> Iterator[_Note]:
    line = walk.config.lines.get(room.where)
    for step in room.steps:
        yield from _of_step(walk, step, deep)
    if line is not None and room.menu and deep:
        yield from _only_voicemail(walk, room, line)


def _of_step(walk: Walk, step: Step, deep: bool = True) -> list[_Note]:
    config = walk.config
    found = [note for happening in step.happenings if (note := _of_happening(config, happening)) is not None]
    if deep:
        ends = walk.ends(step.leads) if step.leads is not None else step.ends
        for happening in step.happenings:
            if happening.code == "closed" and happening.sender is not None and "too_many_hops" not in _codes(step):
                found.extend(_closed(config, happening, ends))
        if step.verbs and isinstance(last := step.verbs[-1], Voicemail):
            found.extend(_unread(config, last.box))
    if "too_many_hops" in _codes(step) and len({where for where, _ in step.passed}) == len(step.passed):
        where, opened = step.passed[-1]
        found.append(_too_far(config, where, opened, step))
    for note in found:
        note.keys = step.keys
    return found


def _codes(step: Step) -> set[str]:
    return {happening.code for happening in step.happenings}


def _of_happening(config: Company, one: Happening) -> _Note | None:
    if one.code == "no_operators":
        line = config.lines[one.where]
        mend = request(one.where, "people who answer", "/operators", "POST")
        what = f"{line.name} is to ring its operators, and has none."
        return _Note("group_empty", "warning", one.where, "operators", what, mend)
    if one.code == "no_default":
        router = config.routers[one.where.id]
        severity: Severity = "warning" if router.enabled and router.state == "active" else "error"
        mend = request(one.where, "default_target_type and default_target_id")
        return _Note("router_without_default", severity, one.where, "default_target_id", one.text, mend)
    if (here := _HERE.get(one.code)) is not None:
        code, severity, words = here
        if code == "action_disabled" and not one.open:
            severity = "hint"
        path = _field(config, one.where, one.open, one.key)
        what = f"{_acting(config, one.where, one.open, one.key)}: {one.text}"
        return _Note(code, severity, one.where, path, what, request(one.where, f"{path} to {words}"))
    if (sent := _SENDER.get(one.code)) is not None:
        code, severity, words = sent
        if one.sender is None:
            own = {"line_inactive": "state", "person_inactive": "state", "router_off": "enabled"}.get(one.code, "")
            mend = f"See {PATHS.get(one.where.type, one.where.type)} {one.where.id}: {own or 'its telephones'}."
            return _Note(code, severity, one.where, own, one.text, mend)
        path = _field(config, one.sender, one.sender_open, one.sender_key)
        what = f"{_acting(config, one.sender, one.sender_open, one.sender_key)}: {one.text}"
        return _Note(code, severity, one.sender, path, what, request(one.sender, f"{path} to {words}"))
    return None


def _field(config: Company, target: Target, opened: bool, key: str) -> str:
    line = config.lines.get(target)
    return field_of(line, opened, key) if line is not None else "default_target_id"


def _acting(config: Company, target: Target, opened: bool, key: str) -> str:
    if target not in config.lines:
        return name_of(config, target)
    return f"{name_of(config, target)}, {'open' if opened else 'closed'}{f', key {key}' if key else ''}"


def _closed(config: Company, one: Happening, ends: frozenset[str]) -> Iterator[_Note]:
    """Calls are sent to a line that is closed then, and nobody can take them there."""
    assert one.sender is not None
    if not ends <= {"voicemail", "message", "unavailable"} or one.sender == one.where:
        return
    line = config.lines.get(one.sender)
    always = line is not None and line.schedule.always_open and line.manual is None
    severity: Severity = "hint" if always and one.sender_key else "warning"
    path = _field(config, one.sender, one.sender_open, one.sender_key)
    what = (
        f"{_acting(config, one.sender, one.sender_open, one.sender_key)}: calls are sent to "
        f"{name_of(config, one.where)} while it is closed, and nobody can take them."
    )
    mend = f"{request(one.sender, path)} to what is open then, or change the hours of {one.where.type} {one.where.id}"
    yield _Note("target_closed", severity, one.sender, path, what, mend)


def _unread(config: Company, box: Target) -> Iterator[_Note]:
    """A message is left where nobody hears it."""
    if box not in config.lines:
        return
    who, known = checks.readers(config, box)
    if not who:
        rest = "nor does its office have an admin" if known else "so only an admin of its office could"
        what = f"Messages are left for {name_of(config, box)}, which has no operator to hear them, {rest}."
        mend = request(box, "somebody who listens to them", "/operators", "POST")
        yield _Note("voicemail_unread", "warning" if known else "hint", box, "operators", what, mend)


def _only_voicemail(walk: Walk, room: Room, line: Line) -> Iterator[_Note]:
    """Whatever is pressed, nobody is reached."""
    routing = line.open if room.open else line.closed
    working = [key for key, one in routing.keys.items() if one.action not in ("disabled", "menu") and len(key) == 1]
    ends: set[str] = set()
    for step in room.steps:
        if step.keys and step.keys[0] in working:
            ends |= step.ends | (walk.ends(step.leads) if step.leads is not None else frozenset())
    if not working or not ends <= {"voicemail"} or not has_menu(routing):
        return
    state = "open" if room.open else "closed"
    path = f"routing_options.{state}.dtmf"
    what = f"Every key of the menu of {line.name}, {state}, ends in voicemail: {listed(sorted(working), 12)}."
    mend = request(line.target, f"routing_options.{state}.action = voicemail, or a key that reaches somebody")
    severity: Severity = "warning" if room.open else "hint"
    yield _Note("menu_only_voicemail", severity, line.target, path, what, mend, (working[0],))


def _too_far(config: Company, where: Target, opened: bool, step: Step) -> _Note:
    path = _field(config, where, opened, "")
    what = f"Calls are sent on more than {MAX_HOPS} times on the way over {name_of(config, where)}, and end in voicemail."
    return _Note("too_many_hops", "error", where, path, what, request(where, f"{path} to fewer steps"), step.keys)


def _edges(room: Room | None, step: Step, keys: tuple[str, ...]) -> Iterator[_Edge]:
    """Who sends whom calls on in a step without a word of the caller."""
    way = list(step.passed)
    if room is not None and not step.keys:
        way.insert(0, (room.where, room.open))
    for index, ((sender, opened), (to, _)) in enumerate(zip(way, way[1:], strict=False)):
        service = step.service and index == 0 and room is not None
        yield _Edge(sender, opened, to, service, (*keys, *step.keys))


def _loops(config: Company, edges: Sequence[_Edge]) -> list[_Note]:
    """Calls that go round by themselves, each circle once."""
    onward: dict[Target, list[_Edge]] = {}
    for edge in edges:
        onward.setdefault(edge.sender, []).append(edge)
    found: dict[frozenset[Target], _Note] = {}
    for start in sorted(onward, key=_order):
        circle = _circle(start, onward)
        members = frozenset(edge.sender for edge in circle)
        if not circle or members in found or start != min(members, key=_order):
            continue
        last = circle[-1]
        names = [name_of(config, edge.sender) for edge in circle]
        code = "router_default_loop" if any(edge.service for edge in circle) else "target_loop"
        severity: Severity = "warning" if code == "router_default_loop" else "error"
        path = _field(config, last.sender, last.open, "")
        unless = " whenever the service does not answer" if code == "router_default_loop" else ""
        what = f"Calls go round{unless}: {' > '.join([*names, names[0]])}. After {MAX_HOPS} hops they end in voicemail."
        mend = request(last.sender, f"{path} to something other than {names[0]}")
        found[members] = _Note(code, severity, last.sender, path, what, mend, circle[0].keys)
    return list(found.values())


def _circle(start: Target, onward: dict[Target, list[_Edge]]) -> list[_Edge]:
    """The shortest way from a target back to itself."""
    ways: list[list[_Edge]] = [[edge] for edge in onward.get(start, ())]
    seen: set[Target] = set()
    for way in ways:
        here = way[-1].to
        if here == start:
            return way
        if here not in seen:
            seen.add(here)
            ways.extend([*way, edge] for edge in onward.get(here, ()))
    return []


def _order(target: Target) -> tuple[bool, str, int]:
    return target.type != "office", target.type, target.id
