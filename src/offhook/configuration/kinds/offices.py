"""Offices in a file. Their update is the replacement of the whole, as there is no narrower one for most fields."""

from typing import TYPE_CHECKING, Any

import msgspec

from offhook.billing import store as plans
from offhook.billing.model import LINES
from offhook.configuration.kind import Field, Item, Kind, Special, Wanted, as_it_is, each
from offhook.configuration.kinds.numbers import HOLDS, NUMBERS_HELD, normal_number
from offhook.configuration.kinds.operators import operators
from offhook.configuration.kinds.parts import (
    EMERGENCY_ADDRESS,
    HOURS,
    NAME,
    PAGE,
    day_text,
    mapping,
    normal_day,
    routing,
    send_day,
    shows,
)
from offhook.configuration.kinds.scripts import script
from offhook.configuration.names import Names
from offhook.directory.lines.rules import RING_SECONDS, STRATEGY
from offhook.hours.rules import format_day
from offhook.kit.errors import Invalid, Violation, shown
from offhook.offices import store
from offhook.offices.model import Office, Stored
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

_BILLING_ADDRESS = mapping(
    "address_line_1", "address_line_2", "city", "region", "postal_code", "country", upper=("country",)
)


class _Value(msgspec.Struct):
    """An office with its days and the lines of its plan, as fields are read from it."""

    stored: Stored
    office: Office
    lines: dict[str, int]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.office, name)


def load(tx: Transaction, tenant_id: int) -> list[Item]:
    """All offices of a company."""
    found: list[Stored] = []
    while page := store.page(tx, tenant_id, found[-1].id if found else 0, PAGE, False):
        found += page
    items = []
    for one in found:
        plan = plans.plan(tx, tenant_id, one.id)
        value = _Value(one, one.office, plan.lines if plan is not None else {})
        items.append(Item(one.id, one.office.name, value, tenant_id=tenant_id))
    return items


# Lines of the plan. They are bought, and there is no way to give them back.


def _shows_lines(_tx: Transaction, item: Item, _names: Names) -> dict[str, int] | None:
    return {line: count for line in LINES if (count := item.value.lines.get(line, 0))} or None


def _normal_lines(value: Any) -> dict[str, Any] | None:
    found: dict[str, Any] = mapping(*LINES)(value)
    return {line: int(count) if str(count).isdigit() else count for line, count in found.items()} or None


def _buy(run: "Run", wanted: Wanted) -> None:
    before = wanted.record.fields["licences"] or {} if wanted.record is not None else {}
    found: list[Violation] = []
    more: dict[str, Any] = {}
    for line, count in (wanted.given["licences"] or {}).items():
        had = before.get(line, 0)
        if not isinstance(count, int):
            text = "Must be a whole number of lines."
            found.append(Violation(location=f"licences.{line}", message=text, sent=shown(count)))
        elif count < had:
            text = f"The office has {had}; lines that were bought cannot be given back here."
            found.append(Violation(location=f"licences.{line}", reason="conflict", message=text, sent=str(count)))
        elif count > had:
            more[line] = count - had
    if found:
        raise Invalid.of(found)
    if more:
        run.do("offhook.licences.buy", params={"id": wanted.id}, body=more, under="licences")


# Special days: by date, an entry, or several where a date has both kinds.

_DAY = ("name", "kind", "hours", "repeats_yearly")


def _shows_days(_tx: Transaction, item: Item, _names: Names) -> Any:
    found: dict[str, Any] = {}
    for day in item.value.stored.days:
        entry: dict[str, Any] = {"name": day.name}
        if day.kind != "override":
            entry["kind"] = day.kind
        if day.periods:
            entry["hours"] = day_text(format_day(day.periods))
        if day.repeats_yearly:
            entry["repeats_yearly"] = True
        found.setdefault(day.date.isoformat(), []).append(entry)
    return {date: entries[0] if len(entries) == 1 else entries for date, entries in sorted(found.items())} or None


def _normal_days(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError("Must be a mapping of dates, as 2026-12-24: {name: Christmas Eve, hours: 09:00-12:00}.")
    found: dict[str, Any] = {}
    for date, entries in value.items():
        listed = [_normal_entry(entry) for entry in (entries if isinstance(entries, list) else [entries])]
        listed.sort(key=lambda entry: str(entry.get("kind", "override")))
        found[date] = listed[0] if len(listed) == 1 else listed
    return dict(sorted(found.items())) or None


def _normal_entry(entry: Any) -> dict[str, Any]:
    normal = mapping(*_DAY)(entry if isinstance(entry, dict) else {"name": entry})
    if normal.get("kind") == "override":
        del normal["kind"]
    if "hours" in normal and (hours := normal_day(normal.pop("hours"))) != "closed":
        normal["hours"] = hours
    if normal.get("repeats_yearly") is False:
        del normal["repeats_yearly"]
    return {name: normal[name] for name in _DAY if name in normal}


def _entries(days: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Days by date and kind."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for date, entries in (days or {}).items():
        for entry in entries if isinstance(entries, list) else [entries]:
            found[date, str(entry.get("kind", "override"))] = entry
    return found


def _set_days(run: "Run", wanted: Wanted) -> None:
    after = _entries(wanted.given["special_days"])
    before = _entries(wanted.record.fields["special_days"]) if wanted.record is not None else {}
    for date, kind in before.keys() - after.keys():
        run.do("offhook.offices.days.delete", params={"id": wanted.id, "date": date}, query={"kind": kind})
    changed = [(date, entry) for (date, kind), entry in after.items() if before.get((date, kind)) != entry]
    for start in range(0, len(changed), 400):
        part = changed[start : start + 400]
        days = []
        for date, entry in part:
            sent = {"date": date, **entry}
            if "hours" in entry:
                sent["hours"] = send_day(run, entry["hours"], "")
            days.append(sent)
        try:
            run.do("offhook.offices.days.set", params={"id": wanted.id}, body={"days": days})
        except Invalid as invalid:
            raise Invalid.of([_dated(one, [date for date, _ in part]) for one in invalid.violations]) from None


def _dated(violation: Violation, dates: list[str]) -> Violation:
    """A fault of `days[3].name` as one of its date."""
    index, _, rest = violation.location.removeprefix("days[").partition("]")
    if not index.isdigit() or int(index) >= len(dates):
        return violation
    return msgspec.structs.replace(violation, location=f"special_days.{dates[int(index)]}{rest}")


def _main_line(run: "Run", value: list[str], _place: str) -> str | None:
    """The main line: a new office's first number; another office's own, as numbers change hands behind this."""
    id = run.here.id
    if not id:
        if value:
            run.wait_for("number", value[0])
        return value[0] if value else None
    stored = store.get(run.tx, run.tenant_id, id)
    return stored.office.mainline_number if stored is not None else None


_OPERATORS, _SET_OPERATORS = operators("office")
_SCRIPT, _SET_SCRIPT = script("offices")

OFFICES = Kind(
    section="offices",
    type="office",
    fields=(
        NAME,
        Field("country", required=True),
        Field("timezone"),
        Field("group_description", show=shows(lambda one: one.group_description)),
        Field(
            "phone_numbers",
            show=shows(lambda one: one.phone_numbers),
            normal=each(normal_number),
            wire="mainline_number",
            send=_main_line,
        ),
        *HOURS,
        _OPERATORS,
        Field("special_days", show=_shows_days, normal=_normal_days, wire=""),
        Field("ring_seconds", RING_SECONDS, normal=as_it_is),
        *routing(STRATEGY),
        _SCRIPT,
        Field("licences", show=_shows_lines, normal=_normal_lines, wire="", required=True),
        Field("currency", required=True),
        Field("plan_period", required=True),
        Field("unified_billing", normal=as_it_is, required=True),
        Field("invoiced", normal=as_it_is, required=True),
        Field("annual_commit_monthly_billing", normal=as_it_is, required=True),
        Field(
            "billing_address",
            show=shows(lambda one: one.billing_address, _BILLING_ADDRESS),
            normal=_BILLING_ADDRESS,
            required=True,
        ),
        Field(
            "billing_contact",
            show=shows(lambda one: one.billing_contact),
            normal=mapping("name", "email", "phone"),
        ),
        Field("use_same_address", False, normal=as_it_is),
        Field(
            "e911_address",
            show=shows(lambda one: None if one.use_same_address else one.e911_address, EMERGENCY_ADDRESS),
            normal=EMERGENCY_ADDRESS,
        ),
        Field("international_enabled", False, normal=as_it_is),
        Field("auto_call_recording", False, normal=as_it_is),
        Field("voice_intelligence.auto_start", True, show=shows(lambda one: one.auto_start_vi), normal=as_it_is),
        Field("voice_intelligence.allow_pause", True, show=shows(lambda one: one.allow_pause_vi), normal=as_it_is),
    ),
    load=load,
    create="offices.create",
    update="offhook.offices.replace",
    delete="offhook.offices.delete",
    made=lambda _run, answer: int(answer["office"]["id"]),
    whole=True,
    specials=(
        Special(("licences",), _buy, early=True),
        HOLDS,
        _SET_OPERATORS,
        _SET_SCRIPT,
        Special(("special_days",), _set_days),
    ),
    uniques=(NUMBERS_HELD,),
)
