"""Scenarios as files: a company, a call, and what must be seen of it. Nothing here knows how the call is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from offhook.configuration import text

FOLDER = Path(__file__).parent


class Wrong(Exception):
    """A file that is no scenario; says where."""


class Deed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What somebody does before the call, of what is no configuration: one of these.

    `by_hand` names a line that is closed or opened; `do_not_disturb` a user; `off_duty` an operator of a call center.
    """

    by_hand: str | None = None
    status: Literal["open", "closed"] = "closed"
    reason: str = "It was asked for"
    do_not_disturb: str | None = None
    off_duty: str | None = None


class Sends(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who sends the call on, once they talk, by dialling what; a telephone of theirs does it."""

    by: str
    to: str | int


class Call(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename={"caller": "from"}):
    """Who calls what, when on the clock of the head office, and what everybody does. Times are seconds.

    The first talk is parked after `park` seconds, and taken off by those of `unpark`, each after so many more.
    `caller` is a number, or the e-mail address of a user. `to` is a number, or what is called by its kind and name.
    """

    to: str | int
    at: str
    caller: str = "+12125550123"
    press: list[str | int] = []
    answer: Literal["nobody", "everybody"] | dict[str, int] = "nobody"
    busy: dict[str, int | Literal["always"]] = {}
    declines: list[str] = []
    routers: dict[str, str] = {}
    transfers: list[Sends] = []
    hang_up: int | None = None
    park: int | None = None
    unpark: dict[str, int] = {}


class Expect(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What must be seen. `rings` are those who ring at once, in turn; `heard` parts of prompts, in their order.

    `ends_in` is an e-mail address, "voicemail of " and what, "outside " and a number, or how the call ended. `reasons`
    must be among those of the call. What is not said is not looked at.
    """

    ends_in: str
    rings: list[list[str]] | None = None
    in_any_order: bool = False
    heard: list[str] = []
    answered_by: str | None = None
    reasons: list[str] = []


class Scenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A file."""

    title: str
    company: dict[str, Any]
    call: Call
    expect: Expect
    before: list[Deed] = []


@dataclass(frozen=True)
class File:
    """A scenario, and where in its file each part of it stands."""

    name: str
    scenario: Scenario
    text: text.Text

    def at(self, path: str) -> str:
        """A place of the file: its line, its column, the path."""
        return _place(self.name, self.text, path)


def _place(name: str, found: text.Text, path: str) -> str:
    at = found.where(path)
    return f"{name}, line {at[0]}, column {at[1]}: {path}" if at else f"{name}: {path or '(the whole)'}"


def read(raw: bytes, name: str) -> File:
    """The scenario of a file; Wrong with its place if it is none."""
    try:
        found = text.read(raw)
    except Exception as fault:
        places = "; ".join(f"{one.location}: {one.message}" for one in getattr(fault, "violations", ()))
        raise Wrong(f"{name}: {places or fault}") from None
    try:
        scenario = msgspec.convert(found.value, Scenario)
    except msgspec.ValidationError as fault:
        said, _, path = str(fault).partition(" - at `")
        path = path.removesuffix("`").removeprefix("$").lstrip(".").replace("[...]", "")
        raise Wrong(f"{_place(name, found, path)}: {said}") from None
    deeds = [(number, one) for number, one in enumerate(scenario.before)]
    for number, one in deeds:
        if sum(what is not None for what in (one.by_hand, one.do_not_disturb, one.off_duty)) != 1:
            raise Wrong(f"{_place(name, found, f'before[{number}]')}: One of by_hand, do_not_disturb, off_duty")
    return File(name, scenario, found)


def files() -> list[Path]:
    """All scenarios."""
    return sorted(FOLDER.glob("*.yaml"))
