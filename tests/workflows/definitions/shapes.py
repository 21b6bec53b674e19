"""Definitions to test with: small ones put together from tasks, and good ones of the usual shapes."""

from typing import Any

Raw = dict[str, Any]


def task(ref: str, kind: str, **fields: Any) -> Raw:
    """A task whose name is its reference."""
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def http(ref: str, **request: Any) -> Raw:
    """An HTTP task that gets something, in the flat form."""
    return task(ref, "HTTP", inputParameters={"uri": f"https://api.example.com/{ref}", "method": "GET", **request})


def nested(ref: str, **request: Any) -> Raw:
    """The same in the nested form."""
    flat = {"uri": f"https://api.example.com/{ref}", "method": "GET", **request}
    return task(ref, "HTTP", inputParameters={"http_request": flat})


def switch(ref: str, value: Any, **cases: list[Raw]) -> Raw:
    """A SWITCH over a value; `default` is its default case."""
    default = cases.pop("default", [])
    return task(
        ref,
        "SWITCH",
        evaluatorType="value-param",
        expression="value",
        inputParameters={"value": value},
        decisionCases=cases,
        defaultCase=default,
    )


def fork(ref: str, *branches: list[Raw], on: list[str] | None = None) -> list[Raw]:
    """A fork with its join."""
    names = [branch[-1]["taskReferenceName"] for branch in branches] if on is None else on
    return [task(ref, "FORK_JOIN", forkTasks=list(branches)), task(f"{ref}_join", "JOIN", joinOn=names)]


def loop(ref: str, *tasks: Raw, times: int = 3) -> Raw:
    """A DO_WHILE of a number of iterations."""
    condition = f"if ($.{ref}['iteration'] < {times}) {{ true; }} else {{ false; }}"
    return task(ref, "DO_WHILE", loopCondition=condition, loopOver=list(tasks))


def wait(ref: str, **inputs: Any) -> Raw:
    """A WAIT."""
    return task(ref, "WAIT", inputParameters=inputs)


def end(ref: str, status: str = "COMPLETED", **fields: Any) -> Raw:
    """A TERMINATE."""
    return task(ref, "TERMINATE", inputParameters={"terminationStatus": status}, **fields)


def definition(*tasks: Raw, **fields: Any) -> Raw:
    """A definition of these tasks."""
    return {"name": "test", "version": 1, "schemaVersion": 2, "tasks": list(tasks), **fields}


GOOD: dict[str, Raw] = {
    "a chain of calls": definition(
        http("get_user", uri="https://api.example.com/users/${workflow.input.user_id}"),
        nested(
            "greet",
            method="POST",
            headers={"X-Request-Source": "workflow"},
            body={"to": "${get_user.output.response.body.email}", "n": 3},
        ),
        inputParameters=["user_id"],
        outputParameters={"status": "${greet.output.response.statusCode}"},
        ownerEmail="owner@example.com",
        timeoutPolicy="TIME_OUT_WF",
        timeoutSeconds=3600,
    ),
    "a branch by a value": definition(
        switch(
            "by_size", "${workflow.input.size}", BIG=[http("big")], SMALL=[http("small"), http("small_2")],
            default=[end("unknown", "FAILED")],
        ),
        outputParameters={"big": "${big.output.response.body}", "case": "${by_size.output.selectedCase}"},
    ),
    "a branch by a script": definition(
        http("first"),
        task(
            "decide",
            "SWITCH",
            evaluatorType="javascript",
            expression="$.code >= 400 ? 'bad' : 'good'",
            inputParameters={"code": "${first.output.response.statusCode}"},
            decisionCases={"bad": [end("stop", "FAILED", description="Stops here.")]},
            defaultCase=[],
        ),
        http("last"),
    ),
    "two branches at once": definition(
        *fork("both", [http("left")], [http("right"), http("right_2")]),
        task(
            "merge",
            "JSON_JQ_TRANSFORM",
            inputParameters={
                "a": "${left.output.response.body.items}",
                "b": "${right_2.output.response.body.items}",
                "queryExpression": ".a + .b",
            },
        ),
        outputParameters={"all": "${merge.output.result}", "joined": "${both_join.output}"},
    ),
    "a fork of which a branch ends in a switch": definition(
        *fork("f", [switch("s", "${workflow.input.x}", A=[http("a")]), task("s_end", "NOOP")], [http("b")]),
    ),
    "a fork in a fork": definition(
        *fork("outer", [http("x"), *fork("inner", [http("y")], [http("z")])], [http("w")], on=["inner_join", "w"]),
    ),
    "a fork as wide as a list": definition(
        task("plan", "INLINE", inputParameters={
            "evaluatorType": "graaljs", "expression": "(function () { return {tasks: [], inputs: {}}; })();",
        }),
        task(
            "fan",
            "FORK_JOIN_DYNAMIC",
            inputParameters={"tasks": "${plan.output.result.tasks}", "inputs": "${plan.output.result.inputs}"},
            dynamicForkTasksParam="tasks",
            dynamicForkTasksInputParamName="inputs",
        ),
        task("fan_join", "JOIN"),
    ),
    "the same call for each of a list": definition(
        task(
            "fan",
            "FORK_JOIN_DYNAMIC",
            inputParameters={"forkTaskType": "HTTP", "forkTaskInputs": "${workflow.input.requests}"},
        ),
        task("fan_join", "JOIN", joinOn=[]),
    ),
    "polling until it is done": definition(
        task(
            "poll",
            "DO_WHILE",
            inputParameters={"most": "${workflow.input.most}"},
            loopCondition="$.state.response.body.done != true && $.poll.iteration < $.most",
            loopOver=[http("state"), wait("pause", duration="10 seconds")],
        ),
        outputParameters={"done": "${state.output.response.body.done}", "times": "${poll.output.iteration}"},
    ),
    "a loop that carries on from what it did before": definition(
        loop("pages", http("page", uri="https://api.example.com/p?cursor=${page.output.response.body.next}")),
    ),
    "for each of a list": definition(
        task("each", "DO_WHILE", items="${workflow.input.names}", loopOver=[
            http("send", uri="https://api.example.com/${each.output.loopItem}"),
        ]),
    ),
    "a variable, set and read": definition(
        task("keep", "SET_VARIABLE", inputParameters={"count": "${workflow.input.count}"}),
        http("use", uri="https://api.example.com/?n=${workflow.variables.count}&k=${workflow.variables.kind}"),
        variables={"kind": "a"},
    ),
    "a sub-workflow and one that is only started": definition(
        task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "other", "version": 2}, inputParameters={"a": 1}),
        task("start", "START_WORKFLOW", inputParameters={
            "startWorkflow": {"name": "third", "version": 1, "input": {"id": "${sub.output.id}"}, "correlationId": "c"},
        }),
    ),
    "a workflow written out within a task": definition(
        task("sub", "SUB_WORKFLOW", subWorkflowParam={
            "name": "inner",
            "workflowDefinition": definition(http("sub"), outputParameters={"x": "${sub.output.response}"}),
        }),
    ),
    "an expression in JSONata": definition(
        http("a"), http("b", body={"x": "${jsonata:{'n': $count(a.output.response.body.items[kind = '}'])}}"}),
    ),
    "waiting for people and for times": definition(
        task("ask", "HUMAN", inputParameters={"question": "${workflow.input.question}"}),
        wait("until", until="2026-12-24 18:00 Europe/Lisbon"),
        wait("pause", duration="1 days 2 hours 3m 10s"),
        wait("later", until="${ask.output.when}"),
        wait("outside"),
        task("nothing", "NOOP"),
    ),
    "attempts, limits and secrets": definition(
        {
            **http(
                "call",
                headers={"Authorization": "Bearer ${workflow.secrets.TOKEN}"},
                acceptedStatusCodes=[200, "4xx", "500-503"],
                finalStatusCodes=[505],
                retryAfter=True,
                idempotencyKey="X-Request-Id",
                rateLimit={"requests": 10, "seconds": 1},
                hostConcurrency=4,
                followRedirects=False,
                maxBytes=1_000_000,
                connectionTimeOut=1000,
                readTimeOut="5000",
                pagination={"kind": "cursor", "next": "$.next", "parameter": "cursor", "items": "$.i", "maxPages": 9},
            ),
            "taskDefinition": {
                "name": "call",
                "retryCount": 5,
                "retryLogic": "EXPONENTIAL_BACKOFF",
                "retryDelaySeconds": 2,
                "maxRetryDelaySeconds": 60,
                "backoffJitterMs": 500,
                "timeoutSeconds": 120,
                "responseTimeoutSeconds": 30,
                "timeoutPolicy": "RETRY",
            },
            "optional": True,
        },
    ),
    "as a server gives it back, with every field": {
        **definition({
            **http("a"),
            "decisionCases": {}, "defaultCase": [], "forkTasks": [], "startDelay": 0, "joinOn": [], "optional": False,
            "defaultExclusiveJoinTask": [], "asyncComplete": False, "loopOver": [], "onStateChange": {},
            "permissive": False, "sink": None, "rateLimited": None, "cacheConfig": None,
        }),
        "createTime": 1, "updateTime": 2, "ownerApp": "", "inputTemplate": {}, "enforceSchema": True,
        "workflowStatusListenerEnabled": False, "failureWorkflow": "", "metadata": {"a": {"b": None}},
    },
}  # fmt: skip
"""Definitions of which nothing is to be said."""
GOOD["as a server gives it back, with every field"].pop("enforceSchema")
