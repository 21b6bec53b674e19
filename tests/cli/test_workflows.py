"""Workflows from the command line: checked, registered, drawn, run with live progress, and changed while they go on."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from offhook.cli.workflow_drawing import drawing
from tests.cli.conftest import Run, Said, Serving
from tests.survival.process import Process

Raw = dict[str, Any]


def task(ref: str, kind: str = "NOOP", **more: Any) -> Raw:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **more}


def definition(*tasks: Raw, name: str = "hello", **more: Any) -> Raw:
    return {"name": name, "version": 1, "tasks": list(tasks), **more}


def write(folder: Path, raw: Raw, file: str = "hello.json") -> str:
    (folder / file).write_text(json.dumps(raw, indent=2))
    return file


GREETING = definition(
    task("greet", "JSON_JQ_TRANSFORM", inputParameters={
        "who": "${workflow.input.who}", "queryExpression": '"Hello, " + .who',
    }),
    outputParameters={"text": "${greet.output.result}"},
)  # fmt: skip
ASKING = definition(
    task("before"),
    task("ask", "HUMAN"),
    task("after", "JSON_JQ_TRANSFORM", inputParameters={"said": "${ask.output.said}", "queryExpression": ".said"}),
    outputParameters={"said": "${after.output.result}"},
)


def step(said: Said) -> list[str]:
    """The first step that is proposed, as it is typed."""
    line = next(line for line in said.err.splitlines() if line.startswith("Next  "))
    return shlex.split(line.removeprefix("Next  ").partition("   ")[0])[1:]


def started(offhook: Run, *arguments: str) -> str:
    said = offhook("workflow", "start", *arguments, "--json")
    assert said.status == 0, said.err
    id: str = said.json["id"]
    return id


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A real server that these tests share."""
    server = Process(tmp_path_factory.mktemp("served") / "data", scale=1)
    server.init()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def served(process: Process, empty: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    """The same, which commands ask."""
    monkeypatch.setenv("OFFHOOK_URL", process.url)
    monkeypatch.setenv("OFFHOOK_KEY", process.key)
    return process


# Definitions


def test_a_definition_is_checked_with_what_stock_conductor_lacks(offhook: Run, served: Process, empty: Path) -> None:
    said = offhook("workflow", "validate", write(empty, GREETING))
    assert (said.status, said.out) == (0, "hello.json keeps every rule.\n")
    assert "1 for a stock Conductor server\n  ownerEmail  " in said.err
    assert offhook(*step(said)).status == 0


def test_every_fault_has_its_line_and_mend(offhook: Run, served: Process, empty: Path) -> None:
    file = write(empty, definition(task("a"), task("a"), task("b", "HTTPS")))
    said = offhook("workflow", "validate", file)
    assert said.status == 1
    assert "2 places of hello.json must be mended." in said.err
    assert "  line 12, column 7: tasks[1].taskReferenceName  Must be unique" in said.err
    assert "  line 18, column 7: tasks[2].type  No such type of task is known. Did you mean HTTP?" in said.err
    answer = offhook("workflow", "validate", file, "--json").json
    assert sorted((one["location"], one["line"]) for one in answer["violations"]) == [
        ("tasks[1].taskReferenceName", 12), ("tasks[2].type", 18),
    ]  # fmt: skip
    errors = offhook("workflow", "register", file, "--json").json["error"]["errors"]
    assert {one["line"] for one in errors} == {12, 18}
    for command in ("register", "run", "start"):
        said = offhook("workflow", command, file)
        assert said.status == 1
        assert "  line 18, column 7: tasks[2].type  No such type" in said.err


def test_yaml_is_read_without_loss_and_what_is_no_file_is_refused(offhook: Run, served: Process, empty: Path) -> None:
    (empty / "w.yaml").write_text(
        "name: w\ntasks:\n  - &a {name: a, taskReferenceName: a, type: NOOP}\nvariables: {x: 1.5}\n"
    )
    assert offhook("workflow", "register", "w.yaml").status == 0
    assert offhook("workflow", "show", "w", "--json").json["definition"]["variables"] == {"x": 1.5}
    for text, fault in (
        ('{"name": "w",\n "tasks": [],}', "line 2, column 14  Not JSON: "),
        ('{"name": "w", "name": "v"}', "name  This key stands twice"),
        ("name: w\nname: v\n", "line 2, column 1  The key name stands twice: first in line 1."),
        ("name: [\n", "  Not YAML: "),
        ("[1]", "must hold an object"),
        ("\xff", "not UTF-8"),
    ):
        (empty / "bad").write_bytes(text.encode("latin-1"))
        said = offhook("workflow", "validate", "bad")
        assert said.status == 1
        assert fault in said.err


def test_a_version_is_registered_once_or_anew_or_over_the_old(offhook: Run, served: Process, empty: Path) -> None:
    file = write(empty, {**GREETING, "name": "kept"})
    assert "nothing was kept" in offhook("workflow", "register", file, "--dry-run").out
    said = offhook("workflow", "register", file)
    assert said.out == "kept, version 1, is registered.\n"
    again = offhook("workflow", "register", file)
    assert again.status == 1
    assert "Say --new-version for the version after the latest, or --overwrite" in again.err
    assert offhook("workflow", "register", file, "--new-version").out == "kept, version 2, is registered.\n"
    assert offhook("workflow", "register", file, "--overwrite").out == "kept, version 1, is registered.\n"
    assert "say one of them" in offhook("workflow", "register", file, "--overwrite", "--new-version").err
    assert re.search(r"^kept +2 +2$", offhook("workflow", "list").out, re.MULTILINE)
    listed = offhook("workflow", "versions", "kept")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["VERSION", "2", "1"]
    assert json.loads(offhook(*step(listed)).out)["version"] == 1
    deleting = ("workflow", "delete", "kept", "--version", "1")
    assert offhook(*deleting).out == "kept, version 1, is deleted. Runs that go by it go on.\n"
    for command in (deleting, ("workflow", "show", "kept", "--version", "1")):
        assert "no workflow definition kept with a version 1" in offhook(*command).err
    assert "no workflow definition nobody" in offhook("workflow", "versions", "nobody").err


def test_a_definition_is_shown_and_drawn(offhook: Run, served: Process, empty: Path) -> None:
    raw = definition(
        task("decide", "SWITCH", evaluatorType="value-param", expression="x", inputParameters={"x": 1},
             decisionCases={"1": [task("one")]}),
        task("rounds", "DO_WHILE", loopCondition="$.rounds.iteration < 3", loopOver=[task("round")]),
        name="drawn",
    )  # fmt: skip
    offhook("workflow", "register", write(empty, raw))
    said = offhook("workflow", "show", "drawn")
    assert json.loads(said.out) == raw
    assert "tasks       4" in said.err
    assert offhook("workflow", "graph", "drawn").out.splitlines() == [
        "○ start",
        "├─ decide       SWITCH x",
        "│  ├╴ if 1",
        "│  │  └─ one    NOOP",
        "│  └╴ otherwise: nothing",
        "├─ rounds       DO_WHILE",
        "│  └╴ while $.rounds.iteration < 3",
        "│     └─ round  NOOP",
        "○ end",
    ]
    assert offhook("workflow", "graph", "drawn", "--mermaid").out.startswith("flowchart TD\n")
    assert {one["ref"] for one in offhook("workflow", "graph", "drawn", "--json").json["nodes"]} >= {"decide", "one"}
    assert "no workflow definition nobody" in offhook("workflow", "graph", "nobody").err


def test_every_kind_of_way_is_drawn() -> None:
    raw = definition(
        task("both", "FORK_JOIN", forkTasks=[[task("left")], [task("right"), task("right_2")]]),
        task("joined", "JOIN", joinOn=["left", "right_2"]),
        task("get", "HTTP", inputParameters={"http_request": {"method": "GET", "uri": "https://example.com/"}}),
    )
    assert ["".join(line) for line in drawing(raw)] == [
        "○start",
        "├─ bothFORK_JOIN",
        "│  ├╴branch 1",
        "│  │  └─ leftNOOP",
        "│  └╴branch 2",
        "│     ├─ rightNOOP",
        "│     └─ right_2NOOP",
        "├─ joinedJOIN left, right_2",
        "├─ getHTTP GET https://example.com/",
        "○end",
    ]


def test_an_export_says_what_was_lost(offhook: Run, served: Process, empty: Path) -> None:
    request = {"uri": "https://example.com/", "method": "GET", "acceptedStatusCodes": [404]}
    offhook(
        "workflow", "register", write(empty, definition(task("get", "HTTP", inputParameters=request), name="exported"))
    )
    said = offhook("workflow", "export", "exported")
    assert json.loads(said.out)["tasks"][0]["inputParameters"] == {"uri": "https://example.com/", "method": "GET"}
    assert "tasks[0].inputParameters.acceptedStatusCodes  acceptedStatusCodes was left out." in said.err
    assert offhook("workflow", "export", "exported", "-o", "out.json").out == ""
    assert json.loads((empty / "out.json").read_text())["name"] == "exported"
    assert "no workflow definition nobody" in offhook("workflow", "export", "nobody").err


def test_a_definition_of_another_system_is_imported_with_a_report(offhook: Run, served: Process, empty: Path) -> None:
    raw = {
        "name": "pause",
        "startTask": "Wait a while",
        "tasks": {"Wait a while": {"type": "Wait", "seconds": 5, "end": True, "colour": "red"}},
    }
    file = write(empty, raw)
    shown = offhook("workflow", "import", file, "--kind", "simworkflow", "--dry-run")
    assert shown.status == 0, shown.err
    assert json.loads(shown.out)["tasks"][0]["type"] == "WAIT"
    assert offhook("workflow", "show", "pause").status == 1
    said = offhook("workflow", "import", file, "--kind", "simworkflow")
    assert said.out == "pause, version 1, is registered.\n"
    assert "without an equal" in said.err
    raw["startTask"] = "Wait"
    bad = offhook("workflow", "import", write(empty, raw), "--kind", "simworkflow")
    assert bad.status == 1
    assert "line 3, column 3: startTask  Must be the name of one of the tasks." in bad.err


def test_a_request_becomes_a_task(offhook: Run, served: Process, empty: Path) -> None:
    offhook("workflow", "register", write(empty, definition(task("first"), task("last"), name="added")))
    said = offhook("workflow", "add-task", "added", "--request", "offices.list", "--after", "first", "--ref", "listed")
    assert said.status == 0, said.err
    assert said.out.startswith("added, version 2, has the task listed.\n")
    kept = offhook("workflow", "show", "added", "--json").json["definition"]["tasks"]
    assert [one["taskReferenceName"] for one in kept] == ["first", "listed", "last"]
    assert kept[1]["metadata"]["provenance"]["operation"] == "offices.list"
    shown = offhook("workflow", "add-task", "added", "--request", "offices.get")
    assert "/api/v2/offices/${workflow.input.id}" in shown.out
    assert "path.id" in shown.err
    assert "the task takes it from the run's input, as ${workflow.input.id}." in shown.err
    unknown = offhook("workflow", "add-task", "added", "--request", "offices.creat")
    assert unknown.status == 1
    assert "no saved request offices.creat, and no such operation" in unknown.err
    assert "Did you mean offices.create " in unknown.err
    assert "asks for" in said.err
    assert "--credential NAME" in said.err
    unkept = offhook("workflow", "add-task", "added", "--request", "offices.list", "--credential", "here")
    assert (unkept.status, "There is no credential of this name" in unkept.err) == (1, True)
    add = ("api", "credential", "add", "here", "--kind", "bearer", "--host", "127.0.0.1:8080")
    assert offhook(*add, stdin="a-token-that-is-long").status == 0
    kept = offhook("workflow", "add-task", "added", "--request", "offices.list", "--credential", "here")
    assert '"credential": "here"' in kept.out
    assert "asks for" not in kept.err
    assert (
        "Did you mean first?"
        in offhook("workflow", "add-task", "added", "--request", "offices.list", "--after", "firts").err
    )


def test_inputs_that_are_read_and_not_given_are_named_before_the_start(
    offhook: Run, served: Process, empty: Path
) -> None:
    file = write(empty, definition(
        task("keep", "SET_VARIABLE", inputParameters={"a": "${workflow.input.city}", "b": "${workflow.input.size}"}),
        name="reads", inputTemplate={"size": 1},
    ))  # fmt: skip
    said = offhook("workflow", "run", file)
    assert "Tasks read city, which it was not given: null stands there. --input city=VALUE gives it." in said.err
    assert said.err.index("Tasks read") < said.err.index("Run 1"), "before it is started"
    assert "Tasks read" not in offhook("workflow", "run", file, "--input", "city=Lisbon").err
    offhook("workflow", "register", file)
    assert "Tasks read city" in offhook("workflow", "start", "reads").err
    assert "Tasks read" not in offhook("workflow", "start", "reads", "-i", "city=Lisbon").err


def test_what_comes_with_offhook_is_listed_and_taken(offhook: Run, served: Process) -> None:
    listed = offhook("workflow", "shipped", "list")
    assert re.search(r"^nightly_check +no +3 ", listed.out, re.MULTILINE)
    taking = step(listed)
    assert taking[:3] == ["workflow", "shipped", "take"]
    said = offhook(*taking)
    assert said.status == 0, said.err
    assert f"{taking[3]}, version 1, is registered." in said.out
    said = offhook("workflow", "shipped", "take", "nightly_check", "--credential", "here")
    assert re.search(r"^  credential  +\w", said.out, re.MULTILINE)
    assert re.search(r"^Next  offhook key create --name here( --scope \S+)+   makes", said.err, re.MULTILINE)
    assert f"offhook api credential add here --kind bearer --host {urlsplit(served.url).netloc} --url" in said.err
    kept = offhook("workflow", "show", "nightly_check", "--json").json["definition"]
    assert kept["inputTemplate"]["credential"] == "here"
    assert re.search(r"^nightly_check +version 1 ", offhook("workflow", "shipped", "list").out, re.MULTILINE)
    refused = offhook("workflow", "shipped", "take", "nothing")
    assert refused.status == 1
    assert "there are adopt_holidays" in refused.err


def test_the_key_for_what_is_taken_is_made_where_it_is_taken(
    offhook: Run, company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = ("workflow", "shipped", "take", "nightly_check")
    assert step(offhook(*took, "-e", "sandbox"))[-2:] == ["--environment", "sandbox"]
    monkeypatch.setenv("OFFHOOK_KEY", company["sandbox_key"])
    said = offhook(*took)
    assert step(said)[-2:] == ["--environment", "sandbox"]
    assert "--host 127.0.0.1:8080 " in said.err
    made = offhook(*step(said), "--json").json
    assert made["key"].startswith("ohk_sandbox_")


def test_policies_are_registered_listed_and_deleted(offhook: Run, served: Process, empty: Path) -> None:
    assert "There is no policy" in offhook("workflow", "policies", "list").err
    (empty / "p.yaml").write_text("name: call\nretryCount: 5\nretryLogic: EXPONENTIAL_BACKOFF\nretryDelaySeconds: 2\n")
    assert "tasks called call is registered" in offhook("workflow", "policies", "register", "p.yaml").out
    assert offhook("workflow", "policies", "list").out.splitlines()[1].split() == [
        "call", "5", "EXPONENTIAL_BACKOFF", "2",
    ]  # fmt: skip
    (empty / "p.yaml").write_text("name: call\nretryCount: -1\n")
    said = offhook("workflow", "policies", "register", "p.yaml")
    assert "line 2, column 1: retryCount  Must be a whole number" in said.err
    assert offhook("workflow", "policies", "delete", "call").out == "The policy call is deleted.\n"
    assert offhook("workflow", "policies", "delete", "call").status == 1


def test_faults_of_scripts_and_requests_have_their_lines_in_the_order_of_the_file(
    offhook: Run, served: Process, empty: Path
) -> None:
    script = {"evaluatorType": "javascript", "expression": "function ( {"}
    call = {"uri": "http://10.0.0.1/", "method": "GET", "creds": "here"}
    file = write(
        empty,
        definition(
            task("a", "INLINE", inputParameters=script), task("b", "HTTP", inputParameters=call), task("a", "NOOPE"),
            timeoutSeconds=-1,
        ),
    )  # fmt: skip
    said = offhook("workflow", "validate", file)
    assert "  line 11, column 9: tasks[0].inputParameters.expression  This JavaScript cannot be read: Synt" in said.err
    assert "creds  No such field of a request is known; it is not sent, and does nothing. Did you mean cred" in said.err
    assert "egress_allow names 10.0.0.1:80" in said.err
    found = [int(line) for line in re.findall(r"^  line (\d+), .*(?:Must|cannot be read|No such type)", said.err, re.M)]
    assert len(found) == 4
    assert found == sorted(found)


def test_a_refusal_is_said_once(offhook: Run, served: Process, empty: Path) -> None:
    file = write(empty, definition(task("a"), name="once"))
    assert offhook("workflow", "register", file).status == 0
    said = offhook("workflow", "register", file)
    assert said.err.count("has a version 1 already") == 1
    assert said.err.count("--new-version") == 1
    # A key says which environment it is of; that is no part of what is to be mended.
    assert "environment" not in said.err
    assert "environment  live, by the key" in offhook("workflow", "show", "nobody").err


def test_what_cannot_help_is_not_proposed_and_causes_leave_tables_whole(
    offhook: Run, served: Process, empty: Path
) -> None:
    end = task("stop", "TERMINATE", inputParameters={"terminationStatus": "FAILED", "terminationReason": "no" * 200})
    said = offhook("workflow", "run", write(empty, definition(end, name="stopped")))
    assert "workflow retry" not in said.err
    assert "workflow restart" in said.err
    listed = offhook("workflow", "runs", "--workflow", "stopped").out
    assert max(map(len, listed.splitlines())) < 200
    broken = task("broken", "JSON_JQ_TRANSFORM", inputParameters={"queryExpression": 'error("x" * 300)'})
    said = offhook("workflow", "run", write(empty, definition(broken)))
    assert "workflow retry" not in said.err
    assert "register FILE --new-version" in said.err
    id = offhook("workflow", "runs", "--workflow", "hello", "--json").json["items"][0]["id"]
    assert max(map(len, offhook("workflow", "attempts", id).out.splitlines())) < 200
    assert "x" * 290 in offhook("workflow", "attempts", id, "--task", "broken").out


def test_an_attempt_after_a_retry_is_told_from_the_first(offhook: Run, served: Process, empty: Path) -> None:
    id = started(offhook, write(empty, ASKING))
    assert offhook("workflow", "complete", id, "ask", "--failed", "--reason", "No.").status == 0
    assert offhook("workflow", "retry", id).status == 0
    shown = offhook("workflow", "attempts", id).out
    assert re.search(r"^\d+ +ask +HUMAN +FAILED +1 +2", shown, re.MULTILINE)
    assert re.search(r"^\d+ +ask +HUMAN +IN_PROGRESS +1, again +2", shown, re.MULTILINE)


# Runs in this process


def test_a_file_runs_without_a_server(offhook: Run, company: Any, empty: Path) -> None:
    file = write(empty, GREETING)
    said = offhook("workflow", "run", file, "--input", "who=Ana")
    assert said.status == 0, said.err
    assert json.loads(said.out) == {"text": "Hello, Ana"}
    assert re.search(r"^ +\d\.\d\d s  COMPLETED +greet +JSON_JQ_TRANSFORM +\d\.\d{3} s$", said.err, re.MULTILINE)
    assert re.search(r"^COMPLETED after \d\.\d\d s\.$", said.err, re.MULTILINE)
    (empty / "input.yaml").write_text("who: Bo\n")
    whole = offhook("workflow", "run", file, "--input-file", "input.yaml", "--json").json
    assert (whole["status"], whole["output"]) == ("COMPLETED", {"text": "Hello, Bo"})
    assert "No workflow is registered." in offhook("workflow", "list").err


def test_a_run_that_fails_ends_with_1_and_its_failure_workflow_runs(offhook: Run, company: Any, empty: Path) -> None:
    offhook("workflow", "register", write(empty, definition(task("undo"), name="undo")))
    end = task("stop", "TERMINATE", inputParameters={"terminationStatus": "FAILED", "terminationReason": "Enough."})
    said = offhook("workflow", "run", write(empty, definition(end, failureWorkflow="undo")))
    assert said.status == 1
    assert re.search(r"^FAILED after .* Enough\.$", said.err, re.MULTILINE)
    assert offhook(*step(said)).status == 0
    assert [(one["workflow"], one["status"]) for one in offhook("workflow", "runs", "--json").json["items"]] == [
        ("undo", "COMPLETED"), ("hello", "FAILED"),
    ]  # fmt: skip


def test_what_cannot_be_started_is_said(offhook: Run, company: Any, empty: Path) -> None:
    for arguments, fault in (
        (("nobody",), "There is no workflow nobody; register it (offhook workflow register FILE), or run its file"),
        (("nobody.json",), "cannot be read"),
        ((write(empty, GREETING), "--version", "1"), "A file is of the version that it says"),
        (("hello", "--input", "who"), "--input is written as NAME=VALUE"),
    ):
        said = offhook("workflow", "run", *arguments)
        assert said.status == 1
        assert fault in said.err


def test_ctrl_c_leaves_a_run_which_a_server_takes_on(
    offhook: Run, company: Any, empty: Path, request: pytest.FixtureRequest
) -> None:
    file = write(empty, ASKING)
    command = [sys.executable, "-m", "offhook", "workflow", "run", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=empty) as process:
        assert process.stderr is not None
        said = ""
        while "waits for you" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 130, rest
    id = said.split()[1]
    assert f"Left. Run {id} waits for a server over this store, which takes it on." in rest
    assert f"offhook workflow status {id} --watch" in rest
    done = offhook("workflow", "complete", id, "ask", "--output", '{"said": "yes"}')
    assert done.status == 0, done.err
    assert "offhook serve   takes it on" in done.err
    assert offhook("workflow", "status", id, "--json").json["status"] == "RUNNING"
    server: Serving = request.getfixturevalue("server")
    watched = offhook("workflow", "status", id, "--watch", "--url", server.url, "--key", company["live_key"])
    assert watched.status == 0, watched.err
    assert json.loads(watched.out) == {"said": "yes"}


# Runs in a server


def test_progress_is_told_as_it_comes_from_a_server(offhook: Run, served: Process, empty: Path) -> None:
    calls = definition(
        task("fails", "HTTP", optional=True, inputParameters={"uri": f"{served.url}/api/v2/offices", "method": "GET"},
             taskDefinition={"name": "fails", "retryCount": 1, "retryDelaySeconds": 0}),
        task("pause", "WAIT", inputParameters={"duration": "1s"}),
        task("ready", "HTTP", inputParameters={"uri": f"{served.url}/readyz", "method": "GET"}),
        outputParameters={"status": "${ready.output.response.statusCode}"},
    )  # fmt: skip
    said = offhook("workflow", "run", write(empty, calls))
    assert said.status == 0, said.err
    assert json.loads(said.out) == {"status": 200}
    lines = [line for line in said.err.splitlines() if re.match(r" +\d+\.\d\d s  ", line)]
    told = [tuple(line.split()[2:4]) for line in lines]
    assert ("FAILED", "fails") in told
    assert "The answer was 401" in said.err
    assert any("attempt 2" in line and "although it failed" in line for line in lines)
    assert (
        told.index(("IN_PROGRESS", "pause")) < told.index(("COMPLETED", "pause")) < told.index(("COMPLETED", "ready"))
    )
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)
    assert "\x1b" not in said.err + said.out


def test_whoever_follows_a_run_outlasts_the_server(offhook: Run, served: Process, empty: Path) -> None:
    command = [sys.executable, "-m", "offhook", "workflow", "run", write(empty, ASKING)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=empty) as process:
        assert process.stderr is not None
        said = ""
        while "waits for you" not in said:
            said += process.stderr.readline()
        served.kill()
        while "trying again" not in said:
            said += process.stderr.readline()
        served.start()
        done = offhook("workflow", "complete", said.split()[1], "ask", "--output", '{"said": "yes"}')
        assert done.status == 0, done.err
        out, rest = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)) == (0, {"said": "yes"}), rest
    assert rest.count("ask ") == 1


def test_a_key_starts_one_run(offhook: Run, served: Process, empty: Path) -> None:
    file = write(empty, GREETING)
    first = offhook("workflow", "run", file, "-i", "who=Ana", "--idempotency-key", "once", "--json").json
    again = offhook("workflow", "run", file, "-i", "who=Ana", "--idempotency-key", "once")
    assert (again.status, json.loads(again.out)) == (0, {"text": "Hello, Ana"})
    assert f"Run {first['id']} of hello" in again.err
    assert "started with this key before" in again.err


def test_runs_are_searched_and_their_attempts_read(offhook: Run, served: Process, empty: Path) -> None:
    offhook("workflow", "register", write(empty, {**GREETING, "name": "searched"}))
    ids = [started(offhook, "searched", "-i", "who=Ana", "--correlation", f"c{number}") for number in range(3)]
    for id in ids:
        assert offhook("workflow", "status", id, "--watch").status == 0
    listed = offhook("workflow", "runs", "--workflow", "searched", "--limit", "2")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["ID", ids[2], ids[1]]
    assert "There are more" in listed.err
    assert offhook(*step(listed)).status == 0
    found = offhook("workflow", "runs", "--correlation", "c1", "--status", "completed", "--json").json["items"]
    assert [one["id"] for one in found] == [ids[1]]
    assert "There is no such run." in offhook("workflow", "runs", "--workflow", "searched", "--status", "FAILED").err
    assert "status  Must be one or more of" in offhook("workflow", "runs", "--status", "DONE").err
    shown = offhook("workflow", "attempts", ids[0], "--task", "greet")
    assert '"who": "Ana"' in shown.out
    assert '"result": "Hello, Ana"' in shown.out
    assert offhook(*step(offhook("workflow", "attempts", ids[0]))).out == shown.out
    assert "no attempt of a task nobody" in offhook("workflow", "attempts", ids[0], "--task", "nobody").err
    assert "There is no workflow run 5" in offhook("workflow", "status", "5").err


def test_a_run_is_paused_resumed_completed_and_done_again(offhook: Run, served: Process, empty: Path) -> None:
    offhook("workflow", "register", write(empty, {**ASKING, "name": "asking"}))
    id = started(offhook, "asking")
    said = offhook("workflow", "pause", id)
    assert said.out == f"Run {id} is PAUSED.\n"
    assert offhook("workflow", "resume", id).out == f"Run {id} is RUNNING.\n"
    assert "only one that is paused can be resumed" in offhook("workflow", "resume", id).err
    shown = offhook("workflow", "status", id)
    assert re.search(r"^ask +HUMAN +IN_PROGRESS +1 +waits for somebody$", shown.out, re.MULTILINE)
    assert step(shown)[:4] == ["workflow", "complete", id, "ask"]
    assert "These wait for somebody: ask." in offhook("workflow", "complete", id, "aks").err
    assert "takes a JSON object" in offhook("workflow", "complete", id, "ask", "--output", "5").err
    assert offhook("workflow", "complete", id, "ask", "--output", '{"said": 1}').status == 0
    assert json.loads(offhook("workflow", "status", id, "--watch").out) == {"said": 1}
    assert "only one that is over can be" not in offhook("workflow", "rerun", id, "--from", "ask").err
    (empty / "out.json").write_text('{"said": 2}')
    assert offhook("workflow", "complete", id, "ask", "--output", "@out.json").status == 0
    assert json.loads(offhook("workflow", "status", id, "--watch").out) == {"said": 2}
    assert "come to no task nobody" in offhook("workflow", "rerun", id, "--from", "nobody").err
    assert "--task-input is what" in offhook("workflow", "rerun", id, "--task-input", "{}").err
    assert offhook("workflow", "restart", id).out == f"Run {id} is RUNNING.\n"
    assert offhook("workflow", "skip", id, "ask", "--output", '{"said": 3}').status == 0
    assert json.loads(offhook("workflow", "status", id, "--watch").out) == {"said": 3}
    assert "is over" in offhook("workflow", "skip", id, "ask").err


def test_a_run_is_ended_and_tried_again(offhook: Run, served: Process, empty: Path) -> None:
    id = started(offhook, write(empty, ASKING))
    said = offhook("workflow", "terminate", id, "--reason", "Enough.")
    assert said.out == f"Run {id} is TERMINATED. Enough.\n"
    assert offhook(*step(said)).out == f"Run {id} is RUNNING.\n"
    assert "only one that is over can be tried again" in offhook("workflow", "retry", id).err
    failed = offhook("workflow", "complete", id, "ask", "--failed", "--reason", "No.")
    assert failed.out == f"Run {id} is FAILED. Task ask failed: No.\n"
    watched = offhook("workflow", "status", id, "--watch")
    assert watched.status == 1
    assert "FAILED after" in watched.err
