"""Runs on a Conductor server from the command line and in a real browser, as those here are."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from bench.server import PROGRAM
from bench.server import Company as Made
from tests.console.test_browser import NARROW, WIDE, Desktop, chromium
from tests.console.test_workflow_browser import HERE, begun, calling, put
from tests.survival.process import Process
from tests.workflows.definitions.shapes import definition, task

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def server(served: tuple[Process, Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that names our other one."""
    there, made = served
    data = tmp_path_factory.mktemp("here") / "data"
    settings = {
        "egress_allow": "127.0.0.0/8", "conductor_url": f"http://127.0.0.1:{there.port}/api",
        "conductor_key_id": "any", "conductor_key_secret": made.live_key,
    }  # fmt: skip
    with Process(data, settings=settings) as process:
        yield process


@pytest.fixture
def window(chromium: Browser, server: Process) -> Iterator[Desktop]:
    """A window at the usual size; nothing may be complained of."""
    found = Desktop(chromium, server, viewport={"width": WIDE, "height": 900})
    yield found
    found.context.close()
    assert found.complaints == []


def offhook(server: Process, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert server.company is not None
    command = [*PROGRAM, "workflow", *arguments, "--url", server.url]
    environment = {**server.environment, "OFFHOOK_KEY": server.company.sandbox_key}
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60, text=True)


def test_a_file_is_run_there_from_the_command_line(server: Process, tmp_path: Path) -> None:
    file = tmp_path / "hello.json"
    set_ = task("say", "SET_VARIABLE", inputParameters={"text": "Hello, ${workflow.input.who}"})
    raw = definition(set_, task("ask", "HUMAN"), outputParameters={"text": "${workflow.variables.text}"})
    file.write_text(json.dumps({**raw, "name": "greeting"}))
    made = offhook(server, "start", str(file), "--engine", "conductor", "--input", "who=Ana")
    assert made.returncode == 0, made.stderr
    assert "is started on the Conductor server." in made.stdout
    listed = offhook(server, "runs", "--engine", "conductor", "--json")
    [one] = json.loads(listed.stdout)["items"]
    assert (one["workflow"], one["engine"]) == ("greeting", "conductor")
    for verb, words in (("pause", "PAUSED"), ("resume", "RUNNING"), ("attempts", "HUMAN")):
        said = offhook(server, verb, one["id"])
        assert (said.returncode, words in said.stdout) == (0, True), said
    assert "on the Conductor server" in offhook(server, "status", one["id"]).stdout
    assert offhook(server, "complete", one["id"], "ask").returncode == 0
    seen = offhook(server, "status", one["id"], "--watch")
    assert (seen.returncode, json.loads(seen.stdout)) == (0, {"text": "Hello, Ana"}), seen
    assert offhook(server, "runs", "--json").stdout.count("greeting") == 0


def test_a_run_there_is_begun_watched_and_completed_in_the_browser(window: Desktop, server: Process) -> None:
    put(server, definition(calling(server, "look"), task("approve", "HUMAN")) | {"name": "health"})
    begun(server, "health")
    page = window.sign_in()
    page.goto(f"{HERE}/definitions/health")
    page.get_by_label("Where").select_option(label="the Conductor server")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#run-head")).to_contain_text("on the Conductor server")
    expect(page.locator("#live")).to_have_text("live")
    expect(page.get_by_role("heading", name="It waits for you")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#run-head")).to_contain_text("Paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("link", name="look", exact=False).last.click()
    expect(page.get_by_role("heading", name="Response")).to_be_visible()
    page.get_by_role("link", name="approve", exact=False).last.click()
    page.get_by_role("button", name="Complete it").click()
    expect(page.locator("#run-head")).to_contain_text("Completed", timeout=15_000)
    page.goto(f"{HERE}/runs")
    there = page.get_by_role("region", name="On the Conductor server")
    expect(there.get_by_role("link", name="health").first).to_be_visible()
    expect(page.get_by_role("heading", name="On this server")).to_be_visible()
    for scheme in ("light", "dark"):
        for width in (WIDE, NARROW):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            results = Axe().run(page).response
            assert [one["id"] for one in results["violations"]] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Engine").select_option(label="the Conductor server")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="On this server")).to_have_count(0)


def test_a_server_that_is_away_is_said_and_what_is_here_is_seen(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("alone") / "data"
    with Process(data, settings={"conductor_url": "http://127.0.0.1:9/api"}) as alone:
        window = Desktop(chromium, alone, viewport={"width": WIDE, "height": 900})
        put(alone, definition(task("approve", "HUMAN")) | {"name": "asks"})
        begun(alone, "asks")
        page = window.sign_in()
        page.goto(f"{HERE}/runs")
        expect(page.get_by_text("The Conductor server cannot be asked")).to_be_visible()
        expect(page.get_by_role("table").get_by_role("link", name="asks")).to_be_visible()
        window.context.close()
        assert window.complaints == []
