"""What of a walk is worth saying: which step loses callers, at which field that is, and how it is mended. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from offhook.directory.lines.model import Target
from offhook.routing.checks import PATHS, field_of, has_menu, readers, request
from offhook.routing.findings import Severity
from offhook.routing.model import Company, Line
from offhook.routing.plan import Voicemail
from offhook.routing.turn import MAX_HOPS, listed, name_of
from offhook.routing.walk import Happening, Room, Step, Walk

_HERE: dict[str, tuple[str, Severity, str]] = {
    "target_gone": ("target_gone", "error", "a target that is there"),
    "target_unknown": ("target_unknown", "error", "a target of a known kind"),
    "box_gone": ("target_gone", "error", "a voicemail that is there"),
    "box_inactive": ("target_inactive", "error", "a voicemail that somebody hears"),
    "box_missing": ("target_not_callable", "error", "who or what has a voicemail"),
    "target_missing": ("target_missing", "error", "a target"),
    "not_callable": ("target_not_callable", "error", "a target that takes calls"),
    "contact_without_number": ("contact_without_number", "error", "a target that has a number"),
    "international_off": ("contact_abroad", "error", "a target at home, or international calls for the office"),
    "script_gone": ("script_gone", "error", "another action, or attach a workflow that is registered to the line"),
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
class Note:
    """Something that a walk has shown, before it is known at what times."""

    code: str
    severity: Severity
    target: Target
    field: str
    what: str
    mend: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """`sender` sends calls on to `to` if nobody answers and nothing is pressed; `keys` led to it."""

    sender: Target
    open: bool
    to: Target
    service: bool
    keys: tuple[str, ...]


def of_room(walk: Walk, room: Room, deep: bool = True) -> Iterator[Note]:
    """What the steps of a room show; `deep` looks at how calls end further on, too."""
    line = walk.config.lines.get(room.where)
    for step in room.steps:
        yield from of_step(walk, step, deep)
    if line is not None and room.menu and deep:
        yield from _only_voicemail(walk, room, line)


def of_step(walk: Walk, step: Step, deep: bool = True) -> list[Note]:
    """What one step shows."""
    config = walk.config
    found = [note for happening in step.happenings if (note := _of_happening(config, happening)) is not None]
    if deep:
        ends = walk.ends(step.leads) if step.leads is not None else step.ends
        around = any(happening.code == "too_many_hops" for happening in step.happenings)
        for happening in step.happenings:
            if happening.code == "closed" and happening.sender is not None and not around:
                found.extend(_closed(config, happening, ends))
        if step.verbs and isinstance(last := step.verbs[-1], Voicemail):
            found.extend(_unread(config, last.box))
    for note in found:
        note.keys = step.keys
    return found


def _of_happening(config: Company, one: Happening) -> Note | None:
    if one.code == "no_operators":
        line = config.lines[one.where]
        mend = request(one.where, "people who answer", "/operators", "POST")
        what = f"{line.name} is to ring its operators, and has none."
        return Note("group_empty", "warning", one.where, "operators", what, mend)
    if one.code == "no_default":
        router = config.routers[one.where.id]
        severity: Severity = "warning" if router.enabled and router.state == "active" else "error"
        mend = request(one.where, "default_target_type and default_target_id")
        return Note("router_without_default", severity, one.where, "default_target_id", one.text, mend)
    if (here := _HERE.get(one.code)) is not None:
        code, severity, words = here
        if code == "action_disabled" and not one.open:
            severity = "hint"
        path = _field(config, one.where, one.open, one.key)
        what = f"{_acting(config, one.where, one.open, one.key)}: {one.text}"
        return Note(code, severity, one.where, path, what, request(one.where, f"{path} to {words}"))
    if (sent := _SENDER.get(one.code)) is not None:
        code, severity, words = sent
        if one.sender is None:
            own = {"line_inactive": "state", "person_inactive": "state", "router_off": "enabled"}.get(one.code, "")
            mend = f"See {PATHS.get(one.where.type, one.where.type)} {one.where.id}: {own or 'its telephones'}."
            return Note(code, severity, one.where, own, one.text, mend)
        path = _field(config, one.sender, one.sender_open, one.sender_key)
        what = f"{_acting(config, one.sender, one.sender_open, one.sender_key)}: {one.text}"
        return Note(code, severity, one.sender, path, what, request(one.sender, f"{path} to {words}"))
    return None


def _field(config: Company, target: Target, opened: bool, key: str) -> str:
    line = config.lines.get(target)
    return field_of(line, opened, key) if line is not None else "default_target_id"


def _acting(config: Company, target: Target, opened: bool, key: str) -> str:
    if target not in config.lines:
        return name_of(config, target)
    return f"{name_of(config, target)}, {'open' if opened else 'closed'}{f', key {key}' if key else ''}"


def _closed(config: Company, one: Happening, ends: frozenset[str]) -> Iterator[Note]:
    """Calls are sent to a line that is closed then, and nobody can take them there."""
    assert one.sender is not None
    if not ends <= {"voicemail", "message", "unavailable"} or one.sender == one.where:
        return
    line = config.lines.get(one.sender)
    always = line is not None and line.schedule.always_open and line.schedule.by_hand is None
    severity: Severity = "hint" if always and one.sender_key else "warning"
    path = _field(config, one.sender, one.sender_open, one.sender_key)
    what = (
        f"{_acting(config, one.sender, one.sender_open, one.sender_key)}: calls are sent to "
        f"{name_of(config, one.where)} while it is closed, and nobody can take them."
    )
    mend = f"{request(one.sender, path)} to what is open then, or change the hours of {one.where.type} {one.where.id}"
    yield Note("target_closed", severity, one.sender, path, what, mend)


def _unread(config: Company, box: Target) -> Iterator[Note]:
    """A message is left where nobody hears it."""
    if box not in config.lines:
        return
    if not readers(config, box):
        what = (
            f"Messages are left for {name_of(config, box)}, which has no operator to hear them, nor does its office "
            "have an admin of its own."
        )
        mend = request(box, "somebody who listens to them", "/operators", "POST")
        yield Note("voicemail_unread", "warning", box, "operators", what, mend)


def _only_voicemail(walk: Walk, room: Room, line: Line) -> Iterator[Note]:
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
    yield Note("menu_only_voicemail", severity, line.target, path, what, mend, (working[0],))


def too_far(config: Company, room: Room | None, step: Step, hops: int) -> list[Note]:
    """A step that is sent on once too often, `hops` having gone before; calls that go round are told otherwise."""
    way = [target for target, _ in step.passed]
    around = len(set(way)) < len(way) or (room is not None and room.where in way)
    if around or hops + step.after.hops <= MAX_HOPS:
        return []
    last = MAX_HOPS - hops - 1
    where, opened = step.passed[last] if last >= 0 else (room.where, room.open) if room else step.passed[0]
    path = _field(config, where, opened, "")
    what = (
        f"Calls are sent on more than {MAX_HOPS} times on the way over {name_of(config, where)}, and end in voicemail."
    )
    mend = request(where, f"{path} to fewer steps")
    return [Note("too_many_hops", "error", where, path, what, mend, step.keys)]


def edges_of(room: Room | None, step: Step, keys: tuple[str, ...]) -> Iterator[Edge]:
    """Who sends whom calls on in a step without a word of the caller."""
    way = list(step.passed)
    if room is not None and not step.keys:
        way.insert(0, (room.where, room.open))
    for index, ((sender, opened), (to, _)) in enumerate(pairwise(way)):
        service = step.service and index == 0 and room is not None
        yield Edge(sender, opened, to, service, (*keys, *step.keys))


def loops(config: Company, edges: Sequence[Edge]) -> list[Note]:
    """Calls that go round by themselves, each circle once."""
    onward: dict[Target, list[Edge]] = {}
    for edge in edges:
        onward.setdefault(edge.sender, []).append(edge)
    found: dict[frozenset[Target], Note] = {}
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
        found[members] = Note(code, severity, last.sender, path, what, mend, circle[0].keys)
    return list(found.values())


def _circle(start: Target, onward: dict[Target, list[Edge]]) -> list[Edge]:
    """The shortest way from a target back to itself."""
    ways: list[list[Edge]] = [[edge] for edge in onward.get(start, ())]
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
