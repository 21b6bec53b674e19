"""The history of test requests, by the API: listed, shown, compared, sent again."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from offhook.catalog.credentials.redaction import HIDDEN, is_private
from offhook.cli.apis import Headers, fitted, header_of, line_of, pages
from offhook.cli.common import AsJson, emit, err, facts, following, say, when
from offhook.cli.lines import V1
from offhook.cli.requests import SAVED, Values, is_good, merged, show_run, trial_values
from offhook.cli.saved import saved_request
from offhook.cli.way import Way, again, by_api, run
from offhook.client import Client, Refused, body_of
from offhook.kit.errors import Refusal

app = typer.Typer(no_args_is_help=True, help="What was sent, and what came back: the latest thousand runs.")

RUNS = f"{V1}/runs"
_FIRST_CHANGES = 50
Id = Annotated[int, typer.Argument(min=1, help="Its id, as the list shows it.", metavar="ID")]


@app.command("list")
@by_api
def list_runs(
    way: Way,
    saved: Annotated[
        str | None, typer.Option("--saved", help="Those of this saved request: a name or an id.", metavar="NAME|ID")
    ] = None,
    api: Annotated[str | None, typer.Option("--api", help="Those of this document.", metavar="NAME")] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", help="Those of operations with this key.", metavar="KEY")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs that have ended, the latest first."""
    query = {"limit": str(min(limit, 100))}
    query |= {name: given for name, given in (("api", api), ("operation", operation)) if given is not None}

    async def work(client: Client) -> list[Any]:
        of = {"saved_id": (await saved_request(client, saved))["id"]} if saved is not None else {}
        return await pages(client, RUNS, {**query, **of}, most=limit)

    items = run(way, work)
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("Nothing was sent yet.", "bold", to=err)
        following(f"offhook api request KEY --send{again(way)}   sends a request")
        return
    fitted(
        ("ID", "STARTED", "STATUS", "METHOD", "ADDRESS", "TIME", "BY"),
        [
            (
                one["id"], when(one["started"]), str(one.get("status") or one["state"]), one["request"]["method"],
                line_of(one["request"]["url"]), _milliseconds(one.get("times", {}).get("whole", 0)), line_of(one["by"]),
            )
            for one in items
        ],
    )  # fmt: skip
    steps = [f"offhook api runs show {items[0]['id']}{again(way)}   shows the latest"]
    if len(items) > 1:
        pair = f"{items[1]['id']} {items[0]['id']}"
        steps.append(f"offhook api runs compare {pair}{again(way)}   says what is different in it")
    following(*steps)


@app.command()
@by_api
def show(way: Way, id: Id, as_json: AsJson = False) -> None:
    """Show what a run got back."""

    async def work(client: Client) -> Any:
        return (await client.call("GET", f"{RUNS}/{id}")).document

    found = run(way, work)
    if as_json:
        emit(found)
        return
    facts([("started", f"{when(found['started'])}, by {line_of(found['by'])}"), ("state", found["state"])], to=err)
    show_run(found)
    steps = [f"offhook api runs again {id}{again(way)}   sends the same again"]
    if found.get("operation") and found.get("status"):
        steps.append(f"offhook api examples keep {id} NAME{again(way)}   keeps it as an example of its operation")
    following(*steps)


@app.command()
@by_api
def compare(
    way: Way,
    id: Id,
    other: Annotated[int, typer.Argument(min=1, help="The other one.", metavar="OTHER")],
    as_json: AsJson = False,
) -> None:
    """Say what is different in another run: status, headers, JSON by its paths, times."""

    async def work(client: Client) -> Any:
        return (await client.call("GET", f"{RUNS}/{id}/compare/{other}")).document

    found = run(way, work)
    if as_json:
        emit(found)
        return
    was, now = found["status_before"], found["status_after"]
    rows = [("status", f"{was or 'none'} both times" if was == now else f"{was or 'none'}, then {now or 'none'}")]
    for one in found["times"]:
        times = f"{_milliseconds(one['before'])}, then {_milliseconds(one['after'])}"
        rows.append((one["name"].replace("_", " "), times))
    facts(rows)
    say()
    _changes("Headers", "are the same", found["headers"])
    if found["same_body"]:
        say("The bodies are the same, byte by byte.", "bold")
    elif "body" not in found:
        say("The bodies are different, and not both are whole JSON.", "bold")
    else:
        _changes("Body", "has the same values, written differently", found["body"], more=found.get("more", False))
    following(f"offhook api runs show {other}{again(way)}   shows the whole of it")


def _changes(title: str, none: str, changes: Sequence[Mapping[str, str]], *, more: bool = False) -> None:
    if not changes and not more:
        say(f"{title} {none}.", "bold")
        return
    say(title, "bold")
    for one in changes[:_FIRST_CHANGES]:
        path = line_of(one["path"]) or "(all of it)"
        if "before" not in one:
            say(f"  + {path}: {line_of(one['after'])}", "green")
        elif "after" not in one:
            say(f"  - {path}: {line_of(one['before'])}", "red")
        else:
            say(f"  ~ {path}: {line_of(one['before'])}, then {line_of(one['after'])}", "yellow")
    if more:
        say("    and more than can be listed")
    elif len(changes) > _FIRST_CHANGES:
        say(f"    and {len(changes) - _FIRST_CHANGES:,} more; --json lists them")


@app.command("again")
@by_api
def send_again(way: Way, id: Id, value: Values = None, header: Headers = None, as_json: AsJson = False) -> None:
    """Send the request of a run once more, as it was asked for. What was secret in it has to be given anew.

    Ends with 0 for an answer below 400, else with 1.
    """
    values = trial_values(value)
    given = [header_of(one) for one in header or ()]

    async def work(client: Client) -> Any:
        was = (await client.call("GET", f"{RUNS}/{id}")).document
        request = was.get("prepared")
        if request is None:
            raise Refusal("How this run was asked for is not kept; prepare its request anew.")
        request["headers"] = merged(request.get("headers", []), given, folded=True)
        if missing := _missing(request):
            raise Refusal(
                f"The history holds no secrets, and {' and '.join(missing)} had one: give headers again with --header, "
                "or use a credential."
            )
        asked = {"request": request, "values": values}
        if was.get("saved_id") and await _is_there(client, was["saved_id"]):
            asked["saved_id"] = was["saved_id"]
        return (await client.call("POST", RUNS, body=body_of(asked))).document

    ran = run(way, work)
    if as_json:
        emit(ran)
    else:
        show_run(ran)
        following(f"offhook api runs compare {id} {ran['id']}{again(way)}   says what is different")
    if not is_good(ran):
        raise typer.Exit(1)


def _missing(request: Mapping[str, Any]) -> list[str]:
    """Where a secret was taken out of a request."""
    found = [
        line_of(one["name"])
        for group in ("path_parameters", "query", "headers")
        for one in request.get(group, ())
        if one.get("on", True)
        and (HIDDEN in one.get("value", "") or (not one.get("value") and is_private(one["name"])))
    ]
    return found + [f"the {name}" for name in ("server", "path", "body") if HIDDEN in request.get(name, "")]


async def _is_there(client: Client, id: str) -> bool:
    try:
        await client.call("GET", f"{SAVED}/{id}")
    except Refused as refusal:
        if refusal.code == 404:
            return False
        raise
    return True


@app.command()
@by_api
def delete(way: Way, id: Id, as_json: AsJson = False) -> None:
    """Delete a run from the history."""

    async def work(client: Client) -> None:
        await client.call("DELETE", f"{RUNS}/{id}")

    run(way, work)
    if as_json:
        emit({"deleted": str(id)})
        return
    say(f"The run {id} is deleted.", "green bold")
    following(f"offhook api runs list{again(way)}   shows what is left")


def _milliseconds(number: float) -> str:
    return f"{number:,.1f} ms"
