"""What is found to differ between two traces of one call, and what is not, as it cannot be equal."""

from copy import deepcopy
from typing import Any

import pytest

from tests.api.desk import Company, placed
from tests.scenarios.script import FOLDER, read
from tests.scenarios.stage import Simulated
from tests.telephony.scenarios.compared import differences

SEED, STORED = 1, "187761511501824"


@pytest.fixture
def planned(reached: Company) -> Any:
    """Sales rings, then Support in turns, then the office."""
    file = read((FOLDER / "nested-groups.yaml").read_bytes(), "nested-groups.yaml")
    simulated = Simulated(reached.sandbox)
    simulated.set(file.scenario.company, (), file.scenario.call.at)
    return simulated.trace(file.scenario.call)


def stored(planned: Any) -> Any:
    """The same call as it is kept: by a later configuration, half a minute later behind its beginning."""
    found = deepcopy(planned)
    found["id"] = STORED
    for number, step in enumerate(found["steps"]):
        step["config"] += 1
        for one in (step["event"], *step["reasons"]) if number else ():
            one["at"] += 30_000
        for verb in step["verbs"]:
            verb |= {"seed": int(STORED)} if "seed" in verb else {}
            verb |= {"since": verb["since"] + 30_000} if verb.get("since") else {}
    # At 10:00:30 and 10:01:00 it was 10:00 and 10:01, so it is 10:01 at both.
    for reason in (one for step in found["steps"][1:] for one in step["reasons"]):
        reason["text"] = reason["text"].replace("Wednesday 10:00", "Wednesday 10:01")
    return found


def apart(planned: Any, other: Any) -> list[str]:
    return differences(planned, other, {}, seed=SEED, pace=1.0)


def test_moments_versions_and_the_calls_own_seed_are_not_compared(planned: Any) -> None:
    assert apart(planned, stored(planned)) == []


def test_what_is_left_of_a_time_may_be_a_little_less_where_its_text_says_so(planned: Any) -> None:
    other = stored(planned)
    ring, why = other["steps"][7]["verbs"][0], other["steps"][7]["reasons"][1]
    assert (ring["seconds"], why["text"]) == (10, "Ringing Carol, for 10 s at most.")
    ring["seconds"] = 9
    assert apart(planned, other) == [
        "steps[7].reasons[1].text: " + why["text"] + ", not Ringing Carol, for (measured) s at most."
    ]
    why["text"] = "Ringing Carol, for 9 s at most."
    assert apart(planned, other) == []
    ring["seconds"], why["text"] = 8, "Ringing Carol, for 8 s at most."
    assert apart(planned, other) == ["steps[7].verbs[0].seconds: 8, not 10"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("called.id", "1"),
        ("outcome", "voicemail"),
        ("steps[0].event.number", "+12125550199"),
        ("steps[0].reasons[1].text", "Sales was open: Wednesday 10:01, always open (America/Los_Angeles)."),
        ("steps[0].reasons[0].code", "target"),
        ("steps[0].verbs[0].seed", 2),
        ("steps[0].verbs[0].members[0]", "user:1"),
        ("steps[1].verbs[0].seconds", 29),
        ("steps[1].verbs[0].mode", "serial"),
        ("steps[1].verbs[0].legs[0].devices[0]", "1"),
        ("steps[1].verbs[0].hear", "hold_music"),
        ("steps[1].event.members[1]", "user:1"),
        ("steps[2].event.code", 486),
        ("steps[2].reasons[3].text", "Support was open: Wednesday 10:00, always open (America/Los_Angeles)."),
        ("steps[2].verbs[1].strategy", "random"),
        ("steps[11].verbs[0].cause", "limit"),
        ("steps[11].verbs[1]", {"do": "hangup"}),
        ("steps[12]", {"event": {"event": "ended"}, "reasons": [], "verbs": []}),
    ],
)
def test_all_else_is_compared_and_told_with_its_place(planned: Any, place: str, value: Any) -> None:
    other = placed(stored(planned), place, value)
    [found] = apart(planned, other)
    assert found.startswith((f"{place}: ", f"{place.removesuffix(']')}:]: "))


def test_who_it_is_about_is_told_by_name(planned: Any) -> None:
    who = planned["steps"][1]["event"]["members"][0]
    other = placed(stored(planned), "steps[1].event.members", [])
    assert differences(planned, other, {who: "Bob"}, seed=SEED, pace=1.0) == [
        "steps[1].event.members[0:]: [], not ['Bob']"
    ]
