"""The `offhook` command: install.py sets up and serves, upkeep.py backs up, keys.py and numbers.py fill
the store, offices.py and the rest ask the API.

A refusal is said in words with every place that must be mended, and ends with status 1; never a stack trace.
What takes long to load (the database, the server, the HTTP client) is imported by the commands that need it, when they
run: `offhook --help` loads none of it.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from offhook import __version__
from offhook.cli.apis import app as api
from offhook.cli.calls import app as call
from offhook.cli.common import State, emit, err, refuse, say
from offhook.cli.configuration import register as register_configuration
from offhook.cli.credentials import app as credential
from offhook.cli.emergency import register as register_emergency
from offhook.cli.examples import app as examples
from offhook.cli.install import init, serve, settings, version
from offhook.cli.keys import app as key
from offhook.cli.lines import app as line
from offhook.cli.menus import register as register_menu
from offhook.cli.number_holders import register as register_holders
from offhook.cli.numbers import app as number
from offhook.cli.offices import app as office
from offhook.cli.phones import app as phone
from offhook.cli.prompts import app as prompt
from offhook.cli.recorded import register as register_recorded
from offhook.cli.requests import register as register_requests
from offhook.cli.routing import register as register_routing
from offhook.cli.runs import app as runs
from offhook.cli.saved import app as saved
from offhook.cli.scripts import app as script
from offhook.cli.tapes import recording, voicemail
from offhook.cli.trunks import app as trunk
from offhook.cli.upkeep import backup, db, restore
from offhook.cli.users import app as user
from offhook.cli.workflows import app as workflow
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.variables import unread

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An office phone system that you create with one API call. Begin with: offhook init",
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"offhook {__version__}")
        raise typer.Exit


@app.callback()
def _begin(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """An office phone system that you create with one API call. Begin with: offhook init."""
    if context.invoked_subcommand != "serve":  # which says it in its log
        for told in unread(os.environ).values():
            say(told, "yellow bold", to=err)


app.command()(init)
app.command()(serve)
app.add_typer(db, name="db")
app.command()(backup)
app.command()(restore)
app.command()(settings)
app.command()(version)
register_configuration(app)
register_routing(app)
app.add_typer(key, name="key")
register_holders(number)
app.add_typer(number, name="number")
register_emergency(office, user)
app.add_typer(office, name="office")
line.add_typer(script, name="script")
register_menu(line)
register_recorded(line)
app.add_typer(line, name="line")
app.add_typer(user, name="user")
app.add_typer(phone, name="phone")
app.add_typer(trunk, name="trunk")
app.add_typer(call, name="call")
app.add_typer(voicemail, name="voicemail")
app.add_typer(recording, name="recording")
app.add_typer(prompt, name="prompt")
app.add_typer(api, name="api")
register_requests(api)
api.add_typer(saved, name="saved")
api.add_typer(runs, name="runs")
api.add_typer(examples, name="examples")
api.add_typer(credential, name="credential")
app.add_typer(workflow, name="workflow")


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Meanwhile garbage is looked for seldom: what a command loads stays, and to look through it again and again would
    take a fifth of the time that most commands take.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    State.json, State.afterwards, State.completed = False, None, str
    try:
        with _seldom_collected():
            app()
    except Refusal as refusal:
        _refuse(refusal)
        raise SystemExit(1) from None
    except BrokenPipeError:
        # The reader has gone, as `head` does. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as fault:
        if os.environ.get("OFFHOOK_TRACE"):
            raise
        trace = fault.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
        refuse(f"A fault in offhook itself: {type(fault).__name__} at {where}. OFFHOOK_TRACE=1 shows all of it.")
        raise SystemExit(1) from None


def _refuse(refusal: Refusal) -> None:
    found = [replace(one, message=State.completed(one.message)) for one in refusal.violations]
    refuse(State.completed(refusal.message), found)
    if isinstance(refusal, Unavailable) and (cause := getattr(refusal.__cause__, "orig", None)) is not None:
        say(f"  {str(cause).splitlines()[0]}", to=err)
    if State.afterwards is not None:
        State.afterwards()
    if not State.json:
        return
    from offhook.client import Refused

    if isinstance(refusal, Refused):
        emit(refusal.document)
        return
    entries = [
        {"reason": v.reason, "message": v.message, "location": v.location} | ({"sent": v.sent} if v.sent else {})
        for v in refusal.violations
    ]
    emit({"error": {"code": refusal.status, "message": refusal.message, "errors": entries}})
