"""Who is reachable when: by the same decisions, through menus, and without waiting in queues."""

from datetime import date

import pytest

from offhook.directory.lines.model import Target
from offhook.routing import coverage
from offhook.routing.coverage import probe, week_of
from offhook.routing.model import Choice, Operator, Queue
from tests.routing.companies import company, hours, line, routing, user

ANA = user(1, "Ana Silva")
SPLIT = [["08:00", "12:00", "14:00", "18:00"]] * 5 + [[], []]
MONDAY = date(2026, 11, 30)


def menu(**keys: Choice):
    return routing("menu", operators=False, keys={name[1:]: choice for name, choice in keys.items()})


def test_a_week_is_cut_where_the_line_opens_and_closes():
    config = company(line("office", 1, "Lisbon", [ANA], schedule=hours(SPLIT)), ANA)
    week = week_of(config, config.lines[Target("office", 1)], MONDAY)
    assert [(one.open, one.rings, one.ends) for one in week.stretches[:3]] == [
        (False, (), "voicemail of Lisbon"),
        (True, ("Ana Silva",), "voicemail of Lisbon"),
        (False, (), "voicemail of Lisbon"),
    ]
    assert len([one for one in week.stretches if one.open]) == 10
    assert all(one.end == other.start for one, other in zip(week.stretches, week.stretches[1:], strict=False))


def test_who_is_behind_a_menu_behind_a_menu_can_be_reached():
    inner = line("department", 10, "Sales", open=menu(_2=Choice("person", Target("user", 1))))
    main = line("office", 1, "Lisbon", open=menu(_1=Choice("department", Target("department", 10))))
    config = company(main, inner, ANA)
    (one,) = week_of(config, main, MONDAY).stretches
    assert one.reachable
    assert one.keys == (("1", "voicemail of Sales", ("Ana Silva",)),)


def test_the_keys_are_those_of_the_menu_that_callers_hear():
    """The office sends its calls on; keys of its own that nobody hears are not shown."""
    inner = line("department", 10, "Sales", open=menu(_2=Choice("person", Target("user", 1))))
    stale = routing("department", Target("department", 10), operators=False, keys={"7": Choice("voicemail")})
    config = company(line("office", 1, "Lisbon", open=stale), inner, ANA)
    (one,) = week_of(config, config.lines[Target("office", 1)], MONDAY).stretches
    assert [key for key, _, _ in one.keys] == ["2"]


def test_a_directory_reaches_somebody_if_there_is_anybody():
    main = line("office", 1, "Lisbon", open=menu(_1=Choice("directory")))
    (one,) = week_of(company(main, ANA), main, MONDAY).stretches
    assert one.keys == (("1", "voicemail of Lisbon", ("somebody by name",)),)
    (none,) = week_of(company(main), main, MONDAY).stretches
    assert not none.reachable


def test_a_queue_is_where_a_call_ends_that_comes_to_it():
    away = Operator("user:2", "Bob", away="off duty")
    center = line(
        "callcenter", 5, "Help", [ANA, away], office_id=1, queue=Queue(most=5, seconds=18_000, announce_seconds=10)
    )
    config = company(line("office", 1, "Lisbon"), center, ANA)
    (one,) = week_of(config, center, MONDAY).stretches
    assert (one.rings, one.ends) == (("Ana Silva",), "the queue of Help")


def test_menus_that_lead_to_each_other_are_each_looked_at_once():
    """Ten menus of ten keys, each leading to all: a hundred keys and not ten to the power of their depth."""
    targets = [Target("department", 10 + number) for number in range(10)]
    keys = {f"_{number}": Choice("department", target) for number, target in enumerate(targets)}
    lines = [line("department", target.id, f"Menu {target.id}", open=menu(**keys)) for target in targets]
    main = line("office", 1, "Lisbon", open=menu(_1=Choice("department", targets[0])))
    calls = 0

    def counted(*arguments):
        nonlocal calls
        calls += 1
        return probe(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage, "probe", counted)
        week_of(company(main, *lines), main, MONDAY)
    assert calls <= 2 + 10 * 10
