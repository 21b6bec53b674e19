"""What Conductor's search understands."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.kit.errors import Invalid
from offhook.workflows.conductor.searching import FIELDS, Wanted, wanted


def test_nothing_is_everything() -> None:
    assert wanted("") == wanted("  ", "*", "") == Wanted()


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("workflowType=hello", {"names": ("hello",)}),
        ("workflowType = 'hello world'", {"names": ("hello world",)}),
        ('workflowType="a AND b"', {"names": ("a AND b",)}),
        ("workflowType IN (a,b , 'c d')", {"names": ("a", "b", "c d")}),
        ("status IN (FAILED,timed_out)", {"statuses": ("FAILED", "TIMED_OUT")}),
        ("status=RUNNING AND status IN (RUNNING,PAUSED)", {"statuses": ("RUNNING",)}),
        ("version=3 AND workflowId=12", {"versions": (3,), "ids": (12,)}),
        ("correlationId IN (x,x,y)", {"correlations": ("x", "y")}),
        ("startTime>10 AND startTime<20", {"started": (11, 20)}),
        ("startTime>=10 AND startTime<=20", {"started": (10, 21)}),
        ("startTime = 10", {"started": (10, 11)}),
        ("startTime>1970-01-01T00:00:01Z", {"started": (1001, 2**52)}),
        ("endTime<99", {"ended": (1, 99)}),
        ("endTime>99", {"ended": (100, 2**52)}),
    ],
)
def test_what_is_understood(query: str, fields: dict[str, object]) -> None:
    found = wanted(query)
    assert {name: getattr(found, name) for name in fields} == fields
    assert not found.none


@pytest.mark.parametrize("query", ["status=FAILED AND status=RUNNING", "workflowId=abc", "startTime>5 AND startTime<5"])
def test_what_fits_nothing(query: str) -> None:
    assert wanted(query).none


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("colour=red", "searched by workflowType"),
        ("workflowType", "must come"),
        ("workflowType=", "must come"),
        ("workflowType>a", "= or IN only"),
        ("workflowType=a OR workflowType=b", "joined by AND"),
        ("workflowType=a AND", "must follow"),
        ("workflowType=a workflowType=b", "joined by AND"),
        ("status=GREEN", "A status is one of"),
        ("status IN FAILED", "in brackets"),
        ("status IN (", "in brackets"),
        ("status IN ()", "in brackets"),
        ("startTime>yesterday", "milliseconds"),
        ("startTime>2026-01-01T00:00:00", "with a zone"),
        ("startTime IN (1,2)", "one moment"),
        ("workflowType='a", "not understood"),
    ],
)
def test_what_is_not_understood(query: str, part: str) -> None:
    with pytest.raises(Invalid) as refused:
        wanted(query)
    assert part in refused.value.message
    assert refused.value.violations[0].location == "query"


def test_the_order() -> None:
    assert wanted("", sort="startTime:ASC").earliest_first
    assert not wanted("", sort="startTime:DESC").earliest_first
    with pytest.raises(Invalid):
        wanted("", sort="status:ASC")


@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from([*FIELDS, "=", "<", ">=", "IN", "(", ")", ",", "AND", "a", "1", "FAILED", "'", "\0"])
        ).map(" ".join),
    )
)
def test_any_text_is_understood_or_refused(query: str) -> None:
    with contextlib.suppress(Invalid):
        wanted(query)
