"""What is wrong with a schedule, a trigger or a hook is told with its place; nothing of it depends on the store."""

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.triggers.waking import V1, Waking

HOURLY = {"name": "hourly", "workflow": "w", "cron": "0 * * * *"}


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "offhook.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"cron": "61 * * * *", "timezone": "Europe/Lisboa", "name": " "}, ["cron", "name", "timezone"]),
        ({"workflow": "nobody"}, ["workflow"]),
        ({"version": 3}, ["version"]),
        ({"input": {"a": {"b": "${workflow.input.x}"}, "c": ["${schedule."]}}, ["input.a.b", "input.c[0]"]),
        ({"input": {"a": "${jsonata: schedule.date}"}}, ["input.a"]),
        ({"input": {"a": "x" * 70_000}}, ["input"]),
        ({"missed": "never"}, ["missed"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place(story: Any, changes: dict[str, Any], places: list[str]):
    async def tell(one: Waking) -> None:
        answer = await one.send("POST", f"{V1}/schedules", {**HOURLY, **changes})
        assert answer.status_code == 400
        assert sorted({error["location"] for error in answer.json()["error"]["errors"]}) == places

    story(tell)


def test_names_are_unique_and_what_contradicts_itself_is_warned_of(story: Any):
    async def tell(one: Waking) -> None:
        answer = await one.send("POST", f"{V1}/schedules", {**HOURLY, "missed": "all", "overlap": "skip"})
        assert "missed_once" in answer.headers["offhook-warning"]
        assert (await one.send("POST", f"{V1}/schedules", HOURLY)).status_code == 409
        await one.made("schedules", {**HOURLY, "name": "other"})
        listed = (await one.send("GET", f"{V1}/schedules?workflow=w")).json()["items"]
        assert [item["name"] for item in listed] == ["hourly", "other"]

    story(tell)


def test_the_next_moments_are_shown_with_what_the_clock_does(story: Any):
    async def tell(one: Waking) -> None:
        path = f"{V1}/schedules/preview"
        query = {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "count": "2"}
        spring = await one.send("GET", path, params={**query, "after": "2026-03-28T12:00"})
        [skipped, plain] = spring.json()["items"]
        assert (skipped["local"], "skips" in skipped["note"]) == ("2026-03-29T03:00:00+02:00", True)
        assert "note" not in plain
        autumn = await one.send("GET", path, params={**query, "after": "2026-10-24T12:00"})
        assert "first time" in autumn.json()["items"][0]["note"]
        bad = await one.send("GET", path, params={"cron": "x", "timezone": "Mars", "after": "soon"})
        assert sorted(one["location"] for one in bad.json()["error"]["errors"]) == ["after", "cron", "timezone"]

    story(tell)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"events": []}, ["events"]),
        ({"events": ["office.craeted", "user.*"]}, ["events[0]"]),
        ({"events": ["workflow_trigger.fired"]}, ["events[0]"]),
        ({"where": {"after.x)": 1}, "input": {"x": "${workflow.secrets.KEY}"}}, ["input.x", "where.after.x)"]),
        ({"expression": "$foo(", "language": "jsonata"}, ["expression"]),
        ({"expression": "$.event.(", "events": ["x"]}, ["events[0]", "expression"]),
        ({"most_per_minute": 0}, ["most_per_minute"]),
        ({"not_by": ["a\nb"], "workflow": "w"}, ["not_by[0]"]),
    ],
)
def test_what_is_wrong_with_a_trigger(story: Any, changes: dict[str, Any], places: list[str]):
    async def tell(one: Waking) -> None:
        body = {"name": "t", "workflow": "w", "events": ["office.created"], **changes}
        answer = await one.send("POST", f"{V1}/triggers", body)
        assert answer.status_code == 400
        assert sorted({error["location"] for error in answer.json()["error"]["errors"]}) == places

    story(tell)


def test_a_misspelt_event_is_told_what_was_meant(story: Any):
    async def tell(one: Waking) -> None:
        answer = await one.send("POST", f"{V1}/triggers", {"name": "t", "workflow": "w", "events": ["ofice.created"]})
        assert "office.created" in answer.json()["error"]["errors"][0]["message"]

    story(tell)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"headers": ["Authorization", "x y", "X-Fine"]}, ["headers[0]", "headers[1]"]),
        ({"idempotency_header": "Cookie"}, ["idempotency_header"]),
        ({"secret": "of my own, long enough"}, ["secret"]),
        ({"secret": "short", "proof": "github"}, ["secret"]),
        ({"workflow": "nobody"}, ["workflow"]),
    ],
)
def test_what_is_wrong_with_a_hook(story: Any, changes: dict[str, Any], places: list[str]):
    async def tell(one: Waking) -> None:
        answer = await one.send("POST", f"{V1}/hooks", {"name": "h", "workflow": "w", **changes})
        assert answer.status_code == 400
        assert sorted({error["location"] for error in answer.json()["error"]["errors"]}) == places
        assert "short" not in answer.text

    story(tell)


@pytest.mark.parametrize(
    ("path", "body", "places"),
    [
        (
            "schedules",
            {"missed": "never", "timezone": "Mars", "cron": "x", "workflow": "nobody"},
            ["cron", "missed", "timezone", "workflow"],
        ),
        ("schedules", {"cron": "x", "workflow": "nobody"}, ["cron", "workflow"]),
        (
            "triggers",
            {"events": ["x"], "language": "perl", "workflow": "nobody"},
            ["events[0]", "language", "workflow"],
        ),
        ("triggers", {"events": ["office.created"], "expression": "(", "version": 9}, ["expression", "version"]),
        ("hooks", {"proof": "none", "headers": ["Cookie"], "workflow": "nobody"}, ["headers[0]", "proof", "workflow"]),
    ],
)
def test_all_that_is_wrong_is_told_at_once(story: Any, path: str, body: dict[str, Any], places: list[str]):
    async def tell(one: Waking) -> None:
        answer = await one.send("POST", f"{V1}/{path}", {"name": "t", "workflow": "w", **body})
        assert answer.status_code == 400
        assert sorted(error["location"] for error in answer.json()["error"]["errors"]) == places

    story(tell)


def test_an_expression_that_cannot_be_read_is_refused_with_its_engine_s_words(story: Any):
    async def tell(one: Waking) -> None:
        body = {"name": "t", "workflow": "w", "events": ["office.created"], "expression": "$.event.("}
        answer = await one.send("POST", f"{V1}/triggers", body)
        (fault,) = answer.json()["error"]["errors"]
        assert (answer.status_code, fault["location"], fault["reason"]) == (400, "expression", "syntax")
        assert "This JavaScript cannot be read: SyntaxError" in fault["message"]
        made = await one.send("POST", f"{V1}/triggers", {**body, "expression": "$.event.seq > 1"})
        assert made.status_code == 200
        again = await one.send(
            "PUT",
            f"{V1}/triggers/{made.json()['id']}",
            {**body, "expression": "a b", "language": "jsonata"},
        )
        assert again.status_code == 400, again.text

    story(tell)
