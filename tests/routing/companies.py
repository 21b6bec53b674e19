"""Companies in a few words, for tests of decisions: compiled as the snapshot compiles them, without a store."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from offhook.directory.lines.model import Target
from offhook.hours.model import ByHand, Schedule, SpecialDay
from offhook.hours.rules import DEFAULT_WEEK, periods_of
from offhook.kit.zones import zone
from offhook.routing.compiling import admins_of
from offhook.routing.model import (
    Choice,
    Company,
    Contact,
    Line,
    Office,
    Operator,
    Person,
    Queue,
    Router,
    Routing,
    Team,
)
from offhook.routing.spelling import spelled

VOICEMAIL = Choice("voicemail")
ALWAYS: Sequence[Sequence[str]] = [["00:00", "24:00"]] * 7


def ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO moment with its offset."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def hours(
    week: Sequence[Sequence[str]] | None = None,
    timezone: str = "Europe/Lisbon",
    days: tuple[SpecialDay, ...] = (),
) -> Schedule:
    """Opening hours from their lists; none: always open."""
    where = zone(timezone)
    assert where is not None
    lists = DEFAULT_WEEK if week is None else week
    return Schedule(where, tuple(periods_of(tuple(day)) for day in lists), week is None, days)


def by_hand(opened: bool, since: int, until: int | None, told: str) -> ByHand:
    """What was done by hand, between two moments in milliseconds."""
    begin, end = (None if at is None else datetime.fromtimestamp(at / 1000, UTC) for at in (since, until))
    assert begin is not None
    return ByHand(opened, begin, end, told)


def user(id: int, name: str, *, office: int = 1, extension: str = "", **more: Any) -> Person:
    """A user with one telephone."""
    first, _, last = name.partition(" ")
    more.setdefault("devices", (f"phone-{id}",))
    return Person(
        who=f"user:{id}",
        target=Target("user", id),
        name=name,
        office_id=office,
        extension=extension,
        spelled=spelled(first, last),
        **more,
    )


def room(id: int, name: str, *, office: int = 1, **more: Any) -> Person:
    """A room with one telephone."""
    more.setdefault("devices", (f"desk-{id}",))
    return Person(who=f"room:{id}", target=Target("room", id), name=name, office_id=office, **more)


def routing(
    action: str = "voicemail",
    target: Target | None = None,
    *,
    operators: bool = True,
    strategy: str = "simultaneous",
    keys: dict[str, Choice] | None = None,
) -> Routing:
    """One state of a line."""
    return Routing(operators, strategy, Choice(action, target, "routing_options"), keys or {})


def line(kind: str, id: int, name: str, operators: Sequence[Person | Operator] = (), **more: Any) -> Line:
    """A line that is always open, rings its operators and then takes a message; closed: takes a message."""
    more.setdefault("schedule", hours())
    if (hand := more.pop("by_hand", None)) is not None:
        more["schedule"] = replace(more["schedule"], by_hand=hand)
    more.setdefault("open", routing())
    more.setdefault("closed", routing(operators=False))
    more.setdefault("office_id", id if kind == "office" else 1)
    return Line(
        target=Target(kind, id),
        name=name,
        operators=tuple(one if isinstance(one, Operator) else Operator(one.who, one.name) for one in operators),
        **more,
    )


def office(id: int, name: str, *, country: str = "PT", timezone: str = "Europe/Lisbon", **more: Any) -> Office:
    """An office."""
    return Office(id=id, name=name, country=country, timezone=timezone, **more)


def company(
    *things: Any, numbers: dict[str, Target] | None = None, version: int = 1, missing_scripts: Iterable[str] = ()
) -> Company:
    """All of them together; offices come of themselves from the lines of offices."""
    lines = {one.target: one for one in things if isinstance(one, Line)}
    offices = {one.id: one for one in things if isinstance(one, Office)}
    for target, main in lines.items():
        if target.type == "office":
            offices.setdefault(target.id, office(target.id, main.name))
    people = {one.who: one for one in things if isinstance(one, Person)}
    return Company(
        tenant_id=1,
        version=version,
        offices=offices,
        lines=lines,
        people=people,
        routers={one.id: one for one in things if isinstance(one, Router)},
        contacts={one.id: one for one in things if isinstance(one, Contact)},
        teams={one.target.id: one for one in things if isinstance(one, Team)},
        numbers=numbers or {},
        missing_scripts=frozenset(missing_scripts),
        admins=admins_of(people.values()),
        extensions={one.extension: one.who for one in people.values() if one.extension},
        residents={
            id: tuple(
                one.who
                for one in sorted(people.values(), key=lambda one: one.name)
                if one.office_id == id and one.target.type == "user" and one.state == "active"
            )
            for id in offices
        },
        primary_office=min(offices, default=0),
    )


__all__ = ["Choice", "Queue", "company", "hours", "line", "ms", "office", "room", "routing", "user"]
