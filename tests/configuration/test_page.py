"""The example of docs/configuration-as-code.md is accepted as it stands, and comes back as it says."""

import re
from pathlib import Path
from typing import Any

from offhook.configuration import text
from offhook.configuration.kinds import KINDS
from tests.api.desk import Company
from tests.configuration.files import apply, document, export, lisbon, plan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration-as-code.md"


def example(page: Path = PAGE) -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert found is not None
    written: dict[str, Any] = text.read(found.group(1).encode()).value
    return written


def test_the_example_is_applied_and_exported_again(company: Company):
    wanted = example()
    assert apply(company.live, wanted)["created"] == sum(
        len(section) for section in wanted.values() if isinstance(section, dict)
    )
    assert plan(company.live, wanted)["differs"] is False
    assert plan(company.live, export(company.live), prune=True)["differs"] is False


def test_callers_of_the_example_are_not_lost(company: Company):
    apply(company.live, example())
    offices = [one["id"] for one in company.live.get("/api/v2/offices").json["items"] if not one["is_primary_office"]]
    assert len(offices) == 2
    for office in offices:
        findings = company.live.post(f"/api/offhook/v1/offices/{office}/verify").json["findings"]
        assert [one for one in findings if one["severity"] == "error"] == []


def test_the_lines_that_the_page_of_telephones_has_for_calls_abroad_allow_them(company: Company):
    apply(company.live, document(offices={"Lisbon": lisbon(licences={"talk_lines": 1})}))
    apply(company.live, document(users={"ana@example.com": {"office": "Lisbon"}}))
    done = apply(company.live, example(PAGE.with_name("telephones.md")))
    assert (done["changed"], done["created"], done["deleted"]) == (2, 0, 0)
    there = export(company.live)
    assert there["offices"]["Lisbon"]["international_enabled"] is True
    assert there["users"]["ana@example.com"]["international_dialing_enabled"] is True


def test_the_page_names_every_section():
    page = PAGE.read_text()
    assert [kind.section for kind in KINDS if f"`{kind.section}`" not in page] == []
