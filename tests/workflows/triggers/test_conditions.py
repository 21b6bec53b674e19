"""Which events a trigger takes, and what becomes of conditions that break."""

from pathlib import Path
from typing import Any

import pytest

from offhook.events.model import Word
from offhook.workflows.expressions import scripts
from tests.workflows.triggers.waking import Waking

OFFICES = {"name": "offices", "workflow": "w", "events": ["office.created"]}
COUNTRY = '{"office":{"name":"Lisbon","country":"PT","size":3}}'


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """Nothing here depends on the kind of store."""
    path = tmp_path / "offhook.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def words(one: Waking) -> list[str]:
    return [word.partition(".")[2] for word, _ in one.events("workflow_trigger")]


@pytest.mark.parametrize(
    ("condition", "starts"),
    [
        ({"where": {"after.office.country": "PT", "after.office.size": 3.0}}, True),
        ({"where": {"after.office.country": "PT", "after.office.size": "3"}}, False),
        ({"where": {"after.office.missing": None, "before": None}}, True),
        ({"where": {"after.office": {"size": 3, "country": "PT", "name": "Lisbon"}}}, True),
        ({"expression": "$.event.after.office.name.startsWith('Lis')"}, True),
        ({"expression": "$.event.after.office.size > 3"}, False),
        ({"expression": "event.after.office.size = 3", "language": "jsonata"}, True),
        ({"not_by": ["somebody"]}, False),
        ({"events": ["office.*", "user.created"]}, True),
        ({"events": ["*"]}, True),
        ({"events": ["user.*"]}, False),
    ],
)
def test_conditions(story: Any, condition: dict[str, Any], starts: bool):
    async def tell(one: Waking) -> None:
        await one.made("triggers", {**OFFICES, **condition})
        one.happened(Word.OFFICE_CREATED, after=COUNTRY)
        await one.later(1)
        assert bool(one.target.started) is starts
        assert words(one) == (["fired"] if starts else [])

    story(tell)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"expression": "throw new Error('no')"}, "no"),
        ({"expression": "'yes'"}, "true or false"),
        ({"input": {"x": "${jsonata: $error('broken')}"}}, "broken"),
    ],
)
def test_a_condition_that_breaks_is_told_and_starts_nothing(story: Any, condition: dict[str, Any], said: str):
    async def tell(one: Waking) -> None:
        await one.made("triggers", {**OFFICES, **condition})
        await one.made("triggers", {**OFFICES, "name": "sound"})
        one.happened(Word.OFFICE_CREATED, after=COUNTRY)
        await one.later(1)
        assert sorted(words(one)) == ["failed", "fired"]
        [why] = [told["why"] for word, told in one.events("workflow_trigger") if word.endswith("failed")]
        assert said in why

    story(tell)


@pytest.mark.parametrize(
    "condition",
    [
        {"expression": "$.event.after.office.size == 3"},
        {"expression": "event.after.office.size = 3", "language": "jsonata"},
        {"input": {"x": "${jsonata: event.after.office.size}"}},
    ],
)
def test_an_event_waits_while_no_script_can_be_evaluated(
    story: Any, condition: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    def none(_program: str) -> Any:
        raise BlockingIOError("no more processes")

    async def tell(one: Waking) -> None:
        child = scripts._Child
        monkeypatch.setattr(scripts, "_Child", none)
        await one.made("triggers", {**OFFICES, **condition})
        one.happened(Word.OFFICE_CREATED, after=COUNTRY)
        await one.later(1)
        await one.later(1)
        assert words(one) == []
        monkeypatch.setattr(scripts, "_Child", child)
        await one.later(1)
        assert words(one) == ["fired"]
        assert len(one.target.started) == 1

    story(tell)
