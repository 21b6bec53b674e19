"""Definitions with one fault each: what is said, and where; and good ones, of which nothing is said."""

import copy
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.workflows.definitions import rules
from offhook.workflows.definitions.model import Policy, converted
from offhook.workflows.definitions.reading import read
from tests.workflows.definitions.shapes import GOOD, Raw, definition, end, fork, http, loop, nested, switch, task, wait

FIRST = "tasks[0]"
IN = f"{FIRST}.inputParameters"
A = http("a")


def _http(**request: Any) -> Raw:
    return definition(http("a", **request))


def _policy(**fields: Any) -> Raw:
    return definition({**A, "taskDefinition": fields})


SECRETLESS: list[tuple[str, Raw]] = [
    ("SET_VARIABLE", {}),
    ("HUMAN", {}),
    ("SUB_WORKFLOW", {"subWorkflowParam": {"name": "other"}}),
    ("DO_WHILE", {"loopCondition": "$.s.iteration < 3", "loopOver": [A]}),
    ("SWITCH", {"evaluatorType": "javascript", "expression": "$.x", "decisionCases": {"A": [A]}}),
]
"""Types of tasks that no secret is put into."""

FAULTS: list[tuple[Raw, str, str]] = [
    # The definition itself
    ({"tasks": [A]}, "name", "required"),
    ({"name": None, "tasks": [A]}, "name", "required"),
    ({"name": "", "tasks": [A]}, "name", "invalidParameter"),
    ({"name": "a\nb", "tasks": [A]}, "name", "invalidParameter"),
    ({"name": "a/b", "tasks": [A]}, "name", "invalidParameter"),
    ({"name": ".", "tasks": [A]}, "name", "invalidParameter"),
    ({"name": "..", "tasks": [A]}, "name", "invalidParameter"),
    (definition(task("l", "DO_WHILE", inputParameters={"items": [1]}, loopOver=[A])), f"{FIRST}.loopCondition",
     "required"),
    (definition(task("s", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "x", "version": "0"}})),
     f"{IN}.startWorkflow.version", "invalidParameter"),
    ({"name": "x"}, "tasks", "required"),
    ({"name": "x", "tasks": []}, "tasks", "required"),
    ({"name": "x", "tasks": {}}, "tasks", "invalidParameter"),
    ({"name": "x", "tasks": ["a"]}, FIRST, "invalidParameter"),
    (definition(A, schemaVersion=1), "schemaVersion", "invalidParameter"),
    (definition(A, version=0), "version", "invalidParameter"),
    (definition(A, version=True), "version", "invalidParameter"),
    (definition(A, timeoutSeconds=-1), "timeoutSeconds", "invalidParameter"),
    (definition(A, timeoutPolicy="RETRY"), "timeoutPolicy", "invalidParameter"),
    (definition(A, inputParameters=[1]), "inputParameters", "invalidParameter"),
    (definition(A, outputParameters=[]), "outputParameters", "invalidParameter"),
    (definition(A, restartable="yes"), "restartable", "invalidParameter"),
    (definition(A, failureWorkflow=5), "failureWorkflow", "invalidParameter"),
    (definition(A, outputParameters={"x": {"y": ["${b.output}"]}}), "outputParameters.x.y[0]", "unknownReference"),
    # Any task
    (definition({"taskReferenceName": "a", "type": "NOOP"}), f"{FIRST}.name", "required"),
    (definition({"name": "a", "type": "NOOP"}), f"{FIRST}.taskReferenceName", "required"),
    (definition({"name": "a", "taskReferenceName": " ", "type": "NOOP"}), f"{FIRST}.taskReferenceName",
     "invalidParameter"),
    (definition({"name": "a", "taskReferenceName": "a"}), f"{FIRST}.type", "unsupportedType"),
    (definition(task("a", "HTTPS")), f"{FIRST}.type", "unsupportedType"),
    (definition({**A, "type": 5}), f"{FIRST}.type", "invalidParameter"),
    (definition({**A, "inputParameters": []}), f"{FIRST}.inputParameters", "invalidParameter"),
    (definition({**A, "optional": "true"}), f"{FIRST}.optional", "invalidParameter"),
    (definition({**A, "startDelay": -5}), f"{FIRST}.startDelay", "invalidParameter"),
    (definition({**A, "startDelay": 1.5}), f"{FIRST}.startDelay", "invalidParameter"),
    (definition({**A, "retryCount": -1}), f"{FIRST}.retryCount", "invalidParameter"),
    (definition(A, A), "tasks[1].taskReferenceName", "duplicate"),
    (definition(A, switch("s", 1, X=[loop("l", A)])), "tasks[1].decisionCases.X[0].loopOver[0].taskReferenceName",
     "duplicate"),
    (definition(http("workflow")), f"{FIRST}.taskReferenceName", "reserved"),
    # Its policy
    (_policy(retryCount=-1), f"{FIRST}.taskDefinition.retryCount", "invalidParameter"),
    (_policy(retryLogic="EXPONENTIAL"), f"{FIRST}.taskDefinition.retryLogic", "invalidParameter"),
    (_policy(backoffScaleFactor=0), f"{FIRST}.taskDefinition.backoffScaleFactor", "invalidParameter"),
    (_policy(timeoutPolicy="NEVER"), f"{FIRST}.taskDefinition.timeoutPolicy", "invalidParameter"),
    (_policy(timeoutSeconds=10, responseTimeoutSeconds=20), f"{FIRST}.taskDefinition.responseTimeoutSeconds",
     "notTogether"),
    (definition({**A, "taskDefinition": "a"}), f"{FIRST}.taskDefinition", "invalidParameter"),
    # Expressions
    (_http(uri="https://api.example.com/${b.output.x}"), f"{IN}.uri", "unknownReference"),
    (_http(body={"x": [{"y": "${ workflow.input.a }"}]}), f"{IN}.body.x[0].y", "expressionWithSpaces"),
    (_http(uri="${get user.output.x}"), f"{IN}.uri", "expressionWithSpaces"),
    (_http(body="${a.${nobody.output.x}}"), f"{IN}.body", "unknownReference"),
    (_http(headers={"X-A": "${workflows.input.a}"}), f"{IN}.headers.X-A", "unknownReference"),
    (definition(switch("s", 1, BIG=[http("b", uri="${nobody.output.u}")])),
     f"{FIRST}.decisionCases.BIG[0].inputParameters.uri",
     "unknownReference"),
    # HTTP
    (definition(task("a", "HTTP", inputParameters={"method": "GET"})), f"{IN}.uri", "required"),
    (definition(task("a", "HTTP", inputParameters={"uri": "https://a.example.com"})), f"{IN}.method", "required"),
    (definition(task("a", "HTTP", inputParameters={"http_request": "x"})), f"{IN}.http_request", "invalidParameter"),
    (definition(nested("a", uri="")), f"{IN}.http_request.uri", "required"),
    (_http(uri="ftp://example.com"), f"{IN}.uri", "invalidParameter"),
    (_http(uri="api.example.com/x"), f"{IN}.uri", "invalidParameter"),
    (_http(uri="//api.example.com/${workflow.input.a}"), f"{IN}.uri", "invalidParameter"),
    (_http(uri="https://me:secret@example.com"), f"{IN}.uri", "invalidParameter"),
    (_http(uri=5), f"{IN}.uri", "invalidParameter"),
    (_http(method="FETCH"), f"{IN}.method", "invalidParameter"),
    (_http(method="get"), f"{IN}.method", "invalidParameter"),
    (_http(headers=["a"]), f"{IN}.headers", "invalidParameter"),
    (_http(headers={"bad name": "x"}), f"{IN}.headers.bad name", "invalidParameter"),
    (_http(headers={"X-A": {"b": 1}}), f"{IN}.headers.X-A", "invalidParameter"),
    (_http(headers={"X-A": "a\r\nX-B: c"}), f"{IN}.headers.X-A", "invalidParameter"),
    (_http(accept=5), f"{IN}.accept", "invalidParameter"),
    (_http(connectionTimeOut=-1), f"{IN}.connectionTimeOut", "invalidParameter"),
    (_http(readTimeOut="soon"), f"{IN}.readTimeOut", "invalidParameter"),
    (_http(acceptedStatusCodes=404), f"{IN}.acceptedStatusCodes", "invalidParameter"),
    (_http(acceptedStatusCodes=[200, "6xx"]), f"{IN}.acceptedStatusCodes[1]", "invalidParameter"),
    (_http(acceptedStatusCodes=["500-400"]), f"{IN}.acceptedStatusCodes[0]", "invalidParameter"),
    (_http(finalStatusCodes=[404, "6xx"]), f"{IN}.finalStatusCodes[1]", "invalidParameter"),
    (_http(credential=7), f"{IN}.credential", "invalidParameter"),
    (_http(retryAfter="no"), f"{IN}.retryAfter", "invalidParameter"),
    (_http(idempotencyKey="two words"), f"{IN}.idempotencyKey", "invalidParameter"),
    (_http(rateLimit=5), f"{IN}.rateLimit", "invalidParameter"),
    (_http(rateLimit={"requests": 5}), f"{IN}.rateLimit.seconds", "required"),
    (_http(hostConcurrency=0), f"{IN}.hostConcurrency", "invalidParameter"),
    (_http(followRedirects=1), f"{IN}.followRedirects", "invalidParameter"),
    (_http(maxBytes=10**12), f"{IN}.maxBytes", "invalidParameter"),
    (_http(pagination="next"), f"{IN}.pagination", "invalidParameter"),
    (_http(pagination={}), f"{IN}.pagination.kind", "required"),
    (_http(pagination={"kind": "nexturl"}), f"{IN}.pagination.kind", "invalidParameter"),
    (_http(pagination={"kind": ["page"]}), f"{IN}.pagination.kind", "invalidParameter"),
    (_http(pagination={"kind": "cursor", "next": "$.n"}), f"{IN}.pagination.parameter", "required"),
    (_http(pagination={"kind": "next_url", "next": "next"}), f"{IN}.pagination.next", "invalidParameter"),
    (_http(pagination={"kind": "link_header", "maxPages": 0}), f"{IN}.pagination.maxPages", "invalidParameter"),
    # Each type
    (definition(task("s", "SWITCH", decisionCases={"a": [A]}, expression="x")), f"{FIRST}.evaluatorType", "required"),
    (definition(task("s", "SWITCH", decisionCases={"a": [A]}, evaluatorType="javascript")), f"{FIRST}.expression",
     "required"),
    (definition(task("s", "SWITCH", decisionCases={"a": [A]}, evaluatorType="ruby", expression="x")),
     f"{FIRST}.evaluatorType",
     "invalidParameter"),
    (definition(switch("s", 1)), f"{FIRST}.decisionCases", "required"),
    (definition({**switch("s", 1), "decisionCases": {"a": A}}), f"{FIRST}.decisionCases.a", "invalidParameter"),
    (definition({**switch("s", 1), "decisionCases": [A]}), f"{FIRST}.decisionCases", "invalidParameter"),
    (definition(task("f", "FORK_JOIN"), task("j", "JOIN")), f"{FIRST}.forkTasks", "required"),
    (definition(task("f", "FORK_JOIN", forkTasks=[[A], 5]), task("j", "JOIN", joinOn=["a"])), f"{FIRST}.forkTasks[1]",
     "invalidParameter"),
    (definition(fork("f", [A])[0]), FIRST, "forkWithoutJoin"),
    (definition(A, http("b"), task("j", "JOIN", joinOn=["a"])), "tasks[2]", "joinWithoutFork"),
    (definition(task("j", "JOIN", joinOn=[])), FIRST, "joinWithoutFork"),
    (definition(*fork("f", [A], [http("b")], on=["a", "c"])), "tasks[1].joinOn[1]", "unknownReference"),
    (definition(fork("f", [A])[0], task("j", "JOIN", joinOn="a")), "tasks[1].joinOn", "invalidParameter"),
    (definition(task("d", "FORK_JOIN_DYNAMIC"), task("j", "JOIN")), FIRST, "required"),
    (definition(task("d", "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="t", inputParameters={"t": []}), task("j",
     "JOIN")),
     f"{FIRST}.dynamicForkTasksInputParamName", "required"),
    (definition(task("d", "FORK_JOIN_DYNAMIC", dynamicForkTasksParam="t", dynamicForkTasksInputParamName="i",
                     inputParameters={"t": []}), task("j", "JOIN")),
     f"{FIRST}.dynamicForkTasksInputParamName", "unknownParameter"),
    (definition(task("d", "FORK_JOIN_DYNAMIC", inputParameters={"forkTaskType": "HTTP"}), task("j", "JOIN")),
     f"{IN}.forkTaskInputs", "required"),
    (definition(task("d", "FORK_JOIN_DYNAMIC", inputParameters={"forkTaskType": "SIMPLE", "forkTaskInputs": []}),
                task("j", "JOIN")), f"{IN}.forkTaskType", "unsupportedType"),
    (definition(task("l", "DO_WHILE", loopCondition="$.l.iteration < 2")), f"{FIRST}.loopOver", "required"),
    (definition(task("l", "DO_WHILE", loopOver=[A])), f"{FIRST}.loopCondition", "required"),
    (definition({**loop("l", A), "evaluatorType": "bash"}), f"{FIRST}.evaluatorType", "invalidParameter"),
    (definition({**loop("l", A), "inputParameters": {"keepLastN": 0}}), f"{IN}.keepLastN", "invalidParameter"),
    (definition({**loop("l", A), "items": 5}), f"{FIRST}.items", "invalidParameter"),
    (definition(task("s", "SUB_WORKFLOW")), f"{FIRST}.subWorkflowParam", "required"),
    (definition(task("s", "SUB_WORKFLOW", subWorkflowParam={})), f"{FIRST}.subWorkflowParam.name", "required"),
    (definition(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "x", "version": "two"})),
     f"{FIRST}.subWorkflowParam.version", "invalidParameter"),
    (definition(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "x", "workflowDefinition": {"name": "x"}})),
     f"{FIRST}.subWorkflowParam.workflowDefinition.tasks", "required"),
    (definition(task("s", "SUB_WORKFLOW", subWorkflowParam={"workflowDefinition": definition(http("b", method="X"))})),
     f"{FIRST}.subWorkflowParam.workflowDefinition.{IN}.method", "invalidParameter"),
    (definition(task("s", "START_WORKFLOW")), f"{IN}.startWorkflow", "required"),
    (definition(task("s", "START_WORKFLOW", inputParameters={"startWorkflow": {"input": {}}})),
     f"{IN}.startWorkflow.name",
     "required"),
    (definition(task("s", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "x", "version": 0}})),
     f"{IN}.startWorkflow.version", "invalidParameter"),
    (definition(task("i", "INLINE", inputParameters={"expression": "1"})), f"{IN}.evaluatorType", "required"),
    (definition(task("i", "INLINE", inputParameters={"evaluatorType": "javascript"})), f"{IN}.expression", "required"),
    (definition(task("i", "INLINE", inputParameters={"evaluatorType": "python", "expression": "1"})),
     f"{IN}.evaluatorType",
     "invalidParameter"),
    (definition(task("q", "JSON_JQ_TRANSFORM", inputParameters={"a": 1})), f"{IN}.queryExpression", "required"),
    (definition(task("q", "JSON_JQ_TRANSFORM", inputParameters={"queryExpression": 5})), f"{IN}.queryExpression",
     "invalidParameter"),
    (definition(task("t", "TERMINATE")), f"{IN}.terminationStatus", "required"),
    (definition(end("t", "DONE")), f"{IN}.terminationStatus", "invalidParameter"),
    (definition(end("t", optional=True)), f"{FIRST}.optional", "notAllowed"),
    (definition(wait("w", duration="1m", until="2026-01-01 10:00 UTC")), IN, "notTogether"),
    (definition(wait("w", duration="a while")), f"{IN}.duration", "invalidParameter"),
    (definition(wait("w", duration=10)), f"{IN}.duration", "invalidParameter"),
    (definition(wait("w", until="tomorrow")), f"{IN}.until", "invalidParameter"),
    (definition(wait("w", until="2026-01-01 10:00 Mars/Base")), f"{IN}.until", "invalidParameter"),
]  # fmt: skip

UNSUPPORTED = [
    ("SIMPLE", "HUMAN"), ("DECISION", "SWITCH"), ("LAMBDA", "INLINE"), ("EXCLUSIVE_JOIN", "SWITCH"), ("DYNAMIC",
     "SWITCH"),
    ("EVENT", "START_WORKFLOW"), ("KAFKA_PUBLISH", "HTTP"), ("LLM_TEXT_COMPLETE", "HTTP"), ("HTTP_POLL", "DO_WHILE"),
    ("CALL_MCP_TOOL", "HTTP"), ("JDBC", "HTTP"), ("USER_DEFINED", "HTTP"), ("CANCEL_AGENT", "HTTP"),
]  # fmt: skip

SAID: list[tuple[Raw, str, str]] = [
    (definition(A, descripton="x"), "descripton", "unknown_field"),
    (definition({**A, "inputparameters": {}}), f"{FIRST}.inputparameters", "unknown_field"),
    (definition({**A, "sink": "x"}), f"{FIRST}.sink", "field_not_used"),
    (definition({**A, "joinOn": ["x"]}), f"{FIRST}.joinOn", "field_not_used"),
    (_policy(pollTimeoutSeconds=9), f"{FIRST}.taskDefinition.pollTimeoutSeconds", "field_not_used"),
    (_policy(rateLimitPerFrequency=9), f"{FIRST}.taskDefinition.rateLimitPerFrequency", "field_not_used"),
    (definition(A, failureWorkflowVersion=2), "failureWorkflowVersion", "field_not_used"),
    (definition(A, timeoutPolicy="TIME_OUT_WF", timeoutSeconds=0), "timeoutPolicy", "field_not_used"),
    (definition(http("a", uri="https://x.example.com/${b.output.x}"), http("b")), f"{IN}.uri", "reference_never_set"),
    (definition(switch("s", 1, X=[A], Y=[http("b", body="${a.output}")])),
     f"{FIRST}.decisionCases.Y[0].inputParameters.body", "reference_never_set"),
    (definition(*fork("f", [A], [http("b", body="${a.output}")])), f"{FIRST}.forkTasks[1][0].inputParameters.body",
     "reference_never_set"),
    (_http(body="${a.output.x}"), f"{IN}.body", "reference_never_set"),
    (_http(body="${workflow.inputs.x}"), f"{IN}.body", "unknown_path"),
    (definition(A, http("b", body="${a.outputs.x}")), "tasks[1].inputParameters.body", "unknown_path"),
    (_http(body="${workflow.variables.x}"), f"{IN}.body", "variable_never_set"),
    (definition(http("a", body="${workflow.input.b}"), inputParameters=["a"]), f"{IN}.body", "input_not_declared"),
    (_http(body="a ${workflow.input.b"), f"{IN}.body", "expression_not_closed"),
    (_http(body="${}"), f"{IN}.body", "expression_empty"),
    (definition(A, variables={"x": "${workflow.input.x}"}), "variables.x", "expression_not_filled"),
    (_http(headers={"Authorization": "Bearer abc"}), f"{IN}.headers.Authorization", "secret_in_definition"),
    (_http(headers={"X-API-Key": "abc"}), f"{IN}.headers.X-API-Key", "secret_in_definition"),
    (_http(uri="https://api.example.com/?apikey=abc"), f"{IN}.uri", "secret_in_definition"),
    (_http(credential="dialpad", headers={"Authorization": "${workflow.input.a}"}), f"{IN}.headers.Authorization",
     "credential_wins"),
    (_http(hedgingConfig={"maxAttempts": 2}), f"{IN}.hedgingConfig", "field_not_used"),
    (_http(acceptedStatusCode=[200]), f"{IN}.acceptedStatusCode", "unknown_field"),
    (definition(nested("a", methods="x")), f"{IN}.http_request.methods", "unknown_field"),
    (definition({**nested("a"), "inputParameters": {**nested("a")["inputParameters"], "body": 1}}), f"{IN}.body",
     "field_not_used"),
    (_http(rateLimit={"requests": 5, "seconds": 1, "per": "host"}), f"{IN}.rateLimit.per", "unknown_field"),
    (_http(method="POST", pagination={"kind": "link_header"}), f"{IN}.pagination", "pages_not_got"),
    (definition({**switch("s", 1, X=[A]), "expression": "valu"}), f"{FIRST}.expression", "switch_never_decides"),
    (definition({**switch("s", 1, X=[A]), "evaluatorType": "javascript", "expression": "$.valeu > 1"}),
     f"{FIRST}.expression", "condition_reads_unknown"),
    (definition({**loop("l", A), "loopCondition": "$.loop.iteration < 5"}), f"{FIRST}.loopCondition",
     "condition_reads_unknown"),
    (definition({**loop("l", A), "loopCondition": "true"}), f"{FIRST}.loopCondition", "endless_loop"),
    (definition(end("t"), A), "tasks[1]", "unreachable"),
    (definition(switch("s", 1, X=[end("x")], default=[end("y", "FAILED")]), A), "tasks[1]", "unreachable"),
    (definition(task("s", "SET_VARIABLE")), IN, "nothing_set"),
    (definition(*fork("f", [A, http("b")], on=["a"])), "tasks[1].joinOn[0]", "join_on_not_last"),
    (definition(*fork("f", [A], [http("b")], on=["a"])), "tasks[1].joinOn", "branch_not_joined"),
    (definition(*fork("f", [switch("s", 1, X=[A])], on=["a"])), "tasks[1].joinOn[0]", "join_on_case"),
    (definition(*fork("f", [switch("s", 1, X=[A])])), "tasks[1].joinOn[0]", "join_on_case"),
    (definition(*fork("f", [A], on=["a", "a"])), "tasks[1].joinOn[0]", "named_twice"),
    (definition(*fork("f", [A], [], on=["a"])), f"{FIRST}.forkTasks[1]", "empty_branch"),
    *((definition(task("s", kind, inputParameters={"x": "${workflow.secrets.T}"}, **more)), f"{IN}.x",
       "secret_not_put_in") for kind, more in SECRETLESS),
    (definition(A, outputParameters={"x": "a ${workflow.secrets.T}"}), "outputParameters.x", "secret_not_put_in"),
    (_http(contentType="${workflow.secrets.T}"), f"{IN}.contentType", "secret_not_put_in"),
    (definition(http("a.b")), f"{FIRST}.taskReferenceName", "name_not_addressable"),
    (definition(http("a__1")), f"{FIRST}.taskReferenceName", "name_like_iteration"),
]  # fmt: skip


def _named(cases: list[tuple[Raw, str, str]]) -> list[Any]:
    return [pytest.param(*case, id=f"{number}-{case[1]}-{case[2]}") for number, case in enumerate(cases)]


@pytest.mark.parametrize(("raw", "place", "code"), _named(FAULTS))
def test_a_fault_is_named_with_its_place(raw: Raw, place: str, code: str) -> None:
    found = rules.check(raw)
    assert (place, code) in [(one.location, one.reason) for one in found.violations]
    assert all(one.message.endswith(".") or "Did you mean" in one.message for one in found.violations)


@pytest.mark.parametrize(("raw", "place", "code"), _named(FAULTS))
def test_a_fault_is_not_said_to_be_another(raw: Raw, place: str, code: str) -> None:
    places = {one.location for one in rules.check(raw).violations}
    assert {one for one in places if not place.startswith(one) and not one.startswith(place)} == set()


@pytest.mark.parametrize(("raw", "place", "code"), _named(SAID))
def test_what_is_likely_not_meant_is_said_and_keeps_nothing_out(raw: Raw, place: str, code: str) -> None:
    found = rules.check(raw)
    assert [(one.field, one.code) for one in found.notices] == [(place, code)]
    assert found.good


@pytest.mark.parametrize(("kind", "instead"), UNSUPPORTED)
def test_a_type_that_is_not_run_is_refused_by_name_with_what_to_use(kind: str, instead: str) -> None:
    (fault,) = rules.check(definition(A, task("b", kind))).violations
    assert (fault.location, fault.reason, fault.sent) == ("tasks[1].type", "unsupportedType", kind)
    assert instead in fault.message.partition(kind)[2].partition("types are")[0]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_definition_gives_nothing_to_say(name: str) -> None:
    found = rules.check(GOOD[name])
    assert (found.violations, found.notices) == ([], [])
    assert read(GOOD[name]).definition == converted(GOOD[name])


def test_all_faults_are_found_at_once() -> None:
    raw = definition(http("a", uri="x", method="y"), http("a", body="${q.output}"), wait("w", duration="z"), version=-1)
    assert {one.location for one in rules.check(raw).violations} == {
        "version", f"{IN}.uri", f"{IN}.method", "tasks[1].taskReferenceName", "tasks[1].inputParameters.body",
        "tasks[2].inputParameters.duration",
    }  # fmt: skip


def test_a_fault_says_what_was_likely_meant() -> None:
    (fault,) = rules.check(definition(http("get_user"), http("b", body="${get_usr.output}"))).violations
    assert "Did you mean get_user?" in fault.message


def test_the_template_of_a_policy_completes_a_request() -> None:
    raw = definition(task("call", "HTTP"))
    policy = Policy(name="call", input_template={"http_request": {"uri": "https://a.example.com", "method": "GET"}})
    assert not rules.check(raw).good
    assert rules.check(raw, {"call": policy}).good


def test_a_secret_in_an_address_is_not_shown_again() -> None:
    (fault,) = rules.check(_http(uri="https://me:hunter2@example.com")).violations
    assert "hunter2" not in repr(fault)


def test_more_tasks_than_there_may_be_are_refused() -> None:
    raw = definition(*(task(f"t{number}", "NOOP") for number in range(2_001)))
    assert [(one.location, one.reason) for one in rules.check(raw).violations] == [("tasks", "tooManyTasks")]
    raw["tasks"].pop()
    assert rules.check(raw).good


def test_hostile_definitions_take_a_bounded_time() -> None:
    began = time.process_time()
    rules.check(definition(http("a", body="${" * 300_000)))
    rules.check(definition(http("a", body=[f"${{name_{number}.output}}" for number in range(40_000)])))
    rules.check(definition(http("a", body="${jsonata:" * 90_000)))
    rules.check(definition(*(http(f"t{n}", body=f"${{t{n - 1}.output}}") for n in range(1, 2_000))))
    rules.check(definition(http("a", body={"k" * 400_000: ["${q.output}"] * 40_000})))
    rules.check(
        definition(*({**task(f"t{n}", "NOOP"), **{f"inputParametr{k}": 1 for k in range(20)}} for n in range(2_000)))
    )
    assert time.process_time() - began < 10


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "HTTP", "SWITCH", "${a.output}", "${workflow.input.x}", "${", "javascript"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "name", "uri", "kind"]), inner,
                                                                  max_size=2),
    max_leaves=5,
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> Raw:
    """A good definition in which some values are replaced by anything."""
    raw = copy.deepcopy(GOOD[draw(st.sampled_from(sorted(GOOD)))])
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = raw
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = draw(st.sampled_from(keys))
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 4)) == 0:
                holder[key] = draw(VALUES)
                break
            holder = inner
    return raw


@settings(max_examples=300, deadline=None)
@given(spoiled())
def test_whatever_stands_in_a_definition_is_refused_or_read_and_never_an_exception(raw: Raw) -> None:
    if rules.check(raw).good:
        converted(raw)


def test_a_join_without_names_waits_for_all_branches_and_nothing_is_said() -> None:
    branches = fork("f", [A], [http("b")])[0]
    assert rules.check(definition(branches, task("j", "JOIN"))).notices == []
    assert rules.check(definition(branches, task("j", "JOIN", joinOn=[]))).notices == []


def test_secrets_of_branches_that_a_fork_writes_out_are_put_in_so_that_nothing_is_said() -> None:
    one = {"uri": "https://a.example/${workflow.secrets.T}", "method": "POST", "body": {"x": "${workflow.secrets.T}"}}
    fan = task("f", "FORK_JOIN_DYNAMIC", inputParameters={"forkTaskType": "HTTP", "forkTaskInputs": [one]})
    assert rules.check(definition(fan, task("j", "JOIN"))).notices == []


def test_a_policy_that_stands_in_a_task_may_have_a_name_with_a_slash_but_none_that_is_registered() -> None:
    assert rules.check(_policy(name="a/b")).good
    assert not rules.check_policy({"name": "a/b"}).good


def test_the_version_of_a_workflow_that_is_started_may_be_a_text() -> None:
    start = {"startWorkflow": {"name": "x", "version": "2"}}
    assert rules.check(definition(task("s", "START_WORKFLOW", inputParameters=start))).good
