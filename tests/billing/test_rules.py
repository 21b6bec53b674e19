"""When an office is billed: on the company's anchor day, at the next one or twelve months after the cycle began."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.billing.model import Period, Terms
from offhook.billing.rules import committed_until, cycle_start, next_billing
from offhook.emergency.model import PostalAddress

HERE = PostalAddress(address_line_1="1 A St", city="B", region="C", postal_code="1", country="US")


def terms(anchor: int, period: Period = "monthly", committed: bool = False) -> Terms:
    return Terms(
        plan_period=period,
        annual_commit_monthly_billing=committed,
        unified_billing=False,
        invoiced=True,
        currency="USD",
        invoice_office_id=1,
        anchor_day=anchor,
        ppu_address=HERE,
    )


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("anchor", "today", "monthly", "yearly"),
    [
        # In the middle of a month, before, on and after the anchor day.
        (15, "2026-03-14", "2026-03-15", "2027-02-15"),
        (15, "2026-03-15", "2026-04-15", "2027-03-15"),
        (15, "2026-03-16", "2026-04-15", "2027-03-15"),
        # The first of the month, round the turn of the year.
        (1, "2026-12-31", "2027-01-01", "2027-12-01"),
        (1, "2027-01-01", "2027-02-01", "2028-01-01"),
        # The 28th is in every month.
        (28, "2026-02-27", "2026-02-28", "2027-01-28"),
        (28, "2026-02-28", "2026-03-28", "2027-02-28"),
        # The 29th, in and out of leap years.
        (29, "2026-01-29", "2026-02-28", "2027-01-29"),
        (29, "2026-02-28", "2026-03-29", "2027-02-28"),
        (29, "2028-01-30", "2028-02-29", "2029-01-29"),
        (29, "2028-02-28", "2028-02-29", "2029-01-29"),
        (29, "2028-02-29", "2028-03-29", "2029-02-28"),
        (29, "2027-02-28", "2027-03-29", "2028-02-29"),
        # The 30th.
        (30, "2026-01-30", "2026-02-28", "2027-01-30"),
        (30, "2026-02-28", "2026-03-30", "2027-02-28"),
        (30, "2028-02-29", "2028-03-30", "2029-02-28"),
        (30, "2026-04-29", "2026-04-30", "2027-03-30"),
        # The 31st: the last day of every month.
        (31, "2026-01-30", "2026-01-31", "2026-12-31"),
        (31, "2026-01-31", "2026-02-28", "2027-01-31"),
        (31, "2026-02-28", "2026-03-31", "2027-02-28"),
        (31, "2026-03-30", "2026-03-31", "2027-02-28"),
        (31, "2026-04-30", "2026-05-31", "2027-04-30"),
        (31, "2027-02-28", "2027-03-31", "2028-02-29"),
        (31, "2028-02-28", "2028-02-29", "2029-01-31"),
        (31, "2028-02-29", "2028-03-31", "2029-02-28"),
        (31, "2026-12-31", "2027-01-31", "2027-12-31"),
        # A century that is no leap year.
        (29, "2100-01-29", "2100-02-28", "2101-01-29"),
    ],
)
def test_the_next_invoice_falls_on_the_anchor_day(anchor: int, today: str, monthly: str, yearly: str):
    for moment in (day(today), day(today) + timedelta(hours=23, minutes=59, seconds=59)):
        assert next_billing(moment, terms(anchor)) == day(monthly)
        assert next_billing(moment, terms(anchor, "yearly")) == day(yearly)
        # Bound for a year and billed each month: like monthly, bound like yearly.
        for period in ("monthly", "yearly"):
            assert next_billing(moment, terms(anchor, period, committed=True)) == day(monthly)
            assert committed_until(moment, terms(anchor, period, committed=True)) == day(yearly)
        assert committed_until(moment, terms(anchor, "yearly")) == day(yearly)
        assert committed_until(moment, terms(anchor)) is None


def test_the_anchor_day_begins_at_midnight_sharp():
    edge = day("2026-03-15")
    assert cycle_start(edge, 15) == edge
    assert cycle_start(edge - timedelta(microseconds=1), 15) == day("2026-02-15")


MOMENTS = st.integers(31_536_000, 7_226_582_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ANCHORS = st.integers(1, 31)


@given(MOMENTS, ANCHORS, st.sampled_from(["monthly", "yearly"]), st.booleans())
def test_an_invoice_is_always_ahead_and_never_more_than_a_cycle(
    moment: datetime, anchor: int, period: Period, committed: bool
):
    due = next_billing(moment, terms(anchor, period, committed))
    monthly = period == "monthly" or committed
    assert moment < due <= moment + timedelta(days=31 if monthly else 366)
    last = (date(due.year + due.month // 12, due.month % 12 + 1, 1) - timedelta(days=1)).day
    assert due.day == min(anchor, last)
    assert (due.hour, due.minute, due.second, due.microsecond) == (0, 0, 0, 0)


@given(MOMENTS, ANCHORS)
def test_cycles_meet_without_a_gap(moment: datetime, anchor: int):
    due = next_billing(moment, terms(anchor))
    assert cycle_start(due, anchor) == due
    assert cycle_start(due - timedelta(microseconds=1), anchor) == cycle_start(moment, anchor)


@pytest.mark.parametrize(("invoiced", "payment"), [(True, "invoice"), (False, "card")])
def test_who_pays_by_invoice_does_not_pay_by_card(invoiced: bool, payment: str):
    import msgspec

    assert msgspec.structs.replace(terms(1), invoiced=invoiced).payment == payment
