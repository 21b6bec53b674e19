"""The console in a real browser: by keyboard, with a script and without, in both colour schemes, wide and narrow."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from offhook.examples import FULL
from tests.conftest import IN_CI
from tests.survival.process import Process

_MISSING = "NOT TESTED in a real browser: there is no chromium; on Debian: apt-get install chromium"
_QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
WIDE, NARROW = 1280, 390
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without one the tests are skipped, and in CI they fail."""
    program = shutil.which("chromium")
    if program is None:
        if IN_CI:
            raise pytest.fail.Exception(_MISSING, pytrace=False)
        pytest.skip(_MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server in a process of its own, with a company."""
    data: Path = tmp_path_factory.mktemp("console") / "data"
    with Process(data) as process:
        yield process


class Desktop:
    """A window onto the console, and everything that the browser complained of."""

    def __init__(self, browser: Browser, server: Process, **options: Any) -> None:
        self.server = server
        self.context = browser.new_context(base_url=server.url, **options)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def sign_in(self) -> Page:
        assert self.server.company is not None
        self.page.goto("/console")
        self.page.get_by_label("API key").fill(self.server.company.sandbox_key)
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile("/console/offices$"))
        return self.page


@pytest.fixture
def window(chromium: Browser, server: Process) -> Iterator[Desktop]:
    """A window at the usual size; nothing may be complained of."""
    found = Desktop(chromium, server, viewport={"width": WIDE, "height": 900})
    yield found
    found.context.close()
    assert found.complaints == []


@pytest.fixture(scope="module")
def office_id(server: Process) -> str:
    """An office with nearly everything."""
    assert server.company is not None
    answer = server.ask("POST", "/api/v2/offices", {**FULL, "name": "Porto"}, key=server.company.sandbox_key)
    assert answer.status == 200
    return str(answer.json["office"]["id"])


PAGES = [
    "/console/sign-in",
    "/console/offices",
    "/console/offices/new",
    "/console/offices/{office}?flow=open&keys=2",
    "/console/offices/{office}/call?at=2026-11-24+10%3A30&who=nobody",
    "/console/offices/{office}/call?at=2026-11-24+10%3A30&keys=9",
    "/console/offices/{office}/findings",
    "/console/offices/{office}/coverage",
    "/console/coverage",
    "/console/calls",
    "/console/nothing",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_is_accessible_and_fits_the_window(
    chromium: Browser, server: Process, office_id: str, scheme: Scheme, width: int
):
    """axe-core's rules, contrast among them, and nothing that has to be pushed sideways."""
    window = Desktop(chromium, server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = window.page, []
    for path in PAGES:
        if path == PAGES[1]:
            window.sign_in()
        page.goto(path.format(office=office_id))
        if path.endswith("/new"):
            page.get_by_role("button", name="Add a row to Menu keys").first.click()
            page.get_by_label("Seconds to ring").fill("60")
            expect(page.locator("#f-ring-seconds-faults .problem")).to_be_visible()
        _all_in_sight(page)
        results = Axe().run(page).response
        found += [(path, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in results["violations"]]
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert size[0] <= size[1], path
    window.context.close()
    assert found == []
    assert [one for one in window.complaints if "404" not in one and "400" not in one] == []


def test_players_of_prompts_have_room_for_their_buttons_in_a_narrow_window(
    chromium: Browser, server: Process, office_id: str
):
    window = Desktop(chromium, server, viewport={"width": NARROW, "height": 900})
    page = window.sign_in()
    page.goto(f"/console/offices/{office_id}")
    widths = page.evaluate("() => [...document.querySelectorAll('#heard audio')].map((one) => one.clientWidth)")
    window.context.close()
    assert widths
    assert min(widths) > 250


def _all_in_sight(page: Page) -> None:
    """Open what can be opened, and wait for the parts that are fetched once they are in sight."""
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for part in ("findings", "coverage"):
        page.evaluate("(id) => document.getElementById(id)?.scrollIntoView()", part)
        expect(page.locator(f"[data-part={part}]")).to_have_count(0, timeout=20_000)
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def test_a_slash_goes_to_the_search_and_enter_searches(window: Desktop, office_id: str):
    page = window.sign_in()
    page.keyboard.press("/")
    page.keyboard.type("port")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Offices with “port”")).to_be_visible()
    expect(page.get_by_role("link", name="Porto")).to_be_visible()


def test_a_slash_that_is_typed_into_a_field_stays_there(window: Desktop):
    page = window.sign_in()
    page.goto("/console/offices/new")
    page.get_by_label("Time zone").press_sequentially("Europe/Lisbon")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Lisbon")


def test_the_first_tab_skips_to_the_page(window: Desktop):
    page = window.sign_in()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_whatever_has_the_focus_can_be_seen_to_have_it(window: Desktop):
    page = window.sign_in()
    for _ in range(8):
        page.keyboard.press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def _filled(page: Page) -> None:
    """The fields that an office cannot do without, by keyboard from one to the next."""
    page.get_by_label("Name required", exact=True).fill("Lisbon by hand")
    page.locator("#f-country").select_option("PT")
    page.locator("#f-currency").select_option("EUR")
    for own, text in (
        ("address-line-1", "Rua Augusta 100"),
        ("city", "Lisboa"),
        ("region", "Lisboa"),
        ("postal-code", "1100-053"),
        ("country", "PT"),
    ):
        page.locator(f"#f-billing-address-{own}").fill(text)


def test_a_form_is_checked_while_it_is_filled_in_and_then_created(window: Desktop):
    page = window.sign_in()
    page.goto("/console/offices/new")
    page.get_by_label("Seconds to ring").fill("60")
    fault = page.locator("#f-ring-seconds-faults")
    expect(fault).to_have_text("Must be a whole number of seconds from 10 to 45.")
    expect(page.get_by_label("Seconds to ring")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Seconds to ring").fill("20")
    expect(fault).to_be_empty()
    _filled(page)
    verdict = page.get_by_role("complementary", name="What the rules say")
    expect(verdict).to_contain_text("to know before")
    page.get_by_role("button", name="Create all the same").click()
    expect(page.get_by_role("heading", name="The office is there")).to_be_visible()
    expect(page.get_by_role("heading", name="Lisbon by hand")).to_be_visible()


def test_rows_come_and_go_without_leaving_the_page_and_take_the_focus(window: Desktop):
    page = window.sign_in()
    page.goto("/console/offices/new")
    menu = page.locator("#f-routing-options-open-dtmf")
    keys = menu.get_by_label("Key", exact=True)
    for count, key in enumerate("12", 1):
        menu.get_by_role("button", name="Add a row").click()
        expect(keys).to_have_count(count)
        expect(keys.last).to_be_focused()
        keys.last.fill(key)
    menu.get_by_role("button", name="Remove row 1").click()
    expect(keys).to_have_count(1)
    expect(keys).to_have_value("2")
    expect(page).to_have_url(re.compile("/console/offices/new$"))


def test_a_row_that_comes_late_leaves_the_focus_where_the_hand_has_gone_on_to(window: Desktop):
    page = window.sign_in()
    page.goto("/console/offices/new")
    held: list[Route] = []
    page.route(re.compile("/console/offices/new"), lambda route: held.append(route))
    menu = page.locator("#f-routing-options-open-dtmf")
    with page.expect_request(re.compile("/console/offices/new")):
        menu.get_by_role("button", name="Add a row").click()
    name = page.get_by_label("Name required", exact=True)
    name.focus()
    assert held
    for one in held:
        one.continue_()
    expect(menu.get_by_label("Key", exact=True)).to_have_count(1)
    expect(name).to_be_focused()


def test_an_answer_that_comes_late_changes_nothing_under_the_typing_hand(window: Desktop):
    page = window.sign_in()
    page.goto("/console/offices/new")
    name = page.get_by_label("Name required", exact=True)
    with page.expect_response(re.compile("/console/offices/new")):
        name.fill("One")
    name.press_sequentially(" and two")
    expect(name).to_have_value("One and two")
    expect(name).to_be_focused()


def test_everything_works_without_a_script(chromium: Browser, server: Process):
    window = Desktop(chromium, server, viewport={"width": NARROW, "height": 900}, java_script_enabled=False)
    page = window.sign_in()
    page.get_by_role("link", name="New office").first.click()
    page.locator("#f-routing-options-open-dtmf").get_by_role("button", name="Add a row").click()
    expect(page.get_by_label("Key", exact=True)).to_have_count(1)
    page.get_by_label("Key", exact=True).fill("1")
    page.locator("[name='routing_options.open.dtmf[0].options.action']").select_option("operator")
    page.get_by_role("button", name="Create the office").click()
    expect(page.get_by_role("heading", name=re.compile("to mend"))).to_be_visible()
    _filled(page)
    page.get_by_role("button", name="Check").last.click()
    page.get_by_role("button", name="Create all the same").click()
    expect(page.get_by_role("heading", name="The office is there")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    window.context.close()


def test_enter_in_a_field_checks_and_creates_nothing(chromium: Browser, server: Process):
    window = Desktop(chromium, server, java_script_enabled=False)
    page = window.sign_in()
    page.goto("/console/offices/new")
    _filled(page)
    page.get_by_label("Name required", exact=True).press("Enter")
    expect(page.get_by_text("Nothing is stored yet")).to_be_visible()
    window.context.close()


def test_a_link_from_another_site_finds_the_way_back_in(chromium: Browser, server: Process, office_id: str):
    """The cookie does not come along from elsewhere, so the sign-in page offers to go on from here."""
    window = Desktop(chromium, server)
    page = window.sign_in()
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    page.route(elsewhere + "/**", lambda route: route.fulfill(
        content_type="text/html", body=f'<a href="{server.url}/console/offices/{office_id}">the office</a>'
    ))  # fmt: skip
    page.goto(elsewhere + "/mail")
    page.get_by_role("link", name="the office").click()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", name="Porto")).to_be_visible()
    window.context.close()


def test_a_printed_page_names_the_environment_and_has_no_buttons(window: Desktop, office_id: str):
    page = window.sign_in()
    page.goto(f"/console/offices/{office_id}")
    page.emulate_media(media="print")
    expect(page.get_by_text("SANDBOX", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(page.locator("nav").first).to_be_hidden()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_environment_stays_in_sight_however_far_one_scrolls(chromium: Browser, server: Process, width: int):
    window = Desktop(chromium, server, viewport={"width": width, "height": 700})
    page = window.sign_in()
    page.goto("/console/offices/new")
    page.get_by_label("Calls abroad").focus()
    expect(page.get_by_text("SANDBOX", exact=True)).to_be_in_viewport()
    window.context.close()


def test_live_and_sandbox_differ_in_colour(chromium: Browser, server: Process):
    colours = set()
    assert server.company is not None
    for key in (server.company.live_key, server.company.sandbox_key):
        window = Desktop(chromium, server)
        window.page.goto("/console")
        window.page.get_by_label("API key").fill(key)
        window.page.keyboard.press("Enter")
        band = window.page.get_by_role("region", name="Environment")
        expect(band).to_be_visible()
        colours.add(band.evaluate("(element) => getComputedStyle(element).backgroundColor"))
        window.context.close()
    assert len(colours) == 2


# Calls


@pytest.fixture(scope="module")
def menu_id(server: Process) -> str:
    """An office that is always open, whose operator (a room) rings before its menu; 1 leads to a department."""
    key = server.company.sandbox_key if server.company else ""

    def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = server.ask("POST", path, body, key=key)
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.json
        return found

    home = server.ask("GET", "/api/v2/offices/primary", key=key).json["id"]
    sales = made("/api/v2/departments", {"name": "Sales", "office_id": home})["id"]
    lobby = made("/api/v2/rooms", {"name": "Lobby", "office_id": home})["id"]
    made(f"/api/offhook/v1/rooms/{lobby}/devices", {})
    to_sales = {"action": "department", "action_target_type": "department", "action_target_id": sales}
    keys = [{"input": "1", "options": to_sales}, {"input": "9", "options": {"action": "voicemail"}}]
    routing = {
        "open": {"try_dial_operators": True, "operator_routing": "simultaneous", "action": "menu", "dtmf": keys},
        "closed": {"try_dial_operators": False, "action": "voicemail"},
    }
    operators = [{"operator_type": "room", "operator_id": lobby}]
    body = {**FULL, "name": "Braga", "hours_on": False, "routing_options": routing, "operators": operators}
    return str(made("/api/v2/offices", body)["office"]["id"])


def test_a_call_is_followed_key_by_key_without_leaving_the_page(window: Desktop, menu_id: str):
    page = window.sign_in()
    page.goto(f"/console/offices/{menu_id}")
    page.evaluate("() => { window.same = true; }")
    key = page.get_by_role("link", name="Press 1: Sales")
    key.focus()
    page.keyboard.press("Enter")
    followed = page.locator("#followed")
    expect(followed).to_contain_text("Ringing Lobby, for 25 s at most.")
    expect(followed).to_contain_text("Braga sent the call on to Sales.")
    expect(key).to_be_focused()
    expect(key).to_have_attribute("aria-current", "step")
    expect(page).to_have_url(re.compile(r"\?flow=open&keys=1#routing$"))
    page.get_by_role("link", name="Follow a call that is answered").click()
    expect(followed).to_contain_text("Lobby answered.")
    page.get_by_role("link", name="Follow no call").click()
    expect(followed).to_be_hidden()
    assert page.evaluate("() => window.same") is True


def test_a_name_in_the_picture_leads_to_its_page(window: Desktop, menu_id: str):
    page = window.sign_in()
    page.goto(f"/console/offices/{menu_id}")
    page.locator("svg.flow a.page").first.click()
    expect(page.get_by_role("heading", name="Sales", exact=True)).to_be_visible()


def test_calls_are_followed_and_made_at_a_moment_without_a_script(chromium: Browser, server: Process, menu_id: str):
    window = Desktop(chromium, server, viewport={"width": NARROW, "height": 900}, java_script_enabled=False)
    page = window.sign_in()
    page.goto(f"/console/offices/{menu_id}")
    page.get_by_role("link", name="Press 9: Voicemail").click()
    expect(page.locator("#followed")).to_contain_text("The caller pressed 9.")
    page.get_by_role("link", name="Change the moment, the caller or who answers").click()
    expect(page.get_by_label("Keys pressed")).to_have_value("9")
    page.get_by_label("When").fill("2026-12-24 17:59")
    page.get_by_text("Name who answers").click()
    page.get_by_label("Lobby").fill("6")
    page.get_by_role("button", name="Call it").click()
    expect(page.locator("#story")).to_contain_text("Thursday 17:59, always open")
    expect(page.locator("#story")).to_contain_text("Lobby answered.")
    page.reload()
    expect(page.get_by_label("Lobby")).to_have_value("6")
    page.goto(f"/console/offices/{menu_id}")
    page.get_by_role("link", name="Look through all times").click()
    expect(page.get_by_role("heading", name="What callers may be lost by")).to_be_visible()
    expect(page.get_by_role("link", name="Follow this call").first).to_be_visible()
    window.context.close()


def test_a_wrong_moment_is_said_beside_its_field(chromium: Browser, server: Process, menu_id: str):
    window = Desktop(chromium, server)
    page = window.sign_in()
    page.goto(f"/console/offices/{menu_id}/call")
    page.get_by_label("When").fill("tomorrow")
    page.keyboard.press("Enter")
    expect(page.locator("#c-at-faults")).to_contain_text("Must be a moment such as")
    expect(page.get_by_label("When")).to_have_value("tomorrow")
    window.context.close()


def test_an_office_is_closed_by_hand_and_opened_again_by_keyboard(window: Desktop, menu_id: str):
    page = window.sign_in()
    page.goto(f"/console/offices/{menu_id}")
    summary = page.get_by_text("Open or close by hand", exact=True)
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_label("For how long").select_option("lifted")
    page.get_by_label("Why").fill("Staff meeting")
    page.get_by_role("button", name="Close it now").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".byhand")).to_contain_text("until it is lifted: Staff meeting")
    page.get_by_role("button", name="Lift it now").click()
    expect(page.locator(".byhand")).to_have_count(0)


def test_enter_in_the_form_by_hand_does_what_its_first_button_says(window: Desktop, menu_id: str):
    page = window.sign_in()
    page.goto(f"/console/offices/{menu_id}")
    page.get_by_text("Open or close by hand", exact=True).click()
    page.get_by_label("For how long").select_option("lifted")
    page.get_by_label("Why").press("Enter")
    expect(page.locator(".byhand")).to_contain_text("Closed by hand")
    page.get_by_text("Open or close by hand", exact=True).click()
    page.get_by_label("For how long").select_option("lifted")
    page.get_by_label("Why").press("Enter")
    expect(page.locator(".byhand")).to_contain_text("Opened by hand")
    page.get_by_role("button", name="Lift it now").click()
    expect(page.locator(".byhand")).to_have_count(0)
