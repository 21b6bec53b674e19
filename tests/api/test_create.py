"""Creating an office: the rules between and beyond the fields, and what is decided where the page is silent."""

from typing import Any

import pytest

from offhook.kit.zones import NAMES
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Api, Company, Desk, changed, full, office, placed, routing, state
from tests.api.seed_fields import ACTIONS, TARGET_TYPES

IN_CANADA = {
    "country": "CA",
    "currency": "CAD",
    "timezone": "America/Toronto",
    "billing_address": {
        "address_line_1": "111 Wellington St",
        "city": "Ottawa",
        "region": "ON",
        "postal_code": "K1A 0A9",
        "country": "CA",
    },
}


def _fields(answer: Any) -> set[tuple[str, str]]:
    return {(warning.code, warning.field) for warning in answer.warnings}


# The office exists


def test_an_office_is_there_from_the_moment_that_the_create_answers(company: Company):
    answer = company.live.made(full())
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"office", "plan"}
    assert company.live.get(f"{OFFICES}/{answer.id}").json == answer.office
    assert company.live.get(f"{OFFICES}/{answer.id}/plan").json == answer.plan
    assert answer.office["id"] == answer.office["office_id"]
    assert answer.office["state"] == "active"
    assert answer.office["is_primary_office"] is False
    assert answer.office["office_settings"] == {
        "allow_device_guest_login": False,
        "block_caller_id_disabled": False,
        "bridged_target_recording_allowed": True,
        "disable_desk_phone_self_provision": False,
        "disable_ivr_voicemail": False,
        "no_recording_message_on_user_calls": False,
        "set_caller_id_disabled": False,
    }


def test_a_refused_create_leaves_nothing_behind(company: Company):
    before = company.live.get(OFFICES).json, company.live.events()
    company.live.refused(office(name="a\nb"))
    company.live.refused(office(mainline_number="+14155550100"))
    company.live.refused(office(routing_options=routing(_to("office", "1"))))
    assert (company.live.get(OFFICES).json, company.live.events()) == before


def test_two_offices_may_have_one_name_and_each_has_its_own_id(company: Company):
    assert company.live.made(office()).id != company.live.made(office()).id


# Ring seconds


@pytest.mark.parametrize("sent", [10, 45, "10", "30", "45", 11, 44])
def test_the_line_may_ring_from_10_to_45_seconds(embedded: Company, sent: Any):
    answer = embedded.live.made(office(ring_seconds=sent))
    assert answer.office["ring_seconds"] == str(sent)


@pytest.mark.parametrize(
    "sent", [9, 46, "9", "46", 0, -30, "-30", 30.5, "30.5", True, "", "thirty", [30], 2**40, str(10**18), 1e300]
)
def test_any_other_ring_seconds_are_refused(embedded: Company, sent: Any):
    assert embedded.live.refused(office(ring_seconds=sent)) == ["ring_seconds"]


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
    assert (code, f"routing_options.open.{field}") in _fields(answer)


def test_a_menu_without_keys_and_a_disabled_state_are_warned_of(embedded: Company):
    answer = embedded.live.made(office(routing_options=routing(state(action="menu"), state(action="disabled"))))
    assert {
        ("menu_without_keys", "routing_options.open.dtmf"),
        ("action_disabled", "routing_options.closed.action"),
    } <= _fields(answer)


# Actions and their targets

TAKES: dict[str, tuple[str, ...]] = {
    "department": ("office", "department", "callcenter"),
    "person": ("user",),
    "bridge_target": tuple(kind for kind in TARGET_TYPES if kind != "unknown"),
    "voicemail": ("user", "department", "callcenter", "office"),
}
NEEDS = ("department", "person", "bridge_target")


def _to(kind: str | None, target: Any, action: str = "bridge_target") -> dict[str, Any]:
    return state(action=action, action_target_type=kind, action_target_id=target)


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
    answer = embedded.live.dry(office(routing_options=make(_to(None, None, action))))
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
    answer = embedded.live.dry(office(routing_options=make(_to(kind, target, action))))
    if action not in TAKES:
        assert answer.status == 200
        assert ("target_ignored", f"{place}.action_target_id") in _fields(answer)
    elif kind == "unknown":
        assert answer.status == 200
        assert ("target_unknown", f"{place}.action_target_type") in _fields(answer)
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
    answer = embedded.live.made(office(routing_options=routing(_to("user", 5, "directory"))))
    assert answer.office["routing_options"]["open"] == {
        "action": "directory",
        "try_dial_operators": True,
        "operator_routing": "simultaneous",
    }


@pytest.mark.parametrize("where", WHERE)
def test_a_target_comes_back_as_it_was_sent_with_its_id_as_a_string(company: Company, where: str):
    make, place = WHERE[where]
    for target in (company.office_ids["live"], str(company.office_ids["live"])):
        answer = company.live.made(office(routing_options=make(_to("office", target, "department"))))
        here: Any = answer.office
        for step in place.replace("[0]", ".0").split("."):
            here = here[int(step) if step == "0" else step]
        assert here["action_target_type"] == "office"
        assert here["action_target_id"] == str(target)


@pytest.mark.parametrize("target", [0, -1, "0", "-5", "abc", "", "1.5", "12345678901234567890", 2**63])
def test_what_cannot_be_an_id_is_refused(embedded: Company, target: Any):
    body = office(routing_options=routing(_to("office", target)))
    assert embedded.live.refused(body) == ["routing_options.open.action_target_id"]


@pytest.mark.parametrize(("kind", "action"), [("unknown", "bridge_target"), ("user", "operator"), (None, "directory")])
def test_a_target_id_that_is_no_integer_is_refused_even_where_it_is_not_used(
    embedded: Company, kind: str | None, action: str
):
    body = office(routing_options=routing(_to(kind, "seven", action)))
    assert embedded.live.refused(body) == ["routing_options.open.action_target_id"]


def test_a_target_must_be_the_companys_own_and_still_there(company: Company):
    other = company.desk.found()
    gone = company.live.made(office()).id
    assert company.live.delete(f"{WHOLE}/{gone}").status == 200
    for target in (str(other.office_ids["live"]), str(company.office_ids["sandbox"]), gone, "1", str(2**63 - 1)):
        body = office(routing_options=routing(_to("office", target), _to("office", target, "department")))
        for answer in (company.live.create(body), company.live.dry(body)):
            assert answer.places == [
                "routing_options.closed.action_target_id",
                "routing_options.open.action_target_id",
            ]
            assert {entry["reason"] for entry in answer.errors} == {"notFound"}


def test_calls_that_can_go_round_are_warned_of(company: Company):
    first = company.live.made(office(name="First")).id
    second = company.live.made(office(name="Second", routing_options=routing(_to("office", first)))).id
    assert "target_loop" not in company.live.dry(office(routing_options=routing(_to("office", second)))).codes
    answer = company.live.put(f"{WHOLE}/{first}", office(name="First", routing_options=routing(_to("office", second))))
    assert "target_loop" in answer.codes
    third = company.live.made(office(name="Third", routing_options=routing(_to("office", second))))
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


# Hours


@pytest.mark.parametrize(
    "hours",
    [
        ["08:00", "18:00"],
        ["00:00", "24:00"],
        ["08:00", "12:00", "12:00", "18:00"],
        ["22:00", "02:00"],
        ["08:00", "12:00", "22:00", "02:00"],
        ["09:00", "09:00"],
        ["00:00", "00:01"],
        [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")],
    ],
)
def test_hours_come_back_as_they_were_sent(embedded: Company, hours: list[str]):
    for day in ("monday_hours", "sunday_hours"):
        assert embedded.live.made(office(**{"hours_on": True, day: hours})).office[day] == hours


@pytest.mark.parametrize(
    ("hours", "entries"),
    [
        (["08:00"], [0]),
        (["08:00", "12:00", "14:00"], [2]),
        (["8:00", "18:00"], [0]),
        (["08:00", "18:60"], [1]),
        (["08:00", "24:01"], [1]),
        (["24:00", "08:00"], [0]),
        (["08:00", "25:00"], [1]),
        (["08:00:00", "18:00"], [0]),
        (["08:00 ", " 18:00"], [0, 1]),
        (["", "18:00"], [0]),
        (["٠٨:٠٠", "18:00"], [0]),
        (["08.00", "18:00"], [0]),
        (["14:00", "18:00", "08:00", "12:00"], [2]),
        (["08:00", "13:00", "12:00", "18:00"], [2]),
        (["22:00", "02:00", "08:00", "12:00"], [1]),
        (["08:00", "18:00", "18:00", "12:00", "19:00", "20:00"], [3]),
    ],
)
def test_a_bad_list_is_refused_and_the_entry_is_named(embedded: Company, hours: list[str], entries: list[int]):
    for on in (True, False, None):
        assert embedded.live.refused(office(hours_on=on, tuesday_hours=hours)) == [
            f"tuesday_hours[{entry}]" for entry in entries
        ]


@pytest.mark.parametrize("entries", [50, 96, 98, 5000])
def test_a_list_longer_than_a_day_can_need_is_refused(embedded: Company, entries: int):
    assert embedded.live.refused(office(hours_on=True, friday_hours=["08:00"] * entries)) == ["friday_hours"]


def test_an_empty_list_closes_the_day(embedded: Company):
    assert "monday_hours" not in embedded.live.made(office(hours_on=True, monday_hours=[])).office


def test_hours_are_kept_and_ignored_and_warned_of_while_hours_on_is_false(embedded: Company):
    for on in (False, None):
        body = office(hours_on=on, monday_hours=["09:00", "10:00"])
        answer = embedded.live.made(body)
        assert ("hours_ignored", "monday_hours") in _fields(answer)
        assert answer.office["monday_hours"] == ["09:00", "10:00"]
        assert answer.office["availability_status"] == "open"
    assert "hours_ignored" not in embedded.live.made(office(hours_on=False, monday_hours=None)).codes
    assert "hours_ignored" not in embedded.live.made(office(hours_on=True)).codes


def test_an_office_that_never_opens_and_nights_that_run_into_the_morning_are_warned_of(embedded: Company):
    never: dict[str, Any] = {f"{day}_hours": [] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    assert ("never_open", "hours_on") in _fields(embedded.live.made(office(hours_on=True) | never))
    body = office(hours_on=True, monday_hours=["20:00", "09:00"], tuesday_hours=["08:00", "18:00"])
    assert ("hours_overlap", "monday_hours") in _fields(embedded.live.made(body))


# Time zones


@pytest.mark.parametrize("name", ["US/Pacific", "Asia/Calcutta", "GB", "UTC", "EST5EDT", "Europe/Kyiv", "Etc/GMT+12"])
def test_any_name_of_the_tz_database_is_taken_links_included(embedded: Company, name: str):
    assert name in NAMES
    answer = embedded.live.made(office(timezone=name))
    assert answer.office["timezone"] == name
    assert "timezone_default" not in answer.codes


@pytest.mark.parametrize(
    "name", ["", "Lisbon", "europe/lisbon", "Europe/Lisbon ", "../etc/passwd", "/etc/localtime", "localtime", "PDT",
             "GMT+25:00", "Europe", "posixrules", "x" * 64, "x" * 65]
)  # fmt: skip
def test_no_other_zone_is_taken(embedded: Company, name: str):
    assert embedded.live.refused(office(timezone=name)) == ["timezone"]


def test_a_zone_that_is_almost_right_gets_a_hint(embedded: Company):
    answer = embedded.live.create(office(timezone="lisbon"))
    assert "Europe/Lisbon" in answer.errors[0]["message"]


def test_without_a_zone_the_countrys_only_one_is_taken(embedded: Company):
    answer = embedded.live.made(office(country="IT", timezone=None))
    assert answer.office["timezone"] == "Europe/Rome"
    assert ("timezone_default", "timezone") in _fields(answer)


def test_without_a_zone_and_with_several_to_choose_from_the_primary_offices_is_taken(company: Company):
    answer = company.live.made(office(timezone=None))
    assert answer.office["timezone"] == "America/Los_Angeles"
    assert any("America/Los_Angeles" in w.text for w in answer.warnings if w.code == "timezone_default")


def test_the_primary_offices_zone_is_its_newest(company: Company):
    company.live.made(office())
    primary = company.office_ids["live"]
    assert company.live.put(f"{WHOLE}/{primary}", full(timezone="America/Denver")).status == 200
    assert company.live.made(office(timezone=None)).office["timezone"] == "America/Denver"


def test_a_zone_of_another_country_is_taken_with_a_warning(embedded: Company):
    assert ("timezone_elsewhere", "timezone") in _fields(embedded.live.made(office(timezone="Asia/Tokyo")))
    assert "timezone_elsewhere" not in embedded.live.made(office(timezone="Atlantic/Madeira")).codes


# Emergency addresses


@pytest.mark.parametrize("country", ADDRESSES)
def test_six_countries_demand_an_emergency_address(embedded: Company, country: str):
    without = office(country=country)
    answer = embedded.live.create(without)
    assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [("e911_address", "required")]
    assert embedded.live.refused(without | {"use_same_address": False}) == ["e911_address"]
    answer = embedded.live.made(without | {"e911_address": ADDRESSES[country]})
    assert answer.office["e911_address"] == ADDRESSES[country] | {"country": country.lower()}


@pytest.mark.parametrize("country", ["PT", "DE", "PR", "JP", "IE", "MX", "DP"])
def test_elsewhere_an_office_can_do_without(embedded: Company, country: str):
    assert "e911_address" not in embedded.live.made(office(country=country)).office


def test_an_emergency_address_lies_in_the_offices_country(embedded: Company):
    body = office(country="CA", e911_address=ADDRESSES["US"])
    assert embedded.live.refused(body) == ["e911_address.country"]
    assert embedded.live.refused(office(country="PT", e911_address=ADDRESSES["FR"])) == ["e911_address.country"]


@pytest.mark.parametrize("line", ["PO Box 12", "P.O. Box 99", "Post Office Box 7", "po box 1"])
def test_help_cannot_be_sent_to_a_po_box(embedded: Company, line: str):
    for name in ("address", "address2"):
        body = office(country="US", e911_address=ADDRESSES["US"] | {name: line})
        assert embedded.live.refused(body) == [f"e911_address.{name}"]
    boxed = placed(changed(office(), IN_CANADA), "billing_address.address_line_1", line)
    assert embedded.live.create(boxed | {"e911_address": ADDRESSES["CA"]}).status == 200
    assert embedded.live.refused(boxed | {"use_same_address": True}) == ["billing_address.address_line_1"]


def test_the_billing_address_can_be_the_emergency_address(company: Company):
    answer = company.live.made(changed(office(), IN_CANADA) | {"use_same_address": True})
    assert answer.office["e911_address"] == {
        "address": "111 Wellington St",
        "city": "Ottawa",
        "state": "ON",
        "zip": "K1A 0A9",
        "country": "ca",
    }
    assert company.live.get(f"{WHOLE}/{answer.id}").office["use_same_address"] is True


def test_use_same_address_with_another_address_is_refused_and_with_the_same_is_fine(embedded: Company):
    body = changed(office(), IN_CANADA) | {"use_same_address": True}
    same = ADDRESSES["CA"]
    assert embedded.live.create(body | {"e911_address": same}).status == 200
    assert embedded.live.create(body | {"e911_address": same | {"zip": "k1a0a9"}}).status == 200
    assert embedded.live.refused(body | {"e911_address": same | {"address": "1 Other Street"}}) == ["use_same_address"]


def test_use_same_address_needs_a_billing_address_in_the_offices_country(embedded: Company):
    assert embedded.live.refused(full(e911_address=None, use_same_address=True, country="CA", currency="CAD")) == [
        "billing_address.country"
    ]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("billing_address.postal_code", "9410"),
        ("billing_address.region", "XX"),
        ("billing_address.country", "XX"),
        ("billing_address.country", "United States"),
        ("e911_address.zip", "K1A 0A9"),
        ("e911_address.state", "Bavaria"),
        ("e911_address.country", "USA"),
        ("billing_contact.email", "not an address"),
        ("billing_contact.email", "a@b"),
        ("billing_contact.email", "a@example.com\n"),
        ("billing_contact.phone", "123"),
        ("billing_contact.phone", "+1415555"),
        ("billing_contact.phone", "call me"),
        ("group_description", "x" * 257),
        ("group_description", "a\0b"),
        ("group_description", "x" * 5000),
        ("mainline_number", "4155550100"),
        ("mainline_number", "+1 415 555 0100"),
        ("mainline_number", "+14155550100 ext. 5"),
        ("mainline_number", "+1"),
    ],
)
def test_a_part_that_breaks_its_countrys_or_its_kinds_rules_is_named(embedded: Company, path: str, wrong: str):
    assert embedded.live.refused(placed(full(), path, wrong)) == [path]


def test_what_is_written_loosely_is_put_in_order(embedded: Company):
    body = placed(full(), "billing_contact.phone", "(415) 555-0142")
    body = placed(body, "billing_contact.email", "Billing@EXAMPLE.com")
    answer = embedded.live.made(body)
    contact = embedded.live.get(f"{WHOLE}/{answer.id}").office["billing"]["contact"]
    assert contact == {"name": "Ana Sousa", "email": "Billing@example.com", "phone": "+14155550142"}


@pytest.mark.parametrize("text", ["", "x" * 256, "two\nlines\twith a tab\r\n", "🏢" * 256, "  spaces kept  "])
def test_a_description_may_have_lines_and_256_characters(embedded: Company, text: str):
    answer = embedded.live.made(office(group_description=text))
    assert embedded.live.get(f"{WHOLE}/{answer.id}").office["group_description"] == text


# Billing


def test_a_unified_invoice_has_one_currency(company: Company):
    assert company.live.refused(office(unified_billing=True, currency="EUR")) == ["currency"]
    answer = company.live.made(office(unified_billing=True, currency="USD"))
    billing = company.live.get(f"{WHOLE}/{answer.id}").office["billing"]
    assert billing["invoice_office_id"] == str(company.office_ids["live"])
    alone = company.live.made(office(unified_billing=False, currency="EUR"))
    billing = company.live.get(f"{WHOLE}/{alone.id}").office["billing"]
    assert billing["invoice_office_id"] == alone.id


@pytest.mark.parametrize(("invoiced", "payment"), [(True, "invoice"), (False, "card")])
def test_invoiced_says_how_it_is_paid(embedded: Company, invoiced: bool, payment: str):
    answer = embedded.live.made(office(invoiced=invoiced))
    assert embedded.live.get(f"{WHOLE}/{answer.id}").office["billing"]["payment"] == payment


def test_a_yearly_plan_with_an_annual_commitment_is_invoiced_monthly_and_said_so(desk: Desk):
    company = desk.found("2026-01-15T12:00:00Z")
    caller = company.sandbox.at("2026-03-20T12:00:00Z")
    both = caller.made(office(plan_period="yearly", annual_commit_monthly_billing=True))
    assert ("billed_monthly", "plan_period") in _fields(both)
    assert both.plan["next_billing_date"] == _ms("2026-04-15T00:00:00Z")
    for period, due in (("yearly", "2027-03-15T00:00:00Z"), ("monthly", "2026-04-15T00:00:00Z")):
        answer = caller.made(office(plan_period=period, annual_commit_monthly_billing=False))
        assert "billed_monthly" not in answer.codes
        assert answer.plan["next_billing_date"] == _ms(due)


def _ms(moment: str) -> str:
    from datetime import datetime

    return str(int(datetime.fromisoformat(moment).timestamp()) * 1000)


def test_the_plan_starts_empty_at_the_billing_address(company: Company):
    answer = company.live.made(full())
    lines = {name: value for name, value in answer.plan.items() if name.endswith("_lines")}
    assert len(lines) == 10
    assert set(lines.values()) == {"0"}
    assert answer.plan["balance"] == "0.0000"
    assert answer.plan["ppu_address"] == full()["billing_address"] | {"country": "us"}


# What was ignored


def test_unknown_fields_are_accepted_and_named_wherever_they_stand(company: Company):
    body = office(
        colour="blue",
        billing_contact={"email": "a@example.com", "name": "A", "fax": "1"},
        routing_options=routing(state(dtmf=[{"input": "1", "options": {"action": "operator", "sound": 1}, "x": None}])),
        voice_intelligence={"language": "en"},
    )
    body["billing_address"]["planet"] = "Earth"
    answer = company.live.made(body)
    assert {w.field for w in answer.warnings if w.code == "unknown_field"} == {
        "colour",
        "billing_contact.fax",
        "billing_address.planet",
        "routing_options.open.dtmf[0].x",
        "routing_options.open.dtmf[0].options.sound",
        "voice_intelligence.language",
    }


def test_many_unknown_fields_are_counted_rather_than_listed(embedded: Company):
    answer = embedded.live.made(office(**{f"field_{index}": 1 for index in range(500)}))
    found = [w for w in answer.warnings if w.code == "unknown_field"]
    assert len(found) == 21
    assert "480" in found[-1].text


@pytest.mark.parametrize("name", ["na\r\nx-evil: 1", "ü", "a; b", "\u2028", "🏢", "x" * 5000, ""])
def test_the_name_of_an_unknown_field_cannot_break_a_header(embedded: Company, name: str):
    answer = embedded.live.made(office() | {name: 1})
    assert "x-evil" not in answer.headers
    assert "unknown_field" in answer.codes


def test_an_office_without_a_number_is_warned_of(embedded: Company):
    for number in (None, ""):
        body = office() if number is None else office() | {"mainline_number": number}
        answer = embedded.live.made(body)
        assert ("no_number", "mainline_number") in _fields(answer)
        assert "phone_numbers" not in answer.office


# All at once


def test_every_rule_that_a_body_breaks_is_named_in_one_refusal(company: Company):
    body = full(
        name="a\nb",
        timezone="Lisbon",
        ring_seconds=9,
        currency="EUR",
        unified_billing=True,
        monday_hours=["08:00"],
        group_description="x" * 300,
        mainline_number="555",
        use_same_address=False,
    )
    body = placed(body, "billing_contact.email", "nobody")
    body = placed(body, "billing_address.postal_code", "1")
    body = placed(body, "e911_address.address", "PO Box 1")
    body = placed(body, "routing_options.open.dtmf[1].input", "0")
    body = placed(body, "routing_options.closed.action", "person")
    expected = [
        "billing_address.postal_code",
        "billing_contact.email",
        "currency",
        "e911_address.address",
        "group_description",
        "mainline_number",
        "monday_hours[0]",
        "name",
        "ring_seconds",
        "routing_options.closed.action_target_type",
        "routing_options.open.dtmf[1].input",
        "timezone",
    ]
    assert company.live.refused(body) == expected
    # And with faults of type among them, still all.
    mistyped = placed(placed(body, "invoiced", "yes"), "tuesday_hours", [8, 18]) | {"plan_period": None}
    assert company.live.refused(mistyped) == sorted(
        [*expected, "invoiced", "plan_period", "tuesday_hours[0]", "tuesday_hours[1]"]
    )


def test_an_empty_body_is_asked_for_all_that_is_required(embedded: Company):
    assert embedded.live.refused({}) == [
        "annual_commit_monthly_billing",
        "billing_address",
        "country",
        "currency",
        "invoiced",
        "name",
        "plan_period",
        "unified_billing",
    ]


def test_numbers_and_targets_that_are_not_there_are_named_together(company: Company):
    body = office(mainline_number="+14155550100", routing_options=routing(_to("office", "1")))
    for answer in (company.live.create(body), company.live.dry(body)):
        assert answer.places == ["mainline_number", "routing_options.open.action_target_id"]


ECHOES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an address part and use_same_address": (
        placed(changed(office(), IN_CANADA) | {"use_same_address": True, "e911_address": ADDRESSES["CA"]},
               "e911_address.city", 5),
        ["e911_address.city"],
    ),
    "an action and its target": (
        office(routing_options=routing(state(action="bogus", action_target_type="room", action_target_id=5))),
        ["routing_options.open.action"],
    ),
    "routing options and the older form": (
        office(routing_options="none", no_operators_action="department"),
        ["routing_options"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("echo", ECHOES)
def test_one_fault_is_not_reported_a_second_time_as_another(embedded: Company, echo: str):
    body, places = ECHOES[echo]
    assert embedded.live.refused(body) == places


# Dry runs


def test_a_dry_run_runs_every_check_and_stores_nothing(company: Company):
    caller: Api = company.sandbox
    before = caller.get(OFFICES).json, caller.events(), caller.get("/api/v2/company").json
    body = full(mainline_number=company.numbers[0], colour="blue")
    answer = caller.dry(body)
    assert answer.status == 200
    assert answer.json["dry_run"] is True
    assert answer.office["phone_numbers"] == [company.numbers[0]]
    assert "next_billing_date" in answer.plan
    assert [w["field"] for w in answer.json["warnings"]] == [w.field for w in answer.warnings]
    assert "colour" in [w["field"] for w in answer.json["warnings"]]
    assert (caller.get(OFFICES).json, caller.events(), caller.get("/api/v2/company").json) == before
    assert caller.get(f"{OFFICES}/{answer.id}").status == 404
    # The number is still free, so the create itself goes through, and after it the dry run says no.
    assert caller.made(body).office["phone_numbers"] == [company.numbers[0]]
    assert caller.dry(body).status == 409
    assert caller.dry(full(name="")).status == 400
    assert caller.dry(full(mainline_number="+14155559999")).status == 400


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_the_dry_run_header_is_a_boolean_in_any_case(embedded: Company, value: str):
    assert embedded.live.create(headers={"offhook-dry-run": value}).json["dry_run"] is True


@pytest.mark.parametrize("value", ["false", "False", ""])
def test_a_dry_run_that_is_not_asked_for_is_none(embedded: Company, value: str):
    assert "dry_run" not in embedded.live.create(headers={"offhook-dry-run": value}).json


@pytest.mark.parametrize("value", ["maybe", "1", "yes", "true, true"])
def test_a_dry_run_header_that_is_no_boolean_is_refused_rather_than_taken_for_false(embedded: Company, value: str):
    answer = embedded.live.create(headers={"offhook-dry-run": value})
    assert answer.status == 400
    assert answer.places == ["Offhook-Dry-Run"]


def test_a_dry_run_shows_the_coming_week_and_the_next_change_as_of_the_callers_clock(company: Company):
    body = office(
        hours_on=True, timezone="Europe/Lisbon", monday_hours=["09:00", "12:30", "14:00", "18:00"], tuesday_hours=[],
        wednesday_hours=[], thursday_hours=[], friday_hours=[],
    )  # fmt: skip
    answer = company.sandbox.at("2026-07-05T12:00:00Z").dry(body)
    assert answer.office["availability_status"] == "closed"
    assert [(period["start"], period["end"]) for period in answer.json["opening_periods"]] == [
        ("2026-07-06T09:00:00+01:00", "2026-07-06T12:30:00+01:00"),
        ("2026-07-06T14:00:00+01:00", "2026-07-06T18:00:00+01:00"),
    ]
    assert answer.json["next_change"] == {"at": "2026-07-06T09:00:00+01:00", "to": "open"}
