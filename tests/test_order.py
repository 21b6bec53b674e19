"""What takes longest is begun first, and what the long tests are found by is there."""

from pathlib import Path

import pytest

from tests.order import FILES, LONG, missing, ordered

TESTS = Path(__file__).parent


class Item:
    """What is looked at of a test."""

    def __init__(self, place: str) -> None:
        file, _, self.name = place.partition("::")
        self.path = TESTS / file
        self.originalname = self.name.partition("[")[0]


def in_order(*places: str) -> list[str]:
    items = ordered([Item(place) for place in places])  # type: ignore[misc]
    return [f"{one.path.relative_to(TESTS)}::{one.name}" for one in items]


def test_what_is_listed_is_there() -> None:
    assert missing(FILES) == []
    assert missing(LONG) == []
    assert missing(["nowhere.py", "test_order.py::test_nothing"]) == ["nowhere.py", "test_order.py::test_nothing"]
    assert len(set(FILES)) == len(FILES)
    assert len(set(LONG)) == len(LONG)


def test_long_tests_come_first_then_listed_files_then_files_with_many_tests() -> None:
    known, other = LONG[3], LONG[0]
    few, many = "a/test_few.py::test_a", [f"b/test_many.py::test_{n}" for n in range(3)]
    assert in_order(few, *many, f"{FILES[1]}::test_y", f"{FILES[0]}::test_x", f"{known}[1]", f"{known}[0]", other) == [
        other, f"{known}[1]", f"{known}[0]", f"{FILES[0]}::test_x", f"{FILES[1]}::test_y", *many, few,
    ]  # fmt: skip


def test_long_tests_are_marked_in_their_own_files() -> None:
    """`make test-long` reads the files that say `mark.long`; a mark that came from elsewhere would not be found."""
    mark = "mark." + "long"
    own = {Path(__file__)}
    others = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_") and path not in own]
    assert [path for path in others if mark in path.read_text()] == []


def test_what_is_left_out_where_both_are_run_has_a_long_form() -> None:
    brief, long = "@pytest.mark." + "brief", "mark." + "long"
    marked = [path for path in TESTS.rglob("test_*.py") if brief in path.read_text()]
    assert len(marked) > 5
    assert [path for path in marked if long not in path.read_text()] == []


@pytest.mark.parametrize("name", ["Makefile", ".ci/run"])
def test_the_commands_say_what_they_leave_out(name: str) -> None:
    said = (TESTS.parent / name).read_text()
    assert ('"not long and not brief"' in said) == (name == ".ci/run")
