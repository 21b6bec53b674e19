"""Runs whose tasks are really carried out: called, repeated with one key, and kept without secrets."""

import asyncio
import json
from typing import Any

from offhook.storage.database import Database
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.tasks.performing import Tasks
from tests.catalog.workbench import answering, serving
from tests.workflows.runs.running import Running, Target, task
from tests.workflows.tasks.calling import SECRETS, addressed, header_of, http_task, in_turn, post


class Performing(Tasks, Target):
    """The real performer where a test's own is expected."""

    def __init__(self, http: Any, scripts: Scripts) -> None:
        Target.__init__(self)
        Tasks.__init__(self, http, scripts)


def test_a_run_of_real_tasks(database: Database, runner: asyncio.Runner):
    busy = answering(b'{"why": "busy"}', "Retry-After: 30", status="503 X")
    good = answering(json.dumps({"rows": [{"n": 1}, {"n": 2}], "seen": SECRETS["KEY"]}).encode())

    async def story() -> None:
        http, scripts = http_task(), Scripts(1)
        one = Running(database, Performing(http, scripts))
        async with serving(in_turn(busy, good)) as service:
            request = post(headers={"X-Key": "${workflow.secrets.KEY}"}, body={"who": "${workflow.input.who}"})
            policy = {"name": "a", "retryCount": 2, "retryDelaySeconds": 1}
            script = {"evaluatorType": "javascript", "expression": "$.rows.map(row => row.n * 10)"}
            one.register(
                "w",
                task("a", inputParameters={"http_request": addressed(request, service)}, taskDefinition=policy),
                task("b", "INLINE", inputParameters={**script, "rows": "${a.output.response.body.rows}"}),
                task(
                    "c", "JSON_JQ_TRANSFORM", inputParameters={"queryExpression": ".of[]", "of": "${b.output.result}"}
                ),
            )
            id = await one.start("w", {"who": "me"})
            await one.engine.settled()
            await one.later(29)
            assert len(service.heads) == 1, "it asked to be left alone"
            await one.later(1.5)
            await one.engine.settled()
            run, history = one.run_of(id), one.history(id)
            assert (run.status, run.output) == ("COMPLETED", {"result": 10, "resultList": [10, 20]}), run
            assert [(a.key, a.status) for a in history] == [
                ("a", "FAILED"), ("a", "COMPLETED"), ("b", "COMPLETED"), ("c", "COMPLETED"),
            ]  # fmt: skip
            assert history[0].output["response"]["body"] == {"why": "busy"}
            keys = [header_of(head, "Idempotency-Key") for head in service.heads]
            assert keys == [f"offhook-{history[0].id}"] * 2
            assert [header_of(head, "X-Key") for head in service.heads] == [SECRETS["KEY"]] * 2
            assert json.loads(service.bodies[1]) == {"who": "me"}
        assert SECRETS["KEY"] not in repr(history) + repr(run)
        await http.egress.close()
        await scripts.close()
        await one.close()

    runner.run(asyncio.wait_for(story(), 30))


def test_an_answer_as_deep_as_can_be_read_does_not_stop_its_run(database: Database, runner: asyncio.Runner):
    levels = 800

    async def story() -> None:
        http, scripts = http_task(), Scripts(1)
        one = Running(database, Performing(http, scripts))
        async with serving(answering(b"[" * levels + b"]" * levels)) as service:
            one.register("w", task("a", inputParameters=addressed(post(), service)), task("h", "HUMAN"))
            id = await one.start("w")
            await one.engine.settled()
            assert one.statuses(id) == {"a": "COMPLETED", "h": "IN_PROGRESS"}
            assert one.history(id)[0].output["response"]["body"] == "[" * levels + "]" * levels
        await http.egress.close()
        await scripts.close()
        await one.close()

    runner.run(asyncio.wait_for(story(), 30))


def test_branches_that_a_fork_writes_out_get_their_secrets_and_data_gets_none(
    database: Database, runner: asyncio.Runner
):
    async def story() -> None:
        http, scripts = http_task(), Scripts(1)
        one = Running(database, Performing(http, scripts))
        async with serving(answering(b"{}")) as service:
            request = addressed(post(body={"word": "${workflow.secrets.KEY}"}), service)
            fan = {"forkTaskType": "HTTP", "forkTaskInputs": [request]}
            one.register("w", task("f", "FORK_JOIN_DYNAMIC", inputParameters=fan), task("j", "JOIN"))
            id = await one.start("w")
            await one.engine.settled()
            assert one.statuses(id)["f_0"] == "COMPLETED"
            assert [json.loads(body) for body in service.bodies] == [{"word": SECRETS["KEY"]}]
            assert SECRETS["KEY"] not in str(one.history(id))
            fan = {"forkTaskType": "HTTP", "forkTaskInputs": "${workflow.input.of}"}
            one.register("v", task("f", "FORK_JOIN_DYNAMIC", inputParameters=fan), task("j", "JOIN"))
            id = await one.start("v", {"of": [request]})
            await one.engine.settled()
            assert one.statuses(id)["f_0"] == "FAILED_WITH_TERMINAL_ERROR"
            assert len(service.bodies) == 1
        await http.egress.close()
        await scripts.close()
        await one.close()

    runner.run(asyncio.wait_for(story(), 30))
