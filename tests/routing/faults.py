"""Offices with one fault each, and offices with none: what verification must find, and where it must be silent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from offhook.directory.lines.model import Target
from offhook.emergency.model import CivicAddress
from offhook.hours.holidays import import_holidays
from offhook.hours.model import SpecialDay
from offhook.routing.model import Choice, Company, Contact, Line, Operator, Queue, Router, Team
from offhook.routing.spelling import spelled
from tests.routing.companies import by_hand, company, hours, line, office, room, routing, user

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
LIFTED = by_hand(False, 0, None, "until lifted")
WORKDAYS: list[list[str]] = [["08:00", "18:00"]] * 5 + [[], []]
OFFICE, SALES, SUPPORT = Target("office", 1), Target("department", 2), Target("department", 3)

NUMBER = {"+351210000001": OFFICE}
ANA = user(1, "Ana Lima", extension="201", admin_of=(1, 2))
BOB, EVA = user(2, "Bob Reis", extension="202"), user(3, "Eva Sá")


def holidays(country: str = "PT") -> tuple[SpecialDay, ...]:
    """The public holidays of the year ahead, adopted."""
    return import_holidays(country, None, [2026, 2027]).days


HOURS = hours(WORKDAYS, days=holidays())


def to(kind: str, id: int, action: str = "department") -> Choice:
    """An action with its target."""
    return Choice(action, Target(kind, id))


def person(id: int) -> Choice:
    """Straight to a user."""
    return to("user", id, "person")


def sales(**more: Any) -> Line:
    """A department that rings two people in the office's hours."""
    more.setdefault("operators", (ANA, BOB))
    more.setdefault("schedule", HOURS)
    return line("department", 2, "Sales", **more)


def support(**more: Any) -> Line:
    """Another."""
    more.setdefault("operators", (EVA, BOB))
    more.setdefault("schedule", HOURS)
    return line("department", 3, "Support", **more)


KEYS = {"0": Choice("operator"), "1": to("department", 2), "2": to("department", 3)}


def main(*, keys: dict[str, Choice] | None = None, **more: Any) -> Line:
    """A main line with a menu."""
    more.setdefault("operators", (ANA, BOB))
    more.setdefault("schedule", HOURS)
    more.setdefault("open", routing("menu", operators=False, keys={**KEYS, **(keys or {})}))
    return line("office", 1, "Acme", **more)


def acme(*things: Any, **more: Any) -> Company:
    """A sound office in Lisbon, of which `things` replace or join its parts."""
    parts: dict[Any, Any] = {}
    usual = (ANA, BOB, EVA, office(1, "Acme"), main(), sales(), support())
    for one in (*usual, *things):
        parts[getattr(one, "target", None) or (type(one), one.id)] = one
    more.setdefault("numbers", {"+351210000001": OFFICE})
    return company(*parts.values(), **more)


def chain(length: int) -> Company:
    """Departments that each send calls on to the next one, and only the last one rings."""
    onward = [
        line(
            "department",
            id,
            f"D{id}",
            schedule=HOURS,
            open=routing("department", Target("department", id + 1), operators=False),
        )
        for id in range(10, 10 + length)
    ]
    last = line("department", 10 + length, "Last", (ANA,), schedule=HOURS)
    return acme(*onward, last, main(keys={"5": to("department", 10)}))


@dataclass(frozen=True)
class Planted:
    """A fault, what is found and where, and by which of decide's reasons its example shows it ("" for none)."""

    code: str
    make: Callable[[], Company]
    field: str
    shows: str
    target: Target = OFFICE
    severity: str = ""
    keys: str = ""
    when: str = ""
    says: str = ""


CLOSED_ON = "every weekday 08:00-09:00 and 17:00-18:00"
DTMF3 = "routing_options.open.dtmf[3]"
OPEN, SHUT = "routing_options.open", "routing_options.closed"
AWAY = Operator("user:1", "Ana Lima", away="off duty")
CHER = replace(user(8, "Cher"), spelled=spelled("Cher", ""))
NO_PHONE = replace(EVA, devices=())
E911 = CivicAddress(address="1 Main Street", city="Austin", state="TX", zip="78701", country="US")


def key(choice: Choice, *things: Any, **more: Any) -> Callable[[], Company]:
    """The sound office with one more key, 5."""
    return lambda: acme(main(keys={"5": choice}), *things, **more)


PLANTED = [
    Planted(
        "target_loop",
        lambda: acme(
            main(closed=routing("department", SALES, operators=False)),
            sales(closed=routing("department", OFFICE, operators=False)),
        ),
        SHUT, "too_many_hops", SALES, says="Acme > Sales > Acme",
    ),
    Planted(
        "target_loop",
        lambda: acme(sales(open=routing("department", SUPPORT)), support(open=routing("department", SALES))),
        OPEN, "too_many_hops", SUPPORT, keys="1", says="Sales > Support > Sales",
    ),
    Planted("target_loop", lambda: acme(sales(open=routing("department", SALES))), OPEN, "too_many_hops", SALES),
    Planted("too_many_hops", lambda: chain(12), OPEN, "too_many_hops", Target("department", 18), keys="5"),
    Planted("target_gone", key(to("department", 77)), DTMF3, "target_gone", keys="5"),
    Planted("target_gone", lambda: acme(sales(open=routing("person", Target("user", 9)))), OPEN, "target_gone", SALES),
    Planted("target_unknown", key(to("unknown", 0)), DTMF3, "target_unknown", keys="5"),
    Planted("target_missing", key(Choice("department")), DTMF3, "target_missing", keys="5"),
    Planted("target_not_callable", lambda: replace(key(to("channel", 4, "bridge_target"))(), channels={4: "News"}),
            DTMF3, "not_callable", keys="5"),
    Planted("target_inactive", lambda: acme(support(state="suspended")), "routing_options.open.dtmf[2]",
            "line_inactive", keys="2"),
    Planted("target_inactive", key(person(8), user(8, "Zoe", state="suspended")), DTMF3, "person_inactive", keys="5"),
    Planted("target_inactive", lambda: acme(main(state="suspended")), "state", "line_inactive"),
    Planted("menu_without_keys", lambda: acme(main(open=routing("menu"))), OPEN, "menu_without_keys"),
    Planted("menu_key_missing", lambda: acme(main(keys={"12": to("department", 2)})), DTMF3, "menu"),
    Planted("menu_key_disabled", key(Choice("disabled")), DTMF3, "disabled_key", keys="5"),
    Planted("menu_keys_alike", key(to("department", 2)), DTMF3, "pressed", severity="hint", keys="5"),
    Planted("keys_unreachable", lambda: acme(sales(open=routing(keys={"1": person(1)}))), f"{OPEN}.dtmf", "voicemail",
            SALES),
    Planted(
        "menu_only_voicemail",
        lambda: acme(sales(open=routing("menu", operators=False, keys={"1": Choice("voicemail"), "2": person(7)})),
                     user(7, "Gil", devices=())),
        f"{OPEN}.dtmf", "voicemail", SALES, severity="warning", keys="11",
    ),
    Planted("operators_unreachable", lambda: acme(sales(operators=(AWAY,))), "operators", "nobody_ready", SALES,
            severity="warning"),
    Planted("operators_unreachable", lambda: acme(NO_PHONE, support(operators=(NO_PHONE,))), "operators", "operators",
            SUPPORT, severity="error", says="Eva Sá (no telephone)"),
    Planted("operator_unreachable", lambda: acme(NO_PHONE), "operators", "operators", SUPPORT, severity="warning"),
    Planted("operator_away", lambda: acme(sales(operators=(AWAY, BOB))), "operators", "operators", SALES),
    Planted("group_empty", lambda: acme(sales(operators=())), "operators", "no_operators", SALES, keys="1"),
    Planted("target_closed", lambda: acme(sales(schedule=hours([["09:00", "17:00"]] * 5 + [[], []], days=holidays()))),
            "routing_options.open.dtmf[1]", "closed", keys="1", when=CLOSED_ON),
    Planted(
        "target_closed",
        lambda: acme(support(schedule=hours([["08:00", "12:00", "14:00", "18:00"]] * 5 + [[], []], days=holidays()))),
        "routing_options.open.dtmf[2]", "closed", keys="2", when="every weekday 12:00-14:00",
    ),
    Planted(
        "target_closed",
        lambda: acme(sales(schedule=hours(WORKDAYS, days=(
            *holidays(), SpecialDay(date(2026, 12, 24), "override", "Eve", ((480, 720),)))))),
        "routing_options.open.dtmf[1]", "closed", keys="1", when="on 2026-12-24",
    ),
    Planted("hours_gap", lambda: acme(main(schedule=hours(
        [["08:00", "12:00", "13:30", "18:00"]] * 5 + [[], []], days=holidays()))),
        SHUT, "closed", when="every weekday 12:00-13:30"),
    Planted("never_open", lambda: acme(sales(schedule=hours([[]] * 7))), "hours_on", "closed", SALES),
    Planted("hours_ignored", lambda: acme(sales(schedule=replace(hours([["09:00", "17:00"]] * 7), always_open=True))),
            "hours_on", "open", SALES),
    Planted("closed_by_hand", lambda: acme(sales(by_hand=LIFTED)), "", "closed", SALES),
    Planted("opened_by_hand", lambda: acme(sales(by_hand=by_hand(True, 0, None, "until lifted"))), "", "open", SALES),
    Planted("holidays_not_adopted", lambda: acme(sales(schedule=hours(WORKDAYS))), "special_days", "open", SALES,
            severity="warning", says="2026-12-08"),
    Planted("holidays_not_adopted", lambda: acme(sales(schedule=hours(WORKDAYS, days=(
        SpecialDay(date(2026, 12, 25), "holiday", "Christmas", repeats_yearly=True),)))), "special_days", "open", SALES,
        severity="hint"),
    Planted("holidays_unknown", lambda: acme(office(1, "Acme", country="UA")), "special_days", "",
            says="UA"),
    Planted("person_without_telephone", key(person(8), user(8, "Zoe", devices=())), DTMF3, "no_telephone", keys="5"),
    Planted("person_do_not_disturb", key(person(8), user(8, "Zoe", do_not_disturb=True)), DTMF3, "do_not_disturb",
            keys="5"),
    Planted("number_not_rung", key(person(8), user(8, "Zoe", remarks=("Zoe's +1 is abroad.",))), DTMF3,
            "number_barred", keys="5"),
    Planted("team_unreachable", key(to("coachingteam", 6, "bridge_target"), Team(Target("coachingteam", 6), "Team", 1)),
            DTMF3, "team_not_ready", keys="5"),
    Planted("contact_without_number", key(to("contact", 6, "bridge_target"), Contact(6, "Plumber")), DTMF3,
            "contact_without_number", keys="5"),
    Planted("contact_abroad", key(to("contact", 6, "bridge_target"), Contact(6, "Plumber", ("+442079460000",))), DTMF3,
            "international_off", keys="5"),
    Planted("router_disabled", key(to("callrouter", 6, "bridge_target"), Router(6, "Bot", 1, False, OFFICE)), DTMF3,
            "router_off", keys="5"),
    Planted("router_without_default", key(to("callrouter", 6, "bridge_target"), Router(6, "Bot", 1)),
            "default_target_id", "no_default", Target("callrouter", 6), severity="warning", keys="5"),
    Planted("router_without_default", key(to("callrouter", 6, "bridge_target"), Router(6, "Bot", 1, False)),
            "default_target_id", "no_default", Target("callrouter", 6), severity="error", keys="5"),
    Planted("router_default_loop", lambda: acme(sales(open=routing("bridge_target", Target("callrouter", 6))),
            Router(6, "Bot", 1, True, SALES)), OPEN, "too_many_hops", SALES, keys="1"),
    Planted("voicemail_unread", lambda: acme(user(1, "Ana Lima"), sales(operators=())), "operators", "voicemail",
            SALES),
    Planted("voicemail_unread", lambda: acme(user(1, "Ana Lima", state="suspended", admin_of=(1,)),
            sales(operators=())), "operators", "voicemail", SALES),
    Planted("emergency_address_missing", lambda: acme(office(1, "Acme", country="FR")), "e911_address", ""),
    Planted("extension_is_emergency_number", lambda: acme(user(8, "Zoe", extension="112")), "extension", "",
            Target("user", 8)),
    Planted("name_not_dialable", key(Choice("directory"), user(8, "王 芳")), DTMF3, "asked_name", keys="5",
            says="王 芳"),
    Planted("names_alike", key(Choice("directory"), *(user(60 + one, "John Smith") for one in range(12))), DTMF3,
            "asked_name", keys="5", says="12 people"),
    Planted("name_not_dialable", key(Choice("last_name_directory"), CHER), DTMF3, "asked_name", keys="5", says="Cher"),
    Planted("directory_empty", lambda: replace(key(Choice("directory"))(), residents={}), DTMF3, "directory_empty",
            keys="5"),
    Planted("extensions_missing", lambda: replace(key(Choice("extension"))(), extensions={}), DTMF3, "no_extensions",
            keys="5"),
    Planted("script_missing", key(Choice("scripted_ivr")), DTMF3, "no_script", keys="5"),
    Planted("script_gone", lambda: acme(main(keys={"5": Choice("scripted_ivr")}, script="welcome"),
            missing_scripts={"welcome"}), DTMF3, "script_gone", keys="5", says="welcome"),
    Planted("action_unknown", key(Choice("teleport")), DTMF3, "action_unknown", keys="5"),
    Planted("action_disabled", lambda: acme(sales(open=routing("disabled"))), OPEN, "disabled", SALES,
            severity="warning", keys="1"),
    Planted("no_box", lambda: company(line("department", 2, "Sales", schedule=HOURS, open=routing("department"))), OPEN,
            "no_box", SALES),
    Planted("callbacks_not_offered", lambda: acme(sales(queue=Queue(5, 600, callbacks=True))),
            "hold_queue.allow_queue_callback", "", SALES),
    Planted("no_number", lambda: acme(numbers={}), "mainline_number", ""),
    Planted("line_unreached", lambda: acme(line("department", 9, "Attic", (ANA,), schedule=HOURS)), "", "",
            Target("department", 9)),
    Planted("not_all_checked", lambda: chain(600), "", ""),
]  # fmt: skip


ALWAYS_OPEN = hours()
RING = routing(operators=True)


def _plain() -> Company:
    return acme()


def _split_hours() -> Company:
    """A surgery that closes for lunch, with everything in the same hours."""
    week = [["08:30", "12:30", "14:00", "18:30"]] * 5 + [["09:00", "12:00"], []]
    when = hours(week, days=holidays())
    return acme(main(schedule=when), sales(schedule=when), support(schedule=when))


def _overnight() -> Company:
    """A bar that is open into the night, on the days that it chose."""
    week = [[], [], ["18:00", "02:00"], ["18:00", "02:00"], ["18:00", "04:00"], ["18:00", "04:00"], []]
    days = (
        SpecialDay(date(2020, 12, 25), "holiday", "Christmas", repeats_yearly=True),
        SpecialDay(date(2020, 12, 31), "override", "New Year's Eve", ((1080, 1800),), repeats_yearly=True),
    )
    bar = line("office", 1, "Bar", (ANA, room(4, "Counter")), schedule=hours(week, days=days))
    return company(ANA, room(4, "Counter"), bar, office(1, "Bar"), numbers={"+351210000001": OFFICE})


def _around_the_clock() -> Company:
    """A guard service: always somebody there, longest idle first; the accounts department keeps office hours."""
    open_state = routing("menu", operators=False, keys={"1": Choice("operator"), "2": to("department", 2)})
    return acme(
        main(schedule=ALWAYS_OPEN, open=open_state),
        sales(),
        numbers={"+351210000001": OFFICE, "+351210000002": SUPPORT},
    )


def _american() -> Company:
    """An office in Texas with its emergency address and federal holidays."""
    when = hours([["09:00", "17:00"]] * 5 + [[], []], "America/Chicago", holidays("US"))
    austin = office(1, "Austin", country="US", timezone="America/Chicago", e911=E911)
    menu = routing("menu", keys={"1": Choice("company_directory"), "2": Choice("extension"), "3": Choice("message")})
    return company(
        ANA,
        BOB,
        austin,
        line("office", 1, "Austin", (ANA, BOB), schedule=when, open=menu),
        numbers={"+15125550100": OFFICE},
    )


def _nested() -> Company:
    """Menus within menus, each with a way back."""
    back = {"9": to("office", 1)}
    services = routing("menu", operators=False, keys={"1": to("department", 3), "2": to("department", 4), **back})
    return acme(
        sales(operators=(ANA,), open=services),
        line("department", 4, "Returns", (EVA,), schedule=HOURS, open=routing("menu", keys={"0": person(1), **back})),
    )


def _call_center() -> Company:
    """A queue with a key out of it, and a skilled team."""
    center = Target("callcenter", 5)
    queue = Queue(20, 900, escape="9", announce_seconds=60)
    desk = line(
        "callcenter",
        5,
        "Help desk",
        (Operator("user:1", "Ana", 90), Operator("user:2", "Bob", 40)),
        schedule=HOURS,
        open=routing("department", SUPPORT, strategy="mostskilled"),
        queue=queue,
        record=True,
    )
    return acme(desk, main(keys={"5": Choice("department", center)}), numbers={"+351210000005": center, **NUMBER})


def _router() -> Company:
    """A call router that falls back on a department."""
    return acme(main(keys={"5": to("callrouter", 6, "bridge_target")}), Router(6, "Orders", 1, True, SALES))


def _two_zones() -> Company:
    """An office whose nights a center far away takes, at any hour."""
    far = office(2, "Praia", country="CV", timezone="Atlantic/Cape_Verde")
    center = line(
        "callcenter", 5, "Night desk", (EVA, BOB), office_id=2, schedule=hours(timezone="Atlantic/Cape_Verde")
    )
    return acme(main(closed=routing("department", Target("callcenter", 5), operators=False)), far, center)


def _small() -> Company:
    """Two people, closed by hand until the afternoon, a plumber at home, and everybody in the directory."""
    hand = by_hand(False, 0, int(datetime(2026, 11, 26, 14, tzinfo=UTC).timestamp() * 1000), "until 14:00")
    menu = routing(
        "menu", keys={"1": Choice("directory"), "2": to("contact", 6, "bridge_target"), "3": Choice("extension")}
    )
    return acme(
        main(open=menu, by_hand=hand),
        Contact(6, "Plumber", ("+351912345678",)),
        numbers={"+351210000001": OFFICE, "+351210000002": SALES, "+351210000003": SUPPORT},
    )


GOOD: dict[str, tuple[Callable[[], Company], frozenset[str]]] = {
    "a menu, two departments, holidays adopted": (_plain, frozenset()),
    "hours split by a lunch": (_split_hours, frozenset({"hours_gap"})),
    "a bar that is open into the night": (_overnight, frozenset({"holidays_not_adopted"})),
    "a guard service at all hours": (_around_the_clock, frozenset({"target_closed"})),
    "an American office": (_american, frozenset()),
    "menus within menus": (_nested, frozenset()),
    "a call center with a queue": (_call_center, frozenset()),
    "a call router with a default": (_router, frozenset()),
    "nights taken in another zone": (_two_zones, frozenset()),
    "a small office closed by hand for a while": (_small, frozenset()),
}
"""By what they are: sound offices, and the hints that may well be said of them.

A lunch without anybody is meant more often than not, which is why it is a hint; so is a holiday that a bar with
holidays of its own works on, and a department behind a menu that answers at night as well.
"""
