"""Credentials of the workbench, by the API. A secret is asked for or read, and is never an argument of a command."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from offhook.cli.apis import header_of, line_of, pages
from offhook.cli.common import AsJson, ConfigFile, Data, NotThere, emit, following, read_file, say, table
from offhook.cli.lines import V1
from offhook.cli.way import Way, again, by_api, on_this_machine, run
from offhook.client import Client, body_of
from offhook.kit.errors import Refusal, shown
from offhook.kit.settings import load

app = typer.Typer(no_args_is_help=True, help="What requests are sent with: encrypted, for named hosts only.")

CREDENTIALS = f"{V1}/credentials"
_SECRET = {"bearer": "token", "basic": "password", "api_key": "value", "oauth2": "client_secret"}


@app.command()
@by_api
def add(
    way: Way,
    name: Annotated[str, typer.Argument(help="What it is called; unique in the company.")],
    kind: Annotated[
        Literal["bearer", "basic", "api_key", "oauth2", "headers"], typer.Option("--kind", help="How it is sent.")
    ],
    host: Annotated[
        list[str],
        typer.Option("--host", help="Where it may be sent: api.example.com, *.example.com:8443; repeat it."),
    ],
    secret_file: Annotated[
        Path | None,
        typer.Option(
            help="Where the secret is read from, - for standard input; asked for on a terminal, else standard input. "
            "Of headers, a line each: Name: value.",
            metavar="FILE",
        ),
    ] = None,
    username: Annotated[str | None, typer.Option(help="basic: the user name.")] = None,
    place: Annotated[
        Literal["header", "query"] | None, typer.Option("--in", help="api_key: where it is sent; header unless said.")
    ] = None,
    parameter: Annotated[str | None, typer.Option(help="api_key: name of the header or parameter.")] = None,
    token_url: Annotated[str | None, typer.Option(help="oauth2: where tokens are asked for.")] = None,
    client_id: Annotated[str | None, typer.Option(help="oauth2: who asks.")] = None,
    client_way: Annotated[
        Literal["basic", "body"] | None, typer.Option(help="oauth2: how its secret is sent; basic unless said.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="oauth2: what the token is for; repeat it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a credential. Its secret is asked for, or read from a file; it is never shown again."""
    body: dict[str, Any] = {"name": name, "kind": kind, "hosts": host}
    given = {
        "username": username, "place": place, "parameter": parameter, "token_url": token_url, "client_id": client_id,
        "client_way": client_way, "scopes": scope or None,
    }  # fmt: skip
    body |= {field: value for field, value in given.items() if value is not None}
    body |= _secret_of(kind, secret_file)

    async def work(client: Client) -> Any:
        return (await client.call("POST", CREDENTIALS, body=body_of(body))).document

    made = run(way, work)
    if as_json:
        emit(made)
        return
    say(f"{line_of(made['name'])} is kept, encrypted, for {', '.join(made['hosts'])}.", "green bold")
    following(f"offhook api request KEY --credential {shlex.quote(name)} --send{again(way)}   sends a request with it")


@app.command()
@by_api
def change(
    way: Way,
    word: Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME")],
    name: Annotated[str | None, typer.Option("--name", help="What it is called from now on.")] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host", help="Where it may be sent, in place of what it named; repeat it. New ones need --secret."
        ),
    ] = None,
    secret: Annotated[bool, typer.Option("--secret", help="Enter its secret anew; asked for, or from stdin.")] = False,
    secret_file: Annotated[
        Path | None, typer.Option(help="Enter its secret anew, from this file.", metavar="FILE")
    ] = None,
    username: Annotated[str | None, typer.Option(help="basic: the user name.")] = None,
    place: Annotated[Literal["header", "query"] | None, typer.Option("--in", help="api_key: where it is sent.")] = None,
    parameter: Annotated[str | None, typer.Option(help="api_key: name of the header or parameter.")] = None,
    token_url: Annotated[str | None, typer.Option(help="oauth2: where tokens are asked for; needs --secret.")] = None,
    client_id: Annotated[str | None, typer.Option(help="oauth2: who asks.")] = None,
    client_way: Annotated[Literal["basic", "body"] | None, typer.Option(help="oauth2: how its secret is sent.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="oauth2: what the token is for; repeat it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a credential: its name, its hosts, its secret. What is not said stays; requests that use it go on to."""
    given = {
        "name": name, "hosts": host or None, "username": username, "place": place, "parameter": parameter,
        "token_url": token_url, "client_id": client_id, "client_way": client_way, "scopes": scope or None,
    }  # fmt: skip
    body = {field: value for field, value in given.items() if value is not None}
    anew = secret or secret_file is not None
    if not body and not anew:
        raise Refusal("Say what is to change: --name, --host, --secret, or what its kind has besides.")
    before = run(way, lambda client: _found(client, word))
    if anew:
        body |= _secret_of(before["kind"], secret_file)

    async def work(client: Client) -> Any:
        return (await client.call("PATCH", f"{CREDENTIALS}/{before['id']}", body=body_of(body))).document

    made = run(way, work)
    if as_json:
        emit(made)
        return
    say(f"{line_of(made['name'])} is changed; it is for {', '.join(made['hosts'])}.", "green bold")
    following(f"offhook api credential list{again(way)}   shows all")


async def _found(client: Client, word: str) -> Any:
    """The credential of that name or id."""
    for one in await pages(client, CREDENTIALS):
        if word in (one["name"], one["id"]):
            return one
    raise NotThere(f"There is no credential {shown(word)}", "offhook api credential list", "shows them")


def _secret_of(kind: str, file: Path | None) -> dict[str, Any]:
    """What is secret of a credential of a kind, by the name of its field."""
    secret = _secret(kind, file)
    if kind != "headers":
        return {_SECRET[kind]: secret}
    pairs = [header_of(line) for line in secret.splitlines() if line.strip()]
    return {"headers": [{"name": header, "value": value} for header, value in pairs]}


def _secret(kind: str, file: Path | None) -> str:
    """The secret without the line end behind it. Nobody sees it typed."""
    if file is None and sys.stdin.isatty():
        if kind == "headers":
            text = typer.prompt("A header, as Name: value", hide_input=True, err=True)
        else:
            text = typer.prompt(_SECRET[kind].replace("_", " ").capitalize(), hide_input=True, err=True)
        return str(text)
    try:
        text = read_file(file or Path("-")).decode()
    except UnicodeDecodeError:
        raise Refusal("The secret is not text in UTF-8.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise Refusal("There is no secret: pipe it in, or name its file with --secret-file.")
    return text


@app.command("list")
@by_api
def list_credentials(way: Way, as_json: AsJson = False) -> None:
    """List the credentials, without what is secret."""
    items = run(way, lambda client: pages(client, CREDENTIALS))
    if as_json:
        emit({"items": items})
        return
    table(
        ("ID", "NAME", "KIND", "HOSTS", "SECRET"),
        [
            (
                one["id"],
                line_of(one["name"]),
                one["kind"],
                ", ".join(one["hosts"]),
                "lost" if one.get("lost") else "***",
            )
            for one in items
        ],
    )
    if any(one.get("lost") for one in items):
        following(
            "put back credentials.key in the data folder of then, or what credentials_keys was set to",
            f"offhook api credential change NAME --secret{again(way)}   enters what is lost anew",
        )
    elif not items:
        following(f"offhook api credential add NAME --kind bearer --host HOST{again(way)}")


@app.command()
@by_api
def remove(
    way: Way,
    word: Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a credential; nothing secret of it stays in the store. On a terminal it is asked first."""
    gone = run(way, lambda client: _found(client, word))
    if sys.stdin.isatty() and not yes and not as_json:
        hosts = ", ".join(gone["hosts"])
        text = f"Delete {line_of(gone['name'])}, for {hosts}? Requests that name it cannot be sent any more."
        typer.confirm(text, abort=True, err=True)
    run(way, lambda client: client.call("DELETE", f"{CREDENTIALS}/{gone['id']}"))
    if as_json:
        emit({"removed": gone["id"], "name": gone["name"]})
        return
    say(f"{line_of(gone['name'])} is deleted.", "green bold")
    following(f"offhook api credential list{again(way)}   shows what is left")


@app.command("new-key")
def new_key(data: Data = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Put a new key before those of credentials.key in the data folder; running servers write with it from then on."""
    from offhook.catalog.credentials.vault import KEY_FILE, Vault

    settings = load({"data": data}, config)
    file = Path(settings.data) / KEY_FILE
    if not settings.credentials_keys and not Path(settings.data).is_dir():
        raise Refusal(f"There is no folder {settings.data}: name that of the store with --data.")
    Vault(settings.credentials_keys, file).renew()
    if as_json:
        emit({"file": str(file)})
        return
    say(f"A new key stands first in {file}.", "green bold")
    following(
        f"offhook api credential rotate{on_this_machine(data, config, None)}   encrypts all credentials with it, once "
        "for each company and environment",
        "then delete the other lines of the file; those that are lost need them",
    )


@app.command()
@by_api
def rotate(way: Way, as_json: AsJson = False) -> None:
    """Encrypt all credentials, secrets of hooks and passwords of trunks with the newest key."""

    async def work(client: Client) -> Any:
        return (await client.call("POST", f"{CREDENTIALS}/rotate-key")).document

    done = run(way, work)
    if as_json:
        emit(done)
        return
    lost = done.get("lost", [])
    say(f"{done['sealed_again']:,} encrypted anew; {done['already']:,} were under the newest key.", "green bold")
    if lost:
        say(f"{len(lost):,} that no key opens: {', '.join(lost)}", "red bold")
        following(f"offhook api credential list{again(way)}   names them; enter their secrets again")
    elsewhere = done.get("lost_elsewhere", {})
    hooks, trunks = elsewhere.get("hooks", []), elsewhere.get("trunks", [])
    if hooks:
        say(f"{len(hooks):,} hooks whose secret no key opens: {', '.join(hooks)}", "red bold")
        following("POST /api/offhook/v1/workflows/hooks/ID/rotate-secret gives one a new secret")
    if trunks:
        say(f"{len(trunks):,} trunks whose passwords no key opens: {', '.join(trunks)}", "red bold")
        following(f"offhook trunk change ID --password-file FILE{again(way)}   enters those of one again")
    if not lost and not elsewhere:
        following("the keys before the newest one are needed by nothing of this company any more")
