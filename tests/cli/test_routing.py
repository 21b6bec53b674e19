"""Where calls go, from the command line: a call that is not made, what callers would be lost by, a week."""

import json
from pathlib import Path
from typing import Any

import pytest

from offhook.examples import SMALL
from tests.cli.conftest import Run

AT = ("--at", "2026-12-23 10:00")
COMPANY = """
version: 1
offices:
  Lisbon: {OFFICE}
users:
  ana@example.com: {office: Lisbon, first_name: Ana, extension: 101, devices: [{name: Desk, type: polycom}]}
  rui@example.com: {office: Lisbon, first_name: Rui, extension: 102, devices: [{name: Desk, type: polycom}]}
departments:
  Lisbon/Sales:
    hours_on: true
    hours: {monday: closed, tuesday: closed, wednesday: 09:00-12:15, thursday: closed, friday: closed}
    operators: [rui@example.com]
"""


@pytest.fixture
def lisbon(offhook: Run, company: Any, empty: Path) -> dict[str, str]:
    """Lisbon, whose operators are Ana and Rui, with a department that Rui answers: their ids."""
    office = {name: value for name, value in SMALL.items() if name not in ("name", "monday_hours")}
    office |= {
        "licences": {"talk_lines": 3},
        "operators": ["ana@example.com", "rui@example.com"],
        "timezone": "Europe/Lisbon",
    }
    routed = {"action": "voicemail", "try_dial_operators": True, "operator_routing": "fixedorder"}
    office["routing_options"] = {"open": routed, "closed": {**routed, "try_dial_operators": False}}
    (empty / "company.yaml").write_text(COMPANY.replace("{OFFICE}", json.dumps(office)))
    assert offhook("apply", "company.yaml", "--yes").status == 0
    ids = {one["name"]: one["id"] for one in offhook("office", "list", "--json").json["items"]}
    shown = offhook("coverage", ids["Lisbon"], "--json").json["weeks"]
    return {**ids, **{one["line"]["name"]: one["line"]["id"] for one in shown}}


def test_a_simulated_call_tells_who_rings_and_where_it_ends(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("simulate", "--office", lisbon["Lisbon"], *AT, "--answer", "Rui@8", "--from", "+14155550100")
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "  0:00  call   A call from +14155550100."
    assert [line for line in lines if "  rings  " in line] == [
        "  0:00  rings  Ringing Ana, for 10 s at most.",
        "  0:10  rings  Ringing Rui, for 10 s at most.",
    ]
    assert lines[-1].startswith("  1:18  Ana, Rui rang; it ended at Rui (user ")
    assert lines[-1].endswith("): answered.")
    assert "offhook verify" in said.err


def test_what_a_workflow_would_say_is_given_step_by_step(offhook: Run, lisbon: dict[str, str]) -> None:
    call = ("simulate", "--office", lisbon["Lisbon"], *AT)
    said = offhook(*call, "--workflow-says", '{"action": "hangup"}', "--json")
    assert (said.status, [one["code"] for one in said.json["warnings"]]) == (0, ["workflows_not_asked"])
    assert "takes a JSON object" in offhook(*call, "--workflow-says", "5").err


def test_a_call_is_sent_on_by_who_took_it(offhook: Run, lisbon: dict[str, str]) -> None:
    call = ("simulate", "--office", lisbon["Lisbon"], *AT, "--answer", "everybody")
    said = offhook(*call, "--transfer", "101", "--transfer", "112")
    assert "sent the call on to" in said.out
    assert "where help is called" in said.out
    left = offhook("simulate", "--office", lisbon["Lisbon"], *AT, "--transfer", "101", "--json")
    assert [one["code"] for one in left.json["warnings"]] == ["transfers_not_made"]


def test_an_answer_may_be_everybodys_and_of_single_people(offhook: Run, lisbon: dict[str, str]) -> None:
    call = ("simulate", "--office", lisbon["Lisbon"], *AT, "--json")
    assert offhook(*call).json["outcome"] == "voicemail"
    assert offhook(*call, "--answer", "nobody").json["outcome"] == "voicemail"
    assert offhook(*call, "--answer", "everybody").json["ends_at"]["name"] == "Ana"
    # An address with an @ of its own, with and without seconds.
    assert offhook(*call, "--answer", "rui@example.com").json["ends_at"]["name"] == "Rui"
    assert offhook(*call, "--answer", "ana@example.com@3", "--answer", "rui@example.com").json["seconds"] == 63
    both = offhook(*call, "--answer", "nobody", "--answer", "everybody")
    assert both.status == 1
    assert "contradict" in both.err


def test_a_colleague_dials_an_extension(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("simulate", "101", "--as", "Rui", "--answer", "everybody")
    assert said.out.splitlines()[-1].startswith("  1:04  Ana rang; it ended at Ana")


def test_a_caller_who_gives_up_and_one_who_presses_keys(offhook: Run, lisbon: dict[str, str]) -> None:
    given_up = offhook("simulate", "--office", lisbon["Lisbon"], *AT, "--hang-up", "5", "--json").json
    assert given_up["seconds"] == 5
    pressed = offhook("simulate", "--office", "primary", "--at", "2026-12-23 10:00", "--press", "0", "--json").json
    assert pressed["called"]["name"] == "Head office"


def test_what_is_called_is_one_thing(offhook: Run, lisbon: dict[str, str]) -> None:
    assert "What is called?" in offhook("simulate").err
    assert "What is called?" in offhook("simulate", "+14155550100", "--office", "1").err
    assert "office and department" in offhook("simulate", "--office", "1", "--department", "2").err
    assert "is no id" in offhook("simulate", "--department", "Sales").err
    refused = offhook("simulate", "+14155550100", "--json")
    assert (refused.status, refused.json["error"]["errors"][0]["location"]) == (1, "to")


def test_a_moment_that_the_clock_skips_is_warned_of(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("simulate", "--office", lisbon["Lisbon"], "--at", "2026-03-29 01:30")
    assert "skips 2026-03-29 01:30" in said.err
    scripted = offhook("simulate", "--office", lisbon["Lisbon"], "--at", "2026-03-29 01:30", "--json")
    assert [one["code"] for one in scripted.json["warnings"]] == ["moment_skipped"]


def test_a_sequence_is_written_for_mermaid_and_nothing_else(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("simulate", "--office", lisbon["Lisbon"], *AT, "--mermaid")
    assert said.out.startswith("sequenceDiagram\n")
    assert said.err == ""


def test_the_status_of_a_verification_says_how_bad_it_is(offhook: Run, lisbon: dict[str, str], empty: Path) -> None:
    assert offhook("verify").status == 1, "a new company's head office has no error"
    asks = {"action": "directory", "try_dial_operators": False}
    porto = {name: value for name, value in SMALL.items() if name not in ("name", "monday_hours")}
    porto["routing_options"] = {"open": asks, "closed": {**asks, "action": "voicemail"}}
    (empty / "porto.yaml").write_text(json.dumps({"version": 1, "offices": {"Porto": porto}}))
    assert offhook("apply", "porto.yaml", "--yes").status == 0
    everything = offhook("verify")
    assert everything.status == 2, "the directory of Porto is empty"
    assert "directory_empty" in everything.out
    assert "3 offices verified." in everything.err
    followed = everything.err.split("Next  offhook ")[1].split("   ")[0]
    assert "Porto" in offhook(*followed.split()).out, "what to do next works"
    lisbons = offhook("verify", lisbon["Lisbon"], "--json")
    assert lisbons.status == 1
    assert (lisbons.json["errors"], lisbons.json["offices"]) == (0, 1)
    assert {one["severity"] for one in lisbons.json["findings"]} >= {"warning", "hint"}
    assert offhook("verify", "--json").json["findings"][0]["severity"] == "error", "the worst comes first"


def test_an_office_with_hints_alone_is_well(offhook: Run, lisbon: dict[str, str], empty: Path) -> None:
    days = ("01-01", "04-25", "05-01", "06-10", "08-15", "10-05", "11-01", "12-01", "12-08", "12-25")
    # The holidays without a date of their own are never on a Wednesday.
    hours = dict.fromkeys(("monday", "tuesday", "thursday", "friday"), "closed") | {
        "wednesday": "09:00-12:00 14:00-18:00"
    }
    special = {f"2026-{day}": {"name": "Holiday", "kind": "holiday", "repeats_yearly": True} for day in days}
    office = {"hours": hours, "special_days": special, "phone_numbers": ["+351211234567"]}
    assert offhook("number", "add", "+351211234567").status == 0
    (empty / "well.json").write_text(json.dumps({"version": 1, "offices": {"Lisbon": office}}))
    assert offhook("apply", "well.json", "--yes").status == 0
    said = offhook("verify", lisbon["Lisbon"])
    assert "hours_gap" in said.out
    assert said.status == 0, said.out


def test_an_office_that_is_not_there_is_said(offhook: Run, company: Any) -> None:
    said = offhook("verify", "12345")
    assert said.status == 1
    assert "no office 12345" in said.err


def test_a_week_has_a_row_a_day_and_a_character_each_half_hour(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("coverage", "--department", lisbon["Sales"], "--week-of", "2026-12-24")
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == f"Sales   department {lisbon['Sales']}   Europe/Lisbon"
    # It closes at 12:15: the half hour is shown by its longer, or first, part.
    assert lines[2:6] == [
        "Mon 21 Dec  " + "·" * 48,
        "Tue 22 Dec  " + "·" * 48,
        "Wed 23 Dec  " + "·" * 18 + "#" * 7 + "·" * 23,
        "Thu 24 Dec  " + "·" * 48,
    ]
    assert lines[10].startswith("# somebody rings   k ")


def test_the_hour_that_a_clock_skips_is_empty(offhook: Run, lisbon: dict[str, str]) -> None:
    lines = offhook("coverage", "--department", lisbon["Sales"], "--week-of", "2026-03-29").out.splitlines()
    assert lines[8] == "Sun 29 Mar  ··  " + "·" * 44


def test_a_week_becomes_a_picture(offhook: Run, lisbon: dict[str, str], empty: Path) -> None:
    said = offhook("coverage", lisbon["Lisbon"], "--svg", "week.svg")
    assert said.status == 0, said.err
    assert (empty / "week.svg").read_text().startswith("<svg ")
    assert offhook("coverage", lisbon["Lisbon"], "--svg", "-").out == (empty / "week.svg").read_text()
    assert offhook("coverage", "12345", "--svg", "other.svg").status == 1
    assert not (empty / "other.svg").exists()


def test_a_week_that_is_no_date_is_refused(offhook: Run, company: Any) -> None:
    said = offhook("coverage", "--week-of", "2026-13-40")
    assert said.status == 1
    assert "week_of" in said.err


def test_a_line_is_closed_by_hand_and_goes_by_its_hours_again(offhook: Run, lisbon: dict[str, str]) -> None:
    closed = offhook("line", "close", "--department", lisbon["Sales"], "--reason", "Fire drill")
    assert closed.status == 0, closed.err
    assert "The line is closed." in closed.out
    assert "Fire drill" in closed.out
    assert f"offhook line resume --department {lisbon['Sales']}" in closed.err
    call = offhook("simulate", "--department", lisbon["Sales"]).out
    assert "closed by hand" in call
    opened = offhook("line", "open", "--department", lisbon["Sales"], "--until-next-change", "--json")
    assert opened.json["status"] == "open"
    resumed = offhook("line", "resume", "--department", lisbon["Sales"], "--json")
    assert resumed.json["by_hand"] is False


def test_a_line_by_hand_is_refused_with_its_places(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("line", "close", lisbon["Lisbon"], "--until", "2026-01-01 10:00", "--json")
    assert [one["location"] for one in said.json["error"]["errors"]] == ["until"]
    assert "Which line?" in offhook("line", "close").err


def test_a_line_is_given_a_workflow_to_ask_and_it_is_taken_off(offhook: Run, lisbon: dict[str, str]) -> None:
    Path("welcome.json").write_text(
        json.dumps(
            {"name": "welcome", "version": 1, "tasks": [{"name": "t", "taskReferenceName": "t", "type": "NOOP"}]}
        )
    )
    assert offhook("workflow", "register", "welcome.json").status == 0
    sales = ("--department", lisbon["Sales"])
    shown = offhook("line", "script", "show", *sales)
    assert "none of its actions is scripted_ivr" in shown.out
    said = offhook("line", "script", "set", "welcome", *sales, "--seconds", "8")
    assert (said.status, said.out) == (0, "The line asks welcome, and waits up to 8 s for each step.\n"), said.err
    assert f"offhook line script show --department {lisbon['Sales']}" in said.err
    asks = {"open": {"action": "scripted_ivr", "try_dial_operators": False}}
    Path("change.yaml").write_text(
        f"version: 1\ndepartments: {{Lisbon/Sales: {{routing_options: {json.dumps(asks)}}}}}\n"
    )
    assert offhook("apply", "change.yaml", "--yes").status == 0
    assert offhook("line", "script", "show", *sales, "--json").json == {
        "workflow": "welcome",
        "seconds": 8,
        "asked": ["while open"],
    }
    removed = offhook("line", "script", "remove", *sales)
    assert removed.out == "The line asks no workflow.\n"
    assert "script_missing" in removed.err or "voicemail" in removed.err
    assert "Such calls end in voicemail: no workflow is attached." in offhook("line", "script", "show", *sales).out


def test_a_workflow_that_is_not_registered_is_not_attached(offhook: Run, lisbon: dict[str, str]) -> None:
    said = offhook("line", "script", "set", "nowhere", lisbon["Lisbon"])
    assert said.status == 1
    assert "No workflow of this name is registered" in said.err
    assert "Which line?" in offhook("line", "script", "set", "nowhere").err
