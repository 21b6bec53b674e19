"""docs/workflows.md: its commands are there, its figures are those of the code, and each example does what it says."""

import json
import re
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offhook.examples import SMALL
from offhook.kit.wire import MAX_DEPTH
from offhook.workflows.definitions import durations, http, model, reading, rules, service, steps
from offhook.workflows.expressions import places, sandbox, scripts
from offhook.workflows.machine import forking
from offhook.workflows.machine import model as machine
from offhook.workflows.runs import carrying, going, lease
from offhook.workflows.runs import engines as runs
from offhook.workflows.tasks import asked, pages
from offhook.workflows.tasks import http as sending
from offhook.workflows.triggers.following import event_data
from offhook.workflows.triggers.rules import differing
from offhook.workflows.triggers.wire import TriggerIn
from tests.cli.conftest import Run, empty, offhook
from tests.docs.tables import quoted, rows, section
from tests.docs.test_readme import blocks, test_every_command_and_option_exists
from tests.survival.process import Process

__all__ = ["empty", "offhook"]

PAGE = (Path(__file__).parents[2] / "docs" / "workflows.md").read_text()
COMMANDS = [line for block in blocks(PAGE) for line in block.splitlines() if line.startswith("offhook ")]
SECONDS = 20.0


@dataclass(frozen=True)
class Promise:
    """What the page says of an example: started with `options`, it may wait at `waits`, and ends so."""

    options: tuple[str, ...]
    waits: str
    complete: tuple[str, ...]
    status: str
    output: Any


_EXAMPLE = re.compile(r"^```json\n(.*?)^```\n\n(.*?)\n\n", re.MULTILINE | re.DOTALL)
_PROMISE = re.compile(
    r"(?:`(?P<options>--input [^`]*)` it )?"
    r"(?:waits at `(?P<waits>\w+)`\. After `offhook workflow complete ID (?P<complete>[^`]*)` it )?"
    r"ends `(?P<status>[A-Z]+)` with `(?P<output>[^`]*)`"
)


def promises(text: str) -> list[Promise]:
    found = [
        Promise(
            tuple(shlex.split(one["options"] or "")),
            one["waits"] or "",
            tuple(shlex.split(one["complete"] or "")),
            one["status"],
            json.loads(one["output"]),
        )
        for one in _PROMISE.finditer(" ".join(text.replace("It ", "it ").split()))
    ]
    assert found, text
    return found


EXAMPLES = [(json.loads(raw), promises(text)) for raw, text in _EXAMPLE.findall(PAGE)]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The server that the examples ask and run in."""
    server = Process(tmp_path_factory.mktemp("served") / "data", scale=1)
    server.init()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(offhook: Run, process: Process, empty: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    """The server with all examples registered, and the credential that the page speaks of."""
    monkeypatch.setenv("OFFHOOK_URL", process.url)
    monkeypatch.setenv("OFFHOOK_KEY", process.key)
    if offhook("workflow", "list", "--json").json["items"]:
        return process
    place = f"127.0.0.1:{process.port}"
    kept = offhook("api", "credential", "add", "here", "--kind", "bearer", "--host", place, stdin=process.key)
    assert kept.status == 0, kept.err
    for raw, _ in EXAMPLES:
        (empty / "example.json").write_text(json.dumps(raw).replace("127.0.0.1:8080", place))
        said = offhook("workflow", "register", "example.json")
        assert said.status == 0, said.err
    return process


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_there(line: str) -> None:
    test_every_command_and_option_exists(line.replace(" ID", " 5").replace("[", "").replace("]", ""))


def test_every_type_of_task_has_an_example() -> None:
    types = {found for raw, _ in EXAMPLES for found in re.findall(r'"type": "(\w+)"', json.dumps(raw))}
    assert types == set(model.TYPES)
    assert len(EXAMPLES) == PAGE.count("```json")
    evaluators = re.findall(r'"evaluatorType": "([\w-]+)"', PAGE)
    assert {"value-param", "javascript"} <= set(evaluators)


@pytest.mark.parametrize(
    ("raw", "promise"),
    [(raw, promise) for raw, many in EXAMPLES for promise in many],
    ids=[f"{raw['name']}-{number}" for raw, many in EXAMPLES for number, _ in enumerate(many)],
)
def test_an_example_does_what_the_page_says(offhook: Run, page: Process, raw: Any, promise: Promise) -> None:
    if not promise.waits:
        said = offhook("workflow", "run", raw["name"], *promise.options, "--json")
    else:
        id = offhook("workflow", "start", raw["name"], *promise.options, "--json").json["id"]
        deadline = time.monotonic() + SECONDS
        while not waiting(offhook("workflow", "status", id, "--json").json, promise.waits):
            assert time.monotonic() < deadline, "it does not wait there"
        assert offhook("workflow", "complete", id, *promise.complete).status == 0
        said = offhook("workflow", "status", id, "--watch", "--json")
    run = said.json
    assert (run["status"], run["output"]) == (promise.status, promise.output), run
    assert said.status == (0 if promise.status == "COMPLETED" else 1)


def test_an_event_has_the_fields_that_the_page_names() -> None:
    row = (1, "office.created", "5", 3, "key", 9, "r", "{}", "{}")
    event = event_data(row, {})["event"]
    told = {name for cells in rows(section("workflows.md", "Starting by itself")) for name in quoted(cells[0])}
    assert {name.partition(".")[0] for name in told} == set(event)
    assert {name.partition(".")[2] for name in told if name.startswith("actor.")} == set(event["actor"])


def test_conditions_that_are_shown_are_fulfilled_by_the_office_of_the_examples(process: Process) -> None:
    office = process.ask("POST", "/api/v2/offices", SMALL).json["office"]
    data = {"event": {"after": {"office": office}}}
    said = dict(one.split("=", 1) for line in COMMANDS for one in re.findall(r"--where (\S+)", line))
    examples = msgspec.json.schema(TriggerIn)["$defs"]["TriggerIn"]["properties"]["where"]["examples"]
    assert said
    assert [differing(one, data) for one in (said, *examples)] == [""] * (1 + len(examples))


def waiting(run: Any, ref: str) -> bool:
    return any(one["reference_name"] == ref and one.get("waits_for_you") for one in run.get("tasks", ()))


def test_the_limits_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", section("workflows.md", "Limits"), re.MULTILINE))
    assert {
        "a definition": f"{reading.MOST_BYTES:,} bytes, {steps.MOST_TASKS:,} tasks, "
        f"{MAX_DEPTH} levels of JSON, {rules.MOST_SUBS} workflows written out within each other",
        "versions of definitions, and policies, of an environment": f"{service.MOST:,} of each",
        "runs of an environment that go on": f"{going.MOST_GOING:,}",
        "attempts of a run": f"{machine.MOST_ATTEMPTS:,}",
        "runs that led to one, each started by the one before": f"{machine.MOST_DEPTH}",
        "runs that one first run led to, over all that these started": f"{going.MOST_OF_ONE:,} that are kept",
        "rounds of a loop": f"{machine.MOST_ITERATIONS:,}",
        "branches of a dynamic fork": f"{forking.MOST:,}",
        "input, and output, of a task": f"{machine.MOST_OUTPUT:,} bytes of JSON each",
        "variables of a run": f"{machine.MOST_VARIABLES:,} bytes of JSON",
        "a wait": "ten years",
        "connection, and answer": f"{asked.TIMEOUT_MS // 1000} s each unless said, an hour at most",
        "bytes of an answer that are read": f"{asked.READ:,}, fewer with `maxBytes`",
        "redirects": f"{sending.REDIRECTS}",
        "pages": f"{pages.PAGES} unless said, {http.MOST_PAGES:,} at most",
        "a script": f"{sandbox.SECONDS:.0f} s, {sandbox.JS_MEMORY // 2**20} MiB (JavaScript), "
        f"{scripts.SOURCE:,} characters",
        "scripts at a time": f"{scripts.AT_ONCE}, of one environment {places.Places(scripts.AT_ONCE).of_one}; "
        "further ones wait for their turn",
        "attempts that a server carries out at a time": f"{carrying.AT_ONCE}",
        "who watch runs of a company at a time": f"{runs.MOST_WATCHERS // runs.WATCHING_SHARE}",
        "who watch runs at a time": f"{runs.MOST_WATCHERS}",
    } == {name: text for name, text in rows.items() if name not in ("what", "---")}
    assert machine.MOST_INPUT == machine.MOST_OUTPUT
    assert (http.MOST_TIMEOUT, durations.MOST_SECONDS) == (3_600_000, 10 * 366 * 86_400)
    assert f"not heard of for {lease.LEASE_SECONDS:.0f} s counts as gone" in " ".join(PAGE.split())


def test_the_page_names_every_addition_to_http_tasks() -> None:
    assert [name for name in http.EXTENSIONS if f"`{name}`" not in PAGE] == []
