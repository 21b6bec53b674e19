"""The example of docs/configuration-as-code.md is accepted as it stands, and comes back as it says."""

import re
from pathlib import Path
from typing import Any

from offhook.configuration import text
from offhook.configuration.kinds import KINDS
from tests.api.desk import Company
from tests.configuration.files import apply, export, plan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration-as-code.md"


def example() -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    document: dict[str, Any] = text.read(found.group(1).encode()).value
    return document


def test_the_example_is_applied_and_exported_again(company: Company):
    wanted = example()
    assert apply(company.live, wanted)["created"] == sum(
        len(section) for section in wanted.values() if isinstance(section, dict)
    )
    assert plan(company.live, wanted)["differs"] is False
    assert plan(company.live, export(company.live), prune=True)["differs"] is False


def test_the_page_names_every_section():
    page = PAGE.read_text()
    assert [kind.section for kind in KINDS if f"`{kind.section}`" not in page] == []
