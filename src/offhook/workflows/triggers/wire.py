"""Schedules, triggers and hooks over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from offhook.catalog.keeping import iso
from offhook.kit.operation import WarningOut
from offhook.kit.wire import Int64Text
from offhook.storage.documents import Kept
from offhook.workflows.triggers.model import (
    Heard,
    Hook,
    Language,
    Missed,
    Overlap,
    Passed,
    Planned,
    Proof,
    Ran,
    Schedule,
    Trigger,
)

Meta = msgspec.Meta
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_NAME = Meta(description="What it is called; unique among its kind.", examples=["nightly-check"])
_WORKFLOW = Meta(description="The workflow that it starts, which must be registered.", examples=["check_offices"])
_VERSION = Meta(description="Its version; absent: the latest at each start.")
_PAUSED = Meta(description="Whether it starts nothing for now.")
_CRON = Meta(
    description="When: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, "
    "@yearly. Names (MON, JAN), lists, ranges, steps, L for the last day, FRI#2 for the second Friday.",
    examples=["30 2 * * MON-FRI"],
)
_ZONE = Meta(description="The time zone on whose clock that is read.", examples=["Europe/Lisbon"])


class RanOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of it last."""

    outcome: Annotated[
        Literal["started", "missed", "skipped", "failed"],
        Meta(description="Skipped: the run before went on, or it was stopped. The event log has all of them."),
    ]
    moment: Annotated[str, Meta(description="The moment that it was for; of a trigger, when the event was.")]
    run_id: Int64Text | None = None
    why: str = ""


class PutOffOut(msgspec.Struct, kw_only=True):
    """A start that was decided and could not be carried out yet. It is tried again, for a day."""

    moment: Annotated[str, Meta(description="The moment that it is for; of a trigger, when the event was.")]
    tries: Annotated[int, Meta(description="How often it was tried.")]
    why: Annotated[str, Meta(description="Why it could not be carried out the last time.")]


_PUT_OFF = Meta(description="A start that could not be carried out yet.")


class ScheduleIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A schedule."""

    name: Annotated[str, _NAME]
    workflow: Annotated[str, _WORKFLOW]
    version: Annotated[Number | None, _VERSION] = None
    cron: Annotated[str, _CRON]
    timezone: Annotated[str, _ZONE] = "UTC"
    input: Annotated[
        dict[str, Any],
        Meta(
            description="The run's input. Expressions see the schedule: ${schedule.moment}, .local, .date, .name, .id, "
            ".late.",
            examples=[{"day": "${schedule.date}"}],
        ),
    ] = {}
    missed: Annotated[
        Missed,
        Meta(
            description="What is done about moments that passed while no server ran: skip them, make up for all by one "
            "run for the latest, or run all, of which the latest 100 count."
        ),
    ] = "once"
    overlap: Annotated[
        Overlap, Meta(description="Whether a run may start while the one of the moment before goes on.")
    ] = "allow"
    paused: Annotated[bool, _PAUSED] = False


class ScheduleOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A schedule, its next moment and what became of it last."""

    id: Int64Text
    name: str
    workflow: str
    version: int | None = None
    cron: str
    timezone: str
    input: dict[str, Any]
    missed: Missed
    overlap: Overlap
    paused: bool
    next: Annotated[str | None, Meta(description="The next moment, in UTC; absent while it is paused.")] = None
    next_local: Annotated[str | None, Meta(description="The same on the clock of its zone.")] = None
    last: RanOut | None = None
    put_off: Annotated[PutOffOut | None, _PUT_OFF] = None
    created_by: str
    created_at: str
    updated_at: str


class SchedulePage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of schedules, oldest first."""

    items: list[ScheduleOut]
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class ListQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    workflow: Annotated[str | None, Meta(description="Only those that start this workflow.")] = None


class PreviewQuery(msgspec.Struct, kw_only=True):
    """Of which expression the next moments are wanted."""

    cron: Annotated[str, _CRON]
    timezone: Annotated[str, _ZONE] = "UTC"
    after: Annotated[str | None, Meta(description="Behind which moment (ISO 8601); absent: now.")] = None
    count: Annotated[int, Meta(ge=1, le=100, description="How many.")] = 10


class MomentOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One moment."""

    at: Annotated[str, Meta(description="In UTC.")]
    local: Annotated[str, Meta(description="On the clock of the zone.")]
    note: Annotated[str, Meta(description="What the clock does then, if it is changed.")] = ""


class PreviewOut(msgspec.Struct, kw_only=True):
    """The next moments."""

    items: list[MomentOut]
    notices: list[WarningOut]


class FiredOut(msgspec.Struct, kw_only=True):
    """The run that was started."""

    run_id: Int64Text


class TriggerIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A trigger."""

    name: Annotated[str, _NAME]
    workflow: Annotated[str, _WORKFLOW]
    version: Annotated[Number | None, _VERSION] = None
    events: Annotated[
        list[str],
        Meta(
            description="Which events: as in the event log, or all of a subject, or *.", examples=[["office.created"]]
        ),
    ]
    where: Annotated[
        dict[str, Any],
        Meta(
            description="Fields of the event, as the event log shows it, and the values that they must have.",
            examples=[{"after.office.country": "pt"}],
        ),
    ] = {}
    expression: Annotated[
        str,
        Meta(
            description="A further condition that must give true: JavaScript, which sees $.event, or JSONata.",
            examples=["$.event.after.office.name.startsWith('Lisbon')"],
        ),
    ] = ""
    language: Language = "javascript"
    not_by: Annotated[
        list[str],
        Meta(description="Names of API keys whose changes start nothing: those that the workflow itself uses."),
    ] = []
    input: Annotated[
        dict[str, Any],
        Meta(
            description="The run's input. Expressions see the event: ${event.event}, .subject_id, .at, .actor.name, "
            "and ${event.after.office.name} of what it is about.",
            examples=[{"office_id": "${event.subject_id}"}],
        ),
    ] = {}
    most_per_minute: Annotated[
        int,
        Meta(
            ge=1, le=10_000, description="More starts than this in a minute, or more than 10 for one subject, stop it."
        ),
    ] = 600
    paused: Annotated[bool, _PAUSED] = False


class PassedOut(msgspec.Struct, kw_only=True):
    """An event that started nothing, though its name is one that the trigger looks at."""

    event: Annotated[str, Meta(description="What happened.", examples=["office.created"])]
    event_seq: Annotated[Int64Text, Meta(description="Its position in the event log.")]
    moment: Annotated[str, Meta(description="When it was.")]
    why: Annotated[str, Meta(description="Which condition it did not fulfil.")]


class TriggerOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A trigger, what became of it last, and what it passed over last."""

    id: Int64Text
    name: str
    workflow: str
    version: int | None = None
    events: list[str]
    where: dict[str, Any] = {}
    expression: str = ""
    language: Language = "javascript"
    not_by: list[str] = []
    input: dict[str, Any]
    most_per_minute: int
    paused: bool
    stopped: Annotated[str, Meta(description="Why the server has paused it, if it has.")] = ""
    last: RanOut | None = None
    put_off: Annotated[PutOffOut | None, _PUT_OFF] = None
    passed_over: Annotated[PassedOut | None, Meta(description="The last event that did not fulfil a condition.")] = None
    created_by: str
    created_at: str
    updated_at: str


class TriggerPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of triggers, oldest first."""

    items: list[TriggerOut]
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class HookIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A hook."""

    name: Annotated[str, _NAME]
    workflow: Annotated[str, _WORKFLOW]
    version: Annotated[Number | None, _VERSION] = None
    proof: Annotated[
        Proof,
        Meta(
            description="How callers show that they may: token sends the secret (Authorization: Bearer, or "
            "Offhook-Hook-Secret); signed sends Offhook-Signature: t=..,v1=..; github sends X-Hub-Signature-256."
        ),
    ] = "token"
    secret: Annotated[
        str | None,
        Meta(description="For signed and github: a secret that the caller has already; else one is made."),
    ] = None
    headers: Annotated[
        list[str],
        Meta(description="Request headers that go into the run's input, besides Content-Type and User-Agent."),
    ] = []
    idempotency_header: Annotated[
        str,
        Meta(
            description="A request header; calls with the same value of it are one call.",
            examples=["X-GitHub-Delivery"],
        ),
    ] = ""
    paused: Annotated[bool, _PAUSED] = False


class HeardOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A call of a hook, or several in a row that were alike."""

    moment: Annotated[str, Meta(description="When it was, or the last of them.")]
    run_id: Annotated[Int64Text | None, Meta(description="The run that it has started, or had started before.")] = None
    why: Annotated[str, Meta(description="Why it has started nothing. Callers are not told.")] = ""
    times: Annotated[int, Meta(description="How many they are.")] = 1


class HookOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A hook, without its secret."""

    id: Int64Text
    name: str
    workflow: str
    version: int | None = None
    proof: Proof
    path: Annotated[str, Meta(description="Where it is called, on this server.")]
    headers: list[str]
    idempotency_header: str = ""
    paused: bool
    last: Annotated[HeardOut | None, Meta(description="Its latest call.")] = None
    calls: Annotated[
        list[HeardOut], Meta(description="Its latest calls, at most 20, the latest first; not in lists.")
    ] = []
    created_by: str
    created_at: str
    updated_at: str


class HookMade(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A hook, with the secret that was made for it: it is shown this once."""

    hook: HookOut
    secret: Annotated[str | None, Meta(description="Absent if you sent it yourself.")] = None


class HookPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of hooks, oldest first."""

    items: list[HookOut]
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class RotateIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A new secret."""

    secret: Annotated[
        str | None, Meta(description="For signed and github: the new one, if the caller has it already.")
    ] = None


def ran_out(ran: Ran | None) -> RanOut | None:
    """What became of it last, as it is answered."""
    if ran is None:
        return None
    run_id = str(ran.run_id) if ran.run_id else None
    return RanOut(outcome=ran.outcome, moment=iso(ran.moment), run_id=run_id, why=ran.why)


def _put_off_out(planned: Planned | None) -> PutOffOut | None:
    return PutOffOut(moment=iso(planned.moment), tries=planned.tries, why=planned.put_off) if planned else None


def schedule_out(
    kept: Kept[Schedule], due: int, local: str | None, ran: Ran | None, put_off: Planned | None
) -> ScheduleOut:
    """A schedule as it is answered. `due` is its next moment, 0 if there is none, `local` the same on its clock."""
    one = kept.value
    return ScheduleOut(
        id=str(kept.id),
        name=one.name,
        workflow=one.workflow,
        version=one.version,
        cron=one.cron,
        timezone=one.zone,
        input=one.input,
        missed=one.missed,
        overlap=one.overlap,
        paused=one.paused,
        next=iso(due) if due else None,
        next_local=local,
        last=ran_out(ran),
        put_off=_put_off_out(put_off),
        created_by=one.by,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
    )


def _passed_out(passed: Passed | None) -> PassedOut | None:
    if passed is None:
        return None
    return PassedOut(event=passed.word, event_seq=str(passed.event), moment=iso(passed.moment), why=passed.why)


def trigger_out(kept: Kept[Trigger], ran: Ran | None, passed: Passed | None, put_off: Planned | None) -> TriggerOut:
    """A trigger as it is answered."""
    one = kept.value
    return TriggerOut(
        id=str(kept.id),
        name=one.name,
        workflow=one.workflow,
        version=one.version,
        events=list(one.events),
        where=one.where,
        expression=one.expression,
        language=one.language,
        not_by=list(one.not_by),
        input=one.input,
        most_per_minute=one.most,
        paused=one.paused,
        stopped=one.stopped,
        last=ran_out(ran),
        put_off=_put_off_out(put_off),
        passed_over=_passed_out(passed),
        created_by=one.by,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
    )


def _heard_out(one: Heard) -> HeardOut:
    return HeardOut(
        moment=iso(one.moment), run_id=str(one.run_id) if one.run_id else None, why=one.why, times=one.times
    )


def hook_out(kept: Kept[Hook], path: str, heard: Sequence[Heard], *, whole: bool) -> HookOut:
    """A hook as it is answered. `heard` are its latest calls, oldest first, all of which are told if it is `whole`."""
    one = kept.value
    calls = [_heard_out(each) for each in reversed(heard)]
    return HookOut(
        id=str(kept.id),
        name=one.name,
        workflow=one.workflow,
        version=one.version,
        proof=one.proof,
        path=path,
        headers=list(one.headers),
        idempotency_header=one.idempotency_header,
        paused=one.paused,
        last=calls[0] if calls else None,
        calls=calls if whole else [],
        created_by=one.by,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
    )
