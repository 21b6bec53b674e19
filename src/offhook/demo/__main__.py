"""A newcomer's first minute (`make demo`): a real server in its own process, an office made by one call, a telephone
that calls it, all shown.

Everything is in .demo/ and new each time; nothing that OFFHOOK_ variables point to is touched. ONCE=1 ends it after the
show. It shows what the server answered, never what it should have.
"""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from rich.text import Text

from offhook.client import remote
from offhook.demo.call import Called
from offhook.demo.server import PORT, SIP_PORT, Founded, NotShown, Server, folder, found, near
from offhook.demo.show import Show
from offhook.demo.stage import Stage
from offhook.kit.errors import Refusal


def root() -> Path:
    """The repository; for an installed package the folder one is in."""
    here = Path(__file__).resolve().parents[3]
    return here if (here / "examples" / "office.json").is_file() else Path.cwd()


def demonstrate(once: bool, stage: Stage) -> int:
    """Run the demo; gives the status to end with."""
    base = root()
    example = base / "examples" / "office.json"
    try:
        body: dict[str, Any] = msgspec.json.decode(example.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise NotShown(f"{example} cannot be read: {error}. Run the demo from a clone of the repository.") from None
    with folder(base / ".demo") as place:
        stage.say("Offhook: an office phone system that you create with one API call.", "bold")
        made = found(place / "data")
        server = Server(place / "data", place / "server.log")
        try:
            server.start()
            stage.say(
                f"A company was made in {near(place / 'data')}, and a server runs at {server.url}.{_taken(server)}"
            )
            again = _serve_again(place / "data", server) if once else ""
            asyncio.run(_show(stage, made, server, body, place, again))
            if not once:
                stage.say(f"It goes on serving; its log is {near(server.log)}. Ctrl-C ends it.", "bold")
                status = server.wait()
                stage.say(f"The server ended by itself, with status {status}:\n{server.tail()}", "red")
                return 1
        except KeyboardInterrupt:
            stage.out.print()
        finally:
            status = server.stop()
        if status != 0:
            stage.say(f"The server did not end as it should (status {status}):\n{server.tail()}", "red")
            return 1
        stage.say("The server has stopped.")
        return 0


async def _show(stage: Stage, made: Founded, server: Server, body: dict[str, Any], place: Path, again: str) -> None:
    async with remote(server.url, made.sandbox_key) as client:
        show = Show(stage, client, made, server.url)
        office_id = await show.run(body)
        await Called(stage, client, server, place, stops=bool(again)).run(office_id)
        show.farewell(office_id, server.sip, again)


def _taken(server: Server) -> str:
    """Which of the usual ports others have, so that a free one was taken."""
    usual = ((server.url, f"port {PORT}"), (server.sip, f"UDP port {SIP_PORT}"))
    others = [name for at, name in usual if not at.endswith(f":{name.rpartition(' ')[2]}")]
    return f" ({' and '.join(others)} {'are' if len(others) > 1 else 'is'} taken.)" if others else ""


def _serve_again(data: Path, server: Server) -> str:
    """The command that serves a demo's data at the same places."""
    program = near(Path(sys.executable).with_name("offhook"))
    port, sip = (at.rpartition(":")[2] for at in (server.url, server.sip))
    return shlex.join([program, "serve", "--data", near(data), "--port", port, "--sip-port", sip])


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """`python -m offhook.demo`."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    stage = Stage()
    try:
        status = demonstrate(os.environ.get("ONCE", "") not in ("", "0"), stage)
    except KeyboardInterrupt:
        status = 130
    except NotShown as problem:
        stage.out.print(Text(f"The demo cannot go on. {problem}", "red"), soft_wrap=True)
        status = 1
    except Refusal as refusal:
        stage.say(f"The server refused what the demo sent: {refusal.message}", "red")
        for violation in refusal.violations:
            stage.say(f"  {violation.location}  {violation.message}")
        status = 1
    raise SystemExit(status)


if __name__ == "__main__":
    main()
