"""Runs of workflows, by the API: started, followed, searched, and what can be done to them."""

import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from offhook.cli import workflow_files as files
from offhook.cli.apis import brief, clean, line_of
from offhook.cli.common import AsJson, emit, err, facts, following, say, table, warn
from offhook.cli.lines import V1
from offhook.cli.way import Way, again, by_api, run
from offhook.cli.workflow_progress import RUNS, STYLES, Progress, followed
from offhook.client import Client, Refused, body_of
from offhook.kit.errors import NotFound, Refusal, shown
from offhook.workflows.definitions.inputs import inputs_missing

INTERRUPTED = 130


class Engine(Enum):
    """Where runs are carried out."""

    embedded = "embedded"
    conductor = "conductor"


_PAGE = 100
_MOST_NAMED = 12
_MEND = "register it (offhook workflow register FILE), or run its file (offhook workflow run FILE)"
_SCRIPTS = ("INLINE", "JSON_JQ_TRANSFORM", "SWITCH", "DO_WHILE")
_CAUSE = 80
"""Characters of a cause in a list of runs; `status` shows the whole."""

Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input", "-i", help="A value of the input; JSON where it is JSON, else text. Repeat it.", metavar="NAME=VALUE"
    ),
]
InputFile = Annotated[
    Path | None, typer.Option("--input-file", help="The input, as JSON or YAML; - reads it.", metavar="FILE")
]
Version = Annotated[int | None, typer.Option("--version", help="Which version; else the latest.", min=1)]
Correlation = Annotated[
    str | None, typer.Option("--correlation", help="Your own name for what this is about.", metavar="ID")
]
Once = Annotated[str | None, typer.Option("--idempotency-key", help="Start one run only with this key.", metavar="KEY")]
Where = Annotated[
    Engine,
    typer.Option("--engine", help="conductor is the Conductor server that conductor_url names.", metavar="ENGINE"),
]
RunId = Annotated[str, typer.Argument(help="The run's id.", metavar="ID")]
Ref = Annotated[str, typer.Argument(help="The task's reference name.", metavar="REF")]
What = Annotated[str, typer.Argument(help="A file of a definition, or the name of a registered one.")]
Output = Annotated[
    str | None, typer.Option("--output", help="Its output: a JSON object, or @FILE.", metavar="JSON|@FILE")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


def _one(id: str) -> str:
    return f"{RUNS}/{quote(id, safe='')}"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (
        ("run", run_it), ("start", start), ("status", status), ("runs", runs), ("attempts", attempts),
        ("pause", pause), ("resume", resume), ("terminate", terminate), ("retry", retry), ("restart", restart),
        ("rerun", rerun), ("skip", skip), ("complete", complete),
    ):  # fmt: skip
        app.command(name)(command)


# Starting


@by_api
def run_it(
    way: Way,
    what: What,
    inputs: Input = None,
    input_file: InputFile = None,
    version: Version = None,
    correlation: Correlation = None,
    once: Once = None,
    engine: Where = Engine.embedded,
    as_json: AsJson = False,
) -> None:
    """Run a workflow and follow it to its end: a line a task as it changes, then its output.

    Of a file nothing is registered here. Without a server it goes on in this process, or on the Conductor server.
    Ctrl-C leaves it going. Ends with 0 if it completed, with 1 if not.
    """
    body, source = _asked(what, inputs, input_file, version, correlation, engine)
    begun: list[Any] = []

    async def work(client: Client) -> Any:
        made = await _started(client, body, source, once)
        begun.append(made)
        text = f"Run {made['id']} of {line_of(made['workflow'])}, version {made['version']}{_there(made)}."
        say(text, "bold", to=err)
        done = await followed(client, made["id"], Progress(again(way)))
        undoing = done.get("failure_run_id")
        if undoing and not client.follows:
            # Nobody else would take it on.
            say(f"Its failure workflow, run {undoing}.", "bold", to=err)
            await followed(client, undoing, Progress(again(way)))
        return done

    _end(way, _until_left(way, begun, lambda: run(way, work, takes_on=True)), as_json=as_json)


@by_api
def start(
    way: Way,
    what: What,
    inputs: Input = None,
    input_file: InputFile = None,
    version: Version = None,
    correlation: Correlation = None,
    once: Once = None,
    engine: Where = Engine.embedded,
    as_json: AsJson = False,
) -> None:
    """Start a workflow and leave it to the server: it is on disk when this ends."""
    body, source = _asked(what, inputs, input_file, version, correlation, engine)
    made = run(way, lambda client: _started(client, body, source, once))
    if as_json:
        emit(made)
        return
    say(
        f"Run {made['id']} of {line_of(made['workflow'])}, version {made['version']}, is started{_there(made)}.",
        "green bold",
    )
    steps = [f"offhook workflow status {made['id']} --watch{again(way)}   follows it"]
    if not way.url and made["engine"] == "embedded":
        steps.append("offhook serve   takes it on, if no server runs over this store")
    following(*steps)


def _asked(
    what: str,
    inputs: list[str] | None,
    input_file: Path | None,
    version: int | None,
    correlation: str | None,
    engine: Engine,
) -> tuple[dict[str, Any], files.Source | None]:
    body: dict[str, Any] = {"input": files.given(inputs, input_file)}
    if correlation is not None:
        body["correlation_id"] = correlation
    if engine is not Engine.embedded:
        body["engine"] = engine.value
    if not files.is_file(what):
        return {**body, "workflow": what} | ({"version": version} if version is not None else {}), None
    if version is not None:
        raise Refusal("A file is of the version that it says; --version goes with the name of a registered one.")
    source = files.read(Path(what))
    return {**body, "definition": source.value}, source


async def _started(client: Client, body: dict[str, Any], source: files.Source | None, key: str | None) -> Any:
    await _say_missing(client, body)
    try:
        answer = await client.call("POST", RUNS, body=body_of(body), idempotency_key=key)
    except Refused as refused:
        if source is not None:
            raise source.mended(refused) from None
        if refused.code == NotFound.status:
            text = f"{refused.message.rstrip('.')}; {_MEND}."
            raise Refused(refused.code, text, list(refused.violations), refused.document, refused.retry_after) from None
        raise
    warn(answer.notices)
    if answer.replayed:
        say("It was started with this key before.", "yellow", to=err)
    return answer.document


async def _say_missing(client: Client, body: dict[str, Any]) -> None:
    """Name the inputs that the definition reads and that are not given, before it is started without them."""
    raw = body.get("definition")
    if raw is None:
        query = {"version": str(body["version"])} if "version" in body else {}
        try:
            path = f"{V1}/workflows/definitions/{quote(body['workflow'], safe='')}"
            raw = (await client.call("GET", path, query=query)).document["definition"]
        except Refused:
            # What is wrong, the start says.
            return
    missing = [line_of(name) for name in inputs_missing(raw, body["input"])]
    if missing:
        named = ", ".join(missing[:_MOST_NAMED])
        named += f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        it = "it was" if len(missing) == 1 else "they were"
        text = f"Tasks read {named}, which {it} not given: null stands there. --input {missing[0]}=VALUE gives it."
        say(text, "yellow", to=err)


def _there(found: Any) -> str:
    return " on the Conductor server" if found["engine"] == "conductor" else ""


def _until_left(way: Way, begun: list[Any], follow: Callable[[], Any]) -> Any:
    """What `follow` gives; at Ctrl-C it is said where the run is."""
    try:
        return follow()
    except KeyboardInterrupt:
        if not begun:
            raise
        say(to=err)
        going = "goes on in the server" if way.url else "waits for a server over this store, which takes it on"
        if _there(begun[0]):
            going = f"goes on{_there(begun[0])}"
        say(f"Left. Run {begun[0]['id']} {going}.", "yellow bold", to=err)
        following(*_left(way, begun[0]))
        raise typer.Exit(INTERRUPTED) from None


def _left(way: Way, found: Any) -> list[str]:
    id, options = found["id"], again(way)
    steps = [
        f"offhook workflow status {id} --watch{options}   follows it again",
        f"offhook workflow terminate {id}{options}   ends it",
    ]
    return steps if way.url or _there(found) else ["offhook serve   takes it on", *steps]


def _end(way: Way, done: Any, *, as_json: bool) -> None:
    """How a run ended, as status, words and output."""
    good = done["status"] == "COMPLETED"
    if as_json:
        emit(done)
    else:
        _say_ended(done)
        if done.get("output") is not None:
            print_json(done["output"])
        if not good:
            attempts = f"offhook workflow attempts {done['id']}{again(way)}   shows every attempt with its cause"
            following(attempts, *_mends(way, done))
    if not good:
        raise typer.Exit(1)


def _say_ended(done: Any) -> None:
    took = f" after {done['seconds']:,.2f} s" if "seconds" in done else ""
    reason = f" {line_of(done['reason'])}" if done.get("reason") else ""
    say(f"{done['status']}{took}.{reason}", f"{STYLES[done['status']]} bold", to=err)
    if done.get("failure_run_id"):
        say(f"Its failure workflow is run {done['failure_run_id']}.", to=err)


def pretty(value: Any) -> str:
    """A value as JSON for people."""
    return clean(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()) + "\n"


def print_json(value: Any) -> None:
    """The same on standard output."""
    sys.stdout.write(pretty(value))
    sys.stdout.flush()


# Seeing


@by_api
def status(
    way: Way,
    id: RunId,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end, as run does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a run with its tasks. With --watch it ends with 0 if the run completed, with 1 if not."""
    if watch:
        begun: list[Any] = []
        done = _until_left(way, begun, lambda: run(way, lambda one: _watched(way, one, id, begun)))
        _end(way, done, as_json=as_json)
        return
    found = run(way, lambda client: _get(client, id))
    if as_json:
        emit(found)
        return
    _show(way, found)


async def _watched(way: Way, client: Client, id: str, begun: list[Any]) -> Any:
    found = await _get(client, id)
    begun.append(found)
    if not found.get("ended_at") and not client.follows and not _there(found):
        say("It is watched; it goes on if a server runs over this store.", "yellow", to=err)
    return await followed(client, found["id"], Progress(again(way)))


async def _get(client: Client, id: str) -> Any:
    return (await client.call("GET", _one(id))).document


def _show(way: Way, found: Any) -> None:
    rows = [
        ("run", f"{found['id']}{_there(found)}"),
        ("workflow", f"{line_of(found['workflow'])}, version {found['version']}"),
        ("status", found["status"]),
        ("started", _moment(found["started_at"])),
    ]
    if found.get("ended_at"):
        rows.append(("ended", f"{_moment(found['ended_at'])}, {found.get('seconds', 0):,.2f} s after its start"))
    for name, label in (
        ("reason", "reason"), ("correlation_id", "correlation"), ("started_by", "started by"), ("parent_id", "parent"),
        ("failure_run_id", "failure run"), ("restarts", "restarts"),
    ):  # fmt: skip
        if found.get(name):
            rows.append((label, line_of(str(found[name]))))
    facts(rows)
    tasks = found.get("tasks", [])
    if tasks:
        say()
        table(("TASK", "TYPE", "STATUS", "ATTEMPT", "SECONDS", "CAUSE"), [_row(one) for one in tasks])
    if found.get("more"):
        say(f"{found['more']:,} tasks more; those that are open or failed are shown before others.", "dim", to=err)
    following(*_steps(way, found))


def _row(one: Any) -> tuple[str, ...]:
    waits = "waits for somebody" if one.get("waits_for_you") else ""
    due = f"until {_moment(one['due_at'])}" if one.get("due_at") else ""
    return (
        line_of(one["key"]), one["type"], one["status"], _number(one), _took(one),
        brief(one.get("reason", ""), _CAUSE) or waits or due,
    )  # fmt: skip


def _number(one: Any) -> str:
    """Which attempt by the task's policy it is; the first of those after a retry or a rerun begins anew."""
    number = one.get("attempt", 0) + 1
    return f"{number}, again" if number == 1 and one.get("repeats") else str(number)


def _took(one: Any) -> str:
    if not one.get("started_at") or not one.get("ended_at"):
        return ""
    return (
        f"{(datetime.fromisoformat(one['ended_at']) - datetime.fromisoformat(one['started_at'])).total_seconds():.3f}"
    )


def _moment(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")


def _steps(way: Way, found: Any) -> list[str]:
    id, options = found["id"], again(way)
    steps = [
        f"offhook workflow complete {id} {shlex.quote(line_of(one['key']))}{options}   says how that task ended"
        for one in found.get("tasks", [])
        if one.get("waits_for_you")
    ][:2]
    if found["status"] == "PAUSED":
        steps.append(f"offhook workflow resume {id}{options}   goes on with it")
    elif not found.get("ended_at"):
        steps.append(f"offhook workflow status {id} --watch{options}   follows it")
    elif found["status"] != "COMPLETED":
        steps += _mends(way, found)
    steps.append(f"offhook workflow attempts {id}{options}   shows every attempt")
    return steps


def _mends(way: Way, found: Any) -> list[str]:
    """What may help a run that did not end well: a retry, unless it would come to the same."""
    options = again(way)
    tasks = found.get("tasks", [])
    failed = next((one for one in tasks if one["id"] == found.get("failed_task")), None)
    if any(one["type"] == "TERMINATE" for one in tasks):
        return [f"offhook workflow restart {found['id']}{options}   begins it anew: its definition ended it so"]
    if failed and failed["type"] in _SCRIPTS and failed["status"] == "FAILED_WITH_TERMINAL_ERROR":
        return [f"offhook workflow register FILE --new-version{options}   keeps its script once that is mended"]
    return [f"offhook workflow retry {found['id']}{options}   tries again what it failed with"]


@by_api
def runs(
    way: Way,
    workflow: Annotated[str | None, typer.Option("--workflow", help="Of this definition.", metavar="NAME")] = None,
    version: Annotated[int | None, typer.Option("--version", help="Of this version of it.", min=1)] = None,
    state: Annotated[
        str | None, typer.Option("--status", help="FAILED, or several: FAILED,TIMED_OUT.", metavar="STATUS")
    ] = None,
    correlation: Correlation = None,
    parent: Annotated[
        str | None, typer.Option("--parent", help="Started by this run, which waits for them.", metavar="ID")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Started at or after, as 2026-11-26T08:00:00Z.", metavar="MOMENT")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Started before.", metavar="MOMENT")] = None,
    engine: Where = Engine.embedded,
    limit: Annotated[int, typer.Option("--limit", help="At most so many.", min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the latest first."""
    given = {
        "workflow": workflow, "version": version, "status": state, "correlation_id": correlation, "parent_id": parent,
        "since": since, "until": until,
    }  # fmt: skip
    query = {name: str(value) for name, value in given.items() if value is not None}
    if engine is not Engine.embedded:
        query["engine"] = engine.value

    async def work(client: Client) -> tuple[list[Any], bool]:
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            asked = {**query, **cursor, "limit": str(min(_PAGE, limit - len(found)))}
            answer = await client.patiently(lambda: client.call("GET", RUNS, query=asked))  # noqa: B023
            page = answer.document
            if not cursor:
                warn(answer.notices)
            found += page["items"]
            if "cursor" not in page or len(found) >= limit:
                return found, "cursor" in page
            cursor = {"cursor": page["cursor"]}

    found, more = run(way, work)
    if as_json:
        emit({"items": found, "more": more})
        return
    if not found:
        say("There is no such run.", "bold", to=err)
        following(f"offhook workflow run NAME{again(way)}   starts one and follows it")
        return
    table(
        ("ID", "WORKFLOW", "VERSION", "STATUS", "STARTED", "SECONDS", "CAUSE"),
        [
            (
                one["id"], line_of(one["workflow"]), str(one["version"]), one["status"], _moment(one["started_at"]),
                f"{one['seconds']:.3f}" if "seconds" in one else "", brief(one.get("reason", ""), _CAUSE),
            )
            for one in found
        ],
    )  # fmt: skip
    if more:
        say("There are more; --limit shows them, and other options choose.", "dim", to=err)
    following(f"offhook workflow status {found[0]['id']}{again(way)}   shows the first with its tasks")


@by_api
def attempts(
    way: Way,
    id: RunId,
    task: Annotated[
        str | None,
        typer.Option("--task", help="Only of this task, with what each took and gave.", metavar="REF"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every attempt of a run's tasks, with times and cause; --task shows input and output too."""

    async def work(client: Client) -> list[Any]:
        found: list[Any] = []
        after = 0
        while True:
            query = {"after": str(after), "limit": "200"}
            page = (
                await client.patiently(lambda: client.call("GET", f"{_one(id)}/attempts", query=query))  # noqa: B023
            ).document
            found += page["items"] if task is not None or as_json else map(_without_values, page["items"])
            if "after" not in page:
                return found
            after = page["after"]

    found = run(way, work)
    if task is not None:
        found = [one for one in found if task in (one["reference_name"], one["key"])]
        if not found:
            raise Refusal(f"The run has no attempt of a task {shown(task)}.")
    if as_json:
        emit({"items": found})
        return
    table(
        ("NUMBER", "TASK", "TYPE", "STATUS", "ATTEMPT", "STARTED", "SECONDS", "CAUSE"),
        [
            (
                str(one["number"]), *_row(one)[:4], _moment(one.get("started_at", "")), *_row(one)[4:],
            )
            for one in found
        ],
    )  # fmt: skip
    if task is not None:
        for one in found:
            say()
            if one.get("reason"):
                say(f"{one['number']}  {line_of(one['key'])}: why it ended so", "bold")
                say(line_of(one["reason"]))
            say(f"{one['number']}  {line_of(one['key'])}: what it took", "bold")
            print_json(one.get("input"))
            say(f"{one['number']}  {line_of(one['key'])}: what it gave", "bold")
            print_json(one.get("output"))
    elif found:
        last = shlex.quote(line_of(found[-1]["key"]))
        following(f"offhook workflow attempts {id} --task {last}{again(way)}   shows input, output and the whole cause")


def _without_values(one: Any) -> Any:
    return {name: value for name, value in one.items() if name not in ("input", "output")}


# Changing


def _change(way: Way, id: str, path: str, body: Any, *, as_json: bool) -> None:
    """Ask for a change of a run, and say how it stands then."""

    async def work(client: Client) -> Any:
        return (await client.call("POST", f"{_one(id)}/{path}", body=_body(body))).document

    _changed(way, run(way, work), as_json=as_json)


def _body(body: Any) -> bytes | None:
    return None if body is None else body_of(body)


def _changed(way: Way, found: Any, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    reason = f" {line_of(found['reason'])}" if found.get("reason") else ""
    say(f"Run {found['id']} is {found['status']}.{reason}", f"{STYLES[found['status']]} bold")
    steps = _steps(way, found)
    if not way.url and found["status"] == "RUNNING" and not _there(found):
        steps.append("offhook serve   takes it on, if no server runs over this store")
    following(*steps)


@by_api
def pause(way: Way, id: RunId, as_json: AsJson = False) -> None:
    """Begin nothing new in a run; what is under way ends."""
    _change(way, id, "pause", None, as_json=as_json)


@by_api
def resume(way: Way, id: RunId, as_json: AsJson = False) -> None:
    """Go on with a run that is paused."""
    _change(way, id, "resume", None, as_json=as_json)


@by_api
def terminate(way: Way, id: RunId, reason: Reason = "", as_json: AsJson = False) -> None:
    """End a run; what it waits for is given up."""
    _change(way, id, "terminate", {"reason": reason}, as_json=as_json)


@by_api
def retry(way: Way, id: RunId, as_json: AsJson = False) -> None:
    """Try again what a run failed with; what was done well is not done again."""
    _change(way, id, "retry", None, as_json=as_json)


@by_api
def restart(way: Way, id: RunId, as_json: AsJson = False) -> None:
    """Begin a run that is over anew, with the same id and input."""
    _change(way, id, "restart", None, as_json=as_json)


@by_api
def rerun(
    way: Way,
    id: RunId,
    from_: Annotated[
        str | None, typer.Option("--from", help="The task to go on from; else the beginning.", metavar="REF")
    ] = None,
    task_input: Annotated[
        str | None,
        typer.Option("--task-input", help="What that task takes instead: a JSON object, or @FILE.", metavar="JSON"),
    ] = None,
    inputs: Input = None,
    input_file: InputFile = None,
    as_json: AsJson = False,
) -> None:
    """Do a run that is over again from one of its tasks, as if that had not been done yet."""
    if task_input is not None and from_ is None:
        raise Refusal("--task-input is what the task of --from takes; name it.")
    body: dict[str, Any] = {}
    if inputs or input_file is not None:
        body["input"] = files.given(inputs, input_file)
    if task_input is not None:
        body["task_input"] = files.object_of(task_input, "--task-input")

    async def work(client: Client) -> Any:
        if from_ is not None:
            body["task_id"] = _task(await _get(client, id), from_)["id"]
        return (await client.call("POST", f"{_one(id)}/rerun", body=body_of(body))).document

    _changed(way, run(way, work), as_json=as_json)


@by_api
def skip(way: Way, id: RunId, ref: Ref, output: Output = None, as_json: AsJson = False) -> None:
    """Leave a task out that is open, or that the run has not come to yet."""
    _change(way, id, f"skip/{quote(ref, safe='')}", {"output": files.object_of(output, "--output")}, as_json=as_json)


@by_api
def complete(
    way: Way,
    id: RunId,
    ref: Ref,
    output: Output = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="It failed: it is tried again as its policy says, else fails the run.")
    ] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Say how a task ended that waits for somebody: HUMAN, WAIT, or HTTP with asyncComplete."""
    body = {
        "status": "FAILED" if failed else "COMPLETED",
        "output": files.object_of(output, "--output"),
        "reason": reason,
    }

    async def work(client: Client) -> Any:
        task = _task(await _get(client, id), ref)
        path = f"{_one(id)}/tasks/{task['id']}/complete"
        return (await client.call("POST", path, body=body_of(body))).document

    _changed(way, run(way, work), as_json=as_json)


def _task(found: Any, ref: str) -> Any:
    """The latest attempt of the task that `ref` names, by its key or its reference name; one that waits first."""
    tasks = found.get("tasks", [])
    same = [one for one in tasks if one["key"] == ref] or [one for one in tasks if one["reference_name"] == ref]
    if same:
        return max(same, key=lambda one: (bool(one.get("waits_for_you")), one["number"]))
    waiting = [one["key"] for one in tasks if one.get("waits_for_you")]
    known = waiting or [one["key"] for one in tasks]
    names = ", ".join(line_of(one) for one in known[:10]) or "none"
    what = "These wait for somebody" if waiting else "It came to these"
    raise Refusal(f"The run has come to no task {shown(ref)}. {what}: {names}.")
