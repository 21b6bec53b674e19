"""The workbench in a real browser: from a search to an office that was created by a test request; and its pages."""

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.console.test_browser import NARROW, WIDE, Desktop, Scheme, chromium
from tests.survival.process import Process

__all__ = ["chromium"]

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "workbench.png"
PREPARED = "/console/requests/new?api=offhook&operation=offices.create"
PAGES = [
    "/console/apis?q=create+office",
    "/console/apis/import",
    "/console/apis/offhook",
    "/console/apis/offhook/offices.create",
    PREPARED,
    "/console/requests/new",
    "/console/requests",
    "/console/runs",
    "/console/credentials",
    "/console/credentials?kind=oauth2",
    "/console/credentials/{credential}",
]
MANY = ("offices.create", "users.list", "offhook.simulate")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server whose test requests may go anywhere on loopback."""
    data = tmp_path_factory.mktemp("workbench") / "data"
    with Process(data, settings={"egress_allow": "127.0.0.0/8"}) as process:
        yield process


@pytest.fixture
def window(chromium: Browser, server: Process) -> Iterator[Desktop]:
    """A window at the usual size; nothing may be complained of."""
    found = Desktop(chromium, server, viewport={"width": WIDE, "height": 900})
    yield found
    found.context.close()
    assert found.complaints == []


@pytest.fixture(scope="module")
def credential(server: Process) -> str:
    """The key of the company's sandbox, kept for the server's own address."""
    assert server.company is not None
    key = server.company.sandbox_key
    body = {"name": "Sandbox", "kind": "bearer", "hosts": [f"127.0.0.1:{server.port}"], "token": key}
    answer = server.ask("POST", "/api/offhook/v1/credentials", body, key=key)
    assert answer.status == 200
    return str(answer.json["id"])


def prepared(window: Desktop, credential: str) -> Page:
    page = window.sign_in()
    page.goto(PREPARED)
    page.get_by_label("Credential").select_option(credential)
    return page


def test_from_a_search_to_an_office_that_a_test_request_created(window: Desktop, server: Process, credential: str):
    page = window.sign_in()
    page.get_by_role("link", name="APIs").click()
    search = page.get_by_label("Search for the API or operation you want to integrate with")
    search.press_sequentially("creat ofice")
    found = page.locator("#found").get_by_role("link", name="Create an office")
    expect(found).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="POST /api/v2/offices")).to_be_visible()
    for name in ("plan_period", "billing_contact.email", "routing_options.open.dtmf[].options.action"):
        expect(page.locator(".fieldtable code").get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_text("Rate limit: 1200 per minute.")).to_be_visible()
    page.get_by_role("link", name="Prepare the request").first.click()
    page.get_by_label("Credential").select_option(credential)
    page.get_by_label("name required", exact=True).fill("Faro by test")
    expect(page.get_by_label("As JSON").first).to_have_value(re.compile('"name": "Faro by test"'))
    expect(page.locator("#verdict")).to_contain_text("As the document wants it.")
    page.get_by_role("button", name="Test request").click()
    result = page.locator("#result")
    expect(result.get_by_text("200", exact=True)).to_be_visible()
    expect(result).to_contain_text("The answer is as its document says.")
    expect(result.get_by_label("Body of the answer")).to_contain_text("Faro by test")
    page.get_by_role("link", name="Offices", exact=True).click()
    row = page.get_by_role("row", name=re.compile("Faro by test"))
    expect(row).to_be_visible()
    expect(row.locator(".status")).to_have_text(re.compile("Open|Closed", re.IGNORECASE))


def test_form_and_json_are_one_and_what_is_wrong_is_said_as_one_types(window: Desktop, credential: str):
    page = prepared(window, credential)
    text = page.get_by_label("As JSON").first
    page.get_by_label("billing_address.city required").fill("Porto")
    expect(text).to_have_value(re.compile('"city": "Porto"'))
    text.fill('{"name": "Beja", "country": "XX"}')
    expect(page.get_by_label("name required", exact=True)).to_have_value("Beja")
    expect(page.locator("#verdict")).to_contain_text("body.country")
    expect(page.locator("#verdict")).to_contain_text("body.currency")
    page.get_by_label("country required", exact=True).select_option("PT")
    expect(page.locator("#verdict")).not_to_contain_text("body.country")


def test_a_request_is_saved_by_name_and_tried_again_without_a_script(
    chromium: Browser, server: Process, credential: str
):
    window = Desktop(chromium, server, viewport={"width": NARROW, "height": 900}, java_script_enabled=False)
    page = prepared(window, credential)
    page.get_by_label("name required", exact=True).fill("Tavira")
    page.get_by_role("button", name="Take these into the JSON").click()
    expect(page.get_by_label("As JSON").first).to_have_value(re.compile('"name": "Tavira"'))
    page.get_by_label("timezone", exact=True).fill("Atlantic/Azores")
    page.get_by_label("Name", exact=True).fill("Create Tavira")
    page.get_by_label("Collection").fill("Algarve")
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_role("heading", name="Create Tavira")).to_be_visible()
    expect(page.get_by_label("As JSON").first).to_have_value(re.compile("Atlantic/Azores"))
    page.get_by_role("button", name="Test request").click()
    expect(page.locator("#result").get_by_text("200", exact=True)).to_be_visible()
    page.goto("/console/requests?collection=Algarve")
    expect(page.get_by_role("link", name="Create Tavira")).to_be_visible()
    page.goto("/console/runs")
    page.locator("tbody").get_by_role("link").first.click()
    expect(page.get_by_text("The answer is as its document says.")).to_be_visible()
    window.context.close()


def test_a_document_is_looked_at_imported_and_found(window: Desktop):
    page = window.sign_in()
    page.goto("/console/apis/import")
    document = """
openapi: 3.0.0
info: {title: Bakery, version: 1.2.0}
paths:
  /loaves:
    post: {summary: Bake a loaf, responses: {200: {description: "<script>alert(1)</script>"}}}
"""
    page.get_by_label("Or its text").fill(document)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="Bakery 1.2.0")).to_be_visible()
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible()
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_role("heading", name="Bakery")).to_be_visible()
    page.get_by_role("link", name=re.compile("Bake a loaf")).click()
    expect(page.get_by_role("heading", name="POST /loaves")).to_be_visible()
    page.goto("/console/apis?q=bake+loaf")
    expect(page.locator("#found").get_by_role("link", name=re.compile("Bake a loaf"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_of_the_workbench_is_accessible_and_fits_the_window(
    chromium: Browser, server: Process, credential: str, scheme: Scheme, width: int
):
    window = Desktop(chromium, server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = window.sign_in(), []
    for path in PAGES:
        page.goto(path.format(credential=credential))
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        results = Axe().run(page).response
        found += [(path, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in results["violations"]]
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert size[0] <= size[1], path
    window.context.close()
    assert found == []
    assert window.complaints == []


def test_the_picture_of_the_documentation_is_of_this_page(window: Desktop, credential: str, tmp_path: Path):
    """With OFFHOOK_PICTURES=1 it takes the place of the one in docs/images."""
    page = prepared(window, credential)
    expect(page.locator("#verdict")).to_contain_text("As the document wants it.")
    page.get_by_text("As code").click()
    place = PICTURE if os.environ.get("OFFHOOK_PICTURES") else tmp_path / PICTURE.name
    place.parent.mkdir(exist_ok=True)
    page.screenshot(path=place)
    assert PICTURE.stat().st_size > 10_000


def test_a_run_is_kept_as_an_example_of_its_operation(window: Desktop, credential: str):
    page = prepared(window, credential)
    page.get_by_role("button", name="Test request").click()
    page.get_by_role("link", name="This run in the history").click()
    page.get_by_text("Keep it as an example of the operation").click()
    page.get_by_label("What it shows").fill("A small office")
    page.get_by_role("button", name="Keep it").click()
    examples = page.get_by_role("region", name="Examples of the company")
    examples.get_by_text("A small office").click()
    expect(examples.get_by_label("What came back")).to_contain_text('"availability_status"')
    examples.get_by_role("button", name="Delete this example").click()
    expect(page.get_by_role("region", name="Examples of the company")).to_have_count(0)
    expect(page.get_by_role("heading", name="POST /api/v2/offices")).to_be_visible()


def test_a_request_that_is_not_answered_is_cancelled_on_the_page(window: Desktop):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        page = window.sign_in()
        page.goto("/console/requests/new")
        page.get_by_label("Server").fill(f"http://127.0.0.1:{silent.getsockname()[1]}")
        page.get_by_label("Path").fill("/never")
        page.get_by_role("button", name="Test request").click()
        result = page.locator("#result")
        expect(result).to_contain_text("Under way")
        result.get_by_role("button", name="Cancel it").click()
        expect(result).to_contain_text("cancelled")
        expect(result).not_to_contain_text("0.0 ms")
        expect(page).to_have_url(re.compile("/console/requests/new$"))


def test_a_request_that_may_not_be_made_says_why(window: Desktop):
    page = window.sign_in()
    page.goto("/console/requests/new")
    page.get_by_label("Server").fill("http://169.254.169.254")
    page.get_by_label("Path").fill("/latest/meta-data")
    page.get_by_role("button", name="Test request").click()
    expect(page.locator("#result")).to_contain_text("not on the open internet")


def test_a_run_is_run_again_as_it_was(window: Desktop, credential: str):
    page = prepared(window, credential)
    page.get_by_label("name required", exact=True).fill("Aveiro")
    page.get_by_role("button", name="Test request").click()
    page.get_by_role("link", name="This run in the history").click()
    page.get_by_role("link", name="run it again").click()
    expect(page.get_by_label("name required", exact=True)).to_have_value("Aveiro")
    expect(page.get_by_label("Credential")).to_have_value(credential)
    page.get_by_role("button", name="Test request").click()
    expect(page.locator("#result").get_by_text("200", exact=True)).to_be_visible()


ODD = """{"openapi": "3.1.0", "info": {"title": "Odd", "version": "1"}, "paths": {"/odd": {"post": {
"operationId": "odd", "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
"big": {"type": "integer"}, "note": {"type": "string"}, "a.b": {"type": "string"},
"way": {"type": "string", "enum": ["a\\"b", "c\\\\d"]}}}}}}, "responses": {}}}}}"""


def test_the_form_changes_nothing_but_its_own_field(window: Desktop, server: Process):
    assert server.company is not None
    answer = server.ask("POST", "/api/offhook/v1/apis", {"document": ODD}, key=server.company.sandbox_key)
    assert answer.status == 200, answer
    page = window.sign_in()
    page.goto("/console/requests/new?api=odd&operation=odd")
    text = page.get_by_label("As JSON").first
    text.fill('{"big": 1234567890123456789, "a.b": "x"}')
    page.get_by_label("note", exact=True).fill("new")
    page.get_by_label("way", exact=True).select_option('a"b')
    expect(text).to_have_value('{\n  "big": 1234567890123456789,\n  "a.b": "x",\n  "note": "new",\n  "way": "a\\"b"\n}')
    expect(page.get_by_label("a.b", exact=True)).to_have_count(0)


def test_what_is_refused_is_said_where_one_looks(window: Desktop, credential: str):
    page = prepared(window, credential)
    page.get_by_text("Trial values for expressions").click()
    page.get_by_label("As JSON").last.fill("{bad")
    expect(page.locator("#verdict")).to_contain_text("Trial values must be a JSON object.")
    page.get_by_label("As JSON").last.fill("[" * 100_000)
    expect(page.locator("#verdict")).to_contain_text("Trial values must be a JSON object.")
    page.get_by_label("As JSON").last.fill("")
    page.get_by_label("As JSON").first.fill("[" * 20_000 + "]" * 20_000)
    expect(page.locator("#verdict")).to_contain_text("to mend")
    page.context.clear_cookies()
    page.get_by_role("button", name="Test request").click()
    expect(page.locator("#verdict")).to_contain_text("the session may have ended")
    expect(page.get_by_role("button", name="Test request")).to_be_enabled()
    window.complaints.clear()


def test_a_hostile_description_keeps_nobody_waiting(window: Desktop, server: Process):
    assert server.company is not None
    operation = {
        "description": "[" * 20_000,
        "parameters": [{"name": f"p{one}", "in": "query", "description": "![" * 10_000} for one in range(40)],
    }
    document = {"openapi": "3.0.0", "info": {"title": "Slow", "version": "1"}, "paths": {"/x": {"get": operation}}}
    key = server.company.sandbox_key
    assert server.ask("POST", "/api/offhook/v1/apis", {"document": json.dumps(document)}, key=key).status == 200
    page = window.sign_in()
    page.goto("/console/apis/slow/get-x")
    expect(page.get_by_role("heading", name="GET /x")).to_be_visible()
    expect(page.locator(".written")).to_have_count(41)
