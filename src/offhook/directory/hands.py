"""Lines that a person opens or closes by hand: until a moment, until the next change of hours, or until it is lifted.

One implementation for offices, departments and call centers, each of which says how its line is read and changed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from offhook.access.gate import reply_of
from offhook.directory.lines.model import KeptByHand
from offhook.directory.lines.wire import Availability, SingleLine
from offhook.events.model import Word
from offhook.hours.model import Schedule
from offhook.hours.schedule import explain, next_change, next_turn, status
from offhook.kit import clock
from offhook.kit.durations import duration
from offhook.kit.errors import Invalid, Notice, Violation, shown
from offhook.kit.operation import Call, Operation, Reply
from offhook.kit.text import single_line
from offhook.kit.zones import moment_of

Meta = msgspec.Meta
REASON_LIMIT = 100
MOST_DAYS = 366
TAG = "Opening hours"


class ByHandIn(msgspec.Struct, kw_only=True):
    """How a line is to be, whatever its hours say."""

    status: Annotated[Literal["open", "closed"], Meta(description="How it is from now on.")]
    until: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        Meta(
            description=(
                "Until when: 2026-12-24 18:00 on the line's clock, or with an offset; or how long from now, as 30m, 1h "
                "or 2d. At most a year ahead."
            ),
            examples=["2026-12-24 18:00", "1h"],
        ),
    ] = None
    until_next_change: Annotated[
        bool, Meta(description="Until the hours would open or close it the next time anyway.")
    ] = False
    reason: Annotated[SingleLine | None, Meta(description="Why, in up to 100 characters: a trace says it.")] = None


class ByHandOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a line is, and whether that is by hand. Moments are of the line's own clock."""

    by_hand: bool
    availability_status: Availability
    explanation: str
    next_change: str | None = None
    status: Literal["open", "closed"] | None = None
    since: str | None = None
    until: str | None = None
    until_next_change: bool = False
    reason: str | None = None
    set_by: str | None = None


@dataclass(frozen=True, slots=True)
class Hand:
    """A line as far as hands go: its hours with what was done by hand, and that as it is kept."""

    schedule: Schedule
    kept: KeptByHand | None
    version: int


Read = Callable[[Call], Awaitable[Hand]]
Change = Callable[[Call, Word, Callable[[Hand], KeptByHand | None]], Awaitable[Hand]]
"""From (call, word of the event, what to keep from what there is) to the line afterwards."""


@dataclass(frozen=True, slots=True)
class Side:
    """All in which the kinds of lines differ here."""

    path: str
    noun: str
    id: str
    scopes: tuple[str, str]
    opened: Word
    closed: Word
    lifted: Word
    read: Read
    change: Change


def read(body: ByHandIn, schedule: Schedule, at: datetime, by: str, notices: list[Notice]) -> KeptByHand:
    """What to keep of a body at `at`; Invalid with all that is wrong with it. `schedule` is by the rules alone.

    What was guessed goes into `notices`, once however often the body is read.
    """
    found: list[Violation] = []
    reason = ""
    if body.reason is not None:
        value, fault = single_line(body.reason, "reason", REASON_LIMIT)
        found += [fault] if fault is not None else []
        reason = value or ""
    until = 0
    if body.until is not None and body.until_next_change:
        text = "Either until a moment or until the next change: send one of them."
        found.append(Violation(location="until", message=text, sent=shown(body.until), about=("until_next_change",)))
    elif body.until is not None:
        moment = _moment(body.until, schedule, at, found, notices)
        if moment is not None and not at < moment <= at + timedelta(days=MOST_DAYS):
            text = f"Must be after now, and at most {MOST_DAYS} days ahead; leave it out to keep it until it is lifted."
            found.append(Violation(location="until", message=text, sent=shown(body.until)))
        elif moment is not None:
            until = clock.milliseconds(moment)
    elif body.until_next_change and next_turn(schedule, at) is None:
        text = "The hours have no change ahead. Send until, or neither to keep it until it is lifted."
        found.append(Violation(location="until_next_change", message=text))
    if found:
        raise Invalid.of(found)
    return KeptByHand(
        open=body.status == "open",
        since=clock.milliseconds(at),
        until=until,
        until_change=body.until_next_change,
        reason=reason,
        by=by,
    )


def _moment(
    text: str, schedule: Schedule, at: datetime, found: list[Violation], notices: list[Notice]
) -> datetime | None:
    if (length := duration(text)) is not None:
        return at + length
    try:
        moment, notice = moment_of(text, schedule.zone, "until")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        message = "Must be a moment, as 2026-12-24 18:00 or 2026-12-24T18:00:00+00:00, or a length, as 30m, 1h or 2d."
        found.append(Violation(location="until", message=message, sent=shown(text)))
        return None
    if notice is not None and notice not in notices:
        notices.append(notice)
    return moment


def out(hand: Hand, at: datetime) -> ByHandOut:
    """How a line stands at `at`."""
    schedule, kept, done = hand.schedule, hand.kept, hand.schedule.by_hand
    holds = kept is not None and done is not None and done.holds(at)
    change = next_change(schedule, at)
    here = schedule.zone
    now = ByHandOut(
        by_hand=holds,
        availability_status=status(schedule, at).value,
        explanation=explain(schedule, at),
        next_change=change.at.astimezone(here).isoformat() if change is not None else None,
    )
    if not holds or kept is None or done is None:
        return now
    return msgspec.structs.replace(
        now,
        status="open" if kept.open else "closed",
        since=done.since.astimezone(here).isoformat(timespec="seconds"),
        until=done.until.astimezone(here).isoformat(timespec="seconds") if done.until is not None else None,
        until_next_change=kept.until_change,
        reason=kept.reason or None,
        set_by=kept.by or None,
    )


def operations(side: Side) -> list[Operation]:
    """The operations on one kind of line."""
    a_noun = f"an {side.noun}" if side.noun[0] in "aeiou" else f"a {side.noun}"

    async def show(call: Call) -> Reply:
        return _answer(await side.read(call))

    async def put(call: Call) -> Reply:
        body: ByHandIn = call.body
        at, by = clock.now(), call.principal.key_name
        word = side.opened if body.status == "open" else side.closed
        return _answer(await side.change(call, word, lambda hand: read(body, _by_rules(hand), at, by, call.notices)))

    async def lift(call: Call) -> Reply:
        return _answer(await side.change(call, side.lifted, lambda _hand: None))

    path = f"/api/offhook/v1/{side.path}/{{id}}/by-hand"
    return [
        Operation(
            id=f"offhook.{side.id}.byhand.get",
            method="GET",
            path=path,
            tag=TAG,
            summary=f"Show whether {a_noun} is open or closed by hand",
            description="And how it stands now, why, and when that changes.",
            handler=show,
            scope=side.scopes[0],
            reply=ByHandOut,
            reply_description="How the line stands.",
            note="how the line stands, and why",
        ),
        Operation(
            id=f"offhook.{side.id}.byhand.set",
            method="PUT",
            path=path,
            tag=TAG,
            summary=f"Open or close {a_noun} by hand",
            description="From now on, until a moment, until the next change of its hours, or until it is lifted.",
            handler=put,
            scope=side.scopes[1],
            body=ByHandIn,
            reply=ByHandOut,
            reply_description="How the line stands now.",
            refusals=(412,),
            note="`status`, `until` or `until_next_change`, `reason`",
        ),
        Operation(
            id=f"offhook.{side.id}.byhand.lift",
            method="DELETE",
            path=path,
            tag=TAG,
            summary=f"Let the hours of {a_noun} count again",
            handler=lift,
            scope=side.scopes[1],
            reply=ByHandOut,
            reply_description="How the line stands now.",
            refusals=(412,),
            note="the hours count again",
        ),
    ]


def _by_rules(hand: Hand) -> Schedule:
    return replace(hand.schedule, by_hand=None)


def _answer(hand: Hand) -> Reply:
    return reply_of(out(hand, clock.now()), headers=((b"etag", b'"%d"' % hand.version),))
