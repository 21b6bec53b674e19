"""What can be wrong with a line, a router or an office in itself, whoever calls: checks of fields. Pure."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from offhook.directory.lines.model import Target
from offhook.emergency.rules import EMERGENCY_REQUIRED
from offhook.hours.holidays import import_holidays
from offhook.hours.model import SpecialDay
from offhook.hours.rules import DEFAULT_WEEK, format_period, periods_of
from offhook.kit.errors import Invalid
from offhook.kit.phones import is_emergency
from offhook.routing.findings import Severity
from offhook.routing.menus import MOST_NAMES
from offhook.routing.model import Company, Line, Operator, Person, Routing
from offhook.routing.moments import moment_of, weekly
from offhook.routing.turn import counted, listed
from offhook.routing.walk import choices

LUNCH = range(15, 241)
"""Minutes that a gap between two periods of a day lasts if it may be a lunch; a longer one is a day in two halves."""

_DEFAULT = tuple(periods_of(day) for day in DEFAULT_WEEK)
_DIRECTORIES = {
    "directory": (False, True),
    "company_directory": (False, False),
    "last_name_directory": (True, True),
    "last_name_company_directory": (True, False),
}
"""By action: whether only last names are asked for, and whether only of the office's people."""

PATHS = {
    "office": "offices", "department": "departments", "callcenter": "callcenters", "callrouter": "callrouters",
    "user": "users", "room": "rooms", "contact": "contacts",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a field. `at` is a moment (milliseconds) at which a call to `target` shows it, None: no call does."""

    code: str
    severity: Severity
    target: Target
    field: str
    what: str
    mend: str
    when: str = ""
    at: int | None = None
    keys: tuple[str, ...] = ()


Moment = Callable[[Line, bool], int | None]
"""A moment (milliseconds) at which a line is open, or closed; None if it never is."""


def request(target: Target, words: str, sub: str = "", method: str = "PATCH", version: str = "v2") -> str:
    """How something is mended: the request, and what to say in it. v2's PATCH of an office changes hours only."""
    if target.type == "office" and method == "PATCH" and not words.startswith(("hours_on", "monday_hours")):
        method, version = "PUT", "v1"
    base = "/api/offhook/v1" if version == "v1" else "/api/v2"
    return f"{method} {base}/{PATHS.get(target.type, target.type)}/{target.id}{sub}: {words}"


def field_of(line: Line, opened: bool, key: str = "") -> str:
    """The field path of a state's action, or of a key of its menu."""
    routing = line.open if opened else line.closed
    choice = routing.keys.get(key) if key else routing.choice
    state = f"routing_options.{'open' if opened else 'closed'}"
    if choice is not None and choice.place.startswith(state):
        return choice.place
    return f"{state}.dtmf[{list(routing.keys).index(key)}]" if key in routing.keys else state


def has_menu(routing: Routing) -> bool:
    """Whether callers of this state can hear its menu."""
    return routing.choice.action == "menu"


def of_line(config: Company, line: Line, now: datetime.datetime, moment: Moment) -> Iterator[Fault]:
    """Everything of the line itself but its holidays."""
    yield from _hours(line, now, moment)
    for opened, routing in ((True, line.open), (False, line.closed)):
        yield from of_keys(line, opened, routing, moment)
    yield from _directories(config, line, moment)
    if line.queue is not None and line.queue.callbacks:
        mend = request(line.target, "hold_queue.allow_queue_callback = false, so that nobody counts on it")
        what = f"{line.name} is to offer callers in its queue to be called back; that is kept, and not offered yet."
        yield Fault("callbacks_not_offered", "warning", line.target, "hold_queue.allow_queue_callback", what, mend)


def _hours(line: Line, now: datetime.datetime, moment: Moment) -> Iterator[Fault]:
    schedule, target = line.schedule, line.target
    today = now.astimezone(schedule.zone).date()
    hand = schedule.by_hand
    if hand is not None and hand.until is None:
        code, again = ("opened_by_hand", "close") if hand.open else ("closed_by_hand", "open")
        what = f"{line.name} was {hand.words}: no hours {again} it again."
        mend = f"Lift it once it is over: DELETE /api/offhook/v1/{PATHS[target.type]}/{target.id}/by-hand."
        yield Fault(code, "warning", target, "", what, mend, "at all times", moment(line, hand.open))
    ahead = [day for day in schedule.days if day.periods and (day.repeats_yearly or day.date >= today)]
    if not schedule.always_open and not any(schedule.week) and not ahead:
        what = f"{line.name} is never open: hours_on is true, and no day has hours."
        mend = request(target, 'monday_hours = ["08:00", "18:00"] and so on, or hours_on = false')
        yield Fault("never_open", "error", target, "hours_on", what, mend, "at all times", moment(line, False))
    kept = [day for day in schedule.week if day and day != ((0, 1440),)]
    if schedule.always_open and kept and schedule.week != _DEFAULT:
        what = (
            f"{line.name} keeps hours such as {format_period(kept[0][0])}, and is open at all times: hours_on is false."
        )
        mend = request(target, "hours_on = true if the hours are to count")
        at = _outside_hours(line, now)
        yield Fault("hours_ignored", "warning", target, "hours_on", what, mend, "at all times", at)
    if not schedule.always_open:
        yield from _gap(line, now)


def _outside_hours(line: Line, now: datetime.datetime) -> int | None:
    """A moment ahead at which the week that is ignored would have the line closed."""
    first = now.astimezone(line.schedule.zone).toordinal() + 1
    for ordinal in range(first, first + 7):
        periods = line.schedule.week[(ordinal + 6) % 7]
        if all(not start <= 30 < end for start, end in periods):
            return moment_of(ordinal, 30, line.schedule.zone)
    return None


def _gap(line: Line, now: datetime.datetime) -> Iterator[Fault]:
    """A lunch whose callers are treated as those of the night: told as a hint, since that may well be meant."""
    routing = line.closed
    if routing.try_operators or routing.choice.action not in ("voicemail", "message", "disabled"):
        return
    gaps: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for weekday, periods in enumerate(line.schedule.week):
        between = [(one[1], other[0]) for one, other in pairwise(periods)]
        if parts := tuple(gap for gap in between if gap[1] - gap[0] in LUNCH):
            gaps.setdefault(parts, []).append(weekday)
    if not gaps:
        return
    first = now.astimezone(line.schedule.zone).toordinal() + 1
    minute = next(iter(gaps))[0][0] + 7
    days = next(iter(gaps.values()))
    ordinal = next(
        (day for day in range(first, first + 366) if (day + 6) % 7 in days and line.schedule.special_on(day) is None),
        None,
    )
    at = moment_of(ordinal, minute, line.schedule.zone) if ordinal is not None else None
    what = f"Between its hours {line.name} treats callers as in the night: {routing.choice.action}, and nobody is rung."
    mend = request(line.target, "routing_options.closed to what suits both, or one period a day, if that is not meant")
    yield Fault("hours_gap", "hint", line.target, "routing_options.closed", what, mend, weekly(gaps), at)


def of_keys(line: Line, opened: bool, routing: Routing, moment: Moment) -> Iterator[Fault]:
    """Keys that nobody can press, or that do nothing, in the menu of one state."""
    state = "open" if opened else "closed"
    menu = f"routing_options.{state}.dtmf"
    if routing.keys and not has_menu(routing):
        what = (
            f"{line.name} has {counted(len(routing.keys), 'key')} for its menu while {state}, and nobody hears "
            f"the menu: the action is {routing.choice.action}."
        )
        mend = request(line.target, f"routing_options.{state}.action = menu, or no dtmf")
        yield Fault("keys_unreachable", "warning", line.target, menu, what, mend, at=moment(line, opened))
        return
    alike: dict[tuple[str, Target | None], str] = {}
    for key, choice in routing.keys.items():
        field = field_of(line, opened, key)
        if len(key) != 1 or key not in "0123456789":
            named = f"the key {key}, which cannot be pressed" if key else "no key"
            what = f"An entry of the menu of {line.name} has {named}: nobody reaches it."
            mend = request(line.target, f"{field.removesuffix('.options')}.input = a key from 0 to 9")
            yield Fault("menu_key_missing", "warning", line.target, field, what, mend, at=moment(line, opened))
        elif choice.action == "disabled":
            what = f"The key {key} of the menu of {line.name} does nothing."
            place = f"{field.removesuffix('.options')}.options.action"
            mend = request(line.target, f"{place} to what it is to do, or leave the entry out")
            at = moment(line, opened)
            yield Fault("menu_key_disabled", "warning", line.target, field, what, mend, at=at, keys=(key,))
        elif (same := alike.setdefault((choice.action, choice.target), key)) != key:
            what = f"The keys {same} and {key} of the menu of {line.name} do the same."
            mend = request(line.target, f"{field}: another action, or leave the entry out")
            at = moment(line, opened)
            yield Fault("menu_keys_alike", "hint", line.target, field, what, mend, at=at, keys=(key,))


def _directories(config: Company, line: Line, moment: Moment) -> Iterator[Fault]:
    """People whom a directory that the line offers cannot find."""
    for opened, key, choice in choices(line):
        asked = _DIRECTORIES.get(choice.action)
        if asked is None or (key and not has_menu(line.open if opened else line.closed)):
            continue
        last_only, of_office = asked
        offices = [line.office_id] if of_office else list(config.residents)
        people = [config.people[who] for id in offices for who in config.residents.get(id, ()) if who in config.people]
        at, keys = moment(line, opened), (key,) if key else ()
        field = field_of(line, opened, key)
        lost = [one.name for one in people if not _dialable(one, last_only)]
        if lost and len(lost) < len(people):
            what = f"The directory of {line.name} asks for names on the keypad, and these have none: {listed(lost)}."
            mend = "Give them a name in Latin letters, or an extension and a key for extensions."
            yield Fault("name_not_dialable", "warning", line.target, field, what, mend, at=at, keys=keys)
        alike: dict[object, list[str]] = {}
        for one in people:
            if _dialable(one, last_only):
                alike.setdefault(one.spelled, []).append(one.name)
        most = max(alike.values(), key=len, default=[])
        if len(most) > MOST_NAMES:
            what = (
                f"{len(most)} people in the directory of {line.name} are {most[0]} on the keypad: a caller is offered "
                f"{MOST_NAMES} of them, and never the others."
            )
            mend = "Tell them apart by their first names, or give them extensions and a key for extensions."
            yield Fault("names_alike", "warning", line.target, field, what, mend, at=at, keys=keys)


def _dialable(person: Person, last_only: bool) -> bool:
    names = person.spelled
    return names is not None and any(names.begins(keys, last_only=last_only) for keys in (names.last, names.first))


def of_operators(config: Company, line: Line, moment: Moment) -> Iterator[Fault]:
    """Operators whom the line would ring and who cannot answer."""
    at = _tried(line, moment)
    if at is None or not line.operators:
        return
    lasting: list[str] = []
    passing: list[str] = []
    rung = [one for one in line.operators if not one.never]
    for operator in rung or line.operators:
        fault, lasts = operator_fault(config, line, operator)
        if fault:
            (lasting if lasts else passing).append(f"{operator.name} ({fault})")
    target = line.target
    mend = request(target, "an operator who can answer", "/operators", "POST")
    if len(lasting) + len(passing) == len(rung or line.operators):
        what = f"None of the operators of {line.name} can answer: {listed([*lasting, *passing])}."
        severity: Severity = "error" if lasting and not passing else "warning"
        yield Fault("operators_unreachable", severity, target, "operators", what, mend, at=at)
        return
    if lasting:
        what = f"{line.name} counts on operators who cannot answer: {listed(lasting)}."
        mend = f"Give them a telephone, or DELETE /api/v2/{PATHS[target.type]}/{target.id}/operators."
        yield Fault("operator_unreachable", "warning", target, "operators", what, mend, at=at)
    if passing:
        what = f"Operators of {line.name} are not rung at present: {listed(passing)}."
        yield Fault("operator_away", "hint", target, "operators", what, "Nothing, if they come back.", at=at)


def operator_fault(config: Company, line: Line, operator: Operator) -> tuple[str, bool]:
    """Why an operator cannot answer, "" for one who can, and whether that lasts until somebody mends it."""
    person = config.people.get(operator.who)
    if person is None:
        return "not there any more", True
    if person.state != "active":
        return person.state, True
    if operator.never:
        return operator.away, True
    if not person.devices and not person.forwarding:
        return "no telephone", True
    if not person.devices and all(config.numbers.get(number) == line.target for number in person.forwarding):
        return "forwards calls to this very line and has no telephone", True
    if operator.away:
        return operator.away, False
    return ("do not disturb", False) if person.do_not_disturb else ("", False)


def _tried(line: Line, moment: Moment) -> int | None:
    """A moment at which the operators are rung."""
    for opened, routing in ((True, line.open), (False, line.closed)):
        if routing.try_operators and (at := moment(line, opened)) is not None:
            return at
    return None


@lru_cache(maxsize=256)
def _public_holidays(country: str, years: tuple[int, ...]) -> tuple[tuple[SpecialDay, ...], tuple[str, ...]]:
    """A country's holidays, and what is not known of them."""
    try:
        found = import_holidays(country, None, years)
    except Invalid:
        return (), (f"no holidays are known for {country}",)
    return found.days, tuple(notice.text for notice in found.notices if notice.code == "holidays.no_data")


def of_holidays(config: Company, line: Line, now: datetime.datetime) -> Iterator[Fault]:
    """Public holidays of the next 12 months on which the line is open as on any other day."""
    office = config.offices.get(line.office_id)
    if office is None or line.schedule.always_open or not any(line.schedule.week):
        return
    zone = line.schedule.zone
    today = now.astimezone(zone).date()
    last = today + datetime.timedelta(days=365)
    days, unknown = _public_holidays(office.country, (today.year, last.year))
    mend = request(Target("office", office.id), "the days that count", "/special-days", "PUT", "v1")
    if unknown:
        what = f"Whether {line.name} is open on a public holiday cannot be said: {'; '.join(unknown)}."
        field, own = "special_days", Target("office", office.id)
        yield Fault("holidays_unknown", "hint", own, field, what, mend)
    missing: dict[int, str] = {}
    for day in days:
        ordinal = day.date.toordinal()
        usual = line.schedule.week[(ordinal + 6) % 7]
        if today < day.date <= last and usual and line.schedule.special_on(ordinal) is None:
            missing.setdefault(ordinal, day.name)
    if not missing:
        return
    dates = sorted(missing)
    some = any(day.repeats_yearly or today <= day.date <= last for day in line.schedule.days)
    named = [f"{datetime.date.fromordinal(day).isoformat()} ({missing[day]})" for day in dates]
    what = (
        f"{line.name} is open as usual on {counted(len(dates), 'public holiday')} of {office.country} "
        f"in the next 12 months: {listed(named, 3)}."
    )
    first = dates[0]
    start = line.schedule.week[(first + 6) % 7][0][0]
    when = f"on {listed([datetime.date.fromordinal(day).isoformat() for day in dates], 3)}"
    at = moment_of(first, start, zone)
    yield Fault(
        "holidays_not_adopted", "hint" if some else "warning", line.target, "special_days", what, mend, when, at
    )


def of_office(config: Company, id: int) -> Iterator[Fault]:
    """What an office lacks for emergencies, and extensions that would be taken for emergency calls."""
    office = config.offices[id]
    target = Target("office", id)
    if office.country in EMERGENCY_REQUIRED and office.e911 is None:
        what = f"{office.name} has no emergency address: help would not know where to go."
        mend = request(target, "the address", "/e911", "PUT")
        yield Fault("emergency_address_missing", "error", target, "e911_address", what, mend)
    for person in config.people.values():
        if person.office_id == id and person.extension and is_emergency(person.extension, office.country):
            what = (
                f"{person.name} has the extension {person.extension}, an emergency number in {office.country}: "
                "a colleague who dials it calls for help."
            )
            mend = request(person.target, "another extension")
            yield Fault("extension_is_emergency_number", "error", person.target, "extension", what, mend)


def numbered(config: Company) -> frozenset[Target]:
    """Everything that has a number."""
    own = [line.target for line in config.lines.values() if line.numbers]
    return frozenset((*config.numbers.values(), *own))


def pointed(config: Company) -> frozenset[Target]:
    """Everything that lines and call routers send calls to."""
    found = {choice.target for line in config.lines.values() for _, _, choice in choices(line) if choice.target}
    return frozenset(found | {router.default for router in config.routers.values() if router.default})


def of_ways(config: Company, targets: Sequence[Target]) -> Iterator[Fault]:
    """Offices without a number, and lines that no call comes to."""
    with_number, sent_to = numbered(config), pointed(config)
    for target in targets:
        if target in with_number or target in sent_to:
            continue
        line = config.lines.get(target)
        router = config.routers.get(target.id) if target.type == "callrouter" else None
        name = line.name if line is not None else router.name if router is not None else ""
        if not name:
            continue
        mend = request(target, "a number of the inventory", "/assign_number", "POST")
        if target.type == "office":
            what = f"{name} has no number, so nobody can call it from outside."
            yield Fault("no_number", "warning", target, "mainline_number", what, mend)
        else:
            what = f"{name} has no number, and nothing sends calls to it."
            yield Fault("line_unreached", "hint", target, "", what, mend)


def readers(config: Company, box: Target) -> list[str]:
    """Who reads the voicemail of a line: its operators and the admins of its office, as far as they are active."""
    line = config.lines.get(box)
    if line is None:
        return []
    found = [*(one.who for one in line.operators), *config.admins.get(line.office_id, ())]
    return [who for who in found if who in config.people and config.people[who].state == "active"]
