"""Definitions of the seed page's workflow product, compiled: what each part becomes, and that the same tasks run."""

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from offhook.kit.errors import Invalid
from offhook.workflows.definitions import rules
from offhook.workflows.definitions.imports.simworkflow import Imported, imported

Raw = dict[str, Any]


def simple(follows: str = "", **fields: Any) -> Raw:
    """A user task."""
    return {"type": "Simple", **({"nextTask": follows} if follows else {"end": True}), **fields}


def call(follows: str = "", url: str = "https://api.example.com/x", **fields: Any) -> Raw:
    """An HTTP task."""
    request = {"url": url, "method": "GET", **fields.pop("request", {})}
    return {"type": "Http", "httpRequest": request, **({"nextTask": follows} if follows else {"end": True}), **fields}


def decide(default: str, *choices: tuple[str, str]) -> Raw:
    """A decision."""
    return {
        "type": "Decision",
        "choices": [{"condition": condition, "nextTask": target} for condition, target in choices],
        "defaultTask": default,
    }


def flow(start: str, tasks: Raw, **fields: Any) -> Raw:
    """A definition."""
    return {"name": "Flow", "startTask": start, "tasks": tasks, **fields}


def _good(raw: Raw) -> Imported:
    made = imported(raw)
    assert made.sound, made.missing
    return made


def _tasks(made: Imported) -> list[str]:
    return [f"{one['type']} {one['taskReferenceName']}" for one in made.raw["tasks"]]


def test_a_chain_becomes_a_chain_with_names_that_expressions_can_say() -> None:
    made = _good(flow("Create Office", {
        "Create Office": call("Tell them", inputParameters={"name": "${workflow.input.officeName}"}, request={
            "url": "https://dialpad.com/api/v2/offices?dry=${name}", "method": "POST",
            "headers": {"Content-Type": "application/json"}, "body": {"name": "${name}", "n": 2},
        }),
        "Tell them": simple(inputParameters={"id": "${['Create Office'].output.body.id}"}),
    }))  # fmt: skip
    assert _tasks(made) == ["HTTP Create_Office", "HUMAN Tell_them"]
    first, second = made.raw["tasks"]
    request = first["inputParameters"]["http_request"]
    assert request["uri"] == "https://dialpad.com/api/v2/offices?dry=${workflow.input.officeName}"
    assert request["body"] == {"name": "${workflow.input.officeName}", "n": 2}
    assert (request["connectionTimeOut"], request["readTimeOut"]) == (5_000, 10_000)
    assert second["inputParameters"] == {"id": "${Create_Office.output.response.body.id}"}
    assert made.names == {"Create Office": ("Create_Office",), "Tell them": ("Tell_them",)}
    assert made.missing == ()


def test_ways_that_meet_again_go_on_behind_the_switch() -> None:
    made = _good(flow("ask", {
        "ask": simple("which"), "which": decide("c", ("$.value >= 20", "a"), ("$.value < 3", "b")),
        "a": simple("last"), "b": simple("last"), "c": simple("last"), "last": simple(),
    }))  # fmt: skip
    assert _tasks(made) == ["HUMAN ask", "SWITCH which", "HUMAN last"]
    switch = made.raw["tasks"][1]
    assert {case: [one["name"] for one in tasks] for case, tasks in switch["decisionCases"].items()} == {
        "choice_1": ["a"], "choice_2": ["b"],
    }  # fmt: skip
    assert [one["name"] for one in switch["defaultCase"]] == ["c"]
    assert switch["inputParameters"] == {"before": "${ask.output}"}
    assert "$.value >= 20" in switch["expression"]


def test_ways_that_do_not_meet_are_written_out_and_said() -> None:
    made = _good(flow("d", {
        "d": decide("e", ("$.x", "a")), "a": simple("b"), "e": decide("b", ("$.y", "z")), "b": simple(), "z": simple(),
    }))  # fmt: skip
    assert made.names["b"] == ("b", "b_2")
    assert any("written out for each" in one.text for one in made.translated)


def test_polling_becomes_a_loop() -> None:
    made = _good(flow("poll", {
        "poll": call("done"), "done": decide("pause", ("$.body.state == 'done'", "ok"), ("$.body.failed", "bad")),
        "pause": {"type": "Wait", "seconds": 30, "nextTask": "poll"},
        "ok": {"type": "Terminate", "terminationStatus": "Completed", "workflowOutput": {"x": "${poll.output.body}"}},
        "bad": {"type": "Terminate", "terminationStatus": "Failed"},
    }))  # fmt: skip
    assert _tasks(made) == ["DO_WHILE poll_loop", "SWITCH done_left"]
    loop, left = made.raw["tasks"]
    assert [one["taskReferenceName"] for one in loop["loopOver"]] == ["poll", "done", "done_stay"]
    assert "otherwise" in loop["loopCondition"]
    assert loop["loopOver"][2]["decisionCases"]["otherwise"][0]["inputParameters"] == {"duration": "30 seconds"}
    assert left["decisionCases"]["choice_1"][0]["inputParameters"] == {
        "terminationStatus": "COMPLETED", "workflowOutput": {"x": "${poll.output.response.body}"},
    }  # fmt: skip


def test_a_cycle_that_is_no_loop_has_no_equal() -> None:
    made = imported(flow("a", {"a": simple("b"), "b": simple("a")}))
    assert made.sound
    assert "leads back" in made.missing[0].why
    assert made.raw["tasks"][-1]["type"] == "TERMINATE"


def test_branches_become_a_fork_and_a_terminate_ends_only_its_own() -> None:
    ends = {"type": "Terminate", "terminationStatus": "Completed", "workflowOutput": {"n": "${workflow.input.n}"}}
    made = _good(flow("p", {
        "p": {"type": "Parallel", "nextTask": "last", "branches": [
            {"startTask": "left", "tasks": {"left": call("Join Task"), "Join Task": ends}},
            {"startTask": "d", "tasks": {"d": decide("y", ("$.a", "x")), "x": simple(), "y": simple()}},
        ]},
        "last": simple(inputParameters={"n": "${['Join Task'].output.n}", "x": "${x.output.k}"}),
    }))  # fmt: skip
    assert _tasks(made) == ["FORK_JOIN p", "JOIN p_join", "HUMAN last"]
    fork, join, last = made.raw["tasks"]
    assert [one["type"] for one in fork["forkTasks"][0]] == ["HTTP", "JSON_JQ_TRANSFORM"]
    assert [one["type"] for one in fork["forkTasks"][1]] == ["SWITCH", "NOOP"]
    assert join["joinOn"] == ["Join_Task", "p_end"]
    assert last["inputParameters"] == {"n": "${Join_Task.output.result.n}", "x": "${x.output.k}"}


def _mapped(**fields: Any) -> Raw:
    send = call("", inputParameters={
        "to": "${swf:item.phone}", "number": "${swf:itemIndex}", "from": "${workflow.input.from}",
        "text": "${first.output.text}",
    }, url="https://api.example.com/${to}?n=${number}&t=${text}")  # fmt: skip
    processor = {"startTask": "send", "tasks": {"send": send}}
    each = {"type": "Map", "itemsExpression": "${people}", "itemProcessor": processor, "end": True, **fields}
    each["inputParameters"] = {"people": "${workflow.input.people}"}
    return flow("first", {"first": simple("each"), "each": each})


def test_a_map_one_after_another_becomes_a_loop_over_items() -> None:
    made = _good(_mapped(maxConcurrency=1))
    loop = made.raw["tasks"][1]
    assert (loop["type"], loop["items"]) == ("DO_WHILE", "${workflow.input.people}")
    uri = loop["loopOver"][0]["inputParameters"]["http_request"]["uri"]
    assert uri == (
        "https://api.example.com/${each.output.loopItem.phone}?n=${each.output.loopIndex}&t=${first.output.text}"
    )


def test_a_map_at_once_becomes_a_fork_that_hands_on_what_is_read() -> None:
    made = _good(_mapped())
    assert _tasks(made)[1:] == ["JSON_JQ_TRANSFORM each_items", "FORK_JOIN_DYNAMIC each", "JOIN each_join"]
    items, fork = made.raw["tasks"][1:3]
    (inner,) = made.others
    assert fork["inputParameters"]["forkTaskWorkflow"] == inner["name"]
    assert items["inputParameters"]["shared"] == {
        "parent": "${workflow.input}", "tasks": {"first": {"input": "${first.input}", "output": "${first.output}"}},
    }  # fmt: skip
    inputs = inner["tasks"][0]["inputParameters"]
    assert inputs["from"] == "${workflow.input.parent.from}"
    assert inputs["text"] == "${workflow.input.tasks.first.output.text}"
    assert inputs["http_request"]["uri"].startswith("https://api.example.com/${workflow.input.item.phone}?n=")


def test_jsonata_is_evaluated_by_a_task_before() -> None:
    raw = flow("a", {"a": call("b"), "b": call(
        inputParameters={"m": "${a.output.body}"}, url="https://api.example.com/?${jsonata:$encodeUrl(`m`.text & '}')}",
    )})  # fmt: skip
    made = _good(raw)
    assert _tasks(made) == ["HTTP a", "INLINE b_value", "HTTP b"]
    assert made.raw["tasks"][1]["inputParameters"] == {
        "m": "${a.output.response.body}", "evaluatorType": "jsonata", "expression": "$encodeUrl(`m`.text & '}')",
    }  # fmt: skip
    uri = made.raw["tasks"][2]["inputParameters"]["http_request"]["uri"]
    assert uri == "https://api.example.com/?${b_value.output.result}"


def test_attempts_credentials_times_and_failure_are_translated_or_said() -> None:
    made = _good(flow("a", {
        "a": call("w", credentials="7AbC", retry={"intervalSeconds": 1, "maxAttempts": 3, "backoffRate": 2.0},
                  connectionTimeoutSeconds=2),
        "w": {"type": "Wait", "timestampExpression": "${workflow.input.when}", "end": True},
    }, timeoutSeconds=60, failureWorkflow="5xyz", maxConcurrentWorkflows=3))  # fmt: skip
    first, wait = made.raw["tasks"]
    policy = first["taskDefinition"]
    assert (policy["retryCount"], policy["retryDelaySeconds"], policy["retryLogic"]) == (3, 1, "EXPONENTIAL_BACKOFF")
    assert first["inputParameters"]["http_request"]["credential"] == "7AbC"
    assert first["inputParameters"]["http_request"]["connectionTimeOut"] == 2_000
    assert wait["inputParameters"] == {"until": "${workflow.input.when}"}
    assert (made.raw["timeoutSeconds"], made.raw["timeoutPolicy"]) == (60, "TIME_OUT_WF")
    assert {one.place for one in made.missing} == {
        "tasks['a'].credentials", "failureWorkflow", "maxConcurrentWorkflows",
    }  # fmt: skip


@pytest.mark.parametrize(("expression", "word"), [
    ("${nothing.x}", "called so"), ("${swf:sequenceNumber}", "swf:sequenceNumber"), ("${later.output.x}", "by then"),
    ("${workflow.input['a b']}", "spaces"), ("${first.status}", "input and output"),
])  # fmt: skip
def test_an_expression_without_an_equal_is_said_with_its_place(expression: str, word: str) -> None:
    raw = flow(
        "first", {"first": simple("a"), "a": simple("later", inputParameters={"k": expression}), "later": simple()}
    )
    (missing,) = _good(raw).missing
    assert missing.place == "tasks['a'].inputParameters.k"
    assert word in missing.why


@pytest.mark.parametrize(("raw", "place"), [
    ({"name": "x"}, "tasks"),
    (flow("b", {"a": simple()}), "startTask"),
    (flow("a", {"a": {"type": "Script"}}), "tasks['a'].type"),
    (flow("a", {"a": {"type": "Simple"}}), "tasks['a']"),
    (flow("a", {"a": simple("q")}), "tasks['a'].nextTask"),
    (flow("a", {"a": decide("q", ("x", "a"))}), "tasks['a'].defaultTask"),
    (flow("a", {"a": decide("a")}), "tasks['a'].choices"),
    (flow("a", {"a": {"type": "Http", "end": True}}), "tasks['a'].httpRequest.url"),
    (flow("a", {"a": {"type": "Wait", "end": True, "seconds": 1, "timestamp": "x"}}), "tasks['a']"),
    (flow("a", {"a": {"type": "Terminate"}}), "tasks['a'].terminationStatus"),
    (flow("a", {"a": {"type": "Parallel", "branches": [{"startTask": "a", "tasks": {"a": simple()}}], "end": True}}),
     "tasks['a'].branches[0].tasks['a']"),
])  # fmt: skip
def test_what_is_no_such_definition_is_refused_with_its_place(raw: Raw, place: str) -> None:
    with pytest.raises(Invalid) as caught:
        imported(raw)
    assert place in [one.location for one in caught.value.violations]


# The same tasks run, whatever is decided


def _asked(told: list[int], name: str, visits: Counter[str], task: Raw) -> str:
    targets = [one["nextTask"] for one in task["choices"]] + [task["defaultTask"]]
    visits[name] += 1
    return str(targets[told[(len(name) * 7 + ord(name[-1]) + visits[name] * 3) % len(told)] % len(targets)])


def _before(raw: Raw, told: list[int], most: int) -> list[str]:
    """The tasks that run by the routes, decisions left out."""
    trace: list[str] = []
    visits: Counter[str] = Counter()
    name = raw["startTask"]
    while name and sum(visits.values()) + len(trace) < most:
        task = raw["tasks"][name]
        if task["type"] == "Decision":
            name = _asked(told, name, visits, task)
        else:
            trace.append(name)
            name = task.get("nextTask", "")
    return trace


class _Full(Exception):
    pass


def _after(raw: Raw, made: Imported, told: list[int], most: int) -> list[str]:
    """The tasks that run in what was compiled."""
    trace: list[str] = []
    visits: Counter[str] = Counter()
    results: dict[str, str] = {}

    def case_of(name: str) -> str:
        task = raw["tasks"][name]
        target = _asked(told, name, visits, task)
        if target == task["defaultTask"]:
            return "otherwise"
        others = [one["nextTask"] for one in task["choices"] if one["nextTask"] != task["defaultTask"]]
        return f"choice_{list(dict.fromkeys(others)).index(target) + 1}"

    def run(tasks: list[Raw]) -> None:
        for task in tasks:
            if sum(visits.values()) + len(trace) >= most:
                raise _Full
            kind, ref = task["type"], task["taskReferenceName"]
            if kind == "SWITCH":
                decided = task["inputParameters"].get("case", "")
                case = results[decided[2:].partition(".")[0]] if decided else case_of(task["name"])
                run(task["decisionCases"].get(case, task["defaultCase"]))
            elif kind == "INLINE":
                results[ref] = case_of(task["name"])
            elif kind == "DO_WHILE":
                while True:
                    run(task["loopOver"])
                    decider = task["loopCondition"].partition("$.")[2].partition("[")[0]
                    if json.dumps(results[decider]) not in task["loopCondition"]:
                        break
            else:
                trace.append(task["name"])

    with suppress(_Full):
        run(made.raw["tasks"])
    return trace


@st.composite
def graphs(draw: st.DrawFn) -> Raw:
    """Any graph of up to nine tasks, a third of them decisions."""
    names = [f"t{number}" for number in range(draw(st.integers(2, 9)))]
    forward = draw(st.booleans())
    tasks: Raw = {}
    for number, name in enumerate(names):
        rest = names[number + 1 :] if forward else names
        pick = st.sampled_from(rest or names)
        kind = draw(st.sampled_from(["simple", "simple", "decision", "end"]))
        if kind == "end" or not rest:
            tasks[name] = simple()
        elif kind == "decision":
            tasks[name] = decide(draw(pick), *[("$.x", draw(pick)) for _ in range(draw(st.integers(1, 2)))])
        else:
            tasks[name] = simple(names[number + 1] if number + 1 < len(names) and draw(st.booleans()) else draw(pick))
    return flow("t0", tasks)


@settings(max_examples=400, deadline=None)
@given(graphs(), st.lists(st.integers(0, 5), min_size=5, max_size=9))
def test_the_same_tasks_run_in_the_same_order(raw: Raw, told: list[int]) -> None:
    made = imported(raw)
    assert made.sound or made.missing
    if any("leads back" in one.why or "fit" in one.why for one in made.missing):
        event("no equal")
        return
    assert rules.check(made.raw).good
    if '"DO_WHILE"' in json.dumps(made.raw):
        event("loop")
    before, after = _before(raw, told, 60), _after(raw, made, told, 60)
    shorter = min(len(before), len(after))
    assert before[:shorter] == after[:shorter]
    assert len(before) == len(after) or shorter > 20


def test_many_ways_that_never_meet_are_bounded() -> None:
    tasks: Raw = {}
    for number in range(60):
        tasks[f"d{number}"] = decide(f"d{number + 1}", ("$.x", f"a{number}"))
        tasks[f"a{number}"] = decide(f"d{number + 1}", ("$.x", f"e{number}"))
        tasks[f"e{number}"] = simple()
    tasks["d60"] = simple()
    made = imported(flow("d0", tasks))
    assert any("too many" in one.why for one in made.missing)
