"""Workflow definitions that come with Offhook, by the API: what each does and takes, and how one is registered."""

from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import typer

from offhook.cli.apis import line_of
from offhook.cli.common import AsJson, emit, following, out, say, table, warn
from offhook.cli.lines import V1
from offhook.cli.way import Way, again, by_api, run, warning, without_server
from offhook.client import Answer, Client, body_of

app = typer.Typer(no_args_is_help=True, help="Workflows that come with Offhook, and are registered by their names.")

SHIPPED = f"{V1}/workflows/shipped"


@app.command("list")
@by_api
def list_shipped(way: Way, as_json: AsJson = False) -> None:
    """List them with what they do, and which version of each is registered."""

    async def work(client: Client) -> Any:
        return (await client.call("GET", SHIPPED)).document

    found = run(way, work)
    if as_json:
        emit(found)
        return
    table(
        ("NAME", "REGISTERED", "INPUTS", "WHAT IT DOES"),
        [
            (
                line_of(one["name"]), f"version {one['registered']}" if "registered" in one else "no",
                str(len(one["inputs"])), line_of(one["description"]),
            )
            for one in found["items"]
        ],
    )  # fmt: skip
    first = next((one for one in found["items"] if "registered" not in one), found["items"][0])
    following(f"offhook workflow shipped take {first['name']}{again(way)}   registers it, and says what it takes")


@app.command("take", epilog="Example: offhook workflow shipped take nightly_check --credential offhook")
@by_api
def take(
    way: Way,
    name: Annotated[str, typer.Argument(help="Its name, as list shows it.")],
    server: Annotated[
        str | None, typer.Option("--server", help="Where Offhook is reached; this server unless said.", metavar="URL")
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            "--credential",
            help="The workbench's credential with a key of this company; offhook unless said.",
            metavar="NAME",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register one as a new version of its name, together with what undoes it; one that is there already stays."""
    given = {"server": server, "credential": credential}
    body = {key: value for key, value in given.items() if value is not None}

    async def work(client: Client) -> tuple[Answer, Any, Any]:
        answer = await client.call("POST", f"{SHIPPED}/{quote(name, safe='')}", body=body_of(body))
        kept = (await client.call("GET", f"{V1}/workflows/definitions/{quote(name, safe='')}")).document["definition"]
        return answer, (await client.call("GET", SHIPPED)).document["items"], kept

    answer, items, kept = run(way, work)
    if as_json:
        emit({**answer.document, "warnings": [warning(notice) for notice in answer.notices]})
        return
    for one in answer.document["items"]:
        say(f"{line_of(one['name'])}, version {one['version']}, is registered.", "green bold")
    warn(answer.notices)
    shipped = next(one for one in items if one["name"] == name)
    if shipped["inputs"]:
        say("It takes", "bold")
        width = max(len(one["name"]) for one in shipped["inputs"])
        for one in shipped["inputs"]:
            out.print(
                f"  {one['name']:{width}}  {line_of(one['about'])}", markup=False, highlight=False, soft_wrap=True
            )
    used = credential or "offhook"
    scopes = " ".join(f"--scope {scope}" for scope in shipped.get("scopes", ()))
    host = urlsplit(str(kept.get("inputTemplate", {}).get("server", ""))).netloc or "HOST"
    following(
        f"offhook key create --name {used} {scopes}{without_server(way)}   makes the key that it asks with",
        f"offhook api credential add {used} --kind bearer --host {host}{again(way)}   keeps the key that it is given",
        f"offhook workflow run {name} --input NAME=VALUE{again(way)}   runs it",
    )
