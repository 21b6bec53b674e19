"""Verification finds how callers would be lost, shows it with a call that really goes that way, and is silent else."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from bench import verification as bench
from offhook.directory.lines.model import Target
from offhook.hours.model import SpecialDay
from offhook.routing import strategies
from offhook.routing.decide import decide
from offhook.routing.findings import CODES, Finding, Place, arranged, natural, render, report
from offhook.routing.model import Choice, Company, Operator, Router
from offhook.routing.plan import (
    Ask,
    AskScript,
    Event,
    Gather,
    Incoming,
    NotAnswered,
    Pressed,
    Reserve,
    Reserved,
    Ring,
    Told,
)
from offhook.routing.state import CallState, new_call
from offhook.routing.verify import HORIZON, Verification, quick, verify, verify_line, verify_office
from tests.routing.companies import by_hand, hours, line, routing, user
from tests.routing.faults import (
    ANA,
    GOOD,
    HOURS,
    NOW,
    OFFICE,
    PLANTED,
    SALES,
    SUPPORT,
    WORKDAYS,
    Planted,
    acme,
    holidays,
    main,
    sales,
    support,
    to,
)

NAMES = [f"{index}-{one.code}" for index, one in enumerate(PLANTED)]


def called(config: Company, target: Target, at: int, keys: Sequence[str]) -> CallState:
    """A call, decided step by step here: keys in turn, then silence; nobody answers and no service does."""
    left = list(keys)
    state, verbs = decide(config, new_call("test", 7), Incoming(at, target=target))
    event: Event
    for _ in range(300):
        match verbs[-1]:
            case Gather() as gather:
                event = Pressed(state.now + 500, left.pop(0)) if left else Pressed(state.now + gather.seconds * 1000)
            case Reserve(members=members, tried=tried, count=count) as wait if members:
                picked = strategies.pick(members, tried, strategies.Facts(), count)
                event = Reserved(state.now, picked.chosen, again=picked.again)
            case Reserve() as wait:
                event = Reserved(state.now + wait.seconds * 1000)
            case Ring() as ring:
                event = NotAnswered(state.now + ring.seconds * 1000)
            case Ask() | AskScript():
                event = Told(state.now + 3000, fault="no answer")
            case _:
                return state
        state, verbs = decide(config, state, event)
    raise AssertionError("the call did not end")


def found_in(planted: Planted) -> tuple[Company, list[Finding]]:
    config = planted.make()
    if 1 not in config.offices:
        return config, verify_line(config, planted.target, NOW)
    return config, verify_office(config, 1, NOW)


@pytest.mark.parametrize("planted", PLANTED, ids=NAMES)
def test_a_planted_fault_is_found_in_its_place_with_a_call_that_shows_it(planted: Planted):
    config, found = found_in(planted)
    here = [
        one
        for one in found
        if (one.code, one.where.type, one.where.id) == (planted.code, planted.target.type, str(planted.target.id))
        and (one.where.field == planted.field or planted.field == "")
    ]
    assert len(here) == 1, render(found)
    (one,) = here
    assert one.severity in CODES[one.code]
    assert not planted.severity or one.severity == planted.severity
    assert planted.says in one.what
    assert not planted.when or one.when == planted.when
    assert one.mend
    if planted.shows:
        assert one.example is not None
        assert not planted.keys or one.example.keys == tuple(planted.keys)
        at = datetime.fromisoformat(one.example.at)
        assert NOW - timedelta(minutes=1) <= at < NOW + timedelta(days=366)
        target = Target(one.example.type, int(one.example.id))
        state = called(config, target, int(at.timestamp() * 1000), one.example.keys)
        assert planted.shows in {reason.code for reason in state.reasons}
        if state.phase == "voicemail":
            assert "voicemail" in one.example.text


def test_every_code_is_planted():
    assert set(CODES) - {one.code for one in PLANTED} == {"more_findings"}
    assert len(PLANTED) >= 30


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_wrong_with_a_good_office(name: str):
    make, hints = GOOD[name]
    found = verify_office(make(), 1, NOW)
    assert [one for one in found if one.severity != "hint"] == [], render(found)
    assert {one.code for one in found} <= hints, render(found)


@pytest.mark.parametrize("planted", PLANTED, ids=NAMES)
def test_a_fault_is_not_told_of_an_office_that_has_none(planted: Planted):
    assert planted.code not in {one.code for one in verify_office(acme(), 1, NOW)}


def test_the_example_says_what_the_caller_meets():
    short = hours([["08:00", "12:00", "14:00", "18:00"]] * 5 + [[], []], days=holidays())
    (one,) = verify(acme(support(schedule=short)), OFFICE, NOW)
    assert one.example is not None
    assert one.example.text == (
        "A caller to Acme on Thu 2026-11-26 12:30 who presses 2 hears “Support is closed. Please leave a message after "
        "the tone.” and ends in the voicemail of Support."
    )
    assert one.mend.startswith("PUT /api/offhook/v1/offices/1: routing_options.open.dtmf[2]")


def test_a_place_is_the_field_that_was_sent():
    there = "routing_options.open.dtmf[7].options.action_target_id"
    config = acme(main(keys={"5": Choice("person", Target("user", 99), there)}))
    assert [one.where.field for one in verify(config, OFFICE, NOW)] == [there]


def test_a_holiday_that_only_the_department_keeps_is_found_on_its_day():
    day = SpecialDay(holidays()[0].date.replace(year=2027, month=6, day=14), "holiday", "Feast of the department")
    (one,) = verify(acme(sales(schedule=hours(WORKDAYS, days=(*holidays(), day)))), OFFICE, NOW)
    assert (one.code, one.when) == ("target_closed", "on 2027-06-14")
    assert one.example is not None
    assert one.example.at.startswith("2027-06-14T08:30")


def test_an_hour_that_two_zones_have_in_common_only_in_summer_is_told_apart():
    """Lisbon puts its clocks forward, Cape Verde does not: the desk there opens an hour later, by Lisbon's clock."""
    desk = sales(schedule=hours([["07:00", "17:00"]] * 5 + [[], []], "Atlantic/Cape_Verde"))
    config = acme(main(schedule=hours(WORKDAYS)), desk, support(schedule=hours(WORKDAYS)))
    (one,) = [one for one in verify(config, OFFICE, NOW) if one.code == "target_closed"]
    assert one.when == "every weekday 08:00-09:00"
    assert one.example is not None
    assert one.example.at.startswith("2027-03-29T08:30:00+01:00")


def test_a_night_that_runs_into_the_next_day_is_cut_where_it_ends():
    bar = sales(schedule=hours([["18:00", "02:00"]] * 7))
    config = acme(main(schedule=hours()), bar)
    (one,) = [one for one in verify(config, OFFICE, NOW) if one.where.field == "routing_options.open.dtmf[1]"]
    assert (one.code, one.severity, one.when) == ("target_closed", "hint", "every day 02:00-18:00")


@pytest.mark.parametrize("planted", [one for one in PLANTED if one.code == "target_loop"], ids=lambda one: one.field)
def test_calls_that_go_round_are_told_once_and_as_nothing_else(planted: Planted):
    assert [one.code for one in verify(planted.make(), OFFICE, NOW) if one.severity != "hint"] == ["target_loop"]


def test_a_key_is_named_only_for_the_line_whose_key_it_is():
    gone = routing("person", Target("user", 99), operators=False, keys={"1": to("user", 1, "person")})
    found = [one for one in verify(acme(sales(open=gone)), OFFICE, NOW) if one.code == "target_gone"]
    assert [(one.where.field, one.what.partition(":")[0]) for one in found] == [("routing_options.open", "Sales, open")]


def test_a_line_closed_by_hand_for_an_hour_is_closed_then_and_not_later():
    until = int(datetime(2026, 11, 26, 11, tzinfo=UTC).timestamp() * 1000)
    config = acme(sales(by_hand=by_hand(False, 0, until, "until 11:00")))
    (one,) = verify(config, OFFICE, NOW)
    assert (one.code, one.when) == ("target_closed", "on 2026-11-26")
    tomorrow = NOW + timedelta(days=1)
    assert verify(config, OFFICE, tomorrow) == []


def test_a_fault_behind_two_menus_is_shown_with_both_keys():
    inner = routing("menu", operators=False, keys={"3": to("user", 99, "person"), "4": to("user", 1, "person")})
    (one,) = verify(acme(sales(open=inner)), OFFICE, NOW)
    assert (one.where.type, one.where.id, one.code) == ("department", "2", "target_gone")
    assert one.example is not None
    assert one.example.keys == ("1", "3")


def test_menus_that_lead_back_are_no_loop():
    back = routing("menu", operators=False, keys={"9": to("office", 1), "1": to("user", 1, "person")})
    assert verify(acme(sales(open=back), support(open=back)), OFFICE, NOW) == []


def test_a_department_that_passes_its_nights_on_to_somebody_is_well():
    nights = routing("person", Target("user", 1), operators=False)
    center = sales(schedule=hours([["09:00", "17:00"]] * 5 + [[], []], days=holidays()), closed=nights)
    assert verify(acme(center), OFFICE, NOW) == []


def test_two_menus_that_only_lead_to_each_other_reach_nobody():
    config = acme(
        main(open=routing("menu", operators=False, keys={"1": to("department", 2)})),
        sales(open=routing("menu", operators=False, keys={"1": to("office", 1)})),
    )
    found = [(one.code, one.where.id) for one in verify(config, OFFICE, NOW)]
    assert found == [("menu_only_voicemail", "1"), ("menu_only_voicemail", "2")]


def test_a_menu_that_reaches_nobody_at_night_only_is_a_hint():
    config = acme(main(schedule=hours(), open=routing("menu", operators=False, keys={"1": to("department", 2)})))
    (one,) = [one for one in verify(config, OFFICE, NOW) if one.code == "menu_only_voicemail"]
    assert one.severity == "hint"
    assert one.when.startswith("every weekday 00:00-08:00 and 18:00-24:00")


def test_the_findings_are_the_same_each_time_and_the_gravest_come_first():
    config = acme(main(keys={"5": to("user", 99, "person"), "6": Choice("disabled")}), sales(operators=()), numbers={})
    found = verify_office(config, 1, NOW)
    assert found == verify_office(config, 1, NOW)
    assert [one.code for one in found] == [
        "target_gone",
        "no_number",
        "menu_key_disabled",
        "group_empty",
        "voicemail_unread",
    ][:4]


def test_fields_are_ordered_as_people_count():
    assert sorted(["dtmf[10]", "dtmf[2]", "action"], key=natural) == ["action", "dtmf[2]", "dtmf[10]"]


def test_findings_of_one_line_come_in_the_order_of_its_keys():
    places = {key: f"routing_options.open.dtmf[{number}]" for key, number in (("1", 10), ("2", 2), ("3", 3))}
    keys = {key: Choice("person", Target("user", 99), place) for key, place in places.items()}
    config = acme(sales(open=routing("menu", operators=False, keys={"9": to("user", 1, "person"), **keys})))
    fields = [one.where.field for one in verify(config, SALES, NOW) if one.code == "target_gone"]
    assert fields == [places["2"], places["3"], places["1"]]


def test_the_example_of_a_lunch_is_no_holiday():
    lunch = [["08:00", "12:00", "13:00", "18:00"], [], [], [], [], [], []]
    monday = SpecialDay(date(2026, 11, 30), "override", "Open at noon", ((480, 1080),))
    config = acme(main(schedule=hours(lunch, days=(monday, *holidays()))), sales(), support())
    (one,) = [one for one in verify(config, OFFICE, NOW) if one.code == "hours_gap"]
    assert one.when == "Mondays 12:00-13:00"
    assert one.example is not None
    assert one.example.at.startswith("2026-12-07T12:07")


def test_of_too_many_findings_the_gravest_are_told_and_how_many_are_left():
    keys = {"1": to("user", 99, "person")}
    menu = routing("menu", operators=False, keys=keys)
    lines = [line("department", id, f"D{id}", (ANA,), schedule=HOURS, open=menu) for id in range(10, 310)]
    found = verify_office(acme(*lines), 1, NOW)
    assert len(found) == 200
    assert found[-1].code == "more_findings"
    assert "There are 701 more findings" in found[-1].what
    assert {one.severity for one in found[:199]} == {"error"}


def test_the_text_for_a_terminal_is_aligned():
    config = acme(main(keys={"5": to("user", 99, "person")}), sales(operators=()))
    text = render(verify_office(config, 1, NOW))
    heads = [row for row in text.splitlines() if row.startswith(("error", "warning", "hint"))]
    assert len({row.index(code) for row, code in zip(heads, ("target_gone", "group_empty"), strict=False)}) == 1
    assert "  mend: PUT /api/offhook/v1/offices/1" in text
    assert text.splitlines()[-1] == "1 error, 1 warning, 0 hints"
    assert render([]) == "Nothing found.\n"


def test_findings_go_over_the_wire_and_come_back():
    found = verify_office(acme(main(keys={"5": to("user", 99, "person")})), 1, NOW)
    sent = msgspec.json.decode(msgspec.json.encode(report(found)))
    assert (sent["errors"], sent["warnings"]) == (1, 0)
    assert sent["findings"][0]["where"] == {
        "target_type": "office", "target_id": "1", "name": "Acme", "field": "routing_options.open.dtmf[3]",
    }  # fmt: skip
    assert msgspec.convert(sent["findings"], list[Finding]) == found


def test_a_change_is_warned_of_at_once_and_only_of_what_it_changed():
    config = acme(main(keys={"5": to("user", 99, "person")}), sales(operators=()))
    assert [(one.code, one.field) for one in quick(config, OFFICE, NOW)] == [
        ("target_gone", "routing_options.open.dtmf[3]")
    ]
    assert [one.code for one in quick(config, SALES, NOW)] == ["group_empty"]
    assert quick(config, SUPPORT, NOW) == []
    assert quick(config, OFFICE, NOW, said={"target_gone"}) == []
    assert quick(config, Target("department", 404), NOW) == []


@pytest.mark.parametrize("later", [0, 12, 48, 60])
def test_a_call_router_is_looked_at_in_all_hours_of_its_default_whenever_that_is(later: int):
    router = Target("callrouter", 6)
    sends = main(schedule=HOURS, open=routing("department", SALES, operators=False))
    back = sales(schedule=hours(), open=routing("bridge_target", router, operators=False))
    config = acme(sends, back, Router(6, "Bot", 1, True, OFFICE))
    found = quick(config, router, NOW + timedelta(hours=later))
    assert [(one.code, one.field) for one in found] == [("router_default_loop", "default_target_id")]


@pytest.mark.parametrize("name", GOOD)
def test_a_change_of_a_good_office_is_not_warned_of(name: str):
    config = GOOD[name][0]()
    assert [one for target in config.lines for one in quick(config, target, NOW)] == []


def test_people_and_offices_without_a_main_line_can_be_verified():
    config = acme(user(8, "Zoe", devices=()))
    assert [one.code for one in verify(config, Target("user", 8), NOW)] == ["person_without_telephone"]
    assert [one.code for one in verify(config, Target("user", 404), NOW)] == ["target_gone"]
    assert verify_office(Company(1, 1), 5, NOW) == []


def test_fifty_menus_are_walked_in_few_decisions():
    run = Verification(bench.company(), [OFFICE], bench.NOW, HORIZON)
    for mask in run.by_mask:
        run.tour(OFFICE, mask)
    assert len(run.lines) == 50
    assert len(run.by_mask) == 6
    assert run.walk.count < 2_500


def test_a_place_without_findings_stays_as_it_is():
    one = Finding(code="no_number", severity="warning", where=Place(type="office", id="1", name="A"), what="x")
    assert arranged([one]) == [one]


@pytest.mark.parametrize("opened", [True, False])
def test_what_was_done_by_hand_hides_nothing_that_comes_when_it_is_lifted(opened: bool):
    gone = routing("person", Target("user", 99), operators=False)
    states = {"closed" if opened else "open": gone}
    hand = by_hand(opened, 0, None, "until lifted")
    found = verify(acme(sales(by_hand=hand, **states)), SALES, NOW)
    [one] = [one for one in found if one.code == "target_gone"]
    assert one.when.startswith("once nobody holds it open or closed by hand: ")
    assert one.example is None
    assert [one.when for one in verify(acme(sales(**states)), SALES, NOW) if one.code == "target_gone"] != [one.when]


def test_who_is_no_operator_counts_for_nothing():
    boss = Operator("user:2", "Bob Reis", away="supervisor, not an operator", never=True)
    found = verify(acme(sales(operators=(Operator("user:1", "Ana Lima"), boss))), SALES, NOW)
    assert "operator_away" not in {one.code for one in found}
    [one] = [one for one in verify(acme(sales(operators=(boss,))), SALES, NOW) if one.code == "operators_unreachable"]
    assert (one.severity, "supervisor" in one.what) == ("error", True)


def test_who_only_forwards_back_to_the_line_cannot_answer():
    back = user(1, "Ana Lima", devices=(), forwarding=("+351210000009",))
    config = acme(back, sales(operators=(back,)), numbers={"+351210000009": SALES})
    [one] = [one for one in verify(config, SALES, NOW) if one.code == "operators_unreachable"]
    assert "forwards calls to this very line" in one.what


def test_extensions_of_people_who_take_no_calls_are_none():
    menu = routing("extension", operators=False)
    people = [user(id, name, extension=f"20{id}", state="suspended") for id, name in ((1, "Ana"), (2, "Bob"))]
    found = verify(acme(*people, sales(operators=(), open=menu)), SALES, NOW)
    assert "extensions_missing" in {one.code for one in found}
