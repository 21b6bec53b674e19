"""Hooks, by the API: addresses that start workflows when they are called by who has their secret."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from offhook.cli import workflow_starting as starting
from offhook.cli.apis import line_of
from offhook.cli.common import AsJson, emit, err, facts, following, read_file, say, table, when
from offhook.cli.lines import V1
from offhook.cli.narrow import Whole
from offhook.cli.way import Way, again, by_api
from offhook.cli.workflow_starting import Kind
from offhook.kit.errors import Refusal

app = typer.Typer(no_args_is_help=True, help="Start workflows by calls from outside, to an address with a secret.")

KIND = Kind(
    "hook",
    "hooks",
    f"{V1}/workflows/hooks",
    ("name", "workflow", "version", "proof", "headers", "idempotency_header", "paused"),
    clearable=("version", "headers", "idempotency_header"),
)
_EXAMPLE = "Example: offhook workflow hooks "
_HERE = "http://127.0.0.1:8080"

Header = Annotated[
    list[str] | None,
    typer.Option("--header", help="A request header that goes into the run's input; repeat it.", metavar="NAME"),
]
Idempotency = Annotated[
    str | None,
    typer.Option("--idempotency-header", help="Calls with the same value of this header are one call.", metavar="NAME"),
]
SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--secret-file", help="signed, github: the secret that the caller has already; - reads it. Else one is made.",
        metavar="FILE",
    ),
]  # fmt: skip


@app.command("list", epilog=_EXAMPLE + "list --workflow deploy")
@by_api
def list_hooks(way: Way, workflow: starting.OfWorkflow = None, as_json: AsJson = False) -> None:
    """List the hooks without their secrets, each with its latest call."""
    items = starting.listed(way, KIND, workflow)
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("Nothing is started by calls from outside.", "bold", to=err)
        following(f"offhook workflow hooks add NAME --workflow WORKFLOW{again(way)}")
        return
    table(
        ("NAME", "WORKFLOW", "PROOF", "STATE", "LAST CALL"),
        [
            (line_of(one["name"]), starting.starts(one), one["proof"], "paused" if one["paused"] else "takes calls",
             _call(one["last"]) if "last" in one else "never")
            for one in items
        ],
    )  # fmt: skip
    following(KIND.step("show", items[0]["name"], way, "shows the first, with its latest calls"))


def _call(one: Any) -> str:
    times = f" ({one['times']:,} times)" if one.get("times", 1) > 1 else ""
    return f"{when(one['moment'])}: {'run ' + one['run_id'] if one.get('run_id') else line_of(one['why'])}{times}"


@app.command(epilog=_EXAMPLE + "add deploys --workflow deploy --proof github --idempotency-header X-GitHub-Delivery")
@by_api
def add(
    way: Way,
    name: starting.New,
    workflow: starting.Starts,
    proof: Annotated[
        Literal["token", "signed", "github"],
        typer.Option("--proof", help="How callers show that they may: the secret itself, or a signature made with it."),
    ] = "token",
    secret_file: SecretFile = None,
    header: Header = None,
    idempotency_header: Idempotency = None,
    version: starting.Version = None,
    paused: starting.Paused = False,
    as_json: AsJson = False,
) -> None:
    """Start a workflow when an address is called. Its secret is shown this once."""
    body = {
        "name": name, "workflow": workflow, "version": version, "proof": proof, "secret": _secret(secret_file),
        "headers": header or None, "idempotency_header": idempotency_header, "paused": paused or None,
    }  # fmt: skip
    answer = starting.create(way, KIND, body)
    if as_json:
        emit(starting.answered(answer))
        return
    made = answer.document["hook"]
    say(f"The hook {line_of(made['name'])} is kept. Calls of its address start {starting.starts(made)}.", "green bold")
    _show_secret(way, made, answer.document.get("secret"))


def _secret(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        text = read_file(file).decode()
    except UnicodeDecodeError:
        raise Refusal("The secret is not text in UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r")


def _address(way: Way, one: Any) -> str:
    return f"{(way.url or _HERE).rstrip('/')}{one['path']}"


def _show_secret(way: Way, one: Any, secret: str | None) -> None:
    """The address, the secret if it was made, and how it is called."""
    facts([("address", _address(way, one)), *([("secret", secret)] if secret else [])])
    if secret:
        say("The secret is not shown again: give it to the caller now.", "yellow bold", to=err)
    if one["proof"] == "token" and secret:
        step = f"curl -X POST -H 'Authorization: Bearer {secret}' {_address(way, one)}   calls it"
    elif one["proof"] == "github":
        step = "give the address and the secret to GitHub: Settings, Webhooks, content type application/json"
    else:
        step = KIND.step("show", one["name"], way, "shows its calls, and why one was refused")
    following(step, *([] if way.url else ["offhook serve   takes calls, if no server runs over this store"]))


@app.command(epilog=_EXAMPLE + "show deploys")
@by_api
def show(way: Way, word: starting.Word, as_json: AsJson = False) -> None:
    """Show a hook: its address, and what came of its latest calls."""
    one = starting.get(way, KIND, word)
    if as_json:
        emit(one)
        return
    _show(way, one)
    calls = one.get("calls", [])
    if calls:
        say()
        table(
            ("CALLED", "TIMES", "RUN", "CAUSE"),
            [
                (
                    when(each["moment"]),
                    f"{each.get('times', 1):,}",
                    each.get("run_id", ""),
                    line_of(each.get("why", "")),
                )
                for each in calls
            ],
        )
    runs = [each["run_id"] for each in calls if each.get("run_id")]
    following(
        starting.run_step(way, runs[0]) if runs
        else KIND.step("new-secret", one["name"], way, "makes a new secret, if it was lost")
    )  # fmt: skip


def _show(way: Way, one: Any) -> None:
    rows = [
        ("hook", f"{line_of(one['name'])} ({one['id']})"),
        ("starts", starting.starts(one)),
        ("address", _address(way, one)),
        ("proof", {
            "token": "token: Authorization: Bearer, or Offhook-Hook-Secret",
            "signed": "signed: Offhook-Signature: t=TIME,v1=HEX",
            "github": "github: X-Hub-Signature-256",
        }[one["proof"]]),
    ]  # fmt: skip
    if one["headers"]:
        rows.append(("headers", line_of(", ".join(one["headers"]))))
    if one.get("idempotency_header"):
        rows.append(("same call", f"by {line_of(one['idempotency_header'])}"))
    rows += [
        ("state", "paused: calls are refused" if one["paused"] else "takes calls"),
        ("last call", _call(one["last"]) if "last" in one else "never"),
        ("made", f"{when(one['created_at'])} by {line_of(one['created_by'])}"),
    ]
    facts(rows)


@app.command("set", cls=Whole, epilog=_EXAMPLE + "set deploys --header X-GitHub-Event --pause")
@by_api
def set_it(
    way: Way,
    word: starting.Word,
    name: starting.Called = None,
    workflow: starting.StartsNow = None,
    version: starting.Version = None,
    proof: Annotated[
        Literal["signed", "github"] | None, typer.Option("--proof", help="From signed to github, or back.")
    ] = None,
    header: Header = None,
    idempotency_header: Idempotency = None,
    paused: Annotated[
        bool | None, typer.Option("--pause/--resume", help="Refuse calls for now, or take them again.")
    ] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(
            "--clear",
            help="What is to be as if it had never been said: version, headers, idempotency_header. Repeat it.",
            metavar="FIELD",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a hook. What is not said stays, and so does its secret."""
    said = {
        "name": name, "workflow": workflow, "version": version, "proof": proof, "headers": header or None,
        "idempotency_header": idempotency_header, "paused": paused,
    }  # fmt: skip
    answer = starting.change(way, KIND, word, said, clear)
    if as_json:
        emit(starting.answered(answer))
        return
    say(f"The hook {line_of(answer.document['name'])} is changed.", "green bold")
    _show(way, answer.document)
    following(f"offhook workflow hooks list{again(way)}   shows all")


@app.command("new-secret", epilog=_EXAMPLE + "new-secret deploys")
@by_api
def new_secret(way: Way, word: starting.Word, secret_file: SecretFile = None, as_json: AsJson = False) -> None:
    """Give a hook a new secret, shown this once. The one before is good no more."""
    secret = _secret(secret_file)
    made = starting.act(way, KIND, word, "rotate-secret", {} if secret is None else {"secret": secret})
    if as_json:
        emit(made)
        return
    say(f"The hook {line_of(made['hook']['name'])} has a new secret; the one before is good no more.", "green bold")
    _show_secret(way, made["hook"], made.get("secret"))


@app.command(epilog=_EXAMPLE + "delete deploys")
@by_api
def delete(way: Way, word: starting.Word, yes: starting.Yes = False, as_json: AsJson = False) -> None:
    """Delete a hook; calls of its address are answered 404 from then on."""
    starting.delete(way, KIND, word, "Calls of it are answered 404 from now on.", yes=yes, as_json=as_json)
