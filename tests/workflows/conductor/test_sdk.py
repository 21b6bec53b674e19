"""The stock Python SDK of Conductor drives this server as it drives a real Conductor."""

import time
from typing import Any

import pytest
from conductor.client.http.models import RerunWorkflowRequest, SkipTaskRequest, StartWorkflowRequest, TaskResult
from conductor.client.http.models.correlation_ids_search_request import CorrelationIdsSearchRequest
from conductor.client.http.models.start_workflow_request import IdempotencyStrategy
from conductor.client.http.rest import ApiException
from conductor.client.workflow.conductor_workflow import ConductorWorkflow
from conductor.client.workflow.task.http_task import HttpInput, HttpTask
from conductor.client.workflow.task.human_task import HumanTask
from conductor.client.workflow.task.set_variable_task import SetVariableTask
from conductor.client.workflow.task.switch_task import SwitchTask
from conductor.client.workflow.task.terminate_task import TerminateTask, WorkflowStatus
from conductor.client.workflow.task.wait_task import WaitForDurationTask

from offhook.kit import clock
from tests.workflows.conductor.clients import Conductor, Service, of, states, unique
from tests.workflows.definitions.shapes import Raw, end, http, switch, task

HUMAN = task("ask", "HUMAN")
AFTER = task("after", "INLINE", inputParameters={"evaluatorType": "javascript", "expression": "1 + 1"})


def refused(*statuses: int) -> Any:
    """The block is refused with one of these."""
    return _Refused(statuses)


class _Refused:
    def __init__(self, statuses: tuple[int, ...]) -> None:
        self._statuses, self._raises = statuses, pytest.raises(ApiException)

    def __enter__(self) -> Any:
        self.caught = self._raises.__enter__()
        return self.caught

    def __exit__(self, *error: Any) -> Any:
        passed = self._raises.__exit__(*error)
        assert self.caught.value.status in self._statuses, self.caught.value
        return passed


# Definitions


def test_a_definition_is_registered_read_and_taken_away(conductor: Conductor) -> None:
    name = conductor.register(HUMAN, description="first", metadata={"team": "a"}, inputParameters=["who"])
    found = conductor.metadata.get_workflow_def(name)
    assert (found.name, found.version, found.description) == (name, 1, "first")
    assert [one.task_reference_name for one in found.tasks] == ["ask"]
    assert found.input_parameters == ["who"]
    assert found.create_time > 1_600_000_000_000
    assert name in {one.name for one in conductor.metadata.get_all_workflow_defs()}
    conductor.metadata.unregister_workflow_def(name, 1)
    with refused(404):
        conductor.metadata.get_workflow_def(name)


def test_versions_stand_side_by_side_and_a_run_takes_the_latest(conductor: Conductor) -> None:
    name = conductor.register(HUMAN)
    conductor.register(task("other", "HUMAN"), name=name, version=2)
    assert conductor.metadata.get_workflow_def(name, version=1).version == 1
    assert conductor.metadata.get_workflow_def(name).version == 2
    latest, first = conductor.start(name), conductor.start(name, version=1)
    assert states(conductor.when(latest, lambda run: run.tasks)) == [("other", "IN_PROGRESS")]
    assert states(conductor.when(first, lambda run: run.tasks)) == [("ask", "IN_PROGRESS")]


def test_a_version_that_is_there_is_not_replaced_unless_that_is_said(conductor: Conductor) -> None:
    name = conductor.register(HUMAN)
    raw = {"name": name, "version": 1, "schemaVersion": 2, "ownerEmail": "a@b.example", "tasks": [AFTER]}
    with refused(409):
        conductor.metadata.register_workflow_def(raw, overwrite=False)
    conductor.metadata.update_workflow_def(raw)
    assert conductor.metadata.get_workflow_def(name).tasks[0].task_reference_name == "after"


def test_a_definition_that_breaks_rules_is_refused_with_what_it_breaks(conductor: Conductor) -> None:
    with refused(400) as caught:
        conductor.register(HUMAN, HUMAN)
    assert "ask" in str(caught.value.body)


def test_task_definitions_are_registered_changed_and_taken_away(conductor: Conductor) -> None:
    name = unique()
    raw = {"name": name, "retryCount": 2, "retryDelaySeconds": 1, "ownerEmail": "a@b.example", "timeoutSeconds": 0}
    conductor.metadata.register_task_def(raw)
    assert conductor.metadata.get_task_def(name).retry_count == 2
    conductor.metadata.update_task_def({**raw, "retryCount": 5})
    assert conductor.metadata.get_task_def(name).retry_count == 5
    assert name in {one.name for one in conductor.metadata.get_all_task_defs()}
    conductor.metadata.unregister_task_def(name)
    with refused(404):
        conductor.metadata.get_task_def(name)


def test_a_workflow_built_by_the_sdk_is_registered_and_run(conductor: Conductor, service: Service) -> None:
    built = ConductorWorkflow(conductor.executor, unique(), 1, "Built by the SDK.")
    built.owner_email("owner@example.com")
    call = HttpTask("call", HttpInput(uri=f"{service.url}/echo", method="POST", body={"n": "${workflow.input.n}"}))
    choice = SwitchTask("choose", "${workflow.input.kind}")
    choice.switch_case("bad", [TerminateTask("stop", WorkflowStatus.FAILED, "It was bad.")])
    choice.default_case([SetVariableTask("note").input_parameter("seen", call.output("response.body.body.n"))])
    built >> call >> choice >> WaitForDurationTask("rest", 1)
    built.output_parameters({"n": "${call.output.response.body.body.n}", "kept": "${workflow.variables.seen}"})
    built.register(overwrite=True)
    good = conductor.until(conductor.start(built.name, {"n": 7, "kind": "good"}))
    assert (good.status, good.output) == ("COMPLETED", {"n": 7, "kept": 7})
    bad = conductor.until(conductor.start(built.name, {"n": 7, "kind": "bad"}))
    assert (bad.status, bad.reason_for_incompletion) == ("FAILED", "It was bad.")


# Runs


def test_a_run_is_seen_with_its_tasks(conductor: Conductor, service: Service) -> None:
    name = conductor.register(
        http("call", uri=f"{service.url}/echo", method="POST", body={"a": "${workflow.input.a}"}),
        HUMAN,
        outputParameters={"a": "${call.output.response.body.body.a}", "said": "${ask.output.said}"},
    )
    id = conductor.workflows.start_workflow_by_name(name, {"a": 3}, version=1, correlationId="order-1")
    run = conductor.when(id, lambda run: len(run.tasks) == 2 and run.tasks[1].status == "IN_PROGRESS")
    assert (run.status, run.workflow_name, run.workflow_version) == ("RUNNING", name, 1)
    assert (run.workflow_id, run.correlation_id, run.input) == (id, "order-1", {"a": 3})
    call = of(run, "call")
    assert (call.task_type, call.status, call.retry_count, call.workflow_instance_id) == ("HTTP", "COMPLETED", 0, id)
    assert call.output_data["response"]["statusCode"] == 200
    assert call.output_data["response"]["body"]["body"] == {"a": 3}
    assert call.workflow_task.task_reference_name == "call"
    assert 0 < call.scheduled_time <= call.start_time <= call.end_time
    assert run.workflow_definition.name == name
    assert conductor.workflows.get_workflow(id, include_tasks=True).tasks
    assert conductor.workflows.get_workflow_status(id).status == "RUNNING"
    conductor.executor.update_task(of(run, "ask").task_id, id, {"said": "yes"}, "COMPLETED")
    run = conductor.until(id)
    assert (run.status, run.output) == ("COMPLETED", {"a": 3, "said": "yes"})
    assert run.end_time >= run.start_time > 0


def test_a_run_that_is_not_there(conductor: Conductor) -> None:
    for id in ("12345", "no-such-run"):
        with refused(404):
            conductor.workflows.get_workflow(id)
        with refused(404):
            conductor.workflows.pause_workflow(id)
    with refused(404):
        conductor.start(unique())


def test_executed_and_waited_for(ours: Conductor) -> None:
    name = ours.register(AFTER, outputParameters={"sum": "${after.output.result}"})
    run = ours.executor.execute(name, version=1, workflow_input={"x": 1}, wait_for_seconds=20, request_id="r-1")
    assert (run.status, run.output, run.input, run.request_id) == ("COMPLETED", {"sum": 2}, {"x": 1}, "r-1")
    name = ours.register(task("first", "NOOP"), HUMAN)
    begun = time.monotonic()
    run = ours.executor.execute(name, version=1, wait_until_task_ref="ask", wait_for_seconds=30)
    assert time.monotonic() - begun < 20
    assert (run.status, states(run)) == ("RUNNING", [("first", "COMPLETED"), ("ask", "IN_PROGRESS")])
    signalled = ours.executor.signal(run.workflow_id, "COMPLETED", {"said": 1})
    assert signalled.target_workflow_id == run.workflow_id
    assert ours.until(run.workflow_id).status == "COMPLETED"


def test_paused_and_resumed(conductor: Conductor) -> None:
    id = conductor.start(conductor.register(HUMAN, AFTER))
    conductor.when(id, lambda run: run.tasks)
    conductor.workflows.pause_workflow(id)
    assert conductor.until(id, "PAUSED").status == "PAUSED"
    conductor.tasks.update_task_by_ref_name(id, "ask", "COMPLETED", "ok")
    run = conductor.workflows.get_workflow(id)
    assert (run.status, states(run)) == ("PAUSED", [("ask", "COMPLETED")])
    assert run.tasks[0].output_data == {"result": "ok"}
    conductor.workflows.resume_workflow(id)
    assert conductor.until(id).status == "COMPLETED"
    with refused(409, 500):
        conductor.workflows.resume_workflow(id)
    with refused(409):
        conductor.workflows.pause_workflow(id)


def test_terminated(conductor: Conductor) -> None:
    id = conductor.start(conductor.register(HUMAN))
    conductor.when(id, lambda run: run.tasks)
    conductor.workflows.terminate_workflow(id, reason="Not wanted.")
    run = conductor.until(id)
    assert (run.status, run.reason_for_incompletion) == ("TERMINATED", "Not wanted.")
    assert states(run) == [("ask", "CANCELED")]
    conductor.workflows.delete_workflow(id)
    with refused(404):
        conductor.workflows.get_workflow(id)


def test_what_failed_is_tried_again_and_its_first_attempt_is_kept(conductor: Conductor, service: Service) -> None:
    flaky = f"/flaky/{unique()}/1"
    name = conductor.register(
        task("first", "SET_VARIABLE", inputParameters={"a": 1}), http("call", uri=f"{service.url}{flaky}")
    )
    id = conductor.start(name)
    run = conductor.until(id)
    assert (run.status, states(run)) == ("FAILED", [("first", "COMPLETED"), ("call", "FAILED")])
    assert run.failed_reference_task_names == {"call"}
    assert "503" in run.reason_for_incompletion
    conductor.workflows.retry_workflow(id)
    run = conductor.until(id, "COMPLETED")
    assert states(run) == [("first", "COMPLETED"), ("call", "FAILED"), ("call", "COMPLETED")]
    failed, done = run.tasks[1], run.tasks[2]
    assert (done.retried_task_id, failed.retried, done.retried) == (failed.task_id, True, False)
    assert service.asked[flaky] == 2


def test_tasks_are_repeated_by_their_task_definition(conductor: Conductor, service: Service) -> None:
    name, flaky = unique(), f"/flaky/{unique()}/2"
    conductor.metadata.register_task_def(
        {"name": name, "retryCount": 3, "retryDelaySeconds": 0, "timeoutSeconds": 0, "ownerEmail": "a@b.example"}
    )
    call = {**http("call", uri=f"{service.url}{flaky}"), "name": name}
    run = conductor.run(call)
    assert (run.status, states(run)) == ("COMPLETED", [("call", "FAILED"), ("call", "FAILED"), ("call", "COMPLETED")])
    assert [one.retry_count for one in run.tasks] == [0, 1, 2]
    assert of(run, "call").task_def_name == name


def test_restarted_with_the_same_id(conductor: Conductor) -> None:
    id = conductor.start(conductor.register(AFTER, HUMAN), {"a": 1})
    conductor.when(id, lambda run: len(run.tasks) == 2)
    with refused(409):
        conductor.workflows.restart_workflow(id)
    conductor.tasks.update_task_by_ref_name(id, "ask", "COMPLETED", 1)
    conductor.until(id)
    conductor.workflows.restart_workflow(id)
    run = conductor.when(id, lambda run: len(run.tasks) == 2 and run.status == "RUNNING")
    assert (states(run), run.input) == ([("after", "COMPLETED"), ("ask", "IN_PROGRESS")], {"a": 1})


def test_rerun_from_a_task_with_other_input(conductor: Conductor, service: Service) -> None:
    other = f"/echo/{unique()}"
    name = conductor.register(
        http("one", uri=f"{service.url}/echo"),
        http("two", uri=f"{service.url}${{workflow.input.path}}"),
        http("three", uri=f"{service.url}/echo"),
    )
    id = conductor.start(name, {"path": "/status/500"})
    run = conductor.until(id)
    assert run.status == "FAILED"
    first = of(run, "one").task_id
    again = RerunWorkflowRequest(
        re_run_from_task_id=of(run, "two").task_id, task_input={"uri": f"{service.url}{other}", "method": "GET"}
    )
    assert conductor.workflows.rerun_workflow(id, again) == id
    run = conductor.until(id, "COMPLETED")
    assert (of(run, "one").task_id, service.asked[other]) == (first, 1)
    assert of(run, "three").status == "COMPLETED"
    conductor.workflows.rerun_workflow(id, RerunWorkflowRequest(workflow_input={"path": "/echo"}))
    run = conductor.when(id, lambda run: run.status == "COMPLETED" and run.input == {"path": "/echo"})
    assert [one for one, _ in states(run)] == ["one", "two", "three"]


def test_a_task_is_skipped(conductor: Conductor) -> None:
    id = conductor.start(conductor.register(HUMAN, task("next", "HUMAN"), AFTER))
    conductor.when(id, lambda run: run.tasks)
    request = SkipTaskRequest(task_output={"by": "nobody"})
    conductor.workflows.skip_task_from_workflow(id, "next", request)
    conductor.tasks.update_task_by_ref_name(id, "ask", "COMPLETED", 1)
    run = conductor.until(id)
    assert (run.status, of(run, "next").status) == ("COMPLETED", "SKIPPED")
    if conductor.own:
        # A stock server does not read what its own SDK sends here.
        assert of(run, "next").output_data == {"by": "nobody"}


def test_a_task_that_waits_is_told_how_it_stands(conductor: Conductor) -> None:
    id = conductor.start(conductor.register(HUMAN, task("rest", "WAIT"), outputParameters={"all": "${ask.output}"}))
    ask = of(conductor.when(id, lambda run: run.tasks), "ask")
    assert conductor.tasks.get_task(ask.task_id).reference_task_name == "ask"
    progress = TaskResult(task_id=ask.task_id, workflow_instance_id=id, status="IN_PROGRESS", output_data={"half": 1})
    conductor.tasks.update_task(progress)
    seen = conductor.tasks.get_task(ask.task_id)
    assert (seen.status, seen.output_data) == ("IN_PROGRESS", {"half": 1})
    done = TaskResult(task_id=ask.task_id, workflow_instance_id=id, status="COMPLETED", output_data={"whole": 2})
    conductor.tasks.update_task(done)
    conductor.when(id, lambda run: len(run.tasks) == 2)
    # What is over stays as it is, and nobody is told off for saying it twice.
    again = TaskResult(task_id=ask.task_id, workflow_instance_id=id, status="FAILED", output_data={})
    conductor.tasks.update_task(again)
    assert conductor.tasks.get_task(ask.task_id).status == "COMPLETED"
    run = conductor.tasks.update_task_sync(id, "rest", "COMPLETED", {"a": 1})
    assert run.workflow_id == id
    assert conductor.until(id).output == {"all": {"whole": 2}}


def test_a_task_that_waits_fails(conductor: Conductor) -> None:
    id = conductor.start(conductor.register(HUMAN))
    ask = of(conductor.when(id, lambda run: run.tasks), "ask")
    conductor.tasks.update_task(
        TaskResult(
            task_id=ask.task_id,
            workflow_instance_id=id,
            status="FAILED_WITH_TERMINAL_ERROR",
            reason_for_incompletion="Nobody knew.",
        )
    )
    run = conductor.until(id)
    assert (run.status, of(run, "ask").status) == ("FAILED", "FAILED_WITH_TERMINAL_ERROR")
    assert of(run, "ask").reason_for_incompletion == "Nobody knew."
    with refused(404):
        conductor.tasks.update_task_by_ref_name(conductor.start(conductor.register(HUMAN)), "other", "COMPLETED", 1)


def test_runs_are_found(conductor: Conductor) -> None:
    name = conductor.register(switch("s", "${workflow.input.n}", a=[end("bad", "FAILED")], b=[HUMAN], default=[AFTER]))
    begun = int(clock.wall() * 1000) - 60_000
    ids = {n: conductor.start(name, {"n": n}, correlation_id=f"{name}-{n}") for n in ("a", "b", "c")}
    for n in "ac":
        conductor.until(ids[n])
    found = conductor.found(f"workflowType={name}", 3)
    assert {one.workflow_id for one in found} == set(ids.values())
    assert {one.status for one in found} == {"FAILED", "RUNNING", "COMPLETED"}
    [failed] = conductor.found(f'workflowType="{name}" AND status IN (FAILED,TIMED_OUT)', 1)
    assert (failed.workflow_id, failed.workflow_type, failed.version) == (ids["a"], name, 1)
    assert failed.correlation_id == f"{name}-a"
    conductor.found(f"workflowType IN ({name}) AND status=RUNNING AND startTime>{begun}", 1)
    conductor.found(f"workflowType={name} AND startTime<{begun}", 0)
    conductor.found(f"workflowType={name}", 2, size=2)
    conductor.found(f"workflowType={name}", 1, start=2, size=2)
    by_id = conductor.workflows.get_by_correlation_ids(name, [f"{name}-a", f"{name}-b"], include_completed=True)
    assert {key: [one.workflow_id for one in runs] for key, runs in by_id.items()} == {
        f"{name}-{n}": [ids[n]] for n in ("a", "b")
    }
    going = conductor.workflows.get_by_correlation_ids(name, [f"{name}-a", f"{name}-b"], include_tasks=True)
    assert [len(going.get(f"{name}-{n}", ())) for n in ("a", "b")] == [0, 1]
    assert going[f"{name}-b"][0].tasks
    assert conductor.workflows.workflowResourceApi.get_running_workflow(name) == [ids["b"]]


# What only this server does


def test_one_run_is_started_for_an_idempotency_key(ours: Conductor) -> None:
    name, key = ours.register(HUMAN), unique()

    def start(**more: Any) -> str:
        return ours.start(name, {"a": 1}, idempotency_key=key, **more)

    first = start()
    with refused(409) as caught:
        start()
    assert first in caught.value.message
    assert start(idempotency_strategy=IdempotencyStrategy.RETURN_EXISTING) == first
    run = ours.workflows.get_workflow(first)
    assert (run.idempotency_key, run.created_by) == (key, "first live key")


def test_runs_of_several_definitions_by_correlation_ids(ours: Conductor) -> None:
    names, about = [ours.register(HUMAN) for _ in range(2)], unique()
    ids = {ours.start(name, correlation_id=about) for name in names}
    batch = CorrelationIdsSearchRequest(correlation_ids=[about, "none"], workflow_names=names)
    found = ours.workflows.get_by_correlation_ids_in_batch(batch)
    assert {one.workflow_id for one in found[about]} == ids
    assert found["none"] == []


def test_a_definition_that_is_sent_along_is_run_unregistered(ours: Conductor) -> None:
    name = unique()
    raw: Raw = {"name": name, "version": 1, "tasks": [AFTER]}
    id = ours.workflows.start_workflow(StartWorkflowRequest(name=name, workflow_def=raw, input={}))
    assert ours.until(id).status == "COMPLETED"
    with refused(404):
        ours.metadata.get_workflow_def(name)


def test_workers_are_told_that_there_is_nothing_for_them(ours: Conductor) -> None:
    with refused(400) as caught:
        ours.register({"name": "work", "taskReferenceName": "work", "type": "SIMPLE"})
    assert "SIMPLE" in caught.value.message
    for poll in (ours.tasks.poll_task, ours.tasks.batch_poll_tasks):
        with refused(400) as caught:
            poll("work")
        assert "Nobody polls for tasks here" in caught.value.message
    with refused(501) as caught:
        ours.workflows.update_variables(ours.start(ours.register(HUMAN)), {"a": 1})
    assert "not built" in caught.value.message


def test_a_humans_task_of_the_sdk(ours: Conductor) -> None:
    built = ConductorWorkflow(ours.executor, unique(), 1)
    built >> HumanTask("approve", display_name="Approve it")
    built.register(overwrite=True)
    id = ours.start(built.name)
    ours.when(id, lambda run: run.tasks)
    ours.executor.update_task_by_ref_name({"ok": True}, id, "approve", "COMPLETED")
    assert of(ours.until(id), "approve").output_data == {"ok": True}


def test_a_key_that_is_not_valid(served: Any) -> None:
    server, _ = served
    with refused(401):
        Conductor(f"http://127.0.0.1:{server.port}/api", "ohk_live_wrong").register(HUMAN)
