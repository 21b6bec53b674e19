"""Who is reachable when: a line's week, cut where anything changes. Pure.

Each stretch says who rings, where each key of the menu leads, and where a caller ends whom nobody answers, by the same
hours and the same operators that decisions use. What telephones will be busy nobody can know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from offhook.directory.lines.model import Target
from offhook.hours.schedule import opening_periods
from offhook.routing.decide import decide
from offhook.routing.groups import availability
from offhook.routing.model import Company, Line, target_of_who
from offhook.routing.plan import (
    Ask,
    AskScript,
    Event,
    Gather,
    HungUp,
    Incoming,
    NotAnswered,
    Pressed,
    Reserve,
    Reserved,
    Ring,
    Told,
)
from offhook.routing.state import new_call
from offhook.routing.turn import MAX_HOPS, name_of

DAYS = 7

_MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which nothing changes, [`start`, `end`) in milliseconds since 1970 UTC.

    `rings` are the names of those who ring without a key being pressed; `keys` whom each key leads to; `ends` where a
    caller ends whom nobody answers. `reachable` says whether anybody can answer at all.
    """

    start: int
    end: int
    open: bool
    why: str
    rings: tuple[str, ...]
    keys: tuple[tuple[str, str, tuple[str, ...]], ...]
    ends: str

    def said(self) -> tuple[bool, str, tuple[str, ...], tuple[tuple[str, str, tuple[str, ...]], ...]]:
        """All but when, and where it ends."""
        return self.open, self.why, self.rings, self.keys

    @property
    def reachable(self) -> bool:
        return bool(self.rings) or any(names for _, _, names in self.keys)


@dataclass(frozen=True, slots=True)
class Week:
    """A line's week: seven days from `first`, midnight to midnight in the line's own zone."""

    target: Target
    name: str
    timezone: str
    first: date
    stretches: tuple[Stretch, ...]


def week_of(config: Company, line: Line, first: date) -> Week:
    """The week of a line that begins at midnight of `first` on its own wall clock."""
    zone = line.schedule.zone
    start, end = _midnight(first, zone), _midnight(first + timedelta(days=DAYS), zone)
    cuts = {start, end}
    for reached in _reached(config, line):
        cuts |= _changes(reached, start, end)
    moments = sorted(cut for cut in cuts if start <= cut <= end)
    stretches: list[Stretch] = []
    for begin, stop in pairwise(moments):
        found = _stretch(config, line, begin, stop)
        last = stretches[-1] if stretches else None
        if last is not None and _same(last, found):
            stretches[-1] = Stretch(last.start, stop, last.open, last.why, last.rings, last.keys, last.ends)
        else:
            stretches.append(found)
    return Week(line.target, line.name, zone.key, first, tuple(stretches))


def weeks_of(config: Company, first: date, office_id: int | None = None) -> list[Week]:
    """The weeks of all lines of an office, or of the company: offices by name, each followed by what is in it."""
    lines = [one for one in config.lines.values() if office_id is None or one.office_id == office_id]
    names = {id: office.name for id, office in config.offices.items()}
    lines.sort(key=lambda one: (names.get(one.office_id, ""), one.office_id, one.target.type != "office", one.name))
    return [week_of(config, line, first) for line in lines[:_MOST_LINES]]


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp() * 1000)


def _changes(line: Line, start: int, end: int) -> set[int]:
    first, last = (datetime.fromtimestamp(moment / 1000, UTC) for moment in (start, end))
    cuts = set()
    for period in opening_periods(line.schedule, first, last):
        cuts |= {int(period.start.timestamp() * 1000), int(period.end.timestamp() * 1000)}
    return cuts | set(line.hand_edges)


def _same(one: Stretch, other: Stretch) -> bool:
    return (*one.said(), one.ends) == (*other.said(), other.ends)


def _reached(config: Company, line: Line) -> Iterator[Line]:
    """The line, and every line that a call to it may come to."""
    seen, waiting = {line.target}, [line]
    while waiting:
        here = waiting.pop()
        yield here
        for target in _targets(here):
            for behind in _meant(config, target):
                following = config.lines.get(behind)
                if following is not None and behind not in seen:
                    seen.add(behind)
                    waiting.append(following)


def _meant(config: Company, target: Target) -> list[Target]:
    """The target, or for a call router its default."""
    for _ in range(MAX_HOPS):
        router = config.routers.get(target.id) if target.type == "callrouter" else None
        if router is None:
            return [target]
        if router.default is None:
            return []
        target = router.default
    return []


def _targets(line: Line) -> Iterator[Target]:
    for routing in (line.open, line.closed):
        for choice in (routing.choice, *routing.keys.values()):
            if choice.target is not None:
                yield choice.target


def _stretch(config: Company, line: Line, start: int, end: int) -> Stretch:
    is_open, _ = availability(line, start)
    plain = probe(config, line.target, start)
    keys = []
    if plain.menu is not None:
        for key in _keys(config, plain):
            pressed = probe(config, line.target, start, key)
            names = (*pressed.rings, *_behind(config, start, pressed, {plain.menu}))
            keys.append((key, pressed.ends, tuple(dict.fromkeys(names))))
    return Stretch(start, end, is_open, _why(line, start, is_open=is_open), plain.rings, tuple(keys), plain.ends)


def _keys(config: Company, heard: "Probe") -> list[str]:
    """The keys of the menu that was heard which do anything."""
    line = config.lines.get(heard.menu) if heard.menu is not None else None
    if line is None:
        return []
    routing = line.open if heard.menu_open else line.closed
    return [key for key, choice in sorted(routing.keys.items()) if choice.action != "disabled"]


def _behind(config: Company, at: int, heard: "Probe", seen: set[Target]) -> Iterator[str]:
    """Who rings behind the menu that was heard, and behind those that it leads to, each looked at once."""
    if heard.menu is not None and heard.menu not in seen:
        seen.add(heard.menu)
        for key in _keys(config, heard):
            pressed = probe(config, heard.menu, at, key)
            yield from pressed.rings
            yield from _behind(config, at, pressed, seen)


def _why(line: Line, at: int, *, is_open: bool) -> str:
    hand = line.schedule.by_hand
    if hand is not None and hand.holds(datetime.fromtimestamp(at / 1000, UTC)):
        return hand.words
    return "open" if is_open else "closed"


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of a call that nobody took: who would have been rung, whose menu was heard last, where it ended."""

    rings: tuple[str, ...]
    menu: Target | None
    menu_open: bool
    ends: str


def probe(config: Company, target: Target, at: int, key: str = "") -> Probe:
    """Call `target` at `at` while everybody is in a call, press `key` in its menu, and see where the call ends.

    `rings` and `menu` are those behind the key. Whoever is asked for by name or extension counts as somebody who
    rings, if there is anybody; a queue is where a call ends that comes to it.
    """
    state, verbs = decide(config, new_call("probe", 1), Incoming(at, target=target))
    rings: dict[str, None] = {}
    menu: Target | None = None
    opened = True
    while state.phase != "over":
        event: Event = HungUp(state.now)
        for verb in verbs:
            match verb:
                case Reserve():
                    rings |= dict.fromkeys(name_of(config, target_of_who(who)) for who in verb.members)
                    event = Reserved(state.now + verb.seconds * 1000, busy=verb.members)
                    if state.queued:
                        return Probe(tuple(rings), menu, opened, f"the queue of {name_of(config, state.where)}")
                case Ring():
                    rings |= dict.fromkeys(leg.name for leg in verb.legs)
                    event = NotAnswered(state.now + verb.seconds * 1000)
                case Gather():
                    event = Pressed(state.now)
                    if verb.purpose == "menu" and key:
                        rings, menu, event, key = {}, None, Pressed(state.now, key), ""
                    elif verb.purpose == "menu":
                        menu, opened = state.where, state.open
                    elif verb.purpose in ("name", "extension"):
                        asked = "somebody by name" if verb.purpose == "name" else "somebody by extension"
                        rings[asked] = None
                case Ask() | AskScript():
                    event = Told(state.now, fault="it is not asked here")
                case _:
                    pass
        if state.phase == "voicemail":
            ends = f"voicemail of {name_of(config, target_of_who(state.talking))}"
            return Probe(tuple(rings), menu, opened, ends)
        state, verbs = decide(config, state, event)
    ended = {"message": "a message, and the call ends", "unavailable": "nobody is available, and the call ends"}
    return Probe(tuple(rings), menu, opened, ended.get(state.outcome, "the call ends"))
