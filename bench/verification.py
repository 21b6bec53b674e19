"""What verification costs: an office of 50 lines with menus of their own, at all times of a year, and one change."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

from bench.scenarios import Bench, Figure
from offhook.directory.lines.model import Target
from offhook.hours.model import Schedule
from offhook.hours.rules import periods_of
from offhook.kit.zones import zone
from offhook.routing.model import Choice, Company, Line, Office, Operator, Person, Routing
from offhook.routing.spelling import spelled
from offhook.routing.verify import quick, verify, verify_office

NODES = 50
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
OFFICE = Target("office", 1)


def company(nodes: int = NODES) -> Company:
    """A tree of `nodes` lines, three keys each to the next ones and one back, with six kinds of hours."""
    where = zone("Europe/Lisbon")
    assert where is not None
    targets = [OFFICE, *(Target("department", id) for id in range(2, nodes + 1))]
    person = Person("user:1", Target("user", 1), "Ana Lima", 1, devices=("phone",), spelled=spelled("Ana", "Lima"))
    lines = {}
    for index, target in enumerate(targets):
        keys = {
            str(key): Choice("department", targets[index * 3 + key])
            for key in (1, 2, 3)
            if index * 3 + key < len(targets)
        }
        keys |= {"0": Choice("operator"), "8": Choice("directory"), "9": Choice("department", OFFICE)}
        hours = periods_of((f"{7 + index % 6:02}:00", "12:00", "13:00", "18:00"))
        lines[target] = Line(
            target=target,
            name=f"Line {target.id}",
            office_id=1,
            schedule=Schedule(where, (*(hours,) * 5, (), ()), False),
            open=Routing(True, "roundrobin", Choice("menu"), keys),
            closed=Routing(False, "simultaneous", Choice("voicemail"), {}),
            operators=(Operator("user:1", "Ana Lima"),),
        )
    return Company(
        tenant_id=1,
        version=1,
        offices={1: Office(1, "Main", "PT", "Europe/Lisbon")},
        lines=lines,
        people={person.who: person},
        numbers={"+351210000000": OFFICE},
        residents={1: (person.who,)},
        primary_office=1,
    )


def verification(bench: Bench) -> None:
    """One line with all that it reaches, the whole office, and what every change pays."""
    config = company()
    whole = f"{NODES} lines, a year, every key"
    for name, bar, work in (
        ("verify a line, ms", 100.0, lambda: verify(config, OFFICE, NOW)),
        ("verify an office, ms", None, lambda: verify_office(config, 1, NOW)),
        ("warnings of a change, ms", 5.0, lambda: quick(config, OFFICE, NOW)),
    ):
        times = _times(work)
        bench.figures.append(
            Figure(name, median(times), "ms", min(times), max(times), bar=bar, at_most=True, note=whole)
        )


def _times(work: Callable[[], object], rounds: int = 9) -> list[float]:
    """Milliseconds of work of each round, after one that loads the holidays and does not count."""
    work()
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000)
    return found
