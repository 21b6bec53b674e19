"""The scenarios of tests/scenarios, unchanged, on real telephones: over SIP, with sound, in the order of their file."""

from pathlib import Path

import pytest

from tests.api.desk import Company
from tests.scenarios.script import FOLDER, files, read
from tests.scenarios.test_scenarios import misses, play
from tests.telephony.scenarios.real import Real

PACE = 5.0
"""How much faster the house goes; prompts are as long as they are."""

PACES = {"park-comes-back": 30.0}
"""How fast it goes where something takes minutes."""

QUICK = {"menu", "strategy-simultaneous", "closing-time"}
"""What every run plays."""

SCRIPTED = {"transfer-to-a-colleague"}
"""Where the people's telephones are the test's own, not real ones: a real one tells of a call that it sent on how that
ended, not that it was taken on.
"""

UNASKED = {"call-router-default": "it answered with status 503"}
"""Where a service is asked that says nothing, what is told of it: a simulation asks none, and tells that instead."""


def _of(path: Path) -> object:
    return pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.long)


@pytest.mark.parametrize("kind", ["application/dtmf-relay", pytest.param("application/dtmf", marks=pytest.mark.long)])
def test_a_menu_takes_keys_that_a_telephone_sends_in_info(reached: Company, kind: str) -> None:
    file = read((FOLDER / "menu.yaml").read_bytes(), "menu.yaml")
    stage = Real(reached, pace=PACE, info=kind)
    assert misses(file.scenario.expect, play(file, stage)) == []
    assert stage.differences() == []
    assert stage.faults == []


@pytest.mark.parametrize("path", [_of(path) for path in files()])
def test_a_call_goes_over_the_wire_as_its_file_says(reached: Company, path: Path) -> None:
    file = read(path.read_bytes(), path.name)
    stage = Real(reached, pace=PACES.get(path.stem, PACE), soft=path.stem not in SCRIPTED)
    seen = play(file, stage)
    assert misses(file.scenario.expect, seen) == [], f"{file.scenario.title}\n{seen.told}"
    assert stage.differences(UNASKED.get(path.stem, "")) == [], f"{file.scenario.title}\n{seen.told}"
    assert stage.faults == []
