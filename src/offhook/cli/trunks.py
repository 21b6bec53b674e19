"""Carriers, by the API. Passwords are asked for or read, and are never arguments of a command."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.cli.apis import line_of, pages
from offhook.cli.common import AsJson, NotThere, emit, err, facts, following, read_file, say, table
from offhook.cli.lines import V1
from offhook.cli.narrow import Whole
from offhook.cli.way import Way, again, by_api, run
from offhook.client import Client, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Carriers: where calls come in from, and which numbers may be called.")

TRUNKS = f"{V1}/trunks"
Word = Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME")]
Address = Annotated[
    list[str] | None,
    typer.Option(
        "--address", help="Where its calls come from: 203.0.113.7, 203.0.113.7:5060, 203.0.113.0/28; repeat it."
    ),
]
Proxy = Annotated[str | None, typer.Option("--proxy", help="Where calls go out to: sip.example.com, 203.0.113.7:5060.")]
Domain = Annotated[str | None, typer.Option("--domain", help="What stands behind the @; the proxy's host unless said.")]
Username = Annotated[str | None, typer.Option("--username", help="Who we are to it, where it asks.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="Where the password for that is read from, - for stdin.", metavar="FILE"),
]
Proves = Annotated[str | None, typer.Option("--inbound-username", help="What it must prove to be, by digest.")]
ProvesFile = Annotated[
    Path | None,
    typer.Option("--inbound-password-file", help="Where that password is read from, - for stdin.", metavar="FILE"),
]
Prefix = Annotated[
    list[str] | None,
    typer.Option("--allow", help="What numbers begin with that may be called: +1, +4420; repeat it.", metavar="PREFIX"),
]
International = Annotated[
    bool | None, typer.Option("--international/--no-international", help="Whether numbers abroad may be called.")
]
Emergency = Annotated[
    bool | None, typer.Option("--emergency/--no-emergency", help="Whether emergency calls go by it, before others.")
]
MostCalls = Annotated[int | None, typer.Option("--most-calls", help="How many calls may go on by it at once.")]
Enabled = Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether calls come and go by it.")]
_EXAMPLE = "Example: offhook trunk "


@app.command(
    cls=Whole, epilog=_EXAMPLE + "add Carrier --country US --address 203.0.113.7 --proxy sip.example.com --allow +1"
)
@by_api
def add(
    way: Way,
    name: Annotated[str, typer.Argument(help="What it is called; unique in the company.")],
    country: Annotated[str, typer.Option("--country", help="Whose way of dialling its numbers are in, as US.")],
    address: Address = None,
    proxy: Proxy = None,
    domain: Domain = None,
    username: Username = None,
    password_file: PasswordFile = None,
    inbound_username: Proves = None,
    inbound_password_file: ProvesFile = None,
    allow: Prefix = None,
    international: International = None,
    emergency: Emergency = None,
    most_calls: MostCalls = None,
    enabled: Enabled = None,
    as_json: AsJson = False,
) -> None:
    """Connect a carrier. No number is called by it unless --proxy says where to and --allow which."""
    body = _body(
        name=name, country=country, addresses=address, proxy=proxy, domain=domain, username=username,
        password=_password(password_file, "password", asked=username), inbound_username=inbound_username,
        inbound_password=_password(inbound_password_file, "inbound password", asked=inbound_username),
        prefixes=allow, international=international, emergency=emergency, most_calls=most_calls, enabled=enabled,
    )  # fmt: skip

    async def work(client: Client) -> Any:
        return (await client.call("POST", TRUNKS, body=body_of(body))).document

    _told(way, run(way, work), "is connected", as_json=as_json)


@app.command(cls=Whole, epilog=_EXAMPLE + "change Carrier --allow +1 --allow +44 --international")
@by_api
def change(
    way: Way,
    word: Word,
    name: Annotated[str | None, typer.Option("--name", help="What it is called from now on.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Whose way of dialling its numbers are in.")] = None,
    address: Address = None,
    proxy: Proxy = None,
    domain: Domain = None,
    username: Username = None,
    password_file: PasswordFile = None,
    inbound_username: Proves = None,
    inbound_password_file: ProvesFile = None,
    allow: Prefix = None,
    allow_nothing: Annotated[bool, typer.Option("--allow-nothing", help="No number may be called by it.")] = False,
    international: International = None,
    emergency: Emergency = None,
    most_calls: MostCalls = None,
    enabled: Enabled = None,
    as_json: AsJson = False,
) -> None:
    """Change a carrier. What is not said stays; addresses and prefixes take the place of those there were."""
    body = _body(
        name=name, country=country, addresses=address, proxy=proxy, domain=domain, username=username,
        password=_password(password_file, "password", asked=username), inbound_username=inbound_username,
        inbound_password=_password(inbound_password_file, "inbound password", asked=inbound_username),
        prefixes=allow, international=international, emergency=emergency, most_calls=most_calls, enabled=enabled,
    )  # fmt: skip
    if allow_nothing:
        body["prefixes"] = []
    if not body:
        raise Refusal("Say what is to change: --allow, --proxy, --address, or another of its settings.")

    async def work(client: Client) -> Any:
        found = await _found(client, word)
        return (await client.call("PATCH", f"{TRUNKS}/{found['id']}", body=body_of(body))).document

    _told(way, run(way, work), "is changed", as_json=as_json)


@app.command("list", epilog=_EXAMPLE + "list")
@by_api
def list_trunks(way: Way, as_json: AsJson = False) -> None:
    """List the carriers, without their passwords."""
    items = run(way, lambda client: pages(client, TRUNKS))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("No carrier is connected: no calls come in from outside, and none go out.", "bold", to=err)
        following(f"offhook trunk add NAME --country US --address ADDRESS{again(way)}")
        return
    table(
        ("ID", "NAME", "CALLS COME FROM", "GO OUT TO", "MAY CALL", "STATE"),
        [
            (one["id"], line_of(one["name"]), ", ".join(one["addresses"]) or "-", one.get("proxy", "-"), _calls(one),
             "lost" if one.get("lost") else "enabled" if one["enabled"] else "disabled")
            for one in items
        ],
    )  # fmt: skip


def _calls(one: Any) -> str:
    may = [*one["prefixes"], *(["abroad too"] if one["international"] and one["prefixes"] else [])]
    return ", ".join([*may, *(["emergency numbers"] if one["emergency"] else [])]) or "nothing"


@app.command(epilog=_EXAMPLE + "show Carrier")
@by_api
def show(way: Way, word: Word, as_json: AsJson = False) -> None:
    """Show a carrier, without its passwords."""
    one = run(way, lambda client: _found(client, word))
    if as_json:
        emit(one)
        return
    _show(one)


@app.command(epilog=_EXAMPLE + "remove Carrier")
@by_api
def remove(
    way: Way,
    word: Word,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Disconnect a carrier; nothing secret of it stays in the store. On a terminal it is asked first."""
    gone = run(way, lambda client: _found(client, word))
    if sys.stdin.isatty() and not yes and not as_json:
        typer.confirm(f"Disconnect {line_of(gone['name'])}? Its calls come in no more.", abort=True, err=True)
    run(way, lambda client: client.call("DELETE", f"{TRUNKS}/{gone['id']}"))
    if as_json:
        emit({"removed": gone["id"], "name": gone["name"]})
        return
    say(f"{line_of(gone['name'])} is disconnected.", "green bold")
    following(f"offhook trunk list{again(way)}   shows what is left")


def _told(way: Way, one: Any, what: str, *, as_json: bool) -> None:
    if as_json:
        emit(one)
        return
    say(f"{line_of(one['name'])} {what}.", "green bold")
    _show(one)
    following(f"offhook trunk list{again(way)}   shows all")


def _show(one: Any) -> None:
    rows = [
        ("trunk", f"{line_of(one['name'])}, {one['id']}"),
        ("country", one["country"]),
        ("calls from", ", ".join(one["addresses"]) or "nowhere"),
        ("which prove", one.get("inbound_username", "nothing but their address")),
        ("calls to", one.get("proxy", "nowhere")),
        ("as", one.get("username", "nobody in particular")),
        ("may call", _calls(one)),
        ("at once", f"{one['most_calls']:,} calls"),
        ("state", "enabled" if one["enabled"] else "disabled"),
    ]
    facts(rows)
    if one.get("lost"):
        say("No key of this server opens its passwords: enter them again.", "red bold", to=err)


async def _found(client: Client, word: str) -> Any:
    """The carrier of that name or id."""
    for one in await pages(client, TRUNKS):
        if word in (one["name"], one["id"]):
            return one
    raise NotThere(f"There is no trunk {shown(word)}", "offhook trunk list", "shows them")


def _body(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None and value != []}


def _password(file: Path | None, what: str, *, asked: str | None) -> str | None:
    """A password without the line end behind it; asked for on a terminal where a username was named."""
    if file is None:
        if not asked or not sys.stdin.isatty():
            return None
        return str(typer.prompt(what.capitalize(), hide_input=True, err=True))
    try:
        text = read_file(file).decode()
    except UnicodeDecodeError:
        raise Refusal(f"The {what} is not text in UTF-8.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise Refusal(f"There is no {what} in {file}.")
    return text
