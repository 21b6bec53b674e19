"""Numbers given and taken back from the command line."""

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.test_menus import staffed

__all__ = ["staffed"]


@pytest.fixture
def number(offhook: Run, staffed: Any) -> str:
    """A free one."""
    said = offhook("number", "add", "+12025550123")
    if said.status:
        # Live companies have real numbers, which these are not: any of what is there does.
        said = offhook("number", "add", "+12124567890")
    assert said.status == 0, said
    return str(said.out.split()[0])


def test_a_number_is_given_to_a_user_and_taken_back(offhook: Run, number: str) -> None:
    said = offhook("number", "assign", number, "ana@example.com")
    assert said.status == 0, said
    assert f"{number} is that of user ana@example.com." in said.out
    assert number in offhook("user", "list").out
    refused = offhook("number", "assign", number, "--office", "primary")
    assert (refused.status, "offhook number list --free" in " ".join(refused.err.split())) == (1, True), refused
    said = offhook("number", "unassign", number)
    assert f"{number} is free." in said.out
    assert number not in offhook("user", "list").out


def test_a_line_gets_any_that_is_free(offhook: Run, number: str) -> None:
    made = offhook("number", "assign", "any", "--office", "primary", "--json").json
    assert (made["number"], made["target_type"]) == (number, "office")
    offhook("number", "unassign", number)
    assert f"{number} is that of office primary." in offhook("number", "assign", "any", "--office", "primary").out


def test_one_taker_at_a_time(offhook: Run, number: str) -> None:
    for words in ((), ("ana@example.com", "--office", "primary"), ("--office", "primary", "--department", "1")):
        assert offhook("number", "assign", number, *words).status == 1
    assert offhook("number", "assign", number, "ana@example.com", "--area-code", "212").status == 1


def test_a_refusal_says_what_to_do_to_its_end_and_once(offhook: Run, staffed: Any) -> None:
    said = offhook("number", "assign", "any", "--office", "primary")
    assert (said.status, said.err.count("or offhook number import).")) == (1, 1), said
    of_area = offhook("number", "assign", "any", "--office", "primary", "--area-code", "312")
    assert (of_area.status, of_area.err.count("or ask for another area code")) == (1, 1), of_area
