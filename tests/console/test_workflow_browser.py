"""Workflows in a real browser: from a tested request to a run that is seen to end; the editor; what is done to runs."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.console.test_browser import NARROW, WIDE, Desktop, Scheme, chromium
from tests.survival.process import Process
from tests.workflows.definitions.shapes import Raw, definition, fork, loop, switch, task

__all__ = ["chromium"]

V1 = "/api/offhook/v1/workflows"
HERE = "/console/workflows"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server whose workflows may ask anything on loopback."""
    data = tmp_path_factory.mktemp("workflows") / "data"
    with Process(data, settings={"egress_allow": "127.0.0.0/8"}) as process:
        yield process


@pytest.fixture
def window(chromium: Browser, server: Process) -> Iterator[Desktop]:
    """A window at the usual size; nothing may be complained of."""
    found = Desktop(chromium, server, viewport={"width": WIDE, "height": 900})
    yield found
    found.context.close()
    assert found.complaints == []


def ask(server: Process, method: str, path: str, body: object = None) -> Any:
    assert server.company is not None
    answer = server.ask(method, f"{V1}{path}", body, key=server.company.sandbox_key)
    assert answer.status == 200, answer
    return answer.json


def put(server: Process, raw: Raw) -> None:
    ask(server, "POST", "/definitions", {"definition": raw, "new_version": True})


def begun(server: Process, name: str, **given: Any) -> str:
    return str(ask(server, "POST", "/runs", {"workflow": name, "input": given})["id"])


def calling(server: Process, ref: str, path: str = "/healthz", **request: Any) -> Raw:
    return task(ref, "HTTP", inputParameters={"uri": f"{server.url}{path}", "method": "GET", **request})


@pytest.fixture(scope="module")
def every(server: Process) -> dict[str, str]:
    """A run of each kind of state, by a name for it."""
    put(server, definition(
        calling(server, "look"), switch("way", "${workflow.input.kind}", a=[calling(server, "by_a")], default=[]),
        *fork("both", [calling(server, "left")], [task("right", "NOOP")]), loop("again", task("each", "NOOP"), times=2),
        task("approve", "HUMAN"), description="Everything at once.", inputParameters=["kind"],
    ) | {"name": "everything"})  # fmt: skip
    put(server, definition(calling(server, "wrong", "/nowhere")) | {"name": "fails"})
    waiting, failed = begun(server, "everything", kind="a"), begun(server, "fails")
    return {"waiting": waiting, "failed": failed}


def test_from_a_tested_request_to_a_task_to_a_run_that_is_seen_to_end(window: Desktop, server: Process):
    put(server, definition(task("approve", "HUMAN")) | {"name": "health"})
    page = window.sign_in()
    page.goto("/console/requests/new")
    page.get_by_label("Server").fill(server.url)
    page.get_by_label("Path", exact=True).fill("/healthz")
    page.get_by_role("button", name="Test request").click()
    expect(page.locator("#result").get_by_text("200", exact=True)).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Look at its health")
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_role("heading", name="Look at its health")).to_be_visible()
    page.get_by_role("button", name="Add to a workflow").click()
    page.get_by_label("Workflow", exact=True).select_option("health")
    page.get_by_label("After which task").select_option("approve")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="health", exact=True)).to_be_visible()
    row = page.get_by_role("row", name=re.compile("Look_at_its_health"))
    expect(row.get_by_role("link", name="Look at its health")).to_be_visible()
    page.get_by_label("Correlation id").fill("from the browser")
    page.get_by_role("button", name="Start version 2").click()
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#run-attempt h2")).to_contain_text("approve")
    page.evaluate("() => { window.same = true; }")
    run_id = page.url.rpartition("/")[2]
    (waits,) = [one["id"] for one in ask(server, "GET", f"/runs/{run_id}")["tasks"]]
    ask(server, "POST", f"/runs/{run_id}/tasks/{waits}/complete", {"output": {"said": "yes"}})
    expect(page.locator("#run-head .state")).to_have_text("Completed")
    node = page.locator("#run-graph g.good", has_text="Look at its health")
    expect(node).to_be_visible()
    node.get_by_role("link").click()
    attempt = page.locator("#run-attempt")
    expect(attempt.get_by_text("200", exact=True)).to_be_visible()
    expect(attempt.get_by_label("Body of the response")).to_contain_text('"status": "ok"')
    assert page.evaluate("() => window.same"), "the page was not loaded again"
    page.goto(f"{HERE}/runs?correlation_id=from+the+browser")
    expect(page.get_by_role("row", name=re.compile("health version 2 Completed"))).to_be_visible()


def test_the_editor_says_what_is_wrong_and_draws_while_one_types(window: Desktop, server: Process):
    put(server, definition(task("first", "NOOP")) | {"name": "typed"})
    page = window.sign_in()
    page.goto(f"{HERE}/definitions/typed/edit")
    text, verdict = page.get_by_label("Definition as JSON"), page.locator("#verdict")
    expect(verdict).to_contain_text("It keeps every rule")
    text.fill(text.input_value().replace('"type": "NOOP"', '"type": "HTTP"'))
    expect(verdict).to_contain_text("to mend")
    expect(page.locator("#preview g.faulty")).to_contain_text("first")
    verdict.get_by_role("link", name="line").first.click()
    expect(text).to_be_focused()
    line = int((verdict.get_by_role("link", name="line").first.text_content() or "").split()[1])
    at = text.evaluate("(one) => one.value.slice(0, one.selectionStart).split('\\n').length")
    assert at == line
    text.press("End")
    text.press_sequentially("{")
    expect(verdict).to_contain_text("not valid JSON")
    expect(page.locator("#preview svg"), "the last picture stays").to_be_visible()
    text.fill('{"name": "typed", "tasks": [{"name": "second", "taskReferenceName": "second", "type": "WAIT"}]}')
    expect(page.locator("#preview svg")).to_contain_text("second")
    expect(verdict).to_contain_text("It keeps every rule")
    put(server, definition(task("theirs", "NOOP")) | {"name": "typed"})
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_role("heading", name="Version 2 is there already")).to_be_visible()
    expect(page.locator(".changes .plus").first).to_contain_text("theirs")
    page.get_by_role("button", name="Save as version 3").click()
    expect(page).to_have_url(re.compile(r"/definitions/typed\?version=3$"))
    expect(page.locator("svg.graph")).to_contain_text("second")
    # What is refused with a 409 is what the browser notes of the save that met another.
    window.complaints = [one for one in window.complaints if "409" not in one]


def test_runs_are_paused_ended_with_a_reason_and_done_again(window: Desktop, server: Process):
    put(
        server, definition(task("note", "SET_VARIABLE", inputParameters={"a": 1}), task("you", "HUMAN")) | {"name": "c"}
    )
    page = window.sign_in()
    page.goto(f"{HERE}/runs/{begun(server, 'c')}")
    state = page.locator("#run-head .state")
    page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("Under way")
    terminate = page.get_by_text("Terminate…")
    expect(page.get_by_role("button", name="Terminate this run")).to_be_hidden()
    terminate.click()
    page.get_by_label("Reason", exact=True).fill("No longer wanted")
    page.get_by_role("button", name="Terminate this run").click()
    expect(state).to_have_text("Terminated")
    expect(page.locator(".reason")).to_contain_text("No longer wanted")
    page.get_by_role("button", name="Try again").click()
    expect(state).to_have_text("Under way")
    form = page.locator("#run-attempt form.complete")
    form.get_by_label("Output as JSON").fill('{"answer": 42}')
    form.get_by_role("button", name="Complete it").click()
    expect(state).to_have_text("Completed")
    page.locator("#run-attempts").get_by_role("link", name="note").click()
    page.get_by_text("Run it again from here…").click()
    page.get_by_role("button", name="Run again from here").click()
    expect(state).to_have_text("Under way")
    expect(page.locator("tr.history").first).to_be_visible()


def test_a_run_is_watched_on_after_a_task_was_completed_on_its_page(window: Desktop, server: Process):
    wait = task("pause", "WAIT", inputParameters={"duration": "1 seconds"})
    put(server, definition(task("you", "HUMAN"), wait, calling(server, "look")) | {"name": "goes_on"})
    page = window.sign_in()
    page.goto(f"{HERE}/runs/{begun(server, 'goes_on')}")
    form = page.locator("#run-attempt form.complete")
    form.get_by_label("Output as JSON").fill('{"agreed": tru')
    form.get_by_role("button", name="Complete it").click()
    alert = page.locator("#run-attempt [role=alert]")
    expect(alert).to_contain_text("Line 1, column 15: Not JSON: it ends before it is whole")
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("() => { window.same = true; }")
    id = page.url.split("/")[-2]
    ask(server, "POST", f"/runs/{id}/pause")
    expect(page.locator("#run-head .state"), "a page that answers a form is watched too").to_have_text("Paused")
    expect(alert).to_be_visible()
    expect(form.get_by_label("Output as JSON")).to_have_value('{"agreed": tru')
    ask(server, "POST", f"/runs/{id}/resume")
    expect(page.locator("#run-head .state")).to_have_text("Under way")
    assert page.evaluate("() => window.same")
    form.get_by_label("Output as JSON").fill('{"agreed": true}')
    form.get_by_role("button", name="Complete it").click()
    expect(page.locator("#run-head .state")).to_have_text("Completed")
    assert "done=complete&task=" in page.url
    expect(page.locator("#live")).to_have_text("")
    expect(page.locator("#run-graph g.good", has_text="look")).to_be_visible()
    window.complaints = [one for one in window.complaints if "400" not in one]


def test_who_is_signed_out_is_told_so_on_a_run_s_page(window: Desktop, server: Process):
    put(server, definition(task("one", "HUMAN"), task("two", "HUMAN")) | {"name": "left"})
    page = window.sign_in()
    page.goto(f"{HERE}/runs/{begun(server, 'left')}")
    expect(page.locator("#live")).to_have_text("live")
    window.context.clear_cookies()
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#live")).to_have_text("The session has ended: sign in again.")


def test_what_is_filled_in_stays_while_the_run_goes_on(window: Desktop, server: Process):
    put(server, definition(
        *fork("f", [task("you", "HUMAN")], [task("other", "HUMAN")]),
    ) | {"name": "two"})  # fmt: skip
    id = begun(server, "two")
    page = window.sign_in()
    tasks = {one["reference_name"]: one["id"] for one in ask(server, "GET", f"/runs/{id}")["tasks"]}
    page.goto(f"{HERE}/runs/{id}?task={tasks['you']}")
    expect(page.locator("#live")).to_have_text("live")
    page.get_by_text("Skip a task…").click()
    output = page.get_by_label("What counts as its output, as JSON")
    output.fill('{"half": ')
    output.blur()
    ask(server, "POST", f"/runs/{id}/tasks/{tasks['other']}/complete", {})
    expect(page.locator("#run-graph g.good", has_text="other")).to_be_visible()
    expect(page.locator("#run-attempts").get_by_role("row", name=re.compile("^other .*Completed"))).to_be_visible()
    expect(output).to_have_value('{"half": ')
    page.locator("#run-attempts").get_by_role("link", name="other", exact=True).click()
    expect(page.locator("#run-attempt h2")).to_contain_text("other")


PAGES = (
    HERE, f"{HERE}/runs", f"{HERE}/shipped", f"{HERE}/definitions/everything", f"{HERE}/new",
    f"{HERE}/definitions/everything/export", f"{HERE}/definitions/everything/edit", f"{HERE}/runs/{{waiting}}",
    f"{HERE}/runs/{{failed}}",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_of_workflows_is_accessible_and_fits_the_window(
    chromium: Browser, server: Process, every: dict[str, str], scheme: Scheme, width: int
):
    window = Desktop(chromium, server, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = window.sign_in()
    found: list[tuple[str, str, list[str]]] = []

    def look(path: str) -> None:
        page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        results = Axe().run(page).response
        found.extend((path, one["id"], [node["html"] for node in one["nodes"]][:3]) for one in results["violations"])
        size = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert size[0] <= size[1], path

    for path in PAGES:
        page.goto(path.format(**every))
        look(path)
    text = page.goto(f"{HERE}/definitions/everything/edit") and page.get_by_label("Definition as JSON")
    assert text
    text.fill('{"name": "everything", "tasks": [{"name": "a", "taskReferenceName": "a", "type": "HTTPS"}]}')
    expect(page.locator("#verdict")).to_contain_text("to mend")
    look("the editor with something to mend")
    page.goto("/console/requests/new")
    page.get_by_label("Server").fill(server.url)
    page.get_by_role("button", name="Add to a workflow").click()
    look("adding")
    window.context.close()
    assert found == []
    assert window.complaints == []


def test_a_run_s_page_works_without_a_script(chromium: Browser, server: Process, every: dict[str, str]):
    window = Desktop(chromium, server, viewport={"width": NARROW, "height": 900}, java_script_enabled=False)
    page = window.sign_in()
    page.goto(f"{HERE}/runs/{every['waiting']}")
    page.get_by_role("link", name="Look again").click()
    page.locator("#run-graph").get_by_role("link", name=re.compile("^look")).click()
    expect(page.locator("#run-attempt").get_by_label("Body of the response")).to_contain_text("ok")
    page.get_by_text("Skip a task…").click()
    expect(page.get_by_role("button", name="Skip it")).to_be_visible()
    window.context.close()


def test_the_stream_ends_with_the_session(server: Process):
    """What is watched is the API's own stream, and whoever signs out sees no more of it."""
    put(server, definition(task("you", "HUMAN")) | {"name": "watched"})
    id = begun(server, "watched")
    visitor = _Signed(server)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request("GET", f"{HERE}/runs/{id}/live", headers={"cookie": visitor.cookie})
        with closing(connection.getresponse()) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            assert stream.headers["content-security-policy"].startswith("default-src 'none'")
            lines = iter(stream.readline, b"")
            assert next(one for one in lines if one.startswith(b"event: ")) == b"event: run\n"
            visitor.ask("POST", "/console/sign-out", {"form-token": visitor.token})
            ask(server, "POST", f"/runs/{id}/pause")
            for line in lines:
                assert b"PAUSED" not in line, "the stream has ended, and without the news"


class _Signed:
    """A session without a browser: its cookie, and the token of its forms."""

    def __init__(self, server: Process) -> None:
        assert server.company is not None
        self.server, self.cookie = server, ""
        self.token = self.ask("GET", "/console/sign-in")
        self.ask("POST", "/console/sign-in", {"form-token": self.token, "key": server.company.sandbox_key})
        self.token = self.ask("GET", HERE)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """One request; the token of the page that comes, "" if it has none."""
        headers = {"cookie": self.cookie, "content-type": "application/x-www-form-urlencoded"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)) as connection:
            connection.request(method, path, urlencode(form) if form else None, headers)
            answer = connection.getresponse()
            self.cookie = answer.headers.get("set-cookie", self.cookie).partition(";")[0]
            found = re.search(r'name="form-token" value="([^"]+)"', answer.read().decode())
            return found[1] if found else ""
