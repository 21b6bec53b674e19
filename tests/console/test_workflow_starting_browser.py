"""What starts workflows in a real browser: moments while a cron expression is typed, a secret to be copied; imports."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.console.test_browser import NARROW, WIDE, Desktop, Scheme, chromium
from tests.console.test_workflow_browser import HERE, ask, put, server
from tests.console.test_workflow_starting_pages import FLOW, PLAIN
from tests.survival.process import Process

__all__ = ["chromium", "server"]

STARTING = f"{HERE}/starting"


@pytest.fixture
def window(chromium: Browser, server: Process) -> Iterator[Desktop]:
    """A window of somebody in Tokyo; nothing may be complained of."""
    put(server, PLAIN)
    found = Desktop(chromium, server, viewport={"width": WIDE, "height": 900}, timezone_id="Asia/Tokyo")
    yield found
    found.context.close()
    assert found.complaints == []


def test_the_next_moments_are_shown_while_a_cron_expression_is_typed(window: Desktop, server: Process):
    page = window.sign_in()
    page.goto(f"{STARTING}/schedules/new?workflow=plain")
    page.get_by_label("Name required", exact=True).fill("typed")
    moments = page.locator("#moments li")
    expect(moments).to_have_count(5)
    page.get_by_label("Time zone").fill("Asia/Kolkata")
    when = page.get_by_label("When required")
    when.fill("")
    when.press_sequentially("0 6 1 1 ")
    expect(page.locator("#moments .problem")).to_contain_text("Must have five fields")
    when.press_sequentially("*")
    expect(moments.first).to_have_text(re.compile(r"1 Jan 20\d\d, 06:00 \w+ 1 Jan 20\d\d, 09:30 on your clock$"))
    expect(page.get_by_label("Name required", exact=True)).to_have_value("typed")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="typed")).to_be_visible()
    expect(page.get_by_text("It is kept.")).to_be_visible()
    page.goto(STARTING)
    row = page.get_by_role("row", name=re.compile("typed"))
    expect(row).to_contain_text("06:00 Asia/Kolkata")
    expect(row).to_contain_text("09:30 on your clock")


def test_a_hook_shows_its_secret_to_be_copied_and_then_its_calls(window: Desktop, server: Process):
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = window.sign_in()
    page.goto(f"{STARTING}/hooks/new?workflow=plain")
    page.get_by_label("Name required", exact=True).fill("called")
    page.get_by_role("button", name="Keep it").click()
    shown = page.get_by_role("region", name="Its secret, shown this once")
    shown.get_by_role("button", name="Copy").click()
    expect(shown.get_by_role("button", name="Copied")).to_be_visible()
    secret = page.evaluate("() => navigator.clipboard.readText()")
    address = page.get_by_label("The address").inner_text().strip()
    assert address.startswith(server.url)
    answer = httpx.post(address, headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 202, answer.text
    (id,) = [one["id"] for one in ask(server, "GET", "/hooks")["items"]]
    run = page.get_by_role("link", name=f"Run {answer.json()['run_id']}")
    for _ in range(100):
        page.goto(f"{STARTING}/hooks/{id}")
        if run.count():
            break
    expect(shown).to_have_count(0)
    run.click()
    expect(page.get_by_text("hook called")).to_be_visible()


def test_a_file_of_another_system_is_chosen_looked_at_and_kept(window: Desktop, server: Process, tmp_path: Path):
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(FLOW | {"name": "Chosen"}))
    page = window.sign_in()
    page.goto(f"{HERE}/new")
    page.get_by_text("Import one of another system").click()
    page.get_by_label("A file that holds it").set_input_files(file)
    expect(page.get_by_label("A definition in the states format, as JSON")).to_have_value(re.compile("Chosen"))
    page.get_by_role("button", name="Show what it becomes").click()
    expect(page.get_by_role("heading", name="It can be kept")).to_be_visible()
    page.get_by_role("button", name="Keep it as a new version").click()
    expect(page.get_by_role("heading", name="It is kept")).to_be_visible()
    page.get_by_role("status").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Start a run")).to_be_visible()


@pytest.fixture(scope="module")
def pages(server: Process) -> list[str]:
    """Every page, with something on each."""
    put(server, PLAIN)
    body = {"name": "seen", "workflow": "plain"}
    ids = {
        "schedules": ask(server, "POST", "/schedules", body | {"cron": "30 2 * * *", "timezone": "Europe/Berlin"})[
            "id"
        ],
        "triggers": ask(server, "POST", "/triggers", body | {"events": ["user.*"], "where": {"after.a": 1}})["id"],
        "hooks": ask(server, "POST", "/hooks", body | {"proof": "github"})["hook"]["id"],
    }
    ask(server, "POST", f"/schedules/{ids['schedules']}/run")
    ask(server, "POST", f"/triggers/{ids['triggers']}/pause")
    ask(server, "POST", "/policies", {"policy": {"name": "seen", "retryCount": 2}})
    return [
        STARTING, f"{HERE}/import", f"{HERE}/new",
        *(f"{HERE}/policies{one}" for one in ("", "/new", "/of/seen")),
        *(f"{STARTING}/{kind}/{one}" for kind, id in ids.items() for one in (id, "new")),
    ]  # fmt: skip


@pytest.mark.parametrize(("scheme", "width"), [("light", WIDE), ("dark", NARROW)])
def test_every_page_is_accessible_and_fits_the_window(
    chromium: Browser, server: Process, pages: list[str], scheme: Scheme, width: int
):
    window = Desktop(chromium, server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = window.sign_in(), []
    for path in pages:
        page.goto(path)
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        results = Axe().run(page).response
        found += [(path, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in results["violations"]]
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert size[0] <= size[1], path
    window.context.close()
    assert (found, window.complaints) == ([], [])
