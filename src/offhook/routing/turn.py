"""One step of a call under way: the state as it becomes, the verbs and the reasons so far. Pure.

The rooms of routing (`groups`, `people`, `menus`, `outbound`) each answer with where the step goes on, a `Go`, or with
None when it ends in a verb that must be answered. `decide` drives them, so that none of them calls another.
"""

import copy
from dataclasses import dataclass

from offhook.directory.lines.model import Target
from offhook.routing.model import Choice, Company, Line, Office, Person, Prompts
from offhook.routing.plan import Answer, Hangup, Play, Prompt, Release, Verb
from offhook.routing.state import CallState, Phase, Reason

MAX_HOPS = 10
MAX_STEPS = 400
"""Keys and answers of services that a call may take. Ringing and waiting are bounded by their time."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Go to what a target is."""

    target: Target


@dataclass(frozen=True, slots=True)
class Act:
    """Do what a line's routing or a key of its menu says."""

    choice: Choice
    key: str = ""


@dataclass(frozen=True, slots=True)
class RingOperators:
    """Ring the operators of the line; the caller has waited for them `since` then, 0 for from now on."""

    since: int = 0


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Let the caller leave a message in a box; None: that of the office which the call is in."""

    box: Target | None = None


Go = Enter | Act | RingOperators | Mailbox | None


class Turn:
    """A step: what it was given, and what becomes of it."""

    __slots__ = ("at", "config", "reasons", "state", "verbs")

    def __init__(self, config: Company, state: CallState, at: int) -> None:
        self.config = config
        self.state = copy.copy(state)
        self.at = max(at, state.now)
        self.verbs: list[Verb] = []
        self.reasons: list[Reason] = []
        self.state.now = self.at
        self.state.config = config.version

    def done(self) -> tuple[CallState, tuple[Verb, ...]]:
        """The state after the step, and its verbs."""
        self.state.reasons = (*self.state.reasons, *self.reasons)
        return self.state, tuple(self.verbs)

    def because(self, code: str, text: str) -> None:
        """Say why."""
        self.reasons.append(Reason(self.at, code, text))

    def line(self) -> Line | None:
        """The line that the call is at, None if it is elsewhere."""
        return self.config.lines.get(self.state.where)

    def office(self) -> Office | None:
        """The office that the call is in: that of where it is, or else of where it came in, or the primary one."""
        config = self.config
        for target in (self.state.where, self.state.home):
            id = office_of(config, target)
            if id is not None and id in config.offices:
                return config.offices[id]
        return config.offices.get(config.primary_office)

    def country(self) -> str:
        """The country of that office, whose ringback is heard; "" if none is known."""
        office = self.office()
        return office.country if office is not None else ""

    def music(self) -> str:
        """The recording that is heard on hold: of the line that the call is at, or came through; "" for none."""
        for target in (self.state.where, self.state.via, self.state.home):
            line = self.config.lines.get(target)
            if line is not None and "HOLD_MUSIC" in line.prompts:
                return line.prompts["HOLD_MUSIC"]
        return ""

    def take(self) -> None:
        """Take the call, if it is not yet taken."""
        if not self.state.taken:
            self.state.taken = True
            self.verbs.append(Answer())

    def hear(self, prompt: Prompt) -> None:
        """Let the caller hear something."""
        self.take()
        self.verbs.append(Play(prompt))

    def release(self, kept: str = "") -> None:
        """Give back who is reserved, but for one who has the call."""
        others = tuple(who for who in self.state.reserved if who != kept)
        if others or kept in self.state.reserved:
            self.verbs.append(Release(others, kept if kept in self.state.reserved else ""))
        self.state.reserved = ()

    def hang_up(self, outcome: str, verb: Hangup) -> None:
        """End the call."""
        self.release()
        self.verbs.append(verb)
        self.state.phase, self.state.outcome = "over", outcome

    def wait(self, phase: Phase, verb: Verb) -> None:
        """End the step in a verb whose answer is awaited in `phase`."""
        self.verbs.append(verb)
        self.state.phase = phase


def office_of(config: Company, target: Target) -> int | None:
    """The id of the office that a target is in."""
    if target.type == "office":
        return target.id
    if (line := config.lines.get(target)) is not None:
        return line.office_id
    found: Person | None = config.people.get(f"{target.type}:{target.id}")
    if found is not None:
        return found.office_id
    if target.type == "callrouter" and (router := config.routers.get(target.id)) is not None:
        return router.office_id
    if target.type in TEAMS and (team := config.teams.get(target.id)) is not None:
        return team.office_id
    return None


MISSED = {
    "busy": "was busy",
    "declined": "declined",
    "unreachable": "could not be reached",
    "no_answer": "did not answer",
}
"""Why a telephone was not answered, in words."""

TEAMS = ("coachinggroup", "coachingteam")


def prompt(prompts: Prompts, purpose: str, text: str) -> Prompt:
    """The recording for a purpose, or `text` where there is none."""
    return Prompt(text, purpose, prompts.get(purpose, ""))


def name_of(config: Company, target: Target) -> str:
    """What people call a target."""
    if (line := config.lines.get(target)) is not None:
        return line.name
    if (person := config.people.get(f"{target.type}:{target.id}")) is not None:
        return person.name
    if target.type == "callrouter" and (router := config.routers.get(target.id)) is not None:
        return router.name
    if target.type == "contact" and (contact := config.contacts.get(target.id)) is not None:
        return contact.name
    if target.type in TEAMS and (team := config.teams.get(target.id)) is not None:
        return team.name
    if target.type == "channel" and target.id in config.channels:
        return config.channels[target.id]
    return f"{target.type} {target.id}"


def name_of_who(config: Company, who: str) -> str:
    """What people call "user:1", or a number."""
    kind, _, id = who.partition(":")
    return name_of(config, Target(kind, int(id))) if id.isdecimal() else who


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 operator", "2 operators"."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def listed(names: list[str], most: int = 5) -> str:
    """ "Ana, Bob and Carol"; of more than `most`, the first and how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "") if part)
