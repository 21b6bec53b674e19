"""The pages of telephones and carriers in a real browser: accessible, and readable in a narrow window."""

import os
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from offhook.examples import SMALL
from tests.console.test_browser import NARROW, WIDE, Desktop, chromium
from tests.survival.process import Process

__all__ = ["chromium"]
V1, V2 = "/api/offhook/v1", "/api/v2"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("phones") / "data") as process:
        yield process


@pytest.fixture(scope="module")
def places(server: Process) -> list[str]:
    """The pages, with a telephone and a carrier on them."""
    key = server.company.sandbox_key  # type: ignore[union-attr]

    def made(path: str, body: Any) -> Any:
        answer = server.ask("POST", path, body, key=key)
        assert answer.status == 200, answer
        return answer.json

    office = server.ask("GET", f"{V2}/offices", key=key).json["items"][0]["id"]
    user = made(
        f"{V2}/users", {"office_id": office, "email": "ann@example.com", "first_name": "Ann", "license": "talk"}
    )
    device = made(f"{V1}/users/{user['id']}/devices", {"name": "Laptop"})
    # Of an office without an emergency address, whose page says what to do.
    lisbon = made(f"{V2}/offices", SMALL)["office"]["id"]
    made(f"{V1}/offices/{lisbon}/licences", {"talk_lines": 1})
    rui = made(f"{V2}/users", {"office_id": lisbon, "email": "rui@example.com"})
    other = made(f"{V1}/users/{rui['id']}/devices", {"name": "Desk"})
    trunk = made(f"{V1}/trunks", {"name": "Carrier", "country": "US", "addresses": ["203.0.113.7", "203.0.113.16/28"]})
    phones = [f"/console/phones/{one['id']}" for one in (device, other)]
    return ["/console/phones", *phones, "/console/trunks", f"/console/trunks/{trunk['id']}"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_is_accessible_and_fits_the_window(
    chromium: Browser, server: Process, places: list[str], scheme: Literal["light", "dark"], width: int
):
    window = Desktop(chromium, server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = window.sign_in(), []
    for path in places:
        page.goto(path)
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_load_state("networkidle")
        results = Axe().run(page).response
        found += [(path, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in results["violations"]]
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if folder := os.environ.get("OFFHOOK_SHOTS"):
            page.screenshot(path=f"{folder}/{path.replace('/', '_')}-{scheme}-{width}.png")
        assert size[0] <= size[1], path
    window.context.close()
    assert found == []
    assert window.complaints == []


def test_a_password_is_made_and_gone_with_the_page(chromium: Browser, server: Process, places: list[str]):
    window = Desktop(chromium, server, viewport={"width": WIDE, "height": 900})
    page = window.sign_in()
    page.goto(places[1])
    page.get_by_role("button", name="Make one, and show it").click()
    password = page.get_by_role("status").locator("code").inner_text()
    assert len(password) == 24
    page.goto(places[1])
    assert password not in page.content()
    window.context.close()
