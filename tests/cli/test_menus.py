"""A line's menu from the command line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from offhook.configuration import text
from tests.cli.conftest import Run

COMPANY = {
    "version": 1,
    "offices": {"Head office": {"licences": {"talk_lines": 2}}},
    "users": {"ana@example.com": {"office": "Head office", "first_name": "Ana", "extension": "101"}},
    "rooms": {"Head office/Lobby": {}},
    "departments": {"Head office/Sales": {}},
    "callcenters": {"Head office/Support": {}},
}


@pytest.fixture
def staffed(offhook: Run, company: Any, empty: Path) -> Any:
    """A company with a user, a room, a department and a call center."""
    (empty / "company.yaml").write_text(text.write(COMPANY))
    said = offhook("apply", "company.yaml", "--yes")
    assert said.status == 0, said
    return company


def routing(offhook: Run, office: str) -> Any:
    return offhook("office", "show", office, "--json").json["office"]["routing_options"]


def test_an_office_gets_a_menu_and_nothing_else_of_it_changes(offhook: Run, staffed: Any) -> None:
    office = staffed["office_id"]
    before = offhook("office", "show", office, "--json").json["office"]
    keys = ("1=operator", "2=user:ana@example.com", "9=voicemail")
    said = offhook("line", "menu", office, *(word for key in keys for word in ("--press", key)))
    assert said.status == 0, said
    assert "1  operator" in said.out
    assert "9  voicemail" in said.out
    assert f"offhook simulate --office {office} --press 1" in said.err
    after = offhook("office", "show", office, "--json").json["office"]
    opened = after["routing_options"]["open"]
    assert (opened["action"], opened["try_dial_operators"]) == ("menu", False)
    assert [(key["input"], key["options"]["action"]) for key in opened["dtmf"]] == [
        ("1", "operator"), ("2", "person"), ("9", "voicemail"),
    ]  # fmt: skip
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"routing_options", "first_action", "no_operators_action", "version", "updated_at"}
    assert after["routing_options"]["closed"] == before["routing_options"]["closed"]
    assert "routing_options_win" not in said.err
    assert "first_action" not in said.err


def test_it_is_heard_in_a_call_that_is_not_made(offhook: Run, staffed: Any) -> None:
    offhook("line", "menu", "primary", "--press", "1=user:101", "--press", "9=voicemail")
    told = offhook("simulate", "--office", "primary", "--at", "2026-11-25 11:00", "--press", "9")
    assert "The caller pressed 9" in told.out


def test_the_operators_may_ring_before_it_and_it_is_taken_away_again(offhook: Run, staffed: Any) -> None:
    said = offhook("line", "menu", "primary", "--press", "9=voicemail", "--operators-first")
    assert "the operators ring" in said.out
    assert routing(offhook, "primary")["open"]["try_dial_operators"] is True
    assert offhook("line", "menu", "primary", "--press", "9=voicemail", "--closed").status == 0
    assert routing(offhook, "primary")["closed"]["action"] == "menu"
    for state in ((), ("--closed",)):
        assert "no menu" in offhook("line", "menu", "primary", "--off", *state).out
    now = routing(offhook, "primary")
    assert [(now[state]["action"], now[state]["try_dial_operators"]) for state in ("open", "closed")] == [
        ("voicemail", True), ("voicemail", False),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["department", "callcenter"])
def test_departments_and_call_centers_have_one_too(offhook: Run, staffed: Any, kind: str) -> None:
    (of_kind,) = yaml.safe_load(offhook("export", "--ids").out)[f"{kind}s"].values()
    id = str(of_kind["id"])
    made = offhook("line", "menu", f"--{kind}", id, "--press", "1=operator", "--press", f"2={kind}:{id}", "--json").json
    assert made["open"]["dtmf"][1]["options"] == {
        "action": "department", "action_target_type": kind, "action_target_id": id,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ((), "Which keys?"),
        (("1=operator", "--off"), "Which keys?"),
        (("operator",), "is no key of a menu"),
        (("12=operator",), "is no key of a menu"),
        (("#=operator",), "is no key of a menu"),
        (("1=dance",), "Key 1 cannot do dance"),
        (("1=department",), "Key 1 cannot do department"),
        (("1=room:ana@example.com",), "is a user"),
        (("1=user:bob@example.com",), "There is no user or room"),
        (("1=department:5",), "There is no department with this id"),
        (("1=operator", "--press", "1=voicemail"), "already used"),
    ],
)
def test_what_is_wrong_with_keys_is_said(offhook: Run, staffed: Any, keys: tuple[str, ...], told: str) -> None:
    given = ("--press", *keys) if keys else ()
    said = offhook("line", "menu", "primary", *given)
    assert said.status == 1
    assert told in " ".join(said.err.split()), said.err


def test_without_a_line_it_is_asked_which(offhook: Run, company: Any) -> None:
    assert "Which line?" in offhook("line", "menu", "--press", "1=operator").err
