"""What events are about: by their words and documents, which offices, lines and people to read again. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from offhook.directory.lines.model import Target
from offhook.directory.operators.store import MemberType

GROUPS = ("department", "callcenter")
"""The kinds of lines that are in an office and are not its main line."""


@dataclass(slots=True)
class Touched:
    """What events are about. `staff` are groups whose members changed, and nothing else of them."""

    offices: set[int] = field(default_factory=set)
    groups: set[Target] = field(default_factory=set)
    staff: set[Target] = field(default_factory=set)
    people: dict[MemberType, set[int]] = field(default_factory=lambda: {"user": set(), "room": set()})
    routers: set[int] = field(default_factory=set)
    contacts: set[int] = field(default_factory=set)
    teams: set[int] = field(default_factory=set)
    channels: set[int] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    workflows: bool = False
    everything: bool = False

    def note(self, word: str, subject: str, before: str, after: str) -> None:
        """Take in an event. One of a kind that is not known here touches everything."""
        kind, _, action = word.partition(".")
        about = _TOUCHES.get(kind)
        if about is None:
            self.everything = True
        else:
            about(self, action, subject, before, after)

    def target(self, kind: str, id: int) -> None:
        """A line or a person is touched."""
        if kind == "office":
            self.offices.add(id)
        elif kind in GROUPS:
            self.groups.add(Target(kind, id))
        elif kind == "user":
            self.people["user"].add(id)
        elif kind == "room":
            self.people["room"].add(id)


_Touch = Callable[[Touched, str, str, str, str], None]


def _touches(kind: str) -> _Touch:
    return lambda touched, _action, subject, _before, _after: touched.target(kind, int(subject))


def _touches_set(name: str, of: Callable[[str], Any] = int) -> _Touch:
    return lambda touched, _action, subject, _before, _after: getattr(touched, name).add(of(subject))


def _touches_nothing(_touched: Touched, _action: str, _subject: str, _before: str, _after: str) -> None:
    pass


class _About(msgspec.Struct, frozen=True):
    """What an event's document says of whom it is about."""

    group_type: str = ""
    group_id: str = "0"
    operator_type: str = ""
    operator_id: str = "0"
    owner_type: str = ""
    owner_id: str = "0"
    target_type: str = ""
    target_id: str = "0"


_about = msgspec.json.Decoder(_About).decode


def _user(touched: Touched, action: str, subject: str, _before: str, after: str) -> None:
    touched.target("user", int(subject))
    if action == "do_not_disturb_updated":
        about = _about(after)
        if about.group_type:
            touched.staff.add(Target(about.group_type, int(about.group_id)))


def _operator(touched: Touched, _action: str, _subject: str, before: str, after: str) -> None:
    about = _about(after or before)
    touched.staff.add(Target(about.group_type, int(about.group_id)))
    touched.target(about.operator_type, int(about.operator_id))


def _device(touched: Touched, _action: str, _subject: str, before: str, after: str) -> None:
    about = _about(after or before)
    touched.target(about.owner_type, int(about.owner_id))


def _prompt(touched: Touched, action: str, _subject: str, before: str, after: str) -> None:
    if action in ("assigned", "unassigned"):
        about = _about(after or before)
        touched.target(about.target_type, int(about.target_id))


def _number(touched: Touched, action: str, subject: str, _before: str, _after: str) -> None:
    if action in ("assigned", "released", "deleted"):
        touched.numbers.add(subject)


def _definition(touched: Touched, _action: str, _subject: str, _before: str, _after: str) -> None:
    touched.workflows = True


_TOUCHES: Mapping[str, _Touch] = {
    "company": _touches_nothing,
    "key": _touches_nothing,
    "policy": _touches_nothing,
    "numbers": _touches_nothing,
    "api": _touches_nothing,
    "api_example": _touches_nothing,
    "credential": _touches_nothing,
    "request": _touches_nothing,
    "workflow_definition": _definition,
    "workflow_policy": _touches_nothing,
    "workflow_run": _touches_nothing,
    "workflow_schedule": _touches_nothing,
    "workflow_trigger": _touches_nothing,
    "workflow_hook": _touches_nothing,
    "emergency_call": _touches_nothing,
    "phone": _touches_nothing,
    "trunk": _touches_nothing,
    "voicemail": _touches_nothing,
    "recording": _touches_nothing,
    "office": _touches("office"),
    "user": _user,
    "room": _touches("room"),
    "department": _touches("department"),
    "callcenter": _touches("callcenter"),
    "operator": _operator,
    "device": _device,
    "prompt": _prompt,
    "number": _number,
    "callrouter": _touches_set("routers"),
    "channel": _touches_set("channels"),
    "contact": _touches_set("contacts"),
    "coaching_team": _touches_set("teams"),
}
"""By the subject of an event's word: what it touches."""
