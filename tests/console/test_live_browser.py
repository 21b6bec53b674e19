"""Calls in a real browser, over the wire: as they come and go, hung up, drawn; light and dark, narrow."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.console.test_browser import NARROW, WIDE, Desktop, Scheme, chromium
from tests.survival.process import Process
from tests.telephony.calling_in import CALLER, SETTINGS, V1, House

__all__ = ["chromium"]
LIVE = "/console/calls/live"
OUTSIDE = """() => [...document.querySelectorAll("svg.ladder")].flatMap((picture) => {
  const within = (text, left, right) => {
    const box = text.getBBox();
    return box.x >= left && box.x + box.width <= right;
  };
  const names = [...picture.querySelectorAll(".party")].map((one) => {
    const box = one.querySelector(".box").getBBox();
    return [one.querySelector(".name"), box.x, box.x + box.width];
  });
  const said = [...picture.querySelectorAll(".said")].map((one) => [one, 0, picture.viewBox.baseVal.width]);
  return [...names, ...said].filter((one) => !within(...one)).map((one) => one[0].textContent);
})"""
"""What is written in a ladder and does not fit: a name its box, or anything else the picture."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Process(tmp_path_factory.mktemp("live") / "data", settings=SETTINGS) as server:
        one = House(server)
        yield one
        one.close()
        assert server.faults() == []


@pytest.fixture
def window(chromium: Browser, house: House) -> Iterator[Desktop]:
    """A window at the usual size; nothing may be complained of."""
    found = Desktop(chromium, house.server, viewport={"width": WIDE, "height": 900})
    yield found
    found.context.close()
    assert found.complaints == []


def ended(house: House, id: str) -> Any:
    return house.until(
        f"{V1}/calls/{id}/ladder",
        lambda said: said["over"] and all(one.get("phones") for one in said["parties"] if one["kind"] != "house"),
    )


def test_a_call_comes_rings_is_answered_and_goes_while_one_watches(window: Desktop, house: House):
    page = window.sign_in()
    page.goto(LIVE)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.get_by_text("Nobody calls at the moment.")).to_be_visible()
    page.evaluate("() => { window.same = true; }")
    call = house.call()
    call.ring()
    row = page.get_by_role("row", name=re.compile(re.escape(CALLER)))
    expect(row).to_contain_text("Ringing Ann and Bob")
    call.answer("Ann")
    expect(row).to_contain_text("Talking with Ann")
    first = row.locator("time").last.inner_text()
    expect(row.locator("time").last).not_to_have_text(first)
    # What is open, and the focus in it, outlast what changes meanwhile.
    page.get_by_text("Hang up", exact=False).first.focus()
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Hang up now")
    button.focus()
    second = house.call("+14155550177")
    second.ring("Bob")
    expect(page.get_by_role("row", name=re.compile("5550177"))).to_contain_text("Ringing Bob")
    expect(page.locator("details[open] button:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    call.call.peer.reply(call.call.peer.hear("BYE"), 200)
    call.left()
    expect(page.get_by_role("row", name=re.compile(re.escape(CALLER)))).to_have_count(0)
    second.cancel()
    expect(page.get_by_text("Nobody calls at the moment.")).to_be_visible()


def test_the_page_of_a_call_follows_it_to_its_end(window: Desktop, house: House):
    call = house.call()
    call.ring()
    [one] = house.until(f"{V1}/calls/live", lambda said: said["items"])["items"]
    page = window.sign_in()
    page.goto(f"/console/calls/{one['id']}")
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("() => { window.same = true; }")
    call.answer("Bob")
    expect(page.locator("svg.ladder")).to_contain_text("connected")
    call.hang_up()
    expect(page.locator("svg.ladder")).to_contain_text("hangs up")
    expect(page.locator("#live")).to_have_text("over")
    expect(page.get_by_text("Hang up…")).to_have_count(0)
    assert page.evaluate("() => window.same"), "the page was not loaded again"


def test_without_a_script_the_page_loads_itself_again(chromium: Browser, house: House):
    window = Desktop(chromium, house.server, viewport={"width": WIDE, "height": 900}, java_script_enabled=False)
    page = window.sign_in()
    page.goto(LIVE)
    expect(page.get_by_text("This page loads itself again every 15 seconds.")).to_be_visible()
    page.get_by_role("link", name="Leave it as it is.").click()
    expect(page.get_by_text("This page stays as it is.")).to_be_visible()
    window.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_pages_are_accessible_and_fit_the_window(chromium: Browser, house: House, scheme: Scheme, width: int):
    before = house.call()
    before.ring()
    before.answer("Ann")
    before.speak(40, missing=(7,))
    before.hang_up()
    past = house.until(f"{V1}/calls", lambda said: said["items"] and "ended" in said["items"][0])["items"][0]["id"]
    ended(house, past)
    house.refused("Ann", "+351210000000", 403)
    refused = house.until(f"{V1}/calls", lambda said: said["items"][0]["dialled"] == "+351210000000")["items"][0]["id"]
    ended(house, refused)
    call = house.call()
    call.ring()
    live = house.until(f"{V1}/calls/live", lambda said: [one["phase"] for one in said["items"]] == ["ringing"])
    pages = {"live": LIVE, "call": f"/console/calls/{past}", "refused": f"/console/calls/{refused}"}
    pages["ringing"] = f"/console/calls/{live['items'][0]['id']}"
    window = Desktop(chromium, house.server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = window.sign_in(), []
    for name, path in pages.items():
        page.goto(path)
        page.wait_for_load_state("domcontentloaded")
        shot(page, f"{name}-{scheme}-{width}")
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        results = Axe().run(page).response
        found += [(path, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in results["violations"]]
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert size[0] <= size[1], path
        assert page.evaluate(OUTSIDE) == [], path
        if name == "refused":
            assert page.evaluate("() => ((one) => one.scrollWidth <= one.clientWidth)(document.querySelector('.wide'))")
    window.context.close()
    call.cancel()
    assert found == []
    assert window.complaints == []


def shot(page: Page, name: str) -> None:
    """A picture for who wishes to look: OFFHOOK_SHOTS names the folder."""
    if folder := os.environ.get("OFFHOOK_SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
