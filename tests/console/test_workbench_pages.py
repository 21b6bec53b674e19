"""What the workbench's pages do in a real browser with what is filled in: credentials, requests, runs."""

import re
from collections.abc import Iterator

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
    found.sign_in()
    yield found
    found.context.close()


@pytest.fixture
def page(desktop: Desktop) -> Iterator[Page]:
    """Its page; the browser may complain of nothing."""
    desktop.complaints.clear()
    yield desktop.page
    assert desktop.complaints == []


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
