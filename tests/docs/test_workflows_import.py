"""docs/workflows-import.md: its example is imported, and becomes what the page says."""

import json
import re
from pathlib import Path

import pytest

from offhook.kit.errors import Invalid
from offhook.workflows.definitions.imports.format import KNOWN
from offhook.workflows.definitions.imports.simworkflow import imported
from offhook.workflows.definitions.model import every
from offhook.workflows.definitions.reading import read
from tests.docs.tables import page, quoted, rows, section
from tests.docs.test_readme import blocks, test_every_command_and_option_exists

PAGE = "workflows-import.md"
TEXT = (Path(__file__).parents[2] / "docs" / PAGE).read_text()
(EXAMPLE,) = re.findall(r"^```json\n(.*?)^```$", page(PAGE), re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in blocks(TEXT) for line in block.splitlines() if line.startswith("offhook ")]


def test_the_example_becomes_what_the_page_says() -> None:
    made = imported(EXAMPLE)
    assert made.sound
    assert made.missing == ()
    raw = json.loads(EXAMPLE)
    told = {quoted(row[0])[0]: (quoted(row[1])[0], *quoted(row[2])) for row in rows(section(PAGE, "A whole file"))}
    tasks = {one.name: one for _, one in every(read(made.raw).definition.tasks)}
    assert told == {name: (raw["tasks"][name]["type"], one.type, one.ref) for name, one in tasks.items()}


def test_every_type_is_told_with_all_its_fields() -> None:
    told = {quoted(row[0])[0]: row[1] for row in rows(section(PAGE, "What a file has"))}
    assert list(told) == list(KNOWN)
    for name, fields in KNOWN.items():
        assert {one for one in fields if f"`{one}`" in told[name]} >= set(fields) - {"maxConcurrencyExpression"}


def test_what_is_needed_is_refused_where_it_is_missing() -> None:
    for name in ("name", "startTask", "tasks"):
        with pytest.raises(Invalid) as refused:
            imported({key: value for key, value in json.loads(EXAMPLE).items() if key != name})
        assert name in {one.location for one in refused.value.violations}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_there(line: str) -> None:
    test_every_command_and_option_exists(line)
