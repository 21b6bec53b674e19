"""Triggers, by the API: workflows that are started by what happens, as the event log has it."""

import json
import shlex
from typing import Annotated, Any, Literal

import typer

from offhook.cli import workflow_files as files
from offhook.cli import workflow_starting as starting
from offhook.cli.apis import line_of
from offhook.cli.common import AsJson, emit, err, facts, following, say, table, warn, when
from offhook.cli.lines import V1
from offhook.cli.way import DryRun, Way, again, by_api, run
from offhook.cli.workflow_runs import print_json
from offhook.cli.workflow_starting import Kind
from offhook.client import Client
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Start workflows by events: office.created, user.*, and the like.")

KIND = Kind(
    "trigger",
    "triggers",
    f"{V1}/workflows/triggers",
    (
        "name", "workflow", "version", "events", "where", "expression", "language", "not_by", "input",
        "most_per_minute", "paused",
    ),
    clearable=("version", "where", "expression", "not_by", "input"),
)  # fmt: skip
_TOLD = tuple(f"workflow_trigger.{word}" for word in ("fired", "failed", "stopped"))
_EXAMPLE = "Example: offhook workflow triggers "

_EVENT = "Which events: office.created, all of a subject (user.*), or *; repeat it."
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", help="A field of the event and the value that it must have, as after.office.country=pt; repeat it.",
        metavar="FIELD=VALUE",
    ),
]  # fmt: skip
Expression = Annotated[
    str | None, typer.Option("--expression", help="A further condition; it sees $.event.", metavar="SCRIPT")
]
Language = Annotated[
    Literal["javascript", "jsonata"] | None,
    typer.Option("--language", help="What the expression is written in; of a new one javascript."),
]
NotBy = Annotated[
    list[str] | None,
    typer.Option("--not-by", help="A key whose changes start nothing: one that the workflow uses; repeat it."),
]
Most = Annotated[
    int | None,
    typer.Option("--most-per-minute", help="More starts in a minute stop it; of a new one 600.", min=1),
]


@app.command("list", epilog=_EXAMPLE + "list --workflow welcome")
@by_api
def list_triggers(way: Way, workflow: starting.OfWorkflow = None, as_json: AsJson = False) -> None:
    """List the triggers, each with what became of it last."""
    items = starting.listed(way, KIND, workflow)
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("Nothing is started by events.", "bold", to=err)
        following(f"offhook workflow triggers add NAME --workflow WORKFLOW --event office.created{again(way)}")
        return
    table(
        ("NAME", "WORKFLOW", "EVENTS", "STATE", "LAST"),
        [
            (line_of(one["name"]), starting.starts(one), line_of(", ".join(one["events"])), _state(one),
             starting.last(one))
            for one in items
        ],
    )  # fmt: skip
    following(KIND.step("show", items[0]["name"], way, "shows the first, and what it passed over"))


def _state(one: Any) -> str:
    return "stopped" if one.get("stopped") else "paused" if one["paused"] else "active"


@app.command(epilog=_EXAMPLE + "add hello -w welcome --event office.created --where after.office.country=pt")
@by_api
def add(
    way: Way,
    name: starting.New,
    workflow: starting.Starts,
    event: Annotated[list[str], typer.Option("--event", help=_EVENT, metavar="EVENT")],
    where: Where = None,
    expression: Expression = None,
    language: Language = None,
    not_by: NotBy = None,
    version: starting.Version = None,
    inputs: starting.Input = None,
    input_file: starting.InputFile = None,
    most_per_minute: Most = None,
    paused: starting.Paused = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Start a workflow for each event from now on that fits. Its input may say ${event.subject_id} and the like."""
    body = {
        "name": name, "workflow": workflow, "version": version, "events": event, "where": _where(where),
        "expression": expression, "language": language, "not_by": not_by or None,
        "input": starting.given(inputs, input_file), "most_per_minute": most_per_minute, "paused": paused or None,
    }  # fmt: skip
    answer = starting.create(way, KIND, body, dry_run=dry_run)
    made = answer.document["result"] if dry_run else answer.document
    if as_json:
        emit(starting.answered(answer))
        return
    done = "would be kept; nothing was" if dry_run else "is kept"
    looks = "It starts nothing: it is paused" if made["paused"] else f"It starts {starting.starts(made)} from now on"
    say(f"The trigger {line_of(made['name'])} {done}. {looks}.", "green bold")
    warn(answer.notices)
    if dry_run:
        following("the same without --dry-run   keeps it")
    else:
        following(
            KIND.step("show", name, way, "shows what it has started, and what it passed over"), *starting.serving(way)
        )


def _where(pairs: list[str] | None) -> dict[str, Any] | None:
    if not pairs:
        return None
    found = {}
    for pair in pairs:
        field, equals, text = pair.partition("=")
        if not equals or not field.strip():
            raise Refusal(f"--where is written as FIELD=VALUE; {shown(pair)} is not.")
        found[field.strip()] = files.json_or_text(text)
    return found


@app.command(epilog=_EXAMPLE + "show hello")
@by_api
def show(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Show a trigger: what it looks at, what it has started of late, and why the last event was passed over."""

    async def work(client: Client) -> tuple[Any, Any]:
        one = (await starting.found(client, KIND, word)).document
        return one, await starting.of_late(client, one["id"], _TOLD)

    one, events = run(way, work)
    if as_json:
        emit({**one, "of_late": events or []})
        return
    _show(one)
    starting.show_of_late(events)
    steps = []
    if one["paused"]:
        steps.append(KIND.step("resume", one["name"], way, "looks at what happens from then on"))
    if one.get("last", {}).get("run_id"):
        steps.append(starting.run_step(way, one["last"]["run_id"]))
    runs = (
        f"offhook workflow runs --workflow {shlex.quote(one['workflow'])}{again(way)}   shows the runs of its workflow"
    )
    following(*(steps or [runs]))


def _show(one: Any) -> None:
    rows = [
        ("trigger", f"{line_of(one['name'])} ({one['id']})"),
        ("starts", starting.starts(one)),
        ("events", line_of(", ".join(one["events"]))),
    ]
    for field, value in one.get("where", {}).items():
        rows.append(("where", line_of(f"{field} is {json.dumps(value, ensure_ascii=False)}")))
    if one.get("expression"):
        rows.append(("expression", f"{line_of(one['expression'])} ({one.get('language', 'javascript')})"))
    if one.get("not_by"):
        rows.append(("not by", line_of(", ".join(one["not_by"]))))
    rows += [("most", f"{one['most_per_minute']:,} starts a minute"), ("state", _state(one))]
    if one.get("stopped"):
        rows.append(("because", line_of(one["stopped"])))
    rows += starting.last_rows(one)
    if passed := one.get("passed_over"):
        rows.append(("passed over", f"{line_of(passed['event'])} {when(passed['moment'])}"))
        rows.append(("because", line_of(passed["why"])))
    rows.append(("made", f"{when(one['created_at'])} by {line_of(one['created_by'])}"))
    facts(rows)
    if one["input"]:
        say("input", "dim")
        print_json(one["input"])


@app.command("set", epilog=_EXAMPLE + "set hello --event office.created --event office.updated --clear where")
@by_api
def set_it(
    way: Way,
    word: starting.Word,
    name: starting.Called = None,
    workflow: starting.StartsNow = None,
    version: starting.Version = None,
    event: Annotated[list[str] | None, typer.Option("--event", help=_EVENT, metavar="EVENT")] = None,
    where: Where = None,
    expression: Expression = None,
    language: Language = None,
    not_by: NotBy = None,
    inputs: starting.Input = None,
    input_file: starting.InputFile = None,
    most_per_minute: Most = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(
            "--clear",
            help="What is to be as if it had never been said: version, where, expression, not_by, input. Repeat it.",
            metavar="FIELD",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a trigger. What is not said stays; events, conditions and input that are said take the place of all."""
    said = {
        "name": name, "workflow": workflow, "version": version, "events": event or None, "where": _where(where),
        "expression": expression, "language": language, "not_by": not_by or None,
        "input": starting.given(inputs, input_file), "most_per_minute": most_per_minute,
    }  # fmt: skip
    answer = starting.change(way, KIND, word, said, clear)
    if as_json:
        emit(starting.answered(answer))
        return
    say(f"The trigger {line_of(answer.document['name'])} is changed.", "green bold")
    _show(answer.document)
    warn(answer.notices)
    following(f"offhook workflow triggers list{again(way)}   shows all")


@app.command(epilog=_EXAMPLE + "pause hello")
@by_api
def pause(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Start nothing for now. What happens meanwhile is not made up for."""
    one = starting.act(way, KIND, word, "pause")
    if as_json:
        emit(one)
        return
    say(f"The trigger {line_of(one['name'])} is paused. What happens meanwhile is not made up for.", "green bold")
    following(KIND.step("resume", one["name"], way, "looks at what happens from then on"))


@app.command(epilog=_EXAMPLE + "resume hello")
@by_api
def resume(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Look at what happens from now on, also after the server has stopped it."""
    one = starting.act(way, KIND, word, "resume")
    if as_json:
        emit(one)
        return
    say(f"The trigger {line_of(one['name'])} looks at what happens from now on.", "green bold")
    following(KIND.step("show", one["name"], way, "shows what it has started, and what it passed over"))


@app.command(epilog=_EXAMPLE + "delete hello")
@by_api
def delete(way: Way, word: starting.Word, yes: starting.Yes = False, as_json: AsJson = False) -> None:
    """Delete a trigger; runs that it started go on."""
    starting.delete(way, KIND, word, "Runs that it started go on.", yes=yes, as_json=as_json)
