"""How many first decisions a second one core makes: for one office, and for offices of a large company in turn.

Built in memory, as a decision does no input or output; the moments differ, so that nothing is remembered between calls.
"""

import datetime
import itertools
import time
from statistics import median

from bench.scenarios import Bench, Figure
from offhook.directory.lines.model import Target
from offhook.hours.model import Schedule, SpecialDay
from offhook.hours.rules import periods_of
from offhook.kit.zones import zone
from offhook.routing.decide import decide
from offhook.routing.model import Choice, Company, Line, Office, Operator, Person, Router, Routing
from offhook.routing.plan import Incoming
from offhook.routing.spelling import spelled
from offhook.routing.state import new_call

SPLIT = [("08:00", "12:00", "14:00", "18:00")] * 5 + [(), ()]
ZONES = ("Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "Europe/Berlin")
BEGIN = int(datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC).timestamp() * 1000)
WEEK_MS = 7 * 86_400_000
OFFICES, PEOPLE, OPERATORS = 1_000, 20_000, 20
COUNT = 20_000


def decisions(bench: Bench) -> None:
    """First decisions a second, on an office with all that it can have, and on a large company with nested groups."""
    for name, config, bar in (
        ("first decisions, one office", company(1, OPERATORS), 20_000.0),
        ("first decisions, 1,000 offices and 20,000 people", company(OFFICES, PEOPLE), 5_000.0),
    ):
        bench.say(name)
        rates = [_rate(config) for _ in range(bench.options.rounds)]
        bench.figures.append(Figure(name, median(rates), "/s", low=min(rates), high=max(rates), bar=bar))


def _rate(config: Company) -> float:
    numbers = itertools.cycle(config.numbers)
    # Processor time, as other programs of the machine take no part in it.
    # A step that meets every minute of the week and every second of the minute.
    calls = [Incoming(BEGIN + index * 7_919_311 % WEEK_MS, "+14155550100", next(numbers)) for index in range(COUNT)]
    began = time.process_time()
    for first in calls:
        decide(config, new_call("1", 1), first)
    return COUNT / (time.process_time() - began)


def company(offices: int, people: int) -> Company:
    """Offices with split hours, holidays, a menu, operators; a department, a call center and a router behind each."""
    each = people // offices
    everybody = {f"user:{id}": _person(id, 1 + (id - 1) // each) for id in range(1, people + 1)}
    lines: dict[Target, Line] = {}
    for id in range(1, offices + 1):
        of_office = [f"user:{(id - 1) * each + number}" for number in range(1, each + 1)]
        operators = tuple(Operator(who, everybody[who].name) for who in of_office[:OPERATORS])
        for kind in ("office", "department", "callcenter"):
            target = Target(kind, id)
            lines[target] = _line(target, id, operators)
    return Company(
        tenant_id=1,
        version=1,
        offices={id: Office(id, f"Office {id}", "US", ZONES[id % len(ZONES)]) for id in range(1, offices + 1)},
        lines=lines,
        people=everybody,
        routers={id: Router(id, f"Router {id}", id, False, Target("callcenter", id)) for id in range(1, offices + 1)},
        numbers={f"+1415{id:07}": Target("office", id) for id in range(1, offices + 1)},
        primary_office=1,
    )


def _person(id: int, office_id: int) -> Person:
    return Person(
        who=f"user:{id}",
        target=Target("user", id),
        name=f"Person {id}",
        office_id=office_id,
        devices=(f"phone-{id}",),
        spelled=spelled("Person", str(id)),
    )


def _line(target: Target, office_id: int, operators: tuple[Operator, ...]) -> Line:
    where = zone(ZONES[office_id % len(ZONES)])
    assert where is not None
    days = tuple(
        SpecialDay(datetime.date(2026, month, 1 + office_id % 28), "holiday", f"Holiday {month}")
        for month in range(1, 13)
    )
    keys = {
        "1": Choice("operator"),
        "2": Choice("department", Target("department", office_id)),
        "3": Choice("bridge_target", Target("callrouter", office_id)),
        "4": Choice("directory"),
    }
    # While closed, calls go from the office to its department, on to the call center through a router that is off.
    onward = {
        "office": Target("department", office_id),
        "department": Target("callrouter", office_id),
    }.get(target.type)
    shut = Choice("bridge_target", onward) if onward is not None else Choice("voicemail")
    return Line(
        target=target,
        name=f"{target.type.capitalize()} {office_id}",
        office_id=office_id,
        schedule=Schedule(where, tuple(periods_of(day) for day in SPLIT), False, days),
        open=Routing(True, "roundrobin", Choice("menu"), keys),
        closed=Routing(False, "roundrobin", shut, {}),
        operators=operators,
    )
