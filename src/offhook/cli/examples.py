"""Examples of operations, by the API: what one answered once, kept by name."""

import sys
from typing import Annotated, Any

import typer

from offhook.cli.apis import called, clean, fitted, line_of, operation
from offhook.cli.common import AsJson, emit, err, facts, following, say, when
from offhook.cli.lines import V1
from offhook.cli.way import Way, again, by_api, run
from offhook.client import Client, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="What operations answered once, kept by name, longer than the history.")

EXAMPLES = f"{V1}/api-examples"
_FEW = 10
Operation = Annotated[str, typer.Argument(help="The operation: its key, or API.KEY.", metavar="KEY|API.KEY")]
Word = Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME|ID")]


async def _all(client: Client, word: str) -> tuple[str, list[Any]]:
    """The operation as commands take it, and its examples."""
    found = await operation(client, word)
    api, key = found["api"], found["reference"]["head"]["key"]
    listed = (await client.call("GET", EXAMPLES, query={"api": api, "operation": key})).document["items"]
    return called(api, key), listed


async def _one(client: Client, of: str, word: str) -> tuple[str, Any]:
    name, listed = await _all(client, of)
    for one in listed:
        if word in (one["name"], one["id"]):
            return name, one
    names = ", ".join(shown(one["name"]) for one in listed[:_FEW])
    known = f"there are {names}" if names else "there is none; offhook api examples keep RUN NAME keeps one"
    raise Refusal(f"{name} has no example {shown(word)}: {known}.")


@app.command("list")
@by_api
def list_examples(way: Way, of: Operation, as_json: AsJson = False) -> None:
    """List the examples of an operation, oldest first."""
    name, items = run(way, lambda client: _all(client, of))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say(f"No example of {name} is kept.", "bold", to=err)
        following(f"offhook api request {name} --send{again(way)}   sends a request, which can be kept as one")
        return
    fitted(
        ("ID", "NAME", "STATUS", "KEPT", "BY"),
        [
            (one["id"], line_of(one["name"]), str(one["status"]), when(one["created_at"]), line_of(one.get("by", "")))
            for one in items
        ],
    )
    following(f"offhook api examples show {name} {items[-1]['id']}{again(way)}   shows the last of them")


@app.command()
@by_api
def show(way: Way, of: Operation, word: Word, as_json: AsJson = False) -> None:
    """Show an example: what was sent, and what came back."""
    name, found = run(way, lambda client: _one(client, of, word))
    if as_json:
        emit(found)
        return
    facts([("name", line_of(found["name"])), ("operation", name), ("kept", when(found["created_at"]))], to=err)
    say(f"{found['method']} {line_of(found['url'])}", "bold")
    if found.get("request_body"):
        sys.stdout.write(clean(found["request_body"].rstrip("\n")) + "\n")
    say()
    say(f"{found['status']} {line_of(found.get('media', ''))}".rstrip(), "bold")
    if found.get("body"):
        sys.stdout.write(clean(found["body"].rstrip("\n")) + "\n")
    sys.stdout.flush()
    if found.get("cut"):
        say("A body was longer than what is kept of it.", "yellow", to=err)
    following(f"offhook api show {name}{again(way)}   says what the fields mean")


@app.command()
@by_api
def keep(
    way: Way,
    id: Annotated[int, typer.Argument(min=1, help="The run, as offhook api runs list shows it.", metavar="RUN")],
    name: Annotated[str, typer.Argument(help="What it shows; unique for the operation.")],
    as_json: AsJson = False,
) -> None:
    """Keep a run as an example of its operation, without what was secret."""

    async def work(client: Client) -> Any:
        return (await client.call("POST", EXAMPLES, body=body_of({"run_id": str(id), "name": name}))).document

    made = run(way, work)
    if as_json:
        emit(made)
        return
    of = called(made["api"], made["operation"])
    say(f"{line_of(made['name'])} is kept as an example of {line_of(of)}.", "green bold")
    following(f"offhook api examples list {of}{again(way)}   lists them")


@app.command()
@by_api
def delete(way: Way, of: Operation, word: Word, as_json: AsJson = False) -> None:
    """Delete an example of an operation."""

    async def work(client: Client) -> tuple[str, Any]:
        name, found = await _one(client, of, word)
        await client.call("DELETE", f"{EXAMPLES}/{found['id']}")
        return name, found

    name, gone = run(way, work)
    if as_json:
        emit({"deleted": gone["id"], "name": gone["name"]})
        return
    say(f"{line_of(gone['name'])} is deleted.", "green bold")
    following(f"offhook api examples list {name}{again(way)}   shows what is left")
