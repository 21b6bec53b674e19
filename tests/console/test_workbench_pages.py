"""What the workbench's pages do in a real browser with what is filled in: credentials, requests, runs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.test_browser import WIDE, Desktop, chromium
from tests.survival.process import Process

__all__ = ["chromium"]

SECRETS = {
    "Bearer token": {"Token": "secret-bearer"},
    "API key": {"Name of the header or parameter": "X-Api-Key", "Key": "secret-key"},
    "User and password": {"User": "ann", "Password": "secret-password"},
    "OAuth 2, client credentials": {
        "Address of tokens": "https://login.example.com/token",
        "Client id": "us",
        "Client secret": "secret-client",
    },
    "Headers": {"Headers": "X-One: secret-one\nX-Two: secret-two"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server whose test requests may go anywhere on loopback."""
    data = tmp_path_factory.mktemp("pages") / "data"
    with Process(data, settings={"egress_allow": "127.0.0.0/8"}) as process:
        yield process


@pytest.fixture(scope="module")
def desktop(chromium: Browser, server: Process) -> Iterator[Desktop]:
    """A window that is signed in, for all of these tests."""
    found = Desktop(chromium, server, viewport={"width": WIDE, "height": 900})
    found.context.set_default_timeout(8_000)
    found.sign_in()
    yield found
    found.context.close()


@pytest.fixture
def page(desktop: Desktop) -> Iterator[Page]:
    """Its page; the browser may complain of nothing."""
    desktop.complaints.clear()
    yield desktop.page
    # Chromium names every page with a status of its own there.
    assert [one for one in desktop.complaints if "Failed to load resource" not in one] == []


def test_a_credential_of_each_kind_is_added_by_what_can_be_seen(page: Page):
    page.goto("/console/credentials")
    for kind, fields in SECRETS.items():
        page.get_by_label("Kind").select_option(label=kind)
        for label, value in fields.items():
            page.get_by_label(label, exact=True).fill(value)
        page.get_by_label("Name", exact=True).fill(f"My {kind}")
        page.get_by_label("Hosts").fill("api.example.com")
        page.get_by_role("button", name="Keep it").click()
        row = page.get_by_role("row", name=re.compile(f"My {kind}"))
        expect(row).to_contain_text("api.example.com")
    assert "secret-" not in page.content()


def ask(server: Process, method: str, path: str, body: object = None) -> Any:
    """What the API answers to the key that is signed in."""
    assert server.company is not None
    answer = server.ask(method, f"/api/offhook/v1{path}", body, key=server.company.sandbox_key)
    assert answer.status == 200, answer
    return answer.json


def kept(server: Process, name: str) -> str:
    """A request that is saved by this name: its place."""
    body = {"name": name, "request": {"server": server.url, "path": "/healthz"}}
    return f"/requests/{ask(server, 'POST', '/requests', body)['id']}"


def changed(server: Process, place: str, name: str, path: str) -> None:
    """Somebody else changes it."""
    ask(server, "PUT", place, {"name": name, "request": {"server": server.url, "path": path}})


def test_who_saves_over_what_somebody_else_saved_is_asked_first(page: Page, server: Process):
    place = kept(server, "Health")
    page.goto(f"/console{place}")
    changed(server, place, "Health", "/theirs")
    page.get_by_label("Path").fill("/mine")
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Not saved: it was changed meanwhile")
    expect(told).to_contain_text("Not the same as yours: path.")
    expect(page.get_by_label("Path")).to_have_value("/mine")
    changed(server, place, "Health", "/theirs again")
    page.get_by_role("button", name="Save mine over it").click()
    expect(told).to_contain_text("saved version 3")
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("version 4", exact=True)).to_be_visible()
    expect(page.get_by_label("Path")).to_have_value("/mine")


def test_what_was_filled_in_outlives_the_request_that_it_was_for(page: Page, server: Process):
    place = kept(server, "Short-lived")
    page.goto(f"/console{place}")
    page.get_by_label("Path").fill("/still")
    ask(server, "DELETE", place)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#verdict")).to_contain_text("was deleted meanwhile")
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_role("heading", name="Short-lived")).to_be_visible()
    expect(page.get_by_label("Path")).to_have_value("/still")
