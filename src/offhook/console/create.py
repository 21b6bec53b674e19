"""The form that creates an office: the API's own dry run at every look, the create itself once its warnings were seen.

Without a script every button sends the form and gets it back; with one the same answers are fetched and put in place.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from offhook.console import forms, words
from offhook.console.frame import Answer, redirect
from offhook.console.inside import Asked
from offhook.console.visit import Visit
from offhook.hours.model import DAYS
from offhook.kit.countries import COUNTRY_NAMES
from offhook.kit.errors import Notice, Violation

OFFICES = "/api/v2/offices"
HERE = "/console/offices/new"
FREE_NUMBERS = 20


class Group(NamedTuple):
    """A part of the form: a heading, and field paths, which may be lists of rows."""

    title: str
    paths: tuple[str, ...]
    about: str = ""


def _inside(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


_STATE = "try_dial_operators operator_routing action action_target_type action_target_id dtmf"


LAYOUT = (
    Group("The office", ("name", "country", "timezone", "mainline_number", "group_description")),
    Group(
        "Opening hours",
        ("hours_on", *(f"{day}_hours" for day in DAYS)),
        "From and to, as 09:00-12:30, 14:00-18:00. A night may run past midnight: 22:00-06:00. Empty is closed.",
    ),
    Group("Ringing", ("ring_seconds",)),
    Group("Calls while open", _inside("routing_options.open", _STATE)),
    Group("Calls while closed", _inside("routing_options.closed", _STATE)),
    Group("Operators", ("operators",), "People and rooms can also be added once the office is there."),
    Group(
        "Emergency address",
        ("use_same_address", *_inside("e911_address", "address address2 city state zip country")),
    ),
    Group(
        "Billing",
        ("currency", "plan_period", "annual_commit_monthly_billing", "unified_billing", "invoiced"),
    ),
    Group(
        "Billing address",
        _inside("billing_address", "address_line_1 address_line_2 city region postal_code country"),
    ),
    Group("Billing contact", _inside("billing_contact", "name email phone"), "May be left out as a whole."),
    Group(
        "Recording and transcription",
        (
            "auto_call_recording", "voice_intelligence.auto_start", "voice_intelligence.allow_pause",
            "international_enabled",
        ),
    ),
)  # fmt: skip
LEFT_OUT = frozenset({"first_action", "no_operators_action"})
"""The older form of what the routing's inputs say."""

LABELS = {
    "timezone": "Time zone",
    "mainline_number": "Main line",
    "group_description": "What it is for",
    "hours_on": "Keep these hours",
    "ring_seconds": "Seconds to ring",
    "try_dial_operators": "Ring the operators first",
    "operator_routing": "Order of ringing",
    "action": "Then",
    "action_target_type": "Kind of target",
    "action_target_id": "Id of the target",
    "dtmf": "Menu keys",
    "input": "Key",
    "options.action": "Does",
    "options.action_target_type": "Kind of target",
    "options.action_target_id": "Id of the target",
    "operator_id": "Id",
    "operator_type": "Kind",
    "use_same_address": "The same as the billing address",
    "address2": "Address, second line",
    "zip": "Postal code",
    "state": "State or province",
    "plan_period": "Billed",
    "annual_commit_monthly_billing": "Committed for a year",
    "unified_billing": "On the primary office's invoice",
    "invoiced": "Paid by invoice",
    "auto_call_recording": "Record calls",
    "auto_start": "Transcribe calls by itself",
    "allow_pause": "Transcription may be paused",
    "international_enabled": "Calls abroad",
    "email": "E-mail",
}
BLANK: Mapping[str, Any] = {
    "hours_on": True,
    **{f"{day}_hours": ["08:00", "18:00"] for day in DAYS[:5]},
    "plan_period": "monthly",
    "invoiced": True,
    "ring_seconds": 30,
    "routing_options": {
        "open": {"try_dial_operators": True, "operator_routing": "simultaneous", "action": "voicemail"},
        "closed": {"try_dial_operators": False, "action": "voicemail"},
    },
    "voice_intelligence": {"auto_start": True, "allow_pause": True},
}
"""What a new form holds: the usual office, all of it said in sight."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An input as the page draws it."""

    input: forms.Input
    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...]
    faults: tuple[Violation, ...]
    required: bool

    @property
    def id(self) -> str:
        return forms.anchor(self.name)

    @property
    def about(self) -> str:
        """What the schema says of it, unless that is no more than its label. Of days the group speaks."""
        if self.input.kind == "hours":
            return ""
        rule = self.input.rule
        if rule:
            rule = "" if rule in self.input.about else f"{rule[:1].upper()}{rule[1:]}."
        said = "" if self.input.about.rstrip(".").casefold() == self.label.casefold() else self.input.about
        return f"{said} {rule}".strip()


@dataclass(frozen=True, slots=True)
class Table:
    """A list of rows as the page draws it."""

    rows: forms.Rows
    label: str
    lines: tuple[tuple[Cell, ...], ...]
    faults: tuple[Violation, ...]

    @property
    def id(self) -> str:
        return forms.anchor(self.rows.path)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the API says of the form as it stands. `seen` stands for its warnings: sent back, they were seen."""

    refusal: str
    violations: tuple[Violation, ...]
    notices: tuple[Notice, ...]
    preview: Mapping[str, Any] | None
    seen: str


class Creating:
    """The pages of a new office."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.shape = forms.shape(document, "OfficeIn")

    async def blank(self, visit: Visit) -> Answer:
        """`GET /console/offices/new`: the form, and nothing said of it yet."""
        form = forms.unfold(self.shape, BLANK)
        return await self._page(visit, form, secrets.token_urlsafe(16), None)

    async def sent(self, visit: Visit) -> Answer:
        """`POST /console/offices/new`: a row more or less, a look, or the office."""
        given = dict(visit.form)
        form = forms.filled(self.shape, visit.form)
        once = given.get("once", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,64}", once):
            once = secrets.token_urlsafe(16)
        verb, _, path = given.get("do", "check").partition(":")
        if verb in ("add", "remove"):
            self._rows(form, verb, path)
            return await self._page(visit, form, once, None)
        body = forms.body(self.shape, form)
        tried = await visit.inside.ask("POST", OFFICES, body=body, headers={"offhook-dry-run": "true"})
        verdict = verdict_of(tried)
        # A form that was sent before may be refused for what it made itself: its main line is taken. The create knows.
        ready = tried.status in (400, 409) or (tried.ok and (not verdict.notices or given.get("seen") == verdict.seen))
        if verb != "create" or not ready:
            create = verb == "create"
            status = tried.status if create else 200
            return await self._page(visit, form, once, verdict, status=status, asked=create)
        made = await visit.inside.ask("POST", OFFICES, body=body, headers={"idempotency-key": once})
        if not made.ok:
            # A form that was sent before and changed since is another office: the next attempt is one of its own.
            again = secrets.token_urlsafe(16) if made.status == 409 else once
            return await self._page(visit, form, again, verdict_of(made), status=made.status, asked=True)
        place = f"/console/offices/{made.document['office']['id']}"
        answer = redirect(f"{place}?made")
        if made.notices:
            answer.headers.append(visit.jar.set(visit.jar.said, visit.seals.say(made.notices), 120, place))
        return answer

    def _rows(self, form: forms.Filled, verb: str, path: str) -> None:
        name, _, index = path.rstrip("]").partition("[")
        if verb == "add" and name in self.shape.rows:
            form.add(name, self.shape.rows[name].most)
        elif name in self.shape.rows and index.isascii() and index.isdigit():
            form.remove(name, int(index[:4]))

    async def _page(
        self,
        visit: Visit,
        form: forms.Filled,
        once: str,
        verdict: Verdict | None,
        *,
        status: int = 200,
        asked: bool = False,
    ) -> Answer:
        free = await visit.inside.ask("GET", "/api/v2/numbers", {"status": "available"})
        numbers = [one["number"] for one in free.document.get("items", ())] if free.ok else []
        drawn = _Drawing(self.shape, form, verdict.violations if verdict else ())
        groups = [(group, [drawn.part(path) for path in group.paths]) for group in LAYOUT]
        return visit.page(
            "create.html", here="new", status=status, groups=groups, once=once, verdict=verdict, asked=asked,
            numbers=numbers[:FREE_NUMBERS], unplaced=drawn.places.get("", []), targets=drawn.targets, url=HERE,
        )  # fmt: skip


def verdict_of(asked: Asked) -> Verdict:
    """What a dry run or a create answered, for the page."""
    notices = tuple(asked.notices)
    seen = hashlib.sha256("\n".join(f"{n.code} {n.field} {n.text}" for n in notices).encode()).hexdigest()[:32]
    if asked.ok:
        return Verdict("", (), notices, _preview(asked.document), seen)
    return Verdict(asked.message, asked.violations, (), None, "")


def _preview(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    office = document.get("office")
    if office is None or "opening_periods" not in document:
        return None
    return {"office": office, "next_change": document.get("next_change"), "plan": document["plan"]}


class _Drawing:
    """The inputs with what stands in them and what is wrong with them."""

    def __init__(self, shape: forms.Shape, form: forms.Filled, violations: Sequence[Violation]) -> None:
        self._shape = shape
        self._form = form
        self._rows = [
            f"{rows.path}[{index}].{one.path}"
            for rows in shape.rows.values()
            for index in range(form.counts.get(rows.path, 0))
            for one in rows.inputs
        ]
        shown = [path for group in LAYOUT for path in group.paths]
        self.places = forms.placed(violations, [*shown, *self._rows])
        self.targets = {one.location: self._place(one) for one in violations}

    def _place(self, violation: Violation) -> str:
        """The id of the element that a violation stands at."""
        found = next((path for path, all_of_it in self.places.items() if violation in all_of_it), "")
        return forms.anchor(found) if found else ""

    def part(self, path: str) -> Cell | Table:
        """What the page draws for a path."""
        if path in self._shape.inputs:
            return self._cell(self._shape.inputs[path], path)
        rows = self._shape.rows[path]
        lines = tuple(
            tuple(self._cell(one, f"{path}[{index}].{one.path}") for one in rows.inputs)
            for index in range(self._form.counts.get(path, 0))
        )
        return Table(rows, _label(path), lines, tuple(self.places.get(path, ())))

    def _cell(self, one: forms.Input, name: str) -> Cell:
        parent = one.path.rpartition(".")[0]
        required = one.required and (name != one.path or parent in self._shape.needed or parent.startswith("routing"))
        choices = tuple((choice, _choice(one, choice)) for choice in one.choices)
        if one.path == "country":
            choices = tuple(sorted(choices, key=lambda pair: pair[1]))
        faults = tuple(self.places.get(name, ()))
        return Cell(one, name, _label(one.path), self._form.values.get(name, ""), choices, faults, required)


def _label(path: str) -> str:
    own = path.rpartition(".")[2]
    if own.endswith("_hours"):
        return own.removesuffix("_hours").capitalize()
    return LABELS.get(path) or LABELS.get(own) or own.replace("_", " ").capitalize()


def _choice(one: forms.Input, choice: str) -> str:
    """A choice in words, with the API's own word for it."""
    if one.path == "country":
        return f"{COUNTRY_NAMES.get(choice, 'No country')} ({choice})"
    told = words.CHOICES.get(choice)
    return f"{choice} – {told}" if told else words.KINDS.get(choice, choice)
