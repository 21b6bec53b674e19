"""Telephones, by the API: what is entered into a softphone, a password for it, and who is registered."""

import shlex
import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from offhook.cli.apis import line_of, pages
from offhook.cli.common import AsJson, NotThere, State, emit, err, facts, following, say, table, warn, when
from offhook.cli.emergency import one_line
from offhook.cli.lines import V1
from offhook.cli.people import owner_of
from offhook.cli.way import Way, again, by_api, run, served_row, warning
from offhook.client import Answer, Client, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Telephones: what is entered into a softphone, and who is registered.")

PHONES = f"{V1}/phones"
NO_ADDRESS = "carry no address; offhook office emergency-address says where help is sent"
Who = Annotated[
    str,
    typer.Argument(help="E-mail address, extension, name or id of a user; name or id of a room.", metavar="WHO"),
]
WhoOrPhone = Annotated[
    str,
    typer.Argument(help="The same; where there are several, WHO/NAME or the id of a telephone.", metavar="WHO"),
]
UNNAMED = "Phone"


@app.command("list", epilog="Example: offhook phone list")
@by_api
def list_phones(way: Way, as_json: AsJson = False) -> None:
    """List the telephones that sign in by SIP, and where they are reached now."""
    items = run(way, lambda client: pages(client, PHONES))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("There are no telephones yet.", "bold", to=err)
        following(f"offhook phone add WHO{again(way)}   gives a user or a room one")
        return
    table(
        ("ID", "WHOSE", "NAME", "TYPE", "USERNAME", "REACHED AT", "UNTIL"),
        [
            (
                one["id"], line_of(one["owner_name"]), line_of(one.get("name", "-")), one["type"],
                one["settings"].get("username", "no password yet"), *_reached(one),
            )
            for one in items
        ],
    )  # fmt: skip


def _reached(one: Any) -> tuple[str, str]:
    contacts = one["contacts"]
    if not contacts:
        return "not registered", "-"
    further = f" and {len(contacts) - 1} more" if len(contacts) > 1 else ""
    return f"{contacts[-1]['address']}{further}", when(contacts[-1]["expires_at"])


@app.command(epilog="Example: offhook phone show ann@example.com")
@by_api
def show(way: Way, who: WhoOrPhone, as_json: AsJson = False) -> None:
    """Show what to enter into the telephones of a user or a room, and where they are reached."""
    found = run(way, lambda client: _phones_of(client, who))
    if as_json:
        emit({"items": found})
        return
    if not found:
        say(f"{line_of(who)} has no telephone that signs in by SIP.", "bold", to=err)
        following(f"offhook phone add {shlex.quote(who)}{again(way)}   gives them one")
    for number, one in enumerate(found):
        if number:
            say()
        _show(way, one)


@app.command(epilog="Example: offhook phone add ann@example.com --name Laptop")
@by_api
def add(
    way: Way,
    who: Who,
    name: Annotated[str | None, typer.Option("--name", help="What the telephone is called.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a user or a room a telephone, with a password that is shown this once."""

    async def work(client: Client) -> Answer:
        kind, id = await owner_of(client, who)
        body = {"type": "sip"} | ({"name": name} if name else {})
        made = await client.call("POST", f"{V1}/{kind}s/{id}/devices", body=body_of(body))
        answer = await client.call("POST", f"{PHONES}/{made.document['id']}/new-password")
        return replace(answer, notices=[*made.notices, *answer.notices])

    _show_password(way, run(way, work), as_json=as_json)


@app.command(epilog="Example: offhook phone remove ann@example.com/Laptop")
@by_api
def remove(
    way: Way,
    who: WhoOrPhone,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a telephone away, as one that is lost: it signs in and is rung no more. On a terminal it is asked first."""
    gone = run(way, lambda client: _phone_of(client, who))
    called = f"{line_of(gone.get('name', UNNAMED))} of {line_of(gone['owner_name'])}"
    if sys.stdin.isatty() and not yes and not as_json:
        typer.confirm(f"Take away {called}? Its password is good no more.", abort=True, err=True)
    owner = f"{V1}/{gone['owner_type']}s/{gone['owner_id']}"
    run(way, lambda client: client.call("DELETE", f"{owner}/devices/{gone['id']}"))
    if as_json:
        emit({"removed": gone["id"], "name": gone.get("name"), "owner_id": gone["owner_id"]})
        return
    say(f"{called} is taken away: it signs in no more.", "green bold")
    following(
        f"offhook phone show {gone['owner_id']}{again(way)}   shows what they have left",
        f"offhook phone add {gone['owner_id']}{again(way)}   gives them another",
    )


@app.command("new-password", epilog="Example: offhook phone new-password ann@example.com")
@by_api
def new_password(way: Way, who: WhoOrPhone, as_json: AsJson = False) -> None:
    """Give a telephone a password, the first or another. The one before is good no more."""

    async def work(client: Client) -> Any:
        found = await _phone_of(client, who)
        return await client.call("POST", f"{PHONES}/{found['id']}/new-password")

    _show_password(way, run(way, work), as_json=as_json)


def _show_password(way: Way, answer: Answer, *, as_json: bool) -> None:
    made = answer.document
    if as_json:
        emit({**made, "warnings": [warning(notice) for notice in answer.notices]})
        return
    _show(way, made["phone"], made["password"])
    say("The password is not shown again: enter it now.", "yellow bold", to=err)
    warn(answer.notices)
    following(f"offhook phone show {made['phone']['id']}{again(way)}   shows whether it has registered")


def _show(way: Way, one: Any, password: str | None = None) -> None:
    """The settings of a telephone, as softphones ask for them."""
    of = one["settings"]
    rows = [
        *served_row(way, telephones=True),
        ("telephone", f"{line_of(one.get('name', UNNAMED))} of {line_of(one['owner_name'])}, {one['id']}"),
        ("server", of["server"]),
        ("port", str(of["port"])),
        ("transport", of["transport"].upper()),
        ("username", of.get("username", "none before there is a password")),
        ("realm", of["realm"]),
    ]
    if password is not None:
        rows.append(("password", password))
    elif one.get("password_void"):
        rows.append(("password", "void, as the server's realm is another by now"))
    elif "password_set_at" in one:
        rows.append(("password", f"set {when(one['password_set_at'])}; it is not shown again"))
    for contact in one["contacts"]:
        agent = f", {line_of(contact['agent'])}" if "agent" in contact else ""
        rows.append(("reached at", f"{contact['address']} until {when(contact['expires_at'])}{agent}"))
    if not one["contacts"]:
        rows.append(("reached at", "nowhere: it is not registered"))
    help_at = one_line(one.get("e911_address", {}))
    rows.append(("calls for help", f"say {line_of(help_at)}" if help_at else State.completed(NO_ADDRESS)))
    facts(rows)
    if password is None and ("username" not in of or one.get("password_void")):
        following(f"offhook phone new-password {one['id']}{again(way)}   makes a password")


async def _phone_of(client: Client, who: str) -> Any:
    """The one telephone that is meant."""
    found = await _phones_of(client, who)
    if not found:
        raise NotThere(f"{shown(who)} has no telephone", "offhook phone add", "gives one")
    if len(found) > 1:
        named = ", ".join(f"{one['id']} ({line_of(one.get('name', UNNAMED))})" for one in found)
        raise Refusal(f"{shown(who)} has {len(found)} telephones: name one by its id: {named}.")
    return found[0]


async def _phones_of(client: Client, who: str) -> list[Any]:
    """The telephones of whoever is named; of a telephone's own id, or of WHO/NAME, that one."""
    if who.isdecimal():
        every = [one for one in await pages(client, PHONES) if who in (one["id"], one["owner_id"])]
        if every:
            return every
    owner, slash, name = who.rpartition("/")
    try:
        kind, id = await owner_of(client, who)
    except NotThere:
        # A room may be called A/B; only where nobody is, the last part is a telephone's name.
        if not slash:
            raise
        kind, id = await owner_of(client, owner)
    else:
        name = ""
    found = await pages(client, PHONES, {f"{kind}_id": id})
    if not name:
        return found
    named = [one for one in found if _is_called(one, name)]
    if not named:
        raise NotThere(
            f"{shown(owner)} has no telephone {shown(name)}", f"offhook phone show {shlex.quote(owner)}", "shows theirs"
        )
    return named


def _is_called(one: Any, name: str) -> bool:
    called: str = one.get("name", UNNAMED)
    return called.casefold() == name.strip().casefold()
