"""Users, by the API: imported from a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.cli import imports
from offhook.cli.common import AsJson, emit, say, table
from offhook.cli.imports import Kind, Quiet, Report
from offhook.cli.way import DryRun, Way, by_api, run
from offhook.client import Client
from offhook.kit.errors import shown

app = typer.Typer(no_args_is_help=True, help="Users, by the API.")

USERS = "/api/v2/users"
_RECORDS = 200
_CHANGE = "Change them with a file of the company (offhook export, then apply), or each with PATCH /api/v2/users/ID."


@app.command("import")
@by_api
def import_users(
    way: Way,
    file: Annotated[Path, typer.Argument(help="Users, one a line as JSON (.jsonl, .ndjson), or a table (.csv).")],
    report: Report = None,
    quiet: Quiet = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import users from a file. Safe to repeat: who has the e-mail address already is found, not made again."""
    kind = Kind("user", "/api/offhook/v1/users/import", _named, _RECORDS, change=_CHANGE)
    imports.run(file, way, kind, report=report, quiet=quiet, dry_run=dry_run, as_json=as_json)


def _named(record: Any) -> str:
    return f"{record.get('id', '-'):<16} {shown(record.get('email', ''))}"


@app.command("list")
@by_api
def list_users(
    way: Way,
    as_json: AsJson = False,
) -> None:
    """List the company's users, oldest first."""

    async def work(client: Client) -> list[Any]:
        found: list[Any] = []
        query: dict[str, str] = {}
        while True:
            page = (await client.call("GET", USERS, query=query)).document
            found += page.get("items", [])
            if "cursor" not in page:
                return found
            query["cursor"] = page["cursor"]

    users = run(way, work)
    if as_json:
        emit({"items": users})
        return
    table(
        ("ID", "NAME", "E-MAIL", "EXTENSION", "LICENCE", "STATE", "NUMBERS"),
        [
            (
                user["id"],
                user["display_name"],
                user["emails"][0],
                user.get("extension", "-"),
                user["license"],
                user["state"],
                " ".join(user.get("phone_numbers", ())),
            )
            for user in users
        ],
    )
    if not users:
        say("There are no users yet.", "dim")
