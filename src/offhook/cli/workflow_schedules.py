"""Schedules, by the API: workflows that are started by the clock of a time zone."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from offhook.cli import workflow_starting as starting
from offhook.cli.apis import line_of
from offhook.cli.common import AsJson, emit, err, facts, following, say, table, warn, when
from offhook.cli.lines import V1
from offhook.cli.way import DryRun, Way, again, by_api, run
from offhook.cli.workflow_runs import print_json
from offhook.cli.workflow_starting import Kind
from offhook.client import Client
from offhook.kit.errors import Notice, Refusal

app = typer.Typer(no_args_is_help=True, help="Start workflows by the clock: a cron expression in a time zone.")

KIND = Kind(
    "schedule",
    "schedules",
    f"{V1}/workflows/schedules",
    ("name", "workflow", "version", "cron", "timezone", "input", "missed", "overlap", "paused"),
    clearable=("version", "input"),
)
_TOLD = tuple(f"workflow_schedule.{word}" for word in ("fired", "fired_by_hand", "missed", "skipped", "failed"))
_EXAMPLE = "Example: offhook workflow schedules "

_MISSED = {"skip": "is skipped", "once": "one run makes up for all", "all": "a run for each, of the latest 100"}
_OVERLAP = {"allow": "starts while the run before goes on", "skip": "a moment is skipped while the run before goes on"}

_CRON = "When: minute, hour, day of the month, month, day of the week; or @daily, @hourly, ..."
Zone = Annotated[
    str | None, typer.Option("--timezone", "-z", help="On whose clock, as Europe/Lisbon; of a new one UTC unless said.")
]
Missed = Annotated[
    Literal["skip", "once", "all"] | None,
    typer.Option("--missed", help="What is done about moments at which no server ran; of a new one once."),
]
Overlap = Annotated[
    Literal["allow", "skip"] | None,
    typer.Option("--overlap", help="Whether to start while the run before goes on; of a new one allow."),
]


@app.command("list", epilog=_EXAMPLE + "list --workflow check_offices")
@by_api
def list_schedules(way: Way, workflow: starting.OfWorkflow = None, as_json: AsJson = False) -> None:
    """List the schedules, each with its next moment and what became of it last."""
    items = starting.listed(way, KIND, workflow)
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("Nothing is started by the clock.", "bold", to=err)
        following(f"offhook workflow schedules add NAME --workflow WORKFLOW --cron '30 2 * * *'{again(way)}")
        return
    table(
        ("NAME", "WORKFLOW", "WHEN", "NEXT", "LAST"),
        [
            (line_of(one["name"]), starting.starts(one), f"{one['cron']} {one['timezone']}", _next(one),
             starting.last(one))
            for one in items
        ],
    )  # fmt: skip
    following(KIND.step("show", items[0]["name"], way, "shows the first, with what became of it of late"))


@app.command(epilog=_EXAMPLE + "add nightly --workflow check_offices --cron '30 2 * * MON-FRI' -z Europe/Lisbon")
@by_api
def add(
    way: Way,
    name: starting.New,
    workflow: starting.Starts,
    cron: Annotated[str, typer.Option("--cron", help=_CRON, metavar="EXPRESSION")],
    timezone: Zone = None,
    version: starting.Version = None,
    inputs: starting.Input = None,
    input_file: starting.InputFile = None,
    missed: Missed = None,
    overlap: Overlap = None,
    paused: starting.Paused = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Start a workflow at the moments of a cron expression. Its input may say ${schedule.date}, .moment, .late."""
    body = {
        "name": name, "workflow": workflow, "version": version, "cron": cron, "timezone": timezone,
        "input": starting.given(inputs, input_file), "missed": missed, "overlap": overlap, "paused": paused or None,
    }  # fmt: skip
    answer = starting.create(way, KIND, body, dry_run=dry_run)
    made = answer.document["result"] if dry_run else answer.document
    if as_json:
        emit(starting.answered(answer))
        return
    done = "would be kept; nothing was" if dry_run else "is kept"
    say(f"The schedule {line_of(made['name'])} {done}. It starts {starting.starts(made)}: {_next(made)}.", "green bold")
    warn(answer.notices)
    if dry_run:
        following("the same without --dry-run   keeps it")
    else:
        following(
            KIND.step("next", name, way, "shows its next moments"),
            KIND.step("run", name, way, "starts it now, to try it"),
            *starting.serving(way),
        )


@app.command(epilog=_EXAMPLE + "show nightly")
@by_api
def show(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Show a schedule: when it starts what, and what it has started, missed, skipped or failed with of late."""

    async def work(client: Client) -> tuple[Any, Any]:
        one = (await starting.found(client, KIND, word)).document
        return one, await starting.of_late(client, one["id"], _TOLD)

    one, events = run(way, work)
    if as_json:
        emit({**one, "of_late": events or []})
        return
    _show(one)
    starting.show_of_late(events)
    steps = [KIND.step("next", one["name"], way, "shows its next moments")]
    if one["paused"]:
        steps.insert(0, KIND.step("resume", one["name"], way, "lets it start again"))
    if one.get("last", {}).get("run_id"):
        steps.append(starting.run_step(way, one["last"]["run_id"]))
    following(*steps)


def _show(one: Any) -> None:
    facts([
        ("schedule", f"{line_of(one['name'])} ({one['id']})"),
        ("starts", starting.starts(one)),
        ("when", f"{one['cron']} on the clock of {one['timezone']}"),
        ("next", _next(one)),
        ("missed", _MISSED[one["missed"]]),
        ("overlap", _OVERLAP[one["overlap"]]),
        *starting.last_rows(one),
        ("made", f"{when(one['created_at'])} by {line_of(one['created_by'])}"),
    ])  # fmt: skip
    if one["input"]:
        say("input", "dim")
        print_json(one["input"])


def _next(one: Any) -> str:
    if one["paused"]:
        return "paused"
    if "next" not in one:
        return "no moment any more"
    local = one.get("next_local", one["next"])
    return f"{local[:16].replace('T', ' ')} {one['timezone']}" + (
        "" if one["timezone"] == "UTC" else f" ({when(one['next'])[:-7]} UTC)"
    )


@app.command("set", epilog=_EXAMPLE + "set nightly --cron '0 3 * * *' --missed skip")
@by_api
def set_it(
    way: Way,
    word: starting.Word,
    name: starting.Called = None,
    workflow: starting.StartsNow = None,
    version: starting.Version = None,
    cron: Annotated[str | None, typer.Option("--cron", help=_CRON, metavar="EXPRESSION")] = None,
    timezone: Zone = None,
    inputs: starting.Input = None,
    input_file: starting.InputFile = None,
    missed: Missed = None,
    overlap: Overlap = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(
            "--clear", help="What is to be as if it had never been said: version, input. Repeat it.", metavar="FIELD"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a schedule. What is not said stays; an input that is said takes the place of the whole one."""
    said = {
        "name": name, "workflow": workflow, "version": version, "cron": cron, "timezone": timezone,
        "input": starting.given(inputs, input_file), "missed": missed, "overlap": overlap,
    }  # fmt: skip
    answer = starting.change(way, KIND, word, said, clear)
    if as_json:
        emit(starting.answered(answer))
        return
    say(f"The schedule {line_of(answer.document['name'])} is changed.", "green bold")
    _show(answer.document)
    warn(answer.notices)
    following(KIND.step("next", answer.document["name"], way, "shows its next moments"))


@app.command(epilog=_EXAMPLE + "pause nightly")
@by_api
def pause(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Start nothing for now. What passes meanwhile is not made up for."""
    one = starting.act(way, KIND, word, "pause")
    if as_json:
        emit(one)
        return
    say(f"The schedule {line_of(one['name'])} is paused. What passes meanwhile is not made up for.", "green bold")
    following(KIND.step("resume", one["name"], way, "goes on with the next moment"))


@app.command(epilog=_EXAMPLE + "resume nightly")
@by_api
def resume(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Go on with the next moment from now."""
    one = starting.act(way, KIND, word, "resume")
    if as_json:
        emit(one)
        return
    say(f"The schedule {line_of(one['name'])} goes on: {_next(one)}.", "green bold")
    following(KIND.step("next", one["name"], way, "shows its next moments"))


@app.command("run", epilog=_EXAMPLE + "run nightly")
@by_api
def run_now(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Start its workflow now with its input, whatever the time; its next moment stays."""
    made = starting.act(way, KIND, word, "run")
    if as_json:
        emit(made)
        return
    say(f"Run {made['run_id']} is started.", "green bold")
    following(f"offhook workflow status {made['run_id']} --watch{again(way)}   follows it", *starting.serving(way))


@app.command(epilog=_EXAMPLE + "delete nightly")
@by_api
def delete(way: Way, word: starting.Word, yes: starting.Yes = False, as_json: AsJson = False) -> None:
    """Delete a schedule; runs that it started go on."""
    starting.delete(way, KIND, word, "Runs that it started go on.", yes=yes, as_json=as_json)


@app.command("next", epilog=_EXAMPLE + "next --cron '30 2 * * *' -z Europe/Lisbon -n 3")
@by_api
def next_moments(
    way: Way,
    word: Annotated[
        str | None, typer.Argument(help="The schedule's name, or its id; else --cron.", metavar="[NAME]")
    ] = None,
    cron: Annotated[
        str | None, typer.Option("--cron", help="Of this expression, before a schedule is kept.", metavar="EXPRESSION")
    ] = None,
    timezone: Zone = None,
    after: Annotated[
        str | None, typer.Option("--after", help="Behind this moment, as 2026-12-24T18:00:00Z; else now.")
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", help="How many.", min=1, max=100)] = 5,
    as_json: AsJson = False,
) -> None:
    """Show the next moments, of a schedule or of an expression, and what the zone's clock does then."""
    if (word is None) == (cron is None):
        raise Refusal("Say of what: the name of a schedule, or an expression with --cron.")

    async def work(client: Client) -> tuple[Any, Any]:
        one = None if word is None else (await starting.found(client, KIND, word)).document
        unless = one or {"cron": cron, "timezone": "UTC"}
        query = {"cron": unless["cron"], "timezone": timezone or unless["timezone"], "count": str(count)}
        query |= {"after": after} if after is not None else {}
        return one, {**query, **(await client.call("GET", f"{KIND.path}/preview", query=query)).document}

    one, found = run(way, work)
    if as_json:
        emit({"items": found["items"], "notices": found["notices"]})
        return
    warn(Notice(each["code"], each["field"], each["text"]) for each in found["notices"])
    _table_of_moments(found["items"], found["timezone"])
    if one is not None and one["paused"]:
        say("The schedule is paused: none of these starts anything.", "yellow bold", to=err)
        following(KIND.step("resume", one["name"], way, "lets it start again"))
    elif one is None:
        zone = f" -z {timezone}" if timezone else ""
        following(f"offhook workflow schedules add NAME --workflow WORKFLOW --cron '{cron}'{zone}{again(way)}")
    else:
        following(KIND.step("show", one["name"], way, "shows what became of the last ones"))


def _table_of_moments(items: Sequence[Mapping[str, str]], zone: str) -> None:
    if not items:
        say("There is no moment in the next 50 years.", "bold", to=err)
        return
    table(
        (zone.upper(), "UTC", "NOTE"),
        [(one["local"][:16].replace("T", " "), when(one["at"])[:-7], one.get("note", "")) for one in items],
    )
