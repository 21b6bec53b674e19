"""What the workbench's pages do in a real browser with what is filled in: credentials, requests, runs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.test_browser import NARROW, WIDE, Desktop, chromium
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
LISTS = ("apis", "requests", "runs", "credentials")


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
    expect(page.locator("main > .head")).to_contain_text("version 4")
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


ORDERS = """
openapi: 3.1.0
info: {title: Orders, version: "1"}
servers: [{url: "http://127.0.0.1:9"}]
paths:
  /orders:
    post:
      operationId: order
      parameters:
        - {name: sort, in: query, required: true, schema: {type: string, enum: [up, down]}}
        - {name: limit, in: query, required: true, schema: {type: integer, minimum: 1, maximum: 9}}
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name]
              properties:
                name: {type: string}
                tags: {type: array, items: {type: string}}
                lines: {type: array, items: {type: object, properties: {sku: {type: string}, count: {type: integer}}}}
                pay:
                  oneOf:
                    - {title: Card, type: object, properties: {number: {type: string}}}
                    - {title: Account, type: object, properties: {iban: {type: string}}}
      responses: {}
"""
ORDER = "/console/requests/new?api=orders&operation=order"


@pytest.fixture(scope="module")
def orders(server: Process) -> None:
    """A document with what a form has no place for."""
    ask(server, "POST", "/apis", {"document": ORDERS})


@pytest.mark.usefixtures("orders")
def test_parameters_are_chosen_from_what_their_document_lists(page: Page):
    page.goto(ORDER)
    sort = page.get_by_label("Query parameters, value of sort")
    sort.select_option("down")
    expect(page.locator("#verdict")).to_contain_text("sort=down")
    expect(page.locator(".pair").filter(has=sort)).to_contain_text("String, required")
    expect(page.get_by_text("Integer, required, at least 1, at most 9")).to_be_visible()
    sort.select_option(label="another value …")
    expect(sort).to_be_focused()
    page.keyboard.type("${workflow.input.sort}")
    expect(page.locator("#verdict")).to_contain_text("Give a trial value for ${workflow.input.sort}.")


@pytest.mark.usefixtures("orders")
def test_what_the_form_has_no_place_for_is_counted_and_named(page: Page):
    page.goto(ORDER)
    page.get_by_label("name required", exact=True).fill("Ann")
    expect(page.get_by_label("Its fields, as JSON")).to_have_value(re.compile('"name": "Ann"'))
    page.get_by_text("5 fields only in the JSON").click()
    for name in ("tags[]", "lines[].sku", "lines[].count", "pay.number", "pay.iban"):
        expect(page.locator(".without").get_by_text(name, exact=True)).to_be_visible()
    page.locator(".without").get_by_role("link", name="lines[].sku").click()
    expect(page.locator("tr:target")).to_contain_text("lines[].sku")


@pytest.mark.usefixtures("orders")
def test_nothing_is_typed_into_the_form_while_the_json_cannot_be_read(page: Page):
    page.goto(ORDER)
    text, name = page.get_by_label("Its fields, as JSON"), page.get_by_label("name required", exact=True)
    name.fill("Ann")
    text.fill('{"name": "Ann",')
    expect(name).to_be_disabled()
    expect(page.locator("#form-fault")).to_contain_text("The form waits until it is mended.")
    page.get_by_role("button", name="Back to the JSON before").click()
    expect(text).to_have_value('{\n  "name": "Ann"\n}')
    name.fill("Bea")
    expect(text).to_have_value(re.compile('"name": "Bea"'))


@pytest.mark.usefixtures("orders")
def test_without_a_script_what_was_typed_waits_for_the_json_to_be_mended(chromium: Browser, server: Process):
    window = Desktop(chromium, server, viewport={"width": WIDE, "height": 900}, java_script_enabled=False)
    page = window.sign_in()
    page.goto(ORDER)
    text, name = page.get_by_label("Its fields, as JSON"), page.get_by_label("name required", exact=True)
    text.fill('{"name": "Ann",')
    name.fill("Bea")
    page.get_by_role("button", name="Take these into the JSON").click()
    expect(page.locator("#form-fault")).to_contain_text("Mend it to take over what you filled in here: name.")
    expect(name).to_have_value("Bea")
    text.fill('{"name": "Ann"}')
    page.get_by_role("button", name="Take these into the JSON").click()
    expect(text).to_have_value(re.compile('"name": "Bea"'))
    # Enter in a field looks at the request, and keeps nothing.
    page.get_by_label("Path").press("Enter")
    expect(page.locator("#verdict")).to_contain_text("As the document wants it.")
    expect(page).to_have_url(re.compile("/console/requests/new$"))
    page.get_by_role("button", name="Test request").click()
    expect(page.get_by_role("heading", name="The answer")).to_be_in_viewport()
    window.context.close()


def test_enter_tries_nothing_and_control_enter_does_and_leads_to_the_answer(page: Page, server: Process):
    page.set_viewport_size({"width": WIDE, "height": 500})
    page.goto("/console/requests/new")
    page.get_by_label("Server").fill(server.url)
    path = page.get_by_label("Path")
    path.fill("/healthz")
    path.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("It can be sent.")
    expect(page).to_have_url(re.compile("/requests/new$"))
    expect(path).to_be_focused()
    path.press("Control+Enter")
    expect(page.locator("#result").get_by_text("200", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("heading", name="The answer")).to_be_focused()
    page.get_by_role("link", name="Back to the request").click()
    expect(path).to_be_in_viewport()
    page.set_viewport_size({"width": WIDE, "height": 900})


def test_a_header_that_holds_a_secret_is_warned_of_where_it_is_typed(page: Page):
    page.goto("/console/requests/new")
    page.get_by_label("Server").fill("https://api.example.com")
    headers = page.get_by_role("group", name="Headers")
    headers.get_by_label("Headers, name 1").fill("Accept")
    headers.get_by_label("Headers, name 2").fill("X-API-Key")
    expect(headers.get_by_label("Headers, name 3")).to_be_visible()
    note = headers.locator(".pair").nth(1)
    expect(note).to_contain_text("Saved in the clear, for the whole company to see")
    expect(headers.locator(".pair").first).not_to_contain_text("Saved in the clear")
    note.get_by_label("value of 2").fill("${workflow.input.key}")
    expect(note).not_to_contain_text("Saved in the clear")
    headers.get_by_label("Headers, name 2").fill("Authorization")
    note.get_by_label("value of 2").fill("Bearer x")
    note.get_by_role("link", name="keep it as a credential").click()
    expect(page.get_by_role("heading", name="Credentials")).to_be_visible()


def test_a_slash_goes_to_the_search_of_the_page(page: Page):
    page.goto("/console/apis/offhook")
    page.keyboard.press("/")
    page.keyboard.type("create office")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search for the API or operation")).to_have_value("create office")
    page.get_by_role("heading", name="Documents").click()
    page.keyboard.press("/")
    expect(page.get_by_label("Search for the API or operation")).to_be_focused()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_names_that_are_one_long_word_fit_the_window(page: Page, server: Process, width: int):
    name, place = f"{width}" + "Long" * 45, f"long-{width}"
    ask(server, "POST", "/apis", {"document": ORDERS.replace("Orders", name), "name": place})
    saved = {"name": name, "collection": name, "request": {"api": place, "operation": "order", "path": f"/{name}"}}
    id = ask(server, "POST", "/requests", saved)["id"]
    ask(
        server,
        "POST",
        "/credentials",
        {"name": name, "kind": "bearer", "hosts": ["x.example.com"], "token": "secret-1"},
    )
    ask(server, "POST", "/runs", {"request": {"server": server.url, "path": f"/{name}"}})
    page.set_viewport_size({"width": width, "height": 900})
    for path in (f"/apis/{place}", f"/apis/{place}/order", f"/requests/{id}", *(f"/{one}" for one in LISTS)):
        page.goto(f"/console{path}")
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert size[0] <= size[1], path
    page.set_viewport_size({"width": WIDE, "height": 900})


def test_a_credential_is_changed_and_its_secret_stays_for_the_same_hosts(page: Page, server: Process):
    bearer = {"name": "To change", "kind": "bearer", "hosts": ["a.example.com", "b.example.com"], "token": "secret-one"}
    id = ask(server, "POST", "/credentials", bearer)["id"]
    page.goto("/console/credentials")
    page.get_by_role("link", name="To change").click()
    expect(page.get_by_label("Token")).to_have_value("")
    page.get_by_label("Name", exact=True).fill("Changed")
    page.get_by_label("Hosts").fill("b.example.com c.example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#k-token-faults")).to_contain_text("Send the secret again with new hosts")
    page.get_by_label("Hosts").fill("b.example.com")
    ask(server, "PATCH", f"/credentials/{id}", {"name": "By another"})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("it was changed meanwhile, to version 2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("^Changed"))).to_contain_text("b.example.com")
    assert ask(server, "GET", f"/credentials/{id}")["hosts"] == ["b.example.com"]


def test_what_is_not_secret_of_a_credential_can_be_changed_alone(page: Page, server: Process):
    oauth = {"name": "Login", "kind": "oauth2", "hosts": ["api.example.com"], "client_id": "us", "scopes": ["a", "b"]}
    oauth |= {"token_url": "https://login.example.com/token", "client_secret": "secret-client"}
    id = ask(server, "POST", "/credentials", oauth)["id"]
    page.goto(f"/console/credentials/{id}")
    page.get_by_label("How the client says who it is").select_option(label="in the form")
    page.get_by_label("Scopes").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Credentials")).to_be_visible()
    now = ask(server, "GET", f"/credentials/{id}")
    assert (now["client_way"], now.get("scopes", []), now["client_id"]) == ("body", [], "us")


def test_a_credential_is_deleted_when_that_was_meant(page: Page, server: Process):
    bearer = {"name": "To delete", "kind": "bearer", "hosts": ["a.example.com"], "token": "secret-one"}
    ask(server, "POST", "/credentials", bearer)
    page.goto("/console/credentials")
    expect(page.get_by_role("button", name=re.compile("Delete"))).to_have_count(0)
    page.get_by_role("link", name="To delete").click()
    expect(page.get_by_role("button", name="Delete To delete")).to_be_hidden()
    page.get_by_text("Delete this credential").click()
    expect(page.get_by_text("cannot be tried until they have another one")).to_be_visible()
    page.get_by_role("button", name="Delete To delete").click()
    expect(page.get_by_role("link", name="To delete")).to_have_count(0)
