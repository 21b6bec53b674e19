"""All of an office replaced at once: what is taken from the body, what stays as it was, and what is said of both."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from offhook.billing.model import Plan
from offhook.billing.rules import committed_until, next_billing
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Notice, Violation
from offhook.kit.wire import fit
from offhook.offices import render, rules, store, wire
from offhook.offices.create import Company
from offhook.offices.model import Office, Stored
from offhook.storage.database import Transaction


def replaced(
    tx: Transaction,
    company: Company,
    at: datetime,
    body: wire.OfficeIn,
    before: tuple[Stored, Plan],
    notices: list[Notice],
) -> tuple[Stored, Plan]:
    """What an office and its plan become by `body`, a `wire.OfficeReplacement`; Invalid with every violation.

    Numbers and what was done by hand stay; Conflict if the primary office is to have another currency than others.
    """
    stored, plan = before
    home = company.home
    if stored.is_primary and home is not None:
        found = store.primary(tx, stored.tenant_id)
        if body.currency != home.currency and found is not None and found[2] > 1:
            raise Conflict(
                "The primary office's currency stays while the company has other offices: their charges may go "
                "on its invoice.",
                [Violation(location="currency", reason="conflict", message="Stays.", sent=body.currency)],
            )
        home = rules.Home(stored.id, stored.office.timezone, body.currency)
    _warn_of_read_only(body, stored, plan, at, notices)
    about: list[Notice] = []
    office = _with_numbers(body, home, stored.office, about)
    known = _said_before(stored, plan, home, at) if wire.is_as_read(body) else []
    notices += [one for one in about if one not in known and not _is_unchanged(one, body, stored.office)]
    office = _with_older_pair(office, body, stored.office)
    office = msgspec.structs.replace(office, by_hand=stored.office.by_hand, script=stored.office.script)
    invoice = home.office_id if home is not None else stored.id
    return msgspec.structs.replace(stored, office=office), _plan(office, stored.id, invoice, company, plan, at, notices)


def _said_before(before: Stored, plan: Plan, home: rules.Home | None, at: datetime) -> list[Notice]:
    """What the rules say of the office as it was read: whoever sends that back is not told it again."""
    shown_now = msgspec.json.decode(render.record_json(before, plan, at))["office"]
    said: list[Notice] = []
    try:
        rules.check(fit(wire.as_created(shown_now, []), wire.OfficeReplacement, []), home, said)
    except Invalid:
        # By rules that have changed since: then all is said.
        return []
    return said


def _is_unchanged(notice: Notice, body: wire.OfficeIn, before: Office) -> bool:
    """Whether it is about the older form of the routing, which was only sent back as it had been read."""
    return notice.code == "routing_options_win" and getattr(body, notice.field) == getattr(before, notice.field)


def _with_older_pair(office: Office, body: wire.OfficeIn, before: Office) -> Office:
    """The office with the older form of its routing as it was, where the routing itself is."""
    if body.routing_options is None or office.open != before.open:
        return office
    return msgspec.structs.replace(
        office, first_action=before.first_action, no_operators_action=before.no_operators_action
    )


def _with_numbers(body: wire.OfficeIn, home: rules.Home | None, before: Office, notices: list[Notice]) -> Office:
    """The office of the body, with its numbers: a main line that is not sent stays, an empty one is given up."""
    main = before.mainline_number
    if body.mainline_number is None and main is not None:
        body = msgspec.structs.replace(body, mainline_number=main)
        text = f"Not sent: {main} stays the main line. Send null to give it up."
        notices.append(Notice("main_line_kept", "mainline_number", text))
    office = rules.check(body, home, notices)
    others = tuple(one for one in before.phone_numbers if one not in (main, office.mainline_number))
    has = (*office.phone_numbers, *others)
    if office.mainline_number is None and has:
        notices[:] = [notice for notice in notices if notice.code != "no_number"]
        text = f"{has[0]} is the main line now, the next of the office's numbers."
        notices.append(Notice("main_line_moved", "mainline_number", text))
    if main is not None and main not in has:
        notices.append(Notice("main_line_freed", "mainline_number", f"{main} is free again."))
    return msgspec.structs.replace(office, mainline_number=has[0] if has else None, phone_numbers=has)


def _plan(
    office: Office, id: int, invoice: int, company: Company, plan: Plan, at: datetime, notices: list[Notice]
) -> Plan:
    """The plan by new terms; what was agreed on for a time stays so until then."""
    terms = office.terms(id, invoice, company.anchor_day)
    period_stays = (terms.plan_period, terms.annual_commit_monthly_billing) == (
        plan.terms.plan_period,
        plan.terms.annual_commit_monthly_billing,
    )
    if period_stays:
        terms = msgspec.structs.replace(terms, committed_until=plan.terms.committed_until)
        return msgspec.structs.replace(plan, terms=terms)
    bound = committed_until(at, terms)
    until = clock.milliseconds(bound) if bound else 0
    agreed = plan.terms.committed_until or 0
    if agreed > max(until, clock.milliseconds(at)):
        day = datetime.fromtimestamp(agreed / 1000, UTC).date().isoformat()
        text = f"The office stays committed until {day}, as was agreed before."
        notices.append(Notice("commitment_kept", "plan_period", text, ("annual_commit_monthly_billing",)))
        until = agreed
    terms = msgspec.structs.replace(terms, committed_until=until or None)
    return msgspec.structs.replace(plan, terms=terms, next_billing_at=clock.milliseconds(next_billing(at, terms)))


def warn_of_namesake(tx: Transaction, tenant_id: int, office_id: int, name: str, notices: list[Notice]) -> None:
    """Warn if an office is to get the name that another has. Names have no index: this is none of a create's."""
    before, name = store.get(tx, tenant_id, office_id), name.strip()
    if before is not None and before.office.name == name:
        return
    if (other := store.named(tx, tenant_id, name)) is not None:
        text = f"The office {other} is called so, too: lists and files can tell them apart by their ids only."
        notices.append(Notice("name_in_use", "name", text))


def _warn_of_read_only(body: msgspec.Struct, before: Stored, plan: Plan, at: datetime, notices: list[Notice]) -> None:
    """Warn of each field that is only shown and was sent otherwise than it is."""
    shown_now = msgspec.json.decode(render.record_json(before, plan, at))["office"]
    sent_whole = msgspec.to_builtins(body)
    for path, way in wire.READ_ONLY.items():
        sent, now = _at(sent_whole, path), _at(shown_now, path)
        if type(sent) is int:
            sent = str(sent)
        if sent is not None and (sent or None) != (now or None):
            text = f"Is only shown here, so what was sent was ignored. {way}"
            notices.append(Notice("read_only", path, text.strip()))


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
