"""Saved requests of the workbench, by the API: listed, shown as code, run, brought back, deleted."""

import shlex
import sys
from typing import Annotated, Any

import msgspec
import typer

from offhook.cli.apis import called, clean, fitted, line_of, pages
from offhook.cli.common import AsJson, NotThere, emit, err, facts, following, say, table, when
from offhook.cli.lines import V1
from offhook.cli.requests import SAVED, Form, Values, is_good, show_code, show_run, trial_values, warn_of
from offhook.cli.way import Way, again, by_api, run
from offhook.client import Client, Refused, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Saved requests: by name, in collections, with their versions.")

_FEW = 10
Word = Annotated[str, typer.Argument(help="Its name, COLLECTION/NAME, or its id.", metavar="NAME|ID")]


async def saved_request(client: Client, word: str) -> Any:
    """The saved request that a name, a collection with a name, or an id means."""
    if word.isascii() and word.isdecimal():
        try:
            return (await client.call("GET", f"{SAVED}/{word}")).document
        except Refused as refusal:
            if refusal.code not in (400, 404):
                raise
    listed = await pages(client, SAVED)
    found = [one for one in listed if word in (one["name"], _full(one))]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(shlex.quote(_full(one)) if one["collection"] else one["id"] for one in found[:_FEW])
        raise Refusal(f"{shown(word)} is the name of several; say which: {names}.")
    names = ", ".join(shown(_full(one)) for one in listed[:_FEW])
    more = f" and {len(listed) - _FEW:,} more" if len(listed) > _FEW else ""
    known = f"there are {names}{more}" if names else "there is none; offhook api request KEY --save NAME keeps one"
    raise NotThere(f"There is no saved request {shown(word)}: {known}.")


def _full(one: Any) -> str:
    """A name with its collection."""
    return f"{one['collection']}/{one['name']}" if one["collection"] else str(one["name"])


def _for(request: Any) -> str:
    """The operation that a request was made for, as commands take it."""
    return called(request["api"], request["operation"]) if request.get("api") and request.get("operation") else ""


@app.command("list")
@by_api
def list_saved(
    way: Way,
    collection: Annotated[
        str | None, typer.Option(help='Those of this collection; "" are those in none.', metavar="NAME")
    ] = None,
    api: Annotated[str | None, typer.Option("--api", help="Those of this document.", metavar="NAME")] = None,
    as_json: AsJson = False,
) -> None:
    """List the saved requests of the company, oldest first."""
    query = {"api": api} if api is not None else {}
    if collection is not None:
        query |= {"collection": collection} if collection else {"in_none": "true"}
    items = run(way, lambda client: pages(client, SAVED, query))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("No request is saved.", "bold", to=err)
        following(f"offhook api request KEY --save NAME{again(way)}   keeps one")
        return
    fitted(
        ("ID", "NAME", "COLLECTION", "METHOD", "PATH", "VERSION", "CHANGED"),
        [
            (
                one["id"], line_of(one["name"]), line_of(one["collection"]), line_of(request.get("method", "GET")),
                line_of(request.get("path", "")), str(one["version"]), when(one["updated_at"]),
            )
            for one, request in ((one, one["request"]) for one in items)
        ],
    )  # fmt: skip
    following(f"offhook api saved run {items[-1]['id']}{again(way)}   sends the last of them")


@app.command()
@by_api
def show(
    way: Way,
    word: Word,
    version: Annotated[int | None, typer.Option(min=1, help="As it was at this version.", metavar="N")] = None,
    value: Values = None,
    form: Form = "curl",
    as_json: AsJson = False,
) -> None:
    """Show a saved request as code; where it cannot be sent as it stands, as JSON."""
    values = trial_values(value)

    async def work(client: Client) -> tuple[Any, Any]:
        found = await saved_request(client, word)
        if version is not None:
            was = (await client.call("GET", f"{SAVED}/{found['id']}/versions/{version}")).document
            found = {**found, **{name: was[name] for name in ("version", "name", "collection", "request")}}
            found["updated_at"] = was["at"]
        asked = {"request": found["request"], "values": values}
        return found, (await client.call("POST", f"{SAVED}/check", body=body_of(asked))).document

    found, checked = run(way, work)
    faults = checked.get("faults", [])
    if as_json:
        emit({**found, **checked, "faults": faults})
        return
    request = found["request"]
    rows = [
        ("name", line_of(found["name"])), ("collection", line_of(found["collection"]) or "none"),
        ("version", f"{found['version']}, of {when(found['updated_at'])}"),
    ]  # fmt: skip
    if _for(request):
        rows.append(("operation", line_of(_for(request))))
    facts(rows, to=err)
    if "code" in checked:
        show_code(checked, form, request.get("credential_id") or None)
    else:
        written = msgspec.json.format(msgspec.json.encode(request), indent=2).decode()
        sys.stdout.write(clean(written) + "\n")
    warn_of(faults, sendable="code" in checked)
    following(
        f"offhook api saved run {found['id']}{again(way)}   sends it",
        f"offhook api saved versions {found['id']}{again(way)}   says how it was before",
    )


@app.command("run")
@by_api
def run_saved(way: Way, word: Word, value: Values = None, as_json: AsJson = False) -> None:
    """Send a saved request from the server. Ends with 0 for an answer below 400, else with 1."""
    values = trial_values(value)

    async def work(client: Client) -> tuple[Any, Any]:
        found = await saved_request(client, word)
        asked = body_of({"saved_id": found["id"], "values": values})
        return found, (await client.call("POST", f"{V1}/runs", body=asked)).document

    found, ran = run(way, work)
    if as_json:
        emit(ran)
    else:
        show_run(ran)
        following(f"offhook api runs list --saved {found['id']}{again(way)}   says what it gave before")
    if not is_good(ran):
        raise typer.Exit(1)


@app.command()
@by_api
def versions(way: Way, word: Word, as_json: AsJson = False) -> None:
    """List the versions of a saved request that are kept, the newest first."""

    async def work(client: Client) -> tuple[Any, Any]:
        found = await saved_request(client, word)
        return found, (await client.call("GET", f"{SAVED}/{found['id']}/versions")).document

    found, listed = run(way, work)
    if as_json:
        emit(listed)
        return
    table(
        ("VERSION", "CHANGED", "BY", "COLLECTION", "NAME"),
        [
            (str(one["version"]), when(one["at"]), line_of(one["by"]), line_of(one["collection"]), line_of(one["name"]))
            for one in listed["items"]
        ],
    )
    following(
        f"offhook api saved show {found['id']} --version N{again(way)}   shows one",
        f"offhook api saved restore {found['id']} N{again(way)}   brings one back",
    )


@app.command()
@by_api
def restore(
    way: Way,
    word: Word,
    version: Annotated[int, typer.Argument(min=1, help="The version that it is to be again.", metavar="N")],
    as_json: AsJson = False,
) -> None:
    """Make an earlier version of a saved request its newest one. Those between are kept."""

    async def work(client: Client) -> Any:
        found = await saved_request(client, word)
        place = f"{SAVED}/{found['id']}"
        was = (await client.call("GET", f"{place}/versions/{version}")).document
        body = {name: was[name] for name in ("name", "collection", "request")}
        return (await client.call("PUT", place, body=body_of(body))).document

    found = run(way, work)
    if as_json:
        emit(found)
        return
    say(f"{line_of(found['name'])} is again as it was: version {found['version']}.", "green bold")
    following(f"offhook api saved show {found['id']}{again(way)}   shows it")


@app.command()
@by_api
def delete(way: Way, word: Word, as_json: AsJson = False) -> None:
    """Delete a saved request with its versions. Its runs stay in the history."""

    async def work(client: Client) -> Any:
        found = await saved_request(client, word)
        await client.call("DELETE", f"{SAVED}/{found['id']}")
        return found

    gone = run(way, work)
    if as_json:
        emit({"deleted": gone["id"], "name": gone["name"]})
        return
    say(f"{line_of(gone['name'])} is deleted, with its versions.", "green bold")
    following(f"offhook api saved list{again(way)}   shows what is left")
