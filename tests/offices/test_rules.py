"""The rules of an office by themselves: pure, all at once, and no body makes them fail in another way than they say."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.directory.lines import wire as lines
from offhook.directory.lines.rules import OPTIONAL_TARGETS, TARGETS
from offhook.examples import FULL, SMALL
from offhook.hours.model import DAYS
from offhook.kit.errors import Invalid, Notice
from offhook.kit.wire import Misfit, fit
from offhook.offices import wire
from offhook.offices.model import Office
from offhook.offices.rules import Home, change_week, check
from tests.api.desk import changed, placed
from tests.api.seed_fields import ACTIONS, COUNTRIES, CURRENCIES, FIELDS, NEWER_ACTIONS, STRATEGIES, TARGET_TYPES

HOME = Home(7, "America/Los_Angeles", "USD", 1)


def made(body: dict[str, Any], home: Home | None = HOME) -> tuple[Office, list[Notice]]:
    notices: list[Notice] = []
    return check(fit(body, wire.OfficeIn, notices), home, notices), notices


def places(body: dict[str, Any], home: Home | None = HOME) -> list[str]:
    with pytest.raises(Invalid) as refused:
        made(body, home)
    return sorted(violation.location for violation in refused.value.violations)


def test_the_documented_bodies_are_accepted():
    for body in (SMALL, FULL):
        office, _ = made(body)
        assert office.name == body["name"]


def test_a_primary_office_must_say_its_zone_where_its_country_has_several():
    assert places(changed(SMALL, {"timezone": None}), home=None) == ["timezone"]
    office, notices = made(changed(SMALL, {"country": "IT", "timezone": None}), home=None)
    assert office.timezone == "Europe/Rome"
    assert {notice.code for notice in notices} == {"timezone_default", "no_number"}


def test_a_primary_offices_invoice_is_its_own_in_any_currency():
    assert made(changed(SMALL, {"unified_billing": True, "currency": "JPY"} | {"timezone": "UTC"}), home=None)


def test_the_lists_of_values_are_those_of_the_page():
    assert set(get_args(wire.Country)) == set(COUNTRIES)
    assert set(get_args(wire.Currency)) == set(CURRENCIES)
    assert set(get_args(lines.Action)) == {*ACTIONS, *NEWER_ACTIONS}
    assert set(get_args(lines.TargetType)) == set(TARGET_TYPES)
    assert set(get_args(lines.Strategy)) == set(STRATEGIES)


def test_actions_that_need_a_target_and_kinds_that_they_take_exist():
    assert set(TARGETS) | set(OPTIONAL_TARGETS) <= set(ACTIONS)
    for kinds in (*TARGETS.values(), *OPTIONAL_TARGETS.values()):
        assert set(kinds) < set(TARGET_TYPES)
        assert "unknown" not in kinds


def test_a_menu_asked_for_in_the_older_form_gets_its_two_keys():
    for change in ({"first_action": "menu"}, {"no_operators_action": "menu"}):
        office, _ = made(changed(SMALL, change))
        assert office.open.action == "menu"
        assert [(key.input, key.options and key.options.action) for key in office.open.dtmf] == [
            ("0", "operator"),
            ("1", "directory"),
        ]
        assert office.closed.dtmf == ()


def test_a_weeks_change_touches_only_the_days_it_names():
    office, _ = made(FULL)
    notices: list[Notice] = []
    after = change_week(office, fit({"sunday_hours": ["10:00", "11:00"]}, wire.OfficePatch, []), notices)
    assert after.week[:6] == office.week[:6]
    assert after.week[6] == ("10:00", "11:00")
    assert after.hours_on is office.hours_on
    assert notices == []


@given(st.sampled_from(DAYS), st.lists(st.integers(0, 1439), unique=True, max_size=12))
def test_any_even_list_in_order_is_taken_and_an_odd_one_is_not(day: str, minutes: list[int]):
    hours = [f"{minute // 60:02}:{minute % 60:02}" for minute in sorted(minutes)]
    body = changed(SMALL, {f"{day}_hours": hours})
    if len(hours) % 2:
        assert places(body) == [f"{day}_hours[{len(hours) - 1}]"]
    else:
        office, _ = made(body)
        assert office.week[DAYS.index(day)] == tuple(hours)


ODD = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=300)
    | st.sampled_from(["", " ", "US", "08:00", "PO Box 1", "+14155550100", "menu", "office", "a\nb", "0", "x" * 257])
    | st.lists(st.text(max_size=6) | st.none() | st.integers(), max_size=5)
    | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
)  # fmt: skip


@given(st.sampled_from([SMALL, FULL]), st.lists(st.tuples(st.sampled_from(FIELDS), ODD), min_size=1, max_size=4))
def test_whatever_stands_in_a_field_the_rules_say_yes_or_name_it(body: dict, changes: list):
    touched = []
    for field, value in changes:
        try:
            body = placed(body, field.place, value)
        except (TypeError, AttributeError, IndexError, KeyError):
            continue  # a change before has left no place for this one
        touched.append(field.place)
    notices: list[Notice] = []
    found = _judged(body, notices)
    if isinstance(found, Misfit):
        for violation in found.violations:
            assert _touches(violation.location, touched), violation
    elif isinstance(found, Invalid):
        assert len({v.location for v in found.violations}) == len(found.violations)
        assert all(violation.message and violation.location for violation in found.violations)
    else:
        assert 10 <= found.ring_seconds <= 45
        assert len(found.name) <= 256
        assert not any(ord(character) < 32 for character in found.name)
        assert all(notice.code and notice.text for notice in notices)


def _judged(body: dict[str, Any], notices: list[Notice]) -> Office | Invalid:
    try:
        return check(fit(body, wire.OfficeIn, notices), HOME, notices)
    except Invalid as refused:
        return refused


def _touches(place: str, touched: list[str]) -> bool:
    """Whether a fault lies in a field that was changed; the parts of one object count as one."""
    return any(one.partition(".")[0].partition("[")[0] == place.partition(".")[0].partition("[")[0] for one in touched)


@pytest.mark.parametrize("action", [*ACTIONS, *NEWER_ACTIONS])
@pytest.mark.parametrize("first", ["operators", "menu", None])
def test_the_older_pair_says_what_the_open_state_says(action: str, first: str | None):
    body = changed(SMALL, {"no_operators_action": action, "first_action": first})
    if action in TARGETS:
        assert places(body) == ["no_operators_action"]
        return
    office, _ = made(body)
    assert office.open.try_dial_operators is (first != "menu")
    assert office.open.action == ("menu" if first == "menu" else action)
