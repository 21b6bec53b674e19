"""The workflow that a line hands calls to: shown, attached, taken off. docs/scripted-ivr.md says what it is asked."""

from typing import Annotated, Any

import typer

from offhook.cli.common import AsJson, emit, facts, following, say, warn
from offhook.cli.lines import V1, CallCenter, Department, MaybeOffice, id_of, line_named
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.directory.lines.asking import ACTION, places

app = typer.Typer(no_args_is_help=True, help=f"The workflow that a line's {ACTION} actions ask for the next step.")

Seconds = Annotated[int | None, typer.Option(min=1, max=30, help="How long a caller waits for a step; 5 unless said.")]


@app.command()
@by_api
def show(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    as_json: AsJson = False,
) -> None:
    """Show which workflow a line hands calls to, and which of its actions ask it."""
    kind, named = line_named(office_id, department, callcenter)

    async def work(client: Client) -> tuple[str, Any, Any]:
        id = await id_of(client, kind, named)
        line = (await client.call("GET", f"/api/v2/{kind}s/{id}")).document
        return id, line, (await client.call("GET", f"{V1}/{kind}s/{id}/script")).document

    id, line, script = run(way, work, tells=False)
    asked = places(line["routing_options"])
    if as_json:
        emit({**script, "asked": asked})
        return
    where = id if kind == "office" else f"--{kind} {id}"
    say(line["name"], "bold")
    facts(
        [
            ("workflow", script.get("workflow", "none")),
            *([("waits", f"up to {script['seconds']} s for each step")] if script else []),
            ("asked", ", ".join(asked) or f"never: none of its actions is {ACTION}"),
            ("way out", "the voicemail of the line"),
        ]
    )
    if script:
        following(f"offhook workflow show {script['workflow']}{again(way)}")
    elif asked:
        say("Such calls end in voicemail: no workflow is attached.", "yellow")
        following(f"offhook line script set WORKFLOW {where}{again(way)}")


@app.command("set")
@by_api
def attach(
    way: Way,
    workflow: Annotated[str, typer.Argument(help="The name of a registered workflow; its latest version is asked.")],
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
) -> None:
    """Have a line ask a workflow, in place of the one that it asked before."""
    body = {"workflow": workflow} | ({"seconds": seconds} if seconds is not None else {})
    kind, id, answer = _changed(way, line_named(office_id, department, callcenter), "PUT", body)
    kept = answer.document
    if as_json:
        emit({**kept, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say(f"The line asks {kept['workflow']}, and waits up to {kept['seconds']} s for each step.", "green bold")
    warn(answer.notices)
    where = id if kind == "office" else f"--{kind} {id}"
    following(f"offhook line script show {where}{again(way)}   says which of its actions ask it")


@app.command("remove")
@by_api
def detach(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    as_json: AsJson = False,
) -> None:
    """Have a line ask no workflow; calls that its actions would hand over end in voicemail."""
    kind, id, answer = _changed(way, line_named(office_id, department, callcenter), "DELETE", None)
    if as_json:
        emit({**answer.document, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say("The line asks no workflow.", "green bold")
    warn(answer.notices)
    where = id if kind == "office" else f"--{kind} {id}"
    following(f"offhook line script set WORKFLOW {where}{again(way)}   attaches another")


def _changed(way: Way, line: tuple[str, str], method: str, body: Any) -> tuple[str, str, Answer]:
    kind, named = line

    async def work(client: Client) -> tuple[str, str, Answer]:
        id = await id_of(client, kind, named)
        path = f"{V1}/{kind}s/{id}/script"
        return kind, id, await client.call(method, path, body=None if body is None else body_of(body))

    found: tuple[str, str, Answer] = run(way, work)
    return found
