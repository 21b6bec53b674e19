"""Nothing that befalls a caller is missed: random companies are called at many times with many keys, one by one."""

from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.directory.lines.model import Target
from offhook.routing.model import Choice, Company, Line, Router
from offhook.routing.verify import verify
from tests.routing.companies import company, hours, line, office, routing, user
from tests.routing.faults import OFFICE
from tests.routing.test_verify import called

NOW = datetime(2026, 11, 26, 0, 0, tzinfo=UTC)
MOMENTS = [NOW + timedelta(days=day, hours=hour, minutes=30) for day in (1, 2) for hour in (3, 9, 13, 20)]
WAYS = ["", *("".join(keys) for length in (1, 2, 3) for keys in product("12", repeat=length))]
ANA = user(1, "Ana Lima")
FOUND = {
    "target_gone": {"target_gone"},
    "target_unknown": {"target_unknown"},
    "target_missing": {"target_missing"},
    "line_inactive": {"target_inactive"},
    "menu_without_keys": {"menu_without_keys"},
    "disabled": {"action_disabled"},
    "no_operators": {"group_empty"},
    "directory_empty": {"directory_empty"},
    "no_default": {"router_without_default"},
    "router_off": {"router_disabled"},
    "no_script": {"script_missing"},
    "script_gone": {"script_gone"},
    "box_gone": {"target_gone"},
    "box_inactive": {"target_inactive"},
    "box_missing": {"target_not_callable"},
    "too_many_hops": {"target_loop", "router_default_loop", "too_many_hops"},
}
"""By decide's reason: the codes that may say so."""

TARGETS = st.sampled_from(
    [OFFICE, *(Target("department", id) for id in (2, 3, 4, 9)), Target("callrouter", 6), Target("unknown", 0), None]
)
CHOICES = st.builds(
    Choice,
    st.sampled_from(
        [
            "department",
            "department",
            "department",
            "voicemail",
            "menu",
            "operator",
            "disabled",
            "directory",
            "scripted_ivr",
        ]
    ),
    TARGETS,
)
WEEKS = st.sampled_from(
    [
        None,
        [["08:00", "18:00"]] * 5 + [[], []],
        [["08:00", "12:00", "14:00", "18:00"]] * 7,
        [["18:00", "06:00"]] * 7,
    ]
)


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """An office, three departments and a call router that send calls to each other as chance will have it."""

    def a_line(kind: str, id: int) -> Line:
        states = [
            routing(
                (choice := draw(CHOICES)).action,
                choice.target,
                operators=draw(st.booleans()),
                keys=draw(st.dictionaries(st.sampled_from("12"), CHOICES, max_size=2)),
            )
            for _ in range(2)
        ]
        return line(
            kind, id, f"L{id}", (ANA,) if draw(st.booleans()) else (), open=states[0], closed=states[1],
            schedule=hours(draw(WEEKS)), state=draw(st.sampled_from(["active", "active", "active", "suspended"])),
        )  # fmt: skip

    lines = [a_line("office", 1), *(a_line("department", id) for id in (2, 3, 4))]
    router = Router(6, "Bot", 1, draw(st.booleans()), draw(TARGETS))
    return company(ANA, office(1, "L1"), router, *lines, numbers={"+351210000001": OFFICE})


@given(companies())
@settings(deadline=None)
def test_whatever_goes_wrong_in_a_call_was_found_before(config: Company):
    found = {one.code for one in verify(config, OFFICE, NOW)}
    for moment in MOMENTS:
        for keys in WAYS:
            state = called(config, OFFICE, int(moment.timestamp() * 1000), keys)
            for reason in state.reasons:
                if reason.code == "too_many_hops" and len(keys) > 1:
                    continue  # A caller who presses the way back again and again goes round on their own.
                wanted = FOUND.get(reason.code)
                assert wanted is None or wanted & found, (reason, moment, keys)


@given(companies())
@settings(deadline=None)
def test_whatever_is_found_goes_wrong_in_the_call_that_is_told(config: Company):
    shows: dict[str, set[str]] = {}
    for reason, codes in FOUND.items():
        for code in codes:
            shows.setdefault(code, set()).add(reason)
    for one in verify(config, OFFICE, NOW):
        if one.code in shows:
            assert one.example is not None
            at = int(datetime.fromisoformat(one.example.at).timestamp() * 1000)
            state = called(config, Target(one.example.type, int(one.example.id)), at, one.example.keys)
            assert shows[one.code] & {reason.code for reason in state.reasons}, one
