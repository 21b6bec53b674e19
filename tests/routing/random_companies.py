"""Companies and callers at random, small enough that everything meets everything, loops and gaps included."""

from typing import Any

from hypothesis import strategies as st

from offhook.directory.lines.model import Target
from offhook.routing.model import Choice, Contact, Line, Operator, Person, Queue, Router, Team
from offhook.routing.plan import Incoming, Told
from offhook.routing.simulate import Behaviour, Script
from tests.routing.companies import by_hand, company, hours, line, ms, office, room, routing, user

ACTIONS = (
    "bridge_target", "company_directory", "department", "directory", "disabled", "extension", "menu", "message",
    "operator", "person", "scripted_ivr", "voicemail", "last_name_directory", "last_name_company_directory",
    "of_a_later_version",
)  # fmt: skip
STRATEGIES = ("fixedorder", "longestidle", "mostskilled", "random", "roundrobin", "simultaneous")
MONDAY = ms("2026-11-23T00:00:00+00:00")
WEEK = 7 * 86_400_000

OFFICES, DEPARTMENTS, CALLCENTERS, USERS, ROOMS, ROUTERS, CONTACTS, TEAMS = (
    (1, 2), (11, 12), (21,), (101, 102, 103, 104, 105), (201,), (301, 302), (401, 402), (501,)
)  # fmt: skip
TARGETS = [
    *(Target("office", id) for id in OFFICES),
    *(Target("department", id) for id in DEPARTMENTS),
    *(Target("callcenter", id) for id in CALLCENTERS),
    *(Target("user", id) for id in USERS),
    *(Target("room", id) for id in ROOMS),
    *(Target("callrouter", id) for id in ROUTERS),
    *(Target("contact", id) for id in CONTACTS),
    *(Target("coachinggroup", id) for id in TEAMS),
    Target("channel", 601),
    Target("unknown", 0),
    Target("user", 999),
    Target("department", 999),
]
NAMES = ("Ana Silva", "Ana Sousa", "Bob Stone", "Zoë O'Brien", "Жанна Петрова")

targets = st.sampled_from(TARGETS)
choices = st.builds(Choice, st.sampled_from(ACTIONS), st.none() | targets, st.just("options"))
routings = st.builds(
    lambda action, target, operators, strategy, keys: routing(
        action, target, operators=operators, strategy=strategy, keys=keys
    ),
    st.sampled_from(ACTIONS),
    st.none() | targets,
    st.booleans(),
    st.sampled_from(STRATEGIES),
    st.dictionaries(st.sampled_from("0123456789"), choices, max_size=4),
)
weeks: st.SearchStrategy[list[list[str]] | None] = st.sampled_from([
    None,
    [["08:00", "12:00", "14:00", "18:00"]] * 5 + [[], []],
    [["22:00", "06:00"]] * 7,
    [[], [], [], [], [], [], []],
])  # fmt: skip
queues = st.none() | st.builds(
    Queue,
    most=st.integers(1, 3),
    seconds=st.integers(30, 900),
    escape=st.sampled_from(["", "*"]),
    announce_seconds=st.sampled_from([0, 15, 120]),
    stays_after_closing=st.booleans(),
    unattended=st.booleans(),
)
members = st.lists(
    st.tuples(
        st.sampled_from([*(f"user:{id}" for id in USERS), *(f"room:{id}" for id in ROOMS), "user:999"]),
        st.integers(1, 100),
        st.sampled_from(["", "", "", "off duty: Lunch Time"]),
    ),
    max_size=4,
    unique_by=lambda one: one[0],
)
manuals = st.none() | st.builds(
    lambda opened, since, length: by_hand(
        opened, MONDAY + since, None if length is None else MONDAY + since + length, "until lifted"
    ),
    st.booleans(),
    st.integers(0, WEEK),
    st.none() | st.integers(1, WEEK),
)


@st.composite
def lines(draw: st.DrawFn, kind: str, id: int) -> Line:
    """A line of one kind, in any state."""
    return line(
        kind,
        id,
        f"{kind.capitalize()} {id}",
        [Operator(who, who, skill, away) for who, skill, away in draw(members)],
        office_id=id if kind == "office" else draw(st.sampled_from(OFFICES)),
        schedule=hours(draw(weeks)),
        open=draw(routings),
        closed=draw(routings),
        state=draw(st.sampled_from(["active", "active", "active", "suspended"])),
        by_hand=draw(manuals),
        ring_seconds=draw(st.integers(10, 45)),
        queue=draw(queues),
        record=draw(st.booleans()),
        script=draw(st.sampled_from(["", "welcome", "gone"])),
        prompts=draw(
            st.sampled_from([{}, {"MENU": "ab" * 32, "DEPARTMENT_INTRO": "cd" * 32, "NEXT_TARGET": "ef" * 32}])
        ),
    )


@st.composite
def people(draw: st.DrawFn, id: int) -> Person:
    """A user or a room, in any state."""
    more: dict[str, Any] = {
        "devices": draw(st.sampled_from([(), (f"phone-{id}",)])),
        "forwarding": draw(st.sampled_from([(), ("+351912345678",)])),
        "state": draw(st.sampled_from(["active", "active", "active", "suspended"])),
        "do_not_disturb": draw(st.sampled_from([False, False, True])),
        "office": draw(st.sampled_from(OFFICES)),
    }
    if id in ROOMS:
        return room(id, f"Room {id}", **more)
    return user(id, NAMES[id % len(NAMES)], extension=str(id), international=draw(st.booleans()), **more)


@st.composite
def companies(draw: st.DrawFn):
    """A company in which everything may point at everything."""
    default = st.none() | targets
    return company(
        *(draw(lines("office", id)) for id in OFFICES),
        *(draw(lines("department", id)) for id in DEPARTMENTS),
        *(draw(lines("callcenter", id)) for id in CALLCENTERS),
        *(draw(people(id)) for id in (*USERS, *ROOMS)),
        *(office(id, f"Office {id}", international=draw(st.booleans())) for id in OFFICES),
        *(Router(id, f"Router {id}", 1, draw(st.booleans()), draw(default)) for id in ROUTERS),
        *(Contact(id, f"Contact {id}", draw(st.sampled_from([(), ("+14155550100",)]))) for id in CONTACTS),
        *(Team(Target("coachinggroup", id), f"Team {id}", 1, ("user:101", "user:102")) for id in TEAMS),
        numbers={"+351210000001": Target("office", 1), "+351210000002": draw(targets)},
        missing_scripts={"gone"},
    )


behaviours = st.builds(
    Behaviour,
    seconds=st.none() | st.integers(0, 60),
    missed=st.sampled_from(["no_answer", "busy", "declined", "unreachable"]),
    busy_seconds=st.sampled_from([0, 0, 5, 300, None]),
)
answers = st.builds(
    Told,
    at=st.just(0),
    action=st.sampled_from(["route", "forward", "ask", "end", "voicemail", ""]),
    target=st.none() | targets,
    number=st.sampled_from(["", "+14155550100", "+351912345678"]),
    message=st.sampled_from([(), ("Hello.",)]),
    question=st.just("account"),
    digits=st.integers(0, 30),
    fault=st.sampled_from(["", "it did not answer"]),
    recording=st.sampled_from(["", "ab" * 32]),
    carried=st.sampled_from(["", '{"n":1}']),
)
scripts = st.builds(
    Script,
    keys=st.lists(st.sampled_from(["", *"0123456789", "*", "26#", "262#", "7#", "101#", "9999#"]), max_size=12).map(
        tuple
    ),
    people=st.dictionaries(st.sampled_from([*(f"user:{id}" for id in USERS), "room:201"]), behaviours, max_size=4),
    anyone=behaviours,
    hang_up=st.none() | st.integers(0, 1200),
    message_seconds=st.sampled_from([0, 10]),
    routers=st.dictionaries(st.sampled_from(ROUTERS), answers, max_size=2),
    workflows=st.lists(answers, max_size=40).map(tuple),
)
firsts = st.builds(
    lambda at, target, number: Incoming(MONDAY + at, "+14155550123", number, target if not number else None),
    st.integers(0, WEEK),
    targets,
    st.sampled_from(["", "", "+351210000001", "+351210000002", "+351210000009"]),
)
seeds = st.integers(0, 2**31)
