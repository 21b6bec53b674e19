"""provision_office: what it makes, and that nothing is left where it fails, at whatever step, before or after."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from offhook.examples import SMALL
from tests.workflows.shipped.stage import RUNS, V1, V2, House, broken, pretty

OFFICE = {**SMALL, "name": "Porto"}


def test_it_makes_an_office_with_a_number_and_operators(house: House) -> None:
    head = house.offices()[0]["id"]
    people = [house.user(head, name) for name in ("Ana", "Rui")]
    operators = [{"operator_type": "user", "operator_id": one} for one in people]
    run = house.run("provision_office", office=OFFICE, operators=operators)
    assert run["status"] == "COMPLETED", pretty(run)
    made = run["output"]
    office = house.get(f"{V2}/offices/{made['office_id']}")
    assert office["name"] == "Porto"
    assert office["phone_numbers"] == [made["number"]]
    answering = house.get(f"{V2}/offices/{made['office_id']}/operators")["users"]
    assert [one["id"] for one in answering] == people
    assert made["operators"] == 2
    assert made["call"]
