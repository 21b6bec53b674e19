"""The create, the hot path: rules asked and rows laid out on the event loop, so that the writer only hands them over.

An answer is made here too, before its transaction, and leaves after that is committed. Nothing here waits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from offhook.access import idempotency
from offhook.access import store as access_store
from offhook.access.idempotency import Claim, Outcome
from offhook.billing import store as plans
from offhook.billing.model import Plan
from offhook.billing.rules import committed_until, next_billing
from offhook.billing.wire import plan_out
from offhook.directory import loops, pointers
from offhook.directory import targets as directory
from offhook.directory.lines.model import Target
from offhook.directory.operators import service as members
from offhook.directory.operators import store as operators
from offhook.directory.operators.rules import Joining
from offhook.events import store as events
from offhook.events.model import Actor, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Notice
from offhook.kit.ids import Ids
from offhook.kit.operation import Call
from offhook.kit.wire import encode
from offhook.numbers import service as numbers
from offhook.offices import render, rules, store, wire
from offhook.offices.model import Office, Stored
from offhook.offices.snapshots import snapshot
from offhook.storage.database import Transaction


class Stale(Exception):
    """The primary office changed between the rules and the transaction; the rules must be asked again."""


@dataclass(frozen=True, slots=True)
class Company:
    """What a create needs to know of its company. `home` is None until there is a primary office."""

    home: rules.Home | None
    anchor_day: int


class NewOffice(msgspec.Struct, frozen=True):
    """A create, ready for the store: its rows, and the answer that they allow."""

    stored: Stored
    office_row: tuple[Any, ...]
    plan_row: tuple[Any, ...]
    event: Event
    actor: Actor
    home: rules.Home | None
    claim: Claim | None
    outcome: Outcome
    joining: tuple[Joining, ...] = ()
    seqs: tuple[int, ...] = ()

    def run(self, tx: Transaction) -> Outcome:
        """Create, or give the first answer again."""
        if self.claim is not None and (first := idempotency.replay(tx, self.claim)) is not None:
            return first
        return self.run_many(tx, [self])[0]

    @classmethod
    def run_many(cls, tx: Transaction, units: "Sequence[NewOffice]") -> list[Outcome]:
        """Create many in few statements. A key used before breaks a unique index, and so the batch, by design."""
        counts: dict[int, int] = {}
        for unit in units:
            counts[unit.stored.tenant_id] = counts.get(unit.stored.tenant_id, 0) + 1
        primaries = {tenant: store.primary(tx, tenant) for tenant in counts}
        for unit in units:
            refuse_stale(primaries[unit.stored.tenant_id], unit.home)
        store.insert_rows(tx, [unit.office_row for unit in units])
        plans.insert(tx, [unit.plan_row for unit in units])
        events.append(tx, [unit.event for unit in units])
        if answers := [(unit.claim, unit.outcome) for unit in units if unit.claim is not None]:
            idempotency.keep(tx, answers)
        for tenant, more in counts.items():
            if primaries[tenant] is not None:
                store.count(tx, tenant, more)
        for unit in units:
            unit._bind(tx)
        return [unit.outcome for unit in units]

    def _bind(self, tx: Transaction) -> None:
        """Claim its number, hold on to its targets, become the primary office: what only some creates do."""
        stored, office = self.stored, self.stored.office
        if stored.is_primary:
            store.insert_primary(tx, [(stored.tenant_id, stored.id, stored.version, 1)])
        if office.mainline_number is not None or self.joining or office.targets():
            check_bindings(tx, stored.tenant_id, office.mainline_number, office.targets(), self.joining)
        if self.joining:
            self._join(tx)
        if office.mainline_number is not None:
            claim_number(tx, stored, office.mainline_number, self.actor, self.event.at, self.event.request_id)
        pointers.note(tx, stored.tenant_id, Target("office", stored.id), office.targets())

    def _join(self, tx: Transaction) -> None:
        """Make its first operators its operators, in the order in which they were sent."""
        group = Target("office", self.stored.id)
        joined = [
            members.operator(self.stored.tenant_id, group, one, seq)
            for one, seq in zip(self.joining, self.seqs, strict=True)
        ]
        operators.add(tx, joined)
        at, request_id = self.event.at, self.event.request_id
        events.append(
            tx, [members.event(Word.OPERATOR_ADDED, (None, one), self.actor, at, request_id) for one in joined]
        )


def refuse_stale(found: tuple[int, int, int] | None, home: rules.Home | None) -> None:
    """Stale if the primary office that the rules were asked about is not as the store has it."""
    if (home is None) != (found is None) or (home and found and (home.office_id, home.version) != found[:2]):
        raise Stale


def claim_number(tx: Transaction, stored: Stored, number: str, actor: Actor, at: int, request_id: str) -> None:
    """Make a free number the office's."""
    by = numbers.By(actor, at, request_id)
    # The main line is included in the plan: it uses no line.
    numbers.claim(
        tx, stored.tenant_id, number, ("office", stored.id), by, office_id=stored.id, location="mainline_number"
    )


def check_bindings(
    tx: Transaction,
    tenant_id: int,
    number: str | None,
    targets: Sequence[tuple[str, Target]],
    joining: Sequence[Joining] = (),
) -> None:
    """Invalid naming the number and every target and operator that the company does not have or that takes no calls,
    Conflict if the number is taken.
    """
    missing = [
        wrong
        for place, target in targets
        if (wrong := directory.fault(tx, tenant_id, place, target, store.card)) is not None
    ]
    if joining:
        missing += members.faults(tx, tenant_id, joining)
    try:
        if number is not None:
            numbers.check_free(tx, tenant_id, number, "mainline_number")
    except Invalid as invalid:
        missing = [*invalid.violations, *missing]
    except Conflict:
        if not missing:
            raise
    if missing:
        raise Invalid.of(missing)


def warn_of_targets(tx: Transaction, stored: Stored, notices: list[Notice]) -> None:
    """Warn if a call to the office can come back to where it was, or reach nobody."""
    owner, pointed = Target("office", stored.id), stored.office.targets()
    loops.warn_of_loop(tx, stored.tenant_id, owner, stored.office.name, pointed, store.card, notices)
    directory.warn_of_unreachable(tx, stored.tenant_id, pointed, notices)


def read_company(tx: Transaction, tenant_id: int, company_id: int) -> Company:
    """What creates need of a company, as committed."""
    company = access_store.company(tx, company_id)
    found = store.primary(tx, tenant_id)
    home = None
    if found is not None and (stored := store.get(tx, tenant_id, found[0])) is not None:
        home = rules.Home(stored.id, stored.office.timezone, stored.office.currency, found[1])
    return Company(home, company.anchor_day if company else 1)


def plan_of(stored: Stored, new: NewOffice) -> Plan:
    """The plan of an office that is about to be made."""
    return Plan(office_id=stored.id, terms=plans.decode_terms(new.plan_row[2]), next_billing_at=new.plan_row[3])


Advise = Callable[[Office], Sequence[Notice]]
"""What else there is to say of an office, by those who know what becomes of its calls."""


def nothing_to_say(_office: Office) -> Sequence[Notice]:
    """The advice where nobody gives any."""
    return ()


def add_advice(notices: list[Notice], advice: Sequence[Notice]) -> None:
    """Add what the rules have not said already."""
    said = {one.code for one in notices}
    notices += [one for one in advice if one.code not in said]


def prepare(
    ids: Ids,
    call: Call,
    company: Company,
    notices: list[Notice],
    claim: Claim | None,
    *,
    primary: bool = False,
    advise: Advise = nothing_to_say,
) -> NewOffice:
    """Ask the rules and lay out the rows of a create; Invalid with every violation. `advise` may warn of more.

    The office gets its id here, and its answer is made here, so that the transaction has nothing left to compute.
    """
    at = clock.now()
    milliseconds = clock.milliseconds(at)
    office = rules.check(call.body, company.home, notices)
    add_advice(notices, advise(office))
    joining = () if call.body.operators is None else tuple(rules.operators(call.body, []))
    principal = call.principal
    stored = Stored(
        id=ids.new(),
        tenant_id=principal.tenant_id,
        state="active",
        is_primary=primary,
        version=1,
        created_at=milliseconds,
        updated_at=milliseconds,
        office=office,
    )
    plan = new_plan(stored, company, at)
    document = encode(office).decode()
    answer = wire.OfficeAndPlan(office=render.office_out(stored, at), plan=plan_out(plan))
    actor = Actor.of(principal)
    event = Event(
        tenant_id=principal.tenant_id,
        word=Word.OFFICE_CREATED,
        subject_id=str(stored.id),
        actor=actor,
        at=milliseconds,
        request_id=call.request_id,
        after=snapshot(stored, plan, document),
    )
    return NewOffice(
        stored,
        store.row(stored, document),
        plans.row(principal.tenant_id, plan),
        event,
        actor,
        company.home,
        claim,
        Outcome(encode(answer), tuple(notices)),
        joining,
        tuple([ids.new() for _ in joining]) if joining else (),
    )


def new_plan(stored: Stored, company: Company, at: datetime) -> Plan:
    """The plan that a new office starts with."""
    invoice = company.home.office_id if company.home is not None else stored.id
    terms = stored.office.terms(stored.id, invoice, company.anchor_day)
    bound = committed_until(at, terms)
    if bound is not None:
        terms = msgspec.structs.replace(terms, committed_until=clock.milliseconds(bound))
    return Plan(office_id=stored.id, terms=terms, next_billing_at=clock.milliseconds(next_billing(at, terms)))
