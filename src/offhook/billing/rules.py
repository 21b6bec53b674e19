"""When an office is billed. Pure; the page docs/algorithms/billing-dates.md argues each rule."""

from calendar import monthrange
from datetime import UTC, date, datetime
from functools import lru_cache

from offhook.billing.model import Terms


def _anchor(year: int, month: int, day: int) -> datetime:
    """The anchor day in a month at 00:00 UTC; in a month too short for it, that month's last day."""
    return datetime(year, month, min(day, monthrange(year, month)[1]), tzinfo=UTC)


def _months_on(year: int, month: int, months: int) -> tuple[int, int]:
    index = year * 12 + month - 1 + months
    return index // 12, index % 12 + 1


def cycle_start(moment: datetime, anchor_day: int) -> datetime:
    """The latest anchor day at or before `moment`: when the running cycle began."""
    this_month = _anchor(moment.year, moment.month, anchor_day)
    if this_month <= moment:
        return this_month
    return _anchor(*_months_on(moment.year, moment.month, -1), anchor_day)


def _later(moment: datetime, anchor_day: int, months: int) -> datetime:
    return _later_than(moment.date(), anchor_day, months)


@lru_cache(maxsize=256)
def _later_than(day: date, anchor_day: int, months: int) -> datetime:
    start = cycle_start(datetime(day.year, day.month, day.day, tzinfo=UTC), anchor_day)
    return _anchor(*_months_on(start.year, start.month, months), anchor_day)


def next_billing(moment: datetime, terms: Terms) -> datetime:
    """The start of the next billing cycle, always after `moment`, at 00:00 UTC on the company's anchor day.

    A plan that is invoiced monthly is billed on the next anchor day; a yearly one twelve months after the start of the
    running cycle, so that all offices of a company are billed on one day of the month.
    """
    return _later(moment, terms.anchor_day, 1 if terms.invoiced_monthly else 12)


def committed_until(moment: datetime, terms: Terms) -> datetime | None:
    """The end of the twelve months that a yearly or annually committed plan binds for; None if it does not bind."""
    if terms.plan_period == "yearly" or terms.annual_commit_monthly_billing:
        return _later(moment, terms.anchor_day, 12)
    return None
