"""Creating an office: what happens to calls, the menu's keys, actions and their targets."""

from typing import Any

import pytest

from tests.api.desk import WHOLE, Company, office, routing, state, to
from tests.api.seed_fields import ACTIONS, TARGET_TYPES

# Menu keys


@pytest.mark.parametrize("at", ["open", "closed"])
def test_a_menu_takes_the_ten_keys(embedded: Company, at: str):
    menu = [{"input": key, "options": {"action": "voicemail"}} for key in "9876543210"]
    answer = embedded.live.made(office(routing_options=routing() | {at: state(action="menu", dtmf=menu)}))
    assert answer.office["routing_options"][at]["dtmf"] == menu
    assert "menu_without_keys" not in answer.codes


@pytest.mark.parametrize("key", ["", "*", "#", "10", "a", " 1", "٣", "²", "-1", "x" * 64])
def test_no_other_key_is_taken(embedded: Company, key: str):
    menu = [{"input": "1"}, {"input": key, "options": {"action": "voicemail"}}]
    body = office(routing_options=routing(state(action="menu", dtmf=menu)))
    assert embedded.live.refused(body) == ["routing_options.open.dtmf[1].input"]


def test_each_key_stands_once_in_a_menu_and_again_in_the_other_state(embedded: Company):
    once = [{"input": "1", "options": {"action": "voicemail"}}]
    assert embedded.live.create(office(routing_options=routing(state(dtmf=once), state(dtmf=once)))).status == 200
    body = office(routing_options=routing(state(dtmf=[*once, {"input": "2"}, *once, *once]), state(dtmf=once * 2)))
    answer = embedded.live.create(body)
    assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [
        ("routing_options.open.dtmf[2].input", "duplicate"),
        ("routing_options.open.dtmf[3].input", "duplicate"),
        ("routing_options.closed.dtmf[1].input", "duplicate"),
    ]


@pytest.mark.parametrize("entries", [33, 100, 1000])
def test_a_menu_with_more_entries_than_there_can_be_keys_is_refused(embedded: Company, entries: int):
    body = office(routing_options=routing(state(dtmf=[{"options": {"action": "voicemail"}}] * entries)))
    assert embedded.live.refused(body) == ["routing_options.open.dtmf"]


@pytest.mark.parametrize(
    ("entry", "code", "field"),
    [
        ({}, "menu_key_missing", "dtmf[0].input"),
        ({"options": {"action": "voicemail"}}, "menu_key_missing", "dtmf[0].input"),
        ({"input": "1"}, "menu_key_disabled", "dtmf[0].options"),
        ({"input": "1", "options": {}}, "menu_key_disabled", "dtmf[0].options"),
        ({"input": "1", "options": {"action": None}}, "menu_key_disabled", "dtmf[0].options"),
    ],
)
def test_a_key_that_does_nothing_is_warned_of(embedded: Company, entry: dict, code: str, field: str):
    answer = embedded.live.made(office(routing_options=routing(state(dtmf=[entry]))))
    assert (code, f"routing_options.open.{field}") in answer.warned


def test_a_menu_without_keys_and_a_disabled_state_are_warned_of(embedded: Company):
    answer = embedded.live.made(office(routing_options=routing(state(action="menu"), state(action="disabled"))))
    assert {
        ("menu_without_keys", "routing_options.open.dtmf"),
        ("action_disabled", "routing_options.closed.action"),
    } <= answer.warned


# Actions and their targets

TAKES: dict[str, tuple[str, ...]] = {
    "department": ("office", "department", "callcenter"),
    "person": ("user",),
    "bridge_target": tuple(kind for kind in TARGET_TYPES if kind != "unknown"),
    "voicemail": ("user", "department", "callcenter", "office"),
}
NEEDS = ("department", "person", "bridge_target")


def _on_key(routed: dict[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in routed.items() if name.startswith("action")}
    return state(action="menu", dtmf=[{"input": "4", "options": options}])


WHERE = {
    "open": (lambda r: routing(r, None), "routing_options.open"),
    "closed": (lambda r: routing(None, r), "routing_options.closed"),
    "open key": (lambda r: routing(_on_key(r), None), "routing_options.open.dtmf[0].options"),
    "closed key": (lambda r: routing(None, _on_key(r)), "routing_options.closed.dtmf[0].options"),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_needs_a_target_or_does_without(embedded: Company, action: str, where: str):
    make, place = WHERE[where]
    answer = embedded.live.dry(office(routing_options=make(to(None, None, action))))
    if action in NEEDS:
        assert answer.status == 400
        assert answer.places == [f"{place}.action_target_type"]
        assert answer.errors[0]["reason"] == "required"
        assert all(kind in answer.errors[0]["message"] for kind in TAKES[action])
    else:
        assert answer.status == 200


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind", TARGET_TYPES)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_takes_certain_kinds_of_target_and_ignores_others_aloud(
    embedded: Company, action: str, kind: str, where: str
):
    make, place = WHERE[where]
    target = str(embedded.office_ids["live"])
    answer = embedded.live.dry(office(routing_options=make(to(kind, target, action))))
    if action not in TAKES:
        assert answer.status == 200
        assert ("target_ignored", f"{place}.action_target_id") in answer.warned
    elif kind == "unknown":
        assert answer.status == 200
        assert ("target_unknown", f"{place}.action_target_type") in answer.warned
    elif kind not in TAKES[action]:
        assert answer.places == [f"{place}.action_target_type"]
        assert all(taken in answer.errors[0]["message"] for taken in TAKES[action])
    elif kind == "office":
        assert answer.status == 200
        assert "target_ignored" not in answer.codes
    else:
        # Nobody can be of another kind yet.
        assert answer.places == [f"{place}.action_target_id"]
        assert answer.errors[0]["reason"] == "notFound"


def test_a_target_that_is_ignored_is_not_kept(embedded: Company):
    answer = embedded.live.made(office(routing_options=routing(to("user", 5, "directory"))))
    assert answer.office["routing_options"]["open"] == {
        "action": "directory",
        "try_dial_operators": True,
        "operator_routing": "simultaneous",
    }


@pytest.mark.parametrize("where", WHERE)
def test_a_target_comes_back_as_it_was_sent_with_its_id_as_a_string(company: Company, where: str):
    make, place = WHERE[where]
    for target in (company.office_ids["live"], str(company.office_ids["live"])):
        answer = company.live.made(office(routing_options=make(to("office", target, "department"))))
        here: Any = answer.office
        for step in place.replace("[0]", ".0").split("."):
            here = here[int(step) if step == "0" else step]
        assert here["action_target_type"] == "office"
        assert here["action_target_id"] == str(target)


@pytest.mark.parametrize("target", [0, -1, "0", "-5", "abc", "", "1.5", "12345678901234567890", 2**63])
def test_what_cannot_be_an_id_is_refused(embedded: Company, target: Any):
    body = office(routing_options=routing(to("office", target)))
    assert embedded.live.refused(body) == ["routing_options.open.action_target_id"]


@pytest.mark.parametrize(("kind", "action"), [("unknown", "bridge_target"), ("user", "operator"), (None, "directory")])
def test_a_target_id_that_is_no_integer_is_refused_even_where_it_is_not_used(
    embedded: Company, kind: str | None, action: str
):
    body = office(routing_options=routing(to(kind, "seven", action)))
    assert embedded.live.refused(body) == ["routing_options.open.action_target_id"]


def test_a_target_must_be_the_companys_own_and_still_there(company: Company):
    other = company.desk.found()
    gone = company.live.made(office()).id
    assert company.live.delete(f"{WHOLE}/{gone}").status == 200
    for target in (str(other.office_ids["live"]), str(company.office_ids["sandbox"]), gone, "1", str(2**63 - 1)):
        body = office(routing_options=routing(to("office", target), to("office", target, "department")))
        for answer in (company.live.create(body), company.live.dry(body)):
            assert answer.places == [
                "routing_options.closed.action_target_id",
                "routing_options.open.action_target_id",
            ]
            assert {entry["reason"] for entry in answer.errors} == {"notFound"}


def test_calls_that_can_go_round_are_warned_of(company: Company):
    first = company.live.made(office(name="First")).id
    second = company.live.made(office(name="Second", routing_options=routing(to("office", first)))).id
    assert "target_loop" not in company.live.dry(office(routing_options=routing(to("office", second)))).codes
    answer = company.live.put(f"{WHOLE}/{first}", office(name="First", routing_options=routing(to("office", second))))
    assert "target_loop" in answer.codes
    third = company.live.made(office(name="Third", routing_options=routing(to("office", second))))
    assert "target_loop" in third.codes
    assert {"First", "Second"} <= set(next(w.text for w in third.warnings if w.code == "target_loop").replace(
        ";", " ").replace(">", " ").split())  # fmt: skip


# The older pair of fields


@pytest.mark.parametrize("first", [None, "operators", "menu"])
@pytest.mark.parametrize("fallback", [None, *ACTIONS])
def test_without_routing_options_the_older_fields_become_the_open_state(
    embedded: Company, first: str | None, fallback: str | None
):
    answer = embedded.live.dry(office(first_action=first, no_operators_action=fallback))
    if fallback in NEEDS:
        assert answer.places == ["no_operators_action"]
        assert "routing_options" in answer.errors[0]["message"]
        return
    opened = answer.office["routing_options"]["open"]
    assert opened["try_dial_operators"] is (first != "menu")
    assert opened["action"] == ("menu" if first == "menu" else fallback or "voicemail")
    assert answer.office["first_action"] == (first or "operators")
    assert answer.office["no_operators_action"] == (fallback or ("menu" if first == "menu" else "voicemail"))
    assert answer.office["routing_options"]["closed"] == {
        "action": "voicemail",
        "try_dial_operators": False,
        "operator_routing": "simultaneous",
    }
    assert ("menu_default" in answer.codes) == (opened["action"] == "menu")
    assert bool(opened.get("dtmf")) == (opened["action"] == "menu")
    assert ("menu_first" in answer.codes) == (first == "menu" and fallback not in (None, "menu"))


@pytest.mark.parametrize(
    ("first", "fallback", "fields"),
    [
        (None, None, set()),
        ("operators", "voicemail", set()),
        ("menu", None, {"first_action"}),
        (None, "message", {"no_operators_action"}),
        ("menu", "department", {"first_action", "no_operators_action"}),
    ],
)
def test_routing_options_win_over_the_older_fields_and_a_disagreement_is_said(
    embedded: Company, first: str | None, fallback: str | None, fields: set[str]
):
    body = office(first_action=first, no_operators_action=fallback, routing_options=routing())
    answer = embedded.live.made(body)
    assert {warning.field for warning in answer.warnings if warning.code == "routing_options_win"} == fields
    assert (answer.office["first_action"], answer.office["no_operators_action"]) == ("operators", "voicemail")


@pytest.mark.parametrize(
    ("action", "kind", "instead"),
    [
        ("department", "callrouter", "bridge_target"),
        ("person", "department", "department or bridge_target"),
        ("voicemail", "room", "bridge_target"),
    ],
)
def test_a_target_of_the_wrong_kind_is_told_the_action_that_takes_it(
    embedded: Company, action: str, kind: str, instead: str
):
    answer = embedded.live.dry(office(routing_options=routing(to(kind, "1", action), None)))
    assert answer.errors[0]["message"].endswith(f" For a {kind} send the action {instead}.")
