"""The `offhook` command."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from offhook import __version__, bootstrap
from offhook.examples import FULL
from offhook.kit import log
from offhook.kit.errors import Refusal
from offhook.kit.ids import Ids
from offhook.kit.settings import Settings, load
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from offhook.storage.slots import lease

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
out = Console()
err = Console(stderr=True)

Data = Annotated[str | None, typer.Option(help="Folder of the database and its locks.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="postgresql://… instead of SQLite in the data folder.")]
ConfigFile = Annotated[Path | None, typer.Option(help="Settings file, TOML.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command()
def init(
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    name: Annotated[str, typer.Option(help="The company's name.")] = "Example Company",
    office: Annotated[
        Path | None, typer.Option(help="JSON file with the primary office, as a create takes it.")
    ] = None,
    admin_email: Annotated[str, typer.Option(help="The administrator's address.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a company with its primary office, sandbox numbers, and a first key for each environment."""
    settings = load({"data": data, "database_url": database_url}, config)
    body: dict[str, Any] = msgspec.json.decode(office.read_bytes()) if office else {**FULL, "name": "Head office"}
    database = Database(settings.url)
    upgrade(database)
    slot = lease(database)
    with database.transaction() as tx:
        made = bootstrap.found(tx, Ids(slot.number), name=name, primary=body, admin_email=admin_email)
    slot.release()
    database.close()
    answer = {
        "company_id": str(made.company.id),
        "office_id": str(made.office_ids["live"]),
        "sandbox_office_id": str(made.office_ids["sandbox"]),
        "live_key": made.keys["live"],
        "sandbox_key": made.keys["sandbox"],
    }
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        return
    for field, value in answer.items():
        out.print(f"{field:<18} {value}", highlight=False)
    out.print("\nThe keys are shown this once. Next: offhook serve")


@app.command()
def serve(
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: Annotated[str | None, typer.Option(help="redis://… to share rate limits.")] = None,
    config: ConfigFile = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    benchmark: Annotated[bool, typer.Option("--benchmark", help="Allow limits to be lifted; not for service.")] = False,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve the API until SIGTERM."""
    from offhook import server

    settings: Settings = load(
        {
            "data": data,
            "database_url": database_url,
            "redis_url": redis_url,
            "host": host,
            "port": port,
            "benchmark": benchmark or None,
            "log_level": log_level,
        },
        config,
    )
    log.configure(settings.log_level, **({"benchmark": True} if settings.benchmark else {}))
    server.serve(settings, server.listen(settings.host, settings.port))


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


def main() -> None:
    """The entry point: refusals are said in words, without a trace."""
    try:
        app()
    except Refusal as refusal:
        err.print(f"[red]{refusal.message}[/red]")
        for violation in refusal.violations:
            err.print(f"  {violation.location}: {violation.message}", highlight=False)
        raise SystemExit(1) from None
