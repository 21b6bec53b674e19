"""Pure decisions: which of the moments that have come are run, which triggers an event fits, when one has run away."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from offhook.events.model import Word
from offhook.kit.wire import encode_sorted
from offhook.workflows.expressions.templates import ExpressionError, resolve
from offhook.workflows.triggers.cron import Cron
from offhook.workflows.triggers.model import Heard, Missed, Passed

ON_TIME_MS = 60_000
"""A moment that is older than this when it is come to was missed."""

MOST_LATE = 100
"""Missed moments that are made up for at once, the latest."""

COUNTED = 100
"""Up to how many missed moments are counted."""

MOST_HEARD = 20
"""Calls of a hook that are remembered, the latest; those that are alike in a row count as one."""

MINUTE_MS = 60_000
MOST_ALIKE = 10
"""Starts of one trigger for one subject in a minute. More is taken for a circle."""

OWN_SUBJECTS = frozenset({"workflow_trigger"})
"""Events that triggers write themselves; none of them starts anything."""

WORDS = tuple(str(word) for word in Word if word.partition(".")[0] not in OWN_SUBJECTS)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about the moments that have come: `run` are started, `late` those of them that were missed.

    `missed` is how many are not made up for (at most COUNTED are counted), from `first` to `last`. `next` is the next
    moment, 0 if there is none.
    """

    run: tuple[int, ...] = ()
    late: frozenset[int] = frozenset()
    missed: int = 0
    first: int = 0
    last: int = 0
    next: int = 0


def plan(cron: Cron, due: int, now: int, missed: Missed) -> Plan:
    """What is to be done at `now` by a schedule whose next moment was `due`."""
    following = next_moment(cron, max(now, due - 1))
    if due > now:
        return Plan(next=following)
    since, until = moment_of(due), moment_of(now)
    latest = [_ms(one) for one in cron.latest(since, until, MOST_LATE if missed == "all" else 2)]
    on_time = [one for one in latest if now - one < ON_TIME_MS]
    run = {"skip": on_time, "once": latest[-1:], "all": latest}[missed]
    late = frozenset(run) - frozenset(on_time)
    count, first, last = 0, 0, 0
    for one in cron.moments(moment_of(due - 1), until):
        if count == COUNTED:
            break
        moment = _ms(one)
        if moment not in run:
            count, first, last = count + 1, first or moment, moment
    if count == COUNTED:
        last = _ms(cron.latest(since, moment_of(run[0] - 1) if run else until, 1)[-1])
    return Plan(run=tuple(run), late=late, missed=count, first=first, last=last, next=following)


def next_moment(cron: Cron, after: int) -> int:
    """The first moment behind `after`; 0 if there is none."""
    found = cron.after(moment_of(after))
    return 0 if found is None else _ms(found)


def moment_of(ms: int) -> datetime:
    """Milliseconds since 1970 as a moment in UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def fits(patterns: Iterable[str], word: str) -> bool:
    """Whether an event's word is one of the patterns: `office.created`, `user.*`, `*`."""
    subject = word.partition(".")[0]
    return subject not in OWN_SUBJECTS and any(one in (word, f"{subject}.*", "*") for one in patterns)


def differing(where: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The first field that has not its value, `after.country` being the event's; "" if all have. ExpressionError for a
    field that cannot be.

    JSON decides what is equal: 1 is 1.0, "1" is not 1, true is not 1.
    """
    for field, wanted in where.items():
        if not _same(resolve(field_expression(field), data, place=f"where.{field}"), wanted):
            return field
    return ""


def field_expression(field: str) -> str:
    """The expression of a field of the event."""
    return f"${{event.{field}}}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    if isinstance(one, dict | list) and isinstance(other, dict | list):
        return bool(encode_sorted(one) == encode_sorted(other))
    return type(one) is type(other) and bool(one == other)


class Recent(msgspec.Struct, omit_defaults=True):
    """The starts of a trigger in the minute from `since` on, all and by subject; the event that it passed over last."""

    since: int = 0
    count: int = 0
    subjects: dict[str, int] = {}
    passed: Passed | None = None

    def note(self, at: int, subject: str) -> None:
        """One more, for an event of the moment `at`."""
        if abs(at - self.since) >= MINUTE_MS:
            self.since, self.count, self.subjects = at, 0, {}
        self.count += 1
        self.subjects[subject] = self.subjects.get(subject, 0) + 1

    def too_many(self, subject: str, most: int) -> str:
        """Why no more are started, as a sentence; "" if more may be."""
        if self.subjects.get(subject, 0) > MOST_ALIKE:
            return (
                f"It was to start more than {MOST_ALIKE} runs for {subject} within a minute: what its runs change "
                "likely causes its event again. Mend that, with not_by for instance, and resume it."
            )
        if self.count > most:
            return f"It was to start more than the {most:,} runs that it may start in a minute (most_per_minute)."
        return ""


def heard(before: Sequence[Heard], more: Iterable[Heard]) -> list[Heard]:
    """The latest calls of a hook, oldest first, with `more` behind them. Two that are alike become one."""
    found = list(before)
    for one in more:
        if found and (found[-1].run_id, found[-1].why) == (one.run_id, one.why):
            one = msgspec.structs.replace(one, times=found.pop().times + one.times)
        found.append(one)
    return found[-MOST_HEARD:]


def scheduled(template: Mapping[str, Any], data: Mapping[str, Any], most: int) -> tuple[Any, str]:
    """A run's input from its template, or why there is none."""
    try:
        return resolve(dict(template), data, most=most, place="input"), ""
    except ExpressionError as error:
        return None, str(error)
