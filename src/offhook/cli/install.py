"""Commands that make and run an installation: init, serve, settings, version."""

import os
import signal
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from offhook import __version__
from offhook.cli.common import (
    DEFAULTS,
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    emit,
    err,
    facts,
    following,
    masked,
    place,
    read_file,
    say,
    table,
    warn,
)
from offhook.examples import FULL, HEAD_OFFICE
from offhook.kit.errors import Conflict, Invalid, Refusal, Violation
from offhook.kit.ids import Ids
from offhook.kit.settings import MASKED, PREFIX, Settings, load
from offhook.kit.variables import unread
from offhook.kit.wire import Misfit, parse

_BESIDES_US = ("e911_address", "use_same_address", "timezone")

RedisUrl = Annotated[
    str | None, typer.Option(help="redis://… to share rate limits.", metavar="URL", show_default="none")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default=DEFAULTS.host)]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on; 0 takes a free one.", show_default=str(DEFAULTS.port))
]
SipHost = Annotated[
    str | None, typer.Option(help="Address to listen on for telephones.", show_default=DEFAULTS.sip_host)
]
SipPort = Annotated[
    int | None, typer.Option(help="UDP port for telephones; 0 takes a free one.", show_default=str(DEFAULTS.sip_port))
]
Benchmark = Annotated[bool, typer.Option("--benchmark", help="Allow limits to be lifted; not for service.")]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error.", show_default=DEFAULTS.log_level)]


def init(
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    name: Annotated[str, typer.Option(help="The company's name.")] = "Example Company",
    office: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with the head office, as a create takes it; - reads it.", show_default="an example's"
        ),
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="The head office's country.", show_default=FULL["country"])
    ] = None,
    currency: Annotated[str | None, typer.Option(help="What it is billed in.", show_default=FULL["currency"])] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Its time zone.", show_default="the example's, or its country's")
    ] = None,
    admin_email: Annotated[str, typer.Option(help="The administrator's address.")] = "",
    another: Annotated[bool, typer.Option("--another", help="Add a company where there is one already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a company: its head office, sandbox numbers, and a first key for live and for sandbox."""
    from offhook import bootstrap
    from offhook.access import store as access_store
    from offhook.cli.store import connect
    from offhook.storage import migrate
    from offhook.storage.slots import lease

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
            "or set where help is sent with offhook office emergency-address.",
            "yellow",
        )
    warn(notice for notice in made.notices if notice.code != "no_number")
    where = "" if data is None else f" --data {data}"
    following(f"offhook serve{where}", f"offhook number add +1… {where.strip()}".rstrip() + "   gives live a number")


def _span(numbers: list[str]) -> str:
    return (
        f"{len(numbers)}, {min(numbers)} and others: offhook number list --environment sandbox" if numbers else "none"
    )


def _head_office(office: Path | None, **chosen: str | None) -> dict[str, Any]:
    """The head office's create body: a file's or the example's, with what the options say."""
    body: Any = parse(read_file(office)).value if office else HEAD_OFFICE
    if not isinstance(body, dict):
        raise Refusal(f"{office} must hold one JSON object: the body of a create.")
    country = chosen["country"]
    if office is None and country not in (None, FULL["country"]):
        # What the example says of the United States is not true of another country.
        body = {name: value for name, value in body.items() if name not in _BESIDES_US}
    return {**body, **{name: value for name, value in chosen.items() if value is not None}}


def _broken_besides(misfit: Misfit) -> list[Violation]:
    from offhook.offices import rules

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
    sip_host: SipHost = None,
    sip_port: SipPort = None,
    benchmark: Benchmark = False,
    log_level: LogLevel = None,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C; requests under way are finished."""
    import structlog

    from offhook import server
    from offhook.cli.store import connect
    from offhook.kit import log
    from offhook.telephony import listening

    chosen = load(
        {
            "data": data,
            "database_url": database_url,
            "redis_url": redis_url,
            "host": host,
            "port": port,
            "sip_host": sip_host,
            "sip_port": sip_port,
            "benchmark": benchmark or None,
            "log_level": log_level,
        },
        config,
    )
    log.configure(chosen.log_level, **({"benchmark": True} if chosen.benchmark else {}))
    unknown = unread(os.environ)
    for variable, told in unknown.items():
        structlog.get_logger("offhook.settings").warning("variable_not_read", variable=variable, mend=told)
    # The server hands the signal on when it has stopped: that is the end asked for, not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    database = connect(chosen)
    database.close()
    try:
        bound = server.listen(chosen.host, chosen.port)
    except (OSError, OverflowError) as error:
        raise _cannot_listen(chosen, error) from None
    chosen = listening.claimed(chosen)

    def started(url: str) -> None:
        if not sys.stdout.isatty():
            return
        say()
        say(f"Offhook {__version__} serves {url}", "green bold")
        facts(
            [
                ("reference", f"{url}/docs"),
                ("store", place(chosen)),
                ("telephones", _telephones(chosen)),
                ("stop", "Ctrl-C"),
            ]
        )
        for told in unknown.values():
            say(told, "yellow bold")
        if chosen.benchmark:
            say(f"Limits are multiplied by {chosen.rate_limit_scale:g}: not for service.", "yellow")
        say()

    server.serve(chosen, bound, started)


def _telephones(chosen: Settings) -> str:
    """Where they are answered, in a line."""
    if not chosen.sip:
        return "none are answered (sip is off)"
    here = ", this machine only" if chosen.sip_host.startswith("127.") else ""
    reached = f", reached at {chosen.sip_address}" if chosen.sip_address else ""
    return f"UDP {chosen.sip_host}:{chosen.sip_port}{reached}{here}; sound at UDP {chosen.media_ports}"


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


# What is in force


def settings(
    data: Data = None,
    database_url: DatabaseUrl = None,
    redis_url: RedisUrl = None,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    sip_host: SipHost = None,
    sip_port: SipPort = None,
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
        "sip_host": sip_host,
        "sip_port": sip_port,
        "benchmark": benchmark or None,
        "log_level": log_level,
    }
    chosen = load(flags, config)
    sources = _sources(flags, config, os.environ)
    shown = {
        name: "***" if name in MASKED and value else masked(value) if isinstance(value, str) else value
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
