"""From what was filled in to a body and back, and from violations to the inputs that they are shown at."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.console import forms
from offhook.console.forms import Filled, Input, Rows, Shape
from offhook.kit.errors import Violation

KEYS = Rows("menu.keys", "", (Input("input", "text", "", False), Input("does.action", "choice", "", False)), 3)
OF = Shape(
    {
        one.path: one
        for one in (
            Input("name", "text", "", True),
            Input("on", "flag", "", False),
            Input("monday_hours", "hours", "", False),
            Input("contact.email", "text", "", True),
            Input("contact.name", "text", "", False),
        )
    },
    {"menu.keys": KEYS},
    frozenset({""}),
)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", []),
        ("09:00-12:30, 14:00-18:00", ["09:00", "12:30", "14:00", "18:00"]),
        ("09:00–12:30", ["09:00", "12:30"]),
        (" 9:00 to 12 ", ["9:00", "to", "12"]),
        ("22:00 - 06:00;", ["22:00", "06:00"]),
        ("-", []),
    ],
)
def test_hours_are_read_as_people_write_them_and_what_is_none_stays_for_the_api_to_refuse(text: str, times: list[str]):
    assert forms.times(text) == times


def test_what_is_empty_is_left_out_and_a_box_is_said_either_way():
    assert forms.body(OF, Filled({"name": "", "contact.name": ""})) == {"on": False}
    assert forms.body(OF, Filled({"name": "A", "on": "true", "contact.name": "B"})) == {
        "name": "A",
        "on": True,
        "contact": {"name": "B"},
    }


def test_a_day_without_hours_is_closed_rather_than_left_out():
    assert forms.body(OF, Filled({"monday_hours": ""}))["monday_hours"] == []


def test_an_empty_row_is_a_row():
    form = Filled({"menu.keys[1].does.action": "operator"}, {"menu.keys": 2})
    assert forms.body(OF, form)["menu"] == {"keys": [{}, {"does": {"action": "operator"}}]}


def test_a_row_taken_out_moves_those_behind_it_up():
    form = Filled({f"menu.keys[{n}].input": str(n) for n in range(3)}, {"menu.keys": 3})
    form.remove("menu.keys", 1)
    assert forms.body(OF, form)["menu"]["keys"] == [{"input": "0"}, {"input": "2"}]
    form.remove("menu.keys", 5)
    assert form.counts["menu.keys"] == 2


def test_what_is_no_input_of_the_form_is_left_alone():
    form = forms.filled(OF, [("name", "A"), ("is_admin", "true"), ("rows:menu.keys", "x"), ("nothing[0].input", "1")])
    assert form == Filled({"name": "A"}, {"menu.keys": 0})


ROW: Any = st.fixed_dictionaries({}, optional={"input": st.text("abc", min_size=1)})


@given(
    st.fixed_dictionaries(
        {"on": st.booleans(), "name": st.text("abc\n\"'<é", min_size=1)},
        optional={
            "monday_hours": st.just(["09:00", "12:30", "14:00", "18:00"]) | st.just([]),
            "contact": st.fixed_dictionaries({"email": st.text("a@b", min_size=1)}),
            "menu": st.fixed_dictionaries({"keys": st.lists(ROW, min_size=1, max_size=3)}),
        },
    )
)
def test_a_body_laid_out_in_a_form_and_sent_is_the_same_body(body: dict[str, Any]):
    form = forms.unfold(OF, body)
    sent = [*form.values.items(), *((f"rows:{path}", str(count)) for path, count in form.counts.items())]
    assert forms.body(OF, forms.filled(OF, sent)) == body


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("name", "name"),
        ("monday_hours[3]", "monday_hours"),
        ("menu.keys[0].input", "menu.keys[0].input"),
        ("menu.keys[0].does", "menu.keys[0].does.action"),
        ("menu.keys[7].input", "menu.keys"),
        ("contact", "contact.email"),
        ("nothing.like.it", ""),
        ("", ""),
        ("Idempotency-Key", ""),
    ],
)
def test_a_violation_is_shown_at_the_input_it_names_or_the_nearest(location: str, place: str):
    known = [*OF.inputs, "menu.keys", "menu.keys[0].input", "menu.keys[0].does.action"]
    violation = Violation(location=location, message="No.")
    assert forms.placed([violation], known) == {place: [violation]}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_are_refused(raw: bytes):
    with contextlib.suppress(ValueError):
        assert all(isinstance(name, str) for name, _ in forms.pairs(raw))


def test_a_form_of_endless_inputs_is_refused():
    with pytest.raises(ValueError, match="fields"):
        forms.pairs(b"a=1&" * (forms.MAX_INPUTS + 1) + b"a=1")
