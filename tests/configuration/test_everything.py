"""A company with something of every kind goes into a file and comes out of it the same."""

from typing import Any

import pytest

from offhook.configuration import text
from tests.api.desk import Company
from tests.configuration.files import apply, document, export, lisbon, plan, refused, told

SECRET = "s3cret-" * 8


def everything() -> dict[str, Any]:
    return document(
        offices={
            "Lisbon": lisbon(
                operators=["ana@example.com", "Lisbon/Lobby"],
                licences={"talk_lines": 3, "sell_lines": 1},
                routing_options={
                    "open": {
                        "action": "menu",
                        "try_dial_operators": True,
                        "dtmf": [
                            {"input": "1", "action": "person", "target": "user ana@example.com"},
                            {"input": "2", "action": "bridge_target", "target": "callrouter Lisbon/Night"},
                            {"input": "3", "action": "bridge_target", "target": "contact crm-1815"},
                            {"input": "4", "action": "bridge_target", "target": "coachinggroup Lisbon/New hires"},
                            {"input": "5", "action": "bridge_target", "target": "channel Front desk"},
                            {"input": "6", "action": "department", "target": "department Lisbon/Sales"},
                            {"input": "7", "action": "department", "target": "callcenter Lisbon/Support"},
                        ],
                    }
                },
            ),
        },
        users={
            "ana@example.com": {
                "office": "Lisbon",
                "first_name": "Ana",
                "last_name": "Sousa",
                "job_title": "Head of support",
                "extension": 101,
                "more_emails": ["ana.sousa@example.com"],
                "forwarding_numbers": ["+351912345678"],
                "devices": [{"type": "web", "enabled": False}, {"name": "Desk", "type": "polycom"}],
                "is_super_admin": True,
                "admin_of": ["Lisbon"],
                "e911_address": {
                    "address": "Rua Augusta 100",
                    "city": "Lisboa",
                    "state": "Lisboa",
                    "zip": "1100-053",
                    "country": "PT",
                },
            },
            "rui@example.com": {"office": "Lisbon", "license": "agents", "international_dialing_enabled": True},
            "eva@example.com": {"office": "Lisbon", "first_name": "Eva", "state": "suspended"},
        },
        rooms={"Lisbon/Lobby": {"devices": [{"name": "Counter", "type": "sip"}]}},
        departments={
            "Lisbon/Sales": {
                "group_description": "Sells",
                "hours_on": True,
                "hours": {"friday": "09:00-13:00"},
                "ring_seconds": 15,
                "auto_call_recording": True,
                "voice_intelligence": {"auto_start": False},
                "hold_queue": {"allow_queuing": True, "max_hold_count": 10},
                "routing_options": {
                    "open": {
                        "action": "department",
                        "target": "callcenter Lisbon/Support",
                        "try_dial_operators": True,
                        "operator_routing": "fixedorder",
                    },
                },
                "operators": ["Lisbon/Lobby", {"operator": "ana@example.com", "role": "admin"}],
            },
            "Lisbon/Service": {"routing_options": {"closed": {"action": "department", "target": "office Lisbon"}}},
        },
        callcenters={
            "Lisbon/Support": {
                "hold_queue": {"queue_escape_dtmf": "#", "unattended_queue": True},
                "alerts": {"cc_service_level": 80},
                "advanced_settings": {
                    "auto_call_recording": {"call_recording_inbound": True},
                    "max_wrap_up_seconds": 20,
                },
                "routing_options": {"open": {"action": "department", "target": "department Lisbon/Sales"}},
                "operators": [{"operator": "rui@example.com", "role": "supervisor", "skill": 70}],
            },
        },
        callrouters={
            "Lisbon/Night": {
                "routing_url": "https://example.com/route",
                "default_target": "user ana@example.com",
                "secret": SECRET,
            },
            "Lisbon/Day": {
                "routing_url": "https://example.com/day",
                "default_target": "coachinggroup Lisbon/New hires",
                "enabled": False,
            },
        },
        channels={
            "Front desk": {
                "description": "Who opens",
                "privacy_type": "public",
                "owner": "ana@example.com",
                "members": ["ana@example.com", "rui@example.com"],
            },
        },
        coaching_teams={
            "Lisbon/New hires": {
                "team_description": "First weeks",
                "ring_seconds": 20,
                "members": [
                    {"user": "rui@example.com", "role": "trainee"},
                    {"user": "ana@example.com", "role": "coach"},
                ],
            },
        },
        contacts={
            "crm-1815": {
                "uid": "crm-1815",
                "first_name": "Ada",
                "last_name": "Lovelace",
                "phones": ["+442071838750"],
                "emails": ["ada@example.com"],
            },
            "Charles Babbage": {"first_name": "Charles", "last_name": "Babbage", "owner": "rui@example.com"},
        },
        policies={
            "Hours": {
                "description": "Opening hours of Lisbon",
                "owner": "ana@example.com",
                "target_type": "office",
                "permission_sets": ["business_hours_write"],
                "assignments": [{"user": "rui@example.com", "target": "office Lisbon"}],
            },
            "All of it": {
                "owner": "ana@example.com",
                "permission_sets": ["number_settings_write", "integrations_settings_write"],
                "assignments": ["ana@example.com"],
            },
        },
    )


def test_a_company_with_everything_comes_out_as_it_went_in(company: Company):
    wanted = everything()
    planned = plan(company.live, wanted)
    assert (planned["changed"], planned["deleted"]) == (0, 0)
    assert told(apply(company.live, wanted)) == told(planned)
    exported = export(company.live)
    for section in everything():
        if section in ("version", "offices", "company"):
            continue
        expected = everything()[section]
        if section == "callrouters":
            expected["Lisbon/Night"]["secret"] = "keep"
        if section == "users":
            expected["ana@example.com"]["extension"] = "101"
        if section in ("departments", "callcenters"):
            for record in expected.values():
                for name, state in record.get("routing_options", {}).items():
                    state.setdefault("try_dial_operators", name == "open")
        if section == "callcenters":
            expected["Lisbon/Support"]["operators"][0]["skill"] = "70"
        if section == "policies":
            expected["All of it"]["permission_sets"].sort()
            expected["All of it"]["assignments"] = [{"user": "ana@example.com"}]
        assert exported[section] == expected, section
    assert exported["offices"]["Lisbon"]["licences"] == {"talk_lines": 3, "sell_lines": 1}
    assert SECRET not in str(exported) + str(planned)
    assert text.read(text.write(exported).encode()).value == exported


def test_applying_everything_twice_changes_nothing(company: Company):
    apply(company.live, everything())
    events, exported = company.live.events(), export(company.live)
    assert apply(company.live, everything())["changes"] == []
    assert apply(company.live, exported, prune=True)["changes"] == []
    assert company.live.events() == events
    assert export(company.live) == exported


def test_what_was_exported_makes_the_same_company_elsewhere(company: Company):
    apply(company.live, everything())
    exported = export(company.live)
    other = company.desk.found()
    apply(other.live, exported)
    there = export(other.live)
    # A secret does not travel: the router over there has none until it is given one.
    assert exported["callrouters"]["Lisbon/Night"].pop("secret") == "keep"
    assert there == exported
    assert plan(other.live, exported, prune=True)["differs"] is False


RUI = {"operator": "rui@example.com", "role": "supervisor", "skill": 80}
NIGHT = {"default_target": "office Lisbon", "enabled": False}
HOURS = {"assignments": [], "permission_sets": ["dashboard_and_alerts_write"]}
SALES = {"hold_queue": {"max_hold_count": 20}, "hours": {"monday": "closed"}}
WRAP_UP = {"advanced_settings": {"max_wrap_up_seconds": None}}
CHANGES = [
    ("users", "ana@example.com", {"extension": "102", "job_title": None}, ["job_title", "extension"]),
    ("users", "rui@example.com", {"office": "Head office"}, ["office"]),
    ("users", "eva@example.com", {"state": "active"}, ["state"]),
    ("users", "ana@example.com", {"more_emails": ["a@example.com"], "admin_of": []}, ["more_emails", "admin_of"]),
    ("users", "ana@example.com", {"devices": ["Desk", {"type": "web"}]}, ["devices"]),
    ("users", "ana@example.com", {"devices": None}, ["devices"]),
    ("rooms", "Lisbon/Lobby", {"devices": [{"name": "Counter", "enabled": False}, "Wall"]}, ["devices"]),
    ("callrouters", "Lisbon/Night", NIGHT, ["default_target", "enabled"]),
    ("callrouters", "Lisbon/Night", {"secret": "another-" * 8}, ["secret"]),
    ("callrouters", "Lisbon/Night", {"secret": None}, ["secret"]),
    ("channels", "Front desk", {"members": ["rui@example.com", "ana@example.com"]}, ["members"]),
    ("channels", "Front desk", {"members": ["ana@example.com"]}, ["members"]),
    (
        "coaching_teams",
        "Lisbon/New hires",
        {"members": [{"user": "rui@example.com", "role": "coach"}], "office": "Head office"},
        ["office", "members"],
    ),
    ("contacts", "crm-1815", {"last_name": "King", "phones": None}, ["last_name", "phones"]),
    ("policies", "Hours", HOURS, ["permission_sets", "assignments"]),
    ("offices", "Lisbon", {"licences": {"talk_lines": 5}}, ["licences"]),
    ("offices", "Lisbon", {"operators": ["Lisbon/Lobby", "rui@example.com", "ana@example.com"]}, ["operators"]),
    ("departments", "Lisbon/Sales", {"operators": ["ana@example.com", "Lisbon/Lobby"]}, ["operators"]),
    ("departments", "Lisbon/Sales", SALES, ["hours.monday", "hold_queue.max_hold_count"]),
    ("departments", "Lisbon/Sales", {"routing_options": {"open": None}}, ["routing_options.open"]),
    ("callcenters", "Lisbon/Support", {"operators": [RUI]}, ["operators"]),
    ("callcenters", "Lisbon/Support", {"operators": []}, ["operators"]),
    ("callcenters", "Lisbon/Support", WRAP_UP, ["advanced_settings.max_wrap_up_seconds"]),
]


@pytest.mark.parametrize(("section", "key", "changes", "fields"), CHANGES)
def test_each_change_is_planned_by_name_and_made(
    embedded: Company, section: str, key: str, changes: dict[str, Any], fields: list[str]
):
    apply(embedded.live, everything())
    wanted = document(**{section: {key: changes}})
    if changes.get("office") == "Head office" and section == "users":
        wanted["offices"] = {"Head office": {"licences": {"sell_lines": 1}}}
    planned = plan(embedded.live, wanted)
    ours = [one for one in planned["changes"] if one["section"] == section]
    assert [one["verb"] for one in ours] == ["change"]
    assert [one["field"] for one in ours[0]["fields"]] == fields
    assert apply(embedded.live, wanted)["changes"] == planned["changes"]
    assert plan(embedded.live, wanted)["differs"] is False


def test_an_extension_moves_from_one_to_another_in_one_apply(embedded: Company):
    apply(embedded.live, everything())
    wanted = document(users={"rui@example.com": {"extension": "101"}, "ana@example.com": {"extension": "103"}})
    done = apply(embedded.live, wanted)
    assert told(done) == ["change users ana@example.com: extension", "change users rui@example.com: extension"]


def test_everything_can_be_pruned_again(embedded: Company):
    head = document(offices=export(embedded.live)["offices"])
    empty: dict[str, Any] = {section: {} for section in everything() if section not in ("version", "offices")}
    empty |= {"numbers": {}, "prompts": {}}
    apply(embedded.live, everything())
    apply(embedded.live, {**head, **empty}, prune=True)
    assert {name: len(records) for name, records in export(embedded.live).items() if isinstance(records, dict)} == {
        **dict.fromkeys(empty, 0),
        "company": 2,
        "offices": 1,
    }


def test_faults_of_every_kind_are_named_by_their_path(embedded: Company):
    wanted = everything()
    wanted["users"]["ana@example.com"] |= {"extension": "1", "forwarding_numbers": ["12"]}
    wanted["users"]["rui@example.com"] |= {"office": "Nowhere"}
    wanted["users"]["eva@example.com"] |= {"e911_address": {"city": "Lisboa"}}
    wanted["callrouters"]["Lisbon/Night"] |= {"routing_url": "ftp://x", "default_target": "user nobody@example.com"}
    wanted["contacts"]["crm-1815"]["emails"] = ["nobody"]
    wanted["coaching_teams"]["Lisbon/New hires"]["members"] = [{"user": "eva@example.com", "role": "boss"}]
    wanted["channels"]["Front desk"]["members"] = ["stranger@example.com"]
    wanted["policies"]["Hours"]["assignments"] = [{"user": "eva@example.com", "target": "office Nowhere"}]
    wanted["offices"]["Head office"] = {"licences": {"talk_lines": "many"}}
    wanted["departments"]["Lisbon/Sales"]["operators"] = ["nobody@example.com"]
    wanted["departments"]["Lisbon/Service"]["hold_queue"] = {"max_hold_count": 1000}
    places = refused(embedded.live, wanted).places
    assert set(places) >= {
        "users.ana@example.com.extension",
        "users.ana@example.com.forwarding_numbers[0]",
        "users.rui@example.com.office",
        "callrouters.Lisbon/Night.default_target",
        "contacts.crm-1815.emails[0]",
        "coaching_teams.Lisbon/New hires.members[0].role",
        "channels.Front desk.members[0]",
        "departments.Lisbon/Sales.operators[0]",
        "departments.Lisbon/Service.hold_queue.max_hold_count",
        "offices.Head office.licences.talk_lines",
    }
    assert any(place.startswith("users.eva@example.com.e911_address.") for place in places)


def test_a_line_that_is_lacking_is_said_for_the_user_who_needs_it(embedded: Company):
    wanted = everything()
    wanted["offices"]["Lisbon"].pop("licences")
    assert set(refused(embedded.live, wanted).places) >= {
        "users.ana@example.com.license",
        "users.rui@example.com.license",
    }
