"""Workflows whose server is killed: every one ends, no finished step is done twice, what was cut off keeps its key."""

import random
import subprocess
import time
from collections import Counter
from typing import Any

import msgspec
import pytest

from offhook.storage.database import Database, Statement
from tests.servers import PostgreSQL
from tests.survival.conftest import Say, Start
from tests.survival.counting import KEY, Counting, counting
from tests.survival.process import Process

SEED = 20_261_126
API = "/api/offhook/v1/workflows"
TAKEN_OVER_SECONDS = 15.0
"""Within which another process goes on with the runs of one that died: its lease of 10 s, a renewal of 3 s, a look."""

_FINISHED = Statement('SELECT attempt FROM workflow_attempts WHERE attempt LIKE \'%"status":"COMPLETED"%\'')


def http(ref: str, path: str) -> dict[str, Any]:
    """A call of the service, with a key."""
    given = {"uri": "${workflow.input.url}/${workflow.input.n}/" + path, "method": "GET", "idempotencyKey": KEY}
    return {"name": ref, "taskReferenceName": ref, "type": "HTTP", "inputParameters": given}


def task(ref: str, kind: str, /, **more: Any) -> dict[str, Any]:
    """Any other task."""
    return {"name": ref, "taskReferenceName": ref, "type": kind, **more}


def journey() -> dict[str, Any]:
    """A workflow with every kind of step that a kill may fall into: eleven calls of the service."""
    child = {"name": "side", "version": 1, "tasks": [http("inner", "side")]}
    script = {"evaluatorType": "javascript", "expression": "$.n + 1", "n": "${workflow.input.n}"}
    return {
        "name": "journey",
        "version": 1,
        "tasks": [
            http("first", "first"),
            task("fork", "FORK_JOIN", forkTasks=[[http(f"b{one}", f"b{one}")] for one in range(4)]),
            task("join", "JOIN", joinOn=[f"b{one}" for one in range(4)]),
            task("sum", "INLINE", inputParameters=script),
            task("rest", "WAIT", inputParameters={"duration": "1 seconds"}),
            task("side", "SUB_WORKFLOW", inputParameters={"url": "${workflow.input.url}", "n": "${workflow.input.n}"},
                 subWorkflowParam={"name": "side", "version": 1, "workflowDefinition": child}),
            task("loop", "DO_WHILE", loopCondition="if ($.loop['iteration'] < 4) { true; } else { false; }",
                 loopOver=[http("round", "round/${loop.output.iteration}")]),
            http("last", "last"),
        ],
        "outputParameters": {"sum": "${sum.output.result}"},
    }  # fmt: skip


CALLS = 11


def register(server: Process) -> None:
    answer = server.ask("POST", f"{API}/definitions", {"definition": journey()})
    assert answer.status == 200, answer


def begin(server: Process, target: Counting, count: int) -> None:
    """Start runs, each with a key of its own."""
    for number in range(count):
        body = {"workflow": "journey", "input": {"url": target.url, "n": number}}
        answer = server.ask("POST", f"{API}/runs", body, {KEY: f"run {number}"})
        assert answer.status == 200, answer


def states(server: Process) -> Counter[str]:
    """How many of the runs are in each state, children left out."""
    found: Counter[str] = Counter()
    cursor = ""
    while True:
        page = server.ask("GET", f"{API}/runs?workflow=journey{cursor}").json
        found.update(one["status"] for one in page["items"])
        if "cursor" not in page:
            return found
        cursor = f"&cursor={page['cursor']}"


def end(server: Process, count: int, seconds: float = 120) -> None:
    """Until all have completed."""
    deadline = time.monotonic() + seconds
    while (found := states(server)) != Counter({"COMPLETED": count}):
        assert set(found) <= {"RUNNING", "COMPLETED"}, found
        assert time.monotonic() < deadline, (found, unfinished(server))
        time.sleep(0.05)


def unfinished(server: Process) -> list[Any]:
    """The runs that go on, whole, with what the log says last: what a failure must show."""
    page = server.ask("GET", f"{API}/runs?workflow=journey&status=RUNNING").json
    return [server.ask("GET", f"{API}/runs/{one['id']}").json for one in page["items"][:3]]


def finished(url: str) -> set[str]:
    """The keys of calls whose end is on disk."""
    database = Database(url)
    try:
        with database.reading() as tx:
            rows = [msgspec.json.decode(row[0]) for row in tx.all(_FINISHED)]
    finally:
        database.close()
    return {f"offhook-{one.get('chain') or one['id']}" for one in rows if one["type"] == "HTTP"}


def nothing_twice(target: Counting, over: list[tuple[int, set[str]]], count: int) -> int:
    """What the service counted agrees with what was on disk; gives how many calls were repeated."""
    for place, keys in over:
        later = {key for _, key, _ in target.calls[place:]}
        assert not later & keys, "a step that had ended was done again"
    by_path = target.keys()
    assert len(by_path) == count * CALLS
    assert {len(one) for one in by_path.values()} == {1}, "a repeated call had another key"
    assert len(set().union(*by_path.values())) == count * CALLS, "two steps had one key"
    return target.count() - count * CALLS


def killed(start: Start, say: Say, runs: int, kills: int) -> None:
    """Runs while the server is killed at random moments and started again."""
    with counting() as target:
        server = start(settings={"egress_allow": target.url.removeprefix("http://")})
        register(server)
        begin(server, target, runs)
        dice, over = random.Random(SEED), []
        for _ in range(kills):
            time.sleep(dice.uniform(0.01, 0.5))
            server.kill()
            over.append((target.count(), finished(f"sqlite:///{server.data / 'offhook.sqlite3'}")))
            server.start()
        end(server, runs)
        repeated = nothing_twice(target, over, runs)
        assert repeated <= kills * 128
        assert not server.faults()
        say(f"{runs} workflows, {kills} kills, {target.count()} calls, {repeated} of them cut off and repeated")


@pytest.mark.brief
def test_workflows_end_though_their_server_is_killed(start: Start, say: Say) -> None:
    killed(start, say, 15, 3)


@pytest.mark.long
def test_a_hundred_workflows_end_though_their_server_is_killed_thirty_times(start: Start, say: Say) -> None:
    killed(start, say, 100, 30)


@pytest.mark.long
def test_another_process_goes_on_with_the_runs_of_one_that_was_killed(
    start: Start, durable_postgres: PostgreSQL, say: Say
) -> None:
    with counting(0.3) as target, durable_postgres.database() as url:
        settings = {"egress_allow": target.url.removeprefix("http://")}
        first = start(database_url=url, settings=settings)
        second = start(database_url=url, settings=settings, company=first.company)
        register(first)
        begin(first, target, 20)
        first.kill()
        died = time.monotonic()
        over = [(target.count(), finished(url))]
        end(second, 20)
        began = min(moment for _, _, moment in target.calls[over[0][0] :])
        assert began - died < TAKEN_OVER_SECONDS
        repeated = nothing_twice(target, over, 20)
        say(f"taken over after {began - died:.1f} s, {repeated} calls repeated")


@pytest.mark.long
def test_runs_wait_for_a_database_that_is_gone_for_thirty_seconds(
    start: Start, durable_postgres: PostgreSQL, say: Say
) -> None:
    with counting(0.05) as target, durable_postgres.database() as url:
        server = start(database_url=url, settings={"egress_allow": target.url.removeprefix("http://")})
        process = server.process
        assert process is not None
        register(server)
        begin(server, target, 20)
        durable_postgres.kill()
        place = target.count()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(30)
        meanwhile = target.count() - place
        durable_postgres.start()
        came_back = time.monotonic()
        end(server, 20)
        assert server.process is process
        repeated = nothing_twice(target, [], 20)
        assert repeated == 0, "nobody was killed, so nothing was cut off"
        assert not server.faults()
        say(f"{meanwhile} calls while the store was away, all ended {time.monotonic() - came_back:.1f} s after")
