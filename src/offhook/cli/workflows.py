"""Workflow definitions, by the API: checked, registered, drawn, exported, imported; requests added to them as tasks.

What is done with runs is in workflow_runs.py; those that come with Offhook in workflow_shipped.py; what starts them by
itself in workflow_schedules.py, workflow_triggers.py and workflow_hooks.py.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
import typer
from rich.text import Text

from offhook.cli import workflow_files as files
from offhook.cli import workflow_hooks, workflow_runs, workflow_schedules, workflow_shipped, workflow_triggers
from offhook.cli.apis import APIS, line_of, operation, pages
from offhook.cli.common import (
    AsJson,
    NotThere,
    emit,
    err,
    facts,
    following,
    out,
    refuse,
    say,
    table,
    warn,
    write_private,
)
from offhook.cli.lines import V1
from offhook.cli.way import DryRun, Way, again, by_api, run, warning
from offhook.cli.workflow_runs import pretty, print_json
from offhook.client import Answer, Client, Refused, body_of
from offhook.kit.errors import Notice, Refusal, Violation, shown

app = typer.Typer(no_args_is_help=True, help="Workflows: definitions, their runs, and what can be done to them.")
policies = typer.Typer(no_args_is_help=True, help="How attempts of tasks are repeated and bounded, by the task's name.")

DEFINITIONS = f"{V1}/workflows/definitions"
POLICIES = f"{V1}/workflows/policies"
_FIRST = 20

File = Annotated[Path, typer.Argument(help="The definition as JSON or YAML; - reads standard input.")]
Name = Annotated[str, typer.Argument(help="The definition's name.")]
Version = Annotated[int | None, typer.Option("--version", help="Which version; else the latest.", min=1)]
To = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.", metavar="FILE")]


def _one(name: str) -> str:
    return f"{DEFINITIONS}/{quote(name, safe='')}"


def _of(version: int | None) -> dict[str, str]:
    return {"version": str(version)} if version is not None else {}


# Checking


@app.command()
@by_api
def validate(
    way: Way,
    file: File,
    as_json: AsJson = False,
) -> None:
    """Check a definition: what it breaks, what is likely not meant, what stock Conductor lacks. Nothing is kept.

    Ends with 0 if it keeps every rule, with 1 if not.
    """
    source = files.read(file)
    body = body_of({"definition": source.value})

    async def work(client: Client) -> Any:
        return (await client.call("POST", f"{DEFINITIONS}/validate", body=body)).document

    found = run(way, work)
    if as_json:
        for one in found["violations"]:
            one |= source.at(one["location"])
        for one in found["notices"]:
            one |= source.at(one.get("field", ""))
        for one in found["lint"]:
            one |= source.at(one["place"])
        emit(found)
    else:
        _show_checked(source, found)
        if found["good"]:
            word = "FILE" if str(file) == "-" else shlex.quote(str(file))
            following(
                f"offhook workflow register {word}{again(way)}   keeps it",
                f"offhook workflow run {word}{again(way)}   runs it as it is",
            )
    if not found["good"]:
        raise typer.Exit(1)


def _show_checked(source: files.Source, found: Any) -> None:
    if found["good"]:
        say(f"{source.file} keeps every rule.", "green bold")
    if violations := found["violations"]:
        count = "One place" if len(violations) == 1 else f"{len(violations):,} places"
        refuse(f"{count} of {source.file} must be mended.", _violations(source, violations))
    _warn(found["notices"], source)
    if lint := found["lint"]:
        say(f"{len(lint):,} for a stock Conductor server", "bold", to=err)
        for one in lint[:_FIRST]:
            line = Text("  ") + Text(source.placed(one["place"]), "bold")
            err.print(line + Text(f"  {line_of(one['text'])} {line_of(one['stock'])}"), soft_wrap=True)
        if len(lint) > _FIRST:
            say("  --json lists them all.", to=err)


def _violations(source: files.Source, found: Sequence[Any]) -> list[Violation]:
    return [
        Violation(location=source.placed(one["location"]), message=one["message"], sent=one.get("sent") or None)
        for one in found
    ]


def _warn(notices: Sequence[Any], source: files.Source | None = None) -> None:
    """Notices as they stand within an answer."""
    warn(
        Notice(one["code"], source.placed(field) if source is not None else field, one["text"])
        for one in notices
        for field in [one.get("field", "")]
    )


# Keeping


@app.command()
@by_api
def register(
    way: Way,
    file: File,
    new_version: Annotated[
        bool, typer.Option("--new-version", help="As the version after the latest, whatever it says.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="In place of the same version.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Register a definition, as the version that it says. Every rule that it breaks is named with its line."""
    if new_version and overwrite:
        raise Refusal("--new-version makes another version, --overwrite replaces one; say one of them.")
    source = files.read(file)
    body = body_of({"definition": source.value, "new_version": new_version, "overwrite": overwrite})

    async def work(client: Client) -> Answer:
        try:
            return await client.call("POST", DEFINITIONS, body=body, dry_run=dry_run)
        except Refused as refused:
            raise _with_options(source.mended(refused)) from None

    answer: Answer = run(way, work)
    kept = answer.document["result"] if dry_run else answer.document
    if as_json:
        emit({**answer.document, "warnings": [warning(notice) for notice in answer.notices]})
        return
    done = "would be registered; nothing was kept" if dry_run else "is registered"
    say(f"{line_of(kept['name'])}, version {kept['version']}, {done}.", "green bold")
    warn(Notice(one.code, source.placed(one.field), one.text) for one in answer.notices)
    name = shlex.quote(kept["name"])
    if dry_run:
        following("the same without --dry-run   registers it")
    else:
        following(
            f"offhook workflow run {name}{again(way)}   runs it",
            f"offhook workflow graph {name}{again(way)}   draws it",
        )


def _with_options(refused: Refused) -> Refused:
    """The same, where a version is there already with what this command has for that."""
    if refused.code != 409:
        return refused
    text = "Say --new-version for the version after the latest, or --overwrite to replace it."
    found = [
        msgspec.structs.replace(one, message=text) if one.message.startswith("Send new_version") else one
        for one in refused.violations
    ]
    return Refused(refused.code, refused.message, found, refused.document, refused.retry_after)


@app.command("list")
@by_api
def list_definitions(way: Way, as_json: AsJson = False) -> None:
    """List the definitions, each with its latest version."""
    items = run(way, lambda client: pages(client, DEFINITIONS))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("No workflow is registered.", "bold", to=err)
        following(
            f"offhook workflow register FILE{again(way)}   registers one",
            f"offhook workflow shipped list{again(way)}   lists those that come with Offhook",
        )
        return
    table(
        ("NAME", "LATEST", "VERSIONS"),
        [(line_of(one["name"]), str(one["latest"]), str(one["versions"])) for one in items],
    )
    following(f"offhook workflow show {shlex.quote(items[0]['name'])}{again(way)}   shows the first")


@app.command()
@by_api
def show(way: Way, name: Name, version: Version = None, as_json: AsJson = False) -> None:
    """Show a definition: what is known of it, and its text as JSON."""
    found = _definition(way, name, version)
    if as_json:
        emit(found)
        return
    rows = [
        ("name", line_of(found["name"])),
        ("version", str(found["version"])),
        ("description", line_of(found.get("description", ""))),
        ("tasks", f"{found['tasks']:,}"),
        ("registered", f"{found['created_at']} by {line_of(found['registered_by'])} ({found['source']})"),
        ("changed", found["updated_at"] if found["updated_at"] != found["created_at"] else ""),
        ("hash", found["hash"]),
    ]
    facts([row for row in rows if row[1]], to=err)
    print_json(found["definition"])
    quoted = shlex.quote(name)
    following(
        f"offhook workflow graph {quoted}{again(way)}   draws it",
        f"offhook workflow run {quoted}{again(way)}   runs it",
    )


def _definition(way: Way, name: str, version: int | None) -> Any:
    async def work(client: Client) -> Any:
        return (await client.call("GET", _one(name), query=_of(version))).document

    return run(way, work)


@app.command()
@by_api
def versions(way: Way, name: Name, as_json: AsJson = False) -> None:
    """List the versions of a definition, the latest first."""

    async def work(client: Client) -> Any:
        return (await client.call("GET", f"{_one(name)}/versions")).document

    found = run(way, work)
    if as_json:
        emit(found)
        return
    table(
        ("VERSION", "TASKS", "SOURCE", "REGISTERED", "BY", "HASH"),
        [
            (
                str(one["version"]), str(one["tasks"]), one["source"], one["created_at"], line_of(one["registered_by"]),
                one["hash"][:12],
            )
            for one in found["items"]
        ],
    )  # fmt: skip
    number = found["items"][-1]["version"]
    following(f"offhook workflow show {shlex.quote(name)} --version {number}{again(way)}   shows the oldest")


@app.command()
@by_api
def graph(
    way: Way,
    name: Name,
    version: Version = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a definition: in the terminal, with --mermaid as text for Mermaid, with --json as nodes and edges."""
    from offhook.cli.workflow_drawing import drawing

    async def work(client: Client) -> Any:
        if mermaid:
            return (await client.content(f"{_one(name)}/graph", {**_of(version), "form": "mermaid"})).decode()
        path = f"{_one(name)}/graph" if as_json else _one(name)
        return (await client.call("GET", path, query=_of(version))).document

    found = run(way, work)
    if mermaid:
        if as_json:
            emit({"mermaid": found})
        else:
            sys.stdout.write(found)
        return
    if as_json:
        emit(found)
        return
    lines = drawing(found["definition"])
    width = max(len(before) + len(ref) for before, ref, _ in lines)
    for before, ref, what in lines:
        ref = line_of(ref)
        gap = " " * (width - len(before) - len(ref) + 2 if ref else 1)
        out.print(Text(before, "dim") + Text(ref, "bold") + Text(gap + line_of(what)), soft_wrap=True)
    following(f"offhook workflow graph {shlex.quote(name)} --mermaid{again(way)}   for a page")


@app.command()
@by_api
def delete(
    way: Way,
    name: Name,
    version: Annotated[int, typer.Option("--version", help="Which version.", min=1)],
    as_json: AsJson = False,
) -> None:
    """Delete a version of a definition; runs that go by it go on."""
    run(way, lambda client: client.call("DELETE", _one(name), query=_of(version)))
    if as_json:
        emit({"deleted": name, "version": version})
        return
    say(f"{line_of(name)}, version {version}, is deleted. Runs that go by it go on.", "green bold")
    following(f"offhook workflow list{again(way)}   shows what is left")


# To and from others


@app.command()
@by_api
def export(way: Way, name: Name, version: Version = None, to: To = None, as_json: AsJson = False) -> None:
    """Write a definition in the form that a stock Conductor server takes, and say what was lost on the way."""

    async def work(client: Client) -> Any:
        return (await client.call("GET", f"{_one(name)}/export", query=_of(version))).document

    found = run(way, work)
    if to is not None:
        write_private(to, pretty(found["definition"]).encode())
    if as_json:
        emit(found)
        return
    if to is None:
        print_json(found["definition"])
    else:
        say(f"{line_of(name)} is in {to}.", "green bold", to=err)
    _warn(found["notices"])
    if not found["notices"]:
        say("Nothing was lost.", "green", to=err)


@app.command("import")
@by_api
def import_it(
    way: Way,
    file: Annotated[Path, typer.Argument(help="The definition as that system gives it; - reads standard input.")],
    kind: Annotated[Literal["simworkflow"], typer.Option("--kind", help="Which system's it is.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it becomes; register nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a definition of another system: compiled to Conductor's form, with a report of what has no equal.

    It is registered as a new version, unless what it becomes breaks rules, which ends with 1.
    """
    source = files.read(file)
    asked = {"kind": kind, "definition": source.value}

    async def work(client: Client) -> Any:
        path = f"{DEFINITIONS}/import"
        try:
            found = (await client.call("POST", path, body=body_of(asked))).document
            if found["sound"] and not dry_run:
                found = (await client.call("POST", path, body=body_of({**asked, "register": True}))).document
        except Refused as refused:
            raise source.mended(refused) from None
        return found

    found = run(way, work)
    if as_json:
        emit(found)
    else:
        _show_imported(way, found, dry_run=dry_run)
    if not found["sound"]:
        raise typer.Exit(1)


def _show_imported(way: Way, found: Any, *, dry_run: bool) -> None:
    if dry_run or not found["sound"]:
        print_json(found["definition"])
    if translated := found["translated"]:
        say(f"{len(translated):,} translated", "bold", to=err)
        for one in translated:
            err.print(Text("  ") + Text(line_of(one["place"]), "bold") + Text(f"  {line_of(one['text'])}"))
    if missing := found["missing"]:
        say(f"{len(missing):,} without an equal", "yellow bold", to=err)
        for one in missing:
            line = Text("  ") + Text(line_of(one["place"]), "bold")
            err.print(line + Text(f"  {line_of(one['why'])} {line_of(one['do'])}"), soft_wrap=True)
    for one in found["registered"]:
        say(f"{line_of(one['name'])}, version {one['version']}, is registered.", "green bold")
    if found["registered"]:
        name = shlex.quote(found["registered"][-1]["name"])
        following(f"offhook workflow run {name}{again(way)}   runs it")
    elif not found["sound"]:
        say("What it becomes breaks rules; nothing was registered.", "red bold", to=err)
        following("mend what has no equal, or save the JSON above, mend that and register it")
    else:
        following("the same without --dry-run   registers it")


@app.command("add-task")
@by_api
def add_task(
    way: Way,
    name: Name,
    request: Annotated[
        str,
        typer.Option(
            "--request",
            help="A saved request (its id, its name, or collection/name), or an operation's key.",
            metavar="SAVED|KEY",
        ),
    ],
    after: Annotated[
        str | None, typer.Option("--after", help="Behind the task with this reference name; else at the end.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task-name", help="What the task is called.", metavar="NAME")] = None,
    ref: Annotated[str | None, typer.Option("--ref", help="Its reference name.", metavar="REF")] = None,
    credential: Annotated[
        str | None,
        typer.Option("--credential", help="The workbench's credential that it is sent with.", metavar="NAME"),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="The version that it is added to; else the latest.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a request of the workbench to a definition as an HTTP task, as a new version."""
    given = {"after": after, "name": task, "reference_name": ref, "credential": credential, "version": version}
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    wanted: list[str] = []

    async def work(client: Client) -> Answer:
        path = f"{_one(name)}/tasks"
        try:
            return await client.call("POST", path, body=body_of({**body, "saved_request": request}))
        except Refused as refused:
            if not any(one.location == "saved_request" for one in refused.violations):
                raise
        made, schemes = await _prepared(client, request)
        if not made.get("credential_id") and credential is None:
            wanted.extend(schemes)
        return await client.call("POST", path, body=body_of({**body, "request": made}))

    answer: Answer = run(way, work)
    found = answer.document
    if as_json:
        emit({**found, "warnings": [warning(notice) for notice in answer.notices]})
        return
    kept, made = found["definition"], found["task"]
    ref_of = line_of(made["taskReferenceName"])
    say(f"{line_of(name)}, version {kept['version']}, has the task {ref_of}.", "green bold")
    print_json(made)
    warn(answer.notices)
    steps = [
        f"offhook workflow graph {shlex.quote(name)}{again(way)}   draws it",
        f"offhook workflow run {shlex.quote(name)}{again(way)}   runs it",
    ]
    if wanted:
        text = f"The operation asks for {' or '.join(wanted)}, and the task names no credential: it will be refused."
        say(text, "yellow", to=err)
        steps.insert(0, 'add "credential": "NAME" to its request; with --credential NAME it is there from the start')
    following(*steps)


async def _prepared(client: Client, word: str) -> tuple[Any, list[str]]:
    """The request that is prepared for an operation, and what it wants to be sent with; nothing if it goes without."""
    try:
        found = await operation(client, word)
    except Refused:
        raise
    except Refusal as refusal:
        raise NotThere(f"There is no saved request {shown(word)}, and no such operation. {refusal.message}") from None
    place = f"{APIS}/{quote(found['api'], safe='')}/operations/{quote(found['reference']['head']['key'], safe='')}"
    query = {"version": str(found["version"])}
    ways = found["reference"].get("security", [])
    schemes = [] if [] in ways else [" and ".join(line_of(one["name"]) for one in way) for way in ways]
    return (await client.call("GET", f"{place}/prepared", query=query)).document["request"], schemes


# Policies


@policies.command("list")
@by_api
def list_policies(way: Way, as_json: AsJson = False) -> None:
    """List the policies."""
    items = run(way, lambda client: pages(client, POLICIES))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("There is no policy: tasks are tried once, unless they say otherwise.", "bold", to=err)
        following(f"offhook workflow policies register FILE{again(way)}   registers one")
        return
    table(
        ("NAME", "RETRIES", "DELAYS", "SECONDS", "TIMEOUT"),
        [
            (
                line_of(one["name"]), str(policy.get("retryCount", 3)), policy.get("retryLogic", "FIXED"),
                str(policy.get("retryDelaySeconds", 60)), str(policy.get("timeoutSeconds", 0) or ""),
            )
            for one in items
            for policy in [one["policy"]]
        ],
    )  # fmt: skip


@policies.command("register")
@by_api
def register_policy(
    way: Way,
    file: Annotated[Path, typer.Argument(help="The policy as JSON or YAML; - reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Register a policy by its name, in place of the one before: Conductor's task definition."""
    source = files.read(file)

    async def work(client: Client) -> Answer:
        try:
            return await client.call("POST", POLICIES, body=body_of({"policy": source.value}))
        except Refused as refused:
            raise source.mended(refused) from None

    answer: Answer = run(way, work)
    if as_json:
        emit({**answer.document, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say(f"The policy of tasks called {line_of(answer.document['name'])} is registered.", "green bold")
    warn(answer.notices)
    following(f"offhook workflow policies list{again(way)}   lists all")


@policies.command("delete")
@by_api
def delete_policy(
    way: Way,
    name: Annotated[str, typer.Argument(help="The policy's name, which is that of its tasks.")],
    as_json: AsJson = False,
) -> None:
    """Delete a policy; tasks of that name are not repeated any more."""
    run(way, lambda client: client.call("DELETE", f"{POLICIES}/{quote(name, safe='')}"))
    if as_json:
        emit({"deleted": name})
        return
    say(f"The policy {line_of(name)} is deleted.", "green bold")
    following(f"offhook workflow policies list{again(way)}   shows what is left")


workflow_runs.register(app)
app.add_typer(policies, name="policies")
app.add_typer(workflow_shipped.app, name="shipped")
app.add_typer(workflow_schedules.app, name="schedules")
app.add_typer(workflow_triggers.app, name="triggers")
app.add_typer(workflow_hooks.app, name="hooks")
