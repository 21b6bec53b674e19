"""Spoiled bodies for every operation of workflows that takes one: each is answered in form, never by a fault of ours.

The spoiler and what an answer must be are those of tests/survival, where a server is shot at from outside.
"""

import asyncio
import random
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from offhook.kit.settings import Settings
from tests.api.desk import Desk
from tests.api.elsewhere import sharing
from tests.api.furnished import BODIES, Furnished, filled, furnish, named
from tests.survival.process import Process
from tests.survival.test_fuzz import Spoiler, fits
from tests.workflows.definitions.shapes import GOOD


def _good(operation_id: str, own: Furnished, dice: random.Random) -> Any:
    """A body that is good; one with a definition gets a richer one most times, or is run as it is written."""
    body = deepcopy(BODIES[operation_id](own.own))
    rich = deepcopy(dice.choice(list(GOOD.values())))
    if operation_id.endswith("runs.start") and dice.random() < 0.5:
        return {"definition": rich, "input": {"a": 1}}
    if "definition" in body and "import" not in operation_id and dice.random() < 0.8:
        body["definition"] = rich
        if operation_id.endswith("update"):
            rich["name"] = own.own["definition"]
    return body


def _shoot(runner: asyncio.Runner, folder: Path, number: int, seed: int) -> Counter[int]:
    """That many spoiled bodies; how often which status came back."""
    settings = Settings(data=str(folder / "data"), access_log=False, benchmark=True, rate_limit_scale=1_000_000.0)
    desk = sharing(Desk(runner, settings))
    operations = {one.id: one for one in desk.offhook.operations}
    me, dice, spoiler = furnish(desk.found(), "live"), random.Random(seed), Spoiler(Process(folder / "never"), seed)
    asked = sorted(one for one in BODIES if one.startswith("offhook.workflows."))
    answers: Counter[int] = Counter()
    for _ in range(number):
        id = dice.choice(asked)
        one = operations[id]
        path = filled(one.path, {place: me.own[thing] for place, thing in named(id, one.path).items()})
        content = spoiler._body(lambda id=id: _good(id, me, dice))[: 1024 * 1024 - 1] or b" "  # type: ignore[misc]
        dry = {"offhook-dry-run": "true"} if one.creates and dice.random() < 0.5 else {}
        answer = me.api.send(one.method, path, content=content, headers=dry)
        answers[answer.status] += 1
        try:
            fits(answer.status, answer.response.content, content)
        except AssertionError as wrong:
            raise AssertionError(f"{id}: {wrong}") from None
    desk.close()
    return answers


def test_spoiled_bodies_get_an_answer_in_form(runner: asyncio.Runner, tmp_path: Path) -> None:
    answers = _shoot(runner, tmp_path, 600, 1)
    # Spoiled and yet accepted, spoiled and refused: both must have come up, or it is no test.
    assert answers[200] > 60
    assert answers[400] > 200


@pytest.mark.long
def test_many_spoiled_bodies_get_an_answer_in_form(runner: asyncio.Runner, tmp_path: Path) -> None:
    assert _shoot(runner, tmp_path, 20_000, 2)[400] > 5_000
