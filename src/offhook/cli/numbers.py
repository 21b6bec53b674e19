"""The number inventory: added to and listed on the machine itself, imported into by the API as well."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from offhook.cli import imports
from offhook.cli.common import (
    AsJson,
    CompanyId,
    ConfigFile,
    Data,
    DatabaseUrl,
    InEnvironment,
    emit,
    err,
    following,
    moment,
    refuse,
    say,
    table,
)
from offhook.cli.imports import Kind, Quiet, Report
from offhook.cli.way import DryRun, Way, by_api, on_this_machine
from offhook.events.model import SYSTEM
from offhook.kit.errors import Refusal, shown
from offhook.kit.settings import load

if TYPE_CHECKING:
    from offhook.numbers.model import Number

app = typer.Typer(no_args_is_help=True, help="The company's telephone numbers.")

_PAGE = 1000
_RECORDS = 5000
_CHANGE = "Their type and office are fixed: take a free one out with DELETE /api/v2/numbers/NUMBER?release=true first."


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
    from offhook.cli.store import company_of, opened, tenant_of
    from offhook.numbers import service

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
        refuse(why if why.startswith(number) else f"{number}: {why}")
    if refused:
        raise typer.Exit(1)
    if not as_json:
        following(f'give it to an office: "mainline_number": "{added[0]}" in the body of a create')


def _why(refusal: Refusal) -> str:
    return " ".join(v.message for v in refusal.violations) or refusal.message


@app.command("import")
@by_api
def import_numbers(
    way: Way,
    file: Annotated[Path, typer.Argument(help="A carrier's list: JSON lines (.jsonl, .ndjson) or a table (.csv).")],
    report: Report = None,
    quiet: Quiet = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import numbers from a file: number, and if need be type and office_id. Safe to repeat."""
    kind = Kind("number", "/api/offhook/v1/numbers/import", _named, _RECORDS, _listing, _CHANGE)
    imports.run(file, way, kind, report=report, quiet=quiet, dry_run=dry_run, as_json=as_json)


def _listing(way: Way) -> str:
    """How to list the inventory that was imported into: a server's over HTTP, this machine's by the command."""
    if way.url:
        return f"curl -H 'Authorization: Bearer KEY' {way.url.rstrip('/')}/api/v2/numbers"
    environment = way.of_key or way.environment or "live"
    return f"offhook number list --environment {environment}{on_this_machine(way.data, way.config, way.company)}"


def _named(record: Any) -> str:
    return shown(record.get("number", "-"))


@app.command("list")
def list_numbers(
    environment: InEnvironment = "live",
    free: Annotated[bool, typer.Option("--free", help="Only those that nothing has.")] = False,
    status: Annotated[
        str | None, typer.Option(help="Only those of one status: available, office, user, room...", metavar="STATUS")
    ] = None,
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the inventory: each number, its status, and what has it."""
    from offhook.cli.store import company_of, opened, tenant_of
    from offhook.numbers import store
    from offhook.numbers.model import Status

    wanted: Any = "available" if free else status
    if wanted is not None and wanted not in get_args(Status):
        raise Refusal(f"{shown(wanted)} is no status; there are {', '.join(get_args(Status))}.")
    if free and status not in (None, "available"):
        raise Refusal("--free is the status available; say one of the two.")
    found: list[Number] = []
    with opened(load({"data": data, "database_url": database_url}, config)) as database, database.reading() as tx:
        tenant = tenant_of(tx, company_of(tx, company), environment)
        counts = store.counts(tx, tenant)
        while page := store.page(tx, tenant, found[-1].e164 if found else "", _PAGE, wanted):
            found += page
    if as_json:
        emit(
            {
                "environment": environment,
                "numbers": [
                    {
                        "number": number.e164,
                        "status": number.status,
                        "free": number.status == "available",
                        "type": number.type,
                        "country": number.country.lower(),
                        "area_code": number.area_code or None,
                        "office_id": str(number.office_id) if number.office_id else None,
                        "target_type": number.target_type or None,
                        "target_id": str(number.target_id) if number.target_type else None,
                        "added_at": str(number.added_at),
                    }
                    for number in found
                ],
            }
        )
        return
    table(
        ("NUMBER", "STATUS", "TARGET", "TYPE", "COUNTRY", "AREA", "POOL", "ADDED"),
        [
            (
                number.e164,
                number.status,
                f"{number.target_type} {number.target_id}" if number.target_type else "-",
                number.type,
                number.country,
                number.area_code or "-",
                f"office {number.office_id}" if number.office_id else "company",
                moment(number.added_at),
            )
            for number in found
        ],
    )
    total = sum(counts.values())
    say(f"{total:,} in {environment}, {counts.get('available', 0):,} free.", "dim", to=err)
    if not total:
        where = f"--environment {environment}{on_this_machine(data, config, company)}"
        following(f"offhook number add +1… {where}", f"offhook number import FILE {where}")
