"""Decides what is done about schedules whose moment has come. One process decides each moment, in one transaction with
the next moment, the starts and the events; what was decided is carried out by starting.py.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from offhook.catalog.keeping import iso
from offhook.events import store as outbox
from offhook.events.model import Event, Word
from offhook.kit import clock
from offhook.kit.zones import zone
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept
from offhook.workflows.triggers import rules, store
from offhook.workflows.triggers.cron import Cron, CronError
from offhook.workflows.triggers.model import Planned, Ran, Schedule
from offhook.workflows.triggers.rules import Plan
from offhook.workflows.triggers.starting import event
from offhook.workflows.triggers.store import Due

AT_ONCE = 200
MOST_INPUT = 1_000_000
"""How large a run's input may be that was made from a template, counted as JSON."""

Going = Callable[[Transaction, int, int], bool]
"""Whether a company's run is not over."""

log = structlog.get_logger("offhook.workflows")


class _Decision(msgspec.Struct):
    due: Due
    schedule: Schedule | None
    plan: Plan = Plan()
    starts: list[Planned] = []
    fault: str = ""


class Timing:
    """The schedules of all companies."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        *,
        going: Going = store.going,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._writer, self._reader, self._going, self._wall = writer, reader, going, wall

    async def decide(self) -> int:
        """Decide about all whose moment has come; how many there were."""
        count = 0
        while True:
            now = int(self._wall() * 1000)
            found = await self._reader.run(lambda tx, now=now: _due(tx, now))  # type: ignore[misc]
            if not found:
                return count
            count += len(found)
            decisions = await asyncio.to_thread(_all_decided, found, now)
            await self._writer.aside(lambda tx, now=now, found=decisions: self._keep(tx, found, now))  # type: ignore[misc]

    def _keep(self, tx: Transaction, decisions: list[_Decision], now: int) -> None:
        for one in decisions:
            if one.schedule is None:
                store.drop_timer(tx, one.due.tenant_id, one.due.id)
            elif store.move_timer(tx, one.due, one.plan.next):
                self._keep_one(tx, one, one.schedule, now)

    def _keep_one(self, tx: Transaction, one: _Decision, schedule: Schedule, now: int) -> None:
        tenant_id, id, plan, told = one.due.tenant_id, one.due.id, one.plan, list[Event]()

        def tell(word: Word, ran: Ran, **more: Any) -> None:
            store.told(tx, tenant_id, id, ran)
            about = {"name": schedule.name, "moment": iso(ran.moment), **more, "why": ran.why}
            told.append(event(tenant_id, word, id, now, about))

        if one.fault:
            tell(Word.WORKFLOW_SCHEDULE_FAILED, Ran(outcome="failed", moment=one.due.due, why=one.fault))
        if plan.missed:
            why = _why_missed(schedule, plan)
            more = {"from": iso(plan.first), "to": iso(plan.last), "count": plan.missed}
            tell(Word.WORKFLOW_SCHEDULE_MISSED, Ran(outcome="missed", moment=plan.last, why=why), **more)
        starts = one.starts
        if starts and schedule.overlap == "skip":
            found = store.timer(tx, tenant_id, id)
            run_id = found.run_id if found is not None else 0
            if store.waits(tx, tenant_id, id) or (run_id and self._going(tx, tenant_id, run_id)):
                why = f"The run before ({run_id}) goes on." if run_id else "The start before has not been carried out."
                tell(Word.WORKFLOW_SCHEDULE_SKIPPED, Ran(outcome="skipped", moment=starts[-1].moment, why=why))
                starts = []
        if starts:
            store.put_starts(tx, tenant_id, starts, now)
        if told:
            outbox.append(tx, told)


def _due(tx: Transaction, now: int) -> list[tuple[Due, Kept[Schedule] | None]]:
    return [(one, store.schedules.get(tx, one.tenant_id, one.id)) for one in store.due(tx, now, AT_ONCE)]


def _all_decided(found: list[tuple[Due, Kept[Schedule] | None]], now: int) -> list[_Decision]:
    return [_decided(due, kept, now) for due, kept in found]


def _decided(due: Due, kept: Kept[Schedule] | None, now: int) -> _Decision:
    if kept is None:
        return _Decision(due, None)
    schedule = kept.value
    try:
        # Of several that were missed one is enough where the next would meet the one before.
        missed = "once" if schedule.overlap == "skip" and schedule.missed == "all" else schedule.missed
        plan = rules.plan(cron_of(schedule), due.due, now, missed)
        starts = [_planned(kept, moment, moment in plan.late, now) for moment in plan.run]
    except Exception as error:
        # Others go on, and this one is not tried for ever.
        log.exception("schedule_failed", schedule=str(due.id), tenant=str(due.tenant_id))
        said = error.args[0] if isinstance(error, CronError) else "Something went wrong here; the server's log says it."
        return _Decision(due, schedule, fault=f"It has no next moment any more: {said}")
    fault = "" if plan.next else "It names no moment any more: it is over."
    return _Decision(due, schedule, plan, starts, fault)


def _planned(kept: Kept[Schedule], moment: int, late: bool, now: int) -> Planned:
    one = kept.value
    given, fault = rules.scheduled(one.input, schedule_data(kept, moment, late), MOST_INPUT)
    return Planned(
        key=f"schedule:{kept.id}:{moment}",
        source="schedule",
        source_id=kept.id,
        source_name=one.name,
        workflow=one.workflow,
        version=one.version,
        input=given,
        moment=moment,
        late=late,
        decided=now,
        fault=fault,
    )


def schedule_data(kept: Kept[Schedule], moment: int, late: bool) -> dict[str, Any]:
    """What expressions in a schedule's input see, as `${schedule.moment}`."""
    here = zone(kept.value.zone)
    local = rules.moment_of(moment).astimezone(here).isoformat()
    return {
        "schedule": {
            "id": str(kept.id),
            "name": kept.value.name,
            "moment": iso(moment),
            "local": local,
            "date": local[:10],
            "late": late,
        }
    }


def cron_of(schedule: Schedule) -> Cron:
    """A schedule's expression on the clock of its zone; CronError if the zone is not known any more."""
    here = zone(schedule.zone)
    if here is None:
        raise CronError(f"there is no time zone {schedule.zone}.")
    return Cron(schedule.cron, here)


def _why_missed(schedule: Schedule, plan: Plan) -> str:
    many = f"{plan.missed:,}{' or more' if plan.missed == rules.COUNTED else ''}"
    passed = f"{many} moment{'' if plan.missed == 1 else 's'} passed"
    moments = f"{passed} while nobody looked (no server ran, or its clock was put forward)"
    if schedule.missed == "skip":
        return f"{moments}; missed ones are skipped."
    if schedule.missed == "all" and schedule.overlap == "allow":
        return f"{moments} beyond the {rules.MOST_LATE} that are made up for."
    return f"{moments}; one run makes up for all of them."
