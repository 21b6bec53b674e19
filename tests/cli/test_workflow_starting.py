"""What starts workflows, from the command line: schedules, triggers and hooks, and why one has started nothing."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Run
from tests.cli.test_workflows import definition, step, task, write
from tests.survival.process import Process

CLOCK = ("workflow", "schedules")
EVENTS = ("workflow", "triggers")
HOOKS = ("workflow", "hooks")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A real server that these tests share."""
    server = Process(tmp_path_factory.mktemp("starting") / "data", scale=1)
    server.init()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def served(process: Process, empty: Path, monkeypatch: pytest.MonkeyPatch, offhook: Run) -> Process:
    """The same, which commands ask, and which knows the workflow hello."""
    monkeypatch.setenv("OFFHOOK_URL", process.url)
    monkeypatch.setenv("OFFHOOK_KEY", process.key)
    said = offhook("workflow", "register", write(empty, definition(task("a"))), "--overwrite")
    assert said.status == 0, said.err
    return process


def fine(offhook: Run, *arguments: str) -> Any:
    said = offhook(*arguments, "--json")
    assert said.status == 0, said.out + said.err
    return said.json


def test_a_schedule_is_made_tried_changed_paused_and_deleted(offhook: Run, served: Process) -> None:
    said = offhook(*CLOCK, "add", "nightly", "-w", "hello", "--cron", "30 2 * * *", "-z", "Europe/Lisbon", "-i", "n=1")
    assert said.status == 0, said.err
    assert "It starts hello: " in said.out
    assert "Europe/Lisbon" in said.out
    assert offhook(*step(said)).out.splitlines()[0].split()[0] == "EUROPE/LISBON"
    made = fine(offhook, *CLOCK, "run", "nightly")
    assert fine(offhook, "workflow", "status", made["run_id"])["input"] == {"n": 1}
    shown = offhook(*CLOCK, "show", "nightly").out
    assert "30 2 * * * on the clock of Europe/Lisbon" in shown
    assert "fired by hand" in shown
    assert made["run_id"] in shown
    changed = fine(offhook, *CLOCK, "set", "nightly", "--missed", "skip", "--name", "early", "--clear", "input")
    assert (changed["name"], changed["missed"], changed["input"]) == ("early", "skip", {})
    assert (changed["cron"], changed["timezone"]) == ("30 2 * * *", "Europe/Lisbon"), "what is not said stays"
    assert "paused" in offhook(*CLOCK, "pause", "early").out
    assert "none of these starts anything" in offhook(*CLOCK, "next", "early").err
    header, row = offhook(*CLOCK, "list").out.splitlines()
    assert (header.split()[0], row.split()[:2]) == ("NAME", ["early", "hello"])
    assert "paused" in row
    assert fine(offhook, *CLOCK, "resume", "early")["paused"] is False
    assert offhook(*CLOCK, "delete", "early").status == 0
    assert fine(offhook, *CLOCK, "list")["items"] == []


def test_the_next_moments_are_those_of_the_zone_with_what_its_clock_does(offhook: Run, served: Process) -> None:
    said = offhook(
        *CLOCK, "next", "--cron", "30 2 * * *", "-z", "Europe/Berlin", "-n", "2", "--after", "2026-03-28T12:00:00Z"
    )
    assert said.out.splitlines() == [
        "EUROPE/BERLIN     UTC               NOTE",
        "2026-03-29 03:00  2026-03-29 01:00  The clock skips the time that is named; this is when it is put on.",
        "2026-03-30 02:30  2026-03-30 00:30",
    ]
    assert offhook(*CLOCK, "next").err.startswith("Say of what")


def test_faults_have_their_places_and_mends(offhook: Run, served: Process) -> None:
    said = offhook(*CLOCK, "add", "bad", "-w", "hello", "--cron", "61 * * * *", "-z", "Europe/Lisbn")
    assert said.status == 1
    assert (
        "  timezone  Must be a time zone of the tz database, such as Europe/Lisbon. Did you mean Europe/Lisbon"
        in said.err
    )
    assert "  cron  Its minute cannot be '61': 0 to 59" in said.err
    said = offhook(*CLOCK, "add", "bad", "-w", "nothing", "--cron", "0 1 * * *")
    assert "  workflow  There is no workflow nothing; register it first." in said.err
    said = offhook(*EVENTS, "add", "bad", "-w", "hello", "--event", "office.creatd")
    assert "  events[0]  Must be an event of the event log" in said.err
    assert "office.created" in said.err
    assert offhook(*EVENTS, "show", "nothing").err.startswith("There is no trigger nothing. There is none yet.")


def test_a_change_over_somebody_elses_is_refused(
    offhook: Run, served: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    from offhook.cli import workflow_starting

    fine(offhook, *CLOCK, "add", "both", "-w", "hello", "--cron", "0 1 * * *")
    found = workflow_starting.found

    async def and_then_another(client: Any, kind: Any, word: str) -> Any:
        before = await found(client, kind, word)
        await client.call("POST", f"{kind.one(before.document['id'])}/pause")
        return before

    monkeypatch.setattr(workflow_starting, "found", and_then_another)
    said = offhook(*CLOCK, "set", "both", "--cron", "0 2 * * *")
    monkeypatch.undo()
    assert (said.status, "Somebody has changed both in this moment; nothing was changed." in said.err) == (1, True)
    fine_one = httpx.get(
        f"{served.url}/api/offhook/v1/workflows/schedules", headers={"authorization": f"Bearer {served.key}"}
    ).json()["items"][0]
    assert (fine_one["cron"], fine_one["paused"]) == ("0 1 * * *", True)
    httpx.delete(
        f"{served.url}/api/offhook/v1/workflows/schedules/{fine_one['id']}",
        headers={"authorization": f"Bearer {served.key}"},
    ).raise_for_status()


def test_a_trigger_says_what_it_started_and_why_an_event_was_passed_over(offhook: Run, served: Process) -> None:
    said = offhook(
        *EVENTS, "add", "wanted", "-w", "hello", "--event", "workflow_policy.registered", "--where",
        "after.name=wanted", "-i", "about=${event.subject_id}",
    )  # fmt: skip
    assert said.status == 0, said.err
    assert "It starts hello from now on." in said.out
    for name in ("other", "wanted"):
        answer = served.ask("POST", "/api/offhook/v1/workflows/policies", {"policy": {"name": name}}, key=served.key)
        assert answer.status == 200, answer
    for _ in range(400):
        one = fine(offhook, *EVENTS, "show", "wanted")
        if "last" in one:
            break
    assert one["last"]["outcome"] == "started"
    assert one["passed_over"]["event"] == "workflow_policy.registered"
    assert one["passed_over"]["why"] == "Its after.name is not what the condition (where) wants."
    shown = offhook(*EVENTS, "show", "wanted").out
    assert "passed over  workflow_policy.registered" in shown
    assert "Its after.name is not what the condition (where) wants." in shown
    changed = fine(
        offhook, *EVENTS, "set", "wanted", "--event", "workflow_policy.*", "--clear", "where", "--not-by", "its own"
    )
    assert (changed["events"], changed.get("where"), changed["not_by"]) == (["workflow_policy.*"], None, ["its own"])
    assert fine(offhook, *EVENTS, "pause", "wanted")["paused"] is True
    assert fine(offhook, *EVENTS, "resume", "wanted")["paused"] is False
    assert offhook(*EVENTS, "delete", "wanted").status == 0


def test_a_hook_shows_its_secret_once_and_why_a_call_was_refused(offhook: Run, served: Process) -> None:
    said = offhook(*HOOKS, "add", "deploys", "-w", "hello", "--header", "X-Kind")
    assert said.status == 0, said.err
    secret = next(line.split()[1] for line in said.out.splitlines() if line.startswith("secret"))
    curl = shlex.split(
        next(line for line in said.err.splitlines() if line.startswith("Next ")).partition("   calls")[0]
    )
    address, header = curl[-1], curl[curl.index("-H") + 1]
    assert httpx.post(address, headers={"authorization": "Bearer no"}).status_code == 404
    good = httpx.post(address, headers={"authorization": header.partition(": ")[2]}, json={"a": 1})
    assert good.status_code == 202
    for _ in range(400):
        one = fine(offhook, *HOOKS, "show", "deploys")
        if len(one.get("calls", [])) == 2:
            break
    assert one["calls"][0]["run_id"] == good.json()["run_id"]
    assert one["calls"][1]["why"] == "Its secret is not the hook's."
    shown = offhook(*HOOKS, "show", "deploys")
    assert "Its secret is not the hook's." in shown.out
    assert secret not in shown.out + shown.err + offhook(*HOOKS, "list").out
    renewed = fine(offhook, *HOOKS, "new-secret", "deploys")
    assert renewed["secret"] not in ("", secret)
    assert fine(offhook, *HOOKS, "set", "deploys", "--pause")["paused"] is True
    paused = httpx.post(address, headers={"authorization": f"Bearer {renewed['secret']}"})
    assert (paused.status_code, fine(offhook, *HOOKS, "set", "deploys", "--resume")["headers"]) == (409, ["x-kind"])
    assert offhook(*HOOKS, "delete", "deploys").status == 0
    assert httpx.post(address, headers={"authorization": f"Bearer {renewed['secret']}"}).status_code == 404


@pytest.mark.parametrize("group", ["schedules", "triggers", "hooks"])
def test_the_help_of_each_command_has_an_example_that_is_one(offhook: Run, empty: Path, group: str) -> None:
    from offhook.cli import workflow_hooks, workflow_schedules, workflow_triggers

    app = {"schedules": workflow_schedules, "triggers": workflow_triggers, "hooks": workflow_hooks}[group].app
    for command in app.registered_commands:
        assert command.epilog is not None
        line = shlex.split(command.epilog.removeprefix("Example: "))
        assert line[:3] == ["offhook", "workflow", group]
        assert "Usage: " in offhook(*line[1:4], "--help").out
        options = [one for one in line if one.startswith("--")]
        shown = json.dumps(offhook(*line[1:4], "--help").out)
        assert [one for one in options if one not in shown] == []
