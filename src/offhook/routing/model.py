"""What decisions are made from: a company as calls see it, compiled once a change and never altered. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from offhook.directory.lines.model import Target
from offhook.emergency.model import CivicAddress
from offhook.hours.model import Schedule
from offhook.routing.spelling import Spelled

Prompts = Mapping[str, str]
"""From v2's ivr_type to the digest of the recording that is played."""

NO_PROMPTS: Prompts = {}


@dataclass(frozen=True, slots=True)
class Choice:
    """What an action does with a call; `place` is the field path of the action, as in the office's body."""

    action: str
    target: Target | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Routing:
    """One state of a line, open or closed: whether operators are tried, and what follows if none answers."""

    try_operators: bool
    strategy: str
    choice: Choice
    keys: Mapping[str, Choice]


@dataclass(frozen=True, slots=True)
class Operator:
    """A member of a group. `away` says why this one is not rung, "" for one who may be.

    `never`: the role in the group is another one than to be rung.
    """

    who: str
    name: str
    skill: int = 100
    away: str = ""
    never: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Where callers wait while all operators are in calls; seconds. `escape` is the key that leaves.

    `callbacks`: callers were to be offered to be called back, which is kept and not done yet.
    """

    most: int
    seconds: int
    escape: str = ""
    announce_seconds: int = 0
    stays_after_closing: bool = False
    unattended: bool = False
    callbacks: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What rings a group: an office's main line, a department, a call center."""

    target: Target
    name: str
    office_id: int
    schedule: Schedule
    open: Routing
    closed: Routing
    state: str = "active"
    ring_seconds: int = 30
    operators: tuple[Operator, ...] = ()
    queue: Queue | None = None
    record: bool = False
    transcribe: bool = True
    may_stop_transcript: bool = True
    script: str = ""
    script_seconds: int = 5
    prompts: Prompts = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    ready: tuple[Operator, ...] = field(init=False)
    roster: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ready", tuple(one for one in self.operators if not one.away))
        object.__setattr__(self, "roster", tuple(one.who for one in self.operators))

    @property
    def hand_edges(self) -> tuple[int, ...]:
        """When what was done to it by hand begins and ends, in milliseconds; nothing if nothing was done."""
        hand = self.schedule.by_hand
        if hand is None:
            return ()
        return tuple(int(edge.timestamp() * 1000) for edge in (hand.since, hand.until) if edge is not None)


@dataclass(frozen=True, slots=True)
class Office:
    """What an office says for all that is in it. `country` is an upper-case code."""

    id: int
    name: str
    country: str
    timezone: str
    state: str = "active"
    main_line: str = ""
    international: bool = False
    e911: CivicAddress | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A user or a room. `devices` are ids of telephones, `forwarding` numbers (E.164) that ring along.

    `remarks` say which of their numbers do not ring and why. `caller_id` is shown to those whom they call, "" hides it.
    `admin_of` are the offices that they administer: they may read the boxes of those, and of their lines.
    """

    who: str
    target: Target
    name: str
    office_id: int
    state: str = "active"
    extension: str = ""
    devices: tuple[str, ...] = ()
    forwarding: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    do_not_disturb: bool = False
    international: bool = True
    caller_id: str = ""
    e911: CivicAddress | None = None
    greeting: str = ""
    prompts: Prompts = field(default_factory=dict)
    spelled: Spelled | None = None
    admin_of: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody outside; the first of `phones` (E.164) is called."""

    id: int
    name: str
    phones: tuple[str, ...] = ()
    state: str = "active"


@dataclass(frozen=True, slots=True)
class Router:
    """A line whose calls a web service of the company decides; `default` where it does not, None: voicemail."""

    id: int
    name: str
    office_id: int
    enabled: bool = True
    default: Target | None = None
    state: str = "active"


@dataclass(frozen=True, slots=True)
class Team:
    """People who are rung together: a coaching team."""

    target: Target
    name: str
    office_id: int
    members: tuple[str, ...] = ()
    ring_seconds: int = 30
    state: str = "active"


@dataclass(frozen=True, slots=True)
class Company:
    """A company's environment as calls see it at one version: the number of the last event that is in it."""

    tenant_id: int
    version: int
    offices: Mapping[int, Office] = field(default_factory=dict)
    lines: Mapping[Target, Line] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    routers: Mapping[int, Router] = field(default_factory=dict)
    contacts: Mapping[int, Contact] = field(default_factory=dict)
    teams: Mapping[int, Team] = field(default_factory=dict)
    channels: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[str, Target] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    residents: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By office: who (users) can be found in its directory, in the order of names."""
    admins: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By office that has any: its admins, in the order of ids."""
    primary_office: int = 0
    missing_scripts: frozenset[str] = frozenset()
    """Workflows that lines name, and that are not registered."""


def who_of(target: Target) -> str:
    """How a user, room or contact is named in verbs and states: "user:1"."""
    return f"{target.type}:{target.id}"


def target_of_who(who: str) -> Target:
    """The inverse of `who_of`."""
    kind, _, id = who.partition(":")
    return Target(kind, int(id))
