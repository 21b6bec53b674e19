"""The number inventory, on the machine itself: numbers are added here, and offices claim them by the API."""

from typing import Annotated, Any

import typer

from offhook.cli.common import (
    AsJson,
    CompanyId,
    ConfigFile,
    Data,
    DatabaseUrl,
    InEnvironment,
    company_of,
    emit,
    err,
    following,
    moment,
    opened,
    refuse,
    say,
    table,
    tenant_of,
)
from offhook.events.model import SYSTEM
from offhook.kit.errors import Refusal
from offhook.kit.settings import load
from offhook.numbers import service, store

app = typer.Typer(no_args_is_help=True, help="The company's telephone numbers.")

_PAGE = 1000


@app.command()
def add(
    numbers: Annotated[list[str], typer.Argument(help="In E.164, as +14155550123.", metavar="NUMBER…")],
    environment: InEnvironment = "live",
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add numbers to the inventory, each by itself: one that is refused keeps no other out."""
    added: list[str] = []
    refused: list[tuple[str, str]] = []
    with opened(load({"data": data, "database_url": database_url}, config)) as database:
        with database.reading() as tx:
            tenant = tenant_of(tx, company_of(tx, company), environment)
        for number in numbers:
            try:
                with database.transaction() as tx:
                    added.append(service.add(tx, tenant, environment, number, SYSTEM))
            except Refusal as refusal:
                refused.append((number, _why(refusal)))
    if as_json:
        emit({"added": added, "refused": [{"number": number, "message": why} for number, why in refused]})
    else:
        for number in added:
            say(f"{number} is in the {environment} inventory, free.", "green")
    for number, why in refused:
        refuse(f"{number}: {why}")
    if refused:
        raise typer.Exit(1)
    if not as_json:
        following(f'give it to an office: "mainline_number": "{added[0]}" in the body of a create')


def _why(refusal: Refusal) -> str:
    return " ".join(v.message for v in refusal.violations) or refusal.message


@app.command("list")
def list_numbers(
    environment: InEnvironment = "live",
    free: Annotated[bool, typer.Option("--free", help="Only those that nothing has.")] = False,
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the inventory: each number, and what has it."""
    rows: list[Any] = []
    with opened(load({"data": data, "database_url": database_url}, config)) as database, database.reading() as tx:
        tenant = tenant_of(tx, company_of(tx, company), environment)
        while page := store.page(tx, tenant, rows[-1][0] if rows else "", _PAGE):
            rows += page
    shown = [row for row in rows if not (free and row[1])]
    if as_json:
        emit(
            {
                "environment": environment,
                "numbers": [
                    {
                        "number": number,
                        "free": not kind,
                        "target_type": kind or None,
                        "target_id": str(target) if kind else None,
                        "added_at": str(added),
                    }
                    for number, kind, target, added in shown
                ],
            }
        )
        return
    table(
        ("NUMBER", "STATE", "ADDED"),
        [(number, f"{kind} {target}" if kind else "free", moment(added)) for number, kind, target, added in shown],
    )
    say(f"{len(rows)} in {environment}, {sum(not row[1] for row in rows)} free.", "dim", to=err)
    if not rows:
        following(f"offhook number add +1… --environment {environment}")
