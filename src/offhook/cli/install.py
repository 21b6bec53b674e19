"""Commands that make, run and look after an installation: init, serve, settings, db, backup, restore, version."""

import os
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from offhook import __version__, bootstrap
from offhook.access import store as access_store
from offhook.cli.common import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    connect,
    emit,
    err,
    facts,
    following,
    masked,
    opened,
    place,
    read_file,
    say,
    table,
    warn,
)
from offhook.examples import FULL
from offhook.kit import log
from offhook.kit.errors import Conflict, Invalid, Refusal, Violation
from offhook.kit.ids import Ids
from offhook.kit.settings import PREFIX, Settings, load
from offhook.kit.wire import Misfit, parse
from offhook.offices import rules
from offhook.storage import backup as backups
from offhook.storage import migrate
from offhook.storage.slots import lease

_BESIDES_US = ("e911_address", "use_same_address", "timezone")

RedisUrl = Annotated[str | None, typer.Option(help="redis://… to share rate limits.", metavar="URL")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")]
Benchmark = Annotated[bool, typer.Option("--benchmark", help="Allow limits to be lifted; not for service.")]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    first: list[Callable[..., None]] = [init, serve]
    then: list[Callable[..., None]] = [backup, restore, settings, version]
    for command in first:
        app.command()(command)
    app.add_typer(_db, name="db")
    for command in then:
        app.command()(command)


def init(
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    name: Annotated[str, typer.Option(help="The company's name.")] = "Example Company",
    office: Annotated[
        Path | None, typer.Option(help="JSON file with the head office, as a create takes it; - reads it.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="The head office's country, as US.")] = None,
    currency: Annotated[str | None, typer.Option(help="What it is billed in, as USD.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Its time zone, as America/New_York.")] = None,
    admin_email: Annotated[str, typer.Option(help="The administrator's address.")] = "",
    another: Annotated[bool, typer.Option("--another", help="Add a company where there is one already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a company: its head office, sandbox numbers, and a first key for live and for sandbox."""
    chosen = load({"data": data, "database_url": database_url}, config)
    body = _head_office(office, country=country, currency=currency, timezone=timezone)
    database = connect(chosen)
    try:
        migrate.upgrade(database)
        slot = lease(database)
        with database.transaction() as tx:
            if not another and (there := access_store.all_companies(tx)):
                raise Conflict(
                    f"{place(chosen)} already holds the company {there[0].name} ({there[0].id}). "
                    "offhook key create makes another key for it; --another adds a company; "
                    "--data begins elsewhere."
                )
            try:
                made = bootstrap.found(tx, Ids(slot.number), name=name, primary=body, admin_email=admin_email)
            except Misfit as misfit:
                raise Invalid.of([*misfit.violations, *_broken_besides(misfit)]) from None
        slot.release()
    finally:
        database.close()
    if as_json:
        emit(
            {
                "company_id": str(made.company.id),
                "office_id": str(made.office_ids["live"]),
                "sandbox_office_id": str(made.office_ids["sandbox"]),
                "live_key": made.keys["live"],
                "sandbox_key": made.keys["sandbox"],
            }
        )
        return
    say(f"{name} is set up in {place(chosen)}.", "green bold")
    say()
    facts(
        [
            ("company", str(made.company.id)),
            ("head office, live", f"{made.office_ids['live']}  {body['name']}"),
            ("head office, sandbox", str(made.office_ids["sandbox"])),
            ("sandbox numbers", _span(made.sandbox_numbers)),
            ("live key", made.keys["live"]),
            ("sandbox key", made.keys["sandbox"]),
        ]
    )
    say()
    say("The two keys are shown this once; only their hashes are kept.", "yellow")
    if office is None:
        say(
            "The head office has an example's addresses. Before live calls: describe yours with --office FILE, "
            "or set where help is sent by PUT /api/v2/offices/{id}/e911.",
            "yellow",
        )
    warn(notice for notice in made.notices if notice.code != "no_number")
    where = "" if data is None else f" --data {data}"
    following(f"offhook serve{where}", f"offhook number add +1… {where.strip()}".rstrip() + "   gives live a number")


def _span(numbers: list[str]) -> str:
    return f"{len(numbers)}, from {numbers[0]}" if numbers else "none"


def _head_office(office: Path | None, **chosen: str | None) -> dict[str, Any]:
    """The head office's create body: a file's or the example's, with what the options say."""
    body: Any = parse(read_file(office)).value if office else {**FULL, "name": "Head office"}
    if not isinstance(body, dict):
        raise Refusal(f"{office} must hold one JSON object: the body of a create.")
    country = chosen["country"]
    if office is None and country not in (None, FULL["country"]):
        # What the example says of the United States is not true of another country.
        body = {name: value for name, value in body.items() if name not in _BESIDES_US}
    return {**body, **{name: value for name, value in chosen.items() if value is not None}}


def _broken_besides(misfit: Misfit) -> list[Violation]:
    try:
        rules.check(misfit.mended, None, [])
    except Invalid as invalid:
        return [violation for violation in invalid.violations if not misfit.explains(violation)]
    return []


def serve(
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    benchmark: Benchmark = False,
    log_level: LogLevel = None,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C; requests under way are finished."""
    from offhook import server

    chosen = load(
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
    log.configure(chosen.log_level, **({"benchmark": True} if chosen.benchmark else {}))
    # The server hands the signal on when it has stopped: that is the end asked for, not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    database = connect(chosen)
    database.close()
    try:
        bound = server.listen(chosen.host, chosen.port)
    except (OSError, OverflowError) as error:
        raise _cannot_listen(chosen, error) from None

    def started(url: str) -> None:
        if not sys.stdout.isatty():
            return
        say()
        say(f"Offhook {__version__} serves {url}", "green bold")
        facts(
            [
                ("reference", f"{url}/docs"),
                ("store", place(chosen)),
                ("stop", "Ctrl-C"),
            ]
        )
        if chosen.benchmark:
            say(f"Limits are multiplied by {chosen.rate_limit_scale:g}: not for service.", "yellow")
        say()

    server.serve(chosen, bound, started)


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def _cannot_listen(chosen: Settings, error: Exception) -> Refusal:
    at = f"{chosen.host}:{chosen.port}"
    if isinstance(error, OSError) and error.errno == 98:
        return Refusal(
            f"{at} is taken by another program. Choose another port (--port {min(chosen.port + 1, 65535)}), "
            "or any free one (--port 0)."
        )
    if isinstance(error, PermissionError):
        return Refusal(f"{at} needs rights that this user has not. Choose a port from 1024 on (--port 8080).")
    cause = error.strerror if isinstance(error, OSError) else str(error)
    return Refusal(f"{at} cannot be listened on: {cause}. --host takes an address of this machine, as 127.0.0.1.")


# The store

_db = typer.Typer(no_args_is_help=True, help="The store's schema.")


@_db.command()
def upgrade(
    data: Data = None, database_url: DatabaseUrl = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Bring the store to this version's schema; the server does so too when it starts."""
    chosen = load({"data": data, "database_url": database_url}, config)
    database = connect(chosen)
    try:
        before = migrate.current(database)
        migrate.upgrade(database)
        after = migrate.current(database)
    finally:
        database.close()
    if as_json:
        emit({"before": before, "schema": after, "changed": before != after})
    elif before == after:
        say(f"{place(chosen)} already has schema {after}.")
    else:
        say(f"{place(chosen)} now has schema {after} (before: {before or 'none'}).", "green")


@_db.command()
def status(
    data: Data = None, database_url: DatabaseUrl = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Which schema the store has, and what is in it."""
    chosen = load({"data": data, "database_url": database_url}, config)
    exists = bool(chosen.database_url) or chosen.sqlite_path.exists()
    found = companies = None
    newest = None
    if exists:
        database = connect(chosen)
        try:
            found, newest = migrate.current(database), migrate.head(database)
            if found is not None:
                with database.reading() as tx:
                    companies = len(access_store.all_companies(tx))
        finally:
            database.close()
    current = exists and found == newest
    if as_json:
        emit(
            {
                "store": place(chosen),
                "schema": found,
                "newest": newest,
                "current": current,
                "companies": companies or 0,
            }
        )
        return
    facts(
        [
            ("store", place(chosen)),
            ("schema", found or "none"),
            ("newest", newest or "-"),
            ("companies", str(companies or 0)),
        ]
    )
    if not companies:
        following("offhook init")
    elif not current:
        following("offhook db upgrade")


@contextmanager
def _progress(title: str) -> Iterator[Callable[[str, int], None]]:
    """A line that moves on a terminal; gives the function that storage tells what it does and how far it is."""
    with err.status(title) as line:
        yield lambda doing, rows: line.update(f"{title}  {doing}: {rows:,} rows")


def _declare_every_table() -> None:
    """Import what declares tables: a backup that did not know of one would leave it out."""
    from offhook import app  # noqa: F401


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; one that is there is replaced.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole store to one file, as of one moment; a server may go on meanwhile."""
    _declare_every_table()
    chosen = load({"data": data, "database_url": database_url}, config)
    with opened(chosen) as database, _progress("Backing up") as progress:
        summary = backups.backup(database, file, progress)
    if as_json:
        emit(_summary(summary))
        return
    say(f"{place(chosen)} is backed up in {file}, {_bytes(summary.size)}.", "green bold")
    _rows(summary)
    say(
        "The file holds everything, billing contacts and hashes of keys included: keep it as you keep the store.", "dim"
    )
    following(f"offhook restore {file} --data NEW-FOLDER   reads it into a new store")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that offhook backup wrote.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Read a backup into an empty store, wholly or not at all; no server should run over it."""
    _declare_every_table()
    chosen = load({"data": data, "database_url": database_url}, config)
    if not file.is_file():
        raise Refusal(f"There is no backup {file}.")
    database = connect(chosen)
    try:
        with _progress("Restoring") as progress:
            summary = backups.restore(database, file, progress)
    finally:
        database.close()
    if as_json:
        emit(_summary(summary))
        return
    say(f"{place(chosen)} now holds what {file} held at {summary.created_at}.", "green bold")
    _rows(summary)
    following("offhook serve" + ("" if data is None else f" --data {data}") + "   the keys are those of then")


def _rows(summary: backups.Summary) -> None:
    facts((name, f"{count:>12,}") for name, count in summary.rows.items())


def _summary(summary: backups.Summary) -> dict[str, Any]:
    return {
        "file": str(summary.path),
        "schema": summary.schema,
        "created_at": summary.created_at,
        "bytes": summary.size,
        "rows": summary.rows,
    }


def _bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


# What is in force


def settings(
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    benchmark: Benchmark = False,
    log_level: LogLevel = None,
    as_json: AsJson = False,
) -> None:
    """The settings that a server started like this would have, and where each comes from. Secrets are masked."""
    flags: dict[str, Any] = {
        "data": data,
        "database_url": database_url,
        "redis_url": redis_url,
        "host": host,
        "port": port,
        "benchmark": benchmark or None,
        "log_level": log_level,
    }
    chosen = load(flags, config)
    sources = _sources(flags, config, os.environ)
    shown = {
        name: (masked(value) if isinstance(value, str) else value)
        for name, value in msgspec.structs.asdict(chosen).items()
    }
    if as_json:
        emit({name: {"value": value, "source": sources[name]} for name, value in shown.items()})
        return
    table(
        ("SETTING", "VALUE", "FROM"),
        [(name, _written(value), sources[name]) for name, value in sorted(shown.items())],
    )
    say()
    say("In rising order: OFFHOOK_ in the environment, the settings file, flags.", "dim", to=err)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-" if value == "" else f"{value:g}" if isinstance(value, float) else str(value)


def _sources(flags: Mapping[str, Any], config: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Setting to what it was taken from, by the order that kit/settings.py keeps."""
    file = config or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    in_file = tomllib.loads(file.read_text()) if file else {}
    found = {}
    for field in msgspec.structs.fields(Settings):
        name, variable = field.name, PREFIX + field.name.upper()
        if flags.get(name) is not None:
            found[name] = "--" + name.replace("_", "-")
        elif name in in_file:
            found[name] = str(file)
        else:
            found[name] = variable if environ.get(variable) else "default"
    return found


def version(as_json: AsJson = False) -> None:
    """Print the version."""
    if as_json:
        emit({"version": __version__})
    else:
        say(__version__)
